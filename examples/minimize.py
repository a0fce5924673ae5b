"""Check the `jac` of a problem before SciPy's optimiser relies on it.

A wrong `jac` raises no error: the optimiser takes more steps, or stops early at a point that is no
minimum. ``python examples/minimize.py`` fits an exponential decay twice.
"""

import numpy as np
from scipy import optimize

from verify import check

times = np.linspace(0.0, 4.0, 9)
observed = 2.0 * np.exp(-0.7 * times) + 0.3


def cost(p, t, y):
    """Half the sum of squares of an exponential decay to an offset."""
    return 0.5 * np.sum((p[0] * np.exp(-p[1] * t) + p[2] - y) ** 2)


def cost_grad(p, t, y):
    """Its gradient in the parameters."""
    decay = np.exp(-p[1] * t)
    residual = p[0] * decay + p[2] - y
    return np.array([residual @ decay, -p[0] * residual @ (t * decay), np.sum(residual)])


def careless_grad(p, t, y):
    """Without the inner derivative of the exponential: the amplitude is missing."""
    decay = np.exp(-p[1] * t)
    residual = p[0] * decay + p[2] - y
    return np.array([residual @ decay, -residual @ (t * decay), np.sum(residual)])


def main():
    """Check both gradients, then minimise with each."""
    start = np.array([1.0, 0.2, 0.0])
    for jac in (careless_grad, cost_grad):
        report = check(
            cost,
            jac=jac,
            args=(times, observed),
            examples=[(start,)],
            domain=[(-3.0, 3.0)],
        )
        result = optimize.minimize(cost, start, args=(times, observed), jac=jac)
        print(f"{jac.__name__}: {report.verdict.value}")
        print(
            f"  minimize: {result.message.rstrip('.')}, cost {result.fun:.1e}, {result.nfev} calls"
        )


if __name__ == "__main__":
    main()
