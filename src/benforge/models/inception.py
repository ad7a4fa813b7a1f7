"""Inception-v2 as the paper uses it: frozen ImageNet features, or the same network from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from benforge.core.contract import Normalisation
from benforge.errors import InputError
from benforge.models.bn_inception import FEATURES, BNInception, LayoutName
from benforge.models.imagenet import Weights, read_imagenet
from benforge.models.layers import classifier, initialise

Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Edge = Annotated[int, msgspec.Meta(ge=0)]

CAFFE_MEANS = (128.0, 117.0, 104.0)
"""Of red, green and blue, 0 to 255: what the Caffe port was trained to have taken off."""


class InceptionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the paper leaves open for the network that is trained from scratch.

    Args:
        layout: of which public port the network is, "caffe" or "slim".
        resize: edge that patches are brought to first, bilinear; 0 leaves them at 120.
        fc_width: features of the fully connected layer.
        batch_norm: whether batches are normalised before that layer's ReLU.
        dropout: share of that layer's features dropped, in training.
    """

    layout: LayoutName = "caffe"
    resize: Edge = 0
    fc_width: Annotated[int, msgspec.Meta(ge=1)] = 128
    batch_norm: bool = True
    dropout: Share = 0.5


class FrozenOptions(InceptionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the paper leaves open for the network with ImageNet's weights.

    Args:
        weights: file of them: .safetensors, .npz or .pth; "" leaves random ones.
        picture_low: stored number (reflectance x 10,000) that is shown as 0.
        picture_high: that is shown as 255.
    """

    weights: str = ""
    picture_low: float = 0.0
    picture_high: float = 2000.0


class Inception(nn.Module):
    """The network, one fully connected layer, one classification layer.

    Args:
        bands: number of bands.
        classes: number of classes.
        options: what the paper leaves open.
        frozen: whether the network's weights and running means stay as they are.
    """

    def __init__(
        self, bands: int, classes: int, options: InceptionOptions, *, frozen: bool
    ) -> None:
        super().__init__()
        self.frozen, self.resize = frozen, options.resize
        self.weights: Weights | None = None
        self.network = BNInception(bands, options.layout)
        initialise(self.network, "kaiming")  # first, so that one seed gives one network for all
        self.head = classifier(
            FEATURES,
            classes,
            width=options.fc_width,
            batch_norm=options.batch_norm,
            dropout=options.dropout,
        )
        initialise(self.head, "xavier")
        self.network.requires_grad_(not frozen)
        self.train()

    @property
    def weights_from(self) -> str:
        """Where weights come from that were not trained here; "" where all were drawn."""
        return str(self.weights or "")

    def features(self, bands: Tensor) -> Tensor:
        """`patch band 120 120` to the vector before the softmax, `patch 1024`."""
        if self.resize:
            size = (self.resize, self.resize)
            bands = F.interpolate(bands, size, mode="bilinear")  # patch band 224 224
        features: Tensor = self.network(bands)
        return features

    def forward(self, bands: Tensor) -> Tensor:
        """`patch band 120 120` to logits, `patch label`."""
        logits: Tensor = self.head(self.features(bands))
        return logits

    def train(self, mode: bool = True) -> Inception:
        """As ever, but a frozen network is never trained, nor are its running means."""
        super().train(mode)
        self.network.train(mode and not self.frozen)
        return self


def build_inception(bands: Sequence[str], classes: int, options: InceptionOptions) -> Inception:
    """Inception-v2, all of it to be trained."""
    return Inception(len(bands), classes, options, frozen=False)


def build_frozen_inception(bands: Sequence[str], classes: int, options: FrozenOptions) -> Inception:
    """Inception-v2 whose last two layers alone are trained.

    Raises:
        MissingError: there is no such file of weights.
        InputError: it cannot be used; other than three bands; a picture without contrast.
    """
    if len(bands) != 3:
        raise InputError(
            f"takes three bands, shown as red, green and blue, not {len(bands)}",
            where="inception-v2-frozen",
            do="Use B04, B03, B02, or inception-v2",
        )
    if not options.picture_high > options.picture_low:
        raise InputError("picture_high is not above picture_low", where="inception-v2-frozen")
    model = Inception(len(bands), classes, options, frozen=True)
    if options.weights:
        model.weights = read_imagenet(model.network, Path(options.weights))
    return model


def picture_normalisation(options: FrozenOptions) -> Normalisation:
    """From stored numbers to the picture that the ImageNet net expects.

    Numbers from `picture_low` to `picture_high` become 0 to 255. The Caffe port has a mean taken
    off, TF-Slim has 0 to 255 brought to -1 to 1. Blue, green and red change places in the weights.
    """
    low, high = options.picture_low, options.picture_high
    step = (high - low) / 255  # stored numbers a grey level
    slim = options.layout == "slim"
    means = (127.5, 127.5, 127.5) if slim else CAFFE_MEANS
    return Normalisation(
        source="imagenet",
        mean=tuple(low + mean * step for mean in means),
        std=(127.5 * step if slim else step,) * 3,
        low=low,
        high=high,
    )
