"""Forces, joints, elements, currents and prices, each wrong beside its right twin."""
# ruff: noqa: E501

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"gathered-pair: {name}", kind, f, why, **options))


@dataclass
class Switch:
    """A cosine that switches contacts off between d0 and d0 + r0."""

    r0: float = 1.0
    d0: float = 0.0

    def calculate(self, distance):
        if distance <= self.d0:
            return 1.0, 0.0
        if distance > self.d0 + self.r0:
            return 0.0, 0.0
        arg = (distance - self.d0) / self.r0 * math.pi
        return 0.5 * (1 + math.cos(arg)), -0.5 * math.pi / self.r0 * math.sin(arg) / distance


class Coordination:
    """The number of contacts between the atoms of two groups."""

    def __init__(self, switch, scaled=False):
        self.switch, self.scaled = switch, scaled
        self.pairs = [(0, 1), (0, 2)]

    def value(self, positions):
        return sum(self.switch.calculate(np.sqrt(np.sum((positions[j] - positions[i]) ** 2)))[0] for i, j in self.pairs)

    def derivatives(self, positions):
        out = np.zeros_like(positions)
        for i, j in self.pairs:
            delta = positions[j] - positions[i]
            _, df = self.switch.calculate(np.sqrt(np.sum(delta**2)))
            if self.scaled:
                df /= self.switch.r0
            out[i] -= df * delta
            out[j] += df * delta
        return out


contacts = Coordination(Switch(r0=1.5, d0=0.5))
pair("coordination number: cosine switch", "algebra", contacts.value, contacts.derivatives, Coordination(Switch(r0=1.5, d0=0.5), scaled=True).derivatives, "scaled by 1/r0 once more, right for r0 one", examples=[((3, 2),)], domain=[(0, 1.2)])


class HolonomicBase:
    """Pose of a mobile base as a dual quaternion, and its Jacobian."""

    def fkm(self, q):
        x, y, phi = q
        c, s = np.cos(phi / 2), np.sin(phi / 2)
        real = np.array([c, 0, 0, s])
        dual = np.array([0, 0.5 * (x * c + y * s), 0.5 * (-x * s + y * c), 0])
        return np.hstack((real, dual))

    def pose_jacobian(self, q, sign=-1):
        x, y, phi = q
        c = np.cos(phi / 2.0)
        s = np.sin(phi / 2.0)
        j = np.zeros((8, 3))
        j[0, 2] = -0.5 * s
        j[3, 2] = 0.5 * c
        j[5, 0], j[5, 1], j[5, 2] = 0.5 * c, 0.5 * s, 0.25 * (-x * s + y * c)
        j[6, 0], j[6, 1], j[6, 2] = -0.5 * s, 0.5 * c, 0.25 * (sign * x * c - y * s)
        return j


base = HolonomicBase()
pair("mobile base: dual quaternion", "algebra", base.fkm, base.pose_jacobian, lambda q: base.pose_jacobian(q, sign=1), "a sign in one entry", "jac", examples=[((3,),)])


def inverse_compose(pose, point):
    """A point seen from a pose: translation and quaternion (r, x, y, z)."""
    dx, dy, dz = point - pose[:3]
    qr, qx, qy, qz = pose[3:]
    return np.array([
        dx + 2 * (-(qy**2 + qz**2) * dx + (qr * qz + qx * qy) * dy + (-qr * qy + qx * qz) * dz),
        dy + 2 * ((-qr * qz + qx * qy) * dx - (qx**2 + qz**2) * dy + (qr * qx + qy * qz) * dz),
        dz + 2 * ((qr * qy + qx * qz) * dx + (-qr * qx + qy * qz) * dy - (qx**2 + qy**2) * dz),
    ])


def inverse_compose_jacobians(pose, point, swap=False):
    d = point - pose[:3]
    dx, dy, dz = d
    qr, qx, qy, qz = pose[3:]
    Rt = np.array([
        [1 - 2 * (qy**2 + qz**2), 2 * (qr * qz + qx * qy), 2 * (-qr * qy + qx * qz)],
        [2 * (-qr * qz + qx * qy), 1 - 2 * (qx**2 + qz**2), 2 * (qr * qx + qy * qz)],
        [2 * (qr * qy + qx * qz), 2 * (-qr * qx + qy * qz), 1 - 2 * (qx**2 + qy**2)],
    ])
    H = 2 * np.array([
        [qz * dy - qy * dz, qy * dy + qz * dz, -2 * qy * dx + qx * dy - qr * dz, -2 * qz * dx + qr * dy + qx * dz],
        [-qz * dx + qx * dz, qy * dx - 2 * qx * dy + qr * dz, qx * dx + qz * dz, -qr * dx - 2 * qz * dy + qy * dz],
        [qy * dx - qx * dy, qz * dx - qr * dy - 2 * qx * dz, qr * dx + qz * dy - 2 * qy * dz, qx * dx + qy * dy],
    ])
    if swap:
        H[0, 2] = 2 * (-2 * qy * dx + qx * dy + qr * dz)
    return np.hstack([-Rt, H]), Rt


pair("inverse composition of a pose", "algebra", inverse_compose, inverse_compose_jacobians, lambda p, x: inverse_compose_jacobians(p, x, swap=True), "a sign in one of twelve entries", "jac", examples=[((7,), (3,))])


class GromovKL:
    """The Gromov-Wasserstein loss of a fixed plan, Kullback's divergence, in the second metric."""

    def __init__(self):
        self.C1 = np.array([[0.5, 1.0], [1.0, 0.7]])
        self.T = np.array([[0.3, 0.2], [0.1, 0.4]])
        self.q = self.T.sum(axis=0)

    def loss(self, C2):
        total = 0.0
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    for m in range(2):
                        a, b = self.C1[i, k], C2[j, m]
                        total += (a * np.log(a / b) - a + b) * self.T[i, j] * self.T[k, m]
        return total

    def gC2(self, C2, sign=-1):
        return sign * np.dot(self.T.T, np.dot(self.C1, self.T)) / C2 + np.outer(self.q, self.q)


gromov = GromovKL()
pair("gromov-wasserstein: kullback", "algebra", gromov.loss, gromov.gC2, lambda C: gromov.gC2(C, sign=1), "the sign of the coupled term", examples=[((2, 2),)], domain=[(0.1, 3)])


class PowerFlow:
    """Injected powers of an AC network in angles and magnitudes, and the four blocks of its Jacobian."""

    def __init__(self):
        self.G = np.array([[1.0, -0.6, -0.4], [-0.6, 1.1, -0.5], [-0.4, -0.5, 0.9]])
        self.B = np.array([[-5.0, 3.0, 2.0], [3.0, -6.0, 3.0], [2.0, 3.0, -5.0]])

    def injections(self, theta, v):
        n = len(theta)
        p, q = np.zeros(n), np.zeros(n)
        for i in range(n):
            for k in range(n):
                t = theta[i] - theta[k]
                p[i] += v[i] * v[k] * (self.G[i, k] * np.cos(t) + self.B[i, k] * np.sin(t))
                q[i] += v[i] * v[k] * (self.G[i, k] * np.sin(t) - self.B[i, k] * np.cos(t))
        return np.concatenate([p, q])

    def jacobian(self, theta, v, shunt=True):
        n = len(theta)
        pq = self.injections(theta, v)
        p, q = pq[:n], pq[n:]
        t = theta[:, None] - theta[None, :]
        a = self.G * np.cos(t) + self.B * np.sin(t)
        b = self.G * np.sin(t) - self.B * np.cos(t)
        vv = np.outer(v, v)
        H, N, M, L = vv * b, v[:, None] * a, -vv * a, v[:, None] * b
        i = np.arange(n)
        g, s = np.diag(self.G), np.diag(self.B) if shunt else np.zeros(n)
        H[i, i] = -q - s * v**2
        N[i, i] = p / v + g * v
        M[i, i] = p - g * v**2
        L[i, i] = q / v - s * v
        return np.vstack([H, M]), np.vstack([N, L])


flow = PowerFlow()
pair("power flow: diagonal of the jacobian", "algebra", flow.injections, flow.jacobian, lambda t, v: flow.jacobian(t, v, shunt=False), "the node's own susceptance", "jac", examples=[((3,), (3,))], domain={"v": (0.5, 1.5)})


class Hardening:
    """One-dimensional plasticity with linear hardening: the stress returned to the yield surface."""

    E, H, sy = 2.0, 0.5, 1.0

    def __init__(self, eps_p=0.1, alpha=0.2):
        self.eps_p, self.alpha = eps_p, alpha

    def stress(self, eps):
        trial = self.E * (eps - self.eps_p)
        f = np.abs(trial) - (self.sy + self.H * self.alpha)
        dg = np.where(f > 0, f / (self.E + self.H), 0.0)
        return trial - self.E * dg * np.sign(trial)

    def tangent(self, eps):
        trial = self.E * (eps - self.eps_p)
        f = np.abs(trial) - (self.sy + self.H * self.alpha)
        return np.where(f > 0, self.E * self.H / (self.E + self.H), self.E)

    def tangent_tension(self, eps):
        trial = self.E * (eps - self.eps_p)
        return np.where(trial - (self.sy + self.H * self.alpha) > 0, self.E * self.H / (self.E + self.H), self.E)


steel = Hardening()
pair("plasticity: yields in compression too", "cells", steel.stress, lambda e, grad_output: grad_output * steel.tangent(e), lambda e, grad_output: grad_output * steel.tangent_tension(e), "elastic modulus where it yields in compression", "vjp", examples=[((2,),)])


class Truss:
    """Internal forces of a bar of two nodes, large rotations, and its tangent stiffness."""

    def __init__(self, EA=2.0):
        self.X = np.array([0.0, 0.0, 1.0, 0.5])
        self.EA = EA
        self.L0 = np.hypot(1.0, 0.5)

    def force(self, u):
        x = self.X + u
        d = x[2:] - x[:2]
        length = np.linalg.norm(d)
        n = d / length
        N = self.EA * (length - self.L0) / self.L0
        return N * np.r_[-n, n]

    def stiffness(self, u, geometric=True):
        x = self.X + u
        d = x[2:] - x[:2]
        length = np.linalg.norm(d)
        n = d / length
        N = self.EA * (length - self.L0) / self.L0
        k = self.EA / self.L0 * np.outer(n, n)
        if geometric:
            k = k + N / length * (np.eye(2) - np.outer(n, n))
        return np.block([[k, -k], [-k, k]])


bar = Truss()
pair("truss: geometric stiffness", "algebra", bar.force, bar.stiffness, lambda u: bar.stiffness(u, geometric=False), "right where the bar is not strained", "jac", examples=[((4,),)], domain=[(-0.3, 0.3)])


def torsion(xyz, *, k=1.3, n=3, phase=0.4):
    """Energy of a dihedral angle."""
    b1, b2, b3 = xyz[1] - xyz[0], xyz[2] - xyz[1], xyz[3] - xyz[2]
    m, p = np.cross(b1, b2), np.cross(b2, b3)
    phi = np.arctan2(np.linalg.norm(b2) * np.dot(b1, p), np.dot(m, p))
    return k * (1 + np.cos(n * phi - phase))


def torsion_gradient(xyz, *, k=1.3, n=3, phase=0.4, middle=True):
    b1, b2, b3 = xyz[1] - xyz[0], xyz[2] - xyz[1], xyz[3] - xyz[2]
    m, p = np.cross(b1, b2), np.cross(b2, b3)
    length = np.linalg.norm(b2)
    phi = np.arctan2(length * np.dot(b1, p), np.dot(m, p))
    dphi = -k * n * np.sin(n * phi - phase)
    d0 = -length / np.dot(m, m) * m
    d3 = length / np.dot(p, p) * p
    a, b = np.dot(b1, b2) / length**2, np.dot(b3, b2) / length**2
    d1 = -(1 + a) * d0 + b * d3
    if not middle:
        d1 = -(1 - a) * d0 + b * d3
    return dphi * np.array([d0, d1, -(d0 + d1 + d3), d3])


pair("torsion: second atom", "algebra", torsion, torsion_gradient, lambda xyz: torsion_gradient(xyz, middle=False), "a sign in the lever of the second atom", examples=[((4, 3),)])


class SoftDTW:
    """The soft minimum over alignments of a matrix of distances."""

    def __init__(self, gamma=0.5, wrong=False):
        self.gamma, self.wrong = gamma, wrong

    def _softmin(self, *values):
        a = np.array([-v / self.gamma for v in values])
        top = max(a)
        return -self.gamma * (top + np.log(sum(np.exp(x - top) for x in a)))

    def compute(self, D):
        m, n = D.shape
        R = np.full((m + 2, n + 2), 1e10)
        R[0, 0] = 0
        for i in range(1, m + 1):
            for j in range(1, n + 1):
                R[i, j] = D[i - 1, j - 1] + self._softmin(R[i - 1, j], R[i - 1, j - 1], R[i, j - 1])
        self.R_ = R
        return R[m, n]

    def grad(self, D):
        self.compute(D)
        m, n = D.shape
        D = np.vstack((D, np.zeros(n)))
        D = np.hstack((D, np.zeros((m + 1, 1))))
        E = np.zeros((m + 2, n + 2))
        E[m + 1, n + 1] = 1
        R = self.R_.copy()
        R[:, n + 1] = R[m + 1, :] = -1e10
        R[m + 1, n + 1] = R[m, n]
        for j in reversed(range(1, n + 1)):
            for i in reversed(range(1, m + 1)):
                a = np.exp((R[i + 1, j] - R[i, j] - D[i, j - 1]) / self.gamma)
                b = np.exp((R[i, j + 1] - R[i, j] - D[i - 1, j]) / self.gamma)
                c = np.exp((R[i + 1, j + 1] - R[i, j] - (D[i - 1, j - 1] if self.wrong else D[i, j])) / self.gamma)
                E[i, j] = E[i + 1, j] * a + E[i, j + 1] * b + E[i + 1, j + 1] * c
        return E[1:-1, 1:-1]


dtw = SoftDTW()
pair("soft-dtw: diagonal step", "algebra", dtw.compute, dtw.grad, SoftDTW(wrong=True).grad, "the distance of the cell itself for that of the next", examples=[((2, 2),), ((2, 3),)], domain=[(0, 3)])


@dataclass
class SABR:
    """Hagan's volatility for beta one half, with the branch at the money."""

    f: float = 1.0
    t: float = 2.0
    nu: float = 0.6
    rho: float = -0.3

    def vol(self, strike, alpha):
        fk = math.sqrt(self.f) * np.sqrt(strike)
        log = np.log(self.f / strike)
        a = alpha**2 / (96 * fk) + 0.125 * self.rho * self.nu * alpha / fk**0.5 + (2 - 3 * self.rho**2) / 24 * self.nu**2
        z = self.nu / alpha * fk**0.5 * log
        x = np.log((np.sqrt(1 - 2 * self.rho * z + z**2) + z - self.rho) / (1 - self.rho))
        return alpha / fk**0.5 / (1 + log**2 / 96) * z / x * (1 + a * self.t)

    def vega(self, strike, alpha, full=True):
        fk = math.sqrt(self.f) * np.sqrt(strike)
        log = np.log(self.f / strike)
        a = alpha**2 / (96 * fk) + 0.125 * self.rho * self.nu * alpha / fk**0.5 + (2 - 3 * self.rho**2) / 24 * self.nu**2
        da = alpha / (48 * fk) + 0.125 * self.rho * self.nu / fk**0.5
        z = self.nu / alpha * fk**0.5 * log
        root = np.sqrt(1 - 2 * self.rho * z + z**2)
        x = np.log((root + z - self.rho) / (1 - self.rho))
        pre = 1 / fk**0.5 / (1 + log**2 / 96)
        ratio, dratio = z / x, 1 / x - z / (x**2 * root)
        out = pre * ratio * (1 + a * self.t) + pre * alpha * ratio * da * self.t
        if full:
            out = out - pre * z * dratio * (1 + a * self.t)
        return out


sabr = SABR()
pair("sabr: volatility in alpha", "algebra", lambda alpha, *, strike=1.4: sabr.vol(strike, alpha), lambda alpha, *, strike=1.4: sabr.vega(strike, alpha), lambda alpha, *, strike=1.4: sabr.vega(strike, alpha, full=False), "z depends on alpha", examples=[((),)], domain=[(0.1, 0.8)])


class Stress:
    """Metric multidimensional scaling: raw stress of a configuration."""

    def __init__(self, dissimilarities):
        self.delta = np.asarray(dissimilarities)

    def __call__(self, X):
        total = 0.0
        for i in range(len(X)):
            for j in range(i):
                total += (np.sqrt(np.sum((X[i] - X[j]) ** 2)) - self.delta[i, j]) ** 2
        return total

    def gradient(self, X, factor=2.0):
        diff = X[:, None, :] - X[None, :, :]
        d = np.sqrt((diff**2).sum(-1))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(d > 0, (d - self.delta) / np.where(d > 0, d, 1), 0)
        return factor * np.einsum("ij,ijk->ik", ratio, diff)


mds = Stress([[0, 1, 2], [1, 0, 1.5], [2, 1.5, 0]])
pair("scaling: each pair once", "algebra", mds, mds.gradient, lambda X: mds.gradient(X, factor=4.0), "the sum over all ordered pairs", examples=[((3, 2),)])


class MuFromTheta:
    """The root of mu + mu exp(theta mu) = 1, and its derivative by the implicit function."""

    def __init__(self, power=2):
        self.power = power

    def perform(self, theta):
        mu = 0.4
        for _ in range(50):
            value = mu + mu * math.exp(theta * mu) - 1
            slope = 1 + math.exp(theta * mu) * (1 + theta * mu)
            step = value / slope
            mu = mu - step
            if abs(step) < 1e-15:
                break
        return mu

    def grad(self, theta):
        mu = self.perform(theta)
        thetamu = theta * mu
        return -(mu**self.power) / (1 + thetamu + np.exp(-thetamu))


implicit = MuFromTheta()
pair("implicit op: power of the root", "algebra", implicit.perform, implicit.grad, MuFromTheta(power=1).grad, "the square is forgotten", examples=[((),)], domain=[(-1, 2)])


class ElectricField:
    """Energy of charges with a real-space cutoff, shifted so that nothing jumps."""

    def __init__(self, q=(1.0, -1.0, 0.5), rc=1.5, kappa=0.8):
        self.q, self.rc, self.kappa = np.array(q), rc, kappa

    def energy(self, x):
        i, j = np.triu_indices(len(self.q), 1)
        r = np.linalg.norm(x[i] - x[j], axis=1)
        near = r < self.rc
        shift = special.erfc(self.kappa * self.rc) / self.rc
        e = self.q[i] * self.q[j] * (special.erfc(self.kappa * r) / r - shift)
        return e[near].sum()

    def gradient(self, x, gauss=True):
        out = np.zeros_like(x)
        i, j = np.triu_indices(len(self.q), 1)
        d = x[i] - x[j]
        r = np.linalg.norm(d, axis=1)
        f = -special.erfc(self.kappa * r) / r**2
        if gauss:
            f -= 2 * self.kappa / np.sqrt(np.pi) * np.exp(-((self.kappa * r) ** 2)) / r
        f = np.where(r < self.rc, self.q[i] * self.q[j] * f / r, 0.0)[:, None] * d
        np.add.at(out, i, f)
        np.subtract.at(out, j, f)
        return out


field = ElectricField()
right("damped coulomb: cutoff and shift", "cells", field.energy, "continuous at the cutoff with a kink", grad=field.gradient, examples=[((3, 2),)], domain=[(-1, 1)])
