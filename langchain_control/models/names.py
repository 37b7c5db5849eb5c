"""What models are called, by those who choose them and by those who serve them."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["named_in"]

_SNAPSHOT = re.compile(r"[-@:]\d[\d-]{3,}")


def named_in(name: str, names: Iterable[str]) -> str | None:
    """Return which of some names stands for a model, or `None`.

    A provider answers under the name of a dated snapshot: `gpt-4o-2024-08-06` is a `gpt-4o`, and
    `gpt-4o-mini` is none.
    """
    known = [*names]
    if name in known:
        return name
    fitting = (n for n in known if name.startswith(n) and _SNAPSHOT.fullmatch(name[len(n) :]))
    return max(fitting, key=len, default=None)
