"""Densities and distribution functions of ``scipy.stats`` on traced arrays.

One row per distribution, in the standardised variable ``z = (x - loc) / scale`` and its shapes; the
formulas are those of SciPy's documentation. What a row does not hold does not trace.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symbolic.array import is_traced, values
from symbolic.array_functions import as_traced, revalued
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_STATS"]


class Row(NamedTuple):
    """A distribution: logarithm of the density, distribution function, where it is not zero."""

    logpdf: Callable[..., Any]
    cdf: Callable[..., Any] | None = None
    sf: Callable[..., Any] | None = None
    ppf: Callable[..., Any] | None = None
    low: float = -np.inf
    high: float = np.inf


class _Special:
    """``scipy.special``, loaded when a formula needs it."""

    def __getattr__(self, name: str) -> Any:
        import scipy.special

        return getattr(scipy.special, name)


sc: Any = _Special()
_LOG_2PI = np.log(2 * np.pi)


def _logbeta_density(z: Any, a: Any, b: Any) -> Any:
    return sc.xlogy(a - 1, z) + sc.xlog1py(b - 1, -z) - sc.betaln(a, b)


CONTINUOUS: dict[str, Row] = {
    "norm": Row(
        lambda z: -(z**2) / 2 - _LOG_2PI / 2,
        lambda z: sc.ndtr(z),
        lambda z: sc.ndtr(-z),
        lambda q: sc.ndtri(q),
    ),
    "expon": Row(
        lambda z: -z, lambda z: -np.expm1(-z), lambda z: np.exp(-z), lambda q: -np.log1p(-q), 0
    ),
    "uniform": Row(lambda z: 0 * z, lambda z: z, lambda z: 1 - z, lambda q: q, 0, 1),
    "laplace": Row(
        lambda z: -np.abs(z) - np.log(2),
        lambda z: np.where(z > 0, 1 - np.exp(-np.abs(z)) / 2, np.exp(-np.abs(z)) / 2),
    ),
    "logistic": Row(
        lambda z: -z - 2 * np.log1p(np.exp(-z)),
        lambda z: sc.expit(z),
        lambda z: sc.expit(-z),
        lambda q: sc.logit(q),
    ),
    "cauchy": Row(
        lambda z: -np.log(np.pi) - np.log1p(z**2),
        lambda z: 0.5 + np.arctan(z) / np.pi,
        lambda z: 0.5 - np.arctan(z) / np.pi,
        lambda q: np.tan(np.pi * q - np.pi / 2),
    ),
    "gumbel_r": Row(lambda z: -z - np.exp(-z), lambda z: np.exp(-np.exp(-z))),
    "halfnorm": Row(
        lambda z: np.log(2 / np.pi) / 2 - z**2 / 2, lambda z: sc.erf(z / np.sqrt(2)), low=0
    ),
    "rayleigh": Row(
        lambda z: np.log(z) - z**2 / 2,
        lambda z: -np.expm1(-(z**2) / 2),
        lambda z: np.exp(-(z**2) / 2),
        low=0,
    ),
    "gamma": Row(
        lambda z, a: sc.xlogy(a - 1, z) - z - sc.gammaln(a),
        lambda z, a: sc.gammainc(a, z),
        lambda z, a: sc.gammaincc(a, z),
        low=0,
    ),
    "chi2": Row(
        lambda z, k: sc.xlogy(k / 2 - 1, z) - z / 2 - sc.gammaln(k / 2) - np.log(2) * k / 2,
        lambda z, k: sc.chdtr(k, z),
        lambda z, k: sc.chdtrc(k, z),
        low=0,
    ),
    "beta": Row(_logbeta_density, lambda z, a, b: sc.betainc(a, b, z), low=0, high=1),
    "t": Row(
        lambda z, v: (
            sc.gammaln((v + 1) / 2)
            - sc.gammaln(v / 2)
            - np.log(v * np.pi) / 2
            - (v + 1) / 2 * np.log1p(z**2 / v)
        ),
        lambda z, v: sc.stdtr(v, z),
        lambda z, v: sc.stdtr(v, -z),
    ),
    "lognorm": Row(
        lambda z, s: -(np.log(z) ** 2) / (2 * s**2) - np.log(s * z) - _LOG_2PI / 2,
        lambda z, s: sc.ndtr(np.log(z) / s),
        lambda z, s: sc.ndtr(-np.log(z) / s),
        low=0,
    ),
    "weibull_min": Row(
        lambda z, c: np.log(c) + sc.xlogy(c - 1, z) - z**c,
        lambda z, c: -np.expm1(-(z**c)),
        lambda z, c: np.exp(-(z**c)),
        low=0,
    ),
    "invgamma": Row(
        lambda z, a: -(a + 1) * np.log(z) - sc.gammaln(a) - 1 / z,
        lambda z, a: sc.gammaincc(a, 1 / z),
        low=0,
    ),
}

# In the count k, whose rounding is not the formula's business: tables of counts are plain integers.
DISCRETE: dict[str, Row] = {
    "poisson": Row(lambda k, mu: sc.xlogy(k, mu) - sc.gammaln(k + 1) - mu, low=0),
    "bernoulli": Row(lambda k, p: sc.xlogy(k, p) + sc.xlog1py(1 - k, -p), low=0, high=1),
    "binom": Row(
        lambda k, n, p: (
            sc.gammaln(n + 1)
            - sc.gammaln(k + 1)
            - sc.gammaln(n - k + 1)
            + sc.xlogy(k, p)
            + sc.xlog1py(n - k, -p)
        ),
        low=0,
    ),
    "geom": Row(lambda k, p: np.log(p) + (k - 1) * np.log1p(-p), low=1),
    "nbinom": Row(
        lambda k, n, p: (
            sc.gammaln(n + k)
            - sc.gammaln(k + 1)
            - sc.gammaln(n)
            + n * np.log(p)
            + sc.xlog1py(k, -p)
        ),
        low=0,
    ),
}


def _inside(z: Any, row: Row, formula: Any, below: float, above: float) -> Any:
    """The formula on the support, the constants outside."""
    result = formula
    if row.low > -np.inf:
        result = np.where(z >= row.low, result, below)
    if row.high < np.inf:
        result = np.where(z <= row.high, result, above)
    return result


def _standard(name: str, method: str, row: Row, z: Any, shapes: list[Any]) -> Any:
    """The method in the standardised variable."""
    if method in ("logpdf", "logpmf"):
        return _inside(z, row, row.logpdf(z, *shapes), -np.inf, -np.inf)
    if method in ("pdf", "pmf"):
        return _inside(z, row, np.exp(row.logpdf(z, *shapes)), 0.0, 0.0)
    lower = method in ("cdf", "logcdf")
    own, other = (row.cdf, row.sf) if lower else (row.sf, row.cdf)
    if own is None and other is None:
        raise TraceError(f"scipy.stats.{name}.{method} of traced values", user_line())
    found = own(z, *shapes) if own is not None else 1 - other(z, *shapes)  # type: ignore[misc]
    found = _inside(z, row, found, 0.0 if lower else 1.0, 1.0 if lower else 0.0)
    return np.log(found) if method.startswith("log") else found


def _method(method: str, table: dict[str, Row]) -> Callable[..., Any]:
    def call(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        row = table.get(self.name)
        if row is None or (method == "ppf" and row.ppf is None):
            raise TraceError(f"scipy.stats.{self.name}.{method} of traced values", user_line())
        names = [n.strip() for n in self.shapes.split(",")] if self.shapes else []
        given = dict(zip([*names, "loc", "scale"], args, strict=False)) | kwargs
        loc, scale = given.get("loc", 0), given.get("scale", 1)
        shapes = [given[n] for n in names]
        plain = {k: values(v) if is_traced(v) else v for k, v in given.items()}
        value = getattr(self, method)(values(x) if is_traced(x) else x, **plain)
        x = as_traced(x)
        if method == "ppf":
            return revalued(row.ppf(x, *shapes) * scale + loc, value)  # type: ignore[misc]
        result = _standard(self.name, method, row, (x - loc) / scale, shapes)
        if method == "pdf":
            result = result / scale
        elif method == "logpdf":
            result = result - np.log(scale)
        return revalued(result, value)

    return call


SCIPY_STATS: dict[str, Callable[..., Any]] = {
    f"rv_continuous.{m}": _method(m, CONTINUOUS)
    for m in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf")
} | {f"rv_discrete.{m}": _method(m, DISCRETE) for m in ("pmf", "logpmf")}
