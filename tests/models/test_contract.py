"""Every registered model keeps the contract."""

from collections.abc import Mapping

import pytest

from benforge.models.registry import MODELS
from benforge.testing.models import ModelContract


class TestSCNNRGB(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "scnn-rgb"


class TestSCNNAll(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "scnn-all"


class TestPlainSCNN(ModelContract):
    """Only what the paper names."""

    @pytest.fixture
    def name(self) -> str:
        return "scnn-rgb"

    @pytest.fixture
    def options(self) -> Mapping[str, object]:
        return {
            "batch_norm": False,
            "dropout": 0.0,
            "conv_dropout": 0.0,
            "third_pooling": True,
            "init": "kaiming",
        }


class TestKBranch(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "kbranch"


class TestConvNeXtNative(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "convnext-native"


class TestResNet18(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "resnet18"


class TestResNet50(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "resnet50"

    @pytest.fixture
    def patches(self) -> int:
        return 2


class TestFrozenInception(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "inception-v2-frozen"


class TestInception(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return "inception-v2"

    @pytest.fixture
    def patches(self) -> int:
        return 2


def test_no_model_is_without_its_contract() -> None:
    held = [kind for kind in globals().values() if isinstance(kind, type)]
    names = {kind.name.__wrapped__(kind()) for kind in held if kind.__name__.startswith("Test")}
    assert names == set(MODELS)
