"""Special functions in normal form: what relates their values at shifted or mirrored arguments.

The relations used, by their numbers in the Digital Library of Mathematical Functions
(dlmf.nist.gov): gamma 5.5.1, digamma and polygamma 5.15.5, Bessel functions 10.6.1 and 10.29.1,
those of the order 1/2 10.16.1 and 10.39.1, incomplete gamma 8.8.5, exponential integrals 8.19.12,
error functions 7.2.2 and 7.4.1, zeta 25.11.12, polylogarithm 25.12.10. Arguments are shifted so
that their rational part lies in [0, 1), or in (0, 1] where they are constant.

May import: :mod:`symbolic.tower`, :mod:`symbolic.elementary`, :mod:`symbolic.angles`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial, floor
from typing import TYPE_CHECKING

from symbolic import angles, elementary
from symbolic.elementary import odd
from symbolic.tower import Element, Generator, TooBig

if TYPE_CHECKING:
    from symbolic.normal_form import NormalForms

__all__ = ["RULES"]

_MAX_SHIFT = 40


def _shift(nf: NormalForms, a: Element) -> tuple[Element, int]:
    """``a = b + n`` with an integer n and b as described above."""
    tower = nf.tower
    if not a.den.is_constant():
        return a, 0
    den = int(a.den.leading_coefficient())
    zero = (0,) * tower.capacity
    constant = Fraction(0)
    for m, c in tower.terms(a.num):
        if m == zero:
            constant = Fraction(int(c), den)
    n = floor(constant)
    if tower.as_rational(a) is not None and n == constant:
        n -= 1  # at an integer, start from 1: 0 may be a pole
    if abs(n) > _MAX_SHIFT:
        raise TooBig
    return (tower.sub(a, nf.rational(n)), n) if n else (a, 0)


def _gamma_generator(nf: NormalForms, a: Element) -> Generator:
    found = nf.opaque("gamma", [a], positive=nf.sign_of(a) == 1)
    return nf.tower.generators[nf.tower.used(found.num)[0]]


def gamma(nf: NormalForms, a: Element) -> Element:
    tower = nf.tower
    b, n = _shift(nf, a)
    return tower.mul(_gamma_base(nf, b), _rising(nf, b, n))


def _gamma_base(nf: NormalForms, b: Element) -> Element:
    value = nf.tower.as_rational(b)
    if value == 1:
        return nf.tower.one
    if value == Fraction(1, 2):
        return elementary.sqrt(nf, nf.tower.element(nf.pi()))
    return nf.tower.element(_gamma_generator(nf, b))


def _rising(nf: NormalForms, b: Element, n: int) -> Element:
    """gamma(b + n) / gamma(b)."""
    tower = nf.tower
    result = tower.one
    for k in range(abs(n)):
        factor = tower.add(b, nf.rational(k if n > 0 else k + n))
        result = tower.mul(result, factor)
    return result if n >= 0 else tower.inverse(result)


def gammaln(nf: NormalForms, a: Element) -> Element:
    """log|gamma(a)|: the logarithm of the generator that gamma is."""
    tower = nf.tower
    b, n = _shift(nf, a)
    value = tower.as_rational(b)
    if value == 1:
        result = tower.zero
    elif value == Fraction(1, 2):
        result = elementary.log(nf, _gamma_base(nf, b))
    else:
        result = elementary.log_factor(nf, tower.poly(_gamma_generator(nf, b)))
    return tower.add(result, elementary.log(nf, _rising(nf, b, n))) if n else result


def polygamma(nf: NormalForms, order: Element, a: Element) -> Element:
    tower = nf.tower
    rank = tower.as_rational(order)
    if rank is None or rank.denominator != 1 or not 0 <= rank <= 30:
        return nf.opaque("polygamma", [order, a])
    m = int(rank)
    b, n = _shift(nf, a)
    if m == 0 and tower.as_rational(b) == 1:
        result = tower.neg(nf.leaf("euler", None, constant=True, positive=True))
    else:
        result = nf.opaque("polygamma", [order, b])
    sign = (-1) ** m * factorial(m)
    for k in range(abs(n)):
        at = tower.add(b, nf.rational(k if n > 0 else k + n))
        term = tower.mul(nf.rational(sign), tower.power(at, -m - 1))
        result = tower.add(result, term) if n > 0 else tower.sub(result, term)
    return result


def zeta(nf: NormalForms, s: Element, a: Element) -> Element:
    """(-1)**s (s - 1)! zeta(s, a) = polygamma(s - 1, a) for an integer s above 1."""
    tower = nf.tower
    rank = tower.as_rational(s)
    if rank is None or rank.denominator != 1 or not 2 <= rank <= 31:
        return nf.opaque("zeta", [s, a])
    m = int(rank) - 1
    factor = Fraction((-1) ** (m + 1), factorial(m))
    return tower.mul(nf.rational(factor), polygamma(nf, nf.rational(m), a))


def polylog(nf: NormalForms, s: Element, z: Element) -> Element:
    tower = nf.tower
    if z.num.is_zero():
        return tower.zero
    rank = tower.as_rational(s)
    if rank == 1:
        return tower.neg(elementary.log(nf, tower.sub(tower.one, z)))
    if rank == 0:
        return tower.div(z, tower.sub(tower.one, z))
    return nf.opaque("polylog", [s, z])


def _bessel(op: str) -> Callable[[NormalForms, Element, Element], Element]:
    """Any order from the two orders with rational part in [0, 2), by the three-term recurrence.

    J and Y: f(v + 1) = (2 v / x) f(v) - f(v - 1); I: with the signs f(v - 1) - (2 v / x) f(v);
    K: f(v - 1) + (2 v / x) f(v).
    """
    same, slope = {
        "besselj": (-1, 1),
        "bessely": (-1, 1),
        "besseli": (1, -1),
        "besselk": (1, 1),
    }[op]

    def rule(nf: NormalForms, order: Element, x: Element) -> Element:
        tower = nf.tower
        if not order.den.is_constant():
            return nf.opaque(op, [order, x])
        b, n = _shift(nf, order)
        if tower.as_rational(b) == 1:
            b, n = tower.zero, n + 1
        if tower.as_rational(b) == Fraction(1, 2):
            low, high = _of_order_half(nf, op, x)
            if n == 0:
                return low
        else:
            low = nf.opaque(op, [b, x])
            if n == 0:
                return low
            high = nf.opaque(op, [tower.add(b, tower.one), x])
        two_over_x = tower.div(nf.rational(2), x)

        def factor(v: Element) -> Element:
            return tower.mul(tower.mul(nf.rational(slope), v), two_over_x)

        if n > 0:
            for k in range(1, n):
                v = tower.add(b, nf.rational(k))
                low, high = (
                    high,
                    tower.add(tower.mul(factor(v), high), tower.mul(nf.rational(same), low)),
                )
            return high
        # f(v - 1) = same * (f(v + 1) - slope (2 v / x) f(v)), for same is 1 or -1
        for k in range(-n):
            v = tower.sub(b, nf.rational(k))
            low, high = (
                tower.mul(nf.rational(same), tower.sub(high, tower.mul(factor(v), low))),
                low,
            )
        return low

    return rule


def _of_order_half(nf: NormalForms, op: str, x: Element) -> tuple[Element, Element]:
    """The orders 1/2 and 3/2, which are elementary, of positive arguments: no others are real."""
    tower = nf.tower
    pi = tower.element(nf.pi())
    if op == "besselk":
        decay = elementary.exp(nf, tower.neg(x))
        low = tower.mul(elementary.sqrt(nf, tower.div(pi, tower.mul(nf.rational(2), x))), decay)
        return low, tower.mul(low, tower.add(tower.one, tower.inverse(x)))
    size = elementary.sqrt(nf, tower.div(nf.rational(2), tower.mul(pi, x)))
    if op == "besseli":
        odd_part, even_part = elementary.sinh(nf, x), elementary.cosh(nf, x)
        low, high = odd_part, tower.sub(even_part, tower.div(odd_part, x))
    else:
        odd_part, even_part = angles.sin_cos(nf, x)
        if op == "besselj":
            low, high = odd_part, tower.sub(tower.div(odd_part, x), even_part)
        else:
            low = tower.neg(even_part)
            high = tower.sub(tower.div(low, x), odd_part)
    return tower.mul(size, low), tower.mul(size, high)


def gammainc(nf: NormalForms, a: Element, x: Element) -> Element:
    """P(a + 1, x) = P(a, x) - x**a exp(-x) / gamma(a + 1)."""
    tower = nf.tower
    b, n = _shift(nf, a)
    if tower.as_rational(b) == 1:
        result = tower.sub(tower.one, elementary.exp(nf, tower.neg(x)))
    else:
        result = nf.opaque("gammainc", [b, x])
    for k in range(abs(n)):
        at = tower.add(b, nf.rational(k if n > 0 else k + n))
        term = tower.div(
            tower.mul(
                elementary.power(nf, x, at),
                elementary.exp(nf, tower.neg(x)),
            ),
            gamma(nf, tower.add(at, tower.one)),
        )
        result = tower.sub(result, term) if n > 0 else tower.add(result, term)
    return result


def gammaincc(nf: NormalForms, a: Element, x: Element) -> Element:
    return nf.tower.sub(nf.tower.one, gammainc(nf, a, x))


def expint(nf: NormalForms, order: Element, x: Element) -> Element:
    """n E_(n + 1)(x) = exp(-x) - x E_n(x), from E_1."""
    tower = nf.tower
    n = tower.as_rational(order)
    if n is None or n.denominator != 1 or not 0 <= n <= _MAX_SHIFT:
        return nf.opaque("expint", [order, x])
    decay = elementary.exp(nf, tower.neg(x))
    if n == 0:
        return tower.div(decay, x)
    result = nf.opaque("expint", [tower.one, x])
    for k in range(1, int(n)):
        result = tower.mul(nf.rational(Fraction(1, k)), tower.sub(decay, tower.mul(x, result)))
    return result


def _inverse_pair(op: str, inverse: str) -> Callable[[NormalForms, Element], Element]:
    """An odd function that undoes another one: op(inverse(u)) = u."""
    rule = odd(op)

    def paired(nf: NormalForms, a: Element) -> Element:
        tower = nf.tower
        if len(a.num) == 1 and a.den.is_one() and a.num.total_degree() == 1:
            generator = tower.generators[tower.used(a.num)[0]]
            sign = int(a.num.leading_coefficient())
            if generator.kind == inverse and sign in (1, -1):
                _, (u,) = generator.data
                return tower.mul(nf.rational(sign), u)
        return rule(nf, a)

    return paired


erf = _inverse_pair("erf", "erfinv")


def erfc(nf: NormalForms, a: Element) -> Element:
    return nf.tower.sub(nf.tower.one, erf(nf, a))


def trunc(nf: NormalForms, a: Element) -> Element:
    """floor above 0, ceil below, where the sign is known."""
    known = nf.sign_of(a)
    if known is None:
        return _locally("trunc")(nf, a)
    return floor_of(nf, a) if known == 1 else ceil(nf, a)


def ceil(nf: NormalForms, a: Element) -> Element:
    return nf.tower.neg(floor_of(nf, nf.tower.neg(a)))


def _locally(op: str) -> Callable[[NormalForms, Element], Element]:
    """Rounding: a number by itself, or constant on the cell."""

    def rule(nf: NormalForms, a: Element) -> Element:
        value = nf.tower.as_rational(a)
        if value is None:
            return nf.opaque(op, [a])
        rounded = {
            "floor": lambda v: floor(v),
            "trunc": lambda v: int(v),
            "rint": lambda v: round(v),
        }[op](value)
        return nf.rational(rounded)

    return rule


floor_of = _locally("floor")


def sign(nf: NormalForms, a: Element) -> Element:
    """The product of its factors' signs, where none of them vanishes."""
    tower = nf.tower
    if a.num.is_zero():
        return tower.zero
    value = nf.sign_of(a)
    if value is not None:
        _, factors = tower.factor(a.num)
        if all(nf.vanishes_nowhere(f) for f, _ in factors):
            return nf.rational(value)
    return odd("sign")(nf, a)


def lambertw(nf: NormalForms, a: Element) -> Element:
    return nf.tower.zero if a.num.is_zero() else nf.opaque("lambertw", [a])


RULES: dict[str, Callable[..., Element]] = {
    "gamma": gamma,
    "gammaln": gammaln,
    "polygamma": polygamma,
    "besselj": _bessel("besselj"),
    "bessely": _bessel("bessely"),
    "besseli": _bessel("besseli"),
    "besselk": _bessel("besselk"),
    "gammainc": gammainc,
    "gammaincc": gammaincc,
    "expint": expint,
    "zeta": zeta,
    "polylog": polylog,
    "erf": erf,
    "erfi": odd("erfi"),
    "erfinv": _inverse_pair("erfinv", "erf"),
    "erfc": erfc,
    "Si": odd("Si"),
    "floor": floor_of,
    "ceil": ceil,
    "trunc": trunc,
    "rint": _locally("rint"),
    "sign": sign,
    "lambertw": lambertw,
}
