"""Mistakes that people, programs and models make when they write JSON, with what they meant.

Four grades. `lossless`: there is one reading, and no policy that repairs may refuse it. `guess`:
there is a likely reading; the default may refuse it, and must not read it differently. `lossy`:
something is missing, so the default must refuse; a lenient reader gives what is left. `refuse`:
nobody can tell, and no default may give a value.

    python -m tests.parsing.mistakes FOLDER

writes them as `mistakes.jsonl`, which `python -m benchmarks.structured FOLDER` reads.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.parsing.certain_mistakes import BOOK, LOSSLESS, NESTED, PAIR


class Mistake(NamedTuple):
    """A text, and what it means."""

    grade: str
    kind: str
    raw: str
    expected: Any = None


GUESS = {
    "backslash": [
        (r'{"text": "\where\next"}', {"text": r"\where\next"}),
        (r'{"text": "see C:\Users\next"}', {"text": r"see C:\Users\next"}),
        (r'{"text": "one\", "by": "Jane"}', {"text": "one", "by": "Jane"}),
        (r'{"rate": "20\%", "cost": "\$5"}', {"rate": "20%", "cost": "$5"}),
    ],
    "commas": [
        ("[1 2 3]", [1, 2, 3]),
        ('["a" "b" "c"]', ["a", "b", "c"]),
        ('["a"\n"b"]', ["a", "b"]),
        ("[1,, 2]", [1, 2]),
        ("[, 1, 2]", [1, 2]),
        ('{"title": "Emma" "year": 1815}', BOOK),
        ("{'title': 'Emma' 'year': 1815}", BOOK),
    ],
    "colon": [
    ],
    "brackets": [
        ('{"user": {"name": "Ada", "tags": ["x", "y"]]}, "ok": true}', NESTED),
        ('{"user": {"name": "Ada", "tags": ["x", "y"]], "ok": true}', NESTED),
        ('{"user": {"name": "Ada", "tags": ["x", "y")}, "ok": true}', NESTED),
        ("[1, 2}", [1, 2]),
        ('{"title": "Emma", "year": 1815]', BOOK),
        ('{"title": "Emma", "year": 1815}}', BOOK),
        ('[{"id": 1}, {"id": 2}]]', PAIR),
        ('[{"id": 1}, {"id": 2]', PAIR),
        ('[{"id": 1, {"id": 2}]', PAIR),
        ('"title": "Emma", "year": 1815}', BOOK),
        ('\n  "user": {"name": "Ada", "tags": ["x", "y"]},\n  "ok": true\n}', NESTED),
        ('{"id": 1}, {"id": 2}]', PAIR),
        ('"x", "y", "z"]', ["x", "y", "z"]),
        ('"x", "y"', ["x", "y"]),
        ('title": "Emma", "year": 1815}', BOOK),
        ('```json\n"title": "Emma",\n"year": 1815\n```', BOOK),
        ('{"a": 1}\n{"b": 2}\n{"c": 3}\n', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('```json\n{"title": "Emma", "year": 1815\n```', BOOK),
        ('```json\n{"user": {"name": "Ada", "tags": ["x", "y"]}, "ok": true\n```', NESTED),
    ],
    "quotes": [
        ('{"say": "the "best"", "n": 1}', {"say": 'the "best"', "n": 1}),
        ('["the "big" one", "b"]', ['the "big" one', "b"]),
        ('{"title": "Emma, "year": 1815}', BOOK),
        ('{title": "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", year": 1815}', BOOK),
        ('{"title": "Emma\n"year": 1815}', BOOK),
        ('{"title": "Emma"", "year": 1815}', BOOK),
        ('{"title": ""Emma", "year": 1815}', BOOK),
        ('{"title": ""Emma"", "year": 1815}', BOOK),
        ('{"title\u201c: "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", "by": "Jane}', {"title": "Emma", "by": "Jane"}),
        ('{"user": {"name": "Ada", "tags": ["x", "y]}, "ok": true}', NESTED),
        ("{\"title\": \"Emma', \"year\": 1815}", BOOK),
        ('["a, "b"]', ["a", "b"]),
        ('["a", b", "c"]', ["a", "b", "c"]),
    ],
    "bare": [
        ('{"title": Emma, "year": 1815}', BOOK),
        ("{title: Emma, year: 1815}", BOOK),
        ('{"title": Pride and Prejudice, "n": 1}', {"title": "Pride and Prejudice", "n": 1}),
        ("[red, green, blue]", ["red", "green", "blue"]),
        ("{tags: [red, green]}", {"tags": ["red", "green"]}),
        ('["red", green, "blue"]', ["red", "green", "blue"]),
        ("{\n  title: Emma\n  year: 1815\n}", BOOK),
    ],
    "other": [
        ('{"n": 007}', {"n": "007"}),
        ("{'tags': {'x', 'y'}}", {"tags": ["x", "y"]}),
        ("{1, 2, 3}", [1, 2, 3]),
        ('{"n": NumberLong("2")}', {"n": "2"}),
        ('{"re": /ab+c/i}', {"re": "/ab+c/i"}),
        ("{'x': Decimal('1.5')}", {"x": "1.5"}),
        ('{"price": 1,500}', {"price": 1500}),
    ],
}  # fmt: skip

LOSSY = {
    "cut": [
        ('{"title": "Em', {"title": "Em"}),
        ('{"title": "Emma", "ye', {"title": "Emma"}),
        ('{"title": "Emma", "year":', {"title": "Emma"}),
        ('{"title": "Emma", "year": 18', {"title": "Emma", "year": 18}),
        ('{"user": {"name": "Ada", "tags": ["x', {"user": {"name": "Ada", "tags": ["x"]}}),
        ('[{"id": 1}, {"id": 2}, {', [{"id": 1}, {"id": 2}, {}]),
        ('```json\n{"title": "Emma", "by": "Ja\n```', {"title": "Emma", "by": "Ja"}),
        ('"title": "Emma", "year": 18', {"title": "Emma", "year": 18}),
        ('{"title": "Emma", /* the', {"title": "Emma"}),
    ],
    "ellipsis": [
        ("[1, 2, ...]", [1, 2]),
        ("[1, 2, ..., 9]", [1, 2, 9]),
        ('{"title": "Emma", ...}', {"title": "Emma"}),
        ('{"tags": ["x", "y", ...], "ok": true}', {"tags": ["x", "y"], "ok": True}),
        ('[{"id": 1}, {"id": 2}, \u2026]', PAIR),
        ('{"title": "Emma",\n  ...\n  "year": 1815}', BOOK),
        ('[{"id": 1}, {"id": 2}, // ... 40 more\n]', PAIR),
        ('[{"id": 1}, /* more books here */ {"id": 2}]', PAIR),
        ('{"title": "Emma", # the rest of the fields\n"year": 1815}', BOOK),
    ],
    "shortened": [
        ('{"tags": ["x", "y"]} // 38 more omitted', {"tags": ["x", "y"]}),
        ('{"tags": ["x", "y"]} # and others', {"tags": ["x", "y"]}),
        ('{"tags": ["x", "y"]} (only the first two)', {"tags": ["x", "y"]}),
        ('{"tags": ["x", "y" (38 more)\n]}', {"tags": ["x", "y"]}),
        ('["x", "y" // the same for the other 38\n]', ["x", "y"]),
        ('["x", // an item\n"y" // incomplete\n]', ["x", "y"]),
        ('["x", "y" // 2 of 40\n]', ["x", "y"]),
        ('["x", "y", // list shortened\n]', ["x", "y"]),
        ('["x", "y" // incomplete\n]', ["x", "y"]),
        ('["x", "y" // not exhaustive\n]', ["x", "y"]),
        ('["x", "y" // list goes on\n]', ["x", "y"]),
        ('["x", "y" /* only a sample */]', ["x", "y"]),
        ('["x", "y" // weitere 38\n]', ["x", "y"]),
        ('["x", "y", more]', ["x", "y", "more"]),
        ('["x", "y", others]', ["x", "y", "others"]),
        ('["x", "y", continued]', ["x", "y", "continued"]),
        ('["x", "y", snip]', ["x", "y", "snip"]),
        ("[x, y, others]", ["x", "y", "others"]),
    ],
    "doubt": [
        ('{"year": 1815 // or 1816, not sure\n}', {"year": 1815}),
        ('{"year": 1815, // should be 1816\n"title": "Emma"}', BOOK),
        ('{"year": 1815 // placeholder, replace with the real year\n}', {"year": 1815}),
        ('{"year": 1815 /* TODO: look it up */}', {"year": 1815}),
        ('{"year": 1815} // or 1816', {"year": 1815}),
        ('{"level": high | low}', {"level": "high | low"}),
        ('{"title": Emma | Persuasion, "n": 1}', {"title": "Emma | Persuasion", "n": 1}),
        ('{"level": high or low}', {"level": "high or low"}),
        ('{"level": either high or low}', {"level": "either high or low"}),
        ('{"level": high/low}', {"level": "high/low"}),
        ('{"title": not given, "year": 1815}', {"title": "not given", "year": 1815}),
        ('{"title": to be determined, "year": 1815}', {"title": "to be determined", "year": 1815}),
        ('{"title": see above, "year": 1815}', {"title": "see above", "year": 1815}),
        ('{"title": same as above, "year": 1815}', {"title": "same as above", "year": 1815}),
        ('{"title": omitted for brevity}', {"title": "omitted for brevity"}),
    ],
    "values": [
        ('{"title": , "year": 1815}', {"title": None, "year": 1815}),
        ('{"title": "Emma", "year": }', {"title": "Emma", "year": None}),
        ('{"title", "year": 1815}', {"title": None, "year": 1815}),
        ('{"title": "Emma", "year"}', {"title": "Emma", "year": None}),
        ('{"x": NaN, "y": -Infinity}', {"x": None, "y": None}),
        ('{"title": "Emma", "title": "Persuasion"}', {"title": "Persuasion"}),
    ],
    "placeholder": [
        ('{"title": string, "year": number}', {"title": "string", "year": "number"}),
        ('{"year": number | null}', {"year": "number | null"}),
        ('{"title": [insert title here]}', {"title": ["insert title here"]}),
        ('{"day": YYYY-MM-DD}', {"day": "YYYY-MM-DD"}),
    ],
    "stray": [
        ('{"ok": true., "n": 1}', {"ok": True, "n": 1}),
        ('{"title": "Emma", and also "year": 1815}', BOOK),
        ('{"year": 1815 approx, "title": "Emma"}', BOOK),
        ('{"title": "Emma", "year": 1815 (first print)}', BOOK),
        ('{"title": "Emma", "by": "Jane"\n\nHope this helps!', {"title": "Emma", "by": "Jane"}),
        ('{"user": {"name": "Ada", "tags": ["x", "y"]}, oops, "ok": true}', NESTED),
        ('{"title": "Emma"}, "year": 1815}', BOOK),
        ('{"level": "high" | "low", "n": 1}', {"level": 'high" | "low', "n": 1}),
        ('{"team": "red" or "blue", "n": 1}', {"team": 'red" or "blue', "n": 1}),
        ('{"size": "S"/"M"/"L", "n": 1}', {"size": 'S"/"M"/"L', "n": 1}),
        ("{'at': date.fromtimestamp(7)}", {"at": "date.fromtimestamp(7)"}),
        ("OrderedDict([('x', 1), ('x', 2)])", [["x", 1], ["x", 2]]),
        ('{"now": User([1, 2])}', {"now": [1, 2]}),
        ("Point([1, 2])", [1, 2]),
        ("{'text': f'{name}', 'n': 1}", {"text": "{name}", "n": 1}),
        ('{"n": 1,\n"year":\n"by": "Jane"}', {"n": 1, "year": None, "by": "Jane"}),
    ],
}  # fmt: skip

REFUSE = {
    "prose": [
        "I cannot help with that.",
        "Use {name} and [see below].",
        "{name}",
        "[see below]",
        "{ to be continued }",
        "Set x = {1, 2} and y = {3}.",
        "[1] Smith, 2020. [2] Jones, 2021.",
        "if (a) { return b; }",
        "body { color: red; }",
        "<b>none</b>",
        "An object is written {} and an array [], as you know.",
        '{ return {"a": 1}; }',
        "OrderedDict([",
        'kind: "x"\ndata: ["y"]',
        "book:\n  title: Emma\n  tags: [novel, classic]\n",
        "**Title:** Emma\n**Year:** 1815\n**Tags:** ['novel']",
        "if (x) { return {}; }",
        "",
        "   ",
    ],
    "broken": [
        '{"a": ]',
        '{"a": {"b": 1}, @@ "c" [1',
        '{"title": "Em',
        '[{"id": 1}, {"id"',
        '{"title": "Emma", "year": 1815',
        '"title": "Emma", "year": 1815',
        '{"a": <value>}',
        '{"a": "b" "c" "d"',
        'Draft: {"a": 1}\nFinal: {"a": 2, "b": "cut of',
    ],
}

MISTAKES = [
    *(
        Mistake(grade, kind, raw, expected)
        for grade, table in (("lossless", LOSSLESS), ("guess", GUESS), ("lossy", LOSSY))
        for kind, cases in table.items()
        for raw, expected in cases
    ),
    *(Mistake("refuse", kind, raw) for kind, cases in REFUSE.items() for raw in cases),
]


def main(folder: Path) -> None:
    """Write the mistakes as rows of the benchmark."""
    rows = (
        {"raw": mistake.raw, "fail": True}
        if mistake.grade == "refuse"
        else {"raw": mistake.raw, "expected": mistake.expected}
        for mistake in MISTAKES
    )
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "mistakes.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
