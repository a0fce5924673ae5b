"""A recorded graph, read back into definitions in index notation.

Chains of elementwise operations become one formula; what a reduction or a product of matrices
takes and gives gets a name of its own. A Function that has no rule stays a name, whose local
derivative is known by its values.

May import: :mod:`symbolic.index_rules`, :mod:`symbolic.index_notation`, :mod:`symbolic.formulas`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from symbolic.formula_array import FormulaArray
from symbolic.formulas import (
    FormulaError,
    apply_formula,
    as_objects,
    exact,
    formula_nodes,
    node_values,
    parameter_names,
)
from symbolic.graph import Graph
from symbolic.index_notation import Entry, entries, evaluate
from symbolic.index_rules import GATHERS, RULES, Indexed, NoIndexForm, gather, new_axes
from symbolic.sympy_bridge import UnknownOperation

__all__ = ["Recorded", "Variable"]

_MOST_NODES = 2000
_MOST_JACOBIAN = 4096
_LONG = 14  # operations in a formula before a part of it gets a name
_SHARED = 6  # the same, if it is used more than once


@dataclass
class Variable:
    """An array with a name: a leaf, a constant, or a step of the computation.

    ``entry`` is the definition, None for leaves, constants and results without a formula; ``own``
    are its indices; ``kind`` says in words what defines it.
    """

    symbol: sp.Symbol
    shape: tuple[int, ...]
    axes: tuple[Any, ...]
    value: np.ndarray
    entry: sp.Expr | None = None
    kind: str = ""
    role: str = "step"
    origin: Any = None
    jacobians: dict[sp.Symbol, np.ndarray | None] = field(default_factory=dict)
    explicit: np.ndarray | None = None
    rows_sum_to_one: bool = False

    @property
    def own(self) -> list[tuple[sp.Symbol, int]]:
        return [
            (a, n) for a, n in zip(self.axes, self.shape, strict=True) if isinstance(a, sp.Symbol)
        ]

    @property
    def indices(self) -> tuple[sp.Symbol, ...]:
        return tuple(a for a in self.axes if isinstance(a, sp.Symbol))

    @property
    def table(self) -> np.ndarray:
        """The values, with one axis for each index."""
        return np.asarray(self.value, dtype=float).reshape([n for _, n in self.own])

    def at(self, indices: Any) -> Entry:
        return Entry(self.symbol, *indices)

    @property
    def uses(self) -> set[sp.Symbol]:
        if self.jacobians:
            return set(self.jacobians)
        if self.entry is None:
            return set()
        return {e.array for e in entries(self.entry) if isinstance(e, Entry)}


class Recorded:
    """The definitions behind a Tensor, back to its leaves.

    Attributes
    ----------
    variables : list of Variable
        Leaves, constants and steps, each after those that it uses.
    out, wrt : Variable
    """

    def __init__(self, out: Any, wrt: Any):
        self.variables: list[Variable] = []
        self._indexed: dict[Any, Indexed] = {}
        self._values: dict[Any, Any] = {}
        self._named: dict[Any, Variable] = {}
        self._wrt = wrt._node or wrt
        self.nodes = self._collect(out, wrt)
        if self._wrt not in self._leaves:
            raise ValueError("the output does not depend on the tensor to differentiate by")
        self.flat = self._is_flat(out)
        for leaf, tensor in self._leaves.items():
            self._leaf(leaf, tensor)
        for node in self.nodes:
            self._step(node)
        root = out._node
        self.out = self._name(root, "") if root not in self._named else self._named[root]
        if self.out.role != "step":
            raise ValueError("the output is the tensor to differentiate by")
        self.wrt = self._named[self._wrt]
        self._inline()

    # Reading the graph

    def _collect(self, out: Any, wrt: Any) -> list[Any]:
        """The nodes, each after its inputs; a tensor to differentiate by counts as a leaf."""
        self._leaves: dict[Any, Any] = {}
        self._consumers: dict[Any, int] = {}
        seen: dict[Any, None] = {}
        stack = [out._node]
        while stack:
            node = stack.pop()
            if node is self._wrt:
                self._leaves[node] = wrt
                continue
            if node in seen:
                continue
            seen[node] = None
            if len(seen) > _MOST_NODES:
                raise ValueError(f"the graph has more than {_MOST_NODES} operations")
            for edge in {id(e): e for e in _parents(node) if e is not None}.values():
                self._consumers[edge] = self._consumers.get(edge, 0) + 1
                if hasattr(edge, "_order"):
                    stack.append(edge)
                else:
                    self._leaves[edge] = edge
        return sorted(seen, key=lambda node: -node._order)

    def _is_flat(self, out: Any) -> bool:
        """Whether one index for all axes will do: nothing but elementwise steps and full sums."""
        from autodiff.graph import expected

        size = None
        for node in self.nodes:
            if not hasattr(node, "_function") or node._outputs is not None:
                return False  # one of several outputs
            name, (constants, keywords) = node._function.__name__, _given(node)
            shapes = [node._shape, *(expected(e)[0] for e in node._edges if e is not None)]
            shapes += [np.shape(c) for c in constants]
            if name in ("Sum", "Mean", "Norm", "Var", "Std", "Logsumexp"):
                (shape,) = shapes[1:2]
                axis = keywords.get("axis")
                if axis is not None and len(np.atleast_1d(axis)) < len(shape):
                    return False
                shapes = shapes[1:2]
            elif not _is_elementwise(node._function):
                return False
            for shape in shapes:
                if np.prod(shape) != 1:
                    if size is not None and tuple(shape) != size:
                        return False
                    size = tuple(shape)
        return True

    def _shape(self, shape: Any) -> tuple[int, ...]:
        """The shape as index notation sees it: one axis for all where one index will do."""
        if not self.flat:
            return tuple(shape)
        size = int(np.prod(shape))
        return (size,) if size != 1 else ()

    def _leaf(self, leaf: Any, tensor: Any) -> None:
        self._add(leaf, np.asarray(tensor._data), None, "leaf", "", tensor)

    def _add(
        self,
        key: Any,
        value: np.ndarray,
        indexed: Indexed | None,
        role: str,
        kind: str,
        origin: Any,
    ) -> Variable:
        shape = self._shape(value.shape)
        axes = new_axes(shape) if indexed is None else indexed.axes
        symbol = sp.Symbol(f"_v{len(self.variables)}")
        entry = None if indexed is None else indexed.entry
        variable = Variable(symbol, shape, axes, value, entry, kind, role, origin)
        self.variables.append(variable)
        self._values[key] = value
        self._named[key] = variable
        self._indexed[key] = Indexed(shape, axes, variable.at(variable.indices))
        return variable

    def _name(self, key: Any, kind: str) -> Variable:
        """Give a step a name, unless it has one."""
        if key not in self._named:
            self._add(key, self._values[key], self._indexed[key], "step", kind, key)
        return self._named[key]

    def _constant(self, value: Any, role: str = "constant") -> Indexed:
        """A constant array: a number where all entries are equal, else a name."""
        value = np.asarray(value)
        if value.size and np.all(value == value.flat[0]):
            shape = self._shape(value.shape)
            return Indexed(shape, new_axes(shape), sp.sympify(exact(value.flat[0].item())))
        key = ("constant", len(self.variables))
        self._add(key, value.astype(float), None, role, "", value)
        return self._indexed[key]

    # One step

    def _step(self, node: Any) -> None:
        if not hasattr(node, "_function"):  # one of several outputs of its parent
            self._values[node] = np.asarray(self._values[node.parent][node.index])
            self._opaque(node, node.parent, node.index)
            return
        function = node._function
        arguments, keywords = _arguments(node)
        raw = [self._values[e] if e is not None else c for e, c in arguments]
        value: Any = _forward(node, raw, keywords)
        if isinstance(value, (tuple, list)):
            self._values[node] = value  # its outputs are nodes of their own
            return
        self._values[node] = np.asarray(value)
        try:
            if _is_elementwise(function):
                self._indexed[node] = self._elementwise(node, arguments, keywords)
                shared = self._consumers.get(node, 0) > 1
                if _size(self._indexed[node].entry) > (_SHARED if shared else _LONG):
                    self._name(node, "elementwise")
                return
            if function.__name__ in GATHERS and _is_built_in(function):
                self._indexed[node] = self._gather(node, arguments, keywords)
                return
            if function.__name__ == "Where" and _is_built_in(function):
                self._indexed[node] = self._where(arguments, keywords)
                return
            if function.__name__ in RULES and _is_built_in(function):
                rule, kind = RULES[function.__name__]
                inputs = [self._operand(e, c) for e, c in arguments]
                indexed = rule(*inputs, **keywords)
                if self.flat:  # no axes of length 1 there
                    axes = tuple(a for a in indexed.axes if isinstance(a, sp.Symbol))
                    indexed = Indexed(self._shape(node._shape), axes, indexed.entry)
                self._indexed[node] = indexed
                self._name(node, kind)
                return
            if self._by_entry(node, arguments, keywords):
                return
        except (NoIndexForm, FormulaError, UnknownOperation):
            pass
        self._opaque(node, node, None)

    def _by_entry(self, node: Any, arguments: Any, keywords: dict[str, Any]) -> bool:
        """Whether a Function that does not say so is elementwise, as far as its values show."""
        try:
            indexed = self._elementwise(node, arguments, keywords)
            own = [(a, n) for a, n in zip(indexed.axes, indexed.shape, strict=True) if n != 1]
            tables = {v.symbol: v.table for v in self.variables}
            values = evaluate(indexed.entry, own, tables).reshape(indexed.shape)
        except Exception:  # a formula over arrays, called on scalars, may raise anything
            return False
        if not np.allclose(values, self._values[node], rtol=1e-9, atol=1e-12, equal_nan=True):
            return False
        self._indexed[node] = indexed
        if _size(indexed.entry) > _LONG:
            self._name(node, "elementwise")
        return True

    def _operand(self, edge: Any, constant: Any) -> Indexed:
        """An argument of a reduction or product: by name, unless it is next to nothing."""
        if edge is None:
            return self._constant(constant)
        if _size(self._indexed[edge].entry) > 1:
            self._name(edge, "elementwise")
        return self._indexed[edge]

    def _elementwise(self, node: Any, arguments: Any, keywords: dict[str, Any]) -> Indexed:
        function = node._function
        placeholders = [sp.Symbol(f"_{k}", real=True) for k in range(len(arguments))]
        inputs = [self._indexed[e] if e is not None else self._constant(c) for e, c in arguments]
        handed = [
            p if x.entry.free_symbols else x.entry
            for p, x in zip(placeholders, inputs, strict=True)
        ]
        if hasattr(function, "formula"):
            formula = sp.sympify(apply_formula(function.formula, handed, keywords))
        else:
            formula = _computed(function, handed, keywords)
        shape = self._shape(node._shape)
        axes = new_axes(shape)
        table = {p: x.broadcast(axes) for p, x in zip(placeholders, inputs, strict=True)}
        return Indexed(shape, axes, formula.xreplace(table))

    def _where(self, arguments: Any, keywords: dict[str, Any]) -> Indexed:
        (x, y) = (self._indexed[e] if e is not None else self._constant(c) for e, c in arguments)
        chosen = self._constant(np.asarray(keywords["condition"]).astype(float), "mask")
        shape = tuple(np.broadcast_shapes(x.shape, y.shape, chosen.shape))
        axes = new_axes(shape)
        m = chosen.broadcast(axes)
        return Indexed(shape, axes, m * x.broadcast(axes) + (1 - m) * y.broadcast(axes))

    def _gather(self, node: Any, arguments: Any, keywords: dict[str, Any]) -> Indexed:
        ((edge, _),) = arguments
        shape = self._values[edge].shape
        places = np.arange(int(np.prod(shape))).reshape(shape)
        moved = np.asarray(_forward(node, [places], keywords))
        moved = moved.reshape(self._shape(moved.shape)).astype(int)
        return gather(self._indexed[edge], moved, self._selection)

    def _selection(self, chosen: np.ndarray) -> Indexed:
        if chosen.size > _MOST_JACOBIAN:
            raise NoIndexForm("a selection too large to write down")
        indexed = self._constant(chosen, "selection")
        self.variables[-1].rows_sum_to_one = bool(np.all(chosen.sum(axis=-1) == 1))
        return indexed

    def _opaque(self, key: Any, node: Any, output: int | None) -> None:
        """A step without a rule: written out if short, else known by its derivative's values."""
        arguments, keywords = _arguments(node)
        raw = [self._values[e] if e is not None else c for e, c in arguments]
        for edge, _ in arguments:
            if edge is not None:
                self._name(edge, "elementwise")
        variable = self._add(key, self._values[key], None, "step", node._function.__name__, key)
        explicit = self._written_out(node, arguments, raw, keywords, output)
        if explicit is not None and not variable.shape:
            formula: Any = explicit[()]
            if formula.count_ops() <= _LONG and not formula.has(sp.Max, sp.Min):
                variable.entry = formula
                return
        if explicit is not None and sum(e.count_ops() for e in explicit.flat) <= 4 * _LONG:
            variable.explicit = explicit
        jacobians = _jacobians(node, arguments, raw, keywords, output)
        for (edge, _), jacobian in zip(arguments, jacobians, strict=True):
            if edge is None:
                continue
            source = self._named[edge]
            sizes = [n for _, n in variable.own] + [n for _, n in source.own]
            known = variable.jacobians.get(source.symbol)
            table = None if jacobian is None else jacobian.reshape(sizes)
            if known is not None and table is not None:
                table = known + table
            variable.jacobians[source.symbol] = table

    def _written_out(
        self,
        node: Any,
        arguments: Any,
        raw: list[Any],
        keywords: dict[str, Any],
        output: int | None,
    ) -> np.ndarray | None:
        """The declared formula on the entries of the arguments, by name, for a few entries."""
        shape = node._shape if output is None else node._outputs[output][0]
        sizes = [np.size(r) for (e, _), r in zip(arguments, raw, strict=True) if e is not None]
        if sum(sizes) > 8 or int(np.prod(shape)) > 4 or self.flat:
            return None
        handed: list[Any] = []
        for (edge, _), value in zip(arguments, raw, strict=True):
            if edge is None:
                handed.append(exact(value) if np.ndim(value) == 0 else value)
                continue
            source = self._named[edge]
            array = np.empty(np.shape(value), dtype=object)
            for index in np.ndindex(array.shape):
                place = [k for k, n in zip(index, array.shape, strict=True) if n != 1]
                array[index] = source.at([sp.Integer(k) for k in place])
            handed.append(array.view(FormulaArray) if array.ndim else array[()])
        try:
            if hasattr(node._function, "formula"):
                result = apply_formula(node._function.formula, handed, keywords)
            else:
                result = _computed(node._function, handed, keywords)
            found = as_objects(result if output is None else result[output])
            found = np.array([*map(sp.sympify, found.flat), None])[:-1].reshape(found.shape)
        except Exception:  # a user's formula, or code that leaves the world of symbols
            return None
        if found.shape != tuple(shape) or any(e.has(sp.Piecewise) for e in found.flat):
            return None
        tables = {v.symbol: v.table for v in self.variables}
        values = [float(evaluate(e, [], tables)) for e in found.flat]
        key = node if output is None else None
        same = key is None or np.allclose(
            values, np.ravel(self._values[key]), rtol=1e-9, atol=1e-12
        )
        return found if same else None

    # Fewer names

    def _inline(self) -> None:
        """A name that is only a factor in the one definition that uses it is not worth having."""
        for variable in list(self.variables):
            users = [v for v in self.variables if variable.symbol in v.uses]
            if variable.role != "step" or variable.entry is None or len(users) != 1:
                continue
            (user,) = users
            if user.entry is None or user.jacobians:
                continue
            found = [e for e in entries(user.entry, inside_sums=False) if e.has(variable.symbol)]
            if len(found) != 1 or not isinstance(found[0], Entry):
                continue
            if not (user.entry / found[0]).is_Rational:
                continue
            table = dict(zip(variable.indices, found[0].indices, strict=True))
            user.entry = user.entry / found[0] * variable.entry.xreplace(table)
            user.kind = variable.kind or user.kind
            self.variables.remove(variable)


def _given(node: Any) -> Any:
    from autodiff.graph import given

    return given(node)


def _parents(node: Any) -> list[Any]:
    return node._edges if hasattr(node, "_function") else [node.parent]


def _arguments(node: Any) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
    """For each argument of forward the edge it came by, or the constant that it is; keywords."""
    constants, keywords = _given(node)
    rest = iter(constants)
    return [(e, None) if e is not None else (None, next(rest)) for e in node._edges], keywords


def _context(node: Any) -> Any:
    """A fresh ``ctx``, for the operation of a node to run again."""
    context = type(node)()
    context._edges, context.needs_input_grad = node._edges, node.needs_input_grad
    context.saved_tensors, context._origins, context._order = (), None, 0
    return context


def _forward(node: Any, raw: list[Any], keywords: dict[str, Any]) -> Any:
    context = _context(node)
    with np.errstate(all="ignore"):
        return node._function.forward(context, *raw, **keywords)


def _is_built_in(function: Any) -> bool:
    return function.__module__.startswith("autodiff.")


def _is_elementwise(function: Any) -> bool:
    return bool(getattr(function, "elementwise", False)) and hasattr(function, "formula")


def _computed(function: Any, handed: list[Any], keywords: dict[str, Any]) -> Any:
    """What a Function without a formula computes, on the cell of a generic point."""
    from symbolic.api import formula

    given = [np.shape(h) if _is_symbolic(h) else h for h in handed]
    found = formula(function, *given, **keywords)
    names = parameter_names(function.forward, len(handed) + 1)[1:]
    table = {}
    for name, array in zip(names, handed, strict=True):
        if _is_symbolic(array):
            for index in np.ndindex(np.shape(array)):
                entry = array[index] if np.shape(array) else array
                symbol = sp.Symbol("_".join([name, *map(str, index)]), real=True)
                table[symbol] = sp.sympify(entry)
    if isinstance(found, tuple):
        return tuple(_replaced(as_objects(part), table) for part in found)
    return _replaced(as_objects(found), table)


def _is_symbolic(argument: Any) -> bool:
    return isinstance(argument, (sp.Basic, FormulaArray))


def _replaced(array: np.ndarray, table: dict[Any, Any]) -> Any:
    out = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        out[index] = sp.sympify(array[index]).xreplace(table)
    return out if out.shape else out[()]


def _size(expression: sp.Expr) -> int:
    return 0 if isinstance(expression, Entry) else int(expression.count_ops())


def _jacobians(
    node: Any, arguments: Any, raw: list[Any], keywords: dict[str, Any], output: int | None
) -> list[np.ndarray | None]:
    """The local derivatives in floats: of the formula, of forward, or else what backward says."""
    function = node._function
    shapes = (node._outputs and [shape for shape, _ in node._outputs]) or [node._shape]
    shape = shapes[output or 0]
    sizes = [
        int(np.prod(np.shape(r))) for (e, _), r in zip(arguments, raw, strict=True) if e is not None
    ]
    if int(np.prod(shape)) * max(sizes, default=0) > _MOST_JACOBIAN:
        return [None] * len(raw)
    # Our own backwards are right, and say what a maximum's derivative is taken to be at a tie.
    if sum(sizes) <= 64 and not _is_built_in(function):
        if hasattr(function, "formula"):
            try:
                return _from_formula(function, arguments, raw, keywords, shapes, output or 0)
            except (FormulaError, UnknownOperation, ArithmeticError):
                pass
        try:
            return _from_forward(function, arguments, raw, keywords, output or 0)
        except Exception:  # the user's code, on symbols: it may raise anything
            pass
    return _from_backward(node, raw, keywords, shapes, output or 0)


def _from_formula(
    function: Any, arguments: Any, raw: list[Any], keywords: Any, shapes: Any, output: int
) -> list[np.ndarray | None]:
    from symbolic.values import Trace

    trace = Trace()
    handed: list[Any] = []
    for k, ((edge, _), value) in enumerate(zip(arguments, raw, strict=True)):
        if edge is None:
            handed.append(value)
            continue
        array = np.empty(np.shape(value), dtype=object)
        for index in np.ndindex(array.shape):
            array[index] = trace.symbol(f"a{k}_{index}", float(value[index]))
        handed.append(array)
    nodes = formula_nodes(function, handed, keywords, trace, shapes)[output]
    inputs = [
        None if edge is None else np.reshape([s.node for s in a.flat], a.shape)
        for (edge, _), a in zip(arguments, handed, strict=True)
    ]
    return _rows(trace.graph, nodes, inputs, raw)


def _from_forward(
    function: Any, arguments: Any, raw: list[Any], keywords: Any, output: int
) -> list[np.ndarray | None]:
    """By running forward on symbols, on the cell of the values that it was recorded with."""
    from symbolic.subjects import traced_at

    names = [f"a{k}" for k in range(len(raw))]
    run = traced_at(function, names, raw, keywords)
    inputs = [
        None if edge is None else run.inputs[name]
        for (edge, _), name in zip(arguments, names, strict=True)
    ]
    return _rows(run.graph, np.asarray(run.outputs[output], dtype=object), inputs, raw)


def _rows(
    graph: Graph, outputs: np.ndarray, inputs: list[np.ndarray | None], raw: list[Any]
) -> list[np.ndarray | None]:
    """The values of the derivative of each output by each input."""
    known = {
        node: float(value)
        for array, values in zip(inputs, raw, strict=True)
        if array is not None
        for node, value in zip(array.flat, np.ravel(values), strict=True)
    }
    results: list[np.ndarray | None] = []
    for array in inputs:
        if array is None:
            results.append(None)
            continue
        rows = [
            node_values(graph.vjp([node], [graph.one], list(array.flat)), known)
            for node in outputs.flat
        ]
        results.append(np.array(rows, dtype=float).reshape(outputs.shape + array.shape))
    return results


def _from_backward(
    node: Any, raw: list[Any], keywords: Any, shapes: Any, output: int
) -> list[np.ndarray | None]:
    shape = shapes[output]
    columns: list[list[Any]] = [[] for _ in raw]
    for k in range(int(np.prod(shape))):
        context = _context(node)
        node._function.forward(context, *raw, **keywords)
        seeds = [np.zeros(s) for s in shapes]
        seeds[output].flat[k] = 1.0
        grads = node._function.backward(context, *seeds)
        grads = grads if isinstance(grads, tuple) else (grads,)
        for column, g, value in zip(columns, grads, raw, strict=False):
            column.append(np.zeros(np.shape(value)) if g is None else np.asarray(g, dtype=float))
    results: list[np.ndarray | None] = []
    for column, value, edge in zip(columns, raw, node._edges, strict=True):
        # A gradient that is missing, or of a wrong shape, says nothing.
        fits = len(column) == np.prod(shape) and all(g.shape == np.shape(value) for g in column)
        known = edge is not None and fits
        results.append(np.array(column).reshape((*shape, *np.shape(value))) if known else None)
    return results
