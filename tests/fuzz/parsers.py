"""Invalid bytes and states for keyrng's parsers, mutated at random or by atheris, which uses coverage.

    python tests/fuzz/parsers.py [--inputs 1000000] [--seed 0]
    python tests/fuzz/parsers.py --atheris -runs=1000000        (needs: pip install atheris)

For every input: it is refused with a ValueError or TypeError of one line, or what was read gives these very bytes back.
"""

from __future__ import annotations

import random
import struct
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import keyrng
import keyrng.interop.numpy
from keyrng import _generator
from keyrng._cli import stream_layouts
from keyrng._keys import serialize

NAMES = keyrng.algorithms.names()[:7]
KEYS = [keyrng.key(7, impl=name) for name in NAMES]
KEYS += [keyrng.split(key, shape) for key in KEYS[:3] for shape in (0, 2, (2, 3), (1, 0, 2))]
BYTES = [key.to_bytes() for key in KEYS]
STATES = []
for _name in NAMES:
    _g = keyrng.Generator(5, impl=_name)
    _g.next_key(3)
    _g.spawn(2)
    STATES.append(_g.get_state())
TEXTS = ["split:3", "fold_in:2", "seeds:4", "split:", "0", "-1", "\u0662", "\ud800", "a" * 300, "keyrng", *NAMES]
LONGEST = 512


def signed(data: bytes) -> bytes:
    """Bytes with the checksum that belongs to them, so that what is behind it is reached."""
    return data[:-8] + serialize.digest(data[:-8], 8)


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Other bytes, some of them not far from the given ones."""
    found = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(found) + 1)
        how = rng.randrange(8)
        if how == 0 and found:
            found[at % len(found)] ^= 1 << rng.randrange(8)
        elif how == 1 and found:
            found[at % len(found)] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
        elif how == 2:
            found[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif how == 3:
            del found[at : at + rng.randrange(1, 9)]
        elif how == 4:
            del found[at:]
        elif how == 5:
            other = rng.choice(BYTES + STATES)
            found[at:] = other[rng.randrange(len(other)) :]
        elif how == 6:
            found[at : at + 8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1)))
        else:
            found[at : at + 8] = found[at : at + 8] * 2
    data = bytes(found[:LONGEST])
    return signed(data) if rng.random() < 0.7 and len(data) > 8 else data


def header(rng: random.Random) -> bytes:
    """Bytes of a key by their fields, each right or wrong, with the checksum that belongs to them."""
    name = rng.choice([*NAMES, "", "os", "threefry", "__import__('os')"]).encode()
    shape = [rng.choice((0, 1, 2, 3, 4, 2**32, 2**61, 2**64 - 1)) for _ in range(rng.choice((0, 1, 1, 2, 3, 65, 255)))]
    body = struct.pack(
        "<6sBBBB", b"keyrng", rng.choice((1, 1, 1, 0, 2)), rng.choice((32, 64, 0, 8)),
        rng.choice((len(name), len(name), 255)), rng.choice((len(shape), len(shape), 1)),
    )  # fmt: skip
    body += name + struct.pack(f"<{len(shape)}Q", *shape) + rng.randbytes(rng.choice((0, 8, 16, 32, 48)))
    return body + serialize.digest(body, 8)


# The functions to fuzz: each accepts bytes or a value, and raises AssertionError if it fails.


def read_key(data: bytes) -> None:
    key = keyrng.Key.from_bytes(data)
    assert type(key) is keyrng.Key and key.to_bytes() == data, "another key than was written"
    assert not key._words.flags.writeable and key._words.dtype == key._algorithm.dtype
    keyrng.bits(key, (2,))


def read_state(data: bytes) -> None:
    for name in NAMES:
        made = keyrng.Generator(0, impl=name)
        before = made.get_state()
        try:
            made.set_state(data)
        except (ValueError, TypeError):
            assert made.get_state() == before, "a state that was refused has changed the generator"
            last = sys.exc_info()[1]
            continue
        assert made.get_state() == data, "another state than was written"
        made.next_key()
        return
    assert last is not None
    raise last


def read_pickled_generator(data: bytes) -> None:
    made = _generator.from_pickle(data, "cpu", b"fuzz")
    assert made._state.root.to_bytes() == data or made.impl in NAMES
    _generator._read.clear()


def read_words(data: bytes) -> None:
    rng = random.Random(data)
    dtype = rng.choice(["u4", "u8", ">u4", "i4", "f4", "u1", "V4", "S2"])
    whole = data[: len(data) // np.dtype(dtype).itemsize * np.dtype(dtype).itemsize]
    words = np.frombuffer(whole, dtype)
    if rng.random() < 0.7:
        words = words[: len(words) // 2 * 2].reshape(-1, 2)
    name = rng.choice(NAMES)
    keys = keyrng.wrap_key_data(words, impl=name)
    assert keyrng.key_data(keys).tobytes() == words.tobytes(), "other words than were given"
    assert keys.shape == words.shape[:-1]


def read_seed(data: bytes) -> None:
    rng = random.Random(data)
    name = rng.choice(NAMES)
    key = keyrng.key(data, impl=name)
    assert (key == keyrng.key(data, impl=name)).all()
    assert (keyrng.fold_in(key, data) == keyrng.fold_in(key, bytes(data))).all()
    text = data.decode(rng.choice(("latin-1", "utf-8", "utf-16")), "ignore") + rng.choice(("", "", "\ud800"))
    assert (keyrng.key(text) == keyrng.key(text.encode("utf-8", "surrogatepass"))).all()
    if rng.random() < 0.5:
        keyrng.algorithms.get(text)


def read_arguments(data: bytes) -> None:
    rng = random.Random(data)
    how = rng.choice([*TEXTS, data.decode("latin-1"), f"split:{rng.randrange(20)}", f"seeds:{data[:1].hex()}"])
    feed, number = stream_layouts.parse(how)
    keys = stream_layouts.keys_of(feed, number, rng.choice((0, -1, 2**63, 2**64, 2**70)), rng.choice([*TEXTS, *NAMES]))
    assert keys.ndim == 1


def read_bit_generator(data: bytes) -> None:
    rng = random.Random(data)
    made = keyrng.interop.numpy.KeyBitGenerator(KEYS[0])
    state: dict[str, Any] = dict(made.state)
    inner = dict(state["state"])
    junk: Any = rng.choice([data, None, -1, 2**70, 0.5, "x", [], np.zeros(2, np.uint64), np.zeros(2, np.uint32), {}])
    place, name = rng.choice([(state, "bit_generator"), (state, "state"), (state, "has_uint32"), (state, "uinteger"),
                              (inner, "impl"), (inner, "key"), (inner, "next")])  # fmt: skip
    state["state"] = inner
    if rng.random() < 0.3:
        del place[name]
    else:
        place[name] = junk
    made.state = state
    made.random_raw(2)


PARSERS: dict[str, Callable[[bytes], None]] = {
    "Key.from_bytes": read_key,
    "Generator.set_state": read_state,
    "a generator's pickle": read_pickled_generator,
    "wrap_key_data": read_words,
    "seeds and names": read_seed,
    "command line": read_arguments,
    "KeyBitGenerator.state": read_bit_generator,
}
#: How often each is tried; more where more is parsed.
SHARES = (9, 4, 1, 2, 1, 1, 2)


def tried(name: str, data: bytes) -> str:
    """``"read"`` or ``"refused"``; an AssertionError, or any other exception, for a fault."""
    try:
        PARSERS[name](data)
    except (ValueError, TypeError) as error:
        refusal = error
    else:
        return "read"
    message = str(refusal)
    assert 0 < len(message) < 1000 and "\n" not in message, f"{name} says {message!r:.200}"
    assert not isinstance(refusal, UnicodeError), message
    return "refused"


def run(inputs: int, seed: int = 0) -> Counter[tuple[str, str]]:
    """Try so many inputs; how many of each parser were read, and refused."""
    rng, found = random.Random(seed), Counter[tuple[str, str]]()
    names = list(PARSERS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(inputs):
            (name,) = rng.choices(names, SHARES)
            if name == "Generator.set_state":
                data = mutated(rng, rng.choice(STATES))
            elif rng.random() < 0.2:
                data = header(rng)
            else:
                data = mutated(rng, rng.choice(BYTES)) if rng.random() < 0.9 else rng.randbytes(rng.randrange(64))
            try:
                found[name, tried(name, data)] += 1
            except BaseException:
                print(f"{name}: {data!r}", file=sys.stderr)
                raise
    return found


def _atheris() -> None:
    import atheris

    names = list(PARSERS)

    def one(data: bytes) -> None:
        if data:
            body = data[1:]
            tried(names[data[0] % len(names)], signed(body) if data[0] & 128 and len(body) > 8 else body)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *[a for a in sys.argv[1:] if a != "--atheris"]], one)
    atheris.Fuzz()


def main() -> None:
    """The command."""
    import argparse
    import platform

    if "--atheris" in sys.argv:
        _atheris()
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    start = time.perf_counter()
    found = run(given.inputs, given.seed)
    seconds = time.perf_counter() - start
    print(f"keyrng {keyrng.__version__}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{given.inputs} inputs with seed {given.seed} in {seconds:.0f} s, no fault\n")
    print("| Parser | Inputs | Read | Refused |\n|---|---|---|---|")
    for name in PARSERS:
        read, refused = found[name, "read"], found[name, "refused"]
        print(f"| {name} | {read + refused} | {read} | {refused} |")


if __name__ == "__main__":
    main()
