"""The double of CuPy itself: every check of it fails where it should, and it has no name that the real one lacks.

One file for one module, long as that is: what is left to a caller of CuPy is checked in one place.
"""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import cuda_on_host
import cupy_double
import ml_dtypes
import numpy as np
import pytest
from cupy_double import ForeignArray, ForeignTensor, Machine

needs_gxx = pytest.mark.skipif(cuda_on_host.GXX is None, reason="no g++ on the PATH to run the CUDA text with")
bfloat16 = np.dtype(ml_dtypes.bfloat16)

TEXT = """
namespace keyrng {
typedef unsigned int word;
typedef unsigned long long u64;
extern "C" __global__ void add(const word *__restrict__ a, word b, u64 n, word *out) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) out[i] = a[i] + b;
}
extern "C" __global__ void __launch_bounds__(256) place(u64 *out, u64 width) {
    u64 x = (u64)blockIdx.x * blockDim.x + threadIdx.x, y = (u64)blockIdx.y * blockDim.y + threadIdx.y;
    out[y * width + x] = y << 32 | x;
}
extern "C" __global__ void store(const float *x, float one, bool *small, unsigned short *half, double *wide) {
    small[0] = x ? x[0] < one : one < 0;
    half[0] = 0x3f80;
    wide[0] = one;
}
}
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with cupy_double.installed() as machine:
        yield machine


@pytest.fixture
def cupy(machine: Machine) -> Any:
    import cupy

    return cupy


@pytest.fixture
def kernel(cupy: Any) -> Callable[[str], Any]:
    return cupy.RawModule(code=TEXT, options=("--fmad=false",)).get_function


# The module


def test_it_is_there_only_while_it_is_installed() -> None:
    before = sys.modules.get("cupy")
    with cupy_double.installed():
        import cupy.cuda.stream
        import cupy_backends.cuda.api.runtime
        import cupy_backends.cuda.libs.nvrtc
        from cupy.linalg import qr  # noqa: F401

        assert cupy.__spec__ is not None
        assert cupy_backends.cuda.api.runtime.getDeviceCount() == 2
        assert cupy_backends.cuda.libs.nvrtc.getVersion() == (12, 9)
        assert sys.modules["cupy"].ndarray is cupy_double.ndarray
    assert sys.modules.get("cupy") is before


@pytest.mark.parametrize(("there", "status"), [({"driver": False}, 35), ({"devices": 0}, 100)])
def test_without_a_device(there: dict[str, Any], status: int) -> None:
    with cupy_double.installed(**there):
        import cupy

        cupy.cuda.Device(0)
        for touch in (cupy.cuda.runtime.getDeviceCount, lambda: cupy.empty(3), cupy.cuda.Device, cupy.cuda.Stream):
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError) as error:
                touch()
            assert error.value.status == status


@needs_gxx
def test_without_nvrtc() -> None:
    with cupy_double.installed(nvrtc=False):
        import cupy

        module = cupy.RawModule(code=TEXT, options=("--fmad=false",))
        with pytest.raises(RuntimeError, match="libnvrtc"):
            module.get_function("add")


# Arrays


def test_nothing_becomes_numpys_by_itself(cupy: Any) -> None:
    x, host = cupy.arange(3), np.arange(3)
    for convert in (np.asarray, np.array, lambda x: host.__setitem__(slice(None), x)):
        with pytest.raises(TypeError, match=r"Implicit conversion to a NumPy array is not allowed"):
            convert(x)
    for call in (
        np.sum,
        np.add.reduce,
        np.shape,
        lambda x: np.add(x, 1),
        lambda x: host + x,
        lambda x: np.int64(1) + x,
    ):
        with pytest.raises(TypeError, match=r"cupy's own function"):
            call(x)
    for call in (
        lambda x: x + host,
        lambda x: cupy.concatenate([x, host]),
        lambda x: cupy.take(host, x),
        lambda x: cupy.moveaxis(host, 0, 0),
        lambda x: cupy.where(x == 0, host, x),
    ):
        with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy.ndarray'>"):
            call(x)

    with pytest.raises(TypeError, match=r"Unsupported type <class 'list'>"):
        cupy.where(x == 0, [1, 2, 3], x)
    for assign in (lambda: x.__setitem__(slice(None), host), lambda: x.fill(host), lambda: x.fill(x)):
        with pytest.raises(ValueError, match="non-scalar"):
            assign()


def test_functions_compute_as_numpys(cupy: Any) -> None:
    host = np.random.default_rng(0).integers(0, 9, (4, 6))
    x = cupy.asarray(host)
    for name, *arguments in (
        ("sort", 0),
        ("argmax", 1),
        ("cumsum", 1),
        ("moveaxis", 0, 1),
        ("expand_dims", 1),
        ("repeat", 2, 1),
        ("tile", (2, 1)),
        ("flatnonzero",),
        ("sum",),
        ("any", 0),
        ("max", 1),
        ("broadcast_to", (2, 4, 6)),
    ):
        actual, expected = getattr(cupy, name)(x, *arguments), getattr(np, name)(host, *arguments)
        assert isinstance(actual, cupy.ndarray) and actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual.get(), expected)
    np.testing.assert_array_equal(cupy.argsort(x).get(), np.argsort(host, kind="stable"))
    np.testing.assert_array_equal(cupy.where(x > 3, x, -x).get(), np.where(host > 3, host, -host))
    np.testing.assert_array_equal(cupy.take_along_axis(x, cupy.argsort(x), 1).get(), np.sort(host))
    np.testing.assert_array_equal((x[1:, ::2] << 2 | 1).get(), host[1:, ::2] << 2 | 1)
    np.testing.assert_array_equal(x[cupy.asarray([2, 0])].get(), host[[2, 0]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x)).get(), host)
    assert copy.deepcopy(x).data.ptr != x.data.ptr
    assert [part.tolist() for part in cupy.nonzero(x)] == [part.tolist() for part in np.nonzero(host)]
    assert cupy.linalg.qr(x.astype(np.float32))[0].shape == (4, 4)


def test_views_share_and_keep_their_offset(cupy: Any) -> None:
    x = cupy.zeros((4, 5), np.uint16)
    assert x.data.ptr % 512 == 0

    x[1, 2], x[2:, 0] = 7, 3
    x.reshape(20)[-1] += 1
    element = x[1, 2]

    assert element.shape == () and element.data.ptr == x.data.ptr + 14
    assert cupy.may_share_memory(element, x) and not cupy.may_share_memory(x, x.copy())
    assert x.get().sum() == 7 + 6 + 1
    assert x.T.flags.f_contiguous and not x.T.flags.c_contiguous
    assert cupy.ascontiguousarray(x) is x and cupy.ascontiguousarray(x.T).flags.c_contiguous
    assert cupy.empty(0).data.ptr == 0


def test_memory_that_is_read_is_not_written(cupy: Any) -> None:
    x = cupy.arange(6)
    x[:3] = x[3:]
    x += x
    x[...] = x
    assert x.tolist() == [6, 8, 10, 6, 8, 10]
    for race in (lambda: x.__setitem__(slice(1, None), x[:-1]), lambda: x.__iadd__(x[::-1]), lambda: x.__imul__(x[0])):
        with pytest.raises(AssertionError, match="other threads"):
            race()


def test_what_cupy_refuses(cupy: Any) -> None:
    x = cupy.zeros((4, 5))
    with pytest.raises(NotImplementedError, match="non-contiguous"):
        x.T.sort()
    with pytest.raises(ValueError, match="repeats"):
        cupy.repeat(x, cupy.arange(5))
    with pytest.raises(TypeError, match="unexpected keyword"):
        cupy.take(x, 1, mode="clip")
    for value in (x, cupy.cuda.Device(0)):
        with pytest.raises(TypeError, match="unhashable"):
            hash(value)
    with pytest.raises(IndexError):
        x[cupy.asarray([4])]


def test_matrices_that_cusolver_does_not_define(cupy: Any) -> None:
    good, bad = [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]
    factors = cupy.linalg.cholesky(cupy.asarray([good, bad])).get()  # no error, and the others have theirs
    assert (factors[0] == np.linalg.cholesky(good)).all()
    assert (factors[1] == np.tril(bad)).all()
    values, vectors = cupy.linalg.eigh(cupy.zeros((2, 2)))
    assert np.isnan(values.get()).all()
    assert np.isnan(vectors.get()).all()
    for wrong in (np.nan, np.inf):
        for routine in (cupy.linalg.cholesky, cupy.linalg.eigh, cupy.linalg.svd, cupy.linalg.qr):
            with pytest.raises(AssertionError, match="handed to cuSOLVER"):
                routine(cupy.full((2, 2, 2), wrong))


def test_float32_is_flushed_where_cupy_computes_it(cupy: Any) -> None:
    small = np.array([1e-40, -1e-40, 1.0], np.float32)
    x, wide = cupy.asarray(small), cupy.asarray(small.astype(np.float64))
    signs = np.signbit(small)

    for kept in (x, x.copy(), x[::1], cupy.sort(x), cupy.concatenate([x]), cupy.take(x, cupy.arange(3)), wide * 1.0):
        assert np.count_nonzero(kept.get()) == 3
    for lost in (x * np.float32(1), x + x, cupy.cumsum(x)[:2], wide.astype(np.float32), x.astype(np.float64), x != 0):
        assert np.count_nonzero(lost.get()) == int(lost.size == 3)
    assert (np.signbit((x * np.float32(1)).get()) == signs).all()
    x += x
    assert x.get().tolist() == [0, 0, 2]
    assert not bool((wide == 0).any())


def test_bfloat16(cupy: Any) -> None:
    x = cupy.empty(3, bfloat16)
    x.fill(1.5)

    assert x.dtype == bfloat16 and x.astype(np.float32).get().tolist() == [1.5] * 3
    assert x.view(np.uint16).get().tolist() == [0x3FC0] * 3
    with pytest.raises(NotImplementedError, match="bfloat16"):
        cupy.sort(x)
    with pytest.raises(TypeError, match="bfloat16"):
        cupy.argmax(x)


# Copies and waits


def test_synchronizations_are_seen(cupy: Any, machine: Machine) -> None:
    x = cupy.arange(5)
    waiting = (
        x.get,
        x.tolist,
        lambda: cupy.asnumpy(x),
        lambda: int(x[0]),
        lambda: bool((x == 0).all()),
        lambda: float(x[0]),
        lambda: [0][x[0]],
        lambda: repr(x),
        lambda: x[x > 2],
        lambda: x.__setitem__(x > 2, 0),
        lambda: cupy.nonzero(x),
        lambda: cupy.flatnonzero(x),
        lambda: cupy.shares_memory(x, x),
        lambda: cupy.asarray(np.arange(3), blocking=True),
        cupy.cuda.Device(0).synchronize,
        cupy.cuda.Stream.null.synchronize,
    )
    with cupy_double.no_synchronization():
        (x + 1)[:2].sum()
        x[1:] = 7
        x[cupy.where(x > 2, 1, 0)] = 0
        cupy.asarray(np.arange(3))
        for wait in waiting:
            with pytest.raises(AssertionError, match="is allowed here"):
                wait()
    before = machine.copies_to_host, machine.waits, machine.copies_to_device
    for wait in waiting:
        wait()
    assert (machine.copies_to_host, machine.waits, machine.copies_to_device) == (before[0] + 8, before[1] + 8, 2)


def test_uploads_are_seen(cupy: Any, machine: Machine) -> None:
    x = cupy.arange(5)
    with cupy_double.no_synchronization(uploads=False):
        cupy.asarray(np.float32(3))
        cupy.full(3, 2.0)
        for upload in (
            lambda: cupy.asarray([1, 2]),
            lambda: cupy.array(np.zeros(3)),
            lambda: x[[1, 2]],
            lambda: cupy.take(x, [1]),
        ):
            with pytest.raises(AssertionError, match="copies to device"):
                upload()
    assert machine.copies_to_device == 0


# Devices and streams


def test_an_array_is_used_on_its_device(cupy: Any) -> None:
    with cupy.cuda.Device(1):
        x = cupy.arange(3)
    assert x.device == cupy.cuda.Device(1) and x.device.id == 1
    for use in (
        lambda: x + 1,
        lambda: x[cupy.asarray([1])],
        lambda: x.fill(0),
        lambda: x.__setitem__(0, 1),
        lambda: x.sum(),
        lambda: x.astype(np.float32),
        lambda: cupy.concatenate([x]),
        lambda: x[::2].ravel().reshape(2)[::-1].sort(),
        lambda: cupy.full(3, 1).__iadd__(x),
    ):
        with pytest.raises(ValueError, match=r"resides \(1\) is different from the current device \(0\)"):
            use()
    assert x.get().tolist() == x[:].reshape(3, 1)[:, 0].tolist() == [0, 1, 2]
    assert cupy.asarray(x).device.id == x.copy().device.id == 0
    with pytest.raises(NotImplementedError, match="between devices"):
        cupy.asarray(x[::2])


def test_the_current_device_is_put_back(cupy: Any) -> None:
    here = cupy.cuda.runtime.getDevice
    with cupy.cuda.Device(1) as one:
        with cupy.cuda.Device(0), one:
            assert here() == 1
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(here()))
        thread.start()
        thread.join()
        assert seen == [0] and here() == 1
    assert here() == 0
    far = cupy.cuda.Device(2)
    for use in (far.use, far.__enter__, lambda: far.attributes):
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="invalid device ordinal"):
            use()
    assert here() == 0 and cupy.cuda.Device(1).attributes["MultiProcessorCount"] == 2


def test_the_current_stream_is_a_threads_and_a_devices(cupy: Any) -> None:
    current = cupy.cuda.get_current_stream
    stream = cupy.cuda.Stream()
    with stream:
        assert current() == stream and current().ptr == stream.ptr != 0
        with cupy.cuda.Device(1):
            assert current().ptr == 0
            with pytest.raises(RuntimeError, match="not created on the current device"):
                stream.use()
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(current().ptr))
        thread.start()
        thread.join()
        assert seen == [0]
    assert current().ptr == 0


# Launches


@needs_gxx
def test_a_launch(cupy: Any, kernel: Any, machine: Machine) -> None:
    out = cupy.empty((4, 6), np.uint64)
    with cupy.cuda.Stream() as stream:
        kernel("place")((2, 2), (3, 2), (out, np.uint64(6)))

    assert (
        out.get() == (np.arange(4, dtype=np.uint64)[:, None] << np.uint64(32)) + np.arange(6, dtype=np.uint64)
    ).all()
    (launch,) = machine.launches
    assert launch.name == "place" and launch.grid == (2, 2) and launch.block == (3, 2)
    assert launch.stream == stream.ptr and launch.device == 0 and launch.arguments[0] is out


@needs_gxx
def test_arguments_are_of_the_types_of_the_text(cupy: Any, kernel: Any) -> None:
    a, b, n, out = cupy.arange(4, dtype=np.uint32), np.uint32(3), np.uint64(4), cupy.empty(4, np.uint32)
    add = kernel("add")
    add((1,), (1,), (a, b, n, out))
    assert out.get().tolist() == [3, 4, 5, 6]

    wrong = [
        (a, 3, n, out),
        (a, b, 4, out),
        (a, np.int32(3), n, out),
        (a, b, np.int64(4), out),
        (a, np.array(3, np.uint32), n, out),
        (a, None, n, out),
        (a.astype(np.int32), b, n, out),
        (a.get(), b, n, out),
        (np.uint64(a.data.ptr), b, n, out),
        (a.data.ptr, b, n, out),
        (a, b, n),
        (a, b, n, out, out),
    ]
    for arguments in wrong:
        with pytest.raises(TypeError, match=r"add: argument|add takes 4 arguments"):
            add((1,), (1,), arguments)


@needs_gxx
def test_arrays_of_arguments(cupy: Any, kernel: Any) -> None:
    outs = cupy.empty(1, np.bool_), cupy.empty(1, np.float16), cupy.empty(1, np.float64)
    for half, x in (
        (np.float16, None),
        (bfloat16, np.uint64(0)),
        (np.uint16, np.intp(0)),
        (bfloat16, cupy.full(1, 1e-41, np.float32)),
    ):
        outs = outs[0], cupy.empty(1, half), outs[2]
        kernel("store")((1,), (1,), (x, np.float32(2e-41), *outs))
        assert bool(outs[0][0]) is (x is not None and x.dtype == np.float32)  # subnormals are not flushed there
        assert outs[2].get() == np.float32(2e-41)
    assert outs[1].get() == [1]

    add, b, n = kernel("add"), np.uint32(3), np.uint64(4)
    a, out = cupy.zeros((4, 4), np.uint32), cupy.empty(4, np.uint32)
    with pytest.raises(ValueError, match="must be contiguous"):
        add((1,), (1,), (a[:, 0], b, n, out))
    with pytest.raises(ValueError, match="no multiple of 4"):
        add((1,), (1,), (cupy.zeros(17, np.uint8)[1:].view(np.uint32), b, n, out))
    with cupy.cuda.Device(1), pytest.raises(ValueError, match="different from the current device"):
        add((1,), (1,), (a, b, n, out))


@needs_gxx
def test_grids_and_blocks(cupy: Any, kernel: Any) -> None:
    add, arguments = kernel("add"), (cupy.zeros(4, np.uint32), np.uint32(3), np.uint64(4), cupy.empty(4, np.uint32))
    for grid, block in (
        ((0,), (1,)),
        ((1,), (0,)),
        ((2**31,), (1,)),
        ((1, 65536), (1,)),
        ((1,), (1025,)),
        ((1,), (64, 32)),
        ((1, 1, 1, 1), (1,)),
    ):
        with pytest.raises(cupy.cuda.driver.CUDADriverError, match="add"):
            add(grid, block, arguments)
    for grid, block in ((1, (1,)), ((1,), [1]), ((np.int64(1),), (1,)), ((1.0,), (1,))):
        with pytest.raises(TypeError, match="tuple of int"):
            add(grid, block, arguments)
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="256"):
        kernel("place")((1,), (257,), (cupy.empty(257, np.uint64), np.uint64(257)))


@needs_gxx
def test_writes_behind_the_end_are_seen(cupy: Any, kernel: Any) -> None:
    a, out = cupy.zeros(100, np.uint32), cupy.empty(7, np.uint32)
    with pytest.raises(AssertionError, match="wrote behind the end"):
        kernel("add")((1,), (1,), (a, np.uint32(3), np.uint64(8), out))


def test_options(cupy: Any) -> None:
    with pytest.raises(AssertionError, match="--fmad=false"):
        cupy.RawModule(code=TEXT, options=("--std=c++17",))
    with pytest.raises(TypeError, match="expected tuple, got list"):
        cupy.RawModule(code=TEXT, options=["--fmad=false"])
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="NOT_FOUND"):
        cupy.RawModule(code=TEXT, options=("--fmad=false",)).get_function("sub")


# Graphs


@needs_gxx
def test_a_graph_reads_memory_when_it_is_launched(cupy: Any, kernel: Any, machine: Machine) -> None:
    a, out, add = cupy.arange(4, dtype=np.uint32), cupy.zeros(4, np.uint32), kernel("add")
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        middle = cupy.empty(4, np.uint32)
        add((1,), (1,), (a, np.uint32(3), np.uint64(4), middle))
        order = cupy.argsort(middle ^ 1)
        out[...] = middle[::-1]
        for refused in (a.get, lambda: int(a[0]), lambda: cupy.asarray([1]), stream.synchronize):
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="capturing"):
                refused()
        graph = stream.end_capture()
    assert not stream.is_capturing() and (middle.view(np.uint8).get() == 0xA5).all()

    for first in (10, 20):
        a[...] = cupy.arange(first, first + 4, dtype=np.uint32)
        graph.launch()
        assert out.get().tolist() == [first + 6, first + 5, first + 4, first + 3]
        assert order.get().tolist() == np.argsort(np.arange(first + 3, first + 7) ^ 1).tolist()
    with pytest.raises(RuntimeError, match="default"):
        cupy.cuda.Stream.null.begin_capture()


# Other libraries' arrays


def test_foreign_arrays(cupy: Any, machine: Machine) -> None:
    x = cupy.arange(12, dtype=np.uint32).reshape(3, 4)
    with cupy_double.no_synchronization():
        for content in (x, x[1:, ::2], x.T, x[::-1]):
            for foreign in (cupy.asarray(ForeignArray(content)), cupy.from_dlpack(ForeignTensor(content))):
                assert foreign.data.ptr == content.data.ptr
                assert (foreign._array == content._array).all() and foreign.strides == content.strides
    with pytest.raises(TypeError, match="Unsupported type"):
        cupy.moveaxis(ForeignArray(x), 0, 1)
    with pytest.raises(BufferError, match="device of kind 1"):
        cupy.from_dlpack(np.arange(3))

    class Streaming:
        __cuda_array_interface__ = x.__cuda_array_interface__

    class Wild:
        __cuda_array_interface__ = {"shape": (3,), "typestr": "<u4", "data": (64, False), "version": 2}

    with cupy_double.no_synchronization(), pytest.raises(AssertionError, match="names a stream"):
        cupy.asarray(Streaming())
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="invalid argument"):
        cupy.asarray(Wild())
    with cupy.cuda.Device(1):
        assert cupy.from_dlpack(x).device.id == 0


# The real one

REAL = """
import inspect, json, sys
try:
    import cupy
except ImportError:
    sys.exit(3)
found = {}
for path in json.load(sys.stdin):
    thing = cupy
    for part in path.split("."):
        thing = getattr(thing, part, None)
    try:
        found[path] = None if thing is None else list(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        found[path] = []
print(json.dumps(found))
"""


def test_the_real_one_has_all_of_it(cupy: Any) -> None:

    paths: dict[str, Any] = {}
    for part in ("", "cuda.", "cuda.runtime.", "cuda.nvrtc.", "linalg.", "ndarray.", "cuda.Device.", "cuda.Stream."):
        owner = cupy
        for name in part.split(".")[:-1]:
            owner = getattr(owner, name)
        for name in vars(owner):
            if not name.startswith("_"):
                paths[part + name] = getattr(owner, name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REAL],
        input=json.dumps(list(paths)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip("the real CuPy is not installed")
    assert done.returncode == 0, done.stderr
    real = json.loads(done.stdout)

    assert [path for path in paths if real[path] is None] == []
    for path, thing in paths.items():
        if inspect.isfunction(thing) and real[path]:
            ours = list(inspect.signature(thing).parameters)
            assert set(ours) <= set(real[path]), path
            positional = [name for name in real[path] if name in ours]
            assert ours[: len(positional)] == positional, path
