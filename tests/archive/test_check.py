from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import shapely

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.index import encode_rows, read_rows
from benforge.archive.layout import scene_path
from benforge.archive.manifest import write_manifest
from benforge.archive.meta import read_meta, write_meta
from benforge.core.record import SCHEMA
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive

OTHER = PRODUCT.replace("20170613", "20180108")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenes = make_scene(small_frame(15, 3), kept=0.8), make_scene(product=OTHER)
    return write_archive(tmp_path_factory.mktemp("archive"), *scenes)


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "archive")


def errors(root: Path) -> list[tuple[str, str]]:
    """Path below the archive and fault of every error, checked to be told without raising."""
    found = [f for f in check_archive(root) if f.severity == "error"]
    return [(Path(f.where).relative_to(root).as_posix(), f.what) for f in found]


def test_a_whole_archive_has_no_finding(whole: Path) -> None:
    assert check_archive(whole) == []


def test_progress_is_told(whole: Path) -> None:
    told: list[tuple[str, float, float]] = []
    check_archive(whole, progress=lambda *step: told.append(step))
    assert told[0] == (f"checking {PRODUCT}", 0, 2)
    assert told[-1] == ("checking the index", 2, 2)


def damage(path: Path) -> None:
    """Turn one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_every_damaged_file_of_a_scene_is_named(root: Path) -> None:
    scene = scene_path(root, PRODUCT)
    files = [p for p in sorted(scene.rglob("*")) if p.is_file() and p.name != "manifest.sha256"]
    assert len(files) > 25
    for path in files:
        damage(path)
    found = {where for where, what in errors(root) if what == "damaged, its checksum differs"}
    assert found == {path.relative_to(root).as_posix() for path in files}


def test_damaged_checksums_are_told(root: Path) -> None:
    damage(scene_path(root, PRODUCT) / "manifest.sha256")
    assert (
        f"scenes/{PRODUCT}.zarr/manifest.sha256",
        "differs from what archive.json says of it",
    ) in errors(root)


def test_a_missing_and_a_surplus_shard_are_named(root: Path) -> None:
    r20m = f"scenes/{PRODUCT}.zarr/r20m/c/0/0"
    (root / r20m / "1").unlink()
    (root / r20m / "7").write_bytes(b"")
    assert errors(root) == [
        (f"{r20m}/1", "missing"),
        (f"{r20m}/7", "not of this scene, no checksum names it"),
        (
            f"scenes/{PRODUCT}.zarr",
            "damaged. Remove the scene's folder and run the build or import again",
        ),
    ]


@pytest.mark.parametrize("name", ["archive.json", "patches.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"\0" * 100])
def test_a_damaged_top_file_is_named(root: Path, name: str, content: bytes | None) -> None:
    (root / name).unlink() if content is None else (root / name).write_bytes(content)
    ((where, what),) = errors(root)
    assert name in f"{where} {what}"


@pytest.mark.parametrize(
    "name", ["zarr.json", "patches.parquet", "manifest.sha256", "r10m/zarr.json"]
)
def test_a_scene_without_one_of_its_files_is_told_once_or_more(root: Path, name: str) -> None:
    (scene_path(root, PRODUCT) / name).unlink()
    assert any(where.endswith(name) for where, _ in errors(root))


def test_scenes_and_archive_json_agree(root: Path) -> None:
    shutil.rmtree(scene_path(root, OTHER))
    advice = "the scene is missing. Restore its folder or run the build or import again"
    assert (f"scenes/{OTHER}.zarr", advice) in errors(root)
    shutil.copytree(scene_path(root, PRODUCT), scene_path(root, OTHER))
    assert any("differs from what archive.json says" in what for _, what in errors(root))
    write_meta(root, read_meta(root).with_scenes(()))
    assert any("does not list this scene" in what for _, what in errors(root))


def test_a_cut_off_build_is_a_note(root: Path) -> None:
    (root / ".build" / "half.zarr").mkdir(parents=True)
    (finding,) = check_archive(root)
    assert (finding.severity, Path(finding.where).name) == ("note", "half.zarr")


def test_an_index_of_other_rows_is_told(root: Path) -> None:
    path = root / "patches.parquet"
    rows = read_rows(path)
    path.write_bytes(encode_rows(rows.slice(1)))
    ((where, what),) = errors(root)
    assert where == "patches.parquet"
    assert f"{len(rows) - 1} rows, the scenes have {len(rows)}" in what
    position = SCHEMA.get_field_index("nodata")
    other = rows.set_column(position, SCHEMA.field(position), pa.array([0.5] * len(rows), "float"))
    path.write_bytes(encode_rows(other))
    assert "differs from the rows of the scenes" in errors(root)[0][1]


def test_arrays_of_another_shape_are_told(root: Path) -> None:
    path = scene_path(root, PRODUCT) / "r60m" / "zarr.json"
    facts = json.loads(path.read_bytes())
    facts["shape"][1] += 2
    path.write_text(json.dumps(facts))
    assert any("shape [2, 8, 30], expected [2, 6, 30]" in what for _, what in errors(root))


def rewrite(root: Path, change: Callable[[dict[str, list[object]]], None]) -> list[str]:
    """Change the rows of a scene, put every checksum right, and check."""
    folder = scene_path(root, PRODUCT)
    columns = read_rows(folder / "patches.parquet").to_pydict()
    change(columns)
    table = pa.Table.from_pydict(columns, schema=SCHEMA)
    (folder / "patches.parquet").write_bytes(encode_rows(table))
    write_manifest(folder)
    where = f"scenes/{PRODUCT}.zarr/patches.parquet"
    return [what for path, what in errors(root) if path == where]


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("scene", OTHER, "stands in another scene"),
        ("column", 99, "lies outside the scene"),
        ("patch_id", f"{PRODUCT}_90_90", "has an id that is not its product, column and row"),
        ("season", "winter", "has a season that its date is not in"),
        ("ulx", 300060.0, "has a corner that is not its column and row"),
        ("crs", "EPSG:32632", "has a corner that is not its column and row"),
        (
            "geometry",
            shapely.to_wkb(shapely.box(0, 0, 1, 1)),
            "has a footprint that is not its corner's",
        ),
        ("shares", [0.5, 0.25, 0.25], "has shares or pixels that do not fit its classes"),
        ("shares", [0.75, 0.5], "has shares outside 0 to 1 or above 1 in all"),
        ("shares", [-0.5, 0.5], "has shares outside 0 to 1 or above 1 in all"),
        ("pixels", [144, 1], "has more reference pixels than a patch"),
        ("labels", ["Coniferous forest"] * 2, "has a label that the nomenclature lacks, or twice"),
        ("labels", ["Forest"], "has a label that the nomenclature lacks, or twice"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(
    root: Path, column: str, value: object, what: str
) -> None:
    def change(columns: dict[str, list[object]]) -> None:
        position = columns["classes"].index([211, 312])
        columns[column][position] = value

    found = rewrite(root, change)
    assert any(line.startswith(PRODUCT) and line.endswith(what) for line in found)


def test_a_patch_that_stands_twice_is_named(root: Path) -> None:
    def change(columns: dict[str, list[object]]) -> None:
        for values in columns.values():
            values += values[:2]

    found = rewrite(root, change)
    assert any(line.endswith(" and 1 more stands twice") for line in found)


def test_rows_without_shares_are_fine(root: Path) -> None:
    def change(columns: dict[str, list[object]]) -> None:
        for name in ("shares", "pixels"):
            columns[name] = [None] * len(columns[name])

    assert rewrite(root, change) == []


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (finding,) = check_archive(tmp_path)
    assert finding.what == "not an archive, it holds no archive.json"


def test_a_checked_archive_opens(whole: Path) -> None:
    assert len(Archive.open(whole)) == sum(s.patches for s in read_meta(whole).scenes)


def test_a_crs_that_is_none_is_told(root: Path) -> None:
    path = scene_path(root, PRODUCT) / "zarr.json"
    path.write_text(path.read_text().replace("EPSG:32633", "EPSG:1"))
    assert ("EPSG:1", "there is no such CRS") in [(f.where, f.what) for f in check_archive(root)]


@pytest.mark.parametrize("name", ["a b é", "../../x"])
def test_a_scene_with_an_odd_name_is_told_and_the_rest_is_checked(root: Path, name: str) -> None:
    meta = read_meta(root)
    odd = msgspec.structs.replace(meta.scenes[1], name=name)
    write_meta(root, meta.with_scenes((meta.scenes[0], odd)))
    damage(scene_path(root, PRODUCT) / "r10m" / "c" / "0" / "0" / "0")
    found = errors(root)
    assert (f"scenes/{name}.zarr", "not a name for a scene") in found
    assert any("checksum differs" in what for _, what in found)


@pytest.mark.parametrize("text", ["[]", '{"attributes": null}', '{"attributes": {"frame": 1}}'])
def test_damaged_metadata_of_a_scene_are_told(root: Path, text: str) -> None:
    (scene_path(root, PRODUCT) / "zarr.json").write_text(text)
    assert any("cannot be read" in what for _, what in errors(root))


def test_an_archive_without_bands_is_told(root: Path) -> None:
    facts = json.loads((root / "archive.json").read_text())
    facts["sensor"]["bands"] = []
    (root / "archive.json").write_text(json.dumps(facts))
    ((where, what),) = errors(root)
    assert (where, "no band" in what) == ("archive.json", True)
