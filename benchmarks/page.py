"""`python -m benchmarks.page`: RESULTS.md and its plots, from `results/*.json` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.charts import draw
from benchmarks.record import RESULTS, Record, read
from benchmarks.registry import FOLDER, in_order, names, title
from benchmarks.tables import parse_tables
from benchmarks.wanted import Answer, answers

PAGE = "RESULTS.md"
QUIET = 0.15
"""Cores that others may use while a machine is called quiet."""
INTRODUCTION = """# Results

Made by `python -m benchmarks.page` from the records in `benchmarks/results`; `make bench` measures
all of them anew, `python -m benchmarks NAME` one. Every figure is held against a floor or a peer
that ran in the same run, in turns, so ratios count and seconds are of one machine. In the plots
benforge is blue, peers are orange, floors grey.

"""


def write(folder: Path = FOLDER, results: Path = RESULTS) -> Path:
    """Write the page into `folder` and the plots beside the records; old plots go."""
    records = read(results)
    for old in results.glob("*.svg"):
        old.unlink()
    known = in_order({*names(), *records})
    sections = [_section(name, records.get(name), results, folder) for name in known]
    path = folder / PAGE
    path.write_text(INTRODUCTION + _summary(records) + "\n".join(sections), encoding="utf-8")
    return path


def _summary(records: Mapping[str, Record]) -> str:
    lines = [
        "## Asked for, and reached\n",
        "| figure | wanted | got | | measured |",
        "| --- | --- | --- | --- | --- |",
        *(_answer(answer) for answer in answers(records)),
    ]
    return "\n".join(lines) + "\n\n"


def _answer(answer: Answer) -> str:
    wanted, record = answer.wanted, answer.record
    sign = "at least" if wanted.at_least else "at most"
    got = "" if answer.got is None else f"{_number(answer.got)} {wanted.unit}"
    when = ""
    if record is not None:
        when = f"{record.measured}, {circumstances(record)}"
    limit = f"{sign} {wanted.limit:g} {wanted.unit}"
    return f"| {wanted.what} | {limit} | {got} | {answer.verdict} | {when} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def circumstances(record: Record) -> str:
    """Whether others worked on the machine meanwhile."""
    if record.others is None:
        return "load not known"
    quiet = "quiet" if record.others <= QUIET else "busy"
    return f"{quiet} machine"


def _section(name: str, record: Record | None, results: Path, folder: Path) -> str:
    head = f"## {title(name)}\n\n"
    if record is None:
        return head + "Unmeasured.\n"
    return head + "\n\n".join([*_told(record), _with_plots(record, results, folder)])


def _told(record: Record) -> Iterator[str]:
    """When and how it was measured."""
    took = "" if record.seconds is None else f", in {record.seconds:,.0f} s"
    told = [f"Measured on {record.measured}{took}, size {record.size}, on {record.machine}."]
    if record.others is not None:
        told.append(
            f"The load before was {record.load:.1f}; others kept {record.others:.1f} cores busy "
            f"meanwhile: a {circumstances(record)}."
        )
    if record.versions:
        told.append(", ".join(f"{name} {v}" for name, v in record.versions.items()) + ".")
    yield " ".join(told)
    if record.note:
        yield record.note


def _with_plots(record: Record, results: Path, folder: Path) -> str:
    """The tables and notes, and the plots below."""
    number, links = 0, []
    for table in parse_tables(record.markdown):
        for svg in draw(table):
            number += 1
            path = results / f"{record.name}-{number}.svg"
            path.write_bytes(svg)
            links.append(f"![{table.title}]({path.relative_to(folder).as_posix()})")
    return "\n\n".join([record.markdown.rstrip(), *links]) + "\n"


if __name__ == "__main__":
    print(write())
