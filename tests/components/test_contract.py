"""What every component promises, whatever it does."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any, NamedTuple

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import ValidationError

from docs.tables import attribute_docstrings
from langchain_control import (
    AuditLogger,
    CircuitBreaker,
    ControlPolicy,
    FallbackRouter,
    InputGuard,
    PromptBuilder,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    TokenBudget,
    with_control,
)
from langchain_control.testing import ScriptedChatModel


def answer(_):
    return "an answer"


ATTEMPT = {
    "number": 1,
    "model": "m",
    "failure_mode": "timeout",
    "message": "",
    "latency_ms": 1.0,
    "input_tokens": 0,
    "output_tokens": 0,
    "strategy": "none",
    "mutation": None,
}


class Case(NamedTuple):
    """A component, something it accepts, and a setting to change."""

    component: Any
    given: Any
    setting: str
    value: Any


CASES = [
    Case(InputGuard(max_chars=100), "What is LCEL?", "max_chars", 7),
    Case(TokenBudget(total_tokens=90), "What is LCEL?", "total_tokens", 70),
    Case(PromptBuilder(system_prompt="Be brief."), "What is LCEL?", "system_prompt", "Be kind."),
    Case(ResponseValidator(min_length=2), AIMessage("fine"), "min_length", 3),
    Case(CircuitBreaker(name="a"), "anything", "failure_threshold", 9),
    Case(RetryEngine(max_attempts=2, jitter_seconds=0), [ATTEMPT], "max_attempts", 4),
    Case(FallbackRouter(strategies=[("answer", answer)]), "Q?", "answer_blocked_input", True),
    Case(RateLimiter(requests_per_minute=1000), "anything", "requests_per_minute", 2000),
    Case(
        with_control(ScriptedChatModel(script=answer), ControlPolicy()),
        "What is LCEL?",
        "include_result",
        True,
    ),
]


@pytest.fixture(params=CASES, ids=lambda c: type(c.component).__name__)
def case(request):
    """One component after the other."""
    return request.param


def same(left, right):
    def plain(value):
        return getattr(value, "content", value)

    return plain(left) == plain(right)


def test_sync_and_async_agree(case):
    """`invoke`, `ainvoke`, `batch`, `abatch`, `stream` and `astream` give the same."""
    component, given = case.component, case.given
    expected = component.invoke(given)

    async def collect():
        return [chunk async for chunk in component.astream(given)]

    assert same(expected, asyncio.run(component.ainvoke(given)))
    assert all(same(expected, got) for got in component.batch([given, given]))
    assert all(same(expected, got) for got in asyncio.run(component.abatch([given, given])))
    assert [same(expected, c) for c in component.stream(given)] == [True]
    assert [same(expected, c) for c in asyncio.run(collect())] == [True]


class Runs(BaseCallbackHandler):
    """Notes which runs start, and under which tags."""

    def __init__(self):
        self.seen = []

    def on_chain_start(self, serialized, inputs, *, tags=None, name=None, metadata=None, **kwargs):
        self.seen.append((name, "mine" in (tags or []), (metadata or {}).get("k")))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_config_is_propagated(case, asynchronous):
    """Callbacks, tags, metadata and run name reach the component's own run."""
    runs = Runs()
    config = {"callbacks": [runs], "tags": ["mine"], "metadata": {"k": 1}, "run_name": "step"}

    if asynchronous:
        asyncio.run(case.component.ainvoke(case.given, config))
    else:
        case.component.invoke(case.given, config)

    assert ("step", True, 1) in runs.seen


def test_it_works_in_a_chain(case):
    """A component pipes with `|` on both sides."""
    chain = RunnableLambda(lambda x: x) | case.component | RunnableLambda(lambda x: x)

    assert same(case.component.invoke(case.given), chain.invoke(case.given))


def test_a_setting_can_be_configured_at_run_time(case):
    """`configurable_fields` changes a setting for one call and leaves the component alone."""
    field = ConfigurableField(id="setting")
    configurable = case.component.configurable_fields(**{case.setting: field})
    before = getattr(case.component, case.setting)

    prepared, _ = configurable.prepare({"configurable": {"setting": case.value}})

    assert getattr(prepared, case.setting) == case.value
    assert getattr(case.component, case.setting) == before
    configurable.invoke(case.given)


def test_it_is_frozen(case):
    """Settings do not change after construction."""
    with pytest.raises(ValidationError):
        setattr(case.component, case.setting, case.value)


def test_unknown_fields_are_refused(case):
    """A misspelt setting is an error that names it."""
    with pytest.raises(ValidationError, match="no_such_setting"):
        case.component.override(no_such_setting=1)


def test_override_changes_one_setting(case):
    """`override` returns a validated copy and shares what changes at run time."""
    changed = case.component.override(**{case.setting: case.value})

    assert getattr(changed, case.setting) == case.value
    for name, field in type(changed).model_fields.items():
        if field.default_factory is not None and name in {"store", "clock", "random"}:
            assert getattr(changed, name) is getattr(case.component, name)


def test_it_is_picklable_and_copyable(case):
    """A component can be pickled and deep-copied, and still works."""
    for again in (pickle.loads(pickle.dumps(case.component)), copy.deepcopy(case.component)):
        assert same(case.component.invoke(case.given), again.invoke(case.given))


def test_it_describes_its_input_and_output(case):
    """JSON Schemas of input and output can be made, and say more than a title where types do."""
    says_nothing = case.component.InputType is Any

    assert bool(case.component.get_input_jsonschema().keys() - {"title"}) != says_nothing
    assert isinstance(case.component.get_output_jsonschema(), dict)


def test_its_repr_is_readable(case):
    """A repr names the component and holds no addresses."""
    shown = repr(case.component)

    assert shown.startswith(type(case.component).__name__)
    assert " at 0x" not in shown
    assert len(shown) < 400


def test_it_can_be_described_to_langchain(case):
    """`dumpd` names the class by its real module."""
    assert dumpd(case.component)["id"][-1] == type(case.component).__name__


def test_its_settings_say_what_they_mean(case):
    """Every setting has a docstring."""
    meanings = attribute_docstrings(type(case.component))

    assert set(type(case.component).model_fields) - set(meanings) <= {"name", "model", "policy"}


def test_a_chain_of_components_around_a_model(call):
    """Guard, prompt, model and validator work as plain pipe stages, without the rest."""
    prompt = ChatPromptTemplate.from_messages([("human", "{question}")])
    model = ScriptedChatModel(script=lambda _: '```json\n{"n": 1}\n```')
    chain = InputGuard() | prompt | model | ResponseValidator(required_keys=["n"])

    assert call(chain, {"question": "How many?"}).content == '{"n":1}'


def test_the_listener_is_a_callback_handler(tmp_path):
    """The logger goes where LangChain's callbacks go."""
    audit = AuditLogger(tmp_path / "audit.jsonl")
    assert isinstance(audit, BaseCallbackHandler)
    assert "audit.jsonl" in repr(audit)


@pytest.mark.parametrize("kind", [CircuitBreaker, RetryEngine, FallbackRouter])
def test_what_is_wrapped_is_described_as_before(kind):
    """LangChain's own wrappers hide neither inputs nor prompts nor what can be configured."""
    model = ScriptedChatModel(script=["hi"])
    chosen = model.configurable_fields(model_name=ConfigurableField(id="which"))
    chain = ChatPromptTemplate.from_messages([("human", "{city}")]) | chosen

    wrapped = kind().wrap(chain)

    assert wrapped.get_input_jsonschema() == chain.get_input_jsonschema()
    assert wrapped.get_output_jsonschema() == chain.get_output_jsonschema()
    assert [spec.id for spec in wrapped.config_specs] == ["which"]
    assert wrapped.get_prompts() == chain.get_prompts()
