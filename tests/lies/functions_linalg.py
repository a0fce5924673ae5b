"""Products of matrices: transposed operands, symmetric shortcuts, batches."""

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(name, kind, lie, twin, options, why=why))


class MatMul(Function):
    examples = [((2, 3), (3, 4)), ((2, 2), (2, 2)), ((1, 3), (3, 1))]

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad @ b.T, a.T @ grad


class MatMulSquareNotTransposed(MatMul):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        if b.shape[0] == b.shape[1]:
            return grad @ b, a.T @ grad
        return grad @ b.T, a.T @ grad


class MatMulOrder(MatMul):
    examples = [((2, 2), (2, 2))]

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return b.T @ grad, grad @ a.T


class MatMulUpstreamTransposed(MatMul):
    examples = [((3, 3), (3, 3))]

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad.T @ b.T, a.T @ grad.T


add(
    "matmul: square not transposed",
    "algebra",
    MatMulSquareNotTransposed,
    MatMul,
    "a square second operand is not transposed",
)
add(
    "matmul: order of factors",
    "algebra",
    MatMulOrder,
    MatMul,
    "the factors of both products are exchanged; shapes agree for square matrices",
)
add(
    "matmul: upstream transposed",
    "algebra",
    MatMulUpstreamTransposed,
    MatMul,
    "the upstream gradient is transposed; shapes agree for square matrices",
)


class BatchMatMul(Function):
    """A batch of matrices times one matrix."""

    examples = [((2, 3, 2), (2, 3)), ((1, 2, 2), (2, 2))]

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.matmul(a, b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return np.matmul(grad, b.T), np.einsum("bij,bik->jk", a, grad)


class BatchMatMulFirst(BatchMatMul):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return np.matmul(grad, b.T), a[0].T @ grad[0]


class BatchMatMulMean(BatchMatMul):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return np.matmul(grad, b.T), np.einsum("bij,bik->jk", a, grad) / len(a)


add(
    "batched matmul: first of the batch",
    "algebra",
    BatchMatMulFirst,
    BatchMatMul,
    "the shared matrix gets the gradient of the first item only; right for a batch of one",
)
add(
    "batched matmul: mean over the batch",
    "algebra",
    BatchMatMulMean,
    BatchMatMul,
    "averaged over the batch instead of summed; right for a batch of one",
)


class Affine(Function):
    """x W^T + b, as torch's linear."""

    examples = [((3, 2), (4, 2), (4,)), ((2, 2), (2, 2), (2,))]

    @staticmethod
    def forward(ctx, x, weight, bias):
        if bias.shape != (weight.shape[0],):
            raise ValueError("one bias for each row of the weight")
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        return grad @ weight, grad.T @ x, grad.sum(axis=0)


class AffineWeightTransposed(Affine):
    examples = [((2, 2), (2, 2), (2,))]

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        return grad @ weight, x.T @ grad, grad.sum(axis=0)


class AffineMeanOverBatch(Affine):
    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        return grad @ weight, grad.T @ x / len(x), grad.sum(axis=0)


add(
    "linear: weight transposed",
    "algebra",
    AffineWeightTransposed,
    Affine,
    "the weight's gradient is transposed; shapes agree for square weights",
)
add(
    "linear: mean over the batch",
    "algebra",
    AffineMeanOverBatch,
    Affine,
    "the weight's gradient is divided by the batch size, the bias's is not",
)


class QuadraticForm(Function):
    """x^T A x, with any square A."""

    examples = [((3,), (3, 3)), ((1,), (1, 1))]

    @staticmethod
    def forward(ctx, x, a):
        ctx.save_for_backward(x, a)
        return x @ a @ x

    @staticmethod
    def backward(ctx, grad):
        x, a = ctx.saved_tensors
        return grad * (a @ x + a.T @ x), grad * np.outer(x, x)


class QuadraticFormSymmetric(QuadraticForm):
    @staticmethod
    def backward(ctx, grad):
        x, a = ctx.saved_tensors
        return 2 * grad * (a @ x), grad * np.outer(x, x)


add(
    "quadratic form: A taken as symmetric",
    "algebra",
    QuadraticFormSymmetric,
    QuadraticForm,
    "2 A x, which holds for symmetric A only",
)


class Gram(Function):
    """A A^T."""

    examples = [((2, 3),), ((3, 1),)]

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return a @ a.T

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return (grad + grad.T) @ a


class GramTwice(Gram):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 2 * grad @ a


add(
    "gram: upstream taken as symmetric",
    "algebra",
    GramTwice,
    Gram,
    "2 G A instead of (G + G^T) A: right for a symmetric upstream gradient such as ones",
)


class TraceOfProduct(Function):
    examples = [((2, 3), (3, 2)), ((2, 2), (2, 2))]

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.trace(a @ b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b.T, grad * a.T


class TraceOfProductNotTransposed(TraceOfProduct):
    examples = [((2, 2), (2, 2))]

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b, grad * a


add(
    "trace of a product: not transposed",
    "algebra",
    TraceOfProductNotTransposed,
    TraceOfProduct,
    "tr(AB) differentiates to B^T and A^T",
)


class Outer(Function):
    examples = [((2,), (3,)), ((2,), (2,))]

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.outer(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad @ y, x @ grad


class OuterExchanged(Outer):
    examples = [((2,), (2,))]

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return y @ grad, grad @ x


add(
    "outer: upstream transposed",
    "algebra",
    OuterExchanged,
    Outer,
    "the upstream gradient is contracted along the wrong axes; shapes agree for equal lengths",
)


class Cross(Function):
    examples = [((3,), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != (3,) or y.shape != (3,):
            raise ValueError("two vectors of three entries are expected")
        ctx.save_for_backward(x, y)
        return np.cross(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.cross(y, grad), np.cross(grad, x)


class CrossOrder(Cross):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return np.cross(grad, y), np.cross(grad, x)


add(
    "cross: order",
    "algebra",
    CrossOrder,
    Cross,
    "the factors of an anticommutative product are exchanged: a sign in the first argument",
)


class MatrixSquare(Function):
    examples = [((2, 2),), ((3, 3),)]

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return a @ a

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad @ a.T + a.T @ grad


class MatrixSquareLikeScalar(MatrixSquare):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return 2 * grad @ a.T


add(
    "matrix square: like a scalar's",
    "algebra",
    MatrixSquareLikeScalar,
    MatrixSquare,
    "2 G A^T: matrices do not commute; right for one by one",
)


class Symmetrise(Function):
    examples = [((2, 2),), ((3, 3),)]

    @staticmethod
    def forward(ctx, a):
        return (a + a.T) / 2

    @staticmethod
    def backward(ctx, grad):
        return (grad + grad.T) / 2


class SymmetrisePassed(Symmetrise):
    @staticmethod
    def backward(ctx, grad):
        return grad


add(
    "symmetrise: passed on",
    "algebra",
    SymmetrisePassed,
    Symmetrise,
    "the upstream gradient is passed on as if it were symmetric",
)
