"""Fractions of polynomials over a tower of generators, on FLINT.

A :class:`Tower` is a polynomial ring that grows: variables first, then one generator for each new
``exp``, ``log``, root or special function, whose meaning is kept beside it. A generator may be
algebraic: ``r**2 = x + 1`` or ``s**2 = 1 - c**2``; its relation is monic in it and involves earlier
generators only, so one division by it reduces a polynomial (the order is lexicographic, later
generators first).

:class:`Element` is a numerator over a denominator. Everything done here is valid wherever the
denominators do not vanish, for *any* generators that satisfy the relations: an element that reduces
to zero is zero. The converse needs the generators to have no further relations, which is for
:mod:`symbolic.normal_form` to arrange as well as it can.

Calls into FLINT cannot be interrupted, so sizes are bounded before each one: beyond them,
:class:`TooBig`.

May import: :mod:`symbolic.limits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpz, fmpz_mpoly, fmpz_mpoly_ctx

from symbolic.limits import check_time

__all__ = ["Element", "Full", "Generator", "TooBig", "Tower", "Undefined"]


class TooBig(Exception):
    """A polynomial outgrew the budget."""


class Undefined(Exception):
    """A division by an element that is zero."""


class Full(Exception):
    """The tower has no room for another generator: start again with a larger one."""


@dataclass
class Generator:
    """What a generator stands for.

    ``kind`` names it (``"var"``, ``"exp"``, ``"log"``, ``"root"``, ...), ``data`` holds what
    belongs to it; ``constant`` says that it depends on no variable, ``positive`` that it is never
    negative (where it is defined).
    """

    index: int
    kind: str
    data: Any
    constant: bool = False
    positive: bool = False
    partner: int | None = None  # the index of the cosine that goes with a sine, and back


class Element:
    """A fraction of polynomials, reduced by the relations and by common factors."""

    __slots__ = ("_key", "den", "num")

    def __init__(self, num: fmpz_mpoly, den: fmpz_mpoly):
        self.num = num
        self.den = den
        self._key: Any = None

    @property
    def key(self) -> Any:
        """Hashable; equal keys mean equal elements (in one tower)."""
        if self._key is None:
            self._key = (poly_key(self.num), poly_key(self.den))
        return self._key

    def __repr__(self) -> str:
        return f"({self.num})/({self.den})"


def poly_key(p: fmpz_mpoly) -> Any:
    return tuple(p.monoms()), tuple(int(c) for c in p.coeffs())


@dataclass
class Budget:
    """How large polynomials may get before FLINT is called on them."""

    terms: int = 20_000  # of a product
    gcd: int = 400_000  # terms of one times terms of the other
    factor: int = 400  # terms
    degree: int = 400


class Tower:
    """The ring, its generators and the arithmetic of fractions over it."""

    def __init__(self, capacity: int = 24, budget: Budget | None = None):
        self.capacity = capacity
        self.budget = budget or Budget()
        self.ctx = fmpz_mpoly_ctx.get([f"g{i}" for i in range(capacity)], Ordering.lex)
        self._gens = self.ctx.gens()
        self.generators: dict[int, Generator] = {}
        self._by_key: dict[Any, Generator] = {}
        self.relations: list[tuple[int, int, fmpz_mpoly]] = []  # index, degree, relation
        self._values: dict[int, tuple[int, fmpz_mpoly]] = {}
        self._algebraic: dict[
            int, int
        ] = {}  # index -> degree, of those with a power without themselves
        self._next = capacity
        self.one_poly = self.ctx.constant(1)
        self.zero_poly = self.ctx.constant(0)
        self.zero = Element(self.zero_poly, self.one_poly)
        self.one = Element(self.one_poly, self.one_poly)
        self._factors: dict[Any, Any] = {}

    # Generators

    def find(self, key: Any) -> Generator | None:
        return self._by_key.get(key)

    def new(
        self,
        key: Any,
        kind: str,
        data: Any,
        relation: tuple[Any, ...] | None = None,
        **flags: Any,
    ) -> Generator:
        """A fresh generator under that key.

        ``relation``, a degree and polynomials c, d, ... in earlier generators, fewer than the
        degree, imposes ``generator**degree = c + d * generator + ...``. A time limit may strike at
        any moment: the generator is registered last, and what it leaves behind before that is an
        index that nobody uses.
        """
        if self._next == 0:
            raise Full
        check_time()
        self._next -= 1
        index = self._next
        generator = Generator(index, kind, data, **flags)
        if relation is not None:
            degree, *rising = relation
            own = self._gens[index]
            value = sum((c * own**j for j, c in enumerate(rising)), self.zero_poly)
            self._values[index] = degree, value
            if kind in ("root", "signum", "component"):
                self._algebraic[index] = degree
            self.relations.insert(0, (index, degree, self._gens[index] ** degree - value))
        self.generators[index] = generator
        self._by_key[key] = generator
        return generator

    def relation_of(self, index: int) -> tuple[int, fmpz_mpoly]:
        """The degree and the value of a generator's relation ``generator**degree = value``.

        An eigenvalue itself may be in the value.
        """
        return self._values[index]

    def poly(self, generator: Generator) -> fmpz_mpoly:
        return self._gens[generator.index]

    def element(self, generator: Generator) -> Element:
        return Element(self._gens[generator.index], self.one_poly)

    def rational(self, value: Fraction | int) -> Element:
        value = Fraction(value)
        return Element(self.ctx.constant(value.numerator), self.ctx.constant(value.denominator))

    def used(self, p: fmpz_mpoly) -> list[int]:
        """The indices of the generators in ``p``."""
        return [i for i, d in enumerate(p.degrees()) if d > 0]

    def is_constant(self, p: fmpz_mpoly) -> bool:
        """Whether no variable enters."""
        return all(self.generators[i].constant for i in self.used(p))

    # Arithmetic

    def reduce(self, p: fmpz_mpoly) -> fmpz_mpoly:
        """The remainder modulo the relations."""
        if not self.relations or p.is_constant():
            return p
        degrees = p.degrees()
        for index, degree, relation in self.relations:
            if degrees[index] >= degree:
                self._bound(p)
                p = p % relation
                degrees = p.degrees()
        return p

    def _bound(self, p: fmpz_mpoly) -> None:
        if len(p) > self.budget.terms:
            raise TooBig

    def times(self, a: fmpz_mpoly, b: fmpz_mpoly) -> fmpz_mpoly:
        """The reduced product of two polynomials, within the budget."""
        if len(a) * len(b) > self.budget.terms:
            if len(a) * len(b) > 50 * self.budget.terms:
                raise TooBig
            check_time()
            product = a * b
            self._bound(product)
            return self.reduce(product)
        return self.reduce(a * b)

    def make(self, num: fmpz_mpoly, den: fmpz_mpoly) -> Element:
        """The fraction of two reduced polynomials, in lowest terms."""
        if den.is_zero():
            raise Undefined
        if num.is_zero():
            return self.zero
        if self._algebraic and not den.is_constant():
            num, den = self._rationalise(num, den)
        if den.is_constant():
            if den.is_one():
                return Element(num, den)
            common = den.leading_coefficient().gcd(num.content())
        else:
            if len(num) * len(den) > self.budget.gcd:
                raise TooBig
            common = num.gcd(den)
        if den.leading_coefficient() < 0:
            common = -common
        if common != 1:
            num, den = num // common, den // common
        return Element(num, den)

    def _rationalise(self, num: fmpz_mpoly, den: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
        """No root as a factor of the denominator: 1 / r becomes r / radicand."""
        content = den.term_content().degrees()
        for index, degree in self._algebraic.items():
            if content[index]:
                factor = self._gens[index] ** (degree - content[index])
                num, den = self.times(num, factor), self.times(den, factor)
                if den.is_zero():
                    raise Undefined
        return num, den

    def add(self, a: Element, b: Element) -> Element:
        if a.num.is_zero():
            return b
        if b.num.is_zero():
            return a
        if a.den == b.den:
            return self.make(a.num + b.num, a.den)
        if a.den.is_one():
            return Element(self._checked(self.times(a.num, b.den) + b.num), b.den)
        if b.den.is_one():
            return Element(self._checked(a.num + self.times(b.num, a.den)), a.den)
        common = self.common(a.den, b.den)
        if common.is_one():
            left, right = b.den, a.den
        else:
            left, right = b.den // common, a.den // common
        num = self.times(a.num, left) + self.times(b.num, right)
        return self.make(num, self.times(a.den, left))

    def _checked(self, p: fmpz_mpoly) -> fmpz_mpoly:
        self._bound(p)
        return p

    def common(self, a: fmpz_mpoly, b: fmpz_mpoly) -> fmpz_mpoly:
        if a.is_constant() and b.is_constant():
            return self.ctx.constant(a.leading_coefficient().gcd(b.leading_coefficient()))
        if len(a) * len(b) > self.budget.gcd:
            raise TooBig
        return a.gcd(b)

    def neg(self, a: Element) -> Element:
        return Element(-a.num, a.den)

    def sub(self, a: Element, b: Element) -> Element:
        return self.add(a, self.neg(b))

    def mul(self, a: Element, b: Element) -> Element:
        if a.num.is_zero() or b.num.is_zero():
            return self.zero
        if a.den.is_one() and b.den.is_one():
            return Element(self.times(a.num, b.num), a.den)
        # Common factors are taken out crosswise first: smaller products, cheaper gcds.
        an, bd = self._cancel(a.num, b.den)
        bn, ad = self._cancel(b.num, a.den)
        num, den = self.times(an, bn), self.times(ad, bd)
        if self.relations:
            return self.make(num, den)
        return Element(num, den)

    def _cancel(self, num: fmpz_mpoly, den: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
        if den.is_one():
            return num, den
        common = self.common(num, den)
        return (num, den) if common.is_one() else (num // common, den // common)

    def inverse(self, a: Element) -> Element:
        if a.num.is_zero():
            raise Undefined
        return self.make(a.den, a.num)

    def div(self, a: Element, b: Element) -> Element:
        return self.mul(a, self.inverse(b))

    def power(self, a: Element, n: int) -> Element:
        """An integer power, by repeated squaring."""
        if n < 0:
            return self.power(self.inverse(a), -n)
        if n > self.budget.degree:
            raise TooBig
        result, base = self.one, a
        while n:
            if n & 1:
                result = self.mul(result, base)
            n >>= 1
            if n:
                base = self.mul(base, base)
        return result

    def sum(self, elements: Iterable[Element]) -> Element:
        total = self.zero
        for element in elements:
            total = self.add(total, element)
        return total

    def equal(self, a: Element, b: Element) -> bool:
        """Whether the difference reduces to zero."""
        if a.key == b.key:
            return True
        return self.reduce(self.times(a.num, b.den) - self.times(b.num, a.den)).is_zero()

    def as_rational(self, a: Element) -> Fraction | None:
        """Its value where it is a rational number, else None."""
        if a.num.is_zero():
            return Fraction(0)
        if not (a.num.is_constant() and a.den.is_constant()):
            return None
        return Fraction(int(a.num.leading_coefficient()), int(a.den.leading_coefficient()))

    # Factors

    def factor(self, p: fmpz_mpoly) -> tuple[int, list[tuple[fmpz_mpoly, int]]]:
        """The integer content and the irreducible factors with their exponents.

        Each factor has a positive leading coefficient.
        """
        if p.is_constant():
            return int(p.leading_coefficient()) if not p.is_zero() else 0, []
        key = poly_key(p)
        found = self._factors.get(key)
        if found is None:
            found = self._factors[key] = self._factor(p)
        return found

    def _factor(self, p: fmpz_mpoly) -> tuple[int, list[tuple[fmpz_mpoly, int]]]:
        if len(p) > self.budget.factor or p.total_degree() > self.budget.degree:
            raise TooBig
        # FLINT's factorisation slows down with generators that do not occur.
        used = self.used(p)
        small = fmpz_mpoly_ctx.get([f"g{i}" for i in used], Ordering.lex)
        content, factors = p.project_to_context(small).factor()
        content = int(content)
        result = []
        for f, e in factors:
            f = f.project_to_context(self.ctx)
            if f.leading_coefficient() < 0:
                f = -f
                content *= (-1) ** int(e)
            result.append((f, int(e)))
        return content, result

    def terms(self, p: fmpz_mpoly) -> list[tuple[tuple[int, ...], fmpz]]:
        return list(zip(p.monoms(), p.coeffs(), strict=True))

    def from_terms(self, terms: Iterable[tuple[tuple[int, ...], Any]]) -> fmpz_mpoly:
        return self.ctx.from_dict(dict(terms))
