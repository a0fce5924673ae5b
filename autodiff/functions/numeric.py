"""Statistics, interpolation, order statistics and the rest of NumPy: compositions of Functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.functions._axes import axes_of, count
from autodiff.functions._public import operand
from autodiff.functions.comparison import where
from autodiff.functions.indexing import getitem, plain_index, sort, take_along_axis
from autodiff.functions.joining import concatenate, stack
from autodiff.functions.products import matmul
from autodiff.functions.reduction import cumprod, cumsum, diff, max, mean, min, prod, std, sum, var
from autodiff.functions.shape import broadcast_to, moveaxis, reshape
from autodiff.tensor import Tensor

__all__ = [
    "average",
    "choose",
    "compress",
    "copysign",
    "corrcoef",
    "cov",
    "deg2rad",
    "delete",
    "ediff1d",
    "extract",
    "fmax",
    "fmin",
    "gradient",
    "heaviside",
    "interp",
    "logaddexp2",
    "median",
    "meshgrid",
    "nan_to_num",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "partition",
    "percentile",
    "polyval",
    "ptp",
    "quantile",
    "rad2deg",
    "resize",
    "select",
    "std_mean",
    "topk",
    "trapezoid",
    "vander",
    "var_mean",
]


def _values(x: Any) -> Any:
    """Return the array of a tensor, to decide by."""
    return np.asarray(getattr(x, "_data", x))


@implements(np.ptp)
def ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the range, from the smallest to the largest entry, along axes."""
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


@implements(np.average)
def average(x: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean along axes, weighted where weights are given."""
    x = operand(x)
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    w = operand(weights)
    if w.shape != x.shape:
        w = w.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    w = w * np.ones(x.shape)
    return sum(x * w, axis, keepdims=keepdims) / sum(w, axis, keepdims=keepdims)


@implements(np.median)
def median(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the median along axes: the mean of the two middle entries of an even number."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@implements(np.quantile)
def quantile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return quantiles along axes, linear between the entries.

    Parameters
    ----------
    x : Tensor
    q : float or array_like
        Between 0 and 1, constant; its axes come first in the result.
    axis : int or tuple of int, optional
    method : {'linear', 'lower', 'higher', 'midpoint'}
    """
    x = operand(x)
    axes = axes_of(axis, x.ndim)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = moveaxis(x, axes, last)
    number = count(x.shape, axes)
    rows = sort(reshape(moved, (*moved.shape[: x.ndim - len(axes)], number)))
    places = np.asarray(_values(q)) * (number - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, number - 1)
    weight = {
        "linear": places - low,
        "lower": np.zeros_like(places),
        "higher": (places > low).astype(float),
        "midpoint": 0.5 * (places > low),
    }[method]
    below, above = getitem(rows, (Ellipsis, low)), getitem(rows, (Ellipsis, high))
    out = below + (above - below) * weight.astype(x.dtype)
    if places.ndim:
        out = moveaxis(out, tuple(range(-places.ndim, 0)), tuple(range(places.ndim)))
    if keepdims:
        kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
        out = reshape(out, (*places.shape, *kept))
    return out  # type: ignore[no-any-return]


@implements(np.percentile)
def percentile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return percentiles along axes: quantiles at ``q / 100``."""
    return quantile(x, _values(q) / 100, axis, method=method, keepdims=keepdims)


@implements(np.partition)
def partition(x: Any, kth: Any, axis: int | None = -1) -> Tensor:
    """Return the entries along an axis with the k-th smallest in its place."""
    x = operand(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return take_along_axis(x, np.argpartition(_values(x), kth, axis), axis)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
    """Return the `k` largest (or smallest) entries along an axis, in order, and their places."""
    x = operand(x)
    values = _values(x)
    order = np.argsort(-values if largest else values, axis=dim, kind="stable")
    places = np.take(order, np.arange(k), axis=dim)
    return take_along_axis(x, places, dim), Tensor._make(places, None)


def _without_nan(x: Any, fill: float) -> tuple[Any, Any]:
    x = operand(x)
    missing = np.isnan(_values(x))
    return where(missing, fill, x), missing


@implements(np.nansum)
def nansum(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the sum along axes of the entries that are not NaN."""
    return sum(_without_nan(x, 0.0)[0], axis, keepdims=keepdims)


@implements(np.nanprod)
def nanprod(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the product along axes of the entries that are not NaN."""
    return prod(_without_nan(x, 1.0)[0], axis, keepdims=keepdims)


@implements(np.nanmean)
def nanmean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean along axes of the entries that are not NaN."""
    filled, missing = _without_nan(x, 0.0)
    return sum(filled, axis, keepdims=keepdims) / np.sum(~missing, axis=axis, keepdims=keepdims)


@implements(np.nanmax)
def nanmax(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the largest entry along axes that is not NaN."""
    return max(_without_nan(x, -np.inf)[0], axis, keepdims=keepdims)


@implements(np.nanmin)
def nanmin(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the smallest entry along axes that is not NaN."""
    return min(_without_nan(x, np.inf)[0], axis, keepdims=keepdims)


@implements(np.nanvar)
def nanvar(x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the variance along axes of the entries that are not NaN."""
    filled, missing = _without_nan(x, 0.0)
    number = np.sum(~missing, axis=axis, keepdims=True)
    centre = sum(filled, axis, keepdims=True) / number
    squares = where(missing, 0.0, (filled - centre) ** 2)
    number = np.sum(~missing, axis=axis, keepdims=keepdims)
    return sum(squares, axis, keepdims=keepdims) / (number - ddof)


@implements(np.nanstd)
def nanstd(x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation along axes of the entries that are not NaN."""
    return nanvar(x, axis, ddof=ddof, keepdims=keepdims) ** 0.5


@implements(np.nancumsum)
def nancumsum(x: Any, axis: int | None = None) -> Tensor:
    """Return the sums up to each entry, where NaN counts as 0."""
    return cumsum(_without_nan(x, 0.0)[0], axis)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    """Replace NaN and infinities by numbers, which have no gradient."""
    x = operand(x)
    values = _values(x)
    limits = np.finfo(values.dtype)
    out = where(np.isnan(values), nan, x)
    out = where(np.isposinf(values), limits.max if posinf is None else posinf, out)
    return where(np.isneginf(values), limits.min if neginf is None else neginf, out)


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Tensor:
    """Interpolate linearly between the points ``(xp, fp)``; at a point the slope is the next one's.

    Parameters
    ----------
    x : Tensor
        Where to interpolate.
    xp, fp : Tensor of one axis
        The points, with rising `xp`.
    left, right : float, optional
        The values outside; the first and the last of `fp` where they are missing.
    """
    x, xp, fp = operand(x), operand(xp), operand(fp)
    values, knots = _values(x), _values(xp)
    places = np.clip(np.searchsorted(knots, values, "right") - 1, 0, len(knots) - 2)
    x0, x1 = getitem(xp, places), getitem(xp, places + 1)
    f0, f1 = getitem(fp, places), getitem(fp, places + 1)
    out: Any = f0 + (x - x0) * ((f1 - f0) / (x1 - x0))
    out = where(values < knots[0], getitem(fp, 0) if left is None else left, out)
    return where(values > knots[-1], getitem(fp, -1) if right is None else right, out)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Integrate along an axis by the trapezoidal rule."""
    y = operand(y)
    rows = moveaxis(y, axis, -1)
    if x is None:
        steps: Any = dx
    else:
        x = operand(x)
        steps = diff(x) if x.ndim == 1 else moveaxis(diff(x, axis=axis), axis, -1)
    return sum(steps * (rows[..., 1:] + rows[..., :-1]) / 2, axis=-1)


@implements(np.ediff1d)
def ediff1d(x: Any) -> Tensor:
    """Return the differences of neighbours of the flat array."""
    return diff(operand(x).reshape(-1))


@implements(np.gradient)
def gradient(x: Any, *spacing: float, axis: Any = None) -> Any:
    """Return differences by neighbours on both sides, at the ends on one, along each axis."""
    x = operand(x)
    axes = range(x.ndim) if axis is None else axes_of(axis, x.ndim)
    steps = spacing or (1.0,)
    steps = steps * len(axes) if len(steps) == 1 else steps
    out = []
    for a, h in zip(axes, steps, strict=True):
        rows = moveaxis(x, a, -1)
        inner = (rows[..., 2:] - rows[..., :-2]) / (2 * h)
        first = (rows[..., 1:2] - rows[..., :1]) / h
        last = (rows[..., -1:] - rows[..., -2:-1]) / h
        out.append(moveaxis(concatenate([first, inner, last], axis=-1), -1, a))
    return out[0] if len(out) == 1 else tuple(out)


@implements(np.cov)
def cov(x: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Tensor:
    """Return the covariances of variables: of the rows, or the columns."""
    x = operand(x)
    rows = x.reshape(1, -1) if x.ndim == 1 else x if rowvar else x.T
    if y is not None:
        other = operand(y)
        other = other.reshape(1, -1) if other.ndim == 1 else other if rowvar else other.T
        rows = concatenate([rows, other], axis=0)
    number = rows.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    centred = rows - mean(rows, axis=1, keepdims=True)
    out = matmul(centred, centred.T) / number
    return out.reshape(()) if out.shape == (1, 1) else out


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    """Return the correlations of variables: of the rows, or the columns."""
    c = cov(x, y, rowvar)
    if not c.shape:
        return c / c
    scale = c[np.arange(c.shape[0]), np.arange(c.shape[0])] ** 0.5
    return c / scale.reshape(-1, 1) / scale.reshape(1, -1)


@implements(np.select)
def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0.0) -> Tensor:
    """Return for each place the first choice whose condition holds."""
    out = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        out = where(condition, choice, out)
    return out  # type: ignore[return-value]


@implements(np.choose)
def choose(places: Any, choices: Sequence[Any]) -> Tensor:
    """Return for each place the entry of the choice that it names."""
    rows = stack([operand(choice) for choice in choices])
    which = _values(places)
    grid = np.ix_(*[np.arange(n) for n in which.shape])
    return getitem(rows, (which, *grid))


@implements(np.compress)
def compress(condition: Any, x: Any, axis: int | None = None) -> Tensor:
    """Return the slices along an axis for which a condition holds."""
    kept = np.flatnonzero(_values(condition))
    x = operand(x)
    return x.reshape(-1)[kept] if axis is None else _take(x, kept, axis)


@implements(np.extract)
def extract(condition: Any, x: Any) -> Tensor:
    """Return the entries for which a condition holds."""
    return operand(x).reshape(-1)[np.flatnonzero(_values(condition))]  # type: ignore[no-any-return]


@implements(np.delete)
def delete(x: Any, places: Any, axis: int | None = None) -> Tensor:
    """Return an axis without some of its entries."""
    x = operand(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return _take(x, np.delete(np.arange(x.shape[axis]), plain_index(places)), axis)


def _take(x: Any, places: Any, axis: int) -> Tensor:
    return getitem(x, (*[slice(None)] * (axis % x.ndim), places))


@implements(np.resize)
def resize(x: Any, shape: Any) -> Tensor:
    """Return the entries in another shape, repeated where they do not fill it."""
    x = operand(x)
    total = int(np.prod(shape))
    return x.reshape(-1)[np.arange(total) % int(np.prod(x.shape))].reshape(shape)  # type: ignore[no-any-return]


@implements(np.meshgrid)
def meshgrid(*axes: Any, indexing: str = "xy") -> list[Tensor]:
    """Return the coordinates of the points of a grid."""
    operands = [operand(a) for a in axes]
    number = len(operands)
    order = list(range(number))
    if indexing == "xy" and number > 1:
        order[0], order[1] = 1, 0
    shape = [0] * number
    for a, place in zip(operands, order, strict=True):
        shape[place] = a.shape[0]
    return [
        broadcast_to(a.reshape([-1 if i == place else 1 for i in range(number)]), shape)
        for a, place in zip(operands, order, strict=True)
    ]


@implements(np.vander)
def vander(x: Any, n: int | None = None, increasing: bool = False) -> Tensor:
    """Return the matrix of the powers of the entries."""
    x = operand(x)
    powers = range(x.shape[0] if n is None else n)
    return stack([x**k for k in (powers if increasing else reversed(powers))], axis=-1)


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Tensor:
    """Return the values of a polynomial whose coefficients fall from the highest power."""
    p, x = operand(p), operand(x)
    out: Any = 0.0 * x
    for k in range(p.shape[0]):
        out = out * x + p[k]
    return out  # type: ignore[no-any-return]


@implements(np.deg2rad, np.radians)
def deg2rad(x: Any) -> Tensor:
    """Return degrees as radians."""
    return operand(x) * (np.pi / 180)  # type: ignore[no-any-return]


@implements(np.rad2deg, np.degrees)
def rad2deg(x: Any) -> Tensor:
    """Return radians as degrees."""
    return operand(x) * (180 / np.pi)  # type: ignore[no-any-return]


@implements(np.logaddexp2)
def logaddexp2(x: Any, y: Any) -> Tensor:
    """Return ``log2(2**x + 2**y)``, without overflow."""
    from autodiff.functions.exponential import LOG2, logaddexp

    return logaddexp(operand(x) * LOG2, operand(y) * LOG2) / LOG2


@implements(np.fmax)
def fmax(x: Any, y: Any) -> Tensor:
    """Return the larger of two, or the one that is not NaN."""
    from autodiff.functions.comparison import maximum

    a, b = operand(x), operand(y)
    return where(np.isnan(_values(a)), b, where(np.isnan(_values(b)), a, maximum(a, b)))


@implements(np.fmin)
def fmin(x: Any, y: Any) -> Tensor:
    """Return the smaller of two, or the one that is not NaN."""
    from autodiff.functions.comparison import minimum

    a, b = operand(x), operand(y)
    return where(np.isnan(_values(a)), b, where(np.isnan(_values(b)), a, minimum(a, b)))


@implements(np.copysign)
def copysign(x: Any, y: Any) -> Tensor:
    """Return the absolute values of `x` with the signs of `y`, which get no gradient."""
    x = operand(x)
    signs = np.copysign(1.0, _values(y)) * np.copysign(1.0, _values(x))
    return x * signs.astype(x.dtype)  # type: ignore[no-any-return]


@implements(np.heaviside)
def heaviside(x: Any, y: Any) -> Tensor:
    """Return 0 below 0 and 1 above it, and `y` at 0; nothing but `y` has a gradient."""
    values = _values(x)
    return where(values == 0, y, np.heaviside(values, 0.0))


def std_mean(x: Any, axis: Any = None, *, ddof: float = 1) -> tuple[Tensor, Tensor]:
    """Return the standard deviation and the mean along axes."""
    return std(x, axis, ddof=ddof), mean(x, axis)


def var_mean(x: Any, axis: Any = None, *, ddof: float = 1) -> tuple[Tensor, Tensor]:
    """Return the variance and the mean along axes."""
    return var(x, axis, ddof=ddof), mean(x, axis)


@implements(np.nanquantile)
def nanquantile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return quantiles along axes of the entries that are not NaN."""
    x = operand(x)
    if not np.any(np.isnan(_values(x))):
        return quantile(x, q, axis, method=method, keepdims=keepdims)
    axes = axes_of(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = reshape(moveaxis(x, kept, range(len(kept))), (-1, count(x.shape, axes)))
    parts = [
        quantile(getitem(row, np.flatnonzero(~np.isnan(_values(row)))), q, method=method)
        for row in rows
    ]
    places = np.ndim(_values(q))
    lengths = [1 if i in axes else n for i, n in enumerate(x.shape)]
    lengths = lengths if keepdims else [x.shape[i] for i in kept]
    out = stack(parts, axis=-1)
    return reshape(out, (*out.shape[:places], *lengths))


@implements(np.nanpercentile)
def nanpercentile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return percentiles along axes of the entries that are not NaN."""
    return nanquantile(x, _values(q) / 100, axis, method=method, keepdims=keepdims)


@implements(np.nanmedian)
def nanmedian(x: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """Return the median along axes of the entries that are not NaN."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


@implements(np.nancumprod)
def nancumprod(x: Any, axis: int | None = None) -> Tensor:
    """Return the products up to each entry, where NaN counts as 1."""
    return cumprod(_without_nan(x, 1.0)[0], axis)
