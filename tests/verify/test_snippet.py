"""The code that shows a failure again."""

import ast
import importlib

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


def test_several_outputs(capsys):
    class Both(Function):
        examples = [((3,),)]

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.sin(x), np.cos(x)

        @staticmethod
        def backward(ctx, g, h):
            (x,) = ctx.saved_tensors
            return g * np.cos(x) + h * np.sin(x)

    report = check(Both)
    assert "# Both: as you defined it" in report.snippet  # in a function: no name leads there
    exec(report.snippet, {"Both": Both})
    shown = float(capsys.readouterr().out.split("(")[-1].split(",")[0].split(")")[0])
    assert shown == pytest.approx(report.counterexample.actual, rel=1e-4)


def test_what_is_in_a_package_is_imported_from_it(tmp_path, monkeypatch):
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "__init__.py").write_text("")
    (tmp_path / "packed" / "helper.py").write_text("FACTOR = 3\n")
    (tmp_path / "packed" / "layers.py").write_text(
        "from autodiff import Function\n"
        "from .helper import FACTOR\n"
        "class Outer:\n"
        "    class Cube(Function):\n"
        "        @staticmethod\n"
        "        def forward(ctx, x):\n"
        "            return FACTOR * x\n"
        "        @staticmethod\n"
        "        def backward(ctx, grad):\n"
        "            return grad\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    report = check(importlib.import_module("packed.layers").Outer.Cube)
    assert "from packed.layers import Outer\nCube = Outer.Cube\n" in report.snippet
    exec(report.snippet, {})
