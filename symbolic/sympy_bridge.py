"""Between graphs and SymPy: expressions both ways, and derivatives of operations as templates.

May import: :mod:`symbolic.graph`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp

from symbolic.graph import Graph, Node, topological
from symbolic.primitives import PRIMITIVES

__all__ = ["NotDifferentiable", "UnknownOperation", "from_sympy", "template", "to_sympy"]


class NotDifferentiable(Exception):
    """SymPy knows no closed form for this derivative."""


class UnknownOperation(NotDifferentiable):
    """SymPy's closed form has a function that no operation of the graph stands for."""


def to_sympy(roots: Sequence[Node], symbols: dict[str, sp.Expr] | None = None) -> list[sp.Expr]:
    """The expressions in SymPy; variables become real symbols of the same name."""
    symbols = symbols or {}
    done: dict[Node, sp.Expr] = {}
    for node in topological(roots):
        op = node.op
        if op == "var":
            name = node.args[0]
            done[node] = symbols[name] if name in symbols else sp.Symbol(name, real=True)
        elif op == "const":
            done[node] = sp.Rational(node.args[0].numerator, node.args[0].denominator)
        elif op == "float":
            done[node] = sp.Float(node.args[0])
        elif op == "pi":
            done[node] = sp.pi
        elif op == "euler":
            done[node] = sp.EulerGamma
        else:
            done[node] = PRIMITIVES[op].symbol(sp, *(done[a] for a in node.args))
    return [done[root] for root in roots]


class Template:
    """A derivative of one operation, ready to be made for any arguments."""

    def __init__(self, expression: sp.Expr, placeholders: Sequence[sp.Symbol]):
        self.expression = expression
        self.placeholders = placeholders

    def instantiate(self, graph: Graph, args: Sequence[Node]) -> Node:
        names = dict(zip(self.placeholders, args, strict=True))
        return from_sympy(graph, self.expression, names)


@lru_cache(maxsize=512)
def template(op: str, i: int, arity: int, fixed: tuple) -> Template:
    """SymPy's derivative of ``op`` in argument ``i``; ``fixed`` gives constant other arguments."""
    placeholders = [sp.Symbol(f"_a{j}", real=True) for j in range(arity)]
    args = [
        p if f is None else sp.Rational(f.numerator, f.denominator)
        for p, f in zip(placeholders, fixed, strict=True)
    ]
    derivative = PRIMITIVES[op].symbol(sp, *args).diff(placeholders[i])
    if op == "pow":
        derivative = sp.powsimp(derivative)  # b a^(b-1), not a^b b/a: the one that holds at a = 0
    if derivative.has(sp.Derivative, sp.Subs, sp.meijerg, sp.Integral):
        raise NotDifferentiable(f"no closed form for the derivative of {op} in its argument {i}")
    return Template(derivative, placeholders)


def _by_bessel_functions(v: sp.Basic, z: sp.Basic) -> sp.Basic:
    """The limit function 0F1: https://dlmf.nist.gov/10.16.E9, https://dlmf.nist.gov/10.39.E9."""
    root = sp.sqrt(sp.Abs(z))
    scale = sp.gamma(v) * root ** (1 - v)
    return sp.Piecewise(
        (scale * sp.besselj(v - 1, 2 * root), z < 0),
        (sp.Integer(1), sp.Eq(z, 0)),
        (scale * sp.besseli(v - 1, 2 * root), True),
    )


Choose = Callable[[sp.Basic], bool]


def from_sympy(
    graph: Graph,
    expression: Any,
    names: dict[Any, Node],
    choose: Choose | None = None,
) -> Node:
    """A SymPy expression as a node.

    Parameters
    ----------
    graph : Graph
    expression : sympy.Expr or number
    names : dict
        The node of each symbol.
    choose : callable, optional
        Decides a SymPy condition (``x < 0``) at the sample point, for ``Piecewise``, ``Max``,
        ``Abs`` and their kind. Without it these raise.

    Raises
    ------
    UnknownOperation
        Where a function of SymPy has no counterpart.
    """
    memo: dict[sp.Basic, Node] = {}

    def convert(e: sp.Basic) -> Node:
        found = memo.get(e)
        if found is None:
            found = memo[e] = build(e)
        return found

    def decide(condition: Any, what: str) -> bool:
        if condition in (True, sp.true):
            return True
        if condition in (False, sp.false):
            return False
        if choose is None:
            raise UnknownOperation(f"{what} needs a sample point")
        return choose(condition)

    def build(e: sp.Basic) -> Node:
        if e in names:
            return names[e]
        if isinstance(e, sp.Rational):
            return graph.constant(Fraction(int(e.p), int(e.q)))
        if isinstance(e, sp.Float):
            return graph.number(float(e))
        if e is sp.pi:
            return graph.make("pi")
        if e is sp.EulerGamma:
            return graph.make("euler")
        if e is sp.E:
            return graph.apply("exp", graph.one)
        if e is sp.GoldenRatio:
            return convert((1 + sp.sqrt(5)) / 2)
        if isinstance(e, sp.Add):
            total = graph.zero
            for term in e.args:
                total = graph.add(total, convert(term))
            return total
        if isinstance(e, sp.Mul):
            return product(e)
        if isinstance(e, sp.Pow):
            base, exponent = e.args
            if base is sp.E:
                return graph.apply("exp", convert(exponent))
            return graph.pow(convert(base), convert(exponent))
        if isinstance(e, sp.exp):
            return graph.apply("exp", convert(e.args[0]))
        if isinstance(e, sp.Piecewise):
            for value, condition in e.args:
                if decide(condition, "Piecewise"):
                    return convert(value)
            return graph.number(float("nan"))
        if isinstance(e, sp.hyper) and not e.ap and len(e.bq) == 1:
            return convert(_by_bessel_functions(e.bq[0], e.argument))
        if isinstance(e, (sp.Max, sp.Min)):
            best, *others = e.args
            for other in others:
                better = other > best if isinstance(e, sp.Max) else other < best
                if decide(better, type(e).__name__):
                    best = other
            return convert(best)
        if isinstance(e, sp.Abs):
            inner = e.args[0]
            if decide(inner >= 0, "Abs"):
                return convert(inner)
            return graph.neg(convert(inner))
        if isinstance(e, sp.sign):
            inner = e.args[0]
            if decide(sp.Eq(inner, 0), "sign"):
                return graph.zero
            return graph.one if decide(inner > 0, "sign") else graph.constant(-1)
        if isinstance(e, sp.Heaviside):
            inner = e.args[0]
            if decide(sp.Eq(inner, 0), "Heaviside"):
                return convert(e.args[1])
            return graph.one if decide(inner > 0, "Heaviside") else graph.zero
        if isinstance(e, sp.Mod):
            a, b = (convert(x) for x in e.args)
            return graph.sub(a, graph.mul(b, graph.apply("floor", graph.div(a, b))))
        return function(e)

    def product(e: sp.Mul) -> Node:
        numerator, denominator = graph.one, graph.one
        for factor in e.args:
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent < 0 and base is not sp.E:
                denominator = graph.mul(denominator, convert(base ** (-exponent)))
            else:
                numerator = graph.mul(numerator, convert(factor))
        return numerator if denominator is graph.one else graph.div(numerator, denominator)

    def function(e: sp.Basic) -> Node:
        name = type(e).__name__
        if name in _FUNCTIONS:
            return graph.apply(_FUNCTIONS[name], *(convert(a) for a in e.args))
        if name in _REWRITES:
            return convert(_REWRITES[name](*e.args))
        raise UnknownOperation(f"SymPy's {name} has no counterpart here")

    return convert(sp.sympify(expression))


_FUNCTIONS = {
    "log": "log",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "erf": "erf",
    "erfc": "erfc",
    "erfi": "erfi",
    "erfinv": "erfinv",
    "gamma": "gamma",
    "loggamma": "gammaln",
    "polygamma": "polygamma",
    "besselj": "besselj",
    "bessely": "bessely",
    "besseli": "besseli",
    "besselk": "besselk",
    "expint": "expint",
    "Ei": "Ei",
    "Si": "Si",
    "Ci": "Ci",
    "LambertW": "lambertw",
    "zeta": "zeta",
    "polylog": "polylog",
    "elliptic_k": "ellipk",
    "elliptic_e": "ellipe",
    "airyai": "airyai",
    "airyaiprime": "airyaiprime",
    "airybi": "airybi",
    "airybiprime": "airybiprime",
    "Shi": "Shi",
    "Chi": "Chi",
    "fresnels": "fresnels",
    "fresnelc": "fresnelc",
    "floor": "floor",
    "ceiling": "ceil",
}

_REWRITES: dict[str, Callable[..., sp.Expr]] = {
    "betainc_regularized": lambda a, b, x, y: _Betainc(a, b, y) - _Betainc(a, b, x),
    "betainc": lambda a, b, x, y: (
        (_Betainc(a, b, y) - _Betainc(a, b, x)) * sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b)
    ),
    "digamma": lambda x: sp.polygamma(0, x),
    "trigamma": lambda x: sp.polygamma(1, x),
    "cot": lambda x: sp.cos(x) / sp.sin(x),
    "sec": lambda x: 1 / sp.cos(x),
    "csc": lambda x: 1 / sp.sin(x),
    "coth": lambda x: sp.cosh(x) / sp.sinh(x),
    "sech": lambda x: 1 / sp.cosh(x),
    "csch": lambda x: 1 / sp.sinh(x),
    "acot": lambda x: sp.atan(1 / x),
    "sinc": lambda x: sp.Piecewise((sp.sin(x) / x, sp.Ne(x, 0)), (1, True)),
    "beta": lambda a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b),
    "factorial": lambda x: sp.gamma(x + 1),
    "binomial": lambda n, k: sp.gamma(n + 1) / sp.gamma(k + 1) / sp.gamma(n - k + 1),
    "cbrt": lambda x: x ** sp.Rational(1, 3),
    "lowergamma": lambda a, x: sp.gamma(a) * _Regularised(a, x),
    "uppergamma": lambda a, x: sp.gamma(a) * (1 - _Regularised(a, x)),
    "erf2": lambda a, b: sp.erf(b) - sp.erf(a),
    "erfcinv": lambda x: sp.erfinv(1 - x),
    "E1": lambda x: sp.expint(1, x),
}


class _Regularised(sp.Function):
    """The regularised lower incomplete gamma function P(a, x)."""


class _Betainc(sp.Function):
    """The regularised incomplete beta function I_x(a, b)."""

    @classmethod
    def eval(cls, a: Any, b: Any, x: Any) -> Any:
        return x if x in (0, 1) else None


_FUNCTIONS["_Regularised"] = "gammainc"
_FUNCTIONS["_Betainc"] = "betainc"
