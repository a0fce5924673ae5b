"""Iterators, sliding windows and distances that NumPy and SciPy do not dispatch.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symbolic.array import TracedArray, unwrap
from symbolic.array_functions import as_traced
from symbolic.values import TraceError, user_line

__all__ = ["NUMPY_LIB", "SCIPY_DISTANCE", "ndenumerate", "nditer"]


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """``np.ndenumerate`` of a traced array."""
    arr = as_traced(arr)
    for index in np.ndindex(arr.shape):
        yield index, arr[index]


def nditer(op: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
    """``np.nditer`` over one traced array: 0-d views in C order, which can be written to."""
    if not isinstance(op, np.ndarray) or set(kwargs) - {"op_flags"} or args:
        raise TraceError("np.nditer with flags, or over several traced arrays", user_line())
    for index in np.ndindex(op.shape):
        yield op[(*index, ...)]


def as_strided(x: Any, shape: Any = None, strides: Any = None, **kwargs: Any) -> Any:
    x = as_traced(x)
    entries = x._entries
    if strides is not None:  # in bytes of the array that it stands for
        strides = tuple(s // x.itemsize * entries.itemsize for s in strides)
    view = np.lib.stride_tricks.as_strided(entries, shape, strides, **kwargs)
    return TracedArray(view, x.dtype)


# scipy.spatial.distance

_METRICS: dict[str, Callable[..., Any]] = {
    "euclidean": lambda d: np.sqrt(np.sum(d * d, axis=-1)),
    "sqeuclidean": lambda d: np.sum(d * d, axis=-1),
    "cityblock": lambda d: np.sum(np.abs(d), axis=-1),
    "chebyshev": lambda d: np.max(np.abs(d), axis=-1),
}


def _metric(name: Any) -> Callable[..., Any]:
    if name not in _METRICS:
        raise TraceError(f"the metric {name!r} of traced points", user_line())
    return _METRICS[name]


def cdist(XA: Any, XB: Any, metric: Any = "euclidean", **kwargs: Any) -> Any:
    a, b = as_traced(XA), as_traced(XB)
    return _metric(metric)(a[:, None, :] - b[None, :, :])


def pdist(X: Any, metric: Any = "euclidean", **kwargs: Any) -> Any:
    x = as_traced(X)
    first, second = np.triu_indices(len(x), 1)
    return _metric(metric)(x[first] - x[second])


def squareform(X: Any, *args: Any, **kwargs: Any) -> Any:
    x = as_traced(X)
    if x.ndim == 2:
        return x[np.triu_indices(len(x), 1)]
    n = round((1 + (1 + 8 * len(x)) ** 0.5) / 2)
    out = np.zeros((n, n)).astype(object)
    out[np.triu_indices(n, 1)] = unwrap(x)
    return TracedArray(out + out.T, x.dtype)


def _between(name: str) -> Callable[..., Any]:
    def distance(u: Any, v: Any, w: Any = None) -> Any:
        if w is not None:
            raise TraceError(f"the distance {name!r} with weights", user_line())
        return _METRICS[name](np.subtract(as_traced(u), as_traced(v)))

    return distance


def cosine(u: Any, v: Any, w: Any = None) -> Any:
    if w is not None:
        raise TraceError("the cosine distance with weights", user_line())
    u, v = as_traced(u), as_traced(v)
    return 1 - (u @ v) / np.sqrt((u @ u) * (v @ v))


NUMPY_LIB = {"as_strided": as_strided}
SCIPY_DISTANCE: dict[str, Callable[..., Any]] = {
    **{name: _between(name) for name in _METRICS},
    "cdist": cdist,
    "pdist": pdist,
    "squareform": squareform,
    "cosine": cosine,
}
