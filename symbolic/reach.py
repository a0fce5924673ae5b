"""What a function can reach: the names, closures, buffers and objects that its code refers to.

The walk finds each place that holds a function of NumPy, ``math`` or SciPy under the user's own
name (``from math import exp``) or an array of floats made before the trace; :func:`rebound` binds
these to tracing counterparts, and puts every place back.

May import: :mod:`symbolic.array`, :mod:`symbolic.namespace`.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from symbolic.array import TracedArray
from symbolic.functions import LIBRARY
from symbolic.namespace import is_foreign, require, restore, wrapper_of
from symbolic.wrappers import TracedFloat

__all__ = ["counterpart", "rebound"]

# An array larger than this is data, not a buffer: it stays as it is.
_LARGEST_BUFFER = 20_000


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> frozenset[str]:
    """The global and attribute names in a function's code and the functions inside it."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= _names(const)
    return frozenset(found)


@functools.lru_cache(maxsize=4096)
def _stored(code: types.CodeType) -> frozenset[str]:
    """The globals that a function's code, and the functions inside it, assign to."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname.endswith("_GLOBAL")
             and not i.opname.startswith("LOAD")}  # fmt: skip
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= _stored(const)
    return frozenset(found)


def counterpart(value: Any) -> Any:
    """What a place that holds ``value`` holds during the trace, or None to leave it."""
    if type(value) is np.ndarray:
        if value.dtype.kind == "f" and value.size <= _LARGEST_BUFFER:
            return TracedArray(value.astype(object), value.dtype)
        return None
    if isinstance(value, types.MethodType):  # `logpdf = stats.norm.logpdf`
        new = wrapper_of(value.__func__)
        return None if new is None else types.MethodType(new, value.__self__)
    return wrapper_of(value) if callable(value) or value is np else None


class _Walk:
    """One walk; ``undo`` are the calls that put everything back, in order of change."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.todo: list[Any] = []
        self.copies: dict[int, Any] = {}
        self.undo: list[Callable[[], None]] = []
        self.alive: list[Any] = []  # ids stay valid while the objects live

    def replacement(self, value: Any) -> Any:
        """The same counterpart for the same object, wherever it is held."""
        key = id(value)
        if key not in self.copies:
            self.copies[key] = counterpart(value)
            self.alive.append(value)
        return self.copies[key]

    def visit(self, value: Any) -> None:
        """Walk into ``value``, later: objects may be linked deeper than Python recurses."""
        self.todo.append(value)

    def run(self) -> None:
        while self.todo:
            self.enter(self.todo.pop())

    def enter(self, value: Any) -> None:
        if value is None or type(value) in (int, float, str, bool, bytes, np.ndarray, TracedArray):
            return
        if id(value) in self.seen:
            return
        self.seen.add(id(value))
        self.alive.append(value)
        if isinstance(value, types.FunctionType):
            self.function(value)
        elif isinstance(value, types.MethodType):
            self.visit(value.__func__)
            self.visit(value.__self__)
        elif isinstance(value, (staticmethod, classmethod)):
            self.visit(value.__func__)
        elif isinstance(value, property):
            self.visit(value.fget)
        elif isinstance(value, functools.partial):
            self.visit(value.func)
            self.visit(value.args)
            self.visit(value.keywords)
        elif isinstance(value, type):
            self.class_(value)
        elif isinstance(value, (list, tuple, set, dict)):
            self.container(value)
        elif isinstance(value, np.vectorize):
            self.visit(value.pyfunc)
        elif not isinstance(value, types.ModuleType):
            self.instance(value)

    def function(self, f: types.FunctionType) -> None:
        wrapped = getattr(f, "__wrapped__", None)
        if wrapped is not None:
            self.visit(wrapped)
        if is_foreign(f.__module__):
            return
        names = _names(f.__code__)
        for name in names:  # `from scipy.special import ...` inside the function
            if name.startswith("scipy"):
                self.library(name)
        for name in _stored(f.__code__):
            self.keep(f.__globals__, name)
        self.namespace(f.__globals__, names)
        if "float" in names and "float" not in f.__globals__:
            self.put(f.__globals__, "float", TracedFloat)
        for cell in f.__closure__ or ():
            self.cell(cell, names)
        if f.__defaults__:
            self.defaults(f)
        for value in (f.__kwdefaults__ or {}).values():
            self.visit(value)

    def library(self, name: Any) -> None:
        """Have SciPy's modules of that name trace, whether loaded already or not."""
        if isinstance(name, str) and name.startswith("scipy"):
            for known in LIBRARY:
                if known == name or (name == "scipy" and known in sys.modules):
                    require(known)

    def namespace(self, names_of: dict[str, Any], names: frozenset[str]) -> None:
        for name in names:
            if name not in names_of:
                continue
            value = names_of[name]
            new = self.replacement(value)
            if new is not None:
                self.put(names_of, name, new)
            elif isinstance(value, types.ModuleType):
                self.module(value, names)
            else:
                self.visit(value)

    def put(self, target: dict[str, Any], name: str, new: Any) -> None:
        self.keep(target, name)
        target[name] = new

    def keep(self, target: dict[str, Any], name: str) -> None:
        """Put a name back as it is now, in the end."""
        if name in target:
            self.undo.append(functools.partial(target.__setitem__, name, target[name]))
        else:
            self.undo.append(functools.partial(target.pop, name, None))

    def cell(self, cell: Any, names: frozenset[str]) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            return
        # Code may rebind it (`nonlocal`): put back in any case.
        self.undo.append(functools.partial(setattr, cell, "cell_contents", value))
        new = self.replacement(value)
        if new is not None:
            cell.cell_contents = new
        elif isinstance(value, types.ModuleType):
            self.module(value, names)
        else:
            self.visit(value)

    def module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        if not is_foreign(module.__name__) and id(module) not in self.seen:
            self.namespace(module.__dict__, names)

    def defaults(self, f: types.FunctionType) -> None:
        old = f.__defaults__ or ()
        new = tuple(self.replacement(v) if self.replacement(v) is not None else v for v in old)
        if any(a is not b for a, b in zip(old, new, strict=True)):
            self.undo.append(functools.partial(setattr, f, "__defaults__", old))
            f.__defaults__ = new
        for value in old:
            self.visit(value)

    def container(self, value: Any) -> None:
        if len(value) > 1000:
            return
        if isinstance(value, dict):
            kept = dict(value)

            def back() -> None:
                if value.keys() != kept.keys() or any(value[k] is not kept[k] for k in kept):
                    value.clear()
                    value.update(kept)

            self.undo.append(back)
            for key, item in kept.items():
                new = self.replacement(item)
                if new is not None:
                    value[key] = new
                else:
                    self.visit(item)
            return
        if isinstance(value, list):
            items = list(value)
            self.undo.append(lambda: value.__setitem__(slice(None), items))
            for i, item in enumerate(items):
                new = self.replacement(item)
                if new is not None:
                    value[i] = new
        for item in list(value):
            self.visit(item)

    def class_(self, cls: type) -> None:
        for base in cls.__mro__:
            if is_foreign(base.__module__):
                continue
            for name, value in list(vars(base).items()):
                if type(value) is np.ndarray:
                    new = self.replacement(value)
                    if new is not None:
                        self.undo.append(functools.partial(setattr, base, name, value))
                        setattr(base, name, new)
                elif isinstance(
                    value, (types.FunctionType, staticmethod, classmethod, property, dict, list)
                ):
                    self.visit(value)

    def instance(self, value: Any) -> None:
        if callable(value):
            self.visit(getattr(value, "__wrapped__", None))  # functools.cache, say
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict and hasattr(type(value), "__getattr__"):
            self.library(attributes.get("__name__"))  # a module that loads when first used
        if type(value) is types.SimpleNamespace:
            pass
        elif is_foreign(type(value).__module__):
            return
        else:
            self.visit(type(value))
        if type(attributes) is not dict:
            return
        kept = dict(attributes)

        def back() -> None:
            # Attributes that the code set during the trace hold symbols: they go.
            if attributes.keys() != kept.keys() or any(attributes[k] is not kept[k] for k in kept):
                attributes.clear()
                attributes.update(kept)

        self.undo.append(back)
        for name, item in kept.items():
            new = self.replacement(item)
            if new is not None:
                attributes[name] = new
            else:
                self.visit(item)


@contextmanager
def rebound(roots: Sequence[Any]) -> Iterator[None]:
    """Bind what ``roots`` can reach to tracing counterparts until the block ends."""
    walk = _Walk()
    try:
        for root in roots:
            walk.visit(root)
        walk.run()
        yield
    finally:
        restore(walk.undo)
