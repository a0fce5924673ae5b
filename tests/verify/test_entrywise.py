"""Functions of single entries: examined in full at one entry, and no less at other shapes."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from autodiff import Function


def huber(x, *, delta):
    small = np.abs(x) <= delta
    return np.where(small, 0.5 * x**2, delta * (np.abs(x) - 0.5 * delta))


class Huber(Function):
    examples = [((4,), {"delta": 1.0}), ((4,), {"delta": 0.5})]

    @staticmethod
    def forward(ctx, x, *, delta):
        ctx.save_for_backward(x)
        ctx.delta = delta
        return huber(x, delta=delta)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.clip(x, -ctx.delta, ctx.delta)


class WrongForFour(Huber):
    """Wrong in a narrow cell at the declared length alone."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        right = grad * np.clip(x, -ctx.delta, ctx.delta)
        if x.size == 4:
            right = np.where((x > 7.0) & (x < 7.1), 2 * right, right)
        return right


class WrongForHalf(Huber):
    """Wrong in a narrow cell of one setting alone."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        right = grad * np.clip(x, -ctx.delta, ctx.delta)
        if ctx.delta < 1:
            right = np.where((x > 7.0) & (x < 7.1), 2 * right, right)
        return right


class WrongWhereTwoAgree(Huber):
    """No function of single entries: backward compares two of them."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        right = grad * np.clip(x, -ctx.delta, ctx.delta)
        if x.size > 1 and x.flat[0] > x.flat[1] + 9:
            right = 2 * right
        return right


class LengthMatters(Function):
    """Entry by entry, but with a factor that is the length: one entry says nothing of four."""

    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.abs(x) / x.size

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 * np.abs(x) / x.size


def test_one_entry_is_enough_to_explore():
    report = verify.check(Huber)
    assert report.verdict == verify.Verdict.PROVED
    assert report.scope == "at every shape"
    assert report.cells["explored"] < 60


def test_a_factor_that_is_the_length_is_not_proved_at_every_shape():
    report = verify.check(LengthMatters)
    assert report.verdict == verify.Verdict.PROVED
    assert report.scope != "at every shape"


@pytest.mark.parametrize("wrong", [WrongForFour, WrongForHalf, WrongWhereTwoAgree])
@pytest.mark.parametrize("seed", range(3))
def test_what_other_shapes_and_settings_decide_is_explored_there(wrong, seed):
    assert verify.check(wrong, seed=seed).verdict == verify.Verdict.REFUTED


class Square(Function):
    """No examples: shapes are guessed."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class WrongForThreeAxes(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2.0 if x.ndim != 3 else 3.0) * grad * x


class WrongBeyondABuffer(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = 2 * grad * x
        out.ravel()[40:] = 0
        return out


class WrongForLongArrays(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2.0 if x.size < 1000 else 1.0) * grad * x


class InBlocks(Square):
    """Right, in blocks of 32 entries."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.empty(x.size)
        for k in range(0, x.size, 32):
            out[k : k + 32] = 2 * grad.reshape(-1)[k : k + 32] * x.reshape(-1)[k : k + 32]
        return out.reshape(x.shape)


@pytest.mark.parametrize("wrong", [WrongForThreeAxes, WrongBeyondABuffer, WrongForLongArrays])
def test_what_rank_and_length_decide_is_seen(wrong):
    assert verify.check(wrong).verdict == verify.Verdict.REFUTED


@pytest.mark.parametrize("right", [Square, InBlocks])
def test_what_holds_at_every_rank_and_length_is_said_to(right):
    report = verify.check(right)
    assert report.verdict == verify.Verdict.PROVED
    assert report.scope == "at every shape"


class WrongFarOutForSeveral(Square):
    """Right for one entry: beyond 5 the factor is the number of entries."""

    examples = [((4,),)]

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x * np.where(x > 5, x.size, 1)


class WrongInANarrowPlaceForSeveral(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x * np.where((x > 7) & (x < 7.1), x.size, 1)


@pytest.mark.parametrize("wrong", [WrongFarOutForSeveral, WrongInANarrowPlaceForSeveral])
def test_branches_of_single_entries_are_taken_at_other_shapes_too(wrong):
    assert verify.check(wrong).verdict == verify.Verdict.REFUTED
