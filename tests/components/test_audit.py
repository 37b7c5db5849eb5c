"""`AuditLogger` writes down each event once, and loses none in silence."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import logging
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_control import (
    CircuitBreaker,
    ControlMiddleware,
    ControlPolicy,
    FallbackRouter,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.components.audit import AuditLogger, _by_file
from langchain_control.events import REQUEST_ID, AuditRecord, EventName
from langchain_control.middleware import ToolPolicy
from langchain_control.sinks import MemorySink, QueuedSink
from langchain_control.testing import ScriptedChatModel
from tests.audit_records import attempt, audit_record, finished

Call = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


class BrokenSink:
    """A sink whose disk is always full."""

    def write(self, record: AuditRecord) -> None:
        """Fail."""
        msg = "no space left"
        raise OSError(msg)

    def close(self) -> None:
        """Hold nothing."""


def telling(*events: dict[str, Any]) -> Runnable[Any, Any]:
    """Build a step that sends events, sync and async, and hands on its input."""
    told = events or ({"id": uuid4().hex, "failure_mode": "timeout", "number": 1},)

    def step(value: Any, config: RunnableConfig) -> Any:
        for data in told:
            dispatch_custom_event(EventName.ATTEMPT.value, data, config=config)
        return value

    async def astep(value: Any, config: RunnableConfig) -> Any:
        for data in told:
            await adispatch_custom_event(EventName.ATTEMPT.value, data, config=config)
        return value

    return RunnableLambda(step, afunc=astep)


# --- listening ----------------------------------------------------------------------------------


def test_an_event_becomes_a_record(call: Call) -> None:
    """What a component tells is written down, with its kind."""
    audit = AuditLogger(None)
    call(telling({"id": "a", "number": 2, "failure_mode": "timeout"}), 1, {"callbacks": [audit]})

    (record,) = audit.to_records()
    assert (record["id"], record["event"]) == ("a", "control.attempt")
    assert (record["number"], record["failure_mode"]) == (2, "timeout")


def test_works_bound_to_a_chain(call: Call) -> None:
    """`with_config` hears everything below it."""
    audit = AuditLogger(None)
    call((RunnableLambda(str) | telling()).with_config(callbacks=[audit]), 1)

    assert audit.summary().attempts == 1


def test_a_handler_bound_twice_writes_once(path: Path, call: Call) -> None:
    """Bound to a step and passed to its chain, LangChain tells it everything twice."""
    with AuditLogger(path) as audit:
        step = telling().with_config(callbacks=[audit])
        call(RunnableLambda(str) | step, 1, {"callbacks": [audit]})

    assert len(path.read_bytes().splitlines()) == 1


def test_events_of_others_are_left_alone(call: Call) -> None:
    """An application's own custom events are not ours to write down."""
    audit = AuditLogger(None)

    def step(value: Any, config: RunnableConfig) -> Any:
        dispatch_custom_event("progress", {"percent": 5}, config=config)
        dispatch_custom_event("control.attempt", "not a mapping", config=config)
        return value

    call(RunnableLambda(step), 1, {"callbacks": [audit]})

    assert list(audit.to_records()) == []


def test_async_code_writes_on_the_event_loop() -> None:
    """A thread pool would let records overtake each other."""
    threads: list[int] = []

    class Where(MemorySink):
        def write(self, record: AuditRecord) -> None:
            threads.append(threading.get_ident())

    audit = AuditLogger(None, sinks=[Where()])
    asyncio.run(telling().ainvoke(1, {"callbacks": [audit]}))

    assert threads == [threading.get_ident()]


def test_hears_nothing_of_prompts_and_tokens() -> None:
    """The raw payloads of a model call do not reach the file."""
    audit = AuditLogger(None)
    model = GenericFakeChatModel(messages=iter([AIMessage("secret answer")]))
    (model | telling()).invoke("secret prompt", {"callbacks": [audit]})

    assert "secret" not in json.dumps(list(audit.to_records()))


# --- request ids --------------------------------------------------------------------------------


def test_the_events_own_request_id_comes_first(call: Call) -> None:
    """The state machine knows its request better than the trace does."""
    audit = AuditLogger(None)
    config = {"callbacks": [audit], "metadata": {REQUEST_ID: "from metadata"}}
    call(telling({"id": "a", "request_id": "own"}), 1, config)

    assert next(audit.to_records())["request_id"] == "own"


def test_the_caller_may_set_the_request_id_in_the_metadata(call: Call) -> None:
    """An application's own id joins the trail to its other logs."""
    audit = AuditLogger(None)
    config = {"callbacks": [audit], "metadata": {REQUEST_ID: "order-17"}}
    call(RunnableLambda(str) | telling(), 1, config)

    assert next(audit.to_records())["request_id"] == "order-17"


def test_else_the_root_run_is_the_request(call: Call) -> None:
    """All events of one call of a chain share an id, at whatever depth; calls differ."""
    audit, first, second = AuditLogger(None), uuid4(), uuid4()
    inner = RunnableLambda(str) | telling({"id": "a"})

    def ask(text: str) -> str:
        return inner.invoke(text)

    tool = StructuredTool.from_function(ask, name="t", description="d")
    chain = RunnableLambda(str) | telling({"id": "b"}) | tool
    call(chain, 1, {"callbacks": [audit], "run_id": first})
    call(telling({"id": "c"}), 1, {"callbacks": [audit], "run_id": second})

    request_of = {record["id"]: record["request_id"] for record in audit.to_records()}
    assert request_of == {"b": first.hex, "a": first.hex, "c": second.hex}


def test_runs_are_forgotten_when_they_end(call: Call) -> None:
    """Also those that fail."""
    audit = AuditLogger(None)

    def fail(_: Any) -> None:
        raise ValueError

    call(RunnableLambda(str) | telling(), 1, {"callbacks": [audit]})
    with pytest.raises(ValueError):  # noqa: PT011  (ours)
        call(RunnableLambda(str) | RunnableLambda(fail), 1, {"callbacks": [audit]})

    assert audit._books.get()._roots == {}


def test_runs_that_never_end_do_not_pile_up() -> None:
    """An abandoned stream ends no run."""
    audit, parent = AuditLogger(None), uuid4()
    for _ in range(10_100):
        audit.on_chain_start({}, {}, run_id=uuid4(), parent_run_id=parent)

    assert len(audit._books.get()._roots) == 10_000


# --- what a record holds ------------------------------------------------------------------------


def test_missing_identity_is_filled_in() -> None:
    """A record handed over directly needs no more than its event."""
    audit = AuditLogger(None)
    audit.record({"event": "control.attempt"})

    (record,) = audit.to_records()
    assert len(record["id"]) == 32
    assert record["request_id"] == record["id"]
    assert record["time"].endswith("+00:00")


def test_ids_are_short_texts(path: Path) -> None:
    """Whatever a caller's metadata holds, the record fits its line and can be found."""
    given = ["x" * 100_000, 17, UUID(int=17), "ab\udce9"]
    with AuditLogger(path, raise_error=True) as audit:
        for request_id in given:
            audit.record(attempt(request_id=request_id))

    long, *others = [record["request_id"] for record in audit.to_records()]
    assert (long[:100], len(long)) == ("x" * 100, 128)
    assert others == ["17", str(UUID(int=17)), "ab?"]
    for request_id in given:
        assert len(audit.story(str(request_id)).splitlines()) == 2


@pytest.mark.parametrize("path", [None, "audit.jsonl"])
def test_two_long_ids_stay_two(path: str | None, tmp_path: Path) -> None:
    """Cut after 128 characters, requests of one batch told each other's stories."""
    ids = ["batch-" * 30 + end for end in ("7d2c", "9e1f")]
    policy = ControlPolicy(audit=AuditLogger(path and tmp_path / path))
    controlled = with_control(ScriptedChatModel(script=["a", "b"]), policy, include_result=True)

    for request_id in ids:
        result = controlled.invoke("Hello", {"metadata": {REQUEST_ID: request_id}})
        assert result.request_id == request_id
    for request_id in ids:
        assert policy.audit is not None
        assert len(policy.audit.story(request_id).splitlines()) == 3


def test_an_id_of_another_type_is_the_same_from_a_component_and_from_a_door(call: Call) -> None:
    """A component alone wrote the word `UUID` for every one."""
    audit, request_id = AuditLogger(None), uuid4()
    call(telling(), 1, {"callbacks": [audit], "metadata": {REQUEST_ID: request_id}})

    assert next(audit.to_records())["request_id"] == str(request_id)


def test_a_record_without_an_event_is_a_mistake() -> None:
    """It would be invisible in every figure."""
    with pytest.raises(ValueError, match="`event`"):
        AuditLogger(None).record({"id": "a"})


def test_content_stays_out_unless_asked_for() -> None:
    """Prompts and answers are nobody's business by default."""
    silent, open_ = AuditLogger(None), AuditLogger(None, include_content=True, max_content_chars=5)
    for audit in (silent, open_):
        audit.record(attempt(content="hello world"))

    assert "content" not in next(silent.to_records())
    assert next(open_.to_records())["content"] == "hello"


def test_metadata_stay_out_unless_asked_for(call: Call) -> None:
    """They name people."""
    audit = AuditLogger(None)
    call(telling(), 1, {"callbacks": [audit], "metadata": {"user_id": "ann"}})

    assert "metadata" not in next(audit.to_records())


def test_metadata_that_were_asked_for_say_whose_request_it_was(call: Call) -> None:
    """In every record of a controlled model, and at the head of its story."""
    audit = AuditLogger(None, metadata_keys=["user_id", "tenant", "not_there"])
    model = ScriptedChatModel(script=["", "Fine."])
    policy = ControlPolicy(audit=audit, retry={"base_delay_seconds": 0, "jitter_seconds": 0})
    config = {"metadata": {"user_id": "ann", "tenant": 7, "secret": "x", REQUEST_ID: "order-17"}}

    call(with_control(model, policy), "How are you?", config)

    told = [record["metadata"] for record in audit.to_records()]
    assert told == [{"user_id": "ann", "tenant": "7"}] * 4
    assert audit.story("order-17").startswith("request order-17; user_id ann; tenant 7\n")


def test_the_thread_of_a_graph_is_one_of_them(call: Call) -> None:
    """LangGraph says it in the metadata."""
    audit = AuditLogger(None, metadata_keys=["thread_id"])
    policy = ControlPolicy(audit=audit)
    graph = create_control_graph(
        ScriptedChatModel(script=["Fine."]), policy, checkpointer=InMemorySaver()
    )

    call(graph, {"messages": [("user", "Hi")]}, {"configurable": {"thread_id": "t-7"}})

    told = [record.get("metadata") for record in audit.to_records()]
    assert told == [{"thread_id": "t-7"}] * 2


@pytest.mark.parametrize("path", [None, "audit.jsonl"])
def test_metadata_are_kept_as_short_texts(path: str | None, tmp_path: Path) -> None:
    """What has no place in a record is only named."""
    audit = AuditLogger(path and tmp_path / path, metadata_keys=list("abcdef"))
    given = {"a": True, "b": 0.5, "c": object(), "d": ["x"], "e": "z" * 500, "f": None}
    audit.record({"event": "control.attempt", "metadata": given})  # type: ignore[typeddict-item]

    kept = next(audit.to_records())["metadata"]
    assert len(kept.pop("e")) == 128
    assert kept == {"a": "True", "b": "0.5", "c": "object", "d": "list"}
    audit.close()


def test_fields_that_are_no_audit_fields_stay_out() -> None:
    """A prompt under another name does not slip in."""
    audit = AuditLogger(None)
    audit.record(attempt(prompt="secret"))

    assert "prompt" not in next(audit.to_records())


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (float("nan"), None),
        (10**30, 2**63 - 1),
        (EventName.ATTEMPT, "control.attempt"),
        (["a", 1, object()], ["a", "1", "object"]),
        (["x"] * 1000, ["x"] * 100),
        (AIMessage("secret"), "AIMessage"),
        ({"a": {}}, "dict"),
    ],
)
def test_odd_values_become_plain_ones(path: Path, value: Any, kept: Any) -> None:
    """Nothing a field holds can keep a record out of the file, or content in it."""
    with AuditLogger(path, raise_error=True) as audit:
        audit.record(attempt(message=value))

    assert json.loads(path.read_bytes())["message"] == kept


# --- failing ------------------------------------------------------------------------------------


def test_a_record_that_is_lost_is_counted_and_told_once(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    """The run goes on; the loss stays visible in the summary; the log is not flooded."""
    audit = AuditLogger(None, sinks=[BrokenSink()])
    with caplog.at_level(logging.WARNING):
        call(telling({"id": "a"}, {"id": "b"}), 1, {"callbacks": [audit]})

    assert audit.write_errors == 2
    assert "write errors      2" in str(audit.summary())
    assert len(caplog.records) == 1
    assert "OSError" in caplog.text


def test_one_sinks_trouble_is_not_the_others() -> None:
    """Records reach the sinks behind the broken one."""
    healthy = MemorySink()
    audit = AuditLogger(None, sinks=[BrokenSink(), healthy])
    audit.record(attempt())

    assert len(healthy.records) == 1


def test_a_sink_that_cannot_be_closed_keeps_no_other_open() -> None:
    """The queue behind it lost what it held."""

    class Stuck(MemorySink):
        def close(self) -> None:
            raise PermissionError

    sink = MemorySink()
    audit = AuditLogger(None, sinks=[Stuck(), QueuedSink(sink)])
    for _ in range(20):
        audit.record(attempt())
    with pytest.raises(PermissionError):
        audit.close()

    assert len(sink.records) == 20


def test_failing_closed_stops_the_run(call: Call) -> None:
    """No answer without a record, where the application wants it so."""
    healthy = MemorySink()
    audit = AuditLogger(None, sinks=[BrokenSink(), healthy], raise_error=True)
    with pytest.raises(OSError, match="no space left"):
        call(telling(), 1, {"callbacks": [audit]})

    assert audit.write_errors == 1
    assert len(healthy.records) == 1


class OutOfReach(MemorySink):
    """A sink that cannot keep the news of a circuit, and says so as a provider would."""

    def __init__(self, error: Exception) -> None:
        """Take what to raise."""
        super().__init__()
        self.error = error

    def write(self, record: AuditRecord) -> None:
        """Refuse one kind of record."""
        if record["event"] == EventName.CIRCUIT_CHANGED:
            raise self.error
        super().write(record)


def _sink_error(cause: Exception) -> Exception:
    error = RuntimeError("the sink is down")
    error.__cause__ = cause
    return error


def _down(_: Any) -> str:
    raise ConnectionError


def _no_city(city: str) -> str:
    """Look a city up."""
    raise ConnectionError


def _of_the_model(policy: ControlPolicy) -> tuple[Any, Any]:
    return with_control(_down, policy), "Why?"


def _of_a_stand_in(policy: ControlPolicy) -> tuple[Any, Any]:
    stand_in = FallbackRouter(strategies=[("spare", RunnableLambda(_down)), ("canned", "Sorry.")])
    return with_control(lambda _: "", policy.override(fallback=stand_in)), "Why?"


def _of_a_tool(policy: ControlPolicy) -> tuple[Any, Any]:
    look_up = StructuredTool.from_function(_no_city)
    calls = [{"name": "_no_city", "args": {"city": "Oslo"}, "id": "1"}]
    model = ScriptedChatModel(script=[AIMessage("", tool_calls=calls), "fine"])
    rules = ToolPolicy(breaker=CircuitBreaker(failure_threshold=1))
    control = ControlMiddleware(policy, tool_policy=rules)
    agent = create_agent(model, [look_up], middleware=[control])
    return agent, {"messages": [("user", "Why?")]}


@pytest.mark.parametrize("circuit", [_of_the_model, _of_a_stand_in, _of_a_tool])
@pytest.mark.parametrize(
    "error", [OSError("disk full"), TimeoutError(), _sink_error(ConnectionResetError())]
)
def test_failing_closed_stops_the_run_whatever_the_sink_raises(
    call: Call, circuit: Any, error: Exception
) -> None:
    """A sink's timeout was taken for the model's, and the run went on without its record."""
    sink = OutOfReach(error)
    policy = ControlPolicy(
        audit=AuditLogger(None, sinks=[sink], raise_error=True),
        breaker=CircuitBreaker(failure_threshold=1),
        retry=RetryEngine(max_attempts=1),
        fallback=FallbackRouter(strategies=[("canned", "Sorry.")]),
    )
    runnable, given = circuit(policy)

    with pytest.raises(type(error)) as caught:
        call(runnable, given)

    assert caught.value is error
    assert sink.records[-1]["event"] == EventName.CUT_OFF


class AwayOnce(MemorySink):
    """A sink that is away when it is told of one kind of record first."""

    def __init__(self, event: EventName, error: BaseException) -> None:
        """Take what it misses, and how."""
        super().__init__()
        self.event, self.error = event, error
        self.was_away = False

    def write(self, record: AuditRecord) -> None:
        """Fail once."""
        if record["event"] == self.event and not self.was_away:
            self.was_away = True
            raise self.error
        super().write(record)


@pytest.mark.parametrize("error", [ConnectionError(), KeyboardInterrupt()], ids=repr)
def test_a_record_that_a_sink_could_not_take_may_come_again(error: BaseException) -> None:
    """What was written elsewhere by then is not written twice."""
    late, healthy = AwayOnce(EventName.FINISHED, error), MemorySink()
    audit = AuditLogger(None, sinks=[late, healthy], raise_error=True)
    end = finished()

    with pytest.raises(type(error)):
        audit.record(end)
    audit.record(end)
    audit.record(end)

    records = [list(audit.to_records()), list(late.records), list(healthy.records)]
    assert [len(kept) for kept in records] == [1, 1, 1]


def test_a_file_that_cannot_be_written_fails_the_same_way(tmp_path: Path, call: Call) -> None:
    """The file is a sink like others."""
    audit = AuditLogger(tmp_path)
    call(telling(), 1, {"callbacks": [audit]})

    assert audit.summary().write_errors == 1


def test_interrupts_are_not_write_errors() -> None:
    """Ctrl-C during a write stops the program."""

    class Interrupted(BrokenSink):
        def write(self, record: AuditRecord) -> None:
            raise KeyboardInterrupt

    audit = AuditLogger(None, sinks=[Interrupted()])
    with pytest.raises(KeyboardInterrupt):
        audit.record(attempt())


# --- asking -------------------------------------------------------------------------------------


def test_latencies_of_something_else_are_no_figures() -> None:
    """A misspelled question gets no answer to another one."""
    with pytest.raises(ValueError, match="`request` or `attempt`"):
        AuditLogger(None).latency_percentiles(of="requests")  # type: ignore[arg-type]


def test_figures_survive_a_restart(path: Path) -> None:
    """A new logger on the same file knows what the old one wrote."""
    with AuditLogger(path) as first:
        first.record(attempt("timeout", latency_ms=100))
        first.record(finished("accepted", attempts=2, latency_ms=250))
        first.record(finished("fallback", attempts=3, latency_ms=350))
    second = AuditLogger(path)

    assert second.pass_rate() == 0.5
    assert second.fallback_rate() == 0.5
    assert second.attempt_pass_rate() == 0
    assert second.failure_distribution() == {"timeout": 1}
    assert second.retry_distribution() == {1: 1, 2: 1}
    assert second.latency_percentiles() == pytest.approx({"p50": 300, "p90": 340, "p99": 349})
    assert second.latency_percentiles(of="attempt")["p50"] == 100


def test_sees_what_other_processes_append(path: Path) -> None:
    """One file, one set of figures."""
    mine, theirs = AuditLogger(path), AuditLogger(path)
    mine.record(finished())
    assert mine.summary().requests == 1

    theirs.record(finished())
    mine.refresh()
    assert mine.summary().requests == 2
    mine.close()
    theirs.close()


def test_two_loggers_on_one_file_count_an_event_once(path: Path, call: Call) -> None:
    """One in the policy and one passed at the call hear the same event."""
    first, second = AuditLogger(path), AuditLogger(path)
    call(telling(), 1, {"callbacks": [first, second]})

    assert first.summary().attempts == second.summary().attempts == 1
    assert len(path.read_bytes().splitlines()) == 1
    first.close()
    second.close()


def test_what_a_file_has_taken_is_forgotten_with_its_loggers(path: Path) -> None:
    """Nothing of a logger that is gone stays in the process."""
    with AuditLogger(path) as audit:
        audit.record(attempt())
    assert any(str(path) in file for _, file in _by_file)

    del audit
    gc.collect()
    assert not any(str(path) in file for _, file in _by_file)


def test_tells_one_request(path: Path) -> None:
    """The story is read from the file."""
    with AuditLogger(path) as audit:
        audit.record(attempt("timeout", number=1, request_id="abc"))
        audit.record(audit_record(EventName.BLOCKED, request_id="other"))

    assert "attempt 1: timeout" in audit.story("abc")
    assert "blocked" not in audit.story("abc")


def test_a_rotated_trail_is_one_trail(path: Path) -> None:
    """Figures and stories cover all files that are kept."""
    with AuditLogger(path, rotate_bytes=1, keep=5, compress=True) as audit:
        audit.record(attempt("timeout", number=1, request_id="abc"))
        audit.record(attempt(number=2, request_id="abc"))
        audit.record(finished("accepted", request_id="abc", attempts=2))

    assert len(list(path.parent.iterdir())) == 3
    assert audit.pass_rate() == 1
    assert audit.retry_distribution() == {1: 1}
    assert len(audit.story("abc").splitlines()) == 4


# --- an object like others ----------------------------------------------------------------------


def test_touches_nothing_before_the_first_record(path: Path) -> None:
    """Neither building nor asking nor closing creates the file."""
    audit = AuditLogger(path)
    audit.summary()
    audit.close()

    assert not path.exists()


def test_records_after_closing_go_on(path: Path) -> None:
    """`close` gives the file back; it does not end the trail."""
    audit = AuditLogger(path)
    audit.record(attempt())
    audit.close()
    audit.record(attempt())
    audit.close()

    assert audit.summary().attempts == 2


def test_a_pickled_copy_writes_to_the_same_file(path: Path) -> None:
    """Process pools get the configuration, and open the file for themselves."""
    audit = AuditLogger(path, include_content=True, max_content_chars=9, raise_error=True)
    audit.record(attempt())
    twin = pickle.loads(pickle.dumps(audit))
    twin.record(attempt())
    audit.close()
    twin.close()

    assert audit.summary().attempts == 2
    assert repr(twin) == repr(audit)
    assert twin.max_content_chars == 9


def test_a_deep_copy_is_the_same_logger(path: Path) -> None:
    """Copies of a policy share the trail."""
    audit = AuditLogger(path)

    assert copy.deepcopy(audit) is audit


def test_builds_from_plain_data(path: Path) -> None:
    """As a policy does from YAML."""
    data = {"path": str(path), "rotate_bytes": 10**8, "keep": 7, "metadata_keys": ["user_id"]}
    audit = AuditLogger(**data)

    assert repr(audit) == (
        f"AuditLogger({str(path)!r}, rotate_bytes=100000000, keep=7, metadata_keys=('user_id',))"
    )
    assert repr(pickle.loads(pickle.dumps(audit))) == repr(audit)


def test_shows_its_sinks() -> None:
    """The repr says where records go."""
    audit = AuditLogger(None, sinks=[MemorySink(max_records=5)], raise_error=True)

    assert repr(audit) == (
        "AuditLogger(None, sinks=[MemorySink(max_records=5, records=0)], raise_error=True)"
    )


@pytest.mark.parametrize(
    ("wrong", "error", "named"),
    [
        ({"sinks": [print]}, TypeError, "`sinks`"),
        ({"sinks": MemorySink()}, TypeError, "`sinks` must be a list"),
        ({"max_content_chars": 0}, ValueError, "`max_content_chars`"),
        ({"metadata_keys": "user_id"}, TypeError, "`metadata_keys`"),
        ({"metadata_keys": [7]}, TypeError, "`metadata_keys`"),
        ({"path": ""}, ValueError, "`path`"),
        ({"keep": 3}, ValueError, "`keep`.*`rotate_bytes`"),
        ({"path": None, "rotate_daily": True}, ValueError, "`rotate_daily`.*`path`"),
        ({"pth": "x"}, TypeError, "pth"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    wrong: dict[str, Any], error: type[Exception], named: str
) -> None:
    """At construction, by name."""
    with pytest.raises(error, match=named):
        AuditLogger(**wrong)
