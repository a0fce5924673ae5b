"""Exponentials, logarithms and powers in normal form.

- ``exp``: the arguments' basis over the rationals; ``exp(a + b) = exp(a) exp(b)``,
  ``exp(c log u) = u**c``.
- ``log``: one generator log|f| for each irreducible factor f. With the absolute value inside,
  ``log(f g) = log|f| + log|g|`` needs no sign to be known.
- powers with rational exponents: roots of |f| for each irreducible factor f, in chains of prime
  degree (``t**2 = |f|``, ``u**2 = t``, ...), so that square, fourth and sixth roots know each
  other.
  ``|f|`` is ``f`` or ``-f`` where the sign is known, else ``f`` times a generator of square 1.
- hyperbolic functions through ``exp``, their inverses through ``log`` and roots.

Functions here take the :class:`~symbolic.normal_form.NormalForms` at work and elements.

May import: :mod:`symbolic.tower`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flint import fmpz, fmpz_mpoly

from symbolic.tower import Element, Generator, TooBig, poly_key

if TYPE_CHECKING:
    from symbolic.normal_form import NormalForms

__all__ = [
    "RULES",
    "Basis",
    "exp",
    "log",
    "log_factor",
    "power",
    "split_constant",
    "split_proper",
    "sqrt",
]

# Of the roots that are taken.
_LARGEST_PRIME = 64

Vector = dict[tuple[int, ...], Fraction]


class Basis:
    """Elements independent over the rationals, and how others combine from them.

    Elements over different denominators are taken for independent; where they are not, a relation
    is missed and nothing worse.
    """

    def __init__(self) -> None:
        # For each denominator: rows (pivot, vector, combination of basis elements).
        self._rows: dict[Any, list[tuple[Any, Vector, dict[int, Fraction]]]] = {}
        self.elements: list[Element] = []
        self.generators: list[Any] = []

    def coordinates(self, element: Element) -> tuple[dict[int, Fraction], bool]:
        """Coefficients over the basis, which grows by the element itself where it must.

        Returns
        -------
        dict, bool
            Index in the basis to coefficient; whether the element is a new member.
        """
        content = element.den.content()
        family = poly_key(element.den // content)
        rows = self._rows.setdefault(family, [])
        rest: Vector = {
            m: Fraction(int(c), int(content))
            for m, c in zip(element.num.monoms(), element.num.coeffs(), strict=True)
        }
        combination: dict[int, Fraction] = {}
        for pivot, vector, parts in rows:
            c = rest.get(pivot)
            if c:
                _subtract(rest, vector, c)
                _subtract(combination, parts, -c)
        if not rest:
            return combination, False
        number = len(self.elements)
        self.elements.append(element)
        pivot = max(rest)
        scale = 1 / rest[pivot]
        parts = {k: -c * scale for k, c in combination.items()}
        parts[number] = scale
        rows.append((pivot, {m: c * scale for m, c in rest.items()}, parts))
        return {number: Fraction(1)}, True


def _subtract(target: dict, other: dict, factor: Fraction) -> None:
    for k, c in other.items():
        value = target.get(k, 0) - factor * c
        if value:
            target[k] = value
        else:
            target.pop(k, None)


# Exponentials


def exp(nf: NormalForms, a: Element) -> Element:
    tower = nf.tower
    if a.num.is_zero():
        return tower.one
    result = tower.one
    a, proper = split_proper(nf, a)
    if proper is not None:
        result = _exp_of(nf, proper)
    a, algebraic = _take_logarithms(nf, a)
    for base, exponent in algebraic:
        result = tower.mul(result, base(exponent))
    for part in split_constant(nf, a):
        result = tower.mul(result, _exp_of(nf, part))
    return result


def split_proper(nf: NormalForms, a: Element) -> tuple[Element, Element | None]:
    """A polynomial over an integer, and a fraction none of whose terms the denominator divides.

    x/(x + 1) becomes 1 and -1/(x + 1), so that it is seen to depend on 1/(x + 1) and 1.
    A fraction whose denominator has another leading coefficient than 1 is left whole.
    """
    tower = nf.tower
    if a.den.is_constant():
        return a, None
    if a.den.leading_coefficient() != 1 or len(a.num) > 500:
        return tower.zero, a
    quotient, rest = divmod(a.num, a.den)
    return tower.make(quotient, tower.one_poly), tower.make(rest, a.den)


def _take_logarithms(
    nf: NormalForms, a: Element
) -> tuple[Element, list[tuple[Callable[..., Element], Fraction]]]:
    """Split off the terms c log|f| with rational c, whose exponentials are powers of |f|.

    Lambert's function goes the same way: exp(W(u)) = u / W(u).
    """
    tower = nf.tower
    den = int(a.den.leading_coefficient())
    kept = []
    taken: list[tuple[Callable[..., Element], Fraction]] = []
    for m, c in tower.terms(a.num):
        if sum(m) == 1:
            generator = tower.generators[m.index(1)]
            if generator.kind == "log":
                f = generator.data
                taken.append((lambda e, f=f: absolute_power(nf, f, e), Fraction(int(c), den)))
                continue
            if generator.kind == "lambertw":
                _, (u,) = generator.data
                ratio = tower.div(u, tower.element(generator))
                nf.assume(ratio, 1, strict=True)
                taken.append(
                    (lambda e, r=ratio: power(nf, r, nf.rational(e)), Fraction(int(c), den))
                )
                continue
        kept.append((m, c))
    if not taken:
        return a, []
    return tower.make(tower.from_terms(kept), a.den), taken


def split_constant(nf: NormalForms, a: Element) -> list[Element]:
    """The rational term, the other constant terms and the rest, each where it is not zero."""
    tower = nf.tower
    rational, constant, rest = [], [], []
    for m, c in tower.terms(a.num):
        if not any(m):
            rational.append((m, c))
        elif all(tower.generators[i].constant for i, e in enumerate(m) if e):
            constant.append((m, c))
        else:
            rest.append((m, c))
    parts = [p for p in (rational, constant, rest) if p]
    if len(parts) < 2:
        return [a] if parts else []
    return [tower.make(tower.from_terms(p), a.den) for p in parts]


def _exp_of(nf: NormalForms, a: Element) -> Element:
    """exp of an element as a product of powers of the basis' exponentials."""
    if a.num.is_zero():
        return nf.tower.one
    tower, basis = nf.tower, nf.exponentials
    rational = tower.as_rational(a)
    if rational is not None:
        if max((p for p, _ in _prime_factors(rational.denominator)), default=1) > _LARGEST_PRIME:
            # No root is that deep: exp(1/101) is a number of its own, and the rest its powers.
            part = nf.rational(Fraction(1, rational.denominator))
            generator = _exp_generator(nf, part)
            return tower.power(tower.element(generator), rational.numerator)
        # exp(1) to a rational power, so that exp(1/2)**2 is exp(1) whichever came first.
        return absolute_power(nf, tower.poly(_exp_generator(nf, tower.one)), rational)
    coordinates, _ = basis.coordinates(a)
    result = tower.one
    for number, c in coordinates.items():
        generator = _exp_generator(nf, basis.elements[number])
        result = tower.mul(result, absolute_power(nf, tower.poly(generator), c))
    return result


def _exp_generator(nf: NormalForms, a: Element) -> Generator:
    key = ("exp", a.key)
    generator = nf.tower.find(key)
    if generator is None:
        tower = nf.tower
        constant = tower.is_constant(a.num) and tower.is_constant(a.den)
        generator = tower.new(key, "exp", a, constant=constant, positive=True)
    return generator


# Logarithms


def log(nf: NormalForms, u: Element) -> Element:
    """log|u|, which is log(u) wherever that is defined."""
    tower = nf.tower
    if u.num.is_zero():
        return nf.opaque("log", [u])
    u = _in_roots(nf, u)
    content, factors = tower.factor(u.num)
    under, below = tower.factor(u.den)
    result = tower.sub(log_integer(nf, abs(content)), log_integer(nf, abs(under)))
    for f, e in factors:
        result = tower.add(result, tower.mul(nf.rational(e), log_factor(nf, f)))
    for f, e in below:
        result = tower.sub(result, tower.mul(nf.rational(e), log_factor(nf, f)))
    return result


def _in_roots(nf: NormalForms, u: Element) -> Element:
    """The same with r**n for the positive number that r is the root of: to see a product.

    With h**2 = e, e x + h is no product, and h**2 x + h is h (h x + 1).
    """
    tower = nf.tower
    used = {*tower.used(u.num), *tower.used(u.den)}
    images = {}
    for i in used:
        if tower.generators[i].kind == "root":
            radicand, degree = tower.generators[i].data
            whole = None if radicand.is_constant() else _single(nf, radicand)
            if whole is not None and whole.positive and whole.index in used:
                images[whole.index] = tower.poly(tower.generators[i]) ** degree
    if not images:
        return u
    gens = [images.get(i, g) for i, g in enumerate(tower.ctx.gens())]
    num, den = (p.compose(*gens, ctx=tower.ctx) for p in (u.num, u.den))
    return Element(num, den)


def log_integer(nf: NormalForms, n: int) -> Element:
    tower = nf.tower
    result = tower.zero
    for p, e in _prime_factors(n):
        result = tower.add(
            result, tower.mul(nf.rational(e), _log_generator(nf, tower.ctx.constant(p)))
        )
    return result


def _prime_factors(n: int) -> list[tuple[int, int]]:
    """Primes with exponents; a large cofactor is left whole."""
    if n < 2:
        return []
    if n < 2**64:
        return [(int(p), int(e)) for p, e in fmpz(n).factor()]
    found = []
    for p in _SMALL_PRIMES:
        e = 0
        while n % p == 0:
            n //= p
            e += 1
        if e:
            found.append((p, e))
    if n > 1:
        found.append((n, 1))
    return found


_SMALL_PRIMES = [p for p in range(2, 1000) if all(p % q for q in range(2, int(p**0.5) + 1))]


def log_factor(nf: NormalForms, f: fmpz_mpoly) -> Element:
    """log|f| of an irreducible polynomial."""
    tower = nf.tower
    generator = _single(nf, f)
    if generator is not None:
        if generator.kind == "exp":
            return generator.data
        if generator.kind == "root":
            radicand, degree = generator.data
            return tower.mul(nf.rational(Fraction(1, degree)), log_factor_or_prime(nf, radicand))
        if generator.kind == "signum":
            return tower.zero
    return _log_generator(nf, f)


def log_factor_or_prime(nf: NormalForms, f: fmpz_mpoly) -> Element:
    if f.is_constant():
        return _log_generator(nf, f)
    return log_factor(nf, f)


def _log_generator(nf: NormalForms, f: fmpz_mpoly) -> Element:
    tower = nf.tower
    key = ("log", poly_key(f))
    generator = tower.find(key)
    if generator is None:
        positive = f.is_constant()
        generator = tower.new(key, "log", f, constant=tower.is_constant(f), positive=positive)
    return tower.element(generator)


def _single(nf: NormalForms, f: fmpz_mpoly) -> Generator | None:
    """The generator that ``f`` is, if it is one."""
    if len(f) != 1:
        return None
    used = nf.tower.used(f)
    if len(used) == 1 and f.total_degree() == 1 and f.leading_coefficient() == 1:
        return nf.tower.generators[used[0]]
    return None


# Powers


def power(nf: NormalForms, u: Element, y: Element) -> Element:
    """u**y for real u: an integer power, or a power of a number that is not negative."""
    exponent = nf.tower.as_rational(y)
    if exponent is None:
        return exp(nf, nf.tower.mul(y, log(nf, u)))
    if exponent.denominator == 1:
        return nf.tower.power(u, int(exponent))
    return rational_power(nf, u, exponent)


def sqrt(nf: NormalForms, u: Element) -> Element:
    return rational_power(nf, u, Fraction(1, 2))


def rational_power(nf: NormalForms, u: Element, exponent: Fraction) -> Element:
    """|u|**exponent, which is u**exponent wherever that is defined."""
    tower = nf.tower
    if u.num.is_zero():
        return tower.zero if exponent > 0 else tower.inverse(u)
    content, factors = tower.factor(u.num)
    under, below = tower.factor(u.den)
    result = tower.one
    for p, e in _prime_factors(abs(content)):
        result = tower.mul(result, absolute_power(nf, tower.ctx.constant(p), e * exponent))
    for p, e in _prime_factors(abs(under)):
        result = tower.mul(result, absolute_power(nf, tower.ctx.constant(p), -e * exponent))
    for f, e in factors:
        result = tower.mul(result, absolute_power(nf, f, e * exponent))
    for f, e in below:
        result = tower.mul(result, absolute_power(nf, f, -e * exponent))
    return result


def absolute_power(nf: NormalForms, f: fmpz_mpoly, exponent: Fraction) -> Element:
    """|f|**exponent of an irreducible polynomial, or of a prime number."""
    tower = nf.tower
    if exponent == 0:
        return tower.one
    generator = _single(nf, f)
    if generator is not None:
        if generator.kind == "root":
            radicand, degree = generator.data
            return absolute_power(nf, radicand, exponent / degree)
        if generator.kind == "signum":
            return tower.one
    whole = exponent.numerator // exponent.denominator
    result = _absolute_integer_power(nf, f, whole)
    # The rest in partial fractions over prime powers, each with its digits: 5/6 = 1/2 + 1/3.
    for prime, level, digit, extra in _digits(exponent - whole):
        if extra:
            result = tower.mul(result, _absolute_integer_power(nf, f, extra))
        if digit:
            root = _root(nf, f, prime, level)
            result = tower.mul(result, tower.power(tower.element(root), digit))
    return result


def _absolute_integer_power(nf: NormalForms, f: fmpz_mpoly, n: int) -> Element:
    if n == 0:
        return nf.tower.one
    base = nf.tower.make(f, nf.tower.one_poly)
    result = nf.tower.power(base, n)
    if n % 2:
        result = nf.tower.mul(result, _signum(nf, f))
    return result


def _signum(nf: NormalForms, f: fmpz_mpoly) -> Element:
    """The sign of f: 1 or -1 where it is known, else a generator whose square is 1."""
    tower = nf.tower
    known = nf.sign(f)
    if known is not None:
        return nf.rational(known)
    key = ("signum", poly_key(f))
    generator = tower.find(key)
    if generator is None:
        generator = tower.new(key, "signum", f, (2, tower.one_poly), constant=tower.is_constant(f))
    return tower.element(generator)


def _digits(fraction: Fraction) -> list[tuple[int, int, int, int]]:
    """``fraction`` as a sum of digit / prime**level, and of integers.

    Each part is (prime, level, digit, integer), with a digit or an integer that is zero.
    """
    parts = []
    rest = fraction
    for prime, k in _prime_factors(fraction.denominator):
        modulus = prime**k
        other = fraction.denominator // modulus
        a = fraction.numerator * pow(other, -1, modulus) % modulus
        rest -= Fraction(a, modulus)
        for level in range(k, 0, -1):
            parts.append((prime, level, a % prime, 0))
            a //= prime
    assert rest.denominator == 1
    if rest:
        parts.append((1, 0, 0, int(rest)))
    return parts


def _root(nf: NormalForms, f: fmpz_mpoly, prime: int, level: int) -> Generator:
    """The root |f|**(1 / prime**level)."""
    tower = nf.tower
    key = ("root", poly_key(f), prime, level)
    generator = tower.find(key)
    if generator is not None:
        return generator
    if prime > _LARGEST_PRIME or level > 12:
        raise TooBig
    if level == 1:
        under = tower.mul(tower.make(f, tower.one_poly), _signum(nf, f)).num
    else:
        under = tower.poly(_root(nf, f, prime, level - 1))
    return tower.new(
        key,
        "root",
        (f, prime**level),
        (prime, under),
        constant=tower.is_constant(f),
        positive=True,
    )


# Hyperbolic functions, through exp


def _exponentials(nf: NormalForms, a: Element) -> tuple[Element, Element]:
    e = exp(nf, a)
    return e, nf.tower.inverse(e)


def sinh(nf: NormalForms, a: Element) -> Element:
    up, down = _exponentials(nf, a)
    return nf.tower.mul(nf.rational(Fraction(1, 2)), nf.tower.sub(up, down))


def cosh(nf: NormalForms, a: Element) -> Element:
    up, down = _exponentials(nf, a)
    return nf.tower.mul(nf.rational(Fraction(1, 2)), nf.tower.add(up, down))


def tanh(nf: NormalForms, a: Element) -> Element:
    up, down = _exponentials(nf, a)
    return nf.tower.div(nf.tower.sub(up, down), nf.tower.add(up, down))


# Inverse functions


def arcsinh(nf: NormalForms, a: Element) -> Element:
    tower = nf.tower
    root = sqrt(nf, tower.add(tower.mul(a, a), tower.one))
    inside = tower.add(a, root)
    nf.assume(inside, 1, strict=True)
    return log(nf, inside)


def arccosh(nf: NormalForms, a: Element) -> Element:
    tower = nf.tower
    root = sqrt(nf, tower.sub(tower.mul(a, a), tower.one))
    inside = tower.add(a, root)
    nf.assume(inside, 1, strict=True)
    return log(nf, inside)


def arctanh(nf: NormalForms, a: Element) -> Element:
    tower = nf.tower
    inside = tower.div(tower.add(tower.one, a), tower.sub(tower.one, a))
    return tower.mul(nf.rational(Fraction(1, 2)), log(nf, inside))


def odd(op: str) -> Callable[[NormalForms, Element], Element]:
    """An odd function of which nothing else is known: f(-u) = -f(u)."""

    def rule(nf: NormalForms, a: Element) -> Element:
        if a.num.is_zero():
            return nf.tower.zero
        if a.num.leading_coefficient() < 0:
            return nf.tower.neg(nf.opaque(op, [nf.tower.neg(a)]))
        return nf.opaque(op, [a])

    return rule


def arccos(nf: NormalForms, a: Element) -> Element:
    return nf.tower.sub(_half_pi(nf), odd("arcsin")(nf, a))


def _half_pi(nf: NormalForms) -> Element:
    return nf.tower.mul(nf.rational(Fraction(1, 2)), nf.tower.element(nf.pi()))


def arctan(nf: NormalForms, a: Element) -> Element:
    """Of a and 1/a, which differ by a right angle, the one whose numerator comes first."""
    sign = nf.sign_of(a)
    if sign is None or poly_key(a.num) >= poly_key(a.den):
        return odd("arctan")(nf, a)
    turn = nf.tower.mul(nf.rational(sign), _half_pi(nf))
    return nf.tower.sub(turn, odd("arctan")(nf, nf.tower.inverse(a)))


def arctan2(nf: NormalForms, y: Element, x: Element) -> Element:
    """Through arctan where the quadrant is known well enough."""
    tower = nf.tower
    if x.num.is_zero() or y.num.is_zero():
        return nf.opaque("arctan2", [y, x])
    right, up = nf.sign_of(x), nf.sign_of(y)
    if right == 1:
        return arctan(nf, tower.div(y, x))
    if up is not None:
        turn = tower.mul(nf.rational(up), _half_pi(nf))
        return tower.sub(turn, arctan(nf, tower.div(x, y)))
    return nf.opaque("arctan2", [y, x])


RULES: dict[str, Callable[..., Element]] = {
    "exp": exp,
    "log": log,
    "pow": power,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "arcsin": odd("arcsin"),
    "arccos": arccos,
    "arctan": arctan,
    "arctan2": arctan2,
    "arcsinh": arcsinh,
    "arccosh": arccosh,
    "arctanh": arctanh,
}
