"""What a SAFE product to be written is, and what its files and folders are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.sensor import Band, Sensor, load_sensor
from benforge.errors import GridError, InputError

QUALITY_CHECKS = (
    "SENSOR_QUALITY",
    "GEOMETRIC_QUALITY",
    "GENERAL_QUALITY",
    "FORMAT_CORRECTNESS",
    "RADIOMETRIC_QUALITY",
)
"""The quality inspections of a product, in the order of the real metadata."""

_STAMP = "%Y%m%dT%H%M%S"
_REFERENCE = (datetime(2017, 2, 26, 10, 20, 21, tzinfo=UTC), 8785)
_ORBITS_A_DAY = 14.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeProduct:
    """A product of one tile, as its metadata will tell it.

    Args:
        spacecraft: "S2A".
        level: "L1C" or "L2A".
        sensing_time: start of the datatake, UTC.
        generated: when the product says it was made, UTC.
        baseline: processing baseline, "02.05".
        orbit: relative orbit, 1 to 143.
        tile: MGRS tile, "33UUP".
        grid: the ground in pixels of 10 m; a whole number of 60 m pixels.
        cloud_cover: percent.
        quality_checks: check to verdict; all passed if left out.
        offsets: band name to radiometric offset as the metadata give it: -1000 from baseline
            04.00 on; bands left out have 0.
        quantification: digital numbers per unit of reflectance.
        origin_baseline: that of the L1C product it was corrected from, "" where none was.
        simulated_by: what simulated the pixels, None for pixels that were measured.

    Raises:
        InputError: an unknown level or band.
        GridError: a grid that is not of 10 m pixels or not whole pixels of 60 m.
    """

    spacecraft: str
    level: str
    sensing_time: datetime
    generated: datetime
    baseline: str
    orbit: int
    tile: str
    grid: Grid
    cloud_cover: float = 0.0
    quality_checks: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType(dict.fromkeys(QUALITY_CHECKS, "PASSED"))
    )
    offsets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    quantification: int = 10_000
    simulated_by: str | None = None
    origin_baseline: str = ""

    def __post_init__(self) -> None:
        if self.level not in ("L1C", "L2A"):
            raise InputError(f"a product is of level L1C or L2A, not {self.level!r}")
        for name in self.offsets:
            self.sensor.band(name)
        if self.grid.pixel_size != 10:
            raise GridError(f"a product's grid has pixels of 10 m, not {self.grid.pixel_size:g} m")
        self.grid.resized(60)
        ProductId.parse(self.name)

    @property
    def sensor(self) -> Sensor:
        """Names and order of the bands."""
        return load_sensor()

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands that the product holds: L2A leaves out B10, which sees no ground."""
        return self.sensor.bands if self.level == "L1C" else self.sensor.patch_bands

    @property
    def id(self) -> ProductId:
        """The product without the time it was generated."""
        sensed, baseline = f"{self.sensing_time:{_STAMP}}", self.baseline.replace(".", "")
        return ProductId(self.spacecraft, self.level, sensed, baseline, self.orbit, self.tile)

    @property
    def name(self) -> str:
        """The folder: `S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE`."""
        return f"{self.id}_{self.generated:{_STAMP}}.SAFE"

    @property
    def metadata_file(self) -> str:
        """The product's metadata file, relative to its folder."""
        return f"MTD_MSI{self.level}.xml"

    @property
    def absolute_orbit(self) -> int:
        """Orbits since launch, reckoned from a known datatake of Sentinel-2A (8785)."""
        start, number = _REFERENCE
        days = (self.sensing_time - start).total_seconds() / 86_400
        return max(0, number + round(days * _ORBITS_A_DAY))

    @property
    def granule(self) -> str:
        """The granule's folder, relative to the product's."""
        stamp = f"{self.generated:{_STAMP}}"
        return f"GRANULE/{self.level}_T{self.tile}_A{self.absolute_orbit:06d}_{stamp}"

    @property
    def granule_id(self) -> str:
        """The granule's identifier in the metadata."""
        stamp = f"{self.generated:{_STAMP}}_A{self.absolute_orbit:06d}"
        return f"{self._operation}_TL_SGS__{stamp}_T{self.tile}_N{self.baseline}"

    @property
    def origin_id(self) -> str:
        """The identifier of the granule that it was corrected from."""
        return replace(self, level="L1C", baseline=self.origin_baseline).granule_id

    @property
    def datastrip(self) -> str:
        """The datastrip's folder, relative to the product's."""
        return f"DATASTRIP/DS_SGS__{self.generated:{_STAMP}}_S{self.sensing_time:{_STAMP}}"

    @property
    def datastrip_id(self) -> str:
        """The datastrip's identifier in the metadata."""
        stamps = f"{self.generated:{_STAMP}}_S{self.sensing_time:{_STAMP}}"
        return f"{self._operation}_DS_SGS__{stamps}_N{self.baseline}"

    @property
    def _operation(self) -> str:
        return f"{self.spacecraft}_OPER_MSI_{self.level}"

    def image(self, name: str, pixel_size: int) -> str:
        """The file of a band or of `SCL`, relative to the product's folder, without `.jp2`."""
        stem = f"T{self.tile}_{self.sensing_time:{_STAMP}}_{name}"
        if self.level == "L1C":
            return f"{self.granule}/IMG_DATA/{stem}"
        return f"{self.granule}/IMG_DATA/R{pixel_size}m/{stem}_{pixel_size}m"
