"""Mutants of the built-in backwards: one small change each, and does the checker kill it?

    python -m tests.mutants [--limit N] [--seed S] [--jobs N] [-k WORD] [--json FILE]

A mutant that lives is either wrong and was missed, or no mutant at all: `x * 1` for `x / 1`, a
tie given to the other argument. So each survivor is run beside the original at many points, and
the report says where they part, and by how much, or that they never do.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import importlib
import inspect
import json
import os
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

KILLED = ("refuted", "inaccurate")


# --- where there is something to mutate ---------------------------------------------------------


@functools.cache
def builtins() -> dict[str, type]:
    """The built-in Functions by name."""
    import autodiff
    from verify.load import offers

    return {name: function for name, function, _, _ in offers(autodiff)}


@functools.cache
def module_tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(module)))


def definition(function: type) -> ast.ClassDef | None:
    for node in module_tree(function.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == function.__name__:
            return node
    return None


def gradient_of(node: ast.ClassDef) -> list[ast.AST]:
    """What in a class computes the gradient: its `backward`, or the value of its `partials`."""
    found: list[ast.AST] = []
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "backward":
            found.append(part)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if names & {"partials", "backward"} and part.value is not None:
                found.append(part)
    return found


def names_in(nodes: list[ast.AST]) -> set[str]:
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}


def helpers_of(function: type, node: ast.ClassDef) -> list[ast.FunctionDef]:
    """Functions of the module that the gradient uses and the value does not."""
    gradient = gradient_of(node)
    others = [part for part in node.body if part not in gradient]
    used = names_in(gradient) - names_in(others)
    body = module_tree(function.__module__).body
    return [part for part in body if isinstance(part, ast.FunctionDef) and part.name in used]


# --- the changes --------------------------------------------------------------------------------

Change = tuple[str, Callable[[Any], ast.AST]]
SWAPS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
FLIPS = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
SUMS = {"sum", "mean", "unbroadcast", "cumsum", "flip", "conj"}


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", lambda n: ast.Constant(not value)
    elif isinstance(value, int):
        yield f"{value} -> {value + 1}", lambda n: ast.Constant(value + 1)
    elif isinstance(value, float) and value != 0 and np.isfinite(value):
        near = value * (1 + 1e-9)
        yield f"{value} -> {near!r}", lambda n: ast.Constant(near)
        yield f"{value} -> {value * 2}", lambda n: ast.Constant(value * 2)


def _binary(node: ast.BinOp) -> Iterator[Change]:
    op = type(node.op)
    if op in (ast.Mult, ast.Div):
        yield "right factor dropped", lambda n: n.left
    if op is ast.Mult:
        yield "left factor dropped", lambda n: n.right
    if op in (ast.Add, ast.Sub):
        other = ast.Sub() if op is ast.Add else ast.Add()
        yield "plus and minus", lambda n: ast.BinOp(n.left, other, n.right)
        yield "right term dropped", lambda n: n.left
        yield "left term dropped", lambda n: n.right
    if op in (ast.Sub, ast.Div, ast.Pow, ast.MatMult):
        yield "operands exchanged", lambda n: ast.BinOp(n.right, n.op, n.left)
    if op in (ast.BitAnd, ast.BitOr):
        other = ast.BitOr() if op is ast.BitAnd else ast.BitAnd()
        yield "and, or", lambda n: ast.BinOp(n.left, other, n.right)


def _call(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    plain = not any(isinstance(arg, ast.Starred) for arg in node.args)
    if plain and len(node.args) >= 2 and name not in ("range", "getattr", "isinstance"):
        i, j = (1, 2) if name == "where" and len(node.args) == 3 else (0, 1)

        def exchange(n: ast.Call) -> ast.AST:
            args = list(n.args)
            args[i], args[j] = args[j], args[i]
            return ast.Call(n.func, args, n.keywords)

        yield "arguments exchanged", exchange
    if name in SUMS and (node.args or isinstance(node.func, ast.Attribute)):
        inner = isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "special")
        )
        yield f"{name} dropped", lambda n: n.func.value if inner else n.args[0]
    elif (
        plain and len(node.args) == 1 and not node.keywords and isinstance(node.func, ast.Attribute)
    ):
        if isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "special"):
            yield f"{name} dropped", lambda n: n.args[0]
    for k, keyword in enumerate(node.keywords):
        if keyword.arg == "axis":

            def axis(n: ast.Call, k: int = k) -> ast.AST:
                keywords = list(n.keywords)
                keywords[k] = ast.keyword("axis", ast.Constant(0))
                return ast.Call(n.func, n.args, keywords)

            yield "axis 0", axis


def _swapped_tuple(node: ast.Tuple) -> ast.AST:
    return ast.Tuple([node.elts[1], node.elts[0], *node.elts[2:]], node.ctx)


def changes(node: ast.AST) -> Iterator[Change]:
    """Every small change of one node: what it is called, and how it is made."""
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", lambda n: n.operand
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield "negation dropped", lambda n: n.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        op = type(node.ops[0])
        if other := SWAPS.get(op) or FLIPS.get(op):
            yield (
                f"{op.__name__} -> {other.__name__}",
                lambda n: ast.Compare(n.left, [other()], n.comparators),
            )
    elif isinstance(node, ast.IfExp):
        yield "branches exchanged", lambda n: ast.IfExp(n.test, n.orelse, n.body)
    elif isinstance(node, ast.If):
        yield "branch never taken", lambda n: ast.If(ast.Constant(False), n.body, n.orelse)
    elif isinstance(node, ast.AugAssign):
        store = node.target
        yield "= for an augmented assignment", lambda n: ast.Assign([store], n.value)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) >= 2:
        yield "elements exchanged", _swapped_tuple
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "real"):
        yield f".{node.attr} dropped", lambda n: n.value
    elif isinstance(node, ast.Lambda):
        yield "sign", lambda n: ast.Lambda(n.args, ast.UnaryOp(ast.USub(), n.body))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.BinOp | ast.Call):
        yield "sign", lambda n: ast.Return(ast.UnaryOp(ast.USub(), n.value))


@dataclass(frozen=True)
class Mutant:
    """One change in the gradient of one Function."""

    function: str
    place: int
    change: int
    what: str
    before: str
    line: int

    def __str__(self) -> str:
        return f"{self.function}: {self.what}: {self.before} (line {self.line})"


def _places(function: type) -> Iterator[tuple[int, ast.AST, ast.AST]]:
    """Each node that computes the gradient: its number, the node, and what it is a part of."""
    node = definition(function)
    if node is None:
        return
    number = 0
    for root in [*gradient_of(node), *helpers_of(function, node)]:
        skip = {id(n) for n in _not_code(root)}
        for part in ast.walk(root):
            if id(part) not in skip:
                yield number, part, root
            number += 1


def _not_code(root: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, annotations, and the unpacking of what was saved."""
    for node in ast.walk(root):
        if isinstance(node, ast.FunctionDef):
            for arg in [*node.args.args, *node.args.kwonlyargs]:
                if arg.annotation is not None:
                    yield from ast.walk(arg.annotation)
            if node.returns is not None:
                yield from ast.walk(node.returns)
            if ast.get_docstring(node) is not None:
                yield from ast.walk(node.body[0])
        elif isinstance(node, ast.AnnAssign):
            yield from ast.walk(node.annotation)


def mutants_of(name: str) -> list[Mutant]:
    function = builtins()[name]
    return [
        Mutant(name, number, k, what, ast.unparse(part)[:70], getattr(part, "lineno", 0))
        for number, part, _ in _places(function)
        for k, (what, _) in enumerate(changes(part))
    ]


def all_mutants() -> list[Mutant]:
    return [mutant for name in builtins() for mutant in mutants_of(name)]


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return ast.copy_location(self.new, node)
        return self.generic_visit(node)


def build(mutant: Mutant) -> type:
    """The Function with the change made: its class, run again in a copy of its module's names."""
    function = builtins()[mutant.function]
    node = definition(function)
    assert node is not None
    old, root = next((p, r) for number, p, r in _places(function) if number == mutant.place)
    change = list(changes(old))[mutant.change][1]

    holders = [root] if isinstance(root, ast.FunctionDef) and root not in node.body else []
    memo: dict[int, Any] = {}
    body = [copy.deepcopy(part, memo) for part in [*holders, node]]
    new = change(memo[id(old)])
    body = [_Replace(memo[id(old)], new).visit(part) for part in body]
    for part in body:
        part.decorator_list = []
    tree = ast.fix_missing_locations(ast.Module(body, []))

    module = importlib.import_module(function.__module__)
    names = dict(vars(module))
    exec(compile(tree, module.__file__ or "mutant", "exec"), names)
    return names[function.__name__]


# --- does a survivor differ? --------------------------------------------------------------------

VALUES = [
    0.0,
    1.0,
    -1.0,
    0.3,
    -0.7,
    2.5,
    -3.3,
    1e-9,
    -1e-5,
    25.0,
    -40.0,
    700.0,
    1e8,
    0.999,
    6.0,
    3.0,
]


def _fill(shape: tuple[int, ...], domain: Any, rng: np.random.Generator, tied: Any) -> Any:
    if callable(domain):
        return domain(rng, shape)
    low, high = domain if isinstance(domain, tuple) else (-np.inf, np.inf)
    inside = [v for v in VALUES if low < v < high]
    drawn = rng.normal(size=shape) * 2
    if np.isfinite(low) and np.isfinite(high):
        drawn = rng.uniform(low, high, shape)
    drawn = np.where((drawn > low) & (drawn < high), drawn, np.abs(drawn) + max(low, 0) + 0.1)
    if not inside:
        return drawn
    if tied is not None:
        return np.full(shape, tied if tied in inside else rng.choice(inside))
    return np.where(rng.random(shape) < 0.5, rng.choice(inside, shape), drawn)


def _calls(function: type, rng: np.random.Generator) -> Iterator[tuple[list[Any], dict]]:
    """Arguments for a Function, from its examples."""
    signature = list(inspect.signature(function.forward).parameters.values())[1:]
    names = [p.name for p in signature if p.kind is p.POSITIONAL_OR_KEYWORD]
    examples = getattr(function, "examples", None)
    if callable(examples):
        examples = examples()
    if examples is None:
        n = len(names)
        examples = [((),) * n, ((3,),) * n, *([((2, 3), (3,)), ((1,), (2, 1))] if n == 2 else [])]
    domain = function.domain or {}
    for example in examples:
        *given, last = example if isinstance(example, tuple) else (example,)
        keywords = last if isinstance(last, dict) else {}
        given = given if isinstance(last, dict) else [*given, last]
        for tied in [None] * 9 + VALUES:
            args = []
            for k, arg in enumerate(given):
                name = names[k] if k < len(names) else (names[-1] if names else "")
                shape = isinstance(arg, tuple) and all(isinstance(i, int) for i in arg)
                args.append(_fill(arg, domain.get(name), rng, tied) if shape else arg)
            yield args, keywords


def _gradient(function: type, args: list[Any], keywords: dict, upstream: Callable) -> list[Any]:
    """The gradients through the engine, as a user gets them."""
    import autodiff

    def is_float(arg: Any) -> bool:
        return isinstance(arg, float | np.ndarray) and np.asarray(arg).dtype.kind == "f"

    tensors = [autodiff.tensor(a, requires_grad=True) if is_float(a) else a for a in args]
    out = function.apply(*tensors, **keywords)
    outs = out if isinstance(out, tuple) else (out,)
    outs = [o for o in outs if getattr(o, "requires_grad", False)]
    inputs = [t for t, a in zip(tensors, args, strict=True) if is_float(a)]
    grads = [autodiff.tensor(upstream(o.shape)) for o in outs]
    found = autodiff.grad(outs, inputs, grads, allow_unused=True)
    return [None if g is None else np.asarray(g.numpy()) for g in found]


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    if np.any(np.isfinite(a) != np.isfinite(b)):
        return 1.0
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    a, b = a[finite], b[finite]
    return float(np.max(np.abs(a - b) / (np.abs(a) + np.abs(b) + 1e-300)))


@dataclass(frozen=True)
class Difference:
    """How far the gradients of a mutant are from the original's, and where."""

    gap: float = 0.0
    where: str = ""
    isolated: bool = False
    """At single points alone, as where another convention is followed at a kink."""

    @property
    def rank(self) -> tuple[bool, float]:
        return self.gap > 1e-9 and not self.isolated, self.gap


def _difference_at(
    original: type, changed: type, args: list[Any], keywords: dict, seed: int
) -> Difference | None:
    """The difference at one point; None where the original cannot be run."""
    upstreams = [np.random.default_rng(seed) for _ in range(2)]
    pick = [lambda shape, g=g: g.choice([-1.7, 0.3, 2.2, 1.0], shape) for g in upstreams]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            right = _gradient(original, args, keywords, pick[0])
        except Exception:  # outside of the domain
            return None
        try:
            wrong = _gradient(changed, args, keywords, pick[1])
        except Exception as error:
            return Difference(np.inf, f"{type(error).__name__} at {args} {keywords}")
    worst = Difference()
    for a, b in zip(right, wrong, strict=True):
        if (a is None) != (b is None) or (a is not None and a.shape != b.shape):
            return Difference(np.inf, f"another shape at {args} {keywords}")
        if a is not None and (gap := _gap(a, b)) > worst.gap:
            worst = Difference(gap, f"{args} {keywords}: {a} became {b}")
    return worst


def _moved(args: list[Any], rng: np.random.Generator) -> list[Any]:
    """A point nearby, in general position."""
    return [
        np.asarray(a + 1e-6 * (1 + np.abs(a)) * rng.uniform(0.5, 1, np.shape(a)))
        if isinstance(a, np.ndarray) and a.dtype.kind == "f"
        else a
        for a in args
    ]


def difference(mutant: Mutant, seed: int = 0) -> Difference:
    """The largest difference at any point tried; one that is not isolated comes first."""
    original, changed = builtins()[mutant.function], build(mutant)
    rng = np.random.default_rng(seed)
    worst: Difference | None = None
    for number, (args, keywords) in enumerate(_calls(original, rng)):
        here = _difference_at(original, changed, args, keywords, number)
        if here is None:
            continue
        if here.gap > 1e-9:
            near = [
                _difference_at(original, changed, _moved(args, rng), keywords, number)
                for _ in range(2)
            ]
            isolated = all(n is not None and n.gap < 1e-9 for n in near)
            here = Difference(here.gap, here.where, isolated)
        if worst is None or here.rank > worst.rank:
            worst = here
    return worst or Difference(np.inf, "no point could be tried")


# --- the run ------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What the checker said of one mutant, and for a survivor how it differs."""

    mutant: str
    verdict: str
    seconds: float
    gap: float = 0.0
    where: str = ""
    isolated: bool = False

    @property
    def killed(self) -> bool:
        return self.verdict in KILLED

    @property
    def equivalent(self) -> bool:
        """Not told apart from the original by more than rounding."""
        return self.gap < 1e-9

    @property
    def missed(self) -> bool:
        """Wrong in earnest, and not killed."""
        return not (self.killed or self.equivalent or self.isolated)


def judge(mutant: Mutant, seed: int, timeout: float) -> Outcome:
    import verify

    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            changed = build(mutant)
        except Exception as error:  # a class that cannot even be made
            return Outcome(str(mutant), "refuted", 0.0, np.inf, f"{error}")
        try:
            verdict = str(verify.check(changed, seed=seed, timeout=timeout).verdict)
        except Exception as error:
            verdict = f"error: {type(error).__name__}: {error}"[:200]
    outcome = Outcome(str(mutant), verdict, time.perf_counter() - start)
    if not outcome.killed:
        found = difference(mutant, seed)
        outcome.gap, outcome.where, outcome.isolated = found.gap, found.where, found.isolated
    return outcome


def sample(limit: int | None, seed: int, word: str = "") -> list[Mutant]:
    """Mutants in random order, each Function in turn, so that few of them cover many."""
    rng = random.Random(seed)
    queues = []
    for name in builtins():
        if word.lower() in name.lower():
            queue = mutants_of(name)
            rng.shuffle(queue)
            queues.append(queue)
    rng.shuffle(queues)
    chosen = []
    while any(queues):
        for queue in queues:
            if queue:
                chosen.append(queue.pop())
    return chosen[:limit]


def run(mutants: list[Mutant], seed: int, jobs: int, timeout: float) -> list[Outcome]:
    from pebble import ProcessPool

    outcomes = []
    with ProcessPool(max_workers=jobs, max_tasks=50) as pool:
        futures = [
            pool.schedule(judge, args=(mutant, seed, timeout), timeout=4 * timeout + 30)
            for mutant in mutants
        ]
        for mutant, future in zip(mutants, futures, strict=True):
            try:
                outcomes.append(future.result())
            except Exception as error:  # hung or crashed
                verdict = f"error: {type(error).__name__}"
                outcomes.append(Outcome(str(mutant), verdict, timeout, np.inf))
            if sys.stderr.isatty():
                print(f"\r{len(outcomes)}/{len(mutants)}", end="", file=sys.stderr, flush=True)
    return outcomes


def report(outcomes: list[Outcome]) -> str:
    killed = [o for o in outcomes if o.killed]
    alive = [o for o in outcomes if not o.killed]
    groups = {
        "missed": [o for o in alive if o.missed],
        "isolated": [o for o in alive if o.isolated],
        "equivalent": [o for o in alive if o.equivalent],
    }
    missed, isolated, same = map(len, groups.values())
    lines = [
        f"{len(outcomes)} mutants: {len(killed)} killed, {missed} missed; {isolated} differ at"
        f" single points alone (another convention at a kink?), {same} at no point tried",
        f"kill rate {len(killed) / max(len(outcomes), 1):.1%},"
        f" of those that differ in earnest {len(killed) / max(len(killed) + missed, 1):.1%}",
        f"verdicts {dict(Counter(o.verdict.partition(':')[0] for o in outcomes))}",
    ]
    for title, group in groups.items():
        for outcome in group:
            lines.append(f"{title}: {outcome.mutant}: {outcome.verdict}, {outcome.seconds:.1f} s")
            if outcome.where:
                lines.append(f"    by {outcome.gap:.1e} at {outcome.where}"[:300])
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=int, help="how many mutants (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=20.0, help="seconds for one check")
    parser.add_argument("-k", default="", metavar="WORD", help="Functions whose name has it")
    parser.add_argument("--list", action="store_true", help="print the mutants, check nothing")
    parser.add_argument("--json", metavar="FILE", help="every outcome, as JSON")
    options = parser.parse_args()
    mutants = sample(options.limit, options.seed, options.k)
    if options.list:
        print("\n".join(map(str, mutants)))
        return 0
    outcomes = run(mutants, options.seed, options.jobs, options.timeout)
    print(report(outcomes))
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    return 1 if any(outcome.missed for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
