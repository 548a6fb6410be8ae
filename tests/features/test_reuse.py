"""Keys used twice: detection, exceptions, locations, threads, forks and overhead."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess

import cupy_double
import numpy as np
import pytest
from calls import CALLS
from cases import cuda_on_host
from processes import python
from turns import in_threads

import keyrng
from keyrng import debug, distributions, normal, split
from keyrng._keys import derive
from keyrng._sampling import draw
from keyrng.debug import KeyReuseError, check_reuse
from keyrng.kernels import uniform_co

KEY = keyrng.key(7)
OTHER = keyrng.key(8)


def held(key):
    """A function that has a key out of its surroundings, and samplers by name."""
    return lambda: normal(key, (2,))


WAYS_TO_HAVE_IT_TWICE = {
    "itself": lambda key: key,
    "the same seed": lambda key: keyrng.key(7),
    "a view": lambda key: keyrng.split(key, 1).reshape(())[()] if key.ndim else key[()],
    "another shape": lambda key: key.reshape(1, 1),
    "an element": lambda key: keyrng.stack([OTHER, key])[1],
    "iteration": lambda key: list(keyrng.stack([OTHER, key]))[-1],
    "an array of keys": lambda key: keyrng.stack([OTHER, key]),
    "copy": copy.deepcopy,
    "pickle": lambda key: pickle.loads(pickle.dumps(key)),
    "bytes": lambda key: keyrng.Key.from_bytes(key.to_bytes()),
    "words": lambda key: keyrng.wrap_key_data(keyrng.key_data(key)),
}

TWO_USES = {
    "two samplers": (lambda: keyrng.normal(KEY), lambda: keyrng.uniform(KEY)),
    "one sampler twice": (lambda: keyrng.normal(KEY), lambda: keyrng.normal(KEY)),
    "sampler and split": (lambda: keyrng.normal(KEY), lambda: keyrng.split(KEY)),
    "split and sampler": (lambda: keyrng.split(KEY), lambda: keyrng.normal(KEY)),
    "split twice": (lambda: keyrng.split(KEY), lambda: keyrng.split(KEY, 3)),
    "folded twice": (lambda: keyrng.normal(keyrng.fold_in(KEY, 3)), lambda: keyrng.bits(keyrng.fold_in(KEY, 3))),
    "name twice": (lambda: keyrng.normal(keyrng.fold_in(KEY, "a")), lambda: keyrng.bits(keyrng.fold_in(KEY, b"a"))),
    "split and fold": (lambda: keyrng.normal(keyrng.split(KEY, 5)[3]), lambda: keyrng.bits(keyrng.fold_in(KEY, 3))),
    "draw": (lambda: keyrng.sample_kernel(uniform_co, KEY, (2,), "float32"), lambda: keyrng.normal(KEY)),
    "by keyword": (lambda: keyrng.normal(key=KEY), lambda: keyrng.split(num=2, key=KEY)),
    "in closures": (held(KEY), held(KEY)),
    "other modules": (lambda: distributions.normal(KEY), lambda: derive.split(KEY)),
    "generators of a seed": (lambda: keyrng.Generator(7).normal(), lambda: keyrng.Generator(KEY).uniform()),
}


@pytest.mark.parametrize("what", TWO_USES)
def test_two_uses_are_an_error(what):
    first, second = TWO_USES[what]
    with check_reuse():
        first()
        with pytest.raises(KeyReuseError):
            second()


@pytest.mark.parametrize("way", WAYS_TO_HAVE_IT_TWICE)
def test_a_key_is_its_words(way):
    again = WAYS_TO_HAVE_IT_TWICE[way](KEY)
    with check_reuse():
        keyrng.normal(KEY)
        with pytest.raises(KeyReuseError):
            keyrng.uniform(again)


@pytest.mark.parametrize("name", CALLS)
def test_a_sampler_uses_its_keys_once(name):
    sampler, several = getattr(keyrng, name), keyrng.stack([KEY, OTHER])
    with check_reuse():
        sampler(several, *CALLS[name])
        for key in (KEY, OTHER):
            with pytest.raises(KeyReuseError, match=f"first used at .*, by {name}\n  used again at .*, by normal"):
                keyrng.normal(key)


FINE = {
    "children": lambda: [keyrng.normal(key) for key in keyrng.split(KEY, 5)],
    "names": lambda: [keyrng.normal(keyrng.fold_in(KEY, name)) for name in "abc"],
    "folded twice, used once": lambda: (keyrng.fold_in(KEY, 1), keyrng.normal(keyrng.fold_in(KEY, 1))),
    "an array": lambda: keyrng.normal(keyrng.split(KEY, (2, 3)), (4,)),
    "another algorithm": lambda: [keyrng.bits(keyrng.key(7, impl=name)) for name in ("threefry2x32", "philox4x32")],
    "looking at it": lambda: (
        keyrng.normal(KEY),
        KEY == OTHER,
        repr(KEY),
        KEY[()],
        KEY.to_bytes(),
        keyrng.stack([KEY]),
    ),
    "keys in another order": lambda: (keyrng.normal(KEY), keyrng.permutation(OTHER, keyrng.stack([KEY]))),
    "a generator": lambda: [keyrng.Generator(7).normal((2,)) for _ in range(1)] + [keyrng.normal(OTHER)],
}


@pytest.mark.parametrize("what", FINE)
def test_what_is_fine_raises_nothing(what):
    with check_reuse():
        FINE[what]()


def test_an_array_with_a_key_twice_uses_it_twice():
    match = r"first used at .*, by normal\n  used again at .*, by normal"
    with check_reuse(), pytest.raises(KeyReuseError, match=match):
        keyrng.normal(keyrng.stack([KEY, OTHER, KEY]))


def test_a_call_that_fails_uses_nothing():
    with check_reuse():
        with pytest.raises(ValueError, match="positive"):
            keyrng.gamma(KEY, -1.0)
        with pytest.raises(TypeError):
            keyrng.normal(7)
        keyrng.gamma(KEY, 1.0)


# On purpose


def test_clone_permits_one_use_more():
    with check_reuse():
        keyrng.normal(KEY)
        keyrng.normal(keyrng.clone(KEY))
        with pytest.raises(KeyReuseError, match="is used 3 times"):
            keyrng.normal(KEY)


def test_clone_permits_what_is_made_of_it():
    def program(key):
        first, second = keyrng.split(key)
        keyrng.normal(keyrng.split(first, (2, 2)))
        return keyrng.uniform(keyrng.fold_in(second, ("layer", 1)))

    with check_reuse():
        program(KEY)
        program(keyrng.clone(KEY))
        with pytest.raises(KeyReuseError):
            program(KEY)


def test_a_state_that_is_set_permits_its_keys():
    g = keyrng.Generator(3)
    with check_reuse():
        state = g.get_state()
        g.normal()
        g.set_state(state).normal()
        with pytest.raises(KeyReuseError):
            keyrng.Generator(3).normal()


def test_a_cloned_generator_permits_its_keys():
    g = keyrng.Generator(3)
    with check_reuse():
        again = g.clone_state()
        for each in (g, again):
            each.normal()
            each.spawn(1)[0].normal(each.next_key(2).shape)
        with pytest.raises(KeyReuseError):
            keyrng.Generator(3).normal()


# Error messages


def line() -> int:
    return inspect.currentframe().f_back.f_lineno


def test_the_error_says_where_both_uses_were():
    with check_reuse():
        first = line() + 1
        keyrng.dirichlet(KEY, [1.0, 2.0])
        with pytest.raises(KeyReuseError) as caught:
            held(KEY)()

    message = str(caught.value)
    assert message.startswith("Key((), key<fry>, [0x00000000 0x00000007]) is used twice:\n")
    second = held.__code__.co_firstlineno + 2
    assert f"\n  first used at {__file__}:{first}, by dirichlet\n" in message
    assert f"\n  used again at {__file__}:{second}, by normal\n" in message
    assert "keyrng.clone(key)" in message


def test_the_error_names_the_line_that_called_a_method():
    g = keyrng.Generator(KEY)
    with check_reuse():
        keyrng.normal(keyrng.fold_in(KEY, 0))
        at = line() + 2
        with pytest.raises(KeyReuseError) as caught:
            g.normal()

    assert f"  used again at {__file__}:{at}, by normal\n" in str(caught.value)


def test_the_error_lists_the_uses_in_order():
    with check_reuse():
        first = line() + 1
        keyrng.uniform(KEY)
        keyrng.fold_in(keyrng.clone(KEY), 1)
        with pytest.raises(KeyReuseError, match="is used 3 times") as caught:
            keyrng.bits(KEY)

    places = [("first used", first, "uniform"), ("used again", first + 1, "fold_in"), ("used again", first + 3, "bits")]
    expected = [f"  {used} at {__file__}:{at}, by {name}" for used, at, name in places]
    assert str(caught.value).split("\n")[1:4] == expected


# Values, and what is left behind


def test_no_value_changes():
    expected = keyrng.normal(keyrng.split(KEY, 4), (5,))
    with check_reuse():
        found = keyrng.normal(keyrng.split(KEY, 4), (5,))

    assert found.tobytes() == expected.tobytes()


def test_nothing_is_left_of_it():
    public = [draw.sample_kernel, split, keyrng.fold_in, keyrng.clone, *(getattr(keyrng, name) for name in CALLS)]
    functions = [inspect.unwrap(function) for function in public]
    before = [(function.__code__, dict(vars(function))) for function in functions]
    signatures = [inspect.signature(function) for function in public]
    with check_reuse():
        assert all(f.__code__ is not code for f, (code, _) in zip(functions, before, strict=True))
        assert [inspect.signature(function) for function in public] == signatures

    after = [(function.__code__, dict(vars(function))) for function in functions]
    assert all(now is code and a == b for (now, a), (code, b) in zip(after, before, strict=True))
    keyrng.normal(KEY)
    keyrng.normal(KEY)


def test_an_error_in_a_check_ends_it():
    with pytest.raises(KeyError), check_reuse():
        raise KeyError
    keyrng.normal(KEY)
    keyrng.normal(KEY)


def test_checks_nest_and_begin_with_no_key_used():
    with check_reuse():
        keyrng.normal(KEY)
        with check_reuse():
            with pytest.raises(KeyReuseError):
                keyrng.normal(KEY)
            keyrng.normal(OTHER)
        with pytest.raises(KeyReuseError):
            keyrng.normal(OTHER)
    with check_reuse():
        keyrng.normal(KEY)


# Threads, processes, GPUs


def test_of_many_threads_one_may_use_a_key():
    errors, done = [], []

    def act():
        for i in range(30):
            try:
                done.append(keyrng.bits(keyrng.fold_in(KEY, i)))
            except KeyReuseError as error:
                errors.append(error)

    with check_reuse():
        in_threads(4, debug, act)

    assert (len(done), len(errors)) == (30, 3 * 30)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python("-W", "error", "-c", code, **environment)


TWICE = "from keyrng import key, normal; normal(key(0)); normal(key(0)); print('fine')"


@pytest.mark.parametrize("value", ["", "0"])
def test_the_variable_is_off(value):
    assert run(TWICE, KEYRNG_DEBUG_REUSE=value).stdout == "fine\n"


def test_the_variable_checks_a_run():
    done = run(TWICE, KEYRNG_DEBUG_REUSE="1")

    assert (done.returncode, done.stdout) == (1, "")
    assert "keyrng.debug.KeyReuseError: Key((), key<fry>, [0x00000000 0x00000000]) is used twice" in done.stderr
    assert "first used at <string>:1, by normal\n  used again at <string>:1, by normal" in done.stderr


def test_the_commands_ignore_the_variable():
    for command in ("", "'selftest'"):
        code = f"import runpy, sys; sys.argv = ['keyrng', {command}]; runpy.run_module('keyrng', run_name='__main__')"
        done = run(code, KEYRNG_DEBUG_REUSE="1")

        assert (done.returncode, done.stderr) == (0, "")


def test_the_variable_is_one_or_nothing():
    done = run(TWICE, KEYRNG_DEBUG_REUSE="yes")

    assert "ValueError: KEYRNG_DEBUG_REUSE must be 0, 1 or unset, got 'yes'" in done.stderr


FORKED = """
import os
import keyrng
from keyrng import debug

keyrng.normal(keyrng.key(0))
debug._lock.acquire()  # as another thread may have it
child = os.fork()
if not child:
    keyrng.normal(keyrng.key(1))
    try:
        keyrng.normal(keyrng.key(0))
    except debug.KeyReuseError:
        os._exit(7)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork here")
def test_a_forked_child_goes_on():
    done = run(FORKED, KEYRNG_DEBUG_REUSE="1")

    assert (done.stdout, done.stderr) == ("7\n", "")


@pytest.mark.skipif(cuda_on_host.GXX is None, reason="no g++ on the PATH to run the CUDA source")
def test_keys_on_a_gpu_are_the_same_keys():
    with cupy_double.installed(), check_reuse():
        several = keyrng.split(keyrng.key(7, device="cuda"), 3)
        keyrng.bits(several)
        with pytest.raises(KeyReuseError):
            keyrng.bits(several[1])
        with pytest.raises(KeyReuseError):
            keyrng.bits(keyrng.fold_in(KEY, 2))
        keyrng.bits(keyrng.clone(several[0]))
        other = keyrng.key(8, device="cuda")
        keyrng.bits(other)
        with pytest.raises(KeyReuseError):
            keyrng.fold_in(other, 3)


def test_memory_of_a_key_is_as_documented():
    import tracemalloc

    several = keyrng.split(KEY, 50_000)
    with check_reuse():
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            keyrng.bits(several).sum()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert 50 < (after - before) / several.size < 200


def test_an_empty_array_of_keys_is_nothing():
    with check_reuse():
        none = keyrng.split(KEY, 0)
        assert keyrng.normal(none, (2,)).shape == (0, 2)
        assert keyrng.split(keyrng.clone(keyrng.split(OTHER, 0))).shape == (0, 2)
        assert np.array_equal(keyrng.normal(none, (2,)), keyrng.normal(none, (2,)))
