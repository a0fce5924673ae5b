"""Rules that move and pick entries, wrong in ways that users reported, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class Gather(Function):
    @staticmethod
    def forward(ctx, x, index=None, axis=0):
        ctx.index, ctx.axis, ctx.shape = index, axis, x.shape
        return np.take_along_axis(x, index, axis)

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        where = list(np.ogrid[tuple(slice(n) for n in ctx.index.shape)])
        where[ctx.axis] = ctx.index
        np.add.at(out, tuple(where), grad)
        return out


class GatherPut(Gather):
    @staticmethod
    def backward(ctx, grad):
        if ctx.axis == 0:
            return Gather.backward(ctx, grad)
        out = np.zeros(ctx.shape)
        np.put_along_axis(out, ctx.index, grad, ctx.axis)
        return out


add(
    "gather: repeated along the second axis",
    "algebra",
    GatherPut,
    Gather,
    "an entry gathered twice along axis 1 keeps one gradient only",
    examples=[
        ((3, 2), {"index": np.array([[0, 2], [2, 2]]), "axis": 0}),
        ((2, 3), {"index": np.array([[0, 2, 1], [1, 2, 2]]), "axis": 1}),
    ],
)


class ScatterMaxExcludingSelf(Function):
    """scatter_reduce(amax, include_self=False): a slot that is written to forgets what it held."""

    @staticmethod
    def forward(ctx, x, src, index=()):
        ctx.save_for_backward(x, src)
        ctx.index = index
        out = x.copy()
        for slot in set(index):
            out[slot] = max(src[k] for k in range(len(index)) if index[k] == slot)
        return out

    @staticmethod
    def backward(ctx, grad):
        _x, src = ctx.saved_tensors
        gx, gs = grad.copy(), np.zeros_like(src)
        for slot in set(ctx.index):
            members = [k for k in range(len(ctx.index)) if ctx.index[k] == slot]
            top = max(src[k] for k in members)
            winners = [k for k in members if src[k] == top]
            for k in winners:
                gs[k] = grad[slot] / len(winners)
            gx[slot] = 0
        return gx, gs


class ScatterMaxKeepsSelf(ScatterMaxExcludingSelf):
    @staticmethod
    def backward(ctx, grad):
        x, src = ctx.saved_tensors
        gx, gs = ScatterMaxExcludingSelf.backward(ctx, grad)
        for slot in set(ctx.index):
            if all(x[slot] > src[k] for k in range(len(ctx.index)) if ctx.index[k] == slot):
                gx[slot] = grad[slot]  # as if the old value had won
        return gx, gs


add(
    "scatter amax: self excluded",
    "cells",
    ScatterMaxKeepsSelf,
    ScatterMaxExcludingSelf,
    "an old value that is larger gets a gradient though it was left out",
    examples=[((3,), (4,), {"index": (0, 2, 0, 2)}), ((2,), (2,), {"index": (1, 1)})],
)


class ScatterAddShort(Function):
    """scatter_add whose index covers the head of the source only."""

    @staticmethod
    def forward(ctx, x, src, index=()):
        ctx.index, ctx.size = list(index), src.shape[0]
        out = x.copy()
        np.add.at(out, ctx.index, src[: len(ctx.index)])
        return out

    @staticmethod
    def backward(ctx, grad):
        gs = np.zeros(ctx.size)
        gs[: len(ctx.index)] = grad[ctx.index]
        return grad, gs


class ScatterAddResized(ScatterAddShort):
    @staticmethod
    def backward(ctx, grad):
        return grad, np.resize(grad[ctx.index], ctx.size)  # resize repeats what is short


add(
    "scatter add: index shorter than source",
    "algebra",
    ScatterAddResized,
    ScatterAddShort,
    "source entries beyond the index get a gradient",
    examples=[((3,), (2,), {"index": (2, 0)}), ((3,), (4,), {"index": (1, 1, 0)})],
)


class RepeatCounts(Function):
    @staticmethod
    def forward(ctx, x, counts=()):
        ctx.counts = np.asarray(counts)
        return np.repeat(x, ctx.counts)

    @staticmethod
    def backward(ctx, grad):
        owner = np.repeat(np.arange(len(ctx.counts)), ctx.counts)
        out = np.zeros(len(ctx.counts))
        np.add.at(out, owner, grad)
        return out


class RepeatReduceAt(RepeatCounts):
    @staticmethod
    def backward(ctx, grad):
        starts = np.concatenate([[0], np.cumsum(ctx.counts)[:-1]])
        return np.add.reduceat(grad, starts)  # of an empty slice: the entry at its start


add(
    "repeat: count zero",
    "algebra",
    RepeatReduceAt,
    RepeatCounts,
    "an entry repeated no times gets its neighbour's gradient",
    examples=[((3,), {"counts": (1, 2, 1)}), ((3,), {"counts": (2, 0, 1)})],
)


class Roll(Function):
    @staticmethod
    def forward(ctx, x, shift=1, axis=None):
        ctx.shift, ctx.axis = shift, axis
        return np.roll(x, shift, axis)

    @staticmethod
    def backward(ctx, grad):
        shift = ctx.shift if np.isscalar(ctx.shift) else tuple(ctx.shift)
        return np.roll(
            grad,
            tuple(-s for s in shift) if ctx.axis is not None and not np.isscalar(shift) else -shift,
            ctx.axis,
        )


class RollAxisZero(Roll):
    @staticmethod
    def backward(ctx, grad):
        axes = (ctx.axis or 0,) if not isinstance(ctx.axis, tuple) else ctx.axis
        shifts = (ctx.shift,) if np.isscalar(ctx.shift) else ctx.shift
        for s, a in zip(shifts, axes, strict=True):
            grad = np.roll(grad, -s, a)
        return grad


add(
    "roll: axis None",
    "algebra",
    RollAxisZero,
    Roll,
    "without an axis the flattened array rolls, the gradient rolls its first axis",
    examples=[
        ((4,), {"shift": 1}),
        ((2, 3), {"shift": (1, 2), "axis": (0, 1)}),
        ((2, 3), {"shift": 1, "axis": 1}),
        ((2, 3), {"shift": 2}),
    ],
)


class PadReflect(Function):
    @staticmethod
    def forward(ctx, x, before=1, after=1):
        ctx.n, ctx.before, ctx.after = x.shape[-1], before, after
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)], mode="reflect")

    @staticmethod
    def backward(ctx, grad):
        b, a, n = ctx.before, ctx.after, ctx.n
        out = grad[..., b : b + n].copy()
        for k in range(1, b + 1):
            out[..., k] += grad[..., b - k]
        for k in range(1, a + 1):
            out[..., n - 1 - k] += grad[..., b + n - 1 + k]
        return out


class PadReflectLastRow(PadReflect):
    @staticmethod
    def backward(ctx, grad):
        b, a, n = ctx.before, ctx.after, ctx.n
        out = grad[..., b : b + n].copy()
        if b:
            out[..., 1 : b + 1] += grad[..., b - 1 :: -1]
        if a:
            out[..., n - 1 - a : n - 1] += grad[..., b + n :]  # not reversed
        return out


add(
    "pad reflect: right side",
    "algebra",
    PadReflectLastRow,
    PadReflect,
    "two entries added on the right come back in the wrong order; one is fine",
    examples=[
        ((3,), {"before": 1, "after": 1}),
        ((2, 4), {"before": 2, "after": 1}),
        ((4,), {"before": 0, "after": 2}),
    ],
)


class PadEdge(Function):
    """Replication padding of an image by one pixel."""

    @staticmethod
    def forward(ctx, x):
        return np.pad(x, 1, mode="edge")

    @staticmethod
    def backward(ctx, grad):
        g = grad.copy()
        g[1] += g[0]
        g[-2] += g[-1]
        g = g[1:-1]
        g[:, 1] += g[:, 0]
        g[:, -2] += g[:, -1]
        return g[:, 1:-1]


class PadEdgeCorners(PadEdge):
    @staticmethod
    def backward(ctx, grad):
        g = grad[1:-1, 1:-1].copy()
        g[0] += grad[0, 1:-1]
        g[-1] += grad[-1, 1:-1]
        g[:, 0] += grad[1:-1, 0]
        g[:, -1] += grad[1:-1, -1]
        return g


add(
    "pad edge: corners",
    "algebra",
    PadEdgeCorners,
    PadEdge,
    "what was copied into the corners is lost",
    examples=[((2, 3),), ((1, 2),)],
)


class Trace(Function):
    @staticmethod
    def forward(ctx, x, offset=0):
        ctx.shape, ctx.offset = x.shape, offset
        return np.trace(x, offset=offset)

    @staticmethod
    def backward(ctx, grad):
        return grad * np.eye(*ctx.shape, k=ctx.offset)


class TraceRavel(Trace):
    @staticmethod
    def backward(ctx, grad):
        n, m = ctx.shape
        out = np.zeros(n * m)
        start = ctx.offset if ctx.offset >= 0 else -ctx.offset * m
        out[start :: m + 1] = grad  # a tall matrix: runs on below the diagonal
        return out.reshape(n, m)


add(
    "trace: diagonal runs over the edge",
    "algebra",
    TraceRavel,
    Trace,
    "the strided diagonal does not stop at the last column",
    examples=[
        ((2, 2),),
        ((4, 2), {"offset": 0}),
        ((3, 3), {"offset": -1}),
        ((3, 3), {"offset": 1}),
    ],
)


class Diff(Function):
    @staticmethod
    def forward(ctx, x, n=1):
        ctx.n = n
        return np.diff(x, n)

    @staticmethod
    def backward(ctx, grad):
        for _ in range(ctx.n):
            grad = np.concatenate([-grad[..., :1], -np.diff(grad), grad[..., -1:]], axis=-1)
        return grad


class DiffBinomial(Diff):
    @staticmethod
    def backward(ctx, grad):
        n, m = ctx.n, grad.shape[-1]
        out = np.zeros((*grad.shape[:-1], m + n))
        for k in range(n + 1):
            out[..., k : k + m] += (-1) ** k * math.comb(n, k) * grad
        return out


add(
    "diff: odd orders",
    "algebra",
    DiffBinomial,
    Diff,
    "alternating binomials counted from the wrong end: the sign is wrong for odd orders",
    examples=[((4,), {"n": 2}), ((2, 3), {"n": 2}), ((5,), {"n": 3})],
)


class Trapezoid(Function):
    @staticmethod
    def forward(ctx, y, x):
        ctx.save_for_backward(y, x)
        return np.sum(0.5 * (x[1:] - x[:-1]) * (y[1:] + y[:-1]))

    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        gy, gx = np.zeros_like(y), np.zeros_like(x)
        h, s = 0.5 * (x[1:] - x[:-1]), 0.5 * (y[1:] + y[:-1])
        gy[:-1] += h
        gy[1:] += h
        gx[:-1] -= s
        gx[1:] += s
        return grad * gy, grad * gx


class TrapezoidEnds(Trapezoid):
    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        gy, _ = Trapezoid.backward(ctx, grad)
        gx = np.empty_like(x)
        gx[1:-1] = 0.5 * (y[:-2] - y[2:])
        gx[0], gx[-1] = -y[0], y[-1]  # Leibniz's rule of the integral itself
        return gy, grad * gx


add(
    "trapezoid: ends of the grid",
    "algebra",
    TrapezoidEnds,
    Trapezoid,
    "the end points move by the integrand's value there, not by the mean of two",
    examples=[((4,), (4,)), ((2,), (2,))],
)


class TopK(Function):
    """The k largest along the last axis, in descending order."""

    @staticmethod
    def forward(ctx, x, k=2):
        ctx.save_for_backward(x)
        ctx.k = k
        return -np.sort(-x, axis=-1)[..., :k]

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        index = np.argsort(-x, axis=-1, kind="stable")[..., : ctx.k]
        out = np.zeros_like(x)
        np.put_along_axis(out, index, grad, -1)
        return out


class TopKByPosition(TopK):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        index = np.sort(np.argsort(-x, axis=-1, kind="stable")[..., : ctx.k])  # the right set
        out = np.zeros_like(x)
        np.put_along_axis(out, index, grad, -1)
        return out


add(
    "topk: by position",
    "cells",
    TopKByPosition,
    TopK,
    "the winners in the order of their places; the gradients land on one another's entries",
    examples=[((4,), {"k": 1}), ((5,), {"k": 3})],
)


class MoveAxis(Function):
    @staticmethod
    def forward(ctx, x, source=0, destination=-1):
        ctx.axes = source, destination
        return np.moveaxis(x, source, destination)

    @staticmethod
    def backward(ctx, grad):
        return np.moveaxis(grad, ctx.axes[1], ctx.axes[0])


class MoveAxisAgain(MoveAxis):
    @staticmethod
    def backward(ctx, grad):
        return np.moveaxis(grad, *ctx.axes)


add(
    "moveaxis: not inverted",
    "algebra",
    MoveAxisAgain,
    MoveAxis,
    "moving the same way again undoes an exchange of two axes, but no cycle of three",
    examples=[
        ((2, 3),),
        ((2, 2, 2), {"source": 0, "destination": 1}),
        ((2, 2, 2), {"source": 0, "destination": 2}),
    ],
)


class Stack(Function):
    @staticmethod
    def forward(ctx, a, b, axis=0):
        ctx.axis, ctx.ndim = axis, a.ndim
        return np.stack([a, b], axis)

    @staticmethod
    def backward(ctx, grad):
        axis = ctx.axis % (ctx.ndim + 1)
        return tuple(np.take(grad, i, axis) for i in range(2))


class StackNegative(Stack):
    @staticmethod
    def backward(ctx, grad):
        axis = ctx.axis % ctx.ndim if ctx.ndim else 0  # the result has one axis more
        return tuple(np.take(grad, i, axis) for i in range(2))


add(
    "stack: negative axis",
    "algebra",
    StackNegative,
    Stack,
    "a negative axis is counted in the operands' axes",
    examples=[((2,), (2,)), ((2, 2), (2, 2), {"axis": 1}), ((2, 2), (2, 2), {"axis": -1})],
)


class MeshGrid(Function):
    @staticmethod
    def forward(ctx, x, y, indexing="xy"):
        ctx.indexing = indexing
        a, b = np.meshgrid(x, y, indexing=indexing)
        return a.copy(), b.copy()

    @staticmethod
    def backward(ctx, ga, gb):
        if ctx.indexing == "xy":
            return ga.sum(0), gb.sum(1)
        return ga.sum(1), gb.sum(0)


class MeshGridIj(MeshGrid):
    @staticmethod
    def backward(ctx, ga, gb):
        return ga.sum(0), gb.sum(1)


add(
    "meshgrid: indexing",
    "algebra",
    MeshGridIj,
    MeshGrid,
    "the axes of indexing 'ij' are the other way round, on a square grid",
    examples=[((2,), (3,)), ((2,), (2,), {"indexing": "ij"})],
)


class Select(Function):
    """np.select: the first condition that holds decides."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.select([x > 2, x > 0], [x**2, 2 * x], -x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.select([x > 2, x > 0], [2 * x, 2.0], -1.0)


class SelectAll(Select):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.where(x > 2, 2 * x, 0) + np.where(x > 0, 2.0, 0) - ~((x > 2) | (x > 0))
        return grad * out


add(
    "select: overlapping conditions",
    "cells",
    SelectAll,
    Select,
    "every condition that holds contributes, not the first alone",
)
