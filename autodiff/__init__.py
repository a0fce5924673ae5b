"""Reverse-mode automatic differentiation of NumPy code.

Tensors record what is done with them; ``backward`` computes the gradients of a result in all of
them. Importing this package imports NumPy and nothing else: SymPy and SciPy are imported by what
first needs them.

Examples
--------
>>> import autodiff as ad
>>> x = ad.ones(2, 2, requires_grad=True)
>>> out = ((x + 2) ** 2 * 3).mean()
>>> out.backward()
>>> x.grad
tensor([[4.5000, 4.5000],
        [4.5000, 4.5000]])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autodiff.tensor import Tensor  # isort: skip  (first: what follows needs it)
from autodiff import functional
from autodiff.creation import (
    arange,
    as_tensor,
    empty,
    eye,
    from_numpy,
    full,
    linspace,
    manual_seed,
    ones,
    rand,
    randint,
    randn,
    tensor,
    zeros,
)
from autodiff.engine import grad
from autodiff.function import Function, once_differentiable
from autodiff.grad_mode import (
    detect_anomaly,
    enable_grad,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from autodiff.printing import set_printoptions

if TYPE_CHECKING:
    from autodiff import fft, integrate, linalg, stats
    from autodiff.functions.activation import *
    from autodiff.functions.arithmetic import *
    from autodiff.functions.bessel_functions import *
    from autodiff.functions.comparison import *
    from autodiff.functions.complex import *
    from autodiff.functions.convolution import *
    from autodiff.functions.diagonals import *
    from autodiff.functions.error_functions import *
    from autodiff.functions.exponential import *
    from autodiff.functions.gamma_functions import *
    from autodiff.functions.hypergeometric import *
    from autodiff.functions.indexing import *
    from autodiff.functions.integrals import *
    from autodiff.functions.joining import *
    from autodiff.functions.losses import *
    from autodiff.functions.norms import *
    from autodiff.functions.numeric import *
    from autodiff.functions.polynomials import *
    from autodiff.functions.products import *
    from autodiff.functions.rearranging import *
    from autodiff.functions.reduction import *
    from autodiff.functions.shape import *
    from autodiff.functions.special import *
    from autodiff.functions.trigonometric import *

_EAGER = frozenset(
    [
        "Function",
        "Tensor",
        "arange",
        "as_tensor",
        "detect_anomaly",
        "empty",
        "enable_grad",
        "eye",
        "from_numpy",
        "full",
        "functional",
        "grad",
        "is_grad_enabled",
        "linspace",
        "manual_seed",
        "no_grad",
        "once_differentiable",
        "ones",
        "rand",
        "randint",
        "randn",
        "set_grad_enabled",
        "set_printoptions",
        "tensor",
        "zeros",
    ]
)
_NAMESPACES = frozenset(["fft", "integrate", "linalg", "stats"])


def __getattr__(name: str) -> Any:
    # The Functions are loaded when the first of them is used: they are most of the package.
    if name in _NAMESPACES:
        return importlib.import_module(f"autodiff.{name}")
    if name == "__all__":
        return __dir__()
    if not name.startswith("_"):
        functions = importlib.import_module("autodiff.functions")
        if name in functions.TOP_LEVEL:
            value = globals()[name] = getattr(functions, name)
            return value
    raise AttributeError(f"module 'autodiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    functions = importlib.import_module("autodiff.functions")
    return sorted(_EAGER | _NAMESPACES | functions.TOP_LEVEL)
