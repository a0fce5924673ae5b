"""Products with Jacobians, Jacobians and Hessians, against each other and by hand."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
from autodiff import functional


def f(x):
    return np.stack([x[0] * x[1], np.sin(x[1]), x[0] ** 3])


X = ad.tensor([2.0, 0.5])
JACOBIAN = np.array([[0.5, 2.0], [0.0, np.cos(0.5)], [12.0, 0.0]])


def test_jacobian_and_products():
    np.testing.assert_allclose(functional.jacobian(f, X), JACOBIAN, rtol=1e-15)
    v, u = np.array([1.0, 2.0, -1.0]), np.array([3.0, -1.0])
    value, product = functional.vjp(f, X, ad.tensor(v))
    np.testing.assert_allclose(value, f(X))
    np.testing.assert_allclose(product, v @ JACOBIAN, rtol=1e-15)
    np.testing.assert_allclose(functional.jvp(f, X, ad.tensor(u))[1], JACOBIAN @ u, rtol=1e-15)


def test_hessian_and_products():
    def g(x):
        return (x[0] ** 2 * x[1]) + np.exp(x[1])

    h = functional.hessian(g, X)
    np.testing.assert_allclose(h, [[1.0, 4.0], [4.0, np.exp(0.5)]], rtol=1e-15)
    v = ad.tensor([1.0, -2.0])
    np.testing.assert_allclose(functional.hvp(g, X, v)[1], h.numpy() @ v.numpy(), rtol=1e-15)


def test_several_inputs_and_outputs():
    def g(x, y):
        return x * y, (x + y).sum()

    x, y = ad.tensor([1.0, 2.0]), ad.tensor([3.0, 4.0])
    (a, b), (c, d) = functional.jacobian(g, (x, y))
    np.testing.assert_allclose(a, np.diag([3.0, 4.0]))
    np.testing.assert_allclose(b, np.diag([1.0, 2.0]))
    np.testing.assert_allclose(c, [1.0, 1.0])
    np.testing.assert_allclose(d, [1.0, 1.0])
    blocks = functional.hessian(lambda x, y: (x * y**2).sum(), (x, y))
    np.testing.assert_allclose(blocks[0][0], np.zeros((2, 2)))
    np.testing.assert_allclose(blocks[0][1], np.diag([6.0, 8.0]))


def test_independent_outputs_have_zero_derivatives():
    np.testing.assert_allclose(functional.jacobian(lambda x: ad.ones(2), X), np.zeros((2, 2)))
    np.testing.assert_allclose(functional.hessian(lambda x: x.sum(), X), np.zeros((2, 2)))


def test_create_graph_differentiates_further():
    x = ad.tensor([2.0, 0.5], requires_grad=True)
    j = functional.jacobian(f, x, create_graph=True)
    (second,) = ad.grad(j[2, 0], x)
    assert second.tolist() == [12.0, 0.0]


def test_wrong_shapes_and_types_are_errors():
    with pytest.raises(RuntimeError, match="is needed"):
        functional.vjp(f, X)
    with pytest.raises(RuntimeError, match=r"v\[0\] has shape \[2\]"):
        functional.vjp(f, X, ad.ones(2))
    with pytest.raises(TypeError, match="must return tensors"):
        functional.vjp(lambda x: 1.0, X)
    with pytest.raises(RuntimeError, match="one element"):
        functional.hessian(f, X)


def test_the_user_s_tensors_are_left_alone():
    x = ad.ones(2, requires_grad=True)
    functional.hessian(lambda x: (x**3).sum(), x)
    assert x.grad is None
