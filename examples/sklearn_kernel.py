"""Check the gradient of a scikit-learn kernel: ``gradproof examples/sklearn_kernel.py``.

A kernel of Gaussian processes gives, with ``eval_gradient=True``, its derivatives in the logarithms
of its parameters. Registered as a function of these, with its Jacobian, it is found by the command.
"""

import numpy as np
from sklearn.gaussian_process import kernels

from verify import register

X = np.random.default_rng(0).normal(size=(4, 2))


def offer(name, kernel):
    """Register a kernel as a function of ``kernel.theta``."""

    def gram(theta):
        return kernel.clone_with_theta(theta)(X)

    def gradient(theta):
        return kernel.clone_with_theta(theta)(X, eval_gradient=True)[1]

    register(
        gram, jac=gradient, examples=[(kernel.theta,)], domain={"theta": (-2.0, 2.0)}, name=name
    )


offer("RBF", kernels.RBF(1.3))
offer("RBF_anisotropic", kernels.RBF([1.3, 0.7]))
offer("Matern_5_2", kernels.Matern(1.3, nu=2.5))
offer("RationalQuadratic", kernels.RationalQuadratic(1.3, 0.6))
offer("Constant_times_RBF_plus_White", kernels.ConstantKernel(2.0) * kernels.RBF(0.8)
      + kernels.WhiteKernel(0.1))  # fmt: skip
