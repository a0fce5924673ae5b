"""The operations that a formula is made of: each in floats, in balls and in SymPy.

NumPy and SciPy functions are lowered to this small set (see :mod:`symbolic.lowering`), so that
evaluation, differentiation and normal forms meet few operations. No derivative is written here:
SymPy derives each one from the row's SymPy expression, once.

May import: nothing of gradproof (SymPy, SciPy and python-flint when used).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from symbolic.graph import Graph, Node

__all__ = [
    "BALL",
    "EXACT",
    "FLOAT",
    "LEAVES",
    "LOCALLY_CONSTANT",
    "PRIMITIVES",
    "Arithmetic",
    "Primitive",
    "partial",
]

LEAVES = frozenset({"var", "const", "float", "pi", "euler"})

# Piecewise constant: derivative zero wherever there is one. Their jumps are conditions of a cell.
LOCALLY_CONSTANT = frozenset({"floor", "ceil", "rint", "trunc", "sign"})


@dataclass(frozen=True)
class Primitive:
    """One operation: its SymPy expression, its float function and its ball function.

    ``symbol`` takes the SymPy module and the arguments, so that this file needs no SymPy to load.
    """

    name: str
    symbol: Callable[..., Any]
    float: Callable[..., Any]
    ball: Callable[..., Any]


class Arithmetic:
    """How a :class:`~symbolic.graph.Program` computes: a table of operations and what leaves are."""

    table: dict[str, Callable[..., Any]]

    def leaf(self, op: str, args: tuple) -> Any:
        raise NotImplementedError  # each arithmetic says what a number is

    def power(self, base: Any, exponent: Fraction) -> Any:
        raise NotImplementedError


class _Float(Arithmetic):
    """NumPy's float64, elementwise: variables may be arrays that broadcast."""

    @property
    def table(self) -> dict[str, Callable[..., Any]]:  # type: ignore[override]
        return _float_table()

    def leaf(self, op: str, args: tuple) -> Any:
        if op == "pi":
            return np.float64(np.pi)
        if op == "euler":
            return np.float64(np.euler_gamma)
        try:
            return np.float64(float(args[0]))
        except OverflowError:
            return np.float64("inf") if args[0] > 0 else np.float64("-inf")

    def power(self, base: Any, exponent: Fraction) -> Any:
        if exponent == Fraction(1, 2):
            return np.sqrt(base)
        if exponent == Fraction(1, 3):
            return np.cbrt(base)
        if exponent.denominator == 1 and abs(exponent) < 2**31:
            return np.power(np.asarray(base, dtype=float), int(exponent))
        return np.power(base, float(exponent))


class _Ball(Arithmetic):
    """Arb's balls at the precision in force (``flint.ctx.prec``)."""

    @property
    def table(self) -> dict[str, Callable[..., Any]]:  # type: ignore[override]
        return _ball_table()

    def leaf(self, op: str, args: tuple) -> Any:
        from flint import arb, fmpq

        if op == "pi":
            return arb.pi()
        if op == "euler":
            return arb.const_euler()
        value = args[0]
        if isinstance(value, Fraction):
            return arb(fmpq(value.numerator, value.denominator))
        return arb(value)

    def power(self, base: Any, exponent: Fraction) -> Any:
        from flint import arb, fmpq

        if exponent == Fraction(1, 2):
            return base.sqrt()
        if exponent.denominator == 1:
            n = int(exponent)
            if abs(n) < 2**20:
                # x^-n as 1 / x^n: a ball around 0 gives an unbounded enclosure, not an error.
                return base**n if n >= 0 else 1 / base ** (-n)
        if exponent == Fraction(1, 3) and base < 0:
            return -((-base).root(3))
        if base == 0:
            return arb(0) if exponent > 0 else arb.nan()
        return base ** arb(fmpq(exponent.numerator, exponent.denominator))


FLOAT = _Float()
BALL = _Ball()


def _ball_gammaln(x: Any) -> Any:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def _ball_atan2(y: Any, x: Any) -> Any:
    return type(y).atan2(y, x)


def _ball_pow(a: Any, b: Any) -> Any:
    if a == 0:
        if b > 0:
            return a
        return type(a)(1) if b == 0 else type(a).nan()
    if b.is_integer():
        n = b.unique_fmpz()
        if abs(n) < 2**20:
            return a ** int(n) if n >= 0 else 1 / a ** int(-n)
    return a**b


def _ball_digamma(x: Any) -> Any:
    return x.digamma()


def _ball_polygamma(n: Any, x: Any) -> Any:
    from flint import acb, arb

    order = n.unique_fmpz()
    if order is None:
        return arb.nan()
    order = int(order)
    if order == 0:
        return x.digamma()
    value = acb(x).polygamma(acb(order)) if hasattr(acb, "polygamma") else None
    if value is not None and value.real.is_finite():
        return value.real
    # psi_n(x) = (-1)^(n+1) n! zeta(n + 1, x)   (DLMF 25.11.12)
    factor = arb(order).fac() if hasattr(arb(order), "fac") else arb.fac_ui(order)
    return (-1) ** (order + 1) * factor * arb(order + 1).zeta(x)


def _ball_locally(name: str) -> Callable[[Any], Any]:
    def rounded(x: Any) -> Any:
        if name == "floor":
            return x.floor()
        if name == "ceil":
            return x.ceil()
        if name == "sign":
            return x.sgn()
        if name == "trunc":
            return x.floor() if x >= 0 else x.ceil()
        half = (x + type(x)("0.5")).floor()  # to even at a half, as NumPy's rint
        if (x - x.floor()) == type(x)("0.5"):
            down = x.floor()
            return down if (down / 2).is_integer() else down + 1
        return half

    return rounded


def _ball_expint(n: Any, x: Any) -> Any:
    return x.expint(n)


def _from_acb(method: str) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        from flint import acb

        first, *rest = (acb(a) for a in args)
        return getattr(first, method)(*rest).real

    return call


def _besselj(n: Any, x: Any) -> Any:
    return x.bessel_j(n)


def _bessely(n: Any, x: Any) -> Any:
    return x.bessel_y(n)


def _besseli(n: Any, x: Any) -> Any:
    return x.bessel_i(n)


def _besselk(n: Any, x: Any) -> Any:
    return x.bessel_k(n)


def _sc(name: str) -> Callable[..., Any]:
    """SciPy's ufunc of that name, imported at the first call."""

    def call(*args: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*args)

    return call


def _float_zeta(s: Any, a: Any) -> Any:
    # SciPy's function of two arguments is NaN below 1, also where it is Riemann's.
    return _sc("zeta")(s) if np.all(a == 1) else _sc("zeta")(s, a)


def _sp(name: str) -> Callable[..., Any]:
    def build(sp: Any, *args: Any) -> Any:
        return getattr(sp, name)(*args)

    return build


def _m(name: str) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        return getattr(x, name)()

    return call


def _ball_ellipk(m: Any) -> Any:
    from flint import acb

    return acb(m).elliptic_k().real


def _ball_ellipe(m: Any) -> Any:
    from flint import acb

    return acb(m).elliptic_e().real


def _ball_gammainc(a: Any, x: Any) -> Any:
    return x.gamma_lower(a, regularized=1)


def _ball_gammaincc(a: Any, x: Any) -> Any:
    return x.gamma_upper(a, regularized=1)


def _ball_zeta(s: Any, a: Any) -> Any:
    return s.zeta(a)


_ROWS = [
    Primitive("add", lambda sp, a, b: a + b, np.add, lambda a, b: a + b),
    Primitive("mul", lambda sp, a, b: a * b, np.multiply, lambda a, b: a * b),
    Primitive("div", lambda sp, a, b: a / b, np.divide, lambda a, b: a / b),
    Primitive("pow", lambda sp, a, b: a**b, np.power, _ball_pow),
    Primitive("exp", _sp("exp"), np.exp, _m("exp")),
    Primitive("log", _sp("log"), np.log, _m("log")),
    Primitive("sin", _sp("sin"), np.sin, _m("sin")),
    Primitive("cos", _sp("cos"), np.cos, _m("cos")),
    Primitive("tan", _sp("tan"), np.tan, _m("tan")),
    Primitive("arcsin", _sp("asin"), np.arcsin, _m("asin")),
    Primitive("arccos", _sp("acos"), np.arccos, _m("acos")),
    Primitive("arctan", _sp("atan"), np.arctan, _m("atan")),
    Primitive("arctan2", _sp("atan2"), np.arctan2, _ball_atan2),
    Primitive("sinh", _sp("sinh"), np.sinh, _m("sinh")),
    Primitive("cosh", _sp("cosh"), np.cosh, _m("cosh")),
    Primitive("tanh", _sp("tanh"), np.tanh, _m("tanh")),
    Primitive("arcsinh", _sp("asinh"), np.arcsinh, _m("asinh")),
    Primitive("arccosh", _sp("acosh"), np.arccosh, _m("acosh")),
    Primitive("arctanh", _sp("atanh"), np.arctanh, _m("atanh")),
    Primitive("erf", _sp("erf"), _sc("erf"), _m("erf")),
    Primitive("erfc", _sp("erfc"), _sc("erfc"), _m("erfc")),
    Primitive("erfi", _sp("erfi"), _sc("erfi"), _m("erfi")),
    Primitive("erfinv", _sp("erfinv"), _sc("erfinv"), _m("erfinv")),
    Primitive("gamma", _sp("gamma"), _sc("gamma"), _m("gamma")),
    Primitive("gammaln", _sp("loggamma"), _sc("gammaln"), _ball_gammaln),
    Primitive("polygamma", _sp("polygamma"), _sc("polygamma"), _ball_polygamma),
    Primitive("besselj", _sp("besselj"), _sc("jv"), _besselj),
    Primitive("bessely", _sp("bessely"), _sc("yv"), _bessely),
    Primitive("besseli", _sp("besseli"), _sc("iv"), _besseli),
    Primitive("besselk", _sp("besselk"), _sc("kv"), _besselk),
    Primitive("expint", _sp("expint"), _sc("expn"), _ball_expint),
    Primitive("Ei", _sp("Ei"), _sc("expi"), _m("ei")),
    Primitive("Si", _sp("Si"), lambda x: _sc("sici")(x)[0], _m("si")),
    Primitive("Ci", _sp("Ci"), lambda x: _sc("sici")(x)[1], _m("ci")),
    Primitive("lambertw", _sp("LambertW"), lambda x: np.real(_sc("lambertw")(x)), _m("lambertw")),
    Primitive("zeta", _sp("zeta"), _float_zeta, _ball_zeta),
    Primitive("ellipk", _sp("elliptic_k"), _sc("ellipk"), _ball_ellipk),
    Primitive("ellipe", _sp("elliptic_e"), _sc("ellipe"), _ball_ellipe),
    Primitive(
        "gammainc",
        lambda sp, a, x: sp.lowergamma(a, x) / sp.gamma(a),
        _sc("gammainc"),
        _ball_gammainc,
    ),
    Primitive(
        "gammaincc",
        lambda sp, a, x: sp.uppergamma(a, x) / sp.gamma(a),
        _sc("gammaincc"),
        _ball_gammaincc,
    ),
    Primitive("floor", _sp("floor"), np.floor, _ball_locally("floor")),
    Primitive("ceil", _sp("ceiling"), np.ceil, _ball_locally("ceil")),
    Primitive(
        "rint", lambda sp, x: sp.floor(x + sp.Rational(1, 2)), np.rint, _ball_locally("rint")
    ),
    Primitive(
        "trunc", lambda sp, x: sp.sign(x) * sp.floor(sp.Abs(x)), np.trunc, _ball_locally("trunc")
    ),
    Primitive("sign", _sp("sign"), np.sign, _ball_locally("sign")),
]

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in _ROWS}

# Values at rational points that are rational themselves, so that exp(0) is 1 in every pass.
EXACT: dict[tuple[str, Fraction], int] = {
    (op, Fraction(at)): value
    for op, at, value in [
        ("exp", 0, 1),
        ("log", 1, 0),
        ("sin", 0, 0),
        ("cos", 0, 1),
        ("tan", 0, 0),
        ("arcsin", 0, 0),
        ("arccos", 1, 0),
        ("arctan", 0, 0),
        ("sinh", 0, 0),
        ("cosh", 0, 1),
        ("tanh", 0, 0),
        ("arcsinh", 0, 0),
        ("arccosh", 1, 0),
        ("arctanh", 0, 0),
        ("erf", 0, 0),
        ("erfc", 0, 1),
        ("erfinv", 0, 0),
        ("gamma", 1, 1),
        ("gammaln", 1, 0),
        ("gammaln", 2, 0),
    ]
}


@lru_cache(maxsize=1)
def _float_table() -> dict[str, Callable[..., Any]]:
    return {row.name: row.float for row in _ROWS}


@lru_cache(maxsize=1)
def _ball_table() -> dict[str, Callable[..., Any]]:
    return {row.name: row.ball for row in _ROWS}


def partial(graph: Graph, node: Node, i: int) -> Node:
    """SymPy's derivative of one operation in its argument ``i``, as a node of ``graph``.

    Raises
    ------
    NotDifferentiable
        Where SymPy knows no closed form (a Bessel function in its order, say).
    """
    from symbolic.sympy_bridge import template

    args = node.args
    fixed = tuple(
        a.args[0] if j != i and a.op == "const" and node.op in ("pow", "polygamma") else None
        for j, a in enumerate(args)
    )
    return template(node.op, i, len(args), fixed).instantiate(graph, args)
