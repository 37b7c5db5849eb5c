"""Retries below ours, which multiply with them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.runnables.retry import RunnableRetry

from langchain_control.errors.codes import attribute, dig
from langchain_control.models.configurable import chosen, is_of_init_chat_model
from langchain_control.parts import parts_of

__all__ = ["nested_retries", "warn_of_nested_retries"]


def nested_retries(runnable: Any) -> int:
    """Return how often one call of a Runnable may be repeated below us.

    Counts `max_retries` of the models in it, what their SDK's client does where they leave it to
    the SDK (the clients of OpenAI, Anthropic, AWS, Cohere and OpenRouter are known), `with_retry`,
    a `RetryEngine`, and the attempts of a model that is under control already.
    Three layers of three attempts are 27 calls, not nine:
    put `max_retries=0` on the model and let one layer retry.
    """
    stated = _stated_for_calls(runnable)
    if stated is not None:
        return stated
    below = max((nested_retries(part) for part in parts_of(runnable)), default=0)
    return (max(below, _own_retries(runnable)) + 1) * _attempts(runnable) - 1


def warn_of_nested_retries(*runnables: Runnable[Any, Any] | None) -> None:
    """Warn of each Runnable that retries by itself, naming whatever in it does.

    The warning points at the caller of the function that calls this one.

    Args:
        runnables: What is about to be retried; `None` is skipped.
    """
    for runnable in (r for r in runnables if r is not None):
        times = nested_retries(runnable)
        if not times:
            continue
        retrying = list(_retrying(runnable))
        names = ", ".join(dict.fromkeys(f"`{part.get_name()}`" for part in retrying))
        offs = " or ".join(dict.fromkeys(_off_switch(part) for part in retrying))
        msg = (
            f"{names} already retries, so that one attempt may be {times + 1} calls: "
            f"let one layer retry; {offs} turns its own retries off"
        )
        warnings.warn(msg, UserWarning, stacklevel=3)


def _retrying(runnable: Runnable[Any, Any]) -> Iterator[Runnable[Any, Any]]:
    if _stated_for_calls(runnable) == 0:
        return
    if _own_retries(runnable) or _attempts(runnable) > 1:
        yield runnable
    for part in parts_of(runnable):
        yield from _retrying(part)


def _attempts(runnable: Any) -> int:
    """Return how often a Runnable calls what it surrounds."""
    if isinstance(runnable, RunnableRetry):
        return runnable.max_attempt_number
    own = getattr(runnable, "__dict__", {})  # a binding answers for what it binds, which is a part
    engine = getattr(own.get("policy"), "retry", own.get("wrapper"))
    attempts: int = getattr(engine, "max_attempts", 1)
    return attempts


def _stated_for_calls(runnable: Any) -> int | None:
    """Return how often calls of a binding are repeated, if that is said in what is bound."""
    if not isinstance(runnable, RunnableBinding):
        return None
    given, model = runnable.kwargs, runnable.bound
    of_openrouter = _package(attribute(model, "client")) == _OPENROUTER
    if of_openrouter and "retries" in given and given["retries"] is None:
        return 0
    attempts = given.get("max_retries")
    if isinstance(attempts, int) and _counts_attempts(model):
        return max(attempts - 1, 0)
    times = dig(given, "request_options", "max_retries")
    return times if isinstance(times, int) else None


def _own_retries(model: Any) -> int:
    model = chosen(model, None)
    if is_of_init_chat_model(model):  # only a config says which
        return 0
    sdk_client = attribute(model, "root_client")
    candidates = (attribute(model, "max_retries"), attribute(sdk_client, "max_retries"))
    stated = next((n for n in candidates if isinstance(n, int)), None)
    client = attribute(model, "client")
    if stated is not None and _counts_attempts(model):
        return max(stated - 1, 0)
    if _package(client) == _OPENROUTER:
        return _retries_of_openrouter(client, stated)
    return _retries_of_client(client) if stated is None else stated


def _counts_attempts(model: Any) -> bool:
    """Say whether `max_retries` of a model counts the first call, too."""
    return any(
        kind.__module__.startswith("langchain_google_genai.") for kind in type(model).__mro__
    )


def _off_switch(part: Any) -> str:
    """Say what turns off the retries of a model."""
    model = chosen(part, None)
    if _counts_attempts(model):
        return "`max_retries=1` on a model"
    return _OFF_SWITCHES.get(_package(attribute(model, "client")), "`max_retries=0` on a model")


def _package(client: Any) -> str:
    return type(client).__module__.split(".")[0]


def _retries_of_openrouter(client: Any, stated: int | None) -> int:
    """Return what OpenRouter's client does: a model hands it no wish for no retries."""
    told = attribute(attribute(client, "sdk_configuration"), "retry_config")
    return 0 if told is None else _repeats_within(stated * 150 if stated else 3600)


def _repeats_within(seconds: float) -> int:
    """Count what OpenRouter's client does in a time, if every call fails at once.

    Its first wait is half a second, each next one longer by half, and none longer than a minute;
    it looks at the time before it waits.
    """
    waited, wait, repeats = 0.0, 0.5, 0
    while waited <= seconds:
        waited, wait, repeats = waited + min(wait, 60.0), wait * 1.5, repeats + 1
    return repeats


def _retries_of_client(client: Any) -> int:
    """Return how often a client repeats a call that has not been told how often it should."""
    package = _package(client)
    if package == "cohere":
        return _COHERE_RETRIES
    told = attribute(attribute(attribute(client, "meta"), "config"), "retries")
    if package != "botocore" or not isinstance(told, dict):
        return 0
    by_default = _BOTOCORE_ATTEMPTS.get(str(told.get("mode")), 1)
    return int(told.get("total_max_attempts", by_default)) - 1


_OPENROUTER = "openrouter"
_OFF_SWITCHES = {
    _OPENROUTER: "`model.bind(retries=None)`",
    "cohere": '`model.bind(request_options={"max_retries": 0})`',
}
"""What turns retries off where `max_retries=0` does not, by the package of the client."""

_COHERE_RETRIES = 2
_BOTOCORE_ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
"""Attempts that botocore makes in each mode if nobody says how many."""
