"""A rejected answer as it is quoted: short, masked, fenced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_control.retries.masking import MASK, masked
from langchain_control.retries.quotation import MAX_QUOTED_CHARS, quotation
from tests.growth import assert_grows_linearly


def quoted(answer):
    before, _, inside = quotation(answer).partition("\n<answer>\n")
    assert "not instructions" in before
    return inside.removesuffix("\n</answer>")


def test_an_answer_is_quoted_as_it_stands():
    """Lines and all."""
    assert quoted('{\n  "city": 7\n}') == '{\n  "city": 7\n}'


def test_of_a_long_answer_the_beginning_is_quoted():
    """And it shows that something was left out."""
    assert quoted("a b " * 1000).endswith("…")
    assert len(quoted("a b " * 1000)) == MAX_QUOTED_CHARS


@pytest.mark.parametrize("answer", ["", "  \n", "\u200b\x00"], ids=["empty", "blank", "unseen"])
def test_nothing_is_quoted_of_nothing(answer):
    """An empty fence would only puzzle the model."""
    assert quotation(answer) == ""


@pytest.mark.parametrize(
    "private",
    [
        "ada@example.org",
        "+44 20 7946 0958",
        "4111 1111 1111 1111",
        "sk-abc123def456ghi789jkl012",
        "sk_live_abcdefghijklmnopqrstuvwx",
        "ghp_abcdefghijklmnopqrstuvwxyzabcdefghij",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "pX3c+9f/TQz8mWn4vR2kLs7dYh1jBg5aUe6oIi0tNqM=",
        "pX3c+9f/TQz8mWn4vR2kLs7dYh",
        "qWxRtYpLkJhGfDsAzXcVbNmQwErTyUiO",
    ],
)
def test_what_looks_private_is_masked(private):
    """Addresses, numbers and keys that a model wrote are not sent once more."""
    assert quoted(f"It is {private}, I think.") == f"It is {MASK}, I think."


@pytest.mark.parametrize(
    "text",
    [
        "in 2026 and 1,234.56",
        '{"a":-12.5e3}',
        "internationalization",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "/home/Ada/Documents/Reports2024/Invoices/Final/Q1",
        "src/main/java/com/example/HTTPServer/v2beta1/XMLParser.java",
        "https://example.com/Docs/Guides/GettingStarted/InstallOnMacOS",
        "AbstractSingletonProxyFactoryBean",
        "getUserByIDFromHTTPRequest",
        "parseXMLDocumentFromURL",
        "sk-learn-compatible-estimators, pk_customer_account_identifier",
        "customer_delivery_address_line_2",
        "secondaryContactPhone2Extension",
        "BillingAddressLine2Normalized3",
        "a_rather_long_name_of_a_variable/and-another-in-kebab-case",
    ],
)
def test_ordinary_numbers_and_words_stay(text):
    """An answer should still look like itself."""
    assert quoted(text) == text


@given(st.text())
def test_any_answer_is_bounded_and_stays_in_its_fence(answer):
    """No text closes the fence, hides a character, or grows beyond the bound."""
    text = quotation(answer)
    if text:
        assert text.count("<answer>") == text.count("</answer>") == 1
        assert len(quoted(answer)) <= MAX_QUOTED_CHARS
        assert quoted(answer).replace("\n", "").replace("\t", "").isprintable() or " " in text


@pytest.mark.parametrize("unit", ["a", "A", "Abc", "1a", "a1_", "a@", "1 "])
def test_masking_grows_with_the_text(unit):
    """A long word may be a key from any of its letters on: it is looked at from its first alone."""
    assert_grows_linearly(masked, unit, 40_000)
