"""Errors of those who listen to a run and may stop it: nobody's failure but theirs.

What a strict listener raises may be of any type. A `TimeoutError` of its database is no timeout of
the model whose news it could not hear.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from langchain_control.errors.foreign import explained, steers_a_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["gets_out", "listening"]

_MARK = "_of_a_control_listener"


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
    return steers_a_graph(exc) or any(_MARK in vars(known) for known in explained(exc))
