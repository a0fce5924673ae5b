"""Convolutions and pooling: of signals (``numpy.convolve``), and of images as in torch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._examples import COMPLEX
from autodiff.functions._public import operand
from autodiff.functions.joining import concatenate, stack
from autodiff.functions.rearranging import flip, pad
from autodiff.functions.reduction import max, mean
from autodiff.tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "convolve",
    "correlate",
    "max_pool1d",
    "max_pool2d",
]


def _part(n: int, m: int, mode: str) -> tuple[int, int]:
    """Return where the part of a full convolution that a mode keeps begins, and its length."""
    short, long = sorted((n, m))
    if mode == "full":
        return 0, n + m - 1
    if mode == "same":
        return (short - 1) // 2, long
    if mode == "valid":
        return short - 1, long - short + 1
    raise ValueError(f"mode must be 'full', 'same' or 'valid', not {mode!r}")


class Convolve(Function):
    """The convolution of two sequences."""

    examples = [
        ((3,), (2,), {}),
        ((3,), (2,), {"mode": "same"}),
        ((3,), (2,), {"mode": "valid"}),
        ((2,), (4,), {"mode": "same"}),
        ((2,), (3,), {"mode": "valid"}),
        ((1,), (1,), {}),
        (COMPLEX, (2,), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, mode: Any = "full") -> Any:
        ctx.mode = mode
        ctx.save_for_backward(x, y)
        return np.convolve(x, y, mode)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        n, m = x.shape[0], y.shape[0]
        start, length = _part(n, m, ctx.mode)
        full = np.pad(grad, (start, n + m - 1 - start - length))
        grad_x = np.convolve(full, np.flip(y.conjugate(), 0), "valid")
        grad_y = np.convolve(full, np.flip(x.conjugate(), 0), "valid")
        return unbroadcast(grad_x, x.shape, x.dtype), unbroadcast(grad_y, y.shape, y.dtype)

    @staticmethod
    def formula(x: Any, y: Any, *, mode: str = "full") -> Any:
        start, length = _part(len(x), len(y), mode)
        out = np.empty(length, dtype=object)
        for k in range(length):
            pairs = [(i, start + k - i) for i in range(len(x))]
            out[k] = sp.Add(*[x[i] * y[j] for i, j in pairs if 0 <= j < len(y)])
        return out


def _windows(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: Any, dilation: Any
) -> tuple[tuple[int, ...], list[tuple[slice, ...]]]:
    """Return how many windows fit along each axis, and where each kernel entry meets them."""
    sizes = tuple(
        [
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(shape, kernel, stride, dilation, strict=True)
        ]
    )
    places = []
    for offset in itertools.product(*map(range, kernel)):
        places.append(
            tuple(
                [
                    slice(d * o, d * o + s * (size - 1) + 1, s)
                    for o, size, s, d in zip(offset, sizes, stride, dilation, strict=True)
                ]
            )
        )
    return sizes, places


def _columns(x: Any, places: list[tuple[slice, ...]]) -> Any:
    """Return the windows of a batch of images as the columns of matrices: (N, C * K, windows)."""
    parts = np.stack([x[(slice(None), slice(None), *place)] for place in places], axis=2)
    return np.reshape(parts, (x.shape[0], x.shape[1] * len(places), -1))


class Convnd(Function):
    """torch's convolution (a correlation) of a batch of images in any number of axes."""

    examples = [
        ((1, 1, 3), (1, 1, 2), {"stride": (1,), "dilation": (1,)}),
        ((1, 2, 4), (1, 2, 2), {"stride": (2,), "dilation": (1,)}),
        ((2, 1, 3), (2, 1, 2), {"stride": (1,), "dilation": (2,)}),
        ((1, 1, 2, 3), (1, 1, 2, 2), {"stride": (1, 1), "dilation": (1, 1)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, *, stride: Any, dilation: Any) -> Any:
        ctx.options = stride, dilation
        ctx.save_for_backward(x, w)
        sizes, places = _windows(x.shape[2:], w.shape[2:], stride, dilation)
        out = np.reshape(w, (w.shape[0], -1)) @ _columns(x, places)
        return np.reshape(out, (x.shape[0], w.shape[0], *sizes))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        sizes, places = _windows(x.shape[2:], w.shape[2:], *ctx.options)
        first, second = ctx.needs_input_grad
        rows = np.reshape(grad, (*grad.shape[:2], -1))
        grads: list[Any] = [None, None]
        if first:
            columns = np.swapaxes(np.reshape(w, (w.shape[0], -1)), 0, 1) @ rows
            parts = np.reshape(columns, (*x.shape[:2], len(places), *sizes))
            total = np.zeros_like(x)
            for k, place in enumerate(places):
                index = (slice(None), slice(None), *place)
                total[index] = total[index] + parts[:, :, k]
            grads[0] = total
        if second:
            products = rows @ np.swapaxes(_columns(x, places), -1, -2)
            grads[1] = np.reshape(np.sum(products, axis=0), w.shape)
        return tuple(grads)

    @staticmethod
    def formula(x: Any, w: Any, *, stride: Any, dilation: Any) -> Any:
        x, w = np.asarray(x, dtype=object), np.asarray(w, dtype=object)
        sizes, _ = _windows(x.shape[2:], w.shape[2:], stride, dilation)
        out = np.empty((x.shape[0], w.shape[0], *sizes), dtype=object)
        for place in np.ndindex(out.shape):
            batch, channel, *window = place
            terms = []
            for source in np.ndindex(w.shape[1:]):
                where = [
                    s * p + d * o
                    for p, o, s, d in zip(window, source[1:], stride, dilation, strict=True)
                ]
                terms.append(x[(batch, source[0], *where)] * w[(channel, *source)])
            out[place] = sp.Add(*terms)
        return out


@implements(np.convolve)
def convolve(x: Any, y: Any, mode: str = "full") -> Tensor:
    """Return the convolution of two sequences, or of two arrays of as many axes.

    Parameters
    ----------
    x, y : Tensor
        Of one axis as in ``numpy.convolve``, of several as in ``scipy.signal.convolve``.
    mode : {'full', 'same', 'valid'}
        All of it, as much as the longer one has (of several axes: the first), or what needs no
        zeros.
    """
    x, y = operand(x), operand(y)
    if x.ndim != y.ndim:
        raise ValueError(f"convolve takes arrays of as many axes, not of {x.ndim} and {y.ndim}")
    if x.ndim > 1:
        return _convolved(x, y, mode)
    return Convolve.apply(operand(x), operand(y), mode=mode)  # type: ignore[no-any-return]


def _convolved(x: Any, y: Any, mode: str) -> Tensor:
    """Convolve arrays of several axes: a correlation of one padded channel."""
    ndim, size = x.ndim, x.shape
    if mode == "valid" and all(n <= m for n, m in zip(x.shape, y.shape, strict=True)):
        x, y = y, x
    width = [(0, 0) if mode == "valid" else (m - 1, m - 1) for m in y.shape]
    ones = (1,) * ndim
    out = Convnd.apply(pad(x, width)[None, None], flip(y)[None, None], stride=ones, dilation=ones)[
        0, 0
    ]
    if mode != "same":
        return out  # type: ignore[no-any-return]
    starts = [(m - n) // 2 for m, n in zip(out.shape, size, strict=True)]
    return out[tuple([slice(s, s + n) for s, n in zip(starts, size, strict=True)])]  # type: ignore[no-any-return]


@implements(np.correlate)
def correlate(x: Any, y: Any, mode: str = "valid") -> Tensor:
    """Return the cross-correlation of two sequences."""
    x, y = operand(x), operand(y)
    if mode == "same" and x.shape[0] < y.shape[0]:
        # NumPy exchanges the two and turns the result round.
        return flip(convolve(flip(x, 0), y.conjugate(), mode), 0)
    return convolve(x, flip(y.conjugate(), 0), mode)


def _per_axis(value: Any, number: int) -> tuple[int, ...]:
    return (value,) * number if isinstance(value, int) else tuple(value)


def _convnd(
    number: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    x, w = operand(input), operand(weight)
    single = x.ndim == number + 1
    if single:
        x = x[None]
    stride, dilation = _per_axis(stride, number), _per_axis(dilation, number)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)]
        widths = [(t // 2, t - t // 2) for t in total]
    elif padding == "valid":
        widths = [(0, 0)] * number
    else:
        widths = [(p, p) for p in _per_axis(padding, number)]
    if any(width != (0, 0) for width in widths):
        x = pad(x, [(0, 0), (0, 0), *widths])
    if groups == 1:
        out: Any = Convnd.apply(x, w, stride=stride, dilation=dilation)
    else:
        channels, filters = x.shape[1] // groups, w.shape[0] // groups
        parts = [
            Convnd.apply(
                x[:, g * channels : (g + 1) * channels],
                w[g * filters : (g + 1) * filters],
                stride=stride,
                dilation=dilation,
            )
            for g in range(groups)
        ]
        out = concatenate(parts, axis=1)
    if bias is not None:
        out = out + operand(bias).reshape(1, -1, *[1] * number)
    return out[0] if single else out  # type: ignore[no-any-return]


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return torch's convolution of sequences.

    Parameters
    ----------
    input : Tensor
        Of shape (N, C, L) or (C, L).
    weight : Tensor
        Of shape (O, C / groups, K).
    bias : Tensor, optional
        Of shape (O,).
    stride, dilation : int, optional
    padding : int, 'same' or 'valid', optional
        How many zeros stand at each end.
    groups : int, optional
        Into how many parts the channels fall that do not see each other.
    """
    return _convnd(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return torch's convolution of images: as `conv1d`, with two axes."""
    return _convnd(2, input, weight, bias, stride, padding, dilation, groups)


def _pooled(number: int, input: Any, kernel: Any, stride: Any, padding: Any, fill: float) -> Tensor:
    x = operand(input)
    kernel = _per_axis(kernel, number)
    stride = kernel if stride is None else _per_axis(stride, number)
    widths = [(p, p) for p in _per_axis(padding, number)]
    if any(width != (0, 0) for width in widths):
        x = pad(x, [(0, 0)] * (x.ndim - number) + widths, constant_values=fill)
    _, places = _windows(x.shape[x.ndim - number :], kernel, stride, (1,) * number)
    return stack([x[(Ellipsis, *place)] for place in places], axis=-1)


def max_pool1d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """Return the largest entry of each window along the last axis; ties share the gradient."""
    return max(_pooled(1, input, kernel_size, stride, padding, -np.inf), -1)


def max_pool2d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """Return the largest entry of each window in the last two axes; ties share the gradient."""
    return max(_pooled(2, input, kernel_size, stride, padding, -np.inf), -1)


def avg_pool1d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """Return the mean of each window along the last axis; the padding counts, as zeros."""
    return mean(_pooled(1, input, kernel_size, stride, padding, 0.0), -1)


def avg_pool2d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """Return the mean of each window in the last two axes; the padding counts, as zeros."""
    return mean(_pooled(2, input, kernel_size, stride, padding, 0.0), -1)
