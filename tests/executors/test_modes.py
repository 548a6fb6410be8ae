"""The floating-point mode of another library does not change values: at import, in any call, path or thread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import golden
import numpy as np
import pytest
from cases import PATHS, Array, Case, assert_same, each_case, on
from golden import call_values, compare, of_case
from modes import MODES, floating_mode
from processes import python

import keyrng
from keyrng._core import fpenv
from keyrng._core.fpenv import default_fpenv, describe_fpenv, in_default_fpenv, is_default

ALGORITHM = "threefry2x32"

each_mode = pytest.mark.parametrize("name", MODES)


@each_mode
def test_a_mode_is_seen_set_and_put_back(name: str) -> None:
    text = "flushing subnormal numbers to zero" if name == "flushing" else f"rounding {name}"
    assert is_default() and describe_fpenv() == ""
    with floating_mode(name):
        assert not is_default() and describe_fpenv() == text
        with default_fpenv():
            assert is_default()
        assert describe_fpenv() == text
        assert in_default_fpenv(is_default)()
        assert describe_fpenv() == text
    assert is_default()


# Values of every case in each mode, for a dtype of each width and some integer dtypes.


@each_case
@pytest.mark.turns(3)
def test_values_of_every_mode(case: Case, every_path: str) -> None:
    for at, dtype in enumerate(case.some_dtypes):
        # On NumPy two modes each: it is slow.
        for name in (MODES[at % 4], MODES[(at + 1) % 4]) if every_path == "numpy" else MODES:
            with floating_mode(name):
                found = {f"{case.name} {dtype} {ALGORITHM}": of_case(case, dtype, ALGORITHM)}
                assert not is_default()
            compare(found, f"{every_path}, {name}")


@each_mode
def test_values_of_what_is_no_case_in_every_mode(name: str, path: str) -> None:
    found = {}
    for label, make in call_values([ALGORITHM]).items():
        with floating_mode(name):
            found[label] = make()
            assert not is_default()
    compare(found, f"{path}, {name}")


@pytest.mark.parametrize("name", ["flushing", "upward"])
def test_without_the_shield_values_would_differ(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that the tests above are known to be able to fail.
    key = keyrng.key(1)
    with on("numpy"):
        expected = keyrng.gamma(key, 1e-2, (1000,))
        with floating_mode(name):
            monkeypatch.setattr(fpenv, "is_default", lambda: True)
            bare = keyrng.gamma(key, 1e-2, (1000,))
        assert bare.tobytes() != expected.tobytes()


@each_mode
def test_threads_begin_in_the_callers_mode(name: str, path: str) -> None:
    key = keyrng.key(2)
    weights = np.linspace(1e-30, 1, 2**18, dtype=np.float32) ** 3
    logits = np.linspace(0, 1, 2**17, dtype=np.float32)

    def draws() -> Iterator[Array]:
        yield keyrng.gamma(key, 0.01, (2**18 + 5,))
        yield keyrng.choice(key, 2**18, (2**18,), p=weights)
        yield keyrng.categorical(key, logits, shape=(4,))

    try:
        keyrng.set_num_threads(3)
        expected = list(draws())
        keyrng.set_num_threads(3)  # the pool goes, so that new threads come
        with floating_mode(name):
            made = list(draws())
    finally:
        keyrng.set_num_threads(None)
    for one, other in zip(made, expected, strict=True):
        assert_same(one, other, path, name)


@each_mode
def test_the_mode_is_put_back_after_an_error(name: str, path: str) -> None:
    with floating_mode(name):
        for wrong in (lambda k: keyrng.gamma(k, -1.0, (3,)), lambda k: keyrng.poisson(k, [1.0, np.nan], (2,))):
            with pytest.raises(ValueError, match="got"):
                wrong(keyrng.key(0))
            assert not is_default()


def test_a_mode_that_cannot_be_turned_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    key = keyrng.key(0)
    expected = keyrng.normal(key, (1000,))
    monkeypatch.setattr(fpenv, "_library", lambda: None)
    with floating_mode("flushing"):
        with on("numpy"), pytest.raises(RuntimeError, match=r"another library .* flushing subnormal .* reset it"):
            keyrng.normal(key, (1000,))
        with pytest.raises(RuntimeError, match="flushing subnormal"):
            keyrng.gamma(key, 2.03125, (3,))  # a parameter that no earlier call has checked
        for path in PATHS[1:]:
            with on(path):
                assert_same(keyrng.normal(key, (1000,)), expected, path)


@pytest.mark.parametrize("name", ["upward", pytest.param("downward", marks=pytest.mark.long)])
def test_the_mode_of_the_import_changes_nothing(name: str, tmp_path: Path) -> None:
    # Python reads the decimals in a module's text by the mode, so nothing that it compiled before may be at hand.
    key = keyrng.key(0)
    expected = [keyrng.normal(key, (1000,), "float64"), keyrng.logistic(key, (1000,), "float64")]
    expected.append(keyrng.vonmises(key, 0.5, 4.0, (1000,), "float64"))
    script = f"""
import sys, json
sys.path[:0] = [{str(Path(golden.__file__).parent)!r}]
import numpy
from modes import floating_mode
with floating_mode({name!r}):
    import keyrng
    assert keyrng._core.fpenv.describe_fpenv() == "rounding " + {name!r}
    key = keyrng.key(0)
    found = [keyrng.normal(key, (1000,), "float64"), keyrng.logistic(key, (1000,), "float64")]
    found.append(keyrng.vonmises(key, 0.5, 4.0, (1000,), "float64"))
print(json.dumps([x.tobytes().hex() for x in found]))
"""
    for backend in ("numpy", ""):
        done = python("-c", script, PYTHONPYCACHEPREFIX=str(tmp_path / backend), KEYRNG_BACKEND=backend)
        if "Skipped" in done.stderr:
            pytest.skip("the mode cannot be set here")
        assert not done.returncode, done.stderr
        assert json.loads(done.stdout) == [x.tobytes().hex() for x in expected]
