"""Formulas as MathML, which browsers set without any script."""

from __future__ import annotations

import functools
import html
import re
from typing import Any

_INDEXED = re.compile(r"\b([A-Za-z_]\w*)\[([^\[\]]*)\]")
_PARTS = re.compile(r", (?=_\d+ = )")
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\s*\()")
_CONSTANTS = {"pi", "E", "I", "oo", "zoo", "nan", "True", "False"}
_SUBSCRIPT = "\u2063"  # the invisible separator, which no name contains
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε",
    "theta": "θ", "lam": "λ", "mu": "μ", "sigma": "σ", "tau": "τ", "phi": "φ", "omega": "ω",
}  # fmt: skip
LONGEST = 2000  # characters; a longer formula is not read by anybody, and slow to set


@functools.lru_cache(maxsize=1024)
def formula(text: str) -> str:
    """A formula in SymPy's notation as a ``<math>`` element, or as code if it cannot be read.

    Parameters
    ----------
    text : str
        Such as ``exp(x)/(exp(x) + 1)``; entries as in ``x[0, 1]`` become subscripts.
    """
    code = f"<code>{html.escape(text)}</code>"
    if len(text) > LONGEST:
        return code
    try:
        body = _statement(text)
    except Exception:  # whatever a formula's text can be, the page must be written
        return code
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true">{body}</math>'


def _statement(text: str) -> str:
    """An expression; ``y = ...``; or one with names for its parts, ``... where _1 = ...``."""
    whole, _, parts = text.partition(" where ")
    if parts:
        lines = [whole, *_PARTS.split(parts)]
        rows = "".join(f"<mtr><mtd>{_statement(line)}</mtd></mtr>" for line in lines)
        return f'<mtable columnalign="left">{rows}</mtable>'
    left, equal, right = text.rpartition(" = ")
    body = _printer().doprint(_parse(right)).replace("&ExponentialE;", "e")
    return f"<mrow>{_printer().doprint(_parse(left))}<mo>=</mo>{body}</mrow>" if equal else body


def _parse(text: str) -> Any:
    import sympy as sp

    symbols: dict[str, Any] = {}

    def entry(match: re.Match[str]) -> str:
        stand_in = f"_entry{len(symbols)}"
        symbols[stand_in] = sp.Symbol(f"{match[1]}{_SUBSCRIPT}{match[2].replace(' ', '')}")
        return stand_in

    text = _INDEXED.sub(entry, text)
    for name in _NAME.findall(text):
        if name not in _CONSTANTS and name not in symbols:
            # an argument may be called `beta` or `S`, which mean something to SymPy
            symbols[name] = sp.Symbol(name)
    expression = sp.parse_expr(text, local_dict=symbols)
    if not isinstance(expression, sp.Basic):
        raise ValueError(f"not a formula: {text}")
    return expression


@functools.cache
def _printer() -> Any:
    """SymPy's printer, with names as they are in the code and cases set as cases."""
    from sympy.printing.mathml import MathMLPresentationPrinter

    class Printer(MathMLPresentationPrinter):
        def _element(self, tag: str, *children: Any) -> Any:
            node = self.dom.createElement(tag)
            for child in children:
                is_text = isinstance(child, str)
                node.appendChild(self.dom.createTextNode(child) if is_text else child)
            return node

        def _print_Symbol(self, expr: Any, style: str = "plain") -> Any:
            name, _, index = expr.name.partition(_SUBSCRIPT)
            if name[0] == "_" and name[1:].isdigit():  # the name of a part
                name, index = "s", name[1:]
            letter = self._element("mi", _GREEK.get(name, name))
            if not index:
                return letter
            return self._element("msub", letter, self._element("mn", index))

        def _print_Piecewise(self, expr: Any) -> Any:
            rows = [
                self._element(
                    "mtr",
                    self._element("mtd", self._print(value)),
                    self._element("mtd", self._condition(condition)),
                )
                for value, condition in expr.args
            ]
            table = self._element("mtable", *rows)
            return self._element("mrow", self._element("mo", "{"), table)

        def _condition(self, condition: Any) -> Any:
            if condition == True:  # noqa: E712 - SymPy's true
                return self._element("mtext", "otherwise")
            return self._element("mrow", self._element("mtext", "if\u00a0"), self._print(condition))

    return Printer()
