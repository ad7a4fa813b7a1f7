"""Derive `core/facts/spectra.toml`, what the simulator paints, from real BigEarthNet patches.

    python tools/spectra.py ../shared/data

Of each class the patches with the fewest labels are taken, from April to September where there
are such; of those the pixels that can be of the class at all (without snow; water is dark in the
near infrared, a built-up pixel is not green, haze over plants shows in B01). All bands are averaged
to 60 m, where mean and the three strongest modes of the variation within patches are taken;
texture is what varies within 60 m at the band's own pixel size. Classes that the sample lacks
borrow another's spectrum, by name. Snow comes from the snowy patches, cloud from real L1C
reflectances of two cloudy dates.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio

from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import load_sensor

TARGET = Path(__file__).parents[1] / "src" / "benforge" / "core" / "facts" / "spectra.toml"
NAMES = tuple(band.name for band in load_sensor().patch_bands)
SIZES = tuple(band.pixel_size for band in load_sensor().patch_bands)
GREEN, RED, NIR, SWIR = (NAMES.index(name) for name in ("B03", "B04", "B08", "B11"))
LEAFY = range(4, 10)
CLEAR = 700
FEWEST_PIXELS = 60
MODES = 3
WATER = {511, 512, 521, 522, 523}
BUILT = {111, 112, 121, 122, 123, 124, 131, 132, 133, 331, 332}
LIKE = {
    122: 121, 124: 121, 131: 121, 132: 121, 133: 121, 141: 231, 142: 231, 213: 212, 221: 212,
    222: 242, 223: 244, 241: 242, 321: 231, 322: 324, 323: 324, 332: 331, 333: 244, 334: 324,
    411: 412, 421: 412, 422: 331, 423: 331, 511: 512, 521: 522,
}  # fmt: skip
HEAD = """\
# What the simulator paints: reflectance x 10,000 in the bands named below, and how often a class
# occurs. Derived by tools/spectra.py from the 66 real BigEarthNet v1 patches of the sample
# (bigearthnet-common, configilm; BigEarthNet: CDLA-Permissive-1.0); `cloud` from eo-learn's
# Slovenian L1C example (MIT).
# images: patches with the class in the 2019 paper, Table 2.
# patches, pixels: what the spectrum stands on (pixels of 60 m).
# modes: standard deviation times direction of the three strongest variations within patches.
# texture: standard deviation within 60 m, at the band's pixel size.
# like: the class lacks in the sample and borrows the spectrum of this code.
"""


@dataclass(frozen=True)
class Sample:
    """One real patch.

    Args:
        labels: CLC codes.
        leafy: sensed from April to September.
        coarse: `pixel band`, all bands at 60 m.
        texture: `pixel band`, variance within each 60 m pixel.
    """

    labels: frozenset[int]
    leafy: bool
    coarse: npt.NDArray[np.float64]
    texture: npt.NDArray[np.float64]

    @property
    def snow(self) -> npt.NDArray[np.bool_]:
        """`pixel`: bright in the green, dark in the short-wave infrared."""
        green, swir = self.coarse[:, GREEN], self.coarse[:, SWIR]
        return (green > 1500) & (green - swir > 0.5 * (green + swir))

    def of(self, code: int) -> npt.NDArray[np.bool_]:
        """`pixel`: what can be of the class."""
        nir, red, green = (self.coarse[:, band] for band in (NIR, RED, GREEN))
        wet = nir < np.maximum(green, 350)
        if code in WATER:
            return wet & ~self.snow
        if code in BUILT:
            return (nir - red < 0.45 * (nir + red)) & ~wet & ~self.snow
        clear = self.coarse[:, 0] < CLEAR
        return clear & ~wet & ~self.snow


def read_sample(folder: Path) -> Sample:
    """A patch of the published v1 layout."""
    about = json.loads((folder / f"{folder.name}_labels_metadata.json").read_text())
    clc = load_nomenclature("clc-43")
    labels = frozenset(clc.by_name(name).code for name in about["labels"])
    means, variances = [], []
    for name in NAMES:
        with rasterio.open(folder / f"{folder.name}_{name}.tif") as source:
            pixels = source.read(1).astype(np.float64)
        step = pixels.shape[0] // 20
        blocks = pixels.reshape(20, step, 20, step)
        means.append(blocks.mean((1, 3)).ravel())
        variances.append(blocks.var((1, 3)).ravel())
    month = int(folder.name.split("_")[2][4:6])
    return Sample(labels, month in LEAFY, np.stack(means, 1), np.stack(variances, 1))


def describe(samples: list[Sample], code: int) -> str | None:
    """The lines of one class, or None where the sample has too few of its pixels."""
    having = [s for s in samples if code in s.labels and s.of(code).sum() > 0]
    having = [s for s in having if s.leafy] or having
    for most in range(1, 13):
        chosen = [s for s in having if len(s.labels) <= most]
        if sum(int(s.of(code).sum()) for s in chosen) >= FEWEST_PIXELS:
            break
    else:
        return None
    pixels = [s.coarse[s.of(code)] for s in chosen]
    texture = np.concatenate([s.texture[s.of(code)] for s in chosen])
    return f"patches = {len(chosen)}\n" + statistics(pixels, texture)


def statistics(patches: list[npt.NDArray[np.float64]], variance: npt.NDArray[np.float64]) -> str:
    """The lines that tell a spectrum: mean, modes and texture.

    Between patches the air differs too, so modes are of the variation within them.
    """
    modes = principal(np.concatenate([patch - patch.mean(0) for patch in patches]))
    pixels = np.concatenate(patches)
    texture = np.sqrt(np.median(variance, axis=0))
    # Within a 60 m pixel nothing is seen of the 60 m bands; their neighbours stand in.
    texture[np.array(SIZES) == 60] = texture[np.array(SIZES) == 20].min() / 2
    lines = [f"pixels = {len(pixels)}", f"mean = {numbers(pixels.mean(0))}", "modes = ["]
    lines += [f"    {numbers(mode)}," for mode in modes]
    return "\n".join([*lines, "]", f"texture = {numbers(texture)}"])


def principal(pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`mode band`: the strongest directions of variation, each one standard deviation long."""
    values, vectors = np.linalg.eigh(np.cov(pixels, rowvar=False))
    modes: npt.NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0))).T[::-1][:MODES]
    # The sign of an eigenvector is free: brighter is positive.
    modes[modes.sum(1) < 0] *= -1
    return modes


def numbers(row: npt.NDArray[np.float64]) -> str:
    """A TOML array of whole numbers."""
    return "[" + ", ".join(str(round(float(x))) for x in row) + "]"


def read_cloud(file: Path) -> str:
    """The lines of `cloud`, from pixels brighter than 0.35 in blue on two cloudy dates."""
    dates = np.load(file)[:2].reshape(-1, 13)
    bands = [i for i, band in enumerate(load_sensor().bands) if band.in_patches]
    pixels = dates[dates[:, 1] > 0.35][:, bands].astype(np.float64) * 10_000
    lines = [f"pixels = {len(pixels)}", f"mean = {numbers(pixels.mean(0))}", "modes = ["]
    return "\n".join([*lines, *(f"    {numbers(mode)}," for mode in principal(pixels)), "]"])


def main() -> None:
    """Write the facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of real data")
    parser.add_argument("--out", type=Path, default=TARGET, help="where the facts go")
    given = parser.parse_args()
    data = given.data
    folders = sorted((data / "bigearthnet" / "v1-sample").iterdir())
    samples = [read_sample(folder) for folder in folders]
    table = data / "bigearthnet" / "metadata" / "table2_class_counts.csv"
    with table.open(newline="") as opened:
        images = {
            row[0]: int(row[1]) for row in list(csv.reader(opened, skipinitialspace=True))[1:]
        }
    parts = [HEAD + "bands = [" + ", ".join(f'"{name}"' for name in NAMES) + "]\n"]
    for clc in load_nomenclature("clc-43").classes:
        spectrum = describe(samples, clc.code) or f"like = {LIKE[clc.code]}"
        parts.append(f"[[class]]\ncode = {clc.code}\nimages = {images[clc.name]}\n{spectrum}\n")
    white = [(s, s.snow & (s.coarse[:, GREEN] > 2500)) for s in samples]
    snowy = [s.coarse[where] for s, where in white if where.any()]
    grain = np.concatenate([s.texture[where] for s, where in white])
    parts.append(f"[snow]\n{statistics(snowy, grain)}\n")
    cloud = read_cloud(data / "sentinel2" / "eolearn_slovenia_l1c.npy")
    parts.append(f"[cloud]\n{cloud}\n")
    given.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
