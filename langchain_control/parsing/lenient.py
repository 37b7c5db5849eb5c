"""JSON as models write it, read in one pass, every deviation noted.

The parser follows the structure as long as it can be told and gives up where it cannot. It never
decides whether a repair may stand: each one is reported with its place, and graded by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, ClassVar, NamedTuple, NoReturn

from langchain_control.parsing.quoted import OPENING_QUOTES, Place, read_quoted
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.scalars import read_scalar
from langchain_control.parsing.strict import (
    MAX_DEPTH,
    TOO_DEEP,
    Fault,
    MalformedJSONError,
    fingerprint,
)

__all__ = ["Lenient", "parse_leniently"]


class Lenient(NamedTuple):
    """A value, where it ends, and what it took to read it."""

    value: Any
    end: int
    repairs: tuple[Repair, ...]


def parse_leniently(text: str, start: int, *, finished: bool = False) -> Lenient:
    """Read the object or array whose opening bracket is at `start`.

    Args:
        text: Any text.
        start: Offset of the bracket.
        finished: Whether whoever wrote the text is known to have come to an end. Brackets missing
            there were then forgotten; otherwise they are taken for cut off. Whoever wrote the end
            of a code fence or a closing tag behind them had finished.

    Raises:
        MalformedJSONError: It cannot be told what was meant.
    """
    return _Parser(text, start, finished=finished).parse()


class _Due(Enum):
    """What a container waits for."""

    FIRST = auto()
    """Its first item or key, or its end."""
    NEXT = auto()
    """An item or key after a comma."""
    VALUE = auto()
    """The value of a key."""
    COMMA = auto()
    """A comma, or its end."""


@dataclass(slots=True)
class _Container:
    """An object or array that is being read."""

    closer: str
    items: dict[str, Any] | list[Any]
    due: _Due = _Due.FIRST
    key: str = ""
    replaced: list[tuple[str, Any]] = field(default_factory=list)
    """Earlier values of keys that came again."""

    def put(self, value: Any) -> None:
        """Add an item, or the value of the key that was read."""
        self.due = _Due.COMMA
        if isinstance(self.items, list):
            self.items.append(value)
            return
        if self.key in self.items:
            self.replaced.append((self.key, self.items[self.key]))
        self.items[self.key] = value

    def contradicts_itself(self) -> bool:
        """Whether a key came twice with different values."""
        if not self.replaced or isinstance(self.items, list):
            return False
        kept = {key: fingerprint(self.items[key]) for key, _ in self.replaced}
        return any(fingerprint(earlier) != kept[key] for key, earlier in self.replaced)


class _Parser:
    """One pass over a text, with the open containers on a stack."""

    def __init__(self, text: str, start: int, *, finished: bool) -> None:
        self._text, self._position, self._finished = text, start, finished
        self._start = start
        self._stack: list[_Container] = []
        self._repairs: list[Repair] = []
        self._root: Any = None

    def parse(self) -> Lenient:
        """Read to the closing bracket, or to the end of what can be JSON."""
        self._open()
        while self._stack:
            self._skip_space()
            character = self._text[self._position : self._position + 1]
            if character in _MAY_END and _END.match(self._text, self._position):
                self._close_at_end()
                break
            handle = self._handlers.get(character)
            if handle is None:
                self._item()
            else:
                handle(self)
        return Lenient(self._root, self._position, tuple(self._repairs))

    # --- structure --------------------------------------------------------------------------------

    def _open(self) -> None:
        bracket = self._text[self._position]
        if len(self._stack) == MAX_DEPTH:
            raise MalformedJSONError(TOO_DEEP)
        items: dict[str, Any] | list[Any] = {} if bracket == "{" else []
        if self._stack:
            if self._awaits_key():
                self._expect("a key")
            self._begin_item()
            self._stack[-1].put(items)
        else:
            self._root = items
        if bracket == "(":
            self._mend("tuple")
        self._stack.append(_Container(_CLOSERS[bracket], items))
        self._position += 1

    def _close(self) -> None:
        """Close the innermost container, or those that lack their own bracket as well."""
        closer = self._text[self._position]
        open_closers = [container.closer for container in self._stack]
        if closer == open_closers[-1]:
            self._pop()
        elif closer in open_closers and not self._closes_too_much(closer):
            while self._stack[-1].closer != closer:
                self._mend("missing_closer")
                self._pop()
            self._pop()
        elif len(self._stack) > 1 and closer not in open_closers:
            self._mend("extra_closer")
        else:
            self._mend("mismatched_closer")
            self._pop()
        self._position += 1

    def _closes_too_much(self, closer: str) -> bool:
        """Whether taking a bracket at its word would end the value before its text ends."""
        outermost = self._stack[0].closer == closer and all(
            container.closer != closer for container in self._stack[1:]
        )
        return outermost and _GOES_ON.match(self._text, self._position + 1) is not None

    def _pop(self) -> None:
        container = self._stack.pop()
        match container.due:
            case _Due.NEXT:
                self._mend("trailing_comma")
            case _Due.VALUE:
                container.put(None)
                self._mend("missing_value")
        if container.contradicts_itself():
            self._mend("duplicate_key")

    def _close_at_end(self) -> None:
        """Close what is open where the text ends."""
        forgotten = self._finished or self._is_closed_by_hand()
        between = self._stack[-1].due in (_Due.VALUE, _Due.NEXT)
        self._mend("missing_closer" if forgotten and not between else "cut")
        self._stack[-1].due = _Due.COMMA  # a key without a value is dropped: none is made up
        while self._stack:
            self._pop()

    def _is_closed_by_hand(self) -> bool:
        """Whether a wrapping ends here. A fence with none before the value begins another one."""
        if not (mark := _CLOSING_MARK.match(self._text, self._position)):
            return False
        fence = mark["fence"]
        return fence is None or self._text.count(fence, 0, self._start) % 2 == 1

    def _comma(self) -> None:
        container = self._stack[-1]
        match container.due:
            case _Due.VALUE:
                container.put(None)
                self._mend("missing_value")
            case _Due.FIRST | _Due.NEXT:
                self._mend("extra_comma")
        if self._text[self._position] == ";":
            self._mend("separator")
        container.due = _Due.NEXT
        self._position += 1

    # --- keys and values --------------------------------------------------------------------------

    def _item(self) -> None:
        if self._text.startswith("...", self._position):
            self._mend("ellipsis")
            self._position += 3
        elif self._awaits_key():
            self._key()
        else:
            self._value()

    def _awaits_key(self) -> bool:
        container = self._stack[-1]
        return isinstance(container.items, dict) and container.due is not _Due.VALUE

    def _begin_item(self) -> None:
        if self._stack[-1].due is _Due.COMMA:
            self._mend("missing_comma")

    def _key(self) -> None:
        self._begin_item()
        container = self._stack[-1]
        if self._text[self._position] in OPENING_QUOTES:
            container.key = self._quoted(is_key=True)
        elif half := _HALF_KEY.match(self._text, self._position):
            self._mend("missing_quote")
            container.key = half[1]
            self._position = half.end()
        elif match := _BARE_KEY.match(self._text, self._position):
            self._mend("unquoted_key")
            container.key = match[0]
            self._position = match.end()
        else:
            self._expect("a key")
        self._skip_space()
        if self._position == len(self._text):
            self._mend("cut")
            return
        colon = _COLON.match(self._text, self._position)
        if colon is None:
            if not _BEGINS_VALUE.match(self._text, self._position):
                self._expect("`:`")
            self._mend("separator")
        else:
            if colon[0] != ":":
                self._mend("separator")
            self._position = colon.end()
        container.due = _Due.VALUE

    def _value(self) -> None:
        self._begin_item()
        if self._text[self._position] in OPENING_QUOTES:
            text = self._concatenated()
            if self._is_key_of_parent():
                self._mend("missing_closer")
                self._pop()
                self._stack[-1].key, self._stack[-1].due = text, _Due.VALUE
                self._position += 1
            else:
                self._stack[-1].put(text)
            return
        scalar = read_scalar(self._text, self._position)
        if scalar.repair:
            self._repairs.append(scalar.repair)
        self._stack[-1].put(scalar.value)
        self._position = scalar.end

    def _is_key_of_parent(self) -> bool:
        """Whether a string in an array is the next key of the object around it."""
        if len(self._stack) == 1 or isinstance(self._stack[-1].items, dict):
            return False
        self._skip_space()
        return isinstance(self._stack[-2].items, dict) and self._text.startswith(
            ":", self._position
        )

    def _concatenated(self) -> str:
        parts = [self._quoted(is_key=False)]
        while joint := _PLUS.match(self._text, self._position):
            self._mend("concatenation")
            self._position = joint.end()
            parts.append(self._quoted(is_key=False))
        return "".join(parts)

    def _quoted(self, *, is_key: bool) -> str:
        in_object = isinstance(self._stack[-1].items, dict)
        quoted = read_quoted(self._text, self._position, Place(is_key, in_object, len(self._stack)))
        self._repairs += quoted.repairs
        self._position = quoted.end
        return quoted.value

    # --- the rest ---------------------------------------------------------------------------------

    def _skip_space(self) -> None:
        if self._text[self._position : self._position + 1] not in _BLANK:
            return
        while match := _SPACE_OR_COMMENT.match(self._text, self._position):
            if not match[0].isspace():
                self._mend("comment")
            self._position = match.end()

    def _mend(self, kind: str) -> None:
        self._repairs.append(Repair(kind, self._position))

    def _expect(self, expected: str) -> NoReturn:
        raise MalformedJSONError(Fault("syntax", expected, offset=self._position))

    _handlers: ClassVar[dict[str, Callable[[_Parser], None]]] = {
        **dict.fromkeys("{[(", _open),
        **dict.fromkeys("}])", _close),
        **dict.fromkeys(",;", _comma),
    }
    """What a character does to the structure; any other one begins a key or a value."""


_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_BLANK = frozenset(" \t\n\r\f\v\xa0\u2028\u2029\u3000\ufeff/#")
"""What space and comments begin with."""
_SPACE_OR_COMMENT = re.compile(r"[\s\ufeff]++|//[^\n]*+|\#[^\n]*+|/\*.*?\*/", re.DOTALL)
_MAY_END = frozenset(("", "`", "~", "<"))
_END = re.compile(r"\Z|```|~~~|</|<\|")
"""The end of the text, or what wraps JSON and cannot be part of it."""
_CLOSING_MARK = re.compile(r"(?P<fence>```|~~~)|</[\w:-]{1,50}>|<\|\w{1,50}\|>")
_BARE_KEY = re.compile(r"[\w$][\w$-]{0,99}(?=\s*+(?::|=>?))")
_HALF_KEY = re.compile(r"""([^\s"'{}\[\],:][^"'{}\[\],:\n]{0,99})["'\u201d](?=\s*+:)""")
_COLON = re.compile(r"=>|[:=]")
_BEGINS_VALUE = re.compile(r"""["'{\[\d-]|(?:true|false|null|True|False|None)\b""")
_PLUS = re.compile(r"""\s*+\+\s*+(?=["'])""")
_GOES_ON = re.compile(r"\s*+(?:,\s*+\S|[}\]])")
