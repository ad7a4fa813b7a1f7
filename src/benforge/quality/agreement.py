"""How far reviewers agree: Cohen's kappa between each two, on patches that both decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import combinations

import msgspec

from benforge.quality.ledger import Ledger


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two reviewers.

    Args:
        a: the one.
        b: the other.
        patches: that both decided.
        kappa: Cohen's, 1 for full agreement, 0 for what chance gives; None where it is not
            defined: no patch in common, or both gave one and the same answer throughout.
    """

    a: str
    b: str
    patches: int
    kappa: float | None


def agreements(ledger: Ledger) -> list[Agreement]:
    """Every two reviewers with a patch in common; an answer is the set of flags of a patch."""
    answers = {name: ledger.standing_of(name) for name in ledger.reviewers}
    found = []
    for a, b in combinations(answers, 2):
        both = answers[a].keys() & answers[b].keys()
        if both:
            pairs = [(frozenset(answers[a][patch]), frozenset(answers[b][patch])) for patch in both]
            kappa = cohen_kappa(pairs)
            found.append(Agreement(a=a, b=b, patches=len(both), kappa=kappa))
    return found


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa of two raters, from the answers of both to the same questions.

    None where it is not defined: no question, or chance alone gives full agreement.
    Source: J. Cohen, A coefficient of agreement for nominal scales (1960).
    """
    total = len(pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(count * others[answer] for answer, count in ones.items())
    if chance == total * total:
        return None
    agreed = total * sum(one == other for one, other in pairs)
    return (agreed - chance) / (total * total - chance)
