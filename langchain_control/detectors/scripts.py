"""Scripts in which no blank shows where a word begins."""

from __future__ import annotations

__all__ = ["RUN_TOGETHER"]

RUN_TOGETHER = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Those of Thai, Japanese, Chinese and Korean, for a class of characters. Korean has blanks, but a
word need not follow one."""
