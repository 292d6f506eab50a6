"""A carrier's deliver_sm (or data_sm) as what a handset sent: its fields, and its text in our dress.

Source: SMPP v3.4 4.6.1, 4.7.1, 5.2.19. data_coding 0 is the carrier's default alphabet here, and septets one an octet
from here on. What must not enter: receipts (gateway.receipts), links, whose a message is (gateway.inbound).
"""

from __future__ import annotations

from typing import Any

from gateway.connector import InboundArrived
from gateway.message import Envelope
from gateway.receipts.parse import TAG_MESSAGE_PAYLOAD
from gateway.smpp.pdus import DeliverSm
from gateway.storage.messages import encode_envelope
from telecom.data_coding import DefaultAlphabet
from telecom.default_alphabet import from_default_alphabet

ESM_UDHI = 0x40  # SMPP v3.4 5.2.12


def inbound_of(pdu: DeliverSm, token: Any, alphabet: DefaultAlphabet) -> InboundArrived:
    """What a handset sent; a data_sm is read as the deliver_sm it stands for."""
    user_data = pdu.short_message or pdu.tlv(TAG_MESSAGE_PAYLOAD) or b""
    data_coding = pdu.data_coding
    if data_coding == 0 and alphabet != "gsm7":
        user_data, data_coding = from_default_alphabet(user_data, bool(pdu.esm_class & ESM_UDHI), alphabet)
    envelope = Envelope(
        source_addr_ton=pdu.source_addr_ton,
        source_addr_npi=pdu.source_addr_npi,
        dest_addr_ton=pdu.dest_addr_ton,
        dest_addr_npi=pdu.dest_addr_npi,
        service_type=pdu.service_type,
        esm_class=pdu.esm_class,
        protocol_id=pdu.protocol_id,
        priority_flag=pdu.priority_flag,
        submitted_source=pdu.source_addr,
        submitted_destination=pdu.destination_addr,
        tlvs=tuple((tag, value) for tag, value in pdu.tlvs if tag != TAG_MESSAGE_PAYLOAD),
    )
    return InboundArrived(
        pdu.source_addr, pdu.destination_addr, data_coding, user_data, encode_envelope(envelope), token
    )
