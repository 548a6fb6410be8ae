"""Slow and simple reference implementations of permutation, choice and categorical, for their tests."""

from __future__ import annotations

import importlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import PATHS, Array

import keyrng
from keyrng.distributions.categorical import gumbel_kernel

# Imported by name, because functions of the package hide these modules.
ORDERS: Any = importlib.import_module("keyrng.distributions._shared.sorting")
RACES: Any = importlib.import_module("keyrng.distributions._shared.gumbel_top_k")
WEIGHTS: Any = importlib.import_module("keyrng.distributions._shared.weighted")

SEED = 2024
KEY = keyrng.key(SEED)
INF, NAN = float("inf"), float("nan")
MODES = ("low", "high", "highest")  # of gumbels

# The instruction sets of the compiled path differ in words and gumbels only, which other tests compare.
on_both_paths = pytest.mark.parametrize("path", PATHS[:2], indirect=True)


def slow_orders(key: keyrng.Key, shape: tuple[int, ...], axis: int) -> Array:
    """Along an axis, the places that the elements of a permuted array come from; one key."""
    total = math.prod(shape)
    places = np.broadcast_to(np.arange(shape[axis]).reshape([-1] + [1] * (len(shape) - 1 - axis)), shape)
    for _ in range(0 if total < 2 else 1 if total < 1626 else 2 if total < 2_642_246 else 3):
        key, stream = keyrng.split(key)
        order = np.argsort(keyrng.bits(stream, shape), axis=axis, kind="stable")
        places = np.take_along_axis(places, order, axis)
    return places


def slow_by_weight(key: keyrng.Key, shape: tuple[int, ...], p: Array) -> Array:
    p = np.asarray(p, np.float64)
    reached = np.maximum.accumulate(np.where(p > 0, slow_sum(p), 0))
    words = keyrng.bits(key, shape, "uint64")
    if key.impl == "threefry2x32":  # whose words of 32 bits are those above, xor those below
        words = keyrng.bits(key, shape).astype(np.uint64) << 32 | words & 0xFFFFFFFF
    return np.searchsorted(reached, reached[-1] * (1 - (words >> 11) * 2.0**-53))


def slow_sum(x: Array) -> Array:
    def sequential(values: Any) -> list[Any]:
        return list(itertools.accumulate(values))

    if len(x) <= 16:
        return np.array(sequential(x), x.dtype)
    blocks = [sequential(x[i : i + 16]) for i in range(0, len(x), 16)]
    before = slow_sum(np.array([block[-1] for block in blocks], x.dtype))
    return np.array([v if i == 0 else before[i - 1] + v for i, block in enumerate(blocks) for v in block], x.dtype)


def gumbels(key: keyrng.Key, shape: tuple[int, ...], dtype: Any, mode: str | None = None) -> Array:
    dtype = np.dtype(dtype)
    return keyrng.sample_kernel(gumbel_kernel(mode, dtype), key, shape, dtype)


def slow_categorical(
    key: keyrng.Key, logits: Array, axis: int, shape: tuple[int, ...], replace: bool, mode: str
) -> Array:
    """One key; as jax says it."""
    axis %= logits.ndim
    batch = logits.shape[:axis] + logits.shape[axis + 1 :]
    prefix, rest = shape[: len(shape) - len(batch)], shape[len(shape) - len(batch) :]
    whole = (*rest[:axis], logits.shape[axis], *rest[axis:])
    if replace:
        scores = gumbels(key, prefix + whole, logits.dtype, mode) + np.broadcast_to(logits, whole)
        return scores.argmax(axis=len(prefix) + axis)
    scores = gumbels(key, whole, logits.dtype, mode) + np.broadcast_to(logits, whole)
    largest = np.argsort(-scores, axis=axis, kind="stable").take(range(math.prod(prefix)), axis)
    return np.moveaxis(largest, axis, 0).reshape(shape)


def slow_choice(key: keyrng.Key, size: int, shape: tuple[int, ...], replace: bool, p: Array | None) -> Array:
    count = math.prod(shape)
    if p is None:
        return keyrng.randint(key, shape, 0, size) if replace else slow_orders(key, (size,), 0)[:count].reshape(shape)
    if replace:
        return slow_by_weight(key, shape, p)
    with np.errstate(divide="ignore"):
        # The logarithm may be a library's: what it rounds otherwise decides only between scores that are nearly equal.
        scores = gumbels(key, (size,), np.float32) + np.log(p, dtype=np.float64).astype(np.float32)
        return np.argsort(-scores, kind="stable")[:count].reshape(shape)
