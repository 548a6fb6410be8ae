"""Keys as seeds in NumPy, SciPy and scikit-learn, and the generators created from keys."""

from __future__ import annotations

import copy
import pickle
import threading
from dataclasses import replace

import cuda_on_host
import numpy as np
import pytest
from cases import ALGORITHMS
from cupy_double import installed
from numpy.random.bit_generator import ISeedSequence, ISpawnableSeedSequence
from processes import python

import keyrng
import keyrng.interop.numpy as interop
from keyrng._executors import native
from keyrng.algorithms import base
from keyrng.interop._stream import _WORDS
from keyrng.testing import use_backend

KEY = keyrng.key(42)
N = 2 * _WORDS + 3  # more than the words that are made at once

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


def doubles(words: np.ndarray) -> np.ndarray:
    return (words >> np.uint64(11)) * 2.0**-53


def alike(one: np.random.Generator, other: np.random.Generator) -> bool:
    return bool((one.random(N) == other.random(N)).all())


# A key as a seed


def test_a_key_is_a_seed_of_numpy():
    assert isinstance(KEY, ISpawnableSeedSequence)
    assert issubclass(keyrng.Key, ISeedSequence)


FIRST = """
import sys, keyrng
assert "numpy.random" not in sys.modules
{key}
import numpy as np
print(np.random.default_rng(key).integers(100), np.random.PCG64(key).random_raw())
"""
KEYS = ("key = keyrng.key(42)", "import pickle; key = pickle.loads(pickle.dumps(keyrng.key(42)))")


@pytest.mark.parametrize("key", KEYS)
def test_the_first_key_of_a_process_is_one_too(key):
    done = python("-c", FIRST.format(key=key))

    expected = np.random.default_rng(KEY).integers(100), np.random.PCG64(KEY).random_raw()
    assert done.stdout.split() == [str(value) for value in expected], done.stderr


@each_algorithm
def test_words_of_a_state_are_those_of_named_children(path, algorithm):
    key = keyrng.key(42, impl=algorithm)
    children = keyrng.split(keyrng.fold_in(key, "numpy.generate_state"), 9)
    words = keyrng.key_data(children).astype(key._algorithm.dtype.newbyteorder("<")).reshape(-1).view("<u4")

    assert np.array_equal(key.generate_state(9), words[:9])
    assert np.array_equal(key.generate_state(4, "uint64"), words[:8].view("<u8"))
    assert key.generate_state(3, np.uint64).dtype == np.uint64
    assert key.generate_state(3).dtype == np.uint32


@each_algorithm
def test_more_words_begin_with_the_same_ones(algorithm):
    key = keyrng.key(7, impl=algorithm)

    assert key.generate_state(0).shape == (0,)
    for n in range(1, 12):
        assert np.array_equal(key.generate_state(12)[:n], key.generate_state(n))


@each_algorithm
def test_every_bit_of_a_key_is_a_bit_of_the_seed(algorithm):
    bits = keyrng.key(0, impl=algorithm)._algorithm.key_bits
    keys = [keyrng.key(0, impl=algorithm), *(keyrng.key(-(1 << i), impl=algorithm) for i in range(bits - 1))]

    assert len({key.generate_state(8).tobytes() for key in keys}) == bits


@each_algorithm
def test_spawned_keys_are_named_children(algorithm):
    key = keyrng.key(42, impl=algorithm)
    children = keyrng.split(keyrng.fold_in(key, "numpy.spawn"), 3)

    assert [bool(a == b) for a, b in zip(key.spawn(3), children, strict=True)] == [True] * 3
    assert key.spawn(0) == []


def test_a_key_does_not_count_what_it_spawns():
    one, other = np.random.default_rng(KEY).spawn(1), np.random.default_rng(KEY).spawn(1)

    assert alike(one[0], other[0])


@pytest.mark.skipif(cuda_on_host.GXX is None, reason="no g++ on the PATH to run the CUDA source")
def test_a_key_on_a_gpu_gives_the_seeds_of_the_cpu():
    with installed():
        key = KEY.to("cuda")
        children = key.spawn(2)

        assert np.array_equal(key.generate_state(9), KEY.generate_state(9))
        assert [child.device for child in children] == ["cuda:0"] * 2
        assert key.spawn(0) == []
        assert alike(np.random.default_rng(children[1]), np.random.default_rng(KEY.spawn(2)[1]))
        assert alike(interop.generator(key).spawn(1)[0], interop.generator(KEY).spawn(1)[0])
        assert interop.bit_generator(key).random_raw() == keyrng.bits(KEY, 1, "uint64")[0]


# Golden values: what a run of today gives must come from a run of next year. PCG64DXSM's and MT19937's words are
# NumPy's promise, its distributions' values are not.

GOLDEN = {
    "threefry2x32": (7208824858023126371, 11256176677041180795, 1305826926),
    "philox4x64": (3092235485031977580, 706054097524072418, 2738309149),
}


@pytest.mark.parametrize("algorithm", GOLDEN)
def test_golden_words(algorithm):
    key = keyrng.key(42, impl=algorithm)
    fast, old = interop.generator(key).bit_generator, interop.random_state(key)._bit_generator
    found = key.generate_state(1, "uint64")[0], fast.random_raw(), old.random_raw()

    assert tuple(int(word) for word in found) == GOLDEN[algorithm]


# generator, random_state


def test_a_generator_is_numpy_s_own():
    rng = interop.generator(KEY)

    assert type(rng) is np.random.Generator
    assert alike(rng, np.random.Generator(np.random.PCG64DXSM(KEY)))


def test_a_generator_counts_what_it_spawns():
    rng = interop.generator(KEY)
    first, second = rng.spawn(1)[0], rng.spawn(2)[1]

    assert not alike(first, second)
    third = np.random.Generator(np.random.PCG64DXSM(KEY.spawn(3)[2]))
    assert third.random(2 * N)[N:].tolist() == second.random(N).tolist()


def test_a_generator_goes_on_counting_after_a_pickle():
    rng = interop.generator(KEY)
    rng.spawn(2)

    for other in (pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng)):
        assert other.bit_generator.seed_seq.n_children_spawned == 2
        assert alike(other.spawn(1)[0], np.random.Generator(np.random.PCG64DXSM(KEY.spawn(3)[2])))


def test_a_negative_number_of_seeds_counts_nothing():
    seeds = interop.KeySeedSequence(KEY)
    with pytest.raises(ValueError, match="n_children must be non-negative, got -1"):
        seeds.spawn(-1)

    assert repr(seeds) == f"KeySeedSequence({KEY!r}, n_children_spawned=0)"


def test_a_random_state_can_do_all_that_one_can():
    state = interop.random_state(KEY)
    name, words, *_ = state.get_state()

    assert name == "MT19937"
    assert np.array_equal(words[1:], KEY.generate_state(624)[1:])
    other = pickle.loads(pickle.dumps(state))
    assert state.normal(size=5).tolist() == other.normal(size=5).tolist()


# bit_generator


@each_algorithm
def test_raw_words_are_the_key_s_own(every_path, algorithm):
    key = keyrng.key(3, impl=algorithm)

    assert np.array_equal(interop.bit_generator(key).random_raw(N), keyrng.bits(key, N, "uint64"))


@each_algorithm
def test_doubles_and_halves_are_those_of_the_words(path, algorithm):
    key = keyrng.key(3, impl=algorithm)
    words = keyrng.bits(key, N, "uint64")

    assert np.array_equal(np.random.Generator(interop.bit_generator(key)).random(N), doubles(words))
    rng = np.random.Generator(interop.bit_generator(key))
    assert np.array_equal(rng.integers(2**32, size=2 * N, dtype=np.uint32), words.astype("<u8").view("<u4"))
    rng = np.random.RandomState(interop.bit_generator(key))
    assert np.array_equal(rng.random_sample(N), doubles(words))


def test_distributions_are_numpy_s_on_both_paths():
    drawn = []
    for name in ("numpy", *native.instruction_sets()[:1]):
        with use_backend(name):
            rng = np.random.Generator(interop.bit_generator(KEY))
        drawn.append([rng.standard_normal(N), rng.permutation(N), rng.gamma(2.5, size=N), rng.poisson(3, size=N)])

    assert all(np.array_equal(a, b) for a, b in zip(drawn[0], drawn[-1], strict=True))
    assert abs(drawn[0][0].mean()) < 4 / np.sqrt(N)


def test_an_algorithm_of_one_s_own_runs_in_python(monkeypatch):
    monkeypatch.setattr(base, "_registry", dict(base._registry))
    key = keyrng.key(3, impl=replace(base.get("threefry2x64"), name="mine"))

    assert np.array_equal(interop.bit_generator(key).random_raw(N), keyrng.bits(key, N, "uint64"))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda rng: pickle.loads(pickle.dumps(rng))])
def test_copies_go_on_where_the_first_was(path, again):
    rng = np.random.Generator(interop.bit_generator(KEY))
    rng.random(7)
    rng.integers(2**32, dtype=np.uint32)  # half a word waits
    rng.spawn(1)
    other = np.random.Generator(again(rng.bit_generator))

    assert other.bit_generator is not rng.bit_generator
    assert other.integers(2**32, dtype=np.uint32) == keyrng.bits(KEY, 8, "uint64")[7] >> 32
    assert rng.integers(2**32, dtype=np.uint32) == keyrng.bits(KEY, 8, "uint64")[7] >> 32
    assert alike(rng, other)
    assert alike(rng.spawn(1)[0], other.spawn(1)[0])


def test_a_state_set_is_seen_by_the_generator_that_draws(path):
    rng = np.random.Generator(interop.bit_generator(KEY))
    rng.random(3)
    state = rng.bit_generator.state
    expected = rng.random(N)
    rng.bit_generator.state = state
    assert np.array_equal(rng.random(N), expected)

    rng.bit_generator.state = interop.bit_generator(keyrng.key(1)).state
    assert np.array_equal(rng.random(N), doubles(keyrng.bits(keyrng.key(1), N, "uint64")))


def test_advance_leads_to_any_word(path):
    words = keyrng.bits(KEY, 2 * N, "uint64")
    bits = interop.bit_generator(KEY)

    assert bits.advance(N).random_raw() == words[N]
    assert bits.advance(-N).random_raw() == words[1]
    far = bits.advance(2**40 - 2).random_raw(2)
    assert bits.state["state"]["next"] == 2**40 + 2
    assert np.array_equal(interop.bit_generator(KEY).advance(2**40).random_raw(2), far)


def test_spawned_bit_generators_are_those_of_spawned_keys():
    bits = interop.bit_generator(KEY)
    first, second = *bits.spawn(1), *bits.spawn(1)

    for child, key in zip((first, second), KEY.spawn(2), strict=True):
        assert np.array_equal(child.random_raw(5), keyrng.bits(key, 5, "uint64"))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda bits: bits.advance(-1), ValueError, "from 0 to 72057594037927935 for threefry2x32, got -1"),
        (lambda bits: bits.advance(2**56), ValueError, "got 72057594037927936"),
        (lambda bits: setattr(bits, "state", 3), TypeError, "state must be a dict"),
        (lambda bits: setattr(bits, "state", np.random.SFC64(1).state), ValueError, "that of a 'SFC64'"),
        (
            lambda bits: setattr(bits, "state", interop.bit_generator(keyrng.key(1, impl="philox4x32")).state),
            ValueError,
            "a state of philox4x32 does not fit a KeyBitGenerator of threefry2x32",
        ),
    ],
)
def test_what_is_no_state_is_refused_and_changes_nothing(change, error, message):
    bits = interop.bit_generator(KEY)
    with pytest.raises(error) as raised:
        change(bits)

    assert message in str(raised.value)
    assert bits.random_raw() == keyrng.bits(KEY, 1, "uint64")[0]


def test_no_word_is_given_twice_to_threads(path):
    rng = np.random.Generator(interop.bit_generator(KEY))
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.extend(rng.random(100) for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert np.array_equal(np.sort(np.concatenate(found)), np.sort(doubles(keyrng.bits(KEY, 8000, "uint64"))))


# SciPy and scikit-learn


def test_scipy_takes_a_key():
    pytest.importorskip("scipy", minversion="1.15")  # the first with rng=
    stats = pytest.importorskip("scipy.stats")
    data = (np.arange(20.0),)

    def interval(rng):
        return stats.bootstrap(data, np.mean, n_resamples=99, rng=rng).confidence_interval

    assert interval(KEY) == interval(np.random.default_rng(KEY))
    assert interval(KEY) != interval(keyrng.key(43))


def test_scipy_takes_generators_and_random_states():
    stats = pytest.importorskip("scipy.stats")
    for make in (interop.generator, interop.random_state, lambda key: np.random.Generator(interop.bit_generator(key))):
        sample = stats.norm.rvs(size=N, random_state=make(KEY))

        assert np.array_equal(sample, make(KEY).standard_normal(N))


def test_scikit_learn_takes_a_random_state():
    selection = pytest.importorskip("sklearn.model_selection")
    ensemble = pytest.importorskip("sklearn.ensemble")
    x, y = np.arange(80.0).reshape(40, 2), np.arange(40) % 2

    def fitted(key):
        parts = selection.train_test_split(x, y, random_state=interop.random_state(key))
        forest = ensemble.RandomForestClassifier(5, random_state=interop.random_state(key)).fit(parts[0], parts[2])
        return [part.tolist() for part in parts], forest.predict_proba(x).tolist()

    assert fitted(KEY) == fitted(KEY)
    assert fitted(KEY) != fitted(keyrng.key(43))
