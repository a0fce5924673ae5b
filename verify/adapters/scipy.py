"""SciPy's conventions: ``fun``, ``jac`` and ``hess``, with ``args=``.

A derivative is that in the first argument; what follows is data. ``jac`` may be True, where ``fun``
gives its value and its gradient at once, and return a sparse matrix; ``hess`` is checked as the
derivative of ``jac``, and may be sparse or a ``LinearOperator``; ``hessp(x, p, *args)`` is the
product of the Hessian with ``p``.

May import: :mod:`verify.subject`, :mod:`verify.check`; SciPy when used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from verify.subject import PairSubject
from verify.verdict import Report, combined

__all__ = ["Problem", "ScipySubject", "check_problem"]

_SHAPES: tuple[tuple[int, ...], ...] = ((1,), (2,), (3,), (4,), (5,), ())
_ENOUGH = 2  # shapes to check at where none is given


class ScipySubject(PairSubject):
    """A function of ``x`` and of data, with its derivative in ``x``."""

    def is_fixed(self, position: int, entry: Any) -> bool:
        return position > 0


class Problem:
    """A function with its derivatives, as SciPy's solvers take them.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``.
    jac : callable or True
        ``jac(x, *args)``; True where `fun` returns its value and its gradient.
    hess, hessp : callable, optional
        ``hess(x, *args)``, or ``hessp(x, p, *args)``.

    Examples
    --------
    >>> from verify.adapters.scipy import Problem
    >>> problem = Problem(lambda x: x @ x, lambda x: 2 * x)
    >>> [subject.name for subject in problem.subjects()]
    ['<lambda>']
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        jac: Callable[..., Any] | bool,
        hess: Callable[..., Any] | None = None,
        hessp: Callable[..., Any] | None = None,
    ):
        if jac is not True and not callable(jac):
            raise TypeError(f"jac: expected a callable, or True, got {jac!r}")
        self.fun = _part(fun, 0) if jac is True else fun
        self.jac: Callable[..., Any] = _part(fun, 1) if jac is True else jac  # type: ignore[assignment]
        self.hess = hess
        self.hessp = hessp

    def subjects(self) -> list[ScipySubject]:
        """``jac`` as the derivative of ``fun``, then ``hess`` or ``hessp`` as that of ``jac``."""
        found = [ScipySubject(self.fun, "jac", self.jac)]
        if self.hess is not None:
            found.append(ScipySubject(_densified(self.jac), "jac", _densified(self.hess)))
        if self.hessp is not None:
            found.append(ScipySubject(_densified(self.jac), "vjp", _product(self.hessp)))
        return found


def check_problem(
    fun: Callable[..., Any],
    jac: Callable[..., Any] | bool,
    hess: Callable[..., Any] | None = None,
    hessp: Callable[..., Any] | None = None,
    args: Sequence[Any] = (),
    examples: Any = None,
    **options: Any,
) -> Report:
    """Check ``jac``, and then ``hess`` or ``hessp``: one report, the worse of the two.

    Parameters
    ----------
    fun, jac, hess, hessp
        As for `Problem`.
    args : sequence
        Handed to all of them after ``x``.
    examples : list, optional
        Values or shapes of ``x``; found by trying where it is missing.
    **options
        Those of `check`.
    """
    from verify.check import check

    subjects = Problem(fun, jac, hess, hessp).subjects()
    data = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    if examples is None:
        examples = _fitting(subjects[0], data)
    elif callable(examples):
        examples = examples()
    given = [(*(e if isinstance(e, (tuple, list)) else (e,)), *data) for e in examples or ()]
    reports = []
    for subject in subjects:
        reports.append(check(subject, examples=given or None, **options))
        if not reports[-1].ok:
            break
    what = "hess" if hess is not None else "hessp"
    return combined(reports, what, f"{what} was checked as the derivative of jac")


def _fitting(subject: ScipySubject, data: tuple) -> list[tuple]:
    """Shapes of x that the function runs on, with the data it is given."""
    if not data:
        return []
    rng = np.random.default_rng(0)
    found: list[tuple] = []
    for shape in _SHAPES:
        x = np.asarray(rng.uniform(0.25, 0.75, size=shape))
        try:
            with np.errstate(all="ignore"):
                outputs, pullback = subject.forward([x, *data], {})
                [gradient] = pullback([np.ones(np.shape(o)) for o in outputs])
        except Exception:  # the user's code may raise anything: the next shape is tried
            continue
        if np.shape(gradient) == shape and len(found) < _ENOUGH:
            found.append((shape,))
    return found


def _part(fun: Callable[..., Any], place: int) -> Callable[..., Any]:
    """The value, or the gradient, of a function that gives both."""

    @functools.wraps(fun)
    def part(x: Any, *args: Any) -> Any:
        return fun(x, *args)[place]

    return part


def _densified(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with an array for a sparse matrix or a ``LinearOperator``."""

    @functools.wraps(function)
    def dense(x: Any, *args: Any) -> Any:
        found = function(x, *args)
        if hasattr(found, "toarray"):
            return found.toarray()
        if hasattr(found, "matmat") and not hasattr(found, "__array__"):
            return found.matmat(np.eye(found.shape[1]))
        return found

    return dense


def _product(hessp: Callable[..., Any]) -> Callable[..., Any]:
    """``vjp(x, *args, p)`` from ``hessp(x, p, *args)``: a Hessian is symmetric."""

    @functools.wraps(hessp)
    def vjp(x: Any, *rest: Any) -> Any:
        return hessp(x, rest[-1], *rest[:-1])

    return vjp
