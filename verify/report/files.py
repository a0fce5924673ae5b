"""Writing result files so that no reader ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path


def problem(destination: str) -> str | None:
    """Why a file cannot be written there, known before an hour of work is lost; or None."""
    if destination == "-":
        return None
    path = Path(destination)
    if path.is_dir():
        return f"{destination} is a directory"
    if not path.absolute().parent.is_dir():
        return f"there is no directory {path.parent}"
    return None


def write(destination: str, text: str) -> None:
    """Write `text` to a file, all of it or nothing; ``-`` is standard output.

    Something that is not a regular file (``/dev/stderr``, a pipe) is written to directly.
    """
    if destination == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = Path(destination).resolve()  # a symbolic link stays one
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
