"""Real functions on Arb's balls, where FLINT's own method is not the whole story.

Each encloses the real function that NumPy or SciPy means, gives NaN where that is not a real number
(or is not shown to be one), and ends quickly for arguments of any size.

May import: nothing of gradproof.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import flint
from flint import acb, arb, fmpq

__all__ = [
    "airy",
    "betainc",
    "complex_method",
    "expint",
    "gammainc",
    "gammaincc",
    "gammaln",
    "polygamma",
    "polylog",
    "power",
    "rational_power",
    "rint",
    "trunc",
    "zeta",
]

_MAX_ORDER = 10_000


def real_part(value: acb) -> arb:
    """The real part of a number that may be real, NaN of one that is certainly not."""
    return value.real if value.imag.contains(0) else arb.nan()


def complex_method(name: str) -> Callable[..., arb]:
    """A function that FLINT has for complex balls only, by the name of its method."""

    def call(*args: arb) -> arb:
        first, *rest = (acb(a) for a in args)
        return real_part(getattr(first, name)(*rest))

    return call


# Powers

# FLINT's own power of a ball around infinity brings the process down.
_UNBOUNDED = arb.nan()


def rational_power(base: arb, exponent: Fraction) -> arb:
    """A constant power: of any number where the exponent is an integer, else of none below zero.

    The real cube root of a negative number is not a power here, as it is none in NumPy; ``cbrt`` is
    lowered to ``-((-x) ** (1/3))`` there.
    """
    if not base.is_finite():
        return _UNBOUNDED if exponent else arb(1)
    if exponent.denominator == 1:
        return _integer_power(base, exponent.numerator)
    if exponent == Fraction(1, 2):
        return base.sqrt()
    if base < 0:
        return arb.nan()
    if base == 0:
        return arb(0) if exponent > 0 else arb.nan()
    if 2 <= exponent.denominator <= 64 and abs(exponent.numerator) < 2**20:
        return _integer_power(base.root(exponent.denominator), exponent.numerator)
    return base ** arb(fmpq(exponent.numerator, exponent.denominator))


def _integer_power(base: arb, n: int) -> arb:
    if abs(n) >= 2**20:
        magnitude = abs(base) ** n
        return -magnitude if n % 2 and base < 0 else magnitude
    # x**-n as 1 / x**n: a ball around 0 gives an unbounded enclosure, not an error.
    return base**n if n >= 0 else 1 / base ** (-n)


def power(base: arb, exponent: arb) -> arb:
    """A power whose exponent varies."""
    if not (base.is_finite() and exponent.is_finite()):
        return _UNBOUNDED
    n = exponent.unique_fmpz() if exponent.is_integer() else None
    if n is not None:
        return _integer_power(base, int(n))
    if base == 0:
        return arb(0) if exponent > 0 else arb.nan()
    if base < 0:
        return arb.nan()
    return base**exponent


# Rounding


def trunc(x: arb) -> arb:
    if x >= 0:
        return x.floor()
    return x.ceil() if x <= 0 else x.ceil().union(x.floor())


def rint(x: arb) -> arb:
    """To the nearest integer, halves to the even one."""
    twice = (2 * x).unique_fmpz() if (2 * x).is_integer() else None
    if twice is not None:
        return arb(round(Fraction(int(twice), 2)))
    # Away from the halves this is floor(x + 1/2); a ball that contains one gets both integers.
    return (x + arb(0.5)).floor()


# The gamma function's family


def gammaln(x: arb) -> arb:
    """log|gamma(x)|."""
    if x > 0:
        return x.lgamma()
    if x < -1e6:
        # log pi - log|sin(pi x)| - log gamma(1 - x)    (DLMF 5.5.3)
        return arb.pi().log() - abs(x.sin_pi()).log() - (1 - x).lgamma()
    return abs(x.gamma()).log()


def polygamma(order: arb, x: arb) -> arb:
    n = order.unique_fmpz()
    if n is None or not 0 <= n <= _MAX_ORDER:
        return arb.nan()
    n = int(n)
    if n == 0:
        return x.digamma()
    if x > 0:
        # (-1)**(n + 1) n! zeta(n + 1, x)    (DLMF 25.11.12)
        return (-1) ** (n + 1) * arb.fac_ui(n) * arb(n + 1).zeta(x)
    return real_part(acb(x).polygamma(acb(n)))


def gammaincc(a: arb, x: arb) -> arb:
    """The regularised upper incomplete gamma function Q(a, x)."""
    if x < 0 or a < 0:
        return arb.nan()
    if a == 0:
        return arb.nan() if x == 0 else arb(0)
    if x == 0:
        return arb(1)
    return x.gamma_upper(a, regularized=1)


def gammainc(a: arb, x: arb) -> arb:
    """The regularised lower incomplete gamma function P(a, x).

    FLINT's function for it spends seconds where a and x are large and near each other; 1 - Q does
    not, and where that cancels, a series of positive terms converges:
    P = x**a exp(-x) / gamma(a + 1) (1 + x/(a + 1) + x**2/((a + 1)(a + 2)) + ...)   (DLMF 8.7.1)
    """
    if x < 0 or a < 0:
        return arb.nan()
    if x == 0:
        return arb(0) if a > 0 else arb.nan()
    complement = 1 - gammaincc(a, x)
    bits = flint.ctx.prec
    if complement.rel_accuracy_bits() > bits // 2 or not x < a + 1:
        return complement
    term = total = arb(1)
    for n in range(1, 16 * bits):
        term = term * x / (a + n)
        total += term
        ratio = x / (a + n + 1)
        if ratio < 1 and term * ratio < (1 - ratio) * total * arb(2) ** -bits:
            tail = term * ratio / (1 - ratio)
            total += tail.union(arb(0))
            return total * (a * x.log() - x - (a + 1).lgamma()).exp()
    return complement


def betainc(a: arb, b: arb, x: arb) -> arb:
    """The regularised incomplete beta function I_x(a, b)."""
    if not (a > 0 and b > 0 and x >= 0 and x <= 1):
        return arb.nan()
    if x == 0 or x == 1:
        return x
    if x > 0.5:
        # FLINT's series would take for ever next to 1    (DLMF 8.17.4)
        return 1 - (1 - x).beta_lower(b, a, regularized=1)
    return x.beta_lower(a, b, regularized=1)


def expint(order: arb, x: arb) -> arb:
    return arb.nan() if x < 0 else x.expint(order)


def zeta(s: arb, a: arb) -> arb:
    """Hurwitz' zeta function, Riemann's where a is 1."""
    if abs(s) > _MAX_ORDER:
        return arb.nan()
    return s.zeta() if a == 1 else s.zeta(a)


def polylog(s: arb, z: arb) -> arb:
    """The polylogarithm Li_s(z) for z up to 1, where it is real."""
    if z == 1:  # FLINT gives no number there
        return s.zeta() if s > 1 else arb.nan()
    return z.polylog(s) if z <= 1 else arb.nan()


def airy(number: int) -> Callable[[arb], arb]:
    """Ai, Ai', Bi and Bi', by number."""
    return lambda x: x.airy()[number]
