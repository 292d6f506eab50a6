"""What the simulated SMSC has to deliver, and the mailbox where it waits for a bind that receives.

SMPP v3.4 sections 4.6 (deliver_sm) and 2.11 (receipts). A mailbox belongs to a system_id and outlives its binds.
What must not enter: the decision that a receipt exists (behaviour.py), sockets, clocks.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import msgspec

from gateway.smpp.pdus import DataSm, DeliverSm, SubmitSm
from simulators.receipt_text import (
    ESM_CLASS_INTERMEDIATE,
    ESM_CLASS_RECEIPT,
    MESSAGE_STATE,
    MESSAGE_STATES,
    RECEIPTED_MESSAGE_ID,
    format_receipt,
)
from simulators.user_data import ESM_CLASS_UDHI, MESSAGE_PAYLOAD

Link = TypeVar("Link")

RECEIPT_TEXT_CHARACTERS = 20  # v3.4 appendix B


class Receipt(msgspec.Struct, gc=False):
    """A receipt on its way. smsc_message_id: as the answer dressed it; dressed_as: as the receipt does."""

    smsc_message_id: str
    dressed_as: str
    stat: str
    err: str
    intermediate: bool
    submit_date: str
    text: str
    source_addr: str  # of the message; the receipt goes the other way
    source_addr_ton: int
    source_addr_npi: int
    destination_addr: str
    dest_addr_ton: int
    dest_addr_npi: int
    with_tlvs: bool

    def pdu(self, done_date: str) -> DeliverSm:
        """The deliver_sm of this receipt. done_date: YYMMDDhhmm."""
        message_id = self.dressed_as
        tlvs: tuple[tuple[int, bytes], ...] = ()
        if self.with_tlvs:
            tlvs = (
                (RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0"),
                (MESSAGE_STATE, bytes((MESSAGE_STATES[self.stat],))),
            )
        return DeliverSm(
            source_addr=self.destination_addr,
            source_addr_ton=self.dest_addr_ton,
            source_addr_npi=self.dest_addr_npi,
            destination_addr=self.source_addr,
            dest_addr_ton=self.source_addr_ton,
            dest_addr_npi=self.source_addr_npi,
            esm_class=ESM_CLASS_INTERMEDIATE if self.intermediate else ESM_CLASS_RECEIPT,
            short_message=format_receipt(message_id, self.stat, self.err, self.submit_date, done_date, self.text),
            tlvs=tlvs,
        )


class Inbound(msgspec.Struct, gc=False):
    """A mobile originated message on its way. ref: its number in this run; octets: user data, header included.

    as_data_sm: in a data_sm, and so in message_payload, else in a deliver_sm.
    """

    ref: str
    source_addr: str
    destination_addr: str
    data_coding: int
    octets: bytes
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()
    as_data_sm: bool = False

    def pdu(self, done_date: str) -> DeliverSm | DataSm:
        """The deliver_sm, or data_sm, of this message; done_date is not used."""
        if self.as_data_sm:
            return DataSm(
                source_addr=self.source_addr,
                source_addr_ton=1,
                source_addr_npi=1,
                destination_addr=self.destination_addr,
                dest_addr_ton=3,
                esm_class=self.esm_class,
                data_coding=self.data_coding,
                tlvs=(*self.tlvs, (MESSAGE_PAYLOAD, self.octets)),
            )
        return DeliverSm(
            source_addr=self.source_addr,
            source_addr_ton=1,  # international, E.164: v3.4 5.2.5, 5.2.6
            source_addr_npi=1,
            destination_addr=self.destination_addr,
            dest_addr_ton=3,  # network specific: a short code
            esm_class=self.esm_class,
            data_coding=self.data_coding,
            short_message=self.octets,
            tlvs=self.tlvs,
        )


Delivery = Receipt | Inbound


class Mailbox(Generic[Link]):
    """The deliveries of one system_id and the binds that may take them, each bind in its turn."""

    def __init__(self, system_id: str) -> None:
        self.system_id = system_id
        self.waiting: deque[Delivery] = deque()
        self.held: deque[Receipt] = deque()  # receipts kept back by the setting receipt_hold
        self.links: deque[Link] = deque()

    def __len__(self) -> int:
        return len(self.waiting) + len(self.held)

    def take_back(self, deliveries: list[Delivery]) -> None:
        """Put what was sent and not acknowledged before everything else, in its order."""
        self.waiting.extendleft(reversed(deliveries))

    def release(self) -> None:
        """Let held receipts go."""
        self.waiting.extend(self.held)
        self.held.clear()


def receipt_text(submit: SubmitSm | DataSm, octets: bytes) -> str:
    """What a receipt repeats of a message: its first characters, "" where they are no ASCII."""
    start = octets[:RECEIPT_TEXT_CHARACTERS]
    if (
        submit.data_coding
        or submit.esm_class & ESM_CLASS_UDHI
        or not start.isascii()
        or not start.decode().isprintable()
    ):
        return ""
    return start.decode()
