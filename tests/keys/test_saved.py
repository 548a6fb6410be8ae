"""Files saved by 0.1.0 load and give the same words and draws.

Only 0.1.0 can write them: make_v0_1_0.py did, which the history of this repository has in tests/data.
"""

from __future__ import annotations

import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import keyrng
from keyrng import _generator
from keyrng._pickles import Readings

HERE = Path(__file__).parents[1] / "data" / "v0.1.0"
EXPECTED = json.loads((HERE / "expected.json").read_text("utf-8"))
PROTOCOLS = (2, 3, 4, 5)

needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")


def array(saved: dict) -> np.ndarray:
    little = np.frombuffer(bytes.fromhex(saved["bytes"]), np.dtype(saved["dtype"]).newbyteorder("<"))
    return little.astype(saved["dtype"]).reshape(saved["shape"])


def assert_same(found: np.ndarray, saved: dict) -> None:
    expected = array(saved)

    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()


@pytest.fixture(params=PROTOCOLS)
def load(request, monkeypatch):
    """Load a file of a protocol, as in a process that has read no generator yet."""
    monkeypatch.setattr(_generator, "_read", Readings(limit=2**16, beyond=2**63))

    def load(what: str) -> dict:
        found = pickle.loads((HERE / f"{what}.protocol{request.param}.pickle").read_bytes())
        assert list(found) == list(EXPECTED[what])
        return found

    return load


def assert_key(key: keyrng.Key, saved: dict) -> None:
    assert key.impl == saved["impl"]
    assert_same(keyrng.key_data(key), saved["words"])
    assert key.to_bytes().hex() == saved["to_bytes"]
    assert_same(keyrng.bits(key, (3,)), saved["bits"])
    assert_same(keyrng.uniform(key, (3,), "float64"), saved["uniform"])
    assert_same(keyrng.normal(key, (3,)), saved["normal"])


def test_keys(load):
    for name, key in load("keys").items():
        assert_key(key, EXPECTED["keys"][name])


@pytest.mark.parametrize("name", EXPECTED["keys"])
def test_bytes_of_keys(name):
    assert_key(keyrng.Key.from_bytes(bytes.fromhex(EXPECTED["keys"][name]["to_bytes"])), EXPECTED["keys"][name])


def assert_generator(g: keyrng.Generator, saved: dict) -> None:
    assert g.impl == saved["impl"]
    assert_same(keyrng.key_data(g.next_key(2)), saved["next_key"])
    assert_same(g.bits((3,)), saved["bits"])
    assert_same(g.uniform((3,)), saved["uniform"])
    assert_same(g.normal((3,)), saved["normal"])
    assert_same(keyrng.key_data(g.spawn(1)[0].next_key()), saved["spawned"])


def test_generators(load):
    for name, g in load("generators").items():
        assert_generator(g, EXPECTED["generators"][name])


@pytest.mark.parametrize("name", EXPECTED["states"])
def test_states_of_generators(name):
    saved = EXPECTED["states"][name]
    g = keyrng.Generator(0, saved["impl"]).set_state(bytes.fromhex(saved["state"]))

    assert_generator(g, saved)


def assert_bit_generator(rng: np.random.Generator, saved: dict) -> None:
    if "state" in saved:
        assert_same(rng.random(3, dtype="float32"), saved["float32"])
    assert_same(rng.bit_generator.random_raw(4), saved["raw"])
    assert_same(rng.spawn(1)[0].bit_generator.random_raw(2), saved["spawned"])


def test_bit_generators(load):
    found, expected = load("bit_generators"), EXPECTED["bit_generators"]
    seeds = found.pop("seeds")

    assert_same(seeds.generate_state(5), expected["seeds"]["words"])
    assert_same(seeds.spawn(1)[0].generate_state(5), expected["seeds"]["child"])
    for name, made in found.items():
        rng = made if isinstance(made, np.random.Generator) else np.random.Generator(made)
        assert_bit_generator(rng, expected[name])


@pytest.mark.parametrize("name", [name for name, saved in EXPECTED["bit_generators"].items() if "state" in saved])
def test_states_of_bit_generators(name):
    import keyrng.interop.numpy as interop

    saved = EXPECTED["bit_generators"][name]
    inner = saved["state"]["state"]
    made = interop.bit_generator(keyrng.key(0, impl=inner["impl"]))
    made.state = {**saved["state"], "state": {**inner, "key": array(inner["key"])}}

    assert_same(np.random.Generator(made).random(3, dtype="float32"), saved["float32"])
    assert_same(made.random_raw(4), saved["raw"])


def test_lazy_arrays(load):
    for name, x in load("lazy_arrays").items():
        assert_same(np.asarray(x[-2:, ..., :3] if x.ndim > 1 else x[-5:]), EXPECTED["lazy_arrays"][name])


def test_epochs(load):
    for name, made in load("epochs").items():
        epoch = made[2] if hasattr(made, "rank") else made
        assert [batch.tolist() for batch in epoch] == EXPECTED["epochs"][name]


def test_initializers(load):
    for name, initializer in load("initializers").items():
        shape = (4, 4) if name == "identity" else (4, 3, 3)
        assert_same(np.asarray(initializer(keyrng.key(12), shape)), EXPECTED["initializers"][name])


# Checkpoints of torch


@needs_torch
def test_a_checkpoint_goes_on():
    import torch

    import keyrng.interop.torch as interop

    saved = torch.load(HERE / "checkpoint.pt")
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), interop.Dropout(keyrng.key(11), 0.5))
    net.load_state_dict(saved["model"])

    assert net[1].step == 3
    assert_same(net[0].weight.detach().numpy(), EXPECTED["checkpoint"]["weight"])
    assert_same(net[1](torch.ones(64)).numpy(), EXPECTED["checkpoint"]["dropped"])


@needs_torch
def test_keys_of_a_checkpoint():
    import torch

    # 0.1.0 pickled keys through a method, which only weights_only=False calls.
    saved = torch.load(HERE / "checkpoint-keys.pt", weights_only=False)

    for name, key in saved["keys"].items():
        assert_key(key, EXPECTED["keys"][name])
    assert saved["nested"]["key"] == keyrng.key(1)


@needs_torch
def test_a_place_in_the_order_of_data():
    from keyrng.interop.torch_data import KeyedBatchSampler

    sampler = KeyedBatchSampler(keyrng.shuffled_batches(keyrng.key(10), 100, 8, rank=1, world_size=2))
    sampler.load_state_dict(EXPECTED["checkpoint"]["sampler"])

    assert list(sampler) == EXPECTED["checkpoint"]["batches"]
