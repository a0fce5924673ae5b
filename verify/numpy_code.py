"""SymPy expressions as NumPy code, in forms that lose few digits.

:func:`candidates` rewrites an expression into several equal ones (``exp(x)/(1 + exp(x))`` becomes
``expit(x)``, ``log(1 + x)`` becomes ``log1p(x)``), for a caller who tries which is best;
:func:`block` prints expressions as lines of code, common subexpressions first.

May import: SymPy.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy as sp
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.precedence import PRECEDENCE

from symbolic.limits import OutOfTime, time_limit

__all__ = ["block", "candidates", "guarded", "logsumexp", "stable", "total", "where"]


class where(sp.Function):
    """``where(condition, a, b)``, which is ``a`` if both branches are the same."""

    @classmethod
    def eval(cls, condition: Any, a: Any, b: Any) -> Any:
        return a if a == b else None


total = sp.Function("total")
expit = sp.Function("expit")
expm1 = sp.Function("expm1")
log1p = sp.Function("log1p")
logaddexp = sp.Function("logaddexp")
hypot = sp.Function("hypot")
logsumexp = sp.Function("logsumexp")
erfc = sp.Function("erfc")  # SymPy's own turns erfc(-x) into 2 - erfc(x)

_CODE = {
    "where": "np.where",
    "total": "np.sum",
    "expit": "special.expit",
    "expm1": "np.expm1",
    "log1p": "np.log1p",
    "logaddexp": "np.logaddexp",
    "hypot": "np.hypot",
    "logsumexp": "special.logsumexp",
    "erfc": "special.erfc",
}


# Rewriting


def stable(expression: Any) -> Any:
    """The same expression with each part replaced for which a form with fewer lost digits is known.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> stable(sp.log(1 + sp.exp(x)).diff(x)), stable(sp.log(1 + x**2)), stable(1 - sp.erf(x))
    (expit(x), log1p(x**2), erfc(x))
    """
    if not expression.args:
        return expression
    if expression.func == where:
        return where(expression.args[0], *(stable(a) for a in expression.args[1:]))
    args = [stable(a) for a in expression.args]
    if isinstance(expression, sp.Add):
        return _sum(sp.Add(*args))
    if isinstance(expression, sp.Mul):
        return _product(sp.Mul(*args))
    if isinstance(expression, sp.Pow):
        return _power(*args)
    if isinstance(expression, sp.log):
        # The argument as it was written: its own stable form may hide a sum of exponentials.
        return _log(args[0], expression.args[0])
    return expression.func(*args)


def _sum(e: Any) -> Any:
    """``exp(u) - 1``, ``1 - expit(u)``, ``1 - erf(u)``, ``1 - tanh(u)**2``, ``1 - cos(u)``."""
    if not isinstance(e, sp.Add):
        return e
    for part in e.args:
        constant, factor = part.as_coeff_Mul()
        common = sp.S.One
        if isinstance(factor, sp.Mul):  # c a expit(u) - c a
            chosen = [f for f in factor.args if _paired(f)]
            if len(chosen) != 1:
                continue
            common, factor = factor / chosen[0], chosen[0]
        if not _paired(factor):
            continue
        for sign in (1, -1):
            other = sign * constant * common
            if other not in e.args:
                continue
            found = _pair(factor, sign)
            if found is not None:
                rest = e - part - other
                return _sum(rest + constant * common * found)
    return e


def _paired(f: Any) -> bool:
    return isinstance(f, (sp.exp, sp.erf, sp.cos)) or f.func == expit or _is_square_of(f, sp.tanh)


def _is_square_of(f: Any, function: Any) -> bool:
    return isinstance(f, sp.Pow) and f.exp == 2 and isinstance(f.base, function)


def _pair(f: Any, sign: int) -> Any:
    """A form of ``f + sign`` without cancellation, or None."""
    if isinstance(f, sp.exp) and sign < 0:
        return expm1(f.args[0])
    if f.func == expit and sign < 0:
        return -expit(-f.args[0])
    if isinstance(f, sp.erf):
        return -erfc(f.args[0]) if sign < 0 else erfc(-f.args[0])
    if isinstance(f, sp.cos):
        half = f.args[0] / 2
        return -2 * sp.sin(half) ** 2 if sign < 0 else 2 * sp.cos(half) ** 2
    if isinstance(f, sp.Pow) and sign < 0:
        u = 2 * f.base.args[0]
        return -4 * expit(u) * expit(-u)
    return None


def _exponential_sum(e: Any) -> Any:
    """``u`` where the expression is ``1 + exp(u)``, else None."""
    if isinstance(e, sp.Add) and len(e.args) == 2 and e.args[0] == 1:
        other = e.args[1]
        if isinstance(other, sp.exp):
            return other.args[0]
    return None


def _power(base: Any, exponent: Any) -> Any:
    if base.func == total and isinstance(base.args[0], sp.exp):  # a softmax
        return sp.exp(exponent * logsumexp(base.args[0].args[0]))
    if exponent.is_Integer and exponent < 0:
        u = _exponential_sum(base)
        if u is not None:
            return expit(-u) ** (-exponent)
        terms = base.args
        if (
            isinstance(base, sp.Add)
            and len(terms) == 2
            and all(isinstance(t, sp.exp) for t in terms)
        ):
            a, b = (t.args[0] for t in terms)
            return sp.exp(exponent * a) * expit(a - b) ** (-exponent)
    if exponent.is_Rational and exponent.q == 2 and isinstance(base, sp.Add):
        squares = [a.base for a in base.args if isinstance(a, sp.Pow) and a.exp == 2]
        if len(squares) == len(base.args) == 2:
            return hypot(*squares) ** (2 * exponent)
    return base**exponent


def _product(e: Any) -> Any:
    """``exp(u) expit(-u)`` is ``expit(u)``; ``exp(u)/expm1(u)`` has no overflow as a quotient."""
    if not isinstance(e, sp.Mul):
        return e
    factors = list(e.args)
    powers = [f for f in factors if isinstance(f, sp.exp)]
    if len(powers) > 1 and e.has(logsumexp):
        rest = [f for f in factors if f not in powers]
        return _product(sp.Mul(*rest, sp.exp(sp.Add(*(f.args[0] for f in powers)))))
    for i, factor in enumerate(factors):
        base, power = factor.as_base_exp()
        if base.func == expm1 and power.is_Integer and power < 0:
            u = base.args[0]
            for j, other in enumerate(factors):
                if isinstance(other, sp.exp) and other.args[0] == u:
                    rest = [f for k, f in enumerate(factors) if k not in (i, j)]
                    return _product(sp.Mul(*rest, base ** (power + 1), -1 / expm1(-u)))
        if base.func != expit or not (power.is_Integer and power > 0):
            continue
        v = base.args[0]
        for j, other in enumerate(factors):
            if not isinstance(other, sp.exp):
                continue
            times = sp.cancel(other.args[0] / -v)
            if times.is_Integer and 0 < times <= power:
                rest = [f for k, f in enumerate(factors) if k not in (i, j)]
                return _product(sp.Mul(*rest, expit(v) ** (power - times), expit(-v) ** times))
    return e


def _log(argument: Any, original: Any) -> Any:
    if argument.func == total and isinstance(argument.args[0], sp.exp):
        return logsumexp(argument.args[0].args[0])
    if argument.func == expit:
        return -logaddexp(0, -argument.args[0])
    if isinstance(original, sp.Add):
        terms = original.args
        if len(terms) == 2 and all(t == 1 or isinstance(t, sp.exp) for t in terms):
            exponents = [sp.S.Zero if t == 1 else t.args[0] for t in terms]
            return logaddexp(*sorted(exponents, key=lambda t: (t != 0, str(t))))
        if 1 in terms:
            return log1p(stable(original - 1))
    return sp.log(argument)


def _half_angle(e: Any) -> Any:
    """``cosh(u)**(-2)`` by expit: no overflow."""

    def replace(power: Any) -> Any:
        u = 2 * power.base.args[0]
        return (4 * expit(u) * expit(-u)) ** (-power.exp / 2)

    return e.replace(
        lambda p: (
            isinstance(p, sp.Pow)
            and isinstance(p.base, sp.cosh)
            and p.exp.is_Integer
            and p.exp < 0
            and p.exp % 2 == 0
        ),
        replace,
    )


def guarded(e: Any) -> Any:
    """The same with 1 for each root in a denominator where it is zero: ``x/norm(x)`` at 0."""
    if not e.args:
        return e
    args = [guarded(a) for a in e.args]
    if isinstance(e, sp.Pow) and e.exp.is_Rational and e.exp < 0:
        base, exponent = args
        root = base if exponent.is_Integer else base ** sp.Rational(1, exponent.q)
        times = exponent if exponent.is_Integer else sp.Integer(exponent.p)
        if root.free_symbols and (root.func == hypot or isinstance(root, sp.Pow)):
            return where(sp.Eq(root, 0, evaluate=False), 1, root) ** times
    return e.func(*args)


def candidates(expression: Any, seconds: float = 0.3) -> Iterator[Any]:
    """Equal forms of an expression, each once, the likely best first.

    Parameters
    ----------
    expression : sympy.Expr
    seconds : float
        For each form that SymPy has to look for.
    """
    # SymPy turns erfc(-x) into 2 - erfc(x): the sums that cancel are found again from erf.
    expression = expression.replace(sp.erfc, lambda u: 1 - sp.erf(u))
    seen: dict[Any, None] = {}
    forms: list[Callable[[Any], Any]] = [
        lambda e: e,
        lambda e: sp.powsimp(sp.together(e)),
        sp.factor_terms,
        sp.simplify,
        lambda e: sp.factor(e, deep=True),
        lambda e: sp.expand(e),
    ]
    last: list[Any] = []
    small = expression.count_ops() < 200 and not _high_powers(expression)
    for form in forms if small else forms[:1]:
        try:
            with time_limit(seconds):
                found = _branchwise(expression, form)
                improved = _half_angle(stable(found))
        except OutOfTime:
            continue
        except Exception:  # SymPy's own trouble costs this one form
            continue
        for e in (improved, found):
            if e in seen or e.has(sp.zoo, sp.nan):
                continue
            seen[e] = None
            if e is improved:
                yield e
            else:
                last.append(e)
    yield from last
    if seen:
        careful = guarded(next(iter(seen)))
        if careful not in seen:
            yield careful


def _high_powers(e: Any) -> bool:
    """Whether a polynomial in its exponentials has a high degree: FLINT's factoring of one cannot
    be interrupted, and exp(1.702 x) is a power of exp(x/500)."""
    exponents = [p.exp for p in e.atoms(sp.Pow)] + [p.args[0] for p in e.atoms(sp.exp)]
    numbers = [r for x in exponents for r in x.atoms(sp.Rational)]
    return any(max(abs(r.p), r.q) > 16 for r in numbers)


def _branchwise(e: Any, form: Callable[[Any], Any]) -> Any:
    """Apply ``form`` to the branches of ``where``, and inside sums, each by itself."""
    if e.func == where:
        return where(e.args[0], *(_branchwise(a, form) for a in e.args[1:]))
    if e.has(where):
        whole = [w for w in e.atoms(sp.Function) if w.func == where]
        names = {w: sp.Dummy(f"w{i}", real=True) for i, w in enumerate(whole)}
        back = {name: _branchwise(w, form) for w, name in names.items()}
        return form(e.xreplace(names)).xreplace(back)
    if e.has(total):
        whole = [w for w in e.atoms(sp.Function) if w.func == total]
        names = {w: sp.Dummy(f"s{i}", real=True) for i, w in enumerate(whole)}
        back = {name: total(_branchwise(w.args[0], form)) for w, name in names.items()}
        return form(e.xreplace(names)).xreplace(back)
    return form(e)


# Printing


class _Printer(SciPyPrinter):
    """SymPy's printer, with the names that people import NumPy and SciPy under."""

    def __init__(self) -> None:
        super().__init__({"user_functions": _CODE})

    def _module_format(self, fqn: str, register: bool = True) -> str:
        text = super()._module_format(fqn, register)
        for long, short in (("numpy.", "np."), ("scipy.special.", "special."), ("math.", "np.")):
            if text.startswith(long):
                return short + text[len(long) :]
        return text

    def _print_Relational(self, e: Any) -> str:
        return f"{self._print(e.lhs)} {e.rel_op} {self._print(e.rhs)}"

    def _print_Float(self, e: Any) -> str:
        return repr(float(e))

    def _print_Pow(self, e: Any, rational: bool = False) -> str:
        if e.exp.is_Integer and e.exp < 0:  # SymPy's own prints x**(-1.0)
            return f"1/{self.parenthesize(e.base**-e.exp, PRECEDENCE['Mul'])}"
        return super()._print_Pow(e, rational)

    def _print_Pi(self, e: Any) -> str:
        return "np.pi"

    def _print_Exp1(self, e: Any) -> str:
        return "np.e"

    def _print_EulerGamma(self, e: Any) -> str:
        return "np.euler_gamma"

    # Of these no code can be written that a user could take: the caller then shows none.

    def _print_ImaginaryUnit(self, e: Any) -> str:
        raise NotImplementedError("a complex intermediate")

    def _print_not_supported(self, e: Any) -> str:
        raise NotImplementedError(type(e).__name__)

    emptyPrinter = _print_not_supported


def block(expressions: Sequence[Any], shared: bool = True) -> tuple[list[str], list[str]]:
    """Assignments of common subexpressions, and the expressions in terms of them.

    Raises
    ------
    NotImplementedError
        For what NumPy and SciPy have no function for.

    Examples
    --------
    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> block([sp.exp(x * y) * x, sp.exp(x * y) * y / 2])
    (['t0 = np.exp(x * y)'], ['t0 * x', '0.5 * t0 * y'])
    """
    names = (sp.Symbol(f"t{i}", real=True) for i in range(1000))
    common, reduced = [], list(expressions)
    if shared:
        common, reduced = sp.cse(expressions, symbols=names, optimizations=[])
    printer = _Printer()

    def text(e: Any) -> str:
        code = ast.unparse(ast.parse(printer.doprint(_decimal(e))))
        return code.replace(" * 1 / ", " / ")

    lines = [f"{name} = {text(e)}" for name, e in common]
    return lines, [text(e) for e in reduced]


def _decimal(e: Any) -> Any:
    """Short decimal fractions among coefficients and terms as such: ``0.5*x``, not ``(1/2)*x``."""
    if not e.args:
        return e
    args = [_decimal(a) for a in e.args]
    if isinstance(e, (sp.Add, sp.Mul)) or e.func == where:
        args = [sp.Float(float(a)) if _short(a) else a for a in args]
        if e.func != where and any(a.is_Float for a in args):
            return e.func(*args, evaluate=False)
    return e.func(*args)


def _short(a: Any) -> bool:
    if not (a.is_Rational and a.q > 1):
        return False
    rest = int(a.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1 and len(repr(float(a))) <= 10 and sp.Rational(repr(float(a))) == a
