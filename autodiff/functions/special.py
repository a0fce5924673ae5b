"""Special functions: those of ``scipy.special``."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise
from autodiff.functions._public import operand, public
from autodiff.tensor import Tensor

SQRT_HALF = math.sqrt(0.5)
NORMAL_PEAK = 1 / math.sqrt(2 * math.pi)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


class Erf(Elementwise):
    """The error function."""

    value = lambda x: special.erf(x)
    partials = (lambda x: TWO_OVER_SQRT_PI * np.exp(-x * x),)
    formula = lambda x: sp.erf(x)


class Erfc(Elementwise):
    """The complementary error function ``1 - erf(x)``, accurate in its tail."""

    value = lambda x: special.erfc(x)
    partials = (lambda x: -TWO_OVER_SQRT_PI * np.exp(-x * x),)
    formula = lambda x: sp.erfc(x)


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


def _digamma_tail(x: Any) -> Any:
    """``digamma(x) - log(x)`` for large x (Abramowitz and Stegun, 6.3.18)."""
    inverse = 1 / (x * x)
    return -0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252))


def _digamma_difference(a: Any, b: Any) -> Any:
    """``digamma(a) - digamma(a + b)``, with its digits where the two are nearly equal.

    After one step of the recurrence, ``a + 1`` is no pole. Then: Taylor's series in ``b`` where
    that is small, the logarithm of a ratio where both are large, and the plain difference.
    """
    c = a + 1
    far = c > 100
    near = (b < c / 32) & ~far
    x = np.where(far, c, 100.0)
    logs = _digamma_tail(x) - _digamma_tail(x + b) - np.log1p(b / x)
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
        lambda a, b, out: out * _digamma_difference(a, b),
        lambda a, b, out: out * _digamma_difference(b, a),
    )
    formula = lambda a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b)
    domain = {"a": (0, 85), "b": (0, 85)}
    examples = [((), ()), ((2,), ()), ((2, 1), (1,))]


class Betaln(Elementwise):
    """The logarithm of the beta function."""

    value = lambda a, b: special.betaln(a, b)
    partials = (
        lambda a, b: _digamma_difference(a, b),
        lambda a, b: _digamma_difference(b, a),
    )
    formula = lambda a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b)
    domain = {"a": (0, inf), "b": (0, inf)}
    examples = [((), ()), ((2,), ()), ((2, 1), (1,))]


class Logit(Elementwise):
    """``log(x / (1 - x))``."""

    value = lambda x: special.logit(x)
    partials = (lambda x: 1 / (x * (1 - x)),)
    formula = lambda x: sp.log(x / (1 - x))
    domain = {"x": (0, 1)}


class Xlogy(Elementwise):
    """``x * log(y)``, and 0 where ``x`` is 0."""

    value = lambda x, y: special.xlogy(x, y)
    partials = (lambda y: np.log(y), lambda x, y: x / y)
    formula = lambda x, y: x * sp.log(y)
    domain = {"y": (0, inf)}


class Xlog1py(Elementwise):
    """``x * log(1 + y)``, and 0 where ``x`` is 0."""

    value = lambda x, y: special.xlog1py(x, y)
    partials = (lambda y: np.log1p(y), lambda x, y: x / (1 + y))
    formula = lambda x, y: x * sp.log(1 + y)
    domain = {"y": (-1, inf)}


class Entr(Elementwise):
    """``-x log(x)``, the entropy of a probability."""

    value = lambda x: special.entr(x)
    partials = (lambda x: -1 - np.log(x),)
    formula = lambda x: -x * sp.log(x)
    domain = {"x": (0, inf)}


class RelEntr(Elementwise):
    """``x log(x / y)``, the relative entropy."""

    value = lambda x, y: special.rel_entr(x, y)
    partials = (lambda x, y: 1 + np.log(x / y), lambda x, y: -x / y)
    formula = lambda x, y: x * sp.log(x / y)
    domain = {"x": (0, inf), "y": (0, inf)}


class Ndtr(Elementwise):
    """The distribution function of the standard normal distribution."""

    value = lambda x: special.ndtr(x)
    partials = (lambda x: NORMAL_PEAK * np.exp(-0.5 * x * x),)
    formula = lambda x: sp.erfc(-x / sp.sqrt(2)) / 2


def _erfcx_slope(x: Any, out: Any) -> Any:
    """The derivative of erfcx: ``2 x erfcx(x) - 2 / sqrt(pi)``, whose terms cancel for large x.

    There ``erfcx(x) = 1 / (sqrt(pi) (x + d))`` for the continued fraction
    ``d = (1/2) / (x + (2/2) / (x + (3/2) / (x + ...)))``, and the derivative is ``-2 d erfcx(x)``
    (Abramowitz and Stegun, 7.1.14).
    """
    far = x > 2
    z = np.where(far, x, 2.0)
    d = z
    for k in range(60, 0, -1):
        d = z + 0.5 * (k + 1) / d if k > 1 else 0.5 / (z + 1.0 / d)
    return np.where(far, -2 * d * out, 2 * x * out - TWO_OVER_SQRT_PI)


class Erfcx(Elementwise):
    """The complementary error function times ``exp(x**2)``."""

    value = lambda x: special.erfcx(x)
    partials = (_erfcx_slope,)
    formula = lambda x: sp.exp(x**2) * sp.erfc(x)


class LogNdtr(Elementwise):
    """The logarithm of `Ndtr`, accurate in the left tail."""

    value = lambda x: special.log_ndtr(x)
    partials = (lambda x: 2 * NORMAL_PEAK / special.erfcx(-SQRT_HALF * x),)
    formula = lambda x: sp.log(sp.erfc(-x / sp.sqrt(2)) / 2)


def _ndtri_slope(p: Any, out: Any) -> Any:
    """One over the normal density at `out`: by the ratio of density and tail, which is nearly flat.

    The exponential of ``out**2 / 2`` would lose as many digits as that has.
    """
    tail = np.where(p < 0.5, p, 1 - p)
    distance = np.where(p < 0.5, -out, out)
    return special.erfcx(SQRT_HALF * distance) / (2 * NORMAL_PEAK * tail)


class Ndtri(Elementwise):
    """The inverse of `Ndtr`."""

    value = lambda p: special.ndtri(p)
    partials = (_ndtri_slope,)
    formula = lambda p: sp.sqrt(2) * sp.erfinv(2 * p - 1)
    domain = {"p": (0, 1)}


class Erfinv(Elementwise):
    """The inverse of `Erf`."""

    value = lambda x: special.erfinv(x)
    partials = (lambda out: np.exp(out * out) / TWO_OVER_SQRT_PI,)
    formula = lambda x: sp.erfinv(x)
    domain = {"x": (-1, 1)}


class Erfcinv(Elementwise):
    """The inverse of `Erfc`."""

    value = lambda x: special.erfcinv(x)
    partials = (
        lambda x, out: (
            -special.erfcx(np.where(x < 1, out, -out))
            / (TWO_OVER_SQRT_PI * np.where(x < 1, x, 2 - x))
        ),
    )
    formula = lambda x: sp.erfinv(1 - x)
    domain = {"x": (0, 2)}


def _over(y: Any, x: Any) -> Any:
    """Return ``y / x``, and its limit 1/2 at 0, for a Bessel function y of order 1."""
    return np.where(x == 0, 0.5, y / np.where(x == 0, 1.0, x))


class J0(Elementwise):
    """The Bessel function of the first kind of order 0."""

    value = lambda x: special.j0(x)
    partials = (lambda x: -special.j1(x),)
    formula = lambda x: sp.besselj(0, x)


class J1(Elementwise):
    """The Bessel function of the first kind of order 1."""

    value = lambda x: special.j1(x)
    partials = (lambda x, out: special.j0(x) - _over(out, x),)
    formula = lambda x: sp.besselj(1, x)


class Y0(Elementwise):
    """The Bessel function of the second kind of order 0."""

    value = lambda x: special.y0(x)
    partials = (lambda x: -special.y1(x),)
    formula = lambda x: sp.bessely(0, x)
    domain = {"x": (0, inf)}


class Y1(Elementwise):
    """The Bessel function of the second kind of order 1."""

    value = lambda x: special.y1(x)
    partials = (lambda x, out: special.y0(x) - out / x,)
    formula = lambda x: sp.bessely(1, x)
    domain = {"x": (0, inf)}


class I0(Elementwise):
    """The modified Bessel function of the first kind of order 0."""

    value = lambda x: special.i0(x)
    partials = (lambda x: special.i1(x),)
    formula = lambda x: sp.besseli(0, x)


class I1(Elementwise):
    """The modified Bessel function of the first kind of order 1."""

    value = lambda x: special.i1(x)
    partials = (lambda x, out: special.i0(x) - _over(out, x),)
    formula = lambda x: sp.besseli(1, x)


class K0(Elementwise):
    """The modified Bessel function of the second kind of order 0."""

    value = lambda x: special.k0(x)
    partials = (lambda x: -special.k1(x),)
    formula = lambda x: sp.besselk(0, x)
    domain = {"x": (0, inf)}


class K1(Elementwise):
    """The modified Bessel function of the second kind of order 1."""

    value = lambda x: special.k1(x)
    partials = (lambda x, out: -special.k0(x) - out / x,)
    formula = lambda x: sp.besselk(1, x)
    domain = {"x": (0, inf)}


class Jv(Elementwise):
    """The Bessel function of the first kind, of a constant order."""

    value = lambda x, *, v: special.jv(v, x)
    partials = (lambda x, *, v: (special.jv(v - 1, x) - special.jv(v + 1, x)) / 2,)
    formula = lambda x, *, v: sp.besselj(sp.nsimplify(v), x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"v": 2}), ((), {"v": 0.5})]


class Yv(Elementwise):
    """The Bessel function of the second kind, of a constant order."""

    value = lambda x, *, v: special.yv(v, x)
    partials = (lambda x, *, v: (special.yv(v - 1, x) - special.yv(v + 1, x)) / 2,)
    formula = lambda x, *, v: sp.bessely(sp.nsimplify(v), x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"v": 2})]


class Iv(Elementwise):
    """The modified Bessel function of the first kind, of a constant order.

    Towards 0 SciPy's value loses as many digits as the order times the logarithm of x has before
    its point: five units in the last place at 1e-20, for the order 1/2.
    """

    value = lambda x, *, v: special.iv(v, x)
    partials = (lambda x, *, v: (special.iv(v - 1, x) + special.iv(v + 1, x)) / 2,)
    formula = lambda x, *, v: sp.besseli(sp.nsimplify(v), x)
    domain = {"x": (1e-20, inf)}
    examples = [((2,), {"v": 2}), ((), {"v": 1.5})]


class Kv(Elementwise):
    """The modified Bessel function of the second kind, of a constant order."""

    value = lambda x, *, v: special.kv(v, x)
    partials = (lambda x, *, v: -(special.kv(v - 1, x) + special.kv(v + 1, x)) / 2,)
    formula = lambda x, *, v: sp.besselk(sp.nsimplify(v), x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"v": 2})]


class Expi(Elementwise):
    """The exponential integral Ei."""

    value = lambda x: special.expi(x)
    partials = (lambda x: np.exp(x) / x,)
    formula = lambda x: sp.Ei(x)
    domain = {"x": (0, inf)}


class Exp1(Elementwise):
    """The exponential integral E1."""

    value = lambda x: special.exp1(x)
    partials = (lambda x: -np.exp(-x) / x,)
    formula = lambda x: sp.expint(1, x)
    domain = {"x": (0, inf)}


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


erf = public(Erf, "erf", "erf")
erfc = public(Erfc, "erfc", "erfc")
gammaln = public(Gammaln, "gammaln", "gammaln", "loggamma")
digamma = public(Digamma, "digamma", "digamma", "psi")


gamma = public(Gamma, "gamma", "gamma")
beta = public(Beta, "beta", "beta")
betaln = public(Betaln, "betaln", "betaln")
logit = public(Logit, "logit", "logit")
xlogy = public(Xlogy, "xlogy", "xlogy")
xlog1py = public(Xlog1py, "xlog1py", "xlog1py")
entr = public(Entr, "entr", "entr")
rel_entr = public(RelEntr, "rel_entr", "rel_entr")
ndtr = public(Ndtr, "ndtr", "ndtr")
erfcx = public(Erfcx, "erfcx", "erfcx")
log_ndtr = public(LogNdtr, "log_ndtr", "log_ndtr")
ndtri = public(Ndtri, "ndtri", "ndtri")
erfinv = public(Erfinv, "erfinv", "erfinv")
erfcinv = public(Erfcinv, "erfcinv", "erfcinv")
j0 = public(J0, "j0", "j0")
j1 = public(J1, "j1", "j1")
y0 = public(Y0, "y0", "y0")
y1 = public(Y1, "y1", "y1")
i0 = public(I0, "i0", "i0", np.i0)
i1 = public(I1, "i1", "i1")
k0 = public(K0, "k0", "k0")
k1 = public(K1, "k1", "k1")
expi = public(Expi, "expi", "expi")
exp1 = public(Exp1, "exp1", "exp1")


def with_constants(name: str, function: Any, *parameters: str) -> Callable[..., Tensor]:
    """Return a function whose first arguments are constants, and register it for SciPy's ufunc."""

    def call(*args: Any) -> Tensor:
        constants = {}
        for parameter, arg in zip(parameters, args, strict=False):
            if isinstance(arg, Tensor):
                if arg._requires_grad:
                    raise NotImplementedError(
                        f"the derivative of {name} in its parameter {parameter!r} is not known: "
                        "pass it detached"
                    )
                arg = arg._data
            constants[parameter] = arg
        return function.apply(operand(args[-1]), **constants)  # type: ignore[no-any-return]

    call.__name__ = call.__qualname__ = name
    call.__module__ = function.__module__
    call.__doc__ = function.__doc__
    UFUNCS[name] = call
    return call


jv = with_constants("jv", Jv, "v")
yv = with_constants("yv", Yv, "v")
iv = with_constants("iv", Iv, "v")
kv = with_constants("kv", Kv, "v")
zeta = with_constants("zeta", HurwitzZeta, "s")
polygamma = with_constants("polygamma", Polygamma, "n")
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
