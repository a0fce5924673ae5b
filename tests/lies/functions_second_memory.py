"""What Functions keep between calls, and the gradient of their gradient."""

import numpy as np

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"second: {name}", kind, lie, twin, options, why=why))


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"second: {name}", kind, twin, why, **options))


class Sinh(Function):
    """sinh, its slope computed when first asked for."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.slope = None
        return np.sinh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.slope is None:
            ctx.slope = np.cosh(x)
        return grad * ctx.slope

    examples = [((3,),), ((2, 2),)]


class SinhGradientKept(Sinh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.slope is None:
            ctx.slope = grad * np.cosh(x)
        return ctx.slope


add(
    "kept on ctx: the whole gradient",
    "contract",
    SinhGradientKept,
    Sinh,
    "a second upstream gradient gets the first one's product",
)


class SinhOutputBuffer(Sinh):
    buffers: dict = {}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.slope = None
        out = SinhOutputBuffer.buffers.setdefault(x.shape, np.empty(x.shape))
        np.sinh(x, out=out)
        return out


add(
    "output buffer: one for each shape",
    "contract",
    SinhOutputBuffer,
    Sinh,
    "a second forward overwrites the first output, which the caller has",
)


class SinhSumMemo(Sinh):
    memo: dict = {}

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        key = (x.shape, float(x.sum()))
        if key not in SinhSumMemo.memo:
            SinhSumMemo.memo[key] = np.cosh(x)
        return grad * SinhSumMemo.memo[key]


add(
    "memo: by shape and sum",
    "contract",
    SinhSumMemo,
    Sinh,
    "a permutation has the same sum, so has a cancelling array",
)


class SinhHashMemo(Sinh):
    memo: dict = {}

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        key = (x.shape, tuple(np.abs(x).ravel()))
        if key not in SinhHashMemo.memo:
            SinhHashMemo.memo[key] = np.cosh(x) * np.where(x < 0, 1, 1)
        return grad * SinhHashMemo.memo[key]


right(
    "memo: by moduli of an even slope", "contract", SinhHashMemo, "cosh is even, the memo is right"
)


class CubeHashMemo(Function):
    """x |x|, its slope remembered by moduli or by values."""

    memo: dict = {}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        key = (x.shape, tuple(x.ravel()))
        if key not in CubeHashMemo.memo:
            CubeHashMemo.memo[key] = 2 * x
        return grad * CubeHashMemo.memo[key]

    examples = [((3,),)]


class CubeHashModuli(CubeHashMemo):
    kept: dict = {}

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        key = (x.shape, tuple(np.abs(x).ravel()))
        if key not in CubeHashModuli.kept:
            CubeHashModuli.kept[key] = 2 * x
        return grad * CubeHashModuli.kept[key]


add(
    "memo: by moduli of an odd slope",
    "contract",
    CubeHashModuli,
    CubeHashMemo,
    "-x gets the slope of x",
)


class Power(Function):
    """|x|^p, the exponent a keyword."""

    p = 2.0

    @staticmethod
    def forward(ctx, x, *, p=2.0):
        ctx.save_for_backward(x)
        ctx.p = Power.p = p
        return np.abs(x) ** p

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.p * np.abs(x) ** (ctx.p - 1) * np.sign(x)

    examples = [((3,), {"p": 3.0}), ((3,), {"p": 2.0})]


class PowerOnClass(Power):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * Power.p * np.abs(x) ** (Power.p - 1) * np.sign(x)


add(
    "keyword on the class",
    "contract",
    PowerOnClass,
    Power,
    "two forwards with other exponents before the first backward",
)


class Multiply3(Function):
    """A product of three, honouring needs_input_grad."""

    @staticmethod
    def forward(ctx, x, y, z):
        ctx.save_for_backward(x, y, z)
        return x * y * z

    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        a, b, c = ctx.needs_input_grad
        return grad * y * z if a else None, grad * x * z if b else None, grad * x * y if c else None

    examples = [((2,), (2,), (2,))]


class Multiply3Last(Multiply3):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        a, b, c = ctx.needs_input_grad
        gy = grad * z
        if a:
            gx = gy * y
        return (
            gx if a else None,
            gy * x if b else None,
            grad * x * (y if a or b else z) if c else None,
        )


add(
    "needs_input_grad: the last alone",
    "contract",
    Multiply3Last,
    Multiply3,
    "wrong where the third input alone needs a gradient",
)


class Inverse(Function):
    """Second order through the output."""

    @staticmethod
    def forward(ctx, a):
        y = np.linalg.inv(a)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -y.T @ grad @ y.T

    examples = [((2, 2),)]


class InverseTransposed(Inverse):
    @staticmethod
    def forward(ctx, a):
        y = np.linalg.inv(a)
        ctx.save_for_backward(y)
        ctx.t = y.T
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -ctx.t @ grad @ y.T


add(
    "second order: inverse, its transpose kept",
    "second_order",
    InverseTransposed,
    Inverse,
    "one of two factors is a constant",
    order=2,
)


class Detached(Function):
    """exp, whose gradient is linear in the upstream one at second order too."""

    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


class DetachedSquare(Detached):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.y = np.exp(x)
        return ctx.y.copy()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (ctx.y + (x - x))


add(
    "second order: exp by an attribute",
    "second_order",
    DetachedSquare,
    Detached,
    "the second derivative is zero",
    order=2,
)


class MeanVarTwice(Function):
    """Two outputs at second order."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        m = x.mean()
        return m * m, ((x - m) ** 2).mean()

    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        m = x.mean()
        return (2 * m * a + 2 * b * (x - m)) / len(x)

    examples = [((3,),)]


class MeanVarOnce(MeanVarTwice):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.m = x.mean()
        return ctx.m * ctx.m, ((x - ctx.m) ** 2).mean()

    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        m = x.mean()
        return (2 * m * a + 2 * b * (x - ctx.m)) / len(x)


add(
    "second order: variance about a kept mean",
    "second_order",
    MeanVarOnce,
    MeanVarTwice,
    "the Hessian of the variance lacks the mean's part",
    order=2,
)


class SmoothAbs(Function):
    """|x|^3 / 3, second order: 2 |x| has a kink, the slope has none."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.abs(x) ** 3 / 3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * np.abs(x)


right(
    "second order: cube of the modulus",
    "second_order",
    SmoothAbs,
    "the second derivative is 2 |x|, zero at zero",
    order=2,
)


class Hinge2(Function):
    """Squared hinge, max(0, 1 - x)^2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(0, 1 - x) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -2 * grad * np.maximum(0, 1 - x)


class Hinge2Mask(Hinge2):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -2 * grad * (1 - x) * (x < 1)


class Hinge2Where(Hinge2):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x <= 1, -2 * grad * (1 - x), 0 * grad)


right(
    "second order: squared hinge",
    "second_order",
    Hinge2,
    "the second derivative jumps at one: either side",
    order=2,
)
right(
    "second order: squared hinge by a mask",
    "second_order",
    Hinge2Mask,
    "the second derivative jumps at one: either side",
    order=2,
)
right(
    "second order: squared hinge, both ends",
    "second_order",
    Hinge2Where,
    "the second derivative jumps at one: either side",
    order=2,
)


class Polynomial(Function):
    """Matrix times vector, second order in both."""

    @staticmethod
    def forward(ctx, a, x):
        ctx.save_for_backward(a, x)
        return np.tanh(a @ x)

    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        d = grad * (1 - np.tanh(a @ x) ** 2)
        return np.outer(d, x), a.T @ d

    examples = [((2, 3), (3,))]


right(
    "second order: a layer", "second_order", Polynomial, "nothing is kept but the inputs", order=2
)


class Hinge2Kept(Hinge2):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.gap = np.maximum(0, 1 - x)
        return ctx.gap**2

    @staticmethod
    def backward(ctx, grad):
        return -2 * grad * ctx.gap


class Hinge2Half(Hinge2):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.x = x
        return np.maximum(0, 1 - x) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * (np.maximum(0, 1 - x) + np.maximum(0, 1 - ctx.x))


add(
    "second order: squared hinge, gap kept",
    "second_order",
    Hinge2Kept,
    Hinge2,
    "the gap is a constant",
    order=2,
)
add(
    "second order: squared hinge, half kept",
    "second_order",
    Hinge2Half,
    Hinge2,
    "half of the second derivative",
    order=2,
)
