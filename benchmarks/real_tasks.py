"""Plain questions with a contract for the answer, and for most of them the right answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["TASKS", "Task"]

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A question to a language model."""

    name: str
    question: str
    shape: str
    """The contract as the model is shown it."""
    properties: Mapping[str, JsonSchema]
    """The contract as a validator reads it: all of these are required, and no others."""
    expected: Mapping[str, Any] | None = None
    """What is right. `None` where many answers are."""

    def prompt(self) -> str:
        """Return the question together with the shape of its answer."""
        return f"{self.question}\nReply only with JSON like this: {self.shape}"

    def schema(self) -> JsonSchema:
        """Return the contract as a JSON Schema."""
        return {
            "title": self.name,
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.properties),
            "additionalProperties": False,
        }

    def fallback(self) -> dict[str, Any]:
        """Return an answer that meets the contract and knows nothing."""
        return {key: _empty(schema) for key, schema in self.properties.items()}

    def is_right(self, answer: Any) -> bool:
        """Compare an answer that meets the contract; the case of letters does not matter."""
        expected = self.expected or {}
        return all(_folded(answer[key]) == _folded(value) for key, value in expected.items())


def _folded(value: Any) -> Any:
    return value.casefold().strip(" .") if isinstance(value, str) else value


def _empty(schema: JsonSchema) -> Any:
    if "enum" in schema:
        return schema["enum"][-1]
    match schema["type"]:
        case "integer":
            return 0
        case "array":
            return [_empty(schema["items"])] * schema["minItems"]
    return "unknown"


TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
NUMBER = {"type": "integer"}


def _one_of(*values: str) -> JsonSchema:
    return {"type": "string", "enum": list(values)}


TASKS: Sequence[Task] = (
    Task(
        "sentiment",
        "The battery died after two days and nobody answered my mails. "
        "What is the sentiment of this review?",
        '{"sentiment": "positive|negative"}',
        {"sentiment": _one_of("positive", "negative")},
        {"sentiment": "negative"},
    ),
    Task(
        "person",
        "Maria Lopez is 34 years old and lives in Madrid. What is her name and how old is she?",
        '{"name": "...", "age": 0}',
        {"name": TEXT, "age": NUMBER},
        {"name": "Maria Lopez", "age": 34},
    ),
    Task(
        "order",
        "A customer writes: I would like three blue mugs. What is ordered, and how many?",
        '{"item": "...", "quantity": 0}',
        {"item": TEXT, "quantity": NUMBER},
        {"quantity": 3},
    ),
    Task(
        "country",
        "In which country is the Eiffel Tower?",
        '{"country": "..."}',
        {"country": TEXT},
        {"country": "France"},
    ),
    Task(
        "yes_no",
        "Is the sun hotter than the moon?",
        '{"answer": "yes|no"}',
        {"answer": _one_of("yes", "no")},
        {"answer": "yes"},
    ),
    Task(
        "email",
        "Please send the invoice to anna.berg@example.org before Friday. "
        "Which e-mail address is in this text?",
        '{"email": "..."}',
        {"email": TEXT},
        {"email": "anna.berg@example.org"},
    ),
    Task(
        "ticket",
        "A customer writes: I was charged twice for my invoice. Which department should help?",
        '{"department": "billing|shipping|technical"}',
        {"department": _one_of("billing", "shipping", "technical")},
        {"department": "billing"},
    ),
    Task(
        "date",
        "The meeting is on 5 March 2026. On which day, month and year is it?",
        '{"day": 0, "month": 0, "year": 0}',
        {"day": NUMBER, "month": NUMBER, "year": NUMBER},
        {"day": 5, "month": 3, "year": 2026},
    ),
    Task(
        "weather",
        "It is 21 degrees in Oslo today. Which city is it, and how warm?",
        '{"city": "...", "degrees": 0}',
        {"city": TEXT, "degrees": NUMBER},
        {"city": "Oslo", "degrees": 21},
    ),
    Task(
        "language",
        "Which language is this sentence in: Guten Morgen, wie geht es dir?",
        '{"language": "English|French|German"}',
        {"language": _one_of("English", "French", "German")},
        {"language": "German"},
    ),
    Task(
        "summary",
        "The library opens at nine and closes at six. On Sundays it stays closed. "
        "Sum this up in one sentence.",
        '{"summary": "..."}',
        {"summary": TEXT},
    ),
    Task(
        "list",
        "Name three kinds of fruit.",
        '{"fruits": ["...", "...", "..."]}',
        {"fruits": {"type": "array", "items": TEXT, "minItems": 3, "maxItems": 3}},
    ),
)
