"""Changing some settings, and keeping the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel

__all__ = ["Overridable", "OverridableModel"]


class Overridable:
    """Made of settings, some of which may have settings of their own."""

    def override(self, **changes: Any) -> Self:
        """Return the same with some settings changed, validated like a new one.

        A setting that has settings of its own may be given as a mapping of changes to it: its
        other settings are kept.
        """
        kept = self._settings()
        return type(self)(**kept | {n: _changed(kept.get(n), c) for n, c in changes.items()})

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Return what makes another one of the same kind."""


class OverridableModel(Overridable, BaseModel):
    """A model that can be overridden. Fields that nobody has set get their defaults anew."""

    def _settings(self) -> dict[str, Any]:
        """Return the fields that were set, and injected objects even where they are defaults."""
        return {
            name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set or field.default_factory is not None
        }


def _changed(part: Any, change: Any) -> Any:
    """Override the part if the change is a mapping for it, else replace it."""
    is_change = isinstance(part, Overridable) and isinstance(change, Mapping)
    return part.override(**change) if is_change else change
