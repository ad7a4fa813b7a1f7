"""On tiles that it never saw, a trained model finds more patches alike than band statistics do."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.experiments.simulated import SPLIT, build_simulated
from benforge.recipe.load import load_recipe
from benforge.retrieval.embed import embed_archive
from benforge.retrieval.evaluate import RetrievalFigures, evaluate_search
from benforge.retrieval.index import open_index
from benforge.training.recipe import TrainRecipe, TrainRequest
from benforge.training.train import train


def figures(archive: Path, out: Path, run: Path | None) -> RetrievalFigures:
    embed_archive(archive, out, run=run, split=SPLIT, part="test")
    return evaluate_search(open_index(out), k=10)


@pytest.mark.slow
def test_a_trained_model_finds_more_than_statistics(tmp_path: Path) -> None:
    archive = build_simulated(tmp_path / "world", load_recipe(), tiles=20, patches=9)
    recipe = TrainRecipe(epochs=12, batch_size=32, precision="bf16")
    request = TrainRequest(
        model="scnn-all", split=SPLIT, labels="43", seed=1, options={}, recipe=recipe
    )
    train(archive, request, tmp_path / "run")
    by_model = figures(archive, tmp_path / "model", tmp_path / "run")
    by_statistics = figures(archive, tmp_path / "statistics", None)
    assert by_model.index["simulated"]
    assert by_model.queries == by_statistics.queries == 324
    assert by_model.precision > by_statistics.precision + 0.01
    assert by_statistics.precision > by_statistics.precision_by_chance
