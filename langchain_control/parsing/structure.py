"""Brackets: which container each of them opens or closes, also where they are wrong."""

from __future__ import annotations

import re
from typing import Any

from langchain_control.parsing.calls import CALL_END, begins_object, built
from langchain_control.parsing.comments import said_by
from langchain_control.parsing.containers import Container, Due
from langchain_control.parsing.cursor import Cursor
from langchain_control.parsing.strict import MAX_DEPTH, TOO_DEEP, MalformedJSONError

__all__ = ["Structure"]


class Structure(Cursor):
    """A place in a text, with the containers that are open there on a stack."""

    def __init__(self, text: str, start: int, *, finished: bool, replaces: bool = False) -> None:
        """Begin at an offset, with nothing open."""
        super().__init__(text, start)
        self._start, self._finished = start, finished
        self._replaces = replaces
        """Whether a bracket that closes nothing replaces the right one; if not, it is surplus."""
        self._stack: list[Container] = []
        self._root: Any = None
        self._parentheses = 0
        """How many tuples and calls were opened."""

    def kind_of_comment(self, comment: str, end: int) -> str:
        """Return the kind of repair that leaving out this comment is."""
        return said_by(comment, at_end=self.array_ends(end))

    def array_ends(self, position: int) -> bool:
        """Whether the innermost container is an array whose bracket follows."""
        is_array = isinstance(self._stack[-1].items, list)
        return is_array and _ARRAY_ENDS.match(self.text, position) is not None

    def enter(self, parent: Container | None, call: str = "") -> None:
        """Begin the container whose bracket is here."""
        bracket = self.text[self.position]
        items: dict[str, Any] | list[Any] = {} if bracket == "{" else []
        if bracket == "{" and _SET.match(self.text, self.position):
            items = []
            self.mend("set")
        container = Container(_CLOSERS[bracket], items, call)
        if bracket == "(":
            container.is_tuple = True
            self._parentheses += 1
        self.push(parent, container)
        self.position += 1

    def enter_arguments(self, parent: Container | None, call: re.Match[str]) -> None:
        """Begin the call whose arguments are the items or members."""
        self.mend("constructor")
        self._parentheses += 1
        self.position = call.end()
        self.push(parent, Container(")", {} if begins_object(call) else []))

    def push(self, parent: Container | None, container: Container) -> None:
        """Open a container in another one, or as the outermost one."""
        if len(self._stack) == MAX_DEPTH:
            raise MalformedJSONError(TOO_DEEP)
        if parent is None:
            self._root = container.items
        else:
            parent.put(container.items)
        self._stack.append(container)

    def replace(self, value: Any) -> None:
        """Put another value in the place of the container that was closed last."""
        if self._stack:
            self._stack[-1].replace_last(value)
        else:
            self._root = value

    def close(self) -> None:
        """Close the innermost container, or those that lack their own bracket as well."""
        closer = self.text[self.position]
        if closer == self._stack[-1].closer:
            self._close_innermost()
        elif self._closes_twice(closer):
            self.mend("extra_closer", is_certain=True)
        elif self._closes_one_around(closer):
            self._close_up_to(closer)
        elif self._closes_nothing(closer):
            self.mend("extra_closer")
        else:
            self.mend("mismatched_closer", is_certain=self._goes_on_around())
            self.pop()
        self.position += 1

    def _close_innermost(self) -> None:
        """Close the container whose own bracket is here, unless its members go on behind it."""
        container, is_outermost = self._stack[-1], len(self._stack) == 1
        if container.call:
            self._end_call(container)
        elif is_outermost and _GOES_ON_WITH_KEY.match(self.text, self.position):
            self.mend("early_closer")
        else:
            self.pop()

    def _close_up_to(self, closer: str) -> None:
        """Close a container, and before it those inside of it, which lack their brackets."""
        while self._stack[-1].closer != closer:
            self.mend("missing_closer", is_certain=self._lacks_its_bracket(closer))
            self.pop()
        self.pop()

    def _closes_one_around(self, closer: str) -> bool:
        """Whether a bracket is that of a container around the innermost one."""
        return self._is_open(closer) and not self._closes_too_much(closer)

    def _closes_nothing(self, closer: str) -> bool:
        """Whether a bracket is surplus, and does not stand for another one."""
        is_alone = len(self._stack) > 1 and not self._is_open(closer)
        return is_alone and not (self._replaces or self._closes_all())

    def _is_open(self, closer: str) -> bool:
        return any(container.closer == closer for container in self._stack)

    def _end_call(self, container: Container) -> None:
        """Close a container together with the call that it is the argument of."""
        end = CALL_END.match(self.text, self.position + 1)
        if end is None:
            self.expect("`)`")
        name, container.call = container.call, ""
        self.pop()
        value = built(name, container.items)
        if value is None:
            self.mend("call")
        else:
            self.replace(value)
        self.position = end.end() - 1

    def _closes_twice(self, closer: str) -> bool:
        """Whether a bracket is one too many just before the last one: nothing depends on it."""
        right = self._stack[-1].closer
        after = _LAST_BRACKET.match(self.text, self.position + 1)
        return len(self._stack) == 1 and closer != right and bool(after and after[1] == right)

    def _goes_on_around(self) -> bool:
        """Whether an object can only have ended here, as the next one of its array follows."""
        innermost, around = self._stack[-1], self._stack[-2:-1]
        is_item = bool(around) and isinstance(around[0].items, list)
        in_array = is_item and isinstance(innermost.items, dict) and innermost.due is Due.COMMA
        return in_array and _NEXT_OBJECT.match(self.text, self.position + 1) is not None

    def _lacks_its_bracket(self, closer: str) -> bool:
        """Whether an array can only have ended here, as the object around it does."""
        container, around = self._stack[-1], self._stack[-2]
        return (
            container.has_begun_for_sure()
            and container.due is Due.COMMA
            and around.closer == closer == "}"
        )

    def _closes_too_much(self, closer: str) -> bool:
        """Whether closing what a bracket says would end the value before its text ends."""
        outermost = self._stack[0].closer == closer and all(
            container.closer != closer for container in self._stack[1:]
        )
        return outermost and _GOES_ON.match(self.text, self.position + 1) is not None

    def _closes_all(self) -> bool:
        """Whether there are as many closing brackets from here on as there are open containers."""
        run = _CLOSERS_RUN.match(self.text, self.position)
        return run is not None and sum(map(run[0].count, "}])")) == len(self._stack)

    def pop(self) -> None:
        """Close the innermost container."""
        container = self._stack.pop()
        match container.due:
            case Due.NEXT:
                self.mend("trailing_comma")
            case Due.VALUE:
                container.put(None)
                self.mend("missing_value")
        if container.contradicts_itself():
            self.mend("duplicate_key")
        if container.call:
            self.mend("call")
        if container.is_only_parenthesized():
            self.replace(container.last)
        elif container.is_tuple:
            self.mend("tuple")

    def close_at_end(self) -> None:
        """Close what is open where the text ends."""
        forgotten = self._finished or self._is_closed_by_hand()
        between = self._stack[-1].due in (Due.VALUE, Due.NEXT)
        if self._is_closed_in_the_margin():
            self.mend("misplaced_closer")
        else:
            self.mend("missing_closer" if forgotten and not between else "cut")
        self._stack[-1].due = Due.COMMA  # a key without a value is dropped: none is made up
        while self._stack:
            self.pop()

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


_ARRAY_ENDS = re.compile(r"\s*+,?\s*+\]")
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_CLOSING_MARK = re.compile(r"(?P<fence>```|~~~)|</[\w:-]{1,50}>|<\|\w{1,50}\|>")
_LOOK_BACK = 100
_SET = re.compile(
    r"""\{\s*+(?>(?:(?:"[^"\\\n]{0,200}+"|'[^'\\\n]{0,200}+'|-?[0-9][0-9.eE+-]{0,30}+)\s*+,\s*+)+)"""
    r"""(?:(?:"[^"\\\n]{0,200}+"|'[^'\\\n]{0,200}+'|-?[0-9][0-9.eE+-]{0,30}+)\s*+)?\}"""
)
"""A set of strings and numbers, as Python writes it."""
_GOES_ON = re.compile(r"\s*+(?:,\s*+\S|[}\]])")
_GOES_ON_WITH_KEY = re.compile(r"""\}\s{0,100},\s{0,100}"[^"\\\n]{0,200}"\s{0,100}:""")
_CLOSERS_RUN = re.compile(r"[}\])](?:\s{0,100}[}\])]){0,128}")
_NEXT_OBJECT = re.compile(r'\s{0,100},\s{0,100}\{\s{0,100}"')
_LAST_BRACKET = re.compile(r"\s{0,100}([}\])])\s{0,100}(?:\Z|```|</|\n\s*\n)")
