"""Repeating an answer that was good before."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_control.strategies import FallbackRequest, LastGoodAnswer
from langchain_control.strategies.last_good import same_messages
from langchain_control.testing import ManualClock


def asked(*texts):
    """Messages of a user."""
    return tuple(HumanMessage(text) for text in texts)


def recalled(strategy, *texts):
    """What the strategy answers to these messages."""
    answer = strategy("", FallbackRequest(asked(*texts)))
    return None if answer is None else answer.text


def filled(*texts, **settings):
    """A memory of answers, each the upper case of its question."""
    strategy = LastGoodAnswer(**settings)
    for text in texts:
        strategy.remember(asked(text), AIMessage(text.upper()))
    return strategy


def test_it_repeats_the_last_answer():
    """The newest good answer to the same messages counts."""
    strategy = filled("why")
    strategy.remember(asked("why"), AIMessage("because"))

    assert recalled(strategy, "why") == "because"


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
    strategy.remember(asked("c"), AIMessage("C"))

    assert [recalled(strategy, text) for text in "abc"] == ["A", None, "C"]
    assert len(strategy) == 2


def test_a_key_can_tell_users_apart():
    """Answers that depend on who asks are not given to others."""

    def per_user(messages):
        return f"{messages[0].text}:{messages[-1].text}"

    strategy = LastGoodAnswer(key=per_user)
    strategy.remember(asked("ann", "balance"), AIMessage("5"))

    assert recalled(strategy, "ann", "balance") == "5"
    assert recalled(strategy, "bob", "balance") is None


def test_roles_and_boundaries_count():
    """Text moved from one message to the next is another conversation."""
    keys = {
        same_messages([HumanMessage("a"), HumanMessage("b")]),
        same_messages([HumanMessage("ab")]),
        same_messages([SystemMessage("a"), HumanMessage("b")]),
        same_messages([HumanMessage("a\x00human\x00b")]),
        same_messages([HumanMessage("\ud800")]),
    }

    assert len(keys) == 5


def test_a_repeated_answer_is_a_new_message():
    """With its old id it would replace the earlier message of a thread."""
    strategy = LastGoodAnswer()
    good = AIMessage("5", id="run-1", additional_kwargs={"parsed": 5})
    strategy.remember(asked("q"), good)

    answer = strategy("q", FallbackRequest(asked("q")))

    assert (answer.id, answer.additional_kwargs) == (None, {"parsed": 5})
    answer.additional_kwargs["parsed"] = 6
    assert strategy("q", FallbackRequest(asked("q"))).additional_kwargs == {"parsed": 5}


def test_threads_share_it():
    """Concurrent requests neither lose the bound nor break it."""
    strategy = LastGoodAnswer(max_entries=8)

    def use(n):
        strategy.remember(asked(str(n % 16)), AIMessage(str(n % 16)))
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
