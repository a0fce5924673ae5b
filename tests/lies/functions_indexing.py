"""Indices and windows: repeated indices, padding, pooling, convolution, interpolation."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []


def add(name, kind, lie, twin, why):
    CASES.append(Case(name, kind, lie, twin, why=why))


class Take(Function):
    """Rows by index, repeated ones included."""

    examples = [((4,), {"index": [0, 2, 2]}), ((4, 2), {"index": [1, 1, 3]})]

    @staticmethod
    def forward(ctx, x, *, index):
        ctx.shape, ctx.index = x.shape, np.asarray(index, dtype=int)
        return x[ctx.index]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.add.at(out, ctx.index, grad)
        return out


class TakeAssigned(Take):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        out[ctx.index] = grad
        return out


class TakeBuffered(Take):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        out[ctx.index] += grad
        return out


class TakeCounted(Take):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.add.at(out, ctx.index, grad)
        count = np.bincount(ctx.index, minlength=len(out)).clip(1)
        return (out.T / count).T


add(
    "take: assigned",
    "algebra",
    TakeAssigned,
    Take,
    "`=` instead of `+=`: of repeated indices only the last counts",
)
add(
    "take: buffered add",
    "algebra",
    TakeBuffered,
    Take,
    "`out[index] += grad` adds a repeated index once: np.add.at is needed",
)
add(
    "take: averaged",
    "algebra",
    TakeCounted,
    Take,
    "repeated rows get the mean of their gradients, as with scale_grad_by_freq of an embedding",
)


class Embedding(Function):
    """Rows of a table, with a padding row that gets no gradient by definition of forward."""

    examples = [((5, 2), {"index": [1, 0, 1, 4]})]

    @staticmethod
    def forward(ctx, table, *, index):
        ctx.shape, ctx.index = table.shape, np.asarray(index, dtype=int)
        return np.where((ctx.index == 0)[:, None], 0.0, table[ctx.index])

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        for row, i in enumerate(ctx.index):
            if i != 0:
                out[i] += grad[row]
        return out


class EmbeddingPadding(Embedding):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.add.at(out, ctx.index, grad)
        return out


add(
    "embedding: padding row",
    "algebra",
    EmbeddingPadding,
    Embedding,
    "the padding row, constant in forward, gets a gradient",
)


class LastByNegative(Function):
    """An entry by its index, which may be negative."""

    examples = [((4,), {"index": -1}), ((4,), {"index": 2})]

    @staticmethod
    def forward(ctx, x, *, index):
        ctx.n, ctx.index = len(x), index
        return x[index]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[ctx.index] = grad
        return out


class LastByNegativeClipped(LastByNegative):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[max(ctx.index, 0)] = grad
        return out


add(
    "getitem: negative index",
    "algebra",
    LastByNegativeClipped,
    LastByNegative,
    "a negative index is clipped to 0",
)


class Scatter(Function):
    """Add updates to a copy of a vector."""

    examples = [((4,), (3,), {"index": [3, 0, 3]})]

    @staticmethod
    def forward(ctx, x, update, *, index):
        out = x.copy()
        ctx.index, ctx.shape = np.asarray(index, dtype=int), update.shape
        np.add.at(out, ctx.index, update)
        return out

    @staticmethod
    def backward(ctx, grad):
        return grad, unbroadcast(grad[ctx.index], ctx.shape)


class ScatterLikeAssignment(Scatter):
    @staticmethod
    def backward(ctx, grad):
        first = grad.copy()
        first[ctx.index] = 0
        return first, grad[ctx.index]


add(
    "scatter add: like assignment",
    "algebra",
    ScatterLikeAssignment,
    Scatter,
    "the target's gradient is zeroed at the indices, as if they had been overwritten",
)


class Convolve(Function):
    examples = [((5,), (3,))]

    @staticmethod
    def forward(ctx, x, kernel):
        if len(kernel) > len(x):
            raise ValueError("the kernel is longer than the signal")
        ctx.save_for_backward(x, kernel)
        return np.convolve(x, kernel, mode="valid")

    @staticmethod
    def backward(ctx, grad):
        x, kernel = ctx.saved_tensors
        return np.convolve(grad, kernel[::-1]), np.convolve(x[::-1], grad, mode="valid")


class ConvolveNotFlipped(Convolve):
    @staticmethod
    def backward(ctx, grad):
        x, kernel = ctx.saved_tensors
        return np.convolve(grad, kernel), np.convolve(x[::-1], grad, mode="valid")


class ConvolveKernelFlipped(Convolve):
    @staticmethod
    def backward(ctx, grad):
        x, kernel = ctx.saved_tensors
        return np.convolve(grad, kernel[::-1]), np.convolve(x[::-1], grad, mode="valid")[::-1]


add(
    "convolve: kernel not flipped",
    "algebra",
    ConvolveNotFlipped,
    Convolve,
    "the signal's gradient is a correlation with the kernel, not a convolution",
)
add(
    "convolve: kernel's gradient flipped",
    "algebra",
    ConvolveKernelFlipped,
    Convolve,
    "the kernel's gradient comes out in reverse order; right for symmetric ones",
)


class MaxPool(Function):
    """Maxima of windows of two, one step apart."""

    examples = [((5,),), ((2,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x[:-1], x[1:])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        for i in range(len(grad)):
            out[i if x[i] >= x[i + 1] else i + 1] += grad[i]
        return out


class MaxPoolOverwrites(MaxPool):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        for i in range(len(grad)):
            out[i if x[i] >= x[i + 1] else i + 1] = grad[i]
        return out


add(
    "max pool: overlapping windows",
    "cells",
    MaxPoolOverwrites,
    MaxPool,
    "an entry that is the maximum of two windows gets the later gradient alone",
)


class AvgPool(Function):
    """Means of windows of three with zero padding that is not counted."""

    examples = [((5,),), ((2,),)]

    @staticmethod
    def forward(ctx, x):
        n = len(x)
        ctx.n = n
        return np.array([x[max(i - 1, 0) : i + 2].mean() for i in range(n)])

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for i in range(ctx.n):
            window = slice(max(i - 1, 0), min(i + 2, ctx.n))
            out[window] += grad[i] / (window.stop - window.start)
        return out


class AvgPoolCountsPadding(AvgPool):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for i in range(ctx.n):
            out[max(i - 1, 0) : i + 2] += grad[i] / 3
        return out


add(
    "average pool: edges",
    "algebra",
    AvgPoolCountsPadding,
    AvgPool,
    "at the edges the padding is counted: divided by three where the window holds two",
)


class Interpolate(Function):
    """Linear interpolation between the knots 0, 1, 2, ..., constant outside."""

    examples = [((3,), (4,))]

    @staticmethod
    def forward(ctx, x, y):
        i = np.clip(np.floor(x), 0, len(y) - 2).astype(int)
        t = np.clip(x - i, 0, 1)
        ctx.save_for_backward(x, y)
        ctx.i = i
        return (1 - t) * y[i] + t * y[i + 1]

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        i, t = ctx.i, np.clip(x - ctx.i, 0, 1)
        inside = (x >= 0) & (x <= len(y) - 1)
        out = np.zeros(len(y))
        np.add.at(out, i, grad * (1 - t))
        np.add.at(out, i + 1, grad * t)
        return np.where(inside, grad * (y[i + 1] - y[i]), 0.0), out


class InterpolateOutside(Interpolate):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        i, t = ctx.i, np.clip(x - ctx.i, 0, 1)
        out = np.zeros(len(y))
        np.add.at(out, i, grad * (1 - t))
        np.add.at(out, i + 1, grad * t)
        return grad * (y[i + 1] - y[i]), out


class InterpolateAssigned(Interpolate):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        i, t = ctx.i, np.clip(x - ctx.i, 0, 1)
        inside = (x >= 0) & (x <= len(y) - 1)
        out = np.zeros(len(y))
        out[i] += grad * (1 - t)
        out[i + 1] += grad * t
        return np.where(inside, grad * (y[i + 1] - y[i]), 0.0), out


add(
    "interpolate: outside",
    "cells",
    InterpolateOutside,
    Interpolate,
    "outside of the knots, where the value is constant, the slope of the last interval is returned",
)
add(
    "interpolate: shared interval",
    "cells",
    InterpolateAssigned,
    Interpolate,
    "two points in one interval: their gradients overwrite each other in the table",
)
