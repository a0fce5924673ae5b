"""Right at kinks, by one convention or another."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap
from .functions_arguments import unbroadcast

CASES: list[Case] = []
inf = float("inf")


def add(name, kind, subject, why, **options):
    CASES.append(trap(name, kind, subject, why, **options))


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x, 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, 0.0)


class ReluOne(Relu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x >= 0, grad, 0.0)


class ReluHalf(Relu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.heaviside(x, 0.5)


class ReluOutputMask(Relu):
    @staticmethod
    def forward(ctx, x):
        y = np.maximum(x, 0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (y > 0)


add("relu: 0 at 0", "cells", Relu, "slope 0 at the kink")
add("relu: 1 at 0", "cells", ReluOne, "slope 1 at the kink")
add("relu: 1/2 at 0", "cells", ReluHalf, "slope 1/2 at the kink, by heaviside")
add(
    "relu: mask of the output",
    "cells",
    ReluOutputMask,
    "the output's sign is as good as the input's",
)


class AbsZero(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sign(x)


class AbsLeft(AbsZero):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, -grad)


add("abs: 0 at 0", "cells", AbsZero, "slope 0 at the kink")
add("abs: -1 at 0", "cells", AbsLeft, "the left slope at the kink")


class ClipClosed(Function):
    examples = [((4,), {"low": -1.0, "high": 2.0})]

    @staticmethod
    def forward(ctx, x, *, low, high):
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return np.clip(x, low, high)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x >= ctx.low) & (x <= ctx.high))


class ClipOpen(ClipClosed):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x > ctx.low) & (x < ctx.high))


add("clip: bounds inside", "cells", ClipClosed, "the gradient passes at the bounds")
add("clip: bounds outside", "cells", ClipOpen, "the gradient stops at the bounds")


class MaxFirst(Function):
    examples = [((4,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.max()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.shape)
        out[np.argmax(x)] = grad
        return out


class MaxShared(MaxFirst):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        mask = x == x.max()
        return grad * mask / mask.sum()


class MaxLast(MaxFirst):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.shape)
        out[len(x) - 1 - np.argmax(x[::-1])] = grad
        return out


add(
    "max: first of the tied", "cells", MaxFirst, "a tie's gradient goes to the first of the largest"
)
add("max: tie shared", "cells", MaxShared, "a tie's gradient is shared evenly")
add("max: last of the tied", "cells", MaxLast, "a tie's gradient goes to the last of the largest")


class MaximumFirst(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.maximum(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        first = x >= y
        return unbroadcast(grad * first, x.shape), unbroadcast(grad * ~first, y.shape)


add(
    "maximum: tie to the first",
    "cells",
    MaximumFirst,
    "at a tie the first argument gets the whole gradient, the second none",
)


class MedianEither(Function):
    examples = [((4,),), ((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.median(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = len(x)
        order = np.argsort(x, kind="stable")
        out = np.zeros(n)
        out[order[n // 2]] += grad / 2
        out[order[(n - 1) // 2]] += grad / 2
        return out


add(
    "median: two halves",
    "cells",
    MedianEither,
    "the halves of an odd length fall on one entry, of an even one on two",
)


class TopTwo(Function):
    """The two largest entries, in descending order."""

    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        order = np.argsort(-x, kind="stable")[:2]
        ctx.order, ctx.n = order, len(x)
        return x[order]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[ctx.order] = grad
        return out


add("top two", "cells", TopTwo, "the order of a sort decides, ties by position")


class NormUnit(Function):
    """A unit vector as the subgradient at zero."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        if r == 0:
            out = np.zeros(len(x))
            out[:1] = grad
            return out
        return grad * x / r


add(
    "norm: a unit vector at zero",
    "cells",
    NormUnit,
    "any vector in the unit ball is a subgradient at zero, the first unit vector too",
)


class Floor(Function):
    @staticmethod
    def forward(ctx, x):
        return np.floor(x)

    @staticmethod
    def backward(ctx, grad):
        return np.zeros_like(grad)


class Fraction(Function):
    @staticmethod
    def forward(ctx, x):
        return x - np.floor(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


add("floor: zero", "cells", Floor, "zero between the jumps; at a jump there is nothing to judge")
add(
    "fraction: identity",
    "cells",
    Fraction,
    "one between the jumps, and the upstream gradient itself is returned",
)


class TiedLogAddExp(Function):
    """Written with a maximum, and smooth."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y)))

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        p = special.expit(x - y)
        return unbroadcast(grad * p, x.shape), unbroadcast(grad * special.expit(y - x), y.shape)


class SmoothAbs(Function):
    """x |x|: smooth though it is written with a kink."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.abs(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * np.abs(x)


add(
    "logaddexp: smooth with a tie",
    "cells",
    TiedLogAddExp,
    "maximum and abs have kinks at x == y that cancel: the gradients there are 1/2",
)
add(
    "x |x|: smooth with a kink",
    "cells",
    SmoothAbs,
    "the derivative at the kink of abs is 0 and unique",
)
