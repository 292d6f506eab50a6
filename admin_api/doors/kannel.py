"""Kannel's sendsms: its parameters to a message, and its answers, word for word.

Source: Kannel user guide, "Using the HTTP interface to send SMS messages"; fields_to_dcs for class and waiting
indication. A text is octets in `charset`: UTF-8 where it says nothing, UTF-16BE for coding 2. Pure: parameters and the
present in, a message or an answer out. What must not enter: logins, sockets, what other doors answer.
"""

from __future__ import annotations

from typing import Final

import msgspec

from admin_api.doors.reading import CallbackWish, DoorMessage, Parameters, gsm_octets, whole_number
from gateway.accept.refusals import Refusal

MINUTE_MS: Final = 60_000
MOST_RECIPIENTS: Final = 1000  # chosen: as POST /v1/messages
LONGEST_MINUTES: Final = 14 * 24 * 60  # chosen: the longest validity of the gateway
BIT7, BIT8, UCS2 = 0, 1, 2  # Kannel's coding
HIGHEST_MASK: Final = 63


class Answer(msgspec.Struct, frozen=True):
    """What the door says: an HTTP status and a text."""

    status: int
    text: str


ACCEPTED: Final = Answer(202, "0: Accepted for delivery")
NOT_AUTHORIZED: Final = Answer(403, "Authorization failed for sendsms")
RECEIVER_MISSING: Final = Answer(400, "Missing receiver number, rejected")
RECEIVER_EMPTY: Final = Answer(400, "Empty receiver number not allowed, rejected")
SENDER_MISSING: Final = Answer(400, "Sender missing and no global set, rejected")
DENIED: Final = Answer(400, "Number(s) has/have been denied by white- and/or black-lists.")
CONTENT_TYPE: Final = Answer(400, "Invalid content-type")
BODY: Final = Answer(400, "Charset or body misformed, rejected")
LATER: Final = Answer(503, "Temporal failure, try again later.")
FAILED: Final = Answer(500, "Sending failed.")

# Words of Kannel where it has any. No permanent refusal is a 5xx: its clients try those again.
ANSWER_OF: Final[dict[Refusal, Answer]] = {
    Refusal.SOURCE_INVALID: SENDER_MISSING,
    Refusal.SENDER_NOT_OWNED: Answer(400, "Sender not allowed, rejected"),
    Refusal.SENDER_REFUSED: Answer(400, "Sender not allowed, rejected"),
    Refusal.DESTINATION_INVALID: DENIED,
    Refusal.DESTINATION_BLOCKED: DENIED,
    Refusal.DATA_CODING_UNSUPPORTED: Answer(400, "Coding field misformed, rejected"),
    Refusal.MESSAGE_LENGTH: BODY,
    Refusal.TOO_MANY_PARTS: BODY,
    Refusal.SCHEDULE_INVALID: Answer(400, "Deferred field misformed, rejected"),
    Refusal.VALIDITY_INVALID: Answer(400, "Validity field misformed, rejected"),
    Refusal.TLV_LENGTH: Answer(400, "Meta-data field misformed, rejected"),
    Refusal.TLV_VALUE: Answer(400, "Meta-data field misformed, rejected"),
    Refusal.NO_ROUTE: DENIED,
    Refusal.NO_CREDIT: Answer(403, "No credit left, rejected"),
    Refusal.ACCOUNT_SUSPENDED: NOT_AUTHORIZED,
    Refusal.RATE_EXCEEDED: LATER,
    Refusal.DAY_LIMIT: Answer(403, "Limit of the day reached, rejected"),
    Refusal.WINDOW_EXCEEDED: LATER,
    Refusal.QUEUE_FULL: LATER,
    Refusal.DISK_FULL: LATER,
    Refusal.DATABASE_AWAY: LATER,
    Refusal.DRAINING: LATER,
}

_OTHER_NAMES: Final = {
    "user": "username",
    "pass": "password",
    "dlrmask": "dlr-mask",
    "dlrurl": "dlr-url",
    "flash": "mclass",
}
"""Names that Kannel still takes, and what they are called today."""

_RANGES: Final = {  # name of the parameter, least, most, as the answer calls it
    "mclass": (0, 3, "MClass"),
    "pid": (0, 255, "PID"),
    "rpi": (0, 2, "RPI"),
    "alt-dcs": (0, 1, "Alternate-DCS"),
    "mwi": (0, 7, "MWI"),
    "coding": (BIT7, UCS2, "Coding"),
    "compress": (0, 1, "Compress"),
    "validity": (0, LONGEST_MINUTES, "Validity"),
    "deferred": (0, LONGEST_MINUTES, "Deferred"),
    "dlr-mask": (0, HIGHEST_MASK, "DLR-Mask"),
    "priority": (0, 3, "Priority"),
}
_HEADER: Final = "x-kannel-"


def names_of_today(parameters: Parameters) -> Parameters:
    """The parameters under the names of today; one given by both names counts as today's."""
    return {_OTHER_NAMES[name]: value for name, value in parameters.items() if name in _OTHER_NAMES} | {
        name: value for name, value in parameters.items() if name not in _OTHER_NAMES
    }


def from_headers(headers: dict[str, str], content_type: str, charset: str, body: bytes) -> Parameters | Answer:
    """A POST with X-Kannel headers as the parameters it stands for. headers: names in lower case."""
    if content_type not in ("text/plain", "application/octet-stream"):
        return CONTENT_TYPE
    found = {
        name.removeprefix(_HEADER): value.encode("latin-1", "replace")
        for name, value in headers.items()
        if name.startswith(_HEADER)
    }
    udh = found.get("udh")
    if udh is not None:
        try:
            found["udh"] = bytes.fromhex(udh.decode("latin-1"))
        except ValueError:
            return Answer(400, "UDH field misformed, rejected")
    if content_type == "application/octet-stream":
        found.setdefault("coding", b"1")
    if charset:
        found.setdefault("charset", charset.encode("latin-1", "replace"))
    return names_of_today(found | {"text": body})


def read_sendsms(parameters: Parameters, now_ms: int, default_sender: str = "") -> DoorMessage | Answer:
    """The message that names_of_today(parameters) ask for, or what Kannel would answer instead."""
    to = parameters.get("to")
    if to is None:
        return RECEIVER_MISSING
    recipients = tuple(dict.fromkeys(_text(to).split()))
    if not recipients:
        return RECEIVER_EMPTY
    if len(recipients) > MOST_RECIPIENTS:
        return Answer(400, f"More than {MOST_RECIPIENTS} receivers, rejected")
    sender = _text(parameters.get("from", b"")).strip() or default_sender
    if not sender:
        return SENDER_MISSING
    numbers: dict[str, int] = {}
    for name, (least, most, title) in _RANGES.items():
        if parameters.get(name, b"") == b"":
            continue
        number = whole_number(parameters[name], least, most)
        if number is None:
            return Answer(400, f"{title} field misformed, rejected")
        numbers[name] = number
    udh = parameters.get("udh", b"")
    coding = numbers.get("coding", BIT8 if udh else BIT7)
    body = _octets(parameters.get("text", b""), coding, _text(parameters.get("charset", b"")))
    if body is None or (udh and udh[0] + 1 != len(udh)):
        return BODY
    tlvs = _tlvs(_text(parameters.get("meta-data", b"")))
    deferred_ms, validity_ms = numbers.get("deferred", 0) * MINUTE_MS, numbers.get("validity", 0) * MINUTE_MS
    return DoorMessage(
        sender=sender,
        recipients=recipients,
        user_data=udh + body,
        data_coding=_data_coding(coding, numbers, bool(body)),
        has_udh=bool(udh),
        protocol_id=numbers.get("pid", 0),
        priority_flag=numbers.get("priority", 0),
        not_before_ms=now_ms + deferred_ms if deferred_ms else 0,
        expires_at_ms=now_ms + validity_ms if validity_ms else 0,
        tlvs=tlvs,
        callback=_callback(_text(parameters.get("dlr-url", b"")), numbers.get("dlr-mask", 0)),
    )


def answer_of(accepted: int, refused: dict[str, Refusal]) -> Answer:
    """The answer to a request. refused: recipients with the reason of each; the first one's counts where all are."""
    if not accepted:
        return ANSWER_OF[next(iter(refused.values()))]
    if not refused:
        return ACCEPTED
    return Answer(ACCEPTED.status, f"{ACCEPTED.text} Denied receivers are: {' '.join(refused)}")


def _callback(url: str, mask: int) -> CallbackWish | None:
    return CallbackWish("kannel", url, "GET", mask) if url and mask else None


def _octets(text: bytes, coding: int, charset: str) -> bytes | None:
    """A text as its coding has it; None where it is none in its charset."""
    if coding == BIT8:
        return text
    if coding == UCS2 and not charset:
        return text if len(text) % 2 == 0 else None  # as it came: UTF-16BE
    try:
        decoded = text.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError, ValueError):
        return None
    try:
        return gsm_octets(decoded) if coding == BIT7 else decoded.encode("utf-16-be")
    except UnicodeEncodeError:
        return None


def _data_coding(coding: int, numbers: dict[str, int], has_text: bool) -> int:
    """Kannel's fields_to_dcs: class, alternate coding, waiting indication (3GPP TS 23.038, 4)."""
    mclass, mwi = numbers.get("mclass"), numbers.get("mwi")
    compressed = 0x20 if numbers.get("compress") else 0
    if mwi is not None:
        group = 0xE0 if coding == UCS2 else 0xD0 if has_text else 0xC0
        return group | (0x08 if mwi < 4 else 0) | mwi & 3
    if numbers.get("alt-dcs") and coding != UCS2:
        return 0xF0 | (0x04 if coding == BIT8 else 0) | (mclass or 0)
    alphabet = {BIT7: 0x00, BIT8: 0x04, UCS2: 0x08}[coding]
    return alphabet | compressed | (0 if mclass is None else 0x10 | mclass)


def _tlvs(meta_data: str) -> tuple[tuple[int, bytes], ...]:
    """TLVs of the group smpp whose names are tags, like ?smpp?0x1401=abc&; other names are another's configuration."""
    found: list[tuple[int, bytes]] = []
    words = meta_data.split("?")
    for group, pairs in zip(words[1::2], words[2::2], strict=False):
        if group != "smpp":
            continue
        for pair in pairs.split("&"):
            name, given, value = pair.partition("=")
            try:
                tag = int(name, 0)
            except ValueError:
                continue
            if given and 0 < tag <= 0xFFFF:
                found.append((tag, value.encode("utf-8")))
    return tuple(found)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
