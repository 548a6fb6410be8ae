"""Select an executor, for tests; values do not depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyrng._core.arguments import short_repr
from keyrng._executors import native


def available_backends() -> list[str]:
    """Return the names of the CPU executors of this machine.

    Returns
    -------
    list of str
        ``"numpy"`` and each instruction set of the compiled part.

    See Also
    --------
    use_backend : Runs code on one of them.

    Examples
    --------
    >>> import keyrng.testing
    >>> keyrng.testing.available_backends()[0]
    'numpy'
    """
    return ["numpy", *native.instruction_sets()]


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Return a context manager in which everything runs on one CPU executor.

    Parameters
    ----------
    name : str
        A name of `available_backends`.

    Raises
    ------
    ValueError
        If ``name`` is not one of them.

    See Also
    --------
    available_backends : The names.

    Notes
    -----
    It holds for the whole process, so it is for tests and benchmarks, not for concurrent threads. No value depends on
    the executor.

    Examples
    --------
    >>> import keyrng, keyrng.testing
    >>> with keyrng.testing.use_backend("numpy"):
    ...     slow = keyrng.normal(keyrng.key(0), (3,))
    >>> bool((slow == keyrng.normal(keyrng.key(0), (3,))).all())
    True
    """
    if name not in available_backends():
        raise ValueError(f"backend must be one of {', '.join(available_backends())}, got {short_repr(name)}")
    before = native.enabled
    instructions = native.instruction_set() if native.instruction_sets() else None
    native.enable(name != "numpy")
    try:
        if name != "numpy":
            native.instruction_set(name)
        yield
    finally:
        native.enable(before)
        if instructions is not None:
            native.instruction_set(instructions)
