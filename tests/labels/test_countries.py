"""Countries as BigEarthNet has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pyproj
import pytest

from benforge.errors import RecipeError
from benforge.labels.countries import countries_of, degrees_from

TEN = ["Austria", "Belgium", "Finland", "Ireland", "Kosovo"]
TEN += ["Lithuania", "Luxembourg", "Portugal", "Serbia", "Switzerland"]


def test_published_countries_of_v2(shared_data: Path) -> None:
    """Fidelity rule 17: 99.98 % of the published countries; every 20th patch is asked."""
    folder = shared_data / "bigearthnet/metadata"
    corners = pq.read_table(folder / "patch_geometry.parquet").slice(7).to_pandas().iloc[::20]
    published = pq.read_table(folder / "metadata.parquet", columns=["s2v1_name", "country"])
    published = published.to_pandas().rename(columns={"country": "published"})
    corners = corners.merge(published, left_on="name", right_on="s2v1_name")
    agree = 0
    for epsg, patches in corners.groupby("epsg"):
        to_degrees = pyproj.Transformer.from_crs(epsg, "OGC:CRS84", always_xy=True)
        found = countries_of(*to_degrees.transform(patches.ulx + 600, patches.uly - 600), TEN)
        agree += (patches.published == found).sum()
    assert agree / len(corners) >= 0.9998


def test_whole_world_without_names() -> None:
    assert countries_of([13.4, -77.0], [52.5, 38.9]) == ["Germany", "United States of America"]
    assert countries_of(np.array([]), np.array([])) == []
    assert countries_of(13.4, 52.5) == ["Germany"]


def test_nearest_of_the_named() -> None:
    assert countries_of([13.4], [52.5], ("Austria", "Portugal")) == ["Austria"]


def test_unknown_name() -> None:
    with pytest.raises(RecipeError, match="no country is called Atlantis"):
        countries_of([0], [0], ("Atlantis", "Austria"))


def test_degrees_from_a_country() -> None:
    places = [13.4, 13.4, 13.4, 13.4], [52.5, 52.5, 62.5, 52.5]
    found = degrees_from(*places, ["Germany", "Poland", "Germany", None])
    assert found[0] == 0
    assert 0.5 < found[1] < 2  # Berlin lies some 70 km from the border
    assert found[2] > 7
    assert found[3] == np.inf
