"""Laws that hold for every gradient, on inputs and compositions that hypothesis finds."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import autodiff as ad
import symbolic
from autodiff.functions import activation, arithmetic, exponential, reduction, trigonometric
from verify import compositions, strategies
from verify.subject import as_subject

FEW = settings(
    max_examples=25, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
MANY = settings(FEW, max_examples=400, derandomize=False)


FUNCTIONS = [
    activation.Relu,
    activation.Softmax,
    activation.Softplus,
    arithmetic.Div,
    arithmetic.Mul,
    exponential.Log,
    reduction.Logsumexp,
    reduction.Max,
    reduction.Prod,
    trigonometric.Arctan2,
]


def size(array):
    return float(np.max(np.abs(array), initial=0.0))


# Linearity in the upstream gradient


def linear(F, case, data):
    """backward(a g + b h) is a backward(g) + b backward(h), within the rounding of the terms."""
    args, keywords = case
    with np.errstate(all="ignore"):
        outputs, _ = as_subject(F).forward(args, keywords)
        assume(all(np.all(np.isfinite(o)) for o in outputs))
        shape = np.shape(outputs[0])
        g = data.draw(strategies.upstreams(shape))
        h = data.draw(strategies.upstreams(shape))
        a, b = (data.draw(st.sampled_from([1.0, -1.0, 2.0, 0.5])) for _ in range(2))

        def pulled(upstream):  # forward anew: a backward may be called once
            _, pullback = as_subject(F).forward(args, keywords)
            return pullback([upstream])

        first, second, both = pulled(g), pulled(h), pulled(a * g + b * h)
        # An entry may be a sum over outputs of terms that cancel: |g| through each output alone.
        count = g.size
        rows = [pulled(row.reshape(shape)) for row in np.eye(count)]
        weights = (np.abs(a * g) + np.abs(b * h)).ravel()
        for i, (u, v, w) in enumerate(zip(first, second, both, strict=True)):
            if u is None:
                assert v is None
                assert w is None
                continue
            scale = sum(
                (k * np.abs(r[i]) for k, r in zip(weights, rows, strict=True)), np.zeros_like(w)
            )
            finite = np.isfinite(scale)
            assert np.all(
                (np.abs(w - (a * u + b * v)) <= 1e-14 * (1 + count) * scale + 1e-290)[finite]
            )


@pytest.mark.parametrize("F", FUNCTIONS, ids=lambda F: F.__name__)
@FEW
@given(st.data())
def test_linear_in_the_upstream(F, data):
    linear(F, data.draw(strategies.inputs(F)), data)


@pytest.mark.slow
@pytest.mark.parametrize("F", FUNCTIONS, ids=lambda F: F.__name__)
@MANY
@given(st.data())
def test_linear_in_the_upstream_at_length(F, data):
    linear(F, data.draw(strategies.inputs(F)), data)


# The four arrays agree


def agree(f):
    """Floats, Tensors, symbols and balls give one value."""
    floats = np.asarray(f(*f.arguments))
    tensors = f(*(ad.tensor(a, requires_grad=True) for a in f.arguments))
    np.testing.assert_array_equal(tensors.detach().numpy(), floats)
    traced = symbolic.trace(f, list(f.arguments), names=[f"x{i}" for i in range(len(f.arguments))])
    np.testing.assert_allclose(traced.values[0], floats, rtol=1e-13, atol=1e-290)
    balls = symbolic.enclose(f, *f.arguments)
    slack = 1e-11 * (1 + size(floats))
    assert np.all(floats >= balls.lower - slack)
    assert np.all(floats <= balls.upper + slack)


@FEW
@given(strategies.functions(max_ops=5))
def test_floats_tensors_symbols_and_balls_agree(f):
    agree(f)


@pytest.mark.slow
@MANY
@given(strategies.functions(max_ops=10))
def test_floats_tensors_symbols_and_balls_agree_at_length(f):
    agree(f)


# The chain rule


def gradients(f):
    inputs = [ad.tensor(a, requires_grad=True) for a in f.arguments]
    out = f(*inputs)
    assume(out.requires_grad)
    found = ad.grad(out, inputs, allow_unused=True)
    return [
        np.zeros_like(a) if g is None else g.numpy()
        for g, a in zip(found, f.arguments, strict=True)
    ]


def certified(f, rng):
    """The gradient times a direction lies in the enclosure of the directional derivative."""
    directions = [rng.integers(-4, 5, size=a.shape).astype(float) for a in f.arguments]
    found = gradients(f)
    direction = directions if len(directions) > 1 else directions[0]
    _, slope = symbolic.enclose(f, *f.arguments, direction=direction)
    actual = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    terms = sum(np.sum(np.abs(g * d)) for g, d in zip(found, directions, strict=True))
    slack = 1e-10 * (1 + terms)
    assert slope.lower - slack <= actual <= slope.upper + slack


@FEW
@given(strategies.functions(max_ops=6, smooth=True, scalar=True), st.integers(0, 100))
def test_gradient_is_the_certified_derivative(f, seed):
    certified(f, np.random.default_rng(seed))


@pytest.mark.slow
@MANY
@given(strategies.functions(max_ops=10, smooth=True, scalar=True), st.integers(0, 100))
def test_gradient_is_the_certified_derivative_at_length(f, seed):
    certified(f, np.random.default_rng(seed))


def chained(f):
    """The gradient of a composite is the product of its nodes' Jacobians, taken step by step."""
    values = [np.asarray(a) for a in f.arguments]
    count = len(values)
    for name, places in f.steps:
        values.append(np.asarray(compositions.operations[name].call(*(values[i] for i in places))))
    cotangents = [np.zeros(v.shape) for v in values]
    cotangents[-1] = np.ones(values[-1].shape)
    sizes = [np.abs(c) for c in cotangents]
    for k in reversed(range(len(f.steps))):
        name, places = f.steps[k]
        operation = compositions.operations[name].call
        operands = tuple(ad.tensor(values[i]) for i in places)
        jacobians = ad.functional.jacobian(operation, operands)
        for i, jacobian in zip(places, jacobians, strict=True):
            rows = np.asarray(jacobian.numpy()).reshape(values[count + k].size, values[i].size)
            seed = cotangents[count + k].reshape(-1)
            cotangents[i] = cotangents[i] + (seed @ rows).reshape(values[i].shape)
            weight = sizes[count + k].reshape(-1)
            sizes[i] = sizes[i] + (weight @ np.abs(rows)).reshape(values[i].shape)
    for given_, want, scale in zip(gradients(f), cotangents, sizes, strict=False):
        assert np.all(np.abs(given_ - want) <= 1e-12 * scale + 1e-290)


@FEW
@given(strategies.functions(max_ops=5, scalar=True))
def test_gradient_is_the_product_of_the_nodes(f):
    chained(f)


@pytest.mark.slow
@MANY
@given(strategies.functions(max_ops=10, scalar=True))
def test_gradient_is_the_product_of_the_nodes_at_length(f):
    chained(f)
