"""A right backward as NumPy code, for a report on a wrong one.

SymPy's derivative of the formula (of the traced forward where none is declared) becomes code in
several equal forms; each is put in the place of the wrong backward and checked by the same checker,
and of those that pass the one that loses the fewest digits is shown. What fits no simple pattern
(see :func:`repair`) gets no repair.

May import: everything of :mod:`verify` but the command and the reports.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbolic.graph import Node, topological
from symbolic.limits import OutOfTime, time_limit
from symbolic.sympy_bridge import to_sympy
from verify.cells import Cell
from verify.examples import Example, declared
from verify.explore import Explorer
from verify.instance import Instance, Piece
from verify.subject import Context, FunctionSubject, PairSubject, Subject, as_subject

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


@dataclass
class _Plan:
    """Right gradients as SymPy expressions of plain symbols.

    ``gradients`` has one for each positional argument, None where it is not differentiated, and a
    tuple where each entry has its own; ``unpack`` are lines that name entries; ``broadcast``:
    arguments may have other shapes than the value; ``general``: the code holds at other shapes too.
    """

    gradients: list[Any]
    unpack: tuple[str, ...] = ()
    elementwise: bool = False
    broadcast: bool = False
    general: bool = True


def _search(
    subject: Subject,
    instance: Instance,
    examples: list[Example],
    max_ulps: float,
    best: _Best,
    end: float,
) -> None:
    enough = time.monotonic() + 0.7 * (end - time.monotonic())
    for plan in _plans(subject, instance):
        wanted = _examples(subject, instance, examples, plan)
        several = any(len({s.shape for s in e.slots if s.varies}) > 1 for e in wanted)
        plan = replace(plan, broadcast=plan.elementwise and several)
        smallest = min(wanted, key=lambda e: e.size)
        passed: list[tuple[float, int, Any, str]] = []

        for i, gradients in enumerate(_forms(plan.gradients)):
            if i >= _MOST_FORMS or time.monotonic() > enough:
                break
            made = _patched(subject, instance, replace(plan, gradients=gradients))
            if made is None:
                continue
            code, patched = made
            ulps = _passes(patched, [smallest], max_ulps, end)
            if ulps is None:
                continue
            if ulps > _GOOD_ULPS:
                # Of forms about as accurate the earlier one.
                passed.append((float(np.ceil(np.log2(ulps))), i, patched, code))
            elif _settled(best, code, patched, wanted, max_ulps, end):
                return
        for _, _, patched, code in sorted(passed, key=lambda found: found[:2]):
            if _settled(best, code, patched, wanted, max_ulps, end):
                return


def _settled(
    best: _Best, code: str, patched: Any, wanted: list[Example], max_ulps: float, end: float
) -> bool:
    """Whether the code passes at all examples; then it is the best."""
    if _passes(patched, wanted, max_ulps, end) is None:
        return False
    best.code = code
    return True


def _passes(patched: Any, examples: list[Example], max_ulps: float, end: float) -> float | None:
    """The ulps lost where the check passes at all examples, else None."""
    from verify.casework import Casework

    function, options = patched
    work = Casework(as_subject(function, **options), order=1, seed=0, max_ulps=max_ulps)
    for i, example in enumerate(examples):
        left = (end - time.monotonic()) / (len(examples) - i)
        if left < 0.02 or work.examine(example, min(0.6 * left, 1.0)) is not None:
            return None
    return work.max_ulp if work.judged else None


def _examples(
    subject: Subject, instance: Instance, examples: list[Example], plan: _Plan
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


# The derivative


class _ForwardOnly(Subject):
    """A subject without its backward, whose branches are not to be taken for forward's."""

    def __init__(self, subject: Subject):
        self.subject = subject
        self.__dict__.update(subject.__dict__)

    @property
    def code(self) -> list[Callable[..., Any]]:
        return self.subject.code

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Any]:
        outputs, _ = self.subject.forward(args, keywords)
        return outputs, lambda grads: (None,) * len(args)


def _plans(subject: Subject, instance: Instance) -> Iterator[_Plan]:
    """Right gradients by one pattern after the other, where it seems to fit."""
    if any(not k.isidentifier() or keyword.iskeyword(k) for k in _names(subject, instance)):
        return
    for pattern in (_entry_by_entry, _same_part, _with_sums, _each_its_own):
        try:
            plan = pattern(subject, instance)
        except OutOfTime:
            raise
        except Exception:  # not this pattern
            continue
        if plan is not None:
            yield plan


def _names(subject: Subject, instance: Instance) -> list[str]:
    return [s.name for s in instance.example.slots]


def _at_shapes(
    subject: Subject, instance: Instance, shapes: dict[int, tuple[int, ...]]
) -> Instance:
    """The same subject, forward alone, with other shapes at some positions."""
    slots = list(instance.example.slots)
    for position, shape in shapes.items():
        slots[position] = replace(slots[position], shape=shape, base=None, scalar=False)
    example = replace(instance.example, slots=tuple(slots))
    made = Instance(_ForwardOnly(subject), example, np.random.default_rng(5))
    run = made.prepare()
    if run.forward_error is not None or not run.finite:
        raise ValueError("forward does not take these shapes")
    return made


def _explored(instance: Instance, seconds: float = 0.4) -> list[Cell]:
    """Forward's cells that have an interior; an error where there are too many."""
    from verify import points

    explorer = Explorer(instance, time.process_time() + seconds, most=24)
    explorer.explore(points.starts(instance, np.random.default_rng(5)))
    found = [c for c in explorer.cells.values() if not c.thin and not c.outside]
    if not found or len(found) > 20:
        raise ValueError("too many branches")
    return found


def _gradients(instance: Instance, cell: Cell, names: Sequence[str]) -> list[Any]:
    """SymPy's derivative of the scalar output in the named entries, on a cell."""
    graph = instance.graph
    outputs = cell.run.formula or cell.run.outputs
    if len(outputs) != 1:
        raise ValueError("several outputs")
    nodes = graph.vjp(outputs, [graph.one], [graph.variable(n) for n in names])
    return list(to_sympy(nodes))


def _tree(cells: Sequence[tuple[Cell, Any]], renamed: dict[Any, Any], depth: int = 0) -> Any:
    """Expressions of cells as nested ``where``, along the decisions in their order."""
    import sympy as sp

    from verify.numpy_code import where

    first = cells[0][1]
    if all(e == first for _, e in cells):
        return first.xreplace(renamed)
    condition = None
    while condition is None:
        deeper = [c.conditions[depth] for c, _ in cells if len(c.conditions) > depth]
        if not deeper:
            raise ValueError("two expressions for the same decisions")
        if len({(d.gap, d.relation, d.outcome) for d in deeper}) > 1:
            condition = deeper[0]
        else:
            depth += 1
    sides: dict[bool, list[tuple[Cell, Any]]] = {True: [], False: []}
    for c, e in cells:
        here = c.conditions[depth] if len(c.conditions) > depth else None
        if here is None or (here.gap, here.relation) != (condition.gap, condition.relation):
            raise ValueError("decisions in another order")
        sides[here.outcome].append((c, e))
    gap = to_sympy([condition.gap])[0].xreplace(renamed)
    test = _comparison(gap, condition.relation)
    yes, no = (_tree(sides[k], renamed, depth + 1) for k in (True, False))
    if test in (sp.true, sp.false):
        return yes if test else no
    return where(test, yes, no)


def _comparison(gap: Any, relation: str) -> Any:
    """``gap relation 0`` as a person writes it: ``1 - x < 0`` as ``x > 1``."""
    import sympy as sp

    classes = {"<": sp.StrictLessThan, "<=": sp.LessThan, "==": sp.Equality}
    symbols = list(gap.free_symbols)
    if len(symbols) == 1 and gap.is_polynomial(*symbols):
        x = symbols[0]
        poly = sp.Poly(gap, x)
        if poly.degree() == 1:
            slope, offset = poly.all_coeffs()
            flipped = {"<": sp.StrictGreaterThan, "<=": sp.GreaterThan, "==": sp.Equality}
            chosen = classes if slope > 0 else flipped
            return chosen[relation](x, -offset / slope, evaluate=False)
    positive = [t for t in sp.Add.make_args(gap) if not t.could_extract_minus_sign()]
    left = sp.Add(*positive)
    return classes[relation](left, left - gap, evaluate=False)


def _symbol(name: str) -> Any:
    import sympy as sp

    return sp.Symbol(name, real=True)


def _entry_by_entry(subject: Subject, instance: Instance) -> _Plan | None:
    """An elementwise function: its derivatives at one entry are those at every entry."""
    if not isinstance(subject, FunctionSubject):
        return None
    shapes = [p.shape for p in instance.pieces]
    if np.broadcast_shapes(*shapes) != instance.output_shapes[0]:
        return None
    single = _at_shapes(subject, instance, {p.position: () for p in instance.pieces})
    if single.output_shapes != [()]:
        return None
    names = [p.name for p in single.pieces]
    cells = _explored(single)
    rows = [(c, _gradients(single, c, names)) for c in cells]
    trees = [_tree([(c, row[k]) for c, row in rows], {}) for k in range(len(names))]
    place = {p.position: k for k, p in enumerate(single.pieces)}
    return _Plan(
        [trees[place[i]] if i in place else None for i in range(len(instance.example.slots))],
        elementwise=True,
    )


def _sizes(instance: Instance) -> tuple[list[Piece], list[Piece]]:
    """The arguments with entries, all of one shape, and the 0-d ones; an error for other shapes."""
    big = [p for p in instance.pieces if p.shape]
    if not big or any(p.shape != big[0].shape for p in big):
        raise ValueError("arguments of several shapes")
    return big, [p for p in instance.pieces if not p.shape]


def _is_scalar(instance: Instance) -> bool:
    return int(np.prod(instance.output_shapes[0], dtype=int)) == 1


def _same_part(subject: Subject, instance: Instance) -> _Plan | None:
    """A sum or mean of one function of each entry: that function's derivative, with branches."""
    if not _is_scalar(instance):
        return None
    big, small = _sizes(instance)
    if small:
        return None  # sums: `_with_sums`
    one = _at_shapes(subject, instance, {p.position: (1,) for p in big})
    three = _at_shapes(subject, instance, {p.position: (3,) for p in big})
    names = [f"{p.name}[0]" for p in one.pieces]
    cells = _explored(one)
    rows = [(c, _gradients(one, c, names)) for c in cells]
    point = np.repeat(one.draw(np.random.default_rng(7))[: one.inputs], 3)
    run = three.trace(np.concatenate([point, np.ones(len(three.names) - three.inputs)]))
    outputs = run.formula or run.outputs
    wrt = [three.graph.variable(f"{p.name}[{j}]") for p in three.pieces for j in range(3)]
    slopes = three.graph.vjp(outputs, [three.graph.one], wrt)
    for k, node in enumerate(slopes):  # local: each entry's derivative contains its own alone
        used = {n.args[0] for n in topological([node]) if n.op == "var"}
        if not used <= {f"{p.name}[{k % 3}]" for p in three.pieces}:
            return None
    factor = _factor(one, cells[0], three, slopes, names)
    renamed = {_symbol(n): _symbol(p.name) for n, p in zip(names, one.pieces, strict=True)}
    trees = [_tree([(c, row[k]) for c, row in rows], renamed) for k in range(len(names))]
    size = _symbol(f"{big[0].name}.size")
    place = {p.position: k for k, p in enumerate(one.pieces)}
    return _Plan(
        [
            trees[place[i]] / (size if factor == 3 else 1) if i in place else None
            for i in range(len(instance.example.slots))
        ]
    )


def _factor(
    one: Instance, cell: Cell, three: Instance, slopes: list[Node], names: list[str]
) -> int:
    """1 where each entry counts in full, 3 where the value is a mean (at three entries)."""
    from symbolic.graph import Program
    from symbolic.primitives import FLOAT

    at_one = {n: float(v) for n, v in zip(one.names, cell.point, strict=True)}
    at_three = {f"{p.name}[{j}]": at_one[f"{p.name}[0]"] for p in three.pieces for j in range(3)}
    run = three.trace(np.array([at_three.get(n, 1.0) for n in three.names]))
    wrt = [three.graph.variable(f"{p.name}[0]") for p in three.pieces]
    slopes = three.graph.vjp(run.formula or run.outputs, [three.graph.one], wrt)
    graph = one.graph
    outputs = cell.run.formula or cell.run.outputs
    single = graph.vjp(outputs, [graph.one], [graph.variable(n) for n in names])
    a = np.array([float(v) for v in Program(single).run(FLOAT, at_one)])
    b = np.array([float(v) for v in Program(slopes).run(FLOAT, at_three)])
    for factor in (1, 3):
        if np.allclose(a, factor * b, rtol=1e-9, atol=0):
            return factor
    raise ValueError("neither a sum nor a mean")


def _with_sums(subject: Subject, instance: Instance) -> _Plan | None:
    """Gradients that contain sums over all entries: norms, variances, log-sum-exp.

    Derived at 3 and at 5 entries: what is the same but for its numbers holds at every size, with
    the numbers as functions of the size.
    """
    if not _is_scalar(instance):
        return None
    big, _ = _sizes(instance)
    found = []
    for n in (3, 5):
        made = _at_shapes(subject, instance, {p.position: (n,) for p in big})
        run = made.trace(made.draw(np.random.default_rng(7)))
        wrt = [f"{p.name}[0]" if p.shape else p.name for p in made.pieces]
        cell = Cell((), run, thin=False)
        found.append([_collapsed(e, [p.name for p in big], n) for e in _gradients(made, cell, wrt)])
    size = _symbol(f"{big[0].name}.size")
    gradients = [_unified(a, b, (3, 5), size) for a, b in zip(*found, strict=True)]
    place = {p.position: k for k, p in enumerate(instance.pieces)}
    return _Plan(
        [gradients[place[i]] if i in place else None for i in range(len(instance.example.slots))]
    )


def _collapsed(e: Any, arrays: list[str], n: int) -> Any:
    """Sums of one term for each entry as ``total(term)``; entry 0 stands for the own one."""
    import sympy as sp

    from verify.numpy_code import total

    entries = {_symbol(f"{a}[{j}]"): (a, j) for a in arrays for j in range(n)}

    def index_of(term: Any) -> int | None:
        used = {entries[s][1] for s in term.free_symbols if s in entries}
        return used.pop() if len(used) == 1 else None

    def general(term: Any, j: int) -> Any:
        return term.xreplace({_symbol(f"{a}[{j}]"): _symbol(a) for a in arrays})

    def walk(e: Any) -> Any:
        if not e.args:
            return e
        if isinstance(e, sp.Add):
            e = merge(e)
            if not isinstance(e, sp.Add):
                return walk(e) if e.func != total else e
        return e.func(*(a if a.func == total else walk(a) for a in e.args))

    def merge(e: Any) -> Any:
        groups: dict[Any, set[int]] = {}
        for term in e.args:
            j = index_of(term)
            if j is not None:
                groups.setdefault(general(term, j), set()).add(j)
        for pattern, seen in groups.items():
            if seen >= set(range(1, n)):
                own = pattern.xreplace({_symbol(a): _symbol(f"{a}[0]") for a in arrays})
                every = [
                    pattern.xreplace({_symbol(a): _symbol(f"{a}[{j}]") for a in arrays})
                    for j in range(n)
                ]
                rest = sp.Add(*(t for t in e.args if t not in every[1:] and t != own))
                if 0 not in seen:
                    rest = rest - own
                coefficient, bare = pattern.as_coeff_Mul()
                return sp.Add(coefficient * total(bare), rest)
        return e

    result = walk(e)
    left = [s for s in result.free_symbols if s in entries and entries[s][1] != 0]
    if left:
        raise ValueError("entries play different parts")
    return result.xreplace({_symbol(f"{a}[0]"): _symbol(a) for a in arrays})


def _unified(a: Any, b: Any, sizes: tuple[int, int], size: Any) -> Any:
    """The common pattern of two expressions that differ in their rational numbers alone."""
    import sympy as sp

    if a == b:
        return a
    if a.is_Rational and b.is_Rational:
        for shift in (0, -1):
            m, n = (s + shift for s in sizes)
            for power in (-1, 1, -2, 2):
                k = a / sp.Integer(m) ** power
                if k == b / sp.Integer(n) ** power:
                    return k * (size + shift) ** power
        raise ValueError("no simple function of the size")
    if isinstance(a, (sp.Mul, sp.Add)) and a.func == b.func:
        first, second = (list(e.args) for e in (a, b))
        shared = [t for t in first if t in second]
        for t in shared:
            first.remove(t)
            second.remove(t)
        if isinstance(a, sp.Mul) and abs(len(first) - len(second)) == 1:
            # a coefficient that is 1 at one of the sizes
            (first if len(first) < len(second) else second).insert(0, sp.S.One)
        if len(first) != len(second):
            raise ValueError("another structure")
        if len(first) == 2:
            for order in (second, second[::-1]):
                try:
                    pairs = [_unified(x, y, sizes, size) for x, y in zip(first, order, strict=True)]
                    return a.func(*shared, *pairs)
                except ValueError:
                    continue
            raise ValueError("another structure")
        pairs = [_unified(x, y, sizes, size) for x, y in zip(first, second, strict=True)]
        return a.func(*shared, *pairs)
    if a.func != b.func or len(a.args) != len(b.args) or not a.args:
        raise ValueError("another structure")
    return a.func(*(_unified(x, y, sizes, size) for x, y in zip(a.args, b.args, strict=True)))


def _each_its_own(subject: Subject, instance: Instance) -> _Plan | None:
    """A scalar function of a few entries: one expression for each."""
    if not _is_scalar(instance) or instance.inputs > 6:
        return None
    made = _at_shapes(subject, instance, {})
    cells = _explored(made)
    renamed, unpack = {}, []
    for p in made.pieces:
        entries = [f"{p.name}{''.join(map(str, p.entry(k)))}" for k in range(p.size)]
        taken = {q.name for q in made.pieces}
        if p.shape and taken.intersection(entries):
            return None
        for k, entry in enumerate(entries):
            renamed[_symbol(p.label(k))] = _symbol(entry)
        if p.shape:
            source = p.name if len(p.shape) == 1 else f"{p.name}.ravel()"
            unpack.append(f"{', '.join(entries)}{',' * (len(entries) == 1)} = {source}")
    rows = [(c, _gradients(made, c, made.names[: made.inputs])) for c in cells]
    place = {p.position: p for p in made.pieces}
    gradients: list[Any] = []
    for i in range(len(instance.example.slots)):
        if i not in place:
            gradients.append(None)
            continue
        p = place[i]
        trees = [_tree([(c, row[k]) for c, row in rows], renamed) for k in range(p.start, p.stop)]
        gradients.append(tuple(trees) if p.shape else trees[0])
    return _Plan(gradients, tuple(unpack), general=False)


def _forms(gradients: list[Any]) -> Iterator[list[Any]]:
    """The gradients in equal forms, all in the same style."""
    from verify.numpy_code import candidates

    def flat() -> list[Any]:
        out: list[Any] = []
        for g in gradients:
            out += list(g) if isinstance(g, tuple) else [] if g is None else [g]
        return out

    sources = [candidates(e) for e in flat()]
    last: list[Any] = [None] * len(sources)
    while True:
        fresh = False
        for k, source in enumerate(sources):
            found = next(source, None)
            if found is not None:
                last[k], fresh = found, True
        if not fresh:
            return
        rest = iter(last)
        yield [
            tuple(next(rest) for _ in g) if isinstance(g, tuple) else g if g is None else next(rest)
            for g in gradients
        ]


# The code


def _patched(subject: Subject, instance: Instance, plan: _Plan) -> tuple[str, Any] | None:
    """The code, and the subject for ``check`` with the code in the place of its backward."""
    try:
        if isinstance(subject, FunctionSubject):
            return _function(subject, instance, plan)
        assert isinstance(subject, PairSubject)
        return _pair(subject, instance, plan)
    except (NotImplementedError, SyntaxError):
        return None


def _function(subject: FunctionSubject, instance: Instance, plan: _Plan) -> tuple[str, Any]:
    names = _names(subject, instance)
    original = subject.function
    grad = "grad" if "grad" not in names else "grad_output"
    partial = _partials(subject, names, plan, instance) if plan.elementwise else None
    if partial is not None:
        code, partials = partial
        body: dict[str, Any] = {"partials": partials}
        made = type(original)(original.__name__, original.__bases__, {
            **{k: v for k, v in vars(original).items() if k not in _MADE}, **body,
        })  # fmt: skip
        return code, (made, {})
    lines, results = _printed(plan, grad, instance)
    used = [n for n in names if any(_mentions(t, n) for t in [*plan.unpack, *lines, *results])]
    saved = _saved(subject, instance)
    order = used if saved is None or not set(used) <= set(saved) else saved
    text = [f"def backward(ctx, {grad}):"]
    if used:
        unpacked = ", ".join(n if n in used else "_" for n in order)
        unpacked = unpacked if len(order) > 1 else f"({unpacked},)"
        text.append(f"    {unpacked} = ctx.saved_tensors")
    text += [f"    {line}" for line in [*plan.unpack, *lines]]
    text.append(f"    return {', '.join(results)}")
    code = "\n".join(text)
    namespace = _executed(code)
    body = {"backward": staticmethod(namespace["backward"]), "__module__": original.__module__}
    comment = ""
    if order is not saved and used:
        comment = f"# in forward: ctx.save_for_backward({', '.join(order)})\n"
        body["forward"] = staticmethod(_saving(original, names, order))
    made = type(original)(original.__name__, (original,), body)
    comment += _assumed(subject, instance)
    return _imports(code) + comment + code, (made, {})


_MADE = ("partials", "forward", "backward", "node", "__dict__", "__weakref__")


def _partials(
    subject: FunctionSubject, names: list[str], plan: _Plan, instance: Instance
) -> tuple[str, Any] | None:
    """The line ``partials = (...)`` of a class that gives its value and its partials."""
    from verify.numpy_code import block

    cls = subject.function
    if "value" not in vars(cls) or "partials" not in vars(cls):
        return None
    if instance.example.keywords:
        return None
    parts = []
    for g in plan.gradients:
        if g is None:
            parts.append("None")
            continue
        _, [text] = block([g], shared=False)
        used = [n for n in names if _mentions(text, n)]
        if not used:  # a constant: left to the general form
            return None
        parts.append(f"lambda {', '.join(used)}: {text}")
    code = f"partials = ({', '.join(parts)},)"
    return _imports(code) + code, _executed(code)["partials"]


def _saved(subject: FunctionSubject, instance: Instance) -> list[str] | None:
    """The names of what forward saves, in order, where all of it are arguments."""
    args = instance.arguments(instance.draw(np.random.default_rng(3)))
    ctx = Context([True] * len(args))
    subject.function.forward(ctx, *args, **instance.example.keywords)
    names = _names(subject, instance)
    found = []
    for array in ctx.saved_tensors:
        name = next((n for n, a in zip(names, args, strict=True) if a is array), None)
        if name is None or name in found:
            return None
        found.append(name)
    return found


def _saving(original: Any, names: list[str], order: list[str]) -> Callable[..., Any]:
    """Forward that saves the named arguments, whatever the original saves."""
    chosen = [names.index(n) for n in order]
    inner = original.forward

    def forward(ctx: Any, *args: Any, **keywords: Any) -> Any:
        result = inner(ctx, *args, **keywords)
        ctx.save_for_backward(*(args[i] for i in chosen))
        return result

    forward.__signature__ = inspect.signature(inner)  # type: ignore[attr-defined]
    return forward


def _pair(subject: PairSubject, instance: Instance, plan: _Plan) -> tuple[str, Any] | None:
    names = _names(subject, instance)
    vjp = subject.kind == "vjp"
    if subject.kind == "jac" and instance.output_shapes[0] != ():
        return None
    grad = "grad_output" if "grad_output" not in names else "upstream"
    lines, results = _printed(plan, grad if vjp else None, instance)
    name = getattr(subject.derivative, "__name__", subject.kind)
    name = name if name.isidentifier() and not keyword.iskeyword(name) else subject.kind
    parameters = [*names, *([grad] if vjp else [])]
    parameters += [f"{k}={v!r}" for k, v in instance.example.keywords.items()]
    text = [f"def {name}({', '.join(parameters)}):"]
    text += [f"    {line}" for line in [*plan.unpack, *lines]]
    differentiated = [r for r in results if r != "None"]
    text.append(f"    return {', '.join(results if len(names) > 1 else differentiated)}")
    code = "\n".join(text)
    comment = _assumed(subject, instance)
    return _imports(code) + comment + code, (
        subject.function,
        {subject.kind: _executed(code)[name]},
    )


def _printed(plan: _Plan, grad: str | None, instance: Instance) -> tuple[list[str], list[str]]:
    """Lines of common subexpressions, and one result for each positional argument."""
    from verify.numpy_code import block

    expressions: list[Any] = []
    for g in plan.gradients:
        expressions += list(g) if isinstance(g, tuple) else [] if g is None else [g]
    lines, texts = block(expressions)
    rest = iter(texts)
    results = []
    shapes = {p.position: p.shape for p in instance.pieces}
    names = [s.name for s in instance.example.slots]
    big = [_symbol(p.name) for p in instance.pieces if p.shape]
    for i, g in enumerate(plan.gradients):
        if g is None:
            results.append("None")
        elif isinstance(g, tuple):
            array = f"np.array([{', '.join(next(rest) for _ in g)}])"
            if len(shapes[i]) > 1:
                array += f".reshape({shapes[i]})"
            results.append(_times(grad, array))
        else:
            text = _times(grad, next(rest))
            if shapes[i] and not plan.elementwise and not _varies(g, big):
                text = f"np.full({names[i]}.shape, {text})"
            results.append(f"unbroadcast({text}, {names[i]}.shape)" if plan.broadcast else text)
    return lines, results


def _varies(e: Any, arrays: list[Any]) -> bool:
    """Whether the value of an expression has the arrays' shape."""
    from verify.numpy_code import logsumexp, total

    if e.func in (total, logsumexp):
        return False
    return e in arrays or any(_varies(a, arrays) for a in e.args)


def _times(grad: str | None, text: str) -> str:
    """``grad * (text)``, as short as can be."""
    if grad is None:
        return text
    if text in ("1", "-1"):
        return f"{'-' if text == '-1' else ''}{grad}"
    for sign in ("", "-"):
        if text.startswith(f"{sign}1 / "):
            return f"{sign}{grad} / {text[len(sign) + 4 :]}"
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return f"{grad} * ({text})"
    if text.startswith("-"):
        return f"-{grad} * {text[1:]}"
    return f"{grad} * {text}"


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", text) is not None


def _imports(code: str) -> str:
    lines = ""
    if "special." in code:
        lines += "from scipy import special\n"
    if "unbroadcast(" in code:
        lines += "from autodiff.function import unbroadcast\n"
    return lines + ("\n" if lines else "")


def _executed(code: str) -> dict[str, Any]:
    """The names that the code defines."""
    namespace: dict[str, Any] = {"np": np, "__name__": "repair"}
    if "special." in code:
        from scipy import special

        namespace["special"] = special
    if "unbroadcast(" in code:
        from autodiff.function import unbroadcast

        namespace["unbroadcast"] = unbroadcast
    exec(compile(code, "<repair>", "exec"), namespace)
    return namespace


def _assumed(subject: Subject, instance: Instance) -> str:
    """A comment on the keywords whose values the code has built in."""
    values = dict(instance.example.keywords)
    function = subject.code[0]
    names = {s.name for s in instance.example.slots}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    for p in parameters:
        if p.default is not p.empty and p.name not in names:
            values.setdefault(p.name, p.default)
    text = ", ".join(f"{k}={v!r}" for k, v in values.items())
    return f"# for {text}\n" if text and len(text) < 80 else ""
