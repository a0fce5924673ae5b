"""What a result depends on: nothing may be overlooked, and little that does not matter counted."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import autodiff as ad
from verify.fingerprint import Unknown, fingerprint

SOURCE = """
import numpy as np
from autodiff import Function
import helper
from helper import scale, Base

np.seterr(under="ignore")
FACTOR = 2.0
WEIGHTS = np.array([1.0, 2.0])
TABLE = {"rate": 0.5}

def inner(x, power=2):
    return FACTOR * x**power

def decorated(f):
    def g(x):
        return f(x) + 1
    return g

@decorated
def outer(x):
    return inner(x) + WEIGHTS.sum()

def looked_up(name):
    return getattr(helper, "number_" + name)()

class Subject(Base, Function):
    \"\"\"A subject.\"\"\"
    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        return outer(x) * scale(x) + helper.shift(x) + TABLE["rate"] + looked_up("three")

    @staticmethod
    def backward(ctx, grad):
        return grad

class Other(Function):
    @staticmethod
    def forward(ctx, x):
        return x
"""
HELPER = """
LIMIT = 3
class Base:
    offset = 1
    def method(self):
        return self.offset
def scale(x):
    return LIMIT * x
def shift(x):
    return x + 1
def number_three():
    return 3 + CORRECTION
CORRECTION = 0.0
"""


@pytest.fixture
def digest(tmp_path):
    """The digest of `Subject` in a fresh interpreter, after changes of the text."""

    def digest(*changes, lines=False, name="Subject"):
        source, helper = SOURCE, HELPER
        for old, new in changes:
            assert (old in source) + (old in helper) == 1, old
            source, helper = source.replace(old, new), helper.replace(old, new)
        (tmp_path / "subject.py").write_text(source)
        (tmp_path / "helper.py").write_text(helper)
        code = f"""
            from verify.fingerprint import fingerprint
            from verify.load import load
            print(fingerprint(load("subject.py:{name}").subject, lines={lines}))
        """
        done = subprocess.run(
            [sys.executable, "-B", "-c", textwrap.dedent(code)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return digest


MATTERS = {
    "the code of backward": ("return grad", "return 2 * grad"),
    "a constant in it": ("return x + 1\n", "return x + 2\n"),
    "a function that it calls": ("FACTOR * x**power", "FACTOR + x**power"),
    "a default": ("power=2", "power=3"),
    "a global of that": ("FACTOR = 2.0", "FACTOR = 2.5"),
    "an entry of an array": ("[1.0, 2.0]", "[1.0, 2.0000000000000004]"),
    "a dictionary": ('"rate": 0.5', '"rate": 0.25'),
    "a decorator": ("return f(x) + 1", "return f(x) - 1"),
    "the examples": ("((3,),)", "((4,),)"),
    "a base class of another module": ("offset = 1", "offset = 2"),
    "a global of another module": ("LIMIT = 3", "LIMIT = 4"),
    "what a function depends on that is looked up by name": (
        "CORRECTION = 0.0",
        "CORRECTION = 1.0",
    ),
    "a setting made on import": ('under="ignore"', 'under="warn"'),
    "a function reached through its module": ("return x + 1\n", "return x - 1\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", MATTERS.values(), ids=MATTERS)
def test_a_change_that_matters(digest, change):
    before = digest()
    assert before == digest()
    assert digest(change) != before


def test_what_does_not_matter(digest):
    before = digest()
    unrelated = ("class Other(Function):", "\n# far away\nclass Other(Function):\n    x = 1")
    assert digest(unrelated) == before
    comment = ("FACTOR = 2.0", "# a comment\n\nFACTOR = 2.0")
    assert digest(comment) == before
    placed = digest(lines=True)
    assert digest(unrelated, lines=True) == placed
    assert digest(comment, lines=True) != placed


def changed(make, *values):
    """Whether objects made alike but for a value have digests of their own, each a stable one."""
    digests = [fingerprint(make(v)) for v in values]
    assert digests == [fingerprint(make(v)) for v in values]
    return len(set(digests)) == len(values)


def closure(value):
    return lambda x: x * value


class Instance:
    def __init__(self, value):
        self.value = value

    def __call__(self, x):
        return self.value * x


class Slots:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def bound(value):
    return Instance(value).__call__


def partial(value):
    import functools

    return functools.partial(closure(1), value)


def cached(value):
    import functools

    return functools.lru_cache(closure(value))


def vectorized(value):
    return np.vectorize(closure(value))


def symbolic(value):
    import sympy

    return sympy.Symbol("x") * sympy.Integer(value)


def distribution(value):
    from scipy import stats

    return stats.norm(loc=value)


def tensor(value):
    return ad.tensor(float(value), requires_grad=True)


def attribute(value):
    f = closure(1)
    f.rate = value
    return f


MAKERS = [
    closure, Instance, Slots, bound, partial, cached, vectorized, symbolic, distribution,
    attribute, tensor,
    np.float32, np.array, lambda v: [v], lambda v: {"a": {v}}, lambda v: np.ones(v),
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_values_that_objects_hold(make):
    assert changed(make, 1, 2)


def test_types_tell_equal_numbers_apart():
    assert len({fingerprint(v) for v in (1, 1.0, True, np.float64(1), np.float32(1), [1])}) == 6
    assert fingerprint(0.0) != fingerprint(-0.0)


def test_which_object_is_shared():
    a, b = [1], [1]
    assert fingerprint([a, a]) != fingerprint([a, b])


def test_cycles_end():
    loop = []
    loop.append(loop)
    assert fingerprint(loop) == fingerprint(loop)


def reads_a_file(x):
    with open("rate") as file:
        return float(file.read()) * x


def looks_into_the_environment(x):
    return float(os.environ["RATE"]) * x


def runs_text(x):
    return eval("2 * x")


def imports_unseen(x):
    import a_module_that_is_not_there

    return a_module_that_is_not_there.f(x)


class Evasive:
    def __getattr__(self, name):
        raise RuntimeError(name)


def looks_a_module_up(x):
    import sys

    return sys.modules["helper"].f(x)


def calls_inside(x):
    def inside():
        return eval("x")

    return inside()


@pytest.mark.parametrize(
    "f",
    [
        reads_a_file,
        looks_into_the_environment,
        runs_text,
        imports_unseen,
        looks_a_module_up,
        calls_inside,
        np.frompyfunc(lambda x: x, 1, 1),
        (i for i in [1]),
        {object()},
    ],
    ids=lambda f: getattr(f, "__name__", type(f).__name__),
)
def test_what_cannot_be_told(f):
    with pytest.raises(Unknown):
        fingerprint(f)


def test_an_object_that_raises_when_it_is_looked_at():
    with pytest.raises(Unknown, match="RuntimeError"):
        fingerprint([Evasive()])


def test_what_code_imports_itself():
    def f(x):
        from scipy import special

        return special.expit(x)

    assert fingerprint(f) == fingerprint(f)


def test_a_new_version_of_a_library(monkeypatch):
    import verify.fingerprint as module

    before = fingerprint(np.sin)
    monkeypatch.setattr(module, "_engine", lambda: "other")
    assert fingerprint(np.sin) != before
    monkeypatch.undo()
    versions = {"numpy": ("numpy", "1"), "scipy": ("scipy", "1")}
    monkeypatch.setattr(module, "_version", lambda top: versions.get(top, (top,)))
    one = fingerprint(reads_numpy)
    versions["numpy"] = ("numpy", "2")
    assert fingerprint(reads_numpy) != one


def reads_numpy(x):
    return np.sin(x)


def test_settings_of_libraries():
    before = fingerprint(reads_numpy)
    with np.errstate(divide="raise"):
        assert fingerprint(reads_numpy) != before
    assert fingerprint(reads_numpy) == before


def test_derivatives_that_a_library_keeps_apart():
    extend = pytest.importorskip("autograd.extend")

    def primitive(factor):
        @extend.primitive
        def double(x):
            return 2 * x

        extend.defvjp(double, lambda ans, x: lambda g: factor * g)
        return double

    assert changed(primitive, 2.0, 3.0)
    assert changed(lambda factor: closure(primitive(factor)), 2.0, 3.0)
