"""Calls that do not read LangChain's cache."""

import asyncio

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.runnables import (
    ConfigurableField,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from langchain_control.components.retry import RetryEngine
from langchain_control.models.fresh import without_cache
from langchain_control.testing import ScriptedChatModel


def numbered(**settings):
    """A model that says how many times it was really called."""
    model = ScriptedChatModel(script=lambda _: str(len(model.calls)), **settings)
    return model


@pytest.fixture
def global_cache():
    """A cache for the whole process, as an application sets it."""
    cache = InMemoryCache()
    set_llm_cache(cache)
    yield cache
    set_llm_cache(None)


SHAPES = {
    "model": lambda model: model,
    "binding": lambda model: model.bind(stop=["x"]),
    "configured": lambda model: model.with_config(tags=["x"]),
    "sequence": lambda model: RunnablePassthrough() | model | RunnablePassthrough(),
    "first of a sequence": lambda model: model | RunnablePassthrough() | RunnablePassthrough(),
    "fallbacks": lambda model: model.with_fallbacks([ScriptedChatModel(script=["b"])]),
    "second choice": lambda model: RunnableLambda(_refuse).with_fallbacks([model]),
    "retry": lambda model: model.with_retry(),
    "parallel": lambda model: RunnableParallel(a=model) | (lambda answers: answers["a"]),
    "assigned": lambda model: (
        RunnableLambda(lambda x: {"q": x})
        | RunnablePassthrough.assign(a=(lambda d: d["q"]) | model)
        | (lambda answers: answers["a"])
    ),
    "configurable": lambda model: model.configurable_alternatives(
        ConfigurableField(id="which"), default_key="this", other=ScriptedChatModel(script=["b"])
    ),
    "in our care": lambda model: RetryEngine().wrap(model),
    "nested": lambda model: (RunnablePassthrough() | model.bind(stop=["x"])).with_retry(),
}


def _refuse(_):
    msg = "no"
    raise ValueError(msg)


@pytest.mark.filterwarnings("ignore:.*max_retries")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_cached_answer_is_not_read(call, shape):
    """Wherever the model sits in a Runnable, its cache is off."""
    runnable = SHAPES[shape](numbered(cache=InMemoryCache()))

    assert [call(runnable, "q").text for _ in range(2)] == ["1", "1"]
    assert [call(without_cache(runnable), "q").text for _ in range(2)] == ["2", "3"]


def test_a_global_cache_is_not_read(call, global_cache):
    """`set_llm_cache` is beaten, too."""
    model = numbered()

    assert [call(model, "q").text for _ in range(2)] == ["1", "1"]
    assert call(without_cache(model), "q").text == "2"


class Counted(InMemoryCache):
    """A cache that is empty, and so false, at first."""

    def __len__(self):
        """Count the answers kept."""
        return len(self._cache)


def test_an_empty_cache_is_a_cache(call):
    """Whether a model caches does not depend on what the cache holds yet."""
    assert without_cache(numbered(cache=Counted())).cache is False


def test_a_fresh_answer_is_not_written_either(global_cache):
    """A cache keeps what it had: a retried answer belongs to a prompt with a correction."""
    model = numbered()
    model.invoke("q")
    without_cache(model).invoke("q")

    assert model.invoke("q").text == "1"


def test_models_that_are_not_chat_models_are_covered(global_cache):
    """Completion models cache in the same way."""
    model = FakeListLLM(responses=["1", "2"])

    assert model.invoke("q") == "1"
    assert without_cache(model).cache is False


def test_the_original_keeps_its_cache():
    """Only the copy is changed."""
    model = numbered(cache=InMemoryCache())
    without_cache(model)

    assert isinstance(model.cache, InMemoryCache)


@pytest.mark.parametrize(
    "runnable",
    [
        numbered(),
        numbered(cache=False),
        numbered() | RunnablePassthrough(),
        RunnableLambda(str),
    ],
    ids=["no cache", "off", "chain", "function"],
)
def test_without_a_cache_in_force_nothing_is_copied(runnable):
    """There is nothing to turn off, and a copy would cost time and forget its own counters."""
    assert without_cache(runnable) is runnable


def test_a_fake_that_counts_its_calls_keeps_counting(call, at_once):
    """`FakeListChatModel` counts on itself: on copies every retry got the same reply again."""
    model = FakeListChatModel(responses=["no", "no", "yes"])

    def must_be_yes(answer):
        if answer.text != "yes":
            raise TimeoutError
        return answer

    assert call(at_once.wrap(model | must_be_yes), "q").text == "yes"


def test_state_behind_a_model_is_shared():
    """The fresh model is the same model: same script, same client."""
    model = numbered(cache=InMemoryCache())

    assert without_cache(model).script is model.script


def test_it_works_in_an_event_loop(global_cache):
    """The async cache is bypassed, too."""
    model = numbered()

    async def main():
        await model.ainvoke("q")
        return (await without_cache(model).ainvoke("q")).text

    assert asyncio.run(main()) == "2"
