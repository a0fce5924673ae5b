"""Every ufunc that lowers: its formula and its value against the ufunc itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from symbolic.lowering import find
from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees, parts

# Ranges to draw arguments from; a ufunc is tried on each where it is finite.
RANGES = [(0.1, 0.9), (1.1, 3.0), (-0.9, 0.9), (-3.0, 3.0), (-3.0, -0.1)]
# The first argument is an order, a degree or a count.
COUNTED = {"eval_legendre", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm"}
COUNTED |= {"eval_laguerre", "eval_genlaguerre", "eval_gegenbauer", "expn", "kn", "yn", "jn"}
COUNTED |= {"eval_jacobi", "eval_sh_legendre", "eval_sh_chebyt", "eval_sh_chebyu"}
COUNTED |= {"eval_chebyc", "eval_chebys"}
OTHERS = {"ldexp", "wofz"}  # of an integer; a complex number
OTHERS |= {"hyp1f1", "hyp2f1"}  # of constant parameters: test_hypergeometric


def lowered():
    found = {}
    for module in (np, special):
        for name in dir(module):
            ufunc = getattr(module, name)
            if isinstance(ufunc, np.ufunc) and ufunc.nout == 1 and find(ufunc) is not None:
                found.setdefault(ufunc, f"{module.__name__}.{name}")
    return [pytest.param(u, id=name) for u, name in found.items() if u.__name__ not in OTHERS]


@pytest.mark.parametrize("ufunc", lowered())
def test_ufunc_is_its_formula(ufunc):
    rng = np.random.default_rng(1)
    tried = 0
    counted = ufunc.__name__ in COUNTED
    for low, high in RANGES:
        arrays = [rng.uniform(low, high, 5) for _ in range(ufunc.nin - counted)]

        def call(*args):
            return ufunc(3, *args) if counted else ufunc(*args)

        with np.errstate(all="ignore"):
            if np.isfinite(np.asarray(call(*arrays), dtype=float)).all():
                agrees(call, *arrays)
                tried += 1
    assert tried


@pytest.mark.parametrize(
    "ufunc",
    [np.divmod, np.modf, special.sici, special.shichi, special.fresnel, special.airy],
    ids=lambda u: u.__name__,
)
def test_ufuncs_with_several_results(ufunc):
    rng = np.random.default_rng(2)
    agrees(ufunc, *(rng.uniform(0.5, 5, 4) for _ in range(ufunc.nin)))


def test_ldexp():
    agrees(lambda x: np.ldexp(x, 3), np.array([0.3, -1.5]))


def test_there_are_many():
    assert len(lowered()) > 140


@pytest.mark.parametrize(
    "ufunc",
    [
        special.xlogy,
        special.xlog1py,
        special.rel_entr,
        special.kl_div,
        np.maximum,
        np.minimum,
        np.copysign,
        np.heaviside,
        np.arctan2,
        np.hypot,
        np.power,
    ],
)
def test_at_zero(ufunc):
    agrees(ufunc, np.array([0.0, 0.0, 2.0]), np.array([0.5, 3.0, 1.0]))


@pytest.mark.parametrize(
    "name", ["sign", "absolute", "negative", "exp", "cbrt", "square", "floor", "rint", "isnan"]
)
def test_at_zero_and_ties_of_one_argument(name):
    agrees(getattr(np, name), np.array([0.0, -0.0, 0.5, -0.5, 2.5]))


@pytest.mark.parametrize(
    "name",
    "exp log sqrt sin cos square reciprocal absolute conjugate negative positive".split(),
)
def test_complex_unary(name):
    def call(x, y):
        return parts(getattr(np, name)(x + 1j * y))

    agrees(call, np.array([0.3, -1.2, 2.0]), np.array([0.7, 0.4, -1.1]))


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power"])
def test_complex_binary(name):
    def call(x, y):
        z = x + 1j * y
        ufunc = getattr(np, name)
        return (*parts(ufunc(z, z[::-1])), *parts(ufunc(z, 2.0)), *parts(ufunc(1.5 - 1j, z)))

    agrees(call, np.array([0.3, -1.2, 2.0]), np.array([0.7, 0.4, -1.1]))


REDUCING = ["add", "multiply", "maximum", "minimum", "fmax", "fmin", "logaddexp", "hypot"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", REDUCING)
def test_reduce_over_any_axes(name, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    axis = data.draw(st.sampled_from([None, tuple(axes), min(axes), min(axes) - len(shape)]))
    keepdims = data.draw(st.booleans())
    array = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=shape)
    ufunc = getattr(np, name)
    if (
        isinstance(axis, tuple)
        and ufunc.identity is None
        and len(axis) > 1
        and name in REDUCING[-2:]
    ):
        axis = axis[0]
    agrees(lambda x: ufunc.reduce(x, axis=axis, keepdims=keepdims), array)


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "logaddexp"])
def test_accumulate_outer_reduceat_at(name):
    ufunc = getattr(np, name)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(3, 2)), rng.normal(size=4)
    agrees(lambda a: ufunc.accumulate(a, axis=0), x)
    agrees(lambda a: ufunc.accumulate(a, axis=1), x)
    agrees(ufunc.outer, x, y)
    agrees(lambda a: ufunc.reduceat(a, [0, 2, 1]), y)

    def added(a, b):
        out = a.copy()
        ufunc.at(out, [0, 2, 0, 1], b)
        return out

    agrees(added, rng.normal(size=3), y)


@pytest.mark.parametrize("initial", [None, 0.25])
@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum"])
def test_reduce_where_and_initial(name, initial):
    ufunc = getattr(np, name)
    x = np.random.default_rng(4).normal(size=(3, 4))
    keep = x > -0.5
    extra = {} if initial is None else {"initial": initial}
    agrees(lambda a: ufunc.reduce(a, axis=1, **extra), x)
    if initial is not None or name in ("add", "multiply"):
        agrees(lambda a: ufunc.reduce(a, axis=1, where=keep, **extra), x)


def test_where_and_out():
    x = np.array([0.5, -1.0, 2.0])

    def masked(a):
        out = np.zeros_like(a)
        np.log(a, where=a > 0, out=out)
        return out

    def into(a):
        out = np.empty(3)
        result = np.multiply(a, 2.0, out=out)
        assert result is out
        return out

    agrees(masked, x)
    agrees(into, x)


def test_logical_reductions_are_plain():
    def call(a):
        for truth in (np.logical_and.reduce(a > 0), (a > 1).any(axis=0), a[0] > 0):
            assert type(truth) is np.bool_
            assert ~truth in (True, False)
        return a

    trace(call, [np.array([0.5, 2.0])])


def test_a_ufunc_without_a_formula_says_so():
    with pytest.raises(TraceError, match="nextafter"):
        trace(lambda x: np.nextafter(x, 2.0), [np.array([0.5])])


def test_python_ufuncs_of_the_user():
    def soft(u, v):
        return u * v if u > v else np.exp(u)

    agrees(
        lambda x, y: np.frompyfunc(soft, 2, 1)(x, y).astype(float), *np.array([[1, 2.0], [2, 1]])
    )
