"""Densities and distribution functions of probability distributions, in standard form.

What shifts and scales them, and what they are called in ``scipy.stats``, stands in
:mod:`autodiff.stats`. Each density is given with its logarithm, which reaches further. All are for
points inside the support.
"""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise
from autodiff.functions.error_functions import NORMAL_PEAK
from autodiff.functions.gamma_functions import digamma_difference, digamma_tail
from autodiff.tensor import Tensor

__all__: list[str] = []  # their public functions are the methods of the distributions

_PAIRS = [((), ()), ((2,), ()), ((2, 1), (1,))]


class NormPdf(Elementwise):
    """The density of the standard normal distribution."""

    value = lambda x: NORMAL_PEAK * np.exp(-0.5 * x * x)
    partials = (lambda x, out: -x * out,)
    formula = lambda x: sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


def _log_less_digamma(x: Any, a: Any) -> Any:
    """``log(x) - digamma(a)``, of which both may be large where they are nearly equal."""
    far = a > 100
    c = np.where(far, a, 100.0)
    return np.where(
        far, np.log(x / c) - digamma_tail(c), np.log(x) - special.digamma(np.where(far, 1.0, a))
    )


class GammaLogpdf(Elementwise):
    """The logarithm of the density of the gamma distribution of shape ``a``."""

    value = lambda x, a: special.xlogy(a - 1, x) - x - special.gammaln(a)
    partials = (lambda x, a: (a - 1 - x) / x, _log_less_digamma)
    formula = lambda x, a: (a - 1) * sp.log(x) - x - sp.loggamma(a)
    domain = {"x": (0, inf), "a": (0, inf)}
    examples = _PAIRS


class GammaPdf(Elementwise):
    """The density of the gamma distribution of shape ``a``.

    Beyond a shape of 170, where the gamma function overflows, use the exponential of `GammaLogpdf`.
    """

    value = lambda x, a: x ** (a - 1) * np.exp(-x) / special.gamma(a)
    partials = (
        lambda x, a, out: out * ((a - 1 - x) / x),
        lambda x, a, out: out * _log_less_digamma(x, a),
    )
    formula = lambda x, a: x ** (a - 1) * sp.exp(-x) / sp.gamma(a)
    domain = {"x": (0, inf), "a": (0, 85)}
    examples = _PAIRS


class BetaLogpdf(Elementwise):
    """The logarithm of the density of the beta distribution."""

    value = lambda x, a, b: (
        special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
    )
    partials = (
        lambda x, a, b: (a - 1) / x - (b - 1) / (1 - x),
        lambda x, a, b: np.log(x) - digamma_difference(a, b),
        lambda x, a, b: np.log1p(-x) - digamma_difference(b, a),
    )
    formula = lambda x, a, b: (
        (a - 1) * sp.log(x)
        + (b - 1) * sp.log(1 - x)
        + sp.loggamma(a + b)
        - sp.loggamma(a)
        - sp.loggamma(b)
    )
    domain = {"x": (0, 1), "a": (0, inf), "b": (0, inf)}
    examples = [((), (), ()), ((2,), (), (1,))]


class BetaPdf(Elementwise):
    """The density of the beta distribution.

    Beyond a sum of shapes of 170 use the exponential of `BetaLogpdf`.
    """

    value = lambda x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) / special.beta(a, b)
    partials = (
        lambda x, a, b, out: out * ((a - 1) / x - (b - 1) / (1 - x)),
        lambda x, a, b, out: out * (np.log(x) - digamma_difference(a, b)),
        lambda x, a, b, out: out * (np.log1p(-x) - digamma_difference(b, a)),
    )
    formula = lambda x, a, b: (
        x ** (a - 1) * (1 - x) ** (b - 1) * sp.gamma(a + b) / (sp.gamma(a) * sp.gamma(b))
    )
    domain = {"x": (0, 1), "a": (0, 85), "b": (0, 85)}
    examples = [((), (), ()), ((2,), (), (1,))]


def _t_tail(x: Any, df: Any) -> Any:
    """``log(1 + u) - u / (1 + u)`` for ``u = x**2 / df``: a series where the two cancel."""
    w = x * x / (df + x * x)
    near = w < 0.25
    z = np.where(near, w, 0.0)
    series = special.hyp2f1(1.0, 2.0, 3.0, z).astype(z.dtype)  # -log(1 - w) - w, over w**2 / 2
    return np.where(near, series * z * z / 2, np.log1p(x * x / df) - w)


def _t_level(df: Any) -> Any:
    """The derivative in `df` of the logarithm of the height of the t distribution.

    ``(digamma((df + 1) / 2) - digamma(df / 2)) / 2 - 1 / (2 df)``, whose terms cancel, as a series
    of which all terms are positive. Its own derivative, for the second order, is that of the plain
    difference.
    """
    if isinstance(df, Tensor):
        return (special.psi((df + 1) / 2) - special.psi(df / 2)) / 2 - 1 / (2 * df)
    return special.hyp2f1(1.0, 2.0, df + 2, 0.5).astype(df.dtype) / (4 * df * (df + 1))


def _t_slope_df(x: Any, df: Any) -> Any:
    return _t_level(df) + x * x / (2 * df * (df + x * x)) - _t_tail(x, df) / 2


def _log_half_step(a: Any) -> Any:
    """``log(gamma(a + 1/2) / gamma(a))``: a difference that cancels for large ``a``.

    There, Gauss's theorem says how far it is from half the logarithm of ``a`` (DLMF 15.4.20).
    """
    near, far = np.minimum(a, 20.0), np.maximum(a, 20.0)
    off = special.hyp2f1(-0.5, -0.5, far, 1.0).astype(a.dtype)
    by_gauss = (np.log(far) - np.log(off)) / 2
    return np.where(a < 20, special.gammaln(near + 0.5) - special.gammaln(near), by_gauss)


class TLogpdf(Elementwise):
    """The logarithm of the density of Student's t distribution with ``df`` degrees of freedom."""

    value = lambda x, df: (
        _log_half_step(df / 2).astype(df.dtype)
        - np.log(np.pi * df) / 2
        - (df + 1) / 2 * np.log1p(x * x / df)
    )
    partials = (lambda x, df: -x * (df + 1) / (df + x * x), _t_slope_df)
    formula = lambda x, df: (
        sp.loggamma((df + 1) / 2)
        - sp.loggamma(df / 2)
        - sp.log(sp.pi * df) / 2
        - (df + 1) / 2 * sp.log(1 + x**2 / df)
    )
    domain = {"df": (0, inf)}
    examples = _PAIRS


class TPdf(Elementwise):
    """The density of Student's t distribution with ``df`` degrees of freedom.

    It loses a digit for ``df`` below 1e-6, where its logarithm is a difference of large ones.
    """

    value = lambda x, df: np.exp(TLogpdf.value(x, df))
    partials = (
        lambda x, df, out: out * (-x * (df + 1) / (df + x * x)),
        lambda x, df, out: out * _t_slope_df(x, df),
    )
    formula = lambda x, df: (
        sp.gamma((df + 1) / 2)
        / (sp.gamma(df / 2) * sp.sqrt(sp.pi * df))
        * (1 + x**2 / df) ** (-(df + 1) / 2)
    )
    domain = {"df": (1e-6, inf)}
    examples = _PAIRS


class TCdf(Elementwise):
    """The distribution function of Student's t distribution, of constant ``df``."""

    value = lambda x, *, df: special.stdtr(df, x).astype(x.dtype)
    partials = (lambda x, *, df: _t_density(x, df).astype(x.dtype),)
    formula = lambda x, *, df: _t_cdf(x, sp.nsimplify(df))
    examples = [((2,), {"df": 3}), ((), {"df": 4})]


def _t_density(x: Any, df: Any) -> Any:
    return (1 + x * x / df) ** (-(df + 1) / 2) / (np.sqrt(df) * special.beta(df / 2, 0.5))


def _t_cdf(x: Any, df: Any) -> Any:
    """The finite sums for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    sine, cosine = x / sp.sqrt(df + x**2), sp.sqrt(df / (df + x**2))
    if df % 2:
        term, total = cosine, 0
        for k in range(1, int(df), 2):
            total += term
            term *= sp.Rational(k + 1, k + 2) * cosine**2
        return sp.Rational(1, 2) + (sp.atan(x / sp.sqrt(df)) + sine * total) / sp.pi
    term, total = sp.Integer(1), 0
    for k in range(0, int(df), 2):
        total += term
        term *= sp.Rational(k + 1, k + 2) * cosine**2
    return (1 + sine * total) / 2


class PoissonLogpmf(Elementwise):
    """The logarithm of the probability of a count ``k``, of the Poisson distribution."""

    value = lambda mu, *, k: (special.xlogy(k, mu) - mu - special.gammaln(k + 1)).astype(mu.dtype)
    partials = (lambda mu, *, k: (k - mu) / mu,)
    formula = lambda mu, *, k: k * sp.log(mu) - mu - sp.log(sp.factorial(k))
    domain = {"mu": (0, inf)}
    examples = [((2,), {"k": 3}), ((), {"k": 0})]


class PoissonPmf(Elementwise):
    """The probability of a count ``k``, of the Poisson distribution."""

    value = lambda mu, *, k: _poisson_density(mu, k)
    partials = (lambda mu, out, *, k: out * ((k - mu) / mu),)
    formula = lambda mu, *, k: mu**k * sp.exp(-mu) / sp.factorial(k)
    domain = {"mu": (0, inf)}
    examples = [((2,), {"k": 3}), ((), {"k": 0})]


def _poisson_density(mu: Any, k: Any) -> Any:
    """By powers, which keep the digits, where they fit."""
    if np.max(k) < 100:
        return (mu**k * np.exp(-mu) / special.gamma(k + 1.0)).astype(mu.dtype)
    return np.exp(PoissonLogpmf.value(mu, k=k))
