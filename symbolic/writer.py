"""Writes a derivation: the steps from a recorded graph to the gradient.

May import: :mod:`symbolic.recorded`, :mod:`symbolic.index_notation`, :mod:`symbolic.notation`,
:mod:`symbolic.displayed`, :mod:`symbolic.calculus_rules`, :mod:`symbolic.steps`,
:mod:`symbolic.limits`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from itertools import permutations
from math import prod
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.parameters import distribute

from symbolic import calculus_rules
from symbolic.displayed import Displayed, displayed_formulas, displayed_values
from symbolic.index_notation import (
    Entry,
    IndexSum,
    Partial,
    differentiate,
    entries,
    evaluate,
    fresh,
    local_derivative,
    replace_entries,
    summed,
    tidy,
)
from symbolic.limits import OutOfTime, time_left, time_limit
from symbolic.notation import Names, latex, latex_name, text
from symbolic.recorded import Recorded, Variable
from symbolic.steps import Derivation, Step, escaped, remark

__all__ = ["Writer"]

_LONG = 24  # operations in an upstream derivative before it stays a symbol
_WIDE = 24  # characters in the condition at a value
_MOST_VALUES = 10**7  # entries of a Jacobian that is still computed
_INTERMEDIATE = "zyuvhsrqtpgmw"
_LEAVES = "xwyuvab"
_CONSTANTS = "cabdk"


class Writer:
    """Writes the derivation of one output by one tensor."""

    def __init__(self, out: Any, wrt: Any, scope: Mapping[str, Any], timeout: float):
        self.tensors = out, wrt
        self.scope = scope
        self.timeout = timeout
        self.steps: list[Step] = []
        self.result: sp.Expr | None = None
        self.values: np.ndarray | None = None

    def derivation(self) -> Derivation:
        try:
            # SymPy distributes numbers over sums, 3 (x + 2) into 3 x + 6, unless told not to.
            with distribute(False):
                self._in_time()
        except RecursionError:
            # Told not to, it may ask for ever whether cos(-a - b) is cos(-(-a - b)).
            self._in_time()
        return Derivation(self.steps, self.result, self.values)

    def _in_time(self) -> None:
        self.steps = []
        try:
            with time_limit(self.timeout):
                self.write()
        except OutOfTime:
            if time_left() <= 0:
                raise
            self.steps.append(remark(f"(stopped after {self.timeout:g} s)"))

    def write(self) -> None:
        self.graph = Recorded(*self.tensors)
        self.out, self.wrt = self.graph.out, self.graph.wrt
        self._rename()
        self.by_symbol = {v.symbol: v for v in self.graph.variables}
        self.tables: dict[Any, Any] = {v.symbol: v.table for v in self.graph.variables}
        for v in self.graph.variables:
            for source, table in v.jacobians.items():
                if table is not None:
                    self.tables[v.symbol, source] = table
        self.shown = displayed_values(self.graph.variables)
        self.path = self._between()
        self._define()
        self._give_values()
        self._differentiate()

    # Names

    def _rename(self) -> None:
        taken: set[str] = set()
        table = {}

        def take(variable: Variable, wanted: str | None, letters: str) -> None:
            name = wanted
            if name is None or name in taken:
                name = next((c for c in letters if c not in taken), None)
            number = 1
            while name is None or name in taken:
                name, number = f"{letters[0]}{number}", number + 1
            taken.add(name)
            table[variable.symbol] = sp.Symbol(name)

        variables = self.graph.variables
        leaves = [v for v in variables if v.role == "leaf"]
        known = {v.symbol: self._known(v) for v in variables}
        if "o" in known.values():
            known = {
                k: (None if n == "o" and k == self.out.symbol else n) for k, n in known.items()
            }
        take(self.out, None, "o" if "o" not in known.values() else "f")
        # Names that the program gives come first, so that none is taken by a letter of ours.
        for v in sorted(leaves, key=lambda v: v is not self.wrt):
            take(v, known[v.symbol], _LEAVES)
        rest = [v for v in reversed(variables) if v.symbol not in table]
        for v in sorted(rest, key=lambda v: known[v.symbol] is None):
            take(v, known[v.symbol], _INTERMEDIATE if v.role == "step" else _CONSTANTS)
        for v in variables:
            v.entry = None if v.entry is None else v.entry.xreplace(table)
            if v.explicit is not None:
                entries_by_name = [e.xreplace(table) for e in v.explicit.flat]
                v.explicit = np.array([*entries_by_name, None])[:-1].reshape(v.explicit.shape)
            v.jacobians = {table[s]: j for s, j in v.jacobians.items()}
        for v in variables:
            v.symbol = table[v.symbol]
        self.taken = taken

    def _known(self, variable: Variable) -> str | None:
        """The name that the program gives to an array, if it is one for a formula."""
        if variable.role in ("selection", "mask"):
            return None
        longest = 2 if variable.role == "step" else 12
        for name, value in self.scope.items():
            tensor = getattr(value, "_data", None)
            same = value is variable.origin or (
                variable.role == "constant" and tensor is not None and tensor is variable.origin
            )
            if variable.role == "step" and tensor is not None:
                same = value._node is not None and value._node is variable.origin
            if same and name.isidentifier() and not name.startswith("_") and len(name) <= longest:
                return name.replace("_", "")
        return None

    # Writing

    def _line(
        self,
        rule: str,
        left: sp.Expr,
        right: sp.Expr | Displayed,
        free: Sequence[Any],
        at: bool = False,
    ) -> None:
        names = [Names(free, self.taken) for _ in range(2)]
        condition_text, condition_latex = self._condition() if at else ("", "")
        if isinstance(right, Displayed):
            right_text, right_latex = right.text, right.latex
        else:
            right_text, right_latex = text(right, names[0]), latex(right, names[1])
        left_latex = latex(left, names[1])
        if at:
            left_latex = rf"\left.{left_latex}\right|_{{{condition_latex}}}"
        self.steps.append(
            Step(
                rule,
                f"{text(left, names[0])}{condition_text} = {right_text}",
                f"{left_latex} &= {right_latex}",
            )
        )

    def _condition(self) -> tuple[str, str]:
        words, tex = self._assignment(self.wrt)
        if len(words) > _WIDE:  # its value stands in a line of its own
            words, tex = str(self.wrt.symbol), latex_name(str(self.wrt.symbol))
        return f" |_{{{words}}}", tex

    def _assignment(self, v: Variable) -> tuple[str, str]:
        """``x_i = 1`` where all entries are equal, else ``x = (1, 2)``.

        The output has no line of its own for its value, and is given in decimals too.
        """
        value = self.shown[v.symbol]
        last = v is self.out
        indices = v.indices if value.uniform else ()
        names = Names(v.indices, self.taken)
        left = Entry(v.symbol, *indices)
        return (
            f"{text(left, names)} = {value.text if last else value.short}",
            f"{latex(left, names)} = {value.latex if last else value.short_latex}",
        )

    # The steps

    def _between(self) -> list[Variable]:
        """The steps on the way from `wrt` to the output, the output first."""
        above = {self.wrt.symbol}
        for v in self.graph.variables:
            if v.uses & above:
                above.add(v.symbol)
        below = {self.out.symbol}
        for v in reversed(self.graph.variables):
            if v.symbol in below:
                below |= v.uses
        return [v for v in reversed(self.graph.variables) if v.symbol in above & below]

    def _define(self) -> None:
        for v in reversed(self.graph.variables):
            if v.entry is not None:
                kind = v.kind if v.kind not in ("", "elementwise") else "definition"
                self._line(kind, v.at(v.indices), v.entry, v.indices)
            elif v.explicit is not None:
                for index in np.ndindex(v.explicit.shape):
                    place = [sp.Integer(k) for k, n in zip(index, v.shape, strict=True) if n != 1]
                    self._line(v.kind, v.at(place), v.explicit[index], ())
            elif v.role == "step":
                arguments = ", ".join(str(s) for s in v.jacobians)
                words, tex = (
                    f"{v.kind}({arguments})",
                    ", ".join(latex_name(str(s)) for s in v.jacobians),
                )
                shown = Displayed(words, rf"\operatorname{{{escaped(v.kind)}}}({tex})")
                self._line(v.kind, v.at(()), shown, ())

    def _give_values(self) -> None:
        wide = len(self._assignment(self.wrt)[0]) > _WIDE
        for v in self.graph.variables:
            if v.role != "step" and (v is not self.wrt or wide):
                words, tex = self._assignment(v)
                self.steps.append(Step("given", words, tex.replace(" = ", " &= ", 1)))
        steps = [v for v in reversed(self.graph.variables) if v.role == "step"]
        for v in steps:
            if v is not self.out:
                value = self.shown[v.symbol]
                indices = v.indices if value.uniform else ()
                self._line("value", Entry(v.symbol, *indices), value, v.indices, at=True)
        parts = [self._assignment(v) for v in reversed(steps)]
        condition, tex = self._assignment(self.wrt)
        words = f"at {condition}: " + ", ".join(w for w, _ in parts)
        if len(words) > 4 * _WIDE:
            value = self.shown[self.out.symbol]
            self._line(
                "value", self.out.at(self.out.indices if value.uniform else ()), value, (), True
            )
            return
        right = r",\quad ".join(t for _, t in parts)
        self.steps.append(Step("values", words, rf"\text{{at }} {tex}:\quad & {right}"))

    def _differentiate(self) -> None:
        """The chain rule from the output to `wrt`, one variable after the other."""
        output = fresh(len(self.out.indices))
        self.output = output
        self.top = Entry(self.out.symbol, *output)
        seed = sp.Mul(
            *(sp.KroneckerDelta(p, i) for p, i in zip(output, self.out.indices, strict=True))
        )
        self.bars: dict[sp.Symbol, sp.Expr] = {self.out.symbol: seed}
        for v in self.path:
            if v is self.out:
                continue
            at = fresh(len(v.indices))
            consumers = [c for c in self.path if v.symbol in c.uses and c.symbol in self.bars]
            total = sp.Integer(0)
            for c in consumers:
                alone = c is self.out and len(consumers) == 1
                if c.jacobians or not (c is self.out and not (alone and output)):
                    self._local(c, v)
                total = total + self._through(c, v, at)
            self._chain(v, at, consumers, total)
        if self.wrt not in self.path:
            self._vanishes()

    def _vanishes(self) -> None:
        """The formulas say that the output does not depend on the argument (x - x, say)."""
        at = fresh(len(self.wrt.indices))
        self.result = sp.Integer(0)
        left = Partial(self.top, self.wrt.at(at))
        self._line("it cancels", left, self.result, [*self.output, *at])
        self.values = np.zeros(self.out.value.shape + self.wrt.value.shape)

    def _local(self, c: Variable, v: Variable) -> None:
        """The derivative of one definition by one of the arrays in it."""
        at = fresh(len(v.indices))
        if v.symbol in c.jacobians:
            self._table(c, v)
            return
        slope = local_derivative(c.entry, v.symbol, at)
        slope = self._facts(self._as_softmax(c, slope, at))
        left = Partial(c.at(c.indices), v.at(at))
        slope, left, free = _at_equal_indices(slope, left, c.indices, at)
        rule = calculus_rules.name(c.entry, v.symbol, c.kind)
        self._line(rule, left, self._tidy(slope), free)

    def _table(self, c: Variable, v: Variable) -> None:
        """A local derivative that is known by its values."""
        if c.explicit is not None and self._written_out(c, v):
            return
        if (c.symbol, v.symbol) not in self.tables or (c is self.out and v is self.wrt):
            return  # unknown, or the result itself, which is given below
        values = displayed_values([], {None: self.tables[c.symbol, v.symbol]})
        if None in values:
            left = Partial(c.at(()), v.at(()))
            self._line(f"derivative of {c.kind}, by its values", left, values[None], ())

    def _written_out(self, c: Variable, v: Variable) -> bool:
        """The local derivative of a few formulas, entry by entry."""
        assert c.explicit is not None
        if any(e.has(sp.Max, sp.Min) for e in c.explicit.flat):
            return False  # a case for each entry says less than the values at this point
        places = list(np.ndindex(*(n for _, n in v.own)))
        out: Any = np.empty((*c.explicit.shape, *(n for _, n in v.own)), dtype=object)
        for index in np.ndindex(c.explicit.shape):
            for place in places:
                at = [sp.Integer(k) for k in place]
                out[index + place] = self._tidy(local_derivative(c.explicit[index], v.symbol, at))
        if out.size > 16 or sum(e.count_ops() for e in out.flat) > 4 * _LONG:
            return False
        out = out.reshape([n for _, n in c.own] + [n for _, n in v.own])
        left = Partial(c.at(()), v.at(()))
        shown = displayed_formulas(out, self.taken)
        self._line(f"derivative of {c.kind}, entry by entry", left, shown, ())
        return True

    def _through(self, c: Variable, v: Variable, at: Sequence[Any]) -> sp.Expr:
        """What arrives at ``v[at]`` by way of the variable ``c``."""
        upstream = self.bars[c.symbol]
        if v.symbol not in c.jacobians:
            slope = differentiate(c.entry, c.own, v.symbol, at, upstream)
            return (
                self._facts(slope)
                if not _is_softmax(c.entry)
                else self._softmax(c, v, at, upstream)
            )
        total = upstream * Partial(c.at(c.indices), v.at(at))
        for index, size in c.own:
            total = summed(total, index, size)
        return total

    def _softmax(self, c: Variable, v: Variable, at: Sequence[Any], upstream: sp.Expr) -> sp.Expr:
        local = self._as_softmax(c, local_derivative(c.entry, v.symbol, at), at)
        total = upstream * sp.expand(local)
        total = sp.Add(*(upstream * term for term in sp.Add.make_args(sp.expand(local))))
        for index, size in c.own:
            total = sp.Add(*(summed(t, index, size) for t in sp.Add.make_args(total)))
        return self._facts(total)

    def _as_softmax(self, c: Variable, slope: sp.Expr, at: Sequence[Any]) -> sp.Expr:
        """Exponentials by the softmax that they belong to: exp(x_i) is s_i times their sum."""
        found = _is_softmax(c.entry)
        if not found:
            return slope
        argument, total = found
        table = {}
        for atom in slope.atoms(sp.exp):
            for m, index in enumerate(c.indices):
                for target in (index, *at):
                    if argument.xreplace({index: target}) == atom.args[0]:
                        place = [target if k == m else i for k, i in enumerate(c.indices)]
                        table[atom] = c.at(place) * total
        return sp.expand(slope.xreplace(table))

    def _chain(
        self, v: Variable, at: Sequence[Any], consumers: Sequence[Variable], total: sp.Expr
    ) -> None:
        left = Partial(self.top, v.at(at))
        own = dict(zip(at, v.indices, strict=True))
        self.bars[v.symbol] = total.xreplace(own)
        direct = len(consumers) == 1 and consumers[0] is self.out
        value = self._tidy(total)
        if direct:
            rule = calculus_rules.name(self.out.entry, v.symbol, self.out.kind)
        else:
            rule = "simplified"
            self._chain_rule(v, at, consumers, left)
        shown, left_shown, free = _at_equal_indices(value, left, self.output, at)
        shown = self._tidy(shown)
        if shown != left_shown and not (direct and (self.output or self.out.jacobians)):
            self._line(rule, left_shown, shown, free)
        if v is self.wrt:
            self.result = shown
            plain = self._substituted(shown)
            if plain is not None:
                self.result = plain
                self._line("inserted", left_shown, plain, free)
            self._final(v, at, total, left)
        elif value.count_ops() > _LONG or value.has(Partial):
            self._keep(v, at, total, left)
        else:
            self.bars[v.symbol] = value.xreplace(own)

    def _chain_rule(
        self, v: Variable, at: Sequence[Any], consumers: Sequence[Variable], left: Partial
    ) -> None:
        """The line that states the chain rule, and what stands in it where that is short."""
        parts = [self._product(c, v, at) for c in consumers]
        total = sp.Add(*parts)
        names = [Names([*self.output, *at], self.taken) for _ in range(2)]
        words, tex = text(total, names[0]), latex(total, names[1])
        factors = [f for f in sp.Mul.make_args(total) if isinstance(f, Partial)]
        if len(parts) == 1 and len(factors) == 2 and not self.output:
            (c,) = consumers
            upstream = next(f for f in factors if f.top == self.top)
            inserted = self._tidy(
                self.bars[c.symbol].xreplace(
                    dict(zip(c.indices, upstream.bottom.indices, strict=True))
                )
            )
            slope = local_derivative(c.entry, v.symbol, at) if c.entry is not None else None
            if slope is not None:
                (local,) = (f for f in factors if f is not upstream)
                table = dict(zip(c.indices, local.top.indices, strict=True))
                slope = self._tidy(self._facts(slope.xreplace(table)))
                if 1 not in (inserted, slope) and inserted.count_ops() + slope.count_ops() <= _LONG:
                    both = inserted, slope
                    words += " = " + " · ".join(_factor(text(e, names[0]), e) for e in both)
                    tex += " = " + r" \cdot ".join(_factor(latex(e, names[1]), e) for e in both)
        words = f"{text(left, names[0])} = {words}"
        self.steps.append(Step("chain rule", words, f"{latex(left, names[1])} &= {tex}"))

    def _keep(self, v: Variable, at: Sequence[Any], total: sp.Expr, left: Partial) -> None:
        """Carry a long derivative on as a symbol, and its values in a table."""
        if prod(n for _, n in self._sizes(v, at)) > _MOST_VALUES:
            return
        with contextlib.suppress(KeyError):
            table = evaluate(total, self._sizes(v, at), self.tables)
            self.tables[self.out.symbol, v.symbol] = table
        self.bars[v.symbol] = left.xreplace({left.bottom: v.at(v.indices)})

    def _sizes(self, v: Variable, at: Sequence[Any]) -> list[tuple[Any, int]]:
        own = list(zip(self.output, (n for _, n in self.out.own), strict=True))
        return own + list(zip(at, (n for _, n in v.own), strict=True))

    def _product(self, c: Variable, v: Variable, at: Sequence[Any]) -> sp.Expr:
        """The chain rule itself: the sum over the entries of ``c`` that ``v[at]`` goes into."""
        if c is self.out and c.entry is not None:  # where it enters the output itself
            return self._tidy(self._through(c, v, at))
        upstream = Partial(self.top, c.at(c.indices))
        local = Partial(c.at(c.indices), v.at(at))
        sums = dict(c.own)
        if v.symbol not in c.jacobians:
            terms = sp.Add.make_args(sp.expand(local_derivative(c.entry, v.symbol, at)))
            for index in c.indices:
                for target in at:
                    delta = sp.KroneckerDelta(index, target)
                    if all(delta in sp.Mul.make_args(t) for t in terms) and index in sums:
                        del sums[index]
                        upstream = upstream.xreplace({index: target})
                        local = local.xreplace({index: target})
                        terms = [t.xreplace({index: target}) for t in terms]
        product = sp.Mul(upstream, local)
        for index, size in reversed(sums.items()):
            product = summed(product, index, size)
        return product

    def _final(self, v: Variable, at: Sequence[Any], total: sp.Expr, left: Partial) -> None:
        own = self._sizes(v, at)
        exact = {s: d.exact for s, d in self.shown.items() if d.exact is not None}
        if prod(n for _, n in own) > _MOST_VALUES:
            return
        try:
            table = evaluate(total, own, self.tables)
        except KeyError:  # a local derivative too large to compute
            return
        self.values = table.reshape(self.out.value.shape + v.value.shape)
        values = displayed_values([], {None: table}, (total, own, exact))
        if None in values and self.wrt.symbol in self.shown:
            value = values[None]
            if value.uniform:
                self._line("value", left, value, [*self.output, *at], at=True)
            else:
                self._line("value", Partial(self.out.at(()), v.at(())), value, (), at=True)

    def _substituted(self, expression: sp.Expr) -> sp.Expr | None:
        """The result with elementwise steps written out, if that is short."""
        written = expression
        for v in self.path:
            if v is self.out or v.kind != "elementwise" or v.entry is None:
                continue
            written = replace_entries(written, v.symbol, v.indices, v.entry)
        if written == expression:
            return None
        written = self._tidy(written)
        return written if written.count_ops() <= _LONG and written != expression else None

    def _facts(self, expression: sp.Expr) -> sp.Expr:
        """Sums that are known: the weights of a softmax, or a row of a selection, sum to 1."""
        table = {}
        for total in expression.atoms(IndexSum):
            atom = total.summand
            if isinstance(atom, Entry) and self._sums_to_one(atom, total.index):
                table[total] = sp.Integer(1)
        return expression.xreplace(table)

    def _sums_to_one(self, atom: Entry, index: Any) -> bool:
        v = self.by_symbol[atom.array]
        return v.rows_sum_to_one and atom.indices[-1] == index and atom.indices.count(index) == 1

    def _folded(self, expression: sp.Expr) -> sp.Expr:
        """Sums by the name that a definition gives them: the sum over W_ij is 3 times the mean."""
        table = {}
        for v in self.graph.variables:
            if v.entry is None:
                continue
            factor, total = v.entry.as_coeff_Mul()
            if not isinstance(total, IndexSum) or v is self.out:
                continue
            for atom in entries(expression, inside_sums=False):
                if isinstance(atom, IndexSum) and atom not in table and atom.size == total.size:
                    found = _indices_of(total, v.indices, atom)
                    if found is not None:
                        table[atom] = v.at(found) / factor
        return expression.xreplace(table)

    def _tidy(self, expression: sp.Expr) -> sp.Expr:
        try:
            with time_limit(1.0):
                return tidy(expression, self._folded)
        except OutOfTime:
            if time_left() <= 0:
                raise
            return expression


def _is_softmax(entry: sp.Expr | None) -> tuple[sp.Expr, sp.Expr] | None:
    """The exponent and the sum of an entry of the form exp(a) / sum of exp(a)."""
    if not isinstance(entry, sp.Mul):
        return None
    numerator, total = entry.as_numer_denom()
    fits = isinstance(numerator, sp.exp) and isinstance(total, IndexSum)
    return (numerator.args[0], total) if fits and isinstance(total.summand, sp.exp) else None


def _indices_of(total: IndexSum, own: Sequence[Any], atom: IndexSum) -> Sequence[Any] | None:
    """At which indices a sum is another one, if it is."""
    if not own:
        return () if total == atom else None
    free = sorted((s for s in atom.free_symbols if isinstance(s, sp.Dummy)), key=str)
    for place in permutations(free, len(own)):
        if total.xreplace(dict(zip(own, place, strict=True))) == atom:
            return place
    return None


def _at_equal_indices(
    slope: sp.Expr, left: Partial, own: Sequence[Any], at: Sequence[Any]
) -> tuple[sp.Expr, Partial, list[Any]]:
    """Where every term has the same delta, write the one case in which it is not zero."""
    free: list[Any] = [*own, *at]
    if slope == 0:
        return slope, left, free
    terms: Sequence[Any] = sp.Add.make_args(sp.expand(slope))
    for index in own:
        for target in at:
            delta = sp.KroneckerDelta(index, target)
            if (
                index in free
                and target in free
                and all(delta in sp.Mul.make_args(t) for t in terms)
            ):
                slope, left = (e.xreplace({target: index}) for e in (slope, left))
                terms = [t.xreplace({target: index}) for t in terms]
                free.remove(target)
    return slope, left, free


def _factor(written: str, expression: sp.Expr) -> str:
    """A factor with brackets, if it needs some."""
    loose = isinstance(expression, (sp.Add, sp.Piecewise)) or expression.could_extract_minus_sign()
    return f"({written})" if loose else written
