"""When is a check the same check?  A digest of everything that its result depends on.

Walked is what a subject can reach: the code of its functions and of those that they call (bytecode
and constants, so that a comment changes nothing), the values of the globals, closures, defaults and
attributes that they refer to, the classes, the instances.  Code of a library counts by its version
and by the checksums of the files that were installed; gradproof itself by the text of its files,
since a change of the checker may change any verdict.

Where the walk cannot see what code depends on (it reads a file, the environment, or names made
while it runs; an object that cannot be taken apart) there is no digest: `Unknown` says why, and
the check is made anew each time.  A digest too many costs a check, one too few a wrong verdict.

May import: NumPy and the standard library.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ENGINE = ("autodiff", "symbolic", "verify")
# What gradproof computes with: a new version of any of these may change a verdict.
COMPUTES_WITH = ("numpy", "scipy", "sympy", "mpmath", "python-flint", "z3-solver", "hypothesis")
# Names whose use means that a result depends on more than the code that can be seen.
OUTSIDE = frozenset(
    [
        *("eval", "exec", "compile", "globals", "locals", "__import__", "import_module"),
        *("open", "environ", "getenv", "modules", "ops", "read_text", "read_bytes", "urlopen"),
        *("load", "loadtxt", "genfromtxt", "fromfile", "memmap", "loadmat", "read_csv"),
    ]
)
# Where libraries keep derivatives apart from the functions that they belong to.
_REGISTRIES = (
    ("autograd.core", "primitive_vjps"),
    ("autograd.core", "primitive_jvps"),
    ("jax._src.interpreters.ad", "primitive_jvps"),
    ("jax._src.interpreters.ad", "primitive_transposes"),
)
# Names whose use means that any name of a module may be looked up.
_LOOKUPS = frozenset(["getattr", "vars", "__dict__", "attrgetter", "methodcaller"])
_SKIPPED = ("__dict__", "__weakref__", "__module__", "__doc__", "__slotnames__", "_abc_impl")
_COMPILED = (
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))


class Unknown(Exception):
    """What the result of a check depends on cannot be told; the message says where it ends."""


def fingerprint(*roots: Any, lines: bool = False) -> str:
    """A digest of all that is reachable from ``roots``, and of the software that checks it.

    Parameters
    ----------
    *roots
        A subject, its hand-written derivatives, the options of the check.
    lines : bool
        Whether it matters on which lines of their files the code stands.

    Raises
    ------
    Unknown
        If something cannot be followed.

    Examples
    --------
    >>> def double(x):
    ...     return factor * x
    >>> double.__globals__["factor"] = 2.0
    >>> before = fingerprint(double)
    >>> double.__globals__["factor"] = 2.5
    >>> fingerprint(double) == before
    False
    """
    walk = _Walk(lines)
    walk.text("engine", _engine(), _modes())
    try:
        for root in roots:
            walk.value(root)
    except RecursionError:
        raise Unknown("objects are linked deeper than Python recurses") from None
    except (Unknown, KeyboardInterrupt):
        raise
    except Exception as error:  # an object may do anything when it is looked at
        raise Unknown(f"{type(error).__name__}: {error}") from None
    return walk.digest.hexdigest()


class _Walk:
    """One walk, depth first; an object that was met before is told by its number."""

    def __init__(self, lines: bool) -> None:
        self.lines = lines
        self.digest = hashlib.sha256()
        self.numbers: dict[int, int] = {}
        self.alive: list[Any] = []  # ids stay valid while the objects live
        self.modules: set[tuple[str, frozenset[str]]] = set()

    def text(self, *parts: object) -> None:
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
            self.digest.update(b"%d:" % len(data) + data)

    def value(self, value: Any) -> None:
        kind = type(value)
        if kind in _ATOMS:
            self.text(kind.__name__, repr(value))
            return
        if id(value) in self.numbers:
            self.text("again", self.numbers[id(value)])
            return
        self.numbers[id(value)] = len(self.numbers)
        self.alive.append(value)
        if isinstance(value, np.generic) or (kind is np.ndarray and value.dtype != object):
            array = np.asarray(value)
            self.text(kind.__name__, array.dtype.descr, array.shape, array.tobytes())
        elif isinstance(value, types.FunctionType):
            self.function(value)
        elif isinstance(value, types.CodeType):
            self.code(value)
        elif isinstance(value, types.ModuleType):
            self.module(value, frozenset())
        elif isinstance(value, type):
            self.class_(value)
        elif kind in (list, tuple):
            self.text(kind.__name__, len(value))
            for item in value:
                self.value(item)
        elif kind in (dict, types.MappingProxyType):
            self.text("dict", len(value))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        elif kind in (set, frozenset):
            self.text("set", *sorted(map(_atom, value)))
        elif isinstance(value, types.MethodType):
            self.text("method")
            self.value(value.__func__)
            self.value(value.__self__)
        elif isinstance(value, staticmethod | classmethod):
            self.text(kind.__name__)
            self.value(value.__func__)
        elif isinstance(value, property):
            self.text("property")
            for function in (value.fget, value.fset, value.fdel):
                self.value(function)
        elif isinstance(value, functools.cached_property):
            self.text("cached_property")
            self.value(value.func)
        elif isinstance(value, types.CellType):
            self.text("cell")
            try:
                contents = value.cell_contents
            except ValueError:
                return
            self.value(contents)
        else:
            self.instance(value)

    def function(self, f: types.FunctionType) -> None:
        self.text("function", f.__qualname__)
        if _is_library(f.__code__.co_filename):
            self.package(f.__module__)
        else:
            self.code(f.__code__)
            self.text(_effects(f.__code__.co_filename))
            self.names(f.__globals__, _names(f.__code__))
            for name in _imports(f):
                self.imported(name, _names(f.__code__))
        for cell in f.__closure__ or ():
            self.value(cell)
        self.value(f.__defaults__)
        self.value(f.__kwdefaults__)
        self.value(f.__dict__)
        self.derivatives(f)

    def derivatives(self, owner: Any) -> None:
        """What was registered as the derivative of a function or a primitive."""
        for module, name in _REGISTRIES:
            registry = getattr(sys.modules.get(module), name, {})
            try:
                known = owner in registry
            except TypeError:  # it has no hash: it cannot be there
                return
            if known:
                self.text(name)
                self.value(registry[owner])

    def code(self, code: types.CodeType) -> None:
        outside = sorted(OUTSIDE.intersection(code.co_names))
        if outside:
            raise Unknown(f"{code.co_name} uses {outside[0]}")
        self.text("code", code.co_code, code.co_exceptiontable, code.co_flags)
        self.text(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        self.text(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        if self.lines:
            self.text(code.co_filename, code.co_firstlineno, code.co_linetable)
        for const in code.co_consts:
            self.value(const)

    def names(self, names_of: dict[str, Any], names: frozenset[str]) -> None:
        for name in sorted(names):
            if name not in names_of:
                continue
            self.text("name", name)
            value = names_of[name]
            if isinstance(value, types.ModuleType):
                self.module(value, names)
            else:
                self.value(value)

    def module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        """A library by its version; a module of the user by its text, and by what is used of it."""
        self.text("module", module.__name__)
        key = (module.__name__, names)
        if key in self.modules:
            return
        self.modules.add(key)
        if _is_library_module(module):
            self.package(module.__name__)
            return
        file = getattr(module, "__file__", None)
        if file is not None:  # a folder without an `__init__.py` has none
            self.text(_file(file))
        self.names(vars(module), frozenset(vars(module)) if names & _LOOKUPS else names)

    def imported(self, name: str, names: frozenset[str]) -> None:
        """A module that a function imports when it runs."""
        module = sys.modules.get(name)
        if module is not None:
            self.module(module, names)
            return
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is None or not (
            spec.origin in (None, "built-in", "frozen") or _is_library(spec.origin)
        ):
            raise Unknown(f"{name} is imported while the code runs")
        self.package(name)

    def class_(self, cls: type) -> None:
        self.text("class", cls.__qualname__)
        if _is_library_module(sys.modules.get(cls.__module__)):
            self.text(cls.__module__)
            self.package(cls.__module__)
            return
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if file is not None and not file.endswith(".py"):
            self.text(_file(file))  # compiled
        self.value(type(cls))
        for base in cls.__mro__[1:]:
            self.value(base)
        for name, value in vars(cls).items():
            if name not in _SKIPPED:
                self.text(name)
                self.value(value)

    def instance(self, value: Any) -> None:
        self.text("instance")
        self.value(type(value))
        self.derivatives(value)
        if isinstance(value, np.ufunc):
            self.text(_ufunc(value))
            return
        if isinstance(value, _COMPILED):  # parts of a class, which is told by its file
            self.text(value.__name__)
            return
        if (torch := sys.modules.get("torch")) is not None and isinstance(value, torch.Tensor):
            self.text(value.dtype, value.device, value.requires_grad)
            data = value.detach().cpu()  # pickled, it would differ each time
            self.value((data.resolve_conj() if data.is_complex() else data.double()).numpy())
            return
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            self.value(wrapped)
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict:
            self.value(attributes)
        try:
            reduced = value.__reduce_ex__(4)
        except Exception as error:
            if wrapped is None:
                raise Unknown(f"{type(value).__name__}: {error}") from None
            return
        if not isinstance(reduced, str):
            for part in reduced:
                self.value(list(part) if isinstance(part, Iterator) else part)
            return
        module = getattr(value, "__module__", None) or type(value).__module__
        self.text(module, reduced)
        if _is_library_module(sys.modules.get(module)):
            self.package(module)
        elif wrapped is None:  # compiled code of the user's: its file
            file = getattr(sys.modules.get(module), "__file__", None)
            if file is None:
                raise Unknown(f"{module}.{reduced} has no source")
            self.text(_file(file))

    def package(self, module: str | None) -> None:
        """A module of a library: the version of what it belongs to, and its own text."""
        name = module or "builtins"
        self.text("library", *_version(name.partition(".")[0]))
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if file.endswith(".py"):  # it may have been edited where it is installed
            self.text(_file(file))


def _atom(value: Any) -> str:
    if type(value) not in _ATOMS:
        raise Unknown(f"a set of {type(value).__name__}")
    return f"{type(value).__name__} {value!r}"


def _ufunc(f: np.ufunc) -> str:
    """A ufunc by its name in NumPy or SciPy; one made by `numpy.frompyfunc` hides its code."""
    for home in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(home), f.__name__, None) is f:
            return f"{home}.{f.__name__}"
    raise Unknown(f"the ufunc {f.__name__} hides its code")


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> frozenset[str]:
    """The global and attribute names in a function's code and the functions inside it."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= _names(const)
    return frozenset(found)


def _imports(f: types.FunctionType) -> list[str]:
    """The modules that a function, and those inside it, import when they run."""
    package = f.__globals__.get("__package__") or ""
    found = []
    todo = [f.__code__]
    while todo:
        code = todo.pop()
        todo += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        before: list[Any] = []
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                level = before[-2] if len(before) > 1 else 0
                name = "." * level + instruction.argval
                try:
                    found.append(importlib.util.resolve_name(name, package))
                except ImportError:
                    raise Unknown(f"{name} is imported while the code runs") from None
            before.append(instruction.argval)
    return sorted(found)


@functools.lru_cache(maxsize=4096)
def _is_library(file: str) -> bool:
    """Whether a file is Python's, an installed distribution's or gradproof's own.

    Code without a file (made by `exec`, or typed in) is the user's.
    """
    if file.startswith("<"):
        return file.startswith("<frozen ")
    return os.path.realpath(file).startswith(_library_folders())


@functools.cache
def _library_folders() -> tuple[str, ...]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {os.path.realpath(sysconfig.get_path(kind)) for kind in kinds}
    for name in ENGINE:
        folders |= {os.path.realpath(folder) for folder in _package(name)}
    # Distributions of the system that a virtual environment shows.
    folders |= {
        os.path.realpath(p) for p in sys.path if p.endswith(("site-packages", "dist-packages"))
    }
    return tuple(sorted(folder + os.sep for folder in folders))


def _is_library_module(module: types.ModuleType | None) -> bool:
    file = getattr(module, "__file__", None)
    if file is not None:
        return _is_library(file)
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin in ("built-in", "frozen")


def _package(name: str) -> list[str]:
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations or ()) if spec else []


@functools.cache
def _version(top: str) -> tuple[str, ...]:
    """What tells one version of an installed package from another."""
    if top in sys.stdlib_module_names or top in ENGINE:
        return (top,)  # they are in every key
    names = importlib.metadata.packages_distributions().get(top, ())
    found: list[str] = [top]
    for name in sorted(set(names)):
        found += _distribution(name)
    if not names:
        found.append(str(getattr(sys.modules.get(top), "__version__", "")))
    return tuple(found)


def _distribution(name: str) -> list[str]:
    """Name, version, and the checksums of the files: a version may be installed anew, changed."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return [name]
    record = distribution.read_text("RECORD") or ""
    return [name, distribution.version, hashlib.sha256(record.encode()).hexdigest()]


@functools.cache
def _engine() -> str:
    """A digest of gradproof's own files, of Python and of what gradproof computes with."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for name in ENGINE:
        for folder in _package(name):
            for file in sorted(Path(folder).rglob("*.py")):
                digest.update(str(file.relative_to(folder)).encode() + _file(str(file)))
    for name in COMPUTES_WITH:
        digest.update(" ".join(_distribution(name)).encode())
    return digest.hexdigest()


def _modes() -> str:
    """The settings of libraries that change what the same code computes."""
    found = [repr(np.geterr())]
    if (jax := sys.modules.get("jax")) is not None:
        found.append(repr(getattr(getattr(jax, "config", None), "jax_enable_x64", None)))
    if (torch := sys.modules.get("torch")) is not None:
        found.append(repr(torch.get_default_dtype()))
    return " ".join(found)


@functools.lru_cache(maxsize=4096)
def _effects(file: str) -> str:
    """What a file does when it is imported besides defining names: ``np.seterr(...)``, say."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):  # typed in, or made by `exec`
        return ""
    silent = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    found = []
    for statement in tree.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue  # a docstring
            case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign(target=ast.Name()):
                continue  # its value is looked at where it is used
        if not isinstance(statement, silent):
            found.append(ast.dump(statement))
    return "\n".join(found)


@functools.lru_cache(maxsize=4096)
def _file(path: str) -> bytes:
    try:
        return hashlib.sha256(Path(path).read_bytes()).digest()
    except OSError as error:
        raise Unknown(f"{path}: {error.strerror}") from None
