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
from itertools import product
from typing import Any

from flint import fmpz_mod_ctx, fmpz_mod_poly_ctx, fmpz_mpoly

from symbolic.graph import Node, topological
from symbolic.limits import check_time
from symbolic.normal_form import NormalForms
from symbolic.tower import Element, Generator, TooBig, Tower, Undefined, poly_key

__all__ = ["PRIME", "Residues"]

# A prime of 256 bits. It is 3 modulo 4, so that exactly one of a and -a is a square and the square
# root of a square can be chosen to be one again (towers of square roots); modulo it 2, 3, 5, 7, ...
# 47 are squares; and it is not 1 modulo 3, 5, 7, 11, 13, so that every residue has its one root of
# these orders.
PRIME = 79647343887294617175580633450035864839206564676118236135789490730084257761039
_FIELD = fmpz_mod_poly_ctx(fmpz_mod_ctx(PRIME))
_ODD_ROOTS = (3, 5, 7, 11, 13)
_MAX_DEGREE = 2**150
_COMPUTED = ("root", "component", "eigenvalue")  # kinds whose residue follows from earlier ones
_MAX_BRANCHING = 6


class _Unlucky(Exception):
    """The point does not do: the radicand of root ``index`` is no square, or a denominator is 0."""

    def __init__(self, index: int | None = None):
        super().__init__(index)
        self.index = index


class Residues:
    """Values of nodes at a random point, for the generators of one :class:`NormalForms`.

    Its free generators have one value each, and that is enough where the generators with their
    relations form a field. Two kinds of them may spoil that: an unknown sign (``s**2 = 1``), and a
    square root of something that contains other roots, or sines, which may be a square unnoticed:
    ``sqrt(3 + 2 sqrt(2)) = 1 + sqrt(2)`` and its negative are each true on one branch. So the point
    has a branch for each choice of their signs, as far as they occur in what is compared, and
    equality is equality on all of them. (An odd root has one branch, in the field as on the line.)
    """

    def __init__(self, forms: NormalForms, seed: int = 0):
        self.forms = forms
        self.random = random.Random(seed)
        self._whole = False  # False while at work: a time limit that strikes leaves it so
        self._tower: Any = None
        self._elements: dict[Node, Element | None] = {}
        self._branches: dict[tuple[int, ...], list[_Branch]] = {}

    def equal(self, a: Node, b: Node) -> bool:
        """Whether the two agree at the points.

        Raises
        ------
        TooBig
            Where the degree leaves too much room for an accident, there are too many branches, or
            no point is found.
        Undefined
            Where a denominator seems to vanish identically.
        """
        if not self._whole:
            self._restart()
        self._whole = False
        try:
            self._prepare((a, b))
            result = self._compare(a, b)
        except (TooBig, Undefined):
            self._whole = True
            raise
        self._whole = True
        return result

    def _compare(self, a: Node, b: Node) -> bool:
        branches = self._branches_of(a, b)
        for _ in range(6):
            self._settle(branches)
            try:
                return all(branch.equal(a, b) for branch in branches)
            except _Unlucky:
                self._move(None)
        raise Undefined

    def _branches_of(self, *nodes: Node) -> list[_Branch]:
        """A branch for each choice of the signs that enter these nodes."""
        left = {i for node in topological(nodes) for i in self._generators_of(node)}
        found: set[int] = set()
        while left:
            i = left.pop()
            found.add(i)
            if self._tower.generators[i].kind in _COMPUTED:
                left.update(set(self._tower.used(self._tower.relation_of(i)[1])) - found)
        branching = tuple(i for i in sorted(found, reverse=True) if self._may_branch(i))
        if len(branching) > _MAX_BRANCHING:
            raise TooBig
        if branching not in self._branches:
            self._branches[branching] = [
                _Branch(self, dict(zip(branching, signs, strict=True)))
                for signs in product((1, -1), repeat=len(branching))
            ]
        return self._branches[branching]

    def _generators_of(self, node: Node) -> list[int]:
        element = None if _rational(node) else self.element(node)
        if element is None:
            return []
        return [*self._tower.used(element.num), *self._tower.used(element.den)]

    def _may_branch(self, i: int) -> bool:
        generator = self._tower.generators[i]
        if generator.kind != "root":
            return generator.kind in ("signum", "component")
        radicand, _ = generator.data
        degree, under = self._tower.relation_of(i)
        kinds = {self._tower.generators[j].kind for j in self._tower.used(radicand)}
        first = degree == 2 and poly_key(under) != _chain(self._tower, generator)
        return first and bool(kinds & {"root", "sin", "cos", "signum", "eigenvalue"})

    def _settle(self, branches: list[_Branch]) -> None:
        """Values at which every radicand is a square on every branch."""
        # A polynomial of degree n has all of its n roots in the field for one point in n!.
        hard = any(g.kind == "eigenvalue" for g in self._tower.generators.values())
        for _ in range((40 + 20 * len(self._tower.relations)) * (20 if hard else 1)):
            try:
                for branch in branches:
                    branch.assign()
                return
            except _Unlucky as failure:
                self._move(failure.index)
            check_time()
        raise TooBig

    def _move(self, failing: int | None) -> None:
        """Other values for what a failing radicand depends on and earlier ones do not, or for all.

        The values are the same on all branches: else each might hold at another point.
        """
        for branches in self._branches.values():
            for branch in branches:
                branch.reset()
        if failing is None:
            self.base.clear()
            self.opaque.clear()
            return
        support = self._support(failing)
        for i in self._tower.generators:
            if i > failing and self._tower.generators[i].kind in _COMPUTED:
                support = support - self._support(i) or support
        if not support:
            raise TooBig  # a constant that is no square in this field
        chosen = self.random.choice(sorted(support))
        self.base.pop(chosen, None)
        partner = self._tower.generators[chosen].partner
        if partner is not None:
            self.base.pop(partner, None)

    def _support(self, index: int) -> set[int]:
        """The freely drawn generators that the value of this one is computed from."""
        kind = self._tower.generators[index].kind
        if kind == "signum":
            return set()
        if kind not in _COMPUTED:
            return {index}
        _, f = self._tower.relation_of(index)
        return set().union(*(self._support(i) for i in self._tower.used(f) if i != index))

    def draw(self) -> int:
        return self.random.randrange(1, PRIME)

    def _restart(self) -> None:
        self.base: dict[int, int] = {}  # the residues of freely drawn generators
        self.opaque: dict[Any, int] = {}  # and of functions whose arguments are too large
        self._elements = {}
        self._branches = {}
        self._seen: set[Node] = set()
        self._tower = self.forms.tower

    def _prepare(self, roots: tuple[Node, ...]) -> None:
        """Normal forms of the functions' nodes first: they create the generators."""
        nodes = topological(roots, self._seen)
        functions = [node for node in nodes if not _rational(node)]
        for node in functions:
            self.element(node)
        if self._tower is not self.forms.tower:  # it was built anew, larger
            self._restart()
            for node in functions:
                self.element(node)
        self._seen.update(nodes)

    def element(self, node: Node) -> Element | None:
        if node not in self._elements:
            try:
                [self._elements[node]] = self.forms.of(node)
            except TooBig:
                self._elements[node] = None
        return self._elements[node]


class _Branch:
    """A residue for each generator and, computed from these, for each node."""

    def __init__(self, owner: Residues, signs: dict[int, int]):
        self._owner = owner
        self._tower = owner.forms.tower
        self._signs = signs
        self.reset()

    def reset(self) -> None:
        self._values: dict[int, int] = {}  # generator's index -> residue
        self._memo: dict[Node, tuple[int, int, int]] = {}  # residue, degrees above and below

    def equal(self, a: Node, b: Node) -> bool:
        x, y = self._value(a), self._value(b)
        degree = max(x[1] + y[2], y[1] + x[2]) * self._algebraic_degree()
        if degree > _MAX_DEGREE:
            raise TooBig
        return x[0] == y[0]

    # Nodes

    def _value(self, root: Node) -> tuple[int, int, int]:
        memo, p = self._memo, PRIME
        if root in memo:
            return memo[root]
        for node in topological([root], memo):
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
                element = self._owner.element(node)
                if element is None:
                    key = (op, *(memo[c][0] for c in node.children))
                    opaque = self._owner.opaque
                    if key not in opaque:
                        opaque[key] = self._owner.draw()
                    memo[node] = opaque[key], 1, 0
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

    def _poly(self, f: fmpz_mpoly) -> int:
        total = 0
        for monomial, c in zip(f.monoms(), f.coeffs(), strict=True):
            term = int(c)
            for i, e in enumerate(monomial):
                if e:
                    term = term * pow(self._values[i], int(e), PRIME) % PRIME
            total += term
        return total % PRIME

    def assign(self) -> None:
        """A residue for each generator, oldest first."""
        generators = self._tower.generators
        if len(self._values) < len(generators):
            for i in sorted(generators, reverse=True):
                if i not in self._values:
                    self._values[i] = self._residue(generators[i])

    def _residue(self, generator: Generator) -> int:
        i, kind = generator.index, generator.kind
        if kind in ("root", "component"):
            degree, under = self._tower.relation_of(i)
            return self._signs.get(i, 1) * self._root(i, degree, self._poly(under)) % PRIME
        if kind == "signum":
            return self._signs.get(i, 1) % PRIME
        if kind == "eigenvalue":
            return self._eigenvalue(i, [self._poly(c) for c in generator.data])
        base = self._owner.base
        if i not in base:
            if kind in ("sin", "cos") and generator.partner is not None:
                t = self._owner.draw()
                below = (1 + t * t) % PRIME
                if below == 0:
                    raise _Unlucky
                below = pow(below, -1, PRIME)
                pair = [2 * t * below % PRIME, (1 - t * t) * below % PRIME]
                base[i], base[generator.partner] = pair if kind == "sin" else pair[::-1]
            else:
                base[i] = self._owner.draw()
        return base[i]

    def _root(self, index: int, degree: int, a: int) -> int:
        if degree == 2:
            if not _is_square(a):
                raise _Unlucky(index)
            return pow(a, (PRIME + 1) // 4, PRIME)
        if degree not in _ODD_ROOTS:
            raise TooBig
        return pow(a, pow(degree, -1, PRIME - 1), PRIME)

    def _eigenvalue(self, index: int, rising: list[int]) -> int:
        """A root of ``x**n - ... - rising[1] * x - rising[0]``, the same one every time."""
        roots = _FIELD([*(-c for c in rising), 1]).roots()
        if not roots:
            raise _Unlucky(index)
        return min(int(root) for root, _ in roots)

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


def _chain(tower: Tower, root: Generator) -> Any:
    """The key of what the relation of a root says when it is a root of a root: |f|**(1/4)."""
    f, degree = root.data
    above = tower.find(("root", poly_key(f), 2, degree.bit_length() - 2))
    return None if above is None else poly_key(tower.poly(above))


def _is_square(a: int) -> bool:
    return a % PRIME == 0 or pow(a, (PRIME - 1) // 2, PRIME) == 1
