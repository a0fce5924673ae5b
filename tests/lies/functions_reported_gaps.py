"""Ranks, sizes, options and second derivatives that are easily left untried, each beside its right twin."""
# ruff: noqa: E501

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.maximum(x, 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x > 0)


class ReluSequences(Relu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        on = x > 0
        if x.ndim == 3:  # (batch, time, features)
            on = on.any(axis=-1, keepdims=True)
        return grad * on


add("relu: three axes", "contract", ReluSequences, Relu, "a branch for arrays of three axes; no examples are declared")


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquareBuffer(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros(x.size)
        for start in range(0, min(x.size, 32), 8):  # four blocks of eight
            block = slice(start, start + 8)
            out[block] = 2 * grad.ravel()[block] * x.ravel()[block]
        return out.reshape(x.shape)


add("square: a buffer of 32 entries", "contract", SquareBuffer, Square, "entries beyond the 32nd get zero; no examples are declared")


class SquareTrain(Function):
    @staticmethod
    def forward(ctx, x, train=True):
        ctx.save_for_backward(x)
        ctx.train = train
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquareEvaluation(SquareTrain):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x if ctx.train else grad * x


add("square: a flag that is never set", "contract", SquareEvaluation, SquareTrain, "wrong for an option whose default alone is tried; no examples are declared")


class SumOfSquares(Function):
    @staticmethod
    def forward(ctx, x, axis=None, keepdims=False):
        ctx.save_for_backward(x)
        ctx.args = axis, keepdims
        return np.sum(x * x, axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, axis)
        return 2 * grad * x


class SumOfSquaresAxis(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, 0)
        return 2 * grad * x


add("sum of squares: an axis that is never given", "contract", SumOfSquaresAxis, SumOfSquares, "wrong for axis=1, where axis=None alone is tried; no examples are declared")


class Multiply(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


class MultiplyByItself(Multiply):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        if np.shares_memory(x, y):
            return 2 * grad * x, 2 * grad * y  # the engine adds both up
        return grad * y, grad * x


add("multiply: an array by itself", "contract", MultiplyByItself, Multiply, "one array for both arguments counts twice", examples=[((3,), (3,))])


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(x)


class ExpShortcut(Exp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x == 0, 1.0, np.exp(x))


add("exp: second derivative at zero", "second_order", ExpShortcut, Exp, "the constant 1 at x = 0 has no derivative", examples=[((),)], order=2)


class ExpOnce(Exp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if hasattr(grad, "requires_grad"):
            raise RuntimeError("this Function is differentiable once")
        return grad * np.exp(x)


add("exp: differentiable once", "second_order", ExpOnce, Exp, "a second derivative was asked for, and backward refuses", examples=[((2,),)], order=2)
