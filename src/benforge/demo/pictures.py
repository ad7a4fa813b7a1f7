"""Pixels to pictures that stand inside a page: no file, no address."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.image import imsave

from benforge.statistics.pictures import Picture


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


def data_uri(picture: Picture, kind: str = "jpeg") -> str:
    """The picture as text for `src=`: "jpeg" for photographs, "png" for maps."""
    buffer = io.BytesIO()
    options = {"quality": 88} if kind == "jpeg" else {"optimize": True}
    imsave(buffer, picture, format=kind, pil_kwargs=options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
