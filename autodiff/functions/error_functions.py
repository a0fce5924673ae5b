"""The error function and the normal distribution: themselves, their tails, their inverses."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise, Holomorphic
from autodiff.functions._examples import REAL_EXAMPLES
from autodiff.functions._public import public

__all__ = [
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "ndtri_exp",
]

SQRT_HALF = math.sqrt(0.5)


NORMAL_PEAK = 1 / math.sqrt(2 * math.pi)


TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


class Erf(Holomorphic):
    """The error function."""

    value = lambda x: special.erf(x)
    partials = (lambda x: TWO_OVER_SQRT_PI * np.exp(-x * x),)
    formula = lambda x: sp.erf(x)
    examples = REAL_EXAMPLES


class Erfc(Holomorphic):
    """The complementary error function ``1 - erf(x)``, accurate in its tail."""

    value = lambda x: special.erfc(x)
    partials = (lambda x: -TWO_OVER_SQRT_PI * np.exp(-x * x),)
    formula = lambda x: sp.erfc(x)
    examples = REAL_EXAMPLES


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


class Erfi(Holomorphic):
    """The imaginary error function ``-i erf(i x)``."""

    value = lambda x: special.erfi(x)
    partials = (lambda x: TWO_OVER_SQRT_PI * np.exp(x * x),)
    formula = lambda x: sp.erfi(x)
    examples = REAL_EXAMPLES


class Ndtr(Elementwise):
    """The distribution function of the standard normal distribution."""

    value = lambda x: special.ndtr(x)
    partials = (lambda x: NORMAL_PEAK * np.exp(-0.5 * x * x),)
    formula = lambda x: sp.erfc(-x / sp.sqrt(2)) / 2


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


def _ndtri_exp_slope(y: Any, out: Any) -> Any:
    """The probability over the normal density at `out`, whose tail is known from y."""
    left = out < 0
    ratio = np.where(left, 1.0, np.exp(y) / -np.expm1(np.where(left, -1.0, y)))
    return ratio * special.erfcx(SQRT_HALF * np.abs(out)) / (2 * NORMAL_PEAK)


class NdtriExp(Elementwise):
    """`Ndtri` of the exponential: the inverse of `LogNdtr`."""

    value = lambda y: special.ndtri_exp(y)
    partials = (_ndtri_exp_slope,)
    formula = lambda y: sp.sqrt(2) * sp.erfinv(2 * sp.exp(y) - 1)
    domain = {"y": (-inf, 0)}


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


erf = public(Erf, "erf", "erf")


erfc = public(Erfc, "erfc", "erfc")


erfcx = public(Erfcx, "erfcx", "erfcx")


erfi = public(Erfi, "erfi", "erfi")


ndtr = public(Ndtr, "ndtr", "ndtr")


log_ndtr = public(LogNdtr, "log_ndtr", "log_ndtr")


ndtri = public(Ndtri, "ndtri", "ndtri")


erfinv = public(Erfinv, "erfinv", "erfinv")


erfcinv = public(Erfcinv, "erfcinv", "erfcinv")
ndtri_exp = public(NdtriExp, "ndtri_exp", "ndtri_exp")
