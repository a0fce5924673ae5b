"""Interpolation, differences and polynomials on traced arrays, and functions applied along axes.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import contains_traced, gather, is_traced, wrap
from symbolic.array_functions import as_traced, implements
from symbolic.lowering import primitive
from symbolic.values import TraceError, user_line

__all__ = ["gradient", "interp", "sinc"]


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = as_traced(f)
    axes = range(f.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    spacings = list(varargs) if varargs else [1.0]
    if len(spacings) == 1:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    results = [
        np.moveaxis(_slopes(np.moveaxis(f, a, 0), h, edge_order), 0, a)
        for a, h in zip(axes, spacings, strict=True)
    ]
    return results[0] if len(results) == 1 else tuple(results)


def _slopes(f: Any, h: Any, edge_order: int) -> Any:
    """Second-order differences along the first axis, of evenly or unevenly spaced samples."""
    n = len(f)
    if n < edge_order + 1:
        raise ValueError("Shape of array too small to calculate a numerical gradient")
    out = np.zeros_like(f)
    if np.ndim(h) == 0:
        steps: Any = [h] * (n - 1)
    else:
        steps = [h[i + 1] - h[i] for i in range(n - 1)]
    shape_is_even = np.ndim(h) == 0
    for i in range(1, n - 1):
        if shape_is_even:
            out[i] = (f[i + 1] - f[i - 1]) / (2.0 * h)
        else:
            d1, d2 = steps[i - 1], steps[i]
            out[i] = (
                -d2 / (d1 * (d1 + d2)) * f[i - 1]
                + (d2 - d1) / (d1 * d2) * f[i]
                + d1 / (d2 * (d1 + d2)) * f[i + 1]
            )
    if edge_order == 1:
        out[0] = (f[1] - f[0]) / steps[0]
        out[-1] = (f[-1] - f[-2]) / steps[-1]
        return out
    d1, d2 = steps[0], steps[1]
    out[0] = (
        -(2.0 * d1 + d2) / (d1 * (d1 + d2)) * f[0]
        + (d1 + d2) / (d1 * d2) * f[1]
        - d1 / (d2 * (d1 + d2)) * f[2]
    )
    d1, d2 = steps[-2], steps[-1]
    out[-1] = (
        d2 / (d1 * (d1 + d2)) * f[-3]
        - (d2 + d1) / (d1 * d2) * f[-2]
        + (2.0 * d2 + d1) / (d2 * (d1 + d2)) * f[-1]
    )
    return out


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    if period is not None:
        raise TraceError("np.interp with a period", user_line())
    x, xp, fp = as_traced(x), as_traced(xp), as_traced(fp)
    found = np.searchsorted(xp, x, side="right")
    result = np.zeros(x.shape).astype(object)
    for index in np.ndindex(x.shape):
        at, point = int(np.asarray(found)[index]), x[index]
        if at == 0:
            entry = fp[0] if left is None else left
        elif at == len(xp):
            past = right is not None and bool(point > xp[-1])
            entry = right if past else fp[-1]
        else:
            slope = (fp[at] - fp[at - 1]) / (xp[at] - xp[at - 1])
            entry = fp[at - 1] + slope * (point - xp[at - 1])
        result[index] = entry.item() if is_traced(entry) else entry
    return wrap(result, fp.dtype, scalar=x.ndim == 0)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    x = as_traced(x)

    def entry(v: Any) -> Any:
        if v == 0:
            return 1.0
        y = v * np.pi
        return primitive("sin", y) / y

    return wrap(np.frompyfunc(entry, 1, 1)(x._entries), x.dtype, scalar=x.ndim == 0)


@implements(np.i0)
def i0(x: Any) -> Any:
    from scipy import special

    return special.i0(x)


@implements(np.round, np.around)
def around(a: Any, decimals: int = 0, out: Any = None) -> Any:
    a = as_traced(a)
    result = np.rint(a) if not decimals else np.rint(a * 10.0**decimals) / 10.0**decimals
    if out is None:
        return result
    out[...] = result
    return out


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Any:
    return np.trunc(x)


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kw: Any) -> Any:
    moved = np.moveaxis(as_traced(arr), axis, -1)
    results = [func1d(moved[i], *args, **kw) for i in np.ndindex(moved.shape[:-1])]
    if contains_traced(results):
        entries, dtype = gather(results)
        result = wrap(entries, dtype)
    else:
        result = np.array(results)
    inner = result.shape[1:]
    result = result.reshape(moved.shape[:-1] + inner)
    for k in range(len(inner)):  # the new axes stand where the old one was
        result = np.moveaxis(result, moved.ndim - 1 + k, axis % moved.ndim + k)
    return result


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(as_traced(y), axis, -1)
    if x is None:
        steps = dx
    else:
        x = as_traced(x)
        steps = np.diff(x) if x.ndim == 1 else np.diff(np.moveaxis(x, axis, -1))
    return np.sum(steps * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@implements(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    x = np.atleast_2d(as_traced(m))
    if not rowvar and x.shape[0] != 1:
        x = x.T
    if y is not None:
        other = np.atleast_2d(as_traced(y))
        x = np.concatenate([x, other.T if not rowvar and other.shape[0] != 1 else other])
    if ddof is None:
        ddof = 0 if bias else 1
    weights: Any = None
    if fweights is not None:
        weights = fweights
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    average, total = np.average(x, axis=1, weights=weights, returned=True)
    total = total[0]
    if weights is None:
        factor = x.shape[1] - ddof
    elif ddof == 0:
        factor = total
    elif aweights is None:
        factor = total - ddof
    else:
        factor = total - ddof * np.sum(weights * aweights) / total
    centred = x - average[:, None]
    right = centred if weights is None else centred * weights
    return np.squeeze(np.dot(centred, right.T) / factor)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **kwargs: Any) -> Any:
    c = np.cov(as_traced(x), y, rowvar)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.diag(c))
    return c / deviation[:, None] / deviation[None, :]


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    if isinstance(p, np.poly1d):
        p = p.coeffs
    y: Any = np.zeros_like(as_traced(x))
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.polyfit)
def polyfit(x: Any, y: Any, deg: int, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs:
        raise TraceError("np.polyfit with more than x, y and deg", user_line())
    v = np.vander(as_traced(x), deg + 1)
    return np.linalg.solve(v.T @ v, v.T @ as_traced(y))


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = as_traced(x)
    n = len(x) if N is None else N
    powers = [x**k if k else np.ones_like(x) for k in range(n)]
    return np.stack(powers if increasing else powers[::-1], axis=-1)


@implements(np.unwrap)
def unwrap_phase(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    p = as_traced(p)
    jump = np.diff(p, axis=axis)
    half = period / 2
    wrapped = np.mod(jump + half, period) - half
    wrapped = np.where((wrapped == -half) & (jump > 0), half, wrapped)
    correction = wrapped - jump
    correction = np.where(np.abs(jump) < (half if discont is None else discont), 0.0, correction)
    start = np.take(p, [0], axis=axis)
    rest = np.take(p, range(1, p.shape[axis]), axis=axis) + np.cumsum(correction, axis=axis)
    return np.concatenate([start, rest], axis=axis)


@implements(np.linspace)
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0, **kwargs: Any) -> Any:  # fmt: skip
    steps = num - 1 if endpoint else num
    step = np.subtract(stop, start) / max(steps, 1)
    grid = np.arange(num).reshape((num,) + (1,) * np.ndim(step))
    result = start + grid * step
    if axis:
        result = np.moveaxis(result, 0, axis)
    return (result, step) if retstep else result


@implements(np.logspace)
def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
             **kwargs: Any) -> Any:  # fmt: skip
    return np.power(base, linspace(start, stop, num, endpoint))


@implements(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, **kwargs: Any) -> Any:
    return start * np.power(np.divide(stop, start), linspace(0.0, 1.0, num, endpoint))
