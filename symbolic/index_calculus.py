"""Calculus on forms in index notation: derivatives, equality, values.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.index_sums`,
:mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from symbolic.index_form import FIRST, Form, Generator, Index, delta, fresh, product, renamed
from symbolic.index_functions import apply, exponential, number, power
from symbolic.index_sums import summed
from symbolic.values import TraceError

__all__ = ["SLOPES", "derivative", "evaluate", "is_zero", "size_value", "vjp"]


# Derivatives


def _over_root(sign: int, shift: int) -> Callable[[Form], Form]:
    """The slope ``(shift + sign x^2)^(-1/2)``."""
    return lambda x: power(number(shift) + number(sign) * x * x, Fraction(-1, 2))


def _gauss(x: Form) -> Form:
    return number(2) * power(number(np.pi), Fraction(-1, 2)) * exponential(-(x * x))


# Of functions that the normal form knows nothing about.
SLOPES: dict[str, Callable[[Form], Form]] = {
    "sin": lambda x: apply("cos", x),
    "cos": lambda x: -apply("sin", x),
    "arctan": lambda x: power(number(1) + x * x, -1),
    "arctanh": lambda x: power(number(1) - x * x, -1),
    "arcsin": _over_root(-1, 1),
    "arccos": lambda x: -_over_root(-1, 1)(x),
    "arcsinh": _over_root(1, 1),
    "arccosh": _over_root(1, -1),
    "erf": _gauss,
    "gammaln": lambda x: apply("digamma", x),
}


def derivative(form: Form, array: str, at: Sequence[Index]) -> Form:
    """The derivative by the entry of ``array`` at the indices ``at``.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> i, a = ("i", "n"), ("a", "n")
    >>> x = entry("x", (i,))
    >>> derivative(summed(x * x, [i]), "x", [a])
    2*x[a]
    """
    total = Form()
    if array not in form.arrays:
        return total
    for monomial, c in form.terms.items():
        for g, e in monomial:
            if array in g.arrays:
                rest = dict(monomial)
                rest[g] = e - 1
                total = total + product(c * e, rest) * _slope(g, array, at)
    return total


def _slope(g: Generator, array: str, at: Sequence[Index]) -> Form:
    if g.kind == "entry":
        result = number(1)
        for i, a in zip(g.args[1], at, strict=True):
            if i != FIRST and i[1] != a[1]:
                raise TraceError(f"an entry of {array} at an index of another size")
            result = result * delta(i, a)
        return result
    if g.kind == "sum":
        bound, summand = g.args
        new = [fresh(symbol) for _, symbol in bound]
        inside = renamed(summand, dict(zip(bound, new, strict=True)))
        return summed(derivative(inside, array, at), new)
    if g.kind == "exp":
        return product(1, {g: 1}) * derivative(g.args[0], array, at)
    if g.kind == "base":
        return derivative(g.args[0], array, at)
    if g.kind == "log":
        return power(g.args[0], -1) * derivative(g.args[0], array, at)
    if g.kind == "abs":
        return product(1, {g: 1, g.args[0]: -1}) * _slope(g.args[0], array, at)
    if g.kind in SLOPES:
        return SLOPES[g.kind](g.args[0]) * derivative(g.args[0], array, at)
    raise TraceError(f"no derivative of {g.kind} is known for every size")


def vjp(
    outputs: Sequence[tuple[Form, Form, Sequence[Index]]], array: str, at: Sequence[Index]
) -> Form:
    """The vector-Jacobian product: of each output its form, upstream gradient and indices."""
    total = Form()
    for form, upstream, indices in outputs:
        # The indices of the argument are not those of the output.
        new = {i: fresh(i[1]) for i in indices}
        slope = derivative(renamed(form, new), array, at)
        total = total + summed(renamed(upstream, new) * slope, list(new.values()))
    return total


# Equality


def is_zero(form: Form) -> bool:
    """Whether a form is zero for every size, wherever it is defined; False says nothing.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> x, y = entry("x", ()), entry("y", ())
    >>> share = lambda a: a * power(x + y, -1)
    >>> is_zero(share(x) + share(y) - number(1))
    True
    """
    for _ in range(40):
        if not form:
            return True
        lowest: dict[Generator, Any] = {}
        for monomial in form.terms:
            for g, e in monomial:
                if g.kind == "base" and e < lowest.get(g, 0):
                    lowest[g] = e
        if not lowest:
            return False
        g = min(lowest, key=lambda g: (g.height, g.key))
        raised = ceil(-lowest[g])
        total = Form()
        for monomial, c in form.terms.items():
            powers = dict(monomial)
            powers[g] = powers.get(g, 0) + raised
            total = total + product(c, powers)
        form = total
    return False


# Values

_UFUNCS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in ("exp", "sin", "cos", "arctan", "arctanh", "arcsin", "arccos", "arcsinh", "arccosh")
}
_CONSTANTS = {"pi": np.pi, "euler": np.euler_gamma}


def size_value(form: Form, sizes: Mapping[str, int]) -> Fraction:
    """The value of a form in sizes alone, exactly.

    Examples
    --------
    >>> from symbolic.index_form import size
    >>> size_value(size("n") - number(1), {"n": 4})
    Fraction(3, 1)
    """
    total = Fraction(0)
    for monomial, c in form.terms.items():
        for g, e in monomial:
            if g.kind == "size":
                c = c * Fraction(sizes[g.args[0]]) ** e
            elif g.kind == "base":
                c = c * size_value(g.args[0], sizes) ** e
            else:
                raise TraceError(f"a size that depends on {g.key}")
        total += c
    return total


def evaluate(
    form: Form,
    indices: Sequence[Index],
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    dtype: Any = np.float64,
) -> np.ndarray:
    """The values at all of the indices, in floats of that type.

    ``arrays`` have one axis for each index of their entries.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> i, k = ("i", "n"), ("k", "n")
    >>> total = entry("x", (i,)) * summed(entry("x", (k,)), [k])
    >>> evaluate(total, [i], {"x": np.array([1.0, 2.0, 3.0])}, {"n": 3})
    array([ 6., 12., 18.])
    """
    table = _Values({name: np.asarray(v, dtype) for name, v in arrays.items()}, sizes, dtype)
    with np.errstate(all="ignore"):
        found = table.form(form, dict(zip(indices, range(len(indices)), strict=True)))
    shape = tuple(sizes[symbol] for _, symbol in indices)
    return np.array(np.broadcast_to(found, shape))


class _Values:
    """Values of generators as arrays whose axes are the indices in scope, in order."""

    def __init__(self, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], dtype: Any):
        self.arrays, self.sizes = arrays, sizes
        self.number = np.dtype(dtype).type

    def form(self, form: Form, scope: Mapping[Index, int]) -> Any:
        total: Any = self.number(0)
        for monomial, c in form.terms.items():
            term: Any = self.number(c.numerator) / self.number(c.denominator)
            for g, e in monomial:
                value = self.generator(g, scope)
                term = term * (value if e == 1 else value ** self.exponent(e))
            total = total + term
        return total

    def exponent(self, e: Any) -> Any:
        return self.number(e.numerator) / self.number(e.denominator)

    def places(self, index: Index, scope: Mapping[Index, int]) -> Any:
        if index == FIRST:
            return 0
        axis, depth = scope[index], len(scope)
        return np.arange(self.sizes[index[1]]).reshape(
            [-1 if k == axis else 1 for k in range(depth)]
        )

    def generator(self, g: Generator, scope: Mapping[Index, int]) -> Any:
        kind, args = g.kind, g.args
        if kind == "entry":
            values = self.arrays[args[0]]
            return values[tuple(self.places(i, scope) for i in args[1])] if args[1] else values
        if kind == "size":
            return self.number(self.sizes[args[0]])
        if kind == "number":
            return self.number(args[0])
        if kind == "constant":
            return self.number(_CONSTANTS[args[0]])
        if kind == "delta":
            i, j = (self.places(i, scope) for i in args)
            return np.asarray(i == j, dtype=self.number)
        if kind in ("sum", "greatest"):
            return self.reduction(g, scope)
        if kind == "abs":
            return np.abs(self.generator(args[0], scope))
        inner = self.form(args[0], scope)
        if kind == "base":
            return inner
        if kind == "log":
            return np.log(np.abs(inner))
        if kind in _UFUNCS:
            return _UFUNCS[kind](inner)
        from scipy import special

        return getattr(special, kind)(np.asarray(inner, dtype=float))

    def reduction(self, g: Generator, scope: Mapping[Index, int]) -> Any:
        """Over new axes behind those in scope."""
        bound, inside, *by = g.args
        values = self.spread(inside, bound, scope)
        if g.kind == "sum":
            return np.sum(values, axis=-1)
        keys, values = np.broadcast_arrays(self.spread(by[0], bound, scope), values)
        return np.take_along_axis(values, np.argmax(keys, axis=-1)[..., None], axis=-1)[..., 0]

    def spread(self, form: Form, bound: Sequence[Index], scope: Mapping[Index, int]) -> Any:
        """The values at all of the bound indices, along one axis behind those in scope."""
        depth = len(scope)
        wider = {**scope, **{i: depth + k for k, i in enumerate(bound)}}
        lengths = [self.sizes[symbol] for _, symbol in bound]
        values = np.asarray(self.form(form, wider), dtype=self.number)
        values = values.reshape((1,) * (len(wider) - values.ndim) + values.shape)
        values = np.broadcast_to(values, (*values.shape[:depth], *lengths))
        return values.reshape(*values.shape[:depth], -1)
