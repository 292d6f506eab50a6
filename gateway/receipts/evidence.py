"""Which attempts without a carrier's id a receipt may speak about, and which of several it surely does.

Source: promise P2 (a receipt that fits exactly one attempt); docs/decisions/0006-in-doubt.md, Evidence. What carriers
write beside the id: our source address, when it was submitted, the first characters of the text (v3.4 appendix B).
What must not enter: looking attempts up, what a receipt does to a message.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from gateway.message import Message, accepted_at_ms
from gateway.receipts.parse import Receipt

ZONE_MS: Final = (
    15 * 3600 * 1000
)  # a carrier's clock says a time of its own zone: at most +14 h, and an hour for clocks
LEAST_CHARACTERS: Final = 5  # chosen: less of a text is no evidence; some carriers write "000" there

_TEXT = re.compile(rb"\btext\s*:(.*)", re.IGNORECASE | re.DOTALL)
_SUBMITTED = re.compile(rb"\bsubmit\s*date\s*:\s*(\d{10,14})", re.IGNORECASE)
_UCS2: Final = 8  # data_coding, v3.4 5.2.19


class Candidate(Protocol):
    """A part of a message."""

    message: Message
    part_no: int


Found = TypeVar("Found", bound=Candidate)


def possible(candidates: Sequence[Found], receipt: Receipt, received_ms: int) -> list[Found]:
    """Those that were accepted before the receipt came, and before it says that they were submitted."""
    latest_ms = min(received_ms, (_submitted_ms(receipt.raw) or received_ms) + ZONE_MS)
    return [each for each in candidates if accepted_at_ms(each.message.message_id) <= latest_ms]


def the_one(candidates: Sequence[Found], receipt: Receipt) -> Found | None:
    """The only candidate, or the only one that has the receipt's source address and text for itself; None: nobody can
    tell. Either may be missing or rewritten by the carrier: where no candidate has it, it says nothing.
    """
    left = list(candidates)
    for has in (_has_source, _has_text):
        left = [each for each in left if has(each.message, receipt)] or left
    return left[0] if len(left) == 1 else None


def _has_source(message: Message, receipt: Receipt) -> bool:
    return message.source_addr.lstrip("+").casefold() == receipt.destination_addr.lstrip("+").casefold()


def _has_text(message: Message, receipt: Receipt) -> bool:
    found = _TEXT.search(receipt.raw)
    if found is None:
        return False
    said = found[1].strip(b" \0\r\n")
    text = message.user_data
    if message.data_coding == _UCS2:
        text = text.decode("utf-16-be", "replace").encode("latin-1", "replace")
    return len(said) >= LEAST_CHARACTERS and text.lower().startswith(said.lower())


def _submitted_ms(raw: bytes) -> int | None:
    """When the carrier says that it was submitted, as if its zone were UTC; None: it does not, or nonsense."""
    found = _SUBMITTED.search(raw)
    if found is None:
        return None
    digits = found[1].decode("ascii")
    if len(digits) == 14:  # four digits of the year
        digits = digits[2:]
    try:
        parsed = datetime.datetime.strptime(digits[:10], "%y%m%d%H%M")
    except ValueError:
        return None
    return int(parsed.replace(tzinfo=datetime.UTC).timestamp() * 1000)
