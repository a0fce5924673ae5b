"""The expressions of ``-k``: names, or parts of them, joined by and, or, not and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable

Matcher = Callable[[str], bool]
_TOKEN = re.compile(r"\s*(?:(?P<bracket>[()])|(?P<word>[^\s()]+))")


def matcher(expression: str) -> Matcher:
    """A test of a name by an expression as pytest's ``-k`` has them; case does not matter.

    Parameters
    ----------
    expression : str
        ``softplus``, ``not sum``, ``(sin or cos) and not sinc``.

    Raises
    ------
    ValueError
        If it is not such an expression; says where.

    Examples
    --------
    >>> test = matcher("sin and not (sinc or ASIN)")
    >>> [name for name in ("Sin", "Sinc", "Asin", "Cos") if test(name)]
    ['Sin']
    """
    return _Parser(expression).parse()


class _Parser:
    """Recursive descent: an ``or`` of ``and`` of ``not`` of words and brackets."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        found = _TOKEN.finditer(expression.strip())
        self.tokens = [m.group("bracket") or m.group("word") for m in found]
        self.place = 0

    def parse(self) -> Matcher:
        if not self.tokens:
            raise ValueError("-k needs an expression, such as 'sin and not sinc'")
        test = self._either()
        if self.place < len(self.tokens):
            raise self._unexpected()
        return test

    def _either(self) -> Matcher:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda name: any(t(name) for t in tests)

    def _both(self) -> Matcher:
        tests = [self._not()]
        while self._take("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda name: all(t(name) for t in tests)

    def _not(self) -> Matcher:
        if self._take("not"):
            inner = self._not()
            return lambda name: not inner(name)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._unexpected("a closing bracket")
            return inner
        if self.place >= len(self.tokens) or self._next().lower() in (")", "and", "or"):
            raise self._unexpected("a name")
        word = self._next().lower()
        self.place += 1
        return lambda name: word in name.lower()

    def _next(self) -> str:
        return self.tokens[self.place]

    def _take(self, token: str) -> bool:
        if self.place < len(self.tokens) and self._next().lower() == token:
            self.place += 1
            return True
        return False

    def _unexpected(self, wanted: str = "'and' or 'or'") -> ValueError:
        got = f"{self._next()!r}" if self.place < len(self.tokens) else "its end"
        return ValueError(f"-k {self.expression!r}: expected {wanted}, not {got}")
