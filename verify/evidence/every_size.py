"""Is backward the derivative at every size of the axes, not at the shapes of the examples alone?

May import: :mod:`symbolic`, :mod:`verify.examples`, :mod:`verify.subject`.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence

import numpy as np

from symbolic.any_shape import Argument, EverySize, NotProved, prove
from verify.examples import Example, Slot
from verify.subject import FunctionSubject, PairSubject, Subject

__all__ = ["scope"]

_SECONDS = 1.0  # for all examples together
_LONG = 200


def scope(subject: Subject, examples: Sequence[Example]) -> str | None:
    """What was proved for every size, in words; None unless every example has such a proof.

    The ranks, the keywords and the axes of length 1 are those of the examples: ``at every size:
    x (n, m), axis=-1; x (n,)``. Ties (values that the code compares, and that are equal) are cells
    of their own at the examples' shapes, and no part of the proof for others.
    """
    if not isinstance(subject, (FunctionSubject, PairSubject)):
        return None
    end = time.process_time() + _SECONDS
    # Axes of length 1 and empty arrays have no other sizes: such examples count as they are.
    lengths = {id(e): [n for s in e.slots for n in s.shape or ()] for e in examples}
    sized = [e for e in examples if max(lengths[id(e)], default=0) > 1 and 0 not in lengths[id(e)]]
    claims: dict[int, str] = {}
    aside = False
    for example in sized:
        found = _proof(subject, example, end - time.process_time())
        if found is None:
            return None
        claims[id(example)] = example.describe(found.shapes)
        aside = aside or found.aside
    if not claims:
        return None
    parts = dict.fromkeys(claims.get(id(e)) or e.describe() for e in examples)
    text = "; ".join(parts)
    if len(text) > _LONG:
        text = f"the ranks and keywords of {len(parts)} examples"
    return f"at every size{', ties aside' if aside else ''}: {text}"


def _proof(subject: Subject, example: Example, seconds: float) -> EverySize | None:
    if seconds <= 0 or any(
        s.is_complex or (s.varies and s.dtype != np.float64) for s in example.slots
    ):
        return None
    arguments = [_argument(s) for s in example.slots]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return prove(
                subject.forward, arguments, example.keywords, code=subject.code, seconds=seconds
            )
    except NotProved:
        return None


def _argument(slot: Slot) -> Argument:
    return Argument(
        slot.name,
        slot.shape,
        slot.domain.sample,
        fixed=slot.fixed,
        nonnegative=slot.domain.low >= 0,
        scalar=slot.scalar,
    )
