"""Invalid shapes, dtypes, outs and keys of every sampler: the type and the message of the error."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, Case, each_case
from test_arguments import KEY, NAN, Refusal

import keyrng


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


# Shape

SHAPES: list[Refusal] = [
    (-1, ValueError, r"shape must not have negative sizes, got \(-1,\)"),
    ((2, -3), ValueError, r"shape must not have negative sizes, got \(2, -3\)"),
    ([-2], ValueError, r"shape must not have negative sizes, got \(-2,\)"),
    (np.array([2, -1]), ValueError, r"shape must not have negative sizes, got \(2, -1\)"),
    (2.0, TypeError, r"shape must be an int or a tuple of ints, got 2\.0"),
    (NAN, TypeError, "shape must be an int or a tuple of ints, got nan"),
    ((2.0,), TypeError, r"shape must be an int or a tuple of ints, got \(2\.0,\)"),
    ((2, "3"), TypeError, r"shape must be an int or a tuple of ints, got \(2, '3'\)"),
    ("23", TypeError, "shape must be an int or a tuple of ints, got '23'"),
    (b"23", TypeError, "shape must be an int or a tuple of ints, got b'23'"),
    (True, TypeError, "shape must be an int or a tuple of ints, got True"),
    ((True,), TypeError, r"shape must be an int or a tuple of ints, got \(True,\)"),
    ((2, np.True_), TypeError, r"shape must be an int or a tuple of ints, got \(2, (np\.)?True_?\)"),
    ((2, None), TypeError, r"shape must be an int or a tuple of ints, got \(2, None\)"),
    (((2,), 3), TypeError, r"shape must be an int or a tuple of ints, got \(\(2,\), 3\)"),
    (np.array([2.0]), TypeError, "shape must be an int or a tuple of ints, got ndarray"),
    (np.array([[2]]), TypeError, "shape must be an int or a tuple of ints, got ndarray"),
    ({2}, TypeError, "shape must be an int or a tuple of ints, got set"),
    (1j, TypeError, "shape must be an int or a tuple of ints, got complex"),
    (np.float32(2), TypeError, r"shape must be an int or a tuple of ints, got .*2\.0"),
    (KEY, TypeError, "shape must be an int or a tuple of ints, got Key"),
    ("float32", TypeError, "shape must be an int or a tuple of ints, got 'float32'"),
]


@each_case
def test_shape(case: Case, path: str) -> None:
    dtype = case.dtypes[0]
    case(KEY, (3,), dtype, **case.parameters[0])  # the fast path of small draws is taken from the second call on
    for keys in (KEY, keyrng.split(KEY, 2)):
        for shape, error, message in SHAPES:
            with pytest.raises(error, match=message):
                case(keys, shape, dtype, **case.parameters[0])


# Dtype

NO_DTYPE: list[Refusal] = [
    ("float128", TypeError, "invalid dtype: .*float128"),
    ("complex64", TypeError, "invalid dtype: complex64 .expected "),
    (complex, TypeError, "invalid dtype: complex128 .expected "),
    (bool, TypeError, "invalid dtype: bool .expected "),
    (object, TypeError, "invalid dtype: object .expected "),
    ("S4", TypeError, "invalid dtype: .* .expected "),
    ("M8[s]", TypeError, r"invalid dtype: datetime64\[s\] .expected "),
    ("nothing", TypeError, "invalid dtype: 'nothing' .expected "),
    ("", TypeError, "invalid dtype: '' .expected "),
    (3, TypeError, "invalid dtype: 3 .expected "),
    (np.floating, TypeError, "invalid dtype: .*floating.* .expected "),
    (np.dtype([("a", "f4")]), TypeError, "invalid dtype: .* .expected "),
    ([], TypeError, "invalid dtype: .* .expected "),
    (KEY, TypeError, "invalid dtype: .* .expected "),
    (np.array([1.0, 2.0]), TypeError, "invalid dtype: .* .expected "),
]


@each_case
def test_dtype(case: Case) -> None:
    if case.dtypes == ("bool",):
        with pytest.raises(TypeError, match="dtype"):
            keyrng.bernoulli(KEY, 0.5, (2,), dtype="bool")  # type: ignore[call-arg]
        return
    for _ in range(2):  # what was refused must not be remembered as good
        for dtype, error, message in NO_DTYPE:
            if case.complex and str(dtype) in ("complex64", str(complex)):
                continue
            with pytest.raises(error, match=message):
                case(KEY, (2,), dtype, **case.parameters[0])
        function = case.function or case.name
        known = {name for c in CASES if function in (c.function, c.name) for name in c.dtypes}
        for name in {"int8", "uint8", "int32", "uint64", "float16", "float32", "float64", "bfloat16"} - known:
            if name != "bfloat16" or "float16" not in case.dtypes:
                with pytest.raises(TypeError, match=f"(invalid dtype: {name} .expected |ml_dtypes)"):
                    case(KEY, (2,), name, **case.parameters[0])
        swapped = np.dtype(case.dtypes[-1]).newbyteorder()
        with pytest.raises(TypeError, match=r"native byte order, got .*; convert the sample with astype"):
            case(KEY, (2,), swapped, **case.parameters[0])


@each_case
def test_names_of_a_dtype(case: Case) -> None:
    if case.dtypes == ("bool",):
        pytest.skip("no dtype to choose")
    for name in case.dtypes:
        expected = case(KEY, (9,), name, **case.parameters[0])
        for form in (np.dtype(name), np.dtype(name).type, np.dtype(name).newbyteorder("=")):
            sample = case(KEY, (9,), form, **case.parameters[0])
            assert sample.dtype == np.dtype(name) and sample.tobytes() == expected.tobytes()


# out=


@each_case
def test_bad_out(case: Case, path: str) -> None:
    dtype = case.dtypes[0]
    other = "float64" if dtype != "float64" else "float32"
    good = np.zeros((2, 3), dtype)
    rows: list[Refusal] = [
        ([[0.0] * 3] * 2, TypeError, "out must be a NumPy array, got list"),
        (memoryview(good), TypeError, "out must be a NumPy array, got memoryview"),
        (1.0, TypeError, "out must be a NumPy array, got float"),
        ("out", TypeError, "out must be a NumPy array, got str"),
        (KEY, TypeError, "out must be a NumPy array, got Key"),
        (np.float32(1), TypeError, "out must be a NumPy array, got float32"),
        (np.zeros((3, 2), dtype), ValueError, r"out must have shape \(2, 3\), got \(3, 2\)"),
        (np.zeros(6, dtype), ValueError, r"out must have shape \(2, 3\), got \(6,\)"),
        (np.zeros((1, 2, 3), dtype), ValueError, r"out must have shape \(2, 3\), got \(1, 2, 3\)"),
        (np.zeros((2, 3), other), TypeError, f"out must have dtype {np.dtype(dtype)}, got {other}"),
        (np.zeros((2, 3), object), TypeError, f"out must have dtype {np.dtype(dtype)}, got object"),
        (frozen(np.zeros((2, 3), dtype)), ValueError, "out must be writable, got a read-only array"),
        (np.broadcast_to(np.zeros(3, dtype), (2, 3)), ValueError, "out must be writable, got a read-only array"),
    ]
    if np.dtype(dtype).itemsize > 1:
        swapped = np.zeros((2, 3), np.dtype(dtype).newbyteorder())
        rows.append((swapped, TypeError, r"out must have dtype .*, got >?\S+"))
    for key, shape in ((KEY, (2, 3)), (keyrng.split(KEY), (3,))):
        for out, error, message in rows:
            with pytest.raises(error, match=message):
                case(key, shape, dtype, out=out, **case.parameters[0])
        case(key, shape, dtype, out=good, **case.parameters[0])


@each_case
def test_out_without_shape_must_have_the_axes_of_the_keys(case: Case) -> None:
    dtype = case.dtypes[0]
    keys = keyrng.split(KEY, 3)
    for shape in ((4, 3), (2,), ()):
        with pytest.raises(ValueError, match=r"out must have shape \(3.*, got "):
            case(keys, (), dtype, out=np.zeros(shape, dtype), **case.parameters[0])


# The key


@each_case
def test_what_is_no_key(case: Case, path: str) -> None:
    dtype = case.dtypes[0]
    words = keyrng.key_data(KEY)
    case(KEY, (2,), dtype, **case.parameters[0])
    for key, message in (
        (None, "expected a key, got None"),
        (0, "expected a key, got int"),
        (words, r"expected a key, got an array of uint32 with shape \(2,\).*wrap_key_data"),
        (words.tolist(), "expected a key, got list"),
        ([KEY, KEY], "expected a key, got list"),
        ("seed", "expected a key, got str"),
        (np.random.default_rng(0), "expected a key, got Generator"),
        ((2, 3), "expected a key, got tuple"),
    ):
        for shape in ((2,), 2):
            with pytest.raises(TypeError, match=message):
                case(key, shape, dtype, **case.parameters[0])


@each_case
def test_signature(case: Case) -> None:
    # Key first, out by name only, nothing random hidden in a default.
    import inspect

    parameters = inspect.signature(getattr(keyrng, case.function or case.name)).parameters
    assert next(iter(parameters)) == "key"
    assert parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY and parameters["out"].default is None
    assert set(case.parameters[0]) <= set(parameters)
    with pytest.raises(TypeError):
        getattr(keyrng, case.function or case.name)()
