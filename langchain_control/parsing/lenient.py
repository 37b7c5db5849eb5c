"""JSON as models write it, read in one pass, every deviation noted.

The parser follows the structure as long as it can be told and gives up where it cannot. It never
decides whether a repair may stand: each one is reported with its place, and graded by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from langchain_control.parsing.containers import Container, Due
from langchain_control.parsing.cursor import Cursor
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.scalars import read_scalar
from langchain_control.parsing.strict import MAX_DEPTH, TOO_DEEP, MalformedJSONError
from langchain_control.parsing.string_ends import Place

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
    found = _Parser(text, start, finished=finished).parse()
    kinds = {repair.kind for repair in found.repairs}
    if "extra_closer" not in kinds or kinds.isdisjoint(("cut", "missing_closer")):
        return found
    # One bracket too many and one too few: more likely, one was the wrong one.
    other = _Parser(text, start, finished=finished, replaces=True).parse()
    return min(found, other, key=lambda reading: len(reading.repairs))


class _Parser(Cursor):
    """One pass over a text, with the open containers on a stack."""

    def __init__(self, text: str, start: int, *, finished: bool, replaces: bool = False) -> None:
        super().__init__(text, start)
        self._start, self._finished = start, finished
        self._replaces = replaces
        """Whether a bracket that closes nothing stands for the right one, or for none."""
        self._stack: list[Container] = []
        self._root: Any = None

    def parse(self) -> Lenient:
        """Read to the closing bracket, or to the end of what can be JSON."""
        self._open()
        while self._stack:
            self.skip_space()
            character = self.text[self.position : self.position + 1]
            if character in _MAY_END and _END.match(self.text, self.position):
                self._close_at_end()
                break
            handle = self._handlers.get(character)
            if handle is None:
                self._item()
            else:
                handle(self)
        return Lenient(self._root, self.position, tuple(self.repairs))

    # --- structure --------------------------------------------------------------------------------

    def _open(self) -> None:
        if not self._stack:
            self._enter(None)
            return
        container = self._stack[-1]
        if self._awaits_key():
            container = self._close_before_next()
        self._begin_item()
        self._enter(container)

    def _close_before_next(self) -> Container:
        """Close an object that lacks its bracket: the next item of the array around begins."""
        if (
            self._stack[-1].due is not Due.NEXT
            or len(self._stack) == 1
            or isinstance(self._stack[-2].items, dict)
        ):
            self.expect("a key")
        self.mend("missing_closer")
        self._pop()
        self._stack[-1].due = Due.NEXT
        return self._stack[-1]

    def _enter(self, parent: Container | None) -> None:
        """Begin the container whose bracket is here."""
        bracket = self.text[self.position]
        if len(self._stack) == MAX_DEPTH:
            raise MalformedJSONError(TOO_DEEP)
        items: dict[str, Any] | list[Any] = {} if bracket == "{" else []
        if bracket == "(":
            self.mend("tuple")
        elif bracket == "{" and _SET.match(self.text, self.position):
            items = []
            self.mend("set")
        if parent is None:
            self._root = items
        else:
            parent.put(items)
        self._stack.append(Container(_CLOSERS[bracket], items))
        self.position += 1

    def _close(self) -> None:
        """Close the innermost container, or those that lack their own bracket as well."""
        closer, stack = self.text[self.position], self._stack
        if closer == stack[-1].closer:
            if (
                len(stack) == 1
                and closer == "}"
                and _GOES_ON_WITH_KEY.match(self.text, self.position)
            ):
                self.mend("early_closer")
            else:
                self._pop()
            self.position += 1
            return
        open_closers = [container.closer for container in stack]
        if closer in open_closers and not self._closes_too_much(closer):
            while stack[-1].closer != closer:
                self.mend("missing_closer", is_certain=self._lacks_its_bracket(closer))
                self._pop()
            self._pop()
        elif (
            len(stack) > 1
            and closer not in open_closers
            and not (self._replaces or self._closes_all())
        ):
            self.mend("extra_closer")
        else:
            self.mend("mismatched_closer")
            self._pop()
        self.position += 1

    def _lacks_its_bracket(self, closer: str) -> bool:
        """Whether an array can only have ended here, as the object around it does."""
        container, around = self._stack[-1], self._stack[-2]
        return (
            container.has_begun_for_sure()
            and container.due is Due.COMMA
            and around.closer == closer == "}"
        )

    def _closes_too_much(self, closer: str) -> bool:
        """Whether taking a bracket at its word would end the value before its text ends."""
        outermost = self._stack[0].closer == closer and all(
            container.closer != closer for container in self._stack[1:]
        )
        return outermost and _GOES_ON.match(self.text, self.position + 1) is not None

    def _closes_all(self) -> bool:
        """Whether there are as many closing brackets from here on as there are open containers."""
        run = _CLOSERS_RUN.match(self.text, self.position)
        return run is not None and sum(map(run[0].count, "}])")) == len(self._stack)

    def _pop(self) -> None:
        container = self._stack.pop()
        match container.due:
            case Due.NEXT:
                self.mend("trailing_comma")
            case Due.VALUE:
                container.put(None)
                self.mend("missing_value")
        if container.contradicts_itself():
            self.mend("duplicate_key")

    def _close_at_end(self) -> None:
        """Close what is open where the text ends."""
        forgotten = self._finished or self._is_closed_by_hand()
        between = self._stack[-1].due in (Due.VALUE, Due.NEXT)
        if self._is_closed_in_the_margin():
            self.mend("misplaced_closer")
        else:
            self.mend("missing_closer" if forgotten and not between else "cut")
        self._stack[-1].due = Due.COMMA  # a key without a value is dropped: none is made up
        while self._stack:
            self._pop()

    def _is_closed_in_the_margin(self) -> bool:
        """Whether the last bracket is indented as the outermost one: another one is missing."""
        at_margin = self._start == 0 or self.text[self._start - 1] == "\n"
        before = self.text[max(0, self.position - _LOOK_BACK) : self.position].rstrip()
        return at_margin and before[-2:] in ("\n}", "\n]")

    def _is_closed_by_hand(self) -> bool:
        """Whether a wrapping ends here. A fence with none before the value begins another one."""
        if not (mark := _CLOSING_MARK.match(self.text, self.position)):
            return False
        fence = mark["fence"]
        return fence is None or self.text.count(fence, 0, self._start) % 2 == 1

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
        if dots := _ELLIPSIS.match(self.text, self.position):
            self.mend("ellipsis")
            self.position = dots.end()
        elif self._awaits_key():
            self._key()
        else:
            self._value()

    def _awaits_key(self) -> bool:
        container = self._stack[-1]
        return isinstance(container.items, dict) and container.due is not Due.VALUE

    def _begin_item(self) -> None:
        container = self._stack[-1]
        if container.due is Due.COMMA:
            self.mend("missing_comma", is_certain=self._is_separate(container))

    def _is_separate(self, container: Container) -> bool:
        """Whether two values with nothing between them can be nothing but two."""
        if isinstance(container.items, list):
            return isinstance(container.last, dict | list) and self.text[self.position] in "{["
        apart = not isinstance(container.last, str) or (
            _BREAK_BEFORE.search(self.text, max(0, self.position - _LOOK_BACK), self.position)
            is not None
        )
        return apart and _STANDARD_KEY.match(self.text, self.position) is not None

    def _key(self) -> None:
        container = self._stack[-1]
        if not self._read_key(container):
            if not self._add_thousands(container):
                self._skip_stray_text(container)
            return
        self.skip_space()
        if self.position == len(self.text):
            self.mend("cut")
            return
        container.due = Due.VALUE
        if colon := _COLON.match(self.text, self.position):
            if colon[0] != ":":
                self.mend("separator")
            self.position = colon.end()
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
        text, position = self.text, self.position
        if self.at_quote():
            self._begin_item()
            container.key = self.string(self._place(is_key=True))
        elif half := _HALF_KEY.match(text, position):
            self._begin_item()
            self.mend("missing_quote")
            container.key = half[1]
            self.position = half.end()
        elif match := _BARE_KEY.match(text, position):
            self._begin_item()
            self.mend("unquoted_key")
            container.key = match[1]
            self.position = match.end()
        elif text[position] == ":":
            self._begin_item()
            self.mend("missing_key")
            container.key = ""
        else:
            return False
        return True

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
        self.skip_prefix()
        if self.at_quote():
            text = self.strings(self._place(is_key=False))
            if not self._is_key_after_all(text):
                self._stack[-1].put(text)
            return
        scalar = read_scalar(self.text, self.position, in_object=isinstance(container.items, dict))
        if scalar.repair:
            self.note([scalar.repair])
        container.put(scalar.value)
        self.position = scalar.end

    def _is_key_after_all(self, text: str) -> bool:
        """Take a string in an array for a key, if a colon follows it.

        It is the next key of the object around the array, or the array is a dictionary, as other
        languages write them.
        """
        container = self._stack[-1]
        if isinstance(container.items, dict):
            return False
        self.skip_space()
        if not self.text.startswith(":", self.position):
            return False
        if container.items:
            if len(self._stack) == 1 or isinstance(self._stack[-2].items, list):
                return False
            self.mend("missing_closer", is_certain=container.has_begun_for_sure())
            self._pop()
        else:
            self.mend("wrong_bracket")
            self._become_object()
        self._stack[-1].key, self._stack[-1].due = text, Due.VALUE
        self.position += 1
        return True

    def _become_object(self) -> None:
        """Replace the innermost array, which is empty, by an object."""
        array = self._stack.pop()
        items: dict[str, Any] = {}
        if self._stack:
            self._stack[-1].replace_last(items)
        else:
            self._root = items
        self._stack.append(Container(array.closer, items))

    def _place(self, *, is_key: bool) -> Place:
        in_object = isinstance(self._stack[-1].items, dict)
        return Place(is_key, in_object, len(self._stack), self._finished)

    _handlers: ClassVar[dict[str, Callable[[_Parser], None]]] = {
        **dict.fromkeys("{[(", _open),
        **dict.fromkeys("}])", _close),
        **dict.fromkeys(",;\uff0c\uff1b\u3001", _comma),
    }
    """What a character does to the structure; any other one begins a key or a value."""


_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_MAY_END = frozenset(("", "`", "~", "<"))
_END = re.compile(r"\Z|```|~~~|</|<\|")
"""The end of the text, or what wraps JSON and cannot be part of it."""
_CLOSING_MARK = re.compile(r"(?P<fence>```|~~~)|</[\w:-]{1,50}>|<\|\w{1,50}\|>")
_BARE_KEY = re.compile(r"(?::(?=\w{1,100}\s*+=>))?([\w$][\w$.-]{0,99})(?=\s*+(?:[:\uff1a]|=>?))")
_HALF_KEY = re.compile(r"""([^\s"'{}\[\],:][^"'{}\[\],:\n]{0,99})["'\u201d](?=\s*+:)""")
_THOUSANDS = re.compile(r"[0-9]{3}(?=\s{0,100}[,}])")
_COLON = re.compile(r"=>|:=|::|[:=\uff1a]")
_STANDARD_KEY = re.compile(r'"[^"\\\n]{1,200}"\s*+:')
_LOOK_BACK = 100
_BREAK_BEFORE = re.compile(r"""["'\u201d]\s*\n\s*\Z""")
_PLAIN_VALUE = re.compile(r'"[^"\\\n]{0,500}"\s{0,100}[,}]')
_BEGINS_VALUE = re.compile(r"""["'{\[\d-]|(?:true|false|null|True|False|None)\b""")
_ELLIPSIS = re.compile(r"\.{3}|\u2026")
_STRAY = re.compile(
    r"""[^\s"'`\u2018\u2019\u201c\u201d{}\[\]():,;<>][^"'`\u201c\u201d{}\[\]():,;<>\n]{0,200}"""
)
_SET = re.compile(
    r"""\{\s*+(?:(?:"[^"\\\n]{0,200}+"|'[^'\\\n]{0,200}+'|-?[0-9][0-9.eE+-]{0,30}+)\s*+,\s*+)++"""
    r"""(?:(?:"[^"\\\n]{0,200}+"|'[^'\\\n]{0,200}+'|-?[0-9][0-9.eE+-]{0,30}+)\s*+)?\}"""
)
"""A set of strings and numbers, as Python writes it."""
_GOES_ON = re.compile(r"\s*+(?:,\s*+\S|[}\]])")
_GOES_ON_WITH_KEY = re.compile(r"""\}\s{0,100},\s{0,100}"[^"\\\n]{0,200}"\s{0,100}:""")
_CLOSERS_RUN = re.compile(r"[}\])](?:\s{0,100}[}\])]){0,128}")
