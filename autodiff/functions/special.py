"""Special functions: those of ``scipy.special``."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise
from autodiff.functions._public import public

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


erf = public(Erf, "erf", "erf")
erfc = public(Erfc, "erfc", "erfc")
gammaln = public(Gammaln, "gammaln", "gammaln", "loggamma")
digamma = public(Digamma, "digamma", "digamma", "psi")


def _zeta(s: Any, x: Any) -> Any:
    return HurwitzZeta.apply(x, s=s)


UFUNCS["zeta"] = UFUNCS["_zeta"] = _zeta
