"""Large arrays: certified slopes along directions, where entry by entry takes too long.

Forward is run once on balls (:mod:`symbolic.ball_array`); the exact slope of ``sum_k g_k y_k``
along a direction is compared with backward's gradient, contracted with that direction: backward run
on balls too, which shows a wrong formula, and backward in floats, which shows lost digits. A random
direction sees every entry; halving it finds the one that is wrong.

May import: :mod:`symbolic`, :mod:`verify.instance`, :mod:`verify.judge`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from symbolic.ball_array import Slopes, slopes
from symbolic.balls import precision, to_arb
from symbolic.values import TraceError
from verify.instance import FloatRun, Instance
from verify.judge import EXACT_ULPS, Wrong
from verify.reference import EPS

__all__ = ["Slope", "compare", "guilty"]

_BITS = 128


@dataclass
class Slope:
    """Backward against the exact slope along one direction.

    ``exact`` and ``floats`` are the differences in ulps of ``sum_i |v_i d_i|``, the former None
    where backward could not be run on balls; ``gradient`` is what it gave there. ``note`` says why
    nothing could be compared.
    """

    point: np.ndarray
    direction: np.ndarray
    exact: float | None = None
    floats: float = 0.0
    note: str = ""
    gradient: list[arb] | None = None

    def wrong(self, max_ulps: float) -> bool:
        return not self.floats <= max_ulps or (self.exact is not None and self.exact > EXACT_ULPS)


def compare(instance: Instance, point: np.ndarray, direction: np.ndarray) -> Slope:
    """Compare at a point along a direction, given for the inputs alone."""
    if instance.moved:
        point, direction = instance.rounded(point), instance.tangent(direction)
    result = Slope(point, direction)
    run = instance.run(point)
    if run.forward_error is not None or not run.finite:
        result.note = "forward is not finite"
    elif run.backward_error is not None:
        result.note = "backward raises"
    if result.note:
        return result
    try:
        found = _on_balls(instance, point, direction)
    except TraceError as error:
        result.note = f"not run on balls: {error}"
        return result
    if found.doubtful:
        result.note = "a decision that rounding could turn"
        return result
    _measure(result, instance, run, found)
    return result


def _on_balls(
    instance: Instance, point: np.ndarray, direction: np.ndarray, backward: bool = True
) -> Slopes:
    """The slopes of the outputs, and after them backward's gradients where it can be run."""
    values = {p.name: point[p.start : p.stop].reshape(p.shape) for p in instance.pieces}
    moves = {p.name: direction[p.start : p.stop].reshape(p.shape) for p in instance.pieces}
    subject = instance.subject

    def run(array: Callable[[str], Any]) -> list[Any]:
        args: list[Any] = [s.fixed for s in instance.example.slots]
        for p in instance.pieces:
            args[p.position] = array(p.name)
        outputs, pullback = subject.forward(args, instance.example.keywords)
        results = [outputs[p.position] for p in instance.upstream]
        if not backward:
            return results
        try:
            grads = pullback(instance.upstream_arrays(point))
            results += [
                np.zeros(p.shape) if grads[p.position] is None else grads[p.position]
                for p in instance.pieces
            ]
        except Exception:  # backward is judged by its floats then
            pass
        return results

    with instance._quiet():
        try:
            return slopes(run, values, moves, *subject.code, bits=_BITS)
        except TraceError:
            raise
        except Exception as error:  # it ran on floats: what it needs, balls lack
            raise TraceError(f"{type(error).__name__}: {error}") from error


def _measure(result: Slope, instance: Instance, run: FloatRun, found: Slopes) -> None:
    n = len(instance.upstream)
    actual = run.flat_grads(instance.pieces).real
    moving = np.nonzero(result.direction)[0]
    with precision(_BITS):
        slope, size = _contracted(instance, result.point, found), arb(0)
        if not slope.is_finite():
            result.note = "the slope is not finite"
            return
        given = arb(0)
        for i in moving:
            if not np.isfinite(actual[i]):
                result.floats = np.inf
                return
            term = to_arb(float(actual[i])) * to_arb(float(result.direction[i]))
            given += term
            size += abs(term)
        size = max(float(size.mid()), float(abs(slope).mid()), 1e-290)
        result.floats = float(abs(given - slope).lower()) / (EPS * size)
        if len(found.values) == n + len(instance.pieces):
            exact = arb(0)
            grads = [v for array in found.values[n:] for v in array.flat]
            for i in moving:
                exact += grads[i] * to_arb(float(result.direction[i]))
            if exact.is_finite():
                result.gradient = grads
                result.exact = float(abs(exact - slope).lower()) / (EPS * size)


def guilty(instance: Instance, slope: Slope, max_ulps: float, seconds: float) -> Wrong:
    """The entry that makes most of a difference, found by halving the direction."""
    formula = slope.exact is None or slope.exact > EXACT_ULPS
    with precision(_BITS):
        given = slope.gradient if formula and slope.gradient is not None else None
        actual = instance.run(slope.point).flat_grads(instance.pieces).real
        if given is None:
            given = [to_arb(float(v)) if np.isfinite(v) else arb.nan() for v in actual]

    def gap(part: np.ndarray) -> arb:
        right = _slope(instance, slope.point, _only(slope.direction, part))
        with precision(_BITS):
            return sum((given[i] * to_arb(float(slope.direction[i])) for i in part), arb(0)) - right

    entries = np.nonzero(slope.direction)[0]
    end = time.process_time() + seconds
    total = gap(entries)
    while len(entries) > 1 and time.process_time() < end:
        first, second = np.array_split(entries, 2)
        one = gap(first)
        with precision(_BITS):
            other = total - one
            larger = not one.is_finite() or abs(one.mid()) > abs(other.mid())
        entries, total = (first, one) if larger else (second, other)
    i = int(entries[0])
    want = float(_slope(instance, slope.point, _only(np.ones_like(slope.direction), [i])).mid())
    ulps = abs(actual[i] - want) / (EPS * max(abs(want), 1e-290))
    return Wrong(slope.point, i, want, float(actual[i]), float(ulps), formula, "value")


def _only(direction: np.ndarray, entries: Any) -> np.ndarray:
    part = np.zeros_like(direction)
    part[entries] = direction[entries]
    return part


def _slope(instance: Instance, point: np.ndarray, direction: np.ndarray) -> arb:
    """The exact slope of ``sum_k g_k y_k``."""
    return _contracted(instance, point, _on_balls(instance, point, direction, backward=False))


def _contracted(instance: Instance, point: np.ndarray, found: Slopes) -> arb:
    with precision(_BITS):
        total = arb(0)
        for piece, array in zip(instance.upstream, found.slopes, strict=False):
            for g, s in zip(point[piece.start : piece.stop], array.flat, strict=True):
                if g:
                    total += to_arb(float(g)) * s
        return total
