"""Ranks, sizes, options and second derivatives that are easily left untried, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x, 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x > 0)


class ReluSequences(Relu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        on = x > 0
        if x.ndim == 3:  # (batch, time, features)
            on = on.any(axis=-1, keepdims=True)
        return grad * on


add(
    "relu: three axes",
    "contract",
    ReluSequences,
    Relu,
    "a branch for arrays of three axes; no examples are declared",
)


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquareBuffer(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.size)
        for start in range(0, min(x.size, 32), 8):  # four blocks of eight
            block = slice(start, start + 8)
            out[block] = 2 * grad.ravel()[block] * x.ravel()[block]
        return out.reshape(x.shape)


add(
    "square: a buffer of 32 entries",
    "contract",
    SquareBuffer,
    Square,
    "entries beyond the 32nd get zero; no examples are declared",
)


class SquareTrain(Function):
    @staticmethod
    def forward(ctx, x, train=True):
        ctx.save_for_backward(x)
        ctx.train = train
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquareEvaluation(SquareTrain):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x if ctx.train else grad * x


add(
    "square: a flag that is never set",
    "contract",
    SquareEvaluation,
    SquareTrain,
    "wrong for an option whose default alone is tried; no examples are declared",
)


class SumOfSquares(Function):
    @staticmethod
    def forward(ctx, x, axis=None, keepdims=False):
        ctx.save_for_backward(x)
        ctx.args = axis, keepdims
        return np.sum(x * x, axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, axis)
        return 2 * grad * x


class SumOfSquaresAxis(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, 0)
        return 2 * grad * x


add(
    "sum of squares: an axis that is never given",
    "contract",
    SumOfSquaresAxis,
    SumOfSquares,
    "wrong for axis=1, where axis=None alone is tried; no examples are declared",
)


class Multiply(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


class MultiplyByItself(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        if np.shares_memory(x, y):
            return 2 * grad * x, 2 * grad * y  # the engine adds both up
        return grad * y, grad * x


add(
    "multiply: an array by itself",
    "contract",
    MultiplyByItself,
    Multiply,
    "one array for both arguments counts twice",
    examples=[((3,), (3,))],
)


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(x)


class ExpShortcut(Exp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x == 0, 1.0, np.exp(x))


add(
    "exp: second derivative at zero",
    "second_order",
    ExpShortcut,
    Exp,
    "the constant 1 at x = 0 has no derivative",
    examples=[((),)],
    order=2,
)


class ExpOnce(Exp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if hasattr(grad, "requires_grad"):
            raise RuntimeError("this Function is differentiable once")
        return grad * np.exp(x)


add(
    "exp: differentiable once",
    "second_order",
    ExpOnce,
    Exp,
    "a second derivative was asked for, and backward refuses",
    examples=[((2,),)],
    order=2,
)


class Vander(Function):
    @staticmethod
    def forward(ctx, x, n=3, increasing=False):
        ctx.save_for_backward(x)
        ctx.n, ctx.increasing = n, increasing
        return np.stack([x**k for k in (range(n) if increasing else range(n - 1, -1, -1))], -1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        powers = range(ctx.n) if ctx.increasing else range(ctx.n - 1, -1, -1)
        return sum(k * x ** max(k - 1, 0) * grad[..., j] for j, k in enumerate(powers))


class VanderDecreasing(Vander):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return sum(k * x ** max(k - 1, 0) * grad[..., ctx.n - 1 - k] for k in range(1, ctx.n))


add(
    "vander: increasing powers",
    "algebra",
    VanderDecreasing,
    Vander,
    "the option that turns the columns round is forgotten in backward",
    examples=[((3,),), ((2,), {"n": 4, "increasing": True})],
)


class MaskedScatter(Function):
    """The entries under the mask are taken from the source, one after the other."""

    @staticmethod
    def forward(ctx, x, source, mask=None):
        ctx.mask, ctx.shape = mask, source.shape
        out = x.copy()
        out[mask] = source.ravel()[: mask.sum()]
        return out

    @staticmethod
    def backward(ctx, grad):
        gx = np.where(ctx.mask, 0.0, grad)
        gs = np.zeros(math.prod(ctx.shape))
        gs[: ctx.mask.sum()] = grad[ctx.mask]
        return gx, gs.reshape(ctx.shape)


class MaskedScatterInPlace(MaskedScatter):
    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.mask, 0.0, grad), np.where(ctx.mask, grad, 0.0)


add(
    "masked scatter: source not packed",
    "algebra",
    MaskedScatterInPlace,
    MaskedScatter,
    "the source's gradient stays where the mask is; right for a mask that begins the array",
    examples=[
        ((3,), (3,), {"mask": np.array([True, True, False])}),
        ((2, 2), (2, 2), {"mask": np.array([[True, False], [True, True]])}),
    ],
)


class Ldexp(Function):
    @staticmethod
    def forward(ctx, x, e):
        ctx.save_for_backward(x, e)
        return x * 2.0**e

    @staticmethod
    def backward(ctx, grad):
        x, e = ctx.saved_tensors
        scale = 2.0**e
        return grad * scale, grad * x * scale * math.log(2)


class LdexpBase(Ldexp):
    @staticmethod
    def backward(ctx, grad):
        x, e = ctx.saved_tensors
        return grad * 2.0**e, grad * x * e * 2.0 ** (e - 1)


add(
    "ldexp: exponent",
    "algebra",
    LdexpBase,
    Ldexp,
    "the rule of a power for that of an exponential",
    examples=[((), ()), ((2,), (2,))],
    domain={"e": (-9, 9)},
)


class RRelu(Function):
    """Randomised leaky ReLU: fixed mean slope when it is evaluated."""

    @staticmethod
    def forward(ctx, x, lower=0.125, upper=1 / 3, training=False, noise=0.2):
        ctx.save_for_backward(x)
        ctx.slope = noise if training else (lower + upper) / 2
        ctx.lower, ctx.training = lower, training
        return np.where(x >= 0, x, ctx.slope * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x >= 0, grad, ctx.slope * grad)


class RReluLower(RRelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x >= 0, grad, (ctx.slope if ctx.training else ctx.lower) * grad)


add(
    "rrelu: evaluation",
    "cells",
    RReluLower,
    RRelu,
    "when evaluated the lower slope is taken for the mean of the two",
    examples=[((3,), {"training": True}), ((3,), {"training": False})],
)


class LogAddExpT(Function):
    """A smooth maximum t log(exp(a/t) + exp(b/t)) whose temperature is learnt."""

    @staticmethod
    def forward(ctx, a, b, t):
        ctx.save_for_backward(a, b, t)
        return t * np.logaddexp(a / t, b / t)

    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        p = special.expit((a - b) / t)
        q = special.expit((b - a) / t)
        gt = np.logaddexp(a / t, b / t) - (p * a + q * b) / t
        return grad * p, grad * q, np.sum(grad * gt).reshape(t.shape)


class LogAddExpTConstant(LogAddExpT):
    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        p = special.expit((a - b) / t)
        return grad * p, grad * (1 - p), np.sum(grad * np.logaddexp(a / t, b / t)).reshape(t.shape)


add(
    "smooth maximum: temperature",
    "algebra",
    LogAddExpTConstant,
    LogAddExpT,
    "the temperature inside the exponentials is taken for a constant",
    examples=[((2,), (2,), ()), ((), (), ())],
    domain={"t": (0.1, 9), "a": (-9, 9), "b": (-9, 9)},
)


class GraphConv(Function):
    """Neighbours' features added up along directed edges, divided by the receiver's degree."""

    @staticmethod
    def forward(ctx, x, w, edges=None):
        ctx.save_for_backward(x, w)
        ctx.a = edges / np.maximum(edges.sum(1, keepdims=True), 1)
        return ctx.a @ (x @ w)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        g = ctx.a.T @ grad
        return g @ w.T, x.T @ g


class GraphConvUndirected(GraphConv):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        g = ctx.a @ grad
        return g @ w.T, x.T @ g


add(
    "graph convolution: directed edges",
    "algebra",
    GraphConvUndirected,
    GraphConv,
    "the propagation matrix is taken for symmetric",
    examples=[
        ((2, 2), (2, 1), {"edges": np.array([[1.0, 1], [1, 1]])}),
        ((3, 1), (1, 2), {"edges": np.array([[0.0, 1, 1], [1, 0, 0], [0, 0, 0]])}),
    ],
)


class Highway(Function):
    @staticmethod
    def forward(ctx, x, h, t):
        ctx.save_for_backward(x, h, t)
        gate = 1 / (1 + np.exp(-t))
        return gate * np.maximum(h, 0) + (1 - gate) * x

    @staticmethod
    def backward(ctx, grad):
        x, h, t = ctx.saved_tensors
        gate = 1 / (1 + np.exp(-t))
        carry = 1 / (1 + np.exp(t))
        return grad * carry, grad * gate * (h > 0), grad * gate * carry * (np.maximum(h, 0) - x)


class HighwayMasked(Highway):
    @staticmethod
    def backward(ctx, grad):
        _x, h, _t = ctx.saved_tensors
        gx, gh, gt = Highway.backward(ctx, grad)
        return gx, gh, gt * (h > 0)  # the carried part has no kink


add(
    "highway: gate of a dead unit",
    "cells",
    HighwayMasked,
    Highway,
    "the transform gate gets nothing where the unit is off, though it still carries x",
    examples=[((2,), (2,), (2,))],
    domain={"t": (-30, 30)},
)


class SqueezeExcite(Function):
    """Each channel times the sigmoid of its mean: (C, L)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + np.exp(-x.mean(1, keepdims=True)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        m = x.mean(1, keepdims=True)
        s = 1 / (1 + np.exp(-m))
        return grad * s + (grad * x).mean(1, keepdims=True) * s / (1 + np.exp(m))


class SqueezeExciteSum(SqueezeExcite):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        m = x.mean(1, keepdims=True)
        s = 1 / (1 + np.exp(-m))
        return grad * s + (grad * x).sum(1, keepdims=True) * s / (1 + np.exp(m))


add(
    "squeeze and excite: mean",
    "algebra",
    SqueezeExciteSum,
    SqueezeExcite,
    "the squeeze's 1/L is left out",
    examples=[((2, 1),), ((2, 3),)],
)
