"""Probability distributions of tensors, by the names of ``scipy.stats``.

Each distribution is a class of static methods, never instantiated: ``stats.norm.logpdf(x, loc,
scale)``. SciPy's own functions turn their arguments into arrays and so lose the graph; these build
on the built-in Functions. SciPy is imported when the first value is computed.

Where the derivative of a distribution function in a shape is not known, asking for it raises a
NotImplementedError.

Examples
--------
>>> import autodiff as ad
>>> x = ad.tensor([-1.0, 1.0], requires_grad=True)
>>> out = ad.stats.norm.logpdf(x, 0.0, 2.0)
>>> out
tensor([-1.7371, -1.7371], grad_fn=<SubBackward>)
>>> out.sum().backward()
>>> x.grad
tensor([ 0.2500, -0.2500])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import functions as _functions
from autodiff.functions._public import constant, operand
from autodiff.functions.inverse import slogdet
from autodiff.tensor import Tensor

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]

F: Any = _functions
_HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2


def _standard(x: Any, loc: Any, scale: Any) -> Any:
    return (operand(x) - loc) / scale


def _log(scale: Any) -> Any:
    return F.log(operand(scale))


def _inside(x: Any, low: float, high: float, fill: float, rule: Callable[[Any], Any]) -> Any:
    """Apply a rule to points inside an open interval, and give `fill`, a constant, outside."""
    x = operand(x)
    values = getattr(x, "_data", x)
    outside = (values <= low) | (values >= high)
    if not np.any(outside):
        return rule(x)
    middle = 1.0 if high == math.inf else (low + high) / 2
    return F.where(outside, fill, rule(F.where(outside, middle, x)))


class norm:
    """The normal distribution of mean `loc` and standard deviation `scale`."""

    @staticmethod
    def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the density."""
        return F.NormPdf.apply(_standard(x, loc, scale)) / scale  # type: ignore[no-any-return]

    @staticmethod
    def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the density."""
        z = _standard(x, loc, scale)
        return -0.5 * (z * z) - _HALF_LOG_TWO_PI - _log(scale)  # type: ignore[no-any-return]

    @staticmethod
    def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of at most `x`."""
        return F.ndtr(_standard(x, loc, scale))  # type: ignore[no-any-return]

    @staticmethod
    def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of more than `x`."""
        return F.ndtr(-_standard(x, loc, scale))  # type: ignore[no-any-return]

    @staticmethod
    def logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the probability of at most `x`."""
        return F.log_ndtr(_standard(x, loc, scale))  # type: ignore[no-any-return]

    @staticmethod
    def logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the probability of more than `x`."""
        return F.log_ndtr(-_standard(x, loc, scale))  # type: ignore[no-any-return]

    @staticmethod
    def ppf(q: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the quantile: the inverse of `cdf`."""
        return F.ndtri(operand(q)) * scale + loc  # type: ignore[no-any-return]


class t:
    """Student's t distribution with `df` degrees of freedom."""

    @staticmethod
    def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the density."""
        return F.TPdf.apply(_standard(x, loc, scale), operand(df)) / scale  # type: ignore[no-any-return]

    @staticmethod
    def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the density."""
        z = _standard(x, loc, scale)
        return F.TLogpdf.apply(z, operand(df)) - _log(scale)  # type: ignore[no-any-return]

    @staticmethod
    def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of at most `x`, for a constant `df`."""
        df = constant("t.cdf", "df", df)
        return F.TCdf.apply(_standard(x, loc, scale), df=df)  # type: ignore[no-any-return]

    @staticmethod
    def sf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of more than `x`, for a constant `df`."""
        df = constant("t.sf", "df", df)
        return F.TCdf.apply(-_standard(x, loc, scale), df=df)  # type: ignore[no-any-return]

    @staticmethod
    def logcdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the probability of at most `x`, for a constant `df`."""
        return F.log(t.cdf(x, df, loc, scale))  # type: ignore[no-any-return]


class gamma:
    """The gamma distribution of shape `a`."""

    @staticmethod
    def pdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the density; 0 of what is not positive."""
        z = _standard(x, loc, scale)
        return _inside(z, 0, math.inf, 0.0, lambda z: F.GammaPdf.apply(z, operand(a))) / scale  # type: ignore[no-any-return]

    @staticmethod
    def logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the density; minus infinity of what is not positive."""
        z = _standard(x, loc, scale)
        out = _inside(z, 0, math.inf, -math.inf, lambda z: F.GammaLogpdf.apply(z, operand(a)))
        return out - _log(scale)  # type: ignore[no-any-return]

    @staticmethod
    def cdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of at most `x`, for a constant `a`."""
        a = constant("gamma.cdf", "a", a)
        z = _standard(x, loc, scale)
        return _inside(z, 0, math.inf, 0.0, lambda z: F.Gammainc.apply(z, a=a))  # type: ignore[no-any-return]

    @staticmethod
    def sf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of more than `x`, for a constant `a`."""
        a = constant("gamma.sf", "a", a)
        z = _standard(x, loc, scale)
        return _inside(z, 0, math.inf, 1.0, lambda z: F.Gammaincc.apply(z, a=a))  # type: ignore[no-any-return]


class chi2:
    """The chi-squared distribution with `df` degrees of freedom: twice a gamma variable."""

    @staticmethod
    def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the density; 0 of what is not positive."""
        return gamma.pdf(x, operand(df) / 2, loc, 2 * scale)

    @staticmethod
    def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the density; minus infinity of what is not positive."""
        return gamma.logpdf(x, operand(df) / 2, loc, 2 * scale)

    @staticmethod
    def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of at most `x`, for a constant `df`."""
        return gamma.cdf(x, np.asarray(constant("chi2.cdf", "df", df)) / 2, loc, 2 * scale)

    @staticmethod
    def sf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of more than `x`, for a constant `df`."""
        return gamma.sf(x, np.asarray(constant("chi2.sf", "df", df)) / 2, loc, 2 * scale)


class beta:
    """The beta distribution of shapes `a` and `b`, on the interval from `loc` to `loc + scale`."""

    @staticmethod
    def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the density; 0 outside the interval."""
        z = _standard(x, loc, scale)
        out = _inside(z, 0, 1, 0.0, lambda z: F.BetaPdf.apply(z, operand(a), operand(b)))
        return out / scale  # type: ignore[no-any-return]

    @staticmethod
    def logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the logarithm of the density; minus infinity outside the interval."""
        z = _standard(x, loc, scale)
        out = _inside(z, 0, 1, -math.inf, lambda z: F.BetaLogpdf.apply(z, operand(a), operand(b)))
        return out - _log(scale)  # type: ignore[no-any-return]

    @staticmethod
    def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
        """Return the probability of at most `x`, for constant shapes."""
        a, b = constant("beta.cdf", "a", a), constant("beta.cdf", "b", b)
        z = F.clip(_standard(x, loc, scale), min=0.0, max=1.0)
        return F.Betainc.apply(z, a=a, b=b)  # type: ignore[no-any-return]


class poisson:
    """The Poisson distribution of mean `mu`; the counts `k` get no gradient."""

    @staticmethod
    def pmf(k: Any, mu: Any) -> Tensor:
        """Return the probability of the count `k`."""
        return F.PoissonPmf.apply(operand(mu), k=_counts(k))  # type: ignore[no-any-return]

    @staticmethod
    def logpmf(k: Any, mu: Any) -> Tensor:
        """Return the logarithm of the probability of the count `k`."""
        return F.PoissonLogpmf.apply(operand(mu), k=_counts(k))  # type: ignore[no-any-return]

    @staticmethod
    def cdf(k: Any, mu: Any) -> Tensor:
        """Return the probability of at most `k`."""
        return F.Gammaincc.apply(operand(mu), a=np.floor(_counts(k)) + 1)  # type: ignore[no-any-return]

    @staticmethod
    def sf(k: Any, mu: Any) -> Tensor:
        """Return the probability of more than `k`."""
        return F.Gammainc.apply(operand(mu), a=np.floor(_counts(k)) + 1)  # type: ignore[no-any-return]


def _counts(k: Any) -> Any:
    return np.asarray(getattr(k, "_data", k))


class dirichlet:
    """The Dirichlet distribution of concentrations `alpha`, along the first axis of `x`."""

    @staticmethod
    def logpdf(x: Any, alpha: Any) -> Tensor:
        """Return the logarithm of the density of points with positive entries of sum 1."""
        x, alpha = operand(x), operand(alpha)
        column = F.reshape(alpha, (-1, *[1] * (x.ndim - 1)))
        level = F.gammaln(F.sum(alpha)) - F.sum(F.gammaln(alpha))
        return F.sum(F.xlogy(column - 1, x), axis=0) + level  # type: ignore[no-any-return]

    @staticmethod
    def pdf(x: Any, alpha: Any) -> Tensor:
        """Return the density of points with positive entries of sum 1."""
        return F.exp(dirichlet.logpdf(x, alpha))  # type: ignore[no-any-return]


class multivariate_normal:
    """The normal distribution of vectors: their mean, and the matrix of their covariances.

    The matrix is regular. Its gradient is that of a function of all its entries; it is symmetric
    where the matrix is.
    """

    @staticmethod
    def logpdf(x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Tensor:
        """Return the logarithm of the density of the vectors along the last axis."""
        if allow_singular:
            raise NotImplementedError(
                "allow_singular=True: the density of a singular covariance matrix has no gradient "
                "in it. Project on the matrix's range, and give the regular matrix there"
            )
        deviation, cov = operand(x) - operand(mean), operand(cov)
        whitened = F.solve(cov, F.reshape(deviation, (-1, cov.shape[-1])).T).T
        whitened = F.reshape(whitened, deviation.shape)
        distance = F.sum(deviation * whitened, axis=-1)
        level = cov.shape[-1] * _HALF_LOG_TWO_PI + slogdet(cov).logabsdet / 2
        return -0.5 * distance - level  # type: ignore[no-any-return]

    @staticmethod
    def pdf(x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Tensor:
        """Return the density of the vectors along the last axis."""
        return F.exp(multivariate_normal.logpdf(x, mean, cov, allow_singular))  # type: ignore[no-any-return]

    @staticmethod
    def entropy(mean: Any, cov: Any) -> Tensor:
        """Return the differential entropy, which the mean does not change."""
        cov = operand(cov)
        size = cov.shape[-1]
        return size * (_HALF_LOG_TWO_PI + 0.5) + slogdet(cov).logabsdet / 2  # type: ignore[no-any-return]
