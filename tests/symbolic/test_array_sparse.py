"""Sparse matrices of floats applied to traced arrays, in every format, against SciPy itself."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees

RNG = np.random.default_rng(9)
DENSE = np.array([[2.0, 0, 1], [0.5, 3, 0], [0, -1, 4.0]])
VECTOR, MATRIX, NUMBER = RNG.normal(size=3), RNG.normal(size=(3, 2)), np.float64(0.3)
CSC = sparse.csc_array(DENSE)
FACTORS, SOLVE = linalg.splu(CSC), linalg.factorized(CSC)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "dok", "lil"])
def test_products_and_sums(form, kind):
    a = getattr(sparse, f"{form}_{kind}")(DENSE)
    for x in (VECTOR, MATRIX):
        agrees(lambda x: a @ x, x)
        agrees(lambda x: a.T @ x, x)
        agrees(lambda x: a.dot(x), x)
        agrees(lambda x: x.T @ a, x)
    agrees(lambda x: a.multiply(x).toarray(), VECTOR)
    agrees(lambda x: np.asarray(a.multiply(x).sum(axis=1)).ravel(), VECTOR)
    agrees(lambda x: a * x if kind == "matrix" else (a * x).toarray(), VECTOR)
    agrees(lambda x, s: (s * a) @ x + (a * s).T @ x - (a / s) @ x, VECTOR, NUMBER)
    agrees(lambda x: np.asarray(a + x @ x.T), MATRIX)
    agrees(lambda x: np.asarray(x @ x.T - a), MATRIX)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: sparse.csr_matrix(np.array([[1.0, 2, 0], [0, 0, 1]])) @ x,
        lambda x: sparse.diags([np.ones(3), -np.ones(2)], [0, 1]) @ x,
        lambda x: sparse.coo_array((np.ones(3), (np.arange(3), [1, 2, 0])), shape=(3, 3)) @ x,
        lambda x: (sparse.eye(3) - 0.5 * CSC) @ x,
        lambda x: (CSC @ np.ones(3)) * x,
    ],
)
def test_made_in_the_code(function):
    agrees(function, VECTOR)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: FACTORS.solve(x),
        lambda x: FACTORS.solve(x, trans="T"),
        lambda x: FACTORS.solve(x, "T"),
        lambda x: SOLVE(x),
        lambda x: linalg.splu(CSC).solve(x),
        lambda x: linalg.factorized(CSC)(x),
        lambda x: linalg.spsolve(CSC, x),
        lambda x: x.T * FACTORS.solve(np.ones(3)),
    ],
)
@pytest.mark.parametrize("x", [VECTOR, MATRIX])
def test_factors(function, x):
    agrees(function, x)


def test_what_is_not_supported():
    with pytest.raises(TraceError, match="nnz of a sparse array of traced entries"):
        trace(lambda x: (CSC * x).nnz, [VECTOR])
    with pytest.raises(TraceError):
        trace(lambda x: sparse.csr_array((x, ([0, 1, 2], [0, 1, 2]))) @ x, [VECTOR])
    with pytest.raises(ValueError, match="Scalar operands"):
        trace(lambda s: CSC @ s, [0.5])
