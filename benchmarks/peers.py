"""The peers: the gradient checkers of torch, autograd, JAX and SciPy, and what they make of a rule.

Each sees what its users give it: standard normal inputs of the example's shapes inside of the
declared domain, default steps and tolerances; scalars and vectors where no example is declared.
Where the library is installed its own checker runs, the case wrapped as a custom function of that
library. Where it is not, the same comparison is made here by finite differences with the
documented step and tolerances, and the table says "imitated".
"""

from __future__ import annotations

import importlib.util
import inspect
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.lies import subjects
from tests.lies.case import Case


class Context:
    """What forward leaves for backward."""

    saved_tensors: tuple[Any, ...] = ()
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays


def is_float(arg: Any) -> bool:
    return isinstance(arg, np.ndarray | float) and np.asarray(arg).dtype.kind == "f"


class Rule:
    """A subject at one example: the value, and the gradients for an upstream gradient.

    Several outputs are laid end to end as one vector, so that every peer can take them.
    """

    def __init__(self, subject: Any, options: dict[str, Any], args: list, keywords: dict) -> None:
        self.subject, self.options = subject, options
        self.args, self.keywords = args, keywords
        self.places = [i for i, arg in enumerate(args) if is_float(arg)]
        self.inputs = [np.asarray(args[i]) for i in self.places]

    def value(self, *inputs: Any) -> tuple[np.ndarray, Callable[[np.ndarray], list[np.ndarray]]]:
        """The value, and what an upstream gradient gives for each float argument."""
        args = list(self.args)
        for place, array in zip(self.places, inputs, strict=True):
            args[place] = np.array(array, dtype=np.float64)
        if inspect.isclass(self.subject):
            kept: Any = Context()
            kept.needs_input_grad = tuple(is_float(arg) for arg in args)
            out = self.subject.forward(kept, *args, **self.keywords)
        else:
            kept, out = args, self.subject(*args, **self.keywords)
        several = isinstance(out, tuple)
        outs = [np.asarray(o, dtype=np.float64) for o in (out if several else (out,))]

        def pull(upstream: np.ndarray) -> list[np.ndarray]:
            ends = np.cumsum([o.size for o in outs])[:-1]
            pieces = np.split(np.ravel(upstream), ends) if several else [upstream]
            shaped = [np.reshape(p, o.shape) for p, o in zip(pieces, outs, strict=True)]
            grads = self._gradients(kept, tuple(shaped))
            if not isinstance(grads, tuple):
                grads = (grads,)
            if len(grads) != len(args) and len(grads) != len(self.places):
                raise TypeError(f"{len(grads)} gradients for {len(args)} arguments")
            if len(grads) == len(args):
                grads = tuple(grads[i] for i in self.places)
            return [
                np.zeros(x.shape) if g is None else np.asarray(g)
                for g, x in zip(grads, inputs, strict=True)
            ]

        value = np.concatenate([o.ravel() for o in outs]) if several else outs[0]
        return value, pull

    def _gradients(self, kept: Any, upstream: tuple[np.ndarray, ...]) -> Any:
        if inspect.isclass(self.subject):
            return self.subject.backward(kept, *upstream)
        if vjp := self.options.get("vjp"):
            return vjp(*kept, upstream if len(upstream) > 1 else upstream[0], **self.keywords)
        if grad := self.options.get("grad"):
            grads = grad(*kept, **self.keywords)
            grads = grads if isinstance(grads, tuple) else (grads,)
            return tuple(None if g is None else np.asarray(g) * upstream[0] for g in grads)
        jacs = self.options["jac"](*kept, **self.keywords)
        jacs = jacs if isinstance(jacs, tuple) else (jacs,)
        return tuple(np.tensordot(upstream[0], np.asarray(j), upstream[0].ndim) for j in jacs)


def rules(subject: Any, options: dict[str, Any], rng: np.random.Generator) -> Iterator[Rule]:
    """A subject at ordinary inputs, one for each of its examples."""
    forward = subject.forward if inspect.isclass(subject) else subject
    parameters = list(inspect.signature(forward).parameters.values())
    parameters = parameters[1:] if inspect.isclass(subject) else parameters
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    examples = options.get("examples") or getattr(subject, "examples", None)
    examples = examples() if callable(examples) else examples
    examples = examples or [((),) * len(names), ((3,),) * len(names)]
    domain = options.get("domain") or getattr(subject, "domain", None) or {}
    for example in examples:
        example = example if isinstance(example, tuple) else (example,)
        keywords = example[-1] if isinstance(example[-1], dict) else {}
        given = example[:-1] if isinstance(example[-1], dict) else example
        args = []
        for i, arg in enumerate(given):
            name = names[min(i, len(names) - 1)] if names else ""
            allowed = domain.get(name) if isinstance(domain, dict) else domain[i]
            is_shape = isinstance(arg, tuple) and all(isinstance(n, int) for n in arg)
            args.append(draw(arg, allowed, rng) if is_shape else arg)
        yield Rule(subject, options, args, keywords)


def draw(shape: tuple[int, ...], domain: Any, rng: np.random.Generator) -> np.ndarray:
    if callable(domain):
        return np.asarray(domain(rng, shape), dtype=np.float64)
    x = np.asarray(rng.standard_normal(shape))
    if domain is None:
        return x
    low, high = domain
    if np.isfinite(low) and np.isfinite(high):
        return np.where((x > low) & (x < high), x, rng.uniform(low, high, shape))
    return low + np.abs(x - low) if np.isfinite(low) else high - np.abs(x - high)


# --- by finite differences, as documented ---------------------------------------------------------


def torch_imitated(rule: Rule, rng: np.random.Generator) -> bool:
    """gradcheck: the whole Jacobian, step 1e-6, atol 1e-5, rtol 1e-3, two backwards bit-equal."""
    value, pull = rule.value(*rule.inputs)
    columns = []
    for k, x in enumerate(rule.inputs):
        for index in np.ndindex(x.shape):
            up, down = [[a.copy() for a in rule.inputs] for _ in range(2)]
            up[k][index] += 1e-6
            down[k][index] -= 1e-6
            columns.append((rule.value(*up)[0] - rule.value(*down)[0]).ravel() / 2e-6)
    numeric = np.array(columns)
    rows = []
    for i in range(value.size):
        unit = np.zeros(value.size)
        unit[i] = 1
        first, second = [pull(unit.reshape(value.shape).copy()) for _ in range(2)]
        for a, b, x in zip(first, second, rule.inputs, strict=True):
            if a.shape != x.shape or not np.array_equal(a, b, equal_nan=True):
                return False
        rows.append(np.concatenate([g.ravel() for g in first]))
    if any(np.any(g != 0) for g in pull(np.zeros(value.shape))):
        return False
    return np.allclose(np.array(rows).T, numeric, rtol=1e-3, atol=1e-5)


def _projection(rule: Rule, rng: np.random.Generator, step: float) -> tuple[float, float]:
    """One random projection of the Jacobian: by backward, and by a central difference."""
    value, pull = rule.value(*rule.inputs)
    tangents = [np.asarray(rng.standard_normal(x.shape)) for x in rule.inputs]
    upstream = np.asarray(rng.standard_normal(value.shape))
    pairs = list(zip(rule.inputs, tangents, strict=True))
    up = rule.value(*[x + step / 2 * t for x, t in pairs])[0]
    down = rule.value(*[x - step / 2 * t for x, t in pairs])[0]
    grads = pull(upstream.copy())
    for g, x in zip(grads, rule.inputs, strict=True):
        if g.shape != x.shape or g.dtype != x.dtype:
            raise TypeError("another shape or dtype")
    given = sum(float(np.sum(g * t)) for g, t in zip(grads, tangents, strict=True))
    return given, float(np.sum(upstream * (up - down) / step))


def autograd_imitated(rule: Rule, rng: np.random.Generator) -> bool:
    """check_grads: one projection, step 1e-6, 1e-6 absolute or relative to the sum."""
    a, b = _projection(rule, rng, 1e-6)
    return abs(a - b) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6


def jax_imitated(rule: Rule, rng: np.random.Generator) -> bool:
    """check_grads in float64: one projection of seed 0, step 1e-4, atol and rtol 1e-5."""
    a, b = _projection(rule, np.random.default_rng(0), 1e-4)
    return bool(np.isclose(a, b, rtol=1e-5, atol=1e-5))


# --- by the libraries themselves ------------------------------------------------------------------


def torch_fast(rule: Rule, rng: np.random.Generator) -> bool:
    return torch_itself(rule, rng, fast_mode=True)


def torch_itself(rule: Rule, rng: np.random.Generator, **options: Any) -> bool:
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            value, ctx.pull = rule.value(*[x.detach().numpy() for x in inputs])
            return torch.from_numpy(np.array(value))

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            grads = ctx.pull(upstream.numpy())
            return tuple(torch.from_numpy(np.array(g)) for g in grads)

    inputs = [torch.from_numpy(x.copy()).requires_grad_() for x in rule.inputs]
    return bool(torch.autograd.gradcheck(Wrapped.apply, inputs, **options))


def autograd_itself(rule: Rule, rng: np.random.Generator) -> bool:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    @primitive
    def wrapped(*inputs: Any) -> Any:
        value = rule.value(*inputs)[0]
        return value if value.ndim else float(value)

    def vjp(k: int) -> Callable[..., Any]:
        return lambda ans, *inputs: lambda g: rule.value(*inputs)[1](np.asarray(g))[k]

    defvjp(wrapped, *[vjp(k) for k in range(len(rule.inputs))])
    np.random.seed(int(rng.integers(2**31)))  # the checker draws from the global generator
    check_grads(wrapped, modes=["rev"], order=1)(*rule.inputs)
    return True


def jax_itself(rule: Rule, rng: np.random.Generator) -> bool:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    value = rule.value(*rule.inputs)[0]
    like = jax.ShapeDtypeStruct(value.shape, value.dtype)

    @jax.custom_vjp
    def wrapped(*inputs: Any) -> Any:
        return jax.pure_callback(lambda *xs: rule.value(*xs)[0], like, *inputs)

    def backward(inputs: Any, upstream: Any) -> Any:
        likes = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in inputs)

        def pull(g: Any, *xs: Any) -> Any:
            return tuple(rule.value(*[np.asarray(x) for x in xs])[1](np.array(g)))

        return jax.pure_callback(pull, likes, upstream, *inputs)

    wrapped.defvjp(lambda *inputs: (wrapped(*inputs), inputs), backward)
    check_grads(wrapped, tuple(rule.inputs), order=1, modes=["rev"])
    return True


def scipy_itself(rule: Rule, rng: np.random.Generator) -> bool:
    """check_grad takes a scalar function of a vector: the outputs weighed with one upstream.

    It returns the size of the difference, and names no bound; its users write 1e-6, and mean a
    relative error where the gradient is large.
    """
    from scipy.optimize import check_grad

    sizes = np.cumsum([x.size for x in rule.inputs])[:-1]
    shapes = [x.shape for x in rule.inputs]
    upstream = np.asarray(rng.standard_normal(rule.value(*rule.inputs)[0].shape))

    def inputs(flat: np.ndarray) -> list[np.ndarray]:
        return [p.reshape(s) for p, s in zip(np.split(flat, sizes), shapes, strict=True)]

    def func(flat: np.ndarray) -> float:
        return float(np.sum(upstream * rule.value(*inputs(flat))[0]))

    def grad(flat: np.ndarray) -> np.ndarray:
        found = rule.value(*inputs(flat))[1](upstream.copy())
        for g, s in zip(found, shapes, strict=True):
            if g.shape != s:
                raise TypeError("another shape")
        return np.concatenate([g.ravel() for g in found])

    x0 = np.concatenate([x.ravel() for x in rule.inputs])
    return bool(check_grad(func, grad, x0) <= 1e-6 * max(1.0, float(np.linalg.norm(grad(x0)))))


PEERS: dict[str, tuple[str, Callable[..., bool], Callable[..., bool] | None]] = {
    "torch gradcheck": ("torch", torch_itself, torch_imitated),
    "torch gradcheck, fast": ("torch", torch_fast, None),
    "autograd check_grads": ("autograd", autograd_itself, autograd_imitated),
    "jax check_grads": ("jax", jax_itself, jax_imitated),
    "scipy check_grad": ("scipy", scipy_itself, None),
}


def passes(check: Callable[..., bool], subject: Any, options: dict, seed: int) -> bool:
    """Whether a peer passes a subject at every example; what raises does not pass."""
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return all(check(rule, rng) for rule in rules(subject, options, rng))
        except Exception:
            return False


def compare(cases: list[Case], seeds: int) -> str:
    """One line for each peer: caught, false alarms, seconds."""
    lines = [f"{'':34} {'caught':>11} {'alarms':>11} {'median s':>8} {'worst s':>8}"]
    for name, (library, itself, imitated) in PEERS.items():
        installed = importlib.util.find_spec(library) is not None
        check = itself if installed else imitated
        if check is None:
            continue
        caught = lies = alarms = right = 0
        seconds = []
        for seed in range(seeds):
            for case in cases:
                for is_lie, subject, options in subjects(case):
                    start = time.perf_counter()
                    passed = passes(check, subject, options, seed)
                    seconds.append(time.perf_counter() - start)
                    lies, right = lies + is_lie, right + (not is_lie)
                    caught, alarms = (
                        caught + (is_lie and not passed),
                        alarms + (not is_lie and not passed),
                    )
        title = name if installed else f"{name} (imitated)"
        lines.append(
            f"{title:34} {caught:5}/{lies:<5} {alarms:5}/{right:<5}"
            f" {statistics.median(seconds):8.4f} {max(seconds):8.2f}"
        )
    return "\n".join(lines)
