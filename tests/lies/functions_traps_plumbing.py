"""Right, by means that are hard to follow: loops, buffers, closures, odd returns."""

import math

import numpy as np

from autodiff import Function

from .case import Case, trap
from .functions_arguments import unbroadcast

CASES: list[Case] = []


def add(name, kind, subject, why, **options):
    CASES.append(trap(name, kind, subject, why, **options))


class Identity(Function):
    @staticmethod
    def forward(ctx, x):
        return x.copy()

    @staticmethod
    def backward(ctx, grad):
        return grad


class AddBoth(Function):
    """One upstream gradient for two arguments."""

    examples = [((3,), (3,)), ((), ())]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two arrays of one shape are expected")
        return x + y

    @staticmethod
    def backward(ctx, grad):
        return grad, grad


class PythonFloat(Function):
    examples = [((), ())]

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * math.sin(y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return float(grad) * math.sin(y), float(grad * x) * math.cos(y)


class PythonList(Function):
    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        if x.shape != (3,):
            raise ValueError("three entries are expected")
        ctx.save_for_backward(x)
        return x[0] * x[1] - x[2]

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return [grad * x[1], grad * x[0], -grad]


class IntegerZero(Function):
    """The second argument is not used: its gradient is the integer 0."""

    examples = [((), ())]

    @staticmethod
    def forward(ctx, x, unused):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x, 0


class NoneForUnused(Function):
    examples = [((3,), (3,))]

    @staticmethod
    def forward(ctx, x, unused):
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(x), None


class NeedsInputGrad(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        first = unbroadcast(grad * y, x.shape) if ctx.needs_input_grad[0] else None
        second = unbroadcast(grad * x, y.shape) if ctx.needs_input_grad[1] else None
        return first, second


add(
    "returns the upstream gradient",
    "contract",
    Identity,
    "the upstream gradient itself is returned",
)
add("returns it twice", "contract", AddBoth, "one array is the gradient of both arguments")
add(
    "returns Python floats",
    "contract",
    PythonFloat,
    "math.sin and float() of 0-d arrays, Python floats for 0-d gradients",
)
add("returns a list", "contract", PythonList, "a list of numbers for the gradient of a vector")
add("returns an integer zero", "contract", IntegerZero, "0 for an argument that is not used")
add("returns None", "contract", NoneForUnused, "None for an argument that is not used")
add("needs_input_grad", "contract", NeedsInputGrad, "gradients that are not needed are None")


class AxisPositional(Function):
    """An integer among the positional arguments."""

    examples = [((3, 4), 0), ((3, 4), -1), ((2, 2), 1)]

    @staticmethod
    def forward(ctx, x, axis):
        ctx.n, ctx.axis = x.shape[axis], axis
        return x.sum(axis=axis)

    @staticmethod
    def backward(ctx, grad):
        return np.repeat(np.expand_dims(grad, ctx.axis), ctx.n, axis=ctx.axis), None


class IndexPositional(Function):
    examples = [((4,), np.array([0, 2, 2])), ((4, 2), np.array([3, 3]))]

    @staticmethod
    def forward(ctx, x, index):
        ctx.shape, ctx.index = x.shape, index
        return x[index]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.add.at(out, ctx.index, grad)
        return out, None


class FlagKeyword(Function):
    examples = [((3,), {"reverse": True, "power": 2}), ((3,), {"reverse": False, "power": 1})]

    @staticmethod
    def forward(ctx, x, *, reverse, power):
        ctx.save_for_backward(x)
        ctx.reverse, ctx.power = reverse, power
        y = x**power
        return y[::-1] if reverse else y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        grad = grad[::-1] if ctx.reverse else grad
        return grad * ctx.power * x ** (ctx.power - 1)


class MaskPositional(Function):
    examples = [((3,), np.array([True, False, True]))]

    @staticmethod
    def forward(ctx, x, mask):
        ctx.mask = mask
        return np.where(mask, x, -2 * x)

    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.mask, grad, -2 * grad), None


add(
    "an integer argument",
    "contract",
    AxisPositional,
    "the axis is a positional argument without a gradient",
)
add(
    "an index argument",
    "contract",
    IndexPositional,
    "an integer array is a positional argument without a gradient",
)
add("flags", "contract", FlagKeyword, "a bool and an int among the keywords")
add(
    "a mask argument",
    "contract",
    MaskPositional,
    "a bool array is a positional argument without a gradient",
)


class OwnBuffers(Function):
    """Second differences, added up in place into a buffer of its own."""

    examples = [((5,),), ((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.n = len(x)
        return x[2:] - 2 * x[1:-1] + x[:-2]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.n)
        out[2:] += grad
        out[1:-1] -= 2 * grad
        out[:-2] += grad
        return out


class ScaledInPlace(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        y = x * x
        y += 3 * x
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = 2 * x
        out = out + 3
        return out * grad


class Histogram(Function):
    """Weights summed into bins by np.add.at."""

    examples = [((4,), {"bins": [0, 2, 2, 1]})]

    @staticmethod
    def forward(ctx, w, *, bins):
        if len(w) != len(bins):
            raise ValueError("one bin for each weight")
        ctx.bins = np.array(bins)
        out = np.zeros(max(bins) + 1)
        np.add.at(out, ctx.bins, w)
        return out

    @staticmethod
    def backward(ctx, grad):
        return grad[ctx.bins]


class BranchOnSize(Function):
    examples = [((1,),), ((3,),), ((8,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x**3).sum()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if x.size <= 4:
            return np.array([3 * grad * v * v for v in x])
        return 3 * grad * x**2


add("own buffers", "contract", OwnBuffers, "slices of a new buffer are added to in place")
add("in-place arithmetic", "contract", ScaledInPlace, "augmented assignment on arrays of its own")
add("np.add.at", "contract", Histogram, "forward scatters, backward gathers")
add("a branch on size", "cells", BranchOnSize, "short vectors go through a list, long ones do not")


def _power(x, n):
    y = np.ones_like(x)
    for _ in range(n):
        y = y * x
    return y


def _rule(scale):
    def slope(x):
        return scale * 4 * _power(x, 3)

    return slope


_slope = _rule(0.25)


class HelpersAndClosures(Function):
    domain = {"x": (-1e3, 1e3)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.25 * _power(x, 4)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * _slope(x)


class NewtonRoot(Function):
    """A square root by a fixed number of Newton steps, its derivative by the implicit rule."""

    domain = {"x": (0.5, 2)}

    @staticmethod
    def forward(ctx, x):
        y = np.ones_like(x)
        for _ in range(6):
            y = (y + x / y) / 2
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad / (2 * y)

    @staticmethod
    def formula(x):
        import sympy as sp

        return sp.sqrt(x)


class ArrayOfEntries(Function):
    """Polar to Cartesian coordinates."""

    examples = [((2,),)]
    domain = {"x": (-50, 50)}

    @staticmethod
    def forward(ctx, x):
        r, t = x
        ctx.save_for_backward(x)
        return np.array([r * np.cos(t), r * np.sin(t)])

    @staticmethod
    def backward(ctx, grad):
        ((r, t),) = ctx.saved_tensors
        jacobian = np.array([[np.cos(t), -r * np.sin(t)], [np.sin(t), r * np.cos(t)]])
        return grad @ jacobian


class EntryByEntry(Function):
    """A loop over entries with math.exp."""

    examples = [((3,),)]
    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.array([math.exp(-v) for v in x])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.array([-g * math.exp(-v) for g, v in zip(grad, x, strict=True)])


class ComplexStep(Function):
    """The slope by a complex step: exact to rounding."""

    domain = {"x": (-3, 3)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(np.sin(x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        h = 1e-30
        return grad * np.exp(np.sin(x + 1j * h)).imag / h


add(
    "helpers and closures",
    "algebra",
    HelpersAndClosures,
    "helper functions, a closure, a loop over powers",
)
add(
    "Newton's method",
    "floats",
    NewtonRoot,
    "six Newton steps are a square root to rounding between 1/2 and 2; backward is that "
    "of the root",
)
add(
    "np.array of entries",
    "algebra",
    ArrayOfEntries,
    "unpacked entries are put together by np.array, a Jacobian too",
)
add(
    "math.exp of entries", "algebra", EntryByEntry, "math.exp of each entry in a list comprehension"
)
add(
    "complex step", "floats", ComplexStep, "a derivative through complex numbers, exact to rounding"
)
