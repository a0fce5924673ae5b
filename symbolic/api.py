"""What the package exports on formulas: `formula` and `derivative`.

May import: :mod:`symbolic.subjects`, :mod:`symbolic.formulas`, :mod:`symbolic.index_notation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from symbolic.formula_array import FormulaArray
from symbolic.formulas import FormulaError, apply_formula, as_objects
from symbolic.index_notation import slope_of
from symbolic.subjects import (
    argument_labels,
    declares,
    names_and_shapes,
    position_of,
    returned,
    sample_point,
    scalar_or_example,
    simplified,
    symbol_table,
    symbols,
    traced_at,
)
from symbolic.sympy_bridge import to_sympy

__all__ = ["derivative", "formula"]


def formula(f: Any, *shapes: tuple[int, ...], **keywords: Any) -> Any:
    """The SymPy formula of a Function or of NumPy code.

    Parameters
    ----------
    f : Function class or callable
        A Function gives the formula that it declares; anything else what it computes on symbols.
    *shapes : tuple of int
        The shape of each argument; 0-d by default. What is no tuple (labels, an index) is passed as
        it is.
    **keywords
        Keyword arguments of `f`.

    Returns
    -------
    sympy.Expr or sympy.ImmutableDenseNDimArray
        An expression in real symbols ``x``, or ``x_0``, ``x_0_1`` for the entries of an array; an
        array of expressions where the output has a shape; a tuple for several outputs.

    Notes
    -----
    Code that branches has one formula in each cell of its inputs. A declared formula says so with
    ``Piecewise``; of code without one, the formula is that of the cell of a sample point, where all
    entries lie between 0 and 1 (or in the declared domain).

    Examples
    --------
    >>> import numpy as np
    >>> formula(lambda x: np.log1p(np.exp(x)))
    log(exp(x) + 1)
    >>> formula(lambda a, b: a @ b, (2,), (2,))
    a_0*b_0 + a_1*b_1
    """
    names, _ = names_and_shapes(f, shapes)
    given = list(shapes) or [()] * len(names)
    if declares(f):
        handed = [
            symbols(name, shape) if isinstance(shape, tuple) else shape
            for name, shape in zip(names, given, strict=True)
        ]
        try:
            return _declared(f, handed, keywords)
        except FormulaError:
            # Without shapes it may be one over arrays, of which the code says more.
            if not shapes or any(shape != () for shape in shapes):
                raise
    traced = traced_at(f, names, sample_point(f, names, given), keywords)
    table = symbol_table(traced.inputs)
    outputs = [_expressions(array, table) for array in traced.outputs]
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def derivative(f: Any, wrt: str | int = 0, *shapes: tuple[int, ...], **keywords: Any) -> Any:
    """SymPy's derivative of the formula of `f`.

    Parameters
    ----------
    f : Function class or callable
        As in `formula`.
    wrt : str or int
        The argument, by name or by position.
    *shapes : tuple of int
        The shape of each argument. By default all are 0-d, or, where the formula is not one of
        scalars, as in the first of the Function's ``examples``.
    **keywords
        Keyword arguments of `f`.

    Returns
    -------
    sympy.Expr or sympy.ImmutableDenseNDimArray
        The derivative; for arrays the partial derivatives of every entry of the output by every
        entry of the argument, with the axes of the output first.

    Examples
    --------
    >>> import numpy as np
    >>> derivative(lambda x: np.log1p(np.exp(x)), "x")
    exp(x)/(exp(x) + 1)
    >>> derivative(lambda x: np.sum(x**2), "x", (2,))
    [2*x_0, 2*x_1]
    """
    names, _ = names_and_shapes(f, shapes)
    position = position_of(names, wrt)
    given: Sequence[Any] = shapes
    if not shapes:
        given, keywords = scalar_or_example(f, keywords)
        names = argument_labels(f, len(given))
    if not isinstance(given[position], tuple):
        raise ValueError(f"{names[position]} is given as it is: give its shape to differentiate by")
    of = formula(f, *given, **keywords)
    by = symbols(names[position], given[position])
    if isinstance(of, tuple):
        return tuple(_derivatives(as_objects(part), by) for part in of)
    return _derivatives(as_objects(of), by)


def _derivatives(of: np.ndarray, by: np.ndarray) -> Any:
    out = np.empty(of.shape + by.shape, dtype=object)
    for i in np.ndindex(of.shape):
        for j in np.ndindex(by.shape):
            out[i + j] = simplified(slope_of(sp.sympify(of[i]), by[j]))
    return returned(out)


def _expressions(array: np.ndarray, table: dict[str, sp.Expr]) -> Any:
    out = np.empty(array.shape, dtype=object)
    for index, expression in zip(
        np.ndindex(array.shape), to_sympy(list(array.flat), table), strict=True
    ):
        out[index] = expression
    return returned(out)


def _declared(f: Any, handed: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """The declared formula on symbols, entry by entry where it is one of scalars."""
    arrays = [a for a in handed if _is_symbolic(a)]
    if all(a.ndim == 0 for a in arrays):
        result = apply_formula(
            f.formula, [a[()] if _is_symbolic(a) else a for a in handed], keywords
        )
    elif getattr(f, "elementwise", False):
        result = _by_entry(f, handed, keywords)
    else:
        wrapped = [a.view(FormulaArray) if _is_symbolic(a) else a for a in handed]
        try:
            result = apply_formula(f.formula, wrapped, keywords)
        except FormulaError as error:
            try:
                result = _by_entry(f, handed, keywords)
            except (FormulaError, ValueError):
                raise error from None
    if isinstance(result, tuple):
        return tuple(returned(as_objects(part)) for part in result)
    return returned(as_objects(result))


def _is_symbolic(argument: Any) -> bool:
    return isinstance(argument, np.ndarray) and argument.dtype == object


def _by_entry(f: Any, handed: Sequence[Any], keywords: dict[str, Any]) -> np.ndarray:
    arrays = np.broadcast_arrays(*handed)
    out = np.empty(arrays[0].shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = apply_formula(f.formula, [a[index] for a in arrays], keywords)
    return out
