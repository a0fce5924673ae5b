"""Complex arguments and outputs: wrong rules are refuted, their right twins are not."""

import numpy as np
import pytest
import sympy as sp

from autodiff import Function
from symbolic.tracing import nodes, symbol_array
from symbolic.values import Trace
from verify import check
from verify.examples import declared
from verify.realified import _join, prepared
from verify.subject import as_subject

Z = np.array([1.5 + 0.5j, -0.25 + 2.0j])
W = np.array([0.5 - 1.0j, 1.25 + 0.75j])
M = np.array([[1.5 + 0.5j, -0.25 + 2.0j], [0.75 - 1.0j, 0.5j]])
N = np.array([[0.5, 1.0 - 1.0j], [-1.0 + 0.25j, 2.0]])
TURN = 0.6 + 0.8j


def halved(x, g):
    """The adjoint of the half transform: the bins that were cut off have no gradient."""
    n = x.shape[0]
    full = np.concatenate([g, np.zeros(n - g.shape[0], g.dtype)])
    return np.real(np.fft.fft(np.conjugate(full)))


def irfft_rule(z, g, doubled=True):
    half = np.fft.rfft(g, norm="forward")
    return half * np.array([1.0, 2.0, 1.0]) if doubled else half


def unit(z):
    size = np.abs(z)
    return z / np.where(size == 0, 1.0, size)


# What it is: forward, arguments, the right pullback, the wrong one.
RULES = {
    "mul": (
        lambda z, w: z * w,
        (Z, W),
        lambda z, w, g: (g * np.conj(w), g * np.conj(z)),
        lambda z, w, g: (g * w, g * z),
    ),
    "mul, one conjugate forgotten": (
        lambda z, w: z * w,
        (Z, W),
        lambda z, w, g: (g * w.conj(), g * z.conj()),
        lambda z, w, g: (g * w.conj(), g * z),
    ),
    "matmul": (
        lambda z, w: z @ w,
        (M, N),
        lambda z, w, g: (g @ w.conj().T, z.conj().T @ g),
        lambda z, w, g: (g @ w.T, z.T @ g),
    ),
    "div": (
        lambda z, w: z / w,
        (Z, W),
        lambda z, w, g: (g / w.conj(), -g * (z / (w * w)).conj()),
        lambda z, w, g: (g / w.conj(), -g * z / (w * w)),
    ),
    "abs": (
        np.abs,
        (Z,),
        lambda z, g: g * unit(z),
        lambda z, g: g * unit(np.conj(z)),
    ),
    "abs, its real part alone": (
        np.abs,
        (Z,),
        lambda z, g: g * unit(z),
        lambda z, g: g * unit(z).real,
    ),
    "squared modulus": (
        lambda z: (z * np.conj(z)).real,
        (Z,),
        lambda z, g: 2 * g * z,
        lambda z, g: g * z,
    ),
    "angle": (
        np.angle,
        (Z,),
        lambda z, g: g * 1j * z / (z.real**2 + z.imag**2),
        lambda z, g: g * 1j / z,
    ),
    "exp": (
        np.exp,
        (Z,),
        lambda z, g: g * np.conj(np.exp(z)),
        lambda z, g: g * np.exp(z),
    ),
    "log": (
        np.log,
        (Z,),
        lambda z, g: g / np.conj(z),
        lambda z, g: g / z,
    ),
    "cube": (
        lambda z: z**3,
        (Z,),
        lambda z, g: 3 * g * np.conj(z) ** 2,
        lambda z, g: 3 * g * np.abs(z) ** 2,
    ),
    "conj": (
        np.conj,
        (Z,),
        lambda z, g: np.conj(g),
        lambda z, g: g,
    ),
    "imag": (
        np.imag,
        (Z,),
        lambda z, g: 1j * g,
        lambda z, g: -1j * g,
    ),
    "turned reals": (
        lambda x: x * TURN,
        ((2,),),
        lambda x, g: (g * np.conj(TURN)).real,
        lambda x, g: (g * TURN).real,
    ),
    "turned reals, the imaginary part of g dropped": (
        lambda x: x * TURN,
        ((2,),),
        lambda x, g: (g * np.conj(TURN)).real,
        lambda x, g: g.real * TURN.real,
    ),
    "polar": (
        lambda r, t: r * np.exp(1j * t),
        ((2,), (2,)),
        lambda r, t, g: ((g * np.exp(-1j * t)).real, (g * -1j * r * np.exp(-1j * t)).real),
        lambda r, t, g: ((g * np.exp(-1j * t)).real, (g * 1j * r * np.exp(-1j * t)).real),
    ),
    "fft": (
        np.fft.fft,
        (Z,),
        lambda z, g: np.fft.ifft(g, norm="forward"),
        lambda z, g: np.fft.ifft(g),
    ),
    "fft, ortho": (
        lambda z: np.fft.fft(z, norm="ortho"),
        (Z,),
        lambda z, g: np.fft.ifft(g, norm="ortho"),
        lambda z, g: np.fft.ifft(g, norm="forward"),
    ),
    "fft, forward": (
        lambda z: np.fft.fft(z, norm="forward"),
        (Z,),
        lambda z, g: np.fft.ifft(g),
        lambda z, g: np.fft.ifft(g, norm="forward"),
    ),
    "fft of reals": (
        np.fft.fft,
        ((3,),),
        lambda x, g: np.fft.ifft(g, norm="forward").real,
        lambda x, g: np.fft.ifft(g.real, norm="forward").real,
    ),
    "fft, its imaginary part dropped": (
        np.fft.fft,
        (Z,),
        lambda z, g: np.fft.ifft(g, norm="forward"),
        lambda z, g: np.fft.ifft(g, norm="forward").real,
    ),
    "fft, the transform itself for its adjoint": (
        np.fft.fft,
        (np.array([*Z, 1j]),),
        lambda z, g: np.fft.ifft(g, norm="forward"),
        lambda z, g: np.fft.fft(g),
    ),
    "rfft, its inverse for its adjoint": (
        np.fft.rfft,
        ((4,),),
        halved,
        lambda x, g: np.fft.irfft(g, x.shape[0], norm="forward"),
    ),
    "irfft": (
        lambda z: np.fft.irfft(z, norm="backward"),
        (np.array([*Z, 0.75 - 1.0j]),),
        irfft_rule,
        lambda z, g: irfft_rule(z, g, False),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_right_rule_is_proved_and_its_lie_is_refuted(name):
    function, arguments, right, lie = RULES[name]
    report = check(function, vjp=right, examples=[arguments], max_ulps=16)
    assert report.verdict.value == "proved", str(report)
    report = check(function, vjp=lie, examples=[arguments])
    assert report.verdict.value == "refuted", str(report)
    assert report.blame == "backward"


def test_the_parts_of_arguments_and_gradients_are_named():
    report = check(lambda z: z * z, vjp=lambda z, g: 2 * g * z, examples=[(Z,)])
    assert set(report.counterexample.inputs) == {"z.real", "z.imag"}
    assert report.argument in ("z.real", "z.imag")
    assert "grad_output.real" in report.derivative


class Shifted(Function):
    """Several outputs, of which one is complex, and a real argument beside a complex one."""

    examples = [(Z, (2,), {"shift": 1})]

    @staticmethod
    def forward(ctx, z, x, *, shift):
        ctx.save_for_backward(z, x)
        return z * x, np.abs(z) ** 2 + shift

    @staticmethod
    def backward(ctx, a, b):
        z, x = ctx.saved_tensors
        return a * x + 2 * b * z, np.real(a * np.conjugate(z))

    @staticmethod
    def formula(z, x, *, shift):
        return z * x, np.abs(z) ** 2 + shift


class NoReal(Shifted):
    """A real argument has a real gradient."""

    @staticmethod
    def backward(ctx, a, b):
        z, x = ctx.saved_tensors
        return a * x + 2 * b * z, a * np.conjugate(z)


class OneShort(Shifted):
    @staticmethod
    def backward(ctx, a, b):
        return Shifted.backward(ctx, a, b)[0]


class Writes(Shifted):
    """The upstream gradient is not backward's to write to."""

    @staticmethod
    def backward(ctx, a, b):
        z, x = ctx.saved_tensors
        gradient = np.real(a * np.conjugate(z))
        a *= x
        return a + 2 * b * z, gradient


class WritesSaved(Shifted):
    @staticmethod
    def backward(ctx, a, b):
        z, x = ctx.saved_tensors
        gradient = np.real(a * np.conjugate(z))
        z *= 2
        return a * x + b * z, gradient


class WrongFormula(Shifted):
    @staticmethod
    def formula(z, x, *, shift):
        return np.conjugate(z) * x, np.abs(z) ** 2 + shift


def test_complex_and_real_arguments_and_outputs_mix():
    report = check(Shifted)
    assert report.verdict.value == "proved", str(report)
    assert {f.evidence for f in report.findings} >= {"formula", "proof", "oracle", "contract"}
    assert report.scope == "at every shape"
    (example,) = declared(as_subject(Shifted), None, None)
    assert example.describe() == "z complex (2,), x (2,), shift=1"
    assert example.size == 6


def test_the_second_order_is_differentiated_through_the_parts():
    report = check(Shifted, order=2)
    assert report.verdict.value == "proved", str(report)
    assert any(f.evidence == "second_order" and f.status == "pass" for f in report.findings)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (NoReal, "the gradient of x is complex"),
        (OneShort, "backward returned 1 gradient"),
        (Writes, "writes to the upstream gradient"),
        (WritesSaved, "writes to the argument z.real"),
    ],
)
def test_the_contract_holds_for_complex_numbers(function, words):
    report = check(function)
    assert report.verdict.value == "refuted", str(report)
    assert words in str(report)


def test_a_wrong_complex_formula_is_blamed():
    report = check(WrongFormula)
    assert report.verdict.value == "refuted", str(report)
    assert report.blame == "formula"


class Logarithm(Function):
    elementwise = True
    examples = [(Z,), (2 - 0.5j,), ([1j, 2.0],)]

    @staticmethod
    def forward(ctx, z):
        z = np.asarray(z)
        ctx.save_for_backward(z)
        return np.log(z)

    @staticmethod
    def backward(ctx, grad):
        (z,) = ctx.saved_tensors
        return grad / np.conjugate(z)

    @staticmethod
    def formula(z):
        return sp.log(z)


def test_arrays_lists_and_numbers_are_taken():
    report = check(Logarithm)
    assert report.verdict.value == "proved", str(report)
    assert report.scope == "at every shape"


def test_single_precision_stays_single():
    subject = as_subject(np.log, vjp=lambda z, g: g / z.conj())
    (example,) = declared(subject, [(Z.astype(np.complex64),)], None)
    made, instance, _ = prepared(subject, example, np.random.default_rng(0))
    point = instance.draw()
    _, given = made._joined(instance.arguments(point))
    assert given[0].dtype == np.complex64
    assert {g.dtype for g in instance.upstream_arrays(point)} == {np.dtype(np.float32)}
    assert {g.dtype for g in instance.run(point).outputs} == {np.dtype(np.float32)}


def test_a_gradient_that_is_real_lacks_its_imaginary_part():
    report = check(np.abs, vjp=lambda z, g: g * z.real, examples=[(Z,)])
    assert report.verdict.value == "refuted"


def test_a_missing_complex_gradient_is_refuted():
    report = check(lambda z, x: z * x, vjp=lambda z, x, g: (None, (g * z.conj()).real),
                   examples=[(Z, (2,))])  # fmt: skip
    assert report.verdict.value == "refuted", str(report)


def test_complex_numbers_inside_need_nothing():
    def energy(x):
        return np.sum(np.abs(np.exp(1j * x) + x) ** 2)

    def right(x, g):
        return g * 2 * (np.cos(x) - x * np.sin(x) + x)

    report = check(energy, vjp=right, examples=[((2,),)])
    assert report.verdict.value == "proved", str(report)
    wrong = check(energy, vjp=lambda x, g: g * 2 * (np.cos(x) + x), examples=[((2,),)])
    assert wrong.verdict.value == "refuted"


def test_the_gradient_of_a_real_value_in_complex_numbers():
    def loss(z):
        return np.sum(np.abs(z) ** 2)

    assert check(loss, grad=lambda z: 2 * z, examples=[(Z,)]).verdict.value == "proved"
    assert check(loss, grad=lambda z: 2 * z.conj(), examples=[(Z,)]).verdict.value == "refuted"


def test_jacobians_of_complex_numbers_are_refused():
    with pytest.raises(TypeError, match=r"jac: .* has complex outputs.* give vjp="):
        check(lambda z: z * z, jac=lambda z: np.diag(2 * z), examples=[(Z,)])
    with pytest.raises(TypeError, match=r"jac: .* has complex arguments"):
        check(np.abs, jac=lambda z: np.diag(z), examples=[(Z,)])
    with pytest.raises(TypeError, match=r"grad: .* has complex outputs"):
        check(lambda x: x * 1j, grad=lambda x: 1j, examples=[(1.0,)])


def test_a_sampler_may_draw_complex_numbers():
    seen = []

    def disc(rng, shape):
        return rng.uniform(0, 0.5, shape) * np.exp(1j * rng.uniform(-1, 1, shape))

    def inside(z):
        seen.append(np.max(np.abs(z)))
        return 1 / (1 - z)

    report = check(
        inside,
        vjp=lambda z, g: g / (1 - z.conj()) ** 2,
        examples=[(np.array([0.25 + 0.1j]),)],
        domain={"z": disc},
    )
    assert report.ok, str(report)


def test_reals_are_left_alone():
    subject = as_subject(np.sin, vjp=lambda x, g: g * np.cos(x))
    (example,) = declared(subject, [((2,),)], None)
    same, instance, _ = prepared(subject, example, np.random.default_rng(0))
    assert same is subject
    assert [p.name for p in instance.upstream] == ["grad_output"]


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        np.asfortranarray,
        lambda a: a[::-1, ::-1],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.broadcast_to(a[:1, :1], a.shape),
        lambda a: a[:0],
        lambda a: a[0, 0:1].reshape(()),
    ],
)
def test_a_complex_array_has_the_layout_of_its_parts(make):
    re, im = make(np.array([[1.0, -0.0], [np.inf, 2.0]])), make(np.array([[-0.0, 1.0], [0.5, 3.0]]))
    z = _join(re, im)
    assert z.real.tobytes() == re.tobytes()
    assert z.imag.tobytes() == im.tobytes()
    assert z.flags.writeable == re.flags.writeable
    if re.size:
        assert z.strides == tuple(2 * s for s in re.strides)


def test_a_traced_pair_is_one_complex_array():
    trace = Trace()
    re, im = (symbol_array(trace, n, np.array([1.0, 2.0])) for n in ("re", "im"))
    z = _join(re, im)
    assert z.dtype == complex
    assert z.shape == (2,)
    assert list(nodes(z.real, trace.graph)) == list(nodes(re, trace.graph))
    assert list(nodes(z.imag, trace.graph)) == list(nodes(im, trace.graph))
