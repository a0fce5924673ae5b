"""Products of matrices and tensors: what ``@``, ``dot``, ``einsum`` and ``kron`` compute."""

from __future__ import annotations

import builtins
import itertools
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._examples import COMPLEX, COMPLEX_MATRIX
from autodiff.functions._public import operand
from autodiff.functions.shape import moveaxis
from autodiff.tensor import Tensor

__all__ = [
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


_TRIPLE = np.array([*COMPLEX, 0.5 - 1.0j])


class Matmul(Function):
    """The matrix product ``x @ y``, of stacks of matrices and of vectors too."""

    examples = [
        ((2, 3), (3, 2)),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2,), (2, 3)),
        ((2, 1, 2), (2, 2)),
        ((2, 2), (2, 2, 1)),
        ((1, 1, 2), (2, 2, 1)),
        ((2,), (2, 2, 1)),
        ((2, 1, 2), (2,)),
        ((2, 0), (0, 2)),
        (COMPLEX_MATRIX, COMPLEX),
        ((2, 2), COMPLEX_MATRIX),
        (COMPLEX, (2,)),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return np.matmul(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        if x.ndim == y.ndim == 1:
            return (
                unbroadcast(grad * y.conjugate(), x.shape, x.dtype),
                unbroadcast(grad * x.conjugate(), y.shape, y.dtype),
            )
        first, second = ctx.needs_input_grad
        if x.ndim == y.ndim == 2:  # nearly all calls, without the steps that stacks need
            return (
                unbroadcast(grad @ y.T.conjugate(), x.shape, x.dtype) if first else None,
                unbroadcast(x.T.conjugate() @ grad, y.shape, y.dtype) if second else None,
            )
        if x.ndim == 1:
            grad = np.expand_dims(grad, -2)
        if y.ndim == 1:
            grad = np.expand_dims(grad, -1)
        grads: list[Any] = [None, None]
        if first:
            matrix = y[:, None] if y.ndim == 1 else y
            full = grad @ np.swapaxes(matrix, -1, -2).conjugate()
            shape = (1, *x.shape) if x.ndim == 1 else x.shape
            grads[0] = np.reshape(unbroadcast(full, shape, x.dtype), x.shape)
        if second:
            matrix = x[None, :] if x.ndim == 1 else x
            full = np.swapaxes(matrix, -1, -2).conjugate() @ grad
            shape = (*y.shape, 1) if y.ndim == 1 else y.shape
            grads[1] = np.reshape(unbroadcast(full, shape, y.dtype), y.shape)
        return tuple(grads)

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        x, y = np.asarray(x, dtype=object), np.asarray(y, dtype=object)
        a = x[None, :] if x.ndim == 1 else x
        b = y[:, None] if y.ndim == 1 else y
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a = np.broadcast_to(a, stack + a.shape[-2:])
        b = np.broadcast_to(b, stack + b.shape[-2:])
        out = np.empty((*stack, a.shape[-2], b.shape[-1]), dtype=object)
        for place in np.ndindex(out.shape):
            *s, i, j = place
            out[place] = sp.Add(*[a[(*s, i, k)] * b[(*s, k, j)] for k in range(a.shape[-1])])
        if x.ndim == 1:
            out = out[..., 0, :]
        if y.ndim == 1:
            out = out[..., 0]
        return out if np.shape(out) else np.asarray(out)[()]


class Tensordot(Function):
    """The sum of products over pairs of axes."""

    examples = [
        ((2, 3), (3, 2), {"axes": ((1,), (0,))}),
        ((2, 2), (2, 2), {"axes": ((0, 1), (1, 0))}),
        ((2,), (3,), {"axes": ((), ())}),
        ((1, 2, 2), (2, 1), {"axes": ((-1,), (-2,))}),
        ((2, 0), (0,), {"axes": ((1,), (0,))}),
        (COMPLEX_MATRIX, (2,), {"axes": ((0,), (0,))}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, axes: Any) -> Any:
        ctx.axes = tuple(
            [tuple([a % array.ndim for a in of]) for of, array in zip(axes, (x, y), strict=True)]
        )
        ctx.save_for_backward(x, y)
        return np.tensordot(x, y, axes)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        first, second = ctx.axes
        free_x = [i for i in range(x.ndim) if i not in first]
        free_y = [i for i in range(y.ndim) if i not in second]
        n = len(free_x)
        # Each product leaves the free axes of one operand and the summed axes of the other, the
        # latter in the order in which that other operand has them.
        over_y = np.tensordot(grad, y.conjugate(), (tuple(range(n, grad.ndim)), tuple(free_y)))
        order = free_x + [first[second.index(a)] for a in sorted(second)]
        grad_x = np.transpose(over_y, [order.index(i) for i in range(x.ndim)])
        over_x = np.tensordot(x.conjugate(), grad, (tuple(free_x), tuple(range(n))))
        order = [second[first.index(a)] for a in sorted(first)] + free_y
        grad_y = np.transpose(over_x, [order.index(i) for i in range(y.ndim)])
        return unbroadcast(grad_x, x.shape, x.dtype), unbroadcast(grad_y, y.shape, y.dtype)

    @staticmethod
    def formula(x: Any, y: Any, *, axes: Any) -> Any:
        x, y = np.asarray(x, dtype=object), np.asarray(y, dtype=object)
        letters = iter("abcdefghijklmnop")
        of_x, of_y = [next(letters) for _ in range(x.ndim)], [next(letters) for _ in range(y.ndim)]
        for a, b in zip(*axes, strict=True):
            of_y[b] = of_x[a]
        kept = [c for c in of_x + of_y if (c in of_x) != (c in of_y)]
        return _einsum_formula(f"{''.join(of_x)},{''.join(of_y)}->{''.join(kept)}", x, y)


def _einsum_formula(subscripts: str, *operands: Any) -> Any:
    """The sum over all index values, term by term."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    arrays = [np.asarray(array, dtype=object) for array in operands]
    sizes: dict[str, int] = {}
    for term, array in zip(terms, arrays, strict=True):
        for letter, length in zip(term, array.shape, strict=True):
            if sizes.get(letter, 1) == 1:
                sizes[letter] = length
    summed = [letter for letter in sizes if letter not in output]
    out = np.empty([sizes[letter] for letter in output], dtype=object)
    for place in np.ndindex(out.shape):
        total = sp.Integer(0)
        for rest in itertools.product(*[range(sizes[letter]) for letter in summed]):
            value = dict(zip([*output, *summed], place + rest, strict=True))
            factors = [
                array[
                    tuple(
                        [value[c] if n > 1 else 0 for c, n in zip(term, array.shape, strict=True)]
                    )
                ]
                for term, array in zip(terms, arrays, strict=True)
            ]
            total += sp.Mul(*factors)
        out[place] = total
    return out if out.shape else out[()]


class Einsum(Function):
    """Einstein's summation, with explicit subscripts such as ``ij,jk->ik``."""

    examples = [
        ((2, 3), (3, 2), {"subscripts": "ij,jk->ik"}),
        ((2, 2), {"subscripts": "ii->"}),
        ((3, 3), {"subscripts": "ii->i"}),
        ((2, 3), {"subscripts": "ij->j"}),
        ((2,), (3,), {"subscripts": "i,j->ji"}),
        ((2,), (2,), (2,), {"subscripts": "i,i,i->"}),
        ((2, 1, 2), (2, 2), {"subscripts": "bij,jk->bik"}),
        ((1, 2), (3, 2), {"subscripts": "ij,ij->i"}),
        ((2, 2), (2,), {"subscripts": "ii,i->"}),
        ((0, 2), (2,), {"subscripts": "ij,j->i"}),
        (COMPLEX_MATRIX, (2,), {"subscripts": "ij,j->i"}),
    ]

    @staticmethod
    def forward(ctx: Any, *operands: Any, subscripts: str) -> Any:
        ctx.subscripts = subscripts
        ctx.save_for_backward(*operands)
        return np.einsum(subscripts, *operands)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        operands = ctx.saved_tensors
        inputs, output = ctx.subscripts.split("->")
        terms = inputs.split(",")
        fresh = [
            c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in inputs
        ]
        grads: list[Any] = []
        for k, needed in enumerate(ctx.needs_input_grad):
            if not needed:
                grads.append(None)
                continue
            shape, dtype = operands[k].shape, operands[k].dtype
            factors = [(output, grad)]
            factors += [(terms[j], operands[j].conjugate()) for j in range(len(terms)) if j != k]
            known = set("".join([term for term, _ in factors]))
            target = ""
            for letter, length in zip(terms[k], shape, strict=True):
                if letter in target:
                    # A diagonal: the gradient is 0 off it.
                    other = fresh[len(factors)]
                    factors.append((letter + other, np.eye(length, dtype=grad.dtype)))
                    letter = other
                elif letter not in known:
                    # Summed over in this operand alone: the gradient is the same along it.
                    factors.append((letter, np.ones(length, dtype=grad.dtype)))
                target += letter
            product = ",".join([term for term, _ in factors]) + "->" + target
            full = np.einsum(product, *[array for _, array in factors])
            grads.append(unbroadcast(full, shape, dtype))
        return tuple(grads)

    @staticmethod
    def formula(*operands: Any, subscripts: str) -> Any:
        return _einsum_formula(subscripts, *operands)


class Kron(Function):
    """The Kronecker product of two matrices or vectors."""

    examples = [
        ((2,), (2,)),
        ((2, 1), (1, 2)),
        ((2, 2), (1, 2)),
        ((2,), (2, 1)),
        ((0,), (2,)),
        (COMPLEX, (2,)),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return np.kron(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        ndim = builtins.max(x.ndim, y.ndim)
        of_x = (1,) * (ndim - x.ndim) + x.shape
        of_y = (1,) * (ndim - y.ndim) + y.shape
        split = np.reshape(grad, [n for pair in zip(of_x, of_y, strict=True) for n in pair])
        even, odd = tuple(range(0, 2 * ndim, 2)), tuple(range(1, 2 * ndim, 2))
        all_axes = tuple(range(ndim))
        grad_x = np.tensordot(split, np.reshape(y, of_y).conjugate(), (odd, all_axes))
        grad_y = np.tensordot(split, np.reshape(x, of_x).conjugate(), (even, all_axes))
        grad_x, grad_y = np.reshape(grad_x, x.shape), np.reshape(grad_y, y.shape)
        return unbroadcast(grad_x, x.shape, x.dtype), unbroadcast(grad_y, y.shape, y.dtype)

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        x, y = np.asarray(x, dtype=object), np.asarray(y, dtype=object)
        ndim = builtins.max(x.ndim, y.ndim)
        x = x.reshape((1,) * (ndim - x.ndim) + x.shape)
        y = y.reshape((1,) * (ndim - y.ndim) + y.shape)
        out = np.empty([a * b for a, b in zip(x.shape, y.shape, strict=True)], dtype=object)
        for place in np.ndindex(out.shape):
            pairs = [divmod(i, n) for i, n in zip(place, y.shape, strict=True)]
            out[place] = x[tuple([a for a, _ in pairs])] * y[tuple([b for _, b in pairs])]
        return out


class Cross(Function):
    """The cross product of vectors of length 3 along the last axis."""

    examples = [((3,), (3,)), ((2, 3), (3,)), ((1, 3), (2, 3)), ((0, 3), (3,)), (_TRIPLE, (3,))]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        if x.shape[-1:] != (3,) or y.shape[-1:] != (3,):
            raise ValueError(
                "cross of tensors needs vectors of length 3 along the last axis, "
                f"not arrays of shapes {x.shape} and {y.shape}"
            )
        ctx.save_for_backward(x, y)
        return _cross(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        return (
            unbroadcast(_cross(y.conjugate(), grad), x.shape, x.dtype),
            unbroadcast(_cross(grad, x.conjugate()), y.shape, y.dtype),
        )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        x, y = np.broadcast_arrays(np.asarray(x, dtype=object), np.asarray(y, dtype=object))
        out = np.empty(x.shape, dtype=object)
        for place in np.ndindex(x.shape[:-1]):
            product = sp.Matrix(list(x[place])).cross(sp.Matrix(list(y[place])))
            for i in range(3):
                out[(*place, i)] = product[i]
        return out


def _cross(x: Any, y: Any) -> Any:
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    d, e, f = y[..., 0], y[..., 1], y[..., 2]
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=-1)


@implements(np.matmul, np.linalg.matmul)
def matmul(x: Any, y: Any) -> Tensor:
    """Return the matrix product ``x @ y``."""
    return Matmul.apply(operand(x), operand(y))  # type: ignore[no-any-return]


@implements(np.dot)
def dot(x: Any, y: Any) -> Tensor:
    """Return NumPy's dot product: over the last axis of `x` and the last but one of `y`."""
    x, y = operand(x), operand(y)
    if x.ndim == 0 or y.ndim == 0:
        return x * y  # type: ignore[no-any-return]
    if y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, (x.ndim - 1, y.ndim - 2))


@implements(np.vdot)
def vdot(x: Any, y: Any) -> Tensor:
    """Return the dot product of all entries, those of `x` conjugated."""
    x, y = operand(x), operand(y)
    return matmul(x.conjugate().reshape(-1), y.reshape(-1))


@implements(np.outer, np.linalg.outer)
def outer(x: Any, y: Any) -> Tensor:
    """Return the products of all pairs of entries."""
    x, y = operand(x), operand(y)
    return x.reshape(-1, 1) * y.reshape(1, -1)  # type: ignore[no-any-return]


@implements(np.inner)
def inner(x: Any, y: Any) -> Tensor:
    """Return the sums of products over the last axes."""
    x, y = operand(x), operand(y)
    if x.ndim == 0 or y.ndim == 0:
        return x * y  # type: ignore[no-any-return]
    return tensordot(x, y, (x.ndim - 1, y.ndim - 1))


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """Return the sum of products over pairs of axes.

    Parameters
    ----------
    x, y : Tensor
    axes : int or pair
        How many of the last axes of `x` and the first of `y`; or which axes of each.
    """
    x, y = operand(x), operand(y)
    if isinstance(axes, int):
        axes = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    first, second = [(a,) if isinstance(a, int) else tuple(a) for a in axes]
    return Tensordot.apply(x, y, axes=(first, second))  # type: ignore[no-any-return]


@implements(np.einsum)
def einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Tensor:
    """Return Einstein's summation over the indices that the output does not name.

    Parameters
    ----------
    subscripts : str
        Such as ``'ij,jk->ik'``; the output may be left out, and ``...`` stands for further axes.
        NumPy's other form, in which a list of numbers follows each operand, is taken too.
    *operands : Tensor

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.einsum("ij,j->i", ad.ones(2, 3), ad.arange(3.0))
    tensor([3., 3.])
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _lettered(subscripts, *operands)
    arrays = [operand(array) for array in operands]
    return Einsum.apply(*arrays, subscripts=_explicit(subscripts, arrays))  # type: ignore[no-any-return]


def _lettered(*args: Any) -> tuple[str, tuple[Any, ...]]:
    """Return subscripts and operands given as ``x, [0, 1], y, [1, 2], [0, 2]``."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    output = args[-1] if len(args) % 2 else None
    lists = [*args[1::2], *([] if output is None else [output])]
    texts = ["".join(["..." if i is Ellipsis else letters[i] for i in of]) for of in lists]
    count = len(args) // 2
    text = ",".join(texts[:count])
    return (text if output is None else f"{text}->{texts[-1]}"), args[: 2 * count : 2]


def _explicit(subscripts: str, operands: list[Any]) -> str:
    """Give an output to subscripts that have none, and letters to dots."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if "..." in text:
        free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in text]
        ranks = [
            array.ndim - len(term.replace("...", ""))
            for term, array in zip(terms, operands, strict=True)
            if "..." in term
        ]
        letters = "".join(free[: builtins.max(ranks, default=0)])
        filled = []
        for term, array in zip(terms, operands, strict=True):
            rank = array.ndim - len(term.replace("...", ""))
            filled.append(term.replace("...", letters[len(letters) - rank :] if rank else ""))
        terms = filled
        if arrow:
            output = output.replace("...", letters)
        else:
            single = sorted(set(inputs.replace("...", "").replace(",", "")))
            output = letters + "".join([c for c in single if inputs.count(c) == 1])
    elif not arrow:
        output = "".join([c for c in sorted(set(inputs) - {","}) if inputs.count(c) == 1])
    return f"{','.join(terms)}->{output}"


@implements(np.kron)
def kron(x: Any, y: Any) -> Tensor:
    """Return the Kronecker product."""
    return Kron.apply(operand(x), operand(y))  # type: ignore[no-any-return]


@implements(np.cross, np.linalg.cross)
def cross(
    x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """Return the cross product of vectors of length 3 along an axis, or one axis of each."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = [
        array if axis == -1 else moveaxis(array, axis, -1)
        for array, axis in ((operand(x), axisa), (operand(y), axisb))
    ]
    out: Tensor = Cross.apply(x, y)
    return out if axisc == -1 else moveaxis(out, -1, axisc)


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(x: Any, y: Any, axis: int = -1) -> Tensor:
    """Return the sums of products along an axis, the entries of `x` conjugated."""
    x, y = operand(x), operand(y)
    return np.sum(x.conjugate() * y, axis=axis)  # type: ignore[no-any-return]


@implements(np.matvec)
def matvec(x: Any, y: Any) -> Tensor:
    """Return the products of stacked matrices and vectors."""
    return matmul(x, operand(y)[..., None])[..., 0]


@implements(np.vecmat)
def vecmat(x: Any, y: Any) -> Tensor:
    """Return the products of stacked vectors, conjugated, and matrices."""
    return matmul(operand(x).conjugate()[..., None, :], y)[..., 0, :]
