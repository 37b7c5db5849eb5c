"""What becomes of the mistakes that people, programs and models make in JSON."""

import json

import pytest

from langchain_control.parsing import Parsed, RepairPolicy, Unparsed, read_json
from langchain_control.parsing.ending import Ending
from langchain_control.parsing.strict import comparable_text
from tests.parsing.mistakes import MISTAKES


def of(*grades):
    """Take the mistakes of some grades as cases, named by their kind."""
    return pytest.mark.parametrize(
        "mistake",
        [pytest.param(m, id=f"{m.kind}: {m.raw[:40]}") for m in MISTAKES if m.grade in grades],
    )


def means(found, mistake):
    """Whether a text was read as it was meant."""
    meant = comparable_text(mistake.expected)
    return isinstance(found, Parsed) and comparable_text(found.value) == meant


@of("lossless")
@pytest.mark.parametrize("policy", [p for p in RepairPolicy if p is not RepairPolicy.STRICT])
def test_what_has_one_reading_is_read(policy, mistake):
    """Every policy that repairs at all takes a lossless repair."""
    assert means(read_json(mistake.raw, policy=policy), mistake)


@of("guess")
def test_a_likely_reading_is_given_to_who_asks_for_it(mistake):
    """The lenient policy takes guesses and says so; the lossless one takes none."""
    found = read_json(mistake.raw, policy=RepairPolicy.LENIENT, ending=Ending.FINISHED)

    assert means(found, mistake)
    assert found.how == "repaired"


@of("guess")
@pytest.mark.parametrize("ending", [Ending.UNKNOWN, Ending.FINISHED])
def test_a_guess_that_stands_is_right_or_said_to_be_ambiguous(ending, mistake):
    """By default a text with a likely reading gets that one or none."""
    found = read_json(mistake.raw, ending=ending)

    assert isinstance(found, Unparsed) or means(found, mistake) or found.ambiguous


@of("lossy")
def test_what_lost_something_is_refused_by_default(mistake):
    """What is left of it is for those who ask for it, and marked."""
    assert isinstance(read_json(mistake.raw), Unparsed)

    found = read_json(mistake.raw, policy=RepairPolicy.LENIENT)
    assert isinstance(found, Unparsed) or found.how == "repaired"


@of("refuse")
def test_what_nobody_can_tell_is_refused(mistake):
    """Prose, code, and fragments are no answers."""
    assert isinstance(read_json(mistake.raw), Unparsed)


INVOICE = {
    "number": "R-7",
    "items": [{"id": 1, "price": 2.5, "tags": ["a", "b c"]}, {"id": 2, "price": None}],
    "to": {"name": "Ada Lovelace", "city": "London"},
    "ok": True,
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("damage", ["", "{0}{0}"], ids=["dropped", "doubled"])
def test_no_single_slip_is_mended_wrongly_for_certain(damage, indent):
    """Whichever bracket, comma, colon or quote is dropped or doubled, what is certain is right."""
    text = json.dumps(INVOICE, indent=indent)
    for place in (i for i, character in enumerate(text) if character in '{}[],:"'):
        slip = text[:place] + damage.format(text[place]) + text[place + 1 :]
        found = read_json(slip, policy=RepairPolicy.LOSSLESS)

        assert isinstance(found, Unparsed) or found.value == INVOICE, slip


def test_a_lenient_reader_gets_most_of_what_is_left():
    """What remains of a text is read as one would read it, with few exceptions."""
    lossy = [m for m in MISTAKES if m.grade == "lossy"]
    right = [means(read_json(m.raw, policy=RepairPolicy.LENIENT), m) for m in lossy]

    assert sum(right) / len(lossy) > 0.85
