"""Where every number comes from: archive, split, recipe, versions, runs and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa

from benforge import __version__
from benforge.reports.choices import show
from benforge.reports.folder import Folder, Run
from benforge.reports.measured import Results
from benforge.reports.part import Block, Section
from benforge.reports.words import LABELS, Words
from benforge.statistics.sheet import Sheet, table_of


def provenance_section(folder: Folder, results: Results) -> Section:
    """Facts, the recipe, every run, every file."""
    words = Words(folder.experiment)
    runs = [run for run in (*folder.runs, *folder.variants) if run.lines]
    sheets = {"recipe": recipe_sheet(folder)}
    if runs:
        sheets["runs"] = runs_sheet(words, runs)
    if results.digests:
        sheets["files"] = files_sheet(words, results.digests)
    return Section("provenance", "Provenance", (), (Block(sheets=sheets),))


def facts_sheet(folder: Folder) -> Sheet:
    """What was run on what; the head of the page."""
    experiment, split = folder.experiment, folder.material.split
    facts = {
        "archive": f"{experiment.archive}, {experiment.patches:,} patches",
        **({"simulated": "yes, all of the archive or a part"} if experiment.simulated else {}),
        "split": experiment.split,
        **(_split_facts(folder) if split else {}),
        "SHA-256 of the split": experiment.split_digest,
        "labels": "; ".join(LABELS.get(labels, labels) for labels in experiment.labels),
        "methods": ", ".join(_methods(folder)),
        "seeds": ", ".join(map(str, experiment.seeds)),
        "epochs": str(experiment.recipe.epochs),
        "trainings": _trainings(folder),
        "trained with": "; ".join(_versions(folder)) or "nothing yet",
        "reported with": f"benforge {__version__}",
    }
    table = table_of({"fact": list(facts), "of_this_experiment": list(facts.values())})
    return Sheet(Words(experiment).title("What was run on what"), table)


def _split_facts(folder: Folder) -> Mapping[str, str]:
    split = folder.material.split
    if split is None:
        return {}
    told = split.split
    seed = "" if told.seed is None else f", seed {told.seed}"
    sizes = ", ".join(f"{part} {count:,}" for part, count in told.sizes.items())
    return {"made by the rule": f"{told.rule}{seed}", "patches": sizes}


def _methods(folder: Folder) -> list[str]:
    """The title of each method, once any of its runs has one."""
    titles: dict[str, str] = {}
    for run in folder.runs:
        if run.contract or run.planned.method.name not in titles:
            titles[run.planned.method.name] = run.title
    return list(titles.values())


def _trainings(folder: Folder) -> str:
    done = sum(run.file.is_file() for run in folder.runs)
    text = f"{done:,} of {len(folder.runs):,}"
    if folder.variants:
        varied = sum(run.file.is_file() for run in folder.variants)
        text += f", and {varied:,} of {len(folder.variants):,} for the sensitivity"
    return text


def _versions(folder: Folder) -> list[str]:
    """Every set of versions that trained something."""
    found = [run.contract.versions for run in (*folder.runs, *folder.variants) if run.contract]
    told = [", ".join(f"{name} {number}" for name, number in one.items()) for one in found]
    return list(dict.fromkeys(told))


def recipe_sheet(folder: Folder) -> Sheet:
    """Every value of the recipe."""
    values = msgspec.to_builtins(folder.experiment.recipe)
    table = table_of({"value": list(values), "is": [show(value) for value in values.values()]})
    note = "Of all trainings, but for what a variant changes."
    return Sheet(Words(folder.experiment).title("Recipe"), table, note)


def runs_sheet(words: Words, runs: Sequence[Run]) -> Sheet:
    """One row a training that has begun: time, speed, and the share of waiting for patches."""
    seconds = [sum(line.seconds for line in run.lines) for run in runs]
    patches = [sum(line.seconds * line.patches_per_second for line in run.lines) for run in runs]
    waited = [sum(line.seconds * line.waiting for line in run.lines) for run in runs]
    table = pa.table(
        {
            "run": [run.name for run in runs],
            "epochs": [len(run.lines) for run in runs],
            "seconds": seconds,
            "patches_per_second": [p / (s or 1) for p, s in zip(patches, seconds, strict=True)],
            "share_waiting": [w / (s or 1) for w, s in zip(waited, seconds, strict=True)],
            "weights_from": [_weights(run) for run in runs],
        }
    )
    note = (
        "Of training alone, without validation and, where features are frozen, without computing "
        "them. Waiting is for patches to be read."
    )
    decimals = {"seconds": 1, "patches_per_second": 0}
    return Sheet(words.title("Trainings"), table, note, decimals=decimals)


def _weights(run: Run) -> str:
    told = run.contract.weights if run.contract else ""
    return told or "drawn at random"


def files_sheet(words: Words, digests: Mapping[str, str]) -> Sheet:
    """One row a file of predictions."""
    table = table_of({"predictions": list(digests), "SHA-256": list(digests.values())})
    return Sheet(words.title("Files of predictions"), table)
