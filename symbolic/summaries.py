"""Summary statistics of ``scipy.stats`` on traced arrays: the formulas that SciPy documents.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import values
from symbolic.array_functions import as_traced, revalued

__all__ = ["SCIPY_SUMMARIES"]


def _zscore(a: Any, axis: Any = 0, ddof: int = 0) -> Any:
    x = as_traced(a)
    off = x - np.mean(x, axis=axis, keepdims=True)
    return off / np.std(x, axis=axis, ddof=ddof, keepdims=True)


def _sem(a: Any, axis: Any = 0, ddof: int = 1) -> Any:
    x = as_traced(a)
    count = x.size if axis is None else x.shape[axis]
    return np.std(x, axis=axis, ddof=ddof) / np.sqrt(count)


def _kde_terms(self: Any, points: Any) -> Any:
    """The exponents of the kernels, by kernel and by point."""
    x = np.atleast_2d(as_traced(points))
    if len(x) != self.d and x.shape == (1, self.d):
        x = x.reshape(self.d, 1)
    off = x[:, None, :] - np.asarray(self.dataset)[:, :, None]
    return -np.einsum("inm,ij,jnm->nm", off, as_traced(np.asarray(self.inv_cov)), off) / 2


def _kde_density(self: Any, points: Any) -> Any:
    value = self.evaluate(values(as_traced(points)))
    scale = np.sqrt(np.linalg.det(2 * np.pi * self.covariance))
    weights = as_traced(np.asarray(self.weights))
    return revalued(weights @ np.exp(_kde_terms(self, points)) / scale, value)


def _kde_logpdf(self: Any, x: Any) -> Any:
    value = self.logpdf(values(as_traced(x)))
    return revalued(np.log(_kde_density(self, x)), value)


SCIPY_SUMMARIES: dict[str, Callable[..., Any]] = {
    "gaussian_kde.evaluate": _kde_density,
    "gaussian_kde.__call__": _kde_density,
    "gaussian_kde.logpdf": _kde_logpdf,
    "gmean": lambda a, axis=0: np.exp(np.mean(np.log(as_traced(a)), axis=axis)),
    "hmean": lambda a, axis=0: 1 / np.mean(1 / as_traced(a), axis=axis),
    "sem": _sem,
    "tmean": lambda a: np.mean(as_traced(a)),
    "zscore": _zscore,
}
