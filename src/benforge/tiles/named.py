"""Selections that have a name: the products that an archive was built from, by their ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError
from benforge.tiles.entry import Entry
from benforge.tiles.selection import Selection, Step
from benforge.tiles.wish import Wish

NAMED: dict[str, Callable[[], tuple[str, ...]]] = {
    "bigearthnet-2019": lambda: load_bigearthnet().products
}
"""Name to the full ids of its products; a further selection adds itself here."""


def names_of(selection: str) -> tuple[str, ...]:
    """The full ids of a named selection's products.

    Raises:
        InputError: no selection is called so.
    """
    if selection not in NAMED:
        raise InputError("no selection is called so", where=selection, do=f"Try {', '.join(NAMED)}")
    return NAMED[selection]()


def named_selection(name: str) -> Selection:
    """A named selection from its ids alone: where its files lie is not known.

    Raises:
        InputError: no selection is called so.
    """
    entries = sorted(map(Entry.named, names_of(name)), key=lambda e: (e.product.tile, e.time))
    return Selection(tuple(entries), steps=(Step(f"listed in {name}", len(entries)),))


def wish_for(name: str, wish: Wish) -> Wish:
    """The wish for the acquisitions of a named selection, in its baselines if none are named.

    Raises:
        InputError: no selection is called so.
    """
    names = names_of(name)
    baselines = wish.baselines or tuple(sorted({Entry.named(n).baseline for n in names}))
    return replace(wish, names=names, names_of=name, baselines=baselines)
