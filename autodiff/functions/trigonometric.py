"""Trigonometric and hyperbolic functions, and their inverses."""

# ruff: noqa: E731  (a Function's value and formula are lambdas in a class: one line each)

from __future__ import annotations

from math import inf, pi
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise, Holomorphic
from autodiff.functions._examples import REAL_EXAMPLES, SMALL_EXAMPLES
from autodiff.functions._public import public

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "hypot",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


class Sin(Holomorphic):
    """The sine."""

    value = lambda x: np.sin(x)
    partials = (lambda x: np.cos(x),)
    formula = lambda x: sp.sin(x)


class Cos(Holomorphic):
    """The cosine."""

    value = lambda x: np.cos(x)
    partials = (lambda x: -np.sin(x),)
    formula = lambda x: sp.cos(x)


def _sech_squared(z: Any) -> Any:
    """``1 / cosh(z)**2`` of complex numbers: the hyperbolic cosine itself overflows at 711."""
    half = np.exp(2 * np.where(z.real < 0, z, -z))
    return 4 * half / (1 + half) ** 2


def _tan_slope(x: Any) -> Any:
    """``1 + tan(x)**2``, which would cancel far from the real axis."""
    return _sech_squared(1j * x) if x.dtype.kind == "c" else (1 / np.cos(x)) ** 2


class Tan(Holomorphic):
    """The tangent."""

    value = lambda x: np.tan(x)
    partials = (_tan_slope,)
    formula = lambda x: sp.tan(x)
    domain = {"x": (-pi / 2, pi / 2)}


class Arcsin(Holomorphic):
    """The inverse sine; its derivative at -1 and 1 is infinite."""

    value = lambda x: np.arcsin(x)
    # 1 - x**2 loses digits near -1 and 1, this product does not.
    partials = (lambda x: 1 / np.sqrt((1 - x) * (1 + x)),)
    formula = lambda x: sp.asin(x)
    examples = REAL_EXAMPLES
    domain = {"x": (-1, 1)}


class Arccos(Holomorphic):
    """The inverse cosine; its derivative at -1 and 1 is infinite."""

    value = lambda x: np.arccos(x)
    partials = (lambda x: -1 / np.sqrt((1 - x) * (1 + x)),)
    formula = lambda x: sp.acos(x)
    examples = REAL_EXAMPLES
    domain = {"x": (-1, 1)}


class Arctan(Holomorphic):
    """The inverse tangent."""

    value = lambda x: np.arctan(x)
    partials = (lambda x: 1 / (1 + x * x),)
    formula = lambda x: sp.atan(x)


class Arctan2(Elementwise):
    """The angle of the point ``(x, y)``, which jumps on the negative x axis."""

    value = lambda y, x: np.arctan2(y, x)
    partials = (
        lambda y, x: x / np.hypot(x, y) / np.hypot(x, y),
        lambda y, x: -y / np.hypot(x, y) / np.hypot(x, y),
    )
    formula = lambda y, x: sp.atan2(y, x)


def _ratio(x: Any, length: Any) -> Any:
    """Return ``x / length``, and 0 where the length is 0."""
    return np.where(length == 0, 0.0, x / np.where(length == 0, 1.0, length))


class Hypot(Elementwise):
    """``sqrt(x**2 + y**2)``, without overflow. At the origin its gradient is taken to be 0."""

    value = lambda x, y: np.hypot(x, y)
    partials = (lambda x, out: _ratio(x, out), lambda y, out: _ratio(y, out))
    formula = lambda x, y: sp.sqrt(x**2 + y**2)


class Sinh(Holomorphic):
    """The hyperbolic sine."""

    value = lambda x: np.sinh(x)
    partials = (lambda x: np.cosh(x),)
    formula = lambda x: sp.sinh(x)


class Cosh(Holomorphic):
    """The hyperbolic cosine."""

    value = lambda x: np.cosh(x)
    partials = (lambda x: np.sinh(x),)
    formula = lambda x: sp.cosh(x)


def _tanh_slope(x: Any) -> Any:
    """``1 - tanh(x)**2``, which would have no digits left at 19; this has all of them."""
    if x.dtype.kind == "c":
        return _sech_squared(x)
    return 4 * special.expit(2 * x) * special.expit(-2 * x)


class Tanh(Holomorphic):
    """The hyperbolic tangent."""

    value = lambda x: np.tanh(x)
    partials = (_tanh_slope,)
    formula = lambda x: sp.tanh(x)


def _arcsinh_slope(x: Any) -> Any:
    """``1 / sqrt(1 + x**2)``, where ``x**2`` neither overflows nor cancels."""
    if x.dtype.kind == "c":
        return 1 / (np.sqrt(1 - 1j * x) * np.sqrt(1 + 1j * x))
    return 1 / np.hypot(1, x)


class Arcsinh(Holomorphic):
    """The inverse hyperbolic sine."""

    value = lambda x: np.arcsinh(x)
    partials = (_arcsinh_slope,)
    formula = lambda x: sp.asinh(x)
    examples = REAL_EXAMPLES


class Arccosh(Holomorphic):
    """The inverse hyperbolic cosine; its derivative at 1 is infinite."""

    value = lambda x: np.arccosh(x)
    partials = (lambda x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),)
    formula = lambda x: sp.acosh(x)
    examples = REAL_EXAMPLES
    domain = {"x": (1, inf)}


class Arctanh(Holomorphic):
    """The inverse hyperbolic tangent."""

    value = lambda x: np.arctanh(x)
    partials = (lambda x: 1 / ((1 - x) * (1 + x)),)
    formula = lambda x: sp.atanh(x)
    domain = {"x": (-1, 1)}


def _sinc_slope(x: Any) -> Any:
    """The derivative of sinc: both terms of the quotient rule cancel near 0, hence the series."""
    near = np.abs(x) <= 0.5
    away = np.where(near, 1.0, x)
    t = np.where(near, x, 0.0)
    series = -(pi * pi / 3) * special.hyp0f1(2.5, -(pi * pi / 4) * (t * t))
    # Whole turns come off before pi, which is rounded, is multiplied: the cosine of 1e20 pi is 1.
    turned = away - 2 * np.rint(away.real / 2)
    return np.where(near, series * x, (np.cos(pi * turned) - np.sinc(away)) / away)


class Sinc(Holomorphic):
    """``sin(pi x) / (pi x)``, and 1 at 0."""

    value = lambda x: np.sinc(x)
    partials = (_sinc_slope,)
    formula = lambda x: sp.sinc(sp.pi * x)
    examples = SMALL_EXAMPLES


sin = public(Sin, "sin", np.sin)
cos = public(Cos, "cos", np.cos)
tan = public(Tan, "tan", np.tan)
arcsin = public(Arcsin, "arcsin", np.arcsin)
arccos = public(Arccos, "arccos", np.arccos)
arctan = public(Arctan, "arctan", np.arctan)
arctan2 = public(Arctan2, "arctan2", np.arctan2)
hypot = public(Hypot, "hypot", np.hypot)
sinh = public(Sinh, "sinh", np.sinh)
cosh = public(Cosh, "cosh", np.cosh)
tanh = public(Tanh, "tanh", np.tanh)
arcsinh = public(Arcsinh, "arcsinh", np.arcsinh)
arccosh = public(Arccosh, "arccosh", np.arccosh)
arctanh = public(Arctanh, "arctanh", np.arctanh)
sinc = public(Sinc, "sinc", np.sinc)
