"""The laws of docs/reproducibility.md, compared by bits for every sampler.

A sample is a function of key, index and parameters. Each test has one case, algorithm and path, and loops over dtypes
and parameters, because there are thousands of combinations. Algorithms take turns (see `cases.each_law`);
test_paths_agree_for_every_algorithm compares them all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from cases import (
    ALGORITHMS,
    BY_NAME,
    CASES,
    FLOATS,
    PATHS,
    Array,
    Call,
    Case,
    algorithms_on,
    assert_same,
    each_algorithm,
    each_case_and_dtype,
    each_law,
    intercepted,
    on,
    repeated,
)

import keyrng

SEED = 2024


def named(case: Case) -> Iterator[tuple[str, dict]]:
    """Yield the dtypes of a case with parameters: all sets for the first dtype, one set for each other."""
    for i, dtype in enumerate(case.some_dtypes):
        for j, parameters in enumerate(case.parameters):
            if i == 0 or i % len(case.parameters) == j:
                yield dtype, dict(parameters)


# Prefix and reshape

# More than eight chunks of the compiled path, and not a multiple of a vector's length.
LONG = 16_384 + 2_048 + 13


@each_law()
def test_prefix(case: Case, algorithm: str, any_path: str) -> None:
    if case.not_prefix:
        pytest.skip(case.not_prefix)
    key = keyrng.key(SEED, impl=algorithm)
    for dtype, parameters in named(case):
        whole = case(key, (LONG,), dtype, **parameters)

        assert whole.shape == (LONG,)
        assert whole.dtype == np.dtype(dtype)
        for length in (0, 1, 2, 7, 127, 129, 2_049, 16_385):
            assert_same(case(key, (length,), dtype, **parameters), whole[:length], dtype, parameters, length)


@each_law()
def test_reshape(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for dtype, parameters in named(case):
        flat = case(key, (210,), dtype, **parameters)

        for shape in ((2, 3, 5, 7), (21, 10), (1, 210, 1), [210], [14, 15], 210, np.int64(210), np.array([42, 5])):
            expected = flat.reshape(tuple(np.atleast_1d(shape)))
            assert_same(case(key, shape, dtype, **parameters), expected, dtype, parameters, shape)


@each_law()
def test_zero_size_and_zero_dimensions(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for dtype, parameters in named(case):
        scalar = case(key, (), dtype, **parameters)

        assert isinstance(scalar, np.ndarray)
        assert_same(scalar, case(key, (1,), dtype, **parameters)[0:1].reshape(()), dtype, parameters)
        # randint with a shape of 0 and two bounds has the order of NumPy's arguments, which is an error.
        for shape in (
            (0,),
            (3, 0),
            (0, 3),
            (2, 0, 3),
            (0,) if case.function == "randint" or case.name == "randint" else 0,
        ):
            empty = case(key, shape, dtype, **parameters)
            assert empty.shape == tuple(np.atleast_1d(shape))
            assert empty.dtype == np.dtype(dtype)
        for keys, shape in (
            (keyrng.split(key, 0), (3,)),
            (keyrng.split(key, (2, 0)), ()),
            (keyrng.split(key), (0,)),
        ):
            empty = case(keys, shape, dtype, **parameters)
            assert empty.shape == keys.shape + tuple(np.atleast_1d(shape) if shape != () else ())
            assert empty.dtype == np.dtype(dtype)


# Slab: a part of the array is drawn alone


@each_law()
def test_slab(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for dtype, parameters in named(case):
        call = intercepted(case, key, (5_003,), dtype, **parameters)
        whole = case(key, (5_003,), dtype, **parameters)

        for start, count in ((0, 1), (1, 1), (7, 100), (129, 1), (1_023, 2_050), (2_047, 130), (3, 5_000), (4_999, 4)):
            piece = call.slab(start, count, 5_003)
            assert_same(piece, whole[start : start + count], dtype, parameters, start, count)


@each_law()
def test_slab_of_many_keys_with_parameters_for_each_element(case: Case, algorithm: str, any_path: str) -> None:
    keys = keyrng.split(keyrng.key(SEED, impl=algorithm), (2, 3))
    for dtype in case.some_dtypes[-2:]:
        parameters = case.mixed((2, 3, 301)) if case.parameters[0] else {}
        call = intercepted(case, keys, (301,), dtype, **parameters)
        whole = case(keys, (301,), dtype, **parameters)

        for start, count in ((0, 301), (1, 1), (5, 127), (5, 128), (170, 131)):
            piece = call.slab(start, count, 301)
            assert_same(piece, whole[..., start : start + count], dtype, start, count)


# Indices at which the low word of the index, or of the number of a block of 2 to 8 values, overflows.
FAR = (2**32 - 3, 2**33 - 5, 2**34 - 7, 2**35 - 9, 2**55 + 3)


def far_slabs(case: Case, algorithm: str, dtype: str, parameters: dict) -> Iterator[tuple[str, Call, int]]:
    key = keyrng.key(SEED, impl=algorithm)
    for keys in (key, keyrng.split(key, 3)):
        call = intercepted(case, keys, (1,), dtype, **parameters)
        for start in FAR:
            yield f"{keys.shape} {start}", call, start


@each_law()
def test_slab_beyond_2_to_the_32(case: Case, algorithm: str, any_path: str) -> None:
    for dtype, parameters in zip(case.some_dtypes[-2:], case.parameters * 2, strict=False):
        for name, call, start in far_slabs(case, algorithm, dtype, dict(parameters)):
            size = start + 300
            piece = call.slab(start, 300, size)

            # Short slabs, single elements and long slabs take different code on both paths.
            for first, count in ((2, 1), (3, 5), (8, 140)):
                assert_same(
                    call.slab(start + first, count, size), piece[..., first : first + count], dtype, name, first, count
                )


# Batch: many keys at once


def key_arrays(algorithm: str) -> Iterator[keyrng.Key]:
    key = keyrng.key(SEED, impl=algorithm)
    yield key
    yield keyrng.split(key, (2, 2))
    yield keyrng.split(key, (3, 4))[::-2, 1]
    yield keyrng.split(key, 300)


@each_law()
def test_batch_is_a_stack_of_single_keys(case: Case, algorithm: str, any_path: str) -> None:
    for dtype, parameters in zip(case.some_dtypes[-2:], case.parameters * 2, strict=False):
        for keys in key_arrays(algorithm):
            # The compiled path draws fewer than 128 values per key side by side, and one value per key separately.
            for shape in ((), (1,), (5,), (2, 3), (131,)):
                batch = case(keys, shape, dtype, **parameters)

                assert batch.shape == keys.shape + shape
                places = list(np.ndindex(keys.shape))
                for j in places if len(places) < 20 else [places[0], places[127], places[128], places[-1]]:
                    single = case(keys[j], shape, dtype, **parameters)
                    assert_same(batch[j], single, dtype, keys.shape, shape, j)


def test_split_and_fold_in_agree_on_every_path(any_path: str) -> None:
    for algorithm in algorithms_on(any_path):
        check_children(algorithm)


def check_children(algorithm: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    children = keyrng.split(key, 200)
    many = keyrng.split(children, 5)
    folded = [keyrng.fold_in(key, i) for i in (0, 1, 127, 128, 199)]
    with on("numpy"):
        names = keyrng.fold_in(children, "name")
        far = keyrng.fold_in(key, np.array([2**32 - 1, 2**32, 2**63, 2**64 - 1], np.uint64))

    assert_same(keyrng.key_data(keyrng.stack(folded)), keyrng.key_data(children)[[0, 1, 127, 128, 199]])
    assert_same(keyrng.key_data(keyrng.fold_in(key, np.arange(200))), keyrng.key_data(children))
    assert_same(keyrng.key_data(keyrng.fold_in(children[:, None], np.arange(5))), keyrng.key_data(many))
    assert_same(keyrng.key_data(many[7]), keyrng.key_data(keyrng.split(children[7], 5)))
    assert_same(keyrng.key_data(keyrng.fold_in(children, "name")), keyrng.key_data(names))
    for j in (0, 150):
        assert_same(keyrng.key_data(keyrng.fold_in(children[j], "name")), keyrng.key_data(names[j]))
    for i, number in enumerate((2**32 - 1, 2**32, 2**63, 2**64 - 1)):
        assert_same(keyrng.key_data(keyrng.fold_in(key, number)), keyrng.key_data(far[i]))


# Parameters broadcast

WITH_PARAMETERS = [case for case in CASES if case.parameters[0]]

with_parameters = pytest.mark.parametrize("case", WITH_PARAMETERS, ids=str)


def at(parameters: dict[str, Array], place: tuple[int, ...], shape: tuple[int, ...]) -> dict[str, np.generic]:
    return {name: np.broadcast_to(value, shape)[place] for name, value in parameters.items()}


@each_law(WITH_PARAMETERS)
def test_each_element_has_its_own_parameters(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    first = next(iter(case.parameters[0]))
    forms = [
        ((3, 4), case.mixed((3, 4))),
        ((3, 4), case.mixed((4,))),
        ((3, 4), case.mixed((3, 1))),
        ((2, 3, 4), case.mixed((3, 1))),
        ((2, 3, 4), case.mixed((2, 1, 4))),
        ((3, 4), {**case.mixed((3, 4)), **case.mixed((4,), first)}),
        ((3, 4), {**case.mixed((3, 1)), **case.mixed((1, 4), first)}),
        ((3, 4), {**case.mixed((3, 4)), first: np.asfortranarray(case.mixed((3, 4), first)[first])}),
        ((3, 4), {name: value[::-1, ::2] for name, value in case.mixed((3, 8)).items()}),
        ((1,), case.mixed((1,))),
        ((3, 4), case.mixed((1, 1))),
    ]
    for dtype in case.some_dtypes[-2:]:
        for shape, parameters in forms:
            sample = case(key, shape, dtype, **parameters)

            call = {name: np.asarray(value).shape for name, value in parameters.items()}
            alone: dict[tuple[np.generic, ...], Array] = {}
            for place in np.ndindex(shape):
                own = at(parameters, place, shape)
                values = tuple(own.values())
                if values not in alone:
                    alone[values] = case(key, shape, dtype, **own)
                assert_same(sample[place], alone[values][place], dtype, shape, call, place)


@each_law(WITH_PARAMETERS)
def test_long_parameters(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    shape = (101, 47)  # more than a chunk of the compiled path
    sets, down = case.mixed((47,)), case.mixed((101, 1))
    period = len(case.parameters)
    for dtype in case.some_dtypes:
        rows = case(key, shape, dtype, **sets)
        columns = case(key, shape, dtype, **down)
        whole = case(key, shape, dtype, **{name: np.broadcast_to(value, shape) for name, value in sets.items()})

        assert_same(whole, rows, dtype)
        for turn in range(period):
            alone = case(key, shape, dtype, **{name: value[turn] for name, value in sets.items()})
            assert_same(rows[:, turn::period], alone[:, turn::period], dtype, turn)
            assert_same(columns[turn::period], alone[turn::period], dtype, turn)


@each_law(WITH_PARAMETERS)
def test_parameters_broadcast_against_keys(case: Case, algorithm: str, any_path: str) -> None:
    keys = keyrng.split(keyrng.key(SEED, impl=algorithm), 3)
    for dtype in case.some_dtypes[-2:]:
        for rest in ((4,), (130,), ()):
            for form in ((3, *rest), rest, (3,) + (1,) * len(rest), (1,) * len(rest)):
                parameters = case.mixed(form)
                batch = case(keys, rest, dtype, **parameters)
                for j in range(3):
                    mine = {name: np.broadcast_to(value, (3, *rest))[j] for name, value in parameters.items()}
                    assert_same(batch[j], case(keys[j], rest, dtype, **mine), dtype, rest, form, j)


@with_parameters
def test_shape_of_the_parameters(case: Case, any_path: str) -> None:
    if "shape=None" not in str(__import__("inspect").signature(getattr(keyrng, case.function or case.name))):
        pytest.skip("the shape of the sample is given, as in jax")
    key = keyrng.key(SEED)
    for dtype in case.some_dtypes:
        for shape in ((3, 4), (0,), (2, 0), ()):
            parameters = case.mixed(shape)
            assert_same(case(key, None, dtype, **parameters), case(key, shape, dtype, **parameters), dtype, shape)
        if len(case.parameters[0]) == 2:
            a, b = case.parameters[0]
            parameters = {**case.mixed((3, 1), a), **case.mixed((4,), b)}
            assert_same(case(key, None, dtype, **parameters), case(key, (3, 4), dtype, **parameters), dtype)


def _unaligned(values: Array) -> Array:
    buffer = np.zeros(values.nbytes + 1, np.uint8)[1:]
    array = buffer.view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


@with_parameters
@pytest.mark.turns(4)
def test_arrays_of_parameters_may_have_any_layout(case: Case, any_path: str) -> None:
    # A big-endian, unaligned or read-only array of the same values gives the same sample.
    key = keyrng.key(SEED)
    for dtype in case.some_dtypes:
        for parameters in case.parameters:
            base = {name: np.array([v, v]) for name, v in parameters.items()}
            expected = case(key, (5, 2), dtype, **base)
            unaligned = {name: _unaligned(value) for name, value in base.items()}
            swapped = {name: value.astype(value.dtype.newbyteorder()) for name, value in base.items()}
            frozen = {name: np.frombuffer(value.tobytes(), value.dtype) for name, value in base.items()}
            for form in (unaligned, swapped, frozen):
                assert_same(case(key, (5, 2), dtype, **form), expected, dtype, parameters)


# One path and another


@each_case_and_dtype
@pytest.mark.turns(3)
def test_paths_agree_over_many_values(case: Case, dtype: str) -> None:
    if len(PATHS) == 2 and PATHS[1] == "compiled":
        pytest.skip("no compiled path to compare with")
    key = keyrng.key(SEED + 1)
    count = 2**18 + 3
    parameters = case.parameters[-1]
    for start, size in ((0, count), (2**32 - 77_777, 2**17 + 1)):
        with on("numpy"):
            expected = intercepted(case, key, (1,), dtype, **parameters).slab(start, size)
        for path in PATHS[1:]:
            with on(path):
                sample = intercepted(case, key, (1,), dtype, **parameters).slab(start, size)
            assert_same(sample, expected, path, start)


@each_case_and_dtype
@each_algorithm
def test_paths_agree_for_every_algorithm(case: Case, dtype: str, algorithm: str) -> None:
    if len(PATHS) == 2 and PATHS[1] == "compiled":
        pytest.skip("no compiled path to compare with")
    key = keyrng.key(SEED + 2, impl=algorithm)
    keys = keyrng.split(key, 41)

    def samples(parameters: dict) -> dict[str, Array]:
        slab = intercepted(case, key, (1,), dtype, **parameters).slab
        return {
            "long": case(key, (2_311,), dtype, **parameters),  # more than a chunk of the compiled path
            "short": case(key, (37,), dtype, **parameters),
            "batch": case(keys, (23,), dtype, **parameters),
            "wide": case(keys[:5], (301,), dtype, **parameters),
            "odd": slab(12_345, 2_321, 30_000),
        }

    # All parameters with one algorithm, and a set with each other: how a kernel branches does not depend on its words.
    sets, turn = case.all_parameters, ALGORITHMS.index(algorithm) + len(case.name)
    for parameters in sets if turn % len(ALGORITHMS) == 0 else [sets[turn % len(sets)]]:
        with on("numpy"):
            expected = samples(parameters)
        for path in PATHS[1:]:
            with on(path):
                for name, sample in samples(parameters).items():
                    assert_same(sample, expected[name], path, parameters, name)


# One dtype and another


@each_law([case for case in CASES if any(repeated(case, dtype) for dtype in case.dtypes)])
def test_narrow_dtypes_repeat_wider_ones(case: Case, algorithm: str, any_path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for parameters in case.all_parameters:
        wide = {d: case(key, (2_101,), d, **parameters) for d in {repeated(case, d) for d in case.dtypes} - {""}}
        for dtype in case.dtypes:
            if not repeated(case, dtype):
                continue
            sample, of = case(key, (2_101,), dtype, **parameters), wide[repeated(case, dtype)]
            with np.errstate(over="ignore"):  # the largest of a heavy tail
                assert_same(sample, of.astype(dtype), dtype, parameters)
            assert dtype in FLOATS or (sample == of).all()


def test_uniform_of_16_bits_rounds_once_and_never_reaches_the_end(any_path: str) -> None:
    case = BY_NAME["uniform"]
    for algorithm in algorithms_on(any_path):
        key = keyrng.key(SEED, impl=algorithm)
        wide = case(key, (50_001,), "float32")
        for dtype in ("float16", "bfloat16"):
            if dtype in case.dtypes:
                below_one = np.nextafter(np.array(1, dtype), np.array(0, dtype))
                expected = np.minimum(wide.astype(dtype), below_one)

                assert_same(case(key, (50_001,), dtype), expected, dtype)
                assert (expected == below_one).any()
