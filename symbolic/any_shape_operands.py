"""Operands of functions on arrays of any size: what they are made of, and how their axes meet.

May import: :mod:`symbolic.any_shape_array`, :mod:`symbolic.index_functions`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from symbolic.any_shape_array import AnyShapeArray, Axis, Run, Size, Unify
from symbolic.index_functions import number

__all__ = ["axes_from", "broadcast", "broadcast_axes", "matched", "operand", "run_of"]


def operand(run: Run, value: Any) -> AnyShapeArray:
    """What NumPy would make an array of, as one of any size: a number, or an array of length 1."""
    if type(value) is AnyShapeArray:
        return value
    if type(value) is Size:
        return value.array
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise run.stop(f"an array of the fixed shape {array.shape} meets axes of any size")
    return AnyShapeArray(run, ((),) * array.ndim, number(array.reshape(()).item()))


def matched(run: Run, a: Axis, b: Axis) -> Axis:
    """The axis that two axes of equal length are; sizes that have to be equal become one."""
    if a == b:
        return a
    if len(a) == len(b):
        for x, y in zip(a, b, strict=True):
            if x != y and run.sizes[x] == run.sizes[y]:
                run.unify = run.unify or (x, y)
                raise Unify(x, y)
    raise run.stop(f"axes of the lengths {'*'.join(a) or 1} and {'*'.join(b) or 1} meet")


def broadcast_axes(run: Run, axes: Sequence[tuple[Axis, ...]]) -> tuple[Axis, ...]:
    found: list[Axis] = []
    for column in itertools.zip_longest(*(reversed(a) for a in axes), fillvalue=()):
        axis: Axis = ()
        for other in column:
            axis = matched(run, axis, other) if axis and other else axis or other
        found.append(axis)
    return tuple(reversed(found))


def broadcast(a: AnyShapeArray, axes: Sequence[Axis]) -> AnyShapeArray:
    if broadcast_axes(a.run, [a.axes, tuple(axes)]) != tuple(axes):
        raise a.run.stop("an array does not broadcast to that shape")
    found = a.like(axes, a.form)
    found.boolean = a.boolean
    return found


def axes_from(run: Run, shape: Any) -> list[Axis]:
    """The axes that a shape means, which code hands to ``np.zeros`` or ``reshape``."""
    lengths = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    found: list[Axis] = []
    for length in lengths:
        if type(length) is Size and length.factors is not None:
            found.append(length.factors)
        elif type(length) is not Size and length == 1:
            found.append(())
        else:
            raise run.stop(f"an axis of the length {length}")
    return found


def run_of(*values: Any) -> Run:
    for value in values:
        if type(value) in (AnyShapeArray, Size):
            run: Run = value.run
            return run
    raise TypeError("none of the arguments is an array of any size")
