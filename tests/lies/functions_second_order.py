"""Right gradients whose own gradient is wrong: what they saved does not carry the graph on."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, lie, twin, why, **options):
    CASES.append(Case(name, "second_order", lie, twin, {"order": 2, **options}, why=why))


class Cube(Function):
    domain = {"x": (-10, 10)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x**2


class CubeSquareSaved(Cube):
    @staticmethod
    def forward(ctx, x):
        square = x * x
        ctx.save_for_backward(square)
        return square * x

    @staticmethod
    def backward(ctx, grad):
        (square,) = ctx.saved_tensors
        return 3 * grad * square


class CubeAttribute(Cube):
    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return x**3

    @staticmethod
    def backward(ctx, grad):
        return 3 * grad * ctx.x**2


class CubeCopySaved(Cube):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x.copy())
        return x**3


class CubeSecondWrongFactor(Cube):
    """Half of the slope comes from the input, half from an attribute."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.x = x
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x * ctx.x


add(
    "cube: square saved",
    CubeSquareSaved,
    Cube,
    "the saved square is neither input nor output: a constant at second order",
)
add(
    "cube: attribute of ctx",
    CubeAttribute,
    Cube,
    "the input kept as an attribute of ctx is a constant at second order",
)
add(
    "cube: copy saved",
    CubeCopySaved,
    Cube,
    "a copy of the input is saved: a constant at second order",
)
add(
    "cube: half through an attribute",
    CubeSecondWrongFactor,
    Cube,
    "one of two factors is a constant at second order: half of the right value",
)


class Sine(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(x)


class SineCosineSaved(Sine):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(np.cos(x))
        return np.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (c,) = ctx.saved_tensors
        return grad * c


add(
    "sine: cosine saved",
    SineCosineSaved,
    Sine,
    "the saved cosine is a constant at second order: zero instead of -sin",
)


class Tanh(Function):
    domain = {"x": (-5, 5)}

    @staticmethod
    def forward(ctx, x):
        y = np.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (1 - y * y)


class TanhSlopeSaved(Tanh):
    @staticmethod
    def forward(ctx, x):
        y = np.tanh(x)
        ctx.save_for_backward(1 - y * y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return grad * slope


class TanhOutputAsAttribute(Tanh):
    @staticmethod
    def forward(ctx, x):
        ctx.y = np.tanh(x)
        return ctx.y

    @staticmethod
    def backward(ctx, grad):
        return grad * (1 - ctx.y**2)


add(
    "tanh: slope saved",
    TanhSlopeSaved,
    Tanh,
    "the slope, computed in forward, is a constant at second order",
)
add(
    "tanh: output as an attribute",
    TanhOutputAsAttribute,
    Tanh,
    "the output kept as an attribute is a constant at second order",
)


class Multiply(Function):
    examples = [((3,), (3,)), ((), ())]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two arrays of one shape are expected")
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


class MultiplyOneAttribute(Multiply):
    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two arrays of one shape are expected")
        ctx.save_for_backward(x)
        ctx.y = y
        return x * y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.y, grad * x


add(
    "multiply: one factor as an attribute",
    MultiplyOneAttribute,
    Multiply,
    "the mixed derivative is lost on one side: the Hessian is not symmetric",
)


class Log(Function):
    domain = {"x": (0.1, 10)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / x


class LogReciprocalSaved(Log):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(1 / x)
        return np.log(x)

    @staticmethod
    def backward(ctx, grad):
        (reciprocal,) = ctx.saved_tensors
        return grad * reciprocal


add(
    "log: reciprocal saved",
    LogReciprocalSaved,
    Log,
    "the saved reciprocal is a constant at second order",
)


class SquaredDistance(Function):
    examples = [((3,), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two arrays of one shape are expected")
        ctx.save_for_backward(x, y)
        return ((x - y) ** 2).sum()

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        g = 2 * grad * (x - y)
        return g, -g


class SquaredDistanceDifferenceSaved(SquaredDistance):
    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two arrays of one shape are expected")
        difference = x - y
        ctx.save_for_backward(difference)
        return (difference**2).sum()

    @staticmethod
    def backward(ctx, grad):
        (difference,) = ctx.saved_tensors
        g = 2 * grad * difference
        return g, -g


add(
    "squared distance: difference saved",
    SquaredDistanceDifferenceSaved,
    SquaredDistance,
    "the saved difference is a constant at second order: the Hessian is zero",
)


class Silu(Function):
    domain = {"x": (-10, 10)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * special.expit(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit(x)
        return grad * (s + x * s * (1 - s))


class SiluGateSaved(Silu):
    @staticmethod
    def forward(ctx, x):
        s = special.expit(x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx, grad):
        x, s = ctx.saved_tensors
        return grad * (s + x * s * (1 - s))


add(
    "silu: gate saved",
    SiluGateSaved,
    Silu,
    "the input is saved, and the gate, which is neither input nor output: part of the "
    "second derivative is lost",
)


class Softmax(Function):
    examples = [((3,),)]
    domain = {"x": (-5, 5)}

    @staticmethod
    def forward(ctx, x):
        e = np.exp(x - x.max())
        y = e / e.sum()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - (grad * y).sum())


class SoftmaxLogSaved(Softmax):
    @staticmethod
    def forward(ctx, x):
        e = np.exp(x - x.max())
        y = e / e.sum()
        ctx.save_for_backward(np.log(y))
        return y

    @staticmethod
    def backward(ctx, grad):
        (log,) = ctx.saved_tensors
        y = np.exp(log)
        return y * (grad - (grad * y).sum())


add(
    "softmax: logarithm saved",
    SoftmaxLogSaved,
    Softmax,
    "the logarithm of the output is saved instead of the output: a constant at second order",
)


class MatMul(Function):
    examples = [((2, 2), (2, 2))]

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad @ b.T, a.T @ grad


class MatMulTransposesSaved(MatMul):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a.T, b.T)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        at, bt = ctx.saved_tensors
        return grad @ bt, at @ grad


add(
    "matmul: transposes saved",
    MatMulTransposesSaved,
    MatMul,
    "the transposes are new arrays, neither input nor output: constants at second order",
)


class Exp(Function):
    domain = {"x": (-10, 10)}

    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


class ExpComputedTwice(Exp):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(np.exp(x))
        return np.exp(x)


add(
    "exp: output computed twice",
    ExpComputedTwice,
    Exp,
    "the saved array equals the output but is not the output: a constant at second order",
)


class Norm(Function):
    examples = [((3,),)]
    domain = {"x": (0.5, 5)}

    @staticmethod
    def forward(ctx, x):
        r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        return grad * x / r


class NormAttribute(Norm):
    @staticmethod
    def forward(ctx, x):
        ctx.r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x)
        return ctx.r

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / ctx.r


add(
    "norm: output as an attribute",
    NormAttribute,
    Norm,
    "the norm is a constant at second order: the Hessian is I/r instead of (I - u u^T)/r",
)


class Relu(Function):
    """The mask may be an attribute: it is constant on each side."""

    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x * ctx.mask

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.mask


class ScaleByKeyword(Function):
    examples = [((3,), {"scale": 2.5})]

    @staticmethod
    def forward(ctx, x, *, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * ctx.scale * grad * x


class CumulativeSum(Function):
    """Linear: nothing needs to be saved."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        return np.cumsum(x)

    @staticmethod
    def backward(ctx, grad):
        return np.cumsum(grad[::-1])[::-1]


class Reciprocal(Function):
    """Input and output are both used."""

    domain = {"x": (0.1, 10)}

    @staticmethod
    def forward(ctx, x):
        y = 1 / x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return -grad * y / x


CASES += [
    trap(
        "second order: mask as an attribute",
        "second_order",
        Relu,
        "a mask is constant on each side, so an attribute is right at second order too",
        order=2,
    ),
    trap(
        "second order: keyword as an attribute",
        "second_order",
        ScaleByKeyword,
        "a keyword is a constant by definition",
        order=2,
    ),
    trap(
        "second order: linear",
        "second_order",
        CumulativeSum,
        "a linear rule needs no saved tensors at any order",
        order=2,
    ),
    trap(
        "second order: input and output",
        "second_order",
        Reciprocal,
        "input and output are both saved and both differentiated",
        order=2,
    ),
]
