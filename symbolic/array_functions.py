"""NumPy's array functions on traced arrays.

Most of NumPy's functions only move entries about or combine them by operators: they run on object
arrays as they are, which is the default here. The table holds the others, in the order of NumPy's
reference: reductions, order, choice, numeric helpers.

May import: :mod:`symbolic.array`, :mod:`symbolic.ufuncs`, :mod:`symbolic.ordering`,
:mod:`symbolic.lowering`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic import ordering
from symbolic.array import (
    TracedArray,
    gather,
    has_symbols,
    is_traced,
    values,
    wrap,
)
from symbolic.complex import angle as complex_angle
from symbolic.ufuncs import _axes, apply_along, label
from symbolic.ufuncs import dispatch as ufunc_dispatch
from symbolic.values import Symbol, TraceError, user_line

__all__ = ["FUNCTIONS", "default", "dispatch", "implements"]

FUNCTIONS: dict[Any, Callable[..., Any]] = {}

# What only moves entries: run on object arrays even if all are constants, so that views stay views.
STRUCTURAL = frozenset(
    ["reshape", "ravel", "transpose", "swapaxes", "moveaxis", "rollaxis", "squeeze", "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "broadcast_arrays", "concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "split", "array_split", "hsplit", "vsplit", "dsplit", "flip", "fliplr", "flipud", "roll", "rot90", "tile", "repeat", "take", "diag", "diagonal", "diagflat", "tril", "triu", "pad", "insert", "append", "delete", "resize", "copy", "meshgrid", "put", "place", "putmask", "put_along_axis", "take_along_axis", "fill_diagonal", "compress", "extract", "choose", "permute_dims", "matrix_transpose", "shares_memory", "may_share_memory", "trim_zeros", "unstack"]
)


def implements(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the traced version of NumPy functions."""

    def register(ours: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            if function is not None:
                FUNCTIONS[function] = ours
        return ours

    return register


def dispatch(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What ``__array_function__`` does."""
    ours = FUNCTIONS.get(function)
    if ours is not None:
        return ours(*args, **kwargs)
    return default(function, *args, **kwargs)


def default(function: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's own implementation on object arrays."""
    found: list[TracedArray] = []
    new_args = tuple(_strip(a, found) for a in args)
    new_kwargs = {k: _strip(v, found) for k, v in kwargs.items()}
    name = getattr(function, "__name__", str(function))
    if name not in STRUCTURAL and found and not any(has_symbols(a._entries) for a in found):
        result = function(*(_real(a) for a in args), **{k: _real(v) for k, v in kwargs.items()})
        return _rewrap(result, None)
    try:
        result = function(*new_args, **new_kwargs)
    except TraceError:
        raise
    except TypeError as error:
        if "no callable" in str(error) or "not supported for the input types" in str(error):
            raise TraceError(f"{name} of traced arrays is not supported", user_line()) from error
        raise
    return _rewrap(result, label(*found) if found else None)


def _strip(x: Any, found: list[TracedArray]) -> Any:
    if type(x) is TracedArray:
        found.append(x)
        return x._entries
    if type(x) is Symbol:
        box = np.empty((), dtype=object)
        box[()] = x
        return box
    if type(x) in (list, tuple):
        return type(x)(_strip(v, found) for v in x)
    return x


def _real(x: Any) -> Any:
    if type(x) is TracedArray:
        return values(x).astype(x._dtype)
    if type(x) in (list, tuple):
        return type(x)(_real(v) for v in x)
    return x


def _rewrap(result: Any, dtype: Any) -> Any:
    if isinstance(result, (tuple, list)):
        parts = [_rewrap(r, dtype) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if isinstance(result, np.ndarray) and result.dtype == object:
        return wrap(result, dtype)
    if isinstance(result, np.ndarray) or is_traced(result):
        return wrap(result, dtype, scalar=True)
    if isinstance(result, float):
        return wrap(float(result), dtype, scalar=True)
    return result


def _array(x: Any) -> TracedArray:
    """The argument as a traced array."""
    if type(x) is TracedArray:
        return x
    entries, dtype = gather(x)
    return TracedArray(entries, dtype if dtype.kind in "fc" else np.dtype(float))


def _entries(x: Any) -> np.ndarray:
    return np.asarray(gather(x)[0], dtype=object)


def _stored(result: Any, out: Any) -> Any:
    if out is None:
        return result
    out[...] = result
    return out


# Reductions


def _reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduction(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        names = ("dtype", "out", "keepdims", "initial", "where")
        if ufunc in (np.maximum, np.minimum, np.logical_and, np.logical_or):
            names = names[1:]
        kwargs |= dict(zip(names, args, strict=False))
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and v is not None}
        if "out" in kwargs:
            kwargs["out"] = (kwargs["out"],)
        return ufunc_dispatch(ufunc, "reduce", (_array(a),), {"axis": axis, **kwargs})

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
    a = _array(a)
    extra = {} if where is True else {"where": where}
    total = np.sum(a, axis=axis, **_optional(keepdims), **extra)
    count = _count(a, axis, where)
    if where is not True and keepdims is True:
        count = np.reshape(count, np.shape(total))
    return _stored(_label_as(np.divide(total, count), dtype), out)


@implements(np.var)
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    a = _array(a)
    ddof = ddof if correction is None else correction
    extra = {} if where is True else {"where": where}
    if mean is None or mean is np._NoValue:
        mean = np.mean(a, axis=axis, keepdims=True, **extra)
    centred = a - mean
    squares = (centred * np.conjugate(centred)).real if a.dtype.kind == "c" else centred * centred
    total = np.sum(squares, axis=axis, **_optional(keepdims), **extra)
    count = np.maximum(_count(a, axis, where) - ddof, 0)
    return _stored(_label_as(np.divide(total, count), dtype), out)


@implements(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *args: Any, **kw: Any) -> Any:
    return _stored(np.sqrt(np.var(a, axis, dtype, None, *args, **kw)), out)


@implements(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    a = _array(a)
    if weights is None:
        result = np.mean(a, axis=axis, **_optional(keepdims))
        scale = np.full(np.shape(result), float(_count(a, axis)))
    else:
        weights = _array(weights)
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
    return _stored(np.max(a, axis=axis, **extra) - np.min(a, axis=axis, **extra), out)


def _without_nan(a: Any, filler: float) -> TracedArray:
    a = _array(a)
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
        a = _array(a)
        if axis is None:
            a, axis = a.ravel(), 0
        return _stored(_label_as(ufunc.accumulate(a, axis=axis), dtype), out)

    return cumulative


FUNCTIONS[np.cumsum] = _cumulative(np.add)
FUNCTIONS[np.cumprod] = _cumulative(np.multiply)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.count_nonzero(np.asarray(_array(a) != 0), axis, keepdims=keepdims)


@implements(np.nonzero)
def nonzero(a: Any) -> Any:
    return np.nonzero(np.asarray(_array(a) != 0))


@implements(np.argwhere)
def argwhere(a: Any) -> Any:
    return np.argwhere(np.asarray(_array(a) != 0))


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    return np.flatnonzero(np.asarray(_array(a) != 0))


# Order


def _arg(sign: int) -> Callable[..., Any]:
    def arg(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        def pick(entries: np.ndarray) -> int:
            return ordering.argextreme(entries, sign)

        found = apply_along(pick, _entries(a), axis, keepdims is True).astype(np.intp)
        return _stored(found if found.ndim or keepdims is True else found[()], out)

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
    entries = _entries(a)
    if axis is None:
        entries, axis = entries.reshape(-1), 0
    return _order(entries, axis)


@implements(np.sort)
def sort(a: Any, axis: Any = -1, *args: Any, **kwargs: Any) -> Any:
    a = _array(a)
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


def _position(places: np.ndarray, entry: Any, side: str) -> int:
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
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    places, sought = _entries(a), _entries(v)
    if sorter is not None:
        places = places[sorter]
    found = np.empty(sought.shape, dtype=np.intp)
    for index in np.ndindex(sought.shape):
        found[index] = _position(places, sought[index], side)
    return found if sought.ndim else found[()]


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    bins = _array(bins)
    numbers = values(bins)
    if len(numbers) > 1 and numbers[0] > numbers[-1]:
        side = "right" if right else "left"
        return len(numbers) - np.searchsorted(bins[::-1], x, side=side)
    return np.searchsorted(bins, x, side="left" if right else "right")


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    if axis is not None:
        raise TraceError("np.unique along an axis", user_line())
    flat = _array(ar).ravel()
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
    return _stored(np.quantile(a, 0.5, axis=axis, **_optional(keepdims)), out)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    if np.isnan(values(a)).any():
        raise TraceError("np.nanmedian of an array with a NaN", user_line())
    return np.median(a, axis, *args, **kwargs)


@implements(np.percentile)
def percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return np.quantile(_array(a), np.divide(q, 100), *args, **kwargs)


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
    a = _array(a)
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
    return _stored(wrap(found, a._dtype, scalar=found.ndim == 0), out)


# Choice


def _mask(condition: Any) -> np.ndarray:
    """A condition as plain bools, decided entry by entry."""
    return condition.astype(bool) if type(condition) is TracedArray else np.asarray(condition)


@implements(np.where)
def where(condition: Any, *choices: Any) -> Any:
    mask = _mask(condition)
    if not choices:
        return np.nonzero(mask)
    x, y = choices
    result = np.where(mask, _entries(x), _entries(y))
    return wrap(result, label(*(c if not isinstance(c, list) else _array(c) for c in choices)))


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = _array(x)
    if (
        (isinstance(condlist, np.ndarray)
        and np.ndim(condlist) == x.ndim)
        or (not isinstance(condlist[0], (list, np.ndarray))
        and x.ndim)
    ):
        condlist = [condlist]
    masks = [np.broadcast_to(_mask(c), x.shape) for c in condlist]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.logical_or.reduce(masks))
    result = np.zeros_like(x)
    for mask, function in zip(masks, funclist, strict=True):
        if not callable(function):
            result[mask] = function
        elif mask.any():
            result[mask] = function(x[mask], *args, **kw)
    return result


@implements(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
    max: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    low = min if min is not None and min is not np._NoValue else a_min
    high = max if max is not None and max is not np._NoValue else a_max
    low = None if low is np._NoValue else low
    high = None if high is np._NoValue else high
    result = a
    if low is not None:
        result = np.maximum(result, low)
    if high is not None:
        result = np.minimum(result, high)
    if low is None and high is None:
        result = np.positive(a)
    return _stored(result, out)


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if type(dst) is not TracedArray:
        if is_traced(src) and has_symbols(_entries(src)):
            raise TraceError("a traced value is stored in an array of plain floats", user_line())
        np.copyto(dst, np.asarray(src), casting, where)
        return
    np.copyto(dst._entries, _entries(src), where=_mask(where))


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None):
    x = _array(x)
    target = x.copy() if copy else x
    numbers = values(x)
    limits = np.finfo(float)
    for special, filler in (
        (np.isnan(numbers), nan),
        (numbers == np.inf, limits.max if posinf is None else posinf),
        (numbers == -np.inf, limits.min if neginf is None else neginf),
    ):
        if special.any():
            target._entries[special] = filler
    return target


# Comparison


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return np.abs(np.subtract(a, b)) <= atol + rtol * np.abs(b)


@implements(np.allclose)
def allclose(a: Any, b: Any, *args: Any, **kwargs: Any) -> bool:
    return bool(np.all(np.isclose(a, b, *args, **kwargs)))


@implements(np.array_equal)
def array_equal(a: Any, b: Any, equal_nan: bool = False) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.all(np.equal(a, b)))


@implements(np.result_type)
def result_type(*arrays: Any) -> np.dtype:
    return np.result_type(*(a._dtype if type(a) is TracedArray else a for a in arrays))


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return _array(x).dtype.kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return _array(x).dtype.kind != "c"


@implements(np.array2string, np.array_repr, np.array_str)
def array_repr(a: Any, *args: Any, **kwargs: Any) -> str:
    return repr(a)


# Making arrays like others


def _like(fill: Any) -> Callable[..., Any]:
    def like(
        a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **k
    ):
        dtype = np.dtype(_array(a).dtype if dtype is None else dtype)
        shape = np.shape(a) if shape is None else shape
        if dtype.kind not in "fc":
            return np.full(shape, fill, dtype=dtype)
        entries = np.empty(shape, dtype=object)
        entries[...] = fill
        return TracedArray(entries, dtype)

    return like


FUNCTIONS[np.zeros_like], FUNCTIONS[np.ones_like] = _like(0.0), _like(1.0)
FUNCTIONS[np.empty_like] = _like(0.0)


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, **k
):
    result = np.zeros_like(_array(a), dtype=dtype, **k)
    result[...] = fill_value
    return result


@implements(np.real)
def real(x: Any) -> Any:
    return _array(x).real


@implements(np.imag)
def imag(x: Any) -> Any:
    return _array(x).imag


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    found = wrap(np.frompyfunc(complex_angle, 1, 1)(_entries(z)), np.dtype(float), scalar=True)
    return found * (180 / np.pi) if deg else found
