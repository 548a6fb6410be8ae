"""With an array of keys and parameters per key, ``shape=()`` returns one sample per key."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
import pytest
from cases import CASES

import keyrng
from keyrng import distributions

IN_THE_TABLE = {case.function or case.name for case in CASES}  # for which test_laws.py says it
NAMES = [
    name
    for name in distributions.__all__
    if name not in ("choice", "permutation", "index_shuffle", *IN_THE_TABLE)  # whose arrays are not parameters
    and any("ArrayLike" in str(p.annotation) for p in signature(getattr(keyrng, name)).parameters.values())
]

# Parameters for each of four keys
KEYS = keyrng.split(keyrng.key(0), 4)
U = np.linspace(0.2, 0.8, 4)
N = np.arange(4)
EYES = np.eye(3)[None].repeat(4, 0)

PARAMETERS: dict[str, tuple[Any, ...]] = {
    "ball": (3, U + 1),
    "categorical": (np.log(np.arange(12.0).reshape(4, 3) + 1),),
    "dirichlet": (np.arange(12.0).reshape(4, 3) + 1,),
    "multinomial": (N + 5, np.arange(12.0).reshape(4, 3) + 1),
    "multivariate_hypergeometric": (np.arange(12).reshape(4, 3) + 5, N + 1),
    "multivariate_normal": (np.zeros((4, 3)), EYES),
    "wishart": (U + 5, EYES),
}


@pytest.mark.parametrize("name", NAMES)
def test_one_sample_per_key(name: str) -> None:
    sampler, parameters = getattr(keyrng, name), PARAMETERS[name]
    shape = (3,) if name == "multinomial" else ()  # which has the axis of the classes

    samples = sampler(KEYS, *parameters, shape=shape)

    assert len(samples) == 4
    for i, key in enumerate(KEYS):
        own = tuple(p[i] if isinstance(p, np.ndarray) else p for p in parameters)
        alone = sampler(key, *own, shape=shape)
        assert samples[i].shape == alone.shape
        assert np.asarray(samples[i]).tobytes() == np.asarray(alone).tobytes()


@pytest.mark.parametrize(
    "call",
    [
        lambda keys, a: keyrng.gamma(keys, a),
        lambda keys, a: keyrng.normal(keys) + keyrng.bernoulli(keys, a),
        lambda keys, a: keyrng.beta(keys, 1.0, a),
        lambda keys, a: keyrng.categorical(keys, np.broadcast_to(a[..., None], (*a.shape, 2))),
        lambda keys, a: keyrng.poisson(keys, a, dtype="int64"),
    ],
)
def test_the_error_of_a_sample_that_is_too_large_says_it(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyrng._executors.cpu_device import CpuDevice

    monkeypatch.setattr(CpuDevice, "empty", _no_memory)
    keys, a = keyrng.split(keyrng.key(0), 3), np.full(3, 0.5)
    with pytest.raises(
        MemoryError, match=r"Unable to allocate.*\. With an array of keys .* shape=\(\) returns one sample"
    ):
        call(keys, a)
    with pytest.raises(MemoryError) as caught:
        keyrng.gamma(keys, np.full((3, 2), 0.5)[0])
    assert "per key" not in str(caught.value)


def _no_memory(self: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """As if two axes were too much."""
    if len(shape) > 1:
        raise MemoryError(f"Unable to allocate 1 PiB for an array with shape {shape} and data type {np.dtype(dtype)}")
    return np.empty(shape, dtype)
