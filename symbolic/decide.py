"""Whether two formulas are equal on a cell: proved, refuted, or unknown, in bounded time.

The order of the steps: the same node; both sides in balls at sample points, where a difference
beyond the rounding of constants refutes; normal forms at a random point modulo a large prime, which
is cheap and says at once whether the rest can succeed; normal forms in full, where they are small;
both again up to the rounding of constants; SymPy on what is small.

Equal means: at every point that satisfies the facts and where both sides are defined.

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`, :mod:`symbolic.balls`,
:mod:`symbolic.normal_form`, :mod:`symbolic.residues`, :mod:`symbolic.rounding`,
:mod:`symbolic.sympy_bridge`, :mod:`symbolic.limits`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from symbolic.balls import difference_at, precision, to_arb
from symbolic.graph import Graph, Node, Program, topological
from symbolic.limits import OutOfTime, time_left, time_limit
from symbolic.normal_form import Fact, NormalForms, implied_facts
from symbolic.primitives import BALL
from symbolic.residues import Residues
from symbolic.rounding import beyond_rounding, close, floats_below, snap
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
    task = _Task(graph, pairs, facts, points)
    try:
        with time_limit(seconds):
            task.identical()
            task.refute()
            task.residues()
            task.normal_forms(0.5 * seconds)
            task.up_to_rounding()
            task.sympy(0.8 * seconds)
    except OutOfTime:
        task.give_up("out of time")
    except TooBig:  # more facts than a tower of generators holds
        task.give_up("too large")
    return task.answers()


class _Task:
    """The pairs still open, and the steps that settle them."""

    def __init__(
        self,
        graph: Graph,
        pairs: Sequence[tuple[Node, Node]],
        facts: Sequence[Condition],
        points: Sequence[Mapping[str, Any]],
    ):
        self.graph = graph
        self.pairs = list(pairs)
        self.facts = facts
        self.points = list(points)
        self.decisions: list[Decision | None] = [None] * len(self.pairs)
        self.reasons: dict[int, str] = {}  # why a pair is still open
        self.undefined: set[int] = set()  # pairs of which one side alone is undefined at a point
        self.agree: set[int] = set()  # pairs that agree at some point
        self.constants = dict(graph.closed_forms)

    def open(self) -> list[int]:
        return [i for i, decision in enumerate(self.decisions) if decision is None]

    def prove(self, i: int, method: str) -> None:
        if i in self.undefined:
            self.reasons[i] = "equal in form, but one side is undefined at the sample point"
            self.decisions[i] = Decision("unknown", self.reasons[i], self.constants)
        else:
            self.decisions[i] = Decision("proved", method, self.constants)

    def give_up(self, reason: str) -> None:
        for i in self.open():
            self.reasons.setdefault(i, reason)

    def answers(self) -> list[Decision]:
        self.give_up("not decided")
        return [
            decision or Decision("unknown", self.reasons[i], self.constants)
            for i, decision in enumerate(self.decisions)
        ]

    # The steps

    def identical(self) -> None:
        for i, (a, b) in enumerate(self.pairs):
            if a is b:
                self.prove(i, "identical")

    def refute(self) -> None:
        """Both sides at the sample points, all pairs in one pass; closer looks where needed."""
        for point in self.points or self._draw_points():
            left = self.open()
            if not left:
                return
            program = Program([node for i in left for node in self.pairs[i]])
            with precision(_BITS):
                values = program.run(BALL, {n: to_arb(point[n]) for n in program.variables})
                verdicts = [_compare(values[2 * k], values[2 * k + 1]) for k in range(len(left))]
            for i, verdict in zip(left, verdicts, strict=True):
                self._judge(i, verdict, point)

    def _judge(self, i: int, verdict: str, point: Mapping[str, Any]) -> None:
        a, b = self.pairs[i]
        if verdict == "unclear":
            difference = difference_at(a, b, point)
            if difference.differs:
                verdict = "different"
            elif difference.left.finite != difference.right.finite:
                verdict = "undefined"
            elif difference.left.finite:
                verdict = "agree"
        if verdict == "different" and beyond_rounding(self.graph, a, b, point):
            self.decisions[i] = Decision("refuted", "values in balls", self.constants, dict(point))
        elif verdict == "undefined":
            if self.points:  # points of our own may lie outside of the domain
                self.undefined.add(i)
        elif verdict != "unclear":
            self.agree.add(i)

    def _draw_points(self) -> list[dict[str, Any]]:
        """Points of our own, where there are none: a few that satisfy the facts for certain."""
        left = self.open()
        nodes = [node for i in left for node in self.pairs[i]]
        gaps = [fact.gap for fact in self.facts]
        names = Program([*nodes, *gaps]).variables
        generator = random.Random(len(names))
        program = Program(gaps)
        found = []
        for attempt in range(24):
            signs = [(1, 1), (-1, -1), (1, -1), (-1, 1)][attempt % 4]
            point = {
                name: signs[k % 2] * round(generator.uniform(0.1, 3.0), 3)
                for k, name in enumerate(names)
            }
            with precision(_BITS):
                values = program.run(BALL, {n: to_arb(point[n]) for n in program.variables})
            if all(_holds(f.sign, v) for f, v in zip(self.facts, values, strict=True)):
                found.append(point)
                if len(found) == 4:
                    break
        return found

    def residues(self) -> None:
        """Which pairs have the same normal form, by its value modulo a prime."""
        self.same: set[int] = set()
        self.perhaps: set[int] = set()
        left = self.open()
        if not left:
            return
        self.forms, self.residue_point = _forms(
            self.graph, [node for i in left for node in self.pairs[i]], self.facts
        )
        for i in left:
            try:
                if self.residue_point.equal(*self.pairs[i]):
                    self.same.add(i)
                else:
                    self.reasons[i] = "different normal forms"
            except TooBig:
                self.reasons[i] = "too large"
                self.perhaps.add(i)
            except Undefined:
                self.reasons[i] = "a division by zero"

    def normal_forms(self, seconds: float) -> None:
        """The full normal forms of pairs that have the same residues: a proof without chance."""
        end = time_left() - seconds
        for i in self.open():
            if i not in self.same and i not in self.perhaps:
                continue
            share = (time_left() - end) / 4
            small = len(topological(self.pairs[i])) <= _EXACT_NODES
            if share > 0 and small and self._same_normal_form(i, share):
                self.prove(i, "normal form")
            elif i in self.same:
                self.prove(i, "normal form, at a random point modulo a prime of 256 bits")

    def _same_normal_form(self, i: int, seconds: float) -> bool:
        try:
            with time_limit(seconds):
                x, y = self.forms.of(*self.pairs[i])
                return self.forms.tower.equal(x, y)
        except (TooBig, Undefined):
            return False
        except OutOfTime:
            if time_left() <= 0:
                raise
            return False

    def up_to_rounding(self) -> None:
        """Pairs with floats: their constants snapped together, then coefficients compared."""
        for i in self.open():
            a, b = self.pairs[i]
            if not floats_below((a, b)):
                continue
            try:
                snapped = snap(self.graph, a, b)
                if snapped is not None and (
                    snapped[0] is snapped[1] or self.residue_point.equal(*snapped)
                ):
                    self.prove(i, "normal form, up to the rounding of constants")
                    continue
                x, y = self.forms.of(*(snapped or (a, b)))
                if close(self.forms, x, y):
                    self.prove(i, "normal form, up to the rounding of constants")
            except (TooBig, Undefined):
                continue

    def sympy(self, seconds: float) -> None:
        """SymPy's simplification, on small expressions that agree numerically."""
        left = [i for i in self.open() if i in self.agree and self._small(i)]
        for count, i in enumerate(left):
            share = min(seconds, time_left()) / (len(left) - count)
            try:
                with time_limit(share):
                    if _sympy_equal(*self.pairs[i]):
                        self.prove(i, "sympy simplify")
            except OutOfTime:
                if time_left() <= 0:
                    raise
            except Exception:  # SymPy raises all sorts of things on expressions that it cannot take
                continue

    def _small(self, i: int) -> bool:
        nodes = topological(self.pairs[i])
        # Floats are left out: SymPy would round them as it goes.
        return len(nodes) <= _SYMPY_NODES and all(node.op != "float" for node in nodes)


_BITS = 128
_SYMPY_NODES = 60
_EXACT_NODES = 400


def _compare(x: Any, y: Any) -> str:
    if not (x.is_finite() and y.is_finite()):
        return "unclear"
    gap = x - y
    if not gap.contains(0):
        return "different"
    size = max(abs(x).upper(), abs(y).upper())
    # 80 bits in common settle it for a filter; anything wider deserves more precision.
    return "agree" if gap.rad() <= size * 2.0**-80 else "unclear"


def _holds(sign: str, value: Any) -> bool:
    if not value.is_finite():
        return False
    return {
        "<": value < 0,
        "<=": value <= 0,
        "==": value.is_zero(),
        "!=": value != 0,
        ">=": value >= 0,
        ">": value > 0,
    }[sign]


def _sympy_equal(a: Node, b: Node) -> bool:
    import sympy as sp

    from symbolic.sympy_bridge import to_sympy

    x, y = to_sympy((a, b))
    difference = x - y
    for simplify in (sp.simplify, lambda e: sp.simplify(sp.expand_func(e.rewrite(sp.exp)))):
        if simplify(difference) == 0:
            return True
    return False


_CACHE: WeakKeyDictionary[Graph, dict[Any, tuple[NormalForms, Residues]]] = WeakKeyDictionary()


def _forms(
    graph: Graph, nodes: Sequence[Node], facts: Sequence[Condition]
) -> tuple[NormalForms, Residues]:
    """The normal forms to work with: kept for each graph and set of facts."""
    known: list[Fact] = [(c.gap, c.sign, 0) for c in facts]
    known += implied_facts(nodes)
    known = sorted(set(known), key=lambda fact: (fact[0].index, *fact[1:]))
    kept = _CACHE.setdefault(graph, {})
    key = tuple(known)
    pair = kept.get(key)
    if pair is None:
        if len(kept) >= 16:
            kept.pop(next(iter(kept)))
        count = len([n for n in topological(nodes) if n.op not in ("add", "mul", "div", "const")])
        forms = NormalForms(known, capacity=max(16, count + 12))
        pair = kept[key] = forms, Residues(forms)
    return pair
