"""Convolutions and filters of ``scipy.signal`` on traced arrays: the sums that define them.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import TracedArray, wrap
from symbolic.array_functions import as_traced
from symbolic.lowering import divide
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_SIGNAL"]


def _full(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.zeros([m + n - 1 for m, n in zip(a.shape, b.shape, strict=True)]).astype(object)
    for index in np.ndindex(b.shape):
        place = tuple(slice(i, i + m) for i, m in zip(index, a.shape, strict=True))
        out[place] = out[place] + a * np.array(b[index], dtype=object)
    return out


def _centred(full: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    starts = [(n - m) // 2 for n, m in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto", **kwargs: Any) -> Any:
    a, b = as_traced(in1), as_traced(in2)
    if a.ndim != b.ndim:
        raise ValueError("volume and kernel should have the same dimensionality")
    if kwargs.get("boundary", "fill") != "fill" or kwargs.get("fillvalue", 0) != 0:
        raise TraceError("convolve2d with another boundary than zeros", user_line())
    full = _full(a._entries, b._entries)
    if mode == "same":
        full = _centred(full, a.shape)
    elif mode == "valid":
        large, small = a.shape, b.shape
        if any(m < n for m, n in zip(large, small, strict=True)):
            large, small = small, large
        full = _centred(full, tuple(m - n + 1 for m, n in zip(large, small, strict=True)))
    elif mode != "full":
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    return wrap(full, np.result_type(a.dtype, b.dtype))


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto", **kwargs: Any) -> Any:
    a, b = as_traced(in1), np.conjugate(np.flip(as_traced(in2)))
    if mode == "valid" and any(m < n for m, n in zip(a.shape, b.shape, strict=True)):
        return np.flip(convolve(np.flip(a), np.flip(b), mode))
    return convolve(a, b, mode, **kwargs)


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Any:
    if mode != "same":
        return correlate(in1, in2, mode, boundary=boundary, fillvalue=fillvalue)
    # Around the other middle of an even kernel than `correlate`.
    full = correlate(in1, in2, "full", boundary=boundary, fillvalue=fillvalue)
    rows, columns = (n // 2 for n in np.shape(in2))
    m, n = np.shape(in1)
    return full[rows : rows + m, columns : columns + n]


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    if zi is not None:
        raise TraceError("lfilter with an initial state", user_line())
    x = as_traced(x)
    b, a = as_traced(b).reshape(-1)._entries, as_traced(a).reshape(-1)._entries
    moved = np.moveaxis(x._entries, axis, -1)
    out = np.empty(moved.shape, dtype=object)
    for index in np.ndindex(moved.shape[:-1]):
        line = moved[index]
        past: list[Any] = []
        for n in range(len(line)):
            total: Any = 0.0
            for k in range(min(n + 1, len(b))):
                total = total + b[k] * line[n - k]
            for k in range(1, min(n + 1, len(a))):
                total = total - a[k] * past[n - k]
            past.append(divide(total, a[0]))
        out[index] = past
    return wrap(np.moveaxis(out, -1, axis), x.dtype)


def detrend(data: Any, axis: int = -1, type: str = "linear", *args: Any, **kwargs: Any) -> Any:
    x = as_traced(data)
    centred: TracedArray = x - np.mean(x, axis=axis, keepdims=True)
    if type == "constant":
        return centred
    n = x.shape[axis]
    shape = [1] * x.ndim
    shape[axis] = n
    # 2 t - (n - 1): integers, so that the slope stays an exact fraction of the samples
    t = (2 * np.arange(n) - (n - 1)).reshape(shape)
    slope = np.sum(centred * t, axis=axis, keepdims=True) / int(np.sum(t * t))
    return centred - slope * t


SCIPY_SIGNAL: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "fftconvolve": lambda in1, in2, mode="full", axes=None: convolve(in1, in2, mode),
    "oaconvolve": lambda in1, in2, mode="full", axes=None: convolve(in1, in2, mode),
    "convolve2d": lambda in1, in2, mode="full", boundary="fill", fillvalue=0: convolve(
        in1, in2, mode, boundary=boundary, fillvalue=fillvalue
    ),
    "correlate": correlate,
    "correlate2d": correlate2d,
    "lfilter": lfilter,
    "detrend": detrend,
}
