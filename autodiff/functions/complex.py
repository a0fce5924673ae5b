"""Complex numbers: parts, conjugates, angles.

The gradient of a real result in a complex number is torch's: the derivative in the real part plus i
times that in the imaginary part (the conjugate Wirtinger derivative, twice). For a holomorphic
function it is the upstream gradient times the conjugate of the derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._public import operand
from autodiff.tensor import Tensor

__all__ = ["angle", "complex", "conj", "imag", "polar", "real"]

_COMPLEX = np.array([1.5 + 0.5j, -0.25 + 2.0j])


class Real(Function):
    """The real part."""

    elementwise = True
    examples = [(_COMPLEX,), ((2,),), ((),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.dtype_in = x.dtype
        return np.real(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.astype(ctx.dtype_in)

    @staticmethod
    def formula(x: Any) -> Any:
        return sp.re(x)


class Imag(Function):
    """The imaginary part."""

    elementwise = True
    examples = [(_COMPLEX,)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return np.imag(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return 1j * grad

    @staticmethod
    def formula(x: Any) -> Any:
        return sp.im(x)


class Conj(Function):
    """The complex conjugate."""

    elementwise = True
    examples = [(_COMPLEX,), ((2,),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return np.conjugate(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.conjugate(grad)

    @staticmethod
    def formula(x: Any) -> Any:
        return sp.conjugate(x)


class Angle(Function):
    """The angle of a complex number, which jumps on the negative real axis."""

    elementwise = True
    examples = [(_COMPLEX,)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return np.angle(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (1j * x / np.abs(x) / np.abs(x))

    @staticmethod
    def formula(x: Any) -> Any:
        return sp.arg(x)


@implements(np.real)
def real(x: Any) -> Tensor:
    """Return the real part (a real tensor as it is)."""
    x = operand(x)
    if isinstance(x, Tensor) and x.dtype.kind != "c":
        return x
    return Real.apply(x)  # type: ignore[no-any-return]


@implements(np.imag)
def imag(x: Any) -> Tensor:
    """Return the imaginary part (zeros, of a real tensor)."""
    x = operand(x)
    if x.dtype.kind != "c":
        return Tensor._make(np.zeros(x.shape, x.dtype), None)
    return Imag.apply(x)  # type: ignore[no-any-return]


@implements(np.conjugate)
def conj(x: Any) -> Tensor:
    """Return the complex conjugate (a real tensor as it is)."""
    x = operand(x)
    if isinstance(x, Tensor) and x.dtype.kind != "c":
        return x
    return Conj.apply(x)  # type: ignore[no-any-return]


@implements(np.angle)
def angle(x: Any, deg: bool = False) -> Tensor:
    """Return the angle of complex numbers (0 or pi, without a gradient, of real ones)."""
    x = operand(x)
    if x.dtype.kind != "c":
        out = Tensor._make(np.angle(np.asarray(getattr(x, "_data", x))), None)
    else:
        out = Angle.apply(x)
    return out * (180 / np.pi) if deg else out


def complex(real: Any, imag: Any) -> Tensor:
    """Return ``real + 1j * imag``."""
    return operand(real) + operand(imag) * 1j  # type: ignore[no-any-return]


def polar(abs: Any, angle: Any) -> Tensor:
    """Return the complex numbers with these absolute values and angles."""
    size, turn = operand(abs), operand(angle)
    return complex(size * np.cos(turn), size * np.sin(turn))
