"""Can these conditions hold together? A proof that they cannot, or nothing.

Two arguments are tried, both sound: intervals (a square is not negative, an exponential is
positive, within the bounds of the domain) and linear arithmetic over what is not linear taken as an
unknown of its own (three entries cannot each be larger than the next).

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf

import numpy as np

from symbolic.graph import Node, topological
from symbolic.values import Condition

__all__ = ["Bounds", "affine", "infeasible", "interval_of"]

Bounds = dict[str, tuple[float, float]]

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


# Intervals: (low, high), closed, with a flag that zero itself is excluded.


def interval_of(
    node: Node, bounds: Bounds, signs: Mapping[Node, tuple[float, float, bool]] | None = None
) -> tuple[float, float, bool]:
    """Bounds of an expression's values, and whether zero is certainly not among them.

    ``signs`` gives what is known already of some subexpressions. Outward rounding is replaced by
    using the result for its signs only: every rule keeps the sign of a bound exactly.
    """
    done: dict[Node, tuple[float, float, bool]] = {}
    for n in topological([node]):
        found = _interval_step(n, done, bounds)
        if signs and n in signs:
            low, high, away = signs[n]
            found = max(found[0], low), min(found[1], high), found[2] or away
        done[n] = found
    return done[node]


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


def _interval_step(
    n: Node, done: dict[Node, tuple[float, float, bool]], bounds: Bounds
) -> tuple[float, float, bool]:
    everything = (-inf, inf, False)
    op = n.op
    if op == "var":
        low, high = bounds.get(n.args[0], (-inf, inf))
        return low, high, low >= 0 or high <= 0  # a domain is open: its bounds are not in it
    if op in ("const", "float"):
        v = float(n.args[0])
        return (v, v, v != 0) if v == v else everything
    if op in ("pi", "euler"):
        return 0.5, 3.2, True
    args = [done[c] for c in n.children]
    if op == "add":
        (a, b, p), (c, d, q) = args
        low, high = _sum(a, c, -inf), _sum(b, d, inf)
        away = (a >= 0 and c >= 0 and (p or q)) or (b <= 0 and d <= 0 and (p or q))
        return low, high, away or low > 0 or high < 0
    if op == "mul":
        (a, b, p), (c, d, q) = args
        if n.args[0] is n.args[1]:
            top = max(_product(a, a), _product(b, b))
            return 0.0, top, p
        products = [_product(x, y) for x in (a, b) for y in (c, d)]
        return min(products), max(products), p and q
    if op == "div":
        (a, b, p), (c, d, q) = args
        if c >= 0 or d <= 0:
            sign = 1 if c >= 0 else -1
            if a >= 0:
                return (0.0, inf, p) if sign > 0 else (-inf, 0.0, p)
            if b <= 0:
                return (-inf, 0.0, p) if sign > 0 else (0.0, inf, p)
        return -inf, inf, p
    if op == "pow":
        (a, b, p), _ = args
        if n.args[1].op == "const":
            k = n.args[1].args[0]
            if k.denominator == 1 and k % 2 == 0:
                return 0.0, inf, p or k < 0
            if a >= 0 or k.denominator % 2 == 0:
                return 0.0, inf, p or k < 0
            return (-inf, 0.0, p) if b <= 0 and k.denominator == 1 else (-inf, inf, p)
        return (0.0, inf, p) if a >= 0 else everything
    if op == "exp":
        a, b, _ = args[0]
        low = 1.0 if a >= 0 else 0.0
        return low, (1.0 if b <= 0 else inf), True
    if op == "cosh":
        return 1.0, inf, True
    if op in ("gamma",) and args[0][0] >= 0:
        return 0.0, inf, True
    if op == "erfc":
        return 0.0, 2.0, True
    if op in ("sin", "cos"):
        return -1.0, 1.0, False
    if op in ("tanh", "erf"):
        a, b, p = args[0]
        return (0.0 if a >= 0 else -1.0), (0.0 if b <= 0 else 1.0), p
    if op in ("arctan", "sinh", "arcsinh", "arctanh", "arcsin", "sign", "erfinv"):
        a, b, p = args[0]
        return (0.0 if a >= 0 else -inf), (0.0 if b <= 0 else inf), p
    if op == "log":
        a, b, _ = args[0]
        return (0.0 if a >= 1 else -inf), (0.0 if b <= 1 else inf), a > 1 or b < 1
    if op == "floor":
        a, b, _ = args[0]
        return (np.floor(a) if a > -inf else a), b, a >= 1 or b < 0
    if op == "arccosh":
        return 0.0, inf, False
    if op in ("besseli", "besselk") and args[1][0] >= 0:
        return 0.0, inf, op == "besselk"
    return everything


def _sum(a: float, b: float, otherwise: float) -> float:
    total = a + b
    return otherwise if total != total else total


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


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
    return _linear(list(prefix), last, bounds)


def covered(cells: Sequence[Sequence[Condition]], bounds: Bounds, most: int = 400) -> bool:
    """Whether the cells certainly cover the whole domain.

    What a cell leaves over is cut into regions, on each of which one more of its conditions fails;
    each must be empty, or be covered by the other cells.

    Parameters
    ----------
    cells : sequence of sequence of Condition
    bounds : dict
    most : int
        How many regions to look at before giving up.
    """
    budget = [most]

    def rest(region: list[Condition], left: list[Sequence[Condition]]) -> bool:
        # The cell that leaves the least over comes first: one whose conditions hold already.
        for k, cell in enumerate(left):
            inside = list(region)
            pieces: list[Condition] = []
            hopeless = False
            for c in cell:
                budget[0] -= 1
                if budget[0] < 0:
                    return False
                if infeasible(inside, c, bounds):
                    hopeless = True
                    break
                negation = Condition(c.gap, c.relation, not c.outcome)
                if not infeasible(inside, negation, bounds):
                    pieces.append(negation)
                inside.append(c)
            if hopeless:
                continue
            others = [*left[:k], *left[k + 1 :]]
            before = list(region)
            j = 0
            for c in cell:
                if j < len(pieces) and pieces[j].gap is c.gap and pieces[j].relation == c.relation:
                    if not rest([*before, pieces[j]], others):
                        return False
                    j += 1
                before.append(c)
            return True
        return False

    return rest([], list(cells))


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


def _linear(prefix: list[Condition], last: Condition, bounds: Bounds) -> bool:
    from scipy.optimize import linprog

    memo: dict[Node, Affine] = {}
    rows = [(affine(c.gap, memo), c.sign) for c in prefix if c.sign != "!="]
    goal = (affine(last.gap, memo), last.sign)
    if last.sign == "!=":
        # Excluded only where both sides are: gap < 0 and gap > 0.
        return all(
            _linear(prefix, Condition(last.gap, relation, outcome), bounds)
            for relation, outcome in (("<", True), ("<=", False))
        )
    atoms = [a for a in goal[0] if a is not None]
    if not atoms:
        value = goal[0].get(None, Fraction(0))
        return _excluded(last.sign, float(value), float(value), value != 0)
    # Only rows that share atoms, directly or not, can matter.
    known = set(atoms)
    relevant: list[tuple[Affine, str]] = []
    grew = True
    pending = rows
    while grew:
        grew = False
        rest = []
        for row in pending:
            if any(a in known for a in row[0] if a is not None):
                relevant.append(row)
                known.update(a for a in row[0] if a is not None)
                grew = True
            else:
                rest.append(row)
        pending = rest
    if not relevant and len(atoms) == 1 and atoms[0].op == "var":
        return False
    index = {a: i for i, a in enumerate(known)}
    n = len(index)
    upper, limits, equal, values = [], [], [], []
    strict = False

    def add(form: Affine, sign: str) -> None:
        nonlocal strict
        row = np.zeros(n + 1)
        for atom, c in form.items():
            if atom is not None:
                row[index[atom]] = float(c)
        constant = float(form.get(None, Fraction(0)))
        if sign == "==":
            equal.append(row)
            values.append(-constant)
            return
        if sign in (">", ">="):
            row, constant = -row, -constant
        if sign in ("<", ">"):
            row[n] = 1.0  # the slack that is maximised: strict where it can be positive
            strict = True
        upper.append(row)
        limits.append(-constant)

    for form, sign in [*relevant, goal]:
        add(form, sign)
    box = []
    for atom in index:
        if atom.op == "var":
            low, high = bounds.get(atom.args[0], (-inf, inf))
        else:
            low, high, _ = interval_of(atom, bounds)
        box.append((None if low == -inf else low, None if high == inf else high))
    cost = np.zeros(n + 1)
    cost[n] = -1.0
    result = linprog(
        cost,
        A_ub=np.array(upper) if upper else None,
        b_ub=np.array(limits) if limits else None,
        A_eq=np.array(equal) if equal else None,
        b_eq=np.array(values) if values else None,
        bounds=[*box, (0, 1)],
        method="highs",
    )
    if result.status == 2:
        return True
    return bool(strict and result.status == 0 and float(result.fun or 0.0) >= -1e-9)
