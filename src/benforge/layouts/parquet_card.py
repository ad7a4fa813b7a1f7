"""The dataset card of a Parquet export: what its README.md says, to people and to `datasets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benforge.layouts.export_batches import ExportNote

_CARD = """\
---
# license: yours to choose; the Hub wants one here
pretty_name: {profile} patches
task_categories:
- image-classification
tags:
- remote-sensing
- sentinel-2
- multi-label
configs:
- config_name: default
  data_files:
{files}
---
# Patches of Sentinel-2, {profile}
{total:,} patches{simulated}, labelled with classes of {nomenclature}.

| part | patches |
| --- | --- |
{parts}

## Columns
`patch_id`, `tile`, `date` (UTC), `season`, `country`, `crs` with `ulx` and `uly` (upper-left
corner, m), `labels` (positions in the classes below), and pixels as uint16, `band row col`:

| column | pixel size | bands |
| --- | --- | --- |
{bands}

`land_cover`, where it is there, is the reference map, `row col`, CLC codes, 999 in gaps.

```python
from datasets import load_dataset

patches = load_dataset("parquet", data_files={{"{part}": "{data}/{part}-*.parquet"}})["{part}"]
first = patches.with_format("numpy")[0]
```

## Classes
{classes}
"""


def dataset_card(note: ExportNote, data: str) -> str:
    """The text of README.md, Markdown with YAML before it.

    Args:
        note: what the export holds.
        data: the folder of the files.
    """
    files = [f'  - split: {part}\n    path: "{data}/{part}-*.parquet"' for part in note.parts]
    return _CARD.format(
        profile=note.profile,
        files="\n".join(files),
        total=sum(note.parts.values()),
        simulated=" (some or all simulated)" if note.simulated else "",
        nomenclature=note.nomenclature,
        parts=_rows({part: f"{count:,}" for part, count in note.parts.items()}),
        bands="\n".join(_band_row(size, names) for size, names in note.bands.items()),
        part=next(iter(note.parts)),
        data=data,
        classes="\n".join(f"{place}. {name}" for place, name in enumerate(note.classes)),
    )


def _rows(values: Mapping[str, str]) -> str:
    return "\n".join(f"| {name} | {value} |" for name, value in values.items())


def _band_row(size: str, names: Sequence[str]) -> str:
    return f"| r{size}m | {size} m | {' '.join(names)} |"
