"""Is backward the derivative at every size of the axes, not at the shapes of the examples alone?

May import: :mod:`symbolic`, :mod:`verify.examples`, :mod:`verify.subject`.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence

import numpy as np

from symbolic.any_shape import Argument, NotProved, prove
from verify.examples import Example, Slot
from verify.subject import FunctionSubject, PairSubject, Subject

__all__ = ["scope"]

_SECONDS = 1.0  # for all examples together
_LONG = 200


def scope(subject: Subject, examples: Sequence[Example]) -> str | None:
    """What was proved for every size, in words; None unless every example has such a proof.

    The ranks, the keywords and the axes of length 1 are those of the examples: ``at every size:
    x (n, m), axis=-1; x (n,)``.
    """
    if not isinstance(subject, (FunctionSubject, PairSubject)):
        return None
    end = time.process_time() + _SECONDS
    # Axes of length 1 have no other sizes; examples with no other axes count as they are.
    sized = [e for e in examples if any(n > 1 for s in e.slots for n in s.shape or ())]
    claims = {}
    for example in sized:
        claim = _claim(subject, example, end - time.process_time())
        if claim is None:
            return None
        claims[id(example)] = claim
    if not claims:
        return None
    parts = dict.fromkeys(claims.get(id(e)) or e.describe() for e in examples)
    text = "; ".join(parts)
    if len(text) > _LONG:
        text = f"the ranks and keywords of {len(parts)} examples"
    return f"at every size: {text}"


def _claim(subject: Subject, example: Example, seconds: float) -> str | None:
    if seconds <= 0 or any(
        s.is_complex or (s.varies and s.dtype != np.float64) for s in example.slots
    ):
        return None
    arguments = [_argument(s) for s in example.slots]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = prove(
                subject.forward, arguments, example.keywords, code=subject.code, seconds=seconds
            )
    except NotProved:
        return None
    return example.describe(found.shapes)


def _argument(slot: Slot) -> Argument:
    return Argument(
        slot.name,
        slot.shape,
        slot.domain.sample,
        fixed=slot.fixed,
        nonnegative=slot.domain.low >= 0,
        scalar=slot.scalar,
    )
