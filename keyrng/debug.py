"""Detection of keys that are used twice.

While a check is active, the functions that use keys run `_watched` instead of their code. The code objects are
replaced, and not the names, because ``from keyrng import normal``, closures and generator methods refer to the
functions. Without a check there is no overhead.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import unwrap
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

from keyrng import distributions
from keyrng._core.fpenv import in_default_fpenv
from keyrng._dropout import dropout, dropout_mask
from keyrng._executors import native
from keyrng._executors.device import CPU
from keyrng._keys import derive
from keyrng._keys.derive import Key
from keyrng._sampling import draw
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel

__all__ = ["KeyReuseError", "check_reuse"]

# The kind of a use, the name of the function that used a key, and the file and line that called it.
Place: TypeAlias = tuple[int, str, str, int]

# Kinds of uses. A sample may be related to the key's children; a direct sample is not.
_SAMPLE, _DIRECT, _SHUFFLE, _SPLIT, _FOLD, _STATE, _SPAWN = range(7)
_KINDS = {"index_shuffle": _SHUFFLE, "split": _SPLIT, "fold_in": _FOLD, "generate_state": _STATE, "spawn": _SPAWN}

# Any number of these counts as one use: they give other children, or other elements of one permutation.
_REPEATED = (_FOLD, _SHUFFLE)

# Samplers of real numbers that read no words of children. With an algorithm that separates samples and children, their
# samples are not related to children.
# fmt: off
_WITHOUT_CHILDREN = frozenset((
    "bernoulli", "binomial", "bit_generator", "bits", "categorical", "cauchy", "dropout", "dropout_mask", "exponential",
    "geometric", "gumbel", "half_cauchy", "half_normal", "hypergeometric", "laplace", "logistic", "lognormal",
    "maxwell", "multivariate_normal", "normal", "orthogonal", "pareto", "poisson", "power", "rademacher", "rayleigh",
    "triangular", "truncated_normal", "uniform", "vonmises", "weibull_min", "zipf",
))
# fmt: on

# From a code object, because __file__ may be missing in zip files and frozen applications.
_PACKAGE = os.path.dirname((lambda: None).__code__.co_filename) + os.sep


class KeyReuseError(RuntimeError):
    """Raised by `check_reuse` if a key is used a second time."""


@contextmanager
def check_reuse() -> Iterator[None]:
    """Return a context manager in which using a key twice raises `KeyReuseError`.

    Raises
    ------
    KeyReuseError
        If a key is used twice inside; the message has the file and line of both uses.

    See Also
    --------
    clone : Allows a key to be used once more.
    split : New keys to use instead.

    Notes
    -----
    A key is used by samplers, ``sample_kernel``, ``split``, and by seeding a NumPy generator; of an array of keys each
    key counts. ``fold_in`` can be called any number of times, but not on a key that is also sampled from, if samples
    and children can be related. Keys are identified by algorithm and words, however they came to be in two places.
    After ``keyrng.clone(key)`` the key, and every key that is derived from it then, can be used once more.
    docs/key-reuse.md has all the rules.

    The check covers all threads of the process, starts with no key used, and changes no value. It costs less than 5
    microseconds per call and about 200 bytes per used key, until it ends. It copies the words of keys on a GPU to the
    host, which synchronizes.

    ``KEYRNG_DEBUG_REUSE=1`` in the environment checks a whole run.

    Examples
    --------
    >>> key = keyrng.key(42)
    >>> with keyrng.debug.check_reuse():
    ...     a = keyrng.normal(key, (3,))
    ...     b = keyrng.uniform(key, (3,))
    Traceback (most recent call last):
        ...
    keyrng.debug.KeyReuseError: Key((), key<fry>, [0x00000000 0x0000002a]) is used twice:
      first used at <doctest keyrng.debug.check_reuse[1]>:2, by normal
      used again at <doctest keyrng.debug.check_reuse[1]>:3, by uniform
    keyrng.split(key) makes keys to use instead; keyrng.clone(key) says that the same bits are meant
    """
    record = _begin()
    try:
        yield
    finally:
        _end(record)


class _Record:
    """The uses recorded by one check."""

    def __init__(self) -> None:
        self.uses: dict[bytes, tuple[Place, ...]] = {}
        self.limits: dict[bytes, int] = {}  # allowed uses of keys, if more than one
        self._once: dict[Place, tuple[Place]] = {}  # one shared object per place, to save memory

    def use(self, key: Key, names: list[bytes], place: Place) -> None:
        """Record the use of a key; KeyReuseError if it is not allowed."""
        uses, once = self.uses, self._once.get(place)
        if once is None:
            once = self._once[place] = (place,)
        used = len(uses)
        for name in names:
            before = uses.setdefault(name, once)
            if len(uses) > used:
                used += 1
            elif place[0] in _REPEATED and any(kind == place[0] for kind, *_ in before):
                continue
            elif _times(places := (*before, place)) <= self.limits.get(name, 1):
                uses[name] = places
            else:
                raise _error(key.ravel()[names.index(name)], places)

    def permit(self, names: list[bytes]) -> None:
        """Allow one more use of cloned keys."""
        for name in names:
            self.limits[name] = self.limits.get(name, 1) + 1

    def pass_on(self, names: list[bytes], children: list[bytes]) -> None:
        """Allow children as many uses as their cloned parents."""
        # The maximum over all parents, to avoid matching children with parents.
        limit = max((self.limits.get(name, 1) for name in names), default=1)
        if limit > 1:
            self.limits.update((name, max(limit, self.limits.get(name, 1))) for name in children)


def _times(places: tuple[Place, ...]) -> int:
    """Return the number of uses that count.

    States and spawned seeds for NumPy come from different children, which ``fold_in`` does not return either.
    """
    kinds = [kind for kind, *_ in places]
    samples = kinds.count(_SAMPLE) + kinds.count(_SHUFFLE)
    seeds = max(kinds.count(_STATE), kinds.count(_SPAWN))
    return max(samples + kinds.count(_DIRECT) + kinds.count(_SPLIT) + seeds, samples + kinds.count(_FOLD))


def _error(key: Key, places: tuple[Place, ...]) -> KeyReuseError:
    times = "twice" if len(places) == 2 else f"{len(places)} times"
    words = ("first used", *["used again"] * (len(places) - 1))
    lines = "\n".join(
        f"  {used} at {file}:{line}, by {name}" for used, (_, name, file, line) in zip(words, places, strict=True)
    )
    return KeyReuseError(
        f"{key!r} is used {times}:\n{lines}\n"
        "keyrng.split(key) makes keys to use instead; keyrng.clone(key) says that the same bits are meant"
    )


def _names(key: Key) -> list[bytes]:
    """Return the identity of each key: algorithm and words."""
    kind, words = _kind(key._algorithm), CPU.receive(key._words)
    data, size = words.tobytes(), words.itemsize * words.shape[-1]
    return [kind + data] if words.ndim == 1 else [kind + data[i : i + size] for i in range(0, len(data), size)]


@cache
def _kind(algorithm: Algorithm) -> bytes:
    return algorithm.name.encode() + b"\0"


# The active checks; the lock protects their records.

_records: list[_Record] = []
_lock = threading.Lock()


def _new_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)  # the holding thread does not exist in the child


def _begin() -> _Record:
    record = _Record()
    with _lock:
        if not _records:
            _exchange(True)
        _records.append(record)
    return record


def _end(record: _Record) -> None:
    with _lock:
        _records.remove(record)
        if not _records:
            _exchange(False)


# The functions, and their code during a check


class _Thread(threading.local):
    inside = False  # whether a watched function is running; its inner calls are not recorded


_thread = _Thread()


def _exchange(on: bool) -> None:
    native.pause_entries(on, native.KEY_REUSE)
    for function, original, code in _functions():
        function.__code__ = code if on else original.__code__
        if on:
            function.__dict__["__wrapped__"] = original  # for inspect.signature
        else:
            del function.__dict__["__wrapped__"]


@cache
def _functions() -> list[tuple[Any, FunctionType, CodeType]]:
    """Return each function with a copy of it and with the code for a check."""
    found: list[Any] = [
        draw.sample_kernel,
        draw.sample_complex_kernel,
        dropout,
        dropout_mask,
        derive.split,
        derive.fold_in,
        derive.clone,
        derive.bit_generator,
        Key.generate_state,
        Key.spawn,
    ]
    found += [getattr(distributions, name) for name in distributions.__all__]
    # Functions wrapped by `in_default_fpenv` are unwrapped, because all wrappers share one code object.
    return [(function, *_exchanged(function)) for function in map(unwrap, found)]


def _exchanged(function: Any) -> tuple[FunctionType, CodeType]:
    code: CodeType = function.__code__
    original = FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
    original.__kwdefaults__, original.__annotations__ = function.__kwdefaults__, function.__annotations__
    run = _runner(function.__name__, original, code.co_varnames.index("key" if "key" in code.co_varnames else "self"))
    watched = _watched.__code__
    constants = tuple(run if constant == "run" else constant for constant in watched.co_consts)
    return original, watched.replace(co_name=code.co_name, co_qualname=code.co_qualname, co_consts=constants)


def _watched(*args: Any, **kwargs: Any) -> Any:
    """The code for a check; it refers to a constant, because it runs with the globals of another module."""
    run: Any = "run"
    return run(args, kwargs)


def _runner(name: str, function: FunctionType, position: int) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function that runs the original and records the use of its key."""

    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = args[position] if len(args) > position else kwargs.get("key")
        if _thread.inside or not isinstance(key, Key):
            return function(*args, **kwargs)
        _thread.inside = True
        try:
            result = function(*args, **kwargs)
            frame = _caller(sys._getframe(2))
            if name == "clone":
                _note_clone(key)
            elif name == "fold_in":
                _note_fold(key, args[1] if len(args) > 1 else kwargs["data"], result, frame, function)
            else:
                _note(key, _kind_of(name, key, args, result), name, frame)
                if name == "split":
                    _note_children(key, result)
        finally:
            _thread.inside = False
        return result

    return run


def _kind_of(name: str, key: Key, args: tuple[Any, ...], result: object) -> int:
    """Return the kind of a use."""
    if name in _KINDS or key._algorithm.jax_layout:
        return _KINDS.get(name, _SAMPLE)
    if name == "sample_kernel":
        return _SAMPLE if _splits(args[0] if args else None) else _DIRECT
    is_complex = getattr(getattr(result, "dtype", None), "kind", "") == "c"
    return _DIRECT if name in _WITHOUT_CHILDREN and not is_complex else _SAMPLE


def _splits(kernel: object) -> bool:
    """Whether a kernel may split its lane: it, or a function that it refers to, contains the name split."""
    waiting, seen = [kernel], set()
    while waiting:
        function = waiting.pop()
        if isinstance(function, Kernel):
            function = function.function
        if not isinstance(function, FunctionType) or "split" in function.__code__.co_names:
            return True
        seen.add(function)
        named = [function.__globals__.get(name) for name in function.__code__.co_names]
        named += [cell.cell_contents for cell in function.__closure__ or ()]
        waiting += [f for f in named if isinstance(f, (FunctionType, Kernel)) and f not in seen]
    return False


def _caller(frame: FrameType) -> FrameType:
    """Return the frame that called a function, wrapped or not."""
    outer = frame.f_back if frame.f_globals.get("__name__") == in_default_fpenv.__module__ else frame
    return outer or frame


def _note(key: Key, kind: int, name: str, frame: FrameType | None) -> None:
    names = _names(key)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    place = (kind, name, frame.f_code.co_filename, frame.f_lineno) if frame is not None else (kind, name, "", 0)
    with _lock:
        for record in _records:
            record.use(key, names, place)


def _note_fold(key: Key, data: Any, result: Key, frame: FrameType, fold_in: Callable[..., Key]) -> None:
    _note_children(key, result)
    parts = data if isinstance(data, tuple) else (data,)
    for i, part in enumerate(parts):
        # With algorithms that separate children, samples are not related to named children.
        if key._algorithm.jax_layout or not isinstance(part, (str, bytes)):
            _note(key, _FOLD, "fold_in", frame)
        if i + 1 < len(parts):
            key = fold_in(key, part)


def _note_children(key: Key, children: Key) -> None:
    if any(record.limits for record in _records):
        names, own = _names(key), _names(children)
        with _lock:
            for record in _records:
                record.pass_on(names, own)


def _note_clone(key: Key) -> None:
    with _lock:
        for record in _records:
            record.permit(_names(key))


_wanted = os.environ.get("KEYRNG_DEBUG_REUSE", "")
if _wanted not in ("", "0", "1"):
    raise ValueError(f"KEYRNG_DEBUG_REUSE must be 0, 1 or unset, got {_wanted!r}; type: unset KEYRNG_DEBUG_REUSE")
_whole_run = _begin() if _wanted == "1" else None


def end_check_of_run() -> None:
    """End the check started by the environment variable: keyrng's commands reuse keys to compare samples."""
    if _whole_run in _records:
        _end(_whole_run)
