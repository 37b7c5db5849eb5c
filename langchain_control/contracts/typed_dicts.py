"""TypedDicts as pydantic wants them."""

from __future__ import annotations

import functools
import operator
import types
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import Field

__all__ = ["pydantic_ready"]


def pydantic_ready(schema: Any) -> Any:
    """Rewrite the TypedDicts in a type so that pydantic takes them and keeps their descriptions.

    On Python < 3.12 pydantic refuses `typing.TypedDict`. LangChain's way of describing a key,
    `Annotated[str, ..., "what it is"]`, becomes the description in the JSON Schema.
    """
    return _rewrite(schema, ())


def _rewrite(kind: Any, within: tuple[Any, ...]) -> Any:
    if typing_extensions.is_typeddict(kind):
        return _rewrite_typed_dict(kind, within)
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        described = (Field(description=m) if isinstance(m, str) else m for m in arguments[1:])
        kept = tuple(m for m in described if m is not ...)
        return Annotated[(_rewrite(arguments[0], within), *kept)] if kept else arguments[0]
    rewritten = tuple(_rewrite(argument, within) for argument in arguments)
    if rewritten == arguments:
        return kind
    if isinstance(kind, types.UnionType):
        return functools.reduce(operator.or_, rewritten)
    return kind.copy_with(rewritten) if hasattr(kind, "copy_with") else get_origin(kind)[rewritten]


def _rewrite_typed_dict(kind: Any, within: tuple[Any, ...]) -> Any:
    if kind in within:
        msg = f"`{kind.__name__}` refers to itself; write it as a pydantic model"
        raise TypeError(msg)
    required = typing_extensions.Required
    optional = typing_extensions.NotRequired
    fields = {
        name: (required if name in kind.__required_keys__ else optional)[
            _rewrite(hint, (*within, kind))
        ]
        for name, hint in get_type_hints(kind, include_extras=True).items()
    }
    rewritten = typing_extensions.TypedDict(kind.__name__, fields)  # type: ignore[misc]
    rewritten.__doc__ = kind.__doc__
    if (config := getattr(kind, "__pydantic_config__", None)) is not None:
        rewritten.__pydantic_config__ = config  # type: ignore[attr-defined]  # pydantic's own hook
    return rewritten
