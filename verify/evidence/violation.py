"""A broken rule of the contract, and when two gradients count as the same.

May import: :mod:`verify.instance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.instance import FloatRun, Instance

__all__ = ["SAME", "Violation", "changed", "compared", "near", "same", "upstream_size"]

# Results of the same call in another memory layout may be summed in another order.
SAME = 1e-9


@dataclass
class Violation:
    """One broken rule: what, at which argument, at which point."""

    rule: str
    message: str
    argument: str | None = None
    point: np.ndarray | None = None
    entry: int | None = None
    expected: float | None = None
    actual: float | None = None


def near(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    return len(a) == len(b) and all(map(_alike, a, b))


def _alike(x: np.ndarray, y: np.ndarray) -> bool:
    size = float(np.max(np.abs(x[np.isfinite(x)]), initial=0.0))
    return x.shape == y.shape and np.allclose(x, y, rtol=SAME, atol=1e-13 * size, equal_nan=True)


def same(
    a: FloatRun, b: FloatRun, instance: Instance, scale: float
) -> tuple[int, float, float] | None:
    """The first entry at which two runs' gradients differ beyond rounding, or None."""
    if a.backward_error is not None or b.backward_error is not None:
        return None
    x, y = a.flat_grads(instance.pieces), b.flat_grads(instance.pieces)
    # An entry in which everything cancels is rounding alone: 1e-13 of the upstream is nothing.
    floor = max(1e-13, 512 * instance.eps if instance.eps > 1e-15 else 0.0) * scale
    relative = max(SAME, 64 * instance.eps)
    for piece in instance.pieces:
        part = slice(piece.start, piece.stop)
        u, v = x[part], y[part]
        finite = u[np.isfinite(u)]
        size = float(np.max(np.abs(finite), initial=0.0))
        same = (u == v) | (np.isnan(u) & np.isnan(v)) | (np.abs(u - v) <= relative * size + floor)
        if not np.all(same):
            i = int(np.argmin(same))
            return piece.start + i, float(np.real(u[i])), float(np.real(v[i]))
    return None


def upstream_size(instance: Instance, point: np.ndarray) -> float:
    return float(np.max(np.abs(point[instance.inputs :]), initial=0.0))


def compared(
    instance: Instance,
    point: np.ndarray,
    run: FloatRun,
    args: Sequence[Any],
    upstream: Sequence[Any],
    what: str,
) -> Iterator[Violation]:
    """Other arguments, equal in value, give the same gradient as a run did."""
    other = instance.run_with(args, upstream)
    if other.forward_error is not None:
        return
    if other.backward_error is not None:
        error = other.backward_error
        yield Violation(
            "layout", f"backward raises {type(error).__name__} for {what}: {error}", None, point
        )
        return
    text = f"the gradient (entry {{}}) is another for {what}"
    yield from changed(instance, point, run, other, "layout", text)


def changed(
    instance: Instance, point: np.ndarray, run: FloatRun, other: FloatRun, rule: str, text: str
) -> Iterator[Violation]:
    """Two runs give the same gradient; ``text`` has a place for the entry at which they do not."""
    difference = same(run, other, instance, upstream_size(instance, point))
    if difference is not None:
        i, expected, actual = difference
        piece, k = instance.owner(i)
        yield Violation(rule, text.format(piece.label(k)), piece.name, point, i, expected, actual)
