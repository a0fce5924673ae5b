"""Fourier and cosine transforms on traced arrays, with exact roots of unity.

A transform is the sum that defines it (NumPy's documentation of ``numpy.fft``; for the cosine and
sine transforms that of ``scipy.fft``). Cosines of rational multiples of pi are numbers in radicals
where the angle allows it, else ``cos`` of an exact angle, so that a proof meets no rounded twiddle
factor.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.array import TracedArray, values, wrap
from symbolic.array_functions import as_traced, implements, revalued
from symbolic.complex import ComplexSymbol, imag_part, real_part
from symbolic.values import Symbol, Trace

__all__ = ["SCIPY_FFT"]

_HALF = Fraction(1, 2)


def exact_cos(trace: Trace, turns: Fraction) -> Any:
    """The cosine of ``2 pi turns``: a plain number where it is rational, else a constant symbol."""
    turns = turns % 1
    if turns > _HALF:
        turns = 1 - turns
    if turns > Fraction(1, 4):
        negative = exact_cos(trace, _HALF - turns)
        return -negative
    rational = {Fraction(0): 1.0, Fraction(1, 6): 0.5, Fraction(1, 4): 0.0}
    if turns in rational:
        return rational[turns]
    found = _radical(trace, turns)
    if found is None:
        g = trace.graph
        node = g.apply("cos", g.mul(g.constant(2 * turns), g.make("pi")))
        return Symbol(node, np.float64(np.cos(2 * np.pi * float(turns))), trace)
    return Symbol(found.node, np.float64(np.cos(2 * np.pi * float(turns))), trace)


def exact_sin(trace: Trace, turns: Fraction) -> Any:
    return exact_cos(trace, turns - Fraction(1, 4))


def _radical(trace: Trace, turns: Fraction) -> Symbol | None:
    """Square roots for the angles that half-angle formulas reach from 0, 60, 72 and 90 degrees."""

    def root(x: Any) -> Symbol:
        return trace.apply("sqrt", x)

    if turns in (Fraction(1, 5), Fraction(1, 10)):
        return (root(5) + (1 if turns == Fraction(1, 10) else -1)) / 4
    half_of = {1: (), 2: (), 3: (), 4: (), 5: (), 6: ()}
    if turns.denominator % 2 == 0 and turns.denominator <= 64 and turns.denominator not in half_of:
        odd = turns.denominator
        while odd % 2 == 0:
            odd //= 2
        if odd in (1, 3, 5):
            return root((1 + exact_cos(trace, 2 * turns)) / 2)
    return None


def _trace(entries: np.ndarray) -> Trace | None:
    for e in entries.flat:
        if type(e) is ComplexSymbol:
            e = e.re if type(e.re) is Symbol else e.im
        if type(e) is Symbol:
            return e.trace
    return None


def _scaled(x: Any, c: Any) -> Any:
    """``c x`` without a node for a factor of zero or one."""
    if type(c) is not Symbol:
        if c == 0 or (type(x) is not Symbol and x == 0):
            return 0.0
        if c == 1:
            return x
        if c == -1:
            return -x
    return c * x


class _Roots:
    """Cosines and sines of the multiples of one n-th of a turn, each made once."""

    def __init__(self, trace: Trace, n: int):
        self.n = n
        self.cos = [exact_cos(trace, Fraction(k, n)) for k in range(n)]
        self.sin = [exact_sin(trace, Fraction(k, n)) for k in range(n)]


def _factor(norm: str | None, inverse: bool, n: int, trace: Trace) -> Any:
    """What the sum is multiplied by."""
    if norm == "ortho":
        return 1 / trace.apply("sqrt", n)
    if norm not in (None, "backward", "forward"):
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return 1 / n if inverse == (norm != "forward") else 1


def _complex(re: Any, im: Any) -> Any:
    if type(re) is Symbol or type(im) is Symbol:
        return ComplexSymbol(re, im)
    return complex(re, im)


def _dft(line: np.ndarray, inverse: bool, count: int, roots: _Roots, scale: Any) -> list[Any]:
    """The first ``count`` coefficients of one line."""
    n, sign = roots.n, 1 if inverse else -1
    re = [real_part(e) for e in line]
    im = [imag_part(e) for e in line]
    out = []
    for k in range(count):
        a: Any = 0.0
        b: Any = 0.0
        for m in range(n):
            c, s = roots.cos[k * m % n], sign * roots.sin[k * m % n]
            a = a + _scaled(re[m], c) - _scaled(im[m], s)
            b = b + _scaled(re[m], s) + _scaled(im[m], c)
        out.append(_complex(_scaled(a, scale), _scaled(b, scale)))
    return out


def _real_inverse(line: np.ndarray, n: int, roots: _Roots, scale: Any) -> list[Any]:
    """The real signal of ``n`` samples whose half spectrum is ``line``."""
    re = [real_part(e) for e in line]
    im = [imag_part(e) for e in line]
    out = []
    for m in range(n):
        total: Any = re[0]
        for k in range(1, n // 2 + 1):
            c, s = roots.cos[k * m % n], roots.sin[k * m % n]
            if 2 * k == n:
                total = total + _scaled(re[k], c)
            else:
                total = total + 2 * (_scaled(re[k], c) - _scaled(im[k], s))
        out.append(_scaled(total, scale))
    return out


def _fitted(entries: np.ndarray, n: int) -> np.ndarray:
    """The last axis cropped or padded by zeros to ``n``."""
    if n < 1:
        raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    if entries.shape[-1] >= n:
        return entries[..., :n]
    pad = np.zeros((*entries.shape[:-1], n - entries.shape[-1])).astype(object)
    return np.concatenate([entries, pad], axis=-1)


def _along(
    a: TracedArray, axis: int, lines: Callable[[np.ndarray], list[Any]], dtype: Any
) -> TracedArray:
    moved = np.moveaxis(a._entries, axis, -1)
    results = [lines(moved[i]) for i in np.ndindex(moved.shape[:-1])]
    out = np.empty((len(results), len(results[0])), dtype=object)
    for i, r in enumerate(results):
        out[i] = r
    shaped = out.reshape(moved.shape[:-1] + (out.shape[-1],))
    return wrap(np.moveaxis(shaped, -1, axis), dtype)


def _transform(
    a: Any, n: int | None, axis: int, norm: Any, inverse: bool, half: bool = False
) -> Any:
    a = as_traced(a)
    n = a.shape[axis] if n is None else int(n)
    run = _trace(a._entries)
    if run is None:
        function = np.fft.rfft if half else np.fft.ifft if inverse else np.fft.fft
        return wrap(function(values(a), n, axis, norm))
    roots, scale = _Roots(run, n), _factor(norm, inverse, n, run)
    count = n // 2 + 1 if half else n

    def lines(line: np.ndarray) -> list[Any]:
        return _dft(_fitted(line, n), inverse, count, roots, scale)

    return _along(a, axis, lines, np.dtype(complex))


def _numeric(function: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    return function(values(as_traced(a)), *args, **kwargs)


@implements(np.fft.fft)
def fft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return revalued(_transform(a, n, axis, norm, False), _numeric(np.fft.fft, a, n, axis, norm))


@implements(np.fft.ifft)
def ifft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return revalued(_transform(a, n, axis, norm, True), _numeric(np.fft.ifft, a, n, axis, norm))


@implements(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    result = _transform(as_traced(a).real, n, axis, norm, False, half=True)
    return revalued(result, _numeric(np.fft.rfft, as_traced(a).real, n, axis, norm))


@implements(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    a = as_traced(a)
    n = 2 * (a.shape[axis] - 1) if n is None else int(n)
    value = _numeric(np.fft.irfft, a, n, axis, norm)
    run = _trace(a._entries)
    if run is None:
        return wrap(value)
    roots, scale = _Roots(run, n), _factor(norm, True, n, run)

    def lines(line: np.ndarray) -> list[Any]:
        return _real_inverse(_fitted(line, n // 2 + 1), n, roots, scale)

    return revalued(_along(a, axis, lines, np.dtype(float)), value)


_SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


@implements(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return irfft(np.conjugate(as_traced(a)), n, axis, _SWAPPED[norm])


@implements(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return np.conjugate(rfft(a, n, axis, _SWAPPED[norm]))


def _axes_and_sizes(a: TracedArray, s: Any, axes: Any) -> tuple[list[int], list[Any]]:
    if axes is None:
        axes = range(a.ndim) if s is None else range(a.ndim - len(s), a.ndim)
    axes = list(axes)
    return axes, [None] * len(axes) if s is None else [None if v == -1 else v for v in s]


def _several(one: Callable[..., Any], a: Any, s: Any, axes: Any, norm: Any) -> Any:
    a = as_traced(a)
    for axis, n in reversed(list(zip(*_axes_and_sizes(a, s, axes), strict=True))):
        a = one(a, n, axis, norm)
    return a


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _several(fft, a, s, axes, norm)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _several(ifft, a, s, axes, norm)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    a = as_traced(a)
    axes, sizes = _axes_and_sizes(a, s, axes)
    a = rfft(a, sizes[-1], axes[-1], norm)
    return _several(fft, a, sizes[:-1], axes[:-1], norm) if axes[:-1] else a


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    a = as_traced(a)
    axes, sizes = _axes_and_sizes(a, s, axes)
    for axis, n in zip(axes[:-1], sizes[:-1], strict=True):
        a = ifft(a, n, axis, norm)
    return irfft(a, sizes[-1], axes[-1], norm)


def _two(several: Callable[..., Any]) -> Callable[..., Any]:
    def two(
        a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: Any = None, out: Any = None
    ):
        return several(a, s, axes, norm)

    return two


implements(np.fft.fft2)(_two(fftn))
implements(np.fft.ifft2)(_two(ifftn))
implements(np.fft.rfft2)(_two(rfftn))
implements(np.fft.irfft2)(_two(irfftn))


# Cosine and sine transforms (scipy.fft): the sum over n of x_n times a cosine or a sine


def _row(kind: str, type_: int, k: int, n: int, size: int, run: Trace, ortho: bool) -> Any:
    """The weight of sample ``n`` in coefficient ``k``, in the unnormalised definition."""
    cosine = kind == "dct"
    quarter = Fraction(1, 4 * size)
    if type_ == 1:
        if cosine:
            weight = exact_cos(run, Fraction(k * n, 2 * (size - 1)))
            ends = n in (0, size - 1)
            return weight if ends else 2 * weight
        return 2 * exact_sin(run, Fraction((k + 1) * (n + 1), 2 * (size + 1)))
    if type_ == 2:
        if cosine:
            return 2 * exact_cos(run, k * (2 * n + 1) * quarter)
        return 2 * exact_sin(run, (k + 1) * (2 * n + 1) * quarter)
    if type_ == 3:
        if cosine:
            return 1.0 if n == 0 else 2 * exact_cos(run, n * (2 * k + 1) * quarter)
        if n == size - 1:
            return 1.0 if k % 2 == 0 else -1.0
        return 2 * exact_sin(run, (n + 1) * (2 * k + 1) * quarter)
    both = (2 * k + 1) * (2 * n + 1) * quarter / 2
    return 2 * (exact_cos(run, both) if cosine else exact_sin(run, both))


def _length(kind: str, type_: int, size: int) -> int:
    if type_ == 1:
        return 2 * (size - 1) if kind == "dct" else 2 * (size + 1)
    return 2 * size


def _matrix(kind: str, type_: int, size: int, norm: Any, run: Trace, inverse: bool) -> np.ndarray:
    """The transform as a matrix of exact entries."""
    if inverse and type_ in (2, 3):
        type_ = 5 - type_
    m = np.empty((size, size), dtype=object)
    for k in range(size):
        for n in range(size):
            m[k, n] = _row(kind, type_, k, n, size, run, norm == "ortho")
    length = _length(kind, type_, size)
    if norm == "ortho":
        half = run.apply("sqrt", Fraction(1, 2))
        edge = 0 if kind == "dct" else size - 1
        if type_ == 2:
            m[edge] = [half * v for v in m[edge]]
        elif type_ == 3:
            m[:, edge] = [2 * half * v for v in m[:, edge]]
        elif type_ == 1 and kind == "dct":
            root = 2 * half
            for end in (0, size - 1):
                m[:, end] = [root * v for v in m[:, end]]
                m[end] = [half * v for v in m[end]]
        scale: Any = 1 / run.apply("sqrt", length)
    else:
        scale = 1 / length if inverse == (norm != "forward") else 1
    return np.frompyfunc(lambda v: _scaled(v, scale), 1, 1)(m)


def _trigonometric(kind: str, inverse: bool) -> Callable[..., Any]:
    def transform(
        x: Any,
        type: int = 2,
        n: Any = None,
        axis: int = -1,
        norm: Any = None,
        *a: Any,
        **kwargs: Any,
    ) -> Any:
        import scipy.fft

        x = as_traced(x)
        size = x.shape[axis] if n is None else int(n)
        run = _trace(x._entries)
        function = getattr(scipy.fft, ("i" if inverse else "") + kind)
        value = function(values(x), type, n, axis, norm)
        if run is None:
            return wrap(value)
        m = _matrix(kind, type, size, norm, run, inverse)

        def lines(line: np.ndarray) -> list[Any]:
            samples = _fitted(line, size)
            out = []
            for k in range(size):
                total: Any = 0.0
                for j in range(size):
                    total = total + _scaled(samples[j], m[k, j])
                out.append(total)
            return out

        return revalued(_along(x, axis, lines, x.dtype), value)

    return transform


_NUMPY_NAMES = "fft ifft rfft irfft hfft ihfft fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn"


def _scipy(name: str) -> Callable[..., Any]:
    function = getattr(np.fft, name)

    def call(x: Any, *args: Any, norm: Any = None, **kwargs: Any) -> Any:
        kept = {k: v for k, v in kwargs.items() if k in ("n", "s", "axis", "axes")}
        return function(as_traced(x), *args[:2], *args[2:3], **kept, norm=norm)

    return call


SCIPY_FFT: dict[str, Callable[..., Any]] = {name: _scipy(name) for name in _NUMPY_NAMES.split()}
SCIPY_FFT |= {
    "dct": _trigonometric("dct", False),
    "idct": _trigonometric("dct", True),
    "dst": _trigonometric("dst", False),
    "idst": _trigonometric("dst", True),
}
