"""A carrier's profile: how it wants to be bound to, and how its addresses and texts are written.

Source: configuration [[connector]] of kind smpp; SMPP v3.4 5.2. Dialects are data: no `if carrier ==` anywhere else.
What must not enter: state of links, messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from gateway.egress.answers import AnswerRule
from gateway.egress.tls_client import TlsClient
from gateway.smpp.declared_tlvs import Declared

# Bits of Message.dialect: how this message is written to this carrier, other than others; wanted ones hold from the
# next writing on, so that the other parts of the writing that was refused say nothing new.
OTHER_ADDRESS: Final = 1
WITHOUT_VALIDITY: Final = 2
WANTED_SHIFT: Final = 4


class CarrierProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an SMPP connector needs to know of its carrier. Times in seconds, tps in parts a second (0: no
    limit).
    """

    name: str
    connector_id: int
    host: str
    port: int
    system_id: str
    password: str
    more_addresses: tuple[tuple[str, int], ...] = ()
    sticky_address: bool = True  # the one that stood is asked again; else always the first one
    tls: TlsClient | None = None
    outbind_listen: tuple[str, int] | None = None  # where the carrier calls us
    outbind_system_id: str = ""  # its own, which it says first
    outbind_password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    bind_types: tuple[str, ...] = ("transceiver",)  # one an element for each link
    window: int = 10
    tps: float = 0.0
    alphabet: Literal["gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8"] = "gsm7"
    long_messages: Literal["udh", "udh16", "sar", "payload"] = "udh"
    part_receipts: Literal["each", "last"] = "each"  # which parts of a message ask for a receipt
    source_ton: int | None = None
    source_npi: int | None = None
    destination_ton: int = 1
    destination_npi: int = 1
    other_destination: tuple[int, int] = (0, 0)  # TON and NPI, once, where the carrier refuses the first ones
    send_validity: bool = False
    status_map: Mapping[int, AnswerRule] = msgspec.field(default_factory=dict)  # the carrier's own statuses
    tlvs: Declared = msgspec.field(default_factory=dict)  # a vendor's, which travel to this carrier
    second_route_classes: frozenset[str] = frozenset()  # worth another route after a final refusal
    connect_timeout_s: float = 10.0
    bind_timeout_s: float = 30.0
    enquire_link_s: float = 30.0
    enquire_link_timeout_s: float = 10.0
    response_timeout_s: float = 60.0
    reconnect_max_s: float = 60.0
    in_doubt_grace_s: float = 60.0  # an answer that is missing holds its place in the window for so long
