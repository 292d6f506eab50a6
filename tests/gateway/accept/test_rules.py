"""Every rule a submission meets before credit is asked, and the refusal that each one gives.

Architecture section 3 (accept); smpp-answers "As a server"; SMPP v3.4 5.2.5. What must not enter: doors, credit.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.accept.fact_book import FactBook
from gateway.accept.refusals import Refusal
from gateway.accept.rules import AcceptPolicy, admit, no_longer_permitted
from gateway.message import Message
from gateway.storage.facts import SenderNameRow
from tests.gateway.accept.facts_at_hand import HANDSET, NOW_MS, OURS, ROWS, THEIRS, block, rate, rows, submission

POLICY = AcceptPolicy()
HOUR_MS = 3_600_000
LONGEST_MS = POLICY.longest_validity_ms


def admitted(book: FactBook | None = None, policy: AcceptPolicy = POLICY, **given: Any) -> Message:
    message = admit(submission(**given), book or FactBook(ROWS), policy, 77, NOW_MS)
    assert isinstance(message, Message), message
    return message


def refused(book: FactBook | None = None, policy: AcceptPolicy = POLICY, **given: Any) -> Refusal:
    refusal = admit(submission(**given), book or FactBook(ROWS), policy, 77, NOW_MS)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def test_a_good_submission_becomes_a_message_without_route() -> None:
    message = admitted()
    assert (message.message_id, message.account_id, message.connector_id) == (77, OURS, 0)
    assert (message.destination_addr, message.part_count, message.part_states) == (HANDSET, 1, "Q")
    assert (message.price_micros, message.state, message.hold) == (1_000_000, "queued", "held")
    assert message.expires_at_ms == NOW_MS + POLICY.validity_ms


# ---------------------------------------------------------------- who


@pytest.mark.parametrize("state", ["suspended", "closed"])
def test_an_account_that_is_not_active_sends_nothing(state: str) -> None:
    accounts = [msgspec.structs.replace(ROWS.accounts[0], state=state)]
    assert refused(FactBook(rows(accounts=accounts))) is Refusal.ACCOUNT_SUSPENDED


# ---------------------------------------------------------------- as whom


IVORIAN = "2250700000001"


def test_an_approval_for_some_countries_holds_there_alone() -> None:
    book = FactBook(rows(sender_names=[SenderNameRow(OURS, "ACME", ["CI", "BJ"])]))
    assert admitted(book, source_addr="ACME", destination_addr=IVORIAN).source_addr == "ACME"
    assert refused(book, source_addr="ACME", destination_addr="33612345678") is Refusal.SENDER_NOT_OWNED
    assert (
        refused(book, source_addr="ACME", destination_addr="999912345678") is Refusal.SENDER_NOT_OWNED
    )  # of no country
    message = admitted(book, source_addr="ACME", destination_addr=IVORIAN)
    assert no_longer_permitted(message, book, now_ms=NOW_MS) is None
    benin = FactBook(rows(sender_names=[SenderNameRow(OURS, "acme", ["BJ"])]))
    assert no_longer_permitted(message, benin, now_ms=NOW_MS) is Refusal.SENDER_NOT_OWNED


def test_an_approval_until_a_time_ends_then_also_for_what_waits() -> None:
    book = FactBook(rows(sender_names=[SenderNameRow(OURS, "ACME", until_ms=NOW_MS + 1)]))
    message = admitted(book, source_addr="ACME")
    assert no_longer_permitted(message, book, now_ms=NOW_MS) is None
    assert no_longer_permitted(message, book, now_ms=NOW_MS + 1) is Refusal.SENDER_NOT_OWNED
    ended = FactBook(rows(sender_names=[SenderNameRow(OURS, "ACME", until_ms=NOW_MS)]))
    assert refused(ended, source_addr="ACME") is Refusal.SENDER_NOT_OWNED
    assert admitted(ended, source_addr="33612345678").source_addr == "33612345678"


def test_an_approval_without_limits_is_looked_at_no_further() -> None:
    book = FactBook(rows(sender_names=[SenderNameRow(OURS, "ACME")]))
    assert not book.limited_senders
    assert not book.sender_connectors


@pytest.mark.parametrize("source", ["12", "12345", "33612345678", "+33612345678", "123456789012345"])
def test_a_number_or_short_code_needs_no_registration(source: str) -> None:
    assert admitted(source_addr=source).source_addr == source


@pytest.mark.parametrize("source", ["", "1", "+1", "1234567890123456"])
def test_a_source_that_cannot_be_an_address_is_refused(source: str) -> None:
    assert refused(source_addr=source) is Refusal.SOURCE_INVALID


@pytest.mark.parametrize("ton", [0, 1, 5])
@pytest.mark.parametrize("source", ["ACME", "acme", "AcMe"])
def test_a_registered_name_passes_in_any_case(source: str, ton: int) -> None:
    assert admitted(source_addr=source, ton=ton).source_addr == source


@pytest.mark.parametrize("source", ["OTHER", "ACME ", "+", "12-34", "\u00b2\u00b3", "A"])
def test_a_name_nobody_registered_is_not_owned(source: str) -> None:
    assert refused(source_addr=source) is Refusal.SENDER_NOT_OWNED


def test_another_accounts_name_is_not_owned() -> None:
    assert refused(account_id=THEIRS, source_addr="ACME") is Refusal.SENDER_NOT_OWNED


def test_digits_that_are_called_a_name_must_be_registered_as_one() -> None:
    assert refused(source_addr="12345", ton=5) is Refusal.SENDER_NOT_OWNED
    book = FactBook(rows(sender_names=[SenderNameRow(OURS, "12345")]))
    assert admitted(book, source_addr="12345", ton=5).source_addr == "12345"


def test_an_empty_name_is_invalid_also_as_a_name() -> None:
    assert refused(source_addr="", ton=5) is Refusal.SOURCE_INVALID


# ---------------------------------------------------------------- where to


@pytest.mark.parametrize("written", ["33612345678", "+33612345678", "0033612345678", "33 6 12 34 56 78"])
def test_a_destination_is_stored_as_digits_of_e164(written: str) -> None:
    message = admitted(destination_addr=written, envelope=submission().envelope)
    assert message.destination_addr == HANDSET


def test_a_national_destination_is_read_in_the_accounts_region_else_in_ours() -> None:
    national = msgspec.structs.replace(submission().envelope, dest_addr_ton=2)
    assert admitted(account_id=THEIRS, destination_addr="0612345678", envelope=national).destination_addr == HANDSET
    assert refused(destination_addr="0612345678", envelope=national) is Refusal.DESTINATION_INVALID
    policy = AcceptPolicy(default_region="FR")
    assert admitted(None, policy, destination_addr="0612345678", envelope=national).destination_addr == HANDSET


@pytest.mark.parametrize("written", ["", "abc", "+", "0", "1234567890123456789"])
def test_a_destination_that_is_no_number_is_refused(written: str) -> None:
    assert refused(destination_addr=written) is Refusal.DESTINATION_INVALID


def test_a_blocked_destination_is_refused_however_it_is_written() -> None:
    book = FactBook(rows(blocks=[block(HANDSET, None)]))
    assert refused(book, destination_addr="+33 6 12 34 56 78") is Refusal.DESTINATION_BLOCKED


def test_an_own_opt_out_binds_one_account() -> None:
    book = FactBook(rows(blocks=[block("336", THEIRS)]))
    assert admitted(book)
    assert refused(book, account_id=THEIRS) is Refusal.DESTINATION_BLOCKED


# ---------------------------------------------------------------- what


@pytest.mark.parametrize("data_coding", [0x0B, 0x0C, 0x0F, 0x80, 0xBF])
def test_a_reserved_data_coding_is_refused(data_coding: int) -> None:
    assert refused(data_coding=data_coding) is Refusal.DATA_CODING_UNSUPPORTED


@pytest.mark.parametrize("data_coding", [0, 1, 3, 4, 8, 0xF1])
def test_a_data_coding_of_the_table_is_taken(data_coding: int) -> None:
    assert admitted(data_coding=data_coding, user_data=b"hi").data_coding == data_coding


@pytest.mark.parametrize(("septets", "parts"), [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3), (1530, 10)])
def test_a_long_text_is_priced_by_its_parts(septets: int, parts: int) -> None:
    book = FactBook(rows(rates=[rate("33", 250)]))
    message = admitted(book, user_data=b"a" * septets)
    assert (message.part_count, message.part_states, message.price_micros) == (parts, "Q" * parts, 250 * parts)


def test_more_than_ten_parts_are_refused() -> None:
    assert refused(user_data=b"a" * 1531) is Refusal.TOO_MANY_PARTS


def test_the_limit_of_parts_is_the_operators() -> None:
    assert refused(policy=AcceptPolicy(parts_limit=2), user_data=b"a" * 307) is Refusal.TOO_MANY_PARTS
    assert admitted(policy=AcceptPolicy(parts_limit=2), user_data=b"a" * 306).part_count == 2


def test_user_data_with_a_header_of_its_own_must_fit_one_part() -> None:
    header = b"\x05\x00\x03\x01\x02\x01"
    assert admitted(user_data=header + b"a" * 153, esm_class=0x40).part_count == 1
    assert refused(user_data=header + b"a" * 154, esm_class=0x40) is Refusal.TOO_MANY_PARTS


# ---------------------------------------------------------------- when


def test_validity_counts_from_the_schedule_and_has_an_end() -> None:
    assert admitted(not_before_ms=NOW_MS + HOUR_MS).expires_at_ms == NOW_MS + HOUR_MS + POLICY.validity_ms
    assert admitted(expires_at_ms=NOW_MS + 1).expires_at_ms == NOW_MS + 1
    assert admitted(expires_at_ms=NOW_MS + 2 * LONGEST_MS).expires_at_ms == NOW_MS + LONGEST_MS


def test_a_schedule_beyond_the_longest_validity_is_refused_and_not_left_to_expire() -> None:
    assert refused(not_before_ms=NOW_MS + LONGEST_MS) is Refusal.SCHEDULE_INVALID
    message = admitted(not_before_ms=NOW_MS + LONGEST_MS - 1)
    assert message.not_before_ms < message.expires_at_ms


def test_a_validity_that_ended_or_ends_before_the_schedule_is_refused() -> None:
    assert refused(expires_at_ms=NOW_MS) is Refusal.VALIDITY_INVALID
    at_ms = NOW_MS + HOUR_MS
    assert refused(not_before_ms=at_ms, expires_at_ms=at_ms) is Refusal.VALIDITY_INVALID


# ---------------------------------------------------------------- asked to hear of it


@pytest.mark.parametrize(
    ("registered_delivery", "notify"), [(0, "no"), (1, "asked"), (2, "asked"), (3, "asked"), (0x10, "no")]
)
def test_a_receipt_is_owed_when_it_was_asked_for(registered_delivery: int, notify: str) -> None:
    assert admitted(registered_delivery=registered_delivery).notify == notify


# ---------------------------------------------------------------- asked again before it is sent


def test_what_was_permitted_and_still_is_may_be_sent() -> None:
    for message in (admitted(), admitted(source_addr="ACME", ton=5)):
        assert no_longer_permitted(message, FactBook(ROWS)) is None


def test_an_opt_out_that_came_while_a_message_waited_is_honoured() -> None:
    message = admitted()
    assert no_longer_permitted(message, FactBook(rows(blocks=[block(HANDSET, OURS)]))) is Refusal.DESTINATION_BLOCKED
    assert no_longer_permitted(message, FactBook(rows(blocks=[block(HANDSET, THEIRS)]))) is None


def test_a_name_or_an_account_suspended_meanwhile_sends_nothing_more() -> None:
    message = admitted(source_addr="ACME", ton=5)
    assert no_longer_permitted(message, FactBook(rows(sender_names=[]))) is Refusal.SENDER_NOT_OWNED
    suspended = [msgspec.structs.replace(ROWS.accounts[0], state="suspended")]
    assert no_longer_permitted(message, FactBook(rows(accounts=suspended))) is Refusal.ACCOUNT_SUSPENDED


# ---------------------------------------------------------------- the list is whole

ELSEWHERE = {
    Refusal.MESSAGE_LENGTH: "the doors: octets against their own length field",
    Refusal.NO_ROUTE: "lifecycle.admit",
    Refusal.SENDER_REFUSED: "lifecycle.admit",
    Refusal.NO_CREDIT: "the accept statement",
    Refusal.RATE_EXCEEDED: "the doors' pace",
    Refusal.WINDOW_EXCEEDED: "the doors' windows",
    Refusal.QUEUE_FULL: "lifecycle.admit",
    Refusal.DISK_FULL: "lifecycle.admit",
    Refusal.DATABASE_AWAY: "the accept stream",
    Refusal.DRAINING: "the door",
    Refusal.TLV_VALUE: "lifecycle.admit",
    Refusal.TLV_LENGTH: "lifecycle.admit",
    Refusal.DAY_LIMIT: "the doors' pace",
}


def test_every_refusal_is_given_here_or_named_as_given_elsewhere() -> None:
    given_here = {
        Refusal.ACCOUNT_SUSPENDED,
        Refusal.SOURCE_INVALID,
        Refusal.SENDER_NOT_OWNED,
        Refusal.DESTINATION_INVALID,
        Refusal.DESTINATION_BLOCKED,
        Refusal.DATA_CODING_UNSUPPORTED,
        Refusal.TOO_MANY_PARTS,
        Refusal.SCHEDULE_INVALID,
        Refusal.VALIDITY_INVALID,
    }
    assert given_here | set(ELSEWHERE) == set(Refusal)
    assert not given_here & set(ELSEWHERE)
