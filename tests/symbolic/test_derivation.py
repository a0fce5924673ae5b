"""Derivations: the tutorial's, line by line; others by what they say and by autograd's numbers."""

import re
import time

import numpy as np
import pytest
import sympy as sp

import autodiff as ad
from autodiff import Function
from symbolic import derive, explain_function
from symbolic.derivation import Derivation


def jacobian(out, x):
    rows = []
    for k in range(int(np.prod(out.shape))):
        seed = np.zeros(out.shape)
        seed.flat[k] = 1
        (g,) = ad.grad(out, x, ad.tensor(seed), retain_graph=True)
        rows.append(np.asarray(g.detach()._data))
    return np.array(rows).reshape(tuple(out.shape) + tuple(x.shape))


def lines(derivation):
    return [step.text for step in derivation.steps]


def tutorial():
    x = ad.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    return z.mean(), x


def test_the_tutorial():
    out, x = tutorial()
    assert lines(derive(out, x)) == [
        "o = 1/4 Σ_i z_i",
        "z_i = 3 (x_i + 2)^2",
        "z_i |_{x_i = 1} = 27",
        "at x_i = 1: z_i = 27, o = 27",
        "∂o/∂z_i = 1/4",
        "∂z_i/∂x_i = 6 (x_i + 2)",
        "∂o/∂x_i = ∂o/∂z_i ∂z_i/∂x_i = 1/4 · 6 (x_i + 2)",
        "∂o/∂x_i = 3/2 (x_i + 2)",
        "∂o/∂x_i |_{x_i = 1} = 9/2 = 4.5",
    ]


def test_the_tutorial_names_its_rules():
    rules = [step.rule for step in derive(*tutorial()).steps]
    assert rules[0] == "mean"
    assert rules[5] == "constant factor, power rule, chain rule"
    assert "chain rule" in rules


def test_it_can_be_derived_after_backward():
    out, x = tutorial()
    out.backward()
    assert "9/2 = 4.5" in str(derive(out, x))


def test_the_text_has_the_rules_beside_the_lines():
    text = str(derive(*tutorial()))
    assert re.search(r"^∂o/∂z_i = 1/4 +\[mean\]$", text, re.MULTILINE)
    assert repr(derive(*tutorial())).startswith("<Derivation of 9 steps>")


def balanced(latex):
    depth = 0
    for token in re.findall(r"\\[{}]|[{}]", latex):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    return depth == 0 and latex.count(r"\left") == latex.count(r"\right")


def test_latex():
    derivation = derive(*tutorial())
    latex = derivation.latex()
    assert latex.startswith("\\begin{align*}\n")
    assert latex.endswith("\n\\end{align*}")
    assert r"o &= \frac{1}{4} \sum_{i} z_{i}" in latex
    assert r"z_{i} &= 3 \left(x_{i} + 2\right)^{2}" in latex
    assert r"\left.z_{i}\right|_{x_{i} = 1} &= 27" in latex
    assert r"&= \frac{9}{2} = 4.5" in latex
    assert balanced(latex)
    for row in latex.split("\n")[1:-1]:
        assert row.count("&=") + row.count(r"\quad &") == 1
    assert derivation._repr_latex_() == latex


# Programs: the tensors by name, then the output.


def softmax(x):
    e = ad.exp(x)
    return e / e.sum()


def normalised(x):
    from autodiff.functions.reduction import var

    return (x - x.mean(1, keepdims=True)) / (var(x, 1, keepdims=True) + 0.5) ** 0.5


A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
V = np.array([0.5, -1.0, 2.0])

PROGRAMS = {
    "square": (lambda x: (x * x).sum(), [V]),
    "norm": (lambda x: (x * x).sum() ** 0.5, [V]),
    "scalar": (lambda x: ad.log(x) + x**3, [2.0]),
    "two scalars": (lambda x, y: ad.exp(x * y) / (x + y), [0.5, 2.0]),
    "vector to vector": (lambda x: x * 2 * 2 * 2, [V]),
    "broadcast": (lambda x, y: (x * y).sum(), [A, V]),
    "column": (lambda x, y: (x * y).sum(), [A, np.array([[1.0], [2.0]])]),
    "softmax": (softmax, [V]),
    "reused": (lambda x: (ad.exp(x) * (x + ad.exp(x))).mean(), [V]),
    "sum of rows": (lambda x: (x.sum(1) ** 2).sum(), [A]),
    "mean of columns": (lambda x: ad.exp(x.mean(0) / 5), [A]),
    "matrix vector": (lambda w, x: ((w @ x) ** 2).sum(), [A, V]),
    "vector matrix": (lambda x, w: ad.exp(x @ w), [np.array([0.1, 0.2]), A]),
    "dot": (lambda x, y: x @ y, [V, V + 1]),
    "matrix product": (lambda x, y: ad.sin(x @ y).sum(), [A / 9, A.T / 5]),
    "stack of products": (lambda x, y: (x @ y).sum(), [np.stack([A, A + 1]), A.T]),
    "gram": (lambda x: ((x @ x.T) ** 2).mean(), [A / 4]),
    "index": (lambda x: x[0] * x[2] ** 2, [V]),
    "row": (lambda x: (x[1] ** 2).sum(), [A]),
    "gather": (lambda x: (x[np.array([0, 2, 2])] ** 2).sum(), [V]),
    "slice": (lambda x: (x[1:] * x[:-1]).sum(), [V]),
    "reversed": (lambda x: (x[::-1] * x).sum(), [V]),
    "reshaped": (lambda x: (x.reshape(3, 2) @ x).sum(), [A / 3]),
    "normalised": (lambda x: (normalised(x) ** 3).sum(), [A * A]),
    "constant matrix": (lambda x: (ad.tensor(A) @ x) ** 2, [V]),
    "largest": (lambda x: x.max() * 2, [V]),
    "product": (lambda x: x.prod(), [V]),
    "running": (lambda x: (np.cumsum(x) ** 2).sum(), [V]),
    "negative": (lambda x: -(x - 1) / 3, [V]),
    "nested exponentials": (lambda x: ad.exp(-ad.exp(-x)).sum(), [V]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_values_are_the_gradient(name):
    program, arrays = PROGRAMS[name]
    tensors = [ad.tensor(a, requires_grad=True) for a in arrays]
    out = program(*tensors)
    for letter, tensor in zip("xy", tensors, strict=False):
        derivation = derive(out, tensor, names={letter: tensor})
        expected = jacobian(out, tensor)
        np.testing.assert_allclose(derivation.values, expected, rtol=1e-10, atol=1e-12)
        assert balanced(derivation.latex())
        assert letter in str(derivation)


def test_a_matrix_and_a_vector():
    W = ad.tensor(A, requires_grad=True)
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = ad.tensor([1.0, -1.0], requires_grad=True)
    out = ((W @ x + b) ** 2).sum()
    text = lines(derive(out, W))
    assert "y_i = Σ_j W_ij x_j" in text
    assert "∂y_i/∂W_ij = x_j" in text
    assert "∂o/∂W_ij = 2 x_j (b_i + y_i)" in text
    assert "∂o/∂W |_{W} = [[30, 60, 90], [62, 124, 186]]" in text
    text = lines(derive(out, x))
    assert "∂o/∂x_i = Σ_j ∂o/∂y_j ∂y_j/∂x_i" in text
    assert "∂o/∂x_i = 2 Σ_j W_ji (b_j + y_j)" in text


def test_trace_of_a_product():
    from autodiff.functions.diagonals import Trace

    x = ad.tensor(A, requires_grad=True)
    text = lines(derive(Trace.apply(x @ x.T), x))
    assert "o = Σ_i z_ii" in text
    assert "∂o/∂z_ij = δ_ij" in text
    assert "∂o/∂x_ij = 2 x_ij" in text


def test_softmax_by_itself():
    from autodiff.functions.activation import Softmax

    x = ad.tensor(V, requires_grad=True)
    s = Softmax.apply(x, axis=0)
    assert "∂o_i/∂x_j = o_i (δ_ij - o_j)" in lines(derive(s, x))
    derivation = derive((s * s).sum(), x)
    assert "∂o/∂x_i = 2 s_i (s_i - Σ_j s_j^2)" in lines(derivation)


def test_softmax_cross_entropy():
    from autodiff.functions.activation import LogSoftmax

    x = ad.tensor(A, requires_grad=True)
    loss = -LogSoftmax.apply(x, axis=1)[np.arange(2), np.array([2, 0])].mean()
    derivation = derive(loss, x)
    assert "c = [[0, 0, 1], [1, 0, 0]]" in lines(derivation)
    assert "∂o/∂x_ij = 1/2 (exp(x_ij)/(Σ_k exp(x_ik)) - c_ij)" in lines(derivation)
    np.testing.assert_allclose(derivation.values, jacobian(loss, x), rtol=1e-12)


def test_a_layer_normalisation_that_is_summed_has_no_gradient():
    x = ad.tensor(A, requires_grad=True)
    assert derive(normalised(x).sum(), x).result == 0


def test_exact_values_beside_decimals():
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    last = lines(derive((x * x).sum() / 4, x))[-1]
    assert last == "∂o/∂x |_{x = (1, 2, 3)} = (1/2, 1, 3/2) = (0.5, 1, 1.5)"
    y = ad.tensor(3.0, requires_grad=True)
    assert lines(derive(1 / y, y))[-1] == "∂o/∂y |_{y = 3} = -1/9 ≈ -0.111111"
    z = ad.tensor(2.0, requires_grad=True)
    assert lines(derive(ad.exp(z), z))[-1] == "∂o/∂z |_{z = 2} = exp(2) ≈ 7.38906"


def test_a_constant_is_the_number_that_it_stands_for():
    x = ad.tensor(1.0, requires_grad=True)
    assert lines(derive(x * 0.7071067811865476, x))[0] == "o = 1/2 sqrt(2) x"
    assert lines(derive(x * 0.1, x))[0] == "o = 1/10 x"


def test_piecewise():
    from autodiff.functions.activation import Relu

    x = ad.tensor([-1.0, 2.0], requires_grad=True)
    text = lines(derive(Relu.apply(x * 3).sum(), x))
    assert "∂z_i/∂x_i = 3 if x_i > 0, 0 otherwise" in text
    assert text[-1] == "∂o/∂x |_{x = (-1, 2)} = (0, 3)"


def test_a_piecewise_factor_is_bracketed():
    from autodiff.functions.activation import Relu

    x = ad.tensor([-1.0, 2.0], requires_grad=True)
    w = ad.tensor([2.0, 3.0], requires_grad=True)
    text = lines(derive((w * Relu.apply(x)).sum(), x))
    assert "∂o/∂x_i = w_i (1 if x_i > 0, 0 otherwise)" in text


def test_names_come_from_the_caller():
    weight = ad.tensor(V, requires_grad=True)
    assert lines(derive((weight**2).sum(), weight))[0] == "o = Σ_i weight_i^2"
    assert lines(derive((weight**2).sum(), weight, names={"u": weight}))[0] == "o = Σ_i u_i^2"
    assert lines(derive((weight**2).sum(), weight, names={}))[0] == "o = Σ_i x_i^2"


def test_names_do_not_clash():
    o = ad.tensor(V, requires_grad=True)
    i = ad.tensor(V + 1, requires_grad=True)
    text = lines(derive((o * i).sum(), o))
    assert text[0] == "f = Σ_j i_j o_j"


def test_by_a_step_of_the_computation():
    x = ad.tensor(V, requires_grad=True)
    e = ad.exp(x)
    derivation = derive((e * e).sum(), e)
    assert lines(derivation)[0] == "o = Σ_i e_i^2"
    np.testing.assert_allclose(derivation.values, 2 * np.exp(V), rtol=1e-12)


def test_the_result_is_an_expression():
    x = ad.tensor(2.0, requires_grad=True)
    result = derive(x**3, x).result
    (entry,) = [a for a in sp.preorder_traversal(result) if type(a).__name__ == "Entry"]
    assert result == 3 * entry**2


class Cube(Function):
    """A Function that does not say that it is elementwise."""

    @staticmethod
    def forward(ctx, x):
        return x**3

    @staticmethod
    def backward(ctx, grad):
        return -grad  # wrong: a derivation is of the formula, whatever backward does

    @staticmethod
    def formula(x):
        return x**3


class Undeclared(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.tanh(x) * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * (1 - np.tanh(x) ** 2) * y, grad * np.tanh(x)


class Opaque(Function):
    """Nothing but floats can go through."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.array([float(v) ** 2 for v in x.ravel()])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad.reshape(x.shape)


def test_a_function_of_the_user():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    text = lines(derive(Cube.apply(x).sum(), x))
    assert "∂o/∂x_i = 3 x_i^2" in text
    assert text[-1].endswith("= (3, 12)")


def test_a_function_without_a_formula():
    x = ad.tensor([0.5, 2.0], requires_grad=True)
    y = ad.tensor([1.0, 3.0], requires_grad=True)
    out = Undeclared.apply(x, y).sum()
    derivation = derive(out, y)
    assert "∂o/∂y_i = tanh(x_i)" in lines(derivation)
    np.testing.assert_allclose(derivation.values, jacobian(out, y), rtol=1e-12)


def test_a_function_that_cannot_be_followed():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    out = (Opaque.apply(x) * ad.tensor([3.0, 1.0])).sum()
    derivation = derive(out, x)
    assert "∂y/∂x = [[2, 0], [0, 4]]" in "\n".join(lines(derivation)).replace("∂z/", "∂y/").replace(
        "∂u/", "∂y/"
    )
    np.testing.assert_allclose(derivation.values, [6, 4])


def test_errors():
    x = ad.tensor([1.0], requires_grad=True)
    y = ad.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="does not depend"):
        derive(x * 2, y)
    with pytest.raises(ValueError, match="not recorded"):
        derive(x, x)
    with pytest.raises(ValueError, match="not recorded"):
        derive(ad.tensor(2.0), x)
    with pytest.raises(ValueError, match="not a Tensor"):
        derive(np.ones(2), x)


def test_a_long_chain_takes_bounded_time():
    x = ad.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(60):
        y = ad.sin(y) * 1.5 + x
    start = time.monotonic()
    derivation = derive(y, x, timeout=3.0)
    assert time.monotonic() - start < 8
    assert len(derivation.steps) > 5


def test_a_data_dependent_loop():
    x = ad.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x * 2
    while np.linalg.norm(y.detach()._data) < 1000:
        y = y * 2
    derivation = derive(y, x)
    factor = int(float(y.detach()._data[0]) / 0.5)
    assert lines(derivation)[0] == f"o_i = {factor} x_i"
    assert f"∂o_i/∂x_i = {factor}" in lines(derivation)


def test_large_arrays_are_abbreviated():
    x = ad.tensor(np.linspace(0, 1, 1000), requires_grad=True)
    out = (x * x).mean()
    derivation = derive(out, x)
    assert "…" in str(derivation)
    assert len(str(derivation)) < 5000
    np.testing.assert_allclose(derivation.values, jacobian(out, x))


def test_a_jacobian_that_would_fill_the_memory_is_not_computed():
    x = ad.tensor(np.ones((60, 60)), requires_grad=True)
    derivation = derive(x @ x, x)
    assert derivation.values is None
    assert "∂o_ij/∂x_kl = x_lj δ_ik + x_ik δ_jl" in lines(derivation)


def test_in_another_thread():
    import threading

    out, x = tutorial()
    found = []
    thread = threading.Thread(target=lambda: found.append(str(derive(out, x))))
    thread.start()
    thread.join()
    assert "9/2 = 4.5" in found[0]


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("activation", "Softplus", "∂o/∂x = exp(x)/(exp(x) + 1)"),
        ("arithmetic", "Mul", "∂o/∂y = x"),
        ("arithmetic", "Power", "∂o/∂y = x^y log(x)"),
        ("products", "Matmul", "∂o_ij/∂x_ik = y_kj"),
        ("products", "Cross", "∂o/∂x = [[0, y_2, -y_1], [-y_2, 0, y_0], [y_1, -y_0, 0]]"),
        ("reduction", "Prod", "∂o/∂x |_{x = (1, 2, 3)} = (6, 3, 2)"),
        ("joining", "Split", "∂o/∂x = [[0, 0, 1, 0], [0, 0, 0, 1]]"),
    ],
)
def test_explain_function(module, name, expected):
    import importlib

    function = getattr(importlib.import_module(f"autodiff.functions.{module}"), name)
    derivation = explain_function(function)
    assert isinstance(derivation, Derivation)
    assert expected in lines(derivation)
    assert lines(derivation)[0].startswith(name)
    assert balanced(derivation.latex())


def test_the_value_of_a_scalar_is_given_in_decimals_too():
    x = ad.tensor(1.5, requires_grad=True)
    derivation = derive(2 * x**2, x)
    assert "at x = 3/2: o = 9/2 = 4.5" in lines(derivation)
    assert r"o = \frac{9}{2} = 4.5" in derivation.latex()


def test_each_derivative_has_its_rule():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    derivation = derive(np.log(np.exp(x).sum()) - x[0], x)
    assert all(step.rule for step in derivation.steps)
