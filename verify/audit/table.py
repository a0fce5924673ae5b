"""The functions of an audit: what each means, and how each library spells it.

A row has a name, a formula in NumPy and SciPy of arguments ``x``, ``y``, ``z``, and for each
library that has the function an expression in the same arguments. The formula is run on symbols,
and its derivative enclosed in balls: no library's derivative is the reference of another's. Rows
without examples act entry by entry, and are checked on scalars.

May import: nothing of this project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NAMESPACES", "TABLE", "Row"]

# What the expressions of each library may name, and the module behind it.
NAMESPACES: dict[str, dict[str, str]] = {
    "torch": {"torch": "torch", "F": "torch.nn.functional"},
    "jax": {
        "jax": "jax",
        "jnp": "jax.numpy",
        "nn": "jax.nn",
        "special": "jax.scipy.special",
        "stats": "jax.scipy.stats",
    },
    "autograd": {
        "np": "autograd.numpy",
        "special": "autograd.scipy.special",
        "stats": "autograd.scipy.stats",
    },
    "autodiff": {"ad": "autodiff"},
}


@dataclass(frozen=True)
class Row:
    """One function.

    Attributes
    ----------
    name : str
    formula : str
        An expression in NumPy (``np``) and SciPy (``special``).
    spelled : dict
        From a library's name to an expression.
    domain : dict
        From an argument to an open interval.
    examples : tuple
        Tuples of shapes; empty for a function of single entries.
    """

    name: str
    formula: str
    spelled: dict[str, str]
    domain: dict[str, tuple[float, float]] = field(default_factory=dict)
    examples: tuple[Any, ...] = ()

    @property
    def arguments(self) -> list[str]:
        import ast

        used = {n.id for n in ast.walk(ast.parse(self.formula)) if isinstance(n, ast.Name)}
        return [a for a in ("x", "y", "z") if a in used]


TABLE: list[Row] = []
inf = math.inf
POSITIVE, UNIT, ABOVE_ONE, SYMMETRIC = (0.0, inf), (0.0, 1.0), (1.0, inf), (-1.0, 1.0)


def row(
    name: str,
    formula: str,
    torch: str = "",
    jax: str = "",
    autograd: str = "",
    autodiff: str = "",
    examples: tuple[Any, ...] = (),
    **domain: tuple[float, float],
) -> None:
    spelled = {"torch": torch, "jax": jax, "autograd": autograd, "autodiff": autodiff}
    TABLE.append(Row(name, formula, {k: v for k, v in spelled.items() if v}, domain, examples))


def same(name: str, libraries: str = "torch jax autograd autodiff", torch: str = "", **domain: Any):
    """A function of NumPy that the libraries have by one name (torch perhaps by another)."""
    call = f"{name}(x)"
    spelled = {
        "torch": f"torch.{torch or name}(x)",
        "jax": f"jnp.{call}",
        "autograd": f"np.{call}",
        "autodiff": f"ad.{call}",
    }
    have = [v if k in libraries else "" for k, v in spelled.items()]
    row(name, f"np.{call}", have[0], have[1], have[2], have[3], **domain)


# Elementary functions

for _name in ("exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "square", "abs"):
    same(_name)
for _name in ("log", "log2", "log10", "sqrt"):
    same(_name, x=POSITIVE)
same("log1p", x=(-1.0, inf))
same("reciprocal")
same("arcsin", x=SYMMETRIC)
same("arccos", x=SYMMETRIC)
same("arctan")
same("arcsinh")
same("arccosh", x=ABOVE_ONE)
same("arctanh", x=SYMMETRIC)
same("cbrt", "jax autodiff")
same("sinc")
same("deg2rad")
same("rad2deg")
same("sign", torch="sgn")
row("rsqrt", "1 / np.sqrt(x)", "torch.rsqrt(x)", "jax.lax.rsqrt(x)", x=POSITIVE)
row("frac", "x - np.trunc(x)", "torch.frac(x)")
row("nan_to_num", "np.nan_to_num(x)", "torch.nan_to_num(x)", "jnp.nan_to_num(x)",
    "np.nan_to_num(x)", "ad.nan_to_num(x)")  # fmt: skip
row("clip", "np.clip(x, -1, 2)", "torch.clamp(x, -1, 2)", "jnp.clip(x, -1, 2)",
    "np.clip(x, -1, 2)", "ad.clip(x, -1, 2)")  # fmt: skip

# Powers

for _power in ("2", "3", "-1", "-2", "0", "1"):
    row(f"x**{_power}", f"x**{_power}", f"x**{_power}", f"x**{_power}", f"x**{_power}",
        f"x**{_power}")  # fmt: skip
for _power in ("0.5", "1.5", "-0.5"):
    row(f"x**{_power}", f"x**{_power}", f"x**{_power}", f"x**{_power}", f"x**{_power}",
        f"x**{_power}", x=POSITIVE)  # fmt: skip
row("2**x", "2.0**x", "2.0**x", "2.0**x", "2.0**x", "2.0**x")
row("power", "np.power(x, y)", "torch.pow(x, y)", "jnp.power(x, y)", "np.power(x, y)",
    "ad.power(x, y)", x=POSITIVE)  # fmt: skip
row("float_power", "np.power(x, y)", "torch.float_power(x, y)", "jnp.float_power(x, y)", x=POSITIVE)

# Two arguments

for _symbol, _name in {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}.items():
    row(_name, f"x {_symbol} y", f"torch.{_name}(x, y)", f"jnp.{_name}(x, y)",
        f"np.{_name}(x, y)", f"x {_symbol} y")  # fmt: skip
for _name in ("maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "hypot"):
    _call = f"{_name}(x, y)"
    _own = "" if _name == "hypot" else f"np.{_call}"
    row(_name, f"np.{_call}", f"torch.{_call}", f"jnp.{_call}", _own, f"ad.{_call}")
row("arctan2", "np.arctan2(x, y)", "torch.atan2(x, y)", "jnp.arctan2(x, y)", "np.arctan2(x, y)",
    "ad.arctan2(x, y)")  # fmt: skip
row("remainder", "np.remainder(x, y)", "torch.remainder(x, y)", "jnp.remainder(x, y)",
    "np.remainder(x, y)", "ad.remainder(x, y)", x=(-8.0, 8.0), y=(0.5, 4.0))  # fmt: skip
row("fmod", "np.fmod(x, y)", "torch.fmod(x, y)", "jnp.fmod(x, y)", "np.fmod(x, y)",
    "ad.fmod(x, y)", x=(-8.0, 8.0), y=(0.5, 4.0))  # fmt: skip
row("copysign", "np.copysign(x, y)", "torch.copysign(x, y)", "jnp.copysign(x, y)", "",
    "ad.copysign(x, y)")  # fmt: skip
row("lerp", "x + z * (y - x)", "torch.lerp(x, y, z)")
row("addcmul", "x + y * z", "torch.addcmul(x, y, z)")
row("addcdiv", "x + y / z", "torch.addcdiv(x, y, z)")
row("xlogy", "special.xlogy(x, y)", "torch.xlogy(x, y)", "special.xlogy(x, y)", "",
    "ad.xlogy(x, y)", y=POSITIVE)  # fmt: skip
row("xlog1py", "special.xlog1py(x, y)", "torch.special.xlog1py(x, y)", "special.xlog1py(x, y)", "",
    "ad.xlog1py(x, y)", y=(-1.0, inf))  # fmt: skip

# Activations

row("sigmoid", "special.expit(x)", "torch.sigmoid(x)", "nn.sigmoid(x)", "special.expit(x)",
    "ad.sigmoid(x)")  # fmt: skip
row("logit", "special.logit(x)", "torch.logit(x)", "special.logit(x)", "special.logit(x)",
    "ad.logit(x)", x=UNIT)  # fmt: skip
row("softplus", "np.logaddexp(0, x)", "F.softplus(x)", "nn.softplus(x)", "", "ad.softplus(x)")
row("logsigmoid", "-np.logaddexp(0, -x)", "F.logsigmoid(x)", "nn.log_sigmoid(x)", "",
    "ad.logsigmoid(x)")  # fmt: skip
row("relu", "np.maximum(x, 0)", "F.relu(x)", "nn.relu(x)", "", "ad.relu(x)")
row("relu6", "np.clip(x, 0, 6)", "F.relu6(x)", "nn.relu6(x)", "", "ad.relu6(x)")
row("leaky_relu", "np.where(x > 0, x, 0.01 * x)", "F.leaky_relu(x)", "nn.leaky_relu(x)", "",
    "ad.leaky_relu(x)")  # fmt: skip
row("elu", "np.where(x > 0, x, np.expm1(np.minimum(x, 0)))", "F.elu(x)", "nn.elu(x)", "",
    "ad.elu(x)")  # fmt: skip
row("celu", "np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0) / 2))", "F.celu(x, 2.0)",
    "nn.celu(x, 2.0)", "", "ad.celu(x, alpha=2.0)")  # fmt: skip
_SELU = "1.0507009873554804934193349852946 * np.where(x > 0, x, 1.6732632423543772848170429916717"
row("selu", f"{_SELU} * np.expm1(np.minimum(x, 0)))", "F.selu(x)", "nn.selu(x)", "", "ad.selu(x)")
row("gelu", "x * special.ndtr(x)", "F.gelu(x)", "nn.gelu(x, approximate=False)", "", "ad.gelu(x)")
row("gelu_tanh", "0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))",
    "F.gelu(x, approximate='tanh')", "nn.gelu(x)")  # fmt: skip
row("silu", "x * special.expit(x)", "F.silu(x)", "nn.silu(x)", "", "ad.silu(x)")
row("mish", "x * np.tanh(np.logaddexp(0, x))", "F.mish(x)", "nn.mish(x)", "", "ad.mish(x)")
row("softsign", "x / (1 + np.abs(x))", "F.softsign(x)", "nn.soft_sign(x)", "", "ad.softsign(x)")
row("tanhshrink", "x - np.tanh(x)", "F.tanhshrink(x)")
row("hardtanh", "np.clip(x, -1, 1)", "F.hardtanh(x)", "nn.hard_tanh(x)", "", "ad.hardtanh(x)")
row("hardsigmoid", "np.clip(x + 3, 0, 6) / 6", "F.hardsigmoid(x)", "nn.hard_sigmoid(x)", "",
    "ad.hardsigmoid(x)")  # fmt: skip
row("hardswish", "x * np.clip(x + 3, 0, 6) / 6", "F.hardswish(x)", "nn.hard_swish(x)", "",
    "ad.hardswish(x)")  # fmt: skip
row("softshrink", "np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, 0 * x))",
    "F.softshrink(x)", "", "", "ad.softshrink(x)")  # fmt: skip
row("squareplus", "(x + np.sqrt(x * x + 4)) / 2", "", "nn.squareplus(x)")
row("sparse_plus", "np.where(x >= 1, x, np.where(x > -1, (x + 1)**2 / 4, 0 * x))", "",
    "nn.sparse_plus(x)")  # fmt: skip
row("log1mexp", "np.log(-np.expm1(-x))", "", "nn.log1mexp(x)", x=POSITIVE)

# Special functions

for _name, _torch in {
    "erf": "torch.erf(x)", "erfc": "torch.erfc(x)", "gammaln": "torch.lgamma(x)",
    "digamma": "torch.digamma(x)", "i0": "torch.special.i0(x)", "i1": "torch.special.i1(x)",
    "i0e": "torch.special.i0e(x)", "i1e": "torch.special.i1e(x)",
    "log_ndtr": "torch.special.log_ndtr(x)", "ndtr": "torch.special.ndtr(x)",
    "entr": "torch.special.entr(x)",
}.items():  # fmt: skip
    _where = {"x": POSITIVE} if _name in ("gammaln", "digamma", "entr") else {}
    _have = f"special.{_name}(x)"
    row(_name, _have, _torch, _have,
        _have if _name in ("erf", "erfc", "gammaln", "digamma", "i0", "i1") else "",
        "" if _name in ("i0e", "i1e") else f"ad.{_name}(x)", **_where)  # fmt: skip
row("gamma", "special.gamma(x)", "", "special.gamma(x)", "special.gamma(x)", "ad.gamma(x)",
    x=POSITIVE)  # fmt: skip
row("rgamma", "special.rgamma(x)", "", "", "special.rgamma(x)", "ad.rgamma(x)", x=POSITIVE)
row("erfinv", "special.erfinv(x)", "torch.erfinv(x)", "special.erfinv(x)", "special.erfinv(x)",
    "ad.erfinv(x)", x=SYMMETRIC)  # fmt: skip
row("erfcinv", "special.erfcinv(x)", "", "", "special.erfcinv(x)", "ad.erfcinv(x)", x=(0.0, 2.0))
row("erfcx", "special.erfcx(x)", "torch.special.erfcx(x)", "", "", "ad.erfcx(x)")
row("ndtri", "special.ndtri(x)", "torch.special.ndtri(x)", "special.ndtri(x)", "", "ad.ndtri(x)",
    x=UNIT)  # fmt: skip
for _degree in (1, 2):
    _call = f"polygamma({_degree}, x)"
    row(f"polygamma_{_degree}", f"special.{_call}", f"torch.{_call}", f"special.{_call}",
        f"special.{_call}", f"ad.{_call}", x=POSITIVE)  # fmt: skip
row("multigammaln", "special.multigammaln(x, 2)", "torch.mvlgamma(x, 2)",
    "special.multigammaln(x, 2)", "special.multigammaln(x, 2)", "ad.multigammaln(x, 2)",
    x=(0.5, inf))  # fmt: skip
for _name in ("j0", "j1", "y0", "y1"):
    row(_name, f"special.{_name}(x)", f"torch.special.bessel_{_name}(x)", "",
        f"special.{_name}(x)", f"ad.{_name}(x)",
        **({"x": POSITIVE} if _name[0] == "y" else {}))  # fmt: skip
row("exp1", "special.exp1(x)", "", "special.exp1(x)", "", "ad.exp1(x)", x=POSITIVE)
row("expi", "special.expi(x)", "", "special.expi(x)", "", "ad.expi(x)")
row("spence", "special.spence(x)", "", "special.spence(x)", "", "ad.spence(x)", x=POSITIVE)
row("zeta", "special.zeta(x, 2.0)", "", "special.zeta(x, 2.0)", x=ABOVE_ONE)
row("zeta_q", "special.zeta(3.0, x)", "torch.special.zeta(3.0, x)", "special.zeta(3.0, x)",
    x=POSITIVE)  # fmt: skip
row("gammainc_x", "special.gammainc(2.5, x)",
    "torch.special.gammainc(torch.full_like(x, 2.5), x)", "special.gammainc(2.5, x)", "",
    "ad.gammainc(2.5, x)", x=POSITIVE)  # fmt: skip
row("gammaincc_x", "special.gammaincc(2.5, x)",
    "torch.special.gammaincc(torch.full_like(x, 2.5), x)", "special.gammaincc(2.5, x)", "",
    "ad.gammaincc(2.5, x)", x=POSITIVE)  # fmt: skip
row("betaln", "special.betaln(x, y)", "", "special.betaln(x, y)", "special.betaln(x, y)",
    "ad.betaln(x, y)", x=POSITIVE, y=POSITIVE)  # fmt: skip
row("beta", "special.beta(x, y)", "", "special.beta(x, y)", "special.beta(x, y)", "ad.beta(x, y)",
    x=POSITIVE, y=POSITIVE)  # fmt: skip
row("betainc_x", "special.betainc(1.5, 2.5, x)", "", "special.betainc(1.5, 2.5, x)",
    "special.betainc(1.5, 2.5, x)", "ad.betainc(1.5, 2.5, x)", x=UNIT)  # fmt: skip
row("rel_entr", "special.rel_entr(x, y)", "", "special.rel_entr(x, y)", "", "ad.rel_entr(x, y)",
    x=POSITIVE, y=POSITIVE)  # fmt: skip
row("kl_div", "special.kl_div(x, y)", "", "special.kl_div(x, y)", "", "", x=POSITIVE, y=POSITIVE)
row("iv", "special.iv(1.5, x)", "", "", "special.iv(1.5, x)", "ad.iv(1.5, x)", x=POSITIVE)
row("ive", "special.ive(1.5, x)", "", "", "special.ive(1.5, x)", "", x=POSITIVE)
row("norm_cdf", "special.ndtr(x)", "", "stats.norm.cdf(x)", "stats.norm.cdf(x)")
row("norm_pdf", "np.exp(-x * x / 2) / np.sqrt(2 * np.pi)", "", "stats.norm.pdf(x)",
    "stats.norm.pdf(x)")  # fmt: skip
row("norm_logcdf", "special.log_ndtr(x)", "", "stats.norm.logcdf(x)", "stats.norm.logcdf(x)")
row("norm_logpdf", "-x * x / 2 - np.log(2 * np.pi) / 2", "", "stats.norm.logpdf(x)",
    "stats.norm.logpdf(x)")  # fmt: skip
row("norm_sf", "special.ndtr(-x)", "", "stats.norm.sf(x)", "stats.norm.sf(x)")
row("norm_logsf", "special.log_ndtr(-x)", "", "stats.norm.logsf(x)", "stats.norm.logsf(x)")
row("t_logpdf", "special.gammaln((y + 1) / 2) - special.gammaln(y / 2) - np.log(y * np.pi) / 2"
    " - (y + 1) / 2 * np.log1p(x * x / y)", "", "stats.t.logpdf(x, y)", "stats.t.logpdf(x, y)",
    y=(1.0, 50.0))  # fmt: skip
row("gamma_logpdf", "(y - 1) * np.log(x) - x - special.gammaln(y)", "", "stats.gamma.logpdf(x, y)",
    "stats.gamma.logpdf(x, y)", x=POSITIVE, y=(1.0, 50.0))  # fmt: skip
row("beta_logpdf", "(y - 1) * np.log(x) + (z - 1) * np.log1p(-x) - special.betaln(y, z)", "",
    "stats.beta.logpdf(x, y, z)", "stats.beta.logpdf(x, y, z)", x=UNIT, y=(1.0, 50.0),
    z=(1.0, 50.0))  # fmt: skip
row("poisson_logpmf", "3 * np.log(x) - x - np.log(6.0)", "", "stats.poisson.logpmf(3, x)",
    "stats.poisson.logpmf(3, x)", x=POSITIVE)  # fmt: skip
row("logistic_logpdf", "x - 2 * np.logaddexp(0, x)", "", "stats.logistic.logpdf(x)")
row("laplace_logpdf", "-np.abs(x) - np.log(2)", "", "stats.laplace.logpdf(x)")
row("cauchy_logpdf", "-np.log(np.pi) - np.log1p(x * x)", "", "stats.cauchy.logpdf(x)")

# Reductions

VECTOR = (((3,),),)
MATRIX = (((2, 3),),)
for _name in ("sum", "mean", "prod", "var", "std", "max", "min"):
    _torch = f"torch.{_name}(x, correction=0)" if _name in ("var", "std") else f"torch.{_name}(x)"
    row(_name, f"np.{_name}(x)", _torch, f"jnp.{_name}(x)", f"np.{_name}(x)", f"ad.{_name}(x)"
        if _name not in ("var", "std") else f"ad.{_name}(x, correction=0)", VECTOR)  # fmt: skip
row("prod_axis", "np.prod(x, axis=1)", "torch.prod(x, 1)", "jnp.prod(x, axis=1)",
    "np.prod(x, axis=1)", "ad.prod(x, axis=1)", MATRIX)  # fmt: skip
row("var_axis", "np.var(x, axis=1, ddof=1)", "torch.var(x, 1)", "jnp.var(x, axis=1, ddof=1)",
    "np.var(x, axis=1, ddof=1)", "ad.var(x, 1, correction=1)", MATRIX)  # fmt: skip
row("std_axis", "np.std(x, axis=1, ddof=1)", "torch.std(x, 1)", "jnp.std(x, axis=1, ddof=1)",
    "np.std(x, axis=1, ddof=1)", "ad.std(x, 1, correction=1)", MATRIX)  # fmt: skip
row("cumsum", "np.cumsum(x)", "torch.cumsum(x, 0)", "jnp.cumsum(x)", "np.cumsum(x)",
    "ad.cumsum(x, 0)", VECTOR)  # fmt: skip
row("cumprod", "np.cumprod(x)", "torch.cumprod(x, 0)", "jnp.cumprod(x)", "", "ad.cumprod(x, 0)",
    VECTOR)  # fmt: skip
row("norm", "np.sqrt(np.sum(x * x))", "torch.linalg.vector_norm(x)", "jnp.linalg.norm(x)",
    "np.linalg.norm(x)", "ad.norm(x)", VECTOR)  # fmt: skip
row("norm_1", "np.sum(np.abs(x))", "torch.linalg.vector_norm(x, 1)", "jnp.linalg.norm(x, 1)",
    "np.linalg.norm(x, 1)", "ad.linalg.norm(x, 1)", VECTOR)  # fmt: skip
row("norm_3", "np.sum(np.abs(x)**3)**(1 / 3)", "torch.linalg.vector_norm(x, 3)",
    "jnp.linalg.norm(x, 3)", "np.linalg.norm(x, 3)", "ad.linalg.norm(x, 3)", VECTOR)  # fmt: skip
row("logsumexp", "special.logsumexp(x)", "torch.logsumexp(x, 0)", "special.logsumexp(x)",
    "special.logsumexp(x)", "ad.logsumexp(x, 0)", VECTOR)  # fmt: skip
row("softmax", "special.softmax(x)", "torch.softmax(x, 0)", "nn.softmax(x)", "",
    "ad.softmax(x, 0)", VECTOR)  # fmt: skip
row("log_softmax", "special.log_softmax(x)", "torch.log_softmax(x, 0)", "nn.log_softmax(x)", "",
    "ad.log_softmax(x, 0)", VECTOR)  # fmt: skip
row("logcumsumexp", "np.log(np.cumsum(np.exp(x)))", "torch.logcumsumexp(x, 0)",
    "jax.lax.cumlogsumexp(x)", "", "", VECTOR)  # fmt: skip
row("sort", "np.sort(x)", "torch.sort(x).values", "jnp.sort(x)", "np.sort(x)", "ad.sort(x)",
    VECTOR)  # fmt: skip
row("cosine_similarity",
    "np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y))",
    "F.cosine_similarity(x, y, dim=0)", "", "", "ad.cosine_similarity(x, y, dim=0)",
    (((3,), (3,)),))  # fmt: skip
row("pairwise_distance", "np.sqrt(np.sum((x - y + 1e-6)**2, axis=1))",
    "F.pairwise_distance(x, y)", "", "", "", (((2, 3), (2, 3)),))  # fmt: skip
row("cdist", "np.sqrt(np.sum((x[:, None] - y[None])**2, axis=-1))", "torch.cdist(x, y)", "", "", "",
    (((2, 2), (1, 2)),))  # fmt: skip
row("dist", "np.sqrt(np.sum((x - y)**2))", "torch.dist(x, y)", "", "", "", (((3,), (3,)),))
row("normalize", "x / np.sqrt(np.sum(x * x))", "F.normalize(x, dim=0, eps=0.0)", "", "", "", VECTOR)
row("layer_norm",
    "(x - np.mean(x)) / np.sqrt(np.var(x) + 1e-5)", "F.layer_norm(x, (3,))", "nn.standardize(x)",
    "", "ad.layer_norm(x, (3,))", VECTOR)  # fmt: skip
row("diff", "np.diff(x)", "torch.diff(x)", "jnp.diff(x)", "np.diff(x)", "ad.diff(x)", VECTOR)

# Losses

PAIR = (((3,), (3,)),)
row("mse_loss", "np.mean((x - y)**2)", "F.mse_loss(x, y)", "", "", "ad.mse_loss(x, y)", PAIR)
row("l1_loss", "np.mean(np.abs(x - y))", "F.l1_loss(x, y)", "", "", "ad.l1_loss(x, y)", PAIR)
row("smooth_l1_loss",
    "np.where(np.abs(x - y) < 1, (x - y)**2 / 2, np.abs(x - y) - 0.5)",
    "F.smooth_l1_loss(x, y, reduction='none')", "", "",
    "ad.smooth_l1_loss(x, y, reduction='none')")  # fmt: skip
row("huber_loss",
    "np.where(np.abs(x - y) <= 2, (x - y)**2 / 2, 2 * (np.abs(x - y) - 1))",
    "F.huber_loss(x, y, reduction='none', delta=2.0)", "", "",
    "ad.huber_loss(x, y, reduction='none', delta=2.0)")  # fmt: skip
row("binary_cross_entropy", "-(special.xlogy(y, x) + special.xlog1py(1 - y, -x))",
    "F.binary_cross_entropy(x, y, reduction='none')", "", "",
    "ad.binary_cross_entropy(x, y, reduction='none')", x=UNIT, y=UNIT)  # fmt: skip
row("binary_cross_entropy_with_logits", "np.logaddexp(0, x) - x * y",
    "F.binary_cross_entropy_with_logits(x, y, reduction='none')", "", "",
    "ad.binary_cross_entropy_with_logits(x, y, reduction='none')", y=UNIT)  # fmt: skip
row("poisson_nll_loss", "np.exp(x) - y * x", "F.poisson_nll_loss(x, y, reduction='none')", "", "",
    "ad.poisson_nll_loss(x, y, reduction='none')", y=POSITIVE)  # fmt: skip
row("gaussian_nll_loss", "(np.log(z) + (x - y)**2 / z) / 2",
    "F.gaussian_nll_loss(x, y, z, reduction='none')", "", "",
    "ad.gaussian_nll_loss(x, y, z, reduction='none')", z=(1e-5, inf))  # fmt: skip
row("soft_margin_loss", "np.logaddexp(0, -x)",
    "F.soft_margin_loss(x, torch.ones_like(x), reduction='none')")  # fmt: skip
row("kl_div_loss", "special.xlogy(y, y) - y * x", "F.kl_div(x, y, reduction='none')", "", "",
    "ad.kl_div(x, y, reduction='none')", y=POSITIVE)  # fmt: skip

# Linear algebra

SQUARE = (((2, 2),),)
row("matmul", "x @ y", "x @ y", "x @ y", "np.matmul(x, y)", "x @ y", (((2, 3), (3, 2)),))
row("dot", "np.dot(x, y)", "torch.dot(x, y)", "jnp.dot(x, y)", "np.dot(x, y)", "ad.dot(x, y)", PAIR)
row("outer", "np.outer(x, y)", "torch.outer(x, y)", "jnp.outer(x, y)", "np.outer(x, y)",
    "ad.outer(x, y)", (((2,), (3,)),))  # fmt: skip
row("kron", "np.kron(x, y)", "torch.kron(x, y)", "jnp.kron(x, y)", "np.kron(x, y)",
    "ad.kron(x, y)", (((2, 2), (2, 1)),))  # fmt: skip
row("cross", "np.cross(x, y)", "torch.linalg.cross(x, y)", "jnp.cross(x, y)", "np.cross(x, y)",
    "ad.cross(x, y)", PAIR)  # fmt: skip
row("trace", "np.trace(x)", "torch.trace(x)", "jnp.trace(x)", "np.trace(x)", "ad.trace(x)", SQUARE)
for _name in ("det", "inv"):
    row(_name, f"np.linalg.{_name}(x)", f"torch.linalg.{_name}(x)", f"jnp.linalg.{_name}(x)",
        f"np.linalg.{_name}(x)", f"ad.linalg.{_name}(x)", SQUARE)  # fmt: skip
row("log_abs_det", "np.log(np.abs(np.linalg.det(x)))", "torch.linalg.slogdet(x)[1]",
    "jnp.linalg.slogdet(x)[1]", "np.linalg.slogdet(x)[1]", "ad.linalg.slogdet(x)[1]",
    SQUARE)  # fmt: skip
row("solve", "np.linalg.solve(x, y)", "torch.linalg.solve(x, y)", "jnp.linalg.solve(x, y)",
    "np.linalg.solve(x, y)", "ad.linalg.solve(x, y)", (((2, 2), (2,)),))  # fmt: skip
row("frobenius", "np.sqrt(np.sum(x * x))", "torch.linalg.matrix_norm(x)", "jnp.linalg.norm(x)",
    "np.linalg.norm(x)", "ad.linalg.norm(x)", SQUARE)  # fmt: skip

# Axes, orders and other keywords: where rules are written for the plain call

for _name in ("mean", "var", "std", "max", "sum"):
    for _key, _axes in {"rows": "0", "both": "(0, 1)", "last": "-1"}.items():
        _call = f"np.{_name}(x, axis={_axes})"
        row(f"{_name}_{_key}", _call, "", "j" + _call, _call, "", MATRIX)
row("std_keepdims", "np.std(x, axis=0, ddof=1, keepdims=True)", "",
    "jnp.std(x, axis=0, ddof=1, keepdims=True)", "np.std(x, axis=0, ddof=1, keepdims=True)",
    "", MATRIX)  # fmt: skip
row("var_ddof", "np.var(x, ddof=1)", "torch.var(x)", "jnp.var(x, ddof=1)", "np.var(x, ddof=1)",
    "ad.var(x, correction=1)", VECTOR)  # fmt: skip
row("std_ddof", "np.std(x, ddof=1)", "torch.std(x)", "jnp.std(x, ddof=1)", "np.std(x, ddof=1)",
    "ad.std(x, correction=1)", VECTOR)  # fmt: skip
for _key, _call in {
    "cumsum_axis": "cumsum(x, axis=1)", "roll": "roll(x, 1, axis=1)", "rot90": "rot90(x)",
    "flipud": "flipud(x)", "repeat": "repeat(x, 2, axis=0)", "tile": "tile(x, (2, 2))",
    "pad": "pad(x, ((1, 0), (0, 2)), mode='constant')", "diff_axis": "diff(x, axis=0)",
    "diff_twice": "diff(x, n=2, axis=1)", "transpose": "transpose(x)",
    "swapaxes": "swapaxes(x, 0, 1)", "triu": "triu(x, 1)", "tril": "tril(x, -1)",
    "trace_offset": "trace(x, offset=1)", "diagonal": "diagonal(x, offset=1)",
    "ravel_f": "ravel(x, order='F')", "gradient": "gradient(x, axis=0)",
    "squeeze": "squeeze(x[:, :1])", "partition": "partition(x, 1)", "average": "average(x, axis=1)",
    "nanmean": "nanmean(x, axis=0)", "ptp": "ptp(x, axis=0)", "median": "median(x, axis=0)",
    "sort_axis": "sort(x, axis=0)",
}.items():  # fmt: skip
    row(_key, f"np.{_call}", "", f"jnp.{_call}", f"np.{_call}", "", (((3, 3),),))
for _key, _call in {
    "tensordot": "tensordot(x, y, axes=1)", "einsum": "einsum('ij,jk->ki', x, y)",
    "inner": "inner(x, y)", "matmul_square": "matmul(x, y)", "kron_square": "kron(x, y)",
    "where": "where(x > y, x, y * y)",
}.items():  # fmt: skip
    row(_key, f"np.{_call}", "", f"jnp.{_call}", f"np.{_call}", "", (((2, 2), (2, 2)),))
for _key, _order in {"fro": "'fro'", "axis": "None, axis=1", "axis_3": "3, axis=0"}.items():
    _call = f"np.linalg.norm(x, {_order})"
    row(f"norm_{_key}", _call, "", "j" + _call, _call, "", MATRIX)
row("logsumexp_axis", "special.logsumexp(x, axis=1)", "torch.logsumexp(x, 1)",
    "special.logsumexp(x, axis=1)", "special.logsumexp(x, axis=1)", "ad.logsumexp(x, 1)",
    MATRIX)  # fmt: skip
row("prod_keepdims", "np.prod(x, axis=0, keepdims=True)", "torch.prod(x, 0, keepdim=True)",
    "jnp.prod(x, axis=0, keepdims=True)", "np.prod(x, axis=0, keepdims=True)",
    "ad.prod(x, 0, keepdims=True)", MATRIX)  # fmt: skip
row("solve_matrix", "np.linalg.solve(x, y)", "torch.linalg.solve(x, y)",
    "jnp.linalg.solve(x, y)", "np.linalg.solve(x, y)", "ad.linalg.solve(x, y)",
    (((2, 2), (2, 2)),))  # fmt: skip
row("jn", "special.jv(2, x)", "", "", "special.jn(2, x)", "ad.jv(2, x)", x=POSITIVE)
row("yn", "special.yn(2, x)", "", "", "special.yn(2, x)", "", x=POSITIVE)
row("chi2_logpdf",
    "(y / 2 - 1) * np.log(x) - x / 2 - special.gammaln(y / 2) - y / 2 * np.log(2.0)", "",
    "stats.chi2.logpdf(x, y)", "stats.chi2.logpdf(x, y)", x=POSITIVE, y=(2.0, 50.0))  # fmt: skip
row("chi2_cdf", "special.gammainc(1.5, x / 2)", "", "stats.chi2.cdf(x, 3.0)",
    "stats.chi2.cdf(x, 3.0)", x=POSITIVE)  # fmt: skip
row("gamma_cdf", "special.gammainc(2.5, x)", "", "stats.gamma.cdf(x, 2.5)",
    "stats.gamma.cdf(x, 2.5)", x=POSITIVE)  # fmt: skip
row("beta_cdf", "special.betainc(1.5, 2.5, x)", "", "stats.beta.cdf(x, 1.5, 2.5)",
    "stats.beta.cdf(x, 1.5, 2.5)", x=UNIT)  # fmt: skip
row("norm_logpdf_scale",
    "-(((x - y) / z)**2) / 2 - np.log(z) - np.log(2 * np.pi) / 2", "",
    "stats.norm.logpdf(x, y, z)", "stats.norm.logpdf(x, y, z)", z=POSITIVE)  # fmt: skip
row("norm_cdf_scale", "special.ndtr((x - y) / z)", "", "stats.norm.cdf(x, y, z)",
    "stats.norm.cdf(x, y, z)", z=POSITIVE)  # fmt: skip
