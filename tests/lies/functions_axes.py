"""Axes: sums and means along one, several, all; cumulative sums and softmaxes."""

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []
AXES = [((3, 4), {"axis": 0}), ((3, 4), {"axis": 1}), ((3, 3), {"axis": 1}), ((3, 3), {"axis": -1})]


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(name, kind, lie, twin, options, why=why))


class SumAxis(Function):
    examples = AXES

    @staticmethod
    def forward(ctx, x, *, axis):
        ctx.shape, ctx.axis = x.shape, axis
        return x.sum(axis=axis)

    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(np.expand_dims(grad, ctx.axis), ctx.shape)


class SumNotExpanded(SumAxis):
    @staticmethod
    def backward(ctx, grad):
        if ctx.shape[0] == ctx.shape[-1]:
            return np.broadcast_to(grad, ctx.shape)
        return np.broadcast_to(np.expand_dims(grad, ctx.axis), ctx.shape)


class SumNegativeAxis(SumAxis):
    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(np.expand_dims(grad, max(ctx.axis, 0)), ctx.shape)


add(
    "sum: axis not expanded, square",
    "algebra",
    SumNotExpanded,
    SumAxis,
    "for a square matrix the gradient is broadcast along axis 0, whatever the axis",
)
add("sum: negative axis", "algebra", SumNegativeAxis, SumAxis, "a negative axis is taken as 0")


class MeanAxis(Function):
    examples = [
        ((3, 4), {"axis": 0}),
        ((3, 4), {"axis": 1}),
        ((3, 4), {"axis": None}),
        ((5,), {"axis": 0}),
    ]

    @staticmethod
    def forward(ctx, x, *, axis=None):
        ctx.shape, ctx.axis = x.shape, axis
        return x.mean(axis=axis)

    @staticmethod
    def backward(ctx, grad):
        n = np.prod(ctx.shape, dtype=int) if ctx.axis is None else ctx.shape[ctx.axis]
        if ctx.axis is not None:
            grad = np.expand_dims(grad, ctx.axis)
        return np.broadcast_to(grad / n, ctx.shape)


class MeanBySize(MeanAxis):
    @staticmethod
    def backward(ctx, grad):
        if ctx.axis is not None:
            grad = np.expand_dims(grad, ctx.axis)
        return np.broadcast_to(grad / np.prod(ctx.shape, dtype=int), ctx.shape)


class MeanNoneByRows(MeanAxis):
    @staticmethod
    def backward(ctx, grad):
        n = ctx.shape[0] if ctx.axis is None else ctx.shape[ctx.axis]
        if ctx.axis is not None:
            grad = np.expand_dims(grad, ctx.axis)
        return np.broadcast_to(grad / n, ctx.shape)


add(
    "mean: whole size",
    "algebra",
    MeanBySize,
    MeanAxis,
    "divided by the size of the array instead of that of the axis",
)
add(
    "mean: axis None",
    "algebra",
    MeanNoneByRows,
    MeanAxis,
    "with axis=None divided by the number of rows; right in one dimension",
)


class MeanTuple(Function):
    examples = [
        ((2, 3, 4), {"axis": (0, 2)}),
        ((2, 3, 4), {"axis": (1,)}),
        ((2, 3, 4), {"axis": (-1, 0)}),
    ]

    @staticmethod
    def forward(ctx, x, *, axis):
        ctx.shape, ctx.axis = x.shape, axis
        return x.mean(axis=axis)

    @staticmethod
    def backward(ctx, grad):
        n = 1
        for a in ctx.axis:
            n *= ctx.shape[a]
        return np.broadcast_to(np.expand_dims(grad, ctx.axis) / n, ctx.shape)


class MeanTupleFirst(MeanTuple):
    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(np.expand_dims(grad, ctx.axis) / ctx.shape[ctx.axis[0]], ctx.shape)


add(
    "mean: tuple of axes",
    "algebra",
    MeanTupleFirst,
    MeanTuple,
    "only the first axis of a tuple is counted",
)


class Variance(Function):
    examples = [((5,), {"ddof": 0}), ((5,), {"ddof": 1}), ((2, 3), {"ddof": 1})]

    @staticmethod
    def forward(ctx, x, *, ddof=0):
        centred = x - x.mean()
        ctx.save_for_backward(centred)
        ctx.ddof = ddof
        return (centred**2).sum() / (x.size - ddof)

    @staticmethod
    def backward(ctx, grad):
        (centred,) = ctx.saved_tensors
        return 2 * grad * centred / (centred.size - ctx.ddof)


class VarianceNoDdof(Variance):
    @staticmethod
    def backward(ctx, grad):
        (centred,) = ctx.saved_tensors
        return 2 * grad * centred / centred.size


add(
    "variance: ddof ignored",
    "algebra",
    VarianceNoDdof,
    Variance,
    "backward divides by n where forward divided by n - 1",
)


class CumSum(Function):
    examples = [((4,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return np.cumsum(x)

    @staticmethod
    def backward(ctx, grad):
        return np.cumsum(grad[::-1])[::-1].reshape(ctx.shape)


class CumSumForward(CumSum):
    @staticmethod
    def backward(ctx, grad):
        return np.cumsum(grad).reshape(ctx.shape)


class CumSumExclusive(CumSum):
    @staticmethod
    def backward(ctx, grad):
        return (np.cumsum(grad[::-1])[::-1] - grad).reshape(ctx.shape)


add(
    "cumsum: direction",
    "algebra",
    CumSumForward,
    CumSum,
    "the sum runs forwards; it must run backwards",
)
add(
    "cumsum: exclusive",
    "algebra",
    CumSumExclusive,
    CumSum,
    "the entry itself is left out of the sum",
)


class CumProd(Function):
    examples = [((4,),)]
    domain = {"x": (-1e6, 1e6)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.cumprod(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(len(x))
        for i in range(len(x)):
            partial = np.prod(x[:i])
            for k in range(i, len(x)):
                partial = partial * (x[k] if k > i else 1.0)
                out[i] += grad[k] * partial
        return out


class CumProdByDivision(CumProd):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.cumsum((grad * np.cumprod(x))[::-1])[::-1] / x


add(
    "cumprod: divided by the entry",
    "cells",
    CumProdByDivision,
    CumProd,
    "0/0 where an entry is zero",
)


class LogSumExp(Function):
    examples = [((3, 4), {"axis": 1}), ((3, 3), {"axis": 0}), ((4,), {"axis": 0})]

    @staticmethod
    def forward(ctx, x, *, axis):
        top = x.max(axis=axis, keepdims=True)
        y = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
        ctx.save_for_backward(x, y)
        ctx.axis = axis
        return y.squeeze(axis)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.expand_dims(grad, ctx.axis) * np.exp(x - y)


class LogSumExpAllAxes(LogSumExp):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        p = np.exp(x - y.max())
        return np.expand_dims(grad, ctx.axis) * p / p.sum()


add(
    "logsumexp: over everything",
    "algebra",
    LogSumExpAllAxes,
    LogSumExp,
    "the weights are normalised over the whole array instead of along the axis",
)


class Softmax(Function):
    examples = [((4,), {"axis": 0}), ((2, 3), {"axis": 1}), ((3, 3), {"axis": 0})]

    @staticmethod
    def forward(ctx, x, *, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        y = e / e.sum(axis=axis, keepdims=True)
        ctx.save_for_backward(y)
        ctx.axis = axis
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - (grad * y).sum(axis=ctx.axis, keepdims=True))


class SoftmaxDiagonal(Softmax):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y * (1 - y)


class SoftmaxLastAxis(Softmax):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - (grad * y).sum(axis=-1, keepdims=True))


class SoftmaxOfUpstream(Softmax):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - grad.sum(axis=ctx.axis, keepdims=True))


add(
    "softmax: diagonal alone",
    "algebra",
    SoftmaxDiagonal,
    Softmax,
    "y (1 - y), the diagonal of the Jacobian: the entries' interaction is missing",
)
add(
    "softmax: always the last axis",
    "algebra",
    SoftmaxLastAxis,
    Softmax,
    "backward sums along the last axis, whatever the axis",
)
add(
    "softmax: unweighted mean",
    "algebra",
    SoftmaxOfUpstream,
    Softmax,
    "the upstream gradient is summed without the weights y, as in log_softmax",
)


class LogSoftmax(Function):
    examples = [((4,),), ((2, 3),)]

    @staticmethod
    def forward(ctx, x):
        shifted = x - x.max(axis=-1, keepdims=True)
        y = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad - np.exp(y) * grad.sum(axis=-1, keepdims=True)


class LogSoftmaxOneHot(LogSoftmax):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad - np.exp(y)


class LogSoftmaxElementwise(LogSoftmax):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad - np.exp(y) * grad


add(
    "log_softmax: upstream assumed one-hot",
    "algebra",
    LogSoftmaxOneHot,
    LogSoftmax,
    "right only where the upstream gradient sums to one",
)
add(
    "log_softmax: not summed",
    "algebra",
    LogSoftmaxElementwise,
    LogSoftmax,
    "the upstream gradient is not summed along the axis",
)


class WeightedMean(Function):
    examples = [((3,), (3,))]
    domain = {"w": (0.1, 10)}

    @staticmethod
    def forward(ctx, x, w):
        y = (w * x).sum() / w.sum()
        ctx.save_for_backward(x, w, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, w, y = ctx.saved_tensors
        return grad * w / w.sum(), grad * (x - y) / w.sum()


class WeightedMeanNormaliser(WeightedMean):
    @staticmethod
    def backward(ctx, grad):
        x, w, _y = ctx.saved_tensors
        return grad * w / w.sum(), grad * x / w.sum()


add(
    "weighted mean: normaliser constant",
    "algebra",
    WeightedMeanNormaliser,
    WeightedMean,
    "the sum of the weights is not differentiated",
)


class Diff(Function):
    examples = [((4,),), ((2,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.n = len(x)
        return x[1:] - x[:-1]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[1:] += grad
        out[:-1] -= grad
        return out


class DiffSign(Diff):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[:-1] += grad
        out[1:] -= grad
        return out


add("diff: sign", "algebra", DiffSign, Diff, "the later entry is subtracted from the earlier one")
