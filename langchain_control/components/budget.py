"""The gate that keeps a prompt within its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from pydantic import Field, model_validator

from langchain_control.components.shapes import Gate
from langchain_control.conversation import messages_of
from langchain_control.encodings import Tokenizer, tokenizer_for
from langchain_control.encodings.chat import REPLY_TOKENS, message_tokens, tool_tokens
from langchain_control.encodings.counting import CountingTokenizer
from langchain_control.errors import BudgetExceeded, ControlError
from langchain_control.outcomes import FailureMode, ValidationResult, Violation, failure, passed

if TYPE_CHECKING:
    from langchain_control._effects import Flow

__all__ = ["Allocation", "Prompt", "TokenBudget", "overflow"]

Prompt = PromptValue | str | Sequence[BaseMessage]
"""What chat models take."""


class TokenBudget(Gate[Prompt]):
    """Hand a prompt on only if it leaves room for the answer.

    Counts are exact, without a network, for OpenAI's encodings `cl100k_base` and `o200k_base`, and
    include the framing of chat messages (see `langchain_control.encodings.chat`).

    !!! example "Stop oversized prompts before the model sees them"

        ```python
        chain = prompt | TokenBudget(total_tokens=4000, answer_tokens=500) | model
        ```

    !!! example "Fill a budget slot by slot, most important first"

        ```python
        allocation = TokenBudget(total_tokens=800).open()
        allocation.reserve("instructions", instructions)  # False if it does not fit
        context = allocation.fit("context", document)  # as much of it as does
        ```
    """

    _error: ClassVar[type[ControlError]] = BudgetExceeded

    total_tokens: int = Field(default=800, gt=0)
    """The size of the window that prompt and answer share. Only the prompt is held to it, to
    `total_tokens - answer_tokens`: limit answers with the model's `max_tokens`, or the request with
    the policy's `usage_limits`. Small, so that forgetting to set it costs little."""

    answer_tokens: int = Field(default=0, ge=0)
    """Tokens of the total kept free for the answer. 0 if the total is not the model's context."""

    encoding: str = Field(default="cl100k_base", min_length=1)
    """Encoding, or model to count as, such as `o200k_base` or `openai:gpt-4o`.

    The default gives slightly higher counts than newer encodings: the safe side. Anything but
    `cl100k_base`, `o200k_base` and the models that use them is estimated, with one
    `TokenCountWarning` per process; `exact` says which.
    """

    counter: Callable[[str], int] | None = Field(default=None, repr=False, exclude=True)
    """Counts a text in place of `encoding`, such as `model.get_num_tokens`. Taken as exact."""

    @model_validator(mode="after")
    def _leave_room_for_a_prompt(self) -> Self:
        if self.answer_tokens >= self.total_tokens:
            msg = (
                f"`answer_tokens` ({self.answer_tokens}) must be less than `total_tokens` "
                f"({self.total_tokens})"
            )
            raise ValueError(msg)
        return self

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What chat models take."""
        return Prompt

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """The input, unchanged."""
        return Prompt

    @property
    def prompt_tokens(self) -> int:
        """Tokens a rendered prompt may have: `total_tokens` less `answer_tokens`."""
        return self.total_tokens - self.answer_tokens

    @property
    def has_own_total(self) -> bool:
        """Whether `total_tokens` was set. The default is meant for a single question."""
        return "total_tokens" in self.model_fields_set

    @property
    def exact(self) -> bool:
        """Whether counts come from the encoding's own vocabulary."""
        return self._tokenizer().exact

    def count(self, text: str) -> int:
        """Return the number of tokens of a text. Never raises, whatever the text."""
        return self._tokenizer().count(text)

    def count_message(self, message: BaseMessage) -> int:
        """Return the number of tokens of one message, its framing included."""
        return message_tokens(message, self._tokenizer().count)

    def count_messages(self, messages: Sequence[BaseMessage]) -> int:
        """Return the number of tokens of a prompt, framing and priming of the reply included.

        Fits LangChain's `trim_messages(..., token_counter=budget.count_messages)`.
        """
        count = self._tokenizer().count
        return REPLY_TOKENS + sum(message_tokens(message, count) for message in messages)

    def count_tools(self, tools: Sequence[Any]) -> int:
        """Return the number of tokens that it costs to offer these tools."""
        count = self._tokenizer().count
        return sum(tool_tokens(tool, count) for tool in tools)

    def truncate(self, text: str, max_tokens: int) -> str:
        """Return the start of a text, cut on a token boundary to `max_tokens` at most.

        The cut text is counted again, as cutting can change how the end of a text splits. Takes
        time that depends on `max_tokens`, not on the text. Lone surrogates, which no request could
        carry, come back as U+FFFD; apart from these the result is a prefix of the text.
        """
        return self._tokenizer().truncate(text, max_tokens)

    def open(self) -> Allocation:
        """Begin to fill the room for a prompt, slot by slot."""
        return Allocation(self._tokenizer(), self.prompt_tokens)

    def _tokenizer(self) -> Tokenizer:
        if self.counter is not None:
            return CountingTokenizer(self.counter, name="counter", exact=True)
        return tokenizer_for(self.encoding)

    def judge(self, value: Prompt) -> Flow[ValidationResult]:
        """Say whether a prompt leaves room for the answer."""
        yield from ()
        needed, room = self.count_messages(messages_of(value)), self.prompt_tokens
        return passed(value) if needed <= room else overflow("prompt", needed, room)


class Allocation:
    """Room for one prompt, given away slot by slot in order of importance.

    Belongs to one prompt and one thread. Slots are texts; the framing of messages is not counted
    here, as what becomes a message is for the caller to say.
    """

    def __init__(self, tokenizer: Tokenizer, total_tokens: int) -> None:
        """Begin with `total_tokens` of room; `TokenBudget.open` does this."""
        self._tokenizer = tokenizer
        self._total_tokens = total_tokens
        self._slots: dict[str, int] = {}

    @property
    def exact(self) -> bool:
        """Whether counts come from the encoding's own vocabulary."""
        return self._tokenizer.exact

    def reserve(self, name: str, text: str) -> bool:
        """Take room for a whole text, or take nothing and return `False`."""
        return self.take(name, self._tokenizer.count(text))

    def fit(self, name: str, text: str) -> str:
        """Take room for as much of a text as fits, and return that much of it."""
        kept = self._tokenizer.truncate(text, self.remaining())
        self.reserve(name, kept)
        return kept

    def take(self, name: str, tokens: int) -> bool:
        """Take room for something counted already, or take nothing and return `False`."""
        if tokens > self.remaining():
            return False
        self._slots[name] = self._slots.get(name, 0) + tokens
        return True

    def used(self) -> int:
        """Return the tokens given away."""
        return sum(self._slots.values())

    def remaining(self) -> int:
        """Return the tokens left."""
        return self._total_tokens - self.used()

    def report(self) -> dict[str, int]:
        """Return the tokens of each slot, in the order of their first reservation."""
        return dict(self._slots)

    def __repr__(self) -> str:
        """Show the slots."""
        return f"Allocation({self._slots}, remaining={self.remaining()})"


def overflow(slot: str, needed: int, room: int) -> ValidationResult:
    """Build the verdict on a part of a prompt that does not fit."""
    return failure(
        FailureMode.TOKEN_OVERFLOW,
        f"`{slot}` needs {needed} tokens, more than the {room} that the budget's `total_tokens` "
        "leaves for it",
        violations=(
            Violation(
                rule=f"budget.{slot}",
                expected=f"at most {room} tokens",
                found=f"{needed} tokens",
            ),
        ),
    )
