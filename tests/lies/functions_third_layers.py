"""Layers with their parameters: normalisation, attention, convolution, pooling, recurrence, and what goes wrong in one configuration."""
# ruff: noqa: E501

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"third: {name}", kind, lie, twin, options, why=why))


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"third: {name}", kind, twin, why, **options))


class Standardised(Function):
    """Weight standardisation of convolution kernels: over all axes but the first."""

    @staticmethod
    def forward(ctx, w):
        axes = tuple(range(1, w.ndim))
        m = w.mean(axis=axes, keepdims=True)
        s = np.sqrt(((w - m) ** 2).mean(axis=axes, keepdims=True) + 1e-4)
        ctx.axes = axes
        ctx.save_for_backward(w, s)
        return (w - m) / s

    @staticmethod
    def backward(ctx, grad):
        w, s = ctx.saved_tensors
        y = (w - w.mean(axis=ctx.axes, keepdims=True)) / s
        mean = lambda v: v.mean(axis=ctx.axes, keepdims=True)  # noqa: E731
        return (grad - mean(grad) - y * mean(grad * y)) / s

    examples = [((2, 3),), ((2, 2, 2),)]


class StandardisedLast(Standardised):
    @staticmethod
    def backward(ctx, grad):
        w, s = ctx.saved_tensors
        y = (w - w.mean(axis=ctx.axes, keepdims=True)) / s
        mean = lambda v: v.mean(axis=-1, keepdims=True)  # noqa: E731
        return (grad - mean(grad) - y * mean(grad * y)) / s


add("weight standardisation: kernel axes", "algebra", StandardisedLast, Standardised, "means over the last axis alone: right for matrices")


class Bilinear(Function):
    """x1^T W_k x2 + b_k for a batch."""

    @staticmethod
    def forward(ctx, x1, x2, w, b):
        ctx.save_for_backward(x1, x2, w)
        return np.einsum("ni,kij,nj->nk", x1, w, x2) + b

    @staticmethod
    def backward(ctx, grad):
        x1, x2, w = ctx.saved_tensors
        return (
            np.einsum("nk,kij,nj->ni", grad, w, x2),
            np.einsum("nk,kij,ni->nj", grad, w, x1),
            np.einsum("nk,ni,nj->kij", grad, x1, x2),
            grad.sum(axis=0),
        )

    examples = [((2, 2), (2, 2), (2, 2, 2), (2,)), ((1, 2), (1, 2), (3, 2, 2), (3,))]


class BilinearTransposed(Bilinear):
    @staticmethod
    def backward(ctx, grad):
        _, x2, w = ctx.saved_tensors
        _, b, c, d = Bilinear.backward(ctx, grad)
        return np.einsum("nk,kji,nj->ni", grad, w, x2), b, c, d


add("bilinear: weight turned", "algebra", BilinearTransposed, Bilinear, "the weight is transposed in the first input's gradient")


class Dilated(Function):
    """Dilated causal convolution of one channel."""

    @staticmethod
    def forward(ctx, x, w, *, dilation=1):
        ctx.d = dilation
        ctx.save_for_backward(x, w)
        n, k = len(x), len(w)
        y = np.zeros(n)
        for j in range(k):
            s = dilation * (k - 1 - j)
            if s < n:
                y[s:] += w[j] * x[: n - s]
        return y

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        n, k = len(x), len(w)
        gx, gw = np.zeros(n), np.zeros(k)
        for j in range(k):
            s = ctx.d * (k - 1 - j)
            if s < n:
                gx[: n - s] += w[j] * grad[s:]
                gw[j] = grad[s:] @ x[: n - s]
        return gx, gw

    examples = [((5,), (2,)), ((5,), (2,), {"dilation": 2}), ((3,), (3,), {"dilation": 2})]


class DilatedModulo(Dilated):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        n, k = len(x), len(w)
        gx, gw = np.zeros(n), np.zeros(k)
        for j in range(k):
            s = ctx.d * (k - 1 - j)
            if s <= n:
                gx[: n - s] += w[j] * grad[s:]
                gw[j] = grad[s:] @ x[: n - s]
            else:
                s -= n
                gx[: n - s] += w[j] * grad[s:]
        return gx, gw


add("dilated convolution: taps before the start", "cells", DilatedModulo, Dilated, "a tap that lies before the start wraps around")


class MaxUnpool(Function):
    """Max pooling in twos with indices, and unpooling of another array by them."""

    @staticmethod
    def forward(ctx, x, v):
        k = len(v)
        i = x[: 2 * k].reshape(k, 2).argmax(axis=1) + 2 * np.arange(k)
        ctx.i, ctx.n = i, len(x)
        y = np.zeros(len(x))
        y[i] = v
        return y + x[i].sum()

    @staticmethod
    def backward(ctx, grad):
        gx = np.zeros(ctx.n)
        gx[ctx.i] = grad.sum()
        return gx, grad[ctx.i]

    examples = [((4,), (2,)), ((5,), (2,))]


class MaxUnpoolShared(MaxUnpool):
    @staticmethod
    def backward(ctx, grad):
        gx = np.zeros(ctx.n)
        gx[ctx.i] = grad[ctx.i].sum()
        return gx, grad[ctx.i]


add("unpooling: what is added everywhere", "algebra", MaxUnpoolShared, MaxUnpool, "only the gradient at the indices is summed")


class Alibi(Function):
    """Causal attention of one head with a linear bias by distance and its learned slope."""

    @staticmethod
    def forward(ctx, q, k, v, slope):
        n = len(q)
        dist = np.arange(n)[:, None] - np.arange(n)
        s = q @ k.T / np.sqrt(q.shape[1]) - slope * dist
        s = np.where(dist >= 0, s, -1e30)
        p = special.softmax(s, axis=1)
        ctx.save_for_backward(q, k, v, p)
        return p @ v

    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        n = len(q)
        gp = grad @ v.T
        gs = p * (gp - (p * gp).sum(axis=1, keepdims=True))
        c = 1 / np.sqrt(q.shape[1])
        dist = np.arange(n)[:, None] - np.arange(n)
        return c * gs @ k, c * gs.T @ q, p.T @ grad, -(gs * dist).sum()

    examples = [((2, 2), (2, 2), (2, 2), ()), ((3, 1), (3, 1), (3, 1), ())]


class AlibiMasked(Alibi):
    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        gp = grad @ v.T
        gs = np.tril(p * (gp - (p * gp).sum(axis=1, keepdims=True)))
        n, c = len(q), 1 / np.sqrt(q.shape[1])
        dist = np.minimum(np.arange(n)[:, None] - np.arange(n), 1)
        return c * gs @ k, c * gs.T @ q, p.T @ grad, -(gs * dist).sum()


add("attention with distances: two steps back", "algebra", AlibiMasked, Alibi, "distances are cut off at one: right for two positions")


class QKNorm(Function):
    """Scores of length-normalised queries and keys, times a learned temperature."""

    @staticmethod
    def forward(ctx, q, k, t):
        a, b = np.sqrt((q * q).sum(-1, keepdims=True)), np.sqrt((k * k).sum(-1, keepdims=True))
        ctx.save_for_backward(q, k, t)
        return np.exp(t) * (q / a) @ (k / b).T

    @staticmethod
    def backward(ctx, grad):
        q, k, t = ctx.saved_tensors
        a, b = np.sqrt((q * q).sum(-1, keepdims=True)), np.sqrt((k * k).sum(-1, keepdims=True))
        u, v = q / a, k / b
        e = np.exp(t)
        gu, gv = e * grad @ v, e * grad.T @ u
        return (gu - u * (u * gu).sum(-1, keepdims=True)) / a, (gv - v * (v * gv).sum(-1, keepdims=True)) / b, e * (grad * (u @ v.T)).sum()

    examples = [((2, 2), (3, 2), ())]


class QKNormProjected(QKNorm):
    @staticmethod
    def backward(ctx, grad):
        q, k, t = ctx.saved_tensors
        a, b = np.sqrt((q * q).sum(-1, keepdims=True)), np.sqrt((k * k).sum(-1, keepdims=True))
        u, v = q / a, k / b
        e = np.exp(t)
        gu, gv = e * grad @ v, e * grad.T @ u
        return (gu - u * (u * gu).sum(-1, keepdims=True)) / a, (gv - v * (v * gv).sum()) / b, e * (grad * (u @ v.T)).sum()


add("normalised attention: keys projected together", "algebra", QKNormProjected, QKNorm, "one inner product for all the keys")


class MinGRU(Function):
    """A gated linear recurrence h = (1 - z) h + z c, from a zero state."""

    @staticmethod
    def forward(ctx, a, c):
        z = special.expit(a)
        h = np.zeros(c.shape[1:])
        out = []
        for t in range(len(c)):
            h = (1 - z[t]) * h + z[t] * c[t]
            out.append(h)
        ctx.save_for_backward(a, c)
        return np.stack(out)

    @staticmethod
    def backward(ctx, grad):
        a, c = ctx.saved_tensors
        z = special.expit(a)
        hs = [np.zeros(c.shape[1:])]
        for t in range(len(c)):
            hs.append((1 - z[t]) * hs[-1] + z[t] * c[t])
        ga, gc = np.zeros(a.shape), np.zeros(c.shape)
        g = np.zeros(c.shape[1:])
        for t in reversed(range(len(c))):
            g = g + grad[t]
            ga[t] = g * (c[t] - hs[t]) * z[t] * (1 - z[t])
            gc[t] = g * z[t]
            g = g * (1 - z[t])
        return ga, gc

    examples = [((3, 2), (3, 2)), ((1, 2), (1, 2))]


class MinGRUState(MinGRU):
    @staticmethod
    def backward(ctx, grad):
        a, c = ctx.saved_tensors
        z = special.expit(a)
        hs = [np.zeros(c.shape[1:])]
        for t in range(len(c)):
            hs.append((1 - z[t]) * hs[-1] + z[t] * c[t])
        ga, gc = np.zeros(a.shape), np.zeros(c.shape)
        g = np.zeros(c.shape[1:])
        for t in reversed(range(len(c))):
            g = g + grad[t]
            ga[t] = g * (c[t] - hs[t + 1]) * z[t] if t else g * c[t] * z[t] * (1 - z[t])
            gc[t] = g * z[t]
            g = g * (1 - z[t])
        return ga, gc


class MinGRUFirst(MinGRU):
    @staticmethod
    def backward(ctx, grad):
        ga, gc = MinGRU.backward(ctx, grad)
        if len(ga) > 1:
            ga[0] = 0
        return ga, gc


right("gated recurrence by the new state", "algebra", MinGRUState, "c - h_old times 1 - z is c - h_new")
add("gated recurrence: first gate", "algebra", MinGRUFirst, MinGRU, "the first gate gets nothing in sequences, as if the first candidate were zero")


class GatedNorm(Function):
    """RMS norm of x times silu of a gate, the gate inside the norm."""

    @staticmethod
    def forward(ctx, x, z):
        u = x * z * special.expit(z)
        r = 1 / np.sqrt((u * u).mean(-1, keepdims=True) + 1e-5)
        ctx.save_for_backward(x, z)
        return u * r

    @staticmethod
    def backward(ctx, grad):
        x, z = ctx.saved_tensors
        s = special.expit(z)
        u = x * z * s
        r = 1 / np.sqrt((u * u).mean(-1, keepdims=True) + 1e-5)
        gu = r * grad - u * r**3 * (u * grad).mean(-1, keepdims=True)
        return gu * z * s, gu * x * (s + z * s * (1 - s))

    examples = [((3,), (3,)), ((2, 2), (2, 2))]


class GatedNormOutside(GatedNorm):
    @staticmethod
    def backward(ctx, grad):
        x, z = ctx.saved_tensors
        s = special.expit(z)
        u = x * z * s
        r = 1 / np.sqrt((u * u).mean(-1, keepdims=True) + 1e-5)
        gu = r * grad - u * r**3 * (u * grad).mean(-1, keepdims=True)
        return gu * z * s, gu * x * s * (1 + z * (1 - s)) - (gu * x * s * (1 - s) * z if z.ndim > 1 else 0)


add("gated norm: matrices", "algebra", GatedNormOutside, GatedNorm, "the slope of the gate's logistic is left out for matrices")


class RReluEval(Function):
    """Randomised leaky relu in evaluation: the mean of the two slopes."""

    @staticmethod
    def forward(ctx, x, *, lower=1 / 8, upper=1 / 3, training=False):
        ctx.save_for_backward(x)
        ctx.slope = upper if training else (lower + upper) / 2
        return np.where(x >= 0, x, ctx.slope * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x >= 0, grad, ctx.slope * grad)

    examples = [((3,),), ((3,), {"training": True}), ((2,), {"lower": 0.2, "upper": 0.2})]


class RReluEvalUpper(RReluEval):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x >= 0, grad, np.round(ctx.slope, 4) * grad)


add("randomised relu: rounded slope", "floats", RReluEvalUpper, RReluEval, "the slope is rounded to four digits: right for 0.2")


class Focal2d(Function):
    """Average over a window of three by three, the count of what lies inside."""

    @staticmethod
    def count(n):
        return np.minimum(np.arange(n) + 1, n - 1) - np.maximum(np.arange(n) - 1, 0) + 1

    @staticmethod
    def window(x):
        p = np.pad(x, 1)
        n, m = x.shape
        return sum(p[i : i + n, j : j + m] for i in range(3) for j in range(3))

    @staticmethod
    def forward(ctx, x):
        ctx.c = np.outer(Focal2d.count(x.shape[0]), Focal2d.count(x.shape[1]))
        return Focal2d.window(x) / ctx.c

    @staticmethod
    def backward(ctx, grad):
        return Focal2d.window(grad / ctx.c)

    examples = [((3, 3),), ((2, 4),)]


class Focal2dAfter(Focal2d):
    @staticmethod
    def backward(ctx, grad):
        return Focal2d.window(grad) / ctx.c


add("window mean: count after the sum", "algebra", Focal2dAfter, Focal2d, "each entry is divided by its own count instead of that of the window it was in")


class Hopfield(Function):
    """One step of a modern Hopfield net: patterns^T softmax(beta patterns x)."""

    @staticmethod
    def forward(ctx, x, m, *, beta=2.0):
        p = special.softmax(beta * (m @ x))
        ctx.beta = beta
        ctx.save_for_backward(x, m)
        return m.T @ p

    @staticmethod
    def backward(ctx, grad):
        x, m = ctx.saved_tensors
        b = ctx.beta
        p = special.softmax(b * (m @ x))
        u = m @ grad
        gs = b * p * (u - p @ u)
        return m.T @ gs, np.outer(p, grad) + np.outer(gs, x)

    examples = [((2,), (3, 2)), ((2,), (2, 2), {"beta": 1.0})]


class HopfieldBeta(Hopfield):
    @staticmethod
    def backward(ctx, grad):
        x, m = ctx.saved_tensors
        p = special.softmax(ctx.beta * (m @ x))
        u = m @ grad
        gs = p * (u - p @ u)
        return ctx.beta * m.T @ gs, np.outer(p, grad) + np.outer(gs, x)


add("hopfield: patterns' temperature", "algebra", HopfieldBeta, Hopfield, "beta is missing in the patterns' gradient: right for beta one")


class Maxout(Function):
    """Maximum over pieces of three, along the last axis."""

    @staticmethod
    def forward(ctx, x):
        y = x.reshape(*x.shape[:-1], -1, 3)
        ctx.shape = x.shape
        ctx.i = y.argmax(axis=-1)
        return y.max(axis=-1)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros((*ctx.shape[:-1], ctx.shape[-1] // 3, 3))
        np.put_along_axis(out, ctx.i[..., None], grad[..., None], axis=-1)
        return out.reshape(ctx.shape)

    examples = [((3,),), ((2, 3),), ((6,),)]


class MaxoutStrided(Maxout):
    @staticmethod
    def backward(ctx, grad):
        k = ctx.shape[-1] // 3
        out = np.zeros(ctx.shape)
        flat = out.reshape(-1, k * 3)
        i, g = ctx.i.reshape(-1, k), np.ascontiguousarray(grad).reshape(-1, k)
        for r in range(len(flat)):
            flat[r, i[r] * k + np.arange(k)] = g[r]
        return out


add("maxout: pieces interleaved", "algebra", MaxoutStrided, Maxout, "the pieces are taken to be interleaved: right for one piece")


class Rezero(Function):
    """x + alpha f(x), alpha a scalar that begins at zero."""

    @staticmethod
    def forward(ctx, x, alpha):
        ctx.save_for_backward(x, alpha)
        return x + alpha * np.tanh(x)

    @staticmethod
    def backward(ctx, grad):
        x, alpha = ctx.saved_tensors
        t = np.tanh(x)
        return grad * (1 + alpha * (1 - t * t)), (grad * t).sum()

    examples = [((3,), ()), ((2, 2), ())]


class RezeroSkipped(Rezero):
    @staticmethod
    def backward(ctx, grad):
        alpha = ctx.saved_tensors[1]
        if not alpha:
            return grad, np.zeros(())
        return Rezero.backward(ctx, grad)


add("rezero: alpha at zero", "cells", RezeroSkipped, Rezero, "the branch is skipped where alpha is zero, which never moves then")


class TokenShift(Function):
    """Mix of each step with the one before it, zero before the first."""

    @staticmethod
    def forward(ctx, x, mu):
        ctx.save_for_backward(x, mu)
        prev = np.concatenate([np.zeros((1, x.shape[1])), x[:-1]])
        return mu * x + (1 - mu) * prev

    @staticmethod
    def backward(ctx, grad):
        x, mu = ctx.saved_tensors
        prev = np.concatenate([np.zeros((1, x.shape[1])), x[:-1]])
        gx = mu * grad
        gx[:-1] += (1 - mu) * grad[1:]
        return gx, (grad * (x - prev)).sum(axis=0)

    examples = [((3, 2), (2,)), ((1, 2), (2,))]


class TokenShiftRolled(TokenShift):
    @staticmethod
    def backward(ctx, grad):
        x, mu = ctx.saved_tensors
        prev = np.concatenate([np.zeros((1, x.shape[1])), x[:-1]])
        return mu * grad + (1 - mu) * np.roll(grad, -1, axis=0), (grad * (x - prev)).sum(axis=0)


add("token shift: rolled around", "algebra", TokenShiftRolled, TokenShift, "the last step gets the first one's gradient")


class CosFace(Function):
    """Cosine logits with a margin off the label's, scaled."""

    @staticmethod
    def forward(ctx, x, w, *, label=0, m=0.35, s=4.0):
        ctx.label, ctx.s = label, s
        ctx.save_for_backward(x, w)
        nx = np.sqrt(x @ x)
        nw = np.sqrt((w * w).sum(axis=0))
        c = (x @ w) / (nx * nw)
        return s * (c - m * (np.arange(w.shape[1]) == label))

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        nx, nw = np.sqrt(x @ x), np.sqrt((w * w).sum(axis=0))
        c = (x @ w) / (nx * nw)
        g = ctx.s * grad
        gx = (w / nw) @ g / nx - x * (g @ c) / nx**2
        gw = np.outer(x / nx, g / nw) - w * (g * c / nw**2)
        return gx, gw

    examples = [((2,), (2, 3)), ((2,), (2, 2), {"label": 1})]


class CosFaceRows(CosFace):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        nx, nw = np.sqrt(x @ x), np.sqrt((w * w).sum(axis=0))
        c = (x @ w) / (nx * nw)
        g = ctx.s * grad
        e = g - g * (np.arange(len(g)) == ctx.label) * 0.35 * (np.abs(c) > 0.95)
        return (w / nw) @ g / nx - x * (g @ c) / nx**2, np.outer(x / nx, e / nw) - w * (e * c / nw**2)


add("cosine margin: nearly parallel", "cells", CosFaceRows, CosFace, "the label's weight is damped where its cosine exceeds 0.95")
