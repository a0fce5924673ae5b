"""The quick check: one cell, the contract, and certified values at a few ordinary points.

It takes milliseconds where the full check takes seconds, and promises less: what it does not look
at (other cells, special points, magnitudes, the proof) is listed as not covered, so its best
verdict is `verified`. A large example is compared by finite differences in random directions.

May import: what :mod:`verify.casework` may.
"""

from __future__ import annotations

import time
from collections import deque

import numpy as np

from symbolic.values import TraceError
from verify import realified
from verify.casework import Casework, Failure
from verify.evidence import contract, differences
from verify.examples import Example
from verify.explore import Explorer
from verify.instance import Instance
from verify.judge import EXACT_ULPS, Judge, Wrong
from verify.reference import EPS

__all__ = ["glance"]

_POINTS = 3
_DIRECTIONS = 2
_MOST_ENTRIES = 200  # of arguments and outputs together; beyond it tracing is no quick matter
_REST = "other cells, special points and magnitudes (quick=True)"


def glance(work: Casework, example: Example, seconds: float) -> Failure | None:
    """What is wrong at first sight at one example, or None."""
    work.doing = f"looking at {example.describe()}"
    work.subject, instance, prepared = realified.prepared(work.subject, example, work.rng)
    if prepared.forward_error is not None:
        error = prepared.forward_error
        work.reason = f"forward raises {type(error).__name__} at {example.describe()}: {error}"
        return None
    if not instance.upstream or not instance.inputs:
        work.reason = f"nothing to differentiate at {example.describe()}"
        return None
    work.examples.append(example)
    work.all_proved = False
    work.uncovered.append(_REST)
    end = time.process_time() + seconds
    base = instance.base()
    points = [instance.draw() if base is None else base]
    points += [instance.draw() for _ in range(_POINTS - 1)]
    found, notes = contract.violations(instance, points)
    work.notes += notes
    if found:
        return Failure(instance, "contract", violation=found[0])
    work.tally("contract").passed += 1
    work.tally("contract").detail = "linear in the upstream gradient, shapes and layouts"
    if len(instance.names) > _MOST_ENTRIES:
        return _spotted(work, instance, points[0])
    return _certified(work, Explorer(instance, end), points)


def _certified(work: Casework, explorer: Explorer, points: list[np.ndarray]) -> Failure | None:
    """Certified values at the points, each on the cell that it lies in."""
    explorer._queue = deque()
    judge = Judge(explorer, work.max_ulps)
    judged, worst = 0, 0.0
    for point in points:
        try:
            cell = explorer.visit(point)
        except TraceError as error:
            work.skip("oracle", f"not traced: {error}")
            return _spotted(work, explorer.instance, point)
        outcome = work._judge(judge, point)
        if outcome.wrong is not None:
            if work._untrue(explorer.instance, outcome.wrong):
                return None
            return Failure(explorer.instance, "oracle", wrong=outcome.wrong, judge=judge, cell=cell)
        judged += outcome.judged
        worst = max(worst, outcome.ulps if outcome.judged else 0.0)
    if not judged:
        work.reason = "no point could be judged"
        return None
    work.judged += judged
    work.max_ulp = max(work.max_ulp or 0.0, worst)
    work.explored += len(explorer.cells)
    exact = all(c.run.backward_error is None for c in explorer.cells.values())
    work.resolution = EXACT_ULPS * EPS if exact else work.max_ulps * judge.eps
    work.tally("oracle").passed += 1
    work.tally("oracle").detail = f"within certified enclosures at {work.judged} points"
    return None


def _spotted(work: Casework, instance: Instance, point: np.ndarray) -> Failure | None:
    """Finite differences of forward along random directions: each sees every entry."""
    run = instance.run(point)
    actual = run.flat_grads(instance.pieces).real
    direction = work.rng.choice([-1.0, 1.0], size=instance.inputs)
    everything = np.arange(instance.inputs)
    bars = []
    for _ in range(_DIRECTIONS):
        direction = work.rng.permutation(direction)
        gap, estimate = _gap(instance, point, actual, direction, everything)
        if not estimate.usable or estimate.kink:
            continue
        bar = 20 * estimate.error + 1e-9 * abs(estimate.value)
        if abs(gap) > bar:
            return _guilty(instance, point, actual, direction)
        bars.append(float(bar / np.linalg.norm(actual)) if np.any(actual) else np.inf)
    if not bars:
        work.reason = "no finite difference was sharp enough to say anything"
        return None
    work.judged += len(bars)
    work.resolution = max(float(np.median(bars)), 1e-9)
    work.tally("differences").passed += 1
    work.tally("differences").detail = f"agrees with differences in {len(bars)} random directions"
    return None


def _gap(
    instance: Instance,
    point: np.ndarray,
    actual: np.ndarray,
    direction: np.ndarray,
    entries: np.ndarray,
) -> tuple[float, differences.Estimate]:
    """Backward's slope along a direction, of which some entries count, less forward's."""
    step = np.zeros(instance.inputs)
    step[entries] = direction[entries]

    def along(t: float) -> float:
        moved = point.copy()
        moved[: instance.inputs] += t * step
        return differences.projected(instance, moved)

    estimate = differences.derivative(along, 0.0)
    return float(actual @ step) - estimate.value, estimate


def _guilty(
    instance: Instance, point: np.ndarray, actual: np.ndarray, direction: np.ndarray
) -> Failure:
    """The entry that makes most of a gap, found by halving."""
    entries = np.arange(instance.inputs)
    while len(entries) > 1:
        halves = np.array_split(entries, 2)
        gaps = [abs(_gap(instance, point, actual, direction, h)[0]) for h in halves]
        entries = halves[int(np.argmax(gaps))]
    i = int(entries[0])
    _, estimate = _gap(instance, point, actual, np.ones(instance.inputs), entries)
    wrong = Wrong(point, i, estimate.value, float(actual[i]), np.inf, None, "value")
    return Failure(instance, "differences", wrong=wrong, by_differences=True)
