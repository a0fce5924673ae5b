"""Between graphs and SymPy: there and back, and conditions at a sample point."""

import math

import pytest
import sympy as sp

from symbolic import eigen, faddeeva
from symbolic.decide import equal
from symbolic.graph import Graph, Program
from symbolic.primitives import FLOAT, PRIMITIVES
from symbolic.sympy_bridge import UnknownOperation, from_sympy, to_sympy

x, y = sp.symbols("x y", real=True)


def back(expression, **options):
    g = Graph()
    names = {x: g.variable("x"), y: g.variable("y")}
    return g, from_sympy(g, expression, names, **options)


def value(node, **values):
    return float(Program([node]).run(FLOAT, values)[0])


# fmt: off
EXPRESSIONS = [
    x**2 + 3 * x * y - y / 7, sp.exp(-x**2) / (1 + y**2), sp.sqrt(x**2 + 1), sp.log(x) * sp.sin(y),
    sp.sech(x), sp.coth(x), sp.acot(x), sp.beta(x, y), sp.digamma(x), sp.besselj(2, x),
    sp.lowergamma(x, y), sp.uppergamma(x, y), sp.expint(1, x),
    sp.Mod(x, 1), sp.GoldenRatio * x, sp.EulerGamma + sp.pi * sp.E, sp.airyai(x),
    sp.betainc_regularized(2, 3, 0, x / 3), sp.elliptic_k(x / 3), sp.cbrt(x),
    sp.Rational(2, 3) ** x,
]
# fmt: on


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_values_survive_the_way_into_the_graph(expression):
    _, node = back(expression)
    at = {x: sp.Rational(7, 10), y: sp.Rational(13, 10)}
    assert value(node, x=0.7, y=1.3) == pytest.approx(float(expression.subs(at).evalf()), rel=1e-13)


@pytest.mark.parametrize("expression", EXPRESSIONS[:6], ids=str)
def test_there_and_back_is_the_same(expression):
    g, node = back(expression)
    [again] = to_sympy([node], {"x": x, "y": y})
    names = {x: g.variable("x"), y: g.variable("y")}
    assert equal(g, node, from_sympy(g, again, names)).status == "proved"


def test_functions_that_sympy_does_not_evaluate():
    _, node = back(sp.erf2(x, y))
    assert value(node, x=0.7, y=1.3) == pytest.approx(math.erf(1.3) - math.erf(0.7))
    _, node = back(sp.erfcinv(x))
    assert math.erfc(value(node, x=0.7)) == pytest.approx(0.7)


def test_conditions_are_decided_at_the_sample_point():
    def at(number):
        return lambda condition: bool(condition.subs({x: number}))

    expression = sp.Piecewise((x**2, x > 0), (sp.exp(x), True)) + sp.Abs(x) + sp.Max(x, 0)
    for number in (0.5, -0.5):
        _, node = back(expression, choose=at(number))
        assert value(node, x=number) == pytest.approx(float(expression.subs({x: number})))
    with pytest.raises(UnknownOperation):
        back(expression)


def test_unknown_functions_are_named():
    with pytest.raises(UnknownOperation, match="riemann_xi"):
        back(sp.riemann_xi(x))


def test_every_primitive_has_a_sympy_expression_of_the_same_value():
    # fmt: off
    three, two = {"betainc"}, {
        "add", "mul", "div", "pow", "arctan2", "polygamma", "besselj", "bessely", "besseli",
        "besselk", "expint", "zeta", "gammainc", "gammaincc", "polylog"}
    # fmt: on
    # What is defined by a relation, not by an expression, has a name in SymPy and no value.
    for name in PRIMITIVES.keys() - {*eigen.OPERATIONS, *faddeeva.OPERATIONS}:
        row = PRIMITIVES[name]
        arguments = [2.0, 1.5, 0.3] if name in three else [2.0, 1.7] if name in two else [0.3]
        if name == "arccosh":
            arguments = [1.3]
        if name == "polylog":
            arguments = [2.0, 0.3]
        exact = [sp.Rational(str(a)) if a != 2.0 else sp.Integer(2) for a in arguments]
        expected = float(sp.N(row.symbol(sp, *exact)))
        numbers = [2 if a == 2.0 else a for a in arguments]
        assert float(row.float(*numbers)) == pytest.approx(expected, rel=1e-12), name
    assert math.isclose(float(PRIMITIVES["rint"].float(2.5)), 2.0)
