"""Time autodiff beside hand-written NumPy and the other engines that are installed, in one run.

    python benchmarks/engines.py [--repeat N] [--json FILE] [--engines NAME,...] [CASE ...]

Each case is the same computation, forward and backward, in every engine. The time is the smallest
of several runs, taken in turns, so that a busy moment of the machine hits all engines alike. Peak
memory, given where it is more than a megabyte, is what NumPy allocates on top of the data.

The other engines are torch, autograd, MyGrad and JAX, the latter as it stands and compiled
(`jax.jit`, the compilation not counted). Those that are not installed are named and left out. They
share a process, and an engine that scatters its objects over the memory slows down those that make
many: `--engines torch` times one alone beside autodiff. On Linux, `taskset -c 0` before the command
holds all of them to one thread.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import itertools
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad

Case = dict[str, Callable[[], Any]]
RNG = np.random.default_rng(0)


def installed(name: str) -> bool:
    """Return whether an engine is there to be timed; say so where it is not."""
    if importlib.util.find_spec(name) is None:
        print(f"{name} is not installed, and left out")
        return False
    print(f"{name} {importlib.metadata.version(name)}")
    return True


def torch_engine() -> Any:
    """Return torch in float64, or None where it is not installed."""
    if not installed("torch"):
        return None
    import torch

    torch.set_default_dtype(torch.float64)
    return torch


TORCH = torch_engine()


def autograd_engine() -> Any:
    """Return autograd and its NumPy, or None where it is not installed."""
    if not installed("autograd"):
        return None
    import autograd
    import autograd.numpy as anp

    return autograd, anp


AUTOGRAD = autograd_engine()


def mygrad_engine() -> Any:
    """Return MyGrad, or None where it is not installed or does not run on this NumPy."""
    if not installed("mygrad"):
        return None
    try:
        import mygrad
        import mygrad.nnet
    except (ImportError, AttributeError) as error:
        print(f"mygrad does not run on NumPy {np.__version__}, and is left out: {error}")
        return None
    return mygrad


MYGRAD = mygrad_engine()


def jax_engine() -> Any:
    """Return JAX in float64 and its NumPy, or None where it is not installed."""
    if not installed("jax"):
        return None
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    return jax, jnp


JAX = jax_engine()


def add_functional(case: Case, loss_in: Callable[[Any, Any], Callable[..., Any]], at: Any) -> None:
    """Add the engines that differentiate a function: autograd, and JAX as it is and compiled.

    Parameters
    ----------
    case : dict
        Where to add them.
    loss_in : callable
        Takes the engine's NumPy and its `grad`, and returns the function.
    at : array or list of arrays
        The point.
    """
    if AUTOGRAD:
        autograd, anp = AUTOGRAD
        gradient = autograd.grad(loss_in(anp, autograd.grad))
        case["autograd"] = lambda: gradient(at)
    if JAX:
        jax, jnp = JAX
        plain = jax.grad(loss_in(jnp, jax.grad))
        compiled = jax.jit(plain)
        there = jax.tree.map(jnp.asarray, at)
        case["jax"] = lambda: jax.block_until_ready(plain(there))
        case["jax.jit"] = lambda: jax.block_until_ready(compiled(there))


def tutorial() -> Case:
    """The 2x2 example: mean of 3 (x + 2)^2."""

    def numpy() -> Any:
        x = np.ones((2, 2))
        y = x + 2
        out = (y * y * 3).mean()
        g = np.full((2, 2), 1 / 4) * 3
        return out, g * y + g * y

    def ours() -> Any:
        x = ad.ones(2, 2, requires_grad=True)
        y = x + 2
        (y * y * 3).mean().backward()
        return x.grad

    case: Case = {"numpy": numpy, "autodiff": ours}
    if TORCH:

        def torch() -> Any:
            x = TORCH.ones(2, 2, requires_grad=True)
            y = x + 2
            (y * y * 3).mean().backward()
            return x.grad

        case["torch"] = torch
    if MYGRAD:

        def mygrad() -> Any:
            x = MYGRAD.ones((2, 2))
            y = x + 2
            (y * y * 3).mean().backward()
            return x.grad

        case["mygrad"] = mygrad

    def loss(x: Any) -> Any:
        y = x + 2
        return (y * y * 3).mean()

    add_functional(case, lambda *_: loss, np.ones((2, 2)))
    return case


def _mlp(rows: int, sizes: list[int], classes: bool) -> Case:
    x = RNG.standard_normal((rows, sizes[0]))
    ws = [RNG.standard_normal(pair) * 0.1 for pair in itertools.pairwise(sizes)]
    bs = [np.zeros(n) for n in sizes[1:]]
    target: Any = (
        RNG.integers(0, sizes[-1], rows) if classes else RNG.standard_normal((rows, sizes[-1]))
    )

    def numpy() -> Any:
        inputs, h = [], x
        for i, (w, b) in enumerate(zip(ws, bs, strict=True)):
            inputs.append(h)
            h = h @ w + b
            if i < len(ws) - 1:
                h = np.maximum(h, 0)
        if classes:
            e = np.exp(h - h.max(1, keepdims=True))
            g = e / e.sum(1, keepdims=True)
            g[np.arange(rows), target] -= 1
            g /= rows
        else:
            g = 2 * (h - target) / h.size
        grads = []
        for i in range(len(ws) - 1, -1, -1):
            grads += [g.sum(0), inputs[i].T @ g]
            if i:
                g = (g @ ws[i].T) * (inputs[i] > 0)
        return grads

    leaves = [ad.tensor(p, requires_grad=True) for p in [*ws, *bs]]

    def ours() -> Any:
        n = len(ws)
        h: Any = x
        for i in range(n):
            h = h @ leaves[i] + leaves[n + i]
            if i < n - 1:
                h = ad.relu(h)
        loss = ad.cross_entropy(h, target) if classes else ad.mse_loss(h, target)
        for leaf in leaves:
            leaf.grad = None
        loss.backward()
        return leaves[0].grad

    case: Case = {"numpy": numpy, "autodiff": ours}
    if TORCH:
        tx, tt = TORCH.from_numpy(x), TORCH.from_numpy(target)
        params = [TORCH.tensor(p, requires_grad=True) for p in [*ws, *bs]]
        functional = TORCH.nn.functional

        def torch() -> Any:
            n, h = len(ws), tx
            for i in range(n):
                h = h @ params[i] + params[n + i]
                if i < n - 1:
                    h = functional.relu(h)
            loss = functional.cross_entropy(h, tt) if classes else functional.mse_loss(h, tt)
            for p in params:
                p.grad = None
            loss.backward()
            return params[0].grad

        case["torch"] = torch
    if MYGRAD:
        weights = [MYGRAD.tensor(p) for p in [*ws, *bs]]
        nnet = MYGRAD.nnet

        def mygrad() -> Any:
            n, h = len(ws), x
            for i in range(n):
                h = MYGRAD.matmul(h, weights[i]) + weights[n + i]
                if i < n - 1:
                    h = nnet.activations.relu(h)
            if classes:
                loss = nnet.losses.softmax_crossentropy(h, target)
            else:
                loss = ((h - target) ** 2).mean()
            loss.backward()
            return weights[0].grad

        case["mygrad"] = mygrad

    def loss_in(xp: Any, _: Any) -> Callable[[Any], Any]:
        def loss(params: Any) -> Any:
            n, h = len(ws), x
            for i in range(n):
                h = h @ params[i] + params[n + i]
                if i < n - 1:
                    h = xp.maximum(h, 0)
            if not classes:
                return xp.mean((h - target) ** 2)
            h = h - xp.max(h, axis=1, keepdims=True)
            return xp.mean(xp.log(xp.sum(xp.exp(h), axis=1)) - h[np.arange(rows), target])

        return loss

    add_functional(case, loss_in, [*ws, *bs])
    return case


def small_mlp() -> Case:
    """A network of 2-16-16-1 on 32 rows, squared error."""
    return _mlp(32, [2, 16, 16, 1], False)


def mlp() -> Case:
    """A network of 784-256-128-10 on 128 rows, softmax cross-entropy."""
    return _mlp(128, [784, 256, 128, 10], True)


def elementwise() -> Case:
    """One million entries: sum of sin(x) x + exp(x)."""
    data = RNG.standard_normal(1_000_000)
    leaf = ad.tensor(data, requires_grad=True)

    def numpy() -> Any:
        sine, exponential = np.sin(data), np.exp(data)
        return (sine * data + exponential).sum(), sine + np.cos(data) * data + exponential

    def ours() -> Any:
        leaf.grad = None
        (ad.sin(leaf) * leaf + ad.exp(leaf)).sum().backward()
        return leaf.grad

    case: Case = {"numpy": numpy, "autodiff": ours}
    if TORCH:
        tensor = TORCH.tensor(data, requires_grad=True)

        def torch() -> Any:
            tensor.grad = None
            (TORCH.sin(tensor) * tensor + TORCH.exp(tensor)).sum().backward()
            return tensor.grad

        case["torch"] = torch
    if MYGRAD:
        variable = MYGRAD.tensor(data)

        def mygrad() -> Any:
            (MYGRAD.sin(variable) * variable + MYGRAD.exp(variable)).sum().backward()
            return variable.grad

        case["mygrad"] = mygrad
    add_functional(case, lambda xp, _: lambda x: xp.sum(xp.sin(x) * x + xp.exp(x)), data)
    return case


def chain() -> Case:
    """Ten thousand multiplications of a scalar, one after the other."""

    def numpy() -> Any:
        y = 1.0
        for _ in range(10_000):
            y = y * 1.0001
        g = 1.0
        for _ in range(10_000):
            g = g * 1.0001
        return g

    def product(x: Any) -> Any:
        for _ in range(10_000):
            x = x * 1.0001
        return x

    def through(x: Any) -> Any:
        product(x).backward()
        return x.grad

    case: Case = {
        "numpy": numpy,
        "autodiff": lambda: through(ad.tensor(1.0, requires_grad=True)),
    }
    if TORCH:
        case["torch"] = lambda: through(TORCH.tensor(1.0, requires_grad=True))
    if MYGRAD:
        case["mygrad"] = lambda: through(MYGRAD.tensor(1.0))
    add_functional(case, lambda *_: product, 1.0)
    return case


def fan_out() -> Case:
    """One tensor of 100 entries used a thousand times."""
    data = RNG.standard_normal(100)

    def total(x: Any) -> Any:
        total = x * 0.0
        for k in range(1000):
            total = total + x * k
        return total.sum()

    def through(x: Any) -> Any:
        total(x).backward()
        return x.grad

    def numpy() -> Any:
        total, g = data * 0.0, np.zeros(100)
        for k in range(1000):
            total = total + data * k
        for k in range(1000):
            g = g + np.ones(100) * k
        return total, g

    case: Case = {
        "numpy": numpy,
        "autodiff": lambda: through(ad.tensor(data, requires_grad=True)),
    }
    if TORCH:
        case["torch"] = lambda: through(TORCH.tensor(data, requires_grad=True))
    if MYGRAD:
        case["mygrad"] = lambda: through(MYGRAD.tensor(data))
    add_functional(case, lambda *_: total, data)
    return case


def convolution() -> Case:
    """A 3x3 convolution of 8 images, 16 channels to 32, of 28x28."""
    x, w = RNG.standard_normal((8, 16, 28, 28)), RNG.standard_normal((32, 16, 3, 3))

    def through(conv: Any, a: Any, b: Any) -> Any:
        (conv(a, b) ** 2).sum().backward()
        return b.grad

    case: Case = {
        "autodiff": lambda: through(
            ad.conv2d, ad.tensor(x, requires_grad=True), ad.tensor(w, requires_grad=True)
        )
    }
    if TORCH:
        case["torch"] = lambda: through(
            TORCH.nn.functional.conv2d,
            TORCH.tensor(x, requires_grad=True),
            TORCH.tensor(w, requires_grad=True),
        )
    if MYGRAD:
        case["mygrad"] = lambda: through(
            lambda a, b: MYGRAD.nnet.layers.conv_nd(a, b, stride=1),
            MYGRAD.tensor(x),
            MYGRAD.tensor(w),
        )
    if JAX:
        jax, jnp = JAX
        plain = jax.grad(lambda pair: (jax.lax.conv(*pair, (1, 1), "VALID") ** 2).sum())
        compiled, pair = jax.jit(plain), (jnp.asarray(x), jnp.asarray(w))
        case["jax"] = lambda: jax.block_until_ready(plain(pair))
        case["jax.jit"] = lambda: jax.block_until_ready(compiled(pair))
    return case


def second_order() -> Case:
    """A Hessian-vector product of the sum of tanh(x @ w)^2, 50 entries."""
    w, v, data = (RNG.standard_normal(shape) for shape in ((50, 50), 50, 50))

    def through(grad: Any, tanh: Any, x: Any, weights: Any, vector: Any) -> Any:
        (first,) = grad((tanh(x @ weights) ** 2).sum(), x, create_graph=True)
        (second,) = grad((first * vector).sum(), x)
        return second

    case: Case = {
        "autodiff": lambda: through(
            ad.grad, ad.tanh, ad.tensor(data, requires_grad=True), ad.tensor(w), ad.tensor(v)
        )
    }
    if TORCH:
        case["torch"] = lambda: through(
            TORCH.autograd.grad,
            TORCH.tanh,
            TORCH.tensor(data, requires_grad=True),
            TORCH.tensor(w),
            TORCH.tensor(v),
        )

    def slope_in(xp: Any, grad: Any) -> Callable[[Any], Any]:
        first = grad(lambda x: xp.sum(xp.tanh(x @ w) ** 2))
        return lambda x: xp.sum(first(x) * v)

    add_functional(case, slope_in, data)
    return case


CASES: dict[str, Callable[[], Case]] = {
    function.__name__: function
    for function in (
        tutorial,
        small_mlp,
        mlp,
        elementwise,
        chain,
        fan_out,
        convolution,
        second_order,
    )
}


def measure(case: Case, repeat: int) -> dict[str, float]:
    """Return the smallest time of each engine, in seconds."""
    number = {}
    for name, run in case.items():
        run()
        start = time.perf_counter()
        run()
        number[name] = max(1, min(2000, int(0.02 / (time.perf_counter() - start))))
    best = dict.fromkeys(case, float("inf"))
    for _ in range(repeat):
        for name, run in case.items():
            start = time.perf_counter()
            for _ in range(number[name]):
                run()
            best[name] = min(best[name], (time.perf_counter() - start) / number[name])
    return best


def peak(run: Callable[[], Any]) -> int:
    """Return how many bytes a run has NumPy allocate at once, beyond what is there before."""
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    """Run the cases that were asked for, print a table, and write JSON if wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--engines", metavar="NAME,...", help="beside autodiff; default: all")
    options = parser.parse_args()
    results = {}
    for name in options.cases or CASES:
        case = CASES[name]()
        if options.engines:
            chosen = {"autodiff", *options.engines.split(",")}
            case = {engine: run for engine, run in case.items() if engine in chosen}
        best = results[name] = measure(case, options.repeat)
        ours = best["autodiff"]
        others = "   ".join(
            f"{engine} {seconds * 1e6:.1f} us (x{ours / seconds:.2f})"
            for engine, seconds in best.items()
            if engine != "autodiff"
        )
        if "numpy" in case and peak(case["numpy"]) > 1 << 20:
            others += f"   peak memory x{peak(case['autodiff']) / peak(case['numpy']):.2f} of numpy"
        print(f"{name:14s} autodiff {ours * 1e6:10.1f} us   {others}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
