"""The dtypes of samples, from dtype arguments."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._core.migration import advice

Dtype: TypeAlias = np.dtype[Any]
DTypeLike: TypeAlias = Any  # a name, a NumPy dtype or scalar type, or ml_dtypes.bfloat16

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_FAMILIES = {
    "float": _FLOATS,
    "float or complex": (*_FLOATS, "complex64", "complex128"),
    "integer": _SIGNED + _UNSIGNED,
    "unsigned integer": _UNSIGNED,
    "signed": _SIGNED + _FLOATS,
    "number": _SIGNED + _UNSIGNED + _FLOATS,
    "array": ("bool", *_SIGNED, *_UNSIGNED, *_FLOATS, "complex64", "complex128"),
    "computing": ("float32", "float64", "uint32", "uint64"),
    "kernel": ("bool", *_SIGNED, *_UNSIGNED, *_FLOATS),
}
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
UINT32, _UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)
_known: dict[tuple[str, Any], Dtype] = {}


# The dtype of a sample: the argument, that of ``out``, or a default.


def floating_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return a float dtype of 16, 32 or 64 bits, or bfloat16; float32 by default."""
    if dtype is None and out is None:  # the usual case; a lookup would take 10 % of a small draw
        return FLOAT32
    return _resolve("float", "float32", dtype, out)


def inexact_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return a float or complex dtype; float32 by default."""
    if dtype is None and out is None:
        return FLOAT32
    return _resolve("float or complex", "float32", dtype, out)


def floating_of(dtype: DTypeLike, out: Any, *values: Any) -> Dtype:
    """Return a float dtype as `floating_dtype` does; by default the one that float arrays in ``values`` promote to.

    Python numbers, lists and integer arrays are ignored; without float arrays the default is float32.
    """
    if dtype is None and _dtype_of(out) is None:
        found = [d for d in map(_array_dtype, values) if d is not None and d.name in _FLOATS]
        if len(set(found)) == 1:
            dtype = found[0].newbyteorder("=")
        elif found:
            dtype = np.float64 if any(d.itemsize == 8 for d in found) else np.float32
    return floating_dtype(dtype, out)


def _array_dtype(value: Any) -> Dtype | None:
    """Return the dtype of a NumPy or CuPy array or scalar; None for other types."""
    dtype = getattr(value, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) else None


def integer_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return an integer dtype of 8 to 64 bits; int32 by default."""
    return _resolve("integer", "int32", dtype, out)


def unsigned_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return an unsigned integer dtype of 8 to 64 bits; uint32 by default."""
    return _resolve("unsigned integer", "uint32", dtype, out)


def signed_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return a signed integer or float dtype; int32 by default."""
    return _resolve("signed", "int32", dtype, out)


def number_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return an integer or float dtype; float32 by default."""
    return _resolve("number", "float32", dtype, out)


def array_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return a number, complex or bool dtype; float32 by default."""
    return _resolve("array", "float32", dtype, out)


def kernel_result(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Return a dtype that a kernel's result can be stored in; it has no default."""
    if dtype is None and _dtype_of(out) is None:
        raise TypeError(f"dtype must be given, got None{_expected('kernel')}")
    return _resolve("kernel", "", dtype, out)


def kernel_compute(dtype: DTypeLike) -> Dtype:
    """Return a dtype that a kernel can compute in; float32 by default."""
    try:
        return _resolve("computing", "float32", dtype)
    except TypeError as error:
        raise TypeError(f"compute: {error}") from None


def _resolve(family: str, default: str, dtype: DTypeLike, out: Any = None) -> Dtype:
    name = "dtype"
    if dtype is None and (own := _dtype_of(out)) is not None:
        name, dtype = "dtype of out", own
    # Only these are cached: 1.0, 1 and True are equal as dict keys, and np.float16(1.0) has a dtype.
    remembered = dtype is None or isinstance(dtype, (np.dtype, str, type))
    if remembered and (family, dtype) in _known:
        return _known[family, dtype]
    given = default if dtype is None else dtype
    if type(given).__module__ == "torch":
        given = str(given).removeprefix("torch.")
    if isinstance(given, str) and given == "bfloat16":
        given = _bfloat16()
    try:
        if isinstance(given, (np.generic, np.ndarray)):
            raise TypeError  # a value; np.dtype would accept it
        found = np.dtype(given)
    except (TypeError, ValueError):
        hint = advice(dtype) if isinstance(dtype, (int, float, np.number)) else ""
        raise TypeError(f"invalid {name}: {short_repr(dtype)}{_expected(family)}{hint}") from None
    if found.name not in _FAMILIES[family]:
        raise TypeError(f"invalid {name}: {found.name}{_expected(family)}")
    if not found.isnative:
        raise TypeError(f"{name} must have native byte order, got {found}; convert the sample with astype")
    found = np.dtype(found.type)  # the one object of this dtype, which an unpickled array does not have
    if remembered:
        _known[family, dtype] = found
    return found


def _dtype_of(out: Any) -> Any:
    """Return the dtype of an output array of any library, or None."""
    return getattr(out, "dtype", None)


def _expected(family: str) -> str:
    return f" (expected {', '.join(_FAMILIES[family])})"


def _bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError("bfloat16 requires ml_dtypes; type: pip install ml_dtypes") from None
    return ml_dtypes.bfloat16


def is_half(dtype: Dtype) -> bool:
    """Whether a dtype is float16 or bfloat16, which kernels and executors handle as 16-bit words."""
    return dtype.itemsize == 2 and dtype.kind not in "iu"  # comparing names would take 2 us


def float_dtype(dtype: Dtype) -> Dtype:
    """Return the float dtype of the same width class: float64 for 64 bits, else float32."""
    return FLOAT64 if dtype.itemsize == 8 else FLOAT32


def compute_dtype(dtype: Dtype) -> Dtype:
    """Return the dtype that a sample is computed in: float32 or float64 for floats, words for integers."""
    wide = dtype.itemsize == 8
    if dtype.kind in "iu":
        return _UINT64 if wide else UINT32
    return FLOAT64 if wide else FLOAT32


def float_of(value: Any) -> Dtype:
    """Return the dtype that a parameter is computed in: float64 for float64 arrays, else float32."""
    given = _array_dtype(value)
    wide = given is not None and given.kind == "f" and given.itemsize >= 8
    return FLOAT64 if wide else FLOAT32


def exact_float_of(value: Any) -> Dtype:
    """Return a float dtype that represents a parameter: float32 for float arrays of at most 32 bits, else float64."""
    given = _array_dtype(value)
    return FLOAT32 if given is not None and given.name in _FLOATS[:3] else FLOAT64


def index_dtype(size: int, out: Any = None, narrow: Any = np.int32) -> Dtype:
    """Return the dtype of indices along an axis: that of ``out`` if it is wide enough, else int32 or int64."""
    own = str(_dtype_of(out)).removeprefix("torch.")
    if own in _FAMILIES["integer"] and size - 1 <= np.iinfo(own).max:
        return np.dtype(own)
    return np.dtype(narrow if size <= 2**31 else np.int64)
