"""Reductions, cumulative sums, order statistics and sorting of traced arrays.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.ordering`,
:mod:`symbolic.ufuncs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic import ordering
from symbolic.array import TracedArray, has_symbols, is_traced, values, wrap
from symbolic.array_functions import FUNCTIONS, as_entries, as_traced, implements, stored
from symbolic.ufuncs import _axes, apply_along
from symbolic.ufuncs import dispatch as ufunc_dispatch
from symbolic.values import TraceError, user_line

__all__ = ["argsort", "median", "quantile", "sort"]


# Reductions


def _reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduction(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        names: tuple[str, ...] = ("dtype", "out", "keepdims", "initial", "where")
        if ufunc in (np.maximum, np.minimum, np.logical_and, np.logical_or):
            names = names[1:]
        kwargs |= dict(zip(names, args, strict=False))
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and v is not None}
        if "out" in kwargs:
            kwargs["out"] = (kwargs["out"],)
        return ufunc_dispatch(ufunc, "reduce", (as_traced(a),), {"axis": axis, **kwargs})

    return reduction


for _function, _ufunc in {
    np.sum: np.add,
    np.prod: np.multiply,
    np.max: np.maximum,
    np.min: np.minimum,
    np.amax: np.maximum,
    np.amin: np.minimum,
    np.nanmax: np.fmax,
    np.nanmin: np.fmin,
    np.all: np.logical_and,
    np.any: np.logical_or,
}.items():
    FUNCTIONS[_function] = _reduction(_ufunc)


def _count(a: TracedArray, axis: Any, where: Any = True) -> Any:
    if where is not True:
        return np.sum(np.broadcast_to(np.asarray(where), a.shape), axis=axis)
    axes = range(a.ndim) if axis is None else _axes(axis)
    return int(np.prod([a.shape[i] for i in axes], dtype=int))


def _optional(keepdims: Any) -> dict[str, Any]:
    return {"keepdims": True} if keepdims is True else {}


def _label_as(result: Any, dtype: Any) -> Any:
    return result if dtype is None else result.astype(dtype)


@implements(np.mean)
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    *, where: Any = True,
) -> Any:  # fmt: skip
    a = as_traced(a)
    extra = {} if where is True else {"where": where}
    total = np.sum(a, axis=axis, **_optional(keepdims), **extra)
    count = _count(a, axis, where)
    if where is not True:
        count = np.reshape(count, np.shape(total))
    return stored(_label_as(np.divide(total, count), dtype), out)


@implements(np.var)
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    a = as_traced(a)
    ddof = ddof if correction is None else correction
    extra = {} if where is True else {"where": where}
    if mean is None or mean is np._NoValue:
        mean = np.mean(a, axis=axis, keepdims=True, **extra)
    centred = a - mean
    squares = (centred * np.conjugate(centred)).real if a.dtype.kind == "c" else centred * centred
    total = np.sum(squares, axis=axis, **_optional(keepdims), **extra)
    count = np.maximum(_count(a, axis, where) - ddof, 0)
    if where is not True:
        count = np.reshape(count, np.shape(total))
    return stored(_label_as(np.divide(total, count), dtype), out)


@implements(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *args: Any, **kw: Any) -> Any:
    return stored(np.sqrt(np.var(a, axis, dtype, None, *args, **kw)), out)


@implements(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    a = as_traced(a)
    if weights is None:
        result = np.mean(a, axis=axis, **_optional(keepdims))
        scale = np.full(np.shape(result), float(_count(a, axis)))
    else:
        weights = as_traced(weights)
        if weights.shape != a.shape:
            shape = [1] * a.ndim
            for n, i in zip(weights.shape, _axes(axis), strict=True):
                shape[i] = n
            weights = np.reshape(weights, shape)
        weights = np.broadcast_to(weights, a.shape)
        scale = np.sum(weights, axis=axis, **_optional(keepdims))
        result = np.sum(a * weights, axis=axis, **_optional(keepdims)) / scale
    return (result, np.broadcast_to(scale, np.shape(result))) if returned else result


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    extra = _optional(keepdims)
    return stored(np.max(a, axis=axis, **extra) - np.min(a, axis=axis, **extra), out)


def _without_nan(a: Any, filler: float) -> TracedArray:
    a = as_traced(a)
    entries = a._entries.copy()
    entries[np.isnan(values(a))] = filler
    return TracedArray(entries, a._dtype)


@implements(np.nansum)
def nansum(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.sum(_without_nan(a, 0.0), axis, *args, **kwargs)


@implements(np.nanprod)
def nanprod(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.prod(_without_nan(a, 1.0), axis, *args, **kwargs)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.cumsum(_without_nan(a, 0.0), axis, *args, **kwargs)


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.mean(a, axis, *args, where=~np.isnan(values(a)), **kwargs)


@implements(np.nanvar)
def nanvar(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    keep = ~np.isnan(values(a))
    return np.var(_without_nan(a, 0.0), axis, *args, where=keep, **kwargs)


@implements(np.nanstd)
def nanstd(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.sqrt(np.nanvar(a, axis, *args, **kwargs))


@implements(np.nanargmax)
def nanargmax(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    return np.argmax(_without_nan(a, -np.inf), axis, **kwargs)


@implements(np.nanargmin)
def nanargmin(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    return np.argmin(_without_nan(a, np.inf), axis, **kwargs)


def _cumulative(ufunc: np.ufunc) -> Callable[..., Any]:
    def cumulative(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        a = as_traced(a)
        if axis is None:
            a, axis = a.ravel(), 0
        return stored(_label_as(ufunc.accumulate(a, axis=axis), dtype), out)

    return cumulative


FUNCTIONS[np.cumsum] = _cumulative(np.add)
FUNCTIONS[np.cumprod] = _cumulative(np.multiply)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.count_nonzero(np.asarray(as_traced(a) != 0), axis, keepdims=keepdims)


@implements(np.nonzero)
def nonzero(a: Any) -> Any:
    return np.nonzero(np.asarray(as_traced(a) != 0))


@implements(np.argwhere)
def argwhere(a: Any) -> Any:
    return np.argwhere(np.asarray(as_traced(a) != 0))


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    return np.flatnonzero(np.asarray(as_traced(a) != 0))


# Order


def _arg(sign: int) -> Callable[..., Any]:
    def arg(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        def pick(entries: np.ndarray) -> int:
            return ordering.argextreme(entries, sign)

        found = apply_along(pick, as_entries(a), axis, keepdims is True).astype(np.intp)
        return stored(found if found.ndim or keepdims is True else found[()], out)

    return arg


FUNCTIONS[np.argmax], FUNCTIONS[np.argmin] = _arg(1), _arg(-1)


def _order(entries: np.ndarray, axis: int) -> np.ndarray:
    moved = np.moveaxis(entries, axis, -1)
    order = np.empty(moved.shape, dtype=np.intp)
    for index in np.ndindex(moved.shape[:-1]):
        order[index] = ordering.argsort(moved[index])
    return np.moveaxis(order, -1, axis)


@implements(np.argsort)
def argsort(a: Any, axis: Any = -1, *args: Any, **kwargs: Any) -> Any:
    entries = as_entries(a)
    if axis is None:
        entries, axis = entries.reshape(-1), 0
    return _order(entries, axis)


@implements(np.sort)
def sort(a: Any, axis: Any = -1, *args: Any, **kwargs: Any) -> Any:
    a = as_traced(a)
    if axis is None:
        a, axis = a.ravel(), 0
    return wrap(np.take_along_axis(a._entries, _order(a._entries, axis), axis), a._dtype)


@implements(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1, **kwargs: Any) -> Any:
    return np.sort(a, axis=axis)


@implements(np.argpartition)
def argpartition(a: Any, kth: Any, axis: Any = -1, **kwargs: Any) -> Any:
    return np.argsort(a, axis=axis)


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Any:
    order = np.arange(np.shape(keys[0])[-1])
    for key in keys:
        order = order[np.argsort(key[order])]
    return order


def _position(places: np.ndarray, entry: Any, side: Any) -> int:
    """Where ``entry`` belongs among sorted entries, its two neighbours recorded."""
    numbers = values(places)
    at = int(np.searchsorted(numbers, values(entry), side=side))
    below, above = places[:at][-1:], places[at:][:1]
    if side == "left":
        _ = [b < entry for b in below], [entry <= b for b in above]
    else:
        _ = [b <= entry for b in below], [entry < b for b in above]
    return at


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    places, sought = as_entries(a), as_entries(v)
    if sorter is not None:
        places = places[sorter]
    found = np.empty(sought.shape, dtype=np.intp)
    for index in np.ndindex(sought.shape):
        found[index] = _position(places, sought[index], side)
    return found if sought.ndim else found[()]


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    bins = as_traced(bins)
    numbers = values(bins)
    if len(numbers) > 1 and numbers[0] > numbers[-1]:
        side: Any = "right" if right else "left"
        return len(numbers) - np.searchsorted(bins[::-1], x, side=side)
    return np.searchsorted(bins, x, side="left" if right else "right")


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    if axis is not None:
        raise TraceError("np.unique along an axis", user_line())
    flat = as_traced(ar).ravel()
    order = np.argsort(flat)
    numbers = values(flat)[order]
    first = np.concatenate([[True], numbers[1:] != numbers[:-1]]) if len(numbers) else numbers > 0
    group = np.cumsum(first) - 1
    inverse = np.empty(len(numbers), dtype=np.intp)
    inverse[order] = group
    results = [flat[order[first]]]
    if return_index:
        results.append(order[first])
    if return_inverse:
        results.append(inverse.reshape(np.shape(ar)))
    if return_counts:
        results.append(np.bincount(group))
    return tuple(results) if len(results) > 1 else results[0]


@implements(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    return stored(np.quantile(a, 0.5, axis=axis, **_optional(keepdims)), out)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    if np.isnan(values(a)).any():
        raise TraceError("np.nanmedian of an array with a NaN", user_line())
    return np.median(a, axis, *args, **kwargs)


@implements(np.percentile)
def percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return np.quantile(as_traced(a), np.divide(q, 100), *args, **kwargs)


# The index at which each method reads the sorted entries, as in NumPy's documentation.
_QUANTILE_INDEX: dict[str, Callable[[int, float], float]] = {
    "linear": lambda n, q: (n - 1) * q,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
    "hazen": lambda n, q: n * q - 0.5,
    "weibull": lambda n, q: (n + 1) * q - 1,
    "median_unbiased": lambda n, q: n * q + (q + 1) / 3 - 1,
    "normal_unbiased": lambda n, q: n * q + q / 4 + 3 / 8 - 1,
}


@implements(np.quantile)
def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    a = as_traced(a)
    if weights is not None or (is_traced(q) and has_symbols(q._entries)):
        raise TraceError("a quantile with weights, or at a traced probability", user_line())
    if method not in _QUANTILE_INDEX:
        raise TraceError(f"quantile with method={method!r}", user_line())

    def at(probability: float) -> Callable[[np.ndarray], Any]:
        def pick(entries: np.ndarray) -> Any:
            n = len(entries)
            ordered = entries[ordering.argsort(entries)]
            place = min(max(float(_QUANTILE_INDEX[method](n, probability)), 0.0), n - 1.0)
            low = int(place)
            share = place - low
            if share == 0:
                return ordered[low]
            return ordered[low] + (ordered[low + 1] - ordered[low]) * share

        return pick

    probabilities = np.asarray(values(q) if is_traced(q) else q, dtype=float)
    parts = [
        apply_along(at(p), a._entries, axis, keepdims is True) for p in probabilities.reshape(-1)
    ]
    found = np.stack(parts).reshape(probabilities.shape + parts[0].shape)
    return stored(wrap(found, a._dtype, scalar=found.ndim == 0), out)


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    x = np.asarray(x)
    weights = as_traced(weights)
    out = np.zeros(max(int(x.max(initial=-1)) + 1, minlength)).astype(object)
    for i, entry in zip(x, weights._entries, strict=True):
        out[i] = out[i] + entry
    return wrap(out)
