"""The middleware: LangChain's hooks, each a walk along a part of the table of steps."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from langchain.agents.middleware.types import (
    AgentMiddleware,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
    hook_config,
)
from langchain_core.messages import AIMessage, BaseMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import ensure_config
from langgraph.types import Command, interrupt

from langchain_control._effects import Flow, arun, run
from langchain_control._enclosing import as_part
from langchain_control._least import least
from langchain_control._waiting import MAX_SECONDS
from langchain_control.errors import error_for
from langchain_control.events import request_id_in, with_listener, with_request_id
from langchain_control.middleware.agent_contract import AgentContract
from langchain_control.middleware.agent_model import AgentModel, Responses
from langchain_control.middleware.agent_prompt import AgentPrompt
from langchain_control.middleware.agent_run import (
    RECORD,
    AgentRun,
    ControlAgentState,
    answer_in,
    closed,
    ended_with,
    placeholders_in,
    record_of,
    unopened,
)
from langchain_control.middleware.invocations import PerInvocation
from langchain_control.middleware.pauses import (
    before_build_or,
    before_pause,
    paused,
    with_reply,
)
from langchain_control.middleware.run_deadlines import RunDeadlines
from langchain_control.middleware.setup_check import SetupCheck
from langchain_control.middleware.tool_calls import ToolContext, ToolHandler, ToolPolicy, controlled
from langchain_control.middleware.tool_results import leaves_the_agent
from langchain_control.models.pacing import warn_of_own_pacing
from langchain_control.models.variants import name_of
from langchain_control.outcomes import FailureMode
from langchain_control.policy import ControlPolicy, policy_of
from langchain_control.retries.nested import warn_of_nested_retries
from langchain_control.runs.context import Context, LastCalls
from langchain_control.runs.endings import close, closed_if_cut_off
from langchain_control.runs.exits import ExitBehavior, exit_behavior_of, has_to_raise
from langchain_control.runs.judged_before import JudgedBefore
from langchain_control.runs.notices import WITHOUT_ANSWER
from langchain_control.runs.results import result_of
from langchain_control.runs.screening import index_of_question, withheld
from langchain_control.runs.state import RunState, calls_in, fresh_run
from langchain_control.runs.tool_calls import for_tools
from langchain_control.steps import StepName, drive

__all__ = ["ControlMiddleware"]

AGENT = "agent"
"""Name in the trail where no model is asked."""


class ControlMiddleware(AgentMiddleware[Any, Any, Any]):
    """Put an agent made by `create_agent` under control.

    The user's newest message is judged before the agent starts. Every model call is bounded in
    attempts, time and tokens, and its answer judged before it enters the history: tool calls by
    their schemas, structured output by its own, anything else by the policy. Tools have a time
    limit and a circuit each; their errors are values, their results are screened.

    !!! example "Three lines"

        ```python
        policy = ControlPolicy(retry={"max_attempts": 3}, audit="audit.jsonl")
        control = ControlMiddleware(policy)
        agent = create_agent(model, tools, middleware=[control])
        ```

    How a run ended is in the agent's state under `control`; `agent_result` reads it.
    """

    state_schema = ControlAgentState

    def __init__(
        self,
        policy: ControlPolicy | Mapping[str, Any] | None = None,
        *,
        exit_behavior: ExitBehavior = "end",
        run_deadline_seconds: float | None = None,
        tool_policy: ToolPolicy | Mapping[str, Any] | None = None,
        tool_policies: Mapping[str, ToolPolicy | Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        """Take the rules.

        Args:
            policy: The rules for input and model calls, or the plain data of them. Its deadline
                holds for each answer that is wanted of the model.
            exit_behavior: What becomes of a run without an answer. `end` ends it with a message
                that names the failure; `error` raises the `ControlError`. LangChain's
                `ModelFallbackMiddleware` needs the latter where it stands outside of this one.
            run_deadline_seconds: Hard limit of the whole run: no model call and no tool call begins
                after it or outlasts it; waiting for the rate limit and judging the question count,
                too. What a fallback gives then is the run's answer. A run that goes on in another
                invocation of the graph, as after a pause, gets it anew. `None` sets none.
            tool_policy: The rules for tools, or the plain data of them.
            tool_policies: Other rules for some tools, by name.

        Raises:
            ValueError: `exit_behavior` is neither, or the deadline is not positive, or more
                than a day.

        Warns:
            UserWarning: The policy's other model retries by itself, or waits for a `rate_limiter`
                of its own. When the agent runs, also of its own models, and of `tool_policies` for
                tools that its first run did not have.
        """
        super().__init__()
        if run_deadline_seconds is not None and not (
            isinstance(run_deadline_seconds, int | float)
            and 0 < run_deadline_seconds <= MAX_SECONDS
        ):
            msg = (
                "`run_deadline_seconds` must be a positive number, at most a day "
                f"({MAX_SECONDS:g}), got {run_deadline_seconds!r}"
            )
            raise ValueError(msg)
        self.policy = for_tools(policy_of(policy))
        self.exit_behavior = exit_behavior_of(exit_behavior)
        self.run_deadline_seconds = run_deadline_seconds
        self._marks = PerInvocation()
        self._deadlines = RunDeadlines(run_deadline_seconds, self.policy.clock)
        self.tool_policy = ToolPolicy.model_validate(tool_policy or {})
        self.tool_policies = {
            name: ToolPolicy.model_validate(rules) for name, rules in tool_policies.items()
        }
        self.tools = []
        is_sure = self.policy.guard is not None and self.policy.guard.when_detector_fails == "block"
        self._judged_before = JudgedBefore() if is_sure else None
        self._setup = SetupCheck(self.tool_policies)
        warn_of_nested_retries(self.policy.retry.other_model)
        warn_of_own_pacing(self.policy.retry.other_model)

    # --- LangChain's hooks, sync and async --------------------------------------------------------

    @hook_config(can_jump_to=["end"])
    def before_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge the user's newest message; a rejection ends the run without a model call."""
        return run(self._opened(state, runtime, self._config()))

    @hook_config(can_jump_to=["end"])
    async def abefore_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """See `before_agent`."""
        return await arun(self._opened(state, runtime, self._config()))

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ExtendedModelResponse[Any]:
        """Call the model until its answer is accepted or the attempts are used up."""
        return run(self._called(request, handler, self._config()))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ExtendedModelResponse[Any]:
        """See `wrap_model_call`."""
        return await arun(self._called(request, handler, self._config()))

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002
        """Ask the person that a fallback wants to ask. See `pauses`."""
        record: AgentRun = state.get(RECORD) or AgentRun()
        pause = record.get("paused")
        if not pause:
            return None
        reply = interrupt(pause["asked"])
        return {
            "messages": _removed(placeholders_in(record, state["messages"])),
            RECORD: {**record, "replies": [reply]},
            "jump_to": "model",
        }

    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """See `after_model`."""
        return self.after_model(state, runtime)

    def after_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002
        """Tell the trail how the run ended."""
        return run(self._ended(state))

    async def aafter_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002
        """See `after_agent`."""
        return await arun(self._ended(state))

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]
    ) -> Any:
        """Call a tool under its rules. See `ToolPolicy`."""
        return run(self._tool_called(request, handler))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        """See `wrap_tool_call`."""
        return await arun(self._tool_called(request, handler))

    # --- what they do, once -----------------------------------------------------------------------

    def _opened(self, state: Any, runtime: Any, config: RunnableConfig) -> Flow[dict[str, Any]]:
        left = state.get(RECORD)
        gone = placeholders_in(left, state["messages"])
        if left and _is_left(left):
            yield from self._closed(ended_with(left, ()), self._config())
        messages: list[BaseMessage] = [m for m in state["messages"] if m.id not in gone]
        config = with_request_id(config, request_id_in(config))
        given = RunState(messages=list(messages))
        until = before_build_or(before_pause(self.policy))
        context = self._context(judged_before=self._judged_before)
        opened = yield from drive(given, context, config, until=until)
        record = record_of(opened)
        self._deadlines.begin(runtime, record)
        update: dict[str, Any] = {RECORD: record, **_without_structure(state)}
        if opened["status"] is not None:
            last = _named(opened["messages"][-1], config)
            yield from self._raised_if_asked_to(opened, record, config)
            said = [*_question_withheld(messages, opened), last]
            update["jump_to"] = "end"
        elif opened["failure"] is not None:
            said = _question_withheld(messages, opened)
            update[RECORD] = paused(opened, None, self.policy)
        else:
            said = _changed(messages, opened["draft"]["messages"])
        return {"messages": [*_removed(gone), *said], **update}

    def _called(
        self, request: ModelRequest[Any], handler: Callable[..., Any], config: RunnableConfig
    ) -> Flow[ExtendedModelResponse[Any]]:
        self._setup.model_called(request)
        record = cast("AgentRun | None", request.state.get(RECORD))
        if record and record.get("paused") and not record["replies"]:  # since before any call
            return _waiting(record)
        responses = Responses()
        contract = AgentContract(self.policy.validator, request, responses)
        policy = with_reply(self.policy, record)
        calls = LastCalls()
        begun, start = self._begun(request, record, config)
        was_blocked = begun["failure"] is not None and begun["failure"]["step"] == "guard"
        context = self._context(
            policy=policy,
            last_calls=calls,
            model=_NO_MODEL if was_blocked else AgentModel(request, handler, responses),
            model_name=name_of(request.model, config),
            prompt=AgentPrompt(self.policy.prompt, request.system_message, request.tools),
            contract=contract,
            earlier=tuple(calls_in(record)) if record else (),
        )
        if start == "fallback" and not was_blocked:  # prompts are no JSON, and none is kept
            begun["draft"]["prompt"] = context.build(begun["messages"]).messages
        config = with_request_id(config, begun["request_id"])
        ended = yield from drive(begun, context, config, start=start, until=before_pause(policy))
        if ended["status"] is None:
            return _waiting(paused(ended, record, policy))
        last = _named(ended["messages"][-1], config)
        kept = record_of(ended, record)
        if ended["status"] in WITHOUT_ANSWER:
            yield from self._raised_if_asked_to(ended, kept, config, calls.error)
            return _response([last], kept)
        accepted = contract.accepted
        if accepted.goes_on:
            kept["status"] = None
        if accepted.value is not None:
            kept["value"] = accepted.value
        return _response([last, *accepted.rest], kept, accepted.structured_response)

    def _begun(
        self, request: ModelRequest[Any], record: AgentRun | None, config: RunnableConfig
    ) -> tuple[RunState, StepName]:
        """Return the state of a model call, and the step it begins or goes on with."""
        messages: list[BaseMessage] = list(request.messages)
        fresh = fresh_run(config, self.policy)
        begun = RunState(messages=messages, **fresh)
        told = request.system_message  # may hold documents: `dynamic_prompt` is made for them
        begun["draft"] = {"messages": messages, "context": [told.text] if told else []}
        if record is None:
            return begun, "build"
        begun["request_id"], begun["started"] = record["request_id"], record["started"]
        begun["deadline"] = least(begun["deadline"], self._deadlines.of(request.runtime, record))
        begun["reservation"] = record["reservation"]
        pause = record.get("paused")
        if not pause:
            return begun, "build"
        begun["attempts"], begun["failure"] = pause["attempts"], pause["failure"]
        begun["fallbacks"] = pause["fallbacks"]
        return begun, "fallback"

    def _ended(self, state: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        """Close the run. One that others ended before it was opened is no request of the trail."""
        last: AgentRun | None = state.get(RECORD)
        if not last or last.get("closed"):
            return {RECORD: closed(unopened(self.policy), state["messages"])}
        record, gone = ended_with(last, state["messages"]), placeholders_in(last, state["messages"])
        yield from self._closed(record, self._config(), answer_in(record, state["messages"]))
        if record["attempts"]:
            self._setup.run_ended()
        return {"messages": _removed(gone), RECORD: closed(record, state["messages"])}

    def _closed(
        self, record: AgentRun, config: RunnableConfig, answer: BaseMessage | None = None
    ) -> Flow[None]:
        config = with_request_id(config, record["request_id"])
        ending, context = {**record, "closed": False}, self._context_of(record)
        closing = close(ending, context, config, answer, marked=ending)
        watched = closed_if_cut_off(closing, ending, context, config)
        yield from as_part(watched, record["request_id"], "end")

    def _tool_called(self, request: ToolCallRequest, handler: Callable[..., Any]) -> Flow[Any]:
        config = self._config()
        state = request.state if isinstance(request.state, Mapping) else {}
        record: AgentRun | None = state.get(RECORD)
        if record:
            config = with_request_id(config, record["request_id"])
        rules = self.tool_policies.get(request.tool_call["name"], self.tool_policy)
        ends = self._deadlines.of(request.runtime, record) if record else None
        context = ToolContext(request, self.policy, rules, config, ends, self.run_deadline_seconds)
        calling = controlled(context, ToolHandler(handler))
        if not record:
            return (yield from calling)
        started = (record["request_id"], record["started"])
        marked = ChainMap(self._marks.of(request.runtime).setdefault(started, {}), dict(record))
        watched = closed_if_cut_off(calling, marked, self._context_of(record), config)
        output = yield from as_part(watched, record["request_id"], "tool")
        if leaves_the_agent(output) and not marked.get("closed"):  # it skips `after_agent`
            marked["closed"] = True
            handed_over: AgentRun = {**record, "status": "accepted"}
            yield from self._closed(handed_over, config)
        return output

    # --- parts ------------------------------------------------------------------------------------

    def _config(self) -> RunnableConfig:
        return with_listener(ensure_config(), self.policy.audit)

    def _context(self, **parts: Any) -> Context:
        whole = {"policy": self.policy, "model": _NO_MODEL, "model_name": AGENT, **parts}
        whole["run_deadline_seconds"] = self.run_deadline_seconds
        return Context(**whole, is_whole_request=False)

    def _context_of(self, record: AgentRun) -> Context:
        """Return the context of a run between its model calls."""
        attempts = record["attempts"]
        return self._context(model_name=attempts[-1]["model"] if attempts else AGENT)

    def _raised_if_asked_to(
        self,
        ended: RunState,
        record: AgentRun,
        config: RunnableConfig,
        cause: Exception | None = None,
    ) -> Flow[None]:
        if not has_to_raise(ended, self.exit_behavior):
            return
        yield from self._closed(record, config)  # an exception skips `after_agent`
        raise error_for(result_of(ended), cause)


def _is_left(record: AgentRun) -> bool:
    """Whether a paused run was abandoned before anybody replied."""
    has_reply = bool(record.get("replies"))
    return bool(record.get("paused")) and not has_reply and not record.get("closed")


_NO_MODEL = RunnableLambda(str, name=AGENT)


# --- what goes into the agent's state -------------------------------------------------------------


def _waiting(record: AgentRun) -> ExtendedModelResponse[Any]:
    """Let `after_model` ask the person.

    An empty message stands for the answer, so that LangChain's hooks find one without tool calls.
    """
    return _response([AIMessage("", id=(record["paused"] or {})["placeholder"])], record)


def _response(
    messages: Sequence[BaseMessage], record: AgentRun, structured: Any = None
) -> ExtendedModelResponse[Any]:
    given = ModelResponse(result=list(messages), structured_response=structured)
    return ExtendedModelResponse(given, Command(update={RECORD: record}))


def _named(message: BaseMessage, config: RunnableConfig) -> BaseMessage:
    """Return a message with the agent's name, which LangChain gives only to what its model says.

    Within a tool the name may be that of the agent that calls the tool: it is inherited.
    """
    metadata = config.get("metadata") or {}
    around = str(metadata.get("langgraph_checkpoint_ns", "")).split("|")[:-1]
    name = metadata.get("lc_agent_name")
    if message.name or not name or any(step.startswith("tools:") for step in around):
        return message
    return message.model_copy(update={"name": name})


def _removed(ids: Iterable[str]) -> list[RemoveMessage]:
    return [RemoveMessage(gone) for gone in ids]


def _changed(before: Sequence[BaseMessage], after: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the messages that screening has changed, in place of those with the same ids.

    One that may not reach the model keeps its place: whoever reads the history next, a summarizer
    for one, must not meet the attack either.
    """
    kept = {message.id: message for message in after}
    screened = [kept.get(message.id) or withheld(message) for message in before]
    return [new for new, old in zip(screened, before, strict=True) if new != old]


def _without_structure(state: Mapping[str, Any]) -> dict[str, None]:
    """Return the update that clears the structured response of the thread's last run."""
    stale = state.get("structured_response") is not None
    return {"structured_response": None} if stale else {}


def _question_withheld(messages: Sequence[BaseMessage], run: RunState) -> list[BaseMessage]:
    """Return what stands in for a question that was an attack: it must not come back as history."""
    note, asked = run["failure"], index_of_question(messages)
    if asked is None or not note or note["mode"] != FailureMode.PROMPT_INJECTION:
        return []
    return [withheld(messages[asked])]
