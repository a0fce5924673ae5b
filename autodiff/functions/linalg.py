"""Products of matrices and tensors, diagonals, triangles and norms."""

from __future__ import annotations

import builtins
import itertools
from typing import Any

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._axes import Axis, axes_of, kept_shape, reduced
from autodiff.functions._public import operand
from autodiff.functions.indexing import scatter
from autodiff.tensor import Tensor


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
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return np.matmul(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        if x.ndim == y.ndim == 1:
            return grad * y.conjugate(), grad * x.conjugate()
        first, second = ctx.needs_input_grad
        if x.ndim == 1:
            grad = np.expand_dims(grad, -2)
        if y.ndim == 1:
            grad = np.expand_dims(grad, -1)
        grads: list[Any] = [None, None]
        if first:
            matrix = y[:, None] if y.ndim == 1 else y
            full = grad @ np.swapaxes(matrix, -1, -2).conjugate()
            shape = (1, *x.shape) if x.ndim == 1 else x.shape
            grads[0] = np.reshape(unbroadcast(full, shape), x.shape)
        if second:
            matrix = x[None, :] if x.ndim == 1 else x
            full = np.swapaxes(matrix, -1, -2).conjugate() @ grad
            shape = (*y.shape, 1) if y.ndim == 1 else y.shape
            grads[1] = np.reshape(unbroadcast(full, shape), y.shape)
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
        return grad_x, np.transpose(over_x, [order.index(i) for i in range(y.ndim)])

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
            shape = operands[k].shape
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
            grads.append(unbroadcast(np.einsum(product, *[array for _, array in factors]), shape))
        return tuple(grads)

    @staticmethod
    def formula(*operands: Any, subscripts: str) -> Any:
        return _einsum_formula(subscripts, *operands)


class Trace(Function):
    """The sum of a diagonal."""

    examples = [
        ((2, 2), {}),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -1}),
        ((2, 1, 2), {"axis1": 0, "axis2": -1}),
        ((2, 0), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        ctx.offset, ctx.axes, ctx.shape_in = offset, (axis1, axis2), x.shape
        return np.trace(x, offset, axis1, axis2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        axis1, axis2 = ctx.axes
        rows, columns = ctx.shape_in[axis1], ctx.shape_in[axis2]
        diagonal = np.eye(rows, columns, ctx.offset, dtype=grad.dtype)
        return np.moveaxis(grad[..., None, None] * diagonal, (-2, -1), (axis1, axis2))

    @staticmethod
    def formula(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return reduced(
            lambda entries: sp.Add(*entries),
            Diagonal.formula(x, offset=offset, axis1=axis1, axis2=axis2),
            -1,
        )


def _diagonal_places(rows: int, columns: int, offset: int) -> tuple[Any, Any]:
    length = builtins.max(
        0, builtins.min(rows + builtins.min(offset, 0), columns - builtins.max(offset, 0))
    )
    steps = np.arange(length)
    return steps - builtins.min(offset, 0), steps + builtins.max(offset, 0)


class Diagonal(Function):
    """A diagonal of the matrices in two axes, along a new last axis."""

    examples = [
        ((2, 2), {}),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -1}),
        ((2, 1, 2), {"axis1": 0, "axis2": -1}),
        ((2, 2), {"offset": 5}),
        ((0, 2), {}),
    ]

    @staticmethod
    def forward(ctx: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        ctx.offset, ctx.axes, ctx.shape_in = offset, (axis1, axis2), x.shape
        return np.diagonal(x, offset, axis1, axis2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        shape, axes = ctx.shape_in, axes_of(ctx.axes, len(ctx.shape_in))
        axis1, axis2 = [a % len(shape) for a in ctx.axes]
        places = _diagonal_places(shape[axis1], shape[axis2], ctx.offset)
        matrices = (
            *[n for i, n in enumerate(shape) if i not in axes],
            shape[axis1],
            shape[axis2],
        )
        return np.moveaxis(scatter(grad, (Ellipsis, *places), matrices), (-2, -1), (axis1, axis2))

    @staticmethod
    def formula(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        moved = np.moveaxis(np.asarray(x, dtype=object), (axis1, axis2), (-2, -1))
        rows, columns = moved.shape[-2:]
        pairs = [(i, i + offset) for i in range(rows) if 0 <= i + offset < columns]
        out = np.empty((*moved.shape[:-2], len(pairs)), dtype=object)
        for place in np.ndindex(moved.shape[:-2]):
            for k, pair in enumerate(pairs):
                out[(*place, k)] = moved[place + pair]
        return out


class Diag(Function):
    """The square matrix with a vector on a diagonal."""

    examples = [((2,), {}), ((2,), {"k": 1}), ((1,), {"k": -2}), ((0,), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.diag(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.diagonal(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        n = len(x) + builtins.abs(k)
        out = np.full((n, n), sp.Integer(0), dtype=object)
        for i, entry in enumerate(x):
            out[(i, i + k) if k >= 0 else (i - k, i)] = entry
        return out


class Tril(Function):
    """The entries on and below a diagonal, 0 above it."""

    examples = [((2, 2), {}), ((2, 3), {"k": 1}), ((2, 2, 2), {"k": -1}), ((0, 2), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.tril(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.tril(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        return _masked(x, lambda i, j: j - i <= k)


class Triu(Function):
    """The entries on and above a diagonal, 0 below it."""

    examples = [((2, 2), {}), ((2, 3), {"k": 1}), ((2, 2, 2), {"k": -1}), ((0, 2), {})]

    @staticmethod
    def forward(ctx: Any, x: Any, *, k: int = 0) -> Any:
        ctx.k = k
        return np.triu(x, k)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return np.triu(grad, ctx.k)

    @staticmethod
    def formula(x: Any, *, k: int = 0) -> Any:
        return _masked(x, lambda i, j: j - i >= k)


def _masked(x: Any, keep: Any) -> Any:
    out = np.array(x, dtype=object)
    for place in np.ndindex(out.shape):
        if not keep(*place[-2:]):
            out[place] = sp.Integer(0)
    return out


class Norm(Function):
    """The p-norm of the entries along axes. At 0 its gradient is taken to be 0.

    For ``ord=1`` the derivative at an entry 0 is 0; for ``ord=inf`` entries that tie share it.
    """

    examples = [
        ((3,), {}),
        ((2, 2), {}),
        ((2, 2), {"axis": 0}),
        ((2, 2), {"axis": -1, "keepdims": True}),
        ((3,), {"ord": 1}),
        ((2,), {"ord": float("inf")}),
        ((2,), {"ord": 3}),
        ((2, 1, 2), {"axis": (0, 2)}),
        ((), {}),
        ((0,), {}),
    ]

    @staticmethod
    def forward(
        ctx: Any, x: Any, *, ord: float = 2, axis: Axis = None, keepdims: bool = False
    ) -> Any:
        if ord == 1:
            out = np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        elif ord == np.inf:
            out = np.max(np.abs(x), axis=axis, keepdims=keepdims)
        else:
            powers = x * x if ord == 2 else np.abs(x) ** ord
            total = np.sum(powers, axis=axis, keepdims=keepdims)
            ctx.zero = total == 0
            out = np.sqrt(total) if ord == 2 else _root(total, ctx.zero, ord)
        ctx.ord, ctx.axis = ord, axis
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(x.shape, ctx.axis)
        out, upstream = np.reshape(out, kept), np.reshape(grad, kept)
        if ctx.ord == 1:
            return upstream * np.sign(x)
        if ctx.ord == np.inf:
            chosen = np.abs(x) == out
            ties = np.sum(chosen, axis=axes_of(ctx.axis, x.ndim), keepdims=True)
            return np.where(chosen, upstream / ties.astype(grad.dtype), 0) * np.sign(x)
        zero = np.reshape(ctx.zero, kept)
        out = np.where(zero, 1.0, out)
        if ctx.ord == 2:
            ratio = x / out
        else:
            ratio = np.sign(x) * (np.abs(x) / out) ** (ctx.ord - 1)
        return np.where(zero, 0, upstream * ratio)

    @staticmethod
    def formula(x: Any, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Any:
        def combine(entries: list[Any]) -> Any:
            if ord == np.inf:
                return sp.Max(*[sp.Abs(entry) for entry in entries])
            if ord == 2:
                return sp.sqrt(sp.Add(*[entry**2 for entry in entries]))
            p = sp.nsimplify(ord)
            return sp.Add(*[sp.Abs(entry) ** p for entry in entries]) ** (1 / p)

        return reduced(combine, x, axis, keepdims)


def _root(x: Any, zero: Any, p: float) -> Any:
    """The p-th root. As ``1 / p`` is rounded, a power far from 1 needs a step of Newton's."""
    x = np.where(zero, 1.0, x)
    out = x ** (1 / p)
    return np.where(zero, 0.0, out + out * (x / out**p - 1) / p)


class Kron(Function):
    """The Kronecker product of two matrices or vectors."""

    examples = [((2,), (2,)), ((2, 1), (1, 2)), ((2, 2), (1, 2)), ((2,), (2, 1)), ((0,), (2,))]

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
        grad_x = np.tensordot(split, np.reshape(y, of_y), (odd, all_axes))
        grad_y = np.tensordot(split, np.reshape(x, of_x), (even, all_axes))
        return np.reshape(grad_x, x.shape), np.reshape(grad_y, y.shape)

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

    examples = [((3,), (3,)), ((2, 3), (3,)), ((1, 3), (2, 3)), ((0, 3), (3,))]

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
        return unbroadcast(_cross(y, grad), x.shape), unbroadcast(_cross(grad, x), y.shape)

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


@implements(np.matmul)
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
    """Return the dot product of all entries."""
    x, y = operand(x), operand(y)
    return matmul(x.reshape(-1), y.reshape(-1))


@implements(np.outer)
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


@implements(np.tensordot)
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
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Tensor:
    """Return Einstein's summation over the indices that the output does not name.

    Parameters
    ----------
    subscripts : str
        Such as ``'ij,jk->ik'``; the output may be left out, and ``...`` stands for further axes.
    *operands : Tensor

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.einsum("ij,j->i", ad.ones(2, 3), ad.arange(3.0))
    tensor([3., 3.])
    """
    arrays = [operand(array) for array in operands]
    return Einsum.apply(*arrays, subscripts=_explicit(subscripts, arrays))  # type: ignore[no-any-return]


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


@implements(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal."""
    return Trace.apply(operand(x), offset=offset, axis1=axis1, axis2=axis2)  # type: ignore[no-any-return]


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of the matrices in two axes."""
    return Diagonal.apply(operand(x), offset=offset, axis1=axis1, axis2=axis2)  # type: ignore[no-any-return]


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix with a vector on a diagonal."""
    x = operand(x)
    return Diag.apply(x, k=k) if x.ndim == 1 else diagonal(x, k)  # type: ignore[no-any-return]


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """Return the entries on and below a diagonal, 0 above it."""
    return Tril.apply(operand(x), k=k)  # type: ignore[no-any-return]


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Tensor:
    """Return the entries on and above a diagonal, 0 below it."""
    return Triu.apply(operand(x), k=k)  # type: ignore[no-any-return]


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return a norm of the entries along axes.

    Parameters
    ----------
    x : Tensor
    ord : {None, number, inf, 'fro'}
        The p of a p-norm of the entries; ``None`` and ``'fro'`` mean 2.
    axis : int or tuple of int, optional
        The axes to reduce (all, without any).
    keepdims : bool, optional
        Keep them with length 1.

    Returns
    -------
    Tensor
        Its gradient at 0 is 0.
    """
    x = operand(x)
    matrix = x.ndim == 2 if axis is None else isinstance(axis, tuple) and len(axis) == 2
    if matrix and ord not in (None, "fro"):
        raise NotImplementedError(f"the matrix norm of order {ord!r} is not implemented")
    p = 2 if ord in (None, "fro") else ord
    return Norm.apply(x, ord=p, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


@implements(np.kron)
def kron(x: Any, y: Any) -> Tensor:
    """Return the Kronecker product."""
    return Kron.apply(operand(x), operand(y))  # type: ignore[no-any-return]


@implements(np.cross)
def cross(x: Any, y: Any, axis: int = -1) -> Tensor:
    """Return the cross product of vectors of length 3 along an axis."""
    from autodiff.functions.shape import moveaxis

    if axis == -1:
        return Cross.apply(operand(x), operand(y))  # type: ignore[no-any-return]
    return moveaxis(Cross.apply(moveaxis(x, axis, -1), moveaxis(y, axis, -1)), -1, axis)
