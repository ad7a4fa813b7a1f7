"""Names of products and patches: parsed once, at the door, and printed back unchanged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from benforge.errors import InputError

_PRODUCT = re.compile(
    r"(?P<spacecraft>[A-Z][A-Z0-9]{1,5})_(?P<instrument>[A-Z]{2,5})(?P<level>L1C|L2A)"
    r"_(?P<time>\d{8}T\d{6})"
    r"_N(?P<baseline>\d{4})_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})"
    r"(?:_(?P<generated>\d{8}T\d{6}))?(?:\.SAFE)?"
)
_PATCH = re.compile(r"(?P<product>.+_T\d{2}[A-Z]{3})_(?P<column>\d{2,})_(?P<row>\d{2,})")


@dataclass(frozen=True, slots=True)
class ProductId:
    """A product of one tile, without the time it was generated.

    Printed as `S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP`: what stays when a product is
    generated again, and what BigEarthNet v2 names its folders by. Products of other satellites are
    named likewise: `LC8_OLIL2A_20170613T101031_N0001_R022_T33UUP`.

    Args:
        spacecraft: "S2A"; 2 to 6 capitals and digits.
        level: "L1C" or "L2A".
        time: sensing time of the datatake, "20170613T101031", UTC; kept as text because
            published names hold seconds of 60 and more.
        baseline: processing baseline, "0205".
        orbit: relative orbit, 1 to 143.
        tile: MGRS tile, "33UUP".
        instrument: "MSI" of Sentinel-2; 2 to 5 capitals.
    """

    spacecraft: str
    level: str
    time: str
    baseline: str
    orbit: int
    tile: str
    instrument: str = "MSI"

    def __str__(self) -> str:
        return (
            f"{self.spacecraft}_{self.instrument}{self.level}_{self.time}"
            f"_N{self.baseline}_R{self.orbit:03d}_T{self.tile}"
        )

    @classmethod
    def parse(cls, text: str) -> ProductId:
        """Read a product id, with or without generation time and `.SAFE`.

        Raises:
            InputError: the text is not a product id of the compact form.
        """
        match = _PRODUCT.fullmatch(text)
        if match is None:
            raise InputError(
                "not a product id",
                where=text,
                do="One looks like S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_20170613T101608",
            )
        part = match.groupdict()
        return cls(
            part["spacecraft"],
            part["level"],
            part["time"],
            part["baseline"],
            int(part["orbit"]),
            part["tile"],
            part["instrument"],
        )

    @property
    def sensing_time(self) -> datetime:
        """The datatake's start, UTC.

        Raises:
            InputError: the name holds a time that no clock shows.
        """
        try:
            return datetime.strptime(self.time, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError as error:
            raise InputError(f"{self.time} is not a time", where=str(self)) from error


@dataclass(frozen=True, slots=True, order=True)
class PatchId:
    """One patch: product, column and row, counted from 0 at the tile's upper-left corner.

    Printed as BigEarthNet v2 does, `S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57`:
    column, then row, each at least two digits. `PatchId.parse(str(x)) == x`.

    Args:
        product: the text of a `ProductId`, tile included.
        column: patches to the right.
        row: patches downward.

    Example:
        >>> patch_id = ben.PatchId.parse("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57")
        >>> patch_id.tile, patch_id.column, patch_id.row
        ('33UUP', 26, 57)
    """

    product: str
    column: int
    row: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r".+_T\d{2}[A-Z]{3}", self.product):
            raise InputError("the product of a patch ends in its tile, _T33UUP", where=self.product)
        if self.column < 0 or self.row < 0:
            raise InputError(
                f"column {self.column}, row {self.row} lies outside a tile", where=self.product
            )

    def __str__(self) -> str:
        return f"{self.product}_{self.column:02d}_{self.row:02d}"

    @property
    def tile(self) -> str:
        """The MGRS tile, "33UUP"."""
        return self.product[-5:]

    @classmethod
    def parse(cls, text: str) -> PatchId:
        """Read a patch id.

        Raises:
            InputError: the text is not one.
        """
        match = _PATCH.fullmatch(text)
        if match is None:
            raise InputError(
                "not a patch id",
                where=text,
                do="One looks like S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57",
            )
        found = cls(match["product"], int(match["column"]), int(match["row"]))
        if str(found) != text:
            raise InputError(f"not a patch id, {found} is", where=text)
        return found
