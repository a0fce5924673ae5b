"""Is the gradient right where the formula changes? A limit from one side, or between several.

May import: :mod:`verify.kinks`, :mod:`verify.outcome`, and of :mod:`verify.judge` the type.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from verify.cells import Cell
from verify.instance import FloatRun
from verify.kinks import Limits, is_generalised, limits_at
from verify.outcome import AT_POLE, Outcome, Wrong

if TYPE_CHECKING:
    from verify.judge import Judge

__all__ = ["judge_boundary"]

# How far from a kink, relative to the inputs, backward is asked; how often, and until when.
_NEXT = 1e-6
_TRIES = 200
_ENOUGH = 4
_MOST_ORDERED = 4


def judge_boundary(
    judge: Judge,
    cell: Cell,
    point: np.ndarray,
    run: FloatRun,
    values: np.ndarray,
    actual: np.ndarray,
    width: float = 0.0,
    reach: float = 0.0,
) -> Outcome:
    """Judge a gradient by its limits from the cells around a point.

    ``width`` and ``reach`` as for :func:`verify.kinks.limits_at`.
    """
    instance = judge.instance
    limits = limits_at(
        judge.explorer, cell, point, values, judge.references, width=width, reach=reach
    )
    if limits is None:
        return Outcome(False, note="no neighbouring cell was found")
    n = instance.inputs
    g = point[n:]
    if all(limits.jumps):
        return Outcome(False, note="forward jumps there")
    if any(jumps and not limits.torn(k) for k, jumps in enumerate(limits.jumps)):
        return Outcome(False, note="forward itself is inaccurate there")
    if any(limits.jumps):  # eigenvectors do where eigenvalues merely cross
        return _judge_kink(judge, point, run, actual, limits, width)
    kinked = False
    rows: list[np.ndarray] = []
    for k in range(len(instance.names) - n):
        if np.any(limits.infinite[k]) or not limits.rows[k]:
            return Outcome(False, note="the derivative is infinite there")
        if limits.smooth(k):
            rows.append(limits.rows[k][0])
        else:
            # Three equal numbers whose rounded mean is another have no deviation of zero: code
            # that would see the kink does not come to it.
            limit = limits.values[k]  # from a distance of 2^-600, if there is no width
            far = abs(values[k] - limit) > 1e-6 * abs(limit) + max(1e-100, judge.tiny)
            if far and not width:
                return Outcome(False, note="forward keeps no digits there")
            kinked = True
    if not kinked:
        want = sum((g[k] * r for k, r in enumerate(rows)), np.zeros(n))
        return _compare_limits(judge, point, actual, want, limits, width)
    return _judge_kink(judge, point, run, actual, limits, width)


def _compare_limits(
    judge: Judge,
    point: np.ndarray,
    actual: np.ndarray,
    want: np.ndarray,
    limits: Limits,
    width: float,
) -> Outcome:
    allowed = np.zeros(len(want))
    for exact, cell in zip(limits.nearby, limits.entered, strict=True):
        allowed = np.maximum(allowed, judge.reference(cell).allowance_at(exact, point))
    allowed[~np.isfinite(allowed)] = 0.0
    allowed = np.maximum(allowed, np.abs(want))
    slack = width / judge.eps if width else 0.0
    ulps = judge.in_ulps(actual, want, allowed)
    if not np.all(ulps <= judge.max_ulps + slack):
        ulps = judge.in_ulps(actual, want, allowed + judge.ordinary(point))
    ulps = np.where(np.abs(actual - want) <= 1e-55, 0.0, ulps)  # the distance itself
    worst = int(np.argmax(ulps)) if ulps.size else 0
    if ulps.size and judge.at_pole(actual[worst], want[worst], allowed[worst]):
        return Outcome(False, note=AT_POLE)
    outcome = Outcome(True, ulps=float(ulps[worst]) if not width else 0.0)
    if ulps.size and not ulps[worst] <= judge.max_ulps + slack:
        # Right in every neighbourhood but not finite at the point itself: the floats' fault.
        formula = bool(np.isfinite(actual[worst]))
        outcome.wrong = Wrong(
            point,
            worst,
            float(want[worst]),
            float(actual[worst]),
            float(ulps[worst]),
            formula,
            "value",
            None,
            judge.table(actual, want, ulps),
        )
    return outcome


def _judge_kink(
    judge: Judge,
    point: np.ndarray,
    run: FloatRun,
    actual: np.ndarray,
    limits: Limits,
    width: float,
) -> Outcome:
    """Output by output: is the row that backward gives in Clarke's generalised gradient?

    Outputs that jump, or whose derivative is infinite, have none.
    """
    instance = judge.instance
    n = instance.inputs
    tolerance = max(min(judge.max_ulps * judge.eps, 1e-3), 10 * width, 1e-9)
    for k in range(len(instance.names) - n):
        if limits.jumps[k] or np.any(limits.infinite[k]) or not limits.rows[k]:
            continue
        unit = point.copy()
        unit[n:] = 0.0
        unit[n + k] = 1.0
        one = instance.run(unit)
        if one.backward_error is not None:
            return Outcome(True, Wrong(unit, 0, np.nan, np.nan, np.inf, True, "raises"))
        row = one.flat_grads(instance.pieces).real
        rounding = judge.max_ulps * judge.eps * float(np.max(judge.ordinary(unit), initial=0.0))
        if is_generalised(row, limits, k, tolerance, rounding):
            continue
        # Of many cells around the point few were entered; where does backward itself say so?
        chosen = _where_alike(judge, unit, row, tolerance)
        for move in chosen:
            limits.leave(move)
        if chosen and is_generalised(row, limits, k, tolerance, rounding):
            continue
        corners = np.array(limits.rows[k])
        nearest = np.clip(row, corners.min(axis=0), corners.max(axis=0))
        bad = ~np.isfinite(row)
        distance = np.where(bad, np.inf, np.abs(row - nearest))
        i = int(np.argmax(distance))
        slack = tolerance * float(np.max(np.abs(corners), initial=0.0))
        if not bad.any() and distance[i] <= slack:  # inside the box, outside the hull
            nearest = corners[np.argmin(np.linalg.norm(corners - row, axis=1))]
            i = int(np.argmax(np.abs(row - nearest)))
        nearest = np.where(np.isfinite(nearest), nearest, corners[0])  # NaN is near to nothing
        expected = float(nearest[i])
        table = [(j, float(row[j]), float(nearest[j]), np.inf) for j in range(n)]
        return Outcome(
            True,
            Wrong(unit, i, expected, float(row[i]), np.inf, True, "kink", None, table),
            kink=True,
        )
    return Outcome(True, kink=True)


def _diagonals(judge: Judge) -> list[np.ndarray]:
    """Directions that take a matrix's equal eigenvalues apart, in each order."""
    found = []
    for piece in judge.instance.pieces:
        size = min(piece.shape[-2:], default=0) if len(piece.shape) > 1 else 0
        for order in itertools.permutations(range(size)) if 1 < size <= _MOST_ORDERED else ():
            move = np.zeros(judge.instance.inputs)
            block = move[piece.start : piece.stop].reshape(piece.shape)
            block[..., np.arange(size), np.arange(size)] = order
            found.append(move)
    return found


def _where_alike(
    judge: Judge, point: np.ndarray, row: np.ndarray, tolerance: float
) -> list[np.ndarray]:
    """Directions in which the gradient in floats, next to the point, is what it is there.

    They only suggest where to look: what counts is the exact limit from there.
    """
    instance = judge.instance
    n = instance.inputs
    rng = np.random.default_rng(19)
    size = _NEXT * max(float(np.max(np.abs(point[:n]), initial=0.0)), 1.0)
    ascending = np.linspace(-1.0, 1.0, n)
    found = []
    for move in [ascending, -ascending, *_diagonals(judge), *rng.normal(size=(_TRIES, n))]:
        there = point.copy()
        there[:n] += size * move
        if not instance.in_domain(there):
            continue
        beside = instance.run(there)
        if beside.forward_error is not None or beside.backward_error is not None:
            continue
        gap = np.abs(beside.flat_grads(instance.pieces).real - row)
        if np.all(gap <= max(tolerance, 1e-4) * np.max(np.abs(row), initial=0.0)):
            found.append(move)
            if len(found) == _ENOUGH:
                break
    return found
