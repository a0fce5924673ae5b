"""Turn a Function class into the plain function that users call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.dispatch import FUNCTIONS, UFUNCS
from autodiff.function import Function, argument_names
from autodiff.tensor import Tensor, storage

__all__ = ["constant", "operand", "public", "with_constants"]


def operand(value: Any) -> Any:
    """Return a tensor as it is, a list that holds tensors stacked, anything else as an array."""
    if isinstance(value, Tensor):
        return value
    if type(value) in (list, tuple) and _holds_tensors(value):
        from autodiff.functions.joining import stack

        return stack([operand(entry) for entry in value])
    return storage(value)


def _holds_tensors(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(_holds_tensors(entry) for entry in value)
    return isinstance(value, Tensor)


def public(
    function: type[Function], name: str, *called: np.ufunc | Callable[..., Any] | str
) -> Callable[..., Tensor]:
    """Return ``function.apply`` as a documented function, and register the ufuncs that mean it.

    Parameters
    ----------
    function : type[Function]
        An elementwise Function.
    name : str
        The function's name.
    *called : callable or str
        What NumPy and ``scipy.special`` call it: the function, or its name where SciPy must not be
        imported for it.
    """
    apply = function.apply

    def call(*args: Any, **kwargs: Any) -> Tensor:
        # Python numbers stay what they are, so that they do not decide the dtype.
        return apply(  # type: ignore[no-any-return]
            *[arg if isinstance(arg, (Tensor, int, float)) else storage(arg) for arg in args],
            **kwargs,
        )

    def call_one(x: Any, **kwargs: Any) -> Tensor:
        return apply(x if isinstance(x, (Tensor, int, float)) else storage(x), **kwargs)  # type: ignore[no-any-return]

    if len(argument_names(function)) == 1:  # the same without loops, which take longer
        call = call_one
    call.__name__ = call.__qualname__ = name
    call.__module__ = function.__module__
    call.__doc__ = function.__doc__
    parameters = list(inspect.signature(function.forward).parameters.values())[1:]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    for other in called:
        if isinstance(other, (str, np.ufunc)):
            UFUNCS[other if isinstance(other, str) else other.__name__] = apply
        else:
            FUNCTIONS[other] = apply
    return call


def with_constants(name: str, function: Any, *parameters: str) -> Callable[..., Tensor]:
    """Return a function whose first arguments are constants, and register it for SciPy's ufunc."""

    def call(*args: Any) -> Tensor:
        constants = {p: constant(name, p, arg) for p, arg in zip(parameters, args, strict=False)}
        return function.apply(operand(args[-1]), **constants)  # type: ignore[no-any-return]

    call.__name__ = call.__qualname__ = name
    call.__module__ = function.__module__
    call.__doc__ = function.__doc__
    UFUNCS[name] = call
    return call


def constant(name: str, parameter: str, value: Any) -> Any:
    """Return the values of a parameter whose derivative is not known, or raise if it wants one."""
    if not isinstance(value, Tensor):
        return value
    if value._requires_grad:
        # A wrong number in its place would go unseen: no closed form is known (DLMF).
        raise NotImplementedError(
            f"the derivative of {name} in its parameter {parameter!r} is not known: "
            "pass it detached"
        )
    return value._data
