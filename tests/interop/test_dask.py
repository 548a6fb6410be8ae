"""Lazy arrays in dask, joblib, xarray and zarr: values do not depend on chunks, schedulers or workers."""

from __future__ import annotations

import pickle
import time
import warnings
from typing import Any

import numpy as np
import pytest
from cases import assert_same, keys_on_a_gpu

import keyrng

KEY = keyrng.key(0)
SHAPE = (60, 70)


@pytest.fixture
def from_lazy_array() -> Any:
    pytest.importorskip("dask.array")
    from keyrng.interop.dask import from_lazy_array

    return from_lazy_array


def lazy() -> Any:
    return keyrng.lazy_array(keyrng.gamma, KEY, SHAPE, a=np.linspace(0.5, 2, 70, dtype=np.float32))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_schedulers_and_chunks(from_lazy_array, scheduler):
    import dask

    x = lazy()
    for chunks in ((17, 23),) if scheduler == "processes" else ((60, 70), (17, 23), (1, 70), (30, 1)):
        d = from_lazy_array(x, chunks)
        whole, part = dask.compute(d, d[::-3, [7, 1]], scheduler=scheduler, num_workers=2)

        assert (d.shape, d.dtype, d.chunksize) == (x.shape, x.dtype, chunks)
        assert_same(whole, x[...], chunks)
        assert_same(part, x[::-3, [7, 1]], chunks)


def test_a_cluster(from_lazy_array):
    distributed = pytest.importorskip("distributed")
    x = lazy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ports and of closing: the cluster's affair
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            actual = client.compute(from_lazy_array(x, (17, 23))).result()
            mean = client.compute(from_lazy_array(x, (17, 23)).mean()).result()

    assert_same(actual, x[...])
    assert abs(mean - x[...].mean()) < 1e-6


def test_ten_thousand_chunks_take_no_time(from_lazy_array):
    x = keyrng.lazy_array(keyrng.normal, KEY, (10**6, 10**6))
    from_lazy_array(x, 10**4)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        d = from_lazy_array(x, 10**4)
        times.append(time.perf_counter() - start)

    assert d.npartitions == 10**4
    assert min(times) < 0.05
    assert d[-1, -1].compute(scheduler="synchronous") == x[-1, -1]


def test_the_same_draw_has_the_same_name(from_lazy_array):
    def name(key: Any = KEY, shape: Any = SHAPE, **more: Any) -> str:
        return from_lazy_array(keyrng.lazy_array(keyrng.normal, key, shape, **more), 10).name

    assert name() == name() == name(pickle.loads(pickle.dumps(KEY)))
    others = [name(), name(keyrng.key(1)), name(shape=(60, 71)), name(dtype="float64"), name(keyrng.split(KEY)[0])]
    assert len(set(others)) == len(others)


def test_chunks_on_a_gpu(from_lazy_array):
    with keys_on_a_gpu("cuda"):
        import cupy

        x = keyrng.lazy_array(keyrng.normal, KEY.to("cuda"), (4, 6))
        chunk = from_lazy_array(x, 3).blocks[1, 1].compute(scheduler="synchronous")

        assert isinstance(chunk, cupy.ndarray)
        assert_same(cupy.asnumpy(chunk), keyrng.normal(KEY, (4, 6))[3:, 3:])


def test_only_lazy_arrays(from_lazy_array):
    with pytest.raises(TypeError, match=r"the result of keyrng.lazy_array, got ndarray"):
        from_lazy_array(np.zeros(3))


def test_store(from_lazy_array, tmp_path):
    zarr = pytest.importorskip("zarr")
    import dask.array as da

    x = lazy()
    target = zarr.create_array(str(tmp_path / "x.zarr"), shape=x.shape, chunks=(20, 35), dtype="float32")
    da.store(from_lazy_array(x, (20, 35)), target, scheduler="threads")
    target[:5] = x[5:10]  # or without dask

    assert_same(target[5:], x[5:])
    assert_same(target[:5], x[5:10])


def rows(x: Any, start: int, stop: int) -> Any:
    return x[start:stop]


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib(backend):
    joblib = pytest.importorskip("joblib")
    x = lazy()
    made = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(rows)(x, i, i + 7) for i in range(0, 60, 7))

    assert_same(np.concatenate(made), x[...])


# xarray


@pytest.mark.parametrize(
    "choose",
    [
        lambda d: d,
        lambda d: d.isel(a=3),
        lambda d: d.isel(a=-1, b=0, c=1),
        lambda d: d.isel(b=slice(None, None, -3), a=2, c=[1, 1]),
        lambda d: d.isel(a=[3, 1], c=[0, 2]),
        lambda d: d[..., 0].isel(a=slice(1, 4)).isel(b=[1, 2]),
        lambda d: d.transpose("c", "a", "b").isel(a=[1, 4]),
        lambda d: d.isel(b=[True, False, True, True, False, False]),
        lambda d: d.isel(b=d.c + 1, c=d.c),
        lambda d: d.isel(a=d.c, c=d.c),
    ],
)
def test_xarray_takes_the_same(choose):
    xr = pytest.importorskip("xarray")
    from keyrng.interop.xarray import from_lazy_array

    coords = {"c": [0, 1, 2]}
    x = keyrng.lazy_array(keyrng.normal, KEY, (5, 6, 3))
    actual = choose(from_lazy_array(x, ("a", "b", "c"), coords=coords))
    expected = choose(xr.DataArray(x[...], dims=("a", "b", "c"), coords=coords))

    assert actual.dims == expected.dims
    assert_same(actual.values, expected.values)


def test_xarray_makes_what_is_looked_at():
    pytest.importorskip("xarray")
    from keyrng.interop.xarray import from_lazy_array

    x = keyrng.lazy_array(keyrng.normal, KEY, (10**6, 10**6))
    d = from_lazy_array(x, ("time", "place"), name="noise")

    assert "4TB" in repr(d)
    assert_same(d.isel(time=slice(5, 8), place=[7, 1]).values, x[5:8, [7, 1]])
    with pytest.raises(TypeError, match=r"the result of keyrng\.lazy_array"):
        from_lazy_array(np.zeros(3), ("a",))
