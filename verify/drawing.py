"""The graph that a computation records, drawn: each step in the colour of its verdict.

Every step is judged where it stands, on the arrays that it took and the upstream gradient that it
received (see :mod:`verify.evidence.composite`). The drawing is a text in Graphviz's language; where
``dot`` is installed, a notebook shows it.

May import: :mod:`autodiff`, and of :mod:`verify` the evidence on composites.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodiff import Tensor
from verify.evidence.composite import Step, judge_step, steps
from verify.load import shorten
from verify.subject import TensorSubject

__all__ = ["Drawing", "draw"]

_COLORS = {"right": "#1a7f37", "wrong": "#cf222e", "not judged": "#8c959f"}
_SECONDS = 10.0


@dataclass(frozen=True)
class Vertex:
    """A step or an input of the graph.

    Parameters
    ----------
    name : str
        Of the Function, or of the argument.
    shape : tuple of int
        Of the result.
    status : str
        ``right`` or ``wrong`` at the values that it received, ``not judged``; ``input``.
    place : str, optional
        File and line that recorded it.
    message : str, optional
        What is wrong.
    parents : tuple of int
        The places, in `Drawing.vertices`, of what it was made of.
    """

    name: str
    shape: tuple[int, ...]
    status: str
    place: str | None = None
    message: str | None = None
    parents: tuple[int, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A recorded graph with a verdict on each step; a notebook shows it as a picture.

    Parameters
    ----------
    name : str
    vertices : list of Vertex
        Each after those that it was made of.
    """

    name: str
    vertices: list[Vertex]

    @property
    def wrong(self) -> list[Vertex]:
        """The steps that gave a wrong gradient for what they received."""
        return [v for v in self.vertices if v.status == "wrong"]

    def to_dot(self) -> str:
        """The graph in Graphviz's language: ``dot -Tsvg`` makes a picture of it."""
        lines = [f"digraph {_quoted(self.name)} {{", "  rankdir=TB;"]
        lines.append('  node [shape=box, style="rounded", fontname="sans-serif"];')
        for i, vertex in enumerate(self.vertices):
            # The status is written as well: not everybody sees the colour, and printers are black.
            second = [str(vertex.shape)] + [vertex.status] * (vertex.status != "input")
            text = [
                vertex.name,
                ", ".join(second),
                *([Path(vertex.place).name] if vertex.place else []),
            ]
            options = {"label": "\n".join(text)}
            if vertex.status == "input":
                options["shape"] = "ellipse"
            else:
                options["color"] = options["fontcolor"] = _COLORS[vertex.status]
                options["penwidth"] = "2" if vertex.status == "wrong" else "1"
            if vertex.message:
                options["tooltip"] = vertex.message
            parts = ", ".join(f"{key}={_quoted(value)}" for key, value in options.items())
            lines.append(f"  n{i} [{parts}];")
        lines += [f"  n{j} -> n{i};" for i, v in enumerate(self.vertices) for j in v.parents]
        return "\n".join([*lines, "}"])

    def to_svg(self) -> str:
        """The picture.

        Raises
        ------
        RuntimeError
            If Graphviz's ``dot`` is not installed.
        """
        if shutil.which("dot") is None:
            raise RuntimeError(
                "to_svg needs the program dot: install Graphviz, or use to_dot() elsewhere"
            )
        made = subprocess.run(
            ["dot", "-Tsvg"], input=self.to_dot(), capture_output=True, text=True, check=True
        )
        return made.stdout[made.stdout.index("<svg") :]

    def _repr_svg_(self) -> str | None:
        return None if shutil.which("dot") is None else self.to_svg()


def draw(
    f: Callable[..., Any],
    *args: Any,
    grad_output: Any = None,
    max_ulps: float = 2**20,
    **keywords: Any,
) -> Drawing:
    """Run a callable on Tensors, and draw the graph that it records.

    Parameters
    ----------
    f : callable
        Takes Tensors, gives a Tensor.
    *args
        Arrays of floats become Tensors whose gradients are asked for; anything else is handed on.
    grad_output : array, optional
        The upstream gradient; ones where it is missing.
    max_ulps : float
        How many units in the last place a step may lose.
    **keywords
        Handed on to ``f``.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import numpy as np
    >>> drawing = draw(lambda x: (np.exp(x) * x).sum(), np.array([1.0, 2.0]))
    >>> [(vertex.name, vertex.status) for vertex in drawing.vertices]
    [('x', 'input'), ('Exp', 'right'), ('Mul', 'right'), ('Sum', 'right')]
    >>> drawing.to_dot().splitlines()[-2]
    '  n2 -> n3;'
    """
    subject = _Recorder(f)
    arrays = [_array(a) for a in args]
    _, results = subject.record(arrays, keywords)
    if len(results) != 1:
        raise ValueError(f"draw: expected a function with one result, got {len(results)}")
    due = results[0].shape
    upstream = [np.ones(due) if grad_output is None else np.asarray(grad_output, dtype=float)]
    if upstream[0].shape != due:
        raise ValueError(
            f"grad_output: expected the shape of the result, {due}, got {upstream[0].shape}"
        )
    recorded, _ = steps(subject, arrays, keywords, upstream)
    names = {id(w): subject.name_of(i) for i, w in enumerate(subject.wrapped)}
    end = time.process_time() + _SECONDS
    vertices: list[Vertex] = []
    known: dict[int, int] = {}
    for step in recorded:
        parents = []
        for edge in step.edges:
            if edge is None:
                continue
            # one of several outputs stands for the step that gave it
            source = edge if isinstance(edge, Tensor) else getattr(edge, "parent", edge)
            if id(source) not in known:
                known[id(source)] = len(vertices)
                name = names.get(id(source), "a parameter")
                vertices.append(Vertex(name, source.shape, "input"))
            parents.append(known[id(source)])
        known[id(step.node)] = len(vertices)
        vertices.append(_vertex(step, tuple(parents), max_ulps, judge=time.process_time() < end))
    return Drawing(subject.name, vertices)


class _Recorder(TensorSubject):
    """Remembers the Tensors that stand for the arguments."""

    def record(self, args: Any, keywords: Any) -> tuple[list[Any], tuple[Tensor, ...]]:
        self.wrapped, results = super().record(args, keywords)
        return self.wrapped, results


def _array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return np.array(value._data)
    array = np.asarray(value)
    return array if array.dtype.kind == "f" and not np.isscalar(value) else value


def _vertex(step: Step, parents: tuple[int, ...], max_ulps: float, judge: bool) -> Vertex:
    place = None if step.place is None else f"{shorten(step.place[0])}:{step.place[1]}"
    received = step.received or []
    shape = np.shape(received[0]) if received else ()
    status, message = "not judged", None
    if judge and (step.received is not None or step.error is not None):
        guilty, judged = judge_step(step, np.random.default_rng(0), max_ulps)
        if guilty is not None:
            status, message = "wrong", guilty.message
        elif judged:
            status = "right"
    return Vertex(step.name, shape, status, place, message, parents)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
