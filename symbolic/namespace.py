"""The namespaces that traced code sees: NumPy whose constructors trace, ``math``, SciPy.

NumPy hands traced arrays to this package by itself. What it does not hand over is code that makes
*new* arrays (``np.zeros``, ``np.array([...])``), the functions of ``math``, and SciPy's functions
written in Python.

The module ``numpy`` is never changed: compiled modules look its constructors up at each call and
take for granted that they get real arrays. Traced code gets a module of its own, :data:`NUMPY`, in
place of it, and so does ``numpy.polynomial``, which is plain Python. ``math`` and SciPy's modules
are changed for the time of a trace: their wrappers differ from the originals only for traced
arguments, and only in the thread that traces.

May import: :mod:`symbolic.wrappers`, :mod:`symbolic.array_functions`, :mod:`symbolic.functions`.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import math
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from symbolic import wrappers
from symbolic.array_functions import STRUCTURAL, tabled
from symbolic.functions import LIBRARY, MAKERS
from symbolic.iteration import ndenumerate, nditer
from symbolic.wrappers import STATE, is_active, on_traced

__all__ = ["NUMPY", "installed", "is_foreign", "require", "restore", "wrapper_of"]

_LOCK = threading.RLock()

# Libraries whose code is not the user's.
_LIBRARIES = frozenset(
    {"numpy", "scipy", "sympy", "flint", "mpmath", "symbolic", "verify", "hypothesis", "pytest"}
    | {"_pytest", "torch", "jax", "joblib", "rich", "click", "pandas"}
)
_STDLIB = os.path.dirname(os.__file__)


# The engine runs on traced arrays as it is; only the Functions' own code is rebound.
_ENGINE = frozenset(
    f"autodiff.{name}"
    for name in ("dispatch", "engine", "grad_mode", "graph", "printing", "tensor", "functional")
)


@functools.lru_cache(maxsize=4096)
def is_foreign(module: str | None) -> bool:
    """Whether a module of that name holds a library's code, not the user's."""
    if not module:
        return True
    top = module.partition(".")[0]
    if top in _LIBRARIES or module in _ENGINE:
        return True
    if top not in sys.stdlib_module_names or top == "__main__":
        return False
    # A user's file may well be called `test.py` or `code.py`.
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or os.path.abspath(file).startswith(_STDLIB)


class _NumPy(types.ModuleType):
    """``numpy`` as traced code sees it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)  # what NumPy itself loads lazily

    def __repr__(self) -> str:
        return repr(np)


# Functions of a sequence of arrays.
_JOINING = frozenset(
    {"concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "broadcast_arrays"}
)


def _numpy_attributes() -> Iterator[tuple[str, Any]]:
    for name in ("zeros", "ones", "empty", "eye", "identity", "tri", "geomspace", "logspace"):
        yield name, wrappers.constructor(getattr(np, name))
    yield "linspace", wrappers.constructor(np.linspace)
    yield "full", on_traced(wrappers.constructor(np.full), wrappers.traced_full)
    yield "arange", on_traced(wrappers.constructor(np.arange), wrappers.traced_arange)
    yield "fromiter", wrappers.traced_fromiter(np.fromiter)
    likes = ("zeros_like", "ones_like", "empty_like", "full_like", "where", "select", "diag")
    for name in likes:
        yield name, wrappers.maker_of_like(getattr(np, name))
    for name in ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray"):
        yield name, wrappers.converter(getattr(np, name), copies=name == "array")
    yield "asarray_chkfinite", wrappers.converter(np.asarray_chkfinite, copies=False)
    yield "require", wrappers.converter(np.require, copies=False)
    made = {"linspace", "logspace", "geomspace", *likes}
    for function in tabled():
        known: Any = vars(np).get(function.__name__)
        if function.__name__ not in made and known is function:
            yield function.__name__, wrappers.of_lists(known)
    made.add("block")  # which takes lists of lists as they are
    for name in sorted(STRUCTURAL & vars(np).keys() - made):
        yield name, wrappers.of_lists(getattr(np, name), joins=name in _JOINING)
    for name, value in vars(np).items():
        if isinstance(value, np.ufunc):
            yield name, wrappers.UfuncOfLists(value)
    yield "ndenumerate", on_traced(np.ndenumerate, ndenumerate)
    yield "nditer", on_traced(np.nditer, nditer)
    yield "isscalar", wrappers.traced_isscalar(np.isscalar)
    for of, traced in wrappers.SCALAR_TYPES.items():
        yield of.__name__, traced
    yield "double", wrappers.SCALAR_TYPES[np.float64]
    yield "single", wrappers.SCALAR_TYPES[np.float32]


def _make_numpy() -> types.ModuleType:
    module = _NumPy("numpy", np.__doc__)
    own = {k: v for k, v in vars(np).items() if k != "__getattr__"}
    vars(module).update(own)
    vars(module).update(_numpy_attributes())
    return module


NUMPY = _make_numpy()

# Changed attributes: (owner, name, original, wrapper)
Change = tuple[Any, str, Any, Any]


@functools.lru_cache(maxsize=1)
def _always() -> list[Change]:
    """What every trace changes: ``math``, NumPy's polynomials, ``np.vectorize`` and ``np.r_``."""
    found: list[Change] = []
    for name in dir(math):
        own = getattr(math, name)
        ours = wrappers.math_function(name) if callable(own) and name[0] != "_" else None
        if ours is not None:
            found.append((math, name, own, on_traced(own, ours)))
    call = np.vectorize.__call__
    found.append((np.vectorize, "__call__", call, wrappers.vectorize_call(call)))
    joiner: Any = type(np.r_).__base__
    found.append((joiner, "__getitem__", joiner.__getitem__, wrappers.joined(joiner.__getitem__)))
    for name, module in list(sys.modules.items()):
        if name.startswith("numpy.polynomial.") and vars(module).get("np") is np:
            found.append((module, "np", np, NUMPY))
    found.append((builtins, "__import__", builtins.__import__, _importer(builtins.__import__)))
    return found


# The flag of classes whose attributes can be set: those of compiled code are fixed.
_PYTHON_CLASS = 1 << 9


@functools.lru_cache(maxsize=64)
def _of_module(module_name: str) -> list[Change]:
    """What a trace changes in a module of SciPy, once that is loaded."""
    module = importlib.import_module(module_name)
    found: dict[tuple[int, str], Change] = {}
    for path, ours in LIBRARY[module_name].items():
        *parents, name = path.split(".")
        owner = functools.reduce(getattr, parents, module)
        if isinstance(owner, type):  # the class that has the method, of which others inherit it
            owner = next((c for c in owner.__mro__ if name in vars(c)), owner)
            if not owner.__flags__ & _PYTHON_CLASS:
                continue
        if (id(owner), name) not in found and hasattr(owner, name):
            own = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)
            static = isinstance(own, staticmethod)
            new = staticmethod(on_traced(own.__func__, ours)) if static else on_traced(own, ours)
            found[id(owner), name] = (owner, name, own, new)
    for name, wrapper in MAKERS.get(module_name, {}).items():
        own = getattr(module, name)
        found[id(module), name] = (module, name, own, wrapper(own))
    return list(found.values())


def _importer(original: Callable[..., Any]) -> Callable[..., Any]:
    """``import numpy`` inside a traced function gives the NumPy that traces."""

    @functools.wraps(original)
    def importer(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        module = original(name, globals, locals, fromlist, level)
        # Not where a module's own body runs: it would keep the namespace for good.
        inside = globals is not None and locals is not globals
        if module is np and inside and is_active() and not is_foreign(globals.get("__name__")):
            return NUMPY
        return module

    return importer


def _numpy_wrappers() -> dict[int, Any]:
    found: dict[int, Any] = {id(np): NUMPY}
    for name, new in vars(NUMPY).items():
        old = vars(np).get(name)
        if old is not None and old is not new:
            found[id(old)] = new
    return found


_WRAPPER_OF = _numpy_wrappers()
_WRAPPED_MODULES: set[str] = set()


def wrapper_of(value: Any) -> Any:
    """What a name bound to ``value`` is bound to while a trace runs, or None."""
    return _WRAPPER_OF.get(id(value))


_UNDO: list[Callable[[], None]] = []


def _change(changes: list[Change]) -> None:
    for owner, name, old, new in changes:
        _UNDO.append(functools.partial(setattr, owner, name, old))
        setattr(owner, name, new)
        _WRAPPER_OF[id(old)] = new


def require(module_name: str) -> None:
    """Load a module of SciPy that traced code is about to use, and change it for this trace."""
    if module_name in LIBRARY and module_name not in _WRAPPED_MODULES:
        _WRAPPED_MODULES.add(module_name)
        _change(_of_module(module_name))


def restore(undo: list[Callable[[], None]]) -> None:
    """Call each, the last first, whatever happens: a time limit may raise between any two."""
    interruption: BaseException | None = None
    failures = 0
    while undo:
        try:
            while undo:
                undo[-1]()  # can be called twice
                undo.pop()
        except BaseException as error:
            interruption = error
            failures += 1
            if failures % 3 == 0:  # not an interruption: it fails by itself
                undo.pop()
    if interruption is not None:
        raise interruption


@contextmanager
def installed() -> Iterator[None]:
    """Change ``math`` and what is loaded of SciPy for the time of a trace; nested ones once."""
    with _LOCK:
        depth = getattr(STATE, "depth", 0)
        try:
            STATE.depth = depth + 1
            if depth == 0:
                _change(_always())
                for module_name in LIBRARY:
                    if module_name in sys.modules:
                        require(module_name)
            yield
        finally:
            STATE.depth = depth
            if depth == 0:
                _WRAPPED_MODULES.clear()
                restore(_UNDO)
