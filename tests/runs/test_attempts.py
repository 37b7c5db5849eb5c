"""What is written down of an attempt."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_control import AuditLogger, ControlPolicy, TokenBudget
from langchain_control.events import EventName
from langchain_control.runs.attempts import sha256_of, tokens_of
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS

AT_ONCE = {"base_delay_seconds": 0, "jitter_seconds": 0}


def asked(args: Any, *, name: str = "weather", call_id: str = "1") -> list[BaseMessage]:
    """Return a conversation in which a tool was called."""
    call = {"name": name, "args": args, "id": call_id}
    answered = ToolMessage("sunny", tool_call_id=call_id)
    return [HumanMessage("And there?"), AIMessage("", tool_calls=[call]), answered]


def nested(levels: int, value: Any) -> Any:
    """Return a value within so many mappings."""
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (asked({"city": "Oslo"}), asked({"city": "Rome"})),
        (asked({"city": "Oslo"}), asked({"city": "Oslo"}, name="population")),
        (asked({"city": "Oslo"}), asked({"city": "Oslo"}, call_id="2")),
        (asked({"city": "\ud800"}), asked({"city": "\ud801"})),
        (asked({"city": b"Oslo"}), asked({"city": b"Rome"})),
        (asked({"cities": {"Oslo", "Rome"}}), asked({"cities": {"Oslo", "Bern"}})),
        (asked(nested(5000, "Oslo")), asked(nested(5000, "Rome"))),
        ([HumanMessage([nested(5000, "Oslo")])], [HumanMessage([nested(5000, "Rome")])]),
        ([HumanMessage("Hi", name="Ada")], [HumanMessage("Hi", name="Bob")]),
        ([ChatMessage("Hi", role="critic")], [ChatMessage("Hi", role="author")]),
        (
            [ToolMessage("none", tool_call_id="1", status="error")],
            [ToolMessage("none", tool_call_id="1", status="success")],
        ),
    ],
)
def test_prompts_that_differ_have_other_hashes(
    one: list[BaseMessage], other: list[BaseMessage]
) -> None:
    """Whatever a model is told of a message counts, also where JSON has no word for it."""
    assert sha256_of(one) != sha256_of(other)
    assert sha256_of(one) == sha256_of([message.model_copy() for message in one])


def test_processes_agree_on_a_hash() -> None:
    """Also on that of a set, whose order is another one in each."""
    code = (
        "from langchain_core.messages import AIMessage\n"
        "from langchain_control.runs.attempts import sha256_of\n"
        "call = {'name': 'map', 'args': {'cities': {'Oslo', 'Rome', 'Bern', 'Kyiv'}}, 'id': '1'}\n"
        "print(sha256_of([AIMessage('', tool_calls=[call])]))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(hashes) == 1


PROMPT = [HumanMessage("Which city is the capital of France?")]
PARIS = {"name": "weather", "args": {"city": "Paris"}, "id": "1"}


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 0, "output_tokens": 0}])
@pytest.mark.parametrize(
    "answer",
    [
        AIMessage("It is Paris."),
        AIMessage("", tool_calls=[PARIS]),
        AIMessage([{"type": "reasoning", "reasoning": "It is Paris."}]),
    ],
    ids=["text", "a call of a tool", "reasoning"],
)
def test_what_was_said_has_tokens(answer: AIMessage, usage: Any) -> None:
    """Limits hold, whatever a provider leaves out of its report."""
    told = answer.model_copy(update={"usage_metadata": usage})

    tokens = tokens_of(told, PROMPT, TokenBudget())

    assert tokens == tokens_of(answer, PROMPT, TokenBudget())
    assert min(tokens) > 0


@pytest.mark.parametrize("said", [None, 7])
@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
def test_what_is_reported_counts_beside_what_is_not(field: str, said: int | None) -> None:
    """A part that is missing, or `None`, is counted, and loses no answer."""
    answer = AIMessage("Paris")
    answer.usage_metadata = {field: said}  # type: ignore[typeddict-item,misc]
    counted = dict(zip(["input_tokens", "output_tokens"], (14, 1), strict=True))

    tokens = tokens_of(answer, PROMPT, TokenBudget(counter=lambda text: len(text.split())))

    assert tokens == tuple((counted | ({field: said} if said else {})).values())


def test_an_empty_answer_has_none() -> None:
    """Its framing is not its own."""
    assert tokens_of(AIMessage(""), PROMPT, TokenBudget())[1] == 0


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_retry_that_is_due_is_told_with_its_reason(door) -> None:
    """After which failure, and whether the prompt changes, as where an engine wraps a model."""
    audit = AuditLogger(None)
    model = ScriptedChatModel(script=[ConnectionError(), "no", '{"a": 1}'])

    door(model, ControlPolicy(validator={"required_keys": ["a"]}, retry=AT_ONCE, audit=audit))

    told = [r for r in audit.to_records() if r["event"] == EventName.RETRY_SCHEDULED]
    assert [(r["number"], r["failure_mode"], r["strategy"], r.get("mutation")) for r in told] == [
        (2, "model_error", "simple", None),
        (3, "schema_violation", "prompt_mutation", "schema_violation"),
    ]


class Tags(BaseCallbackHandler):
    """Keeps the tags of model calls."""

    run_inline: ClassVar[bool] = True

    def __init__(self) -> None:
        """Start with none."""
        self.of_calls: list[list[str]] = []

    def on_chat_model_start(self, *_: Any, tags: list[str], **__: Any) -> None:
        """Keep those of a call."""
        self.of_calls.append([tag for tag in tags if tag.startswith("retry")])


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_calls_of_later_attempts_are_tagged(door) -> None:
    """A trace tells them from first attempts as it does with LangChain's `with_retry`."""
    tags = Tags()
    model = ScriptedChatModel(script=[ConnectionError(), "no", "yes"], callbacks=[tags])

    door(model, ControlPolicy(validator={"must_contain": ["yes"]}, retry=AT_ONCE))

    assert tags.of_calls == [[], ["retry:attempt:2"], ["retry:attempt:3"]]


@pytest.mark.parametrize(
    ("answered", "models"),
    [("gpt-4o-2024-08-06", ["gpt-4o", "gpt-4o"]), ("gpt-5", ["gpt-4o", "gpt-5"])],
    ids=["a snapshot", "another model"],
)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_failures_and_answers_of_a_model_have_one_name(door, answered, models) -> None:
    """Its rate of failures can be read from the trail; the end says who answered exactly."""
    audit = AuditLogger(None)
    answer = AIMessage("yes", response_metadata={"model_name": answered})
    model = ScriptedChatModel(script=[ConnectionError(), answer], model_name="gpt-4o")

    result = door(model, ControlPolicy(retry=AT_ONCE, audit=audit))

    *told, end = (r for r in audit.to_records() if r["event"] != EventName.RETRY_SCHEDULED)
    assert [record["model"] for record in told] == models
    assert end["model"] == result.model == answered


def test_a_snapshot_may_have_a_price_of_its_own() -> None:
    """So may its model: the dated name comes first."""
    price = {"input_per_million": 1_000_000, "output_per_million": 0}
    limits = {"prices": {"m-2026-01-01": price, "m": {**price, "input_per_million": 0}}}
    answer = AIMessage(
        "yes",
        response_metadata={"model_name": "m-2026-01-01"},
        usage_metadata={"input_tokens": 3, "output_tokens": 1, "total_tokens": 4},
    )
    model = ScriptedChatModel(script=[answer], model_name="m")

    assert DOORS[0](model, ControlPolicy(usage_limits=limits)).cost == 3
