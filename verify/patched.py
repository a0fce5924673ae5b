"""A plan as NumPy code, and the subject with that code in the place of its backward.

May import: :mod:`verify.plans`, :mod:`verify.numpy_code`, :mod:`verify.subject`.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from verify.instance import Instance
from verify.plans import Plan, names_of, symbol_of
from verify.subject import Context, FunctionSubject, PairSubject, Subject

__all__ = ["patched"]


def patched(subject: Subject, instance: Instance, plan: Plan) -> tuple[str, Any] | None:
    """The code, and the subject for ``check`` with the code in the place of its backward."""
    try:
        if isinstance(subject, FunctionSubject):
            return _function(subject, instance, plan)
        assert isinstance(subject, PairSubject)
        return _pair(subject, instance, plan)
    except (NotImplementedError, SyntaxError):
        return None


def _function(subject: FunctionSubject, instance: Instance, plan: Plan) -> tuple[str, Any]:
    names = names_of(subject, instance)
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
    subject: FunctionSubject, names: list[str], plan: Plan, instance: Instance
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
    names = names_of(subject, instance)
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


def _pair(subject: PairSubject, instance: Instance, plan: Plan) -> tuple[str, Any] | None:
    names = names_of(subject, instance)
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


def _printed(plan: Plan, grad: str | None, instance: Instance) -> tuple[list[str], list[str]]:
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
    big = [symbol_of(p.name) for p in instance.pieces if p.shape]
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
