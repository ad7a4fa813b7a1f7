"""Classes spread over a lattice, and regions grown together until as many are left as asked."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def nearest_seed(
    ys: Floats, xs: Floats, jitter: npt.NDArray[np.float32], lattice: tuple[int, int]
) -> Ints:
    """Which seed each place is nearest to, where every cell of a lattice holds one seed.

    Args:
        ys: `row col`, places in cells of the lattice, downward.
        xs: `row col`, to the right.
        jitter: `axis row col` of the lattice, where in its cell each seed lies, 0 to 1.
        lattice: rows and columns; places outside belong to the seeds at its edge.

    Returns:
        `row col`, index of the seed, `lattice_row * columns + lattice_column`.
    """
    rows, cols = lattice
    home_row = np.clip(ys.astype(np.int32), 0, rows - 1)
    home_col = np.clip(xs.astype(np.int32), 0, cols - 1)
    best = np.full(ys.shape, np.inf, np.float32)
    nearest = np.zeros(ys.shape, np.int32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row = np.clip(home_row + down, 0, rows - 1)
            col = np.clip(home_col + right, 0, cols - 1)
            distance = (ys - row - jitter[0][row, col]) ** 2
            distance += (xs - col - jitter[1][row, col]) ** 2
            closer = distance < best
            best[closer] = distance[closer]
            nearest[closer] = (row * cols + col)[closer]
    return nearest


def borders(regions: Ints) -> tuple[Ints, Ints, Ints]:
    """Which regions touch: two arrays of region numbers and the length of each border in cells."""
    pairs = [
        np.stack([regions[:, :-1].ravel(), regions[:, 1:].ravel()]),
        np.stack([regions[:-1].ravel(), regions[1:].ravel()]),
    ]
    both = np.concatenate([p[:, p[0] != p[1]] for p in pairs], axis=1).astype(np.int64)
    low, high = both.min(0), both.max(0)
    keys, lengths = np.unique(low << 32 | high, return_counts=True)
    return (
        (keys >> 32).astype(np.int32),
        (keys & 0xFFFFFFFF).astype(np.int32),
        lengths.astype(np.int32),
    )


class RegionGraph:
    """Regions that touch, and what becomes of them when some are absorbed by a neighbour.

    Args:
        classes: class of each region; a region that does not occur has area 0.
        areas: cells of each region.
        edges: first region, second region, length of their border.
    """

    def __init__(self, classes: Ints, areas: Ints, edges: tuple[Ints, Ints, Ints]) -> None:
        self._class = classes.tolist()
        self._area = areas.tolist()
        self._into = list(range(len(classes)))
        self._touching: list[dict[int, int]] = [{} for _ in classes]
        self.count = int((areas > 0).sum())
        for a, b, length in zip(*(edge.tolist() for edge in edges), strict=True):
            self._touching[a][b] = self._touching[b][a] = length

    def join_akin(self, target: int, rng: np.random.Generator) -> None:
        """Join neighbours of one class, until none are left or only `target` regions are."""
        akin = [
            (a, b)
            for a, touching in enumerate(self._touching)
            for b in touching
            if a < b and self._class[a] == self._class[b]
        ]
        for index in rng.permutation(len(akin)).tolist():
            if self.count <= target:
                return
            a, b = akin[index]
            self._merge(self._find(a), self._find(b))

    def shrink(self, target: int, rng: np.random.Generator) -> None:
        """Let regions be absorbed, the small ones first with some luck, until `target` are left.

        A region goes to the neighbour with the longest border, one of its own kind (same
        level 1 of CLC) before others; it takes the neighbour's class.
        """
        luck = rng.uniform(0.3, 1.0, len(self._area)).tolist()

        def weight(region: int) -> float:
            return float(self._area[region] ** 0.5 * luck[region])

        queue = [(weight(region), region) for region in self._roots()]
        heapq.heapify(queue)
        while self.count > target and queue:
            old, region = heapq.heappop(queue)
            if self._into[region] != region or not self._touching[region]:
                continue
            # What has grown since it was queued, by absorbing others, waits for its turn again.
            grown = region if weight(region) > old else self._absorb(region)
            heapq.heappush(queue, (weight(grown), grown))

    def merged(self) -> tuple[Ints, Ints]:
        """For each region: the region it is now part of, and that one's class."""
        roots = [self._find(region) for region in range(len(self._into))]
        classes = [self._class[root] for root in roots]
        return np.array(roots, np.int32), np.array(classes, np.int32)

    def _roots(self) -> Iterable[int]:
        return (r for r, into in enumerate(self._into) if r == into and self._area[r] > 0)

    def _absorb(self, region: int) -> int:
        """Give a region to a neighbour; returns the region that they are now."""
        kind = self._class[region] // 100

        def pull(neighbour: int) -> tuple[int, int]:
            akin = 3 if self._class[neighbour] // 100 == kind else 1
            return self._touching[region][neighbour] * akin, -neighbour

        goal = max(self._touching[region], key=pull)
        self._class[region] = self._class[goal]
        root = self._merge(region, goal)
        for neighbour in sorted(self._touching[root]):
            neighbour, root = self._find(neighbour), self._find(root)
            if neighbour != root and self._class[neighbour] == self._class[root]:
                root = self._merge(neighbour, root)
        return root

    def _merge(self, a: int, b: int) -> int:
        """Join two regions into the one with more neighbours, which is returned."""
        if a == b:
            return a
        small, big = sorted((a, b), key=lambda r: (len(self._touching[r]), r))
        self._into[small] = big
        self._area[big] += self._area[small]
        self.count -= 1
        for neighbour, length in self._touching[small].items():
            del self._touching[neighbour][small]
            if neighbour != big:
                joined = self._touching[big].get(neighbour, 0) + length
                self._touching[big][neighbour] = self._touching[neighbour][big] = joined
        self._touching[small] = {}
        return big

    def _find(self, region: int) -> int:
        while self._into[region] != region:
            self._into[region] = self._into[self._into[region]]
            region = self._into[region]
        return region
