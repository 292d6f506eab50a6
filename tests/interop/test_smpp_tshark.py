"""Wireshark's dissector judges every kind of PDU we write: none malformed, none warned about, fields as we meant.

It needs tshark and text2pcap (apt-get install tshark); peers.py says what an absent one means. All PDUs go
through one call of tshark. No expectation about our decoder may enter.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.smpp import pdus as p
from gateway.smpp.codec import encode_pdu
from gateway.smpp.fields import LAYOUTS, MESSAGE_PAYLOAD, TLVS, CString, Layout, Octet, SmLength, Tlv
from tests.interop.peers import need_program

WARNING = 0x600000  # Wireshark: expert severity "warn"
MESSAGE_TEXT = b"Passerelle"
# The judge's own faults (Wireshark 4.0.17): TLVs it reads wrongly, so it is not asked about them.
JUDGE_FAULTS = {
    0x0604: "broadcast_rep_num: reads two octets (v5.0 4.8.4.10) and advances by one",
}
# broadcast_rep_num, the fourth mandatory one, is among the judge's faults
BROADCAST_TLVS = ((0x0606, b"\x00name"), (0x0601, b"\x00\x00\x01"), (0x0605, b"\x08\x00\x05"))


def sample(layout: Layout) -> p.Pdu:
    """A PDU of this type with every field filled."""
    values: dict[str, object] = {}
    for field in layout.fields:
        match field:
            case Octet():
                values[field.name] = 1
            case CString(name="final_date" | "schedule_delivery_time" | "validity_period"):
                values[field.name] = "261121043000000+"
            case CString():
                values[field.name] = "1234"
            case SmLength():
                values[field.name] = MESSAGE_TEXT
            case _ if field.name == "dest_address":
                values[field.name] = (p.SmeAddress(1, 1, "22997000000"), p.DistributionList("all"))
            case _:
                values[field.name] = (p.UnsuccessSme(1, 1, "22997000000", 0x0B),)
    pdu = layout.pdu(sequence_number=layout.pdu.command_id & 0xFFFF, **values)
    if layout.pdu is p.BroadcastSm:
        pdu.tlvs = BROADCAST_TLVS
    if layout.pdu is p.DataSm:
        pdu.tlvs = ((0x0424, MESSAGE_TEXT),)
    if layout.pdu is p.GenericNack:
        pdu.command_status = 0x03
    return pdu


def with_tlv(tlv: Tlv) -> p.Pdu:
    """A PDU that may carry this TLV, with it, at its shortest sensible length."""
    carrier = sorted(tlv.on, key=lambda pdu_type: pdu_type.command_id)[0]
    pdu = sample(LAYOUTS[carrier.command_id])
    if isinstance(pdu, p.ShortMessage) and tlv.tag == MESSAGE_PAYLOAD:
        pdu.short_message = b""  # both are warned about, rightly (v3.4 5.3.2.32)
    length = max(tlv.min_octets, min(tlv.max_octets, 1))
    value = b"1" * (length - 1) + b"\0" if length > 1 else b"\x01" * length
    pdu.tlvs = (*pdu.tlvs, (tlv.tag, value))
    return pdu


@pytest.fixture(scope="module")
def tools() -> None:
    for tool in ("tshark", "text2pcap"):
        need_program(tool)


def dissect(frames: list[bytes], folder: Path, *options: str) -> list[str]:
    """The lines tshark prints for frames, each in its own TCP segment to port 2775."""
    dump = folder / "frames.txt"
    dump.write_text("\n".join("000000 " + frame.hex(" ") for frame in frames) + "\n")
    capture = folder / "frames.pcap"
    subprocess.run(["text2pcap", "-q", "-T", "40000,2775", str(dump), str(capture)], check=True, capture_output=True)
    found = subprocess.run(
        ["tshark", "-r", str(capture), *options], check=True, capture_output=True, text=True, timeout=60
    )
    return found.stdout.splitlines()


@pytest.mark.usefixtures("tools")
def test_tshark_finds_no_malformed_frame_among_all_pdus_and_tlvs(tmp_path: Path) -> None:
    pdus = [sample(layout) for layout in LAYOUTS.values()]
    pdus += [p.SubmitSmResp(1, 0x58), p.BindTransceiverResp(1, 0x0D), p.DeliverSmResp(1, 0x64)]
    pdus += [p.SubmitSmResp(1, 0x58, ((0x0428, b"\x63"),)), p.EnquireLink(0x7FFFFFFF)]
    pdus += [with_tlv(tlv) for tlv in TLVS.values() if tlv.tag not in JUDGE_FAULTS]
    lines = dissect(
        [encode_pdu(pdu) for pdu in pdus],
        tmp_path,
        *("-T", "fields", "-E", "separator=|", "-e", "smpp.command_id", "-e", "smpp.command_status"),
        *("-e", "smpp.sequence_number", "-e", "_ws.malformed", "-e", "_ws.expert.severity"),
    )
    assert len(lines) == len(pdus)
    complaints = []
    for pdu, line in zip(pdus, lines, strict=True):
        *header, malformed, severities = line.split("|")
        if malformed or any(int(severity) >= WARNING for severity in severities.split(",") if severity):
            complaints.append((pdu, line))
        assert [int(number or "0", 0) for number in header] == [
            pdu.command_id,
            pdu.command_status,
            pdu.sequence_number,
        ]
    assert complaints == []


@pytest.mark.usefixtures("tools")
def test_tshark_reads_the_fields_of_a_submit_sm_as_we_meant_them(tmp_path: Path) -> None:
    submit = p.SubmitSm(
        sequence_number=5,
        source_addr_ton=5,
        source_addr="Passerelle",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="22997000000",
        registered_delivery=1,
        data_coding=8,
        short_message=b"\x00a\x00b",
        tlvs=((0x0204, b"\x01\x02"),),
    )
    names = ("source_addr", "destination_addr", "source_addr_ton", "dest_addr_npi", "data_coding", "sm_length")
    (line,) = dissect(
        [encode_pdu(submit)],
        tmp_path,
        *("-T", "fields", "-E", "separator=|"),
        *(option for name in names for option in ("-e", f"smpp.{name}")),
    )
    source, destination, ton, npi, coding, length = line.split("|")
    assert (source, destination) == ("Passerelle", "22997000000")
    assert [int(number, 0) for number in (ton, npi, coding, length)] == [5, 1, 8, 4]
