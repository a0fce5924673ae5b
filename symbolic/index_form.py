"""A normal form for expressions in index notation, true for every size of the axes.

A :class:`Form` is a sum of monomials with rational coefficients; a monomial is a product of powers
of generators. A generator is an entry ``x[i, j]``, a size ``n``, a Kronecker delta, the sum of one
monomial over indices, the exponential of a monomial, the logarithm of a form, a form to a power
that is no natural number, or another function of a form. What makes it normal:

- sums distribute over terms, and what does not depend on the index leaves them; sums of products
  that share no index are products of sums, and products of sums inside a sum are one sum over all
  indices; deltas collapse; bound indices are named in an order that depends on no name;
- ``exp`` of a sum is a product, ``log`` of a product a sum (of logarithms of absolute values, which
  is the same wherever the logarithm is defined);
- a common factor leaves a power, and a numerator is reduced by the denominator that it stands over.

Equal normal forms are equal for every size of at least 1, wherever both are defined. Unequal ones
may be equal too: :func:`symbolic.index_calculus.is_zero` clears denominators before it gives up.

Here is the arithmetic; :mod:`symbolic.index_functions` and :mod:`symbolic.index_sums` make the
generators, and register how these behave in products and under other names of the indices.

May import: :mod:`symbolic.values`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from symbolic.values import TraceError

__all__ = [
    "FIRST",
    "ONE",
    "PRODUCT_RULES",
    "RENAMING",
    "Form",
    "Generator",
    "Index",
    "Monomial",
    "Powers",
    "accumulate",
    "alone",
    "by_key",
    "delta",
    "entry",
    "fresh",
    "generator",
    "monomial_text",
    "nonnegative",
    "product",
    "rational",
    "renamed",
    "size",
    "without",
]

# The name of an index, and the symbol of the size that it runs over. The name tells the size: two
# indices of one name are the same index.
Index = tuple[str, str]
Monomial = tuple[tuple["Generator", Any], ...]
Powers = dict["Generator", Any]

FIRST: Index = ("0", "")  # the index of the first entry, which is there for every size

_MOST_TERMS = 800


class Generator:
    """One of the things that a :class:`Form` is a polynomial in; equal ones are the same object.

    Attributes
    ----------
    kind : str
        ``entry``, ``size``, ``delta``, ``sum``, ``greatest``, ``exp``, ``log``, ``base``, ``abs``,
        ``number``, ``constant``, or the name of a function.
    args : tuple
        What it is made of.
    key : str
        Its text, which orders generators.
    free : frozenset of Index
        The indices that it depends on.
    arrays : frozenset of str
        The arrays that it depends on.
    height : int
        How deep sums are nested in it; names of bound indices start with it.
    nonnegative : bool
        Whether it is known to have no negative value.
    bent : bool
        Whether there is an absolute value in it.
    """

    __slots__ = (
        "__weakref__", "args", "arrays", "bent", "free", "height", "key", "kind", "nonnegative",
    )  # fmt: skip

    kind: str
    args: tuple[Any, ...]
    key: str
    free: frozenset[Index]
    arrays: frozenset[str]
    height: int
    nonnegative: bool
    bent: bool

    def __repr__(self) -> str:
        return self.key


_KNOWN: WeakValueDictionary[str, Generator] = WeakValueDictionary()


def generator(
    kind: str,
    args: tuple[Any, ...],
    key: str,
    parts: Iterable[Any] = (),
    *,
    free: Iterable[Index] = (),
    arrays: Iterable[str] = (),
    bound: Sequence[Index] = (),
    nonnegative: bool = False,
) -> Generator:
    """The generator with that key, made where it is new; ``parts`` are generators and forms."""
    known = _KNOWN.get(key)
    if known is not None:
        return known
    parts = list(parts)
    made = Generator()
    made.kind, made.args, made.key, made.nonnegative = kind, args, key, nonnegative
    made.free = frozenset(free).union(*(p.free for p in parts)) - set(bound)
    made.arrays = frozenset(arrays).union(*(p.arrays for p in parts))
    made.height = max((p.height for p in parts), default=0) + bool(bound)
    made.bent = kind == "abs" or any(p.bent for p in parts)
    _KNOWN[key] = made
    return made


class Form:
    """A sum of monomials, in normal form.

    Examples
    --------
    >>> x = entry("x", [("i", "n")])
    >>> (x + x) * x + size("n")
    n + 2*x[i]^2
    """

    __slots__ = ("_key", "terms")

    def __init__(self, terms: dict[Monomial, Fraction] | None = None):
        self.terms: dict[Monomial, Fraction] = terms or {}
        self._key: str | None = None

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> str:
        if self._key is None:
            parts = sorted((monomial_text(m), c) for m, c in self.terms.items())
            self._key = " + ".join(_times(c, m) for m, c in parts) or "0"
        return self._key

    def __repr__(self) -> str:
        return self.key

    @property
    def generators(self) -> set[Generator]:
        return {g for m in self.terms for g, _ in m}

    @property
    def free(self) -> frozenset[Index]:
        return frozenset[Index]().union(*(g.free for g in self.generators))

    @property
    def arrays(self) -> frozenset[str]:
        return frozenset[str]().union(*(g.arrays for g in self.generators))

    @property
    def height(self) -> int:
        return max((g.height for g in self.generators), default=0)

    @property
    def bent(self) -> bool:
        return any(g.bent for g in self.generators)

    @property
    def constant(self) -> Fraction | None:
        """The rational number that it is, or None."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(()) if len(self.terms) == 1 else None

    def __neg__(self) -> Form:
        return Form({m: -c for m, c in self.terms.items()})

    def __add__(self, other: Form) -> Form:
        total = dict(self.terms)
        accumulate(total, other, 1)
        return Form(total)

    def __sub__(self, other: Form) -> Form:
        total = dict(self.terms)
        accumulate(total, other, -1)
        return Form(total)

    def __mul__(self, other: Form) -> Form:
        if self is ONE or other is ONE:
            return other if self is ONE else self
        total: dict[Monomial, Fraction] = {}
        if len(self.terms) * len(other.terms) > 4 * _MOST_TERMS:
            raise TraceError("the expression grows too large")
        for m, c in self.terms.items():
            for k, d in other.terms.items():
                if not m or not k:
                    accumulate(total, Form({m or k: c * d}), 1)
                    continue
                powers = dict(m)
                for g, e in k:
                    powers[g] = powers.get(g, 0) + e
                accumulate(total, product(c * d, powers), 1)
        return Form(total)


def accumulate(total: dict[Monomial, Fraction], form: Form, factor: Any) -> None:
    for m, c in form.terms.items():
        new = total.get(m, 0) + factor * c
        if new:
            total[m] = new
        else:
            total.pop(m, None)
    if len(total) > _MOST_TERMS:
        raise TraceError("the expression grows too large")


def nonnegative(g: Generator, e: Any) -> bool:
    """Whether a power is known to have no negative value."""
    return g.nonnegative or e % 2 == 0


def monomial_text(m: Monomial) -> str:
    return "*".join(g.key if e == 1 else f"{g.key}^{_exponent(e)}" for g, e in m)


def _exponent(e: Any) -> str:
    return str(e) if e == int(e) and e > 0 else f"({e})"


def _times(c: Fraction, text: str) -> str:
    return text if c == 1 and text else f"{c}*{text}" if text else str(c)


# Monomials


def product(coefficient: Any, powers: Mapping[Generator, Any]) -> Form:
    """The product of powers of generators, in normal form."""
    left = {g: e for g, e in powers.items() if e}
    for g, e in left.items():
        rule = PRODUCT_RULES.get(g.kind)
        if rule is not None:
            rewritten = rule(coefficient, left, g, e)
            if rewritten is not None:
                return rewritten
    return Form({tuple(sorted(left.items(), key=by_key)): Fraction(coefficient)})


def by_key(power: tuple[Generator, Any]) -> str:
    return power[0].key


def without(powers: Powers, g: Generator, left: Any = 0) -> Powers:
    return {**powers, g: left}


def _of_delta(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    """A delta is its own square, and makes its indices one in all that it multiplies."""
    if e < 0:
        raise TraceError("division by a Kronecker delta")
    keep, gone = g.args
    others = {k: v for k, v in powers.items() if k is not g}
    if any(gone in k.free for k in others):
        inside = renamed(product(c, others), {gone: keep})
        return inside * Form({((g, 1),): Fraction(1)})
    return None if e == 1 else product(c, without(powers, g, 1))


Rule = Callable[[Any, Powers, Generator, Any], Form | None]
PRODUCT_RULES: dict[str, Rule] = {"delta": _of_delta}


# What forms are made of


def alone(g: Generator, exponent: Any = 1) -> Form:
    return product(1, {g: exponent})


@lru_cache(maxsize=4096)
def rational(value: Fraction) -> Form:
    return Form({(): value} if value else {})


ONE = rational(Fraction(1))


def entry(array: str, indices: Sequence[Index], nonnegative: bool = False) -> Form:
    """An entry of an array, with one index for each axis that is longer than 1."""
    key = f"{array}{'+' if nonnegative else ''}[{','.join(name for name, _ in indices)}]"
    return alone(
        generator(
            "entry",
            (array, tuple(indices), nonnegative),
            key,
            free=[i for i in indices if i != FIRST],
            arrays=[array],
            nonnegative=nonnegative,
        )
    )


def size(symbol: str) -> Form:
    """The size of an axis, an integer of at least 1."""
    return alone(generator("size", (symbol,), symbol, nonnegative=True))


def delta(i: Index, j: Index) -> Form:
    """1 where the indices are equal, else 0."""
    if i == j:
        return ONE
    i, j = sorted((i, j), key=lambda index: (index != FIRST, index))
    free = {k for k in (i, j) if k != FIRST}
    key = f"delta({i[0]},{j[0]})"
    return alone(generator("delta", (i, j), key, free=free, nonnegative=True))


_COUNTER = itertools.count()


def fresh(symbol: str) -> Index:
    """A new index that runs over that size."""
    return (f"i{next(_COUNTER)}", symbol)


# Renaming


def renamed(form: Form, names: Mapping[Index, Index]) -> Form:
    """The form with other indices in the place of some of its free ones, all at once.

    Examples
    --------
    >>> i, j = (("i", "n"), ("j", "n"))
    >>> renamed(entry("x", (i, j)), {i: j, j: i})
    x[j,i]
    """
    total: dict[Monomial, Fraction] = {}
    for monomial, c in form.terms.items():
        kept: Powers = {}
        changed: list[tuple[Generator, Any]] = []
        for g, e in monomial:
            if g.free.isdisjoint(names):
                kept[g] = e
            else:
                changed.append((g, e))
        if not changed:
            accumulate(total, Form({monomial: Fraction(1)}), c)
            continue
        result = Form({tuple(kept.items()): Fraction(1)}) if kept else ONE
        for g, e in changed:
            result = result * _renamed_power(g, e, names)
        accumulate(total, result, c)
    return Form(total)


# How a power of a generator is renamed, by its kind; other kinds are functions of forms.
RENAMING: dict[str, Callable[[Generator, Any, Mapping[Index, Index]], Form]] = {}


def _renamed_power(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return (RENAMING.get(g.kind) or RENAMING["function"])(g, e, names)


def _renamed_entry(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    array, indices, known = g.args
    [((new, _),)] = entry(array, [names.get(i, i) for i in indices], known).terms
    return alone(new, e)


def _renamed_delta(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return delta(*(names.get(i, i) for i in g.args))


RENAMING |= {"entry": _renamed_entry, "delta": _renamed_delta}
