"""The code that shows a failure again."""

import ast

import numpy as np
import pytest

from autodiff import Function
from verify import check
from verify.snippet import _literal, folded


@pytest.mark.parametrize(
    "value",
    [
        np.ones((4, 3)),
        np.zeros(3),
        np.zeros((0, 2)),
        np.full((2, 2), 0.1),
        np.array([[0.5, np.inf], [-np.inf, 1e-300]]),
        np.array(-2.0),
        np.array([1, 2]),
        np.ones(2, dtype=np.float32),
        np.array([1.0, 2.0], dtype=np.float32),
        np.array([True, False]),
    ],
)
def test_the_code_of_a_value_gives_it_back(value):
    made = eval(_literal(value), {"np": np})
    assert made.dtype == value.dtype
    np.testing.assert_array_equal(made, value)
    assert made.shape == value.shape


def test_lines_are_broken_inside_of_brackets_and_mean_the_same():
    rng = np.random.default_rng(0)
    code = f"x = f({rng.normal(size=(5, 4)).tolist()!r}, 'a  b ( c', \"d' e\") + g(1)  # why so"
    made = folded(code, 60)
    assert max(map(len, made.splitlines())) <= 60
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(code))
    assert "# why so" in made


def test_what_is_shown_runs_and_fits():
    class Twice(Function):
        examples = [((4, 5), (5, 6))]

        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return np.exp(a) @ b

        @staticmethod
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad @ b.T, np.exp(a).T @ grad

    shown = str(check(Twice))
    assert max(map(len, shown.splitlines())) <= 80
