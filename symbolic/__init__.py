"""Formulas of array code: what it computes, its derivatives, proofs, and derivations on paper.

`formula` and `derivative` give SymPy expressions, `derive` writes down how the gradient of a
recorded graph comes about, `trace` runs NumPy code on symbols that carry a value, `prove` decides
whether a backward is the derivative, and `enclose` computes with rigorous error bounds.
"""

from typing import TYPE_CHECKING

import lazy_loader as _lazy

# Nothing is imported until it is used: SymPy alone takes a third of a second. No module here has
# the name of an exported function, which it would hide once imported (hence `formulas`).
__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submod_attrs={
        "api": ["derivative", "formula"],
        "derivation": ["Derivation", "Step", "derive", "explain_function"],
        "enclosure": ["Enclosure", "enclose"],
        "proof": ["Proof", "prove"],
        "tracing": ["trace"],
    },
)

if TYPE_CHECKING:
    from symbolic.api import derivative, formula
    from symbolic.derivation import Derivation, Step, derive, explain_function
    from symbolic.enclosure import Enclosure, enclose
    from symbolic.proof import Proof, prove
    from symbolic.tracing import trace

__all__ = [
    "Derivation",
    "Enclosure",
    "Proof",
    "Step",
    "derivative",
    "derive",
    "enclose",
    "explain_function",
    "formula",
    "prove",
    "trace",
]
