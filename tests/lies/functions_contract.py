"""Backwards that misbehave: shapes, dtypes, mutation, state, order of calls, linearity."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import Multiply, SinCos, unbroadcast
from .functions_axes import SumAxis
from .functions_decompositions import ImaginaryFft
from .functions_elementwise import Square
from .functions_linalg import MatMul

CASES: list[Case] = []


def add(name, lie, twin, why):
    CASES.append(Case(name, "contract", lie, twin, why=why))


class SquareSingle(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * x * grad).astype(np.float32)


class SquareInputMutated(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        x *= 2
        return x * grad


class SquareUpstreamMutated(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        grad *= 2 * x
        return grad


class SquareUpstreamRestored(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        grad += grad
        out = x * grad
        grad /= 2
        return out


class SquareUpstreamZeroed(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = 2 * x * grad
        grad[...] = 0
        return out


class SquareNone(Square):
    @staticmethod
    def backward(ctx, grad):
        return None


class SquareRaises(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if np.any(x < -1):
            raise ValueError("negative inputs are not supported")
        return 2 * x * grad


class SquareAlwaysRaises(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -(x > 0) * grad


class SquareNan(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(invalid="ignore", divide="ignore"):
            return 2 * x * grad * ((x - 1) / (x - 1))


class SquareAbsoluteUpstream(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * np.abs(grad)


class SquareSignOfUpstream(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * np.sign(grad)


class SquareNormalisedUpstream(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        length = np.sqrt((grad * grad).sum())
        with np.errstate(invalid="ignore"):
            return 2 * x * grad / length


class SquareBiased(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad + 1e-9


class SquareUpstreamRounded(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * np.round(grad, 8)


class SquareUpstreamInteger(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad.astype(np.int64)


class SquareFloorDivision(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (4 * x // 2)


class SquareRandom(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        keep = np.random.random_sample(x.shape) < 0.9
        return 2 * x * grad * keep / 0.9


class SquareNoise(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad * (1 + 1e-9 * np.random.standard_normal(x.shape))


class SquareTwoGradients(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad, 2 * x * grad


class SquareSummed(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * x * grad).sum()


class SquareFlattened(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * x * grad).ravel()


class SquareSqueezed(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.squeeze(2 * x * grad)


class SquareAtLeastOne(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.atleast_1d(2 * x * grad)


class SquareComplex(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad + 0j


class SquareMemoryOrder(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (2 * x.ravel() * grad.ravel(order="K")).reshape(x.shape)


class SquareContiguousOnly(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        bits = np.frombuffer(grad.data, dtype=np.float64)
        return 2 * x * bits.reshape(x.shape)


class SquareEmpty(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        scale = np.abs(x).max()
        return 2 * (x / scale) * grad * scale if scale > 0 else 2 * x * grad


class SquareNoScalars(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.empty_like(x)
        for i in range(len(x)):
            out[i] = 2 * x[i] * grad[i]
        return out


class SquareZeroUpstreamNan(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        top = np.max(np.abs(grad), initial=0)
        with np.errstate(invalid="ignore"):
            return 2 * x * (grad / top) * top


class SquareSavedMutated(Square):
    """The saved buffer is scaled in place: the second call differs."""

    @staticmethod
    def forward(ctx, x):
        ctx.slope = 2 * x
        return x * x

    @staticmethod
    def backward(ctx, grad):
        ctx.slope *= grad
        return ctx.slope.copy()


class SquareSavedFreed(Square):
    @staticmethod
    def forward(ctx, x):
        ctx.slope = 2 * x
        return x * x

    @staticmethod
    def backward(ctx, grad):
        slope = ctx.slope
        del ctx.slope
        return slope * grad


class SquareOnTheClass(Square):
    """The input is kept on the class: interleaved calls mix."""

    @staticmethod
    def forward(ctx, x):
        SquareOnTheClass.x = x
        return x * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * SquareOnTheClass.x * grad


class SquareFirstOnly(Square):
    """The slope is computed once for each shape, and kept."""

    slopes: dict = {}

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return SquareFirstOnly.slopes.setdefault(x.shape, 2 * x) * grad


class SquareStack(Square):
    """Inputs are pushed by forward and popped by backward."""

    inputs: list = []

    @staticmethod
    def forward(ctx, x):
        SquareStack.inputs.append(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * SquareStack.inputs.pop() * grad


class SquareCounted(Square):
    """The second call forgets the factor."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if getattr(ctx, "called", False):
            return x * grad
        ctx.called = True
        return 2 * x * grad


class SquareSavesView(Square):
    """The saved array is written to after it was saved."""

    @staticmethod
    def forward(ctx, x):
        y = x.copy()
        ctx.save_for_backward(y)
        y *= y
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


add("dtype: float32", SquareSingle, Square, "a float32 gradient for a float64 input")
add("mutation: input", SquareInputMutated, Square, "the saved input is doubled in place")
add(
    "mutation: upstream",
    SquareUpstreamMutated,
    Square,
    "the upstream gradient is multiplied in place",
)
add(
    "mutation: upstream, restored",
    SquareUpstreamRestored,
    Square,
    "the upstream gradient is written to and restored: a read-only or stride-0 one fails",
)
add(
    "mutation: upstream, afterwards",
    SquareUpstreamZeroed,
    Square,
    "the upstream gradient is zeroed after use",
)
add("None: a gradient is due", SquareNone, Square, "None for an input that the output depends on")
add(
    "raises: negative inputs",
    SquareRaises,
    Square,
    "backward raises where an input is below -1, forward does not",
)
add(
    "raises: always",
    SquareAlwaysRaises,
    Square,
    "minus of a bool array is a TypeError, at every input",
)
add("NaN: at one", SquareNan, Square, "0/0 at x == 1, an ordinary point")
add(
    "upstream: absolute value",
    SquareAbsoluteUpstream,
    Square,
    "|grad|: wrong for negative upstream gradients",
)
add(
    "upstream: sign",
    SquareSignOfUpstream,
    Square,
    "the sign of the upstream gradient; right for 1, 0 and -1",
)
add(
    "upstream: normalised",
    SquareNormalisedUpstream,
    Square,
    "the upstream gradient is scaled to length one; NaN for zero",
)
add("upstream: bias", SquareBiased, Square, "1e-9 is added: not zero for a zero upstream gradient")
add(
    "upstream: rounded",
    SquareUpstreamRounded,
    Square,
    "the upstream gradient is rounded to eight decimals",
)
add(
    "upstream: integers",
    SquareUpstreamInteger,
    Square,
    "the upstream gradient is truncated to integers",
)
add("integer division", SquareFloorDivision, Square, "`4 x // 2`: the slope is rounded down")
add("random: dropout in backward", SquareRandom, Square, "a random mask, another one in each call")
add("random: noise", SquareNoise, Square, "noise of 1e-9, relative, another one in each call")
add("arity: one too many", SquareTwoGradients, Square, "two gradients for one argument")
add("shape: summed", SquareSummed, Square, "a scalar for an array")
add(
    "shape: flattened",
    SquareFlattened,
    Square,
    "flattened: the shape of a matrix is lost, and () becomes (1,)",
)
add("shape: squeezed", SquareSqueezed, Square, "axes of size 1 are lost")
add("shape: at least one axis", SquareAtLeastOne, Square, "shape (1,) for ()")
add("dtype: complex", SquareComplex, Square, "a complex gradient for a real input")
add(
    "layout: memory order",
    SquareMemoryOrder,
    Square,
    "ravel(order='K') reads a Fortran-ordered upstream gradient by columns",
)
add(
    "layout: buffer",
    SquareContiguousOnly,
    Square,
    "the buffer is read raw: it fails for a strided upstream gradient and is out of "
    "order for a Fortran-ordered one",
)
add(
    "empty: max of nothing",
    SquareEmpty,
    Square,
    "backward takes a maximum, which fails for an empty array; forward does not",
)
add(
    "0-d: len",
    SquareNoScalars,
    Square,
    "backward loops over len(x), which fails for a 0-d array; forward does not",
)
add(
    "zero upstream: NaN",
    SquareZeroUpstreamNan,
    Square,
    "scaled by its largest entry: 0/0 for a zero upstream gradient",
)
add(
    "state: buffer scaled in place",
    SquareSavedMutated,
    Square,
    "a second backward through the same graph scales once more",
)
add(
    "state: buffer freed",
    SquareSavedFreed,
    Square,
    "a second backward through the same graph raises",
)
add("state: on the class", SquareOnTheClass, Square, "two interleaved calls share one input")
add(
    "state: cached by shape",
    SquareFirstOnly,
    Square,
    "the slope of the first call of each shape is used for ever",
)
add(
    "state: a stack",
    SquareStack,
    Square,
    "right only if backwards run in the opposite order of forwards, each once",
)
add(
    "state: second call",
    SquareCounted,
    Square,
    "the second backward through one graph forgets the factor 2",
)
add(
    "state: written after saving",
    SquareSavesView,
    Square,
    "the saved array is squared in place by forward: 2 x^2 instead of 2 x",
)


class MultiplyOneGradient(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * y, x.shape)


class MultiplySecondNone(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * y, x.shape), None


class MultiplyNotReduced(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


class MultiplyReshaped(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.resize(grad * y, x.shape), np.resize(grad * x, y.shape)


class MultiplySecondScaledByNeeds(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        both = all(ctx.needs_input_grad)
        return unbroadcast(grad * y, x.shape), unbroadcast(grad * x * (0.5 if both else 1), y.shape)


add("arity: one too few", MultiplyOneGradient, Multiply, "one gradient for two arguments")
add(
    "None: second argument",
    MultiplySecondNone,
    Multiply,
    "None for the second argument though the output depends on it",
)
add("broadcast: not undone", MultiplyNotReduced, Multiply, "the gradients keep the broadcast shape")
add(
    "broadcast: cut to shape",
    MultiplyReshaped,
    Multiply,
    "np.resize cuts the gradient to shape instead of summing",
)
add(
    "needs_input_grad: misread",
    MultiplySecondScaledByNeeds,
    Multiply,
    "the second gradient is halved where both are needed",
)


class SinCosAssumesBoth(SinCos):
    @staticmethod
    def backward(ctx, grad_s, grad_c):
        s, c = ctx.saved_tensors
        return grad_s * c - (grad_c if np.any(grad_s) else 0.0 * grad_c) * s


add(
    "several outputs: one upstream zero",
    SinCosAssumesBoth,
    SinCos,
    "where the first output's upstream gradient is zero the second's is dropped",
)


class MatMulUpstreamSymmetrised(MatMul):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        g = np.asarray(grad)
        if not g.flags.c_contiguous and g.shape[0] == g.shape[1]:
            g = g.T
        return g @ b.T, a.T @ g


add(
    "layout: Fortran order transposed",
    MatMulUpstreamSymmetrised,
    MatMul,
    "an upstream gradient that is not C-contiguous is transposed, as by a library call "
    "that takes it for column-major",
)


class FftImaginaryKept(ImaginaryFft):
    @staticmethod
    def backward(ctx, grad):
        return np.fft.fft(grad).imag + 0j


add(
    "dtype: complex fft",
    FftImaginaryKept,
    ImaginaryFft,
    "a complex array where a real gradient is due",
)


class SumAxisKept(SumAxis):
    @staticmethod
    def backward(ctx, grad):
        return np.expand_dims(grad, ctx.axis)


add(
    "shape: axis of size 1 left",
    SumAxisKept,
    SumAxis,
    "the gradient has size 1 along the summed axis: it would broadcast, but is not the "
    "input's shape",
)


class Dot(Function):
    """The inner product of two vectors."""

    examples = [((3,), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two vectors of one length are expected")
        ctx.save_for_backward(x, y)
        return x @ y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


class DotWritesIntoInput(Dot):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.multiply(grad, y, out=y), grad * x


add(
    "mutation: out=",
    DotWritesIntoInput,
    Dot,
    "`out=y` overwrites the second input with the gradient of the first",
)
