"""Arrays made of others: ranges, blocks, insertions, diagonals; and sums along the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.functions._public import operand
from autodiff.functions.diagonals import diag
from autodiff.functions.indexing import getitem, plain_index
from autodiff.functions.joining import concatenate
from autodiff.functions.reduction import cumprod, cumsum
from autodiff.functions.shape import moveaxis, reshape
from autodiff.tensor import Tensor

__all__ = [
    "block",
    "cumulative_prod",
    "cumulative_sum",
    "diagflat",
    "geomspace",
    "insert",
    "logspace",
    "real_if_close",
    "unwrap",
]


@implements(np.linspace)
def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0
) -> Tensor:
    """Return numbers at equal steps between two that may be tensors."""
    start, stop = operand(start), operand(stop)
    steps = num - 1 if endpoint else num
    share = np.arange(num) / max(steps, 1)
    shape = np.broadcast_shapes(start.shape, stop.shape)
    share = share.reshape(-1, *[1] * len(shape))
    out: Any = start * (1 - share) + stop * share
    return moveaxis(out, 0, axis) if axis else out  # type: ignore[no-any-return]


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, *, axis: int = 0
) -> Tensor:
    """Return the powers of `base` with exponents at equal steps."""
    return base ** _linspace(start, stop, num, endpoint, axis=axis)  # type: ignore[no-any-return]


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0
) -> Tensor:
    """Return positive numbers in equal ratios between two that may be tensors."""
    start, stop = operand(start), operand(stop)
    if np.any(_values(start) <= 0) or np.any(_values(stop) <= 0):
        raise ValueError("geomspace of tensors takes positive ends: the logarithm is taken of them")
    return np.exp(_linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))  # type: ignore[no-any-return]


def _values(x: Any) -> Any:
    return np.asarray(getattr(x, "_data", x))


@implements(np.block)
def block(arrays: Any) -> Tensor:
    """Return the array made of nested lists of blocks: the innermost lists join the last axis."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]
    ndim = max(depth, *[operand(a).ndim for a in _leaves(arrays)])

    def joined(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            part = operand(part)
            return reshape(part, (1,) * (ndim - part.ndim) + tuple(part.shape))
        return concatenate([joined(p, level - 1) for p in part], axis=-level)

    return joined(arrays, depth)  # type: ignore[no-any-return]


def _leaves(part: Any) -> list[Any]:
    return [leaf for p in part for leaf in _leaves(p)] if isinstance(part, list) else [part]


@implements(np.insert)
def insert(x: Any, places: Any, values: Any, axis: int | None = None) -> Tensor:
    """Return an array with values inserted before places along an axis (of the flat array)."""
    x, values = operand(x), operand(values)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis %= x.ndim
    length = x.shape[axis]
    marks = np.insert(np.arange(length), plain_index(places), -1)
    added = int(np.sum(marks < 0))
    # A scalar place takes `values` as a slice, a sequence takes one entry for each place.
    if np.ndim(plain_index(places)) == 0 and values.ndim:
        values = moveaxis(values[None] if values.ndim < x.ndim else values, 0, axis)
    shape = tuple(x.shape[:axis]) + (added,) + tuple(x.shape[axis + 1 :])
    values = np.broadcast_to(values, shape)
    order = np.where(marks < 0, 0, marks)
    # Places may be out of order: NumPy inserts the values in the order of the sorted places.
    ranks = np.argsort(np.argsort(np.atleast_1d(plain_index(places)) % (length + 1), kind="stable"))
    chosen = np.argsort(ranks) if np.ndim(plain_index(places)) else np.arange(added)
    order[marks < 0] = length + chosen
    both = concatenate([x, values], axis=axis)
    return getitem(both, (*[slice(None)] * axis, order))


@implements(np.diagflat)
def diagflat(x: Any, k: int = 0) -> Tensor:
    """Return the matrix with the entries of an array on a diagonal."""
    return diag(reshape(operand(x), (-1,)), k)


def _cumulative(rule: Any, start: float, x: Any, axis: int | None, initial: bool) -> Tensor:
    x = operand(x)
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"axis must be given for an array of {x.ndim} axes")
        axis = 0
    out: Tensor = rule(x, axis)
    if not initial:
        return out
    shape = tuple([1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)])
    return concatenate([np.full(shape, start, x.dtype), out], axis=axis)


@implements(np.cumulative_sum)
def cumulative_sum(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Tensor:
    """Return the sums of the entries up to each; with a 0 before them if asked for."""
    return _cumulative(cumsum, 0.0, x, axis, include_initial)


@implements(np.cumulative_prod)
def cumulative_prod(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Tensor:
    """Return the products of the entries up to each; with a 1 before them if asked for."""
    return _cumulative(cumprod, 1.0, x, axis, include_initial)


@implements(np.unwrap)
def unwrap(x: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Tensor:
    """Return angles without jumps: whole periods, which have no gradient, are added."""
    x = operand(x)
    values = _values(x)
    turns = np.unwrap(values, discont, axis, period=period) - values
    # Whole periods, as NumPy's sum of them is rounded.
    return x + (np.rint(turns / period) * period).astype(x.dtype)  # type: ignore[no-any-return]


@implements(np.real_if_close)
def real_if_close(x: Any, tol: float = 100) -> Tensor:
    """Return the real part of complex numbers if all imaginary parts are near 0."""
    x = operand(x)
    real = np.isrealobj(np.real_if_close(_values(x), tol))
    return x.real if real and x.dtype.kind == "c" else x  # type: ignore[no-any-return]
