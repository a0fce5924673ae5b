"""Entries in other places: flipped, rolled, repeated, tiled, padded."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._moved import moved
from autodiff.functions._public import operand
from autodiff.functions.indexing import Getitem, scatter
from autodiff.functions.shape import reshape, swapaxes
from autodiff.tensor import Tensor

__all__ = ["flip", "fliplr", "flipud", "pad", "repeat", "roll", "rot90", "tile"]


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
        return moved(lambda places: np.flip(places, axis), x)


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
        return moved(lambda places: np.roll(places, shift, axis), x)


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
        return moved(lambda places: places.repeat(repeats, axis), x)


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
        return moved(lambda places: np.tile(places, reps), x)


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
