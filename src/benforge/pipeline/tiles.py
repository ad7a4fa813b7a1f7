"""From the words of a command to a selection: areas are found, catalogues asked, tiles placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyogrio
import shapely
from pyogrio.errors import DataSourceError
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from benforge.core.progress import Progress, silent
from benforge.errors import InputError, MissingError
from benforge.labels.countries import countries_of, outline_of
from benforge.pipeline.countries import countries_called
from benforge.tiles.catalogue import read_catalogue
from benforge.tiles.choose import choose
from benforge.tiles.entry import Entry
from benforge.tiles.ground import parse_tile, square_of
from benforge.tiles.named import named_selection, names_of, wish_for
from benforge.tiles.profile import lasting_name, open_profile
from benforge.tiles.selection import Selection
from benforge.tiles.wish import Period, Wish, parse_baseline

DEGREES = "OGC:CRS84"
COAST = 0.4
"""Degrees from a country's outline within which a tile still counts as its.

The map of countries is coarse: it leaves out islands and cuts coasts straight. Of the 56 tiles of
BigEarthNet the farthest, 34VDM on the islands of Finland, lies 0.32 degrees outside.
"""


@dataclass(frozen=True, slots=True)
class TilesRequest:
    """What is asked for, in the words of the command line.

    Args:
        selection: name of a selection.
        catalogue: file that holds a catalogue.
        api: profile, address or TOML file of a STAC API.
        countries: English names.
        tiles: MGRS tiles.
        area: file with polygons.
        period: `2017-06-01/2018-05-31`.
        cloud: greatest cloud cover, per cent.
        level: "L1C" or "L2A".
        baselines: "02.05".
        most: products at most.
        mix_baselines: whether several baselines may stand side by side.
    """

    selection: str = ""
    catalogue: Path | None = None
    api: str = ""
    countries: Sequence[str] = ()
    tiles: Sequence[str] = ()
    area: Path | None = None
    period: str = ""
    cloud: float | None = None
    level: str = "L1C"
    baselines: Sequence[str] = ()
    most: int | None = None
    mix_baselines: bool = False


def select(request: TilesRequest, progress: Progress = silent) -> Selection:
    """The products that a request takes.

    Raises:
        BenError: the request cannot be understood or met; says which part.
    """
    request = replace(request, countries=countries_called(request.countries))
    if request.selection and not (request.catalogue or request.api):
        return _placed(named_selection(request.selection), request.countries)
    wish = wish_of(request)
    if request.catalogue:
        entries = read_catalogue(request.catalogue)
        found = choose(entries, wish, str(request.catalogue.name))
        return _placed(replace(found, unread=entries.unread), request.countries)
    from benforge.tiles.search import complete, search

    profile = open_profile(request.api)
    listed = search(profile, wish, progress=progress)
    if not listed and wish.period and not wish.names:
        # The server was asked for place and time at once: which of them has nothing?
        wish = replace(wish, period=None)
        _check_period(search(profile, wish, most=1, progress=progress), request.period)
    found = choose(listed, wish, lasting_name(request.api))
    located = complete(profile, found.entries, progress=progress)
    found = replace(found, entries=located, unread=listed.unread)
    return _placed(found, request.countries)


def _check_period(others: Sequence[Entry], period: str) -> None:
    """Raise where a catalogue has nothing of a period, and has products of other times.

    Raises:
        InputError: it has.
    """
    if others:
        raise InputError(
            f"no product is left after the condition 'period {period}'; the catalogue lists others "
            f"of the same place and level, as of {others[0].time:%Y-%m-%d}",
            do="Ask for another period",
        )


def wish_of(request: TilesRequest) -> Wish:
    """The wish in a request.

    Raises:
        InputError: a tile, period, baseline or cloud cover that is none.
        RecipeError: no country is called so.
        MissingError: there is no such file of polygons.
    """
    if request.cloud is not None and not 0 <= request.cloud <= 100:
        raise InputError("cloud cover is 0 to 100 %", where=f"{request.cloud:g}")
    area, name = _area(request)
    wish = Wish(
        level=request.level,
        tiles=tuple(dict.fromkeys(map(parse_tile, request.tiles))),
        area=area,
        area_name=name,
        period=Period.parse(request.period) if request.period else None,
        cloud=request.cloud,
        baselines=tuple(dict.fromkeys(map(parse_baseline, request.baselines))),
        most=request.most,
        mix_baselines=request.mix_baselines,
    )
    return wish_for(request.selection, wish) if request.selection else wish


def _area(request: TilesRequest) -> tuple[BaseGeometry | None, str]:
    """The area of countries, of a file, or what both share."""
    countries = outline_of(request.countries).buffer(COAST) if request.countries else None
    drawn = read_area(request.area) if request.area else None
    names = [*request.countries, *([request.area.name] if request.area else [])]
    if countries is not None and drawn is not None:
        return shapely.intersection(countries, drawn), " within ".join(names)
    return drawn if countries is None else countries, ", ".join(names)


def read_area(path: Path) -> BaseGeometry:
    """All polygons of a vector file as one, in longitude and latitude.

    Raises:
        MissingError: there is no such file.
        InputError: it is no vector file, tells no CRS, or holds no polygon.
    """
    if not path.exists():
        raise MissingError("there is no such file of polygons", where=path)
    try:
        frame = pyogrio.read_dataframe(path, columns=[])
        if frame.crs is None:
            raise InputError(
                "it does not tell its CRS",
                where=path,
                do="Give it one, as in ogr2ogr -a_srs EPSG:4326",
            )
        if CRS(frame.crs) != CRS(DEGREES):
            frame = frame.to_crs(DEGREES)
        shapes = [shape for shape in frame.geometry if shape is not None]
    except InputError:
        raise
    except (DataSourceError, ValueError, AttributeError) as error:
        raise InputError(
            "its polygons cannot be read", where=path, do="Give GeoJSON, GeoPackage or Shapefile"
        ) from error
    area = shapely.union_all(shapely.make_valid(shapes))
    if not area.area > 0:
        raise InputError("it holds no polygon", where=path, do="Draw the area as polygons")
    return area


def _placed(selection: Selection, countries: Sequence[str]) -> Selection:
    """The selection with the country of each tile's middle."""
    names = countries or _countries_of(selection)
    middles = [square_of(entry.product.tile).centroid for entry in selection.entries]
    told = countries_of([p.x for p in middles], [p.y for p in middles], names)
    entries = (replace(e, country=c) for e, c in zip(selection.entries, told, strict=True))
    return replace(selection, entries=tuple(entries))


def _countries_of(selection: Selection) -> Sequence[str]:
    """The ten of BigEarthNet where its products were chosen, which it labels from these alone."""
    from benforge.core.bigearthnet import load_bigearthnet

    published = {Entry.named(name).acquisition for name in names_of("bigearthnet-2019")}
    ours = {entry.acquisition for entry in selection.entries}
    return load_bigearthnet().countries if ours <= published else ()
