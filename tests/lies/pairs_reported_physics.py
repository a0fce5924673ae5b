"""Energies, geometry, robots, finance and rendering: gradients reported wrong, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"reported-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


CUT = 2.5
E_CUT = 4 * (CUT**-12 - CUT**-6)
F_CUT = 4 * (12 * CUT**-13 - 6 * CUT**-7)  # minus the derivative there


def shifted_force(x):
    """Lennard-Jones on a line; energy and force both reach zero at the cutoff."""
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            r = abs(x[i] - x[j])
            if r < CUT:
                total = total + 4 * (r**-12 - r**-6) - E_CUT + (r - CUT) * F_CUT
    return total


def shifted_force_grad(x):
    g = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i):
            d = x[i] - x[j]
            r = abs(d)
            if r < CUT:
                pull = (-48 * r**-13 + 24 * r**-7 + F_CUT) * np.sign(d)
                g[i] += pull
                g[j] -= pull
    return g


def shifted_force_grad_sign(x):
    g = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i):
            d = x[i] - x[j]
            r = abs(d)
            if r < CUT:
                pull = (-48 * r**-13 + 24 * r**-7 - F_CUT) * np.sign(d)
                g[i] += pull
                g[j] -= pull
    return g


def chain(rng, shape):
    return np.cumsum(rng.uniform(0.9, 1.8, shape))


pair("lennard-jones: shifted force", "cells", shifted_force, shifted_force_grad, shifted_force_grad_sign, "the constant force has the other sign", examples=[((2,),), ((3,),)], domain={"x": chain})


def angle_energy(p, *, k=2.0, cos0=-0.5):
    """Cosine-harmonic bending of three atoms; the second is in the middle."""
    a, b = p[0] - p[1], p[2] - p[1]
    c = a @ b / np.sqrt((a @ a) * (b @ b))
    return 0.5 * k * (c - cos0) ** 2


def angle_energy_grad(p, *, k=2.0, cos0=-0.5):
    a, b = p[0] - p[1], p[2] - p[1]
    na, nb = np.sqrt(a @ a), np.sqrt(b @ b)
    c = a @ b / (na * nb)
    first = k * (c - cos0) * (b / (na * nb) - c * a / na**2)
    last = k * (c - cos0) * (a / (na * nb) - c * b / nb**2)
    return np.stack([first, -(first + last), last])


def angle_energy_grad_middle(p, *, k=2.0, cos0=-0.5):
    g = angle_energy_grad(p, k=k, cos0=cos0)
    a, b = p[0] - p[1], p[2] - p[1]
    d = np.sqrt((a @ a) * (b @ b))
    c = a @ b / d
    middle = k * (c - cos0) * (-(a + b) / d + c * (a / (a @ a) + b / (a @ a)))
    return np.stack([g[0], middle, g[2]])


pair("bending: middle atom", "algebra", angle_energy, angle_energy_grad, angle_energy_grad_middle, "one bond's length for both: right when they are equal", examples=[((3, 2),), ((3, 3),)])


def screened(q, x, *, alpha=0.8):
    """Real-space part of Ewald's sum of charges on a line."""
    total = 0.0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            r = np.abs(x[i] - x[j])
            total = total + q[i] * q[j] * special.erfc(alpha * r) / r
    return total


def screened_grad(q, x, *, alpha=0.8):
    gq, gx = np.zeros(len(q)), np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            d = x[i] - x[j]
            r = np.abs(d)
            v = special.erfc(alpha * r) / r
            gq[i] += q[j] * v
            gq[j] += q[i] * v
            f = -q[i] * q[j] * (v / r + 2 * alpha / math.sqrt(math.pi) * np.exp(-((alpha * r) ** 2)) / r) * np.sign(d)
            gx[i] += f
            gx[j] -= f
    return gq, gx


def screened_grad_gauss(q, x, *, alpha=0.8):
    gq, gx = np.zeros(len(q)), np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            d = x[i] - x[j]
            r = np.abs(d)
            v = special.erfc(alpha * r) / r
            gq[i] += q[j] * v
            gq[j] += q[i] * v
            f = -q[i] * q[j] * (v / r + 2 * alpha / math.sqrt(math.pi) * np.exp(-((alpha * r) ** 2))) * np.sign(d)
            gx[i] += f
            gx[j] -= f
    return gq, gx


pair("ewald: gaussian part", "algebra", screened, screened_grad, screened_grad_gauss, "the gaussian part lacks 1/r: right at distance one", examples=[((2,), (2,)), ((3,), np.array([0.0, 1.0, 2.5]))], domain={"x": chain})


def cosine_cutoff(r, *, rc=3.0):
    return np.where(r < rc, 0.5 * (np.cos(np.pi * r / rc) + 1), 0.0) * np.exp(-r)


def cosine_cutoff_vjp(r, grad_output, *, rc=3.0):
    f = 0.5 * (np.cos(np.pi * r / rc) + 1)
    df = -0.5 * np.pi / rc * np.sin(np.pi * r / rc)
    return grad_output * np.where(r < rc, (df - f) * np.exp(-r), 0.0)


def cosine_cutoff_vjp_mask(r, grad_output, *, rc=3.0):
    f = np.where(r < rc, 0.5 * (np.cos(np.pi * r / rc) + 1), 0.0)
    df = -0.5 * np.pi / rc * np.sin(np.pi * r / rc)
    return grad_output * (df - f) * np.exp(-r)


pair("cosine cutoff: beyond it", "cells", cosine_cutoff, cosine_cutoff_vjp, cosine_cutoff_vjp_mask, "the cutoff's derivative is not cut off", "vjp", examples=[((2,),)], domain={"r": (0, 8)})

LINKS = np.array([1.0, 0.75, 0.5])


def arm(q):
    """Tip of a planar arm of three joints."""
    a = np.cumsum(q)
    return np.array([LINKS @ np.cos(a), LINKS @ np.sin(a)])


def arm_jac(q):
    a = np.cumsum(q)
    dx, dy = -LINKS * np.sin(a), LINKS * np.cos(a)
    return np.stack([np.cumsum(dx[::-1])[::-1], np.cumsum(dy[::-1])[::-1]])


def arm_jac_forward(q):
    a = np.cumsum(q)
    dx, dy = -LINKS * np.sin(a), LINKS * np.cos(a)
    return np.stack([np.cumsum(dx)[::-1], np.cumsum(dy)[::-1]])


pair("planar arm: direction of the sum", "algebra", arm, arm_jac, arm_jac_forward, "a joint moves the links after it, not those before", "jac", examples=[((3,),)])


def haversine(lat1, lon1, lat2, lon2):
    """Angle between two places given in degrees, in kilometres on the sphere."""
    p1, l1, p2, l2 = (np.deg2rad(v) for v in (lat1, lon1, lat2, lon2))
    h = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin((l2 - l1) / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(h))


def haversine_grad(lat1, lon1, lat2, lon2):
    p1, l1, p2, l2 = (np.deg2rad(v) for v in (lat1, lon1, lat2, lon2))
    s = np.sin((l2 - l1) / 2) ** 2
    h = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * s
    k = 6371.0 / np.sqrt(h * (1 - h)) * np.pi / 180
    d_p = 0.5 * np.sin(p2 - p1)
    d_l = 0.5 * np.cos(p1) * np.cos(p2) * np.sin(l2 - l1)
    return k * (-d_p - np.sin(p1) * np.cos(p2) * s), -k * d_l, k * (d_p - np.cos(p1) * np.sin(p2) * s), k * d_l


def haversine_grad_near(lat1, lon1, lat2, lon2):
    p1, l1, p2, l2 = (np.deg2rad(v) for v in (lat1, lon1, lat2, lon2))
    g = haversine_grad(lat1, lon1, lat2, lon2)
    h = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin((l2 - l1) / 2) ** 2
    return tuple(v * np.sqrt(1 - h) for v in g)  # 2 asin(u) is taken for 2 u


pair("haversine: derivative of the arcsine", "algebra", haversine, haversine_grad, haversine_grad_near, "right for neighbouring places to many digits", examples=[(52.5, 13.4, 52.52, 13.41)], domain={"lat1": (52, 52.25), "lat2": (52.5, 52.75), "lon1": (13, 13.25), "lon2": (13.5, 13.75)})


def camera(point, k):
    """A pinhole camera with two coefficients of radial distortion."""
    u, v = point[0] / point[2], point[1] / point[2]
    r2 = u**2 + v**2
    d = 1 + k[0] * r2 + k[1] * r2**2
    return np.array([d * u, d * v])


def camera_jac(point, k):
    x, y, z = point
    u, v = x / z, y / z
    r2 = u**2 + v**2
    d = 1 + k[0] * r2 + k[1] * r2**2
    slope = 2 * (k[0] + 2 * k[1] * r2)
    inner = np.array([[d + slope * u * u, slope * u * v], [slope * u * v, d + slope * v * v]])
    projection = np.array([[1 / z, 0 * z, -u / z], [0 * z, 1 / z, -v / z]])
    return inner @ projection, np.array([[u * r2, u * r2**2], [v * r2, v * r2**2]])


def camera_jac_depth(point, k):
    x, y, z = point
    u, v = x / z, y / z
    r2 = u**2 + v**2
    jp, jk = camera_jac(point, k)
    jp = jp.copy()
    jp[:, 2] = -(1 + k[0] * r2 + k[1] * r2**2) / z * np.array([u, v])
    return jp, jk


pair("camera: depth and distortion", "algebra", camera, camera_jac, camera_jac_depth, "the distortion is taken not to depend on depth", "jac", examples=[((3,), (2,)), ((3,), np.zeros(2))], domain={"point": lambda rng, shape: np.array([rng.normal(), rng.normal(), rng.uniform(1, 4)]), "k": (-0.3, 0.3)})


def call_price(s, t, sigma, *, k=100.0, r=0.03, q=0.01):
    d1 = (np.log(s / k) + (r - q + 0.5 * sigma**2) * t) / (sigma * np.sqrt(t))
    d2 = d1 - sigma * np.sqrt(t)
    return s * np.exp(-q * t) * special.ndtr(d1) - k * np.exp(-r * t) * special.ndtr(d2)


def greeks(s, t, sigma, *, k=100.0, r=0.03, q=0.01):
    d1 = (np.log(s / k) + (r - q + 0.5 * sigma**2) * t) / (sigma * np.sqrt(t))
    d2 = d1 - sigma * np.sqrt(t)
    pdf = np.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi)
    delta = np.exp(-q * t) * special.ndtr(d1)
    vega = s * np.exp(-q * t) * pdf * np.sqrt(t)
    decay = vega * sigma / (2 * t) - q * s * delta + r * k * np.exp(-r * t) * special.ndtr(d2)
    return delta, decay, vega


def greeks_dividend(s, t, sigma, *, k=100.0, r=0.03, q=0.01):
    delta, decay, vega = greeks(s, t, sigma, k=k, r=r, q=q)
    return delta, decay + 2 * q * s * delta, vega


pair("black-scholes: dividend in the decay", "algebra", call_price, greeks, greeks_dividend, "the dividend's term has the other sign; right without dividends", examples=[((), (), (), {"q": 0.0}), ((), (), ())], domain={"s": (60, 150), "t": (0.2, 3), "sigma": (0.1, 0.6)})


def nelson_siegel(b, tau, *, m):
    x = m / tau
    load = np.where(m > 0, -np.expm1(-x) / np.where(m > 0, x, 1.0), 1.0)
    return b[0] + b[1] * load + b[2] * (load - np.exp(-x))


def nelson_siegel_vjp(b, tau, grad_output, *, m):
    x = m / tau
    e = np.exp(-x)
    load = np.where(m > 0, -np.expm1(-x) / np.where(m > 0, x, 1.0), 1.0)
    d_load = (load - e) / tau
    d_tau = b[1] * d_load + b[2] * (d_load - e * x / tau)
    return np.array([grad_output.sum(), grad_output @ load, grad_output @ (load - e)]), grad_output @ d_tau


def nelson_siegel_vjp_short(b, tau, grad_output, *, m):
    x = m / tau
    e = np.exp(-x)
    load = np.where(m > 0, -np.expm1(-x) / np.where(m > 0, x, 1.0), 0.0)
    d_load = (load - e) / tau * (m > 0)
    d_tau = b[1] * d_load + b[2] * (d_load - e * x / tau)
    return np.array([grad_output.sum(), grad_output @ load, grad_output @ (load - e)]), grad_output @ d_tau


pair("nelson-siegel: maturity zero", "algebra", nelson_siegel, nelson_siegel_vjp, nelson_siegel_vjp_short, "the loading's limit at maturity 0 is one, not zero", "vjp", examples=[((3,), (), {"m": np.array([1.0, 2.0])}), ((3,), (), {"m": np.array([0.0, 1.0])})], domain={"tau": (0.3, 9)})

RETURNS = np.array([[0.02, 0.01], [-0.01, 0.03], [0.04, -0.02], [0.0, 0.01]])


def sharpe(w):
    r = RETURNS @ w
    return r.mean() / r.std(ddof=1)


def sharpe_grad(w):
    r = RETURNS @ w
    m, s = r.mean(), r.std(ddof=1)
    ds = RETURNS.T @ (r - m) / (s * (len(r) - 1))
    return RETURNS.mean(0) / s - m * ds / s**2


def sharpe_grad_ddof(w):
    r = RETURNS @ w
    m, s = r.mean(), r.std(ddof=1)
    ds = np.cov(RETURNS, rowvar=False, bias=True) @ w / s
    return RETURNS.mean(0) / s - m * ds / s**2


pair("sharpe ratio: covariance", "algebra", sharpe, sharpe_grad, sharpe_grad_ddof, "the covariance divides by n, the deviation by n - 1", examples=[((2,),)], domain=[(0.1, 2)])


def drawdown(x):
    """The largest loss from a peak before it."""
    peak, worst = x[0], 0.0
    for v in x[1:]:
        peak = max(peak, v)
        worst = max(worst, peak - v)
    return worst


def drawdown_grad(x):
    g = np.zeros(len(x))
    top, worst, pair_ = 0, 0.0, None
    for i in range(1, len(x)):
        if x[i] > x[top]:
            top = i
        if x[top] - x[i] > worst:
            worst, pair_ = x[top] - x[i], (top, i)
    if pair_ is not None:
        g[pair_[0]], g[pair_[1]] = 1.0, -1.0
    return g


def drawdown_grad_highest(x):
    g = np.zeros(len(x))
    end = np.argmax(np.maximum.accumulate(x) - x)
    if end > 0:
        g[np.argmax(x)] += 1.0  # the peak of all time, which may come later
        g[end] -= 1.0
    return g


pair("drawdown: peak", "cells", drawdown, drawdown_grad, drawdown_grad_highest, "the highest point of all, not the highest before the loss", examples=[((3,),), ((4,),)])


def runge_kutta(y0, k):
    """Two steps of the classical method for logistic growth."""
    y, h = y0, 0.25

    def f(v):
        return k * v * (1 - v)

    for _ in range(2):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def runge_kutta_grad(y0, k, last=1.0):
    y, h = y0, 0.25
    dy, dk = 1.0, 0.0

    def step(v, dv_y, dv_k):
        slope = k * (1 - 2 * v)
        return k * v * (1 - v), slope * dv_y, slope * dv_k + v * (1 - v)

    for _ in range(2):
        k1, a1, b1 = step(y, dy, dk)
        k2, a2, b2 = step(y + h / 2 * k1, dy + h / 2 * a1, dk + h / 2 * b1)
        k3, a3, b3 = step(y + h / 2 * k2, dy + h / 2 * a2, dk + h / 2 * b2)
        k4, a4, b4 = step(y + h * k3, dy + h * last * a3, dk + h * last * b3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        dy = dy + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        dk = dk + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    return dy, dk


pair("runge-kutta: last stage", "algebra", runge_kutta, runge_kutta_grad, lambda y0, k: runge_kutta_grad(y0, k, last=0.5), "the last stage's sensitivity is stepped by half", examples=[((), ())], domain={"y0": (0, 1), "k": (0.2, 2)})


def hill(v, k, n, *, s):
    return np.sum(v * s**n / (k**n + s**n))


def hill_grad(v, k, n, *, s):
    sn, kn = s**n, k**n
    d = kn + sn
    log = np.where(s > 0, np.log(np.where(s > 0, s, 1.0)), 0.0)
    return np.sum(sn / d), np.sum(-v * n * sn * kn / (k * d**2)), np.sum(v * sn * kn * (log - np.log(k)) / d**2)


def hill_grad_log(v, k, n, *, s):
    sn, kn = s**n, k**n
    d = kn + sn
    gn = np.nan_to_num(v * sn * kn * np.log(s / k) / d**2)
    return np.sum(sn / d), np.sum(-v * n * sn / (k * d**2)), np.sum(gn)


pair("hill: half saturation", "algebra", hill, hill_grad, hill_grad_log, "k^n is left out of k's gradient", examples=[((), (), (), {"s": np.array([0.0, 1.0, 2.0])})], domain={"v": (0.1, 5), "k": (0.3, 3), "n": (0.5, 4)})


def segment_distance(p, a, b):
    """Squared distance of a point from a segment, as a soft rasteriser has it."""
    d = b - a
    t = np.clip((p - a) @ d / (d @ d), 0, 1)
    return np.sum((p - a - t * d) ** 2)


def segment_distance_grad(p, a, b):
    d = b - a
    t = np.clip((p - a) @ d / (d @ d), 0, 1)
    r = p - a - t * d
    return 2 * r, -2 * (1 - t) * r, -2 * t * r


def segment_distance_grad_line(p, a, b):
    d = b - a
    t = (p - a) @ d / (d @ d)
    r = p - a - np.clip(t, 0, 1) * d
    return 2 * r, -2 * (1 - t) * r, -2 * t * r


pair("segment: beyond its ends", "cells", segment_distance, segment_distance_grad, segment_distance_grad_line, "the ends' gradients use the parameter before it is clipped", examples=[((2,), (2,), (2,))], domain={"a": (-2, -0.5), "b": (0.5, 2)})


def render(sigma, colour, *, delta=0.5):
    """Colour along a ray: opacity times what the samples in front let through."""
    alpha = -np.expm1(-sigma * delta)
    through = np.concatenate([[1.0], np.cumprod(1 - alpha)[:-1]])
    return np.sum(through * alpha * colour)


def render_grad(sigma, colour, *, delta=0.5):
    alpha = -np.expm1(-sigma * delta)
    through = np.concatenate([[1.0], np.cumprod(1 - alpha)])
    weight = through[:-1] * alpha
    behind = np.cumsum((weight * colour)[::-1])[::-1] - weight * colour
    return delta * (through[1:] * colour - behind), weight


def render_grad_front(sigma, colour, *, delta=0.5):
    alpha = -np.expm1(-sigma * delta)
    through = np.concatenate([[1.0], np.cumprod(1 - alpha)])
    weight = through[:-1] * alpha
    behind = np.cumsum((weight * colour)[::-1])[::-1]
    return delta * (through[1:] * colour - behind), weight


pair("volume rendering: the sample itself", "algebra", render, render_grad, render_grad_front, "a sample is taken to hide itself too", examples=[((1,), (1,)), ((3,), (3,))], domain={"sigma": (0, 9)})


def smooth_min(a, b, *, k=0.5):
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k / 4


def smooth_min_vjp(a, b, grad_output, *, k=0.5):
    h = np.maximum(k - np.abs(a - b), 0) / k
    wa = np.where(a < b, 1 - h / 2, h / 2)
    return grad_output * wa, grad_output * (1 - wa)


def smooth_min_vjp_far(a, b, grad_output, *, k=0.5):
    wa = 0.5 - (a - b) / (2 * k)
    return grad_output * wa, grad_output * (1 - wa)


pair("smooth minimum: outside the blend", "cells", smooth_min, smooth_min_vjp, smooth_min_vjp_far, "the blend's weights are not limited to 0 and 1", "vjp", examples=[((), ()), ((2,), (2,))])


def to_linear(c):
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0.0) + 0.055) / 1.055) ** 2.4)


def to_linear_vjp(c, grad_output):
    return grad_output * np.where(c <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((np.maximum(c, 0.0) + 0.055) / 1.055) ** 1.4)


def to_linear_vjp_threshold(c, grad_output):
    return grad_output * np.where(c <= 0.0031308, 1 / 12.92, 2.4 / 1.055 * ((np.maximum(c, 0.0) + 0.055) / 1.055) ** 1.4)


pair("srgb: threshold of the inverse", "cells", to_linear, to_linear_vjp, to_linear_vjp_threshold, "the threshold of the other direction", "vjp", domain={"c": (0, 1)})


def shoelace(p):
    x, y = p[:, 0], p[:, 1]
    return 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)


def shoelace_grad(p):
    x, y = p[:, 0], p[:, 1]
    return 0.5 * np.column_stack([np.roll(y, -1) - np.roll(y, 1), np.roll(x, 1) - np.roll(x, -1)])


def shoelace_grad_abs(p):
    g = np.zeros_like(p)
    for i in range(1, len(p)):
        j = (i + 1) % len(p)
        g[i] = 0.5 * (p[j] - p[i - 1])[::-1] * np.array([1, -1])
    g[0] = 0.5 * (p[1] - p[0])[::-1] * np.array([1, -1])
    return g


pair("polygon: first corner", "algebra", shoelace, shoelace_grad, shoelace_grad_abs, "the polygon is not closed before its first corner", examples=[((3, 2),), ((4, 2),)])
