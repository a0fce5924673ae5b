"""`check`: gather the evidence on one subject, and state one verdict.

Every kind of evidence lives in :mod:`verify.evidence`, every rule on what counts as wrong at a
point
in :mod:`verify.judge`; here they are put in order, and the verdict follows from what they found.

May import: everything of :mod:`verify` but the command and the reports.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symbolic.limits import OutOfTime, time_limit
from verify.build import failure, show, undecided
from verify.casework import MOST_ENTRIES, Casework
from verify.evidence import shapes
from verify.evidence.composite import all_built_in
from verify.examples import Example, declared, differentiated, guessed, numbered
from verify.instance import Instance
from verify.quick import glance
from verify.subject import PairSubject, Subject, TensorSubject, as_subject
from verify.verdict import Finding, Report, Verdict, combined

__all__ = ["check"]

NOTHING_OWN = (
    "run on Tensors: what was checked are the gradients of the built-in Functions that it is made "
    "of; a derivative written by hand is given with grad=, vjp= or jac= (--grad, --vjp, --jac)"
)


def check(
    subject: Any,
    *,
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    args: Sequence[Any] = (),
    formula: Callable[..., Any] | None = None,
    examples: Sequence[Any] | Callable[[], Sequence[Any]] | None = None,
    domain: Any = None,
    order: int = 1,
    seed: int = 0,
    timeout: float | None = None,
    max_ulps: float = 2**20,
    quick: bool = False,
    name: str | None = None,
) -> Report:
    """Check a hand-written derivative.

    Parameters
    ----------
    subject : Function class or callable
        A subclass of :class:`autodiff.Function`; a callable on arrays, with one of ``grad``,
        ``vjp`` and ``jac``; or a callable on Tensors.
    grad : callable, optional
        ``grad(*args)``: the gradients of a scalar-valued subject, one array or a tuple in the order
        of the arguments.
    vjp : callable, optional
        ``vjp(*args, grad_output)``: the vector-Jacobian products.
    jac : callable, optional
        ``jac(*args)``: the Jacobians, each of the output's shape followed by the argument's. True
        where the subject returns its value and its gradient, as for SciPy's solvers.
    hess : callable, optional
        With ``jac``, as SciPy's solvers take it: checked as the derivative of ``jac``.
    args : sequence, optional
        With ``jac``: data that follow the first argument, as SciPy's ``args=``.
    formula : callable, optional
        What the subject means, SymPy in and SymPy out.
    examples : list of tuple, optional
        Arguments to check with: a tuple of ints stands for an array of that shape, an array or a
        scalar for itself, a last dict for keywords. Found by trying where it is missing.
    domain : dict or sequence, optional
        For each argument ``None``, an open interval, a set of :mod:`verify.domains`, or a function
        ``(rng, shape) -> array``.
    order : int
        2 and above check the derivatives of the derivative too.
    seed : int
        Of the random points; the verdict on a given subject should not depend on it.
    timeout : float, optional
        Seconds for the whole check.
    max_ulps : float
        How many units in the last place backward may lose to rounding, beyond what the rounding of
        its inputs explains.
    quick : bool
        Look at one cell and at the contract alone: in milliseconds, and never `proved`.
    name : str, optional
        What the report calls the subject.

    Returns
    -------
    Report

    Raises
    ------
    TypeError, ValueError
        For arguments that make no sense, naming the argument, the value, and what was expected.

    Examples
    --------
    >>> import numpy as np
    >>> from verify import check
    >>> report = check(lambda x: (x**3).sum(), grad=lambda x: 3 * x**2, examples=[((2,),)])
    >>> report.verdict.value
    'proved'
    >>> report = check(lambda x: (x**3).sum(), grad=lambda x: 2 * x**2, examples=[((2,),)])
    >>> report.verdict.value, report.blame, report.argument
    ('refuted', 'backward', 'x')
    """
    started = time.perf_counter()
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order: expected an integer of at least 1, got {order!r}")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout: expected a positive number of seconds, got {timeout!r}")
    if not max_ulps > 0:
        raise ValueError(f"max_ulps: expected a positive number, got {max_ulps!r}")
    if jac is True or hess is not None or len(args):
        from verify.adapters.scipy import check_problem

        if jac is None or grad is not None or vjp is not None:
            raise TypeError("hess= and args= go with jac=, as SciPy's solvers take them")
        options: dict[str, Any] = {
            "formula": formula,
            "domain": domain,
            "order": order,
            "seed": seed,
        }
        limits: dict[str, Any] = {"timeout": timeout, "max_ulps": max_ulps, "quick": quick}
        return check_problem(
            subject, jac, hess, None, args, examples, name=name, **options, **limits
        )
    target = as_subject(subject, grad, vjp, jac or None, examples)
    if formula is not None:
        target.formula = formula
    work = Casework(target, order=order, seed=seed, max_ulps=max_ulps)
    limit = timeout if timeout is not None else 120.0
    try:
        with time_limit(limit), np.errstate(all="ignore"):
            report = _conclude(target, work, examples, domain, seed, limit, quick)
    except OutOfTime:
        report = _out_of_time(work, limit)
    report.name = name or target.name
    report.location = target.location
    report.seconds = time.perf_counter() - started
    if order > 1 and report.ok and not target.second_order:
        derived = target.gradient()
        if derived is not None:
            derived.declared_examples = target.declared_examples
            again: dict[str, Any] = {"timeout": timeout, "max_ulps": max_ulps, "quick": quick}
            higher = check(derived, examples=examples, domain=domain, order=order - 1, **again)
            note = "the gradient, for one upstream gradient, was checked as a function of its own"
            return combined([report, higher], "gradient of the gradient", note)
    return report


def _conclude(
    target: Subject,
    work: Casework,
    examples: Any,
    domain: Any,
    seed: int,
    limit: float,
    quick: bool,
) -> Report:
    found = declared(target, examples, domain)
    if found is None:
        rng = np.random.default_rng(seed)
        found, reason = guessed(target, domain, rng)
        if not found:
            return undecided(
                work,
                f"no arguments fit: {reason}. Give examples=[...], a list of argument tuples in "
                "which a tuple of ints stands for an array of that shape",
            )
        if reason:
            work.notes.append(reason)
        work.guessed = True
        found = numbered(target, found, rng)
    if isinstance(target, PairSubject):
        found = [differentiated(target, e, np.random.default_rng(seed)) for e in found]
    work.declared = list(found)
    if not quick:
        found += [small for e in found if (small := work.small(e)) is not None]
        found += _singles(work, found)
    # Small examples first: what is wrong there is the easiest to read.
    found = sorted(found, key=lambda e: e.size)
    deadline = time.process_time() + 0.9 * limit
    work.survey(found)
    for i, example in enumerate(found):
        share = (deadline - time.process_time()) / (len(found) - i)
        if share < 0.02:
            work.uncovered.append(f"no time left for {example.describe()}")
            continue
        seconds = min(share, 20.0)
        wrong = glance(work, example, seconds) if quick else work.examine(example, seconds)
        if wrong is not None:
            return failure(work, wrong)
    if quick:
        return _passed(work)
    end = time.process_time() + min(2.0, 0.1 * limit)
    for example in _distinct([e for e in found if e.size <= MOST_ENTRIES]):
        wrong = work.vary(example, end) or work.lengthen(example, end)
        if wrong is not None:
            return failure(work, wrong)
    if work.entrywise:
        smallest = {e.settings: e for e in sorted(work.examples, key=lambda e: -e.size)}
        for example in smallest.values():
            wrong = shapes.compare(work, example)
            if wrong is None and work.entrywise and work.guessed:
                wrong = shapes.broadcast(work, example)
            if wrong is not None:
                return failure(work, wrong)
    return _passed(work)


def _singles(work: Casework, examples: list[Example]) -> list[Example]:
    """For settings that are given at larger shapes alone: an example of single entries."""
    smallest: dict[str, Example] = {}
    for e in sorted(examples, key=lambda e: e.size):
        smallest.setdefault(e.settings, e)
    large = [e for e in smallest.values() if e.size > 2]
    return [one for e in large if (one := work.single(e)) is not None]


def _distinct(examples: list[Example]) -> list[Example]:
    """One example of each combination of ranks and keywords."""
    kinds: dict[tuple, Example] = {}
    for e in examples:
        ranks = tuple(None if s.shape is None else len(s.shape) for s in e.slots)
        kinds.setdefault((ranks, tuple(sorted((k, repr(v)) for k, v in e.keywords.items()))), e)
    return list(kinds.values())


def _passed(work: Casework) -> Report:
    """The verdict where nothing wrong was found."""
    if work.contradiction:
        return undecided(work, work.contradiction)
    if not work.judged:
        return undecided(work, work.reason or "no point could be judged")
    proved = work.all_proved and not work.uncovered
    report = Report(
        "",
        Verdict.PROVED if proved else Verdict.VERIFIED,
        findings=work.findings(),
        cells={"explored": work.explored, "proved": work.proved},
        not_covered=list(dict.fromkeys(work.uncovered)),
        max_ulp=work.max_ulp,
        resolution=work.resolution,
    )
    report.worst = work.worst
    report.scope = work.scope()
    report.notes = list(dict.fromkeys(work.notes))
    if isinstance(work.subject, TensorSubject) and work.examples:
        made_here = Instance(work.subject, work.examples[0], np.random.default_rng(0))
        if all_built_in(work.subject, made_here):
            report.notes.insert(0, NOTHING_OWN)
    report.samples = work.samples
    report.show_later(functools.partial(show, work))
    report.printed = work.printed or None
    return report


def _out_of_time(work: Casework, limit: float) -> Report:
    if work.judged and not work.running:
        work.uncovered.append(f"what {limit:g} s did not suffice for")
        return _passed(work)
    report = undecided(work, f"out of time after {limit:g} s, while {work.doing}")
    report.findings.append(Finding("proof", "skip", "not proved: out of time"))
    return report
