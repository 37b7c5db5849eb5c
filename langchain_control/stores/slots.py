"""Places for a bounded number of calls at a time, with a bounded queue in front."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Slots", "Ticket"]


class Ticket:
    """A place, or the wait for one. Hand it back through `Slots.leave`, whatever becomes of it."""

    __slots__ = ("_is_gone", "_turn", "has_left", "key", "room")

    has_left: bool
    """For the owner: whether it was handed back."""

    def __init__(self, key: str, room: _Room) -> None:
        """Begin to wait."""
        self.key, self.room = key, room
        self.has_left = self._is_gone = False
        self._turn: Future[None] = Future()

    @property
    def is_admitted(self) -> bool:
        """Whether the wait is over."""
        return self._turn.done()

    def admit(self) -> bool:
        """End the wait; return whether anybody can still be told so."""
        self._turn.set_result(None)  # wakes whoever waits before it returns
        return not self._is_gone

    def wait(self, seconds: float) -> bool:
        """Wait in a thread; return whether it was one's turn in time."""
        try:
            self._turn.result(timeout=seconds)
        except FutureTimeoutError:
            return False
        return True

    async def await_turn(self, seconds: float) -> bool:
        """Wait in a task; return whether it was one's turn in time."""
        if self.is_admitted:
            return True
        loop = asyncio.get_running_loop()
        turn = asyncio.Event()

        def wake(_: Future[None]) -> None:
            try:
                loop.call_soon_threadsafe(turn.set)
            except RuntimeError:  # the loop was closed, and the task with it
                self._is_gone = True

        self._turn.add_done_callback(wake)
        try:
            async with asyncio.timeout(seconds):
                await turn.wait()
        except TimeoutError:
            return self.is_admitted
        return True


class Slots(Shared):
    """Places by key, shared by the threads and tasks of one process. First come, first served.

    Leaving waits for no lock: the garbage collector may close a waiter that was abandoned, at any
    point of any thread, also of one that holds the lock. A forked child begins with all places
    free.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._rooms: dict[str, _Room] = {}
        self._leaving: deque[Ticket] = deque()

    def enter(self, key: str, *, places: int, queue: int) -> Ticket | None:
        """Take a place, or one in the queue.

        Args:
            key: Whose places.
            places: How many may be inside at a time.
            queue: How many may wait.

        Returns:
            A ticket, or `None` if the queue is full as well.
        """
        with self._locked():
            room = self._rooms.setdefault(key, _Room())
            ticket = Ticket(key, room)
            if room.inside < places:
                room.inside += 1
                ticket.admit()
            elif len(room.queue) < queue:
                room.queue.append(ticket)
            else:
                return None
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give a place to the next in the queue, or leave the queue. Counts once per ticket."""
        self._leaving.append(ticket)
        self._see_out()

    def inside(self, key: str) -> int:
        """Count who is inside."""
        with self._locked():
            room = self._rooms.get(key)
            return room.inside if room is not None else 0

    def waiting(self, key: str) -> int:
        """Count who is in the queue."""
        with self._locked():
            room = self._rooms.get(key)
            return len(room.queue) if room is not None else 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock, and see out who leaves before and meanwhile."""
        try:
            with self._lock:
                self._see_out_locked()
                yield
        finally:
            self._see_out()

    def _see_out(self) -> None:
        """Leave it to whoever holds the lock, who looks again after giving it back."""
        while self._leaving and self._lock.acquire(blocking=False):
            try:
                self._see_out_locked()
            finally:
                self._lock.release()

    def _see_out_locked(self) -> None:
        while self._leaving:
            self._leave_locked(self._leaving.popleft())

    def _leave_locked(self, ticket: Ticket) -> None:
        room = ticket.room
        if ticket.has_left or self._rooms.get(ticket.key) is not room:
            return  # the second may be: it was entered before a fork
        ticket.has_left = True
        if not ticket.is_admitted:
            room.queue.remove(ticket)
            return
        while room.queue:
            following = room.queue.popleft()
            if following.admit():
                return
            following.has_left = True
        room.inside -= 1
        if not room.inside:
            del self._rooms[ticket.key]

    def __repr__(self) -> str:
        """Show how many keys are in use."""
        return f"Slots(keys={len(self._rooms)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle empty: calls under way belong to their process."""
        return Slots, ()


class _Room:
    __slots__ = ("inside", "queue")

    def __init__(self) -> None:
        self.inside = 0
        self.queue: deque[Ticket] = deque()
