"""JAX's numbers: the golden values made from jax 0.10.2, and jax itself with fresh keys where it is installed.

``Case.jax`` has the tolerance of each sampler. DIFFERENT lists the intended differences, with the reasons.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case import TRANSFORM
from cases import BY_NAME, CASES, HAVE_BFLOAT16, Array, Case, assert_same, on

import keyrng

DATA = Path(__file__).parents[1] / "data"
Entry = dict[str, Any]


def units(actual: Array, expected: Array) -> Array:
    """The distance in units in the last place, of values that may have either sign."""
    ints = [
        x.view(f"i{x.dtype.itemsize}").astype(object if x.dtype.itemsize == 8 else np.int64) for x in (actual, expected)
    ]
    least = -(2 ** (8 * actual.dtype.itemsize - 1))
    a, b = (np.where(x < 0, least - x, x) for x in ints)
    return np.abs(a - b).astype(np.float64)


def assert_near(case: Case, actual: Array, expected: Array, parameters: Any) -> None:
    """As near to jax as the case says."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    near = TRANSFORM if actual.dtype.kind == "c" else case.jax
    if near == "equal" or (case.name == "uniform" and not parameters):
        assert_same(actual, expected)
    elif near == 1:
        largest = np.maximum(np.abs(parameters["minval"]), np.abs(parameters["maxval"])).astype(expected.dtype)
        assert (np.abs(actual.astype(float) - expected.astype(float)) <= np.spacing(largest)).all()
    elif callable(near):
        assert (np.abs(actual.astype(float) - expected.astype(float)) <= near(expected)).all()
    elif isinstance(near.get(actual.dtype.name), int):
        distance = units(actual, expected)
        assert distance.max(initial=0.0) <= near[actual.dtype.name]
    else:
        rtol, atol = near[actual.real.dtype.name]
        np.testing.assert_allclose(actual, expected, rtol, atol)


# Intended differences: the reason, the entries, and what keyrng does instead

NARROW = ("float16", "bfloat16")


def _bounds(entry: Entry) -> tuple[Any, Any]:
    values = [np.array(v["__a__"], object) if isinstance(v, dict) else np.array(v, object) for v in entry["args"][1:3]]
    return values[0], values[1]


def _randint_dtype(entry: Entry) -> np.dtype:
    return np.dtype(entry["dtype"])


def _wide_seed(entry: Entry) -> bool:
    return not entry["x64"] and not 0 <= entry["key"]["seed"] < 2**32


def _empty_range(entry: Entry) -> bool:
    if entry["fn"] == "uniform" and len(entry["args"]) == 4:
        return bool(entry["args"][2] >= entry["args"][3])
    return entry["fn"] == "randint" and bool(np.any(np.greater_equal(*_bounds(entry))))


def _outside_dtype(entry: Entry) -> bool:
    if entry["fn"] != "randint":
        return False
    info, (low, high) = np.iinfo(_randint_dtype(entry)), _bounds(entry)
    return bool(np.min(low) < info.min or np.max(high) > int(info.max) + 1)


def _wide_span(entry: Entry) -> bool:
    if entry["fn"] != "randint":
        return False
    width = max(32, 8 * _randint_dtype(entry).itemsize)
    spans = np.atleast_1d(np.subtract(*_bounds(entry)[::-1])).tolist()
    return any(span > 2 ** (width // 2) and span & (span - 1) for span in spans)


def _narrow_float(entry: Entry) -> bool:
    p = entry["args"][0] if entry["fn"] in ("bernoulli", "geometric") else None
    return entry["dtype"] in NARROW or (isinstance(p, dict) and p["dtype"] in NARROW)


def _narrow_chance(entry: Entry) -> bool:
    p = entry["args"][0] if entry["fn"] == "geometric" else None
    return entry["dtype"] == "int64" and isinstance(p, dict) and p["dtype"] == "float32"


def _bernoulli_with_x64(entry: Entry) -> bool:
    if entry["fn"] != "bernoulli" or not entry["x64"]:
        return False
    p = entry["args"][0]
    return not isinstance(p, dict) or p["dtype"] == "float64"


DIFFERENT: dict[str, tuple[Callable[[Entry], bool], type[Exception] | None, int]] = {
    # reason: (which, the exception that keyrng raises or None, how many entries)
    "jax without x64 truncates seeds to 32 bits; keyrng's seeds are whole": (_wide_seed, None, 20),
    "minval >= maxval is not an interval; jax returns minval": (_empty_range, ValueError, 44),
    "jax clips bounds to the dtype; keyrng refuses": (_outside_dtype, ValueError, 15),
    "jax multiplies the high word by zero where the span exceeds half a word": (_wide_span, None, 7),
    "jax makes 16-bit floats of 8 or 16 random bits; keyrng rounds float32 samples": (_narrow_float, None, 280),
    "jax.random.gamma draws from a chain of keys for each element": (lambda e: e["fn"] == "gamma", None, 53),
    "jax.random.geometric draws 32 bits for a float32 p and a count of 64 bits": (_narrow_chance, None, 2),
    "jax.random.bernoulli with x64 compares 52 bits, or 104, with a float64 p": (_bernoulli_with_x64, None, 4),
    "jax with x64 draws 64 bits for a sign": (
        lambda e: (
            e["x64"] and (e["fn"] == "rademacher" or (e["fn"], e["dtype"]) == ("double_sided_maxwell", "float32"))
        ),
        None,
        6,
    ),
}


def reason(entry: Entry) -> str | None:
    return next((text for text, (which, _, _) in DIFFERENT.items() if which(entry)), None)


# Golden values


#: Replayed in test_selection_jax.py and test_multivariate.py: they are not element-wise samplers.
ELSEWHERE = ("permutation", "choice", "categorical", "multivariate_normal", "orthogonal")


def golden(functions: tuple[str, ...] = ()) -> Iterator[tuple[Entry, Array]]:
    arrays = np.load(DATA / "jax_golden.npz")
    for entry in json.loads((DATA / "jax_golden.json").read_text())["entries"]:
        if entry["fn"] not in functions and (functions or entry["fn"] in ELSEWHERE):
            continue
        values = arrays[entry["id"]]
        if entry["dtype"] == "bfloat16":
            if not HAVE_BFLOAT16:
                continue
            values = values.view("bfloat16")
        yield entry, values


def decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if "__a__" in value:
            # Through float64: jax's own arrays are float64 values rounded once.
            return np.asarray(value["__a__"]).astype(value["dtype"])
        if "__t__" in value:
            return tuple(value["__t__"])
        return value["__dt__"]
    return value


def replayed(entry: Entry) -> tuple[Array, dict]:
    """Return keyrng's result for an entry, and its parameters without shape and dtype."""
    key = keyrng.key(entry["key"]["seed"])
    for op, *args in entry["key"]["ops"]:
        key = keyrng.split(key, args[0])[args[1]] if op == "split" else keyrng.fold_in(key, args[0])
    args = [decoded(a) for a in entry["args"]]
    kwargs = {name: decoded(v) for name, v in entry["kwargs"].items()}
    name = entry["fn"]
    if name in ("key_data", "split", "fold_in"):
        result = getattr(keyrng, name)(key, *args)
        return (result if name == "key_data" else keyrng.key_data(result)), {}
    key = keyrng.split(key, entry["n_keys"]) if "n_keys" in entry else key
    if name != "bernoulli":
        kwargs.setdefault("dtype", entry["dtype"])  # jax's default depends on x64
        if len(args) >= list(inspect.signature(getattr(keyrng, name)).parameters).index("dtype"):
            del kwargs["dtype"]
    parameters = {k: v for k, v in kwargs.items() if k in ("minval", "maxval")}
    if name == "uniform" and len(args) == 4:
        parameters = {"minval": args[2], "maxval": args[3]}
    return getattr(keyrng, name)(key, *args, **kwargs), parameters


def test_golden(path: str) -> None:
    for entry, expected in golden():
        if reason(entry):
            continue
        actual, parameters = replayed(entry)
        try:
            if entry["fn"] in ("key_data", "split", "fold_in"):
                assert_same(actual, expected)
            else:
                assert_near(BY_NAME[entry["fn"]], actual, expected, parameters)
        except (AssertionError, pytest.fail.Exception) as error:
            raise AssertionError(f"{entry['id']} {entry['args']} {entry['kwargs']}: {error}") from error


def test_golden_that_differs_on_purpose() -> None:
    found = Counter()
    for entry, expected in golden():
        if not (text := reason(entry)):
            continue
        found[text] += 1
        _, error, _ = DIFFERENT[text]
        if error:
            with pytest.raises(error):
                replayed(entry)
        else:
            actual, _ = replayed(entry)
            assert actual.shape == expected.shape and actual.dtype == expected.dtype, entry["id"]
    # The list must not grow unseen: a wider rule would hide real differences.
    if HAVE_BFLOAT16:
        assert dict(found) == {text: count for text, (_, _, count) in DIFFERENT.items()}


# jax itself

# One, because jax compiles a program for each shape; the golden values have more.
SHAPE = (20_011,)


def fresh(case: Case, dtype: str, rng: np.random.Generator) -> Iterator[tuple[int, dict]]:
    for _ in range(10):
        yield int(rng.integers(-(2**63), 2**63 - 1)), dict(case.fresh(rng, dtype))


# float64 is in the golden values too, and compiling takes most of the time.
@pytest.mark.parametrize(
    ("case", "dtype"),
    [
        pytest.param(
            c, d, id=f"{c}-{d}", marks=pytest.mark.long if d == "float64" and "float32" in c.jax_dtypes else ()
        )
        for c in CASES
        for d in c.jax_dtypes
        if c.jax is not None
    ],
)
@pytest.mark.turns(3)
def test_jax_with_fresh_keys(case: Case, dtype: str) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng([2, len(case.name)])
    function = getattr(jax.random, case.function or case.name)
    equal = total = 0
    for seed, parameters in fresh(case, dtype, rng):
        if not case.jax_x64:
            seed %= 2**32
        with jax.enable_x64(case.jax_x64):
            given = dict(parameters) if case.dtypes == ("bool",) else {**parameters, "dtype": dtype}
            expected = np.asarray(function(jax.random.key(seed), shape=SHAPE, **given, **case.fixed))
        actual = case(keyrng.key(seed), SHAPE, dtype, **parameters)
        try:
            assert_near(case, actual, expected, parameters)
        except (AssertionError, pytest.fail.Exception) as error:
            raise AssertionError(f"{case} {dtype} seed {seed} {parameters}: {error}") from error
        equal += int((actual == expected).sum())
        total += actual.size
    assert equal >= case.jax_share.get(dtype, 0.0) * total


def test_jax_with_keys_from_keys() -> None:
    jax = pytest.importorskip("jax")
    ours, theirs = keyrng.key(123), jax.random.key(123)
    for number in (1, 77, 2**32 - 1):
        ours, theirs = keyrng.fold_in(ours, number), jax.random.fold_in(theirs, number)
        ours, theirs = keyrng.split(ours, 3)[2], jax.random.split(theirs, 3)[2]
    expected = np.asarray(jax.vmap(lambda k: jax.random.bits(k, (40,)))(jax.random.split(theirs, 7)))

    with on("numpy"):
        assert_same(keyrng.bits(keyrng.split(ours, 7), (40,)), expected)
    assert_same(keyrng.bits(keyrng.split(ours, 7), (40,)), expected)


def test_uniform_in_a_narrow_interval_never_returns_the_end() -> None:
    # jax returns maxval for one in 32 of these; everywhere else the two are a unit apart at most.
    jax = pytest.importorskip("jax")
    ours = keyrng.uniform(keyrng.key(0), (100_000,), minval=1e6, maxval=1e6 + 1)
    theirs = np.asarray(jax.random.uniform(jax.random.key(0), (100_000,), minval=1e6, maxval=1e6 + 1))

    assert (theirs == 1e6 + 1).sum() > 2_000
    assert (ours < 1e6 + 1).all() and (ours >= 1e6).all()
    assert np.abs(ours.astype(float) - theirs.astype(float)).max() <= np.spacing(np.float32(1e6))
