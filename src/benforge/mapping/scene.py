"""The map of one scene: decoded once, asked about window by window, written whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.archive.executors import available_cores
from benforge.core.files import ANEW, write_atomic
from benforge.core.progress import Progress, silent
from benforge.correction.port import Processor
from benforge.inference.windows import WindowModel
from benforge.mapping.clouds import Cover, find_cover
from benforge.mapping.facts import MapChoices, MapFacts, name_simulated
from benforge.mapping.picture import draw_map, true_color
from benforge.mapping.place import (
    PATCHES,
    PICTURE,
    SCORES,
    MapNote,
    WindowCounts,
    check_place,
    find_whole,
    write_whole,
)
from benforge.mapping.plan import MapPlan, plan_map
from benforge.mapping.raster import write_scores
from benforge.mapping.reading import DecodedScene, decode_scene
from benforge.mapping.vector import tell_patches, write_patches
from benforge.quality.recipe import ScreenRecipe
from benforge.scenes.port import SceneMetadata, SceneReader


class ProductMap(msgspec.Struct, frozen=True, kw_only=True):
    """The map of one product.

    Args:
        product: full id of the L2A product.
        folder: of the map.
        files: in it.
        left_alone: whether it was there, whole.
        corrected_by: what took the atmosphere off first; "" where the product was L2A.
        clouds_by: what told clouds.
        keep_clouds: whether windows under them were asked about.
        simulated: what of it is simulated, or "".
        counts: of its windows.
    """

    product: str
    folder: str
    files: tuple[str, ...]
    left_alone: bool
    corrected_by: str
    clouds_by: str
    keep_clouds: bool
    simulated: str
    counts: WindowCounts

    def line(self) -> str:
        """For people."""
        counts = self.counts
        parts = [
            f"{counts.windows - counts.clouded - counts.empty:,} of {counts.windows:,} windows",
            *([f"{counts.clouded:,} under cloud or shadow"] if counts.clouded else []),
            *([f"{counts.empty:,} without data"] if counts.empty else []),
            "clouds kept" if self.keep_clouds else f"clouds by {self.clouds_by}",
            *([f"corrected by {self.corrected_by}"] if self.corrected_by else []),
            *([f"simulated {self.simulated}"] if self.simulated else []),
            *(["left alone"] if self.left_alone else []),
        ]
        return f"{self.folder}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True, eq=False)
class MapWork:
    """How maps are made.

    Args:
        choices: of the map.
        processor: what corrects L1C; None takes sen2cor where found, else 6S.
        batch_size: windows at once.
        verify: hold each band to the checksum that its product lists.
        threads: bands decoded at the same time.
        screening: thresholds of cloud and shadow.
    """

    choices: MapChoices = field(default_factory=MapChoices)
    processor: str | Processor | None = None
    batch_size: int = 128
    verify: bool = True
    threads: int = field(default_factory=available_cores)
    screening: ScreenRecipe = field(default_factory=ScreenRecipe)


def name_map(about: SceneMetadata) -> str:
    """Of the map's folder: the product, and its tile where the name tells none."""
    return about.source if about.tile in about.source else f"{about.source}_T{about.tile}"


def map_scene(
    scene: SceneReader,
    model: WindowModel,
    out: Path,
    work: MapWork,
    *,
    corrected_by: str = "",
    progress: Progress = silent,
) -> ProductMap:
    """Map one scene into a folder of `out`, unless it is there and whole."""
    about = scene.metadata
    plan = plan_map(about.grid, model.contract.patch_pixels, work.choices.stride)
    folder = out / name_map(about)
    facts = _facts(about, model, work.choices, plan, corrected_by)
    note = find_whole(folder, facts)
    if note is not None:
        return _summary(folder, note, left_alone=True)
    check_place(folder)
    clouds = not work.choices.keep_clouds
    decoded = decode_scene(
        scene, model.contract.bands, clouds=clouds, threads=work.threads, progress=progress
    )
    cover = find_cover(plan, decoded.mosaics, decoded.sensor, decoded.codes, work.screening)
    clouded = cover.clouded(work.screening) & clouds
    seen = np.flatnonzero(~(cover.empty | clouded))
    scores = model.score(
        decoded.mosaics,
        decoded.sensor,
        plan.corners[seen],
        batch_size=work.batch_size,
        progress=progress,
    )
    progress("writing")
    facts = msgspec.structs.replace(facts, clouds_by=cover.source)
    asked = _Asked(plan, seen, scores, clouded, cover)
    counts = _counts(asked, facts)
    note = write_whole(folder, facts, counts, lambda draft: _fill(draft, asked, decoded, facts))
    return _summary(folder, note, left_alone=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The windows of a scene and what the model said.

    Args:
        plan: all windows.
        seen: those that it was asked about.
        scores: `window label` of these.
        clouded: of all, whether cloud is why one was not asked about.
        cover: of all.
    """

    plan: MapPlan
    seen: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    clouded: npt.NDArray[np.bool_]
    cover: Cover

    def raster(self) -> npt.NDArray[np.float32]:
        """`label row col`, NaN where a window was not asked about."""
        room = np.full((self.scores.shape[1], len(self.plan)), np.nan, np.float32)
        room[:, self.seen] = self.scores.T
        return room.reshape(-1, *self.plan.shape)


def _facts(
    about: SceneMetadata, model: WindowModel, choices: MapChoices, plan: MapPlan, by: str
) -> MapFacts:
    contract = model.contract
    return MapFacts(
        product=about.source,
        fingerprint=about.fingerprint,
        corrected_by=by,
        model=contract.title,
        weights=model.digest,
        nomenclature=contract.nomenclature,
        own=contract.own,
        classes=contract.classes,
        threshold=choices.threshold,
        stride=plan.stride,
        edge=plan.edge,
        keep_clouds=choices.keep_clouds,
        vector=choices.vector,
        simulated=name_simulated(model=contract.simulated, product=about.simulated),
    )


def _counts(asked: _Asked, facts: MapFacts) -> WindowCounts:
    having = (asked.scores >= np.float32(facts.threshold)).sum(axis=0).tolist()
    return WindowCounts(
        windows=len(asked.plan),
        clouded=int(asked.clouded.sum()),
        empty=int(asked.cover.empty.sum()),
        labels=dict(zip(facts.classes, having, strict=True)),
    )


def _fill(folder: Path, asked: _Asked, decoded: DecodedScene, facts: MapFacts) -> None:
    """The files of a map."""
    plan, raster = asked.plan, asked.raster()
    write_scores(folder / SCORES, plan.grid, raster, facts)
    product = str(decoded.metadata.product)
    patches = tell_patches(plan, asked.seen, asked.scores, asked.cover, facts, product)
    write_patches(folder / PATCHES[facts.vector], patches, facts)
    color = true_color(decoded.mosaics, decoded.sensor)
    clouded = asked.clouded.reshape(plan.shape)
    write_atomic(folder / PICTURE, draw_map(plan, raster, clouded, facts, color), ANEW)


def _summary(folder: Path, note: MapNote, *, left_alone: bool) -> ProductMap:
    facts = note.facts
    return ProductMap(
        product=facts.product,
        folder=str(folder),
        files=tuple(sorted(note.files)),
        left_alone=left_alone,
        corrected_by=facts.corrected_by,
        clouds_by=facts.clouds_by,
        keep_clouds=facts.keep_clouds,
        simulated=facts.simulated,
        counts=note.counts,
    )
