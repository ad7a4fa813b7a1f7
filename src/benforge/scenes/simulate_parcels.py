"""Fields and city blocks: how the inside of a simulated polygon is divided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.scenes.simulate_noise import Floats, Places

_SIZES = {1: (90.0, 120.0), 2: (170.0, 330.0)}
"""Metres along a parcel by level 1 of CLC: city blocks and fields."""

_WHOLE = (1e7, 1e7)
"""Nature is not divided."""

_PARCEL, _POLYGON = 0.75, 0.5
"""How much of a class's variation lies between parcels, and between polygons."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcels:
    """Every polygon has its own lattice of parcels, each row of it shifted by chance.

    Args:
        right: `axis polygon`, parcels a metre to the right, along and across them.
        down: `axis polygon`, likewise for a metre downward.
        moods: `mode polygon`, what sets a polygon apart from others of its class.
        own: `polygon`, how much its parcels differ.
    """

    right: Floats
    down: Floats
    moods: Floats
    own: Floats

    def at(self, polygons: npt.NDArray[np.int32], ys: Places, xs: Places) -> tuple[Floats, Floats]:
        """Two independent numbers of each pixel's parcel and polygon, mean 0.

        Args:
            polygons: `row col`.
            ys: metres down of each row.
            xs: metres right of each column.

        Returns:
            Twice `row col`, float32.
        """
        down, right = ys.astype(np.float32)[:, None], xs.astype(np.float32)[None, :]
        along, across = (
            right * np.take(self.right[axis], polygons) + down * np.take(self.down[axis], polygons)
            for axis in (0, 1)
        )
        column = np.floor(along).astype(np.int32)
        seed = column * np.int32(40_503) ^ polygons * np.int32(69_069)
        across += (_scatter(seed) & np.uint32(255)) * np.float32(1 / 256)
        chance = _scatter(seed ^ np.floor(across).astype(np.int32) * np.int32(30_011))
        own = np.take(self.own, polygons)
        first = own * _level(chance & np.uint32(0xFFFF)) + np.take(self.moods[0], polygons)
        second = own * _level(chance >> np.uint32(16)) + np.take(self.moods[1], polygons)
        return first, second


def draw_parcels(codes: npt.NDArray[np.int32], rng: np.random.Generator) -> Parcels:
    """Parcels of polygons of these CLC classes, each polygon's in a direction of its own."""
    sizes = np.array([_SIZES.get(int(code) // 100, _WHOLE) for code in codes])
    angle = rng.uniform(0, np.pi, len(codes))
    right = np.stack([np.cos(angle), -np.sin(angle)]) / sizes.T
    down = np.stack([np.sin(angle), np.cos(angle)]) / sizes.T
    divided = sizes[:, 0] < _WHOLE[0]
    moods = rng.standard_normal((2, len(codes))) * np.where(divided, _POLYGON, 0.9)
    own = np.where(divided, _PARCEL, 0)
    return Parcels(*(a.astype(np.float32) for a in (right, down, moods, own)))


def _scatter(numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    """32 random-looking bits for each number, always the same for the same number."""
    bits = numbers.view(np.uint32).copy()
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        bits ^= bits >> np.uint32(shift)
        bits *= np.uint32(factor)
    bits ^= bits >> np.uint32(16)
    return bits


def _level(chance: npt.NDArray[np.uint32]) -> Floats:
    """16 random bits as a number with mean 0 and standard deviation 1."""
    half = np.float32(0.5)
    return (chance.astype(np.float32) * np.float32(1 / 65536) - half) * np.float32(12**0.5)
