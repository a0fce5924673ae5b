"""The distributions: values as SciPy's, gradients as finite differences of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats as scipy_stats

import autodiff as ad

X = np.array([0.3, 1.5, 2.25])
UNIT = np.array([0.2, 0.5, 0.85])
COV = np.array([[2.0, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1.0]])

# distribution, methods, arguments, how many of them are differentiated by every method, by the rest
CASES = {
    "norm": (["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"], (X, 0.5, 1.25), (0, 1, 2)),
    "t pdf": (["pdf", "logpdf"], (X, 3.5, 0.25, 2.0), (0, 1, 2, 3)),
    "t cdf": (["cdf", "sf", "logcdf"], (X, 3.5, 0.25, 2.0), (0, 2, 3)),
    "gamma pdf": (["pdf", "logpdf"], (X, 2.5, 0.0, 1.5), (0, 1, 3)),
    "gamma cdf": (["cdf", "sf"], (X, 2.5, 0.0, 1.5), (0, 3)),
    "chi2 pdf": (["pdf", "logpdf"], (X, 3.5), (0, 1)),
    "chi2 cdf": (["cdf", "sf"], (X, 3.5), (0,)),
    "beta pdf": (["pdf", "logpdf"], (UNIT, 2.5, 1.5), (0, 1, 2)),
    "beta cdf": (["cdf"], (UNIT, 2.5, 1.5), (0,)),
    "poisson": (["pmf", "logpmf", "cdf", "sf"], (np.array([0.0, 2.0, 5.0]), 1.75), (1,)),
    "multivariate_normal": (["pdf", "logpdf"], (np.stack([X, UNIT]), UNIT, COV), (0, 1)),
}
ALL = [(name, method) for name, (methods, *_) in CASES.items() for method in methods]


def difference(function, args, k, h=1e-6):
    out = np.zeros(np.shape(args[k]))
    for place in np.ndindex(out.shape):
        ends = []
        for sign in (1, -1):
            moved = np.array(args[k], float)
            moved[place] += sign * h
            ends.append(np.sum(function(*args[:k], moved, *args[k + 1 :])))
        out[place] = (ends[0] - ends[1]) / (2 * h)
    return out


@pytest.mark.parametrize(("name", "method"), ALL)
def test_as_in_scipy(name, method):
    _, args, differentiated = CASES[name]
    ours = getattr(getattr(ad.stats, name.split()[0]), method)
    theirs = getattr(getattr(scipy_stats, name.split()[0]), method)
    tensors = [
        ad.tensor(a, requires_grad=True) if i in differentiated else a for i, a in enumerate(args)
    ]
    out = ours(*tensors)
    np.testing.assert_allclose(out.detach().numpy(), theirs(*args), rtol=1e-13)
    grads = ad.grad(out.sum(), [tensors[i] for i in differentiated])
    for i, grad in zip(differentiated, grads, strict=True):
        np.testing.assert_allclose(grad.numpy(), difference(theirs, args, i), rtol=1e-6, atol=1e-8)


def test_the_quantile_undoes_the_distribution_function():
    q = ad.tensor(UNIT, requires_grad=True)
    x = ad.stats.norm.ppf(q, 0.5, 2.0)
    np.testing.assert_allclose(ad.stats.norm.cdf(x, 0.5, 2.0).detach().numpy(), UNIT, rtol=1e-14)
    (slope,) = ad.grad(x.sum(), q)
    density = scipy_stats.norm.pdf(x.detach().numpy(), 0.5, 2.0)
    np.testing.assert_allclose(slope.numpy(), 1 / density, rtol=1e-13)


def test_dirichlet():
    x, alpha = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.5, 0.75])
    tensors = [ad.tensor(x, requires_grad=True), ad.tensor(alpha, requires_grad=True)]
    out = ad.stats.dirichlet.pdf(*tensors)
    assert out.item() == pytest.approx(scipy_stats.dirichlet.pdf(x, alpha), rel=1e-13)
    of_x, of_alpha = ad.grad(ad.stats.dirichlet.logpdf(*tensors), tensors)
    np.testing.assert_allclose(of_x.numpy(), (alpha - 1) / x)
    np.testing.assert_allclose(
        of_alpha.numpy(),
        difference(lambda a: scipy_stats.dirichlet.logpdf(x, a), [alpha], 0),
        rtol=1e-7,
    )


def test_the_covariance_and_the_entropy():
    cov = ad.tensor(COV, requires_grad=True)
    (g,) = ad.grad(ad.stats.multivariate_normal.entropy(UNIT, cov), cov)
    np.testing.assert_allclose(g.numpy(), np.linalg.inv(COV) / 2, rtol=1e-12)
    (g,) = ad.grad(ad.stats.multivariate_normal.logpdf(X, UNIT, cov), cov)
    solved = np.linalg.solve(COV, X - UNIT)
    np.testing.assert_allclose(
        g.numpy(), (np.outer(solved, solved) - np.linalg.inv(COV)) / 2, rtol=1e-12
    )
    with pytest.raises(NotImplementedError, match="allow_singular"):
        ad.stats.multivariate_normal.pdf(X, UNIT, COV, allow_singular=True)


@pytest.mark.parametrize(
    ("function", "args"),
    [("gamma.cdf", (1,)), ("chi2.sf", (1,)), ("t.cdf", (1,)), ("beta.cdf", (0.5, 1))],
)
def test_a_derivative_that_nobody_knows_raises(function, args):
    name, method = function.split(".")
    shape = ad.tensor(2.5, requires_grad=True)
    with pytest.raises(NotImplementedError, match=f"{function} in its parameter"):
        getattr(getattr(ad.stats, name), method)(*args[:1], shape, *args[1:])


def test_outside_the_support():
    x = ad.tensor([-1.0, 0.5], requires_grad=True)
    out = ad.stats.gamma.logpdf(x, 2.5)
    assert out[0].item() == -np.inf
    out[1].backward()
    assert np.all(np.isfinite(x.grad.numpy()))
    assert x.grad[0].item() == 0
    assert ad.stats.beta.pdf(ad.tensor([1.5, -0.5]), 2.0, 2.0).tolist() == [0.0, 0.0]
    assert ad.stats.gamma.sf(ad.tensor(-1.0), 2.5).item() == 1.0


def test_scipy_is_imported_when_a_value_is_computed():
    code = "import sys, autodiff; autodiff.stats.norm; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
