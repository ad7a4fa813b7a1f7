"""What models look at on the page: drawn where a run was asked, of its weights; else absent."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from benforge.errors import InputError
from benforge.inference.explained import FOLDER, NOTE, Base, Drop, Explanation, Importance, MapFacts
from benforge.models.checkpoint import WEIGHTS, hash_weights
from benforge.reports.explanation import (
    MOST_SEEN,
    choose_seen,
    explanation_sections,
    importance_sheet,
)
from benforge.reports.folder import read_folder
from benforge.reports.report import make_sections, write_report
from tests.reports.conftest import RESAMPLES
from tests.reports.made import DIGEST
from tests.reports.test_report import text_of

CLASSES = ("Water", "Wood", "Rock")


def drop(mean: float) -> Drop:
    return Drop(mean=mean, deviation=0.01, values=(mean - 0.01, mean + 0.01))


def importance(name: str, mean: float, *bands: str) -> Importance:
    each = (drop(mean / 2), drop(2 * mean), None)
    return Importance(
        name=name,
        bands=bands or (name,),
        f1=drop(mean),
        average_precision=drop(mean),
        per_class=each,
    )


def made_explanation(weights: str, maps: int = 3, **changes: object) -> Explanation:
    shown = [
        MapFacts(
            file=f"maps/{i}.png",
            patch_id=f"patch-{i}",
            taken="2017-06-13, Austria",
            label=CLASSES[i % 2],
            kind="wrong" if i else "right",
            score=0.75,
            true=("Water",),
            predicted=(),
            share=0.25,
            share_of_map=0.5,
        )
        for i in range(maps)
    ]
    told = Explanation(
        model="S-CNN-All",
        run="seed-1",
        weights=weights,
        archive="made-up",
        simulated=True,
        nomenclature="clc-43",
        classes=CLASSES,
        split="by-tile",
        part="test",
        split_digest=DIGEST,
        patches=20,
        patches_of_part=48,
        threshold=0.5,
        repeats=2,
        seed=1,
        grids=((64, 30, 30),),
        base=Base(f1=0.7, average_precision=0.6, per_class=(0.4, 0.8, None)),
        bands=(importance("B04", 0.2), importance("B03", 0.1)),
        groups=(importance("all bands", 0.3, "B04", "B03"),),
        maps=tuple(shown),
    )
    return msgspec.structs.replace(told, **changes)


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def give(experiment: Path, **changes: object) -> Path:
    """An explanation for S-CNN-All's first run."""
    run = next(
        one for one in read_folder(experiment).runs if one.planned.method.name == "scnn-all"
    ).planned.folder
    told = made_explanation(hash_weights(run), **changes)  # type: ignore[arg-type]
    (run / FOLDER / "maps").mkdir(parents=True)
    for n, one in enumerate(told.maps):
        picture = Image.fromarray(np.full((8, 24, 3), 40 * (n % 6), np.uint8))
        sink = io.BytesIO()
        picture.save(sink, "PNG")
        (run / FOLDER / one.file).write_bytes(sink.getvalue())
    (run / FOLDER / NOTE).write_bytes(msgspec.json.encode(told))
    return run / FOLDER


def test_no_run_was_asked(page: str, folder, results) -> None:
    assert explanation_sections(folder) == []
    assert "What the model looks at" not in page
    assert "explanation" not in [one.name for one in make_sections(folder, results)]


def test_a_run_that_was_asked_is_drawn(copy: Path, tmp_path: Path) -> None:
    give(copy)
    write_report(copy, tmp_path / "page.html", resamples=RESAMPLES)
    page = (tmp_path / "page.html").read_text()
    start = page.index('<section id="explanation">')
    section = page[start : page.index("</section>", start)]
    text = text_of(section)
    assert "S-CNN-All, simulated archive made-up, test of by-tile" in text
    assert "20 of 48 patches" in text
    assert section.count('src="data:image/png;base64,') >= 3
    assert "given, and a label, score 0.75; 50% of the map lies on the class" in text
    assert "true labels Water predicted none" in text
    assert "B04 B04 0.2000 0.0100 0.2000 0.0100 Wood 0.4000" in text
    assert '<a href="#explanation">What the model looks at</a>' in page
    assert section.count("<svg") == 2
    assert "Wood 0.800 0.400 0.200 0.600" in text
    assert "Rock" not in text


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"weights": "0" * 64}, "of other weights than the run's"),
        ({"split_digest": "1" * 64}, "of another split than the experiment's"),
        ({"format": 9}, "of format 9"),
    ],
)
def test_an_explanation_of_something_else_is_refused(copy: Path, changes, what: str) -> None:
    place = give(copy)
    told = msgspec.json.decode((place / NOTE).read_bytes()) | changes
    (place / NOTE).write_bytes(msgspec.json.encode(told))
    with pytest.raises(InputError, match=what):
        explanation_sections(read_folder(copy))


def test_an_explanation_without_its_weights_is_refused(copy: Path) -> None:
    (give(copy).parent / WEIGHTS).unlink()
    with pytest.raises(InputError, match="of other weights than the run's"):
        explanation_sections(read_folder(copy))


def test_a_picture_that_is_gone_is_named(copy: Path) -> None:
    place = give(copy)
    (place / "maps/1.png").unlink()
    with pytest.raises(InputError, match=r"its picture maps/1\.png cannot be read"):
        explanation_sections(read_folder(copy))


def test_classes_that_are_told_best_are_shown_first() -> None:
    seen = choose_seen(made_explanation("", maps=60))
    assert len(seen) == MOST_SEEN
    assert {one.label for one in seen} == {"Wood"}


def test_the_table_names_the_class_that_loses_most() -> None:
    lines = importance_sheet(made_explanation("")).lines()
    assert lines[0] == ["B04", "B04", "0.2000", "0.0100", "0.2000", "0.0100", "Wood", "0.4000"]
    assert lines[2][1] == "B04, B03"
