"""An agent's handler, seen as a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control.conversation import answer_of
from langchain_control.middleware.handlers import acall_handler, call_handler
from langchain_control.models.larger_answers import with_room
from langchain_control.models.settings import drawn_anew, unwrapped
from langchain_control.models.signatures import signed
from langchain_control.outcomes import PlannedRetry

__all__ = ["AgentModel", "Responses"]


class Responses:
    """The handler's response to each call; in it LangChain has parsed structured output."""

    def __init__(self) -> None:
        """Begin a model call."""
        self._given: list[tuple[AIMessage, ModelResponse[Any]]] = []

    def keep(self, response: Any, model: Any = None) -> AIMessage:
        """Take a response and return the answer in it.

        Raises:
            ModelAPIError: There is a message in the role of somebody else.
            TypeError: There is none.
        """
        if isinstance(response, AIMessage):
            response = ModelResponse(result=[response])
        if not response.result:
            msg = "a model call of an agent must give an `AIMessage`"
            raise TypeError(msg)
        given = next((m for m in response.result if isinstance(m, AIMessage)), response.result[0])
        answer = signed(answer_of(given, is_reply=True), model)  # the very message that is judged
        self._given.append((answer, response))
        return answer

    def behind(self, answer: AIMessage) -> ModelResponse[Any]:
        """Return the response that an answer came in, or a new one for an answer from elsewhere."""
        found = (response for given, response in self._given if given is answer)
        return next(found, ModelResponse(result=[answer]))


class AgentModel(Runnable[list[BaseMessage], AIMessage]):
    """Call an agent's model, with its tools and its response format, through its handler.

    The messages reach the handler by `request.override(...)`, so they never enter the agent's
    history. The handler passes no config on; it travels in the context.
    """

    def __init__(
        self, request: ModelRequest[Any], handler: Callable[..., Any], responses: Responses
    ) -> None:
        """Take what LangChain hands to `wrap_model_call`."""
        self._request = request
        self._handler = handler
        self._responses = responses

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:  # noqa: A002, ARG002
        """Call the handler."""
        try:
            response = call_handler(self._handler, self._asked(input), config)
        except StructuredOutputError as exc:
            return self._keep(exc.ai_message)  # judged like any other answer
        return self._keep(response)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> AIMessage:
        """Await the handler."""
        try:
            response = await acall_handler(self._handler, self._asked(input), config)
        except StructuredOutputError as exc:
            return self._keep(exc.ai_message)
        return self._keep(response)

    def for_retry(self, retry: PlannedRetry) -> Runnable[Any, Any]:
        """Return the model off LangChain's cache, drawn anew or with room for a longer answer."""
        bound = self._request.model.bind(**self._request.model_settings)

        def drawn(retry: PlannedRetry) -> AgentModel:
            asked: Any = drawn_anew(bound, retry)
            return self._with(model=asked.bound, model_settings=asked.kwargs)

        return with_room(bound, retry, drawn)

    def in_place_of(self, other: Runnable[Any, Any]) -> AgentModel:
        """Return another model, asked with the same tools and response format.

        LangChain binds the tools to the model itself; what was bound to it before goes along.
        """
        model, arguments = unwrapped(other)
        return self._with(model=model, model_settings=self._request.model_settings | arguments)

    def _keep(self, response: Any) -> AIMessage:
        return self._responses.keep(response, self._request.model)

    def _with(self, **changes: Any) -> AgentModel:
        return AgentModel(self._request.override(**changes), self._handler, self._responses)

    def _asked(self, messages: list[Any]) -> ModelRequest[Any]:
        has_system = bool(messages) and isinstance(messages[0], SystemMessage)
        return self._request.override(
            system_message=messages[0] if has_system else None,
            messages=list(messages[1:] if has_system else messages),
        )
