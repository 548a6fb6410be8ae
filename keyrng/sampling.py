"""The one road from key to sample: every sampler is a kernel and a call of `draw`.

Checks, broadcasting, dtypes, ``out`` and the choice of executor are here and nowhere else.
Must not import distributions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from keyrng.algorithms.base import Algorithm
from keyrng.backends import compiled
from keyrng.backends import numpy as direct
from keyrng.dtypes import Dtype, compute_dtype, is_half
from keyrng.dtypes import result as result_dtype
from keyrng.kernels.bits import store
from keyrng.kernels.lane import Kernel, kernels
from keyrng.keys import Key, check_key
from keyrng.parameters import Array, ArrayLike, Parameter, parameter_array

Shape: TypeAlias = int | Sequence[int]


_SMALL = 4096  # elements below which a draw keeps the lock and needs no thread


def draw(
    kernel: Kernel | Callable[..., Any],
    key: Key,
    shape: Shape | None,
    dtype: Any,
    *parameters: ArrayLike,
    compute: Any = None,
    out: Array | None = None,
) -> Array:
    """Run a kernel over the elements of a result: element ``i`` depends on the key, ``i`` and the parameters only.

    Parameters
    ----------
    kernel
        ``kernel(lane, *parameters)``, written in the kernel language (docs/writing-a-sampler.md). A function of your
        own runs on NumPy; keyrng's kernels run compiled where the compiled part was built.
    key
        A key, or an array of keys: each gives its own sample, and the result has shape ``key.shape + shape``.
    shape
        An int or a tuple; None for the shape that the parameters broadcast to.
    dtype
        The dtype of the result.
    *parameters
        Numbers or arrays that broadcast to ``key.shape + shape``. They are rounded to the dtype of the computation.
    compute
        The dtype to compute in; by default float32, or float64 for a ``dtype`` of 64 bits, and for integers uint32 or
        uint64 likewise.
    out
        An array to write to and return, of the result's shape and dtype. With it, ``shape`` may be left out.

    Raises
    ------
    TypeError
        For a wrong kind of key, shape, dtype, parameter or ``out``.
    ValueError
        For a parameter outside its range, or shapes that do not fit together.

    Examples
    --------
    >>> import keyrng
    >>> from keyrng.kernels import log1p, unit
    >>> def exponential(lane):
    ...     return -log1p(-unit(lane))
    >>> key = keyrng.key(0)
    >>> sample = keyrng.draw(exponential, key, (2, 3), "float32")
    >>> bool((sample == keyrng.exponential(key, (2, 3))).all())
    True
    """
    if type(shape) is tuple and type(key) is Key and out is None and not parameters and compute is None:
        recipe = compiled.recipes.get((kernel, dtype, key._algorithm))
        if recipe is not None:
            for size in shape:
                if type(size) is not int or size < 0:
                    break
            else:
                words = key._words
                if words.ndim == 1:
                    small = np.empty(shape, dtype)
                    if 0 < small.size <= _SMALL:
                        compiled.native.run_simple(*recipe, words, small, small.itemsize)
                        return small
    check_key(key)
    dtype = result_dtype(dtype)
    compute = compute_dtype(dtype) if compute is None else np.dtype(compute)
    values = [parameter_array(p, i, compute) for i, p in enumerate(parameters)] if parameters else []
    if shape is None or out is not None:
        shape = _implied(key, shape, values, out)
    elif type(shape) is not tuple:
        shape = _dimensions(shape)
    full = key.shape + _checked(shape) if shape else key.shape
    if values:
        _check_broadcast(parameters, values, full)
    if out is None:
        result = np.empty(full, dtype)
    else:
        result = _check_out(out, full, dtype)
        # A parameter that lies in out would change while it is read.
        values = [v.copy() if np.may_share_memory(v, out) else v for v in values]
    if result.size:
        _fill(kernel, key, result, full, values, compute)
    return result


def _fill(kernel: Any, key: Key, result: Array, full: tuple[int, ...], values: list[Array], compute: Dtype) -> None:
    """Write the whole sample into ``result``."""
    count = result.size // key.size
    limit = 2**56 if key._algorithm.jax_layout else 2**62
    if count > limit:
        raise ValueError(f"a key of {key.impl} has {limit} elements, asked for {count}; split it")
    if result.flags.c_contiguous:
        fill_slab(kernel, key, result, full, values, compute, 0, count, count)
    else:
        whole = np.empty(full, result.dtype)
        fill_slab(kernel, key, whole, full, values, compute, 0, count, count)
        result[...] = whole


def fill_slab(
    kernel: Any,
    key: Key,
    out: Array,
    shape: tuple[int, ...],
    values: list[Array],
    compute: Dtype,
    start: int,
    count: int,
    size: int,
) -> None:
    """Write elements ``start`` to ``start + count``, of ``size``, of each key's sample into contiguous ``out``.

    ``shape`` is that of what is written, key axes first; ``values`` broadcast to it.
    """
    dtype = out.dtype
    algorithm = key._algorithm
    number, plan = _plan(kernel, compute, dtype, algorithm, compiled.enabled)
    flat = out.view(np.uint16) if is_half(dtype) else out
    if plan is not None and number is not None:
        if flat is out and not values and compute == compute_dtype(dtype):
            compiled.recipes[kernel, dtype, algorithm] = (*plan, number)
        parameters = tuple(compiled.parameter(v, shape, out.size) for v in values) if values else ()
        compiled.run(plan, number, key._words, start, count, size, flat, shape, parameters)
        return
    words = key._words.reshape(-1, algorithm.key_words)
    flat = flat.reshape(-1)
    function = kernel.function if isinstance(kernel, Kernel) else kernel

    def take(first: int, stop: int, value: Array) -> None:
        stored = _stored(value, dtype)
        if stored.shape not in ((stop - first,), (1,)):
            raise ValueError(f"the kernel returned shape {stored.shape} for {stop - first} lanes")
        flat[first:stop] = stored

    direct.run(
        function, algorithm, words, direct.Slab(start, count, size), compute, [_flat(v, shape) for v in values], take
    )


@lru_cache(maxsize=512)
def _plan(
    kernel: Any, compute: Dtype, dtype: Dtype, algorithm: Algorithm, enabled: bool
) -> tuple[int | None, tuple[int, int] | None]:
    number = compiled.algorithm_number(algorithm)
    return number, compiled.plan(kernel, compute, dtype) if enabled and number is not None else None


def _stored(value: Any, dtype: Dtype) -> Array:
    """A kernel's result as the dtype of the sample, in the form of its words for 16-bit floats."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"the kernel returned {type(value).__name__}, not an array of words or floats")
    if value.dtype == dtype:
        return value
    if np.bool_ in (value.dtype, dtype) or (value.dtype.kind == "f" and dtype.kind in "iu"):
        raise TypeError(f"the kernel returned {value.dtype}, asked for was {dtype}; cast() in the kernel")
    stored: Array = store(value, dtype)
    return stored


def _flat(value: Array, shape: tuple[int, ...]) -> Callable[[int, int], Array]:
    """A parameter by flat positions; an array of one value stands for all of them."""
    if value.size == 1:
        one = value.reshape(1)
        return lambda first, stop: one
    whole = np.broadcast_to(value, shape)
    if whole.flags.c_contiguous:
        flat = whole.reshape(-1)
        return lambda first, stop: flat[first:stop]
    return lambda first, stop: np.asarray(whole.flat[first:stop])


def _dimensions(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, (tuple, list)):
        return tuple(shape)
    if isinstance(shape, np.ndarray) and shape.ndim == 1 and shape.dtype.kind in "iu":
        return tuple(shape.tolist())
    if isinstance(shape, (bool, float, str, bytes, np.bool_, np.floating)):
        raise TypeError(f"shape is an int or a tuple of ints, got {shape!r}")
    try:
        return (operator.index(shape),)
    except TypeError:
        raise TypeError(f"shape is an int or a tuple of ints, got {type(shape).__name__}") from None


def _checked(shape: tuple[Any, ...]) -> tuple[int, ...]:
    for size in shape:
        if type(size) is not int:
            return _checked(tuple(_dimension(size, shape) for size in shape))
        if size < 0:
            raise ValueError(f"shape has no negative sizes, got {shape}")
    return shape


def _dimension(size: Any, shape: tuple[Any, ...]) -> int:
    if not isinstance(size, (bool, np.bool_)):
        try:
            return int(operator.index(size))
        except TypeError:
            pass
    raise TypeError(f"shape is an int or a tuple of ints, got {shape!r}")


def _implied(key: Key, shape: Any, values: list[Array], out: Array | None) -> tuple[int, ...]:
    """The shape when it is not given: that of ``out`` after the key's, or that the parameters broadcast to."""
    if out is not None and (shape is None or shape == ()):
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out is a NumPy array, got {type(out).__name__}")
        rest: tuple[int, ...] = out.shape[key.ndim :]
        return rest
    if shape is not None:
        return _dimensions(shape)
    try:
        together: tuple[int, ...] = np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        shapes = " and ".join(str(v.shape) for v in values)
        raise ValueError(f"the parameters do not broadcast together, their shapes are {shapes}") from None
    return together


def _check_broadcast(given: Sequence[Any], values: list[Array], full: tuple[int, ...]) -> None:
    for i, (parameter, value) in enumerate(zip(given, values, strict=True)):
        if value.ndim == 0:
            continue
        try:
            fits = np.broadcast_shapes(value.shape, full) == full
        except ValueError:
            fits = False
        if not fits:
            name = parameter.name if isinstance(parameter, Parameter) else f"parameter {i + 1}"
            raise ValueError(f"{name} of shape {value.shape} does not broadcast to the sample's shape {full}")


def _check_out(out: Any, full: tuple[int, ...], dtype: Dtype) -> Array:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is a NumPy array, got {type(out).__name__}")
    if out.shape != full:
        raise ValueError(f"out has shape {out.shape}, the sample has {full}")
    if out.dtype != dtype:
        raise TypeError(f"out is {out.dtype}, the sample is {dtype}; give dtype={out.dtype.name!r}, or another out")
    if not out.flags.writeable:
        raise ValueError("out is read-only; give an array that can be written to")
    return out


def kernel_of(name: str) -> Kernel:
    """The kernel of that name, for code that makes slabs; KeyError if there is none."""
    return {kernel.name: kernel for kernel in kernels()}[name]
