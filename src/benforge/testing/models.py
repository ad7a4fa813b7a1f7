"""What every model must keep: inherit `ModelContract` and give its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import lru_cache, partial

import msgspec
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.autograd import backward

from benforge.errors import InputError
from benforge.models.port import EDGE, ModelSpec, count_bands
from benforge.models.registry import build_model, find_model, read_options

Input = Tensor | tuple[Tensor, ...]
CLASSES = 5


class ModelContract(ABC):
    """Tests of a registered model; a subclass gives the fixture `name`.

    `options` and `patches` may be given too: a few patches do, two at least.
    """

    @abstractmethod
    @pytest.fixture
    def name(self) -> str:
        """Of the model, in the registry."""

    @pytest.fixture
    def options(self) -> Mapping[str, object]:
        """Other options than the defaults."""
        return {}

    @pytest.fixture
    def patches(self) -> int:
        """How many there are in a batch."""
        return 3

    @pytest.fixture
    def spec(self, name: str) -> ModelSpec:
        """What the registry knows."""
        return find_model(name)

    @pytest.fixture
    def build(self, spec: ModelSpec, options: Mapping[str, object]) -> Callable[[int], nn.Module]:
        """Builds the model from a seed; copy it before it is changed."""
        return partial(_build, spec.name, tuple(options.items()))

    @pytest.fixture
    def model(self, build: Callable[[int], nn.Module]) -> nn.Module:
        """A fresh one, in training."""
        return deepcopy(build(0))

    @pytest.fixture
    def batch(self, spec: ModelSpec, patches: int) -> Input:
        """Normalised noise in the form that the model takes."""
        return make_batch(spec, patches)

    def test_the_registry_describes_it(self, spec: ModelSpec) -> None:
        """A line about it, bands that exist, a default for every option."""
        assert spec.title
        assert spec.about
        assert "\n" not in spec.about
        assert sum(count_bands(spec.bands).values()) == len(spec.bands)
        assert read_options(spec.name, {}) == spec.options()
        assert spec.facts()["options"] == msgspec.to_builtins(spec.options())
        assert (spec.norm == "band") == (spec.normalisation is None)
        assert not spec.reads or spec.reads in spec.options.__struct_fields__

    def test_options_survive_a_file(self, spec: ModelSpec, options: Mapping[str, object]) -> None:
        """As words of JSON, which is how a checkpoint keeps them."""
        chosen = read_options(spec.name, options)
        kept = msgspec.json.decode(msgspec.json.encode(chosen))
        assert read_options(spec.name, kept) == chosen

    def test_an_unknown_option_is_refused(self, spec: ModelSpec) -> None:
        """In one line."""
        with pytest.raises(InputError, match="no option is called 'colour'"):
            build_model(spec.name, spec.bands, CLASSES, {"colour": 1})

    def test_a_logit_a_class(self, model: nn.Module, batch: Input, patches: int) -> None:
        """`patch label`, float32, finite, both in training and after."""
        for logits in (model(batch), model.eval()(batch)):
            assert logits.shape == (patches, CLASSES)
            assert logits.dtype == torch.float32
            assert logits.isfinite().all()

    def test_two_builds_under_one_seed_are_equal(self, build: Callable[[int], nn.Module]) -> None:
        """Bit by bit."""
        first = build(0).state_dict()
        _build.cache_clear()
        second = build(0).state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)

    def test_the_gradient_reaches_every_weight(self, model: nn.Module, batch: Input) -> None:
        """Each that is to be trained; where there are rows of them, they are not all 0."""
        backward(_loss(model, batch))
        for name, weight in _trained(model):
            assert weight.grad is not None, name
            assert weight.grad.isfinite().all(), name
            assert weight.ndim == 1 or weight.grad.any(), name

    def test_an_answer_does_not_depend_on_the_other_patches(
        self, model: nn.Module, batch: Input
    ) -> None:
        """Nor on when it is asked for."""
        model.eval()
        with torch.inference_mode():
            together, again = model(batch), model(batch)
            alone = torch.cat([model(one) for one in _one_by_one(batch)])
        assert torch.equal(together, again)
        assert _near(alone, together, 1e-4)

    def test_weights_survive_safetensors(self, model: nn.Module, batch: Input) -> None:
        """The state goes into another model and gives the same answers."""
        other = deepcopy(model)
        model(batch)  # so that running means are those of patches
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(1.1)
        kept = safetensors.torch.save(model.state_dict())
        other.load_state_dict(safetensors.torch.load(kept))
        assert torch.equal(model.eval()(batch), other.eval()(batch))

    def test_the_order_in_memory_changes_nothing(self, model: nn.Module, batch: Input) -> None:
        """Neither of weights nor of patches."""
        plain = model.eval()(batch)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        assert _near(model(_channels_last(batch)), plain, 1e-3)

    def test_half_the_bits_do(self, model: nn.Module, batch: Input) -> None:
        """bfloat16, with bands last in memory: in training and after."""
        plain = model.eval()(batch)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        with torch.autocast("cpu", torch.bfloat16):
            half = model(_channels_last(batch)).float()
            backward(_loss(model.train(), _channels_last(batch)))
        assert _near(half, plain, 0.1)
        assert all(w.grad is not None and w.grad.isfinite().all() for _, w in _trained(model))

    def test_a_step_of_sgd_lowers_the_loss(self, model: nn.Module, batch: Input) -> None:
        """On the patches that it was taken for, without dropout."""
        for layer in model.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        before = _loss(model, batch)
        backward(before)
        with torch.no_grad():
            for _, weight in _trained(model):
                assert weight.grad is not None
                weight.sub_(weight.grad, alpha=1e-3)
        assert _loss(model, batch).item() < before.item()

    def test_frozen_features_stay_as_they_are(
        self, spec: ModelSpec, model: nn.Module, batch: Input, patches: int
    ) -> None:
        """A head on features gives the logits; only the head is trained."""
        if not spec.frozen_features:
            assert all(weight.requires_grad for weight in model.parameters())
            return
        features, head = model.features, model.head
        assert isinstance(head, nn.Module)
        assert {id(w) for _, w in _trained(model)} == {id(w) for w in head.parameters()}
        before = features(batch)  # type: ignore[operator]
        assert before.shape[0] == patches
        assert not before.requires_grad
        model(batch)  # in training
        assert torch.equal(features(batch), before)  # type: ignore[operator]
        model.eval()
        assert torch.equal(head(before), model(batch))


@lru_cache(maxsize=1)
def _build(name: str, options: tuple[tuple[str, object], ...], seed: int) -> nn.Module:
    """Built once for all tests of a model, which take copies: drawing weights takes longest."""
    torch.manual_seed(seed)
    return build_model(name, find_model(name).bands, CLASSES, dict(options))


def make_batch(spec: ModelSpec, patches: int, seed: int = 0) -> Input:
    """Normalised noise: `patch band 120 120`, or one tensor a pixel size for a native model."""
    random = torch.Generator().manual_seed(seed)
    if not spec.native:
        return torch.randn(patches, len(spec.bands), EDGE, EDGE, generator=random)
    return tuple(
        torch.randn(patches, count, EDGE * 10 // size, EDGE * 10 // size, generator=random)
        for size, count in count_bands(spec.bands).items()
    )


def _loss(model: nn.Module, batch: Input) -> Tensor:
    logits = model(batch).float()
    targets = torch.arange(logits.numel()).remainder(3).eq(0).float().view_as(logits)
    return F.binary_cross_entropy_with_logits(logits, targets)


def _trained(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, w) for name, w in model.named_parameters() if w.requires_grad]


def _one_by_one(batch: Input) -> Iterator[Input]:
    tensors = (batch,) if isinstance(batch, Tensor) else batch
    for at in range(len(tensors[0])):
        one = tuple(tensor[at : at + 1] for tensor in tensors)
        yield one[0] if isinstance(batch, Tensor) else one


def _channels_last(batch: Input) -> Input:
    if isinstance(batch, Tensor):
        return batch.contiguous(memory_format=torch.channels_last)
    return tuple(t.contiguous(memory_format=torch.channels_last) for t in batch)


def _near(one: Tensor, other: Tensor, share: float) -> bool:
    """Whether logits differ by less than a share of the largest."""
    return bool((one - other).abs().max() <= share * other.abs().max())
