"""Activations and losses of neural networks, by torch's names."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise, Function
from autodiff.functions._axes import along
from autodiff.functions._public import operand, public
from autodiff.functions.comparison import clip
from autodiff.functions.joining import split
from autodiff.functions.reduction import log_total
from autodiff.tensor import Tensor

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
]

SQRT_HALF = math.sqrt(0.5)
NORMAL_PEAK = 1 / math.sqrt(2 * math.pi)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
GELU_SLOPE = 2 * math.sqrt(2 / math.pi)


class Sigmoid(Elementwise):
    """``1 / (1 + exp(-x))``."""

    value = lambda x: special.expit(x)
    # out * (1 - out) has no digits left at 37.
    partials = (lambda x: special.expit(x) * special.expit(-x),)
    formula = lambda x: 1 / (1 + sp.exp(-x))


class Logsigmoid(Elementwise):
    """``log(sigmoid(x))``, without overflow."""

    value = lambda x: -np.logaddexp(0, -x)
    partials = (lambda x: special.expit(-x),)
    formula = lambda x: -sp.log(1 + sp.exp(-x))


class Softplus(Elementwise):
    """``log(1 + exp(beta x)) / beta``, without overflow."""

    value = lambda x, *, beta=1: np.logaddexp(0, beta * x) / beta
    partials = (lambda x, *, beta=1: special.expit(beta * x),)
    formula = lambda x, *, beta=1: sp.log(1 + sp.exp(beta * x)) / beta


class Relu(Elementwise):
    """``max(x, 0)``; its derivative at 0 is taken to be 0."""

    value = lambda x: np.maximum(x, 0)
    partials = (lambda x: x > 0,)
    formula = lambda x: sp.Max(x, 0)


class Relu6(Elementwise):
    """``min(max(x, 0), 6)``; its derivative at 0 and 6 is taken to be 0."""

    value = lambda x: np.minimum(np.maximum(x, 0), 6)
    partials = (lambda x: (x > 0) & (x < 6),)
    formula = lambda x: sp.Min(sp.Max(x, 0), 6)


class LeakyRelu(Elementwise):
    """``x`` above 0 and ``negative_slope * x`` below; its derivative at 0 is the latter's."""

    value = lambda x, *, negative_slope=0.01: np.where(x > 0, x, negative_slope * x)
    partials = (lambda x, *, negative_slope=0.01: np.where(x > 0, np.ones_like(x), negative_slope),)
    formula = lambda x, *, negative_slope=0.01: sp.Piecewise(
        (x, x > 0), (sp.nsimplify(negative_slope) * x, True)
    )


class Elu(Elementwise):
    """``x`` above 0 and ``alpha (exp(x) - 1)`` below; its derivative at 0 is the latter's."""

    value = lambda x, *, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0, x)))
    partials = (
        lambda x, *, alpha=1.0: np.where(
            x > 0, np.ones_like(x), alpha * np.exp(np.where(x > 0, 0, x))
        ),
    )
    formula = lambda x, *, alpha=1.0: sp.Piecewise(
        (x, x > 0), (sp.nsimplify(alpha) * (sp.exp(x) - 1), True)
    )


class Selu(Elementwise):
    """``scale * elu(x, alpha)``, with torch's constants; at 0 the derivative from below."""

    value = lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.where(x > 0, 0, x)))
    partials = (
        lambda x: (
            SELU_SCALE
            * np.where(x > 0, np.ones_like(x), SELU_ALPHA * np.exp(np.where(x > 0, 0, x)))
        ),
    )
    formula = lambda x: (
        sp.Rational(SELU_SCALE)
        * sp.Piecewise((x, x > 0), (sp.Rational(SELU_ALPHA) * (sp.exp(x) - 1), True))
    )


class Celu(Elementwise):
    """``x`` above 0 and ``alpha (exp(x / alpha) - 1)`` below."""

    value = lambda x, *, alpha=1.0: np.where(
        x > 0, x, alpha * np.expm1(np.where(x > 0, 0, x) / alpha)
    )
    partials = (
        lambda x, *, alpha=1.0: np.where(
            x > 0, np.ones_like(x), np.exp(np.where(x > 0, 0, x) / alpha)
        ),
    )
    formula = lambda x, *, alpha=1.0: sp.Piecewise(
        (x, x > 0), (sp.nsimplify(alpha) * (sp.exp(x / sp.nsimplify(alpha)) - 1), True)
    )


class Silu(Elementwise):
    """``x * sigmoid(x)``."""

    value = lambda x: x * special.expit(x)
    partials = (lambda x: special.expit(x) * (1 + x * special.expit(-x)),)
    formula = lambda x: x / (1 + sp.exp(-x))


class Gelu(Elementwise):
    """``x`` times the normal distribution function at ``x``.

    That is by the complementary error function: 1 + erf keeps no digits in the left tail.
    """

    value = lambda x: 0.5 * x * special.erfc(-SQRT_HALF * x)
    partials = (
        lambda x: 0.5 * special.erfc(-SQRT_HALF * x) + NORMAL_PEAK * x * np.exp(-0.5 * x * x),
    )
    formula = lambda x: x * sp.erfc(-x / sp.sqrt(2)) / 2


def _gelu_argument(x: Any) -> Any:
    return GELU_SLOPE * (x + 0.044715 * x**3)


def _gelu_slope(x: Any) -> Any:
    u = _gelu_argument(x)
    bend = x * GELU_SLOPE * (1 + 3 * 0.044715 * x**2)
    return special.expit(u) * (1 + bend * special.expit(-u))


class GeluTanh(Elementwise):
    """torch's approximation of `Gelu`: ``x (1 + tanh(u)) / 2``, ``u`` a cubic polynomial."""

    value = lambda x: x * special.expit(_gelu_argument(x))
    partials = (_gelu_slope,)
    formula = lambda x: (
        x / (1 + sp.exp(-2 * sp.sqrt(2 / sp.pi) * (x + sp.Rational("0.044715") * x**3)))
    )


def _mish_slope(x: Any) -> Any:
    s = np.logaddexp(0, x)
    bend = 4 * special.expit(2 * s) * special.expit(-2 * s) * special.expit(x)
    return np.tanh(s) + x * bend


class Mish(Elementwise):
    """``x * tanh(softplus(x))``."""

    value = lambda x: x * np.tanh(np.logaddexp(0, x))
    partials = (_mish_slope,)
    formula = lambda x: x * sp.tanh(sp.log(1 + sp.exp(x)))


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


class Hardshrink(Elementwise):
    """``x`` where it is further than ``lambd`` from 0, and 0 within, where the derivative is 0."""

    value = lambda x, *, lambd=0.5: np.where(np.abs(x) > lambd, x, 0)
    partials = (lambda x, *, lambd=0.5: np.abs(x) > lambd,)
    formula = lambda x, *, lambd=0.5: sp.Piecewise((x, sp.Abs(x) > sp.nsimplify(lambd)), (0, True))


class Softshrink(Elementwise):
    """``x`` moved towards 0 by ``lambd``; 0 within, where the derivative is 0, ends included."""

    value = lambda x, *, lambd=0.5: np.where(
        x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0)
    )
    partials = (lambda x, *, lambd=0.5: np.abs(x) > lambd,)
    formula = lambda x, *, lambd=0.5: sp.sign(x) * sp.Max(sp.Abs(x) - sp.nsimplify(lambd), 0)


class Softsign(Elementwise):
    """``x / (1 + |x|)``."""

    value = lambda x: x / (1 + np.abs(x))
    partials = (lambda x: 1 / (1 + np.abs(x)) / (1 + np.abs(x)),)
    formula = lambda x: x / (1 + sp.Abs(x))


_SOFTMAX_EXAMPLES: list[Any] = [
    ((3,), {"axis": -1}),
    ((2, 2), {"axis": 0}),
    ((2, 3), {"axis": 1}),
    ((2, 1), {"axis": -1}),
    ((0, 2), {"axis": -1}),
]


class Softmax(Function):
    """``exp(x) / sum(exp(x))`` along an axis."""

    examples = _SOFTMAX_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int) -> Any:
        ctx.axis = axis
        if not x.size:
            return np.exp(x)
        ctx.top = np.argmax(x, axis=axis, keepdims=True)
        weights = np.exp(x - np.take_along_axis(x, ctx.top, axis=axis))
        out = weights / np.sum(weights, axis=axis, keepdims=True)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if 0 in grad.shape:
            return grad
        (out,) = ctx.saved_tensors
        # Only differences of gradients count. Those to the gradient of the largest weight keep
        # the digits where that weight is nearly 1.
        apart = grad - np.take_along_axis(grad, ctx.top, axis=ctx.axis)
        return out * (apart - np.sum(apart * out, axis=ctx.axis, keepdims=True))

    @staticmethod
    def formula(x: Any, *, axis: int) -> Any:
        def rule(row: list[Any]) -> list[Any]:
            return [sp.exp(entry) / sp.Add(*map(sp.exp, row)) for entry in row]

        return along(rule, x, axis)


class LogSoftmax(Function):
    """``x - logsumexp(x)`` along an axis; a value near 0 keeps its digits."""

    examples = _SOFTMAX_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int) -> Any:
        ctx.axis = axis
        if not x.size:
            return np.exp(x)
        base, rest, ctx.mask = log_total(x, (axis % x.ndim,))
        out = (x - base) - rest
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if 0 in grad.shape:
            return grad
        (out,) = ctx.saved_tensors
        axis, mask = ctx.axis, ctx.mask
        total = np.sum(grad, axis=axis, keepdims=True)
        others = np.sum(np.where(mask, 0, grad), axis=axis, keepdims=True)
        # 1 - exp(out) is the weight of the others: for the largest entry by expm1, with all digits.
        top = -grad * np.expm1(out) - np.exp(out) * others
        return np.where(mask, top, grad - np.exp(out) * total)

    @staticmethod
    def formula(x: Any, *, axis: int) -> Any:
        def rule(row: list[Any]) -> list[Any]:
            return [entry - sp.log(sp.Add(*map(sp.exp, row))) for entry in row]

        return along(rule, x, axis)


hardsigmoid = public(Hardsigmoid, "hardsigmoid")
hardswish = public(Hardswish, "hardswish")
hardshrink = public(Hardshrink, "hardshrink")
softshrink = public(Softshrink, "softshrink")
sigmoid = public(Sigmoid, "sigmoid", "expit")
logsigmoid = public(Logsigmoid, "logsigmoid", "log_expit")
softplus = public(Softplus, "softplus")
relu = public(Relu, "relu")
relu6 = public(Relu6, "relu6")
elu = public(Elu, "elu")
selu = public(Selu, "selu")
celu = public(Celu, "celu")
silu = public(Silu, "silu")
mish = public(Mish, "mish")
softsign = public(Softsign, "softsign")


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """Return ``x`` above 0 and ``negative_slope * x`` below."""
    return LeakyRelu.apply(operand(x), negative_slope=negative_slope)  # type: ignore[no-any-return]


def gelu(x: Any, approximate: str = "none") -> Tensor:
    """Return ``x`` times the normal distribution function at ``x``.

    Parameters
    ----------
    x : Tensor
    approximate : {'none', 'tanh'}
        Whether to use torch's approximation by tanh.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r}")
    return (Gelu if approximate == "none" else GeluTanh).apply(operand(x))  # type: ignore[no-any-return]


def softmax(x: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """Return ``exp(x) / sum(exp(x))`` along an axis (the last one, where none is named)."""
    return Softmax.apply(operand(x), axis=_which(dim, axis))  # type: ignore[no-any-return]


def log_softmax(x: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """Return ``log(softmax(x))`` along an axis (the last one, where none is named)."""
    return LogSoftmax.apply(operand(x), axis=_which(dim, axis))  # type: ignore[no-any-return]


def _which(dim: int | None, axis: int | None) -> int:
    if dim is not None:
        return dim
    return -1 if axis is None else axis


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return the entries limited to ``[min_val, max_val]``."""
    return clip(x, min=min_val, max=max_val)


def prelu(x: Any, weight: Any) -> Tensor:
    """Return ``x`` above 0 and ``weight * x`` below."""
    x = operand(x)
    return np.where(x > 0, x, weight * x)  # type: ignore[no-any-return]


def glu(x: Any, dim: int = -1) -> Tensor:
    """Return the first half of an axis times the sigmoid of the second."""

    first, second = split(x, 2, dim)
    return first * sigmoid(second)


def softmin(x: Any, dim: int = -1) -> Tensor:
    """Return ``softmax(-x)`` along an axis."""
    return softmax(-operand(x), dim)
