"""The graph door: the table of steps as a compiled LangGraph graph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, get_type_hints

from langchain_core.messages import AnyMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.channels import EphemeralValue
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer, Command
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from langchain_control._effects import Flow, arun, run
from langchain_control.door import runnable_of
from langchain_control.drawing import Drawing
from langchain_control.errors import error_for
from langchain_control.models.pacing import warn_of_own_pacing
from langchain_control.models.variants import tools_of
from langchain_control.outcomes import Attempt, FallbackTry
from langchain_control.policy import ControlPolicy, policy_of
from langchain_control.retries.nested import warn_of_nested_retries
from langchain_control.retries.places import refuse_messages_as_text
from langchain_control.runs.context import Context
from langchain_control.runs.exits import ExitBehavior, exit_behavior_of, has_to_raise
from langchain_control.runs.notices import is_notice
from langchain_control.runs.results import result_of
from langchain_control.runs.state import FailureNote, PerRun, RunState, draft_of
from langchain_control.runs.storable import StorableAnswers, storable
from langchain_control.runs.tool_calls import for_tools
from langchain_control.steps import END, STEPS, Router, Step, performed

__all__ = [
    "ControlGraph",
    "ControlInput",
    "ControlOutput",
    "ControlState",
    "create_control_graph",
    "result_of",
]


class ControlInput(TypedDict, total=False):
    """What a control graph takes, from its caller or its parent's state."""

    messages: Annotated[list[AnyMessage], add_messages]
    context: str | list[str] | None
    """Retrieved documents."""


class _Given(ControlInput, total=False):
    """What the graph's own state takes."""

    is_without_messages: Annotated[SkipJsonSchema[bool], EphemeralValue]
    """Set where the input has no such key: the state always has it. Gone after the first step."""


# Schemas show callers what a control graph takes, and nothing of the mark.
_Given.__name__, _Given.__doc__ = ControlInput.__name__, ControlInput.__doc__


class ControlOutput(TypedDict, total=False):
    """What a control graph gives. A parent that declares one of these keys gets it, too."""

    messages: Annotated[list[AnyMessage], add_messages]
    status: str | None
    answer_id: str | None
    value: Any
    scores: dict[str, float | None] | None
    strategy: str
    failure: FailureNote | None
    attempts: list[Attempt]
    fallbacks: list[FallbackTry]
    request_id: str


class ControlState(PerRun, _Given, total=False):
    """The state of a control graph: what it takes and gives, and what it works with."""


def create_control_graph(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    checkpointer: Checkpointer = None,
    outputs: Collection[str] | None = None,
    exit_behavior: ExitBehavior = "end",
) -> ControlGraph:
    """Compile the state machine around a model.

    The graph runs on its own, as a node of a parent that has `messages`, and inside an LCEL chain.
    It ends with a `status` in its state and one new message: the answer, or that there is none.
    `result_of`, beside this function, reads its final state. A run that is started without the key
    `messages`, on a thread that has none, raises a `TypeError`, whatever the `exit_behavior`.

    !!! example "A node of a parent graph"

        ```python
        builder = StateGraph(MessagesState)
        builder.add_node("answer", create_control_graph(model, policy))
        builder.add_edge(START, "answer")
        ```

    Args:
        model: A chat model, any Runnable that gives a message or a string, or a plain callable.
        policy: The rules, or the plain data of them; see `ControlPolicy`.
        checkpointer: As in `StateGraph.compile`. `None` takes over the parent's.
        outputs: Which keys of `ControlOutput` the graph writes. The default is all of them, which
            `result_of` needs. Take `["messages"]` if the parent has a `status` or `attempts` of its
            own, which would be overwritten. If the parent's `context` is not documents, add the
            graph with `add_node(..., input_schema=MessagesState)`.
        exit_behavior: What becomes of a run without an answer. `end` ends it with a message that
            names the failure, and raises nothing for what a user, a model or a provider does;
            `error` raises the `ControlError`, which has no `__cause__`: an exception of a provider
            is no JSON, and stays out of the state. With a checkpointer the state says how the run
            ended; `invoke(None, ...)` raises the same once more, and asks nobody.

    Raises:
        TypeError: `model` is no Runnable and no callable, or a prompt template reads the messages
            first, and would print them into its text.
        ValueError: `outputs` is empty or names an unknown key, or `exit_behavior` is neither `end`
            nor `error`.

    Warns:
        UserWarning: The model retries by itself, which multiplies with the policy's attempts;
            or it waits for a `rate_limiter` of its own, which may look like an outage.
    """
    policy = policy_of(policy)
    runnable = runnable_of(model)
    refuse_messages_as_text(runnable)
    policy = for_tools(policy) if tools_of(runnable) else policy
    warn_of_nested_retries(runnable, policy.retry.other_model)
    warn_of_own_pacing(runnable, policy.retry.other_model)
    exits = exit_behavior_of(exit_behavior)
    answers = StorableAnswers(policy.validator)
    context = Context(policy, runnable, contract=answers)
    given = ControlOutput if outputs is None else _giving(outputs)
    builder: Any = StateGraph(ControlState, input_schema=_Given, output_schema=given)
    for name, step in STEPS.items():
        builder.add_node(name, _Node(name, step, context, exits))
        if len(step.goes_to) == 1:
            builder.add_edge(name, step.goes_to[0])
        else:
            ends = [_RAISE] if exits == "error" and END in step.goes_to else []
            route = _router(step.route, context, exits)
            builder.add_conditional_edges(name, route, [*step.goes_to, *ends])
    if exits == "error":
        builder.add_node(_RAISE, _raise)
    builder.add_edge(START, next(iter(STEPS)))
    compiled = builder.compile(checkpointer=checkpointer, name="control")
    graph = ControlGraph.of(compiled, supersteps=_supersteps(policy))
    return graph.with_config(callbacks=[policy.audit]) if policy.audit else graph


def _giving(outputs: Collection[str]) -> Any:
    """Return `ControlOutput` with some of its keys."""
    known = get_type_hints(ControlOutput, include_extras=True)
    if not outputs or not set(outputs) <= set(known):
        names = ", ".join(f"`{name}`" for name in known)
        msg = f"`outputs` names some of {names}; got {outputs!r}"
        raise ValueError(msg)
    return TypedDict("ControlOutput", {name: known[name] for name in outputs}, total=False)  # type: ignore[operator]  # made of data


class ControlGraph(CompiledStateGraph[Any, Any, Any, Any]):
    """A compiled graph that always has room for its own loop, and streams what it gives.

    Prompts and rejected answers stay in its state: streams show what it gives unless
    asked for others by `output_keys`. LangGraph's debugging modes show everything.

    Inside an LCEL chain LangChain's default `recursion_limit` of 25 would cut the loop at seven
    attempts. The loop is bounded by `max_attempts`, so the limit is raised to what that needs.
    """

    supersteps: int = 0

    @classmethod
    def of(cls, compiled: CompiledStateGraph[Any, Any, Any, Any], supersteps: int) -> ControlGraph:
        """Give a compiled graph room for `supersteps` steps."""
        fields = {k: v for k, v in vars(compiled).items() if k != "__orig_class__"}
        return cls(**fields, supersteps=supersteps)

    def __init__(self, *, supersteps: int, **fields: Any) -> None:
        """Take over a compiled graph's fields, as `CompiledStateGraph.copy` does."""
        super().__init__(**fields)
        self.supersteps = supersteps

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What callers give, for tools made of the graph."""
        return ControlInput

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Stream as any compiled graph does."""
        given, room, shown = _marked(input), self._with_room(config), self._shown(kwargs)
        events: Iterator[Any] = super().stream(given, room, **shown)
        return events

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Stream as any compiled graph does."""
        given, room, shown = _marked(input), self._with_room(config), self._shown(kwargs)
        events: AsyncIterator[Any] = super().astream(given, room, **shown)
        return events

    def get_graph(self, *args: Any, **kwargs: Any) -> Drawing:
        """Return what is drawn, as of any compiled graph."""
        drawn = super().get_graph(*args, **kwargs)
        return Drawing(nodes=drawn.nodes, edges=drawn.edges)

    async def aget_graph(self, *args: Any, **kwargs: Any) -> Drawing:
        """Return what is drawn, as of any compiled graph."""
        drawn = await super().aget_graph(*args, **kwargs)
        return Drawing(nodes=drawn.nodes, edges=drawn.edges)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:  # noqa: ARG002  (IPython's signature)
        """Draw itself in a notebook, offline: LangChain's picture comes from a web service."""
        drawing = self.get_graph().draw_mermaid()
        return {"text/plain": repr(self), "text/markdown": f"```mermaid\n{drawing}```"}

    def __repr__(self) -> str:
        """Name the graph and its steps."""
        return f"ControlGraph({' → '.join(STEPS)})"

    def _with_room(self, config: RunnableConfig | None) -> RunnableConfig:
        given = config or RunnableConfig()
        limits = [c.get("recursion_limit", 0) for c in (given, self.config or {})]
        return RunnableConfig({**given, "recursion_limit": max(*limits, self.supersteps)})

    def _shown(self, arguments: dict[str, Any]) -> dict[str, Any]:
        keys = arguments.get("output_keys")
        return {**arguments, "output_keys": self.output_channels if keys is None else keys}


class _Node(Runnable[Any, Any]):
    """Run a step without a run of its own and without a thread hop."""

    def __init__(self, name: str, step: Step, context: Context, exits: ExitBehavior) -> None:
        self.name, self._step, self._context, self._exits = name, step, context, exits

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002
        return run(self._done(input, config or {}))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002
        return await arun(self._done(input, config or {}))

    def _done(self, state: Any, config: RunnableConfig) -> Flow[Any]:
        is_bare = self._step.opens_run and state.get("is_without_messages")
        if is_bare and all(map(is_notice, state["messages"])):
            msg = (
                "a control graph reads the key `messages`, which its input does not have: declare "
                "it in the parent's state, or call the graph inside a node"
            )
            raise TypeError(msg)
        state = {**state, "draft": draft_of(state)}
        update = storable((yield from performed(self._step, state, self._context, config)))
        return {**update, **_UNSAID} if has_to_raise(update, self._exits) else update


def _marked(given: Any) -> Any:
    if isinstance(given, Mapping):
        fields = dict(given)
    elif isinstance(given, BaseModel) or (is_dataclass(given) and not isinstance(given, Command)):
        keys = ControlInput.__annotations__
        fields = {key: getattr(given, key) for key in keys if hasattr(given, key)}
    else:
        return given
    return given if "messages" in fields else {**fields, "is_without_messages": True}


_UNSAID: RunState = {"messages": [], "answer_id": None}
"""What is raised needs no message that says so."""

_RAISE = "raise"
"""A step of its own: the run has its end in the state by then, and told the trail of it once."""


def _raise(state: ControlState) -> None:
    raise error_for(result_of(state))


def _router(route: Router, context: Context, exits: ExitBehavior) -> Callable[[Any], str]:
    def decide(state: Any) -> str:
        name = route(state, context)
        return _RAISE if name == END and has_to_raise(state, exits) else name

    decide.__name__ = route.__name__
    return decide


def _supersteps(policy: ControlPolicy) -> int:
    loop = ("build", "call", "validate", "retry_with_mutation")
    around = len(STEPS) + 2  # the steps outside the loop, and LangGraph's own first and last
    strategies = policy.fallback.strategies
    asking = sum(policy.fallback.pauses(given) for _, given in strategies)
    fallbacks = 2 * (len(strategies) + asking) + 2  # a second turn after a wait, and the ends
    return around + (policy.retry.max_attempts + 1) * len(loop) + fallbacks
