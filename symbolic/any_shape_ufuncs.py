"""NumPy's and SciPy's ufuncs as rules on forms.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symbolic.index_form import Form
from symbolic.index_functions import (
    absolute,
    apply,
    exponential,
    known_sign,
    logarithm,
    number,
    power,
    sign,
)
from symbolic.values import TraceError

__all__ = ["COMPARISONS", "KINKED", "LOGICAL", "MASKS", "UFUNCS"]

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


# What bends or jumps: right wherever no two of the compared values are equal.


def _above(a: Form, b: Form) -> Form:
    """1 where ``a > b``, else 0."""
    gap = a - b
    if not gap:
        raise TraceError("the order of equal values")
    if any(g.kind == "delta" for g in gap.generators):
        raise TraceError("an order that depends on whether indices are equal")
    known = known_sign(gap)
    if known:
        return number((1 + known) // 2)
    return number(_HALF) * (_ONE + sign(gap))


def _equal(a: Form, b: Form) -> Form:
    _above(a, b)  # for the values that cannot be compared
    return Form()


def _larger(a: Form, b: Form) -> Form:
    return b + (a - b) * _above(a, b) if a - b else a


COMPARISONS: dict[str, Callable[..., Form]] = {
    "greater": _above,
    "greater_equal": _above,
    "less": lambda a, b: _above(b, a),
    "less_equal": lambda a, b: _above(b, a),
    "equal": _equal,
    "not_equal": lambda a, b: _ONE - _equal(a, b),
}

KINKED: dict[str, Callable[..., Form]] = {
    **COMPARISONS,
    "absolute": absolute,
    "fabs": absolute,
    "sign": sign,
    "maximum": _larger,
    "minimum": lambda a, b: a + b - _larger(a, b),
    "fmax": _larger,
    "fmin": lambda a, b: a + b - _larger(a, b),
    "heaviside": lambda a, b: _above(a, Form()),
}

LOGICAL: dict[str, Callable[..., Form]] = {
    "logical_and": lambda a, b: a * b,
    "bitwise_and": lambda a, b: a * b,
    "logical_or": lambda a, b: a + b - a * b,
    "bitwise_or": lambda a, b: a + b - a * b,
    "logical_xor": lambda a, b: a + b - number(2) * a * b,
    "bitwise_xor": lambda a, b: a + b - number(2) * a * b,
    "logical_not": lambda a: _ONE - a,
    "invert": lambda a: _ONE - a,
}

# Of masks, and of numbers that are finite wherever the form is defined.
MASKS: dict[str, Callable[..., Form]] = {
    **LOGICAL,
    "isfinite": lambda a: _ONE,
    "isnan": lambda a: Form(),
    "isinf": lambda a: Form(),
}
