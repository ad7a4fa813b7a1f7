"""ImageNet weights of both public layouts land where they belong, from every kind of file.

No public weights are at hand: the files are made here, with the ports' names and shapes, and the
network must answer as `ported` does, which is written independently of it.
"""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from benforge.errors import InputError, MissingError
from benforge.models import imagenet
from benforge.models.bn_inception import BNInception
from benforge.models.imagenet import known_files, names, read_imagenet
from benforge.models.inception import FrozenOptions, Inception, picture_normalisation
from benforge.models.port import ALL, RGB
from benforge.models.registry import build_model, title_of, weights_of
from tests.models.ported import caffe_features, caffe_weights, slim_features, slim_weights

NAME = "inception-v2-frozen"


@pytest.fixture(scope="module")
def caffe() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return caffe_weights(classes=10)


@pytest.fixture(scope="module")
def slim() -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    return slim_weights()


@pytest.fixture(scope="module")
def folder(
    caffe: dict[str, torch.Tensor],
    slim: dict[str, torch.Tensor],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.save(caffe, folder / "caffe.pth")
    torch.save(caffe, folder / "old.pth", _use_new_zipfile_serialization=False)
    np.savez(folder / "slim.npz", **{name: tensor.numpy() for name, tensor in slim.items()})
    safetensors.torch.save_file(caffe, folder / "caffe.safetensors")
    return folder


@pytest.mark.parametrize("file", ["caffe.pth", "old.pth", "caffe.safetensors"])
def test_the_caffe_layout_answers_as_the_port(
    file: str, folder: Path, caffe: dict[str, torch.Tensor]
) -> None:
    network = BNInception().eval()
    weights = read_imagenet(network, folder / file)
    red_green_blue = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        ours, theirs = network(red_green_blue), caffe_features(caffe, red_green_blue.flip(1))
    assert theirs.std() > 0.01
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert (weights.layout, weights.known, weights.file) == ("caffe", False, file)


@pytest.mark.parametrize("edge", [64, 120, 75])
def test_the_slim_layout_answers_as_the_port(
    edge: int, folder: Path, slim: dict[str, torch.Tensor]
) -> None:
    network = BNInception(layout="slim").eval()
    read_imagenet(network, folder / "slim.npz")
    patches = torch.randn(1, 3, edge, edge)
    with torch.no_grad():
        ours, theirs = network(patches), slim_features(slim, patches)
    assert theirs.std() > 0.01
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_names_are_a_bijection_onto_the_network(
    caffe: dict[str, torch.Tensor], slim: dict[str, torch.Tensor]
) -> None:
    with torch.device("meta"):
        networks = BNInception(), BNInception(layout="slim")
    for network, held in zip(networks, (caffe, slim), strict=True):
        found = names(network)
        assert set(found) == set(network.state_dict())
        assert len(set(found.values())) == len(found)
        unused, missing = set(held) - set(found.values()), set(found.values()) - set(held)
        assert all(n.startswith(("last_linear", "InceptionV2/Logits", "global")) for n in unused)
        assert all(n.endswith(("num_batches_tracked", "/gamma")) for n in missing)


def test_the_whole_model_says_whose_weights_it_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "caffe.safetensors"
    model = build_model(NAME, RGB, 43, {"weights": str(file)})
    assert title_of(NAME, model) == "Inception-v2 (unverified weights)"
    digest = imagenet.sha256(file)
    assert weights_of(model) == (
        f"unverified weights, caffe layout, caffe.safetensors, sha256 {digest}"
    )
    known = ({"sha256": digest[:9], "layout": "caffe"},)
    monkeypatch.setattr(imagenet, "known_files", lambda: known)
    model = build_model(NAME, RGB, 43, {"weights": str(file)})
    assert title_of(NAME, model) == "Inception-v2"
    assert weights_of(model).startswith("ImageNet weights, caffe layout")


def test_a_checkpoint_needs_no_file_of_weights(folder: Path) -> None:
    file = {"weights": str(folder / "gone.pth")}
    model = build_model(NAME, RGB, 43, file, read_weights=False)
    assert isinstance(model, Inception)
    assert model.weights is None


def test_known_sums_are_those_in_the_names_of_the_files() -> None:
    for file in known_files():
        assert Path(file["name"]).stem.rpartition("-")[2] == file["sha256"]
        assert len(file["sha256"]) >= 8
        assert file["source"].endswith(file["name"])


def broken(folder: Path, caffe: dict[str, torch.Tensor]) -> Iterator[tuple[str, str]]:
    """A file that cannot be used, and what is said of it."""

    def save(name: str, tensors: object) -> str:
        torch.save(tensors, folder / name)
        return name

    less = {name: tensor for name, tensor in caffe.items() if name != "inception_4d_3x3.bias"}
    yield save("less.pth", less), r"no tensor inception_4d_3x3\.bias"
    yield (
        save("more.pth", caffe | {"extra.weight": torch.zeros(1)}),
        r"does not have, extra\.weight",
    )
    wide = caffe | {"conv1_7x7_s2.weight": torch.zeros(64, 10, 7, 7)}
    yield save("wide.pth", wide), r"has the shape \(64, 10, 7, 7\), not \(64, 3, 7, 7\)"
    yield save("other.pth", {"conv1.weight": torch.zeros(1)}), "not weights of Inception-v2"
    yield save("list.pth", [torch.zeros(1)]), "not a dict of tensors"
    yield "slim.npz", "weights in the slim layout. Set layout=slim"
    (folder / "cut.pth").write_bytes((folder / "caffe.pth").read_bytes()[:10_000])
    yield "cut.pth", "cannot be read|a damaged one"
    (folder / "cut.npz").write_bytes((folder / "slim.npz").read_bytes()[:10_000])
    yield "cut.npz", "cannot be read"
    (folder / "cut.safetensors").write_bytes(b"\0" * 100)
    yield "cut.safetensors", "cannot be read"
    (folder / "weights.ckpt").write_bytes(b"")
    yield "weights.ckpt", "of an unknown kind"


def test_files_that_cannot_be_used_are_refused_in_one_line(
    folder: Path, caffe: dict[str, torch.Tensor]
) -> None:
    network = BNInception()
    before = network.first.norm.bias.clone()
    for name, message in broken(folder, caffe):
        with pytest.raises(InputError, match=message) as caught:
            read_imagenet(network, folder / name)
        assert str(caught.value).startswith(str(folder / name))
        assert "\n" not in str(caught.value)
    assert torch.equal(network.first.norm.bias, before)
    with pytest.raises(MissingError, match="no such weights"):
        read_imagenet(network, folder / "none.pth")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("executed"),)


def test_no_pickle_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1_7x7_s2.weight": Bomb()}, "new.pth")
    torch.save({"conv1_7x7_s2.weight": Bomb()}, "old.pth", _use_new_zipfile_serialization=False)
    Path("plain.pth").write_bytes(pickle.dumps(Bomb()))
    np.savez("object.npz", **{"conv1_7x7_s2.weight": np.array([Bomb()], dtype=object)})
    for name in ("new.pth", "old.pth", "plain.pth", "object.npz"):
        with pytest.raises(InputError, match=f"{name}: (a pickle|cannot be read)"):
            read_imagenet(BNInception(), Path(name))
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    ("layout", "black", "white"),
    [("caffe", (-128, -117, -104), (127, 138, 151)), ("slim", (-1, -1, -1), (1, 1, 1))],
)
def test_the_picture_is_what_each_port_was_trained_on(
    layout: str, black: tuple[float, ...], white: tuple[float, ...]
) -> None:
    options = FrozenOptions(layout=layout, picture_low=100, picture_high=2100)  # type: ignore[arg-type]
    to = picture_normalisation(options)
    for stored, shown in ((0, black), (100, black), (2100, white), (9000, white)):
        clipped = min(max(stored, to.low or 0), to.high or 0)
        seen = [(clipped - mean) / std for mean, std in zip(to.mean, to.std, strict=True)]
        assert seen == pytest.approx(shown)


def test_what_a_frozen_network_cannot_be_given() -> None:
    with pytest.raises(InputError, match="takes three bands"):
        build_model(NAME, ALL, 43)
    with pytest.raises(InputError, match="picture_high is not above"):
        build_model(NAME, RGB, 43, {"picture_high": -1.0})


def test_patches_can_be_enlarged_to_imagenets_size() -> None:
    model = build_model(NAME, RGB, 43, {"resize": 64}).eval()
    assert isinstance(model, Inception)
    seen: list[tuple[int, ...]] = []
    model.network.register_forward_pre_hook(lambda layer, given: seen.append(tuple(given[0].shape)))
    assert model(torch.zeros(1, 3, 120, 120)).shape == (1, 43)
    assert seen == [(1, 3, 64, 64)]
