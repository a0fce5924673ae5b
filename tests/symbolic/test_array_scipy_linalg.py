"""Eigenvalues, equations and LAPACK's own names in ``scipy.linalg`` on traced matrices."""

import numpy as np
import pytest
from scipy import linalg
from scipy.linalg import lapack

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees

RNG = np.random.default_rng(0)
sizes = pytest.mark.parametrize("n", [2, 3])


def _positive(n, seed):
    a = np.random.default_rng(seed).normal(size=(n, n))
    return a @ a.T + np.eye(n)


@sizes
@pytest.mark.parametrize("lower", [True, False])
def test_eigenvalues_and_vectors(n, lower):
    a, b, any_ = _positive(n, 1), _positive(n, 2), RNG.normal(size=(n, n))
    agrees(lambda a: linalg.eigh(a, lower=lower), any_)
    agrees(lambda a, b: linalg.eigh(a, b, lower=lower), a, b, rtol=1e-8)
    agrees(lambda a, b: linalg.eigvalsh(a, b, lower=lower), a, b)


@sizes
def test_parts_of_a_spectrum(n):
    a, b = _positive(n, 1), _positive(n, 2)
    agrees(lambda a: linalg.eigh(a, subset_by_index=[0, 0]), a)
    agrees(lambda a, b: linalg.eigh(a, b, subset_by_index=[n - 1, n - 1])[1], a, b, rtol=1e-8)
    agrees(lambda b: linalg.eigh(a, b, eigvals_only=True), b)


@sizes
def test_polar(n):
    a = RNG.normal(size=(n, n))
    agrees(lambda a: linalg.polar(a), a)
    agrees(lambda a: linalg.polar(a, side="left"), a)


@sizes
def test_equations(n):
    a, b, q = RNG.normal(size=(3, n, n))
    agrees(linalg.solve_continuous_lyapunov, a, q, rtol=1e-8)
    agrees(linalg.solve_discrete_lyapunov, a, q, rtol=1e-8)
    agrees(linalg.solve_sylvester, a, b, q, rtol=1e-8)


@sizes
def test_structured_systems(n):
    b = RNG.normal(size=n)
    line = np.vstack([np.full(n, 2.0), np.full(n, 0.3)])
    agrees(linalg.solve_toeplitz, 2 * np.arange(n, 0, -1.0), b)
    agrees(lambda ab, b: linalg.solveh_banded(ab, b, lower=True), line, b)
    agrees(lambda ab, b: linalg.solveh_banded(ab, b), line[::-1], b)


@sizes
@pytest.mark.parametrize("lower", [0, 1])
def test_lapack(n, lower):
    a, b = _positive(n, 1), RNG.normal(size=n)
    agrees(lambda a: lapack.dpotrf(a, lower=lower)[0], a)
    agrees(lambda a, b: lapack.dpotrs(lapack.dpotrf(a, lower)[0], b, lower)[0], a, b)
    agrees(lambda a, b: lapack.dtrtrs(a, b, lower=lower, trans=1)[0], a, b)

    def by_name(a):
        (potrf,) = linalg.get_lapack_funcs(("potrf",), (a,))
        return potrf(a, lower=lower)[0]

    agrees(by_name, a)


def test_what_is_not_supported():
    with pytest.raises(TraceError, match="another type"):
        trace(lambda a: linalg.eigh(a, np.eye(2), type=2)[0], [np.eye(2)])
    with pytest.raises(TraceError, match="LAPACK's gesv"):
        trace(lambda a: linalg.get_lapack_funcs("gesv", (a,)), [np.eye(2)])
    with pytest.raises(TraceError, match="not positive definite"):
        trace(lambda a: lapack.dpotrf(a)[0], [-np.eye(2)])
