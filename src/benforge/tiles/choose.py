"""Choose products: one a tile and season, the least clouds first, baselines never mixed unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benforge.core.season import SEASONS
from benforge.errors import ConflictError, InputError
from benforge.tiles.entry import Entry
from benforge.tiles.ground import tiles_over
from benforge.tiles.selection import Gap, Selection, Step
from benforge.tiles.wish import Wish

SAME_BASELINES = (("02.05", "02.06"),)
"""Baselines that count as one (fidelity 20)."""

RULE = (
    "Of products of one acquisition the listed one, else that of the newest baseline, else the "
    "one processed last; then at most one acquisition a tile and season, the least clouds first, "
    "the earlier where they are equal."
)

Stage = tuple[str, list[Entry]]


def choose(entries: Iterable[Entry], wish: Wish, catalogue: str = "") -> Selection:
    """The products of a catalogue that a wish takes.

    Args:
        entries: what the catalogue lists; a product that stands there twice counts once.
        wish: conditions and how many.
        catalogue: where the entries come from: a profile's name, an address or a file.

    Raises:
        InputError: nothing is left; says which condition took the last.
        ConflictError: products of several baselines would stand side by side unasked.
    """
    stages = _stages(entries, wish)
    chosen = _take(stages[-1][1], wish.most)
    if not wish.mix_baselines and not wish.baselines:
        _check_baselines(chosen)
    steps = [Step(what, len(left)) for what, left in stages]
    if wish.most is not None:
        steps.append(Step(f"at most {wish.most}", len(chosen)))
    return Selection(
        entries=tuple(sorted(chosen, key=lambda e: (e.product.tile, e.time, e.name))),
        steps=tuple(steps),
        gaps=tuple(_gaps(stages, chosen, wish)),
        catalogue=catalogue,
        rule=RULE,
    )


def _stages(entries: Iterable[Entry], wish: Wish) -> list[Stage]:
    """What is left after each condition, the whole catalogue first.

    Raises:
        InputError: nothing is left.
    """
    stages: list[Stage] = [("in the catalogue", list({e.name: e for e in entries}.values()))]
    _check_any(stages[0][1], wish)
    for what, holds in wish.conditions():
        stages.append((what, [entry for entry in stages[-1][1] if holds(entry)]))
        _check_left(stages)
    stages.append(("newest of each acquisition", _newest(stages[-1][1], wish.names)))
    if not wish.names:
        stages.append(("one a tile and season", _least_cloudy(stages[-1][1])))
    return stages


def _newest(entries: Iterable[Entry], listed: Sequence[str]) -> list[Entry]:
    """One product of each acquisition."""
    names = set(listed)
    best: dict[object, Entry] = {}
    for entry in sorted(entries, key=lambda e: (e.name in names, e.product.baseline, e.generated)):
        best[entry.acquisition] = entry
    return list(best.values())


def _least_cloudy(entries: Iterable[Entry]) -> list[Entry]:
    """One acquisition of each tile and season."""
    best: dict[tuple[str, str], Entry] = {}
    for entry in sorted(entries, key=_by_cloud, reverse=True):
        best[entry.product.tile, entry.season] = entry
    return list(best.values())


def _by_cloud(entry: Entry) -> tuple[float, str, str]:
    """Least clouds first; a product whose clouds nobody tells counts as overcast."""
    return 100.0 if entry.cloud is None else entry.cloud, entry.product.time, entry.name


def _take(entries: Sequence[Entry], most: int | None) -> list[Entry]:
    """As many as wished, from the seasons in turn: the one that has fewest so far comes next."""
    if most is None:
        return list(entries)
    if most < 1:
        raise InputError(f"at most {most} is none", do="Wish for 1 or more")
    waiting: dict[str, list[Entry]] = {season: [] for season in SEASONS}
    for entry in sorted(entries, key=_by_cloud, reverse=True):
        waiting[entry.season].append(entry)
    chosen: list[Entry] = []
    counts = Counter(dict.fromkeys(SEASONS, 0))
    while len(chosen) < most and any(waiting.values()):
        season = min((s for s in SEASONS if waiting[s]), key=lambda s: counts[s])
        chosen.append(waiting[season].pop())
        counts[season] += 1
    return chosen


def _check_any(entries: Sequence[Entry], wish: Wish) -> None:
    """Raise where the catalogue gave nothing at all.

    Raises:
        InputError: says what it was asked for.
    """
    if not entries:
        asked = ", ".join(what for what, _ in wish.conditions() if "cloud" not in what)
        raise InputError(
            f"nothing to choose from, the catalogue lists no product of {asked}",
            do="Ask for a wider area or period, or another level",
        )


def _check_left(stages: Sequence[Stage]) -> None:
    """Raise where a condition left nothing.

    Raises:
        InputError: says which, how many it was given, and what those are like.
    """
    (what, left), before = stages[-1], stages[:-1]
    if left:
        return
    counts = ", ".join(f"{name} {len(found)}" for name, found in before)
    raise InputError(
        f"no product is left after the condition {what!r}; before it: {counts}",
        do=f"Of those, {_told(before[-1][1])}; ask for less",
    )


def _told(entries: Sequence[Entry]) -> str:
    """What entries are like, in the terms that conditions have."""
    clouds = [e.cloud for e in entries if e.cloud is not None]
    times = sorted(e.time for e in entries)
    clear = f"the clearest has {min(clouds):g} % clouds" if clouds else "none tells its clouds"
    levels = ", ".join(sorted({e.product.level for e in entries}))
    baselines = ", ".join(sorted({e.baseline for e in entries}))
    return (
        f"levels are {levels}, baselines {baselines}, dates {times[0]:%Y-%m-%d} to "
        f"{times[-1]:%Y-%m-%d}, and {clear}"
    )


def _check_baselines(chosen: Sequence[Entry]) -> None:
    group_of = {b: group[0] for group in SAME_BASELINES for b in group}
    counts = Counter(entry.baseline for entry in chosen)
    if len({group_of.get(b, b) for b in counts}) > 1:
        told = ", ".join(f"{baseline} ({n})" for baseline, n in sorted(counts.items()))
        raise ConflictError(
            f"processing baselines would be mixed: {told}",
            do=f"Name those that you want, as in --baseline {max(counts)}, or allow it with "
            "--mix-baselines",
        )


def _gaps(stages: Sequence[Stage], chosen: Sequence[Entry], wish: Wish) -> list[Gap]:
    """What could not be had: each tile and season without a product, or each listed product."""
    if wish.names:
        return _missing(stages, chosen, wish)
    ground = {"in the catalogue", f"level {wish.level}"}
    seen = next((e for what, e in reversed(stages) if what in ground or what.startswith("area ")))
    wished = wish.tiles or (tiles_over(wish.area) if wish.area is not None else ())
    tiles = sorted(set(wished) or {entry.product.tile for entry in seen})
    seasons = wish.period.seasons if wish.period else SEASONS
    held = {(entry.product.tile, entry.season) for entry in chosen}
    places = [_places(left) for _, left in stages]
    return [
        Gap(tile, season, _reason(stages, places, (tile, season)))
        for tile in tiles
        for season in seasons
        if (tile, season) not in held
    ]


def _places(entries: Iterable[Entry]) -> Mapping[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.product.tile, entry.season), []).append(entry)
    return found


def _reason(
    stages: Sequence[Stage],
    places: Sequence[Mapping[tuple[str, str], list[Entry]]],
    at: tuple[str, str],
) -> str:
    """Which condition took the last product of a tile and season."""
    for (what, _), before, after in zip(stages[1:], places, places[1:], strict=False):
        if at in before and at not in after:
            clouds = [e.cloud for e in before[at] if e.cloud is not None]
            least = f", the least is {min(clouds):g} %" if clouds and "cloud" in what else ""
            return f"none with {what}{least}"
    return "left out to keep the number" if at in places[-1] else "none in the catalogue"


def _missing(stages: Sequence[Stage], chosen: Sequence[Entry], wish: Wish) -> list[Gap]:
    held = {entry.acquisition for entry in chosen}
    gaps = []
    for name in wish.names:
        wanted = Entry.named(name)
        if wanted.acquisition in held:
            continue
        reason = "none in the catalogue"
        for (what, _), (_, before) in zip(stages[1:], stages, strict=False):
            if any(e.acquisition == wanted.acquisition for e in before):
                reason = f"none with {what}"
        gaps.append(Gap(wanted.product.tile, wanted.season, f"{name}: {reason}"))
    return gaps
