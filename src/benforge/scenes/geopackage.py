"""GeoPackages whose bytes do not tell when they were written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyogrio


@contextmanager
def dated(date: str) -> Iterator[None]:
    """GeoPackages written meanwhile have this date, "2018-01-01T00:00:00Z".

    GDAL writes the time of day unless it is told a time: the same content would be other bytes.
    """
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": date})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
