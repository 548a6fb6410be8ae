"""The categorical distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from math import prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.arguments import broadcast
from keyrng._core.dtypes import FLOAT32, exact_float_of, float_of, index_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import CPU, device_at, preparation_device
from keyrng._keys.derive import Key, device_of, normalize_axis
from keyrng._sampling.parameters import Array, ArrayLike, as_bool, checked_parameter
from keyrng._sampling.plan import Integer, Row, Steps, Truth
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape, check_out, empty_sample, sample_shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.gumbel_top_k import centered, gumbel_top_k
from keyrng.distributions._shared.gumbel_top_k_cuda import FAR, logit
from keyrng.distributions.gumbel import gumbel_kernel, race_kernel
from keyrng.kernels.requirements import Interval, Requirement

_near = Requirement("a number of at most FAR, not NaN", Interval(-math.inf, FAR))


def _plans(algorithm: Algorithm, dtype: Any, logits: Any, axis: Any = None, replace: Any = True) -> Iterable[Steps]:
    compute = FLOAT32 if dtype is None else dtype
    near, race = Row(_near(logits=logits), Interval(-FAR, FAR), several=True), race_kernel(None, compute)
    assert race is not None
    last = () if axis is None else (Integer(axis, -1, -1),)
    parameters = (near, *last, Truth(replace, True))
    yield Steps((gumbel_kernel(None, compute), race), parameters, index_dtype(1), compute)


@sampler_in_steps("categorical", _plans)
@in_default_fpenv
def categorical(
    key: Key,
    logits: ArrayLike,
    axis: SupportsIndex = -1,
    shape: Shape | None = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return class indices drawn with probabilities proportional to ``exp(logits)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    logits : array_like of floats
        Logarithms of probabilities, which need not sum to 1; -infinity for a probability of 0. One distribution along
        ``axis``, or an array of distributions. Gumbel variates are float64 if ``logits`` is a float64 array, and
        float32 otherwise.
    axis : int, optional
        Axis of the classes; the last one by default.
    shape
        Shape of the draws of one key, an int or a tuple of ints; None, the default, is the shape of ``logits`` without
        ``axis``. The other axes of ``logits`` broadcast to ``shape``, or for logits per key to ``key.shape + shape``.
    replace : bool, optional
        If False, the draws of one distribution, along the axes of ``shape`` that precede those of ``logits``, are
        distinct classes. True by default.
    mode : {"low", "high", "highest"}, optional
        Number of random bits of a Gumbel variate, as for `gumbel`; ``"low"`` by default.
    out
        Array that the result is written to and that is returned; ``shape`` may be left out. It must have the shape and
        the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Indices along ``axis``, of shape ``key.shape + shape``; int32, or int64 if int32 cannot represent them. The axes
        of ``shape`` before those of ``logits`` are more draws of the same distributions.

    Raises
    ------
    ValueError
        If a logit is NaN or infinity, all logits of a distribution are -infinity, more classes are drawn without
        replacement than have a logit above -infinity, or shapes do not broadcast; an AxisError, which is a ValueError,
        if ``axis`` is out of range.

    See Also
    --------
    choice : Elements of an array, by weights instead of logits.
    gumbel : The variates that are added to the logits.
    multinomial : Counts of the classes of several draws.

    Notes
    -----
    The class drawn is that with the largest sum of logit and Gumbel variate. Without replacement, they are the classes
    with the largest sums [1]_.

    The values are those of ``jax.random.categorical``, except where rounding decides between two nearly equal sums, and
    for 16-bit logits, which are computed in float32.

    Precision: where the largest logit of a distribution is below -128 or above 128, it is subtracted from all of them
    first, because the sum with a Gumbel variate is rounded to the spacing of floats at the logit. In jax, which does
    not subtract it, one of two equal float32 logits of -1e7 is drawn in 62 %. Without replacement the sum of a class
    far below the largest is still rounded so: among several classes with float32 logits of M below the largest, the
    probability of which comes first is off by about 1e-8 * M.

    With ``mode="low"`` the largest Gumbel variate is 15.9 for float32, so classes with a probability below about 1e-7
    are drawn too rarely, and of 2**24 equal logits the first half is drawn in 73 %. ``mode="high"`` has neither defect.

    References
    ----------
    .. [1] W. Kool, H. van Hoof, M. Welling, "Stochastic beams and where to find them: The Gumbel-top-k trick for
       sampling sequences without replacement", ICML 2019, PMLR 97, 3499-3508. https://arxiv.org/abs/1903.06059

    Examples
    --------
    >>> import keyrng
    >>> keyrng.categorical(keyrng.key(2), [0.0, 1.0, 2.0], shape=(8,))
    array([1, 0, 2, 1, 0, 2, 2, 2], dtype=int32)
    >>> keyrng.categorical(keyrng.split(keyrng.key(0), 4), [[0.0, 1.0], [2.0, 0.0]])
    array([[0, 0],
           [1, 0],
           [1, 0],
           [1, 0]], dtype=int32)
    """
    device = device_of(key)
    dtype = float_of(logits)
    at = preparation_device(device, logits)
    values = at.now(checked_parameter(at, logit(logits=logits), exact_float_of(logits)).value)
    if not values.ndim:
        raise ValueError(f"logits must have an axis of classes, got a number; type [{values}, ...]")
    axis = normalize_axis(axis, values.ndim)
    kernel = gumbel_kernel(mode, dtype)
    batch, size = values.shape[:axis] + values.shape[axis + 1 :], values.shape[axis]
    each = (np.broadcast_to(0.0, batch),)  # a number for each distribution
    full = sample_shape(key, shape, each, out)
    place = index_dtype(size, out)
    result = empty_sample(device, key, full, place, each) if out is None else check_out(key, out, full, place)

    own = full[key.ndim :]
    draws = () if as_bool("replace", replace) else own[: max(0, len(own) - len(batch))]
    rest = own[len(draws) :]
    _check_batch(batch, rest if draws else full)
    check_enough(values, axis, prod(draws))
    if not prod(full):
        return result if out is None else out
    with device.current():
        # The logits have values.ndim - 1 - axis axes after the classes, so the other axes of a key's draws come before.
        before = max(0, len(rest) - (values.ndim - 1 - axis))
        xp, logit_array = device.xp, device.adopt("logits", values, logits)
        table = xp.moveaxis(logit_array, axis, -1).reshape(-1, size)
        shape = key.size, prod(rest[:before]), prod(rest[before:])
        if device is not CPU and len(table) in (1, prod(shape)):
            rows = np.broadcast_to(0, shape)
        else:
            rows = xp.broadcast_to(xp.arange(len(table)).reshape(batch), key.shape + rest).reshape(shape)
        table = centered(device.contiguous(table), dtype)
        chosen = gumbel_top_k(kernel, key, table, rows, prod(draws), race_kernel(mode, dtype))
        places: Array = xp.moveaxis(chosen.reshape(*key.shape, *rest, -1), -1, key.ndim).reshape(full)
        if out is None and places.flags.c_contiguous:
            return places
        result[...] = places
    return result if out is None else out


def _check_batch(batch: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if broadcast(batch, shape) != shape:
        raise ValueError(f"logits of shape {batch} without the axis of classes do not broadcast to shape {shape}")


def check_enough(logits: Array, axis: int, count: int) -> None:
    """Raise ValueError unless every distribution along the axis has ``count`` classes of positive probability.

    Logits in GPU memory are not read: there, -1 is drawn if no class is left.
    """
    possible = device_at(logits).pick(_possible, _all)(logits, axis, count)
    if count == 1 and not possible:
        raise ValueError("at least one class must have positive probability")
    if possible < count:
        raise ValueError(
            f"{count} draws without replacement require as many classes of positive probability, got {possible}"
        )


def _possible(logits: Array, axis: int, count: int) -> int:
    """The least number of classes above -infinity, of those that matter for so many draws."""
    if count > 1:
        return int((logits > -math.inf).sum(axis=axis).min(initial=count))
    return int((logits.max(axis=axis, initial=-math.inf) > -math.inf).all())


def _all(logits: Array, axis: int, count: int) -> int:
    return min(count, int(logits.shape[axis]))
