"""The one table of fields: how every PDU's body and every TLV looks on the wire.

SMPP v3.4 sections 4 (bodies) and 5.3 (TLVs), v5.0 sections 4.1 to 4.6 and 4.8. Encoder, decoder and their compiled
forms all walk this table; the refusal beside a field is the status that answers a malformed one.
No function that reads or writes octets may enter (walk.py, compiled.py).
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gateway.smpp import pdus as p
from gateway.smpp.command_status import CommandStatus as Status

MAX_SHORT_MESSAGE = 254  # v3.4 5.2.21: sm_length 0 to 254; longer texts travel in message_payload
MAX_DESTINATIONS = 254  # v3.4 5.2.24
DEST_FLAG_SME = 1  # v3.4 5.2.25
DEST_FLAG_LIST = 2


class Octet(msgspec.Struct, frozen=True):
    """An unsigned integer of one octet: all fixed integers of PDU bodies are."""

    name: str


class CString(msgspec.Struct, frozen=True):
    """A C-octet string of at most max_octets, NUL included; refusal answers one without NUL or too long."""

    name: str
    max_octets: int
    refusal: Status


class SmLength(msgspec.Struct, frozen=True):
    """sm_length and the octets it counts; always the last field of its body."""

    name: str = "short_message"


class Destinations(msgspec.Struct, frozen=True):
    """number_of_dests and as many addresses or list names, each behind its dest_flag."""

    name: str = "dest_address"


class UnsuccessSmes(msgspec.Struct, frozen=True):
    """no_unsuccess and as many addresses, each with its error_status_code of four octets."""

    name: str = "unsuccess_sme"


Field: TypeAlias = Octet | CString | SmLength | Destinations | UnsuccessSmes


class Layout(msgspec.Struct, frozen=True):
    """The body of one PDU.

    refused_without_body: sent as a bare header when command_status is an error and there are no TLVs.
    readable_without_body: a bare header is also read as a success with empty fields (peers send it).
    mandatory_tlvs: tags whose absence is refused with 0xC3 (where TLVs are checked at all).
    """

    pdu: type[p.Pdu]
    fields: tuple[Field, ...] = ()
    refused_without_body: bool = False
    readable_without_body: bool = False
    mandatory_tlvs: tuple[int, ...] = ()


def _address(prefix: str, name: str, max_octets: int, refusal: Status) -> tuple[Field, ...]:
    return (Octet(f"{prefix}_ton"), Octet(f"{prefix}_npi"), CString(name, max_octets, refusal))


# Sizes: v3.4 5.2; addresses are 21 octets, except 65 in data_sm and alert_notification (4.7.1, 4.12.1).
_SERVICE_TYPE = CString("service_type", 6, Status.ESME_RINVSERTYP)
_MESSAGE_ID = CString("message_id", 65, Status.ESME_RINVMSGID)
_SYSTEM_ID = CString("system_id", 16, Status.ESME_RINVSYSID)
_PASSWORD = CString("password", 9, Status.ESME_RINVPASWD)
_SOURCE = _address("source_addr", "source_addr", 21, Status.ESME_RINVSRCADR)
_DESTINATION = _address("dest_addr", "destination_addr", 21, Status.ESME_RINVDSTADR)
_SCHEDULE = CString("schedule_delivery_time", 17, Status.ESME_RINVSCHED)
_VALIDITY = CString("validity_period", 17, Status.ESME_RINVEXPIRY)

SME_ADDRESS_FIELDS = _DESTINATION
LIST_NAME_FIELD = CString("dl_name", 21, Status.ESME_RINVDLNAME)

_BIND: tuple[Field, ...] = (
    _SYSTEM_ID,
    _PASSWORD,
    CString("system_type", 13, Status.ESME_RINVSYSTYP),
    Octet("interface_version"),
    *_address("addr", "address_range", 41, Status.ESME_RBINDFAIL),
)
_BEHIND_ADDRESSES: tuple[Field, ...] = (
    Octet("esm_class"),
    Octet("protocol_id"),
    Octet("priority_flag"),
    _SCHEDULE,
    _VALIDITY,
    Octet("registered_delivery"),
    Octet("replace_if_present_flag"),
    Octet("data_coding"),
    Octet("sm_default_msg_id"),
    SmLength(),
)
_SHORT_MESSAGE: tuple[Field, ...] = (_SERVICE_TYPE, *_SOURCE, *_DESTINATION, *_BEHIND_ADDRESSES)


def _answer(pdu: type[p.Pdu], *fields: Field, bare_refusal: bool = True) -> Layout:
    return Layout(pdu, fields, refused_without_body=bare_refusal, readable_without_body=True)


_LAYOUTS: tuple[Layout, ...] = (
    Layout(p.BindReceiver, _BIND),
    Layout(p.BindTransmitter, _BIND),
    Layout(p.BindTransceiver, _BIND),
    _answer(p.BindReceiverResp, _SYSTEM_ID),
    _answer(p.BindTransmitterResp, _SYSTEM_ID),
    _answer(p.BindTransceiverResp, _SYSTEM_ID),
    Layout(p.Outbind, (_SYSTEM_ID, _PASSWORD)),
    Layout(p.Unbind),
    Layout(p.UnbindResp),
    Layout(p.EnquireLink),
    Layout(p.EnquireLinkResp),
    Layout(p.GenericNack),
    Layout(
        p.AlertNotification,
        (
            *_address("source_addr", "source_addr", 65, Status.ESME_RINVSRCADR),
            *_address("esme_addr", "esme_addr", 65, Status.ESME_RINVDSTADR),
        ),
    ),
    Layout(p.SubmitSm, _SHORT_MESSAGE),
    Layout(p.DeliverSm, _SHORT_MESSAGE),
    _answer(p.SubmitSmResp, _MESSAGE_ID),
    _answer(p.DeliverSmResp, _MESSAGE_ID, bare_refusal=False),
    Layout(
        p.DataSm,
        (
            _SERVICE_TYPE,
            *_address("source_addr", "source_addr", 65, Status.ESME_RINVSRCADR),
            *_address("dest_addr", "destination_addr", 65, Status.ESME_RINVDSTADR),
            Octet("esm_class"),
            Octet("registered_delivery"),
            Octet("data_coding"),
        ),
        mandatory_tlvs=(0x0424,),
    ),
    _answer(p.DataSmResp, _MESSAGE_ID, bare_refusal=False),
    Layout(p.SubmitMulti, (_SERVICE_TYPE, *_SOURCE, Destinations(), *_BEHIND_ADDRESSES)),
    Layout(p.SubmitMultiResp, (_MESSAGE_ID, UnsuccessSmes()), refused_without_body=True),
    Layout(p.QuerySm, (_MESSAGE_ID, *_SOURCE)),
    Layout(
        p.QuerySmResp,
        (
            _MESSAGE_ID,
            CString("final_date", 17, Status.ESME_RUNKNOWNERR),
            Octet("message_state"),
            Octet("error_code"),
        ),
        refused_without_body=True,
    ),
    Layout(p.CancelSm, (_SERVICE_TYPE, _MESSAGE_ID, *_SOURCE, *_DESTINATION)),
    Layout(p.CancelSmResp),
    Layout(
        p.ReplaceSm,
        (
            _MESSAGE_ID,
            *_SOURCE,
            _SCHEDULE,
            _VALIDITY,
            Octet("registered_delivery"),
            Octet("sm_default_msg_id"),
            SmLength(),
        ),
    ),
    Layout(p.ReplaceSmResp),
    Layout(
        p.BroadcastSm,
        (
            _SERVICE_TYPE,
            *_SOURCE,
            _MESSAGE_ID,
            Octet("priority_flag"),
            _SCHEDULE,
            _VALIDITY,
            Octet("replace_if_present_flag"),
            Octet("data_coding"),
            Octet("sm_default_msg_id"),
        ),
        mandatory_tlvs=(0x0606, 0x0601, 0x0604, 0x0605),
    ),
    _answer(p.BroadcastSmResp, _MESSAGE_ID),
    Layout(p.QueryBroadcastSm, (_MESSAGE_ID, *_SOURCE)),
    Layout(p.QueryBroadcastSmResp, (_MESSAGE_ID,), refused_without_body=True),
    Layout(p.CancelBroadcastSm, (_SERVICE_TYPE, _MESSAGE_ID, *_SOURCE)),
    Layout(p.CancelBroadcastSmResp),
)

LAYOUTS: dict[int, Layout] = {layout.pdu.command_id: layout for layout in _LAYOUTS}


# --- TLVs (v3.4 5.3, v5.0 4.8.4) ------------------------------------------------------------------------------

_On: TypeAlias = frozenset[type[p.Pdu]]

_SUBMISSION: _On = frozenset((p.SubmitSm, p.SubmitMulti, p.DataSm))  # v5.0 4.2.4
_DELIVERY: _On = frozenset((p.DeliverSm, p.DataSm))  # v5.0 4.3.5
_BOTH_WAYS: _On = _SUBMISSION | _DELIVERY
_BROADCAST: _On = frozenset((p.BroadcastSm,))  # v5.0 4.4.3
_ANSWERS: _On = frozenset((p.SubmitSmResp, p.SubmitMultiResp, p.DeliverSmResp, p.DataSmResp, p.BroadcastSmResp))
_BIND_ANSWERS: _On = frozenset((p.BindReceiverResp, p.BindTransmitterResp, p.BindTransceiverResp))
_ALL_ANSWERS: _On = frozenset(response for _, response in p.REQUEST_AND_RESPONSE)
_REPLACE: _On = frozenset((p.ReplaceSm,))
_CANCEL_BROADCAST: _On = frozenset((p.CancelBroadcastSm,))
_QUERY_BROADCAST_RESP: _On = frozenset((p.QueryBroadcastSmResp,))
_REFERENCED: _On = frozenset((p.QueryBroadcastSm, p.QueryBroadcastSmResp, p.CancelBroadcastSm))


class Tlv(msgspec.Struct, frozen=True):
    """One TLV: allowed length of its value in octets, PDUs that may carry it, and its values when few are legal.

    values: for one-octet TLVs whose other values are reserved; None: any value.
    """

    tag: int
    name: str
    min_octets: int
    max_octets: int
    on: _On
    values: range | None = None


_TLVS: tuple[Tlv, ...] = (
    Tlv(0x0005, "dest_addr_subunit", 1, 1, _SUBMISSION | _BROADCAST, range(5)),
    Tlv(0x0006, "dest_network_type", 1, 1, _SUBMISSION, range(9)),
    Tlv(0x0007, "dest_bearer_type", 1, 1, _SUBMISSION, range(9)),
    Tlv(0x0008, "dest_telematics_id", 2, 2, _SUBMISSION),
    Tlv(0x000D, "source_addr_subunit", 1, 1, _BOTH_WAYS | _BROADCAST, range(5)),
    Tlv(0x000E, "source_network_type", 1, 1, _SUBMISSION, range(9)),
    Tlv(0x000F, "source_bearer_type", 1, 1, _SUBMISSION, range(9)),
    Tlv(0x0010, "source_telematics_id", 1, 1, _SUBMISSION),
    Tlv(0x0017, "qos_time_to_live", 4, 4, _SUBMISSION),
    Tlv(0x0019, "payload_type", 1, 1, _BOTH_WAYS | _BROADCAST),
    Tlv(0x001D, "additional_status_info_text", 1, 256, _ANSWERS),
    Tlv(0x001E, "receipted_message_id", 1, 65, _DELIVERY),
    Tlv(0x0030, "ms_msg_wait_facilities", 1, 1, _SUBMISSION),
    Tlv(0x0201, "privacy_indicator", 1, 1, _BOTH_WAYS | _BROADCAST, range(4)),
    Tlv(0x0202, "source_subaddress", 2, 23, _BOTH_WAYS | _BROADCAST),
    Tlv(0x0203, "dest_subaddress", 2, 23, _BOTH_WAYS),
    Tlv(0x0204, "user_message_reference", 2, 2, _BOTH_WAYS | _BROADCAST | _REFERENCED),
    Tlv(0x0205, "user_response_code", 1, 1, _BOTH_WAYS),
    Tlv(0x020A, "source_port", 2, 2, _BOTH_WAYS | _BROADCAST),
    Tlv(0x020B, "destination_port", 2, 2, _BOTH_WAYS | _BROADCAST),
    Tlv(0x020C, "sar_msg_ref_num", 2, 2, _BOTH_WAYS),
    Tlv(0x020D, "language_indicator", 1, 1, _BOTH_WAYS | _BROADCAST),
    Tlv(0x020E, "sar_total_segments", 1, 1, _BOTH_WAYS, range(1, 256)),
    Tlv(0x020F, "sar_segment_seqnum", 1, 1, _BOTH_WAYS, range(1, 256)),
    Tlv(0x0210, "sc_interface_version", 1, 1, _BIND_ANSWERS),
    Tlv(0x0302, "callback_num_pres_ind", 1, 1, _BOTH_WAYS | _BROADCAST),
    Tlv(0x0303, "callback_num_atag", 0, 65, _BOTH_WAYS | _BROADCAST),
    Tlv(0x0304, "number_of_messages", 1, 1, _SUBMISSION, range(100)),
    Tlv(0x0381, "callback_num", 4, 19, _BOTH_WAYS | _BROADCAST),
    Tlv(0x0420, "dpf_result", 1, 1, _ANSWERS | _DELIVERY, range(2)),
    Tlv(0x0421, "set_dpf", 1, 1, _SUBMISSION, range(2)),
    Tlv(0x0422, "ms_availability_status", 1, 1, frozenset((p.AlertNotification,)), range(3)),
    Tlv(0x0423, "network_error_code", 3, 3, _DELIVERY | _ANSWERS),
    Tlv(0x0424, "message_payload", 0, 65535, _BOTH_WAYS | _BROADCAST | _REPLACE),
    Tlv(0x0425, "delivery_failure_reason", 1, 1, _ANSWERS | _DELIVERY, range(4)),
    Tlv(0x0426, "more_messages_to_send", 1, 1, _SUBMISSION, range(2)),
    Tlv(0x0427, "message_state", 1, 1, _DELIVERY | _QUERY_BROADCAST_RESP, range(10)),
    Tlv(0x0428, "congestion_state", 1, 1, _ALL_ANSWERS, range(101)),
    Tlv(0x0501, "ussd_service_op", 1, 1, _BOTH_WAYS),
    Tlv(0x0600, "broadcast_channel_indicator", 1, 1, _BROADCAST, range(2)),
    Tlv(0x0601, "broadcast_content_type", 3, 3, _BROADCAST | _CANCEL_BROADCAST),
    Tlv(0x0602, "broadcast_content_type_info", 1, 255, _BROADCAST),
    Tlv(0x0603, "broadcast_message_class", 1, 1, _BROADCAST, range(4)),
    Tlv(0x0604, "broadcast_rep_num", 2, 2, _BROADCAST),
    Tlv(0x0605, "broadcast_frequency_interval", 3, 3, _BROADCAST),
    Tlv(0x0606, "broadcast_area_identifier", 1, 65535, _BROADCAST | _QUERY_BROADCAST_RESP),
    Tlv(0x0607, "broadcast_error_status", 4, 4, frozenset((p.BroadcastSmResp,))),
    Tlv(0x0608, "broadcast_area_success", 1, 1, _QUERY_BROADCAST_RESP),
    Tlv(0x0609, "broadcast_end_time", 16, 17, _QUERY_BROADCAST_RESP),
    Tlv(0x060A, "broadcast_service_group", 1, 255, _BROADCAST),
    Tlv(0x060B, "billing_identification", 1, 1024, _SUBMISSION),
    Tlv(0x060D, "source_network_id", 7, 65, _BOTH_WAYS),
    Tlv(0x060E, "dest_network_id", 7, 65, _BOTH_WAYS),
    Tlv(0x060F, "source_node_id", 6, 6, _BOTH_WAYS),
    Tlv(0x0610, "dest_node_id", 6, 6, _BOTH_WAYS),
    Tlv(0x0611, "dest_addr_np_resolution", 1, 1, _BOTH_WAYS, range(3)),
    Tlv(0x0612, "dest_addr_np_information", 10, 10, _BOTH_WAYS),
    Tlv(0x0613, "dest_addr_np_country", 1, 5, _BOTH_WAYS),
    Tlv(0x1201, "display_time", 1, 1, _SUBMISSION, range(3)),
    Tlv(0x1203, "sms_signal", 2, 2, _SUBMISSION | _BROADCAST),
    Tlv(0x1204, "ms_validity", 1, 4, _SUBMISSION | _BROADCAST),
    Tlv(0x130C, "alert_on_message_delivery", 0, 1, _SUBMISSION | _BROADCAST),
    Tlv(0x1380, "its_reply_type", 1, 1, _BOTH_WAYS, range(9)),
    Tlv(0x1383, "its_session_info", 2, 2, _BOTH_WAYS),
)

TLVS: dict[int, Tlv] = {tlv.tag: tlv for tlv in _TLVS}

SC_INTERFACE_VERSION = 0x0210
CONGESTION_STATE = 0x0428
MESSAGE_PAYLOAD = 0x0424
RECEIPTED_MESSAGE_ID = 0x001E
MESSAGE_STATE = 0x0427
