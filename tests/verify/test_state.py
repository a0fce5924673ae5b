"""State: what backward remembers, and what it leaves behind in data that forward reads."""

import numpy as np
import pytest

from autodiff import Function
from verify import domains
from verify.check import check


class Remembering:
    """The gradient of a sum of squares, kept for the latest point."""

    def __init__(self, keep):
        self.keep = keep
        self.x = None

    def gradient(self, x):
        if self.x is None or not np.array_equal(x, self.x):
            self.x, self.found = self.keep(x), 2 * x
        return self.found.copy()


def squares(x):
    return np.sum(x * x)


def test_a_point_kept_by_reference():
    report = check(squares, grad=Remembering(lambda x: x).gradient, examples=[((2,),)])
    assert report.verdict.value == "refuted"
    assert "changed in place between two calls" in report.findings[0].message
    assert check(squares, grad=Remembering(np.copy).gradient, examples=[((2,),)]).ok


class Regression:
    def __init__(self):
        self.design = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.5]])
        self.target = np.array([1.0, -0.5, 2.0])
        self.calls = 0

    def loss(self, w):
        return 0.5 * np.sum((self.design @ w - self.target) ** 2)

    def gradient(self, w):
        self.calls += 1  # state that changes nothing
        return self.design.T @ (self.design @ w - self.target)

    def centring(self, w):
        self.design -= self.design.mean(axis=0)
        return self.design.T @ (self.design @ w - self.target)


@pytest.mark.parametrize("examples", [[((2,),)], None])
def test_data_of_forward_that_backward_changes(examples):
    model = Regression()
    assert check(model.loss, grad=model.gradient, examples=examples).ok
    model = Regression()
    report = check(model.loss, grad=model.centring, examples=examples)
    assert report.verdict.value == "refuted"
    assert "data that forward reads" in report.findings[0].message


def test_a_forward_that_is_random_is_not_taken_for_one_that_was_changed():
    class Dropout(Function):
        examples = [((4,),)]

        @staticmethod
        def forward(ctx, x):
            ctx.mask = np.random.default_rng().random(x.shape) > 0.5
            return x * ctx.mask

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.mask

    report = check(Dropout)
    assert not any("data that forward reads" in f.message for f in report.findings)


def test_a_vector_is_tried_where_a_column_broadcasts_by_accident():
    model = Regression()
    report = check(model.loss, grad=model.gradient)
    assert report.ok
    assert "w (2,)" in str(report)


def test_a_column_whose_axis_backward_drops_is_refuted():
    assert not check(squares, grad=lambda x: 2 * np.squeeze(x)).ok


class Buffered:
    def __init__(self, copied):
        self.copied = copied
        self.buffers = {}

    def gradient(self, x):
        out = self.buffers.setdefault(x.shape, np.empty(x.shape))
        for i in np.ndindex(x.shape):
            out[i] = 2 * x[i]
        return out.copy() if self.copied else out


def test_a_buffer_that_is_handed_out():
    assert check(squares, grad=Buffered(copied=True).gradient, examples=[((3,),)]).ok
    report = check(squares, grad=Buffered(copied=False).gradient, examples=[((3,),)])
    assert report.verdict.value == "refuted"
    assert "fills again" in report.findings[0].message


@pytest.mark.parametrize("examples", [[((3,),)], None])
def test_a_first_gradient_that_is_wrong(examples):
    class Warm:
        ready = False

        def gradient(self, x):
            ready, self.ready = self.ready, True
            return 2 * x if ready else np.zeros_like(x)

    report = check(squares, grad=Warm().gradient, examples=examples)
    assert report.verdict.value == "refuted"
    assert "the very first call" in report.findings[0].message


def test_a_first_gradient_of_a_function_that_is_wrong():
    class Warm(Function):
        examples = [((3,),)]
        ready = False

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            ready, Warm.ready = Warm.ready, True
            return grad * 2 * x * ready

    assert check(Warm).verdict.value == "refuted"


@pytest.mark.parametrize("by_shape", [True, False])
def test_a_memo_by_bytes_alone(by_shape):
    memo = {}

    def gradient(x):
        key = (x.tobytes(), x.shape if by_shape else None)
        return memo.setdefault(key, 2 * x).copy()

    report = check(squares, grad=gradient, examples=[((2, 3),), ((3, 2),)])
    assert report.ok is by_shape, str(report)


def test_a_structured_domain_has_no_empty_arrays():
    def loss(a):
        return np.sum(np.linalg.inv(a))

    def grad(a):
        inverse = np.linalg.inv(a)
        return -(inverse.T @ np.ones_like(a) @ inverse.T)

    for domain in (domains.diagonally_dominant, domains.positive_definite):
        assert check(loss, grad=grad, examples=[((2, 2),)], domain=[domain]).ok


class Cubed(Function):
    """What the second half of a call may get wrong, each in a class of its own."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.product = None
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


class CubedWithItsSlopeKept(Cubed):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.product is None:
            ctx.product = 3 * x**2
        return grad * ctx.product


class CubedWithItsProductKept(Cubed):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.product is None:
            ctx.product = grad * 3 * x**2
        return ctx.product


class CubedInABuffer(Cubed):
    buffers: dict = {}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        out = CubedInABuffer.buffers.setdefault(x.shape, np.empty(x.shape))
        out[...] = np.asarray(x**3)
        return out


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (Cubed, None),
        (CubedWithItsSlopeKept, None),
        (CubedWithItsProductKept, "with another upstream gradient"),
        (CubedInABuffer, "the output of one call changes with the next"),
    ],
)
def test_what_a_function_keeps(function, says):
    report = check(function)
    assert report.ok is (says is None), str(report)
    if says:
        assert says in report.findings[0].message


@pytest.mark.parametrize("on_ctx", [True, False])
def test_a_keyword_belongs_to_one_call(on_ctx):
    class Power(Function):
        examples = [((3,), {"p": 3}), ((3,), {"p": 2})]

        @staticmethod
        def forward(ctx, x, p):
            ctx.save_for_backward(x)
            ctx.p = Power.p = p
            return x**p

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            p = ctx.p if on_ctx else Power.p
            return grad * p * x ** (p - 1)

    report = check(Power)
    assert report.ok is on_ctx, str(report)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_gradient_alone(which, right):
    class Product(Function):
        examples = [((2,), (2,), (2,))]

        @staticmethod
        def forward(ctx, x, y, z):
            ctx.save_for_backward(x, y, z)
            return x * y * z

        @staticmethod
        def backward(ctx, grad):
            x, y, z = ctx.saved_tensors
            found = [grad * y * z, grad * x * z, grad * x * y]
            needed = ctx.needs_input_grad
            if not right and needed == tuple(i == which for i in range(3)):
                found[which] = found[which - 1]
            return tuple(g if n else None for g, n in zip(found, needed, strict=True))

    report = check(Product)
    assert report.ok is right, str(report)


def test_a_backward_that_cannot_be_asked_for_one_gradient():
    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            if ctx.needs_input_grad[0]:
                ahead = grad * y
            return ahead, grad * x

    report = check(Product)
    assert report.verdict.value == "refuted"
    assert "needs_input_grad is (False, True)" in report.findings[0].message
