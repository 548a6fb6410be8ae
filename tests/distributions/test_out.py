"""The number of threads and out= do not change any value, for every sampler, dtype and path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import (
    PATHS,
    Case,
    assert_same,
    each_case,
)
from test_laws import SEED, _unaligned, named, with_parameters

import keyrng


@each_case
@pytest.mark.skipif(len(PATHS) == 2 and PATHS[1] == "compiled", reason="no compiled path, and NumPy has one thread")
@pytest.mark.turns(3)
def test_the_number_of_threads_changes_nothing(case: Case) -> None:
    dtype, parameters = case.dtypes[-1], dict(case.parameters[-1])
    key = keyrng.key(SEED)
    shapes = [
        (key, (2**19 + 2**18 + 7,), parameters),
        (keyrng.split(key, 300), (3_001,), parameters),
        (keyrng.split(key, 9_000), (101,), parameters),
    ]
    if parameters:
        shapes.append((keyrng.split(key, 3), (281, 1_001), case.mixed((3, 1, 1_001))))
    before = keyrng.get_num_threads()
    for keys, shape, given in shapes:
        samples = []
        try:
            for count in (1, 3):
                keyrng.set_num_threads(count)
                assert keyrng.get_num_threads() == count
                samples.append(case(keys, shape, dtype, **given))
        finally:
            keyrng.set_num_threads(None)
        assert samples[0].size > 2**19
        assert_same(samples[1], samples[0], keys.shape, shape)
    assert keyrng.get_num_threads() == before


@each_case
@pytest.mark.turns(4)
def test_out(case: Case, any_path: str) -> None:
    key = keyrng.key(SEED, impl="philox4x32")
    keys = keyrng.split(key, 3)
    for dtype, parameters in named(case):
        for k, shape in ((key, (37, 61)), (keys, (7, 31)), (key, (1_201, 2)), (key, ())):
            full = k.shape + shape
            expected = case(k, shape, dtype, **parameters)
            outs = {
                "contiguous": np.empty(full, dtype),
                "Fortran": np.empty(full, dtype, order="F"),
                "unaligned": _unaligned(np.zeros(full, dtype)),
            }
            if full:
                outs["reversed"] = np.empty(full, dtype)[::-1]
                outs["every other"] = np.empty((*full[:-1], 2 * full[-1]), dtype)[..., ::2]
            for name, out in outs.items():
                # With out, the shape and the dtype may be left out.
                whole = ((shape, dtype), ((), dtype), ((), None))
                for given, kind in whole if name == "contiguous" else whole[1:2]:
                    out[...] = 0
                    result = case(k, given, kind, out=out, **parameters)
                    assert result is out
                    assert_same(out, expected, dtype, parameters, full, name)


@each_case
@pytest.mark.turns(3)
def test_out_is_all_that_is_written(case: Case, every_path: str) -> None:
    # The compiled path works on whole vectors: none may reach over the ends of the result.
    key = keyrng.key(SEED)
    for dtype, parameters in named(case):
        for length in (1, 3, 63, 64, 65, 127, 129, 2_047, 2_049, 5_001):
            room = np.full(length + 256, 77, np.uint8).repeat(np.dtype(dtype).itemsize).view(dtype)
            case(key, (), dtype, out=room[128 : 128 + length], **parameters)

            assert set(room[:128].tobytes() + room[128 + length :].tobytes()) == {77}, (dtype, length)


@with_parameters
@pytest.mark.turns(4)
def test_out_may_be_a_parameter_too(case: Case, any_path: str) -> None:
    # In place, and where one row is the parameter of all rows: it must be read before it is written.
    key = keyrng.key(SEED)
    for dtype in case.some_dtypes:
        if np.dtype(dtype).kind not in "fiu":
            continue
        for name in case.parameters[0]:
            column = case.mixed((4_099,))[name].astype(dtype)
            if dtype in ("float16", "bfloat16"):
                continue
            if not (column > 0).any():
                continue  # a fraction, which an integer is not
            others = {other: v for other, v in case.parameters[-1].items() if other != name}
            expected = case(key, (4_099,), dtype, **{**others, name: column.copy()})
            result = column.copy()
            case(key, (4_099,), dtype, out=result, **{**others, name: result})
            assert_same(result, expected, dtype, name)

            table = np.empty((9, 4_099), dtype)
            table[0] = column
            expected = case(key, (9, 4_099), dtype, **{**others, name: column.copy()})
            case(key, (9, 4_099), dtype, out=table, **{**others, name: table[0]})
            assert_same(table, expected, dtype, name, "broadcast")


# A dtype that is not given is that of out


@each_case
def test_a_dtype_that_is_given_must_be_that_of_out(case: Case) -> None:
    if len(case.dtypes) < 2:
        return
    for given, other in zip(case.dtypes, case.dtypes[1:], strict=False):
        with pytest.raises(TypeError, match=f"out must have dtype {given}, got {other}"):
            case(keyrng.key(SEED), (3,), given, out=np.empty(3, other), **case.parameters[0])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "uint64"])
def test_positions(dtype: str) -> None:
    """Samplers without a dtype whose results are positions write them to any integers that hold them."""
    key = keyrng.key(0)
    for call, shape in (
        (lambda **named: keyrng.permutation(key, 10, **named), (10,)),
        (lambda **named: keyrng.permutation(keyrng.split(key), 10, **named), (2, 10)),
        (lambda **named: keyrng.choice(key, 10, (3,), **named), (3,)),
        (lambda **named: keyrng.choice(key, 4, (3,), p=[1, 2, 3, 4], **named), (3,)),
        (lambda **named: keyrng.choice(key, 10, (3,), False, **named), (3,)),
        (lambda **named: keyrng.categorical(key, np.zeros(5), shape=(3,), **named), (3,)),
        (lambda **named: keyrng.index_shuffle(key, [5, 3, 2], 256, **named), (3,)),
    ):
        out = np.empty(shape, dtype)

        assert call(out=out) is out
        assert out.tolist() == call().tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda out: keyrng.permutation(keyrng.key(0), 257, out=out),
        lambda out: keyrng.choice(keyrng.key(0), 257, out=out),
        lambda out: keyrng.categorical(keyrng.key(0), np.zeros(257), shape=(257,), out=out),
        lambda out: keyrng.index_shuffle(keyrng.key(0), np.arange(257), 257, out=out),
    ],
)
def test_positions_are_not_wrapped(call: Any) -> None:
    for dtype in ("uint8", "int8", "float64", "bool"):
        with pytest.raises(TypeError, match=rf"out must have dtype int\d\d, got {dtype}"):
            call(np.empty(257, dtype))


def test_draw_of_a_kernel_of_your_own() -> None:
    out = np.empty(3, np.uint16)

    assert keyrng.sample_kernel(lambda lane: lane.bits(), keyrng.key(0), None, None, out=out) is out
    assert_same(out, keyrng.sample_kernel(lambda lane: lane.bits(), keyrng.key(0), (3,), "uint16"))
    with pytest.raises(TypeError, match="dtype must be given, got None"):
        keyrng.sample_kernel(lambda lane: lane.bits(), keyrng.key(0), (3,), None)
