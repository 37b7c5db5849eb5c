"""A prompt that does not leave room for the answer goes no further."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, trim_messages
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField
from pydantic import ValidationError

from langchain_control.components.budget import TokenBudget
from langchain_control.encodings import TokenCountWarning
from langchain_control.errors import BudgetExceeded
from langchain_control.outcomes import FailureMode, Violation

SMALL = TokenBudget(total_tokens=20, answer_tokens=5)
FITTING = "one two three"  # 3 tokens, 4 of framing, 3 for the reply
OVERSIZE = "word " * 50


@pytest.mark.parametrize(
    "prompt",
    [
        FITTING,
        [HumanMessage(FITTING)],
        ChatPromptValue(messages=[HumanMessage(FITTING)]),
        StringPromptValue(text=FITTING),
        [("human", FITTING)],
    ],
    ids=["string", "messages", "chat prompt", "string prompt", "tuples"],
)
def test_a_fitting_prompt_is_handed_on_unchanged(call, prompt):
    """Whatever a chat model takes, the same object comes out if it fits."""
    assert call(SMALL, prompt) is prompt


def test_an_oversize_prompt_is_stopped(call):
    """A prompt that needs more than total less answer tokens raises, and says by how much."""
    with pytest.raises(BudgetExceeded) as stopped:
        call(SMALL, OVERSIZE)
    result = stopped.value.result
    assert result.failure_mode is FailureMode.TOKEN_OVERFLOW
    assert result.violations == (
        Violation(rule="budget.prompt", expected="at most 15 tokens", found="58 tokens"),
    )
    assert str(stopped.value).endswith(
        "`prompt` needs 58 tokens, more than the 15 that the budget's `total_tokens` leaves for it"
    )


def test_the_limit_itself_fits():
    """The last token of the room may be used; one more may not."""
    needed = TokenBudget().count_messages([HumanMessage(FITTING)])
    assert TokenBudget(total_tokens=needed).inspect(FITTING).passed
    assert not TokenBudget(total_tokens=needed - 1).inspect(FITTING).passed


def test_no_model_call_is_made_for_an_oversize_prompt():
    """In a chain, the model behind the budget is not reached."""
    prompt = ChatPromptTemplate.from_messages([("human", "{question}")])
    chain = prompt | SMALL | FakeListChatModel(responses=["fine"])
    assert chain.invoke({"question": FITTING}).content == "fine"
    with pytest.raises(BudgetExceeded):
        chain.invoke({"question": OVERSIZE})


def test_other_values_are_a_mistake():
    """A value that no chat model takes is a `TypeError`, not a verdict."""
    with pytest.raises(TypeError, match="got `int`"):
        SMALL.inspect(42)


def test_an_answer_as_large_as_the_total_is_refused():
    """Settings that leave no room for a prompt are named at construction."""
    with pytest.raises(ValidationError, match=r"`answer_tokens` \(800\) must be less"):
        TokenBudget(total_tokens=800, answer_tokens=800)


@pytest.mark.parametrize("wrong", [{"total_tokens": 0}, {"answer_tokens": -1}, {"encoding": ""}])
def test_impossible_settings_are_refused(wrong):
    """Each field has its range."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TokenBudget(**wrong)


@pytest.mark.parametrize(
    "text", ["", "<|endoftext|>", "a\ud800b", "\x00", " " * 1_000_000, "😀" * 3, "\ufeff"]
)
def test_any_text_is_counted_and_cut(text):
    """No text makes counting or cutting raise."""
    budget = TokenBudget()
    cut = budget.truncate(text, 10)
    assert budget.count(text) >= budget.count(cut)
    assert not budget.inspect(text + OVERSIZE * 20).passed


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_messages_cost_their_texts_and_frames(texts):
    """A prompt costs its texts, 4 tokens a message, and 3 for the reply."""
    budget = TokenBudget()
    messages = [HumanMessage(text) for text in texts]
    assert budget.count_messages(messages) == 3 + sum(4 + budget.count(text) for text in texts)


def test_counting_fits_trim_messages():
    """`count_messages` is a `token_counter` for LangChain's `trim_messages`."""
    budget = TokenBudget(total_tokens=60)
    history = [SystemMessage("Be brief.")]
    for number in range(20):
        history += [HumanMessage(f"question {number}"), AIMessage(f"answer {number}")]
    kept = trim_messages(
        history,
        max_tokens=budget.prompt_tokens,
        token_counter=budget.count_messages,
        include_system=True,
    )
    assert 1 < len(kept) < len(history)
    assert kept[-1] == history[-1]
    assert budget.inspect(kept).passed


def test_models_count_with_their_encoding():
    """A model's name, with or without provider, selects its encoding."""
    text = "お誕生日おめでとう"
    assert TokenBudget(encoding="cl100k_base").count(text) == 9
    assert TokenBudget(encoding="openai:gpt-4o").count(text) == 8


def test_an_unknown_encoding_is_not_exact():
    """Without a vocabulary the budget still counts, and says that it estimates."""
    budget = TokenBudget(encoding="acme/model-of-test-budget")
    with pytest.warns(TokenCountWarning, match="acme/model-of-test-budget"):
        assert not budget.exact
    assert not budget.open().exact
    assert budget.count("one two three") == 3


def test_an_injected_counter_counts():
    """A counter given by the application replaces the encoding."""
    budget = TokenBudget(total_tokens=20, counter=len)
    assert budget.exact
    assert budget.count("four") == 4
    assert budget.truncate("abcdef", 3) == "abc"
    assert budget.inspect("x" * 13).passed
    assert not budget.inspect("x" * 14).passed


class TestAllocation:
    """Slots are filled in order of importance."""

    def test_a_slot_that_fits_is_granted(self):
        """Reserving takes the tokens of the text."""
        allocation = TokenBudget(total_tokens=10, answer_tokens=2).open()
        assert allocation.reserve("question", "one two three")
        assert (allocation.used(), allocation.remaining()) == (3, 5)

    def test_a_slot_that_does_not_fit_takes_nothing(self):
        """A refused reservation leaves the room as it was."""
        allocation = TokenBudget(total_tokens=5).open()
        assert not allocation.reserve("context", OVERSIZE)
        assert allocation.used() == 0
        assert allocation.report() == {}

    def test_a_text_is_cut_to_the_room(self):
        """`fit` keeps as much of the start of a text as there is room for."""
        allocation = TokenBudget(total_tokens=13).open()
        allocation.reserve("question", "one two three")
        kept = allocation.fit("context", OVERSIZE)
        assert kept == "word word word word word word word word word word"
        assert allocation.remaining() == 0

    def test_without_room_nothing_is_kept(self):
        """A full budget keeps nothing of a further text."""
        allocation = TokenBudget(total_tokens=1).open()
        allocation.reserve("question", "one")
        assert allocation.fit("context", "two") == ""

    def test_the_report_names_the_slots(self):
        """Tokens are reported by slot, in the order of reservation."""
        allocation = TokenBudget().open()
        allocation.reserve("system", "one")
        allocation.fit("context", "two three")
        allocation.reserve("system", "four")
        assert list(allocation.report().items()) == [("system", 2), ("context", 2)]
        assert repr(allocation) == "Allocation({'system': 2, 'context': 2}, remaining=796)"

    @settings(deadline=None)
    @given(
        total=st.integers(1, 60),
        texts=st.lists(st.tuples(st.booleans(), st.text(max_size=60)), max_size=8),
    )
    def test_room_is_never_exceeded(self, total, texts):
        """Whatever is reserved or fitted, no more tokens are given away than there are."""
        budget = TokenBudget(total_tokens=total)
        allocation = budget.open()
        kept = []
        for number, (whole, text) in enumerate(texts):
            if not whole:
                kept.append(allocation.fit(str(number), text))
            elif allocation.reserve(str(number), text):
                kept.append(text)
        assert sum(map(budget.count, kept)) == allocation.used() <= total


def test_settings_can_be_changed_per_call():
    """`configurable_fields` and `override` make a budget with other limits."""
    configurable = SMALL.configurable_fields(total_tokens=ConfigurableField(id="total"))
    assert configurable.invoke(OVERSIZE, {"configurable": {"total": 800}}) == OVERSIZE
    assert SMALL.override(total_tokens=800).inspect(OVERSIZE).passed


def test_a_budget_survives_pickling():
    """A budget reaches other processes as it was."""
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL


def test_a_budget_describes_itself():
    """The repr shows what was set; the schemas name what comes in and goes out."""
    assert repr(SMALL) == "TokenBudget(total_tokens=20, answer_tokens=5)"
    assert SMALL.get_input_jsonschema() == SMALL.get_output_jsonschema() | {
        "title": "TokenBudgetInput"
    }
