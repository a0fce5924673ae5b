"""Diagonals, traces and triangles of matrices."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._axes import axes_of, reduced
from autodiff.functions._public import operand
from autodiff.functions.indexing import scatter
from autodiff.tensor import Tensor

__all__ = ["diag", "diagonal", "trace", "tril", "triu"]


class Trace(Function):
    """The sum of a diagonal."""

    examples = [
        ((2, 2), {}),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -1}),
        ((2, 1, 2), {"axis1": 0, "axis2": -1}),
        ((2, 0), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        ctx.offset, ctx.axes, ctx.shape_in = offset, (axis1, axis2), x.shape
        return np.trace(x, offset, axis1, axis2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        axis1, axis2 = ctx.axes
        rows, columns = ctx.shape_in[axis1], ctx.shape_in[axis2]
        diagonal = np.eye(rows, columns, ctx.offset, dtype=grad.dtype)
        return np.moveaxis(grad[..., None, None] * diagonal, (-2, -1), (axis1, axis2))

    @staticmethod
    def formula(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return reduced(
            lambda entries: sp.Add(*entries),
            Diagonal.formula(x, offset=offset, axis1=axis1, axis2=axis2),
            -1,
        )


def _diagonal_places(rows: int, columns: int, offset: int) -> tuple[Any, Any]:
    length = builtins.max(
        0, builtins.min(rows + builtins.min(offset, 0), columns - builtins.max(offset, 0))
    )
    steps = np.arange(length)
    return steps - builtins.min(offset, 0), steps + builtins.max(offset, 0)


class Diagonal(Function):
    """A diagonal of the matrices in two axes, along a new last axis."""

    examples = [
        ((2, 2), {}),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -1}),
        ((2, 1, 2), {"axis1": 0, "axis2": -1}),
        ((2, 2), {"offset": 5}),
        ((0, 2), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        ctx.offset, ctx.axes, ctx.shape_in = offset, (axis1, axis2), x.shape
        return np.diagonal(x, offset, axis1, axis2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        shape, axes = ctx.shape_in, axes_of(ctx.axes, len(ctx.shape_in))
        axis1, axis2 = [a % len(shape) for a in ctx.axes]
        places = _diagonal_places(shape[axis1], shape[axis2], ctx.offset)
        matrices = (
            *[n for i, n in enumerate(shape) if i not in axes],
            shape[axis1],
            shape[axis2],
        )
        return np.moveaxis(scatter(grad, (Ellipsis, *places), matrices), (-2, -1), (axis1, axis2))

    @staticmethod
    def formula(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        moved = np.moveaxis(np.asarray(x, dtype=object), (axis1, axis2), (-2, -1))
        rows, columns = moved.shape[-2:]
        pairs = [(i, i + offset) for i in range(rows) if 0 <= i + offset < columns]
        out = np.empty((*moved.shape[:-2], len(pairs)), dtype=object)
        for place in np.ndindex(moved.shape[:-2]):
            for k, pair in enumerate(pairs):
                out[(*place, k)] = moved[place + pair]
        return out


class Diag(Function):
    """The square matrix with a vector on a diagonal."""

    examples = [((2,), {}), ((2,), {"k": 1}), ((1,), {"k": -2}), ((0,), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.diag(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.diagonal(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        n = len(x) + builtins.abs(k)
        out = np.full((n, n), sp.Integer(0), dtype=object)
        for i, entry in enumerate(x):
            out[(i, i + k) if k >= 0 else (i - k, i)] = entry
        return out


class Tril(Function):
    """The entries on and below a diagonal, 0 above it."""

    examples = [((2, 2), {}), ((2, 3), {"k": 1}), ((2, 2, 2), {"k": -1}), ((0, 2), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.tril(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.tril(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        return _masked(x, lambda i, j: j - i <= k)


class Triu(Function):
    """The entries on and above a diagonal, 0 below it."""

    examples = [((2, 2), {}), ((2, 3), {"k": 1}), ((2, 2, 2), {"k": -1}), ((0, 2), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.triu(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.triu(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        return _masked(x, lambda i, j: j - i >= k)


def _masked(x: Any, keep: Any) -> Any:
    out = np.array(x, dtype=object)
    for place in np.ndindex(out.shape):
        if not keep(*place[-2:]):
            out[place] = sp.Integer(0)
    return out


@implements(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal."""
    return Trace.apply(operand(x), offset=offset, axis1=axis1, axis2=axis2)  # type: ignore[no-any-return]


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of the matrices in two axes."""
    return Diagonal.apply(operand(x), offset=offset, axis1=axis1, axis2=axis2)  # type: ignore[no-any-return]


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix with a vector on a diagonal."""
    x = operand(x)
    return Diag.apply(x, k=k) if x.ndim == 1 else diagonal(x, k)  # type: ignore[no-any-return]


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """Return the entries on and below a diagonal, 0 above it."""
    return Tril.apply(operand(x), k=k)  # type: ignore[no-any-return]


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Tensor:
    """Return the entries on and above a diagonal, 0 below it."""
    return Triu.apply(operand(x), k=k)  # type: ignore[no-any-return]


@implements(np.linalg.trace)
def _matrix_trace(x: Any, *, offset: int = 0) -> Tensor:
    return trace(x, offset, -2, -1)


@implements(np.linalg.diagonal)
def _matrix_diagonal(x: Any, *, offset: int = 0) -> Tensor:
    return diagonal(x, offset, -2, -1)
