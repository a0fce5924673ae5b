"""The strategies draw what they promise, and shrink to simple values."""

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from autodiff import Function, Tensor
from autodiff.functions.exponential import Log
from verify import compositions, domains, strategies

QUICK = settings(
    max_examples=150, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SEARCH = settings(max_examples=2000, derandomize=True, database=None, deadline=None)


MORE = settings(QUICK, max_examples=500)


def seen(strategy, options=QUICK):
    found = []

    @options
    @given(strategy)
    def run(case):
        found.append(case)

    run()
    return found


class Bumps(Function):
    """Branches at 2.5 and at 7 alone, a pole at -3."""

    @staticmethod
    def forward(ctx, x):
        return np.where(x == 7.0, 0.0, np.where(x > 2.5, x, 1 / (x + 3.0)))

    @staticmethod
    def backward(ctx, grad):
        return grad


class Ratio(Function):
    domain = {"y": (0, np.inf)}
    examples = [((2, 3), (3,), {"scale": 2.0}), ((), ())]

    @staticmethod
    def forward(ctx, x, y, scale=1.0):
        return scale * x / y

    @staticmethod
    def backward(ctx, grad):
        return grad, grad


def test_special_points_and_their_neighbours():
    entries = {v for (x,), _ in seen(strategies.inputs(Bumps), MORE) for v in np.ravel(x).tolist()}
    assert {7.0, 2.5, -3.0} <= entries
    assert {np.nextafter(2.5, 3), np.nextafter(2.5, 2)} & entries


def test_shapes_of_several_lengths():
    shapes = {x.shape for (x,), _ in seen(strategies.inputs(Bumps), MORE)}
    assert {(), (1,), (2,), (3,)} <= shapes
    assert any(0 in s for s in shapes)  # empty ones too
    assert any(len(s) == 2 for s in shapes)
    assert any(n % 2 for s in shapes for n in s)
    assert any(n > 3 for s in shapes for n in s)


def test_structure():
    arrays = [x for (x,), _ in seen(strategies.inputs(Bumps)) if x.size > 1]
    assert any(np.all(x == x.flat[0]) for x in arrays)  # constant
    assert any(0 in x and np.any(x) for x in arrays)
    assert any(len(np.unique(x)) < x.size and np.ptp(x) for x in arrays)  # ties
    sizes = np.concatenate([np.abs(x).ravel() for x in arrays])
    assert np.any(sizes > 1e20)
    assert np.any((sizes > 0) & (sizes < 1e-20))


def test_declared_examples_domain_and_keywords():
    shapes = set()
    for (x, y), keywords in seen(strategies.inputs(Ratio)):
        assert np.all(y > 0)
        assert np.broadcast_shapes(x.shape, y.shape) == x.shape
        assert keywords == ({"scale": 2.0} if x.ndim else {})
        shapes.add((x.shape, y.shape))
    assert ((2, 3), (3,)) in shapes
    assert ((), ()) in shapes
    assert len(shapes) > 4


@pytest.mark.parametrize(
    ("domain", "inside"),
    [
        ((2.0, 3.0), lambda x: np.all((x > 2) & (x < 3))),
        ((1e200, np.inf), lambda x: np.all(x > 1e200)),
        ((-np.inf, -1.0), lambda x: np.all(x < -1)),
        (domains.simplex, lambda x: np.allclose(x.sum(axis=-1), 1)),
        (domains.nonzero, lambda x: np.all(x != 0)),
    ],
)
def test_everything_lies_inside_the_domain(domain, inside):
    for (x,), _ in seen(strategies.inputs(np.tanh, examples=[((3,),)], domain=[domain])):
        assert inside(x)


def test_positive_definite_matrices():
    strategy = strategies.inputs(
        np.linalg.cholesky, examples=[((2, 2),)], domain=[domains.positive_definite]
    )
    for (a,), _ in seen(strategy):
        assert np.all(np.linalg.eigvalsh(a) > 0)


def test_callables_on_tensors_and_fixed_arguments():
    def loss(x, labels):
        assert isinstance(x, (Tensor, np.ndarray)) or hasattr(x, "shape")
        return (x[labels] ** 2).sum()

    labels = np.array([0, 2])
    for (x, given_labels), _ in seen(strategies.inputs(loss, examples=[((4,), labels)])):
        assert x.ndim == 1
        assert given_labels.dtype == labels.dtype
        assert given_labels is not labels


def test_float32_stays_float32():
    strategy = strategies.inputs(np.tanh, examples=[(np.ones(2, np.float32),)])
    assert all(x.dtype == np.float32 for (x,), _ in seen(strategy))


def test_shrinks_to_simple_values():
    (x,), _ = find(strategies.inputs(Log), lambda case: case[0][0].size > 0, settings=SEARCH)
    assert x.shape == ()
    assert x == 1.0
    (x,), _ = find(strategies.inputs(Bumps), lambda case: np.sum(case[0][0]) > 4, settings=SEARCH)
    assert x.size <= 3
    assert np.all(x == np.round(x))
    assert np.max(np.abs(x)) <= 7


def test_arguments_are_fresh():
    for (x,), _ in seen(strategies.inputs(Bumps)):
        x[...] = 12345.5
    for (x,), _ in seen(strategies.inputs(Bumps)):
        assert not x.size or np.max(x) != 12345.5


def test_what_cannot_be_drawn_is_said():
    def never(x):
        raise ValueError("no")

    with pytest.raises(ValueError, match="never"):
        find(strategies.inputs(never), lambda case: True, settings=SEARCH)
    with pytest.raises(TypeError, match="callable"):
        strategies.inputs(3)


def test_upstreams():
    found = seen(strategies.upstreams((2, 2)))
    assert all(g.shape == (2, 2) and g.dtype == np.float64 for g in found)
    for want in (np.ones((2, 2)), np.zeros((2, 2)), -np.ones((2, 2)), [[0, 1], [0, 0]]):
        assert any(np.array_equal(g, want) for g in found)
    assert any(np.max(np.abs(g)) > 1e10 for g in found)
    assert seen(strategies.upstreams((), np.float32))[0].dtype == np.float32
    assert seen(strategies.upstreams((0, 3)))[0].shape == (0, 3)


def test_shapes():
    found = set(seen(strategies.shapes(max_dims=2)))
    assert {(), (0,), (1,), (2,), (3,), (5,)} <= found
    assert all(len(s) <= 2 for s in found)
    assert all(len(s) == 1 for s in seen(strategies.shapes(min_dims=1, max_dims=1)))
    with pytest.raises(ValueError, match="min_dims"):
        strategies.shapes(min_dims=3, max_dims=2)


def test_compositions():
    found = seen(strategies.functions(max_ops=5))
    used = {name for f in found for name, _ in f.steps}
    assert used == {n for n in compositions.operations if n != "total"}
    for f in found:
        assert 1 <= len(f.steps) <= 5
        assert np.all(np.isfinite(f(*f.arguments)))
        namespace = {"np": np}
        exec("from scipy import special\n" + str(f), namespace)
        np.testing.assert_array_equal(namespace["f"](*f.arguments), f(*f.arguments))
    assert all(f(*f.arguments).shape == () for f in seen(strategies.functions(scalar=True)))
    smooth = seen(strategies.functions(smooth=True))
    assert not {"abs", "max", "maximum"} & {name for f in smooth for name, _ in f.steps}


def test_compositions_shrink():
    f = find(
        strategies.functions(), lambda f: any(n == "tanh" for n, _ in f.steps), settings=SEARCH
    )
    assert [name for name, _ in f.steps] == ["tanh"]
    assert len(f.arguments) == 1
    assert f.arguments[0] == 1.0


def test_a_seed_reproduces():
    def drawn(number):
        found = []

        @seed(number)
        @settings(max_examples=30, database=None, deadline=None)
        @given(strategies.inputs(Bumps), strategies.functions(), strategies.upstreams((3,)))
        def run(case, f, g):
            found.append((case[0][0].tolist(), str(f), g.tolist()))

        run()
        return found

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_combines_with_other_strategies():
    with pytest.raises(NoSuchExample):
        find(
            st.tuples(strategies.shapes(), strategies.inputs(Log)),
            lambda pair: np.isrealobj(x := pair[1][0][0]) and np.any(x <= 0),
            settings=settings(SEARCH, max_examples=200),
        )
