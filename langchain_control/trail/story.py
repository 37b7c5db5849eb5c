"""One request, told in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_control.events import EventName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from langchain_control.events import AuditRecord

    Describe = Callable[[Mapping[str, Any]], Iterator[str]]

__all__ = ["tell"]


def tell(request_id: str, records: Iterable[AuditRecord]) -> str:
    """Tell the records of one request in their order, a line each."""
    lines = [_line(record) for record in records if record.get("request_id") == request_id]
    if not lines:
        return f"request {_printable(request_id)}: no records"
    return "\n".join([f"request {_printable(request_id)}", *lines])


def _line(record: AuditRecord) -> str:
    describe = _DESCRIBED.get(record["event"], _other)
    text = "; ".join(part for part in describe(record) if part)
    return _printable(f"  {record.get('time', '')}  {text}")


def _attempt(record: Mapping[str, Any]) -> Iterator[str]:
    model = f" of {record['model']}" if record.get("model") else ""
    correction = f" with correction {record['mutation']}" if record.get("mutation") else ""
    yield f"attempt {record.get('number', '?')}{model}{correction}: {_verdict(record, 'passed')}"
    yield from _details(record)


def _blocked(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"blocked by {record.get('component', 'a gate')}: {_verdict(record, 'no reason given')}"
    yield from _details(record)


def _retry(record: Mapping[str, Any]) -> Iterator[str]:
    correction = record.get("mutation")
    number, delay = record.get("number", "?"), record.get("delay_seconds", 0)
    yield f"retry as attempt {number} in {delay} s"
    yield f"correction {correction}" if correction else ""


def _fallback(record: Mapping[str, Any]) -> Iterator[str]:
    name = str(record.get("strategy", "?")).removeprefix("fallback:")
    yield f"fallback {name}: {_verdict(record, 'answered')}"
    yield from _details(record)


def _finished(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"finished: {record.get('status', 'unknown')}"
    yield _verdict(record, "")
    yield f"strategy {record['strategy']}" if record.get("strategy", "none") != "none" else ""
    yield f"attempts {record['attempts']}" if "attempts" in record else ""
    yield from _details(record)


def _circuit(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"circuit {record.get('key', '?')}: {record.get('message', 'changed')}"


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


_DESCRIBED: dict[str, Describe] = {
    EventName.ATTEMPT: _attempt,
    EventName.BLOCKED: _blocked,
    EventName.RETRY_SCHEDULED: _retry,
    EventName.FALLBACK: _fallback,
    EventName.FINISHED: _finished,
    EventName.CIRCUIT_CHANGED: _circuit,
    EventName.TOOL_CALLED: _tool,
    EventName.HANDED_OVER: _hand_over,
}


def _verdict(record: Mapping[str, Any], without_failure: str) -> str:
    mode = record.get("failure_mode", "none")
    if mode == "none":
        return without_failure
    message = record.get("message")
    return f"{mode} ({message})" if message else str(mode)


def _details(record: Mapping[str, Any]) -> Iterator[str]:
    if rules := record.get("rules"):
        yield f"rules {', '.join(map(str, rules))}" if isinstance(rules, list) else ""
    if "latency_ms" in record:
        yield f"{record['latency_ms']} ms"
    if record.get("input_tokens") or record.get("output_tokens"):
        yield f"tokens {record.get('input_tokens', 0)} in, {record.get('output_tokens', 0)} out"


def _printable(text: str) -> str:
    """Keep control characters out of the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
