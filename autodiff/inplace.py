"""Changing tensors in place: ``x += 1``, ``x[i] = y``, ``x.zero_()``.

A tensor that is changed takes a new place in the graph, and the version counter of its memory
steps. What would then be silently wrong is an error: a backward pass that needs the old values,
and the further use of a tensor that shares the memory (a view, or what it is a view of) but whose
history does not know of the change.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import graph
from autodiff._lazy import LazyModule
from autodiff.grad_mode import mode

if TYPE_CHECKING:
    from autodiff.tensor import Tensor

__all__ = ["InPlace"]

F: Any = LazyModule("autodiff.functions")  # loaded by the first operation


def _requires_grad(value: Any) -> bool:
    return bool(getattr(value, "_requires_grad", False))


def _place(tensor: Any, node: Any, requires_grad: bool) -> None:
    tensor._node, tensor._requires_grad = node, requires_grad


class InPlace:
    """Operators and methods that change a tensor."""

    __slots__ = ()

    _data: Any
    _node: Any
    _requires_grad: bool

    def __iadd__(self, other: Any) -> Tensor:
        return self._change(F.Add.apply, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._change(F.Sub.apply, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._change(F.Mul.apply, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._change(F.Div.apply, other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._change(F.power, other)

    def __imatmul__(self, other: Any) -> Tensor:
        return self._change(F.matmul, other)

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Add ``alpha * other`` in place."""
        return self._change(F.Add.apply, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Subtract ``alpha * other`` in place."""
        return self._change(F.Sub.apply, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Tensor:
        """Multiply in place."""
        return self._change(F.Mul.apply, other)

    def div_(self, other: Any) -> Tensor:
        """Divide in place."""
        return self._change(F.Div.apply, other)

    def pow_(self, exponent: Any) -> Tensor:
        """Raise to a power in place."""
        return self._change(F.power, exponent)

    def neg_(self) -> Tensor:
        """Negate in place."""
        return self._change(F.neg)

    def exp_(self) -> Tensor:
        """Apply the exponential in place."""
        return self._change(F.exp)

    def sqrt_(self) -> Tensor:
        """Apply the square root in place."""
        return self._change(F.sqrt)

    def sigmoid_(self) -> Tensor:
        """Apply the sigmoid in place."""
        return self._change(F.sigmoid)

    def tanh_(self) -> Tensor:
        """Apply the hyperbolic tangent in place."""
        return self._change(F.tanh)

    def relu_(self) -> Tensor:
        """Set negative entries to 0 in place."""
        return self._change(F.relu)

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit the entries to ``[min, max]`` in place."""
        return self._change(lambda x: F.clip(x, min=min, max=max))

    clip_ = clamp_

    def zero_(self) -> Tensor:
        """Set all entries to 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Tensor:
        """Set all entries to one value."""
        self[...] = value
        return self  # type: ignore[return-value]

    def copy_(self, source: Any) -> Tensor:
        """Set the entries to those of `source`, which is broadcast."""
        self[...] = source
        return self  # type: ignore[return-value]

    def __setitem__(self, index: Any, value: Any) -> None:
        index = F.indexing.dotted_index(index)
        recording = mode.enabled and (self._requires_grad or _requires_grad(value))
        raw = getattr(value, "_data", value)
        data = self._own_array()
        if not recording:
            data[index] = raw
            self._mark()
            return
        self._check_may_change()
        target = data[index]
        # ``x[i] += 1`` is a view, changed, and assigned to where it lies already: the history that
        # it brings is what x lacked, so that x is not out of date.
        itself = _same_memory(target, raw)
        if not itself:
            graph.check_fresh(self)
        node = F.Setitem.node()
        old = None if not self._requires_grad else self._node or self
        new = value._node or value if _requires_grad(value) else None
        self._mark()
        if not itself:
            data[index] = raw
        F.Setitem.prepare(node, data.shape, getattr(raw, "shape", ()), index)
        node._edges = (old, new)
        node.needs_input_grad = (old is not None, new is not None)
        node.saved_tensors = ()
        node._order = next(graph.clock)
        node._shape, node._dtype = data.shape, data.dtype
        node._given, node._keywords = (raw,) if new is None else (), {"index": index}
        _place(self, node, True)

    def _own_array(self) -> Any:
        """Return the storage as something that can be written to."""
        if isinstance(self._data, np.generic):
            self._data = np.asarray(self._data)
        return self._data

    def _mark(self) -> None:
        """Step the version counter; note whether other tensors may share the memory."""
        data = self._data
        if type(data) is not np.ndarray:  # symbols, which have no memory to share
            return
        # Four references are those of the tensor, of two callers here, and of the count itself.
        shared = data.base is not None or sys.getrefcount(data) > 4
        graph.mark_modified(data, shared)

    def _check_may_change(self) -> None:
        """Raise for leaf tensors that require a gradient, and for views of them."""
        if self._requires_grad and self._node is None:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation. Change "
                "it inside `with no_grad():`, or compute a new tensor instead."
            )
        data, node = self._data, self._node
        if not isinstance(data, np.ndarray) or data.base is None:
            return
        while isinstance(node, graph.Node) and len(node._edges) == 1:
            (edge,) = node._edges
            if isinstance(edge, InPlace):
                if np.may_share_memory(edge._data, data):
                    raise RuntimeError(
                        "a view of a leaf Variable that requires grad is being used in an in-place "
                        "operation. Change it inside `with no_grad():`, or copy it first."
                    )
                return
            node = edge

    def _change(self, operation: Callable[..., Any], *others: Any) -> Tensor:
        """Take the value of an operation on this tensor, and its place in the graph."""
        from autodiff.tensor import Tensor

        recording = mode.enabled and (self._requires_grad or any(map(_requires_grad, others)))
        data = self._own_array()
        if not recording:
            self._write(operation(self, *others))
            self._mark()
            return self  # type: ignore[return-value]
        self._check_may_change()
        graph.check_fresh(self)
        # The operation gets copies of what will change, so that what it saves keeps the old values.
        old = Tensor._make(data.copy(), self._node)
        inputs = []
        for other in others:
            if other is self:
                other = old
            elif isinstance(other, Tensor) and np.may_share_memory(other._data, data):
                graph.check_fresh(other)
                other = Tensor._make(other._data.copy(), other._node)
            inputs.append(other)
        out = operation(old, *inputs)
        self._write(out)
        self._mark()
        if out._node is not None:
            out._node._order = next(graph.clock)  # newer than the change that it knows of
        _place(self, out._node, out._requires_grad)
        return self  # type: ignore[return-value]

    def _write(self, out: Tensor) -> None:
        data = self._data
        if out.shape != data.shape:
            raise RuntimeError(
                f"output with shape {list(data.shape)} doesn't match the broadcast shape "
                f"{list(out.shape)}: the result of an in-place operation must fit into its tensor"
            )
        if not np.can_cast(out.dtype, data.dtype, "same_kind"):
            raise RuntimeError(
                f"result type {out.dtype} can't be cast to {data.dtype}, the type of the tensor "
                "that is changed in place"
            )
        data[...] = out._data


def _same_memory(a: Any, b: Any) -> bool:
    return (
        type(a) is np.ndarray
        and type(b) is np.ndarray
        and a.__array_interface__["data"] == b.__array_interface__["data"]
        and a.shape == b.shape
        and a.strides == b.strides
    )
