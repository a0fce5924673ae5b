"""Repairs: code for a right backward, checked before it is shown."""

import numpy as np
import pytest
import sympy as sp

import verify
from autodiff import Function
from autodiff.function import Elementwise
from symbolic.limits import time_limit
from verify import repair as repair_module
from verify.numpy_code import block, candidates, stable

x, y = sp.symbols("x y", real=True)


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """The tests may run on a busy machine."""
    monkeypatch.setattr(repair_module, "SECONDS", 20.0)


def repaired(subject, **options):
    report = verify.check(subject, **options)
    assert not report.ok
    return report.repair


def executed(code):
    namespace = {"np": np}
    exec(code, namespace)
    return namespace


# Forms


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (sp.exp(x) / (1 + sp.exp(x)), "special.expit(x)"),
        (1 / (1 + sp.exp(-x)), "special.expit(x)"),
        (sp.exp(-x) / (1 + sp.exp(-x)) ** 2, "special.expit(-x) * special.expit(x)"),
        (sp.log(1 + sp.exp(x)), "np.logaddexp(0, x)"),
        (sp.log(sp.exp(x) + sp.exp(y)), "np.logaddexp(x, y)"),
        (sp.exp(x) / (sp.exp(x) + sp.exp(y)), "special.expit(x - y)"),
        (sp.exp(x) - 1, "np.expm1(x)"),
        (2 - 2 * sp.exp(x), "-2 * np.expm1(x)"),
        (sp.log(1 + x), "np.log1p(x)"),
        (sp.log(1 - sp.exp(x)), "np.log1p(-np.exp(x))"),
        (1 - sp.erf(x), "special.erfc(x)"),
        (1 + sp.erf(x), "special.erfc(-x)"),
        (sp.sqrt(x**2 + y**2), "np.hypot(x, y)"),
        (1 - sp.cos(x), "2 * np.sin(0.5 * x) ** 2"),
        (y - y * sp.exp(x), "-y * np.expm1(x)"),
    ],
)
def test_stable_form(expression, expected):
    assert block([stable(expression)]) == ([], [expected])


def test_forms_are_equal():
    f = x * sp.tanh(sp.log(1 + sp.exp(x)))
    want = sp.lambdify(x, f.diff(x), "mpmath")
    count = 0
    for form in candidates(f.diff(x)):
        lines, [result] = block([form])
        body = [*lines, f"return {result}"]
        text = "from scipy import special\ndef f(x):\n" + "".join(f"    {b}\n" for b in body)
        code = executed(text)
        for at in (-3.0, 0.25, 2.0):
            assert code["f"](at) == pytest.approx(float(want(at)), rel=1e-12)
        count += 1
    assert count > 2


def test_high_powers_of_exponentials_cost_no_time():
    c = sp.Rational(851, 500)  # polynomials of degree 851 in exp(x/500), if one factored
    with time_limit(5):
        forms = list(candidates((x / (1 + sp.exp(-c * x))).diff(x)))
    assert forms


# Functions


class Softplus(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.logaddexp(0, x)

    @staticmethod
    def backward(ctx, grad):
        return grad


class Elu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return np.where(x > 0, x, np.expm1(x))

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.mask


class Hypot(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(y, x)
        return np.hypot(x, y)

    @staticmethod
    def backward(ctx, grad):
        y, x = ctx.saved_tensors
        r = np.hypot(x, y) + 1.0
        return grad * x / r, grad * y / r


class Times(Function):
    examples = [((2, 3), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        _, y = ctx.saved_tensors
        return grad * y, (grad * y).sum(axis=0)


class MeanSquare(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.mean(x**2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class Leaky(Function):
    examples = [((3,), {"slope": 0.25}), ((3,), {"slope": 0.5})]

    @staticmethod
    def forward(ctx, x, slope=0.25):
        ctx.save_for_backward(x)
        return np.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x > 0)


class Lerp(Function):
    """Its smallest example does not broadcast."""

    examples = [((), (), ()), ((3,), (3,), ())]

    @staticmethod
    def forward(ctx, a, b, t):
        ctx.save_for_backward(a, b, t)
        return a + t * (b - a)

    @staticmethod
    def backward(ctx, grad):
        a, b, t = ctx.saved_tensors
        return grad * t, grad * (1 - t), np.sum(grad * (b - a))


class Dropped(Function):
    """What the contract finds wrong: the upstream gradient is dropped."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.exp(x)


class Sinh(Elementwise):
    value = lambda x: np.sinh(x)  # noqa: E731
    partials = (lambda x: -np.cosh(x),)


def test_expit_for_softplus():
    assert repaired(Softplus) == (
        "from scipy import special\n\n"
        "def backward(ctx, grad):\n"
        "    (x,) = ctx.saved_tensors\n"
        "    return grad * special.expit(x)"
    )


def test_branches_and_what_forward_must_save():
    assert repaired(Elu) == (
        "# in forward: ctx.save_for_backward(x)\n"
        "def backward(ctx, grad):\n"
        "    (x,) = ctx.saved_tensors\n"
        "    return grad * np.where(x <= 0, np.exp(x), 1)"
    )


def test_saved_in_another_order_and_right_at_the_origin():
    code = repaired(Hypot)
    assert "y, x = ctx.saved_tensors" in code

    class ctx:
        saved_tensors = np.zeros(1), np.zeros(1)

    assert np.all(np.isfinite(executed(code)["backward"](ctx, np.ones(1))))


def test_broadcasting_is_undone():
    code = repaired(Times)
    assert "unbroadcast(grad * y, x.shape), unbroadcast(grad * x, y.shape)" in code


def test_broadcasting_in_another_example():
    assert "unbroadcast(grad * (-a + b), t.shape)" in repaired(Lerp)


def test_a_broken_contract_is_repaired():
    assert "return grad * np.exp(x)" in repaired(Dropped)


def test_mean_divides_by_the_size():
    assert repaired(MeanSquare).endswith("return grad * 2 * x / x.size")


def test_keywords_are_said():
    code = repaired(Leaky)
    assert code.startswith("# for slope=0.25\n")
    assert "0.25" in code.split("\n", 1)[1]


def test_partials_of_an_elementwise_class():
    assert repaired(Sinh) == "partials = (lambda x: np.cosh(x),)"


# Pairs


def norm(x):
    return np.sqrt((x * x).sum())


def log_sum_exp(x):
    return np.log(np.exp(x).sum())


def variance(x):
    return np.var(x)


def weighted(x, w):
    return (w * x**2).sum()


def scaled(x, a):
    return (a * x**2).sum()


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


RIGHT = {
    norm: lambda x: x / np.sqrt((x * x).sum()),
    log_sum_exp: lambda x: np.exp(x) / np.exp(x).sum(),
    variance: lambda x: 2 * (x - x.mean()) / x.size,
    weighted: lambda x, w: (2 * w * x, x**2),
    scaled: lambda x, a: (2 * a * x, (x**2).sum()),
    rosenbrock: lambda x: np.array(
        [-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]
    ),
}


def wrong(function):
    """A gradient that is twice the right one."""

    def grad(*args):
        found = RIGHT[function](*args)
        return tuple(2 * g for g in found) if isinstance(found, tuple) else 2 * found

    return grad


@pytest.mark.parametrize(
    ("function", "example", "sizes"),
    [
        (norm, ((3,),), (1, 4)),
        (log_sum_exp, ((3,),), (1, 4)),
        (variance, ((4,),), (3, 6)),
        (weighted, ((3,), (3,)), (1, 4)),
        (scaled, ((3,), ()), (1, 4)),
        (rosenbrock, ((2,),), (2,)),
    ],
)
def test_scalar_functions(function, example, sizes):
    code = repaired(function, grad=wrong(function), examples=[example])
    assert code is not None
    grad = executed(code)["grad"]
    rng = np.random.default_rng(0)
    for n in sizes:
        args = [rng.normal(size=(n,) if shape else ()) for shape in example]
        found, want = grad(*args), RIGHT[function](*args)
        for a, b in zip(*(g if isinstance(g, tuple) else (g,) for g in (found, want)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


# What gets none


class Flip(Function):
    """No pattern fits: each output depends on another entry."""

    examples = [((3, 2),)]

    @staticmethod
    def forward(ctx, x):
        return x[::-1] * 2.0

    @staticmethod
    def backward(ctx, grad):
        return grad * 2.0


class Mixed(Function):
    """It looks elementwise at one entry, and is not."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.sum(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x


@pytest.mark.parametrize("function", [Flip, Mixed])
def test_no_pattern(function):
    assert repaired(function) is None


def test_a_right_one_and_a_wrong_formula_get_none():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * grad * x**2

    assert verify.check(Cube).repair is None

    class Misnamed(Cube):
        @staticmethod
        def formula(x):
            return x**4

    report = verify.check(Misnamed)
    assert report.blame == "formula"
    assert report.repair is None


def test_never_raises_and_ends_in_time(monkeypatch):
    def broken(*args):
        raise RuntimeError("broken")

    monkeypatch.setattr(repair_module, "_search", broken)
    assert repaired(Softplus) is None

    def endless(*args):
        while True:
            pass

    monkeypatch.setattr(repair_module, "_search", endless)
    monkeypatch.setattr(repair_module, "SECONDS", 0.1)
    with time_limit(20):
        assert repaired(Softplus) is None
