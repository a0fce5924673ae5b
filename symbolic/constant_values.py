"""The values, in balls, of a tower's generators and polynomials that depend on no variable.

May import: :mod:`symbolic.tower`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

from flint import arb, fmpz_mpoly

from symbolic.primitives import BALL
from symbolic.tower import Element, Generator, Tower

__all__ = ["constant_value", "polynomial_value"]


def constant_value(tower: Tower, generator: Generator) -> arb | None:
    """The value of a constant generator at the precision in force, None where there is none."""
    kind, data = generator.kind, generator.data
    if not generator.constant:
        return None
    if kind == "float":
        return arb(data)
    if kind == "pi":
        return arb.pi()
    if kind == "euler":
        return arb.const_euler()
    if kind in ("exp", "sin", "cos"):
        inner = _fraction_value(tower, data)
        return None if inner is None else getattr(inner, kind)()
    if kind in ("log", "root", "signum"):
        f, degree = data if kind == "root" else (data, 1)
        inner = polynomial_value(tower, f)
        if inner is None or inner.contains(0):
            return None
        if kind == "log":
            return abs(inner).log()
        return abs(inner).root(degree) if kind == "root" else inner.sgn()
    op, args = data
    inside = [_fraction_value(tower, a) for a in args]
    return None if any(v is None for v in inside) else BALL.table[op](*inside)


def _fraction_value(tower: Tower, element: Element) -> arb | None:
    above, below = polynomial_value(tower, element.num), polynomial_value(tower, element.den)
    return None if above is None or below is None else above / below


def polynomial_value(tower: Tower, p: fmpz_mpoly) -> arb | None:
    """The value of a polynomial in constant generators, None where one of them has none."""
    total = arb(0)
    for monomial, c in zip(p.monoms(), p.coeffs(), strict=True):
        term = arb(c)
        for i, e in enumerate(monomial):
            if e:
                value = constant_value(tower, tower.generators[i])
                if value is None:
                    return None
                term = term * value ** int(e)
        total += term
    return total
