"""What a strategy may give for an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import partial
from typing import Any

from langchain_core.load import Serializable
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from langchain_control.contracts import is_of_pydantic_v1
from langchain_control.contracts.written import ReadAsAnotherError, written
from langchain_control.conversation import answer_of

__all__ = ["NoAnswerError", "answer_as_json", "reply_of"]


_DUE = "a `str`, an `AIMessage`, or an object that is JSON"
_READ_AS_ITSELF = "an object that its type reads from JSON unchanged"


class NoAnswerError(TypeError):
    """A strategy gave what is no answer. Its text holds no content."""

    def __init__(self, given: Any, due: str = _DUE) -> None:
        """Say what was given by its type."""
        super().__init__(f"an answer is {due}, got `{type(given).__name__}`")


def reply_of(given: Any, *, read_back: bool = False) -> AIMessage:
    """Return what a strategy gave as a message: a mapping, a list or a typed object as JSON.

    Args:
        given: What a strategy gave.
        read_back: Whether types are to read the same objects from it.

    Raises:
        NoAnswerError: It is nothing of these.
    """
    try:
        return answer_of(answer_as_json(given, read_back=read_back) if _is_object(given) else given)
    except ReadAsAnotherError as exc:
        raise NoAnswerError(given, _READ_AS_ITSELF) from exc
    except (TypeError, ValueError) as exc:
        raise NoAnswerError(given) from exc


def answer_as_json(given: Any, *, read_back: bool = False) -> str:
    """Encode a JSON value; it may be or hold dataclasses and pydantic objects.

    Args:
        given: The value.
        read_back: Whether types are to read the same objects from it. Otherwise each is what
            pydantic makes of it for anybody.

    Raises:
        TypeError: It is no JSON value, or one of LangChain's own objects: those are not answers.
        ValueError: It holds a number that JSON does not know, or an object that its type reads
            from JSON as another, where that matters.
    """
    plain = partial(_plain, read_back=read_back)
    return json.dumps(given, ensure_ascii=False, allow_nan=False, default=plain)


def _plain(given: Any, *, read_back: bool) -> Any:
    if not _is_object(given):
        msg = f"`{type(given).__name__}` is no JSON value"
        raise TypeError(msg)
    return dict(given) if isinstance(given, Mapping) else written(given, read_back=read_back)


def _is_object(given: Any) -> bool:
    """Whether it stands for JSON. LangChain's own objects, such as documents, do not."""
    if isinstance(given, Serializable | type):
        return False
    is_plain = isinstance(given, Mapping | list | BaseModel)
    return is_plain or is_dataclass(given) or is_of_pydantic_v1(type(given))
