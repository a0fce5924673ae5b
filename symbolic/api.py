"""What the package exports: `formula`, `derivative`, `prove`, `enclose`.

May import: everything of :mod:`symbolic`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symbolic.balls import Ball
from symbolic.balls import enclose as enclose_nodes
from symbolic.decide import Decision, all_equal
from symbolic.formulas import (
    FormulaError,
    apply_formula,
    as_objects,
    formula_nodes,
    parameter_names,
)
from symbolic.graph import Node
from symbolic.index_notation import kinks, tidy
from symbolic.limits import OutOfTime, time_left, time_limit
from symbolic.sympy_bridge import to_sympy
from symbolic.tracing import Traced, argument_names, nodes, symbol_array, traced_namespace
from symbolic.tracing import trace as trace_code
from symbolic.values import Condition, Trace

__all__ = ["Enclosure", "Proof", "derivative", "enclose", "formula", "prove"]


def formula(f: Any, *shapes: tuple[int, ...], **keywords: Any) -> Any:
    """The SymPy formula of a Function or of NumPy code.

    Parameters
    ----------
    f : Function class or callable
        A Function gives the formula that it declares; anything else what it computes on symbols.
    *shapes : tuple of int
        The shape of each argument; 0-d by default.
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
    names, _ = _names_and_shapes(f, shapes)
    shapes = _shapes(f, names, shapes)
    if _declares(f):
        symbols = [_symbols(name, shape) for name, shape in zip(names, shapes, strict=True)]
        try:
            return _declared(f, names, symbols, keywords)
        except FormulaError:
            if not shapes or any(shapes):
                raise
    traced = _traced(f, names, _sample(f, names, shapes), keywords)
    table = _symbol_table(traced.inputs)
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
    names, _ = _names_and_shapes(f, shapes)
    position = _position(names, wrt)
    if not shapes:
        shapes, keywords = _scalar_or_example(f, keywords)
        names = _named(f, len(shapes))
    of = formula(f, *shapes, **keywords)
    by = _symbols(names[position], shapes[position])
    if isinstance(of, tuple):
        return tuple(_derivatives(as_objects(part), by) for part in of)
    return _derivatives(as_objects(of), by)


def _derivatives(of: np.ndarray, by: np.ndarray) -> Any:
    out = np.empty(of.shape + by.shape, dtype=object)
    for i in np.ndindex(of.shape):
        for j in np.ndindex(by.shape):
            out[i + j] = _simplified(kinks(sp.sympify(of[i]).diff(by[j])))
    return _returned(out)


def _simplified(expression: sp.Expr, seconds: float = 2.0) -> sp.Expr:
    """The shortest form that is found in time."""
    try:
        with time_limit(seconds):
            return tidy(expression)
    except OutOfTime:
        if time_left() <= 0:
            raise
        return expression


# Names, shapes, symbols


def _declares(f: Any) -> bool:
    return isinstance(f, type) and callable(getattr(f, "formula", None))


def _code(f: Any) -> Callable[..., Any]:
    """The callable whose parameters name the arguments (after ``ctx``, for a Function)."""
    return functools.partial(f.forward, None) if isinstance(f, type) else f


def _named(f: Any, count: int) -> list[str]:
    if isinstance(f, type):  # the first parameter of forward is ctx
        return parameter_names(f.forward, count + 1)[1:]
    return argument_names(f, count)


def _names_and_shapes(
    f: Any, shapes: Sequence[tuple[int, ...]]
) -> tuple[list[str], list[tuple[int, ...]]]:
    """As many names as shapes are given, else those of the arguments without a default."""
    if shapes:
        return _named(f, len(shapes)), list(shapes)
    count = 0
    try:
        parameters = list(inspect.signature(_code(f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
        count = getattr(f, "nin", 1)
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            count = max(count, 1)
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty:
            count += 1
    return _named(f, count), []


def _shapes(
    f: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    return list(shapes) if shapes else [()] * len(names)


def _position(names: Sequence[str], wrt: str | int) -> int:
    if isinstance(wrt, int) and -len(names) <= wrt < len(names):
        return wrt % len(names)
    if wrt in names:
        return list(names).index(wrt)  # type: ignore[arg-type]
    raise ValueError(f"no argument {wrt!r}: the arguments are {', '.join(names)}")


def _scalar_or_example(
    f: Any, keywords: dict[str, Any]
) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    """The shapes of `example_of`, and its keywords where none are given."""
    arguments, found = example_of(f)
    shapes = [a if isinstance(a, tuple) else np.shape(a) for a in arguments]
    return shapes, {**found, **keywords}


def argument_labels(f: Any, count: int) -> list[str]:
    """The names of the first arguments of a Function, or of a callable."""
    return _named(f, count)


def example_of(f: Any) -> tuple[list[Any], dict[str, Any]]:
    """Arguments to look at `f` with: 0-d if it takes them, else its first example, nothing empty.

    A tuple of ints stands for an array of that shape.
    """
    names, _ = _names_and_shapes(f, ())
    scalars: list[Any] = [()] * len(names)
    required = _required_keywords(f)
    elementwise = not isinstance(f, type) or getattr(f, "elementwise", False)
    examples = getattr(f, "examples", None)
    if (elementwise and not required) or not examples:
        return scalars, {}
    for example in examples() if callable(examples) else examples:
        *arguments, last = example if isinstance(example[-1], dict) else (*example, {})
        shapes = [a if isinstance(a, tuple) else np.shape(a) for a in arguments]
        if all(0 not in shape for shape in shapes) and required <= last.keys():
            return (scalars if elementwise else arguments), last
    return scalars, {}


def _required_keywords(f: Any) -> set[str]:
    """Keyword-only arguments without a default."""
    try:
        parameters = inspect.signature(_code(f)).parameters.values()
    except (TypeError, ValueError):
        return set()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}


def _symbols(name: str, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        out[index] = sp.Symbol("_".join([name, *map(str, index)]), real=True)
    return out


def _symbol_table(inputs: dict[str, np.ndarray]) -> dict[str, sp.Expr]:
    """The names of a trace's variables, ``x[0, 1]``, as SymPy symbols ``x_0_1``."""
    return {
        node.args[0]: symbol
        for name, array in inputs.items()
        for node, symbol in zip(array.flat, _symbols(name, array.shape).flat, strict=True)
    }


def _expressions(array: np.ndarray, table: dict[str, sp.Expr]) -> Any:
    out = np.empty(array.shape, dtype=object)
    for index, expression in zip(
        np.ndindex(array.shape), to_sympy(list(array.flat), table), strict=True
    ):
        out[index] = expression
    return _returned(out)


def _returned(array: np.ndarray) -> Any:
    if array.ndim == 0:
        return array[()]
    return sp.ImmutableDenseNDimArray(list(array.flat), array.shape)


def _declared(
    f: Any, names: Sequence[str], symbols: Sequence[np.ndarray], keywords: dict[str, Any]
) -> Any:
    """The declared formula on symbols, entry by entry where it is one of scalars."""
    from symbolic.formula_array import FormulaArray

    scalars = all(array.ndim == 0 for array in symbols)
    if scalars:
        result = apply_formula(f.formula, [array[()] for array in symbols], keywords)
    elif getattr(f, "elementwise", False):
        arrays = np.broadcast_arrays(*symbols)
        result = np.empty(arrays[0].shape, dtype=object)
        for index in np.ndindex(result.shape):
            result[index] = apply_formula(f.formula, [a[index] for a in arrays], keywords)
    else:
        handed = [array.view(FormulaArray) for array in symbols]
        try:
            result = apply_formula(f.formula, handed, keywords)
        except FormulaError:
            if not _is_elementwise_by_trial(f, symbols, keywords):
                raise
            arrays = np.broadcast_arrays(*symbols)
            result = np.empty(arrays[0].shape, dtype=object)
            for index in np.ndindex(result.shape):
                result[index] = apply_formula(f.formula, [a[index] for a in arrays], keywords)
    if isinstance(result, tuple):
        return tuple(_returned(as_objects(part)) for part in result)
    return _returned(as_objects(result))


def _is_elementwise_by_trial(f: Any, symbols: Sequence[np.ndarray], keywords: Any) -> bool:
    try:
        apply_formula(
            f.formula, [sp.Symbol(f"_{i}", real=True) for i in range(len(symbols))], keywords
        )
        np.broadcast_shapes(*(array.shape for array in symbols))
    except (FormulaError, ValueError):
        return False
    return True


# Sample points and traces


def _sample(f: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """A generic point: distinct values between 0 and 1, or inside the declared interval."""
    domain = getattr(f, "domain", None) or {}
    rng = np.random.default_rng(0)
    sample = []
    for name, shape in zip(names, shapes, strict=True):
        values = rng.uniform(0.1, 0.9, shape)
        interval = domain.get(name) if isinstance(domain, dict) else None
        if isinstance(interval, tuple) and len(interval) == 2:
            low, high = (float(end) for end in interval)
            if np.isfinite(low) and np.isfinite(high):
                values = low + (high - low) * values
            elif np.isfinite(low):
                values = low + values
            elif np.isfinite(high):
                values = high - values
        elif callable(interval):
            values = np.asarray(interval(rng, shape), dtype=float)
        sample.append(np.asarray(values, dtype=float))
    return sample


def _plain(f: Any) -> Callable[..., Any]:
    """Functions run by their forward; functions on Tensors give what the Tensors hold."""
    if isinstance(f, type):
        return lambda *arguments, **keywords: f.forward(
            _context(f, arguments), *arguments, **keywords
        )

    def call(*arguments: Any, **keywords: Any) -> Any:
        result = f(*arguments, **keywords)
        if isinstance(result, (tuple, list)):
            return tuple(getattr(r, "_data", r) for r in result)
        return getattr(result, "_data", result) if hasattr(result, "grad_fn") else result

    return call


def _context(f: Any, arguments: Sequence[Any]) -> Any:
    context = f.node()
    context.edges = [object() if _differentiable(a) else None for a in arguments]
    context.saved, context.origins, context.order = (), None, 0
    return context


def _differentiable(argument: Any) -> bool:
    return getattr(getattr(argument, "dtype", None), "kind", "") in "fO" and argument is not None


def _traced(
    f: Any, names: Sequence[str], arguments: Sequence[Any], keywords: dict[str, Any]
) -> Traced:
    """`f` on symbols that stand for the arguments."""
    return trace_code(_plain(f), list(arguments), keywords=keywords, names=names)


# Proof on one cell


@dataclass
class Proof:
    """Whether a backward is the derivative, on one cell of the inputs.

    It says nothing about other cells: `verify.check` explores them all.

    Attributes
    ----------
    status : str
        ``"proved"``, ``"refuted"`` or ``"unknown"``; true in a condition where it is proved.
    cell : list of sympy conditions
        What the code decided on the way; the proof holds where these hold.
    expected, actual : dict
        For each argument SymPy's vector-Jacobian product, and what the backward computes, in SymPy.
        The upstream gradient is ``g``.
    decisions : dict
        For each argument how each entry was decided.
    witness : dict or None
        Where refuted, the values at which the two differ.
    """

    status: str
    cell: list[Any]
    expected: dict[str, Any]
    actual: dict[str, Any]
    decisions: dict[str, list[Decision]] = field(default_factory=dict, repr=False)
    witness: dict[str, Any] | None = None

    def __bool__(self) -> bool:
        return self.status == "proved"

    def __str__(self) -> str:
        where = f" where {' and '.join(map(str, self.cell))}" if self.cell else ""
        lines = [f"{self.status}{where}"]
        for name, expected in self.expected.items():
            if all(d.proved for d in self.decisions.get(name, ())):
                lines.append(f"  {name}: {self.actual[name]}")
            else:
                lines.append(f"  {name}: {self.actual[name]}")
                lines.append(f"  {' ' * len(name)}  expected {expected}")
        if self.witness:
            lines.append("  at " + ", ".join(f"{k} = {v}" for k, v in self.witness.items()))
        return "\n".join(lines)


def prove(
    f: Any,
    *shapes: tuple[int, ...],
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    at: Sequence[Any] | None = None,
    seconds: float = 5.0,
    **keywords: Any,
) -> Proof:
    """Decide whether a backward is the derivative, on the cell of one sample point.

    Parameters
    ----------
    f : Function class or callable
        The Function whose backward is meant, or NumPy code with `grad` or `vjp`.
    *shapes : tuple of int
        The shape of each argument; 0-d, or those of the Function's first example, by default.
    grad : callable, optional
        ``grad(*args)``, the gradients of an `f` whose value is a scalar.
    vjp : callable, optional
        ``vjp(*args, grad_output)``, the vector-Jacobian product of `f`.
    at : sequence of arrays, optional
        The sample point, in place of shapes.
    seconds : float
        The time for the decision.
    **keywords
        Keyword arguments of `f`.

    Returns
    -------
    Proof

    Examples
    --------
    >>> import numpy as np
    >>> proof = prove(np.tanh, (), vjp=lambda x, g: g * (1 - np.tanh(x) ** 2))
    >>> proof.status
    'proved'
    >>> print(prove(lambda x: np.maximum(x, 0.0), at=[2.0], vjp=lambda x, g: -g))
    refuted where x >= 0
      x: -g
         expected g
      at ...
    """
    if at is not None:
        point = [np.asarray(a, dtype=float) if not _fixed(a) else a for a in at]
        names = _named(f, len(point))
    else:
        names, _ = _names_and_shapes(f, shapes)
        given, keywords = (list(shapes), keywords) if shapes else _scalar_or_example(f, keywords)
        names = _named(f, len(given))
        point = _sample(f, names, given)
    run = Trace()
    arguments = [
        a if _fixed(a) else symbol_array(run, n, a) for n, a in zip(names, point, strict=True)
    ]
    code = [c for c in (f, grad, vjp) if c is not None]
    with traced_namespace(*code):
        outputs, gradients, seeds = _forward_backward(f, grad, vjp, run, arguments, keywords)
    if _declares(f):
        entries = [getattr(a, "_entries", a) for a in arguments]
        shapes_out = [array.shape for array in outputs]
        outputs = formula_nodes(f, entries, keywords, run, shapes_out)
    return _decided(run, names, arguments, point, outputs, gradients, seeds, seconds)


def _fixed(argument: Any) -> bool:
    """Whether an argument is not one to differentiate by: an index, a mask, a word."""
    if isinstance(argument, (list, tuple)):
        return np.asarray(argument).dtype.kind not in "fiu"
    kind = getattr(argument, "dtype", np.asarray(argument).dtype).kind
    return bool(kind != "f" and not isinstance(argument, (int, float)))


def _forward_backward(
    f: Any, grad: Any, vjp: Any, run: Trace, arguments: list[Any], keywords: dict[str, Any]
) -> tuple[list[np.ndarray], list[Any], list[Any]]:
    """The outputs' formulas, the gradients and the upstream symbols."""
    context = _context(f, arguments) if isinstance(f, type) else None
    if context is not None:
        result = f.forward(context, *arguments, **keywords)
    elif grad is None and vjp is None:
        raise TypeError("prove needs a Function, or code with grad=... or vjp=...")
    else:
        result = _plain(f)(*arguments, **keywords)
    several = isinstance(result, (tuple, list))
    outputs = [nodes(r, run.graph) for r in (result if several else [result])]
    upstream = []
    rng = np.random.default_rng(1)
    for i, array in enumerate(outputs):
        name = f"g{i}" if several else "g"
        upstream.append(symbol_array(run, name, rng.uniform(0.1, 0.9, array.shape)))
    seeds = [nodes(u, run.graph) for u in upstream]
    if context is not None:
        gradients = f.backward(context, *upstream)
    elif vjp is not None:
        gradients = vjp(*arguments, upstream[0] if not several else tuple(upstream), **keywords)
    else:
        gradients = grad(*arguments, **keywords)
        seeds = [np.full((), run.graph.one, dtype=object)]
    if not isinstance(gradients, (tuple, list)):
        gradients = (gradients,)
    return outputs, list(gradients), seeds


def _decided(
    run: Trace,
    names: Sequence[str],
    arguments: Sequence[Any],
    point: Sequence[Any],
    outputs: Sequence[np.ndarray],
    gradients: Sequence[Any],
    seeds: Sequence[np.ndarray],
    seconds: float,
) -> Proof:
    inputs = {
        n: nodes(a, run.graph) for n, a in zip(names, arguments, strict=True) if not _fixed_array(a)
    }
    table = _symbol_table(
        {**inputs, **{s.flat[0].args[0].split("[")[0]: s for s in seeds if _is_var(s)}}
    )
    flat_outputs = [n for array in outputs for n in array.flat]
    flat_seeds = [n for array in seeds for n in array.flat]
    expected, actual, decisions = {}, {}, {}
    pairs: list[tuple[Node, Node]] = []
    places: list[tuple[str, int]] = []
    for name, found in zip(names, gradients, strict=False):
        if name not in inputs:
            continue
        array = inputs[name]
        right = run.graph.vjp(flat_outputs, flat_seeds, list(array.flat))
        left = (
            np.full(array.shape, run.graph.zero, dtype=object)
            if found is None
            else nodes(found, run.graph)
        )
        if left.shape != array.shape:
            raise ValueError(
                f"the gradient of {name} has shape {left.shape}, the argument {array.shape}"
            )
        places.append((name, len(right)))
        pairs += list(zip(left.flat, right, strict=True))
        expected[name] = _shown(right, array.shape, table)
        actual[name] = _shown(list(left.flat), array.shape, table)
    answers = all_equal(
        run.graph,
        pairs,
        run.conditions,
        points=[_exact_point(run, arguments, seeds)],
        seconds=seconds,
    )
    start = 0
    for name, count in places:
        decisions[name] = answers[start : start + count]
        start += count
    refuted = next((d for d in answers if d.refuted), None)
    status = "refuted" if refuted else "proved" if all(d.proved for d in answers) else "unknown"
    cell = [_condition(c, table) for c in run.conditions]
    return Proof(status, cell, expected, actual, decisions, refuted.witness if refuted else None)


def _fixed_array(argument: Any) -> bool:
    return not hasattr(argument, "_entries")


def _is_var(seeds: np.ndarray) -> bool:
    return bool(seeds.size) and seeds.flat[0].op == "var"


def _exact_point(
    run: Trace, arguments: Sequence[Any], seeds: Sequence[np.ndarray]
) -> dict[str, Any]:
    """The sample point, as exact numbers by variable."""
    values = {}
    for argument in arguments:
        for entry in getattr(argument, "_entries", np.empty(0)).flat:
            if getattr(getattr(entry, "node", None), "op", "") == "var":
                values[entry.node.args[0]] = Fraction(float(entry.value))
    rng = np.random.default_rng(1)
    for array in seeds:
        if _is_var(array):
            for node, value in zip(
                array.flat, rng.uniform(0.1, 0.9, array.shape).flat, strict=True
            ):
                values[node.args[0]] = Fraction(float(value))
    return values


def _shown(flat: Sequence[Node], shape: tuple[int, ...], table: dict[str, sp.Expr]) -> Any:
    out = np.empty(shape, dtype=object)
    for index, expression in zip(np.ndindex(shape), to_sympy(list(flat), table), strict=True):
        out[index] = expression if expression.count_ops() > 60 else _simplified(expression, 1.0)
    return _returned(out)


_RELATIONS = {"<": sp.Lt, "<=": sp.Le, "==": sp.Eq, "!=": sp.Ne, ">": sp.Gt, ">=": sp.Ge}


def _condition(condition: Condition, table: dict[str, sp.Expr]) -> Any:
    (gap,) = to_sympy([condition.gap], table)
    positive, negative = gap.as_independent(*gap.free_symbols, as_Add=True)[::-1]
    relation = _RELATIONS[condition.sign]
    if positive.could_extract_minus_sign():
        swapped = {"<": sp.Gt, "<=": sp.Ge, ">": sp.Lt, ">=": sp.Le}
        return swapped.get(condition.sign, relation)(-positive, negative)
    return relation(positive, -negative)


# Rigorous enclosures


@dataclass(frozen=True)
class Enclosure:
    """Values with proven bounds.

    Attributes
    ----------
    balls : ndarray of Ball
        One for each entry; a ball has ``value`` (an Arb number), ``status`` and ``rounded``.
    """

    balls: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The midpoints, as floats."""
        return self._map(float)

    @property
    def lower(self) -> np.ndarray:
        """Floats that are certainly not above the exact values."""
        return self._map(lambda ball: np.nextafter(ball.interval[0], -np.inf))

    @property
    def upper(self) -> np.ndarray:
        """Floats that are certainly not below the exact values."""
        return self._map(lambda ball: np.nextafter(ball.interval[1], np.inf))

    @property
    def sharp(self) -> bool:
        """Whether every entry is as accurate as was asked for."""
        return all(ball.status == "sharp" for ball in self.balls.flat)

    def __contains__(self, value: Any) -> bool:
        array = np.asarray(value, dtype=float)
        return bool(np.all((self.lower <= array) & (array <= self.upper)))

    def __str__(self) -> str:
        if self.balls.ndim == 0:
            return str(self.balls[()].value.str(15))
        return str(self._map(lambda ball: ball.value.str(15), object).tolist())

    def _map(self, function: Callable[[Ball], Any], dtype: Any = float) -> np.ndarray:
        out = np.empty(self.balls.shape, dtype=dtype)
        for index in np.ndindex(self.balls.shape):
            out[index] = function(self.balls[index])
        return out


def enclose(
    f: Any, *arguments: Any, direction: Any = None, digits: int = 15, **keywords: Any
) -> Any:
    """A rigorous enclosure of the value of `f`, and of a directional derivative.

    Parameters
    ----------
    f : Function class or callable
        NumPy code; it runs once on symbols that stand for the arguments.
    *arguments : float or array
        Where. Floats are taken as exact; constants in the code as the numbers they stand for.
    direction : sequence of arrays, optional
        A direction for each argument (for one argument, the direction itself): the derivative along
        it is enclosed too.
    digits : int
        Significant digits; the precision is raised until they are reached, or 4096 bits.
    **keywords
        Keyword arguments of `f`.

    Returns
    -------
    Enclosure, or (Enclosure, Enclosure) with `direction`
        A tuple of them for several outputs.

    Examples
    --------
    >>> import numpy as np
    >>> print(enclose(lambda x: np.expm1(x) / x, 1e-9))
    [1.00000000050000 +/- ...]
    >>> value, slope = enclose(np.sin, 0.0, direction=1.0)
    >>> float(slope.values), slope.sharp
    (1.0, True)
    """
    point = [np.asarray(a, dtype=float) if not _fixed(a) else a for a in arguments]
    names = _named(f, len(point))
    traced = _traced(f, names, point, keywords)
    values: dict[str, Any] = {}
    for name, array in traced.inputs.items():
        given = point[names.index(name)]
        for node, value in zip(array.flat, np.asarray(given).flat, strict=True):
            values[node.args[0]] = float(value)
    results = [_enclosure(array, values, digits) for array in traced.outputs]
    if direction is None:
        return results[0] if len(results) == 1 else tuple(results)
    graph = traced.graph
    towards = direction if isinstance(direction, (tuple, list)) and len(point) > 1 else [direction]
    if len(towards) != len(point):
        raise ValueError(f"{len(towards)} directions for {len(point)} arguments")
    flat, steps = [], []
    for name, step in zip(names, towards, strict=True):
        if name in traced.inputs and step is not None:
            array = traced.inputs[name]
            flat += list(array.flat)
            wide = np.broadcast_to(np.asarray(step, dtype=float), array.shape)
            steps += [graph.constant(Fraction(float(s))) for s in wide.flat]
    slopes = []
    for array in traced.outputs:
        out = np.empty(array.shape, dtype=object)
        for index in np.ndindex(array.shape):
            total = graph.zero
            partials = graph.vjp([array[index]], [graph.one], flat)
            for partial, step in zip(partials, steps, strict=True):
                total = graph.add(total, graph.mul(step, partial))
            out[index] = total
        slopes.append(_enclosure(out, values, digits))
    pairs = list(zip(results, slopes, strict=True))
    return pairs[0] if len(pairs) == 1 else tuple(pairs)


def _enclosure(array: np.ndarray, values: dict[str, Any], digits: int) -> Enclosure:
    out = np.empty(array.shape, dtype=object)
    for index, ball in zip(
        np.ndindex(array.shape), enclose_nodes(list(array.flat), values, digits=digits), strict=True
    ):
        out[index] = ball
    return Enclosure(out)
