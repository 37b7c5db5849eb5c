"""Models of which the config of a run chooses one."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.configurable import DynamicRunnable

__all__ = ["chosen"]


def chosen(runnable: Runnable[Any, Any], config: RunnableConfig | None) -> Runnable[Any, Any]:
    """Return the Runnable that a config chooses; the given one if there is nothing to choose.

    A choice that cannot be made is left to the call, which says why.
    """
    try:
        if isinstance(runnable, DynamicRunnable):
            return runnable.prepare(config)[0]
        if type(runnable).__name__ == "_ConfigurableModel":  # of `init_chat_model`, without import
            made: Runnable[Any, Any] = runnable._model(config)  # type: ignore[attr-defined]  # noqa: SLF001
            return made
    except Exception:  # noqa: BLE001  (a key that is missing, a private name that has gone)
        return runnable
    return runnable
