"""Errors of pydantic, where they are in a value, and which of them are about what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

__all__ = [
    "IS_MISSING",
    "Located",
    "Members",
    "Path",
    "first_located",
    "located",
    "of_meant_members",
]

IS_MISSING = frozenset(("missing", "missing_keyword_only_argument"))
"""Pydantic's names for what is not there. The location ends with what is missing."""

Step = str | int
Path = tuple[Step, ...]
Members = Mapping[Step, list["Located"]]
"""What each member of a union has against a value, by the members' names."""


class Located(NamedTuple):
    """An error, and where it is in the value."""

    error: ErrorDetails
    place: Path
    """Pydantic's own, which also names members of unions, tags and validators."""
    labels: tuple[int, ...]
    """Which steps of it are such names."""

    @property
    def path(self) -> Path:
        """The other steps."""
        return tuple(step for n, step in enumerate(self.place) if n not in self.labels)

    def member(self, depth: int) -> tuple[Path, Step] | None:
        """Return the place of what has a name, and the name, so many names deep."""
        if depth >= len(self.labels):
            return None
        at = self.labels[depth]
        return self.place[:at], self.place[at]


def located(error: ErrorDetails, value: Any) -> Located:
    """Find an error in the value that it is about; that of what is missing, in its holder.

    A name may be a key of the value, too. So of all ways through the value one counts that leads
    to what pydantic found there.
    """
    place = error["loc"][:-1] if error["type"] in IS_MISSING else error["loc"]
    greedy = _greedy(place, value)
    ways = chain([greedy], _ways(place, value))
    labels = next((way for way, found in ways if found == error["input"]), greedy[0])
    return Located(error, place, labels)


def first_located(
    errors: Sequence[ErrorDetails], value: Any, *, limit: int, of_each: int
) -> list[Located]:
    """Find the first errors and, where they end inside a union, some of each member to come.

    Args:
        errors: All there are, as pydantic orders them: member by member.
        value: What they are about.
        limit: How many are the first.
        of_each: How many of each such member are found.
    """
    found = [located(error, value) for error in errors[:limit]]
    member_to_come = partial(_member_beside, found[-1])
    beside = (
        islice(group, of_each)
        for member, group in groupby(errors[limit:], member_to_come)
        if member is not None
    )
    return [*found, *(located(error, value) for error in chain.from_iterable(beside))]


def of_meant_members(
    errors: Iterable[Located], meant: Callable[[Members, Path], Step | None]
) -> list[Located]:
    """Keep, of each union without a tag, what the member that was meant has against the value.

    Args:
        errors: What all the members have.
        meant: Picks a member of the union at a path; `None` keeps all.
    """
    kept, depth = list(errors), 0
    while any(each.member(depth) for each in kept):
        unions: dict[Path, dict[Step, list[Located]]] = {}
        for each in kept:
            if (member := each.member(depth)) is not None:
                unions.setdefault(member[0], {}).setdefault(member[1], []).append(each)
        others = {
            (place, name)
            for place, members in unions.items()
            if len(members) > 1 and (chosen := meant(members, _path_to(members, depth))) is not None
            for name in members.keys() - {chosen}
        }
        kept = [each for each in kept if each.member(depth) not in others]
        depth += 1
    return kept


def _member_beside(last: Located, error: ErrorDetails) -> Path | None:
    """Return the member that an error is of, if an error before it is of another one."""
    place = error["loc"]
    for at in last.labels:
        if place[:at] == last.place[:at] and place[at : at + 1] != last.place[at : at + 1]:
            return place[: at + 1]
    return None


def _path_to(members: Members, depth: int) -> Path:
    """Return where the value is that the members are about."""
    one = next(iter(members.values()))[0]
    return one.path[: one.labels[depth] - depth]


def _greedy(place: Path, value: Any) -> tuple[tuple[int, ...], Any]:
    """Take every step that is there. Return which are not, and what is at the end."""
    labels: tuple[int, ...] = ()
    for n, step in enumerate(place):
        if (inside := _inside(value, step)) is _NOTHING:
            labels = (*labels, n)
        else:
            value = inside
    return labels, value


def _ways(place: Path, value: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield every end that can be reached, the farthest first: each place in the value once."""
    reached: dict[Any, tuple[Any, tuple[int, ...]]] = {None: (value, ())}
    for n, step in enumerate(place):
        for holder, taken in [*reached.values()]:
            if (inside := _inside(holder, step)) is not _NOTHING:
                reached.setdefault((id(holder), step), (inside, (*taken, n)))
    for end, taken in sorted(reached.values(), key=lambda way: -len(way[1])):
        yield tuple(n for n in range(len(place)) if n not in taken), end


def _inside(holder: Any, step: Step) -> Any:
    match holder:
        case dict() if step in holder:
            return holder[step]
        case list() if isinstance(step, int) and 0 <= step < len(holder):
            return holder[step]
    return _NOTHING


_NOTHING = object()
