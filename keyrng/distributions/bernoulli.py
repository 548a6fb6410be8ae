"""The Bernoulli distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from keyrng._core.arguments import check_choice
from keyrng._core.dtypes import FLOAT64, UINT32, Dtype, exact_float_of
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, as_scalar, cache_scalars
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import bitcast, cast
from keyrng.kernels.requirements import Parameter, probability
from keyrng.kernels.symbols import BOOL


@kernel(*FLOATS)
def _bernoulli(lane: Any, p: Any) -> Any:
    return cast(lane.bits(32), np.uint64) < _whole(cast(p, np.float64) * 2.0**32)


@kernel("uint32")
def _bernoulli_of_one(lane: Any, bound: Any, always: Any) -> Any:
    # The same values as `_bernoulli` for a scalar p, with the bound of 33 bits in two words.
    return (lane.bits() < bound) | (always != 0)


@kernel(*FLOATS)
def _bernoulli_high(lane: Any, p: Any) -> Any:
    high, low = _digits(lane)
    scaled = cast(p, np.float64) * 2.0**32
    bound = _whole(scaled)
    bound_low = _whole((scaled - cast(bound, np.float64)) * 2.0**32)
    number = (cast(high, np.uint64) << 32) | cast(low, np.uint64)
    return (number < (bound << 32) + bound_low) | (p >= 1.0)  # the bound of 1 is 2**64, which wraps to 0


@kernel("uint32")
def _bernoulli_high_of_one(lane: Any, bound: Any, bound_low: Any, always: Any) -> Any:
    high, low = _digits(lane)
    return (high < bound) | ((high == bound) & (low < bound_low)) | (always != 0)


def _digits(lane: Any) -> tuple[Any, Any]:
    """Return 64 bits in two words: first the 23 bits of each word that jax compares, then the 9 bits that it drops."""
    first, second = lane.strided_words(2, 32)
    low = ((second << 9) & 0xFFFC0000) | ((first & 0x1FF) << 9) | (second & 0x1FF)
    return (first & 0xFFFFFE00) | (second >> 23), low


# Adding this rounds a number to an integer, ties to even, which is then in the low bits of the sum as two's complement.
_WHOLE = 1.5 * 2.0**52
_WHOLE_BITS = 0x4338 << 48


def _whole(x: Any) -> Any:
    """Round a number between -2**51 and 2**51 to a word of 64 bits."""
    return bitcast(x + _WHOLE, np.uint64) - _WHOLE_BITS


def _plans(dtype: None, p: Any = 0.5) -> Iterable[Plan]:
    yield Plan(_bernoulli, (probability(p=p),), BOOL, FLOAT64)


@sampler_of(_plans)
def bernoulli(
    key: Key, p: ArrayLike = 0.5, shape: Shape | None = None, mode: str = "low", *, out: Array | None = None
) -> Array:
    """Return booleans that are True with probability ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    p : float or array_like of floats, optional
        Probability of True, in [0, 1]; 0.5 by default. 0 and 1 are exact. Broadcasts to ``key.shape + shape``.
        Probabilities are compared in float64: numbers, lists and arrays of the same values give the same sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    mode : {"low", "high"}, optional
        ``"low"`` compares 32 random bits, which rounds ``p`` to a multiple of 2**-32. ``"high"`` compares 64 bits, at
        twice the cost.
    out
        Array that the result is written to and that is returned; ``shape`` may be left out. It must have the shape and
        the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Booleans of shape ``key.shape + shape``.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1] or NaN, or ``mode`` is unknown.

    See Also
    --------
    binomial : Number of successes in several trials.
    dropout_mask : The same comparison, with axes that share a mask.
    rademacher : -1 or 1 with equal probability.

    Notes
    -----
    The values are those of ``jax.random.bernoulli`` with x64 off, which compares 23 bits (46 with ``"high"``) with
    ``p`` rounded to float32. If ``p`` is a float32, an element differs only where these bits do not decide: one in
    2**23 with ``"low"``, one in 2**46 with ``"high"``.

    With ``mode="high"`` element ``i`` of ``n`` also reads word ``i + n``, as in jax, so a sample is not a prefix of a
    longer one. With ``"low"`` it is.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.bernoulli(keyrng.key(0), 0.7, (5,))
    array([False, False,  True,  True,  True])
    """
    check_choice("mode", mode, "low", "high")
    kernel, parameters, compute = _prepared(key, p, mode)
    return sample_kernel(kernel, key, shape, BOOL, *parameters, compute=compute, out=out)


@cache_scalars
def _prepared(device: Device, p: ArrayLike, mode: str) -> tuple[Kernel, tuple[Parameter, ...], Dtype]:
    """Return the kernel for probabilities, its parameters and the dtype of the computation."""
    if not isinstance(p, (int, float, np.number)):
        return _bernoulli if mode == "low" else _bernoulli_high, (probability(p=p),), exact_float_of(p)
    bits = 32 if mode == "low" else 64
    bound = round(as_scalar(probability(p=p)) * 2**bits)
    words = [bound >> shift & 0xFFFFFFFF for shift in range(bits - 32, -1, -32)]
    parameters = tuple(Parameter("p", np.array(word, UINT32)) for word in (*words, bound >> bits))
    return _bernoulli_of_one if mode == "low" else _bernoulli_high_of_one, parameters, UINT32
