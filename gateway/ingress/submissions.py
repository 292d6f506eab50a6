"""From submit_sm and data_sm to Submission: translating fields, and refusing values that no field may have.

Source: SMPP v3.4 4.4.1, 4.7.1, 5.2; smpp-answers. The field's own status is returned where a value is out of range.
What must not enter: rules about accounts, senders, money (gateway.accept): the same rule is never written for two
doors.
"""

from __future__ import annotations

from typing import Final

from gateway.message import Envelope, Submission
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import DataSm, SubmitSm, read_as
from gateway.smpp.times import parse_time
from gateway.storage.facts import EsmeRow
from telecom.default_alphabet import from_default_alphabet

TAG_MESSAGE_PAYLOAD: Final = 0x0424
ESM_UDHI: Final = 0x40
ADDRESS_OCTETS: Final = 20  # v3.4 4.4.1: data_sm alone carries longer ones (4.7.1), which no receipt could name
TONS: Final = frozenset(range(7))  # v3.4 5.2.5
NPIS: Final = frozenset({0, 1, 3, 4, 6, 8, 9, 10, 14, 18})  # v3.4 5.2.6
MESSAGE_TYPES: Final = frozenset({0x00, 0x08, 0x10})  # v3.4 5.2.12: default, delivery and user acknowledgement
HIGHEST_PRIORITY: Final = 4  # v5.0 4.7.14; v3.4 knows 0 to 3
SUBMITTED_TLVS_LEFT_OUT: Final = frozenset({TAG_MESSAGE_PAYLOAD, 0x0426, 0x0428})


def read_submit_sm(pdu: SubmitSm, esme: EsmeRow, now_ms: int) -> Submission | int:
    """What was asked, or the command_status of the first field that cannot be."""
    fault = _field_fault(pdu)
    if fault:
        return fault
    user_data = pdu.short_message
    tlvs = pdu.tlvs
    if tlvs:
        payload = pdu.tlv(TAG_MESSAGE_PAYLOAD)
        if payload is not None:
            user_data = payload  # smpp-answers: the payload wins
        tlvs = tuple((tag, value) for tag, value in tlvs if tag not in SUBMITTED_TLVS_LEFT_OUT)
    if pdu.esm_class & ESM_UDHI and (not user_data or user_data[0] + 1 > len(user_data)):
        return CommandStatus.ESME_RINVMSGLEN
    data_coding = pdu.data_coding
    translated = data_coding == 0 and esme.default_alphabet != "gsm7"
    if translated:
        user_data, data_coding = from_default_alphabet(user_data, bool(pdu.esm_class & ESM_UDHI), esme.default_alphabet)
    not_before_ms = expires_at_ms = 0
    if pdu.schedule_delivery_time or pdu.validity_period:
        times = read_times(pdu.schedule_delivery_time, pdu.validity_period, now_ms)
        if isinstance(times, int):
            return times
        not_before_ms, expires_at_ms = times
    return Submission(
        esme.account_id,
        esme.esme_id,
        esme.traffic_class,
        pdu.source_addr,
        pdu.destination_addr,
        data_coding,
        user_data,
        Envelope(
            pdu.source_addr_ton,
            pdu.source_addr_npi,
            pdu.dest_addr_ton,
            pdu.dest_addr_npi,
            pdu.service_type,
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            pdu.registered_delivery,
            pdu.source_addr,
            pdu.destination_addr,
            tlvs,
            translated=translated,
        ),
        not_before_ms,
        expires_at_ms,
    )


def read_times(schedule_delivery_time: str, validity_period: str, now_ms: int) -> tuple[int, int] | int:
    """When a message is due (0: at once) and when it ends (0: not said), or the status of the one that is no time."""
    not_before_ms = expires_at_ms = 0
    if schedule_delivery_time:
        not_before = parse_time(schedule_delivery_time, now_ms)
        if not_before is None:
            return CommandStatus.ESME_RINVSCHED
        not_before_ms = not_before if not_before > now_ms else 0
    if validity_period:
        expires_at = parse_time(validity_period, now_ms)
        if expires_at is None or expires_at <= max(now_ms, not_before_ms):
            return CommandStatus.ESME_RINVEXPIRY
        expires_at_ms = expires_at
    return not_before_ms, expires_at_ms


def address_fault(source_ton: int, source_npi: int, dest_ton: int, dest_npi: int) -> int:
    """The status of the first TON or NPI that exists nowhere; 0 for none."""
    if source_ton not in TONS:
        return CommandStatus.ESME_RINVSRCTON
    if source_npi not in NPIS:
        return CommandStatus.ESME_RINVSRCNPI
    if dest_ton not in TONS:
        return CommandStatus.ESME_RINVDSTTON
    return CommandStatus.ESME_RINVDSTNPI if dest_npi not in NPIS else 0


def _field_fault(pdu: SubmitSm) -> int:
    """The status of the first field out of its range, in the order of the PDU; 0 for none."""
    if pdu.service_type and not (pdu.service_type.isascii() and pdu.service_type.isprintable()):
        return CommandStatus.ESME_RINVSERTYP
    fault = address_fault(pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi)
    if fault:
        return fault
    if pdu.esm_class & 0x3C not in MESSAGE_TYPES:
        return CommandStatus.ESME_RINVESMCLASS
    if pdu.priority_flag > HIGHEST_PRIORITY:
        return CommandStatus.ESME_RINVPRTFLG
    if pdu.registered_delivery > 0x1F:
        return CommandStatus.ESME_RINVREGDLVFLG
    if pdu.replace_if_present_flag > 1:
        return CommandStatus.ESME_RINVREPFLAG
    if pdu.sm_default_msg_id:
        return CommandStatus.ESME_RINVDFTMSGID
    return 0


def as_submit_sm(pdu: DataSm) -> SubmitSm | int:
    """A data_sm as the submit_sm it stands for; without payload: the status of a missing TLV (smpp-answers)."""
    if len(pdu.source_addr) > ADDRESS_OCTETS:
        return CommandStatus.ESME_RINVSRCADR
    if len(pdu.destination_addr) > ADDRESS_OCTETS:
        return CommandStatus.ESME_RINVDSTADR
    payload = pdu.tlv(TAG_MESSAGE_PAYLOAD)
    if payload is None:
        return CommandStatus.ESME_RMISSINGOPTPARAM
    return read_as(pdu, SubmitSm)
