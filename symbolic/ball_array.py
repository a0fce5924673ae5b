"""Arrays of balls: code run as it stands in rigorous arithmetic, with its slope along a direction.

The traced array of :mod:`symbolic.array` computes entries through the graph of its trace. Here that
graph keeps no expressions: each of its nodes is a power series over balls, ``value + slope t``, and
each operation is carried out at once. So one pass over the code gives the exact value and the exact
directional derivative of every output, enclosed, at a cost that grows with the number of operations
alone. Decisions are those of the floats beside.

May import: :mod:`symbolic.graph`, :mod:`symbolic.directional`, :mod:`symbolic.tracing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
from flint import arb, arb_series

from symbolic.balls import precision, to_arb
from symbolic.directional import LENGTH, series_arithmetic
from symbolic.graph import Graph, Node
from symbolic.primitives import LEAVES
from symbolic.tracing import nodes, symbol_array, traced_namespace
from symbolic.values import Trace, TraceError

__all__ = ["BallGraph", "Slopes", "slopes"]

_KEPT = frozenset({"floor", "ceil", "rint", "trunc"})  # names that the traced array asks for


class BallNode(Node):
    """A node that is its value: a power series over balls."""

    __slots__ = ("series",)

    def __init__(self, op: str, args: tuple, index: int, series: arb_series):
        super().__init__(op, args, index)
        self.series = series


class BallGraph(Graph):
    """Computes where :class:`~symbolic.graph.Graph` writes down.

    Parameters
    ----------
    values, direction : dict
        The value of each variable, a float, and its slope; zero where it is missing.
    """

    def __init__(self, values: Mapping[str, float], direction: Mapping[str, float]):
        self._values = values
        self._direction = direction
        self._arithmetic = series_arithmetic
        super().__init__()

    def make(self, op: str, *args: Any) -> Node:
        self._counter += 1
        if op == "var":
            (name,) = args
            slope = to_arb(self._direction.get(name, 0))
            series = arb_series([to_arb(self._values[name]), slope], LENGTH)
            return BallNode("var", args, self._counter, series)
        if op in LEAVES:
            return BallNode(op, args, self._counter, self._arithmetic.leaf(op, args))
        inner = [a.series for a in args]
        if op == "pow" and args[1].op == "const":
            series = self._arithmetic.power(inner[0], args[1].args[0])
        else:
            found = self._arithmetic.table.get(op)
            if found is None:
                raise TraceError(f"{op} is not known on power series of balls")
            series = found(*inner)
        return BallNode(op if op in _KEPT else "ball", (), self._counter, series)


@dataclass
class Slopes:
    """What one pass gave: for each output its values and slopes, arrays of balls in its shape.

    ``doubtful`` says that a decision could be otherwise within the balls: a tie, or a value that
    rounding puts on either side. The code took the side that the floats did.
    """

    values: list[np.ndarray]
    slopes: list[np.ndarray]
    doubtful: bool


@contextmanager
def _arithmetic(bits: int) -> Iterator[None]:
    with precision(bits):
        before = flint.ctx.cap
        flint.ctx.cap = LENGTH
        try:
            yield
        finally:
            flint.ctx.cap = before


def slopes(
    run: Callable[[Callable[[str], Any]], Sequence[Any]],
    values: Mapping[str, np.ndarray],
    direction: Mapping[str, np.ndarray],
    *code: Any,
    bits: int = 128,
) -> Slopes:
    """Run code on balls: values and directional derivatives.

    Parameters
    ----------
    run : callable
        ``run(array)`` runs the code and returns its outputs; ``array(name)`` gives it the traced
        array of that name.
    values, direction : dict of str to array
        Each array's floats, and the direction in which it moves; no direction, no movement.
    *code
        The functions that run, for their modules' names to be rebound.
    bits : int
        The working precision.

    Returns
    -------
    Slopes

    Raises
    ------
    TraceError
        Where the code cannot be followed, or an operation is not known on series.

    Examples
    --------
    >>> import numpy as np
    >>> f = lambda x: np.sum(np.exp(x) * x)
    >>> x = np.array([0.0, 1.0])
    >>> found = slopes(lambda array: [f(array("x"))], {"x": x}, {"x": np.array([1.0, 0.0])}, f)
    >>> float(found.slopes[0][()])
    1.0
    """
    flat = {f"{n}{_index(i)}": float(a[i]) for n, a in values.items() for i in np.ndindex(a.shape)}
    moves = {
        f"{n}{_index(i)}": float(a[i]) for n, a in direction.items() for i in np.ndindex(a.shape)
    }
    with _arithmetic(bits):
        graph = BallGraph(flat, moves)
        trace = Trace(graph)
        with traced_namespace(*code):
            outputs = run(lambda name: symbol_array(trace, name, values[name]))
            found = [nodes(o, graph) for o in outputs]
        doubtful = any(
            isinstance(c.gap, BallNode) and not c.is_equality and c.gap.series[0].contains(0)
            for c in trace.conditions
        )
        return Slopes(
            [_part(array, 0) for array in found], [_part(array, 1) for array in found], doubtful
        )


def _index(index: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, index))}]" if index else ""


def _part(array: Any, k: int) -> np.ndarray:
    out = np.empty(array.shape, dtype=object)
    for i in np.ndindex(array.shape):
        out[i] = array[i].series[k] if array[i].series.length() > k else arb(0)
    return out
