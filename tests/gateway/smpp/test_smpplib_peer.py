"""smpplib, an independent implementation, reads what we write and writes what we read.

Only PDUs smpplib knows, with values in their limits: it cuts longer strings instead of refusing them.
No expectation of ours about octets may enter: test_vectors.py has those.
"""

from __future__ import annotations

from typing import Any

import pytest
import smpplib.consts
import smpplib.smpp

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.fields import LAYOUTS, CString, Octet, SmLength

MESSAGE = {
    "service_type": "CMT",
    "source_addr_ton": 5,
    "source_addr_npi": 1,
    "source_addr": "Passerelle",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "22997000000",
    "esm_class": 0x40,
    "protocol_id": 1,
    "priority_flag": 2,
    "schedule_delivery_time": "000001000000000R",
    "validity_period": "000002000000000R",
    "registered_delivery": 1,
    "replace_if_present_flag": 1,
    "data_coding": 8,
    "sm_default_msg_id": 3,
    "short_message": b"\x05\x00\x03\x01\x02\x01\x00a\x00b",
}
BIND = {
    "system_id": "esme",
    "password": "secret",
    "system_type": "test",
    "addr_ton": 1,
    "addr_npi": 1,
    "address_range": "^229",
}
BOTH_KNOW: list[tuple[str, p.Pdu]] = [
    ("bind_transmitter", p.BindTransmitter(**BIND)),  # type: ignore[arg-type]
    ("bind_receiver", p.BindReceiver(**BIND)),  # type: ignore[arg-type]
    ("bind_transceiver", p.BindTransceiver(**BIND)),  # type: ignore[arg-type]
    ("bind_transceiver_resp", p.BindTransceiverResp(system_id="smsc")),
    ("submit_sm", p.SubmitSm(**MESSAGE)),  # type: ignore[arg-type]
    ("deliver_sm", p.DeliverSm(**MESSAGE)),  # type: ignore[arg-type]
    ("submit_sm_resp", p.SubmitSmResp(message_id="0123456789abcdef")),
    ("deliver_sm_resp", p.DeliverSmResp()),
    ("query_sm", p.QuerySm(message_id="m", source_addr_ton=1, source_addr_npi=1, source_addr="229")),
    ("query_sm_resp", p.QuerySmResp(message_id="m", final_date="2011121011000000", message_state=2, error_code=9)),
    ("unbind", p.Unbind()),
    ("unbind_resp", p.UnbindResp()),
    ("enquire_link", p.EnquireLink()),
    ("enquire_link_resp", p.EnquireLinkResp()),
    ("generic_nack", p.GenericNack(command_status=3)),
]
IDS = [name for name, _ in BOTH_KNOW]


class Numbering:
    """What smpplib asks of its client."""

    sequence = 77

    def next_sequence(self) -> int:
        return self.sequence


@pytest.mark.parametrize(("name", "pdu"), BOTH_KNOW, ids=IDS)
def test_smpplib_reads_what_we_write(name: str, pdu: p.Pdu) -> None:
    pdu.sequence_number = 77
    theirs: Any = smpplib.smpp.parse_pdu(encode_pdu(pdu), client=Numbering(), allow_unknown_opt_params=True)
    assert (theirs.command, theirs.status, theirs.sequence) == (name, pdu.command_status, 77)
    for field in LAYOUTS[pdu.command_id].fields:
        expected = getattr(pdu, field.name)
        found = getattr(theirs, field.name)
        match field:
            case CString():
                assert found == expected.encode("latin-1")
            case Octet() | SmLength():
                assert found == expected


@pytest.mark.parametrize(("name", "pdu"), BOTH_KNOW, ids=IDS)
def test_we_read_what_smpplib_writes(name: str, pdu: p.Pdu) -> None:
    pdu.sequence_number = 77
    theirs: Any = smpplib.smpp.make_pdu(name, client=Numbering(), status=pdu.command_status)
    theirs.sequence = 77
    theirs.status = pdu.command_status
    for field in LAYOUTS[pdu.command_id].fields:
        setattr(theirs, field.name, getattr(pdu, field.name))
    if isinstance(pdu, p.ShortMessage):
        theirs.sm_length = len(pdu.short_message)
    assert decode_pdu(theirs.generate()) == pdu


def test_smpplib_writes_a_payload_tlv_that_we_read() -> None:
    theirs: Any = smpplib.smpp.make_pdu("submit_sm", client=Numbering(), message_payload=b"long text")
    pdu = decode_pdu(theirs.generate())
    assert isinstance(pdu, p.SubmitSm)
    assert pdu.tlv(smpplib.consts.OPTIONAL_PARAMS["message_payload"]) == b"long text"
