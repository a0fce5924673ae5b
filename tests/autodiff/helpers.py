"""What the tests of Functions share: arguments from examples, and central differences."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff import Tensor, tensor
from autodiff.function import Function, argument_names
from autodiff.functions import all_functions


def examples_of(function: type[Function]) -> list[Any]:
    """The declared examples, or shapes that suit an elementwise Function."""
    declared = getattr(function, "examples", None)
    if declared is not None:
        return declared() if callable(declared) else declared
    count = len(argument_names(function))
    shapes = [((),) * count, ((3,),) * count, ((0,),) * count]
    if count == 2:
        shapes += [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,))]
    return shapes


def instances() -> Iterator[tuple[str, type[Function], tuple[Any, ...], dict[str, Any]]]:
    """Each built-in Function with each of its examples."""
    for function in all_functions():
        for number, example in enumerate(examples_of(function)):
            example = example if isinstance(example, tuple) else (example,)
            keywords = example[-1] if example and isinstance(example[-1], dict) else {}
            shapes = example[:-1] if isinstance(example[-1], dict) else example
            yield f"{function.__name__}-{number}", function, shapes, keywords


def arguments(
    function: type[Function], shapes: tuple[Any, ...], seed: int = 0
) -> list[np.ndarray[Any, Any]]:
    """Arrays of these shapes, inside the Function's domain and away from its ends."""
    rng = np.random.default_rng(zlib.crc32(function.__name__.encode()) + seed)
    names = argument_names(function)
    arrays = []
    for i, shape in enumerate(shapes):
        if not isinstance(shape, tuple):
            arrays.append(np.asarray(shape) if np.iscomplexobj(shape) else np.asarray(shape, float))
            continue
        name = names[min(i, len(names) - 1)].lstrip("*")
        domain = function.domain.get(name)
        if domain is None or (isinstance(domain, tuple) and domain == (-math.inf, math.inf)):
            array = rng.uniform(0.3, 1.7, shape) * rng.choice([-1, 1], shape)
        elif isinstance(domain, tuple):
            low, high = domain
            low = high - 3 if low == -math.inf else low
            high = low + 3 if high == math.inf else high
            array = low + (high - low) * rng.uniform(0.15, 0.85, shape)
        elif hasattr(domain, "sample"):
            array = domain.sample(rng, shape)
        else:
            array = domain(rng, shape)
        arrays.append(np.asarray(array))
    return arrays


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def weighted(function: type[Function], xs: list[Any], ws: list[Any], kwargs: dict[str, Any]) -> Any:
    """The sum of the outputs, weighted."""
    outs = as_tuple(function.apply(*xs, **kwargs))
    total: Any = 0
    for out, w in zip(outs, ws, strict=True):
        if out.dtype.kind == "c":
            out = out.real + out.imag * 0.7
        total = total + (out * w).sum()
    return total


def weights(function: type[Function], xs: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    rng = np.random.default_rng(5)
    outs = as_tuple(function.apply(*[tensor(x) for x in xs], **kwargs))
    return [rng.uniform(0.5, 1.5, o.shape) for o in outs]


def numeric_gradients(f: Any, xs: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Central differences of fourth order of a scalar function of arrays."""
    grads = []
    for k, x in enumerate(xs):
        g = np.zeros(x.shape, x.dtype)
        for place, unit in itertools.product(np.ndindex(x.shape), (1, 1j)):
            if unit == 1j and x.dtype.kind != "c":
                continue
            h = 1e-3

            def at(step: Any, k: int = k, place: Any = place) -> float:
                moved = [a.copy() for a in xs]
                moved[k][place] += step
                return float(f(moved))

            e = h * unit
            g[place] += unit * (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * h)
        grads.append(g)
    return grads


def leaves(xs: list[Any]) -> list[Tensor]:
    return [tensor(x, requires_grad=True) for x in xs]
