"""The derivative by power series in balls: an independent check of the adjoint sweep."""

import random
from fractions import Fraction

import pytest

from symbolic import eigen
from symbolic.balls import enclose
from symbolic.directional import INDEPENDENT, SERIES, directional
from symbolic.graph import Graph
from symbolic.primitives import LOCALLY_CONSTANT
from tests.symbolic import layers

# Where each operation is tried: inside its domain, away from the special points.
POINTS = {
    "arcsin": [-0.7, 0.3],
    "arccos": [-0.7, 0.3],
    "arctanh": [-0.7, 0.3],
    "arccosh": [1.3, 4.0],
    "log": [0.3, 5.0],
    "Ci": [0.4, 3.0],
    "Chi": [0.4, 3.0],
    "Ei": [0.4, -3.0],
    "lambertw": [-0.2, 2.0],
    "gamma": [0.4, 3.3, -1.5],
    "gammaln": [0.4, 3.3, -1.5, -0.5],
}
PAIRS = {
    "add": [(1.5, -2.0)],
    "mul": [(1.5, -2.0)],
    "div": [(1.5, -2.0)],
    "pow": [(1.5, -2.3), (0.4, 2.0)],
    "arctan2": [(1.0, 2.0), (-1.0, 0.3), (2.0, -0.5), (-0.2, -3.0)],
}
FIXED_FIRST = {
    "polygamma": [(0, 0.7), (2, 1.3), (1, -0.6)],
    "polylog": [(2, 0.7), (2, -3.0), (1, 0.3)],
    "gammainc": [(0.5, 0.7), (3, 2.0)],
    "gammaincc": [(0.5, 0.7), (3, 2.0)],
    "betainc": [(0.5, 2, 0.3), (3, 1.5, 0.8)],
}


def slopes_agree(graph, output, variables, values, direction):
    gradient = graph.vjp([output], [graph.one], variables)
    total = graph.zero
    for slope, x in zip(gradient, variables, strict=True):
        total = graph.add(total, graph.mul(slope, graph.constant(Fraction(direction[x.args[0]]))))
    [expected] = enclose([total], values)
    [actual] = directional([output], values, direction)
    assert actual.status == "sharp"
    assert actual.value.overlaps(expected.value), (output, values)


@pytest.mark.parametrize(
    "op", sorted(set(SERIES) - set(PAIRS) - set(FIXED_FIRST) - set(eigen.OPERATIONS))
)
def test_functions_of_one_argument(op):
    for x in POINTS.get(op, [-1.3, 0.4, 2.2]):
        g = Graph()
        v = g.variable("x")
        slopes_agree(g, g.apply(op, v), [v], {"x": x}, {"x": 0.75})
    assert op in INDEPENDENT
    assert LOCALLY_CONSTANT <= set(SERIES)


@pytest.mark.parametrize("op", sorted(PAIRS))
def test_functions_of_two_arguments(op):
    for a, b in PAIRS[op]:
        g = Graph()
        v, w = g.variable("a"), g.variable("b")
        slopes_agree(g, g.apply(op, v, w), [v, w], {"a": a, "b": b}, {"a": 0.75, "b": -1.5})


@pytest.mark.parametrize("op", sorted(FIXED_FIRST))
def test_functions_of_parameters(op):
    for *parameters, x in FIXED_FIRST[op]:
        g = Graph()
        v = g.variable("x")
        node = g.apply(op, *(g.number(p) for p in parameters), v)
        slopes_agree(g, node, [v], {"x": x}, {"x": 2})


@pytest.mark.parametrize("exponent", [0.5, -0.5, 2, -3, 1.5, 1 / 3])
def test_constant_powers(exponent):
    g = Graph()
    v = g.variable("x")
    slopes_agree(g, g.pow(v, g.number(exponent)), [v], {"x": 0.7}, {"x": 1})


@pytest.mark.parametrize("layer", layers.LAYERS, ids=lambda layer: layer.__name__)
def test_layers(layer):
    graph, inputs, outputs, upstream, _ = layer()
    rng = random.Random(3)
    values = {x.args[0]: rng.uniform(0.2, 0.9) for x in [*inputs, *upstream]}
    direction = {x.args[0]: rng.uniform(-1, 1) for x in inputs}
    names = [x for node in graph._nodes.values() if node.op == "var" for x in node.args]
    values = {name: values.get(name, 0.4) for name in names}
    for output in outputs[:3]:
        slopes_agree(graph, output, inputs, values, direction)


def test_where_there_is_no_derivative_there_is_no_number():
    g = Graph()
    x = g.variable("x")
    for node in (g.sqrt(x), g.apply("log", x), g.div(g.one, x)):
        [slope] = directional([node], {"x": 0}, {"x": 1})
        assert slope.status == "undefined"
