"""Which dtypes a sample may have, from the many ways to name one."""

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


# The dtype of a sample: the one given, or that of ``out``, or else a default.


def floating_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """A float of 16, 32 or 64 bits, or bfloat16; float32 by default."""
    if dtype is None and out is None:  # the usual call; looking it up would be a tenth of a small draw
        return FLOAT32
    return _resolve("float", "float32", dtype, out)


def inexact_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """A float, or a complex number of two floats of 32 or 64 bits; float32 by default."""
    if dtype is None and out is None:
        return FLOAT32
    return _resolve("float or complex", "float32", dtype, out)


def floating_of(dtype: DTypeLike, out: Any, *values: Any) -> Dtype:
    """A float as in `floating_dtype`; by default the one that float arrays among the values promote to, or float32.

    Python numbers, lists of them and integers do not count.
    """
    if dtype is None and _dtype_of(out) is None:
        found = [d for d in map(_array_dtype, values) if d is not None and d.name in _FLOATS]
        if len(set(found)) == 1:
            dtype = found[0].newbyteorder("=")
        elif found:
            dtype = np.float64 if any(d.itemsize == 8 for d in found) else np.float32
    return floating_dtype(dtype, out)


def _array_dtype(value: Any) -> Dtype | None:
    """The dtype of an array or scalar of NumPy or CuPy; None for anything else."""
    dtype = getattr(value, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) else None


def integer_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """An integer of 8 to 64 bits; int32 by default."""
    return _resolve("integer", "int32", dtype, out)


def unsigned_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """An unsigned integer of 8 to 64 bits; uint32 by default."""
    return _resolve("unsigned integer", "uint32", dtype, out)


def signed_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """An integer or float that has a sign; int32 by default."""
    return _resolve("signed", "int32", dtype, out)


def number_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """An integer or a float; float32 by default."""
    return _resolve("number", "float32", dtype, out)


def array_dtype(dtype: DTypeLike, out: Any = None) -> Dtype:
    """A number, a complex number or bool; float32 by default."""
    return _resolve("array", "float32", dtype, out)


def kernel_result(dtype: DTypeLike, out: Any = None) -> Dtype:
    """Anything a kernel may return; there is no default."""
    if dtype is None and _dtype_of(out) is None:
        raise TypeError("draw needs a dtype, got None; " + _choices("kernel"))
    return _resolve("kernel", "", dtype, out)


def kernel_compute(dtype: DTypeLike) -> Dtype:
    """What a kernel may compute in."""
    try:
        return _resolve("computing", "float32", dtype)
    except TypeError as error:
        raise TypeError(f"compute is a dtype to compute in: {error}") from None


def _resolve(family: str, default: str, dtype: DTypeLike, out: Any = None) -> Dtype:
    name = "dtype"
    if dtype is None and (own := _dtype_of(out)) is not None:
        name, dtype = "out's dtype", own
    # Only of these: 1.0, 1 and True are one to a dict, and np.float16(1.0) has a dtype.
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
            raise TypeError  # a value in the dtype's place, of which NumPy would take the dtype
        found = np.dtype(given)
    except (TypeError, ValueError):
        hint = advice(dtype) if isinstance(dtype, (int, float, np.number)) else ""
        raise TypeError(f"{name} {short_repr(dtype)} is not one; {_choices(family)}{hint}") from None
    if found.name not in _FAMILIES[family]:
        raise TypeError(f"{name} {found.name} is no {family} dtype of keyrng; {_choices(family)}")
    if not found.isnative:
        raise TypeError(f"{name} {found} has foreign byte order; convert the sample with astype")
    if remembered:
        _known[family, dtype] = found
    return found


def _dtype_of(out: Any) -> Any:
    """The dtype of an array to write to, of whatever library; None without one."""
    return getattr(out, "dtype", None)


def _choices(family: str) -> str:
    return "choose from " + ", ".join(_FAMILIES[family])


def _bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError("bfloat16 comes with ml_dtypes, which is not installed; type: pip install ml_dtypes") from None
    return ml_dtypes.bfloat16


def is_half(dtype: Dtype) -> bool:
    """Whether a dtype is float16 or bfloat16, which kernels and executors know as words of 16 bits."""
    return dtype.itemsize == 2 and dtype.kind not in "iu"  # its name would say so too, but takes 2 us to make


def float_dtype(dtype: Dtype) -> Dtype:
    """The float that a dtype of that width is computed in: float64 for 64 bits, else float32."""
    return FLOAT64 if dtype.itemsize == 8 else FLOAT32


def compute_dtype(dtype: Dtype) -> Dtype:
    """What a sample of a dtype is computed in: floats in float32 or float64, integers in words."""
    wide = dtype.itemsize == 8
    if dtype.kind in "iu":
        return _UINT64 if wide else UINT32
    return FLOAT64 if wide else FLOAT32


def float_of(value: Any) -> Dtype:
    """The float that a parameter is computed in: float64 if it is an array of that, else float32."""
    given = _array_dtype(value)
    wide = given is not None and given.kind == "f" and given.itemsize >= 8
    return FLOAT64 if wide else FLOAT32


def exact_float_of(value: Any) -> Dtype:
    """The float that holds a parameter as it is given: float32 for an array of that or of 16 bits, else float64."""
    given = _array_dtype(value)
    return FLOAT32 if given is not None and given.name in _FLOATS[:3] else FLOAT64


def index_dtype(size: int, out: Any = None, narrow: Any = np.int32) -> Dtype:
    """The dtype of positions along an axis: that of ``out`` if it holds them, or int32 (int64 if large)."""
    own = str(_dtype_of(out)).removeprefix("torch.")
    if own in _FAMILIES["integer"] and size - 1 <= np.iinfo(own).max:
        return np.dtype(own)
    return np.dtype(narrow if size <= 2**31 else np.int64)
