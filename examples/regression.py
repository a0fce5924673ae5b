"""Fit a small network with SciPy's optimisers; gradients and Hessian products by `autodiff`.

``python examples/regression.py``: no gradient is written by hand. `functional.vjp` gives the value
and the gradient to L-BFGS, `functional.hvp` the products with the Hessian to a trust-region method.
"""

import numpy as np
from scipy import optimize

import autodiff as ad
from autodiff import functional

rng = np.random.default_rng(0)
inputs = rng.uniform(-2.0, 2.0, size=(40, 1))
targets = np.sin(inputs[:, 0])
HIDDEN = 6


def loss(w):
    """Mean square error of one hidden layer, and a small penalty on the weights."""
    first, bias, second = w[:HIDDEN], w[HIDDEN : 2 * HIDDEN], w[2 * HIDDEN :]
    hidden = np.tanh(inputs * first + bias)
    error = hidden @ second - targets
    return np.mean(error**2) + 1e-5 * np.sum(w**2)


def value_and_gradient(w):
    """For ``jac=True``."""
    value, gradient = functional.vjp(loss, ad.tensor(w))
    return value.item(), gradient.numpy()


def gradient(w):
    """The gradient alone."""
    return value_and_gradient(w)[1]


def hessian_product(w, v):
    """For ``hessp``; the Hessian itself is never formed."""
    return functional.hvp(loss, ad.tensor(w), ad.tensor(v))[1].numpy()


def main():
    """Fit by two methods and print how well."""
    start = rng.normal(scale=0.5, size=3 * HIDDEN)
    quasi_newton = optimize.minimize(
        value_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}
    )
    newton = optimize.minimize(
        lambda w: value_and_gradient(w)[0],
        start,
        jac=gradient,
        hessp=hessian_product,
        method="trust-ncg",
        options={"maxiter": 200},
    )
    for name, fit in (("L-BFGS-B", quasi_newton), ("trust-ncg", newton)):
        print(f"{name}: loss {fit.fun:.1e} after {fit.nit} steps")
    return quasi_newton, newton


if __name__ == "__main__":
    main()
