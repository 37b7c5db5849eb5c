"""Which Runnables run in the event loop's executor, unless a thread is found for them."""

from __future__ import annotations

import pytest
from langchain_core.language_models import LLM, BaseChatModel, BaseLLM, SimpleChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from langchain_control import CircuitBreaker, InputGuard, RateLimiter, RetryEngine
from langchain_control.models.unless_refused import UnlessRefused
from langchain_control.runs.watching import watched
from langchain_control.stores.in_memory_circuits import InMemoryCircuitStore
from langchain_control.strategies import other_model
from langchain_control.sync_only import is_sync_only
from langchain_control.testing import ScriptedChatModel


class SyncModel(BaseChatModel):
    @property
    def _llm_type(self):
        return "sync"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage("hi"))])


class SyncSimpleModel(SimpleChatModel):
    @property
    def _llm_type(self):
        return "sync"

    def _call(self, messages, stop=None, run_manager=None, **kwargs):
        return "hi"


class SyncText(LLM):
    @property
    def _llm_type(self):
        return "sync"

    def _call(self, prompt, stop=None, run_manager=None, **kwargs):
        return "hi"


class SyncTexts(BaseLLM):
    @property
    def _llm_type(self):
        return "sync"

    def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
        return LLMResult(generations=[[Generation(text="hi")] for _ in prompts])


class AsyncSimpleModel(SyncSimpleModel):
    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        return self._generate(messages)


class AsyncText(SyncText):
    async def _acall(self, prompt, stop=None, run_manager=None, **kwargs):
        return "hi"


class AsyncStore(InMemoryCircuitStore):
    async def view(self, key, rules):
        return super().view(key, rules)


async def awaited(value):
    return value


SYNC, ASYNC = SyncModel(), ScriptedChatModel(script=[])
PROMPT = ChatPromptTemplate.from_messages([("user", "{question}")])
PLAIN, BOTH = RunnableLambda(str), RunnableLambda(str, awaited)


@pytest.mark.parametrize(
    "runnable",
    [
        SYNC,
        SyncSimpleModel(),
        SyncText(),
        SyncTexts(),
        PLAIN,
        SYNC.bind(stop=["x"]),
        PLAIN | SYNC,
        {"question": RunnablePassthrough()} | PROMPT | SYNC | StrOutputParser(),
        RunnablePassthrough.assign(answer=SYNC),
        RunnableParallel(a=SYNC, b=PLAIN),
        RunnableBranch((bool, SYNC), SYNC),
        SYNC.with_fallbacks([SYNC]),
        SYNC.with_retry(),
        (PROMPT | SYNC).with_config(tags=["x"]),
        watched(SYNC, bool),
        watched(PLAIN | SYNC, bool),
        UnlessRefused(SYNC, SYNC),
        other_model(SYNC),
        other_model(SYNC, breaker=CircuitBreaker()),
        CircuitBreaker().wrap(SYNC),
    ],
    ids=lambda runnable: type(runnable).__name__,
)
def test_what_waits_for_sync_code_alone_is_sync_only(runnable):
    """However it is put together, and whatever stands around it that waits for nothing."""
    assert is_sync_only(runnable)


@pytest.mark.parametrize(
    "runnable",
    [
        ASYNC,
        AsyncSimpleModel(),
        AsyncText(),
        BOTH,
        PROMPT,
        PLAIN | ASYNC,
        BOTH | SYNC,
        ASYNC.with_fallbacks([SYNC]),
        RunnablePassthrough(afunc=awaited) | SYNC,
        watched(ASYNC, bool),
        UnlessRefused(SYNC, ASYNC),
        CircuitBreaker().wrap(ASYNC),
        CircuitBreaker(store=AsyncStore()).wrap(SYNC),
        other_model(SYNC, limiter=RateLimiter(requests_per_minute=1)),
        RetryEngine().wrap(SYNC),
        InputGuard() | SYNC,
    ],
    ids=lambda runnable: type(runnable).__name__,
)
def test_an_async_part_makes_the_whole_async(runnable):
    """A sync call would not await it, and could not be cancelled."""
    assert not is_sync_only(runnable)


def test_tools_that_are_bound_are_no_parts():
    """They are described to the model, which does not call them."""
    assert is_sync_only(SYNC.bind(tools=[BOTH]))
