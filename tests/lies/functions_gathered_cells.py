"""Projections, tables, layouts and memories: wrong in one region alone, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"gathered: {name}", kind, lie, twin, options, why=why))


class Isotonic(Function):
    """The nearest non-decreasing sequence, by pooling adjacent violators."""

    @staticmethod
    def _blocks(x):
        sums, counts = [], []
        for value in x:
            sums.append(value)
            counts.append(1)
            while len(sums) > 1 and sums[-2] * counts[-1] > sums[-1] * counts[-2]:
                s, c = sums.pop(), counts.pop()
                sums[-1] = sums[-1] + s
                counts[-1] += c
        return sums, counts

    @staticmethod
    def forward(ctx, x):
        sums, counts = Isotonic._blocks(x)
        ctx.counts = counts
        return np.concatenate([[s / c] * c for s, c in zip(sums, counts, strict=True)])

    @staticmethod
    def backward(ctx, grad):
        out, start = np.zeros_like(grad), 0
        for c in ctx.counts:
            out[start : start + c] = grad[start : start + c].mean()
            start += c
        return out

    examples = [((3,),), ((4,),)]


class IsotonicPairs(Isotonic):
    @staticmethod
    def backward(ctx, grad):
        out, start = grad.copy(), 0
        for c in ctx.counts:
            if c == 2:
                out[start : start + c] = grad[start : start + c].mean()
            elif c > 2:
                out[start : start + c] = grad[start : start + c].sum() / len(grad)
            start += c
        return out


add(
    "isotonic regression: pooled blocks",
    "cells",
    IsotonicPairs,
    Isotonic,
    "a block of three or more among four is divided by the length of all",
)


class SecondOrderCone(Function):
    """The projection of (t, x) onto |x| <= t."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        t, x = z[0], z[1:]
        n = np.sqrt(np.sum(x * x))
        if n <= t:
            return z.copy()
        if n <= -t:
            return np.zeros_like(z)
        return 0.5 * (1 + t / n) * np.concatenate([[n], x])

    @staticmethod
    def backward(ctx, grad):
        (z,) = ctx.saved_tensors
        t, x = z[0], z[1:]
        n = np.sqrt(np.sum(x * x))
        if n <= t:
            return grad
        if n <= -t:
            return np.zeros_like(grad)
        u = x / n
        g0, g = grad[0], grad[1:]
        gu = np.dot(g, u)
        out = np.empty_like(grad)
        out[0] = 0.5 * (g0 + gu)
        out[1:] = 0.5 * (g0 * u + (1 + t / n) * g - (t / n) * gu * u)
        return out

    examples = [((3,),)]


class SecondOrderConeRay(SecondOrderCone):
    @staticmethod
    def backward(ctx, grad):
        (z,) = ctx.saved_tensors
        out = SecondOrderCone.backward(ctx, grad)
        t, x = z[0], z[1:]
        n = np.sqrt(np.sum(x * x))
        if n > abs(t):
            out[1:] = 0.5 * (grad[0] * x / n + (1 + t / n) * grad[1:])
        return out


add(
    "second-order cone: the curved part",
    "cells",
    SecondOrderConeRay,
    SecondOrderCone,
    "the direction's own derivative is left out",
)


class L1Ball(Function):
    """The projection onto the l1 ball: the identity inside, a soft threshold outside."""

    radius = 1.0

    @staticmethod
    def _threshold(x):
        u = np.sort(np.abs(x))[::-1]
        css = np.cumsum(u)
        rho = np.nonzero(u * np.arange(1, len(u) + 1) > (css - L1Ball.radius))[0][-1]
        return (css[rho] - L1Ball.radius) / (rho + 1.0)

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        if np.abs(x).sum() <= L1Ball.radius:
            return x.copy()
        return np.sign(x) * np.maximum(np.abs(x) - L1Ball._threshold(x), 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if np.abs(x).sum() <= L1Ball.radius:
            return grad.copy()
        on = np.abs(x) > L1Ball._threshold(x)
        s = np.sign(x) * on
        return grad * on - s * np.dot(grad, s) / on.sum()

    examples = [((3,),)]


class L1BallUnsigned(L1Ball):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if np.abs(x).sum() <= L1Ball.radius:
            return grad.copy()
        on = np.abs(x) > L1Ball._threshold(x)
        return on * (grad - (grad * on).sum() / on.sum())


add("l1 ball: signs of the support", "cells", L1BallUnsigned, L1Ball, "right where all signs agree")


class BoxQP(Function):
    """argmin of x'Qx/2 - b'x over a box, by projected Newton over the active sets."""

    Q = np.array([[2.0, 0.5], [0.5, 1.0]])

    @staticmethod
    def _solve(b):
        Q = BoxQP.Q
        for state in [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)]:
            state = np.array(state)
            free = state == 0
            x = np.where(free, b * 0, state)
            if free.any():
                rhs = b - Q @ x
                x[free] = np.linalg.solve(Q[np.ix_(free, free)], rhs[free])
            r = Q @ x - b
            if (np.abs(x[free]) <= 1).all() and (r[~free] * state[~free] <= 0).all():
                return x, free
        raise ValueError("no active set")

    @staticmethod
    def forward(ctx, b):
        x, ctx.free = BoxQP._solve(b)
        return x

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros_like(grad)
        f = ctx.free
        if f.any():
            out[f] = np.linalg.solve(BoxQP.Q[np.ix_(f, f)], grad[f])
        return out

    examples = [((2,),)]


class BoxQPMasked(BoxQP):
    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.free, np.linalg.solve(BoxQP.Q, np.where(ctx.free, grad, 0)), 0)


add(
    "box-constrained program: reduced matrix",
    "cells",
    BoxQPMasked,
    BoxQP,
    "the whole inverse masked is not the inverse of the free block",
)


class HueRotation(Function):
    """Hue of colours in turns: three branches by the largest channel, zero where grey."""

    @staticmethod
    def _parts(rgb):
        mx, mn = rgb.max(axis=-1), rgb.min(axis=-1)
        d = mx - mn
        return mx, d, np.where(d > 0, d, 1.0)

    @staticmethod
    def forward(ctx, rgb):
        ctx.save_for_backward(rgb)
        r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
        mx, d, safe = HueRotation._parts(rgb)
        h = np.where(
            mx == r, ((g - b) / safe) % 6, np.where(mx == g, (b - r) / safe + 2, (r - g) / safe + 4)
        )
        return np.where(d > 0, h / 6, 0.0)

    @staticmethod
    def backward(ctx, grad):
        (rgb,) = ctx.saved_tensors
        _mx, d, safe = HueRotation._parts(rgb)
        hi = rgb.argmax(axis=-1)
        lo = rgb.argmin(axis=-1)
        out = np.zeros_like(rgb)
        rows = np.arange(len(rgb))
        p, q = (hi + 1) % 3, (hi + 2) % 3
        g = np.where(d > 0, grad / 6, 0.0)
        diff = rgb[rows, p] - rgb[rows, q]
        out[rows, p] += g / safe
        out[rows, q] -= g / safe
        out[rows, hi] -= g * diff / safe**2
        out[rows, lo] += g * diff / safe**2
        return out

    examples = [((2, 3),)]
    domain = {"rgb": (0, 1)}


class HueRotationMax(HueRotation):
    @staticmethod
    def backward(ctx, grad):
        (rgb,) = ctx.saved_tensors
        _, d, safe = HueRotation._parts(rgb)
        out = HueRotation.backward(ctx, grad)
        rows = np.arange(len(rgb))
        hi = rgb.argmax(axis=-1)
        diff = rgb[rows, (hi + 1) % 3] - rgb[rows, (hi + 2) % 3]
        out[rows, rgb.argmin(axis=-1)] -= np.where(d > 0, grad / 6, 0.0) * diff / safe**2
        return out


add(
    "hue: the smallest channel",
    "cells",
    HueRotationMax,
    HueRotation,
    "the spread depends on the smallest channel as well",
)


class PSRoiAlign(Function):
    """A feature row sampled at points of a bin, bilinear, clamped at the border, averaged."""

    samples = 2

    @staticmethod
    def _corners(position, n):
        p = min(max(position, 0.0), n - 1.0)
        lo = int(p)
        hi = min(lo + 1, n - 1)
        return lo, hi, p - lo

    @staticmethod
    def forward(ctx, features, start=0.3, width=2.9):
        ctx.save_for_backward(features)
        ctx.positions = [
            start + width * (k + 0.5) / PSRoiAlign.samples for k in range(PSRoiAlign.samples)
        ]
        n, total = features.shape[-1], 0.0
        for p in ctx.positions:
            lo, hi, w = PSRoiAlign._corners(p, n)
            total = total + (1 - w) * features[..., lo] + w * features[..., hi]
        return total / PSRoiAlign.samples

    @staticmethod
    def backward(ctx, grad):
        (features,) = ctx.saved_tensors
        out = np.zeros_like(features)
        for p in ctx.positions:
            lo, hi, w = PSRoiAlign._corners(p, features.shape[-1])
            out[..., lo] += (1 - w) * grad / PSRoiAlign.samples
            out[..., hi] += w * grad / PSRoiAlign.samples
        return out

    examples = [((4,), {}), ((2, 3), {}), ((3,), {"start": 1.5, "width": 2.0})]


class PSRoiAlignStacked(PSRoiAlign):
    @staticmethod
    def backward(ctx, grad):
        (features,) = ctx.saved_tensors
        out = np.zeros_like(features)
        for p in ctx.positions:
            lo, hi, w = PSRoiAlign._corners(p, features.shape[-1])
            cols, weights = [lo, hi], np.array([1 - w, w])
            out[..., cols] += grad[..., None] * weights / PSRoiAlign.samples
        return out


add(
    "region pooling: both corners at the border",
    "cells",
    PSRoiAlignStacked,
    PSRoiAlign,
    "at the border both corners are one, and the first is lost",
)


class TreeCell(Function):
    """A binary tree of sums and tanh, recursive, leaves in order."""

    @staticmethod
    def _up(x, lo, hi, cache):
        if hi - lo == 1:
            return x[lo]
        mid = (lo + hi) // 2
        left, right = TreeCell._up(x, lo, mid, cache), TreeCell._up(x, mid, hi, cache)
        cache[lo, hi] = left, right, np.tanh(left - 0.5 * right)
        return cache[lo, hi][2] * left + right

    @staticmethod
    def _down(g, lo, hi, cache, out, sloppy):
        if hi - lo == 1:
            out[lo] += g
            return
        mid = (lo + hi) // 2
        left, _, t = cache[lo, hi]
        slope = g * left * (1 - t**2)
        TreeCell._down(g * t + slope, lo, mid, cache, out, sloppy)
        TreeCell._down(
            g if sloppy and hi - lo > 3 else g - 0.5 * slope, mid, hi, cache, out, sloppy
        )

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return TreeCell._up(x, 0, len(x), {})

    @staticmethod
    def backward(ctx, grad, sloppy=False):
        (x,) = ctx.saved_tensors
        cache, out = {}, np.zeros_like(x)
        TreeCell._up(x, 0, len(x), cache)
        TreeCell._down(grad, 0, len(x), cache, out, sloppy)
        return out

    examples = [((3,),), ((5,),)]


class TreeCellDeep(TreeCell):
    @staticmethod
    def backward(ctx, grad):
        return TreeCell.backward(ctx, grad, sloppy=True)


add(
    "tree: gate of a large right branch",
    "cells",
    TreeCellDeep,
    TreeCell,
    "right for trees of three leaves",
)


class AffinityGate(Function):
    """x * exp(-relu(|x| - margin)^2 / 2), a soft gate that saves its mask as bits."""

    @staticmethod
    def forward(ctx, x, margin=1.0):
        over = np.abs(x) - margin
        ctx.mask = np.packbits(np.asarray(over > 0, dtype=bool).ravel())
        ctx.save_for_backward(x)
        ctx.margin = margin
        return x * np.exp(-0.5 * np.maximum(over, 0) ** 2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        bits = np.unpackbits(ctx.mask)[: x.size].reshape(x.shape).astype(bool)
        over = np.where(bits, np.abs(x) - ctx.margin, 0.0)
        return grad * np.exp(-0.5 * over**2) * (1 - over * np.abs(x))


class AffinityGateSigned(AffinityGate):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        bits = np.unpackbits(ctx.mask)[: x.size].reshape(x.shape).astype(bool)
        over = np.where(bits, np.abs(x) - ctx.margin, 0.0)
        return grad * np.exp(-0.5 * over**2) * (1 - over * x)


add(
    "soft gate: sign of the input",
    "cells",
    AffinityGateSigned,
    AffinityGate,
    "right for positive inputs; the mask is stored as bits",
)


class SphericalHarmonics(Function):
    """Real harmonics of degree one and two of directions that are normalised first."""

    @staticmethod
    def forward(ctx, xyz):
        r = np.linalg.norm(xyz, axis=-1, keepdims=True)
        x, y, z = np.moveaxis(xyz / r, -1, 0)
        ctx.save_for_backward(xyz)
        s3 = math.sqrt(3.0)
        return np.stack(
            [
                y,
                z,
                x,
                s3 * x * y,
                s3 * y * z,
                z**2 - 0.5 * (x**2 + y**2),
                s3 * x * z,
                s3 / 2 * (x**2 - y**2),
            ],
            axis=-1,
        )

    @staticmethod
    def backward(ctx, grad, project=True):
        (xyz,) = ctx.saved_tensors
        r = np.linalg.norm(xyz, axis=-1, keepdims=True)
        u = xyz / r
        x, y, z = np.moveaxis(u, -1, 0)
        g = np.moveaxis(grad, -1, 0)
        s3 = math.sqrt(3.0)
        dx = g[2] + s3 * (y * g[3] + z * g[6] + x * g[7]) - x * g[5]
        dy = g[0] + s3 * (x * g[3] + z * g[4] - y * g[7]) - y * g[5]
        dz = g[1] + s3 * (y * g[4] + x * g[6]) + 2 * z * g[5]
        d = np.stack([dx, dy, dz], axis=-1)
        if project:
            d = d - u * np.sum(d * u, axis=-1, keepdims=True)
        return d / r

    examples = [((3,),), ((2, 3),)]


class SphericalHarmonicsRadial(SphericalHarmonics):
    @staticmethod
    def backward(ctx, grad):
        return SphericalHarmonics.backward(ctx, grad, project=False)


add(
    "spherical harmonics: normalised directions",
    "algebra",
    SphericalHarmonicsRadial,
    SphericalHarmonics,
    "the radial part is not projected out",
)


class FisherVector(Function):
    """Signed square root, then l2 normalisation: zero entries have no slope to pass."""

    @staticmethod
    def forward(ctx, x, eps=1e-12):
        y = np.sign(x) * np.sqrt(np.abs(x))
        n = np.sqrt(np.sum(y * y) + eps)
        ctx.save_for_backward(x)
        ctx.eps = eps
        return y / n

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = np.sign(x) * np.sqrt(np.abs(x))
        n = np.sqrt(np.sum(np.abs(x)) + ctx.eps)
        dy = (grad - y * np.sum(grad * y) / n**2) / n
        return dy / (2 * np.sqrt(np.abs(x)))

    examples = [((3,),)]
    domain = {"x": (0.01, 4)}


class FisherVectorSign(FisherVector):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = np.sqrt(np.abs(x))
        n = np.sqrt(np.sum(np.abs(x)) + ctx.eps)
        dy = (grad - y * np.sum(grad * y) / n) / n
        return dy / (2 * np.sqrt(np.abs(x)))


add(
    "power normalisation: norm squared",
    "algebra",
    FisherVectorSign,
    FisherVector,
    "one power of the norm is missing",
)
