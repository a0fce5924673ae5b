"""Bessel functions, of both kinds, plain and modified."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise
from autodiff.functions._public import public, with_constants

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jv",
    "k0",
    "k1",
    "kn",
    "kv",
    "y0",
    "y1",
    "yn",
    "yv",
]


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


def _jv(v: Any, x: Any) -> Any:
    """SciPy's, whose values of the orders 0 and 1 have more digits under names of their own."""
    return special.j0(x) if v == 0 else special.j1(x) if v == 1 else special.jv(v, x)


class Jv(Elementwise):
    """The Bessel function of the first kind, of a constant order."""

    value = lambda x, *, v: _jv(v, x)
    partials = (lambda x, *, v: (_jv(v - 1, x) - _jv(v + 1, x)) / 2,)
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


def _i0e_less_i1e(size: Any) -> Any:
    """``I0e - I1e`` of positive numbers, whose plain difference cancels (DLMF 13.6.9)."""
    return special.hyp1f1(1.5, 2.0, -2 * size)


def _i0e_slope(x: Any, out: Any) -> Any:
    return -np.sign(x) * _i0e_less_i1e(np.abs(x))


def _i1e_slope(x: Any, out: Any) -> Any:
    return _i0e_less_i1e(np.abs(x)) - _over(out, x)


def _ive_slope(x: Any, out: Any, *, v: Any) -> Any:
    """The derivative of ``exp(-x) I_v(x)``, by differences near 0.

    Far from it these cancel. There it is ``(v / x - 1 + I_(v + 1)(x) / I_v(x)) out``, and Perron's
    continued fraction gives one minus the ratio (Gautschi and Slavik, 1978).
    """
    plain = (special.ive(v - 1, x) + special.ive(v + 1, x)) / 2 - out
    far = x > 1
    z = np.where(far, x, 1.0)
    twice, q = 2 * z, np.zeros_like(z)
    for n in range(60, 0, -1):
        q = (2 * v + 2 * n + 1) * z / (2 * v + n + 2 + twice - q)
    return np.where(far, (v / z - (2 * v + 2 - q) / (z + 2 * v + 2 - q)) * out, plain)


class I0e(Elementwise):
    """``exp(-abs(x))`` times `I0`. At 0, where it has a corner, the slope is taken to be 0."""

    value = lambda x: special.i0e(x)
    partials = (_i0e_slope,)
    formula = lambda x: sp.exp(-sp.Abs(x)) * sp.besseli(0, x)
    examples = [((),)]


class I1e(Elementwise):
    """``exp(-abs(x))`` times `I1`."""

    value = lambda x: special.i1e(x)
    partials = (_i1e_slope,)
    formula = lambda x: sp.exp(-sp.Abs(x)) * sp.besseli(1, x)
    examples = [((),)]


class Ive(Elementwise):
    """``exp(-abs(x))`` times `Iv`, of a constant order.

    SciPy's value loses digits towards 0, ten units in the last place at 1e-15, and of an order that
    is no integer: a hundred at 20, for the order 3/2. It is NaN for large arguments.
    """

    value = lambda x, *, v: special.ive(v, x)
    partials = (_ive_slope,)
    formula = lambda x, *, v: sp.exp(-x) * sp.besseli(sp.nsimplify(v), x)
    domain = {"x": (1e-6, 3e7)}
    examples = [((), {"v": 2})]


j0 = public(J0, "j0", "j0")


j1 = public(J1, "j1", "j1")


y0 = public(Y0, "y0", "y0")


y1 = public(Y1, "y1", "y1")


i0 = public(I0, "i0", "i0", np.i0)


i1 = public(I1, "i1", "i1")


k0 = public(K0, "k0", "k0")


k1 = public(K1, "k1", "k1")


jv = with_constants("jv", Jv, "v")


yv = with_constants("yv", Yv, "v")


iv = with_constants("iv", Iv, "v")


kv = with_constants("kv", Kv, "v")
i0e = public(I0e, "i0e", "i0e")
i1e = public(I1e, "i1e", "i1e")
ive = with_constants("ive", Ive, "v")
yn = with_constants("yn", Yv, "v")
kn = with_constants("kn", Kv, "v")
