"""Right gradients in the form of arrays, found from those of single entries.

SymPy's derivative says what each entry of a gradient is; here is seen whether the entries have one
form in common that code on whole arrays can compute.

May import: :mod:`symbolic`, and of :mod:`verify` the cells and the subject.
"""

from __future__ import annotations

import keyword
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbolic.graph import Node, topological
from symbolic.limits import OutOfTime
from symbolic.sympy_bridge import to_sympy
from verify.cells import Cell
from verify.explore import Explorer
from verify.instance import Instance, Piece
from verify.subject import FunctionSubject, Subject

__all__ = ["Plan", "forms", "names_of", "plans", "symbol_of"]


@dataclass
class Plan:
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


def plans(subject: Subject, instance: Instance) -> Iterator[Plan]:
    """Right gradients by one pattern after the other, where it seems to fit."""
    if any(not k.isidentifier() or keyword.iskeyword(k) for k in names_of(subject, instance)):
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


def names_of(subject: Subject, instance: Instance) -> list[str]:
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


def symbol_of(name: str) -> Any:
    import sympy as sp

    return sp.Symbol(name, real=True)


def _entry_by_entry(subject: Subject, instance: Instance) -> Plan | None:
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
    return Plan(
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


def _same_part(subject: Subject, instance: Instance) -> Plan | None:
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
    renamed = {symbol_of(n): symbol_of(p.name) for n, p in zip(names, one.pieces, strict=True)}
    trees = [_tree([(c, row[k]) for c, row in rows], renamed) for k in range(len(names))]
    size = symbol_of(f"{big[0].name}.size")
    place = {p.position: k for k, p in enumerate(one.pieces)}
    return Plan(
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


def _with_sums(subject: Subject, instance: Instance) -> Plan | None:
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
    size = symbol_of(f"{big[0].name}.size")
    gradients = [_unified(a, b, (3, 5), size) for a, b in zip(*found, strict=True)]
    place = {p.position: k for k, p in enumerate(instance.pieces)}
    return Plan(
        [gradients[place[i]] if i in place else None for i in range(len(instance.example.slots))]
    )


def _collapsed(e: Any, arrays: list[str], n: int) -> Any:
    """Sums of one term for each entry as ``total(term)``; entry 0 stands for the own one."""
    import sympy as sp

    from verify.numpy_code import total

    entries = {symbol_of(f"{a}[{j}]"): (a, j) for a in arrays for j in range(n)}

    def index_of(term: Any) -> int | None:
        used = {entries[s][1] for s in term.free_symbols if s in entries}
        return used.pop() if len(used) == 1 else None

    def general(term: Any, j: int) -> Any:
        return term.xreplace({symbol_of(f"{a}[{j}]"): symbol_of(a) for a in arrays})

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
                own = pattern.xreplace({symbol_of(a): symbol_of(f"{a}[0]") for a in arrays})
                every = [
                    pattern.xreplace({symbol_of(a): symbol_of(f"{a}[{j}]") for a in arrays})
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
    return result.xreplace({symbol_of(f"{a}[0]"): symbol_of(a) for a in arrays})


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


def _each_its_own(subject: Subject, instance: Instance) -> Plan | None:
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
            renamed[symbol_of(p.label(k))] = symbol_of(entry)
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
    return Plan(gradients, tuple(unpack), general=False)


def forms(gradients: list[Any]) -> Iterator[list[Any]]:
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
