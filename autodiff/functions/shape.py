"""Functions that move entries and do not change them."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._public import operand
from autodiff.functions.indexing import Getitem, getitem, scatter
from autodiff.tensor import Tensor


def _moved(rule: Callable[..., Any], *arrays: Any) -> Any:
    """Move symbols as `rule` moves the flat places of the entries (for formulas)."""
    entries: list[Any] = []
    places = []
    for array in arrays:
        array = np.asarray(array, dtype=object)
        places.append(np.arange(len(entries), len(entries) + array.size).reshape(array.shape))
        entries += list(array.flat)

    def fill(result: Any) -> Any:
        out = np.empty(np.shape(result), dtype=object)
        for index, place in np.ndenumerate(result):
            out[index] = entries[place]
        return out if out.shape else out[()]

    result = rule(*places)
    return tuple(map(fill, result)) if isinstance(result, (list, tuple)) else fill(result)


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
        return _moved(lambda places: places.reshape(shape), x)


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
        return _moved(lambda places: places.transpose(axes), x)


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
        return _moved(lambda places: np.moveaxis(places, source, destination), x)


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
        return _moved(lambda places: places.swapaxes(axis1, axis2), x)


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
        return _moved(lambda places: np.broadcast_to(places, shape), x)


class Concatenate(Function):
    """Arrays joined along an axis."""

    examples = [
        ((2,), (3,), {}),
        ((1, 2), (2, 2), {"axis": 0}),
        ((2, 1), (2, 2), (2, 0), {"axis": -1}),
        ((1,), {}),
    ]

    @staticmethod
    def forward(ctx: Any, *arrays: Any, axis: int = 0) -> Any:
        ctx.axis, ctx.lengths = axis, [array.shape[axis] for array in arrays]
        return np.concatenate(arrays, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * (ctx.axis % grad.ndim)
        grads, start = [], 0
        for length in ctx.lengths:
            grads.append(grad[(*before, slice(start, start + length))])
            start += length
        return tuple(grads)

    @staticmethod
    def formula(*arrays: Any, axis: int = 0) -> Any:
        return _moved(lambda *places: np.concatenate(places, axis), *arrays)


class Stack(Function):
    """Arrays of one shape joined along a new axis."""

    examples = [
        ((), (), {}),
        ((2,), (2,), {"axis": 1}),
        ((2, 1), (2, 1), (2, 1), {"axis": -2}),
        ((0,), (0,), {}),
    ]

    @staticmethod
    def forward(ctx: Any, *arrays: Any, axis: int = 0) -> Any:
        ctx.axis, ctx.number = axis, len(arrays)
        return np.stack(arrays, axis=axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        before = (slice(None),) * (ctx.axis % grad.ndim)
        return tuple([grad[(*before, i)] for i in range(ctx.number)])

    @staticmethod
    def formula(*arrays: Any, axis: int = 0) -> Any:
        return _moved(lambda *places: np.stack(places, axis), *arrays)


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
        return _moved(lambda places: places.squeeze(axis), x)


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
        return _moved(lambda places: np.expand_dims(places, axis), x)


class Flip(Function):
    """The order of the entries reversed along axes."""

    examples = [((3,), {}), ((2, 3), {"axis": -1}), ((2, 2), {"axis": (0, 1)}), ((0,), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, axis: Any = None) -> Any:
        ctx.axis = axis
        return np.flip(x, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.flip(grad, ctx.axis)

    @staticmethod
    def formula(x: Any, *, axis: Any = None) -> Any:
        return _moved(lambda places: np.flip(places, axis), x)


class Roll(Function):
    """The entries moved round along axes."""

    examples = [
        ((3,), {"shift": 1}),
        ((2, 2), {"shift": -1}),
        ((2, 3), {"shift": -2, "axis": 1}),
        ((2, 3), {"shift": (1, 2), "axis": (0, 1)}),
        ((0,), {"shift": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, shift: Any, axis: Any = None) -> Any:
        ctx.shift, ctx.axis = shift, axis
        return np.roll(x, shift, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        shift = ctx.shift
        back = tuple([-n for n in shift]) if isinstance(shift, (tuple, list)) else -shift
        return np.roll(grad, back, ctx.axis)

    @staticmethod
    def formula(x: Any, *, shift: Any, axis: Any = None) -> Any:
        return _moved(lambda places: np.roll(places, shift, axis), x)


class Repeat(Function):
    """Each entry repeated along an axis (or each of the flat array)."""

    examples = [
        ((3,), {"repeats": 2, "axis": 0}),
        ((2, 2), {"repeats": 2}),
        ((2, 2), {"repeats": np.array([2, 1]), "axis": -1}),
        ((2,), {"repeats": np.array([0, 3]), "axis": 0}),
        ((0,), {"repeats": 2, "axis": 0}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, repeats: Any, axis: int | None = None) -> Any:
        ctx.repeats, ctx.axis, ctx.shape_in = repeats, axis, x.shape
        return np.repeat(x, repeats, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        shape, axis = ctx.shape_in, ctx.axis
        if axis is None:
            sources = np.repeat(np.arange(int(np.prod(shape))), ctx.repeats)
            return np.reshape(scatter(grad, sources, (int(np.prod(shape)),)), shape)
        sources = np.repeat(np.arange(shape[axis]), ctx.repeats)
        return scatter(grad, (*[slice(None)] * (axis % len(shape)), sources), shape)

    @staticmethod
    def formula(x: Any, *, repeats: Any, axis: int | None = None) -> Any:
        return _moved(lambda places: places.repeat(repeats, axis), x)


class Tile(Function):
    """The whole array repeated along its axes."""

    examples = [
        ((2,), {"reps": 2}),
        ((2,), {"reps": (2, 2)}),
        ((2, 1), {"reps": (1, 3)}),
        ((2, 2), {"reps": 2}),
        ((), {"reps": (2,)}),
        ((0,), {"reps": 2}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, reps: Any) -> Any:
        ctx.shape_in = x.shape
        ctx.reps = tuple(reps) if isinstance(reps, (tuple, list)) else (reps,)
        return np.tile(x, reps)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        ndim = builtins.max(len(ctx.shape_in), len(ctx.reps))
        shape = (1,) * (ndim - len(ctx.shape_in)) + ctx.shape_in
        reps = (1,) * (ndim - len(ctx.reps)) + ctx.reps
        split = [n for pair in zip(reps, shape, strict=True) for n in pair]
        total = np.sum(np.reshape(grad, split), axis=tuple(range(0, 2 * ndim, 2)))
        return np.reshape(total, ctx.shape_in)

    @staticmethod
    def formula(x: Any, *, reps: Any) -> Any:
        return _moved(lambda places: np.tile(places, reps), x)


class Pad(Function):
    """The array with a border of a constant."""

    examples = [
        ((3,), {"pad_width": 1}),
        ((2, 2), {"pad_width": ((1, 0), (0, 2))}),
        ((2,), {"pad_width": (0, 1), "constant_values": 2.5}),
        ((), {"pad_width": ()}),
        ((0,), {"pad_width": 1}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, pad_width: Any, constant_values: Any = 0) -> Any:
        widths = np.broadcast_to(pad_width, (x.ndim, 2)).tolist() if x.ndim else []
        ctx.inside = tuple(
            [slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)]
        )
        if not x.ndim:
            return x
        return np.pad(x, widths, constant_values=constant_values)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad[ctx.inside]

    @staticmethod
    def formula(x: Any, *, pad_width: Any, constant_values: Any = 0) -> Any:
        x = np.asarray(x, dtype=object)
        widths = np.broadcast_to(pad_width, (x.ndim, 2)) if x.ndim else np.zeros((0, 2), int)
        out = np.full([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], None)
        for place in np.ndindex(out.shape):
            source = tuple([i - a for i, (a, _) in zip(place, widths, strict=True)])
            inside = all(0 <= i < n for i, n in zip(source, x.shape, strict=True))
            out[place] = x[source] if inside else constant_values
        return out if out.shape else out[()]


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
        return _moved(lambda places: tuple(np.split(places, indices_or_sections, axis)), x)


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
    if order != "C":
        raise NotImplementedError(f"reshape of tensors knows the order 'C' alone, not {order!r}")
    return Reshape.apply(operand(x), shape=shape)  # type: ignore[no-any-return]


@implements(np.ravel)
def ravel(x: Any) -> Tensor:
    """Return the entries in one axis."""
    return Reshape.apply(operand(x), shape=(-1,))  # type: ignore[no-any-return]


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Tensor:
    """Return the axes in another order: reversed, or as `axes` says."""
    return Transpose.apply(operand(x), axes=axes)  # type: ignore[no-any-return]


@implements(np.matrix_transpose)
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


@implements(np.flip)
def flip(x: Any, axis: Any = None) -> Tensor:
    """Reverse the order of the entries along axes (all, without any)."""
    return Flip.apply(operand(x), axis=axis)  # type: ignore[no-any-return]


@implements(np.flipud)
def flipud(x: Any) -> Tensor:
    """Reverse the order of the rows."""
    return flip(x, 0)


@implements(np.fliplr)
def fliplr(x: Any) -> Tensor:
    """Reverse the order of the columns."""
    return flip(x, 1)


@implements(np.rot90)
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turn by `k` right angles in the plane of two axes."""
    x = operand(x)
    if k % 4 == 2:
        return flip(x, axes)
    if k % 4 == 1:
        return swapaxes(flip(x, axes[1]), *axes)
    return flip(swapaxes(x, *axes), axes[1]) if k % 4 == 3 else reshape(x, x.shape)


@implements(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Move entries round along axes."""
    return Roll.apply(operand(x), shift=shift, axis=axis)  # type: ignore[no-any-return]


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each entry."""
    return Repeat.apply(operand(x), repeats=repeats, axis=axis)  # type: ignore[no-any-return]


@implements(np.tile)
def tile(x: Any, reps: Any) -> Tensor:
    """Repeat the whole array along its axes."""
    return Tile.apply(operand(x), reps=reps)  # type: ignore[no-any-return]


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Tensor:
    """Put a border round the array: of a constant, or of its own entries as `mode` says.

    Parameters
    ----------
    x : Tensor
    pad_width : int, pair or sequence of pairs
        How many entries before and after, along each axis.
    mode : {'constant', 'edge', 'reflect', 'symmetric', 'wrap', 'empty'}
        What the border holds.
    constant_values : float, optional
        For the mode ``constant``: 0 at first.
    """
    x = operand(x)
    if mode == "constant":
        return Pad.apply(x, pad_width=pad_width, **options)  # type: ignore[no-any-return]
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad of tensors does not know the mode {mode!r}")
    places = np.arange(math.prod(x.shape)).reshape(x.shape)
    places = np.pad(places, pad_width, mode, **options)  # type: ignore[call-overload]
    return Getitem.apply(reshape(x, (-1,)), index=places)  # type: ignore[no-any-return]


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
