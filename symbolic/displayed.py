"""Values as they stand in a derivation: exact where they are short, decimal beside.

May import: :mod:`symbolic.index_notation`, :mod:`symbolic.notation`, :mod:`symbolic.formulas`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symbolic.formulas import exact
from symbolic.index_notation import evaluate_exactly
from symbolic.notation import Names, latex, text

__all__ = ["Displayed", "displayed_formulas", "displayed_values"]

_MOST_ENTRIES = 36  # beyond that only the first entries are shown
_MOST_EXACT = 64
_APPROX = r"\approx"


@dataclass(frozen=True)
class Displayed:
    """A value in words and in LaTeX: ``text`` is ``9/2 = 4.5``, ``short`` ``9/2``."""

    text: str
    latex: str
    short: str = ""
    short_latex: str = ""
    uniform: bool = True
    exact: np.ndarray | None = None


def displayed_values(
    variables: Sequence[Any],
    arrays: Mapping[Any, np.ndarray] | None = None,
    formula: tuple[Any, Any, Mapping[Any, np.ndarray]] | None = None,
) -> dict[Any, Displayed]:
    """The values of variables (by symbol), or of plain arrays (by key).

    Parameters
    ----------
    variables : sequence of Variable
        Leaves and steps, each after what it uses.
    arrays : dict, optional
        Further values.
    formula : tuple, optional
        The entry, its own indices and the exact values to compute the exact value of ``arrays``
        from.
    """
    found: dict[Any, Displayed] = {}
    tables: dict[Any, np.ndarray] = {}
    for v in variables:
        exactly = (
            _exact_leaf(v.table) if v.entry is None else _exactly(v.entry, v.own, tables, v.table)
        )
        if v.entry is None and v.jacobians:
            exactly = _exact_leaf(v.table)
        if exactly is not None:
            tables[v.symbol] = exactly
        found[v.symbol] = _displayed(v.table, exactly)
    for key, array in (arrays or {}).items():
        exactly = _exactly(*formula, array) if formula is not None else _exact_leaf(array)
        found[key] = _displayed(np.asarray(array), exactly)
    return found


def _exact_leaf(table: np.ndarray) -> np.ndarray | None:
    """Short decimals and fractions, exactly; None as soon as one entry is no such number."""
    if table.size > _MOST_EXACT:
        return None
    out = np.empty(table.shape, dtype=object)
    for index in np.ndindex(table.shape):
        number = exact(table[index])
        number = sp.sympify(number)
        if not number.is_Rational or abs(number.p) > 10**5 or number.q > 10**4:
            return None
        out[index] = number
    return out


def _exactly(
    entry: Any, own: Any, tables: Mapping[Any, np.ndarray], values: np.ndarray
) -> np.ndarray | None:
    """The entries by SymPy, where all that they need is known exactly and they stay short."""
    shape = tuple(n for _, n in own)
    if int(np.prod(shape)) > _MOST_EXACT:
        return None
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        places = {i: sp.Integer(k) for (i, _), k in zip(own, index, strict=True)}
        try:
            number = sp.sympify(evaluate_exactly(entry, places, dict(tables)))
            if not number.is_Rational and number.count_ops() > 12:
                return None
            close = bool(np.isclose(float(number), values[index], rtol=1e-6, atol=1e-6))
        except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, AttributeError):
            return None
        if not number.is_number or not close or (number.is_Rational and abs(number.p) > 10**9):
            return None
        out[index] = number
    return out


def displayed_formulas(entries: np.ndarray, taken: Iterable[str] = ()) -> Displayed:
    """An array of formulas, entry by entry."""

    def in_text(entry: sp.Expr) -> str:
        written = text(entry, Names((), taken))
        return f"({written})" if isinstance(entry, sp.Piecewise) else written

    def in_latex(entry: sp.Expr) -> str:
        return latex(entry, Names((), taken))

    return Displayed(_array(entries, in_text), _array_latex(entries, in_latex))


def _decimal(value: float) -> str:
    text = f"{value:.6g}"
    return "0" if text == "-0" else text


def _decimal_latex(value: float) -> str:
    text = _decimal(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text)


def _is_exact_decimal(number: Any) -> bool:
    return (
        bool(number.is_Rational)
        and float(_decimal(float(number))) == float(number)
        and (sp.Rational(_decimal(float(number))) == number)
    )


def _symbolic(number: sp.Expr) -> str:
    return text(number, Names())


def _displayed(values: np.ndarray, exactly: np.ndarray | None) -> Displayed:
    uniform = values.size > 0 and bool(np.all(values == values.flat[0]))
    if exactly is not None:
        uniform = uniform or len(set(exactly.flat)) == 1
    if values.size == 0:
        return Displayed("()", "()", "()", "()", False)
    if uniform:
        value = float(values.flat[0])
        decimal, tex = _decimal(value), _decimal_latex(value)
        if exactly is None:
            return Displayed(decimal, tex, decimal, tex, True)
        number = exactly.flat[0]
        if number.is_Integer:
            return Displayed(str(number), str(number), str(number), str(number), True, exactly)
        word, word_tex = _symbolic(number), sp.latex(number)
        same = _is_exact_decimal(number)
        return Displayed(
            f"{word} {'=' if same else '≈'} {decimal}",
            f"{word_tex} {'=' if same else _APPROX} {tex}",
            word,
            word_tex,
            True,
            exactly,
        )
    decimal, tex = _array(values, _decimal), _array_latex(values, _decimal_latex)
    short = len(set(exactly.flat) if exactly is not None else ()) > 0 and all(
        len(str(e)) <= 16
        for e in exactly.flat  # type: ignore[union-attr]
    )
    if exactly is None or not short:
        return Displayed(decimal, tex, decimal, tex, False, exactly)
    word, word_tex = _array(exactly, _symbolic), _array_latex(exactly, sp.latex)
    if all(e.is_Integer for e in exactly.flat):
        return Displayed(word, word_tex, word, word_tex, False, exactly)
    same = all(_is_exact_decimal(e) for e in exactly.flat)
    return Displayed(
        f"{word} {'=' if same else '≈'} {decimal}",
        f"{word_tex} {'=' if same else _APPROX} {tex}",
        word,
        word_tex,
        False,
        exactly,
    )


def _array(values: Any, show: Callable[[Any], str], inside: bool = False) -> str:
    if not isinstance(values, np.ndarray):
        return show(values)
    shown = _shown(values, lambda v: _array(v, show, True), "…")
    return f"[{shown}]" if inside or values.ndim > 1 else f"({shown})"


def _array_latex(values: Any, show: Callable[[Any], str]) -> str:
    if not isinstance(values, np.ndarray):
        return show(values)
    if values.ndim == 2 and max(values.shape) <= 8:
        rows = r" \\ ".join(" & ".join(show(v) for v in row) for row in values)
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
    shown = _shown(values, lambda v: _array_latex(v, show), r"\dots")
    return rf"\left({shown}\right)" if values.ndim == 1 else rf"\left[{shown}\right]"


def _shown(values: np.ndarray, show: Callable[[Any], str], dots: str) -> str:
    most = max(1, _MOST_ENTRIES // max(1, int(np.prod(values.shape[1:]))))
    parts = [show(v) for v in values[:most]]
    return ", ".join([*parts, dots] if most < len(values) else parts)
