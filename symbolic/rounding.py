"""Equality up to the rounding of constants.

Code computes constants in floats: ``0.044715 * sqrt(2 / pi)`` arrives as a number that is an ulp or
two from the product that the formula means, and no closed form of it is short enough to recognise.
Two formulas that differ by such ulps, and by nothing else, are taken for equal, and it is said so.

- :func:`snap`: constants that agree within a few ulps become one constant, wherever they stand.
- :func:`close`: the two normal forms are compared monomial by monomial, each coefficient
  within a few ulps of the terms with floats that it was summed from.
- :func:`beyond_rounding`: at a point, whether a difference is larger than the rounding of the
  floats involved can explain.

Only floats without a closed form are inexact. An exact constant (a short decimal, a closed form)
that is wrong in the 13th digit stays wrong.

May import: :mod:`symbolic.graph`, :mod:`symbolic.balls`, :mod:`symbolic.primitives`,
:mod:`symbolic.constant_values`, :mod:`symbolic.normal_form`, :mod:`symbolic.tower`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb, fmpz_mpoly

from symbolic.balls import precision, to_arb
from symbolic.constant_values import constant_value
from symbolic.graph import Graph, Node, Program, topological
from symbolic.normal_form import NormalForms
from symbolic.primitives import BALL, LEAVES
from symbolic.sympy_bridge import NotDifferentiable
from symbolic.tower import Element, TooBig

__all__ = ["TOLERANCE", "beyond_rounding", "close", "floats_below", "snap"]

# Sixteen times the unit roundoff, relative: what a handful of operations on constants may lose.
TOLERANCE = 16 * 2.0**-53
_BITS = 192


def floats_below(roots: Sequence[Node]) -> list[Node]:
    """The leaves that are floats without a closed form."""
    return [node for node in topological(roots) if node.op == "float"]


def _constants(roots: Sequence[Node]) -> tuple[list[Node], set[Node]]:
    """The largest subexpressions without variables, and those among them that contain a float."""
    constant: dict[Node, bool] = {}
    inexact: set[Node] = set()
    order = topological(roots)
    for node in order:
        constant[node] = node.op != "var" and all(constant[c] for c in node.children)
        if node.op == "float" or any(c in inexact for c in node.children):
            inexact.add(node)
    found: dict[Node, None] = {}
    for node in order:
        if not constant[node]:
            for child in node.children:
                if constant[child] and child.op != "const":
                    found[child] = None
    for root in roots:
        if constant[root] and root.op != "const":
            found[root] = None
    return list(found), {node for node in found if node in inexact}


def snap(graph: Graph, a: Node, b: Node) -> tuple[Node, Node] | None:
    """Both expressions with constants that agree within a few ulps made one; None if none do.

    The one that is exact stays, where there is one. A float that is within a few ulps of a product
    or a quotient of two exact constants, or of a small fraction times one, becomes that.
    """
    before = (a, b)
    a, b = gather(graph, before)
    constants, inexact = _constants((a, b))
    if not inexact:
        return None
    with precision(_BITS):
        values = dict(zip(constants, Program(constants).run(BALL, {}), strict=True))
        exact = [(c, v) for c, v in values.items() if c not in inexact and v.is_finite()]
        candidates = list(exact)
        if len(exact) <= 12:
            for i, (c, v) in enumerate(exact):
                for d, w in exact[: i + 1]:
                    candidates.append((graph.mul(c, d), v * w))
                    candidates += [(graph.div(c, d), v / w), (graph.div(d, c), w / v)]
        replacement: dict[Node, Node] = {}
        for node in constants:
            if node not in inexact:
                continue
            value = values[node]
            for other, known in candidates:
                q = _small_ratio(value, known)
                if q is not None:
                    replacement[node] = graph.mul(graph.constant(q), other)
                    break
            else:
                candidates.append((node, value))
    if not replacement and (a, b) == before:
        return None
    x, y = graph.substitute((a, b), replacement)
    return x, y


def gather(graph: Graph, roots: Sequence[Node]) -> tuple[Node, ...]:
    """The same expressions with the constants of each product multiplied together first.

    ``c * x * d`` becomes ``(c * d) * x``, so that its constant can be recognised as another one.
    """
    parts: dict[Node, tuple[Node, Node]] = {}  # a constant factor and the rest
    one = graph.one

    def whole(node: Node) -> Node:
        return graph.mul(*parts[node])

    for node in topological(roots):
        op = node.op
        if op in LEAVES:
            parts[node] = (one, node) if op == "var" else (node, one)
        elif op == "mul" or op == "div":
            (c, x), (d, y) = parts[node.args[0]], parts[node.args[1]]
            join = graph.mul if op == "mul" else graph.div
            parts[node] = join(c, d), join(x, y)
        else:
            built = graph.apply(op, *(whole(c) for c in node.children))
            constant = all(parts[c][1] is one for c in node.children)
            parts[node] = (built, one) if constant else (one, built)
    return tuple(whole(root) for root in roots)


def _small_ratio(value: arb, known: arb) -> Any:
    """The fraction of small integers that ``value / known`` is within the tolerance, or None."""
    from fractions import Fraction

    if not (value.is_finite() and known.is_finite()) or known.contains(0) or value.contains(0):
        return None
    ratio = float((value / known).mid())
    if not 1e-3 < abs(ratio) < 1e3:
        return None
    q = Fraction(ratio).limit_denominator(24)
    if q == 0 or abs(q.numerator) > 24:
        return None
    return q if abs(ratio / float(q) - 1) <= TOLERANCE else None


def close(forms: NormalForms, a: Element, b: Element) -> bool:
    """Whether two normal forms agree monomial by monomial, up to the rounding of floats."""
    tower = forms.tower
    if len(a.num) * len(b.den) + len(b.num) * len(a.den) > tower.budget.terms:
        raise TooBig
    left, right = a.num * b.den, b.num * a.den
    with precision(_BITS):
        values: dict[int, arb | None] = {}
        sums: dict[tuple[int, ...], list[Any]] = {}
        for p, sign in ((left, 1), (right, -1)):
            if not _collect(forms, p, sign, values, sums):
                return False
        for total, size, operations in sums.values():
            if not abs(total) <= size * TOLERANCE * min(operations, 8):
                return False
    return True


def _collect(
    forms: NormalForms,
    p: fmpz_mpoly,
    sign: int,
    values: dict[int, arb | None],
    sums: dict[tuple[int, ...], list[Any]],
) -> bool:
    """Add a polynomial's terms to the sums by monomial in the generators that are not constant."""
    generators = forms.tower.generators
    for monomial, c in zip(p.monoms(), p.coeffs(), strict=True):
        term, operations, outer = arb(c) * sign, 0, list(monomial)
        for i, e in enumerate(monomial):
            if e and generators[i].constant:
                if i not in values:
                    values[i] = constant_value(forms.tower, generators[i])
                value = values[i]
                if value is None:
                    continue
                outer[i] = 0
                term = term * value ** int(e)
                if generators[i].kind == "float":
                    operations += int(e)
        entry = sums.setdefault(tuple(outer), [arb(0), arb(0), 1])
        entry[0] = entry[0] + term
        if operations:
            entry[1] = entry[1] + abs(term)
            entry[2] = max(entry[2], operations)
    return True


class _Fat(type(BALL)):  # type: ignore[misc]
    """Balls in which each float is any number within the tolerance of it."""

    def leaf(self, op: str, args: tuple) -> Any:
        value = super().leaf(op, args)
        if op != "float" or not value.is_finite():
            return value
        return value * arb(1, TOLERANCE)


FAT = _Fat()


def beyond_rounding(graph: Graph, a: Node, b: Node, point: Mapping[str, Any]) -> bool:
    """Whether ``a - b``, known not to be zero, is more than the floats' rounding can explain.

    First for certain, with every float a ball; where that ball is too wide to tell, to first order:
    the sum over the floats of |d(a - b)/dc| times the rounding of c, twice.
    """
    floats = floats_below((a, b))
    if not floats:
        return True
    gap = graph.sub(a, b)
    with precision(_BITS):
        program = Program([gap])
        values = {name: to_arb(point[name]) for name in program.variables}
        [fat] = program.run(FAT, values)
        if fat.is_finite() and not fat.contains(0):
            return True
        try:
            slopes = graph.vjp([gap], [graph.one], floats)
        except NotDifferentiable:
            return False
        program = Program([gap, *slopes])
        thin, *parts = program.run(BALL, values)
        allowed = arb(0)
        for c, slope in zip(floats, parts, strict=True):
            allowed += abs(slope * to_arb(c.args[0])) * TOLERANCE
        return bool(abs(thin) > 2 * allowed)
