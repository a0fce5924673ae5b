"""The functions of the module ``statistics`` on traced numbers: the formulas that it documents.

May import: :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array_functions import as_traced

__all__ = ["STATISTICS"]


def _mean(data: Any) -> Any:
    return np.mean(as_traced(data))


def _fmean(data: Any, weights: Any = None) -> Any:
    if weights is None:
        return _mean(data)
    weights = as_traced(weights)
    return np.sum(as_traced(data) * weights) / np.sum(weights)


def _harmonic_mean(data: Any, weights: Any = None) -> Any:
    return 1 / _fmean(1 / as_traced(data), weights)


def _squares(data: Any, centre: Any = None) -> Any:
    x = as_traced(data)
    off = x - (_mean(x) if centre is None else centre)
    return np.sum(off * off)


def _variance(data: Any, xbar: Any = None) -> Any:
    return _squares(data, xbar) / (len(data) - 1)


def _pvariance(data: Any, mu: Any = None) -> Any:
    return _squares(data, mu) / len(data)


def _covariance(x: Any, y: Any, /) -> Any:
    x, y = as_traced(x), as_traced(y)
    return np.sum((x - _mean(x)) * (y - _mean(y))) / (len(x) - 1)


def _correlation(x: Any, y: Any, /) -> Any:
    return _covariance(x, y) / np.sqrt(_variance(x) * _variance(y))


STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": _mean,
    "fmean": _fmean,
    "geometric_mean": lambda data: np.exp(_mean(np.log(as_traced(data)))),
    "harmonic_mean": _harmonic_mean,
    "variance": _variance,
    "pvariance": _pvariance,
    "stdev": lambda data, xbar=None: np.sqrt(_variance(data, xbar)),
    "pstdev": lambda data, mu=None: np.sqrt(_pvariance(data, mu)),
    "covariance": _covariance,
    "correlation": _correlation,
}
