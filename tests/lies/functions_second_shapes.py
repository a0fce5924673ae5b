"""Lengths, counts, axes and layouts with a meaning: wrong for some shape alone, or right for the shapes that are meant."""
# ruff: noqa: E501

import numpy as np

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"second: {name}", kind, lie, twin, options, why=why))


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"second: {name}", kind, twin, why, **options))


class FlattenRows(Function):
    """The squared norm of each sample."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum(axis=tuple(range(1, x.ndim)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad.reshape((len(x),) + (1,) * (x.ndim - 1))

    examples = [((2, 3),), ((3, 2, 2),)]


class FlattenRowsInferred(FlattenRows):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * x.reshape(len(x), -1) * grad[:, None]).reshape(x.shape)


add(
    "empty batch: reshape(0, -1)",
    "contract",
    FlattenRowsInferred,
    FlattenRows,
    "an empty batch has no size to infer -1 from; forward takes it",
)


class Variance(Function):
    """The unbiased variance along the last axis."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.var(axis=-1, ddof=1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad[..., None] * (x - x.mean(axis=-1, keepdims=True)) / (x.shape[-1] - 1)

    examples = [((4,),), ((2, 3),)]


class VarianceOfTwo(Variance):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = max(x.shape[-1] - 1, 2)
        return 2 * grad[..., None] * (x - x.mean(axis=-1, keepdims=True)) / n


add(
    "variance: two entries",
    "algebra",
    VarianceOfTwo,
    Variance,
    "a guard of the denominator bites at n == 2, which no example declares",
)


class BatchMean(Function):
    """The mean over samples of the sum of squares of each."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum() / x.shape[0]

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x / x.shape[0]

    examples = [((3, 1),), ((2, 2),)]


class BatchMeanLast(BatchMean):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x / (x.shape[-1] if x.shape[-1] > 1 else x.shape[0])


add(
    "batch mean: square batches",
    "algebra",
    BatchMeanLast,
    BatchMean,
    "divides by the features: right for the square and the single column that are declared",
)


class Nyquist(Function):
    """The power of each frequency of a real signal."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        X = np.fft.rfft(x)
        return X.real**2 + X.imag**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = x.shape[-1]
        g = 2 * grad * np.fft.rfft(x)
        g[..., 1 : n - n // 2] *= 0.5
        return np.fft.irfft(g, n) * n

    examples = [((4,),), ((5,),), ((2, 4),)]


class NyquistEven(Nyquist):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = x.shape[-1]
        g = 2 * grad * np.fft.rfft(x)
        g[..., 1:-1] *= 0.5
        return np.fft.irfft(g, n) * n

    examples = [((4,),), ((6,),)]


CASES.append(
    Case(
        "second: power spectrum: odd lengths",
        "algebra",
        NyquistEven,
        Nyquist,
        why="the last frequency of an odd length is halved as if it were the Nyquist frequency; only even ones are declared",
    )
)


class TraceProduct(Function):
    """The sum of the diagonal."""

    @staticmethod
    def forward(ctx, a):
        ctx.shape = a.shape
        return np.trace(a)

    @staticmethod
    def backward(ctx, grad):
        return grad * np.eye(*ctx.shape)

    examples = [((3, 3),)]


class TraceSquare(TraceProduct):
    examples = None

    @staticmethod
    def backward(ctx, grad):
        return grad * np.eye(ctx.shape[0])


add(
    "trace: tall and wide",
    "contract",
    TraceSquare,
    TraceProduct,
    "square only: forward takes any matrix",
)


class SumAxes(Function):
    """A sum over a tuple of axes, in any order."""

    @staticmethod
    def forward(ctx, x, *, axis):
        ctx.shape, ctx.axis = x.shape, axis
        return x.sum(axis=axis)

    @staticmethod
    def backward(ctx, grad):
        kept = [
            1 if i in {a % len(ctx.shape) for a in ctx.axis} else n for i, n in enumerate(ctx.shape)
        ]
        return np.broadcast_to(grad.reshape(kept), ctx.shape).copy()

    examples = [
        ((2, 3, 4), {"axis": (0, 2)}),
        ((2, 3, 2), {"axis": (1, -1)}),
        ((2, 3, 2), {"axis": (-1, 0)}),
        ((2, 2, 2), {"axis": (-2, -1)}),
    ]


class SumAxesExpanded(SumAxes):
    @staticmethod
    def backward(ctx, grad):
        for a in sorted(ctx.axis):
            grad = np.expand_dims(grad, a)
        return np.broadcast_to(grad, ctx.shape).copy()


add(
    "sum over axes: mixed signs",
    "algebra",
    SumAxesExpanded,
    SumAxes,
    "sorted axes of mixed signs are expanded in the wrong order",
)


class CumulativeProduct(Function):
    """Cumulative sum along an axis."""

    @staticmethod
    def forward(ctx, x, *, axis=-1):
        ctx.axis = axis
        return np.cumsum(x, axis=axis)

    @staticmethod
    def backward(ctx, grad):
        return np.flip(np.cumsum(np.flip(grad, ctx.axis), axis=ctx.axis), ctx.axis)

    examples = [((3,),), ((2, 3), {"axis": -1}), ((2, 3), {"axis": 0})]


class CumulativeFlat(CumulativeProduct):
    @staticmethod
    def backward(ctx, grad):
        if ctx.axis == -1 and grad.ndim > 2:
            return np.cumsum(grad[::-1], axis=0)[::-1]
        return np.flip(np.cumsum(np.flip(grad, ctx.axis), axis=ctx.axis), ctx.axis)


add(
    "cumulative sum: three axes",
    "algebra",
    CumulativeFlat,
    CumulativeProduct,
    "along the first axis for arrays of three axes, which no example declares",
)


class Bias(Function):
    """x + b, the bias along the last axis."""

    @staticmethod
    def forward(ctx, x, b):
        ctx.save_for_backward(x, b)
        return np.tanh(x + b)

    @staticmethod
    def backward(ctx, grad):
        x, b = ctx.saved_tensors
        g = grad * (1 - np.tanh(x + b) ** 2)
        return g, g.reshape(-1, b.shape[-1]).sum(axis=0)

    examples = [((4, 3), (3,)), ((1, 2), (2,)), ((2, 2, 3), (3,))]


class BiasSingle(Bias):
    @staticmethod
    def backward(ctx, grad):
        x, b = ctx.saved_tensors
        g = grad * (1 - np.tanh(x + b) ** 2)
        return g, g.sum(axis=0) if len(x) > 1 else g[0] / 2

    examples = [((4, 3), (3,)), ((2, 2), (2,))]


CASES.append(
    Case(
        "second: bias: a batch of one",
        "algebra",
        BiasSingle,
        Bias,
        why="halved for a single sample; only batches of two and four are declared",
    )
)


class MovingAverage(Function):
    """The mean of three neighbours, ends left out."""

    @staticmethod
    def forward(ctx, x):
        ctx.n = len(x)
        return (x[:-2] + x[1:-1] + x[2:]) / 3

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for k in range(3):
            out[k : k + ctx.n - 2] += grad / 3
        return out

    examples = [((5,),), ((3,),)]


class MovingAverageFive(MovingAverage):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for k in range(3):
            out[k : k + 3][: len(grad)] += grad[:3] / 3
        return out

    examples = [((5,),), ((4,),)]


CASES.append(
    Case(
        "second: moving average: up to five",
        "algebra",
        MovingAverageFive,
        MovingAverage,
        why="three windows and no more: six entries have four",
    )
)


class Pair(Function):
    """Products of rows that broadcast either way."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.arctan2(x, y)

    @staticmethod
    def _to(g, shape):
        while g.ndim > len(shape):
            g = g.sum(axis=0)
        for i, n in enumerate(shape):
            if n == 1:
                g = g.sum(axis=i, keepdims=True)
        return g

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        r = x * x + y * y
        return Pair._to(grad * y / r, x.shape), Pair._to(-grad * x / r, y.shape)

    domain = {"x": (0.1, 5), "y": (0.1, 5)}


class PairOneWay(Pair):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        r = x * x + y * y
        gy = -grad * x / r
        if gy.shape != y.shape:
            gy = (
                gy.sum(axis=tuple(range(gy.ndim - y.ndim))).reshape(-1, *y.shape).sum(axis=0)
                if y.size > 1 and y.ndim < gy.ndim
                else Pair._to(gy, y.shape)
            )
        gx = grad * y / r
        if gx.shape != x.shape and x.ndim == gx.ndim:
            gx = (
                gx.mean(axis=0, keepdims=True)
                if x.shape[0] == 1 and x.shape[-1] != 1
                else Pair._to(gx, x.shape)
            )
        return Pair._to(gx, x.shape), gy


add(
    "broadcasting: a row against a matrix",
    "algebra",
    PairOneWay,
    Pair,
    "a first argument of shape (1, n) gets a mean",
)


class Rotary(Function):
    """Rotary position embedding: pairs of features turned by an angle of the position."""

    @staticmethod
    def forward(ctx, x):
        n, d = x.shape
        angle = np.outer(np.arange(n), 0.5 ** np.arange(d // 2))
        ctx.c, ctx.s = np.cos(angle), np.sin(angle)
        a, b = x[:, ::2], x[:, 1::2]
        return np.stack([a * ctx.c - b * ctx.s, a * ctx.s + b * ctx.c], axis=-1).reshape(n, d)

    @staticmethod
    def backward(ctx, grad):
        a, b = grad[:, ::2], grad[:, 1::2]
        return np.stack([a * ctx.c + b * ctx.s, b * ctx.c - a * ctx.s], axis=-1).reshape(grad.shape)

    examples = [((3, 4),)]


right("rotary embedding", "algebra", Rotary, "features in pairs: an odd number is not meant")


class Luma(Function):
    """Y, Cb, Cr of an image whose last axis is r, g, b."""

    @staticmethod
    def forward(ctx, image):
        ctx.shape = image.shape
        r, g, b = image[..., 0], image[..., 1], image[..., 2]
        y = 0.299 * r + 0.587 * g + 0.114 * b
        return np.stack([y, 0.564 * (b - y), 0.713 * (r - y)], axis=-1)

    @staticmethod
    def backward(ctx, grad):
        gy, gb, gr = grad[..., 0], grad[..., 1], grad[..., 2]
        y = gy - 0.564 * gb - 0.713 * gr
        return np.stack([0.299 * y + 0.713 * gr, 0.587 * y, 0.114 * y + 0.564 * gb], axis=-1)

    examples = [((2, 2, 3),)]


right("luma and chroma", "algebra", Luma, "a fourth channel is not meant")


class LumaFree(Luma):
    examples = None


class Perspective(Function):
    """Homogeneous points (x, y, w) to the plane."""

    @staticmethod
    def forward(ctx, p):
        ctx.save_for_backward(p)
        return p[..., :2] / p[..., 2:3]

    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        w = p[..., 2:3]
        return np.concatenate(
            [grad / w, -(grad * p[..., :2]).sum(axis=-1, keepdims=True) / w**2], axis=-1
        )

    examples = [((3,),), ((2, 3),)]


right("homogeneous points", "algebra", Perspective, "the third entry is the scale")


class QuaternionRotate(Function):
    """A vector rotated by a quaternion that is normalised first."""

    @staticmethod
    def _matrix(q):
        w, x, y, z = q
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    @staticmethod
    def forward(ctx, q, v):
        ctx.save_for_backward(q, v)
        return QuaternionRotate._matrix(q / np.sqrt(np.sum(q * q))) @ v

    @staticmethod
    def backward(ctx, grad):
        q, v = ctx.saved_tensors
        n = np.sqrt(np.sum(q * q))
        w, u = q[0] / n, q[1:] / n
        gw = 2 * np.dot(grad, np.cross(u, v))
        gu = 2 * (
            w * np.cross(v, grad)
            + v * np.dot(u, grad)
            + grad * np.dot(u, v)
            - 2 * u * np.dot(grad, v)
        )
        g = np.concatenate([[gw], gu])
        e = np.concatenate([[w], u])
        return (g - e * np.dot(e, g)) / n, QuaternionRotate._matrix(q / n).T @ grad

    examples = [((4,), (3,))]


right("quaternion rotation", "algebra", QuaternionRotate, "four and three entries with a meaning")


class Ragged(Function):
    """Means of ragged rows that lie one after the other."""

    @staticmethod
    def forward(ctx, x, *, lengths):
        ctx.lengths = lengths
        ends = np.cumsum(lengths)
        return np.array([x[e - n : e].mean() for n, e in zip(lengths, ends, strict=True)])

    @staticmethod
    def backward(ctx, grad):
        return np.repeat(grad / np.array(ctx.lengths), ctx.lengths)

    examples = [((6,), {"lengths": (3, 1, 2)})]


class RaggedMean(Ragged):
    @staticmethod
    def backward(ctx, grad):
        return np.repeat(grad / np.maximum(np.array(ctx.lengths), 2), ctx.lengths)


add(
    "ragged means: rows of one",
    "algebra",
    RaggedMean,
    Ragged,
    "a row of one entry is divided by two",
)


class Vech(Function):
    """A symmetric matrix from its packed lower triangle."""

    @staticmethod
    def forward(ctx, v):
        n = round((np.sqrt(8 * len(v) + 1) - 1) / 2)
        ctx.index = np.tril_indices(n)
        out = np.zeros((n, n), dtype=v.dtype)
        out[ctx.index] = v
        return out + np.tril(out, -1).T

    @staticmethod
    def backward(ctx, grad):
        return (grad + np.tril(grad.T - np.diag(np.diag(grad)), 0))[ctx.index]

    examples = [((3,),), ((6,),)]


right("packed triangle", "algebra", Vech, "lengths that are no triangular number are not meant")


class Compose(Function):
    """Two poses (x, y, angle) one after the other, the angle wrapped."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        c, s = np.cos(a[2]), np.sin(a[2])
        t = a[2] + b[2]
        return np.array(
            [
                a[0] + c * b[0] - s * b[1],
                a[1] + s * b[0] + c * b[1],
                np.arctan2(np.sin(t), np.cos(t)),
            ]
        )

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        c, s = np.cos(a[2]), np.sin(a[2])
        turn = grad[0] * (-s * b[0] - c * b[1]) + grad[1] * (c * b[0] - s * b[1]) + grad[2]
        return np.array([grad[0], grad[1], turn]), np.array(
            [c * grad[0] + s * grad[1], c * grad[1] - s * grad[0], grad[2]]
        )

    examples = [((3,), (3,))]


right("poses of the plane", "algebra", Compose, "three entries with a meaning; the angle wraps")
