"""Repeating an answer that was good before."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import dynamic_prompt
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import ensure_config

from langchain_control import (
    ControlMiddleware,
    ControlPolicy,
    FallbackRouter,
    create_control_graph,
    with_control,
)
from langchain_control.strategies import FallbackRequest, LastGoodAnswer
from langchain_control.strategies.last_good import same_request
from langchain_control.testing import ManualClock, ScriptedChatModel


def asked(*texts):
    """Messages of a user."""
    return tuple(HumanMessage(text) for text in texts)


def request(*texts, **parts):
    """What a fallback is asked after these messages."""
    return FallbackRequest(asked(*texts), **parts)


def recalled(strategy, *texts):
    """What the strategy answers to these messages."""
    answer = strategy("", request(*texts))
    return None if answer is None else answer.text


def filled(*texts, **settings):
    """A memory of answers, each the upper case of its question."""
    strategy = LastGoodAnswer(**settings)
    for text in texts:
        strategy.remember(request(text), AIMessage(text.upper()))
    return strategy


def test_it_repeats_the_last_answer():
    """The newest good answer to the same messages counts."""
    strategy = filled("why")
    strategy.remember(request("why"), AIMessage("because"))

    assert recalled(strategy, "why") == "because"


@pytest.mark.parametrize("content", ["5", [{"type": "text", "text": "5"}]])
def test_it_shares_nothing_with_what_it_was_told_or_gives(content):
    """Who changes an answer changes their own."""
    strategy = LastGoodAnswer()
    told = AIMessage(content, additional_kwargs={"parsed": {"total": 5}})
    strategy.remember(request("why"), told)

    for answer in (told, strategy("", request("why"))):
        answer.additional_kwargs["parsed"]["total"] = 7
        if isinstance(answer.content, list):
            answer.content[0]["text"] = "7"

    kept = strategy("", request("why"))
    assert (kept.text, kept.additional_kwargs) == ("5", {"parsed": {"total": 5}})


def test_it_passes_on_what_it_has_not_seen():
    """Another question, another history: no answer."""
    strategy = filled("why")

    assert recalled(strategy, "how") is None
    assert recalled(strategy, "hello", "why") is None


def test_an_answer_grows_too_old():
    """Age is bounded, to the second."""
    clock = ManualClock()
    strategy = filled("why", max_age_seconds=60, clock=clock)
    clock.advance(59)
    assert recalled(strategy, "why") == "WHY"

    clock.advance(1)
    assert recalled(strategy, "why") is None
    assert len(strategy) == 0


def test_age_may_be_unbounded():
    """Some answers never change."""
    clock = ManualClock()
    strategy = filled("why", max_age_seconds=None, clock=clock)
    clock.advance(1e9)

    assert recalled(strategy, "why") == "WHY"


def test_the_least_recently_used_goes_first():
    """Memory is bounded; being asked for keeps an answer alive."""
    strategy = filled("a", "b", max_entries=2)
    recalled(strategy, "a")
    strategy.remember(request("c"), AIMessage("C"))

    assert [recalled(strategy, text) for text in "abc"] == ["A", None, "C"]
    assert len(strategy) == 2


def test_an_answer_that_is_given_again_is_the_newest():
    """What a model still answers is kept as what is asked for."""
    strategy = filled("a", "b", "a", "c", max_entries=2)

    assert [recalled(strategy, text) for text in "abc"] == ["A", None, "C"]


def test_a_key_can_tell_users_apart():
    """Answers that depend on who asks are not given to others."""

    def per_user(request):
        return f"{request.messages[0].text}:{request.messages[-1].text}"

    strategy = LastGoodAnswer(key=per_user)
    strategy.remember(request("ann", "balance"), AIMessage("5"))

    assert recalled(strategy, "ann", "balance") == "5"
    assert recalled(strategy, "bob", "balance") is None


def test_roles_and_boundaries_count():
    """Text moved from one message to the next is another conversation."""
    keys = {
        same_request(FallbackRequest(messages))
        for messages in (
            asked("a", "b"),
            asked("ab"),
            (SystemMessage("a"), HumanMessage("b")),
            asked("a\x00human\x00b"),
            asked("\ud800"),
            (HumanMessage("a", name="ann"), HumanMessage("b")),
        )
    }

    assert len(keys) == 6


def test_the_same_question_to_tools_is_the_same():
    """An agent's calls have new ids in every run; what was asked of the tool counts."""

    def after(city, call_id):
        call = {"name": "weather", "args": {"city": city}, "id": call_id}
        return FallbackRequest((*asked("Rain?"), AIMessage("", tool_calls=[call])))

    assert same_request(after("Oslo", "1")) == same_request(after("Oslo", "2"))
    assert same_request(after("Oslo", "1")) != same_request(after("Rome", "1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("5 EUR",), ("9 EUR",)),
        ({"docs": [Document("5 EUR")]}, {"docs": [Document("9 EUR")]}),
        ({"day": datetime(2026, 1, 1, tzinfo=UTC)}, {"day": datetime(2026, 1, 2, tzinfo=UTC)}),
    ],
    ids=["texts", "documents", "objects"],
)
def test_the_context_counts(one, other):
    """Objects are compared by what they hold."""
    keys = [same_request(request("q", context=copy.deepcopy(c))) for c in (one, one, other)]

    assert keys[0] == keys[1] != keys[2]
    assert None not in keys


def test_what_cannot_be_compared_is_not_remembered():
    """By address alone, one request's object could pass for another's."""
    strategy, odd = LastGoodAnswer(), request("q", context={"lock": (n for n in ())})
    strategy.remember(odd, AIMessage("5"))

    assert strategy("q", odd) is None
    assert len(strategy) == 0


def with_memory(**settings):
    """A policy that asks once, and then its memory."""
    strategies = [("memory", LastGoodAnswer(**settings)), ("no", "No.")]
    return ControlPolicy(retry={"max_attempts": 1}, fallback={"strategies": strategies})


def test_an_answer_from_documents_goes_to_nobody_with_others(call):
    """The same question over another tenant's documents was answered from the first one's."""
    model = ScriptedChatModel(script=["A owes 9.", TimeoutError(), TimeoutError()])
    chain = with_control(model, with_memory())
    of_a, of_b = ({"input": "Owed?", "context": [text]} for text in ("A: 9", "B: 5"))

    assert call(chain, of_a).text == "A owes 9."
    assert call(chain, of_b).text == "No."
    assert call(chain, of_a).text == "A owes 9."


def test_nor_does_an_answer_to_another_input_of_a_chain(call):
    """A chain takes its question under any key: without `input`, all its inputs were the same."""
    answers = iter(["A owes 9.", None, None])

    def model(given):
        if (answer := next(answers)) is None:
            raise TimeoutError
        return AIMessage(answer)

    router = FallbackRouter(strategies=[("memory", LastGoodAnswer()), ("no", "No.")])
    chain = router.wrap(RunnableLambda(model))
    of_a, of_b = ({"question": "Owed?", "tenant": tenant} for tenant in "AB")

    assert call(chain, of_a).text == "A owes 9."
    assert call(chain, of_b).text == "No."
    assert call(chain, of_a).text == "A owes 9."


def test_nor_does_an_agents_answer_from_another_system_message(call):
    """LangChain's agents get documents in a dynamic system message, apart from the question."""
    documents = iter(["A: 9", "B: 5", "A: 9"])
    told = dynamic_prompt(lambda _: next(documents))
    model = ScriptedChatModel(script=["A owes 9.", TimeoutError(), TimeoutError()])
    agent = create_agent(model, [], middleware=[told, ControlMiddleware(with_memory())])

    answers = [call(agent, {"messages": list(asked("Owed?"))})["messages"][-1] for _ in "ABA"]

    assert [answer.text for answer in answers] == ["A owes 9.", "No.", "A owes 9."]


@pytest.mark.parametrize("door", [with_control, create_control_graph])
def test_a_key_is_called_within_the_run(call, door):
    """Whose request it is often stands in the config alone."""

    def per_user(request):
        return f"{ensure_config()['configurable']['user']}:{same_request(request)}"

    model = ScriptedChatModel(script=["5", TimeoutError(), TimeoutError()])
    controlled = door(model, with_memory(key=per_user))

    def asks(user):
        given = {"messages": [("user", "Balance?")]} if door is create_control_graph else "Balance?"
        ended = call(controlled, given, {"configurable": {"user": user}})
        return ended["messages"][-1].text if door is create_control_graph else ended.text

    assert [asks("ann"), asks("bob"), asks("ann")] == ["5", "No.", "5"]


def test_a_repeated_answer_is_a_new_message():
    """With its old id it would replace the earlier message of a thread."""
    strategy = LastGoodAnswer()
    good = AIMessage("5", id="run-1", additional_kwargs={"parsed": 5})
    strategy.remember(request("q"), good)

    answer = strategy("q", request("q"))

    assert (answer.id, answer.additional_kwargs) == (None, {"parsed": 5})
    answer.additional_kwargs["parsed"] = 6
    assert strategy("q", request("q")).additional_kwargs == {"parsed": 5}


def test_threads_share_it():
    """Concurrent requests neither lose the bound nor break it."""
    strategy = LastGoodAnswer(max_entries=8)

    def use(n):
        strategy.remember(request(str(n % 16)), AIMessage(str(n % 16)))
        return recalled(strategy, str(n % 16)) in (None, str(n % 16))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(2_000)))
    assert len(strategy) == 8


def test_copies_share_it_and_pickles_start_empty():
    """A policy's copies have one memory; another process has its own."""
    strategy = filled("why", max_entries=7, max_age_seconds=5)

    assert copy.deepcopy(strategy) is strategy
    other = pickle.loads(pickle.dumps(strategy))
    assert (len(other), other.max_entries, other.max_age_seconds) == (0, 7, 5)


def test_the_repr_holds_no_content():
    """Bounds and counts, no answers."""
    assert repr(filled("secret")) == "LastGoodAnswer(max_entries=1024, entries=1)"


def test_it_must_hold_something():
    """A memory for nothing is a mistake."""
    with pytest.raises(ValueError, match="max_entries"):
        LastGoodAnswer(max_entries=0)
