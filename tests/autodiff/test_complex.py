"""Complex arguments: torch's convention, compared with finite differences of the values.

The gradient of a real loss L in z is dL/dRe(z) + i dL/dIm(z). Where `python -m verify` proves it,
nothing is repeated here but one case; where it cannot (radicals, decompositions), this is the test.
"""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
from autodiff import functions as F

Z = np.array([0.6 + 0.5j, -0.25 - 0.8j, 1.5 + 0.125j])
M = np.array([[2.0 + 0.5j, -0.25 + 1.0j], [0.5 - 1.5j, 3.0 + 0.25j]])
TALL = np.array([[2.0 + 0.5j, -0.25 + 1.0j], [0.5 - 1.5j, 3.0 + 0.25j], [1.0 - 1.0j, 0.75j]])
REAL = np.array([0.75, -1.5, 2.0])


def loss(function, args, weights):
    """A real number that depends on every part of every output."""
    out = function(*args)
    outs = out if isinstance(out, tuple) else (out,)
    return sum(np.sum(np.real(w * o)) for w, o in zip(weights, outs, strict=True))


def differences(function, args, weights, k, h=1e-6):
    """The gradient in argument k, by central differences in the real and the imaginary part."""
    steps = (1, 1j) if np.iscomplexobj(args[k]) else (1,)
    out = np.zeros(args[k].shape, args[k].dtype)
    for place in np.ndindex(out.shape):
        for step in steps:
            ends = []
            for sign in (1, -1):
                moved = args[k].copy()
                moved[place] += sign * h * step
                ends.append(float(loss(function, [*args[:k], moved, *args[k + 1 :]], weights)))
            out[place] += step * (ends[0] - ends[1]) / (2 * h)
    return out


def check(function, *args):
    outs = function(*args)
    outs = outs if isinstance(outs, tuple) else (outs,)
    rng = np.random.default_rng(0)
    weights = [
        rng.standard_normal(np.shape(o)) + 1j * rng.standard_normal(np.shape(o)) for o in outs
    ]
    tensors = [ad.tensor(a, requires_grad=True) for a in args]
    ours = function(*tensors)
    for one, other in zip(ours if isinstance(ours, tuple) else (ours,), outs, strict=True):
        assert one.shape == np.shape(other)
        np.testing.assert_allclose(one.detach().numpy(), other, rtol=1e-12, atol=1e-14)
    grads = ad.grad(loss(function, tensors, weights), tensors)
    for k, (arg, grad) in enumerate(zip(args, grads, strict=True)):
        assert grad.dtype == arg.dtype
        np.testing.assert_allclose(
            grad.numpy(), differences(function, args, weights, k), rtol=2e-7, atol=2e-8
        )


UNARY = {
    "abs": np.abs, "angle": np.angle, "arccos": np.arccos, "arccosh": np.arccosh,
    "arcsin": np.arcsin, "arcsinh": np.arcsinh, "arctan": np.arctan, "arctanh": np.arctanh,
    "conj": np.conj, "cos": np.cos, "cosh": np.cosh, "cumprod": lambda z: np.cumprod(z, 0),
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "imag": np.imag, "log": np.log,
    "log10": np.log10, "log1p": np.log1p, "log2": np.log2, "norm": np.linalg.norm,
    "norm 1": lambda z: np.linalg.norm(z, 1), "norm 3": lambda z: np.linalg.norm(z, 3),
    "power": lambda z: z**3, "prod": np.prod, "real": np.real, "reciprocal": np.reciprocal,
    "sign": np.sign, "sin": np.sin, "sinc": np.sinc, "sinh": np.sinh, "sqrt": np.sqrt,
    "square": np.square, "std": np.std, "sum": np.sum, "tan": np.tan, "tanh": np.tanh,
    "var": np.var,
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_complex_numbers(name):
    check(UNARY[name], Z)


BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "power": np.power, "dot": np.dot, "vdot": np.vdot, "outer": np.outer, "kron": np.kron,
    "cross": np.cross, "convolve": np.convolve, "inner": np.inner,
    "correlate": lambda x, y: np.correlate(x, y, "full"),
    "einsum": lambda x, y: np.einsum("i,j->ij", x, y),
    "tensordot": lambda x, y: np.tensordot(x, y, 1),
    "where": lambda x, y: np.where([True, False, True], x, y),
    "concatenate": lambda x, y: np.concatenate([x, y]), "stack": lambda x, y: np.stack([x, y]),
}  # fmt: skip


@pytest.mark.parametrize("kinds", ["complex complex", "complex real", "real complex"])
@pytest.mark.parametrize("name", BINARY)
def test_the_gradient_of_a_real_argument_is_real(name, kinds):
    first, second = kinds.split()
    x = Z if first == "complex" else np.abs(REAL)
    y = Z[::-1].copy() if second == "complex" else REAL
    check(BINARY[name], x, y)


MATRICES = {
    "inv": np.linalg.inv, "det": np.linalg.det, "pinv": np.linalg.pinv,
    "slogdet": lambda x: tuple(np.linalg.slogdet(x)), "matmul": lambda x: x @ x,
    "cholesky": lambda x: np.linalg.cholesky(_hermitian(x)),
    "eigvalsh": lambda x: np.linalg.eigvalsh(_hermitian(x)),
    "trace": np.trace, "svdvals": np.linalg.svdvals,
    "matrix_power": lambda x: np.linalg.matrix_power(x, -2),
    "qr": lambda x: tuple(np.linalg.qr(x)),
    # The phases of vectors are the library's choice: products in which they cancel.
    "eigenspaces": lambda x: _spaces(np.linalg.eigh(_hermitian(x))[1]),
    "singular spaces": lambda x: _pairs(np.linalg.svd(x, full_matrices=False)),
}  # fmt: skip


def _hermitian(x):
    return x @ np.conj(np.swapaxes(x, -1, -2))


def _spaces(vectors):
    return vectors[:, :1] @ np.conj(np.swapaxes(vectors[:, :1], -1, -2))


def _pairs(usv):
    return usv[0][:, :1] @ usv[2][:1]


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name):
    check(MATRICES[name], M)


def test_large_determinants():
    rng = np.random.default_rng(1)
    check(np.linalg.det, rng.standard_normal((5, 5)) + 1j * rng.standard_normal((5, 5)))


@pytest.mark.parametrize("name", ["pinv", "singular spaces", "svdvals", "qr"])
def test_matrices_that_are_not_square(name):
    check(MATRICES[name], TALL)
    if name != "qr":
        check(MATRICES[name], TALL.T.copy())


@pytest.mark.parametrize(("a", "b"), [(M, M), (M, M.real), (M.real, M), (M, M[0]), (M.real, M[0])])
def test_solve(a, b):
    check(np.linalg.solve, a.copy(), b.copy())


def test_real_and_complex_numbers_keep_their_digits_far_from_the_axis():
    z = ad.tensor(np.array([-7.6 + 3.7j, 0.5 + 300j, 1 - 20j]), requires_grad=True)
    (g,) = ad.grad(np.sum(np.real(np.tan(z))), z)
    # 1 / cos(z)**2 = 4 exp(2iz) / (1 + exp(2iz))**2 for a positive imaginary part, and its mirror.
    for value, got in zip(z.detach().numpy(), np.conj(g.numpy()), strict=True):
        w = value if value.imag > 0 else np.conj(value)
        e = np.exp(2j * w)
        expected = 4 * e / (1 + e) ** 2
        expected = expected if value.imag > 0 else np.conj(expected)
        assert abs(got - expected) <= 2e-14 * abs(expected)


def test_nothing_is_left_of_the_gradient_of_a_real_sign():
    assert F.Sign.apply(ad.tensor([2.0, -1.0], requires_grad=True)).sum().requires_grad
