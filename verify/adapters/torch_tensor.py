"""Traced tensors: what torch code is given instead of tensors of floats.

A :class:`TracedTensor` wraps a traced array and has the face of a ``torch.Tensor``. torch hands it
every function (``__torch_function__``), and :class:`Mode` those whose arguments are all real
tensors, so that constructors make tensors that symbols can be assigned to. What a function means is
in the table of :mod:`verify.adapters.torch_functions`.

May import: torch, :mod:`symbolic`, the modules of the table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

import verify.adapters.torch_linalg
import verify.adapters.torch_nn
import verify.adapters.torch_shapes  # noqa: F401  (each puts its rows into the table)
from symbolic.array import TracedArray, is_traced, wrap
from symbolic.mask import decided
from symbolic.values import TraceError, user_line
from verify.adapters.torch_functions import TABLE, named

__all__ = ["Mode", "TracedTensor", "array_of", "unwrapped", "wrapped"]


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """A real tensor as an array, sharing memory where it can."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    return tensor.numpy(force=True)


class Mode(TorchFunctionMode):
    """Every call of torch, while symbols run: also those whose arguments are all real tensors."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _contains_traced(args) or _contains_traced(tuple(kwargs.values())):
            return _dispatch(func, args, kwargs)
        result = func(*args, **kwargs)
        # What traced code makes, it may assign symbols to.
        fresh = isinstance(result, torch.Tensor) and result.is_floating_point()
        return (
            TracedTensor(wrap(array_of(result)))
            if fresh and type(result) is not TracedTensor
            else result
        )


def _contains_traced(values: Any) -> bool:
    return any(
        _contains_traced(v) if isinstance(v, (tuple, list)) else type(v) is TracedTensor
        for v in values
    )


def _dispatch(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        raise TraceError("an attribute of a traced tensor", user_line())
    if name in ("__setitem__", "_set_item"):
        target, key, value = args
        if type(target) is not TracedTensor:
            raise TraceError("a traced value is stored in a real tensor", user_line())
        target[key] = value
        return None
    return _call(name, args, kwargs)


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A function of the table on traced tensors, in place where its name says so."""
    ours = TABLE.get(named(name))
    in_place = ours is None and name.endswith("_") and not name.endswith("__")
    if in_place:
        ours = TABLE.get(named(name[:-1]))
    if ours is None:
        raise TraceError(f"torch's {name} is not in the table of traced functions", user_line())
    out = kwargs.pop("out", None)
    result = _rewrapped(ours(*map(unwrapped, args), **{k: unwrapped(v) for k, v in kwargs.items()}))
    if in_place:
        out = args[0]
    if out is not None:
        out[...] = result
        return out
    return result


def wrapped(value: Any) -> Any:
    return TracedTensor(value) if isinstance(value, np.ndarray) or is_traced(value) else value


def _rewrapped(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        parts = [_rewrapped(r) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if is_traced(result) or isinstance(result, (np.ndarray, np.generic)):
        return TracedTensor(result)
    return result


def unwrapped(value: Any) -> Any:
    """Arrays for tensors, NumPy's dtypes for torch's."""
    kind = type(value)
    if kind is TracedTensor:
        return value._array
    if isinstance(value, torch.Tensor):
        return wrap(array_of(value))
    if kind is torch.dtype:
        return _numpy_dtype(value)
    if isinstance(value, (tuple, list)):
        parts = [unwrapped(v) for v in value]
        return parts if kind is list else tuple(parts)
    return value


@functools.lru_cache(maxsize=64)
def _numpy_dtype(dtype: torch.dtype) -> np.dtype:
    return array_of(torch.empty(0, dtype=dtype)).dtype


@functools.lru_cache(maxsize=64)
def _torch_dtype(dtype: np.dtype) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype)).dtype


class TracedTensor:
    """A traced array, or an array that a trace decided, with the face of a ``torch.Tensor``."""

    __slots__ = ("_array", "grad", "grad_fn", "requires_grad")
    is_cuda = is_sparse = is_quantized = is_mps = is_meta = is_nested = False
    is_leaf = True
    layout = torch.strided

    def __init__(self, array: Any):
        if is_traced(array) and type(array) is not TracedArray:
            array = wrap(array)  # a bare symbol
        if type(array) is TracedArray and array._scalar:
            array = TracedArray(array._entries, array._dtype)
        self._array = array if type(array) is TracedArray else np.asanyarray(array)
        self.requires_grad = False
        self.grad = self.grad_fn = None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # type: ignore[override,misc]
        return torch.Tensor

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return _dispatch(func, args, dict(kwargs or {}))

    # Attributes

    @property
    def shape(self) -> torch.Size:
        return torch.Size(self._array.shape)

    @property
    def dtype(self) -> torch.dtype:
        return _torch_dtype(self._array.dtype)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def T(self) -> TracedTensor:
        return TracedTensor(self._array.T)

    @property
    def mT(self) -> TracedTensor:
        return TracedTensor(self._array.swapaxes(-1, -2))

    @property
    def data(self) -> TracedTensor:
        return self

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._array.size

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        found = tuple(s // self._array.itemsize for s in self._array.strides)
        return found if dim is None else found[dim]

    def is_floating_point(self) -> bool:
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return self._array.dtype.kind == "c"

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._array.flags.c_contiguous)

    def requires_grad_(self, value: bool = True) -> TracedTensor:
        return self

    def get_device(self) -> int:
        return -1

    # Conversions

    def item(self) -> Any:
        return self._array.item()

    def tolist(self) -> Any:
        return self._array.tolist()

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        return self._array

    def to(self, *args: Any, **kwargs: Any) -> TracedTensor:
        for target in (*args, kwargs.get("dtype")):
            if isinstance(target, torch.dtype):
                return TracedTensor(_decided(self._array.astype(_numpy_dtype(target))))
            if isinstance(target, torch.Tensor):
                return self.to(target.dtype)
        return self

    type_as = to

    def type(self, dtype: Any = None) -> Any:
        return self.to(dtype) if isinstance(dtype, torch.dtype) else self

    def new_zeros(self, *size: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.zeros(*size, dtype=dtype or self.dtype)

    def new_ones(self, *size: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.ones(*size, dtype=dtype or self.dtype)

    new_empty = new_zeros

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.full(size, fill_value, dtype=dtype or self.dtype)

    def new_tensor(self, data: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.tensor(data, dtype=dtype or self.dtype)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __index__(self) -> int:
        return self._array.__index__()

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[TracedTensor]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self._array, dtype)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"tensor({self._array!r})"

    # Indexing: a view, also of one entry

    def __getitem__(self, key: Any) -> TracedTensor:
        return TracedTensor(self._array[_key(key, self._array)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[_key(key, self._array)] = unwrapped(value)

    # Everything else is in the table

    def __getattr__(self, name: str) -> Any:
        base = named(name)
        if base in TABLE or (name.endswith("_") and named(name[:-1]) in TABLE):
            return lambda *args, **kwargs: _call(name, (self, *args), kwargs)
        if name.startswith("__") or not hasattr(torch.Tensor, name):
            raise AttributeError(f"'Tensor' object has no attribute {name!r}")
        raise TraceError(
            f"torch.Tensor.{name} is not in the table of traced functions", user_line()
        )


def _decided(array: Any) -> Any:
    return decided(array) if type(array) is np.ndarray and array.dtype.kind in "biu" else array


def _key(key: Any, array: Any) -> Any:
    """The index for an array: one entry is a view of no axes, as torch's is."""
    parts = [_plain_index(k) for k in key] if type(key) is tuple else [_plain_index(key)]
    if all(isinstance(p, int) and not isinstance(p, bool) for p in parts):
        return (*parts, Ellipsis)
    return tuple(parts) if type(key) is tuple else parts[0]


def _plain_index(key: Any) -> Any:
    if type(key) is TracedTensor:
        found = key._array
        if found.ndim == 0 and found.dtype.kind in "iu":
            return int(found)
        return np.asarray(found) if type(found) is not TracedArray else found
    if isinstance(key, torch.Tensor):
        return key.item() if key.ndim == 0 else key.numpy()
    return [_plain_index(k) for k in key] if isinstance(key, list) else key


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    def operate(self: TracedTensor, *others: Any) -> Any:
        if others and not isinstance(
            others[0], (torch.Tensor, int, float, bool, complex, np.generic)
        ):
            return NotImplemented
        return _call(name, (*others, self) if reflected else (self, *others), {})

    return operate


for _name, _function in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "mod": "remainder",
    "floordiv": "floor_divide", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor",
}.items():  # fmt: skip
    setattr(TracedTensor, f"__{_name}__", _operator(_function))
    setattr(TracedTensor, f"__r{_name}__", _operator(_function, reflected=True))
    setattr(TracedTensor, f"__i{_name}__", _operator(_function + "_"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(TracedTensor, f"__{_name}__", _operator(_name))
for _name, _function in {
    "neg": "neg",
    "pos": "positive",
    "abs": "abs",
    "invert": "bitwise_not",
}.items():
    setattr(TracedTensor, f"__{_name}__", _operator(_function))
