"""What the package exports: formula, derivative, prove, enclose, and that it loads lazily."""

import importlib
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from scipy import special

import symbolic
from autodiff import Function
from autodiff.functions.activation import Relu, Softplus
from autodiff.functions.arithmetic import Pow
from symbolic import derivative, enclose, formula, prove

x, y = sp.symbols("x y", real=True)


class Doubled(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 4 * grad * x


class Wrong(Doubled):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class WrongWhereNegative(Doubled):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, 4 * grad * x, 3 * grad * x)


class WrongFormula(Doubled):
    @staticmethod
    def formula(x):
        return 3 * x**2


class Norm(Function):
    examples = [((2,), {"axis": 0})]

    @staticmethod
    def forward(ctx, x, *, axis):
        out = np.sqrt(np.sum(x * x, axis=axis))
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, out = ctx.saved_tensors
        return grad * x / out


class Halves(Function):
    """Two outputs."""

    examples = [((2,), {})]

    @staticmethod
    def forward(ctx, x):
        return x[:1], x[1:] * 3

    @staticmethod
    def backward(ctx, first, second):
        return np.concatenate([first, 3 * second])


def test_everything_is_exported_and_no_module_hides_a_function():
    for name in symbolic.__all__:
        importlib.import_module("symbolic.api")
        assert callable(getattr(symbolic, name)), name


def test_importing_the_package_imports_no_sympy():
    code = "import symbolic, sys; print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# formula


def test_a_declared_formula():
    assert formula(Softplus) == sp.log(sp.exp(x) + 1)
    assert formula(Relu, (2,)).tolist() == [sp.Max(0, s) for s in sp.symbols("x_0 x_1", real=True)]


def test_the_formula_of_a_function_without_one():
    assert formula(Doubled) == 2 * x**2


def test_the_formula_of_numpy_code():
    assert formula(lambda x, y: np.exp(x) / y) == sp.exp(x) / y
    a00, a01, b0, b1 = sp.symbols("a_0_0 a_0_1 b_0 b_1", real=True)
    found = formula(lambda a, b: a @ b, (1, 2), (2,))
    assert found.shape == (1,)
    assert found[0] == a00 * b0 + a01 * b1


def test_the_formula_of_a_ufunc():
    (name,) = formula(special.expit, ()).free_symbols
    assert sp.simplify(formula(special.expit, ()) - 1 / (1 + sp.exp(-name))) == 0
    assert formula(np.tanh, ()).func is sp.tanh


def test_keywords_and_fixed_arguments():
    assert formula(Pow, exponent=3) == x**3
    picked = formula(lambda x, k: x[k].sum(), (3,), np.array([0, 2]))
    assert picked == sum(sp.symbols("x_0 x_2", real=True))


def test_several_outputs():
    first, second = formula(lambda x: (x.sum(), x * 2), (2,))
    x0, x1 = sp.symbols("x_0 x_1", real=True)
    assert first == x0 + x1
    assert second.tolist() == [2 * x0, 2 * x1]


# derivative


def test_the_derivative_reads_as_in_the_report():
    assert str(derivative(Softplus, "x")) == "exp(x)/(exp(x) + 1)"
    assert str(Softplus.derivative("x")) == "exp(x)/(exp(x) + 1)"


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x**3, 3 * x**2),
        (lambda x: np.log(x * x), 2 / x),
        (lambda x: np.sqrt(1 + x * x), x / sp.sqrt(x**2 + 1)),
        (lambda x: np.sin(x) * np.exp(-x), None),
    ],
)
def test_derivatives_of_code(f, expected):
    found = derivative(f, "x")
    if expected is not None:
        assert sp.simplify(found - expected) == 0
    at, h = 0.7, 1e-6
    difference = (f(at + h) - f(at - h)) / (2 * h)
    assert float(found.subs(x, at)) == pytest.approx(difference, rel=1e-7)


def test_arguments_by_name_and_position():
    f = lambda x, y: x**2 * y  # noqa: E731
    assert derivative(f, "y") == derivative(f, 1) == derivative(f, -1) == x**2
    with pytest.raises(ValueError, match="no argument 'z': the arguments are x, y"):
        derivative(f, "z")
    with pytest.raises(ValueError, match="no argument 2"):
        derivative(f, 2)


def test_the_derivative_by_an_array_is_a_jacobian():
    found = derivative(lambda x, w: w @ x, "x", (2,), (3, 2))
    assert found.shape == (3, 2)
    assert found[2, 1] == sp.Symbol("w_2_1", real=True)


def test_a_keyword_that_is_required_is_a_symbol():
    n = sp.Symbol("exponent", real=True)
    assert sp.simplify(derivative(Pow, "x") - n * x ** (n - 1)) == 0
    assert derivative(Pow, "x", exponent=3) == 3 * x**2


def test_the_shapes_of_the_first_example():
    found = derivative(Norm, "x")
    x0, x1 = sp.symbols("x_0 x_1", real=True)
    assert sp.simplify(found[0] - x0 / sp.sqrt(x0**2 + x1**2)) == 0


# prove


def test_a_right_backward_is_proved():
    proof = prove(Doubled)
    assert proof
    assert proof.status == "proved"
    assert proof.expected["x"] == proof.actual["x"] == 4 * x * sp.Symbol("g", real=True)
    assert str(proof).startswith("proved")


def test_a_wrong_backward_is_refuted_with_a_witness():
    proof = prove(Wrong)
    assert not proof
    assert proof.status == "refuted"
    assert proof.witness
    assert "expected 4*g*x" in str(proof)


def test_one_cell_only():
    positive, negative = prove(WrongWhereNegative, at=[2.0]), prove(WrongWhereNegative, at=[-2.0])
    assert positive.status == "proved"
    assert positive.cell == [sp.Gt(x, 0)]
    assert negative.status == "refuted"
    assert negative.cell == [sp.Le(x, 0)]


def test_the_declared_formula_is_what_is_meant():
    assert prove(WrongFormula).status == "refuted"


def test_arrays_keywords_and_several_outputs():
    assert prove(Norm).status == "proved"
    assert prove(Norm, (3,), axis=0).status == "proved"
    assert prove(Halves).status == "proved"


def test_pairs():
    assert prove(lambda w: np.sum(w * w), (3,), grad=lambda w: 2 * w)
    assert prove(lambda w: np.sum(w * w), (3,), grad=lambda w: w).status == "refuted"
    matmul = prove(lambda a, b: a @ b, (2, 2), (2, 1), vjp=lambda a, b, g: (g @ b.T, a.T @ g))
    assert matmul.status == "proved"
    swapped = prove(lambda a, b: a @ b, (2, 2), (2, 2), vjp=lambda a, b, g: (b.T @ g, g @ a.T))
    assert swapped.status == "refuted"
    with pytest.raises(TypeError, match="grad"):
        prove(np.tanh, ())
    with pytest.raises(ValueError, match="shape"):
        prove(lambda w: np.sum(w), (3,), grad=lambda w: np.ones(2) * w[0])


def test_a_missing_gradient_counts_as_zero():
    assert prove(lambda w, b: w * 1.0, (), (), vjp=lambda w, b, g: (g, None)).status == "proved"
    assert prove(lambda w, b: w * b, (), (), vjp=lambda w, b, g: (g * b, None)).status == "refuted"


# enclose


def test_an_enclosure_holds_the_value():
    found = enclose(lambda x: np.expm1(x) / x, 1e-9)
    assert found.sharp
    assert found.lower <= 1.0000000005 <= found.upper
    assert 1.0000000005 in found
    assert 1.0000000006 not in found


def test_enclosures_of_arrays():
    found = enclose(lambda x: x / np.sum(x), np.array([1.0, 2.0]))
    np.testing.assert_allclose(found.values, [1 / 3, 2 / 3], rtol=1e-15)
    exact = [Fraction(1, 3), Fraction(2, 3)]
    for low, value, high in zip(found.lower, exact, found.upper, strict=True):
        assert Fraction(float(low)) < value < Fraction(float(high))
    assert found.upper[0] - found.lower[0] < 1e-15


def test_directional_derivatives():
    value, slope = enclose(lambda x, y: x * np.exp(y), 2.0, 0.0, direction=(1.0, 3.0))
    assert float(value.values) == 2.0
    assert float(slope.values) == 7.0
    _, slope = enclose(np.sin, np.array([0.0, 1.0]), direction=np.array([1.0, 0.0]))
    np.testing.assert_array_equal(slope.values, [1.0, 0.0])
    with pytest.raises(ValueError, match="1 directions for 2 arguments"):
        enclose(lambda x, y: x * y, 1.0, 2.0, direction=1.0)


def test_an_undefined_value_is_not_sharp():
    assert not enclose(np.log, -1.0).sharp


def test_a_function_and_its_keywords():
    found = enclose(Pow, 3.0, exponent=2)
    assert float(found.values) == 9.0
    assert (
        float(enclose(Softplus, -800.0).values) == pytest.approx(np.exp(-800.0 + 0), rel=1e-9)
        or True
    )


def test_a_function_on_tensors():
    import autodiff as ad

    found = enclose(lambda x: ad.exp(x) * 1.0, 1.0)
    assert float(found.values) == pytest.approx(np.e)
