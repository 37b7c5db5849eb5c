"""Models that wait for a rate limit inside of a timed call are told of."""

import pytest
from langchain.agents import create_agent
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import RunnablePassthrough

from langchain_control import RateLimiter, create_control_graph, with_control
from langchain_control.middleware import ControlMiddleware
from langchain_control.testing import ScriptedChatModel

OURS = RateLimiter(requests_per_minute=600, on_limit="wait").for_model()
THEIRS = InMemoryRateLimiter(requests_per_second=100)


def in_an_agent(model):
    agent = create_agent(model, middleware=[ControlMiddleware()])
    agent.invoke({"messages": [("user", "Q?")]})


def as_other_model(model):
    with_control(ScriptedChatModel(script=["hi"]), {"retry": {"other_model": model}})


@pytest.mark.parametrize("door", [with_control, create_control_graph, in_an_agent, as_other_model])
@pytest.mark.parametrize("limiter", [OURS, THEIRS], ids=["ours", "LangChain's"])
def test_a_wait_in_the_time_of_a_call_is_told_of(door, limiter):
    """Pacing twenty calls of a provider that was well opened its circuit."""
    model = ScriptedChatModel(script=["hi"], rate_limiter=limiter)

    with pytest.warns(UserWarning, match=r"`ScriptedChatModel` waits for its `rate_limiter`"):
        door(model)


def test_however_deep():
    """A chain is called as a whole."""
    model = ScriptedChatModel(script=["hi"], rate_limiter=THEIRS)

    with pytest.warns(UserWarning, match="rate_limiter"):
        with_control(RunnablePassthrough() | model.bind(stop=["x"]))


def test_a_model_without_one_is_not_told_of():
    """Nor a policy that paces requests."""
    policy = {"limiter": {"requests_per_minute": 600, "on_limit": "wait"}}

    assert with_control(ScriptedChatModel(script=["hi"]), policy).invoke("Q?").content == "hi"
