"""Boxes, colours, clouds and embeddings: axes whose length has a meaning, each wrong beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"gathered: {name}", kind, lie, twin, options, why=why))


class GIoU(Function):
    """Generalised intersection over union of boxes (x1, y1, x2, y2) with fixed targets."""

    targets = np.array([[0.0, 0.0, 1.0, 1.0], [0.5, 0.2, 1.5, 1.4]])

    @staticmethod
    def _parts(boxes):
        t = GIoU.targets
        lt, rb = np.maximum(boxes[:, :2], t[:, :2]), np.minimum(boxes[:, 2:], t[:, 2:])
        wh = np.clip(rb - lt, 0, None)
        inter = wh[:, 0] * wh[:, 1]
        size = boxes[:, 2:] - boxes[:, :2]
        area_t = (t[:, 2] - t[:, 0]) * (t[:, 3] - t[:, 1])
        union = size[:, 0] * size[:, 1] + area_t - inter
        hull = np.maximum(boxes[:, 2:], t[:, 2:]) - np.minimum(boxes[:, :2], t[:, :2])
        return lt, rb, wh, inter, size, union, hull, hull[:, 0] * hull[:, 1]

    @staticmethod
    def forward(ctx, boxes):
        ctx.save_for_backward(boxes)
        *_, inter, _, union, _, area = GIoU._parts(boxes)
        return 1 - inter / union + (area - union) / area

    @staticmethod
    def backward(ctx, grad, hull_too=True):
        (boxes,) = ctx.saved_tensors
        t = GIoU.targets
        lt, rb, wh, inter, size, union, hull, area = GIoU._parts(boxes)
        d_inter = -1 / union - (inter / union**2 - 1 / area)
        d_union = inter / union**2 - 1 / area
        d_area = union / area**2 if hull_too else 0 * area
        out = np.zeros_like(boxes)
        on = rb > lt
        for k in range(2):
            o = 1 - k
            both = on[:, 0] & on[:, 1]
            out[:, k] -= d_inter * wh[:, o] * (both & (boxes[:, k] > t[:, k]))
            out[:, 2 + k] += d_inter * wh[:, o] * (both & (boxes[:, 2 + k] < t[:, 2 + k]))
            out[:, k] -= d_union * size[:, o]
            out[:, 2 + k] += d_union * size[:, o]
            out[:, k] -= d_area * hull[:, o] * (boxes[:, k] < t[:, k])
            out[:, 2 + k] += d_area * hull[:, o] * (boxes[:, 2 + k] > t[:, 2 + k])
        return out * grad[:, None]

    @staticmethod
    def _boxes(rng, shape):
        corner = rng.uniform(-1, 1.5, size=(shape[0], 2))
        return np.concatenate([corner, corner + rng.uniform(0.2, 2, size=(shape[0], 2))], axis=1)

    examples = [((2, 4),)]


GIoU.domain = {"boxes": GIoU._boxes}


class GIoUInside(GIoU):
    @staticmethod
    def backward(ctx, grad):
        return GIoU.backward(ctx, grad, hull_too=False)


add(
    "generalised iou: the enclosing box",
    "cells",
    GIoUInside,
    GIoU,
    "the enclosing box moves with the box that sticks out",
)


class Chamfer(Function):
    """Mean squared distance to the nearest point, from each cloud to the other."""

    @staticmethod
    def forward(ctx, x, y):
        d = np.sum((x[:, None] - y[None]) ** 2, axis=-1)
        ctx.save_for_backward(x, y)
        ctx.to_y, ctx.to_x = d.argmin(axis=1), d.argmin(axis=0)
        return d.min(axis=1).mean() + d.min(axis=0).mean()

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        gx, gy = np.zeros_like(x), np.zeros_like(y)
        a = 2 * grad * (x - y[ctx.to_y]) / len(x)
        b = 2 * grad * (y - x[ctx.to_x]) / len(y)
        gx += a
        np.add.at(gy, ctx.to_y, -a)
        gy += b
        np.add.at(gx, ctx.to_x, -b)
        return gx, gy

    examples = [((2, 2), (3, 2))]


class ChamferOwn(Chamfer):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        gx, gy = 2 * grad * (x - y[ctx.to_y]) / len(x), 2 * grad * (y - x[ctx.to_x]) / len(y)
        gx[ctx.to_x] -= gy
        gy[ctx.to_y] -= 2 * grad * (x - y[ctx.to_y]) / len(x)
        return gx, gy


add(
    "chamfer: a point nearest to several",
    "cells",
    ChamferOwn,
    Chamfer,
    "a point that is nearest to two others is moved by the last alone",
)


class LovaszHinge(Function):
    """The Lovasz extension of the Jaccard loss on the sorted hinge errors of one image."""

    @staticmethod
    def _slopes(labels):
        total = labels.sum()
        inter = total - np.cumsum(labels)
        union = total + np.cumsum(1 - labels)
        jaccard = 1.0 - inter / union
        jaccard[1:] = jaccard[1:] - jaccard[:-1]
        return jaccard

    @staticmethod
    def forward(ctx, logits, labels=None):
        ctx.labels = np.asarray(labels, dtype=float)
        errors = 1.0 - logits * (2.0 * ctx.labels - 1.0)
        ctx.order = np.argsort(-errors, kind="stable")
        ctx.save_for_backward(logits)
        return np.dot(np.maximum(errors[ctx.order], 0), LovaszHinge._slopes(ctx.labels[ctx.order]))

    @staticmethod
    def backward(ctx, grad):
        (logits,) = ctx.saved_tensors
        signs = 2.0 * ctx.labels - 1.0
        out = np.zeros_like(logits)
        out[ctx.order] = LovaszHinge._slopes(ctx.labels[ctx.order])
        return -grad * signs * out * (1.0 - logits * signs > 0)

    examples = [((4,), {"labels": np.array([1, 0, 1, 0])}), ((3,), {"labels": np.array([0, 0, 1])})]


class LovaszHingeUnsorted(LovaszHinge):
    @staticmethod
    def backward(ctx, grad):
        (logits,) = ctx.saved_tensors
        signs = 2.0 * ctx.labels - 1.0
        out = LovaszHinge._slopes(ctx.labels[ctx.order])[ctx.order]
        return -grad * signs * out * (1.0 - logits * signs > 0)


add(
    "lovasz hinge: sorted back", "cells", LovaszHingeUnsorted, LovaszHinge, "gathered for scattered"
)


class Lab(Function):
    """XYZ to Lab: a cube root above a threshold, a line below."""

    delta = 6 / 29

    @staticmethod
    def forward(ctx, xyz):
        ctx.save_for_backward(xyz)
        d = Lab.delta
        f = np.where(xyz > d**3, np.cbrt(xyz), xyz / (3 * d**2) + 4 / 29)
        x, y, z = f[..., 0], f[..., 1], f[..., 2]
        return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (xyz,) = ctx.saved_tensors
        L, a, b = grad[..., 0], grad[..., 1], grad[..., 2]
        g = np.stack([500 * a, 116 * L - 500 * a + 200 * b, -200 * b], axis=-1)
        slope = np.full(xyz.shape, 1 / (3 * Lab.delta**2))
        bright = xyz > Lab.delta**3
        slope[bright] = 1 / (3 * np.cbrt(xyz[bright]) ** 2)
        return g * slope

    examples = [((3,),), ((2, 3),)]
    domain = {"xyz": (0, 1)}


class LabDark(Lab):
    @staticmethod
    def backward(ctx, grad):
        (xyz,) = ctx.saved_tensors
        return Lab.backward(ctx, grad) * np.where(
            xyz > Lab.delta**3, 1.0, 903.3 / 116 * 3 * Lab.delta**2
        )


add("lab: rounded slope of the dark", "cells", LabDark, Lab, "the tabulated 903.3 for 24389/27")


class QuaternionProduct(Function):
    """Hamilton's product, scalar first; further components are none."""

    @staticmethod
    def _product(p, q):
        pw, qw, pv, qv = p[..., :1], q[..., :1], p[..., 1:], q[..., 1:]
        w = pw * qw - np.sum(pv * qv, axis=-1, keepdims=True)
        return np.concatenate([w, pw * qv + qw * pv + np.cross(pv, qv)], axis=-1)

    @staticmethod
    def forward(ctx, p, q):
        ctx.save_for_backward(p, q)
        return QuaternionProduct._product(p, q)

    @staticmethod
    def backward(ctx, grad):
        p, q = ctx.saved_tensors
        flip = np.array([1.0, -1.0, -1.0, -1.0])
        return QuaternionProduct._product(grad, q * flip), QuaternionProduct._product(
            p * flip, grad
        )

    examples = [((4,), (4,)), ((2, 4), (2, 4))]


class QuaternionProductOrder(QuaternionProduct):
    @staticmethod
    def backward(ctx, grad):
        p, q = ctx.saved_tensors
        flip = np.array([1.0, -1.0, -1.0, -1.0])
        return QuaternionProduct._product(q * flip, grad), QuaternionProduct._product(
            p * flip, grad
        )


add(
    "quaternion product: order of the factors",
    "algebra",
    QuaternionProductOrder,
    QuaternionProduct,
    "the product does not commute",
)


class GaussianHead(Function):
    """The first half of the last axis is a mean, the second a clipped log variance; minus log likelihood."""

    @staticmethod
    def forward(ctx, out, target=None):
        n = out.shape[-1] // 2
        mu, logvar = out[..., :n], np.clip(out[..., n:], -6.0, 3.0)
        ctx.save_for_backward(out)
        ctx.target = np.asarray(target)
        return 0.5 * np.sum(logvar + (mu - ctx.target) ** 2 * np.exp(-logvar))

    @staticmethod
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        n = out.shape[-1] // 2
        mu, raw = out[..., :n], out[..., n:]
        logvar = np.clip(raw, -6.0, 3.0)
        r = mu - ctx.target
        g_mu = r * np.exp(-logvar)
        g_var = 0.5 * (1 - r**2 * np.exp(-logvar)) * ((raw >= -6.0) & (raw <= 3.0))
        return grad * np.concatenate([g_mu, g_var], axis=-1)

    examples = [((4,), {"target": np.array([0.5, -1.0])})]


class GaussianHeadUnclipped(GaussianHead):
    @staticmethod
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        n = out.shape[-1] // 2
        r, logvar = out[..., :n] - ctx.target, np.clip(out[..., n:], -6.0, 3.0)
        return grad * np.concatenate(
            [r * np.exp(-logvar), 0.5 * (1 - r**2 * np.exp(-logvar))], axis=-1
        )


add(
    "gaussian head: clipped log variance",
    "cells",
    GaussianHeadUnclipped,
    GaussianHead,
    "a clipped variance passes nothing on",
)


class BarlowTwins(Function):
    """Cross-correlation of two normalised batches: ones on the diagonal, small beside it."""

    lam, eps = 0.2, 1e-4

    @staticmethod
    def _normalise(z):
        c = z - z.mean(axis=0)
        s = np.sqrt((c**2).mean(axis=0) + BarlowTwins.eps)
        return c / s, s

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        za, _ = BarlowTwins._normalise(a)
        zb, _ = BarlowTwins._normalise(b)
        c = za.T @ zb / len(a)
        on = np.sum((np.diagonal(c) - 1) ** 2)
        return on + BarlowTwins.lam * (np.sum(c**2) - np.sum(np.diagonal(c) ** 2))

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        (za, sa), (zb, sb) = BarlowTwins._normalise(a), BarlowTwins._normalise(b)
        c = za.T @ zb / len(a)
        dc = 2 * BarlowTwins.lam * c
        np.fill_diagonal(dc, 2 * (np.diagonal(c) - 1))

        def unnormalise(g, z, s):
            g = g - g.mean(axis=0)
            return (g - z * (g * z).mean(axis=0)) / s

        return grad * unnormalise(zb @ dc.T / len(a), za, sa), grad * unnormalise(
            za @ dc / len(a), zb, sb
        )

    examples = [((3, 2), (3, 2))]


class BarlowTwinsSymmetric(BarlowTwins):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        ga, _gb = BarlowTwins.backward(ctx, grad)
        (za, _), (zb, sb) = BarlowTwins._normalise(a), BarlowTwins._normalise(b)
        c = za.T @ zb / len(a)
        dc = 2 * BarlowTwins.lam * c
        np.fill_diagonal(dc, 2 * (np.diagonal(c) - 1))
        g = za @ dc.T / len(a)
        g = g - g.mean(axis=0)
        return ga, grad * (g - zb * (g * zb).mean(axis=0)) / sb


add(
    "barlow twins: transposed correlation",
    "algebra",
    BarlowTwinsSymmetric,
    BarlowTwins,
    "the correlation is not symmetric",
)


class Alpha(Function):
    """Front-to-back compositing of rows (r, g, b, a), stopped once little light is left."""

    stop = 0.05

    @staticmethod
    def forward(ctx, layers):
        ctx.save_for_backward(layers)
        colour, light = np.zeros(3), 1.0
        for row in layers:
            if light < Alpha.stop:
                break
            colour = colour + light * row[3] * row[:3]
            light = light * (1 - row[3])
        return colour

    @staticmethod
    def backward(ctx, grad):
        (layers,) = ctx.saved_tensors
        lights, light = [], 1.0
        for row in layers:
            if light < Alpha.stop:
                break
            lights.append(light)
            light = light * (1 - row[3])
        out, behind = np.zeros_like(layers), np.zeros(3)
        for k in reversed(range(len(lights))):
            row = layers[k]
            out[k, :3] = lights[k] * row[3] * grad
            out[k, 3] = lights[k] * np.dot(grad, row[:3] - behind)
            behind = row[3] * row[:3] + (1 - row[3]) * behind
        return out

    examples = [((3, 4),)]
    domain = {"layers": (0, 1)}


class AlphaThrough(Alpha):
    @staticmethod
    def backward(ctx, grad):
        (layers,) = ctx.saved_tensors
        out, behind = np.zeros_like(layers), np.zeros(3)
        light = np.concatenate([[1.0], np.cumprod(1 - layers[:, 3])])
        for k in reversed(range(len(layers))):
            out[k, :3] = light[k] * layers[k, 3] * grad
            out[k, 3] = light[k] * np.dot(grad, layers[k, :3] - behind)
            behind = layers[k, 3] * layers[k, :3] + (1 - layers[k, 3]) * behind
        return out


add(
    "compositing: stopped early",
    "cells",
    AlphaThrough,
    Alpha,
    "layers behind the stop are taken to be seen",
)


class Rotary3D(Function):
    """Points (x, y, z) turned about the z axis by an angle; a fourth column would be carried along."""

    @staticmethod
    def forward(ctx, points, angle):
        ctx.save_for_backward(points, angle)
        c, s = np.cos(angle), np.sin(angle)
        out = points.copy()
        out[:, 0] = c * points[:, 0] - s * points[:, 1]
        out[:, 1] = s * points[:, 0] + c * points[:, 1]
        return out

    @staticmethod
    def backward(ctx, grad):
        points, angle = ctx.saved_tensors
        c, s = np.cos(angle), np.sin(angle)
        gx, gy, gz = grad.T
        x, y, _ = points.T
        d_angle = np.sum(gx * (-s * x - c * y) + gy * (c * x - s * y))
        return np.stack([c * gx + s * gy, -s * gx + c * gy, gz], axis=1), d_angle

    examples = [((2, 3), ())]


class Rotary3DSame(Rotary3D):
    @staticmethod
    def backward(ctx, grad):
        _g, d = Rotary3D.backward(ctx, grad)
        _, angle = ctx.saved_tensors
        c, s = np.cos(angle), np.sin(angle)
        gx, gy, gz = grad.T
        return np.stack([c * gx - s * gy, s * gx + c * gy, gz], axis=1), d


add(
    "rotation about an axis: turned back",
    "algebra",
    Rotary3DSame,
    Rotary3D,
    "the gradient turns the other way; unpacks three columns",
)


class Kumaraswamy(Function):
    """Log density on (0, 1) with softplus parameters, guarded at the ends."""

    tiny = 1e-6

    @staticmethod
    def forward(ctx, x, raw_a, raw_b):
        ctx.save_for_backward(x, raw_a, raw_b)
        a, b = np.logaddexp(0, raw_a), np.logaddexp(0, raw_b)
        u = np.clip(x, Kumaraswamy.tiny, 1 - Kumaraswamy.tiny)
        return np.log(a) + np.log(b) + (a - 1) * np.log(u) + (b - 1) * np.log1p(-(u**a))

    @staticmethod
    def backward(ctx, grad, tail=True):
        x, raw_a, raw_b = ctx.saved_tensors
        a, b = np.logaddexp(0, raw_a), np.logaddexp(0, raw_b)
        inside = (x > Kumaraswamy.tiny) & (x < 1 - Kumaraswamy.tiny)
        u = np.clip(x, Kumaraswamy.tiny, 1 - Kumaraswamy.tiny)
        ua = u**a
        dx = ((a - 1) / u - (b - 1) * a * ua / u / (1 - ua)) * inside
        da = 1 / a + np.log(u) - ((b - 1) * ua * np.log(u) / (1 - ua) if tail else 0)
        db = 1 / b + np.log1p(-ua)
        return grad * dx, grad * da * special.expit(raw_a), grad * db * special.expit(raw_b)

    examples = [((2,), (2,), (2,)), ((), (), ())]
    domain = {"x": (0, 1), "raw_a": (-2, 3), "raw_b": (-2, 3)}


class KumaraswamyUniform(Kumaraswamy):
    @staticmethod
    def backward(ctx, grad):
        return Kumaraswamy.backward(ctx, grad, tail=False)


add(
    "kumaraswamy: first parameter in the tail",
    "algebra",
    KumaraswamyUniform,
    Kumaraswamy,
    "right where the second parameter is one",
)


class MixtureDensity(Function):
    """A mixture density head: rows of (logits, means, log scales) for k components; per-row log likelihood."""

    y = np.array([0.3, -1.2])

    @staticmethod
    def _split(params):
        logits, mu, ls = np.split(params, 3, axis=-1)
        z = (MixtureDensity.y[:, None] - mu) * np.exp(-ls)
        return (
            logits,
            z,
            ls,
            special.log_softmax(logits, axis=-1) - 0.5 * z**2 - ls - 0.5 * math.log(2 * math.pi),
        )

    @staticmethod
    def forward(ctx, params):
        ctx.save_for_backward(params)
        return special.logsumexp(MixtureDensity._split(params)[3], axis=-1)

    @staticmethod
    def backward(ctx, grad):
        (params,) = ctx.saved_tensors
        logits, z, ls, joint = MixtureDensity._split(params)
        r = special.softmax(joint, axis=-1)
        return grad[:, None] * np.concatenate(
            [r - special.softmax(logits, axis=-1), r * z * np.exp(-ls), r * (z**2 - 1)], axis=-1
        )

    examples = [((2, 6),)]
    domain = {"params": (-5, 5)}


class MixtureDensityPrior(MixtureDensity):
    @staticmethod
    def backward(ctx, grad):
        (params,) = ctx.saved_tensors
        logits, z, ls, joint = MixtureDensity._split(params)
        r, p = special.softmax(joint, axis=-1), special.softmax(logits, axis=-1)
        return grad[:, None] * np.concatenate([r - p, r * z * np.exp(-ls), p * (z**2 - 1)], axis=-1)


add(
    "mixture density: responsibilities of the scales",
    "algebra",
    MixtureDensityPrior,
    MixtureDensity,
    "the prior weights for the responsibilities",
)
