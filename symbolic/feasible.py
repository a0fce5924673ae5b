"""Can these conditions hold together? A proof that they cannot, or nothing.

Two arguments are tried, both sound: intervals (a square is not negative, an exponential is
positive, within the bounds of the domain) and the arithmetic of :mod:`symbolic.regions`.

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`, :mod:`symbolic.regions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf

from symbolic.graph import Node, topological
from symbolic.intervals import Bounds, interval_of
from symbolic.regions import Regions
from symbolic.values import Condition

__all__ = ["affine", "covered", "infeasible"]

Affine = dict[Node | None, Fraction]  # coefficient of each atom; None is the constant term


def affine(node: Node, memo: dict[Node, Affine] | None = None) -> Affine:
    """``node`` as a linear combination of atoms: variables, and what is not linear."""
    memo = {} if memo is None else memo
    for n in topological([node]):
        if n not in memo:
            memo[n] = _affine_step(n, memo)
    return memo[node]


def _affine_step(n: Node, memo: dict[Node, Affine]) -> Affine:
    if n.op == "const":
        return {None: n.args[0]}
    if n.op == "add":
        total = dict(memo[n.args[0]])
        for atom, c in memo[n.args[1]].items():
            total[atom] = total.get(atom, Fraction(0)) + c
        return {a: c for a, c in total.items() if c}
    if n.op == "mul":
        for a, b in (n.args, n.args[::-1]):
            left = memo[a]
            if set(left) <= {None}:
                k = left.get(None, Fraction(0))
                return {atom: k * c for atom, c in memo[b].items() if k * c}
    if n.op == "div":
        right = memo[n.args[1]]
        if set(right) == {None}:
            return {atom: c / right[None] for atom, c in memo[n.args[0]].items()}
    return {n: Fraction(1)}


_SIGNS = {
    "<": (-inf, 0.0, True),
    "<=": (-inf, 0.0, False),
    "==": (0.0, 0.0, False),
    "!=": (-inf, inf, True),
    ">": (0.0, inf, True),
    ">=": (0.0, inf, False),
}


def _known_signs(prefix: Sequence[Condition], node: Node) -> dict[Node, tuple[float, float, bool]]:
    """What the conditions say of subexpressions of ``node``: of a gap, or of its negative."""
    if node.op in ("add", "var") or not prefix:
        return {}
    memo: dict[Node, Affine] = {}
    facts: dict[frozenset, tuple[float, float, bool]] = {}
    for c in prefix:
        form = affine(c.gap, memo)
        low, high, away = _SIGNS[c.sign]
        for sign, fact in ((1, (low, high, away)), (-1, (-high, -low, away))):
            key = frozenset((atom, sign * k) for atom, k in form.items())
            old = facts.get(key, (-inf, inf, False))
            facts[key] = max(old[0], fact[0]), min(old[1], fact[1]), old[2] or fact[2]
    found = {}
    for n in topological([node]):
        if n is not node and n.op in ("add", "var", "mul", "div", "pow"):
            known = facts.get(frozenset(affine(n, memo).items()))
            if known is not None:
                found[n] = known
    return found


def infeasible(prefix: Sequence[Condition], last: Condition, bounds: Bounds) -> bool:
    """Whether ``last`` certainly cannot hold where all of ``prefix`` do.

    Parameters
    ----------
    prefix : sequence of Condition
    last : Condition
    bounds : dict
        Open bounds of the variables.
    """
    low, high, away = interval_of(last.gap, bounds, _known_signs(prefix, last.gap))
    if _excluded(last.sign, low, high, away):
        return True
    regions = Regions(bounds)
    regions.require([*prefix, last])
    return regions.empty()


def covered(cells: Sequence[Sequence[Condition]], bounds: Bounds) -> bool:
    """Whether the cells certainly cover the whole domain.

    Parameters
    ----------
    cells : sequence of sequence of Condition
    bounds : dict
    """
    regions = Regions(bounds)
    for cell in cells:
        regions.exclude(cell)
    return regions.empty()


def _excluded(sign: str, low: float, high: float, away: bool) -> bool:
    if sign == "<":
        return low >= 0
    if sign == "<=":
        return low > 0 or (low >= 0 and away)
    if sign == ">":
        return high <= 0
    if sign == ">=":
        return high < 0 or (high <= 0 and away)
    if sign == "==":
        return low > 0 or high < 0 or away
    return low == high == 0  # "!="
