r"""Backslashes that nobody escaped: paths of Windows, LaTeX, regular expressions.

In `"C:\Users\tom"` the second backslash is no tab, although JSON knows `\t`: whoever wrote the
first one did not think of escapes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from langchain_control.parsing.escapes import read_escape

__all__ = ["Backslashes", "is_drive", "may_stand_for_themselves", "read_backslashes"]


class Backslashes(NamedTuple):
    """A string in which backslashes stand for themselves."""

    value: str
    is_certain: bool
    """Whether there is no other way to read it."""


def may_stand_for_themselves(text: str) -> bool:
    """Say whether a text holds a path with single backslashes, or a command of LaTeX.

    Escapes of JSON in such a string, valid as they are, need a second look.
    """
    return _PATH_OR_LATEX.search(text) is not None


def is_drive(body: str) -> bool:
    """Say whether the body of a string is a path to a folder, but for the backslash at its end."""
    return _FOLDER.fullmatch(body) is not None


def read_backslashes(body: str) -> Backslashes | None:
    """Read the body of a string whose backslashes stand for themselves, if they do."""
    if _PATH_START.match(body) and not _LABEL.fullmatch(body):
        is_share = body.startswith("\\\\")
        value = body if is_share else body.replace("\\\\", "\\")
        return Backslashes(value, _PATH.fullmatch(body) is not None)
    kinds = {found.lastgroup for found in _BACKSLASH.finditer(body)}
    if kinds.isdisjoint((*_CERTAIN, "sign")):
        return None
    if "regex" in kinds and "control" in kinds:
        return Backslashes(body.replace("\\\\", "\\"), is_certain=False)
    value = _BACKSLASH.sub(_without_escape, body)
    is_certain = kinds.isdisjoint(("control", "doubtful")) and not kinds.isdisjoint(_CERTAIN)
    return Backslashes(value, is_certain)


def _without_escape(found: re.Match[str]) -> str:
    is_escape = found.lastgroup in ("escape", "control")
    return read_escape(found[0], 0).value if is_escape else found[0]


_LATEX = (
    r"(?:bar|begin|beta|big|bigcup|bigl|bigr|binom|bmod|boldsymbol|bot|boxed|bullet"
    r"|fbox|flat|floor|forall|frac|frown|nabla|natural|nearrow|neg|neq|nexists|not|notin|nmid"
    r"|rangle|rbrace|rceil|rfloor|rho|right|rightarrow|rightleftharpoons|rm|root"
    r"|tau|tbinom|text|textbf|textit|textrm|texttt|tfrac|therefore|theta|tilde|times|top"
    r"|triangle|varepsilon|varphi|vdots|vec)(?![A-Za-z])"
)
"""Commands of LaTeX that begin like an escape of JSON. What is left of them after it is no word."""
_NAME = r"[^\\/:*?\"<>|\x00-\x1f]"
_SHARE = r"\\\\[A-Za-z][\w.-]{1,60}\\(?!\\)"
_PATH_START = re.compile(
    rf"[A-Za-z]:\\(?!\\)|(?={_SHARE}){_NAME}*+\\\\{_NAME}++(?>(?:\\[bfnrtux]{_NAME}*+)*)\\{_NAME}"
)
"""A drive, or a share whose path holds what is no escape."""
_LABEL = re.compile(
    rf"[A-Za-z]:\\(?:[nr]{_NAME}*|u[0-9a-fA-F]{{4}}.*|[\"'`/].*)|[ABab]:\\[bft]{_NAME}*",
    re.DOTALL,
)
"""One letter, a colon, and one escape of JSON: `A:\\n` comes before an answer."""
_PATH = re.compile(
    rf"(?:[A-Za-z]:|\\\\{_NAME}++)(?>(?:\\(?![bfnrt]{_NAME}*? ){_NAME}++)*)\\?", re.DOTALL
)
"""A path and nothing else. A blank after what may be a line break leaves doubt."""
_FOLDER = re.compile(rf"[A-Za-z]:(?>(?:\\\\?{_NAME}++)*)")
_PATH_OR_LATEX = re.compile(rf"""["'](?:[A-Za-z]:\\(?!\\)|{_SHARE})|(?<!\\)\\{_LATEX}""")
_BACKSLASH = re.compile(
    r"""\\(?:(?P<escape>["\\/'`\n]|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2}"""
    r"""|U00[01][0-9a-fA-F]{5})"""
    r"|(?P<control>[nrtv0](?![A-Za-z\\]))"
    rf"|(?P<latex>{_LATEX})|(?P<never>[bf]|(?:ne|neg|ni|nu|to|tan|tanh)(?![A-Za-z]))|(?P<math>\((?=[^\n]*?\\\))|\))|(?P<doubtful>[nrtv0])"
    r"|(?P<regex>[dDsSwWB](?![A-Za-z]))|(?P<letter>[A-Za-z])|(?P<mark>[_*$%!~#@&<>-])|(?P<sign>.))",
    re.DOTALL,
)
_CERTAIN = ("latex", "letter", "math", "regex")
"""`never`: no answer holds a backspace or a form feed, and hardly one a single letter after a line
break. `mark`: Markdown escapes those as well."""
