"""The values that travel through the gateway: what a customer asked, and what we promised.

What belongs here: Submission (asked), Message (accepted), Envelope (the fields carried along unread), ids.
Source of the field names: SMPP v3.4 4.4.1. What must not enter: rules, clocks, storage.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

# chosen: 41 bits of milliseconds, 6 of node, 14 of counter; good until 2248, 16 million ids a second and node.
ID_TIME_SHIFT: Final = 20
ID_NODE_SHIFT: Final = 14
ID_COUNTER_LIMIT: Final = 1 << 14

PART_QUEUED, PART_SUBMITTED, PART_IN_DOUBT = "Q", "S", "I"
PART_DELIVERED, PART_FAILED, PART_UNKNOWN = "D", "F", "U"
HTTP_DOOR: Final = -1  # esme_id of what came by HTTP: it has no binds, and is told by other means
SMSC_ID_SEPARATOR: Final = "\x1f"  # never inside a C-octet string that a carrier would print


class Envelope(msgspec.Struct, array_like=True, gc=False):
    """What a submission carries besides text and addresses; stored as one msgpack array."""

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    registered_delivery: int = 0
    submitted_source: str = ""  # as the customer wrote it; receipts repeat it
    submitted_destination: str = ""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    multi: tuple[int, ...] = ()  # of a submit_multi: its first message id, which the answer named, and its last
    callback: tuple[str, ...] = ()  # its own URL, format and method, and the events told there with spaces between
    client_ref: str = ""  # the customer's own name of a message, by HTTP
    no_reply: bool = False  # only over a connector that carries alphanumeric senders
    translated: bool = False  # it came as data_coding 0 in its login's own alphabet
    is_secret: bool = False  # its text is a one-time code: nobody is shown it


class Submission(msgspec.Struct, gc=False):
    """What one customer asked, whatever door it came by. Lengths and ranges of fields are the door's to have
    checked.
    """

    account_id: int
    esme_id: int
    traffic_class: str
    source_addr: str
    destination_addr: str
    data_coding: int
    user_data: bytes
    envelope: Envelope
    not_before_ms: int = 0  # Unix milliseconds; 0: at once
    expires_at_ms: int = 0  # 0: the gateway's default validity


class AttemptJournal(msgspec.Struct, gc=False):
    """One row of `open_attempts`: it may be deleted once no message of it has a part on a wire without stored
    outcome.
    """

    journal_id: int
    open_count: int = 0


class Message(msgspec.Struct, gc=False):
    """An accepted submission and all that became of it: the row of `messages`, in memory.

    The fields from `state` on change; whoever changes one hands the message to the settle stream.
    """

    message_id: int
    account_id: int
    esme_id: int
    connector_id: int
    route_id: int
    traffic_class: str
    part_count: int
    data_coding: int
    price_micros: int
    expires_at_ms: int
    not_before_ms: int
    source_addr: str
    destination_addr: str
    route_why: str
    user_data: bytes
    envelope: Envelope
    state: str = "queued"
    hold: str = "held"
    notify: str = "no"
    part_states: str = PART_QUEUED
    smsc_message_ids: str = ""
    attempt_count: int = 0
    in_doubt_count: int = 0
    error: str = ""
    submitted_at_ms: int = 0
    final_at_ms: int = 0
    notified_at_ms: int = 0
    revision: int = 0
    sends: int = 0  # how often it was written to a carrier; stored once the outcome is
    # Not stored: where the message stands in this process.
    dirty: bool = False  # waits in the settle stream
    posting: str = ""  # "capture" or "release": the hold was closed and the ledger does not know yet
    journal: AttemptJournal | None = None  # the row that names its open attempts
    open_parts: int = 0  # parts written, or about to be, without outcome
    fresh_parts: tuple[int, ...] = ()  # parts whose smsc id is not in `smsc_ids` yet
    setback: Any = None  # the worst outcome of a part since it was written: TryLater or Rejected
    handed_to: int = 0  # the span of the node that holds it; 0: that of its id
    refused_by: tuple[int, ...] = ()  # connectors that refused it, left out at the next choice
    dialect: int = 0  # how its connector writes it, other than others (bits: gateway.egress.profile)
    delay_stored: bool = False  # a row of `delayed` names it, claimed by this process
    unqueued: bool = False  # taken from its row for another cause than sending: who reads its queue's rows sends it


class ParkedReceipt(msgspec.Struct):
    """A receipt that nobody waits for yet. parked_id: as message ids are made. Times in Unix milliseconds."""

    parked_id: int
    connector_id: int
    smsc_message_id: str
    source_addr: str
    destination_addr: str
    message_state: int
    error: str
    done_at_ms: int
    received_at_ms: int
    raw: bytes


class InboundMessage(msgspec.Struct):
    """A message from a handset, for an account's ESME, or for nobody yet."""

    message_id: int
    connector_id: int
    account_id: int | None
    esme_id: int | None
    source_addr: str
    destination_addr: str
    data_coding: int
    user_data: bytes
    envelope: bytes
    state: str
    received_at_ms: int
    part_count: int = 1  # parts it was sent in
    parts_missing: int = 0  # of them those that never came
    why: str = ""  # why it went where it went, or nowhere


class InboundPart(msgspec.Struct):
    """A part of a long message from a handset. kind: what its reference stood in (udh8, udh16, sar)."""

    part_id: int
    connector_id: int
    source_addr: str
    destination_addr: str
    kind: str
    reference: int
    total: int
    number: int  # 1..total
    data_coding: int
    user_data: bytes
    envelope: bytes
    digest: bytes
    received_at_ms: int

    @property
    def key(self) -> tuple[int, str, str, str, int, int]:
        """The same for all parts of one message."""
        return self.connector_id, self.source_addr, self.destination_addr, self.kind, self.reference, self.total


def message_id_at(unix_ms: int, node_id: int, counter: int) -> int:
    """The id of the counter-th message (0..16383) of a node (1..63) in a millisecond."""
    return unix_ms << ID_TIME_SHIFT | node_id << ID_NODE_SHIFT | counter


def accepted_at_ms(message_id: int) -> int:
    """When a message was accepted, in Unix milliseconds: its id says it."""
    return message_id >> ID_TIME_SHIFT


def node_of(message_id: int) -> int:
    """The node that gave an id."""
    return message_id >> ID_NODE_SHIFT & (1 << ID_TIME_SHIFT - ID_NODE_SHIFT) - 1


class MessageIds:
    """Gives ids that only grow, also when the clock steps back or a millisecond is full."""

    def __init__(self, node_id: int, last_id: int = 0) -> None:
        """last_id: the largest id ever given under this node; a clock that stepped back while it was away is no
        harm.
        """
        self._node_bits = node_id << ID_NODE_SHIFT
        self._ms = (last_id >> ID_TIME_SHIFT) + 1 if last_id else 0
        self._counter = 0

    def next(self, unix_ms: int) -> int:
        """The next id at this wall-clock time; borrows from the next millisecond when this one is spent."""
        if unix_ms > self._ms:
            self._ms = unix_ms
            self._counter = 0
        else:
            self._counter += 1
            if self._counter == ID_COUNTER_LIMIT:
                self._ms += 1
                self._counter = 0
        return self._ms << ID_TIME_SHIFT | self._node_bits | self._counter

    def horizon(self, unix_ms: int) -> int:
        """An id that none given from now on is below, however the clock steps."""
        if unix_ms > self._ms:
            self._ms = unix_ms
            self._counter = 0
        return self._ms << ID_TIME_SHIFT


def id_key(smsc_message_id: str) -> str:
    """A carrier's id without its dress: lower case, no leading zeros. What `smsc_ids` is looked up by."""
    return smsc_message_id.lower().lstrip("0")


def unnamed_key(handset: str) -> str:
    """The key in `smsc_ids` of what a carrier took without naming it: its receipt is found by the handset alone."""
    return SMSC_ID_SEPARATOR + handset.lstrip("+")
