"""The port of a model: what the registry knows of it before it is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from torch import nn

from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.errors import InputError

EDGE = 120
"""Edge of a patch at 10 m, pixels."""

RGB = ("B04", "B03", "B02")
ALL = tuple(band.name for band in load_sensor().patch_bands)

Build = Callable[[Sequence[str], int, Any], nn.Module]
"""Band names, number of classes, options (of the model's own class): the model."""


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that leaves nothing open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model of the registry. Logits come out, `patch label`; no sigmoid is inside.

    Args:
        name: in the registry, "scnn-all".
        title: in tables and reports, "S-CNN-All".
        about: one line.
        bands: those it is meant for, in order; it can be built for others.
        build: makes it, with random weights unless an option names others.
        options: class of its options; each has a default.
        native: False: it takes one float tensor `patch band 120 120`, normalised and brought to
            10 m. True: it takes a tuple, one tensor a pixel size, finest first: `patch 4 120 120`,
            `patch 6 60 60` and `patch 2 20 20` for all bands.
        frozen_features: whether it has `features(x)`, `patch feature`, whose weights are frozen,
            and a `head` that is trained on them.
        norm: "band": mean 0 and standard deviation 1 in each band. "imagenet-rgb": the picture
            that an ImageNet net expects; `normalisation` says which.
        normalisation: of the options, where norm is not "band".
        reads: name of the option that has weights read which were trained elsewhere; "" for none.
    """

    name: str
    title: str
    about: str
    bands: tuple[str, ...]
    build: Build
    options: type[msgspec.Struct] = NoOptions
    native: bool = False
    frozen_features: bool = False
    norm: Literal["band", "imagenet-rgb"] = "band"
    normalisation: Callable[[Any], Normalisation] | None = None
    reads: str = ""

    def facts(self) -> dict[str, Any]:
        """What a person may want to know before training it."""
        return {
            "title": self.title,
            "about": self.about,
            "bands": list(self.bands),
            "input": "native" if self.native else "10 m" if self.norm == "band" else "picture",
            "options": msgspec.to_builtins(self.options()),
        }


def count_bands(bands: Sequence[str]) -> dict[int, int]:
    """Pixel size, m, finest first, to the number of bands of that size.

    Raises:
        InputError: no band, a band twice, or a band that no archive keeps.
    """
    sensor, count = load_sensor(), dict.fromkeys(load_sensor().pixel_sizes, 0)
    if not bands or len(set(bands)) < len(bands):
        raise InputError("no bands, or one twice", where=", ".join(bands) or "bands")
    for name in bands:
        band = sensor.band(name)
        if not band.in_patches:
            raise InputError(f"archives keep no band {name}", do=f"They keep {', '.join(ALL)}")
        count[band.pixel_size] += 1
    return {size: number for size, number in count.items() if number}
