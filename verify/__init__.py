"""Checks gradients: proves one for every input, or refutes it with a counterexample.

`check` gathers the evidence and gives a `Report`; `assert_correct` is for tests, `check_module`
for everything in a module; `gradcheck`, `check_grads` and `check_grad` take the calls of torch's,
JAX's, autograd's and SciPy's checkers.
"""

import sys as _sys
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING, Any

import lazy_loader as _lazy

__version__ = "0.1.0"

# Nothing is imported until it is used: `gradproof --version` must not wait for SymPy.
__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=["domains", "strategies"],
    submod_attrs={
        "api": ["assert_correct", "check_module"],
        "check": ["check"],
        "dropins": ["check_grad", "check_grads", "gradcheck"],
        "registry": ["register"],
        "verdict": ["Counterexample", "Entry", "Finding", "Report", "Verdict"],
    },
)

if TYPE_CHECKING:
    from verify import domains, strategies
    from verify.api import assert_correct, check_module
    from verify.check import check
    from verify.dropins import check_grad, check_grads, gradcheck
    from verify.registry import register
    from verify.verdict import Counterexample, Entry, Finding, Report, Verdict


class _Package(_ModuleType):
    """``verify.check`` is the function, even after somebody imported the module of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "check" and isinstance(value, _ModuleType):
            value = value.check
        super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Package

__all__ = [
    "Counterexample",
    "Entry",
    "Finding",
    "Report",
    "Verdict",
    "assert_correct",
    "check",
    "check_grad",
    "check_grads",
    "check_module",
    "domains",
    "gradcheck",
    "register",
    "strategies",
]
