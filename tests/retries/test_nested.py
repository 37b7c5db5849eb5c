"""Retries below ours are found before they multiply."""

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.runnables import RunnableBranch, RunnableLambda, RunnablePassthrough
from langchain_openai import ChatOpenAI

from langchain_control import with_control
from langchain_control.components.retry import RetryEngine
from langchain_control.retries.nested import nested_retries, warn_of_nested_retries
from langchain_control.testing import ScriptedChatModel


def openai(**settings):
    """A real SDK's model that is never called."""
    return ChatOpenAI(model="m", api_key="k", base_url="http://localhost:1/v1", **settings)


# Made here, because its HTTP client looks at sockets, which tests may not touch.
OPENAI, QUIET = openai(), openai(max_retries=0)
PLAIN = ScriptedChatModel(script=["hi"])


@pytest.mark.parametrize(
    ("runnable", "times"),
    [
        (PLAIN, 0),
        (RunnableLambda(str), 0),
        (QUIET, 0),
        (openai(max_retries=4), 4),
        (OPENAI, 2),
        (openai(max_retries=4).bind(stop=["x"]), 4),
        (RunnablePassthrough() | openai(max_retries=4) | RunnablePassthrough(), 4),
        (PLAIN.with_fallbacks([openai(max_retries=4)]), 4),
        (PLAIN.with_retry(stop_after_attempt=3), 2),
        (openai(max_retries=2).with_retry(stop_after_attempt=3), 8),
        (RunnablePassthrough.assign(a=openai(max_retries=4)), 4),
        (RetryEngine(max_attempts=3).wrap(PLAIN), 2),
        (with_control(PLAIN), 2),
        (with_control(PLAIN, {"retry": {"max_attempts": 1}}), 0),
        (with_control(PLAIN).with_structured_output(dict[str, int]), 2),
        (RunnablePassthrough() | with_control(PLAIN).bind(stop=["x"]), 2),
        (RetryEngine(max_attempts=3).wrap(PLAIN).bind(stop=["x"]), 2),
        (RunnableBranch((bool, openai(max_retries=4)), PLAIN), 4),
        (lambda x: x, 0),
        (None, 0),
    ],
    ids=[
        "a fake", "a function", "off", "set", "the SDK's default", "bound", "in a chain",
        "in fallbacks", "with_retry", "multiplied", "assigned", "our own", "control",
        "control without retries", "objects", "bound control", "our own, bound", "branch",
        "callable", "nothing",
    ],
)  # fmt: skip
def test_retries_below_are_counted(runnable, times):
    """However deep, and multiplied where layers lie above each other."""
    assert nested_retries(runnable) == times


def test_a_model_that_a_config_has_yet_to_name_is_taken():
    """Whatever it is asked for makes the model, which died for want of a name."""
    unnamed = init_chat_model(temperature=0)

    assert nested_retries(unnamed) == 0
    assert with_control(unnamed).bind_tools([]).model is not None


def test_the_warning_names_the_model_and_the_setting():
    """A user can act on it without reading our code."""
    with pytest.warns(UserWarning, match=r"^`ChatOpenAI` .* 3 calls: .*`max_retries=0`") as caught:
        with_control(PLAIN | OPENAI)

    assert caught[0].filename == __file__


def test_control_inside_control_is_told():
    """Nine calls came of it, and no word."""
    with pytest.warns(UserWarning, match="`ControlledModel` already retries.* 3 calls"):
        with_control(with_control(PLAIN))


def test_one_layer_of_retries_is_fine():
    """Nothing is said where nothing multiplies."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_nested_retries(QUIET)


def client_of(module, **attributes):
    """Stand for an SDK's client, which no chat model says the retries of."""
    return type("Client", (), {"__module__": module, **attributes})()


class Calling(ScriptedChatModel):
    """A chat model that leaves retries to its SDK."""

    client: Any = None
    max_retries: int | None = None


def botocore_client(retries):
    meta = SimpleNamespace(config=SimpleNamespace(retries=retries))
    return client_of("botocore.client", meta=meta)


@pytest.mark.parametrize(
    ("client", "times"),
    [
        (botocore_client({"mode": "standard"}), 2),
        (botocore_client({"mode": "legacy"}), 4),
        (botocore_client({"mode": "standard", "total_max_attempts": 1}), 0),
        (botocore_client({"mode": "standard", "total_max_attempts": 5}), 4),
        (botocore_client(None), 0),
        (client_of("cohere.client"), 2),
        (client_of("my_client"), 0),
        (None, 0),
    ],
)
def test_what_a_client_does_by_itself_is_counted(client, times):
    """Bedrock's and Cohere's clients retry, and their chat models do not say so."""
    assert nested_retries(Calling(script=[], client=client)) == times
    assert nested_retries(Calling(script=[], client=client, max_retries=0)) == 0


def test_retries_that_a_call_turns_off_are_none():
    """Cohere's client takes that with each call."""
    model = Calling(script=[], client=client_of("cohere.client"))
    quiet = model.bind(request_options={"max_retries": 0})

    assert nested_retries(quiet) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_nested_retries(quiet)


class ChatGoogleGenerativeAI(Calling):
    """As in langchain-google-genai 4.4: its SDK takes `max_retries` for a number of attempts."""

    __module__ = "langchain_google_genai.chat_models"


@pytest.mark.parametrize(("stated", "times"), [(0, 0), (1, 0), (2, 1), (6, 5)])
def test_a_setting_that_counts_attempts_is_read_as_such(stated, times):
    """One attempt is how that integration documents no retries."""
    assert nested_retries(ChatGoogleGenerativeAI(script=[], max_retries=stated)) == times


def openrouter(retry_config, **settings):
    """As in langchain-openrouter 0.2: no retries are not handed on to the client."""
    configuration = SimpleNamespace(retry_config=retry_config)
    client = client_of("openrouter.sdk", sdk_configuration=configuration)
    return Calling(script=[], client=client, **settings)


UNSET, BACKOFF = object(), object()


@pytest.mark.parametrize(
    ("model", "times"),
    [
        (openrouter(UNSET, max_retries=0), 70),
        (openrouter(BACKOFF, max_retries=1), 13),
        (openrouter(BACKOFF, max_retries=6), 25),
        (openrouter(None, max_retries=2), 0),
        (openrouter(UNSET, max_retries=0).bind(retries=None), 0),
        (openrouter(BACKOFF, max_retries=2).bind(retries=None), 0),
        (openrouter(UNSET, max_retries=0).bind(stop=["x"]), 70),
    ],
    ids=["off on the model", "once", "set", "off in the client", "off", "set, and off", "bound"],
)
def test_openrouters_client_retries_unless_it_is_told_itself(model, times):
    """It went on for an hour where its model said `max_retries=0`."""
    assert nested_retries(model) == times


@pytest.mark.parametrize(
    ("model", "switch"),
    [
        (Calling(script=[], max_retries=2), "`max_retries=0` on a model turns"),
        (ChatGoogleGenerativeAI(script=[], max_retries=2), "`max_retries=1` on a model turns"),
        (openrouter(UNSET, max_retries=0), r"`model.bind\(retries=None\)` turns"),
        (Calling(script=[], client=client_of("cohere.client")), "request_options=.*: 0.* turns"),
        (
            openrouter(UNSET, max_retries=0) | Calling(script=[], max_retries=2),
            r"`model.bind\(retries=None\)` or `max_retries=0` on a model turns",
        ),
    ],
)
def test_the_warning_says_what_helps_there(model, switch):
    """Not every client takes `max_retries=0`."""
    with pytest.warns(UserWarning, match=switch):
        warn_of_nested_retries(model)
