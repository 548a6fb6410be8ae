"""Samples of a key on a GPU and of the same key on the CPU, for the tests of samplers that use array functions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from cases import assert_same
from gpus import is_double, without_waiting

import keyrng

Array = np.ndarray[Any, np.dtype[Any]]
Named = Mapping[str, Any]

KEY = keyrng.key(7)
KEYS = {"one": KEY, "several": keyrng.split(KEY, (2, 3)), "none": keyrng.split(KEY, 0)}
RNG = np.random.default_rng(0)
WEIGHTS = {
    size: np.where(np.arange(size) % 5 == 3, 0, RNG.random(size) ** 4).astype(np.float32)
    for size in (1, 2, 16, 17, 250, 2_000)
}

each_key = pytest.mark.parametrize("keys", KEYS)


def to_gpu(value: Any) -> Any:
    """NumPy's arrays, of one axis or more, and keys as they are on a GPU; the rest as it is."""
    import cupy

    if isinstance(value, keyrng.Key):
        return value.to("cuda")
    return cupy.asarray(value) if isinstance(value, np.ndarray) and value.ndim else value


def to_host(value: Any) -> Array:
    """A result as NumPy's array."""
    import cupy

    return cupy.asnumpy(keyrng.key_data(value) if isinstance(value, keyrng.Key) else value)


def ways(named: Named) -> Iterator[Named]:
    """The parameters with each array of numbers as it is, and as a list."""
    arrays = [name for name, value in named.items() if isinstance(value, np.ndarray) and value.size]
    for chosen in itertools.product((True, False), repeat=len(arrays)):
        lists = {name for name, is_list in zip(arrays, chosen, strict=True) if is_list}
        yield {name: value.tolist() if name in lists else value for name, value in named.items()}


def check(name: str, key: keyrng.Key, near: bool = False, **named: Any) -> None:
    """The same bits for a key on a GPU, however parameters are given, with nothing to wait for, and into ``out``."""
    import cupy

    function = getattr(keyrng, name)
    for given in ways(named):
        expected = function(key, **given)
        moved = {name: to_gpu(value) for name, value in given.items()}
        with without_waiting():
            result = function(key.to("cuda"), **moved)
        assert result.device == key.to("cuda").device if isinstance(result, keyrng.Key) else result.device.id == 0
        compare(to_host(result), to_host(expected), near, name, given)
        if isinstance(expected, keyrng.Key):
            continue
        apart = cupy.empty((*expected.shape, 2), expected.dtype)[..., 0]
        for out in (cupy.empty(expected.shape, expected.dtype), apart):
            with without_waiting():
                assert function(key.to("cuda"), **moved, out=out) is out
            compare(to_host(out), to_host(expected), near, name, given)


def compare(actual: Array, expected: Array, near: bool, name: str, named: Named) -> None:
    """The same bits; near enough for what goes through a library's factors, unless it is the same library."""
    if not near or is_double():
        assert_same(actual, expected, name, named)
        return
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    close = {2: 2e-2, 4: 1e-5, 8: 1e-12}[expected.itemsize // (2 if expected.dtype.kind == "c" else 1)]
    if named.get("method") in ("svd", "eigh"):  # vectors have either sign
        assert np.isfinite(actual).all()
        return
    assert np.allclose(actual.astype(complex), expected.astype(complex), close, close), (name, named)
