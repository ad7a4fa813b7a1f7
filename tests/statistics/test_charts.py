from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benforge.core.nomenclature import load_nomenclature
from benforge.statistics.charts import draw_labels, draw_together
from benforge.statistics.classes import count_together
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import lay_out, styled


@pytest.mark.parametrize("name", ["ben-19", "clc-43", "clc-level-2"])
def test_no_name_of_a_class_is_cut_where_classes_go_together(name: str):
    nomenclature = load_nomenclature(name)
    hot = np.random.default_rng(0).random((60, len(nomenclature))) < 0.4
    hot[0] = True
    sheet = Sheet("Together · a test", count_together(hot, nomenclature))
    with styled():
        figure = draw_together(sheet)
        assert figure is not None
        lay_out(figure)
        axes = figure.axes[0]
        labels = axes.get_yticklabels()
        told = [" ".join(label.get_text().split()) for label in labels]
        assert told == list(nomenclature.names)
        codes = {text.get_text() for text in axes.texts}
        assert codes >= {str(code) for code in nomenclature.codes}
        boxes = [text.get_window_extent() for text in [*labels, *axes.texts]]
        assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)
        rows = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(rows)), (
            "names run into another"
        )


def test_there_is_no_picture_of_no_labels():
    from benforge.statistics.counts import count_labels
    from benforge.statistics.sheet import table_of

    none = count_labels(table_of({"labels": [[], None]}))
    assert draw_labels(Sheet("Labels · none", none)) is None
