"""One request, told in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_control._printable import printable
from langchain_control.events import EventName
from langchain_control.trail.costs import as_cost
from langchain_control.trail.ids import kept_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from langchain_control.events import AuditRecord

    Describe = Callable[[Mapping[str, Any]], Iterator[str]]

__all__ = ["tell"]


def tell(request_id: str, records: Iterable[AuditRecord]) -> str:
    """Tell the records of one request in their order, a line each."""
    request_id = kept_id(request_id)
    lines: list[str] = []
    metadata: dict[str, Any] = {}
    for record in records:
        if record.get("request_id") == request_id:
            lines.append(_line(record))
            metadata = _metadata(record) | metadata
    if not lines:
        return f"request {printable(request_id)}: no records"
    head = "; ".join([request_id, *(f"{name} {value}" for name, value in metadata.items())])
    return "\n".join([f"request {printable(head)}", *lines])


def _metadata(record: Mapping[str, Any]) -> dict[str, Any]:
    metadata = record.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _line(record: AuditRecord) -> str:
    describe = _DESCRIBED.get(record["event"], _other)
    text = "; ".join(part for part in describe(record) if part)
    within = f"  within {record['within']}: " if record.get("within") else ""
    return printable(f"  {record.get('time', '')}  {within}{text}")


def _attempt(record: Mapping[str, Any]) -> Iterator[str]:
    model = f" of {record['model']}" if record.get("model") else ""
    correction = f" with correction {record['mutation']}" if record.get("mutation") else ""
    yield f"attempt {record.get('number', '?')}{model}{correction}: {_verdict(record, 'passed')}"
    rung = record.get("rung", "same_model")
    yield _RUNGS.get(rung, f"asked as {rung}") if isinstance(rung, str) else ""
    yield from _details(record)


def _blocked(record: Mapping[str, Any]) -> Iterator[str]:
    component = record.get("component", "a gate")
    if component == "CircuitBreaker":
        yield f"model not called: {_verdict(record, 'its circuit is open')}"
    else:
        yield f"blocked by {component}: {_verdict(record, 'no reason given')}"
        yield f"source {record['key']}, left out" if record.get("key") else ""
    yield from _details(record)


def _flagged(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"flagged by {record.get('component', 'a gate')}: {_verdict(record, 'no reason given')}"
    modes = str(record.get("status", "")).split(", ")
    how = ", ".join(_TREATMENTS.get(mode, mode) for mode in modes)
    yield f"source {record.get('key', '?')}, {how}"
    yield from _details(record)


def _waited(record: Mapping[str, Any]) -> Iterator[str]:
    seconds = _seconds(record.get("delay_seconds", "?"))
    yield f"wait of {seconds} s for a turn, asked for by {record.get('component', 'a limit')}"


def _retry(record: Mapping[str, Any]) -> Iterator[str]:
    correction = record.get("mutation")
    number, delay = record.get("number", "?"), _seconds(record.get("delay_seconds", 0))
    yield f"retry as attempt {number} in {delay} s"
    yield f"correction {correction}" if correction else ""


def _fallback(record: Mapping[str, Any]) -> Iterator[str]:
    status = record.get("status", "answered" if _mode(record) == "none" else "failed")
    has_none = status == "passed"  # of an attempt the story says so of a good answer
    verdict = "" if has_none else _verdict(record, "")
    model = f" with {record['model']}" if record.get("model") else ""
    said = "had no answer" if has_none else status
    yield f"fallback {_strategy(record)}{model} {said}{verdict and f': {verdict}'}"
    yield from _details(record)


def _finished(record: Mapping[str, Any]) -> Iterator[str]:
    status = record.get("status", "unknown")
    meaning = _ENDINGS.get(status, "") if isinstance(status, str) else ""
    yield f"finished: {status}{meaning.format(strategy=_strategy(record))}"
    yield _verdict(record, "")
    yield _attempts(record)
    yield from _details(record)


def _cut_off(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"cut off by {record.get('message', 'its program')}: no outcome"
    yield _attempts(record)


def _circuit(record: Mapping[str, Any]) -> Iterator[str]:
    status = record.get("status")
    meaning = _CIRCUITS.get(status, "changed") if isinstance(status, str) else "changed"
    yield f"circuit {record.get('key', '?')} {meaning}"
    before_and_after, _, reason = str(record.get("message", "")).partition(": ")
    yield reason or before_and_after


def _tool(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"tool {record.get('key', '?')}: {record.get('status', 'called')}"
    yield _verdict(record, str(record.get("message") or ""))
    yield from _details(record)


def _hand_over(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"hand-off {record.get('key', '?')}: {record.get('status', 'judged')}"
    yield _verdict(record, "")
    yield from _details(record)


def _other(record: Mapping[str, Any]) -> Iterator[str]:
    yield str(record["event"])
    yield from _details(record)


_RUNGS = {
    "same_model": "",
    "native_schema": "asked in the provider's own schema mode, if the model has one",
    "other_model": "asked in place of the first model",
}

_ENDINGS = {
    "accepted": ", the answer met the contract",
    "fallback": ", {strategy} answered in place of the model",
    "rejected": ", turned away before a model call",
    "exhausted": ", no answer",
}

_TREATMENTS = {
    "observe": "let through as it was",
    "fence": "let through marked as data",
    "sanitize": "let through without it",
}

_CIRCUITS = {
    "open": "opened, calls are refused from now on",
    "half_open": "half-opened, single calls are let through as a test",
    "closed": "closed, calls are let through again",
}

_DESCRIBED: dict[str, Describe] = {
    EventName.ATTEMPT: _attempt,
    EventName.BLOCKED: _blocked,
    EventName.FLAGGED: _flagged,
    EventName.RETRY_SCHEDULED: _retry,
    EventName.FALLBACK: _fallback,
    EventName.FINISHED: _finished,
    EventName.CUT_OFF: _cut_off,
    EventName.CIRCUIT_CHANGED: _circuit,
    EventName.WAITED: _waited,
    EventName.TOOL_CALLED: _tool,
    EventName.HANDED_OVER: _hand_over,
}


def _mode(record: Mapping[str, Any]) -> str:
    return str(record.get("failure_mode", "none"))


def _strategy(record: Mapping[str, Any]) -> str:
    return str(record.get("strategy", "?")).removeprefix("fallback:")


def _attempts(record: Mapping[str, Any]) -> str:
    count = record.get("attempts")
    return "" if count is None else f"{count} attempt{'' if count == 1 else 's'}"


def _verdict(record: Mapping[str, Any], without_failure: str) -> str:
    mode = _mode(record)
    if mode == "none":
        return without_failure
    message = record.get("message")
    return f"{mode} ({message})" if message else mode


def _seconds(value: Any) -> str:
    return str(round(value, 3) if isinstance(value, int | float) else value)


def _details(record: Mapping[str, Any]) -> Iterator[str]:
    if rules := record.get("rules"):
        yield f"rules {', '.join(map(str, rules))}" if isinstance(rules, list) else ""
    if notes := record.get("notes"):
        yield f"notes {', '.join(map(str, notes))}" if isinstance(notes, list) else ""
    if "latency_ms" in record:
        yield f"{record['latency_ms']} ms"
    if record.get("input_tokens") or record.get("output_tokens"):
        yield f"tokens {record.get('input_tokens', 0)} in, {record.get('output_tokens', 0)} out"
    if isinstance(cost := record.get("cost"), int | float):
        yield f"cost {as_cost(cost)}"
