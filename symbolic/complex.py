"""Complex entries: a pair of real ones, so that Fourier transforms and phasors trace.

May import: :mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Complex, Real
from typing import Any

import numpy as np

from symbolic.values import Symbol

__all__ = [
    "COMPLEX_FORMULAS",
    "ComplexSymbol",
    "faddeeva",
    "imag_part",
    "is_complex",
    "real_part",
]


def is_complex(x: Any) -> bool:
    """Whether the entry is complex, traced or not."""
    return type(x) is ComplexSymbol or isinstance(x, complex)


def real_part(x: Any) -> Any:
    if type(x) is ComplexSymbol:
        return x.re
    return x if type(x) is Symbol else x.real


def imag_part(x: Any) -> Any:
    if type(x) is ComplexSymbol:
        return x.im
    return 0.0 if type(x) is Symbol else x.imag


def _apply(op: str, x: Any) -> Any:
    return x.trace.apply(op, x) if type(x) is Symbol else getattr(np, op)(x)


def _times(a: Any, b: Any) -> Any:
    """A product in which an exact zero or one costs no node, whatever the other factor is."""
    if type(a) is not Symbol:
        if a == 0:
            return 0.0
        if a == 1:
            return b
    if type(b) is not Symbol:
        if b == 0:
            return 0.0
        if b == 1:
            return a
    return a * b


def _pair(other: Any) -> tuple[Any, Any] | None:
    kind = type(other)
    if kind is ComplexSymbol:
        return other.re, other.im
    if kind is Symbol:
        return other, 0.0
    if isinstance(other, (Real, np.bool_)):
        return other, 0.0
    if isinstance(other, Complex):
        return other.real, other.imag
    return None


class ComplexSymbol:
    """A complex entry ``re + i im``, of which at least one part is traced."""

    __slots__ = ("im", "re")
    __array_priority__ = 1001.0
    __array_ufunc__ = None
    dtype = np.dtype(np.complex128)
    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    def __init__(self, re: Any, im: Any):
        self.re = re
        self.im = im

    def __repr__(self) -> str:
        return f"({self.re!r} + {self.im!r}i)"

    @property
    def real(self) -> Any:
        return self.re

    @property
    def imag(self) -> Any:
        return self.im

    @property
    def value(self) -> complex:
        return complex(getattr(self.re, "value", self.re), getattr(self.im, "value", self.im))

    def __add__(self, other: Any) -> Any:
        pair = _pair(other)
        return NotImplemented if pair is None else _make(self.re + pair[0], self.im + pair[1])

    __radd__ = __add__

    def __neg__(self) -> Any:
        return ComplexSymbol(-self.re, -self.im)

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        pair = _pair(other)
        return NotImplemented if pair is None else _make(self.re - pair[0], self.im - pair[1])

    def __rsub__(self, other: Any) -> Any:
        pair = _pair(other)
        return NotImplemented if pair is None else _make(pair[0] - self.re, pair[1] - self.im)

    def __mul__(self, other: Any) -> Any:
        pair = _pair(other)
        if pair is None:
            return NotImplemented
        c, d = pair
        re = _times(self.re, c) - _times(self.im, d)
        return _make(re, _times(self.re, d) + _times(self.im, c))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        pair = _pair(other)
        if pair is None:
            return NotImplemented
        return _divide((self.re, self.im), pair)

    def __rtruediv__(self, other: Any) -> Any:
        pair = _pair(other)
        return NotImplemented if pair is None else _divide(pair, (self.re, self.im))

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, (int, float)) and other == int(other) and abs(other) <= 64:
            n = int(other)
            result: Any = 1.0
            for _ in range(abs(n)):
                result = self * result
            return result if n >= 0 else 1 / result
        return exp(log(self) * other)

    def __rpow__(self, other: Any) -> Any:
        return exp(self * log(other))

    def __abs__(self) -> Any:
        return magnitude(self)

    def __eq__(self, other: Any) -> Any:
        pair = _pair(other)
        if pair is None:
            return NotImplemented
        return bool(self.re == pair[0]) and bool(self.im == pair[1])

    def __ne__(self, other: Any) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.re != 0) or bool(self.im != 0)

    def conjugate(self) -> Any:
        return ComplexSymbol(self.re, -self.im)

    conj = conjugate


def _make(re: Any, im: Any) -> Any:
    if type(re) is Symbol or type(im) is Symbol:
        return ComplexSymbol(re, im)
    return complex(re, im)


def _divide(a: tuple[Any, Any], b: tuple[Any, Any]) -> Any:
    (x, y), (c, d) = a, b
    if type(d) is not Symbol and d == 0:
        return _make(x / c, y / c)
    size = c * c + d * d
    re = (_times(x, c) + _times(y, d)) / size
    return _make(re, (_times(y, c) - _times(x, d)) / size)


def magnitude(z: Any) -> Any:
    """The absolute value of a complex entry."""
    re, im = real_part(z), imag_part(z)
    return _apply("sqrt", re * re + im * im)


def angle(z: Any) -> Any:
    """The argument of a complex entry, in (-pi, pi]."""
    re, im = real_part(z), imag_part(z)
    for part in (re, im):
        if type(part) is Symbol:
            return part.trace.apply("arctan2", im, re)
    return np.arctan2(im, re)


def exp(z: Any) -> Any:
    re, im = real_part(z), imag_part(z)
    size = _apply("exp", re)
    return _make(_times(size, _apply("cos", im)), _times(size, _apply("sin", im)))


def log(z: Any) -> Any:
    return _make(_apply("log", magnitude(z)), angle(z))


def sqrt(z: Any) -> Any:
    half, size = angle(z) / 2, _apply("sqrt", magnitude(z))
    return _make(size * _apply("cos", half), size * _apply("sin", half))


def _sin(z: Any) -> Any:
    x, y = real_part(z), imag_part(z)
    return _make(
        _apply("sin", x) * _apply("cosh", y),
        _apply("cos", x) * _apply("sinh", y),
    )


def _cos(z: Any) -> Any:
    x, y = real_part(z), imag_part(z)
    return _make(
        _apply("cos", x) * _apply("cosh", y),
        -_apply("sin", x) * _apply("sinh", y),
    )


def _sinh(z: Any) -> Any:
    x, y = real_part(z), imag_part(z)
    return _make(
        _apply("sinh", x) * _apply("cos", y),
        _apply("cosh", x) * _apply("sin", y),
    )


def _cosh(z: Any) -> Any:
    x, y = real_part(z), imag_part(z)
    return _make(
        _apply("cosh", x) * _apply("cos", y),
        _apply("sinh", x) * _apply("sin", y),
    )


def _tan(z: Any) -> Any:
    x, y = 2 * real_part(z), 2 * imag_part(z)
    size = _apply("cos", x) + _apply("cosh", y)
    return _make(_apply("sin", x) / size, _apply("sinh", y) / size)


def _tanh(z: Any) -> Any:
    x, y = 2 * real_part(z), 2 * imag_part(z)
    size = _apply("cosh", x) + _apply("cos", y)
    return _make(_apply("sinh", x) / size, _apply("sin", y) / size)


def _arcsin(z: Any) -> Any:
    return -1j * log(1j * z + sqrt(1 - z * z))


def _arctanh(z: Any) -> Any:
    return (log(1 + z) - log(1 - z)) * 0.5


def _sign(z: Any) -> Any:
    return 0j if z == 0 else z / magnitude(z)


def faddeeva(x: Any, y: Any) -> ComplexSymbol:
    """Faddeeva's function of ``x + i y``."""
    trace = (x if type(x) is Symbol else y).trace
    return ComplexSymbol(*(trace.apply(op, x, y) for op in ("wofz_re", "wofz_im")))


COMPLEX_FORMULAS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1 / a,
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "conjugate": lambda a: a.conjugate(),
    "absolute": magnitude,
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "exp2": lambda a: exp(a * float(np.log(2))),
    "expm1": lambda a: exp(a) - 1,
    "log2": lambda a: log(a) / float(np.log(2)),
    "log10": lambda a: log(a) / float(np.log(10)),
    "log1p": lambda a: log(1 + a),
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "arcsin": _arcsin,
    "arccos": lambda a: np.pi / 2 - _arcsin(a),
    "arctan": lambda a: -1j * _arctanh(1j * a),
    "arcsinh": lambda a: -1j * _arcsin(1j * a),
    "arccosh": lambda a: log(a + sqrt(a + 1) * sqrt(a - 1)),
    "arctanh": _arctanh,
    "sign": _sign,
    "wofz": lambda a: faddeeva(a.re, a.im),
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "isnan": lambda a: bool(np.isnan(a.value)),
    "isinf": lambda a: bool(np.isinf(a.value)),
    "isfinite": lambda a: bool(np.isfinite(a.value)),
}
