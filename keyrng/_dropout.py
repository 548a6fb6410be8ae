"""Dropout: set random elements to zero and scale the others, so that the expected value is unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.arguments import as_base_array
from keyrng._core.dtypes import floating_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import as_cupy, is_on_gpu
from keyrng._keys.derive import Key, check_key, normalize_axis
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, as_scalar
from keyrng._sampling.shapes import Shape, as_out, dimensions
from keyrng.distributions.bernoulli import bernoulli
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import bitcast, cast, where
from keyrng.kernels.requirements import Parameter, probability, unconstrained


def _kept(lane: Any, high: Any, low: Any) -> Any:
    """Return whether the lane's 32-bit word is below ``high * 2**16 + low``, which is at most 2**32.

    The bound is given in two parts, because a float32 represents only 24 bits.
    """
    word = lane.bits(32)
    if lane.dtype == np.float64:
        return cast(word, np.float64) < high * 65536.0 + low
    # int32, because processors convert to it in one instruction. A bound of 2**32 becomes 0.
    bound = (bitcast(cast(high, np.int32), np.uint32) << 16) + bitcast(cast(low, np.int32), np.uint32)
    return (word < bound) | (high == 65536.0)


@kernel(*FLOATS)
def _dropout(lane: Any, x: Any, high: Any, low: Any, scale: Any) -> Any:
    # NaN is returned unchanged, because processors differ in the bits of a NaN that is multiplied.
    return where(_kept(lane, high, low), where(x == x, x * scale, x), 0.0)


@kernel(*FLOATS)
def _kept_or_zero(lane: Any, x: Any, kept: Any, scale: Any) -> Any:
    return where(kept != 0.0, where(x == x, x * scale, x), 0.0)


@in_default_fpenv
def dropout(
    key: Key,
    x: Array,
    rate: float,
    *,
    broadcast_dims: SupportsIndex | Sequence[SupportsIndex] = (),
    out: Array | None = None,
) -> Array:
    """Return ``x`` with elements set to 0 with probability ``rate``, and the others divided by ``1 - rate``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which drops other elements.
    x : ndarray
        Array of float16, bfloat16, float32 or float64, on the device of the key. NaN and infinity are allowed.
    rate : float
        Probability of dropping an element, from 0, which returns ``x``, to 1, which returns zeros.
    broadcast_dims : int or sequence of ints, optional
        Axes of ``x``, or of the part of ``x`` for one key, along which the mask is shared.
    out
        Array to write to and return, of the dtype of ``x``; it can be ``x`` itself.

    Returns
    -------
    ndarray
        Array of shape ``key.shape + x.shape`` and the dtype of ``x``. If ``x`` begins with the axes of an array of keys
        and ``out`` has the shape of ``x``, each key drops elements of its part of ``x``.

    Raises
    ------
    TypeError
        If ``x`` is not an array of floats, ``rate`` is not a number, or an argument is of a wrong kind.
    ValueError
        If ``rate`` is outside [0, 1] or NaN, or ``out`` has another shape; an AxisError, which is a ValueError, if an
        axis is out of range.

    See Also
    --------
    dropout_mask : The elements that are kept.
    keyrng.interop.torch.Dropout : A layer of PyTorch.

    Notes
    -----
    Element ``i`` is kept if word ``i`` of the key, of 32 bits, is below ``(1 - rate) * 2**32``, rounded to an integer.
    The mask therefore depends neither on the dtype nor on the values. Kept elements are multiplied by
    ``1 / (1 - rate)`` in float32, or in float64 if they are float64, and rounded once to the dtype. A dropped NaN or
    infinity becomes 0; torch multiplies by a mask, which keeps a NaN.

    Nothing has to be stored for the backward pass: the gradient of ``dropout(key, x, rate)`` is ``dropout`` of the
    gradient with the same key and rate.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.dropout(keyrng.key(0), np.ones((2, 4), "float32"), 0.5)
    array([[0., 0., 2., 2.],
           [0., 2., 2., 0.]], dtype=float32)
    """
    check_key(key)
    x = _floats(x)
    own = out is not None and as_out(key, out).shape == x.shape and x.shape[: key.ndim] == key.shape
    shape = x.shape[key.ndim :] if own else x.shape
    chance = as_scalar(probability(rate=rate))
    bound, scale = _bound(chance), Parameter("rate", 1.0 / (1.0 - chance) if chance < 1 else 0.0)
    once = _once_along(shape, broadcast_dims)
    if once == shape:
        return sample_kernel(_dropout, key, shape, x.dtype, unconstrained(x=x), *bound, scale, out=out)
    kept = bernoulli(key, 1.0 - chance, once)
    return sample_kernel(_kept_or_zero, key, shape, x.dtype, unconstrained(x=x), kept.view(np.uint8), scale, out=out)


@in_default_fpenv
def dropout_mask(
    key: Key,
    shape: Shape,
    rate: float,
    *,
    broadcast_dims: SupportsIndex | Sequence[SupportsIndex] = (),
    out: Array | None = None,
) -> Array:
    """Return the mask of `dropout`: True, with probability ``1 - rate``, where an element is kept.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives another mask.
    shape
        Shape of the array to drop elements of, an int or a tuple of ints.
    rate : float
        Probability of dropping an element, from 0, which returns True everywhere, to 1, which returns False.
    broadcast_dims : int or sequence of ints, optional
        Axes of ``shape`` along which the mask is shared; they have length 1 in the result, which broadcasts along them.
    out
        Boolean array to write to and return.

    Returns
    -------
    ndarray
        Booleans of shape ``key.shape + shape``.

    Raises
    ------
    TypeError
        If ``rate`` is not a number, or an argument is of a wrong kind.
    ValueError
        If ``rate`` is outside [0, 1] or NaN; an AxisError, which is a ValueError, if an axis is out of range.

    See Also
    --------
    bernoulli : Booleans of a given probability.
    dropout : The array with dropped elements.

    Notes
    -----
    The values are those of ``bernoulli(key, 1 - rate, shape)``: the probability is ``1 - rate``, rounded to a multiple
    of 2**-32.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.dropout_mask(keyrng.key(0), (2, 4), 0.5)
    array([[False, False,  True,  True],
           [False,  True,  True, False]])
    """
    once = _once_along(dimensions(shape), broadcast_dims)
    return bernoulli(key, 1.0 - as_scalar(probability(rate=rate)), once, out=out)


def _floats(x: object) -> Array:
    """Return a NumPy or CuPy array of floats."""
    if is_on_gpu(x):
        x = as_cupy(x)
    elif not isinstance(x, (np.ndarray, np.generic)):
        raise TypeError(f"x must be an array of floats, got {type(x).__name__}; use np.asarray(x, dtype)")
    else:
        x = as_base_array("x", np.asanyarray(x))
    array: Any = x
    try:
        floating_dtype(array.dtype)
    except TypeError as error:
        raise TypeError(f"x must be an array of floats: {error}") from None
    return array  # type: ignore[no-any-return]


def _bound(chance: float) -> tuple[Parameter, Parameter]:
    """Return the number of 32-bit words that keep an element, 0 to 2**32, as its upper and lower 16 bits."""
    high, low = divmod(round((1.0 - chance) * 2**32), 2**16)
    return Parameter("rate", float(high)), Parameter("rate", float(low))


def _once_along(shape: tuple[int, ...], axes: SupportsIndex | Sequence[SupportsIndex]) -> tuple[int, ...]:
    """Return the shape with length 1 along some axes."""
    listed = axes if isinstance(axes, (tuple, list)) else (axes,)
    chosen = {normalize_axis(axis, len(shape), "broadcast_dims") for axis in listed}
    return tuple(1 if axis in chosen else size for axis, size in enumerate(shape))
