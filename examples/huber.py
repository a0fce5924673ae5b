"""A custom Function with a mistake, what the report says of it, and the repair.

``python examples/huber.py``, or ``gradproof examples/huber.py``.
"""

import numpy as np

from autodiff import Function
from verify import check


class Huber(Function):
    """Quadratic up to `delta`, linear beyond."""

    examples = [((4,), {"delta": 1.0}), ((4,), {"delta": 0.5})]

    @staticmethod
    def forward(ctx, x, *, delta=1.0):
        ctx.save_for_backward(x)
        ctx.delta = delta
        small = np.abs(x) <= delta
        return np.where(small, 0.5 * x**2, delta * (np.abs(x) - 0.5 * delta))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        small = np.abs(x) <= ctx.delta
        return grad * np.where(small, x, np.sign(x))  # right for delta=1 alone


class RightHuber(Huber):
    """The same with the factor that was forgotten."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.clip(x, -ctx.delta, ctx.delta)


def main():
    """Print the report on each."""
    for function in (Huber, RightHuber):
        report = check(function)
        print(report, end="\n\n")


if __name__ == "__main__":
    main()
