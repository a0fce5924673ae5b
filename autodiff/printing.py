"""How tensors print: torch's algorithm (precision, width, scientific notation, summary)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autodiff.tensor import Tensor

__all__ = ["PrintOptions", "options", "set_printoptions", "tensor_text"]


class PrintOptions:
    """What `set_printoptions` sets."""

    def __init__(self) -> None:
        self.precision: int = 4
        self.threshold: float = 1000
        self.edgeitems: int = 3
        self.linewidth: int = 80
        self.sci_mode: bool | None = None


options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print.

    Parameters
    ----------
    precision : int, optional
        Digits after the point (4 at the start).
    threshold : float, optional
        Number of elements above which the middle is left out (1000).
    edgeitems : int, optional
        How many entries are shown at each end then (3).
    linewidth : int, optional
        Characters in a line (80).
    sci_mode : bool, optional
        Scientific notation always or never; ``None`` decides by the values.
    """
    if precision is not None:
        options.precision = precision
    if threshold is not None:
        options.threshold = threshold
    if edgeitems is not None:
        options.edgeitems = edgeitems
    if linewidth is not None:
        options.linewidth = linewidth
    options.sci_mode = sci_mode


class _Formatter:
    """Give all the entries of an array one form and one width."""

    def __init__(self, array: Any) -> None:
        self.floating = array.dtype.kind == "f"
        self.whole = True
        self.scientific = False
        self.width = 1
        if self.floating:
            self._fit_floats(array.astype(np.float64, copy=False).ravel())
        else:
            self.width = max([self.width, *[len(str(value)) for value in array.ravel().tolist()]])

    def _fit_floats(self, values: Any) -> None:
        shown = values[np.isfinite(values) & (values != 0)]
        if not shown.size:
            return
        low, high = np.abs(shown).min(), np.abs(shown).max()
        self.whole = bool((shown == np.ceil(shown)).all())
        with np.errstate(over="ignore"):
            self.scientific = bool(high / low > 1000.0 or high > 1.0e8)
        if not self.whole:
            self.scientific = self.scientific or bool(low < 1.0e-4)
        if options.sci_mode is not None:
            self.scientific = options.sci_mode
        self.width = max(len(self._number(value)) for value in shown.tolist())

    def _number(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if self.whole:
            text = f"{value:.0f}"
            return text if math.isinf(value) or math.isnan(value) else text + "."
        return f"{value:.{options.precision}f}"

    def __call__(self, value: Any) -> str:
        text = self._number(value) if self.floating else str(value)
        return text.rjust(self.width)


class _ComplexFormatter:
    def __init__(self, array: Any) -> None:
        self.real, self.imaginary = _Formatter(array.real), _Formatter(array.imag)
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, value: complex) -> str:
        real, imaginary = self.real(value.real), self.imaginary(value.imag).lstrip() + "j"
        return real + ("+" if imaginary[0] not in "+-" else "") + imaginary


def _scalar(array: Any) -> str:
    form: Any = _ComplexFormatter(array) if array.dtype.kind == "c" else _Formatter(array)
    return form(array.item()).strip() if array.dtype.kind == "c" else form(array.item())  # type: ignore[no-any-return]


def _vector(array: Any, indent: int, summarize: bool, form: Any) -> str:
    per_line = max(1, (options.linewidth - indent) // (form.width + 2))
    edge = options.edgeitems
    values = array.tolist()
    if summarize and not edge:
        entries = ["..."]
    elif summarize and len(values) > 2 * edge:
        entries = [form(v) for v in values[:edge]] + [" ..."] + [form(v) for v in values[-edge:]]
    else:
        entries = [form(value) for value in values]
    lines = [", ".join(entries[i : i + per_line]) for i in range(0, len(entries), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines or [""]) + "]"


def _nested(array: Any, indent: int, summarize: bool, form: Any) -> str:
    if array.ndim == 1:
        return _vector(array, indent, summarize, form)
    edge = options.edgeitems
    if summarize and len(array) > 2 * edge:
        slices = [_nested(part, indent + 1, summarize, form) for part in array[:edge]]
        slices.append("...")
        slices += [_nested(part, indent + 1, summarize, form) for part in array[-edge:]]
    else:
        slices = [_nested(part, indent + 1, summarize, form) for part in array]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(slices) + "]"


def _edges(array: Any) -> Any:
    """Return the entries that a summary shows: they alone decide the form."""
    edge = options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * edge:
            keep = [*range(edge), *range(length - edge, length)]
            array = array.take(keep, axis)
    return array


def tensor_text(tensor: Tensor) -> str:
    """Return what ``repr`` gives for a tensor."""
    data = tensor._data
    suffixes = []
    prefix = "tensor("
    indent = len(prefix)
    if not isinstance(data, (np.ndarray, np.generic)):
        body = str(data)
    else:
        data = np.asarray(data)
        if data.dtype.kind == "f" and data.dtype.itemsize > 8:
            data = data.astype(np.float64)
        if data.size == 0:
            body = "[]"
            if data.ndim != 1:
                suffixes.append(f"size={tuple(data.shape)}")
        elif data.ndim == 0:
            body = _scalar(data)
        else:
            summarize = data.size > options.threshold
            shown = _edges(data) if summarize else data
            form: Any = _ComplexFormatter(shown) if data.dtype.kind == "c" else _Formatter(shown)
            body = _nested(data, indent, summarize, form)
        if tensor.dtype not in (np.float64, np.bool_, np.int64) or (
            data.size == 0 and tensor.dtype != np.float64
        ):
            suffixes.append(f"dtype={tensor.dtype}")
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(tensor.grad_fn).__name__}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + body
    last_line = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last_line + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent + suffix
            last_line = indent + len(suffix)
        else:
            text += ", " + suffix
            last_line += len(suffix) + 2
    return text + ")"
