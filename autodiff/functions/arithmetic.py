"""Addition to powers and roots."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Elementwise, Function, Holomorphic, unbroadcast
from autodiff.functions._examples import COMPLEX, REAL_EXAMPLES
from autodiff.functions._public import operand, public
from autodiff.tensor import Tensor

__all__ = [
    "add",
    "cbrt",
    "div",
    "divmod",
    "fmod",
    "ldexp",
    "modf",
    "mul",
    "neg",
    "positive",
    "power",
    "reciprocal",
    "remainder",
    "sqrt",
    "square",
    "sub",
]


# The shapes that are tried where nothing is said, and complex numbers, also beside real ones.
_PAIRS = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((), (3,)),
    ((2, 1), (1, 3)),
    (COMPLEX, (2,)),
    ((1,), COMPLEX),
    (COMPLEX, COMPLEX[::-1]),
]


def _parts(ctx: Any, of_x: Any, of_y: Any) -> tuple[Any, Any]:
    """Of each gradient the real part, where its argument is real beside a complex one."""
    x, y = ctx.real
    return of_x.real if x else of_x, of_y.real if y else of_y


class Add(Function):
    """The sum ``x + y``."""

    elementwise = True
    examples = _PAIRS

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        out = x + y
        ctx.shapes = getattr(x, "shape", ()), getattr(y, "shape", ())
        ctx.real = out.dtype.kind == "c" and (not np.iscomplexobj(x), not np.iscomplexobj(y))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        first, second = ctx.needs_input_grad
        of_x, of_y = _parts(ctx, grad, grad) if ctx.real else (grad, grad)
        return (
            unbroadcast(of_x, ctx.shapes[0]) if first else None,
            unbroadcast(of_y, ctx.shapes[1]) if second else None,
        )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return x + y


class Sub(Function):
    """The difference ``x - y``."""

    elementwise = True
    examples = _PAIRS

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        out = x - y
        ctx.shapes = getattr(x, "shape", ()), getattr(y, "shape", ())
        ctx.real = out.dtype.kind == "c" and (not np.iscomplexobj(x), not np.iscomplexobj(y))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        first, second = ctx.needs_input_grad
        of_x, of_y = _parts(ctx, grad, grad) if ctx.real else (grad, grad)
        return (
            unbroadcast(of_x, ctx.shapes[0]) if first else None,
            unbroadcast(-of_y, ctx.shapes[1]) if second else None,
        )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return x - y


class Mul(Function):
    """The product ``x * y``."""

    elementwise = True
    examples = _PAIRS

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        first, second = ctx.needs_input_grad
        if grad.dtype.kind == "c":
            return (
                unbroadcast(grad * y.conjugate(), x.shape, x.dtype) if first else None,
                unbroadcast(grad * x.conjugate(), y.shape, y.dtype) if second else None,
            )
        return (
            unbroadcast(grad * y, x.shape) if first else None,
            unbroadcast(grad * x, y.shape) if second else None,
        )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return x * y


class Div(Function):
    """The quotient ``x / y``."""

    elementwise = True
    examples = _PAIRS

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        out = x / y
        ctx.shapes = getattr(x, "shape", ()), getattr(y, "shape", ())
        ctx.real = out.dtype.kind == "c" and (not np.iscomplexobj(x), not np.iscomplexobj(y))
        ctx.save_for_backward(y, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        y, out = ctx.saved_tensors
        first, second = ctx.needs_input_grad
        of_x = grad / y.conjugate()
        # Not -x / y**2, which overflows where the quotient does not.
        of_y = -of_x * out.conjugate() if second else of_x
        if ctx.real:
            of_x, of_y = _parts(ctx, of_x, of_y)
        return (
            unbroadcast(of_x, ctx.shapes[0]) if first else None,
            unbroadcast(of_y, ctx.shapes[1]) if second else None,
        )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return x / y


class Remainder(Elementwise):
    """What is left of ``x`` after whole multiples of ``y``, with the sign of ``y``.

    Where it is 0 it jumps; the derivative there is that of one side.
    """

    value = lambda x, y: np.remainder(x, y)
    partials = (lambda: 1, lambda x, y: -np.floor(x / y))
    formula = lambda x, y: x - y * sp.floor(x / y)


class Fmod(Elementwise):
    """What is left of ``x`` after whole multiples of ``y``, with the sign of ``x``."""

    value = lambda x, y: np.fmod(x, y)
    partials = (lambda: 1, lambda x, y: -np.trunc(x / y))
    formula = lambda x, y: x - y * sp.sign(x) * sp.sign(y) * sp.floor(sp.Abs(x) / sp.Abs(y))


class Neg(Elementwise):
    """The negative ``-x``."""

    value = lambda x: -x
    partials = (lambda: -1,)
    formula = lambda x: -x


class Pow(Holomorphic):
    """The power ``x**exponent`` with a constant exponent.

    The derivative of ``x**0`` is 0, at 0 as well.
    """

    value = lambda x, *, exponent: x**exponent
    partials = (
        # x**1 * 0 and not 0 * x**-1, which is NaN at 0.
        lambda x, *, exponent: exponent * x ** (exponent - 1 if exponent else 1),
    )
    formula = lambda x, *, exponent: x ** sp.nsimplify(exponent)
    examples = [
        ((2, 2), {"exponent": 2}),
        ((3,), {"exponent": 3}),
        ((3,), {"exponent": 1}),
        ((3,), {"exponent": 0}),
        ((), {"exponent": -2}),
        ((0, 2), {"exponent": 2}),
    ]


class Power(Holomorphic):
    """The power ``x**y`` of a base that is not negative.

    Where ``x`` is 0 the derivative in ``y`` is 0 (for ``y > 0``); where ``y`` is 0 that in ``x`` is
    0, at ``x = 0`` as well. The derivative in ``y`` is NaN where ``x`` is negative.
    """

    value = lambda x, y: x**y
    partials = (
        # 0**0 alone is spared: its exponent y - 1 is no power of 0, and next to it there is one.
        lambda x, y: y * x ** np.where((y == 0) & (x == 0), 1, y - 1),
        lambda x, out: out * np.log(np.where(x == 0, 1, x)),
    )
    formula = lambda x, y: x**y
    domain = {"x": (0, inf)}
    examples = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((), (3,)), ((2, 1), (1, 3))]


class Reciprocal(Holomorphic):
    """The reciprocal ``1 / x``."""

    value = lambda x: 1 / x
    partials = (lambda out: -out * out,)
    formula = lambda x: 1 / x


class Square(Holomorphic):
    """The square ``x**2``."""

    value = lambda x: np.square(x)
    partials = (lambda x: 2 * x,)
    formula = lambda x: x**2


class Sqrt(Holomorphic):
    """The square root; its derivative at 0 is infinite."""

    value = lambda x: np.sqrt(x)
    partials = (lambda out: 0.5 / out,)
    formula = lambda x: sp.sqrt(x)
    examples = REAL_EXAMPLES
    domain = {"x": (0, inf)}


class Cbrt(Elementwise):
    """The real cube root, of negative numbers too; its derivative at 0 is infinite."""

    value = lambda x: np.cbrt(x)
    partials = (lambda out: 1 / (3 * out * out),)
    formula = lambda x: sp.sign(x) * sp.Abs(x) ** sp.Rational(1, 3)


add = public(Add, "add", np.add)
sub = public(Sub, "sub", np.subtract)
mul = public(Mul, "mul", np.multiply)
div = public(Div, "div", np.divide)
remainder = public(Remainder, "remainder", np.remainder)
fmod = public(Fmod, "fmod", np.fmod)
neg = public(Neg, "neg", np.negative)
reciprocal = public(Reciprocal, "reciprocal", np.reciprocal)
square = public(Square, "square", np.square)
sqrt = public(Sqrt, "sqrt", np.sqrt)
cbrt = public(Cbrt, "cbrt", np.cbrt)


@implements(np.power, np.float_power)
def power(x: Any, y: Any) -> Tensor:
    """Return ``x**y``.

    Parameters
    ----------
    x : Tensor or array_like
        Where ``y`` is no constant: not negative.
    y : Tensor, array_like or float

    Returns
    -------
    Tensor
        The derivative in ``x`` is 0 where ``y`` is 0, and that in ``y`` where ``x`` is 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.power(ad.tensor([1.0, 2.0]), 3)
    tensor([1., 8.])
    """
    if isinstance(y, (int, float)):
        return Pow.apply(operand(x), exponent=y)  # type: ignore[no-any-return]
    return Power.apply(x if isinstance(x, (int, float)) else operand(x), operand(y))  # type: ignore[no-any-return]


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


@implements(np.modf)
def modf(x: Any) -> tuple[Tensor, Any]:
    """Return what is left of numbers after their whole part, and that, which has no gradient."""
    x = operand(x)
    whole = np.trunc(np.asarray(getattr(x, "_data", x)))
    return x - whole, Tensor._make(whole, None)


@implements(np.divmod)
def divmod(x: Any, y: Any) -> tuple[Any, Tensor]:
    """Return the whole quotient, which has no gradient, and the remainder."""
    return np.floor_divide(x, y), remainder(x, y)
