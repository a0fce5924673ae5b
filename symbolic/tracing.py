"""Run ordinary NumPy code on symbols: :func:`trace`.

May import: :mod:`symbolic.array`, :mod:`symbolic.namespace`, :mod:`symbolic.reach`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbolic.array import (
    TracedArray,
    contains_traced,
    entries,
    gather,
    is_traced,
    nodes,
    symbol_array,
    values,
    wrap,
)
from symbolic.graph import Graph, Node
from symbolic.namespace import installed
from symbolic.reach import counterpart, rebound
from symbolic.values import Condition, Trace, TraceError

__all__ = [
    "TraceError",
    "Traced",
    "asarray",
    "entries",
    "nodes",
    "symbol_array",
    "trace",
    "traced_namespace",
    "values",
]


@dataclass
class Traced:
    """What one run on symbols gave.

    Attributes
    ----------
    outputs : list of ndarray of Node
        The formula of each output, in its shape; None where the code returned None.
    values : list of ndarray of float
        What the same run computed in floats.
    inputs : dict
        For each traced argument its variables, an object array of nodes.
    trace : Trace
        The conditions that the run met, and the graph.
    """

    outputs: list[Any]
    values: list[Any]
    inputs: dict[str, np.ndarray]
    trace: Trace
    result: Any = field(default=None, repr=False)

    @property
    def conditions(self) -> list[Condition]:
        return self.trace.conditions

    @property
    def graph(self) -> Graph:
        return self.trace.graph

    def __iter__(self) -> Iterator[Node]:
        """All entries of all outputs, in order."""
        for output in self.outputs:
            if output is not None:
                yield from output.flat


@contextmanager
def traced_namespace(*functions: Any) -> Iterator[None]:
    """Make the code that ``functions`` can reach trace, in this thread, until the block ends.

    Parameters
    ----------
    *functions
        Callables, or objects that hold them. Names bound in their modules to NumPy's constructors,
        to functions of ``math`` and to SciPy's are bound to tracing ones; arrays of floats reached
        through globals, closures, defaults and attributes are replaced by traced copies. All of it
        is put back at the end, whatever happens.
    """
    with installed(), rebound(functions), np.errstate(all="ignore"):
        try:
            yield
        except (TypeError, ValueError) as error:
            # What NumPy makes of a TraceError met while it converts an entry.
            if isinstance(error.__cause__, TraceError):
                raise error.__cause__ from None
            raise


def trace(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    keywords: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
    names: Sequence[str] | None = None,
) -> Traced:
    """Run ``function`` on symbols that stand for the given floats.

    Parameters
    ----------
    function : callable
        NumPy code.
    arguments : sequence
        Arrays of floats and floats, each replaced by symbols; anything else is passed as it is.
    keywords : mapping, optional
        Passed as they are.
    trace : Trace, optional
        A trace to go on with: its graph and its conditions.
    names : sequence of str, optional
        The names of the arguments; by default those of the function's parameters.

    Returns
    -------
    Traced

    Raises
    ------
    TraceError
        Where the code leaves the world of symbols. Other exceptions are the code's own.

    Examples
    --------
    >>> import numpy as np
    >>> from symbolic.tracing import trace
    >>> t = trace(lambda x: np.maximum(x, 0.0) ** 2, [np.array([3.0, -1.0])])
    >>> t.outputs[0], t.values[0]
    (array([pow(x[0], 2), 0], dtype=object), array([9., 0.]))
    >>> [(c.gap, c.sign) for c in t.conditions]
    [(x[0], '>='), (x[1], '<')]
    """
    run = trace or Trace()
    labels = list(names) if names is not None else argument_names(function, len(arguments))
    traced: list[Any] = []
    inputs: dict[str, np.ndarray] = {}
    for name, value in zip(labels, arguments, strict=True):
        if is_differentiable(value):
            array = symbol_array(run, name, value)
            array._scalar = not isinstance(value, np.ndarray)
            inputs[name] = nodes(array, run.graph)
            traced.append(array)
        else:
            traced.append(value)
    with traced_namespace(function, arguments, keywords or {}):
        result = (counterpart(function) or function)(*traced, **(keywords or {}))
    several = isinstance(result, (tuple, list))
    results = list(result) if several else [result]
    return Traced(
        [None if r is None else nodes(r, run.graph) for r in results],
        [None if r is None else np.asarray(values(r), dtype=float) for r in results],
        inputs,
        run,
        result,
    )


def asarray(x: Any) -> Any:
    """``np.asarray`` that keeps traced arrays, and makes one of a nested list of traced entries."""
    if isinstance(x, np.ndarray) and not issubclass(type(x), np.ndarray):
        return x  # it only says that it is one
    if is_traced(x) or contains_traced(x):
        return wrap(*gather(x))
    return np.asarray(x)


def is_differentiable(value: Any) -> bool:
    """Whether an argument is one that gets symbols: a float or an array of floats."""
    if isinstance(value, np.ndarray) and type(value) is not TracedArray:
        return value.dtype.kind == "f"
    return isinstance(value, (float, np.floating)) and type(value) is not TracedArray


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the first ``count`` positional parameters; ``x0``, ``x1``... where unknown."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [f"x{i}" for i in range(count)]
    found: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            found += [f"{p.name}{i}" for i in range(count - len(found))]
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            found.append(p.name)
    found += [f"x{i}" for i in range(len(found), count)]
    return found[:count]
