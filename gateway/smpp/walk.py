"""The plain reading of the field table: slow, complete, and exact about who is to blame for what.

SMPP v3.4 sections 3.1, 3.2 and 4. The compiled forms (compiled.py) give up on anything unusual and come back here, so
every refusal is decided in this file and nowhere else.
Speed must not enter: no shortcut that makes a rule harder to read.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from gateway.smpp.command_status import CommandStatus as Status
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.fields import (
    DEST_FLAG_LIST,
    DEST_FLAG_SME,
    LIST_NAME_FIELD,
    MAX_DESTINATIONS,
    MAX_SHORT_MESSAGE,
    SME_ADDRESS_FIELDS,
    TLVS,
    CString,
    Destinations,
    Field,
    Layout,
    Octet,
    SmLength,
    UnsuccessSmes,
)
from gateway.smpp.pdus import RESPONSE_BIT, DistributionList, Pdu, SmeAddress, UnsuccessSme

HEADER = Struct(">IIII")  # v3.4 3.2: command_length, command_id, command_status, sequence_number
HEADER_OCTETS = 16
_TLV_HEADER = Struct(">HH")
_FOUR_OCTETS = Struct(">I")


class Refusal(ValueError):
    """A body that cannot be read: the status of its answer, and which field or TLV (never its content)."""

    def __init__(self, command_status: Status, detail: str) -> None:
        super().__init__(detail)
        self.command_status = command_status
        self.detail = detail


# --- reading ----------------------------------------------------------------------------------------------------


def read_pdu(layout: Layout, octets: bytes, sequence_number: int, command_status: int, tolerant: bool) -> Pdu:
    """The PDU in one frame (header included), or Refusal. A response is read as generously as possible."""
    is_response = bool(layout.pdu.command_id & RESPONSE_BIT)
    if is_response and len(octets) == HEADER_OCTETS and (command_status or layout.readable_without_body):
        return layout.pdu(sequence_number, command_status)
    try:
        values: dict[str, Any] = {}
        position = HEADER_OCTETS
        for field in layout.fields:
            values[field.name], position = _read_field(field, octets, position, is_response)
        values["tlvs"] = read_tlvs(layout, octets, position, tolerant)
    except Refusal:
        if is_response and command_status:  # the status says it all; v3.4 4.4.2 wants no body at all
            return layout.pdu(sequence_number, command_status)
        raise
    return layout.pdu(sequence_number=sequence_number, command_status=command_status, **values)


def _read_field(field: Field, octets: bytes, position: int, is_response: bool) -> tuple[Any, int]:
    match field:
        case Octet():
            return _read_octet(field.name, octets, position)
        case CString():
            return _read_cstring(field, octets, position, is_response)
        case SmLength():
            return _read_short_message(octets, position)
        case Destinations():
            return _read_destinations(octets, position)
        case UnsuccessSmes():
            return _read_unsuccess_smes(octets, position)


def _read_octet(name: str, octets: bytes, position: int) -> tuple[int, int]:
    if position >= len(octets):
        raise Refusal(Status.ESME_RINVCMDLEN, f"truncated before {name}")
    return octets[position], position + 1


def _read_cstring(field: CString, octets: bytes, position: int, is_response: bool) -> tuple[str, int]:
    if position >= len(octets):
        raise Refusal(Status.ESME_RINVCMDLEN, f"truncated before {field.name}")
    limit = len(octets) if is_response else position + field.max_octets
    end = octets.find(0, position, limit)
    if end >= 0:
        return octets[position:end].decode("latin-1"), end + 1
    if is_response:  # an identifier without its NUL is still evidence of what the peer took
        return octets[position:].decode("latin-1"), len(octets)
    raise Refusal(field.refusal, f"{field.name} without NUL within {field.max_octets} octets")


def _read_short_message(octets: bytes, position: int) -> tuple[bytes, int]:
    sm_length, position = _read_octet("sm_length", octets, position)
    end = position + sm_length
    if sm_length > MAX_SHORT_MESSAGE:
        raise Refusal(Status.ESME_RINVMSGLEN, f"sm_length over {MAX_SHORT_MESSAGE}")
    if end > len(octets):
        raise Refusal(Status.ESME_RINVMSGLEN, "sm_length beyond the end of the PDU")
    return octets[position:end], end


def _read_group(fields: tuple[Field, ...], octets: bytes, position: int) -> tuple[list[Any], int]:
    values = []
    for field in fields:
        value, position = _read_field(field, octets, position, is_response=False)
        values.append(value)
    return values, position


def _read_destinations(octets: bytes, position: int) -> tuple[tuple[SmeAddress | DistributionList, ...], int]:
    number_of_dests, position = _read_octet("number_of_dests", octets, position)
    if not 1 <= number_of_dests <= MAX_DESTINATIONS:
        raise Refusal(Status.ESME_RINVNUMDESTS, f"number_of_dests not 1 to {MAX_DESTINATIONS}")
    destinations: list[SmeAddress | DistributionList] = []
    for _ in range(number_of_dests):
        dest_flag, position = _read_octet("dest_flag", octets, position)
        if dest_flag == DEST_FLAG_SME:
            values, position = _read_group(SME_ADDRESS_FIELDS, octets, position)
            destinations.append(SmeAddress(*values))
        elif dest_flag == DEST_FLAG_LIST:
            values, position = _read_group((LIST_NAME_FIELD,), octets, position)
            destinations.append(DistributionList(*values))
        else:
            raise Refusal(Status.ESME_RINVDESTFLAG, "dest_flag neither 1 nor 2")
    return tuple(destinations), position


def _read_unsuccess_smes(octets: bytes, position: int) -> tuple[tuple[UnsuccessSme, ...], int]:
    no_unsuccess, position = _read_octet("no_unsuccess", octets, position)
    smes = []
    for _ in range(no_unsuccess):
        values, position = _read_group(SME_ADDRESS_FIELDS, octets, position)
        if position + 4 > len(octets):
            raise Refusal(Status.ESME_RINVCMDLEN, "truncated before error_status_code")
        (error_status_code,) = _FOUR_OCTETS.unpack_from(octets, position)
        smes.append(UnsuccessSme(values[0], values[1], values[2], error_status_code))
        position += 4
    return tuple(smes), position


def read_tlvs(layout: Layout, octets: bytes, position: int, tolerant: bool) -> tuple[tuple[int, bytes], ...]:
    """The TLVs from position to the end. Unknown tags are kept; known ones are checked unless tolerant or an answer.

    What cannot be framed as a TLV is ignored behind a response, refused behind a request.
    """
    is_response = bool(layout.pdu.command_id & RESPONSE_BIT)
    tlvs: list[tuple[int, bytes]] = []
    size = len(octets)
    while position < size:
        if size - position < _TLV_HEADER.size:
            if is_response:
                break
            raise Refusal(Status.ESME_RINVOPTPARSTREAM, "stray octets behind the body")
        tag, length = _TLV_HEADER.unpack_from(octets, position)
        position += _TLV_HEADER.size
        if position + length > size:
            if is_response:
                break
            raise Refusal(Status.ESME_RINVPARLEN, f"TLV 0x{tag:04X} beyond the end of the PDU")
        value = octets[position : position + length]
        if not (tolerant or is_response):
            _check_tlv(layout, tag, value)
        tlvs.append((tag, value))
        position += length
    if not (tolerant or is_response):
        _check_mandatory_tlvs(layout, tlvs)
    return tuple(tlvs)


def _check_tlv(layout: Layout, tag: int, value: bytes) -> None:
    known = TLVS.get(tag)
    if known is None:
        return
    if layout.pdu not in known.on:
        raise Refusal(Status.ESME_ROPTPARNOTALLWD, f"{known.name} not allowed here")
    if not known.min_octets <= len(value) <= known.max_octets:
        raise Refusal(Status.ESME_RINVPARLEN, f"{known.name} of {len(value)} octets")
    if known.values is not None and value[0] not in known.values:
        raise Refusal(Status.ESME_RINVOPTPARAMVAL, f"{known.name} has a reserved value")


def _check_mandatory_tlvs(layout: Layout, tlvs: list[tuple[int, bytes]]) -> None:
    for tag in layout.mandatory_tlvs:
        if all(tag != present for present, _ in tlvs):
            raise Refusal(Status.ESME_RMISSINGOPTPARAM, f"{TLVS[tag].name} missing")


# --- writing ----------------------------------------------------------------------------------------------------


def write_pdu(layout: Layout, pdu: Pdu) -> bytes:
    """The frame of one PDU. LocalProtocolError names the field whose value does not fit."""
    body = b""
    if not (layout.refused_without_body and pdu.command_status and not pdu.tlvs):
        body = b"".join(_write_field(field, getattr(pdu, field.name)) for field in layout.fields)
    body += write_tlvs(pdu.tlvs)
    for name in ("command_status", "sequence_number"):
        if not 0 <= getattr(pdu, name) <= 0xFFFFFFFF:
            raise LocalProtocolError(f"{name} does not fit four octets")
    return HEADER.pack(HEADER_OCTETS + len(body), pdu.command_id, pdu.command_status, pdu.sequence_number) + body


def _write_field(field: Field, value: Any) -> bytes:
    match field:
        case Octet():
            return _write_octet(field.name, value)
        case CString():
            return _write_cstring(field, value)
        case SmLength():
            if len(value) > MAX_SHORT_MESSAGE:
                raise LocalProtocolError(f"short_message over {MAX_SHORT_MESSAGE} octets; use message_payload")
            return _write_octet("sm_length", len(value)) + bytes(value)
        case Destinations():
            return _write_destinations(value)
        case UnsuccessSmes():
            return _write_unsuccess_smes(value)


def _write_octet(name: str, value: int) -> bytes:
    if not 0 <= value <= 0xFF:
        raise LocalProtocolError(f"{name} does not fit one octet")
    return bytes((value,))


def _write_cstring(field: CString, value: str) -> bytes:
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{field.name} has a character outside latin-1") from None
    if len(octets) >= field.max_octets:
        raise LocalProtocolError(f"{field.name} over {field.max_octets - 1} octets")
    if 0 in octets:
        raise LocalProtocolError(f"{field.name} contains NUL")
    return octets + b"\0"


def _write_destinations(destinations: tuple[SmeAddress | DistributionList, ...]) -> bytes:
    if not 1 <= len(destinations) <= MAX_DESTINATIONS:
        raise LocalProtocolError(f"dest_address holds 1 to {MAX_DESTINATIONS} destinations")
    parts = [_write_octet("number_of_dests", len(destinations))]
    for destination in destinations:
        if isinstance(destination, SmeAddress):
            parts.append(bytes((DEST_FLAG_SME,)))
            parts.extend(_write_field(field, getattr(destination, field.name)) for field in SME_ADDRESS_FIELDS)
        else:
            parts.append(bytes((DEST_FLAG_LIST,)))
            parts.append(_write_cstring(LIST_NAME_FIELD, destination.dl_name))
    return b"".join(parts)


def _write_unsuccess_smes(smes: tuple[UnsuccessSme, ...]) -> bytes:
    parts = [_write_octet("no_unsuccess", len(smes))]
    for sme in smes:
        parts.extend(_write_field(field, getattr(sme, field.name)) for field in SME_ADDRESS_FIELDS)
        if not 0 <= sme.error_status_code <= 0xFFFFFFFF:
            raise LocalProtocolError("error_status_code does not fit four octets")
        parts.append(_FOUR_OCTETS.pack(sme.error_status_code))
    return b"".join(parts)


def write_tlvs(tlvs: tuple[tuple[int, bytes], ...]) -> bytes:
    """The octets of TLVs in their order. Only what cannot be framed is refused: tests and simulators send bad ones."""
    parts = []
    for tag, value in tlvs:
        if not (0 <= tag <= 0xFFFF and len(value) <= 0xFFFF):
            raise LocalProtocolError(f"TLV 0x{tag:X} does not fit its tag or length")
        parts.append(_TLV_HEADER.pack(tag, len(value)) + value)
    return b"".join(parts)
