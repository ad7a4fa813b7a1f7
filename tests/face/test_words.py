"""A wrong argument is one line that names it, before anything is read or written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

import benforge as ben
from benforge.face import archive as archives
from benforge.face import asking, learning, making
from tests.training.conftest import few  # noqa: F401  a fixture


def test_every_name_holds_its_arguments_to_what_it_takes() -> None:
    for room in (archives, asking, learning, making):
        for name, found in vars(room).items():
            if name in ben.__all__ and inspect.isfunction(found):
                assert hasattr(found, "__wrapped__"), name
                assert inspect.signature(found) == inspect.signature(found.__wrapped__)


def _call(name: str, *args: object, **words: object) -> Callable[[], object]:
    return lambda: getattr(ben, name)(*args, **words)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (_call("open", None), "path is None. Give one of these: a text, a path"),
        (_call("open", b"archive"), "path is b'archive'"),
        (_call("sample", 3), "folder is 3"),
        (_call("split", "a", seed="x"), "seed is 'x'. Give one of these: a whole number, None"),
        (_call("split", "a", flags="none"), "flags is 'none'. Give one of these: a list"),
        (_call("train", "a", "r", split=None), "split is None. Give one of these: a text"),
        (_call("train", "a", "r", split="s", labels=19), "labels is 19"),
        (_call("train", "a", "r", split="s", epochs=True), "epochs is True"),
        (_call("predict", None, "a"), "run is None.*: a text, a path, what ben.train returned"),
        (_call("predict", "r", "a", batch_size="8"), "batch_size is '8'"),
        (_call("evaluate", 3), "predictions is 3. Give one of these: predictions, a text, a path"),
        (_call("compare", "a", "b", None), "figure is None"),
        (_call("write_predictions", "t.parquet", "u.parquet"), "predictions is 'u.parquet'"),
        (_call("map", "r", "p", "o", vector="shp"), "vector is 'shp'.*'gpkg', 'parquet'"),
        (_call("map", "r", "p", "o", threshold="x"), "threshold is 'x'"),
        (_call("map", "r", [3], "o"), "a int is no path"),
        (_call("search", "i", patch="p", metric="manhattan"), "metric is 'manhattan'"),
        (
            _call("search", "i", labels="Pastures"),
            "labels is 'Pastures'.*: a list",
        ),
        (_call("search", "i", patch="p", k=2.5), "k is 2.5"),
        (_call("build", "p", "m", "o", changes=["a=1"]), "changes is .'a=1'..*: a dict, None"),
        (_call("build", "p", "m", "o", changes={"labels.policy": object}), "a rule is <class"),
        (_call("simulate", "w", dates=None), "Expected `array`, got `null`"),
        (_call("check", "a", progress="loud"), "progress is 'loud'"),
    ],
)
def test_what_is_of_no_such_type_is_told(
    call: Callable[[], object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ben.BenError, match=said):
        call()
    assert not list(tmp_path.iterdir())


def test_python_itself_tells_what_no_function_takes() -> None:
    with pytest.raises(TypeError, match=r"open\(\) got an unexpected keyword argument 'mode'"):
        ben.open("archive", mode="r")  # type: ignore[call-arg]


def test_numbers_of_numpy_paths_and_ids_are_taken(few: Path, tmp_path: Path) -> None:  # noqa: F811
    archive = ben.open(few)
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'name = "mine"\n[[class]]\ncode = 1\nname = "A"\ncolor = [1, 2, 3]\nmembers = [211]\n'
    )
    assert archive.targets(mine).hot.shape == (len(archive), 1)
    assert len(ben.split(archive, name="drawn", seed=np.int64(3))) == len(archive)  # type: ignore[arg-type]
    index = ben.embed(archive, tmp_path / "index", split=None)
    first, k = archive.record(0).id, np.int32(2)
    assert len(ben.search(index, patch=first, k=k).results) == 2  # type: ignore[arg-type]
    assert archive.to_xarray(first).sizes == archive.to_xarray(archive.record(0).scene).sizes


def test_a_filtered_archive_is_told_apart(few: Path) -> None:  # noqa: F811
    archive = ben.open(few)
    some = archive.filter(np.arange(len(archive)) % 2 == 0)
    ids = some.part("few", "train").index["patch_id"]
    dataset = some.to_torch("few", "train", "rgb", normalise="none")
    assert 0 < len(dataset) == len(ids) < len(archive.part("few", "train"))
    for i, patch in enumerate(some.part("few", "train")):
        red = dataset[i][0][0].numpy() * 10_000
        assert np.allclose(red, patch.band("B04"), atol=0.01)
    with pytest.raises(ben.BenError, match=r"FieldRef.Name\(nope\). Its columns: patch_id, scene"):
        archive.filter(pc.field("nope") == 1)


def test_what_is_in_an_archive_or_in_the_way_is_left_alone(few: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(ben.BenError, match="the folder is an archive"):
        ben.map("run", "product", few)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ben.BenError, match="file: cannot be written"):
        ben.sample(tmp_path / "file")


def test_a_number_that_asks_for_nothing_is_told() -> None:
    with pytest.raises(ben.BenError, match="0 patches are none"):
        ben.search("index", patch="p", k=0)
    with pytest.raises(ben.BenError, match="0 patches at once"):
        ben.predict("run", "archive", batch_size=0)
    with pytest.raises(ben.BenError, match="either named or tuned"):
        ben.evaluate("test.parquet", threshold=0.5, tune_on="validation.parquet")


def test_completion_offers_what_is_public() -> None:
    assert [name for name in dir(ben) if not name.startswith("__")] == sorted(ben.__all__)
