"""Where does a formula have a value? The conditions under which its logarithms and roots exist.

A cell that is known from a point at which forward has no value says nothing of the points at which
it has one. So what was violated there becomes a condition of the cells, like those of the code.

May import: :mod:`symbolic`.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbolic.graph import Graph, Node, topological
from symbolic.values import Condition

__all__ = ["defining"]

_POSITIVE = frozenset({"log", "gammaln", "loggamma"})
_INSIDE_ONE = frozenset({"arctanh", "erfinv"})
_UP_TO_ONE = frozenset({"arcsin", "arccos"})


def defining(graph: Graph, outputs: Sequence[Node]) -> list[Condition]:
    """What has to hold for the outputs to exist, each condition once, in the order of evaluation.

    Poles are left out: they are met nowhere but on themselves.

    Examples
    --------
    >>> g = Graph()
    >>> x = g.variable("x")
    >>> [c.sign for c in defining(g, [g.apply("log", x), g.sqrt(g.sub(g.one, x))])]
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
