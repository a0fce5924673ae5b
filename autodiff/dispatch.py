"""What NumPy and SciPy functions do with tensors: tables that the families of Functions fill.

A table maps the function that was called to what runs instead. Functions without a gradient are
listed by name (`NON_DIFFERENTIABLE`): they run on the arrays and return plain results. Whatever
stands in neither raises a TypeError, rather than losing the gradient silently.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.tensor import Tensor

__all__ = ["FUNCTIONS", "METHODS", "NON_DIFFERENTIABLE", "UFUNCS", "implements"]

UFUNCS: dict[str, Callable[..., Any]] = {}
METHODS: dict[tuple[str, str], Callable[..., Any]] = {}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}

# Piecewise constant, or about types, shapes and order: there is nothing to differentiate.
_NAMES = """
    comparisons and logic:
        all allclose any array_equal array_equiv bitwise_and bitwise_count bitwise_or bitwise_xor
        equal greater greater_equal invert isclose iscomplex iscomplexobj isfinite isin isinf isnan
        isneginf isposinf isreal isrealobj left_shift less less_equal logical_and logical_not
        logical_or logical_xor not_equal right_shift signbit
    of scipy.special:
        gammasgn round
    whole numbers:
        around ceil fix floor floor_divide gcd lcm rint round trunc
    the floating-point format, and the rank of a matrix:
        frexp matrix_rank nextafter spacing
    places and order:
        argmax argmin argpartition argsort argwhere bincount count_nonzero digitize flatnonzero
        diag_indices_from histogram histogram2d histogram_bin_edges histogramdd ix_ lexsort
        nanargmax nanargmin nonzero ravel_multi_index searchsorted tril_indices_from
        triu_indices_from unravel_index
    sets:
        intersect1d setdiff1d setxor1d union1d unique unique_all unique_counts unique_inverse
        unique_values
    types, shapes and memory:
        broadcast_shapes can_cast common_type einsum_path empty_like full_like iterable
        may_share_memory min_scalar_type ndim ones_like result_type shape shares_memory size
        zeros_like
    text:
        array2string array_repr array_str
"""
NON_DIFFERENTIABLE: frozenset[str] = frozenset(
    [name for line in _NAMES.splitlines() if not line.endswith(":") for name in line.split()]
)


def implements(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Register what runs when NumPy functions are called on tensors (a decorator)."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            if isinstance(function, np.ufunc):
                UFUNCS[function.__name__] = implementation
            else:
                FUNCTIONS[function] = implementation
        return implementation

    return register


def ufunc(called: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a ufunc on tensors."""
    name = called.__name__
    if method == "__call__":
        if kwargs:
            kwargs = {key: value for key, value in kwargs.items() if value is not None}
            if "out" in kwargs and name not in NON_DIFFERENTIABLE:
                raise TypeError(
                    f"{name} on tensors cannot write into an array that is given (out=..., or an "
                    "array changed in place by a tensor): assign its result instead"
                )
        implementation = UFUNCS.get(name) or _loaded(UFUNCS, name)
        if implementation is not None:
            return implementation(*inputs, **kwargs)
        if name in NON_DIFFERENTIABLE:
            return plain(called, inputs, kwargs)
    else:
        implementation = METHODS.get((name, method)) or _loaded(METHODS, (name, method))
        if implementation is not None:
            return implementation(*inputs, **kwargs)
        if name in NON_DIFFERENTIABLE:
            return plain(getattr(called, method), inputs, kwargs)
        name = f"{name}.{method}"
    raise _unsupported(name)


def _loaded(table: dict[Any, Callable[..., Any]], key: Any) -> Callable[..., Any] | None:
    """Look again when the families, which fill the tables, have been imported."""
    importlib.import_module("autodiff.functions")
    return table.get(key)


def function(called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a NumPy function that is no ufunc on tensors."""
    implementation = FUNCTIONS.get(called) or _loaded(FUNCTIONS, called)
    if implementation is not None:
        return implementation(*args, **kwargs)
    if called.__name__ in NON_DIFFERENTIABLE:
        return plain(called, args, kwargs)
    raise _unsupported(f"{called.__module__}.{called.__name__}")


def plain(called: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function on the arrays that tensors hold; arrays in its result become tensors."""
    result = called(*_arrays(args), **{key: _arrays(value) for key, value in kwargs.items()})
    return _tensors(result)


def _arrays(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, (tuple, list)):
        return type(value)([_arrays(entry) for entry in value])
    return value


def _tensors(value: Any) -> Any:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple([_tensors(entry) for entry in value])
    kind = type(value)
    if isinstance(value, np.ndarray) or (
        hasattr(kind, "__array_ufunc__") and not isinstance(value, (np.generic, Tensor))
    ):
        return Tensor._make(value, None)
    if isinstance(value, np.generic) and not isinstance(value, np.bool_):
        return Tensor._make(value, None) if value.dtype.kind in "fc" else value
    return value


def _unsupported(name: str) -> TypeError:
    return TypeError(
        f"{name} is not supported on tensors: no gradient of it is known here. Call it on the "
        "values, x.detach().numpy(), if it needs none (autodiff.dispatch.NON_DIFFERENTIABLE lists "
        "the functions that run on tensors without one), or write an autodiff.Function."
    )
