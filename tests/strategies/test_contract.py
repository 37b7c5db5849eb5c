"""What may be a strategy, and what it is given."""

import functools

import pytest
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda

from langchain_control.components.breaker import CircuitBreaker
from langchain_control.errors import CircuitOpen
from langchain_control.strategies import (
    CannedAnswer,
    FallbackRequest,
    FallbackStrategy,
    LastGoodAnswer,
    RemembersAnswers,
    TemplateAnswer,
    other_model,
)
from langchain_control.strategies.function import from_function, is_strategy
from langchain_control.testing import ScriptedChatModel

REQUEST = FallbackRequest((HumanMessage("Why?"),), request_id="r1")


class Bot:
    """Objects and their methods are strategies like functions."""

    def __call__(self, question):
        """Answer as an object."""
        return f"object {question}"

    def method(self, question, request):
        """Answer as a method."""
        return f"method {question} {request.request_id}"

    async def later(self, question):
        """Answer as an async method."""
        return f"later {question}"


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (lambda q: f"one {q}", "one Why?"),
        (lambda q, r: f"two {q} {r.request_id}", "two Why? r1"),
        (lambda q, r="default": f"optional {q} {r}", "optional Why? default"),
        (lambda *args: f"any {len(args)}", "any 1"),
        (lambda q, *, upper=True: f"keyword {q} {upper}", "keyword Why? True"),
        (Bot(), "object Why?"),
        (Bot().method, "method Why? r1"),
        (functools.partial(lambda tone, q: f"{tone} {q}", "kind"), "kind Why?"),
        (str.upper, "WHY?"),
    ],
    ids=["one", "two", "optional", "any", "keyword", "object", "method", "partial", "builtin"],
)
def test_a_function_gets_what_it_requires(call, function, answer):
    """The question always, the request only where a second argument is required."""
    assert is_strategy(function)
    assert call(from_function(function, "f"), REQUEST) == answer


async def test_async_functions_are_awaited():
    """An async method is as good as a function."""
    assert await from_function(Bot().later, "f").ainvoke(REQUEST) == "later Why?"


@pytest.mark.parametrize(
    "other",
    [lambda: 1, lambda a, b, c: 1, lambda q, *, must: 1, 3, None, "text"],
    ids=["nothing", "three", "keyword", "number", "None", "text"],
)
def test_anything_else_is_no_function_of_a_question(other):
    """What cannot be called with a question is told before it is needed."""
    assert not is_strategy(other)


def test_a_run_carries_the_name_of_its_strategy():
    """Traces show which strategy ran."""
    assert from_function(str.upper, "shout").get_name() == "shout"


@pytest.mark.parametrize(
    "strategy", [CannedAnswer("a"), TemplateAnswer("a"), LastGoodAnswer()], ids=repr
)
def test_the_built_in_strategies_keep_the_contract(call, strategy):
    """Each can be asked with question and request, and answers with a message or passes."""
    assert isinstance(strategy, FallbackStrategy)
    assert isinstance(call(from_function(strategy, "s"), REQUEST), AIMessage | None)


def test_only_a_memory_remembers():
    """Accepted answers are told to those who learn from them."""
    assert isinstance(LastGoodAnswer(), RemembersAnswers)
    assert not isinstance(CannedAnswer("a"), RemembersAnswers)
    assert not isinstance(ScriptedChatModel(script=[]), RemembersAnswers)


@pytest.mark.parametrize(
    ("messages", "question"),
    [
        ((), ""),
        ((SystemMessage("s"),), ""),
        ((HumanMessage("a"), AIMessage("b")), "a"),
        ((HumanMessage("a"), AIMessage("b"), HumanMessage("c")), "c"),
        ((HumanMessage([{"type": "text", "text": "a"}]),), "a"),
    ],
    ids=str,
)
def test_the_question_is_the_last_human_message(messages, question):
    """What came after it is not the user's."""
    assert FallbackRequest(messages).question == question


def test_another_model_is_asked_like_the_first(call):
    """Any model or function of messages will do."""
    assert call(other_model(ScriptedChatModel(script=["hi"])), [HumanMessage("Why?")]).text == "hi"
    assert call(other_model(lambda messages: "hi"), [HumanMessage("Why?")]) == "hi"


def test_another_model_has_a_circuit_of_its_own(call):
    """A dead fallback is not waited for by every request of an outage."""
    reached = []

    def dead(messages):
        reached.append(messages)
        raise ModelAPIError

    backup = other_model(RunnableLambda(dead), breaker=CircuitBreaker(failure_threshold=1))

    with pytest.raises(ModelAPIError):
        call(backup, "Why?")
    with pytest.raises(CircuitOpen):
        call(backup, "Why?")
    assert len(reached) == 1
