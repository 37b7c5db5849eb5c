"""What strict handlers of an application's own raise is no failure of a model."""

import asyncio

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.tools import tool

from langchain_control import CircuitBreaker, ControlPolicy, FallbackRouter, with_control
from langchain_control.errors import classify
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS


class Billing(BaseCallbackHandler):
    """Fails where the database of an application is away."""

    raise_error = True

    def __init__(self, hears, error):
        """Fail at this event."""
        setattr(self, hears, self._fail)
        self._error = error

    def _fail(self, *_args, **_kwargs):
        raise self._error


class AsyncBilling(AsyncCallbackHandler):
    """The same with an async client."""

    raise_error = True

    async def on_llm_end(self, *_args, **_kwargs):
        """Fail."""
        raise TimeoutError


def policy():
    """A policy that has something for every failure of a model."""
    return ControlPolicy(
        breaker=CircuitBreaker(failure_threshold=1),
        retry={"base_delay_seconds": 0, "jitter_seconds": 0},
        fallback=FallbackRouter(strategies=[("canned", "Sorry.")]),
    )


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("error", [TimeoutError, ConnectionError, KeyError])
@pytest.mark.parametrize(
    ("hears", "calls"), [("on_chat_model_start", 0), ("on_llm_end", 1)], ids=["start", "end"]
)
def test_a_strict_handler_ends_the_run(door, error, hears, calls):
    """No call is repeated for it, no fallback answers, and the model's circuit stays closed."""
    rules, model = policy(), ScriptedChatModel(script=lambda _: "fine", model_name="m")
    model.callbacks = [Billing(hears, error)]

    with pytest.raises(error):
        door(model, rules)

    assert len(model.calls) == calls
    assert rules.breaker.state("m") == "closed"


@pytest.mark.parametrize("handler", [Billing("on_llm_end", TimeoutError), AsyncBilling()])
def test_so_does_one_of_an_async_call(handler):
    """LangChain tells async handlers elsewhere."""
    model = ScriptedChatModel(script=lambda _: "fine")

    with pytest.raises(TimeoutError):
        asyncio.run(with_control(model, policy()).ainvoke("hi", {"callbacks": [handler]}))
    assert len(model.calls) == 1


def test_what_a_model_raises_stays_its_own_where_a_handler_hears_of_it():
    """Telling handlers of an error is not their error."""
    model = ScriptedChatModel(script=[TimeoutError(), "fine"])
    heard = BaseCallbackHandler()

    assert with_control(model, policy()).invoke("hi", {"callbacks": [heard]}).text == "Sorry."


def test_a_model_that_a_handler_asks_fails_by_itself():
    """Whoever calls a model within a handler may classify what it raises."""
    modes = []

    class Asking(BaseCallbackHandler):
        def on_tool_start(self, *_args, **_kwargs):
            try:
                ScriptedChatModel(script=[TimeoutError()]).invoke("hi")
            except TimeoutError as exc:
                modes.append(classify(exc))

    tool(lambda x: x, description="Echo.").invoke({"x": "1"}, {"callbacks": [Asking()]})

    assert modes == ["timeout"]


class Repeating(BaseCallbackHandler):
    """Raises what it is told of, as some do that only want it logged."""

    def on_llm_error(self, error, **_kwargs):
        """Raise the error of the model once more."""
        raise error


class AsyncRepeating(AsyncCallbackHandler):
    """The same, async."""

    async def on_llm_error(self, error, **_kwargs):
        """Raise the error of the model once more."""
        raise error


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("handler", [Repeating, AsyncRepeating])
def test_a_handler_that_repeats_the_models_error_changes_nothing(door, handler):
    """It is the model's: it is tried again, and a fallback answers."""
    model = ScriptedChatModel(script=lambda _: TimeoutError(), model_name="m")
    model.callbacks = [handler()]
    rules = policy().override(breaker=CircuitBreaker())

    door(model, rules)

    assert len(model.calls) == rules.retry.max_attempts
