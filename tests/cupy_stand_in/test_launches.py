"""The number of kernel launches per call, as a table, so that additional launches are noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case import BOOL, Case
from cases import CASES

import cupy_stand_in
import keyrng

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif("not cupy_stand_in.active()", reason="counts launches on the stand-in: -p cupy_stand_in.plugin"),
]


def on_gpu(values: Any, dtype: str = "float32") -> Any:
    import cupy

    return cupy.asarray(np.asarray(values, dtype))


LAUNCHES: dict[str, tuple[int, Callable[[keyrng.Key], Any]]] = {
    "uniform": (1, lambda key: keyrng.uniform(key, (1000,))),
    "normal": (1, lambda key: keyrng.normal(key, (1000,))),
    "complex normal": (4, lambda key: keyrng.normal(key, (1000,), "complex64")),
    "bits": (1, lambda key: keyrng.bits(key, (1000,))),
    "gamma": (1, lambda key: keyrng.gamma(key, 2.0, (1000,))),
    "gamma of an array": (1, lambda key: keyrng.gamma(key, on_gpu([1.0, 2.0]))),
    "bernoulli": (1, lambda key: keyrng.bernoulli(key, 0.5, (1000,))),
    "randint of numbers": (1, lambda key: keyrng.randint(key, (1000,), 0, 10)),
    "dropout": (1, lambda key: keyrng.dropout(key, on_gpu(np.ones(1000)), 0.5)),
    "split": (1, lambda key: keyrng.split(key)),
    "fold_in": (1, lambda key: keyrng.fold_in(key, 7)),
    "fold_in of a name": (1, lambda key: keyrng.fold_in(key, "name")),
    "permutation": (6, lambda key: keyrng.permutation(key, 1000)),
    "choice without replacement": (6, lambda key: keyrng.choice(key, 1000, (10,), replace=False)),
    # Parameters in the memory of a GPU.
    "gamma of float64": (1, lambda key: keyrng.gamma(key, on_gpu([1.0, 2.0], "float64"))),
    "wald of integers": (1, lambda key: keyrng.wald(key, on_gpu([3, 4], "int8"))),
    "binomial of integers": (1, lambda key: keyrng.binomial(key, on_gpu([9, 8], "int64"), on_gpu([0.5, 0.1]))),
    "hypergeometric": (1, lambda key: keyrng.hypergeometric(key, *(on_gpu([n, 9], "int32") for n in (5, 6, 7)))),
    "uniform between arrays": (1, lambda key: keyrng.uniform(key, (2,), None, on_gpu([0.0, 1.0]), on_gpu([1.5, 2.0]))),
    "uniform float16 below an array": (1, lambda key: keyrng.uniform(key, (2,), "float16", -1.0, on_gpu([1.0, 2.0]))),
    "randint": (1, lambda key: keyrng.randint(key, (2,), on_gpu([0, 5], "int32"), on_gpu([9, 10], "int16"))),
    "triangular": (1, lambda key: keyrng.triangular(key, *(on_gpu([x, x + 0.5]) for x in (0.0, 1.0, 2.0)))),
    "truncated_normal of arrays": (
        1,
        lambda key: keyrng.truncated_normal(key, on_gpu([-1.0, 0.0]), on_gpu([1.0, 2.0])),
    ),
    "vonmises of an array": (2, lambda key: keyrng.vonmises(key, on_gpu([1.0, 2.0]), on_gpu([2.0, 3.0]))),
    # Samplers of rows.
    "categorical": (3, lambda key: keyrng.categorical(key, on_gpu([0.0, 1.0, 2.0]))),
    "categorical of a batch": (3, lambda key: keyrng.categorical(key, on_gpu(np.ones((4, 5))))),
    "categorical of float16": (4, lambda key: keyrng.categorical(key, on_gpu(np.ones((4, 5)), "float16"))),
    "dirichlet": (4, lambda key: keyrng.dirichlet(key, on_gpu([1.0, 2.0, 3.0]))),
    "dirichlet float16": (4, lambda key: keyrng.dirichlet(key, on_gpu([[1.0, 2.0]] * 3), dtype="float16")),
    "multinomial": (15, lambda key: keyrng.multinomial(key, 9, on_gpu([1.0, 2.0, 3.0]))),
    # Without those of cuSOLVER.
    "multivariate_normal": (
        5,
        lambda key: keyrng.multivariate_normal(key, on_gpu([0.0, 1.0]), on_gpu([[2.0, 1.0], [1.0, 2.0]])),
    ),
    "multivariate_normal of a batch, eigh": (
        6,
        lambda key: keyrng.multivariate_normal(key, on_gpu(np.ones((3, 2))), on_gpu([np.eye(2)] * 3), method="eigh"),
    ),
    "wishart": (11, lambda key: keyrng.wishart(key, 3, on_gpu([[2.0, 1.0], [1.0, 2.0]]))),
    "index_shuffle": (2, lambda key: keyrng.index_shuffle(key, on_gpu(range(10), "int32"), 1000)),
    "index_shuffle, inverse": (
        2,
        lambda key: keyrng.index_shuffle(key, on_gpu(range(10), "int64"), 1000, inverse=True),
    ),
    "sample_without_replacement": (3, lambda key: keyrng.sample_without_replacement(key, 1000, (10,))),
}


@pytest.mark.parametrize("name", LAUNCHES)
def test_launches(name: str) -> None:
    count, call = LAUNCHES[name]
    key = keyrng.key(0, device="cuda")
    call(key)  # compiles
    cupy_stand_in.record.launches.clear()
    call(key)

    found = cupy_stand_in.record.launches
    assert len(found) == count, [launch.name for launch in found]


MORE = {"vonmises": 2}  # the reduction of the angle is a launch


@pytest.mark.parametrize("case", [case for case in CASES if case.parameters[0]], ids=str)
def test_samplers_of_elements_with_arrays(case: Case) -> None:
    key = keyrng.key(0, device="cuda")
    arrays = {name: on_gpu(values, values.dtype.name) for name, values in case.mixed((4,)).items()}
    named = {"shape": (4,), **case.fixed, **arrays, **({} if case.dtypes == BOOL else {"dtype": case.dtypes[0]})}
    function = getattr(keyrng, case.function or case.name)
    function(key, **named)
    cupy_stand_in.record.launches.clear()
    function(key, **named)

    found = cupy_stand_in.record.launches
    assert len(found) == MORE.get(case.name, 1), [launch.name for launch in found]
