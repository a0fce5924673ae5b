"""Normalisations: forgotten paths, wrong counts, wrong axes, eps in the wrong place."""

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []
PAIR = [((4,), (4,)), ((2, 3), (2, 3))]


def add(name, kind, lie, twin, why):
    CASES.append(Case(name, kind, lie, twin, why=why))


class Cosine(Function):
    examples = [((3,), (3,))]
    domain = {"x": (0.1, 10), "y": (0.1, 10)}

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two vectors of one length are expected")
        nx, ny = np.sqrt(x @ x), np.sqrt(y @ y)
        c = x @ y / (nx * ny)
        ctx.save_for_backward(x, y, nx, ny, c)
        return c

    @staticmethod
    def backward(ctx, grad):
        x, y, nx, ny, c = ctx.saved_tensors
        return grad * (y / ny - c * x / nx) / nx, grad * (x / nx - c * y / ny) / ny


class CosineNormConstant(Cosine):
    @staticmethod
    def backward(ctx, grad):
        x, y, nx, ny, _c = ctx.saved_tensors
        return grad * y / (nx * ny), grad * x / (nx * ny)


class CosineOneNorm(Cosine):
    @staticmethod
    def backward(ctx, grad):
        x, y, nx, ny, c = ctx.saved_tensors
        return grad * (y / ny - c * x / nx) / nx, grad * (x / nx - c * y / ny) / nx


add(
    "cosine: norms constant",
    "algebra",
    CosineNormConstant,
    Cosine,
    "the norms are not differentiated",
)
add(
    "cosine: other norm",
    "algebra",
    CosineOneNorm,
    Cosine,
    "the second argument's gradient is divided by the norm of the first",
)


class LayerNorm(Function):
    examples = [((4,),), ((2, 3),)]
    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        std = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        y = centred / std
        ctx.save_for_backward(y, std)
        return y

    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        mean = grad.mean(axis=-1, keepdims=True)
        along = (grad * y).mean(axis=-1, keepdims=True)
        return (grad - mean - y * along) / std


class LayerNormNoVariancePath(LayerNorm):
    @staticmethod
    def backward(ctx, grad):
        _y, std = ctx.saved_tensors
        return (grad - grad.mean(axis=-1, keepdims=True)) / std


class LayerNormNoMeanPath(LayerNorm):
    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        return (grad - y * (grad * y).mean(axis=-1, keepdims=True)) / std


class LayerNormBesselCount(LayerNorm):
    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        along = (grad * y).sum(axis=-1, keepdims=True) / max(y.shape[-1] - 1, 1)
        return (grad - grad.mean(axis=-1, keepdims=True) - y * along) / std


class LayerNormEpsOutside(LayerNorm):
    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        std = np.sqrt(std**2 - 1e-5) + 1e-5
        mean = grad.mean(axis=-1, keepdims=True)
        along = (grad * y).mean(axis=-1, keepdims=True)
        return (grad - mean - y * along) / std


add(
    "layer norm: variance path",
    "algebra",
    LayerNormNoVariancePath,
    LayerNorm,
    "the variance is taken as a constant",
)
add(
    "layer norm: mean path",
    "algebra",
    LayerNormNoMeanPath,
    LayerNorm,
    "the mean is taken as a constant",
)
add(
    "layer norm: biased count",
    "algebra",
    LayerNormBesselCount,
    LayerNorm,
    "n - 1 where forward's variance has n",
)
add(
    "layer norm: eps outside the root",
    "algebra",
    LayerNormEpsOutside,
    LayerNorm,
    "eps is added to the standard deviation in backward, to the variance in forward",
)


class BatchNorm(Function):
    """Over the rows, with scale and shift."""

    examples = [((4, 2), (2,), (2,)), ((3, 3), (3,), (3,))]
    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x, scale, shift):
        if scale.shape != x.shape[1:] or shift.shape != scale.shape:
            raise ValueError("one scale and one shift for each column")
        centred = x - x.mean(axis=0)
        std = np.sqrt((centred**2).mean(axis=0) + 1e-5)
        y = centred / std
        ctx.save_for_backward(y, std, scale)
        return y * scale + shift

    @staticmethod
    def backward(ctx, grad):
        y, std, scale = ctx.saved_tensors
        g = grad * scale
        return (
            (g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / std,
            (grad * y).sum(axis=0),
            grad.sum(axis=0),
        )


class BatchNormScaleForgotten(BatchNorm):
    @staticmethod
    def backward(ctx, grad):
        y, std, _scale = ctx.saved_tensors
        g = grad
        return (
            (g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / std,
            (grad * y).sum(axis=0),
            grad.sum(axis=0),
        )


class BatchNormLastAxis(BatchNorm):
    examples = [((3, 3), (3,), (3,))]

    @staticmethod
    def backward(ctx, grad):
        y, std, scale = ctx.saved_tensors
        g = grad * scale
        return (
            (g - g.mean(axis=-1) - y * (g * y).mean(axis=-1)) / std,
            (grad * y).sum(axis=0),
            grad.sum(axis=0),
        )


add(
    "batch norm: scale forgotten",
    "algebra",
    BatchNormScaleForgotten,
    BatchNorm,
    "the input's gradient lacks the scale; right at scale == 1",
)
add(
    "batch norm: wrong axis, square",
    "algebra",
    BatchNormLastAxis,
    BatchNorm,
    "the means of backward run along the last axis, unnoticed in a square batch",
)


class GroupNorm(Function):
    """Two groups of entries, each centred and scaled."""

    examples = [((4,),), ((6,),)]
    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        groups = x.reshape(2, -1)
        centred = groups - groups.mean(axis=1, keepdims=True)
        std = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-3)
        y = centred / std
        ctx.save_for_backward(y, std)
        return y.reshape(-1)

    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        g = grad.reshape(2, -1)
        mean = g.mean(axis=1, keepdims=True)
        return ((g - mean - y * (g * y).mean(axis=1, keepdims=True)) / std).reshape(-1)


class GroupNormOverAll(GroupNorm):
    @staticmethod
    def backward(ctx, grad):
        y, std = ctx.saved_tensors
        g = grad.reshape(2, -1)
        return ((g - g.mean() - y * (g * y).mean()) / std).reshape(-1)


add(
    "group norm: means over all groups",
    "algebra",
    GroupNormOverAll,
    GroupNorm,
    "backward averages over both groups together",
)


class RmsNorm(Function):
    examples = [((4,),), ((2, 3),)]
    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        rms = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
        ctx.save_for_backward(x, rms)
        return x / rms

    @staticmethod
    def backward(ctx, grad):
        x, rms = ctx.saved_tensors
        return grad / rms - x * (grad * x).mean(axis=-1, keepdims=True) / rms**3


class RmsNormSummed(RmsNorm):
    @staticmethod
    def backward(ctx, grad):
        x, rms = ctx.saved_tensors
        return grad / rms - x * (grad * x).sum(axis=-1, keepdims=True) / rms**3


class RmsNormSquared(RmsNorm):
    @staticmethod
    def backward(ctx, grad):
        x, rms = ctx.saved_tensors
        return grad / rms - x * (grad * x).mean(axis=-1, keepdims=True) / rms**2


add(
    "rms norm: summed",
    "algebra",
    RmsNormSummed,
    RmsNorm,
    "sum instead of mean in the second term; right for one entry",
)
add(
    "rms norm: power",
    "algebra",
    RmsNormSquared,
    RmsNorm,
    "rms^2 instead of rms^3 in the second term",
)
