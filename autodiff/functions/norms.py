"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._axes import Axis, axes_of, kept_shape, reduced, squared
from autodiff.functions._public import operand
from autodiff.functions.decomposition import svdvals
from autodiff.functions.inverse import inv
from autodiff.functions.reduction import max, min, sum
from autodiff.functions.shape import moveaxis
from autodiff.tensor import Tensor

__all__ = ["cond", "matrix_norm", "matrix_or_vector_norm", "norm", "vector_norm"]


class Norm(Function):
    """The p-norm of the entries along axes. At 0 its gradient is taken to be 0.

    For ``ord=1`` the derivative at an entry 0 is 0; for ``ord=inf`` entries that tie share it.
    """

    examples = [
        ((3,), {}),
        ((2, 2), {}),
        ((2, 2), {"axis": 0}),
        ((2, 2), {"axis": -1, "keepdims": True}),
        ((3,), {"ord": 1}),
        ((2,), {"ord": float("inf")}),
        ((2,), {"ord": 3}),
        ((2, 1, 2), {"axis": (0, 2)}),
        ((), {}),
        ((0,), {}),
    ]

    @staticmethod
    def forward(
        ctx: Any, x: Any, *, ord: float = 2, axis: Axis = None, keepdims: bool = False
    ) -> Any:
        if ord == 1:
            out = np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        elif ord == np.inf:
            out = np.max(np.abs(x), axis=axis, keepdims=keepdims)
        else:
            if ord == 2:
                powers = (x * x.conjugate()).real if x.dtype.kind == "c" else x * x
            else:
                powers = np.abs(x) ** ord
            total = np.sum(powers, axis=axis, keepdims=keepdims)
            ctx.zero = total == 0
            out = np.sqrt(total) if ord == 2 else _root(total, ctx.zero, ord)
        ctx.ord, ctx.axis = ord, axis
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(x.shape, ctx.axis)
        out, upstream = np.reshape(out, kept), np.reshape(grad, kept)
        if ctx.ord == 1:
            return upstream * np.sign(x)
        if ctx.ord == np.inf:
            chosen = np.abs(x) == out
            ties = np.sum(chosen, axis=axes_of(ctx.axis, x.ndim), keepdims=True)
            return np.where(chosen, upstream / ties.astype(grad.dtype), 0) * np.sign(x)
        zero = np.reshape(ctx.zero, kept)
        out = np.where(zero, 1.0, out)
        if ctx.ord == 2:
            ratio = x / out
        else:
            ratio = np.sign(x) * (np.abs(x) / out) ** (ctx.ord - 1)
        return np.where(zero, 0, upstream * ratio)

    @staticmethod
    def formula(x: Any, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Any:
        def combine(entries: list[Any]) -> Any:
            if ord == np.inf:
                return sp.Max(*[sp.Abs(entry) for entry in entries])
            if ord == 2:
                return sp.sqrt(sp.Add(*[squared(entry) for entry in entries]))
            p = sp.nsimplify(ord)
            return sp.Add(*[sp.Abs(entry) ** p for entry in entries]) ** (1 / p)

        return reduced(combine, x, axis, keepdims)


def _root(x: Any, zero: Any, p: float) -> Any:
    """The p-th root. As ``1 / p`` is rounded, a power far from 1 needs a step of Newton's."""
    x = np.where(zero, 1.0, x)
    out = x ** (1 / p)
    return np.where(zero, 0.0, out + out * (x / out**p - 1) / p)


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return a norm of the entries along axes.

    Parameters
    ----------
    x : Tensor
    ord : {None, number, inf, 'fro', 'nuc'}
        The p of a p-norm of the entries; ``None`` and ``'fro'`` mean 2. Of matrices, another one
        is what `numpy.linalg.norm` means by it.
    axis : int or tuple of int, optional
        The axes to reduce (all, without any).
    keepdims : bool, optional
        Keep them with length 1.

    Returns
    -------
    Tensor
        Its gradient at 0 is 0.
    """
    x = operand(x)
    matrix = x.ndim == 2 if axis is None else isinstance(axis, tuple) and len(axis) == 2
    if matrix and ord not in (None, "fro"):
        return matrix_or_vector_norm(x, ord, axis, keepdims)  # type: ignore[no-any-return]
    p = 2 if ord in (None, "fro") else ord
    return Norm.apply(x, ord=p, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.linalg.norm)
def matrix_or_vector_norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return a norm of vectors or of matrices, as ``numpy.linalg.norm`` does."""
    x = operand(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    matrix = isinstance(axes, tuple) and len(axes) == 2 and (axis is not None or x.ndim == 2)
    if not matrix or ord in (None, "fro"):
        return norm(x, ord, axis, keepdims)
    moved = moveaxis(x, axes, (-2, -1))
    if ord in (1, -1, np.inf, -np.inf):
        sums = sum(abs(moved), axis=-2 if ord in (1, -1) else -1)
        out = max(sums, -1) if ord > 0 else min(sums, -1)
    elif ord == "nuc":
        out = sum(svdvals(moved), axis=-1)
    elif ord in (2, -2):
        out = svdvals(moved)[..., 0 if ord == 2 else -1]
    else:
        raise ValueError(f"invalid norm order {ord!r} for matrices")
    return np.expand_dims(out, axes) if keepdims else out  # type: ignore[call-overload]


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Return a norm of the entries along axes (of all of them, without any)."""
    if ord == 0:
        raise ValueError("the vector norm of order 0 counts entries: it has no gradient")
    if ord == -np.inf:
        return min(abs(operand(x)), axis, keepdims=keepdims)  # type: ignore[no-any-return]
    return Norm.apply(operand(x), ord=ord, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return a norm of the matrices in the last two axes."""
    return matrix_or_vector_norm(x, ord, (-2, -1), keepdims)  # type: ignore[no-any-return]


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Tensor:
    """Return the condition numbers of matrices: their norm times that of the inverse."""
    x = operand(x)
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)  # type: ignore[no-any-return]
