"""Tensors hold arrays of other kinds as they are, and the engine runs over them."""

from __future__ import annotations

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

import autodiff as ad


class Logged(NDArrayOperatorsMixin):
    """An array that says which functions were called on it."""

    calls: list[str] = []

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    dtype = property(lambda self: self.array.dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        Logged.calls.append(ufunc.__name__)
        plain = [getattr(i, "array", i) for i in inputs]
        return Logged(getattr(ufunc, method)(*plain, **kwargs))

    def __array_function__(self, func, types, args, kwargs):
        Logged.calls.append(func.__name__)

        def plain(value):
            if isinstance(value, (tuple, list)):
                return type(value)(map(plain, value))
            return getattr(value, "array", value)

        return Logged(func(*plain(args), **kwargs))

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("converted to a plain array")

    def __getitem__(self, index):
        return Logged(self.array[index])

    def conjugate(self):
        return self

    def sum(self, axis=None, keepdims=False):
        return Logged(self.array.sum(axis=axis, keepdims=keepdims))

    def reshape(self, *shape):
        return Logged(self.array.reshape(*shape))

    def astype(self, dtype):
        return Logged(self.array.astype(dtype))


def test_gradient_over_another_kind_of_array():
    Logged.calls.clear()
    data = Logged([1.0, 2.0])
    x = ad.Tensor(data, requires_grad=True)
    assert x._data is data
    y = (np.sin(x) * x).sum()
    assert isinstance(y._data, Logged)
    y.backward()
    assert isinstance(x.grad._data, Logged)
    np.testing.assert_allclose(
        x.grad._data.array, np.sin([1.0, 2.0]) + np.cos([1.0, 2.0]) * [1.0, 2.0]
    )
    assert "cos" in Logged.calls


def test_second_order_over_another_kind_of_array():
    x = ad.Tensor(Logged([1.0, 2.0]), requires_grad=True)
    (first,) = ad.grad((x**3).sum(), x, create_graph=True)
    assert isinstance(first._data, Logged)
    (second,) = ad.grad(first.sum(), x)
    assert isinstance(second._data, Logged)
    np.testing.assert_allclose(second._data.array, [6.0, 12.0])


def test_numbers_beside_such_arrays():
    x = ad.Tensor(Logged([1.0, 2.0]), requires_grad=True)
    y = 2.0 * x + np.array([1.0, 1.0]) - 1
    assert isinstance(y._data, Logged)
    assert repr(y).startswith("tensor(")
