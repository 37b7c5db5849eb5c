"""A model that learns its schema from the prompt, and in no other way."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableBinding

from langchain_control.models.larger_answers import with_room
from langchain_control.models.settings import drawn_anew
from langchain_control.outcomes import PlannedRetry

__all__ = ["ToldInWords"]


class ToldInWords(RunnableBinding[Any, Any]):  # type: ignore[no-redef]  # pydantic's plugin
    """A chat model whose retries keep to words: the caller wants the schema in the prompt."""

    def for_retry(self, retry: PlannedRetry) -> Runnable[Any, Any]:
        """Return the model as a retry should call it; see `MakesVariants`."""
        return with_room(self, retry, partial(drawn_anew, self))

    def in_place_of(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return another chat model, which the prompt tells as much."""
        return other
