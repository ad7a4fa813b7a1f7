"""Models are found by name, their options are strict, and titles say whose the weights are."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benforge.errors import InputError, MissingError
from benforge.models.port import ALL, RGB
from benforge.models.registry import (
    MODELS,
    build_model,
    find_model,
    read_options,
    title_of,
    wanted_normalisation,
    weights_of,
)
from benforge.models.scnn import SCNNOptions


def test_models_are_listed_by_their_own_names() -> None:
    assert all(spec.name == name for name, spec in MODELS.items())
    assert len({spec.title for spec in MODELS.values()}) == len(MODELS)
    assert " ".join(ALL) == "B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B11 B12"


def test_the_nearest_model_and_option_are_named() -> None:
    with pytest.raises(InputError, match=r"no model is called 'resnet-50'.*'resnet50'"):
        find_model("resnet-50")
    with pytest.raises(InputError, match=r"scnn-all: no option is called 'fc_with'.*'fc_width'"):
        read_options("scnn-all", {"fc_with": 3})
    with pytest.raises(InputError, match=r"no option is called 'depth'. It has no options"):
        read_options("resnet18", {"depth": 3})


@pytest.mark.parametrize(
    "options", [{"dropout": 1.0}, {"fc_width": 0}, {"init": "zeros"}, {"batch_norm": "perhaps"}]
)
def test_impossible_values_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="scnn-rgb"):
        read_options("scnn-rgb", options)


def test_options_may_be_text() -> None:
    words = {"fc_width": "64", "batch_norm": "false", "dropout": "0.1"}
    assert read_options("scnn-rgb", words) == SCNNOptions(
        fc_width=64, batch_norm=False, dropout=0.1
    )


@pytest.mark.parametrize("bands", [(), ("B04", "B04"), ("B10",), ("B99",)])
def test_impossible_bands_are_refused(bands: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        build_model("scnn-rgb", bands, 43)


def test_no_classes_are_refused() -> None:
    with pytest.raises(InputError, match="0 classes"):
        build_model("scnn-rgb", RGB, 0)


def test_titles_name_random_weights_where_they_would_surprise() -> None:
    with torch.device("meta"):
        models = {name: build_model(name, spec.bands, 43) for name, spec in MODELS.items()}
    titles = {name: title_of(name, model) for name, model in models.items()}
    assert titles["scnn-all"] == "S-CNN-All"
    assert titles["inception-v2"] == "Inception-v2 from scratch"
    assert titles["inception-v2-frozen"] == "Inception-v2 (random weights)"
    assert not any(map(weights_of, models.values()))


def test_only_the_imagenet_net_wants_a_picture() -> None:
    wanting = [name for name in MODELS if wanted_normalisation(name, {})]
    assert wanting == ["inception-v2-frozen"]


def test_timm_builds_what_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in: timm cannot be installed beside this torch without torchvision."""
    asked: dict[str, object] = {}

    def create_model(name: str, **words: object) -> nn.Module:
        if name != "vit_tiny":
            raise RuntimeError(f"Unknown model ({name})")
        asked.update(words)
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 120 * 120, 43))

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    model = build_model("timm:vit_tiny", RGB, 43, {"dropout": 0.1, "pretrained": True})
    assert model(torch.zeros(1, 3, 120, 120)).shape == (1, 43)
    assert asked == {"pretrained": True, "in_chans": 3, "num_classes": 43, "drop_rate": 0.1}
    assert title_of("timm:vit_tiny", model) == "vit_tiny (timm)"
    assert weights_of(model) == "timm's own for vit_tiny"
    model = build_model("timm:vit_tiny", RGB, 43, {"pretrained": True}, read_weights=False)
    assert weights_of(model) == ""
    assert asked["pretrained"] is False
    with pytest.raises(InputError, match=r"timm:vit: timm cannot build it, Unknown model \(vit\)"):
        build_model("timm:vit", RGB, 43)


def test_without_timm_it_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingError, match=r"timm:vit: timm is not installed.*Install timm"):
        build_model("timm:vit", RGB, 43)
    with pytest.raises(InputError, match="no model is called 'timm:'"):
        find_model("timm:")
