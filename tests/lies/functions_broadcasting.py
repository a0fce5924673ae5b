"""Broadcasting and layout: sums not undone, permutations, flips, offsets."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []


def add(name, kind, lie, twin, why):
    CASES.append(Case(name, kind, lie, twin, why=why))


class AddBias(Function):
    examples = [((3, 4), (4,)), ((3, 3), (3,))]

    @staticmethod
    def forward(ctx, x, bias):
        ctx.shapes = x.shape, bias.shape
        return x + bias

    @staticmethod
    def backward(ctx, grad):
        return unbroadcast(grad, ctx.shapes[0]), unbroadcast(grad, ctx.shapes[1])


class AddBiasNotSummed(AddBias):
    @staticmethod
    def backward(ctx, grad):
        return grad, grad


class AddBiasWrongAxis(AddBias):
    examples = [((3, 3), (3,))]

    @staticmethod
    def backward(ctx, grad):
        return grad, grad.sum(axis=-1)


class AddBiasMean(AddBias):
    @staticmethod
    def backward(ctx, grad):
        return grad, grad.mean(axis=0)


add(
    "bias: not summed",
    "contract",
    AddBiasNotSummed,
    AddBias,
    "the bias gets a gradient of the matrix's shape",
)
add(
    "bias: wrong axis, square",
    "algebra",
    AddBiasWrongAxis,
    AddBias,
    "summed along the columns instead of the rows, unnoticed in a square matrix",
)
add(
    "bias: mean",
    "algebra",
    AddBiasMean,
    AddBias,
    "averaged over the batch instead of summed; right for a batch of one",
)


class ScaleColumns(Function):
    """A matrix times a column: the size-1 axis is stretched."""

    examples = [((3, 4), (3, 1)), ((2, 2), (2, 1)), ((1, 2), (1, 1))]

    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx, grad):
        x, scale = ctx.saved_tensors
        return unbroadcast(grad * scale, x.shape), unbroadcast(grad * x, scale.shape)


class ScaleColumnsSqueezed(ScaleColumns):
    @staticmethod
    def backward(ctx, grad):
        x, scale = ctx.saved_tensors
        return grad * scale, (grad * x).sum(axis=1)


class ScaleColumnsWholeSum(ScaleColumns):
    @staticmethod
    def backward(ctx, grad):
        x, scale = ctx.saved_tensors
        return grad * scale, np.full(scale.shape, (grad * x).sum())


add(
    "column scale: axis squeezed",
    "contract",
    ScaleColumnsSqueezed,
    ScaleColumns,
    "the gradient of a column has lost its axis of size 1",
)
add(
    "column scale: summed over everything",
    "algebra",
    ScaleColumnsWholeSum,
    ScaleColumns,
    "the sum runs over the rows as well; right for one row",
)


class MultiplyLeading(Function):
    """The second argument lacks the leading axes of the first."""

    examples = [((2, 3, 4), (4,)), ((2, 3, 4), (3, 1)), ((2, 2), (2,)), ((3,), ())]

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * y, x.shape), unbroadcast(grad * x, y.shape)


class MultiplyLeadingOneAxis(MultiplyLeading):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        wide = grad * x
        if wide.ndim > y.ndim:
            wide = wide.sum(axis=0)
        return unbroadcast(grad * y, x.shape), wide


class MultiplyLeadingNoStretch(MultiplyLeading):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        wide = grad * x
        while wide.ndim > y.ndim:
            wide = wide.sum(axis=0)
        return unbroadcast(grad * y, x.shape), wide


add(
    "multiply: one leading axis",
    "contract",
    MultiplyLeadingOneAxis,
    MultiplyLeading,
    "only one of the leading axes is summed",
)
add(
    "multiply: stretched axis",
    "contract",
    MultiplyLeadingNoStretch,
    MultiplyLeading,
    "leading axes are summed, axes of size 1 are not",
)


class ScalarTimes(Function):
    """A 0-d scale for an array."""

    examples = [((), (3,)), ((), (2, 2)), ((), ())]

    @staticmethod
    def forward(ctx, scale, x):
        ctx.save_for_backward(scale, x)
        return scale * x

    @staticmethod
    def backward(ctx, grad):
        scale, x = ctx.saved_tensors
        return (grad * x).sum(), grad * scale


class ScalarTimesShape(ScalarTimes):
    @staticmethod
    def backward(ctx, grad):
        scale, x = ctx.saved_tensors
        return np.array([(grad * x).sum()]), grad * scale


add(
    "scalar: shape (1,)",
    "contract",
    ScalarTimesShape,
    ScalarTimes,
    "a gradient of shape (1,) for an argument of shape ()",
)


class Roll(Function):
    examples = [((5,), {"shift": 2})]

    @staticmethod
    def forward(ctx, x, *, shift):
        ctx.shift = shift
        return np.roll(x, shift)

    @staticmethod
    def backward(ctx, grad):
        return np.roll(grad, -ctx.shift)


class RollAgain(Roll):
    @staticmethod
    def backward(ctx, grad):
        return np.roll(grad, ctx.shift)


add(
    "roll: the same way",
    "algebra",
    RollAgain,
    Roll,
    "rolled on instead of back; right where the shift is half the length",
)


class Flip(Function):
    examples = [((3, 4),), ((2, 2),)]

    @staticmethod
    def forward(ctx, x):
        return x[:, ::-1]

    @staticmethod
    def backward(ctx, grad):
        return grad[:, ::-1]


class FlipNotBack(Flip):
    @staticmethod
    def backward(ctx, grad):
        return grad


class FlipBoth(Flip):
    @staticmethod
    def backward(ctx, grad):
        return grad[::-1, ::-1]


add("flip: not back", "algebra", FlipNotBack, Flip, "the gradient is not flipped back")
add(
    "flip: both axes",
    "algebra",
    FlipBoth,
    Flip,
    "both axes are flipped back though one was flipped",
)


class Pad(Function):
    examples = [((3,), {"before": 2, "after": 1})]

    @staticmethod
    def forward(ctx, x, *, before, after):
        ctx.before, ctx.n = before, len(x)
        return np.concatenate([np.zeros(before), x, np.zeros(after)])

    @staticmethod
    def backward(ctx, grad):
        return grad[ctx.before : ctx.before + ctx.n]


class PadExchanged(Pad):
    @staticmethod
    def backward(ctx, grad):
        after = len(grad) - ctx.n - ctx.before
        return grad[after : after + ctx.n]


add(
    "pad: ends exchanged",
    "algebra",
    PadExchanged,
    Pad,
    "the widths before and after are exchanged; right where they are equal",
)


class Permute(Function):
    examples = [
        ((2, 3, 4), {"axes": (1, 2, 0)}),
        ((2, 2, 2), {"axes": (2, 0, 1)}),
        ((2, 3, 4), {"axes": (0, 2, 1)}),
    ]

    @staticmethod
    def forward(ctx, x, *, axes):
        ctx.axes = axes
        return np.transpose(x, axes)

    @staticmethod
    def backward(ctx, grad):
        return np.transpose(grad, np.argsort(ctx.axes))


class PermuteAgain(Permute):
    examples = [((2, 2, 2), {"axes": (2, 0, 1)})]

    @staticmethod
    def backward(ctx, grad):
        return np.transpose(grad, ctx.axes)


add(
    "transpose: permutation not inverted",
    "algebra",
    PermuteAgain,
    Permute,
    "the same permutation again; right for an exchange of two axes",
)


class Concatenate(Function):
    examples = [((2,), (3,)), ((2, 2), (2, 2))]

    @staticmethod
    def forward(ctx, x, y):
        ctx.n = len(x)
        return np.concatenate([x, y])

    @staticmethod
    def backward(ctx, grad):
        return grad[: ctx.n], grad[ctx.n :]


class ConcatenateFromTheEnd(Concatenate):
    @staticmethod
    def backward(ctx, grad):
        m = len(grad) - ctx.n
        return grad[-ctx.n :], grad[:m]


add(
    "concatenate: from the end",
    "algebra",
    ConcatenateFromTheEnd,
    Concatenate,
    "the pieces are cut off in the opposite order",
)


class Repeat(Function):
    examples = [((3,), {"times": 2}), ((2,), {"times": 2})]

    @staticmethod
    def forward(ctx, x, *, times):
        ctx.times = times
        return np.repeat(x, times)

    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(-1, ctx.times).sum(axis=1)


class RepeatLikeTile(Repeat):
    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(ctx.times, -1).sum(axis=0)


class RepeatFirst(Repeat):
    @staticmethod
    def backward(ctx, grad):
        return grad[:: ctx.times]


add(
    "repeat: like tile",
    "algebra",
    RepeatLikeTile,
    Repeat,
    "copies are gathered as np.tile lays them out",
)
add(
    "repeat: first copy",
    "algebra",
    RepeatFirst,
    Repeat,
    "only the first copy's gradient is taken instead of the sum",
)


class Triangle(Function):
    examples = [((3, 3),), ((2, 3),)]

    @staticmethod
    def forward(ctx, x):
        return np.tril(x)

    @staticmethod
    def backward(ctx, grad):
        return np.tril(grad)


class TriangleStrict(Triangle):
    @staticmethod
    def backward(ctx, grad):
        return np.tril(grad, -1)


class TriangleUpper(Triangle):
    @staticmethod
    def backward(ctx, grad):
        return np.triu(grad)


add("tril: strict", "algebra", TriangleStrict, Triangle, "the diagonal is left out")
add("tril: upper", "algebra", TriangleUpper, Triangle, "the other triangle is kept")


class Select(Function):
    """where(mask, x, y) with a fixed mask."""

    examples = [((3,), (3,), {"mask": [True, False, True]})]

    @staticmethod
    def forward(ctx, x, y, *, mask):
        ctx.mask = np.asarray(mask)
        ctx.shapes = x.shape, y.shape
        return np.where(ctx.mask, x, y)

    @staticmethod
    def backward(ctx, grad):
        wide = np.where(ctx.mask, grad, 0.0), np.where(ctx.mask, 0.0, grad)
        return unbroadcast(wide[0], ctx.shapes[0]), unbroadcast(wide[1], ctx.shapes[1])


class SelectExchanged(Select):
    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.mask, 0.0, grad), np.where(ctx.mask, grad, 0.0)


class SelectUnmasked(Select):
    @staticmethod
    def backward(ctx, grad):
        return np.where(ctx.mask, grad, 0.0), grad


add("where: exchanged", "algebra", SelectExchanged, Select, "the mask is inverted")
add(
    "where: second unmasked",
    "algebra",
    SelectUnmasked,
    Select,
    "the second argument gets the gradient under the mask too",
)


class FlattenColumns(Function):
    """Flatten in column-major order."""

    examples = [((2, 3),), ((2, 2),)]

    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return x.T.reshape(-1)

    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(ctx.shape[::-1]).T


class FlattenColumnsAsRows(FlattenColumns):
    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(ctx.shape)


add(
    "flatten: order",
    "algebra",
    FlattenColumnsAsRows,
    FlattenColumns,
    "forward reads columns, backward fills rows",
)
