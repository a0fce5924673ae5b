"""Which step of a composite is wrong? Every recorded step, at what it really received.

A callable on Tensors records a graph. Each of its steps is run again on the arrays that it took and
the upstream gradient that it received, and judged there as a Function of its own; what arrives at
the leaves is compared with what the engine accumulated. The first guilty step is named with its
line in the user's code.

May import: :mod:`autodiff`, :mod:`symbolic`, and of :mod:`verify` what judges a point.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import autodiff
from autodiff import Tensor, detect_anomaly
from autodiff.graph import given
from symbolic.values import TraceError
from verify.evidence import differences
from verify.examples import Example, Slot, domains_of
from verify.explore import Explorer
from verify.instance import Instance
from verify.judge import Judge, Wrong
from verify.subject import BadResult, Context, FunctionSubject, TensorSubject

__all__ = ["Guilty", "Step", "first_guilty", "judge_step", "steps"]

_LIBRARY = Path(autodiff.__file__).parent
_MOST_TRACED = 200  # entries of a step that are traced one by one; above, differences


@dataclass
class Step:
    """One recorded operation, the arrays that it took, and the upstream gradient it received.

    ``place`` is the file and line of the user's code that recorded it; ``received`` is None where
    no gradient arrived; ``error`` is what its backward raised.
    """

    function: Any
    args: list[Any]
    edges: list[Any]
    keywords: dict[str, Any]
    place: tuple[str, int] | None
    received: list[np.ndarray] | None = None
    error: Exception | None = None
    node: Any = None

    @property
    def name(self) -> str:
        return str(self.function.__name__)

    def describe(self) -> str:
        """Name and place: ``Square, at model.py:12``."""
        if self.place is None:
            return self.name
        return f"{self.name}, at {self.place[0]}:{self.place[1]}"


@dataclass
class Guilty:
    """A step that is wrong, and how: a wrong entry with its judge, or a message alone."""

    step: Step
    message: str
    instance: Instance | None = None
    judge: Judge | None = None
    wrong: Wrong | None = None


def steps(
    subject: TensorSubject, args: Sequence[Any], keywords: dict[str, Any], upstream: Sequence[Any]
) -> tuple[list[Step], list[Any]]:
    """The recorded steps in the order of computation, and what arrives at each argument."""
    with detect_anomaly():
        wrapped, results = subject.record(args, keywords)
    nodes = _nodes([r for r in results if r.requires_grad])
    values: dict[Any, Any] = {}
    found: dict[Any, Step] = {}
    contexts: dict[Any, Context] = {}
    for node in nodes:
        if not hasattr(node, "_function"):  # one of several outputs
            values[node] = values[node.parent][node.index]
            continue
        constants, options = given(node)
        rest = iter(constants)
        taken = [
            next(rest) if e is None else e._data if isinstance(e, Tensor) else values[e]
            for e in node._edges
        ]
        ctx = contexts[node] = Context([e is not None for e in node._edges])
        result = node._function.forward(ctx, *taken, **options)
        values[node] = (
            [np.asarray(r) for r in result]
            if isinstance(result, (tuple, list))
            else np.asarray(result)
        )
        found[node] = Step(
            node._function, taken, list(node._edges), options, _place(node), node=node
        )
    arrived = _sweep(results, upstream, nodes, values, found, contexts)
    return list(found.values()), [
        arrived.get(w) if isinstance(w, Tensor) else None for w in wrapped
    ]


def all_built_in(subject: TensorSubject, instance: Instance) -> bool:
    """Whether no Function of the user's is among the recorded steps."""
    try:
        with instance._quiet():
            _, results = subject.record(
                instance.arguments(instance.draw()), instance.example.keywords
            )
    except Exception:  # the user's code: then nothing is said of it
        return False
    functions = [n._function for n in _nodes(results) if hasattr(n, "_function")]
    return all(f.__module__.startswith("autodiff.") for f in functions)


def _nodes(roots: Sequence[Tensor]) -> list[Any]:
    """The nodes behind some tensors, each after those that it uses."""
    seen: set[Any] = set()
    stack = [r._node for r in roots if r._node is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        parents = node._edges if hasattr(node, "_function") else [node.parent]
        stack += [e for e in parents if e is not None and not isinstance(e, Tensor)]
    return sorted(seen, key=lambda node: -node._order)


def _place(node: Any) -> tuple[str, int] | None:
    """The innermost line outside of the library that led to a node."""
    for frame in reversed(node._traceback or ()):
        file = Path(frame.filename)
        if _LIBRARY not in file.parents and "numpy" not in file.parts:
            return frame.filename, int(frame.lineno or 0)
    return None


def _sweep(
    results: Sequence[Tensor],
    upstream: Sequence[Any],
    nodes: Sequence[Any],
    values: dict[Any, Any],
    found: dict[Any, Step],
    contexts: dict[Any, Context],
) -> dict[Any, Any]:
    """A backward pass of our own, that notes what each step receives; it stops where one raises."""
    total: dict[Any, Any] = {}

    def add(target: Any, gradient: Any) -> None:
        if target is not None and gradient is not None:
            total[target] = gradient if target not in total else total[target] + gradient

    for result, gradient in zip(results, upstream, strict=True):
        if result.requires_grad:
            add(result._node or result, np.asarray(gradient))
    for node in reversed(nodes):
        if not hasattr(node, "_function"):
            if node in total:
                total.setdefault(node.parent, {})[node.index] = total[node]
            continue
        if node not in total:
            continue
        step = found[node]
        if node._outputs is None:
            step.received = [np.array(total[node])]
        else:
            arrived = total[node]
            step.received = [
                np.array(arrived[i]) if i in arrived else np.zeros(np.shape(v))
                for i, v in enumerate(values[node])
            ]
        try:
            gradients = node._function.backward(contexts[node], *map(np.array, step.received))
        except Exception as error:  # the user's backward may raise anything: that is the finding
            step.error = error
            break
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        step.error = _misfit(step, gradients)
        if step.error is not None:
            break
        for edge, gradient in zip(node._edges, gradients, strict=False):
            add(edge, gradient)
    return total


def _misfit(step: Step, gradients: Sequence[Any]) -> BadResult | None:
    """What keeps the engine from taking these gradients."""
    if len(gradients) < len(step.args):
        return BadResult(f"{len(gradients)} gradients for {len(step.args)} arguments")
    names = FunctionSubject(step.function)
    for i, (edge, gradient) in enumerate(zip(step.edges, gradients, strict=False)):
        if edge is not None and gradient is not None:
            given, due = np.shape(gradient), np.shape(step.args[i])
            if given != due:
                return BadResult(
                    f"the gradient of {names.name_of(i)} has shape {given}, expected {due}"
                )
    return None


def first_guilty(
    subject: TensorSubject,
    instance: Instance,
    point: np.ndarray,
    max_ulps: float,
    seconds: float = 5.0,
    own: bool = True,
) -> tuple[Guilty | None, int]:
    """The first step, in the order of computation, that is wrong at what it received.

    Parameters
    ----------
    subject, instance, point
        The callable, and where to run it.
    max_ulps : float
    seconds : float
        Of processor time; steps that it does not suffice for are not judged.
    own : bool
        Whether to judge the Functions of :mod:`autodiff` too.

    Returns
    -------
    Guilty or None
    int
        How many steps were judged.
    """
    end = time.process_time() + seconds
    args, upstream = instance.arguments(point), instance.upstream_arrays(point)
    try:
        recorded, arrived = steps(subject, args, instance.example.keywords, upstream)
    except Exception:  # code that cannot be run a second time names nobody
        return None, 0
    judged = 0
    for step in recorded:
        built_in = step.function.__module__.startswith("autodiff.")
        if step.received is None or (built_in and not own) or time.process_time() > end:
            continue
        guilty, _ = judge_step(step, instance.rng, max_ulps)
        judged += 1
        if guilty is not None:
            return guilty, judged
    if judged and own:
        return _accumulation(subject, instance, point, arrived), judged
    return None, judged


def judge_step(step: Step, rng: np.random.Generator, max_ulps: float) -> tuple[Guilty | None, bool]:
    """What is wrong with a step at what it received, and whether that could be judged."""
    if isinstance(step.error, BadResult):
        return Guilty(step, str(step.error)), True
    if step.error is not None:
        message = f"its backward raises {type(step.error).__name__}: {step.error}"
        return Guilty(step, message), True
    subject = FunctionSubject(step.function)
    domains = domains_of(subject, None, len(step.args))
    slots = tuple(
        _slot(subject.name_of(i), value, edge is not None, domain)
        for i, (value, edge, domain) in enumerate(zip(step.args, step.edges, domains, strict=True))
    )
    instance = Instance(subject, Example(slots, dict(step.keywords)), rng)
    if instance.prepare().forward_error is not None or not instance.inputs:
        return None, False
    assert step.received is not None
    parts = [np.ravel(step.args[p.position]) for p in instance.pieces]
    parts += [np.ravel(step.received[p.position]) for p in instance.upstream]
    point = np.concatenate(parts).astype(float)
    run = instance.run(point)
    if run.forward_error is not None or not run.finite:
        return None, False
    if instance.inputs <= _MOST_TRACED:
        explorer = Explorer(instance, time.process_time() + 1.0)
        try:
            explorer.visit(point)
            judge = Judge(explorer, max_ulps)
            outcome = judge.judge(point)
        except (TraceError, ArithmeticError):
            pass
        else:
            if outcome.wrong is None:
                return None, outcome.judged
            message = _said(instance, outcome.wrong)
            return Guilty(step, message, instance, judge, outcome.wrong), True
    wrong, judged = _by_differences(instance, point, run)
    return (
        None if wrong is None else Guilty(step, _said(instance, wrong), instance, None, wrong)
    ), judged


def _slot(name: str, value: Any, varies: bool, domain: Any) -> Slot:
    array = np.asarray(value)
    if not varies or array.dtype.kind != "f":
        return Slot(name, domain=domain, fixed=value)
    return Slot(name, array.shape, domain, array, dtype=array.dtype)


def _by_differences(instance: Instance, point: np.ndarray, run: Any) -> tuple[Wrong | None, bool]:
    """An entry that sharp finite differences contradict, and whether any of them were sharp."""
    actual = run.flat_grads(instance.pieces).real
    entries = list(range(instance.inputs))
    if len(entries) > 8:
        entries = sorted(instance.rng.choice(len(entries), 8, replace=False).tolist())
    judged = False
    for i, e in zip(entries, differences.gradient(instance, point, entries), strict=True):
        if e.usable and not e.kink and e.error <= 1e-6 * abs(e.value):
            judged = True
            gap = abs(actual[i] - e.value)
            if not gap <= 1e3 * e.error + 1e-4 * abs(e.value):
                return Wrong(point, i, e.value, float(actual[i]), np.inf, None, "value"), True
    return None, judged


def _said(instance: Instance, wrong: Wrong) -> str:
    piece, k = instance.owner(wrong.entry)
    if wrong.kind == "raises":
        return "its backward raises where forward gives a finite value"
    return (
        f"for the upstream gradient that it received it gives {wrong.actual!r} as the gradient of "
        f"{piece.label(k)}, expected {wrong.expected!r}"
    )


def _accumulation(
    subject: TensorSubject, instance: Instance, point: np.ndarray, arrived: list[Any]
) -> Guilty | None:
    """Every step is right: does the engine's sum agree with the sum of what the steps sent?"""
    run = instance.run(point)
    for piece, grads in zip(instance.pieces, run.grads, strict=True):
        sent = arrived[piece.position]
        sent = np.zeros(piece.size) if sent is None else np.ravel(sent)
        if grads is not None and not np.allclose(grads, sent, rtol=1e-9, atol=0, equal_nan=True):
            step = Step(subject.function, [], [], {}, subject.location)
            return Guilty(
                step,
                f"every step is right, but the gradient of {piece.name} is not the sum of what "
                "they sent: a hook changed a gradient, or the code does not run the same way twice",
            )
    return None
