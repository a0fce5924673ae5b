"""Derivations on paper: from a recorded graph to the gradient, as a lecturer would write it.

May import: :mod:`symbolic.writer`, :mod:`symbolic.steps`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.steps import Derivation, Step, remark
from symbolic.writer import Writer

__all__ = ["Derivation", "Step", "derive", "explain_function"]


def derive(
    out: Any, wrt: Any, *, names: Mapping[str, Any] | None = None, timeout: float = 20.0
) -> Derivation:
    """Write down how the derivative of a Tensor by another comes about.

    Parameters
    ----------
    out : Tensor
        The result of a recorded computation.
    wrt : Tensor
        What to differentiate by: a leaf, or a step of the computation.
    names : dict, optional
        Names of tensors, ``{"W": weight}``. By default those that they have where `derive` is
        called.
    timeout : float
        Seconds; what is found by then is returned.

    Returns
    -------
    Derivation

    Raises
    ------
    ValueError
        If `out` was not recorded, or does not depend on `wrt`.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.ones(2, 2, requires_grad=True)
    >>> y = x + 2
    >>> z = y * y * 3
    >>> out = z.mean()
    >>> print(derive(out, x))  # doctest: +NORMALIZE_WHITESPACE
    o = 1/4 Σ_i z_i                                          [mean]
    z_i = 3 (x_i + 2)^2                                      [definition]
    z_i |_{x_i = 1} = 27                                     [value]
    at x_i = 1: z_i = 27, o = 27                             [values]
    ∂o/∂z_i = 1/4                                            [mean]
    ∂z_i/∂x_i = 6 (x_i + 2)                [constant factor, power rule, chain rule]
    ∂o/∂x_i = ∂o/∂z_i ∂z_i/∂x_i = 1/4 · 6 (x_i + 2)          [chain rule]
    ∂o/∂x_i = 3/2 (x_i + 2)                                  [simplified]
    ∂o/∂x_i |_{x_i = 1} = 9/2 = 4.5                          [value]
    """
    for tensor, what in ((out, "the output"), (wrt, "what to differentiate by")):
        if not hasattr(tensor, "grad_fn"):
            raise ValueError(f"{what} is a {type(tensor).__name__}, not a Tensor")
    if out.grad_fn is None:
        raise ValueError("the output was not recorded: nothing that it depends on requires grad")
    scope = names if names is not None else _scope(sys._getframe(1))
    return Writer(out, wrt, scope, timeout).derivation()


def _scope(frame: Any) -> dict[str, Any]:
    return {**frame.f_globals, **frame.f_locals}


def explain_function(
    function: Any, timeout: float = 20.0, at: Sequence[Any] | None = None
) -> Derivation:
    """The derivation of a Function's derivative: its formula, and its partial derivatives.

    What a forward that is written for arrays consists of is shown step by step, where it runs on
    Tensors.

    Parameters
    ----------
    function : Function class or callable on Tensors
        It is run once, on small arguments: scalars if it is elementwise, else of the shapes of its
        first example.
    timeout : float
        Seconds.
    at : sequence, optional
        The arguments to run it on.

    Returns
    -------
    Derivation

    Examples
    --------
    >>> from autodiff.functions.arithmetic import Mul
    >>> print(explain_function(Mul))
    Mul: The product ``x * y``.
    o = x y                          [definition]
    y = 2                            [given]
    at x = 1: o = 2                  [values]
    ∂o/∂x = y                        [constant factor]
    ∂o/∂x |_{x = 1} = 2              [value]
    x = 1                            [given]
    at y = 2: o = 2                  [values]
    ∂o/∂y = x                        [constant factor]
    ∂o/∂y |_{y = 2} = 1              [value]
    """
    from autodiff import Tensor
    from symbolic.subjects import argument_labels, example_of

    apply = getattr(function, "apply", function)
    arguments, keywords = example_of(function) if at is None else (at, {})
    labels = argument_labels(function, len(arguments))
    domain = getattr(function, "domain", None) or {}
    handed: list[Any] = []
    tensors: dict[str, Any] = {}
    first = 1
    if not labels:
        raise ValueError("forward takes no argument beside ctx to differentiate by")
    for name, argument in zip(labels, arguments, strict=True):
        if not isinstance(argument, tuple):
            array = np.asarray(argument)
            if array.dtype.kind != "f":
                handed.append(argument)
                continue
            values = array
        else:
            values = nice(argument, domain.get(name), first)
            first += values.size
        tensors[name] = Tensor(values, requires_grad=True)
        handed.append(tensors[name])
    out = apply(*handed, **keywords)
    outputs = list(out) if isinstance(out, (tuple, list)) else [out]
    inside = _recorded_inside(function, handed, keywords, outputs)
    title = (function.__doc__ or "").strip().split("\n")[0]
    steps = [remark(f"{function.__name__}: {title}" if title else function.__name__)]
    result = None
    for output, opened in zip(outputs, inside, strict=True):
        for name, tensor in tensors.items():
            if output.grad_fn is None:
                continue
            try:
                found = derive(output, tensor, names=tensors, timeout=timeout)
                if opened is not None and _says_nothing(found, function):
                    found = derive(opened, tensor, names=tensors, timeout=timeout)
            except ValueError as error:
                if "does not depend" not in str(error):
                    raise
                steps.append(remark(f"no derivative in {name}"))
                continue
            result = result or found.result
            steps += [step for step in found.steps if step not in steps]
    return Derivation(steps, result)


def _says_nothing(found: Derivation, function: Any) -> bool:
    """Whether the definition that a derivation starts from is the Function's name alone."""
    return any(f" = {function.__name__}(" in step.text for step in found.steps)


def _recorded_inside(
    function: Any, handed: Sequence[Any], keywords: Mapping[str, Any], outputs: Sequence[Any]
) -> list[Any]:
    """The outputs as Tensors that forward's own operations recorded; None where there are none."""
    from symbolic.subjects import context_of, is_class

    nothing = [None] * len(outputs)
    if not is_class(function):
        return nothing
    try:
        context = context_of(function, [getattr(a, "_data", a) for a in handed])
        result = function.forward(context, *handed, **keywords)
        found = list(result) if isinstance(result, (tuple, list)) else [result]
        same = len(found) == len(outputs) and all(
            np.allclose(f._data, o._data, rtol=1e-12, equal_nan=True)
            for f, o in zip(found, outputs, strict=True)
        )
    except Exception:  # code for arrays need not run on Tensors
        return nothing
    return [f if f.grad_fn is not None else None for f in found] if same else nothing


def nice(shape: tuple[int, ...], domain: Any, first: int) -> np.ndarray:
    """Small distinct numbers inside a domain."""
    size = int(np.prod(shape, dtype=int))
    numbers = np.arange(first, first + size, dtype=float)
    low, high = -np.inf, np.inf
    if isinstance(domain, tuple) and len(domain) == 2:
        low, high = (float(end) for end in domain)
    if np.isfinite(low) and np.isfinite(high):
        # Fractions with a small denominator: 1/2 first, then 1/4, 3/4, 1/8...
        places = [Fraction(2 * k + 1, 2**n) for n in range(1, 8) for k in range(2 ** (n - 1))]
        numbers = np.array([low + (high - low) * float(p) for p in places[first - 1 :][:size]])
    elif np.isfinite(low):
        numbers = low + numbers
    elif np.isfinite(high):
        numbers = high - numbers
    elif callable(domain):
        numbers = np.asarray(domain(np.random.default_rng(0), shape), dtype=float)
    return np.asarray(numbers, dtype=float).reshape(shape)
