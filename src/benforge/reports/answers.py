"""Table 3: patches, what is true of them and what each method says."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from benforge.experiments.material import Example
from benforge.reports.folder import Folder
from benforge.reports.measured import Answer, Results
from benforge.reports.part import Block, Card, Said, Section
from benforge.reports.words import Words, counted

_ABOUT = (
    "Test patches in true colour; of each by itself, the 2nd percentile is black and the 98th "
    "white. They were chosen without chance: half of those that the last method got wholly right, "
    "where there are enough, half of the others, and in each half as many classes as possible. So "
    "their mix says nothing of how often a method is right. ✓ is right, ✗ is wrong, and what was "
    "not given is named as missed."
)


def table_3_section(folder: Folder, results: Results) -> Section:
    """The patches to show, of the first set of labels and the first seed."""
    examples = folder.material.examples
    labels = results.labels[0]
    if not examples or not labels.answers:
        words = ("No patches to show yet: ben experiment keeps them when it has ended.",)
        return Section("table-3", "Table 3: patches and answers", words, ())
    title = Words(folder.experiment).title("Table 3", labels.labels)
    cards = tuple(_cards(examples, labels.answers))
    seed = labels.methods[0].seeds[0]
    caption = f"{title}, {counted(len(cards), 'patch', 'patches')}, seed {seed}"
    block = Block(cards=cards, caption=caption)
    return Section("table-3", "Table 3: patches and answers", (_ABOUT,), (block,))


def _cards(examples: Sequence[Example], answers: Sequence[Answer]) -> list[Card]:
    found = {answer.patch_id: answer for answer in answers}
    return [
        Card(
            patch_id=example.patch_id,
            taken=example.taken,
            picture=f"data:image/png;base64,{base64.b64encode(example.picture).decode()}",
            true=answer.true,
            said=[_said(answer, method, names) for method, names in answer.said.items()],
        )
        for example in examples
        if (answer := found.get(example.patch_id))
    ]


def _said(answer: Answer, method: str, names: Sequence[str]) -> Said:
    return Said(
        method=method,
        right=[name for name in names if name in answer.true],
        wrong=[name for name in names if name not in answer.true],
        missing=[name for name in answer.true if name not in names],
    )
