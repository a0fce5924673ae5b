"""The graph that operations record: its nodes, and what they saved for the backward pass.

A node is also the ``ctx`` of the Function that made it. A tensor refers to its node, a node to the
nodes (or leaf tensors) of its inputs, and never the other way: a graph has no cycles, so reference
counting frees it as soon as its last tensor goes.
"""

from __future__ import annotations

import itertools
import weakref
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from autodiff.function import Function
    from autodiff.tensor import Tensor

__all__ = ["AccumulateGrad", "Node", "Output", "given", "mark_modified", "version"]

# Falls with each node, so that a heap's smallest entry is the newest node: newest first is a
# topological order, since a node's inputs exist before the node does.
clock = itertools.count(0, -1)


class _Freed:
    """Stands where a node's saved tensors were: whoever unpacks it is told that they are gone."""

    def __iter__(self) -> Any:
        raise RuntimeError(
            "Trying to backward through the graph a second time (or directly access saved "
            "tensors after they have already been freed). Saved intermediate values of the "
            "graph are freed when you call .backward() or autodiff.grad(). Specify "
            "retain_graph=True if you need to backward through the graph a second time or if "
            "you need to access saved tensors after calling backward."
        )

    def __getitem__(self, index: Any) -> Any:
        return iter(self)

    def __repr__(self) -> str:
        return "<freed>"


FREED: Any = _Freed()


class Node:
    """One operation of the graph, and the ``ctx`` of the Function that recorded it.

    Attributes
    ----------
    next_functions : tuple of (node, int)
        For each input, the node it came from and which output of that node it is.
    saved_tensors : tuple
        What ``forward`` saved. Arrays; inside a backward pass with ``create_graph=True``, those
        which are inputs or outputs of the Function are tensors of the graph.
    needs_input_grad : tuple of bool
        For each positional argument of ``forward``, whether its gradient is wanted.
    """

    # Attributes that many Functions set have slots, so that few nodes need a dict. Names without an
    # underscore belong to the Functions, but for those that torch's contexts have too.
    __slots__ = (
        "__dict__", "__weakref__", "_dtype", "_edges", "_given", "_keywords", "_order",
        "_origins", "_shape", "axis", "kwargs", "needs_input_grad", "real", "saved_tensors",
        "shape_in", "shapes",
    )  # fmt: skip

    _given: tuple[Any, ...]
    _keywords: dict[str, Any]
    _dtype: Any
    _edges: tuple[Any, ...]
    needs_input_grad: tuple[bool, ...]
    _order: int
    _origins: Sequence[int | None]
    saved_tensors: tuple[Any, ...]
    _shape: tuple[int, ...]

    _function: ClassVar[type[Function]]
    # Defaults of what few nodes ever set, which would only cost time in `__slots__`.
    _hooks: Any = None
    _connected: bool = False
    _materialize: bool = True
    _non_differentiable: tuple[Any, ...] = ()
    _outputs: tuple[tuple[tuple[int, ...], Any], ...] | None = None
    _traceback: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep arrays for ``backward``, which finds them in ``ctx.saved_tensors``."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these outputs have no gradient."""
        self._non_differentiable = outputs

    def mark_dirty(self, *inputs: Any) -> None:
        """Say that ``forward`` changed these inputs in place (their version counters step)."""
        for array in inputs:
            mark_modified(array)

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether a missing gradient arrives as zeros (the default) or ``None``."""
        self._materialize = bool(value)

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        return tuple([public_edge(edge) for edge in self._edges])

    def name(self) -> str:
        """Return the name that tensors print, such as ``AddBackward``."""
        return type(self).__name__

    def remember_place(self) -> None:
        """Keep the lines of code that led here, outermost first (see `detect_anomaly`)."""
        import traceback

        # Without this call and the one that records.
        self._traceback = traceback.extract_stack()[:-2]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def connected_tensors(self) -> tuple[Any, ...]:
        """Return what was saved; what is an input or an output, with its place in the graph."""
        from autodiff.tensor import Tensor, wrap

        if not self.saved_tensors:
            return ()
        connected = []
        for array, origin in zip(self.saved_tensors, self._origins, strict=True):
            if origin is None:
                connected.append(array)
            elif origin >= 0:
                edge = self._edges[origin]
                if edge is None:
                    connected.append(array)
                elif isinstance(edge, Tensor):
                    connected.append(edge)
                else:
                    connected.append(wrap(array, edge))
            elif self._outputs is None:
                connected.append(wrap(array, self))
            else:
                connected.append(wrap(array, Output(self, -1 - origin)))
        return tuple(connected)

    def check_versions(self) -> None:
        """Raise if something that was saved has been changed in place since."""
        if not self.saved_tensors:
            return
        for array, origin in zip(self.saved_tensors, self._origins, strict=True):
            counter = _modified.get(id(_storage(array)))
            if counter is None or origin is None:
                continue
            later = sum(stamp < self._order for stamp in counter.stamps)
            if later:
                source = "an input"
                if origin < 0:
                    source = f"output {-1 - origin} of {type(self).__name__}"
                elif self._edges[origin] is not None:
                    node, index = public_edge(self._edges[origin])
                    source = f"output {index} of {type(node).__name__}"
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: [tensor of {array.dtype}, shape {list(array.shape)}], "
                    f"which is {source}, is at version {counter.count}; expected version "
                    f"{counter.count - later} instead, by {type(self).__name__}. Hint: compute "
                    "the new value out of place (x = x + 1, not x += 1), or copy the tensor first."
                )


def given(node: Node) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return what a node does not get from the graph, for whoever reads it.

    These are the arguments of ``forward`` that are constants (in their order, those that are
    differentiated left out) and its keywords.
    """
    return getattr(node, "_given", ()), getattr(node, "_keywords", {})


class Output:
    """One of several outputs of a node: passes its gradient on to its place at the node."""

    __slots__ = ("__dict__", "_order", "index", "parent")

    _hooks: Any = None

    def __init__(self, parent: Node, index: int) -> None:
        self.parent = parent
        self.index = index
        self._order = next(clock)

    @property
    def _shape(self) -> tuple[int, ...]:
        assert self.parent._outputs is not None
        return self.parent._outputs[self.index][0]

    @property
    def _dtype(self) -> Any:
        assert self.parent._outputs is not None
        return self.parent._outputs[self.index][1]


class AccumulateGrad:
    """The end of a graph: adds the gradient that arrives to the ``.grad`` of a leaf tensor."""

    __slots__ = ("variable",)

    next_functions: ClassVar[tuple[Any, ...]] = ()

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable

    def name(self) -> str:
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def expected(target: Any) -> tuple[tuple[int, ...], Any]:
    """Return the shape and dtype of the gradient that a node or a leaf tensor takes."""
    if isinstance(target, (Node, Output)):
        return target._shape, target._dtype
    return target.shape, target.dtype


def public_edge(edge: Any) -> tuple[Any, int]:
    if edge is None or isinstance(edge, Node):
        return edge, 0
    if isinstance(edge, Output):
        return edge.parent, edge.index
    return AccumulateGrad(edge), 0


class _Counter:
    """How often a piece of memory was changed in place, and when, for the last changes."""

    __slots__ = ("count", "reference", "stamps")

    def __init__(self, reference: Any) -> None:
        self.count = 0
        self.stamps: deque[int] = deque(maxlen=64)
        self.reference = reference


# Version counters exist only for memory that some in-place operation has changed: all that was
# never changed, nearly everything, pays nothing. Views share their memory's counter. The key is the
# id of the array that owns the memory; a weak reference removes the entry with the array.
_modified: dict[int, _Counter] = {}


def _storage(array: Any) -> Any:
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array


# The same for memory that several tensors share, where a change leaves the others' history behind.
_shared: dict[int, int] = {}


def mark_modified(array: Any, shared: bool = False) -> None:
    """Step the version counter of the memory that `array` lies in."""
    storage = _storage(array)
    key = id(storage)
    counter = _modified.get(key)
    if counter is None:

        def forget(_: Any) -> None:
            _modified.pop(key, None)
            _shared.pop(key, None)

        try:
            reference = weakref.ref(storage, forget)
        except TypeError:  # an exporter of memory that cannot be weakly referenced: keep it alive
            reference = storage
        counter = _modified[key] = _Counter(reference)
    counter.count += 1
    stamp = next(clock)
    counter.stamps.append(stamp)
    if shared:
        _shared[key] = stamp


def version(array: Any) -> int:
    """Return how often the memory that `array` lies in was changed in place."""
    counter = _modified.get(id(_storage(array)))
    return 0 if counter is None else counter.count


def check_fresh(tensor: Any) -> None:
    """Raise if a tensor's memory was changed, through another tensor, after it was computed."""
    node = tensor._node
    if node is None:
        return
    stamp = _shared.get(id(_storage(tensor._data)))
    if stamp is not None and stamp < node._order:
        raise RuntimeError(
            "a tensor is used whose memory was changed in place through another tensor that shares "
            f"it (a view, or what it is a view of): the history of this one, {public_edge(node)[0]}"
            ", does not know of the change. Copy one of the two with .clone(), or compute the new "
            "values out of place."
        )
