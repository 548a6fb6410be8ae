"""Routines of CuPy's libraries that have no source: thrust's sort, and cuSOLVER's factorizations by NumPy."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import prod
from typing import Any, Literal

import numpy as np

from cupy_stand_in.library import library
from cupy_stand_in.watching import Launch, record

Host = np.ndarray[Any, np.dtype[Any]]


def replace_routines() -> None:
    import cupy
    from cupy.cuda import thrust

    thrust.argsort = _argsort
    for name in ("cholesky", "qr", "eigh", "svd"):
        setattr(cupy.linalg, name, globals()[f"_{name}"])


def _argsort(dtype: Any, indices: int, data: int, keys: int, shape: tuple[int, ...]) -> None:
    """thrust's stable sort, which neither waits nor copies to the host; its kernels count as one launch."""

    def sort() -> None:
        values = _at(data, np.dtype(dtype), shape)
        _at(indices, np.dtype(np.intp), shape)[...] = np.argsort(values, axis=-1, kind="stable")

    record.launches.append(Launch("thrust_argsort", (1, 1), (1, 1), 0, 0, captured=False))
    _do(sort)


BODY = ctypes.CFUNCTYPE(None, *[ctypes.c_uint] * 4, ctypes.c_void_p)
_kept: list[Any] = []


def _do(body: Callable[[], None]) -> None:
    """Do something at its place in the current stream, and again when a graph is launched that captures it."""
    import cupy

    stream = cupy.cuda.get_current_stream()
    function = BODY(lambda *_: body())
    if stream.is_capturing():
        _kept.append(function)
    library().stand_in_do(function, ctypes.c_void_p(stream.ptr))


def _at(address: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Host:
    if not prod(shape):
        return np.empty(shape, dtype)
    memory = (ctypes.c_char * (prod(shape) * dtype.itemsize)).from_address(address)
    return np.ndarray(shape, dtype, memory)  # type: ignore[arg-type]  # it has the buffer protocol


def _in_memory(array: Any) -> Host:
    return _at(array.data.ptr, array.dtype, array.shape)


def _factors(function: Callable[[Host], tuple[Host, ...]], matrix: Any, by_columns: tuple[bool, ...]) -> Any:
    """NumPy's factors of matrices of finite numbers: cuSOLVER's results are not defined for others.

    LAPACK writes by columns, so that some results are transposed views.
    """
    import cupy

    given = cupy.ascontiguousarray(matrix)
    like = function(np.broadcast_to(np.eye(*given.shape[-2:], dtype=given.dtype), given.shape))
    results = [
        cupy.empty(part.swapaxes(-1, -2).shape if t else part.shape, part.dtype)
        for part, t in zip(like, by_columns, strict=True)
    ]

    def factor() -> None:
        host = _in_memory(given)
        if not np.isfinite(host).all():
            record.faults.append("NaN or infinity is handed to cuSOLVER")
            return
        for result, part, transposed in zip(results, function(host), by_columns, strict=True):
            _in_memory(result)[...] = part.swapaxes(-1, -2) if transposed else part

    _do(factor)
    return tuple(r.swapaxes(-1, -2) if t else r for r, t in zip(results, by_columns, strict=True))


def _cholesky(a: Any) -> Any:
    def one(matrix: Host) -> Host:
        try:
            return np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:  # CuPy does not wait to see whether it succeeded
            return np.tril(matrix)

    def all_(host: Host) -> tuple[Host, ...]:
        flat = [one(matrix) for matrix in host.reshape(-1, *host.shape[-2:])]
        return (np.stack(flat).reshape(host.shape) if flat else host,)

    return _factors(all_, a, (False,))[0]


def _qr(a: Any, mode: Literal["reduced", "complete"] = "reduced") -> Any:
    return _factors(lambda host: tuple(np.linalg.qr(host, mode)), a, (True, True))


def _eigh(a: Any, UPLO: Literal["L", "U"] = "L") -> Any:
    def factors(host: Host) -> tuple[Host, ...]:
        values, vectors = np.linalg.eigh(host, UPLO)
        zero = (host == 0).all(axis=(-2, -1))
        values[zero], vectors[zero] = np.nan, np.nan  # as cuSOLVER has been seen to
        return values, vectors

    return _factors(factors, a, (False, True))


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return _factors(lambda host: tuple(np.linalg.svd(host, full_matrices)), a, (True, False, True))
