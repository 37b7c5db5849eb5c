"""The name of a model that the config of a run chooses: its circuit is its own."""

import pytest
from langchain.chat_models import base, init_chat_model
from langchain_core.caches import InMemoryCache
from langchain_core.runnables import ConfigurableField, RunnableLambda

from langchain_control import (
    Bulkhead,
    CircuitBreaker,
    ControlPolicy,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.models import fresh
from langchain_control.models.fresh import without_cache
from langchain_control.models.variants import name_of
from langchain_control.runs.results import result_of
from langchain_control.testing import ScriptedChatModel
from tests.openai_provider import Provider
from tests.scenarios import AT_ONCE, CITY

GOOD = {"configurable": {"model": "good"}}
BAD = {"configurable": {"model": "bad"}}


def scripted(name):
    reply = ConnectionError() if name == "bad" else f"I am {name}."
    return ScriptedChatModel(script=lambda _: reply, model_name=name)


def alternatives():
    """Two models, the bad one by default."""
    field = ConfigurableField(id="model")
    return scripted("bad").configurable_alternatives(
        field, default_key="bad", good=scripted("good")
    )


def opened_ai(monkeypatch):
    """What `init_chat_model` makes, which knows its model when it is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    return init_chat_model("bad", model_provider="openai", configurable_fields=("model",))


@pytest.fixture
def policy():
    return ControlPolicy(
        breaker=CircuitBreaker(failure_threshold=1),
        retry=RetryEngine(max_attempts=1),
        bulkhead=Bulkhead(max_concurrent=1),
    )


def by_lcel(model, policy):
    chain = with_control(model, policy, include_result=True)
    return chain.invoke


def by_graph(model, policy):
    graph = create_control_graph(model, policy)
    return lambda text, config: result_of(graph.invoke({"messages": [("user", text)]}, config))


@pytest.mark.parametrize("door", [by_lcel, by_graph])
@pytest.mark.parametrize("dress", [lambda m: m, lambda m: m.with_config(tags=["x"])])
def test_an_outage_of_one_model_leaves_the_others_alone(policy, door, dress):
    """Each has a circuit of its own, under the name that the attempts and the trail tell."""
    ask = door(dress(alternatives()), policy)

    assert ask("Who?", BAD).failure_mode == "model_error"
    assert ask("Who?", BAD).failure_mode == "circuit_open"
    answered = ask("Who?", GOOD)

    assert (answered.status, answered.model) == ("accepted", "good")
    assert set(policy.breaker.snapshot()) == {"default:bad", "default:good"}


def test_the_models_of_init_chat_model_are_told_apart(monkeypatch):
    """By the config, also behind what is bound to them; what cannot be made has a name as well."""
    model = opened_ai(monkeypatch)

    assert name_of(model) == "bad"
    assert name_of(model.bind(stop=["x"]), GOOD) == "good"
    assert name_of(model.with_config(GOOD)) == "good"
    assert name_of(init_chat_model(configurable_fields="any")) == "_ConfigurableModel"


def test_configurable_fields_are_told_apart():
    """A model whose name is a field goes by what the config says."""
    model = scripted("one").configurable_fields(model_name=ConfigurableField(id="model"))

    assert (name_of(model), name_of(model, GOOD)) == ("one", "good")
    assert name_of(model | str, GOOD) == "good"


def test_functions_go_by_their_names():
    """Of a lambda nobody knows one, unless it is given."""

    def ask(messages):
        return messages

    assert name_of(RunnableLambda(ask)) == "ask"
    assert name_of(RunnableLambda(lambda m: m, name="small")) == "small"


def ask(messages):
    return messages


@pytest.mark.parametrize(
    "dress",
    [
        lambda one: one.with_fallbacks([scripted("spare")]),
        lambda one: one.with_retry(),
        lambda one: one.with_retry().with_config(tags=["x"]),
        lambda one: CircuitBreaker().wrap(one),
        lambda one: CircuitBreaker().wrap(one.with_fallbacks([scripted("spare")])),
    ],
    ids=["fallbacks", "retry", "bound retry", "our own", "our own around fallbacks"],
)
def test_what_surrounds_a_model_goes_by_its_name(dress):
    """Different models shared one circuit and one bulkhead under the name of a class."""
    assert name_of(dress(scripted("one"))) == "one"
    assert name_of(RunnableLambda(ask) | dress(scripted("one"))) == "one"
    assert name_of(dress(RunnableLambda(ask))) == "ask"
    assert name_of(dress(alternatives()), GOOD) == "good"


@pytest.mark.parametrize(
    "dress", [lambda m: m.with_fallbacks([m]), lambda m: m.with_retry(stop_after_attempt=1)]
)
def test_an_outage_of_a_model_with_a_spare_leaves_the_others_alone(policy, dress):
    """A provider that is well was refused by the circuit of one that was down."""
    down, well = (by_lcel(dress(scripted(name)), policy) for name in ("bad", "good"))

    assert down("Who?").failure_mode == "model_error"
    assert well("Who?").status == "accepted"


FIELD = {"model_name": ConfigurableField(id="model")}


@pytest.mark.parametrize(
    "dress",
    [
        lambda model: model.configurable_fields(**FIELD),
        lambda model: model.configurable_alternatives(ConfigurableField(id="llm"), other=model),
        lambda model: model.configurable_fields(**FIELD).with_config(tags=["x"]),
        lambda model: model.configurable_fields(**FIELD).with_fallbacks([model]),
    ],
    ids=["fields", "alternatives", "bound", "fallbacks"],
)
def test_a_retry_of_a_chosen_model_has_the_same_remedies(call, dress):
    """It was asked the very same again, with the limit that had cut it off."""
    provider = Provider({"content": '{"city": ', "finish_reason": "length"}, '{"city": "Paris"}')
    model = dress(provider.model(max_tokens=10, seed=3, temperature=0))
    rules = ControlPolicy(validator={"response_schema": CITY}, retry=AT_ONCE)

    assert call(with_control(model, rules), "Which city?").additional_kwargs["parsed"]

    _, sent = provider.requests
    assert sent["response_format"]["type"] == "json_schema"
    assert (sent["max_completion_tokens"], sent["seed"], sent["temperature"]) == (20, 4, 0.2)


@pytest.mark.parametrize("configured", [{}, {"model_provider": "openai", "temperature": 0}])
def test_what_init_chat_model_makes_is_asked_anew(monkeypatch, configured):
    """With LangChain's cache on, a rejected answer came back for ever."""
    made = []

    def make(model, **settings):
        made.append(settings)
        return ScriptedChatModel(script=["prose", "{}"][len(made) > 2 :], model_name=model)

    monkeypatch.setattr(base, "_init_chat_model_helper", make)
    monkeypatch.setattr(fresh, "get_llm_cache", InMemoryCache)
    model = init_chat_model(**configured)
    rules = ControlPolicy(validator={"must_be_json": True}, retry=AT_ONCE)
    [*_, last] = with_control(model, rules, include_result=True).invoke("?", GOOD).attempts
    assert last["failure_mode"] == "none"
    assert without_cache(RunnableLambda(ask) | model, GOOD).last.cache is False
