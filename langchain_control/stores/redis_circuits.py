"""Circuits in Redis or Valkey, shared by processes and hosts."""

from __future__ import annotations

import json
import logging
import random
import re
import secrets
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from langchain_control._per_process import PerProcess
from langchain_control._shared import Shared
from langchain_control.circuits import Outcome, Permit
from langchain_control.circuits.machine import Circuit
from langchain_control.stores.eviction import to_forget
from langchain_control.stores.redis_link import RedisLink, within_a_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_control.circuits import CircuitRules, CircuitState, CircuitView, Refusal
    from langchain_control.circuits.machine import Moment
    from langchain_control.stores import Changes

__all__ = ["RedisCircuitStore"]

SUCCESS = Outcome.SUCCESS  # read once, see `langchain_control.circuits.machine`

T = TypeVar("T")
_State: TypeAlias = dict[str, Any]
_ByHand: TypeAlias = "Callable[[Circuit, float], Changes]"

SWAP = """
local version = redis.call('HGET', KEYS[1], 'version') or ''
local time = redis.call('TIME')
local swapped = 0
if ARGV[2] ~= '' and version == ARGV[1] then
  if version == '' then version = time[1] .. string.format('%06d', time[2]) end
  version = string.format('%.0f', version + 1)
  redis.call('HSET', KEYS[1], 'version', version, 'state', ARGV[2])
  if ARGV[3] == '0' then redis.call('PERSIST', KEYS[1])
  else redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
  redis.call('PUBLISH', ARGV[4], version .. ' ' .. #KEYS[1] .. ' ' .. KEYS[1] .. ARGV[2])
  swapped = 1
end
local state = redis.call('HGET', KEYS[1], 'state') or ''
return {swapped, version, state, time[1] .. '.' .. string.format('%06d', time[2])}
"""
"""Write a state if nobody else has written since, tell everybody, and return what is there now.

Versions begin with the server's microseconds, so that they differ even after the data was lost.
"""

PUSH = re.compile(rb"(\d{1,20}) (\d{1,6}) (.*)", re.DOTALL)
"""Version, length of the key, and key and state in one."""

FORGET_AFTER_SECONDS = 86_400
"""Redis forgets a circuit nobody has changed for a day, unless it is held by hand."""

MAX_TRIES = 100
"""Bounds the repetition of one operation that others keep overtaking."""

logger = logging.getLogger(__name__)


class RedisCircuitStore(Shared):
    """Keep circuits in Redis or Valkey.

    Every process has a copy of each circuit and works on it. An operation that changes nothing,
    such as a call admitted by a closed circuit or refused by an open one, makes no round trip. One
    that does is a single atomic step on the server: it takes effect only if nobody was faster,
    else it is done again on what the other has left. Changes are pushed to all processes, and
    looked for every `poll_seconds` in case a push was lost. Time is the server's.

    Redis away: the copy guards on by itself, and Redis is asked again after `away_seconds`.

    With a `FailureWindow`, each process judges by its own calls; what it decides is shared. A ramp
    is shared, too, but each process deals out its own share of calls.

    Operations are synchronous. On an event loop a round trip blocks for its duration, at most
    `timeout_seconds`, and only when a circuit changes. A forked child reads the circuits anew.
    """

    def __init__(  # noqa: PLR0913  (settings, by keyword)
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "langchain-control:circuit:",
        max_keys: int = 1024,
        timeout_seconds: float = 0.05,
        poll_seconds: float = 1.0,
        away_seconds: float = 1.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Connect when first asked for a circuit.

        Args:
            url: Of the server, as redis-py reads it.
            prefix: Of all keys, and the name of the channel for pushes.
            max_keys: Circuits to keep a copy of. Beyond, one that was not used lately is dropped,
                closed ones first; asked for again, it is read from the server.
            timeout_seconds: How long a round trip may take. Nothing is tried twice.
            poll_seconds: Age at which a copy is compared with the server's.
            away_seconds: How long a server that did not answer is left alone.
            clock: Time in seconds instead of the server's. For tests.

        Raises:
            ImportError: The extra `redis` is not installed.
            ValueError: No circuit may be kept, `url` is none of a server, or a time is out of its
                range.
        """
        if max_keys < 1:
            msg = f"`max_keys` must be at least 1, got {max_keys}"
            raise ValueError(msg)
        within_a_day(poll_seconds=poll_seconds)
        self._url, self._prefix, self._clock = url, prefix, clock
        self._max_keys = max_keys
        self._timeout_seconds, self._poll_seconds = timeout_seconds, poll_seconds
        self._away_seconds = away_seconds
        self._link = RedisLink(
            url,
            SWAP,
            timeout_seconds=timeout_seconds,
            away_seconds=away_seconds,
            channel=prefix,
            on_push=self._pushed,
        )
        self._held = PerProcess(_Copies)
        self._ahead = time.time() - time.monotonic()  # about the server's, until it says better

    def acquire(self, key: str, rules: CircuitRules) -> Permit | Refusal:
        """Admit or refuse one call."""
        copy = self._held.get().by_key.get(key)
        if copy is not None and time.monotonic() < copy.stale_at:
            copy.used = True
            permit = copy.circuit.standing_permit
            if permit is not None and rules.window is None:
                return permit
        return self._operate(key, lambda circuit, now: circuit.admit(rules, now))

    def record(
        self,
        permit: Permit,
        outcome: Outcome,
        rules: CircuitRules,
        retry_after: float | None = None,
    ) -> Changes:
        """Take the verdict of one call."""
        copy = self._held.get().by_key.get(permit.key)
        if outcome is SUCCESS and copy is not None and copy.circuit.success_tells_nothing(permit):
            return ()

        def tell(circuit: Circuit, now: float) -> Changes:
            circuit.record(permit, outcome, rules, now, retry_after)
            return circuit.take_changes()

        return self._operate(permit.key, tell)

    def hold(self, key: str, state: CircuitState) -> Changes:
        """Put a circuit into a state until `reset`."""

        def put(circuit: Circuit, now: float) -> Changes:
            circuit.hold(state, now)
            return circuit.take_changes()

        return self._by_hand(key, put)

    def reset(self, key: str) -> Changes:
        """Close a circuit and forget its past."""

        def put(circuit: Circuit, now: float) -> Changes:
            circuit.reset(now)
            return circuit.take_changes()

        return self._by_hand(key, put)

    def view(self, key: str, rules: CircuitRules) -> CircuitView:
        """Describe one circuit."""
        return self._operate(key, lambda circuit, now: circuit.view(rules, now))

    def keys(self) -> tuple[str, ...]:
        """Name the circuits that this process has used."""
        held = self._held.get()
        with held.lock:
            return tuple(held.by_key)

    @property
    def is_away(self) -> bool:
        """Whether the server did not answer lately, so that circuits are kept locally."""
        return self._link.is_away

    def close(self) -> None:
        """Close the connections and stop listening."""
        self._link.close()

    # --- one operation ----------------------------------------------------------------------------

    def _operate(self, key: str, operation: Callable[[Circuit, float], T]) -> T:
        """Work on the copy; if that changed it, make it so on the server."""
        copy = self._copy(key)
        with copy.lock:
            if time.monotonic() >= copy.stale_at:
                self._look(copy)
            return self._done(copy, operation)

    def _by_hand(self, key: str, operation: _ByHand) -> Changes:
        """Do what a person decided; where the server is away, tell it when it answers again."""
        copy = self._copy(key)
        with copy.lock:
            copy.untold = None  # what was decided before does not count any more
            changes = self._done(copy, operation)
            if not copy.was_told:
                copy.untold = operation
                logger.warning(
                    "circuit `%s` was set by hand while Redis is away; others are told when this "
                    "process uses it again",
                    key,
                )
        return changes

    def _done(self, copy: _Copy, operation: Callable[[Circuit, float], T]) -> T:
        for _ in range(MAX_TRIES):
            before = copy.circuit.moment()
            result = operation(copy.circuit, self._now())
            after = copy.circuit.dump()
            if after == before.shared or self._swap(copy, after, before):
                return result
        logger.warning("circuit `%s` is changed faster than it can be told", copy.circuit.key)
        return result

    def _look(self, copy: _Copy) -> None:
        """Take over what is on the server, and tell what it was not told."""
        answer = self._ask(copy, None)
        if answer is None:
            return
        self._take_over(copy, answer)
        if copy.untold is not None:
            self._done(copy, copy.untold)

    def _swap(self, copy: _Copy, state: _State, before: Moment) -> bool:
        """Write a state, or undo it and take over what somebody else has written meanwhile."""
        answer = self._ask(copy, state)
        copy.was_told = answer is not None
        if answer is None:  # away: what the copy says goes
            return True
        if answer.swapped:
            copy.version = answer.version
            copy.untold = None
            return True
        copy.circuit.rewind(before)
        self._take_over(copy, answer)
        return False

    def _ask(self, copy: _Copy, state: _State | None) -> _Answer | None:
        copy.stale_at = time.monotonic() + self._poll_seconds
        reply = self._link.ask(
            [self._prefix + copy.circuit.key],
            [
                copy.version,
                "" if state is None else json.dumps(state),
                0 if state and state["held"] else FORGET_AFTER_SECONDS * 1000,
                self._prefix,
            ],
        )
        if reply is None:
            return None
        self._ahead = float(reply[3]) - time.monotonic()
        return _Answer(bool(reply[0]), reply[1].decode(), reply[2].decode())

    def _take_over(self, copy: _Copy, answer: _Answer) -> None:
        if answer.state and answer.version != copy.version:
            self._load(copy, answer.state)
        elif not answer.state and copy.version:  # the server has lost its data
            copy.circuit = self._new(copy.circuit.key)
        copy.version = answer.version

    def _pushed(self, message: bytes) -> None:
        """Take over a change made in another process."""
        push = PUSH.fullmatch(message)
        if push is None:
            return
        version, length, rest = push.groups()
        name, state = rest[: int(length)], rest[int(length) :]
        copy = self._held.get().by_key.get(
            name.decode(errors="surrogatepass").removeprefix(self._prefix)
        )
        if copy is None:
            return
        with copy.lock:
            if int(version) > int(copy.version or 0):
                self._load(copy, state)
                copy.version = version.decode()

    def _load(self, copy: _Copy, state: str | bytes) -> None:
        """Take over a state, and do again what was done by hand and nobody else has heard of."""
        _load(copy.circuit, state)
        if copy.untold is not None:
            copy.untold(copy.circuit, self._now())

    def _copy(self, key: str) -> _Copy:
        held = self._held.get()
        with held.lock:
            copy = held.by_key.get(key)
            if copy is None:
                if len(held.by_key) >= self._max_keys:
                    del held.by_key[to_forget(held.by_key)]
                copy = held.by_key[key] = _Copy(self._new(key))
            copy.used = True
            return copy

    def _new(self, key: str) -> Circuit:
        return Circuit(key, now=self._now(), numbers=_numbers().__next__, uniform=random.random)

    def _now(self) -> float:
        """Return the server's time, as far ahead of ours as it was when it last answered."""
        return self._clock() if self._clock is not None else time.monotonic() + self._ahead

    def __repr__(self) -> str:
        """Show where it is kept, without credentials."""
        return f"RedisCircuitStore({self._link.address!r}, prefix={self._prefix!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a store of the same server: circuits are there."""
        rebuild = partial(
            RedisCircuitStore,
            self._url,
            prefix=self._prefix,
            max_keys=self._max_keys,
            timeout_seconds=self._timeout_seconds,
            poll_seconds=self._poll_seconds,
            away_seconds=self._away_seconds,
        )
        return rebuild, ()


class _Copies:
    """This process's copies."""

    def __init__(self) -> None:
        self.by_key: dict[str, _Copy] = {}
        self.lock = threading.Lock()


class _Copy:
    """This process's copy of one circuit."""

    __slots__ = ("circuit", "lock", "stale_at", "untold", "used", "version", "was_told")

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.lock = threading.Lock()
        self.stale_at = 0.0
        self.used = True
        self.version = ""
        self.was_told = True
        self.untold: _ByHand | None = None

    @property
    def is_closed(self) -> bool:
        return self.circuit.is_closed


class _Answer(NamedTuple):
    swapped: bool
    version: str
    state: str


def _load(circuit: Circuit, state: str | bytes) -> None:
    """Take over a state, or leave it where it cannot be read: the next change replaces it."""
    try:
        circuit.load(json.loads(state))
    except (ValueError, KeyError, TypeError):
        logger.warning("what the server holds as circuit `%s` cannot be read", circuit.key)


def _numbers() -> Iterator[int]:
    """Draw numbers that no process has drawn before, exact in JSON.

    The first is 0: workers that have not heard of each other yet agree on the first generation.
    """
    yield 0
    while True:
        yield secrets.randbits(53)
