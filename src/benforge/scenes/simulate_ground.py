"""The ground of a simulated tile: its polygons on pixels, and how bright each pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.features import rasterize

from benforge.core.grid import Grid
from benforge.errors import InputError
from benforge.scenes.simulate_facts import load_spectra
from benforge.scenes.simulate_noise import Floats, Octaves, Places
from benforge.scenes.simulate_parcels import Parcels, draw_parcels

WATER = (511, 512, 521, 522, 523)

_BROAD = 0.45
"""How much of a class's variation lies between places hundreds of metres apart."""

_UNMAPPED = 211
"""The class painted where the map has a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A tile's land cover on pixels of 10 m, and what varies over it.

    Args:
        polygons: `row col`, number of the polygon, 0 where the map has a gap.
        kinds: `polygon`, position of its class in `codes`.
        codes: the classes, the class axis of every table.
        parcels: how polygons are divided into fields and blocks.
        broad: two independent variations over hundreds of metres.
        fine: variation over tens of metres.
    """

    polygons: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32]
    parcels: Parcels
    broad: tuple[Octaves, Octaves]
    fine: Octaves

    def polygons_at(self, pixel_size: int, rows: slice = slice(None)) -> npt.NDArray[np.int32]:
        """`row col`: the polygon below the middle of each pixel of some rows."""
        step = pixel_size // 10
        return self.polygons[step // 2 :: step, step // 2 :: step][rows]

    def kinds_at(self, pixel_size: int, rows: slice = slice(None)) -> npt.NDArray[np.uint8]:
        """`row col`: position of the class of each pixel of some rows."""
        return np.take(self.kinds, self.polygons_at(pixel_size, rows))

    def paint(
        self, band: int, factors: Floats, pixel_size: int, rows: slice, ys: Places, xs: Places
    ) -> Floats:
        """Reflectance x 10,000 of the bare ground.

        Args:
            band: position in the band axis of the spectra.
            factors: `class`, what the season makes of each class in this band.
            pixel_size: m.
            rows: which rows of the tile.
            ys: metres down of each of these rows.
            xs: metres right of each column.

        Returns:
            `row col`, float32.
        """
        spectra = load_spectra().classes.values()
        mean = factors * np.array([s.mean[band] for s in spectra], np.float32)
        modes = factors * np.array([s.modes[:2, band] for s in spectra], np.float32).T
        texture = factors * np.array([0.8 * s.texture[band] for s in spectra], np.float32)
        polygons = self.polygons_at(pixel_size, rows)
        kinds = np.take(self.kinds, polygons)
        value = np.take(mean, kinds)
        value += np.take(texture, kinds) * self.fine.at(ys, xs)
        chances = self.parcels.at(polygons, ys, xs)
        for mode, chance, broad in zip(modes, chances, self.broad, strict=True):
            chance += np.float32(_BROAD) * broad.at(ys, xs)
            value += np.take(mode, kinds) * chance
        return value

    def grain(self, band: int) -> Floats:
        """`class`: standard deviation of what no other band shares."""
        spectra = load_spectra().classes.values()
        return np.array([0.6 * s.texture[band] for s in spectra], np.float32)


def draw_ground(land_cover: geopandas.GeoDataFrame, grid: Grid, rng: np.random.Generator) -> Ground:
    """The ground of a tile below a land-cover map with the column `Code_18`.

    Raises:
        InputError: the map holds a class that has no spectrum.
    """
    codes = np.array(list(load_spectra().classes), np.int32)
    found = land_cover["Code_18"].astype(np.int32).to_numpy()
    if unknown := sorted(set(found.tolist()) - set(codes.tolist())):
        raise InputError(f"no spectrum for the classes {unknown}", where="Code_18")
    of_polygons = np.concatenate([[_UNMAPPED], found]).astype(np.int32)
    return Ground(
        _polygons(land_cover, grid),
        np.searchsorted(codes, of_polygons).astype(np.uint8),
        codes,
        draw_parcels(of_polygons, rng),
        (Octaves.draw(rng, [500, 160], 0.8), Octaves.draw(rng, [700, 210], 0.8)),
        Octaves.draw(rng, [45, 18], 1.0),
    )


def _polygons(land_cover: geopandas.GeoDataFrame, grid: Grid) -> npt.NDArray[np.int32]:
    """`row col`, number of the polygon at each pixel centre from 1, 0 where none."""
    numbered = zip(land_cover.to_crs(grid.crs).geometry, range(1, len(land_cover) + 1), strict=True)
    transform = rasterio.Affine(*grid.transform)
    filled = rasterize(numbered, out_shape=grid.shape, transform=transform, dtype="int32")
    return np.asarray(filled)
