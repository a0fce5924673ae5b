"""A function of a library with the formula that it stands for, as a subject of a check.

Floats run through the library; symbols through the formula. So the certified derivative is that of
the formula, and what is judged against it is the gradient that the library gives. Where the
library's value is not that of the formula (overflow, or another function), nothing is judged.

May import: :mod:`verify.subject`, :mod:`verify.adapters`, :mod:`verify.registry`, :mod:`symbolic`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special

from symbolic.array import is_traced
from symbolic.namespace import NUMPY
from symbolic.values import TraceError
from verify.adapters import ADAPTERS
from verify.audit.table import NAMESPACES, TABLE, Row
from verify.registry import Registered, enter
from verify.subject import Pullback, Subject, TensorSubject

__all__ = ["Audited", "call_of", "offer"]

_FORMULA = {"np": NUMPY, "special": scipy.special, "__name__": "formula_of_an_audit"}

# How a library differentiates at a point, in as few lines as it takes.
_IMPORTS = {
    "torch": "import torch, torch.nn.functional as F",
    "jax": "import jax, jax.numpy as jnp, jax.nn as nn\n"
    "import jax.scipy.special as special, jax.scipy.stats as stats\n"
    'jax.config.update("jax_enable_x64", True)',
    "autograd": "import autograd, autograd.numpy as np\n"
    "import autograd.scipy.special as special, autograd.scipy.stats as stats",
    "autodiff": "import autodiff as ad",
}
_MAKE = {
    "torch": "torch.tensor({}, dtype=torch.float64, requires_grad=True)",
    "jax": "jnp.array({})",
    "autograd": "np.array({})",
    "autodiff": "ad.tensor({}, requires_grad=True)",
}


class Audited(Subject):
    """One row of the table in one library."""

    def __init__(self, row: Row, library: str):
        self.row, self.package = row, library
        self.call = call_of(row, library)
        super().__init__(self.call, row.name, self.call)
        self.arguments = row.arguments
        self.meaning = _expression(row.formula, row.arguments, _FORMULA)
        self.declared_domain = {a: row.domain.get(a) for a in row.arguments}
        self.declared_examples = list(row.examples) or [((),) * len(row.arguments)]
        self.inner = _inner(self.call, library)
        self.probed = False

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    @property
    def code(self) -> list[Callable[..., Any]]:
        return [self.meaning]

    @property
    def location(self) -> None:
        return None

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        if not any(is_traced(a) for a in args):
            found = self.inner.forward(args, keywords)
            if not getattr(self.inner, "tracked", True):
                raise NotImplementedError(f"{self.package} does not differentiate {self.name}")
            self._probe(*found)
            return found

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            raise TraceError(f"the gradient is {self.package}'s own")

        return (self.meaning(*args),), pullback

    def _probe(self, outputs: tuple, pullback: Pullback) -> None:
        """Have a rule that says it is not implemented say so before anything is judged."""
        if not self.probed:
            self.probed = True
            try:
                pullback([np.ones(np.shape(o)) for o in outputs])
            except NotImplementedError:
                self.probed = False
                raise
            except Exception:  # for the check to find
                return

    def snippet(self, inputs: dict[str, Any], upstream: Any, wanted: str, expected: float) -> str:
        """Code that shows a gradient with the library alone."""
        lines = [_IMPORTS[self.package]]
        made = _MAKE[self.package]
        names = self.row.arguments
        lines += [f"{n} = {made.format(_literal(inputs[n]))}" for n in names]
        call = self.row.spelled[self.package]
        g = np.asarray(upstream)
        weighed = f"({call})" if g.ndim == 0 and g == 1 else f"({call}) * {_weight(g, made)}"
        total = weighed if g.ndim == 0 else f"({weighed}).sum()"
        if self.package in ("torch", "autodiff"):
            lines.append(f"({total}).backward(); print({wanted}.grad)  # expected {expected!r}")
        else:
            place = names.index(wanted)
            grad = f"{self.package}.grad(lambda {', '.join(names)}: {total}, {place})"
            lines.append(f"print({grad}({', '.join(names)}))  # expected {expected!r}")
        return "\n".join(lines)


def _weight(g: np.ndarray, made: str) -> str:
    return (
        repr(float(g))
        if g.ndim == 0
        else made.replace(", requires_grad=True", "").format(_literal(g))
    )


def _literal(value: Any) -> str:
    text = repr(np.asarray(value, dtype=float).tolist())
    return text.replace("nan", "float('nan')").replace("inf", "float('inf')")


def call_of(row: Row, library: str) -> Callable[..., Any]:
    """The library's function, from its spelling."""
    names = {k: importlib.import_module(m) for k, m in NAMESPACES[library].items()}
    return _expression(row.spelled[library], row.arguments, {**names, "__name__": library})


def _expression(text: str, arguments: list[str], names: dict[str, Any]) -> Callable[..., Any]:
    found: Callable[..., Any] = eval(f"lambda {', '.join(arguments)}: {text}", dict(names))
    return found


def _inner(call: Callable[..., Any], library: str) -> Subject:
    if library not in ADAPTERS:
        return TensorSubject(call)
    adapter = importlib.import_module(ADAPTERS[library])
    found: Subject = adapter.adapt(call)
    return found


def offer(module: str, library: str) -> None:
    """Register every function of the table that a library has, as what `module` offers.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    importlib.import_module(library)
    for row in TABLE:
        if library not in row.spelled:
            continue
        try:
            subject = Audited(row, library)
        except AttributeError:  # a version of the library that lacks it
            continue
        enter(Registered(subject, {}, row.name, module))
