"""Pixels to pictures that stand inside a page: no file, no address."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.image import imsave

from benforge.statistics.pictures import Picture

FALSE_COLOR = ("B08", "B04", "B03")
"""Near infrared, red, green as red, green, blue: vegetation is red."""
INFRARED = ("B12", "B8A", "B05")
"""Short-wave infrared, near infrared, red edge, at 20 m: bare and dry ground is pink."""

Color = tuple[int, int, int]

SCL_CLASSES: Mapping[int, tuple[str, Color]] = {
    0: ("no data", (0, 0, 0)),
    1: ("saturated", (255, 0, 0)),
    2: ("dark", (47, 47, 47)),
    3: ("cloud shadow", (100, 50, 0)),
    4: ("vegetation", (70, 160, 60)),
    5: ("bare", (230, 215, 90)),
    6: ("water", (40, 80, 220)),
    7: ("unclassified", (128, 128, 128)),
    8: ("cloud, likely", (192, 192, 192)),
    9: ("cloud", (240, 240, 240)),
    10: ("thin cirrus", (100, 200, 255)),
    11: ("snow", (255, 150, 255)),
}
"""Code of the scene classification to its meaning and colour."""


def paint(codes: npt.NDArray[np.generic], colors: Mapping[int, Color]) -> Picture:
    """A map of codes in their colours, `row col rgb`; codes without a colour are white."""
    picture = np.full((*codes.shape, 3), 255, np.uint8)
    for code, color in colors.items():
        picture[codes == code] = color
    return picture


def average(array: npt.NDArray[np.uint16], factor: int) -> npt.NDArray[np.uint16]:
    """Means over blocks of `factor` x `factor` pixels of `band row col`."""
    bands, height, width = array.shape
    blocks = array.reshape(bands, height // factor, factor, width // factor, factor)
    means: npt.NDArray[np.uint16] = blocks.mean(axis=(2, 4)).round().astype(np.uint16)
    return means


def side_by_side(pictures: Sequence[Picture], columns: int) -> Picture:
    """Pictures of one size in rows of `columns`, as many rows as are full."""
    rows = [pictures[i : i + columns] for i in range(0, len(pictures) - columns + 1, columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def css_color(color: Color) -> str:
    """A colour as style sheets write it, "#e6004d"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def data_uri(picture: Picture, kind: str = "jpeg") -> str:
    """The picture as text for `src=`: "jpeg" for photographs, "png" for maps."""
    buffer = io.BytesIO()
    options = {"quality": 88} if kind == "jpeg" else {"optimize": True}
    imsave(buffer, picture, format=kind, pil_kwargs=options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
