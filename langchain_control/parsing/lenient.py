"""JSON as models write it, read in one pass, every deviation noted.

The parser follows the structure as long as it can be told and gives up where it cannot. It never
decides whether a repair may stand: each one is reported with its place, and graded by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from langchain_control.parsing.blanks import COMMON_BLANKS
from langchain_control.parsing.calls import CALL_OF_ARGUMENTS, CALL_OF_CONTAINER
from langchain_control.parsing.comments import NOTE, announces_omission
from langchain_control.parsing.containers import Container, Due
from langchain_control.parsing.cursor import MARKS
from langchain_control.parsing.plain_runs import read_plain
from langchain_control.parsing.quotation_marks import OPENING_QUOTES
from langchain_control.parsing.repairs import Grade, Mended
from langchain_control.parsing.scalars import Scalar, read_scalar
from langchain_control.parsing.string_ends import Place
from langchain_control.parsing.structure import Structure

__all__ = ["parse_leniently"]


def parse_leniently(text: str, start: int, *, finished: bool = False) -> Mended:
    """Read the object or array whose opening bracket is at `start`.

    Args:
        text: Any text.
        start: Offset of the bracket.
        finished: Whether the text is known to be complete. If so, brackets missing at its end were
            forgotten; if not, the text is taken for cut off. The end of a code fence or a closing
            tag behind the value also shows that it is complete.

    Raises:
        MalformedJSONError: The intended value is not clear.
    """
    found = _Parser(text, start, finished=finished).parse()
    kinds = {repair.kind for repair in found.repairs}
    if "extra_closer" not in kinds or kinds.isdisjoint(("cut", "missing_closer")):
        return found
    # One bracket too many and one too few: more likely, one was the wrong one.
    other = _Parser(text, start, finished=finished, replaces=True).parse()
    return min(found, other, key=lambda reading: len(reading.repairs))


class _Parser(Structure):
    """One pass over a text."""

    def parse(self) -> Mended:
        """Read to the closing bracket, or to the end of what can be JSON."""
        if self.text[self.position] in "{[(":
            self.enter(None)
        elif not self._call(None):
            self.expect("an object or array")
        text, handlers = self.text, self._handlers
        while self._stack:
            handlers.get(text[self.position : self.position + 1], _Parser._item)(self)
        return Mended(self._root, self.position, tuple(self.repairs))

    # --- structure --------------------------------------------------------------------------------

    def _mark(self) -> None:
        """Skip a comment or dressing, or read the item that begins with one of their signs."""
        before = self.position
        self.skip_space()
        if self.position == before:
            self._wrapping()

    def _wrapping(self) -> None:
        """End where a wrapping does, or read the item that begins with one of its signs."""
        if _END.match(self.text, self.position):
            self.close_at_end()
        elif self.at_quote():
            self._quoted_item()
        else:
            self._item()

    def _open(self) -> None:
        container = self._stack[-1]
        if self._awaits_key():
            if self._skip_note() or self._computed_key(container):
                return
            container = self._close_before_next()
        elif container.due is Due.COMMA and self._skip_note():
            return
        self._begin_item()
        self.enter(container)

    def _call(self, parent: Container | None) -> bool:
        """Begin the call that is here, if it is clear what its arguments are."""
        if call := CALL_OF_CONTAINER.match(self.text, self.position):
            self.mend("constructor")
            self.position = call.end()
            self._parentheses += 1
            self.enter(parent, call["name"])
            return True
        if call := CALL_OF_ARGUMENTS.match(self.text, self.position):
            self.enter_arguments(parent, call)
            return True
        return False

    def _skip_note(self) -> bool:
        """Leave a note in parentheses out, at the end of a line."""
        note = NOTE.match(self.text, self.position)
        if note is None or self._stack[-1].due is Due.FIRST:
            return False
        self.mend(self.kind_of_comment(note[0], note.end()))
        self.position = note.end()
        return True

    def _computed_key(self, container: Container) -> bool:
        """Read a key that stands in brackets, as in JavaScript and Lua."""
        key = _COMPUTED_KEY.match(self.text, self.position)
        if key is None:
            return False
        self._begin_item()
        self.mend("unquoted_key")
        container.key, self.position = key[2], key.end()
        self._colon(container)
        return True

    def _close_before_next(self) -> Container:
        """Close an object that lacks its bracket: the next item of the array around begins."""
        if (
            self._stack[-1].due is not Due.NEXT
            or len(self._stack) == 1
            or isinstance(self._stack[-2].items, dict)
        ):
            self.expect("a key")
        self.mend("missing_closer")
        self.pop()
        self._stack[-1].due = Due.NEXT
        return self._stack[-1]

    def _comma(self) -> None:
        container = self._stack[-1]
        match container.due:
            case Due.VALUE:
                container.put(None)
                self.mend("missing_value")
            case Due.FIRST | Due.NEXT:
                # In an object nothing can have stood there; in an array, `null` may have.
                self.mend("extra_comma", is_certain=isinstance(container.items, dict))
        if self.text[self.position] != ",":
            self.mend("separator")
        if container.due is not Due.FIRST:
            container.due = Due.NEXT
        self.position += 1

    # --- keys and values --------------------------------------------------------------------------

    def _item(self) -> None:
        """Read a key or value without quotes."""
        if self._reads_plain():
            return
        if dots := _ELLIPSIS.match(self.text, self.position):
            self.mend("ellipsis")
            self.position = dots.end()
        elif self._awaits_key():
            self._key()
        else:
            self._value()

    def _quoted_item(self) -> None:
        """Read a key or value in quotes."""
        if self._reads_plain():
            return
        container = self._stack[-1]
        self._begin_item()
        if self._awaits_key():
            container.key = self.string(self._place(is_key=True))
            self._colon(container)
        else:
            self._put_strings()

    def _reads_plain(self) -> bool:
        """Read standard JSON up to what needs a closer look, if there is any here."""
        before = self.position
        self.position = read_plain(self.text, before, self._stack[-1])
        return self.position > before

    def _awaits_key(self) -> bool:
        container = self._stack[-1]
        return isinstance(container.items, dict) and container.due is not Due.VALUE

    def _begin_item(self) -> None:
        container = self._stack[-1]
        if container.due is Due.COMMA:
            self.mend("missing_comma", is_certain=self._is_separate(container))

    def _is_separate(self, container: Container) -> bool:
        """Whether two values with nothing between them are certainly two."""
        if isinstance(container.items, list):
            return isinstance(container.last, dict | list) and self.text[self.position] in "{["
        breaks = _BREAK_BEFORE.search(self.text, max(0, self.position - _LOOK_BACK), self.position)
        if breaks and _BARE_KEY.match(self.text, self.position):
            return True
        apart = breaks or not isinstance(container.last, str)
        return bool(apart and _STANDARD_KEY.match(self.text, self.position))

    def _key(self) -> None:
        container = self._stack[-1]
        if not self._read_key(container):
            if not self._add_thousands(container):
                self._skip_stray_text(container)
            return
        self._colon(container)

    def _colon(self, container: Container) -> None:
        """Read what separates a key from its value."""
        self.skip_space()
        if self.position == len(self.text):
            self.mend("cut")
            return
        container.due = Due.VALUE
        if colon := _COLON.match(self.text, self.position):
            if colon[0] != ":":
                self.mend("separator")
            self.position = colon.end()
            if _KEY_ON_NEXT_LINE.match(self.text, self.position):
                container.put(None)
                self.mend("missing_value")
        elif _BEGINS_VALUE.match(self.text, self.position):
            is_apart = (
                self.text[self.position - 1].isspace() or not self.text[self.position].isalnum()
            )
            is_plain = not self.at_quote() or _PLAIN_VALUE.match(self.text, self.position)
            self.mend("missing_colon", is_certain=is_apart and bool(is_plain))
        elif self.text[self.position] not in ",}":
            self.expect("`:`")

    def _read_key(self, container: Container) -> bool:
        """Read a key, if there is one."""
        self.skip_prefix()
        if self.at_quote():
            self._begin_item()
            container.key = self.string(self._place(is_key=True))
            return True
        for form, repair in _UNQUOTED_KEYS:
            if match := form.match(self.text, self.position):
                self._begin_item()
                self.mend(repair)
                container.key, self.position = match[1], match.end()
                container.key_words = container.key_words or form is _KEY_WORDS
                return True
        return False

    def _add_thousands(self, container: Container) -> bool:
        """Take three digits after a number and a comma for the rest of it."""
        rest = _THOUSANDS.match(self.text, self.position)
        if not rest or container.due is not Due.NEXT or type(container.last) is not int:
            return False
        self.mend("thousands")
        container.replace_last(container.last * 1000 + int(rest[0]))
        container.due = Due.COMMA
        self.position = rest.end()
        return True

    def _skip_stray_text(self, container: Container) -> None:
        """Leave out what is neither key nor value, where members stand around it."""
        stray = _STRAY.match(self.text, self.position)
        if stray is None or not container.items:
            self.expect("a key")
        self.mend("stray_text")
        self.position = stray.end()

    def _value(self) -> None:
        container = self._stack[-1]
        self._begin_item()
        if (raw := self.raw_string()) is not None:
            container.put(raw)
            return
        self.skip_prefix()
        if self.at_quote():
            self._put_strings()
            return
        if self._call(container):
            return
        scalar = read_scalar(self.text, self.position, in_object=isinstance(container.items, dict))
        if scalar.repair:
            self.note([scalar.repair])
            is_word = scalar.repair.kind == "bare_string" and scalar.repair.grade is Grade.GUESS
            if is_word and self._stands_for_more(container, scalar):
                self.mend("ellipsis")
        container.put(scalar.value)
        self.position = scalar.end

    def _put_strings(self) -> None:
        text = self.strings(self._place(is_key=False))
        if not self._is_key_after_all(text):
            self._stack[-1].put(text)

    def _stands_for_more(self, container: Container, word: Scalar) -> bool:
        """Whether a word without quotes, such as `others`, stands for items that were left out."""
        if isinstance(container.items, dict) or not isinstance(word.value, str):
            return False
        if announces_omission(word.value):
            return True
        before = self.text[max(0, self.position - _LOOK_BACK) : self.position]
        return self.array_ends(word.end) and _QUOTED_BEFORE.search(before) is not None

    def _is_key_after_all(self, text: str) -> bool:
        """Take a string in an array for a key, if a colon follows it.

        It is the next key of the object around the array, or the array is a dictionary, as other
        languages write them.
        """
        container = self._stack[-1]
        if isinstance(container.items, dict):
            return False
        self.skip_space()
        sign = _KEY_SIGN.match(self.text, self.position)
        if sign is None:
            return False
        if sign[0] == "=>" and not container.items:
            self.mend("separator")
            self._become_object()
        elif container.items:
            if len(self._stack) == 1 or isinstance(self._stack[-2].items, list):
                return False
            self.mend("missing_closer", is_certain=container.has_begun_for_sure())
            self.pop()
        else:
            self._become_object()
            self.mend("wrong_bracket", is_certain=self._is_closed_as_begun())
        self._stack[-1].key, self._stack[-1].due = text, Due.VALUE
        self.position = sign.end()
        return True

    def _is_closed_as_begun(self) -> bool:
        """Whether plain members and the closing bracket of an array follow, as in Swift."""
        return _MEMBERS_IN_ARRAY.match(self.text, self.position) is not None

    def _become_object(self) -> None:
        """Replace the innermost array, which is empty, by an object."""
        array = self._stack.pop()
        items: dict[str, Any] = {}
        self.replace(items)
        self._stack.append(Container(array.closer, items))

    def _place(self, *, is_key: bool) -> Place:
        container = self._stack[-1]
        return Place(
            is_key,
            isinstance(container.items, dict),
            len(self._stack),
            self._finished,
            self._parentheses > 0,
            container.is_tuple,
            container.key_words,
        )

    _handlers: ClassVar[dict[str, Callable[[_Parser], None]]] = {
        **dict.fromkeys("{[(", _open),
        **dict.fromkeys("}])", Structure.close),
        **dict.fromkeys(",;\uff0c\uff1b\u3001", _comma),
        **dict.fromkeys(OPENING_QUOTES, _quoted_item),
        **dict.fromkeys(COMMON_BLANKS, Structure.skip_space),
        **dict.fromkeys(MARKS, _mark),
        **dict.fromkeys("`~", _wrapping),
        "": Structure.close_at_end,
    }
    """What a character does; any other one begins a key or a value without quotes."""


_END = re.compile(r"```|~~~|</|<\|")
"""What wraps JSON and cannot be part of it."""
_HALF_KEY = re.compile(r"""([^\s"'{}\[\],:][^"'{}\[\],:\n]{0,99})["'\u201d](?=\s*+:)""")
_BARE_KEY = re.compile(
    r"(?::(?=\w{1,100}\s*+=>))?([\w$@][\w$.@-]{0,99}?)(?=\s*+(?:[:\uff1a]|[=-]>|=))"
)
_KEY_WORDS = re.compile(r"([A-Za-z]\w{0,30}(?: \w{1,30}){1,3})(?=\s{0,9}:\s{0,9}[\"'\d{\[tfn-])")
_NO_KEY = re.compile(r"()(?=:)")
_UNQUOTED_KEYS = (
    (_HALF_KEY, "missing_quote"),
    (_BARE_KEY, "unquoted_key"),
    (_KEY_WORDS, "unquoted_key"),
    (_NO_KEY, "missing_key"),
)
"""Keys that do not begin with a quote, and what is wrong with each."""
_COMPUTED_KEY = re.compile(r"""\[\s{0,9}(["'])([^"'\n]{1,100})\1\s{0,9}\](?=\s{0,9}:)""")
_MEMBERS_IN_ARRAY = re.compile(
    r':\s{0,9}(?:"[^"\\\n]{0,200}"|[\w.-]{1,60})'
    r'(?>(?:\s{0,100},\s{0,100}"[^"\\\n]{1,100}"\s{0,9}:\s{0,9}(?:"[^"\\\n]{0,200}"|[\w.-]{1,60})){0,100})'
    r"\s{0,100}\]"
)
_KEY_SIGN = re.compile(r":|=>")
_KEY_ON_NEXT_LINE = re.compile(r'[ \t]*\n\s{0,100}"[^"\\\n]{1,100}"\s{0,9}:\s{0,9}[^\s:]')
_THOUSANDS = re.compile(r"[0-9]{3}(?=\s{0,100}[,}])")
_COLON = re.compile(r"[=-]>|:=|::|[:=\uff1a]")
_STANDARD_KEY = re.compile(r'"[^"\\\n]{1,200}"\s*+:')
_LOOK_BACK = 100
_QUOTED_BEFORE = re.compile(r"""["'\u2019\u201d}\]]\s*+,\s*+\Z""")
"""The end of an item in quotes or brackets, and a comma."""
_BREAK_BEFORE = re.compile(r"""[\w"'\u201d}\]]\s*\n\s*\Z""")
_PLAIN_VALUE = re.compile(r'"[^"\\\n]{0,500}"\s{0,100}[,}]')
_BEGINS_VALUE = re.compile(r"""["'{\[\d-]|(?:true|false|null|True|False|None)\b""")
_ELLIPSIS = re.compile(r"\.{3}|\u2026|(?:etc\b\.?|and so on)(?=\s{0,100}[,}\]])")
_STRAY = re.compile(
    r"""[^\s"'`\u2018\u2019\u201c\u201d{}\[\]():,;<>][^"'`\u201c\u201d{}\[\]():,;<>\n]{0,200}"""
)
