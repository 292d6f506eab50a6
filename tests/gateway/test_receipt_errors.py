"""Error codes and intermediate notifications in the running rooms: stored, told, counted; no state moves for them.

Source: SMPP v3.4 5.2.17 (registered_delivery), 5.3.2.31. What must not enter: the codes themselves
(receipts/test_carrier_errors.py).
"""

from __future__ import annotations

from gateway.message import Envelope
from gateway.notify.receipt_text import receipt_for
from gateway.receipts.carrier_errors import ErrorMeaning
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, Ground, Life
from tests.gateway.notify.test_esme_deliveries import BindAtHand, post_of


async def test_the_meaning_of_a_code_is_stored_told_and_counted_and_the_message_stays_final(
    ground: Ground, life: Life
) -> None:
    life.lifecycle.error_maps = {"carrier-a": {"011": ErrorMeaning("absent subscriber", permanent=False)}}
    life.carrier.answer = take_all
    message = await life.accept_one()
    await life.until(lambda: message.smsc_message_ids)
    life.carrier.receipt(message.smsc_message_ids, "undeliverable", HANDSET, "011/3.27")
    assert await life.told_of(message) == ["undeliverable"]
    row = await ground.row(message)
    assert (row["state"], row["error"]) == ("undeliverable", "011/3.27: absent subscriber")
    assert life.tallies.receipt_errors == {("carrier-a", "temporary"): 1}
    pdu = receipt_for(message)
    assert b"stat:UNDELIV err:011 " in pdu.short_message
    assert pdu.tlv(0x0423) == b"\x03\x00\x1b"


async def test_a_code_that_no_map_knows_is_kept_as_it_is(ground: Ground, life: Life) -> None:
    life.carrier.answer = take_all
    message = await life.accept_one()
    await life.until(lambda: message.smsc_message_ids)
    life.carrier.receipt(message.smsc_message_ids, "undeliverable", HANDSET, "A7")
    assert await life.told_of(message) == ["undeliverable"]
    assert (await ground.row(message))["error"] == "A7"
    assert life.tallies.receipt_errors == {("carrier-a", "unmapped"): 1}
    assert receipt_for(message).tlv(0x0423) is None
    assert b"err:0A7" in receipt_for(message).short_message


def asking(registered_delivery: int) -> Envelope:
    return Envelope(
        source_addr_ton=5,
        dest_addr_ton=1,
        registered_delivery=registered_delivery,
        submitted_source="ACME",
        submitted_destination=HANDSET,
    )


async def test_an_intermediate_notification_is_noted_and_passed_on_to_whom_asked(ground: Ground) -> None:
    async with post_of(ground) as post:
        life = post.life
        bind = await post.attach(BindAtHand())
        life.carrier.answer = take_all
        asked = await life.accept_one(envelope=asking(0x11))
        other = await life.accept_one(envelope=asking(0x01))
        await life.until(lambda: asked.smsc_message_ids and other.smsc_message_ids)
        for message in (asked, other):
            life.carrier.receipt(message.smsc_message_ids, "", HANDSET)
        await life.until(lambda: len(life.carrier.acknowledged) == 2)
        assert await ground.events(asked) == await ground.events(other) == ["intermediate"]
        assert (asked.state, other.state) == ("submitted", "submitted")
        (pdu,) = bind.delivered
        assert bind.ids() == [asked.message_id]
        assert (pdu.esm_class, pdu.tlv(0x0427)) == (0x20, b"\x01")
        assert b"stat:ENROUTE" in pdu.short_message
        assert (pdu.source_addr, pdu.destination_addr) == (HANDSET, "ACME")
        post.answer(bind)
        life.carrier.receipt(asked.smsc_message_ids, "delivered", HANDSET)
        await life.until(lambda: bind.open)
        post.answer(bind)
        await post.notified("done", 1)
        assert life.tallies.notifications["mentioned"] == 1


async def test_an_intermediate_notification_for_an_absent_esme_is_noted_and_not_kept(ground: Ground) -> None:
    async with post_of(ground) as post:
        life = post.life
        life.carrier.answer = take_all
        message = await life.accept_one(envelope=asking(0x11))
        await life.until(lambda: message.smsc_message_ids)
        life.carrier.receipt(message.smsc_message_ids, "", HANDSET)
        await life.until(lambda: life.carrier.acknowledged)
        assert await ground.events(message) == ["intermediate"]
        assert await ground.count("waiting_notifications") == 0
        assert life.tallies.notifications["not_mentioned"] == 1
