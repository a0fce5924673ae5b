"""How formulas in index notation are written: as text, and in LaTeX.

May import: :mod:`symbolic.index_notation`.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from symbolic.index_notation import Entry, IndexSum, Partial

__all__ = ["Names", "latex", "latex_name", "text"]

_LETTERS = "ijklmnpqrstuv"


class Names:
    """The letters of the indices in one line: free ones first, then bound ones, as they turn up.

    Parameters
    ----------
    free : sequence
        The free indices, in the order in which they get their letters.
    taken : iterable of str
        Letters that are names of arrays already.
    """

    def __init__(self, free: Sequence[Any] = (), taken: Iterable[str] = ()):
        self.letters = [c for c in _LETTERS if c not in set(taken)] + list(string.ascii_uppercase)
        self.of: dict[Any, str] = {}
        for index in free:
            self.letter(index)

    def letter(self, index: Any) -> str:
        if not isinstance(index, sp.Symbol):
            return str(index)
        if index not in self.of:
            used = set(self.of.values())
            self.of[index] = next(c for c in self.letters if c not in used)
        return self.of[index]

    def bind(self, index: Any) -> tuple[str, str | None]:
        """A letter for a bound index, until `release` gives back what it was before."""
        before = self.of.pop(index, None)
        return self.letter(index), before

    def release(self, index: Any, before: str | None) -> None:
        del self.of[index]
        if before is not None:
            self.of[index] = before


def _subscript(names: Names, indices: Sequence[Any]) -> str:
    letters = [names.letter(i) for i in indices]
    wide = any(len(c) > 1 for c in letters)
    return ("," if wide else "").join(letters)


def _is_sum(e: Any) -> bool:
    return isinstance(e, IndexSum)


class _Text(StrPrinter):
    def __init__(self, names: Names):
        super().__init__()
        self.names = names

    def _print_Entry(self, e: Entry) -> str:
        name = str(e.array)
        return f"{name}_{_subscript(self.names, e.indices)}" if e.indices else name

    def _print_Partial(self, e: Partial) -> str:
        return f"∂{self._print(e.top)}/∂{self._print(e.bottom)}"

    def _print_IndexSum(self, e: IndexSum) -> str:
        letter, before = self.names.bind(e.index)
        body = self._print(e.summand)
        self.names.release(e.index, before)
        return f"Σ_{letter} ({body})" if isinstance(e.summand, sp.Add) else f"Σ_{letter} {body}"

    def _print_KroneckerDelta(self, e: sp.KroneckerDelta) -> str:
        return f"δ_{_subscript(self.names, _by_letter(self.names, e.args))}"

    def _print_Dummy(self, e: sp.Dummy) -> str:
        return self.names.letter(e)

    def _factor(self, e: Any, alone: bool = False) -> str:
        text = self._print(e)
        loose = isinstance(e, (sp.Add, sp.Piecewise)) or (_is_sum(e) and not alone)
        return f"({text})" if loose else text

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        terms = _in_order(e)
        out = ""
        for i, term in enumerate(terms):
            coefficient, _ = term.as_coeff_Mul()
            negative = bool(coefficient.is_negative)
            body = self._print(-term if negative else term)
            if (_ends_in_sum(term) and i < len(terms) - 1) or isinstance(term, sp.Piecewise):
                body = f"({body})"
            sign = ("-" if negative else "") if i == 0 else (" - " if negative else " + ")
            out += sign + body
        return out

    def _print_Mul(self, e: sp.Mul) -> str:
        coefficient, rest = e.as_coeff_Mul()
        if coefficient == -1 and _all_negative(rest):
            return self._print(sp.Add(*(-term for term in rest.args)))
        if coefficient == -1 and isinstance(rest, (sp.Add, sp.Piecewise)):
            return f"-({self._print(rest)})"
        if coefficient.is_negative:
            return "-" + self._print_product(-coefficient, rest)
        return self._print_product(coefficient, rest)

    def _print_product(self, coefficient: Any, rest: sp.Expr) -> str:
        above, below = [], []
        for factor in sorted(sp.Mul.make_args(rest), key=_rank):
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent < 0 and base is not sp.E:
                below.append(base**-exponent)
            elif factor != 1:
                above.append(factor)
        # A number in front is a fraction of its own (3/2 (x + 2)), unless it alone is on top.
        if below and not above and coefficient.is_Rational:
            above = [sp.Integer(coefficient.p)]
            below = ([sp.Integer(coefficient.q)] if coefficient.q != 1 else []) + below
            coefficient = sp.Integer(1)
        parts = [self._print(coefficient)] if coefficient != 1 else []
        several = len(above) + len(parts) > 1 or bool(below)
        for i, factor in enumerate(above):
            last = i == len(above) - 1 and not below
            only = len(above) == 1 and not parts and not below
            text = self._print(factor) if only else self._factor(factor, alone=last or not several)
            parts.append(text)
        numerator = " ".join(parts) or "1"
        if not below:
            return numerator
        bottom = [self._factor(b) for b in below]
        denominator = bottom[0] if len(bottom) == 1 else f"({' '.join(bottom)})"
        if len(below) == 1 and isinstance(below[0], sp.Mul):
            denominator = f"({self._print(below[0])})"
        return f"{numerator}/{denominator}"

    def _print_Pow(self, e: sp.Pow, rational: bool = False) -> str:
        base, exponent = e.args
        if exponent == sp.Rational(1, 2):
            return f"sqrt({self._print(base)})"
        if exponent.is_Rational and exponent < 0:
            return self._print_product(sp.Integer(1), e)
        loose = isinstance(base, (sp.Add, sp.Mul, sp.Pow, sp.Piecewise, IndexSum, Partial))
        loose = loose or (base.is_Number and (base.is_negative or not base.is_Integer))
        below = self._print(base)
        above = self._print(exponent)
        if not (exponent.is_Symbol or isinstance(exponent, Entry) or exponent.is_Integer):
            above = f"({above})"
        return f"({below})^{above}" if loose else f"{below}^{above}"

    def _print_ExprCondPair(self, e: Any) -> str:
        return f"{self._print(e.expr)} if {self._print(e.cond)}"

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        parts = []
        for value, condition in e.args:
            if condition == sp.true:
                parts.append(f"{self._print(value)} otherwise")
            else:
                parts.append(f"{self._print(value)} if {self._print(condition)}")
        return ", ".join(parts)

    def _print_Relational(self, e: Any) -> str:
        sign = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}.get(e.rel_op, e.rel_op)
        return f"{self._print(e.lhs)} {sign} {self._print(e.rhs)}"

    def _print_Or(self, e: Any) -> str:
        return " or ".join(self._print(a) for a in sorted(e.args, key=sp.default_sort_key))

    def _print_And(self, e: Any) -> str:
        return " and ".join(self._print(a) for a in sorted(e.args, key=sp.default_sort_key))

    def _print_Abs(self, e: sp.Abs) -> str:
        return f"|{self._print(e.args[0])}|"

    def _print_Exp1(self, e: Any) -> str:
        return "e"

    def _print_Max(self, e: sp.Max) -> str:
        return f"max({', '.join(self._print(a) for a in sorted(e.args, key=_rank_of_max))})"

    def _print_Min(self, e: sp.Min) -> str:
        return f"min({', '.join(self._print(a) for a in sorted(e.args, key=_rank_of_max))})"


def _rank_of_max(e: sp.Expr) -> tuple[bool, Any]:
    return bool(e.is_Number), sp.default_sort_key(e)


def _in_order(e: sp.Add) -> list[sp.Expr]:
    """Sums behind, and no sign in front where another term can stand there."""

    def rank(term: sp.Expr) -> tuple[bool, bool]:
        return _ends_in_sum(term), bool(term.as_coeff_Mul()[0].is_negative)

    terms = sorted(e.as_ordered_terms(), key=rank)
    if terms[0].as_coeff_Mul()[0].is_negative:
        terms.sort(key=lambda term: rank(term)[::-1])
    return terms


def _all_negative(e: sp.Expr) -> bool:
    return isinstance(e, sp.Add) and all(t.as_coeff_Mul()[0].is_negative for t in e.args)


def _ends_in_sum(term: sp.Expr) -> bool:
    return any(_is_sum(f) for f in sp.Mul.make_args(term))


def _rank(factor: sp.Expr) -> tuple[float, Any]:
    """Numbers first, deltas and sums last; derivatives in the order of the chain rule."""
    base = factor.as_base_exp()[0]
    kind = 0
    if factor.is_number:
        kind = -1
    elif isinstance(base, sp.Add):
        kind = 2
    elif isinstance(base, Partial):
        kind = 3
    elif isinstance(base, sp.KroneckerDelta):
        kind = 5
    elif _is_sum(factor):
        kind = 6
    elif isinstance(base, sp.Piecewise):
        kind = 4
    elif isinstance(base, (sp.Function, sp.exp)) or base is sp.E:
        kind = 1
    if isinstance(base, Entry):
        return kind, (-len(base.indices), str(base.array))
    return kind + (0.5 if kind == 0 else 0), sp.default_sort_key(factor)


def _by_letter(names: Names, indices: Sequence[Any]) -> list[Any]:
    return sorted(indices, key=lambda i: (not isinstance(i, sp.Symbol), names.letter(i)))


def text(expression: sp.Expr, names: Names) -> str:
    """The expression as one line of text.

    Examples
    --------
    >>> from symbolic.index_notation import fresh, summed
    >>> (i,) = fresh(1)
    >>> x = sp.Symbol("x")
    >>> text(summed((Entry(x, i) + 2) ** 2, i, 4) / 4, Names())
    '1/4 Σ_i (x_i + 2)^2'
    """
    return _Text(names).doprint(expression)


class _Latex(LatexPrinter):
    def __init__(self, names: Names):
        super().__init__({"ln_notation": False})
        self.names = names

    def _print_Entry(self, e: Entry) -> str:
        name = latex_name(str(e.array))
        if not e.indices:
            return name
        subscript = _subscript(self.names, e.indices)
        if "_" in name:  # W_1 with indices: no double subscript
            name = "{" + name + "}"
        return f"{name}_{{{subscript}}}"

    def _print_Partial(self, e: Partial) -> str:
        return rf"\frac{{\partial {self._print(e.top)}}}{{\partial {self._print(e.bottom)}}}"

    def _print_IndexSum(self, e: IndexSum) -> str:
        letter, before = self.names.bind(e.index)
        body = self._print(e.summand)
        self.names.release(e.index, before)
        if isinstance(e.summand, sp.Add):
            body = rf"\left({body}\right)"
        return rf"\sum_{{{letter}}} {body}"

    def _print_KroneckerDelta(self, e: sp.KroneckerDelta, exp: Any = None) -> str:
        return rf"\delta_{{{_subscript(self.names, _by_letter(self.names, e.args))}}}"

    def _print_Dummy(self, e: sp.Dummy) -> str:
        return self.names.letter(e)

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        out = ""
        for i, term in enumerate(_in_order(e)):
            negative = bool(term.as_coeff_Mul()[0].is_negative)
            body = self._print(-term if negative else term)
            if isinstance(term, sp.Piecewise) or (_ends_in_sum(term) and i < len(e.args) - 1):
                body = rf"\left({body}\right)"
            out += ("- " if negative else "") if i == 0 else (" - " if negative else " + ")
            out += body
        return out

    def _needs_mul_brackets(self, expr: Any, first: bool = False, last: bool = False) -> bool:
        if _is_sum(expr):
            return not last
        return super()._needs_mul_brackets(expr, first, last)

    def _needs_add_brackets(self, expr: Any) -> bool:
        return _is_sum(expr) or super()._needs_add_brackets(expr)

    def _print_Mul(self, e: sp.Mul) -> str:
        # Rational numbers in front, sums behind, as in the text.
        coefficient, rest = e.as_coeff_Mul()
        factors = sorted(sp.Mul.make_args(rest), key=_rank)
        if coefficient == -1 and _all_negative(rest):
            return self._print(sp.Add(*(-term for term in rest.args)))
        if not any(isinstance(f, (IndexSum, Partial)) for f in factors):
            return super()._print_Mul(e)
        sign = ""
        if coefficient.is_negative:
            sign, coefficient = "- ", -coefficient
        head = "" if coefficient == 1 else self._print(coefficient) + " "
        plain = [f for f in factors if not isinstance(f, (IndexSum, Partial))]
        special = [f for f in factors if isinstance(f, (IndexSum, Partial))]
        parts = []
        if plain:
            product = sp.Mul(*plain)
            body = self._print(product)
            parts.append(rf"\left({body}\right)" if isinstance(product, sp.Add) else body)
        for i, factor in enumerate(special):
            body = self._print(factor)
            loose = _is_sum(factor) and i < len(special) - 1
            parts.append(rf"\left({body}\right)" if loose else body)
        return sign + head + " ".join(parts)

    def _print_Pow(self, e: sp.Pow) -> str:
        if isinstance(e.base, (IndexSum, Partial)) and e.exp.is_Integer and e.exp > 0:
            return rf"\left({self._print(e.base)}\right)^{{{self._print(e.exp)}}}"
        return super()._print_Pow(e)


def latex_name(name: str) -> str:
    r"""A Python name in LaTeX.

    Examples
    --------
    >>> latex_name("x"), latex_name("W1"), latex_name("alpha"), latex_name("weight")
    ('x', 'W_{1}', '\\alpha', '\\mathit{weight}')
    """
    symbol = LatexPrinter()._print_Symbol(sp.Symbol(name))
    if len(name) > 1 and symbol == name:
        return rf"\mathit{{{name}}}"
    return symbol


def latex(expression: sp.Expr, names: Names) -> str:
    """The expression in LaTeX."""
    return _Latex(names).doprint(expression)
