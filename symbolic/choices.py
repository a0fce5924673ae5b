"""Functions whose results are choices: ranks, assignments, nearest neighbours.

The library chooses by the values; the comparisons that the choice rests on are recorded, so that it
holds wherever they do.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linear_maps`,
:mod:`symbolic.wrappers`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise, permutations
from math import perm
from typing import Any

import numpy as np

from symbolic.array import is_traced, values, wrap
from symbolic.array_functions import as_traced, revalued
from symbolic.linear_maps import plain
from symbolic.values import TraceError, user_line
from symbolic.wrappers import is_active

__all__ = ["SCIPY_CHOICES", "SCIPY_SPATIAL", "SCIPY_SPATIAL_MAKERS", "rankdata", "traced_tree"]

_MOST_ASSIGNMENTS = 120
_MOST_NEIGHBOURS = 200


def rankdata(a: Any, method: Any = "average", *, axis: Any = None, **kwargs: Any) -> Any:
    """The ranks rest on the order of the entries and on which are equal."""
    from scipy import stats

    x = as_traced(a)
    lines = (
        x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    )
    for line in lines:
        ordered = np.sort(line)
        for lower, upper in pairwise(ordered):
            bool(lower == upper)
    return stats.rankdata(values(x), method, axis=axis, **kwargs)


def _linear_sum_assignment(cost_matrix: Any, maximize: bool = False) -> Any:
    """The assignment is chosen whose cost is at most that of each other one."""
    from scipy.optimize import linear_sum_assignment

    cost = as_traced(cost_matrix)
    rows, columns = linear_sum_assignment(values(cost), maximize)
    few, many = sorted(cost.shape)
    if perm(many, few) > _MOST_ASSIGNMENTS:
        raise TraceError(f"an assignment by traced costs of shape {cost.shape}", user_line())
    wide = len(cost) == few
    m = cost._entries if wide else cost._entries.T
    chosen: dict[Any, Any] = dict(zip(*((rows, columns) if wide else (columns, rows)), strict=True))
    best = tuple(chosen[i] for i in range(few))
    for other in permutations(range(many), few):
        if other != best:
            # Only where they differ: the rest is the same in both.
            moved = [i for i in range(few) if other[i] != best[i]]
            a, b = (sum(m[i, p[i]] for i in moved) for p in (best, other))
            _ = a >= b if maximize else a <= b
    return rows, columns


# Trees


def _query(
    tree: Any, query: Callable[..., Any], x: Any, k: Any = 1, eps: float = 0, p: float = 2,
    distance_upper_bound: float = np.inf, workers: int = 1,
) -> Any:  # fmt: skip
    """Each neighbour found is no further than the next, the last no further than any other."""
    if eps or distance_upper_bound < np.inf or p not in (1, 2, np.inf):
        raise TraceError("neighbours by a bound, roughly, or in another norm", user_line())
    x, points = as_traced(x), np.asarray(tree.data)
    if len(points) > _MOST_NEIGHBOURS:
        raise TraceError(f"neighbours of a traced point among {len(points)}", user_line())
    distance, index = query(values(x), k, eps, p, distance_upper_bound)
    if np.ndim(k) and list(k) != list(range(1, len(k) + 1)):
        raise TraceError("some of the nearest neighbours without the nearer ones", user_line())
    if np.any(index == len(points)):
        raise TraceError("more neighbours than there are points", user_line())
    found = np.reshape(index, x.shape[:-1] + (-1,))
    out = np.empty(found.shape, dtype=object)
    for at in np.ndindex(x.shape[:-1]):
        far = [_norm(x[at] - point, p) for point in points]
        chosen = list(found[at])
        rest = [i for i in range(len(points)) if i not in chosen]
        for a, b in pairwise(chosen):
            _ = far[a] <= far[b]
        for b in rest:
            _ = far[chosen[-1]] <= far[b]
        out[at] = [far[i].item() for i in chosen]
    distances = wrap(out.reshape(np.shape(index)), x.dtype, scalar=not np.shape(index))
    return revalued(np.sqrt(distances) if p == 2 else distances, distance), index


def _norm(difference: Any, p: float) -> Any:
    """The distance; its square in the ordinary norm."""
    if p == 2:
        return np.sum(difference * difference)
    size = np.abs(difference)
    return np.sum(size) if p == 1 else np.max(size)


class TracedTree:
    """A compiled tree of points that is asked for the neighbours of traced points."""

    def __init__(self, tree: Any):
        self._tree = tree

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tree, name)

    def query(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        if is_traced(x):
            return _query(self._tree, self._tree.query, x, *args, **kwargs)
        return self._tree.query(x, *args, **kwargs)


def traced_tree(value: Any) -> Any:
    """What stands for a ``cKDTree`` during a trace, or None."""
    return TracedTree(value) if type(value).__name__ == "cKDTree" else None


def _maker(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(data: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(data, *args, **kwargs)
        return TracedTree(original(plain(data, "data"), *args, **kwargs))

    return make


def _kdtree_query(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return _query(self, self.query, x, *args, **kwargs)


SCIPY_CHOICES: dict[str, Callable[..., Any]] = {"linear_sum_assignment": _linear_sum_assignment}
SCIPY_SPATIAL: dict[str, Callable[..., Any]] = {"KDTree.query": _kdtree_query}
SCIPY_SPATIAL_MAKERS = {"cKDTree": _maker}
