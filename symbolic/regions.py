"""Where no known cell reaches: exact reasoning about conditions, by the SMT solver z3.

Conditions become formulas over the reals: sums, products, quotients, roots and roundings exactly,
eigenvalues by their order, everything else (an exponential, a Bessel function) a number within its
bounds. So "no point is left" is a proof, and a point that is left is one to try: it may lie in a
new cell, or not exist.

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`, :mod:`symbolic.intervals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import inf
from typing import Any

from symbolic.graph import Node, topological
from symbolic.intervals import Bounds, interval_of
from symbolic.values import Condition

__all__ = ["Regions", "Unknown"]

_MOST_POWER = 4
_CONSTANTS = {
    "pi": ("3.141592653589793238", "3.141592653589793239"),
    "euler": ("0.577215664901532860", "0.577215664901532861"),
}


class Unknown(Exception):
    """The solver could not decide within its time."""


class Regions:
    """What is left of a domain when cells are taken away.

    Parameters
    ----------
    bounds : dict
        Open bounds of the variables; all reals where missing.
    milliseconds : int
        For one question.

    Examples
    --------
    >>> from symbolic.graph import Graph
    >>> g = Graph()
    >>> x, y = g.variable("x"), g.variable("y")
    >>> regions = Regions({})
    >>> regions.exclude([Condition(g.sub(x, y), "<", True)])
    >>> point = regions.point()
    >>> point["x"] >= point["y"]
    True
    >>> regions.exclude([Condition(g.sub(x, y), "<", False)])
    >>> regions.point() is None
    True
    """

    def __init__(self, bounds: Bounds, milliseconds: int = 300):
        import z3

        self._z3 = z3
        self.bounds = bounds
        self._solver = z3.Solver()
        self._solver.set("timeout", milliseconds)
        self._memo: dict[Node, Any] = {}
        self._variables: dict[str, Any] = {}
        self._gaps: dict[Node, Any] = {}
        self._spectra: dict[tuple[Node, ...], dict[Fraction, Any]] = {}  # in ascending order
        self._count = 0

    def exclude(self, cell: Sequence[Condition]) -> None:
        """Take a cell away."""
        conditions = [self._condition(c) for c in cell]
        self._solver.add(self._z3.Not(self._z3.And(conditions)))

    def require(self, conditions: Iterable[Condition]) -> None:
        """Keep only where these conditions hold."""
        for c in conditions:
            self._solver.add(self._condition(c))

    def point(self) -> dict[str, float] | None:
        """A point that is left, off all boundaries if it can be; None if there is certainly none.

        Raises
        ------
        Unknown
        """
        z3 = self._z3
        inside = [gap != 0 for gap in self._gaps.values()]
        found = self._solver.check(*inside)
        if found != z3.sat:
            found = self._solver.check()
        if found == z3.unsat:
            return None
        if found == z3.unknown:
            raise Unknown(self._solver.reason_unknown())
        model = self._solver.model()
        self._signs = [
            (gap, _sign(model.eval(gap, model_completion=True))) for gap in self._gaps.values()
        ]
        return {
            name: _float(model.eval(v, model_completion=True))
            for name, v in self._variables.items()
        }

    def forget(self) -> None:
        """Take away all that has the signs of the last point: it led to nothing new."""
        pattern = []
        for gap, sign in self._signs:
            if sign is not None:
                pattern.append(gap < 0 if sign < 0 else gap > 0 if sign > 0 else gap == 0)
        self._solver.add(self._z3.Not(self._z3.And(pattern)))

    def empty(self) -> bool:
        """Whether certainly nothing is left."""
        return bool(self._solver.check() == self._z3.unsat)

    # Formulas

    def _condition(self, c: Condition) -> Any:
        gap = self._gaps.get(c.gap)
        if gap is None:
            gap = self._gaps[c.gap] = self._formula(c.gap)
        if c.relation == "<":
            holds = gap < 0
        elif c.relation == "<=":
            holds = gap <= 0
        else:
            holds = gap == 0
        return holds if c.outcome else self._z3.Not(holds)

    def _formula(self, node: Node) -> Any:
        for n in topological([node]):
            if n not in self._memo:
                self._memo[n] = self._step(n)
        return self._memo[node]

    def _fresh(self, kind: str = "Real") -> Any:
        self._count += 1
        return getattr(self._z3, kind)(f"_{self._count}")

    def _step(self, n: Node) -> Any:
        op, z3 = n.op, self._z3
        if op == "var":
            name = n.args[0]
            v = self._variables[name] = z3.Real(name)
            self._bound(v, *self.bounds.get(name, (-inf, inf)), strict=True)
            return v
        if op in ("const", "float") and abs(n.args[0]) < inf:
            return z3.RealVal(str(Fraction(n.args[0])))
        if op in _CONSTANTS:
            v = self._fresh()
            low, high = (z3.RealVal(digits) for digits in _CONSTANTS[op])
            self._solver.add(v > low, v < high)
            return v
        children = [self._memo[c] for c in n.children]
        if op == "add":
            return children[0] + children[1]
        if op == "mul":
            return children[0] * children[1]
        if op == "div":
            quotient = self._fresh()
            self._solver.add(quotient * children[1] == children[0], children[1] != 0)
            return quotient
        if op == "pow" and n.args[1].op == "const":
            found = self._power(children[0], n.args[1].args[0])
            if found is not None:
                return found
        if op in ("floor", "ceil"):
            integer = self._fresh("Int")
            low, high = (integer, integer + 1) if op == "floor" else (integer - 1, integer)
            inside = [low <= children[0], children[0] < high]
            if op == "ceil":
                inside = [low < children[0], children[0] <= high]
            self._solver.add(*inside)
            return z3.ToReal(integer)
        v = self._fresh()
        if op == "eigenvalue":
            rank, matrix = n.args[0].args[0], n.args[1:]
            for other, w in self._spectra.setdefault(matrix, {}).items():
                self._solver.add(v <= w if rank < other else v >= w)
            self._spectra[matrix][rank] = v
        low, high, away = interval_of(n, self.bounds)
        self._bound(v, low, high, strict=False)
        if away:
            self._solver.add(v != 0)
        return v

    def _power(self, base: Any, exponent: Fraction) -> Any:
        p, q = abs(exponent.numerator), exponent.denominator
        if p > _MOST_POWER or q > _MOST_POWER:
            return None
        raised = self._z3.RealVal(1)
        for _ in range(p):
            raised = raised * base
        if q > 1:
            root = self._fresh()
            folded = root
            for _ in range(q - 1):
                folded = folded * root
            self._solver.add(folded == raised, root >= 0)
            raised = root
        if exponent > 0:
            return raised
        inverse = self._fresh()
        self._solver.add(inverse * raised == 1)
        return inverse

    def _bound(self, v: Any, low: float, high: float, strict: bool) -> None:
        if low > -inf:
            bound = self._z3.RealVal(str(Fraction(low)))
            self._solver.add(v > bound if strict else v >= bound)
        if high < inf:
            bound = self._z3.RealVal(str(Fraction(high)))
            self._solver.add(v < bound if strict else v <= bound)


def _sign(value: Any) -> int | None:
    try:
        fraction = _fraction(value)
    except (AttributeError, ValueError):
        return None
    return (fraction > 0) - (fraction < 0)


def _fraction(value: Any) -> Fraction:
    if hasattr(value, "as_fraction"):
        return Fraction(value.as_fraction())
    return Fraction(value.approx(30).as_fraction())  # an algebraic number


def _float(value: Any) -> float:
    try:
        return float(_fraction(value))
    except (AttributeError, ValueError, OverflowError):
        return 0.0
