"""Whether two formulas are equal on a cell: proved, refuted, or unknown, in bounded time.

The order of the steps: the same node; both sides in balls at sample points, where a difference
beyond the rounding of constants refutes; normal forms, where a difference of zero proves; the same
"up to the rounding of constants"; SymPy on what is small.

Equal means: at every point that satisfies the facts and where both sides are defined.

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`, :mod:`symbolic.balls`,
:mod:`symbolic.normal_form`, :mod:`symbolic.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from symbolic.balls import difference_at
from symbolic.graph import Graph, Node, topological
from symbolic.limits import OutOfTime, time_limit
from symbolic.normal_form import Fact, NormalForms, implied_facts
from symbolic.tower import TooBig, Undefined
from symbolic.values import Condition

__all__ = ["Decision", "all_equal", "equal"]


@dataclass(frozen=True)
class Decision:
    """The answer to one question of equality.

    Attributes
    ----------
    status : str
        ``"proved"``, ``"refuted"`` or ``"unknown"``.
    method : str
        How, in a few words; for ``"unknown"`` what stood in the way.
    constants : dict
        The closed forms that floats in the formulas were taken for.
    witness : dict, optional
        Where refuted: the values of the variables at which the two sides differ.
    """

    status: str
    method: str
    constants: dict[float, str] = field(default_factory=dict)
    witness: dict[str, Any] | None = None

    @property
    def proved(self) -> bool:
        return self.status == "proved"

    @property
    def refuted(self) -> bool:
        return self.status == "refuted"


def equal(
    graph: Graph,
    a: Node,
    b: Node,
    facts: Sequence[Condition] = (),
    *,
    points: Sequence[Mapping[str, Any]] = (),
    seconds: float = 2.0,
) -> Decision:
    """Whether ``a`` equals ``b`` wherever the facts hold and both are defined.

    See :func:`all_equal`.

    Examples
    --------
    >>> g = Graph()
    >>> x = g.variable("x")
    >>> e = g.apply("exp", x)
    >>> left = g.div(e, g.add(e, g.one))
    >>> right = g.div(g.one, g.add(g.one, g.apply("exp", g.neg(x))))
    >>> equal(g, left, right).status
    'proved'
    """
    return all_equal(graph, [(a, b)], facts, points=points, seconds=seconds)[0]


def all_equal(
    graph: Graph,
    pairs: Sequence[tuple[Node, Node]],
    facts: Sequence[Condition] = (),
    *,
    points: Sequence[Mapping[str, Any]] = (),
    seconds: float = 2.0,
) -> list[Decision]:
    """Decide several equalities on one cell, sharing the work.

    Parameters
    ----------
    graph : Graph
        Of which all nodes are.
    pairs : sequence of (Node, Node)
    facts : sequence of Condition
        What holds on the cell.
    points : sequence of dict
        Exact values of the variables that satisfy the facts.
    seconds : float
        For all of the pairs together.

    Returns
    -------
    list of Decision
    """
    decisions: list[Decision | None] = [None] * len(pairs)
    constants = dict(graph.closed_forms)
    try:
        with time_limit(seconds):
            for i, (a, b) in enumerate(pairs):
                if a is b:
                    decisions[i] = Decision("proved", "identical", constants)
                else:
                    decisions[i] = _refute(a, b, points, constants)
            left = [i for i, d in enumerate(decisions) if d is None]
            if left:
                forms = _forms(graph, [n for i in left for n in pairs[i]], facts)
            for i in left:
                try:
                    x, y = forms.of(*pairs[i])
                    if forms.tower.equal(x, y):
                        decisions[i] = Decision("proved", "normal form", constants)
                    else:
                        decisions[i] = Decision("unknown", "different normal forms", constants)
                except TooBig:
                    decisions[i] = Decision("unknown", "too large for a normal form", constants)
                except Undefined:
                    decisions[i] = Decision("unknown", "division by zero", constants)
    except OutOfTime:
        pass
    return [d or Decision("unknown", "out of time", constants) for d in decisions]


def _refute(
    a: Node, b: Node, points: Sequence[Mapping[str, Any]], constants: dict[float, str]
) -> Decision | None:
    for point in points:
        difference = difference_at(a, b, point)
        if difference.differs and difference.relative > 1e-13:
            return Decision("refuted", "values in balls", constants, dict(point))
    return None


_CACHE: WeakKeyDictionary[Graph, dict[Any, NormalForms]] = WeakKeyDictionary()


def _forms(graph: Graph, nodes: Sequence[Node], facts: Sequence[Condition]) -> NormalForms:
    """The normal forms to work with: kept for each graph and set of facts."""
    known: list[Fact] = [(c.gap, c.sign) for c in facts]
    known += implied_facts(nodes)
    known = sorted(set(known), key=lambda fact: (fact[0].index, fact[1]))
    kept = _CACHE.setdefault(graph, {})
    key = tuple(known)
    forms = kept.get(key)
    if forms is None:
        if len(kept) >= 16:
            kept.pop(next(iter(kept)))
        count = len([n for n in topological(nodes) if n.op not in ("add", "mul", "div", "const")])
        forms = kept[key] = NormalForms(known, capacity=max(16, count + 12))
    return forms
