"""Functions that are defined as integrals: exponential, trigonometric, Fresnel, dilogarithm."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from math import inf, pi
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise, Function
from autodiff.functions._examples import SMALL_EXAMPLES
from autodiff.functions._public import operand, public, with_constants
from autodiff.tensor import Tensor

__all__ = [
    "airy",
    "ellipe",
    "ellipk",
    "exp1",
    "expi",
    "expn",
    "fresnel",
    "hyp0f1",
    "lambertw",
    "shichi",
    "sici",
    "spence",
]


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


class Expn(Elementwise):
    """The exponential integral of a constant order ``n >= 1``."""

    value = lambda x, *, n: special.expn(n, x).astype(x.dtype)
    partials = (
        lambda x, *, n: (-special.expn(n - 1, x) if n > 1 else -np.exp(-x) / x).astype(x.dtype),
    )
    formula = lambda x, *, n: sp.expint(n, x)
    domain = {"x": (0, inf)}
    examples = [((2,), {"n": 2}), ((), {"n": 1})]


class Sici(Function):
    """The sine and the cosine integral."""

    domain = {"x": (0, inf)}
    examples = [((2,), {}), ((), {})]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        si, ci = special.sici(x)
        return si, ci

    @staticmethod
    def backward(ctx: Any, grad_si: Any, grad_ci: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (grad_si * np.sin(x) + grad_ci * np.cos(x)) / x

    @staticmethod
    def formula(x: Any) -> Any:
        return np.frompyfunc(sp.Si, 1, 1)(x), np.frompyfunc(sp.Ci, 1, 1)(x)


class Shichi(Function):
    """The hyperbolic sine and cosine integral."""

    domain = {"x": (0, inf)}
    examples = [((2,), {}), ((), {})]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        shi, chi = special.shichi(x)
        return shi, chi

    @staticmethod
    def backward(ctx: Any, grad_shi: Any, grad_chi: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (grad_shi * np.sinh(x) + grad_chi * np.cosh(x)) / x

    @staticmethod
    def formula(x: Any) -> Any:
        return np.frompyfunc(sp.Shi, 1, 1)(x), np.frompyfunc(sp.Chi, 1, 1)(x)


class Fresnel(Function):
    """The Fresnel integrals of ``sin(pi t^2 / 2)`` and ``cos(pi t^2 / 2)``."""

    examples = [((2,), {}), ((), {})]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        s, c = special.fresnel(x)
        return s, c

    @staticmethod
    def backward(ctx: Any, grad_s: Any, grad_c: Any) -> Any:
        (x,) = ctx.saved_tensors
        angle = pi / 2 * x * x
        return grad_s * np.sin(angle) + grad_c * np.cos(angle)

    @staticmethod
    def formula(x: Any) -> Any:
        return np.frompyfunc(sp.fresnels, 1, 1)(x), np.frompyfunc(sp.fresnelc, 1, 1)(x)


def _spence_slope(x: Any) -> Any:
    one = x == 1
    return np.where(one, -1.0, np.log(x) / np.where(one, 1.0, 1 - x))


class Spence(Elementwise):
    """The integral of ``log(t) / (1 - t)`` from 1: the dilogarithm of ``1 - x``."""

    value = lambda x: special.spence(x)
    partials = (lambda x: _spence_slope(x).astype(x.dtype),)
    formula = lambda x: sp.polylog(2, 1 - x)
    domain = {"x": (0, inf)}


def _near_zero(m: Any, a: float, b: float, away: Any) -> Any:
    """The hypergeometric function of a, b and 2 where what the slope is `away` from 0 cancels."""
    near = np.abs(m) < 0.5
    series = special.hyp2f1(a, b, 2.0, np.where(near, m, 0.0)).astype(m.dtype)
    return np.where(near, pi / 8 * series, away(np.where(near, 0.5, m)))


class Ellipk(Elementwise):
    """The complete elliptic integral of the first kind, of the parameter ``m``."""

    value = lambda m: special.ellipk(m)
    partials = (
        lambda m: _near_zero(
            m,
            1.5,
            1.5,
            lambda m: (special.ellipe(m) / (1 - m) - special.ellipk(m)) / (2 * m),
        ),
    )
    formula = lambda m: sp.elliptic_k(m)
    examples = SMALL_EXAMPLES
    domain = {"m": (-inf, 1)}


class Ellipe(Elementwise):
    """The complete elliptic integral of the second kind, of the parameter ``m``."""

    value = lambda m: special.ellipe(m)
    partials = (
        lambda m: (
            -_near_zero(m, 0.5, 1.5, lambda m: (special.ellipk(m) - special.ellipe(m)) / (2 * m))
        ),
    )
    formula = lambda m: sp.elliptic_e(m)
    examples = SMALL_EXAMPLES
    domain = {"m": (-inf, 1)}


class Lambertw(Elementwise):
    """The w with ``w exp(w) = x``: Lambert's function, its principal branch on real numbers."""

    value = lambda x: special.lambertw(x).real.astype(x.dtype)
    # Both forms are right; the first has no digits left far from 0, the second none near it.
    partials = (
        lambda x, out: (
            np.where(out < 0.5, np.exp(-out), out / np.where(out < 0.5, 1.0, x)) / (1 + out)
        ),
    )
    formula = lambda x: sp.LambertW(x)
    examples = SMALL_EXAMPLES
    domain = {"x": (-math.exp(-1), inf)}


# Taylor's coefficients of Ai about a point, by its differential equation y'' = x y.
_AIRY_CENTRE = 1.5
_AIRY = [0.07174949700810541, -0.09738201284230132]  # Ai and Ai' there
for _n in range(18):
    _next = _AIRY_CENTRE * _AIRY[_n] + (_AIRY[_n - 1] if _n else 0)
    _AIRY.append(_next / ((_n + 1) * (_n + 2)))


def _airy(x: Any) -> tuple[Any, Any, Any, Any]:
    """Return what ``special.airy`` does, but Ai in full where that loses up to 40 ulps.

    SciPy takes the difference of two large series up to 2.09.
    """
    ai, aip, bi, bip = special.airy(x)
    step = x - _AIRY_CENTRE
    near = np.abs(step) < 0.625
    step = np.where(near, step, 0)
    value = slope = 0 * step
    for coefficient in reversed(_AIRY):
        slope = slope * step + value
        value = value * step + coefficient
    return np.where(near, value, ai), np.where(near, slope, aip), bi, bip


class Airy(Function):
    """Airy's functions Ai and Bi, each followed by its derivative: Ai, Ai', Bi, Bi'."""

    examples = [((2,), {}), ((), {})]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ai, aip, bi, bip = _airy(x)
        ctx.save_for_backward(x, ai, aip, bi, bip)
        return ai, aip, bi, bip

    @staticmethod
    def backward(ctx: Any, grad_ai: Any, grad_aip: Any, grad_bi: Any, grad_bip: Any) -> Any:
        x, ai, aip, bi, bip = ctx.saved_tensors
        return grad_ai * aip + grad_aip * (x * ai) + grad_bi * bip + grad_bip * (x * bi)

    @staticmethod
    def formula(x: Any) -> Any:
        names = (sp.airyai, sp.airyaiprime, sp.airybi, sp.airybiprime)
        return tuple([np.frompyfunc(name, 1, 1)(x) for name in names])


class Hyp0f1(Elementwise):
    """The confluent hypergeometric limit function, of a constant parameter ``v``."""

    value = lambda z, *, v: special.hyp0f1(v, z)
    partials = (lambda z, *, v: special.hyp0f1(v + 1, z) / v,)
    formula = lambda z, *, v: sp.hyper([], [sp.nsimplify(v)], z)
    examples = [((2,), {"v": 1.5}), ((), {"v": 2.0})]


expi = public(Expi, "expi", "expi")


exp1 = public(Exp1, "exp1", "exp1")


expn = with_constants("expn", Expn, "n")


spence = public(Spence, "spence", "spence")


def sici(x: Any) -> tuple[Tensor, Tensor]:
    """Return the sine and the cosine integral."""
    return Sici.apply(operand(x))  # type: ignore[no-any-return]


def shichi(x: Any) -> tuple[Tensor, Tensor]:
    """Return the hyperbolic sine and cosine integral."""
    return Shichi.apply(operand(x))  # type: ignore[no-any-return]


def fresnel(x: Any) -> tuple[Tensor, Tensor]:
    """Return the Fresnel integrals of the sine and the cosine."""
    return Fresnel.apply(operand(x))  # type: ignore[no-any-return]


ellipk = public(Ellipk, "ellipk", "ellipk")
ellipe = public(Ellipe, "ellipe", "ellipe")
lambertw = public(Lambertw, "lambertw")
hyp0f1 = with_constants("hyp0f1", Hyp0f1, "v")


def airy(x: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return Airy's functions and their derivatives: Ai, Ai', Bi, Bi'."""
    return Airy.apply(operand(x))  # type: ignore[no-any-return]


UFUNCS.update(sici=sici, shichi=shichi, fresnel=fresnel, airy=airy)
