"""Where conditions change: roots on lines; and which conditions exclude each other."""

from fractions import Fraction

import numpy as np
import pytest

from symbolic.feasible import covered, infeasible
from symbolic.graph import Graph, Program
from symbolic.primitives import FLOAT
from symbolic.regions import Regions
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


def test_a_domain_is_open(g):
    x = g.variable("x")
    at = g.sub(x, g.constant(3))
    assert infeasible([], Condition(at, "==", True), {"x": (0.0, 3.0)})
    assert not infeasible([], Condition(at, "==", True), {"x": (0.0, 3.5)})


def test_a_small_region_is_not_an_empty_one(g):
    x, y = g.variable("x"), g.variable("y")
    positive = [Condition(v, "<=", False) for v in (x, y)]
    for size in (1, Fraction(1, 10**6), Fraction(1, 10**12), Fraction(1, 10**40)):
        below = g.sub(g.add(x, y), g.constant(size))
        assert not infeasible(positive, Condition(below, "<", True), {})
        assert infeasible(
            [*positive, Condition(below, "<", False)], Condition(below, "<", True), {}
        )


def test_what_a_variable_is_tells_of_its_multiples(g):
    # pi x is no rational multiple of x, yet it is zero where x is.
    x = g.variable("x")
    gap = g.sub(g.mul(g.apply("pi"), x), g.constant(Fraction(1, 100)))
    assert infeasible([Condition(x, "==", True)], Condition(gap, "<", False), {})
    assert not infeasible([Condition(x, "==", True)], Condition(gap, "<", True), {})


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


def orders(g, names="abc"):
    """The strict and the tied orders of three numbers, each by its neighbours."""
    a, b, c = (g.variable(n) for n in names)
    found = []
    for x, y, z in [(a, b, c), (a, c, b), (b, a, c), (b, c, a), (c, a, b), (c, b, a)]:
        found.append([Condition(g.sub(x, y), "<", True), Condition(g.sub(y, z), "<", True)])
    for x, y, z in [(a, b, c), (a, c, b), (b, c, a)]:
        tie = Condition(g.sub(x, y), "==", True)
        found.append([tie, Condition(g.sub(y, z), "<", True)])
        found.append([tie, Condition(g.sub(z, y), "<", True)])
    found.append([Condition(g.sub(a, b), "==", True), Condition(g.sub(b, c), "==", True)])
    return found


def test_the_orders_of_three_cover_and_a_missing_one_has_a_witness(g):
    cells = orders(g)
    assert len(cells) == 13
    assert covered(cells, {})
    for k, missing in enumerate(cells):
        regions = Regions({})
        for cell in [*cells[:k], *cells[k + 1 :]]:
            regions.exclude(cell)
        point = regions.point()
        program = Program([c.gap for c in missing])
        gaps = program.run(FLOAT, {n: np.float64(v) for n, v in point.items()})
        assert all(c.holds(np.sign(v)) for c, v in zip(missing, gaps, strict=True))


def inside(conditions, bounds):
    regions = Regions(bounds)
    regions.require(conditions)
    return regions.point()


def test_a_witness_keeps_to_the_domain(g):
    x = g.variable("x")
    point = inside([Condition(g.sub(x, g.constant(2)), "<", True)], {"x": (1.0, 3.0)})
    assert 1 < point["x"] < 2
    assert inside([Condition(x, "<", True)], {"x": (1.0, 3.0)}) is None
    assert inside([Condition(g.mul(x, x), "<", True)], {}) is None


def test_roots_quotients_and_roundings_are_known_exactly(g):
    x, y = g.variable("x"), g.variable("y")
    norm = g.sqrt(g.add(g.mul(x, x), g.mul(y, y)))
    assert inside([Condition(norm, "==", True)], {}) == {"x": 0.0, "y": 0.0}
    assert inside([Condition(norm, "<", True)], {}) is None
    third = g.sub(g.div(x, g.constant(3)), g.one)
    assert inside([Condition(third, "==", True)], {}) == {"x": 3.0}
    floor = g.sub(g.apply("floor", x), g.constant(7))
    assert 7 <= inside([Condition(floor, "==", True)], {})["x"] < 8
    ceil = g.sub(g.apply("ceil", x), g.constant(7))
    assert 6 < inside([Condition(ceil, "==", True)], {})["x"] <= 7


def test_what_leads_nowhere_is_not_offered_again(g):
    x = g.variable("x")
    regions = Regions({})
    regions.exclude([Condition(x, "<", True)])
    assert regions.point()["x"] > 0  # off the boundary first
    regions.forget()
    assert regions.point()["x"] == 0
    regions.forget()
    assert regions.point() is None
