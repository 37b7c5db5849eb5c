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

        A setting that has settings itself may be given by the plain data of its changes: the rest
        of it is kept.
        """
        kept = self._settings()
        return type(self)(**kept | {n: _changed(kept.get(n), c) for n, c in changes.items()})

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Return what makes another one of the same kind."""


class OverridableModel(Overridable, BaseModel):
    """A model that can be overridden. What nobody has set may follow from what is changed."""

    def _settings(self) -> dict[str, Any]:
        """Return what was set, and injected objects, which stay the same whoever made them."""
        return {
            name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set or field.default_factory is not None
        }


def _changed(part: Any, change: Any) -> Any:
    """Change a part in place of putting something else there, where plain data says what."""
    is_change = isinstance(part, Overridable) and isinstance(change, Mapping)
    return part.override(**change) if is_change else change
