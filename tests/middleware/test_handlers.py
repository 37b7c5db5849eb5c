"""Handlers find the config of their run in the context."""

from __future__ import annotations

import pytest
from langchain_core.runnables.config import ensure_config

from langchain_control.middleware.handlers import acall_handler, call_handler

MINE = {"metadata": {"who": "me"}}


def seen():
    return ensure_config()["metadata"]


async def asking(given):
    return given, seen()


async def failing(_):
    raise LookupError


def test_a_handler_meets_the_config_in_the_context():
    """What the handler calls belongs to the run; afterwards the context is as it was."""
    assert call_handler(lambda given: (given, seen()), "given", MINE) == ("given", {"who": "me"})
    assert seen() == {}


async def test_an_async_handler_meets_the_config_in_the_context():
    """The same holds for one that is awaited."""
    assert await acall_handler(asking, "given", MINE) == ("given", {"who": "me"})
    assert seen() == {}


async def test_an_async_handler_that_fails_leaves_nothing_in_the_context():
    """Its exception comes out, and what the task does next does not inherit its config."""
    with pytest.raises(LookupError):
        await acall_handler(failing, "given", MINE)

    assert seen() == {}
