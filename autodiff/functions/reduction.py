"""Functions that reduce axes: sums, products, extremes, moments; and cumulative ones."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import METHODS, implements
from autodiff.function import Function
from autodiff.functions._axes import Axis, along, axes_of, count, kept_shape, reduced, squared
from autodiff.functions._examples import AXIS_EXAMPLES, COMPLEX, EMPTY_EXAMPLES, ORDER_EXAMPLES
from autodiff.functions._public import operand
from autodiff.tensor import Tensor

__all__ = [
    "cumprod",
    "cumsum",
    "diff",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _spread(grad: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Repeat the gradient of a reduction along the axes that it reduced."""
    kept = grad if axis is None else grad.reshape(kept_shape(shape, axis))
    # A view needs no memory, but takes longer to make than a small array.
    if math.prod(shape) <= 1024:
        return kept + np.zeros(shape, grad.dtype)
    return np.broadcast_to(kept, shape)


class Sum(Function):
    """The sum along axes."""

    examples = AXIS_EXAMPLES + EMPTY_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        ctx.shape_in, ctx.axis = x.shape, axis
        return x.sum(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return _spread(grad, ctx.shape_in, ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.Add(*entries), x, axis, keepdims)


class Mean(Function):
    """The mean along axes."""

    examples = AXIS_EXAMPLES + EMPTY_EXAMPLES[-1:]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        ctx.shape_in, ctx.axis = x.shape, axis
        return x.sum(axis=axis, keepdims=keepdims) / count(x.shape, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        shape, axis = ctx.shape_in, ctx.axis
        return _spread(grad / (count(shape, axis) or 1), shape, axis)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.Add(*entries) / len(entries), x, axis, keepdims)


def _others(x: Any) -> Any:
    """Return for each entry the product of the others along the last axis, without dividing."""
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    backwards = np.concatenate([ones, np.flip(x, axis=-1)[..., :-1]], axis=-1)
    return before * np.flip(np.cumprod(backwards, axis=-1), axis=-1)


class Prod(Function):
    """The product along axes; its derivative is the product of the others, zeros or not."""

    examples = [*AXIS_EXAMPLES, *EMPTY_EXAMPLES, (COMPLEX, {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        ctx.axis = axis
        ctx.save_for_backward(x)
        return np.prod(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        axes = axes_of(ctx.axis, x.ndim)
        last = tuple(range(x.ndim - len(axes), x.ndim))
        moved = np.moveaxis(x, axes, last)
        flat = np.reshape(moved, (*moved.shape[: x.ndim - len(axes)], count(x.shape, ctx.axis)))
        others = np.moveaxis(np.reshape(_others(flat), moved.shape), last, axes)
        return np.reshape(grad, kept_shape(x.shape, ctx.axis)) * others.conjugate()

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.Mul(*entries), x, axis, keepdims)


def _extreme_backward(ctx: Any, grad: Any) -> Any:
    x, out = ctx.saved_tensors
    kept = kept_shape(x.shape, ctx.axis)
    chosen = x == np.reshape(out, kept)
    ties = np.sum(chosen, axis=axes_of(ctx.axis, x.ndim), keepdims=True)
    return np.where(chosen, np.reshape(grad, kept) / ties.astype(grad.dtype), 0)


class Max(Function):
    """The largest entry along axes; entries that tie share the gradient evenly."""

    examples = ORDER_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        out = np.max(x, axis=axis, keepdims=keepdims)
        ctx.axis = axis
        ctx.save_for_backward(x, out)
        return out

    backward = staticmethod(_extreme_backward)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.Max(*entries), x, axis, keepdims)


class Min(Function):
    """The smallest entry along axes; entries that tie share the gradient evenly."""

    examples = ORDER_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        out = np.min(x, axis=axis, keepdims=keepdims)
        ctx.axis = axis
        ctx.save_for_backward(x, out)
        return out

    backward = staticmethod(_extreme_backward)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.Min(*entries), x, axis, keepdims)


def _deviations(x: Any, axis: Any) -> Any:
    """Return ``x - mean(x)``, exactly 0 where the entries are equal.

    The mean of equal numbers may round to another number; that of their differences is 0.
    """
    axes = axes_of(axis, x.ndim)
    first = tuple([slice(0, 1) if i in axes else slice(None) for i in range(x.ndim)])
    shifted = x - x[first]
    return shifted - np.mean(shifted, axis=axes, keepdims=True)


def _squares(x: Any) -> Any:
    """Return the squares of absolute values."""
    return (x * x.conjugate()).real if x.dtype.kind == "c" else x**2


_MOMENT_EXAMPLES: list[Any] = [
    *AXIS_EXAMPLES,
    ((3,), {"ddof": 1}),
    ((2, 3), {"axis": 1, "ddof": 1, "keepdims": True}),
    ((0, 2), {"axis": -1}),
]


def _variance_formula(entries: list[Any], ddof: float) -> Any:
    mean = sp.Add(*entries) / len(entries)
    return sp.Add(*[squared(entry - mean) for entry in entries]) / (len(entries) - ddof)


class Var(Function):
    """The variance along axes: the sum of squared deviations over ``n - ddof``."""

    examples = [*_MOMENT_EXAMPLES, (COMPLEX, {})]

    @staticmethod
    def forward(
        ctx: Any, x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False
    ) -> Any:
        ctx.axis, ctx.ddof = axis, ddof
        ctx.save_for_backward(x)
        total = np.sum(_squares(_deviations(x, axis)), axis=axis, keepdims=keepdims)
        with np.errstate(divide="ignore", invalid="ignore"):
            return total / (count(x.shape, axis) - ddof)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        upstream = np.reshape(grad, kept_shape(x.shape, ctx.axis))
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 2 * upstream / (count(x.shape, ctx.axis) - ctx.ddof)
            return scale * _deviations(x, ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
        return reduced(lambda entries: _variance_formula(entries, ddof), x, axis, keepdims)


class Std(Function):
    """The standard deviation along axes; where all entries are equal its gradient is 0."""

    examples = _MOMENT_EXAMPLES

    @staticmethod
    def forward(
        ctx: Any, x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False
    ) -> Any:
        total = np.sum(_squares(_deviations(x, axis)), axis=axis, keepdims=keepdims)
        with np.errstate(divide="ignore", invalid="ignore"):
            out = np.sqrt(total / (count(x.shape, axis) - ddof))
        ctx.axis, ctx.ddof = axis, ddof
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(x.shape, ctx.axis)
        out, upstream = np.reshape(out, kept), np.reshape(grad, kept)
        flat = out == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = upstream / (count(x.shape, ctx.axis) - ctx.ddof)
            slope = scale * (_deviations(x, ctx.axis) / np.where(flat, 1.0, out))
        return np.where(flat, 0, slope)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.sqrt(_variance_formula(entries, ddof)), x, axis, keepdims)


def largest(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the largest entry along axes, which are kept, and a mask of one place where it is."""
    places = np.arange(count(x.shape, axes))
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    rows = np.reshape(moved, (*moved.shape[: x.ndim - len(axes)], len(places)))
    place = np.argmax(rows, axis=-1)[..., None]
    top = np.reshape(np.take_along_axis(rows, place, axis=-1), kept_shape(x.shape, axes))
    mask = np.moveaxis(np.reshape(places == place, moved.shape), last, axes)
    return top, mask


def log_total(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return m and log(sum(exp(x - m))) for the largest entry m, with axes kept; and its mask.

    The term exp(0) of m itself goes into log1p, so that nothing of the others is lost.
    """
    top, mask = largest(x, axes)
    base = np.where(np.isfinite(top), top, 0.0)
    rest = np.where(mask, 0, np.exp(x - base))
    own = np.exp(top - base) - 1  # 0, but for infinities
    return base, np.log1p(np.sum(rest, axis=axes, keepdims=True) + own), mask


class Logsumexp(Function):
    """``log(sum(exp(x)))`` along axes, without overflow."""

    examples = ORDER_EXAMPLES + EMPTY_EXAMPLES[-1:]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        ctx.axis = axis
        axes = axes_of(axis, x.ndim)
        kept = kept_shape(x.shape, axis)
        ctx.base = 0.0
        if count(x.shape, axis) == 0:
            out = np.full(kept, -math.inf)
        else:
            ctx.base, rest, _ = log_total(x, axes)
            out = ctx.base + rest
        if not keepdims:
            out = np.reshape(out, [n for i, n in enumerate(x.shape) if i not in axes])
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        kept = kept_shape(x.shape, ctx.axis)
        # Whatever the base, the weights are the same: the output, rounded, would cost them digits.
        weights = np.exp(x - ctx.base)
        total = np.sum(weights, axis=axes_of(ctx.axis, x.ndim), keepdims=True)
        return np.reshape(grad, kept) * (weights / total)

    @staticmethod
    def formula(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        return reduced(lambda entries: sp.log(sp.Add(*map(sp.exp, entries))), x, axis, keepdims)


_ALONG_EXAMPLES: list[Any] = [
    ((3,), {"axis": 0}),
    ((2, 3), {"axis": 0}),
    ((2, 3), {"axis": -1}),
    ((1, 2), {"axis": 1}),
    ((0,), {"axis": 0}),
    ((2, 0), {"axis": -1}),
]


class Cumsum(Function):
    """The sum of the entries up to each, along an axis."""

    examples = _ALONG_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int) -> Any:
        ctx.axis = axis
        return np.cumsum(x, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.flip(np.cumsum(np.flip(grad, ctx.axis), axis=ctx.axis), ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: int) -> Any:
        return along(lambda row: [sp.Add(*row[: i + 1]) for i in range(len(row))], x, axis)


class Cumprod(Function):
    """The product of the entries up to each, along an axis; right with zeros too."""

    examples = [*_ALONG_EXAMPLES, (COMPLEX, {"axis": 0})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int) -> Any:
        ctx.axis = axis
        ctx.save_for_backward(x)
        return np.cumprod(x, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        if x.shape[ctx.axis] == 0:
            return grad
        rows, grad = np.moveaxis(x.conjugate(), ctx.axis, -1), np.moveaxis(grad, ctx.axis, -1)
        # Horner's rule from the end: what follows entry i, as a polynomial in the entries after it.
        after = grad[..., -1]
        parts = [after]
        for i in range(rows.shape[-1] - 2, -1, -1):
            after = grad[..., i] + rows[..., i + 1] * after
            parts.append(after)
        before = np.cumprod(rows[..., :-1], axis=-1)
        before = np.concatenate([np.ones_like(rows[..., :1]), before], axis=-1)
        return np.moveaxis(before * np.stack(parts[::-1], axis=-1), -1, ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: int) -> Any:
        return along(lambda row: [sp.Mul(*row[: i + 1]) for i in range(len(row))], x, axis)


class Diff(Function):
    """Differences of neighbours along an axis."""

    examples = [
        ((3,), {}),
        ((2, 3), {"axis": 0}),
        ((2, 2), {"axis": -1}),
        ((2, 1), {"axis": 1}),
        ((2, 0), {"axis": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int = -1) -> Any:
        ctx.axis, ctx.length = axis, x.shape[axis]
        return np.diff(x, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if ctx.length < 2:
            shape = list(grad.shape)
            shape[ctx.axis] = ctx.length
            return np.zeros(shape, grad.dtype)
        axis = ctx.axis % grad.ndim
        before = [(0, 0)] * grad.ndim
        after = list(before)
        before[axis], after[axis] = (1, 0), (0, 1)
        return np.pad(grad, before) - np.pad(grad, after)

    @staticmethod
    def formula(x: Any, *, axis: int = -1) -> Any:
        return along(lambda row: [b - a for a, b in itertools.pairwise(row)], x, axis)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


@implements(np.sum)
def sum(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    """Sum along axes (all, where `axis` is ``None``).

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.sum(ad.ones(2, 3), axis=0)
    tensor([2., 2., 2.])
    """
    if dtype is not None:
        x = operand(x).astype(dtype)
    return Sum.apply(operand(x), axis=_axis(axis), keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.mean)
def mean(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean along axes (all, where `axis` is ``None``)."""
    return Mean.apply(operand(x), axis=_axis(axis), keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.prod)
def prod(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the product along axes. Its derivative is the product of the others, zeros or not."""
    return Prod.apply(operand(x), axis=_axis(axis), keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.max, np.amax)
def max(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the largest entry along axes. Entries that tie share the gradient evenly."""
    return Max.apply(operand(x), axis=_axis(axis), keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.min, np.amin)
def min(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the smallest entry along axes. Entries that tie share the gradient evenly."""
    return Min.apply(operand(x), axis=_axis(axis), keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.var)
def var(
    x: Any,
    axis: Axis = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Tensor:
    """Return the variance along axes: squared deviations over ``n - ddof``.

    Notes
    -----
    As in NumPy `ddof` is 0 by default; the method ``x.var()`` is torch's, with 1.
    """
    ddof = ddof if correction is None else correction
    return Var.apply(operand(x), axis=_axis(axis), ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.std)
def std(
    x: Any,
    axis: Axis = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Tensor:
    """Return the standard deviation along axes. Its gradient is 0 where all entries are equal."""
    ddof = ddof if correction is None else correction
    return Std.apply(operand(x), axis=_axis(axis), ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]


def logsumexp(x: Any, axis: Axis = None, *, keepdims: bool = False, dim: Axis = None) -> Tensor:
    """Return ``log(sum(exp(x)))`` along axes, without overflow.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.logsumexp(ad.tensor([1000.0, 1000.0]))
    tensor(1000.6931)
    """
    axis = _axis(axis if dim is None else dim)
    return Logsumexp.apply(operand(x), axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.cumsum)
def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """Return the sums of the entries up to each, along an axis (of all, without one)."""
    x = operand(x)
    return Cumsum.apply(x.reshape(-1) if axis is None else x, axis=axis or 0)  # type: ignore[no-any-return]


@implements(np.cumprod)
def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """Return the products of the entries up to each, along an axis (of all, without one)."""
    x = operand(x)
    return Cumprod.apply(x.reshape(-1) if axis is None else x, axis=axis or 0)  # type: ignore[no-any-return]


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbours along an axis, `n` times."""
    x = operand(x)
    for _ in range(n):
        x = Diff.apply(x, axis=axis)
    return x  # type: ignore[no-any-return]


METHODS["add", "reduce"] = lambda x, axis=0, keepdims=False: sum(x, axis, keepdims=keepdims)
METHODS["multiply", "reduce"] = lambda x, axis=0, keepdims=False: prod(x, axis, keepdims=keepdims)
METHODS["maximum", "reduce"] = lambda x, axis=0, keepdims=False: max(x, axis, keepdims=keepdims)
METHODS["minimum", "reduce"] = lambda x, axis=0, keepdims=False: min(x, axis, keepdims=keepdims)
METHODS["logaddexp", "reduce"] = lambda x, axis=0, keepdims=False: logsumexp(
    x, axis, keepdims=keepdims
)
METHODS["add", "accumulate"] = lambda x, axis=0: cumsum(x, axis)
METHODS["multiply", "accumulate"] = lambda x, axis=0: cumprod(x, axis)
