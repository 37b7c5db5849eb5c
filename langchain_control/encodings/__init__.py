"""Token counting without a network: the vocabularies ship with the package.

```python
tokenizer_for("o200k_base").count("お誕生日おめでとう")  # 8, with no socket opened
```

Nothing is registered with `tiktoken` and no environment variable is read or set: the
`tiktoken.Encoding` objects are built from the files beside this module, and live as long as the
process.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Protocol

from langchain_control._at_fork import ForkSafeLock
from langchain_control.encodings.definitions import DEFINITIONS

__all__ = ["TokenCountWarning", "Tokenizer", "encoding_name", "tokenizer_for"]


class TokenCountWarning(UserWarning):
    """Tokens are being estimated, because there is no vocabulary to count them with."""


class Tokenizer(Protocol):
    """What counts and cuts text."""

    name: str
    """The encoding counted with."""
    exact: bool
    """Whether counts come from the encoding's own vocabulary."""

    def count(self, text: str) -> int:
        """Return the number of tokens. Never raises, whatever the text."""
        ...

    def truncate(self, text: str, max_tokens: int) -> str:
        """Return the longest prefix found that counts at most `max_tokens`.

        The prefix ends on a token boundary where there are tokens, and is valid UTF-8: lone
        surrogates come back as U+FFFD.
        """
        ...


def tokenizer_for(name: str) -> Tokenizer:
    """Return the tokenizer of an encoding or model, loading it on first use.

    Knows the encodings in `DEFINITIONS`, whatever `tiktoken` already holds in memory (its plug-ins
    included, once the application has loaded them), and the models `tiktoken` maps to one of
    these. Any other name gets an estimate, with one `TokenCountWarning` per process and name.

    Args:
        name: An encoding such as `cl100k_base`, or a model, with or without its provider
            (`gpt-4o`, `openai:gpt-4o`, `openrouter/openai/gpt-4o`).
    """
    return _loaded.get(name) or _load_once(name)


@cache
def encoding_name(name: str) -> str:
    """Return the encoding behind a model's name; any other name comes back as it is."""
    from tiktoken.model import encoding_name_for_model  # noqa: PLC0415  (26 ms, only when counting)

    if name in DEFINITIONS:
        return name
    candidate = name
    while candidate:
        try:
            return encoding_name_for_model(candidate)
        except KeyError:
            # Only a prefix can be the provider's: `ft:gpt-4o:acme` is a model with colons inside.
            candidate = candidate.replace(":", "/").partition("/")[2]
    return name


_loaded: dict[str, Tokenizer] = {}
_lock = ForkSafeLock()


def _load_once(name: str) -> Tokenizer:
    with _lock:
        if name in _loaded:
            return _loaded[name]
        encoding = encoding_name(name)
        if encoding in _loaded:
            _loaded[name] = _loaded[encoding]
            return _loaded[name]
        tokenizer, doubt = _load(encoding)
        # Kept before the warning: under `-W error` the first count raises, the next one works.
        _loaded[name] = _loaded[encoding] = tokenizer
    if doubt:
        warnings.warn(doubt, TokenCountWarning, stacklevel=4)
    return tokenizer


def _load(encoding: str) -> tuple[Tokenizer, str]:
    """Return a tokenizer, and why it is only an estimate, if it is one."""
    # Imported here: `tiktoken` costs 26 ms, and a policy that never counts should not pay them.
    from langchain_control.encodings.bpe import load_bpe  # noqa: PLC0415
    from langchain_control.encodings.estimate import estimating  # noqa: PLC0415

    try:
        return load_bpe(encoding), ""
    except LookupError:
        known = ", ".join(f"`{name}`" for name in DEFINITIONS)
        reason = f"no vocabulary is known for `{encoding}` (shipped: {known})"
    except (OSError, ValueError):
        reason = f"the vocabulary file of `{encoding}` is missing or damaged; reinstall the package"
    return estimating(encoding), f"token counts are estimates: {reason}"
