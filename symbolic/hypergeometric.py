"""Hypergeometric functions whose parameters make them elementary, Bessel or elliptic functions.

A function f with parameters a, b over c satisfies ``s^2 f = u f + v (s f)`` for ``s = z d/dz``, and
its neighbours are ``(s + a) f / a`` with ``a + 1`` and ``(s + c - 1) f / (c - 1)`` with ``c - 1``
(DLMF 16.3.2, in operators). So f and ``s f`` of one set of parameters give those of all sets that
differ from it by integers, as long as no step is degenerate.

The pairs to start from, by their numbers in the DLMF: 13.6.1 and 13.6.9, 15.4.1, 19.5.1 and 19.4.1.

May import: nothing of gradproof.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isfinite
from numbers import Real
from typing import Any

__all__ = ["confluent", "gauss"]

Entry = Any
Primitive = Callable[..., Entry]

_MAX_SHIFT = 20
_HALF = Fraction(1, 2)


def confluent(primitive: Primitive, pi: float, a: Entry, c: Entry, z: Entry) -> Entry | None:
    """``1F1(a; c; z)`` for z other than 0, in closed form; None where there is none.

    Of an integer or half an odd number `a`, both positive, and a positive integer `c`.
    """
    upper = _numbers(a, c)
    if upper is None or min(upper) <= 0 or upper[1].denominator != 1:
        return None
    if upper[0].denominator == 1:
        start, power = [Fraction(1)], Fraction(2)
        e = primitive("exp", z)
        value = (e - 1) / z
        pair = value, e - value
    elif upper[0].denominator == 2:
        start, power = [_HALF], Fraction(1)
        e = primitive("exp", z / 2)
        i0, i1 = (primitive("besseli", n, z / 2) for n in (0, 1))
        pair = e * i0, z / 2 * e * (i0 + i1)
    else:
        return None

    def equation(top: list[Fraction], c: Fraction) -> tuple[Entry, Entry]:
        return z * _number(top[0]), z + _number(1 - c)

    return _move(equation, pair, (start, power), ([upper[0]], upper[1]))


def gauss(primitive: Primitive, pi: float, a: Entry, b: Entry, c: Entry, z: Entry) -> Entry | None:
    """``2F1(a, b; c; z)`` for z other than 0, in closed form; None where there is none.

    Of positive integers, and of halves of odd numbers over a positive integer; at 1 and at 1/2 of
    some others, where `c` may vary.
    """
    if isinstance(z, Real) and z in (0.5, 1):
        found = _at_one(primitive, a, b, c) if z == 1 else _at_half(primitive, a, b, c)
        if found is not None or z == 1:
            return found
    numbers = _numbers(a, b, c)
    if numbers is None or numbers[2].denominator != 1 or numbers[2] <= 0:
        return None
    one = 1 - z
    if all(n.denominator == 1 and n > 0 for n in numbers):
        start, bottom = [Fraction(1), Fraction(1)], Fraction(2)
        value = -primitive("log", one) / z
        pair = value, 1 / one - value
    elif all(n.denominator == 2 for n in numbers[:2]):
        start, bottom = [_HALF, _HALF], Fraction(1)
        k, e = primitive("ellipk", z), primitive("ellipe", z)
        pair = 2 * k / pi, (e / one - k) / pi
    else:
        return None

    def equation(top: list[Fraction], c: Fraction) -> tuple[Entry, Entry]:
        a, b = top
        return z * _number(a * b) / one, (z * _number(a + b) + _number(1 - c)) / one

    return _move(equation, pair, (start, bottom), (numbers[:2], numbers[2]))


def _at_one(primitive: Primitive, a: Entry, b: Entry, c: Entry) -> Entry | None:
    """Gauss's theorem (DLMF 15.4.20), where all four gamma functions are of positive numbers."""
    above, below = (c, c - a - b), (c - a, c - b)
    if not all(x > 0 for x in (*above, *below)):
        return None
    logs = [[primitive("gammaln", x) for x in part] for part in (above, below)]
    return primitive("exp", sum(logs[0]) - sum(logs[1]))


def _at_half(primitive: Primitive, a: Entry, b: Entry, c: Entry) -> Entry | None:
    """Of 1 and 1, or 1 and 2, over any `c`: by the alternating sum of ``1 / (c - 1 + k)``.

    ``2F1(1, 1; c; 1/2) = (c - 1) (psi(c/2) - psi((c - 1)/2))``, after Pfaff's transformation
    (DLMF 15.8.1 and 5.7.7); the series of both begin alike, ``2F1(1, 1; c; z) = 1 + (z / c)
    2F1(1, 2; c + 1; z)``.
    """
    top = _numbers(a, b)
    if top is None or sorted(top) not in ([1, 1], [1, 2]):
        return None
    d = c - int(max(top))  # both arguments of psi are positive for a positive d
    if not d > 0:
        return None
    one_and_one = d * (primitive("polygamma", 0, (d + 1) / 2) - primitive("polygamma", 0, d / 2))
    return one_and_one if max(top) == 1 else 2 * (d + 1) * (one_and_one - 1)


def _number(value: Fraction) -> int | float:
    """Halves and integers, which floats hold exactly."""
    return int(value) if value.denominator == 1 else float(value)


def _numbers(*parameters: Entry) -> list[Fraction] | None:
    """The parameters where they are finite constants."""
    if all(isinstance(p, Real) and isfinite(p) for p in parameters):
        return [Fraction(float(p)) for p in parameters]
    return None


def _move(
    equation: Callable[[list[Fraction], Fraction], tuple[Entry, Entry]],
    pair: tuple[Entry, Entry],
    start: tuple[list[Fraction], Fraction],
    goal: tuple[list[Fraction], Fraction],
) -> Entry | None:
    """The function of the parameters `goal` from f and ``s f`` of the parameters `start`."""
    top, bottom = list(start[0]), start[1]
    steps = [abs(g - t) for g, t in zip([*goal[0], goal[1]], [*top, bottom], strict=True)]
    if any(n.denominator != 1 or n > _MAX_SHIFT for n in steps):
        return None
    while bottom != goal[1]:
        lower = goal[1] < bottom
        shift = (bottom if lower else bottom + 1) - 1
        u, v = equation(top, shift + 1)
        pair = _apply(pair, shift, u, v) if lower else _undo(pair, shift, u, v)
        bottom += -1 if lower else 1
    for i, wanted in enumerate(goal[0]):
        while top[i] != wanted:
            higher = wanted > top[i]
            shift = top[i] if higher else top[i] - 1
            u, v = equation([*top[:i], shift, *top[i + 1 :]], bottom)
            pair = _apply(pair, shift, u, v) if higher else _undo(pair, shift, u, v)
            top[i] += 1 if higher else -1
    return pair[0]


def _apply(pair: tuple[Entry, Entry], shift: Fraction, u: Entry, v: Entry) -> tuple[Entry, Entry]:
    """``(s + shift) / shift`` of f and of ``s f``."""
    f, slope = pair
    n = _number(shift)
    return f + slope / n, (u * f + v * slope) / n + slope


def _undo(pair: tuple[Entry, Entry], shift: Fraction, u: Entry, v: Entry) -> tuple[Entry, Entry]:
    """The pair that :func:`_apply` makes into this one."""
    g, slope = pair
    n = _number(shift)
    # g = f + y / n and slope = u f / n + (v / n + 1) y, solved for f and y by Cramer's rule.
    determinant = (v + n) / n - u / (n * n)
    f = (g * (v + n) / n - slope / n) / determinant
    return f, (slope - g * u / n) / determinant
