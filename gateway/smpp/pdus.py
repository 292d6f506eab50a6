"""One value type per PDU, with the specification's field names and command_ids.

SMPP v3.4 section 4 and v5.0 section 4. C-octet strings are `str` (latin-1, without their NUL), short_message is bytes;
lengths and counts (sm_length, number_of_dests, no_unsuccess) are not stored: the encoder derives them.
How a field looks on the wire must not enter (fields.py), nor when a PDU is permitted (session_states.py).
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec

RESPONSE_BIT = 0x80000000  # v3.4 5.1.2.1: a response's command_id is its request's with the top bit set


class Pdu(msgspec.Struct, gc=False):
    """What every PDU has: header fields and TLVs.

    sequence_number: 1..0x7FFFFFFF as sent by us; assigned by Session.request and Session.respond.
    tlvs: (tag, value octets) in wire order; unknown tags are kept.
    Construct with keyword arguments only: the positional order serves the generated decoder.
    """

    command_id: ClassVar[int] = 0

    sequence_number: int = 0
    command_status: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def tlv(self, tag: int) -> bytes | None:
        """The value of the first TLV with this tag, or None."""
        for present, value in self.tlvs:
            if present == tag:
                return value
        return None


class SmeAddress(msgspec.Struct, frozen=True, gc=False):
    """One SME destination of submit_multi or broadcast (dest_flag 1, v3.4 4.5.1.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class DistributionList(msgspec.Struct, frozen=True, gc=False):
    """One distribution list of submit_multi (dest_flag 2, v3.4 4.5.1.2)."""

    dl_name: str = ""


class UnsuccessSme(msgspec.Struct, frozen=True, gc=False):
    """One refused destination in submit_multi_resp (v3.4 4.5.2.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    error_status_code: int = 0


# --- session management (v3.4 4.1, 4.2, 4.11, 4.12) ---------------------------------------------------------------


class Bind(Pdu, gc=False):
    """The body that the three bind requests share; the password is in clear, and never in a repr."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(system_id={self.system_id!r}, interface_version=0x{self.interface_version:02X})"


class BindReceiver(Bind, gc=False):
    """bind_receiver (v3.4 4.1.3): the ESME asks to receive."""

    command_id: ClassVar[int] = 0x00000001


class BindTransmitter(Bind, gc=False):
    """bind_transmitter (v3.4 4.1.1): the ESME asks to send."""

    command_id: ClassVar[int] = 0x00000002


class BindTransceiver(Bind, gc=False):
    """bind_transceiver (v3.4 4.1.5): the ESME asks to send and receive."""

    command_id: ClassVar[int] = 0x00000009


class BindResp(Pdu, gc=False):
    """The body that the three bind answers share; a refusal is sent without body."""

    system_id: str = ""


class BindReceiverResp(BindResp, gc=False):
    """bind_receiver_resp (v3.4 4.1.4)."""

    command_id: ClassVar[int] = 0x80000001


class BindTransmitterResp(BindResp, gc=False):
    """bind_transmitter_resp (v3.4 4.1.2)."""

    command_id: ClassVar[int] = 0x80000002


class BindTransceiverResp(BindResp, gc=False):
    """bind_transceiver_resp (v3.4 4.1.6)."""

    command_id: ClassVar[int] = 0x80000009


class Outbind(Pdu, gc=False):
    """outbind (v3.4 4.1.7): the SMSC asks a listening ESME to bind; it has no answer of its own."""

    command_id: ClassVar[int] = 0x0000000B

    system_id: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Outbind(system_id={self.system_id!r})"


class Unbind(Pdu, gc=False):
    """unbind (v3.4 4.2.1)."""

    command_id: ClassVar[int] = 0x00000006


class UnbindResp(Pdu, gc=False):
    """unbind_resp (v3.4 4.2.2)."""

    command_id: ClassVar[int] = 0x80000006


class EnquireLink(Pdu, gc=False):
    """enquire_link (v3.4 4.11.1)."""

    command_id: ClassVar[int] = 0x00000015


class EnquireLinkResp(Pdu, gc=False):
    """enquire_link_resp (v3.4 4.11.2)."""

    command_id: ClassVar[int] = 0x80000015


class GenericNack(Pdu, gc=False):
    """generic_nack (v3.4 4.3): refuses what has no answer of its own."""

    command_id: ClassVar[int] = 0x80000000


class AlertNotification(Pdu, gc=False):
    """alert_notification (v3.4 4.12): a mobile became available; it has no answer."""

    command_id: ClassVar[int] = 0x00000102

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""


# --- messages (v3.4 4.4 to 4.7) -----------------------------------------------------------------------------------


class ShortMessage(Pdu, gc=False):
    """The body that submit_sm and deliver_sm share; short_message holds 0 to 254 octets, UDH included."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class SubmitSm(ShortMessage, gc=False):
    """submit_sm (v3.4 4.4.1)."""

    command_id: ClassVar[int] = 0x00000004


class DeliverSm(ShortMessage, gc=False):
    """deliver_sm (v3.4 4.6.1)."""

    command_id: ClassVar[int] = 0x00000005


class SubmitSmResp(Pdu, gc=False):
    """submit_sm_resp (v3.4 4.4.2); a refusal is sent without body."""

    command_id: ClassVar[int] = 0x80000004

    message_id: str = ""


class DeliverSmResp(Pdu, gc=False):
    """deliver_sm_resp (v3.4 4.6.2); message_id is unused and empty."""

    command_id: ClassVar[int] = 0x80000005

    message_id: str = ""


class DataSm(Pdu, gc=False):
    """data_sm (v3.4 4.7.1); the text is in the TLV message_payload."""

    command_id: ClassVar[int] = 0x00000103

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


class DataSmResp(Pdu, gc=False):
    """data_sm_resp (v3.4 4.7.2)."""

    command_id: ClassVar[int] = 0x80000103

    message_id: str = ""


Short = TypeVar("Short", bound=ShortMessage)

_SHARED_WITH_DATA_SM = (
    "sequence_number",
    "tlvs",
    "service_type",
    "source_addr_ton",
    "source_addr_npi",
    "source_addr",
    "dest_addr_ton",
    "dest_addr_npi",
    "destination_addr",
    "esm_class",
    "registered_delivery",
    "data_coding",
)


def read_as(pdu: DataSm, kind: type[Short]) -> Short:
    """The submit_sm or deliver_sm that a data_sm stands for (v3.4 4.7); its text stays in the message_payload TLV."""
    return kind(**{name: getattr(pdu, name) for name in _SHARED_WITH_DATA_SM})


class SubmitMulti(Pdu, gc=False):
    """submit_multi (v3.4 4.5.1); dest_address holds 1 to 254 destinations."""

    command_id: ClassVar[int] = 0x00000021

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_address: tuple[SmeAddress | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class SubmitMultiResp(Pdu, gc=False):
    """submit_multi_resp (v3.4 4.5.2); unsuccess_sme names the destinations that were refused."""

    command_id: ClassVar[int] = 0x80000021

    message_id: str = ""
    unsuccess_sme: tuple[UnsuccessSme, ...] = ()


# --- operations on a stored message (v3.4 4.8 to 4.10) ------------------------------------------------------------


class QuerySm(Pdu, gc=False):
    """query_sm (v3.4 4.8.1)."""

    command_id: ClassVar[int] = 0x00000003

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class QuerySmResp(Pdu, gc=False):
    """query_sm_resp (v3.4 4.8.2)."""

    command_id: ClassVar[int] = 0x80000003

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class CancelSm(Pdu, gc=False):
    """cancel_sm (v3.4 4.9.1)."""

    command_id: ClassVar[int] = 0x00000008

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class CancelSmResp(Pdu, gc=False):
    """cancel_sm_resp (v3.4 4.9.2)."""

    command_id: ClassVar[int] = 0x80000008


class ReplaceSm(Pdu, gc=False):
    """replace_sm (v3.4 4.10.1)."""

    command_id: ClassVar[int] = 0x00000007

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class ReplaceSmResp(Pdu, gc=False):
    """replace_sm_resp (v3.4 4.10.2)."""

    command_id: ClassVar[int] = 0x80000007


# --- cell broadcast (v5.0 4.4 to 4.6) -----------------------------------------------------------------------------


class BroadcastSm(Pdu, gc=False):
    """broadcast_sm (v5.0 4.4.1); area, content type, repetition and frequency are mandatory TLVs."""

    command_id: ClassVar[int] = 0x00000111

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    message_id: str = ""
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0


class BroadcastSmResp(Pdu, gc=False):
    """broadcast_sm_resp (v5.0 4.4.2)."""

    command_id: ClassVar[int] = 0x80000111

    message_id: str = ""


class QueryBroadcastSm(Pdu, gc=False):
    """query_broadcast_sm (v5.0 4.6.1.1)."""

    command_id: ClassVar[int] = 0x00000112

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class QueryBroadcastSmResp(Pdu, gc=False):
    """query_broadcast_sm_resp (v5.0 4.6.1.3)."""

    command_id: ClassVar[int] = 0x80000112

    message_id: str = ""


class CancelBroadcastSm(Pdu, gc=False):
    """cancel_broadcast_sm (v5.0 4.6.2.1)."""

    command_id: ClassVar[int] = 0x00000113

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class CancelBroadcastSmResp(Pdu, gc=False):
    """cancel_broadcast_sm_resp (v5.0 4.6.2.3)."""

    command_id: ClassVar[int] = 0x80000113


REQUEST_AND_RESPONSE: tuple[tuple[type[Pdu], type[Pdu]], ...] = (
    (BindReceiver, BindReceiverResp),
    (BindTransmitter, BindTransmitterResp),
    (BindTransceiver, BindTransceiverResp),
    (Unbind, UnbindResp),
    (EnquireLink, EnquireLinkResp),
    (SubmitSm, SubmitSmResp),
    (DeliverSm, DeliverSmResp),
    (DataSm, DataSmResp),
    (SubmitMulti, SubmitMultiResp),
    (QuerySm, QuerySmResp),
    (CancelSm, CancelSmResp),
    (ReplaceSm, ReplaceSmResp),
    (BroadcastSm, BroadcastSmResp),
    (QueryBroadcastSm, QueryBroadcastSmResp),
    (CancelBroadcastSm, CancelBroadcastSmResp),
)
WITHOUT_RESPONSE: tuple[type[Pdu], ...] = (Outbind, AlertNotification, GenericNack)

RESPONSE_TYPES: dict[int, type[Pdu]] = {request.command_id: response for request, response in REQUEST_AND_RESPONSE}
PDU_TYPES: dict[int, type[Pdu]] = {
    pdu.command_id: pdu for pdu in (*(one for pair in REQUEST_AND_RESPONSE for one in pair), *WITHOUT_RESPONSE)
}


def response_to(request: Pdu, command_status: int = 0) -> Pdu:
    """An empty answer of the right type to a request, with the request's sequence_number.

    KeyError when the request's type has no answer (outbind, alert_notification, responses).
    """
    response = RESPONSE_TYPES[request.command_id]
    return response(sequence_number=request.sequence_number, command_status=command_status)
