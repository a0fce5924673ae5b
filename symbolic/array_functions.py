"""NumPy's array functions on traced arrays.

Most of NumPy's functions only move entries about or combine them by operators: they run on object
arrays as they are, which is the default here. The table holds the others, in the order of NumPy's
reference: reductions, order, choice, numeric helpers.

May import: :mod:`symbolic.array`, :mod:`symbolic.ufuncs`, :mod:`symbolic.ordering`,
:mod:`symbolic.lowering`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import (
    TracedArray,
    boxed,
    contains_traced,
    gather,
    has_symbols,
    is_traced,
    values,
    wrap,
)
from symbolic.complex import ComplexSymbol
from symbolic.complex import angle as complex_angle
from symbolic.ufuncs import label
from symbolic.values import Symbol, TraceError, user_line

__all__ = ["FUNCTIONS", "default", "dispatch", "implements", "tabled"]

FUNCTIONS: dict[Any, Callable[..., Any]] = {}

# What only moves entries: run on object arrays even if all are constants, so that views stay views.
# fmt: off
STRUCTURAL = frozenset({
    "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "rollaxis", "squeeze", "expand_dims",
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "broadcast_arrays", "concatenate",
    "stack", "vstack", "hstack", "dstack", "column_stack", "block", "split", "array_split",
    "hsplit", "vsplit", "dsplit", "flip", "fliplr", "flipud", "roll", "rot90", "tile", "repeat",
    "take", "diag", "diagonal", "diagflat", "tril", "triu", "pad", "insert", "append", "delete",
    "resize", "copy", "meshgrid", "put", "place", "putmask", "put_along_axis", "take_along_axis",
    "fill_diagonal", "compress", "extract", "choose", "permute_dims", "matrix_transpose",
    "shares_memory", "may_share_memory", "trim_zeros", "unstack",
})
# fmt: on


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
    if not _COMPLETE:
        _complete()
    ours = FUNCTIONS.get(function)
    if ours is not None:
        return ours(*args, **kwargs)
    return default(function, *args, **kwargs)


_COMPLETE: list[bool] = []


def _complete() -> None:
    """Load the modules that register the rest, once."""
    for name in ("reductions", "calculus", "linalg", "fourier"):
        importlib.import_module(f"symbolic.{name}")
    _COMPLETE.append(True)


def tabled() -> list[Any]:
    """The functions of NumPy that have a version here."""
    if not _COMPLETE:
        _complete()
    return list(FUNCTIONS)


def default(function: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's own implementation on object arrays."""
    found: list[TracedArray] = []
    name = getattr(function, "__name__", str(function))
    depth = -2 if name == "block" else 0  # whose lists of lists are the layout
    new_args = tuple(_strip(a, found, depth) for a in args)
    new_kwargs = {k: _strip(v, found, depth) for k, v in kwargs.items()}
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


def _strip(x: Any, found: list[TracedArray], depth: int) -> Any:
    """The argument with object arrays for traced ones; a list of lists is a list of arrays."""
    if type(x) is TracedArray:
        found.append(x)
        return x._entries
    if type(x) is Symbol:
        return boxed(x)
    if type(x) in (list, tuple):
        if depth > 0 and contains_traced(x):
            return gather(x)[0]
        return type(x)(_strip(v, found, depth + 1) for v in x)
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


def as_traced(x: Any) -> Any:
    """The argument as a traced array."""
    if type(x) is TracedArray:
        return x
    entries, dtype = gather(x)
    return TracedArray(entries, dtype if dtype.kind in "fc" else np.dtype(float))


def exactly(x: Any) -> Any:
    """A traced array whose plain numbers are symbols of constants beside those of entries.

    A function of such a number is then a formula too: ``exp(-1000)`` is no zero.
    """
    x = as_traced(x)
    flat = x._entries.ravel()
    trace = next((e.trace for e in flat if type(e) is Symbol), None)
    if trace is None:
        return x
    out = x._entries.copy()
    for index in np.ndindex(out.shape):
        entry = out[index]
        if isinstance(entry, (float, int)) and np.isfinite(entry):
            out[index] = trace.lift(entry)
    return TracedArray(out, x.dtype)


def _at(entry: Any, value: Any) -> Any:
    if type(entry) is not Symbol or entry.value == value:
        return entry
    return Symbol(entry.node, np.float64(value), entry.trace)


def revalued(result: Any, value: Any) -> Any:
    """The formula of ``result`` with the values that the library's own function computed."""
    if type(result) is not TracedArray:
        return result
    numbers = np.broadcast_to(np.asarray(value), result.shape)
    out = result._entries.copy()
    for index in np.ndindex(result.shape):
        entry, value = out[index], numbers[index]
        if type(entry) is ComplexSymbol:
            out[index] = ComplexSymbol(_at(entry.re, value.real), _at(entry.im, value.imag))
        else:
            out[index] = _at(entry, value)
    return TracedArray(out, result._dtype, result._scalar)


def as_entries(x: Any) -> np.ndarray:
    return np.asarray(gather(x)[0], dtype=object)


def stored(result: Any, out: Any) -> Any:
    if out is None:
        return result
    out[...] = result
    return out


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
    result = np.where(mask, as_entries(x), as_entries(y))
    return wrap(result, label(*(c if not isinstance(c, list) else as_traced(c) for c in choices)))


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = as_traced(x)
    if (isinstance(condlist, np.ndarray) and np.ndim(condlist) == x.ndim) or (
        not isinstance(condlist[0], (list, np.ndarray)) and x.ndim
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
    return stored(result, out)


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if type(dst) is not TracedArray:
        if is_traced(src) and has_symbols(as_entries(src)):
            raise TraceError("a traced value is stored in an array of plain floats", user_line())
        np.copyto(dst, np.asarray(src), casting, where)
        return
    np.copyto(dst._entries, as_entries(src), where=_mask(where))


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None):
    x = as_traced(x)
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


@implements(np.isneginf)
def isneginf(x: Any, out: Any = None) -> Any:
    return stored(np.isneginf(values(x)), out)


@implements(np.isposinf)
def isposinf(x: Any, out: Any = None) -> Any:
    return stored(np.isposinf(values(x)), out)


@implements(np.result_type)
def result_type(*arrays: Any) -> np.dtype:
    return np.result_type(*(a._dtype if type(a) is TracedArray else a for a in arrays))


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, a.dtype) for a in arrays))


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return as_traced(x).dtype.kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return as_traced(x).dtype.kind != "c"


@implements(np.array2string, np.array_repr, np.array_str)
def array_repr(a: Any, *args: Any, **kwargs: Any) -> str:
    return repr(a)


# Making arrays like others


def _like(fill: Any) -> Callable[..., Any]:
    def like(
        a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **k
    ):
        dtype = np.dtype(as_traced(a).dtype if dtype is None else dtype)
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
    result = np.zeros_like(as_traced(a), dtype=dtype, **k)
    result[...] = fill_value
    return result


@implements(np.real)
def real(x: Any) -> Any:
    return as_traced(x).real


@implements(np.imag)
def imag(x: Any) -> Any:
    return as_traced(x).imag


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    found = wrap(np.frompyfunc(complex_angle, 1, 1)(as_entries(z)), np.dtype(float), scalar=True)
    return found * (180 / np.pi) if deg else found
