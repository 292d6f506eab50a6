"""The field table and the PDU classes tell the same story.

SMPP v3.4 sections 4 and 5.3. A field added on one side only fails here.
No octets may enter: how they look is test_vectors.py.
"""

from __future__ import annotations

import msgspec
import pytest

from gateway.smpp import pdus as p
from gateway.smpp.command_status import CommandStatus, status_name
from gateway.smpp.fields import LAYOUTS, TLVS, SmLength

HEADER_FIELDS = ("sequence_number", "command_status", "tlvs")


@pytest.mark.parametrize("command_id", p.PDU_TYPES)
def test_fields_of_the_table_are_the_attributes_of_the_class_in_order(command_id: int) -> None:
    pdu_type = p.PDU_TYPES[command_id]
    assert LAYOUTS[command_id].pdu is pdu_type
    names = tuple(field.name for field in LAYOUTS[command_id].fields)
    assert HEADER_FIELDS + names == tuple(field.name for field in msgspec.structs.fields(pdu_type))


def test_every_pdu_of_the_table_is_a_known_type() -> None:
    assert set(LAYOUTS) == set(p.PDU_TYPES)


def test_a_response_has_the_command_id_of_its_request_with_the_top_bit() -> None:
    for request, response in p.REQUEST_AND_RESPONSE:
        assert response.command_id == request.command_id | p.RESPONSE_BIT


def test_short_message_ends_its_body() -> None:
    for layout in LAYOUTS.values():
        assert not any(isinstance(field, SmLength) for field in layout.fields[:-1])


def test_mandatory_tlvs_are_allowed_where_they_are_mandatory() -> None:
    for layout in LAYOUTS.values():
        assert all(layout.pdu in TLVS[tag].on for tag in layout.mandatory_tlvs)


def test_tlv_names_and_tags_are_unique_and_lengths_make_sense() -> None:
    assert len({tlv.name for tlv in TLVS.values()}) == len(TLVS)
    for tlv in TLVS.values():
        assert 0 <= tlv.min_octets <= tlv.max_octets <= 0xFFFF
        assert tlv.on
        assert tlv.values is None or (tlv.min_octets, tlv.max_octets) == (1, 1)


def test_a_status_without_a_name_is_shown_in_hexadecimal() -> None:
    assert status_name(CommandStatus.ESME_RTHROTTLED) == "ESME_RTHROTTLED"
    assert status_name(0x401) == "0x00000401"


def test_a_password_is_never_in_a_repr() -> None:
    for pdu_type in (p.BindTransmitter, p.BindReceiver, p.BindTransceiver, p.Outbind):
        assert "hunter2" not in repr(pdu_type(system_id="a", password="hunter2"))


def test_tlv_gives_the_first_value_of_its_tag() -> None:
    pdu = p.SubmitSm(tlvs=((0x1400, b"a"), (0x1400, b"b")))
    assert pdu.tlv(0x1400) == b"a"
    assert pdu.tlv(0x1401) is None
