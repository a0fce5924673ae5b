"""``gradproof explain``: how the derivative of one target comes about, as a text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from verify.load import LoadError, is_function, load, source_of

# The first at which the result is a scalar is shown: a loss on a vector rather than on a number.
PLACES = (0.5, -0.5, 2.0, -2.0, 8.0, -8.0, 64.0, -64.0)  # simple numbers, in any cell of note
SHAPES: tuple[tuple[int, ...], ...] = ((3,), (2, 2), ())


def explanation(target: str, *, latex: bool = False) -> str:
    """The derivation for a Function, or for a callable on Tensors.

    Parameters
    ----------
    target : str
        ``package.module:Name`` or ``path/file.py:Name``.
    latex : bool
        As an ``align*`` environment rather than as text.

    Raises
    ------
    LoadError
        If it cannot be loaded, or there is nothing to derive.
    """
    subject = load(target).subject
    if is_function(subject):
        try:
            derivations = _of_function(subject)
        except Exception as error:  # the user's code, run on arguments made up here
            raise LoadError(
                target, f"{type(error).__name__}: {error}", source_of(subject)
            ) from error
    else:
        derivations = _of_callable(target, subject)
    parts = []
    for title, derivation in derivations:
        text = derivation.latex() if latex else str(derivation)
        heading = f"% {title}\n" if latex else f"{title}\n"
        parts.append((heading if title else "") + text)
    return "\n\n".join(parts)


def _of_function(function: Any) -> list[tuple[str, Any]]:
    """One derivation, or one for each cell of a Function of scalars that branches."""
    from symbolic import explain_function

    cells = _cells(function)
    if len(cells) < 2:
        return [("", explain_function(function))]
    return [
        (f"where {' and '.join(conditions)}:", explain_function(function, at=at))
        for conditions, at in cells
    ]


def _cells(function: Any) -> list[tuple[list[str], list[Any]]]:
    """The conditions of the cells that simple arguments lie in, and such arguments.

    None for what has a formula, which says by itself where it holds, and for functions of arrays.
    """
    import numpy as np

    from symbolic.derivation import nice
    from symbolic.subjects import argument_labels, example_of, traced_at
    from verify.regions import described

    found: dict[tuple[str, ...], list[Any]] = {}
    if callable(getattr(function, "formula", None)):
        return []
    try:
        arguments, keywords = example_of(function)
        if keywords or any(shape != () for shape in arguments):
            return []
        names = argument_labels(function, len(arguments))
        domain = getattr(function, "domain", None) or {}
        rest = [nice((), domain.get(name), 2 + k) for k, name in enumerate(names[1:])]
        interval = domain.get(names[0])
        low, high = interval if isinstance(interval, tuple) else (-np.inf, np.inf)
        for value in PLACES:
            if not low < value < high:
                continue
            at = [np.asarray(value), *rest]
            with np.errstate(all="ignore"):
                run = traced_at(function, names, at, {})
            if any(c.is_equality for c in run.conditions) or not _finite(run):
                continue
            found.setdefault(tuple(described(run.conditions)), at)
    except Exception:  # the user's code: without cells there is still a derivation
        return []
    return [(list(conditions), at) for conditions, at in found.items()]


def _finite(run: Any) -> bool:
    import numpy as np

    return all(np.all(np.isfinite(np.asarray(v, dtype=float))) for v in run.values)


def _of_callable(target: str, function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """The derivations by each argument, at a shape that shows what the function does."""
    from symbolic import derive

    names = _arguments(target, function)
    runs: list[tuple[dict[str, Any], Any]] = []
    problem: Exception | None = None
    for shape in SHAPES:
        tensors = _tensors(names, shape)
        try:
            runs.append((tensors, function(*tensors.values())))
        except Exception as error:  # the user's code, at a shape that it need not take
            problem = error
    if not runs:
        reason = f"it takes none of the shapes {', '.join(map(str, SHAPES))}: {problem}"
        raise LoadError(target, reason)
    # A loss is best seen on a vector, what acts entry by entry on one entry.
    scalar = [run for run in runs if getattr(run[1], "shape", None) == ()]
    tensors, out = (scalar or runs)[0]
    if getattr(out, "grad_fn", None) is None:
        raise LoadError(target, "its result is no Tensor that depends on its arguments")
    out = out.sum() if out.shape else out
    several = len(tensors) > 1
    return [
        (f"derivative by {name}" if several else "", derive(out, tensor, names=tensors))
        for name, tensor in tensors.items()
    ]


def _arguments(target: str, function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise LoadError(target, "its arguments are not known") from None
    names = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if not names:
        raise LoadError(target, "it takes no arguments to differentiate by")
    return names


def _tensors(names: list[str], shape: tuple[int, ...]) -> dict[str, Any]:
    import numpy as np

    import autodiff as ad

    size = int(np.prod(shape))
    return {
        name: ad.tensor((np.arange(size).reshape(shape) + place) / 4 + 1, requires_grad=True)
        for place, name in enumerate(names)
    }
