"""The functions of SciPy (and a few of NumPy) that are not dispatched, on traced arrays.

Each is written in NumPy, which traces. The table is by module, and read when the first trace runs.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`,
:mod:`symbolic.scipy_linalg`, :mod:`symbolic.fourier`, :mod:`symbolic.linear_maps`,
:mod:`symbolic.sparse`, :mod:`symbolic.piecewise`, :mod:`symbolic.spline_data`,
:mod:`symbolic.statistics`, :mod:`symbolic.summaries`, :mod:`symbolic.choices`,
:mod:`symbolic.searches`, :mod:`symbolic.rotations`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import values, wrap
from symbolic.array_functions import as_traced, exactly, revalued
from symbolic.calculus import sinc
from symbolic.choices import (
    SCIPY_CHOICES,
    SCIPY_SPATIAL,
    SCIPY_SPATIAL_MAKERS,
    rankdata,
    traced_tree,
)
from symbolic.distributions import SCIPY_STATS
from symbolic.equations import EQUATIONS
from symbolic.fourier import SCIPY_FFT
from symbolic.iteration import NUMPY_LIB, SCIPY_DISTANCE
from symbolic.linear_maps import SCIPY_FILTERS, SCIPY_NDIMAGE
from symbolic.lowering import primitive
from symbolic.piecewise import SCIPY_INTERPOLATE
from symbolic.rotations import SCIPY_TRANSFORM
from symbolic.scipy_linalg import SCIPY_LAPACK, SCIPY_LINALG
from symbolic.searches import SCIPY_SEARCHES
from symbolic.signal import SCIPY_SIGNAL
from symbolic.sparse import (
    SCIPY_SPARSE,
    SCIPY_SPARSE_LINALG,
    SCIPY_SPARSE_MAKERS,
    traced_factors,
)
from symbolic.spline_data import SCIPY_SPLINES
from symbolic.statistics import STATISTICS
from symbolic.summaries import SCIPY_SUMMARIES

__all__ = ["LIBRARY", "MAKERS", "stand_in"]


def softmax(x: Any, axis: Any = None) -> Any:
    x = exactly(x)
    e = np.exp(x - _shift(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _shift(x: Any, axis: Any) -> np.ndarray:
    """The maximum as a plain number: it cancels, so that no formula needs it."""
    top = np.max(values(x), axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, 0.0)


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    a = exactly(a)
    terms = np.exp(a) if b is None else b * np.exp(a)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    import scipy.special

    plain_b = None if b is None else values(b)
    value = scipy.special.logsumexp(values(a), axis=axis, b=plain_b, keepdims=keepdims)
    if return_sign:
        sign = np.sign(total)
        return revalued(np.log(np.abs(total)), value), sign
    return revalued(np.log(total), value)


def log_softmax(x: Any, axis: Any = None) -> Any:
    import scipy.special

    x = exactly(x)
    result = x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))
    return revalued(result, scipy.special.log_softmax(values(x), axis=axis))


def polygamma(n: Any, x: Any) -> Any:
    def entry(order: Any, v: Any) -> Any:
        return primitive("polygamma", int(order), v)

    return wrap(np.frompyfunc(entry, 2, 1)(n, as_traced(x)._entries), None, scalar=True)


def multigammaln(a: Any, d: int) -> Any:
    from scipy import special

    terms = [special.gammaln(a - (j - 1) / 2) for j in range(1, int(d) + 1)]
    return d * (d - 1) / 4 * np.log(np.pi) + sum(terms)


def factorial(n: Any, exact: bool = False, **kwargs: Any) -> Any:
    from scipy import special

    return special.gamma(as_traced(n) + 1)


def comb(n: Any, k: Any, exact: bool = False, **kwargs: Any) -> Any:
    from scipy import special

    return special.binom(n, k)


def zeta(x: Any, q: Any = 1) -> Any:
    def entry(s: Any, a: Any) -> Any:
        return primitive("zeta", s, a)

    both = np.frompyfunc(entry, 2, 1)(as_traced(x)._entries, as_traced(q)._entries)
    return wrap(both, None, scalar=True)


def softplus(x: Any, **kwargs: Any) -> Any:
    return np.logaddexp(0, x)


LIBRARY: dict[str, dict[str, Callable[..., Any]]] = {
    "scipy.special": {
        "softmax": softmax,
        "log_softmax": log_softmax,
        "logsumexp": logsumexp,
        "sinc": sinc,
        "polygamma": polygamma,
        "multigammaln": multigammaln,
        "factorial": factorial,
        "comb": comb,
        "zeta": zeta,
        "softplus": softplus,
    },
    "scipy.linalg": SCIPY_LINALG | EQUATIONS,
    "scipy.linalg.lapack": SCIPY_LAPACK | {"get_lapack_funcs": SCIPY_LINALG["get_lapack_funcs"]},
    "scipy.fft": SCIPY_FFT,
    "scipy.interpolate": SCIPY_INTERPOLATE | SCIPY_SPLINES,
    "scipy.ndimage": SCIPY_NDIMAGE,
    "scipy.signal": SCIPY_SIGNAL | SCIPY_FILTERS,
    "scipy.sparse": SCIPY_SPARSE,
    "scipy.sparse.linalg": SCIPY_SPARSE_LINALG,
    "scipy.spatial.distance": SCIPY_DISTANCE,
    "numpy.lib.stride_tricks": NUMPY_LIB,
    "statistics": STATISTICS,
    "scipy.spatial": SCIPY_SPATIAL,
    "scipy.spatial.transform": SCIPY_TRANSFORM,
    "scipy.optimize": SCIPY_CHOICES,
    # methods, as attributes of their classes, and functions
    "scipy.stats": SCIPY_STATS | SCIPY_SUMMARIES | {"rankdata": rankdata},
}

# What is wrapped whatever its arguments are, as it makes an object or calls one: original to
# wrapper.
MAKERS: dict[str, dict[str, Callable[..., Any]]] = {
    "scipy.sparse.linalg": SCIPY_SPARSE_MAKERS,
    "scipy.spatial": SCIPY_SPATIAL_MAKERS,
    "scipy.optimize": SCIPY_SEARCHES,
}


def stand_in(value: Any) -> Any:
    """What stands for a compiled object during a trace, or None."""
    return traced_factors(value) or traced_tree(value)
