"""Encoding, decoding and blame: every PDU of the table, every malformation of the answers table.

SMPP v3.4 sections 3, 4 and 5.1.3. The compiled functions are held equal to the plain walk here.
Sessions and states must not enter.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_frame, decode_pdu, encode_pdu
from gateway.smpp.command_status import CommandStatus as Status
from gateway.smpp.compiled import DECODERS, ENCODERS
from gateway.smpp.errors import LocalProtocolError, PduUnacceptable, StreamCorrupt
from gateway.smpp.fields import LAYOUTS
from gateway.smpp.walk import HEADER, Refusal, read_pdu, write_pdu
from tests.gateway.smpp.pdu_strategies import ANY_PDU

ADDRESS = "00 00 00"  # TON, NPI, empty address
TAIL = "00 00 00 00 00 00 00 00 00"  # esm_class .. sm_default_msg_id, without sm_length
SUBMIT = f"00 {ADDRESS} {ADDRESS} {TAIL}"
LONG_21 = "31" * 21
BIND_END = "34 00 00 00"


def frame(command_id: int, body: str, command_status: int = 0) -> bytes:
    """A frame around a body in hexadecimal, sequence_number 7."""
    octets = bytes.fromhex(body)
    return HEADER.pack(16 + len(octets), command_id, command_status, 7) + octets


@given(ANY_PDU)
@settings(max_examples=400, deadline=None)
def test_what_is_encoded_decodes_to_the_same_pdu(pdu: p.Pdu) -> None:
    assert decode_pdu(encode_pdu(pdu)) == pdu


@given(ANY_PDU)
@settings(max_examples=200, deadline=None)
def test_compiled_encoders_write_what_the_walk_writes(pdu: p.Pdu) -> None:
    expected = write_pdu(LAYOUTS[pdu.command_id], pdu)
    assert encode_pdu(pdu) == expected
    if pdu.command_id in ENCODERS:
        assert ENCODERS[pdu.command_id](pdu) == expected


@given(ANY_PDU, st.data(), st.booleans())
@settings(max_examples=500, deadline=None)
def test_compiled_decoders_read_what_the_walk_reads_also_from_damaged_octets(
    pdu: p.Pdu, data: st.DataObject, tolerant: bool
) -> None:
    body = bytearray(encode_pdu(pdu)[16:])
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]
    octets = HEADER.pack(16 + len(body), pdu.command_id, pdu.command_status, 7) + bytes(body)
    try:
        expected: object = read_pdu(LAYOUTS[pdu.command_id], octets, 7, pdu.command_status, tolerant)
    except Refusal as refusal:
        expected = PduUnacceptable(pdu.command_id, 7, refusal.command_status, refusal.detail)
    assert decode_frame(octets, pdu.command_id, pdu.command_status, 7, tolerant) == expected


def test_only_pdus_with_lists_are_not_compiled() -> None:
    slow = {p.SubmitMulti.command_id, p.SubmitMultiResp.command_id}
    assert set(ENCODERS) == set(DECODERS) == set(LAYOUTS) - slow


MALFORMED: list[tuple[str, type[p.Pdu], str, Status]] = [
    ("truncated before service_type", p.SubmitSm, "", Status.ESME_RINVCMDLEN),
    ("truncated before esm_class", p.SubmitSm, f"00 {ADDRESS} {ADDRESS}", Status.ESME_RINVCMDLEN),
    ("truncated before sm_length", p.SubmitSm, SUBMIT, Status.ESME_RINVCMDLEN),
    ("service_type too long", p.SubmitSm, f"313131313131 00 {ADDRESS} {ADDRESS} {TAIL} 00", Status.ESME_RINVSERTYP),
    ("service_type without NUL", p.SubmitSm, "3131", Status.ESME_RINVSERTYP),
    ("source too long", p.SubmitSm, f"00 00 00 {LONG_21} 00 {ADDRESS} {TAIL} 00", Status.ESME_RINVSRCADR),
    ("source without NUL", p.SubmitSm, "00 00 00 3131", Status.ESME_RINVSRCADR),
    ("destination too long", p.SubmitSm, f"00 {ADDRESS} 00 00 {LONG_21} 00 {TAIL} 00", Status.ESME_RINVDSTADR),
    ("schedule too long", p.SubmitSm, f"00 {ADDRESS} {ADDRESS} 00 00 00 {'31' * 17} 00", Status.ESME_RINVSCHED),
    ("validity too long", p.SubmitSm, f"00 {ADDRESS} {ADDRESS} 00 00 00 00 {'31' * 17} 00", Status.ESME_RINVEXPIRY),
    ("sm_length beyond the octets", p.SubmitSm, f"{SUBMIT} 05 31", Status.ESME_RINVMSGLEN),
    ("sm_length 255", p.SubmitSm, f"{SUBMIT} FF {'31' * 255}", Status.ESME_RINVMSGLEN),
    ("stray octets", p.SubmitSm, f"{SUBMIT} 00 0000", Status.ESME_RINVOPTPARSTREAM),
    ("stray octet behind enquire_link", p.EnquireLink, "00", Status.ESME_RINVOPTPARSTREAM),
    ("TLV not allowed", p.SubmitSm, f"{SUBMIT} 00 0210 0001 34", Status.ESME_ROPTPARNOTALLWD),
    ("TLV of a receipt in a submit_sm", p.SubmitSm, f"{SUBMIT} 00 001E 0002 3100", Status.ESME_ROPTPARNOTALLWD),
    ("TLV beyond the end", p.SubmitSm, f"{SUBMIT} 00 0424 0005 31", Status.ESME_RINVPARLEN),
    ("TLV of the wrong length", p.SubmitSm, f"{SUBMIT} 00 020C 0001 31", Status.ESME_RINVPARLEN),
    ("TLV with a reserved value", p.SubmitSm, f"{SUBMIT} 00 0201 0001 09", Status.ESME_RINVOPTPARAMVAL),
    ("data_sm without payload", p.DataSm, f"00 {ADDRESS} {ADDRESS} 00 00 00", Status.ESME_RMISSINGOPTPARAM),
    ("broadcast_sm without area", p.BroadcastSm, f"00 {ADDRESS} 00 {'00' * 6}", Status.ESME_RMISSINGOPTPARAM),
    ("system_id of 16", p.BindTransmitter, f"{'31' * 16} 00 00 00 {BIND_END}", Status.ESME_RINVSYSID),
    ("password of 9", p.BindTransceiver, f"31 00 {'31' * 9} 00 00 {BIND_END}", Status.ESME_RINVPASWD),
    ("system_type of 13", p.BindReceiver, f"31 00 00 {'31' * 13} 00 {BIND_END}", Status.ESME_RINVSYSTYP),
    ("no destinations", p.SubmitMulti, f"00 {ADDRESS} 00 {TAIL} 00", Status.ESME_RINVNUMDESTS),
    ("255 destinations", p.SubmitMulti, f"00 {ADDRESS} FF {'01000000' * 255} {TAIL} 00", Status.ESME_RINVNUMDESTS),
    ("dest_flag 3", p.SubmitMulti, f"00 {ADDRESS} 01 03 {ADDRESS} {TAIL} 00", Status.ESME_RINVDESTFLAG),
    ("dl_name too long", p.SubmitMulti, f"00 {ADDRESS} 01 02 {LONG_21} 00 {TAIL} 00", Status.ESME_RINVDLNAME),
    ("message_id too long", p.QuerySm, f"{'31' * 65} 00 {ADDRESS}", Status.ESME_RINVMSGID),
    ("final_date missing in a success", p.QuerySmResp, "3100", Status.ESME_RINVCMDLEN),
]


@pytest.mark.parametrize(("what", "pdu", "body", "status"), MALFORMED, ids=[case[0] for case in MALFORMED])
def test_a_malformed_body_is_blamed_by_its_own_status(what: str, pdu: type[p.Pdu], body: str, status: Status) -> None:
    refused = decode_pdu(frame(pdu.command_id, body))
    assert isinstance(refused, PduUnacceptable)
    assert (refused.command_id, refused.sequence_number, refused.command_status) == (pdu.command_id, 7, status)


def test_an_unknown_command_is_unacceptable_with_0x03() -> None:
    refused = decode_pdu(frame(0x0000_0099, "0102"))
    assert isinstance(refused, PduUnacceptable)
    assert refused.command_status == Status.ESME_RINVCMDID


@pytest.mark.parametrize("octets", [b"", bytes(15), HEADER.pack(17, 0x15, 0, 1), HEADER.pack(15, 0x15, 0, 1)])
def test_what_is_not_one_frame_is_a_corrupt_stream(octets: bytes) -> None:
    with pytest.raises(StreamCorrupt):
        decode_pdu(octets)


def test_an_unknown_tlv_is_kept_and_not_blamed() -> None:
    pdu = decode_pdu(frame(p.SubmitSm.command_id, f"{SUBMIT} 00 1401 0002 ABCD"))
    assert isinstance(pdu, p.SubmitSm)
    assert pdu.tlvs == ((0x1401, b"\xab\xcd"),)


def test_a_carrier_may_put_known_tlvs_where_the_table_does_not_allow_them() -> None:
    octets = frame(p.DeliverSm.command_id, f"{SUBMIT} 00 0421 0002 0001")
    assert isinstance(decode_pdu(octets), PduUnacceptable)
    assert isinstance(decode_pdu(octets, tolerant=True), p.DeliverSm)


def test_a_data_sm_receipt_without_payload_is_read_from_a_carrier() -> None:
    octets = frame(p.DataSm.command_id, f"00 {ADDRESS} {ADDRESS} 04 00 00 001E 0002 3100")
    assert isinstance(decode_pdu(octets, tolerant=True), p.DataSm)


# What peers answer in practice, and what it is read as.
GENEROUS: list[tuple[str, bytes, p.Pdu]] = [
    ("deliver_sm_resp as a bare header", frame(0x80000005, ""), p.DeliverSmResp(7)),
    ("deliver_sm_resp of one octet", frame(0x80000005, "00"), p.DeliverSmResp(7)),
    ("submit_sm_resp success as a bare header", frame(0x80000004, ""), p.SubmitSmResp(7)),
    ("a refusal with the body of a success", frame(0x80000004, "00", 8), p.SubmitSmResp(7, 8)),
    ("a refusal with a nonsense body", frame(0x80000003, "313233", 0x67), p.QuerySmResp(7, 0x67)),
    ("message_id without NUL", frame(0x80000004, "313233"), p.SubmitSmResp(7, message_id="123")),
    ("message_id over 64 octets", frame(0x80000004, "31" * 70 + "00"), p.SubmitSmResp(7, message_id="1" * 70)),
    ("stray octets behind a success", frame(0x80000004, "3100 0000"), p.SubmitSmResp(7, message_id="1")),
    ("a TLV that ends too early", frame(0x80000004, "3100 0428 0009 01"), p.SubmitSmResp(7, message_id="1")),
    ("enquire_link_resp with a body", frame(0x80000015, "00"), p.EnquireLinkResp(7)),
]


@pytest.mark.parametrize(("what", "octets", "pdu"), GENEROUS, ids=[case[0] for case in GENEROUS])
def test_answers_are_read_generously(what: str, octets: bytes, pdu: p.Pdu) -> None:
    assert decode_pdu(octets) == pdu


def test_a_refusal_is_a_bare_header_unless_it_carries_tlvs() -> None:
    assert len(encode_pdu(p.SubmitSmResp(command_status=8, message_id="x"))) == 16
    with_tlv = p.SubmitSmResp(command_status=0x58, tlvs=((0x0428, b"\x64"),))
    assert decode_pdu(encode_pdu(with_tlv)) == with_tlv


def test_a_refused_deliver_sm_keeps_its_empty_message_id() -> None:
    assert encode_pdu(p.DeliverSmResp(command_status=0x64))[16:] == b"\0"


UNFIT: list[tuple[str, p.Pdu]] = [
    ("service_type", p.SubmitSm(service_type="123456")),
    ("source_addr", p.SubmitSm(source_addr="a\0b")),
    ("destination_addr", p.SubmitSm(destination_addr="\u20ac")),
    ("esm_class", p.SubmitSm(esm_class=256)),
    ("data_coding", p.SubmitSm(data_coding=-1)),
    ("short_message", p.SubmitSm(short_message=bytes(255))),
    ("sequence_number", p.EnquireLink(sequence_number=-1)),
    ("command_status", p.SubmitSmResp(command_status=1 << 32)),
    ("dest_address", p.SubmitMulti()),
    ("dest_address", p.SubmitMulti(dest_address=(p.DistributionList("l"),) * 255)),
    ("dl_name", p.SubmitMulti(dest_address=(p.DistributionList("l" * 21),))),
    ("error_status_code", p.SubmitMultiResp(unsuccess_sme=(p.UnsuccessSme(error_status_code=-1),))),
    ("TLV 0x10000", p.SubmitSm(tlvs=((0x10000, b""),))),
    ("TLV 0x424", p.SubmitSm(tlvs=((0x0424, bytes(65536)),))),
]


@pytest.mark.parametrize(("named", "pdu"), UNFIT, ids=[case[0] for case in UNFIT])
def test_a_value_that_does_not_fit_is_our_error_and_names_the_field(named: str, pdu: p.Pdu) -> None:
    with pytest.raises(LocalProtocolError, match=named):
        encode_pdu(pdu)


def test_a_bare_pdu_is_not_encoded() -> None:
    with pytest.raises(LocalProtocolError):
        encode_pdu(p.Pdu())


def test_the_longest_payload_fits_the_default_limit() -> None:
    pdu = p.SubmitSm(tlvs=((0x0424, bytes(65535)),))
    assert len(encode_pdu(pdu)) < 70_000
    assert decode_pdu(encode_pdu(pdu)) == pdu
