"""Signal handling: Ctrl-C and SIGTERM keep what was learned and leave no unfinished file."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

from autograd.cli.output import say

SIGNALS = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
"""The signals that end a program; Windows has no SIGHUP."""

PAUSE = 1.0
"""For how many seconds after one interrupt the next is only noted: time to put things in order."""


class Interrupts:
    """Turns the signals that end a program into `KeyboardInterrupt`, one at a time.

    Attributes:
        received: the number of the last signal, or None.
        saved: the file with the trained model, once it is written.
        nothing: the message if there is no such file.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.saved: Path | None = None
        self.nothing = "nothing was written"
        self._held = self._pending = False
        self._raised = -PAUSE
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as it is under nohup
                with suppress(ValueError):  # not in the main thread, which has them all
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self.received = number
        if self._held or time.monotonic() < self._raised + PAUSE:
            self._pending = self._held
            return
        self._raised = time.monotonic()
        raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Defer signals to the end of the block."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    @property
    def code(self) -> int:
        """The exit code: 128 plus the number of the signal, or 0 without one."""
        return 0 if self.received is None else 128 + self.received

    @property
    def kept(self) -> str:
        """The message that says where the model so far is saved, or that nothing was saved."""
        return f"what was learned is kept in {self.saved}" if self.saved else self.nothing

    def tell(self) -> None:
        """Print that the command was interrupted, and what has been saved."""
        say("", f"interrupted; {self.kept}", file=sys.stderr)
