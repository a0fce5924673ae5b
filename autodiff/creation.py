"""Functions that make tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.tensor import Tensor, as_array

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "eye",
    "from_numpy",
    "full",
    "linspace",
    "manual_seed",
    "ones",
    "rand",
    "randint",
    "randn",
    "tensor",
    "zeros",
]

_generator: np.random.Generator | None = None


def _random() -> np.random.Generator:
    """Return the generator, made by the first who needs it: NumPy loads its module only then."""
    return manual_seed(None) if _generator is None else _generator


def manual_seed(seed: int | None) -> np.random.Generator:
    """Make `randn`, `rand` and `randint` repeatable; return the generator that they use.

    Parameters
    ----------
    seed : int
        The same seed gives the same numbers (not those that torch gives); ``None``, always others.
    """
    global _generator
    _generator = np.random.default_rng(seed)
    return _generator


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        return tuple(size[0])
    return size


def _leaf(array: Any, requires_grad: bool) -> Tensor:
    out = Tensor._make(array, None)
    if requires_grad:
        out.requires_grad_(True)
    return out


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor from numbers, nested lists or an array, which is copied.

    Parameters
    ----------
    data : array_like
        The values. Python floats become float64, ints int64.
    dtype : numpy.dtype, optional
        Another type of the elements.
    requires_grad : bool, optional
        Whether to record operations on the tensor.

    Returns
    -------
    Tensor
        A leaf of the graph.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.tensor([1.5, 2])
    tensor([1.5000, 2.0000])
    >>> ad.tensor([1, 2])
    tensor([1, 2])
    """
    value = as_array(data)
    if hasattr(type(value), "__array_ufunc__") and not isinstance(value, (np.ndarray, np.generic)):
        array = value.copy() if hasattr(value, "copy") else value
    else:
        array = np.array(value, dtype=dtype)
        if array.dtype == object:
            raise TypeError(
                f"no tensor can be made of {type(data).__name__}: its entries are not numbers"
            )
    return _leaf(array, requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """Return `data` itself if it is a tensor of this dtype, else a tensor made of it.

    An array is shared, not copied.
    """
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.to(dtype)
    return _leaf(np.asarray(as_array(data), dtype=dtype), False)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """Return a tensor that shares the memory of `array`."""
    return _leaf(array, False)


def ones(*size: Any, dtype: Any = np.float64, requires_grad: bool = False) -> Tensor:
    """Make a tensor of ones; the shape as several ints or as one tuple.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.ones(2, 3)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    array = np.empty(_shape(size), dtype)
    array.fill(1)
    return _leaf(array, requires_grad)


def zeros(*size: Any, dtype: Any = np.float64, requires_grad: bool = False) -> Tensor:
    """Make a tensor of zeros; the shape as several ints or as one tuple."""
    return _leaf(np.zeros(_shape(size), dtype), requires_grad)


def empty(*size: Any, dtype: Any = np.float64, requires_grad: bool = False) -> Tensor:
    """Make a tensor of any values; the shape as several ints or as one tuple."""
    return _leaf(np.empty(_shape(size), dtype), requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of one value everywhere."""
    return _leaf(np.full(size, as_array(fill_value), dtype), requires_grad)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a 1-d tensor of the numbers from `start` (0 with one argument) up to, without, `end`.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.arange(3)
    tensor([0, 1, 2])
    """
    if end is None:
        start, end = 0, start
    return _leaf(np.arange(start, end, step, dtype=dtype), requires_grad)


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = np.float64, requires_grad: bool = False
) -> Tensor:
    """Make a 1-d tensor of `steps` numbers in equal distances, both ends included."""
    return _leaf(np.linspace(start, end, steps, dtype=dtype), requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: Any = np.float64, requires_grad: bool = False
) -> Tensor:
    """Make an identity matrix."""
    return _leaf(np.eye(n, m, dtype=dtype), requires_grad)


def randn(*size: Any, dtype: Any = np.float64, requires_grad: bool = False) -> Tensor:
    """Make a tensor of standard normal random numbers."""
    array = np.asarray(_random().standard_normal(_shape(size))).astype(dtype, copy=False)
    return _leaf(array, requires_grad)


def rand(*size: Any, dtype: Any = np.float64, requires_grad: bool = False) -> Tensor:
    """Make a tensor of random numbers, uniform on [0, 1)."""
    array = np.asarray(_random().random(_shape(size))).astype(dtype, copy=False)
    return _leaf(array, requires_grad)


def randint(low: int, high: int, size: Any, *, dtype: Any = np.int64) -> Tensor:
    """Make a tensor of random integers from `low` up to, without, `high`."""
    return _leaf(np.asarray(_random().integers(low, high, size, dtype)), False)
