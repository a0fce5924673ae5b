"""Lengths that no example declares: judged where entries play one role, else not."""

import numpy as np

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
