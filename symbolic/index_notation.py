"""Index notation: entries ``x_ij``, sums over indices, and derivatives that collapse deltas.

An entry of an array, a sum over an index and a partial derivative are SymPy expressions here, with
their indices among their arguments. A bound index is named by the height of its sum, so that equal
sums are equal expressions, whatever their index was called, and no free index is ever captured.

May import: :mod:`symbolic.limits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symbolic.limits import OutOfTime, time_left, time_limit

_PATIENCE = 0.3  # seconds for one attempt to simplify

__all__ = [
    "Entry",
    "IndexSum",
    "Partial",
    "differentiate",
    "entries",
    "evaluate",
    "evaluate_exactly",
    "fresh",
    "local_derivative",
    "replace_entries",
    "slope_of",
    "summed",
    "tidy",
]


class _Atom(sp.Expr):
    """What calculus takes for a symbol of its own."""

    is_commutative = True
    is_number = False

    def _eval_is_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    @property
    def is_symbol_like(self) -> bool:
        return True


class Entry(_Atom):
    """The entry of an array at the given indices; the array itself where there are none.

    Examples
    --------
    >>> i, j = fresh(2)
    >>> Entry(sp.Symbol("x"), i).xreplace({i: j}) == Entry(sp.Symbol("x"), j)
    True
    """

    @property
    def array(self) -> sp.Symbol:
        return self.args[0]

    @property
    def indices(self) -> tuple[Any, ...]:
        return self.args[1:]


class Partial(_Atom):
    """The partial derivative of one entry by another, as a symbol."""

    @property
    def top(self) -> Entry:
        return self.args[0]

    @property
    def bottom(self) -> Entry:
        return self.args[1]


class IndexSum(_Atom):
    """The sum of an expression over an index, which runs over ``size`` values; see `summed`."""

    @property
    def summand(self) -> sp.Expr:
        return self.args[0]

    @property
    def index(self) -> sp.Symbol:
        return self.args[1]

    @property
    def size(self) -> sp.Integer:
        return self.args[2]

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return self.summand.free_symbols - {self.index}

    def opened(self) -> tuple[sp.Expr, sp.Symbol]:
        """The summand at a fresh index."""
        (index,) = fresh(1)
        return self.summand.xreplace({self.index: index}), index


def fresh(count: int) -> tuple[sp.Symbol, ...]:
    """New index symbols."""
    return tuple(sp.Dummy("i", integer=True, nonnegative=True) for _ in range(count))


def _height(expression: sp.Expr) -> int:
    return max((int(s.index.name[1:]) for s in expression.atoms(IndexSum)), default=0)


def _make_sum(expression: sp.Expr, index: sp.Symbol, size: int) -> sp.Expr:
    name = f"#{_height(expression) + 1}"
    bound = sp.Symbol(name, integer=True, nonnegative=True)
    return IndexSum(expression.xreplace({index: bound}), bound, sp.Integer(size))


def summed(expression: sp.Expr, index: sp.Symbol, size: int) -> sp.Expr:
    """The sum over an index: constant factors in front, deltas collapsed.

    Examples
    --------
    >>> i, k = fresh(2)
    >>> x = sp.Symbol("x")
    >>> summed(sp.KroneckerDelta(i, k) * Entry(x, i), i, 3) == Entry(x, k)
    True
    >>> summed(sp.Integer(2), i, 3)
    6
    """
    expression = sp.sympify(expression)
    if not expression.has(index):
        return size * expression
    if isinstance(expression, sp.Add):
        if any(not t.has(index) or _delta_of(t, index) for t in expression.args):
            return sp.Add(*(summed(term, index, size) for term in expression.args))
        return _make_sum(expression, index, size)
    factors = sp.Mul.make_args(expression)
    outside = [f for f in factors if not f.has(index)]
    inside = [f for f in factors if f.has(index)]
    for factor in inside:
        if isinstance(factor, sp.KroneckerDelta):
            a, b = factor.args
            other = b if a == index else a
            if index in (a, b):
                return sp.Mul(
                    *outside, *(f.xreplace({index: other}) for f in inside if f is not factor)
                )
    body = sp.Mul(*inside)
    if any(isinstance(f, sp.Add) and _delta_of(f, index) for f in inside):
        return sp.Mul(*outside) * summed(sp.expand_mul(body), index, size)
    return sp.Mul(*outside, _make_sum(body, index, size))


def _delta_of(expression: sp.Expr, index: sp.Symbol) -> bool:
    return any(index in delta.args for delta in _deltas(expression))


def _deltas(expression: sp.Expr) -> Iterator[sp.KroneckerDelta]:
    if isinstance(expression, sp.KroneckerDelta):
        yield expression
    elif isinstance(expression, (sp.Add, sp.Mul)):
        for part in expression.args:
            yield from _deltas(part)


def entries(expression: sp.Basic, inside_sums: bool = True) -> list[Any]:
    """Entries, partial derivatives and sums in an expression, outermost only or all entries."""
    found: list[Any] = []
    stack = [expression]
    while stack:
        e = stack.pop()
        if isinstance(e, IndexSum) and inside_sums:
            stack.append(e.summand)
        elif isinstance(e, _Atom):
            if e not in found:
                found.append(e)
        else:
            stack.extend(reversed(e.args))
    return found


def _with_symbols(expression: sp.Expr) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """Atoms and deltas as plain real symbols, for SymPy's calculus and simplification."""
    atoms = entries(expression, inside_sums=False)
    table = {a: sp.Dummy("e", real=True) for a in atoms}
    for delta in expression.xreplace(table).atoms(sp.KroneckerDelta):
        table[delta] = sp.Dummy("d", real=True)
    return expression.xreplace(table), {dummy: atom for atom, dummy in table.items()}


def _terms(expression: sp.Expr, array: sp.Symbol) -> list[tuple[sp.Expr, list, tuple]]:
    """The derivative by an array's entries: coefficients, sums that they stand in, and indices."""
    symbolic, back = _with_symbols(expression)
    found: list[tuple[sp.Expr, list, tuple]] = []
    for dummy, atom in back.items():
        if not (isinstance(atom, (Entry, IndexSum)) and atom.has(array)):
            continue
        slope = slope_of(symbolic, dummy).xreplace(back)
        if slope == 0:
            continue
        if isinstance(atom, Entry):
            found.append((slope, [], atom.indices))
        else:
            inner, index = atom.opened()
            for coefficient, bound, at in _terms(inner, array):
                found.append((slope * coefficient, [(index, int(atom.size)), *bound], at))
    return found


def slope_of(expression: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """The derivative as one writes it: cases in place of Heaviside's function.

    At a bound that is a number the derivative is that of the bound, 0; two formulas that tie in a
    maximum share it.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> slope_of(sp.Max(x, 0), x)
    Piecewise((1, x > 0), (0, True))
    >>> slope_of(sp.Max(x, y), x)
    Piecewise((1, x - y > 0), (1/2, Eq(x - y, 0)), (0, True))
    """
    slope = _by_cases(expression).diff(symbol)
    slope = slope.replace(sp.Heaviside, _step)
    # The square of a sign is 1 wherever there is a derivative.
    slope = slope.replace(
        lambda e: e.is_Pow and isinstance(e.base, sp.sign) and e.exp.is_even,
        lambda e: sp.Integer(1),
    )
    return slope.replace(sp.DiracDelta, lambda *_: sp.Integer(0))


def _by_cases(e: sp.Expr) -> sp.Expr:
    """Bounds that are numbers as cases: ``Max(x, 0)``, and ``Min(Max(x, 0), 1)`` in three."""
    if not e.has(sp.Max, sp.Min):
        return e
    bound, inner = _bound(e)
    if bound is None:
        return e.func(*(_by_cases(a) for a in e.args))
    other, innermost = _bound(inner)
    if other is not None and not isinstance(inner, type(e)):
        upper = isinstance(e, sp.Min)
        x = _by_cases(innermost)
        outside = (
            (innermost > bound, innermost < other)
            if upper
            else (innermost < bound, innermost > other)
        )
        return sp.Piecewise((bound, outside[0]), (other, outside[1]), (x, True))
    inside = inner > bound if isinstance(e, sp.Max) else inner < bound
    return sp.Piecewise((_by_cases(inner), inside), (bound, True))


def _bound(e: sp.Expr) -> tuple[sp.Expr | None, sp.Expr]:
    """The number that bounds the other argument of a maximum or minimum, if one does."""
    if isinstance(e, (sp.Max, sp.Min)) and len(e.args) == 2:
        for number, inner in (e.args, e.args[::-1]):
            if number.is_number:
                return number, inner
    return None, e


def _step(x: sp.Expr, *_: Any) -> sp.Expr:
    half = sp.Rational(1, 2)
    return sp.Piecewise((1, x > 0), (half, sp.Eq(x, 0)), (0, True))


def local_derivative(expression: sp.Expr, array: sp.Symbol, at: Sequence[Any]) -> sp.Expr:
    """The derivative of an expression by ``array`` at indices ``at``, deltas left where due.

    Examples
    --------
    >>> i, k, a = fresh(3)
    >>> x = sp.Symbol("x")
    >>> square = summed(Entry(x, k) ** 2, k, 3)
    >>> local_derivative(square, x, [a]) == 2 * Entry(x, a)
    True
    >>> local_derivative(Entry(x, i) ** 2, x, [a]) == 2 * Entry(x, i) * sp.KroneckerDelta(i, a)
    True
    """
    return differentiate(expression, (), array, at, sp.Integer(1))


def differentiate(
    expression: sp.Expr,
    own: Sequence[tuple[sp.Symbol, int]],
    array: sp.Symbol,
    at: Sequence[Any],
    upstream: sp.Expr,
) -> sp.Expr:
    """The chain rule: upstream times the derivative by ``array[at]``, summed over the own indices.

    Parameters
    ----------
    expression : sympy.Expr
        The entry that a definition gives, at its own indices.
    own : sequence of (index, size)
        These indices; they are summed over.
    array : sympy.Symbol
        The array to differentiate by.
    at : sequence
        At which of its entries.
    upstream : sympy.Expr
        The derivative of the output by the entry, in its own indices.
    """
    total = sp.Integer(0)
    for coefficient, bound, indices in _terms(expression, array):
        factor = upstream * coefficient
        sums = dict([*own, *bound])
        place = list(indices)
        for m, target in enumerate(at):
            index = place[m]
            if index in sums:
                del sums[index]
                factor = factor.xreplace({index: target})
                place = [target if p == index else p for p in place]
            elif index != target:
                factor = factor * sp.KroneckerDelta(index, target)
        for index, size in reversed(sums.items()):
            factor = summed(factor, index, size)
        total = total + factor
    return total


def replace_entries(
    expression: sp.Expr, array: sp.Symbol, own: Sequence[Any], by: sp.Expr
) -> sp.Expr:
    """Put an array's definition in the place of its entries, inside sums too."""
    table: dict[sp.Expr, sp.Expr] = {}
    for atom in entries(expression, inside_sums=False):
        if not atom.has(array):
            continue
        if isinstance(atom, Entry):
            table[atom] = by.xreplace(dict(zip(own, atom.indices, strict=True)))
        elif isinstance(atom, IndexSum):
            inner, index = atom.opened()
            table[atom] = summed(replace_entries(inner, array, own, by), index, int(atom.size))
    return expression.xreplace(table)


# Simplification


def tidy(expression: sp.Expr, fold: Callable[[sp.Expr], sp.Expr] | None = None) -> sp.Expr:
    """The shortest of a few equal forms; ``fold`` may put names in the place of sums.

    Examples
    --------
    >>> i, k = fresh(2)
    >>> x = sp.Symbol("x")
    >>> mean = summed(Entry(x, k), k, 3) / 3
    >>> tidy(summed(Entry(x, i) - mean, i, 3))
    0
    """
    spread = _spread(expression)
    if fold is not None:
        spread, expression = fold(spread), fold(expression)
    if spread != expression and spread.count_ops() <= expression.count_ops():
        expression = spread
    symbolic, back = _with_symbols(expression)
    size = symbolic.count_ops()
    # y x^(y - 1), not x^y y/x, at equal length: the one that holds at 0.
    forms = [sp.powsimp(symbolic), symbolic] if 1 < size <= 200 else [symbolic]
    if size <= 200:
        tries = [sp.factor_terms, sp.factor] if size > 1 else []
        if 3 < size <= 40 and symbolic.has(sp.exp, sp.log, sp.Function, sp.Pow):
            tries.append(sp.simplify)
        if symbolic.has(sp.Piecewise):
            tries = []  # SymPy folds factors into the cases
        for attempt in tries:
            try:
                with time_limit(_PATIENCE):
                    form = attempt(symbolic)
                # No function that the reader has not seen: exp(x) does not turn into a cosh.
                if _functions(form) <= _functions(symbolic):
                    forms.append(form)
            except (sp.PolynomialError, ValueError, TypeError, AttributeError, NotImplementedError):
                continue
            except OutOfTime:
                if time_left() <= 0:
                    raise
    best = min(forms, key=lambda e: (_length(e), forms.index(e)))
    return best.xreplace(back)


def _functions(e: sp.Expr) -> set[Any]:
    return {f.func for f in e.atoms(sp.Function)}


def _spread(expression: sp.Expr) -> sp.Expr:
    """Sums of sums as separate sums, so that equal ones cancel."""
    table = {}
    for atom in entries(expression, inside_sums=False):
        if isinstance(atom, IndexSum):
            inner, index = atom.opened()
            terms = sp.Add.make_args(sp.expand_mul(_spread(inner)))
            table[atom] = sp.Add(*(summed(term, index, int(atom.size)) for term in terms))
    return sp.expand_mul(expression.xreplace(table)) if table else expression


def _length(e: sp.Expr) -> int:
    # Quotients and long numbers read worse than the same number of products.
    quotients = sum(1 for p in e.atoms(sp.Pow) if p.exp.is_negative and p.base.is_Add)
    digits = sum(len(str(abs(n.p))) + len(str(n.q)) - 2 for n in e.atoms(sp.Rational))
    return int(e.count_ops()) + quotients + digits


# Values


def evaluate(
    expression: sp.Expr, own: Sequence[tuple[sp.Symbol, int]], tables: dict[Any, np.ndarray]
) -> np.ndarray:
    """The values of an expression at all of its own indices, in floats.

    Examples
    --------
    >>> i, k = fresh(2)
    >>> x = sp.Symbol("x")
    >>> total = Entry(x, i) * summed(Entry(x, k), k, 3)
    >>> evaluate(total, [(i, 3)], {x: np.array([1.0, 2.0, 3.0])})
    array([ 6., 12., 18.])
    """
    places = {}
    for axis, (index, size) in enumerate(own):
        shape = [1] * len(own)
        shape[axis] = size
        places[index] = np.arange(size).reshape(shape)
    value = _evaluate(expression, places, tables)
    return np.broadcast_to(value, [size for _, size in own]).copy()


def table_key(atom: Any) -> Any:
    """Where the values of an entry, or of a partial derivative, stand in the tables."""
    return (atom.top.array, atom.bottom.array) if isinstance(atom, Partial) else atom.array


def _evaluate(expression: sp.Expr, places: dict, tables: dict[Any, np.ndarray]) -> Any:
    symbolic, back = _with_symbols(expression)
    values = {}
    for dummy, atom in back.items():
        atom = atom.xreplace(back)  # a delta may have been found among replaced atoms
        if isinstance(atom, IndexSum):
            inner, index = atom.opened()
            size = int(atom.size)
            deeper = {i: np.asarray(p)[..., None] for i, p in places.items()}
            deeper[index] = np.arange(size)
            value = np.asarray(_evaluate(inner, deeper, tables), dtype=float)
            depth = len(places) and next(iter(places.values())).ndim
            value = value.reshape((1,) * (depth + 1 - value.ndim) + value.shape)
            values[dummy] = np.broadcast_to(value, (*value.shape[:-1], size)).sum(axis=-1)
        elif isinstance(atom, sp.KroneckerDelta):
            a, b = (_place(i, places) for i in atom.args)
            values[dummy] = (a == b).astype(float)
        else:
            indices = (
                atom.indices if isinstance(atom, Entry) else atom.top.indices + atom.bottom.indices
            )
            values[dummy] = tables[table_key(atom)][tuple(_place(i, places) for i in indices)]
    names = [d for d in back if symbolic.has(d)]
    function = sp.lambdify(names, symbolic, modules=["scipy", "numpy"])
    with np.errstate(all="ignore"):
        return function(*(values[name] for name in names))


def _place(index: Any, places: dict) -> Any:
    return places[index] if index in places else np.asarray(int(index))


def evaluate_exactly(expression: sp.Expr, places: dict, tables: dict[Any, np.ndarray]) -> sp.Expr:
    """The value at one place, as SymPy computes it from exact entries; sums are written out."""
    table = {}
    for atom in entries(expression, inside_sums=False):
        if isinstance(atom, IndexSum):
            inner, index = atom.opened()
            table[atom] = sp.Add(
                *(
                    evaluate_exactly(inner, {**places, index: sp.Integer(k)}, tables)
                    for k in range(int(atom.size))
                )
            )
        else:
            at = atom.xreplace(places)
            indices = at.indices if isinstance(at, Entry) else at.top.indices + at.bottom.indices
            table[atom] = tables[table_key(at)][tuple(int(i) for i in indices)]
    return expression.xreplace(table).xreplace(places)
