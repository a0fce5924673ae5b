"""Declared formulas: SymPy in, SymPy out, put on the entries of traced arrays.

A formula is written for scalars, or for NumPy arrays of SymPy expressions; which of the two is
found out by trying, with arrays that SymPy's functions refuse. Piecewise definitions are decided at
the sample point, and the decisions recorded in the trace, as those of any other code.

May import: :mod:`symbolic.graph`, :mod:`symbolic.values`, :mod:`symbolic.sympy_bridge`,
:mod:`symbolic.formula_array`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symbolic.formula_array import FormulaArray
from symbolic.graph import Graph, Node
from symbolic.primitives import FLOAT, LEAVES
from symbolic.sympy_bridge import UnknownOperation, from_sympy, to_sympy
from symbolic.values import Symbol, Trace

__all__ = ["FormulaError", "apply_formula", "exact", "formula_nodes", "node_values"]


class FormulaError(Exception):
    """A declared formula cannot be evaluated on SymPy expressions, or has the wrong shape."""


def formula_nodes(
    formula: Any,
    arguments: Sequence[Any],
    keywords: dict[str, Any],
    trace: Trace,
    shapes: Sequence[tuple[int, ...]] | None = None,
    elementwise: bool | None = None,
) -> list[np.ndarray]:
    """What a declared formula gives on traced inputs, on the cell of the sample point.

    Parameters
    ----------
    formula : callable or Function class
        SymPy in, SymPy out. A class stands for its ``formula`` and its ``elementwise``.
    arguments : sequence
        Arrays of :class:`~symbolic.values.Symbol` for what is traced; anything else (a number, an
        array of numbers, an index) as it is.
    keywords : dict
        Keyword arguments of the formula, the same that ``forward`` gets.
    trace : Trace
        The graph to build in; decisions (of ``Piecewise``, ``Max``, ``Abs``...) are recorded here.
    shapes : sequence of tuple, optional
        The shape that each output must have.
    elementwise : bool, optional
        Whether the formula is written for scalars. Found out by trying where it is not given.

    Returns
    -------
    list of ndarray
        For each output, the object array of its entries' nodes.

    Raises
    ------
    FormulaError
        The formula raises, gives another shape, or uses a function that has no counterpart.

    Examples
    --------
    >>> trace = Trace()
    >>> x = np.array([trace.symbol("x_0", 0.5), trace.symbol("x_1", -2.0)])
    >>> softplus = lambda x: sp.log(1 + sp.exp(x))
    >>> formula_nodes(softplus, [x], {}, trace)
    [array([log(add(1, exp(x_0))), log(add(1, exp(x_1)))], dtype=object)]
    >>> formula_nodes(lambda x: sp.Max(x, 0), [x], {}, trace)
    [array([x_0, 0], dtype=object)]
    >>> len(trace.conditions)
    2
    """
    if isinstance(formula, type):
        elementwise = bool(getattr(formula, "elementwise", False)) or elementwise
        formula = formula.formula  # type: ignore[attr-defined]
    cell = _Cell(trace)
    traced = [_traced(a) for a in arguments]
    names = parameter_names(formula, len(arguments))
    nodes: list[np.ndarray] = []
    mismatch: FormulaError | None = None
    failure: FormulaError | None = None
    if elementwise is not True:
        handed = _per_entry(names, arguments, traced, cell)
        try:
            outputs = _outputs(apply_formula(formula, handed, keywords))
            nodes = [cell.nodes(output) for output in outputs]
            if shapes is None or [o.shape for o in nodes] == [tuple(s) for s in shapes]:
                return nodes
            if len(shapes) == 1 and len(nodes) > 1:  # a tuple that is one array
                nodes = [np.stack(nodes)] if len({o.shape for o in nodes}) == 1 else nodes
                if nodes[0].shape == tuple(shapes[0]):
                    return nodes
            mismatch = FormulaError(
                f"the formula gives shape {_list(o.shape for o in nodes)}, "
                f"forward gives {_list(shapes)}"
            )
        except (FormulaError, UnknownOperation) as error:
            failure = FormulaError(str(error))
            if elementwise is False:
                raise failure from error
        if mismatch and (elementwise is False or not _constant_along(nodes, shapes)):
            raise mismatch
    try:
        entries = _broadcast(formula, names, arguments, traced, keywords, cell, shapes)
    except (FormulaError, UnknownOperation) as error:
        message = str(error)
        if failure is not None and str(failure) != message:
            message = f"{failure} (and, entry by entry: {message})"
        raise FormulaError(message) from error
    # Of the wrong shape over arrays, yet one of scalars: `lambda x: 1`, or one argument unused.
    # A sum over the entries is neither, though it can be called on a scalar.
    if mismatch and not _same(nodes[0], entries):
        raise mismatch
    return [entries]


def _list(shapes: Any) -> str:
    return ", ".join(str(tuple(shape)) for shape in shapes)


def _constant_along(nodes: list[np.ndarray], shapes: Any) -> bool:
    """Whether one output of a smaller shape may be meant to be broadcast."""
    if len(nodes) != 1 or len(shapes) != 1:
        return False
    try:
        return np.broadcast_shapes(nodes[0].shape, shapes[0]) == tuple(shapes[0])
    except ValueError:
        return False


def _same(nodes: np.ndarray, entries: np.ndarray) -> bool:
    wide = np.broadcast_to(nodes, entries.shape)
    return all(wide[index] is entries[index] for index in np.ndindex(entries.shape))


def parameter_names(formula: Callable[..., Any], count: int) -> list[str]:
    """Names for ``count`` positional arguments, as the signature has them."""
    names: list[str] = []
    try:
        parameters = inspect.signature(formula).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        parameters = ()  # type: ignore[assignment]
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}{i + 1}" for i in range(count - len(names))]
        elif p.kind is not p.KEYWORD_ONLY and p.kind is not p.VAR_KEYWORD:
            names.append(p.name)
    names += [f"a{i}" for i in range(len(names), count)]
    return names[:count]


def exact(value: Any) -> Any:
    """A float as the number that it stands for (0.1 as 1/10); anything else as it is.

    Examples
    --------
    >>> exact(0.1), exact(0.7071067811865476), exact(3), exact("mean")
    (1/10, sqrt(2)/2, 3, 'mean')
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if value != value:
            return sp.nan
        if value in (float("inf"), float("-inf")):
            return sp.oo if value > 0 else -sp.oo
        (expression,) = to_sympy([Graph().number(value)])
        return expression
    if isinstance(value, np.integer):
        return int(value)
    return value


def apply_formula(formula: Callable[..., Any], handed: list[Any], keywords: dict[str, Any]) -> Any:
    """Call a formula, numbers made exact; what it raises becomes a :class:`FormulaError`."""
    first: Exception | None = None
    exactly = {name: exact(value) for name, value in keywords.items()}
    # Floats as they are only if the formula cannot take SymPy's numbers (it calls np.log on one).
    attempts = (
        [exactly, keywords] if any(isinstance(v, float) for v in keywords.values()) else [exactly]
    )
    for given in attempts:
        try:
            return formula(*handed, **given)
        except Exception as error:  # user code: whatever it raises, the formula does not apply
            first = first or error
    assert first is not None
    raise FormulaError(_advice(formula, first)) from first


def _advice(formula: Callable[..., Any], error: Exception) -> str:
    name = getattr(formula, "__qualname__", "formula")
    if "truth value" in str(error) or "ambiguous" in str(error):
        return (
            f"{name} asks for the truth of a symbolic condition: write sympy.Piecewise((a, x > 0), "
            "(b, True)), Max, Min or Abs in place of `if`, `max`, `min`"
        )
    return f"{name} raises {type(error).__name__}: {error}"


def _traced(argument: Any) -> bool:
    """Whether an argument is a symbol, or an array with one in it."""
    if isinstance(argument, Symbol):
        return True
    return (
        isinstance(argument, np.ndarray)
        and argument.dtype == object
        and any(isinstance(entry, Symbol) for entry in argument.flat)
    )


class _Cell:
    """Translation into the trace's graph, with conditions decided at the sample point."""

    def __init__(self, trace: Trace):
        self.trace = trace
        graph = trace.graph
        self.names: dict[Any, Node] = {
            sp.nan: graph.number(float("nan")),
            sp.oo: graph.number(float("inf")),
            -sp.oo: graph.number(float("-inf")),
        }
        self.values: dict[Node, Any] = {}

    def bind(self, symbol: sp.Symbol, entry: Symbol) -> None:
        self.names[symbol] = entry.node
        self.values[entry.node] = entry.value

    def node(self, expression: Any) -> Node:
        if isinstance(expression, Symbol):
            return expression.node
        if isinstance(expression, Node):
            return expression
        try:
            expression = sp.sympify(exact(expression))
        except (sp.SympifyError, TypeError, AttributeError) as error:
            raise FormulaError(
                f"the formula returns {expression!r}, no SymPy expression"
            ) from error
        if not isinstance(expression, sp.Expr):
            if expression in (sp.true, sp.false):
                return self.trace.graph.constant(int(bool(expression)))
            raise FormulaError(f"the formula returns {expression}, which is no number")
        if expression.has(sp.Sum, sp.Product, sp.Derivative, sp.Integral):
            expression = expression.doit()
        if expression.has(sp.arg):  # of a real number
            expression = expression.replace(
                sp.arg, lambda x: sp.Piecewise((sp.pi, x < 0), (0, True))
            )
        unknown = expression.free_symbols - self.names.keys()
        if unknown:
            raise FormulaError(f"the formula has a symbol of its own, {sorted(map(str, unknown))}")
        return from_sympy(self.trace.graph, expression, self.names, self.choose)

    def nodes(self, expressions: np.ndarray) -> np.ndarray:
        out = np.empty(expressions.shape, dtype=object)
        for index in np.ndindex(expressions.shape):
            out[index] = self.node(expressions[index])
        return out

    def choose(self, condition: Any) -> bool:
        """The truth of a SymPy condition at the sample point, recorded in the trace."""
        if condition in (sp.true, sp.false):
            return bool(condition)
        if isinstance(condition, sp.And):
            return all(self.choose(part) for part in _ordered(condition))
        if isinstance(condition, sp.Or):
            return any(self.choose(part) for part in _ordered(condition))
        if isinstance(condition, sp.Not):
            return not self.choose(condition.args[0])
        kind = (
            _RELATIONS.get(condition.rel_op)
            if isinstance(condition, sp.core.relational.Relational)
            else None
        )
        if kind is None:
            raise FormulaError(f"the formula has a condition that cannot be decided: {condition}")
        relation, swap, negate = kind
        left, right = (self.lift(side) for side in (condition.lhs, condition.rhs))
        if swap:
            left, right = right, left
        return self.trace.decide(relation, left, right) != negate

    def lift(self, expression: sp.Expr) -> Symbol:
        node = self.node(expression)
        return Symbol(node, node_values([node], self.values)[0], self.trace)


def _ordered(condition: Any) -> list[Any]:
    # SymPy keeps the parts of And and Or as a set: a fixed order makes traces reproducible.
    return sorted(condition.args, key=sp.default_sort_key)


# SymPy's relation: the trace's relation, whether the sides are swapped, whether it is negated.
_RELATIONS: dict[str, tuple[str, bool, bool]] = {
    "<": ("<", False, False),
    "<=": ("<=", False, False),
    ">": ("<", True, False),
    ">=": ("<=", True, False),
    "==": ("==", False, False),
    "!=": ("==", False, True),
}


def node_values(roots: Sequence[Node], known: dict[Node, Any]) -> list[Any]:
    """The values of nodes in floats, given those of some nodes below them; ``known`` grows."""
    stack = list(roots)
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
        elif node.op in LEAVES:
            if node.op == "var":
                raise FormulaError(f"no value is known for {node.args[0]}")
            known[node] = FLOAT.leaf(node.op, node.args)
            stack.pop()
        else:
            missing = [child for child in node.args if child not in known]
            if missing:
                stack += missing
                continue
            stack.pop()
            with np.errstate(all="ignore"):
                if node.op == "pow" and node.args[1].op == "const":
                    known[node] = FLOAT.power(known[node.args[0]], node.args[1].args[0])
                else:
                    known[node] = FLOAT.table[node.op](*(known[c] for c in node.args))
    return [known[root] for root in roots]


def _per_entry(
    names: list[str], arguments: Sequence[Any], traced: list[bool], cell: _Cell
) -> list[Any]:
    """Arguments for a formula over arrays: a symbol for each entry; scalars where all are 0-d."""
    plain = all(
        np.ndim(a) == 0 for a, is_traced in zip(arguments, traced, strict=True) if is_traced
    )
    handed = []
    for name, argument, is_traced in zip(names, arguments, traced, strict=True):
        if not is_traced:
            handed.append(_exact_argument(argument))
            continue
        array = np.empty(np.shape(argument), dtype=object)
        entries = np.asarray(argument, dtype=object) if isinstance(argument, np.ndarray) else None
        for index in np.ndindex(array.shape):
            entry = argument if entries is None else entries[index]
            array[index] = _entry_symbol("_".join([name, *map(str, index)]), entry, cell)
        handed.append(array[()] if plain else array.view(FormulaArray))
    return handed


def _entry_symbol(name: str, entry: Any, cell: _Cell) -> sp.Expr:
    if not isinstance(entry, Symbol):
        return sp.sympify(exact(entry))
    if entry.node.op in LEAVES and entry.node.op != "var":
        (number,) = to_sympy([entry.node])
        return number
    symbol = sp.Symbol(name, real=True)
    cell.bind(symbol, entry)
    return symbol


def _exact_argument(argument: Any) -> Any:
    """A plain argument: floats made exact, integers and masks (indices, labels) left alone."""
    if isinstance(argument, np.ndarray) and argument.dtype.kind == "f":
        array = np.empty(argument.shape, dtype=object)
        for index in np.ndindex(array.shape):
            array[index] = sp.sympify(exact(argument[index]))
        return array[()] if array.ndim == 0 else array.view(FormulaArray)
    if isinstance(argument, np.ndarray) and argument.ndim == 0 and argument.dtype.kind in "iub":
        return argument[()].item()
    return exact(argument)


def _broadcast(
    formula: Callable[..., Any],
    names: list[str],
    arguments: Sequence[Any],
    traced: list[bool],
    keywords: dict[str, Any],
    cell: _Cell,
    shapes: Sequence[tuple[int, ...]] | None,
) -> np.ndarray:
    """A formula of scalars, entry by entry: called once on generic symbols, put on each entry."""
    varying = [
        t or (isinstance(a, np.ndarray) and a.ndim > 0 and a.dtype.kind in "iuf")
        for a, t in zip(arguments, traced, strict=True)
    ]
    try:
        arrays = np.broadcast_arrays(
            *[_objects(a) for a, v in zip(arguments, varying, strict=True) if v]
        )
    except ValueError as error:
        raise FormulaError(f"the formula is one of scalars, but {error}") from error
    shape = arrays[0].shape if arrays else ()
    if shapes is not None and (len(shapes) != 1 or tuple(shapes[0]) != shape):
        raise FormulaError(
            f"entry by entry the formula gives shape {shape}, forward gives {_list(shapes)}"
        )
    placeholders = [sp.Symbol(name, real=True) for name in names]
    handed = [
        p if v else _exact_argument(a)
        for p, a, v in zip(placeholders, arguments, varying, strict=True)
    ]
    symbols = [p for p, v in zip(placeholders, varying, strict=True) if v]
    try:
        generic = _scalar(apply_formula(formula, handed, keywords))
    except FormulaError:
        if all(traced):
            raise
        generic = None  # it needs the numbers themselves: call it for each entry
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        numbers = {}
        for symbol, array in zip(symbols, arrays, strict=True):
            entry: Any = array[index]
            if not isinstance(entry, Symbol):
                numbers[symbol] = sp.sympify(exact(entry))
                entry = cell.trace.lift(entry)
            cell.bind(symbol, entry)
        expression = generic
        if generic is None:
            expression = _scalar(
                apply_formula(formula, [_at(numbers, h) for h in handed], keywords)
            )
        out[index] = cell.node(expression)
    return out


def _at(numbers: dict[sp.Symbol, sp.Expr], handed: Any) -> Any:
    return numbers.get(handed, handed) if isinstance(handed, sp.Symbol) else handed


def _objects(argument: Any) -> np.ndarray:
    array = np.empty(np.shape(argument), dtype=object)
    array[...] = argument
    return array


def _scalar(result: Any) -> Any:
    if isinstance(result, np.ndarray) and result.ndim == 0:
        return result[()]
    if isinstance(result, (tuple, list, np.ndarray)):
        raise FormulaError("the formula of an elementwise Function returns more than one value")
    return result


def _outputs(result: Any) -> list[np.ndarray]:
    """What a formula returned, as one object array for each output."""
    several = isinstance(result, tuple) and not isinstance(result, sp.Basic)
    return [as_objects(r) for r in result] if several else [as_objects(result)]


def as_objects(result: Any) -> np.ndarray:
    """An expression, nested lists, a SymPy array or matrix, or a NumPy array as an object array."""
    if isinstance(result, np.ndarray):
        return result.view(np.ndarray)
    if isinstance(result, (sp.NDimArray, sp.MatrixBase)):
        out = np.empty(result.shape, dtype=object)
        for index in np.ndindex(out.shape):
            out[index] = result[index]
        return out
    if isinstance(result, (list, tuple)):
        parts = [as_objects(part) for part in result]
        if len({part.shape for part in parts}) > 1:
            raise FormulaError("the formula returns a ragged list")
        out = np.empty((len(parts), *(parts[0].shape if parts else ())), dtype=object)
        for i, part in enumerate(parts):
            out[i] = part[()] if part.ndim == 0 else part
        return out
    out = np.empty((), dtype=object)
    out[()] = result
    return out
