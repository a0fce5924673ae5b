"""What a report says about other sizes than those of the examples, and when it says nothing."""

import numpy as np
import pytest
from scipy import special

from autodiff import Function
from tests.lies.case import all_cases
from verify import Verdict, check
from verify.domains import nonzero
from verify.evidence import every_size
from verify.examples import declared, guessed
from verify.report import text
from verify.subject import as_subject

# Right pairs: function, derivative, examples, and the shapes that the report names.


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(x, g):
    y = softmax(x)
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def logsumexp(x):
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def unit(x):
    return x / np.linalg.norm(x)


def unit_vjp(x, g):
    r = np.linalg.norm(x)
    return g / r - x * (x @ g) / r**3


def standardise(x):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-5)


def standardise_vjp(x, g):
    scale = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    y = standardise(x)
    return (g - g.mean(-1, keepdims=True) - y * (g * y).mean(-1, keepdims=True)) / scale


def cross_entropy(z, y):
    return -(y * log_softmax(z)).sum() / z.shape[0]


def cross_entropy_grad(z, y):
    p = special.softmax(z, axis=-1)
    return (p * y.sum(-1, keepdims=True) - y) / len(z), -log_softmax(z) / len(z)


def regression(w, x, y):
    return np.sum((x @ w - y) ** 2)


def regression_grad(w, x, y):
    r = x @ w - y
    return 2 * x.T @ r, 2 * np.outer(r, w), -2 * r


def ridge(w, x, y, strength):
    return np.mean((x @ w - y) ** 2) + strength * w @ w


def ridge_grad(w, x, y, strength):
    r = x @ w - y
    return (
        2 / len(y) * x.T @ r + 2 * strength * w,
        2 / len(y) * np.outer(r, w),
        -2 * r / len(y),
        w @ w,
    )


def rbf(x, y):
    return np.exp(-((x[:, None] - y[None, :]) ** 2) / 2).sum()


def rbf_grad(x, y):
    gap = x[:, None] - y[None, :]
    k = np.exp(-(gap**2) / 2)
    return -(k * gap).sum(1), (k * gap).sum(0)


def tutorial(x):
    return (3 * (x + 2) ** 2).mean()


PAIRS = {
    "sum": (np.sum, {"grad": lambda x: np.ones(x.shape)}, [((2, 3),)], "a (n, m)"),
    "mean": (
        lambda x: x.mean(),
        {"grad": lambda x: np.full_like(x, 1 / x.size)},
        [((3,),)],
        "x (n,)",
    ),
    "mean square": (
        lambda x: np.mean(x**2),
        {"grad": lambda x: 2 * x / x.size},
        [((2, 3),)],
        "x (n, m)",
    ),
    "the tutorial's": (tutorial, {"grad": lambda x: 6 * (x + 2) / x.size}, [((2, 2),)], "x (n, m)"),
    "dot": (lambda x, y: x @ y, {"grad": lambda x, y: (y, x)}, [((3,), (3,))], "x (n,), y (n,)"),
    "matmul": (
        lambda a, b: a @ b,
        {"vjp": lambda a, b, g: (g @ b.T, a.T @ g)},
        [((2, 3), (3, 2))],
        "a (n, m), b (m, k)",
    ),
    "matmul, swapped": (
        lambda a, b: b @ a,
        {"vjp": lambda a, b, g: (b.T @ g, g @ a.T)},
        [((3, 2), (2, 3))],
        "a (n, m), b (k, n)",
    ),
    "softmax": (softmax, {"vjp": softmax_vjp}, [((2, 2),)], "x (n, m)"),
    "log-softmax": (
        log_softmax,
        {"vjp": lambda x, g: g - special.softmax(x, -1) * g.sum(-1, keepdims=True)},
        [((3,),)],
        "x (n,)",
    ),
    "logsumexp": (logsumexp, {"grad": lambda x: special.softmax(x)}, [((3,),)], "x (n,)"),
    "L2 norm": (
        lambda x: np.sqrt((x**2).sum()),
        {"grad": unit, "domain": {"x": nonzero}},
        [((3,),)],
        "x (n,)",
    ),
    "a unit vector": (unit, {"vjp": unit_vjp}, [((3,),)], "x (n,)"),
    "variance": (np.var, {"grad": lambda x: 2 * (x - x.mean()) / x.size}, [((3,),)], "a (n,)"),
    "layer norm": (standardise, {"vjp": standardise_vjp}, [((2, 3),)], "x (n, m)"),
    "cross-entropy": (
        cross_entropy,
        {"grad": cross_entropy_grad},
        [((2, 2), (2, 2))],
        "z (n, m), y (n, m)",
    ),
    "regression": (
        regression,
        {"grad": regression_grad},
        [((2,), (3, 2), (3,))],
        "w (n,), x (m, n), y (m,)",
    ),
    "ridge": (
        ridge,
        {"grad": ridge_grad},
        [((2,), (3, 2), (3,), ())],
        "w (n,), x (m, n), y (m,), strength ()",
    ),
    "a quadratic form": (
        lambda x, a: x @ a @ x,
        {"grad": lambda x, a: ((a + a.T) @ x, np.outer(x, x))},
        [((2,), (2, 2))],
        "x (n,), a (n, n)",
    ),
    "trace of a product": (
        lambda a, b: np.trace(a @ b),
        {"grad": lambda a, b: (b.T, a.T)},
        [((2, 3), (3, 2))],
        "a (n, m), b (m, n)",
    ),
    "RBF": (rbf, {"grad": rbf_grad}, [((2,), (3,))], "x (n,), y (m,)"),
    "a Jacobian": (
        lambda x: x * x.sum(),
        {"jac": lambda x: x[:, None] + np.eye(len(x)) * x.sum()},
        [((3,),)],
        "x (n,)",
    ),
}


@pytest.mark.parametrize(
    ("function", "derivative", "examples", "shapes"), PAIRS.values(), ids=PAIRS.keys()
)
def test_a_right_pair_is_proved_at_every_size(function, derivative, examples, shapes):
    report = check(function, examples=examples, **derivative)
    assert report.verdict is Verdict.PROVED, str(report)
    assert report.scope == f"at every size: {shapes}"


# The same at the sizes of the examples, and wrong (or not known) elsewhere.

ONES = np.ones(3)

TWINS = {
    "a number for the size": (np.mean, lambda x: np.ones_like(x) / 3),
    "one less than another number": (
        np.var,
        lambda x: 2 * (x - x.mean()) / (7 - x.size + 1) * 5 / 3,
    ),
    "a branch on the size": (np.sum, lambda x: np.ones_like(x) * (1 if x.size <= 5 else 2)),
    "an array of the right shape": (np.sum, lambda x: ONES),
    "an array made on the spot": (np.sum, lambda x: np.ones(3)),
    "a power of the size": (np.mean, lambda x: np.ones_like(x) * x.size / 9),
    "the parity of the size": (np.sum, lambda x: np.ones_like(x) * (1 if len(x) % 2 else 3)),
    "a loop": (np.sum, lambda x: np.array([1.0 for _ in range(3)])),
}


@pytest.mark.parametrize(("function", "grad"), TWINS.values(), ids=TWINS.keys())
def test_no_mistake_at_other_sizes_is_proved_for_them(function, grad):
    subject = as_subject(function, grad=grad)
    [example] = declared(subject, [((3,),)], None)
    assert every_size.scope(subject, [example]) is None
    report = check(function, grad=grad, examples=[((3,),)])
    assert not (report.scope or "").startswith("at every")


def test_a_wrong_axis_that_a_square_hides():
    def columns(x, g):
        return np.broadcast_to(g, x.shape)

    subject = as_subject(lambda x: x.sum(axis=1), vjp=columns)
    [example] = declared(subject, [((3, 3),)], None)
    assert every_size.scope(subject, [example]) is None


# Reports


class Centre(Function):
    """The deviations from the mean."""

    examples = [((3,), {}), ((2, 3), {"axis": -1}), ((), {}), ((1, 2), {"axis": 0})]

    @staticmethod
    def forward(ctx, x, *, axis=None):
        ctx.axis = axis
        return x - x.mean(axis=axis, keepdims=True)

    @staticmethod
    def backward(ctx, grad):
        return grad - grad.mean(axis=ctx.axis, keepdims=True)


def test_each_rank_and_each_keyword_is_named():
    report = check(Centre)
    assert report.scope == "at every size: x (); x (1, n), axis=0; x (n,); x (n, m), axis=-1"
    assert "every size" in text.render(report, verbose=False)


def test_ties_are_said_to_be_no_part_of_it():
    report = check(
        lambda x: np.abs(x).sum(), grad=lambda x: np.sign(x), examples=[((2,),), ((2, 2),)]
    )
    assert report.verdict is Verdict.PROVED
    assert report.scope == "at every size, ties aside: x (n,); x (n, m)"
    assert "every size" in text.render(report, verbose=False)


def test_one_example_without_such_a_proof_leaves_the_shapes():
    report = check(
        lambda x: (x * x).sum(),
        grad=lambda x: 2 * x if x.ndim == 1 else np.array([[2 * v for v in row] for row in x]),
        examples=[((3,),), ((2, 2),)],
    )
    assert report.scope == "at x (3,); x (2, 2)"


def test_an_elementwise_function_still_holds_at_every_shape():
    report = check(lambda x: x**3, vjp=lambda x, g: 3 * g * x**2)
    assert report.scope == "at every shape"


def test_a_higher_order_is_proved_at_the_shapes_alone():
    assert check(Centre, order=2).scope.startswith("at x ()")


def test_nothing_is_said_of_float32():
    report = check(np.sum, grad=lambda x: np.ones_like(x), examples=[(np.ones(3, np.float32),)])
    assert not report.scope.startswith("at every size")


def test_what_the_code_prints_is_not_shown_again(capsys):
    def grad(x):
        print("hello")
        return np.ones_like(x)

    subject = as_subject(np.sum, grad=grad)
    assert every_size.scope(subject, declared(subject, [((3,),)], None)) == "at every size: a (n,)"
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_no_algebraic_lie_is_proved_at_every_size():
    """Straight, without the evidence that would refute it first."""
    tried = 0
    for case in all_cases():
        if case.lie is None or case.kind != "algebra":
            continue
        options = case.options_of_lie()
        given = {k: options.get(k) for k in ("grad", "vjp", "jac")}
        subject = as_subject(case.lie, **given)
        domain = options.get("domain")
        examples = declared(subject, options.get("examples"), domain)
        examples = examples or guessed(subject, domain, np.random.default_rng(0))[0]
        assert every_size.scope(subject, examples) is None, case.name
        tried += 1
    assert tried > 100
