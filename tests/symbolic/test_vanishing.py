"""Expressions that are zero wherever they are defined, and those that only look like it."""

import pytest

from symbolic.graph import Graph
from symbolic.vanishing import vanishing


@pytest.fixture
def graph():
    return Graph()


def test_a_sum_of_shares_is_one(graph):
    x, y, z = map(graph.variable, "xyz")
    t = graph.add(graph.add(x, y), z)
    gap = graph.sub(sum_of(graph, [graph.div(v, t) for v in (x, y, z)]), graph.one)
    assert vanishing([gap]) == {gap}


def test_what_is_zero_where_a_logarithm_is_defined(graph):
    x = graph.variable("x")
    gap = graph.sub(graph.apply("exp", graph.apply("log", x)), x)
    assert vanishing([gap]) == {gap}


def test_what_is_zero_on_one_side_only(graph):
    x = graph.variable("x")
    modulus = graph.sub(graph.sqrt(graph.mul(x, x)), x)
    assert vanishing([modulus]) == set()


def test_a_step_and_a_small_number_are_not_zero(graph):
    x = graph.variable("x")
    step = graph.apply("floor", graph.div(x, graph.constant(10)))
    small = graph.mul(x, graph.number(1e-30))
    assert vanishing([step, small, x]) == set()


def sum_of(graph, terms):
    total = graph.zero
    for term in terms:
        total = graph.add(total, term)
    return total


def test_a_difference_that_is_merely_small_is_not_zero(graph):
    x, y = graph.variable("x"), graph.variable("y")

    def density(v):
        return graph.apply("exp", graph.mul(graph.constant(-1000), graph.mul(v, v)))

    assert vanishing([graph.sub(density(x), density(y))]) == set()
