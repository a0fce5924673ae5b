"""Attention, gates and dropout: forgotten scales, wrong gates, ignored upstream gradients."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []
PAIR = [((4,), (4,)), ((2, 3), (2, 3))]


def add(name, kind, lie, twin, why):
    CASES.append(Case(name, kind, lie, twin, why=why))


class Attention(Function):
    """softmax(q K^T / sqrt(d)) V for one query."""

    examples = [((2,), (3, 2), (3, 2))]
    domain = {"q": (-3, 3), "k": (-3, 3), "v": (-3, 3)}

    @staticmethod
    def forward(ctx, q, k, v):
        score = k @ q / np.sqrt(len(q))
        p = special.softmax(score)
        ctx.save_for_backward(q, k, v, p)
        return p @ v

    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        gp = v @ grad
        gs = p * (gp - p @ gp) / np.sqrt(len(q))
        return k.T @ gs, np.outer(gs, q), np.outer(p, grad)


class AttentionScale(Attention):
    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        gp = v @ grad
        gs = p * (gp - p @ gp)
        return k.T @ gs, np.outer(gs, q), np.outer(p, grad)


class AttentionKeyScale(Attention):
    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        gp = v @ grad
        gs = p * (gp - p @ gp) / np.sqrt(len(q))
        return k.T @ gs, np.outer(gs, q) / np.sqrt(len(q)), np.outer(p, grad)


add(
    "attention: scale forgotten",
    "algebra",
    AttentionScale,
    Attention,
    "the factor 1/sqrt(d) is missing for query and keys",
)
add(
    "attention: keys scaled twice",
    "algebra",
    AttentionKeyScale,
    Attention,
    "the keys' gradient is scaled twice; the query's and the values' are right",
)


class LstmCell(Function):
    """One step from pre-activations (input, forget, cell, output) and the old cell state."""

    examples = [((4, 2), (2,))]
    domain = {"a": (-3, 3), "c": (-3, 3)}

    @staticmethod
    def forward(ctx, a, c):
        if a.shape != (4, *c.shape):
            raise ValueError("four rows of pre-activations are expected")
        i, f, o = special.expit(a[0]), special.expit(a[1]), special.expit(a[3])
        z = np.tanh(a[2])
        new = f * c + i * z
        ctx.save_for_backward(c, i, f, z, o, new)
        return o * np.tanh(new), new

    @staticmethod
    def backward(ctx, gh, gnew):
        c, i, f, z, o, new = ctx.saved_tensors
        t = np.tanh(new)
        gc = gnew + gh * o * (1 - t * t)
        ga = np.stack(
            [gc * z * i * (1 - i), gc * c * f * (1 - f), gc * i * (1 - z * z), gh * t * o * (1 - o)]
        )
        return ga, gc * f


class LstmCellStateIgnored(LstmCell):
    @staticmethod
    def backward(ctx, gh, gnew):
        return LstmCell.backward(ctx, gh, np.zeros_like(gnew))


class LstmCellGateLikeSigmoid(LstmCell):
    @staticmethod
    def backward(ctx, gh, gnew):
        c, i, f, z, o, new = ctx.saved_tensors
        t = np.tanh(new)
        gc = gnew + gh * o * (1 - t * t)
        ga = np.stack(
            [gc * z * i * (1 - i), gc * c * f * (1 - f), gc * i * z * (1 - z), gh * t * o * (1 - o)]
        )
        return ga, gc * f


class LstmCellOutputUsesNew(LstmCell):
    @staticmethod
    def backward(ctx, gh, gnew):
        c, i, f, z, o, new = ctx.saved_tensors
        t = np.tanh(new)
        gc = gnew + gh * o * (1 - t * t)
        ga = np.stack(
            [
                gc * z * i * (1 - i),
                gc * c * f * (1 - f),
                gc * i * (1 - z * z),
                gh * new * o * (1 - o),
            ]
        )
        return ga, gc * f


add(
    "LSTM: cell state's upstream",
    "algebra",
    LstmCellStateIgnored,
    LstmCell,
    "the upstream gradient of the new cell state is ignored",
)
add(
    "LSTM: candidate like a gate",
    "algebra",
    LstmCellGateLikeSigmoid,
    LstmCell,
    "z (1 - z), a sigmoid's slope, for the tanh candidate",
)
add(
    "LSTM: output gate",
    "algebra",
    LstmCellOutputUsesNew,
    LstmCell,
    "the output gate is multiplied by c instead of tanh(c)",
)


class GruMix(Function):
    """h' = (1 - u) n + u h with u = sigmoid(a)."""

    examples = [((3,), (3,), (3,))]
    domain = {"a": (-6, 6)}

    @staticmethod
    def forward(ctx, a, n, h):
        ctx.save_for_backward(a, n, h)
        u = special.expit(a)
        return (1 - u) * n + u * h

    @staticmethod
    def backward(ctx, grad):
        a, n, h = ctx.saved_tensors
        u = special.expit(a)
        wide = grad * (h - n) * u * (1 - u), grad * (1 - u), grad * u
        return tuple(unbroadcast(w, arg.shape) for w, arg in zip(wide, (a, n, h), strict=True))


class GruMixSign(GruMix):
    @staticmethod
    def backward(ctx, grad):
        a, n, h = ctx.saved_tensors
        u = special.expit(a)
        wide = grad * (n - h) * u * (1 - u), grad * (1 - u), grad * u
        return tuple(unbroadcast(w, arg.shape) for w, arg in zip(wide, (a, n, h), strict=True))


add(
    "GRU: update gate's sign",
    "algebra",
    GruMixSign,
    GruMix,
    "n - h for h - n in the gradient of the update gate",
)


class Dropout(Function):
    """A fixed mask, scaled by the kept share."""

    examples = [((4,), {"mask": [1, 0, 1, 1], "keep": 0.75})]

    @staticmethod
    def forward(ctx, x, *, mask, keep):
        if x.shape != np.shape(mask):
            raise ValueError("the mask has another shape")
        ctx.mask, ctx.keep = np.asarray(mask), keep
        return x * ctx.mask / keep

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.mask / ctx.keep


class DropoutUnscaled(Dropout):
    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.mask


add(
    "dropout: not scaled",
    "algebra",
    DropoutUnscaled,
    Dropout,
    "the scale 1/keep is applied in forward only",
)
