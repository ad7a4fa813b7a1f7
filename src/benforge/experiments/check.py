"""Whether all that an experiment will ask for can be had, before anything is written."""

from __future__ import annotations

from pathlib import Path

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.split import PARTS
from benforge.experiments.plan import PREDICTIONS, Experiment, plan_runs
from benforge.loading.devices import find_device
from benforge.loading.parts import find_parts
from benforge.loading.targets import load_targets
from benforge.models.registry import build_model, find_model


def check_experiment(archive: Path, experiment: Experiment, out: Path, device: str = "") -> None:
    """Raise where a training of an experiment would be refused; nothing is written.

    Args:
        archive: its folder.
        experiment: as planned.
        out: folder of the experiment; runs that have predictions there ask for nothing more.
        device: "cpu" or "cuda"; the GPU where there is one if empty.

    Raises:
        InputError: no such device, labels, model or option; a part of the split without patches;
            weights that cannot be used.
        MissingError: no such archive, split or file of weights.
        RecipeError: a method with an impossible recipe.
    """
    find_device(device)
    opened = Archive.open(archive)
    find_parts(opened, read_split(opened.root, experiment.split), PARTS)
    classes = {
        labels: len(load_targets(opened, labels).nomenclature) for labels in experiment.labels
    }
    built = []
    for run in plan_runs(out, experiment):
        request = run.request(experiment)
        model = request.model, classes[run.labels], request.options
        if model not in built and not (run.folder / PREDICTIONS).is_file():
            build_model(model[0], find_model(model[0]).bands, *model[1:])
            built.append(model)
