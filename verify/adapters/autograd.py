"""autograd (HIPS): primitives with their ``defvjp``, and any callable on ``autograd.numpy``.

autograd records what NumPy functions do to its boxes, whatever the boxes hold. So symbols go where
floats go: its own tape and its own rules run on traced arrays, once autograd is told that these are
arrays, and its rules are proved as they stand.

May import: autograd, :mod:`symbolic`, :mod:`verify.subject`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from autograd import make_vjp
from autograd.core import VJPNode, VSpace, add_outgrads, primitive_vjps
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace
from autograd.tracer import Box, getval, new_box, toposort, trace_stack

from symbolic.array import TracedArray, is_traced, wrap
from symbolic.values import Symbol
from verify.subject import Pullback, Subject, weights

__all__ = ["AutogradSubject", "adapt"]


class _TracedSpace(ArrayVSpace):
    """The space of traced arrays: zeros and ones that symbols can be added to."""

    def __init__(self, value: Any):
        self.shape, self.dtype = np.shape(value), np.dtype(float)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayVSpace) and self.shape == other.shape

    def zeros(self) -> Any:
        return wrap(np.zeros(self.shape))


for _kind in (TracedArray, Symbol):
    VSpace.register(_kind, _TracedSpace)
    ArrayBox.register(_kind)


def adapt(subject: Any) -> Subject | None:
    """Any callable on ``autograd.numpy``."""
    return AutogradSubject(subject) if callable(subject) and not isinstance(subject, type) else None


class AutogradSubject(Subject):
    """A callable on ``autograd.numpy``, a primitive included: its gradient is autograd's."""

    def __init__(self, function: Callable[..., Any]):
        raw = getattr(function, "fun", function)  # what a primitive wraps
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(function, name, raw)
        self.raw = raw

    @property
    def code(self) -> list[Callable[..., Any]]:
        return [*_rules(self.function), self.raw]

    def gradient(self) -> Subject:
        def gradient(*args: Any, **keywords: Any) -> Any:
            ends = weights(np.shape(getval(self.function(*args, **keywords))))
            places = [i for i, a in enumerate(args) if _is_float(getval(a))]
            found = [make_vjp(self.function, i)(*args, **keywords)[0](ends) for i in places]
            return tuple(found)

        found = AutogradSubject(gradient)
        found.arguments, found.variadic = list(self.arguments), self.variadic
        return found

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        places = [i for i, a in enumerate(args) if _is_float(a)]

        roots = [VJPNode.new_root() for _ in places]
        given = list(args)
        with trace_stack.new_trace() as level:
            for i, root in zip(places, roots, strict=True):
                given[i] = new_box(args[i], level, root)
            result = self.function(*given, **keywords)
        boxes = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        ends = [b._node if isinstance(b, Box) and b._trace == level else None for b in boxes]
        outputs = tuple(b._value if e is not None else b for b, e in zip(boxes, ends, strict=True))

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            pairs = [(e, g) for e, g in zip(ends, grads, strict=True) if e is not None]
            found = _sweep(pairs, roots)
            gradients: list[Any] = [None] * len(args)
            for i, root in zip(places, roots, strict=True):
                gradients[i] = found.get(root)
            return tuple(gradients)

        return outputs, pullback


class _Ends:
    """A node above all outputs."""

    def __init__(self, parents: list[Any]):
        self.parents = parents


def _sweep(ends: Sequence[tuple[Any, Any]], roots: Sequence[Any]) -> dict[Any, Any]:
    """autograd's backward pass, with several outputs and several arguments.

    What a rule gives is handed out as it is: autograd checks no shapes.
    """
    sums: dict[Any, Any] = {}
    for node, gradient in ends:
        sums[node] = add_outgrads(sums.get(node), gradient)
    for node in toposort(_Ends([node for node, _ in ends])):
        if isinstance(node, _Ends) or any(node is root for root in roots):
            continue
        upstream = sums.pop(node)
        for parent, gradient in zip(node.parents, node.vjp(upstream[0]), strict=True):
            sums[parent] = add_outgrads(sums.get(parent), gradient)
    return {root: sums[root][0] for root in roots if root in sums}


def _is_float(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)) or is_traced(value):
        return value.dtype.kind in "fc"
    return isinstance(value, (float, complex))


def _rules(function: Any) -> list[Callable[..., Any]]:
    """The functions that make a primitive's vector-Jacobian products."""
    rule = primitive_vjps.get(function)
    return [rule] if rule is not None else []
