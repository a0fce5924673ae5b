"""Branches that approximate: a Taylor polynomial between two thresholds.

May import: :mod:`symbolic`, :mod:`verify.cells`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from symbolic.feasible import affine
from verify.cells import Cell

if TYPE_CHECKING:
    from verify.judge import Judge

__all__ = ["bounded_entries", "is_series"]


def is_series(judge: Judge, cell: Cell, point: np.ndarray, i: int) -> bool:
    """Whether backward's error on a bounded cell fades towards its middle, as a series does.

    A Taylor polynomial is used between two thresholds only, and its error falls at least
    fourfold when the distance to the expansion point halves; an error in a formula does not.
    """
    bounded = bounded_entries(judge, cell)
    if not bounded:
        return False
    errors = []
    for shrink in (1.0, 0.5, 0.25):
        trial = point.copy()
        for j, middle in bounded.items():
            trial[j] = middle + shrink * (point[j] - middle)
        exact_point = dict(zip(judge.instance.names, map(float, trial), strict=True))
        reference = judge.reference(cell)
        allowed = reference.allowance(trial, judge.instance.names)
        _, expected = reference.enclose(exact_point, allowed)
        if not all(b.finite for b in expected):
            return False
        want = np.array([float(b) for b in expected])
        allowed = np.maximum(allowed, np.abs(want))
        _, ulps = judge.exact_error(cell, trial, exact_point, want, allowed, expected)
        if ulps is None:
            return False
        errors.append(float(ulps[i]))
    return errors[1] <= 0.6 * errors[0] and (errors[2] <= 0.6 * errors[1] or errors[2] < 1)


def bounded_entries(judge: Judge, cell: Cell) -> dict[int, float]:
    """Entries that the cell's conditions bound on both sides, with the interval's middle."""
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for c in cell.conditions:
        form = affine(c.gap)
        atoms = [a for a in form if a is not None]
        if len(atoms) != 1 or c.sign in ("!=", "=="):
            continue
        atom, slope = atoms[0], form[atoms[0]]
        bound = float(-form.get(None, Fraction(0)) / slope)
        below = (c.sign in ("<", "<=")) == (slope > 0)
        if atom.op == "var":
            names = [(atom.args[0], bound)]
        elif atom.op in ("mul", "pow") and below and atom.children[0].op == "var":
            # x*x < c or x**2 < c
            square = atom.op == "pow" or atom.children[0] is atom.children[1]
            if not square or bound <= 0:
                continue
            name = atom.children[0].args[0]
            low[name] = max(low.get(name, -np.inf), -(bound**0.5))
            high[name] = min(high.get(name, np.inf), bound**0.5)
            continue
        else:
            continue
        for name, b in names:
            if below:
                high[name] = min(high.get(name, np.inf), b)
            else:
                low[name] = max(low.get(name, -np.inf), b)
    found = {}
    for j, name in enumerate(judge.instance.names[: judge.instance.inputs]):
        a, b = low.get(name, -np.inf), high.get(name, np.inf)
        domain = judge.explorer.bounds.get(name, (-np.inf, np.inf))
        a = max(a, domain[0])
        if np.isfinite(a) and np.isfinite(b):
            # The expansion point: zero where the interval touches it, else the middle.
            found[j] = 0.0 if a <= 0 <= b else (a + b) / 2
    return found
