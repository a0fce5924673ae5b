"""Compiled functions that are linear in an argument, on traced arrays: sums of their columns.

The columns of a linear map are its values on the unit vectors, and what it gives for zeros (the
boundary value of a filter, say) is added. Where a function is linear in each of two arguments, its
values on pairs of unit vectors are its coefficients.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from symbolic.array import contains_traced, gather, has_symbols, is_traced, values, wrap
from symbolic.array_functions import as_traced, revalued, stored
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_FILTERS", "SCIPY_NDIMAGE", "affine", "linear", "plain"]

# More terms than this are a formula that nobody decides.
_MOST_TERMS = 50_000


def affine(function: Callable[..., Any], *arrays: Any) -> Any:
    """``function`` of traced arrays; it takes arrays of floats, and is affine in each."""
    arrays = tuple(as_traced(a) for a in arrays)
    value = np.asarray(function(*(values(a).astype(a.dtype) for a in arrays)))
    if value.dtype.kind not in "fc":
        raise TraceError("a linear map whose result is no array of floats", user_line())
    terms = value.size * int(np.prod([_symbols(a).sum() for a in arrays]))
    if terms > _MOST_TERMS:
        raise TraceError(f"a linear map of {terms} coefficients", user_line())
    entries = _expanded(function, [a._entries for a in arrays])
    return revalued(wrap(entries, value.dtype), value)


def _symbols(a: Any) -> np.ndarray:
    entries = a if type(a) is np.ndarray else a._entries
    found = [has_symbols(e) for e in entries.reshape(-1, 1)]
    return np.array(found, dtype=bool).reshape(entries.shape)


def _expanded(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> np.ndarray:
    if not arrays:
        result = np.asarray(function())
        if not np.all(np.isfinite(result)):
            raise TraceError("a linear map with coefficients that are not finite", user_line())
        return result.astype(object)
    entries, *others = arrays
    symbolic = _symbols(entries)

    def at(point: np.ndarray) -> np.ndarray:
        return _expanded(partial(function, point), others)

    fixed = np.where(symbolic, 0, entries)
    fixed = fixed.astype(complex if any(isinstance(e, complex) for e in fixed.flat) else float)
    total = at(fixed)
    zeros = np.zeros(entries.shape)
    origin = at(zeros) if fixed.any() else total
    for index in zip(*np.nonzero(symbolic), strict=True):
        unit = zeros.copy()
        unit[index] = 1.0
        total = _sum(total, entries[index], _without(at(unit), origin))
    return total


def _is_zero(c: Any) -> bool:
    return not is_traced(c) and c == 0


def _without(column: np.ndarray, origin: np.ndarray) -> np.ndarray:
    out = column.copy()
    for index, c in np.ndenumerate(origin):
        if not _is_zero(c):
            out[index] = column[index] - c
    return out


def _sum(total: np.ndarray, entry: Any, column: np.ndarray) -> np.ndarray:
    """``total + entry column`` without terms for coefficients of zero."""
    out = total.copy()
    for index, c in np.ndenumerate(column):
        if not _is_zero(c):
            term = entry if not is_traced(c) and c == 1 else c * entry
            out[index] = term if _is_zero(out[index]) else out[index] + term
    return out


def plain(argument: Any, name: str) -> Any:
    """An argument without symbols as what it stands for."""
    if is_traced(argument) or contains_traced(argument):
        entries, dtype = gather(argument)
        if has_symbols(entries):
            raise TraceError(f"the argument {name!r} of a compiled function is traced", user_line())
        return values(entries).astype(dtype)[()]
    if isinstance(argument, tuple):
        return tuple(plain(a, name) for a in argument)
    return argument


def linear(module: str, function: str, *arguments: str) -> Callable[..., Any]:
    """A function of SciPy that is affine in each of its ``arguments``, on traced arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        own = getattr(importlib.import_module(module), function)
        bound = inspect.signature(own).bind(*args, **kwargs)
        given = bound.arguments
        out = given.pop("output", None)
        traced = {}
        for name, value in list(given.items()):
            if name in arguments and has_symbols(as_traced(value)._entries):
                traced[name] = value
            else:
                given[name] = plain(value, name)

        def of(*arrays: np.ndarray) -> Any:
            given.update(zip(traced, arrays, strict=True))
            # A copy: some filters write to what they are given.
            result = own(*bound.args, **bound.kwargs)
            if isinstance(result, tuple):
                raise TraceError(f"{function} with several results", user_line())
            return result

        if out is not None and not isinstance(out, np.ndarray):
            raise TraceError(f"{function} with another type of output", user_line())
        result = affine(of, *traced.values()) if traced else wrap(of())
        return stored(result, out)

    return call


_OF_INPUT = (
    "affine_transform", "gaussian_filter", "gaussian_filter1d", "gaussian_laplace", "laplace",
    "map_coordinates", "prewitt", "rotate", "shift", "sobel", "spline_filter", "spline_filter1d",
    "uniform_filter", "uniform_filter1d", "zoom",
)  # fmt: skip
_OF_INPUT_AND_WEIGHTS = ("convolve", "convolve1d", "correlate", "correlate1d")
_OF_X = (
    "decimate", "filtfilt", "hilbert", "resample", "resample_poly", "savgol_filter", "sosfilt",
    "sosfiltfilt",
)  # fmt: skip

SCIPY_NDIMAGE = {name: linear("scipy.ndimage", name, "input") for name in _OF_INPUT} | {
    name: linear("scipy.ndimage", name, "input", "weights") for name in _OF_INPUT_AND_WEIGHTS
}
SCIPY_FILTERS = {name: linear("scipy.signal", name, "x") for name in _OF_X} | {
    "upfirdn": linear("scipy.signal", "upfirdn", "h", "x"),
}
