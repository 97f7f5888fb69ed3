"""The queue for the generator is fair, and a caller that leaves does not hold it up."""

import threading
import time

from rag.generation.queue import FairQueue


def test_callers_are_served_in_order_and_told_their_place() -> None:
    queue = FairQueue()
    places_of: dict[int, list[int]] = {}
    served: list[int] = []

    def wait(number: int) -> None:
        with queue.join() as places:
            places_of[number] = list(places)
            served.append(number)

    with queue.join() as places:
        assert list(places) == []
        threads = []
        for number in (1, 2, 3):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while queue.length < number + 1:
                time.sleep(0.001)
    for thread in threads:
        thread.join(timeout=5)
    assert served == [1, 2, 3]
    assert set(places_of[1]) == {1}
    assert places_of[3][0] == 3
    assert places_of[3] == sorted(places_of[3], reverse=True)


def test_a_waiting_caller_is_told_regularly_so_that_it_can_leave() -> None:
    queue = FairQueue()
    with queue.join(), queue.join() as places:
        assert [next(places), next(places)] == [1, 1]
    assert queue.length == 0


def test_a_caller_that_leaves_before_its_turn_lets_the_others_move_up() -> None:
    queue = FairQueue()
    with queue.join():
        with queue.join() as impatient:
            assert next(impatient) == 1
        with queue.join() as patient:
            assert next(patient) == 1


def test_a_failure_frees_the_place() -> None:
    queue = FairQueue()
    try:
        with queue.join():
            raise ValueError("the generator failed")
    except ValueError:
        pass
    with queue.join() as places:
        assert list(places) == []


def test_with_a_greater_capacity_several_are_served_at_once_in_order() -> None:
    queue = FairQueue(2)
    with queue.join() as first, queue.join() as second, queue.join() as third, queue.join() as fourth:
        assert list(first) == list(second) == []
        assert (next(third), next(fourth)) == (1, 2)
    assert queue.length == 0
