"""The built-in Functions, one family a file, and the plain functions that apply them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autodiff.function import Function
from autodiff.functions import (
    activation,
    arithmetic,
    bessel_functions,
    comparison,
    complex,
    construction,
    convolution,
    decomposition,
    diagonals,
    distributions,
    equations,
    error_functions,
    exponential,
    fourier,
    gamma_functions,
    hypergeometric,
    indexing,
    integrals,
    inverse,
    joining,
    losses,
    matrix_functions,
    norms,
    numeric,
    polynomials,
    products,
    rearranging,
    reduction,
    shape,
    special,
    trigonometric,
)
from autodiff.tensor import Tensor

_FAMILIES = (
    arithmetic,
    exponential,
    trigonometric,
    comparison,
    reduction,
    shape,
    joining,
    rearranging,
    indexing,
    products,
    diagonals,
    norms,
    inverse,
    decomposition,
    equations,
    matrix_functions,
    complex,
    fourier,
    hypergeometric,
    convolution,
    activation,
    error_functions,
    gamma_functions,
    bessel_functions,
    integrals,
    special,
    distributions,
    losses,
    numeric,
    construction,
    polynomials,
)

# What is found in autodiff.linalg and autodiff.fft, and not in autodiff itself.
_NESTED = (inverse, decomposition, equations, matrix_functions, fourier)

__all__ = ["TOP_LEVEL", "all_functions", "public_functions"]

TOP_LEVEL = frozenset(
    [name for family in _FAMILIES if family not in _NESTED for name in family.__all__]
)


def all_functions() -> list[type[Function]]:
    """Return every built-in Function, in the order in which the files define them.

    Examples
    --------
    >>> from autodiff.functions import all_functions
    >>> all_functions()[0].__name__
    'Add'
    """
    return [
        entry
        for family in _FAMILIES
        for name, entry in vars(family).items()
        if isinstance(entry, type)
        and issubclass(entry, Function)
        and entry.__module__ == family.__name__
        and not name.startswith("_")
    ]


def public_functions() -> dict[str, Callable[..., Any]]:
    """Return the plain functions by name: what the families list in ``__all__``."""
    return {name: getattr(family, name) for family in _FAMILIES for name in family.__all__}


wrap = Tensor._make
globals().update({function.__name__: function for function in all_functions()})
globals().update(public_functions())
