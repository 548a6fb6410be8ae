"""The progress of a command, as one line on standard error that is updated, if that is a terminal."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType

_INTERVAL = 0.1  # seconds between updates


class Progress:
    """A context manager that shows the latest text and erases it at the end.

    Nothing is written if standard error is not a terminal, or ``enabled`` is False. The cursor stays in the first
    column, so that the output of another program on the same terminal, such as the reader of a pipe, replaces the text.
    """

    def __init__(self, enabled: bool = True) -> None:
        self._shown = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._next = 0.0
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._width:
            self._write("")

    def show(self, text: str) -> None:
        """Replace the text, unless the last update was a moment ago."""
        if self._shown and monotonic() >= self._next:
            self._write(text)
            self._next = monotonic() + _INTERVAL

    def _write(self, text: str) -> None:
        line, self._width = text.ljust(self._width), len(text)
        try:
            print(f"\r{line}\r", end="", file=sys.stderr, flush=True)
        except OSError:  # the terminal has been closed, which must not end the command
            self._shown = False
