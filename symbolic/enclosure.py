"""`enclose`: values and directional derivatives with proven bounds.

May import: :mod:`symbolic.subjects`, :mod:`symbolic.balls`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.balls import Ball
from symbolic.balls import enclose as enclose_nodes
from symbolic.subjects import argument_labels, fixed, traced_at

__all__ = ["Enclosure", "enclose"]


@dataclass(frozen=True)
class Enclosure:
    """Values with proven bounds.

    Attributes
    ----------
    balls : ndarray of Ball
        One for each entry; a ball has ``value`` (an Arb number), ``status`` and ``rounded``.
    """

    balls: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The midpoints, as floats."""
        return self._map(float)

    @property
    def lower(self) -> np.ndarray:
        """Floats that are certainly not above the exact values."""
        return self._map(lambda ball: np.nextafter(ball.interval[0], -np.inf))

    @property
    def upper(self) -> np.ndarray:
        """Floats that are certainly not below the exact values."""
        return self._map(lambda ball: np.nextafter(ball.interval[1], np.inf))

    @property
    def sharp(self) -> bool:
        """Whether every entry is as accurate as was asked for."""
        return all(ball.status == "sharp" for ball in self.balls.flat)

    def __contains__(self, value: Any) -> bool:
        array = np.asarray(value, dtype=float)
        return bool(np.all((self.lower <= array) & (array <= self.upper)))

    def __str__(self) -> str:
        if self.balls.ndim == 0:
            ball: Any = self.balls[()]
            return str(ball.value.str(15))
        return str(self._map(lambda ball: ball.value.str(15), object).tolist())

    def _map(self, function: Callable[[Ball], Any], dtype: Any = float) -> np.ndarray:
        out = np.empty(self.balls.shape, dtype=dtype)
        for index in np.ndindex(self.balls.shape):
            ball: Any = self.balls[index]
            out[index] = function(ball)
        return out


def enclose(
    f: Any, *arguments: Any, direction: Any = None, digits: int = 15, **keywords: Any
) -> Any:
    """A rigorous enclosure of the value of `f`, and of a directional derivative.

    Parameters
    ----------
    f : Function class or callable
        NumPy code; it runs once on symbols that stand for the arguments.
    *arguments : float or array
        Where. Floats are taken as exact; constants in the code as the numbers they stand for.
    direction : sequence of arrays, optional
        A direction for each argument (for one argument, the direction itself): the derivative along
        it is enclosed too.
    digits : int
        Significant digits; the precision is raised until they are reached, or 4096 bits.
    **keywords
        Keyword arguments of `f`.

    Returns
    -------
    Enclosure, or (Enclosure, Enclosure) with `direction`
        A tuple of them for several outputs.

    Examples
    --------
    >>> import numpy as np
    >>> print(enclose(lambda x: np.expm1(x) / x, 1e-9))
    [1.00000000050000 +/- ...]
    >>> value, slope = enclose(np.sin, 0.0, direction=1.0)
    >>> float(slope.values), slope.sharp
    (1.0, True)
    """
    point = [np.asarray(a, dtype=float) if not fixed(a) else a for a in arguments]
    names = argument_labels(f, len(point))
    traced = traced_at(f, names, point, keywords)
    values: dict[str, Any] = {}
    for name, array in traced.inputs.items():
        given = point[names.index(name)]
        for node, value in zip(array.flat, np.asarray(given).flat, strict=True):
            values[node.args[0]] = float(value)
    results = [_enclosure(array, values, digits) for array in traced.outputs]
    if direction is None:
        return results[0] if len(results) == 1 else tuple(results)
    graph = traced.graph
    towards = direction if isinstance(direction, (tuple, list)) and len(point) > 1 else [direction]
    if len(towards) != len(point):
        raise ValueError(f"{len(towards)} directions for {len(point)} arguments")
    flat, steps = [], []
    for name, step in zip(names, towards, strict=True):
        if name in traced.inputs and step is not None:
            array = traced.inputs[name]
            flat += list(array.flat)
            wide = np.broadcast_to(np.asarray(step, dtype=float), array.shape)
            steps += [graph.constant(Fraction(float(s))) for s in wide.flat]
    slopes = []
    for array in traced.outputs:
        out = np.empty(array.shape, dtype=object)
        for index in np.ndindex(array.shape):
            total = graph.zero
            partials = graph.vjp([array[index]], [graph.one], flat)
            for partial, step in zip(partials, steps, strict=True):
                total = graph.add(total, graph.mul(step, partial))
            out[index] = total
        slopes.append(_enclosure(out, values, digits))
    pairs = list(zip(results, slopes, strict=True))
    return pairs[0] if len(pairs) == 1 else tuple(pairs)


def _enclosure(array: np.ndarray, values: dict[str, Any], digits: int) -> Enclosure:
    out = np.empty(array.shape, dtype=object)
    for index, ball in zip(
        np.ndindex(array.shape), enclose_nodes(list(array.flat), values, digits=digits), strict=True
    ):
        out[index] = ball
    return Enclosure(out)
