"""Which real number a float in code stands for.

``0.7071067811865476`` is the square root of one half, rounded; ``0.1`` is one tenth. The proof
takes a float for the closed form that rounds to it, where a short one does, and says so. The search
is kept small on purpose: about ten thousand closed forms, each within one ulp, so that an accident
has a chance of about 1e-11.

May import: nothing of gradproof.
"""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import NamedTuple

__all__ = ["ClosedForm", "recognise"]


class ClosedForm(NamedTuple):
    """The number ``factor * base``; ``base`` is a nested tuple of operations, None for 1."""

    factor: Fraction
    base: tuple | None
    text: str


# Each base as nested operations over integers, beside its value to 50 digits' worth of float: the
# table needs only correctly rounded doubles of factor * base, which Fractions of these give.
_PI = Fraction(314159265358979323846264338327950288419716939937510, 10**50)
_E = Fraction(271828182845904523536028747135266249775724709369995, 10**50)
_EULER = Fraction(57721566490153286060651209008240243104215933593992, 10**50)


def _bases() -> list[tuple[tuple, Fraction, str]]:
    import decimal

    context = decimal.Context(prec=60)

    def dec(x: Fraction | int) -> decimal.Decimal:
        x = Fraction(x)
        return context.divide(decimal.Decimal(x.numerator), decimal.Decimal(x.denominator))

    def frac(x: decimal.Decimal) -> Fraction:
        return Fraction(x)

    pi, e = dec(_PI), dec(_E)
    found: list[tuple[tuple, decimal.Decimal, str]] = [
        (("pi",), pi, "pi"),
        (("div", 1, ("pi",)), context.divide(1, pi), "1/pi"),
        (("pow", ("pi",), 2), context.multiply(pi, pi), "pi**2"),
        (("div", 1, ("pow", ("pi",), 2)), context.divide(1, context.multiply(pi, pi)), "1/pi**2"),
        (("sqrt", ("pi",)), context.sqrt(pi), "sqrt(pi)"),
        (("div", 1, ("sqrt", ("pi",))), context.divide(1, context.sqrt(pi)), "1/sqrt(pi)"),
        (("exp", 1), e, "E"),
        (("exp", -1), context.divide(1, e), "exp(-1)"),
        (("log", ("pi",)), context.ln(pi), "log(pi)"),
        (("euler",), dec(_EULER), "EulerGamma"),
    ]
    two_pi, half_pi = context.multiply(2, pi), context.divide(pi, 2)
    found += [
        (("sqrt", ("mul", 2, ("pi",))), context.sqrt(two_pi), "sqrt(2*pi)"),
        (
            ("div", 1, ("sqrt", ("mul", 2, ("pi",)))),
            context.divide(1, context.sqrt(two_pi)),
            "1/sqrt(2*pi)",
        ),
        (
            ("sqrt", ("div", 2, ("pi",))),
            context.divide(1, context.sqrt(half_pi)),
            "sqrt(2/pi)",
        ),
        (("log", ("mul", 2, ("pi",))), context.ln(two_pi), "log(2*pi)"),
        (("log", ("div", ("pi",), 2)), context.ln(half_pi), "log(pi/2)"),
    ]
    for n in (2, 3, 5, 6, 7, 10, 11, 13, 14, 15):
        found.append((("sqrt", n), context.sqrt(decimal.Decimal(n)), f"sqrt({n})"))
    for n in (2, 3, 5, 6, 7, 10):
        log = context.ln(decimal.Decimal(n))
        found.append((("log", n), log, f"log({n})"))
        found.append((("div", 1, ("log", n)), context.divide(1, log), f"1/log({n})"))
    for n in (2, 3, 5):
        root = context.power(decimal.Decimal(n), context.divide(1, 3))
        found.append((("pow", n, Fraction(1, 3)), root, f"{n}**(1/3)"))
    ln2 = context.ln(decimal.Decimal(2))
    found.append((("sqrt", ("log", 2)), context.sqrt(ln2), "sqrt(log(2))"))
    found.append(
        (("sqrt", ("mul", 2, ("log", 2))), context.sqrt(context.multiply(2, ln2)), "sqrt(2*log(2))")
    )
    return [(base, frac(value), text) for base, value, text in found]


def _factors() -> list[Fraction]:
    small = {Fraction(p, q) for p in range(1, 13) for q in range(1, 13) if gcd(p, q) == 1}
    small |= {Fraction(1, q) for q in (16, 18, 20, 24, 32, 36, 48, 64)}
    small |= {Fraction(p) for p in (16, 18, 20, 24, 32, 64, 100, 180)} | {Fraction(1, 180)}
    return sorted(small)


@lru_cache(maxsize=1)
def _table() -> tuple[list[float], list[ClosedForm]]:
    rows = []
    for base, value, text in _bases():
        for factor in _factors():
            name = text if factor == 1 else f"{factor}*{text}"
            rows.append((float(factor * value), ClosedForm(factor, base, name)))
    rows.sort(key=lambda row: row[0])
    return [row[0] for row in rows], [row[1] for row in rows]


_DECIMAL_DIGITS = 13
_ULPS = 1


@lru_cache(maxsize=4096)
def recognise(value: float) -> ClosedForm | None:
    """The closed form that ``value`` stands for, or None.

    Parameters
    ----------
    value : float
        A finite number met in code.

    Returns
    -------
    ClosedForm or None
        A decimal of at most 13 digits, a fraction of small integers, or a small multiple of one of
        about 40 constants, that rounds to within one ulp of ``value``.

    Examples
    --------
    >>> recognise(0.1).factor
    Fraction(1, 10)
    >>> recognise(0.7071067811865476).text
    '1/2*sqrt(2)'
    >>> recognise(0.707106781).factor  # nine digits are a decimal of nine digits
    Fraction(707106781, 1000000000)
    """
    digits = repr(value)
    mantissa = digits.lower().split("e")[0].replace(".", "").replace("-", "").strip("0")
    if len(mantissa) <= _DECIMAL_DIGITS or value == int(value):
        exact = Fraction(digits) if abs(value) < 1e16 or len(mantissa) <= 6 else Fraction(value)
        return ClosedForm(exact, None, "")
    ratio = Fraction(value).limit_denominator(1000)
    if ratio and abs(ratio.numerator) < 10**6 and _near(float(ratio), value):
        return ClosedForm(ratio, None, str(ratio))
    magnitude, sign = abs(value), (1 if value > 0 else -1)
    keys, forms = _table()
    i = bisect_left(keys, magnitude)
    # Several forms may say the same (sqrt(2/pi) is 2/sqrt(2*pi)): the shortest does.
    near = [forms[j] for j in range(max(i - 3, 0), i + 3) if _near_key(keys, j, magnitude)]
    if not near:
        return None
    form = min(near, key=lambda form: len(form.text))
    return ClosedForm(sign * form.factor, form.base, ("-" if sign < 0 else "") + form.text)


def _near_key(keys: list[float], j: int, value: float) -> bool:
    return j < len(keys) and _near(keys[j], value)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= _ULPS * 2.220446049250313e-16 * min(abs(a), abs(b))
