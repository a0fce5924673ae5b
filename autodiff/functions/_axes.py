"""What reductions share: axes, kept dimensions, and formulas as explicit loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff._lazy import sp

Axis = int | tuple[int, ...] | None


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes as a sorted tuple of numbers that are not negative."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted([a % ndim for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]))


def kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """Return the shape of a reduction that keeps its axes with length 1."""
    axes = axes_of(axis, len(shape))
    return tuple([1 if i in axes else length for i, length in enumerate(shape)])


def count(shape: tuple[int, ...], axis: Any) -> int:
    """Return how many entries go into each entry of a reduction."""
    if axis is None:
        return math.prod(shape)
    number = 1
    for a in axes_of(axis, len(shape)):
        number *= shape[a]
    return number


def reduced(combine: Callable[[list[Any]], Any], x: Any, axis: Any, keepdims: bool = False) -> Any:
    """Apply `combine` to the list of entries behind each entry of a reduction (for formulas)."""
    x = np.asarray(x, dtype=object)
    axes = axes_of(axis, x.ndim)
    kept = kept_shape(x.shape, axis)
    out = np.empty(kept, dtype=object)
    for place in itertools.product(*map(range, kept)):
        ranges = [range(x.shape[i]) if i in axes else (place[i],) for i in range(x.ndim)]
        out[place] = combine([x[index] for index in itertools.product(*ranges)])
    if not keepdims:
        out = out.reshape([n for i, n in enumerate(x.shape) if i not in axes])
    return out if out.shape else out[()]


def squared(x: Any) -> Any:
    """The square of the absolute value of an expression (for formulas)."""
    return x**2 if x.is_real else sp.Abs(x) ** 2


def along(rule: Callable[[list[Any]], list[Any]], x: Any, axis: int) -> Any:
    """Apply `rule` to each list of entries along an axis (for formulas)."""
    rows = np.moveaxis(np.asarray(x, dtype=object), axis, -1)
    lists = [rule(list(rows[place])) for place in np.ndindex(rows.shape[:-1])]
    length = len(lists[0] if lists else rule([np.float64(1)] * rows.shape[-1]))
    out = np.empty((*rows.shape[:-1], length), dtype=object)
    for place, entries in zip(np.ndindex(rows.shape[:-1]), lists, strict=True):
        for i, entry in enumerate(entries):
            out[(*place, i)] = entry
    return np.moveaxis(out, -1, axis)
