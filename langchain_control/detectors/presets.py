"""How sure the guard has to be, by where a text comes from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from langchain_control.outcomes import Source

__all__ = ["PRESETS", "Mode", "Preset"]

Mode = Literal["block", "sanitize", "fence", "observe"]
"""What to do with a text in which an attack was found.

`block` refuses the value, `sanitize` cuts the sentences out, `fence` puts the text between marks
that say it is data, `observe` hands it on and only reports.
"""

Preset = Literal["strict", "balanced", "lenient"]

PRESETS: Mapping[Preset, Mapping[Source, float]] = MappingProxyType(
    {
        "strict": MappingProxyType({"user": 0.35, "context": 0.45, "tool": 0.45}),
        "balanced": MappingProxyType({"user": 0.5, "context": 0.6, "tool": 0.6}),
        "lenient": MappingProxyType({"user": 0.65, "context": 0.75, "tool": 0.75}),
    }
)
"""Score from which on a finding counts as an attack.

Fixed on texts the model had not seen: `python -m benchmarks.guard benchmarks/probes` prints what
the default stops of them, `python -m benchmarks.train_guard FOLDER` what each preset stops of
public sources left out of the training. Scores are probabilities where one text in twenty-five is
an attack. Documents are long and judged in many windows, so more is asked of them.
"""
