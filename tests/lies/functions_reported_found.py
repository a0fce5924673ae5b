"""More Functions reported wrong: shapes with ones, options, dtypes and second derivatives, beside their right twins."""
# ruff: noqa: E501

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class ReflectSample(Function):
    """A signal read at real positions; positions outside are reflected at the ends."""

    @staticmethod
    def forward(ctx, signal, at):
        ctx.save_for_backward(signal, at)
        p, _ = reflected(at, len(signal) - 1)
        i = np.minimum(np.floor(p).astype(int), len(signal) - 2)
        f = p - i
        return (1 - f) * signal[i] + f * signal[i + 1]

    @staticmethod
    def backward(ctx, grad):
        signal, at = ctx.saved_tensors
        p, s = reflected(at, len(signal) - 1)
        i = np.minimum(np.floor(p).astype(int), len(signal) - 2)
        f = p - i
        out = np.zeros_like(signal)
        np.add.at(out, i, grad * (1 - f))
        np.add.at(out, i + 1, grad * f)
        return out, grad * s * (signal[i + 1] - signal[i])


def reflected(x, span):
    """Where a position ends up, and the sign of its motion."""
    turns = np.floor(np.abs(x) / span)
    rest = np.abs(x) - turns * span
    back = turns % 2 == 1
    return np.where(back, span - rest, rest), np.where(x < 0, -1.0, 1.0) * np.where(back, -1.0, 1.0)


class ReflectSampleOnce(ReflectSample):
    @staticmethod
    def backward(ctx, grad):
        signal, at = ctx.saved_tensors
        gs, gp = ReflectSample.backward(ctx, grad)
        return gs, gp * np.where(at < -(len(signal) - 1), -1.0, 1.0)


add(
    "grid sample: reflected twice",
    "cells",
    ReflectSampleOnce,
    ReflectSample,
    "further below zero than the signal is long the sign is turned once too often",
    examples=[((3,), (2,))],
    domain={"at": (-7, 7)},
)


class BatchNorm1d(Function):
    """(N, C) or (N, C, L): statistics of each channel."""

    @staticmethod
    def forward(ctx, x, gain):
        axes = (0,) if x.ndim == 2 else (0, 2)
        c = x - x.mean(axes, keepdims=True)
        inv = 1 / np.sqrt((c**2).mean(axes, keepdims=True) + 1e-2)
        ctx.kept = axes, c * inv, inv
        ctx.save_for_backward(gain)
        return c * inv * gain.reshape(1, -1, *(1,) * (x.ndim - 2))

    @staticmethod
    def backward(ctx, grad):
        (gain,) = ctx.saved_tensors
        axes, xhat, inv = ctx.kept
        g = grad * gain.reshape(1, -1, *(1,) * (grad.ndim - 2))
        gx = inv * (g - g.mean(axes, keepdims=True) - xhat * (g * xhat).mean(axes, keepdims=True))
        return gx, (grad * xhat).sum(axes)


class BatchNorm1dFlat(BatchNorm1d):
    @staticmethod
    def backward(ctx, grad):
        gx, _ = BatchNorm1d.backward(ctx, grad)
        _, xhat, _ = ctx.kept
        flat = (grad * xhat).sum(0)
        return gx, flat if flat.ndim == 1 else flat.mean(1)


add(
    "batch norm: gain of sequences",
    "algebra",
    BatchNorm1dFlat,
    BatchNorm1d,
    "over the sequence's axis the mean for the sum",
    examples=[((3, 2), (2,)), ((2, 2, 1), (2,)), ((2, 1, 2), (1,))],
)


class Conv2d(Function):
    """One channel, zero padding by rows and columns: (H, W), (kh, kw)."""

    @staticmethod
    def forward(ctx, x, w, pad=(0, 0)):
        ctx.save_for_backward(x, w)
        ctx.pad = pad
        p = np.pad(x, ((pad[0],) * 2, (pad[1],) * 2))
        h, v = p.shape[0] - w.shape[0] + 1, p.shape[1] - w.shape[1] + 1
        return sum(
            w[i, j] * p[i : i + h, j : j + v] for i in range(w.shape[0]) for j in range(w.shape[1])
        )

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        a, b = ctx.pad
        h, v = grad.shape
        p = np.pad(x, ((a, a), (b, b)))
        gp, gw = np.zeros(p.shape), np.zeros(w.shape)
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                gp[i : i + h, j : j + v] += w[i, j] * grad
                gw[i, j] = np.sum(grad * p[i : i + h, j : j + v])
        return gp[a : a + x.shape[0], b : b + x.shape[1]], gw


class Conv2dSwapped(Conv2d):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        _gx, gw = Conv2d.backward(ctx, grad)
        a, b = ctx.pad
        h, v = grad.shape
        full = np.zeros(
            (max(x.shape[0] + 2 * a, x.shape[0] + b), max(x.shape[1] + 2 * b, x.shape[1] + a))
        )
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                full[i : i + h, j : j + v] += w[i, j] * grad
        return full[
            b : b + x.shape[0], a : a + x.shape[1]
        ], gw  # cropped by the other axis' padding


add(
    "conv2d: padding of the other axis",
    "algebra",
    Conv2dSwapped,
    Conv2d,
    "rows and columns exchange their padding; right for equal ones",
    examples=[
        ((2, 2), (1, 2)),
        ((2, 3), (2, 2), {"pad": (1, 1)}),
        ((2, 2), (1, 2), {"pad": (0, 1)}),
    ],
)


class NearestResize(Function):
    """Nearest neighbour, down or up: source index floor(i n/m)."""

    @staticmethod
    def forward(ctx, x, size=3):
        ctx.n = len(x)
        ctx.index = np.arange(size) * len(x) // size
        return x[ctx.index]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        np.add.at(out, ctx.index, grad)
        return out


class NearestResizeRound(NearestResize):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        scale = len(grad) / ctx.n
        for k, g in enumerate(grad):
            out[min(round(k / scale), ctx.n - 1)] += g
        return out


add(
    "nearest resize: rounded",
    "algebra",
    NearestResizeRound,
    NearestResize,
    "the source is rounded in backward and cut in forward; the same when shrinking by half",
    examples=[((4,), {"size": 2}), ((2,), {"size": 3}), ((3,), {"size": 5})],
)


class SinOverX(Function):
    """sin(x)/x, whose derivative has a branch at zero."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        small = np.abs(x) < 0.3
        safe = np.where(small, 1.0, x)
        z = x * x
        series = x * (
            -1 / 3
            + z * (1 / 30 + z * (-1 / 840 + z * (1 / 45360 + z * (-1 / 3991680 + z / 518918400))))
        )
        return grad * np.where(small, series, (np.cos(safe) - np.sin(safe) / safe) / safe)


class SinOverXSecond(SinOverX):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        zero = x == 0
        small = np.abs(x) < 0.3
        safe = np.where(small, 1.0, x)
        z = x * x
        series = x * (
            -1 / 3
            + z * (1 / 30 + z * (-1 / 840 + z * (1 / 45360 + z * (-1 / 3991680 + z / 518918400))))
        )
        return grad * np.where(
            zero, 0.0, np.where(small, series, (np.cos(safe) - np.sin(safe) / safe) / safe)
        )


add(
    "sinc: second derivative at zero",
    "second_order",
    SinOverXSecond,
    SinOverX,
    "a constant zero at x = 0 is right once, but its derivative is not -1/3",
    examples=[((),)],
    order=2,
)


class SoftplusBeta(Function):
    """softplus with beta, whose sigmoid is kept from forward."""

    @staticmethod
    def forward(ctx, x, beta=2.0):
        ctx.beta = beta
        ctx.save_for_backward(x)
        return np.logaddexp(0, beta * x) / beta

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 + np.exp(-ctx.beta * x))


class SoftplusBetaDetached(SoftplusBeta):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(-ctx.beta * x)
        constant = np.array([float(v) for v in np.ravel(np.asarray(e))]).reshape(e.shape)
        return grad / (1 + constant)


add(
    "softplus: sigmoid detached",
    "second_order",
    SoftplusBetaDetached,
    SoftplusBeta,
    "the saved input is turned into plain numbers inside backward: no second derivative",
    examples=[((2,),), ((2,), {"beta": 1.0})],
    order=2,
)


class HalfPrecision(Function):
    """A mean of squares, summed in single precision for speed."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.mean(x**2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * (2 / x.size)


class HalfPrecisionCount(HalfPrecision):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * (2 * np.float32(1 / x.size))


add(
    "mean: count in single precision",
    "floats",
    HalfPrecisionCount,
    HalfPrecision,
    "1/n rounded to float32: exact for powers of two",
    examples=[((2,),), ((4,),), ((3,),)],
)


class Glu(Function):
    """Gated halves along any axis; bilinear, or with a ReLU for the gate."""

    @staticmethod
    def forward(ctx, x, axis=-1, gate="sigmoid"):
        ctx.save_for_backward(x)
        ctx.axis, ctx.gate = axis, gate
        a, b = np.split(x, 2, axis)
        if gate == "relu":
            return a * np.maximum(b, 0)
        return a * b if gate == "bilinear" else a / (1 + np.exp(-b))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a, b = np.split(x, 2, ctx.axis)
        if ctx.gate == "relu":
            ga, gb = np.maximum(b, 0), a * (b > 0)
        elif ctx.gate == "bilinear":
            ga, gb = b, a
        else:
            s = 1 / (1 + np.exp(-b))
            ga, gb = s, a * s / (1 + np.exp(b))
        return np.concatenate([grad * ga, grad * gb], ctx.axis)


class GluReluGate(Glu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.gate != "relu":
            return Glu.backward(ctx, grad)
        a, b = np.split(x, 2, ctx.axis)
        return np.concatenate([grad * np.maximum(b, 0), grad * a * (a * np.maximum(b, 0) != 0)], -1)


add(
    "gated halves: relu along the first axis",
    "algebra",
    GluReluGate,
    Glu,
    "one variant always concatenates along the last axis",
    examples=[
        ((2,),),
        ((2, 2), {"axis": 0, "gate": "bilinear"}),
        ((2, 2), {"axis": 1, "gate": "relu"}),
        ((2, 1), {"axis": 0, "gate": "relu"}),
        ((2, 2), {"axis": 0, "gate": "relu"}),
    ],
    domain={"x": (-30, 30)},
)


class WeightedHuberMean(Function):
    """reduction 'mean' divides by the sum of the weights, 'sum' by nothing."""

    @staticmethod
    def forward(ctx, x, weight=(1.0, 2.0), reduction="mean", delta=1.0):
        ctx.save_for_backward(x)
        ctx.w, ctx.reduction, ctx.delta = np.asarray(weight), reduction, delta
        r = np.abs(x)
        loss = ctx.w * np.where(r < delta, 0.5 * x**2, delta * (r - 0.5 * delta))
        if reduction == "none":
            return loss
        return loss.sum() / ctx.w.sum() if reduction == "mean" else loss.sum()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        g = ctx.w * np.clip(x, -ctx.delta, ctx.delta)
        if ctx.reduction == "mean":
            g = g / ctx.w.sum()
        return grad * g


class WeightedHuberCount(WeightedHuberMean):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        g = ctx.w * np.clip(x, -ctx.delta, ctx.delta)
        if ctx.reduction == "mean":
            g = g / x.size
        if ctx.reduction == "none":
            grad = np.ones_like(x) * np.mean(grad)
        return grad * g


add(
    "huber: weighted mean and no reduction",
    "algebra",
    WeightedHuberCount,
    WeightedHuberMean,
    "the mean divides by the count; without reduction the upstream gradients are averaged",
    examples=[
        ((2,), {"reduction": "sum"}),
        ((2,), {"reduction": "mean", "weight": (0.5, 1.5)}),
        ((2,), {"reduction": "none"}),
    ],
)


class ConcatSelf(Function):
    """The maximum of an array beside itself shifted: one entry can be the largest twice."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.max(np.concatenate([x, x[::-1]]))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros_like(x)
        out[np.argmax(x)] = grad
        return out


class ConcatSelfAll(ConcatSelf):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        both = np.concatenate([x, x[::-1]])
        hit = both == both.max()
        n = len(x)
        return grad * (hit[:n] + hit[n:][::-1].astype(float)) / max(hit.sum() - 1, 1)


add(
    "maximum of an array beside itself",
    "algebra",
    ConcatSelfAll,
    ConcatSelf,
    "an entry that is the largest in two places gets both shares in full",
    examples=[((2,),), ((3,),)],
)


class Sparsemax(Function):
    """The projection onto the simplex along an axis."""

    @staticmethod
    def forward(ctx, x, axis=-1):
        z = np.moveaxis(x, axis, -1)
        s = -np.sort(-z, axis=-1)
        k = np.arange(1, z.shape[-1] + 1)
        total = np.cumsum(s, axis=-1) - 1
        size = np.sum(k * s > total, axis=-1)
        tau = np.take_along_axis(total, size[..., None] - 1, -1) / size[..., None]
        p = np.maximum(z - tau, 0)
        ctx.support, ctx.axis = p > 0, axis
        return np.moveaxis(p, -1, axis)

    @staticmethod
    def backward(ctx, grad):
        g = np.moveaxis(grad, ctx.axis, -1) * ctx.support
        mean = g.sum(-1, keepdims=True) / ctx.support.sum(-1, keepdims=True)
        return np.moveaxis((g - mean) * ctx.support, -1, ctx.axis)


class SparsemaxAll(Sparsemax):
    @staticmethod
    def backward(ctx, grad):
        g = np.moveaxis(grad, ctx.axis, -1)
        mean = np.sum(g * ctx.support, -1, keepdims=True) / g.shape[-1]
        return np.moveaxis((g - mean) * ctx.support, -1, ctx.axis)


add(
    "sparsemax: size of the support",
    "cells",
    SparsemaxAll,
    Sparsemax,
    "the mean over all entries for that over the support; right where all are in it",
    examples=[((2,),), ((3,),), ((2, 2), {"axis": 0})],
)


class SpectralNorm(Function):
    """W over u^T W v, with u and v held fixed, as power iteration leaves them."""

    @staticmethod
    def forward(ctx, w, u=None, v=None):
        ctx.save_for_backward(w)
        ctx.u, ctx.v = u, v
        return w / (u @ w @ v)

    @staticmethod
    def backward(ctx, grad):
        (w,) = ctx.saved_tensors
        sigma = ctx.u @ w @ ctx.v
        return grad / sigma - np.sum(grad * w) / sigma**2 * np.outer(ctx.u, ctx.v)


class SpectralNormSwapped(SpectralNorm):
    @staticmethod
    def backward(ctx, grad):
        (w,) = ctx.saved_tensors
        sigma = ctx.u @ w @ ctx.v
        outer = np.outer(ctx.v, ctx.u) if w.shape[0] == w.shape[1] else np.outer(ctx.u, ctx.v)
        return grad / sigma - np.sum(grad * w) / sigma**2 * outer


add(
    "spectral norm: outer product",
    "algebra",
    SpectralNormSwapped,
    SpectralNorm,
    "v u^T for u v^T where the weight is square",
    examples=[
        ((2, 3), {"u": np.array([0.6, 0.8]), "v": np.array([0.0, 0.6, 0.8])}),
        ((2, 2), {"u": np.array([0.6, 0.8]), "v": np.array([1.0, 0.0])}),
    ],
)


class EmbeddingBag(Function):
    """The mean of the rows of each bag; an empty bag is zero."""

    @staticmethod
    def forward(ctx, table, ids=(), offsets=()):
        ends = [*offsets[1:], len(ids)]
        ctx.bags, ctx.shape = [ids[a:b] for a, b in zip(offsets, ends, strict=True)], table.shape
        out = np.zeros((len(offsets), table.shape[1]))
        for k, bag in enumerate(ctx.bags):
            for i in bag:
                out[k] += table[i] / len(bag)
        return out

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        for k, bag in enumerate(ctx.bags):
            for i in bag:
                out[i] += grad[k] / len(bag)
        return out


class EmbeddingBagUnique(EmbeddingBag):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        for k, bag in enumerate(ctx.bags):
            for i in set(bag):
                out[i] += grad[k] / len(bag)
        return out


add(
    "embedding bag: repeated in a bag",
    "algebra",
    EmbeddingBagUnique,
    EmbeddingBag,
    "a row twice in one bag counts once; in two bags it is right",
    examples=[
        ((3, 2), {"ids": (0, 2, 1, 0), "offsets": (0, 2, 2)}),
        ((3, 1), {"ids": (1, 1, 2), "offsets": (0, 2)}),
    ],
)
