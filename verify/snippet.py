"""Code that shows a failure again, for a person to run.

May import: :mod:`verify.instance`, :mod:`verify.subject`, :mod:`verify.verdict`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.instance import Instance
from verify.subject import FunctionSubject, PairSubject
from verify.verdict import Counterexample

__all__ = ["snippet"]


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.dtype.itemsize == 8:
            text = np.array2string(value, separator=", ", threshold=10**6, floatmode="unique")
            text = " ".join(text.split()).replace("nan", "np.nan").replace("inf", "np.inf")
            return (
                f"np.array({text}, dtype=float)"
                if not value.size or "." not in text
                else (f"np.array({text})")
            )
        return f"np.array({value.tolist()!r}, dtype=np.{value.dtype})"
    return repr(value)


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
        module = subject.function.__module__
        if module == "__main__" or location is None:
            lines.append(f"# {target}: as you defined it")
        else:
            lines.append("import runpy")
            lines.append(f"{target} = runpy.run_path({location[0]!r})[{target!r}]")
        if module.startswith("autodiff."):
            lines = ["import numpy as np", f"from {module} import {target}"]
        lines.append("import autodiff as ad")
        for name in names:
            value = example.inputs[name]
            if isinstance(value, (np.ndarray, float)) and np.asarray(value).dtype.kind == "f":
                lines.append(f"{name} = ad.tensor({_literal(value)}, requires_grad=True)")
            else:
                lines.append(f"{name} = {_literal(value)}")
        if isinstance(example.grad_output, tuple):
            return None
        lines.append(f"out = {target}.apply({', '.join(names)}{keywords})")
        lines.append(f"out.backward(ad.tensor({_literal(np.asarray(example.grad_output))}))")
        if argument:
            index = f"[{', '.join(map(str, example.index))}]" if example.index else ""
            lines.append(f"print({argument}.grad{index})  # {_expected(example, said)}")
        return "\n".join(lines)
    if isinstance(subject, PairSubject) and all(n.isidentifier() for n in names):
        for name in names:
            lines.append(f"{name} = {_literal(example.inputs[name])}")
        call = ", ".join(names)
        derivative = getattr(subject.derivative, "__name__", subject.kind)
        named = getattr(subject.derivative, "__qualname__", "") == derivative
        if location is not None and named and derivative.isidentifier():
            lines.insert(1, "import runpy")
            lines.insert(2, f"{derivative} = runpy.run_path({location[0]!r})[{derivative!r}]")
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


def _missing(example: Counterexample) -> bool:
    """Whether there is no number to expect: a shape is wrong, say."""
    return bool(np.isnan(np.real(example.expected)))


def _expected(example: Counterexample, said: str | None) -> str:
    if _missing(example) and said is not None:
        return said
    return f"expected {example.expected!r}"
