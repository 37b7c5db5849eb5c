"""How users call the package. Never run: read by the type checkers only."""

from __future__ import annotations

from typing import Any, TypedDict, assert_type

from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import MessagesState, StateGraph
from pydantic import BaseModel

from langchain_control import (
    AuditLogger,
    Bulkhead,
    CircuitBreaker,
    ControlMiddleware,
    ControlPolicy,
    ControlResult,
    FallbackRouter,
    InputGuard,
    PromptBuilder,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    TokenBudget,
    ValidationResult,
    create_control_graph,
    with_control,
)
from langchain_control.detectors import RuleDetector
from langchain_control.handoff import control_handoff
from langchain_control.middleware import ToolPolicy, agent_result
from langchain_control.rules import Answer, NotRefusal
from langchain_control.stores import InMemoryCircuitStore, RedisCircuitStore
from langchain_control.strategies import other_model


@CircuitBreaker().protect
def length(text: str) -> int:
    """Count, behind a circuit."""
    return len(text)


@CircuitBreaker().protect
async def answer(text: str) -> str:
    """Echo, behind a circuit."""
    return text


class Invoice(BaseModel):
    """A contract as a pydantic model."""

    number: str
    total: float


class Person(TypedDict):
    """A contract as a TypedDict."""

    name: str


async def protected() -> None:
    """A protected function keeps its signature."""
    assert_type(length("hi"), int)
    assert_type(await answer("hi"), str)


def components() -> None:
    """Each component takes its settings as keywords."""
    assert_type(InputGuard(max_chars=100).inspect("hi"), ValidationResult)
    assert_type(TokenBudget(total_tokens=100).count("hi"), int)
    PromptBuilder(system_prompt="Be brief.", constraints=["One line."])
    InputGuard(allow=["ignore the noise"], detectors=[RuleDetector()])
    ResponseValidator(required_keys=["total"], forbidden_phrases=("TODO",), rules=[NotRefusal()])
    ResponseValidator(response_schema=Invoice)
    ResponseValidator(response_schema=Person, max_length=100)
    CircuitBreaker(name="gpt", failure_threshold=3)
    assert_type(RetryEngine(max_attempts=2).delay_seconds(1), float)
    Bulkhead(max_concurrent=5, key=str)
    spare = other_model(
        str.upper, breaker=CircuitBreaker(), limiter=RateLimiter(requests_per_minute=9)
    )
    FallbackRouter(strategies=(("spare", spare), ("sorry", "Sorry.")))
    FallbackRouter(strategies=[("sorry", "Sorry."), ("shout", str.upper)])
    RateLimiter(requests_per_minute=10)
    assert_type(AuditLogger("audit.jsonl").pass_rate(), float)


def rule(answer: Answer) -> None:
    """A function of an answer is a rule."""
    assert_type(answer.text, str)


def doors(model: BaseChatModel, messages: list[BaseMessage], prompt: PromptValue) -> None:
    """A policy and two ways in."""
    policy = ControlPolicy(
        validator=ResponseValidator(rules=(rule,)),
        deadline_seconds=20.0,
        audit=AuditLogger("audit.jsonl"),
    )
    controlled = with_control(model, policy)
    assert_type(controlled.invoke("hi"), AIMessage)
    assert_type(controlled.bind_tools([]).invoke(messages), AIMessage)
    controlled.invoke(prompt)
    assert_type(with_control(model, policy, include_result=True).invoke("hi"), ControlResult)
    _ = ChatPromptTemplate.from_messages([("human", "{q}")]) | controlled
    create_control_graph(model, policy, exit_behavior="error").invoke(
        {"messages": [("user", "hi")]}
    )


async def objects(model: BaseChatModel) -> None:
    """What comes out is what was asked for."""
    controlled = with_control(model)
    assert_type(controlled.with_structured_output(Invoice).invoke("hi"), Invoice)
    assert_type(await controlled.with_structured_output(Person).ainvoke("hi"), Person)
    assert_type(controlled.with_structured_output(list[Invoice]).invoke("hi"), list[Invoice])
    raw = controlled.with_structured_output(Invoice, include_raw=True)
    assert_type(raw.invoke("hi"), dict[str, Any])


def stores() -> None:
    """What is loaded when it is asked for has its type all the same."""
    assert_type(InMemoryCircuitStore(), InMemoryCircuitStore)
    CircuitBreaker(store=RedisCircuitStore("redis://localhost"))
    assert_type(RedisCircuitStore, type[RedisCircuitStore])


def outcomes(result: ControlResult) -> None:
    """A result is a value that can be unwrapped."""
    assert_type(result.passed, bool)
    assert_type(result.unwrap(), AIMessage)
    assert_type(result.attempts[0]["latency_ms"], float)
    assert_type(result.fallbacks[0]["message"], str)
    assert_type(result.model, str | None)


def agents(model: BaseChatModel, state: dict[str, object]) -> None:
    """Control goes where any middleware goes; hand-offs are nodes."""
    control = ControlMiddleware(
        ControlPolicy(),
        exit_behavior="error",
        tool_policy=ToolPolicy(timeout_seconds=5, on_injection="fence"),
        tool_policies={"search": ToolPolicy(breaker=None)},
    )
    create_agent(model, [], middleware=[control, PIIMiddleware("email")])
    assert_type(agent_result(state), ControlResult)
    check = control_handoff(Invoice, sender="clerk", receiver="payer", fallback="boss")
    assert_type(check.destinations, tuple[str, ...])
    builder = StateGraph(MessagesState)
    builder.add_node("check", check, destinations=check.destinations)
