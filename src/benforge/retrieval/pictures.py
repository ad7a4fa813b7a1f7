"""A query and what it found as pictures in true colour, with labels: a page, or a picture."""

from __future__ import annotations

import io
import textwrap
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from benforge.archive.archive import Archive
from benforge.core.files import write_atomic
from benforge.core.sensor import load_sensor
from benforge.errors import InputError
from benforge.retrieval.image import Pixels, read_image
from benforge.retrieval.search import Found, Query
from benforge.statistics.pictures import TRUE_COLOR, Picture, picture_of, stretch
from benforge.statistics.style import DPI, new_figure, styled

COLUMNS, EDGE, LINE, LETTERS = 4, 1.62, 0.11, 28
"""Pictures in a row; inches of a picture and of a line; letters of a line."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture.

    Args:
        head: the line above all.
        place: tile, day and country; "" where they are not known.
        name: of the patch or the image.
        picture: in true colour.
        labels: names, and whether the query shares them.
    """

    head: str
    place: str
    name: str
    picture: Picture
    labels: tuple[tuple[str, bool], ...]


def draw_found(found: Found, query: Query, archive: Path, out: Path) -> None:
    """Draw a query and its results.

    Args:
        found: the answer.
        query: what was asked.
        archive: folder of the archive that the index is of.
        out: a file; its ending, .html or .png, tells what is written.

    Raises:
        MissingError: there is no such archive.
        InputError: the index is of another archive.
        StorageError: the file cannot be written.
    """
    shown = _show(found, query, Archive.open(archive))
    data = _page(found, shown) if out.suffix.lower() == ".html" else _sheet(found, shown)
    write_atomic(out, data)


def _show(found: Found, query: Query, archive: Archive) -> list[Shown]:
    """The query, where it is a patch or an image, then the results."""
    shown = []
    if query.image:
        picture = _true_color(read_image(query.image))
        shown.append(Shown("Query", "", str(query.image), picture, ()))
    if query.patch:
        labels = tuple((label, True) for label in found.labels)
        shown.append(Shown("Query", "", query.patch, _picture(archive, query.patch), labels))
    for one in found.results:
        labels = tuple((label, label in one.shared) for label in one.labels)
        head, place = f"{one.rank} · {one.distance:.4f}", f"{one.tile} · {one.date}"
        place += f" · {one.country}" if one.country else ""
        shown.append(Shown(head, place, one.patch, _picture(archive, one.patch), labels))
    return shown


def _picture(archive: Archive, patch: str) -> Picture:
    for column in ("patch_id", "v1_name"):
        rows = np.flatnonzero(archive.index[column].to_numpy() == patch)
        if len(rows):
            return picture_of(archive[int(rows[0])])
    raise InputError(
        f"the index is of another archive: this one holds no patch {patch}",
        where=archive.root,
        do="Name the archive that the index was made of",
    )


def _true_color(pixels: Pixels) -> Picture:
    sensor = load_sensor()
    names = [band.name for band in sensor.bands_at(10)]
    return stretch(np.stack([pixels[10][names.index(name)] for name in TRUE_COLOR]))


def _title(found: Found) -> str:
    simulated = " · simulated" * bool(found.index["simulated"])
    return f"{found.index['model']}, {found.metric} distance, {found.index['archive']}{simulated}"


def _sheet(found: Found, shown: list[Shown]) -> bytes:
    """All pictures on one sheet, PNG."""
    captions = [_lines(one) for one in shown]
    rows = [captions[i : i + COLUMNS] for i in range(0, len(captions), COLUMNS)]
    heights = [EDGE + LINE * (2.5 + max(map(len, row))) for row in rows]
    with styled():
        title = f"Nearest to {found.query} · {_title(found)}"
        figure = new_figure(title, COLUMNS * (EDGE + 0.12), sum(heights), layout=False)
        bottom = sum(heights)
        for i, one in enumerate(shown):
            top = bottom - sum(heights[: i // COLUMNS])
            _place(figure, one, captions[i], (0.06 + i % COLUMNS * (EDGE + 0.12), top))
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": "benforge"})
    return file.getvalue()


def _lines(one: Shown) -> list[str]:
    head = [one.place] if one.place else []
    return [*head, *(line for text, _ in one.labels for line in textwrap.wrap(text, LETTERS))]


def _place(figure: Figure, one: Shown, lines: list[str], at: tuple[float, float]) -> None:
    """A picture and what is written below it, its upper-left corner so many inches from below."""
    width, height = figure.get_size_inches()
    left, top = at
    axes = figure.add_axes(
        (left / width, (top - EDGE) / height, EDGE / width, EDGE / height), xticks=[], yticks=[]
    )
    axes.imshow(one.picture)
    under = (top - EDGE - 0.04) / height
    figure.text(left / width, under, one.head, va="top", size=7, weight="bold")
    text = "\n".join(lines)
    figure.text(left / width, under - LINE * 1.2 / height, text, va="top", size=6)


def _page(found: Found, shown: list[Shown]) -> bytes:
    """All pictures in one page that needs no other file."""
    figures = "\n".join(map(_figure, shown))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Nearest to {escape(found.query)}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1b2421; background: #fff }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 1rem }}
figure {{ margin: 0 }} img {{ width: 100%; image-rendering: pixelated }}
figcaption ul {{ margin: 0; padding-left: 1.1rem }} .shared {{ font-weight: 600 }}
</style></head><body>
<h1>Nearest to {escape(found.query)}</h1>
<p>{escape(_title(found))}. Labels that the query has too are bold.</p>
<main>
{figures}
</main></body></html>
""".encode()


def _figure(one: Shown) -> str:
    file = io.BytesIO()
    Image.fromarray(one.picture).save(file, "PNG")
    source = b64encode(file.getvalue()).decode()
    labels = "".join(
        f"<li{' class=shared' if shared else ''}>{escape(text)}</li>" for text, shared in one.labels
    )
    return (
        f'<figure><img alt="{escape(one.name)}" title="{escape(one.name)}" '
        f'src="data:image/png;base64,{source}"><figcaption><b>{escape(one.head)}</b> '
        f"<small>{escape(one.place)}</small><ul>{labels}</ul></figcaption></figure>"
    )
