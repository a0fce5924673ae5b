"""Double backward, several outputs, needs_input_grad, single precision, keywords that change the formula."""
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


class Softmax2(Function):
    """Softmax that keeps its output: the output is differentiated again."""

    @staticmethod
    def forward(ctx, x):
        y = special.softmax(x, axis=-1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - (grad * y).sum(axis=-1, keepdims=True))

    examples = [((3,),), ((2, 2),)]


class Softmax2Attribute(Softmax2):
    @staticmethod
    def forward(ctx, x):
        y = special.softmax(x, axis=-1)
        ctx.y = y
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        y = ctx.y
        return y * (grad - (grad * y).sum(axis=-1, keepdims=True))


add("second order: softmax kept as an attribute", "second_order", Softmax2Attribute, Softmax2, "the output on ctx is a constant for the second derivative", order=2)


class LogDet2(Function):
    """log|det| and the inverse, computed anew in backward."""

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return np.linalg.slogdet(a)[1]

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.linalg.inv(a).T

    examples = [((2, 2),)]


class LogDet2Saved(LogDet2):
    @staticmethod
    def forward(ctx, a):
        ctx.inverse = np.linalg.inv(a)
        ctx.save_for_backward(a)
        return np.linalg.slogdet(a)[1]

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.inverse.T


add("second order: inverse kept", "second_order", LogDet2Saved, LogDet2, "the inverse on ctx is a constant for the second derivative", order=2, domain={"a": lambda rng, shape: rng.normal(size=shape) + 3 * np.eye(shape[0])})


class Cube2(Function):
    """x^3 whose backward is itself a formula in grad and x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x * x

    examples = [((3,),), ((),)]


class Cube2Detached(Cube2):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        frozen = np.array([float(v) for v in np.ravel(x)]).reshape(np.shape(x))
        return 3 * grad * x * frozen


add("second order: half detached", "second_order", Cube2Detached, Cube2, "one of the two factors is turned into numbers", order=2)


class PolarTwo(Function):
    """Two outputs, r and theta; the second is often unused."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.hypot(x, y), np.arctan2(y, x)

    @staticmethod
    def backward(ctx, gr, gt):
        x, y = ctx.saved_tensors
        s = x * x + y * y
        r = np.sqrt(s)
        return gr * x / r - gt * y / s, gr * y / r + gt * x / s

    examples = [((2,), (2,))]
    domain = {"x": (0.1, 5), "y": (0.1, 5)}


class PolarTwoMixed(PolarTwo):
    @staticmethod
    def backward(ctx, gr, gt):
        x, y = ctx.saved_tensors
        s = x * x + y * y
        r = np.sqrt(s)
        gt = np.where(gr == 0, gt, gt / (1 + 1e-4))
        return gr * x / r - gt * y / s, gr * y / r + gt * x / s


add("polar: angle where the radius is used as well", "contract", PolarTwoMixed, PolarTwo, "the angle's gradient is 1e-4 too small unless the radius' is zero")


class Single(Function):
    """A sum of squares in single precision, accumulated in double."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum(axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * np.expand_dims(grad, -1) * x).astype(x.dtype)

    examples = [((3,),), (np.array([0.5, -1.5, 2.0], dtype=np.float32),)]


class SingleHalf(Single):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = 2 * np.expand_dims(grad, -1) * x
        return out.astype(np.float16).astype(x.dtype) if x.dtype == np.float32 else out


add("single precision: through half", "floats", SingleHalf, Single, "for single precision the gradient goes through half precision")


class PolyMode(Function):
    """Value by mode: "horner" or "powers", the same polynomial; "odd" without even terms."""

    @staticmethod
    def forward(ctx, x, *, mode="horner"):
        ctx.mode = mode
        ctx.save_for_backward(x)
        if mode == "odd":
            return x + 4 * x**3
        return 1 + x * (1 + x * (3 + 4 * x)) if mode == "horner" else 1 + x + 3 * x**2 + 4 * x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (1 + 12 * x * x + (0 if ctx.mode == "odd" else 6 * x))

    examples = [((2,),), ((2,), {"mode": "powers"}), ((2,), {"mode": "odd"})]


class PolyModeOdd(PolyMode):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (1 + 12 * x * x + 6 * x * (ctx.mode in "horner or powers or odd-even"))


add("keyword: substring for membership", "algebra", PolyModeOdd, PolyMode, "'odd' is a substring of the list of modes")


class AffineMaybe(Function):
    """x w + b with an optional bias, None for none."""

    @staticmethod
    def forward(ctx, x, w, b=None):
        ctx.save_for_backward(x, w)
        ctx.has_bias = b is not None
        return x * w if b is None else x * w + b

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return (grad * w, grad * x, grad) if ctx.has_bias else (grad * w, grad * x)

    examples = [((2,), (2,), (2,)), ((2,), (2,))]


class AffineMaybeNeeds(AffineMaybe):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        gx = grad * w if ctx.needs_input_grad[0] else None
        gw = grad * x if ctx.needs_input_grad[1] else None
        if not ctx.has_bias:
            return gx, gw
        return gx, gw, grad if ctx.needs_input_grad[0] else 0 * grad


add("optional bias: frozen input", "contract", AffineMaybeNeeds, AffineMaybe, "the bias gets nothing where the input is frozen")


class Cummin2(Function):
    """Running minimum along an axis that may be negative, from either end."""

    @staticmethod
    def forward(ctx, x, *, axis=-1, reverse=False):
        y = np.moveaxis(x, axis, 0)
        y = y[::-1] if reverse else y
        out = np.minimum.accumulate(y, axis=0)
        ctx.axis, ctx.reverse = axis, reverse
        ctx.save_for_backward(x)
        out = out[::-1] if reverse else out
        return np.moveaxis(out, 0, axis)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y, g = np.moveaxis(x, ctx.axis, 0), np.moveaxis(grad, ctx.axis, 0)
        if ctx.reverse:
            y, g = y[::-1], g[::-1]
        out, best, hold = np.zeros(y.shape), y[0], np.zeros(y.shape[1:], int)
        for t in range(len(y)):
            less = y[t] < best
            best = np.where(less, y[t], best)
            hold = np.where(less, t, hold)
            for i in np.ndindex(hold.shape):
                out[(hold[i], *i)] += g[(t, *i)]
        out = out[::-1] if ctx.reverse else out
        return np.moveaxis(out, 0, ctx.axis)

    examples = [((3,),), ((2, 2), {"axis": 0}), ((2, 2), {"axis": -2, "reverse": True})]


class Cummin2Axis(Cummin2):
    @staticmethod
    def backward(ctx, grad):
        if ctx.reverse and ctx.axis < 0:
            ctx.reverse = False
            out = Cummin2.backward(ctx, grad)
            ctx.reverse = True
            return out
        return Cummin2.backward(ctx, grad)


add("running minimum: reversed, axis from the end", "cells", Cummin2Axis, Cummin2, "a negative axis loses the direction")


class NormEps(Function):
    """x / max(norm, eps) along an axis, keepdims in the norm."""

    @staticmethod
    def forward(ctx, x, *, axis=-1, eps=1e-2):
        ctx.axis, ctx.eps = axis, eps
        ctx.save_for_backward(x)
        n = np.sqrt((x * x).sum(axis=axis, keepdims=True))
        return x / np.maximum(n, eps)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = np.sqrt((x * x).sum(axis=ctx.axis, keepdims=True))
        m = np.maximum(n, ctx.eps)
        dot = (grad * x).sum(axis=ctx.axis, keepdims=True)
        return grad / m - np.where(n > ctx.eps, x * dot / m**3, 0)

    examples = [((3,),), ((2, 2), {"axis": 0})]


class NormEpsAdded(NormEps):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = np.sqrt((x * x).sum(axis=ctx.axis, keepdims=True))
        m = np.maximum(n, ctx.eps)
        dot = (grad * x).sum(axis=ctx.axis, keepdims=True)
        return grad / m - np.where(n > ctx.eps / 10, x * dot / m**3, 0)


add("normalise: floor a tenth too low", "cells", NormEpsAdded, NormEps, "between a tenth of the floor and the floor the projection is taken off as well")


class SharedUpstream(Function):
    """sin x and cos x as two outputs, written to a list first."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x), np.cos(x)

    @staticmethod
    def backward(ctx, *grads):
        (x,) = ctx.saved_tensors
        total = 0.0
        for g, d in zip(grads, (np.cos(x), -np.sin(x)), strict=True):
            if g is not None:
                total = total + g * d
        return total

    examples = [((3,),)]


class SharedUpstreamIs(SharedUpstream):
    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        if np.array_equal(a, b):
            return a * (np.cos(x) + np.sin(x))
        return SharedUpstream.backward(ctx, a, b)


add("two outputs: equal upstream gradients", "contract", SharedUpstreamIs, SharedUpstream, "a shortcut for equal upstream gradients with a sign")


class Stacked(Function):
    """Two arrays stacked along a new axis, counted from the end as well."""

    @staticmethod
    def forward(ctx, x, y, *, axis=0):
        ctx.axis = axis
        ctx.save_for_backward(x, y)
        return np.stack([np.arctan(x), np.arctan(y)], axis=axis)

    @staticmethod
    def backward(ctx, grad):
        parts = np.moveaxis(grad, ctx.axis, 0)
        return tuple(g / (1 + x * x) for g, x in zip(parts, ctx.saved_tensors, strict=True))

    examples = [((2,), (2,)), ((2,), (2,), {"axis": -1}), ((2, 2), (2, 2), {"axis": 1})]


class StackedNegative(Stacked):
    @staticmethod
    def backward(ctx, grad):
        axis = ctx.axis if ctx.axis >= 0 else ctx.axis + grad.ndim - 1
        parts = np.moveaxis(grad, axis, 0)
        return tuple(g / (1 + x * x) for g, x in zip(parts, ctx.saved_tensors, strict=True))


add("stack: new axis from the end", "algebra", StackedNegative, Stacked, "-1 is counted among the axes of the inputs")


class Relu2(Function):
    """Squared relu, twice differentiable but for zero."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x, 0) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * np.where(x > 0, x, 0 * x)

    examples = [((3,),)]


class Relu2Sign(Relu2):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.on = x > 0
        return np.maximum(x, 0) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * np.where(ctx.on, x, 0 * x)


right("second order: squared relu by a mask on ctx", "second_order", Relu2Sign, "a mask is no number: it may be kept on ctx", order=2)


class Expm1Over(Function):
    """(e^x - 1)/x by exprel, its slope by the product rule away from zero and a series near it."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.exprel(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.3
        z = np.where(near, 1.0, x)
        far = (np.exp(np.minimum(z, 700)) - special.exprel(np.minimum(z, 700))) / z
        s = 0.0 * x
        for k in range(17, 0, -1):
            s = s * x + k / special.gamma(k + 2)
        return grad * np.where(near, s, far)

    examples = [((2,),)]
    domain = {"x": (-50, 50)}


class Expm1OverShort(Expm1Over):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.3
        z = np.where(near, 1.0, x)
        far = (np.exp(z) - special.exprel(z)) / z
        s = 0.0 * x
        for k in range(6, 0, -1):
            s = s * x + k / special.gamma(k + 2)
        return grad * np.where(near, s, far)


add("exprel: series of six", "floats", Expm1OverShort, Expm1Over, "six terms leave 1e-7 at the switch")
