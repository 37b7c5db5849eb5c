"""The state machine: its nodes, its routers, and the one table that knows their order.

    START → guard → build → call → validate → END
              │       │       │        ├──→ retry_with_mutation → build
              └───────┴───────┴────────┴──→ fallback → END

`fallback` comes back to itself for each strategy, and leads to `build` again where it has waited
for the model's circuit.

A node is a flow from state to an update. A router is a pure function of state and context.
`STEPS` binds the two; `create_control_graph` compiles it and `drive` walks it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal, NamedTuple, cast

from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Emit, Flow, Sleep
from langchain_control._enclosing import as_part
from langchain_control.components.fallback import FallbackRouter
from langchain_control.events import EventName, event, flagged, retry_scheduled, with_request_id
from langchain_control.outcomes import (
    Attempt,
    FailureMode,
    PlannedRetry,
    ValidationResult,
    failure,
)
from langchain_control.runs.attempts import attempt_of, content_of, sha256_of
from langchain_control.runs.context import Context
from langchain_control.runs.endings import (
    closed_if_cut_off,
    finished,
    refunded_if_left,
    status_without_answer,
    turned_away,
)
from langchain_control.runs.falling_back import (
    calls_of,
    had_a_turn,
    model_was_refused,
    request_of,
    waited_for_a_circuit,
)
from langchain_control.runs.judged_before import Remembering
from langchain_control.runs.model_call import called_in_turn
from langchain_control.runs.notices import is_notice
from langchain_control.runs.screening import documents_of, index_of_question, screened
from langchain_control.runs.state import (
    FailureNote,
    PerRun,
    RunState,
    deadline_from_now,
    fresh_run,
    note_of,
    violations_in,
)
from langchain_control.runs.time_limits import InTime, limit_reached, remaining_seconds
from langchain_control.strategies.human import HumanAnswer

__all__ = [
    "END",
    "STEPS",
    "Router",
    "Step",
    "StepName",
    "drive",
    "performed",
]

END: Literal["__end__"] = "__end__"
"""LangGraph's name for the end of a graph, spelled out so that `drive` needs no langgraph."""

StepName = Literal[
    "guard", "build", "call", "validate", "retry_with_mutation", "fallback", "__end__"
]

Node = Callable[[RunState, Context, RunnableConfig], Flow[RunState]]
"""Returns what changes in the state. `messages` are new ones, to be added to those there are."""

Router = Callable[[RunState, Context], StepName]


# --- nodes ----------------------------------------------------------------------------------------


def guard(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Open the run: admit it, judge the question, screen what else would reach the model."""
    run = fresh_run(config, context.policy, context.run_deadline_seconds)
    config = with_request_id(config, run["request_id"])
    opening = _opened(run, state, context, config)
    opening = refunded_if_left(opening, run, context)
    watched = closed_if_cut_off(opening, run, context, config)
    return (yield from as_part(watched, run["request_id"], "guard"))


def _opened(
    run: PerRun, state: RunState, context: Context, config: RunnableConfig
) -> Flow[RunState]:
    policy = context.policy
    messages, documents = list(state["messages"]), documents_of(state)
    withheld: list[str] = []
    if policy.limiter is not None:
        admitted = yield from policy.limiter.admit(config, messages, context.deadline_seconds)
        if not admitted.passed:
            return (yield from turned_away(run, "RateLimiter", admitted, context, config))
        run["reservation"] = list(admitted.value)
    if policy.guard is not None:
        guarding, asked = InTime(policy.guard, run["deadline"], policy), index_of_question(messages)
        said = [message for message in messages if not is_notice(message)]
        if asked is not None or all(isinstance(m, SystemMessage) for m in said):
            verdict = yield from guarding.judge(said if asked is None else messages[asked])
            if not verdict.passed:
                return (yield from turned_away(run, "InputGuard", verdict, context, config))
            yield flagged("InputGuard", verdict, config, request_id=run["request_id"])
        if asked is not None:
            messages[asked] = verdict.value
        before = context.judged_before
        screening = guarding if before is None else Remembering(guarding, before)
        for items, judged in ((messages, asked), (documents, None)):
            verdict = yield from screened(items, screening, run["request_id"], config, judged)
            if not verdict.passed:
                return (yield from turned_away(run, "InputGuard", verdict, context, config))
            items[:] = verdict.value
            withheld += verdict.notes
    draft = {"messages": messages, "context": documents, "withheld": withheld}
    return cast("RunState", {**run, "draft": draft})


def build(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Make the prompt, within its budget."""
    draft, retry = state["draft"], state["retry"]
    if retry and retry["silent_in_schema_mode"] and context.has_enforcing_mode(retry, config):
        retry = {**retry, "feedback": None, "strategy": "simple", "mutation": None}
    built = context.build(
        draft["messages"],
        context=draft["context"],
        feedback=retry["feedback"] if retry else None,
    )
    if not built.verdict.passed:
        return (yield from turned_away(state, "TokenBudget", built.verdict, context, config))
    if retry and retry["feedback"] and not built.report.get("correction"):
        retry = {**retry, "strategy": "simple", "mutation": None}  # there was no room for it
    notes = [*draft.get("withheld", ()), *built.verdict.notes]
    draft = {**draft, "prompt": built.messages, "notes": notes}
    return {"draft": draft, "retry": retry, "failure": None}


def call(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Call the model once, within what is left of time and usage."""
    if (reached := limit_reached(state, context)) is not None:
        return {"failure": note_of("call", reached)}
    return (yield from called_in_turn(state, context, config))


def validate(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Judge the answer, write the attempt down, and decide whether another try is worth it."""
    response, note = state["draft"]["response"], state["failure"]
    verdict: ValidationResult | None = None
    if response is not None and note is None:
        contract = context.answers_of(context.asked(state["retry"], config).model, config)
        in_time = InTime(contract, state["deadline"], context.policy)
        verdict = yield from in_time.judge(response)
        note = None if verdict.passed else note_of("validate", verdict)
    attempt = attempt_of(state, context, note, verdict, config)
    yield _attempt_event(attempt, note, state, context, config)
    attempts = [*state["attempts"], attempt]
    scores = asdict(verdict.scores) if verdict else None
    if response is not None and verdict is not None and verdict.passed:
        answered = _accepted(response, verdict, attempts, state, context)
        return (yield from finished(state, context, config, scores=scores, **answered))
    return {**_failed(note, attempts, state, context), "scores": scores}


def retry_with_mutation(
    state: RunState,
    context: Context,  # noqa: ARG001
    config: RunnableConfig,
) -> Flow[RunState]:
    """Wait, then go round again with the correction in the prompt."""
    retry = cast("PlannedRetry", state["retry"])
    failed = state["attempts"][-1]["failure_mode"]
    yield retry_scheduled(retry, failed, config, request_id=state["request_id"])
    if retry["delay_seconds"] > 0:
        yield Sleep(retry["delay_seconds"])
    return {"failure": None}


def fallback(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Give the first fallback answer that meets the contract, or end the run without one.

    Each strategy gets a visit of its own: where one pauses the graph, those before it are in the
    checkpoint, and not asked again on resume. So is who asks a person: the reply is its own, also
    where the policy has other strategies by then. Where circuits refused calls and the first of
    them is due within the deadline, the run waits for it, once, and goes round again.
    """
    router = context.policy.fallback
    if (due := _waiting_in(state, router) or router.next_after(had_a_turn(state))) is not None:
        asked = state
        if router.pauses(due[1]) and not context.can_pause:
            due = (due[0], _Nobody())
        elif router.pauses(due[1]) and not state.get("asker"):
            return {"asker": due[0]}
        elif router.pauses(due[1]):  # people take their time; whoever comes after them has theirs
            asked = cast("RunState", {**state, "deadline": deadline_from_now(context.policy)})
        request, calls = request_of(asked), calls_of(asked, context, due[0])
        answers = context.answers_of(due[1], config)
        contract = InTime(answers, asked["deadline"], context.policy)
        turn = yield from router.turn(due, request, contract, config, calls)
        tries = [*state["fallbacks"], turn.tried]
        if turn.answer is None:
            return {"fallbacks": tries, "asker": None, "deadline": asked["deadline"]}
        update = _answered(turn.answer.message, strategy=f"fallback:{turn.answer.name}")
        update |= {"status": "fallback", "fallbacks": tries, "asker": None, "scores": None}
        return (yield from finished(state, context, config, **update))
    if (yield from waited_for_a_circuit(state, context, config)):
        note = None if model_was_refused(state, context) else state["failure"]
        return {"waited_after": len(state["fallbacks"]), "failure": note}
    status = status_without_answer(state["failure"])
    return (yield from finished(state, context, config, status=status))


# --- routers --------------------------------------------------------------------------------------


def after_guard(state: RunState, context: Context) -> StepName:  # noqa: ARG001
    """Go on with an admitted input."""
    if state["status"]:
        return END
    return "fallback" if state["failure"] else "build"


def after_build(state: RunState, context: Context) -> StepName:  # noqa: ARG001
    """Go on with a prompt that fits."""
    if state["status"]:
        return END
    return "fallback" if state["failure"] else "call"


def after_call(state: RunState, context: Context) -> StepName:  # noqa: ARG001
    """Judge whatever the model did; a call that was never made has nothing to judge."""
    note = state["failure"]
    return "fallback" if note and note["mode"] in _NEVER_CALLED else "validate"


def after_validate(state: RunState, context: Context) -> StepName:
    """End with an accepted answer, else try again while a try is left."""
    if state["status"]:
        return END
    tries_left = len(state["attempts"]) < context.policy.retry.max_attempts
    return "retry_with_mutation" if state["retry"] and tries_left else "fallback"


def after_retry(state: RunState, context: Context) -> StepName:  # noqa: ARG001
    """Make a new prompt."""
    return "build"


def after_fallback(state: RunState, context: Context) -> StepName:  # noqa: ARG001
    """Go on to the next strategy, or back where a circuit was waited for, until there is an end."""
    if state["status"]:
        return END
    return "fallback" if state["failure"] else "build"


# --- the table ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """A row of the table."""

    node: Node
    goes_to: tuple[StepName, ...]
    route: Router
    opens_run: bool = False
    """Whether the run begins in it: the state is the last run's until then."""


STEPS: dict[StepName, Step] = {
    "guard": Step(guard, ("build", "fallback", END), after_guard, opens_run=True),
    "build": Step(build, ("call", "fallback", END), after_build),
    "call": Step(call, ("validate", "fallback"), after_call),
    "validate": Step(validate, ("retry_with_mutation", "fallback", END), after_validate),
    "retry_with_mutation": Step(retry_with_mutation, ("build",), after_retry),
    "fallback": Step(fallback, ("build", "fallback", END), after_fallback),
}


def drive(
    state: RunState,
    context: Context,
    config: RunnableConfig,
    *,
    start: StepName = "guard",
    until: Callable[[StepName, RunState], bool] | None = None,
) -> Flow[RunState]:
    """Walk the table and return the state in the end.

    Args:
        state: What the first step needs.
        context: What the run is made with.
        config: The run that events are told on.
        start: The first step.
        until: Asked before each step; stops there if it says so. The state has no `status` then.
    """
    name = start
    while name != END and not (until and until(name, state)):
        step = STEPS[name]
        update = yield from performed(step, state, context, config)
        messages = [*state["messages"], *update.get("messages", [])]
        state = cast("RunState", {**state, **update, "messages": messages})
        name = step.route(state, context)
    return state


def performed(
    step: Step, state: RunState, context: Context, config: RunnableConfig
) -> Flow[RunState]:
    """Do one step of a run, which is closed if it is cut off in it."""
    if step.opens_run:
        return (yield from step.node(state, context, config))
    config = with_request_id(config, state["request_id"])
    state = cast("RunState", {**state})  # its end is marked in it
    doing = closed_if_cut_off(step.node(state, context, config), state, context, config)
    return (yield from as_part(doing, state["request_id"], step.node.__name__))


# --- what the nodes share -------------------------------------------------------------------------

_NEVER_CALLED = (
    FailureMode.BULKHEAD_FULL,
    FailureMode.CIRCUIT_OPEN,
    FailureMode.DEADLINE_EXCEEDED,
    FailureMode.TOKEN_OVERFLOW,
    FailureMode.USAGE_LIMIT_EXCEEDED,
)


def _waiting_in(state: RunState, router: FallbackRouter) -> tuple[str, Any] | None:
    """Return the strategy that waits for a person's reply, or what stands in for it by now."""
    asker = state.get("asker")
    if not asker:
        return None
    given = dict(router.strategies).get(asker)
    return asker, given if router.pauses(given) else HumanAnswer()


class _Nobody:
    """Stands in for a person where a pause would repeat the run up to here."""

    answers_at_once = True

    def __call__(self, question: str) -> None:
        """Have no answer."""


def _answered(answer: AIMessage, **update: Any) -> dict[str, Any]:
    return {"messages": [answer], "value": answer.additional_kwargs.get("parsed"), **update}


def _attempt_event(
    attempt: Attempt,
    note: FailureNote | None,
    state: RunState,
    context: Context,
    config: RunnableConfig,
) -> Emit | None:
    return event(
        EventName.ATTEMPT,
        config,
        request_id=state["request_id"],
        prompt_sha256=sha256_of(state["draft"]["prompt"]),
        rules=note["rules"] if note else None,
        content=content_of(state["draft"]["response"], context.policy.audit),
        **attempt,
    )


def _accepted(
    response: AIMessage,
    verdict: ValidationResult,
    attempts: list[Attempt],
    state: RunState,
    context: Context,
) -> dict[str, Any]:
    """Return what an accepted answer changes, after telling whoever learns from it."""
    answer = context.answers_of(context.model).clean(response, verdict)
    context.policy.retry.succeeded(attempts)
    if not answer.tool_calls:
        context.policy.fallback.remember(request_of(state), answer)
    strategy = attempts[-1]["strategy"]
    answered = _answered(answer, status="accepted", strategy=strategy)
    return answered | {"attempts": attempts, "failure": None}


def _failed(
    note: FailureNote | None, attempts: list[Attempt], state: RunState, context: Context
) -> RunState:
    """Return what a failed attempt changes: the next try, or the failure that ends them."""
    response = state["draft"]["response"]
    retry = context.policy.retry.decide(
        attempts,
        answer=response.text if response is not None else "",
        violations=violations_in(note),
        retry_after=note["retry_after"] if note else None,
        remaining_seconds=remaining_seconds(state, context),
    )
    why = _out_of_time(attempts, state, context)
    if why is None and retry is not None:
        why = _forbidden(attempts, state, context)
    if why is not None:
        retry, note = None, note_of(note["step"] if note else "validate", why)
    planned = cast("PlannedRetry", asdict(retry)) if retry else None
    return {"attempts": attempts, "failure": note, "retry": planned}


def _out_of_time(
    attempts: Sequence[Attempt], state: RunState, context: Context
) -> ValidationResult | None:
    """Say that the deadline ended the request: it cut a call off, or leaves no time for another."""
    last, remaining = FailureMode(attempts[-1]["failure_mode"]), remaining_seconds(state, context)
    if remaining is None or remaining > 0:
        return None
    if last is FailureMode.TIMEOUT or context.policy.retry.should_retry(last, len(attempts)):
        why = f"the deadline of the request has passed after `{last}`"
        return failure(FailureMode.DEADLINE_EXCEEDED, why)
    return None


def _forbidden(
    attempts: Sequence[Attempt], state: RunState, context: Context
) -> ValidationResult | None:
    """Return why there is no retry: this request's limits or the shared budget are used up."""
    last, retry = attempts[-1]["failure_mode"], context.policy.retry
    if why := context.used_up([*attempts, *state["fallbacks"]]):
        return failure(FailureMode.USAGE_LIMIT_EXCEEDED, f"{why} after `{last}`")
    if retry.pay(FailureMode(last)):
        return None
    why = f"the shared retry budget is used up after `{last}`"
    return failure(FailureMode.RETRY_BUDGET_EXHAUSTED, why)
