"""When the runs of an agent must have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_control.middleware.agent_run import AgentRun
from langchain_control.middleware.invocations import PerInvocation

__all__ = ["RunDeadlines"]


class RunDeadlines:
    """The deadlines of runs, each in the invocation of the graph in which it goes on.

    A run waits, for a person or at a breakpoint, by ending the invocation that it was in. What goes
    on in another one begins its time anew, whoever paused it. An invocation stays in its process,
    so the deadlines need no place in the state.
    """

    def __init__(self, allowed_seconds: float | None, clock: Callable[[], float]) -> None:
        """Take how long a run may take; `None` sets no limit."""
        self._allowed, self._clock = allowed_seconds, clock
        self._by_invocation = PerInvocation()

    def begin(self, runtime: Any, run: AgentRun) -> None:
        """Count the time of a run from its start."""
        if self._allowed is not None:
            self._by_invocation.of(runtime)[_key(run)] = run["started"] + self._allowed

    def of(self, runtime: Any, run: AgentRun) -> float | None:
        """Return when a run must have ended, in seconds since the epoch; `None` without a limit.

        Args:
            runtime: LangGraph's or a tool's.
            run: One of those that are in the invocation: it may have several, of one request even,
                as where an agent asks another one that shares its middleware.
        """
        if self._allowed is None:
            return None
        now_on = self._clock() + self._allowed
        ends: float = self._by_invocation.of(runtime).setdefault(_key(run), now_on)
        return ends

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the runs: an invocation stays in its process."""
        return RunDeadlines, (self._allowed, self._clock)


def _key(run: AgentRun) -> tuple[str, float]:
    return run["request_id"], run["started"]
