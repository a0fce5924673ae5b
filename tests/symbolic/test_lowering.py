"""Which conditions ufuncs record, and that formulas are exact."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import special

from symbolic.graph import Graph
from symbolic.tracing import trace
from symbolic.values import Trace
from tests.symbolic.traces import signs

HALF = np.array(0.5)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (np.exp, []),
        (np.tanh, []),
        (special.expit, []),
        (lambda x: np.logaddexp(0, x), []),
        (np.isnan, []),
        (np.isfinite, []),
        (lambda x: np.nan_to_num(x), []),
        (np.abs, [("x", ">=")]),
        (lambda x: np.abs(-x), [("mul(-1, x)", "<")]),
        (lambda x: np.maximum(x, 0), [("x", ">=")]),
        (lambda x: np.maximum(0, x), [("x", ">")]),
        (lambda x: np.clip(x, 0, 1), [("x", ">="), ("add(-1, x)", "<=")]),
        (np.sign, [("x", ">")]),
        (lambda x: special.xlogy(x, x), [("x", "!=")]),
        (lambda x: np.where(x > 0.25, x, 1), [("add(-1/4, x)", ">")]),
        (lambda x: int(x * 5) * x, [("add(-2, trunc(mul(5, x)))", "==")]),
    ],
)
def test_recorded_conditions(function, expected):
    found = signs(trace(function, [HALF], names=["x"]))
    assert len(found) == len(expected)
    for (gap, sign), (wanted, wanted_sign) in zip(found, expected, strict=True):
        assert sign == wanted_sign
        assert sorted(gap) == sorted(wanted)  # sums are in the order in which they were made


def test_each_condition_is_recorded_once():
    def call(x):
        return (x > 0) * np.maximum(x, 0) + (x > 0) * x

    assert len(trace(call, [HALF]).conditions) == 2  # x > 0 and x >= 0


def test_maximum_over_entries_compares_the_winner_only():
    t = trace(lambda x: x.max(), [np.array([1.0, 5.0, 2.0, 3.0])])
    assert [c.sign for c in t.conditions] == ["<", ">", ">"]  # the earlier entry stands first
    assert all("x[1]" in repr(c.gap) for c in t.conditions)
    assert repr(t.outputs[0][()]) == "x[1]"


def test_a_tie_in_a_maximum_is_seen():
    t = trace(lambda x: x.max(), [np.array([1.0, 5.0, 5.0])])
    assert sorted(c.sign for c in t.conditions) == ["<", "=="]


def test_sorting_compares_neighbours_only():
    t = trace(np.sort, [np.array([3.0, 1.0, 2.0, 2.0])])
    assert [c.sign for c in t.conditions] == ["<", "==", ">"]  # the earlier entry stands first
    assert [repr(n) for n in t.outputs[0]] == ["x[1]", "x[2]", "x[3]", "x[0]"] or [
        n.args[0][-3:] for n in t.outputs[0]
    ] == ["[1]", "[2]", "[3]", "[0]"]


def test_conditions_say_where():
    t = trace(lambda x: 1.0 if x > 0 else 2.0, [HALF])
    (condition,) = t.conditions
    assert condition.where[0] == __file__


def test_constants_stay_exact():
    t = trace(lambda x: x * np.sqrt(2.0) / 3 + np.pi * np.ones(())[()], [HALF], names=["x"])
    text = repr(t.outputs[0][()])
    assert "pow(2, 1/2)" in text
    assert "pi" in text
    assert "float" not in text


def test_integers_stay_exact():
    graph = Graph()
    run = Trace(graph)
    x = run.symbol("x", 0.5)
    assert ((x + 2**60) - 2**60 - 1).node is graph.add(
        graph.constant(-1), graph.add(graph.constant(-(2**60)), (x + 2**60).node)
    )
    assert run.lift(2**60 + 1).node.args[0] == Fraction(2**60 + 1)


def test_values_are_the_ufuncs_own():
    # log(1 + exp(x)) in floats is infinite here; what the code computes is not.
    t = trace(lambda x: np.logaddexp(0, x), [np.array(800.0)])
    assert t.values[0] == 800.0
    t = trace(special.expit, [np.array(-800.0)])
    assert t.values[0] == special.expit(-800.0)


def test_special_values_are_decided_without_a_condition():
    def call(x):
        y = np.log(x)
        return np.where(np.isneginf(y) | np.isnan(y), 0.0, y)

    t = trace(call, [np.array([0.0, 1.0])])
    assert t.values[0].tolist() == [0.0, 0.0]
    assert t.conditions == []
