"""The tables of `ben stats`: a name and a function each; add one here and it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import Nomenclature
from benforge.core.sensor import load_sensor
from benforge.labels.hot import Hot, hot_through, labels_hot, level_3_hot, way_to
from benforge.published.lists import file_name
from benforge.statistics.bands import band_sheet
from benforge.statistics.classes import (
    count_classes,
    count_partners,
    count_published,
    count_together,
)
from benforge.statistics.counts import (
    count_countries,
    count_dates,
    count_footprints,
    count_labels,
    count_seasons,
    count_tiles,
    has_some,
    labels_per_patch,
)
from benforge.statistics.described import Countries, Described
from benforge.statistics.examples import example_sheet
from benforge.statistics.paper import load_archives
from benforge.statistics.sheet import Sheet, table_of

MakeSheet = Callable[[Described], Sheet | None]
"""None where what is described cannot tell."""
PUBLISHED_CLASSES = "classes-published"
"""The one table that tells nothing of what is described."""


def facts_sheet(described: Described) -> Sheet:
    """The archive in a few numbers, beside those of BigEarthNet v1."""
    rows, labels = described.rows, labels_per_patch(described.rows)
    days = pc.min_max(rows["sensing_time"]).as_py()
    text = {
        "patches": f"{len(rows):,}",
        "products": f"{pc.count_distinct(rows['product'].cast(pa.string())).as_py():,}",
        "tiles": f"{pc.count_distinct(rows['tile'].cast(pa.string())).as_py():,}",
        "footprints": f"{len(count_footprints(rows)):,}",
        "first day": str(days["min"].date()),
        "last day": str(days["max"].date()),
        "labelled patches": f"{len(labels):,}",
        "patches without labels": f"{len(rows) - len(labels):,}",
        "classes that occur": f"{_occurring(described)} of {len(described.nomenclature)}",
        **(_label_facts(labels) if len(labels) else {}),
        **{flag.replace("_", " "): f"{count:,}" for flag, count in described.flagged.items()},
    }
    beside = _paper_facts()
    table = table_of(
        {
            "fact": list(text),
            "here": list(text.values()),
            "BigEarthNet_v1": [beside.get(fact) for fact in text],
        },
        BigEarthNet_v1=pa.string(),
    )
    note = "The last column is what the 2019 paper and its published lists tell."
    return Sheet(described.title("The archive in numbers"), table, described.note(note))


def _paper_facts() -> dict[str, str]:
    known = load_bigearthnet()
    v1 = known.v1
    flags = {flag.replace("_", " "): f"{count:,}" for flag, count in v1["flags"].items()}
    return flags | {
        "patches": f"{v1['patches']:,}",
        "products": f"{len(known.products):,}",
        "tiles": f"{len(known.corners):,}",
        "footprints": f"{v1['footprints']:,}",
        "first day": "June 2017",
        "last day": "May 2018",
        "classes that occur": f"{len(known.class_counts)}",
        "labels a patch, mean": f"{v1['labels_mean']:.3f}",
        "labels a patch, fewest": "1",
        "labels a patch, most": f"{v1['labels_most']}",
        "with at most 5 labels": f"{100 * v1['labels_up_to_5']:.0f} %",
        "with more than 9 labels": f"{v1['labels_over_9']}",
    }


def _label_facts(labels: npt.NDArray[np.int64]) -> dict[str, str]:
    return {
        "labels a patch, mean": f"{labels.mean():.3f}",
        "labels a patch, fewest": str(labels.min()),
        "labels a patch, most": str(labels.max()),
        "with at most 5 labels": f"{100 * (labels <= 5).mean():.1f} %",
        "with more than 9 labels": f"{(labels > 9).sum():,}",
    }


def _occurring(described: Described) -> int:
    return int(labels_hot(described.rows, described.nomenclature).any(axis=0).sum())


def archives_sheet(described: Described) -> Sheet:
    """Table 1 of the paper, and the described archive as its last row."""
    known = load_archives()
    most = len(load_sensor().patch_bands)
    kind = "Simulated" if described.simulated else "Satellite"
    columns = {
        "archive": [*(a["name"] for a in known), described.name],
        "image_type": [*(a["image_type"] for a in known), f"{kind} multispectral, {most} bands"],
        "annotation": [*(a["annotation"] for a in known), "Multi-label"],
        "images": [*(a["images"] for a in known), len(described.rows)],
    }
    note = "The other archives are as the 2019 paper lists them; the last row is counted here."
    return Sheet(described.title("Archives of remote-sensing images"), table_of(columns), note)


def own_classes_sheet(described: Described) -> Sheet:
    """Patches of each class of the archive's own nomenclature (Table 2 of the paper)."""
    hot = labels_hot(described.rows, described.nomenclature)
    return _class_sheet(described, hot, described.nomenclature, "labels")


def level_sheet(target: str, described: Described) -> Sheet | None:
    """Patches of each class of another nomenclature; None where labels do not lead there."""
    own = described.nomenclature
    crosswalk = way_to(target)
    if set(own.codes) == set(crosswalk.target.codes):
        return None  # the archive's own
    if target == "clc-44" and set(own.codes) <= set(crosswalk.source.codes):
        return None  # likewise level 3
    hot = level_3_hot(described.rows, own)
    if hot is None:
        return None
    from_labels = set(own.codes) <= set(crosswalk.source.codes)
    through = hot_through(hot, crosswalk)
    return _class_sheet(
        described, through, crosswalk.target, "labels" if from_labels else "classes"
    )


def _class_sheet(described: Described, hot: Hot, nomenclature: Nomenclature, column: str) -> Sheet:
    """Counted from the labels, or from the CLC classes that occur: the rows' column of the name."""
    labels, told = column == "labels", has_some(described.rows[column])
    level_3 = nomenclature.name in ("clc-43", "clc-44")
    beside = load_bigearthnet().class_counts if level_3 else None
    table = count_classes(hot, nomenclature, int(told.sum()), beside)
    of = described.labelled_patches if labels else described.all_patches
    none = int((told & ~hot.any(axis=1)).sum())
    note = (
        f"{nomenclature.name}, counted from the "
        f"{'labels' if labels else 'CLC classes that occur in each patch'}. "
        f"A patch counts for each of its classes; shares are of {told.sum():,} "
        f"{'labelled patches' if labels else 'patches'}, of which {none:,} have none of these "
        "classes."
    )
    title = described.title("Patches of each class", of)
    return Sheet(title, table, described.note(note) if labels else note)


def published_classes_sheet(described: Described) -> Sheet | None:
    """Table 2 as it was published, where no labels of level 3 are at hand to measure it."""
    if described.archive is not None:
        return None
    known = load_bigearthnet()
    note = "As published in the 2019 paper, not measured here; shares are of 590,326 patches."
    table = count_published(known.class_counts, known.v1["patches"])
    title = (
        f"Patches of each class · BigEarthNet v1, as published · {known.v1['patches']:,} patches"
    )
    return Sheet(title, table, note)


def labels_sheet(described: Described) -> Sheet:
    """How many labels patches have."""
    table = count_labels(described.rows)
    title = described.title("Labels per patch", described.labelled_patches)
    return Sheet(title, table, described.note("Shares are of labelled patches."))


def seasons_sheet(described: Described) -> Sheet:
    """Patches of each season, beside the paper's."""
    known = load_bigearthnet().v1["seasons"]
    table = count_seasons(described.rows)
    beside = [known[season] for season in table["season"].to_pylist()]
    note = "Meteorological seasons, by the day of acquisition: winter is December to February."
    table = table.append_column("BigEarthNet_v1", pa.array(beside))
    return Sheet(described.title("Patches per season"), table, note)


def countries_sheet(described: Described) -> Sheet:
    """Patches of each country and season, beside what was published."""
    known = load_bigearthnet().v1["countries"]
    table = count_countries(described.rows)
    beside = [known.get(country) for country in table["country"].to_pylist()]
    note = f"{_COUNTRIES[described.countries]} The last column is BigEarthNet v1 as published."
    table = table.append_column("BigEarthNet_v1", pa.array(beside, pa.int64()))
    title = described.title("Patches per country", how=str(described.countries))
    return Sheet(title, table, note)


_COUNTRIES: Mapping[Countries, str] = {
    Countries.BY_RULE: "By benforge's rule a patch lies in the country nearest to its middle, on "
    "Natural Earth's map of 1:110 million; the published list differs near borders.",
    Countries.LISTED: f"Countries are those of {file_name('countries_and_seasons')}.",
    Countries.OF_V2: "Countries are those of v2's metadata.",
}


def dates_sheet(described: Described) -> Sheet:
    """Patches of each day of acquisition."""
    return Sheet(described.title("Patches per acquisition date"), count_dates(described.rows))


def tiles_sheet(described: Described) -> Sheet:
    """Patches and footprints of each tile."""
    note = "A footprint is one piece of ground, however often it was taken."
    return Sheet(described.title("Patches per tile"), count_tiles(described.rows), note)


def together_sheet(described: Described) -> Sheet:
    """Which classes go together."""
    hot = labels_hot(described.rows, described.nomenclature)
    note = "Of the patches that have the row's class, the share that has the column's too."
    table = count_together(hot, described.nomenclature)
    title = described.title("Classes that go together", described.labelled_patches)
    return Sheet(title, table, described.note(note), wide=True)


def partners_sheet(described: Described) -> Sheet:
    """The three classes that each class goes with most."""
    hot = labels_hot(described.rows, described.nomenclature)
    note = "Of the patches that have the class, the share that has each of three others too."
    table = count_partners(hot, described.nomenclature)
    title = described.title("What each class goes with most", described.labelled_patches)
    return Sheet(title, table, described.note(note))


TABLES: Mapping[str, MakeSheet] = {
    "facts": facts_sheet,
    "table-1-archives": archives_sheet,
    "table-2-classes": own_classes_sheet,
    PUBLISHED_CLASSES: published_classes_sheet,
    "classes-level-3": partial(level_sheet, "clc-44"),
    "classes-level-2": partial(level_sheet, "clc-level-2"),
    "classes-level-1": partial(level_sheet, "clc-level-1"),
    "classes-19": partial(level_sheet, "ben-19"),
    "labels-per-patch": labels_sheet,
    "seasons": seasons_sheet,
    "countries": countries_sheet,
    "dates": dates_sheet,
    "tiles": tiles_sheet,
    "classes-together": together_sheet,
    "classes-most-together": partners_sheet,
    "bands": band_sheet,
    "examples": example_sheet,
}
"""File name to what makes the table."""
