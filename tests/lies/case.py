"""What a case is: a wrong backward, its right twin, and the options to check both with."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

KINDS = ("algebra", "cells", "floats", "contract", "second_order")
PREFIXES = ("functions_", "pairs_")


@dataclass(frozen=True)
class Case:
    """One lie and its twin; a trap (right, but tricky) has no lie.

    `options` are keyword arguments for `verify.check`; the lie gets `options` updated with
    `lie_options`. A plain callable is its own twin: its right derivative (`grad=`, `vjp=`, `jac=`)
    stands in `options`, the wrong one in `lie_options`.
    """

    name: str
    kind: str
    lie: Callable[..., Any] | None
    twin: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    lie_options: dict[str, Any] | None = None
    expect: tuple[str, ...] = ("refuted", "inaccurate")
    why: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind {self.kind!r} is none of {KINDS}")
        if not self.why:
            raise ValueError(f"{self.name}: say in `why` what is wrong, or what is tricky")

    @property
    def is_trap(self) -> bool:
        return self.lie is None

    def options_of_lie(self) -> dict[str, Any]:
        return {**self.options, **(self.lie_options or {})}


def trap(name: str, kind: str, subject: Callable[..., Any], why: str, **options: Any) -> Case:
    """A right rule that a hasty checker takes for a wrong one."""
    return Case(f"trap: {name}", kind, None, subject, options, why=why)


def modules() -> list[ModuleType]:
    """Every module of this folder that holds cases, in the order of their names."""
    package = importlib.import_module(__package__)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [
        importlib.import_module(f"{__package__}.{name}")
        for name in names
        if name.startswith(PREFIXES)
    ]


def all_cases() -> list[Case]:
    """The cases of every module (its list `CASES`); a name stands for one case only."""
    cases = [case for module in modules() for case in module.CASES]
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            raise ValueError(f"two cases are called {case.name!r}")
        seen.add(case.name)
    return cases
