"""What `formula`, `prove` and the others are asked about: names, shapes, sample points, traces.

May import: :mod:`symbolic.tracing`, :mod:`symbolic.index_notation`, :mod:`symbolic.limits`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symbolic.formulas import parameter_names
from symbolic.index_notation import tidy
from symbolic.limits import OutOfTime, time_left, time_limit
from symbolic.tracing import Traced, argument_names
from symbolic.tracing import trace as trace_code

__all__ = [
    "argument_labels",
    "context_of",
    "declares",
    "example_of",
    "fixed",
    "is_class",
    "is_float",
    "names_and_shapes",
    "plain",
    "position_of",
    "returned",
    "sample_point",
    "scalar_or_example",
    "simplified",
    "symbol_table",
    "symbols",
    "traced_at",
]


def is_class(f: Any) -> bool:
    """Whether `f` is a Function class, and no plain callable."""
    return isinstance(f, type)


def declares(f: Any) -> bool:
    return is_class(f) and callable(getattr(f, "formula", None))


def code_of(f: Any) -> Callable[..., Any]:
    """The callable whose parameters name the arguments (after ``ctx``, for a Function)."""
    return functools.partial(f.forward, None) if is_class(f) else f


def argument_labels(f: Any, count: int) -> list[str]:
    """The names of the first arguments of a Function, or of a callable."""
    if is_class(f):  # the first parameter of forward is ctx
        return parameter_names(f.forward, count + 1)[1:]
    return argument_names(f, count)


def names_and_shapes(
    f: Any, shapes: Sequence[tuple[int, ...]]
) -> tuple[list[str], list[tuple[int, ...]]]:
    """As many names as shapes are given, else those of the arguments without a default."""
    if shapes:
        return argument_labels(f, len(shapes)), list(shapes)
    count = 0
    try:
        parameters = list(inspect.signature(code_of(f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
        count = getattr(f, "nin", 1)
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            count = max(count, 1)
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty:
            count += 1
    return argument_labels(f, count), []


def position_of(names: Sequence[str], wrt: str | int) -> int:
    if isinstance(wrt, int) and -len(names) <= wrt < len(names):
        return wrt % len(names)
    if wrt in names:
        return list(names).index(wrt)  # type: ignore[arg-type]
    raise ValueError(f"no argument {wrt!r}: the arguments are {', '.join(names)}")


def scalar_or_example(f: Any, keywords: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of `example_of`, shapes in place of floats; its keywords where none are given.

    A keyword that an elementwise Function requires (an exponent, say) is a symbol.
    """
    arguments, found = example_of(f)
    given = [np.shape(a) if is_float(a) else a for a in arguments]
    if getattr(f, "elementwise", False) and declares(f):
        names = _required_keywords(f) - keywords.keys()
        found = {n: sp.Symbol(n, real=True) for n in names}
        try:
            f.formula(
                *(sp.Symbol(f"_{i}", real=True) for i in range(len(given))), **found, **keywords
            )
        except Exception:  # it needs the number itself
            _, found = example_of(f)
    return given, {**found, **keywords}


def is_float(argument: Any) -> bool:
    """Whether an argument of an example is a float, or an array of floats."""
    return not isinstance(argument, tuple) and np.asarray(argument).dtype.kind == "f"


def example_of(f: Any) -> tuple[list[Any], dict[str, Any]]:
    """Arguments to look at `f` with: 0-d if it takes them, else its first example, nothing empty.

    A tuple of ints stands for an array of that shape.
    """
    names, _ = names_and_shapes(f, ())
    scalars: list[Any] = [()] * len(names)
    required = _required_keywords(f)
    elementwise = not is_class(f) or getattr(f, "elementwise", False)
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
        parameters = inspect.signature(code_of(f)).parameters.values()
    except (TypeError, ValueError):
        return set()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}


def symbols(name: str, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        out[index] = sp.Symbol("_".join([name, *map(str, index)]), real=True)
    return out


def symbol_table(inputs: dict[str, np.ndarray]) -> dict[str, sp.Expr]:
    """The names of a trace's variables, ``x[0, 1]``, as SymPy symbols ``x_0_1``."""
    return {
        node.args[0]: symbol
        for name, array in inputs.items()
        for node, symbol in zip(array.flat, symbols(name, array.shape).flat, strict=True)
    }


def sample_point(f: Any, names: Sequence[str], given: Sequence[Any]) -> list[Any]:
    """A generic point: distinct values between 0 and 1, or inside the declared interval.

    What is given is a shape, or an argument to be passed as it is.
    """
    domain = getattr(f, "domain", None) or {}
    rng = np.random.default_rng(0)
    sample: list[Any] = []
    for name, shape in zip(names, given, strict=True):
        if not isinstance(shape, tuple):
            sample.append(shape)
            continue
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


def plain(f: Any) -> Callable[..., Any]:
    """Functions run by their forward; functions on Tensors give what the Tensors hold."""
    if is_class(f):
        return lambda *arguments, **keywords: f.forward(
            context_of(f, arguments), *arguments, **keywords
        )

    def call(*arguments: Any, **keywords: Any) -> Any:
        result = f(*arguments, **keywords)
        if isinstance(result, (tuple, list)):
            return tuple(getattr(r, "_data", r) for r in result)
        return getattr(result, "_data", result) if hasattr(result, "grad_fn") else result

    return call


def context_of(f: Any, arguments: Sequence[Any]) -> Any:
    context = f.node()
    context._edges = [object() if _differentiable(a) else None for a in arguments]
    context.needs_input_grad = tuple([edge is not None for edge in context._edges])
    context.saved_tensors, context._origins, context._order = (), None, 0
    return context


def _differentiable(argument: Any) -> bool:
    return getattr(getattr(argument, "dtype", None), "kind", "") in "fO" and argument is not None


def traced_at(
    f: Any, names: Sequence[str], arguments: Sequence[Any], keywords: dict[str, Any]
) -> Traced:
    """`f` on symbols that stand for the arguments."""
    return trace_code(plain(f), list(arguments), keywords=keywords, names=names)


def fixed(argument: Any) -> bool:
    """Whether an argument is not one to differentiate by: an index, a mask, a word."""
    if isinstance(argument, (list, tuple)):
        return np.asarray(argument).dtype.kind not in "fiu"
    kind = getattr(argument, "dtype", np.asarray(argument).dtype).kind
    return bool(kind != "f" and not isinstance(argument, (int, float)))


def returned(array: np.ndarray) -> Any:
    if array.ndim == 0:
        return array[()]
    return sp.ImmutableDenseNDimArray(list(array.flat), array.shape)


def simplified(expression: sp.Expr, seconds: float = 2.0) -> sp.Expr:
    """The shortest form that is found in time."""
    try:
        with time_limit(seconds):
            return tidy(expression)
    except OutOfTime:
        if time_left() <= 0:
            raise
        return expression
