"""Derivatives of functions, as functions: products with the Jacobian, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine import grad
from autodiff.grad_mode import enable_grad
from autodiff.tensor import Tensor, storage

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor._make(_floating(storage(value)), None)


def _floating(array: Any) -> Any:
    return array.astype(np.float64) if array.dtype.kind in "biu" else array


def _inputs(inputs: Any, connected: bool) -> tuple[Tensor, ...]:
    """Return tensors to differentiate in: new leaves, or copies that keep their history."""
    fresh = []
    for value in _tuple(inputs):
        tensor = _tensor(value)
        if connected and tensor._requires_grad:
            fresh.append(tensor.view(*tensor.shape))
        else:
            fresh.append(tensor.detach().requires_grad_(True))
    return tuple(fresh)


def _evaluate(
    func: Callable[..., Any], inputs: tuple[Tensor, ...]
) -> tuple[Any, tuple[Tensor, ...]]:
    with enable_grad():
        outputs = func(*inputs)
    outs = _tuple(outputs)
    for i, out in enumerate(outs):
        if not isinstance(out, Tensor):
            raise TypeError(
                f"the function must return tensors, but output {i} is {type(out).__name__}"
            )
    return outputs, outs


def _like(template: Any, values: Any) -> Any:
    """Return a tuple where the user gave one, else its only entry."""
    return tuple(values) if isinstance(template, (tuple, list)) else values[0]


def _finish(values: Any, create_graph: bool) -> Any:
    if isinstance(values, (tuple, list)):
        return tuple([_finish(value, create_graph) for value in values])
    return values if create_graph or not isinstance(values, Tensor) else values.detach()


def _grads(
    outs: Any, ins: tuple[Tensor, ...], seeds: Any, create: bool, retain: bool = False
) -> tuple[Any, ...]:
    """Gradients, zero where an output does not depend on an input."""
    pairs = [(out, seed) for out, seed in zip(outs, seeds, strict=True) if out._requires_grad]
    if not pairs:
        return tuple([Tensor._make(np.zeros(x.shape, x.dtype), None) for x in ins])
    return grad(
        [out for out, _ in pairs],
        ins,
        [seed for _, seed in pairs],
        retain_graph=retain or create,
        create_graph=create,
        allow_unused=True,
        materialize_grads=True,
    )


def _seeds(outs: tuple[Tensor, ...], v: Any, what: str) -> tuple[Any, ...]:
    if v is None:
        if len(outs) != 1 or outs[0].numel() != 1:
            raise RuntimeError(f"{what} is needed unless there is one output, of one element")
        return (Tensor._make(np.ones(outs[0].shape, outs[0].dtype), None),)
    vectors = tuple([_tensor(vector) for vector in _tuple(v)])
    if len(vectors) != len(outs):
        raise RuntimeError(f"{what} has {len(vectors)} entries where {len(outs)} are needed")
    for i, (vector, out) in enumerate(zip(vectors, outs, strict=True)):
        if vector.shape != out.shape:
            raise RuntimeError(
                f"{what}[{i}] has shape {list(vector.shape)}, but {list(out.shape)} is needed"
            )
    return vectors


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function and the product of a vector with its Jacobian.

    Parameters
    ----------
    func : callable
        Takes tensors, returns a tensor or a tuple of them.
    inputs : Tensor or tuple of Tensor
    v : Tensor or tuple of Tensor, optional
        Of the shapes of the outputs. May be left out for one output of one element.
    create_graph : bool, optional
        Whether the results can be differentiated again.

    Returns
    -------
    outputs, products
        The products have the shapes of the inputs.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.functional.vjp(lambda x: x * x, ad.tensor([1.0, 2.0]), ad.tensor([1.0, 1.0]))[1]
    tensor([2., 4.])
    """
    ins = _inputs(inputs, create_graph)
    outputs, outs = _evaluate(func, ins)
    products = _grads(outs, ins, _seeds(outs, v, "v"), create_graph)
    return _finish(outputs, create_graph), _like(inputs, _finish(products, create_graph))


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function and the product of its Jacobian with a vector.

    That is the derivative in the direction `v`. It is computed by two reverse passes: the
    vector-Jacobian product is linear in its vector, and its own such product is this one.

    Parameters
    ----------
    func, inputs, create_graph
        As in `vjp`.
    v : Tensor or tuple of Tensor, optional
        Of the shapes of the inputs. May be left out for one input of one element.

    Returns
    -------
    outputs, products
        The products have the shapes of the outputs.
    """
    ins = _inputs(inputs, create_graph)
    vectors = _seeds(ins, v, "v")
    outputs, outs = _evaluate(func, ins)
    upstream = tuple([Tensor(np.zeros(out.shape, out.dtype), True) for out in outs])
    with enable_grad():
        products = _grads(outs, ins, upstream, True)
    result = _grads(products, upstream, vectors, create_graph)
    return _finish(outputs, create_graph), _like(outputs, _finish(result, create_graph))


def _scalar(func: Callable[..., Any], ins: tuple[Tensor, ...]) -> tuple[Any, Tensor]:
    outputs, outs = _evaluate(func, ins)
    if len(outs) != 1 or outs[0].numel() != 1:
        raise RuntimeError("the function must return one tensor of one element")
    return outputs, outs[0]


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False
) -> tuple[Any, Any]:
    """Return the value of a scalar function and the product of its Hessian with a vector.

    Parameters
    ----------
    func, inputs, create_graph
        As in `vjp`; the function returns one element.
    v : Tensor or tuple of Tensor, optional
        Of the shapes of the inputs.

    Returns
    -------
    output, products
        The products have the shapes of the inputs.
    """
    ins = _inputs(inputs, create_graph)
    vectors = _seeds(ins, v, "v")
    output, out = _scalar(func, ins)
    gradients = _grads((out,), ins, (_one(out),), True)
    products = _grads(gradients, ins, vectors, create_graph)
    return _finish(output, create_graph), _like(inputs, _finish(products, create_graph))


vhp = hvp  # the Hessian is symmetric


def _one(out: Tensor) -> Tensor:
    return Tensor._make(np.ones(out.shape, out.dtype), None)


class _Rows:
    """The rows of a Jacobian, by one reverse pass for each entry of an output."""

    def __init__(self, ins: tuple[Tensor, ...], create: bool) -> None:
        self.ins = ins
        self.create = create

    def of(self, out: Tensor) -> list[Tensor]:
        """Return the Jacobian of one output in each input, of shape out.shape + input.shape."""
        stack: Any = __import__("autodiff").stack
        rows: list[tuple[Any, ...]] = []
        for i in range(out.numel()):
            seed = np.zeros(out.numel(), out.dtype)
            seed[i] = 1
            seed_tensor = Tensor._make(seed.reshape(out.shape), None)
            rows.append(_grads((out,), self.ins, (seed_tensor,), self.create, retain=True))
        blocks = []
        for k, x in enumerate(self.ins):
            shape = out.shape + x.shape
            if rows:
                blocks.append(stack([row[k] for row in rows]).reshape(shape))
            else:
                blocks.append(Tensor._make(np.zeros(shape, x.dtype), None))
        return blocks


def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False) -> Any:
    """Return the Jacobian of a function.

    Parameters
    ----------
    func, inputs, create_graph
        As in `vjp`.

    Returns
    -------
    Tensor, or tuple of Tensor
        For one output and one input, a tensor whose shape is that of the output followed by that
        of the input. A tuple over the inputs where they are a tuple; a tuple over the outputs, of
        these, where they are a tuple.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.functional.jacobian(lambda x: x * x, ad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    ins = _inputs(inputs, create_graph)
    outputs, outs = _evaluate(func, ins)
    rows = _Rows(ins, create_graph)
    blocks = [_like(inputs, rows.of(out)) for out in outs]
    return _finish(_like(outputs, blocks), create_graph)


def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False) -> Any:
    """Return the Hessian of a scalar function.

    Parameters
    ----------
    func, inputs, create_graph
        As in `vjp`; the function returns one element.

    Returns
    -------
    Tensor, or tuple of tuple of Tensor
        For one input, a tensor of the input's shape twice over; for a tuple, entry ``[i][j]`` is
        the block of inputs i and j.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.functional.hessian(lambda x: (x**3).sum(), ad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    ins = _inputs(inputs, create_graph)
    _, out = _scalar(func, ins)
    gradients = _grads((out,), ins, (_one(out),), True)
    rows = _Rows(ins, create_graph)
    blocks = [_like(inputs, rows.of(gradient)) for gradient in gradients]
    return _finish(_like(inputs, blocks), create_graph)
