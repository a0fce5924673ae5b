"""Conditions of a cell in words."""

import numpy as np

from symbolic.tracing import trace
from verify.regions import described


def conditions(code, *values):
    arrays = [np.asarray(v, dtype=float) for v in values]
    return described(trace(code, arrays).conditions)


def test_bounds_on_the_same_quantity_are_one():
    assert conditions(lambda x: x if -1 <= x < 0 and x < 5 else 2 * x, -0.5) == ["-1 <= x < 0"]
    assert conditions(lambda x: x if x > 2 or x >= 7 or x < -3 else 0 * x, 0.0) == ["-3 <= x <= 2"]


def test_a_strict_bound_is_the_tighter_one():
    def code(x):
        return x if x <= 3 and x != 3 else -x

    assert conditions(code, 1.0) == ["x < 3"]
    assert conditions(code, 3.0) == ["x == 3"]


def test_what_is_left_out_inside_bounds_is_named():
    assert conditions(lambda x: x if x < 3 and x != 1 else -x, 2.0) == ["x < 3", "x != 1"]
    assert conditions(lambda x: x if x < 3 and x != 5 else -x, 2.0) == ["x < 3"]


def test_ties_are_a_chain():
    found = conditions(lambda x: x * (x[0] == x[1]) * (x[1] == x[2]), [1.0, 1.0, 1.0])
    assert found == ["x[0] == x[1] == x[2]"]


def test_no_more_than_a_person_reads():
    found = conditions(lambda x: np.where(x > 0, x, -x), np.ones(12))
    assert len(found) == 9
    assert found[-1] == "and 4 more"
