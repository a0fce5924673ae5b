"""The second order: branches that the second pass takes are its own."""

import numpy as np
import pytest

import verify
from autodiff import Function


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_a_branch_of_the_second_pass_is_not_taken_elsewhere(factor):
    class Softplus(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.logaddexp(0, x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return Sigmoid.apply(x) * grad

    class Sigmoid(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return 1 / (1 + np.exp(-x))

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            near, e = np.abs(x) < 1, np.exp(-np.abs(x))
            return grad * np.where(near, 0.25 / np.cosh(x / 2) ** 2, factor * e / (1 + e) ** 2)

    report = verify.check(Softplus, order=2)
    assert report.ok == (factor == 1.0), str(report)


@pytest.mark.parametrize("factor", [6.0, 5.0])
def test_the_third_order(factor):
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * Slope.apply(x)

    class Slope(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return 3 * x**2

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * Bend.apply(x)

    class Bend(Function):
        @staticmethod
        def forward(ctx, x):
            return 6 * x

        @staticmethod
        def backward(ctx, grad):
            return factor * grad

    assert verify.check(Cube, order=2).ok
    assert verify.check(Cube, order=3).ok == (factor == 6.0)


class Untraced(Function):
    """Forward goes through bytes, where no tracer follows."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.x = x * 1
        return np.frombuffer((x**3).tobytes())


class UntracedRight(Untraced):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


class UntracedConstant(Untraced):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * ctx.x


class UntracedRaising(Untraced):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2 / (x.size / x.size if isinstance(x, np.ndarray) else None)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (UntracedRight, "order 2 agrees with finite differences"),
        (UntracedConstant, "differs from the derivative"),
        (UntracedRaising, "when the gradient is differentiated again, backward raises"),
    ],
)
def test_the_second_order_of_what_is_not_traced(function, says):
    assert verify.check(function).ok
    report = verify.check(function, order=2)
    assert report.ok is (function is UntracedRight), str(report)
    assert any(says in f.message for f in report.findings)


def test_a_factor_that_is_taken_out_of_the_second_order():
    class Cube(Function):
        examples = [((3,),)]

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            frozen = np.array([float(v) for v in x])
            return 3 * grad * x * frozen

    assert verify.check(Cube).ok
    assert not verify.check(Cube, order=2).ok


def test_where_the_gradient_jumps_it_has_no_derivative():
    class Tent(Function):
        examples = [((),)]

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.exp(-np.abs(x))

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return -grad * np.sign(x) * np.exp(-np.abs(x))

    assert verify.check(Tent, order=2).ok
