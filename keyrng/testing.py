"""For tests of code that uses keyrng, and of keyrng: force an executor. No value depends on it.

Must not import a sampler.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyrng._given import shown
from keyrng.backends import compiled


def backends() -> list[str]:
    """The CPU executors this machine has: ``"numpy"`` and each instruction set of the compiled part.

    >>> import keyrng.testing
    >>> keyrng.testing.backends()[0]
    'numpy'
    """
    return ["numpy", *compiled.instruction_sets()]


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Run everything inside the ``with`` on one executor; ValueError if it is not one of `backends`.

    It holds for the whole process, so it is for tests and benchmarks, not for threads side by side.

    >>> import keyrng, keyrng.testing
    >>> with keyrng.testing.backend("numpy"):
    ...     slow = keyrng.normal(keyrng.key(0), (3,))
    >>> bool((slow == keyrng.normal(keyrng.key(0), (3,))).all())
    True
    """
    if name not in backends():
        raise ValueError(f"backend is one of {', '.join(backends())}, got {shown(name)}")
    before = compiled.enabled
    instructions = compiled.instruction_set() if compiled.instruction_sets() else None
    compiled.enable(name != "numpy")
    try:
        if name != "numpy":
            compiled.instruction_set(name)
        yield
    finally:
        compiled.enable(before)
        if instructions is not None:
            compiled.instruction_set(instructions)
