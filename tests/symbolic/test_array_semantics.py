"""A traced array behaves as the ndarray that it stands for."""

import copy
import math

import numpy as np
import pytest

from symbolic.array import TracedArray
from symbolic.tracing import TraceError, trace
from symbolic.values import Symbol
from tests.symbolic.traces import agrees

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])


def run(function, *arrays):
    """What the function returns inside a trace."""
    return trace(function, arrays).result


def test_it_passes_for_an_array():
    def call(x):
        assert isinstance(x, np.ndarray)
        assert not isinstance(x, float)
        assert isinstance(x[0, 0], float)
        assert isinstance(x[0, 0], np.floating)
        assert not isinstance(x[0, 0], np.ndarray)
        assert np.isscalar(x[0, 0])
        assert not np.isscalar(x)
        assert x.dtype == np.float64
        assert (x.shape, x.ndim, x.size, len(x), x.nbytes) == ((2, 3), 2, 6, 2, 48)
        assert np.shape(x) == (2, 3)
        assert np.ndim(x) == 2
        assert np.result_type(x, np.float32) == np.float64
        assert not np.iscomplexobj(x)
        assert x.flags.writeable
        return x

    run(call, X)


def test_views_share_memory():
    def call(x):
        y = x.copy()
        y.T[0, 1] = 10 * y[0, 0]
        y.reshape(-1)[1] = y[1, 2]
        y[1][2] = 7.0
        y[:, 1:][0, 1] += 1
        y.ravel()[0] = 5.0
        v = y[0]
        v *= 2
        y.flat[5] = y.flat[0]
        y.diagonal()  # a read-only view: reading is all that is asked
        np.swapaxes(y, 0, 1)[2, 0] -= 1
        return y, v

    agrees(call, X)


def test_copies_do_not():
    def call(x):
        y = x.copy()
        for z in (
            y.flatten(),
            copy.copy(y),
            copy.deepcopy(y),
            np.array(y),
            y.astype(float),
            y[[0]],
        ):
            z[...] = 9.0
        return y

    agrees(call, X)


def test_asarray_shares_and_array_copies():
    def call(x):
        y = np.zeros((2, 3))
        a, b = np.asarray(y), np.array(y)
        assert a is y
        a[0] = x[0]
        b[1] = x[1]
        return y

    agrees(call, X)


def test_scalars_are_immutable():
    def call(x):
        s = x[0, 0]
        t = s
        s += 1
        s *= 2
        with pytest.raises(TypeError):
            s[...] = 1
        return s, t, x

    agrees(call, X)


def test_in_place_operators_on_plain_arrays_rebind():
    def call(x):
        y = (x > 0) * 1.0
        y *= x
        y -= 1
        return y

    agrees(call, X)


@pytest.mark.parametrize(
    "key",
    [0, -1, (0, 1), slice(None, None, -1), ..., None, (..., 0), (slice(None), [2, 0]), [1, 0]],
    ids=str,
)
def test_indexing(key):
    agrees(lambda x: x[key], X)

    def assign(x):
        y = np.ones_like(x)
        y[key] = x[key] * 2
        return y

    agrees(assign, X)


def test_masks_and_computed_indices():
    def call(x):
        y = x.copy()
        y[y < 0] = 0.0
        y[y > 1] **= 2
        i = int(np.floor(x[1, 0]))
        j = np.floor(x[0, 2]).astype(int)
        k = np.argmax(x, axis=1)
        return y, x.ravel()[i], x[0, j], x[np.arange(2), k], np.arange(5.0)[i]

    agrees(call, X)


def test_a_computed_index_is_a_condition():
    t = trace(lambda x: np.arange(4.0)[int(x)] * x, [np.array(2.5)], names=["x"])
    (condition,) = t.conditions
    assert condition.is_equality
    assert "trunc(x)" in repr(condition.gap)


METHODS = {
    "sum": lambda x: x.sum(axis=0),
    "mean": lambda x: x.mean(),
    "prod": lambda x: x.prod(axis=-1, keepdims=True),
    "max": lambda x: x.max(0),
    "min": lambda x: x.min(),
    "var": lambda x: x.var(axis=1, ddof=1),
    "std": lambda x: x.std(),
    "argmax": lambda x: x.argmax(axis=1),
    "argmin": lambda x: x.argmin(),
    "argsort": lambda x: x.argsort(),
    "cumsum": lambda x: x.cumsum(),
    "cumprod": lambda x: x.cumprod(axis=0),
    "dot": lambda x: x.dot(x.T),
    "round": lambda x: x.round(1),
    "clip": lambda x: x.clip(-0.5, 1),
    "clip min": lambda x: x.clip(min=0),
    "repeat": lambda x: x.repeat(2, axis=1),
    "take": lambda x: x.take([0, 2], axis=1),
    "trace": lambda x: x.trace(),
    "diagonal": lambda x: x.diagonal(),
    "any": lambda x: (x > 0).any(axis=0),
    "all": lambda x: x.all(),
    "nonzero": lambda x: x.nonzero(),
    "transpose": lambda x: x.transpose(1, 0),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x[:1].squeeze(),
    "searchsorted": lambda x: np.sort(x[0]).searchsorted(0.7),
    "conj": lambda x: x.conj() * x.real + x.imag,
    "mT": lambda x: x.mT,
    "item": lambda x: math.exp(x[0, 0].item()) + x.item(1, 2),
    "compress": lambda x: x.compress([True, False, True], axis=1),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    agrees(METHODS[name], X)


def test_methods_in_place():
    def call(x):
        y = x.copy()
        y.sort(axis=0)
        z = x.copy()
        z.fill(x[0, 0])
        w = x.copy()
        w.put([0, 4], [x[1, 1], 3.0])
        v = x.copy()
        v.shape = (3, 2)
        return y, z, w, v

    agrees(call, X)


OPERATORS = {
    "arithmetic": lambda x: (x + 1, 1 - x, x * 2.5, 2 / x, x**2, 2**x, -x, +x, abs(x)),
    "rounding": lambda x: (x // 0.3, 7 % x, divmod(x, 0.35)[0], x % -0.37),
    "comparison": lambda x: (x < 0, x >= 0.25, x == 2, x != 2, 0 < x),
    "matmul": lambda x: (x @ x.T, x @ np.ones(3), np.ones(2) @ x),
    "arrays on the left": lambda x: (X * x, X - x, np.float64(2) / x, X**0 + x, [1, 2, 3] * x),
    "round": lambda x: (round(x[0, 0]), round(x[0, 1], 1), math.floor(x[1, 0]), int(x[1, 0])),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    agrees(OPERATORS[name], X)


def test_dtype_labels():
    def call(x):
        single = x.astype(np.float32)
        assert single.dtype == np.float32
        assert (single * 2).dtype == np.float32
        assert (single * x).dtype == np.float64
        assert single.sum().dtype == np.float32
        assert (x + 1j).dtype == np.complex128
        assert abs(x + 1j).dtype == np.float64
        assert np.zeros_like(single).dtype == np.float32
        assert np.ones(3, dtype=np.float32).dtype == np.float32
        whole = x.astype(int)
        assert isinstance(whole, np.ndarray)
        assert not isinstance(whole, TracedArray)
        assert whole.dtype == int
        assert whole.tolist() == X.astype(int).tolist()
        assert x.astype(bool).dtype == bool
        return x

    run(call, X)


def test_truth_and_membership():
    def call(x):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(x)
        assert x[0, 0] in x
        assert 17.0 not in x
        assert bool(x[0, :1] > 0)
        assert "0.50" in f"{x[0, 0]:.2f}"
        assert repr(x)
        return x

    run(call, X)


def test_iteration_and_unpacking():
    agrees(lambda x: [a * b + sum(v for v in (a, b, c)) for a, b, c in x], X)


def test_complex_parts_can_be_assigned():
    def call(x):
        z = np.zeros(3, dtype=complex)
        z.real = x[0]
        z.imag = x[1]
        z[0] *= 1j
        return z.real, z.imag, (z * z.conj()).real

    agrees(call, X)


def test_empty_arrays():
    agrees(lambda x: (x[:0].sum(), x[:0] * 2, x[:0].prod(axis=0), np.concatenate([x[:0], x])), X)


def test_errors_are_numpys():
    for call, error in [
        (lambda x: x @ np.ones(5), ValueError),
        (lambda x: x + np.ones(5), ValueError),
        (lambda x: x[5], IndexError),
        (lambda x: x[0.5], IndexError),
        (lambda x: x.sum(axis=3), np.exceptions.AxisError),
        (lambda x: x.reshape(4), ValueError),
        (lambda x: np.max(x[:0]), ValueError),
        (lambda x: len(x[0, 0]), TypeError),
        (lambda x: {x: 1}, TypeError),
    ]:
        with pytest.raises(error):
            call(X)
        with pytest.raises(error):
            run(call, X)


def test_what_leaves_the_symbols_says_where():
    def hand_over(x):
        table = np.arange(3).astype(float)
        table[0] = x[0, 0]  # a method of a real array is no constructor that the trace sees
        return table

    with pytest.raises(TraceError) as caught:
        run(hand_over, X)
    assert caught.value.where[0] == __file__
    with pytest.raises(TraceError, match="buffer"):
        run(lambda x: bytes(x.data), X)


def test_an_item_is_a_symbol():
    def call(x):
        s = x[0, 0].item()
        assert type(s) is Symbol
        assert type(np.exp(s)) is Symbol
        assert type(X * s) is TracedArray
        return s * np.ones(2) + math.sin(s)

    np.testing.assert_allclose(trace(call, [X]).values[0], 0.5 + math.sin(0.5))


def test_floats_made_of_a_mask_take_symbols():
    def call(x):
        up = (x > 0).astype(float)
        down = (x <= 0) * 0.5
        mean = (x > 0).mean(axis=0)
        whole = np.floor(x).astype(int) / 2
        for out in (up, down, whole):
            out[0] = x[0] ** 2
        mean[1] = x[1, 1]
        return up, down, mean, whole, np.sum(x > 0, axis=0), ~(x > 0) | (x > 1), -up

    agrees(call, X)


def test_masks_are_arrays():
    def call(x):
        mask = x > 0
        assert isinstance(mask, np.ndarray)
        assert mask.dtype == bool
        assert type(mask[0, 0]) is np.bool_
        assert mask.sum() == 4
        assert mask.any(axis=1).tolist() == [True, True]
        mask &= x < 1
        mask[0, 0] = False
        assert np.flatnonzero(mask).tolist() == [4]
        return x * mask

    run(call, X)
