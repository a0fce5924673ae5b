"""`prove`: whether a backward is the derivative, on one cell.

May import: :mod:`symbolic.subjects`, :mod:`symbolic.formulas`, :mod:`symbolic.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symbolic.decide import Decision, all_equal
from symbolic.formulas import formula_nodes
from symbolic.graph import Node
from symbolic.subjects import (
    argument_labels,
    context_of,
    declares,
    example_of,
    fixed,
    is_float,
    names_and_shapes,
    plain,
    returned,
    sample_point,
    simplified,
    symbol_table,
)
from symbolic.sympy_bridge import to_sympy
from symbolic.tracing import nodes, symbol_array, traced_namespace
from symbolic.values import Condition, Trace

__all__ = ["Proof", "prove"]


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
        point = [np.asarray(a, dtype=float) if not fixed(a) else a for a in at]
        names = argument_labels(f, len(point))
    else:
        names, _ = names_and_shapes(f, shapes)
        given: list[Any] = list(shapes)
        if not shapes:
            arguments, found = example_of(f)
            given = [np.shape(a) if is_float(a) else a for a in arguments]
            keywords = {**found, **keywords}
        names = argument_labels(f, len(given))
        point = sample_point(f, names, given)
    run = Trace()
    arguments = [
        a if fixed(a) else symbol_array(run, n, a) for n, a in zip(names, point, strict=True)
    ]
    code = [c for c in (f, grad, vjp) if c is not None]
    with traced_namespace(*code):
        outputs, gradients, seeds = _forward_backward(f, grad, vjp, run, arguments, keywords)
    if declares(f):
        entries = [getattr(a, "_entries", a) for a in arguments]
        shapes_out = [array.shape for array in outputs]
        outputs = formula_nodes(f, entries, keywords, run, shapes_out)
    return _decided(run, names, arguments, point, outputs, gradients, seeds, seconds)


def _forward_backward(
    f: Any, grad: Any, vjp: Any, run: Trace, arguments: list[Any], keywords: dict[str, Any]
) -> tuple[list[np.ndarray], list[Any], list[Any]]:
    """The outputs' formulas, the gradients and the upstream symbols."""
    context = context_of(f, arguments) if isinstance(f, type) else None
    if context is not None:
        result = f.forward(context, *arguments, **keywords)
    elif grad is None and vjp is None:
        raise TypeError("prove needs a Function, or code with grad=... or vjp=...")
    else:
        result = plain(f)(*arguments, **keywords)
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
    table = symbol_table(
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
        found: Any = getattr(argument, "_entries", np.empty(0))
        for entry in found.flat:
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
        out[index] = expression if expression.count_ops() > 60 else simplified(expression, 1.0)
    return returned(out)


_RELATIONS = {"<": sp.Lt, "<=": sp.Le, "==": sp.Eq, "!=": sp.Ne, ">": sp.Gt, ">=": sp.Ge}


def _condition(condition: Condition, table: dict[str, sp.Expr]) -> Any:
    (gap,) = to_sympy([condition.gap], table)
    positive, negative = gap.as_independent(*gap.free_symbols, as_Add=True)[::-1]
    relation = _RELATIONS[condition.sign]
    if positive.could_extract_minus_sign():
        swapped = {"<": sp.Gt, "<=": sp.Ge, ">": sp.Lt, ">=": sp.Le}
        return swapped.get(condition.sign, relation)(-positive, negative)
    return relation(positive, -negative)
