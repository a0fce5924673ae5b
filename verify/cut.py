"""What do forward and backward look like around a counterexample? A cut through one entry.

The entry whose gradient is wrong is moved, all others are held; along the way forward's value, the
gradient that backward gives, and the slope of forward are taken, and the places where the code
takes another branch. It is for a picture: nothing is judged here.

May import: :mod:`symbolic`, :mod:`verify.instance`, :mod:`verify.cells`, :mod:`verify.verdict`.
"""

from __future__ import annotations

import math
import time

import numpy as np

from symbolic.values import Condition, TraceError
from verify.cells import key_of, words
from verify.instance import Instance
from verify.verdict import Cut

__all__ = ["cut"]

_POINTS = 81
_SECONDS = 1.0
_BOUNDARIES = 4  # more would hide the curves


def cut(
    instance: Instance, point: np.ndarray, entry: int, *, traced: bool, seconds: float = _SECONDS
) -> Cut | None:
    """The values along ``point[entry]``; None where forward is finite nowhere around it.

    Parameters
    ----------
    instance : Instance
    point : ndarray
        The counterexample.
    entry : int
        Which entry of it is moved.
    traced : bool
        Whether the code can be run on symbols, which is how boundaries are found.
    seconds : float
        Processor time; what is not done by then is left out.
    """
    at = float(point[entry])
    if not math.isfinite(at):
        return None
    end = time.process_time() + seconds
    half = max(1.0, abs(at)) if abs(at) < 1e100 else 0.0
    places = np.unique(np.append(np.linspace(at - half, at + half, _POINTS), at))
    found: list[tuple[float, float, float, float]] = []
    for x in places:
        if time.process_time() > end:
            break
        row = _row(instance, _moved(point, entry, x), entry)
        if row is not None:
            found.append((float(x), *row))
    if len(found) < 3:
        return None
    bounds = _boundaries(instance, point, entry, [x for x, *_ in found], end) if traced else []
    for bound, _ in bounds:  # both sides, so that a jump is drawn as one
        for x in (bound - 3 * _step(bound), bound + 3 * _step(bound)):
            row = _row(instance, _moved(point, entry, x), entry)
            if row is not None and places[0] <= x <= places[-1]:
                found.append((x, *row))
    found.sort()
    return Cut(instance.owner(entry)[0].label(instance.owner(entry)[1]), at, found, bounds)


def _step(x: float) -> float:
    return 1e-5 * max(1.0, abs(float(x)))


def _moved(point: np.ndarray, entry: int, x: float) -> np.ndarray:
    moved = point.copy()
    moved[entry] = x
    return moved


def _row(instance: Instance, point: np.ndarray, entry: int) -> tuple[float, float, float] | None:
    """Forward's value and both slopes; None outside of the domain, NaN where one is missing."""
    if not instance.in_domain(point):
        return None
    run = instance.run(point)
    if run.forward_error is not None:
        return None
    given = math.nan
    if run.backward_error is None:
        given = float(np.real(run.flat_grads(instance.pieces)[entry]))
    step = _step(point[entry])
    above, below = point[entry] + step, point[entry] - step
    ends = [_value(instance, _moved(point, entry, x)) for x in (above, below)]
    slope = (ends[0] - ends[1]) / (above - below)
    return _weighted(instance, run.outputs, point), given, slope


def _value(instance: Instance, point: np.ndarray) -> float:
    if not instance.in_domain(point):
        return math.nan
    run = instance.forward_only(point)
    return math.nan if run.forward_error else _weighted(instance, run.outputs, point)


def _weighted(instance: Instance, outputs: list[np.ndarray], point: np.ndarray) -> float:
    """The outputs, each entry times its upstream gradient: what the gradient is the slope of."""
    with np.errstate(all="ignore"):
        return float(
            sum(
                np.sum(point[p.start : p.stop] * outputs[p.position].ravel().astype(float))
                for p in instance.upstream
            )
        )


def _boundaries(
    instance: Instance, point: np.ndarray, entry: int, places: list[float], end: float
) -> list[tuple[float, str]]:
    """Where the code takes another branch, and the condition that decides there."""

    def conditions(x: float) -> tuple[object, list[Condition]]:
        run = instance.trace(_moved(point, entry, x), formula=False)
        return key_of(run), run.conditions

    found: list[tuple[float, str]] = []
    try:
        before, known = places[0], conditions(places[0])
        for x in places[1:]:
            if time.process_time() > end or len(found) == _BOUNDARIES:
                break
            new = conditions(x)
            if new[0] != known[0]:
                low, high, there = before, x, new
                for _ in range(40):
                    middle = (low + high) / 2
                    if not low < middle < high or time.process_time() > end:
                        break
                    between = conditions(middle)
                    if between[0] == known[0]:
                        low = middle
                    else:
                        high, there = middle, between
                text = _difference(known[1], there[1])
                # A bound that is hit exactly is a cell of its own: one place, not two.
                if not found or abs(found[-1][0] - high) > 1e-9 * max(1.0, abs(high)):
                    found.append((high, text))
            before, known = x, new
    except TraceError:
        pass
    return found


def _difference(before: list[Condition], after: list[Condition]) -> str:
    """The first condition that holds on one side alone, in words."""
    sides = {(c.gap.index, c.sign) for c in before}
    for condition in after:
        if (condition.gap.index, condition.sign) not in sides:
            return words(condition)
    return ""
