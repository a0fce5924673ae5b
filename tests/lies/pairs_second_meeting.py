"""Where many pieces meet, constants cancel, or a parameter goes to zero: right ones, and digits lost in a parameter."""
# ruff: noqa: E501

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, f, why, kind="cells", **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


_A = np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])


_B = np.array([[1.0, 0.3], [-1.0, 2.0], [0.2, -1.5], [2.5, 1.0]])


def second_largest(x):
    return np.sort(_B @ x)[-2]


def second_largest_grad(x):
    return _B[np.argsort(_B @ x, kind="stable")[-2]]


right("second largest of four scores", second_largest, "not convex: at zero all four tie", grad=second_largest_grad, examples=[((2,),)])


def max_min(x):
    s = _A @ x
    return max(min(s[0], s[1]), min(s[2], s[3]))


def max_min_grad(x):
    s = _A @ x
    i, j = (0 if s[0] <= s[1] else 1), (2 if s[2] <= s[3] else 3)
    return _A[i] if s[i] >= s[j] else _A[j]


right("maximum of minima", max_min, "a saddle of pieces at zero", grad=max_min_grad, examples=[((2,),)])


def difference_of_maxima(x):
    return (_A @ x).max() - (_A[::-1] * [0.5, 2.0] @ x).max()


def difference_of_maxima_grad(x):
    B = _A[::-1] * [0.5, 2.0]
    return _A[(_A @ x).argmax()] - B[(B @ x).argmax()]


right("difference of two maxima", difference_of_maxima, "both tie at zero: the pair of pieces that is taken there need not have an interior", grad=difference_of_maxima_grad, examples=[((2,),)])


def range_of(x):
    return x.max() - x.min()


def range_grad(x):
    out = np.zeros_like(x)
    out[x.argmax()] += 1
    out[x.argmin()] -= 1
    return out


right("range of entries", range_of, "constant arrays: the same entry is largest and smallest, the gradient zero", grad=range_grad, examples=[((3,),), ((2,),)])


def sorted_gaps(x):
    return np.sum(np.diff(np.sort(x)) ** 2)


def sorted_gaps_grad(x):
    order = np.argsort(x, kind="stable")
    d = np.diff(x[order])
    out = np.zeros_like(x)
    out[order] = 2 * (np.concatenate([[0.0], d]) - np.concatenate([d, [0.0]]))
    return out


right("gaps of sorted entries", sorted_gaps, "ties exchange two entries", grad=sorted_gaps_grad, examples=[((4,),)])


def trimmed_mean(x):
    return np.sort(x * _w)[1:-1].mean()


_w = np.array([0.1, 0.2, 0.3, 0.6])


def trimmed_mean_grad(x):
    order = np.argsort(x * _w, kind="stable")[1:-1]
    out = np.zeros_like(x)
    out[order] = _w[order] / 2
    return out


right("trimmed mean of products", trimmed_mean, "products tie within rounding", grad=trimmed_mean_grad, examples=[((4,),)])

right("weights that sum to zero", lambda x: np.sum(_w[:3] * x * [1, 1, -1]) ** 2 + np.sum(_w[:3] * [1, 1, -1]) * x.max(), "0.1 + 0.2 - 0.3 is 5.6e-17 in floats and zero in numbers", kind="floats", grad=lambda x: 2 * np.sum(_w[:3] * x * [1, 1, -1]) * _w[:3] * [1, 1, -1], examples=[((3,),)])
right("a stencil whose weights cancel", lambda x: np.sum((0.7 * x[:-2] - 0.1 * x[1:-1] - 0.6 * x[2:]) ** 2), "zero for constants, in numbers", kind="floats", grad=lambda x: 2 * np.convolve(0.7 * x[:-2] - 0.1 * x[1:-1] - 0.6 * x[2:], [-0.6, -0.1, 0.7][::-1]), examples=[((3,),), ((5,),)])


def averaged(x):
    """A convex combination of entries, less one of them."""
    return np.tanh(0.1 * x[0] + 0.2 * x[0] + 0.7 * x[1] - 0.3 * x[0])


right("a coefficient that cancels", averaged, "the first entry drops out in numbers, not in floats", kind="floats", grad=lambda x: np.array([(0.1 + 0.2 - 0.3), 0.7]) / np.cosh(0.7 * x[1]) ** 2, examples=[((2,),)])


def softplus_sharp(x, beta):
    return special.log1p(np.exp(-np.abs(beta * x))) / beta + np.maximum(x, 0)


def softplus_sharp_vjp(x, beta, grad_output):
    z = beta * x
    s = special.expit(z)
    return grad_output * s, grad_output * (special.xlogy(s, s) + special.xlogy(1 - s, special.expit(-z))) / beta**2


def softplus_sharp_vjp_naive(x, beta, grad_output):
    z = beta * x
    y = np.log1p(np.exp(z))
    return grad_output * special.expit(z), grad_output * (x * special.expit(z) / beta - y / beta**2)


pair("softplus: slope in its sharpness", "floats", softplus_sharp, softplus_sharp_vjp, softplus_sharp_vjp_naive, "overflows for large arguments and loses all digits for sharp ones", how="vjp", examples=[((), ())], domain=[(0, 1e4), (0.1, 100)])


def box_cox(x, lam):
    return special.boxcox(x, lam)


def box_cox_vjp_naive(x, lam, grad_output):
    t = np.log(x)
    return grad_output * x ** (lam - 1), grad_output * (x**lam * (lam * t - 1) + 1) / lam**2


def box_cox_vjp(x, lam, grad_output):
    t = np.log(x)
    z = lam * t
    small = np.abs(z) < 0.03
    s = np.where(small, 1.0, z)
    phi = np.where(small, 0.5 + z / 3 + z * z / 8 + z**3 / 30 + z**4 / 144 + z**5 / 840 + z**6 / 5760, (s * np.exp(s) - np.expm1(s)) / (s * s))
    return grad_output * np.exp((lam - 1) * t), grad_output * t * t * phi


pair("box-cox: slope in its exponent", "floats", box_cox, box_cox_vjp, box_cox_vjp_naive, "nothing is left for exponents near zero", how="vjp", examples=[((), ())], domain=[(0.5, 50), (0, 2)])


def slope_between(x, h):
    """A divided difference of the exponential."""
    return np.exp(x) * np.expm1(h) / h


def slope_between_grad(x, h, naive=False):
    y = slope_between(x, h)
    if naive:
        return y, np.exp(x) * (h * np.exp(h) - np.expm1(h)) / h**2
    return y, np.exp(x) * (0.5 + h / 3 + h * h / 8 + h**3 / 30 + h**4 / 144 + h**5 / 840 + h**6 / 5760 if abs(h) < 0.03 else (h * np.exp(h) - np.expm1(h)) / h**2)


pair("divided difference: step to zero", "floats", slope_between, slope_between_grad, lambda x, h: slope_between_grad(x, h, True), "the difference of h e^h and e^h - 1 over h^2", examples=[((), ())], domain=[(-3, 3), (0, 2)])


def curvature(x, k):
    """Arc of curvature k over the length x: (1 - cos(k x)) / k."""
    return 2 * np.sin(k * x / 2) ** 2 / k


def curvature_grad(x, k):
    z = k * x
    small = abs(z) < 0.05
    d = x * x * (0.5 - z * z / 8 + z**4 / 144 - z**6 / 5760) if small else (z * np.sin(z) - 2 * np.sin(z / 2) ** 2) / k**2
    return np.sin(z), d


def curvature_grad_naive(x, k):
    return np.sin(k * x), x * np.sin(k * x) / k - (1 - np.cos(k * x)) / k**2


pair("arc: slope in its curvature", "floats", curvature, curvature_grad, curvature_grad_naive, "1 - cos has no digits for a small curvature", examples=[((), ())], domain=[(0.1, 10), (0, 2)])


def relu_squared(x):
    return np.maximum(x @ _w, 0) ** 2


right("squared hinge of a sum", relu_squared, "the slope is continuous, written with a mask", grad=lambda x: 2 * np.where(x @ _w > 0, x @ _w, 0) * _w, examples=[((4,),)])


def cross(x):
    """Three lines through one point of the plane, absolute values."""
    return abs(x[0]) + abs(x[1]) - abs(x[0] - x[1])


right("moduli with opposite signs", cross, "signs of zero are zero, all at once: the centre of the generalised gradient", grad=lambda x: np.array([np.sign(x[0]) - np.sign(x[0] - x[1]), np.sign(x[1]) + np.sign(x[0] - x[1])]), examples=[((2,),)])


def median_of_scores(x):
    return np.median(_A[:3] @ x)


def median_of_scores_grad(x):
    return _A[np.argsort(_A[:3] @ x, kind="stable")[1]]


right("median of three scores", median_of_scores, "at zero all tie", grad=median_of_scores_grad, examples=[((2,),)])
