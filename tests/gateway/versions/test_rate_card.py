"""Rate cards as spreadsheets write them: every fault by its line, limits with their remedy, and written to be read.

What must not enter: drafts (tests/admin_api).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.storage.facts import RateRow
from gateway.versions.rate_card import (
    FAULTS_LIMIT,
    OCTETS_LIMIT,
    ROWS_LIMIT,
    Card,
    CardRefused,
    read_card,
    write_card,
)

ACCOUNTS = {"acme": 7, "=shop": 8}


def read(text: str | bytes, account_id: int | None = None) -> Card:
    card = read_card(text if isinstance(text, bytes) else text.encode(), ACCOUNTS, account_id)
    assert isinstance(card, Card), card
    return card


@pytest.mark.parametrize(
    "octets",
    [
        b"prefix,price\n229,3.5\n*,12\n",
        "\ufeffPréfixe;Prix;Pays\r\n229;3,5;Bénin\r\n*;12;\r\n".encode(),
        "Préfixe;Prix;Pays\r\n+229;3,50;Bénin\r\n*;12,0;\r\n".encode("cp1252"),
        b"destination\tcountry\ttarif\n229\tBenin\t3.5\n\n*\t\t12\n",
        b'"price";"prefix"\n"3,5";"229"\n12;*',
    ],
)
def test_what_spreadsheets_write_is_read(octets: bytes) -> None:
    assert read(octets) == Card([RateRow(0, None, "229", 3_500_000), RateRow(0, None, "*", 12_000_000)], [], 0)


def test_every_fault_is_told_by_its_line_in_both_languages() -> None:
    lines = [
        "prefix;price;account",
        "229;1",
        "abc;1",
        "33;1.2345678",
        "34;0",
        "35;99999999",
        "36;1;nobody",
        "229;2",
        "37",
    ]
    card = read("\n".join(lines))
    assert [(fault.line, fault.kind) for fault in card.faults] == [
        (3, "prefix"),
        (4, "price"),
        (5, "free"),
        (6, "too_dear"),
        (7, "account"),
        (8, "twice"),
        (9, "columns"),
    ]
    assert card.fault_count == 7
    assert [rate.prefix for rate in card.rates] == ["229"]
    for fault in card.faults:
        assert fault.sentence("en") != fault.sentence("fr")


def test_an_account_by_its_column_or_by_the_callers_word() -> None:
    card = read("prefix;price;account\n229;1;acme\n229;gratuit;\n", account_id=8)
    assert card.rates == [RateRow(0, 7, "229", 1_000_000), RateRow(0, 8, "229", 0)]


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"", "empty"),
        (b"\r\n", "empty"),
        (b"prefix;price\n229;\0", "not_text"),
        (b"229;1\n33;2\n", "no_heading"),
        (b'prefix;price\n"229;1\n', "open_quote"),
        (b"prefix;price\n" + b"229;1\n" * (ROWS_LIMIT + 1), "too_many_rows"),
        (b"x" * (OCTETS_LIMIT + 1), "too_large"),
    ],
)
def test_what_is_no_card_is_refused_with_a_remedy(octets: bytes, kind: str) -> None:
    refused = read_card(octets, ACCOUNTS, None)
    assert isinstance(refused, CardRefused)
    assert refused.kind == kind
    assert refused.sentence("en") != refused.sentence("fr")


def test_a_hundred_thousand_rows_are_read_and_faults_are_told_up_to_a_limit() -> None:
    rows = "".join(f"1{number:06d};1,5\n" for number in range(100_000))
    assert len(read("prefix;price\n" + rows).rates) == 100_000
    card = read("prefix;price\n" + "x;1\n" * 1000)
    assert (len(card.faults), card.fault_count) == (FAULTS_LIMIT, 1000)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_written_can_be_read_and_computes_nothing(language: str) -> None:
    rates = [RateRow(0, None, "*", 1_250_000), RateRow(0, 7, "229", 0), RateRow(0, 8, "33", 1)]
    octets = write_card(rates, {number: name for name, number in ACCOUNTS.items()}, "fr" if language == "fr" else "en")
    assert b";=shop" not in octets
    assert b",=shop" not in octets
    assert read(octets).rates == rates


@given(st.binary(max_size=200))
def test_any_octets_are_a_card_or_refused(octets: bytes) -> None:
    assert isinstance(read_card(octets, ACCOUNTS, None), Card | CardRefused)
    assert isinstance(read_card(b"prefix;price\n" + octets, ACCOUNTS, None), Card | CardRefused)
