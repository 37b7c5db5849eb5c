"""Questions with a contract for the answer, and for most of them the right answer.

They were written for this benchmark, in the manner of what models are asked in public ones. None
was changed or left out for how a model did on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from benchmarks.real_model.tasks.choices import CHOICES
from benchmarks.real_model.tasks.extraction import EXTRACTION
from benchmarks.real_model.tasks.nested import NESTED
from benchmarks.real_model.tasks.open_ended import OPEN_ENDED
from benchmarks.real_model.tasks.plain import PLAIN
from benchmarks.real_model.tasks.reasoning import REASONING
from benchmarks.real_model.tasks.task import Task
from benchmarks.real_model.tasks.tool_calls import TOOL_CALLS

__all__ = ["PLAIN", "TASKS", "TASKS_BY_KIND", "Task"]

TASKS_BY_KIND: Mapping[str, Sequence[Task]] = MappingProxyType(
    {
        "plain": PLAIN,
        "extraction": EXTRACTION,
        "choices": CHOICES,
        "nested": NESTED,
        "tool calls": TOOL_CALLS,
        "reasoning": REASONING,
        "open-ended": OPEN_ENDED,
    }
)
TASKS: Sequence[Task] = tuple(chain.from_iterable(TASKS_BY_KIND.values()))
