"""torch's products and linear algebra, copies and constructors, as rows of the table.

May import: :mod:`symbolic`, :mod:`verify.adapters.torch_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from symbolic.mask import decided
from symbolic.namespace import NUMPY
from verify.adapters.torch_functions import TABLE, row, sizes

np: Any = NUMPY


# Products and linear algebra


@row
def dot(x: Any, other: Any) -> Any:
    return np.dot(x, other)


TABLE["inner"] = TABLE["vdot"] = dot


@row
def outer(x: Any, other: Any) -> Any:
    return np.outer(x, other)


@row
def einsum(equation: str, *operands: Any) -> Any:
    return np.einsum(equation, *(sizes(operands) if len(operands) == 1 else operands))


@row
def tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    return np.tensordot(x, y, axes=dims)


@row
def kron(x: Any, y: Any) -> Any:
    return np.kron(x, y)


@row
def cross(x: Any, y: Any, dim: int = -1) -> Any:
    return np.cross(x, y, axis=dim)


@row
def addmm(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return beta * x + alpha * np.matmul(a, b)


TABLE["addmv"] = TABLE["baddbmm"] = addmm


@row
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    product = np.matmul(x, weight.T)
    return product if bias is None else product + bias


@row
def bilinear(x: Any, y: Any, weight: Any, bias: Any = None) -> Any:
    product = np.einsum("...i,kij,...j->...k", x, weight, y)
    return product if bias is None else product + bias


for _name, _found in {
    "inverse": np.linalg.inv, "det": np.linalg.det, "solve": np.linalg.solve,
    "cholesky": np.linalg.cholesky, "slogdet": np.linalg.slogdet, "eigh": np.linalg.eigh,
    "qr": np.linalg.qr, "trace": np.trace, "matrix_power": np.linalg.matrix_power,
}.items():  # fmt: skip
    TABLE[_name] = _found


@row
def logdet(x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


# Copies, types, and what changes nothing


def _same(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


for _name in ("contiguous", "detach", "cpu", "requires_grad_", "positive", "resolve_conj", "cuda"):
    TABLE[_name] = _same


@row
def clone(x: Any, **kwargs: Any) -> Any:
    return x.copy()


def _to(dtype: Any) -> Callable[..., Any]:
    def convert(x: Any) -> Any:
        found = x.astype(dtype)
        return decided(found) if type(found) is numpy.ndarray else found

    return convert


for _name, _found in {
    "float": np.dtype("f4"), "double": np.dtype("f8"), "half": np.dtype("f2"),
    "long": np.dtype("i8"), "int": np.dtype("i4"), "bool": np.dtype("?"),
}.items():  # fmt: skip
    TABLE[_name] = _to(_found)


@row
def copy(x: Any, source: Any, *args: Any) -> Any:
    return np.broadcast_to(source, x.shape)


@row
def fill(x: Any, value: Any) -> Any:
    return np.full_like(x, value)


@row
def zero(x: Any) -> Any:
    return np.zeros_like(x)


@row
def zeros_like(x: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.zeros_like(x, dtype=dtype)


@row
def ones_like(x: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.ones_like(x, dtype=dtype)


TABLE["empty_like"] = zeros_like


@row
def full_like(x: Any, fill_value: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.full_like(x, fill_value, dtype=dtype)


@row
def full(size: Any, fill_value: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.full(tuple(size), fill_value, dtype=dtype)


@row
def tensor(data: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.array(data, dtype=dtype)


TABLE["as_tensor"] = TABLE["scalar_tensor"] = tensor


@row
def meshgrid(*arrays: Any, indexing: str = "ij") -> Any:
    return tuple(np.meshgrid(*sizes(arrays), indexing=indexing))


@row
def is_nonzero(x: Any) -> bool:
    return bool(x != 0)


@row
def is_tensor(x: Any) -> bool:
    return True


@row
def is_floating_point(x: Any) -> bool:
    return x.dtype.kind == "f"


@row
def numel(x: Any) -> int:
    return x.size
