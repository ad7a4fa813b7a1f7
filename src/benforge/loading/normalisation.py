"""Mean and standard deviation of each band, of the training patches or as published."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.contract import Normalisation
from benforge.core.sensor import Sensor
from benforge.errors import InputError
from benforge.loading.order import Positions, cut
from benforge.loading.reading import PatchReader, read_ahead

SOURCES = ("train", "published", "none")
LOOKED_AT = 8_192
"""Training patches that mean and std are taken of, evenly spread, where there are more."""
_BATCH = 256


def find_normalisation(
    source: str, reader: PatchReader, train: Positions, bands: Sequence[str], sensor: Sensor
) -> Normalisation:
    """The normalisation of these bands.

    Args:
        source: "train" measures it, pixels at native size, in float64; "published" is that of
            the authors (fidelity 30); "none" leaves reflectance as a share of 1.
        reader: of the archive.
        train: the training patches.
        bands: names, in the model's order.
        sensor: of the archive.

    Raises:
        InputError: no such source, or a band of the training patches never changes.
    """
    if source == "published":
        facts = load_bigearthnet()
        if strange := [band for band in bands if band not in facts.band_means]:
            raise InputError(
                f"no mean of band {strange[0]} was published", do="Normalise with: train"
            )
        means, stds = ([f[b] for b in bands] for f in (facts.band_means, facts.band_stds))
    elif source == "train":
        means, stds = _measure(reader, train, bands, sensor)
    elif source == "none":
        means, stds = [0.0] * len(bands), [float(sensor.quantification)] * len(bands)
    else:
        raise InputError(f"no normalisation is called {source!r}", do=f"Use {', '.join(SOURCES)}")
    if flat := [band for band, std in zip(bands, stds, strict=True) if not std > 0]:
        raise InputError(
            f"band {flat[0]} has one value in all training patches",
            do="Look at the archive with ben stats, or normalise with: published",
        )
    return Normalisation(source=source, mean=tuple(means), std=tuple(stds))


def _measure(
    reader: PatchReader, train: Positions, bands: Sequence[str], sensor: Sensor
) -> tuple[list[float], list[float]]:
    step = max(1, -(-len(train) // LOOKED_AT))
    chosen = train[::step]
    stored = {size: [b.name for b in sensor.bands_at(size)] for size in sensor.pixel_sizes}
    sums: dict[str, np.ndarray] = {band: np.zeros(3) for band in bands}
    parts = (chosen[part] for part in cut(len(chosen), _BATCH))
    for pixels in read_ahead(reader.read, parts, 1):
        for size, array in pixels.items():
            for band in set(bands) & set(stored[size]):
                values = array[:, stored[size].index(band)].astype(np.float64)
                sums[band] += values.size, values.sum(), np.square(values).sum()
    means = [sums[band][1] / sums[band][0] for band in bands]
    squares = [sums[band][2] / sums[band][0] for band in bands]
    stds = [float(np.sqrt(max(0.0, q - m * m))) for q, m in zip(squares, means, strict=True)]
    return [float(mean) for mean in means], stds
