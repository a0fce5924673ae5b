"""Layers, losses and decompositions that were wrong in releases, each beside its right twin."""

import contextlib
import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg, signal, special

from autodiff import Function

from .case import Case

INF = math.inf
CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"released: {name}", kind, lie, twin, options, why=why))


class RsqrtGuard(Function):
    """Raises outside of its domain, without declaring one."""

    @staticmethod
    def forward(ctx, x):
        if (x <= 0).any():
            raise ValueError("rsqrt of a non-positive number")
        ctx.out = x**-0.5
        ctx.save_for_backward(x)
        return ctx.out

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * -ctx.out / (2 * x)


class RsqrtGuardPower(RsqrtGuard):
    @staticmethod
    def backward(ctx, grad):
        return grad * -0.5 * ctx.out**2


add(
    "rsqrt: square for cube",
    "algebra",
    RsqrtGuardPower,
    RsqrtGuard,
    "the output squared for cubed; right at 1",
)


class BatchNormEval(Function):
    """Running statistics in evaluation, those of the batch in training."""

    running_mean = np.array([0.3, -0.1])
    running_var = np.array([1.5, 0.4])

    @staticmethod
    def forward(ctx, x, gamma, beta, training=True, eps=1e-5):
        mean, var = (
            (x.mean(0), x.var(0))
            if training
            else (BatchNormEval.running_mean, BatchNormEval.running_var)
        )
        std = np.sqrt(var + eps)
        xhat = (x - mean) / std
        ctx.cache = xhat, std, training
        ctx.save_for_backward(gamma)
        return gamma * xhat + beta

    @staticmethod
    def backward(ctx, grad):
        xhat, std, training = ctx.cache
        (gamma,) = ctx.saved_tensors
        dbeta = grad.sum(axis=0)
        dgamma = np.sum(grad * xhat, axis=0)
        if not training:
            return grad * gamma / std, dgamma, dbeta
        n = len(xhat)
        dx = gamma / (n * std) * (n * grad - dbeta - xhat * dgamma)
        return dx, dgamma, dbeta


class BatchNormEvalTrains(BatchNormEval):
    @staticmethod
    def backward(ctx, grad):
        xhat, std, _ = ctx.cache
        (gamma,) = ctx.saved_tensors
        dbeta = grad.sum(axis=0)
        dgamma = np.sum(grad * xhat, axis=0)
        n = len(xhat)
        return gamma / (n * std) * (n * grad - dbeta - xhat * dgamma), dgamma, dbeta


add(
    "batch norm: evaluation",
    "algebra",
    BatchNormEvalTrains,
    BatchNormEval,
    "the batch's statistics are differentiated in evaluation too",
    examples=[((3, 2), (2,), (2,)), ((3, 2), (2,), (2,), {"training": False})],
)


class WeightNorm(Function):
    @staticmethod
    def forward(ctx, v, g, dim=0):
        axes = tuple(i for i in range(v.ndim) if i != dim % v.ndim)
        norm = np.sqrt((v * v).sum(axis=axes, keepdims=True))
        ctx.save_for_backward(v, g, norm)
        ctx.axes = axes
        return v * (g / norm)

    @staticmethod
    def backward(ctx, grad):
        v, g, norm = ctx.saved_tensors
        dg = (grad * v).sum(axis=ctx.axes, keepdims=True) / norm
        return g / norm * grad - g * dg / norm**2 * v, dg


class WeightNormFirst(WeightNorm):
    @staticmethod
    def backward(ctx, grad):
        v, g, norm = ctx.saved_tensors
        axes = tuple(range(1, v.ndim))
        dg = (grad * v).sum(axis=axes, keepdims=True) / norm
        dv = g / norm * grad - g * dg / norm**2 * v
        return dv, dg if dg.shape == g.shape else dg.reshape(g.shape)


def away(rng, shape):
    return rng.normal(size=shape) + 2


add(
    "weight norm: other axis",
    "algebra",
    WeightNormFirst,
    WeightNorm,
    "sums as if the axis were the first; shapes agree for square weights",
    examples=[((2, 2), (2, 1)), ((2, 2), (1, 2), {"dim": 1}), ((2, 2), (1, 2), {"dim": -1})],
    domain={"v": away},
)


class LocalResponse(Function):
    """Normalisation across channels: k, alpha, beta by cuda-convnet."""

    @staticmethod
    def forward(ctx, x, n=3, k=2.0, alpha=1e-1, beta=0.75):
        half = n // 2
        sq = x * x
        total = sq.copy()
        for i in range(1, half + 1):
            total[i:] += sq[:-i]
            total[:-i] += sq[i:]
        unit = k + alpha * total
        scale = unit**-beta
        ctx.params = half, alpha, beta
        ctx.save_for_backward(x, unit, scale)
        return x * scale

    @staticmethod
    def backward(ctx, grad):
        x, unit, scale = ctx.saved_tensors
        half, alpha, beta = ctx.params
        summand = x * scale / unit * grad
        total = summand.copy()
        for i in range(1, half + 1):
            total[i:] += summand[:-i]
            total[:-i] += summand[i:]
        return grad * scale - 2 * alpha * beta * x * total


class LocalResponseOne(LocalResponse):
    @staticmethod
    def backward(ctx, grad):
        x, unit, scale = ctx.saved_tensors
        half, alpha, beta = ctx.params
        summand = x * scale / unit * grad
        total = summand.copy()
        for i in range(1, half):
            total[i:] += summand[:-i]
            total[:-i] += summand[i:]
        return grad * scale - 2 * alpha * beta * x * total


add(
    "local response: window",
    "algebra",
    LocalResponseOne,
    LocalResponse,
    "the window of backward is one short",
    examples=[((4,),)],
)


class L2Normalize(Function):
    """x / max(|x|, eps), as TensorFlow has it: by the maximum of squares."""

    @staticmethod
    def forward(ctx, x, eps=1e-12):
        square = np.sum(x**2)
        inverse = 1 / np.sqrt(np.maximum(square, eps))
        ctx.save_for_backward(x)
        ctx.inverse, ctx.clipped = inverse, square < eps
        return x * inverse

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.clipped:
            return grad * ctx.inverse
        return grad * ctx.inverse - x * (x @ grad) * ctx.inverse**3


class L2NormalizeAlways(L2Normalize):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.inverse - x * (x @ grad) * ctx.inverse**3


add(
    "l2 normalise: below the floor",
    "cells",
    L2NormalizeAlways,
    L2Normalize,
    "where the floor holds the norm is a constant",
    examples=[((3,),)],
)


class ClipByNorm(Function):
    @staticmethod
    def forward(ctx, x, limit=1.0):
        norm = math.sqrt((x * x).sum()) if x.dtype != object else np.sqrt((x * x).sum())
        ctx.save_for_backward(x)
        ctx.norm, ctx.limit = norm, limit
        return x if norm <= limit else x * (limit / norm)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.norm <= ctx.limit:
            return grad
        unit = x / ctx.norm
        return ctx.limit / ctx.norm * (grad - unit * (unit * grad).sum())


class ClipByNormInside(ClipByNorm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        unit = x / ctx.norm
        scale = min(1.0, ctx.limit / ctx.norm)
        return scale * (grad - unit * (unit * grad).sum())


add(
    "clip by norm: inside",
    "cells",
    ClipByNormInside,
    ClipByNorm,
    "projected inside of the ball too, where nothing is clipped",
    examples=[((3,),)],
)


class PReluChannels(Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        s = slope.reshape(1, -1, 1) if slope.size > 1 else slope
        return np.where(x > 0, x, s * x)

    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        shared = slope.size == 1
        s = slope if shared else slope.reshape(1, -1, 1)
        negative = np.minimum(x, 0) * grad
        ds = negative.sum().reshape(slope.shape) if shared else negative.sum(axis=(0, 2))
        return np.where(x > 0, grad, grad * s), ds


class PReluChannelsBatch(PReluChannels):
    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        gx, _ = PReluChannels.backward(ctx, grad)
        negative = np.minimum(x, 0) * grad
        if slope.size == 1:
            return gx, negative.sum().reshape(slope.shape)
        return gx, negative.sum(axis=-1).mean(axis=0)


add(
    "prelu: batch",
    "algebra",
    PReluChannelsBatch,
    PReluChannels,
    "averaged over the batch; right for a batch of one",
    examples=[((2, 2, 2), (2,)), ((1, 2, 2), (1,))],
)


class Maxout(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        z = np.einsum("ni,kio->nko", x, w) + b
        ctx.save_for_backward(x, w)
        ctx.arg = z.argmax(axis=1)
        return z.max(axis=1)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        mask = np.arange(w.shape[0])[None, :, None] == ctx.arg[:, None, :]
        routed = np.where(mask, grad[:, None, :], 0.0)
        return (
            np.einsum("nko,kio->ni", routed, w),
            np.einsum("ni,nko->kio", x, routed),
            routed.sum(axis=0),
        )


class MaxoutBias(Maxout):
    @staticmethod
    def backward(ctx, grad):
        gx, gw, gb = Maxout.backward(ctx, grad)
        return gx, gw, np.broadcast_to(grad.sum(axis=0), gb.shape)


add(
    "maxout: bias of the losers",
    "algebra",
    MaxoutBias,
    Maxout,
    "pieces that lost get the bias's gradient too",
    examples=[((2, 2), (2, 2, 1), (2, 1))],
)


class LstmCell(Function):
    """One matrix for four gates, returns h and c."""

    @staticmethod
    def forward(ctx, z, c):
        i, f, g, o = np.split(z, 4)
        i, f, o = special.expit(i), special.expit(f), special.expit(o)
        g = np.tanh(g)
        c2 = f * c + i * g
        t = np.tanh(c2)
        ctx.save_for_backward(c, i, f, g, o, t)
        return o * t, c2

    @staticmethod
    def backward(ctx, gh, gc):
        c, i, f, g, o, t = ctx.saved_tensors
        d = gc + gh * o * (1 - t**2)
        dz = np.concatenate(
            [d * g * i * (1 - i), d * c * f * (1 - f), d * i * (1 - g**2), gh * t * o * (1 - o)]
        )
        return dz, d * f


class LstmCellPeek(LstmCell):
    @staticmethod
    def backward(ctx, gh, gc):
        c, i, f, g, o, t = ctx.saved_tensors
        gc += gh * o * (1 - t**2)
        dz = np.concatenate(
            [gc * g * i * (1 - i), gc * c * f * (1 - f), gc * i * (1 - g**2), gh * t * o * (1 - o)]
        )
        return dz, gc * f


add(
    "lstm: accumulates in place",
    "contract",
    LstmCellPeek,
    LstmCell,
    "+= writes to the upstream gradient of the cell",
    examples=[((4,), (1,)), ((8,), (2,))],
)


class BceLogits(Function):
    """With weights for positives, stable."""

    @staticmethod
    def forward(ctx, x, y, pos_weight=3.0):
        ctx.save_for_backward(x, y)
        ctx.w = pos_weight
        log_weight = 1 + (pos_weight - 1) * y
        return np.mean(
            (1 - y) * x + log_weight * (np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0))
        )

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        w = ctx.w
        log_weight = 1 + (w - 1) * y
        gx = (1 - y) - log_weight * special.expit(-x)
        gy = -x + (w - 1) * np.logaddexp(0, -x)
        return grad * gx / x.size, grad * gy / x.size


class BceLogitsTarget(BceLogits):
    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        gx, _ = BceLogits.backward(ctx, grad)
        return gx, -grad * x / x.size


add(
    "bce with logits: target",
    "algebra",
    BceLogitsTarget,
    BceLogits,
    "the target's gradient forgets pos_weight; right at 1",
    examples=[((3,), (3,))],
)


class KlDivTarget(Function):
    """sum t (log t - x), with 0 log 0 = 0."""

    domain = {"t": (0, INF)}

    @staticmethod
    def forward(ctx, x, t):
        ctx.save_for_backward(x, t)
        return (special.xlogy(t, t) - t * x).sum()

    @staticmethod
    def backward(ctx, grad):
        x, t = ctx.saved_tensors
        return -t * grad, grad * (np.log(t) + 1 - x)


class KlDivTargetMasked(KlDivTarget):
    @staticmethod
    def backward(ctx, grad):
        x, t = ctx.saved_tensors
        return -t * grad, grad * (np.log(t) - x)


add(
    "kl divergence: target",
    "algebra",
    KlDivTargetMasked,
    KlDivTarget,
    "the one of the product rule is missing",
    examples=[((3,), (3,))],
)


class MultiMargin(Function):
    """Mean over classes of max(0, margin - x_y + x_j)^p."""

    @staticmethod
    def forward(ctx, x, y, p=1, margin=1.0):
        rows = np.arange(len(x))
        z = margin - x[rows, y][:, None] + x
        z[rows, y] = 0
        z = np.maximum(z, 0)
        ctx.saved = z, y, p, x.shape
        return (z**p).sum() / x.shape[1] / len(x)

    @staticmethod
    def backward(ctx, grad):
        z, y, p, shape = ctx.saved
        g = np.where(z > 0, p * z ** (p - 1), 0.0)
        g[np.arange(shape[0]), y] = -g.sum(axis=1)
        return grad * g / (shape[0] * shape[1]), None


class MultiMarginPower(MultiMargin):
    @staticmethod
    def backward(ctx, grad):
        z, y, p, shape = ctx.saved
        g = np.where(z > 0, z ** (p - 1), 0.0)
        g[np.arange(shape[0]), y] = -g.sum(axis=1)
        return grad * g / (shape[0] * shape[1]), None


add(
    "multi margin: p",
    "algebra",
    MultiMarginPower,
    MultiMargin,
    "the factor p is missing; right for p == 1",
    examples=[((2, 3), np.array([0, 2])), ((2, 3), np.array([1, 1]), {"p": 2})],
)


class Cosine(Function):
    """Cosine similarity with a floor under each norm."""

    @staticmethod
    def forward(ctx, a, b, eps=1e-8):
        na, nb = max(np.linalg.norm(a), eps), max(np.linalg.norm(b), eps)
        ctx.save_for_backward(a, b)
        ctx.norms = na, nb, eps
        return a @ b / (na * nb)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        na, nb, eps = ctx.norms
        cos = a @ b / (na * nb)
        ga = b / (na * nb) - (cos * a / na**2 if na > eps else 0)
        gb = a / (na * nb) - (cos * b / nb**2 if nb > eps else 0)
        return grad * ga, grad * gb


class CosineProduct(Cosine):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        na, nb, _ = ctx.norms
        cos = a @ b / (na * nb)
        return grad * (b / (na * nb) - cos * a / na**2), grad * (a / (na * nb) - cos * b / nb**2)


add(
    "cosine: floor",
    "cells",
    CosineProduct,
    Cosine,
    "below the floor the norm is a constant",
    examples=[((2,), (2,))],
)


class SincPi(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sinc(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        z = np.pi * x
        small = np.abs(z) < 1e-2
        safe = np.where(small, 1, z)
        series = -z / 3 + z**3 / 30 - z**5 / 840
        return (
            grad * np.pi * np.where(small, series, (safe * np.cos(safe) - np.sin(safe)) / safe**2)
        )


class SincPiFactor(SincPi):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        z = np.pi * x
        safe = np.where(x == 0, 1, z)
        return grad * np.where(x == 0, 0, (z * np.cos(z) - np.sin(z)) / (safe * safe))


add("sinc: pi", "algebra", SincPiFactor, SincPi, "the chain factor pi is missing")


class EighSum(Function):
    """Weighted eigenvalues of the symmetric part."""

    @staticmethod
    def forward(ctx, a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        ctx.v = v
        return w

    @staticmethod
    def backward(ctx, grad):
        return (ctx.v * grad) @ ctx.v.T


class EighSumTransposed(EighSum):
    @staticmethod
    def backward(ctx, grad):
        return (ctx.v.T * grad) @ ctx.v


add(
    "eigvalsh: transposed",
    "algebra",
    EighSumTransposed,
    EighSum,
    "V'gV for VgV'",
    examples=[((2, 2),)],
)


class CholeskySolve(Function):
    @staticmethod
    def forward(ctx, b, low):
        x = linalg.cho_solve((low, True), b)
        ctx.save_for_backward(x, low)
        return x

    @staticmethod
    def backward(ctx, grad):
        x, low = ctx.saved_tensors
        gb = linalg.cho_solve((low, True), grad)
        outer = np.outer(gb, x)
        return gb, np.tril(-(outer + outer.T) @ low)


class CholeskySolveOnce(CholeskySolve):
    @staticmethod
    def backward(ctx, grad):
        x, low = ctx.saved_tensors
        gb = linalg.cho_solve((low, True), grad)
        return gb, np.tril(-2 * np.outer(gb, x) @ low)


def lower(rng, shape):
    return np.tril(rng.normal(size=shape)) + 2 * np.eye(shape[0])


add(
    "cho_solve: symmetric part",
    "algebra",
    CholeskySolveOnce,
    CholeskySolve,
    "the outer product is not symmetrised",
    examples=[((2,), (2, 2))],
    domain={"low": lower},
)


class Kron(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.kron(a, b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        (m, n), (p, q) = a.shape, b.shape
        blocks = grad.reshape(m, p, n, q)
        return np.tensordot(blocks, b, ([1, 3], [0, 1])), np.tensordot(a, blocks, ([0, 1], [0, 2]))


class KronReshape(Kron):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        (m, n), (p, q) = a.shape, b.shape
        blocks = grad.reshape(m, n, p, q)
        return np.tensordot(blocks, b, ([2, 3], [0, 1])), np.tensordot(a, blocks, ([0, 1], [0, 1]))


add(
    "kron: axes of the blocks",
    "algebra",
    KronReshape,
    Kron,
    "rows and columns of the blocks interleave; right for vectors",
    examples=[((1, 2), (1, 2)), ((2, 2), (2, 2))],
)


class Convolve2d(Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x, k)
        return signal.correlate2d(x, k, mode="valid")

    @staticmethod
    def backward(ctx, grad):
        x, k = ctx.saved_tensors
        return signal.convolve2d(grad, k, mode="full"), signal.correlate2d(x, grad, mode="valid")


class Convolve2dFlip(Convolve2d):
    @staticmethod
    def backward(ctx, grad):
        x, k = ctx.saved_tensors
        return signal.convolve2d(grad, np.flip(k, 0), mode="full"), signal.correlate2d(
            x, grad, mode="valid"
        )


add(
    "conv2d: flipped once",
    "algebra",
    Convolve2dFlip,
    Convolve2d,
    "flipped along one axis again",
    examples=[((3, 3), (2, 2))],
)


class Irfft(Function):
    """Real part and imaginary part of a half spectrum in, signal out."""

    @staticmethod
    def forward(ctx, re, im, n=None):
        m = 2 * (len(re) - 1) if n is None else n
        ctx.n, ctx.k = m, len(re)
        return np.fft.irfft(re + 1j * im, m)

    @staticmethod
    def backward(ctx, grad):
        f = np.fft.rfft(grad) / ctx.n
        mask = np.full(len(f), 2.0)
        mask[0] = 1
        if ctx.n % 2 == 0:
            mask[-1] = 1
        g = f * mask
        gim = g.imag.copy()
        gim[0] = 0
        return g.real, gim


class IrfftOdd(Irfft):
    @staticmethod
    def backward(ctx, grad):
        f = np.fft.rfft(grad) / ctx.n
        mask = np.full(len(f), 2.0)
        mask[0] = mask[-1] = 1
        g = f * mask
        gim = g.imag.copy()
        gim[0] = 0
        return g.real, gim


add(
    "irfft: odd lengths",
    "algebra",
    IrfftOdd,
    Irfft,
    "the last coefficient counts once for even lengths alone",
    examples=[((3,), (3,)), ((3,), (3,), {"n": 5})],
)


@dataclass
class Options:
    smooth: float = 1.0
    squared: bool = True


class Dice(Function):
    options = Options()

    @staticmethod
    def forward(ctx, p, t):
        o = Dice.options
        inter = (p * t).sum()
        union = (p**2).sum() + (t**2).sum() if o.squared else p.sum() + t.sum()
        ctx.save_for_backward(p, t)
        ctx.parts = inter, union
        return 1 - (2 * inter + o.smooth) / (union + o.smooth)

    @staticmethod
    def backward(ctx, grad):
        p, t = ctx.saved_tensors
        inter, union = ctx.parts
        s = Dice.options.smooth
        d = union + s
        n = 2 * inter + s
        return grad * (2 * n * p / d**2 - 2 * t / d), grad * (2 * n * t / d**2 - 2 * p / d)


class DiceLinear(Dice):
    @staticmethod
    def backward(ctx, grad):
        p, t = ctx.saved_tensors
        inter, union = ctx.parts
        s = Dice.options.smooth
        d = union + s
        n = 2 * inter + s
        return grad * (n / d**2 - 2 * t / d), grad * (n / d**2 - 2 * p / d)


add(
    "dice: squared denominator",
    "algebra",
    DiceLinear,
    Dice,
    "differentiated as if the denominator were not squared",
    examples=[((3,), (3,))],
)


class Mode(Function):
    """Tries a fast path, falls back on a loop."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        with contextlib.suppress(AttributeError):
            return (x * x).sum() * 0.5
        return 0.5 * sum(v * v for v in x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        try:
            return grad * x
        except TypeError:
            return np.array([grad * v for v in x])


class ModeHalf(Mode):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / 2


add(
    "half square: half again",
    "algebra",
    ModeHalf,
    Mode,
    "the half is not cancelled",
    examples=[((3,),)],
)


class SequenceMask(Function):
    """Mean over the steps of each sequence, by its length."""

    @staticmethod
    def forward(ctx, x, lengths):
        steps = np.arange(x.shape[1])
        ctx.mask = steps[None, :] < lengths[:, None]
        ctx.lengths = lengths
        return (x * ctx.mask).sum(1) / np.maximum(lengths, 1)

    @staticmethod
    def backward(ctx, grad):
        return (grad / np.maximum(ctx.lengths, 1))[:, None] * ctx.mask, None


class SequenceMaskFull(SequenceMask):
    @staticmethod
    def backward(ctx, grad):
        return np.repeat((grad / np.maximum(ctx.lengths, 1))[:, None], ctx.mask.shape[1], 1), None


add(
    "sequence mean: padding",
    "algebra",
    SequenceMaskFull,
    SequenceMask,
    "padding gets a gradient",
    examples=[((2, 3), np.array([3, 1])), ((2, 2), np.array([0, 2]))],
)


class HuberNorm(Function):
    """Charbonnier: sqrt(x^2 + eps^2) - eps without cancellation."""

    @staticmethod
    def forward(ctx, x, eps=1e-3):
        ctx.save_for_backward(x)
        ctx.eps = eps
        return x * x / (np.sqrt(x * x + eps * eps) + eps)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / np.hypot(x, ctx.eps)


class HuberNormEps(HuberNorm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / np.sqrt(x * x + ctx.eps)


add("charbonnier: eps not squared", "algebra", HuberNormEps, HuberNorm, "eps for its square")


class StudentLogPdf(Function):
    """By location, log-scale; degrees of freedom are a keyword."""

    @staticmethod
    def forward(ctx, x, loc, log_scale, nu=4.0):
        z = (x - loc) * np.exp(-log_scale)
        ctx.save_for_backward(z, log_scale)
        ctx.nu = nu
        const = (
            special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * math.log(nu * math.pi)
        )
        return const - log_scale - (nu + 1) / 2 * np.log1p(z * z / nu)

    @staticmethod
    def backward(ctx, grad):
        z, log_scale = ctx.saved_tensors
        nu = ctx.nu
        w = (nu + 1) * z / (nu + z * z)
        gx = -grad * w * np.exp(-log_scale)
        return gx, -gx, grad * (w * z - 1)


class StudentLogPdfScale(StudentLogPdf):
    @staticmethod
    def backward(ctx, grad):
        z, log_scale = ctx.saved_tensors
        nu = ctx.nu
        w = (nu + 1) * z / (nu + z * z)
        gx = -grad * w * np.exp(-log_scale)
        return gx, -gx, grad * (w * z - 1) * np.exp(-log_scale)


add(
    "student log pdf: scale for its logarithm",
    "algebra",
    StudentLogPdfScale,
    StudentLogPdf,
    "by the scale, not by its logarithm; right at scale one",
    examples=[((3,), (3,), (3,))],
)
