"""torch's functions of shapes and of indices, as rows of the table.

May import: :mod:`symbolic`, :mod:`verify.adapters.torch_functions`.
"""

from __future__ import annotations

from typing import Any

import numpy

from symbolic.mask import decided
from symbolic.namespace import NUMPY
from symbolic.values import TraceError, user_line
from verify.adapters.torch_functions import TABLE, row, sizes

np: Any = NUMPY


# Shapes


@row
def view(x: Any, *size: Any) -> Any:
    return x.reshape(tuple(int(n) for n in sizes(size)))


TABLE["reshape"] = view


@row
def view_as(x: Any, other: Any) -> Any:
    return x.reshape(other.shape)


TABLE["reshape_as"] = view_as


@row
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if not x.ndim:
        return x.reshape(1)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(x.shape[:first] + (-1,) + x.shape[last + 1 :])


@row
def ravel(x: Any) -> Any:
    return x.reshape(-1)


@row
def permute(x: Any, *dims: Any) -> Any:
    return x.transpose(sizes(dims))


@row
def transpose(x: Any, dim0: int, dim1: int) -> Any:
    return x.swapaxes(dim0, dim1) if x.ndim else x


@row
def t(x: Any) -> Any:
    return x.T


@row
def movedim(x: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(x, source, destination)


@row
def unsqueeze(x: Any, dim: int) -> Any:
    return np.expand_dims(x, dim)


@row
def squeeze(x: Any, dim: Any = None) -> Any:
    if dim is None:
        return np.squeeze(x)
    axes = dim if isinstance(dim, (tuple, list)) else (dim,)
    return np.squeeze(x, axis=tuple(a for a in axes if x.ndim and x.shape[a] == 1))


@row
def expand(x: Any, *size: Any, **kwargs: Any) -> Any:
    wanted = sizes(size)
    padded = (1,) * (len(wanted) - x.ndim) + x.shape
    shape = tuple(p if n == -1 else n for n, p in zip(wanted, padded, strict=True))
    return np.broadcast_to(x, shape)


TABLE["broadcast_to"] = expand


@row
def expand_as(x: Any, other: Any) -> Any:
    return np.broadcast_to(x, other.shape)


@row
def broadcast_tensors(*arrays: Any) -> Any:
    return tuple(np.broadcast_arrays(*arrays))


@row
def repeat(x: Any, *size: Any) -> Any:
    return np.tile(x, sizes(size))


TABLE["tile"] = repeat


@row
def repeat_interleave(x: Any, repeats: Any, dim: Any = None, **kwargs: Any) -> Any:
    return np.repeat(x, repeats, axis=dim)


@row
def stack(arrays: Any, dim: int = 0) -> Any:
    return np.stack(arrays, axis=dim)


@row
def cat(arrays: Any, dim: int = 0) -> Any:
    return np.concatenate(arrays, axis=dim)


@row
def chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return split(x, -(-x.shape[dim] // chunks), dim)


@row
def split(x: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    size = split_size_or_sections
    if isinstance(size, (tuple, list)):
        places = numpy.cumsum(size)[:-1]
    else:
        places = numpy.arange(size, x.shape[dim], size)
    return tuple(np.split(x, places, axis=dim))


@row
def unbind(x: Any, dim: int = 0) -> Any:
    moved = np.moveaxis(x, dim, 0)
    return tuple(moved[i] for i in range(moved.shape[0]))


@row
def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


@row
def select(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


@row
def flip(x: Any, *dims: Any) -> Any:
    return np.flip(x, axis=tuple(sizes(dims)))


@row
def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    return np.roll(x, shifts, axis=dims)


@row
def tril(x: Any, diagonal: int = 0) -> Any:
    return np.tril(x, diagonal)


@row
def triu(x: Any, diagonal: int = 0) -> Any:
    return np.triu(x, diagonal)


@row
def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return np.diagonal(x, offset, dim1, dim2)


@row
def diag(x: Any, diagonal: int = 0) -> Any:
    return np.diag(x, diagonal)


@row
def diag_embed(x: Any) -> Any:
    return x[..., None] * numpy.eye(x.shape[-1])


@row
def sum_to_size(x: Any, *size: Any) -> Any:
    wanted = tuple(sizes(size))
    padded = (1,) * (x.ndim - len(wanted)) + wanted
    axes = tuple(i for i, n in enumerate(padded) if n != x.shape[i])
    return np.sum(x, axis=axes, keepdims=True).reshape(wanted) if padded != x.shape else x


@row
def pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    widths = [(0, 0)] * x.ndim
    for i in range(len(pad) // 2):
        widths[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    if min(pad) < 0:
        raise TraceError("pad with negative widths", user_line())
    if mode == "constant":
        return np.pad(x, widths, constant_values=value or 0)
    return np.pad(x, widths, mode={"reflect": "reflect", "replicate": "edge"}[mode])


# Entries by index


@row
def gather(x: Any, dim: int, index: Any, **kwargs: Any) -> Any:
    return np.take_along_axis(x, numpy.asarray(index), axis=dim)


@row
def take_along_dim(x: Any, indices: Any, dim: Any = None) -> Any:
    return np.take_along_axis(x, numpy.asarray(indices), axis=dim)


@row
def index_select(x: Any, dim: int, index: Any) -> Any:
    return np.take(x, numpy.asarray(index), axis=dim)


TABLE["take"] = lambda x, index: np.take(x, numpy.asarray(index))


def _places(index: Any, dim: int) -> tuple:
    grid = list(numpy.indices(index.shape, sparse=True))
    grid[dim] = numpy.asarray(index)
    return tuple(grid)


@row
def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, **kw: Any) -> Any:
    if kw:
        raise TraceError(f"scatter with {', '.join(kw)}", user_line())
    out = x.copy()
    source = value if src is None else src
    if numpy.ndim(source):
        source = source[tuple(slice(n) for n in index.shape)]
    out[_places(index, dim)] = source
    return out


@row
def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    out = x.copy()
    np.add.at(out, _places(index, dim), src[tuple(slice(n) for n in index.shape)])
    return out


@row
def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    out = x.copy()
    key = (slice(None),) * (dim % x.ndim) + (numpy.asarray(index),)
    np.add.at(out, key, alpha * source)
    return out


@row
def one_hot(index: Any, num_classes: int = -1) -> Any:
    index = numpy.asarray(index)
    count = int(index.max()) + 1 if num_classes < 0 else num_classes
    return decided(numpy.eye(count, dtype=int)[index])
