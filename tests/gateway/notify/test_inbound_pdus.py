"""Handsets' messages as an ESME gets them: in its alphabet, as payload, and in parts where a bind carries no TLV.

Source: SMPP v3.4 5.2.22, 5.3.2.32; 3GPP TS 23.040 9.2.3.24.1. What must not enter: retries (test_esme_deliveries.py).
"""

from __future__ import annotations

import pytest

from gateway.message import Envelope, InboundMessage
from gateway.notify.inbound_pdus import deliver_sm_of, deliver_sm_of_part, parts_of
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdus import DeliverSm
from gateway.storage import facts
from gateway.storage.messages import encode_envelope
from telecom.data_coding import DefaultAlphabet
from tests.gateway.conftest import HANDSET, Ground
from tests.gateway.notify.test_esme_deliveries import BindAtHand, post_of

PORTS = bytes.fromhex("0605040b8423f0")
TURKISH = bytes.fromhex("03240101")
CAFE = b"caf\x05 \x1be"


def inbound(user_data: bytes, data_coding: int = 0, esm_class: int = 0) -> InboundMessage:
    envelope = encode_envelope(Envelope(esm_class=esm_class))
    return InboundMessage(0x1207, 1, 1, 1, HANDSET, "36000", data_coding, user_data, envelope, "due", 1)


@pytest.mark.parametrize(
    ("alphabet", "octets", "data_coding"),
    [
        ("gsm7", CAFE, 0),
        ("latin1", "café €".encode("utf-16-be"), 8),
        ("cp1252", "café €".encode("cp1252"), 0),
        ("utf8", "café €".encode(), 0),
    ],
)
def test_a_text_is_in_the_logins_alphabet_or_in_ucs2(
    alphabet: DefaultAlphabet, octets: bytes, data_coding: int
) -> None:
    pdu = deliver_sm_of(inbound(CAFE), alphabet)
    assert (pdu.short_message, pdu.data_coding) == (octets, data_coding)


def test_octets_ucs2_and_headers_are_in_no_alphabet() -> None:
    for user_data, data_coding, esm_class in ((b"\xff\x00", 4, 0), (b"\x00a", 8, 0), (PORTS + b"\xff", 4, 0x40)):
        pdu = deliver_sm_of(inbound(user_data, data_coding, esm_class), "utf8")
        assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (user_data, data_coding, esm_class)


def test_a_national_table_goes_with_its_septets() -> None:
    pdu = deliver_sm_of(inbound(TURKISH + b"\x1bi", 0, 0x40), "utf8")
    assert (pdu.short_message.decode(), pdu.esm_class) == ("ı", 0)
    pdu = deliver_sm_of(inbound(TURKISH + b"\x1bi", 0, 0x40), "latin1")
    assert (pdu.short_message.decode("utf-16-be"), pdu.data_coding, pdu.esm_class) == ("ı", 8, 0)


def test_parts_have_one_reference_and_keep_other_elements() -> None:
    whole = inbound(PORTS + bytes(range(256)) + bytes(44), 4, 0x40)
    pdus = [deliver_sm_of_part(whole, place) for place in range(len(parts_of(whole)))]
    assert [pdu.short_message[:12].hex() for pdu in pdus] == [f"0b000307030{n}05040b8423f0" for n in (1, 2, 3)]
    assert b"".join(pdu.short_message[12:] for pdu in pdus) == bytes(range(256)) + bytes(44)
    assert all(len(pdu.short_message) <= 140 for pdu in pdus)


def test_what_fits_or_would_take_too_many_has_no_parts() -> None:
    assert parts_of(inbound(b"a" * 254)) == []
    assert parts_of(inbound(b"a" * 153 * 256)) == []
    assert len(parts_of(inbound(b"a" * 153 * 255))) == 255


class BindWithoutTlvs(BindAtHand):
    """A bind of v3.3."""

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        if pdu.tlvs:
            raise LocalProtocolError("no TLVs here")
        super().deliver(pdu, context)


async def test_a_bind_without_tlvs_gets_parts_one_after_the_other(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        bind = BindWithoutTlvs()
        await post.attach(bind)
        post.life.carrier.inbound(HANDSET, "36000", b"a" * 300)
        await post.life.until(lambda: bind.delivered)
        assert len(bind.delivered) == 1
        post.answer(bind, 0x58)  # later: the same part again
        ground.clock.pass_s(6)
        await post.deliveries.run_due()
        post.answer(bind)
        post.answer(bind)
        assert [pdu.short_message[5] for pdu in bind.delivered] == [1, 1, 2]
        assert {pdu.esm_class for pdu in bind.delivered} == {0x40}
        await post.life.settling.durable()
        assert await ground.value("SELECT state FROM inbound_messages") == "done"


async def test_a_bind_with_tlvs_beside_it_gets_the_whole(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        old, new = BindWithoutTlvs(), BindAtHand()
        await post.attach(old)
        await post.attach(new)
        for _ in range(2):  # whoever's turn it is
            post.life.carrier.inbound(HANDSET, "36000", b"a" * 300)
        await post.life.until(lambda: len(new.delivered) == 2)
        assert old.delivered == []
