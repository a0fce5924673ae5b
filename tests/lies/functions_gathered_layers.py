"""Layers and transforms as libraries write them, each wrong beside its right twin."""

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"gathered: {name}", kind, lie, twin, options, why=why))


class ReverseSequence(Function):
    """Reverses the first `lengths[b]` steps of each row, the padding stays."""

    @staticmethod
    def forward(ctx, x, lengths=None):
        ctx.lengths = np.asarray(lengths)
        out = x.copy()
        for b, n in enumerate(ctx.lengths):
            out[b, :n] = x[b, :n][::-1]
        return out

    @staticmethod
    def backward(ctx, grad):
        out = grad.copy()
        for b, n in enumerate(ctx.lengths):
            out[b, :n] = grad[b, :n][::-1]
        return out

    examples = [((2, 4), {"lengths": np.array([3, 2])})]


class ReverseSequenceFull(ReverseSequence):
    @staticmethod
    def backward(ctx, grad):
        return grad[:, ::-1]


add(
    "reverse sequence: padding",
    "cells",
    ReverseSequenceFull,
    ReverseSequence,
    "the padding is reversed as well",
)


class ArcMargin(Function):
    """cos(theta + m) of the true class, linear beyond pi - m; then scaled."""

    m, s = 0.5, 4.0

    @staticmethod
    def forward(ctx, cosine, label=None):
        m, s = ArcMargin.m, ArcMargin.s
        ctx.save_for_backward(cosine)
        ctx.label = np.asarray(label)
        sine = np.sqrt(1.0 - np.power(cosine, 2))
        phi = cosine * math.cos(m) - sine * math.sin(m)
        phi = np.where(cosine > math.cos(math.pi - m), phi, cosine - math.sin(math.pi - m) * m)
        one_hot = np.zeros(cosine.shape)
        one_hot[np.arange(len(ctx.label)), ctx.label] = 1
        return s * (one_hot * phi + (1.0 - one_hot) * cosine)

    @staticmethod
    def backward(ctx, grad):
        m, s = ArcMargin.m, ArcMargin.s
        (cosine,) = ctx.saved_tensors
        rows = np.arange(len(ctx.label))
        out = s * grad
        c = cosine[rows, ctx.label]
        slope = math.cos(m) + math.sin(m) * c / np.sqrt(1.0 - c * c)
        out[rows, ctx.label] *= np.where(c > math.cos(math.pi - m), slope, 1.0)
        return out

    examples = [((2, 3), {"label": np.array([2, 0])})]
    domain = {"cosine": (-1, 1)}


class ArcMarginEasy(ArcMargin):
    @staticmethod
    def backward(ctx, grad):
        m, s = ArcMargin.m, ArcMargin.s
        (cosine,) = ctx.saved_tensors
        rows = np.arange(len(ctx.label))
        out = s * grad
        c = cosine[rows, ctx.label]
        out[rows, ctx.label] *= math.cos(m) + math.sin(m) * c / np.sqrt(1.0 - c * c)
        return out


add(
    "angular margin: beyond pi minus m",
    "cells",
    ArcMarginEasy,
    ArcMargin,
    "the linear continuation has slope one",
)


class Squash(Function):
    """The nonlinearity of capsules: keeps the direction, squashes the length."""

    eps = 1e-7

    @staticmethod
    def forward(ctx, s, axis=-1):
        sq = np.sum(s * s, axis=axis, keepdims=True)
        ctx.save_for_backward(s, sq)
        ctx.axis = axis
        return sq / (1.0 + sq) * s / np.sqrt(sq + Squash.eps)

    @staticmethod
    def backward(ctx, grad):
        s, sq = ctx.saved_tensors
        root = np.sqrt(sq + Squash.eps)
        scale = sq / (1.0 + sq) / root
        dscale = 1.0 / ((1.0 + sq) ** 2 * root) - 0.5 * sq / ((1.0 + sq) * root**3)
        return scale * grad + 2 * dscale * s * np.sum(grad * s, axis=ctx.axis, keepdims=True)


class SquashLast(Squash):
    @staticmethod
    def backward(ctx, grad):
        s, sq = ctx.saved_tensors
        root = np.sqrt(sq + Squash.eps)
        scale = sq / (1.0 + sq) / root
        dscale = 1.0 / ((1.0 + sq) ** 2 * root) - sq / ((1.0 + sq) * root**3)
        return scale * grad + 2 * dscale * s * np.sum(grad * s, axis=ctx.axis, keepdims=True)


add(
    "capsule squash: half of the root",
    "algebra",
    SquashLast,
    Squash,
    "the root's derivative brings a half",
    examples=[((3,),), ((2, 2),)],
)


class Entmax15(Function):
    """The 1.5-entmax of the last axis: a threshold by sorting, its derivative from the output."""

    @staticmethod
    def forward(ctx, x):
        z = (x - x.max(axis=-1, keepdims=True)) / 2
        s = -np.sort(-z, axis=-1)
        rho = np.arange(1, x.shape[-1] + 1)
        mean = np.cumsum(s, axis=-1) / rho
        mean_sq = np.cumsum(s**2, axis=-1) / rho
        delta = np.clip((1 - rho * (mean_sq - mean**2)) / rho, 0, None)
        tau = mean - np.sqrt(delta)
        size = (tau <= s).sum(axis=-1, keepdims=True)
        p = np.maximum(z - np.take_along_axis(tau, size - 1, axis=-1), 0) ** 2
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        gppr = np.sqrt(p)
        dx = grad * gppr
        q = dx.sum(axis=-1, keepdims=True) / gppr.sum(axis=-1, keepdims=True)
        return dx - q * gppr

    examples = [((3,),), ((2, 2),)]


class Entmax15Sparsemax(Entmax15):
    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        on = p > 0
        q = (grad * on).sum(axis=-1, keepdims=True) / on.sum(axis=-1, keepdims=True)
        return np.sqrt(p) * (grad - q)


add(
    "entmax: mean over the support",
    "algebra",
    Entmax15Sparsemax,
    Entmax15,
    "weighted by the root of the output, not plainly",
)


class SSIM(Function):
    """Structural similarity of two windows, by their means, variances and covariance."""

    c1, c2 = 0.01**2, 0.03**2

    @staticmethod
    def _moments(x, y):
        mx, my = x.mean(), y.mean()
        return mx, my, ((x - mx) ** 2).mean(), ((y - my) ** 2).mean(), ((x - mx) * (y - my)).mean()

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        mx, my, vx, vy, cov = SSIM._moments(x, y)
        return (
            (2 * mx * my + SSIM.c1)
            * (2 * cov + SSIM.c2)
            / ((mx**2 + my**2 + SSIM.c1) * (vx + vy + SSIM.c2))
        )

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        mx, my, vx, vy, cov = SSIM._moments(x, y)
        a1, a2 = 2 * mx * my + SSIM.c1, 2 * cov + SSIM.c2
        b1, b2 = mx**2 + my**2 + SSIM.c1, vx + vy + SSIM.c2

        def wrt(u, v, mu, mv):
            return (
                2 * mv * a2 / (b1 * b2)
                - 2 * mu * a1 * a2 / (b1**2 * b2)
                + 2 * (v - mv) * a1 / (b1 * b2)
                - 2 * (u - mu) * a1 * a2 / (b1 * b2**2)
            ) / u.size

        return grad * wrt(x, y, mx, my), grad * wrt(y, x, my, mx)

    examples = [((3,), (3,)), ((2, 2), (2, 2))]
    domain = {"x": (0, 1), "y": (0, 1)}


class SSIMOnce(SSIM):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        mx, my, vx, vy, cov = SSIM._moments(x, y)
        gx, gy = SSIM.backward(ctx, grad)
        return gx, gy + grad * 2 * (y - my) * (2 * mx * my + SSIM.c1) * (2 * cov + SSIM.c2) / (
            (mx**2 + my**2 + SSIM.c1) * (vx + vy + SSIM.c2) ** 2
        ) / y.size


add(
    "structural similarity: variance of the reference",
    "algebra",
    SSIMOnce,
    SSIM,
    "the reference's variance stands in the denominator too",
)


class CausalAttention(Function):
    """Scores, a causal mask with a slope per distance, softmax, values."""

    @staticmethod
    def _weights(q, k, slope):
        n = len(q)
        i, j = np.indices((n, n))
        scores = q @ k.T / math.sqrt(q.shape[-1]) - slope * (i - j)
        scores = np.where(j <= i, scores, -np.inf)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    @staticmethod
    def forward(ctx, q, k, v, slope=0.5):
        w = CausalAttention._weights(q, k, slope)
        ctx.save_for_backward(q, k, v)
        ctx.slope = slope
        return w @ v

    @staticmethod
    def backward(ctx, grad):
        q, k, v = ctx.saved_tensors
        w = CausalAttention._weights(q, k, ctx.slope)
        dw = grad @ v.T
        ds = w * (dw - np.sum(dw * w, axis=-1, keepdims=True)) / math.sqrt(q.shape[-1])
        return ds @ k, ds.T @ q, w.T @ grad

    examples = [((2, 2), (2, 2), (2, 2)), ((3, 1), (3, 1), (3, 1))]


class CausalAttentionUnmasked(CausalAttention):
    @staticmethod
    def backward(ctx, grad):
        q, k, _v = ctx.saved_tensors
        dq, dk, _dv = CausalAttention.backward(ctx, grad)
        n = len(q)
        scores = q @ k.T / math.sqrt(q.shape[-1]) - ctx.slope * np.subtract.outer(
            np.arange(n), np.arange(n)
        )
        return dq, dk, special.softmax(scores, axis=-1).T @ grad


add(
    "causal attention: values behind the mask",
    "cells",
    CausalAttentionUnmasked,
    CausalAttention,
    "the weights for the values are made again without the mask",
)


class Hadamard(Function):
    """The fast Walsh-Hadamard transform of the last axis, after signs were flipped."""

    @staticmethod
    def _fwht(x):
        a = x.copy()
        h, n = 1, x.shape[-1]
        while h < n:
            for i in range(0, n, h * 2):
                lo, hi = a[..., i : i + h].copy(), a[..., i + h : i + 2 * h].copy()
                a[..., i : i + h] = lo + hi
                a[..., i + h : i + 2 * h] = lo - hi
            h *= 2
        return a / np.sqrt(n)

    @staticmethod
    def forward(ctx, x, signs):
        ctx.save_for_backward(x, signs)
        return Hadamard._fwht(x * signs)

    @staticmethod
    def backward(ctx, grad):
        x, signs = ctx.saved_tensors
        g = Hadamard._fwht(grad)
        return g * signs, (g * x).reshape(-1, x.shape[-1]).sum(axis=0)

    examples = [((4,), (4,)), ((2, 4), (4,))]


class HadamardFlipped(Hadamard):
    @staticmethod
    def backward(ctx, grad):
        x, signs = ctx.saved_tensors
        g = Hadamard._fwht(grad * signs)
        return g, (Hadamard._fwht(grad) * x).reshape(-1, x.shape[-1]).sum(axis=0)


add(
    "hadamard: signs on the wrong side",
    "algebra",
    HadamardFlipped,
    Hadamard,
    "the diagonal comes after the transform on the way back",
)


class RationalSpline(Function):
    """A monotone rational-quadratic spline on [-1, 1], the identity outside."""

    knots_x = np.array([-1.0, -0.2, 0.5, 1.0])
    knots_y = np.array([-1.0, -0.5, 0.6, 1.0])
    slopes = np.array([1.0, 0.7, 1.5, 1.0])

    @staticmethod
    def _bin(x):
        inside = (x >= -1) & (x <= 1)
        safe = np.where(inside, x, 0.0)
        k = np.clip(np.searchsorted(RationalSpline.knots_x, safe, side="right") - 1, 0, 2)
        xk, w = RationalSpline.knots_x[k], np.diff(RationalSpline.knots_x)[k]
        yk, h = RationalSpline.knots_y[k], np.diff(RationalSpline.knots_y)[k]
        return (
            inside,
            (safe - xk) / w,
            w,
            yk,
            h,
            RationalSpline.slopes[k],
            RationalSpline.slopes[k + 1],
        )

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        inside, t, w, yk, h, d0, d1 = RationalSpline._bin(x)
        s = h / w
        y = yk + h * (s * t**2 + d0 * t * (1 - t)) / (s + (d1 + d0 - 2 * s) * t * (1 - t))
        return np.where(inside, y, x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        inside, t, w, _yk, h, d0, d1 = RationalSpline._bin(x)
        s = h / w
        num = s**2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)
        return grad * np.where(inside, num / (s + (d1 + d0 - 2 * s) * t * (1 - t)) ** 2, 1.0)


class RationalSplineRight(RationalSpline):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        _inside, t, w, _yk, h, d0, d1 = RationalSpline._bin(x)
        s = h / w
        num = s**2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)
        return grad * np.where(x < 1, num / (s + (d1 + d0 - 2 * s) * t * (1 - t)) ** 2, 1.0)


add(
    "rational spline: left of the box",
    "cells",
    RationalSplineRight,
    RationalSpline,
    "left of the box it is the identity as well",
)


class UnitaryScan(Function):
    """A diagonal state-space layer: h_t = a h_(t-1) + b x_t, the outputs c . h_t."""

    @staticmethod
    def _states(x, log_a, b):
        a, h, states = np.exp(-np.exp(log_a)), np.zeros_like(log_a), []
        for x_t in x:
            h = a * h + b * x_t
            states.append(h)
        return a, states

    @staticmethod
    def forward(ctx, x, log_a, b, c):
        ctx.save_for_backward(x, log_a, b, c)
        _, states = UnitaryScan._states(x, log_a, b)
        return np.array([h @ c for h in states])

    @staticmethod
    def backward(ctx, grad):
        x, log_a, b, c = ctx.saved_tensors
        a, states = UnitaryScan._states(x, log_a, b)
        dx, da, db, dc = np.zeros_like(x), np.zeros_like(a), np.zeros_like(b), np.zeros_like(c)
        dh = np.zeros_like(a)
        for t in reversed(range(len(x))):
            dh = dh * a + grad[t] * c
            dc += grad[t] * states[t]
            if t > 0:
                da += dh * states[t - 1]
            db += dh * x[t]
            dx[t] = dh @ b
        return dx, -da * a * np.exp(log_a), db, dc

    examples = [((3,), (2,), (2,), (2,))]
    domain = {"log_a": (-2, 1)}


class UnitaryScanOnce(UnitaryScan):
    @staticmethod
    def backward(ctx, grad):
        x, log_a, b, _c = ctx.saved_tensors
        a, _ = UnitaryScan._states(x, log_a, b)
        dx, dlog, db, dc = UnitaryScan.backward(ctx, grad)
        return dx, dlog / a, db, dc


add(
    "state space: chain of the double exponential",
    "algebra",
    UnitaryScanOnce,
    UnitaryScan,
    "the factor a of exp(-exp(.)) is missing",
)


class LabelSmoothedSequence(Function):
    """Cross entropy over steps, label smoothing, ignored positions, mean over the others."""

    @staticmethod
    def forward(ctx, logits, target=None, eps=0.1, ignore_index=-100):
        target = np.asarray(target)
        keep = target != ignore_index
        ctx.save_for_backward(logits)
        ctx.target, ctx.keep, ctx.eps = np.where(keep, target, 0), keep, eps
        logp = special.log_softmax(logits, axis=-1)
        nll = -np.take_along_axis(logp, ctx.target[:, None], axis=-1)[:, 0]
        loss = (1 - eps) * nll - eps * logp.mean(axis=-1)
        return np.sum(loss * keep) / max(keep.sum(), 1)

    @staticmethod
    def backward(ctx, grad):
        (logits,) = ctx.saved_tensors
        n, k = logits.shape
        d = special.softmax(logits, axis=-1) - ctx.eps / k
        d[np.arange(n), ctx.target] -= 1 - ctx.eps
        d[~ctx.keep] = 0
        return grad * d / max(ctx.keep.sum(), 1)

    examples = [
        ((3, 3), {"target": np.array([2, -100, 0])}),
        ((2, 3), {"target": np.array([-100, -100])}),
    ]


class LabelSmoothedSequenceBatch(LabelSmoothedSequence):
    @staticmethod
    def backward(ctx, grad):
        d = LabelSmoothedSequence.backward(ctx, grad)
        return d * max(ctx.keep.sum(), 1) / len(d)


add(
    "smoothed cross entropy: mean over the ignored",
    "cells",
    LabelSmoothedSequenceBatch,
    LabelSmoothedSequence,
    "divided by all steps, the ignored ones included",
)
