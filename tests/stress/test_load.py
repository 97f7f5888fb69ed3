"""Short forms of the load and soak tests: nothing fails, no request overtakes another, nothing leaks."""

import asyncio

import pytest

from stress import load, soak
from stress.clients import Asked, serving_stand_ins


@pytest.mark.slow(reason="It starts two servers and keeps one under load for four seconds.")
def test_many_simultaneous_questions_and_searches_are_served_or_refused_as_busy() -> None:
    figures = asyncio.run(load.measure(seconds=3, warm=1, askers=40, rate=100, advance=lambda _: None))
    assert figures["questions answered"] > 0
    assert figures["searches served"] > 0
    # Memory and times are measured by the long forms, on an idle machine.
    faults = set(load.find_faults(figures)) - {"memory grew", "a place was held for a disconnected client"}
    assert faults == set()
    assert figures["seconds until the place of a disconnected client is free"] < 10


def test_hundreds_of_questions_leave_nothing_behind() -> None:
    with serving_stand_ins(0) as server:
        figures = asyncio.run(soak.soak(server, load.QUESTIONS, 200, lambda _: None))
    assert figures["questions answered"] == 180
    assert set(soak.find_faults(figures)) <= {"memory grew"}


def test_a_question_queued_before_another_was_sent_and_answered_after_it_was_overtaken() -> None:
    first, second = Asked(sent=1, queued=2, done=9), Asked(sent=3, queued=4, done=8)
    assert load.count_overtaken([first, second]) == 1
    assert load.count_overtaken([Asked(sent=1, queued=2, done=7), second]) == 0
    assert load.count_overtaken([Asked(sent=1, queued=4, done=9), second]) == 0
