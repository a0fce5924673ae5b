"""Exponentials and logarithms."""

# ruff: noqa: E731  (a Function's value and formula are lambdas in a class: one line each)

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise, Holomorphic
from autodiff.functions._public import public

__all__ = [
    "exp",
    "exp2",
    "exp10",
    "expm1",
    "log",
    "log1mexp",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
]

LOG2, LOG10 = math.log(2), math.log(10)


class Exp(Holomorphic):
    """The exponential."""

    value = lambda x: np.exp(x)
    partials = (lambda out: out,)
    formula = lambda x: sp.exp(x)


class Exp2(Holomorphic):
    """The power ``2**x``."""

    value = lambda x: np.exp2(x)
    partials = (lambda out: out * LOG2,)
    formula = lambda x: 2**x


class Exp10(Elementwise):
    """The power ``10**x``."""

    value = lambda x: special.exp10(x)
    partials = (lambda out: out * LOG10,)
    formula = lambda x: sp.Integer(10) ** x


class Expm1(Holomorphic):
    """``exp(x) - 1``, accurate near 0."""

    value = lambda x: np.expm1(x)
    partials = (lambda x: np.exp(x),)  # out + 1 loses all digits below -37
    formula = lambda x: sp.exp(x) - 1


class Log(Holomorphic):
    """The natural logarithm."""

    value = lambda x: np.log(x)
    partials = (lambda x: 1 / x,)
    formula = lambda x: sp.log(x)
    domain = {"x": (0, inf)}


class Log2(Holomorphic):
    """The logarithm to base 2."""

    value = lambda x: np.log2(x)
    partials = (lambda x: 1 / (x * LOG2),)
    formula = lambda x: sp.log(x) / sp.log(2)
    domain = {"x": (0, inf)}


class Log10(Holomorphic):
    """The logarithm to base 10."""

    value = lambda x: np.log10(x)
    partials = (lambda x: 1 / (x * LOG10),)
    formula = lambda x: sp.log(x) / sp.log(10)
    domain = {"x": (0, inf)}


class Log1p(Holomorphic):
    """``log(1 + x)``, accurate near 0."""

    value = lambda x: np.log1p(x)
    partials = (lambda x: 1 / (1 + x),)
    formula = lambda x: sp.log(1 + x)
    domain = {"x": (-1, inf)}


def _log1mexp(x: Any) -> Any:
    """``log(1 - exp(x))`` for negative x: each form where it keeps its digits (Maechler, 2012)."""
    near = x > -LOG2
    return np.where(
        near, np.log(-np.expm1(np.where(near, x, -1.0))), np.log1p(-np.exp(np.where(near, -1.0, x)))
    )


class Log1mexp(Elementwise):
    """``log(1 - exp(x))`` of negative numbers, accurate near 0 and far from it."""

    value = lambda x: _log1mexp(x)
    partials = (lambda x: -1 / np.expm1(-x),)
    formula = lambda x: sp.log(1 - sp.exp(x))
    domain = {"x": (-inf, 0)}


def _difference(x: Any, y: Any) -> Any:
    """Return ``x - y``, with 0 for equal infinities."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(x) & (x == y), 0.0, x - y)


class Logaddexp(Elementwise):
    """``log(exp(x) + exp(y))``, without overflow. Equal infinities share the gradient."""

    value = lambda x, y: np.logaddexp(x, y)
    # Not exp(x - out), whose exponent is a difference of rounded numbers.
    partials = (
        lambda x, y: special.expit(_difference(x, y)),
        lambda x, y: special.expit(_difference(y, x)),
    )
    formula = lambda x, y: sp.log(sp.exp(x) + sp.exp(y))


exp = public(Exp, "exp", np.exp)
exp2 = public(Exp2, "exp2", np.exp2)
exp10 = public(Exp10, "exp10", "exp10")
expm1 = public(Expm1, "expm1", np.expm1)
log = public(Log, "log", np.log)
log2 = public(Log2, "log2", np.log2)
log10 = public(Log10, "log10", np.log10)
log1p = public(Log1p, "log1p", np.log1p)
logaddexp = public(Logaddexp, "logaddexp", np.logaddexp)
log1mexp = public(Log1mexp, "log1mexp")
