"""Several arguments or outputs: swapped gradients, wrong partial derivatives."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []
inf = float("inf")


def unbroadcast(grad, shape):
    """Sum `grad` over the axes along which an array of `shape` was broadcast."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1)
    return grad.sum(axis=stretched, keepdims=True) if stretched else grad


class Subtract(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.shapes = x.shape, y.shape
        return x - y

    @staticmethod
    def backward(ctx, grad):
        return unbroadcast(grad, ctx.shapes[0]), unbroadcast(-grad, ctx.shapes[1])


class SubtractSwapped(Subtract):
    @staticmethod
    def backward(ctx, grad):
        return unbroadcast(-grad, ctx.shapes[0]), unbroadcast(grad, ctx.shapes[1])


class SubtractLikeAdd(Subtract):
    @staticmethod
    def backward(ctx, grad):
        return unbroadcast(grad, ctx.shapes[0]), unbroadcast(grad, ctx.shapes[1])


CASES += [
    Case(
        "subtract: swapped",
        "algebra",
        SubtractSwapped,
        Subtract,
        why="the two arguments' gradients are exchanged",
    ),
    Case(
        "subtract: like add",
        "algebra",
        SubtractLikeAdd,
        Subtract,
        why="the second argument's gradient lacks its minus sign",
    ),
]


class Multiply(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * y, x.shape), unbroadcast(grad * x, y.shape)


class MultiplySwapped(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * x, x.shape), unbroadcast(grad * y, y.shape)


CASES.append(
    Case(
        "multiply: swapped",
        "algebra",
        MultiplySwapped,
        Multiply,
        why="each factor gets itself instead of the other; right where x == y",
    )
)


class Divide(Function):
    domain = {"y": (0, inf)}

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x / y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad / y, x.shape), unbroadcast(-grad * (x / y) / y, y.shape)


class DivideNotSquared(Divide):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad / y, x.shape), unbroadcast(-grad * x / y, y.shape)


CASES.append(
    Case(
        "divide: y not squared",
        "algebra",
        DivideNotSquared,
        Divide,
        why="the gradient of y is -x/y instead of -x/y^2; right at y == 1",
    )
)


class Power(Function):
    domain = {"x": (0.1, 10), "y": (-5, 5)}

    @staticmethod
    def forward(ctx, x, y):
        z = x**y
        ctx.save_for_backward(x, y, z)
        return z

    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        return unbroadcast(grad * y * x ** (y - 1), x.shape), unbroadcast(
            grad * z * np.log(x), y.shape
        )


class PowerWrongLog(Power):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        return unbroadcast(grad * y * x ** (y - 1), x.shape), unbroadcast(
            grad * z * np.log(np.abs(y)), y.shape
        )


class PowerNoExponent(Power):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        return unbroadcast(grad * x ** (y - 1), x.shape), unbroadcast(grad * z * np.log(x), y.shape)


CASES += [
    Case(
        "power: log of the exponent",
        "algebra",
        PowerWrongLog,
        Power,
        why="log|y| instead of log(x) in the gradient of y",
    ),
    Case(
        "power: exponent forgotten",
        "algebra",
        PowerNoExponent,
        Power,
        why="the factor y is missing in the gradient of x; right at y == 1",
    ),
]


class Angle(Function):
    """The angle of the point (x, y), away from the origin."""

    domain = {"y": (0.5, 20), "x": (0.5, 20)}

    @staticmethod
    def forward(ctx, y, x):
        ctx.save_for_backward(y, x)
        return np.arctan2(y, x)

    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        square = x * x + y * y
        return unbroadcast(grad * x / square, y.shape), unbroadcast(-grad * y / square, x.shape)


class AngleSwapped(Angle):
    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        square = x * x + y * y
        return unbroadcast(-grad * y / square, y.shape), unbroadcast(grad * x / square, x.shape)


CASES.append(
    Case(
        "arctan2: swapped",
        "algebra",
        AngleSwapped,
        Angle,
        why="arctan2 takes y first; its gradients are returned as if x were",
    )
)


class Hypotenuse(Function):
    domain = {"x": (0.5, 20), "y": (0.5, 20)}

    @staticmethod
    def forward(ctx, x, y):
        r = np.hypot(x, y)
        ctx.save_for_backward(x, y, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        return unbroadcast(grad * x / r, x.shape), unbroadcast(grad * y / r, y.shape)


class HypotenuseSquared(Hypotenuse):
    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        return unbroadcast(grad * x / r**2, x.shape), unbroadcast(grad * y / r**2, y.shape)


CASES.append(
    Case(
        "hypot: divided twice",
        "algebra",
        HypotenuseSquared,
        Hypotenuse,
        why="divided by r^2 instead of r; right at r == 1",
    )
)


class LogAddExp(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.logaddexp(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * special.expit(x - y), x.shape), unbroadcast(
            grad * special.expit(y - x), y.shape
        )


class LogAddExpSwapped(LogAddExp):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * special.expit(y - x), x.shape), unbroadcast(
            grad * special.expit(x - y), y.shape
        )


CASES.append(
    Case(
        "logaddexp: weights exchanged",
        "algebra",
        LogAddExpSwapped,
        LogAddExp,
        why="the weights of x and y are exchanged; right where x == y",
    )
)


class NormalLogDensity(Function):
    domain = {"sigma": (0.1, 10), "mu": (-20, 20), "x": (-20, 20)}
    examples = [((), (), ()), ((4,), (4,), (4,))]

    @staticmethod
    def forward(ctx, x, mu, sigma):
        ctx.save_for_backward(x, mu, sigma)
        return -((x - mu) ** 2) / (2 * sigma**2) - np.log(sigma) - 0.5 * np.log(2 * np.pi)

    @staticmethod
    def backward(ctx, grad):
        x, mu, sigma = ctx.saved_tensors
        z = (x - mu) / sigma
        wide = -grad * z / sigma, grad * z / sigma, grad * (z * z - 1) / sigma
        return tuple(unbroadcast(v, a.shape) for v, a in zip(wide, (x, mu, sigma), strict=True))


class NormalLogDensityNoNormaliser(NormalLogDensity):
    @staticmethod
    def backward(ctx, grad):
        x, mu, sigma = ctx.saved_tensors
        z = (x - mu) / sigma
        wide = -grad * z / sigma, grad * z / sigma, grad * z * z / sigma
        return tuple(unbroadcast(v, a.shape) for v, a in zip(wide, (x, mu, sigma), strict=True))


CASES.append(
    Case(
        "normal log density: normaliser",
        "algebra",
        NormalLogDensityNoNormaliser,
        NormalLogDensity,
        why="the -1/sigma of the normalising constant is missing in the gradient of sigma",
    )
)


class Lerp(Function):
    examples = [((), (), ()), ((3,), (3,), ())]

    @staticmethod
    def forward(ctx, a, b, t):
        ctx.save_for_backward(a, b, t)
        return a + t * (b - a)

    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        wide = grad * (1 - t), grad * t, grad * (b - a)
        return tuple(unbroadcast(v, arg.shape) for v, arg in zip(wide, (a, b, t), strict=True))


class LerpEndsExchanged(Lerp):
    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        wide = grad * t, grad * (1 - t), grad * (b - a)
        return tuple(unbroadcast(v, arg.shape) for v, arg in zip(wide, (a, b, t), strict=True))


CASES.append(
    Case(
        "lerp: ends exchanged",
        "algebra",
        LerpEndsExchanged,
        Lerp,
        why="the weights of the two ends are exchanged; right at t == 1/2",
    )
)


class RelativeEntropy(Function):
    domain = {"p": (0.01, 5), "q": (0.01, 5)}

    @staticmethod
    def forward(ctx, p, q):
        ctx.save_for_backward(p, q)
        return p * np.log(p / q)

    @staticmethod
    def backward(ctx, grad):
        p, q = ctx.saved_tensors
        return unbroadcast(grad * (np.log(p / q) + 1), p.shape), unbroadcast(-grad * p / q, q.shape)


class RelativeEntropyNoOne(RelativeEntropy):
    @staticmethod
    def backward(ctx, grad):
        p, q = ctx.saved_tensors
        return unbroadcast(grad * np.log(p / q), p.shape), unbroadcast(-grad * p / q, q.shape)


CASES.append(
    Case(
        "relative entropy: product rule",
        "algebra",
        RelativeEntropyNoOne,
        RelativeEntropy,
        why="the second term of the product rule, +1, is missing in the gradient of p",
    )
)


class SinCos(Function):
    """Two outputs."""

    @staticmethod
    def forward(ctx, x):
        s, c = np.sin(x), np.cos(x)
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, grad_s, grad_c):
        s, c = ctx.saved_tensors
        return grad_s * c - grad_c * s


class SinCosOneIgnored(SinCos):
    @staticmethod
    def backward(ctx, grad_s, grad_c):
        _s, c = ctx.saved_tensors
        return grad_s * c


class SinCosExchanged(SinCos):
    @staticmethod
    def backward(ctx, grad_s, grad_c):
        s, c = ctx.saved_tensors
        return grad_c * c - grad_s * s


CASES += [
    Case(
        "sincos: second output ignored",
        "algebra",
        SinCosOneIgnored,
        SinCos,
        why="the upstream gradient of the second output is ignored",
    ),
    Case(
        "sincos: outputs exchanged",
        "algebra",
        SinCosExchanged,
        SinCos,
        why="the upstream gradients of the two outputs are exchanged",
    ),
]
