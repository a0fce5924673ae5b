"""Functions of ``scipy.special`` that are integrals, and transformations of variables."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from math import inf, pi
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS, implements
from autodiff.function import Elementwise, Function
from autodiff.functions._public import operand, public
from autodiff.functions.special import TWO_OVER_SQRT_PI, with_constants
from autodiff.tensor import Tensor

LOG10 = math.log(10)


class Exp10(Elementwise):
    """The power ``10**x``."""

    value = lambda x: special.exp10(x)
    partials = (lambda out: out * LOG10,)
    formula = lambda x: sp.Integer(10) ** x


class Erfi(Elementwise):
    """The imaginary error function ``-i erf(i x)``."""

    value = lambda x: special.erfi(x)
    partials = (lambda x: TWO_OVER_SQRT_PI * np.exp(x * x),)
    formula = lambda x: sp.erfi(x)


class Rgamma(Elementwise):
    """One over the gamma function."""

    value = lambda x: special.rgamma(x)
    partials = (lambda x, out: -out * special.digamma(x),)
    formula = lambda x: 1 / sp.gamma(x)
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


class PseudoHuber(Elementwise):
    """``delta^2 (sqrt(1 + (x / delta)^2) - 1)`` of a constant ``delta > 0``."""

    value = lambda x, *, delta: special.pseudo_huber(delta, x).astype(x.dtype)
    partials = (lambda x, *, delta: x / np.hypot(1, x / delta),)
    formula = lambda x, *, delta: (
        sp.nsimplify(delta) ** 2 * (sp.sqrt(1 + (x / sp.nsimplify(delta)) ** 2) - 1)
    )
    examples = [((2,), {"delta": 1.0}), ((), {"delta": 0.5})]


class Boxcox(Elementwise):
    """``(x**lmbda - 1) / lmbda`` of a constant ``lmbda``; the logarithm where that is 0."""

    value = lambda x, *, lmbda: special.boxcox(x, lmbda).astype(x.dtype)
    partials = (lambda x, *, lmbda: x ** (lmbda - 1),)
    formula = lambda x, *, lmbda: (
        (x ** sp.nsimplify(lmbda) - 1) / sp.nsimplify(lmbda) if lmbda else sp.log(x)
    )
    domain = {"x": (0, inf)}
    examples = [((2,), {"lmbda": 0.5}), ((), {"lmbda": 0}), ((2,), {"lmbda": 2})]


class Fmod(Elementwise):
    """What is left of ``x`` after whole multiples of ``y``, with the sign of ``x``."""

    value = lambda x, y: np.fmod(x, y)
    partials = (lambda: 1, lambda x, y: -np.trunc(x / y))
    formula = lambda x, y: x - y * sp.sign(x) * sp.sign(y) * sp.floor(sp.Abs(x) / sp.Abs(y))


class Hardsigmoid(Elementwise):
    """``x / 6 + 1/2`` limited to [0, 1]; its derivative at the bounds is taken to be 0."""

    value = lambda x: np.minimum(np.maximum(x + 3, 0), 6) / 6
    partials = (lambda x: np.where((x > -3) & (x < 3), np.ones_like(x), 0) / 6,)
    formula = lambda x: sp.Min(sp.Max(x + 3, 0), 6) / 6


class Hardswish(Elementwise):
    """``x * hardsigmoid(x)``; its derivative at the bounds is taken from outside."""

    value = lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6
    partials = (lambda x: np.where(x <= -3, 0, np.where(x >= 3, np.ones_like(x), x / 3 + 0.5)),)
    formula = lambda x: x * sp.Min(sp.Max(x + 3, 0), 6) / 6


class Softshrink(Elementwise):
    """``x`` moved towards 0 by ``lambd``; 0 within, where the derivative is 0, ends included."""

    value = lambda x, *, lambd=0.5: np.where(
        x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0)
    )
    partials = (lambda x, *, lambd=0.5: np.abs(x) > lambd,)
    formula = lambda x, *, lambd=0.5: sp.sign(x) * sp.Max(sp.Abs(x) - sp.nsimplify(lambd), 0)


exp10 = public(Exp10, "exp10", "exp10")
erfi = public(Erfi, "erfi", "erfi")
rgamma = public(Rgamma, "rgamma", "rgamma")
spence = public(Spence, "spence", "spence")
fmod = public(Fmod, "fmod", np.fmod)
hardsigmoid = public(Hardsigmoid, "hardsigmoid")
hardswish = public(Hardswish, "hardswish")
softshrink = public(Softshrink, "softshrink")
expn = with_constants("expn", Expn, "n")
pseudo_huber = with_constants("pseudo_huber", PseudoHuber, "delta")


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


def boxcox(x: Any, lmbda: float) -> Tensor:
    """Return the transformation of Box and Cox, of a constant `lmbda`."""
    if isinstance(lmbda, Tensor):
        if lmbda._requires_grad:
            raise NotImplementedError("the derivative of boxcox in lmbda is not known: detach it")
        lmbda = lmbda.item()
    return Boxcox.apply(operand(x), lmbda=lmbda)  # type: ignore[no-any-return]


UFUNCS["boxcox"] = boxcox


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return the entries limited to ``[min_val, max_val]``."""
    from autodiff.functions.comparison import clip

    return clip(x, min=min_val, max=max_val)


def prelu(x: Any, weight: Any) -> Tensor:
    """Return ``x`` above 0 and ``weight * x`` below."""
    x = operand(x)
    return np.where(x > 0, x, weight * x)  # type: ignore[no-any-return]


def glu(x: Any, dim: int = -1) -> Tensor:
    """Return the first half of an axis times the sigmoid of the second."""
    from autodiff.functions.activation import sigmoid
    from autodiff.functions.shape import split

    first, second = split(x, 2, dim)
    return first * sigmoid(second)


def softmin(x: Any, dim: int = -1) -> Tensor:
    """Return ``softmax(-x)`` along an axis."""
    from autodiff.functions.activation import softmax

    return softmax(-operand(x), dim)


@implements(np.positive)
def positive(x: Any) -> Tensor:
    """Return the entries as they are."""
    return operand(x)  # type: ignore[no-any-return]


@implements(np.ldexp)
def ldexp(x: Any, n: Any) -> Tensor:
    """Return ``x * 2**n`` for whole `n`, which has no gradient."""
    x = operand(x)
    exponent = np.asarray(getattr(n, "_data", n))
    return x * np.ldexp(np.ones((), x.dtype), exponent)  # type: ignore[no-any-return]
