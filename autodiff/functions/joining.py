"""Joining arrays and splitting them: ``concatenate``, ``stack``, ``split`` and their kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._examples import COMPLEX
from autodiff.functions._moved import moved
from autodiff.functions._public import operand
from autodiff.functions.indexing import getitem
from autodiff.functions.shape import atleast_1d, atleast_2d, atleast_3d
from autodiff.tensor import Tensor

__all__ = [
    "append",
    "array_split",
    "column_stack",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]


class Concatenate(Function):
    """Arrays joined along an axis."""

    examples = [
        ((2,), (3,), {}),
        ((1, 2), (2, 2), {"axis": 0}),
        ((2, 1), (2, 2), (2, 0), {"axis": -1}),
        ((1,), {}),
        (COMPLEX, (1,), {}),
    ]

    @staticmethod
    def forward(ctx: Any, *arrays: Any, axis: int = 0) -> Any:
        ctx.axis, ctx.lengths = axis, [array.shape[axis] for array in arrays]
        ctx.dtypes = [array.dtype for array in arrays]
        return np.concatenate(arrays, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * (ctx.axis % grad.ndim)
        grads, start = [], 0
        for length, dtype in zip(ctx.lengths, ctx.dtypes, strict=True):
            part = grad[(*before, slice(start, start + length))]
            grads.append(unbroadcast(part, part.shape, dtype))
            start += length
        return tuple(grads)

    @staticmethod
    def formula(*arrays: Any, axis: int = 0) -> Any:
        return moved(lambda *places: np.concatenate(places, axis), *arrays)


class Stack(Function):
    """Arrays of one shape joined along a new axis."""

    examples = [
        ((), (), {}),
        ((2,), (2,), {"axis": 1}),
        ((2, 1), (2, 1), (2, 1), {"axis": -2}),
        ((0,), (0,), {}),
        ((2,), COMPLEX, {}),
    ]

    @staticmethod
    def forward(ctx: Any, *arrays: Any, axis: int = 0) -> Any:
        ctx.axis, ctx.dtypes = axis, [array.dtype for array in arrays]
        return np.stack(arrays, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * (ctx.axis % grad.ndim)
        parts = [grad[(*before, i)] for i in range(len(ctx.dtypes))]
        return tuple(
            [unbroadcast(p, p.shape, dtype) for p, dtype in zip(parts, ctx.dtypes, strict=True)]
        )

    @staticmethod
    def formula(*arrays: Any, axis: int = 0) -> Any:
        return moved(lambda *places: np.stack(places, axis), *arrays)


class Split(Function):
    """The array cut into several along an axis: equal parts, or before the given places."""

    examples = [
        ((4,), {"indices_or_sections": 2}),
        ((2, 3), {"indices_or_sections": (1,), "axis": -1}),
        ((3,), {"indices_or_sections": (1, 1)}),
        ((2, 0), {"indices_or_sections": 2}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, indices_or_sections: Any, axis: int = 0) -> Any:
        ctx.axis = axis
        return tuple(np.split(x, indices_or_sections, axis))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return np.concatenate(grads, axis=ctx.axis)

    @staticmethod
    def formula(x: Any, *, indices_or_sections: Any, axis: int = 0) -> Any:
        return moved(lambda places: tuple(np.split(places, indices_or_sections, axis)), x)


@implements(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Join arrays along an axis (flat, where it is ``None``).

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.concatenate([ad.ones(2), ad.zeros(1)])
    tensor([1., 1., 0.])
    """
    operands = [operand(array) for array in arrays]
    if axis is None:
        operands, axis = [x.reshape(-1) for x in operands], 0
    return Concatenate.apply(*operands, axis=axis)  # type: ignore[no-any-return]


@implements(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis."""
    return Stack.apply(*[operand(array) for array in arrays], axis=axis)  # type: ignore[no-any-return]


@implements(np.vstack)
def vstack(arrays: Sequence[Any]) -> Tensor:
    """Join arrays as rows."""
    return concatenate([atleast_2d(array) for array in arrays], 0)


@implements(np.hstack)
def hstack(arrays: Sequence[Any]) -> Tensor:
    """Join arrays along their second axis (1-d ones along their only axis)."""
    rows = [atleast_1d(array) for array in arrays]
    return concatenate(rows, 0 if rows[0].ndim == 1 else 1)


@implements(np.dstack)
def dstack(arrays: Sequence[Any]) -> Tensor:
    """Join arrays along their third axis."""
    return concatenate([atleast_3d(array) for array in arrays], 2)


@implements(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Tensor:
    """Join 1-d arrays as columns."""
    columns = [operand(array) for array in arrays]
    return concatenate([c.reshape(-1, 1) if c.ndim < 2 else c for c in columns], 1)


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Tensor:
    """Join `values` to the end of `x`."""
    return concatenate([x, values], axis)


@implements(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Cut into several arrays along an axis: equal parts, or before the given places."""
    return Split.apply(operand(x), indices_or_sections=indices_or_sections, axis=axis)  # type: ignore[no-any-return]


@implements(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Cut into several arrays along an axis, of nearly equal length."""
    x = operand(x)
    if isinstance(indices_or_sections, int):
        length, number = x.shape[axis], indices_or_sections
        sizes = [length // number + (i < length % number) for i in range(number)]
        indices_or_sections = np.cumsum(sizes)[:-1].tolist()
    return split(x, indices_or_sections, axis)


@implements(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut into several arrays along the first axis."""
    return split(x, indices_or_sections, 0)


@implements(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut into several arrays along the second axis (the only one of a 1-d array)."""
    return split(x, indices_or_sections, 0 if operand(x).ndim == 1 else 1)


@implements(np.dsplit)
def dsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut into several arrays along the third axis."""
    return split(x, indices_or_sections, 2)


@implements(np.unstack)
def unstack(x: Any, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices along an axis."""
    x = operand(x)
    before = (slice(None),) * (axis % x.ndim)
    return tuple([getitem(x, (*before, i)) for i in range(x.shape[axis])])
