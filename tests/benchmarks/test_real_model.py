"""The contestants on the real model, on a few tasks; and their table."""

from __future__ import annotations

import io
from typing import Any

import pytest

from benchmarks import real_model
from benchmarks.local_model import MODEL_NAME, NoLocalModelError
from benchmarks.real_tasks import TASKS
from langchain_control import AuditLogger
from langchain_control.console import Console
from langchain_control.demo.contest import Trial


def test_without_a_model_it_says_so_and_goes_on(monkeypatch, capsys):
    """`make demo` must end well where there is no wheel."""

    def no_model() -> Any:
        msg = "no local language model on this platform"
        raise NoLocalModelError(msg)

    monkeypatch.setattr(real_model, "local_model", no_model)

    assert real_model.main([]) == 0
    assert "Skipped: no local language model on this platform." in capsys.readouterr().out


def test_the_table_shows_what_was_met_and_what_was_right():
    """With the number of trials beside each."""
    trial = Trial(
        is_met=True, is_right=False, is_fallback=False,
        calls=2, input_tokens=100, output_tokens=30, seconds=0.5,
    )  # fmt: skip
    out = io.StringIO()

    real_model.report({"control": [trial, trial], "nobody": []}, Console(out, rich=False))

    control = next(line for line in out.getvalue().splitlines() if line.startswith("control"))
    assert control.split() == ["control", "2/2", "0/2", "0", "0", "4", "200", "60", "30", "0.50"]


@pytest.mark.local_model
@pytest.mark.enable_socket
async def test_control_meets_contracts_that_single_calls_break(base_url, monkeypatch):
    """On the same tasks and the same first seeds, the schema mode of the retry makes it."""
    monkeypatch.setattr(real_model, "SEEDS", (1,))
    monkeypatch.setattr(real_model, "TASKS", TASKS[:3])
    audit = AuditLogger(path=None)

    trials = await real_model.run(base_url, MODEL_NAME, audit, seconds=60)

    met = {name: sum(trial.is_met for trial in those) for name, those in trials.items()}
    single, blind, control, schema_mode = met.values()
    assert control >= blind
    assert control > single
    assert schema_mode > single
    assert audit.summary().requests == len(trials["single call"]) == 3
    assert audit.summary().accepted == control
    assert all(t.calls >= 1 and t.output_tokens > 0 for those in trials.values() for t in those)


@pytest.mark.local_model
@pytest.mark.enable_socket
async def test_the_same_seed_gives_the_same_first_answer(base_url):
    """So contestants are compared on the same luck."""
    from benchmarks.metered_model import metered_model  # noqa: PLC0415  (needs langchain-openai)

    async with metered_model(base_url, MODEL_NAME, max_tokens=24) as model:
        first, second = model.starting_at(7), model.starting_at(7)
        answers = [await m.ainvoke("Name a fruit.") for m in (first, first, second)]

    assert answers[0].text == answers[2].text != answers[1].text
    assert first.meter.calls == 2
    assert first.meter.output_tokens == sum(
        answer.usage_metadata["output_tokens"] for answer in answers[:2]
    )


@pytest.mark.local_model
@pytest.mark.enable_socket
async def test_when_time_is_up_no_task_is_begun(base_url, capsys):
    """The run stays within its bound and says how far it came."""
    trials = await real_model.run(base_url, MODEL_NAME, AuditLogger(path=None), seconds=-1)

    assert all(not those for those in trials.values())
    assert "Time is up after 0" in capsys.readouterr().err
