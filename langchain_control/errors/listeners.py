"""Errors of those who listen to a run and may stop it: nobody's failure but theirs.

What a strict listener raises may be of any type. A `TimeoutError` of its database is no timeout of
the model whose news it could not hear.
"""

from __future__ import annotations

from contextlib import contextmanager
from traceback import walk_tb
from typing import TYPE_CHECKING

from langchain_core.callbacks import manager

from langchain_control.errors.foreign import explained, steers_a_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["gets_out", "listening"]

_MARK = "_of_a_control_listener"

_TELLS = frozenset(("handle_event", "_ahandle_event_for_handler", "_run_coros"))
"""LangChain's functions that tell handlers of a run what happens in it."""

_CALLS = ("langchain_core.language_models.", "langchain_core.runnables.", "langchain_core.tools.")
"""LangChain's modules that call what may fail."""


@contextmanager
def listening() -> Iterator[None]:
    """Mark what is raised within as a listener's."""
    try:
        yield
    except Exception as exc:
        vars(exc)[_MARK] = True
        raise


def gets_out(exc: BaseException) -> bool:
    """Say whether an exception ends the run or steers its graph, whoever calls what raised it."""
    return steers_a_graph(exc) or any(map(_is_a_listeners, explained(exc)))


def _is_a_listeners(exc: BaseException) -> bool:
    """Whether it was marked as one's, or LangChain was telling handlers when it was raised.

    A handler that raises again what it is told of is in the way of that, and not its source: the
    call that failed is further in.
    """
    if _MARK in vars(exc):
        return True
    is_told = False
    for frame, _ in walk_tb(exc.__traceback__):
        if frame.f_code.co_name in _TELLS and frame.f_globals is vars(manager):
            is_told = True
        elif is_told and str(frame.f_globals.get("__name__")).startswith(_CALLS):
            return False
    return is_told
