"""The run: the same luck for everybody, and an end."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks.local_model import MODEL_NAME
from benchmarks.real_model.contestants import CONTESTANTS, CONTROL, SHORT, taking_part
from benchmarks.real_model.desk import ATTEMPTS
from benchmarks.real_model.run import Bench
from benchmarks.real_model.tasks import TASKS_BY_KIND
from benchmarks.real_model.trials import Record, tallies
from langchain_control import AuditLogger
from tests.benchmarks.real_model.servers import FakeServer

MODES = ("json_schema", "json_mode")
PLAIN = {"plain": TASKS_BY_KIND["plain"][1:3]}
GOOD = {"name": "Maria Lopez", "age": 34}


async def records_of(server: FakeServer, names: Any = CONTESTANTS, **changes: Any) -> list[Record]:
    entries, _ = taking_part(names, MODES)
    settings = {"seeds": (1,), "audit": AuditLogger(None), "seconds": 60.0} | changes
    async with server.bench() as bench:
        return [record async for record in bench.run(entries, PLAIN, **settings)]


async def test_contestants_that_begin_with_a_plain_call_share_its_answer():
    """The server never sees the same request with the same seed twice."""
    server = FakeServer(lambda _: "I cannot tell.")

    records = await records_of(server)

    sent = Counter(json.dumps(body, sort_keys=True) for body in server.requests)
    assert set(sent.values()) == {1}
    firsts = {(r.contestant, r.task) for r in records if r.trial.calls}
    assert len(firsts) == len(records)
    begun_plainly = [b for b in server.requests if b["seed"] == 1000 and len(b["messages"]) == 2]
    assert [b.get("response_format") for b in begun_plainly].count(None) == 1


async def test_nobody_calls_more_often_than_the_others():
    """A name that says so may call three times; whoever is not named so, once."""
    records = await records_of(FakeServer(lambda _: "I cannot tell."))

    for name, tally in tallies(records).items():
        allowed = ATTEMPTS if name.endswith(f"x{ATTEMPTS}") else 1
        assert tally.all.calls == 2 * allowed, name


async def test_everybody_is_given_every_task_with_every_seed():
    """In the same order."""
    records = await records_of(FakeServer(lambda _: json.dumps(GOOD)), SHORT, seeds=(1, 2))

    by_contestant = {
        name: [(r.task, r.seed) for r in records if r.contestant == name] for name in SHORT
    }
    assert set(map(tuple, by_contestant.values())) == {
        (("person", 1), ("order", 1), ("person", 2), ("order", 2))
    }


async def test_a_right_answer_is_met_and_right_whoever_hands_it_on():
    """Whether as a dict or as an object."""
    records = await records_of(FakeServer(lambda _: json.dumps(GOOD)))

    of_person = [r for r in records if r.task == "person"]
    assert all(r.trial.is_met and r.trial.is_right for r in of_person)
    assert {r.contestant for r in of_person} >= {*SHORT, "LangChain json_mode x3"}


@pytest.mark.parametrize("answer", ["", "{", "[]", "null", '{"name": 1}'], ids=repr)
async def test_no_answer_ends_the_run(answer):
    """Libraries raise what they like for an answer that they cannot read."""
    records = await records_of(FakeServer(lambda _: answer))

    assert not any(record.trial.is_met for record in records)


async def test_what_the_server_refuses_is_nothing():
    """A contestant that lets the SDK's error through has no answer; the run goes on."""
    scores = tallies(await records_of(FakeServer(lambda _: 400)))

    assert all(tally.all.n == 2 and tally.all.met == 0 for tally in scores.values())
    assert scores["single call"].all.calls == 2
    assert scores[CONTROL].all.fallbacks == 2


async def test_the_audit_trail_is_that_of_the_default_control_layer():
    """One request for each of its trials."""
    audit = AuditLogger(None)

    await records_of(FakeServer(lambda _: json.dumps(GOOD)), audit=audit)

    assert audit.summary().requests == 2


async def test_when_time_is_up_no_task_is_begun(capsys):
    """The run stays within its bound and says how far it came."""
    records = await records_of(FakeServer(lambda _: json.dumps(GOOD)), seconds=-1)

    assert not records
    assert "Time is up after 0" in capsys.readouterr().err


def _with_tools(body: dict[str, Any]) -> Any:
    if "tools" not in body:
        return 400
    called = {"name": body["tools"][0]["function"]["name"], "arguments": '{"hello": "Ann"}'}
    return {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": called}]}


@pytest.mark.parametrize(
    ("answer", "modes"),
    [
        (lambda _: '{"hello": "Ann"}', {"json_schema", "json_mode"}),  # tools are not heeded
        (_with_tools, {"function_calling"}),
        (lambda _: 400, set()),
    ],
    ids=["ignores tools", "knows only tools", "refuses"],
)
async def test_a_server_has_the_modes_that_it_follows(answer, modes):
    """A server may take a parameter and do nothing about it."""
    async with FakeServer(answer).bench() as bench:
        assert await bench.modes() == modes


@pytest.mark.local_model
@pytest.mark.enable_socket
async def test_control_meets_contracts_that_single_calls_break(base_url):
    """On the same tasks and the same first seeds, the schema mode of the retry makes it."""
    audit = AuditLogger(None)
    tasks = {"plain": TASKS_BY_KIND["plain"][:3]}
    async with Bench.at(base_url, MODEL_NAME) as bench:
        entries, missing = taking_part(SHORT, await bench.modes())
        run = bench.run(entries, tasks, seeds=(1,), audit=audit, seconds=60)
        records = [record async for record in run]

    assert not missing
    scores = tallies(records)
    met = {name: scores[name].all.met for name in SHORT}
    single, blind, control, schema_mode = (met[name] for name in SHORT)
    assert control >= blind
    assert control > single
    assert schema_mode > single
    assert audit.summary().requests == 3
    assert audit.summary().accepted == control
    assert all(r.trial.calls >= 1 and r.trial.output_tokens > 0 for r in records)
