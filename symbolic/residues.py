"""Equality of large expressions: their values at a random point modulo a large prime.

Where the normal form of an expression would have too many terms, its *value* in a prime field is
still cheap: one pass over the graph, each generator of the tower replaced by a random residue that
obeys its relation. Two different fractions of degree d agree there with a probability below
d / 2**255 (the lemma of Schwartz and Zippel), which is kept below 2**-100 by bounding the degree.

Only sums, products, quotients and integer powers are computed with residues. A function's node is
first brought into normal form, which decides what generators it is made of; where even its argument
is too large, it becomes an unknown identified by its arguments' residues.

May import: :mod:`symbolic.graph`, :mod:`symbolic.normal_form`, :mod:`symbolic.tower`,
:mod:`symbolic.limits`.
"""

from __future__ import annotations

import random
from typing import Any

from flint import fmpz_mpoly

from symbolic.graph import Node, topological
from symbolic.limits import check_time
from symbolic.normal_form import NormalForms
from symbolic.tower import Element, Generator, TooBig, Undefined

__all__ = ["PRIME", "Residues"]

# A prime of 256 bits. It is 3 modulo 4, so that exactly one of a and -a is a square and the square
# root of a square can be chosen to be one again (towers of square roots); modulo it 2, 3, 5, 7, ...
# 47 are squares; and it is not 1 modulo 3, 5, 7, 11, 13, so that every residue has its one root of
# these orders.
PRIME = 79647343887294617175580633450035864839206564676118236135789490730084257761039
_ODD_ROOTS = (3, 5, 7, 11, 13)
_MAX_DEGREE = 2**150


class _Unlucky(Exception):
    """The point does not do: a radicand is no square there, or a denominator vanishes."""


class Residues:
    """Values of nodes at one random point, for the generators of one :class:`NormalForms`."""

    def __init__(self, forms: NormalForms, seed: int = 0):
        self.forms = forms
        self._random = random.Random(seed)
        self._tower: Any = None
        self._opaque: dict[Any, int] = {}
        self._reset()

    def _reset(self) -> None:
        self._tower = self.forms.tower
        self._values: dict[int, int] = {}  # generator's index -> residue
        self._memo: dict[Node, tuple[int, int, int]] = {}  # residue, degrees above and below
        self._elements: dict[Node, Element | None] = {}
        self._opaque.clear()

    def equal(self, a: Node, b: Node) -> bool:
        """Whether the two agree at the point.

        Raises
        ------
        TooBig
            Where the degree leaves too much room for an accident, or no point is found.
        Undefined
            Where a denominator seems to vanish identically.
        """
        for _ in range(6):
            try:
                self._prepare((a, b))
                x, y = self._value(a), self._value(b)
            except _Unlucky:
                self._reset()
                continue
            degree = max(x[1] + y[2], y[1] + x[2]) * self._algebraic_degree()
            if degree > _MAX_DEGREE:
                raise TooBig
            return x[0] == y[0]
        raise Undefined

    # Nodes

    def _prepare(self, roots: tuple[Node, ...]) -> None:
        """Normal forms of the functions' nodes first: they create the generators."""
        for node in topological(roots):
            if node not in self._memo and not _rational(node):
                self._element(node)
        if self._tower is not self.forms.tower:  # it was built anew, larger
            self._reset()
            for node in topological(roots):
                if not _rational(node):
                    self._element(node)
        self._assign()

    def _element(self, node: Node) -> Element | None:
        if node not in self._elements:
            try:
                [self._elements[node]] = self.forms.of(node)
            except TooBig:
                self._elements[node] = None
        return self._elements[node]

    def _value(self, root: Node) -> tuple[int, int, int]:
        memo, p = self._memo, PRIME
        if root in memo:
            return memo[root]
        for node in topological([root]):
            if node in memo:
                continue
            check_time()
            op = node.op
            if op == "const":
                value = node.args[0]
                memo[node] = value.numerator * pow(value.denominator, -1, p) % p, 0, 0
            elif op == "add":
                (x, n, d), (y, m, e) = memo[node.args[0]], memo[node.args[1]]
                memo[node] = (x + y) % p, max(n + e, m + d), d + e
            elif op == "mul":
                (x, n, d), (y, m, e) = memo[node.args[0]], memo[node.args[1]]
                memo[node] = x * y % p, n + m, d + e
            elif op == "div":
                (x, n, d), (y, m, e) = memo[node.args[0]], memo[node.args[1]]
                if y == 0:
                    raise _Unlucky
                memo[node] = x * pow(y, -1, p) % p, n + e, d + m
            elif _rational(node):
                x, n, d = memo[node.args[0]]
                k = int(node.args[1].args[0])
                if k < 0:
                    if x == 0:
                        raise _Unlucky
                    n, d = d, n
                memo[node] = pow(x, k, p), n * abs(k), d * abs(k)
            else:
                element = self._element(node)
                if element is None:
                    key = (op, *(memo[c][0] for c in node.children))
                    if key not in self._opaque:
                        self._opaque[key] = self._draw()
                    memo[node] = self._opaque[key], 1, 0
                else:
                    memo[node] = self._fraction(element)
        return memo[root]

    def _fraction(self, element: Element) -> tuple[int, int, int]:
        below = self._poly(element.den)
        if below == 0:
            raise _Unlucky
        value = self._poly(element.num) * pow(below, -1, PRIME) % PRIME
        return value, int(element.num.total_degree()), int(element.den.total_degree())

    # Generators

    def _draw(self) -> int:
        return self._random.randrange(1, PRIME)

    def _poly(self, f: fmpz_mpoly) -> int:
        total = 0
        for monomial, c in zip(f.monoms(), f.coeffs(), strict=True):
            term = int(c)
            for i, e in enumerate(monomial):
                if e:
                    term = term * pow(self._generator(i), int(e), PRIME) % PRIME
            total += term
        return total % PRIME

    def _generator(self, index: int) -> int:
        value = self._values.get(index)
        if value is None:
            self._assign_one(self._tower.generators[index])
            value = self._values[index]
        return value

    def _assign(self) -> None:
        """A residue for each generator, oldest first, until the radicands are all squares."""
        order = sorted(self._tower.generators, reverse=True)
        roots = [i for i in order if self._tower.generators[i].kind == "root"]
        for _ in range(40 + 20 * len(roots)):
            for i in order:
                if i not in self._values:
                    try:
                        self._assign_one(self._tower.generators[i])
                    except _Unlucky:
                        self._redraw(i, [j for j in roots if j > i])
                        break
            else:
                return
            check_time()
        raise TooBig

    def _assign_one(self, generator: Generator) -> None:
        i, kind = generator.index, generator.kind
        if kind == "root":
            degree, under = self._tower.relation_of(i)
            self._values[i] = self._root(degree, self._poly(under))
        elif kind == "signum":
            # The sign that makes its polynomial a square, in case a root of that is taken.
            self._values[i] = 1 if _is_square(self._poly(generator.data)) else PRIME - 1
        elif kind in ("sin", "cos"):
            t = self._draw()
            below = (1 + t * t) % PRIME
            if below == 0:
                raise _Unlucky
            below = pow(below, -1, PRIME)
            sine, cosine = 2 * t * below % PRIME, (1 - t * t) * below % PRIME
            assert generator.partner is not None
            self._values[i] = sine if kind == "sin" else cosine
            self._values[generator.partner] = cosine if kind == "sin" else sine
        else:
            self._values[i] = self._draw()

    def _root(self, degree: int, a: int) -> int:
        if degree == 2:
            if not _is_square(a):
                raise _Unlucky
            return pow(a, (PRIME + 1) // 4, PRIME)
        if degree not in _ODD_ROOTS:
            raise TooBig
        return pow(a, pow(degree, -1, PRIME - 1), PRIME)

    def _redraw(self, failing: int, settled: list[int]) -> None:
        """Other values for what the failing radicand depends on and the settled ones do not."""
        support = self._support(failing)
        taken = set().union(*(self._support(i) for i in settled)) if settled else set()
        free = support - taken or support
        if not free:
            raise TooBig  # a constant that is no square in this field
        chosen = self._random.choice(sorted(free))
        changed = {chosen}
        partner = self._tower.generators[chosen].partner
        if partner is not None:
            changed.add(partner)
        for i in list(self._values):
            if i in changed or self._support(i) & changed:
                del self._values[i]
        self._memo.clear()

    def _support(self, index: int) -> set[int]:
        """The freely drawn generators that the value of this one is computed from."""
        generator = self._tower.generators[index]
        if generator.kind == "root":
            _, f = self._tower.relation_of(index)
        elif generator.kind == "signum":
            f = generator.data
        else:
            return {index}
        return set().union(*(self._support(i) for i in self._tower.used(f)))

    def _algebraic_degree(self) -> int:
        """By how much the degree may grow when the roots are eliminated."""
        factor = 1
        for index, degree, _ in self._tower.relations:
            _, value = self._tower.relation_of(index)
            factor *= degree * max(1, int(value.total_degree()))
        return factor


def _rational(node: Node) -> bool:
    if node.op in ("add", "mul", "div", "const"):
        return True
    return (
        node.op == "pow"
        and node.args[1].op == "const"
        and node.args[1].args[0].denominator == 1
        and abs(node.args[1].args[0]) < 2**20
    )


def _is_square(a: int) -> bool:
    return a % PRIME == 0 or pow(a, (PRIME - 1) // 2, PRIME) == 1
