"""What a function can reach: the names, closures, buffers and objects that its code refers to.

The walk finds each place that holds a function of NumPy, ``math`` or SciPy under the user's own
name (``from math import exp``) or an array of floats made before the trace; :func:`rebound` binds
these to tracing counterparts, and puts every place back.

May import: :mod:`symbolic.array`, :mod:`symbolic.namespace`, :mod:`symbolic.functions`.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbolic.array import TracedArray
from symbolic.functions import LIBRARY, stand_in
from symbolic.namespace import is_foreign, require, restore, wrapper_of
from symbolic.wrappers import TracedFloat

__all__ = ["Counterparts", "counterpart", "rebound"]

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
    new = wrapper_of(value) if callable(value) or value is np else None
    return new or stand_in(value)


@dataclass(frozen=True)
class Counterparts:
    """What names are bound to: a function of the value that a place holds, and builtins by name.

    ``of_scipy`` says whether SciPy's own modules are changed as well.
    """

    of: Callable[[Any], Any]
    builtins: Mapping[str, Any]
    of_scipy: bool = True


TRACING = Counterparts(counterpart, {"float": TracedFloat})


class _Binding:
    """What is bound for one run; ``undo`` are the calls that put everything back, in order."""

    def __init__(self, counterparts: Counterparts) -> None:
        self.counterparts = counterparts
        self.copies: dict[int, Any] = {}
        self.undo: list[Callable[[], None]] = []
        self.alive: list[Any] = []  # ids stay valid while the objects live

    def replacement(self, value: Any) -> Any:
        """The same counterpart for the same object, wherever it is held."""
        key = id(value)
        if key not in self.copies:
            self.copies[key] = self.counterparts.of(value)
            self.alive.append(value)
        return self.copies[key]

    def keep(self, target: dict[str, Any], name: str) -> None:
        """Put a name back as it is now, in the end."""
        if name in target:
            self.undo.append(functools.partial(target.__setitem__, name, target[name]))
        else:
            self.undo.append(functools.partial(target.pop, name, None))


Effect = Callable[[_Binding], None]


class _Walk:
    """One walk over what can be reached.

    ``effects`` are the changes that it makes, each a function of a :class:`_Binding`: a walk over a
    large program is made once, and its effects are repeated for each run.
    """

    def __init__(self, counterparts: Counterparts) -> None:
        self.counterparts = counterparts
        self.seen: set[int] = set()
        self.modules: set[tuple[int, frozenset[str]]] = set()
        self.todo: list[Any] = []
        self.alive: list[Any] = []
        self.effects: list[Effect] = []
        self.binding = _Binding(counterparts)

    def replacement(self, value: Any) -> Any:
        return self.binding.replacement(value)

    def do(self, effect: Effect) -> None:
        self.effects.append(effect)
        effect(self.binding)

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
                self.load_scipy(name)
        for name in _stored(f.__code__):
            self.do(lambda b, name=name: b.keep(f.__globals__, name))  # type: ignore[misc]
        self.namespace(f.__globals__, names)
        for name, new in self.counterparts.builtins.items():
            if name in names and name not in f.__globals__:
                self.do(lambda b, name=name, new=new: _put(b, f.__globals__, name, new))  # type: ignore[misc]
        for cell in f.__closure__ or ():
            self.cell(cell, names)
        if f.__defaults__:
            self.defaults(f)
        for value in (f.__kwdefaults__ or {}).values():
            self.visit(value)

    def load_scipy(self, name: Any) -> None:
        """Have SciPy's modules of that name trace, whether loaded already or not."""
        if self.counterparts.of_scipy and isinstance(name, str) and name.startswith("scipy"):
            for known in LIBRARY:
                if known == name or (name == "scipy" and known in sys.modules):
                    self.do(lambda _, known=known: require(known))  # type: ignore[misc]

    def namespace(self, names_of: dict[str, Any], names: frozenset[str]) -> None:
        for name in names:
            if name not in names_of:
                continue
            value = names_of[name]
            new = self.replacement(value)
            if new is not None:
                self.do(lambda b, name=name: _replace(b, names_of, name))  # type: ignore[misc]
            elif isinstance(value, types.ModuleType):
                self.module(value, names)
            else:
                self.visit(value)

    def cell(self, cell: Any, names: frozenset[str]) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            return
        new = self.replacement(value)

        def bind(b: _Binding) -> None:
            # Code may rebind it (`nonlocal`): put back in any case.
            held = cell.cell_contents
            b.undo.append(functools.partial(setattr, cell, "cell_contents", held))
            other = b.replacement(held)
            if other is not None:
                cell.cell_contents = other

        self.do(bind)
        if new is not None:
            return
        if isinstance(value, types.ModuleType):
            self.module(value, names)
        else:
            self.visit(value)

    def module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        key = (id(module), names)  # modules refer to each other
        if not is_foreign(module.__name__) and key not in self.modules:
            self.modules.add(key)
            self.namespace(module.__dict__, names)

    def defaults(self, f: types.FunctionType) -> None:
        old = f.__defaults__ or ()

        def bind(b: _Binding) -> None:
            new = tuple(r if (r := b.replacement(v)) is not None else v for v in old)
            if any(x is not y for x, y in zip(old, new, strict=True)):
                b.undo.append(functools.partial(setattr, f, "__defaults__", old))
                f.__defaults__ = new

        self.do(bind)
        for value in old:
            self.visit(value)

    def container(self, value: Any) -> None:
        if len(value) > 1000:
            return
        if isinstance(value, dict):
            items = list(value.values())
            self.do(lambda b: _bind_dict(b, value))
        else:
            items = list(value)
            if isinstance(value, list):
                self.do(lambda b: _bind_list(b, value))
        for item in items:
            if self.replacement(item) is None:
                self.visit(item)

    def class_(self, cls: type) -> None:
        for base in cls.__mro__:
            if is_foreign(base.__module__):
                continue
            for name, value in list(vars(base).items()):
                if type(value) is np.ndarray:
                    if self.replacement(value) is not None:
                        self.do(lambda b, o=base, n=name, v=value: _bind_class(b, o, n, v))  # type: ignore[misc]
                elif isinstance(
                    value, (types.FunctionType, staticmethod, classmethod, property, dict, list)
                ):
                    self.visit(value)

    def instance(self, value: Any) -> None:
        if callable(value):
            self.visit(getattr(value, "__wrapped__", None))  # functools.cache, say
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict and hasattr(type(value), "__getattr__"):
            self.load_scipy(attributes.get("__name__"))  # a module that loads when first used
        if type(value) is types.SimpleNamespace:
            pass
        elif is_foreign(type(value).__module__):
            return
        else:
            self.visit(type(value))
        if type(attributes) is not dict:
            return
        items = list(attributes.values())
        # Attributes that the code sets during the trace hold symbols: they go.
        self.do(lambda b: _bind_dict(b, attributes))
        for item in items:
            if self.replacement(item) is None:
                self.visit(item)


def _put(b: _Binding, target: dict[str, Any], name: str, new: Any) -> None:
    b.keep(target, name)
    target[name] = new


def _replace(b: _Binding, target: dict[str, Any], name: str) -> None:
    new = b.replacement(target[name]) if name in target else None
    if new is not None:
        _put(b, target, name, new)


def _bind_dict(b: _Binding, value: dict[Any, Any]) -> None:
    """Replace what a dictionary holds; in the end it is as it was, keys and all."""
    kept = dict(value)

    def back() -> None:
        if value.keys() != kept.keys() or any(value[k] is not kept[k] for k in kept):
            value.clear()
            value.update(kept)

    b.undo.append(back)
    for key, item in kept.items():
        new = b.replacement(item)
        if new is not None:
            value[key] = new


def _bind_list(b: _Binding, value: list[Any]) -> None:
    items = list(value)

    def back() -> None:  # some lists refuse to be written to: only where something has changed
        if len(value) != len(items) or any(a is not b for a, b in zip(value, items, strict=True)):
            value[:] = items

    b.undo.append(back)
    for i, item in enumerate(items):
        new = b.replacement(item)
        if new is not None:
            value[i] = new


def _bind_class(b: _Binding, owner: type, name: str, value: Any) -> None:
    b.undo.append(functools.partial(setattr, owner, name, value))
    setattr(owner, name, b.replacement(value))


# Walks made lately, by the identity of their roots (which they keep alive).
_WALKS: dict[tuple[Any, ...], tuple[Sequence[Any], list[Effect], list[Any]]] = {}
_MOST_WALKS = 8


@contextmanager
def rebound(roots: Sequence[Any], counterparts: Counterparts = TRACING) -> Iterator[None]:
    """Bind what ``roots`` can reach to its counterparts, tracing ones say, until the block ends.

    The same roots are walked once; later runs repeat what that walk found to bind, so an object
    that the code has made in the meantime is seen only where it replaces a known one.
    """
    key = (id(counterparts), *map(id, roots))
    known = _WALKS.get(key)
    binding = _Binding(counterparts)
    try:
        if known is not None:
            for effect in known[1]:
                effect(binding)
        else:
            walk = _Walk(counterparts)
            binding = walk.binding
            for root in roots:
                walk.visit(root)
            walk.run()
            if len(_WALKS) >= _MOST_WALKS:
                _WALKS.pop(next(iter(_WALKS)))
            _WALKS[key] = (tuple(roots), walk.effects, walk.alive)
        yield
    finally:
        restore(binding.undo)
