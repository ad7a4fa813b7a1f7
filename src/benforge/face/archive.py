"""An archive as Python users hold it: patches, and the forms in which other libraries take them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benforge.archive import archive as whole
from benforge.archive.index import read_attributes
from benforge.archive.layout import scene_names, scene_path
from benforge.archive.parts import choose_part
from benforge.core.contract import Normalise
from benforge.core.identity import PatchId
from benforge.errors import InputError, MissingError
from benforge.face.places import AnyPath, is_whole
from benforge.face.words import checked

if TYPE_CHECKING:
    import geopandas
    import xarray

    from benforge.loading.dataset import PatchDataset
    from benforge.loading.targets import Targets


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Archive(whole.Archive):
    """The patches of an archive, or some of them after `filter`; nothing of it changes.

    `archive[0]` is a `Patch`, `archive.record(0)` what is known of it, `archive.index` all rows as
    a table of pyarrow, `archive.meta` what `archive.json` says.

    Example:
        >>> archive = ben.open("archive")
        >>> len(archive), archive.meta.nomenclature.name
        (66, 'clc-43')
        >>> import pyarrow.compute as pc
        >>> summer = archive.filter(pc.field("season") == "summer")
        >>> len([patch for patch in summer if patch.band("B04").max() > 3_000])
        4
    """

    @checked
    def part(self, split: str, part: str) -> Archive:
        """The patches of one part of a split.

        Args:
            split: name of a split of the archive.
            part: "train", "validation" or "test".

        Raises:
            MissingError: the archive has no such split; names those it has.
            InputError: a split has no such part.

        Example:
            >>> len(ben.open("archive").part("paper-random", "test"))
            13
        """
        return choose_part(self, split, part)

    @checked
    def targets(self, labels: AnyPath = "43") -> Targets:
        """The labels of every patch, multi-hot.

        Args:
            labels: "43", "19", "level2", "level1", or a TOML file of classes of yours.

        Returns:
            `hot`, bool `patch label`, in the order of the index, and the `nomenclature`.

        Raises:
            InputError: no such classes, or they cannot be told from those of the archive.

        Example:
            >>> targets = ben.open("archive").targets("19")
            >>> targets.hot.shape, targets.nomenclature.names[0]
            ((66, 19), 'Urban fabric')
        """
        from benforge.loading.targets import load_targets

        return load_targets(self, os.fspath(labels))

    @checked
    def to_torch(
        self,
        split: str | None = None,
        part: str = "train",
        bands: str | Sequence[str] | None = None,
        labels: AnyPath = "43",
        *,
        normalise: Normalise = "published",
        native: bool = False,
    ) -> PatchDataset:
        """The patches as a map-style dataset of PyTorch, for any `DataLoader`.

        Batches are read at once, also by workers, which share the pages of the same files.

        Args:
            split: name of a split of the archive; None takes every patch.
            part: of the split; after `filter`, those of its patches that are left.
            bands: in the order wanted, or "rgb"; all twelve if None. Pixel sizes not asked for are
                not read.
            labels: as `targets` takes them.
            normalise: "published" by means and deviations of the authors; "train" by those of
                these patches; "none" as shares of 1 (reflectance).
            native: bands at their own pixel sizes, as a tuple; else brought to 10 m.

        Returns:
            One item a patch: image, float32 `band 120 120`, and multi-hot, float32 `label`.

        Raises:
            MissingError: no such split, or PyTorch is not installed.
            InputError: no such part, band, labels or normalisation.

        Example:
            >>> archive = ben.open("archive")
            >>> patches = archive.to_torch("paper-random", "train", "rgb")
            >>> image, hot = patches[0]
            >>> image.shape, hot.shape
            (torch.Size([3, 120, 120]), torch.Size([43]))
            >>> from torch.utils.data import DataLoader
            >>> images, hots = next(iter(DataLoader(patches, batch_size=16, shuffle=True)))
            >>> images.shape
            torch.Size([16, 3, 120, 120])
        """
        try:
            from benforge.loading.dataset import PatchDataset
        except ImportError as error:
            raise MissingError(
                "PyTorch is not installed", do="Install it: pip install 'benforge[train]'"
            ) from error
        chosen = self
        if split is not None and not is_whole(self):
            chosen, split = self.part(split, part), None
        return PatchDataset(
            chosen, split or "", part, bands=bands, labels=os.fspath(labels),
            normalisation=normalise, native=native,
        )  # fmt: skip

    @checked
    def to_xarray(
        self, scene: str | PatchId, chunks: dict[str, int] | None = None
    ) -> xarray.Dataset:
        """A scene as one georeferenced mosaic, read where it is looked at.

        Args:
            scene: its name, or the id of any of its patches.
            chunks: as `xarray.open_zarr` takes them, for dask; None reads without dask.

        Returns:
            `r10m`, `r20m`, `r60m` with bands by name, `land_cover` and `scene_classification`
            where the archive has them; coordinates of pixel centres, m, in the CRS of
            `spatial_ref`; `wavelength_10m` and so on, nm.

        Raises:
            InputError: the archive holds no such scene.
            MissingError: xarray is not installed.

        Example:
            >>> archive = ben.open("archive")
            >>> scene = archive.to_xarray(archive.record(0).scene)
            >>> scene.r20m.sel(band_20m="B8A").dims
            ('y_20m', 'x_20m')
            >>> scene.spatial_ref.attrs["projected_crs_name"]
            'WGS 84 / UTM zone 33N'
        """
        try:
            import xarray
        except ImportError as error:
            raise MissingError(
                "xarray is not installed", do="Install it: pip install 'benforge[xarray]'"
            ) from error
        folder = scene_path(self.root, self._scene(str(scene)))
        read_attributes(folder)  # where it is damaged, this says so in a line
        found = xarray.open_zarr(folder, chunks=chunks)
        coordinates: dict[str, Any] = {"spatial_ref": found.spatial_ref}
        for array in found.data_vars.values():
            if "bands" in array.attrs:
                axis = str(array.dims[0])
                coordinates[axis] = array.attrs["bands"]
                coordinates[axis.replace("band", "wavelength")] = axis, found[axis].data
        named: xarray.Dataset = found.assign_coords(coordinates)
        return named

    def to_geopandas(self) -> geopandas.GeoDataFrame:
        """The index with geometry: a row a patch, its footprint in longitude and latitude.

        Returns:
            The columns of `docs/archive.md`; lists (`labels`, `classes`, `shares`, `pixels`) are
            lists of Python.

        Example:
            >>> frame = ben.open("archive").to_geopandas()
            >>> frame.crs.to_epsg(), frame.geometry.geom_type.unique().tolist()
            (4326, ['Polygon'])
            >>> int(frame.labels.map(lambda labels: "Pastures" in labels).sum())
            11
        """
        import geopandas

        rows = self.index.drop_columns("geometry")
        lists = [field.name for field in rows.schema if pa.types.is_list(field.type)]
        frame = rows.drop_columns(lists).to_pandas()
        for name in lists:
            frame[name] = self.index[name].to_pylist()
        shapes = geopandas.GeoSeries.from_wkb(self.index["geometry"].to_pylist(), crs="EPSG:4326")
        return geopandas.GeoDataFrame(frame, geometry=shapes.values)

    def _scene(self, name: str) -> str:
        """The scene of this name, or that holds this patch."""
        if name in scene_names(self.root):
            return name
        try:
            return self.record(self.find(name)).scene
        except InputError as error:
            raise InputError(
                "the archive holds no scene or patch of this name",
                where=name,
                do="archive.index['scene'] has the names of scenes",
            ) from error


@checked
def open(path: AnyPath) -> Archive:  # noqa: A001  as numpy and xarray have it
    """Open an archive that `build` or `import_` made.

    Args:
        path: its folder.

    Raises:
        MissingError: there is no such folder.
        ArchiveError: the folder is not an archive, or its index is damaged.
        ArchiveVersionError: a newer benforge wrote it.

    Example:
        >>> archive = ben.open("archive")
        >>> patch = archive[0]
        >>> patch.band("B8A").shape, str(patch.id)
        ((60, 60), 'S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_87_48')
        >>> archive.record(0).labels[0]
        'Non-irrigated arable land'
    """
    return Archive.open(Path(path))
