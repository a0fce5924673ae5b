"""Mechanics, chemistry, optics, finance, astronomy, epidemiology: adjoints and closed forms."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


def leapfrog(q, p, steps=3, h=0.1):
    """Energy error of leapfrog steps of a pendulum."""
    e0 = 0.5 * p * p - np.cos(q)
    for _ in range(steps):
        p = p - 0.5 * h * np.sin(q)
        q = q + h * p
        p = p - 0.5 * h * np.sin(q)
    return 0.5 * p * p - np.cos(q) - e0


def leapfrog_grad(q, p, steps=3, h=0.1, half=0.5):
    path = []
    q0, p0 = q, p
    for _ in range(steps):
        path.append(q)
        p = p - 0.5 * h * np.sin(q)
        q = q + h * p
        p = p - 0.5 * h * np.sin(q)
    path.append(q)
    gq, gp = np.sin(q), p
    for k in range(steps, 0, -1):
        gq = gq - 0.5 * h * np.cos(path[k]) * gp
        gp = gp + h * gq
        gq = gq - half * h * np.cos(path[k - 1]) * gp
    return gq - np.sin(q0), gp - p0


pair("leapfrog: first half kick", "algebra", leapfrog, leapfrog_grad, lambda q, p: leapfrog_grad(q, p, half=1.0), "the first half kick is taken whole in the adjoint", examples=[((), ())])


def sir(beta, gamma):
    """Infected share after four days of an explicit SIR model."""
    s, i = 0.9, 0.1
    for _ in range(4):
        new = beta * s * i
        s, i = s - new, i + new - gamma * i
    return i


def sir_grad(beta, gamma, wrong=False):
    s, i = 0.9, 0.1
    sb = sg = ib = ig = 0.0
    for _ in range(4):
        new = beta * s * i
        nb, ng = s * i + beta * (sb * i + s * ib), beta * (sg * i + s * ig)
        ib, ig = ib + nb - gamma * ib, ig + ng - gamma * ig - (i + new if wrong else i)
        sb, sg = sb - nb, sg - ng
        s, i = s - new, i + new - gamma * i
    return ib, ig


pair("epidemic: recovered before or after", "algebra", sir, sir_grad, lambda b, g: sir_grad(b, g, True), "recovery is taken of the infected after the new ones came", examples=[((), ())], domain=[(0, 1), (0, 1)])


def fresnel(theta, n=1.5):
    """Reflectance of s-polarised light, total reflection included."""
    c, s = np.cos(theta), np.sin(theta)
    t = 1 - (s * n) ** 2
    if t <= 0:
        return 1.0 + 0 * theta
    r = (n * c - np.sqrt(t)) / (n * c + np.sqrt(t))
    return r * r


def fresnel_slope(theta, n=1.5):
    c, s = np.cos(theta), np.sin(theta)
    t = 1 - (s * n) ** 2
    if t <= 0:
        return 0.0
    w = np.sqrt(t)
    a, b = n * c - w, n * c + w
    da, db = -n * s + n * n * s * c / w, -n * s - n * n * s * c / w
    return 2 * a / b * (da * b - a * db) / b**2


pair("reflectance: inner side", "cells", fresnel, fresnel_slope, lambda th: fresnel_slope(th) if th < 0.7 else -fresnel_slope(th), "the sign turns at 0.7, before the critical angle 0.7297", examples=[((),)], domain=[(0.05, 1.5)])


def kepler_anomaly(m, e):
    """True anomaly from the mean one by Newton's method."""
    x = m
    for _ in range(30):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    return 2 * np.arctan2(np.sqrt(1 + e) * np.sin(x / 2), np.sqrt(1 - e) * np.cos(x / 2))


def kepler_anomaly_grad(m, e):
    x = m
    for _ in range(30):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    d = 1 - e * np.cos(x)
    w = np.sqrt(1 - e * e)
    return w / d**2, np.sin(x) * (1 / d + 1 / (1 - e * e)) * w / d


pair("true anomaly: eccentricity held in the last step", "algebra", kepler_anomaly, kepler_anomaly_grad, lambda m, e: (kepler_anomaly_grad(m, e)[0], np.sin(kepler_solution(m, e)) * np.sqrt(1 - e * e) / (1 - e * np.cos(kepler_solution(m, e))) ** 2), "only the way through the eccentric anomaly", examples=[((), ())], domain=[(0.2, 2.8), (0.05, 0.6)])


def kepler_solution(m, e):
    x = m
    for _ in range(30):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    return x


def bond_price(y, coupons=(5.0, 5.0, 105.0)):
    return sum(c / (1 + y) ** (k + 1) for k, c in enumerate(coupons))


pair("bond: modified duration", "algebra", bond_price, lambda y: -sum((k + 1) * c / (1 + y) ** (k + 2) for k, c in enumerate((5.0, 5.0, 105.0))), lambda y: -sum((k + 1) * c / (1 + y) ** (k + 1) for k, c in enumerate((5.0, 5.0, 105.0))), "Macaulay's duration: 1 + y is missing", examples=[((),)], domain=[(-0.5, 1)])


def barrier_option(s, b=0.8):
    """Payoff of a knock-out call on a path: nothing where the path fell below the barrier."""
    return np.where(np.min(s) > b, np.maximum(s[-1] - 1, 0), 0.0)


pair("knock-out call: the last point alone", "cells", barrier_option, lambda s: one(len(s)) * (s.min() > 0.8) * (s[-1] > 1), lambda s: one(len(s)) * (s[-1] > 1) * (s[0] > 0.8), "the barrier is asked at the start only", examples=[((3,),)])


def one(n):
    return (np.arange(n) == n - 1) * 1.0


def van_der_waals(v, t, a=1.36, b=0.03):
    return 0.08 * t / (v - b) - a / v**2


pair("van der waals: covolume", "algebra", van_der_waals, lambda v, t: (-0.08 * t / (v - 0.03) ** 2 + 2 * 1.36 / v**3, 0.08 / (v - 0.03)), lambda v, t: (-0.08 * t / (v - 0.03) ** 2 + 2 * 1.36 / (v * (v - 0.03) ** 2), 0.08 / (v - 0.03)), "the covolume is taken off in the attraction as well", examples=[((), ())], domain=[(0.1, 5), (100, 400)])


def debye(x):
    """Debye's specific heat integrand x^4 e^x / (e^x - 1)^2, smooth at zero."""
    return x**4 / (4 * np.sinh(x / 2) ** 2)


pair("debye integrand: small frequencies", "floats", debye, lambda x: x**3 / np.sinh(x / 2) ** 2 * (1 - x / 4 / np.tanh(x / 2)), lambda x: x**3 * np.exp(x) * (4 * np.expm1(x) + x * np.expm1(x) - 2 * x * np.exp(x)) / np.expm1(x) ** 3 * (1 - 1e-7 * (x < 1e-2)), "1e-7 off below a hundredth", examples=[((),)], domain=[(1e-4, 300)])


def morse(r, d, a):
    return d * (1 - np.exp(-a * (r - 1.2))) ** 2


pair("morse potential: width", "algebra", morse, lambda r, d, a: (2 * d * a * -np.expm1(-a * (r - 1.2)) * np.exp(-a * (r - 1.2)), np.expm1(-a * (r - 1.2)) ** 2, 2 * d * (r - 1.2) * -np.expm1(-a * (r - 1.2)) * np.exp(-a * (r - 1.2))), lambda r, d, a: (2 * d * a * -np.expm1(-a * (r - 1.2)) * np.exp(-a * (r - 1.2)), np.expm1(-a * (r - 1.2)) ** 2, 2 * d * np.abs(r - 1.2) * -np.expm1(-a * (r - 1.2)) * np.exp(-a * (r - 1.2))), "the modulus of the elongation: a sign in compression", examples=[((), (), ())], domain=[(0.5, 4), (0.5, 3), (0.5, 3)])


def mie(r, n=12, m=6):
    c = n / (n - m) * (n / m) ** (m / (n - m))
    return c * (r**-n - r**-m)


pair("mie potential: prefactor", "algebra", lambda r: mie(r, 9, 6) + mie(r), lambda r: 27 / 4 * (-9 * r**-10.0 + 6 * r**-7.0) + 4 * (-12 * r**-13.0 + 6 * r**-7.0), lambda r: 4 * (-9 * r**-10.0 + 6 * r**-7.0) + 4 * (-12 * r**-13.0 + 6 * r**-7.0), "four for 27/4 for the exponents 9 and 6", examples=[((),)], domain=[(0.8, 3)])


def airmass(z):
    """Relative air mass by Kasten and Young, z in degrees."""
    return 1 / (np.cos(np.deg2rad(z)) + 0.50572 * (96.07995 - z) ** -1.6364)


pair("air mass: degrees", "algebra", airmass, lambda z: -airmass(z) ** 2 * (-np.sin(np.deg2rad(z)) * math.pi / 180 + 0.50572 * 1.6364 * (96.07995 - z) ** -2.6364), lambda z: -airmass(z) ** 2 * (-np.sin(np.deg2rad(z)) * math.pi / 180 + 0.50572 * 1.6364 * (96.07995 - z) ** -2.6364 * math.pi / 180), "the chain factor for the second term too", examples=[((),)], domain=[(0, 89)])


def streams(x, t):
    """Similarity profile erfc(x / (2 sqrt(t))) of diffusion."""
    return special.erfc(x / (2 * np.sqrt(t)))


pair("diffusion front: time", "algebra", streams, lambda x, t: (-np.exp(-x * x / (4 * t)) / np.sqrt(math.pi * t), x * np.exp(-x * x / (4 * t)) / (2 * t * np.sqrt(math.pi * t))), lambda x, t: (-np.exp(-x * x / (4 * t)) / np.sqrt(math.pi * t), x * np.exp(-x * x / (4 * t)) / (2 * np.sqrt(math.pi * t**2))), "t^2 under the root for t^3: right at time one", examples=[((), ())], domain=[(-4, 4), (0.1, 4)])


def truss(a):
    """Compliance of three springs in series and parallel, by a solve."""
    k = np.array([[a[0] + a[1], -a[1]], [-a[1], a[1] + a[2]]])
    f = np.array([0.3, 1.0])
    return f @ np.linalg.solve(k, f)


def truss_grad(a):
    k = np.array([[a[0] + a[1], -a[1]], [-a[1], a[1] + a[2]]])
    u = np.linalg.solve(k, np.array([0.3, 1.0]))
    return -np.array([u[0] ** 2, (u[0] - u[1]) ** 2, u[1] ** 2])


pair("compliance: coupling spring", "algebra", truss, truss_grad, lambda a: truss_grad(a) - np.array([0, 1, 0]) * 2 * np.prod(np.linalg.solve(np.array([[a[0] + a[1], -a[1]], [-a[1], a[1] + a[2]]]), np.array([0.3, 1.0]))), "the cross term is left out", examples=[((3,),)], domain=[(0.5, 3)])


def rossby(u, beta=0.2):
    """Enstrophy of a periodic barotropic field after one spectral step."""
    k = np.fft.rfftfreq(len(u)) * 2 * math.pi
    z = np.fft.irfft(np.fft.rfft(u) * np.exp(1j * beta * k) * (1 + k * k), n=len(u))
    return 0.5 * z @ z


def rossby_grad(u, beta=0.2, conj=True):
    k = np.fft.rfftfreq(len(u)) * 2 * math.pi
    h = np.exp(1j * beta * k) * (1 + k * k)
    z = np.fft.irfft(np.fft.rfft(u) * h, n=len(u))
    if len(u) % 2 == 0:
        h = h.copy()
        h[-1] = h[-1].real
    return np.fft.irfft(np.fft.rfft(z) * (np.conj(h) if conj else h), n=len(u))


pair("spectral step: conjugate of the filter", "algebra", rossby, rossby_grad, lambda u: rossby_grad(u, conj=False), "the filter again for its conjugate", examples=[((4,),), ((5,),)])


def rate_law(c, k=(2.0, 0.5)):
    """Michaelis-Menten with substrate inhibition, zero for no or negative substrate."""
    return np.sum(np.where(c > 0, k[0] * c / (k[1] + c + c * c / 3), 0))


pair("substrate inhibition: without substrate", "cells", rate_law, lambda c: np.where(c > 0, 2 * (0.5 - c * c / 3) / (0.5 + c + c * c / 3) ** 2, 0), lambda c: np.where(c > -0.2, 2 * (0.5 - c * c / 3) / (0.5 + c + c * c / 3) ** 2, 0), "there is a slope a little below zero", examples=[((3,),)])


def polarisation(s):
    """Degree of polarisation of a Stokes vector, by hypot of hypot."""
    return np.hypot(np.hypot(s[1], s[2]), s[3]) / s[0]


right("degree of polarisation", "cells", polarisation, "a cone over a positive intensity", grad=lambda s: (lambda p: np.append(-p / s[0] ** 2, s[1:] / (p * s[0]) if p else 0 * s[1:]))(np.sqrt(s[1:] @ s[1:])), examples=[((4,),)], domain=[lambda rng, shape: np.append(rng.uniform(2, 4), rng.normal(size=shape[0] - 1))])
right("planck's law in its exponent", "floats", lambda x: x**3 / np.expm1(x), "3 x^2/(e^x - 1) minus a product, as one fraction", grad=lambda x: x * x / np.expm1(x) * (3 + x / np.expm1(-x)), examples=[((),)], domain=[(0.01, 300)])
right("two-body orbit energy", "algebra", lambda r, v: 0.5 * v @ v - 1 / np.sqrt(r @ r), "a cube of a norm", grad=lambda r, v: (r / np.sqrt(r @ r) ** 3, v), examples=[((3,), (3,))])
right("doppler factor", "floats", lambda b: np.sqrt((1 - b) / (1 + b)), "a root of a quotient, both ends", grad=lambda b: -1 / ((1 + b) * np.sqrt((1 - b) * (1 + b))), examples=[((),)], domain=[(-1, 1)])
right("capillary rise by cosines in degrees", "algebra", lambda th, r: 2 * 0.072 * np.cos(np.radians(th)) / (9810 * r), "units and constants", grad=lambda th, r: (-2 * 0.072 * np.sin(np.radians(th)) * math.pi / 180 / (9810 * r), -2 * 0.072 * np.cos(np.radians(th)) / (9810 * r * r)), examples=[((), ())], domain=[(0, 180), (1e-4, 1e-2)])
