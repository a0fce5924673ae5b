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
