"""The corpus: small good examples of each target, from which fuzzing begins. Written by the encoders themselves.

What belongs here: a few inputs a target, known-answer ones where a standard prints them.
What must not enter: finds; each of those has a test beside the room it was found in.
"""

from __future__ import annotations

from typing import Final

from gateway.smpp import pdus as p
from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import PDU_TYPES

_TEXT = b"id:0123456789 sub:001 dlvrd:001 submit date:2611210800 done date:2611210801 stat:DELIVRD err:000 text:Bonjour"
_UDH = bytes.fromhex("050003a70201")


def _pdus() -> list[bytes]:
    made = []
    for kind in PDU_TYPES.values():
        each = kind(sequence_number=1)
        if isinstance(each, p.SubmitMulti):
            each.dest_address = (p.SmeAddress(1, 1, "22997"), p.DistributionList("all"))
        made.append(encode_pdu(each))
    tlvs = ((0x0424, _TEXT), (0x020C, b"\x00\x01"), (0x0427, b"\x02"), (0x1401, b"vendor"))
    submit = p.SubmitSm(
        sequence_number=2,
        source_addr_ton=5,
        source_addr="PASSERELLE",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="2290197000001",
        validity_period="000002000000000R",
        registered_delivery=1,
        short_message=_UDH + b"Bonjour",
        esm_class=0x40,
    )
    return [*made, encode_pdu(submit), encode_pdu(p.DeliverSm(sequence_number=3, esm_class=4, tlvs=tlvs))]


SEEDS: Final[dict[str, list[bytes]]] = {
    "pdu": _pdus(),
    "body": [bytes((number,)) + octets[16:] for number, octets in enumerate(_pdus())],
    "session": [bytes((selector, 5)) + octets for selector in range(8) for octets in _pdus()],
    "receipt": [
        b"\x04" + _TEXT,
        b"\x07\x0a0123456789\x01\x02\x03\x03\x00\x0b" + _TEXT,
        b"\x0c" + _TEXT.upper(),
        b"\x04id:DEADBEEF-0000-4000-8000-000000000000 stat:UNDELIV err:1F3",
    ],
    "udh": [_UDH, bytes.fromhex("060804a7f00201"), bytes.fromhex("0b05040b8423f00003a70201"), b"\x03\x24\x01\x02"],
    "tpdu": [
        bytes.fromhex("01000b915121551532f400000cc8f71d14969741f977fd07"),  # SMS-SUBMIT "How are you?"
        bytes.fromhex("07911326040000f0040b911346610089f60000208062917314080cc8f71d14969741f977fd07"),
        bytes.fromhex("040b911346610089f60000208062917314080cc8f71d14969741f977fd07"),
        bytes.fromhex("06d60b911326880736f4111011719551401110117195714000"),
    ],
    "data_coding": [
        bytes((value, default, 0x11)) + "Où êtes-vous €".encode("utf-16-be")
        for value in (0, 1, 3, 8, 0xF1)
        for default in range(6)
    ],
    "septets": [b"\x00Bonjour", b"\x06" + bytes(range(128)), b"\x07" + b"\x1b\x65" * 40],
    "parts": [b"\x00\x00" + b"a" * 400, b"\x08\x01" + "é€".encode("utf-16-be") * 90, b"\x04\x00" + bytes(500)],
    "times": [b"261121080000000+", b"261121080000012-", b"000002000000000R", bytes.fromhex("62112180000040")],
    "numbers": [b"\x01\x01+229 97 00 00 01", b"\x02\x0101 97 00 00 01", b"\x05\x00PASSERELLE", b"\x00\x000033612"],
}
