"""Routers are pure, and every road ends."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END as LANGGRAPH_END

from langchain_control import ControlPolicy, FailureMode, RetryEngine
from langchain_control.runs.context import Context
from langchain_control.runs.state import PerRun, fresh_run
from langchain_control.steps import END, STEPS

MODES = st.sampled_from([m.value for m in FailureMode if m is not FailureMode.NONE])


def context(max_attempts: int = 3) -> Context:
    policy = ControlPolicy(retry=RetryEngine(max_attempts=max_attempts))
    return Context(policy, RunnableLambda(str), "model")


def note(step: str, mode: str) -> dict[str, Any]:
    return {"step": step, "mode": mode, "message": "", "violations": [], "retry_after": None}


def test_the_end_is_langgraphs_end():
    """The table's end has LangGraph's name, without importing it."""
    assert END == LANGGRAPH_END


def test_a_fresh_run_sets_every_key():
    """What belongs to one run is reset at its start, so that a thread never shows the last one."""
    assert set(PerRun.__annotations__) == set(fresh_run({}, ControlPolicy()))


STATES = st.fixed_dictionaries(
    {
        "status": st.sampled_from([None, "accepted", "rejected", "fallback", "exhausted"]),
        "failure": st.none() | st.builds(note, st.sampled_from(list(STEPS)), MODES),
        "retry": st.none() | st.just({"feedback": None, "delay_seconds": 0}),
        "attempts": st.lists(st.just({}), max_size=12),
    }
)


@given(STATES, st.integers(1, 10))
def test_a_router_only_names_steps_its_row_declares(state, max_attempts):
    """Whatever the state, a router leads along an edge that is drawn."""
    for step in STEPS.values():
        assert step.route(state, context(max_attempts)) in step.goes_to


@given(STATES, st.integers(1, 10))
def test_a_router_does_not_change_the_state(state, max_attempts):
    """Routers are pure."""
    before = repr(state)
    for step in STEPS.values():
        first = step.route(state, context(max_attempts))
        assert first == step.route(state, context(max_attempts))
    assert before == repr(state)


@given(
    st.lists(st.tuples(MODES, st.booleans(), st.booleans()), min_size=40, max_size=40),
    st.integers(1, 10),
)
def test_every_road_ends_within_max_attempts(outcomes, max_attempts):
    """However calls, verdicts and retry decisions fall, the run ends and calls at most so often."""
    state: dict[str, Any] = {"status": None, "failure": None, "retry": None, "attempts": []}
    where, calls, fate = next(iter(STEPS)), 0, iter(outcomes)
    for _ in range(4 * max_attempts + 3):
        if where == END:
            break
        mode, goes_well, decides_to_retry = next(fate)
        calls += where == "call"
        state = _after(where, state, mode, goes_well=goes_well, decides_to_retry=decides_to_retry)
        where = STEPS[where].route(state, context(max_attempts))

    assert where == END
    assert calls <= max_attempts


def _after(where, state, mode, *, goes_well, decides_to_retry):
    match where:
        case "guard" | "build" | "call":
            return {**state, "failure": None if goes_well else note(where, mode)}
        case "validate":
            attempts = [*state["attempts"], {}]
            if goes_well and mode == "refusal":
                return {**state, "attempts": attempts, "status": "accepted"}
            retry = {"feedback": None} if decides_to_retry else None
            failed = note("validate", mode)
            return {**state, "attempts": attempts, "failure": failed, "retry": retry}
        case "fallback":
            return {**state, "status": "exhausted"}
    return {**state, "failure": None}
