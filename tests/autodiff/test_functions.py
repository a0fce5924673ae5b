"""Every built-in Function against differences and its formula, and what a backward must keep."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import autodiff as ad
from autodiff.function import argument_names
from tests.autodiff.helpers import (
    arguments,
    as_tuple,
    instances,
    leaves,
    numeric_gradients,
    weighted,
    weights,
)

CASES = list(instances())
IDS = [case[0] for case in CASES]
pytestmark = pytest.mark.filterwarnings(
    "ignore:Mean of empty slice", "ignore:invalid value", "ignore:divide by zero"
)


@pytest.fixture(params=CASES, ids=IDS)
def case(request):
    _, function, shapes, kwargs = request.param
    return function, arguments(function, shapes), kwargs


def test_gradient_is_the_limit_of_differences(case):
    function, xs, kwargs = case
    ws = weights(function, xs, kwargs)
    tensors = leaves(xs)
    weighted(function, tensors, ws, kwargs).backward()
    expected = numeric_gradients(
        lambda arrays: weighted(function, [ad.tensor(a) for a in arrays], ws, kwargs).item(), xs
    )
    for x, e in zip(tensors, expected, strict=True):
        assert x.grad.shape == x.shape
        assert x.grad.dtype == x.dtype
        np.testing.assert_allclose(x.grad.numpy(), e, rtol=1e-6, atol=1e-8)


def test_second_order_is_the_limit_of_differences(case):
    function, xs, kwargs = case
    ws = weights(function, xs, kwargs)
    rng = np.random.default_rng(3)
    vs = [rng.uniform(0.5, 1.5, x.shape) for x in xs]

    def projected(tensors, create):
        out = weighted(function, tensors, ws, kwargs)
        grads = ad.grad(out, tensors, create_graph=create, materialize_grads=True)
        return sum((g.real * v + g.imag * v).sum() for g, v in zip(grads, vs, strict=True))

    tensors = leaves(xs)
    total = projected(tensors, True)
    if total.requires_grad:
        actual = ad.grad(total, tensors, materialize_grads=True)
    else:
        actual = [ad.zeros(x.shape) for x in tensors]
    expected = numeric_gradients(lambda arrays: projected(leaves(arrays), False).item(), xs)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), e, rtol=2e-5, atol=1e-7)


def test_formula_is_what_forward_computes(case):
    function, xs, kwargs = case
    if not hasattr(function, "formula"):
        pytest.skip("no formula")
    actual = as_tuple(function.apply(*[ad.tensor(x) for x in xs], **kwargs))
    if function.elementwise:
        outs = [
            np.frompyfunc(lambda *entries: function.formula(*entries, **kwargs), len(xs), 1)(
                *[_symbols(x) for x in xs]
            )
        ]
    else:
        outs = as_tuple(function.formula(*[_symbols(x) for x in xs], **kwargs))
    for out, value in zip(outs, actual, strict=True):
        assert np.shape(out) == value.shape
        kind = complex if value.dtype.kind == "c" else float
        expected = np.vectorize(lambda e: kind(sympy.N(e, 20)), otypes=[kind])(out)
        expected = expected if np.size(out) else np.zeros(np.shape(out))
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-13, atol=1e-14)


def _symbols(x):
    if not x.size:
        return np.empty(x.shape, dtype=object)
    exact = [
        sympy.Float(v.real, 30) + sympy.I * sympy.Float(v.imag, 30) * int(np.iscomplexobj(x))
        for v in x.ravel().tolist()
    ]
    entries = np.array([*exact, None])[:-1]
    return entries.reshape(x.shape) if x.shape else entries[0]


class _Context:
    """A ctx as the checker makes it: nothing of the engine's."""

    def __init__(self, count):
        self.needs_input_grad = (True,) * count
        self.saved_tensors = ()

    def save_for_backward(self, *arrays):
        self.saved_tensors = arrays

    def mark_non_differentiable(self, *outputs):
        pass


def test_nothing_is_written_to_and_strides_do_not_matter(case):
    function, xs, kwargs = case
    xs = [x.copy() for x in xs]
    ctx = _Context(len(xs))
    outs = as_tuple(function.forward(ctx, *xs, **kwargs))
    ws = weights(function, xs, kwargs)
    grads = [np.asarray(w, np.result_type(out)) for w, out in zip(ws, outs, strict=True)]
    before = [a.copy() for a in (*xs, *outs, *grads)]
    for array in (*xs, *grads):
        array.flags.writeable = False
    first = as_tuple(function.backward(ctx, *grads))
    assert len(first) == len(xs)
    for a, b in zip((*xs, *outs, *grads), before, strict=True):
        np.testing.assert_array_equal(a, b)
    for x, g in zip(xs, first, strict=True):
        assert np.shape(g) == x.shape
        assert np.asarray(g).dtype == x.dtype
    strided = [
        np.asfortranarray(g) if g.ndim > 1 else np.repeat(g, 2)[::2].reshape(g.shape) for g in grads
    ]
    for a, b in zip(first, as_tuple(function.backward(ctx, *strided)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-300)


def test_float32_stays_float32(case):
    function, xs, kwargs = case
    if function.__name__ == "Astype" or any(np.iscomplexobj(x) for x in xs):
        pytest.skip("not of float32")
    if any(
        isinstance(value, np.ndarray) and value.dtype == np.float64 for value in kwargs.values()
    ):
        pytest.skip("float64 is asked for by a keyword")
    narrow = [ad.tensor(x.astype(np.float32), requires_grad=True) for x in xs]
    outs = as_tuple(function.apply(*narrow, **kwargs))
    for out in outs:
        assert out.dtype in (np.float32, np.complex64)
    sum(o.real.sum() + o.imag.sum() for o in outs).backward()
    for x in narrow:
        assert x.grad.dtype == np.float32
    ctx = _Context(len(xs))
    arrays = [x.astype(np.float32) for x in xs]
    values = as_tuple(function.forward(ctx, *arrays, **kwargs))
    for g in as_tuple(function.backward(ctx, *[np.ones_like(v) for v in values])):
        assert np.asarray(g).dtype == np.float32


def test_every_function_has_a_formula_and_a_docstring():
    for _, function, _, _ in CASES:
        # What matrices decompose into is known by its defining relations alone.
        assert function.__name__ in {"Eig", "Eigh", "Svd", "Qr", "Expm"} or callable(
            function.formula
        )
        assert function.__doc__
        assert argument_names(function)
