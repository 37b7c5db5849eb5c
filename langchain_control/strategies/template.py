"""An answer with blanks to fill in."""

from __future__ import annotations

import json
import re
from string import Template
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["TemplateAnswer"]

_PLACEHOLDERS = ("question", "failure_mode", "request_id")
_FENCED = re.compile(r"\s*```[a-z]*\n(?P<body>.*)```\s*", re.DOTALL)


class TemplateAnswer:
    """Give an answer that names the request: `"Please try again. Reference: $request_id"`.

    Placeholders are those of `string.Template`, so that braces of JSON need no escaping. Where the
    template is JSON, in a fence or not, with placeholders in its strings, what is filled in is
    escaped: a question with quotation marks stays one string.
    """

    answers_at_once = True
    """Called in the caller's own thread, so it answers even when no worker thread is free."""

    def __init__(self, template: str) -> None:
        """Take the text, with `$question`, `$failure_mode` and `$request_id` as placeholders.

        Raises:
            ValueError: The template has other placeholders, or a stray `$`; write `$$` for one.
        """
        self._template = Template(template)
        if not self._template.is_valid():
            msg = "the template holds a `$` that starts no placeholder; write `$$` for a dollar"
            raise ValueError(msg)
        if unknown := set(self._template.get_identifiers()) - set(_PLACEHOLDERS):
            msg = f"expected the placeholders {_PLACEHOLDERS}, also found {sorted(unknown)}"
            raise ValueError(msg)
        self._is_json = _is_json(self._template.substitute(dict.fromkeys(_PLACEHOLDERS, "x")))

    def __call__(self, question: str, request: FallbackRequest) -> AIMessage:
        """Fill in the blanks."""
        values = (question, request.failure_mode.value, request.request_id)
        said = map(_in_a_string, values) if self._is_json else values
        return AIMessage(self._template.substitute(dict(zip(_PLACEHOLDERS, said, strict=True))))

    def __repr__(self) -> str:
        """Show the template."""
        return f"TemplateAnswer({self._template.template!r})"


def _is_json(text: str) -> bool:
    """Whether a text is JSON and nothing else, by itself or in a fence."""
    fenced = _FENCED.fullmatch(text)
    try:
        json.loads(fenced["body"] if fenced else text.lstrip("\ufeff"))
    except ValueError:
        return False
    return True


def _in_a_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
