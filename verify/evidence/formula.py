"""Does forward compute what the formula says? In exact arithmetic, on every cell.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.reference`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symbolic.balls import enclose
from symbolic.decide import all_equal
from symbolic.graph import Program
from verify.cells import Cell
from verify.explore import Explorer
from verify.reference import EPS

__all__ = ["Disagreement", "compare"]

# Relative; beyond the rounding of constants, below the truncation of any constant to 13 digits.
_TOLERANCE = 64 * EPS


@dataclass
class Disagreement:
    """An output entry at which forward and the declared formula give two values."""

    cell: Cell
    point: np.ndarray
    output: int
    forward: float
    formula: float


def compare(explorer: Explorer, cell: Cell, seconds: float) -> tuple[bool, Disagreement | None]:
    """Whether equality was proved on the cell, and a point where it fails, if one was found."""
    run = cell.run
    if run.formula is None:
        return False, None
    pairs = list(zip(run.outputs, run.formula, strict=True))
    if all(a is b for a, b in pairs):
        return True, None
    names = explorer.instance.names
    program = Program([*run.outputs, *run.formula])
    m = len(pairs)
    for point in [cell.point, *cell.samples[:3]]:
        exact = dict(zip(names, map(float, point), strict=True))
        balls = enclose(program, exact, digits=20, scale=1e-290, max_precision=1200)
        for k in range(m):
            a, b = balls[k], balls[m + k]
            if not (a.finite and b.finite):
                continue
            gap = float(abs(a.value - b.value).lower())  # certainly at least this much
            size = max(abs(float(a)), abs(float(b)))
            # A sum that cancels carries the rounding of its constants at the size of its terms.
            if gap > _TOLERANCE * max(size, 1e-6 * _terms(point, explorer)):
                return False, Disagreement(cell, point, k, float(a), float(b))
    if cell.thin:
        return True, None
    decisions = all_equal(explorer.instance.graph, pairs, cell.conditions, seconds=seconds)
    return all(d.status == "proved" for d in decisions), None


def _terms(point: np.ndarray, explorer: Explorer) -> float:
    n = explorer.instance.inputs
    return float(np.max(np.abs(point[:n]), initial=0.0))
