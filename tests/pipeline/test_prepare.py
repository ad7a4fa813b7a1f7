import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from benforge.cli.main import run
from benforge.correction.port import CorrectOptions
from benforge.errors import InputError
from benforge.pipeline import prepare
from tests.tiles.catalogues import cdse_item
from tests.tiles.server import USER, WORD, World, cut, status


def simulate(out: Path, level: str) -> Path:
    """A small simulated product and its map."""
    words = ["simulate", "--out", str(out), "--size", "360", "--level", level]
    assert run([*words, "--date", "2017-06-13"]) == 0
    return out


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of level L1C."""
    return simulate(tmp_path_factory.mktemp("simulated") / "world", "L1C")


@pytest.fixture(scope="module")
def simulated_l2a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of level L2A."""
    return simulate(tmp_path_factory.mktemp("simulated") / "world", "L2A")


def serve(world: World, product: Path) -> Path:
    """The product as a zip on the server, and its item in the catalogue."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(product.rglob("*")):
            archive.write(path, path.relative_to(product.parent))
    name, data = product.name.removesuffix(".SAFE"), sink.getvalue()
    world.files[f"/files/{name}"] = data
    asset = {
        "href": f"{world.url}/files/{name}",
        "file:size": len(data),
        "file:checksum": f"1220{hashlib.sha256(data).hexdigest()}",
    }
    world.items.append(cdse_item(name, 0.0, {"Product": asset}))
    return Path(name)


def chain(world: World, folder: Path, out: Path, level: str) -> list[str]:
    """Words that build from a selection of the product of a folder."""
    (product,) = folder.glob("*.SAFE")
    serve(world, product)
    chosen = out.with_name("chosen.json")
    words = ["tiles", "--api", world.url, "--tiles", "33UUP", "--level", level]
    assert run([*words, "--out", str(chosen)]) == 0
    words = ["build", "--from", str(chosen), "--land-cover", str(folder / "land_cover.gpkg")]
    return [*words, "--out", str(out), "--profile", "custom"]


def test_from_a_selection_to_an_archive_resumed_at_each_stage(
    world: World, simulated_l2a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "archive"
    words = chain(world, simulated_l2a, out, "L2A")
    (path,) = world.files
    world.fail(path, cut(100_000), status(404))
    capsys.readouterr()
    assert run(words) == 1
    assert "it is not there" in capsys.readouterr().err
    assert not out.exists()

    assert run([*words, "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert built["patches"] == 9
    assert built["stages"] == {"chosen": "1", "fetched": "1, 0 there already"}
    assert world.sent[path] == len(world.files[path])

    asked = len(world.asked)
    assert run([*words, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["stages"]["fetched"] == "0, 1 there already"
    assert again["patches"] == 9
    assert len(world.asked) == asked
    made = {one.name for one in tmp_path.iterdir()}
    assert made == {"archive", "archive.products", "chosen.json"}
    assert run(["check", str(out)]) == 0


@pytest.mark.slow
def test_an_l1c_selection_is_corrected_on_the_way(
    world: World, simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "archive"
    words = [*chain(world, simulated, out, "L1C"), "--processor", "sixs", "--json"]
    for told in ("1 by sixs, 0 there already", "0 by sixs, 1 there already"):
        capsys.readouterr()
        assert run(words) == 0
        built = json.loads(capsys.readouterr().out)
        assert built["stages"]["corrected"] == told
        assert built["patches"] == 9
    made = {one.name for one in tmp_path.iterdir()}
    assert made == {"archive", "archive.products", "archive.l2a", "chosen.json"}


@pytest.mark.usefixtures("login")
def test_no_secret_stands_in_an_archive(world: World, simulated: Path, tmp_path: Path) -> None:
    (product,) = simulated.glob("*.SAFE")
    serve(world, product)
    world.locked = True
    api = tmp_path / "api.toml"
    api.write_text(
        f'title = "stand-in"\nurl = "{world.url}"\n[access]\nkind = "oidc"\n'
        f'token_url = "{world.url}/token"\nvariables = "TEST"\nhosts = ["127.0.0.1"]\n'
    )
    chosen = tmp_path / "chosen.json"
    words = ["tiles", "--api", str(api), "--tiles", "33UUP", "--out", str(chosen)]
    assert run(words) == 0
    words = ["build", "--from", str(chosen), "--land-cover", str(simulated / "land_cover.gpkg")]
    words += ["--out", str(tmp_path / "archive"), "--set", "products.level=L1C"]
    assert run(words) == 0
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret.encode() in data for secret in (USER, WORD, "secret-token"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "nowhere.json"], "there is no such file"),
        (["--from", "bigearthnet-2019"], "a named selection is fetched from a catalogue"),
    ],
)
def test_bad_sources(
    simulated: Path,
    tmp_path: Path,
    words: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = ["--land-cover", str(simulated / "land_cover.gpkg"), "--out", str(tmp_path / "a")]
    assert run(["build", *words, *more]) == 1
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["p.SAFE", "--from", "s.json"],
        ["p.SAFE", "--api", "cdse"],
        ["p.SAFE", "--via", "s3"],
        ["p.SAFE", "--elevation", "0"],
        ["p.SAFE", "--sen2cor", "x"],
        ["--from", "s.json", "--processor", "sixs", "--sen2cor", "x"],
        ["--from", "s.json", "--processor", "none", "--elevation", "0"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    assert run(["build", *words, "--land-cover", "m", "--out", "o"]) == 2


def test_a_missing_map_is_seen_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--from", "s.json", "--land-cover", str(tmp_path / "m.gpkg"), "--out", "o"]
    assert run(["build", *words]) == 1
    assert "no such land-cover map" in capsys.readouterr().err


def test_what_corrects_is_told_how(
    world: World, simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = chain(world, simulated, tmp_path / "archive", "L1C")
    seen: list[object] = []

    def corrected(*_: object, options: object, **__: object) -> object:
        seen.append(options)
        raise InputError("seen")

    monkeypatch.setattr(prepare, "correct_products", corrected)
    assert run([*words, "--elevation", "420"]) == 1
    assert run([*words, "--sen2cor", "here"]) == 1
    assert seen == [CorrectOptions(elevation=420), CorrectOptions(sen2cor=Path("here"))]
