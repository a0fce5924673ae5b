"""Declared formulas on traced entries: scalars or arrays, decisions, shapes, errors."""

import numpy as np
import pytest
import sympy as sp

from symbolic.formula_array import FormulaArray
from symbolic.formulas import FormulaError, exact, formula_nodes, node_values
from symbolic.sympy_bridge import to_sympy
from symbolic.values import Trace


def symbols(trace, name, values):
    values = np.asarray(values, dtype=float)
    out = np.empty(values.shape, dtype=object)
    for index in np.ndindex(values.shape):
        out[index] = trace.symbol("_".join([name, *map(str, index)]), values[index])
    return out


def evaluate(nodes, *inputs):
    known = {entry.node: entry.value for array in inputs for entry in array.flat}
    flat = node_values(list(nodes.flat), known)
    return np.array(flat, dtype=float).reshape(nodes.shape)


@pytest.fixture
def trace():
    return Trace()


def test_a_formula_of_scalars_is_broadcast(trace):
    x, y = symbols(trace, "x", [[1.0], [2.0]]), symbols(trace, "y", [3.0, 4.0, 5.0])
    (nodes,) = formula_nodes(lambda x, y: sp.exp(x) * y, [x, y], {}, trace, [(2, 3)])
    expected = np.exp([[1.0], [2.0]]) * [3.0, 4.0, 5.0]
    np.testing.assert_allclose(evaluate(nodes, x, y), expected, rtol=1e-15)


def test_a_formula_over_arrays_gets_arrays(trace):
    a, b = symbols(trace, "a", [[1.0, 2], [3, 4]]), symbols(trace, "b", [[5.0, 6], [7, 8]])
    (nodes,) = formula_nodes(lambda a, b: a @ b, [a, b], {}, trace, [(2, 2)])
    np.testing.assert_array_equal(evaluate(nodes, a, b), [[19, 22], [43, 50]])


def softmax(x, axis=-1):
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_numpy_functions_in_a_formula(trace, axis):
    values = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]])
    x = symbols(trace, "x", values)
    (nodes,) = formula_nodes(softmax, [x], {"axis": axis}, trace, [(3, 2)])
    e = np.exp(values)
    np.testing.assert_allclose(evaluate(nodes, x), e / e.sum(axis=axis, keepdims=True), rtol=1e-14)


def test_sympy_function_of_a_sum_over_entries(trace):
    x = symbols(trace, "x", [[1.0, 2.0], [0.0, -1.0]])
    (nodes,) = formula_nodes(lambda x: sp.log(np.sum(np.exp(x))), [x], {}, trace, [()])
    expected = np.log(np.exp([1.0, 2.0, 0.0, -1.0]).sum())
    np.testing.assert_allclose(evaluate(nodes, x), expected, rtol=1e-15)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: sp.Matrix(x).T.tolist(),
        lambda x: sp.Matrix(x).T,
        lambda x: sp.Array(x.T.tolist()),
        lambda x: x.T,
        lambda x: (x.T.tolist()[0], x.T.tolist()[1]),
    ],
    ids=["list", "Matrix", "Array", "ndarray", "tuple"],
)
def test_what_a_formula_may_return(trace, formula):
    x = symbols(trace, "x", [[1.0, 2.0], [3.0, 4.0]])
    (nodes,) = formula_nodes(formula, [x], {}, trace, [(2, 2)])
    np.testing.assert_array_equal(evaluate(nodes, x), [[1, 3], [2, 4]])


def test_several_outputs(trace):
    x = symbols(trace, "x", [3.0, 4.0])
    total, rest = formula_nodes(lambda x: (x.sum(), x * 2), [x], {}, trace, [(), (2,)])
    assert evaluate(total, x) == 7
    np.testing.assert_array_equal(evaluate(rest, x), [6, 8])


def test_decisions_are_taken_at_the_sample_and_recorded(trace):
    x = symbols(trace, "x", [-1.0, 2.0])
    relu = lambda x: sp.Piecewise((x, x > 0), (0, True))  # noqa: E731
    (nodes,) = formula_nodes(relu, [x], {}, trace, [(2,)])
    np.testing.assert_array_equal(evaluate(nodes, x), [0, 2])
    # 0 < x_0 was found false and 0 < x_1 true: the entry stands first, the number last
    assert [c.sign for c in trace.conditions] == ["<=", ">"]
    (gap,) = to_sympy([trace.conditions[0].gap])
    assert gap == sp.Symbol("x_0", real=True)


@pytest.mark.parametrize(
    ("formula", "function"),
    [
        (lambda x: abs(x), np.abs),
        (lambda x: sp.Max(x, -x / 2, sp.Rational(1, 3)), lambda x: max(x, -x / 2, 1 / 3)),
        (lambda x: sp.Min(x, 1), lambda x: min(x, 1)),
        (lambda x: sp.sign(x) * x**2, lambda x: np.sign(x) * x**2),
        (lambda x: sp.Heaviside(x, 1), lambda x: float(x >= 0)),
        (
            lambda x: sp.Piecewise(
                (1, sp.And(x > -1, x < 1)), (2, sp.Or(x < -3, sp.Eq(x, 2))), (3, True)
            ),
            lambda x: 1 if -1 < x < 1 else 2 if x < -3 or x == 2 else 3,
        ),
    ],
    ids=["abs", "Max", "Min", "sign", "Heaviside", "Piecewise"],
)
@pytest.mark.parametrize("value", [-4.0, -1.0, 0.0, 0.25, 2.0, 3.0])
def test_kinks(trace, formula, function, value):
    x = symbols(trace, "x", value)
    (nodes,) = formula_nodes(formula, [x], {}, trace, [()])
    assert evaluate(nodes, x) == pytest.approx(function(value))
    assert trace.conditions


def test_keywords_are_exact(trace):
    x = symbols(trace, "x", [2.0])
    (nodes,) = formula_nodes(lambda x, slope: slope * x, [x], {"slope": 0.1}, trace, [(1,)])
    assert to_sympy([nodes[0]]) == [sp.Symbol("x_0", real=True) / 10]


def test_a_keyword_that_must_stay_a_float(trace):
    x = symbols(trace, "x", [2.0])
    formula = lambda x, p: x * sp.Float(np.exp(p))  # noqa: E731  (np.exp refuses SymPy's numbers)
    (nodes,) = formula_nodes(formula, [x], {"p": 0.5}, trace, [(1,)])
    assert evaluate(nodes, x) == pytest.approx(2 * np.exp(0.5))


def test_labels_stay_integers(trace):
    def nll(x, target):
        return -sum(x[i, t] for i, t in enumerate(target)) / len(target)

    x = symbols(trace, "x", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (nodes,) = formula_nodes(nll, [x, np.array([2, 0])], {}, trace, [()])
    assert evaluate(nodes, x) == -3.5


def test_an_untraced_array_is_exact(trace):
    x = symbols(trace, "x", [1.0, 1.0])
    (nodes,) = formula_nodes(
        lambda x, w: sp.sin(x) * w, [x, np.array([0.1, 0.5])], {}, trace, [(2,)]
    )
    x0 = sp.Symbol("x_0", real=True)
    assert to_sympy([nodes[0]]) == [sp.sin(x0) / 10]


def test_numbers_that_the_formula_branches_on(trace):
    def power(x, n):
        return sp.log(x) if n == 0 else (1 if n > 5 else sp.sin(x) ** n)

    x = symbols(trace, "x", [2.0, 2.0, 2.0])
    (nodes,) = formula_nodes(power, [x, np.array([3.0, 0.0, 7.0])], {}, trace, [(3,)], True)
    np.testing.assert_allclose(evaluate(nodes, x), [np.sin(2.0) ** 3, np.log(2.0), 1])


def test_if_on_a_symbol_is_explained(trace):
    x = symbols(trace, "x", [1.0, 2.0])
    with pytest.raises(FormulaError, match=r"sympy\.Piecewise"):
        formula_nodes(lambda x: x if x > 0 else 0, [x], {}, trace, [(2,)])


def test_a_wrong_shape_is_named(trace):
    x = symbols(trace, "x", [1.0, 2.0])
    with pytest.raises(FormulaError, match=r"gives shape \(\), forward gives \(2,\)"):
        formula_nodes(lambda x: np.sum(x), [x], {}, trace, [(2,)])


def test_an_argument_that_the_formula_does_not_use(trace):
    x, y = symbols(trace, "x", [1.0, 2.0]), symbols(trace, "y", [[1.0], [2.0]])
    (nodes,) = formula_nodes(lambda x, y: x, [x, y], {}, trace, [(2, 2)])
    np.testing.assert_array_equal(evaluate(nodes, x, y), [[1, 2], [1, 2]])


def test_a_formula_with_a_free_symbol_is_refused(trace):
    x = symbols(trace, "x", [1.0])
    with pytest.raises(FormulaError, match="symbol of its own"):
        formula_nodes(lambda x: x * sp.Symbol("gamma"), [x], {}, trace, [(1,)])


def test_an_unknown_function_is_refused(trace):
    x = symbols(trace, "x", [1.0])
    with pytest.raises(FormulaError, match="foo has no counterpart"):
        formula_nodes(lambda x: sp.Function("foo")(x), [x], {}, trace, [(1,)])


def test_the_class_says_whether_it_is_elementwise(trace):
    class Constant:
        elementwise = True
        formula = staticmethod(lambda x: 1)

    x = symbols(trace, "x", [1.0, 2.0])
    (nodes,) = formula_nodes(Constant, [x], {}, trace, [(2,)])
    np.testing.assert_array_equal(evaluate(nodes, x), [1, 1])


def test_several_values_at_one_entry_do_not_mix(trace):
    """The same placeholder stands for each entry in turn: decisions must follow."""
    x = symbols(trace, "x", [3.0, -3.0, 0.0, 5.0])
    (nodes,) = formula_nodes(lambda x: sp.Abs(x - 1), [x], {}, trace, [(4,)], True)
    np.testing.assert_array_equal(evaluate(nodes, x), [2, 4, 1, 4])


def test_maximum_over_two_axes():
    x = np.array([[1, 5], [7, 2]], dtype=object).view(FormulaArray)
    assert np.max(x)[()] == 7
    assert np.max(x, axis=(0, 1), keepdims=True).shape == (1, 1)


def test_exact():
    assert exact(0.5) == sp.Rational(1, 2)
    assert exact(np.float64(0.9189385332046727)) == sp.log(2 * sp.pi) / 2
    assert exact(float("-inf")) == -sp.oo
    assert exact(None) is None
    assert exact(True) is True
