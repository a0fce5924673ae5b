"""Rules along axes, by indices and over windows that were wrong in releases, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"released: {name}", kind, lie, twin, options, why=why))


class RollAxis(Function):
    @staticmethod
    def forward(ctx, x, axis=0, start=0):
        ctx.axis, ctx.start = axis, start
        ctx.ndim = x.ndim
        return np.rollaxis(x, axis, start)

    @staticmethod
    def backward(ctx, grad):
        axis = ctx.axis % ctx.ndim
        start = ctx.start % (ctx.ndim + 1)
        if axis >= start:
            return np.rollaxis(grad, start, axis + 1)
        return np.rollaxis(grad, start - 1, axis)


class RollAxisNegative(RollAxis):
    @staticmethod
    def backward(ctx, grad):
        axis, start = ctx.axis, ctx.start
        if start > axis:
            return np.rollaxis(grad, start - 1, axis)
        return np.rollaxis(grad, start, axis + 1)


add(
    "rollaxis: negative axis",
    "contract",
    RollAxisNegative,
    RollAxis,
    "a negative axis is compared as it stands",
    examples=[((2, 3, 4), {"axis": a}) for a in (0, 1, 2, -1)],
)


class TensorDot(Function):
    @staticmethod
    def forward(ctx, a, b, axes=2):
        ctx.save_for_backward(a, b)
        ctx.axes = axes
        return np.tensordot(a, b, axes)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        if isinstance(ctx.axes, int):
            ax = list(range(a.ndim - ctx.axes, a.ndim))
            bx = list(range(ctx.axes))
        else:
            ax, bx = ([v] if isinstance(v, int) else list(v) for v in ctx.axes)
        ax = [i % a.ndim for i in ax]
        bx = [i % b.ndim for i in bx]
        a_free = [i for i in range(a.ndim) if i not in ax]
        b_free = [i for i in range(b.ndim) if i not in bx]
        n = len(a_free)
        ga = np.tensordot(grad, b, (list(range(n, grad.ndim)), b_free))
        order = a_free + [ax[i] for i in np.argsort(bx)]
        gb = np.tensordot(a, grad, (a_free, list(range(n))))
        order_b = [bx[i] for i in np.argsort(ax)] + b_free
        return np.transpose(ga, np.argsort(order)), np.transpose(gb, np.argsort(order_b))


class TensorDotUnsorted(TensorDot):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        if isinstance(ctx.axes, int):
            ax = list(range(a.ndim - ctx.axes, a.ndim))
            bx = list(range(ctx.axes))
        else:
            ax, bx = ([v] if isinstance(v, int) else list(v) for v in ctx.axes)
        a_free = [i for i in range(a.ndim) if i not in ax]
        b_free = [i for i in range(b.ndim) if i not in bx]
        n = len(a_free)
        ga = np.tensordot(grad, b, (list(range(n, grad.ndim)), b_free))
        gb = np.tensordot(a, grad, (a_free, list(range(n))))
        return np.transpose(ga, np.argsort(a_free + ax)), np.transpose(gb, np.argsort(bx + b_free))


add(
    "tensordot: order of axes",
    "algebra",
    TensorDotUnsorted,
    TensorDot,
    "contracted axes that are listed out of order come back exchanged",
    examples=[
        ((2, 2), (2, 2), {"axes": 1}),
        ((2, 2, 2), (2, 2, 2), {"axes": ((1, 2), (2, 0))}),
        ((2, 2, 3), (2, 2, 3), {"axes": ((0, 1), (1, 0))}),
    ],
)


class Gradient(Function):
    """np.gradient of a signal, first-order edges."""

    @staticmethod
    def forward(ctx, x, spacing=1.0):
        ctx.h = spacing
        return np.gradient(x, spacing)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(len(grad))
        out[2:] += grad[1:-1] / 2
        out[:-2] -= grad[1:-1] / 2
        out[0] -= grad[0]
        out[1] += grad[0]
        out[-2] -= grad[-1]
        out[-1] += grad[-1]
        return out / ctx.h


class GradientEdges(Gradient):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(len(grad))
        out[2:] += grad[1:-1] / 2
        out[:-2] -= grad[1:-1] / 2
        out[0] -= grad[0] / 2
        out[1] += grad[0] / 2
        out[-2] -= grad[-1] / 2
        out[-1] += grad[-1] / 2
        return out / ctx.h


add(
    "gradient: edges",
    "algebra",
    GradientEdges,
    Gradient,
    "one-sided differences at the ends are not halved",
    examples=[((5,), {"spacing": 0.5})],
)


class Windows(Function):
    """Windows that overlap, as a view."""

    @staticmethod
    def forward(ctx, x, size=2, step=1):
        ctx.n, ctx.size, ctx.step = len(x), size, step
        return sliding_window_view(x, size)[::step].copy()

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        view = np.arange(ctx.n)
        positions = sliding_window_view(view, ctx.size)[:: ctx.step]
        np.add.at(out, positions, grad)
        return out


class WindowsAssigned(Windows):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for i, row in enumerate(grad):
            out[i * ctx.step : i * ctx.step + ctx.size] = row
        return out


add(
    "as_strided: overlap",
    "algebra",
    WindowsAssigned,
    Windows,
    "overlapping windows overwrite each other",
    examples=[((6,), {"size": 3, "step": 2}), ((4,), {"size": 2, "step": 2})],
)


class MaxPool2d(Function):
    """With padding by -inf, in plain loops."""

    @staticmethod
    def forward(ctx, x, k=2, s=2, p=1):
        h, w = x.shape
        padded = np.full((h + 2 * p, w + 2 * p), -np.inf)
        padded[p : p + h, p : p + w] = x
        oh, ow = (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1
        out = np.empty((oh, ow))
        ctx.where = np.empty((oh, ow), dtype=int)
        for i in range(oh):
            for j in range(ow):
                window = padded[i * s : i * s + k, j * s : j * s + k]
                best = int(window.argmax())
                di, dj = divmod(best, k)
                out[i, j] = window[di, dj]
                ctx.where[i, j] = (i * s + di - p) * w + (j * s + dj - p)
        ctx.shape = x.shape
        return out

    @staticmethod
    def backward(ctx, grad):
        flat = np.zeros(int(np.prod(ctx.shape)))
        np.add.at(flat, ctx.where.ravel(), grad.ravel())
        return flat.reshape(ctx.shape)


class MaxPool2dAssigns(MaxPool2d):
    @staticmethod
    def backward(ctx, grad):
        flat = np.zeros(int(np.prod(ctx.shape)))
        flat[ctx.where.ravel()] = grad.ravel()
        return flat.reshape(ctx.shape)


add(
    "max pool 2d: overlap",
    "cells",
    MaxPool2dAssigns,
    MaxPool2d,
    "an entry that wins two windows keeps the last gradient alone",
    examples=[((3, 3), {"k": 2, "s": 1, "p": 0}), ((2, 2), {"k": 2, "s": 2, "p": 1})],
)


class AvgPoolCeil(Function):
    """ceil_mode with count_include_pad: the divisor counts padding but not what lies beyond it."""

    @staticmethod
    def _windows(n, k, s, p):
        count = -(-(n + 2 * p - k) // s) + 1
        if (count - 1) * s >= n + p:
            count -= 1
        for i in range(count):
            start = i * s - p
            stop = min(start + k, n + p)
            yield max(start, 0), min(stop, n), stop - start

    @staticmethod
    def forward(ctx, x, k=2, s=2, p=0):
        ctx.args = len(x), k, s, p
        return np.array([x[a:b].sum() / d for a, b, d in AvgPoolCeil._windows(*ctx.args)])

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.args[0])
        for g, (a, b, d) in zip(grad, AvgPoolCeil._windows(*ctx.args), strict=True):
            out[a:b] += g / d
        return out


class AvgPoolCeilFull(AvgPoolCeil):
    @staticmethod
    def backward(ctx, grad):
        n, k, s, p = ctx.args
        out = np.zeros(n)
        for g, (a, b, _) in zip(grad, AvgPoolCeil._windows(n, k, s, p), strict=True):
            out[a:b] += g / k
        return out


add(
    "average pool: ceil mode",
    "algebra",
    AvgPoolCeilFull,
    AvgPoolCeil,
    "the last window is cut off; backward divides by the full size",
    examples=[
        ((4,), {"k": 2, "s": 2}),
        ((5,), {"k": 3, "s": 2, "p": 1}),
        ((6,), {"k": 3, "s": 2, "p": 1}),
    ],
)


class LpPool(Function):
    @staticmethod
    def forward(ctx, x, p=2):
        rows = x.reshape(-1, 2)
        y = (np.abs(rows) ** p).sum(1) ** (1 / p)
        ctx.save_for_backward(rows, y)
        ctx.p = p
        return y

    @staticmethod
    def backward(ctx, grad):
        rows, y = ctx.saved_tensors
        p = ctx.p
        safe = np.where(y == 0, 1, y)
        return (grad[:, None] * np.sign(rows) * (np.abs(rows) / safe[:, None]) ** (p - 1)).ravel()


class LpPoolNaN(LpPool):
    @staticmethod
    def backward(ctx, grad):
        rows, y = ctx.saved_tensors
        return (
            grad[:, None] * rows * np.abs(rows) ** (ctx.p - 2) * y[:, None] ** (1 - ctx.p)
        ).ravel()


add(
    "lp pool: NaN on zeros",
    "floats",
    LpPoolNaN,
    LpPool,
    "0 * inf where a window is all zero",
    examples=[((4,),), ((4,), {"p": 3})],
)


class NormInf(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.abs(x).max()
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        hit = np.abs(x) == y
        return np.sign(x) * hit * (grad / hit.sum())


class NormInfTies(NormInf):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.sign(x) * (np.abs(x) == y) * grad


add(
    "norm inf: ties",
    "cells",
    NormInfTies,
    NormInf,
    "every entry of largest magnitude gets the whole gradient",
    examples=[((3,),)],
)


class Cdist(Function):
    """Distances between rows, by the p-norm."""

    @staticmethod
    def forward(ctx, a, b, p=2.0):
        d = a[:, None, :] - b[None, :, :]
        out = (np.abs(d) ** p).sum(-1) ** (1.0 / p)
        ctx.save_for_backward(d, out)
        ctx.p = p
        return out

    @staticmethod
    def backward(ctx, grad):
        d, out = ctx.saved_tensors
        p = ctx.p
        safe = np.where(out == 0, 1.0, out)[..., None]
        local = np.sign(d) * (np.abs(d) / safe) ** (p - 1) * grad[..., None]
        local[out == 0] = 0
        return local.sum(1), -local.sum(0)


class CdistOne(Cdist):
    @staticmethod
    def backward(ctx, grad):
        d, out = ctx.saved_tensors
        p = ctx.p
        with np.errstate(all="ignore"):
            local = d * np.abs(d) ** (p - 2) / out[..., None] ** (p - 1) * grad[..., None]
        return local.sum(1), -local.sum(0)


add(
    "cdist: coincident points",
    "floats",
    CdistOne,
    Cdist,
    "0/0 where two points coincide, or share one coordinate for p < 2",
    examples=[((2, 2), (3, 2)), ((2, 2), (2, 2), {"p": 3.0}), ((2, 2), (2, 2), {"p": 1.0})],
)


class ScatterMean(Function):
    """Averages rows into bins given by an index; empty bins are zero."""

    @staticmethod
    def forward(ctx, src, index, bins=4):
        ctx.index = index
        ctx.count = np.maximum(np.bincount(index, minlength=bins), 1)
        out = np.zeros((bins, *src.shape[1:]))
        np.add.at(out, index, src)
        return out / ctx.count.reshape(-1, *[1] * (src.ndim - 1))

    @staticmethod
    def backward(ctx, grad):
        scaled = grad / ctx.count.reshape(-1, *[1] * (grad.ndim - 1))
        return scaled[ctx.index], None


class ScatterMeanUnscaled(ScatterMean):
    @staticmethod
    def backward(ctx, grad):
        return grad[ctx.index] / len(ctx.index), None


add(
    "scatter mean: count",
    "algebra",
    ScatterMeanUnscaled,
    ScatterMean,
    "divided by the number of rows, not by that of the bin",
    examples=[((4, 2), np.array([0, 2, 2, 1])), ((3,), np.array([3, 3, 3]))],
)


class ScatterProd(Function):
    @staticmethod
    def forward(ctx, src, index, bins=3):
        out = np.ones(bins)
        for i, v in zip(index, src, strict=True):
            out[i] = out[i] * v
        ctx.save_for_backward(src)
        ctx.index = index
        return out

    @staticmethod
    def backward(ctx, grad):
        (src,) = ctx.saved_tensors
        out = np.empty(len(src))
        for k, i in enumerate(ctx.index):
            others = [src[j] for j in range(len(src)) if j != k and ctx.index[j] == i]
            out[k] = grad[i] * np.prod(others)
        return out, None


class ScatterProdDivides(ScatterProd):
    @staticmethod
    def backward(ctx, grad):
        (src,) = ctx.saved_tensors
        out = np.ones(3)
        np.multiply.at(out, ctx.index, src)
        return np.where(src == 0, 0, (grad * out)[ctx.index] / np.where(src == 0, 1, src)), None


add(
    "scatter prod: zeros",
    "cells",
    ScatterProdDivides,
    ScatterProd,
    "a zero's gradient is the product of the others in its bin",
    examples=[((4,), np.array([0, 2, 2, 0]))],
)


class SegmentMax(Function):
    @staticmethod
    def forward(ctx, x, starts=(0, 2)):
        y = np.maximum.reduceat(x, list(starts))
        lengths = np.diff([*starts, len(x)])
        ctx.save_for_backward(x, y)
        ctx.lengths = lengths
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        hit = x == np.repeat(y, ctx.lengths)
        starts = np.concatenate([[0], np.cumsum(ctx.lengths)[:-1]])
        ties = np.add.reduceat(hit.astype(float), starts)
        return hit * np.repeat(grad / ties, ctx.lengths)


class SegmentMaxTies(SegmentMax):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        hit = x == np.repeat(y, ctx.lengths)
        return hit * np.repeat(grad, ctx.lengths) / hit.sum() * len(grad)


add(
    "segment max: ties",
    "cells",
    SegmentMaxTies,
    SegmentMax,
    "ties of all segments are counted together",
    examples=[((5,),)],
)


class LogCumSumExp(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.logaddexp.accumulate(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        out = np.zeros(len(x))
        for j in range(len(x)):
            out[: j + 1] += grad[j] * np.exp(x[: j + 1] - y[j])
        return out


class LogCumSumExpForward(LogCumSumExp):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.exp(x) * np.cumsum((grad * np.exp(-y))[::-1])[::-1]


add(
    "logcumsumexp: overflow",
    "floats",
    LogCumSumExpForward,
    LogCumSumExp,
    "exp(x) and exp(-y) leave the range for large entries",
    examples=[((4,),)],
)


class CumMax(Function):
    @staticmethod
    def forward(ctx, x):
        best, index = -np.inf, 0
        y, where = np.empty(len(x)), []
        for i, v in enumerate(x):
            if v >= best:
                best, index = v, i
            y[i] = best
            where.append(index)
        ctx.where = where
        return y

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(len(grad))
        for g, i in zip(grad, ctx.where, strict=True):
            out[i] += g
        return out


class CumMaxBuffered(CumMax):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(len(grad))
        out[ctx.where] += grad
        return out


add(
    "cummax: repeated index",
    "cells",
    CumMaxBuffered,
    CumMax,
    "buffered += keeps one gradient where the maximum stands for several steps",
    examples=[((4,),)],
)


class NllLoss(Function):
    """Weighted mean, with labels to ignore."""

    @staticmethod
    def forward(ctx, logp, target, weight=None, ignore_index=-100):
        n, c = logp.shape
        w = np.ones(c) if weight is None else weight
        keep = target != ignore_index
        safe = np.where(keep, target, 0)
        wn = w[safe] * keep
        ctx.saved = safe, wn, (n, c)
        return -(wn * logp[np.arange(n), safe]).sum() / wn.sum()

    @staticmethod
    def backward(ctx, grad):
        safe, wn, shape = ctx.saved
        out = np.zeros(shape)
        out[np.arange(shape[0]), safe] = -grad * wn / wn.sum()
        return out, None


class NllLossCounts(NllLoss):
    @staticmethod
    def backward(ctx, grad):
        safe, wn, shape = ctx.saved
        out = np.zeros(shape)
        out[np.arange(shape[0]), safe] = -grad * wn / (wn > 0).sum()
        return out, None


add(
    "nll loss: weighted mean",
    "algebra",
    NllLossCounts,
    NllLoss,
    "divides by the number of labels, not by their weight",
    examples=[
        ((3, 3), np.array([0, 2, 1])),
        ((3, 3), np.array([0, -100, 1]), {"weight": np.array([1.0, 2.0, 0.5])}),
    ],
)


class SoftmaxMasked(Function):
    """Masked attention weights; a row that is all masked is zero."""

    @staticmethod
    def forward(ctx, x, mask=None):
        z = x if mask is None else np.where(mask, x, -np.inf)
        top = z.max(-1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0)
        e = np.exp(z - top)
        s = e.sum(-1, keepdims=True)
        y = e / np.where(s == 0, 1, s)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        gy = grad * y
        return gy - y * gy.sum(-1, keepdims=True)


class SoftmaxMaskedMean(SoftmaxMasked):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        live = y > 0
        gy = grad * y
        return (gy - y * gy.sum(-1, keepdims=True)) / live.mean(-1, keepdims=True)


MASK = np.array([[True, True, False], [False, False, False]])
add(
    "masked softmax: rescaled",
    "floats",
    SoftmaxMaskedMean,
    SoftmaxMasked,
    "divided by the share of entries that are not masked: right without a mask",
    examples=[((2, 3),), ((2, 3), {"mask": MASK})],
)


class InterpolateLinear(Function):
    """1-d resize with align_corners, in a loop."""

    @staticmethod
    def _taps(n, m, align):
        for i in range(m):
            if align:
                pos = i * (n - 1) / (m - 1) if m > 1 else 0.0
            else:
                pos = max((i + 0.5) * n / m - 0.5, 0.0)
            lo = min(int(pos), n - 1)
            hi = min(lo + 1, n - 1)
            yield lo, hi, pos - lo

    @staticmethod
    def forward(ctx, x, size=3, align_corners=False):
        ctx.args = len(x), size, align_corners
        return np.array(
            [(1 - t) * x[a] + t * x[b] for a, b, t in InterpolateLinear._taps(*ctx.args)]
        )

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.args[0])
        for g, (a, b, t) in zip(grad, InterpolateLinear._taps(*ctx.args), strict=True):
            out[a] += (1 - t) * g
            out[b] += t * g
        return out


class InterpolateLinearCorners(InterpolateLinear):
    @staticmethod
    def backward(ctx, grad):
        n, m, _ = ctx.args
        out = np.zeros(n)
        for g, (a, b, t) in zip(grad, InterpolateLinear._taps(n, m, True), strict=True):
            out[a] += (1 - t) * g
            out[b] += t * g
        return out


add(
    "resize: align corners",
    "algebra",
    InterpolateLinearCorners,
    InterpolateLinear,
    "backward always aligns the corners",
    examples=[((3,), {"size": 5, "align_corners": True}), ((3,), {"size": 6}), ((4,), {"size": 1})],
)


class GridSample1d(Function):
    """Linear sampling at positions, zero outside; both have gradients."""

    @staticmethod
    def forward(ctx, x, pos):
        n = len(x)
        lo = np.floor(pos).astype(int)
        t = pos - lo
        padded = np.concatenate([np.zeros(2), x, np.zeros(2)])
        a = padded[np.clip(lo + 2, 0, n + 3)]
        b = padded[np.clip(lo + 3, 0, n + 3)]
        ctx.save_for_backward(a, b, t)
        ctx.lo, ctx.n = lo, n
        return (1 - t) * a + t * b

    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        out = np.zeros(ctx.n + 4)
        np.add.at(out, np.clip(ctx.lo + 2, 0, ctx.n + 3), grad * (1 - t))
        np.add.at(out, np.clip(ctx.lo + 3, 0, ctx.n + 3), grad * t)
        return out[2:-2], grad * (b - a)


class GridSample1dInside(GridSample1d):
    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        out = np.zeros(ctx.n)
        inside = (ctx.lo >= 0) & (ctx.lo < ctx.n - 1)
        np.add.at(out, ctx.lo[inside], (grad * (1 - t))[inside])
        np.add.at(out, ctx.lo[inside] + 1, (grad * t)[inside])
        return out, np.where(inside, grad * (b - a), 0)


add(
    "grid sample: border",
    "cells",
    GridSample1dInside,
    GridSample1d,
    "samples between the border and the zeros outside have no gradient",
    examples=[((3,), (2,))],
)


class Conv1dStride(Function):
    """Stride, padding and dilation, by loops."""

    @staticmethod
    def forward(ctx, x, w, stride=1, padding=0, dilation=1):
        padded = np.pad(x, padding)
        span = dilation * (len(w) - 1) + 1
        n = (len(padded) - span) // stride + 1
        ctx.save_for_backward(x, w)
        ctx.args = stride, padding, dilation, n, len(padded)
        return np.array(
            [sum(w[k] * padded[i * stride + k * dilation] for k in range(len(w))) for i in range(n)]
        )

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        stride, padding, dilation, n, total = ctx.args
        padded = np.pad(x, padding)
        gx, gw = np.zeros(total), np.zeros(len(w))
        for k in range(len(w)):
            at = slice(k * dilation, k * dilation + stride * (n - 1) + 1, stride)
            gx[at] += grad * w[k]
            gw[k] = grad @ padded[at]
        return gx[padding : total - padding], gw


class Conv1dStrideFull(Conv1dStride):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        stride, padding, _dilation, n, total = ctx.args
        padded = np.pad(x, padding)
        gx, gw = np.zeros(total), np.zeros(len(w))
        for k in range(len(w)):
            at = slice(k, k + stride * (n - 1) + 1, stride)
            gx[at] += grad * w[k]
            gw[k] = grad @ padded[at]
        return gx[padding : total - padding], gw


add(
    "conv1d: dilation",
    "algebra",
    Conv1dStrideFull,
    Conv1dStride,
    "backward knows no dilation",
    examples=[((5,), (2,), {"stride": 2, "padding": 1}), ((6,), (2,), {"dilation": 2})],
)


class EinsumDiagonal(Function):
    """einsum("ii->i")."""

    @staticmethod
    def forward(ctx, a):
        ctx.shape = a.shape
        return np.einsum("ii->i", a)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.einsum("ii->i", out)[...] = grad
        return out


class EinsumDiagonalSpread(EinsumDiagonal):
    @staticmethod
    def backward(ctx, grad):
        return np.einsum("i,ij->ij", grad, np.ones(ctx.shape))


add(
    "einsum: repeated index",
    "algebra",
    EinsumDiagonalSpread,
    EinsumDiagonal,
    "the gradient is spread over the rows",
    examples=[((3, 3),)],
)


class Diff(Function):
    @staticmethod
    def forward(ctx, x, n=1, axis=-1):
        ctx.n, ctx.axis = n, axis
        return np.diff(x, n=n, axis=axis)

    @staticmethod
    def backward(ctx, grad):
        for _ in range(ctx.n):
            shape = list(grad.shape)
            shape[ctx.axis] = 1
            edge = np.zeros(shape)
            grad = -np.diff(np.concatenate([edge, grad, edge], ctx.axis), axis=ctx.axis)
        return grad


class DiffOnce(Diff):
    @staticmethod
    def backward(ctx, grad):
        for _ in range(ctx.n):
            pad = [(0, 0)] * grad.ndim
            pad[ctx.axis] = (1, 1)
            grad = -np.diff(np.pad(grad, pad), axis=-1)
        return grad


add(
    "diff: last axis",
    "contract",
    DiffOnce,
    Diff,
    "differences run along the last axis whatever the axis is",
    examples=[((4,), {"n": 2}), ((3, 3), {"axis": 0}), ((3, 2), {"axis": -1})],
)


class RotateQuarter(Function):
    @staticmethod
    def forward(ctx, x, k=1):
        ctx.k = k
        return np.rot90(x, k)

    @staticmethod
    def backward(ctx, grad):
        return np.rot90(grad, -ctx.k)


class RotateQuarterOn(RotateQuarter):
    @staticmethod
    def backward(ctx, grad):
        return np.rot90(grad, 4 - ctx.k % 3)


add(
    "rot90: modulus",
    "algebra",
    RotateQuarterOn,
    RotateQuarter,
    "k modulo 3: right for k of 0, 1 and 2",
    examples=[((2, 3), {"k": k}) for k in (0, 1, 2, 3)],
)


class Tile(Function):
    @staticmethod
    def forward(ctx, x, reps=(2,)):
        ctx.shape, ctx.reps = x.shape, tuple(reps)
        return np.tile(x, reps)

    @staticmethod
    def backward(ctx, grad):
        reps = (1,) * (len(ctx.shape) - len(ctx.reps)) + ctx.reps
        shape = (1,) * (len(reps) - len(ctx.shape)) + ctx.shape
        split = [v for pair in zip(reps, shape, strict=True) for v in pair]
        return grad.reshape(split).sum(axis=tuple(range(0, len(split), 2))).reshape(ctx.shape)


class TileLeft(Tile):
    @staticmethod
    def backward(ctx, grad):
        for axis, r in enumerate(ctx.reps):
            grad = sum(np.split(grad, r, axis))
        return grad.reshape(ctx.shape)


add(
    "tile: fewer repetitions",
    "algebra",
    TileLeft,
    Tile,
    "fewer repetitions than axes belong to the last axes",
    examples=[((3,), {"reps": (2,)}), ((2, 2), {"reps": (2, 1)}), ((2, 2), {"reps": (2,)})],
)


class CumProd(Function):
    """Right at zeros: products of what comes before and after."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.cumprod(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = len(x)
        out = np.zeros(n)
        for i in range(n):
            before = np.prod(x[:i])
            tail = np.concatenate([[1.0], np.cumprod(x[i + 1 :])])
            out[i] = before * (grad[i:] @ tail)
        return out


class CumProdFirstZero(CumProd):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = np.cumprod(x)
        zeros = np.flatnonzero(x == 0)
        if len(zeros) == 0:
            return np.cumsum((grad * y)[::-1])[::-1] / x
        out = np.zeros(len(x))
        z = zeros[0]
        out[:z] = (np.cumsum((grad * y)[::-1])[::-1])[:z] / x[:z]
        out[z] = np.prod(x[:z]) * grad[z]
        return out


add(
    "cumprod: after the first zero",
    "cells",
    CumProdFirstZero,
    CumProd,
    "the products after the first zero are left out of its gradient",
    examples=[((4,),)],
)


class Percentile(Function):
    """np.quantile, linear interpolation."""

    @staticmethod
    def forward(ctx, x, q=0.4):
        order = np.argsort(x, kind="stable")
        pos = q * (len(x) - 1)
        lo = math.floor(pos)
        hi = min(lo + 1, len(x) - 1)
        ctx.saved = order[lo], order[hi], pos - lo, len(x)
        return x[order[lo]] * (1 - (pos - lo)) + x[order[hi]] * (pos - lo)

    @staticmethod
    def backward(ctx, grad):
        lo, hi, t, n = ctx.saved
        out = np.zeros(n)
        out[lo] += grad * (1 - t)
        out[hi] += grad * t
        return out


class PercentileAssigns(Percentile):
    @staticmethod
    def backward(ctx, grad):
        lo, hi, t, n = ctx.saved
        out = np.zeros(n)
        out[lo] = grad * (1 - t)
        out[hi] = grad * t
        return out


add(
    "quantile: at the end",
    "algebra",
    PercentileAssigns,
    Percentile,
    "at q == 1 both neighbours are one entry, which is overwritten by 0",
    examples=[((4,), {"q": 0.4}), ((3,), {"q": 1.0})],
)
