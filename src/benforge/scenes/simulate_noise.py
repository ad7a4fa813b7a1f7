"""Smooth random fields over the ground, the same whatever the pixel size they are asked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.floating]

_SPREAD = 0.69
"""Standard deviation, along one axis, of a cubic B-spline through unit white noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """A smooth field with mean 0 and standard deviation 1 that repeats itself far away.

    A cubic B-spline over a lattice of white noise: it has no corners and no direction.

    Args:
        lattice: square, white noise.
        pitch: metres between lattice points; features are about twice as long.
    """

    lattice: Floats
    pitch: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pitch: float, points: int = 256) -> Noise:
        """A random field that repeats after `points * pitch` metres."""
        return cls(rng.standard_normal((points, points), dtype=np.float32), pitch)

    def at(self, ys: Places, xs: Places) -> Floats:
        """The field at every crossing of rows and columns.

        Args:
            ys: place of each row, m.
            xs: place of each column, m.

        Returns:
            `row col`, float32.
        """
        along = np.zeros((len(ys), len(self.lattice)), np.float32)
        for row, weight in self._taps(ys):
            along += self.lattice[row] * weight[:, None]
        field = np.zeros((len(ys), len(xs)), np.float32)
        for col, weight in self._taps(xs):
            field += np.take(along, col, axis=1) * weight
        return field

    def _taps(self, places: Places) -> list[tuple[npt.NDArray[np.intp], Floats]]:
        """Lattice points around each place, and their spline weights scaled to spread 1."""
        position = places / self.pitch
        first = np.floor(position).astype(np.intp)
        t = position - first
        weights = [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ]
        return [
            ((first + k) % len(self.lattice), (weight / _SPREAD).astype(np.float32))
            for k, weight in enumerate(weights)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Octaves:
    """A sum of fields of different pitch: coarse shapes with finer and finer edges.

    Args:
        fields: the fields.
        weights: one each; the sum is scaled to standard deviation 1.
    """

    fields: tuple[Noise, ...]
    weights: tuple[float, ...]

    @classmethod
    def draw(
        cls, rng: np.random.Generator, pitches: Sequence[float], roughness: float = 0.5
    ) -> Octaves:
        """Random fields of these pitches, each weaker than the one before by `roughness`."""
        weights = np.array([roughness**k for k in range(len(pitches))])
        weights /= np.sqrt((weights**2).sum())
        fields = tuple(Noise.draw(rng, pitch) for pitch in pitches)
        return cls(fields, tuple(float(w) for w in weights))

    def at(self, ys: Places, xs: Places) -> Floats:
        """The field at every crossing of rows and columns, `row col`."""
        total = np.zeros((len(ys), len(xs)), np.float32)
        for field, weight in zip(self.fields, self.weights, strict=True):
            total += field.at(ys, xs) * np.float32(weight)
        return total
