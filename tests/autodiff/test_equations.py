"""Equations of a special form, eigenvalues, roots: gradients as finite differences, twice."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import autodiff as ad
from tests.autodiff.test_complex import M, check

A = np.array([[2.0, 0.5, -0.25], [0.25, 1.5, 0.75], [-0.5, 0.125, 3.0]])
B = np.array([[1.0, -0.5], [0.75, 2.0], [-1.5, 0.25]])
BAND = np.array([[9.0, 0.5, -0.25], [2.0, 1.5, 3.0], [0.25, 0.125, 7.0]])


def _numbers(function, reference):
    def call(*args):
        tensors = any(isinstance(a, ad.Tensor) for a in args)
        return function(*args) if tensors else reference(*args)

    return call


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("a", [A, np.pad(M, ((0, 1), (0, 1))) + A])
def test_solve_triangular(trans, lower, unit, a):
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit}
    for b in (B, B[:, 0].copy(), B + 1j * B[::-1]):
        check(
            _numbers(
                lambda a, b: ad.linalg.solve_triangular(a, b, **options),
                lambda a, b: scipy.linalg.solve_triangular(a, b, **options),
            ),
            a,
            b,
        )


@pytest.mark.parametrize("band", [BAND, BAND + 0.5j * BAND[::-1]])
def test_solve_banded(band):
    check(
        _numbers(
            lambda ab, b: ad.linalg.solve_banded((1, 1), ab, b),
            lambda ab, b: scipy.linalg.solve_banded((1, 1), ab, b),
        ),
        band,
        B,
    )
    lower = band[1:]
    check(
        _numbers(
            lambda ab, b: ad.linalg.solve_banded((1, 0), ab, b),
            lambda ab, b: scipy.linalg.solve_banded((1, 0), ab, b),
        ),
        lower,
        B[:, 0].copy(),
    )


@pytest.mark.parametrize("a", [A, A + 0.5j * A.T])
def test_solve_sylvester(a):
    check(
        _numbers(ad.linalg.solve_sylvester, scipy.linalg.solve_sylvester),
        a,
        A[:2, :2] + 1,
        B.copy(),
    )


@pytest.mark.parametrize("x", [A, M @ M.conj().T, M + 2 * np.eye(2)])
def test_sqrtm(x):
    check(_numbers(ad.linalg.sqrtm, scipy.linalg.sqrtm), x)


@pytest.mark.parametrize("x", [A, M, np.array([[0.5, -1.0], [2.0, 0.25]])])
def test_eig(x):
    def projector(x):
        values, vectors = np.linalg.eig(x)
        # The phases of vectors cancel in a projector, and their order in a symmetric function.
        first = vectors[:, :1]
        return values**3, np.abs(first) ** 2

    check(projector, x)


def test_second_derivatives():
    x = ad.tensor(A, requires_grad=True)
    b = ad.tensor(B, requires_grad=True)
    functions = {
        "triangular": lambda x, b: ad.linalg.solve_triangular(x, b),
        "banded": lambda x, b: ad.linalg.solve_banded((1, 1), x, b),
        "sylvester": lambda x, b: ad.linalg.solve_sylvester(x, x[:2, :2], b),
        "root": lambda x, b: ad.linalg.sqrtm(x) @ b,
    }
    weights = np.arange(1.0, 7).reshape(3, 2)
    for name, function in functions.items():
        first = ad.grad((function(x, b) * weights).sum(), x, create_graph=True)[0]
        (second,) = ad.grad((first * A).sum(), x)

        def slope(values, function=function):
            t = ad.tensor(values, requires_grad=True)
            return np.sum(ad.grad((function(t, b) * weights).sum(), t)[0].numpy() * A)

        for place in [(0, 0), (0, 1), (1, 1)]:
            step = np.zeros((3, 3))
            step[place] = 1e-6
            expected = (slope(A + step) - slope(A - step)) / 2e-6
            assert second.numpy()[place] == pytest.approx(expected, rel=1e-6, abs=1e-7), name
