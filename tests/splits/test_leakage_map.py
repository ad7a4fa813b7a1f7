import io

import matplotlib.image
import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_rgb

from benforge.splits.leakage import LeakageMap, find_leakage
from benforge.splits.leakage_map import (
    APART,
    ON_GROUND,
    STATES,
    TOUCHES,
    draw_leakage,
    title_of,
)


def row_of(parts: list[str], columns: list[float], *, simulated: bool = False) -> LeakageMap:
    """What patches in a row leak."""
    index = pa.table(
        {
            "crs": ["EPSG:32633"] * len(parts),
            "tile": ["33UUP"] * len(parts),
            "ulx": [300000 + 1200.0 * column for column in columns],
            "uly": [5400000.0] * len(parts),
        }
    )
    return find_leakage(index, pa.chunked_array([parts]), "mine", simulated=simulated)


def pixels(parts: list[str], columns: list[float], *, simulated: bool = False) -> np.ndarray:
    """The picture of patches in a row."""
    data = draw_leakage(row_of(parts, columns, simulated=simulated))
    return matplotlib.image.imread(io.BytesIO(data), "png")[..., :3]


def area(picture: np.ndarray, state: int) -> int:
    color = np.array(to_rgb(STATES[state][1]))
    return int((np.abs(picture - color) < 0.01).all(axis=-1).sum())


@pytest.mark.parametrize(
    ("parts", "columns", "state"),
    [
        (["train", "test"], [0, 0], ON_GROUND),
        (["train", "test"], [0, 1], TOUCHES),
        (["train", "test"], [0, 2], APART),
    ],
)
def test_a_leak_has_its_colour(parts: list[str], columns: list[float], state: int) -> None:
    picture = pixels(parts, columns)
    legend = pixels(["train", "train"], [0, 2])
    assert picture.shape == (1230, 2100, 3)
    for one in (ON_GROUND, TOUCHES, APART):
        more = area(picture, one) - area(legend, one)
        assert more > 10_000 if one == state else more == 0


def test_the_same_split_gives_the_same_picture() -> None:
    one, other = (pixels(["train", "test"], [0, 1]) for _ in range(2))
    assert (one == other).all()


def test_a_simulated_archive_is_called_so_in_the_picture() -> None:
    for simulated in (True, False):
        found = row_of(["train", "test"], [0, 1], simulated=simulated)
        assert title_of(found).endswith(", simulated") is simulated
    real, made_up = (pixels(["train", "test"], [0, 1], simulated=s) for s in (False, True))
    differs = (real != made_up).any(axis=(1, 2))
    assert differs[:100].any()
    assert not differs[100:].any(), "only the title differs"
