"""Known octets: each vector is written by hand from its paragraph, not by our encoder.

SMPP v3.4 section 3.2.1 and 4, v5.0 section 4.4. Spaces separate fields.
No generated octets may enter.
"""

from __future__ import annotations

import pytest

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu

VECTORS: list[tuple[str, str, p.Pdu]] = [
    (
        "v3.4 3.2.2: the specification's own example of a bind_transmitter",
        "0000002F 00000002 00000000 00000001 534D50503354455354 00 7365637265743038 00 5355424D495431 00 00 01 01 00",
        p.BindTransmitter(
            sequence_number=1,
            system_id="SMPP3TEST",
            password="secret08",
            system_type="SUBMIT1",
            interface_version=0,
            addr_ton=1,
            addr_npi=1,
        ),
    ),
    (
        "v3.4 4.1.6 with sc_interface_version (5.3.2.25)",
        "0000001B 80000009 00000000 00000007 536D736331 00 0210 0001 34",
        p.BindTransceiverResp(sequence_number=7, system_id="Smsc1", tlvs=((0x0210, b"\x34"),)),
    ),
    (
        "v3.4 4.4.1: submit_sm, alphanumeric sender, receipt asked for",
        "00000037 00000004 00000000 0000002A 00 05 00 4142 00 01 01 3232393937303030303030 00 "
        "00 00 00 00 00 01 00 00 00 05 48656C6C6F 0424 0000",
        p.SubmitSm(
            sequence_number=42,
            source_addr_ton=5,
            source_addr="AB",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="22997000000",
            registered_delivery=1,
            short_message=b"Hello",
            tlvs=((0x0424, b""),),
        ),
    ),
    (
        "v3.4 4.4.2: submit_sm_resp",
        "00000014 80000004 00000000 0000002A 313233 00",
        p.SubmitSmResp(42, message_id="123"),
    ),
    (
        "v3.4 4.4.2: a refusal has no body",
        "00000010 80000004 00000058 0000002A",
        p.SubmitSmResp(sequence_number=42, command_status=0x58),
    ),
    ("v3.4 4.6.2: deliver_sm_resp, message_id unused", "00000011 80000005 00000000 00000001 00", p.DeliverSmResp(1)),
    (
        "v3.4 4.5.1 and 4.5.1.1: one SME and one distribution list",
        "0000002C 00000021 00000000 00000003 00 00 00 00 02 01 01 01 3233 00 02 6C697374 00 "
        "00 00 00 00 00 00 00 00 00 01 78",
        p.SubmitMulti(
            sequence_number=3,
            dest_address=(p.SmeAddress(1, 1, "23"), p.DistributionList("list")),
            short_message=b"x",
        ),
    ),
    (
        "v3.4 4.5.2.1: one destination refused",
        "0000001C 80000021 00000000 00000003 6D 00 01 01 01 3233 00 0000000B",
        p.SubmitMultiResp(sequence_number=3, message_id="m", unsuccess_sme=(p.UnsuccessSme(1, 1, "23", 0x0B),)),
    ),
    (
        "v3.4 4.8.2: query_sm_resp, delivered (5.2.28)",
        "00000026 80000003 00000000 00000009 6D31 00 32303131313231303131303030303030 00 02 00",
        p.QuerySmResp(sequence_number=9, message_id="m1", final_date="2011121011000000", message_state=2),
    ),
    ("v3.4 4.11.1: enquire_link", "00000010 00000015 00000000 00000005", p.EnquireLink(sequence_number=5)),
    (
        "v3.4 4.3.1: generic_nack of an unknown command",
        "00000010 80000000 00000003 00000005",
        p.GenericNack(sequence_number=5, command_status=3),
    ),
    (
        "v3.4 4.12.1: alert_notification",
        "0000001E 00000102 00000000 00000001 01 01 3233 00 00 00 65 00 0422 0001 00",
        p.AlertNotification(
            sequence_number=1,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="23",
            esme_addr="e",
            tlvs=((0x0422, b"\x00"),),
        ),
    ),
    (
        "v5.0 4.6.2.1: cancel_broadcast_sm",
        "00000016 00000113 00000000 00000002 00 6D 00 00 00 00",
        p.CancelBroadcastSm(sequence_number=2, message_id="m"),
    ),
]


@pytest.mark.parametrize(("paragraph", "octets", "pdu"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_known_octets_are_read_and_written(paragraph: str, octets: str, pdu: p.Pdu) -> None:
    wire = bytes.fromhex(octets)
    assert decode_pdu(wire) == pdu
    assert encode_pdu(pdu) == wire
