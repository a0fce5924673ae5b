"""Where conditions change: roots on lines; and which conditions exclude each other."""

import numpy as np
import pytest

from symbolic.feasible import covered, infeasible
from symbolic.graph import Graph
from symbolic.solve import Line, dependencies, roots_on_line
from symbolic.values import Condition, Trace

INF = float("inf")


@pytest.fixture
def g():
    return Graph()


@pytest.mark.parametrize(
    ("build", "root"),
    [
        (lambda g, x: g.sub(x, g.constant(3)), 3.0),
        (lambda g, x: g.sub(g.apply("exp", x), g.constant(5)), np.log(5)),
        (lambda g, x: g.sub(g.mul(g.constant(2), x), g.number(1e-9)), 5e-10),
        (lambda g, x: g.pow(g.sub(x, g.constant(2)), g.constant(2)), 2.0),
        (lambda g, x: g.sub(g.add(g.mul(x, x), x), g.constant(6)), 2.0),
        (lambda g, x: g.sub(g.apply("floor", x), g.constant(7)), 7.0),
    ],
)
def test_roots_are_found_at_every_magnitude(g, build, root):
    x = g.variable("x")
    found = roots_on_line(build(g, x), ["x"], Line(np.array([0.3]), "entry", [0]))
    assert min(abs(r - root) for r in found) <= 1e-12 * abs(root)


def test_roots_stay_within_bounds(g):
    x = g.variable("x")
    gap = g.sub(g.mul(x, x), g.constant(4))
    line = Line(np.array([1.0]), "entry", [0])
    assert all(0 < r < INF for r in roots_on_line(gap, ["x"], line, 0.0, INF))


def test_dependencies(g):
    node = g.add(g.variable("a"), g.mul(g.variable("b"), g.constant(2)))
    assert dependencies(node) == {"a", "b"}


def test_orders_that_contradict_each_other_are_infeasible(g):
    a, b, c = (g.variable(n) for n in "abc")
    prefix = [Condition(g.sub(a, b), "<", True), Condition(g.sub(b, c), "<", True)]
    assert infeasible(prefix, Condition(g.sub(a, c), "<", False), {})
    assert not infeasible(prefix, Condition(g.sub(a, c), "<", True), {})


def test_squares_and_exponentials_have_signs(g):
    x = g.variable("x")
    square = g.mul(x, x)
    assert infeasible([], Condition(square, "<", True), {})
    assert not infeasible([], Condition(square, "==", True), {})
    assert infeasible([], Condition(g.apply("exp", x), "<=", True), {})
    assert infeasible([], Condition(x, "<=", True), {"x": (0.0, INF)})


def test_a_quotient_has_the_signs_of_its_parts(g):
    x, y = g.variable("x"), g.variable("y")
    quotient = g.div(g.sub(x, y), y)
    prefix = [Condition(g.sub(x, y), "<", True), Condition(y, "<=", False)]
    assert infeasible(prefix, Condition(quotient, "<", False), {})
    assert not infeasible(prefix, Condition(quotient, "<", True), {})


def test_cells_of_a_maximum_cover_and_two_of_them_do_not(g):
    a, b, c = (g.variable(n) for n in "abc")

    def wins(winner, others):
        return [Condition(g.sub(other, winner), "<=", True) for other in others]

    cells = [wins(a, (b, c)), wins(b, (a, c)), wins(c, (a, b))]
    assert covered(cells, {})
    assert not covered(cells[:2], {})


def test_a_comparison_has_one_orientation():
    trace = Trace()
    x, y = trace.symbol("x", 1.0), trace.symbol("y", 2.0)
    assert x < y
    assert y > x
    assert not y <= x
    assert [c.sign for c in trace.conditions] == ["<"]
    assert x > 0
    assert not x <= 0
    assert len(trace.conditions) == 2
