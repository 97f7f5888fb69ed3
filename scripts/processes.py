"""Run commands, show their progress, and leave none of them running after Ctrl-C."""

# ruff: noqa: T201 - this is a command line

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
    """Print a line at once."""
    print(text, flush=True)


def watch(
    command: Sequence[str], label: str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run a command and return its exit code and its last lines of output.

    With a label, show a status line and collect all output. Without one, collect only what it writes to standard error.
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
    """The elapsed time and progress of a command: one changing line on a terminal, else a line every 30 seconds."""

    def __init__(self, label: str | None) -> None:
        self.label = label
        self.counter = ""
        """Progress as Ninja prints it, such as `[69/140]`."""
        self.terminal = sys.stdout.isatty()
        self.started = self.shown = time.monotonic()

    def show(self) -> None:
        """Print the status, unless it was printed a moment ago."""
        now = time.monotonic()
        if self.label and now - self.shown >= (0.5 if self.terminal else 30):
            minutes, seconds = divmod(int(now - self.started), 60)
            line = f"  {self.label}  {minutes}:{seconds:02}  {self.counter}"
            print(f"\r\x1b[K{line}" if self.terminal else line, end="" if self.terminal else "\n", flush=True)
            self.shown = now

    def clear(self) -> None:
        """Erase the status line from a terminal."""
        if self.label and self.terminal:
            print("\r\x1b[K", end="", flush=True)


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a command. If the block ends by an error or Ctrl-C, end the command and every process that it started."""
    # In a session of its own, so that Ctrl-C arrives here first and is passed on to every process.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)  # noqa: S603
    try:
        yield child
    except BaseException:
        os.killpg(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(10)
        # Its background processes ignore SIGINT.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        raise
