"""Subjects written for other libraries: each library is known to one module here, and to no other.

An adapter is imported only when its library already is, and when the subject has to do with it: its
class comes from the library, its examples do, or its code refers to the library by name. It gives a
:class:`verify.subject.Subject` whose ``forward`` takes arrays of floats and traced arrays alike:
floats go through the library itself, symbols through what its operations mean in NumPy.

A new library takes a module with ``adapt(subject) -> Subject | None`` and a line in `ADAPTERS`.

May import: :mod:`verify.subject`; the adapters, when they are needed.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from typing import Any

from verify.subject import Subject

__all__ = ["ADAPTERS", "adapted", "home", "is_operation", "libraries"]

# From a library's top-level package to the module that knows it.
ADAPTERS = {
    "torch": "verify.adapters.torch",
    "jax": "verify.adapters.jax",
    "jaxlib": "verify.adapters.jax",
    "autograd": "verify.adapters.autograd",
}
_DEPTH = 4  # how far the code of helper functions is followed


def adapted(subject: Any, examples: Any = None) -> Subject | None:
    """The subject as the adapter of its library gives it; None where no library is involved.

    Parameters
    ----------
    subject : object
        What was handed to ``check``.
    examples : sequence, optional
        Arguments, whose types tell the library where the code does not.
    """
    for library in libraries(subject, examples):
        if library in sys.modules:
            adapter = importlib.import_module(ADAPTERS[library])
            found: Subject | None = adapter.adapt(subject)
            if found is not None:
                return found
    return None


def is_operation(value: Any) -> bool:
    """Whether a value is an operation of another library with a derivative of its own.

    That is what a module offers for checking: a subclass of ``torch.autograd.Function``, a
    ``custom_vjp`` or ``custom_jvp`` function of JAX with its rule, a primitive of autograd.
    """
    if isinstance(value, type):
        bases = [c for c in value.__mro__[1:] if c.__module__ == "torch.autograd.function"]
        own = value.__module__ != "torch.autograd.function"
        return own and any(c.__name__ == "Function" for c in bases) and "backward" in dir(value)
    kind = type(value)
    if _top(kind.__module__) == "jax" and kind.__name__ in ("custom_vjp", "custom_jvp"):
        return getattr(value, "fwd", None) is not None or getattr(value, "jvp", None) is not None
    return hasattr(value, "__code__") and getattr(value, "_is_autograd_primitive", False) is True


def home(operation: Any) -> str:
    """The module that defines an operation."""
    return getattr(getattr(operation, "fun", operation), "__module__", None) or ""


def libraries(subject: Any, examples: Any = None) -> list[str]:
    """The libraries with an adapter that a subject has to do with, the likeliest first."""
    if not any(name in sys.modules for name in ADAPTERS):
        return []
    named = list(_of_code(subject, _DEPTH, set()))
    if "autodiff" in named:  # a function of our own Tensors may mention another library as well
        named = []
    found = [*_of_types(subject), *_of_examples(examples), *named]
    return [name for name in dict.fromkeys(found) if name in ADAPTERS]


def _top(module: Any) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


def _of_types(value: Any) -> list[str]:
    kind = value if isinstance(value, type) else type(value)
    return [_top(c.__module__) for c in kind.__mro__]


def _of_examples(examples: Any) -> Iterator[str]:
    if isinstance(examples, (list, tuple)):
        for example in examples:
            for entry in example if isinstance(example, (list, tuple)) else (example,):
                yield from _of_types(entry)


def _of_code(function: Any, depth: int, seen: set[int]) -> Iterator[str]:
    """The packages that a function's code refers to by the names of its globals and closure."""
    function = _plain(function)
    code = getattr(function, "__code__", None)
    yield _top(getattr(function, "__module__", None))
    if code is None or depth == 0 or id(function) in seen:
        owner = getattr(function, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            yield from _of_types(owner)  # `torch.sin` is a method of a class of torch's
        return
    seen.add(id(function))
    scope = function.__globals__
    yield _top(scope.get("__name__"))
    if _top(scope.get("__name__")) in ADAPTERS:
        return
    cells = [c.cell_contents for c in function.__closure__ or () if _filled(c)]
    for value in [scope[n] for n in sorted(_names(code)) if n in scope] + cells:
        if isinstance(value, types.ModuleType):
            yield _top(value.__name__)
        elif callable(value) and not isinstance(value, type):
            yield from _of_types(value)
            yield from _of_code(value, depth - 1, seen)
        else:
            yield from _of_types(value)


def _plain(function: Any) -> Any:
    if isinstance(function, functools.partial):
        return _plain(function.func)
    if isinstance(function, types.MethodType):
        return function.__func__
    if not hasattr(function, "__code__") and not isinstance(function, type):
        call = inspect.getattr_static(type(function), "__call__", None)
        return call if hasattr(call, "__code__") else function
    return function


def _filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= _names(const)
    return found
