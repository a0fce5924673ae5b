"""Directional derivatives of programs, enclosed: power series in balls, one pass over the graph.

Each variable is ``value + direction * t`` and every operation is carried out on truncated power
series, so the coefficient of t is the exact derivative along the direction, with a proven
enclosure. Where FLINT has the function on series (or it is made of those it has), no
derivative of anything is written down or taken from SymPy, so this is an independent check of
:meth:`symbolic.graph.Graph.vjp`. For the rest (Bessel functions, say) the coefficients of the
function itself come from values at the point: see :data:`INDEPENDENT` for which are which.

May import: :mod:`symbolic.graph`, :mod:`symbolic.primitives`, :mod:`symbolic.balls`,
:mod:`symbolic.eigen`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
from flint import arb, arb_series

from symbolic import eigen
from symbolic.balls import Ball, precision, to_arb
from symbolic.graph import Node, Program
from symbolic.primitives import BALL, LOCALLY_CONSTANT, Arithmetic

__all__ = ["INDEPENDENT", "LENGTH", "SERIES", "directional", "series_arithmetic"]

LENGTH = 2  # value and slope


def _nan() -> arb_series:
    return arb_series([arb.nan(), arb.nan()])


def _pair(value: Any, slope: Any) -> arb_series:
    return arb_series([value, slope], LENGTH)


def _method(name: str) -> Callable[[arb_series], arb_series]:
    def call(x: arb_series) -> arb_series:
        return getattr(x, name)()

    return call


def _reciprocal(x: arb_series) -> arb_series:
    if x[0].contains(0):
        return _nan()
    return 1 / x


def _divide(a: arb_series, b: arb_series) -> arb_series:
    return _nan() if b[0].contains(0) else a / b


def _log(x: arb_series) -> arb_series:
    return x.log() if x[0] > 0 else _nan()


def _sqrt(x: arb_series) -> arb_series:
    return x.sqrt() if x[0] > 0 else _nan()


def _power(a: arb_series, b: arb_series) -> arb_series:
    n = b[0].unique_fmpz() if b[1].is_zero() and b[0].is_integer() else None
    if n is not None:
        return _integer_power(a, int(n))
    return (b * a.log()).exp() if a[0] > 0 else _nan()


def _integer_power(x: arb_series, n: int) -> arb_series:
    if n < 0:
        return _reciprocal(_integer_power(x, -n))
    result = arb_series([1], LENGTH)
    while n:
        if n & 1:
            result = result * x
        n >>= 1
        if n:
            x = x * x
    return result


def _sinh(x: arb_series) -> arb_series:
    return (x.exp() - (-x).exp()) / 2


def _cosh(x: arb_series) -> arb_series:
    return (x.exp() + (-x).exp()) / 2


def _tanh(x: arb_series) -> arb_series:
    # Through the exponential that does not overflow the sum.
    if x[0] > 0:
        e = (-2 * x).exp()
        return (1 - e) / (1 + e)
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def _arctan2(y: arb_series, x: arb_series) -> arb_series:
    """The angle, turned by a quarter where that keeps away from the pole."""
    value = arb.atan2(y[0], x[0])
    if abs(x[0]) > abs(y[0]):
        slope = (y / x).atan()[1]
    elif not y[0].contains(0):
        slope = -(x / y).atan()[1]
    else:
        return _nan()
    return _pair(value, slope)


def _gammaln(x: arb_series) -> arb_series:
    if x[0] > 0:
        return x.lgamma()
    g = x.gamma()
    return _log(g if g[0] > 0 else -g)


def _polygamma(order: arb_series, x: arb_series) -> arb_series:
    n = order[0].unique_fmpz()
    if n is None or not order[1].is_zero():
        return _nan()
    value = BALL.table["polygamma"](order[0], x[0])
    slope = BALL.table["polygamma"](order[0] + 1, x[0])
    return _pair(value, slope * x[1])


def _polylog(s: arb_series, z: arb_series) -> arb_series:
    # d Li_s / dz = Li_(s - 1) / z    (DLMF 25.12.10); at 0 it is 1
    if not s[1].is_zero():
        return _nan()
    slope = arb(1) if z[0] == 0 else BALL.table["polylog"](s[0] - 1, z[0]) / z[0]
    return _pair(BALL.table["polylog"](s[0], z[0]), slope * z[1])


def _gammainc(a: arb_series, x: arb_series, upper: bool = False) -> arb_series:
    if not (a[1].is_zero() and a[0] > 0 and x[0] > 0):
        return _nan()
    series = arb_series.gamma_upper(a[0], x, 1)
    return series if upper else 1 - series


def _betainc(a: arb_series, b: arb_series, x: arb_series) -> arb_series:
    if not (a[1].is_zero() and b[1].is_zero() and x[0] > 0 and x[0] < 1):
        return _nan()
    return arb_series.beta_lower(a[0], b[0], x, 1)


def _arcsinh(x: arb_series) -> arb_series:
    # The sum that does not cancel: the function is odd.
    return _log(x + (x * x + 1).sqrt()) if x[0] >= 0 else -_arcsinh(-x)


def _locally(name: str) -> Callable[[arb_series], arb_series]:
    def call(x: arb_series) -> arb_series:
        return _pair(BALL.table[name](x[0]), 0)

    return call


SERIES: dict[str, Callable[..., arb_series]] = {
    "add": operator.add,
    "mul": operator.mul,
    "div": _divide,
    "pow": _power,
    "log": _log,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "arcsin": _method("asin"),
    "arccos": _method("acos"),
    "arctan": _method("atan"),
    "arctan2": _arctan2,
    "arcsinh": _arcsinh,
    "arccosh": lambda x: _log(x + _sqrt(x * x - 1)),
    "arctanh": lambda x: _log(_divide(1 + x, 1 - x)) / 2,
    "gammaln": _gammaln,
    "polygamma": _polygamma,
    "polylog": _polylog,
    "gammainc": _gammainc,
    "gammaincc": lambda a, x: _gammainc(a, x, True),
    "betainc": _betainc,
    "Ei": _method("ei"),
    "Si": _method("si"),
    "Ci": _method("ci"),
    "Shi": _method("shi"),
    "Chi": _method("chi"),
    "fresnels": _method("fresnel_s"),
    "fresnelc": _method("fresnel_c"),
    "airyai": _method("airy_ai"),
    "airyaiprime": _method("airy_ai_prime"),
    "airybi": _method("airy_bi"),
    "airybiprime": _method("airy_bi_prime"),
}
for _name in ("exp", "sin", "cos", "tan", "erf", "erfc", "erfi", "gamma", "lambertw"):
    SERIES[_name] = _method(_name)
for _name in LOCALLY_CONSTANT:
    SERIES[_name] = _locally(_name)
SERIES |= eigen.SERIES
INDEPENDENT = frozenset(SERIES) - {"polygamma", "polylog", *eigen.SERIES}
"""Operations whose series owes nothing to a derivative formula of ours or of SymPy's."""


class _Series(Arithmetic):
    """Power series of length two over balls."""

    def __init__(self) -> None:
        self.table = dict(SERIES)

    def leaf(self, op: str, args: tuple) -> Any:
        return arb_series([BALL.leaf(op, args)], LENGTH)

    def power(self, base: Any, exponent: Fraction) -> Any:
        if exponent.denominator == 1 and abs(exponent) < 2**20:
            return _integer_power(base, int(exponent))
        if exponent == Fraction(1, 2):
            return _sqrt(base)
        if not base[0] > 0:
            return _nan()
        return (base.log() * arb_series([to_arb(exponent)], LENGTH)).exp()


series_arithmetic = _Series()


def directional(
    formula: Program | Sequence[Node],
    values: Mapping[str, Any],
    direction: Mapping[str, Any],
    *,
    digits: int = 25,
    max_precision: int = 4096,
) -> list[Ball]:
    """The derivatives of the outputs along a direction, enclosed.

    Parameters
    ----------
    formula : Program or sequence of Node
    values, direction : dict
        Exact numbers for the variables; a variable missing from ``direction`` does not move.
    digits, max_precision
        As in :func:`symbolic.balls.enclose`.

    Returns
    -------
    list of Ball
        NaN where the derivative does not exist or is not shown to.

    Raises
    ------
    KeyError
        For an operation that is not known on series (a Bessel function).

    Examples
    --------
    >>> from symbolic.graph import Graph
    >>> g = Graph()
    >>> x, y = g.variable("x"), g.variable("y")
    >>> [slope] = directional([g.mul(x, g.apply("exp", y))], {"x": 3, "y": 0}, {"x": 1, "y": 2})
    >>> slope.rounded
    7.0
    """
    program = formula if isinstance(formula, Program) else Program(formula)
    moving = {name: direction.get(name, 0) for name in program.variables}
    series = series_arithmetic
    bits = max(64, int(digits * 3.3219281) + 40)
    wanted = bits - 40
    while True:
        with precision(bits):
            before = flint.ctx.cap
            flint.ctx.cap = LENGTH
            try:
                point = {
                    name: arb_series([to_arb(values[name]), to_arb(moving[name])], LENGTH)
                    for name in program.variables
                }
                slopes = [out[1] for out in program.run(series, point)]
            finally:
                flint.ctx.cap = before
            good = [s.is_zero() or s.rel_accuracy_bits() >= wanted for s in slopes]
        if all(good) or bits >= max_precision or not any(s.is_finite() for s in slopes):
            return [
                Ball(s, "sharp" if ok else "wide" if s.is_finite() else "undefined")
                for s, ok in zip(slopes, good, strict=True)
            ]
        bits *= 2
