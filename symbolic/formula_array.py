"""Arrays of SymPy expressions on which NumPy's functions are SymPy's, entry by entry.

``np.exp``, ``np.maximum``, ``np.where`` and comparisons work on them; SymPy's own functions refuse
them (``sp.exp(array)`` raises), which is how a formula of scalars is told from one over arrays.

May import: nothing of gradproof.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

__all__ = ["FormulaArray"]

_HALF = sp.Rational(1, 2)


def _unevaluated_sigmoid(x: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-x))


_UFUNCS: dict[str, Callable[..., Any]] = {
    "exp": sp.exp,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: sp.exp(x) - 1,
    "log": sp.log,
    "log2": lambda x: sp.log(x) / sp.log(2),
    "log10": lambda x: sp.log(x) / sp.log(10),
    "log1p": lambda x: sp.log(1 + x),
    "logaddexp": lambda x, y: sp.log(sp.exp(x) + sp.exp(y)),
    "sqrt": sp.sqrt,
    "cbrt": lambda x: sp.sign(x) * sp.Abs(x) ** sp.Rational(1, 3),
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "absolute": sp.Abs,
    "fabs": sp.Abs,
    "sign": sp.sign,
    "maximum": sp.Max,
    "minimum": sp.Min,
    "fmax": sp.Max,
    "fmin": sp.Min,
    "heaviside": sp.Heaviside,
    "floor": sp.floor,
    "ceil": sp.ceiling,
    "hypot": lambda x, y: sp.sqrt(x**2 + y**2),
    "sin": sp.sin,
    "cos": sp.cos,
    "tan": sp.tan,
    "arcsin": sp.asin,
    "arccos": sp.acos,
    "arctan": sp.atan,
    "arctan2": sp.atan2,
    "sinh": sp.sinh,
    "cosh": sp.cosh,
    "tanh": sp.tanh,
    "arcsinh": sp.asinh,
    "arccosh": sp.acosh,
    "arctanh": sp.atanh,
    "conjugate": lambda x: sp.conjugate(x) if x.has(sp.I) else x,
    "less": sp.Lt,
    "less_equal": sp.Le,
    "greater": sp.Gt,
    "greater_equal": sp.Ge,
    "equal": sp.Eq,
    "not_equal": sp.Ne,
    "logical_and": sp.And,
    "logical_or": sp.Or,
    "logical_not": sp.Not,
    # scipy.special
    "expit": _unevaluated_sigmoid,
    "log_expit": lambda x: -sp.log(1 + sp.exp(-x)),
    "logit": lambda x: sp.log(x / (1 - x)),
    "erf": sp.erf,
    "erfc": sp.erfc,
    "gamma": sp.gamma,
    "gammaln": sp.loggamma,
    "psi": sp.digamma,
    "xlogy": lambda x, y: sp.Piecewise((0, sp.Eq(x, 0)), (x * sp.log(y), True)),
    "ndtr": lambda x: (1 + sp.erf(x / sp.sqrt(2))) * _HALF,
}


class FormulaArray(np.ndarray):
    """An object array of SymPy expressions.

    Examples
    --------
    >>> x = np.array(sp.symbols("x_0 x_1", real=True), dtype=object).view(FormulaArray)
    >>> np.exp(x) * 2
    FormulaArray([2*exp(x_0), 2*exp(x_1)], dtype=object)
    >>> np.where(x > 0, x, 0).tolist()
    [Piecewise((x_0, x_0 > 0), (0, True)), Piecewise((x_1, x_1 > 0), (0, True))]
    >>> sp.exp(x)
    Traceback (most recent call last):
    ...
    sympy.core.sympify.SympifyError: SympifyError: 'an array where a scalar is expected'
    """

    def _sympy_(self) -> Any:
        if self.ndim == 0:  # a sum over all entries, say
            return self[()]
        raise sp.SympifyError("an array where a scalar is expected")

    @property  # type: ignore[misc]
    def real(self) -> Any:  # type: ignore[override]
        return _wrap(np.frompyfunc(_real_part, 1, 1)(self.view(np.ndarray)))

    @property  # type: ignore[misc]
    def imag(self) -> Any:  # type: ignore[override]
        return _wrap(np.frompyfunc(_imag_part, 1, 1)(self.view(np.ndarray)))

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        plain = [i.view(np.ndarray) if isinstance(i, FormulaArray) else i for i in inputs]
        function = _UFUNCS.get(ufunc.__name__)
        if function is not None and method in ("__call__", "reduce", "accumulate", "outer"):
            arrays = [np.asarray(i, dtype=object) for i in plain]
            target = np.frompyfunc(_sympified(function), ufunc.nin, 1)
            if method == "reduce":
                return _wrap(_reduce(target, arrays[0], **kwargs))
        else:
            arrays, target = plain, ufunc
        if out is not None:
            kwargs["out"] = tuple(
                o.view(np.ndarray) if isinstance(o, FormulaArray) else o for o in out
            )
        return _wrap(getattr(target, method)(*arrays, **kwargs))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.where and len(args) == 3:
            condition, a, b = (np.asarray(part, dtype=object) for part in args)
            return _wrap(np.frompyfunc(_select, 3, 1)(condition, a, b))
        if func is np.clip:
            x, low, high = (*args, *(None,) * (3 - len(args)))[:3]
            low, high = kwargs.get("a_min", low), kwargs.get("a_max", high)
            x = x if low is None else np.maximum(x, low)
            return x if high is None else np.minimum(x, high)
        return super().__array_function__(func, types, args, kwargs)


def _real_part(x: Any) -> Any:
    x = sp.sympify(x)
    return x.as_real_imag()[0] if x.has(sp.I) else x


def _imag_part(x: Any) -> Any:
    x = sp.sympify(x)
    return x.as_real_imag()[1] if x.has(sp.I) else sp.Integer(0)


def _sympified(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        return function(*(sp.sympify(a) for a in args))

    return call


def _select(condition: Any, a: Any, b: Any) -> Any:
    return sp.Piecewise((a, sp.sympify(condition)), (b, True))


def _reduce(
    operation: Any, array: np.ndarray, axis: Any = 0, keepdims: bool = False, **_: Any
) -> Any:
    # One axis after the other: NumPy does not know that these operations may be reordered.
    axes = range(array.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    for a in sorted({a % array.ndim for a in axes}, reverse=True):
        array = np.asarray(operation.reduce(array, axis=a, keepdims=keepdims), dtype=object)
    return array


def _wrap(result: Any) -> Any:
    if isinstance(result, np.ndarray):
        return result.view(FormulaArray) if result.dtype == object else result
    if isinstance(result, tuple):
        return tuple(_wrap(part) for part in result)
    if isinstance(result, sp.Basic):
        # 0-d stays an array, so that NumPy's functions go on working on it.
        array = np.empty((), dtype=object)
        array[()] = result
        return array.view(FormulaArray)
    return result
