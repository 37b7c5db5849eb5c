"""What of a model's settings a retry changes, and where."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_control.models.settings import unwrapped, varied
from langchain_control.testing import ScriptedChatModel


class Seeded(ScriptedChatModel):
    """A model that states what a retry may change."""

    seed: int | None = None
    random_seed: int | None = None
    temperature: float | None = None


def settings(model):
    """What a call of the model would be made with, of fields and of call arguments."""
    chat_model, bound = unwrapped(model)
    names = ("seed", "random_seed", "temperature", "max_tokens")
    return {n: getattr(chat_model, n, None) for n in names}, bound


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"seed": 7}, {"seed": 9}),
        ({"seed": 0}, {"seed": 2}),
        ({"random_seed": 7}, {"random_seed": 9}),
        ({"temperature": 0}, {"temperature": 0.4}),
        ({"temperature": 0.3}, {"temperature": 0.4}),
        ({"temperature": 0.7}, {"temperature": 0.7}),
        ({"seed": True}, {"seed": True}),
        ({}, {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("bound", [False, True], ids=["field", "call argument"])
def test_a_new_draw_takes_another_seed_and_some_temperature(stated, expected, bound):
    """Where the model states them, on itself or for a call; nothing is added or lowered."""
    made = (
        Seeded(script=[]).bind(**stated) if bound else Seeded(script=[]).model_copy(update=stated)
    )

    fields, arguments = settings(varied(made, resamples=2))

    nothing = dict.fromkeys(("seed", "random_seed", "temperature", "max_tokens"))
    assert (fields, arguments) == ((nothing, expected) if bound else (nothing | expected, {}))


def test_the_temperature_stays_within_what_models_take():
    """However many draws there were."""
    fields, _ = settings(varied(Seeded(script=[], temperature=0), resamples=99))

    assert fields["temperature"] == 1.0


def test_a_model_that_knows_no_seed_is_sent_none():
    """Some providers refuse what they do not know."""
    model = ScriptedChatModel(script=[])

    assert varied(model, resamples=1) is model


@pytest.mark.parametrize("name", ["max_tokens", "max_output_tokens", "maxTokens", "num_predict"])
def test_the_answer_limit_grows_under_its_own_name(name):
    """Providers call it by different names."""
    _, bound = settings(
        varied(ScriptedChatModel(script=[]).bind(**{name: 10}), answer_limit_factor=2.5)
    )

    assert bound == {name: 25}


@pytest.mark.parametrize("name", ["max_completion_tokens", "max_output_tokens", "maxTokens"])
def test_a_limit_of_calls_grows_whatever_the_models_field_is_called(name):
    """The call is made with the one that is bound."""
    made = ScriptedChatModel(script=[], max_tokens=100).bind(**{name: 50})

    fields, bound = settings(varied(made, answer_limit_factor=2))

    assert (fields["max_tokens"], bound) == (100, {name: 100})


@pytest.mark.parametrize("limit", [None, 0, -1])
def test_where_there_is_no_limit_none_is_set(limit):
    """-1 means endless to some."""
    model = ScriptedChatModel(script=[], max_tokens=limit)

    assert varied(model, answer_limit_factor=2) is model


def test_a_call_argument_goes_before_the_field():
    """It does in the call, too; the other stays as it is."""
    fields, bound = settings(varied(Seeded(script=[], seed=1).bind(seed=5), resamples=1))

    assert (fields["seed"], bound) == (1, {"seed": 6})


def test_the_config_of_the_model_is_kept():
    """Tags and names of `with_config` stay on the changed model."""
    model: Any = Seeded(script=[], seed=1).with_config(tags=["mine"])

    changed: Any = varied(model, resamples=1)

    assert changed.config["tags"] == ["mine"]
    assert changed.bound.seed == 2


def test_the_model_itself_is_not_changed():
    """The next request begins where this one did."""
    model = Seeded(script=[], seed=1)
    varied(model, resamples=1)

    assert model.seed == 1


def test_what_is_no_chat_model_is_left_alone():
    """A chain has no settings of its own."""
    chain = RunnableLambda(str)

    assert varied(chain, answer_limit_factor=2, resamples=1) is chain
