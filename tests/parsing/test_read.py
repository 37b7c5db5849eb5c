"""Finding the value in an answer: which one, in what condition, and when not."""

import json

import pytest

from langchain_control.parsing import Parsed, RepairPolicy, Unparsed, loads, read_json
from langchain_control.parsing.ending import Ending
from langchain_control.parsing.read import MAX_CHARS
from tests.growth import assert_grows_linearly


def has(*keys):
    """Accept objects with just these keys."""
    return lambda value: isinstance(value, dict) and set(value) == set(keys)


@pytest.mark.parametrize("value", [None, True, 42, "x", "```", "", [], {}, {"a": [1.5, "é"]}])
@pytest.mark.parametrize("indent", [None, 2])
def test_json_is_returned_unchanged(value, indent):
    """What is JSON as it stands is taken as it stands."""
    found = read_json(json.dumps(value, indent=indent))

    assert found == Parsed(value, "strict")
    assert found.text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        '~~~json\n{"a": 1}\n~~~',
        '```json {"a": 1}```',
        'Sure!\n\n```json\n{"a": 1}\n```\n\nAnything else?',
        'It is {"a": 1}, I think.',
        'See [1] and {name}: {"a": 1}\nNote: [2] is old.',
        '- [ ] todo\n- [x] done\n{"a": 1}',
        'answer = {"a": 1};',
        '<answer>{"a": 1}</answer>',
        '<think>{"b": 2}?</think>{"a": 1}',
        '<think>x</think>\n<THINK>{"b": 2}</THINK>\n{"a": 1}',
        'maybe {"b": 2}\n</think>\n\n{"a": 1}',
        '{"a": 1}\n<|im_end|>\n<|im_start|>user\n{"b": 2}',
        'hm <|end|><|start|>assistant<|channel|>final<|message|>{"a": 1}',
        '<s> gone </s> {"a": 1}',
        'Draft:\n```json\n{"b": }}}\n```\nFinal:\n```json\n{"a": 1}\n```',
    ],
)
def test_what_surrounds_a_value_is_left_behind(text):
    """Fences, prose, tags, assignments, reasoning and damaged drafts."""
    found = read_json(text)

    assert isinstance(found, Parsed)
    assert (found.value, found.how, found.ambiguous) == ({"a": 1}, "extracted", False)


def test_a_scalar_may_stand_alone_in_a_fence():
    """Only a text that holds nothing else may be a number or a string."""
    assert read_json("```json\n42\n```").value == 42
    assert isinstance(read_json("The answer is 42."), Unparsed)


def test_the_last_of_several_values_counts():
    """Drafts and quotes come first, the answer last; that there were several is said."""
    found = read_json('{"a": 1}\nNo, wait:\n{"a": 2}')

    assert (found.value, found.ambiguous) == ({"a": 2}, True)


def test_the_last_value_that_is_accepted_counts():
    """A value that meets the contract goes before a later one that does not."""
    found = read_json('{"a": 1} as in {"note": "x"}', accepts=has("a"))

    assert (found.value, found.ambiguous) == ({"a": 1}, True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('Draft: {"a": 1}\nFinal: {"a": 2, "b": 3}', {"a": 2, "b": 3}),
        ('You sent {"a": 1} but so: {"a": 2, "b": null}\nas in {"note": "x"}', {"a": 2, "b": None}),
        ('Input: {"a": 1}\nOutput: {"result": {"a": 2}}', {"result": {"a": 2}}),
        ('Input: {"a": 1}\nOutput: [{"a": 2}]', [{"a": 2}]),
        ('You sent {"a": 1}. {"error": "not found"}', {"error": "not found"}),
        ('Example: {"a": 1}\n[]', []),
        ('Example: {"a": 1}\n\nnull', None),
    ],
)
def test_a_draft_is_not_taken_where_the_answer_breaks_the_contract(text, value):
    """An echoed input or a draft passed in place of the last answer, and no retry asked again."""
    found = read_json(text, accepts=has("a"))

    assert (found.value, found.ambiguous) == (value, True)


def test_a_draft_is_not_taken_where_a_later_answer_is_broken():
    """Damage after the last value that will do is as fatal as damage at the end."""
    text = '{"a": 1}\nFinal: {"a": 2 3}\nas in {"note": "x"}'

    assert isinstance(read_json(text, accepts=has("a")), Unparsed)


@pytest.mark.parametrize("mention", ["as in [1].", "where {} is an object."])
def test_what_is_mentioned_takes_nothing_back(mention):
    """A citation or an empty bracket in running text is no answer."""
    found = read_json(f'{{"a": 1}} {mention}', accepts=has("a"))

    assert (found.value, found.ambiguous) == ({"a": 1}, False)


@pytest.mark.parametrize(
    "text",
    [
        'I found no person. The format would be {"a": 2}.',
        'None is named. An answer would look like this:\n```json\n{"a": 2}\n```',
        'I need more. Please provide it in this format: {"a": 2}',
    ],
)
def test_an_example_of_the_format_is_no_answer(text):
    """Where a model had found nothing, the person of its example was accepted."""
    assert isinstance(read_json(text), Unparsed)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"a": 1}\n```\nIf you meant another, ask again, for example {"a": 2}.',
        '```json\n{"a": 1}\n```\nNote: an input like {"a": 2} would be handled differently.',
        '{"a": 1}\n\nTo get another, send e.g. {"a": 2}.',
    ],
)
def test_an_example_for_the_next_question_is_no_answer(text):
    """The example of a friendly last sentence replaced the answer before it."""
    found = read_json(text)

    assert (found.value, found.ambiguous) == ({"a": 1}, False)


@pytest.mark.parametrize("text", ['In the requested format: {"a": 1}', 'It looks so:\n{"a": 1}'])
def test_an_answer_may_be_introduced(text):
    """Words about the format do not make an answer an example."""
    assert read_json(text).value == {"a": 1}


@pytest.mark.parametrize(
    "turn",
    [
        "\n\nUser: And Bob?\nAssistant: ",
        "\nThat is all.\n\n**Human:** And Bob?\n",
        "\n\nQ: And Bob?\nA: ",
        "\n\n### Input:\nBob is 1.\n\n### Response:\n",
        "\n### Instruction: again\n",
        "\n[INST] And Bob? [/INST] ",
        "\n<|user|>\nAnd Bob?\n<|assistant|>\n",
        "\n<|assistant|>",
    ],
)
def test_a_made_up_next_turn_is_not_looked_at(turn):
    """Models that were not stopped ask and answer a further question, and that answer won."""
    found = read_json(f'Sure: {{"a": 1}}{turn}{{"a": 2}}')

    assert (found.value, found.ambiguous) == ({"a": 1}, False)


def test_a_repeated_conversation_ends_with_the_answer():
    """A text that begins with the question may hold several turns."""
    found = read_json('Q: Ada?\nA: {"a": 1}\nQ: Bob?\nA: {"a": 2}')

    assert (found.value, found.ambiguous) == ({"a": 2}, True)


def test_a_turn_in_a_string_ends_nothing():
    """A conversation may be what an answer is about."""
    text = 'Here: {"chat": "see {x}\nUser: hi\nAssistant: {y}", "n": 1}'

    assert read_json(text).value == {"chat": "see {x}\nUser: hi\nAssistant: {y}", "n": 1}


def test_the_same_value_twice_is_not_ambiguous():
    """Repeating oneself is no contradiction."""
    assert not read_json('{"a": 1, "b": 2} that is {"b": 2, "a": 1}').ambiguous


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": 1}, @@@ "c": [1, 2',
        '"x": 1, "y": {"b": 1}',
        '{"x": ] {"b": 1}}',
        '{"x"}: {"b": 1}}',
        '{}$x": 1, "y": {"b": 1}}',
        '{"x": 1, "y[: 2, "z": 3}',
        '{"a": {"b": 1}}, "c": 2}',
        'Draft: {"a": 1}\nFinal: {"a": 2, "b": "cut of',
        "Use [1] as a source.",
        "I can't help with {that}.",
        "",
    ],
)
def test_a_part_is_never_taken_for_the_whole(text):
    """Inner values of damaged ones, drafts before a cut, and footnotes are no answers."""
    assert isinstance(read_json(text), Unparsed)


@pytest.mark.parametrize(
    ("text", "policies"),
    [
        ('{"a": 1, "b": "x",}', {"lossless", "agreed", "lenient"}),
        ('{"a": 1 "b": "x"}', {"lossless", "agreed", "lenient"}),
        ('{"a": 1; "b": x}', {"agreed", "lenient"}),
        ('"a": 1, "b": "x"}', {"agreed", "lenient"}),
        ('{"a": 1, "b": "x"}]', {"agreed", "lenient"}),
        ('{"a": 1, "b": "x"', {"lenient"}),
        ('{"a": 1, "b": "x', {"lenient"}),
    ],
)
def test_the_policy_decides_which_repairs_stand(text, policies):
    """Lossless, agreed and lossy repairs, each under the policies that take them."""
    found = {policy: read_json(text, policy=policy) for policy in RepairPolicy}
    accepted = {policy.value for policy, result in found.items() if isinstance(result, Parsed)}

    assert accepted == policies
    assert {found[RepairPolicy(p)].how for p in policies} == {"repaired"}
    assert all(found[RepairPolicy(p)].value == {"a": 1, "b": "x"} for p in policies)


def test_a_guess_that_nobody_shares_does_not_stand():
    """The other parser reads this text in another way."""
    text = '{"a": "x\n"b": 1}'

    assert isinstance(read_json(text), Unparsed)
    assert isinstance(read_json(text, policy=RepairPolicy.LENIENT), Parsed)


def test_repairs_are_told():
    """The notes say how the value was come by."""
    assert read_json("x {'a': 1,} y").notes == (
        "repaired",
        "repair:quotes",
        "repair:trailing_comma",
    )


@pytest.mark.parametrize(
    ("ending", "text", "accepted"),
    [
        (Ending.FINISHED, '{"a": {"b": 12', True),
        (Ending.FINISHED, '{"a": {"b": "cu', False),
        (Ending.UNKNOWN, '{"a": "b"', False),
        (Ending.UNKNOWN, '```json\n{"a": "b"', False),
        (Ending.UNKNOWN, '{"a": "b"\n```json\n', False),
        (Ending.UNKNOWN, '{"a": "b"</', False),
        (Ending.UNKNOWN, '```json\n{"a": "b"\n```', True),
        (Ending.UNKNOWN, '<answer>{"a": "b"</answer>', True),
        (Ending.UNKNOWN, '{"a": "b"<|im_end|>', True),
    ],
)
def test_a_missing_end_needs_a_reason(ending, text, accepted):
    """Brackets may be missing if the model is known to have finished, or closed what is around."""
    assert isinstance(read_json(text, ending=ending), Parsed) is accepted


INVOICE = {"number": "R-7", "items": [{"id": 1, "price": 2.5}, {"id": 2, "price": 30}], "ok": True}


@pytest.mark.parametrize("cut", range(1, len(json.dumps(INVOICE))))
def test_a_cut_answer_never_passes(cut):
    """At whatever place an answer breaks off, it is refused if nobody says that it had ended."""
    assert isinstance(read_json(json.dumps(INVOICE)[:cut]), Unparsed)


@pytest.mark.parametrize("cut", range(1, len(json.dumps(INVOICE))))
@pytest.mark.parametrize("policy", RepairPolicy)
def test_what_is_missing_at_the_end_is_told(policy, cut):
    """Whoever says that a cut answer had ended is told what was made up for."""
    found = read_json(json.dumps(INVOICE)[:cut], policy=policy, ending=Ending.FINISHED)

    assert isinstance(found, Unparsed) or (
        found.how == "repaired" and {"missing_closer", "cut"} & {r.kind for r in found.repairs}
    )


HOSTILE = [
    "{", "[", '{"', '{"a":', "[[", "{x} or [y] ", "[1] ", "{}", '```\n["', '```\n{"a":', "plain ",
    "<think>", "<think></think>", "</think>\n", '"', "\\", " ", "\n", "{'", "/*", "{/*",
    '{"a":"x"y"', '["x",', '{"a" "b" ', "[1 ", '{"k": {"a":1}, ', "~~~\n{\"a\":'", '"#[', '[ "x"//',
    "{ ", "dict([", "list(\n```\n[", '{"a":"{"', '["["', '"a",', '{"a":"\\x ', "- {",
    "1 {\n", "a: 1\nb: {",
    '{"a": "x"\n"y"', "{a b: ", "\uff5b\u201c", '{"a": **', "[- ", '{{"', '\\{\\"',
    "</s>", "(note)\n", '{"a":1} /*', '{"a":1} <!--', '["a" //x\n', '{"a":1}\nUser: ',
    '{"a":1} for example ', "\n\nnull",
]  # fmt: skip


@pytest.mark.parametrize("seed", HOSTILE)
def test_work_is_bounded(seed):
    """Whatever the text, time grows with its length only."""
    assert_grows_linearly(read_json, seed, 65_536)


@pytest.mark.parametrize("end", ["x", '</b>"} ok'])
def test_blanks_within_a_value_are_passed_over_once(end):
    """What follows them was looked for from each of them: seconds for 20,000."""
    assert_grows_linearly(lambda blanks: read_json(f'{{"a":"{blanks}{end}'), " ", 65_536)


@pytest.mark.parametrize(
    "text",
    [
        "{'a': %s}" % number  # noqa: UP031  (braces around it)
        for number in ["0x" + "f" * 9999, "+" + "1" * 9999, "1_" * 9999 + "1", "+1e999", "1" * 9999]
    ]
    + ["{'a': '\\ud800'}", "{'a': '\\u{dfff}'}", "{'a': '\\U0010ffff'}", "{'a': '\ud800'}"],
)  # fmt: skip
def test_what_could_not_be_written_is_not_read(text):
    """Endless numbers and lone surrogates are faults in any notation."""
    found = read_json(text, policy=RepairPolicy.LENIENT)

    assert isinstance(found, Unparsed) or loads(found.text) == found.value


@pytest.mark.parametrize(
    "text",
    [
        'Your infrastructure is now this: {"a": 1}',
        'Does this look like what you meant: {"a": 1}',
        'Obama is like {"a": 1}',
    ],
)
def test_a_part_of_a_word_introduces_no_example(text):
    """`infrastructure is` ends like `structure is`, and the answer was taken for an example."""
    assert read_json(text).value == {"a": 1}


def test_what_is_mended_behind_a_fragment_does_not_make_it_whole():
    """The repair was in the property that goes on, not in the value: nothing told of the fault."""
    found = read_json("""{"a": 1}, "b": 'x'}""")

    assert isinstance(found, Unparsed)
    assert found.fault.kind == "fragment"


@pytest.mark.parametrize("text", ["[1/*x*/2]", '{"a": 1/*x*/2}', "[1, 2/* of */3]"])
def test_a_comment_keeps_apart_what_stands_on_its_sides(text):
    """`1/*x*/2` was read as 12, and passed for certain."""
    assert isinstance(read_json(text, policy=RepairPolicy.LOSSLESS), Unparsed)


@pytest.mark.parametrize("end", ["", "}"])
def test_a_line_of_quotes_after_doubled_backslashes_is_read_or_refused(end):
    """No quote of it ends the string, which raised an `IndexError`."""
    found = read_json('{"a": "x \\\\"y\\\\"",\n"c": 1' + end)

    assert isinstance(found, Parsed if end else Unparsed)


def test_beyond_the_bound_only_json_as_it_stands_is_read():
    """Nothing is searched for in more than `MAX_CHARS` characters."""
    long = "x" * MAX_CHARS

    assert read_json(json.dumps({"a": long})).value == {"a": long}
    assert read_json(f'{long} {{"a": 1}}').fault.kind == "size"
