"""`make bench`: every benchmark at full size, into `benchmarks/RESULTS.md`."""

from pathlib import Path

from benchmarks import (
    build,
    correction,
    index,
    labels,
    layouts,
    mapping,
    object_storage,
    page,
    reads,
    screening,
    search,
    training,
    viewer,
)
from benchmarks.measure import machine

INTRODUCTION = """# Results

Written by `make bench` on {machine}. Figures are ratios: whoever is compared ran in the same run,
medians of interleaved rounds where a round takes seconds. Seconds and rates are of this machine.

"""


def main() -> None:
    """Run all, then write the page."""
    sections = [
        f"## {title}\n\n{report()}"
        for title, report in (
            ("Build", build.report),
            ("Atmospheric correction", correction.report),
            ("Land-cover shares", labels.report),
            ("Reading patches", reads.report),
            ("Object storage", object_storage.report),
            ("Published layout v1", layouts.report),
            ("The index of 590,326 patches", index.report),
            ("Screening", screening.report),
            ("Training", training.report),
            ("Maps", mapping.report),
            ("Search", search.report),
            ("The viewer's server", viewer.report),
            ("The viewer's page", page.report),
        )
    ]
    text = INTRODUCTION.format(machine=machine()) + "\n".join(sections)
    path = Path(__file__).parent / "RESULTS.md"
    path.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
