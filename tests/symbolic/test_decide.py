"""The decision: what it answers, on layers with hand-derived gradients and on their wrong twins."""

import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from symbolic.decide import all_equal, equal
from symbolic.graph import Graph
from symbolic.values import Condition
from tests.symbolic import layers
from tests.symbolic.terms import Formula


def decide(case, **options):
    graph, inputs, outputs, upstream, gradients = case
    expected = graph.vjp(outputs, upstream, inputs)
    return all_equal(graph, list(zip(expected, gradients, strict=True)), **options)


@pytest.mark.parametrize("layer", layers.LAYERS, ids=lambda layer: layer.__name__)
def test_right_gradients_of_layers_are_proved(layer):
    decisions = decide(layer(), seconds=10)
    assert {d.status for d in decisions} == {"proved"}


@pytest.mark.parametrize("layer", layers.LAYERS, ids=lambda layer: layer.__name__)
def test_wrong_gradients_of_layers_are_refuted(layer):
    decisions = decide(layer(wrong=True), seconds=10)
    statuses = {d.status for d in decisions}
    assert "refuted" in statuses
    assert statuses <= {"refuted", "proved"}
    for decision in decisions:
        assert (decision.witness is not None) == (decision.status == "refuted")


LARGE = {
    "attention 5x4x5": lambda: layers.attention(5, 4, 5),
    "lstm 4": lambda: layers.lstm(4),
    "gru 4": lambda: layers.gru(4),
    "layer norm 16": lambda: layers.layer_norm(16),
    "batch norm 6x3": lambda: layers.batch_norm(6, 3),
    "softmax 40": lambda: layers.softmax(40),
    "inverse 4x4": lambda: layers.inverse(4),
}


@pytest.mark.parametrize("case", LARGE.values(), ids=LARGE.keys())
def test_large_layers_are_proved_by_residues(case):
    start = time.perf_counter()
    decisions = decide(case(), seconds=20)
    assert {d.status for d in decisions} == {"proved"}
    # Well under a second each on an idle machine; the bound is for busy ones.
    assert time.perf_counter() - start < 15


def test_without_numbers_wrong_gradients_have_other_normal_forms(monkeypatch):
    """The normal forms are right by themselves, not because refutation came first."""
    from symbolic import decide as module

    monkeypatch.setattr(module._Task, "refute", lambda self: None)
    for layer in layers.LAYERS:
        decisions = decide(layer(wrong=True), seconds=10)
        assert "unknown" in {d.status for d in decisions}, layer.__name__


def test_the_method_is_reported():
    f = Formula()
    x = f.symbols("x")
    e = f.exp(x)
    assert equal(f.graph, f.node(e), f.node(e)).method == "identical"
    assert equal(f.graph, f.node(e * e), f.node(f.exp(2 * x))).method == "normal form"
    assert equal(f.graph, f.node(e), f.node(2 * e)).method == "values in balls"
    half = equal(f.graph, f.node(0.7071067811865476 * e), f.node(e / f.sqrt(2)))
    assert half.status == "proved"
    assert half.constants == {0.7071067811865476: "1/2*sqrt(2)"}


def test_a_witness_satisfies_the_facts_and_tells_the_sides_apart():
    f = Formula()
    x, y = f.symbols("x"), f.symbols("y")
    known = [Condition(f.node(x - y), "<", True)]
    decision = equal(f.graph, f.node(x * y), f.node(x * y + f.exp(x)), known)
    assert decision.status == "refuted"
    assert decision.witness["x"] < decision.witness["y"]


def test_given_points_come_first():
    f = Formula()
    x = f.symbols("x")
    # They differ where the exponential is not negligible: at the point given.
    a, b = f.node(x + f.exp(-(x**4))), f.node(x)
    decision = equal(f.graph, a, b, points=[{"x": 0.25}])
    assert decision.witness == {"x": 0.25}


def test_a_side_undefined_at_the_given_point_is_not_proved():
    f = Formula()
    x = f.symbols("x")
    a, b = f.node(f.log(x * x)), f.node(2 * f.log(x))
    assert equal(f.graph, a, b, points=[{"x": 0.5}]).status == "proved"
    decision = equal(f.graph, a, b, points=[{"x": -0.5}])
    assert decision.status == "unknown"
    assert "undefined" in decision.method


K = 0.044715 * np.sqrt(2 / np.pi)
C, D = 0.12345678901234567, 0.98765432109876543


@pytest.mark.parametrize(
    "claim",
    [
        lambda f, x, y: (K * x**3 + x, 0.044715 * f.sqrt(2 / f.term(np.pi)) * x**3 + x),
        lambda f, x, y: (f.tanh(K * x), f.tanh(0.044715 * f.sqrt(2 / f.term(np.pi)) * x)),
        lambda f, x, y: (C * (1 + 3e-16) * x**3 + x, C * x**3 + x),
        lambda f, x, y: (C * x * D, (C * D) * x),
        lambda f, x, y: (f.exp(C * x * D), f.exp((C * D) * x)),
        lambda f, x, y: ((C + D) * x, C * x + D * x),
        lambda f, x, y: (((C + D) * x + y) ** 2 / (C * y), (C * x + D * x + y) ** 2 / C / y),
        lambda f, x, y: (f.log(C * x), f.log(x) + np.log(C)),
    ],
)
def test_rounding_of_constants_is_allowed_and_said(claim):
    f = Formula()
    a, b = (f.node(side) for side in claim(f, f.symbols("x"), f.symbols("y")))
    decision = equal(f.graph, a, b)
    assert decision.status == "proved"
    assert decision.method == "normal form, up to the rounding of constants"


@pytest.mark.parametrize("error", [1e-13, -1e-13, 1e-11, 1e-6])
@pytest.mark.parametrize(
    "claim",
    [
        lambda f, x, y, e: (K * e * x**3 + x, 0.044715 * f.sqrt(2 / f.term(np.pi)) * x**3 + x),
        lambda f, x, y, e: (f.tanh(K * e * x), f.tanh(0.044715 * f.sqrt(2 / f.term(np.pi)) * x)),
        lambda f, x, y, e: (C * e * x * D, (C * D) * x),
        lambda f, x, y, e: (f.exp(C * e * x * D), f.exp((C * D) * x)),
        lambda f, x, y, e: ((C + D * e) * x, C * x + D * x),
        lambda f, x, y, e: (f.log(C * x), f.log(x) + np.log(C) * e),
        lambda f, x, y, e: (x * y * np.pi * e, x * y * np.pi),
        lambda f, x, y, e: (x * e / 3, x / 3),
    ],
)
def test_a_wrong_constant_is_never_taken_for_rounding(claim, error):
    f = Formula()
    a, b = (f.node(side) for side in claim(f, f.symbols("x"), f.symbols("y"), 1 + error))
    assert equal(f.graph, a, b).status == "refuted"


def test_truncated_constants_are_refuted():
    f = Formula()
    x = f.symbols("x")
    for number, exact in [(0.707106781, 1 / f.sqrt(2)), (0.3333333333333, f.term(1) / 3)]:
        assert equal(f.graph, f.node(x * number), f.node(x * exact)).status == "refuted"


def test_out_of_time_is_unknown_and_harmless():
    case = layers.attention(6, 6, 6)
    decisions = decide(case, seconds=0.02)
    assert {d.status for d in decisions} <= {"proved", "unknown"}
    assert "out of time" in {d.method for d in decisions}
    assert {d.status for d in decide(case, seconds=30)} == {"proved"}


def test_other_threads_decide_as_well():
    results = []

    def work():
        results.append({d.status for d in decide(layers.layer_norm(), seconds=20)})

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [{"proved"}] * 3


def test_sympy_has_the_last_word():
    f = Formula()
    x = f.symbols("x")
    decision = equal(f.graph, f.node(f.cos(f.arctan(x))), f.node(1 / f.sqrt(1 + x * x)), seconds=9)
    assert decision.status == "proved"
    assert decision.method == "sympy simplify"


@pytest.mark.parametrize("value", [Fraction(100, 101), Fraction(-50, 67), Fraction(10, 9)])
def test_exponentials_of_fractions(value):
    g = Graph()
    a, two = g.constant(value), g.constant(2)
    e = g.apply("exp", a)
    assert equal(g, g.pow(e, two), g.apply("exp", g.mul(two, a))).method == "normal form"
    assert equal(g, g.pow(e, two), e).refuted


def test_root_of_a_square_that_was_multiplied_out():
    """The square of a sum with a root in it is none to see any more; its sign is known."""
    g = Graph()
    x = g.variable("x")
    a = g.add(x, g.sqrt(g.add(g.mul(x, x), g.one)))
    root = g.sqrt(g.mul(a, a))
    assert equal(g, root, a, [Condition(a, "<", False)]).proved
    assert equal(g, root, g.neg(a), [Condition(a, "<=", True)]).proved
