"""Whether a submission may be accepted: credentials apart, every rule in the order in which it is asked.

Source: architecture section 3 (accept), smpp-answers "As a server". Pure: facts, time and the new id are passed in.
The one question that is not answered here is credit: only the database knows it, at the moment of the commit.
"""

from __future__ import annotations

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.accept.opt_outs import NOBODY, OptOuts
from gateway.accept.refusals import Refusal
from gateway.message import HTTP_DOOR, Message, Submission
from gateway.storage.facts import AccountRow
from telecom.data_coding import meaning_of
from telecom.numbers import Number, parse_number
from telecom.parts import MAX_PARTS, count_parts

TON_INTERNATIONAL, TON_ALPHANUMERIC = 1, 5  # SMPP v3.4 5.2.5
ESM_UDHI = 0x40  # SMPP v3.4 5.2.12
SAR_REFERENCE = 0x020C  # SMPP v3.4 5.3.2.22
SUPPORTED_DATA_CODINGS = frozenset(octet for octet in range(256) if meaning_of(octet) is not None)
SOURCE_DIGITS = range(2, 16)  # a short code has two digits at least (chosen), an E.164 number fifteen at most


class AcceptPolicy(msgspec.Struct, frozen=True):
    """Numbers that rules need and configuration gives."""

    default_region: str | None = None
    validity_ms: int = 48 * 3600 * 1000
    parts_limit: int = MAX_PARTS
    longest_validity_ms: int = 14 * 24 * 3600 * 1000  # smpp_time beyond it is cut, as SMSCs do


def admit(
    submission: Submission,
    book: FactBook,
    policy: AcceptPolicy,
    message_id: int,
    now_ms: int,
    opt_outs: OptOuts = NOBODY,
) -> Message | Refusal:
    """The message that would be stored, without route yet (connector_id 0), or why not."""
    account = book.accounts[submission.account_id]
    if account.state != "active":
        return Refusal.ACCOUNT_SUSPENDED
    refusal = _source_refusal(submission, book)
    if refusal is not None:
        return refusal
    destination = destination_number(account, policy, submission.destination_addr, submission.envelope.dest_addr_ton)
    if destination is None:
        return Refusal.DESTINATION_INVALID
    if book.is_blocked(submission.account_id, destination) or opt_outs.forbid(
        submission.account_id, destination, submission.traffic_class, submission.esme_id
    ):
        return Refusal.DESTINATION_BLOCKED
    if book.limited_senders and _is_beyond_approval(submission, destination, book, now_ms):
        return Refusal.SENDER_NOT_OWNED
    if submission.data_coding not in SUPPORTED_DATA_CODINGS:
        return Refusal.DATA_CODING_UNSUPPORTED
    parts = count_parts(submission.user_data, submission.data_coding, bool(submission.envelope.esm_class & ESM_UDHI))
    if parts > policy.parts_limit:
        return Refusal.TOO_MANY_PARTS
    refusal = _time_refusal(submission, policy, now_ms)
    if refusal is not None:
        return refusal
    expires_at_ms = submission.expires_at_ms or max(submission.not_before_ms, now_ms) + policy.validity_ms
    return Message(
        message_id,
        submission.account_id,
        submission.esme_id,
        0,
        0,
        submission.traffic_class,
        parts,
        submission.data_coding,
        parts * book.price_micros(submission.account_id, destination),
        min(expires_at_ms, now_ms + policy.longest_validity_ms),
        submission.not_before_ms,
        submission.source_addr,
        destination,
        "",
        submission.user_data,
        submission.envelope,
        notify="asked" if submission.envelope.registered_delivery & 0x03 and submission.esme_id != HTTP_DOOR else "no",
        part_states="Q" * parts,
    )


def destination_number(account: AccountRow, policy: AcceptPolicy, address: str, ton: int) -> str | None:
    """The E.164 number that an account means by an address; None when it is none."""
    number = parse_number(address, ton=ton, default_region=account.default_region or policy.default_region)
    return number.e164 if isinstance(number, Number) else None


def _time_refusal(submission: Submission, policy: AcceptPolicy, now_ms: int) -> Refusal | None:
    """A message whose validity ends before its time comes would be accepted only to expire."""
    if submission.not_before_ms and submission.not_before_ms >= now_ms + policy.longest_validity_ms:
        return Refusal.SCHEDULE_INVALID
    if submission.expires_at_ms and submission.expires_at_ms <= max(now_ms, submission.not_before_ms):
        return Refusal.VALIDITY_INVALID
    return None


def no_longer_permitted(
    message: Message, book: FactBook, opt_outs: OptOuts = NOBODY, now_ms: int = 0
) -> Refusal | None:
    """The legal question once more, when a message that waited is taken to be sent (promise P9)."""
    if book.accounts[message.account_id].state != "active":
        return Refusal.ACCOUNT_SUSPENDED
    if book.is_blocked(message.account_id, message.destination_addr) or opt_outs.forbid(
        message.account_id, message.destination_addr, message.traffic_class, message.esme_id
    ):
        return Refusal.DESTINATION_BLOCKED
    if book.limited_senders and _is_beyond_approval(message, message.destination_addr, book, now_ms):
        return Refusal.SENDER_NOT_OWNED
    return _source_refusal(message, book)


def _source_refusal(submission: Submission | Message, book: FactBook) -> Refusal | None:
    source = submission.source_addr
    if submission.envelope.source_addr_ton != TON_ALPHANUMERIC and source.isascii():
        digits = source.removeprefix("+")
        if digits.isdecimal():
            return None if len(digits) in SOURCE_DIGITS else Refusal.SOURCE_INVALID
    if not source:
        return Refusal.SOURCE_INVALID
    if (submission.account_id, source.casefold()) not in book.senders:
        return Refusal.SENDER_NOT_OWNED
    return None


def _is_beyond_approval(submission: Submission | Message, destination: str, book: FactBook, now_ms: int) -> bool:
    """Whether the account's approval of this sender has ended, or is for other countries than the destination's."""
    approved = book.limited_senders.get((submission.account_id, submission.source_addr.casefold()))
    if approved is None:
        return False
    if approved.until_ms and now_ms >= approved.until_ms:
        return True
    if not approved.in_countries:
        return False
    number = parse_number(destination, ton=TON_INTERNATIONAL)
    return not isinstance(number, Number) or number.region not in approved.in_countries
