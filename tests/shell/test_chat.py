"""`rag chat`: one question after another, on a terminal and from a pipe."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from rag.shell.options import ANSWERED
from tests.command_line import QUESTION, start

pytestmark = pytest.mark.usefixtures("home")

ANSWER = "It cost nine million. [1]"
PATIENCE = 60.0
"""Seconds to wait for expected output."""


class Terminal:
    """A user at a terminal with `rag chat`, who waits for output before typing on."""

    def __init__(self, generator: str) -> None:
        self.ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm"}
        streams: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
        self.process = start(f"(['chat'], load_with({generator}))", env=environment, **streams)
        os.close(theirs)
        self.shown = b""

    def wait_for(self, words: str) -> str:
        """Read until these words appear, and return what was shown before them."""
        assert self.appears(words, PATIENCE), f"{words!r} did not appear, only {self.shown!r}"
        read, self.shown = self.shown.split(words.encode(), 1)
        return read.decode()

    def appears(self, words: str, seconds: float) -> bool:
        """Return whether these words appear in time."""
        end = time.monotonic() + seconds
        while words.encode() not in self.shown:
            if not select.select([self.ours], [], [], max(end - time.monotonic(), 0))[0]:
                return False
            self.shown += os.read(self.ours, 4096)
        return True

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def leave(self) -> int:
        """Press Ctrl-D and return the exit code."""
        self.type("\x04")
        return self.process.wait(60)

    def close(self) -> None:
        """End the process if it is still running."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


OpenChat = Callable[[str], Terminal]


@pytest.fixture
def open_chat(request: pytest.FixtureRequest) -> OpenChat:
    def open_chat(generator: str) -> Terminal:
        terminal = Terminal(generator)
        request.addfinalizer(terminal.close)
        return terminal

    return open_chat


def test_questions_are_answered_one_after_another_until_ctrl_d(open_chat: OpenChat) -> None:
    terminal = open_chat("ScriptedGenerator('It cost nine million.')")
    for _ in range(2):
        terminal.wait_for("› ")
        terminal.type(f"{QUESTION}\n")
        terminal.wait_for("Sources")
        terminal.wait_for("harbour.txt")
    terminal.wait_for("› ")
    assert terminal.leave() == ANSWERED


def test_ctrl_c_stops_an_answer_and_the_next_question_is_answered(open_chat: OpenChat) -> None:
    terminal = open_chat("ScriptedGenerator('It went on ' + 'and on ' * 50, 'It cost nine million.', pause=0.2)")
    terminal.wait_for("› ")
    terminal.type(f"{QUESTION}\n")
    terminal.wait_for("and on")
    terminal.interrupt()
    terminal.wait_for("Stopped.")
    terminal.wait_for("› ")
    terminal.type(f"{QUESTION}\n")
    terminal.wait_for("nine million in the end")
    terminal.wait_for("› ")
    assert terminal.leave() == ANSWERED


def test_words_about_one_article_stay_visible_while_the_next_is_read(open_chat: OpenChat) -> None:
    terminal = open_chat("ScriptedGenerator('It cost nine million\\x1b.', 'Pears ' + 'and on ' * 50, pause=0.2)")
    terminal.wait_for("› ")
    terminal.type(f"{QUESTION}\n")
    terminal.wait_for("orchard.txt: Pears")
    # Everything is drawn again with each word.
    drawn = terminal.wait_for("orchard.txt: Pears and")
    assert "It cost nine million\ufffd." in drawn


def test_ctrl_c_discards_the_line_being_typed(open_chat: OpenChat) -> None:
    terminal = open_chat("ScriptedGenerator('It cost nine million.')")
    terminal.wait_for("› ")
    terminal.type("What did the")
    terminal.wait_for("What did the")
    terminal.interrupt()
    # Python loses a signal that arrives just before readline waits for keys. A user would press again.
    for _ in range(10):
        if terminal.appears("› ", 2):
            break
        terminal.interrupt()
    assert "Sources" not in terminal.wait_for("› ")
    assert terminal.leave() == ANSWERED


def converse(lines: str, generator: str) -> tuple[int, str, str]:
    """Chat through pipes, and return the exit code, standard output and standard error."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with start(f"(['chat'], load_with({generator}))", **pipes) as process:
        out, err = process.communicate(lines, 60)
    return process.returncode, out, err


def test_from_a_pipe_each_line_is_a_question_and_only_answers_are_printed() -> None:
    code, out, err = converse(f"{QUESTION}\n\n{QUESTION}\n", "ScriptedGenerator('It cost nine million.')")
    assert (code, err) == (ANSWERED, "")
    assert out.count(ANSWER) == 2
    assert out.startswith(ANSWER)


def test_a_follow_up_is_completed_by_the_question_before_it() -> None:
    lines = "What has the harbour cost in the end?\nWhen was it opened?\n"
    _, together, _ = converse(lines, "ScriptedGenerator('It opened in May.')")
    _, alone, _ = converse("When was it opened?\n", "ScriptedGenerator('It opened in May.')")
    assert "harbour.txt" in together.split("It opened in May. [1]")[-1]
    assert together != alone


def test_a_question_that_fails_does_not_end_the_chat() -> None:
    long = "why " * 1000
    code, out, err = converse(f"{long}\n{QUESTION}\n", "ScriptedGenerator('It cost nine million.')")
    assert code == ANSWERED
    assert "at most 2000 are accepted" in err
    assert ANSWER in out
