"""Functions that change shapes and types, and leave the entries as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._moved import moved
from autodiff.functions._public import operand
from autodiff.tensor import Tensor

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "clone",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "ravel",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "transpose",
]


class Reshape(Function):
    """The same entries in another shape."""

    examples = [
        ((2, 3), {"shape": (3, 2)}),
        ((2, 3), {"shape": (-1,)}),
        ((), {"shape": (1, 1)}),
        ((1,), {"shape": ()}),
        ((0, 2), {"shape": (2, 0)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: Any) -> Any:
        ctx.shape_in = x.shape
        return np.reshape(x, shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.reshape(grad, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, shape: Any) -> Any:
        return moved(lambda places: places.reshape(shape), x)


class Transpose(Function):
    """The axes in another order: reversed, or as ``axes`` says."""

    examples = [
        ((2, 3), {}),
        ((1, 2, 3), {"axes": (2, 0, 1)}),
        ((1, 2, 3), {"axes": (0, -1, 1)}),
        ((), {}),
        ((0, 2), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axes: Any = None) -> Any:
        ctx.axes = axes
        return np.transpose(x, axes)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if ctx.axes is None:
            return np.transpose(grad)
        inverse = [0] * grad.ndim
        for i, a in enumerate(ctx.axes):
            inverse[a] = i
        return np.transpose(grad, inverse)

    @staticmethod
    def formula(x: Any, *, axes: Any = None) -> Any:
        return moved(lambda places: places.transpose(axes), x)


class Moveaxis(Function):
    """Axes moved from ``source`` to ``destination``."""

    examples = [
        ((1, 2, 3), {"source": 0, "destination": -1}),
        ((1, 2, 3), {"source": (0, 1), "destination": (-1, 0)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, source: Any, destination: Any) -> Any:
        ctx.moves = source, destination
        return np.moveaxis(x, source, destination)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        source, destination = ctx.moves
        return np.moveaxis(grad, destination, source)

    @staticmethod
    def formula(x: Any, *, source: Any, destination: Any) -> Any:
        return moved(lambda places: np.moveaxis(places, source, destination), x)


class Swapaxes(Function):
    """Two axes exchanged."""

    examples = [((1, 2, 3), {"axis1": 0, "axis2": -1}), ((2, 2), {"axis1": 0, "axis2": 0})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis1: int, axis2: int) -> Any:
        ctx.axes = axis1, axis2
        return np.swapaxes(x, axis1, axis2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.swapaxes(grad, *ctx.axes)

    @staticmethod
    def formula(x: Any, *, axis1: int, axis2: int) -> Any:
        return moved(lambda places: places.swapaxes(axis1, axis2), x)


class BroadcastTo(Function):
    """Entries repeated to fill a larger shape."""

    examples = [
        ((3,), {"shape": (2, 3)}),
        ((2, 1), {"shape": (2, 3)}),
        ((), {"shape": (2, 1)}),
        ((1, 2), {"shape": (1, 2)}),
        ((1,), {"shape": (2, 0)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.shape_in = x.shape
        return np.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return unbroadcast(grad, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, shape: tuple[int, ...]) -> Any:
        return moved(lambda places: np.broadcast_to(places, shape), x)


class Squeeze(Function):
    """Axes of length 1 left out: all of them, or those that ``axis`` names."""

    examples = [
        ((1, 2, 1), {}),
        ((1, 2, 1), {"axis": 0}),
        ((1, 2, 1), {"axis": (0, -1)}),
        ((1,), {"axis": -1}),
        ((1, 0), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Any = None) -> Any:
        ctx.shape_in = x.shape
        return np.squeeze(x, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.reshape(grad, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, axis: Any = None) -> Any:
        return moved(lambda places: places.squeeze(axis), x)


class ExpandDims(Function):
    """New axes of length 1."""

    examples = [
        ((2,), {"axis": 0}),
        ((2,), {"axis": -1}),
        ((2,), {"axis": (0, 2)}),
        ((), {"axis": 0}),
        ((0,), {"axis": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Any) -> Any:
        ctx.shape_in = x.shape
        return np.expand_dims(x, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.reshape(grad, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, axis: Any) -> Any:
        return moved(lambda places: np.expand_dims(places, axis), x)


class Clone(Function):
    """A copy."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad

    @staticmethod
    def formula(x: Any) -> Any:
        return x


class Astype(Function):
    """The entries in another floating-point type; gradients come back in the first one."""

    examples = [((2,), {"dtype": np.dtype(np.float64)}), ((), {"dtype": np.dtype(np.float64)})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, dtype: Any) -> Any:
        ctx.dtype_in = x.dtype
        return x.astype(dtype)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        if ctx.dtype_in.kind != "c" and grad.dtype.kind == "c":
            grad = np.real(grad)
        return grad.astype(ctx.dtype_in)

    @staticmethod
    def formula(x: Any, *, dtype: Any) -> Any:
        return x


@implements(np.copy)
def clone(x: Any) -> Tensor:
    """Return a copy through which gradients flow."""
    return Clone.apply(operand(x))  # type: ignore[no-any-return]


@implements(np.astype)
def astype(x: Any, dtype: Any) -> Tensor:
    """Return the entries in another floating-point type."""
    return Astype.apply(operand(x), dtype=np.dtype(dtype))  # type: ignore[no-any-return]


@implements(np.reshape)
def reshape(x: Any, shape: Any, order: str = "C") -> Tensor:
    """Return the same entries in another shape."""
    x = operand(x)
    if order == "F":
        turned = Reshape.apply(x.T, shape=shape[::-1] if isinstance(shape, tuple) else shape)
        return turned.T  # type: ignore[no-any-return]
    if order != "C":
        raise ValueError(f"order: expected 'C' or 'F', as a tensor has no layout, got {order!r}")
    return Reshape.apply(x, shape=shape)  # type: ignore[no-any-return]


@implements(np.ravel)
def ravel(x: Any) -> Tensor:
    """Return the entries in one axis."""
    return Reshape.apply(operand(x), shape=(-1,))  # type: ignore[no-any-return]


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Tensor:
    """Return the axes in another order: reversed, or as `axes` says."""
    return Transpose.apply(operand(x), axes=axes)  # type: ignore[no-any-return]


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Tensor:
    """Return the last two axes exchanged."""
    return swapaxes(x, -1, -2)


@implements(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Move axes from `source` to `destination`."""
    return Moveaxis.apply(operand(x), source=source, destination=destination)  # type: ignore[no-any-return]


@implements(np.rollaxis)
def rollaxis(x: Any, axis: int, start: int = 0) -> Tensor:
    """Move an axis back to before `start`."""
    ndim = operand(x).ndim
    axis, start = axis % ndim, start + ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""
    return Swapaxes.apply(operand(x), axis1=axis1, axis2=axis2)  # type: ignore[no-any-return]


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """Repeat entries to fill a larger shape."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return BroadcastTo.apply(operand(x), shape=shape)  # type: ignore[no-any-return]


@implements(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """Repeat the entries of arrays so that they have one shape."""
    shape = np.broadcast_shapes(*[operand(array).shape for array in arrays])
    return tuple([broadcast_to(array, shape) for array in arrays])


@implements(np.atleast_1d)
def atleast_1d(x: Any) -> Any:
    """Return `x` with one axis at least."""
    x = operand(x)
    return x if x.ndim else reshape(x, (1,))


@implements(np.atleast_2d)
def atleast_2d(x: Any) -> Any:
    """Return `x` with two axes at least."""
    x = operand(x)
    return x if x.ndim > 1 else reshape(x, (1, -1))


@implements(np.atleast_3d)
def atleast_3d(x: Any) -> Any:
    """Return `x` with three axes at least."""
    x = operand(x)
    if x.ndim > 2:
        return x
    return reshape(x, (1, -1, 1)) if x.ndim < 2 else reshape(x, (*x.shape, 1))


@implements(np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Leave out axes of length 1."""
    return Squeeze.apply(operand(x), axis=axis)  # type: ignore[no-any-return]


@implements(np.expand_dims)
def expand_dims(x: Any, axis: Any) -> Tensor:
    """Insert axes of length 1."""
    return ExpandDims.apply(operand(x), axis=axis)  # type: ignore[no-any-return]
