"""Eigenvalues that are equal: they have a generalised gradient there, though their vectors jump."""

import numpy as np
import pytest

import autodiff
import verify
from autodiff import Function


class Spectrum(Function):
    """Of all symmetric parts, those with equal eigenvalues too; subclasses are wrong."""

    examples = [((2, 2),)]

    @staticmethod
    def forward(ctx, x):
        values, vectors = np.linalg.eigh((x + x.T) / 2)
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @classmethod
    def apart(cls, values):
        difference = values[None, :] - values[:, None]
        equal = difference == 0
        return np.where(equal, 0.0, 1 / np.where(equal, 1.0, difference))

    @classmethod
    def of_values(cls, values, grad):
        return np.diag(grad)

    @classmethod
    def backward(cls, ctx, grad_values, grad_vectors):
        values, vectors = ctx.saved_tensors
        inner = cls.apart(values) * (vectors.T @ grad_vectors) + cls.of_values(values, grad_values)
        out = vectors @ inner @ vectors.T
        return (out + out.T) / 2


class Swapped(Spectrum):
    @classmethod
    def apart(cls, values):
        return -super().apart(values)


class Unguarded(Spectrum):
    """Infinity times zero where eigenvalues are equal."""

    @classmethod
    def apart(cls, values):
        with np.errstate(all="ignore"):
            return 1 / (values[None, :] - values[:, None] + np.diag(np.full(2, np.inf)))


class NothingAtTies(Spectrum):
    """Zero is not among the limits of an eigenvalue's gradient."""

    @classmethod
    def of_values(cls, values, grad):
        return np.where(values[0] == values[1], 0.0, 1.0) * np.diag(grad)


def test_equal_eigenvalues_are_covered():
    report = verify.check(Spectrum)
    assert report.ok, str(report)
    assert not report.not_covered


@pytest.mark.parametrize("lie", [Swapped, Unguarded, NothingAtTies])
def test_a_wrong_one_is_not_passed(lie):
    assert not verify.check(lie).ok


def test_the_middle_one_of_equal_eigenvalues():
    """Each unit vector gives a limit: those that backward chooses must be among them."""

    def grad(a):
        v = np.linalg.eigh(a + a.T)[1][:, 1]
        return 2 * np.outer(v, v)

    report = verify.check(lambda a: np.linalg.eigvalsh(a + a.T)[1], grad=grad, examples=[((3, 3),)])
    assert report.ok, str(report)


def test_a_matrix_that_is_not_square_has_none():
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        autodiff.linalg.eigh(autodiff.Tensor(np.ones((2, 1))))
