"""check_reuse on samples and children of one key, and on keys that seed NumPy's generators."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from calls import CALLS
from cases import ALGORITHMS
from scipy.stats import spearmanr

import keyrng
import keyrng.interop.numpy as interop
from keyrng import debug, testing
from keyrng._executors import numpy as direct
from keyrng.debug import KeyReuseError, check_reuse
from keyrng.kernels import log1p, uniform_co

KEY, SEVERAL = keyrng.key(7), keyrng.split(keyrng.key(8), 3)
PHILOX = keyrng.key(7, impl="philox4x32")
APART = [name for name in ALGORITHMS if name != "threefry2x32"]


def test_what_reuse_does():
    key = keyrng.key(3)

    # The reasons why it is reported: children are samples, and samplers read words of children.
    child = keyrng.key_data(keyrng.fold_in(key, 5))
    assert int(keyrng.bits(key, (6,), "uint64")[5]) == int(child[0]) << 32 | int(child[1])
    for impl, low in (("threefry2x32", 0.95), ("philox4x32", 0.95)):
        key = keyrng.key(3, impl=impl)
        sample = keyrng.t(key, 3.0, (2000,))
        assert spearmanr(sample, keyrng.uniform(keyrng.fold_in(key, 0), (2000,))).statistic > low


FOLDS = {
    "int": lambda key: keyrng.fold_in(key, 3),
    "NumPy's int": lambda key: keyrng.fold_in(key, np.uint8(3)),
    "large": lambda key: keyrng.fold_in(key, 2**63),
    "array": lambda key: keyrng.fold_in(key, np.arange(4)),
    "name": lambda key: keyrng.fold_in(key, "a"),
    "tuple": lambda key: keyrng.fold_in(key, (3, "a")),
    "keyword": lambda key: keyrng.fold_in(data=3, key=key),
    "an array with the key": lambda key: keyrng.fold_in(keyrng.stack([keyrng.key(1), key]), 3),
    "a generator": lambda key: keyrng.Generator(key).normal(),
    "epochs": lambda key: keyrng.shuffled_batches(key, 10, 2)[0],
    "named_keys": lambda key: keyrng.keys_like(key, {"a": (2,)}),
}
SAMPLES = {
    **{name: lambda key, name=name: getattr(keyrng, name)(key, *CALLS[name]) for name in CALLS},
    "draw": lambda key: keyrng.sample_kernel(uniform_co, key, (2,), "float32"),
    "dropout": lambda key: keyrng.dropout(key, np.ones(3), 0.5),
    "dropout_mask": lambda key: keyrng.dropout_mask(key, (3,), 0.5),
    "initializer": lambda key: keyrng.initializers.he_normal()(key, (2, 3)),
    "lazy": lambda key: keyrng.lazy_array(keyrng.normal, key, (2, 3)),
    "bit_generator": interop.bit_generator,
    "array": lambda key: keyrng.normal(keyrng.stack([keyrng.key(1), key])),
}


def twice(first, second, key=KEY):
    with check_reuse():
        first(key)
        with pytest.raises(KeyReuseError, match=r"is used twice:\n  first used at .*\n  used again at "):
            second(key)


@pytest.mark.parametrize("fold", FOLDS)
def test_samples_and_children_in_any_order(fold):
    twice(keyrng.normal, FOLDS[fold])
    twice(FOLDS[fold], keyrng.normal)


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sampler_and_children(sample):
    twice(SAMPLES[sample], FOLDS["int"])
    twice(FOLDS["int"], SAMPLES[sample])


def test_the_keys_inside_a_tuple_are_folded_too():
    twice(lambda key: keyrng.fold_in(key, ("layer", 3)), lambda key: keyrng.normal(keyrng.fold_in(key, "layer")))
    twice(lambda key: keyrng.normal(keyrng.fold_in(key, 5)), lambda key: keyrng.fold_in(key, (5, 3)))


def test_children_of_several_keys():
    twice(lambda several: keyrng.normal(several[1]), lambda several: keyrng.fold_in(several, 2), SEVERAL)


CHILDREN = {
    "many": lambda key: [keyrng.normal(keyrng.fold_in(key, i)) for i in range(5)],
    "names and numbers": lambda key: [keyrng.fold_in(key, data) for data in (1, "a", ("a", 1), 1)],
    "split and fold": lambda key: (keyrng.split(key), keyrng.fold_in(key, "a"), keyrng.fold_in(key, 7)),
    "clone": lambda key: (keyrng.normal(key), keyrng.fold_in(keyrng.clone(key), 1)),
    "clone before": lambda key: (keyrng.fold_in(keyrng.clone(key), 1), keyrng.normal(key), keyrng.fold_in(key, 2)),
    "data order": lambda key: [
        (list(epoch), epoch[0]) for epoch in (keyrng.shuffled_batches(key, 10, 2)[e] for e in (0, 1, 0))
    ],
    "one permutation": lambda key: [keyrng.index_shuffle(key, i, 10) for i in range(10)],
    "copies of a lazy array": lambda key: [
        pickle.loads(pickle.dumps(x))[:2] + copy.deepcopy(x)[:2] + x[:2]
        for x in [keyrng.lazy_array(keyrng.normal, key, 9)]
    ],
}


@pytest.mark.parametrize("impl", ALGORITHMS)
@pytest.mark.parametrize("what", CHILDREN)
def test_children_alone_are_fine(what, impl):
    with check_reuse():
        CHILDREN[what](keyrng.key(7, impl=impl))


def test_a_fold_that_fails_folds_nothing():
    with check_reuse():
        with pytest.raises(ValueError, match="from 0 to"):
            keyrng.fold_in(KEY, ("a", -1))
        keyrng.normal(KEY)


def test_a_permutation_and_a_sample():
    twice(CHILDREN["one permutation"], keyrng.normal)
    twice(keyrng.normal, CHILDREN["one permutation"])


# Algorithms that keep samples and children apart


@pytest.mark.parametrize("impl", APART)
def test_algorithms_that_keep_them_apart(impl):
    for sample in (keyrng.bits, keyrng.normal, keyrng.uniform, SAMPLES["draw"], SAMPLES["dropout"]):
        key = keyrng.key(7, impl=impl)
        with check_reuse():
            sample(key), keyrng.fold_in(key, 3)
        with check_reuse():
            keyrng.fold_in(key, 3), sample(key)
            with pytest.raises(KeyReuseError):
                sample(key)


@pytest.mark.parametrize("impl", APART)
def test_samplers_that_read_children_of_their_own(impl):
    key = keyrng.key(7, impl=impl)
    for name in ("t", "wald", "gamma", "randint", "permutation"):
        twice(SAMPLES[name], FOLDS["int"], key)
        twice(FOLDS["int"], SAMPLES[name], key)
        with check_reuse():  # no sampler reads a named child
            SAMPLES[name](key), keyrng.fold_in(key, ("a", 3))
    twice(lambda key: keyrng.normal(key, (2,), "complex64"), FOLDS["int"], key)


def in_a_helper(lane):
    return lane.split(2)[0]


def named(lane):
    return -log1p(-uniform_co(in_a_helper(lane)))


def test_own_kernels_that_split_their_lane():
    def held(lane):
        return uniform_co(helper(lane))

    helper = in_a_helper
    for kernel in (named, held, lambda lane: uniform_co(lane.split(2)[1])):
        twice(lambda key, kernel=kernel: keyrng.sample_kernel(kernel, key, (2,), "float32"), FOLDS["int"], PHILOX)


@pytest.mark.parametrize("name", sorted(debug._WITHOUT_CHILDREN & CALLS.keys()))
def test_samplers_that_read_no_children(name, monkeypatch):
    read = []
    for place in (direct, direct.NumpyExecutor):  # a kernel's lanes split keys by the functions of the module
        for function in ("children", "derive"):
            real = getattr(place, function)
            monkeypatch.setattr(place, function, lambda *given, real=real: read.append(given) or real(*given))
    with testing.use_backend("numpy"):
        getattr(keyrng, name)(keyrng.key(3, impl=APART[0]), *CALLS[name])

    assert read == []


# Seeds of NumPy's generators

SEEDS = {
    "default_rng": np.random.default_rng,
    "Philox": np.random.Philox,
    "generate_state": lambda key: key.generate_state(4),
    "by keyword": lambda key: key.generate_state(n_words=4, dtype=np.uint64),
    "generator": interop.generator,
    "random_state": interop.random_state,
    "seeds": lambda key: interop.KeySeedSequence(key).generate_state(3),
    "bit_generator": interop.bit_generator,
    "KeyBitGenerator": interop.KeyBitGenerator,
}


@pytest.mark.parametrize("impl", ["threefry2x32", "philox4x32"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_a_use(seed, impl):
    key = keyrng.key(7, impl=impl)
    twice(SEEDS[seed], SEEDS[seed], key)
    for other in (keyrng.normal, keyrng.split, np.random.default_rng):
        twice(SEEDS[seed], other, key)
        twice(other, SEEDS[seed], key)


def test_spawning_twice_gives_the_same_seeds():
    twice(lambda key: key.spawn(2), lambda key: key.spawn(1))
    twice(lambda key: key.spawn(2), keyrng.normal)
    with check_reuse():
        rng = np.random.default_rng(KEY)
        rng.spawn(2)
        with pytest.raises(KeyReuseError, match="by spawn"):
            rng.spawn(1)


def test_generators_that_count_their_children():
    with check_reuse():
        for rng in (interop.generator(KEY), np.random.Generator(interop.bit_generator(keyrng.key(8)))):
            first, second = rng.spawn(1)[0], rng.spawn(1)[0]
            assert first.random() != second.random()
            rng.bit_generator.state = rng.bit_generator.state


def test_a_seed_and_children():
    with check_reuse():
        np.random.default_rng(KEY)
        keyrng.fold_in(KEY, 3)
        np.random.default_rng(keyrng.clone(KEY))


def test_the_error_names_the_line_that_made_the_generator():
    with check_reuse():
        np.random.default_rng(KEY)
        with pytest.raises(KeyReuseError) as caught:
            interop.bit_generator(KEY)

    assert "by generate_state\n" in str(caught.value)
    assert "by bit_generator\n" in str(caught.value)
    assert str(caught.value).count(f"at {__file__}:") == 2


def test_torch_generators_are_seeds():
    pytest.importorskip("torch")
    import keyrng.interop.torch as torch_interop

    twice(torch_interop.torch_generator, torch_interop.torch_generator)
    twice(torch_interop.torch_generator, keyrng.normal)
