"""Tracing code as users write it (constructors, `math`, buffers, helpers) leaves nothing behind."""

import builtins
import functools
import importlib
import math
import threading
import types
from functools import partial
from math import exp, log, pi

import numpy
import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.special
from numpy import array, maximum, zeros
from scipy import special
from scipy.special import logsumexp, softmax

from autodiff._lazy import LazyModule
from symbolic.namespace import NUMPY, restore
from symbolic.tracing import TraceError, nodes, symbol_array, trace, traced_namespace
from symbolic.values import Trace
from tests.symbolic.traces import agrees

X = np.array([0.5, -1.0, 2.0])
BUFFER = np.zeros(3)
lazy_special = LazyModule("scipy.special")
lazy_linalg = LazyModule("scipy.linalg")


# Constructors


CONSTRUCTORS = {
    "zeros": lambda x: _filled(np.zeros(3), x),
    "zeros by name": lambda x: _filled(zeros(3), x),
    "empty": lambda x: _written(np.empty((3,)), x),
    "ones": lambda x: _filled(np.ones(3), x),
    "full": lambda x: _filled(np.full(3, 0.5), x),
    "full of a symbol": lambda x: np.full(3, x[0]),
    "eye": lambda x: _filled(np.eye(3)[1], x),
    "identity": lambda x: _filled(np.identity(3)[:, 1], x),
    "zeros_like": lambda x: _filled(np.zeros_like(x), x),
    "zeros_like of a constant": lambda x: _filled(np.zeros_like(np.ones(3)), x),
    "array of numbers": lambda x: _filled(np.array([1.0, 2.0, 3.0]), x),
    "array of entries": lambda x: np.array([x[0], 1, x[1] ** 2]),
    "array by name": lambda x: array([x[0], x[1]]),
    "array of rows": lambda x: np.array([x, [1.0, x[2], 0]]),
    "array of a sum": lambda x: np.array(x.sum()),
    "asarray": lambda x: np.asarray([x[0], x[2]], dtype=float),
    "asarray of a scalar": lambda x: np.asarray(x[0]) * 2,
    "array with ndmin": lambda x: np.array(x, ndmin=2),
    "atleast_1d": lambda x: np.atleast_1d(x[0]),
    "linspace": lambda x: _filled(np.linspace(0, 1, 3), x),
    "arange": lambda x: np.arange(3) * x,
    "arange of a symbol": lambda x: np.arange(0, x[2], 0.75),
    "where of constants": lambda x: _filled(np.where(x > 0, 1.0, 0.5), x),
    "where of a condition": lambda x: x[np.where(x > 0)[0]] * np.where(x > 0)[0].size,
    "tri": lambda x: np.tri(3) @ x,
    "diag of constants": lambda x: _filled(np.diag([1.0, 2.0, 3.0])[0], x),
    "float32": lambda x: np.zeros(2, dtype=np.float32) + np.float64(1),
    "ascontiguousarray": lambda x: np.ascontiguousarray(x)[::-1],
    "the module's other name": lambda x: _filled(numpy.zeros(3), x),
    "a list comprehension": lambda x: np.array([v * 2 for v in x]),
    "map of float": lambda x: np.array(list(map(float, x))),
    "a dtype by name": lambda x: _filled(np.zeros(3, dtype=float), x),
}


def _written(out, x):
    out[...] = x
    return out


def _filled(out, x):
    out[1:] = x[1:] * 2
    out[0] += x[0]
    return out


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_constructors(name):
    agrees(CONSTRUCTORS[name], X)


def test_integer_arrays_stay_plain():
    def call(x):
        for made in (np.zeros(3, dtype=int), np.arange(3), np.array([1, 2]), np.ones(2, bool)):
            assert type(made) is np.ndarray
        return x

    trace(call, [X])


# math


MATH = {
    name: getattr(math, name)
    for name in (
        "exp expm1 log1p sin cos tan atan sinh cosh tanh asinh erf erfc gamma lgamma degrees"
        " radians fabs isnan isfinite isinf floor ceil trunc cbrt exp2 log sqrt log2 log10 acosh"
    ).split()
    if hasattr(math, name)
}


@pytest.mark.parametrize("name", MATH)
def test_math(name):
    function = MATH[name]
    agrees(lambda x: function(x[0]) * x[0], np.array([1.75]))
    agrees(lambda x: getattr(math, name)(x[()]) * x, np.array(2.5))


@pytest.mark.parametrize("name", ["acos", "asin", "atanh"])
def test_math_on_the_unit_interval(name):
    agrees(lambda x: getattr(math, name)(x[0].item()), np.array([0.3]))


def test_math_of_several():
    def call(x):
        a, b, c = x
        return [
            math.pow(c, a), math.atan2(a, b), math.hypot(a, b, c), math.fmod(c, a * 1.3),
            math.copysign(a, b), math.fsum(x), math.prod(x), math.dist([a, b], [c, 1.0]),
            math.log(c, 10), math.isclose(a, b), math.modf(c + a)[0], math.ldexp(a, 3),
            exp(a) + log(c) + pi * b, math.remainder(c, 0.7),
        ]  # fmt: skip

    agrees(call, X)


def test_math_raises_what_it_raises():
    for call, error in (
        (lambda x: math.log(x[1]), ValueError),
        (lambda x: math.sqrt(x[1]), ValueError),
        (lambda x: math.exp(1000 * x[2]), OverflowError),
    ):
        with pytest.raises(error):
            trace(call, [X])


# Buffers and state made before the trace


def test_a_global_buffer():
    def call(x):
        BUFFER[:] = x * 2
        BUFFER[0] += x[1]
        return BUFFER.sum() * x

    agrees(call, X)
    trace(call, [X])
    assert BUFFER.tolist() == [3 * 0.0 + 2 * X[0] + X[1], *2 * X[1:]]  # as the plain run left it


def test_a_buffer_in_a_closure_a_default_and_a_list():
    held, table, listed = np.zeros(3), {"w": np.ones(3)}, [np.zeros(3)]

    def call(x, scratch=np.zeros(3)):
        held[1] = x[1]
        scratch[0] = x[0]
        table["w"][2] = x[2]
        listed[0][:] = x
        return held + scratch * table["w"] + listed[0]

    t = trace(call, [X])
    np.testing.assert_allclose(t.values[0], np.array([0, -1, 0]) + [0.5, 0, 0] + X)
    assert held.tolist() == listed[0].tolist() == [0, 0, 0]
    assert call.__defaults__[0].tolist() == [0, 0, 0]
    assert table["w"].tolist() == [1, 1, 1]


class Layer:
    """An object with state, as users write it."""

    scale = np.array([1.0, 2.0, 3.0])

    def __init__(self):
        self.buffer = np.zeros(3)
        self.calls = 0
        self.seen = []

    def forward(self, x):
        self.buffer[:] = x * self.scale
        self.calls += 1
        self.seen.append(x)
        self.last = x
        return self.helper(self.buffer)

    @staticmethod
    def helper(y):
        out = np.zeros(3)
        out[::2] = y[::2]
        return out

    def __call__(self, x):
        return self.forward(x)


@pytest.mark.parametrize("how", ["method", "call", "partial", "attribute", "lambda"])
def test_objects_are_as_before(how):
    layer = Layer()
    holder = types.SimpleNamespace(layer=layer, f=layer.forward)
    function = {
        "method": layer.forward,
        "call": layer,
        "partial": partial(Layer.forward, layer),
        "attribute": lambda x: holder.f(x),
        "lambda": lambda x: layer.forward(x),
    }[how]
    t = trace(function, [X])
    assert t.values[0].tolist() == [0.5, 0, 6]
    assert layer.buffer.tolist() == [0, 0, 0]
    assert (layer.calls, layer.seen) == (0, [])
    assert not hasattr(layer, "last")
    assert type(Layer.scale) is np.ndarray


def test_objects_linked_deeply():
    class Link:
        def __init__(self, next_):
            self.next = next_

    chain = Link(np.zeros(3))
    last = chain
    for _ in range(5000):
        chain = Link(chain)

    def call(x):
        last.next[0] = x[0]
        return last.next + (chain is not None)

    assert trace(call, [X]).values[0].tolist() == [1.5, 1, 1]
    assert last.next.tolist() == [0, 0, 0]


def test_a_global_that_the_code_sets():
    def call(x):
        global COUNTER, MADE
        COUNTER = MADE = x[0]
        return COUNTER * 2

    trace(call, [X])
    assert COUNTER == 0
    assert "MADE" not in globals()


COUNTER = 0


# Helpers, closures, modules


def helper(x):
    out = np.zeros(2)
    out[0] = exp(x[0])
    return inner_helper(out, x)


def inner_helper(out, x):
    out[1] = maximum(x[1], special.expit(x[2]))
    return out


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        out = np.empty(2)
        out[:] = function(*args)
        return out

    return wrapper


TABLE = {"helper": helper, "nested": [helper]}


def test_helpers_are_reached():
    agrees(lambda x: helper(x) * 2, X)
    agrees(decorated(helper), X)
    agrees(lambda x: TABLE["helper"](x), X)
    agrees(lambda x: TABLE["nested"][0](x), X)


def test_helpers_in_another_module(tmp_path, monkeypatch):
    (tmp_path / "mine_a.py").write_text(
        "import numpy as np\nfrom math import exp\nfrom mine_b import soft\n"
        "def f(x):\n    out = np.zeros(3)\n    out[0] = exp(x[0])\n    return out + soft(x)\n"
    )
    (tmp_path / "mine_b.py").write_text(
        "import numpy as xp\nfrom scipy.special import softmax\n"
        "def soft(x):\n    y = xp.empty(3)\n    y[:] = softmax(x)\n    return y\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    mine_a, mine_b = importlib.import_module("mine_a"), importlib.import_module("mine_b")
    agrees(mine_a.f, X)
    agrees(lambda x: mine_a.f(x) + mine_b.soft(x), X)
    assert mine_b.xp is np
    assert mine_b.softmax is scipy.special.softmax


def test_imports_inside_the_function():
    def call(x):
        import math as m

        import numpy as n
        from numpy import zeros as z
        from scipy.special import logsumexp as lse

        out = n.zeros(3) + z(3)
        out[0] = m.exp(x[0])
        return out + lse(x)

    agrees(call, X)


def test_scipy_by_every_name():
    agrees(lambda x: softmax(x) + logsumexp(x), X)
    agrees(lambda x: scipy.special.softmax(x) + special.logsumexp(x), X)
    agrees(lambda x: lazy_special.softmax(x) * lazy_special.expit(x), X)
    agrees(lambda x: lazy_linalg.norm(x) * x, X)
    agrees(special.softmax, X)
    assert lazy_special.softmax is scipy.special.softmax


def test_recursion_and_generators():
    def power(x, n):
        return x if n == 1 else x * power(x, n - 1)

    agrees(lambda x: sum(power(v, 3) for v in x), X)


def test_vectorize_and_python_control_flow():
    @np.vectorize
    def clipped(u, v):
        return u if u > v else v

    def call(x):
        total = 0.0
        for i in range(int(x[2])):
            total = total + x[i]
            if total < 0:
                total = -total
        return clipped(x, 0.1) * total

    agrees(call, X)


def test_float_of_an_entry():
    def call(x):
        y = float(x[0])
        assert isinstance(y, float)
        assert isinstance(1.0, float)
        assert float("2") == 2.0
        return np.array([y * float(x[1]), np.float64(x[2])], dtype=float)

    agrees(call, X)


def test_ufuncs_of_lists():
    def call(x):
        a, b, c = x
        table = {np.exp: 1.0}
        assert isinstance(np.exp, np.ufunc)
        assert np.exp.nin == 1
        return [
            np.maximum.reduce([a, b, c]),
            np.logaddexp.reduce([a, b]),
            np.sqrt([a, c]).sum(),
            np.add([a, b], 1.0)[0],
            functools.reduce(np.multiply, [a, b, c]),
            maximum([b, c], 0).sum() * table[np.exp],
            np.subtract.outer([a, 1], x)[0, 1],
            np.add.accumulate([a, b, c])[-1],
        ]

    agrees(call, X)


# The result


def test_inputs_outputs_and_names():
    t = trace(lambda x, y: (x * y, None), [np.array([[1.0, 2.0]]), 3.0])
    assert list(t.inputs) == ["x", "y"]
    assert [repr(n) for n in t.inputs["x"].flat] == ["x[0,0]", "x[0,1]"]
    assert repr(t.inputs["y"][()]) == "y"
    assert t.outputs[1] is None
    assert t.outputs[0].shape == (1, 2)
    assert t.values[0].tolist() == [[3.0, 6.0]]
    assert [repr(n) for n in t] == ["mul(x[0,0], y)", "mul(x[0,1], y)"]


def test_what_is_not_differentiated_passes():
    def call(x, axis, mask, *, power):
        assert type(mask) is np.ndarray
        return np.sum(x[mask] ** power, axis=axis)

    t = trace(call, [X, 0, np.array([True, False, True])], keywords={"power": 2})
    assert t.values[0] == 4.25
    assert list(t.inputs) == ["x"]


def test_a_trace_can_go_on():
    run = Trace()
    first = trace(lambda x: x > 0, [np.array(1.0)], trace=run, names=["x"])
    second = trace(lambda x: np.sqrt(x) if x > 0 else x, [np.array(1.0)], trace=run, names=["x"])
    assert second.trace is first.trace is run
    assert len(run.conditions) == 1  # known already when the second run asks


def test_pieces_of_one_run():
    run = Trace()
    x, g = symbol_array(run, "x", X), symbol_array(run, "g", np.ones(3))

    def forward(x):
        return np.maximum(x, 0)

    def backward(x, g):
        out = np.zeros_like(x)
        out[x > 0] = g[x > 0]
        return out

    with traced_namespace(forward, backward):
        y, dx = forward(x), backward(x, g)
    assert [repr(n) for n in nodes(y, run.graph)] == ["x[0]", "0", "x[2]"]
    assert [repr(n) for n in nodes(dx, run.graph)] == ["g[0]", "0", "g[2]"]


# Nothing is left behind


def snapshot():
    modules = (np, np.linalg, math, scipy.special, scipy.linalg, scipy.fft, builtins, np.vectorize)
    return [dict(vars(m)) for m in modules] + [
        {k: v for k, v in globals().items() if k != "__warningregistry__"}
    ]


def assert_same(before, after):
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        assert [k for k in old if old[k] is not new[k]] == []


def test_modules_are_as_before():
    before = snapshot()
    trace(helper, [X])
    assert_same(before, snapshot())


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, TraceError, KeyboardInterrupt])
def test_modules_are_as_before_after_an_exception(error):
    held = np.zeros(3)

    def call(x):
        held[0] = x[0]
        helper(x)
        raise error("mine")

    before = snapshot()
    with pytest.raises(error, match="mine"):
        trace(call, [X])
    assert_same(before, snapshot())
    assert type(held) is np.ndarray
    assert held.tolist() == [0, 0, 0]


def test_restoring_survives_an_interruption():
    done, pending = [], [KeyboardInterrupt("late")]

    def interrupted():
        if pending:
            raise pending.pop()
        done.append("second")

    undo = [lambda: done.append("first"), interrupted, lambda: done.append("third")]
    with pytest.raises(KeyboardInterrupt, match="late"):
        restore(undo)
    assert done == ["third", "second", "first"]


def test_restoring_gives_up_on_what_fails_by_itself():
    done = []
    with pytest.raises(ZeroDivisionError):
        restore([lambda: done.append("first"), lambda: 1 / 0])
    assert done == ["first"]


def test_the_real_numpy_is_never_changed():
    def call(x):
        real = importlib.import_module("numpy")
        assert real is not np
        assert type(real.zeros(3)) is real.ndarray
        assert type(np.zeros(3)) is not real.ndarray
        np.random.default_rng(0).normal(size=3)
        np.random.random_sample(())
        return x * np.random.default_rng(0).permutation(3)

    trace(call, [X])


def test_other_threads_see_plain_numpy():
    inside, done, found = threading.Event(), threading.Event(), []

    def other():
        inside.wait(10)
        found.extend([type(math.exp(1.0)), type(np.zeros(2)), float("1.5"), type(np.array([1.0]))])
        found.append(special.softmax(np.zeros(2)).tolist())
        done.set()

    def call(x):
        inside.set()
        assert done.wait(10)
        return np.zeros(3) + x

    thread = threading.Thread(target=other)
    thread.start()
    t = trace(call, [X])
    thread.join()
    assert found == [float, np.ndarray, 1.5, np.ndarray, [0.5, 0.5]]
    assert t.values[0].tolist() == X.tolist()


def test_traces_nest():
    def inner(x):
        out = np.zeros(3)
        out[:] = x * 2
        return out

    def call(x):
        before = trace(inner, [X]).values[0]
        out = np.zeros(3)
        out[:] = x
        return out + before

    np.testing.assert_allclose(trace(call, [X]).values[0], 3 * X)
    assert type(np.zeros(2)) is np.ndarray


def test_the_namespace_is_numpy_otherwise():
    assert NUMPY.pi == np.pi
    assert NUMPY.linalg is np.linalg
    assert isinstance(NUMPY, types.ModuleType)
    assert NUMPY.float64 == np.float64
    assert isinstance(np.float64(1), NUMPY.float64)
    assert NUMPY.dtype(NUMPY.float64) == np.dtype(float)
    assert type(NUMPY.zeros(3)) is np.ndarray  # no trace runs


def test_constants_of_code_are_recognised():
    t = trace(lambda x: 0.7071067811865476 * x + 0.1, [np.array(2.0)], names=["x"])
    leaves = repr(t.outputs[0][()])
    assert "pow(2, 1/2)" in leaves

    assert "1/10" in leaves


class TestWhatIsReached:
    def test_modules_that_refer_to_each_other(self, tmp_path, monkeypatch):
        (tmp_path / "one_of_two.py").write_text(
            "import numpy as np\nimport two_of_two\n"
            "def f(x): return two_of_two.g(x) + np.zeros(2)\n"
        )
        (tmp_path / "two_of_two.py").write_text(
            "import numpy as np\nimport one_of_two\n"
            "def g(x): return np.sin(x) if one_of_two and two_of_two else x\n"
            "import two_of_two\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        import one_of_two

        found = trace(one_of_two.f, [np.array([1.0, 2.0])])
        assert str(found.outputs[0][0]) == "sin(x[0])"

    def test_lists_that_refuse_to_be_written_to(self):
        class Frozen(list):
            def __setitem__(self, key, value):
                raise TypeError("frozen")

        names = Frozen(["a", "b"])

        def f(x):
            return x * len(names)

        assert trace(f, [np.array([1.0])]).values[0].tolist() == [2.0]
