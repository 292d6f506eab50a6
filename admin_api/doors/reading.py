"""What every drop-in door reads into: one message for several recipients, with what its customer wishes to be told.

Also the octets of texts as those products write them, and parameters as octets: neither Kannel nor Jasmin promises
that a text is UTF-8. Pure. What must not enter: a product's names and answers (kannel.py, jasmin.py), rules.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.message import HTTP_DOOR, Envelope, Submission
from telecom.alphabets import NotInAlphabet, encode_gsm7, offending_characters
from telecom.transliteration import to_gsm_mode

ESM_UDHI: Final = 0x40  # SMPP v3.4 5.2.12
TON_UNKNOWN, TON_ALPHANUMERIC = 0, 5  # SMPP v3.4 5.2.5
RECEIPT_ASKED: Final = 1  # SMPP v3.4 5.2.17
MOST_PARAMETERS: Final = 100  # chosen: Kannel knows some 30
REPLACED: Final = "?"  # what both products write for a character that their alphabet lacks

Parameters = dict[str, bytes]


class CallbackWish(msgspec.Struct, frozen=True):
    """Who wishes to be told, and of what. asked: a dlr-mask of Kannel, a dlr-level of Jasmin."""

    style: Literal["kannel", "jasmin"]
    url: str
    method: Literal["GET", "POST"]
    asked: int


class DoorMessage(msgspec.Struct, kw_only=True):
    """What was asked, in the gateway's own terms. Times as in Submission."""

    sender: str
    recipients: tuple[str, ...]
    user_data: bytes
    data_coding: int
    has_udh: bool = False
    protocol_id: int = 0
    priority_flag: int = 0
    not_before_ms: int = 0
    expires_at_ms: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()
    callback: CallbackWish | None = None


def submissions_of(
    message: DoorMessage, account_id: int, traffic_class: str, callback: tuple[str, ...]
) -> list[Submission]:
    """One submission a recipient, in their order. callback: as Envelope has it."""
    digits = message.sender.removeprefix("+")
    source_ton = TON_UNKNOWN if digits.isascii() and digits.isdecimal() else TON_ALPHANUMERIC
    return [
        Submission(
            account_id,
            HTTP_DOOR,
            traffic_class,
            message.sender,
            recipient,
            message.data_coding,
            message.user_data,
            Envelope(
                source_addr_ton=source_ton,
                dest_addr_ton=TON_UNKNOWN,
                esm_class=ESM_UDHI if message.has_udh else 0,
                protocol_id=message.protocol_id,
                priority_flag=message.priority_flag,
                registered_delivery=RECEIPT_ASKED,
                submitted_source=message.sender,
                submitted_destination=recipient,
                tlvs=message.tlvs,
                callback=callback,
            ),
            message.not_before_ms,
            message.expires_at_ms,
        )
        for recipient in message.recipients
    ]


def read_form(octets: bytes) -> Parameters | None:
    """application/x-www-form-urlencoded as octets; of a name given twice the first counts. None: too many."""
    found: Parameters = {}
    pairs = [pair for pair in octets.split(b"&", MOST_PARAMETERS) if pair]
    if len(pairs) > MOST_PARAMETERS:
        return None
    for pair in pairs:
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        found.setdefault(unquote_to_bytes(name).decode("utf-8", "replace"), unquote_to_bytes(value))
    return found


def gsm_octets(text: str) -> bytes:
    """A text in the default alphabet, unpacked: what it lacks by a near character, else by a question mark."""
    septets = encode_gsm7(text)
    if isinstance(septets, NotInAlphabet):
        near = to_gsm_mode(text).text
        lacking = dict.fromkeys(map(ord, offending_characters(near)), REPLACED)
        septets = encode_gsm7(near.translate(lacking))
        assert not isinstance(septets, NotInAlphabet)
    return septets


def whole_number(octets: bytes | None, least: int, most: int) -> int | None:
    """A decimal number in its range; None for everything else."""
    if octets is None or not octets.strip().isdigit() or len(octets) > 12:
        return None
    number = int(octets)
    return number if least <= number <= most else None
