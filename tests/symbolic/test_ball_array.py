"""Code run on arrays of balls: exact values and slopes, the decisions of floats."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.ball_array import slopes
from symbolic.values import TraceError


def along(f, x, d, **options):
    x, d = np.asarray(x, dtype=float), np.asarray(d, dtype=float)
    return slopes(lambda array: [f(array("x"))], {"x": x}, {"x": d}, f, **options)


@given(st.floats(-3, 3), st.floats(-2, 2))
def test_one_entry(x, d):
    found = along(lambda x: np.exp(x) * np.sin(x), x, d)
    expected = d * math.exp(x) * (math.sin(x) + math.cos(x))
    assert float(found.slopes[0][()]) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert float(found.values[0][()]) == pytest.approx(math.exp(x) * math.sin(x), abs=1e-14)


def test_more_digits_than_a_float_has():
    found = along(lambda x: (1 + x) - 1, 1e-30, 1.0)
    assert float(found.values[0][()]) == pytest.approx(1e-30, rel=1e-6)


def test_reductions_indices_and_products_run_as_they_stand():
    def f(x):
        y = x.reshape(2, 3)
        out = np.zeros(2)
        out[:] = (y @ np.array([1.0, 2.0, 3.0]))[::-1]
        return out * y.max(axis=1)

    x = np.array([1.0, 2.0, 3.0, 6.0, 5.0, 4.0])
    d = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    found = along(f, x, d)
    h = 1e-6
    expected = (f(x + h * d) - f(x - h * d)) / (2 * h)
    assert [float(s) for s in found.slopes[0]] == pytest.approx(expected, rel=1e-8)
    assert not found.doubtful


def test_a_tie_is_doubtful_and_takes_the_floats_side():
    found = along(lambda x: np.maximum(x[0], x[1]), [1.0, 1.0], [1.0, 0.0])
    assert found.doubtful


def test_what_is_not_known_on_series_is_named():
    from scipy import special

    with pytest.raises(TraceError, match="bessel"):
        along(lambda x: special.jv(0, x), 1.0, 1.0)


def test_ten_thousand_entries():
    x = np.linspace(-2, 2, 10_000)
    found = along(lambda x: np.sum(np.tanh(x) * np.exp(-x * x)), x, np.ones_like(x))
    t, e = np.tanh(x), np.exp(-x * x)
    expected = math.fsum((1 - t**2) * e - 2 * x * t * e)
    assert float(found.slopes[0][()]) == pytest.approx(expected, rel=1e-12)
