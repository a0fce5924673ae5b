"""Functions that compare: absolute value, maximum and minimum, clip, where.

At a kink each chooses an element of the generalised gradient, named in its docstring.
"""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Elementwise, Function, Holomorphic, unbroadcast
from autodiff.functions._examples import COMPLEX, REAL_EXAMPLES
from autodiff.functions._public import operand, public
from autodiff.tensor import Tensor

__all__ = ["abs", "clip", "maximum", "minimum", "sign", "where"]


class Abs(Elementwise):
    """The absolute value; its derivative at 0 is taken to be 0."""

    value = lambda x: np.abs(x)
    partials = (lambda x: np.sign(x),)
    formula = lambda x: sp.Abs(x)
    examples = Holomorphic.examples


class Sign(Function):
    """The sign: -1, 0 or 1, whose derivative is 0; ``x / abs(x)`` of complex numbers.

    At 0 it jumps.
    """

    elementwise = True
    examples = REAL_EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.sign(x)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        if x.dtype.kind != "c":
            return np.zeros_like(grad)
        # What turns the number counts, not what stretches it.
        turn = np.imag(grad * np.conjugate(out))
        return 1j * turn * out / np.abs(np.where(x == 0, 1, x))

    @staticmethod
    def formula(x: Any) -> Any:
        # SymPy parts the sign of a complex number; the quotient stays one expression.
        return sp.sign(x) if x.is_real else x / sp.Abs(x)


def _shares(x: Any, y: Any, grad: Any) -> tuple[Any, Any]:
    """Give `grad` to the one of `x` and `y` that is larger, half of it to each if they tie."""
    half = np.where(x == y, grad / 2, np.zeros_like(grad))
    return np.where(x > y, grad, half), np.where(x < y, grad, half)


class Maximum(Function):
    """The larger of ``x`` and ``y``; where they tie, each gets half of the gradient."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return np.maximum(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        first, second = _shares(x, y, grad)
        return unbroadcast(first, np.shape(x)), unbroadcast(second, np.shape(y))

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return sp.Max(x, y)


class Minimum(Function):
    """The smaller of ``x`` and ``y``; where they tie, each gets half of the gradient."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return np.minimum(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        second, first = _shares(x, y, grad)
        return unbroadcast(first, np.shape(x)), unbroadcast(second, np.shape(y))

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        return sp.Min(x, y)


class Clip(Function):
    """``x`` limited to ``[min, max]``; the derivative at a bound is taken to be 1."""

    examples = [
        ((), {"min": -0.5, "max": 0.75}),
        ((2, 3), {"min": -0.5, "max": 0.75}),
        ((3,), {"min": 0.25}),
        ((3,), {"max": 0.25}),
        ((2, 2), {"min": np.array([-1.0, 0.0]), "max": np.array([1.0, 0.5])}),
        ((0,), {"min": 0.0, "max": 1.0}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, min: Any = None, max: Any = None) -> Any:
        ctx.bounds = min, max
        ctx.save_for_backward(x)
        out = x if min is None else np.maximum(x, min)
        return out if max is None else np.minimum(out, max)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        low, high = ctx.bounds
        out = grad
        if low is not None:
            out = np.where(x >= low, out, 0)
        if high is not None:
            out = np.where(x <= high, out, 0)
        return unbroadcast(out, x.shape)

    @staticmethod
    def formula(x: Any, *, min: Any = None, max: Any = None) -> Any:
        def clipped(entry: Any, low: Any, high: Any) -> Any:
            entry = entry if low is None else sp.Max(entry, low)
            return entry if high is None else sp.Min(entry, high)

        return np.frompyfunc(clipped, 3, 1)(x, min, max)


class Where(Function):
    """``x`` where the condition holds, elsewhere ``y``."""

    examples = [
        ((), (), {"condition": True}),
        ((3,), (3,), {"condition": np.array([True, False, True])}),
        ((2, 1), (3,), {"condition": np.array([[True], [False]])}),
        ((2,), (), {"condition": np.array([False, True])}),
        ((0, 2), (2,), {"condition": np.array([False, True])}),
        (COMPLEX, (2,), {"condition": np.array([False, True])}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, condition: Any) -> Any:
        ctx.condition = condition
        ctx.shapes = getattr(x, "shape", ()), getattr(y, "shape", ())
        ctx.dtypes = getattr(x, "dtype", None), getattr(y, "dtype", None)
        return np.where(condition, x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x, y), (kind_x, kind_y) = ctx.shapes, ctx.dtypes
        return (
            unbroadcast(np.where(ctx.condition, grad, 0), x, kind_x),
            unbroadcast(np.where(ctx.condition, 0, grad), y, kind_y),
        )

    @staticmethod
    def formula(x: Any, y: Any, *, condition: Any) -> Any:
        return np.frompyfunc(lambda c, a, b: a if c else b, 3, 1)(condition, x, y)


abs = public(Abs, "abs", np.absolute, np.fabs)
sign = public(Sign, "sign", np.sign)
maximum = public(Maximum, "maximum", np.maximum)
minimum = public(Minimum, "minimum", np.minimum)


@implements(np.clip)
def clip(
    x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Tensor:
    """Limit the entries of `x` to ``[min, max]``.

    Parameters
    ----------
    x : Tensor
    min, max : float, array or Tensor, optional
        The bounds; ``None`` for no bound. Tensors that require a gradient get one.

    Returns
    -------
    Tensor
        The derivative in `x` at a bound is 1.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.clip(ad.tensor([-2.0, 0.5, 2.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    low = a_min if min is None else min
    high = a_max if max is None else max
    x = operand(x)
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        out: Any = x if low is None else Maximum.apply(x, low)
        return out if high is None else Minimum.apply(out, high)
    return Clip.apply(x, min=low, max=high)  # type: ignore[no-any-return]


@implements(np.where)
def where(condition: Any, x: Any, y: Any) -> Tensor:
    """Choose from `x` where `condition` holds, elsewhere from `y`.

    Parameters
    ----------
    condition : array_like of bool
    x, y : Tensor or array_like
        They broadcast with the condition.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.tensor([-1.0, 2.0])
    >>> ad.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if isinstance(condition, Tensor):
        condition = condition._data
    return Where.apply(x, y, condition=condition)  # type: ignore[no-any-return]
