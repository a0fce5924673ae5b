"""A right backward as NumPy code, for a report on a wrong one.

SymPy's derivative of the formula (of the traced forward where none is declared) becomes code in
several equal forms; each is put in the place of the wrong backward and checked by the same checker,
and of those that pass the one that loses the fewest digits is shown. What fits no simple pattern
(see :func:`repair`) gets no repair.

May import: everything of :mod:`verify` but the command and the reports.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbolic.limits import OutOfTime, time_limit
from verify.cells import Cell
from verify.examples import Example, declared
from verify.instance import Instance
from verify.patched import patched
from verify.plans import Plan, forms, plans
from verify.subject import FunctionSubject, PairSubject, Subject, as_subject

__all__ = ["repair"]

SECONDS = 3.0  # in all
_MOST_FORMS = 6
_GOOD_ULPS = 4.0  # below this nothing better is looked for
_local = threading.local()


def repair(
    instance: Instance,
    cell: Cell | None = None,
    argument: str | None = None,
    subject: Subject | None = None,
    *,
    examples: Sequence[Example] = (),
    max_ulps: float = 2.0**20,
    seconds: float | None = None,
) -> str | None:
    """The right backward of a subject as NumPy code, or None where no simple pattern fits.

    Three patterns are known: Functions that act entry by entry; scalar values in which each entry
    has the same part (sums, means, norms: losses); scalar functions of a few entries, each with an
    expression of its own.

    Parameters
    ----------
    instance : Instance
        The subject at the example at which it is wrong.
    cell : Cell, optional
        Where it is wrong; one that forward cannot be differentiated on has no repair.
    argument : str, optional
        The argument whose gradient is wrong; the code gives the gradients of all.
    subject : Subject, optional
        By default the instance's.
    examples : sequence of Example
        What else the code must pass the check at.
    max_ulps : float
        As in :func:`verify.check`.
    seconds : float, optional
        A limit for all of it; by default 3.

    Returns
    -------
    str or None
        It passed the check in the wrong backward's place. Never raises.
    """
    subject = subject or instance.subject
    if getattr(_local, "busy", False) or (cell is not None and cell.outside):
        return None
    if not isinstance(subject, (FunctionSubject, PairSubject)) or len(instance.output_shapes) != 1:
        return None
    _local.busy = True
    limit = SECONDS if seconds is None else seconds
    best = _Best()
    try:
        with time_limit(limit), np.errstate(all="ignore"):
            _search(subject, instance, list(examples), max_ulps, best, time.monotonic() + limit)
    except OutOfTime:
        pass
    except Exception:  # a report must come out without a repair whatever went wrong here
        return best.code
    finally:
        _local.busy = False
    return best.code


@dataclass
class _Best:
    """The best code so far that passed the whole check."""

    code: str | None = None


def _search(
    subject: Subject,
    instance: Instance,
    examples: list[Example],
    max_ulps: float,
    best: _Best,
    end: float,
) -> None:
    enough = time.monotonic() + 0.7 * (end - time.monotonic())
    for plan in plans(subject, instance):
        wanted = _examples(subject, instance, examples, plan)
        several = any(len({s.shape for s in e.slots if s.varies}) > 1 for e in wanted)
        plan = replace(plan, broadcast=plan.elementwise and several)
        smallest = min(wanted, key=lambda e: e.size)
        passed: list[tuple[float, int, Any, str]] = []

        for i, gradients in enumerate(forms(plan.gradients)):
            if i >= _MOST_FORMS or time.monotonic() > enough:
                break
            made = patched(subject, instance, replace(plan, gradients=gradients))
            if made is None:
                continue
            code, mended = made
            ulps = _passes(mended, [smallest], max_ulps, end)
            if ulps is None:
                continue
            if ulps > _GOOD_ULPS:
                # Of forms about as accurate the earlier one.
                passed.append((float(np.ceil(np.log2(ulps))), i, mended, code))
            elif _settled(best, code, mended, wanted, max_ulps, end):
                return
        for _, _, mended, code in sorted(passed, key=lambda found: found[:2]):
            if _settled(best, code, mended, wanted, max_ulps, end):
                return


def _settled(
    best: _Best, code: str, mended: Any, wanted: list[Example], max_ulps: float, end: float
) -> bool:
    """Whether the code passes at all examples; then it is the best."""
    if _passes(mended, wanted, max_ulps, end) is None:
        return False
    best.code = code
    return True


def _passes(mended: Any, examples: list[Example], max_ulps: float, end: float) -> float | None:
    """The ulps lost where the check passes at all examples, else None."""
    from verify.casework import Casework

    function, options = mended
    work = Casework(as_subject(function, **options), order=1, seed=0, max_ulps=max_ulps)
    for i, example in enumerate(examples):
        left = (end - time.monotonic()) / (len(examples) - i)
        if left < 0.02 or work.examine(example, min(0.6 * left, 1.0)) is not None:
            return None
    return work.max_ulp if work.judged else None


def _examples(
    subject: Subject, instance: Instance, examples: list[Example], plan: Plan
) -> list[Example]:
    """Where the code must be right: what was examined, what is declared, and smaller shapes."""
    found = [instance.example, *examples]
    if subject.declared_examples is not None:
        found += declared(subject, None, None) or []
    # The code has the keywords' values built in, and says so.
    keywords = repr(instance.example.keywords)
    found = [e for e in found if repr(e.keywords) == keywords]
    if plan.general:
        rng = np.random.default_rng(0)
        for smaller in _smaller(instance.example):
            trial = Instance(subject, smaller, rng)
            run = trial.prepare()
            if run.forward_error is None and run.finite and trial.inputs:
                found.append(smaller)
    seen: set[str] = set()
    distinct = []
    for example in found:
        text = example.describe()
        if text not in seen:
            seen.add(text)
            distinct.append(example)
    return sorted(distinct, key=lambda e: e.size)[:6]


def _smaller(example: Example) -> Iterator[Example]:
    """The same example with its longest axes cut to 1, and to 2."""
    longest = max((n for s in example.slots for n in s.shape or ()), default=1)
    for n in (1, 2):
        if n < longest:
            yield replace(
                example,
                slots=tuple(
                    replace(s, shape=tuple(n if k == longest else k for k in s.shape), base=None)
                    if s.shape
                    else s
                    for s in example.slots
                ),
            )
