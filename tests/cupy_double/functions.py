"""CuPy's functions and operators, by NumPy's: with CuPy's names of arguments, and without what CuPy lacks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cupy_double.arrays import Host, array, computed, flushed, ndarray, ordered, sortable
from cupy_double.devices import machine

NOT_ARRAYS = {"axis", "reps", "repeats"}  # arguments that may be tuples of int


def _plain(name: str, value: Any, flushes: bool) -> Any:
    """An argument as NumPy's function takes it."""
    if isinstance(value, ndarray):
        return flushed(value._here()) if flushes else value._here()
    if name == "tup":
        return [_plain("", part, flushes) for part in value]
    if isinstance(value, np.ndarray | list | tuple) and name not in NOT_ARRAYS:
        raise TypeError(f"Unsupported type {type(value)}")
    return flushed(value) if flushes and isinstance(value, np.float32) else value


def operation(function: Callable[..., Any] | None = None, *, flushes: bool = False, waits: bool = False) -> Any:
    """CuPy's function, from one of hidden arrays."""
    if function is None:
        return functools.partial(operation, flushes=flushes, waits=waits)
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        out = given.pop("out", None)
        for value in given.values() if out is not None else ():
            ordered(out._array, value)

        def compute() -> Any:
            plain = {name: _plain(name, value, flushes) for name, value in given.items()}
            bound = inspect.BoundArguments(signature, plain)  # type: ignore[arg-type]
            result = function(*bound.args, **bound.kwargs)
            return flushed(np.asarray(result)) if flushes else result

        if waits:
            machine().count("waits", f"the host waits in cupy.{function.__name__}")
        return computed(compute, out)

    return called


def _method(ufunc: np.ufunc, *, swapped: bool = False, in_place: bool = False) -> Any:
    """An operator's method of `ndarray`."""

    @operation(flushes=True)
    def combined(x: Any, y: Any, out: Any = None) -> Any:
        return ufunc(y, x) if swapped else ufunc(x, y)

    def method(self: ndarray, other: Any) -> Any:
        if not isinstance(other, ndarray | np.ndarray | np.generic | int | float | complex):
            return NotImplemented
        return combined(self, other, self if in_place else None)

    return method


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}
COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
UNARY = {"neg": np.negative, "invert": np.invert, "abs": np.absolute}

for _name, _ufunc in BINARY.items():
    setattr(ndarray, f"__{_name}__", _method(_ufunc))
    setattr(ndarray, f"__r{_name}__", _method(_ufunc, swapped=True))
    setattr(ndarray, f"__i{_name}__", _method(_ufunc, in_place=True))
for _name, _ufunc in COMPARISONS.items():
    setattr(ndarray, f"__{_name}__", _method(_ufunc))
for _name, _ufunc in UNARY.items():
    setattr(ndarray, f"__{_name}__", operation(lambda x, f=_ufunc: f(x), flushes=True))
ndarray.__hash__ = None  # type: ignore[assignment]


# The functions


@operation(flushes=True)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Host:
    return np.arange(start, dtype=dtype) if stop is None else np.arange(start, stop, step, dtype)


def _checked(a: Any) -> ndarray:
    if not isinstance(a, ndarray):
        raise TypeError(f"Unsupported type {type(a)}")
    return a


def ascontiguousarray(a: ndarray, dtype: Any = None) -> ndarray:
    made = _checked(a) if dtype is None else a.astype(dtype, copy=False)
    made = made if made.flags.c_contiguous else made.copy()
    return made if made.ndim else made.reshape(1)


def broadcast_to(array: ndarray, shape: Any) -> ndarray:
    return _checked(array)._view(lambda x: np.broadcast_to(x, shape))


def moveaxis(a: ndarray, source: Any, destination: Any) -> ndarray:
    return _checked(a)._view(lambda x: np.moveaxis(x, source, destination))


def swapaxes(a: ndarray, axis1: int, axis2: int) -> ndarray:
    return _checked(a)._view(lambda x: np.swapaxes(x, axis1, axis2))


def expand_dims(a: ndarray, axis: Any) -> ndarray:
    return _checked(a)._view(lambda x: np.expand_dims(x, axis))


def may_share_memory(a: ndarray, b: ndarray, max_work: Any = None) -> bool:
    return bool(np.may_share_memory(_checked(a)._array, _checked(b)._array))


def shares_memory(a: ndarray, b: ndarray, max_work: Any = None) -> bool:
    machine().count("waits", "cupy.shares_memory sorts addresses and copies the answer to the host")
    return bool(np.shares_memory(_checked(a)._array, _checked(b)._array))


@operation
def concatenate(
    tup: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Host:
    return np.concatenate(tup, axis, dtype=dtype, casting=casting)


@operation
def stack(tup: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Host:
    return np.stack(tup, axis, dtype=dtype, casting=casting)


@operation
def where(condition: Any, x: Any, y: Any) -> Host:
    return np.where(condition, x, y)


@operation
def _take(a: Any, indices: Any, axis: int | None, out: Any = None) -> Host:
    return np.take(a, indices, axis)


def take(a: ndarray, indices: Any, axis: int | None = None, out: ndarray | None = None) -> ndarray:
    return _take(_checked(a), array(indices) if isinstance(indices, list | tuple) else indices, axis, out)


@operation
def take_along_axis(a: Any, indices: Any, axis: int) -> Host:
    return np.take_along_axis(a, indices, axis)


def sort(a: ndarray, axis: int | None = -1, kind: str | None = None) -> ndarray:
    made = _checked(a).ravel().copy() if axis is None else _checked(a).copy()
    made.sort(-1 if axis is None else axis, kind)
    return made


@operation
def _argsort(a: Any, axis: int | None) -> Host:
    return np.argsort(a, axis, kind="stable")


def argsort(a: ndarray, axis: int | None = -1, kind: str | None = None) -> ndarray:
    sortable(_checked(a))
    return _argsort(a, axis)


@operation
def _argmax(a: Any, axis: int | None, keepdims: bool, out: Any = None) -> Host:
    return np.asarray(np.argmax(flushed(a), axis, keepdims=keepdims))


def argmax(
    a: ndarray, axis: int | None = None, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False
) -> ndarray:
    if _checked(a).dtype.name == "bfloat16":
        raise TypeError("Wrong type (bfloat16) of arguments for cupy_argmax")
    return _argmax(a, axis, keepdims, out)


@operation(flushes=True)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Host:
    return np.cumsum(a, axis, dtype)


@operation(flushes=True)
def amax(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Host:
    return np.asarray(np.max(a, axis, keepdims=keepdims))


@operation(flushes=True)
def amin(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Host:
    return np.asarray(np.min(a, axis, keepdims=keepdims))


@operation(flushes=True)
def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Host:
    return np.asarray(np.sum(a, axis, dtype, keepdims=keepdims))


@operation(flushes=True)
def all(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Host:
    return np.asarray(np.all(a, axis, keepdims=keepdims))


@operation(flushes=True)
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Host:
    return np.asarray(np.any(a, axis, keepdims=keepdims))


@operation(flushes=True)
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Host:
    return np.asarray(np.searchsorted(a, v, side, sorter))


@operation(waits=True)
def nonzero(a: Any) -> tuple[Host, ...]:
    return np.nonzero(flushed(a))


@operation(waits=True)
def flatnonzero(a: Any) -> Host:
    return np.flatnonzero(flushed(a))


@operation
def _repeat(a: Any, repeats: Any, axis: int | None) -> Host:
    return np.repeat(a, repeats, axis)


def repeat(a: ndarray, repeats: Any, axis: int | None = None) -> ndarray:
    if isinstance(repeats, ndarray):
        raise ValueError("cupy.ndaray cannot be specified as `repeats` argument.")
    return _repeat(_checked(a), repeats, axis)


@operation
def tile(A: Any, reps: Any) -> Host:
    return np.tile(A, reps)


@operation(flushes=True)
def maximum(x1: Any, x2: Any, /, out: Any = None) -> Host:
    return np.maximum(x1, x2)


@operation(flushes=True)
def minimum(x1: Any, x2: Any, /, out: Any = None) -> Host:
    return np.minimum(x1, x2)


@operation(flushes=True)
def fmod(x1: Any, x2: Any, /, out: Any = None) -> Host:
    return np.fmod(x1, x2)


@operation(flushes=True)
def rint(x: Any, /, out: Any = None) -> Host:
    return np.rint(x)


@operation
def qr(a: Any, mode: Any = "reduced") -> Any:
    _defined(a)
    return tuple(np.linalg.qr(a, mode)) if mode in ("reduced", "complete") else np.linalg.qr(a, mode)


# cuSOLVER's results for these are undefined, or an exception: nothing of keyrng's may rely on them.


def _defined(a: Any) -> Any:
    assert np.isfinite(a).all(), "NaN or infinity is handed to cuSOLVER"
    return a


def _cholesky(matrix: Any) -> Any:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:  # CuPy does not wait to see whether it succeeded
        return np.tril(matrix)


@operation
def cholesky(a: Any) -> Host:
    flat = [_cholesky(matrix) for matrix in _defined(a).reshape(-1, *a.shape[-2:])]
    return np.stack(flat).reshape(a.shape) if flat else a


@operation
def eigh(a: Any, UPLO: Any = "L") -> tuple[Host, ...]:
    values, vectors = np.linalg.eigh(_defined(a), UPLO)
    zero = (a == 0).all(axis=(-2, -1))
    values[zero], vectors[zero] = np.nan, np.nan  # as cuSOLVER has been seen to
    return values, vectors


@operation
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    result = np.linalg.svd(_defined(a), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result


# The methods of the same names


def _argmax_method(
    self: ndarray, axis: int | None = None, out: ndarray | None = None, dtype: Any = None, keepdims: bool = False
) -> ndarray:
    return argmax(self, axis, dtype, out, keepdims)


_METHODS = {
    "argsort": argsort,
    "take": take,
    "cumsum": cumsum,
    "argmax": _argmax_method,
    "max": amax,
    "min": amin,
    "sum": sum,
    "all": all,
    "any": any_,
}
for _name, _function in _METHODS.items():
    setattr(ndarray, _name, _function)
