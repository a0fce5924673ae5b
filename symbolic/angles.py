"""Sines and cosines in normal form.

The angles' basis over the rationals, a sine and a cosine for each member with ``s**2 = 1 - c**2``,
the addition theorem for the rest, and exact values at multiples of pi/12. Where a fraction of a
member of the basis turns up later (cos(x/2) after cos(x)), the member is divided and the tower
built again.

May import: :mod:`symbolic.tower`, :mod:`symbolic.elementary`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symbolic.elementary import split_constant, split_proper, sqrt
from symbolic.tower import Element, TooBig

if TYPE_CHECKING:
    from symbolic.normal_form import NormalForms

__all__ = ["RULES", "sin_cos"]


def sin(nf: NormalForms, a: Element) -> Element:
    return sin_cos(nf, a)[0]


def cos(nf: NormalForms, a: Element) -> Element:
    return sin_cos(nf, a)[1]


def tan(nf: NormalForms, a: Element) -> Element:
    s, c = sin_cos(nf, a)
    return nf.tower.div(s, c)


def sin_cos(nf: NormalForms, a: Element) -> tuple[Element, Element]:
    tower = nf.tower
    sign, a = _take_signs(nf, a)
    if sign is not None:
        s, c = sin_cos(nf, a)
        return tower.mul(sign, s), c
    s, c = tower.zero, tower.one
    a, turn = _take_pi(nf, a)
    if turn:
        s, c = _exact_angle(nf, turn)
    if a.num.is_zero():
        return s, c
    a, proper = split_proper(nf, a)
    for part in [*split_constant(nf, a), *([] if proper is None else [proper])]:
        coordinates, _ = nf.angles.coordinates(part)
        for number, k in coordinates.items():
            k *= nf.angle_parts.get(number, 1)
            if k.denominator != 1:
                nf.refine_angle(number, k.denominator)
            s, c = _rotate(nf, (s, c), _angle(nf, number), int(k))
    return s, c


def _take_signs(nf: NormalForms, a: Element) -> tuple[Element | None, Element]:
    """``a = sign * rest`` with a factor that is 1 or -1, as in the sine of ``abs(x)``; or None."""
    tower = nf.tower
    for i in tower.used(a.num):
        generator = tower.generators[i]
        if generator.kind == "signum" and all(m[i] % 2 for m in a.num.monoms()):
            sign = tower.element(generator)
            return sign, tower.mul(sign, a)
    return None, a


def _rotate(
    nf: NormalForms, at: tuple[Element, Element], by: tuple[Element, Element], times: int
) -> tuple[Element, Element]:
    """The angle ``at`` plus ``times`` the angle ``by``, by the addition theorem."""
    tower = nf.tower
    s, c = by
    if times < 0:
        s, times = tower.neg(s), -times
    if times > 64:
        raise TooBig

    def plus(p: tuple[Element, Element], q: tuple[Element, Element]) -> tuple[Element, Element]:
        return (
            tower.add(tower.mul(p[0], q[1]), tower.mul(p[1], q[0])),
            tower.sub(tower.mul(p[1], q[1]), tower.mul(p[0], q[0])),
        )

    step = (s, c)
    while times:
        if times & 1:
            at = plus(at, step)
        times >>= 1
        if times:
            step = plus(step, step)
    return at


def _angle(nf: NormalForms, number: int) -> tuple[Element, Element]:
    """Sine and cosine of a member of the basis, divided as finely as was ever needed."""
    tower = nf.tower
    a = nf.angles.elements[number]
    key = a.key
    sine, cosine = tower.find(("sin", key)), tower.find(("cos", key))
    if sine is None or cosine is None:
        fine = tower.mul(a, nf.rational(Fraction(1, nf.angle_parts.get(number, 1))))
        constant = tower.is_constant(a.num) and tower.is_constant(a.den)
        cosine = tower.new(("cos", key), "cos", fine, constant=constant)
        unit = (2, 1 - tower.poly(cosine) ** 2)
        sine = tower.new(("sin", key), "sin", fine, unit, constant=constant, partner=cosine.index)
        cosine.partner = sine.index
    return tower.element(sine), tower.element(cosine)


def _take_pi(nf: NormalForms, a: Element) -> tuple[Element, Fraction]:
    """Split off a rational multiple of pi, where it is a multiple of pi/12."""
    tower = nf.tower
    pi = tower.find(("pi", None))
    if pi is None or not a.den.is_constant():
        return a, Fraction(0)
    den = int(a.den.leading_coefficient())
    turn, kept = Fraction(0), []
    for m, c in tower.terms(a.num):
        if m[pi.index] == 1 and sum(m) == 1 and (12 * Fraction(int(c), den)).denominator == 1:
            turn = Fraction(int(c), den)
        else:
            kept.append((m, c))
    return (tower.make(tower.from_terms(kept), a.den), turn) if turn else (a, turn)


def _exact_angle(nf: NormalForms, turn: Fraction) -> tuple[Element, Element]:
    """Sine and cosine of ``turn * pi``, a multiple of pi/12."""
    tower = nf.tower
    n = int(turn * 12) % 24

    def cosine(k: int) -> Element:
        k %= 24
        if k > 12:
            k = 24 - k
        if k > 6:
            return tower.neg(cosine(12 - k))
        root2, root3 = (sqrt(nf, nf.rational(i)) for i in (2, 3))
        half = nf.rational(Fraction(1, 2))
        return {
            0: lambda: tower.one,
            1: lambda: tower.mul(
                nf.rational(Fraction(1, 4)),
                tower.mul(root2, tower.add(root3, tower.one)),
            ),
            2: lambda: tower.mul(half, root3),
            3: lambda: tower.mul(half, root2),
            4: lambda: half,
            5: lambda: tower.mul(
                nf.rational(Fraction(1, 4)),
                tower.mul(root2, tower.sub(root3, tower.one)),
            ),
            6: lambda: tower.zero,
        }[k]()

    return cosine(n - 6), cosine(n)


RULES: dict[str, Callable[..., Element]] = {"sin": sin, "cos": cos, "tan": tan}
