"""Array routines with conventions of their own: cycles, insertion, quadrature, phases."""

import numpy as np

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"third: {name}", kind, lie, twin, options, why=why))


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"third: {name}", kind, twin, why, **options))


class Place(Function):
    """np.place: the values are used in turn, over and over."""

    @staticmethod
    def forward(ctx, x, v, *, mask):
        ctx.mask, ctx.m = mask, len(v)
        y = x.copy()
        y[mask] = v[np.arange(mask.sum()) % len(v)]
        return y

    @staticmethod
    def backward(ctx, grad):
        gx, gv = grad.copy(), np.zeros(ctx.m)
        gx[ctx.mask] = 0
        np.add.at(gv, np.arange(ctx.mask.sum()) % ctx.m, grad[ctx.mask])
        return gx, gv

    examples = [
        ((4,), (2,), {"mask": np.array([True, True, False, True])}),
        ((3,), (3,), {"mask": np.array([True, False, False])}),
    ]


class PlaceOnce(Place):
    @staticmethod
    def backward(ctx, grad):
        gx, gv = grad.copy(), np.zeros(ctx.m)
        gx[ctx.mask] = 0
        taken = grad[ctx.mask][: ctx.m]
        gv[: len(taken)] = taken
        return gx, gv


add(
    "place: values used again",
    "algebra",
    PlaceOnce,
    Place,
    "a value that is used a second time gets the first gradient only",
)


class Insert(Function):
    """np.insert before an index that may count from the end."""

    @staticmethod
    def forward(ctx, x, v, *, at=0):
        ctx.at = at
        return np.concatenate([x[:at], v[None], x[at:]])

    @staticmethod
    def backward(ctx, grad):
        i = ctx.at if ctx.at >= 0 else ctx.at + len(grad) - 1
        return np.delete(grad, i), grad[i]

    examples = [((3,), (), {"at": 1}), ((3,), (), {"at": -1}), ((2,), (), {"at": 2})]


class InsertNegative(Insert):
    @staticmethod
    def backward(ctx, grad):
        return np.delete(grad, ctx.at), grad[ctx.at]


add(
    "insert: from the end",
    "algebra",
    InsertNegative,
    Insert,
    "-1 is before the last entry, not the last of the result",
)


class MatrixNorm(Function):
    """Matrix norms of order 1, inf and Frobenius."""

    @staticmethod
    def forward(ctx, a, *, ord="fro"):
        ctx.ord = ord
        if ord == "fro":
            y = np.sqrt((a * a).sum())
            ctx.save_for_backward(a, y)
            return y
        axis = 0 if ord == 1 else 1
        sums = np.abs(a).sum(axis=axis)
        y = sums.max()
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        a, y = ctx.saved_tensors
        if ctx.ord == "fro":
            return grad * (a / y if y else 0 * a)
        if ctx.ord == 1:
            k = np.abs(a).sum(axis=0).argmax()
            out = np.zeros(a.shape)
            out[:, k] = grad * np.sign(a[:, k])
            return out
        k = np.abs(a).sum(axis=1).argmax()
        out = np.zeros(a.shape)
        out[k] = grad * np.sign(a[k])
        return out

    examples = [((2, 2), {"ord": 1}), ((2, 2), {"ord": np.inf}), ((2, 3),)]


class MatrixNormRows(MatrixNorm):
    @staticmethod
    def backward(ctx, grad):
        a, y = ctx.saved_tensors
        if ctx.ord == "fro":
            return grad * (a / y if y else 0 * a)
        k = np.abs(a).sum(axis=1).argmax()
        out = np.zeros(a.shape)
        out[k] = grad * np.sign(a[k])
        return out


add(
    "matrix norm: order one",
    "algebra",
    MatrixNormRows,
    MatrixNorm,
    "order 1 is by columns, not by rows",
)


class Simpson(Function):
    """Simpson's rule, the last interval by the trapezoid where their number is odd."""

    @staticmethod
    def forward(ctx, y, *, dx=1.0):
        n = len(y)
        w = np.zeros(n)
        m = n if n % 2 else n - 1
        for i in range(0, m - 2, 2):
            w[i : i + 3] += np.array([1, 4, 1]) * dx / 3
        if n % 2 == 0:
            w[-2:] += dx / 2
        ctx.n, ctx.w = n, w
        ctx.dx = dx
        return w @ y

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.w

    examples = [((3,),), ((4,), {"dx": 0.5}), ((5,), {"dx": 0.1}), ((6,), {"dx": 0.1})]


class SimpsonOdd(Simpson):
    @staticmethod
    def backward(ctx, grad):
        w = np.where(np.arange(ctx.n) % 2 == 1, 4.0, 2.0)
        w[0] = w[-1] = 1
        return grad * w * ctx.dx / 3


add(
    "simpson: even number of points",
    "algebra",
    SimpsonOdd,
    Simpson,
    "the composite weights, which ask for an odd number of points",
)


class Envelope(Function):
    """The envelope |x + i H x| of a signal, H by a fixed antisymmetric matrix of odd length."""

    @staticmethod
    def hilbert(n):
        k = np.arange(n)[:, None] - np.arange(n)
        return (
            np.where(k % 2, 2.0 / n / np.where(k, np.sin(np.pi * k / n), 1), 0)
            if n % 2 == 0
            else np.where(
                k, (1 - np.cos(np.pi * k)) / (n * np.tan(np.pi * np.where(k, k, 0.5) / n)), 0
            )
        )

    @staticmethod
    def forward(ctx, x):
        h = Envelope.hilbert(len(x)) @ x
        y = np.sqrt(x * x + h * h + 1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        m = Envelope.hilbert(len(x))
        g = grad / y
        return g * x + m.T @ (g * (m @ x))

    examples = [((4,),), ((3,),)]


class EnvelopeSign(Envelope):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        m = Envelope.hilbert(len(x))
        g = grad / y
        return g * x + m @ (g * (m @ x))


add(
    "envelope: hilbert is antisymmetric",
    "algebra",
    EnvelopeSign,
    Envelope,
    "the transform again for its adjoint, which has the other sign",
)


class Unwrap(Function):
    """Phases without jumps: whole turns are added."""

    @staticmethod
    def forward(ctx, x):
        d = np.diff(x)
        turns = np.floor(d / (2 * np.pi) + 0.5)
        return x - 2 * np.pi * np.concatenate([np.zeros(1), np.cumsum(turns)])

    @staticmethod
    def backward(ctx, grad):
        return grad

    examples = [((4,),)]


right(
    "unwrap",
    "cells",
    Unwrap,
    "the turns are constants, and the result is continuous nowhere they change",
)


class CumulativeTrapezoid(Function):
    """Cumulative integral of unevenly spaced samples, with the positions' gradient."""

    @staticmethod
    def forward(ctx, y, x):
        ctx.save_for_backward(y, x)
        return np.cumsum(0.5 * (y[1:] + y[:-1]) * (x[1:] - x[:-1]))

    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        tail = np.cumsum(grad[::-1])[::-1]
        gy, gx = np.zeros(y.shape), np.zeros(x.shape)
        gy[1:] += 0.5 * tail * np.diff(x)
        gy[:-1] += 0.5 * tail * np.diff(x)
        gx[1:] += 0.5 * tail * (y[1:] + y[:-1])
        gx[:-1] -= 0.5 * tail * (y[1:] + y[:-1])
        return gy, gx

    examples = [((4,), (4,)), ((2,), (2,))]


class CumulativeTrapezoidTotal(CumulativeTrapezoid):
    @staticmethod
    def backward(ctx, grad):
        gy, gx = CumulativeTrapezoid.backward(ctx, grad)
        y = ctx.saved_tensors[0]
        tail = np.cumsum(grad[::-1])[::-1]
        gx[-1] = 0.5 * tail[-1] * y[-1]
        return gy, gx


add(
    "cumulative trapezoid: last position",
    "algebra",
    CumulativeTrapezoidTotal,
    CumulativeTrapezoid,
    "the last position moves half of the last value only",
)
