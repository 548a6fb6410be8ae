"""The state of a `Generator`, shared by threads and changed by forks, and its bytes."""

from __future__ import annotations

import os
import struct
import threading

from keyrng._core.arguments import short_repr
from keyrng._keys.derive import Key, fold_in
from keyrng._keys.serialize import digest

# Names that a root is folded with, besides the numbers of draws. With threefry2x32, names are hashed to numbers; these
# three are above 2**63, which draws never reach.
SPAWN, FORK, COPY = "generator spawn", "generator fork", "generator copy"
KEYS = 2**63

_MAGIC = b"keygen"
_VERSION = 1
_HEADER = struct.Struct("<6sBQQ")
_CHECKSUM_SIZE = 8

# One lock for all generators: held for a microsecond, and across fork(), so that a child inherits neither a locked
# lock nor a number that the parent is about to use.
lock = threading.Lock()

# The ancestry of this process: for each fork, the number of earlier forks of the parent.
_history: tuple[int, ...] = ()
_forks = 0


def _in_parent() -> None:
    global _forks
    _forks += 1
    lock.release()


def _in_child() -> None:
    global _history, _forks
    _history, _forks = (*_history, _forks), 0
    lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lock.acquire, after_in_parent=_in_parent, after_in_child=_in_child)


class GeneratorState:
    """A root key, and the numbers of its children that are drawn and spawned; each number is taken once."""

    __slots__ = ("_drawn", "_history", "_spawned", "root")

    root: Key
    _drawn: int
    _spawned: int
    _history: tuple[int, ...]

    def __init__(self, root: Key) -> None:
        self.restart(root)

    def restart(self, root: Key, drawn: int = 0, spawned: int = 0) -> None:
        """Replace the state."""
        with lock:
            self.root, self._drawn, self._spawned, self._history = root, drawn, spawned, _history

    def current(self) -> tuple[Key, int, int]:
        """Return the root, and the numbers of keys drawn and generators spawned."""
        with lock:
            return self._caught_up(), self._drawn, self._spawned

    def _caught_up(self) -> Key:
        """Return the root, updated for forks; the lock must be held."""
        if self._history is not _history:
            for number in _history[len(self._history) :]:
                self.root, self._drawn, self._spawned = fold_in(self.root, (FORK, number)), 0, 0
            self._history = _history
        return self.root

    def take(self, num: int) -> tuple[Key, int]:
        """Reserve ``num`` keys; return the root and the number of the first one."""
        with lock:
            root, first = self._caught_up(), self._drawn
            if first + num > KEYS:
                raise ValueError(
                    f"a generator has 2**63 keys, of which {first} are drawn, got num={short_repr(num)}; use spawn"
                )
            self._drawn = first + num
        return root, first

    def take_spawned(self, num: int) -> tuple[Key, int]:
        """Reserve ``num`` generators; return the root and the number of the first one."""
        with lock:
            root, first = self._caught_up(), self._spawned
            if first + num > KEYS:
                raise ValueError(f"a generator can spawn 2**63 others, of which {first} are spawned, got n={num}")
            self._spawned = first + num
        return root, first


def dump(root: Key, drawn: int, spawned: int) -> bytes:
    """Return a state as bytes."""
    body = _HEADER.pack(_MAGIC, _VERSION, drawn, spawned) + root.to_bytes()
    return body + digest(body, _CHECKSUM_SIZE)


def load(state: object) -> tuple[Key, int, int]:
    """Parse a state: the root, and the numbers of its keys and generators."""
    if not isinstance(state, bytes):
        raise TypeError(f"expected bytes from get_state(), got {type(state).__name__}")
    if not state.startswith(_MAGIC):
        raise ValueError(f"not a generator state: it begins with {state[:6]!r} instead of {_MAGIC!r}")
    version = state[len(_MAGIC)] if len(state) > len(_MAGIC) else _VERSION
    if version != _VERSION:
        raise ValueError(f"unsupported version of a state: {version} (expected {_VERSION})")
    body = state[:-_CHECKSUM_SIZE]
    if len(body) < _HEADER.size or digest(body, _CHECKSUM_SIZE) != state[-_CHECKSUM_SIZE:]:
        raise ValueError("corrupt state: the checksum does not match")
    # The checksum matches, so that only bytes of another program can be malformed.
    _, _, drawn, spawned = _HEADER.unpack_from(body)
    root = Key.from_bytes(body[_HEADER.size :])
    if root.ndim or max(drawn, spawned) > KEYS:
        raise ValueError(f"malformed state: keys of shape {root.shape}, {drawn} drawn, {spawned} spawned")
    return root, drawn, spawned
