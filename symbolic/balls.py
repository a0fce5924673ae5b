"""Certified values: formulas evaluated in Arb's balls, the precision raised until they are sharp.

A ball is a midpoint with a radius that provably holds the exact value, so what is said here ("these
two differ", "this is the nearest float") is a theorem about the formula at that point, and where it
cannot be said the ball says why.

FLINT's precision is one number for the whole process; :func:`precision` holds a lock while it is in
force, so evaluations from several threads take turns.

May import: :mod:`symbolic.graph`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from flint import arb, fmpq, fmpz

from symbolic.graph import Node, Program
from symbolic.primitives import BALL, Arithmetic

__all__ = [
    "Ball",
    "Difference",
    "difference_at",
    "enclose",
    "precision",
    "to_arb",
]

_LOCK = threading.RLock()


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """FLINT's working precision set to ``bits`` for the body, other threads waiting meanwhile."""
    with _LOCK:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = before


def to_arb(value: Any) -> arb:
    """An exact number as a ball at the precision in force.

    Integers, floats and NumPy scalars are exact; a :class:`~fractions.Fraction` or a string ("0.1",
    "1/3", "1e-60") is enclosed.
    """
    if isinstance(value, arb):
        return value
    if isinstance(value, (bool, np.bool_)):
        return arb(int(value))
    if isinstance(value, (int, np.integer)):
        return arb(fmpz(int(value)))
    if isinstance(value, str):
        value = Fraction(value)
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return arb(float(value))


@dataclass(frozen=True)
class Ball:
    """An enclosure of one value.

    Attributes
    ----------
    value : flint.arb
        The enclosure: midpoint and radius.
    status : str
        ``"sharp"`` (as accurate as was asked for), ``"wide"`` (finite, but the precision limit
        came first: the value may well be exactly zero, which no enclosure can show),
        ``"unbounded"`` (a pole, or an enclosure that reaches infinity), or ``"undefined"`` (not a
        real number there, or not shown to be one: the root of a negative number, a logarithm at 0).
    """

    value: arb
    status: str

    @property
    def finite(self) -> bool:
        return self.value.is_finite()

    @property
    def is_zero(self) -> bool:
        """Whether it is certainly, exactly zero."""
        return self.value.is_zero()

    @property
    def nonzero(self) -> bool:
        """Whether it is certainly not zero."""
        return self.finite and not self.value.contains(0)

    def __float__(self) -> float:
        """The nearest float to the midpoint; NaN where nothing is known."""
        return float(self.value.mid()) if self.finite else _limit(self.value)

    @property
    def rounded(self) -> float | None:
        """The correctly rounded float, None while the enclosure leaves more than one candidate."""
        if not self.finite:
            return None
        low, high = self.interval
        return low if low == high else None

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the enclosure, each rounded to the nearest float."""
        if not self.finite:
            return float("-inf"), float("inf")
        middle, radius = self.value.mid(), self.value.rad()
        if radius.is_zero():
            return (float(middle),) * 2
        with precision(128):  # ends are rounded outward to the precision in force
            return float(self.value.lower()), float(self.value.upper())

    @property
    def sign(self) -> int | None:
        """-1, 0 or 1 where it is certain, else None."""
        if self.is_zero:
            return 0
        if not self.value > 0 and not self.value < 0:
            return None
        return 1 if self.value > 0 else -1

    def __repr__(self) -> str:
        return f"Ball({self.value.str(20)}, {self.status!r})"


def _limit(value: arb) -> float:
    if value > 0 and not value.is_nan() and value.lower() > 1:
        return float("inf") if value.mid() == arb.pos_inf() else float("nan")
    return float("-inf") if value.mid() == arb.neg_inf() and value < 0 else float("nan")


def _accurate(value: arb, bits: int, scale: Any) -> bool:
    if not value.is_finite():
        return False
    if value.rel_accuracy_bits() >= bits or value.is_zero():
        return True
    return scale is not None and value.rad() <= abs(to_arb(scale)) * arb(2) ** -bits


def _status(value: arb) -> str:
    if value.is_nan():
        return "undefined"
    return "wide" if value.is_finite() else "unbounded"


def enclose(
    formula: Program | Sequence[Node],
    values: Mapping[str, Any],
    *,
    digits: int = 25,
    scale: Sequence[Any] | Any = None,
    max_precision: int = 4096,
    min_precision: int = 64,
    arithmetic: Arithmetic = BALL,
) -> list[Ball]:
    """Enclosures of the outputs at a point, each accurate to ``digits`` significant digits.

    The precision is doubled until every output is that accurate, or cannot be made so.

    Parameters
    ----------
    formula : Program or sequence of Node
        What to evaluate.
    values : dict
        An exact number for each variable: int, float, Fraction, or a string such as "1/3".
    digits : int
        Significant digits of each output.
    scale : number or sequence of numbers, optional
        One for all outputs or one each: an output is accurate enough as well when its radius is
        below ``10**-digits`` times this. Without it an output that is exactly zero without being
        computed as such keeps the precision rising to its limit.
    max_precision : int
        Bits at which to give up.
    min_precision : int
        Bits to start with: many where the point is exact to many (two values 2^-600 apart).

    Returns
    -------
    list of Ball

    Examples
    --------
    >>> from symbolic.graph import Graph
    >>> g = Graph()
    >>> x = g.variable("x")
    >>> [ball] = enclose([g.sub(g.apply("exp", x), g.one)], {"x": 1e-30})
    >>> ball.rounded
    1e-30
    """
    program = formula if isinstance(formula, Program) else Program(formula)
    wanted = int(digits * 3.3219281) + 1
    n = len(program.results)
    scales = list(scale) if isinstance(scale, (list, tuple)) else [scale] * n
    bits = max(min_precision, wanted + 32)
    last: list[arb] = []
    with _LOCK:
        while True:
            with precision(bits):
                point = {name: to_arb(values[name]) for name in program.variables}
                previous, last = last, program.run(arithmetic, point)
                good = [_accurate(v, wanted, s) for v, s in zip(last, scales, strict=True)]
                if all(good) or bits >= max_precision:
                    break
                # What is no number at this precision either (squares of 1e60 beside 1 need 400
                # bits) is none at any.
                if (
                    bits >= max(700, 3 * (wanted + 32))
                    and previous
                    and not any(v.is_finite() and not ok for v, ok in zip(last, good, strict=True))
                ):
                    stuck = [
                        not v.is_finite() and not p.is_finite()
                        for v, p, ok in zip(last, previous, good, strict=True)
                        if not ok
                    ]
                    if all(stuck):
                        break
            bits = min(2 * bits, max_precision)
    return [Ball(v, "sharp" if ok else _status(v)) for v, ok in zip(last, good, strict=True)]


@dataclass(frozen=True)
class Difference:
    """Two values and their difference, enclosed.

    ``differs`` is a certainty: the difference is enclosed away from zero. ``relative`` bounds its
    size from below, relative to the larger side (0.0 where it may be zero).
    """

    left: Ball
    right: Ball
    gap: Ball
    differs: bool
    relative: float


def difference_at(
    a: Node,
    b: Node,
    values: Mapping[str, Any],
    *,
    digits: int = 25,
    max_precision: int = 1024,
) -> Difference:
    """Enclose ``a - b`` at a point, and say whether it is certainly not zero.

    The gap is computed at rising precision until it is enclosed away from zero or is below
    ``10**-digits`` of the larger side; then the sides are taken for equal as far as can be seen.
    """
    program = Program([a, b])
    bits = 96
    wanted = int(digits * 3.3219281) + 1
    with _LOCK:
        while True:
            with precision(bits):
                point = {name: to_arb(values[name]) for name in program.variables}
                x, y = program.run(BALL, point)
                gap = x - y
                size = max(abs(x).upper(), abs(y).upper()) if gap.is_finite() else arb(0)
                if gap.is_finite():
                    if not gap.contains(0):
                        low = abs(gap).lower() / size
                        relative = float(low.lower()) if low.is_finite() else 0.0
                        return Difference(
                            Ball(x, "sharp"), Ball(y, "sharp"), Ball(gap, "sharp"), True, relative
                        )
                    if gap.is_zero() or gap.rad() <= size * arb(2) ** -wanted:
                        return Difference(
                            Ball(x, "sharp"), Ball(y, "sharp"), Ball(gap, "wide"), False, 0.0
                        )
                if bits >= max_precision:
                    return Difference(
                        Ball(x, _status(x)),
                        Ball(y, _status(y)),
                        Ball(gap, _status(gap)),
                        False,
                        0.0,
                    )
            bits *= 2
