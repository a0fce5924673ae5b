"""Backward against forward alone: where nothing was traced, and where a trace may be untrue.

May import: of :mod:`verify` :mod:`verify.evidence.differences` and
:mod:`verify.evidence.second_order`, the points, and what judges.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify import points as where
from verify.evidence import differences, second_order
from verify.evidence.proof import smooth
from verify.evidence.violation import Violation
from verify.explore import Explorer
from verify.failure import Failure
from verify.instance import Instance
from verify.judge import Wrong

if TYPE_CHECKING:
    from verify.casework import Casework

# The sizes of inputs at which untraced code is tried, beside ordinary ones.
_SMALLEST, _LARGEST = 1e-5, 2e4

# Points with entries of their own sizes and signs, where untraced code may take other branches.
_SCATTERED = 160
_SECONDS_SCATTERED = 1.5

# Rounding of a slope that cancels, relative to slopes of the ordinary size.
_ROUNDING = 1e-13

# How far from a point its neighbours are, relative to its entries, and how many are tried.
_BESIDE = (1e-4, 1e-6)
_SIDES = 200

__all__ = [
    "UNTRUE",
    "all_used",
    "at_points",
    "compare",
    "higher",
    "overrule",
    "raising_again",
    "spot",
    "without_trace",
]

UNTRUE = "what the trace computes is not what the code computes; it leaves symbols unseen"


def without_trace(work: Casework, instance: Instance, error: str, end: float) -> Failure | None:
    work.skip("proof", f"not traced: {error}")
    work.all_proved = False
    work.entrywise = False
    return compare(work, instance, end, error)


def overrule(instance: Instance, wrong: Wrong) -> bool:
    """Whether forward alone speaks for backward and against the trace.

    Code that leaves the world of symbols unseen (through bytes, say) traces as a constant. A
    gradient is not refuted by such a trace: sharp finite differences of forward have the last
    word.
    """
    if wrong.kind != "value" or not np.isfinite(wrong.actual):
        return False
    [e] = differences.gradient(instance, wrong.point, [wrong.entry])
    if not e.usable or e.kink or not e.error <= 1e-5 * max(abs(e.value), abs(wrong.actual)):
        return False
    bar = 1e2 * e.error + 1e-5 * abs(e.value)
    return abs(wrong.expected - e.value) > 1e2 * bar and abs(wrong.actual - e.value) <= bar


def spot(work: Casework, instance: Instance, explorer: Explorer) -> None:
    """Forward alone, by finite differences, at one point: independent of all tracing.

    Differences refute nothing here (their bars are wide, and kinks are near), but a sharp one
    that contradicts the certified derivative is an error of the checker, and ends in no pass.
    """
    if len(work.examples) > 1:
        return
    cell = next((c for c in smooth(explorer)), None)
    if cell is None:
        return
    run = instance.run(cell.point)
    if run.forward_error is not None or run.backward_error is not None or not run.finite:
        return
    actual = run.flat_grads(instance.pieces).real
    entries = list(range(min(instance.inputs, 4)))
    scale = float(np.max(np.abs([*actual, *cell.point[instance.inputs :]]), initial=0.0))
    agreed = 0
    for i, e in zip(entries, differences.gradient(instance, cell.point, entries), strict=True):
        if not e.usable or e.kink or not e.error <= 1e-7 * abs(e.value):
            continue
        gap = abs(actual[i] - e.value)
        if gap > max(1e3 * e.error, 1e-4 * abs(e.value), 1e-12 * scale):
            work.contradiction = (
                f"finite differences give {e.value!r} +/- {e.error:.1g} for "
                f"{instance.names[i]}, where the certified derivative agrees with backward's "
                f"{float(actual[i])!r}: an error of gradproof's own, please report it"
            )
            return
        agreed += 1
    tally = work.tally("differences")
    if agreed:
        tally.passed += 1
        tally.detail = f"agrees with finite differences of forward at {agreed} "
        tally.detail += "entry" if agreed == 1 else "entries"
    else:
        work.skip("differences", "no finite difference was sharp enough to say anything")


def compare(work: Casework, instance: Instance, end: float, why: str) -> Failure | None:
    work.doing = "comparing with finite differences"
    work.all_proved = False
    tally = work.tally("differences")
    rng = np.random.default_rng(1)
    comparison = _Comparison(instance, rng)
    points = [
        *where.starts(instance, rng)[:4],
        *where.ordinary(instance, rng, 6),
        *where.structured(instance, rng),
    ]
    for point in points:
        if time.process_time() > end and comparison.usable:
            break
        wrong = comparison.entries(point)
        if wrong is not None:
            return _failure(instance, wrong)
    for point in where.magnitudes(instance, rng, fine=False):
        if time.process_time() > end:
            break
        size = np.max(np.abs(point[: instance.inputs]), initial=0.0)
        if _SMALLEST <= size <= _LARGEST:
            wrong = comparison.along(point)
            if wrong is not None:
                return _failure(instance, wrong)
    end = min(end, time.process_time() + _SECONDS_SCATTERED)
    for point in where.scattered(instance, rng, _SCATTERED):
        if time.process_time() > end:
            break
        wrong = comparison.along(point)
        if wrong is not None:
            return _failure(instance, wrong)
    usable = comparison.usable
    if not usable:
        work.skip("differences", "no finite difference was sharp enough to say anything")
        work.reason = work.reason or f"{why}; and finite differences say nothing"
        return None
    work.judged += usable
    bars = comparison.bars
    resolution = float(np.median(bars)) * 10 if bars else 1e-6
    work.resolution = max(work.resolution or 0.0, max(resolution, 1e-10))
    tally.passed += 1
    tally.detail = (
        f"agrees with finite differences at {usable} entries of {comparison.tried} points"
    )
    work.uncovered.append("cells: the code could not be traced")
    if work.order > 1 and work.subject.second_order:
        return raising_again(instance, instance.draw()) or higher(work, instance, end)
    return None


def all_used(instance: Instance, points: Sequence[np.ndarray]) -> bool:
    """Whether each entry changes what forward gives, at one of the points, by its values alone."""
    left = list(range(instance.inputs))
    for point in points:
        here = differences.projected(instance, point)
        unmoved = []
        for i in left:
            there = point.copy()
            there[i] += 0.1 * (1 + abs(point[i]))
            if differences.projected(instance, there) == here:
                unmoved.append(i)
        left = unmoved
    return not left


def at_points(
    instance: Instance, points: Sequence[np.ndarray], along: bool = False
) -> Failure | None:
    """What is wrong at a few points alone; ``along`` a direction first, of long arrays."""
    comparison = _Comparison(instance, np.random.default_rng(1))
    for point in points:
        wrong = comparison.along(point) if along else comparison.entries(point)
        if wrong is not None:
            return _failure(instance, wrong)
    return None


def raising_again(instance: Instance, point: np.ndarray) -> Failure | None:
    """What backward raises when the gradient is differentiated again."""
    error = second_order.raised(instance, point)
    if error is None:
        return None
    message = (
        "when the gradient is differentiated again, backward raises "
        f"{type(error).__name__}: {error}"
    )
    return Failure(instance, "second_order", violation=Violation("raises", message, point=point))


def higher(work: Casework, instance: Instance, end: float) -> Failure | None:
    """The engine's second pass against its first one, where the code could not be traced."""
    work.doing = "comparing the second order with finite differences"
    for order in range(2, work.order + 1):
        instance = second_order.of_gradient(instance)
        if instance.prepare().forward_error is not None:
            work.uncovered.append(f"order {order}: the gradient of the gradient was not computed")
            return None
        rng = np.random.default_rng(order)
        comparison = _Comparison(instance, rng)
        for point in where.ordinary(instance, rng, 8):
            if time.process_time() > end and comparison.usable:
                break
            wrong = comparison.entries(point)
            if wrong is not None:
                failure = _failure(instance, wrong)
                failure.evidence = "second_order"
                return failure
        if not comparison.usable:
            work.uncovered.append(f"order {order}: finite differences say nothing")
            return None
        tally = work.tally("second_order")
        tally.passed += 1
        tally.detail = (
            f"order {order} agrees with finite differences at {comparison.usable} entries"
        )
    return None


def _failure(instance: Instance, wrong: Wrong) -> Failure:
    return Failure(instance, "differences", wrong=wrong, by_differences=True)


class _Comparison:
    """Backward against differences of forward, point by point.

    Attributes
    ----------
    usable, tried : int
        Slopes that said something, and points.
    bars : list of float
        Their relative error bars.
    ordinary : float
        The largest slope seen, per unit of the upstream gradient: what rounding is measured by
        where slopes cancel to nothing.
    """

    def __init__(self, instance: Instance, rng: np.random.Generator):
        self.instance = instance
        self.rng = rng
        self.usable = self.tried = 0
        self.bars: list[float] = []
        self.ordinary = 0.0

    def _given(self, point: np.ndarray) -> np.ndarray | Wrong | None:
        """The gradient there; None where forward gives no value."""
        run = self.instance.run(point)
        if run.forward_error is not None or not run.finite:
            return None
        if run.backward_error is not None:
            return Wrong(point, 0, np.nan, np.nan, np.inf, True, "raises")
        self.tried += 1
        return run.flat_grads(self.instance.pieces).real

    def entries(self, point: np.ndarray) -> Wrong | None:
        """The first wrong entry of the gradient at a point, of 24 at the most."""
        actual = self._given(point)
        if not isinstance(actual, np.ndarray):
            return actual
        entries = list(range(self.instance.inputs))
        if len(entries) > 24:
            entries = list(self.rng.choice(len(entries), 24, replace=False))
        estimates = differences.gradient(self.instance, point, entries)
        scale = max((abs(e.value) for e in estimates if e.usable), default=0.0)
        rounding = self._rounding(point, scale)
        for i, estimate in zip(entries, estimates, strict=True):
            if not estimate.usable:
                continue
            self.usable += 1
            expected = _against(estimate, float(actual[i]), scale, rounding)
            given = float(actual[i])
            if (
                expected is not None
                and not self._at_kink(point, i, given)
                and self._confirmed(point, i, expected, given)
            ):
                return Wrong(point, int(i), expected, given, np.inf, None, "value")
            if not estimate.kink and estimate.value:
                self.bars.append(estimate.error / abs(estimate.value))
        return None

    def along(self, point: np.ndarray) -> Wrong | None:
        """The same by the slope in one direction first: for many points, far out and near zero."""
        actual = self._given(point)
        if not isinstance(actual, np.ndarray):
            return actual
        n = self.instance.inputs
        direction = np.abs(point[:n]) * self.rng.choice([-1.0, 1.0], n) * self.rng.uniform(1, 2, n)
        if not np.all(np.isfinite(actual)):
            return self.entries(point)

        def moved(t: float) -> float:
            there = point.copy()
            there[:n] += t * direction
            return differences.projected(self.instance, there)

        estimate = differences.derivative(moved, 0.0, 0.1, self.instance.eps)
        if not estimate.usable:
            return None
        self.usable += 1
        size = float(np.abs(actual) @ np.abs(direction))
        rounding = self._rounding(point, 0.0) * float(np.sum(np.abs(direction)))
        gap = abs(float(actual @ direction) - estimate.value)
        if estimate.kink or gap <= 20 * estimate.error + 1e-7 * size + rounding:
            return None
        return self.entries(point)

    def _rounding(self, point: np.ndarray, scale: float) -> float:
        """What rounding may leave of slopes that cancel, those of size ``scale`` seen as well."""
        upstream = float(np.max(np.abs(point[self.instance.inputs :]), initial=0.0))
        if upstream:
            self.ordinary = max(self.ordinary, scale / upstream)
        return _ROUNDING * self.ordinary * upstream

    def _at_kink(self, point: np.ndarray, i: int, actual: float) -> bool:
        """Whether slopes close by differ, and ``actual`` lies between them.

        At a tie of several entries the slopes on the axes are not all that there is: the
        generalised gradient holds the limits from every side. Those of a function that merely
        bends come together as the neighbours come closer.
        """
        return np.isfinite(actual) and all(
            self._between_slopes(point, i, actual, beside) for beside in _BESIDE
        )

    def _between_slopes(self, point: np.ndarray, i: int, actual: float, beside: float) -> bool:
        n = self.instance.inputs
        size = beside * max(float(np.max(np.abs(point[:n]), initial=0.0)), beside)
        low, high = np.inf, -np.inf
        for _ in range(_SIDES):
            there = point.copy()
            there[:n] += size * self.rng.normal(size=n)
            slope = self._slope(there, i, 0.01 * size)
            if np.isfinite(slope):
                low, high = min(low, slope), max(high, slope)
        slack = 1e-3 * (abs(low) + abs(high))
        return high - low > slack and low - slack <= actual <= high + slack

    def _slope(self, point: np.ndarray, i: int, step: float) -> float:
        """The plain central difference in an entry."""
        up, down = point.copy(), point.copy()
        up[i] += step
        down[i] -= step
        values = [differences.projected(self.instance, p) for p in (up, down)]
        return (values[0] - values[1]) / (up[i] - down[i])

    def _confirmed(self, point: np.ndarray, i: int, expected: float, actual: float) -> bool:
        """Whether the smallest step that can tell the two apart speaks for ``expected``.

        An error bar that rests on large steps is a guess where the function varies within them:
        a sine of many periods, a staircase. At a jump no slope is confirmed at all.
        """
        if not np.isfinite(actual):
            return True
        gap = abs(expected - actual)
        value = abs(differences.projected(self.instance, point))
        size = abs(point[i]) or 1.0
        rounding = 8 * self.instance.eps * (value + size * max(abs(expected), abs(actual)))
        for step in size * 10.0 ** np.arange(-10.0, -1.0):
            if rounding / step <= 0.1 * gap:
                slope = self._slope(point, i, step)
                return abs(slope - expected) <= 0.5 * gap
        return True  # so close that the function is known to be smooth there


def _against(
    estimate: differences.Estimate, actual: float, scale: float, rounding: float
) -> float | None:
    """The expected value where ``actual`` is certainly not it, else None."""
    if estimate.kink:
        slack = 1e-4 * (abs(estimate.low) + abs(estimate.high)) + 100 * estimate.error
        inside = estimate.low - slack <= actual <= estimate.high + slack
        return None if inside else estimate.value
    if estimate.error > 1e-4 * max(scale, abs(estimate.value), abs(actual)):
        return None  # too wide to say anything
    bar = 20 * estimate.error + 1e-9 * scale + rounding
    return None if abs(actual - estimate.value) <= bar else estimate.value
