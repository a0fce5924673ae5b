"""The quick check: one cell, the contract, and certified values at a few ordinary points.

It takes milliseconds where the full check takes seconds, and promises less: what it does not look
at (other cells, special points, magnitudes, the proof) is listed as not covered, so its best
verdict is `verified`. A large example is compared in random directions (:mod:`verify.large`).

May import: what :mod:`verify.casework` may.
"""

from __future__ import annotations

import time

import numpy as np

from symbolic.values import TraceError
from verify import realified
from verify.casework import MOST_ENTRIES, Casework
from verify.evidence import by_differences as alone
from verify.evidence import contract, oracle
from verify.examples import Example
from verify.explore import Explorer
from verify.failure import Failure
from verify.judge import EXACT_ULPS, Judge
from verify.large import by_differences, by_directions
from verify.reference import EPS
from verify.structure import reading

__all__ = ["glance"]

_POINTS = 3
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
    instance = reading(instance, work.max_ulps)
    if len(instance.names) > MOST_ENTRIES:
        return by_directions(work, instance, points[:1], end)
    return _certified(work, Explorer(instance, end), points)


def _certified(work: Casework, explorer: Explorer, points: list[np.ndarray]) -> Failure | None:
    """Certified values at the points, each on the cell that it lies in."""
    judge = Judge(explorer, work.max_ulps)
    judged, worst = 0, 0.0
    for point in points:
        try:
            cell = explorer.visit(point)
        except TraceError as error:
            work.skip("oracle", f"not traced: {error}")
            return by_differences(work, explorer.instance, point)
        outcome = oracle.judged(judge, point)
        if outcome.wrong is not None:
            if alone.overrule(explorer.instance, outcome.wrong):
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
