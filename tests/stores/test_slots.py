"""Places: entered, waited for, and left."""

import asyncio
import threading

import pytest

from langchain_control.stores import slots as module
from langchain_control.stores.slots import Slots, Ticket


def test_a_place_is_given_back_once():
    """Leaving twice does not free the place of another."""
    slots = Slots()
    first, _ = (slots.enter("key", places=2, queue=0) for _ in range(2))
    slots.leave(first)
    slots.leave(first)
    assert slots.inside("key") == 1


def test_leaving_twice_does_not_admit_two():
    """One place that becomes free is one turn."""
    slots = Slots()
    first, second, third = (slots.enter("key", places=1, queue=2) for _ in range(3))
    slots.leave(first)
    slots.leave(first)
    assert second.is_admitted
    assert not third.is_admitted


@pytest.mark.parametrize("queue", [0, 1])
def test_the_last_to_leave_may_leave_twice(queue):
    """What is empty stays empty, inside and in the queue."""
    slots = Slots()
    tickets = [slots.enter("key", places=1, queue=queue) for _ in range(1 + queue)]
    for ticket in 2 * tickets[::-1]:
        slots.leave(ticket)
    assert slots.inside("key") == slots.waiting("key") == 0


@pytest.mark.parametrize("behind", [0, 1])
def test_a_waiter_whose_loop_is_closed_passes_its_turn_on(behind):
    """To the next in the queue, or to nobody; also when it leaves after all."""
    slots = Slots()
    inside = slots.enter("key", places=1, queue=2)
    gone = slots.enter("key", places=1, queue=2)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(gone.await_turn(60))
    waiting._log_destroy_pending = False
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    following = [slots.enter("key", places=1, queue=2) for _ in range(behind)]

    assert not waiting.done()
    for leaving in (inside, gone):
        slots.leave(leaving)
        assert [ticket.is_admitted for ticket in following] == [True] * behind
        assert slots.inside("key") == behind
        assert slots.waiting("key") == 0


@pytest.mark.parametrize("abandoned", [0, 1])
def test_a_waiter_may_leave_while_its_thread_holds_the_lock(abandoned, monkeypatch):
    """The garbage collector closes it wherever it runs, also where a ticket is made."""
    slots, entered = Slots(), []
    before = [slots.enter("key", places=1, queue=2) for _ in range(2)]

    class Collecting(Ticket):
        def __init__(self, *args):
            super().__init__(*args)
            slots.leave(before[abandoned])

    def enter():
        entered.append(slots.enter("key", places=1, queue=2))

    monkeypatch.setattr(module, "Ticket", Collecting)
    entering = threading.Thread(target=enter, daemon=True)
    entering.start()
    entering.join(timeout=10)

    assert not entering.is_alive()
    assert (slots.inside("key"), slots.waiting("key")) == (1, 1)
    slots.leave(before[1 - abandoned])
    assert entered[0].is_admitted


def test_one_who_leaves_while_another_thread_holds_the_lock_has_left():
    """Whoever asks next finds the place free."""
    slots = Slots()
    ticket = slots.enter("key", places=1, queue=0)
    with slots._lock:
        leaving = threading.Thread(target=slots.leave, args=[ticket], daemon=True)
        leaving.start()
        leaving.join(timeout=10)
        assert not leaving.is_alive()
    assert slots.enter("key", places=1, queue=0).is_admitted
