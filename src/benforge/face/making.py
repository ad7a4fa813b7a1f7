"""From published archives, or from products and a land-cover map, to an archive, and out again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benforge.archive.build import build_archive
from benforge.archive.check import check_archive
from benforge.archive.finding import Finding
from benforge.archive.sidecars import read_split
from benforge.core.progress import Progress, silent
from benforge.demo.sample import unpack_sample
from benforge.errors import RecipeError
from benforge.face.archive import Archive, open  # noqa: A004
from benforge.face.places import AnyArchive, AnyPath, AnyPaths, folder_of, paths_of
from benforge.face.words import checked
from benforge.layouts.port import ExportOptions, ExportSummary, ImportOptions
from benforge.layouts.registry import export_layout, import_layout
from benforge.recipe.load import load_recipe
from benforge.scenes.simulate import Simulated, SimulateRecipe
from benforge.scenes.simulate import simulate as simulate_products


@checked
def sample(folder: AnyPath) -> Path:
    """Write the 66 real patches of BigEarthNet v1 that ship with benforge, in their v1 layout.

    Args:
        folder: to write into; what is there already is left alone.

    Returns:
        The root of the layout, `folder/bigearthnet-v1-sample`.

    Example:
        >>> published = ben.sample(".")
        >>> len(list(published.glob("S2*")))
        66
    """
    return unpack_sample(Path(folder))


@checked
def import_(
    path: AnyPath,
    out: AnyPath,
    *,
    layout: str | None = None,
    metadata: AnyPath | None = None,
    skip_bad: bool = False,
    compression: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Archive:
    """Bring a published archive into benforge's: pixels, labels, geometry, flags and splits.

    Called again it goes on where it was cut off. `import` is a word of Python, hence the `_`.

    Args:
        path: folder or LMDB in a published layout.
        out: folder of the archive.
        layout: "v1", "v2" or "lmdb"; recognised if None.
        metadata: folder of the published lists, where they lie apart.
        skip_bad: leave damaged patches out, rather than stop at the first.
        compression: of pixels, as `storage.compression` of a recipe; "blosc" halves the room.
        workers: processes; as many as cores if None.
        progress: told what is being done.

    Raises:
        BenError: another layout, or whatever is wrong with the input.

    Example:
        >>> archive = ben.import_("bigearthnet-v1-sample", "archive")
        >>> archive
        Archive('archive', 66 patches, profile ben-v1)
    """
    words = [] if compression is None else [f"storage.compression={compression}"]
    options = ImportOptions(
        storage=load_recipe(overrides=words).storage,
        metadata=None if metadata is None else Path(metadata),
        skip_bad=skip_bad,
        workers=workers,
    )
    import_layout(Path(path), Path(out), options, layout=layout, progress=progress)
    return open(out)


@checked
def simulate(out: AnyPath, *, progress: Progress = silent, **recipe: Any) -> Simulated:
    """Make up a land-cover map and Sentinel-2 products over it; they say that they are simulated.

    Args:
        out: folder to write into.
        progress: told what is being done.
        recipe: `size` in pixels of 10 m (1,200), `seed`, `dates` (texts, or mappings with `date`,
            `cloud`, `snow`, `haze`, `nodata`), `tile`, `level`, `baseline`, `polygons`, `gap`.

    Returns:
        `products`, folders in the order of the dates, and `land_cover`, the map.

    Raises:
        RecipeError: an unknown word, or a value that no product can have.
        ConflictError: the folder holds another simulation.

    Example:
        >>> world = ben.simulate("world", size=600, dates=["2017-06-13", "2018-02-25"])
        >>> [product.name[:26] for product in world.products]
        ['S2A_MSIL2A_20170613T101031', 'S2A_MSIL2A_20180225T101031']
    """
    if isinstance(recipe.get("dates"), list | tuple):
        recipe["dates"] = [
            one if isinstance(one, Mapping) else {"date": one} for one in recipe["dates"]
        ]
    try:
        rules = msgspec.convert(recipe, SimulateRecipe)
    except msgspec.ValidationError as error:
        raise RecipeError(str(error), where="simulate", do="See docs/python.md") from error
    return simulate_products(Path(out), rules, progress)


@checked
def build(
    products: AnyPaths,
    land_cover: AnyPath,
    out: AnyPath,
    *,
    profile: str | None = None,
    recipe: AnyPath | None = None,
    changes: Mapping[str, object] | None = None,
    workers: int | None = None,
    verify: bool = True,
    progress: Progress = silent,
) -> Archive:
    """Build an archive from Sentinel-2 products and a land-cover map, or add products to one.

    Called again it goes on where it was cut off; what is built is left alone.

    Args:
        products: SAFE folders or zips.
        land_cover: the map, vector or raster.
        out: folder of the archive.
        profile: "ben-v1", "ben-v2" or "custom"; "ben-v1" if None.
        recipe: a TOML file of rules; see docs/recipes.md.
        changes: rules by name, on top: `{"labels.policy": "presence"}`.
        workers: tiles at a time.
        verify: hold bands to the checksums that products list.
        progress: told what is being done.

    Raises:
        BenError: whatever is wrong with the input.

    Example:
        >>> made = ben.build(world.products, world.land_cover, "made", profile="ben-v2")
        >>> len(made), made.meta.simulated
        (50, True)
    """
    words = [f"{name}={_as_toml(value)}" for name, value in (changes or {}).items()]
    rules = load_recipe(profile, None if recipe is None else Path(recipe), words)
    build_archive(
        paths_of(products),
        Path(land_cover),
        Path(out),
        rules,
        workers=workers,
        verify=verify,
        progress=progress,
    )
    return open(out)


@checked
def check(archive: AnyArchive, *, progress: Progress = silent) -> list[Finding]:
    """Check an archive: structure, counts, every checksum, shares, footprints.

    Args:
        archive: open, or its folder.
        progress: told which scene is checked.

    Returns:
        What was found; no finding of the severity "error" means that every byte is as written.

    Example:
        >>> ben.check("archive")
        []
    """
    return check_archive(folder_of(archive), progress=progress)


@checked
def export(
    archive: AnyArchive,
    out: AnyPath,
    layout: str = "v1",
    *,
    split: str | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write an archive in a published layout, for tools that read only that.

    Args:
        archive: open, or its folder.
        out: folder to write.
        layout: "v1", "v2", "lmdb", "webdataset" or "parquet".
        split: only the patches of this split, with their parts.
        progress: told what is being done.

    Raises:
        BenError: an unknown layout, or an archive that it cannot hold.

    Example:
        >>> ben.export("archive", "lmdb", layout="lmdb").new_patches
        66
    """
    root = folder_of(archive)
    options = ExportOptions(split=read_split(root, split) if split else None)
    return export_layout(open(root), Path(out), layout, options, progress)


def _as_toml(value: object) -> str:
    """As `parse_override` reads it: JSON is TOML for texts, numbers, truth values and lists."""
    try:
        return msgspec.json.encode(value).decode()
    except TypeError as error:
        raise RecipeError(f"a rule is {value!r}", do="Give text, numbers or lists") from error
