"""Backward against forward alone: where nothing was traced, and where a trace may be untrue.

May import: of :mod:`verify` :mod:`verify.evidence.differences`, the points, and what judges.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from verify import points as where
from verify.evidence import differences
from verify.evidence.proof import smooth
from verify.explore import Explorer
from verify.failure import Failure
from verify.instance import Instance
from verify.judge import Wrong

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["UNTRUE", "compare", "overrule", "spot", "without_trace"]

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
    agreed = 0
    for i, e in zip(entries, differences.gradient(instance, cell.point, entries), strict=True):
        if not e.usable or e.kink or not e.error <= 1e-7 * abs(e.value):
            continue
        gap = abs(actual[i] - e.value)
        if gap > 1e3 * e.error and gap > 1e-4 * abs(e.value):
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
    bars: list[float] = []
    tried = usable = 0
    points = [
        *where.starts(instance, rng)[:4],
        *where.ordinary(instance, rng, 6),
        *where.structured(instance, rng),
    ]
    for point in points:
        if time.process_time() > end and usable:
            break
        run = instance.run(point)
        if run.forward_error is not None or not run.finite:
            continue
        if run.backward_error is not None:
            return Failure(
                instance,
                "differences",
                wrong=Wrong(point, 0, np.nan, np.nan, np.inf, True, "raises"),
            )
        actual = run.flat_grads(instance.pieces).real
        entries = list(range(instance.inputs))
        if len(entries) > 24:
            entries = list(rng.choice(len(entries), 24, replace=False))
        tried += 1
        estimates = differences.gradient(instance, point, entries)
        scale = max((abs(e.value) for e in estimates if e.usable), default=0.0)
        for i, estimate in zip(entries, estimates, strict=True):
            if not estimate.usable:
                continue
            usable += 1
            wrong = _against(estimate, float(actual[i]), scale)
            if wrong is not None:
                return Failure(
                    instance,
                    "differences",
                    wrong=Wrong(point, int(i), wrong, float(actual[i]), np.inf, None, "value"),
                    by_differences=True,
                )
            if not estimate.kink and estimate.value:
                bars.append(estimate.error / abs(estimate.value))
    if not usable:
        work.skip("differences", "no finite difference was sharp enough to say anything")
        work.reason = work.reason or f"{why}; and finite differences say nothing"
        return None
    work.judged += usable
    resolution = float(np.median(bars)) * 10 if bars else 1e-6
    work.resolution = max(work.resolution or 0.0, max(resolution, 1e-10))
    tally.passed += 1
    tally.detail = f"agrees with finite differences at {usable} entries of {tried} points"
    work.uncovered.append("cells: the code could not be traced")
    return None


def _against(estimate: differences.Estimate, actual: float, scale: float) -> float | None:
    """The expected value where ``actual`` is certainly not it, else None."""
    if estimate.kink:
        slack = 1e-4 * (abs(estimate.low) + abs(estimate.high)) + 100 * estimate.error
        inside = estimate.low - slack <= actual <= estimate.high + slack
        return None if inside else estimate.value
    bar = 20 * estimate.error + 1e-9 * scale
    if estimate.error > 1e-4 * max(scale, abs(estimate.value)):
        return None  # too wide to say anything
    if not abs(actual - estimate.value) <= bar:
        return estimate.value
    return None
