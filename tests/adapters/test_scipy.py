"""Pairs of fun and jac as SciPy takes them; scikit-learn's and statsmodels' through register."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, sparse

from verify import check, check_module
from verify.verdict import Verdict

EXAMPLES = Path(__file__).parents[2] / "examples"


def quadratic(x, A, b):
    return 0.5 * x @ A @ x - b @ x


def quadratic_jac(x, A, b):
    return 0.5 * (A + A.T) @ x - b


def quadratic_hess(x, A, b):
    return 0.5 * (A + A.T)


DATA = (np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.0, -2.0]))


def test_a_pair_with_data_and_its_hessian_is_proved():
    report = check(quadratic, jac=quadratic_jac, hess=quadratic_hess, args=DATA, examples=[((2,),)])
    assert report.verdict is Verdict.PROVED, str(report)
    assert "hess was checked" in str(report.notes)


def test_shapes_are_found_by_trying():
    assert check(quadratic, jac=quadratic_jac, args=DATA).verdict is Verdict.PROVED


def test_rosenbrock_of_scipy():
    report = check(optimize.rosen, jac=optimize.rosen_der, hess=optimize.rosen_hess,
                   examples=[((3,),)])  # fmt: skip
    assert report.verdict is Verdict.VERIFIED, str(report)  # SciPy's own code is not traced


@pytest.mark.parametrize(
    "jac",
    [
        lambda x, A, b: -quadratic_jac(x, A, b),
        lambda x, A, b: (1 + 1e-7) * quadratic_jac(x, A, b),
        lambda x, A, b: A @ x - b,
        lambda x, A, b: quadratic_jac(np.maximum(x, -1), A, b),
    ],
    ids=["sign", "factor", "not_symmetric", "branch"],
)
def test_wrong_gradients_are_refuted(jac):
    report = check(quadratic, jac=jac, args=DATA, examples=[((2,),)])
    assert report.verdict is Verdict.REFUTED


def test_a_wrong_hessian_is_refuted_by_name():
    report = check(
        quadratic, jac=quadratic_jac, hess=lambda x, A, b: A, args=DATA, examples=[((2,),)]
    )
    assert report.verdict is Verdict.REFUTED
    assert report.name == "quadratic: hess"


def test_value_and_gradient_in_one():
    def both(x):
        return np.sum(np.cosh(x)), np.sinh(x)

    def wrong(x):
        return np.sum(np.cosh(x)), np.cosh(x)

    assert check(both, jac=True).verdict is Verdict.PROVED
    assert check(wrong, jac=True).verdict is Verdict.REFUTED


def residuals(x):
    return np.array([x[0] ** 2 - x[1], x[0] * x[1], np.sin(x[1])])


def rows(x):
    return [[2 * x[0], -1.0], [x[1], x[0]], [0.0, np.cos(x[1])]]


def test_a_jacobian_matrix_and_a_sparse_one():
    assert check(residuals, jac=rows, examples=[((2,),)]).verdict is Verdict.PROVED
    report = check(residuals, jac=lambda x: sparse.csr_array(rows(x)), examples=[((2,),)])
    assert report.verdict is Verdict.VERIFIED  # a sparse matrix holds floats alone

    def transposed(x):
        return sparse.csr_array(np.array(rows(x)) * [[1, 1], [1, -1], [1, 1]])

    assert check(residuals, jac=transposed, examples=[((2,),)]).verdict is Verdict.REFUTED


def test_hess_without_jac_is_turned_down():
    with pytest.raises(TypeError, match="go with jac="):
        check(quadratic, hess=quadratic_hess)


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_statsmodels_score_and_hessian():
    pytest.importorskip("statsmodels")
    reports = check_module(load("statsmodels_logit"))
    assert len(reports) == 4
    assert all(r.ok for r in reports), [str(r) for r in reports if not r.ok]


def test_sklearn_kernels():
    pytest.importorskip("sklearn")
    reports = check_module(load("sklearn_kernel"))
    assert len(reports) == 5
    assert all(r.ok for r in reports), [str(r) for r in reports if not r.ok]
