"""The verbs of whole experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, DeviceOption, JsonOption
from benforge.cli.terminal import print_facts, print_json, showing_progress

experiments = typer.Typer(
    no_args_is_help=True, help="Whole experiments: many trainings, resumed, then `ben report`."
)
app.add_typer(experiments, name="experiment")

FolderOption = Annotated[Path, typer.Option("--out", "-o", help="Folder of the experiment.")]
LabelsOption = Annotated[
    str, typer.Option(help="Sets of classes to learn, with commas: 43,level2,level1,19.")
]
SeedsOption = Annotated[int, typer.Option(min=1, help="Trainings of each method.")]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Of each training.")]
ChangesOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Another choice of all trainings, as train.key=value."),
]
SensitivityOption = Annotated[
    bool,
    typer.Option(
        "--sensitivity",
        help="Train S-CNN-All again with each choice that the paper leaves open, too.",
    ),
]
ALL_LABELS = "43,level2,level1,19"


@experiments.command()
def paper(
    archive: ArchiveArgument,
    out: FolderOption,
    split: Annotated[
        str, typer.Option(help="Split of the archive; the paper's is made with ben split.")
    ] = "paper-random",
    labels: LabelsOption = ALL_LABELS,
    seeds: SeedsOption = 3,
    epochs: EpochsOption = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="ImageNet weights of Inception-v2; random ones, and said so, if none."),
    ] = None,
    changes: ChangesOption = None,
    sensitivity: SensitivityOption = False,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Train Inception-v2, S-CNN-RGB and S-CNN-All on an archive, as the paper does.

    Interrupt it when you like: the same command goes on where it stopped. `ben report` writes
    the page.

    `ben experiment paper archive --split paper-random --out experiment`
    """
    from benforge.experiments.paper import plan_paper, run_experiment
    from benforge.experiments.plan import plan_variants
    from benforge.recipe.train import recipe_from_words

    recipe = recipe_from_words(epochs, changes or [])
    plan = plan_paper(
        archive,
        split,
        labels=labels.split(","),
        seeds=seeds,
        recipe=recipe,
        weights=weights,
        variants=plan_variants(recipe) if sensitivity else (),
    )
    with showing_progress("Experiment") as progress:
        summary = run_experiment(archive, plan, out, device=device, progress=progress)
    facts = msgspec.to_builtins(summary)
    print_json(facts) if json else print_facts(f"Ran {out}", facts)


@experiments.command()
def simulated(
    out: FolderOption,
    tiles: Annotated[int, typer.Option(min=5, max=56, help="Simulated tiles.")] = 56,
    labels: LabelsOption = ALL_LABELS,
    seeds: SeedsOption = 1,
    epochs: EpochsOption = None,
    changes: ChangesOption = None,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Simulate an archive of 56 tiles, split it by tile, and run the paper's experiment on it.

    Nothing but this command is needed; it took 45 minutes on two cores, and goes on where it
    was stopped. All that comes out says that it is simulated.

    `ben experiment simulated --out simulated`
    """
    from benforge.experiments.paper import plan_paper, run_experiment
    from benforge.experiments.plan import parse_labels
    from benforge.experiments.simulated import SPLIT, build_simulated
    from benforge.loading.devices import find_device
    from benforge.loading.targets import LABELS
    from benforge.recipe.load import load_recipe
    from benforge.recipe.train import recipe_from_words, simulated_recipe

    find_device(device)
    sets = parse_labels(labels.split(","), LABELS)
    recipe = recipe_from_words(epochs, changes or [], simulated_recipe())
    with showing_progress("Experiment") as progress:
        archive = build_simulated(out, load_recipe(), tiles=tiles, progress=progress)
        plan = plan_paper(archive, SPLIT, labels=sets, seeds=seeds, recipe=recipe)
        summary = run_experiment(
            archive, plan, out / "experiment", device=device, progress=progress
        )
    facts = msgspec.to_builtins(summary)
    print_json(facts) if json else print_facts(f"Ran {summary.folder}", facts)
