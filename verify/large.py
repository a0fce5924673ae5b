"""Arrays too large to be traced entry by entry: random directions, each of which sees every entry.

Slopes are certified where the code runs on balls, and estimated by finite differences where it does
not. What this does not look at is listed as not covered.

May import: :mod:`verify.evidence`, :mod:`verify.instance`, :mod:`verify.judge`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.evidence import differences, directions
from verify.failure import Failure
from verify.instance import Instance
from verify.judge import EXACT_ULPS, Wrong
from verify.reference import EPS

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["by_differences", "by_directions"]

_DIRECTIONS = 2  # at the first point, and one at each further one


def by_directions(
    work: Casework, instance: Instance, points: Sequence[np.ndarray], end: float
) -> Failure | None:
    """Compare backward with certified slopes along random directions; what is wrong, or None."""
    work.doing = f"comparing slopes at {instance.example.describe()}"
    work.all_proved = work.entrywise = False
    compared, worst, exact, reason = 0, 0.0, True, ""
    for point in points:
        for _ in range(1 if compared else _DIRECTIONS):
            if compared and time.process_time() > end:
                break
            slope = directions.compare(
                instance, point, work.rng.choice([-1.0, 1.0], size=instance.inputs)
            )
            if slope.note:
                reason = slope.note
                break
            if slope.wrong(work.max_ulps):
                left = max(end - time.process_time(), 5.0)
                wrong = directions.guilty(instance, slope, work.max_ulps, left)
                return Failure(instance, "oracle", wrong=wrong)
            compared += 1
            worst = max(worst, slope.floats)
            exact = exact and slope.exact is not None
    work.uncovered.append(
        f"other cells and special points at {instance.example.describe()}: too large to be traced "
        "entry by entry, compared in random directions"
    )
    if not compared:
        work.skip("oracle", f"no slope could be certified: {reason}")
        return by_differences(work, instance, points[0])
    work.judged += compared
    work.max_ulp = max(work.max_ulp or 0.0, worst)
    resolution = EXACT_ULPS * EPS if exact else work.max_ulps * EPS
    work.resolution = max(work.resolution or 0.0, resolution)
    tally = work.tally("oracle")
    tally.passed += 1
    tally.detail = f"equal to certified slopes along {compared} random directions"
    return None


def by_differences(work: Casework, instance: Instance, point: np.ndarray) -> Failure | None:
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
