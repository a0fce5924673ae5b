"""From what a user typed to what is checked: targets, the modules they name, and their Functions.

Importing a user's module runs the user's code, which may raise, exit, hang or crash: this is
called in a worker process (see :mod:`verify.sweep`), and whatever it raises is a `LoadError`
that says where in the user's file the trouble is.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from verify.registry import registered

BUILTIN = "autodiff"  # the module that stands for all Functions that ship here


class LoadError(Exception):
    """A target that cannot be loaded: why, and where in whose file."""

    def __init__(self, target: str, message: str, location: tuple[str, int] | None = None) -> None:
        super().__init__(target, message, location)  # all of them, so that it pickles
        self.target = target
        self.message = message
        self.location = location

    def __str__(self) -> str:
        place = f" ({self.location[0]}:{self.location[1]})" if self.location else ""
        return f"{self.target}: {self.message}{place}"

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON has it."""
        place = self.location and {"file": self.location[0], "line": self.location[1]}
        return {"target": self.target, "message": self.message, "location": place}


@dataclass(frozen=True)
class Target:
    """A module, by import name or by path, and the name of one thing in it, or ``""`` for all."""

    module: str
    name: str = ""

    @property
    def is_path(self) -> bool:
        """Whether `module` is a file rather than an import name."""
        text = self.module
        return text.endswith(".py") or "/" in text or os.sep in text or not text.strip(".")

    def __str__(self) -> str:
        return f"{self.module}:{self.name}" if self.name else self.module


@dataclass(frozen=True)
class Item:
    """One thing to check, told apart by text alone, so that another process can load it."""

    target: str
    location: tuple[str, int] | None = None


@dataclass
class Loaded:
    """What an `Item` stands for, once loaded: a subject and its own options."""

    subject: Any
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def parse(text: str) -> Target:
    """Split a target into module and name.

    Examples
    --------
    >>> parse("package.module:Name")
    Target(module='package.module', name='Name')
    >>> parse("path/file.py").is_path
    True
    >>> parse("C:/path/file.py:Outer.Inner")
    Target(module='C:/path/file.py', name='Outer.Inner')
    """
    head, colon, tail = text.rpartition(":")
    if not colon or not head or "/" in tail or os.sep in tail:
        return Target(text)
    return Target(head, tail)


def discover(text: str) -> list[Item]:
    """Everything to check that a target names, in the order of the source.

    Parameters
    ----------
    text : str
        A target; ``""`` for every built-in Function.

    Raises
    ------
    LoadError
        If the module cannot be imported or the name is not there.
    """
    target = parse(text or BUILTIN)
    if target.name:
        loaded = load(text)
        return [Item(text, source_of(loaded.subject))]
    module = import_target(target)
    return [Item(f"{target.module}:{name}", location) for name, _, _, location in offers(module)]


def load(text: str) -> Loaded:
    """The subject that a target with a name stands for.

    Raises
    ------
    LoadError
        If the module cannot be imported, or the name is not there or names no operation.
    """
    target = parse(text)
    if not target.name:
        raise LoadError(text, f"name one thing in it, as in {text}:Name")
    module = import_target(target)
    for entry in registered(module.__name__):
        if entry.name == target.name:
            return Loaded(entry.subject, entry.options, text)
    subject: Any = module
    try:
        for part in target.name.split("."):
            subject = getattr(subject, part)
    except AttributeError:
        functions = {f.__name__: f for f in _all_in(module)}
        if target.name not in functions:
            raise LoadError(text, _not_there(module, target.name, list(functions))) from None
        subject = functions[target.name]
    if not callable(subject):
        kind = "a module" if isinstance(subject, ModuleType) else f"a {type(subject).__name__}"
        raise LoadError(text, f"it is {kind}, neither a Function nor something to call")
    return Loaded(subject, {}, text)


def load_companion(text: str, beside: str) -> Any:
    """A derivative for ``--grad``, ``--vjp`` or ``--jac``: a target, or a name in `beside`."""
    home = parse(beside)
    target = parse(text)
    if not target.name and not target.is_path:
        module = import_target(home)
        if hasattr(module, text):
            return getattr(module, text)
        if "." not in text:
            known = [name for name, value in vars(module).items() if callable(value)]
            raise LoadError(f"{home.module}:{text}", _not_there(module, text, known))
    return load(text).subject


def functions_of(module: ModuleType) -> list[type]:
    """The Functions that a module defines, in the order of its source; imported ones are not.

    For a package, those that its submodules define and it shows count as its own.
    """
    own = (module.__name__, module.__name__ + ".") if hasattr(module, "__path__") else None
    found: dict[int, type] = {}
    for value in vars(module).values():
        if not is_function(value):
            continue
        home = value.__module__
        if home == module.__name__ or (own and home.startswith(own[1])):
            found.setdefault(id(value), value)
    return list(found.values())


def is_function(value: Any) -> bool:
    """Whether `value` is a Function that can run: a subclass that has a forward."""
    from autodiff import Function

    return (
        isinstance(value, type)
        and issubclass(value, Function)
        and value.forward is not Function.forward
    )


def source_of(subject: Any) -> tuple[str, int] | None:
    """File and line of a subject's definition, the file relative to here where it is below."""
    try:
        file = inspect.getsourcefile(inspect.unwrap(subject))
        _, line = inspect.getsourcelines(subject)
    except (TypeError, OSError, SyntaxError, IndexError):
        return None
    return (shorten(file), max(line, 1)) if file else None


def shorten(file: str) -> str:
    """A path as one would type it: relative to the current directory if it lies below it."""
    try:
        return str(Path(file).resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


def _builtin() -> list[type]:
    from autodiff.functions import all_functions

    return list(all_functions())


def _all_in(module: ModuleType) -> list[type]:
    return _builtin() if module.__name__ == BUILTIN else functions_of(module)


def _foreign_in(module: ModuleType) -> list[tuple[str, Any]]:
    """Other libraries' operations with hand-written derivatives that a module defines, by name."""
    from verify.adapters import home, is_operation

    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if not is_operation(value):
            continue
        where = home(value)
        inside = hasattr(module, "__path__") and where.startswith(module.__name__ + ".")
        if where == module.__name__ or inside:
            found.setdefault(id(value), (name, value))
    return list(found.values())


def offers(
    module: ModuleType,
) -> list[tuple[str, Any, dict[str, Any], tuple[str, int] | None]]:
    """What there is to check in a module: name, subject, its own options, file and line."""
    file = getattr(module, "__file__", None)
    found: list[tuple[str, Any, dict[str, Any], tuple[str, int] | None]] = [
        (f.__qualname__ if f.__module__ == module.__name__ else f.__name__, f, {}, source_of(f))
        for f in _all_in(module)
    ]
    found += [(name, f, {}, source_of(f)) for name, f in _foreign_in(module)]
    for entry in registered(module.__name__):
        place = (shorten(file), entry.line) if file and entry.line else None
        found.append((entry.name, entry.subject, entry.options, place))
    return found


def import_target(target: Target) -> ModuleType:
    """Import the module of a target.

    Raises
    ------
    LoadError
        Whatever happens to go wrong, `SystemExit` included.
    """
    try:
        if target.is_path:
            return _import_file(Path(target.module))
        return _import_name(target.module)
    except LoadError as error:
        raise LoadError(str(target), error.message, error.location) from error.__cause__
    except KeyboardInterrupt:
        raise
    except SyntaxError as error:
        place = (shorten(error.filename), error.lineno or 1) if error.filename else None
        code = f": {error.text.strip()}" if error.text else ""
        raise LoadError(str(target), f"{type(error).__name__}: {error.msg}{code}", place) from error
    except SystemExit as error:
        message = f"it calls sys.exit({error.code!r}) while it is imported"
        raise LoadError(str(target), message, _where(error)) from error
    except BaseException as error:
        last = traceback.format_exception_only(error)[-1].strip()
        raise LoadError(str(target), last, _where(error)) from error


def _where(error: BaseException) -> tuple[str, int] | None:
    """The last line of the traceback that is in a file which is not the import machinery's."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = (__file__, importlib.__file__, importlib.util.__file__)
    theirs = [f for f in frames if f.filename not in ours and not f.filename.startswith("<frozen")]
    return (shorten(theirs[-1].filename), theirs[-1].lineno or 1) if theirs else None


def _import_name(name: str) -> ModuleType:
    cwd = os.getcwd()
    if cwd not in sys.path and "" not in sys.path:
        sys.path.insert(0, cwd)  # as `python -m` does; an installed command does not
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # missing is what was asked for, or a parent of it, or something that it imports itself
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        hint = f"; there is a file {name}.py: give it as {name}.py" if _is_file(name) else ""
        near = difflib.get_close_matches(error.name, _top_level_names(), n=1)
        if not hint and near and "." not in name:
            hint = f"; did you mean {near[0]}?"
        raise LoadError(name, f"no module named {error.name!r}{hint}") from error


def _is_file(name: str) -> bool:
    return Path(f"{name}.py").is_file()


def _top_level_names() -> list[str]:
    here = [p.stem for p in Path().glob("*.py")] + [p.parent.name for p in Path().glob("*/*.py")]
    return [*here, *(name for name in sys.modules if "." not in name)]


def _import_file(path: Path) -> ModuleType:
    if path.is_dir():
        raise LoadError(
            str(path), "it is a directory: name the files in it, or a package by its name"
        )
    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else Path()
        near = difflib.get_close_matches(path.name, [p.name for p in folder.glob("*.py")], n=1)
        hint = f"; did you mean {folder / near[0]}?" if near else ""
        raise LoadError(str(path), f"no such file{hint}")
    path = path.resolve()
    root, name = path.parent, path.stem
    while (root / "__init__.py").is_file() and root != root.parent:
        # a file of a package: imported by its full name, so that its relative imports work
        root, name = root.parent, f"{root.name}.{name}"
    name = name.removesuffix(".__init__")
    known = sys.modules.get(name)
    if known is not None and _same_file(known, path):
        return known
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # its neighbours can be imported, as when it is run
    if "." in name and all(part.isidentifier() for part in name.split(".")):
        module = importlib.import_module(name)
        if _same_file(module, path):
            return module
    if name in sys.modules or name in sys.stdlib_module_names or "." in name:
        # another module has the name already: this one must not take its place
        name = f"_gradproof_{name.replace('.', '_')}_{abs(hash(str(path))):x}"
        if name in sys.modules:
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError(str(path), "it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _same_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _not_there(module: ModuleType, name: str, functions: list[str]) -> str:
    known = functions + [entry.name for entry in registered(module.__name__)]
    names = known or [key for key, value in vars(module).items() if callable(value)]
    lowered = {key.lower(): key for key in names}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=3)
    if near:
        return f"there is no {name} in it; did you mean {', '.join(lowered[n] for n in near)}?"
    if known and len(known) <= 10:
        return f"there is no {name} in it; there are {', '.join(known)}"
    return f"there is no {name} in it"
