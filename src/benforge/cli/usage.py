"""Wrong usage that the command line alone shows: it exits 2, before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benforge.archive.layout import SPLITS
from benforge.archive.sidecars import sidecar_path
from benforge.core.nomenclature import load_crosswalk
from benforge.errors import InputError, MissingError

if TYPE_CHECKING:
    from benforge.pipeline.tiles import TilesRequest
    from benforge.splits.request import SplitRequest


def check_one_source(archive: Path | None, metadata: Path | None) -> None:
    """Raise unless one of the two is named.

    Raises:
        BadParameter: neither is, or both are.
    """
    if (archive is None) == (metadata is None):
        raise typer.BadParameter(
            "name an ARCHIVE, or the published lists with --metadata, and only one of them"
        )


def check_split(archive: Path | None, metadata: Path | None, request: SplitRequest) -> None:
    """Raise where the options of `ben split` do not fit together, or name what there is not.

    Raises:
        BadParameter: says what to leave out, to add or to name instead.
    """
    from benforge.splits.make import load_rule
    from benforge.splits.published import named_edition

    check_one_source(archive, metadata)
    if metadata and not request.leakage:
        raise typer.BadParameter("the lists in --metadata are only looked at: ask for --leakage")
    if request.rule == "published" and not metadata and not request.lists:
        raise typer.BadParameter("--rule published needs the folder of the lists: --lists DIR")
    if metadata and request.name and not named_edition(request.name):
        raise typer.BadParameter("of the lists in --metadata, --name names a split: v1 or v2")
    try:
        if request.rule:
            load_rule(request.rule)
        if request.labelled and request.labelled != "none":
            load_crosswalk(request.labelled)
        if request.name:
            sidecar_path(Path(), SPLITS, request.name)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    for option, reason in _split_options_in_vain(metadata, request):
        raise typer.BadParameter(f"{option} {reason}; leave it out")


def _split_options_in_vain(
    metadata: Path | None, request: SplitRequest
) -> Iterator[tuple[str, str]]:
    """Options that were given and would be ignored, and why."""
    from benforge.splits.make import RULES

    rule = RULES.get(request.rule or "")
    made = {
        "--seed": request.seed is not None,
        "--flags": bool(request.flags),
        "--labelled": request.labelled is not None,
        "--lists": request.lists is not None,
    }
    given = [option for option, told in made.items() if told]
    if metadata:
        made_of_lists = ["--rule"] if rule else given
        yield from ((option, "does not go with --metadata") for option in made_of_lists)
    elif rule is None:
        yield from ((option, "is for a split that --rule makes") for option in given)
        if request.name and not request.leakage:
            yield "--name", "needs --rule, to make a split, or --leakage, to look at one"
    else:
        if made["--flags"] and not rule.respects_flags:
            yield "--flags", f"means nothing to --rule {request.rule}: its lists stand as they are"
        if made["--lists"] and request.rule != "published":
            yield "--lists", "is for --rule published"
    if request.out and not request.leakage:
        yield "--out", "is for the report of --leakage"


def check_stats(
    archive: Path | None,
    metadata: Path | None,
    pixels: bool | None,
    workers: Mapping[str, object],
) -> None:
    """Raise where the options of `ben stats` do not fit together.

    Raises:
        BadParameter: says what to leave out or to name.
    """
    check_one_source(archive, metadata)
    counting = next((option for option, told in workers.items() if told is not None), "")
    if metadata and (pixels or counting):
        option = "--pixels" if pixels else counting
        raise typer.BadParameter(f"{option} does not go with --metadata: lists have no pixels")
    if pixels is False and counting:
        raise typer.BadParameter(f"{counting} counts pixels; leave out {counting} or --no-pixels")


def check_build(
    products: Sequence[Path] | None,
    source: str,
    land_cover: Path,
    with_source: Mapping[str, object],
) -> None:
    """Raise unless products are named, or a selection of them, and only one of the two.

    Args:
        products: paths.
        source: what --from says.
        land_cover: the map.
        with_source: options that go with --from alone, and what they say.

    Raises:
        BadParameter: says what to name or to leave out.
        MissingError: a selection is to be fetched, and the map is not there to build from.
    """
    if bool(products) == bool(source):
        raise typer.BadParameter("name products, or a selection with --from, and only one of them")
    for option, told in with_source.items():
        if told not in {None, ""} and not source:
            raise typer.BadParameter(f"{option} goes with --from")
    check_processor(with_source.get("--processor"), with_source)
    if source and not land_cover.exists():
        raise MissingError("there is no such land-cover map", where=land_cover)


def check_processor(processor: object, asked: Mapping[str, object]) -> None:
    """Raise where an option is for another processor than the one that is named.

    Args:
        processor: what --processor says; None where it is left out.
        asked: options, and what they say.

    Raises:
        BadParameter: names the option.
    """
    chosen = processor or ("sen2cor" if asked.get("--sen2cor") else None)
    for option, of in _OF_PROCESSOR.items():
        if asked.get(option) is not None and chosen not in {None, of}:
            raise typer.BadParameter(f"{option} means nothing to --processor {chosen}")


_OF_PROCESSOR = {
    "--sen2cor": "sen2cor",
    "--patience": "sen2cor",
    "--longest": "sen2cor",
    "--elevation": "sixs",
}


def check_tiles(request: TilesRequest) -> None:
    """Raise where the options of `ben tiles` do not fit together.

    Raises:
        BadParameter: says what to name or to leave out.
    """
    if request.catalogue and request.api:
        raise typer.BadParameter("choose from --catalogue or from --api, only one of them")
    if not (request.selection or request.catalogue or request.api):
        raise typer.BadParameter("name a --selection, or choose from a --catalogue or an --api")
    if request.selection and not (request.catalogue or request.api):
        asked = {
            "--countries": request.countries,
            "--tiles": request.tiles,
            "--area": request.area,
            "--period": request.period,
            "--cloud": request.cloud is not None,
            "--baseline": request.baselines,
            "--most": request.most is not None,
            "--mix-baselines": request.mix_baselines,
            "--level L2A": request.level == "L2A",
        }
        for option in (name for name, told in asked.items() if told):
            raise typer.BadParameter(
                f"{option} chooses from a --catalogue or an --api, and there is none"
            )


def check_outs(words: Sequence[str]) -> None:
    """Raise where a command would write to object storage: only copies are whole there or not.

    Args:
        words: of the command line.

    Raises:
        BadParameter: says how to write there.
    """
    for option, word in pairwise(("", *words)):
        joined = word.partition("=")[2] if word.startswith(("--out=", "-o=")) else ""
        if (joined or (word if option in ("--out", "-o") else "")).startswith("s3://"):
            raise typer.BadParameter(
                "--out is a folder of this machine; write there, then: ben copy FOLDER s3://..."
            )


def check_places(places: Sequence[Path], *, statistics: bool) -> tuple[Path | None, Path]:
    """The run, None with --statistics, and the archive that `ben embed` is given.

    Raises:
        BadParameter: one of them is missing, or one is too many.
    """
    if statistics and len(places) == 1:
        return None, places[0]
    if not statistics and len(places) == 2:
        return places[0], places[1]
    wanted = "--statistics takes the ARCHIVE alone" if statistics else "name RUN and ARCHIVE"
    raise typer.BadParameter(f"{wanted}, not {len(places)} folders")


def check_search(
    patch: str,
    image: Path | None,
    labels: Sequence[str] | None,
    pictures: Path | None,
    archive: Path | None,
    *,
    evaluate: bool,
    other_tiles: bool,
) -> None:
    """Raise where the options of `ben search` do not fit together.

    Raises:
        BadParameter: says what to name or to leave out.
    """
    if bool(patch) + bool(image) + bool(labels) + evaluate != 1:
        raise typer.BadParameter("name one of --patch, --image, --label and --evaluate")
    if other_tiles and not (patch or evaluate):
        raise typer.BadParameter("--other-tiles goes with --patch and --evaluate")
    if evaluate and pictures:
        raise typer.BadParameter("--pictures shows one query; leave it out with --evaluate")
    if bool(pictures) != bool(archive):
        raise typer.BadParameter("--pictures FILE and --archive DIR go together")
    if pictures and pictures.suffix.lower() not in (".html", ".png"):
        raise typer.BadParameter("--pictures ends in .html or .png")
