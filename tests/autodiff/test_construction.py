"""Functions that build on others give what NumPy gives, and gradients as differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import scipy.special
import scipy.stats

import autodiff as ad
from tests.autodiff.test_complex import check

X = np.array([[0.5, 1.25, 2.0], [3.5, 0.75, 1.5]])
MASK = np.array([[True, False, False], [False, False, True]])
Z = np.array([1.5 + 0.5j, -0.25 + 2.0j, 0.75])

FUNCTIONS = {
    "insert row": lambda x: np.insert(x, 1, x[0] * 2, axis=0),
    "insert places": lambda x: np.insert(x, [2, 0], [50.0, 60.0], axis=1),
    "insert flat": lambda x: np.insert(x, 1, 5.0),
    "insert column": lambda x: np.insert(x, -1, x[:, 0], axis=1),
    "block": lambda x: np.block([[x, 2 * x], [x * x, x]]),
    "block of one list": lambda x: np.block([x, x[:, :1]]),
    "linspace": lambda x: np.linspace(x, x * x, 4),
    "linspace along an axis": lambda x: np.linspace(x[0], 1.0, 3, axis=1),
    "linspace without end": lambda x: np.linspace(0.0, x, 5, endpoint=False),
    "logspace": lambda x: np.logspace(x[0], 1.0, 3),
    "geomspace": lambda x: np.geomspace(x[0], x[1], 3),
    "cumulative_sum": lambda x: np.cumulative_sum(x, axis=0, include_initial=True),
    "cumulative_prod": lambda x: np.cumulative_prod(x, axis=-1),
    "unwrap": lambda x: np.unwrap(5 * x),
    "diagflat": lambda x: np.diagflat(x, 1),
    "nanmedian": lambda x: np.nanmedian(np.where(MASK, np.nan, x), axis=1),
    "nanquantile": lambda x: np.nanquantile(np.where(MASK, np.nan, x), [0.25, 0.5], axis=0),
    "nanpercentile": lambda x: np.nanpercentile(np.where(MASK, np.nan, x), 30, keepdims=True),
    "nancumprod": lambda x: np.nancumprod(np.where(MASK, np.nan, x), axis=1),
    "vecdot": lambda x: np.vecdot(x, x * x),
    "matvec": lambda x: np.matvec(x, x[0]),
    "vecmat": lambda x: np.vecmat(x[:, 0], x),
    "cond": lambda x: np.linalg.cond(x),
    "cond 1": lambda x: np.linalg.cond(x[:, :2], 1),
    "matrix_norm": lambda x: np.linalg.matrix_norm(x, ord="nuc"),
    "vector_norm": lambda x: np.linalg.vector_norm(x, axis=0, ord=3),
    "trace": lambda x: np.linalg.trace(x),
    "diagonal": lambda x: np.linalg.diagonal(x, offset=1),
    "modf": lambda x: np.modf(x / 4)[0],
    "divmod": lambda x: np.divmod(x, 0.8)[1],
    "real_if_close": lambda x: np.real_if_close(x + 0j),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_in_numpy(name):
    check(FUNCTIONS[name], X.copy())


def test_complex_vectors():
    check(lambda z: np.vecdot(z, z[::-1]), Z)
    check(lambda z: np.vecmat(z, np.diag(Z)), Z)
    check(np.real_if_close, Z)


def _convolved(x, y, mode):
    if isinstance(x, ad.Tensor) or isinstance(y, ad.Tensor):
        return ad.convolve(x, y, mode)
    return scipy.signal.convolve(x, y, mode, method="direct")


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_along_several_axes(mode):
    y = np.array([[0.5, -1.0], [2.0, 0.25]])
    check(lambda x, y: _convolved(x, y, mode), X.copy(), y)
    check(lambda x, y: _convolved(x, y, mode), y, X.copy())
    with pytest.raises(ValueError, match="as many axes"):
        ad.convolve(X, y[0])


def test_einsum_with_lists_of_numbers():
    check(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), X.copy(), X.T.copy())
    check(lambda x, y: np.einsum(x, [0, 1], y, [1, Ellipsis]), X.copy(), X.T.copy())


def test_cross_along_axes():
    check(lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), X.T.copy(), X[::-1].copy())


def test_polygamma_of_order_0_is_digamma():
    x = ad.tensor(1.5, requires_grad=True)
    out = ad.polygamma(0, x)
    assert out.item() == scipy.special.digamma(1.5)
    assert ad.grad(out, x)[0].item() == pytest.approx(scipy.special.polygamma(1, 1.5), rel=1e-15)


def test_the_pseudo_inverse_of_a_singular_square_matrix():
    check(lambda x: np.linalg.pinv(x.T @ x), np.arange(6.0).reshape(2, 3))


def test_lists_of_tensors_keep_their_gradients():
    x, y = ad.tensor(1.0, requires_grad=True), ad.tensor(2.0, requires_grad=True)
    out = ad.append([x, y], [x * y])
    assert out.tolist() == [1.0, 2.0, 2.0]
    assert [g.item() for g in ad.grad(out.sum(), [x, y])] == [3.0, 2.0]


def test_a_constant_that_is_larger_than_the_argument():
    x = ad.tensor(1.5, requires_grad=True)
    out = ad.gammainc(np.array([0.5, 2.0]), x)
    (g,) = ad.grad(out.sum(), x)
    assert g.shape == ()
    density = [scipy.stats.gamma.pdf(1.5, a) for a in (0.5, 2.0)]
    assert g.item() == pytest.approx(sum(density), rel=1e-14)


@pytest.mark.parametrize("function", [ad.erfcx, ad.gamma, ad.expi])
def test_complex_arguments_of_real_functions_raise(function):
    z = ad.tensor(Z, requires_grad=True)
    with pytest.raises(NotImplementedError, match="real numbers alone"):
        np.real(function(z)).sum().backward()
