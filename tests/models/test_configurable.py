"""The name of a model that the config of a run chooses: its circuit is its own."""

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.runnables import ConfigurableField, RunnableLambda

from langchain_control import (
    Bulkhead,
    CircuitBreaker,
    ControlPolicy,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.models.variants import name_of
from langchain_control.runs.results import result_of
from langchain_control.testing import ScriptedChatModel

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
