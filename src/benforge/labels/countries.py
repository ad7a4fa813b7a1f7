"""The country of a place: the nearest polygon of Natural Earth's 1:110 million map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
import pyogrio.raw
import shapely
from shapely.geometry.base import BaseGeometry

from benforge.errors import RecipeError

SOURCE = "countries-110m.json"
"""Natural Earth, public domain."""


def countries_of(lon: npt.ArrayLike, lat: npt.ArrayLike, names: Sequence[str] = ()) -> list[str]:
    """The country of each place: the nearest polygon, in degrees (fidelity rule 17).

    Args:
        lon: longitudes, degrees.
        lat: latitudes, degrees.
        names: the countries to choose from, English names; none means all of the world.

    Raises:
        RecipeError: a name that is not on the map.
    """
    known, shapes = _map()
    _check_known(names, known)
    chosen = [i for i, name in enumerate(known) if not names or name in names]
    tree = shapely.STRtree(shapes[chosen])
    nearest = tree.nearest(shapely.points(np.asarray(lon), np.asarray(lat)))
    return [known[chosen[i]] for i in np.atleast_1d(nearest)]


def outline_of(names: Sequence[str]) -> BaseGeometry:
    """The ground of some countries as one, in longitude and latitude, degrees.

    Args:
        names: English names.

    Raises:
        RecipeError: a name that is not on the map.
    """
    known, shapes = _map()
    _check_known(names, known, "--countries")
    chosen = [shape for name, shape in zip(known, shapes, strict=True) if name in names]
    return shapely.union_all(shapely.make_valid(chosen))


def degrees_from(
    lon: npt.ArrayLike, lat: npt.ArrayLike, countries: Sequence[str | None]
) -> npt.NDArray[np.float64]:
    """How far each place lies from the polygon of a country, in degrees; 0 inside it.

    Args:
        lon: longitudes, degrees.
        lat: latitudes, degrees.
        countries: one a place; what is not on the map is infinitely far.
    """
    known, shapes = _map()
    polygons = dict(zip(known, shapes, strict=True))
    points = shapely.points(np.asarray(lon), np.asarray(lat))
    told = np.array([polygons.get(country or "") for country in countries], object)
    found = shapely.distance(points, told)
    return np.where(np.isnan(found), np.inf, found)


def _check_known(
    names: Sequence[str], known: Sequence[str], where: str = "labels.countries"
) -> None:
    """Raise where a country is not on the map.

    Raises:
        RecipeError: names it.
    """
    if unknown := sorted(set(names) - set(known)):
        raise RecipeError(
            f"no country is called {', '.join(unknown)}",
            where=where,
            do=f"Names look like {', '.join(known[:3])}",
        )


@cache
def _map() -> tuple[list[str], npt.NDArray[np.object_]]:
    """Names and polygons of all countries."""
    with as_file(files("benforge.labels") / SOURCE) as path:
        _, _, wkb, (names,) = pyogrio.raw.read(path, columns=["name"], layer="countries")
    return [str(name) for name in names], shapely.from_wkb(wkb)
