"""`Tensor`: an array, and its place in the graph. It knows no operation; those are its methods'."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autodiff import graph
from autodiff.inplace import InPlace
from autodiff.methods import Methods

__all__ = ["Tensor", "as_array", "storage", "wrap"]

_object_new = object.__new__


def storage(value: Any) -> Any:
    """Return what a Tensor may hold as it is, or the NumPy array that `value` stands for.

    Arrays of other kinds that NumPy dispatches to (symbols, balls) stay what they are.
    """
    kind = type(value)
    if kind is np.ndarray or isinstance(value, np.generic):
        return value
    if kind is Tensor or isinstance(value, Tensor):
        return value._data
    # By its type: an array of another kind may say of itself that it is an instance of ndarray.
    if hasattr(kind, "__array_ufunc__") and not issubclass(kind, np.ndarray):
        return value
    if isinstance(value, (list, tuple)):
        return np.asarray(as_array(value))
    return np.asarray(value)


def as_array(value: Any) -> Any:
    """Replace the tensors in nested lists by their arrays."""
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, (list, tuple)):
        return [as_array(entry) for entry in value]
    return value


def wrap(array: Any, node: Any) -> Tensor:
    """Return a Tensor that holds `array` and came from `node` (or from none)."""
    return Tensor._make(array, node)


class Tensor(Methods, InPlace):
    """An array that records what is done with it, so that it can be differentiated.

    Make one with `tensor`, `ones`, `zeros`, `randn` and the like, or by operations on others.

    Attributes
    ----------
    requires_grad : bool
        Whether operations on this tensor are recorded.
    grad : Tensor or None
        The gradient that `backward` accumulated here.
    grad_fn : Node or None
        The operation that made this tensor; ``None`` for one that the user made.
    is_leaf : bool
        Whether the user made this tensor, or it does not require a gradient.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.ones(2, 2, requires_grad=True)
    >>> y = x + 2
    >>> y
    tensor([[3., 3.],
            [3., 3.]], grad_fn=<AddBackward>)
    >>> (y * y * 3).mean().backward()
    >>> x.grad
    tensor([[4.5000, 4.5000],
            [4.5000, 4.5000]])
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_hooks_", "_node", "_requires_grad")

    _data: Any
    _grad: Tensor | None
    _node: Any
    _requires_grad: bool
    _hooks_: dict[Any, Callable[[Tensor], Any]]

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._data = storage(data)
        self._grad = None
        self._node = None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad_(True)

    @classmethod
    def _make(cls, data: Any, node: Any) -> Tensor:
        self: Tensor = _object_new(Tensor)
        self._data = data
        self._grad = None
        self._node = node
        self._requires_grad = node is not None
        return self

    # What autograd knows about this tensor.

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set in place whether operations on this tensor are recorded; return it.

        Raises
        ------
        RuntimeError
            The dtype has no gradient (integers, booleans), or the tensor is not a leaf.
        """
        if requires_grad and self._data.dtype.kind in "biu":
            raise RuntimeError(
                "only Tensors of floating point and complex dtype can require gradients"
            )
        if self._node is not None:
            if requires_grad:
                return self
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
        self._requires_grad = bool(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got {type(value).__name__}"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: expected {list(self.shape)}, "
                    f"got {list(value.shape)}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> graph.Node | None:
        node = self._node
        return node.parent if isinstance(node, graph.Output) else node

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this tensor is."""
        return self._node.index if isinstance(self._node, graph.Output) else 0

    @property
    def is_leaf(self) -> bool:
        return self._node is None

    @property
    def retains_grad(self) -> bool:
        """Whether this result of an operation keeps its gradient (`retain_grad`)."""
        return self._node is not None and "retain" in (self._node._hooks or ())

    @property
    def _version(self) -> int:
        return graph.version(self._data)

    @property
    def data(self) -> Tensor:
        """The same values as a tensor without history, sharing memory."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        self._data = storage(value)

    def detach(self) -> Tensor:
        """Return the same values as a tensor without history, sharing memory.

        What is computed from it is not tracked.
        """
        data = self._data
        if issubclass(type(data), np.generic):  # not what stands in for a scalar
            data = self._data = np.asarray(data)
        # An array object of its own: the graph tells tensors apart by their arrays.
        return Tensor._make(data[...], None)

    def detach_(self) -> Tensor:
        """Cut this tensor off from its history, in place."""
        self._node = None
        self._requires_grad = False
        return self

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Compute the gradients of this tensor and add them to the ``.grad`` of its leaves.

        Parameters
        ----------
        gradient : Tensor, optional
            The upstream gradient, of this tensor's shape. May be left out for one element.
        retain_graph : bool, optional
            Keep the graph for another pass. The default is the value of `create_graph`.
        create_graph : bool, optional
            Record the pass, so that the gradients can be differentiated again.
        inputs : Tensor or sequence of Tensor, optional
            Accumulate into these tensors only.

        Raises
        ------
        RuntimeError
            There is nothing to differentiate; the tensor has several elements and `gradient` is
            missing, or has another shape; the graph was freed by an earlier pass; a tensor that
            the pass needs was changed in place.

        Examples
        --------
        >>> import autodiff as ad
        >>> x = ad.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward(ad.tensor([1.0, 10.0]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        if inputs is None:
            engine.backward(self, gradient, retain_graph, create_graph)
            return
        tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        grads = engine.grad(self, tensors, gradient, retain_graph, create_graph, True)
        for tensor, g in zip(tensors, grads, strict=True):
            if g is not None:
                engine._accumulate(tensor, g if create_graph else g._data)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook` with each gradient that arrives at this tensor; what it returns replaces it.

        Parameters
        ----------
        hook : callable
            Takes the gradient and returns another, or ``None`` to leave it. It must not change
            its argument.

        Returns
        -------
        RemovableHandle
            Its method ``remove`` takes the hook away.
        """
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is None:
            if self._hooks is None:
                self._hooks_ = {}
            hooks = self._hooks_
        else:
            if self._node._hooks is None:
                self._node._hooks = {}
            hooks = self._node._hooks
        key = object()
        retain = hooks.pop("retain", None)
        hooks[key] = hook
        if retain is not None:  # last, so that the gradient kept is the one that flows on
            hooks["retain"] = retain
        return RemovableHandle(hooks, key)

    @property
    def _hooks(self) -> dict[Any, Callable[[Tensor], Any]] | None:
        return getattr(self, "_hooks_", None)

    def retain_grad(self) -> None:
        """Keep the gradient of this result of an operation in its ``.grad`` too."""
        if not self._requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is None or self.retains_grad:
            return
        if self._node._hooks is None:
            self._node._hooks = {}
        reference = weakref.ref(self)

        def keep(gradient: Tensor) -> None:
            tensor = reference()
            if tensor is not None:
                if tensor._grad is None:
                    tensor._grad = gradient if gradient._node is not None else gradient.clone()
                else:
                    tensor._grad = tensor._grad + gradient

        self._node._hooks["retain"] = keep

    # What is inside.

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def itemsize(self) -> int:
        return self._data.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        return self._data.nbytes  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one axis (as in torch)."""
        return self._data.shape if dim is None else self._data.shape[dim]

    def dim(self) -> int:
        """Return the number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    def numel(self) -> int:
        """Return the number of elements."""
        return self._data.size  # type: ignore[no-any-return]

    nelement = numel

    def element_size(self) -> int:
        """Return the number of bytes of one element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    def item(self) -> Any:
        """Return the only element as a Python number."""
        if self._data.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._data.size} elements cannot be converted to Scalar"
            )
        return self._data.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self._data.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Return the values as a NumPy array that shares memory.

        Raises
        ------
        RuntimeError
            The tensor requires a gradient: what the array is used for would not be recorded.
        """
        if self._requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead."
            )
        if isinstance(self._data, np.generic):
            self._data = np.asarray(self._data)
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = np.asarray(self.numpy())
        if copy or (dtype is not None and array.dtype != dtype):
            if copy is False:
                raise ValueError("a copy is needed to convert the tensor to this dtype")
            return array.astype(dtype or array.dtype)
        return array

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "biu":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._data.item() if isinstance(self._data, np.ndarray) else self._data)

    def __complex__(self) -> complex:
        return complex(self.item())

    def __len__(self) -> int:
        if not self._data.shape:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(len(self._data))])

    def __contains__(self, value: Any) -> bool:
        return bool((storage(self) == storage(value)).any())

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        from autodiff.printing import tensor_text

        return tensor_text(self)

    def __copy__(self) -> Tensor:
        return self._same(self._data)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment: copy x.detach(), or use x.clone()"
            )
        copied = self._same(copy.deepcopy(self._data, memo))
        copied._grad = copy.deepcopy(self._grad, memo)
        memo[id(self)] = copied
        return copied

    def _same(self, data: Any) -> Tensor:
        other = Tensor._make(data, self._node)
        other._requires_grad = self._requires_grad
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        if self._node is not None:
            raise RuntimeError("only leaf tensors can be pickled: pickle x.detach()")
        return _restored, (np.asarray(self._data), self._requires_grad, self._grad)

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return np.asarray(self._data).__dlpack_device__()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.shape else format(repr(self), spec)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch.function(func, args, kwargs)


def _restored(data: Any, requires_grad: bool, grad: Tensor | None) -> Tensor:
    tensor = Tensor(data, requires_grad)
    tensor._grad = grad
    return tensor


class RemovableHandle:
    """Takes a hook away again: by `remove`, or at the end of a ``with`` block."""

    def __init__(self, hooks: dict[Any, Any], key: Any) -> None:
        self._hooks = hooks
        self._key = key

    def remove(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


# These need Tensor, which exists only now.
from autodiff import dispatch, engine  # noqa: E402
