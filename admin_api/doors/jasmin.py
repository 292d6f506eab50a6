"""Jasmin's HTTP API: the parameters of /send, /rate and /balance to values, and its answers, word for word.

Source: Jasmin's documentation, "HTTP API", and the validators of its release 0.11: where both disagree, the validators.
Text of coding 0 becomes GSM 03.38 with what it lacks replaced; of any other coding it is octets. Pure.
What must not enter: logins, sockets, what other doors answer.
"""

from __future__ import annotations

import binascii
import json
import re
from typing import Any, Final, Literal

import msgspec

from admin_api.doors.reading import CallbackWish, DoorMessage, Parameters, gsm_octets, whole_number
from gateway.accept.refusals import Refusal
from gateway.smpp.times import parse_time

MINUTE_MS: Final = 60_000
LONGEST_MINUTES: Final = 14 * 24 * 60  # chosen: the longest validity of the gateway
UCS2: Final = 8

_FIELDS: Final[dict[str, re.Pattern[str]]] = {
    "to": re.compile(r"\+?\d+"),
    "from": re.compile(r".*", re.DOTALL),
    "coding": re.compile(r"[0-9]|10|13|14"),
    "username": re.compile(r".{1,16}"),
    "password": re.compile(r".{1,16}"),
    "priority": re.compile(r"[0-3]"),
    "sdt": re.compile(r"\d{15}[+\-R]"),
    "validity-period": re.compile(r"\d+"),
    "dlr": re.compile(r"yes|no"),
    "dlr-url": re.compile(r"https?://.*"),
    "dlr-level": re.compile(r"[1-3]"),
    "dlr-method": re.compile(r"get|post", re.IGNORECASE),
    "tags": re.compile(r"[-a-zA-Z0-9,]*"),
    "content": re.compile(r".*", re.DOTALL),
    "hex-content": re.compile(r".*", re.DOTALL),
    "custom_tlvs": re.compile(r".*", re.DOTALL),
}
SEND_FIELDS: Final = frozenset(_FIELDS)
RATE_FIELDS: Final = SEND_FIELDS - {"sdt", "dlr", "dlr-url", "dlr-level", "dlr-method", "custom_tlvs"}
BALANCE_FIELDS: Final = frozenset({"username", "password"})
_TLV_OCTETS: Final = {"Int1": 1, "Int2": 2, "Int4": 4}
_NO_TEXT_HAS: Final = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f]")
"""Characters that no text has and GSM 03.38 septets have: @ is 0, $ is 2, é is 5. CR and LF are the same in both."""


class Answer(msgspec.Struct, frozen=True):
    """What the door says of a fault: an HTTP status and Jasmin's text, without `Error "..."` around it."""

    status: int
    text: str


LATER: Final = Answer(500, "Cannot send submit_sm, check SMPPClientManagerPB log file for details")
NO_ROUTE: Final = Answer(412, "No route found")
_THROUGHPUT: Final = Answer(403, "User throughput exceeded")
_CHARGE: Final = Answer(403, "Cannot charge submit_sm, check RouterPB log file for details")
_FILTER: Final = "Value filter failed for user [{user}] ({what} filter mismatch)."

ANSWER_OF: Final[dict[Refusal, Answer]] = {
    Refusal.SOURCE_INVALID: Answer(400, _FILTER.replace("{what}", "Source address")),
    Refusal.SENDER_NOT_OWNED: Answer(400, _FILTER.replace("{what}", "Source address")),
    Refusal.SENDER_REFUSED: Answer(400, _FILTER.replace("{what}", "Source address")),
    Refusal.DESTINATION_INVALID: Answer(400, _FILTER.replace("{what}", "Destination address")),
    Refusal.DESTINATION_BLOCKED: Answer(400, _FILTER.replace("{what}", "Destination address")),
    Refusal.DATA_CODING_UNSUPPORTED: Answer(400, _FILTER.replace("{what}", "Coding")),
    Refusal.MESSAGE_LENGTH: Answer(400, _FILTER.replace("{what}", "Content")),
    Refusal.TOO_MANY_PARTS: Answer(400, _FILTER.replace("{what}", "Content")),
    Refusal.SCHEDULE_INVALID: Answer(400, _FILTER.replace("{what}", "Schedule delivery time")),
    Refusal.VALIDITY_INVALID: Answer(400, _FILTER.replace("{what}", "Validity_period")),
    Refusal.TLV_LENGTH: Answer(400, _FILTER.replace("{what}", "Custom_tlvs")),
    Refusal.TLV_VALUE: Answer(400, _FILTER.replace("{what}", "Custom_tlvs")),
    Refusal.NO_ROUTE: NO_ROUTE,
    Refusal.NO_CREDIT: _CHARGE,
    Refusal.ACCOUNT_SUSPENDED: Answer(403, "Authentication failure for username:{user}"),
    Refusal.RATE_EXCEEDED: _THROUGHPUT,
    Refusal.DAY_LIMIT: _CHARGE,
    Refusal.WINDOW_EXCEEDED: _THROUGHPUT,
    Refusal.QUEUE_FULL: LATER,
    Refusal.DISK_FULL: LATER,
    Refusal.DATABASE_AWAY: LATER,
    Refusal.DRAINING: LATER,
}


def refused(refusal: Refusal, username: str) -> Answer:
    """The answer to a refusal."""
    answer = ANSWER_OF[refusal]
    return Answer(answer.status, answer.text.replace("{user}", username))


def not_authenticated(username: str) -> Answer:
    """The answer to a wrong name or password."""
    return Answer(403, f"Authentication failure for username:{username}")


def success(message_id: int) -> str:
    """The body of an accepted /send."""
    return f'Success "{message_id}"'


def failure(answer: Answer) -> str:
    """The body of a refused /send."""
    return f'Error "{answer.text}"'


def from_json(octets: bytes) -> Parameters | Answer:
    """A JSON body as parameters: numbers as their digits, lists (custom_tlvs) as JSON."""
    try:
        found = msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Answer(400, "Mandatory arguments not found, please refer to the HTTPAPI specifications.")
    if not isinstance(found, dict):
        return Answer(400, "Mandatory arguments not found, please refer to the HTTPAPI specifications.")
    return {
        str(name): (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")
        for name, value in found.items()
        if value is not None
    }


def fault_of(parameters: Parameters, fields: frozenset[str], mandatory: tuple[str, ...]) -> Answer | None:
    """The first fault of the parameters by Jasmin's validators; None: they pass."""
    if not parameters:
        return Answer(400, "Mandatory arguments not found, please refer to the HTTPAPI specifications.")
    for name, value in parameters.items():
        if name not in fields:
            return Answer(400, f"Argument [{name}] is unknown.")
        if not _FIELDS[name].fullmatch(value.decode("utf-8", "replace")):
            return invalid(name, value)
    missing = next((name for name in mandatory if name not in parameters), None)
    return None if missing is None else Answer(400, f"Mandatory argument [{missing}] is not found.")


def content_fault(parameters: Parameters) -> Answer | None:
    """Content must come in one of its two forms."""
    if "content" not in parameters and "hex-content" not in parameters:
        return Answer(400, "content or hex-content not present.")
    if "content" in parameters and "hex-content" in parameters:
        return Answer(400, "content and hex-content cannot be used both in same request.")
    return None


def read_send(
    parameters: Parameters, now_ms: int, default_sender: str = "", hex_may_be_utf8: bool = False
) -> DoorMessage | Answer:
    """The message that parameters without fault ask for, or Jasmin's answer to values that no pattern tells.

    hex_may_be_utf8: hex-content of coding 8 that is UTF-8 is read as it (clients are known that send it so).
    """
    coding = int(parameters.get("coding", b"0"))
    user_data = content_of(parameters, coding, hex_may_be_utf8)
    if isinstance(user_data, Answer):
        return user_data
    tlvs = _tlvs(parameters)
    if isinstance(tlvs, Answer):
        return tlvs
    not_before_ms = 0
    if "sdt" in parameters:
        due = parse_time(parameters["sdt"].decode(), now_ms)
        if due is None:
            return invalid("sdt", parameters["sdt"])
        not_before_ms = due if due > now_ms else 0
    expires_at_ms = 0
    if "validity-period" in parameters:
        minutes = whole_number(parameters["validity-period"], 0, LONGEST_MINUTES)
        if minutes is None:
            return invalid("validity-period", parameters["validity-period"])
        expires_at_ms = max(now_ms, not_before_ms) + minutes * MINUTE_MS if minutes else 0
    return DoorMessage(
        sender=_text(parameters.get("from", b"")).strip() or default_sender,
        recipients=(_text(parameters["to"]),),
        user_data=user_data,
        data_coding=coding,
        priority_flag=int(parameters.get("priority", b"0")),
        not_before_ms=not_before_ms,
        expires_at_ms=expires_at_ms,
        tlvs=tlvs,
        callback=_callback(parameters),
    )


def content_of(parameters: Parameters, coding: int, hex_may_be_utf8: bool) -> bytes | Answer:
    """The octets of the message."""
    given = parameters.get("hex-content")
    if given is not None:
        try:
            octets = binascii.unhexlify(given)
        except (binascii.Error, ValueError):
            return Answer(400, f"Invalid hex-content data: '{_text(given)}'")
        return _from_utf8(octets) if coding == UCS2 and hex_may_be_utf8 else octets
    content = parameters["content"]
    if coding != 0:
        return content
    text = _text(content)
    if _NO_TEXT_HAS.search(text) and max(content) < 0x80:
        return content  # RapidPro sends septets, not text
    return gsm_octets(text)


def _from_utf8(octets: bytes) -> bytes:
    """UTF-16BE of octets that are UTF-8 beyond ASCII; others as they are: ASCII alone would be sent as coding 0."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return octets
    return octets if text.isascii() or _NO_TEXT_HAS.search(text) else text.encode("utf-16-be")


def _callback(parameters: Parameters) -> CallbackWish | None:
    """dlr-url or dlr-level make dlr=yes, whatever it says; without a URL nobody is told."""
    if "dlr-url" not in parameters:
        return None
    method: Literal["GET", "POST"] = "GET" if parameters.get("dlr-method", b"").upper() == b"GET" else "POST"
    return CallbackWish("jasmin", _text(parameters["dlr-url"]), method, int(parameters.get("dlr-level", b"1")))


def _tlvs(parameters: Parameters) -> tuple[tuple[int, bytes], ...] | Answer:
    given = parameters.get("custom_tlvs")
    if given is None:
        return ()
    try:
        return tuple(_tlv(*entry) for entry in msgspec.json.decode(given))
    except (msgspec.DecodeError, TypeError, ValueError, OverflowError, UnicodeError):
        return invalid("custom_tlvs", given)


def _tlv(tag: int | str, length: int | None, kind: str, value: Any) -> tuple[int, bytes]:
    """One entry of custom_tlvs. Raises ValueError and its kin for what is none."""
    number = tag if isinstance(tag, int) else int(tag, 0)
    if not 0 < number <= 0xFFFF:
        raise ValueError(tag)
    if kind in _TLV_OCTETS:
        return number, int(value).to_bytes(_TLV_OCTETS[kind], "big")
    octets = str(value).encode() if kind != "OctetString" else _octets_of(value)
    return number, octets + b"\0" if kind == "COctetString" else octets[:length]


def _octets_of(value: Any) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def invalid(name: str, value: bytes) -> Answer:
    """The answer to a value that no message can have."""
    return Answer(400, f"Argument [{name}] has an invalid value: [{_text(value)}].")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
