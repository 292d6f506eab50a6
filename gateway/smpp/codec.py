"""Octets to PDUs and back.

SMPP v3.4 sections 3.2 and 4. Decoding has three outcomes: a PDU, a PduUnacceptable (answer it, stay), or
StreamCorrupt (answer generic_nack 0x02, close). Regular PDUs take the compiled way, the others walk the table.
Who may send what, and when, must not enter.
"""

from __future__ import annotations

from gateway.smpp.command_status import CommandStatus as Status
from gateway.smpp.compiled import DECODERS, ENCODERS, GIVES_UP
from gateway.smpp.errors import LocalProtocolError, PduUnacceptable, StreamCorrupt
from gateway.smpp.fields import LAYOUTS
from gateway.smpp.pdus import Pdu
from gateway.smpp.walk import HEADER, HEADER_OCTETS, Refusal, read_pdu, write_pdu


def encode_pdu(pdu: Pdu) -> bytes:
    """The octets of one PDU, header included. LocalProtocolError: a value that its field cannot hold."""
    encode = ENCODERS.get(pdu.command_id)
    if encode is not None:
        try:
            return encode(pdu)
        except GIVES_UP:
            pass  # the walk below finds the reason
    layout = LAYOUTS.get(pdu.command_id)
    if layout is None:
        raise LocalProtocolError(f"{type(pdu).__name__} is not a PDU of the table")
    return write_pdu(layout, pdu)


def decode_pdu(octets: bytes, tolerant: bool = False) -> Pdu | PduUnacceptable:
    """Exactly one framed PDU. tolerant: known TLVs are not checked (what a carrier sends us).

    StreamCorrupt when the octets are not one frame: command_length is not their number, or they are no header.
    """
    if len(octets) < HEADER_OCTETS:
        raise StreamCorrupt(f"{len(octets)} octets are no header")
    command_length, command_id, command_status, sequence_number = HEADER.unpack_from(octets)
    if command_length != len(octets):
        raise StreamCorrupt("command_length is not the number of octets")
    return decode_frame(octets, command_id, command_status, sequence_number, tolerant)


def decode_frame(
    octets: bytes, command_id: int, command_status: int, sequence_number: int, tolerant: bool
) -> Pdu | PduUnacceptable:
    """decode_pdu for a caller that has read the header already and knows the frame to be whole."""
    decode = DECODERS.get(command_id)
    if decode is not None:
        try:
            return decode(octets, sequence_number, command_status, tolerant)
        except GIVES_UP:
            pass  # the walk below finds whom to blame
    layout = LAYOUTS.get(command_id)
    if layout is None:
        return PduUnacceptable(command_id, sequence_number, Status.ESME_RINVCMDID, "unknown command_id")
    try:
        return read_pdu(layout, octets, sequence_number, command_status, tolerant)
    except Refusal as refusal:
        return PduUnacceptable(command_id, sequence_number, refusal.command_status, refusal.detail)
