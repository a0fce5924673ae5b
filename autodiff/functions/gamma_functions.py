"""The gamma function, its logarithm and its derivatives; beta; the incomplete ones."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise
from autodiff.functions._public import operand, public, with_constants
from autodiff.tensor import Tensor

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "multigammaln",
    "polygamma",
    "rgamma",
    "zeta",
]


class Gammaln(Elementwise):
    """The logarithm of the gamma function."""

    value = lambda x: special.gammaln(x)
    partials = (lambda x: special.digamma(x),)
    formula = lambda x: sp.loggamma(x)
    domain = {"x": (0, inf)}


class Digamma(Elementwise):
    """The derivative of `Gammaln`."""

    value = lambda x: special.digamma(x)
    partials = (lambda x: special.zeta(2.0, x),)
    formula = lambda x: sp.digamma(x)
    domain = {"x": (0, inf)}


class HurwitzZeta(Elementwise):
    """``sum over k >= 0 of (k + x)**-s``, for a constant ``s > 1``."""

    value = lambda x, *, s: special.zeta(s, x)
    partials = (lambda x, *, s: -s * special.zeta(s + 1, x),)
    formula = lambda x, *, s: sp.zeta(sp.nsimplify(s), x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"s": 2.0}), ((), {"s": 3.0}), ((0,), {"s": 2.0})]


class Polygamma(Elementwise):
    """The derivative of `Digamma` of order ``n >= 1``."""

    value = lambda x, *, n: (-1) ** (n + 1) * math.factorial(n) * special.zeta(n + 1.0, x)
    partials = (lambda x, *, n: (-1) ** n * math.factorial(n + 1) * special.zeta(n + 2.0, x),)
    formula = lambda x, *, n: sp.polygamma(n, x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"n": 1}), ((), {"n": 2})]


class Gamma(Elementwise):
    """The gamma function."""

    value = lambda x: special.gamma(x)
    partials = (lambda x, out: out * special.digamma(x),)
    formula = lambda x: sp.gamma(x)
    domain = {"x": (0, inf)}


class Rgamma(Elementwise):
    """One over the gamma function."""

    value = lambda x: special.rgamma(x)
    partials = (lambda x, out: -out * special.digamma(x),)
    formula = lambda x: 1 / sp.gamma(x)
    domain = {"x": (0, inf)}


def digamma_tail(x: Any) -> Any:
    """``digamma(x) - log(x)`` for large x (Abramowitz and Stegun, 6.3.18)."""
    inverse = 1 / (x * x)
    return -0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252))


def digamma_difference(a: Any, b: Any) -> Any:
    """``digamma(a) - digamma(a + b)``, with its digits where the two are nearly equal.

    After one step of the recurrence, ``a + 1`` is no pole. Then: Taylor's series in ``b`` where
    that is small, the logarithm of a ratio where both are large, and the plain difference.
    """
    c = a + 1
    far = c > 100
    near = (b < c / 32) & ~far
    x = np.where(far, c, 100.0)
    logs = digamma_tail(x) - digamma_tail(x + b) - np.log1p(b / x)
    y, step = np.where(near, c, 1.0), np.where(near, b, 0.0)
    slope = special.zeta(12.0, y)
    for n in range(11, 1, -1):
        slope = special.zeta(float(n), y) - step * slope
    plain = special.digamma(c) - special.digamma(c + b)
    rest = np.where(far, logs, np.where(near, -step * slope, plain))
    return (rest - b / (a * (a + b))).astype(c.dtype)


class Beta(Elementwise):
    """The beta function ``gamma(a) gamma(b) / gamma(a + b)``.

    Beyond a sum of 170, where that overflows, SciPy's value is the exponential of a logarithm and
    loses as many digits as that has before its point, and so does the gradient: use `betaln` there.
    """

    value = lambda a, b: special.beta(a, b)
    partials = (
        lambda a, b, out: out * digamma_difference(a, b),
        lambda a, b, out: out * digamma_difference(b, a),
    )
    formula = lambda a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b)
    domain = {"a": (0, 85), "b": (0, 85)}
    examples = [((), ()), ((2,), ()), ((2, 1), (1,))]


class Betaln(Elementwise):
    """The logarithm of the beta function."""

    value = lambda a, b: special.betaln(a, b)
    partials = (
        lambda a, b: digamma_difference(a, b),
        lambda a, b: digamma_difference(b, a),
    )
    formula = lambda a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b)
    domain = {"a": (0, inf), "b": (0, inf)}
    examples = [((), ()), ((2,), ()), ((2, 1), (1,))]


class Gammainc(Elementwise):
    """The regularised lower incomplete gamma function, of a constant parameter ``a``."""

    value = lambda x, *, a: special.gammainc(a, x).astype(x.dtype)
    partials = (lambda x, *, a: _gamma_density(x, a),)
    formula = lambda x, *, a: sp.lowergamma(sp.nsimplify(a), x) / sp.gamma(sp.nsimplify(a))
    domain = {"x": (0, inf)}
    examples = [((2,), {"a": 2.5}), ((), {"a": 1.0})]


class Gammaincc(Elementwise):
    """The regularised upper incomplete gamma function, of a constant parameter ``a``."""

    value = lambda x, *, a: special.gammaincc(a, x).astype(x.dtype)
    partials = (lambda x, *, a: -_gamma_density(x, a),)
    formula = lambda x, *, a: sp.uppergamma(sp.nsimplify(a), x) / sp.gamma(sp.nsimplify(a))
    domain = {"x": (0, inf)}
    examples = [((2,), {"a": 2.5}), ((), {"a": 1.0})]


def _gamma_density(x: Any, a: Any) -> Any:
    """The density of the gamma distribution: by powers, which keep the digits, where they fit."""
    if np.max(a) < 100:
        return (x ** (a - 1) * np.exp(-x) / special.gamma(a)).astype(x.dtype)
    return np.exp((a - 1) * np.log(x) - x - special.gammaln(a)).astype(x.dtype)


def _beta_density(x: Any, a: Any, b: Any) -> Any:
    """The density of the beta distribution: by powers, which keep the digits, where they fit."""
    if np.max(a + b) < 100:
        return (x ** (a - 1) * (1 - x) ** (b - 1) / special.beta(a, b)).astype(x.dtype)
    log = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - special.betaln(a, b)
    return np.exp(log).astype(x.dtype)


class Betainc(Elementwise):
    """The regularised incomplete beta function, of constant parameters ``a`` and ``b``."""

    value = lambda x, *, a, b: special.betainc(a, b, x)
    partials = (lambda x, *, a, b: _beta_density(x, a, b),)
    formula = lambda x, *, a, b: sp.betainc_regularized(sp.nsimplify(a), sp.nsimplify(b), 0, x)
    domain = {"x": (0, 1)}
    examples = [((2,), {"a": 2.0, "b": 3.5})]


gammaln = public(Gammaln, "gammaln", "gammaln", "loggamma")


digamma = public(Digamma, "digamma", "digamma", "psi")


gamma = public(Gamma, "gamma", "gamma")


rgamma = public(Rgamma, "rgamma", "rgamma")


beta = public(Beta, "beta", "beta")


betaln = public(Betaln, "betaln", "betaln")


zeta = with_constants("zeta", HurwitzZeta, "s")


_polygamma = with_constants("polygamma", Polygamma, "n")


def polygamma(n: int, x: Any) -> Tensor:
    """Return the derivative of `digamma` of order `n`: itself, for 0."""
    if not np.ndim(n) and n == 0:
        return digamma(operand(x))
    return _polygamma(n, x)


gammainc = with_constants("gammainc", Gammainc, "a")


gammaincc = with_constants("gammaincc", Gammaincc, "a")


betainc = with_constants("betainc", Betainc, "a", "b")


UFUNCS["_zeta"] = zeta


def multigammaln(x: Any, d: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension `d`."""
    x = operand(x)
    total: Any = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(d):
        total = gammaln(x - j / 2) + total
    return total  # type: ignore[no-any-return]
