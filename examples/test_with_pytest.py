"""Gradients in a test file: ``pytest examples/test_with_pytest.py``.

The fixture and the marker come with gradproof's pytest plugin, the strategies are hypothesis's.
"""

import numpy as np
import pytest
from hypothesis import given, settings

from autodiff import Function
from verify import strategies


class Logcosh(Function):
    """log(cosh(x)), without overflow."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.logaddexp(x, -x) - np.log(2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.tanh(x)


@pytest.mark.gradproof(max_ulps=2**10)
def test_gradient(gradproof):
    report = gradproof(Logcosh)  # a failure's text is the report
    assert report.verdict == "proved"


def test_a_pair_of_functions(gradproof):
    gradproof(
        lambda w: np.sum(np.sqrt(1 + w**2)),
        grad=lambda w: w / np.sqrt(1 + w**2),
        examples=[((3,),)],
    )


@settings(max_examples=50, deadline=None)
@given(strategies.inputs(Logcosh, examples=[((3,),)]))
def test_is_even_and_close_to_the_absolute_value(case):
    (x,), _ = case  # special points, ties, magnitudes from tiny to huge
    value = Logcosh.apply(x).numpy()
    np.testing.assert_array_equal(value, Logcosh.apply(-x).numpy())
    assert np.all(value <= np.abs(x))
