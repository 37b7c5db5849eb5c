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
        rewritten = _rewrite(arguments[0], within)
        return Annotated[(rewritten, *kept)] if kept else rewritten
    parts = tuple(_rewrite(argument, within) for argument in arguments)
    if parts == arguments:
        return kind
    if isinstance(kind, types.UnionType):
        return functools.reduce(operator.or_, parts)
    return kind.copy_with(parts) if hasattr(kind, "copy_with") else get_origin(kind)[parts]


def _rewrite_typed_dict(kind: Any, within: tuple[Any, ...]) -> Any:
    if kind in within:
        msg = f"`{kind.__name__}` refers to itself; write it as a pydantic model"
        raise TypeError(msg)
    fields = {
        name: _marked(_rewrite(hint, (*within, kind)), is_required=name in kind.__required_keys__)
        for name, hint in get_type_hints(kind, include_extras=True).items()
    }
    rewritten = typing_extensions.TypedDict(kind.__name__, fields)  # type: ignore[misc]
    for name, said in vars(kind).items():
        if name in _SAID_OF_ALL_KEYS or not hasattr(rewritten, name):
            setattr(rewritten, name, said)
    return rewritten


def _marked(hint: Any, *, is_required: bool) -> Any:
    """Mark a key as required or not, unless its hint does: a class may not have read its own."""
    if _is_marked(hint):
        return hint
    return (typing_extensions.Required if is_required else typing_extensions.NotRequired)[hint]


def _is_marked(hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Annotated, typing_extensions.ReadOnly):
        return _is_marked(get_args(hint)[0])
    return origin in (typing_extensions.Required, typing_extensions.NotRequired)


_SAID_OF_ALL_KEYS = frozenset(("__closed__", "__doc__", "__extra_items__", "__orig_bases__"))
"""What a TypedDict says beside its keys and every one has; pydantic asks the bases, too."""
