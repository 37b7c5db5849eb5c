"""Rate limits in Redis or Valkey, shared by processes and hosts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_control._shared import Shared
from langchain_control.stores.in_memory_rates import InMemoryRateStore
from langchain_control.stores.rates import ROUNDING_SECONDS, Demand, Denial, Grant, denied
from langchain_control.stores.redis_link import RedisLink

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RedisRateStore"]

LONGEST_MILLISECONDS = 100 * 366 * 86_400_000
"""A century. Redis refuses times that do not fit into its clock, after the key was written."""

SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or (tonumber(time[1]) + tonumber(time[2]) / 1000000)
local max_wait, giving_back, turn = tonumber(ARGV[2]), ARGV[3] ~= '', tonumber(ARGV[3])
local ahead = tonumber(redis.call('HGET', KEYS[1], ':now') or now) - now
if ahead > 0 then
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    redis.call('HINCRBYFLOAT', KEYS[1], name, string.format('%.6f', -ahead))
  end
end
local longest, tightest, idle, last, arrivals = 0, 0, now, now, {}
for i = 0, (#ARGV - 3) / 4 - 1 do
  local name = ARGV[4 + 4 * i]
  local amount, rate, burst =
    tonumber(ARGV[5 + 4 * i]), tonumber(ARGV[6 + 4 * i]), tonumber(ARGV[7 + 4 * i])
  local arrival = math.max(tonumber(redis.call('HGET', KEYS[1], name) or now), now)
  local after = arrival + (giving_back and -amount or amount) / rate
  arrivals[#arrivals + 1] = name
  arrivals[#arrivals + 1] = string.format('%.6f', after)
  idle, last = math.max(idle, after), math.max(last, arrival - burst / rate)
  local wait = after - burst / rate - now
  if wait > math.max(longest, ROUNDING) then longest, tightest = wait, i + 1 end
end
local others_wait = turn and last - now > ROUNDING and math.abs(last - turn) > ROUNDING
if not others_wait and (giving_back or longest <= max_wait) then
  if #arrivals > 0 then
    redis.call('HSET', KEYS[1], ':now', string.format('%.6f', now), unpack(arrivals))
    redis.call('PEXPIRE', KEYS[1], math.min(math.ceil((idle - now) * 1000) + 1000, LONGEST))
  end
  tightest = 0
end
return {tightest, string.format('%.6f', longest), string.format('%.6f', now + longest)}
""".replace("ROUNDING", f"{ROUNDING_SECONDS:.6f}").replace("LONGEST", f"{LONGEST_MILLISECONDS}")
"""The generic cell rate algorithm of `virtual_schedule`, for all demands or none; to give back,
with `others_wait`.

`:now` is when it was last run: if that lies ahead, the server's clock was set back meanwhile, and
what was taken moves with it.
"""

ANYWAY = "anyway"
"""Stands where a turn would, for room that comes back whoever waits."""


class RedisRateStore(Shared):
    """Keep rate limits in Redis or Valkey: one atomic step each, on the server's time.

    Redis away: each process limits by itself, at the full rate, until the server answers again.

    Operations are synchronous. On an event loop a round trip blocks for its duration, at most
    `timeout_seconds`.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "langchain-control:rate:",
        timeout_seconds: float = 0.05,
        away_seconds: float = 1.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Connect when first asked.

        Args:
            url: Of the server, as redis-py reads it.
            prefix: Of all keys.
            timeout_seconds: How long a round trip may take. Nothing is tried twice.
            away_seconds: How long a server that did not answer is left alone.
            clock: Time in seconds instead of the server's. For tests.

        Raises:
            ImportError: The extra `redis` is not installed.
            ValueError: `url` is none of a server, or a time is out of its range.
        """
        self._url, self._prefix, self._clock = url, prefix, clock
        self._timeout_seconds, self._away_seconds = timeout_seconds, away_seconds
        self._link = RedisLink(
            url,
            SCRIPT,
            timeout_seconds=timeout_seconds,
            away_seconds=away_seconds,
        )
        self._local = InMemoryRateStore()

    @property
    def is_away(self) -> bool:
        """Whether the server did not answer lately, so that limits are kept locally."""
        return self._link.is_away

    def take(
        self, key: str, demands: tuple[Demand, ...], max_wait_seconds: float
    ) -> Grant | Denial:
        """Take room for all demands, or for none if one would wait too long."""
        reply = self._run(key, demands, max_wait_seconds)
        if reply is None:
            return self._local.take(key, demands, max_wait_seconds)
        tightest, wait_seconds = reply[0], float(reply[1])
        if tightest:
            return denied(demands[tightest - 1], wait_seconds, max_wait_seconds)
        return Grant(wait_seconds, float(reply[2]) if wait_seconds else 0.0)

    def give_back(self, key: str, demands: tuple[Demand, ...], turn: float | None = None) -> None:
        """Return room that was not needed, unless others wait behind its turn."""
        if self._run(key, demands, 0.0, ANYWAY if turn is None else turn) is None:
            self._local.give_back(key, demands, turn)

    def close(self) -> None:
        """Close the connections. Asking again opens them again."""
        self._link.close()

    def _run(
        self,
        key: str,
        demands: tuple[Demand, ...],
        max_wait_seconds: float,
        given_back: float | str = "",
    ) -> Any:
        now = "" if self._clock is None else repr(self._clock())
        numbers = (part for demand in demands for part in demand)
        return self._link.ask([self._prefix + key], [now, max_wait_seconds, given_back, *numbers])

    def __repr__(self) -> str:
        """Show where it is kept, without credentials."""
        return f"RedisRateStore({self._link.address!r}, prefix={self._prefix!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a store of the same server: limits are there."""
        rebuild = partial(
            RedisRateStore,
            self._url,
            prefix=self._prefix,
            timeout_seconds=self._timeout_seconds,
            away_seconds=self._away_seconds,
        )
        return rebuild, ()
