"""Lengths that no example declares: judged where entries play one role, else not."""

import numpy as np
import pytest

from autodiff import Function
from verify.check import check


class Chroma(Function):
    """Red minus green over the sum: three channels are what the last axis means."""

    examples = [((2, 3),)]
    domain = {"rgb": (0.1, 1)}

    @staticmethod
    def forward(ctx, rgb):
        ctx.save_for_backward(rgb)
        return (rgb[..., 0] - rgb[..., 1]) / rgb.sum(axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (rgb,) = ctx.saved_tensors
        total = rgb.sum(axis=-1)
        out = np.zeros_like(rgb)
        out[..., 0] += grad / total
        out[..., 1] -= grad / total
        slope = -grad * (rgb[..., 0] - rgb[..., 1]) / total**2
        out[..., :3] += slope[..., None]
        return out


def test_channels_are_not_made_up():
    report = check(Chroma)
    assert report.ok
    assert any("which no example declares" in note for note in report.notes)


class MeanOfThree(Function):
    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.shape_in = x.shape
        return np.mean(x)

    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(grad / 3, ctx.shape_in)


def test_a_length_that_stands_in_backward_is_found():
    assert check(MeanOfThree).verdict.value == "refuted"


class Peephole(Function):
    """One weight for each column, shared by the rows: that of a row is nobody's promise."""

    examples = [((2, 3), (3,))]

    @staticmethod
    def forward(ctx, cell, weights):
        ctx.save_for_backward(cell, weights)
        return np.tanh(cell * weights)

    @staticmethod
    def backward(ctx, grad):
        cell, weights = ctx.saved_tensors
        slope = grad * (1 - np.tanh(cell * weights) ** 2)
        return slope * weights, np.sum(slope * cell, axis=0)


def test_broadcasting_is_held_to_what_examples_show():
    assert check(Peephole).ok


def pooled(x):
    n = len(x) // 2
    return x[: 2 * n].reshape(n, 2).sum(axis=1) ** 2


@pytest.mark.parametrize("dropped", [0.0, 1.0])
def test_a_length_that_examples_leave_open_may_be_odd(dropped):
    def vjp(x, grad_output):
        out = np.full_like(x, dropped)
        n = len(x) // 2
        slopes = 2 * x[: 2 * n].reshape(n, 2).sum(axis=1) * grad_output
        out[: 2 * n] = np.repeat(slopes, 2)
        return out

    report = check(pooled, vjp=vjp, examples=[((4,),), ((6,),)])
    assert report.ok is not dropped, str(report)
    # Of one length alone nobody said that it may be another.
    assert check(pooled, vjp=vjp, examples=[((4,),)]).ok


@pytest.mark.parametrize("of_three", [False, True])
def test_a_number_of_axes_that_examples_leave_open(of_three):
    def vjp(x, grad_output):
        axis = 0 if of_three and x.ndim == 3 else -1
        return np.flip(np.cumsum(np.flip(grad_output, axis), axis=axis), axis)

    report = check(lambda x: np.cumsum(x, axis=-1), vjp=vjp, examples=[((3,),), ((2, 3),)])
    assert report.ok is not of_three, str(report)


@pytest.mark.parametrize("added", [True, False])
@pytest.mark.parametrize("index", [[2, 0, 3], [3, 3, 1]])
def test_an_index_may_come_twice(index, added):
    def vjp(table, index, grad_output):
        out = np.zeros_like(table)
        if added:
            np.add.at(out, index, grad_output)
        else:
            out[index] += grad_output
        return out

    report = check(lambda t, i: t[i], vjp=vjp, examples=[((4, 2), np.array(index))])
    assert report.ok is added, str(report)


@pytest.mark.parametrize("index", [[2, 0, 1], [0, 1, 3]])
def test_an_order_and_ends_of_rows_come_once(index):
    def vjp(x, index, grad_output):
        out = np.zeros_like(x)
        out[index] = grad_output
        return out

    length = 3 if sorted(index) == [0, 1, 2] else 4
    assert check(lambda x, i: x[i], vjp=vjp, examples=[((length,), np.array(index))]).ok


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("subject", "grad", "wrong"),
    [
        (
            lambda x: np.mean(x**3),
            lambda x: 3 * x**2 / len(x),
            lambda x: 3 * x**2 / (len(x) % 256),
        ),
        (
            lambda x: np.sum(np.sin(x) ** 2),
            lambda x: np.sin(2 * x),
            lambda x: np.sin(2 * x) * (np.arange(len(x)) < 256),
        ),
    ],
)
def test_what_ends_at_a_length_that_no_example_has(subject, grad, wrong, right):
    report = check(subject, grad=grad if right else wrong, examples=[((3,),)])
    assert report.ok is right, str(report)
