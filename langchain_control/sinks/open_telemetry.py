"""Audit records as OpenTelemetry metrics, and as events of the span they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from langchain_control._shared import Shared
from langchain_control.events import EventName
from langchain_control.trail.nesting import is_of_a_request
from langchain_control.trail.spending import SpentOnce

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from langchain_control.events import AuditRecord

__all__ = ["MEASURES", "Measure", "OpenTelemetrySink"]

_PREFIX = "langchain_control"

_CONVENTIONAL = {
    "failure_mode": "error.type",
    "model": "gen_ai.request.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
}
"""Fields that OpenTelemetry's semantic conventions have an attribute for."""

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Bounds of the buckets: what the conventions advise for `gen_ai.client.operation.duration`."""

_NO_ATTRIBUTES = ("id", "time", "event", "content", "metadata")
"""What is no attribute of a span's event: it has a time and a name of its own. Content, and who
asked, belong into the trail at most."""


class OpenTelemetrySink(Shared):
    """Measure each record by OpenTelemetry, and note it on the span that is current.

    Attributes are names: of models, strategies, tools, circuits, failure modes. Neither content
    nor an id of a request or a user is one of a metric. Spans get the request's id, which leads
    from a trace to the audit trail; the sink begins none.

    !!! example "Metrics and traces of a policy"

        ```python
        policy = ControlPolicy(audit=AuditLogger("audit.jsonl", sinks=[OpenTelemetrySink()]))
        ```

    Measuring does not wait for an exporter. Behind a `QueuedSink` a record may
    come after the end of its span, which takes no more events.
    """

    __slots__ = ("_instruments", "_provider", "_spent", "span_events")

    def __init__(
        self, *, meter_provider: MeterProvider | None = None, span_events: bool = True
    ) -> None:
        """Find OpenTelemetry; nothing is measured before the first record.

        Args:
            meter_provider: Where measurements go. The default is the process's own, also one that
                is set later.
            span_events: Whether records are also noted on the current span, where one records.

        Raises:
            ImportError: OpenTelemetry is not installed.
        """
        try:
            from opentelemetry import metrics  # noqa: F401, PLC0415  (an extra)
        except ImportError as exc:
            msg = '`OpenTelemetrySink` needs the extra: `pip install "langchain-control[otel]"`'
            raise ImportError(msg) from exc
        self._provider = meter_provider
        self._instruments: dict[str, Callable[..., None]] = {}
        self._spent = SpentOnce()
        self.span_events = span_events

    def write(self, record: AuditRecord) -> None:
        """Measure one record."""
        spent = self._spent.of(record)._asdict()
        counted = {name: amount or None for name, amount in spent.items()}
        measured = cast("AuditRecord", {**record, **counted})
        for measure in MEASURES.get(record["event"], ()):
            if (amount := measure.of(measured)) is not None:
                self._instrument(measure)(amount, measure.attributes_of(record))
        if self.span_events:
            _note_on_span(record)

    def close(self) -> None:
        """Do nothing: providers and exporters belong to the application."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the provider: another process has its own."""
        return _with_span_events, (self.span_events,)

    def __repr__(self) -> str:
        """Show whether spans are told, if not."""
        return "OpenTelemetrySink()" if self.span_events else "OpenTelemetrySink(span_events=False)"

    def _instrument(self, measure: Measure) -> Callable[..., None]:
        known = self._instruments.get(measure.name)
        return known or self._instruments.setdefault(measure.name, self._made(measure))

    def _made(self, measure: Measure) -> Callable[..., None]:
        from opentelemetry import metrics  # noqa: PLC0415  (an extra)

        meter = metrics.get_meter(_PREFIX, meter_provider=self._provider)
        name, unit = f"{_PREFIX}.{measure.name}", measure.unit
        if unit != "s":
            return meter.create_counter(name, unit, measure.description).add
        return meter.create_histogram(
            name, unit, measure.description, explicit_bucket_boundaries_advisory=_SECONDS
        ).record


class Measure(NamedTuple):
    """A row of the table: what one kind of record adds to one instrument."""

    name: str
    """Without the package's. Of a histogram where the unit is `s`, else of a counter."""
    unit: str
    description: str
    amount: str | None
    """The record's field that is measured. `None` counts the records."""
    fields: tuple[str, ...]
    """The record's fields that become attributes, unless they say `none`."""
    attributes: Mapping[str, str] = MappingProxyType({})
    counts: Callable[[AuditRecord], bool] | None = None
    """Which records are measured. `None` measures all of them."""

    def of(self, record: AuditRecord) -> float | None:
        """Return what the record adds, if anything."""
        if self.counts is not None and not self.counts(record):
            return None
        if self.amount is None:
            return 1
        amount: float | None = record.get(self.amount)  # type: ignore[assignment]  # a number's key
        return amount / 1000 if amount is not None and self.amount == "latency_ms" else amount

    def attributes_of(self, record: AuditRecord) -> dict[str, Any]:
        """Return what the amount is told apart by."""
        told = {_attribute(field): record.get(field) for field in self.fields}
        return {**{k: v for k, v in told.items() if v not in (None, "none")}, **self.attributes}

    def attribute_names(self) -> tuple[str, ...]:
        """Return the names of all attributes that an amount may have."""
        return (*map(_attribute, self.fields), *self.attributes)


def _tokens(kind: Literal["input", "output"]) -> Measure:
    said = "Tokens of attempts and of fallback models"
    told = {"gen_ai.token.type": kind}
    return Measure("tokens", "{token}", said, f"{kind}_tokens", ("model",), told)


_SPENT = (
    _tokens("input"),
    _tokens("output"),
    Measure(
        "cost",
        "1",
        "Cost, in the unit of the policy's prices",
        "cost",
        ("model",),
    ),
)

MEASURES: dict[str, tuple[Measure, ...]] = {
    EventName.FINISHED: (
        Measure(
            "request.duration",
            "s",
            "Requests that ended",
            "latency_ms",
            ("status", "strategy", "failure_mode"),
            counts=is_of_a_request,
        ),
    ),
    EventName.CUT_OFF: (
        Measure(
            "requests_cut_off",
            "{request}",
            "Requests cancelled or crashed",
            None,
            (),
            counts=is_of_a_request,
        ),
    ),
    EventName.ATTEMPT: (
        Measure("attempt.duration", "s", "Model calls", "latency_ms", ("model", "failure_mode")),
        *_SPENT,
    ),
    EventName.FALLBACK: (
        Measure(
            "fallback.duration",
            "s",
            "Turns of fallback strategies",
            "latency_ms",
            ("strategy", "status", "failure_mode"),
        ),
        *_SPENT,
    ),
    EventName.BLOCKED: (
        Measure("blocked", "{value}", "Values turned away", None, ("component", "failure_mode")),
    ),
    EventName.FLAGGED: (
        Measure(
            "flagged",
            "{value}",
            "Values in which something was found, and that went on",
            None,
            ("component", "key", "status"),
        ),
    ),
    EventName.RETRY_SCHEDULED: (
        Measure(
            "retries",
            "{attempt}",
            "Attempts after the first",
            None,
            ("failure_mode", "mutation"),
        ),
    ),
    EventName.WAITED: (
        Measure("wait.duration", "s", "Waits for a turn", "delay_seconds", ("component",)),
    ),
    EventName.CIRCUIT_CHANGED: (
        Measure("circuit_changes", "{change}", "Changes of circuits", None, ("key", "status")),
    ),
    EventName.TOOL_CALLED: (
        Measure(
            "tool.duration",
            "s",
            "Calls of an agent's tools",
            "latency_ms",
            ("key", "status", "failure_mode"),
        ),
    ),
    EventName.HANDED_OVER: (
        Measure("handoffs", "{handoff}", "Hand-offs that were judged", None, ("key", "status")),
    ),
}


def _note_on_span(record: AuditRecord) -> None:
    from opentelemetry import trace  # noqa: PLC0415  (an extra)

    span = trace.get_current_span()
    if not span.is_recording():
        return
    told: dict[str, Any] = {
        _attribute(field): value
        for field, value in record.items()
        if field not in _NO_ATTRIBUTES and value != "none"
    }
    span.add_event(record["event"], told)
    if record["event"] == EventName.FINISHED and is_of_a_request(record):
        span.set_attributes({name: told[name] for name in _OF_SPAN if name in told})


def _attribute(field: str) -> str:
    return _CONVENTIONAL.get(field) or f"{_PREFIX}.{field}"


_OF_SPAN = tuple(map(_attribute, ("request_id", "status", "strategy", "attempts")))


def _with_span_events(span_events: bool) -> OpenTelemetrySink:  # noqa: FBT001  (for pickle)
    return OpenTelemetrySink(span_events=span_events)
