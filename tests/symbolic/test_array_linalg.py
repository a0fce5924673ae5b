"""Linear algebra on traced matrices against LAPACK."""

import numpy as np
import pytest
import scipy.linalg

from symbolic.graph import Graph
from symbolic.tracing import trace
from tests.symbolic.traces import agrees

la = np.linalg
RNG = np.random.default_rng(5)
SQUARE = [RNG.normal(size=(n, n)) for n in (1, 2, 3, 4, 5, 6)]
POSITIVE = [a @ a.T + np.eye(len(a)) for a in SQUARE]
TALL = RNG.normal(size=(4, 2))
sizes = pytest.mark.parametrize("n", range(6), ids=lambda n: str(n + 1))


@sizes
@pytest.mark.parametrize(
    "function",
    [
        la.det,
        la.inv,
        lambda a: tuple(la.slogdet(a)),
        lambda a: la.matrix_power(a, 3),
        lambda a: la.matrix_power(a, -1),
        lambda a: la.matrix_power(a, 0),
        lambda a: tuple(la.qr(a)),
        lambda a: la.qr(a, mode="r"),
        la.pinv,
        lambda a: la.solve(a, np.ones(len(a))),
        lambda a: scipy.linalg.solve(a, np.ones((len(a), 2))),
        lambda a: scipy.linalg.solve_triangular(a, np.ones(len(a)), lower=True),
        lambda a: scipy.linalg.solve_triangular(a, np.ones(len(a)), trans=1, lower=True),
        lambda a: scipy.linalg.lu_solve(scipy.linalg.lu_factor(a), np.ones(len(a))),
        lambda a: scipy.linalg.det(a),
        lambda a: scipy.linalg.inv(a),
        *[lambda a, o=o: la.norm(a, o) for o in (None, "fro", 1, -1, np.inf, -np.inf)],
    ],
)
def test_square(function, n):
    agrees(function, SQUARE[n], rtol=1e-8)


@sizes
@pytest.mark.parametrize(
    "function",
    [
        la.cholesky,
        lambda a: la.cholesky(a, upper=True),
        scipy.linalg.cholesky,
        lambda a: scipy.linalg.cholesky(a, lower=True),
        lambda a: scipy.linalg.cho_solve(scipy.linalg.cho_factor(a), np.ones(len(a))),
        lambda a: scipy.linalg.solve(a, np.ones(len(a)), assume_a="pos"),
    ],
)
def test_positive_definite(function, n):
    agrees(function, POSITIVE[n])


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize(
    "function",
    [
        lambda a: tuple(la.eigh(a)),
        lambda a: tuple(la.eigh(a, "U")),
        la.eigvalsh,
        lambda a: tuple(la.svd(a)),
        la.svdvals,
        la.cond,
        lambda a: la.norm(a, 2),
        lambda a: la.norm(a, "nuc"),
        scipy.linalg.expm,
        lambda a: scipy.linalg.eigh(a),
    ],
)
def test_two_rows_in_closed_form(function, n):
    agrees(function, POSITIVE[n])


def test_expm_of_a_rotation():
    agrees(scipy.linalg.expm, np.array([[0.1, -2.0], [1.0, 0.3]]))


@pytest.mark.parametrize(
    "a",
    [
        [[0.1, -2.0], [1.0, 0.3]],  # a rotation
        [[0.1, 2.0], [1.0, 0.3]],
        [[0.5, 1.0], [0.0, 0.5]],  # one eigenvalue
        [[0.7]],
    ],
)
def test_derivative_of_expm(a):
    e = RNG.normal(size=np.shape(a))
    agrees(lambda a: scipy.linalg.expm_frechet(a, e, compute_expm=False), np.array(a))
    agrees(lambda a: tuple(scipy.linalg.expm_frechet(a, e)), np.array(a))


def test_eigenvalues_of_a_diagonal_matrix():
    agrees(lambda a: tuple(la.eigh(a)), np.diag([3.0, 1.0]))
    agrees(lambda a: tuple(la.eigh(a)), np.diag([3.0, 1.0, 2.0]))


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 5)])
def test_singular_values_of_larger_matrices(shape):
    a = RNG.normal(size=shape)
    agrees(lambda a: tuple(la.svd(a, full_matrices=False)), a)
    agrees(lambda a: la.norm(a, 2), a)
    agrees(lambda a: la.norm(a, "nuc"), a)
    agrees(lambda a: la.eigvalsh(a @ a.T), a)


@pytest.mark.parametrize("wide", [False, True])
def test_rectangular(wide):
    a = TALL.T if wide else TALL
    agrees(lambda a: tuple(la.svd(a, full_matrices=False)), a)
    agrees(la.pinv, a)
    if not wide:
        agrees(lambda a: tuple(la.lstsq(a, np.ones(4))[:2]), a)
        agrees(lambda a: tuple(la.qr(a)), a)


@pytest.mark.parametrize("order", [None, 0, 1, 2, 3, 0.5, np.inf, -np.inf])
def test_vector_norms(order):
    agrees(lambda v: la.norm(v, order), np.array([0.5, -1.0, 2.0, 0.25]))
    agrees(lambda v: la.norm(v, order, axis=1, keepdims=True), RNG.normal(size=(2, 3)))


def test_stacks_and_several_right_sides():
    a, b = RNG.normal(size=(2, 3, 3)), RNG.normal(size=(3, 2))
    agrees(la.inv, a)
    agrees(la.det, a)
    agrees(lambda a, b: la.solve(a, b), a, b)
    agrees(lambda a, b, c: la.multi_dot([a, b, c]), *RNG.normal(size=(3, 2, 2)))


@pytest.mark.parametrize(
    "function",
    [
        scipy.linalg.toeplitz,
        scipy.linalg.circulant,
        lambda c: scipy.linalg.toeplitz(c, c * 2),
        lambda c: scipy.linalg.block_diag(c, np.eye(2)),
    ],
)
def test_special_matrices(function):
    agrees(function, np.array([1.0, 2.0, 3.0]))


def test_a_determinant_has_no_denominator():
    t = trace(la.det, [np.zeros((3, 3))])
    assert t.values[0] == 0
    assert "div" not in repr(t.outputs[0][()])


def test_a_singular_matrix_raises_what_numpy_raises():
    with pytest.raises(la.LinAlgError):
        trace(la.inv, [np.ones((2, 2))])
    with pytest.raises(la.LinAlgError):
        trace(la.cholesky, [-np.eye(2)])


def test_no_condition_is_recorded_for_a_pivot():
    assert trace(la.inv, [SQUARE[5]], trace=None).conditions == []
    assert isinstance(trace(la.inv, [SQUARE[1]]).graph, Graph)
