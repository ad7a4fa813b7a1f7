"""The picture of a map: many classes beside each other, the same bytes for the same map."""

from __future__ import annotations

from io import BytesIO

import matplotlib.image
import numpy as np

from benforge.core.grid import Grid
from benforge.core.sensor import load_sensor
from benforge.mapping.picture import CLASSES, draw_map, most_frequent, true_color
from benforge.mapping.plan import plan_map
from tests.mapping.test_raster import make_facts

PLAN = plan_map(Grid("EPSG:32633", 300_000, 5_400_000, 10, 600, 600), 120)


def test_the_most_frequent_classes_come_first_then_the_surest() -> None:
    scores = np.zeros((4, 1, 2), np.float32)
    scores[1], scores[2, 0, 0], scores[3, 0, 0] = 0.6, 0.3, 0.4
    assert most_frequent(scores, np.array([0, 2, 0, 0])) == [1, 3, 2, 0]
    assert len(most_frequent(np.zeros((43, 1, 2), np.float32), np.zeros(43, np.int64))) == CLASSES


def test_the_same_map_gives_the_same_picture_and_scores_are_seen() -> None:
    scores = np.tile(np.linspace(0.99, 0.51, 43, dtype=np.float32)[:, None, None], (1, 5, 5))
    clouded = np.zeros((5, 5), bool)
    one, again = (draw_map(PLAN, scores, clouded, make_facts(), None) for _ in range(2))
    assert one == again
    clouded[2, 2] = True
    scores[:, 2, 2] = np.nan
    other = draw_map(PLAN, scores, clouded, make_facts(), None)
    before, after = (matplotlib.image.imread(BytesIO(png)) for png in (one, other))
    assert before.shape == after.shape
    differ = (before != after).any(axis=2)
    assert 0.01 < differ.mean() < 1 / 25  # one window of 25, in every panel


def test_nothing_seen_is_said_without_panels() -> None:
    scores = np.full((43, 5, 5), np.nan, np.float32)
    few = draw_map(PLAN, scores, np.ones((5, 5), bool), make_facts(), None)
    color = np.zeros((60, 60, 3), np.float32)
    with_color = draw_map(PLAN, scores, np.ones((5, 5), bool), make_facts(), color)
    assert matplotlib.image.imread(BytesIO(few)).shape[0] < 700
    assert with_color != few


def test_true_color_is_red_green_blue_and_thinned() -> None:
    sensor = load_sensor()
    names = [band.name for band in sensor.bands_at(10)]
    mosaic = np.zeros((len(names), 900, 900), np.uint16)
    mosaic[names.index("B04")] = 3000
    found = true_color({10: mosaic}, sensor)
    assert found is not None
    assert found.shape == (450, 450, 3)
    assert (found == [1, 0, 0]).all()
