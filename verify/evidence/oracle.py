"""Backward against certified values: at special points, over magnitudes, and uphill from the worst.

May import: :mod:`symbolic`, and of :mod:`verify` the points and what judges.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symbolic.sympy_bridge import NotDifferentiable
from symbolic.values import TraceError
from verify import points as where
from verify.cells import key_of
from verify.evidence import by_differences
from verify.evidence.proof import smooth
from verify.explore import Explorer
from verify.failure import Failure
from verify.instance import Instance
from verify.interior import within
from verify.judge import EXACT_ULPS, UNDEFINED, Judge, Outcome
from verify.reference import EPS

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["compare", "judged"]

# Ulps from which on the worst point is followed uphill.
_NOTABLE = 16.0

# How many points without a value of forward are replaced by others on the way to one that has.
_MOST_PULLED = 60


def compare(
    work: Casework, instance: Instance, explorer: Explorer, judge: Judge, end: float
) -> Failure | None:
    tally = work.tally("oracle")
    tried = kinks = pulled = 0
    refused: dict[str, int] = {}
    exact = True
    worst, worst_point = 0.0, None
    points = ((point, None) for point in _points(work, instance, explorer))
    for point, known in itertools.chain(work._first, points):
        if time.process_time() > end and known is None:
            work.notes.append(
                f"the points at {instance.example.describe()} were cut short by the time limit"
            )
            break
        outcome = known or judged(judge, point)
        if outcome.note in UNDEFINED and pulled < _MOST_PULLED:
            # Where most of the arguments have no value, few points would be left.
            nearer = _pulled(explorer, point)
            if nearer is not None:
                pulled += 1
                point, outcome = nearer, judged(judge, nearer)
        if not outcome.judged:
            refused[outcome.note] = refused.get(outcome.note, 0) + 1
            continue
        tried += 1
        kinks += outcome.kink
        if outcome.wrong is not None:
            if by_differences.overrule(instance, outcome.wrong):
                return by_differences.without_trace(work, instance, by_differences.UNTRUE, end)
            cell = explorer.cells.get(_key_at(explorer, point))
            return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge, cell=cell)
        if outcome.series or outcome.unfaithful:
            work.all_proved = False
        if outcome.unfaithful:
            work.notes.append(
                "on symbols backward gave another result than on floats (a memo, say): the "
                "floats were judged"
            )
        if instance.inputs:
            size = float(np.max(np.abs(point[: instance.inputs])))
            if size and instance.inputs == 1:
                lost = outcome.ulps if outcome.lost is None else outcome.lost
                work.samples.append((size, lost, outcome.conditioning))
        if outcome.ulps > worst:
            worst, worst_point = outcome.ulps, point
            if work.max_ulp is None or worst > work.max_ulp:
                work.worst = _at(instance, point)
    if worst_point is not None and worst > _NOTABLE and len(work.examples) <= 2:
        climbed = _climb(work, judge, worst_point, worst, end)
        if climbed.wrong is not None:
            cell = explorer.cells.get(_key_at(explorer, climbed.wrong.point))
            return Failure(instance, "oracle", wrong=climbed.wrong, judge=judge, cell=cell)
        if climbed.ulps > max(worst, work.max_ulp or 0.0):
            work.worst = _at(instance, climbed.point)
        worst = max(worst, climbed.ulps)
    work.max_ulp = max(work.max_ulp or 0.0, worst)
    work.judged += tried
    work.kinks += kinks
    if tried == 0:
        why = max(refused, key=lambda k: refused[k]) if refused else "no point was tried"
        work.skip("oracle", f"no point could be judged: {why}")
        return by_differences.compare(work, instance, end, why)
    exact = all(c.run.backward_error is None for c in explorer.cells.values())
    resolution = EXACT_ULPS * EPS if exact else work.max_ulps * judge.eps
    work.resolution = max(work.resolution or 0.0, resolution)
    tally.passed += 1
    tally.detail = f"within certified enclosures at {work.judged} points" + (
        f", {work.kinks} of them at kinks" if work.kinks else ""
    )
    return None


def _pulled(explorer: Explorer, point: np.ndarray) -> np.ndarray | None:
    """A point on the way to where forward has a value, the furthest that has one."""
    if not explorer.instance.free:
        return None
    homes = [c.point for c in explorer.cells.values() if not (c.outside or c.thin)]
    n = explorer.instance.inputs
    for home in homes[:2]:
        for t in (0.9, 0.5, 0.2, 0.05):
            trial = point.copy()
            trial[:n] = home[:n] + t * (point[:n] - home[:n])
            if explorer.instance.in_domain(trial) and not explorer.undefined(trial):
                return trial
    return None


def _climb(work: Casework, judge: Judge, point: np.ndarray, ulps: float, end: float) -> Outcome:
    """Follow the worst point uphill: where do the most digits go?"""
    best = Outcome(True, ulps=ulps, point=point)
    entries = np.argsort(-np.abs(point[: judge.instance.inputs]))[:4]
    for factor in (4.0, 2.0, 1.25, 1.03):
        for _ in range(4):
            before = best.ulps
            for i in entries:
                for times in (factor, 1 / factor):
                    trial = best.point.copy()
                    trial[i] *= times
                    if time.process_time() > end or not judge.instance.in_domain(trial):
                        continue
                    outcome = judged(judge, trial)
                    if outcome.wrong is not None and not by_differences.overrule(
                        judge.instance, outcome.wrong
                    ):
                        return outcome
                    if outcome.judged and best.ulps < outcome.ulps < np.inf:
                        best = outcome
                        best.point = trial
            if best.ulps == before:
                break
    return best


def judged(judge: Judge, point: np.ndarray) -> Outcome:
    try:
        return judge.judge(point)
    except NotDifferentiable:
        raise
    except (TraceError, OverflowError, ZeroDivisionError) as error:
        return Outcome(False, note=f"{type(error).__name__}: {error}")


def _points(work: Casework, instance: Instance, explorer: Explorer) -> Iterator[np.ndarray]:
    """Points in the order in which they are worth trying."""
    rng = work.rng
    if work._small_done:
        # One entry at a time was done in full at a smaller shape: here only how they combine.
        yield from where.ordinary(instance, rng, 4)
        yield from itertools.islice(where.structured(instance, rng), 4)
        yield from where.upstreams(instance, rng)
        return
    # The first two examples are swept in full; a long list of further ones repeats the code
    # paths with other axes and keywords, which fewer points show.
    thorough = len(work.examples) <= 2
    for cell in list(explorer.cells.values())[: 40 if thorough else 12]:
        if cell.thin:
            yield from cell.samples[1:3]
    # The point that led to a cell lies next to its boundary, where little may be wrong yet.
    unproved = [c for c in smooth(explorer) if c.status != "proved"]
    for cell in unproved[:24]:
        yield from within(explorer, cell, 6 if thorough else 2)
    yield from where.ordinary(instance, rng, 6)
    yield from itertools.islice(where.structured(instance, rng), None if thorough else 24)
    yield from explorer.special[: 20 if thorough else 6]
    small = instance.inputs <= 2
    most = (200 if small else 80) if thorough else 20
    yield from itertools.islice(where.singularities(explorer, rng, 40 if small else 12), most)
    fine = instance.inputs == 1 and thorough
    yield from itertools.islice(
        where.magnitudes(instance, rng, fine), 0, None, 1 if thorough else 4
    )
    yield from where.upstreams(instance, rng)
    yield from where.ordinary(instance, rng, 4)
    # Cells that these points discovered, which exploration had not.
    for cell in list(explorer.cells.values()):
        if cell.status == "open" and not cell.thin:
            yield cell.point


def _key_at(explorer: Explorer, point: np.ndarray) -> Any:
    try:
        return key_of(explorer.instance.trace(point, backward=True))
    except TraceError:
        return None


def _at(instance: Instance, point: np.ndarray) -> str:
    """A point in a few words, for `max_ulp`: ``x = 36.7``."""
    parts = []
    for piece in instance.pieces:
        array = point[piece.start : piece.stop].reshape(piece.shape)
        parts.append(f"{piece.name} = {np.array2string(array, precision=4, threshold=6)}")
    text = ", ".join(" ".join(p.split()) for p in parts)
    return text if len(text) < 120 else text[:117] + "..."
