"""Hypothesis strategies for PDUs, walked from the field table itself, and a pair of bound sessions.

SMPP v3.4 sections 4 and 5. Values are legal: what is malformed is made by the tests that want it.
No expectation about an outcome may enter.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gateway.smpp import pdus as p
from gateway.smpp.fields import (
    LAYOUTS,
    LIST_NAME_FIELD,
    MAX_SHORT_MESSAGE,
    SME_ADDRESS_FIELDS,
    TLVS,
    CString,
    Destinations,
    Field,
    Layout,
    Octet,
    SmLength,
    Tlv,
    UnsuccessSmes,
)
from gateway.smpp.session import BindType, Role, Session, SessionLimits

LATIN_1_WITHOUT_NUL = st.characters(min_codepoint=1, max_codepoint=255)


def field_values(field: Field) -> st.SearchStrategy[Any]:
    """Legal values of one field of the table."""
    match field:
        case Octet():
            return st.integers(0, 255)
        case CString(max_octets=max_octets):
            return st.text(LATIN_1_WITHOUT_NUL, max_size=max_octets - 1)
        case SmLength():
            return st.binary(max_size=MAX_SHORT_MESSAGE)
        case Destinations():
            one = st.one_of(
                st.builds(p.SmeAddress, **{f.name: field_values(f) for f in SME_ADDRESS_FIELDS}),
                st.builds(p.DistributionList, dl_name=field_values(LIST_NAME_FIELD)),
            )
            return st.lists(one, min_size=1, max_size=4).map(tuple)
        case UnsuccessSmes():
            sme = st.builds(
                p.UnsuccessSme,
                error_status_code=st.integers(0, 0xFFFFFFFF),
                **{f.name: field_values(f) for f in SME_ADDRESS_FIELDS},
            )
            return st.lists(sme, max_size=4).map(tuple)


def tlv_values(tlv: Tlv) -> st.SearchStrategy[tuple[int, bytes]]:
    """Legal (tag, value) of one TLV of the table."""
    if tlv.values is not None:
        return st.sampled_from(list(tlv.values)).map(lambda value: (tlv.tag, bytes((value,))))
    longest = min(tlv.max_octets, 80)
    return st.binary(min_size=tlv.min_octets, max_size=longest).map(lambda value: (tlv.tag, value))


def known_tlvs(layout: Layout) -> st.SearchStrategy[tuple[tuple[int, bytes], ...]]:
    """The mandatory TLVs of a PDU, and up to three more that it may carry or that nobody knows."""
    allowed = [tlv_values(tlv) for tlv in TLVS.values() if layout.pdu in tlv.on]
    unknown = st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=20))  # vendor range, v3.4 5.3.2
    more = st.lists(st.one_of(unknown, *allowed), max_size=3)
    mandatory = st.tuples(*(tlv_values(TLVS[tag]) for tag in layout.mandatory_tlvs))
    return st.builds(lambda first, rest: (*first, *rest), mandatory, more)


def pdus_of(layout: Layout, tlvs: bool = True) -> st.SearchStrategy[p.Pdu]:
    """Legal PDUs of one type; an error status only where the body does not depend on it."""
    return st.builds(
        layout.pdu,
        sequence_number=st.integers(0, 0xFFFFFFFF),
        command_status=st.just(0) if layout.refused_without_body else st.integers(0, 0xFFFFFFFF),
        tlvs=known_tlvs(layout) if tlvs else st.just(()),
        **{field.name: field_values(field) for field in layout.fields},
    )


ANY_PDU = st.one_of([pdus_of(layout) for layout in LAYOUTS.values()])


def bound_pair(
    bind_type: BindType = BindType.TRANSCEIVER,
    interface_version: int = 0x34,
    smsc_limits: SessionLimits | None = None,
    esme_limits: SessionLimits | None = None,
) -> tuple[Session, Session]:
    """(SMSC, ESME): two sessions that have bound to each other at time 0."""
    smsc, esme = Session(Role.SMSC, smsc_limits), Session(Role.ESME, esme_limits)
    esme.bind(bind_type, "esme", "secret", interface_version=interface_version)
    (requested,) = smsc.receive_data(esme.data_to_send())
    smsc.accept_bind(requested.pdu, system_id="smsc")  # type: ignore[union-attr,arg-type]
    esme.receive_data(smsc.data_to_send())
    return smsc, esme
