"""NumPy's array functions on traced arrays against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.spatial import distance

from symbolic.tracing import trace
from tests.symbolic.traces import agrees, parts

RNG = np.random.default_rng(7)
X = RNG.normal(size=(3, 4))
A, B = RNG.normal(size=(2, 5))

REDUCTIONS = [
    np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.median, np.ptp, np.nansum,
    np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod, np.argmax, np.argmin,
    np.nanargmax, np.all, np.any, np.count_nonzero, np.average, np.linalg.norm, np.nanmedian,
    special.logsumexp,
]  # fmt: skip
ONE_AXIS = {np.argmax, np.argmin, np.nanargmax}


def shapes():
    return st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_reductions(function, data):
    shape = data.draw(shapes())
    array = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=shape)
    axes = st.sets(st.integers(0, len(shape) - 1), min_size=1, max_size=2).map(tuple)
    one = st.integers(-len(shape), len(shape) - 1)
    axis = data.draw(one if function in ONE_AXIS else st.one_of(st.none(), one, axes))
    keepdims = data.draw(st.booleans())
    extra = {"keepdims": True} if keepdims else {}
    if function is np.var or function is np.std:
        extra["ddof"] = data.draw(st.sampled_from([0, 1]))
    agrees(lambda x: function(x, axis=axis, **extra), array)


@pytest.mark.parametrize("method", ["sum", "mean", "var", "std", "prod", "max", "min"])
def test_reductions_of_a_part(method):
    keep = X > -0.3
    extra = {"initial": 0.1} if method in ("max", "min") else {}
    agrees(lambda x: getattr(np, method)(x, axis=1, where=keep, **extra), X)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize(
    "function",
    [
        np.cumsum,
        np.cumprod,
        np.sort,
        np.argsort,
        np.nancumsum,
        special.softmax,
        special.log_softmax,
    ],
    ids=lambda f: f.__name__,
)
def test_along_an_axis(function, axis):
    agrees(lambda x: function(x, axis=axis), X)


METHODS = ["linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull"]


@pytest.mark.parametrize("method", [*METHODS, "median_unbiased", "normal_unbiased"])
def test_quantiles(method):
    agrees(lambda x: np.quantile(x, [0.1, 0.35, 0.5, 0.77, 1.0], method=method), A)
    agrees(lambda x: np.percentile(x, 30, axis=1, keepdims=True, method=method), X)


UNARY = {
    "diff": np.diff,
    "gradient": np.gradient,
    "gradient edges": lambda x: np.gradient(x, 0.5, edge_order=2),
    "flip": np.flip,
    "ravel": np.ravel,
    "transpose": np.transpose,
    "tril": np.tril,
    "triu": lambda x: np.triu(x, 1),
    "diag": np.diag,
    "diagonal": np.diagonal,
    "trace": np.trace,
    "rot90": np.rot90,
    "nan_to_num": np.nan_to_num,
    "round": lambda x: np.round(x, 1),
    "fix": np.fix,
    "sinc": np.sinc,
    "unique": np.unique,
    "cov": np.cov,
    "corrcoef": np.corrcoef,
    "cov of columns": lambda x: np.cov(x, rowvar=False, bias=True),
    "cov weighted": lambda x: np.cov(x, aweights=np.arange(1.0, 5)),
    "copy": np.copy,
    "trapezoid": np.trapezoid,
    "trapezoid over x": lambda x: np.trapezoid(x, [0, 1, 3, 4], axis=1),
    "nonzero": np.nonzero,
    "i0": np.i0,
    "unwrap": lambda x: np.unwrap(5 * x),
    "zeros_like": np.zeros_like,
    "full_like": lambda x: np.full_like(x, x[0, 0]),
    "vsplit": lambda x: np.vsplit(x, 3),
    "array_split": lambda x: np.array_split(x, 3, axis=1),
    "pad": lambda x: np.pad(x, 1),
    "pad reflect": lambda x: np.pad(x, 1, mode="reflect"),
    "pad edge": lambda x: np.pad(x, (1, 2), mode="edge"),
    "pad wrap": lambda x: np.pad(x, 1, mode="wrap"),
    "roll": lambda x: np.roll(x, 2, axis=1),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, [1, 0, 2], axis=0),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "delete": lambda x: np.delete(x, 1, axis=1),
    "insert": lambda x: np.insert(x, 1, x[:, 0], axis=1),
    "take": lambda x: np.take(x, [2, 0], axis=0),
    "compress": lambda x: np.compress([True, False, True], x, axis=0),
    "extract": lambda x: np.extract(x > 0, x),
    "partition": lambda x: np.sort(np.partition(x, 2, axis=1)[:, :3], axis=1),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda v: v * v.sum(), 0, x),
    "apply_along_axis to numbers": lambda x: np.apply_along_axis(lambda v: v.max(), 1, x),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x, [0, 1]),
    "angle": lambda x: np.angle(x + 1j * x[::-1]),
    "cumulative_sum": lambda x: np.cumulative_sum(x, axis=1),
    "isneginf": np.isneginf,
    "argwhere": lambda x: np.argwhere(x > 0),
    "histogram": lambda x: np.histogram(x, bins=[-3, 0, 1, 3])[0],
    "piecewise": lambda x: np.piecewise(x, [x < 0, x > 1], [np.exp, lambda v: v**2, 0.5]),
    "take_along_axis": lambda x: np.take_along_axis(x, np.argmax(x, 1, keepdims=True), 1),
    "matrix_transpose": np.matrix_transpose,
    "squeeze": lambda x: np.squeeze(x[:, :1]),
    "block": lambda x: np.block([[x, x], [x, np.ones((3, 4))]]),
    "einsum trace": lambda x: np.einsum("ii->i", x[:, :3]),
}


@pytest.mark.parametrize("name", UNARY)
def test_one_array(name):
    agrees(UNARY[name], X)


BINARY = {
    "outer": np.outer,
    "inner": np.inner,
    "dot": np.dot,
    "vdot": np.vdot,
    "kron": np.kron,
    "cross": lambda a, b: np.cross(a[:3], b[:3]),
    "stack": lambda a, b: np.stack([a, b], axis=1),
    "stack of lists": lambda a, b: np.stack([[a[0], b[1]], a[:2]]),
    "concatenate": lambda a, b: np.concatenate([a, [1.0], b]),
    "column_stack": lambda a, b: np.column_stack([a, b]),
    "vstack": lambda a, b: np.vstack([a, b]),
    "dstack": lambda a, b: np.dstack([a, b]),
    "append": np.append,
    "meshgrid": np.meshgrid,
    "where": lambda a, b: np.where(a > b, a, b),
    "where scalar": lambda a, b: np.where(a > b, a, 0),
    "select": lambda a, b: np.select([a > b, a < -b], [a, b], 0.5),
    "choose": lambda a, b: np.choose([0, 1, 0, 1, 1], [a, b]),
    "clip": lambda a, b: np.clip(a, -0.5, np.abs(b)),
    "tensordot": lambda a, b: np.tensordot(a, b, 0),
    "einsum outer": lambda a, b: np.einsum("i,j->ij", a, b),
    "einsum inner": lambda a, b: np.einsum("i,i", a, b),
    "einsum chain": lambda a, b: np.einsum(
        "ij,jk,kl->il", np.outer(a, b), np.outer(b, b), np.outer(a, a), optimize=True
    ),
    "matmul": lambda a, b: np.matmul(np.outer(a, b), b),
    "vecdot": lambda a, b: np.vecdot(a, b),
    "polyval": np.polyval,
    "polyfit": lambda a, b: np.polyfit(a, b, 2),
    "vander": lambda a, b: np.vander(a, 3),
    "isclose": np.isclose,
    "allclose": np.allclose,
    "array_equal": lambda a, b: (np.array_equal(a, b), np.array_equal(a, a)),
    "average": lambda a, b: np.average(a, weights=np.abs(b)),
    "searchsorted": lambda a, b: np.searchsorted(np.sort(a), b),
    "searchsorted right": lambda a, b: np.searchsorted(np.sort(a), a, side="right"),
    "digitize": lambda a, b: np.digitize(a, np.sort(b)),
    "digitize down": lambda a, b: np.digitize(a, np.sort(b)[::-1], right=True),
    "interp": lambda a, b: np.interp(a, np.sort(b), a),
    "interp ends": lambda a, b: np.interp(3 * a, np.sort(b), a, left=-9.0, right=9.0),
    "cov": np.cov,
    "linspace": lambda a, b: np.linspace(a, b, 4),
    "logspace": lambda a, b: np.logspace(a[0], b[0], 3),
    "geomspace": lambda a, b: np.geomspace(abs(a[0]), abs(b[0]), 4),
    "gradient uneven": np.gradient,
    "lexsort": lambda a, b: np.lexsort((a, b)),
    "bincount": lambda a, b: np.bincount([0, 1, 1, 2, 0], weights=a, minlength=5),
    "broadcast_arrays": lambda a, b: np.broadcast_arrays(a, b[:, None]),
    "r_ and c_": lambda a, b: (np.r_[a, 1.0, b[0]], np.c_[a, b]),
    "vectorize": lambda a, b: np.vectorize(lambda u, v: u * v if u > v else u)(a, b),
    "sum of a list": lambda a, b: np.sum([u * v for u, v in zip(a, b, strict=True)]),
    "maximum of a list": lambda a, b: np.max([a[0], b[1], 0.25]),
    "mean of lists": lambda a, b: np.mean([a, b], axis=0),
    "fromiter": lambda a, b: np.fromiter((u for u in a), float),
    "float64": lambda a, b: np.float64(a[0]) * np.asarray(b, dtype=np.float64),
    "float": lambda a, b: np.array([float(v) for v in a]) + np.array(list(map(float, b))),
    "tolist": lambda a, b: np.array(a.tolist()) * b,
    "python builtins": lambda a, b: max(a) * min(b) + sum(a) + abs(a[0]) + sorted(b)[1],
    "complex": lambda a, b: parts((a + 1j * b) ** 2 / (1 + 1j * a)),
    "nansum with a nan": lambda a, b: np.nansum(np.where(a > 0, a, np.nan)),
    "nanmean with a nan": lambda a, b: np.nanmean(np.where(a > 0, a, np.nan)),
    "xp": lambda a, b: np.linalg.vector_norm(a) + np.linalg.norm(b, 1),
}


@pytest.mark.parametrize("name", BINARY)
def test_two_arrays(name):
    agrees(BINARY[name], A, B)


@pytest.mark.parametrize(
    "function",
    [
        special.softmax,
        special.log_softmax,
        special.logsumexp,
        lambda x: special.logsumexp(x, b=np.arange(1.0, 6)),
        lambda x: special.polygamma(2, np.exp(x)),
        lambda x: special.multigammaln(np.exp(x[0]) + 2, 3),
        lambda x: special.factorial(np.exp(x)),
        lambda x: special.comb(5.0, np.exp(x)),
        lambda x: special.zeta(np.exp(x) + 1.5),
        lambda x: special.zeta(np.exp(x) + 1.5, 2.0),
        lambda x: special.softplus(x),
        lambda x: special.sinc(x),
    ],
)
def test_scipy_special_functions_in_python(function):
    agrees(function, A)


def test_gradients_of_softmax_are_exact_for_large_arguments():
    t = trace(lambda x: special.softmax(x), [np.array([1000.0, 999.0])])
    np.testing.assert_allclose(t.values[0], special.softmax([1000.0, 999.0]))


ITERATING = {
    "ndenumerate": lambda x: np.array([(i + 1) * (j + 2) * v for (i, j), v in np.ndenumerate(x)]),
    "ndindex": lambda x: np.array([x[i] ** 2 for i in np.ndindex(x.shape)]),
    "nditer": lambda x: np.array([v * 2 for v in np.nditer(x)]),
    "sliding_window_view": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1).sum(-1),
    "as_strided": lambda x: np.lib.stride_tricks.as_strided(x, (2, 2, 2), (*x.strides, 8)),
    "polyval": lambda x: np.polynomial.polynomial.polyval(x, [1.0, 2.0, 3.0]),
    "polyval of traced": lambda x: np.polynomial.polynomial.polyval(0.5, x[0]),
    "cdist": lambda x: distance.cdist(x, x[:2] + 1),
    "cdist cityblock": lambda x: distance.cdist(x, x[:2] + 1, "cityblock"),
    "pdist": lambda x: distance.pdist(x, "sqeuclidean"),
    "squareform": lambda x: distance.squareform(distance.pdist(x)),
    "euclidean": lambda x: distance.euclidean(x[0], x[1]) + distance.cosine(x[0], x[2]),
}


@pytest.mark.parametrize("name", ITERATING)
def test_iterators_windows_and_distances(name):
    agrees(ITERATING[name], X)


def test_nditer_writes():
    def call(x):
        out = x.copy()
        for v in np.nditer(out, op_flags=["readwrite"]):
            v[...] = v**2
        return out

    agrees(call, X)


def test_writing_functions():
    def call(a, b):
        out = np.zeros((5, 5))
        np.fill_diagonal(out, a)
        np.put(out, [1, 7], b[:2])
        np.place(out, out == 0, [0.5])
        np.copyto(out[4], b, where=b > 0)
        np.put_along_axis(out, np.array([[2], [0], [1], [3], [0]]), a[:, None], axis=1)
        np.add.at(out, ([0, 0], [1, 1]), b[:2])
        out[3:, :2] *= 2
        return out

    agrees(call, A, B)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_broadcasting(data):
    shape = data.draw(shapes())
    other = tuple(data.draw(st.sampled_from([1, n])) for n in shape)
    other = other[data.draw(st.integers(0, len(other))) :]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    agrees(
        lambda x, y: (x * y - y / x, np.hypot(y, x)), rng.normal(size=shape), rng.normal(size=other)
    )


@pytest.mark.parametrize("constant", [-1000.0, -720.0, 750.0, -1e30])
def test_a_number_among_exponents_is_exact(constant):
    """``exp(-1000)`` is zero in floats alone: beside a term as small it is half of the sum."""
    from scipy import special

    from verify import check

    mask = np.array([True, False])

    def total(x):
        return special.logsumexp(np.where(mask, x, constant))

    def share(x):
        return special.softmax(np.where(mask, x, constant)) * mask

    for function, right in (
        (lambda x: np.logaddexp(x[0], constant), share),
        (total, share),
    ):
        report = check(function, grad=right, examples=[((2,),)])
        assert report.ok, str(report)
        if abs(constant) > 1e6:  # it stands for infinity, see below
            continue
        report = check(function, grad=lambda x: 1.0 * mask * (constant < 0), examples=[((2,),)])
        assert not report.ok, str(report)


@pytest.mark.parametrize("right", [True, False])
def test_a_huge_number_among_exponents_stands_for_infinity(right):
    """A masked score: the part of it is zero, in the proof and wherever scores are smaller."""
    from scipy import special

    from verify import check

    mask = np.tri(2, dtype=bool)

    def attention(q, k, v):
        return special.softmax(np.where(mask, np.outer(q, k), -1e9), axis=1) @ v

    def vjp(q, k, v, grad_output):
        p = special.softmax(np.where(mask, np.outer(q, k), -1e9), axis=1)
        slope = np.outer(grad_output, v)
        scores = p * (slope - (p * slope).sum(axis=1, keepdims=True))
        return scores @ k, scores.T @ q * (1.0 if right else 1 + 1e-7), p.T @ grad_output

    report = check(attention, vjp=vjp, examples=[((2,), (2,), (2,))])
    assert report.ok is right, str(report)
    if right:
        assert report.verdict.value == "proved"
        assert any("stands for minus infinity" in note for note in report.notes)


@pytest.mark.parametrize("right", [True, False])
def test_a_date_among_exponents_masks_nothing(right):
    from verify import check

    def decay(t):
        return np.exp(t - 2450000.0)

    report = check(decay, grad=lambda t: decay(t) * (1.0 if right else 0.0), examples=[((),)])
    assert report.ok is right, str(report)
