"""Keywords, masks, labels, several outputs, complex numbers and double backward: right, or wrong for one kind alone."""
# ruff: noqa: E501

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"second: {name}", kind, lie, twin, options, why=why))


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"second: {name}", kind, twin, why, **options))


class Masked(Function):
    """The mean of squares over a boolean mask."""

    @staticmethod
    def forward(ctx, x, *, mask=None):
        ctx.save_for_backward(x)
        ctx.mask = np.ones(x.shape, bool) if mask is None else mask
        return (x[ctx.mask] ** 2).sum() / max(ctx.mask.sum(), 1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(ctx.mask, 2 * grad * x / max(ctx.mask.sum(), 1), 0)

    examples = [
        ((3,),),
        ((3,), {"mask": np.array([True, False, True])}),
        ((2,), {"mask": np.array([False, False])}),
    ]


class MaskedMean(Masked):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(ctx.mask, 2 * grad * x / x.size, 0)


add("masked mean: count", "algebra", MaskedMean, Masked, "divided by the count of all")


class Labelled(Function):
    """Cross entropy with integer labels as an argument, an ignored label and smoothing."""

    @staticmethod
    def forward(ctx, x, labels, *, ignore=-1, smoothing=0.0):
        keep = labels != ignore
        n = max(keep.sum(), 1)
        target = np.full(x.shape, smoothing / x.shape[1])
        target[np.arange(len(x)), np.where(keep, labels, 0)] += 1 - smoothing
        ctx.target = np.where(keep[:, None], target, 0.0) / n
        ctx.save_for_backward(x)
        return -(ctx.target * special.log_softmax(x, axis=1)).sum()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        t = ctx.target
        return grad * (special.softmax(x, axis=1) * t.sum(axis=1, keepdims=True) - t), None

    examples = [
        ((2, 3), np.array([0, 2])),
        ((3, 2), np.array([1, -1, 0])),
        ((2, 2), np.array([1, 0]), {"smoothing": 0.1}),
    ]


class LabelledIgnored(Labelled):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        t = ctx.target
        return grad * (special.softmax(x, axis=1) / max((t.sum(axis=1) > 0).sum(), 1) - t), None


add(
    "labels: ignored rows",
    "algebra",
    LabelledIgnored,
    Labelled,
    "ignored rows are still pushed to uniform",
)


class MaxWithIndex(Function):
    """Maximum along the last axis and its index, an integer output."""

    @staticmethod
    def forward(ctx, x):
        i = x.argmax(axis=-1)
        ctx.i, ctx.shape = i, x.shape
        return x.max(axis=-1), i

    @staticmethod
    def backward(ctx, grad, grad_index):
        out = np.zeros(ctx.shape)
        np.put_along_axis(out, ctx.i[..., None], grad[..., None], axis=-1)
        return out

    examples = [((3,),), ((2, 3),)]


class MaxWithIndexFirst(MaxWithIndex):
    @staticmethod
    def backward(ctx, grad, grad_index):
        out = np.zeros(ctx.shape)
        if out.ndim == 1:
            out[ctx.i] = grad
        else:
            out[np.arange(len(out)), ctx.i[::-1]] = grad[::-1]
        return out


add(
    "maximum with index: rows",
    "cells",
    MaxWithIndexFirst,
    MaxWithIndex,
    "the indices of the rows in reverse",
)


class MeanVar(Function):
    """Mean and variance as two outputs, with the mean's gradient through both."""

    @staticmethod
    def forward(ctx, x, *, ddof=0):
        ctx.save_for_backward(x)
        ctx.ddof = ddof
        return x.mean(), x.var(ddof=ddof)

    @staticmethod
    def backward(ctx, gm, gv):
        (x,) = ctx.saved_tensors
        return np.full(x.shape, gm / x.size) + gv * 2 * (x - x.mean()) / (x.size - ctx.ddof)

    examples = [((3,),), ((4,), {"ddof": 1})]


class MeanVarDefault(MeanVar):
    @staticmethod
    def backward(ctx, gm, gv):
        (x,) = ctx.saved_tensors
        if gm is None or np.all(gm == 0):
            return gv * 2 * (x - x.mean()) / x.size
        return np.full(x.shape, gm / x.size) + gv * 2 * (x - x.mean()) / (x.size - ctx.ddof)


add(
    "mean and variance: the mean's upstream zero",
    "contract",
    MeanVarDefault,
    MeanVar,
    "without an upstream gradient of the mean the correction of the count is left out",
)


class Clip(Function):
    """Clip with optional bounds, None for no bound."""

    @staticmethod
    def forward(ctx, x, *, lo=None, hi=None):
        ctx.save_for_backward(x)
        ctx.lo, ctx.hi = lo, hi
        return np.clip(x, lo, hi)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        on = np.ones(x.shape, bool)
        if ctx.lo is not None:
            on &= x >= ctx.lo
        if ctx.hi is not None:
            on &= x <= ctx.hi
        return grad * on

    examples = [((3,), {"lo": -0.1}), ((3,), {"hi": 0.7}), ((2,), {"lo": 0, "hi": 1})]


class ClipFalsy(Clip):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        on = np.ones(x.shape, bool)
        if ctx.lo:
            on &= x >= ctx.lo
        if ctx.hi:
            on &= x <= ctx.hi
        return grad * on


add("clip: a bound of zero", "cells", ClipFalsy, Clip, "a bound of 0 is taken for no bound")


class SumAll(Function):
    """The sum of any number of arrays, weighted by position."""

    @staticmethod
    def forward(ctx, *xs):
        ctx.save_for_backward(*xs)
        return sum((k + 1) * np.sin(x) for k, x in enumerate(xs))

    @staticmethod
    def backward(ctx, grad):
        return tuple((k + 1) * grad * np.cos(x) for k, x in enumerate(ctx.saved_tensors))

    examples = [((2,),), ((2,), (2,)), ((2,), (2,), (2,), (2,))]


class SumAllThree(SumAll):
    @staticmethod
    def backward(ctx, grad):
        return tuple(min(k + 1, 3) * grad * np.cos(x) for k, x in enumerate(ctx.saved_tensors))


add("any number: the fourth", "algebra", SumAllThree, SumAll, "weights beyond the third are three")


class PowerKeyword(Function):
    """|x|^p with an integer or a real p as keyword."""

    @staticmethod
    def forward(ctx, x, *, p=2):
        ctx.save_for_backward(x)
        ctx.p = p
        return np.abs(x) ** p

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.p * np.abs(x) ** (ctx.p - 1) * np.sign(x)

    examples = [((2,), {"p": 2}), ((2,), {"p": 3}), ((2,), {"p": 1.5}), ((2,), {"p": 1})]


class PowerKeywordEven(PowerKeyword):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (
            grad
            * ctx.p
            * (
                x ** (ctx.p - 1)
                if ctx.p % 2 == 0
                else np.abs(x) ** (ctx.p - 1)
                * (np.sign(x) + (x == 0) * (ctx.p > 1))
                * (1 if ctx.p != 3 else np.sign(x))
            )
        )


add(
    "power of the modulus: three",
    "cells",
    PowerKeywordEven,
    PowerKeyword,
    "the sign is lost for p = 3",
)


class Swish(Function):
    """x sigma(b x), both arguments differentiated twice."""

    @staticmethod
    def forward(ctx, x, b):
        ctx.save_for_backward(x, b)
        return x * special.expit(b * x)

    @staticmethod
    def backward(ctx, grad):
        x, b = ctx.saved_tensors
        s = special.expit(b * x)
        return grad * s * (1 + b * x * (1 - s)), grad * x * x * s * (1 - s)

    examples = [((), ()), ((3,), (3,))]


class SwishConstant(Swish):
    @staticmethod
    def forward(ctx, x, b):
        ctx.save_for_backward(x, b)
        ctx.s = special.expit(b * x)
        return x * ctx.s

    @staticmethod
    def backward(ctx, grad):
        x, b = ctx.saved_tensors
        s = special.expit(b * x)
        return grad * s * (1 + b * x * (1 - s)), grad * x * x * s * (1 - ctx.s)


add(
    "second order: swish in its slope",
    "second_order",
    SwishConstant,
    Swish,
    "one factor of the second gradient is an attribute",
    order=2,
)


class Huberised(Function):
    """Huber's loss at 0.7, second order: a step at the knee."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        a = np.abs(x)
        return np.where(a <= 0.7, 0.5 * x * x, 0.7 * (a - 0.35))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.clip(x, -0.7, 0.7)


right(
    "second order: huber at 0.7",
    "second_order",
    Huberised,
    "the second derivative jumps at the knee",
    order=2,
)


class LogSumExp(Function):
    """Second order through the output."""

    @staticmethod
    def forward(ctx, x):
        y = special.logsumexp(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * np.exp(x - y)

    examples = [((3,),)]


class LogSumExpInput(LogSumExp):
    @staticmethod
    def forward(ctx, x):
        y = special.logsumexp(x)
        ctx.save_for_backward(x, y * 1.0)
        return y


add(
    "second order: logsumexp by a copy of the output",
    "second_order",
    LogSumExpInput,
    LogSumExp,
    "what is saved is not the output",
    order=2,
)


class Bilinear(Function):
    """x' A y with three arguments, order 2."""

    @staticmethod
    def forward(ctx, x, a, y):
        ctx.save_for_backward(x, a, y)
        return x @ a @ y

    @staticmethod
    def backward(ctx, grad):
        x, a, y = ctx.saved_tensors
        return grad * (a @ y), grad * np.outer(x, y), grad * (x @ a)

    examples = [((2,), (2, 3), (3,))]


class BilinearDetached(Bilinear):
    @staticmethod
    def forward(ctx, x, a, y):
        ctx.save_for_backward(x, a, y)
        ctx.outer = np.outer(x, y)
        return x @ a @ y

    @staticmethod
    def backward(ctx, grad):
        x, a, y = ctx.saved_tensors
        return grad * (a @ y), grad * ctx.outer, grad * (x @ a)


add(
    "second order: bilinear, outer product kept",
    "second_order",
    BilinearDetached,
    Bilinear,
    "mixed second derivatives are lost on one side",
    order=2,
)
