"""Right rules in the forms that users report as suspicious: closures on ctx, views, counts, dual numbers."""
# ruff: noqa: E501

import functools
import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, subject, why, **options):
    CASES.append(trap(f"reported: {name}", kind, subject, why, **options))


class Unwrap(Function):
    @staticmethod
    def forward(ctx, x):
        return np.unwrap(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


add(
    "unwrap",
    "cells",
    Unwrap,
    "multiples of two pi are constants: the gradient passes",
    examples=[((3,),)],
)


class SortDescending(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.order = np.argsort(x)[::-1]
        return -np.sort(-x)

    @staticmethod
    def backward(ctx, grad):
        out = np.empty_like(grad)
        out[ctx.order] = grad
        return out


add(
    "sort descending: ties reversed",
    "cells",
    SortDescending,
    "ties in another order than a stable sort's; any is right",
    examples=[((3,),)],
)


class ClosureOnCtx(Function):
    """The backward is made in forward and kept on ctx."""

    @staticmethod
    def forward(ctx, x, w):
        h = np.tanh(w @ x)

        def back(g):
            d = g * (1 - h**2)
            return w.T @ d, np.outer(d, x)

        ctx.back = back
        return h

    @staticmethod
    def backward(ctx, grad):
        return ctx.back(grad)


add(
    "closure on ctx",
    "contract",
    ClosureOnCtx,
    "backward calls a function that forward made",
    examples=[((2,), (2, 2)), ((2,), (3, 2))],
    domain={"x": (-2, 2), "w": (-1, 1)},
)


class ShapeOnCtx(Function):
    """ctx.shape, ctx.dtype, ctx.order and ctx.outputs are the user's own."""

    @staticmethod
    def forward(ctx, x, order=2):
        ctx.save_for_backward(x)
        ctx.shape, ctx.dtype, ctx.order = x.shape, x.dtype, order
        ctx.outputs = ctx.edges = ctx.name = "mine"
        return np.sum(x**order)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        assert ctx.outputs == ctx.edges == ctx.name == "mine"
        slope = np.empty(ctx.shape, ctx.dtype)
        slope[...] = ctx.order * x ** (ctx.order - 1)
        return grad * slope


add(
    "names on ctx",
    "contract",
    ShapeOnCtx,
    "attributes that an engine might use for itself",
    examples=[((2, 3),), ((2,), {"order": 3})],
)


class BroadcastView(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.like = x
        return x.sum(-1)

    @staticmethod
    def backward(ctx, grad):
        return np.broadcast_to(np.expand_dims(grad, -1), ctx.like.shape)  # read-only, stride 0


add(
    "broadcast view",
    "contract",
    BroadcastView,
    "a read-only view with stride 0 is returned",
    examples=[((3,),), ((2, 3),)],
)


class TransposedView(Function):
    @staticmethod
    def forward(ctx, x):
        return np.ascontiguousarray(x.T)

    @staticmethod
    def backward(ctx, grad):
        return grad[::-1].T[:, ::-1]


add(
    "transposed view",
    "contract",
    TransposedView,
    "a view with negative strides, turned twice",
    examples=[((2, 3),)],
)


class SumByCount(Function):
    @staticmethod
    def forward(ctx, x, ids=()):
        ctx.ids = np.asarray(ids)
        out = np.zeros(ctx.ids.max() + 1)
        np.add.at(out, ctx.ids, x)
        return out / np.bincount(ctx.ids)

    @staticmethod
    def backward(ctx, grad):
        return (grad / np.bincount(ctx.ids))[ctx.ids]


add(
    "group means",
    "algebra",
    SumByCount,
    "counts by bincount, gathered",
    examples=[((4,), {"ids": (0, 1, 1, 0)})],
)


class GeluErfc(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * special.erfc(-x / math.sqrt(2))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (
            0.5 * special.erfc(-x * math.sqrt(0.5))
            + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        )


add("gelu by erfc", "floats", GeluErfc, "the complementary error function keeps the left tail")


class SoftplusTanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(-np.abs(x))
        return grad * np.where(x >= 0, 1, e) / (1 + e)


add(
    "softplus by absolute value",
    "floats",
    SoftplusTanh,
    "a smooth function written with two kinks that cancel",
)


class VarianceShort(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.var(x, axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad[..., None] * (x - x.mean(-1, keepdims=True)) / x.shape[-1]


add(
    "variance: mean's path left out",
    "algebra",
    VarianceShort,
    "the path through the mean is zero",
    examples=[((3,),), ((2, 3),)],
)


class LogSumExpOutput(Function):
    @staticmethod
    def forward(ctx, x):
        out = special.logsumexp(x, axis=-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, out = ctx.saved_tensors
        return grad[..., None] * np.exp(x - out[..., None])


add(
    "logsumexp: from the output",
    "floats",
    LogSumExpOutput,
    "exp(x - out) is softmax",
    examples=[((3,),), ((2, 2),)],
)


class Dual:
    """A number and its derivative."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __mul__(self, other):
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)


class ForwardMode(Function):
    """x^3 + x y^2, differentiated by dual numbers."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * x * x + x * y * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        out = []
        for sx, sy in ((1.0, 0.0), (0.0, 1.0)):
            a, b = Dual(x, sx), Dual(y, sy)
            out.append(grad * (a * a * a + a * b * b).slope)
        return tuple(out)


add(
    "dual numbers",
    "contract",
    ForwardMode,
    "forward mode inside backward",
    examples=[((), ()), ((2,), (2,))],
)


@functools.lru_cache
def triangle(n):
    return np.tril(np.ones((n, n)))


class CumSumMatrix(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.n = x.shape[-1]
        return np.cumsum(x, -1)

    @staticmethod
    def backward(ctx, grad):
        return grad @ triangle(ctx.n)


add(
    "cumsum by a cached matrix",
    "contract",
    CumSumMatrix,
    "a matrix that is kept for each size",
    examples=[((3,),), ((2, 2),)],
)


class PoolTiesShared(Function):
    @staticmethod
    def forward(ctx, x):
        w = x.reshape(-1, 2)
        out = w.max(1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, out = ctx.saved_tensors
        hit = x.reshape(-1, 2) == out[:, None]
        return (hit * (grad / hit.sum(1))[:, None]).reshape(x.shape)


add(
    "max pool: ties shared",
    "cells",
    PoolTiesShared,
    "windows by reshaping; tied entries get half each",
    examples=[((4,),)],
)


class ReluHalfSum(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (x + np.abs(x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.5 * (1 + np.sign(x))


add("relu: half of x + |x|", "cells", ReluHalfSum, "one half at zero")


class HuberClip(Function):
    @staticmethod
    def forward(ctx, x, delta=1.5):
        ctx.save_for_backward(x)
        ctx.delta = delta
        r = np.abs(x)
        q = np.minimum(r, delta)
        return np.sum(0.5 * q**2 + delta * (r - q))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.clip(x, -ctx.delta, ctx.delta)


add(
    "huber: clipped residual",
    "cells",
    HuberClip,
    "min and abs in forward, clip in backward",
    examples=[((3,),)],
)


class BatchNormOneLine(Function):
    @staticmethod
    def forward(ctx, x):
        n = len(x)
        xhat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        ctx.save_for_backward(x)
        ctx.n = n
        return xhat

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n, v = ctx.n, x.var(0) + 1e-5
        c = x - x.mean(0)
        return (n * grad - grad.sum(0) - c / v * (grad * c).sum(0)) / (n * np.sqrt(v))


add(
    "batch norm: the short form",
    "algebra",
    BatchNormOneLine,
    "three paths in one expression",
    examples=[((3, 2),)],
)


class SafeNorm(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        s = np.sum(x * x, -1)
        return np.where(s > 0, np.sqrt(np.where(s > 0, s, 1.0)), 0.0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = np.sum(x * x, -1, keepdims=True)
        return grad[..., None] * x / np.where(s > 0, np.sqrt(np.where(s > 0, s, 1.0)), 1.0)


add(
    "norm: guarded twice",
    "cells",
    SafeNorm,
    "the origin is guarded inside and outside the root",
    examples=[((2,),), ((2, 2),)],
)


class ArcCosh(Function):
    domain = {"x": (1, math.inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.arccosh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / np.sqrt(x * x - 1)


add("arccosh: x^2 - 1", "floats", ArcCosh, "what cancels near 1 is what the rounding of x explains")


class ReturnsNested(Function):
    """Gradients in lists of lists, zeros as None, an option by dictionary."""

    @staticmethod
    def forward(ctx, x, y, options=None):
        ctx.scale = (options or {}).get("scale", 1.0)
        ctx.save_for_backward(x)
        return ctx.scale * x.sum(), x * 2.0

    @staticmethod
    def backward(ctx, g_sum, g_double):
        (_x,) = ctx.saved_tensors
        return [[float(ctx.scale * g_sum + 2 * g) for g in row] for row in g_double], None


add(
    "nested lists and a dictionary",
    "contract",
    ReturnsNested,
    "options in a dictionary, two outputs, an argument that is not used",
    examples=[((2, 2), (2,)), ((1, 2), (1,), {"options": {"scale": 3.0}})],
)


class OrderOnCtx(Function):
    """A power whose exponent is kept as ``ctx.order``."""

    @staticmethod
    def forward(ctx, x, order=2):
        ctx.save_for_backward(x)
        ctx.order = order
        return x**order

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.order * x ** (ctx.order - 1)


add(
    "names on ctx, twice",
    "second_order",
    OrderOnCtx,
    "an attribute that the engine uses for itself",
    examples=[((2,),), ((2,), {"order": 3})],
    order=2,
)
