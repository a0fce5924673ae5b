"""Reverse-mode automatic differentiation of NumPy code."""

from __future__ import annotations

from autodiff.tensor import Tensor  # isort: skip  (first: what follows needs it)
from autodiff.creation import (
    arange, as_tensor, empty, eye, from_numpy, full, linspace, manual_seed, ones, rand, randint,
    randn, tensor, zeros,
)
from autodiff.engine import grad
from autodiff.function import Function, once_differentiable
from autodiff.functions.arithmetic import (
    add, cbrt, div, mul, neg, power, reciprocal, sqrt, square, sub,
)
from autodiff.functions.exponential import (
    exp, exp2, expm1, log, log1p, log2, log10, logaddexp,
)
from autodiff.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
