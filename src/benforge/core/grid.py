"""A north-up raster grid: where pixels lie on the ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benforge.errors import GridError


@dataclass(frozen=True, slots=True)
class Bounds:
    """An axis-aligned box in the units of its CRS (metres in UTM)."""

    left: float
    bottom: float
    right: float
    top: float

    def __iter__(self) -> Iterator[float]:
        """Left, bottom, right, top: the order of shapely and rasterio."""
        return iter((self.left, self.bottom, self.right, self.top))


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up grid of square pixels.

    Args:
        crs: an authority code, such as "EPSG:32633".
        ulx: easting of the upper-left corner of the upper-left pixel, in CRS units.
        uly: northing of the same corner.
        pixel_size: edge of a pixel, in CRS units (m in UTM).
        height: rows.
        width: columns.

    Raises:
        GridError: a size that is not positive, or a CRS that is not `AUTHORITY:CODE`.
    """

    crs: str
    ulx: float
    uly: float
    pixel_size: float
    height: int
    width: int

    def __post_init__(self) -> None:
        authority, _, code = self.crs.partition(":")
        if not authority or not code:
            raise GridError(
                "the CRS is not AUTHORITY:CODE", where=self.crs, do="Write it as EPSG:32633"
            )
        if self.height <= 0 or self.width <= 0 or self.pixel_size <= 0:
            raise GridError(
                f"a grid of {self.height} x {self.width} pixels of {self.pixel_size} is empty"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def bounds(self) -> Bounds:
        """The outer edges."""
        return Bounds(
            self.ulx,
            self.uly - self.height * self.pixel_size,
            self.ulx + self.width * self.pixel_size,
            self.uly,
        )

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients a b c d e f: `rasterio.Affine(*grid.transform)`."""
        return self.pixel_size, 0.0, self.ulx, 0.0, -self.pixel_size, self.uly

    def crop(self, row: int, col: int, height: int, width: int) -> Grid:
        """The window of `height` x `width` pixels whose upper-left pixel is (`row`, `col`).

        Raises:
            GridError: the window reaches over the edge.
        """
        if row < 0 or col < 0 or row + height > self.height or col + width > self.width:
            raise GridError(
                f"a window of {height} x {width} at row {row}, column {col} "
                f"reaches over a grid of {self.height} x {self.width}"
            )
        ulx, uly = self.ulx + col * self.pixel_size, self.uly - row * self.pixel_size
        return Grid(self.crs, ulx, uly, self.pixel_size, height, width)

    def resized(self, pixel_size: float) -> Grid:
        """The same ground in pixels of another size.

        Raises:
            GridError: the ground is not a whole number of such pixels.
        """
        height, width = (n * self.pixel_size / pixel_size for n in self.shape)
        if height != int(height) or width != int(width):
            raise GridError(
                f"{self.height} x {self.width} pixels of {self.pixel_size:g} "
                f"are not a whole number of pixels of {pixel_size:g}"
            )
        return Grid(self.crs, self.ulx, self.uly, pixel_size, int(height), int(width))

    def split(self, height: int, width: int) -> Iterator[Grid]:
        """The blocks of `height` x `width` pixels, row by row.

        Raises:
            GridError: the grid is not a whole number of blocks.
        """
        if self.height % height or self.width % width:
            raise GridError(
                f"{self.height} x {self.width} pixels do not split into {height} x {width}"
            )
        for row in range(0, self.height, height):
            for col in range(0, self.width, width):
                yield self.crop(row, col, height, width)
