"""The line in front of the generator is fair, and nobody who leaves holds it up."""

import threading
import time

from rag.generation.queue import FairQueue


def test_serves_in_order_and_tells_each_its_place() -> None:
    line = FairQueue()
    told: dict[int, list[int]] = {}
    served: list[int] = []

    def stand(number: int) -> None:
        with line.join() as places:
            told[number] = list(places)
            served.append(number)

    with line.join() as places:
        assert list(places) == []
        threads = []
        for number in (1, 2, 3):
            threads.append(threading.Thread(target=stand, args=(number,)))
            threads[-1].start()
            while line.length < number + 1:
                time.sleep(0.001)
    for thread in threads:
        thread.join(timeout=5)
    assert served == [1, 2, 3]
    assert set(told[1]) == {1}
    assert told[3][0] == 3
    assert told[3] == sorted(told[3], reverse=True)


def test_whoever_waits_is_told_again_and_again_so_that_it_can_leave() -> None:
    line = FairQueue()
    with line.join(), line.join() as places:
        assert [next(places), next(places)] == [1, 1]
    assert line.length == 0


def test_one_that_leaves_before_its_turn_lets_the_others_move_up() -> None:
    line = FairQueue()
    with line.join():
        with line.join() as impatient:
            assert next(impatient) == 1
        with line.join() as next_in_line:
            assert next(next_in_line) == 1


def test_a_failure_at_the_front_frees_the_place() -> None:
    line = FairQueue()
    try:
        with line.join():
            raise ValueError("the generator failed")
    except ValueError:
        pass
    with line.join() as places:
        assert list(places) == []


def test_several_counters_serve_as_many_at_once_still_in_order() -> None:
    line = FairQueue(2)
    with line.join() as first, line.join() as second, line.join() as third, line.join() as fourth:
        assert list(first) == list(second) == []
        assert (next(third), next(fourth)) == (1, 2)
    assert line.length == 0
