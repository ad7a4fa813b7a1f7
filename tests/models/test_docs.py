"""The table of docs/models.md is what is counted."""

from pathlib import Path

import msgspec
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benforge.models.registry import MODELS, build_model
from benforge.testing.models import make_batch

PAGE = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_the_table_is_what_is_counted(name: str) -> None:
    spec = MODELS[name]
    batch = make_batch(spec, 1)
    with torch.device("meta"):
        model = build_model(name, spec.bands, 43).eval()
        there = batch.to("meta") if spec.native is False else tuple(t.to("meta") for t in batch)
    with FlopCounterMode(display=False) as counter:
        model(there)
    weights = [(w.numel(), w.requires_grad) for w in model.parameters()]
    total, trained = sum(n for n, _ in weights), sum(n for n, asked in weights if asked)
    flop = f"{counter.get_total_flops() / 1e9:.2f}"
    cells = (
        f"`{name}`",
        spec.title,
        len(spec.bands),
        spec.facts()["input"],
        f"{total:,}",
        f"{trained:,}",
        flop,
    )
    assert f"| {' | '.join(map(str, cells))} |" in PAGE


def test_every_option_is_argued() -> None:
    argued = {name for spec in MODELS.values() for name in msgspec.structs.asdict(spec.options())}
    assert not {name for name in argued if f"`{name}`" not in PAGE} - {"width"}
