"""Graphs of formulas: sharing, folding, derivatives, evaluation."""

import math
from fractions import Fraction

import numpy as np
import pytest

from symbolic.graph import Graph, Program, topological
from symbolic.primitives import FLOAT
from symbolic.sympy_bridge import NotDifferentiable


@pytest.fixture
def g():
    return Graph()


def value(node, **values):
    [result] = Program([node]).run(FLOAT, values)
    return float(result)


def test_equal_expressions_are_one_node(g):
    x, y = g.variable("x"), g.variable("y")
    assert g.add(x, y) is g.add(y, x)
    assert g.mul(x, y) is g.mul(y, x)
    assert g.apply("exp", g.add(x, y)) is g.apply("exp", g.add(y, x))
    assert g.sub(x, y) is not g.sub(y, x)


def test_trivial_operations_are_folded(g):
    x = g.variable("x")
    two = g.constant(2)
    assert g.add(x, g.zero) is x
    assert g.mul(x, g.one) is x
    assert g.mul(x, g.zero) is g.zero
    assert g.sub(x, x) is g.zero
    assert g.pow(x, g.zero) is g.one
    assert g.pow(x, g.one) is x
    assert g.mul(two, g.mul(g.constant(3), x)) is g.mul(g.constant(6), x)
    assert g.div(x, two) is g.mul(g.constant(Fraction(1, 2)), x)
    assert g.sqrt(g.constant(Fraction(9, 4))).args[0] == Fraction(3, 2)
    assert g.apply("exp", g.zero) is g.one
    assert g.div(g.one, g.zero).op == "div"  # not folded: no such number


def test_numbers_take_their_closed_forms(g):
    assert g.number(0.1).args[0] == Fraction(1, 10)
    half = g.number(math.sqrt(0.5))
    assert half is g.mul(g.constant(Fraction(1, 2)), g.sqrt(g.constant(2)))
    assert g.closed_forms == {math.sqrt(0.5): "1/2*sqrt(2)"}
    assert g.number(0.12345678901234567).op == "float"
    assert math.isnan(g.number(float("nan")).args[0])


def test_topological_order(g):
    x, y = g.variable("x"), g.variable("y")
    e = g.apply("exp", g.mul(x, y))
    root = g.add(g.mul(e, e), g.div(x, e))
    order = topological([root, e])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[c] < place[node] for node in order for c in node.children)
    rest = topological([root], done={e, y})
    assert set(rest) == set(order) - {e, y, g.mul(x, y)}


def test_deep_graphs_need_no_recursion(g):
    x = node = g.variable("x")
    for _ in range(20_000):
        node = g.add(g.apply("sin", node), x)
    assert len(topological([node])) > 20_000
    assert len(g.vjp([node], [g.one], [x])) == 1


@pytest.mark.parametrize(
    ("op", "points"),
    [
        ("exp", [0.3]),
        ("log", [0.3]),
        ("tanh", [0.3]),
        ("arcsin", [0.3]),
        ("erf", [0.3]),
        ("erfinv", [0.3]),
        ("gammaln", [1.3, -0.5]),
        ("lambertw", [0.5]),
        ("ellipk", [0.3]),
        ("airyai", [0.3]),
        ("Ei", [0.7]),
    ],
)
def test_derivatives_against_differences(g, op, points):
    x = g.variable("x")
    node = g.apply(op, x)
    [slope] = g.vjp([node], [g.one], [x])
    for at in points:
        h = 1e-5
        difference = (value(node, x=at + h) - value(node, x=at - h)) / (2 * h)
        assert value(slope, x=at) == pytest.approx(difference, rel=1e-7)


def test_the_adjoint_sweep_sums_over_outputs_and_paths(g):
    x, y, u, v = (g.variable(n) for n in "xyuv")
    product = g.mul(x, y)
    outputs = [g.apply("sin", product), g.add(product, g.mul(x, x))]
    dx, dy, du = g.vjp(outputs, [u, v], [x, y, u])
    at = {"x": 0.7, "y": -1.3, "u": 2.0, "v": 3.0}
    cosine = math.cos(0.7 * -1.3)
    expected = 2.0 * cosine * -1.3 + 3.0 * (-1.3 + 1.4)
    assert value(dx, **at) == pytest.approx(expected)
    assert value(dy, **at) == pytest.approx((2.0 * cosine + 3.0) * 0.7)
    assert du is g.zero


def test_an_argument_that_does_not_vary_needs_no_derivative(g):
    x = g.variable("x")
    node = g.apply("besselj", g.constant(2), x)
    assert g.vjp([node], [g.one], [x])[0].op != "const"
    order = g.variable("n")
    with pytest.raises(NotDifferentiable):
        g.vjp([g.apply("besselj", order, x)], [g.one], [order])


def test_powers_of_negative_numbers_and_at_zero(g):
    x = g.variable("x")
    cube = g.pow(x, g.constant(3))
    [slope] = g.vjp([cube], [g.one], [x])
    assert value(cube, x=-2.0) == -8
    assert value(slope, x=-2.0) == 12
    assert value(slope, x=0.0) == 0
    with np.errstate(invalid="ignore"):
        assert math.isnan(value(g.pow(x, g.number(1 / 3)), x=-8.0))
    assert value(g.pow(x, g.number(1 / 3)), x=8.0) == 2


def test_substitution_rebuilds_only_what_changes(g):
    x, y, z = (g.variable(n) for n in "xyz")
    kept, root = g.apply("exp", y), None
    root = g.add(g.mul(x, x), kept)
    [new] = g.substitute([root], {x: z})
    assert new is g.add(g.mul(z, z), kept)
    assert g.substitute([kept], {x: z}) == [kept]


def test_programs_broadcast(g):
    x, y = g.variable("x"), g.variable("y")
    program = Program([g.add(x, y), x])
    total, _ = program.run(FLOAT, {"x": np.arange(3.0), "y": np.ones((2, 1))})
    assert total.shape == (2, 3)
    assert sorted(program.variables) == ["x", "y"]
