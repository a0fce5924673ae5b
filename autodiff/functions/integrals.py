"""Functions that are defined as integrals: exponential, trigonometric, Fresnel, dilogarithm."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf, pi
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise, Function
from autodiff.functions._public import operand, public, with_constants
from autodiff.tensor import Tensor

__all__ = ["exp1", "expi", "expn", "fresnel", "shichi", "sici", "spence"]


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


UFUNCS.update(sici=sici, shichi=shichi, fresnel=fresnel)
