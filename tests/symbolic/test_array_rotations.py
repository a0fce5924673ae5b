"""SciPy's rotations of traced values, where the class is Python's own (SciPy 1.17 and later)."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from symbolic.namespace import _PYTHON_CLASS
from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees

pytestmark = pytest.mark.skipif(
    not Rotation.__flags__ & _PYTHON_CLASS,
    reason="before SciPy 1.17 Rotation is a compiled class, whose methods cannot be replaced",
)

RNG = np.random.default_rng(14)
VECTOR, VECTORS = RNG.normal(size=3), RNG.normal(size=(2, 3))
QUATERNION, QUATERNIONS = RNG.normal(size=4), RNG.normal(size=(2, 4))
KNOWN = Rotation.from_rotvec([0.1, 0.2, -0.3])
MARKER = np.array([0.3, -0.5, 1.0])
R = Rotation


@pytest.mark.parametrize("v", [VECTOR, VECTORS, np.zeros(3), 1e-5 * VECTOR])
@pytest.mark.parametrize(
    "function",
    [
        lambda v: R.from_rotvec(v).as_matrix(),
        lambda v: R.from_rotvec(v).as_quat(),
        lambda v: R.from_rotvec(v, degrees=True).apply(MARKER),
        lambda v: R.from_rotvec(v).as_rotvec(),
        lambda v: R.from_euler("xyz", v).as_matrix(),
        lambda v: R.from_euler("ZYX", v, degrees=True).as_quat(),
        lambda v: (R.from_rotvec(v) * KNOWN).as_matrix(),
        lambda v: (KNOWN * R.from_rotvec(v)).inv().apply(MARKER, inverse=True),
        lambda v: KNOWN.apply(v) + KNOWN.apply(v, inverse=True),
        lambda v: R.from_rotvec(np.array([0.1, 0.2, 0.3])).apply(v),
    ],
)
def test_vectors(function, v):
    agrees(function, v)


@pytest.mark.parametrize("q", [QUATERNION, QUATERNIONS])
@pytest.mark.parametrize(
    "function",
    [
        lambda q: R.from_quat(q).as_matrix(),
        lambda q: R.from_quat(q, scalar_first=True).as_quat(scalar_first=True),
        lambda q: R.from_quat(q).as_rotvec(degrees=True),
        lambda q: R.from_quat(q).magnitude(),
    ],
)
def test_quaternions(function, q):
    agrees(function, q)


def test_one_and_several():
    agrees(lambda v, w: R.from_rotvec(v).apply(w), VECTOR, VECTORS)
    agrees(lambda v, w: R.from_rotvec(v).apply(w), VECTORS, VECTORS)
    agrees(lambda v: R.from_rotvec(v)[1].apply(MARKER), VECTORS)
    agrees(lambda t: R.from_euler("z", t).as_matrix(), np.float64(0.4))


def test_the_class_is_as_it_was():
    trace(lambda v: R.from_rotvec(v).as_matrix(), [VECTOR])
    assert isinstance(vars(R)["from_rotvec"], staticmethod)
    assert KNOWN.from_rotvec(VECTOR).single


def test_what_is_not_supported():
    with pytest.raises(TraceError, match="as_euler of a traced rotation"):
        trace(lambda v: R.from_rotvec(v).as_euler("xyz"), [VECTOR])
    with pytest.raises(TraceError, match="canonical"):
        trace(lambda v: R.from_rotvec(v).as_quat(canonical=True), [VECTOR])
