"""Code that shows a failure again, for a person to run.

May import: :mod:`verify.instance`, :mod:`verify.subject`, :mod:`verify.verdict`.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np

from verify.instance import Instance
from verify.subject import FunctionSubject, PairSubject
from verify.verdict import Counterexample

__all__ = ["folded", "snippet"]

WIDTH = 76  # of a line of code, which a report indents


def _literal(value: Any) -> str:
    """Code for a value: arrays of one number by their shape, others entry by entry."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    double = value.dtype == np.float64
    dtype = "" if double else f", dtype=np.{value.dtype}"
    if value.ndim and value.dtype.kind in "fiu":
        shape = str(value.shape[0] if value.ndim == 1 else value.shape)
        if value.size == 0 or (value == 0).all():
            return f"np.zeros({shape}{dtype})"
        if (value == 1).all():
            return f"np.ones({shape}{dtype})"
        if value.size > 1 and (value == value.flat[0]).all():
            return f"np.full({shape}, {value.flat[0].item()!r}{dtype})"
    text = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(value.tolist()))
    return f"np.array({text}{dtype})"


def folded(code: str, width: int = WIDTH) -> str:
    """Code in lines that a terminal shows whole.

    Lines are broken inside of brackets alone; a comment that does not fit goes before its line.

    Examples
    --------
    >>> print(folded("    return where(x > 0, 'a b', 1)  # so it is", 24))
        # so it is
        return where(x > 0,
            'a b', 1)
    """
    return "\n".join(part for line in code.split("\n") for part in _fold(line, width))


def _fold(line: str, width: int) -> list[str]:
    if len(line) <= width or line.lstrip().startswith("#"):
        return [line]
    pieces, comment = _pieces(line)
    indent = " " * (len(line) - len(line.lstrip()))
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"{indent}    {piece}")
    if comment and len(f"{lines[-1]}  {comment}") <= width:
        lines[-1] += f"  {comment}"
    elif comment:
        mark = f"{indent}# "
        words = comment.lstrip("# ")
        lines[:0] = textwrap.wrap(words, width, initial_indent=mark, subsequent_indent=mark)
    return lines


def _pieces(line: str) -> tuple[list[str], str]:
    """A line in parts between which it may be broken, and its comment."""
    pieces: list[str] = []
    start, depth, quote = 0, 0, ""
    for place, c in enumerate(line):
        if quote:
            quote = "" if c == quote and line[place - 1] != "\\" else quote
        elif c in "'\"":
            quote = c
        elif c == "#":
            return [*pieces, line[start:place].rstrip()], line[place:]
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == " " and depth:
            pieces.append(line[start:place])
            start = place + 1
    return [*pieces, line[start:]], ""


def snippet(
    instance: Instance, example: Counterexample, argument: str | None, said: str | None = None
) -> str | None:
    """Code that shows the failure again; None where the subject has no name to call it by.

    Parameters
    ----------
    instance : Instance
    example : Counterexample
    argument : str or None
        Whose gradient is wrong.
    said : str, optional
        What is wrong, where it is not a number.
    """
    code = _code(instance, example, argument, said)
    return None if code is None else folded(code)


def _code(
    instance: Instance, example: Counterexample, argument: str | None, said: str | None
) -> str | None:
    subject = instance.subject
    if hasattr(subject, "snippet") and argument:  # an adapter's own
        expected = float(np.real(example.expected))
        return subject.snippet(example.inputs, example.grad_output, argument, expected)
    lines = ["import numpy as np"]
    names = [s.name for s in instance.example.slots]
    location = subject.location
    target = subject.name
    keywords = "".join(f", {k}={_literal(v)}" for k, v in instance.example.keywords.items())
    if isinstance(subject, FunctionSubject):
        known = _import(subject.function, target, location)
        lines += known or [f"# {target}: as you defined it"]
        lines.append("import autodiff as ad")
        for name in names:
            value = example.inputs[name]
            if isinstance(value, (np.ndarray, float)) and np.asarray(value).dtype.kind == "f":
                lines.append(f"{name} = ad.tensor({_literal(value)}, requires_grad=True)")
            else:
                lines.append(f"{name} = {_literal(value)}")
        lines.append(f"out = {target}.apply({', '.join(names)}{keywords})")
        index = f"[{', '.join(map(str, example.index))}]" if example.index else ""
        if isinstance(example.grad_output, tuple):
            if not argument:
                return None
            upstream = [f"ad.tensor({_literal(np.asarray(g))})" for g in example.grad_output]
            lines.append(f"upstream = ({', '.join(upstream)})")
            lines.append(f"(gradient,) = ad.grad(out, {argument}, grad_outputs=upstream)")
            lines.append(f"print(gradient{index})  # {_expected(example, said)}")
            return "\n".join(lines)
        lines.append(f"out.backward(ad.tensor({_literal(np.asarray(example.grad_output))}))")
        if argument:
            lines.append(f"print({argument}.grad{index})  # {_expected(example, said)}")
        return "\n".join(lines)
    if isinstance(subject, PairSubject) and all(n.isidentifier() for n in names):
        for name in names:
            lines.append(f"{name} = {_literal(example.inputs[name])}")
        call = ", ".join(names)
        derivative = getattr(subject.derivative, "__name__", subject.kind)
        if derivative.isidentifier():
            lines[1:1] = _import(subject.derivative, derivative, location)
        if not derivative.isidentifier():
            derivative = subject.kind
        if subject.kind == "vjp":
            by_name = subject.upstream_name(len(names), instance.example.keywords)
            equals = f"{by_name}=" if by_name else ""
            call = f"{call}, {equals}{_literal(example.grad_output)}"
        comment = _expected(example, said)
        if not _missing(example):
            entry = f"{argument}{list(example.index)}" if example.index else f"{argument}"
            comment = f"entry {entry} of the product with grad_output: {comment}"
        lines.append(f"print({derivative}({call}{keywords}))  # {comment}")
        return "\n".join(lines)
    return None


def _import(thing: Any, name: str, location: tuple[str, int] | None) -> list[str]:
    """How to come by what has this name; nothing where its name does not lead to it."""
    module = getattr(thing, "__module__", None) or "__main__"
    outer, *inner = getattr(thing, "__qualname__", "<lambda>").split(".")
    if not all(part.isidentifier() for part in (outer, *inner)) or (inner and name != inner[-1]):
        return []
    rest = "".join(f".{part}" for part in inner)
    if "." in module:  # in a package: its file alone need not run
        lines = [f"from {module} import {outer}"]
        return [*lines, f"{name} = {outer}{rest}"] if inner else lines
    if module == "__main__" or location is None:
        return []
    return ["import runpy", f"{name} = runpy.run_path({location[0]!r})[{outer!r}]{rest}"]


def _missing(example: Counterexample) -> bool:
    """Whether there is no number to expect: a shape is wrong, say."""
    return bool(np.isnan(np.real(example.expected)))


def _expected(example: Counterexample, said: str | None) -> str:
    if _missing(example) and said is not None:
        return said
    return f"expected {example.expected!r}"
