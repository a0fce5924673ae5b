"""Fourier transforms (``numpy.fft``), of real and complex arrays, with every norm.

A transform is linear, so its gradient is its adjoint: the inverse transform, with the scale on the
other side, cut or filled with zeros to the length of the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._axes import along
from autodiff.functions._public import operand
from autodiff.functions.complex import conj
from autodiff.functions.rearranging import roll
from autodiff.tensor import Tensor

__all__ = [
    "fft",
    "fft2",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftn",
]

_SWAPPED: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


def _fitted(x: Any, length: int, axis: int) -> Any:
    """Cut an axis, or fill it with zeros at its end, to this length."""
    have = x.shape[axis]
    if have > length:
        return x[(*[slice(None)] * (axis % x.ndim), slice(0, length))]
    if have < length:
        widths = [(0, 0)] * x.ndim
        widths[axis] = (0, length - have)
        return np.pad(x, widths)
    return x


def _scale(n: int, norm: str | None, inverse: bool) -> Any:
    if norm == "ortho":
        return 1 / sp.sqrt(n)
    return sp.Rational(1, n) if inverse == (norm in (None, "backward")) else sp.Integer(1)


def _transform(row: list[Any], n: int | None, norm: str | None, inverse: bool) -> list[Any]:
    """The definition, as sums over roots of unity (for formulas)."""
    n = len(row) if n is None else n
    row = (row + [sp.Integer(0)] * n)[:n]
    sign = 1 if inverse else -1
    root = [sp.cos(2 * sp.pi * k / n) + sign * sp.I * sp.sin(2 * sp.pi * k / n) for k in range(n)]
    scale = _scale(n, norm, inverse)
    return [scale * sp.Add(*[row[j] * root[j * k % n] for j in range(n)]) for k in range(n)]


_COMPLEX = np.array([1.5 + 0.5j, -0.25 + 2.0j, 0.75 - 1.0j])
_EXAMPLES: list[Any] = [
    ((3,), {}),
    ((4,), {"norm": "ortho"}),
    ((2, 2), {"axis": 0, "norm": "forward"}),
    ((3,), {"n": 4}),
    ((3,), {"n": 2}),
    (_COMPLEX, {}),
]


class Fft(Function):
    """The discrete Fourier transform along an axis."""

    examples = _EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        ctx.length, ctx.axis, ctx.norm = x.shape[axis], axis, norm
        ctx.real = x.dtype.kind != "c"
        return np.fft.fft(x, n, axis, norm)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        full = np.fft.ifft(grad, None, ctx.axis, _SWAPPED[ctx.norm])
        out = _fitted(full, ctx.length, ctx.axis)
        return np.real(out) if ctx.real else out

    @staticmethod
    def formula(x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        return along(lambda row: _transform(row, n, norm, False), x, axis)


class Ifft(Function):
    """The inverse discrete Fourier transform along an axis."""

    examples = _EXAMPLES

    @staticmethod
    def forward(ctx: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        ctx.length, ctx.axis, ctx.norm = x.shape[axis], axis, norm
        ctx.real = x.dtype.kind != "c"
        return np.fft.ifft(x, n, axis, norm)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        full = np.fft.fft(grad, None, ctx.axis, _SWAPPED[ctx.norm])
        out = _fitted(full, ctx.length, ctx.axis)
        return np.real(out) if ctx.real else out

    @staticmethod
    def formula(x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        return along(lambda row: _transform(row, n, norm, True), x, axis)


class Rfft(Function):
    """The half of the Fourier transform of real numbers that determines the rest."""

    examples = _EXAMPLES[:-1]

    @staticmethod
    def forward(ctx: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        ctx.length, ctx.axis, ctx.norm = x.shape[axis], axis, norm
        ctx.n = x.shape[axis] if n is None else n
        return np.fft.rfft(x, n, axis, norm)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        full = np.fft.ifft(_fitted(grad, ctx.n, ctx.axis), None, ctx.axis, _SWAPPED[ctx.norm])
        return _fitted(np.real(full), ctx.length, ctx.axis)

    @staticmethod
    def formula(x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        def rule(row: list[Any]) -> list[Any]:
            full = _transform(row, n, norm, False)
            return full[: len(full) // 2 + 1]

        return along(rule, x, axis)


class Irfft(Function):
    """The inverse of `Rfft`: real numbers, ``2 (m - 1)`` of them if nothing else is said."""

    examples = [
        (_COMPLEX, {}),
        (_COMPLEX, {"n": 5, "norm": "ortho"}),
        (_COMPLEX, {"n": 3, "norm": "forward"}),
        ((3,), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        ctx.length, ctx.axis, ctx.norm = x.shape[axis], axis, norm
        ctx.n = 2 * (x.shape[axis] - 1) if n is None else n
        ctx.real = x.dtype.kind != "c"
        return np.fft.irfft(x, ctx.n, axis, norm)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        half = np.fft.rfft(grad, None, ctx.axis, _SWAPPED[ctx.norm])
        # Each entry but the first, and the last of an even number, stands for its mirror image too.
        twice = np.full(half.shape[ctx.axis], 2, grad.dtype)
        twice[0] = 1
        if ctx.n % 2 == 0:
            twice[-1] = 1
        shape = [1] * half.ndim
        shape[ctx.axis] = -1
        out = _fitted(half * twice.reshape(shape), ctx.length, ctx.axis)
        return np.real(out) if ctx.real else out

    @staticmethod
    def formula(x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        def rule(row: list[Any]) -> list[Any]:
            length = 2 * (len(row) - 1) if n is None else n
            half = (row + [sp.Integer(0)] * length)[: length // 2 + 1]
            half[0] = sp.re(half[0])
            if length % 2 == 0:
                half[-1] = sp.re(half[-1])
            mirror = [sp.conjugate(half[length - k]) for k in range(len(half), length)]
            return [sp.re(v) for v in _transform(half + mirror, length, norm, True)]

        return along(rule, x, axis)


@implements(np.fft.fft)
def fft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the discrete Fourier transform along an axis.

    Parameters
    ----------
    x : Tensor
        Real or complex.
    n : int, optional
        The length to which the axis is cut or filled with zeros first.
    axis : int, optional
    norm : {None, 'backward', 'ortho', 'forward'}
        Where the scale ``1 / n`` stands: at the inverse, half each, or here.
    """
    return Fft.apply(operand(x), n=n, axis=axis, norm=norm)  # type: ignore[no-any-return]


@implements(np.fft.ifft)
def ifft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse discrete Fourier transform along an axis."""
    return Ifft.apply(operand(x), n=n, axis=axis, norm=norm)  # type: ignore[no-any-return]


@implements(np.fft.rfft)
def rfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the half of the transform of real numbers that determines the rest."""
    return Rfft.apply(operand(x), n=n, axis=axis, norm=norm)  # type: ignore[no-any-return]


@implements(np.fft.irfft)
def irfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `rfft`."""
    return Irfft.apply(operand(x), n=n, axis=axis, norm=norm)  # type: ignore[no-any-return]


@implements(np.fft.hfft)
def hfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the transform, real, of numbers whose other half is their mirrored conjugate."""
    x = operand(x)
    return irfft(conj(x), n, axis, _SWAPPED[norm])


@implements(np.fft.ihfft)
def ihfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `hfft`."""
    return conj(rfft(x, n, axis, _SWAPPED[norm]))


def _several(one: Any, x: Any, s: Any, axes: Any, norm: Any) -> Any:
    x = operand(x)
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    lengths = [None] * len(axes) if s is None else list(s)
    for n, axis in reversed(list(zip(lengths, axes, strict=True))):
        x = one(x, None if n == -1 else n, axis, norm)
    return x


@implements(np.fft.fftn)
def fftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """Return the transform along several axes."""
    return _several(fft, x, s, axes, norm)  # type: ignore[no-any-return]


@implements(np.fft.ifftn)
def ifftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """Return the inverse transform along several axes."""
    return _several(ifft, x, s, axes, norm)  # type: ignore[no-any-return]


@implements(np.fft.fft2)
def fft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """Return the transform along two axes."""
    return fftn(x, s, axes, norm)


@implements(np.fft.ifft2)
def ifft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """Return the inverse transform along two axes."""
    return ifftn(x, s, axes, norm)


@implements(np.fft.rfftn)
def rfftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """Return the transform of real numbers along several axes: the last one by `rfft`."""
    x = operand(x)
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = list(axes)
    lengths = [None] * len(axes) if s is None else list(s)
    x = rfft(x, lengths[-1], axes[-1], norm)
    return fftn(x, None if s is None else lengths[:-1], axes[:-1], norm)


@implements(np.fft.rfft2)
def rfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """Return the transform of real numbers along two axes."""
    return rfftn(x, s, axes, norm)


@implements(np.fft.irfftn)
def irfftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """Return the inverse of `rfftn`."""
    x = operand(x)
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = list(axes)
    lengths = [None] * len(axes) if s is None else list(s)
    x = ifftn(x, None if s is None else lengths[:-1], axes[:-1], norm)
    return irfft(x, lengths[-1], axes[-1], norm)


@implements(np.fft.irfft2)
def irfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """Return the inverse of `rfft2`."""
    return irfftn(x, s, axes, norm)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Tensor:
    """Move the frequency 0 to the middle."""
    return _shifted(x, axes, 1)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Tensor:
    """Undo `fftshift`."""
    return _shifted(x, axes, -1)


def _shifted(x: Any, axes: Any, sign: int) -> Tensor:
    x = operand(x)
    axes = tuple(range(x.ndim)) if axes is None else axes
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    return roll(x, tuple([sign * (x.shape[a] // 2) for a in axes]), axes)
