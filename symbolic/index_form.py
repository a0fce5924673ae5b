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

May import: :mod:`symbolic.constants`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any
from weakref import WeakValueDictionary

from symbolic.constants import recognise
from symbolic.values import TraceError

__all__ = [
    "FIRST",
    "Form",
    "Generator",
    "Index",
    "apply",
    "delta",
    "entry",
    "exponential",
    "fresh",
    "greatest",
    "logarithm",
    "number",
    "power",
    "renamed",
    "size",
    "summed",
]

# The name of an index, and the symbol of the size that it runs over. The name tells the size: two
# indices of one name are the same index.
Index = tuple[str, str]
Monomial = tuple[tuple["Generator", Any], ...]
Powers = dict["Generator", Any]

FIRST: Index = ("0", "")  # the index of the first entry, which is there for every size

_MOST_TERMS = 800
_MOST_BOUND = 6


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
    """

    __slots__ = ("__weakref__", "args", "arrays", "free", "height", "key", "kind", "nonnegative")

    kind: str
    args: tuple[Any, ...]
    key: str
    free: frozenset[Index]
    arrays: frozenset[str]
    height: int
    nonnegative: bool

    def __repr__(self) -> str:
        return self.key


_KNOWN: WeakValueDictionary[str, Generator] = WeakValueDictionary()


def _generator(
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
    _KNOWN[key] = made
    return made


class Form:
    """A sum of monomials, in normal form.

    Examples
    --------
    >>> i = ("i", "n")
    >>> x = entry("x", (i,))
    >>> (x + x) * x
    2*x[i]^2
    >>> summed(x * number(3) + number(1), [i])
    n + 3*sum(#1.0n; x[#1.0n])
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
            parts = sorted((_text(m), c) for m, c in self.terms.items())
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
    def constant(self) -> Fraction | None:
        """The rational number that it is, or None."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(()) if len(self.terms) == 1 else None

    def __neg__(self) -> Form:
        return Form({m: -c for m, c in self.terms.items()})

    def __add__(self, other: Form) -> Form:
        total = dict(self.terms)
        _accumulate(total, other, 1)
        return Form(total)

    def __sub__(self, other: Form) -> Form:
        total = dict(self.terms)
        _accumulate(total, other, -1)
        return Form(total)

    def __mul__(self, other: Form) -> Form:
        if self is _ONE or other is _ONE:
            return other if self is _ONE else self
        total: dict[Monomial, Fraction] = {}
        if len(self.terms) * len(other.terms) > 4 * _MOST_TERMS:
            raise TraceError("the expression grows too large")
        for m, c in self.terms.items():
            for k, d in other.terms.items():
                if not m or not k:
                    _accumulate(total, Form({m or k: c * d}), 1)
                    continue
                powers = dict(m)
                for g, e in k:
                    powers[g] = powers.get(g, 0) + e
                _accumulate(total, product(c * d, powers), 1)
        return Form(total)


def _accumulate(total: dict[Monomial, Fraction], form: Form, factor: Any) -> None:
    for m, c in form.terms.items():
        new = total.get(m, 0) + factor * c
        if new:
            total[m] = new
        else:
            total.pop(m, None)
    if len(total) > _MOST_TERMS:
        raise TraceError("the expression grows too large")


def _text(m: Monomial) -> str:
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
        rule = _PRODUCT_RULES.get(g.kind)
        if rule is not None:
            rewritten = rule(coefficient, left, g, e)
            if rewritten is not None:
                return rewritten
    return Form({tuple(sorted(left.items(), key=_by_key)): Fraction(coefficient)})


def _by_key(power: tuple[Generator, Any]) -> str:
    return power[0].key


def _without(powers: Powers, g: Generator, left: Any = 0) -> Powers:
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
    return None if e == 1 else product(c, _without(powers, g, 1))


def _of_base(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    (form,) = g.args
    if e >= 1:
        whole = floor(e)
        return _natural_power(form, whole) * product(c, _without(powers, g, e - whole))
    if e > 0:
        return None
    lead = _lead(form)
    if not lead or any(powers.get(k, 0) < d for k, d in lead):
        return None
    # lead/form^-e is (form - rest)/form^-e: the numerator ends up below the denominator.
    quotient = dict(powers)
    for k, d in lead:
        quotient[k] = quotient[k] - d
    scale = form.terms[lead]
    rest = Form({m: v for m, v in form.terms.items() if m != lead})
    first = product(c / scale, _without(quotient, g, e + 1))
    return first - rest * product(c / scale, quotient)


def _of_number(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    whole = floor(e)
    if not whole:
        return None
    return product(c * Fraction(g.args[0]) ** whole, _without(powers, g, e - whole))


def _of_abs(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    (inner,) = g.args
    if e in (0, 1) or e != int(e):
        return None
    even = e - e % 2
    return product(c, _without({**powers, inner: powers.get(inner, 0) + even}, g, e % 2))


def _of_sin(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    if e < 2:
        return None
    cosine = apply("cos", *g.args)
    return (_ONE - cosine * cosine) * product(c, _without(powers, g, e - 2))


_PRODUCT_RULES: dict[str, Callable[[Any, Powers, Generator, Any], Form | None]] = {
    "delta": _of_delta,
    "base": _of_base,
    "number": _of_number,
    "abs": _of_abs,
    "sin": _of_sin,
}


@lru_cache(maxsize=4096)
def _lead(form: Form) -> Monomial:
    """The greatest monomial, by degree and then by text."""
    return max(form.terms, key=lambda m: (sum(e for _, e in m), _text(m)))


def _natural_power(form: Form, exponent: int) -> Form:
    if exponent > 12:
        raise TraceError(f"a sum to the power {exponent}")
    result = _ONE
    for _ in range(exponent):
        result = result * form
    return result


# What forms are made of


def _alone(g: Generator, exponent: Any = 1) -> Form:
    return product(1, {g: exponent})


@lru_cache(maxsize=4096)
def _rational(value: Fraction) -> Form:
    return Form({(): value} if value else {})


_ONE = _rational(Fraction(1))


def number(value: Any) -> Form:
    """A number: floats stand for the closed form that rounds to them.

    Examples
    --------
    >>> number(0.1), number(2**0.5)
    (1/10, 2^(1/2))
    """
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise TraceError(f"the number {value}")
        if value == 0:
            return _rational(Fraction(0))
        closed = recognise(float(value))
        if closed is None:
            return _rational(Fraction(value))
        rational = _rational(closed.factor)
        return rational if closed.base is None else rational * _closed(closed.base)
    return _rational(Fraction(value))


def _closed(base: Any) -> Form:
    """The value of a nested operation of :mod:`symbolic.constants`."""
    if not isinstance(base, tuple):
        return _rational(Fraction(base))
    op, *rest = base
    args = [_closed(a) for a in rest]
    if op in ("pi", "euler"):
        return _alone(_generator("constant", (op,), op, nonnegative=True))
    if op == "mul":
        return args[0] * args[1]
    if op == "div":
        return args[0] * power(args[1], -1)
    if op == "pow":
        return power(args[0], Fraction(rest[1]))
    if op == "sqrt":
        return power(args[0], Fraction(1, 2))
    return {"exp": exponential, "log": logarithm}[op](args[0])


def entry(array: str, indices: Sequence[Index], nonnegative: bool = False) -> Form:
    """An entry of an array, with one index for each axis that is longer than 1."""
    key = f"{array}{'+' if nonnegative else ''}[{','.join(name for name, _ in indices)}]"
    return _alone(
        _generator(
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
    return _alone(_generator("size", (symbol,), symbol, nonnegative=True))


def delta(i: Index, j: Index) -> Form:
    """1 where the indices are equal, else 0."""
    if i == j:
        return _ONE
    i, j = sorted((i, j), key=lambda index: (index != FIRST, index))
    free = {k for k in (i, j) if k != FIRST}
    key = f"delta({i[0]},{j[0]})"
    return _alone(_generator("delta", (i, j), key, free=free, nonnegative=True))


_COUNTER = itertools.count()


def fresh(symbol: str) -> Index:
    """A new index that runs over that size."""
    return (f"i{next(_COUNTER)}", symbol)


def _bound(level: int, symbols: Iterable[str]) -> list[Index]:
    """The names of the indices of a sum in which others are nested up to that level."""
    return [(f"#{level}.{k}{symbol}", symbol) for k, symbol in enumerate(symbols)]


def _factored(form: Form, of: Callable[[Generator], bool]) -> tuple[Powers, Fraction, Form]:
    """The powers of such generators that all terms have in common, a number, and what is left.

    The number is the coefficient of what is left's leading term.
    """
    content: Powers = {}
    while True:
        common = {
            g: e
            for g in form.generators
            if of(g) and (e := min(dict(m).get(g, 0) for m in form.terms))
        }
        if not common:
            lead = form.terms[_lead(form)]
            return content, lead, form * _rational(1 / lead)
        for g, e in common.items():
            content[g] = content.get(g, 0) + e
        divisor = {g: -e for g, e in common.items()}
        total: dict[Monomial, Fraction] = {}
        for m, c in form.terms.items():
            powers = dict(m)
            for g, e in divisor.items():
                powers[g] = powers.get(g, 0) + e
            # Denominators that leave may leave a sum behind, which may have factors of its own.
            _accumulate(total, product(c, powers), 1)
        form = Form(total)


def power(form: Form, exponent: Any) -> Form:
    """A form to a rational power, which for a root means that the form is not negative.

    Examples
    --------
    >>> x, y = entry("x", ()), entry("y", ())
    >>> power(x * x * y * number(4) - x, -1)
    1/4*(-1/4 + x[]*y[])^(-1)*x[]^(-1)
    """
    if exponent == int(exponent):
        exponent = int(exponent)
        if exponent >= 0:
            return _natural_power(form, exponent)
    if not form:
        raise TraceError("a power of zero")
    whole = isinstance(exponent, int)
    if len(form.terms) == 1:
        [(monomial, coefficient)] = form.terms.items()
        if whole:
            return product(coefficient**exponent, {g: e * exponent for g, e in monomial})
        signed = [(g, e) for g, e in monomial if not _nonnegative(g, e)]
        if coefficient > 0 and len(signed) <= 1:
            return _root(coefficient, monomial, exponent)
    content, lead, primitive = _factored(
        form, lambda g: g.kind != "delta" if whole else g.nonnegative
    )
    if not whole and lead < 0:
        lead, primitive = -lead, -primitive
    outside = power(Form({tuple(sorted(content.items(), key=_by_key)): lead}), exponent)
    if primitive == _ONE:
        return outside
    return outside * _alone(_base(primitive), exponent)


def _base(form: Form) -> Generator:
    known = all(c > 0 and all(_nonnegative(g, e) for g, e in m) for m, c in form.terms.items())
    return _generator("base", (form,), f"({form.key})", [form], nonnegative=known)


def _nonnegative(g: Generator, e: Any) -> bool:
    return g.nonnegative or e % 2 == 0


def _root(coefficient: Fraction, monomial: Monomial, exponent: Any) -> Form:
    """A fractional power of a product of which at most one factor may be negative."""
    result = _number_power(coefficient, exponent)
    for g, e in monomial:
        raised = e * exponent
        if g.nonnegative or e % 2 or raised % 2 == 0:
            result = result * _alone(g, raised)
        else:
            result = result * _alone(_absolute(g), raised)
    return result


def _absolute(g: Generator) -> Generator:
    return _generator("abs", (g,), f"|{g.key}|", [g], nonnegative=True)


@lru_cache(maxsize=1024)
def _primes(value: Fraction) -> tuple[tuple[int, int], ...]:
    """A positive rational as powers of primes; of itself where it is large."""
    if max(value.numerator, value.denominator) > 10**12:
        return ((value.numerator, 1), (value.denominator, -1))
    from sympy import factorint

    return tuple(
        (int(p), int(e))
        for part, sign in ((value.numerator, 1), (value.denominator, -1))
        for p, e in ((p, sign * e) for p, e in factorint(part).items())
    )


def _number_power(value: Fraction, exponent: Any) -> Form:
    result = _ONE
    for prime, e in _primes(value):
        if prime != 1:
            g = _generator("number", (prime,), str(prime), nonnegative=True)
            result = result * _alone(g, Fraction(e) * exponent)
    return result


def exponential(form: Form) -> Form:
    """``exp``: a product with one factor for each term.

    Examples
    --------
    >>> x, y = entry("x", ()), entry("y", ())
    >>> exponential(x - y) * exponential(y)
    exp(x[])
    >>> exponential(logarithm(exponential(x) + number(1)) + y)
    exp(x[])*exp(y[]) + exp(y[])
    """
    powers = {}
    for monomial, c in form.terms.items():
        inner = _log_alone(monomial)
        if inner is not None:
            rest = Form({m: d for m, d in form.terms.items() if m != monomial})
            return power(inner, c) * exponential(rest)
        inside = Form({monomial: Fraction(1)})
        key = f"exp({inside.key})"
        g = _generator("exp", (inside,), key, [inside], nonnegative=True)
        powers[g] = c if c.denominator > 1 else int(c)
    return product(1, powers)


def _log_alone(monomial: Monomial) -> Form | None:
    """What a monomial is the logarithm of, if it is one and that is not negative."""
    if len(monomial) != 1 or monomial[0][1] != 1 or monomial[0][0].kind != "log":
        return None
    inner: Form = monomial[0][0].args[0]
    known = all(c > 0 and all(_nonnegative(g, e) for g, e in m) for m, c in inner.terms.items())
    return inner if known else None


def logarithm(form: Form) -> Form:
    """``log`` of the absolute value: a sum with one term for each factor.

    Examples
    --------
    >>> x, y = entry("x", ()), entry("y", ())
    >>> logarithm(power(y, -1) * exponential(x))
    -1*log(y[]) + x[]
    """
    if not form:
        raise TraceError("the logarithm of zero")
    content, lead, primitive = _factored(form, lambda g: g.kind != "delta")
    total = Form() if primitive == _ONE else _log_of(primitive)
    for prime, e in _primes(abs(lead)):
        if prime != 1:
            total = total + _rational(Fraction(e)) * _log_of(_rational(Fraction(prime)))
    for g, e in content.items():
        scale = _rational(Fraction(e))
        if g.kind == "exp":
            total = total + scale * g.args[0]
        elif g.kind == "abs":
            total = total + scale * _log_of(_alone(g.args[0]))
        elif g.kind == "base":
            total = total + scale * logarithm(g.args[0])
        elif g.kind == "number":
            total = total + scale * _log_of(_rational(Fraction(g.args[0])))
        else:
            total = total + scale * _log_of(_alone(g))
    return total


def _log_of(form: Form) -> Form:
    return _alone(_generator("log", (form,), f"log({form.key})", [form]))


def apply(name: str, *forms: Form) -> Form:
    """Another function of forms, of which nothing is known here."""
    key = f"{name}({'; '.join(f.key for f in forms)})"
    return _alone(_generator(name, forms, key, forms, nonnegative=name == "abs"))


# Sums


def summed(form: Form, indices: Sequence[Index]) -> Form:
    """The sum over indices.

    Examples
    --------
    >>> i, j, k = (("i", "n"), ("j", "m"), ("k", "n"))
    >>> x = entry("x", (i,))
    >>> summed(x * entry("y", (j,)), [i, j])
    sum(#1.0m; y[#1.0m])*sum(#1.0n; x[#1.0n])
    >>> summed(delta(i, k) * x, [i])
    x[k]
    """
    total: dict[Monomial, Fraction] = {}
    for monomial, c in form.terms.items():
        _accumulate(total, _summed_monomial(dict(monomial), list(indices)), c)
    return Form(total)


def _summed_monomial(powers: Powers, bound: list[Index]) -> Form:
    for g in powers:
        if g.kind == "delta" and (g.args[0] in bound or g.args[1] in bound):
            gone, other = g.args if g.args[0] in bound else g.args[::-1]
            others = product(1, _without(powers, g))
            return summed(renamed(others, {gone: other}), [i for i in bound if i != gone])
    for g, e in powers.items():
        if g.kind == "sum" and e > 0 and e == int(e) and not g.free.isdisjoint(bound):
            inside, opened = _opened(g)
            once = product(1, _without(powers, g, e - 1)) * inside
            return summed(once, [*bound, *opened])
    result = _ONE
    outside = {g: e for g, e in powers.items() if g.free.isdisjoint(bound)}
    if outside:
        result = product(1, outside)
    left = [g for g in powers if g not in outside]
    for i in bound:
        if not any(i in g.free for g in left):
            result = result * size(i[1])
    while left:
        inside = {left.pop()}
        indices = set[Index]()
        while True:
            indices = set(bound).intersection(*[set().union(*(g.free for g in inside))])
            more = [g for g in left if not g.free.isdisjoint(indices)]
            if not more:
                break
            inside.update(more)
            left = [g for g in left if g not in inside]
        result = result * _connected({g: powers[g] for g in inside}, sorted(indices))
    return result


def _opened(g: Generator) -> tuple[Form, list[Index]]:
    """The summand of a sum at fresh indices."""
    bound, summand = g.args
    new = [fresh(symbol) for _, symbol in bound]
    return renamed(summand, dict(zip(bound, new, strict=True))), new


def _connected(powers: Powers, bound: list[Index]) -> Form:
    """The sum of a product that does not fall apart, with its indices in a canonical order."""
    if len(bound) > _MOST_BOUND:
        raise TraceError(f"a sum over {len(bound)} indices at once")
    level = 1 + max(g.height for g in powers)
    summand = product(1, powers)
    best: tuple[str, Fraction, Form, list[Index]] | None = None
    for order in _orders(powers, bound):
        names = _bound(level, (symbol for _, symbol in order))
        candidate = renamed(summand, dict(zip(order, names, strict=True)))
        if len(candidate.terms) != 1:
            raise TraceError("a sum whose normal form depends on the names of its indices")
        [(monomial, c)] = candidate.terms.items()
        text = _text(monomial)
        if best is None or text < best[0]:
            best = (text, c, Form({monomial: Fraction(1)}), names)
    assert best is not None
    text, c, found, names = best
    header = ",".join(name for name, _ in names)
    [(monomial, _)] = found.terms.items()
    g = _generator(
        "sum",
        (tuple(names), found),
        f"sum({header}; {text})",
        [found],
        bound=names,
        nonnegative=all(_nonnegative(k, e) for k, e in monomial),
    )
    return Form({((g, 1),): c})


def _orders(powers: Powers, bound: list[Index]) -> Iterable[list[Index]]:
    """The orders of the indices that are worth trying: those that look different are sorted."""
    if len(bound) == 1:
        return [bound]
    plain = {i: (f"*{i[1]}", i[1]) for i in bound}

    def look(i: Index) -> tuple[str, ...]:
        marked = {**plain, i: (f"!{i[1]}", i[1])}
        seen = [renamed(_alone(g, e), marked).key for g, e in powers.items() if i in g.free]
        return (i[1], *sorted(seen))

    looks = {i: look(i) for i in bound}
    groups = [
        list(g)
        for _, g in itertools.groupby(sorted(bound, key=looks.__getitem__), looks.__getitem__)
    ]
    return (
        [i for group in choice for i in group]
        for choice in itertools.product(*(itertools.permutations(g) for g in groups))
    )


def greatest(form: Form, indices: Sequence[Index], by: Form | None = None) -> Form:
    """The value where ``by``, the form itself by default, is greatest: nothing is known of it."""
    by = form if by is None else by
    names = _bound(1 + max(form.height, by.height), (symbol for _, symbol in indices))
    new = dict(zip(indices, names, strict=True))
    inside, by = renamed(form, new), renamed(by, new)
    header = ",".join(name for name, _ in names)
    key = f"greatest({header}; {inside.key}; {by.key})"
    return _alone(
        _generator("greatest", (tuple(names), inside, by), key, [inside, by], bound=names)
    )


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
            _accumulate(total, Form({monomial: Fraction(1)}), c)
            continue
        result = Form({tuple(kept.items()): Fraction(1)}) if kept else _ONE
        for g, e in changed:
            result = result * _renamed_power(g, e, names)
        _accumulate(total, result, c)
    return Form(total)


def _renamed_power(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    if g.kind == "entry":
        array, indices, nonnegative = g.args
        found = entry(array, [names.get(i, i) for i in indices], nonnegative)
        [((new, _),)] = found.terms
        return _alone(new, e)
    if g.kind == "delta":
        return delta(*(names.get(i, i) for i in g.args))
    if g.kind == "base":
        return power(renamed(g.args[0], names), e)
    if g.kind == "abs":
        [(monomial, c)] = renamed(_alone(g.args[0]), names).terms.items()
        return _root(c * c, tuple((k, 2 * d) for k, d in monomial), Fraction(1, 2) * e)
    if g.kind == "sum":
        bound, inside = g.args
        return power(summed(renamed(inside, names), bound), e)
    if g.kind == "greatest":
        bound, inside, by = g.args
        return power(greatest(renamed(inside, names), bound, renamed(by, names)), e)
    if g.kind == "exp":
        return exponential(renamed(g.args[0], names) * _rational(Fraction(e)))
    inner = [renamed(form, names) for form in g.args]
    return power(logarithm(inner[0]) if g.kind == "log" else apply(g.kind, *inner), e)
