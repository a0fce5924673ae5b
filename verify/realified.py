"""Complex arguments and outputs: a complex subject is a real one with twice the entries.

The convention is torch's: for a real loss L the gradient of a complex z is dL/dRe(z) + i dL/dIm(z),
and the upstream gradient of a complex output is given likewise. So :class:`Realified` takes the
real and the imaginary part of each complex argument as arguments of their own, gives the parts of
each complex output as outputs, and everything else is what it is for real numbers.

May import: :mod:`verify.subject`, :mod:`verify.examples`, :mod:`verify.instance`, :mod:`autodiff`,
:mod:`symbolic.array`, :mod:`symbolic.formulas`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbolic.array import complex_array, is_traced
from symbolic.tracing import asarray
from verify.domains import Domain, reals
from verify.examples import Example, Slot
from verify.instance import FloatRun, Instance
from verify.subject import (
    BadResult,
    FunctionSubject,
    PairSubject,
    Pullback,
    Subject,
)

__all__ = ["Realified", "prepared"]


def prepared(
    subject: Subject, example: Example, rng: np.random.Generator
) -> tuple[Subject, Instance, FloatRun]:
    """The subject that is checked at an example, its instance, and its first run.

    The subject is the given one where everything is real, else a :class:`Realified`.

    Raises
    ------
    TypeError
        For a Jacobian of complex arguments or outputs, and a gradient of a complex value.
    """
    subject = subject.inner if isinstance(subject, Realified) else subject
    complex_arguments = [slot.is_complex for slot in example.slots]
    outputs: list[bool] = []
    if not any(complex_arguments):
        instance = Instance(subject, example, rng)
        run = instance.prepare()
        outputs = [o.dtype.kind == "c" for o in run.outputs]
        if run.forward_error is not None or not any(outputs):
            return subject, instance, run
    else:
        example = _parted(example)
        trial = Instance(Realified(subject, complex_arguments, None), example, rng).prepare()
        outputs = [o.dtype.kind == "c" for o in trial.outputs]
    _refuse(subject, complex_arguments, outputs)
    made = Realified(subject, complex_arguments, outputs)
    instance = Instance(made, example, rng)
    run = instance.prepare()
    _name_upstream(instance, outputs)
    return made, instance, run


def _parted(example: Example) -> Example:
    """The example with a slot for each part of each complex argument."""
    slots: list[Slot] = []
    for slot in example.slots:
        if not slot.is_complex:
            slots.append(slot)
            continue
        base = np.asarray(slot.fixed)
        # An interval is one of real numbers; a sampler may give complex ones.
        sampled = not slot.domain.free
        for name in ("real", "imag"):
            part = getattr(base, name)
            slots.append(
                Slot(
                    f"{slot.name}.{name}",
                    base.shape,
                    _part_of(slot.domain, name) if sampled else reals,
                    part,
                    dtype=part.dtype,
                    scalar=type(slot.fixed) is complex,
                )
            )
    return replace(example, slots=tuple(slots))


def _part_of(domain: Domain, name: str) -> Domain:
    def sampler(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return getattr(np.asarray(domain.sampler(rng, shape)), name)

    return Domain(f"the {name} part of {domain.name}", sampler, free=False)


def _refuse(subject: Subject, arguments: Sequence[bool], outputs: Sequence[bool]) -> None:
    """An error for the derivatives that have no meaning, or none that is agreed on."""
    if not isinstance(subject, PairSubject) or subject.kind == "vjp":
        return
    if subject.kind == "grad" and not any(outputs):
        return  # the gradient of a real value in a complex argument has one meaning
    what = "outputs" if any(outputs) else "arguments"
    raise TypeError(
        f"{subject.kind}: {subject.name} has complex {what}, and the Jacobian of complex numbers "
        "means different things to different people; give vjp=, in which the gradient of a complex "
        "number is that in its real part plus i times that in its imaginary part"
    )


def _name_upstream(instance: Instance, complex_outputs: Sequence[bool]) -> None:
    """``grad_output.real`` in place of ``grad_output0``."""
    several = len(complex_outputs) > 1
    names: list[str] = []
    for i, is_complex in enumerate(complex_outputs):
        name = f"grad_output{i}" if several else "grad_output"
        names += [f"{name}.real", f"{name}.imag"] if is_complex else [name]
    instance.upstream = [replace(p, name=names[p.position]) for p in instance.upstream]
    instance.names = [
        piece.label(i)
        for piece in [*instance.pieces, *instance.upstream]
        for i in range(piece.size)
    ]


class Realified(Subject):
    """A subject whose complex arguments and outputs are given as real and imaginary parts.

    Parameters
    ----------
    inner : Subject
    arguments : sequence of bool
        Which of the inner subject's positional arguments are complex.
    outputs : sequence of bool, optional
        Which of its outputs are; where it is missing outputs are left as they are.
    """

    def __init__(self, inner: Subject, arguments: Sequence[bool], outputs: Sequence[bool] | None):
        self.inner = inner
        self.complex_arguments = list(arguments)
        self.complex_outputs = outputs
        super().__init__(self._on_tensors, inner.name, self._on_tensors)
        self.arguments = []
        for i, is_complex in enumerate(arguments):
            name = inner.name_of(i)
            self.arguments += [f"{name}.real", f"{name}.imag"] if is_complex else [name]
        self.variadic = None
        self.second_order = inner.second_order
        if inner.formula is not None and outputs is not None:
            self.formula = self._formula

    @property
    def code(self) -> list[Callable[..., Any]]:
        return self.inner.code

    @property
    def location(self) -> tuple[str, int] | None:
        return self.inner.location

    # Arrays

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        pairs, given = self._joined(args)
        outputs, pullback = self.inner.forward(given, keywords)
        _write_back(pairs)
        outputs = tuple(outputs)
        split = self._split_outputs(outputs)

        def real_pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            rest = iter(grads)
            upstream, joined = [], []
            for is_complex in self.complex_outputs or [False] * len(outputs):
                if is_complex:
                    re, im = next(rest), next(rest)
                    z = _join(re, im)
                    joined.append((re, im, z))
                    upstream.append(z)
                else:
                    upstream.append(next(rest))
            try:
                found = pullback(upstream)
            finally:
                _write_back(joined)
                _write_back(pairs)
            return self._split_gradients(tuple(found))

        return split, real_pullback

    def _joined(self, args: Sequence[Any]) -> tuple[list[tuple[Any, Any, Any]], list[Any]]:
        """The inner subject's arguments, and which of them were put together from which parts."""
        rest = iter(args)
        pairs, given = [], []
        for is_complex in self.complex_arguments:
            if is_complex:
                re, im = next(rest), next(rest)
                z = _join(re, im)
                pairs.append((re, im, z))
                given.append(z)
            else:
                given.append(next(rest))
        return pairs, given

    def _split_outputs(self, outputs: tuple) -> tuple:
        fixed = getattr(self.inner, "fixed_outputs", [False] * len(outputs))
        pattern = self.complex_outputs
        if pattern is None:
            self.fixed_outputs = list(fixed)
            return outputs
        if len(outputs) != len(pattern):
            raise BadResult(
                f"forward returned {len(outputs)} outputs, and {len(pattern)} at another point"
            )
        split: list[Any] = []
        self.fixed_outputs = []
        for output, is_complex, is_fixed in zip(outputs, pattern, fixed, strict=True):
            split += _parts(output) if is_complex else [output]
            self.fixed_outputs += [is_fixed] * (2 if is_complex else 1)
        return tuple(split)

    def _split_gradients(self, found: tuple) -> tuple:
        count = len(self.complex_arguments)
        wrong = len(found) < count or any(g is not None for g in found[count:])
        if wrong and isinstance(self.inner, FunctionSubject):
            raise BadResult(
                f"backward returned {len(found)} gradient{'s' * (len(found) != 1)}; forward takes "
                f"{count} argument{'s' * (count != 1)}, and each needs one (None where there is "
                "none)"
            )
        split: list[Any] = []
        for is_complex, gradient in zip(self.complex_arguments, found, strict=False):
            if not is_complex:
                split.append(gradient)
            elif gradient is None:
                split += [None, None]
            else:
                dense = gradient.toarray() if hasattr(gradient, "toarray") else gradient
                split += _parts(dense)
        return tuple(split)

    # Tensors: the second order differentiates what the engine recorded

    def _on_tensors(self, *args: Any, **keywords: Any) -> Any:
        import autodiff

        rest = iter(args)
        given = []
        for is_complex in self.complex_arguments:
            given.append(autodiff.complex(next(rest), next(rest)) if is_complex else next(rest))
        if isinstance(self.inner, FunctionSubject):
            result = self.inner.function.apply(*given, **keywords)
        else:
            result = self.inner.function(*given, **keywords)
        outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        split: list[Any] = []
        for output, is_complex in zip(outputs, self.complex_outputs or [], strict=True):
            split += [autodiff.real(output), autodiff.imag(output)] if is_complex else [output]
        return tuple(split)

    # SymPy

    def _formula(self, *args: Any, **keywords: Any) -> Any:
        """The inner formula on ``x + i y``, and its parts."""
        import sympy as sp

        rest = iter(args)
        given = []
        for is_complex in self.complex_arguments:
            given.append(next(rest) + sp.I * next(rest) if is_complex else next(rest))
        pattern = list(self.complex_outputs or [])
        found = self._apply(given, keywords, len(pattern))
        split: list[Any] = []
        for output, is_complex in zip(found, pattern, strict=True):
            re, im = _formula_parts(output)
            if not is_complex and any(sp.expand(e) != 0 for e in np.ravel(im)):
                raise ValueError("the formula is complex where forward is real")
            split += [re, im] if is_complex else [re]
        return tuple(split)

    def _apply(self, given: list[Any], keywords: dict[str, Any], count: int) -> tuple:
        formula = self.inner.formula
        assert formula is not None
        arrays = [g for g in given if isinstance(g, np.ndarray) and g.ndim]
        if not self.inner.elementwise or not arrays:
            try:
                result = formula(*given, **keywords)
            except Exception:  # SymPy's functions refuse arrays: it may be one of scalars
                if not arrays:
                    raise
            else:
                several = isinstance(result, tuple) and count > 1
                return tuple(result) if several else (result,)
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        wide = [np.broadcast_to(g, shape) if _is_array(g) else g for g in given]
        out = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            out[index] = formula(*(w[index] if _is_array(w) else w for w in wide), **keywords)
        return (out,)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _formula_parts(value: Any) -> tuple[np.ndarray, np.ndarray]:
    """The real and imaginary parts of a formula's result, entry by entry."""
    import sympy as sp

    from symbolic.formulas import as_objects

    array = as_objects(value)
    re, im = np.empty(array.shape, dtype=object), np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        entry = sp.sympify(array[index])
        if entry.has(sp.I) or entry.has(sp.arg, sp.re, sp.im, sp.conjugate):
            re[index], im[index] = (_real_angles(p) for p in _real_imag(entry))
        else:
            re[index], im[index] = entry, sp.Integer(0)
    return re, im


def _real_imag(expression: Any) -> tuple[Any, Any]:
    """The parts; inverse functions as logarithms, powers of numbers as exponentials."""
    import sympy as sp

    parts = expression.as_real_imag()
    if any(p.has(sp.re, sp.im) for p in parts):
        expression = expression.rewrite(sp.log).replace(
            lambda e: e.is_Pow and e.base.is_positive and e.exp.has(sp.I),
            lambda e: sp.exp(sp.expand(e.exp * sp.log(e.base))),
        )
        parts = expression.as_real_imag()
    return parts


def _real_angles(expression: Any) -> Any:
    """The angle of a complex number as that of a point of the plane."""
    import sympy as sp

    def angle(z: Any) -> Any:
        re, im = z.as_real_imag()
        return sp.atan2(im, re)

    return expression.replace(sp.arg, angle)


def _parts(value: Any) -> list[Any]:
    """The real and the imaginary part of an array, traced or not; views where they can be."""
    array = asarray(value)
    if array.dtype.kind == "c":
        return [array.real, array.imag]
    return [array, np.zeros_like(array)]


def _join(re: Any, im: Any) -> Any:
    """``re + i im``, in the memory layout of ``re``; signs of zeros and infinities are kept."""
    if is_traced(re) or is_traced(im):
        return complex_array(re, im)
    if not isinstance(re, np.ndarray):
        return complex(re, im)
    dtype = np.result_type(re.dtype, np.complex64)
    if not re.size:
        return np.empty(re.shape, dtype)
    strides = [2 * s for s in re.strides]
    reach = [s * (n - 1) for s, n in zip(strides, re.shape, strict=True)]
    first = -sum(r for r in reach if r < 0)
    span = first + sum(r for r in reach if r > 0)
    buffer = np.zeros(span // dtype.itemsize + 1, dtype)
    z = np.ndarray(re.shape, dtype, buffer, first, strides)
    z.real, z.imag = re, im
    z.flags.writeable = re.flags.writeable
    return z


def _write_back(pairs: Sequence[tuple[Any, Any, Any]]) -> None:
    """What was written to a complex array is written to its parts, where the contract looks."""
    for re, im, z in pairs:
        if isinstance(re, np.ndarray) and not is_traced(re) and z.flags.writeable:
            for part, new in ((re, z.real), (im, z.imag)):
                if part.tobytes() != new.tobytes():
                    part[...] = new
