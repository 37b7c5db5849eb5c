"""The same request to a model, made in another way: what a retry may change besides the prompt."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any, Protocol, TypeGuard

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import merge_configs

from langchain_control.models.configurable import (
    chosen,
    each_of,
    made_plain,
    stands_for_others,
)
from langchain_control.models.larger_answers import with_room
from langchain_control.models.schema_modes import BEST_FIRST, SchemaModel, in_schema_mode
from langchain_control.models.settings import drawn_anew, unwrapped
from langchain_control.models.unless_refused import UnlessRefused
from langchain_control.outcomes import PlannedRetry

__all__ = [
    "MakesVariants",
    "Surrounds",
    "config_within",
    "for_retry",
    "gives_replies",
    "has_enforcing_mode",
    "in_place_of",
    "name_of",
    "tools_of",
    "within",
]


class MakesVariants(Protocol):
    """A model that is asked through something else, such as an agent's handler."""

    def for_retry(self, retry: PlannedRetry) -> Runnable[Any, Any]:
        """Return the model as a retry should call it."""

    def in_place_of(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return another chat model, asked through the same thing."""


class Surrounds(Protocol):
    """What stands around a model, such as a circuit, and can stand around another."""

    bound: Any

    def around(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return the same around another Runnable."""


def for_retry(
    model: Runnable[Any, Any],
    retry: PlannedRetry | None,
    schema: dict[str, Any] | None,
    config: RunnableConfig | None = None,
) -> Runnable[Any, Any]:
    """Return the model as this attempt should call it.

    The first attempt gets the model as it is. A retry never reads LangChain's cache, which would
    give the same bad answer again, and may draw anew, use the provider's own schema mode, or allow
    a larger answer. A model with tools stays out of that mode: some clients take no tools in it.

    Args:
        model: The model of the first attempt.
        retry: What was decided on; `None` for a first attempt.
        schema: The contract as JSON Schema, if there is one.
        config: Of the run that asks, which may choose the model.
    """
    if retry is None:
        return model
    if stands_for_others(model):
        model = made_plain(model, config)
    if isinstance(model, RunnableWithFallbacks):
        return each_of(model, lambda one: for_retry(one, retry, schema))
    if _makes_variants(model):
        again: Runnable[Any, Any] = model.for_retry(retry)
        return again
    fresh = with_room(model, retry, partial(drawn_anew, model))
    _, bound = unwrapped(model)
    if not retry["native_schema"] or schema is None or bound.get("tools"):
        return fresh

    if in_schema_mode(model, schema, BEST_FIRST[0]) is None:
        return fresh

    def native(retry: PlannedRetry) -> Runnable[Any, Any]:
        drawn = drawn_anew(model, retry)
        return in_schema_mode(drawn, schema, BEST_FIRST[0]) or drawn

    return UnlessRefused(with_room(model, retry, native), fresh)


def has_enforcing_mode(
    model: Runnable[Any, Any],
    schema: dict[str, Any] | None,
    config: RunnableConfig | None = None,
) -> bool:
    """Say whether `for_retry` can bring a model into a mode in which its provider keeps a schema.

    LangChain's own `with_structured_output`, which a class may inherit, asks for a tool call
    whatever the mode, and few providers hold tool calls to their schema. Nor is a schema kept to
    that cannot be asked for strictly, where strictness is to be asked for. A model with tools, and
    one that has been told in another way, is not asked in that mode.
    """
    if stands_for_others(model):
        model = made_plain(model, config)
    if _makes_variants(model):
        return False
    chat_model, bound = unwrapped(model)
    inherited = BaseChatModel.with_structured_output
    has_own = getattr(type(chat_model), inherited.__name__, inherited) is not inherited
    if schema is None or not has_own or bound.get("tools"):
        return False
    known = in_schema_mode(model, schema, BEST_FIRST[0])
    return known is not None and known.is_enforced


def in_place_of(
    model: Runnable[Any, Any], other: Runnable[Any, Any], config: RunnableConfig | None = None
) -> Runnable[Any, Any]:
    """Return another model so that it can be asked what `model` is asked.

    Args:
        model: Who is asked otherwise.
        other: The other model, or what stands around it, or for it and its fallbacks.
        config: Of the run that asks, which may choose the other model.
    """
    if isinstance(model, RunnableWithFallbacks):
        return in_place_of(model.runnable, other, config)
    if not _makes_variants(model):
        return other
    if stands_for_others(other):
        other = made_plain(other, config)
    if isinstance(other, RunnableWithFallbacks):
        return each_of(other, lambda one: in_place_of(model, one, config))
    if _surrounds(other):
        return other.around(in_place_of(model, other.bound, config))
    return other if unwrapped(other)[0] is None else model.in_place_of(other)


def gives_replies(runnable: Any, config: RunnableConfig | None = None) -> bool:
    """Say whether what a Runnable gives is what a chat model replied, as it came."""
    runnable = chosen(runnable, config)
    if isinstance(runnable, RunnableSequence):
        return gives_replies(runnable.last, config)
    if isinstance(runnable, BaseChatModel | SchemaModel):
        return True
    inner = within(runnable)
    return inner is not None and gives_replies(inner, config_within(runnable, config))


def name_of(model: Runnable[Any, Any], config: RunnableConfig | None = None) -> str:
    """Return the name a model goes by in circuits, metrics and the audit trail.

    A sequence goes by the first model in it, one with fallbacks by the one that is asked first, and
    what is configurable by what the config chooses.

    Args:
        model: The model, or what stands around it.
        config: Of the run that asks the model.
    """
    return _model_name(model, config) or _own_name(model, config)


def tools_of(model: Any, config: RunnableConfig | None = None) -> list[Any] | None:
    """Return the tools of a model as they are bound to it, or `None` where nobody can see them.

    Those of a sequence are those of the last model in it, and those of a model with fallbacks the
    tools of any of them.

    Args:
        model: The model, or what stands around it.
        config: Of the run that asks the model.
    """
    model = chosen(model, config)
    if isinstance(model, RunnableSequence):
        steps = (tools_of(step, config) for step in reversed(model.steps))
        return next((tools for tools in steps if tools is not None), None)
    if isinstance(model, RunnableWithFallbacks):
        each = [tools_of(one, config) for one in reversed([*model.runnables])]  # the first prevails
        seen = [tools for tools in each if tools is not None]
        return list(chain.from_iterable(seen)) if seen else None
    if isinstance(model, SchemaModel):
        return [*(tools_of(model.asked, config) or ()), *(model.arguments.get("tools") or ())]
    if isinstance(model, RunnableBindingBase) and "tools" in model.kwargs:
        tools = model.kwargs["tools"] or []
        return list(tools) if isinstance(tools, list | tuple) else [tools]
    if (inner := within(model)) is not None:
        return tools_of(inner, config_within(model, config))
    return [] if isinstance(model, BaseChatModel) else None


def _model_name(runnable: Runnable[Any, Any], config: RunnableConfig | None) -> str | None:
    runnable = chosen(runnable, config)
    if isinstance(runnable, RunnableSequence):
        return next(filter(None, (_model_name(step, config) for step in runnable.steps)), None)
    if (inner := within(runnable)) is not None:
        return _model_name(inner, config_within(runnable, config))
    is_model = isinstance(runnable, BaseChatModel)
    names = (getattr(runnable, field, None) for field in _NAMES) if is_model else ()
    return next((name for name in names if isinstance(name, str) and name), None)


def _own_name(runnable: Runnable[Any, Any], config: RunnableConfig | None) -> str:
    runnable = chosen(runnable, config)
    inner = within(runnable)
    if inner is None or getattr(runnable, "name", None):
        return runnable.get_name()
    return _own_name(inner, config_within(runnable, config))


def within(runnable: Any) -> Runnable[Any, Any] | None:
    """Return what is called first in what surrounds one Runnable, `None` for anything else."""
    if isinstance(runnable, RunnableWithFallbacks):
        return runnable.runnable
    if isinstance(runnable, SchemaModel):
        return runnable.model  # type: ignore[no-any-return]
    has_bound = isinstance(runnable, RunnableBindingBase) or _surrounds(runnable)
    return runnable.bound if has_bound else None


def config_within(
    runnable: Runnable[Any, Any], config: RunnableConfig | None
) -> RunnableConfig | None:
    """Return the config that what is `within` a Runnable is called with."""
    if isinstance(runnable, RunnableBindingBase):
        return merge_configs(runnable.config, config)
    return config


def _surrounds(runnable: Any) -> TypeGuard[Surrounds]:
    """Whether it surrounds a model itself. Asked of the class: others answer for what they hold."""
    return hasattr(type(runnable), "around")


def _makes_variants(model: Any) -> TypeGuard[Any]:
    return hasattr(type(model), "for_retry")


_NAMES = ("model_name", "model", "model_id", "deployment_name")
"""Where chat models keep their names."""
