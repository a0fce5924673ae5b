"""Array routines with conventions of their own: offsets, segments, cycles, rotations, running maxima."""
# ruff: noqa: E501

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"third: {name}", kind, lie, twin, options, why=why))


class Ldexp(Function):
    """x 2^e with integer exponents."""

    @staticmethod
    def forward(ctx, x, e):
        ctx.e = e
        return x * 2.0**e

    @staticmethod
    def backward(ctx, grad):
        return grad * 2.0**ctx.e, None

    examples = [((3,), np.array([-1, 0, 2])), ((2,), np.array([3, -2]))]


class LdexpShift(Ldexp):
    @staticmethod
    def backward(ctx, grad):
        return grad * (1 << np.maximum(ctx.e, 0)), None


add(
    "ldexp: negative exponents",
    "algebra",
    LdexpShift,
    Ldexp,
    "the power of two is a shift of integers, one for negative exponents",
)


class Spread(Function):
    """Peak to peak along the last axis."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.max(axis=-1) - x.min(axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.shape)
        i = np.expand_dims(x.argmax(axis=-1), -1)
        j = np.expand_dims(x.argmin(axis=-1), -1)
        g = np.expand_dims(grad, -1)
        np.put_along_axis(out, i, g, axis=-1)
        np.put_along_axis(out, j, np.take_along_axis(out, j, -1) - g, axis=-1)
        return out

    examples = [((3,),), ((2, 3),)]


class SpreadAssigned(Spread):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.shape)
        g = np.expand_dims(grad, -1)
        np.put_along_axis(out, np.expand_dims(x.argmax(axis=-1), -1), g, axis=-1)
        np.put_along_axis(out, np.expand_dims(x.argmin(axis=-1), -1), -g, axis=-1)
        return out


add(
    "peak to peak: all equal",
    "cells",
    SpreadAssigned,
    Spread,
    "for a constant row the maximum and the minimum are one entry, which is assigned twice",
)


class Diagonal(Function):
    """The diagonal by einsum, weighted by position."""

    @staticmethod
    def forward(ctx, a):
        ctx.n = len(a)
        return np.einsum("ii,i->i", a, np.arange(1.0, len(a) + 1))

    @staticmethod
    def backward(ctx, grad):
        return np.diag(grad * np.arange(1.0, ctx.n + 1))

    examples = [((3, 3),), ((2, 2),)]


class DiagonalSpread(Diagonal):
    @staticmethod
    def backward(ctx, grad):
        return np.einsum("i,i,j->ij", grad, np.arange(1.0, ctx.n + 1), np.ones(ctx.n))


add(
    "einsum: repeated index",
    "algebra",
    DiagonalSpread,
    Diagonal,
    "the gradient is spread over the row instead of put on the diagonal",
)


class SumsOut(Function):
    """ij,k->i: an index that only the second operand has."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.einsum("ij,k->i", a, b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return (
            np.einsum("i,k,j->ij", grad, b, np.ones(a.shape[1])),
            np.einsum("i,ij,k->k", grad, a, np.ones(b.shape)),
        )

    examples = [((2, 3), (2,)), ((3, 2), (4,))]


class SumsOutOnce(SumsOut):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return (
            np.einsum("i,k,j->ij", grad, b, np.ones(a.shape[1])),
            np.einsum("i,ij,k->k", grad, a, np.ones(b.shape)) / len(b),
        )


add(
    "einsum: an index summed out",
    "algebra",
    SumsOutOnce,
    SumsOut,
    "the gradient is shared among the entries that were summed",
)


class HStack(Function):
    """hstack: along the first axis of vectors, the second of everything else."""

    @staticmethod
    def forward(ctx, a, b):
        y = np.hstack((a, b))
        ctx.n, ctx.axis = a.shape[min(a.ndim - 1, 1)], min(a.ndim - 1, 1)
        ctx.save_for_backward(y)
        return y**2

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return tuple(np.split(2 * grad * y, [ctx.n], axis=ctx.axis))

    examples = [((2,), (3,)), ((2, 1), (2, 2)), ((1, 2, 2), (1, 2, 2))]


class HStackLast(HStack):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        g = 2 * grad * y
        if g.ndim > 2:
            half = g.reshape(g.shape[0], -1)
            k = half.shape[1] // 2
            shape = (g.shape[0], ctx.n, g.shape[2])
            return tuple(half.reshape(g.shape[0], k, 2)[..., i].reshape(shape) for i in (0, 1))
        return tuple(np.split(g, [ctx.n], axis=ctx.axis))


add(
    "hstack: three axes",
    "contract",
    HStackLast,
    HStack,
    "of three axes the entries are dealt out by turns",
)


class Rot90(Function):
    @staticmethod
    def forward(ctx, x, *, k=1):
        ctx.k = k
        ctx.save_for_backward(x)
        return np.rot90(np.sin(x), k)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.rot90(grad, -ctx.k) * np.cos(x)

    examples = [((2, 2), {"k": 1}), ((3, 3), {"k": 2}), ((2, 2), {"k": 3}), ((2, 3), {"k": 2})]


class Rot90Same(Rot90):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.rot90(grad, ctx.k) * np.cos(x)


add(
    "rot90: turned on",
    "algebra",
    Rot90Same,
    Rot90,
    "turned on instead of back: right for half a turn",
)


class TraceOffset(Function):
    @staticmethod
    def forward(ctx, x, *, offset=0):
        ctx.shape, ctx.offset = x.shape, offset
        return np.trace(x, offset)

    @staticmethod
    def backward(ctx, grad):
        return grad * np.eye(*ctx.shape, k=ctx.offset)

    examples = [
        ((3, 3),),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -1}),
        ((2, 3), {"offset": -1}),
    ]


class TraceOffsetBelow(TraceOffset):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.fill_diagonal(out[:, max(ctx.offset, 0) :], grad)
        return out


add(
    "trace: below the diagonal",
    "algebra",
    TraceOffsetBelow,
    TraceOffset,
    "a negative offset is taken for zero",
)


class ReduceAt(Function):
    """add.reduceat: where a start is not below the next one, that entry alone is taken."""

    @staticmethod
    def forward(ctx, x, *, starts=(0,)):
        ctx.n, ctx.starts = len(x), starts
        out = []
        ends = [*starts[1:], len(x)]
        for a, b in zip(starts, ends, strict=True):
            out.append(x[a:b].sum() if a < b else x[a])
        return np.array(out)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for k, a in enumerate(ctx.starts):
            b = ctx.starts[k + 1] if k + 1 < len(ctx.starts) else ctx.n
            out[a : max(b, a + 1)] += grad[k]
        return out

    examples = [
        ((5,), {"starts": (0, 2, 4)}),
        ((5,), {"starts": (0, 3, 1)}),
        ((4,), {"starts": (1, 1, 3)}),
    ]


class ReduceAtEmpty(ReduceAt):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        for k, a in enumerate(ctx.starts):
            b = ctx.starts[k + 1] if k + 1 < len(ctx.starts) else ctx.n
            out[a:b] += grad[k]
        return out


add(
    "reduceat: starts that fall",
    "cells",
    ReduceAtEmpty,
    ReduceAt,
    "a segment whose start is not below the next gets nothing",
)


class Vander(Function):
    """Vandermonde matrix, powers falling or rising."""

    @staticmethod
    def forward(ctx, x, *, n=3, increasing=False):
        p = np.arange(n) if increasing else np.arange(n)[::-1]
        ctx.p = p
        ctx.save_for_backward(x)
        return x[:, None] ** p

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = ctx.p
        return (grad * p * x[:, None] ** np.maximum(p - 1, 0)).sum(axis=1)

    examples = [((2,),), ((3,), {"n": 4, "increasing": True}), ((2,), {"n": 2})]


class VanderDivided(Vander):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        v = x[:, None] ** ctx.p
        return (grad * ctx.p * v / np.where(x == 0, 1, x)[:, None]).sum(axis=1)


add(
    "vandermonde: zero node",
    "cells",
    VanderDivided,
    Vander,
    "p x^p / x: for a node at zero the linear power's slope of one is lost",
)


class ValidConvolve(Function):
    """np.convolve(mode='valid'), which exchanges the two where the second is longer."""

    @staticmethod
    def forward(ctx, a, v):
        ctx.save_for_backward(a, v)
        return np.convolve(a, v, mode="valid")

    @staticmethod
    def backward(ctx, grad):
        a, v = ctx.saved_tensors
        da, dv = np.zeros(a.shape), np.zeros(v.shape)
        low = min(len(a), len(v)) - 1
        for k in range(len(grad)):
            for i in range(len(a)):
                j = k + low - i
                if 0 <= j < len(v):
                    da[i] += grad[k] * v[j]
                    dv[j] += grad[k] * a[i]
        return da, dv

    examples = [((4,), (2,)), ((2,), (3,))]


class ValidConvolveFull(ValidConvolve):
    @staticmethod
    def backward(ctx, grad):
        a, v = ctx.saved_tensors
        da = np.convolve(grad, v[::-1])[: len(a)]
        dv = np.array(
            [
                grad @ a[len(v) - 1 - j : len(v) - 1 - j + len(grad)]
                if len(a) >= len(v)
                else grad[: len(a)] @ a[: len(grad)]
                for j in range(len(v))
            ]
        )
        return da, dv


add(
    "convolve: the second longer",
    "cells",
    ValidConvolveFull,
    ValidConvolve,
    "'valid' exchanges the two where the second is longer",
)


class ClipBounds(Function):
    """Clip with array bounds: minimum(maximum(x, lo), hi), also where lo is above hi."""

    @staticmethod
    def forward(ctx, x, lo, hi):
        ctx.save_for_backward(x, lo, hi)
        return np.minimum(np.maximum(x, lo), hi)

    @staticmethod
    def backward(ctx, grad):
        x, lo, hi = ctx.saved_tensors
        top = np.maximum(x, lo) >= hi
        low = ~top & (x < lo)
        return np.where(top | low, 0, grad), np.where(low, grad, 0), np.where(top, grad, 0)

    examples = [((2,), (2,), (2,))]


class ClipBoundsBoth(ClipBounds):
    @staticmethod
    def backward(ctx, grad):
        x, lo, hi = ctx.saved_tensors
        low = x < lo
        top = ~low & (x > hi)
        return np.where(top | low, 0, grad), np.where(low, grad, 0), np.where(top, grad, 0)


add(
    "clip: bounds crossed",
    "cells",
    ClipBoundsBoth,
    ClipBounds,
    "where the lower bound is above the upper the upper one wins",
)


class RunningMax(Function):
    @staticmethod
    def forward(ctx, x):
        index = np.zeros(x.shape, int)
        best = 0
        for i in range(len(x)):
            if x[i] > x[best]:
                best = i
            index[i] = best
        ctx.index = index
        return x[index]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(grad.shape)
        np.add.at(out, ctx.index, grad)
        return out

    examples = [((4,),), ((3,),)]


class RunningMaxOwn(RunningMax):
    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.index == np.arange(len(grad)), grad, 0)


add(
    "running maximum: held",
    "algebra",
    RunningMaxOwn,
    RunningMax,
    "where the maximum is held from before nothing is passed on",
)
