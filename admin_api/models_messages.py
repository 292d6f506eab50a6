"""Messages as customers write and read them: requests, answers, and the words of states.

A field's name and limits here are the API's: OpenAPI is generated from these types. Ids are text, since JavaScript
rounds 64 bits; times are RFC 3339; money is text of credits, exact.
What must not enter: how a message is accepted (messages.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, field

from admin_api.languages import Words
from admin_api.problems import Fault
from admin_api.reading import NUL

MOST_RECIPIENTS: Final = 1000  # compatibility page, section 2
LONGEST_TEXT: Final = 1600  # chosen: ten parts of 153 septets are 1,530; what is longer is refused by its field

TrafficClass = Literal["otp", "transactional", "marketing", "service"]
Recipient = Annotated[str, Meta(min_length=2, max_length=32, description="A phone number: +22997000001, or national.")]
Sender = Annotated[str, Meta(min_length=1, max_length=20, description="An approved sender name, or digits.")]
Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
ClientRef = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", description="Your own name, used once.")
]
Time = Annotated[datetime.datetime, Meta(tz=True)]
ValiditySeconds = Annotated[int, Meta(ge=60, le=14 * 86_400, description="How long it may be tried, in seconds.")]
Limit = Annotated[int, Meta(ge=1, le=200)]
Status = Literal["accepted", "submitted", "delivered", "undeliverable", "rejected", "expired", "cancelled", "unknown"]

STATES_OF_STATUS: Final[dict[str, tuple[str, ...]]] = {
    "accepted": ("queued",),
    "submitted": ("submitted", "in_doubt"),
    "delivered": ("delivered",),
    "undeliverable": ("undeliverable",),
    "rejected": ("rejected",),
    "expired": ("expired",),
    "cancelled": ("deleted",),
    "unknown": ("unknown",),
}
STATUS_OF_STATE: Final = {state: status for status, states in STATES_OF_STATUS.items() for state in states}


class Content(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What every message says, however many it goes to."""

    sender: Sender = field(name="from")
    text: Text
    traffic_class: TrafficClass | None = field(name="class", default=None)
    schedule_at: Time | None = None
    validity_s: ValiditySeconds | None = None
    client_ref: ClientRef | None = None
    no_reply: bool = False
    encoding: Literal["auto", "gsm7"] = "auto"

    def more_faults(self) -> Iterator[Fault]:
        """NUL has no place in a text of PostgreSQL, nor on a handset."""
        for name in ("from", "text"):
            if "\0" in (self.sender if name == "from" else self.text):
                yield Fault((name,), "nul", NUL)


class OneMessage(Content, kw_only=True, forbid_unknown_fields=True):
    """A message to one recipient."""

    to: Recipient

    def more_faults(self) -> Iterator[Fault]:
        """Of this recipient, too."""
        yield from super().more_faults()
        if "\0" in self.to:
            yield Fault(("to",), "nul", NUL)


class SendMessage(Content, kw_only=True, forbid_unknown_fields=True):
    """A message to one recipient, or the same to several. client_ref: with one only."""

    to: Recipient | Annotated[list[Recipient], Meta(min_length=1, max_length=MOST_RECIPIENTS)]

    def more_faults(self) -> Iterator[Fault]:
        """A name is one message's."""
        yield from super().more_faults()
        recipients = [self.to] if isinstance(self.to, str) else self.to
        for place, each in enumerate(recipients):
            if "\0" in each:
                yield Fault(("to",) if isinstance(self.to, str) else ("to", place), "nul", NUL)
        if self.client_ref is not None and len(recipients) > 1:
            yield Fault(("client_ref",), "one_recipient", ONE_RECIPIENT)


ONE_RECIPIENT: Final = Words(
    "with several recipients use POST /v1/messages/batch, where each has its own",
    "avec plusieurs destinataires, utilisez POST /v1/messages/batch, où chacun a le sien",
)
SAME_REF: Final = Words("another message of this batch has it", "un autre message de ce lot le porte")


class SendBatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Many messages in one request. atomic: all are accepted, or none."""

    messages: Annotated[list[OneMessage], Meta(min_length=1, max_length=MOST_RECIPIENTS)]
    atomic: bool = False

    def more_faults(self) -> Iterator[Fault]:
        """Of each message, and names used twice."""
        seen: set[str] = set()
        for place, each in enumerate(self.messages):
            for fault in each.more_faults():
                yield Fault(("messages", place, *fault.loc), fault.type, fault.msg)
            if each.client_ref is not None:
                if each.client_ref in seen:
                    yield Fault(("messages", place, "client_ref"), "used_twice", SAME_REF)
                seen.add(each.client_ref)


class Price(msgspec.Struct):
    """amount: exact, as text."""

    amount: str
    currency: str = "credit"


class NetworkOf(msgspec.Struct):
    """The network that a number was given to (ITU-T E.212)."""

    mcc: str
    mnc: str
    name: str


class Accepted(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="status", tag="accepted"):
    """An accepted message."""

    id: str
    to: str
    sender: str = field(name="from")
    parts: int
    encoding: Literal["gsm7", "ucs2", "binary"]
    price: Price
    credits: str
    created_at: str
    network: NetworkOf | None = None
    client_ref: str | None = None
    scheduled_at: str | None = None


class Refused(msgspec.Struct, omit_defaults=True, tag_field="status", tag="refused"):
    """A recipient that was refused: its problem, as RFC 9457 has it."""

    to: str
    problem: dict[str, Any]
    client_ref: str | None = None


class Results(msgspec.Struct):
    """What became of each, in the order asked."""

    accepted: int
    refused: int
    messages: list[Accepted | Refused]


class Event(msgspec.Struct, omit_defaults=True):
    """One fact of a message's life."""

    at: str
    event: str
    detail: str = ""


class MessageNow(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A message as it stands. error: the carrier's word, where it failed."""

    id: str
    status: Status
    to: str
    sender: str = field(name="from")
    traffic_class: str = field(name="class")
    parts: int
    parts_delivered: int
    encoding: Literal["gsm7", "ucs2", "binary"]
    price: Price
    credits: str
    charge: Literal["held", "charged", "released"]
    created_at: str
    expires_at: str
    client_ref: str | None = None
    scheduled_at: str | None = None
    submitted_at: str | None = None
    final_at: str | None = None
    error: str | None = None
    timeline: list[Event] = []


class ListMessages(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which messages, newest first. to: digits with country code. A page may be short: next_cursor tells the end."""

    status: Status | None = None
    to: Annotated[str, Meta(pattern=r"^\+?[0-9]{6,15}$")] | None = None
    since: Time | None = None
    until: Time | None = None
    cursor: str | None = None
    limit: Limit = 50


class Messages(msgspec.Struct):
    """A page. next_cursor null: the end."""

    messages: list[MessageNow]
    next_cursor: str | None


class AskEstimate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What would a text cost. to: for the price; without it the price is of anywhere."""

    text: Text
    to: Recipient | None = None

    def more_faults(self) -> Iterator[Fault]:
        """As of a message."""
        for name in ("text", "to"):
            if "\0" in (getattr(self, name) or ""):
                yield Fault((name,), "nul", NUL)


class Variant(msgspec.Struct):
    """A text, as it would be sent."""

    encoding: Literal["gsm7", "ucs2"]
    parts: int
    characters_free: int
    sendable: bool
    price: Price


class Estimated(msgspec.Struct, omit_defaults=True, kw_only=True):
    """as_written: the text as it is; gsm_mode: with near characters in place of those outside GSM 7-bit."""

    as_written: Variant
    gsm_mode: Variant
    gsm_mode_text: str
    offending: list[str]
    credit_left: str
    affordable: bool
    network: NetworkOf | None = None


class AskExplain(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What would become of a message, rule by rule; nothing is sent."""

    to: Recipient
    sender: Sender = field(name="from")
    text: Text = "x"
    traffic_class: TrafficClass | None = field(name="class", default=None)

    def more_faults(self) -> Iterator[Fault]:
        """As of a message."""
        for name in ("to", "sender", "text"):
            if "\0" in getattr(self, name):
                yield Fault(("from" if name == "sender" else name,), "nul", NUL)


class Explained(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Each rule's answer. problem: why it would be refused; absent: it would be accepted."""

    accepted: bool
    number: str | None
    country: str | None
    number_changed_from: str | None
    network: NetworkOf | None
    opted_out: bool
    blocked: bool
    sender_approved: bool
    routes: int
    parts: int
    encoding: Literal["gsm7", "ucs2"]
    price: Price
    problem: dict[str, Any] | None = None
