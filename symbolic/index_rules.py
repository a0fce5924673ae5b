"""What the built-in Functions mean in index notation.

Every elementwise Function is covered by its own formula. Here are those that move, sum or mix
entries: reductions, products of matrices, and whatever merely selects entries.

May import: :mod:`symbolic.index_notation`, :mod:`symbolic.formulas`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from symbolic.index_notation import fresh, summed

__all__ = ["GATHERS", "RULES", "Indexed", "NoIndexForm", "gather", "new_axes"]

Axes = tuple[Any, ...]


class NoIndexForm(Exception):
    """A step that no rule here writes in indices: it is then known by its derivative alone."""


@dataclass
class Indexed:
    """An array in index notation: one index for each axis (0 on axes of length 1), and an entry."""

    shape: tuple[int, ...]
    axes: Axes
    entry: sp.Expr

    def at(self, indices: Sequence[Any]) -> sp.Expr:
        """The entry at the given indices, one for each axis."""
        return self.entry.xreplace(
            {a: i for a, i in zip(self.axes, indices, strict=True) if isinstance(a, sp.Symbol)}
        )

    def broadcast(self, indices: Sequence[Any]) -> sp.Expr:
        """The entry that stands at these indices after broadcasting."""
        return self.at(indices[len(indices) - len(self.axes) :])


def new_axes(shape: Sequence[int]) -> Axes:
    return tuple(sp.Integer(0) if n == 1 else fresh(1)[0] for n in shape)


def _reduced_axes(x: Indexed, axis: Any) -> list[int]:
    if axis is None:
        return list(range(len(x.shape)))
    return sorted(a % len(x.shape) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _total(entry: sp.Expr, x: Indexed, axes: Sequence[int]) -> sp.Expr:
    for a in reversed(axes):
        if x.shape[a] != 1:
            entry = summed(entry, x.axes[a], x.shape[a])
    return entry


def _reduction(build: Callable[..., sp.Expr]) -> Callable[..., Indexed]:
    def rule(x: Indexed, *, axis: Any = None, keepdims: bool = False, **keywords: Any) -> Indexed:
        axes = _reduced_axes(x, axis)
        count = prod(x.shape[a] for a in axes)
        entry = build(x, axes, count, **keywords)
        kept = [
            (1 if i in axes else n, sp.Integer(0) if i in axes else x.axes[i])
            for i, n in enumerate(x.shape)
            if keepdims or i not in axes
        ]
        return Indexed(tuple(n for n, _ in kept), tuple(a for _, a in kept), entry)

    return rule


def _variance(x: Indexed, axes: Sequence[int], count: int, ddof: float = 0) -> sp.Expr:
    # The mean's index is another one than that of the sum which it stands in.
    other = Indexed(x.shape, new_axes(x.shape), sp.Integer(0))
    entry = x.at(
        [o if i in axes else a for i, (a, o) in enumerate(zip(x.axes, other.axes, strict=True))]
    )
    mean = _total(entry, other, axes) / count
    return _total((x.entry - mean) ** 2, x, axes) / (count - sp.nsimplify(ddof))


def _norm(x: Indexed, axes: Sequence[int], count: int, ord: float = 2) -> sp.Expr:
    if ord == 2:
        return sp.sqrt(_total(x.entry**2, x, axes))
    if ord == 1:
        return _total(sp.Abs(x.entry), x, axes)
    raise NoIndexForm("a norm that is no sum")


def _softmax(x: Indexed, *, axis: int) -> Indexed:
    other = new_axes(x.shape)
    a = axis % len(x.shape)
    moved = Indexed(
        x.shape,
        tuple(o if i == a else n for i, (n, o) in enumerate(zip(x.axes, other, strict=True))),
        sp.Integer(0),
    )
    total = _total(sp.exp(x.at(moved.axes)), moved, [a])
    return Indexed(x.shape, x.axes, sp.exp(x.entry) / total)


def _log_softmax(x: Indexed, *, axis: int) -> Indexed:
    weight = _softmax(x, axis=axis)
    return Indexed(
        x.shape, x.axes, x.entry + sp.log(weight.entry / sp.exp(x.entry)).expand(force=True)
    )


def _matmul(x: Indexed, y: Indexed) -> Indexed:
    if len(x.shape) == 1 and len(y.shape) == 1:
        return _einsum(x, y, subscripts="i,i->")
    if len(y.shape) == 1:
        return _einsum(x, y, subscripts="...ij,j->...i")
    if len(x.shape) == 1:
        return _einsum(x, y, subscripts="i,...ij->...j")
    return _einsum(x, y, subscripts="...ij,...jk->...ik")


def _einsum(*operands: Indexed, subscripts: str) -> Indexed:
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    letters = [c for c in "ABCDEFGHIJKLMNOP" if c not in subscripts]
    most = 0
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        if "..." in term:
            count = len(x.shape) - len(term.replace("...", ""))
            most = max(most, count)
            terms[k] = term.replace("...", "".join(letters[:count][::-1]))
    output = output.replace("...", "".join(letters[:most][::-1]))
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), n)
    index = dict(zip(sizes, new_axes(list(sizes.values())), strict=True))
    entry = sp.Mul(
        *(x.at([index[c] for c in term]) for term, x in zip(terms, operands, strict=True))
    )
    for letter, n in reversed(sizes.items()):
        if letter not in output and n != 1:
            entry = summed(entry, index[letter], n)
    return Indexed(tuple(sizes[c] for c in output), tuple(index[c] for c in output), entry)


def _tensordot(x: Indexed, y: Indexed, *, axes: Any) -> Indexed:
    left = "abcdefgh"[: len(x.shape)]
    right = list("ijklmnop"[: len(y.shape)])
    for p, q in zip(axes[0], axes[1], strict=True):
        right[q % len(y.shape)] = left[p % len(x.shape)]
    shared = set(right)
    out = "".join(c for c in left if c not in shared) + "".join(c for c in right if c not in left)
    return _einsum(x, y, subscripts=f"{left},{''.join(right)}->{out}")


def _trace(x: Indexed, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Indexed:
    if offset or len(x.shape) != 2 or x.shape[0] != x.shape[1]:
        raise NoIndexForm("a trace off the diagonal")
    return _einsum(x, subscripts="ii->")


# For each Function: its rule, and what to call it in words.
RULES: dict[str, tuple[Callable[..., Indexed], str]] = {
    "Sum": (_reduction(lambda x, axes, n: _total(x.entry, x, axes)), "sum"),
    "Mean": (_reduction(lambda x, axes, n: _total(x.entry, x, axes) / n), "mean"),
    "Var": (_reduction(_variance), "variance"),
    "Std": (_reduction(lambda *a, **k: sp.sqrt(_variance(*a, **k))), "standard deviation"),
    "Norm": (_reduction(_norm), "norm"),
    "Logsumexp": (
        _reduction(lambda x, axes, n: sp.log(_total(sp.exp(x.entry), x, axes))),
        "logarithm of a sum of exponentials",
    ),
    "Softmax": (_softmax, "softmax"),
    "LogSoftmax": (_log_softmax, "logarithm of softmax"),
    "Matmul": (_matmul, "matrix product"),
    "Einsum": (_einsum, "sum of products"),
    "Tensordot": (_tensordot, "sum of products"),
    "Trace": (_trace, "trace"),
}

# Functions of which every entry is one entry of their argument.
_GATHERS = """
Reshape Transpose Moveaxis Swapaxes BroadcastTo Squeeze ExpandDims Flip Roll Repeat Tile Getitem
Diagonal TakeAlongAxis
"""
GATHERS = frozenset(_GATHERS.split())


def gather(x: Indexed, places: np.ndarray, selection: Callable[[np.ndarray], Indexed]) -> Indexed:
    """Entries selected from ``x``: an index renamed or fixed, else a product with a 0-1 array.

    Parameters
    ----------
    x : Indexed
    places : ndarray
        For each entry of the result, its flat place in ``x``.
    selection : callable
        Makes a constant array of index notation from its values.
    """
    axes = new_axes(places.shape)
    sources = np.unravel_index(places, x.shape) if x.shape else ()
    grid = np.indices(places.shape)
    indices: list[Any] = []
    unsolved: list[int] = []
    for m, source in enumerate(sources):
        found: Any = None
        if x.shape[m] == 1:
            found = sp.Integer(0)
        else:
            for d, n in enumerate(places.shape):
                if n == x.shape[m] and np.array_equal(source, grid[d]):
                    found = axes[d]
                    break
            if found is None and source.size and np.all(source == source.flat[0]):
                found = sp.Integer(int(source.flat[0]))
        if found is None:
            unsolved.append(m)
            found = fresh(1)[0]
        indices.append(found)
    entry = x.at(indices)
    if len(unsolved) > 1:
        raise NoIndexForm("a selection along several axes at once")
    for m in unsolved:
        chosen = (sources[m][..., None] == np.arange(x.shape[m])).astype(float)
        # Axes of the result on which the choice does not depend are left out of the selection.
        constant = [d for d in range(places.ndim) if np.all(chosen == chosen.take([0], axis=d))]
        chosen = chosen[
            tuple(slice(0, 1) if d in constant else slice(None) for d in range(places.ndim))
        ]
        entry = summed(selection(chosen).at([*axes, indices[m]]) * entry, indices[m], x.shape[m])
    return Indexed(places.shape, axes, entry)
