"""The models, by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from torch import nn

from benforge.core.contract import Normalisation
from benforge.core.outside import is_outside, load_outside
from benforge.errors import InputError
from benforge.models.convnext import ConvNeXtOptions, build_convnext
from benforge.models.inception import (
    FrozenOptions,
    Inception,
    InceptionOptions,
    build_frozen_inception,
    build_inception,
    picture_normalisation,
)
from benforge.models.kbranch import KBranchOptions, build_kbranch
from benforge.models.port import ALL, RGB, ModelSpec, count_bands
from benforge.models.resnet import build_resnet18, build_resnet50
from benforge.models.scnn import SCNNOptions, build_scnn
from benforge.models.timm import PREFIX, timm_spec

_SPECS = (
    ModelSpec(
        name="scnn-rgb",
        title="S-CNN-RGB",
        about="the paper's shallow network, on red, green and blue",
        bands=RGB,
        build=build_scnn,
        options=SCNNOptions,
    ),
    ModelSpec(
        name="scnn-all",
        title="S-CNN-All",
        about="the paper's shallow network, on all bands",
        bands=ALL,
        build=build_scnn,
        options=SCNNOptions,
    ),
    ModelSpec(
        name="inception-v2-frozen",
        title="Inception-v2",
        about="the paper's comparison: ImageNet's features, two layers trained on them",
        bands=RGB,
        build=build_frozen_inception,
        options=FrozenOptions,
        frozen_features=True,
        norm="imagenet-rgb",
        normalisation=picture_normalisation,
        reads="weights",
    ),
    ModelSpec(
        name="inception-v2",
        title="Inception-v2 from scratch",
        about="the same network, all of it trained",
        bands=RGB,
        build=build_inception,
        options=InceptionOptions,
    ),
    ModelSpec(
        name="kbranch",
        title="K-Branch CNN",
        about="the authors' later network: a branch for each pixel size",
        bands=ALL,
        build=build_kbranch,
        options=KBranchOptions,
        native=True,
    ),
    ModelSpec(
        name="resnet18",
        title="ResNet-18",
        about="residual network with 18 layers",
        bands=ALL,
        build=build_resnet18,
    ),
    ModelSpec(
        name="resnet50",
        title="ResNet-50",
        about="residual network with 50 layers",
        bands=ALL,
        build=build_resnet50,
    ),
    ModelSpec(
        name="convnext-native",
        title="ConvNeXt-native",
        about="small modern network that joins bands at their own pixel sizes",
        bands=ALL,
        build=build_convnext,
        options=ConvNeXtOptions,
        native=True,
    ),
)

MODELS: Mapping[str, ModelSpec] = {spec.name: spec for spec in _SPECS}


def find_model(name: str) -> ModelSpec:
    """The model of this name; `timm:NAME` is any network of timm, `module:NAME` one of yours.

    Raises:
        InputError: there is none; names the nearest that is known.
        MissingError: there is no such module.
    """
    if name.startswith(PREFIX) and len(name) > len(PREFIX):
        return timm_spec(name)
    if is_outside(name):
        return replace(load_outside(name, ModelSpec), name=name)
    if name not in MODELS:
        raise InputError(f"no model is called {name!r}", do=_nearest(name, MODELS))
    return MODELS[name]


def read_options(name: str, options: Mapping[str, object]) -> msgspec.Struct:
    """A model's options, as its builder takes them.

    Raises:
        InputError: an unknown model or option, or a value of the wrong kind or range.
    """
    spec = find_model(name)
    known = spec.options.__struct_fields__
    for option in options:
        if option not in known:
            do = _nearest(option, known) if known else "It has no options"
            raise InputError(f"no option is called {option!r}", where=name, do=do)
    try:
        return msgspec.convert(dict(options), spec.options, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(str(error), where=name) from error


def all_options(name: str, options: Mapping[str, object]) -> dict[str, Any]:
    """A model's options, those that were not named at their defaults, as JSON can hold them.

    Raises:
        InputError: as `read_options`.
    """
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(read_options(name, options)))
    return found


def build_model(
    name: str,
    bands: Sequence[str],
    classes: int,
    options: Mapping[str, object] | None = None,
    *,
    read_weights: bool = True,
) -> nn.Module:
    """A model with random weights, the same for the same `torch.manual_seed`.

    Args:
        name: in the registry, `timm:NAME` or `module:NAME`.
        bands: names, in the order of the tensors that it will be given; those of Sentinel-2,
            except of a user's model, which may be for another sensor.
        classes: number of classes.
        options: by name; the others have their defaults.
        read_weights: whether weights that an option names are read; a checkpoint has its own.

    Raises:
        InputError: an unknown model, option or band, or an impossible value.
        MissingError: a file or library that an option names is not there.
    """
    spec, chosen = find_model(name), read_options(name, options or {})
    if not is_outside(name):
        count_bands(bands)
    if classes < 1:
        raise InputError(f"{classes} classes", where=name, do="Name at least one")
    if spec.reads and not read_weights:
        chosen = msgspec.structs.replace(
            chosen, **{spec.reads: getattr(spec.options(), spec.reads)}
        )
    return spec.build(bands, classes, chosen)


def wanted_normalisation(name: str, options: Mapping[str, object]) -> Normalisation | None:
    """The normalisation a model was made for; None where the training patches' own will do.

    Raises:
        InputError: an unknown model or option.
    """
    spec = find_model(name)
    return spec.normalisation(read_options(name, options)) if spec.normalisation else None


def title_of(name: str, model: nn.Module) -> str:
    """A model's name for tables; says so where its ImageNet weights are random or unverified."""
    title = find_model(name).title
    if not (isinstance(model, Inception) and model.frozen):
        return title
    if model.weights is None:
        return f"{title} (random weights)"
    return title if model.weights.known else f"{title} (unverified weights)"


def weights_of(model: nn.Module) -> str:
    """Where a model's weights come from that were not trained here; "" where all were drawn."""
    return str(getattr(model, "weights_from", ""))


def _nearest(name: str, known: Iterable[str]) -> str:
    (nearest,) = difflib.get_close_matches(name, list(known), n=1, cutoff=0)
    return f"The nearest that is known: {nearest!r}"
