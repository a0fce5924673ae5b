"""Random compositions of differentiable operations, as a hypothesis strategy.

Reached as :func:`verify.strategies.functions`.

May import: NumPy, SciPy and hypothesis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy import special

__all__ = ["SIMPLE", "Composite", "functions", "operations"]

# Values to try first; arguments shrink to the earlier ones.
SIMPLE = (1.0, 2.0, 0.5, 0.0, -1.0, 3.0, -2.0, -0.5)


@dataclass(frozen=True)
class Composite:
    """A random composition of operations: the same code runs on arrays and on Tensors.

    Attributes
    ----------
    steps : tuple
        Each a name of :data:`operations` and the places of its operands: the arguments first, then
        the results of earlier steps.
    arguments : tuple of ndarray
        Arguments that it takes.
    """

    steps: tuple[tuple[str, tuple[int, ...]], ...]
    arguments: tuple[np.ndarray, ...]

    def __call__(self, *args: Any) -> Any:
        done = list(args)
        for name, places in self.steps:
            done.append(operations[name].call(*(done[i] for i in places)))
        return done[-1]

    def __str__(self) -> str:
        """As Python code."""
        count = len(self.arguments)
        names = [f"x{i}" for i in range(count)] + [f"t{i}" for i in range(len(self.steps))]
        lines = [f"def f({', '.join(names[:count])}):"]
        for i, (name, places) in enumerate(self.steps):
            text = operations[name].text.format(*(names[k] for k in places))
            lines.append(f"    t{i} = {text}")
        lines.append(f"    return {names[-1]}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self}\n at {', '.join(repr(a) for a in self.arguments)}>"

    @property
    def __name__(self) -> str:
        return "composite"


@dataclass(frozen=True)
class _Operation:
    text: str
    call: Callable[..., Any]
    arity: int = 1
    smooth: bool = True


def _operation(text: str, arity: int = 1, smooth: bool = True) -> _Operation:
    """An operation from its text, in which ``{0}`` and ``{1}`` are the operands."""
    names = ["a", "b"][:arity]
    code = f"lambda {', '.join(names)}: {text.format(*names)}"
    return _Operation(text, eval(code, {"np": np, "special": special}), arity, smooth)


# None of them overflows at moderate arguments, and all are defined everywhere.
operations: dict[str, _Operation] = {
    "add": _operation("{0} + {1}", 2),
    "mul": _operation("{0} * {1}", 2),
    "sub": _operation("{0} - {1}", 2),
    "sin": _operation("np.sin({0})"),
    "square": _operation("{0}**2"),
    "tanh": _operation("np.tanh({0})"),
    "exp": _operation("np.exp(-({0} * {0}))"),
    "log": _operation("np.log1p({0} * {0})"),
    "sqrt": _operation("np.sqrt(1 + {0} * {0})"),
    "div": _operation("{0} / (1 + {1} * {1})", 2),
    "arctan": _operation("np.arctan({0})"),
    "expit": _operation("special.expit({0})"),
    "erf": _operation("special.erf({0})"),
    "logaddexp": _operation("np.logaddexp({0}, {1})", 2),
    "sum": _operation("np.sum({0}, axis=0) if np.ndim({0}) else {0}"),
    "mean": _operation("np.mean({0}, keepdims=True)"),
    "transpose": _operation("np.transpose({0})"),
    "reverse": _operation("{0}[::-1] if np.ndim({0}) else {0}"),
    "abs": _operation("np.abs({0})", smooth=False),
    "maximum": _operation("np.maximum({0}, {1})", 2, smooth=False),
    "max": _operation("np.max({0})", smooth=False),
    "total": _operation("np.sum({0})"),
}


def functions(
    max_ops: int = 6, *, smooth: bool = False, scalar: bool = False
) -> st.SearchStrategy[Composite]:
    """Random composite graphs of built-in operations, with arguments to run them at.

    Parameters
    ----------
    max_ops : int
        How many operations at the most.
    smooth : bool
        Whether to leave out those with kinks.
    scalar : bool
        Whether to add up the result.

    Returns
    -------
    strategy of Composite
        A callable; ``.arguments`` has arrays for it. It takes Tensors, arrays and symbols alike.

    Examples
    --------
    >>> import autodiff as ad
    >>> import numpy as np
    >>> from hypothesis import given, settings
    >>> from verify import strategies
    >>> @settings(max_examples=20, derandomize=True, database=None)
    ... @given(strategies.functions(max_ops=4))
    ... def test_tensors_agree_with_arrays(f):
    ...     value = f(*map(ad.tensor, f.arguments))
    ...     np.testing.assert_allclose(value.numpy(), f(*f.arguments), rtol=1e-12)
    >>> test_tensors_agree_with_arrays()
    """
    if max_ops < 1:
        raise ValueError(f"functions: expected max_ops of at least 1, got {max_ops}")
    names = [n for n, op in operations.items() if (op.smooth or not smooth) and n != "total"]

    @st.composite
    def composites(draw: Any) -> Composite:
        side = draw(st.sampled_from([2, 3, 1]))
        choices = [(), (side,), (side, side)]
        count = draw(st.integers(1, 2))
        entry = st.one_of(st.sampled_from(SIMPLE), st.floats(-4, 4, width=32))
        arguments = []
        for _ in range(count):
            shape = draw(st.sampled_from(choices))
            size = math.prod(shape)
            values = draw(st.lists(entry, min_size=size, max_size=size))
            arguments.append(np.array(values, dtype=float).reshape(shape))
        steps: list[tuple[str, tuple[int, ...]]] = []
        for _ in range(draw(st.integers(1, max_ops))):
            name = draw(st.sampled_from(names))
            last = count + len(steps) - 1
            # Most steps go on from the step before: otherwise much of the graph leads nowhere.
            first = last if steps else draw(st.integers(0, last))
            more = [draw(st.integers(0, last)) for _ in range(operations[name].arity - 1)]
            steps.append((name, (first, *more)))
        if scalar:
            steps.append(("total", (count + len(steps) - 1,)))
        return Composite(tuple(steps), tuple(arguments))

    return composites()
