"""NumPy's and SciPy's ufuncs as rules on forms.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symbolic.index_form import Form
from symbolic.index_functions import apply, exponential, logarithm, number, power
from symbolic.values import TraceError

__all__ = ["UFUNCS"]

_ONE = number(1)
_HALF = Fraction(1, 2)


def _power(a: Form, b: Form) -> Form:
    exponent = b.constant
    if exponent is not None:
        return power(a, exponent)
    if a.constant is not None and a.constant > 0:
        return exponential(b * logarithm(a))
    raise TraceError("a power with an exponent that varies")


def _tanh(x: Form) -> Form:
    return _ONE - number(2) * power(exponential(number(2) * x) + _ONE, -1)


def _sinh(x: Form, sign: int = -1) -> Form:
    return number(0.5) * (exponential(x) + number(sign) * exponential(-x))


def _expit(x: Form) -> Form:
    return power(_ONE + exponential(-x), -1)


def _normal_cdf(x: Form) -> Form:
    return number(0.5) * (_ONE + apply("erf", x * power(number(2), -_HALF)))


def _scaled_log(base: int) -> Callable[[Form], Form]:
    return lambda x: logarithm(x) * power(logarithm(number(base)), -1)


def _function(name: str) -> Callable[[Form], Form]:
    return lambda x: apply(name, x)


UFUNCS: dict[str, Callable[..., Form]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a * power(b, -1),
    "true_divide": lambda a, b: a * power(b, -1),
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "conjugate": lambda a: a,
    "power": _power,
    "float_power": _power,
    "square": lambda a: a * a,
    "sqrt": lambda a: power(a, _HALF),
    "reciprocal": lambda a: power(a, -1),
    "exp": exponential,
    "exp2": lambda a: exponential(a * logarithm(number(2))),
    "expm1": lambda a: exponential(a) - _ONE,
    "log": logarithm,
    "log1p": lambda a: logarithm(_ONE + a),
    "log2": _scaled_log(2),
    "log10": _scaled_log(10),
    "logaddexp": lambda a, b: logarithm(exponential(a) + exponential(b)),
    "hypot": lambda a, b: power(a * a + b * b, _HALF),
    "tanh": _tanh,
    "sinh": _sinh,
    "cosh": lambda a: _sinh(a, 1),
    "tan": lambda a: apply("sin", a) * power(apply("cos", a), -1),
    "expit": _expit,
    "log_expit": lambda a: -logarithm(_ONE + exponential(-a)),
    "logit": lambda a: logarithm(a) - logarithm(_ONE - a),
    "erfc": lambda a: _ONE - apply("erf", a),
    "ndtr": _normal_cdf,
    "xlogy": lambda a, b: a * logarithm(b),
    "xlog1py": lambda a, b: a * logarithm(_ONE + b),
    "entr": lambda a: -(a * logarithm(a)),
    "rel_entr": lambda a, b: a * logarithm(a * power(b, -1)),
    "kl_div": lambda a, b: a * logarithm(a * power(b, -1)) - a + b,
    "psi": _function("digamma"),
    **{
        name: _function(name)
        for name in ("sin", "cos", "arctan", "arctanh", "arcsin", "arccos", "arcsinh", "arccosh",
                     "erf", "gammaln", "digamma")
    },
}  # fmt: skip
