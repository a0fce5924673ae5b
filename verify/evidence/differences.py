"""Does backward agree with forward alone? Finite differences that carry their own error bar.

Central differences at shrinking steps, extrapolated (Ridders' method); the error bar is the spread
of
the last extrapolations and the rounding of forward. One-sided differences tell a kink. No verdict
is finer than the bar.

May import: :mod:`verify.instance`.

References
----------
C. J. F. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Adv. Eng. Software 4 (1982) 75-76.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from verify.instance import Instance

__all__ = ["Estimate", "derivative", "gradient", "projected"]


@dataclass(frozen=True)
class Estimate:
    """A derivative with its error bar; ``kink`` where the two sides differ by more than the bars.

    ``low`` and ``high`` are the one-sided derivatives in order, where there is a kink.
    """

    value: float
    error: float
    kink: bool = False
    low: float = np.nan
    high: float = np.nan
    jump: bool = False

    @property
    def usable(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.error))


def derivative(
    f: Callable[[float], float], x: float, scale: float | None = None, eps: float = 2.0**-52
) -> Estimate:
    """The derivative of a function of one variable, from values alone.

    Parameters
    ----------
    f : callable
        May return NaN outside its domain.
    x : float
    scale : float, optional
        The first step; by default a tenth of ``|x|``, or of one.
    eps : float
        The relative rounding of the values.

    Examples
    --------
    >>> import math
    >>> found = derivative(math.exp, 1.0)
    >>> abs(found.value - math.e) <= found.error <= 1e-8
    True
    """
    start = scale or 0.1 * (abs(x) if abs(x) > 1e-3 else 1.0)
    here = f(x)
    if not np.isfinite(here):
        return Estimate(np.nan, np.inf)
    best = Estimate(np.nan, np.inf)
    for step in _steps(start, x):
        central = _ridders(
            lambda h: _over(f(x + h) - f(x - h), (x + h) - (x - h)), step, 2, here, eps
        )
        if central.error < best.error:
            best = central
    right = _best_side(f, x, here, start, 1.0, eps)
    left = _best_side(f, x, here, start, -1.0, eps)
    if right.usable and left.usable:
        spread = abs(right.value - left.value)
        bar = right.error + left.error
        if spread > 10 * bar + 1e-6 * (abs(right.value) + abs(left.value)):
            # A jump makes the one-sided quotients grow without bound as the step shrinks.
            low, high = sorted((left.value, right.value))
            return Estimate((low + high) / 2, bar, True, low, high)
    elif right.usable != left.usable:
        return right if right.usable else left
    return best


def _over(change: float, step: float) -> float:
    """The quotient; NaN for a step that is lost beside the number that it is added to."""
    return change / step if step else np.nan


def _steps(start: float, x: float) -> list[float]:
    """First steps to extrapolate from: next to zero also a part of ``x`` itself."""
    steps = [start, start * 1e-2, start * 1e-4]
    return [*steps, 0.1 * abs(x)] if 0 < abs(x) < 1e-3 else steps


def _best_side(
    f: Callable[[float], float], x: float, here: float, start: float, sign: float, eps: float
) -> Estimate:
    best = Estimate(np.nan, np.inf)
    for step in _steps(start, x):
        one = _ridders(
            lambda h: _over(f(x + sign * h) - here, (x + sign * h) - x), step, 1, here, eps
        )
        if one.error < best.error:
            best = one
    return best


def _ridders(
    quotient: Callable[[float], float], step: float, order: int, here: float, eps: float
) -> Estimate:
    """Extrapolate a quotient to step zero; ``order`` is the power that its error starts at."""
    factor = 1.6
    size = 9
    table = np.full((size, size), np.nan)
    best, error = np.nan, np.inf
    h = step
    for i in range(size):
        table[i, 0] = quotient(h)
        noise = 4 * eps * (abs(here) + abs(table[i, 0] * h)) / h
        for j in range(1, i + 1):
            power = factor ** (order * j if order == 2 else j)
            table[i, j] = table[i, j - 1] + (table[i, j - 1] - table[i - 1, j - 1]) / (power - 1)
            spread = max(abs(table[i, j] - table[i, j - 1]), abs(table[i, j] - table[i - 1, j - 1]))
            bar = spread + noise * 3
            if np.isfinite(bar) and bar < error:
                best, error = table[i, j], bar
        h /= factor
    return Estimate(float(best), float(error))


def projected(instance: Instance, point: np.ndarray) -> float:
    """The outputs weighed with the upstream gradient: sum_k g_k y_k; NaN where forward raises."""
    g = point[instance.inputs :]
    run = instance.forward_only(point)
    if run.forward_error is not None:
        return np.nan
    flat = np.concatenate(
        [run.outputs[p.position].astype(float).ravel() for p in instance.upstream] or [np.zeros(0)]
    )
    # A zero upstream silences an output, whatever its value.
    return float(np.sum(np.where(g == 0, 0.0, g * flat)))


def gradient(instance: Instance, point: np.ndarray, entries: list[int]) -> list[Estimate]:
    """Estimates of the expected gradient's entries: d (sum_k g_k y_k) / d x_i."""
    found = []
    for i in entries:

        def along(t: float, i: int = i) -> float:
            moved = point.copy()
            moved[i] = t
            return projected(instance, moved)

        found.append(derivative(along, float(point[i]), eps=instance.eps))
    return found
