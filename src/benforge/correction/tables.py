"""Tables of 6S over aerosol and water vapour for one scene, and how reflectance passes them.

Gases stand apart from scattering, so a table is two short ones a band: scattering over aerosol
optical thickness, gases over water vapour. The second is run without aerosol, which changes nothing
of it and takes 6S a twentieth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benforge.correction.sixs_run import DARKEST, Air, Light, Passage, run_sixs

AEROSOLS = (0.0, 0.1, 0.3, 0.6, 1.0)
"""Aerosol optical thicknesses at 550 nm that 6S is run for."""

WATERS = (0.2, 0.6, 1.2, 2.2, 3.6, 5.5)
"""Columns of water vapour that 6S is run for, g/cm2."""

_MIDDLE = Air(aot=0.0, water=1.2)
_DRY = frozenset({"B01", "B02", "B03"})
"""Bands that water vapour leaves alone."""

Floats = npt.NDArray[np.floating]
Some = TypeVar("Some", float, Floats)


@dataclass(frozen=True, slots=True, eq=False)
class BandTable:
    """What the air does to one band.

    Args:
        scattering: `aerosol quantity`: reflectance of molecules, of aerosol, transmittance,
            albedo and spread over `aerosols`.
        gases: `water`, transmittance over `waters`.
        dry: transmittance of gases without water vapour.
        aerosols: optical thicknesses, rising.
        waters: columns, g/cm2, rising.
    """

    scattering: npt.NDArray[np.float64]
    gases: npt.NDArray[np.float64]
    dry: float
    aerosols: tuple[float, ...]
    waters: tuple[float, ...]

    def passage(self, aot: float, water: float) -> Passage:
        """Between the runs, straight lines; beyond them, the nearest run.

        The logarithm of the transmittance of gases is taken over the root of the column, along
        which it is nearly straight.
        """
        molecules, aerosol, transmittance, albedo, spread = (
            float(np.interp(aot, self.aerosols, column)) for column in self.scattering.T
        )
        gas = np.exp(np.interp(np.sqrt(water), np.sqrt(self.waters), np.log(self.gases)))
        return Passage(
            gas=float(gas),
            wet=float(gas) / self.dry,
            molecules=molecules,
            aerosol=aerosol,
            transmittance=transmittance,
            albedo=albedo,
            spread=spread,
        )


def to_ground(top: Some, passage: Passage) -> Some:
    """Reflectance of the ground from that at the top of the atmosphere.

    The ground is taken to be flat, the same all around, and equally bright from all sides.
    """
    lit = (top / passage.gas - passage.path) / passage.transmittance
    return lit / (1 + passage.albedo * lit)


def to_top(ground: Some, passage: Passage) -> Some:
    """Reflectance at the top of the atmosphere from that of the ground."""
    lit = ground / (1 - passage.albedo * ground)
    return passage.gas * (passage.path + passage.transmittance * lit)


def make_tables(
    bands: Iterable[str],
    light: Light,
    elevation: float = 0.0,
    *,
    aerosols: Sequence[float] = AEROSOLS,
    waters: Sequence[float] = WATERS,
    threads: int = 1,
    run: Callable[[str, Light, Air], Passage] = run_sixs,
) -> dict[str, BandTable]:
    """Run 6S for all bands over aerosol and over water vapour.

    Args:
        bands: names.
        light: when and from where.
        elevation: mean of the ground, m above the sea.
        aerosols: optical thicknesses at 550 nm, rising.
        waters: columns of water vapour, g/cm2, rising.
        threads: runs at a time.
        run: what runs 6S.

    Raises:
        InputError: 6S is not installed.
        BenError: 6S ended without a result.
    """
    names = list(bands)
    hazy = [Air(aot=aot, water=_MIDDLE.water, elevation=elevation) for aot in aerosols]
    moist = [Air(aot=_MIDDLE.aot, water=water, elevation=elevation) for water in waters]
    jobs = [(name, air) for name in names for air in hazy]
    jobs += [(name, air) for name in names if name not in _DRY for air in moist]
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(lambda job: run(job[0], light, job[1]), jobs)
        passages = dict(zip(jobs, done, strict=True))
    return {name: _band_table(name, passages, hazy, moist) for name in names}


def _band_table(
    name: str,
    passages: Mapping[tuple[str, Air], Passage],
    hazy: Sequence[Air],
    moist: Sequence[Air],
) -> BandTable:
    scattered = [passages[name, air] for air in hazy]
    scattering = np.array(
        [[p.molecules, p.aerosol, p.transmittance, p.albedo, p.spread] for p in scattered]
    )
    absorbed = [passages[name, hazy[0] if name in _DRY else air] for air in moist]
    gases = np.maximum([p.gas for p in absorbed], DARKEST)
    aots, waters = tuple(air.aot for air in hazy), tuple(air.water for air in moist)
    return BandTable(scattering, gases, float(gases[0]) / absorbed[0].wet, aots, waters)
