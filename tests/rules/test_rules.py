"""The built-in rules, each alone."""

import copy
import json
import pickle
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from langchain_control.detectors.sanitize import sanitize
from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules import (
    Answer,
    Embedder,
    Expresses,
    ForbiddenPatterns,
    ForbiddenPhrases,
    MaxLength,
    MinLength,
    MustContain,
    NotRefusal,
    NotRepetitive,
    Rule,
    failure_mode_of,
    violations_of,
)
from langchain_control.rules.folding import fold_phrase
from tests.growth import assert_grows_linearly
from tests.rules.refusals import ANSWERS, REFUSALS, UNSEEN_ANSWERS, UNSEEN_REFUSALS

BUILT_IN = [
    MaxLength(5),
    MinLength(5),
    ForbiddenPhrases(["hell", "5", "$5"]),
    ForbiddenPatterns([r"\d{4}"]),
    MustContain(["Paris"]),
    NotRefusal(),
    NotRepetitive(),
]


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda r: type(r).__name__)
def test_every_rule_keeps_the_contract(rule):
    """A rule has `check`, names its failure mode, and can be pickled and copied."""
    answer = Answer("Some text of 2024")

    assert isinstance(rule, Rule)
    assert isinstance(failure_mode_of(rule), FailureMode)
    for twin in (pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule)):
        assert violations_of(twin, twin.check(answer)) == violations_of(rule, rule.check(answer))


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda r: type(r).__name__)
@given(text=st.text(st.characters(exclude_categories=())))
def test_no_text_raises(rule, text):
    """Whatever the text, lone surrogates included, there is a verdict."""
    violations_of(rule, rule.check(Answer(text)))


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize(
    "seed", ["a", " ", "i'm sorry, ", "hell", "ﷺ", "a b ", "करें", "5", "5.", "5,12", "'\"*"]
)
def test_work_grows_with_the_text_only(rule, seed):
    """No text makes a rule run away."""
    assert_grows_linearly(lambda text: rule.check(Answer(text)), seed, 50_000)


def test_length_in_another_unit():
    """The measure is the caller's: here words."""
    rule = MaxLength(2, unit="words", count=lambda text: len(text.split()))

    assert rule.check(Answer("one two")) is None
    assert rule.check(Answer("one two three")) == Violation(
        "max_length", "at most 2 words", "3 words"
    )


def test_a_phrase_list_can_be_kept_secret():
    """Without disclosure neither phrase nor place is told."""
    (violation,) = ForbiddenPhrases(["project x", "b"], disclose=False).check(Answer("Project  X"))

    assert violation == Violation("forbidden_phrase", "none of 2 forbidden phrases")


def test_overlapping_phrases_are_all_told():
    """A phrase does not hide another one that shares words with it."""
    found = ForbiddenPhrases(["as an AI", "an AI model"]).check(Answer("As an AI model, I ..."))

    assert len(found) == 2


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("hell", "What the HELL!", True),
        ("hell", "hello", False),
        ("C++", "I like C++.", True),
        ("$5", "only $5!", True),
        ("保证", "我们保证退款", True),
        ("straße", "STRASSE", True),
        ("as an AI", "as\u00a0an\n\n  AI", True),
        ("as an AI", "as an\u200b AI", True),
        ("don't", "don\u2019t", True),
        ("don\u2019t", "don't", True),
        ("co-op", "co\u2011op", True),
        ("istanbul", "\u0130stanbul", True),
        ("\u0130stanbul", "istanbul", True),
        ("hell", "hell\u0336", True),
        ("कर", "कर दो", True),
        ("कर", "काम करें", False),
        ("राम", "यह आराम है", False),
        ("राम", "रामायण", False),
        ("கல்", "கல்வி", False),
        ("கல்", "ஒரு கல்.", True),
        ("কর", "করা যায়", False),
        ("كتب", "كتب", True),
        ("كتب", "كتبَها", False),
        ("ที่", "อยู่ที่นี่", True),
        ("كتاب", "هذا كتابٌ جديد", True),
        ("كتاب", "هذا كِتاب", True),
        ("ממנו", "זה ממנוּ", True),
        ("s\u0131n\u0131rs\u0131z", "SINIRSIZ", True),
        ("SINIRSIZ", "s\u0131n\u0131rs\u0131z", True),
        ("εγγύηση", "ΕΓΓΥΗΣΗ", True),
        ("ΡΟΛΟΪ", "ρολόι", True),
        ("ممنوع", "مـمـنـوع", True),
    ],
)
def test_phrases_are_words_in_any_dress(phrase, text, found):
    """Whole words where the script has spaces, anywhere where it has none."""
    assert bool(ForbiddenPhrases([phrase]).check(Answer(text))) is found


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("guaranteed returns", "has _guaranteed returns_.", True),
        ("guaranteed returns", "has __guaranteed returns__.", True),
        ("guaranteed returns", "has ***guaranteed*** `returns`.", True),
        ("guaranteed returns", "has guaranteed **returns**", True),
        ("guaranteed returns", "has guaranteed * returns", False),
        ("hello, world", "**Hello**, world", True),
        ("30 days", "within _30 days_", True),
        ("user", "user_name", False),
        ("name", "user_name", False),
        ("name", "user__name", False),
        ("user_name", "_user_name_", True),
        ("init", "def __init__(self)", True),
        ("**", "some **bold** text", True),
        ("**Note**", "a **note** here", True),
        ("**Note**", "a note here", False),
    ],
)
def test_emphasis_hides_no_phrase(phrase, text, found):
    """Markdown sets words apart and does not change them; names with underscores are one word."""
    assert bool(ForbiddenPhrases([phrase]).check(Answer(text))) is found


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("$50", "The fee is $50,000.", False),
        ("$50", "The fee is $50, or less.", True),
        ("$5", "It costs $5.99.", False),
        ("5 mg", "Take 0.5 mg.", False),
        ("5 mg", "Only 3.5 mg was given.", False),
        ("5 mg", "See p.5 mg.", True),
        ("5%", "1.5%", False),
        ("50", "50'000 CHF", False),
        ("50", "It is 50.", True),
        ("can", "You can't.", False),
        ("can", "The can's lid.", True),
        ("can't", "You can't.", True),
        ("assurance", "l'assurance", True),
        ("C", "in C++.", False),
        ("C", "in C# or F#", False),
        ("C", "in C.", True),
        ("A", "A+B", True),
        ("C++", "in C++11", True),
        ("guaranteed returns", "guaranteed returns+", True),
        ("guaranteed returns", "guaranteed returns++", True),
        ("guaranteed returns", "guaranteed returns# ok", True),
        ("Disney", "We like Disney+ a lot", True),
        ("234", "1,234,567", False),
        ("567", "1.234.567", False),
        ("50", "1.234,50", False),
        ("5", "The dose is 0.5.", False),
        ("5", "Take 1,5 mg.", False),
        ("10.000", "10.000.000", False),
        ("$5", "$5,99", False),
        ("$5", "$5.5 million", False),
        ("1234", "0.1234", False),
        ("14159", "3.14159", False),
        ("2024", "1.2024", False),
        ("$0", "$0.0015 per call", False),
        ("$1", "$1.0825", False),
        ("$1", "$1.000", False),
        ("$1", "$1.0000", True),
    ],
)
def test_figures_and_names_are_whole(phrase, text, found):
    """A part of a number, of a negation or of a name with signs is another thing."""
    assert bool(ForbiddenPhrases([phrase]).check(Answer(text))) is found


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("2024", "Rechnung vom 31.12.2024"),
        ("12.2024", "Rechnung vom 31.12.2024"),
        ("12", "Rechnung vom 31.12.2024"),
        ("31.12", "Rechnung vom 31.12.2024"),
        ("2024", "seit 12.2024"),
        ("24.12", "Am 24.12. um 8"),
        ("Q1.2", "in Q1.2.2024"),
        ("Python 3", "Use Python 3.12 here"),
        ("Section 3", "see Section 3.1"),
        ("12", "version 3.12.1"),
        ("1", "version 3.12.1"),
        ("$50", "The price is $50.00."),
        ("€50", "Nur €50,00!"),
        ("10.000", "Das kostet 10.000,50 €."),
        ("1", "Choose 1,2,3."),
        ("2", "Choose 1,2,3."),
        ("3", "Choose 1,2,3."),
        ("1", "IDs: 1,2"),
        ("10", "5'10"),
        ("42", "Antwort:'42'"),
    ],
)
def test_dates_versions_and_lists_are_several_figures(phrase, text):
    """What is forbidden is found in each part of them; in doubt it is found."""
    assert ForbiddenPhrases([phrase]).check(Answer(text))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("ChatGPT", "我是ChatGPT模型。"),
        ("AI", "作为AI语言模型。"),
        ("GPT-4", "これはGPT-4です"),
        ("50", "价格是50元"),
        ("iPhone", "ซื้อiPhoneได้"),
        ("C++", "学习C++语言"),
    ],
)
def test_a_neighbour_of_a_script_without_spaces_is_a_border(phrase, text):
    """Nobody writes a space between a Latin name and Chinese, Japanese or Thai."""
    assert ForbiddenPhrases([phrase]).check(Answer(text))


def test_nothing_invisible_hides_a_phrase():
    """Whatever the guard takes out of a text is not seen in an answer either."""
    unseen = [char for char in map(chr, range(sys.maxunicode + 1)) if sanitize(char) == ""]
    rule = ForbiddenPhrases(["secret plan"])

    assert [hex(ord(char)) for char in unseen if not rule.check(Answer(f"sec{char}ret plan"))] == []


@given(st.text())
def test_folding_twice_is_folding_once(text):
    """What is folded stays as it is."""
    assert fold_phrase(fold_phrase(text)) == fold_phrase(text)


def test_patterns_are_told_by_number():
    """A pattern may describe a secret, so it is not quoted."""
    (violation,) = ForbiddenPatterns(["x{9}", r"(?i)key-\d+"]).check(Answer("KEY-42"))

    assert violation.found == "a match of pattern 2"


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "("])
def test_patterns_that_need_backtracking_are_refused(pattern):
    """What cannot be matched in linear time is a mistake of whoever wrote it."""
    with pytest.raises(ValueError, match="linear time"):
        ForbiddenPatterns([pattern])


def test_a_pattern_that_is_too_large_is_told_so():
    """The engine does not say which of its reasons it has, so the message names this one, too."""
    with pytest.raises(ValueError, match="too large"):
        ForbiddenPatterns([r"(?:\w{100}){100}"])


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?s)BEGIN.+END", "BEGIN\nabc\nEND"),
        (r"(?is)begin.+end", "BEGIN\nEND"),
        (r"BEGIN.+END", "BEGIN\nabc\nEND"),
        (r"a.b", "a\rb"),
        (r"a[.]b", "axb"),
        (r"\b\w+@\w+\.de\b", "müller@bücher.de"),
        (r"(?i)возврат\w{2,}", "возвратом"),
        (r"\d{4}-\d{4}", "١٢٣٤-٥٦٧٨"),
        (r"^\W+$", "öäü"),
        (r"[\W_]", "ö"),
        (r"[\W_]", "€"),
        (r"[^\W\d_]", "ö"),
        (r"^\D$", "٣"),
        (r"[]\w]", "ö"),
        (r"\\w", "ö"),
        (r"\<b\>", "a <b> c"),
        (r"(?x) a . b", "a\nb"),
    ],
)
def test_patterns_mean_what_they_mean_in_re(pattern, text):
    """A pattern that is taken can match what it describes, in any script."""
    assert bool(ForbiddenPatterns([pattern]).check(Answer(text))) is bool(re.search(pattern, text))


@pytest.mark.parametrize("text", ["e\u0301", "हिन्दी", "a\u203fb"])
def test_words_of_patterns_hold_their_marks_and_connectors(text):
    """Unlike in `re`, and as the docs say."""
    assert ForbiddenPatterns([r"^\w+$"]).check(Answer(text))


@pytest.mark.parametrize("pattern", ["(?s:a.b)", "(?i)(?s)a.b", "a(?-s:.)b"])
def test_a_flag_that_cannot_be_kept_is_refused(pattern):
    """Whether dots match line breaks is said at the beginning, or a mistake."""
    with pytest.raises(ValueError, match="at its beginning"):
        ForbiddenPatterns([pattern])


@pytest.mark.parametrize(("least", "passes"), [(0.0, True), (0.5, True), (0.6, False)])
def test_coverage_is_held_against_the_threshold(least, passes):
    """The share of phrases decides."""
    rule = MustContain(["Paris", "Seine"], min_score=least)
    answer = Answer("Paris, and nothing else")

    assert rule.score(answer) == 0.5
    assert (rule.check(answer) == []) is passes


def test_missing_phrases_are_told_on_request_only():
    """A model that is told what to say says it."""
    answer = Answer("London")

    assert "Paris" not in str(MustContain(["Paris"]).check(answer)[0])
    assert "Paris" in str(MustContain(["Paris"], disclose=True).check(answer)[0])


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I\u2019m sorry, I cannot assist with this request.", True),
        ("As an AI language model, I cannot provide that.", True),
        ("I am unable to comply.", True),
        ("I'm sorry for the delay. Your order has shipped.", False),
        ("The refund cannot be provided after 30 days.", False),
        ("Yes. " * 100 + "I cannot help with taxes.", False),
    ],
)
def test_refusals_are_told_from_apologies(text, refuses):
    """Declining counts at the beginning; being sorry is no refusal."""
    assert bool(NotRefusal().check(Answer(text))) is refuses


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_found(text):
    """An apology, thanks, "as an AI", a quotation mark or a remark may stand before them."""
    assert NotRefusal().check(Answer(text))


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_no_refusals(text):
    """Who quotes, drafts, regrets, states terms, or answers nevertheless does not decline."""
    assert NotRefusal().check(Answer(text)) is None


def test_refusals_in_other_words_are_found_less_often():
    """The documented figures hold for texts that the rule was not written for."""
    found = sum(NotRefusal().check(Answer(text)) is not None for text in UNSEEN_REFUSALS)
    mistaken = sum(NotRefusal().check(Answer(text)) is not None for text in UNSEEN_ANSWERS)

    assert (len(UNSEEN_REFUSALS), len(UNSEEN_ANSWERS)) == (20, 20)
    assert (found, mistaken) == (12, 1)


@pytest.mark.parametrize(
    ("value", "refuses"),
    [
        ({"answer": "I'm sorry, but I can't help with that."}, True),
        ({"name": None, "amount": 0, "items": [], "note": "I can't provide that."}, True),
        (["I cannot fulfill this request."], True),
        ({"ticket": "I cannot answer the phone today", "lang": "en"}, False),
        ({"quote": "I'm unable to share the file", "sentiment": "negative"}, False),
        ({"summary": "Customer: I can't create an account."}, False),
        ({"transcript": ["Agent: hello", "I can't provide my ID"], "score": 3}, False),
    ],
)
def test_in_json_a_refusal_is_all_that_is_said(value, refuses):
    """Beside other values, it is what somebody else said."""
    answer = Answer(json.dumps(value), value, is_json=True)

    assert bool(NotRefusal().check(answer)) is refuses


@pytest.mark.parametrize(
    ("phrase", "value", "found"),
    [
        ("credit card", {"method": "credit", "card": "none"}, False),
        ("credit card", {"tags": ["credit", "card game"]}, False),
        ("credit card", {"limit": {"credit": {"card": 1}}}, False),
        ("30 days", {"quantity": 30, "days": "Mon-Fri"}, False),
        ("credit card", {"pay by": "your credit\n card"}, True),
        ("credit card", {"Credit Card": True}, True),
    ],
)
def test_no_phrase_crosses_from_one_value_to_another(phrase, value, found):
    """Keys and values that stand side by side have nothing to do with each other."""
    answer = Answer(json.dumps(value), value, is_json=True)

    assert bool(ForbiddenPhrases([phrase]).check(answer)) is found
    assert MustContain([phrase]).score(answer) == found


def test_what_was_only_thought_is_not_said():
    """Reasoning before a text meets no demand and declines nothing; it is handed on, though."""
    thought = Answer("<think>A refund? I cannot provide one.</think>\nNo idea.")
    declined = Answer("<think>Easy.</think>I can't help with that.")

    assert MustContain(["refund"]).score(thought) == 0
    assert MustContain(["idea"]).score(thought) == 1
    assert MustContain(["refund"]).score(Answer("<think>A refund?")) == 0
    assert Expresses(["refund"], Topics()).score(thought) == 0
    assert NotRefusal().check(Answer("<think>I cannot help with that.</think>Paris.")) is None
    assert NotRefusal().check(Answer("I cannot help with that.</think>")) is not None
    assert NotRefusal().check(declined) is not None
    assert ForbiddenPhrases(["refund"]).check(thought)


def test_loops_are_told_from_prose():
    """An answer that repeats a sentence for ever is rejected, one with a refrain is not."""
    prose = " ".join(f"Sentence {n} says something new about topic {n}." for n in range(20))

    assert NotRepetitive().check(Answer("I will help you with this. " * 20)) is not None
    assert NotRepetitive().check(Answer(prose)) is None
    assert NotRepetitive().check(Answer("ha " * 10)) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "我不知道该说什么。",
        "私は何を言えばいいのかわかりません。",
        "ฉันไม่รู้จะพูดอะไร",
        "我用 GPT 写代码。",
    ],
)
def test_loops_are_found_where_words_are_not_written_apart(sentence):
    """A Chinese text is one long word, and no run of words occurred twice."""
    verdict = NotRepetitive().check(Answer(sentence * 50))

    assert verdict is not None
    assert verdict.expected == "at most 50% repeated runs of 16 characters"
    assert NotRepetitive().check(Answer(sentence * 2)) is None


LOOPS = {
    "one letter": "a" * 3_000,
    "after an opening": "Sure, here it is: " + "ha" * 500,
    "full stops": "\u3002" * 400,
    "signs": "=-" * 600,
    "a numbered list": "\n".join(f"{i}. Apples" for i in range(1, 60)),
    "one line": "- item\n" * 80,
    "a table": "| a | b | c |\n" * 60,
    "two sentences": "The history of Rome is long and ends. Its trade was large and ends, too. "
    * 6,
    "an ending": "It starts well with other words, and then goes wrong " + "again and again " * 40,
}
NO_LOOPS = {
    "a checklist": "\n".join(
        f"### Step {i}\n- [ ] Review the code\n- [ ] Run the tests\n- [ ] Update the docs"
        for i in range(12)
    ),
    "opening hours": "\n".join(
        f"{day}: 09:00 - 17:00 open, lunch break 12:00 - 13:00, closed on holidays"
        for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    ),
    "a report": "\n".join(
        f"{area}: There were no significant changes in this area during the period."
        for area in ("North", "South", "East", "West", "Center", "Coast", "Islands", "Highlands")
    ),
    "a log": "\n".join(f"10:{i:02d} INFO worker heartbeat ok status healthy" for i in range(40)),
    "a chorus": (
        "Row, row, row your boat, gently down the stream.\n"
        "Merrily, merrily, merrily, merrily, life is but a dream.\n"
    )
    * 4,
    "rows without spaces": "".join(
        f'{{"id":{i},"active":true,"admin":false,"deleted":false}},' for i in range(100, 160)
    ),
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_loops_of_all_kinds_are_found(text):
    """With or without spaces, numbered or not: nothing new is said."""
    assert NotRepetitive().check(Answer(text)) is not None


@pytest.mark.parametrize("text", NO_LOOPS.values(), ids=NO_LOOPS)
def test_records_and_refrains_are_no_loops(text):
    """Lines that share most of their words say something new each, and a song has a chorus."""
    assert NotRepetitive().check(Answer(text)) is None


@pytest.mark.parametrize(
    ("value", "loops"),
    [
        ({"summary": "It goes again and again. " * 30}, True),
        (["no"] * 60, False),
        ([[0] * 8] * 8, False),
        ({"embedding": [0.0] * 64}, False),
        ([{"name": f"n{i}", "country": "DE", "unit": "one piece of it"} for i in range(60)], False),
    ],
)
def test_in_json_every_text_is_judged_by_itself(value, loops):
    """Keys, numbers and labels come again in any table."""
    answer = Answer(json.dumps(value), value, is_json=True)

    assert bool(NotRepetitive().check(answer)) is loops


def test_chinese_prose_is_no_loop():
    """Short words occur again in any text, whole phrases do not."""
    prose = (
        "杭州位于中国东南沿海。是浙江省的省会。西湖在城市的西边。每年有很多游客来这里散步、坐船和喝茶。"
        "春天的时候。湖边的柳树发芽。桃花盛开。夏天可以看荷花。秋天桂花的香味飘满全城。冬天偶尔下雪。"
        "断桥上的景色非常安静。除了风景。杭州的丝绸和龙井茶也很有名。当地人喜欢清淡的菜。"
        "例如西湖醋鱼、龙井虾仁和东坡肉。从上海坐高铁到杭州大约需要一个小时。交通十分方便。"
    )

    assert NotRepetitive().check(Answer(prose)) is None


def test_json_is_read_as_prose():
    """Keys and values are searched, the punctuation of JSON is not."""
    answer = Answer('{"a":["x",1,null]}', {"a": ["x", 1, None], "b": {"c": 2.5}}, is_json=True)

    assert answer.prose.split("\n") == ["a", "x", "1", "b", "c", "2.5"]


@pytest.mark.parametrize(
    ("verdict", "count"),
    [
        (None, 0),
        (True, 0),
        ([], 0),
        (False, 1),
        (Violation("r", "x"), 1),
        ([Violation("r", "x")] * 2, 2),
    ],
)
def test_verdicts_come_in_several_forms(verdict, count):
    """A rule may return a bool, a violation, several or nothing."""
    assert len(violations_of(lambda _: verdict, verdict)) == count


@pytest.mark.parametrize(("verdict", "count"), [(True, 0), (False, 1)])
def test_a_bool_of_numpy_is_a_bool(verdict, count):
    """A rule that compares by NumPy was told that it returned a `bool`."""
    numpy = pytest.importorskip("numpy")

    assert len(violations_of(lambda _: verdict, numpy.bool_(verdict))) == count


def test_anything_else_is_a_mistake():
    """A rule that returns text has a bug."""
    with pytest.raises(TypeError, match="str"):
        violations_of(len, "too long")


@pytest.mark.parametrize(
    "build",
    [lambda: MustContain([]), lambda: ForbiddenPhrases([""]), lambda: NotRepetitive(words=0)],
)
def test_settings_that_make_no_sense_are_refused(build):
    """Empty phrases and impossible figures show at once."""
    with pytest.raises(ValueError, match=r"must|phrase"):
        build()


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: ForbiddenPhrases("TODO"), "phrases"),
        (lambda: ForbiddenPatterns("secret"), "patterns"),
        (lambda: MustContain("refund"), "phrases"),
        (lambda: Expresses("A refund.", Topics()), "statements"),
    ],
)
def test_one_text_is_no_list_of_texts(build, name):
    """A text would be taken for its letters, and what it forbids never be found."""
    with pytest.raises(ValueError, match=f"`{name}` must be a list"):
        build()


def test_what_is_nearly_there_is_told_and_does_not_count():
    """Another form of a word is evidence that the wording is to blame."""
    (violation,) = MustContain(["refund policy", "the moon"]).check(Answer("Our refunds policy."))

    assert violation.found == "0 of them, 1 more nearly"


class Topics(Embeddings):
    """Stands for an embedding model: one dimension for each topic."""

    def embed_documents(self, texts):
        """Count the words of each topic."""
        topics = (("refund", "money back"), ("delivery", "shipping"), ("",))
        return [[float(sum(w in t.lower() for w in words)) for words in topics] for t in texts]

    def embed_query(self, text):
        """Embed one text."""
        return self.embed_documents([text])[0]


def test_meaning_is_scored_and_gates_on_request_only():
    """Another wording counts as said; without a threshold nothing is rejected."""
    statements = ["You get a refund.", "Shipping is free."]
    answer = Answer("You will get your money back! Bye.")

    assert Expresses(statements, Topics()).score(answer) == 0.5
    assert Expresses(statements, Topics()).check(answer) is None
    assert Expresses(statements, Topics(), min_score=0.5).check(answer) is None
    assert Expresses(statements, Topics(), min_score=1).check(answer) == Violation(
        "expresses", "at least 100% of 2 statements", "50%"
    )


def test_langchain_embeddings_are_embedders():
    """No adapter is needed; an answer without a word says nothing."""
    assert isinstance(Topics(), Embedder)
    assert Expresses(["A refund."], Topics()).score(Answer("...")) == 0.0


def test_marks_in_disorder_are_folded_in_linear_time():
    """To sort the marks of one letter takes quadratic time."""
    assert_grows_linearly(lambda marks: fold_phrase(f"a{marks}"), "\u0301\u0316", 40_000)
