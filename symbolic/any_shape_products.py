"""Products of arrays of any size: each one contraction with labelled axes.

May import: :mod:`symbolic.any_shape_array`, :mod:`symbolic.any_shape_operands`,
:mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.index_sums`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from numpy.lib.array_utils import normalize_axis_index

from symbolic.any_shape_array import AnyShapeArray, Run, indices_of
from symbolic.any_shape_operands import matched, operand, run_of
from symbolic.index_form import Index, fresh, renamed
from symbolic.index_functions import number
from symbolic.index_sums import summed

__all__ = [
    "diagonal", "dot", "einsum", "inner", "matmul", "matrix_product", "outer", "tensordot", "trace",
    "vdot",
]  # fmt: skip

Label = Hashable


def contract(
    run: Run,
    operands: Sequence[AnyShapeArray],
    labels: Sequence[Sequence[Label]],
    out: Sequence[Label],
) -> AnyShapeArray:
    """The product of arrays with labelled axes, summed over the labels that ``out`` lacks."""
    places: dict[Label, list[Index]] = {}
    total = number(1)
    for a, own in zip(operands, labels, strict=True):
        names: dict[Index, Index] = {}
        for axis, indices, label in zip(a.axes, a.indices, own, strict=True):
            if not axis:
                continue
            if not places.get(label):
                places[label] = [fresh(symbol) for symbol in axis]
            matched(run, tuple(s for _, s in places[label]), axis)
            names.update(zip(indices, places[label], strict=True))
        total = total * renamed(a.form, names)
    total = summed(total, [i for label, own in places.items() if label not in out for i in own])
    axes = [tuple(s for _, s in places.get(label, ())) for label in out]
    final = {
        i: j
        for label, target in zip(out, indices_of(axes), strict=True)
        for i, j in zip(places.get(label, ()), target, strict=True)
    }
    return AnyShapeArray(run, axes, renamed(total, final))


def matrix_product(run: Run, a: AnyShapeArray, b: AnyShapeArray) -> AnyShapeArray:
    if not a.ndim or not b.ndim:
        raise ValueError("matmul: an operand has no dimension")
    batch = [f"b{k}" for k in reversed(range(max(a.ndim, b.ndim, 2) - 2))]
    left = [*(["i"] if a.ndim > 1 else []), "k"]
    right = ["k", *(["j"] if b.ndim > 1 else [])]
    own_a = [*batch[len(batch) - max(a.ndim - 2, 0) :], *left]
    own_b = [*batch[len(batch) - max(b.ndim - 2, 0) :], *right]
    out = [*batch, *left[:-1], *right[1:]]
    if a.axes[-1] != b.axes[-2 if b.ndim > 1 else -1]:
        matched(run, a.axes[-1], b.axes[-2 if b.ndim > 1 else -1])
    return contract(run, [a, b], [own_a, own_b], out)


def matmul(a: Any, b: Any) -> Any:
    run = run_of(a, b)
    return matrix_product(run, operand(run, a), operand(run, b))


def dot(a: Any, b: Any, out: Any = None) -> Any:
    run = run_of(a, b)
    a, b = operand(run, a), operand(run, b)
    if not a.ndim or not b.ndim:
        return a * b
    own_a = [("a", k) for k in range(a.ndim)]
    own_b = [("b", k) for k in range(b.ndim)]
    own_a[-1] = own_b[-2 if b.ndim > 1 else -1] = ("k", 0)
    out_labels = [label for label in own_a + own_b if label != ("k", 0)]
    return contract(run, [a, b], [own_a, own_b], out_labels)


def inner(a: Any, b: Any) -> Any:
    run = run_of(a, b)
    a, b = operand(run, a), operand(run, b)
    return tensordot(a, b, ([-1], [-1])) if a.ndim and b.ndim else a * b


def _flat(a: AnyShapeArray) -> AnyShapeArray:
    return a.laid_out([list(range(a.ndim))])


def vdot(a: Any, b: Any) -> Any:
    run = run_of(a, b)
    return dot(_flat(operand(run, a)), _flat(operand(run, b)))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    run = run_of(a, b)
    a, b = _flat(operand(run, a)), _flat(operand(run, b))
    return contract(run, [a, b], ["i", "j"], "ij")


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    run = run_of(a, b)
    a, b = operand(run, a), operand(run, b)
    if isinstance(axes, int):
        pairs = [list(range(a.ndim - axes, a.ndim)), list(range(axes))]
    else:
        pairs = [[x] if isinstance(x, int) else list(x) for x in axes]
    own_a: list[Label] = [("a", k) for k in range(a.ndim)]
    own_b: list[Label] = [("b", k) for k in range(b.ndim)]
    for x, y in zip(*pairs, strict=True):
        x, y = normalize_axis_index(x, a.ndim), normalize_axis_index(y, b.ndim)
        own_b[y] = own_a[x]
    out = [label for label in own_a if label not in own_b]
    out += [label for label in own_b if label not in own_a]
    return contract(run, [a, b], [own_a, own_b], out)


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    run = run_of(*operands)
    if not isinstance(subscripts, str) or kwargs.get("out") is not None or "." in subscripts:
        raise run.stop("einsum of that form")
    given, arrow, out = subscripts.replace(" ", "").partition("->")
    labels = given.split(",")
    if not arrow:
        letters = "".join(labels)
        out = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return contract(run, [operand(run, a) for a in operands], labels, out)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, *rest: Any) -> Any:
    found = diagonal(a, offset, axis1, axis2)
    labels = list(range(found.ndim))
    return contract(found.run, [found], [labels], labels[:-1])


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    labels: list[Label] = list(range(a.ndim))
    x, y = normalize_axis_index(axis1, a.ndim), normalize_axis_index(axis2, a.ndim)
    if offset or not (a.axes[x] and a.axes[y]):
        raise a.run.stop("a diagonal beside the main one, or of an axis of length 1")
    matched(a.run, a.axes[x], a.axes[y])
    labels[y] = labels[x]
    out = [label for k, label in enumerate(labels) if k not in (x, y)]
    return contract(a.run, [a], [labels], [*out, labels[x]])
