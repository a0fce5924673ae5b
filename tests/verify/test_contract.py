"""The contract: other types for what is no array of floats, and a batch of nothing."""

import numpy as np
import pytest

from autodiff import Function
from verify.check import check


def taken(x, index):
    return x[index]


def taken_vjp(x, index, grad_output):
    out = np.zeros_like(x)
    np.add.at(out, index, grad_output)
    return out


def taken_vjp_of_wide_indices(x, index, grad_output):
    out = np.zeros_like(x)
    if index.dtype == np.int64:
        np.add.at(out, index, grad_output)
    else:
        out[index] = grad_output
    return out


@pytest.mark.parametrize("vjp", [taken_vjp, taken_vjp_of_wide_indices])
def test_an_index_of_32_bits(vjp):
    report = check(taken, vjp=vjp, examples=[((4,), np.array([2, 0, 2]))])
    assert report.ok is (vjp is taken_vjp), str(report)
    if not report.ok:
        assert "integers of 32 bits" in report.findings[0].message


@pytest.mark.parametrize("kind", [(int,), (int, float), (int, float, np.integer)])
def test_a_power_in_another_type(kind):
    def power(x, *, p=2):
        return np.sum(np.abs(x) ** p)

    def grad(x, *, p=2):
        factor = p if isinstance(p, kind) else 1
        return factor * np.abs(x) ** (p - 1) * np.sign(x)

    report = check(power, grad=grad, examples=[((3,), {"p": 3})])
    assert report.ok is (len(kind) == 3), str(report)


def test_a_backward_that_needs_an_integer_is_no_mistake():
    def power(x, *, p=2):
        return np.sum(x**p)

    def grad(x, *, p=2):
        product = np.ones_like(x)
        for _ in range(p - 1):
            product = product * x
        return p * product

    assert check(power, grad=grad, examples=[((3,), {"p": 3})]).ok


@pytest.mark.parametrize("inferred", [False, True])
def test_a_batch_of_nothing(inferred):
    class RowNorms(Function):
        examples = [((2, 3),), ((3, 2, 2),)]

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x * x).sum(axis=tuple(range(1, x.ndim)))

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            if inferred:
                return (2 * x.reshape(len(x), -1) * grad[:, None]).reshape(x.shape)
            return 2 * x * grad.reshape((len(x),) + (1,) * (x.ndim - 1))

    report = check(RowNorms)
    assert report.ok is not inferred, str(report)


def test_the_axis_that_is_worked_on_is_no_batch():
    class Steps(Function):
        examples = [((3, 2), {"axis": 0})]

        @staticmethod
        def forward(ctx, x, axis):
            ctx.axis = axis
            return np.diff(x, axis=axis)

        @staticmethod
        def backward(ctx, grad):
            edge = np.zeros([1 if k == ctx.axis else n for k, n in enumerate(grad.shape)])
            return -np.diff(np.concatenate([edge, grad, edge], ctx.axis), axis=ctx.axis)

    assert check(Steps).ok
