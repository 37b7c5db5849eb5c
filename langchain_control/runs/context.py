"""What a run is made with: the model, the policy, and what a door hands in beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control._least import least
from langchain_control.encodings.surrogates import well_formed_message
from langchain_control.models.variants import has_enforcing_mode, in_place_of, name_of
from langchain_control.outcomes import Attempt, FallbackTry, PlannedRetry
from langchain_control.runs.judged_before import JudgedBefore
from langchain_control.runs.tool_calls import AnswersOrCalls
from langchain_control.strategies.asking import AnswerContract

if TYPE_CHECKING:
    from langchain_control.components.prompt import BuiltPrompt
    from langchain_control.policy import ControlPolicy

__all__ = ["Context", "LastCalls", "MakesPrompts", "NamedModel"]


class MakesPrompts(Protocol):
    """Makes the prompt of an attempt, as `PromptBuilder` does."""

    def build(
        self,
        question: list[BaseMessage],
        *,
        context: list[str] | None = None,
        feedback: str | None = None,
    ) -> BuiltPrompt:
        """Make a prompt within its budget. See `PromptBuilder.build`."""


class NamedModel(NamedTuple):
    """A model, and the name it goes by."""

    model: Runnable[Any, Any]
    name: str


@dataclass
class LastCalls:
    """What a door learns of the calls of a model beside the state."""

    error: Exception | None = None
    """What the last one raised. An exception is no JSON."""
    said: AIMessage | None = None
    """The last reply there was, as it came, also where calls after it failed."""


@dataclass(frozen=True)
class Context:
    """What a run is made with.

    Doors differ in what they hand in: the model or an agent's handler, who makes the prompt, and
    what an answer must be. Where a door says nothing, the policy's own components serve.
    """

    policy: ControlPolicy
    model: Runnable[Any, Any]
    model_name: str | None = None
    """What the model goes by; by default what it is called under the config of the run."""
    prompt: MakesPrompts | None = None
    contract: AnswerContract | None = None
    earlier: tuple[Attempt | FallbackTry, ...] = ()
    """Calls that the request made before this walk; they count against its usage limits."""
    last_calls: LastCalls | None = None
    """Keeps for the door what a model raised and said last."""
    judged_before: JudgedBefore | None = None
    """What of the history need not be judged again. `None` judges all of it in every run."""
    is_whole_request: bool = True
    """Whether the end of the table is the end of the request. An agent's request is many calls."""
    run_deadline_seconds: float | None = None
    """How long the whole of an agent's run may take, where it is bounded."""
    can_pause: bool = True
    """Whether a strategy may pause the graph around it, and the run goes on where it stopped."""

    @property
    def deadline_seconds(self) -> float | None:
        """How long a call could take that begins with the request and has no limit of its own."""
        return least(self.policy.deadline_seconds, self.run_deadline_seconds)

    def build(self, messages: list[BaseMessage], **parts: Any) -> BuiltPrompt:
        """Make the prompt. See `PromptBuilder.build`.

        What UTF-8 cannot express is replaced, wherever it stands: no client could send it.
        """
        built = (self.prompt or self.policy.prompt).build(messages, **parts)
        return replace(built, messages=[*map(well_formed_message, built.messages)])

    def name(self, config: RunnableConfig | None = None) -> str:
        """Return the name of the request's own model."""
        return self.model_name or name_of(self.model, config)

    def asked(self, retry: PlannedRetry | None, config: RunnableConfig | None = None) -> NamedModel:
        """Return the model that an attempt asks: the request's own, or the one of the last rung."""
        other = self.policy.retry.other_model
        if retry is None or retry["rung"] != "other_model" or other is None:
            return NamedModel(self.model, self.name(config))
        return NamedModel(in_place_of(self.model, other, config), name_of(other, config))

    def has_enforcing_mode(self, retry: PlannedRetry, config: RunnableConfig | None = None) -> bool:
        """Say whether a retry can ask its model in a mode in which a provider keeps a schema."""
        schema = self.policy.validator.json_schema()
        return has_enforcing_mode(self.asked(retry, config).model, schema, config)

    def used_up(self, calls: Sequence[Attempt | FallbackTry]) -> str | None:
        """Say which limit of usage the request has reached, if it has."""
        return self.policy.usage_limits.reached_by([*self.earlier, *calls])

    def answers_of(self, asked: Any, config: RunnableConfig | None = None) -> AnswerContract:
        """Return who judges the answers of a model, or of a fallback strategy."""
        validator = self.policy.validator
        asked = in_place_of(self.model, asked, config)
        return AnswersOrCalls(self.contract or validator, asked, validator, config)
