"""Running commands with something to look at meanwhile, and so that Ctrl-C leaves none of them behind."""

# ruff: noqa: T201 - it talks to a terminal

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, flush=True)


def watch(
    command: Sequence[str], label: str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run a command; return its code and the last lines that it wrote.

    With a label, all that it writes is kept and a status line shown instead; without, only its errors are kept.
    """
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if label else {"stderr": subprocess.PIPE}
    tail: deque[str] = deque(maxlen=400)
    status = Status(label)

    def read(stream: IO[str]) -> None:
        with stream:
            for line in stream:
                tail.append(line)
                if found := re.search(r"\[\d+/\d+\]", line):
                    status.counter = found[0]

    with started(command, env=environment, text=True, errors="replace", **streams) as child:
        reader = threading.Thread(target=read, args=(child.stdout or child.stderr,), daemon=True)
        reader.start()
        while child.poll() is None:
            status.show()
            time.sleep(0.1)
        reader.join()
        status.clear()
    return child.returncode, list(tail)


class Status:
    """How long something takes and how far it is: one changing line on a terminal, elsewhere a line now and then."""

    def __init__(self, label: str | None) -> None:
        self.label = label
        self.counter = ""
        """Ninja's: steps done of all steps."""
        self.terminal = sys.stdout.isatty()
        self.started = self.shown = time.monotonic()

    def show(self) -> None:
        """Show it, if it is time to."""
        now = time.monotonic()
        if self.label and now - self.shown >= (0.5 if self.terminal else 30):
            minutes, seconds = divmod(int(now - self.started), 60)
            line = f"  {self.label}  {minutes}:{seconds:02}  {self.counter}"
            print(f"\r\x1b[K{line}" if self.terminal else line, end="" if self.terminal else "\n", flush=True)
            self.shown = now

    def clear(self) -> None:
        """Take the line away."""
        if self.label and self.terminal:
            print("\r\x1b[K", end="", flush=True)


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and end it and all that it started when the block is left by an error or Ctrl-C."""
    # In a session of its own: Ctrl-C comes here first, and from here to everything that it started.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)  # noqa: S603
    try:
        yield child
    except BaseException:
        os.killpg(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(10)
        # What it started in the background does not hear SIGINT.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        raise
