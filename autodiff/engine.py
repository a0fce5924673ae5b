"""The backward pass: one sweep over the graph, newest node first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush, heappushpop
from traceback import format_list
from typing import Any

import numpy as np

from autodiff.grad_mode import ANOMALY, switch
from autodiff.graph import FREED, Node, Output, _modified, expected
from autodiff.tensor import Tensor, storage

__all__ = ["backward", "grad"]

_ndarray = np.ndarray
_float64 = np.float64
_double = np.dtype(np.float64)
_ONE = np.float64(1)


def sweep(
    edges: Sequence[Any],
    grads: Sequence[Any],
    keep: bool,
    create: bool,
    wanted: dict[Any, Any] | None = None,
    useful: set[Any] | None = None,
) -> dict[Any, Any]:
    """Send gradients through the graph; return what arrives at each leaf.

    Parameters
    ----------
    edges : sequence of node or leaf tensor
        Where to begin.
    grads : sequence
        The gradient of each.
    keep : bool
        Whether to leave what the nodes saved in place, for another pass.
    create : bool
        Whether to record the pass itself: gradients are then tensors.
    wanted : dict, optional
        Nodes whose gradients are asked for; filled in.
    useful : set, optional
        The nodes that lead to something wanted; the others are left out.
    """
    heap: list[Any] = []
    pending: dict[Any, Any] = {}
    leaves: dict[Any, Any] = {}
    owned: set[Any] = set()  # targets whose pending gradient is a sum made here
    node: Any = None
    following: Any = None  # the next node, while there is but one: nothing to be queued
    anomaly = ANOMALY[0]
    while True:
        index = -1  # counted by hand: a `zip` takes longer than what is done with one edge
        for target in edges:
            index += 1
            if target is None or (g := grads[index]) is None:
                continue
            if isinstance(target, Tensor):
                total, like = leaves, target._data  # whose shape is no property
                shape, dtype = like.shape, like.dtype
            elif useful is None or target in useful:
                total = pending
                shape, dtype = target._shape, target._dtype
            else:
                continue
            try:
                if type(g) is _float64:  # whose shape and dtype are known: to ask takes longer
                    if shape or dtype is not _double:
                        g = _conform(node, edges, target, g)
                elif g.shape != shape or g.dtype is not dtype:
                    g = _conform(node, edges, target, g)
            except AttributeError:
                g = _conform(node, edges, target, g)
            if target not in total:
                total[target] = g
                if total is pending:
                    if following is None and not heap:
                        following = target
                    else:
                        heappush(heap, (target._order, target))
            elif target in owned or _fresh(total[target]):
                total[target] += g
                owned.add(target)
            else:
                total[target] = g = total[target] + g
                if type(g) is _ndarray and g.ndim:
                    owned.add(target)
        grads = ()  # their memory is free for the next node, but for what waits in a table
        if following is None:
            if not heap:
                return leaves
            node = heappop(heap)[1]
        else:
            node = heappushpop(heap, (following._order, following))[1] if heap else following
            following = None
        g = pending.pop(node)
        if node._hooks is not None:
            g = _call_hooks(node, g)
        if wanted is not None and node in wanted:
            wanted[node] = g
        if type(node) is Output:
            edges, grads = _collect(node, g, heap, pending)
            continue
        if _modified:
            node.check_versions()
        edges = node._edges
        if create:
            grads = _recorded(node, g)
        elif node._outputs is None:
            grads = node._function.backward(node, g)
        else:
            grads = node._function.backward(node, *_materialized(node, g))
        if type(grads) is not tuple:
            grads = (grads,)
        if len(grads) != len(edges):
            _check_number(node, edges, grads)
        if anomaly:
            _check_nan(node, grads)
        if not keep and node.saved_tensors:
            node.saved_tensors = FREED


def _references(g: Any) -> int:
    return sys.getrefcount(g)


# How many references a function counts of an argument that stands in a table alone: of the table,
# of the call and of the count itself, of which interpreters leave some out.
_ALONE = _references({0: np.zeros(1)}[0])


def _fresh(g: Any) -> bool:
    """Whether a large gradient is held by nothing but the table that it waits in.

    Then it may be added to in place. Whoever holds it, or a view of it, counts as a reference.
    """
    return (
        type(g) is _ndarray
        and g.size > 1000
        and sys.getrefcount(g) == _ALONE
        and g.flags.owndata
        and g.flags.writeable
    )


def _check_number(node: Node, edges: Sequence[Any], grads: Sequence[Any]) -> None:
    """Allow further gradients that are ``None``; raise for any other number than of arguments."""
    number = len(edges)
    if len(grads) < number or any(g is not None for g in grads[number:]):
        raise RuntimeError(
            f"function {type(node).__name__} returned an incorrect number of gradients "
            f"(expected {number}, got {len(grads)})"
        )


def _check_nan(node: Node, grads: Sequence[Any]) -> None:
    """Raise if a backward returned NaN, and show where its operation was recorded."""
    for index, g in enumerate(grads):
        values = g._data if isinstance(g, Tensor) else g
        if isinstance(values, (np.ndarray, np.generic)) and np.isnan(values).any():
            where = "(outside of detect_anomaly: the lines are not known)\n"
            if node._traceback is not None:
                where = "".join(format_list(node._traceback))
            raise RuntimeError(
                f"Function {type(node).__name__} returned nan values in gradient {index}"
                f"{_argument(node, index)}. It was recorded here:\n{where}"
            )


def _argument(node: Node, index: int) -> str:
    """Return the name of an argument, in parentheses."""
    from autodiff.function import argument_names

    names = argument_names(node._function)
    return f" ({names[index]!r})" if index < len(names) else ""


def _conform(node: Node, edges: Sequence[Any], target: Any, g: Any) -> Any:
    """Give a gradient the shape and dtype of its argument, or say why that cannot be."""
    if not isinstance(g, Tensor):
        g = storage(g)
    shape, dtype = expected(target)
    if g.shape != shape:
        index = next(i for i, edge in enumerate(edges) if edge is target)
        name = _argument(node, index)
        raise RuntimeError(
            f"Function {type(node).__name__} returned an invalid gradient at index {index}{name} - "
            f"got {list(g.shape)} but expected shape compatible with {list(shape)}"
        )
    if g.dtype != dtype and isinstance(g, (np.ndarray, np.generic, Tensor)):
        if g.dtype.kind == "c" and dtype.kind != "c":
            g = np.real(g)  # type: ignore[call-overload]
        if g.dtype != dtype:
            g = g.astype(dtype)
    return g


def _collect(node: Output, g: Any, heap: list[Any], pending: dict[Any, Any]) -> tuple[Any, Any]:
    """Put the gradient of one output into its place at a node that has several."""
    parent = node.parent
    if parent not in pending:
        assert parent._outputs is not None
        pending[parent] = [None] * len(parent._outputs)
        heappush(heap, (parent._order, parent))
    slots = pending[parent]
    slots[node.index] = g if slots[node.index] is None else slots[node.index] + g
    return (), ()


def _materialized(node: Node, slots: list[Any]) -> list[Any]:
    """Replace the gradients that nothing sent by zeros, if the Function wants that."""
    if not node._materialize:
        return slots
    assert node._outputs is not None
    return [
        np.zeros(shape, dtype) if g is None else g
        for g, (shape, dtype) in zip(slots, node._outputs, strict=True)
    ]


def _recorded(node: Node, g: Any) -> Any:
    """Run a backward on tensors, so that what it computes is recorded."""
    saved, node.saved_tensors = node.saved_tensors, node.connected_tensors()
    previous = switch(True)
    node._connected = True
    try:
        if node._outputs is None:
            return node._function.backward(node, g)
        return node._function.backward(node, *_materialized(node, g))
    finally:
        node.saved_tensors = saved
        node._connected = False
        switch(previous)


def _call_hooks(node: Any, g: Any) -> Any:
    for hook in list(node._hooks.values()):
        g = _call_hook(hook, g)
    return g


def _call_hook(hook: Callable[[Tensor], Any], g: Any) -> Any:
    seen = g if isinstance(g, Tensor) else Tensor._make(g, None)
    changed = hook(seen)
    if changed is None:
        return g
    if isinstance(g, Tensor):
        return changed if isinstance(changed, Tensor) else Tensor._make(storage(changed), None)
    return changed._data if isinstance(changed, Tensor) else storage(changed)


def _root(output: Tensor, gradient: Any, create: bool) -> tuple[Any, Any]:
    """Return where a pass begins for one output, and with which gradient."""
    if not output._requires_grad:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    data = output._data
    if gradient is None:
        if type(data) is _float64 and not create:
            return output._node or output, _ONE
        if data.size != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs: pass a gradient of shape "
                f"{list(data.shape)}, as in y.backward(gradient) or grad(y, x, grad_outputs)"
            )
        gradient = _ones_like(data)
    elif not (isinstance(gradient, Tensor) and create):
        gradient = storage(gradient)
    if gradient.shape != data.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {list(gradient.shape)} and "
            f"output[0] has a shape of {list(data.shape)}."
        )
    if gradient.dtype != data.dtype and isinstance(gradient, (np.ndarray, np.generic, Tensor)):
        gradient = gradient.astype(data.dtype)
    if create and not isinstance(gradient, Tensor):
        gradient = Tensor._make(gradient, None)
    return output._node or output, gradient


def _ones_like(data: Any) -> Any:
    return data.dtype.type(1) if not data.shape else np.ones(data.shape, data.dtype)


def backward(output: Tensor, gradient: Any, retain_graph: bool | None, create: bool) -> None:
    """Compute the gradients of `output`, and add them to the ``.grad`` of the leaf tensors."""
    target, gradient = _root(output, gradient, create)
    leaves = sweep((target,), (gradient,), create if retain_graph is None else retain_graph, create)
    del gradient  # so that nobody but `leaves` holds it, where it is a leaf's
    while leaves:
        leaf, g = leaves.popitem()
        if leaf._hooks:
            for hook in list(leaf._hooks.values()):
                g = _call_hook(hook, g)
        _accumulate(leaf, g)


def _accumulate(leaf: Tensor, g: Any) -> None:
    """Add a gradient to ``leaf.grad``, never writing to memory that somebody else may hold."""
    if leaf._grad is not None:
        old = leaf._grad
        if not isinstance(g, Tensor):
            g, old = Tensor._make(g, None), old.detach()
        leaf._grad = old + g
    elif isinstance(g, Tensor):
        leaf._grad = g
    else:
        # The array is ours to keep if nothing but this call and its caller refers to it.
        if type(g) is _ndarray and (not g.flags.owndata or sys.getrefcount(g) > 3):
            g = g.copy()
        leaf._grad = Tensor._make(g, None)


def _useful(roots: Iterable[Any], wanted: Iterable[Any]) -> set[Any]:
    """Return the nodes through which something wanted can be reached."""
    goals = {id(target) for target in wanted}
    seen: set[Any] = set()
    nodes = []
    stack = [root for root in roots if not isinstance(root, Tensor)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        nodes.append(node)
        for target in (node.parent,) if type(node) is Output else node._edges:
            if target is not None and not isinstance(target, Tensor):
                stack.append(target)
    useful: set[Any] = set()
    for node in sorted(nodes, key=lambda node: -node._order):  # oldest first
        targets = (node.parent,) if type(node) is Output else node._edges
        if id(node) in goals or any(
            target is not None and (id(target) in goals or (target in useful)) for target in targets
        ):
            useful.add(node)
    return useful


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` in `inputs`; no ``.grad`` is changed.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What to differentiate.
    inputs : Tensor or sequence of Tensor
        In what: leaf tensors or results of operations.
    grad_outputs : Tensor or sequence of Tensor, optional
        The upstream gradient of each output; may be left out for outputs of one element.
    retain_graph : bool, optional
        Keep the graph for another pass. The default is the value of `create_graph`.
    create_graph : bool, optional
        Record the pass, so that its results can be differentiated again.
    allow_unused : bool, optional
        Return ``None`` for an input that the outputs do not depend on, instead of raising.
    materialize_grads : bool, optional
        Return zeros in that case.

    Returns
    -------
    tuple of Tensor

    Raises
    ------
    RuntimeError
        An input does not require a gradient or was not used; an output of several elements comes
        without its gradient; a gradient has a wrong shape.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.tensor(2.0, requires_grad=True)
    >>> (first,) = ad.grad(x**3, x, create_graph=True)
    >>> ad.grad(first, x)
    (tensor(12.),)
    """
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    ins = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if grad_outputs is None:
        seeds: list[Any] = [None] * len(outs)
    elif (isinstance(grad_outputs, (list, tuple)) and not isinstance(outputs, Tensor)) or (
        isinstance(grad_outputs, (list, tuple))
        and any(isinstance(seed, Tensor) for seed in grad_outputs)
    ):
        seeds = list(grad_outputs)
    else:
        seeds = [grad_outputs]
    if len(seeds) != len(outs):
        raise RuntimeError(f"got {len(outs)} outputs and {len(seeds)} grad_outputs")
    for tensor in ins:
        if not tensor._requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    roots = [_root(out, g, create_graph) for out, g in zip(outs, seeds, strict=True)]
    targets = [tensor._node or tensor for tensor in ins]
    wanted: dict[Any, Any] = {target: None for target in targets if not isinstance(target, Tensor)}
    starts, gradients = [root for root, _ in roots], [gradient for _, gradient in roots]
    useful = _useful(starts, targets)
    useful.update(root for root in starts if root in wanted)
    leaves = sweep(starts, gradients, keep, create_graph, wanted, useful)
    results: list[Tensor | None] = []
    for tensor, target in zip(ins, targets, strict=True):
        g = leaves.get(target) if isinstance(target, Tensor) else wanted[target]
        if isinstance(target, Tensor) and target._hooks and g is not None:
            for hook in list(target._hooks.values()):
                g = _call_hook(hook, g)
        if g is None:
            if materialize_grads:
                g = np.zeros(tensor.shape, tensor.dtype)
            elif not allow_unused:
                raise RuntimeError(
                    "One of the differentiated Tensors appears to not have been used in the graph. "
                    "Set allow_unused=True if this is the desired behavior."
                )
        if g is not None and not isinstance(g, Tensor):
            # Gradients may share memory with each other and with the graph: what leaves is a copy.
            g = Tensor._make(g.copy() if isinstance(g, np.ndarray) else g, None)
        results.append(g)
    return tuple(results)
