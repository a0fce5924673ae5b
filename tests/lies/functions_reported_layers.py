"""Layers that users wrote by hand and reported, each beside its right twin."""
# ruff: noqa: E501

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class InstanceNorm(Function):
    """(N, C, L), each channel of each sample by itself, without affine part."""

    eps = 1e-5

    @staticmethod
    def forward(ctx, x):
        mean = x.mean(2, keepdims=True)
        inv = 1 / np.sqrt(((x - mean) ** 2).mean(2, keepdims=True) + 1e-5)
        ctx.save_for_backward(x)
        return (x - mean) * inv

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = x - x.mean(2, keepdims=True)
        inv = 1 / np.sqrt((c**2).mean(2, keepdims=True) + 1e-5)
        xhat = c * inv
        return inv * (
            grad - grad.mean(2, keepdims=True) - xhat * (grad * xhat).mean(2, keepdims=True)
        )


class InstanceNormBatch(InstanceNorm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = x - x.mean(2, keepdims=True)
        inv = 1 / np.sqrt((c**2).mean(2, keepdims=True) + 1e-5)
        xhat = c * inv
        return inv * (
            grad
            - grad.mean((0, 2), keepdims=True)
            - xhat * (grad * xhat).mean((0, 2), keepdims=True)
        )


add(
    "instance norm: means over the batch",
    "algebra",
    InstanceNormBatch,
    InstanceNorm,
    "backward of batch normalisation; right for one sample",
    examples=[((1, 2, 3),), ((2, 1, 2),)],
)


class GroupNorm(Function):
    """Channels in groups; gain and shift for each channel."""

    @staticmethod
    def forward(ctx, x, gain, shift, groups=2):
        n, c = x.shape
        g = x.reshape(n, groups, c // groups)
        centred = g - g.mean(-1, keepdims=True)
        inv = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-3)
        xhat = (centred * inv).reshape(n, c)
        ctx.save_for_backward(x, gain)
        ctx.kept = xhat, inv, groups
        return xhat * gain + shift

    @staticmethod
    def backward(ctx, grad):
        _, gain = ctx.saved_tensors
        xhat, inv, groups = ctx.kept
        n, c = xhat.shape
        g = (grad * gain).reshape(n, groups, c // groups)
        h = xhat.reshape(n, groups, c // groups)
        gx = inv * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True))
        return gx.reshape(n, c), (grad * xhat).sum(0), grad.sum(0)


class GroupNormTiled(GroupNorm):
    @staticmethod
    def backward(ctx, grad):
        _, gain = ctx.saved_tensors
        xhat, inv, groups = ctx.kept
        n, c = xhat.shape
        g = (grad * gain).reshape(n, groups, c // groups)
        h = xhat.reshape(n, groups, c // groups)
        gx = g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)
        scale = np.tile(
            inv[..., 0], (1, c // groups)
        )  # for np.repeat: channels of a group are neighbours
        return gx.reshape(n, c) * scale, (grad * xhat).sum(0), grad.sum(0)


add(
    "group norm: tiled for repeated",
    "algebra",
    GroupNormTiled,
    GroupNorm,
    "the groups' scales are dealt out to the channels in turn; right for a group each, or one group",
    examples=[
        ((2, 2), (2,), (2,), {"groups": 2}),
        ((2, 3), (3,), (3,), {"groups": 1}),
        ((1, 4), (4,), (4,), {"groups": 2}),
    ],
)


class SampleNorm(Function):
    """The layer norm of a well-known tutorial: sample deviation, eps added to it."""

    @staticmethod
    def forward(ctx, x, eps=1e-6):
        ctx.save_for_backward(x)
        ctx.eps = eps
        return (x - x.mean(-1, keepdims=True)) / (x.std(-1, ddof=1, keepdims=True) + eps)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = x.shape[-1]
        c = x - x.mean(-1, keepdims=True)
        s = x.std(-1, ddof=1, keepdims=True)
        d = s + ctx.eps
        inner = (grad * c).sum(-1, keepdims=True)
        return (grad - grad.mean(-1, keepdims=True)) / d - c * inner / (d**2 * s * (n - 1))


class SampleNormEps(SampleNorm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = x.shape[-1]
        c = x - x.mean(-1, keepdims=True)
        d = x.std(-1, ddof=1, keepdims=True) + ctx.eps
        inner = (grad * c).sum(-1, keepdims=True)
        return (grad - grad.mean(-1, keepdims=True)) / d - c * inner / (d**3 * (n - 1))


add(
    "layer norm of the tutorial: eps",
    "algebra",
    SampleNormEps,
    SampleNorm,
    "eps, which is added to the deviation outside its root, counts three times; a relative error of 1e-6",
    examples=[((3,),), ((2, 3), {"eps": 1e-6})],
    domain={"x": lambda rng, shape: rng.normal(size=shape) + np.arange(shape[-1])},
)


class GroupedConv(Function):
    """A pointwise convolution of channels in groups: (C, L), (O, C/groups)."""

    @staticmethod
    def forward(ctx, x, w, groups=2):
        ctx.save_for_backward(x, w)
        ctx.groups = groups
        xs, ws = np.split(x, groups), np.split(w, groups)
        return np.concatenate([b @ a for a, b in zip(xs, ws, strict=True)])

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        parts = zip(
            np.split(x, ctx.groups),
            np.split(w, ctx.groups),
            np.split(grad, ctx.groups),
            strict=True,
        )
        pairs = [(b.T @ g, g @ a.T) for a, b, g in parts]
        return np.concatenate([p for p, _ in pairs]), np.concatenate([q for _, q in pairs])


class GroupedConvFirst(GroupedConv):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        k, o = x.shape[0] // ctx.groups, w.shape[0] // ctx.groups
        gx, gw = np.zeros_like(x), np.zeros_like(w)
        for i in range(ctx.groups):
            gx[i * k : (i + 1) * k] = w[i * o : (i + 1) * o].T @ grad[i * o : (i + 1) * o]
            gw[i * o : (i + 1) * o] = (
                grad[i * o : (i + 1) * o] @ x[i * o : i * o + k].T
            )  # steps of o in x
        return gx, gw


add(
    "grouped convolution: step of the channels",
    "algebra",
    GroupedConvFirst,
    GroupedConv,
    "input channels are counted in steps of the output's: right when a group has as many of both",
    examples=[((2, 2), (2, 1), {"groups": 2}), ((4, 2), (2, 2), {"groups": 2})],
)


class StridedConv(Function):
    """conv1d without padding; what a stride leaves over on the right is not read."""

    @staticmethod
    def forward(ctx, x, w, stride=2):
        ctx.save_for_backward(x, w)
        ctx.stride = stride
        m = (len(x) - len(w)) // stride + 1
        return np.array([x[i * stride : i * stride + len(w)] @ w for i in range(m)])

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        gx, gw = np.zeros_like(x), np.zeros_like(w)
        for i, g in enumerate(grad):
            window = slice(i * ctx.stride, i * ctx.stride + len(w))
            gx[window] += g * w
            gw += g * x[window]
        return gx, gw


class StridedConvLeft(StridedConv):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        _, gw = StridedConv.backward(ctx, grad)
        spread = np.zeros((len(grad) - 1) * ctx.stride + 1)
        spread[:: ctx.stride] = grad
        full = np.convolve(spread, w)
        return np.pad(full, (len(x) - len(full), 0)), gw  # the rest is padded on the left


add(
    "strided convolution: what is left over",
    "algebra",
    StridedConvLeft,
    StridedConv,
    "entries that no window reads are taken to be the first ones",
    examples=[((5,), (3,)), ((4,), (2,)), ((4,), (3,))],
)


class PaddedMaxPool(Function):
    """Windows of 3, step 2, padding of one entry that never wins."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        p = np.concatenate([[-np.inf], x, [-np.inf]])
        return np.array([max(p[i : i + 3]) for i in range(0, len(x), 2)])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros_like(x)
        for k, i in enumerate(range(0, len(x), 2)):
            low, high = max(i - 1, 0), min(i + 2, len(x))
            out[low + np.argmax(x[low:high])] += grad[k]
        return out


class PaddedMaxPoolZero(PaddedMaxPool):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = np.pad(x, 1)
        out = np.zeros_like(p)
        for k, i in enumerate(range(0, len(x), 2)):
            out[i + np.argmax(p[i : i + 3])] += grad[k]
        return out[1:-1]


add(
    "max pool: padded by zeros",
    "cells",
    PaddedMaxPoolZero,
    PaddedMaxPool,
    "in backward the padding wins over negative entries",
    examples=[((3,),), ((4,),)],
)


class AdaptivePool(Function):
    """Averages over bins that may overlap: floor(i n/m) to ceil((i + 1) n/m)."""

    @staticmethod
    def forward(ctx, x, size=2):
        ctx.n, ctx.size = len(x), size
        return np.array(
            [x[i * len(x) // size : -(-(i + 1) * len(x) // size)].mean() for i in range(size)]
        )

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for i in range(ctx.size):
            low, high = i * ctx.n // ctx.size, -(-(i + 1) * ctx.n // ctx.size)
            out[low:high] += grad[i] / (high - low)
        return out


class AdaptivePoolEqual(AdaptivePool):
    @staticmethod
    def backward(ctx, grad):
        width = ctx.n // ctx.size
        out = np.zeros(ctx.n)
        for i in range(ctx.size):
            low = i * ctx.n // ctx.size
            out[low : low + width] += grad[i] / width
        return out


add(
    "adaptive pooling: bins that overlap",
    "algebra",
    AdaptivePoolEqual,
    AdaptivePool,
    "equal bins, which is right where the sizes divide",
    examples=[((4,),), ((6,), {"size": 3}), ((5,), {"size": 2})],
)


class PixelShuffle(Function):
    """(C r r, H, W) to (C, H r, W r), by torch's order of channels."""

    @staticmethod
    def forward(ctx, x, r=2):
        c, h, w = x.shape
        ctx.r = r
        return (
            x.reshape(c // r**2, r, r, h, w)
            .transpose(0, 3, 1, 4, 2)
            .reshape(c // r**2, h * r, w * r)
        )

    @staticmethod
    def backward(ctx, grad):
        r = ctx.r
        c, h, w = grad.shape
        return (
            grad.reshape(c, h // r, r, w // r, r)
            .transpose(0, 2, 4, 1, 3)
            .reshape(c * r * r, h // r, w // r)
        )


class PixelShuffleTf(PixelShuffle):
    @staticmethod
    def backward(ctx, grad):
        r = ctx.r
        c, h, w = grad.shape
        return (
            grad.reshape(c, h // r, r, w // r, r)
            .transpose(2, 4, 0, 1, 3)
            .reshape(c * r * r, h // r, w // r)
        )


add(
    "pixel shuffle: order of channels",
    "algebra",
    PixelShuffleTf,
    PixelShuffle,
    "another library's order of channels: the same for one channel of output",
    examples=[((4, 1, 2),), ((8, 1, 1),)],
)


class ChannelShuffle(Function):
    @staticmethod
    def forward(ctx, x, groups=2):
        ctx.groups = groups
        return x.reshape(groups, -1, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)

    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(-1, ctx.groups, *grad.shape[1:]).swapaxes(0, 1).reshape(grad.shape)


class ChannelShuffleAgain(ChannelShuffle):
    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(ctx.groups, -1, *grad.shape[1:]).swapaxes(0, 1).reshape(grad.shape)


add(
    "channel shuffle: applied again",
    "algebra",
    ChannelShuffleAgain,
    ChannelShuffle,
    "its own inverse for as many groups as channels in each",
    examples=[((4,),), ((4, 2),), ((6,), {"groups": 2})],
)


class MultiQuery(Function):
    """Scores of several heads against one head of keys: (H, T, D), (S, D)."""

    @staticmethod
    def forward(ctx, q, k):
        ctx.save_for_backward(q, k)
        return q @ k.T / np.sqrt(k.shape[-1])

    @staticmethod
    def backward(ctx, grad):
        q, k = ctx.saved_tensors
        scale = 1 / np.sqrt(k.shape[-1])
        return grad @ k * scale, np.einsum("hts,htd->sd", grad, q) * scale


class MultiQueryMean(MultiQuery):
    @staticmethod
    def backward(ctx, grad):
        q, k = ctx.saved_tensors
        scale = 1 / np.sqrt(k.shape[-1])
        return grad @ k * scale, np.mean(grad.swapaxes(1, 2) @ q, axis=0) * scale


add(
    "multi-query attention: mean over the heads",
    "algebra",
    MultiQueryMean,
    MultiQuery,
    "shared keys get the mean of the heads' gradients for their sum",
    examples=[((1, 2, 3), (2, 3)), ((2, 1, 2), (2, 2))],
)


class Rotary(Function):
    """Rotary position embedding, of halves or of neighbours."""

    @staticmethod
    def forward(ctx, x, interleaved=False):
        t, d = x.shape
        angle = np.arange(t)[:, None] / 10.0 ** (2 * np.arange(d // 2) / d)
        ctx.cos, ctx.sin, ctx.interleaved = np.cos(angle), np.sin(angle), interleaved
        return rotate(x, ctx.cos, ctx.sin, interleaved)

    @staticmethod
    def backward(ctx, grad):
        return rotate(grad, ctx.cos, -ctx.sin, ctx.interleaved)


def rotate(x, cos, sin, interleaved):
    h = x.shape[1] // 2
    a, b = (x[:, ::2], x[:, 1::2]) if interleaved else (x[:, :h], x[:, h:])
    first, second = a * cos - b * sin, b * cos + a * sin
    return (
        np.stack([first, second], -1).reshape(x.shape)
        if interleaved
        else np.concatenate([first, second], 1)
    )


class RotarySame(Rotary):
    @staticmethod
    def backward(ctx, grad):
        sin = ctx.sin if ctx.interleaved else -ctx.sin
        return rotate(grad, ctx.cos, sin, ctx.interleaved)


add(
    "rotary embedding: interleaved",
    "algebra",
    RotarySame,
    Rotary,
    "in one layout the gradient is rotated forwards; the first position does not show it",
    examples=[((2, 4),), ((1, 2), {"interleaved": True}), ((2, 2), {"interleaved": True})],
)


class PeepholeCell(Function):
    """The output gate of an LSTM that looks at the new cell state."""

    @staticmethod
    def forward(ctx, c, o, peep):
        ctx.save_for_backward(c, o, peep)
        return np.tanh(c) / (1 + np.exp(-(o + peep * c)))

    @staticmethod
    def backward(ctx, grad):
        c, o, peep = ctx.saved_tensors
        gate, t = 1 / (1 + np.exp(-(o + peep * c))), np.tanh(c)
        d_gate = grad * t * gate * (1 / (1 + np.exp(o + peep * c)))
        return (
            grad * gate / np.cosh(np.minimum(np.abs(c), 300)) ** 2 + d_gate * peep,
            d_gate,
            (d_gate * c).reshape(-1, *peep.shape).sum(0),
        )


class PeepholeCellForgotten(PeepholeCell):
    @staticmethod
    def backward(ctx, grad):
        _c, _o, peep = ctx.saved_tensors
        gc, go, gp = PeepholeCell.backward(ctx, grad)
        return gc - go * peep, go, gp


add(
    "lstm peephole: into the cell state",
    "algebra",
    PeepholeCellForgotten,
    PeepholeCell,
    "the cell state gets nothing through the output gate; right while the peepholes are zero",
    examples=[((2,), (2,), np.zeros(2)), ((2, 2), (2, 2), (2,))],
    domain={"c": (-20, 20), "o": (-20, 20), "peep": (-5, 5)},
)
