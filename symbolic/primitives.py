"""The operations that a formula is made of: each in floats, in balls and in SymPy.

NumPy and SciPy functions are lowered to this small set (see :mod:`symbolic.lowering`), so that
evaluation, differentiation and normal forms meet few operations. No derivative is written here:
SymPy derives each one from the row's SymPy expression, once (those of eigenvalues and of Faddeeva's
function, which have no expression, follow from what defines them).

May import: :mod:`symbolic.eigen`, :mod:`symbolic.faddeeva`; :mod:`symbolic.ball_functions` and
:mod:`symbolic.sympy_bridge` when used (SymPy, SciPy and python-flint are loaded then, not before).
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from symbolic import eigen, faddeeva

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


class Arithmetic(ABC):
    """How a :class:`~symbolic.graph.Program` computes: operations, and what leaves are."""

    table: dict[str, Callable[..., Any]]

    def precision(self) -> int:
        """The bits that a constant has now: with other bits it is another number."""
        import flint

        return flint.ctx.prec

    @abstractmethod
    def leaf(self, op: str, args: tuple) -> Any:
        """What a constant is."""

    @abstractmethod
    def power(self, base: Any, exponent: Fraction) -> Any:
        """A rational power."""


class _Float(Arithmetic):
    """NumPy's float64, elementwise: variables may be arrays that broadcast."""

    @property
    def table(self) -> dict[str, Callable[..., Any]]:  # type: ignore[override]
        return _float_table()

    def precision(self) -> int:
        return 53

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
        if exponent == Fraction(1, 3):  # one ulp better than np.power, and NaN below zero as that
            return np.where(np.less(base, 0), np.nan, np.cbrt(base))[()]
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
        return _balls().rational_power(base, exponent)


def _balls() -> Any:
    """The ball functions, imported at the first call (they need python-flint)."""
    from symbolic import ball_functions

    return ball_functions


FLOAT = _Float()
BALL = _Ball()


def _b(name: str, *settings: Any) -> Callable[..., Any]:
    """The function of that name on balls; with ``settings`` the one that they select."""

    def call(*args: Any) -> Any:
        function = getattr(_balls(), name)
        return function(*settings)(*args) if settings else function(*args)

    return call


def _last(name: str) -> Callable[..., Any]:
    """FLINT's method of that name on the last argument, with the others as its arguments."""

    def call(*args: Any) -> Any:
        return getattr(args[-1], name)(*args[:-1])

    return call


def _sc(name: str) -> Callable[..., Any]:
    """SciPy's ufunc of that name, imported at the first call."""

    def call(*args: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*args)

    return call


def _float_zeta(s: Any, a: Any) -> Any:
    # SciPy's function of two arguments is NaN below 1, also where it is Riemann's.
    return _sc("zeta")(s) if np.all(a == 1) else _sc("zeta")(s, a)


def _float_polylog(s: Any, z: Any) -> Any:
    # SciPy has the dilogarithm alone, of 1 - z.
    if np.all(s == 2):
        return _sc("spence")(1 - z)
    if np.all(s == 1):
        return -np.log1p(-z)
    return np.full(np.shape(z), np.nan)[()]


def _sp(name: str) -> Callable[..., Any]:
    def build(sp: Any, *args: Any) -> Any:
        return getattr(sp, name)(*args)

    return build


def _sp_named(name: str) -> Callable[..., Any]:
    """A function that SymPy knows by this name alone."""
    return lambda sp, *args: sp.Function(name, real=True)(*args)


def _m(name: str) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        return getattr(x, name)()

    return call


_ROWS = [
    Primitive("add", lambda sp, a, b: a + b, operator.add, operator.add),
    Primitive("mul", lambda sp, a, b: a * b, operator.mul, operator.mul),
    Primitive("div", lambda sp, a, b: a / b, np.divide, lambda a, b: a / b),
    Primitive("pow", lambda sp, a, b: a**b, np.power, _b("power")),
    Primitive("exp", _sp("exp"), np.exp, _m("exp")),
    Primitive("log", _sp("log"), np.log, _m("log")),
    Primitive("sin", _sp("sin"), np.sin, _m("sin")),
    Primitive("cos", _sp("cos"), np.cos, _m("cos")),
    Primitive("tan", _sp("tan"), np.tan, _m("tan")),
    Primitive("arcsin", _sp("asin"), np.arcsin, _m("asin")),
    Primitive("arccos", _sp("acos"), np.arccos, _m("acos")),
    Primitive("arctan", _sp("atan"), np.arctan, _m("atan")),
    Primitive("arctan2", _sp("atan2"), np.arctan2, lambda y, x: type(y).atan2(y, x)),
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
    Primitive("gammaln", _sp("loggamma"), _sc("gammaln"), _b("gammaln")),
    Primitive("polygamma", _sp("polygamma"), _sc("polygamma"), _b("polygamma")),
    Primitive("besselj", _sp("besselj"), _sc("jv"), _last("bessel_j")),
    Primitive("bessely", _sp("bessely"), _sc("yv"), _last("bessel_y")),
    Primitive("besseli", _sp("besseli"), _sc("iv"), _last("bessel_i")),
    Primitive("besselk", _sp("besselk"), _sc("kv"), _last("bessel_k")),
    Primitive("expint", _sp("expint"), _sc("expn"), _b("expint")),
    Primitive("Ei", _sp("Ei"), _sc("expi"), _m("ei")),
    Primitive("Si", _sp("Si"), lambda x: _sc("sici")(x)[0], _m("si")),
    Primitive("Ci", _sp("Ci"), lambda x: _sc("sici")(x)[1], _m("ci")),
    Primitive("lambertw", _sp("LambertW"), lambda x: np.real(_sc("lambertw")(x)), _m("lambertw")),
    Primitive("zeta", _sp("zeta"), _float_zeta, _b("zeta")),
    Primitive("polylog", _sp("polylog"), _float_polylog, _b("polylog")),
    Primitive("ellipk", _sp("elliptic_k"), _sc("ellipk"), _b("complex_method", "elliptic_k")),
    Primitive("ellipe", _sp("elliptic_e"), _sc("ellipe"), _b("complex_method", "elliptic_e")),
    Primitive(
        "gammainc",
        lambda sp, a, x: sp.lowergamma(a, x) / sp.gamma(a),
        _sc("gammainc"),
        _b("gammainc"),
    ),
    Primitive(
        "gammaincc",
        lambda sp, a, x: sp.uppergamma(a, x) / sp.gamma(a),
        _sc("gammaincc"),
        _b("gammaincc"),
    ),
    Primitive(
        "betainc",
        lambda sp, a, b, x: sp.betainc_regularized(a, b, 0, x),
        _sc("betainc"),
        _b("betainc"),
    ),
    Primitive("airyai", _sp("airyai"), lambda x: _sc("airy")(x)[0], _b("airy", 0)),
    Primitive("airyaiprime", _sp("airyaiprime"), lambda x: _sc("airy")(x)[1], _b("airy", 1)),
    Primitive("airybi", _sp("airybi"), lambda x: _sc("airy")(x)[2], _b("airy", 2)),
    Primitive("airybiprime", _sp("airybiprime"), lambda x: _sc("airy")(x)[3], _b("airy", 3)),
    Primitive("Shi", _sp("Shi"), lambda x: _sc("shichi")(x)[0], _m("shi")),
    Primitive("Chi", _sp("Chi"), lambda x: _sc("shichi")(x)[1], _m("chi")),
    Primitive("fresnels", _sp("fresnels"), lambda x: _sc("fresnel")(x)[0], _m("fresnel_s")),
    Primitive("fresnelc", _sp("fresnelc"), lambda x: _sc("fresnel")(x)[1], _m("fresnel_c")),
    Primitive("floor", _sp("floor"), np.floor, _m("floor")),
    Primitive("ceil", _sp("ceiling"), np.ceil, _m("ceil")),
    Primitive("rint", lambda sp, x: sp.floor(x + sp.Rational(1, 2)), np.rint, _b("rint")),
    Primitive("trunc", lambda sp, x: sp.sign(x) * sp.floor(sp.Abs(x)), np.trunc, _b("trunc")),
    Primitive("sign", _sp("sign"), np.sign, _m("sgn")),
    *(
        Primitive(op, _sp_named(op), defined.FLOAT[op], defined.BALL[op])
        for defined in (eigen, faddeeva)
        for op in defined.OPERATIONS
    ),
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


# Operations whose derivative in one argument is simpler where the other is a known number.
_BY_ORDER = frozenset({"pow", "polygamma", "polylog"})


def partial(graph: Graph, node: Node, i: int) -> Node:
    """SymPy's derivative of one operation in its argument ``i``, as a node of ``graph``.

    Raises
    ------
    NotDifferentiable
        Where SymPy knows no closed form (a Bessel function in its order, say).
    """
    if node.op in eigen.OPERATIONS:
        return eigen.partial(graph, node, i)
    if node.op in faddeeva.OPERATIONS:
        return faddeeva.partial(graph, node, i)
    from symbolic.sympy_bridge import template

    args = node.args
    fixed = tuple(
        a.args[0] if j != i and a.op == "const" and node.op in _BY_ORDER else None
        for j, a in enumerate(args)
    )
    return template(node.op, i, len(args), fixed).instantiate(graph, args)
