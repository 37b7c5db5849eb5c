"""A list of texts, as opposed to one text, which is a sequence of letters."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["refuse_one_text"]


def refuse_one_text(name: str, given: Sequence[str]) -> None:
    """Refuse a text where several are due.

    Raises:
        ValueError: It is one; the message names the parameter.
    """
    if isinstance(given, str):
        msg = f"`{name}` must be a list or tuple of texts, got one text; put it in brackets"
        raise ValueError(msg)  # noqa: TRY004  (as for any other setting that makes no sense)
