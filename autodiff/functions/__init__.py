"""The built-in Functions, one family a file, and the plain functions that apply them."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from autodiff.function import Function
from autodiff.functions import (
    activation,
    arithmetic,
    comparison,
    complex,
    convolution,
    decomposition,
    exponential,
    fourier,
    indexing,
    integrals,
    linalg,
    losses,
    numeric,
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
    indexing,
    linalg,
    decomposition,
    complex,
    fourier,
    convolution,
    activation,
    special,
    integrals,
    losses,
    numeric,
)

__all__ = ["all_functions", "public_functions"]


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
    """Return the plain functions by name: those that the families define without underscore."""
    return {
        name: entry
        for family in _FAMILIES
        for name, entry in vars(family).items()
        if isinstance(entry, FunctionType)
        and entry.__module__ == family.__name__
        and not name.startswith("_")
        and name not in _HELPERS
    }


# What families share among themselves.
_HELPERS = {
    "with_constants",
    "distinct",
    "positive_definite",
    "regular",
    "tall",
    "dotted_index",
    "largest",
    "log_total",
    "plain_index",
    "scatter",
}

wrap = Tensor._make
globals().update({function.__name__: function for function in all_functions()})
globals().update(public_functions())
