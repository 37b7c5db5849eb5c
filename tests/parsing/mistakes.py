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


class Mistake(NamedTuple):
    """A text, and what it means."""

    grade: str
    kind: str
    raw: str
    expected: Any = None


BOOK = {"title": "Emma", "year": 1815}
PAIR = [{"id": 1}, {"id": 2}]
NESTED = {"user": {"name": "Ada", "tags": ["x", "y"]}, "ok": True}

LOSSLESS = {
    "quotes": [
        ("{'title': 'Emma', 'year': 1815}", BOOK),
        ("{'user': {'name': \"Ada\", 'tags': ['x', \"y\"]}, 'ok': true}", NESTED),
        ("{\u201ctitle\u201d: \u201cEmma\u201d, \u201cyear\u201d: 1815}", BOOK),
        ('{"title\': "Emma", "year": 1815}', BOOK),
        ('{"title"": "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", ""year": 1815}', BOOK),
        ('{"title: "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", "year: 1815}', BOOK),
        ('{"title": Emma", "year": 1815}', BOOK),
        ('{"at": 10:30", "ok": true}', {"at": "10:30", "ok": True}),
        ("{`title`: `Emma`, `year`: 1815}", BOOK),
        ("{'say': 'He said \"hi\" twice'}", {"say": 'He said "hi" twice'}),
        (r"{'say': 'It\'s late'}", {"say": "It's late"}),
        ("{\u2018title\u2019: \u2018Emma\u2019, \u2018year\u2019: 1815}", BOOK),
        ("[\u201ca\u201d, \u201cb\u201d]", ["a", "b"]),
        ("{\u201etitle\u201c: \u201eEmma\u201c, \u201eyear\u201c: 1815}", BOOK),
        ("{\u00abtitle\u00bb: \u00abEmma\u00bb, \u00abyear\u00bb: 1815}", BOOK),
        ("{\uff02title\uff02\uff1a \uff02Emma\uff02\uff0c \uff02year\uff02\uff1a 1815}", BOOK),
        ("{'say': 'It's late', 'by': 'O'Hara'}", {"say": "It's late", "by": "O'Hara"}),
    ],
    "inner quotes": [
        ('{"say": "He said "hi" and left"}', {"say": 'He said "hi" and left'}),
        ('{"say": "He said "hi", and left", "n": 1}', {"say": 'He said "hi", and left', "n": 1}),
        ('{"say": ""Hi," she said.", "n": 1}', {"say": '"Hi," she said.', "n": 1}),
        ('{"say": "say "a", "b", and "c" now"}', {"say": 'say "a", "b", and "c" now'}),
        ('{"html": "<a href="x">y</a>"}', {"html": '<a href="x">y</a>'}),
        ('{"code": "f("x")", "n": 1}', {"code": 'f("x")', "n": 1}),
        ('{"code": "d = {"k": 1}", "n": 1}', {"code": 'd = {"k": 1}', "n": 1}),
        ('{"size": "6.7"", "n": 1}', {"size": '6.7"', "n": 1}),
        ('{"tall": "5\'11"", "n": 1}', {"tall": "5'11\"", "n": 1}),
    ],
    "backslash": [
        (r'{"path": "C:\dir\sub"}', {"path": r"C:\dir\sub"}),
        (r'{"path": "D:\new\tab\x.txt", }', {"path": r"D:\new\tab\x.txt"}),
        (r'{"path": "\\host\Share\it"}', {"path": r"\\host\Share\it"}),
        (r'{"dir": "C:\", "n": 1}', {"dir": "C:\\", "n": 1}),
        (r'{"dir": "E:\films\", "n": 1}', {"dir": "E:\\films\\", "n": 1}),
        (r'{"re": "\d+\.\d"}', {"re": r"\d+\.\d"}),
        (r'{"tex": "\alpha \times \frac{1}{2}"}', {"tex": r"\alpha \times \frac{1}{2}"}),
        (r'["\pi", "\theta"]', [r"\pi", r"\theta"]),
        (r'{"user\_id": 7, "tag": "a\_b"}', {"user_id": 7, "tag": "a_b"}),
    ],
    "unquoted key": [
        ('{title: "Emma", year: 1815}', BOOK),
        ('{user: {name: "Ada", tags: ["x", "y"]}, ok: true}', NESTED),
        ('{$ref: "#/a", _id: 7, first-name: "Bo"}', {"$ref": "#/a", "_id": 7, "first-name": "Bo"}),
        ('{\n  title: "Emma",\n  "year": 1815\n}', BOOK),
        ('{log.level: "debug"}', {"log.level": "debug"}),
        ('{1: "one", 2: "two"}', {"1": "one", "2": "two"}),
        ('{@id: "x", user.id: 7}', {"@id": "x", "user.id": 7}),
        ('{first name: "Ada", last name: "King"}', {"first name": "Ada", "last name": "King"}),
        ('{["title"]: "Emma", "year": 1815}', BOOK),
        ('{\n  title = "Emma"\n  year = 1815\n}', BOOK),
    ],
    "constants": [
        ("{'ok': True, 'bad': False, 'none': None}", {"ok": True, "bad": False, "none": None}),
        ('{"ok": TRUE, "bad": FALSE, "none": NULL}', {"ok": True, "bad": False, "none": None}),
        ('{"list": [True, null, False]}', {"list": [True, None, False]}),
        ('{"a": undefined, "b": nil}', {"a": None, "b": None}),
    ],
    "measures": [
        ('{"at": 10:30, "n": 1}', {"at": "10:30", "n": 1}),
        ('{"at": 7:05 PM, "n": 1}', {"at": "7:05 PM", "n": 1}),
        ('{"day": 2024-01-31}', {"day": "2024-01-31"}),
        ('{"at": 2024-01-31T08:00:00+01:00, "n": 1}', {"at": "2024-01-31T08:00:00+01:00", "n": 1}),
        ('{"day": 3 March 1815, "n": 1}', {"day": "3 March 1815", "n": 1}),
        ('{"version": 1.2.3}', {"version": "1.2.3"}),
        ('{"size": 12px, "share": 50%}', {"size": "12px", "share": "50%"}),
        ('{"weight": 2.5 kg, "heat": 21\u00b0C}', {"weight": "2.5 kg", "heat": "21\u00b0C"}),
        ('{"cost": $1,200.50, "n": 1}', {"cost": "$1,200.50", "n": 1}),
        ('["red", #ff8800]', ["red", "#ff8800"]),
        ('{"url": https://x.org/a?b=c, "n": 1}', {"url": "https://x.org/a?b=c", "n": 1}),
        ('{"mail": bo@x.org}', {"mail": "bo@x.org"}),
        ('{"n": 1,250,000, "m": 1,250.75}', {"n": 1250000, "m": 1250.75}),
        ('{"n": \u22125, "m": [\u22120.5]}', {"n": -5, "m": [-0.5]}),
    ],
    "comment": [
        ('{"title": "Emma", // a novel\n"year": 1815}', BOOK),
        ('{"title": "Emma", /* a novel */ "year": 1815}', BOOK),
        ('{"title": "Emma", # a novel\n"year": 1815}', BOOK),
        ('{ // the book\n"title": "Emma", "year": 1815 // printed\n}', BOOK),
        ("[\n  1, // one\n  2, /* two, the last */\n  3 # three\n]", [1, 2, 3]),
        ('{"title": "Emma" /* it\'s "the" one */, "year": 1815}', BOOK),
        ('{"title": "Emma", <!-- a novel --> "year": 1815}', BOOK),
        ('{"url": "http://x.org/#top"} // see http://x.org', {"url": "http://x.org/#top"}),
        ('{"title": "Emma", "year": 1815} // not {"year": 1816}', BOOK),
        ('{"title": "Emma",<br>"year": 1815}', BOOK),
        ('{\n"title": "Emma", <-- a novel\n"year": 1815 -- first print\n}', BOOK),
        ('// config\n{"title": "Emma", "year": 1815}', BOOK),
        ('/* config {not: "this"} */\n{"title": "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", // {"year": 1}\n"year": 1815}', BOOK),
    ],
    "commas": [
        ('{"title": "Emma", "year": 1815,}', BOOK),
        ('{"user": {"name": "Ada", "tags": ["x", "y",],}, "ok": true,\n}', NESTED),
        ('{"title": "Emma", "year": 1815, /* end */ }', BOOK),
        ('{"title": "Emma",, "year": 1815}', BOOK),
        ('{, "title": "Emma", "year": 1815}', BOOK),
        ('{"title": "Emma", "year": 1815,,}', BOOK),
        ('{"year": 1815 "title": "Emma"}', BOOK),
        ('{"year":1815"title":"Emma"}', BOOK),
        ('{\n  "title": "Emma"\n  "year": 1815\n}', BOOK),
        ('{"user": {"name": "Ada", "tags": ["x", "y"]} "ok": true}', NESTED),
        ('{"user": {"name": "Ada"\n "tags": ["x", "y"]},\n "ok": true}', NESTED),
        ('[{"id": 1} {"id": 2}]', PAIR),
        ('[{"id": 1}\n{"id": 2}]', PAIR),
        ("[[1, 2] [3]]", [[1, 2], [3]]),
        ('{"title": "Emma"; "year": 1815}', BOOK),
        ('{"title": "Emma"\uff0c"year": 1815}', BOOK),
    ],
    "colon": [
        ('{"title" = "Emma", "year" = 1815}', BOOK),
        ('{"title" => "Emma", "year" => 1815}', BOOK),
        ('{title = "Emma", year = 1815}', BOOK),
        ('{"title"\uff1a "Emma", "year"\uff1a 1815}', BOOK),
        ('{"title":: "Emma", "year": 1815}', BOOK),
        ('{"title" := "Emma", "year" := 1815}', BOOK),
        ('{"title" -> "Emma", "year" -> 1815}', BOOK),
        ('{"title": "Emma", "year" 1815}', BOOK),
        ('{"title" "Emma", "year": 1815}', BOOK),
        ('{"title:" "Emma", "year:" 1815}', BOOK),
        ('{"title": "Emma", "by" "Jane"}', {"title": "Emma", "by": "Jane"}),
        ('{"user" {"name": "Ada", "tags" ["x", "y"]}, "ok": true}', NESTED),
    ],
    "bracket": [
        ('{"user": {"name": "Ada", "tags": ["x", "y"}, "ok": true}', NESTED),
        ('{"user": {"tags": ["x", "y", "name": "Ada"}, "ok": true}', NESTED),
        ('{"user": {"name": "Ada", "tags": ["x", "y"]}, "ok": true]}', NESTED),
        ('[{"id": 1], {"id": 2}]', PAIR),
    ],
    "markdown": [
        ('{**"title"**: "Emma", **"year"**: 1815}', BOOK),
        ('[\n- "x",\n- "y"\n]', ["x", "y"]),
        ('{\n* "title": "Emma",\n* "year": 1815\n}', BOOK),
        ('{\n"title": "Emma",\n"year": 1815 (first print)\n}', BOOK),
        ('{"a":\u2060 1,\u200d "b": 2\u200c}', {"a": 1, "b": 2}),
    ],
    "numbers": [
        ('{"n": +5, "m": .5, "k": 2., "h": 0x1F}', {"n": 5, "m": 0.5, "k": 2.0, "h": 31}),
        ('{"n": 1_000_000}', {"n": 1000000}),
        ("[+1, -.5, 0xff, 1_0.5]", [1, -0.5, 255, 10.5]),
        ('{"n": 0b101, "o": 0o17}', {"n": 5, "o": 15}),
        ('{"n": 12n}', {"n": 12}),
    ],
    "string": [
        ('{"text": "one\ntwo\tthree"}', {"text": "one\ntwo\tthree"}),
        (r'{"text": "it\'s \x41 \u{42}"}', {"text": "it's A B"}),
        ('{"text": "one \\\ntwo"}', {"text": "one two"}),
        ('{"text": "one " + "two"}', {"text": "one two"}),
        ('{"text": "one " . "two"}', {"text": "one two"}),
        ('{"text": "one "\n  "two",\n"n": 1}', {"text": "one two", "n": 1}),
        ("{'text': ('one '\n 'two'), 'n': 1}", {"text": "one two", "n": 1}),
        ('{"call": "{"q": "x", "n": [1]}", "n": 1}', {"call": '{"q": "x", "n": [1]}', "n": 1}),
        ('{\n"if": "if k = "a": say "b";",\n"n": 1\n}', {"if": 'if k = "a": say "b";', "n": 1}),
        ('{\n"title": "Emma,\n"year": 1815\n}', BOOK),
        ('{"text": "one "\n  + "two"\n  + "three", "n": 1}', {"text": "one twothree", "n": 1}),
        ("{'text': 'a' + 'b'}", {"text": "ab"}),
        ('{"text": """one "quoted" two"""}', {"text": 'one "quoted" two'}),
        ("{'text': '''one\ntwo'''}", {"text": "one\ntwo"}),
        ("{u'title': u'Emma', u'year': 1815}", BOOK),
        ('{"emoji": "\U0001f600", "han": "\u6f22"}x', {"emoji": "\U0001f600", "han": "\u6f22"}),
    ],
    "space": [
        ('\ufeff{"title": "Emma", "year": 1815}', BOOK),
        ('{\xa0"title":\xa0"Emma",\u2003"year":\u202f1815}', BOOK),
        ('{"title": "Emma",\u200b "year":\u200b1815}', BOOK),
        ('{\u3000"title": "Emma", "year": 1815}', BOOK),
    ],
    "types": [
        ('{"_id": ObjectId("65a"), "n": NumberLong(2)}', {"_id": "65a", "n": 2}),
        ('{"at": ISODate("2024-01-31T00:00:00Z")}', {"at": "2024-01-31T00:00:00Z"}),
        ('{"at": new Date("2024-01-31")}', {"at": "2024-01-31"}),
        ("{'id': UUID('1b4e28ba')}", {"id": "1b4e28ba"}),
        ("{'x': np.float64(1.5), 'n': np.int64(3)}", {"x": 1.5, "n": 3}),
        ("{'at': (1, 2), 'one': (3,), 'sum': (4)}", {"at": [1, 2], "one": [3], "sum": 4}),
        ("{'at': datetime.date(2024, 1, 31)}", {"at": "2024-01-31"}),
        ("{'x': list([3]), 'y': set([1]), 'z': frozenset()}", {"x": [3], "y": [1], "z": []}),
        ("{'v': np.array([[1, 2], [3, 4]], dtype=np.int64)}", {"v": [[1, 2], [3, 4]]}),
        ("OrderedDict([('title', 'Emma'), ('year', 1815)])", BOOK),
        ("defaultdict(int, {'title': 'Emma', 'year': 1815})", BOOK),
        ("dict(title='Emma', year=1815)", BOOK),
        ("['title' => 'Emma', 'year' => 1815]", BOOK),
        ("<?php return array('title' => 'Emma', 'year' => 1815);", BOOK),
        ("{:title => 'Emma', :year => 1815, :kind => :novel}", BOOK | {"kind": "novel"}),
        ('["title": "Emma", "year": 1815]', BOOK),
        ("{'path': r'C:\\new', 'b': b'xyz', 'f': f'x'}", {"path": r"C:\new", "b": "xyz", "f": "x"}),
    ],
    "encoded": [
        (r'{\"title\": \"Emma\", \"year\": 1815}', BOOK),
        (r'[{\"id\": 1}, {\"id\": 2}]', PAIR),
        (r'{\n  \"title\": \"Emma\",\n  \"year\": 1815\n}', BOOK),
        (r'{\"say\": \"\\\"hi\\\" there\"}', {"say": '"hi" there'}),
        (r'{\n  "title": "Emma",\n  "year": 1815\n}', BOOK),
        ("{&quot;title&quot;: &quot;Emma&quot;, &quot;year&quot;: 1815}", BOOK),
        ("[{&#34;id&#34;: 1}, {&#34;id&#34;: 2}]", PAIR),
        ('{{"title": "Emma", "year": 1815}}', BOOK),
        ('{{"user": {{"name": "Ada", "tags": ["x", "y"]}}, "ok": true}}', NESTED),
        ('"{""title"": ""Emma"", ""year"": 1815}"', BOOK),
        ("{''title'': ''Emma'', ''year'': 1815}", BOOK),
        ('> {\n>   "title": "Emma",\n>   "year": 1815\n> }', BOOK),
    ],
    "encoded in part": [
        (r'{\\"title\\": \\"Emma\\", \\"year\\": 1815}', BOOK),
        (r'{"title\": \"Emma\", \"year\": 1815}', BOOK),
        (r'{"title": \"Emma\", "year": 1815}', BOOK),
        (r'Answer: "{\"title\": \"Emma\", \"year\": 1815}"', BOOK),
        (r'\{"user": \{"name": "Ada", "tags": \["x", "y"\]\}, "ok": true\}', NESTED),
        (r'\{\"title\": \"Emma\", \"year\": 1815\}', BOOK),
        ('{{"user": {"name": "Ada", "tags": ["x", "y"]}, "ok": true}}', NESTED),
        ("{``title``: ``Emma``, ``year``: 1815}", BOOK),
    ],
    "full width": [
        (
            ("\uff5b\u201ctitle\u201d\uff1a\u201cEmma\u201d\uff0c"
            "\u201cyear\u201d\uff1a1815\uff5d"),
            BOOK,
        ),
        ('\uff5b"title"\uff1a"Emma"\uff0c"year"\uff1a\uff11\uff18\uff11\uff15\uff5d', BOOK),
        ('\u3010"x"\uff0c"y"\u3011', ["x", "y"]),
        ('["x"\u3001"y"\u3001"z"]', ["x", "y", "z"]),
    ],
    "margin": [
        ('+{\n+  "title": "Emma",\n+  "year": 1815\n+}', BOOK),
        ('| {\n|   "title": "Emma",\n|   "year": 1815\n| }', BOOK),
        ('// {\n//   "title": "Emma",\n//   "year": 1815\n// }', BOOK),
        ('1 {\n2   "title": "Emma",\n3   "year": 1815\n4 }', BOOK),
        ('```\n7: {\n8:   "title": "Emma",\n9:   "year": 1815\n10: }\n```', BOOK),
    ],
    "several": [
        ('{"id": 1}\n{"id": 2}', PAIR),
        ('Two books:\n\n{"id": 1}\n{"id": 2}\n\nThat is all.', PAIR),
        ('```jsonl\n{"id": 1}\n{"id": 2}\n```', PAIR),
        ('- {"id": 1}\n- {"id": 2}', PAIR),
        ('1. {"id": 1}\n2. {"id": 2}', PAIR),
        ("{'id': 1}\n{'id': 2}", PAIR),
        ('<tool_call>\n{"id": 1}\n</tool_call>\n<tool_call>\n{"id": 2}\n</tool_call>', PAIR),
        ('{"id": 1},\n{"id": 2},', PAIR),
    ],
    "around": [
        ('[Note: from a scan]\n\n{"title": "Emma", "year": 1815,}', BOOK),
        ("[/INST] {'title': 'Emma', 'year': 1815} </s>", BOOK),
        ("[THINK] 1814 or 1815? [/THINK] {'title': 'Emma', 'year': 1815}", BOOK),
        ("{'title': 'Emma', 'year': 1815}<|im_end|>\n<|im_start|>user\nThanks {you}", BOOK),
        ("{'title': 'Emma', 'year': 1815} is what `{ return {}; }` gives.", BOOK),
        ("[code]\n{'title': 'Emma', 'year': 1815}\n[/code]", BOOK),
        ('callback({"title": "Emma", "year": 1815});', BOOK),
        ('/**/ jQuery_1([{"id": 1}, {"id": 2}])', PAIR),
        ('const book = {title: "Emma", year: 1815};', BOOK),
        ('module.exports = {title: "Emma", year: 1815,};', BOOK),
        ('```json\n{"title": "Emma", "year": 1815,}\n```', BOOK),
        ('```\n{title: "Emma", year: 1815}', BOOK),
        ('{"title": "Emma", "year": 1815,}\n```', BOOK),
        ('``json\n{"title": "Emma", "year": 1815}\n``', BOOK),
        ('- {"title": "Emma", "year": 1815}', BOOK),
        ('**{"title": "Emma", "year": 1815}**', BOOK),
        ('<json>\n{"title": "Emma", "year": 1815}\n</json>', BOOK),
        ('<![CDATA[{"title": "Emma", "year": 1815}]]>', BOOK),
        ('json\n{"title": "Emma", "year": 1815}', BOOK),
        ("The answer is {'title': 'Emma', 'year': 1815}. It's a classic.", BOOK),
        ('"""{"title": "Emma", "year": 1815}"""', BOOK),
        ("'{\"title\": \"Emma\", \"year\": 1815}'", BOOK),
        ("json.dumps({'title': 'Emma', 'year': 1815})", BOOK),
        ('data: {"title": "Emma", "year": 1815}\n\n', BOOK),
    ],
}  # fmt: skip

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
