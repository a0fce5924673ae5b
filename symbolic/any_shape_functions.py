"""NumPy's and SciPy's functions on arrays of any size.

A ufunc is a rule on forms, a reduction sums a form, and what moves axes about renames indices. A
function without an entry here stops the run: there is no proof at every size then, and nothing else
happens.

May import: :mod:`symbolic.any_shape_array`, :mod:`symbolic.any_shape_operands`,
:mod:`symbolic.any_shape_products`, :mod:`symbolic.any_shape_ufuncs`,
:mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.index_sums`,
:mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from symbolic.any_shape_array import AnyShapeArray, Axis, Place, Run, Size, indices_of
from symbolic.any_shape_operands import (
    axes_from,
    broadcast,
    broadcast_axes,
    matched,
    operand,
    run_of,
)
from symbolic.any_shape_products import (
    diagonal,
    dot,
    einsum,
    inner,
    matmul,
    matrix_product,
    outer,
    tensordot,
    trace,
    vdot,
)
from symbolic.any_shape_ufuncs import COMPARISONS, KINKED, LOGICAL, MASKS, UFUNCS
from symbolic.index_form import Form, Index, delta, renamed
from symbolic.index_functions import number
from symbolic.index_sums import greatest, summed

__all__ = [
    "FUNCTIONS",
    "astype",
    "broadcast_to",
    "call_function",
    "call_ufunc",
    "copy",
    "identity",
    "log_softmax",
    "logsumexp",
    "method",
    "softmax",
    "spread",
]

# Reductions


def _axes(a: AnyShapeArray, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(a.ndim))
    found: tuple[int, ...] = normalize_axis_tuple(axis, a.ndim)
    return found


def _reduced(a: AnyShapeArray, axis: Any, keepdims: Any, combine: Any) -> AnyShapeArray:
    """Combine over axes; ``combine`` takes the form and the indices."""
    axes = _axes(a, axis)
    form, indices = a.fixed()
    form = combine(form, [i for k in axes for i in indices[k]])
    if keepdims and keepdims is not np._NoValue:
        kept = [(() if k in axes else axis) for k, axis in enumerate(a.axes)]
        left = [([] if k in axes else own) for k, own in enumerate(indices)]
    else:
        kept = [axis for k, axis in enumerate(a.axes) if k not in axes]
        left = [own for k, own in enumerate(indices) if k not in axes]
    names = {
        i: j
        for own, target in zip(left, indices_of(kept), strict=True)
        for i, j in zip(own, target, strict=True)
    }
    return a.like(kept, renamed(form, names))


def _no_more(a: AnyShapeArray, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if (
            value is not None
            and value is not np._NoValue
            and not (name == "where" and value is True)
        ):
            raise a.run.stop(f"the option {name} of a reduction")


def sum_(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **o):
    _no_more(a, {"out": out, **o})
    return _reduced(a, axis, keepdims, summed)


def count(a: AnyShapeArray, axis: Any) -> AnyShapeArray:
    total = a.length(tuple(s for k in _axes(a, axis) for s in a.axes[k]))
    return operand(a.run, total)


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **o):
    return sum_(a, axis, None, out, keepdims, **o) / count(a, axis)


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, correction: Any = None, **o: Any,
) -> Any:  # fmt: skip
    if correction is not None and correction is not np._NoValue:
        ddof = correction
    gaps = a - mean(a, axis, keepdims=True)
    return sum_(gaps * gaps, axis, None, out, keepdims, **o) / (count(a, axis) - ddof)


def std(*args: Any, **kwargs: Any) -> Any:
    return np.sqrt(var(*args, **kwargs))


def max_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **o: Any) -> Any:
    _no_more(a, {"out": out, **o})

    def combine(form: Form, indices: list[Index]) -> Form:
        return greatest(form, indices) if indices else form

    return _reduced(a, axis, keepdims, combine)


def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    if out is not None or axis is None or keepdims is not True:
        raise a.run.stop("argmax without an axis that is kept")
    return Place(a, normalize_axis_index(axis, a.ndim))


def take_along_axis(a: Any, indices: Any, axis: Any = -1) -> Any:
    known = type(indices) is Place and indices.array.axes == a.axes
    if not known or normalize_axis_index(axis, a.ndim) != indices.axis:
        raise run_of(a).stop("take_along_axis at other places than where an array is greatest")
    own = a.indices[indices.axis]
    if not own:
        return copy(a)
    form = greatest(a.form, own, indices.array.form)
    return a.like([() if k == indices.axis else axis for k, axis in enumerate(a.axes)], form)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    vector = isinstance(axis, int) or (axis is None and x.ndim == 1)
    pair = not vector and (axis is None or len(axis) == 2)
    if not (ord is None or (ord == 2 and vector) or (ord == "fro" and pair)):
        raise x.run.stop(f"the norm of order {ord}")
    return np.sqrt(sum_(x * x, axis, keepdims=keepdims))


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    if b is not None or return_sign:
        raise a.run.stop("logsumexp with weights or a sign")
    return np.log(sum_(np.exp(a), axis, keepdims=keepdims))


def softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(x)
    return e / sum_(e, axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    return x - logsumexp(x, axis, keepdims=True)


# Choices


def where(condition: Any, *choices: Any) -> Any:
    run = run_of(condition, *choices)
    if len(choices) != 2:
        raise run.stop("the places where a mask is true")
    mask, a, b = (operand(run, v) for v in (condition, *choices))
    if not mask.boolean and mask.form.constant is None:
        raise run.stop("a choice by numbers")
    axes = broadcast_axes(run, [mask.axes, a.axes, b.axes])
    # One of several values, not a part of each: what is left out need not be defined.
    form = mask.form * a.form + (number(1) - mask.form) * b.form
    return AnyShapeArray(run, axes, form)


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **kwargs: Any) -> Any:
    low, high = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    run = run_of(a, low, high)
    if out is not None or kwargs:
        raise run.stop("clip with such options")
    found = operand(run, a)
    if low is not None and low is not np._NoValue:
        found = np.maximum(found, low)
    return found if high is None or high is np._NoValue else np.minimum(found, high)


def truth(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **o: Any) -> Any:
    """``np.all`` and ``np.any`` of what is the same everywhere."""
    if not a.boolean or a.form.constant is None or axis is not None:
        raise a.run.stop("whether all entries of a mask are true")
    return bool(a.form.constant)


# What moves axes


def transpose(a: Any, axes: Any = None, *more: Any) -> Any:
    order = (axes, *more) if isinstance(axes, int) else axes
    if order is None:
        order = reversed(range(a.ndim))
    return a.laid_out([[normalize_axis_index(k, a.ndim)] for k in order])


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(a.ndim))
    x, y = normalize_axis_index(axis1, a.ndim), normalize_axis_index(axis2, a.ndim)
    order[x], order[y] = order[y], order[x]
    return transpose(a, order)


def matrix_transpose(a: Any) -> Any:
    return swapaxes(a, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    start = normalize_axis_tuple(source, a.ndim)
    end = normalize_axis_tuple(destination, a.ndim)
    order = [k for k in range(a.ndim) if k not in start]
    for place, k in sorted(zip(end, start, strict=True)):
        order.insert(place, k)
    return transpose(a, order)


def expand_dims(a: Any, axis: Any) -> Any:
    many = axis if isinstance(axis, (tuple, list)) else (axis,)
    places = normalize_axis_tuple(many, a.ndim + len(many))
    rest = iter(range(a.ndim))
    return a.laid_out([[] if k in places else [next(rest)] for k in range(a.ndim + len(many))])


def squeeze(a: Any, axis: Any = None) -> Any:
    gone = _axes(a, axis)
    if axis is None:
        gone = tuple(k for k in gone if a.length(a.axes[k]) == 1)
    if any(a.axes[k] for k in gone):
        raise a.run.stop("squeeze of an axis of any size")
    return a.laid_out([[k] for k in range(a.ndim) if k not in gone])


def ravel(a: Any, order: Any = "C") -> Any:
    if order != "C":
        raise a.run.stop(f"ravel in the order {order}")
    return a.laid_out([list(range(a.ndim))])


def reshape(a: Any, *shape: Any, order: Any = "C", **kwargs: Any) -> Any:
    """Axes may be joined, and split where they were joined."""
    shape = shape or (kwargs.pop("shape"),)
    given = shape[0] if len(shape) == 1 else shape
    lengths = list(given) if isinstance(given, (tuple, list)) else [given]
    if order != "C" or kwargs:
        raise a.run.stop("reshape in another order")
    symbols = [s for axis in a.axes for s in axis]
    known = [None if type(n) is not Size and n == -1 else axes_from(a.run, n)[0] for n in lengths]
    free = len(symbols) - sum(len(axis) for axis in known if axis is not None)
    axes: list[Axis] = []
    taken = 0
    for axis in known:
        width = free if axis is None else len(axis)
        axes.append(matched(a.run, tuple(symbols[taken : taken + width]), axis) if axis is not None
                    else tuple(symbols[taken : taken + max(width, 0)]))  # fmt: skip
        taken += width
    if taken != len(symbols) or free < 0:
        raise a.run.stop(f"a reshape to {tuple(lengths)}")
    before, after = a.flat_indices, [i for axis in indices_of(axes) for i in axis]
    return a.view(axes, renamed(a.form, dict(zip(before, after, strict=True))))


def broadcast_to(a: Any, shape: Any, subok: bool = False) -> Any:
    run = run_of(a, *(shape if isinstance(shape, (tuple, list)) else [shape]))
    found = broadcast(operand(run, a), axes_from(run, shape))
    found.shared = True
    return found


def copy(a: Any, *args: Any, **kwargs: Any) -> Any:
    found = a.like(a.axes, a.form)
    found.boolean = a.boolean
    return found


def astype(a: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    dtype = np.dtype(dtype)
    if not (dtype == np.float64 or dtype == a.dtype or (a.boolean and dtype.kind in "iu")):
        raise a.run.stop(f"astype({dtype})")
    found = copy(a)
    found.boolean = dtype.kind == "b"
    return found


# Arrays of one value


def spread(run: Run, shape: Any, value: Any) -> AnyShapeArray:
    """An array of that shape that holds the value everywhere."""
    return broadcast(operand(run, value), axes_from(run, shape))


def identity(run: Run, n: Any, m: Any = None) -> AnyShapeArray:
    rows = axes_from(run, n)
    columns = rows if m is None else axes_from(run, m)
    axis = matched(run, rows[0], columns[0])
    (i,), (j,) = indices_of([axis, axis]) if len(axis) == 1 else ([None], [None])
    if i is None or j is None:
        raise run.stop("an identity matrix of that size")
    return AnyShapeArray(run, [axis, axis], delta(i, j))


def _like(value: Any) -> Callable[..., Any]:
    def like(a: Any, *args: Any, shape: Any = None, **kwargs: Any) -> Any:
        filled = args[0] if value is None else value
        if shape is not None:
            return spread(a.run, shape, filled)
        return broadcast(operand(a.run, filled), a.axes)

    return like


# Ufuncs


def call_ufunc(run: Run, ufunc: Any, method: str, inputs: tuple, kwargs: dict[str, Any]) -> Any:
    """What ``__array_ufunc__`` does."""
    out = kwargs.pop("out", None)
    for harmless in ("dtype", "casting", "order", "subok"):
        kwargs.pop(harmless, None)
    result = run.watch(_ufunc, run, ufunc.__name__, method, inputs, kwargs)
    if out is None:
        return result
    (target,) = out if isinstance(out, tuple) else (out,)
    if type(target) is not AnyShapeArray:
        raise run.stop("a result is written into an array of fixed size")
    target.store(result)
    return target


def _ufunc(run: Run, name: str, method: str, inputs: tuple, kwargs: dict[str, Any]) -> Any:
    arrays = [operand(run, x) for x in inputs]
    if method == "__call__" and name == "matmul" and not kwargs:
        return matrix_product(run, *arrays)
    if method == "__call__" and name == "vecdot" and not kwargs:
        return sum_(arrays[0] * arrays[1], axis=-1)
    if method == "reduce" and name in ("add", "maximum"):
        kwargs.setdefault("axis", 0)
        return (sum_ if name == "add" else max_)(arrays[0], **kwargs)
    known = name in UFUNCS or name in KINKED or name in MASKS
    if kwargs or method not in ("__call__", "outer") or not known:
        raise run.stop(f"{name}{'' if method == '__call__' else '.' + method} at every size")
    if method == "outer":
        a, b = arrays
        arrays[0] = a.laid_out([*([k] for k in range(a.ndim)), *([] for _ in range(b.ndim))])
    axes = broadcast_axes(run, [a.axes for a in arrays])
    masks = all(a.boolean for a in arrays)
    if name in LOGICAL and not masks:
        raise run.stop(f"{name} of numbers")
    if name in ("add", "maximum", "minimum") and masks:
        name = "logical_and" if name == "minimum" else "logical_or"
    run.aside = run.aside or name in KINKED
    rule = UFUNCS.get(name) or KINKED.get(name) or MASKS[name]
    found = AnyShapeArray(run, axes, rule(*(a.form for a in arrays)))
    found.boolean = name in MASKS or name in COMPARISONS
    return found


# The tables

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: sum_, np.mean: mean, np.var: var, np.std: std, np.max: max_, np.amax: max_,
    np.where: where, np.clip: clip, np.all: truth, np.any: truth,
    np.argmax: argmax, np.take_along_axis: take_along_axis,
    np.matmul: matmul, np.dot: dot, np.inner: inner, np.vdot: vdot, np.outer: outer,
    np.tensordot: tensordot, np.einsum: einsum, np.trace: trace, np.diagonal: diagonal,
    np.linalg.norm: norm, np.linalg.outer: outer, np.linalg.trace: trace,
    np.linalg.matmul: matmul, np.linalg.tensordot: tensordot,
    np.transpose: transpose, np.swapaxes: swapaxes, np.moveaxis: moveaxis,
    np.matrix_transpose: matrix_transpose, np.linalg.matrix_transpose: matrix_transpose,
    np.expand_dims: expand_dims, np.squeeze: squeeze, np.ravel: ravel, np.reshape: reshape,
    np.broadcast_to: broadcast_to, np.copy: copy,
    np.zeros_like: _like(0), np.empty_like: _like(0), np.ones_like: _like(1),
    np.full_like: _like(None),
    np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.real: lambda a: a,
    np.iscomplexobj: lambda a: False, np.isrealobj: lambda a: True,
    np.result_type: lambda *a: np.dtype(np.float64),
}  # fmt: skip

_METHODS: dict[str, Callable[..., Any]] = {
    "sum": sum_, "mean": mean, "var": var, "std": std, "max": max_, "argmax": argmax, "dot": dot,
    "trace": trace, "diagonal": diagonal, "transpose": transpose, "swapaxes": swapaxes,
    "squeeze": squeeze, "ravel": ravel, "reshape": reshape, "copy": copy, "astype": astype,
    "conj": copy, "conjugate": copy, "clip": clip, "all": truth, "any": truth,
    "flatten": lambda a, order="C": copy(ravel(a, order)),
    "item": lambda a: a if not any(a.axes) else a._refuse(),
    "fill": lambda a, value: a.store(value),
}  # fmt: skip


def method(name: str) -> Callable[..., Any] | None:
    """The method of an array that has that name."""
    return _METHODS.get(name)


def call_function(run: Run, function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What ``__array_function__`` does."""
    ours = FUNCTIONS.get(function)
    if ours is None:
        raise run.stop(f"{getattr(function, '__name__', function)} at every size")
    given = (operand(run, a) if type(a) is Size else a for a in args)
    return run.watch(ours, *given, **kwargs)
