"""CuPy's functions, methods and operators, implemented with NumPy, without those that CuPy lacks."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from cupy_double.arrays import Host, asarray, lifted, ndarray, wrapped
from cupy_double.devices import machine

MOVING = """
arange ascontiguousarray broadcast_to moveaxis swapaxes expand_dims concatenate stack where take take_along_axis repeat
tile
"""
COMPUTING = "cumsum amax amin sum all any searchsorted maximum minimum fmod rint"
VIEWS = "reshape ravel transpose squeeze swapaxes view take"
REDUCTIONS = "cumsum max min sum all any"
OPERATORS = "add sub mul truediv floordiv mod and or xor lshift rshift"
COMPARISONS = "eq ne lt le gt ge neg invert abs"

FUNCTIONS: dict[str, Any] = {
    **{name: lifted(getattr(np, name)) for name in MOVING.split()},
    **{name: lifted(getattr(np, name), flushes=True) for name in COMPUTING.split()},
}


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    FUNCTIONS[function.__name__.removeprefix("cupy_")] = function
    return function


@_function
def empty(shape: Any, dtype: Any = float) -> ndarray:
    return ndarray(shape, dtype)


@_function
def full(shape: Any, fill_value: Any, dtype: Any = None) -> ndarray:
    made = ndarray(shape, np.asarray(fill_value).dtype if dtype is None else dtype)
    made.fill(fill_value)
    return made


@_function
def zeros(shape: Any, dtype: Any = float) -> ndarray:
    return full(shape, 0, dtype)


@_function
def empty_like(prototype: ndarray, dtype: Any = None) -> ndarray:
    return ndarray(prototype.shape, prototype.dtype if dtype is None else dtype)


@_function
def zeros_like(a: ndarray, dtype: Any = None) -> ndarray:
    return zeros(a.shape, a.dtype if dtype is None else dtype)


@_function
def asnumpy(a: Any) -> Host:
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


@_function
def may_share_memory(a: ndarray, b: ndarray) -> bool:
    return bool(np.may_share_memory(a._array, b._array))


def _waits(name: str) -> Callable[..., Any]:
    compute = lifted(getattr(np, name))

    def waiting(*args: Any, **named: Any) -> Any:
        machine().tell("wait", f"in cupy.{name}")
        return compute(*args, **named)

    return waiting


FUNCTIONS.update(asarray=asarray, array=asarray, nonzero=_waits("nonzero"), flatnonzero=_waits("flatnonzero"))


# A stable sort, and the functions that CuPy does not support for bfloat16.


def _sortable(a: ndarray, name: str) -> None:
    if a.dtype.name == "bfloat16" or not a.ndim:
        raise NotImplementedError(f"{name} of dtype {a.dtype} with {a.ndim} axes is not supported")


@_function
def argsort(a: ndarray, axis: int | None = -1, kind: str | None = None) -> ndarray:
    _sortable(a, "argsort")
    made: ndarray = lifted(np.argsort)(a, axis, kind="stable")
    return made


@_function
def argmax(a: ndarray, axis: int | None = None, keepdims: bool = False) -> ndarray:
    _sortable(a, "argmax")
    made: ndarray = lifted(np.argmax, flushes=True)(a, axis, keepdims=keepdims)
    return made


# Factors: cuSOLVER's results are not defined for what is not finite, so nothing may rely on them.


def _finite(a: ndarray) -> Host:
    assert np.isfinite(a._array).all(), "NaN or infinity is handed to cuSOLVER"
    return a._array


def _cholesky(matrix: Host) -> Host:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:  # CuPy does not wait to see whether it succeeded
        return np.tril(matrix)


def cholesky(a: ndarray) -> ndarray:
    flat = [_cholesky(matrix) for matrix in _finite(a).reshape(-1, *a.shape[-2:])]
    made: ndarray = wrapped(np.stack(flat).reshape(a.shape) if flat else a._array)
    return made


def eigh(a: ndarray) -> tuple[ndarray, ...]:
    values, vectors = np.linalg.eigh(_finite(a))
    zero = (a._array == 0).all(axis=(-2, -1))
    values[zero], vectors[zero] = np.nan, np.nan  # as cuSOLVER has been seen to
    made: tuple[ndarray, ...] = wrapped((values, vectors))
    return made


FACTORS = {
    "cholesky": cholesky,
    "eigh": eigh,
    "qr": lambda a, mode="reduced": wrapped(tuple(np.linalg.qr(_finite(a), mode))),
    "svd": lambda a, **named: wrapped(tuple(np.linalg.svd(_finite(a), **named))),
}


# Methods and operators


def _operator(function: Callable[..., Any], swapped: bool = False) -> Any:
    compute = lifted((lambda x, y: function(y, x)) if swapped else function, flushes=True)

    def method(self: ndarray, *other: Any) -> Any:
        if not all(isinstance(value, ndarray | np.ndarray | np.generic | int | float | complex) for value in other):
            return NotImplemented
        return compute(self, *other)

    return method


def _in_place(function: Callable[..., Any]) -> Any:
    return lambda self, other: lifted(function, flushes=True)(self, other, out=self)


def _method(name: str, flushes: bool = False) -> Any:
    return lifted(lambda x, *args, **named: getattr(x, name)(*args, **named), flushes)


def _view(name: str) -> Any:
    return lambda self, *args, **named: wrapped(getattr(self._array, name)(*args, **named), self._device)


for _name in OPERATORS.split():
    _function_ = getattr(operator, f"__{_name}__")
    setattr(ndarray, f"__{_name}__", _operator(_function_))
    setattr(ndarray, f"__r{_name}__", _operator(_function_, swapped=True))
    setattr(ndarray, f"__i{_name}__", _in_place(_function_))
for _name in COMPARISONS.split():
    setattr(ndarray, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))
for _name in VIEWS.split():
    setattr(ndarray, _name, _view(_name) if _name != "take" else _method(_name))
for _name in REDUCTIONS.split():
    setattr(ndarray, _name, _method(_name, flushes=True))
ndarray.argsort, ndarray.argmax = argsort, argmax  # type: ignore[attr-defined]
ndarray.__hash__ = None  # type: ignore[assignment]
for _name, _get in {"T": np.transpose, "real": np.real, "imag": np.imag}.items():
    setattr(ndarray, _name, property(lambda self, get=_get: wrapped(get(self._array), self._device)))
