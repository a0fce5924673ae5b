"""What each NumPy and SciPy ufunc means on one entry: a formula of primitives, or a decision.

A row of the tables takes entries (:class:`~symbolic.values.Symbol` or plain numbers) and returns
one. Rows that are smooth give the formula only: its value is computed by the ufunc itself on the
values, so that a traced run sees the floats that a plain run would see. Rows that branch compare
entries, which records the comparison, and return one of the operands.

May import: :mod:`symbolic.values`, :mod:`symbolic.complex`, :mod:`symbolic.hypergeometric`,
:mod:`symbolic.orthogonal`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from symbolic.complex import COMPLEX_FORMULAS, ComplexSymbol, faddeeva, is_complex
from symbolic.hypergeometric import confluent, gauss
from symbolic.orthogonal import POLYNOMIALS
from symbolic.values import Symbol, TraceError, float_function, user_line

__all__ = ["BOOLEAN", "find", "lowered"]

Entry = Any


def _unary(op: str) -> Callable[[Entry], Entry]:
    """The formula that is one primitive."""
    function = float_function(op)

    def formula(x: Entry) -> Entry:
        if type(x) is Symbol:
            trace = x.trace
            return Symbol(trace.graph.apply(op, x.node), np.float64(function(x.value)), trace)
        return function(x)

    return formula


def primitive(op: str, *args: Entry) -> Entry:
    """One primitive on entries, of which at least one may be a symbol."""
    for a in args:
        if type(a) is Symbol:
            return a.trace.apply(op, *args)
    return float_function(op)(*args)


exp, log, sin, cos, tan = (_unary(op) for op in ("exp", "log", "sin", "cos", "tan"))
sinh, cosh, erf, erfc, sqrt = (_unary(op) for op in ("sinh", "cosh", "erf", "erfc", "sqrt"))
gamma, gammaln, erfinv = (_unary(op) for op in ("gamma", "gammaln", "erfinv"))
PI = np.pi


def divide(a: Entry, b: Entry) -> Entry:
    """``a / b`` as floats divide: by zero as well."""
    return a / b if type(a) is Symbol or type(b) is Symbol or is_complex(b) else np.divide(a, b)


def _nan(*args: Entry) -> bool:
    return any(_value(a) != _value(a) for a in args)


def _value(a: Entry) -> Any:
    return a.value if type(a) is Symbol else a


def absolute(x: Entry) -> Entry:
    return -x if x < 0 else x


def _power(x: Entry, y: Entry) -> Entry:
    return x**y if type(x) is Symbol or type(y) is Symbol else np.power(x, y)


def _log_of_sum(power: Callable[[Entry], Entry], x: Entry, y: Entry) -> Entry:
    """With a number beside a symbol as an exact one: ``exp(-1000)`` is no zero."""
    if type(x) is Symbol and type(y) is not Symbol and abs(y) < np.inf:
        y = x.trace.lift(y)
    elif type(y) is Symbol and type(x) is not Symbol and abs(x) < np.inf:
        x = y.trace.lift(x)
    return log(power(x) + power(y))


def _cbrt(x: Entry) -> Entry:
    third = 1 / 3
    return -((-x) ** third) if x < 0 else x**third


# Smooth rows: the formula; the value is the ufunc's own.

# fmt: off
_PRIMITIVES = (
    "exp", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "arcsinh", "arccosh", "arctanh", "sqrt", "erf", "erfc", "erfi", "erfinv", "gamma", "gammaln",
    "ellipk", "ellipe",
)
# fmt: on

SMOOTH: dict[str, Callable[..., Entry]] = {name: _unary(name) for name in _PRIMITIVES}
SMOOTH |= {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": _power,
    "float_power": _power,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "cbrt": _cbrt,
    "exp2": lambda x: 2**x,
    "exp10": lambda x: 10**x,
    "expm1": lambda x: exp(x) - 1,
    "log2": lambda x: log(x) / np.log(2),
    "log10": lambda x: log(x) / np.log(10),
    "log1p": lambda x: log(1 + x),
    "logaddexp": lambda x, y: _log_of_sum(exp, x, y),
    "logaddexp2": lambda x, y: _log_of_sum(lambda v: 2**v, x, y) / np.log(2),
    "hypot": lambda x, y: sqrt(x * x + y * y),
    "arctan2": lambda y, x: primitive("arctan2", y, x),
    "deg2rad": lambda x: x * (PI / 180),
    "radians": lambda x: x * (PI / 180),
    "rad2deg": lambda x: x * (180 / PI),
    "degrees": lambda x: x * (180 / PI),
    # scipy.special
    "expit": lambda x: 1 / (1 + exp(-x)),
    "logit": lambda x: log(x / (1 - x)),
    "log_expit": lambda x: -log(1 + exp(-x)),
    "softplus": lambda x: log(1 + exp(x)),
    "cosm1": lambda x: cos(x) - 1,
    "powm1": lambda x, y: _power(x, y) - 1,
    "sindg": lambda x: sin(x * (PI / 180)),
    "cosdg": lambda x: cos(x * (PI / 180)),
    "tandg": lambda x: tan(x * (PI / 180)),
    "cotdg": lambda x: 1 / tan(x * (PI / 180)),
    "radian": lambda d, m, s: (d + m / 60 + s / 3600) * (PI / 180),
    "pseudo_huber": lambda d, r: d**2 * (sqrt(1 + (r / d) ** 2) - 1),
    "inv_boxcox1p": lambda x, lam: _inverse_boxcox(x, lam) - 1,
    "ndtr": lambda x: erfc(-x / np.sqrt(2)) / 2,
    "log_ndtr": lambda x: log(erfc(-x / np.sqrt(2)) / 2),
    "ndtri": lambda p: np.sqrt(2) * erfinv(2 * p - 1),
    "ndtri_exp": lambda y: np.sqrt(2) * erfinv(2 * exp(y) - 1),
    "erfcx": lambda x: exp(x * x) * erfc(x),
    "erfcinv": lambda x: erfinv(1 - x),
    "dawsn": lambda x: np.sqrt(PI) / 2 * exp(-x * x) * primitive("erfi", x),
    "rgamma": lambda x: 1 / gamma(x),
    "loggamma": gammaln,
    "psi": lambda x: primitive("polygamma", 0, x),
    "digamma": lambda x: primitive("polygamma", 0, x),
    "beta": lambda a, b: gamma(a) * gamma(b) / gamma(a + b),
    "betaln": lambda a, b: gammaln(a) + gammaln(b) - gammaln(a + b),
    "poch": lambda z, m: gamma(z + m) / gamma(z),
    "binom": lambda n, k: gamma(n + 1) / (gamma(k + 1) * gamma(n - k + 1)),
    "gammainc": lambda a, x: primitive("gammainc", a, x),
    "gammaincc": lambda a, x: primitive("gammaincc", a, x),
    "chdtr": lambda v, x: primitive("gammainc", v / 2, x / 2),
    "chdtrc": lambda v, x: primitive("gammaincc", v / 2, x / 2),
    "gdtr": lambda a, b, x: primitive("gammainc", b, a * x),
    "gdtrc": lambda a, b, x: primitive("gammaincc", b, a * x),
    "pdtr": lambda k, m: primitive("gammaincc", _floor(k) + 1, m),
    "pdtrc": lambda k, m: primitive("gammainc", _floor(k) + 1, m),
    "betainc": lambda a, b, x: primitive("betainc", a, b, x),
    "betaincc": lambda a, b, x: 1 - primitive("betainc", a, b, x),
    "fdtr": lambda m, n, x: primitive("betainc", m / 2, n / 2, m * x / (n + m * x)),
    "fdtrc": lambda m, n, x: 1 - primitive("betainc", m / 2, n / 2, m * x / (n + m * x)),
    "spence": lambda x: primitive("polylog", 2, 1 - x),
    "agm": lambda a, b: PI / 4 * (a + b) / primitive("ellipk", ((a - b) / (a + b)) ** 2),
    "j0": lambda x: primitive("besselj", 0, x),
    "j1": lambda x: primitive("besselj", 1, x),
    "jv": lambda v, x: primitive("besselj", v, x),
    "jve": lambda v, x: primitive("besselj", v, x),
    "y0": lambda x: primitive("bessely", 0, x),
    "y1": lambda x: primitive("bessely", 1, x),
    "yn": lambda n, x: primitive("bessely", n, x),
    "yv": lambda v, x: primitive("bessely", v, x),
    "yve": lambda v, x: primitive("bessely", v, x),
    "i0": lambda x: primitive("besseli", 0, x),
    "i1": lambda x: primitive("besseli", 1, x),
    "iv": lambda v, x: primitive("besseli", v, x),
    "i0e": lambda x: exp(-absolute(x)) * primitive("besseli", 0, x),
    "i1e": lambda x: exp(-absolute(x)) * primitive("besseli", 1, x),
    "ive": lambda v, x: exp(-absolute(x)) * primitive("besseli", v, x),
    "k0": lambda x: primitive("besselk", 0, x),
    "k1": lambda x: primitive("besselk", 1, x),
    "kn": lambda n, x: primitive("besselk", n, x),
    "kv": lambda v, x: primitive("besselk", v, x),
    "k0e": lambda x: exp(x) * primitive("besselk", 0, x),
    "k1e": lambda x: exp(x) * primitive("besselk", 1, x),
    "kve": lambda v, x: exp(x) * primitive("besselk", v, x),
    "exp1": lambda x: primitive("expint", 1, x),
    "expn": lambda n, x: primitive("expint", n, x),
    "expi": lambda x: primitive("Ei", x),
    "ellipkm1": lambda p: primitive("ellipk", 1 - p),
    "_lambertw": lambda x, k, tol: primitive("lambertw", x),
    "_zeta": lambda s, q: primitive("zeta", s, q),
    "_riemann_zeta": lambda s: primitive("zeta", s, 1),
    "zetac": lambda s: primitive("zeta", s, 1) - 1,
    "wofz": lambda x: faddeeva(x, 0.0),
    "voigt_profile": lambda x, sigma, gamma: _voigt(x, sigma, gamma),
}


def _voigt(x: Entry, sigma: Entry, gamma: Entry) -> Entry:
    if sigma == 0:
        return gamma / (PI * (x * x + gamma * gamma))
    width = sigma * np.sqrt(2)
    return primitive("wofz_re", x / width, gamma / width) / (sigma * np.sqrt(2 * PI))


def _inverse_boxcox(y: Entry, lam: Entry) -> Entry:
    return exp(y) if lam == 0 else _power(lam * y + 1, 1 / lam)


def _boxcox(x: Entry, lam: Entry) -> Entry:
    return log(x) if lam == 0 else (_power(x, lam) - 1) / lam


def _xlogy(x: Entry, y: Entry) -> Entry:
    return 0.0 * x if x == 0 and not _nan(y) else x * log(y)


def _xlog1py(x: Entry, y: Entry) -> Entry:
    return 0.0 * x if x == 0 and not _nan(y) else x * log(1 + y)


def _entr(x: Entry) -> Entry:
    if x > 0:
        return -x * log(x)
    return 0.0 if x == 0 else -np.inf


def _rel_entr(x: Entry, y: Entry) -> Entry:
    if x > 0 and y > 0:
        return x * log(x / y)
    return 0.0 if x == 0 and y >= 0 else np.inf


def _kl_div(x: Entry, y: Entry) -> Entry:
    if x > 0 and y > 0:
        return x * log(x / y) - x + y
    return y if x == 0 and y >= 0 else np.inf


def _huber(delta: Entry, r: Entry) -> Entry:
    if delta < 0:
        return np.inf
    size = absolute(r)
    return r * r / 2 if size <= delta else delta * (size - delta / 2)


def _stdtr(df: Entry, t: Entry) -> Entry:
    tail = primitive("betainc", df / 2, 0.5, df / (df + t * t)) / 2
    return tail if t < 0 else 1 - tail


def _hyp0f1(v: Entry, z: Entry) -> Entry:
    if z == 0:
        return 1.0
    size = absolute(z)
    bessel = primitive("besselj" if z < 0 else "besseli", v - 1, 2 * sqrt(size))
    return gamma(v) * _power(size, (1 - v) / 2) * bessel


def _hypergeometric(name: str, closed: Callable[..., Entry | None]) -> Callable[..., Entry]:
    def formula(*args: Entry) -> Entry:
        if args[-1] == 0:
            return 1.0
        found = closed(primitive, PI, *args)
        if found is None:
            raise TraceError(f"{name} of these parameters", user_line())
        return found

    return formula


def _exprel(x: Entry) -> Entry:
    return 1.0 if x == 0 else (exp(x) - 1) / x


# Rows that compare: the result is one of several formulas.

DECIDING: dict[str, Callable[..., Entry]] = {}


def _decides(function: Callable[..., Entry]) -> Callable[..., Entry]:
    DECIDING[function.__name__.rstrip("_")] = function
    return function


DECIDING |= {"absolute": absolute, "fabs": absolute}


def _decimal(kept: Entry, other: Entry) -> Entry:
    """The operand that is kept; a decimal that is no float (0.999999) as a formula of its own.

    Its logarithm is then that of the decimal, as in the formula that it is compared with, and not
    that of the float, which is another number where the logarithm is sensitive.
    """
    if type(other) is Symbol and isinstance(kept, float) and kept == kept:
        node = other.trace.graph.number(float(kept))
        if node.op == "const" and node.args[0] != Fraction(float(kept)):
            return Symbol(node, np.float64(kept), other.trace)
    return kept


@_decides
def maximum(x: Entry, y: Entry) -> Entry:
    if _nan(x, y):
        return x if _nan(x) else y
    return _decimal(y, x) if x < y else _decimal(x, y)


@_decides
def minimum(x: Entry, y: Entry) -> Entry:
    if _nan(x, y):
        return x if _nan(x) else y
    return _decimal(y, x) if y < x else _decimal(x, y)


@_decides
def fmax(x: Entry, y: Entry) -> Entry:
    if _nan(x, y):
        return y if _nan(x) else x
    return y if x < y else x


@_decides
def fmin(x: Entry, y: Entry) -> Entry:
    if _nan(x, y):
        return y if _nan(x) else x
    return y if y < x else x


@_decides
def sign(x: Entry) -> Entry:
    if _nan(x):
        return x
    if x > 0:
        return 1.0
    return 0.0 if x == 0 else -1.0


@_decides
def heaviside(x: Entry, middle: Entry) -> Entry:
    if _nan(x):
        return x
    if x > 0:
        return 1.0
    return middle if x == 0 else 0.0


@_decides
def signbit(x: Entry) -> bool:
    value = _value(x)
    if value == 0 or value != value:
        if type(x) is Symbol:
            x.trace.decide("==", x, 0)  # the sign of a zero is not of the real number
        return bool(np.signbit(value))
    return bool(x < 0)


@_decides
def copysign(x: Entry, y: Entry) -> Entry:
    return -absolute(x) if signbit(y) else absolute(x)


@_decides
def clip(x: Entry, low: Entry, high: Entry) -> Entry:
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


@_decides
def isnan(x: Entry) -> bool:
    return bool(np.isnan(_value(x)))


@_decides
def isinf(x: Entry) -> bool:
    return bool(np.isinf(_value(x)))


@_decides
def isfinite(x: Entry) -> bool:
    return bool(np.isfinite(_value(x)))


@_decides
def gammasgn(x: Entry) -> float:
    from scipy import special

    if not x > 0:
        _floor(x)
    return float(special.gammasgn(_value(x)))


DECIDING |= {
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "logical_not": lambda x: not bool(x),
    "logical_and": lambda x, y: bool(x) and bool(y),
    "logical_or": lambda x, y: bool(x) or bool(y),
    "logical_xor": lambda x, y: bool(x) != bool(y),
}

# fmt: off
BOOLEAN = frozenset({
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_not",
    "logical_and", "logical_or", "logical_xor", "isnan", "isinf", "isfinite", "signbit",
})
# fmt: on

# Rows with both: decided formulas whose value the ufunc computes more accurately.
SMOOTH |= {
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "entr": _entr,
    "rel_entr": _rel_entr,
    "kl_div": _kl_div,
    "huber": _huber,
    "exprel": _exprel,
    "stdtr": _stdtr,
    "hyp0f1": _hyp0f1,
    "hyp1f1": _hypergeometric("hyp1f1", confluent),
    "hyp2f1": _hypergeometric("hyp2f1", gauss),
    "boxcox": _boxcox,
    "boxcox1p": lambda x, lam: _boxcox(1 + x, lam),
    "inv_boxcox": _inverse_boxcox,
}


# Rounding


def _floor(x: Entry) -> Entry:
    return x.floor() if type(x) is Symbol else np.floor(x)


def _trunc(x: Entry) -> Entry:
    return x.trunc() if type(x) is Symbol else np.trunc(x)


SMOOTH |= {
    "floor": _floor,
    "ceil": lambda x: x.ceil() if type(x) is Symbol else np.ceil(x),
    "trunc": _trunc,
    "rint": lambda x: x.rint() if type(x) is Symbol else np.rint(x),
    "remainder": lambda x, y: x - y * _floor(x / y),
    "floor_divide": lambda x, y: _floor(x / y),
    "fmod": lambda x, y: x - y * _trunc(x / y),
    "divmod": lambda x, y: (_floor(x / y), x - y * _floor(x / y)),
    "modf": lambda x: (x - _trunc(x), _trunc(x)),
    "sici": lambda x: (primitive("Si", x), primitive("Ci", x)),
    "shichi": lambda x: (primitive("Shi", x), primitive("Chi", x)),
    "fresnel": lambda x: (primitive("fresnels", x), primitive("fresnelc", x)),
    "airy": lambda x: tuple(
        primitive(op, x) for op in ("airyai", "airyaiprime", "airybi", "airybiprime")
    ),
    "ldexp": lambda x, n: x * 2.0 ** int(n),
}


SMOOTH |= POLYNOMIALS


def _row(name: str, ufunc: np.ufunc) -> Callable[..., Entry] | None:
    """The entry-level function of a ufunc: plain numbers go to the ufunc itself."""
    formula = SMOOTH.get(name)
    if formula is not None:
        return _smooth(name, ufunc, formula)
    decision = DECIDING.get(name)
    if decision is None:
        return None

    def entry(*args: Entry) -> Entry:
        for a in args:
            if type(a) is Symbol:
                return decision(*args)
            if type(a) is ComplexSymbol or isinstance(a, complex):
                return _complex(name, ufunc, args)
        return ufunc(*args)

    return entry


def _smooth(name: str, ufunc: np.ufunc, formula: Callable[..., Entry]) -> Callable[..., Entry]:
    if name in ("add", "subtract", "multiply"):

        def entry(*args: Entry) -> Entry:
            return formula(*args)  # Python's operators do the same on plain numbers

    elif ufunc.nout > 1:

        def entry(*args: Entry) -> Entry:
            if not any(type(a) is Symbol for a in args):
                return ufunc(*args)
            values = ufunc(*(_value(a) for a in args))
            return tuple(_revalue(r, v) for r, v in zip(formula(*args), values, strict=True))

    elif name in _PRIMITIVES:

        def entry(*args: Entry) -> Entry:
            (x,) = args
            if type(x) is Symbol:
                trace = x.trace
                return Symbol(trace.graph.apply(name, x.node), ufunc(x.value), trace)
            return _complex(name, ufunc, args) if type(x) is ComplexSymbol else ufunc(x)

    elif ufunc.nin == 1:

        def entry(*args: Entry) -> Entry:
            (x,) = args
            if type(x) is Symbol:
                return _revalue(formula(x), ufunc(x.value))
            if type(x) is ComplexSymbol:
                return _complex(name, ufunc, args)
            return ufunc(x)

    else:

        def entry(*args: Entry) -> Entry:
            symbolic = False
            for a in args:
                if type(a) is Symbol:
                    symbolic = True
                elif is_complex(a):
                    return _complex(name, ufunc, args)
            if not symbolic:
                return ufunc(*args)
            return _revalue(formula(*args), ufunc(*[_value(a) for a in args]))

    return entry


def _revalue(result: Entry, value: Any) -> Entry:
    """The formula with the value that the ufunc computed."""
    if type(result) is ComplexSymbol:
        return result
    if type(result) is not Symbol:
        return value
    if result.value == value or isinstance(value, complex):
        return result
    return Symbol(result.node, np.float64(value), result.trace)


def _complex(name: str, ufunc: np.ufunc, args: tuple[Entry, ...]) -> Entry:
    if not any(type(a) in (Symbol, ComplexSymbol) for a in args):
        return ufunc(*args)
    formula = COMPLEX_FORMULAS.get(name)
    if formula is None:
        raise TraceError(f"{name} of complex entries", user_line())
    return formula(*args)


_CACHE: dict[np.ufunc, Callable[..., Entry] | None] = {}


def find(ufunc: np.ufunc) -> Callable[..., Entry] | None:
    """The entry-level function of a ufunc of NumPy or ``scipy.special``, None if there is none."""
    if ufunc not in _CACHE:
        _CACHE[ufunc] = _row(ufunc.__name__, ufunc)
    return _CACHE[ufunc]


@lru_cache(maxsize=512)
def lowered(ufunc: np.ufunc) -> np.ufunc | None:
    """The ufunc on object arrays that applies :func:`find`'s function entry by entry."""
    entry = find(ufunc)
    return None if entry is None else np.frompyfunc(entry, ufunc.nin, ufunc.nout)
