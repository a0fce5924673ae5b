"""Random programs: the derivation's values are autograd's gradient, whatever was composed."""

import random

import numpy as np
import pytest

import autodiff as ad
from autodiff.functions import activation, products, reduction
from symbolic import derive

UNARY = [
    ad.exp,
    ad.sin,
    np.tanh,
    lambda a: a * a,
    lambda a: a / 2 + 1,
    lambda a: -a,
    abs,
    activation.Sigmoid.apply,
    activation.Relu.apply,
    activation.Softplus.apply,
]
ARRAY = [
    lambda a: a.sum(0),
    lambda a: a.mean(-1),
    lambda a: a.sum(),
    lambda a: reduction.mean(a, keepdims=True),
    lambda a: reduction.max(a, axis=0),
    lambda a: reduction.prod(a, axis=0),
    reduction.var,
    lambda a: reduction.logsumexp(a, axis=0),
    lambda a: a[0],
    lambda a: a[..., -1],
    lambda a: a[::-1],
    lambda a: a.T,
    lambda a: a.reshape(-1),
    lambda a: activation.Softmax.apply(a, axis=-1),
    np.cumsum,
    lambda a: np.concatenate([a, a * 2]),
    lambda a: a[..., None],
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    products.Matmul.apply,
]
SHAPES = [[()], [(3,)], [(2, 2), (2,)], [(2, 3), (3,)], [(2, 1), (3,)], [(2, 2), ()]]


def program(rng, leaves):
    pool = list(leaves)
    for _ in range(rng.randrange(2, 7)):
        a = rng.choice(pool[-3:])
        kind = rng.random()
        try:
            if kind < 0.35:
                result = rng.choice(UNARY)(a)
            elif kind < 0.65 and a.ndim > 0:
                result = rng.choice(ARRAY)(a)
            else:
                result = rng.choice(BINARY)(a, rng.choice(pool))
        except (ValueError, IndexError, TypeError):  # shapes that do not fit
            continue
        if result._data.size <= 30:
            pool.append(result)
    return pool[-1]


def jacobian(out, x):
    rows = []
    for k in range(out._data.size):
        seed = np.zeros(out.shape)
        seed.flat[k] = 1
        (g,) = ad.grad(out, x, ad.tensor(seed), retain_graph=True)
        rows.append(np.asarray(g._data))
    return np.array(rows).reshape(tuple(out.shape) + tuple(x.shape))


@pytest.mark.parametrize("seed", range(40))
def test_a_random_program(seed):
    rng, normal = random.Random(seed), np.random.default_rng(seed).normal
    leaves = [
        ad.tensor(np.round(normal(size=shape), 1), requires_grad=True)
        for shape in rng.choice(SHAPES)
    ]
    out = program(rng, leaves)
    if out.grad_fn is None:
        return
    names = dict(zip("xw", leaves, strict=False))
    for x in leaves:
        seeds = ad.tensor(np.ones(out.shape))
        if ad.grad(out, x, seeds, retain_graph=True, allow_unused=True)[0] is None:
            with pytest.raises(ValueError, match="does not depend"):
                derive(out, x, names=names)
            continue
        expected = jacobian(out, x)
        derivation = derive(out, x, names=names)
        np.testing.assert_allclose(derivation.values, expected, rtol=1e-7, atol=1e-9)
        assert derivation.latex().count("{") == derivation.latex().count("}")
