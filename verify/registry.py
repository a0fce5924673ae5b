"""Subjects that a module offers for checking, beside the Functions that it defines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Registered:
    """A subject and the options to check it with; `module` is the one that registered it."""

    subject: Any
    options: dict[str, Any]
    name: str
    module: str
    line: int | None = field(default=None, compare=False)


_registry: list[Registered] = []


def register(
    f: F,
    *,
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jac: Callable[..., Any] | None = None,
    formula: Callable[..., Any] | None = None,
    examples: Any = None,
    domain: Any = None,
    name: str | None = None,
    **options: Any,
) -> F:
    """Have `gradproof` check a plain function with its hand-written derivative.

    A module that calls this when it is imported offers `f` as it offers its Functions: the
    command, `check_module` and the pytest plugin find it by the module's name.

    Parameters
    ----------
    f : callable
        The subject, as for `check`.
    grad, vjp, jac : callable, optional
        Its hand-written derivative, at most one of them: ``grad(*args)``, the gradients of a
        scalar-valued `f`; ``vjp(*args, grad_output)``; or ``jac(*args)``, the Jacobians.
    formula, examples, domain : optional
        As for `check`.
    name : str, optional
        What to call it; the function's own name if missing.
    **options
        Other options of `check`, such as ``order`` or ``max_ulps``.

    Returns
    -------
    callable
        `f` itself.

    Raises
    ------
    TypeError
        If `f` cannot be called, or more than one derivative is given.

    Examples
    --------
    >>> import numpy as np
    >>> from verify import register
    >>> def loss(w): return np.sum(w ** 2)
    >>> register(loss, grad=lambda w: 2 * w) is loss
    True
    """
    if not callable(f):
        raise TypeError(f"only what can be called is registered, not a {type(f).__name__}")
    derivatives = {"grad": grad, "vjp": vjp, "jac": jac}
    given = [key for key, value in derivatives.items() if value is not None]
    if len(given) > 1:
        raise TypeError(f"one derivative is checked at a time, not {' and '.join(given)}")
    caller = sys._getframe(1)
    named = {**derivatives, "formula": formula, "examples": examples, "domain": domain, **options}
    _registry.append(
        Registered(
            subject=f,
            options={key: value for key, value in named.items() if value is not None},
            name=name or getattr(f, "__qualname__", None) or type(f).__name__,
            module=caller.f_globals.get("__name__", ""),
            line=caller.f_lineno,
        )
    )
    return f


def enter(entry: Registered) -> None:
    """Add an entry made elsewhere."""
    _registry.append(entry)


def registered(module: str) -> list[Registered]:
    """What the module of this name has registered, in order; the last of each name counts."""
    return list({entry.name: entry for entry in _registry if entry.module == module}.values())
