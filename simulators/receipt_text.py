"""The text of a delivery receipt, written and read.

SMPP v3.4 appendix B (form of the text) and 5.2.28 (message_state). Fields may be missing; names in any case.
What must not enter: which receipt is sent, or what it means for a message.
"""

from __future__ import annotations

import re

RECEIPTED_MESSAGE_ID = 0x001E  # TLV, v3.4 5.3.2.12
MESSAGE_STATE = 0x0427  # TLV, v3.4 5.3.2.35

ESM_CLASS_TYPE_BITS = 0x3C  # v3.4 5.2.12
ESM_CLASS_RECEIPT = 0x04
ESM_CLASS_INTERMEDIATE = 0x20

MESSAGE_STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
STATS = {state: stat for stat, state in MESSAGE_STATES.items()}
NOT_FINAL = frozenset(("ENROUTE", "ACCEPTD"))

_ID = re.compile(rb"\bid:\s*(\S+)", re.IGNORECASE)
_STAT = re.compile(rb"\bstat:\s*(\w+)", re.IGNORECASE)
_ERR = re.compile(rb"\berr:\s*(\w+)", re.IGNORECASE)


def format_receipt(message_id: str, stat: str, err: str, submit_date: str, done_date: str, text: str = "") -> bytes:
    """The text of a receipt for one message. Dates: YYMMDDhhmm; text: the first 20 characters of the message, ASCII."""
    delivered = "001" if stat == "DELIVRD" else "000"
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submit_date} done date:{done_date} "
        f"stat:{stat} err:{err} text:{text[:20]}"
    ).encode("ascii", "replace")


def is_receipt(esm_class: int) -> bool:
    """Whether a deliver_sm is a receipt or an intermediate notification, by its esm_class."""
    return esm_class & ESM_CLASS_TYPE_BITS in (ESM_CLASS_RECEIPT, ESM_CLASS_INTERMEDIATE)


def parse_receipt(short_message: bytes, tlvs: tuple[tuple[int, bytes], ...]) -> tuple[str, str, str]:
    """(message_id, stat, err) of a receipt: TLVs before text; "" where neither says it."""
    message_id = stat = ""
    for tag, value in tlvs:
        if tag == RECEIPTED_MESSAGE_ID:
            message_id = value.rstrip(b"\0").decode("latin-1")
        elif tag == MESSAGE_STATE and len(value) == 1:
            stat = STATS.get(value[0], "")
    if not message_id and (found := _ID.search(short_message)):
        message_id = found[1].decode("latin-1")
    if not stat and (found := _STAT.search(short_message)):
        stat = found[1].decode("latin-1").upper()
    found = _ERR.search(short_message)
    return message_id, stat, found[1].decode("latin-1") if found else ""
