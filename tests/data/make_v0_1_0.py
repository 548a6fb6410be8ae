"""Write v0.1.0/: files that keyrng 0.1.0 pickled and saved, and the words and draws expected from them.

usage, in a clone, with PyTorch installed:

    git worktree add ../keyrng-0.1.0 47cda74
    (cd ../keyrng-0.1.0 && python setup.py -q build_ext --inplace)
    PYTHONPATH=../keyrng-0.1.0 python tests/data/make_v0_1_0.py

The files are kept because only 0.1.0 can write them; `tests/keys/test_saved.py` loads them. Expected values are of
samplers whose values did not change after 0.1.0.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

import keyrng
import keyrng.interop.numpy as knumpy
import keyrng.interop.torch as ktorch
from keyrng import initializers
from keyrng.interop.torch_data import KeyedBatchSampler

HERE = Path(__file__).parent / "v0.1.0"
PROTOCOLS = (2, 3, 4, 5)
IMPLS = ("threefry2x32", "threefry4x32", "threefry2x64", "threefry4x64", "philox4x32", "philox2x64", "philox4x64")


def of_array(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON: dtype, shape and the little-endian bytes in memory order."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    return {"dtype": array.dtype.name, "shape": list(array.shape), "bytes": little.tobytes().hex()}


def of_key(key: keyrng.Key) -> dict[str, Any]:
    return {
        "impl": key.impl,
        "words": of_array(keyrng.key_data(key)),
        "to_bytes": key.to_bytes().hex(),
        "bits": of_array(keyrng.bits(key, (3,))),
        "uniform": of_array(keyrng.uniform(key, (3,), "float64")),
        "normal": of_array(keyrng.normal(key, (3,))),
    }


def keys() -> dict[str, keyrng.Key]:
    made = {}
    for impl in IMPLS:
        key = keyrng.key("saved", impl=impl)
        made[f"{impl} ()"] = key
        made[f"{impl} (3,)"] = keyrng.split(key, 3)
        made[f"{impl} (2, 3)"] = keyrng.split(key, (2, 3))
        made[f"{impl} (0,)"] = keyrng.split(key, 0)
        made[f"{impl} a slice"] = keyrng.split(key, (4, 3))[::2, 1]
        made[f"{impl} named"] = keyrng.fold_in(key, ("layer", 3))
    return made


def generators() -> dict[str, keyrng.Generator]:
    made = {impl: keyrng.Generator(7, impl) for impl in IMPLS}
    used = keyrng.Generator("used")
    used.normal((5,)), used.next_key(4), used.spawn(2)
    return {**made, "used": used, "of a key": keyrng.Generator(keyrng.fold_in(keyrng.key(0), "g"))}


def of_generator(g: keyrng.Generator) -> dict[str, Any]:
    """The next draws, which advance the generator."""
    return {
        "impl": g.impl,
        "next_key": of_array(keyrng.key_data(g.next_key(2))),
        "bits": of_array(g.bits((3,))),
        "uniform": of_array(g.uniform((3,))),
        "normal": of_array(g.normal((3,))),
        "spawned": of_array(keyrng.key_data(g.spawn(1)[0].next_key())),
    }


def bit_generators() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for impl in IMPLS:
        key = keyrng.key(5, impl=impl)
        made[f"{impl} new"] = knumpy.bit_generator(key)
        moved = knumpy.bit_generator(key).advance(1000)
        np.random.Generator(moved).random(dtype="float32")  # half of a word waits
        made[f"{impl} used"] = moved
    made["Generator"] = np.random.Generator(knumpy.bit_generator(keyrng.key(6)))
    made["seeds"] = knumpy.KeySeedSequence(keyrng.key(7), n_children_spawned=3)
    made["generator"] = knumpy.generator(keyrng.key(8))
    return made


def of_bit_generator(made: Any) -> dict[str, Any]:
    if isinstance(made, knumpy.KeySeedSequence):
        return {"words": of_array(made.generate_state(5)), "child": of_array(made.spawn(1)[0].generate_state(5))}
    rng = made if isinstance(made, np.random.Generator) else np.random.Generator(made)
    state = rng.bit_generator.state
    found: dict[str, Any] = {"raw": None}
    if isinstance(rng.bit_generator, knumpy.KeyBitGenerator):
        inner = state["state"]
        found["state"] = {
            **state,
            "state": {"impl": inner["impl"], "key": of_array(inner["key"]), "next": inner["next"]},
        }
        found["float32"] = of_array(rng.random(3, dtype="float32"))
    found["raw"] = of_array(rng.bit_generator.random_raw(4))
    found["spawned"] = of_array(rng.spawn(1)[0].bit_generator.random_raw(2))
    return found


def lazy_arrays() -> dict[str, Any]:
    key = keyrng.key(9)
    return {
        "normal": keyrng.lazy_array(keyrng.normal, key, (10**6, 1000)),
        "uniform of keys": keyrng.lazy_array(keyrng.uniform, keyrng.split(key, 3), (5, 2), dtype="float64"),
        "uniform with parameters": keyrng.lazy_array(keyrng.uniform, key, (4, 3), minval=[1.0, 2.0, 3.0], maxval=4.0),
        "bits": keyrng.lazy_array(keyrng.bits, keyrng.key(9, impl="philox4x32"), (100,), dtype="uint64", limit=10**4),
    }


def epochs() -> dict[str, Any]:
    order = keyrng.shuffled_batches(keyrng.key(10), 100, 8, rank=1, world_size=2)
    dropped = keyrng.shuffled_batches(keyrng.key(10, impl="philox4x64"), 37, 5, drop_last=True)
    return {"order": order, "drop_last": dropped, "epoch": order[3], "rest": order[3][2:]}


def of_epochs(made: Any) -> list[list[int]]:
    epoch = made[2] if hasattr(made, "rank") else made
    return [batch.tolist() for batch in epoch]


def all_initializers() -> dict[str, Any]:
    return {
        "normal": initializers.normal(0.5),
        "uniform": initializers.uniform(0.5, "float64"),
        "he_uniform": initializers.he_uniform(),
        "torch's axes": initializers.he_uniform(in_axis=1, out_axis=0),
        "several axes": initializers.lecun_uniform((0, 1), 2, dtype="float64"),
        "constant": initializers.constant(3.0),
        "identity": initializers.identity(),
        "dirac": initializers.dirac(),
        "zeros": initializers.zeros,
    }


def shape_for(name: str) -> tuple[int, ...]:
    return (4, 4) if name == "identity" else (4, 3, 3)


def net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2), ktorch.Dropout(keyrng.key(11), 0.5))


def checkpoints() -> dict[str, Any]:
    """Two of torch: one that torch loads as it is, and one with keys in it, for weights_only=False."""
    trained = net()
    for _ in range(3):
        trained(torch.ones(1, 3))
    torch.save({"model": trained.state_dict(), "epoch": 2}, HERE / "checkpoint.pt")
    torch.save({"keys": keys(), "nested": {"key": keyrng.key(1)}}, HERE / "checkpoint-keys.pt")
    sampler = KeyedBatchSampler(epochs()["order"])
    for _ in zip(range(4), sampler, strict=False):
        pass
    return {
        "dropped": of_array(trained[1](torch.ones(64)).numpy()),
        "weight": of_array(trained[0].weight.detach().numpy()),
        "sampler": sampler.state_dict(step=4),
        "batches": [batch.tolist() for batch in sampler.order[0][4:]],
    }


def main() -> None:
    assert keyrng.__version__.startswith("0.1.0"), f"this is keyrng {keyrng.__version__}: {keyrng.__file__}"
    HERE.mkdir(exist_ok=True)
    makers = {
        "keys": keys,
        "generators": generators,
        "bit_generators": bit_generators,
        "lazy_arrays": lazy_arrays,
        "epochs": epochs,
        "initializers": all_initializers,
    }
    describe = {
        "keys": lambda name, key: of_key(key),
        "generators": lambda name, g: of_generator(g),
        "bit_generators": lambda name, made: of_bit_generator(made),
        "lazy_arrays": lambda name, x: of_array(np.asarray(x[-2:, ..., :3] if x.ndim > 1 else x[-5:])),
        "epochs": lambda name, made: of_epochs(made),
        "initializers": lambda name, init: of_array(np.asarray(init(keyrng.key(12), shape_for(name)))),
    }
    expected: dict[str, Any] = {"made by": f"keyrng {keyrng.__version__}, numpy {np.__version__}"}
    for what, make in makers.items():
        for protocol in PROTOCOLS:
            data = pickle.dumps(make(), protocol)
            (HERE / f"{what}.protocol{protocol}.pickle").write_bytes(data)
        expected[what] = {name: describe[what](name, value) for name, value in pickle.loads(data).items()}
    expected["states"] = {name: {"state": g.get_state().hex(), **of_generator(g)} for name, g in generators().items()}
    expected["checkpoint"] = checkpoints()
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
