"""Where does a formula have a value? The conditions under which its logarithms and roots exist.

A cell that is known from a point at which forward has no value says nothing of the points at which
it has one. So what was violated there becomes a condition of the cells, like those of the code.

May import: :mod:`symbolic`, and of :mod:`verify` the types of what it works on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from symbolic.graph import Graph, Node, topological
from symbolic.values import Condition

if TYPE_CHECKING:
    from verify.explore import Explorer
    from verify.instance import TracedRun

__all__ = ["Definedness", "defining"]

_POSITIVE = frozenset({"log", "gammaln", "loggamma"})
_INSIDE_ONE = frozenset({"arctanh", "erfinv"})
_UP_TO_ONE = frozenset({"arcsin", "arccos"})


def defining(graph: Graph, outputs: Sequence[Node]) -> list[Condition]:
    """What has to hold for the outputs to exist, each condition once.

    Poles are left out: they are met nowhere but on themselves.

    Examples
    --------
    >>> g = Graph()
    >>> x = g.variable("x")
    >>> sorted(c.sign for c in defining(g, [g.apply("log", x), g.sqrt(g.sub(g.one, x))]))
    ['>', '>=']
    """
    found: dict[Condition, None] = {}
    for node in topological(outputs):
        condition = _of(graph, node)
        if condition is not None and condition.gap.op not in ("const", "float"):
            found[condition] = None
    return list(found)


def _of(graph: Graph, node: Node) -> Condition | None:
    """The condition under which one operation has a value, where there is one."""
    if node.op in _POSITIVE:
        return Condition(node.args[0], "<=", False)
    if node.op == "sqrt":
        return Condition(node.args[0], "<", False)
    if node.op in _INSIDE_ONE or node.op in _UP_TO_ONE:
        square = graph.mul(node.args[0], node.args[0])
        return Condition(
            graph.sub(graph.one, square), "<=" if node.op in _INSIDE_ONE else "<", False
        )
    if node.op == "arccosh":
        return Condition(graph.sub(node.args[0], graph.one), "<", False)
    if node.op == "pow":
        base, exponent = node.args
        if exponent.op != "const":
            return Condition(base, "<=", False)
        if exponent.args[0].denominator != 1:
            return Condition(base, "<" if exponent.args[0] > 0 else "<=", False)
    return None


class Definedness:
    """What forward's value rests on in an explorer's cells, as far as it was seen to matter.

    Attributes
    ----------
    rests_on : set of Condition
        Each is a condition of the cells that need it.
    """

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self.rests_on: set[Condition] = set()
        self._known: dict[tuple[Node, ...], list[Condition]] = {}

    def attach(self, run: TracedRun) -> None:
        """Put what forward's value rests on before a run's conditions, where it matters.

        It does where forward was seen to have no value for that: there the condition is that it
        does not hold.
        """
        if np.all(np.isfinite(run.values)):
            needed = [c for c in self._needed(run) if c in self.rests_on]
            run.put_first(needed)
            return
        needed = self._needed(run)
        gaps = self.explorer.gaps_at(needed, run.point)
        broken = next((c for c, v in zip(needed, gaps, strict=True) if not c.holds(v)), None)
        if broken is None:
            return
        if broken not in self.rests_on:
            self.rests_on.add(broken)
            self._renew()
        run.put_first([replace(broken, outcome=not broken.outcome)])

    def _needed(self, run: TracedRun) -> list[Condition]:
        outputs = tuple(run.outputs)
        if outputs not in self._known:
            self._known[outputs] = defining(self.explorer.instance.graph, outputs)
        return self._known[outputs]

    def _renew(self) -> None:
        """Give the cells with values the conditions that these now rest on."""
        cells = list(self.explorer.cells.values())
        for cell in cells:
            if not cell.outside:
                cell.run.put_first([c for c in self._needed(cell.run) if c in self.rests_on])
                cell.renew(self.explorer.key(cell.run, cell.outside))
        self.explorer.renew(cells)
