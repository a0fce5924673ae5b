"""Domains that lie in a plane: which gradients are right there, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from verify import domains


def smallest_eigenvalue(A):
    return np.linalg.eigvalsh(A)[0]


def projector(A):
    _, v = np.linalg.eigh(A)
    return np.outer(v[:, 0], v[:, 0])


def logdet(A):
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))


def inverse(A):
    return np.linalg.inv(A)


def one_triangle(A):
    """The derivative of `logdet` as it is written: Cholesky's factor reads one triangle."""
    inv = np.linalg.inv(A)
    return np.tril(inv, -1) * 2 + np.diag(np.diag(inv))


def bilinear(A, b):
    return b @ A @ A @ (b * b)


def bilinear_free(A, b):
    return np.outer(b, A @ (b * b)) + np.outer(A @ b, b * b)


def symmetric_part(gradient):
    return lambda *args: (gradient(*args) + gradient(*args).T) / 2


def entropy(p):
    return np.sum(p * np.log(p))


def branching(A):
    return np.trace(A @ A) * (1 if A[0, 0] < 5 else 2)


def branching_grad(A):
    return 2 * A * (1 if A[0, 0] < 5 else 2)


def sampled(rng, shape):
    a = rng.normal(size=shape)
    return a @ a.T + np.eye(shape[-1])


B = np.array([1.0, -2.0])


@pytest.mark.parametrize(
    ("f", "grad", "domain", "shape"),
    [
        (smallest_eigenvalue, projector, domains.symmetric, (2, 2)),
        (logdet, inverse, domains.positive_definite, (2, 2)),
        (logdet, inverse, sampled, (2, 2)),
        (logdet, one_triangle, domains.positive_definite, (3, 3)),
        (entropy, lambda p: np.log(p) + 1, domains.simplex, (3,)),
        (entropy, lambda p: np.log(p) - np.log(p).mean(), domains.simplex, (3,)),
        (branching, branching_grad, domains.symmetric, (2, 2)),
        (lambda A: bilinear(A, B), lambda A: bilinear_free(A, B), domains.symmetric, (2, 2)),
        (
            lambda A: bilinear(A, B),
            symmetric_part(lambda A: bilinear_free(A, B)),
            domains.symmetric,
            (2, 2),
        ),
    ],
    ids=[
        "eigenvalue",
        "logdet",
        "logdet, sampled",
        "logdet, one triangle",
        "entropy",
        "entropy, centred",
        "branches",
        "bilinear",
        "bilinear, symmetric",
    ],
)
def test_the_free_derivative_and_its_projection_are_right(f, grad, domain, shape):
    report = verify.check(f, grad=grad, domain=[domain], examples=[(shape,)])
    assert report.ok, report
    assert verify.check(f, grad=grad, domain=[domain], examples=[(shape,)], quick=True).ok


@pytest.mark.parametrize(
    ("f", "grad", "domain", "shape"),
    [
        (smallest_eigenvalue, lambda A: 2 * projector(A), domains.symmetric, (2, 2)),
        (logdet, lambda A: 2 * inverse(A), domains.positive_definite, (2, 2)),
        (logdet, lambda A: inverse(A) * (1 + 1e-9), domains.positive_definite, (2, 2)),
        (logdet, lambda A: 2 * inverse(A), sampled, (2, 2)),
        (logdet, lambda A: np.tril(inverse(A)), domains.positive_definite, (2, 2)),
        (entropy, np.log, domains.simplex, (3,)),
        (
            branching,
            lambda A: 2 * A * (1 if A[0, 0] < 5.5 else 2),
            domains.symmetric,
            (2, 2),
        ),
        # Symmetric arguments do not make the factors of the gradient change places.
        (lambda A: bilinear(A, B), lambda A: bilinear_free(A, B).T, domains.symmetric, (2, 2)),
    ],
    ids=[
        "eigenvalue",
        "logdet",
        "logdet, a little",
        "logdet, sampled",
        "logdet, half a triangle",
        "entropy",
        "a narrow branch",
        "bilinear, transposed",
    ],
)
def test_wrong_gradients_are_refuted(f, grad, domain, shape):
    report = verify.check(f, grad=grad, domain=[domain], examples=[(shape,)])
    assert report.verdict == verify.Verdict.REFUTED, report


def test_a_counterexample_lies_in_the_domain():
    report = verify.check(
        branching,
        grad=lambda A: 2 * A * (1 if A[0, 0] < 5.5 else 2),
        domain=[domains.symmetric],
        examples=[((3, 3),)],
    )
    A = np.asarray(report.counterexample.inputs["A"])
    assert np.array_equal(A, A.T)
    assert 5 <= A[0, 0] <= 5.5


def test_what_the_structure_makes_equal_is_proved():
    report = verify.check(
        lambda A: np.sum(A @ A),
        grad=lambda A: A.sum(0)[:, None] + A.sum(0),  # A.sum(1) only where A is symmetric
        domain=[domains.symmetric],
        examples=[((2, 2),)],
    )
    assert report.verdict == verify.Verdict.PROVED, report
