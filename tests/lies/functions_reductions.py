"""Reductions: ties, zeros in a product, orders, norms and deviations at zero."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []
AXES = [((3, 4), {"axis": 0}), ((3, 4), {"axis": 1}), ((3, 3), {"axis": 1}), ((3, 3), {"axis": -1})]


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(name, kind, lie, twin, options, why=why))


class Std(Function):
    examples = [((4,),), ((2, 3),)]

    @staticmethod
    def forward(ctx, x):
        centred = x - x.mean()
        std = np.sqrt((centred**2).mean())
        ctx.save_for_backward(centred, std)
        return std

    @staticmethod
    def backward(ctx, grad):
        centred, std = ctx.saved_tensors
        if std == 0:
            return np.zeros_like(centred)
        return grad * centred / (centred.size * std)


class StdZero(Std):
    @staticmethod
    def backward(ctx, grad):
        centred, std = ctx.saved_tensors
        with np.errstate(invalid="ignore"):
            return grad * centred / (centred.size * std)


class StdTwo(Std):
    @staticmethod
    def backward(ctx, grad):
        centred, std = ctx.saved_tensors
        if std == 0:
            return np.zeros_like(centred)
        return 2 * grad * centred / (centred.size * std)


add("std: NaN on constants", "cells", StdZero, Std, "0/0 where all entries are equal")
add(
    "std: factor of the variance",
    "algebra",
    StdTwo,
    Std,
    "the 2 of the variance is not cancelled by the 1/2 of the root",
)


class Max(Function):
    examples = [((4,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.max()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        mask = x == x.max()
        return grad * mask / mask.sum()


class MaxAllTied(Max):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x == x.max())


class MaxNearlyTied(Max):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        mask = np.abs(x - x.max()) < 1e-3
        return grad * mask / mask.sum()


add(
    "max: every tie in full",
    "cells",
    MaxAllTied,
    Max,
    "each of the tied entries gets the whole gradient",
)
add(
    "max: near ties",
    "cells",
    MaxNearlyTied,
    Max,
    "entries within 1e-3 of the maximum share its gradient though they are not equal to it",
)


class MaxAxis(Function):
    examples = [((3, 4), {"axis": 0}), ((3, 4), {"axis": 1}), ((3, 3), {"axis": -1})]

    @staticmethod
    def forward(ctx, x, *, axis):
        index = np.expand_dims(x.argmax(axis=axis), axis)
        ctx.index, ctx.axis, ctx.shape = index, axis, x.shape
        return np.take_along_axis(x, index, axis).squeeze(axis)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.put_along_axis(out, ctx.index, np.expand_dims(grad, ctx.axis), ctx.axis)
        return out


class MaxFlatIndex(MaxAxis):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        out.flat[ctx.index.ravel()] = grad
        return out


add(
    "max: flat index",
    "algebra",
    MaxFlatIndex,
    MaxAxis,
    "indices along an axis are used as indices of the flattened array",
)


class MinPair(Function):
    examples = [((), ()), ((3,), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.minimum(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        first = np.where(x < y, 1.0, np.where(x == y, 0.5, 0.0))
        return unbroadcast(grad * first, x.shape), unbroadcast(grad * (1 - first), y.shape)


class MinPairBothWhole(MinPair):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * (x <= y), x.shape), unbroadcast(grad * (y <= x), y.shape)


class MinPairNeither(MinPair):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * (x < y), x.shape), unbroadcast(grad * (y < x), y.shape)


add(
    "minimum: both at a tie",
    "cells",
    MinPairBothWhole,
    MinPair,
    "both arguments get the whole gradient where they are equal",
)
add(
    "minimum: neither at a tie",
    "cells",
    MinPairNeither,
    MinPair,
    "no argument gets a gradient where they are equal: (0, 0) is no subgradient of the minimum",
)


class Product(Function):
    examples = [((4,),), ((1,),), ((2, 2),)]
    domain = {"x": (-1e6, 1e6)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.prod()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        flat = x.ravel()
        left = np.concatenate([[1.0], np.cumprod(flat)])[:-1]
        right = np.concatenate([[1.0], np.cumprod(flat[::-1])])[:-1][::-1]
        return grad * (left * right).reshape(x.shape)


class ProductByDivision(Product):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(divide="ignore", invalid="ignore"):
            return grad * x.prod() / x


class ProductZeroPatched(Product):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x.prod() / np.where(x == 0, 1, x)


add("prod: divided by the entry", "cells", ProductByDivision, Product, "0/0 where an entry is zero")
add(
    "prod: zero replaced by one",
    "cells",
    ProductZeroPatched,
    Product,
    "where exactly one entry is zero its gradient, the product of the others, is returned as 0",
)


class Norm(Function):
    examples = [((3,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        return grad * x / r if r > 0 else np.zeros_like(x)


class NormZero(Norm):
    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        with np.errstate(invalid="ignore"):
            return grad * x / r


class NormZeroOnes(Norm):
    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        return grad * x / r if r > 0 else grad * np.ones_like(x)


add("norm: NaN at zero", "cells", NormZero, Norm, "0/0 for the zero vector")
add(
    "norm: ones at zero",
    "cells",
    NormZeroOnes,
    Norm,
    "at the zero vector a gradient of length sqrt(n), outside the unit ball of "
    "subgradients unless n == 1",
)


class PNorm(Function):
    examples = [((3,), {"p": 3}), ((3,), {"p": 2}), ((3,), {"p": 1})]
    domain = {"x": (0.1, 10)}

    @staticmethod
    def forward(ctx, x, *, p=2):
        y = (np.abs(x) ** p).sum() ** (1 / p)
        ctx.save_for_backward(x, y)
        ctx.p = p
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * np.sign(x) * (np.abs(x) / y) ** (ctx.p - 1)


class PNormTwoShortcut(PNorm):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        if ctx.p == 2:
            return grad * x
        return grad * np.sign(x) * (np.abs(x) / y) ** (ctx.p - 1)


class PNormOneShortcut(PNorm):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        if ctx.p == 1:
            return grad * x / y
        return grad * np.sign(x) * (np.abs(x) / y) ** (ctx.p - 1)


add(
    "p-norm: shortcut for 2",
    "cells",
    PNormTwoShortcut,
    PNorm,
    "the branch for p == 2 forgets to divide by the norm",
)
add(
    "p-norm: shortcut for 1",
    "cells",
    PNormOneShortcut,
    PNorm,
    "the branch for p == 1 returns x/y instead of the sign",
)


class Median(Function):
    examples = [((4,),), ((5,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.median(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        order = np.argsort(x, kind="stable")
        middle = order[(len(x) - 1) // 2 : len(x) // 2 + 1]
        out = np.zeros(len(x))
        out[middle] = grad / len(middle)
        return out


class MedianEven(Median):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        out[np.argsort(x, kind="stable")[len(x) // 2]] = grad
        return out


add(
    "median: even length",
    "cells",
    MedianEven,
    Median,
    "for an even number of entries the upper of the two middle entries gets the whole gradient",
)


class Sort(Function):
    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.order = np.argsort(x, kind="stable")
        return x[ctx.order]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(len(grad))
        out[ctx.order] = grad
        return out


class SortNotInverted(Sort):
    @staticmethod
    def backward(ctx, grad):
        return grad[ctx.order]


add(
    "sort: permutation not inverted",
    "cells",
    SortNotInverted,
    Sort,
    "the permutation is applied again instead of inverted; right for every permutation "
    "of order two",
)


class Range(Function):
    """Largest minus smallest entry."""

    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.max(x) - np.min(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        out[np.argmax(x)] += grad
        out[np.argmin(x)] -= grad
        return out


class RangeOverwrites(Range):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        out[np.argmax(x)] = grad
        out[np.argmin(x)] = -grad
        return out


add(
    "range: overwritten",
    "cells",
    RangeOverwrites,
    Range,
    "where all entries are equal largest and smallest are one entry, whose two gradients "
    "overwrite instead of cancelling",
)
