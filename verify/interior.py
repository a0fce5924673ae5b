"""Points inside a cell: off all boundaries next to one on them, and far from the one known.

May import: of :mod:`verify` the cells, and of :mod:`verify.explore` the type.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from symbolic.values import Condition
from verify.cells import Cell

if TYPE_CHECKING:
    from verify.explore import Explorer

__all__ = ["interior", "within"]

_DRAWS = 2000  # to find points of a cell among


def interior(
    explorer: Explorer, conditions: list[Condition], point: np.ndarray
) -> np.ndarray | None:
    """A point nearby with the same decisions and no gap equal to zero, or None."""
    rng = np.random.default_rng(1)
    movable = [c for c in conditions if not explorer.rigid(c)]
    trials = []
    for size in (1e-1, 1e-2, 1e-4, 1e-7):
        for _ in range(24):
            scale = np.where(point == 0, 1.0, np.abs(point))
            trials.append(point + size * scale * rng.normal(size=point.size))
    # A tie that survives (two entries are the same expression) needs them moved together.
    points = np.array(trials)
    points = points[[explorer.instance.in_domain(p) for p in points]]
    if not len(points):
        return None
    every = explorer.gaps(conditions, points)
    good = np.ones(len(points), dtype=bool)
    for c, row in zip(conditions, every, strict=True):
        decided = {"<": row < 0, "<=": row <= 0, "==": row == 0}[c.relation]
        good &= decided == c.outcome
        if c in movable:
            good &= row != 0
    hits = np.nonzero(good)[0]
    return points[hits[0]] if len(hits) else None


def within(explorer: Explorer, cell: Cell, count: int) -> list[np.ndarray]:
    """Other points of a cell, the furthest from its own that turn up, off its boundaries."""
    if not explorer.instance.free:  # none but the sampler's are known to belong to the domain
        return []
    rng = np.random.default_rng(13)
    n = explorer.instance.inputs
    unit = 1 + np.abs(cell.point)
    sizes = 10.0 ** rng.uniform(-4.0, 0.5, (_DRAWS, 1))
    moves = sizes * rng.normal(size=(_DRAWS, len(cell.point)))
    points = cell.point + moves * unit
    points[:, n:] = rng.normal(size=(_DRAWS, len(cell.point) - n))
    good = np.ones(_DRAWS, dtype=bool)
    for c, row in zip(cell.conditions, explorer.gaps(cell.conditions, points), strict=True):
        decided = {"<": row < 0, "<=": row <= 0, "==": row == 0}[c.relation]
        good &= (decided == c.outcome) & ((row != 0) | explorer.rigid(c))
    far = np.argsort(-np.max(np.abs(moves[:, :n]), axis=1, initial=0.0), kind="stable")
    inside = (points[i] for i in far if good[i] and explorer.instance.in_domain(points[i]))
    return list(itertools.islice(inside, count))
