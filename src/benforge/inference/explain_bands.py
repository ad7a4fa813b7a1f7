"""Which bands a model leans on: what it loses when they are permuted among patches.

After L. Breiman, Random Forests (2001): a patch keeps all its bands but one, which it gets, whole,
from another patch. What the model then loses is how much it needs that band, as the others are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.errors import InputError
from benforge.evaluation.average_precision import class_average_precisions, mean_average_precision
from benforge.evaluation.counts import Counts, measure
from benforge.evaluation.figure import Figure
from benforge.inference.explained import Base, Drop, Importance
from benforge.inference.predict import BATCH, score
from benforge.labels.hot import Hot
from benforge.loading.inputs import Batch, PatchInputs, Turns
from benforge.loading.order import Positions, cut
from benforge.loading.reading import Pixels, read_ahead

Permutations = npt.NDArray[np.int64]
"""`repeat patch`: for each patch, the place of the one whose bands it gets."""

ALL = "all bands"
WAVELENGTHS: Mapping[str, tuple[float, float]] = {
    "visible": (450, 690),
    "red edge": (690, 800),
    "near infrared": (800, 900),
    "short-wave infrared": (1500, 2500),
}
"""Groups by central wavelength, nm, from and below."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A model and the patches that it is asked about.

    Args:
        model: in evaluation mode.
        inputs: an archive's patches as it sees them.
        positions: in the index.
        targets: `patch label`, of these patches.
        threshold: from which score on a class is predicted.
        batch_size: patches at once; changes nothing beyond rounding.
    """

    model: nn.Module
    inputs: PatchInputs
    positions: Positions
    targets: Hot
    threshold: float = 0.5
    batch_size: int = BATCH

    def base(self, scores: npt.NDArray[np.float32]) -> Base:
        """The figures of scores, `patch label`."""
        decided = scores >= np.float32(self.threshold)
        patches = Counts.of_patches(decided, self.targets)
        classes = Counts.of_classes(decided, self.targets)
        each = class_average_precisions(scores, self.targets)
        return Base(
            f1=measure(Figure("sample", "f1"), patches, classes),
            average_precision=mean_average_precision(each) or 0.0,
            per_class=each,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PermutedInputs:
    """Patches with some bands of other patches, in the numbers that are stored.

    Args:
        inputs: the patches as they are.
        donors: position in the index of the patch whose bands each gets.
        places: pixel size (m) to where the permuted bands stand among the stored ones.
    """

    inputs: PatchInputs
    donors: Positions
    places: Mapping[int, list[int]]

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `loading.inputs.Inputs` says; `positions` are as many as `donors`."""
        reader = self.inputs.reader

        def read(part: slice) -> tuple[slice, Pixels]:
            own, given = reader.read(positions[part]), reader.read(self.donors[part])
            for pixel_size, bands in self.places.items():
                own[pixel_size][:, bands] = given[pixel_size][:, bands]
            return part, own

        for part, pixels in read_ahead(read, cut(len(positions), size, start), 1):
            chosen = None if turns is None else turns[part]
            yield Batch(positions[part], self.inputs.prepare(pixels, chosen))


def draw_permutations(patches: int, repeats: int, seed: int) -> Permutations:
    """One permutation a repeat; the same for every band, so that bands are compared alike."""
    random = np.random.default_rng(seed)
    return np.stack([random.permutation(patches) for _ in range(repeats)])


def group_bands(bands: Sequence[str], sensor: Sensor) -> dict[str, tuple[str, ...]]:
    """Group to the bands of a model in it: by pixel size, by wavelength, and all of them.

    Groups of fewer than two bands, and those that are all of the model's, are left out.
    """
    known = [sensor.band(name) for name in bands]
    groups = {
        **{f"{m} m": tuple(b.name for b in known if b.pixel_size == m) for m in sensor.pixel_sizes},
        **{
            name: tuple(b.name for b in known if low <= b.wavelength < high)
            for name, (low, high) in WAVELENGTHS.items()
        },
    }
    kept = {name: of for name, of in groups.items() if 1 < len(of) < len(bands)}
    return {**kept, ALL: tuple(bands)}


def parse_groups(
    words: Sequence[str], bands: Sequence[str], sensor: Sensor
) -> dict[str, tuple[str, ...]]:
    """Groups from words such as "vegetation=B05,B06"; those of `group_bands` without any.

    Raises:
        InputError: a word that is none, or a band that the model does not see.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if not (name.strip() and equals and named):
            raise InputError(f"{word!r} is no group of bands", do="Write name=B05,B06")
        if lost := [band for band in named if band not in bands]:
            raise InputError(
                f"the model sees no band {lost[0]}", where=word, do=f"It sees {', '.join(bands)}"
            )
        found[name.strip()] = named
    return {**found, ALL: tuple(bands)} if found else group_bands(bands, sensor)


def band_importance(
    asked: Asked,
    sensor: Sensor,
    features: Mapping[str, Sequence[str]],
    permutations: Permutations,
    base: Base,
    progress: Progress = silent,
) -> list[Importance]:
    """What permuting each of these bands or groups costs.

    Bands are permuted in the numbers that are stored, before normalisation and interpolation.

    Args:
        asked: the model and the patches.
        sensor: of the archive.
        features: name to the bands that are permuted together.
        permutations: of the patches, one a repeat.
        base: the figures of the patches as they are.
        progress: told how many patches were asked about.
    """
    each, done = len(asked.positions), 0
    total = each * len(features) * len(permutations)
    found = []
    for name, bands in features.items():
        bases, places = [], stored_places(sensor, bands)
        for order in permutations:
            inputs = PermutedInputs(asked.inputs, asked.positions[order], places)
            progress(f"permuting {name}", done, total)
            bases.append(asked.base(score(asked.model, inputs, asked.positions, asked.batch_size)))
            done += each
        found.append(_importance(name, tuple(bands), base, bases))
    return found


def stored_places(sensor: Sensor, bands: Sequence[str]) -> dict[int, list[int]]:
    """Pixel size (m) to where these bands stand among the stored ones of that size."""
    places: dict[int, list[int]] = {}
    for name in bands:
        size = sensor.band(name).pixel_size
        stored = [band.name for band in sensor.bands_at(size)]
        places.setdefault(size, []).append(stored.index(name))
    return places


def _importance(
    name: str, bands: tuple[str, ...], base: Base, permuted: Sequence[Base]
) -> Importance:
    each = [
        None if value is None else _drop(value, [one.per_class[i] or 0.0 for one in permuted])
        for i, value in enumerate(base.per_class)
    ]
    return Importance(
        name=name,
        bands=bands,
        f1=_drop(base.f1, [one.f1 for one in permuted]),
        average_precision=_drop(
            base.average_precision, [one.average_precision for one in permuted]
        ),
        per_class=tuple(each),
    )


def _drop(base: float, permuted: Sequence[float]) -> Drop:
    values = [base - value for value in permuted]
    return Drop(mean=float(np.mean(values)), deviation=float(np.std(values)), values=tuple(values))
