"""The verdict: what is proved, what is refuted and how, and what must never be called wrong."""

import numpy as np
import pytest
from scipy import special

from autodiff import Function
from verify import Verdict, check
from verify.domains import integers, positive_definite


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x**2


def branch(inside, slope):
    """A Cube whose gradient is wrong by the factor ``slope`` where ``inside`` holds."""

    class Narrow(Cube):
        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return np.where(inside(x), slope, 1.0) * 3 * grad * x**2

    return Narrow


def test_a_right_backward_is_proved_at_every_shape():
    report = check(Cube)
    assert report.verdict is Verdict.PROVED
    assert report.scope == "at every shape"
    assert report.cells["proved"] == report.cells["explored"] > 0
    assert report.resolution <= 1e-13
    assert {f.evidence for f in report.findings} >= {"contract", "proof", "oracle"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "inside",
    [
        lambda x: (x > 2.5) & (x < 2.6),
        lambda x: x == 3,
        lambda x: np.abs(x) > 1e4,
        lambda x: np.floor(x) == 7,
        lambda x: (x > 1e-9) & (x < 2e-9),
    ],
    ids=["band", "point", "far", "floor", "tiny"],
)
def test_a_narrow_branch_is_found_with_every_seed(inside, seed):
    report = check(branch(inside, 1.25), seed=seed)
    assert report.verdict is Verdict.REFUTED
    x = report.counterexample.inputs["x"]
    assert np.any(inside(np.asarray(x)))


def test_a_branch_that_changes_nothing_is_no_error():
    assert check(branch(lambda x: (x > 2.5) & (x < 2.6), 1.0)).verdict is Verdict.PROVED


def test_the_refutation_is_the_right_derivative_at_a_simple_input():
    report = check(branch(lambda x: x > 0, 2.0))
    found = report.counterexample
    x = float(np.asarray(found.inputs["x"]).ravel()[0])
    assert found.expected == pytest.approx(3 * x**2 * float(np.ravel(found.grad_output)[0]))
    assert found.actual == pytest.approx(2 * found.expected)
    assert (report.blame, report.argument) == ("backward", "x")


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_any_convention_at_a_kink_passes(at_zero):
    class Relu(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.maximum(x, 0)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * np.where(x == 0, at_zero, x > 0)

    assert check(Relu).ok


@pytest.mark.parametrize("at_zero", [-0.25, 1.5, np.nan])
def test_what_no_convention_allows_is_refuted(at_zero):
    class Relu(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.maximum(x, 0)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * np.where(x == 0, at_zero, x > 0)

    report = check(Relu)
    assert report.verdict is Verdict.REFUTED
    assert np.any(np.asarray(report.counterexample.inputs["x"]) == 0)


def test_a_smooth_function_written_with_a_tie_has_one_answer():
    def f(x):
        return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x)).sum()

    def right(x):
        y = np.where(x == 0, 1.0, x)
        small = x - x  # 0, of the shape of x
        return np.where(
            np.abs(x) < 1e-2,
            small - x / 3 + x**3 / 30 - x**5 / 840 + x**7 / 45360,
            np.cos(y) / y - np.sin(y) / y**2,
        )

    def wrong(x):
        return np.where(x == 0, 0.5, right(x))

    options = {"examples": [((2,),)], "domain": [(-50, 50)]}
    assert check(f, grad=right, **options).ok
    report = check(f, grad=wrong, **options)
    assert report.verdict in (Verdict.REFUTED, Verdict.INACCURATE)


def test_lost_digits_are_inaccurate_not_refuted():
    class Sigmoid(Function):
        @staticmethod
        def forward(ctx, x):
            y = 1 / (1 + np.exp(-x))
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            (y,) = ctx.saved_tensors
            return grad * y * (1 - y)

    report = check(Sigmoid)
    assert report.verdict is Verdict.INACCURATE
    assert report.cells["proved"] > 0 or report.max_ulp > 2**20


def test_float32_is_judged_in_float32():
    x = np.array([0.5, -1.0], dtype=np.float32)
    right = check(lambda x: np.sum(np.sin(x)), grad=np.cos, examples=[(x,)])
    assert right.ok
    wrong = check(lambda x: np.sum(np.sin(x)), grad=lambda x: 1.001 * np.cos(x), examples=[(x,)])
    assert wrong.verdict is Verdict.REFUTED


def test_a_formula_that_is_the_odd_one_out_is_blamed():
    report = check(Cube, formula=lambda x: x**2)
    assert (report.verdict, report.blame) == (Verdict.REFUTED, "formula")


def test_code_that_cannot_be_traced_is_compared_with_differences():
    table = np.linspace(0.0, 9.0, 10)

    def f(x):
        return float(np.frombuffer(np.asarray(x**2).tobytes())[0]) + 0 * table[0]

    right = check(f, grad=lambda x: 2 * x, examples=[((1,),)])
    assert right.verdict is Verdict.VERIFIED
    assert right.resolution > 1e-13
    assert any(f.evidence == "proof" and f.status == "skip" for f in right.findings)
    assert check(f, grad=lambda x: 2.01 * x, examples=[((1,),)]).verdict is Verdict.REFUTED


def test_domains_are_kept_to():
    def f(a):
        return np.log(np.linalg.det(a))

    def jac(a):
        return np.linalg.inv(a).T

    assert check(f, grad=jac, examples=[((2, 2),)], domain=[positive_definite]).ok

    def power(x, n):
        return np.sum(x**n)

    def slope(x, n):
        return n * x ** (n - 1.0), None

    options = {"examples": [((2,), ())], "domain": {"x": (0.1, 5), "n": integers(1, 4)}}
    assert check(power, grad=slope, **options).ok


def test_undecided_says_why_and_never_passes():
    def impossible(x):
        raise ValueError("not today")

    report = check(impossible, grad=lambda x: x)
    assert report.verdict is Verdict.UNDECIDED
    assert "not today" in report.reason
    assert not report.ok


def test_a_time_limit_ends_the_check():
    def slow(x):
        import time

        time.sleep(0.4)
        return np.sum(x * x)

    report = check(slow, grad=lambda x: 2 * x, examples=[((2,),)], timeout=1.0)
    assert report.seconds < 5
    assert report.verdict in (Verdict.UNDECIDED, Verdict.VERIFIED)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 0}, "order"),
        ({"timeout": -1}, "timeout"),
        ({"max_ulps": 0}, "max_ulps"),
        ({"examples": []}, "examples"),
        ({"domain": {"z": (0, 1)}}, "domain"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check(Cube, **options)


def test_one_derivative_at_a_time():
    with pytest.raises(TypeError, match="grad and jac"):
        check(lambda x: x, grad=lambda x: x, jac=lambda x: x)


def test_second_order_sees_a_saved_intermediate():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.double = 2 * x
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.double

    assert check(Square).verdict is Verdict.PROVED
    report = check(Square, order=2)
    assert report.verdict is Verdict.REFUTED
    assert any(f.evidence == "second_order" and f.status == "fail" for f in report.findings)
    assert check(Cube, order=2).verdict is Verdict.PROVED


def test_a_gradient_of_the_first_argument_alone_is_judged_alone():
    def loss(w, x, y):
        return np.mean((x @ w - y) ** 2)

    def right(w, x, y):
        return 2 * x.T @ (x @ w - y) / len(y)

    def wrong(w, x, y):
        return 2 * x.T @ (x @ w - y) / len(w)

    examples = [((3,), (4, 3), (4,))]
    assert check(loss, grad=right, examples=examples).ok
    report = check(loss, grad=wrong, examples=examples)
    assert (report.verdict, report.argument) == (Verdict.REFUTED, "w")


@pytest.mark.parametrize("right", [True, False])
def test_an_upstream_gradient_by_keyword(right):
    def power(x, n=3):
        return x**n

    def by_name(x, n=3, *, grad_output):
        return grad_output * n * x ** (n - 1 if right else n)

    def last(x, n=3, grad_output=None):
        return by_name(x, n, grad_output=grad_output)

    for vjp in (by_name, last):
        report = check(power, vjp=vjp, examples=[((2,),), ((2,), {"n": 2})])
        assert report.verdict is (Verdict.PROVED if right else Verdict.REFUTED)
        assert right or report.counterexample.actual is not None


class Times(Function):
    """Undoes the broadcast by summing over leading axes and axes of size 1."""

    @staticmethod
    def undone(grad, shape):
        grad = grad.sum(tuple(range(grad.ndim - len(shape))))
        return grad.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @classmethod
    def backward(cls, ctx, grad):
        x, y = ctx.saved_tensors
        return cls.undone(grad * y, x.shape), cls.undone(grad * x, y.shape)


class TimesReturnsEarly(Times):
    @staticmethod
    def undone(grad, shape):
        if grad.ndim > len(shape):
            return grad.sum(tuple(range(grad.ndim - len(shape))))
        return Times.undone(grad, shape)


def test_a_leading_axis_and_one_of_size_one_are_undone_together():
    assert check(Times).verdict is Verdict.PROVED
    assert check(TimesReturnsEarly).verdict is Verdict.REFUTED


def test_a_loss_of_two_arrays_need_not_undo_a_broadcast():
    def loss(p, t):
        return ((p - t) ** 2).mean()

    def right(p, t):
        d = 2 * (p - t) / p.size
        return d, -d

    def wrong(p, t):
        d = 2 * (p - t) / len(p) if p.ndim else 2 * (p - t)
        return d, -d

    report = check(loss, grad=right)
    assert report.verdict is Verdict.PROVED
    assert "not tried: p (2, 3), t (3,)" in str(report)
    assert check(loss, grad=wrong).verdict is Verdict.REFUTED
    # What is elementwise has to undo it.
    report = check(lambda p, t: p * t, vjp=lambda p, t, g: (g * t, g * p))
    assert report.verdict is Verdict.REFUTED


@pytest.mark.parametrize("factor", [1.0, 1.0 + 1e-6])
def test_the_corner_of_a_round_hull_is_accepted(factor):
    # At the zero matrix the gradients of an eigenvalue are v v' for every unit vector v.
    def smallest(p):
        return np.linalg.eigvalsh(np.array([[p[0], p[1]], [p[1], p[2]]]))[0]

    def grad(p):
        v = np.linalg.eigh(np.array([[p[0], p[1]], [p[1], p[2]]]))[1][:, 0]
        return factor * np.array([v[0] ** 2, 2 * v[0] * v[1], v[1] ** 2])

    report = check(smallest, grad=grad, examples=[((3,),)])
    assert report.ok == (factor == 1.0)


@pytest.mark.parametrize("right", [True, False])
def test_a_branch_decided_by_rounding_beside_a_larger_entry(right):
    # |a| is 1e-9 in floats for some a whose exact norm is not: both branches are right there.
    def direction(a, b):
        return a @ b / np.maximum(np.linalg.norm(a), 1e-9)

    def grad(a, b):
        r = np.maximum(np.linalg.norm(a), 1e-9)
        inner = a * (a @ b) / r**3 if np.linalg.norm(a) > (1e-9 if right else 2e-9) else 0
        return b / r - inner, a / r

    report = check(direction, grad=grad, examples=[((2,), (2,))])
    assert report.ok == right


@pytest.mark.parametrize("error", [0.0, 1e-8])
def test_one_entry_normalised(error):
    # 1/x - x^2/x^3 is zero but for its rounding.
    def unit(x):
        return x / np.sqrt(x @ x + (x @ x == 0))

    def vjp(x, g):
        r = np.sqrt(x @ x + (x @ x == 0))
        return g / r - x * (x @ g) / r**3 * (1 + error)

    report = check(unit, vjp=vjp, examples=[((3,),), ((1,),)], domain=[(0, np.inf)])
    assert report.ok == (error == 0.0)


def test_a_forward_that_raises_outside_of_an_undeclared_domain_is_traced():
    class InverseRoot(Function):
        @staticmethod
        def forward(ctx, x):
            if np.any(x <= 0):
                raise ValueError("x must be positive")
            ctx.save_for_backward(x)
            return 1 / np.sqrt(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return -0.5 * grad / (x * np.sqrt(x))

    class Wrong(InverseRoot):
        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return -0.5 * grad / np.where(x > 3e3, 2 * x, x) / np.sqrt(x)

    assert check(InverseRoot).verdict is Verdict.PROVED
    assert check(Wrong).verdict is Verdict.REFUTED


@pytest.mark.slow
def test_a_hundred_entries_end_in_a_verdict():
    def f(x):
        return np.tanh(x) * x

    def vjp(x, g):
        t = np.tanh(x)
        return g * (t + x * (1 - t * t))

    x = np.random.default_rng(0).normal(size=(10, 10))
    assert check(f, vjp=vjp, examples=[(x,)]).ok


def test_a_derivative_without_a_formula_is_left_to_differences():
    def f(x):
        return special.zeta(x, 2.0)

    report = check(f, grad=lambda x: x, examples=[((),)], domain=[(1.5, 8.0)])
    assert report.verdict is Verdict.REFUTED


def test_a_domain_that_random_numbers_never_hit_is_found():
    class Log(Function):
        @staticmethod
        def forward(ctx, x):
            if not np.all(x > 1):
                raise ValueError("x must be larger than 1")
            ctx.save_for_backward(x)
            return np.log(x - 1)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad / (x - 1)

    class Wrong(Log):
        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad / x

    for seed in range(4):
        assert check(Log, seed=seed).ok
        assert check(Wrong, seed=seed).verdict is Verdict.REFUTED


def test_a_backward_that_raises_is_told_as_that():
    class Raises(Cube):
        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            if np.any(x < -3):
                raise ZeroDivisionError("negative")
            return 3 * grad * x**2

    report = check(Raises)
    assert report.verdict is Verdict.REFUTED
    assert np.isnan(report.counterexample.actual)
    x = float(report.counterexample.inputs["x"])
    assert report.counterexample.expected == 3 * x**2
    lines = str(report).splitlines()
    assert lines[0].endswith(
        "backward raises ZeroDivisionError where forward gives a finite value: negative"
    )
    assert f"# expected {3 * x**2}" in report.snippet


def test_a_jacobian_of_a_wrong_shape_is_not_said_to_raise():
    report = check(lambda x: x**2, jac=lambda x: 2 * x, examples=[((3,),)])
    assert report.verdict is Verdict.REFUTED
    assert "raises" not in str(report)
    assert "expected (3, 3), the shape of the output" in str(report)


def test_the_cell_is_told_without_what_is_implied():
    report = check(branch(lambda x: (x < 0) & (x < 100) & (x < -1), 2.0))
    assert report.conditions == ["x < -1"]
    assert report.cells["explored"] > 1


def test_formula_and_derivative():
    report = check(Cube)
    assert (report.formula, report.derivative) == ("x**3", "3*x**2")
    report = check(lambda x: np.exp(x).sum(), grad=np.exp, examples=[((2,),)])
    assert report.formula == "exp(x[0]) + exp(x[1])"


def test_a_function_of_built_in_functions_alone_is_said_to_be_one():
    assert "by hand" in check(lambda x: np.tanh(x).sum(), examples=[((2,),)]).notes[0]
    assert check(lambda x: Cube.apply(x).sum(), examples=[((2,),)]).notes == []


def test_arguments_that_make_no_sense():
    with pytest.raises(ValueError, match="2 entries for Cube, which takes 1 argument"):
        check(Cube, domain=[(0, 1), (0, 1)])
    with pytest.raises(TypeError, match="expected a list of argument tuples, got 'abc'"):
        check(Cube, examples="abc")
    with pytest.raises(TypeError, match="got 3"):
        check(Cube, examples=3)


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: np.cumsum(x), lambda x, g: np.cumsum(g)),
        (lambda x: np.diff(x, prepend=0.0), lambda x, g: np.diff(g, prepend=0.0)),
    ],
)
def test_a_jacobian_that_is_not_transposed(forward, backward):
    report = check(forward, vjp=lambda x, grad_output: backward(x, grad_output), examples=[((4,),)])
    assert report.verdict is Verdict.REFUTED
    assert report.diagnosis.startswith("the Jacobian is not transposed")


def test_a_gradient_of_nothing_that_nobody_asked_for_is_a_note():
    optimize = pytest.importorskip("scipy.optimize")
    report = check(optimize.rosen, grad=optimize.rosen_der)
    assert report.ok
    assert any(note.startswith("on empty arrays") for note in report.notes)
    asked = check(optimize.rosen, grad=optimize.rosen_der, examples=[((0,),), ((3,),)])
    assert asked.verdict is Verdict.REFUTED


def test_the_formula_of_an_array_is_not_that_of_one_entry():
    def softmax(x):
        e = np.exp(x)
        return e / e.sum()

    def vjp(x, grad_output):
        y = softmax(x)
        return y * (grad_output - (grad_output * y).sum())

    report = check(softmax, vjp=vjp, examples=[((1,),), ((3,),)])
    assert report.verdict is Verdict.PROVED
    assert "exp(x[2])" in report.formula
