"""Stacking and concatenation of arrays of keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsIndex

import numpy as np

from keyrng._core.arguments import kind_of, normalize_axis
from keyrng._executors.device import Device
from keyrng._keys.key import Array, Key, check_key, common_device, wrap_words
from keyrng.algorithms.base import Algorithm


def stack(keys: Iterable[Key], axis: SupportsIndex = 0) -> Key:
    """Return keys of equal shapes, joined along a new axis.

    Parameters
    ----------
    keys : iterable of Key
        Keys of one algorithm, on one device.
    axis : int, optional
        Position of the new axis; the first one by default.

    Returns
    -------
    Key
        An array of keys.

    Raises
    ------
    TypeError
        If the algorithms differ.
    ValueError
        If shapes or devices differ, or there are no keys; an AxisError, which is a ValueError, if ``axis`` is out of
        range.

    See Also
    --------
    concatenate : Joins along an existing axis.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.stack([keyrng.key(1), keyrng.key(2)])
    Key((2,), key<fry>,
        [[0x00000000 0x00000001]
         [0x00000000 0x00000002]])
    """
    algorithm, words, device = _all_words(keys)
    if any(w.shape != words[0].shape for w in words):
        raise ValueError(f"keys to stack must have equal shapes, got {', '.join(str(w.shape[:-1]) for w in words)}")
    with device.current():
        return wrap_words(algorithm, device.contiguous(device.xp.stack(words, normalize_axis(axis, words[0].ndim))))


def concatenate(keys: Iterable[Key], axis: SupportsIndex = 0) -> Key:
    """Return arrays of keys, joined along an existing axis.

    Parameters
    ----------
    keys : iterable of Key
        Arrays of keys of one algorithm, on one device, whose other axes have equal lengths.
    axis : int, optional
        Axis to join along; the first one by default.

    Returns
    -------
    Key
        An array of keys.

    Raises
    ------
    TypeError
        If the algorithms differ.
    ValueError
        If lengths or devices differ, a key is scalar, or there are no keys; an AxisError, which is a ValueError, if
        ``axis`` is out of range.

    See Also
    --------
    stack : Joins along a new axis.

    Examples
    --------
    >>> import keyrng
    >>> first, second = keyrng.split(keyrng.key(1), 2), keyrng.split(keyrng.key(2), 3)
    >>> keyrng.concatenate([first, second]).shape
    (5,)
    """
    algorithm, words, device = _all_words(keys)
    if any(w.ndim == 1 for w in words):
        raise ValueError("scalar keys cannot be concatenated; use keyrng.stack(keys)")
    axis = normalize_axis(axis, words[0].ndim - 1)
    rests = {w.shape[:axis] + w.shape[axis + 1 :] for w in words}
    if len(rests) > 1:
        shapes = ", ".join(str(w.shape[:-1]) for w in words)
        raise ValueError(f"keys of shapes {shapes} cannot be concatenated along axis {axis}")
    with device.current():
        return wrap_words(algorithm, device.contiguous(device.xp.concatenate(words, axis)))


def _all_words(keys: Iterable[Key]) -> tuple[Algorithm, list[Array], Device]:
    """Return the common algorithm of several keys, their words, and their common device."""
    if isinstance(keys, (np.ndarray, memoryview)) or not isinstance(keys, Iterable):
        raise TypeError(f"expected a list of keys, got {kind_of(keys)}")
    checked = [check_key(k) for k in keys]
    if not checked:
        raise ValueError("keys must not be empty")
    impls = dict.fromkeys(k._algorithm.name for k in checked)
    if len(impls) > 1:
        raise TypeError(f"keys in one array must have the same algorithm, got {' and '.join(impls)}")
    return checked[0]._algorithm, [k._words for k in checked], common_device(checked, "put together")
