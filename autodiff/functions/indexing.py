"""Indexing, and its transpose, which adds entries into zeros. Sorting, which is indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._axes import along
from autodiff.functions._public import operand
from autodiff.tensor import Tensor

__all__ = ["getitem", "sort", "take", "take_along_axis"]


def plain_index(index: Any) -> Any:
    """Replace the tensors in an index by their arrays, and lists by arrays."""
    if isinstance(index, Tensor):
        return index._data
    if isinstance(index, tuple):
        return tuple([plain_index(entry) for entry in index])
    if isinstance(index, list):
        return np.asarray([plain_index(entry) for entry in index]) if index else np.zeros(0, int)
    return index


def dotted_index(index: Any) -> Any:
    """Return a plain index; with dots where it is numbers alone.

    A single entry is then a view as well, not a copy, and changing it in place is seen.
    """
    index = plain_index(index)
    if isinstance(index, int):
        return (index, Ellipsis)
    if type(index) is tuple and all([isinstance(entry, int) for entry in index]):  # noqa: C419
        return (*index, Ellipsis)
    return index


def _selects_once(index: Any) -> bool:
    """Whether no entry can be selected twice: slices, numbers and masks only."""
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, np.ndarray) and entry.dtype != bool:
            return False
    return True


def scatter(grad: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of this shape with `grad` added at `index`; repeated places add up."""
    if isinstance(grad, Tensor):
        return Scatter.apply(grad, index=index, shape=shape)
    out = np.zeros(shape, grad.dtype)
    if _selects_once(index):
        out[index] = grad
    else:
        np.add.at(out, index, grad)
    return out


class Getitem(Function):
    """``x[index]`` for every kind of NumPy index; entries selected twice get both gradients."""

    examples = [
        ((3,), {"index": 1}),
        ((3,), {"index": slice(None, None, -2)}),
        ((2, 3), {"index": (slice(None), 1)}),
        ((2, 3), {"index": (Ellipsis, None, slice(1, None))}),
        ((3,), {"index": np.array([0, 2, 0, -1])}),
        ((2, 3), {"index": (np.array([[0], [1]]), np.array([2, 2]))}),
        ((2, 2, 3), {"index": (np.array([0, 0]), slice(None), np.array([1, 1]))}),
        ((2, 2), {"index": np.array([[True, False], [True, True]])}),
        ((2, 3), {"index": (1, np.array([True, False, True]))}),
        ((), {"index": ()}),
        ((3,), {"index": slice(0, 0)}),
        ((0, 2), {"index": (slice(None), 0)}),
        ((2,), {"index": np.zeros((0,), int)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, index: Any) -> Any:
        ctx.shape_in, ctx.index = x.shape, index
        return x[index]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return scatter(grad, ctx.index, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, index: Any) -> Any:
        # By the flat places of the entries, so that no axis can be mixed up.
        x = np.asarray(x, dtype=object)
        places = np.arange(x.size).reshape(x.shape)[index]
        entries = list(x.flat)
        out = np.empty(np.shape(places), dtype=object)
        for i, place in np.ndenumerate(places):
            out[i] = entries[place]
        return out if out.shape else out[()]


class Scatter(Function):
    """Zeros with the entries of ``x`` added at an index, where repeated places add up."""

    examples = [
        ((2,), {"index": slice(0, 3, 2), "shape": (3,)}),
        ((3,), {"index": np.array([0, 1, 0]), "shape": (2,)}),
        ((2, 2), {"index": (slice(None), np.array([2, 2])), "shape": (2, 3)}),
        ((0,), {"index": np.zeros((0,), int), "shape": (2,)}),
        ((), {"index": 1, "shape": (2,)}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        ctx.index, ctx.shape_in = index, x.shape
        return scatter(x, index, shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.reshape(grad[ctx.index], ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        places = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
        x = np.broadcast_to(np.asarray(x, dtype=object), np.shape(places))
        out = [sp.Integer(0)] * int(np.prod(shape, dtype=int))
        for place, entry in zip(np.ravel(places), x.ravel(), strict=True):
            out[place] += entry
        return np.array(out, dtype=object).reshape(shape)


class Setitem(Function):
    """``x`` with the entries at an index replaced by those of ``y``, which is broadcast.

    Where a place is named several times the last entry stands, and gets the gradient.
    """

    examples = [
        ((3,), (), {"index": 1}),
        ((2, 3), (2,), {"index": (slice(None), 1)}),
        ((2, 3), (3,), {"index": slice(None)}),
        ((3,), (2,), {"index": np.array([2, 0])}),
        ((3,), (3,), {"index": np.array([1, 0, 1])}),
        ((3,), (), {"index": np.array([True, False, True])}),
        ((), (), {"index": ()}),
        ((2,), (0,), {"index": slice(0, 0)}),
    ]

    @staticmethod
    def prepare(ctx: Any, shape: tuple[int, ...], of_value: tuple[int, ...], index: Any) -> None:
        """Keep what the backward needs: which places were replaced, and by which entries."""
        replaced = np.zeros(shape, bool)
        replaced[index] = True
        ctx.index, ctx.replaced, ctx.shape_in, ctx.stands = index, replaced, of_value, None
        if not _selects_once(index):
            numbers = np.arange(replaced[index].size).reshape(replaced[index].shape)
            last = np.zeros(shape, int)
            last[index] = numbers
            ctx.stands = last[index] == numbers

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, index: Any) -> Any:
        Setitem.prepare(ctx, x.shape, getattr(y, "shape", ()), index)
        out = x.copy()
        out[index] = y
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        of_value = grad[ctx.index]
        if ctx.stands is not None:
            of_value = np.where(ctx.stands, of_value, 0)
        return np.where(ctx.replaced, 0, grad), _shrunk(of_value, ctx.shape_in)

    @staticmethod
    def formula(x: Any, y: Any, *, index: Any) -> Any:
        out = np.array(x, dtype=object)
        places = np.arange(out.size).reshape(out.shape)[index]
        flat, entries = out.ravel(), np.broadcast_to(np.asarray(y, dtype=object), np.shape(places))
        for place, entry in zip(np.ravel(places), entries.ravel(), strict=True):
            flat[place] = entry
        out = flat.reshape(out.shape)
        return out if out.shape else out[()]


def _shrunk(grad: Any, shape: tuple[int, ...]) -> Any:
    """Undo the broadcasting of an assigned value, which may have more axes than its target."""
    inner = shape[max(0, len(shape) - grad.ndim) :]
    return np.reshape(unbroadcast(grad, inner), shape)


class Sort(Function):
    """The entries in rising order along an axis; a gradient goes back where its entry came from."""

    examples = [
        ((3,), {}),
        ((2, 3), {"axis": 0}),
        ((2, 2), {"axis": -1}),
        ((1,), {}),
        ((2, 0), {"axis": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: int = -1) -> Any:
        order = np.argsort(x, axis=axis, kind="stable")
        ctx.axis, ctx.order_of_entries = axis, order
        return np.take_along_axis(x, order, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        inverse = np.argsort(ctx.order_of_entries, axis=ctx.axis)
        return np.take_along_axis(grad, inverse, ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: int = -1) -> Any:
        return along(_sorted, x, axis)


def _sorted(row: list[Any]) -> list[Any]:
    """The k-th smallest of a row as the least maximum of k entries."""
    from itertools import combinations

    return [
        sp.Min(*[sp.Max(*group) for group in combinations(row, k)]) for k in range(1, len(row) + 1)
    ]


class TakeAlongAxis(Function):
    """Along an axis the entries at the places that an array of indices names."""

    examples = [
        ((3,), {"indices": np.array([2, 0, 2]), "axis": 0}),
        ((2, 3), {"indices": np.array([[0, 2], [1, 1]]), "axis": -1}),
        ((2, 3), {"indices": np.array([[1, 0, 1]]), "axis": 0}),
        ((2, 1), {"indices": np.zeros((2, 0), int), "axis": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, indices: Any, axis: int) -> Any:
        ctx.shape_in = x.shape
        ctx.index = _along_index(indices, axis, x.shape)
        return x[ctx.index]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return scatter(grad, ctx.index, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, indices: Any, axis: int) -> Any:
        x = np.asarray(x, dtype=object)
        out = np.empty(
            np.broadcast_shapes(
                *[
                    indices.shape[: axis % x.ndim] + indices.shape[axis % x.ndim + 1 :],
                    x.shape[: axis % x.ndim] + x.shape[axis % x.ndim + 1 :],
                ]
            )[: axis % x.ndim]
            + indices.shape[axis % x.ndim :],
            dtype=object,
        )
        for place in np.ndindex(out.shape):
            source = list(place)
            source[axis] = indices[place]
            out[place] = x[tuple(source)]
        return out


def _along_index(indices: Any, axis: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the index that selects what ``take_along_axis`` does."""
    grid: list[Any] = list(np.ix_(*[np.arange(n) for n in indices.shape]))
    for i, length in enumerate(shape):
        if indices.shape[i] == 1 != length and i != axis % len(shape):
            grid[i] = np.arange(length).reshape([-1 if j == i else 1 for j in range(len(shape))])
    grid[axis] = indices
    return tuple(grid)


def getitem(x: Any, index: Any) -> Tensor:
    """Return ``x[index]``, for every kind of NumPy index."""
    return Getitem.apply(operand(x), index=dotted_index(index))  # type: ignore[no-any-return]


@implements(np.sort)
def sort(x: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Tensor:
    """Return the entries in rising order along an axis (of all, where it is ``None``).

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.sort(ad.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    x = operand(x)
    return Sort.apply(x.reshape(-1) if axis is None else x, axis=-1 if axis is None else axis)  # type: ignore[no-any-return]


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the entries at `indices` along an axis (of the flat array, without one)."""
    x, indices = operand(x), np.asarray(plain_index(indices))
    if axis is None:
        return getitem(x.reshape(-1), indices)
    return getitem(x, (*[slice(None)] * (axis % x.ndim), indices))


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Return along an axis the entries at the places that `indices` names."""
    x, indices = operand(x), np.asarray(plain_index(indices))
    if axis is None:
        x, axis = x.reshape(-1), 0
    return TakeAlongAxis.apply(x, indices=indices, axis=axis)  # type: ignore[no-any-return]
