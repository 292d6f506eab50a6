"""smpplib, the old Python client, as a customer of a real node: its own encoder, its own parts, its own thread.

What must not enter: our session or codec on the client's side.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from tests.interop.road import road
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID

HANDSET = "2290197000001"
READ_TIMEOUT_S = 20.0  # chosen: smpplib then says enquire_link, which the test takes for silence
FRENCH = "Ça coûte 5 € à l'œil nu, même en août"
LONG = "Un message assez long pour deux parties, avec des accents : été, à, è, ù. " * 3
ESME_RBINDFAIL, ESME_RINVSRCADR = 0x0D, 0x0A


class Customer:
    """One bound smpplib client. answers: (command_status, message_id) in order; receipts: message ids, in order."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.answers: list[tuple[int, str]] = []
        self.receipts: list[str] = []
        # smpplib hands a refusal to both of these; a refused submit_sm_resp has no body (v3.4 4.4.2)
        client.set_message_sent_handler(lambda pdu: self.answers.append((pdu.status, (pdu.message_id or b"").decode())))
        client.set_error_pdu_handler(lambda pdu: None)
        client.set_message_received_handler(self._received)

    def submit(self, text: str, source: str = SENDER) -> int:
        """Submit a text as smpplib splits and encodes it; how many submit_sm that took."""
        parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self._client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr=source,
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr=HANDSET,
                short_message=part,
                data_coding=data_coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        return len(parts)

    def read_until(self, answers: int, receipts: int) -> None:
        """Read until so many came. smpplib.exceptions.ConnectionError, or TimeoutError after READ_TIMEOUT_S."""
        while len(self.answers) < answers or len(self.receipts) < receipts:
            self._client.read_once(auto_send_enquire_link=False)

    def _received(self, pdu: Any) -> None:
        assert pdu.esm_class & 0x3C == 0x04
        found = re.match(rb"id:(\d+) .* stat:DELIVRD", pdu.short_message)
        assert found is not None, pdu.short_message
        assert pdu.receipted_message_id.decode() == found[1].decode()
        self.receipts.append(found[1].decode())


@contextmanager
def bound_customer(port: int, password: str = PASSWORD) -> Iterator[Customer]:
    """A client bound as a transceiver, unbound with the block."""
    client = smpplib.client.Client("127.0.0.1", port, timeout=READ_TIMEOUT_S, allow_unknown_opt_params=True)
    client.connect()
    try:
        client.bind_transceiver(system_id=SYSTEM_ID, password=password)
        yield Customer(client)
        client.unbind()
    finally:
        client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # else its disconnect warns of the bound state
        client.disconnect()


async def test_texts_of_all_kinds_arrive_and_every_receipt_names_its_answer(database: str, tmp_path: Path) -> None:
    def talk(port: int) -> Customer:
        with bound_customer(port) as customer:
            count = sum(customer.submit(text) for text in ("bonjour {1}", FRENCH, LONG))
            customer.read_until(count, count)
        return customer

    async with road(tmp_path, database) as way:
        customer = await asyncio.to_thread(talk, way.port)
        assert [status for status, _ in customer.answers] == [0] * 4
        assert sorted(customer.receipts) == sorted(message_id for _, message_id in customer.answers)
        short, french, *long = await way.until_taken(4)
        assert bytes.fromhex(short.short_message) == b"bonjour \x1b(1\x1b)"
        assert (french.data_coding, bytes.fromhex(french.short_message).decode("utf-16-be")) == (8, FRENCH)
        parts = sorted(bytes.fromhex(each.short_message) for each in long)
        assert [part[:3] for part in parts] == [b"\x05\x00\x03"] * 2
        text = b"".join(part[6:] for part in parts)
        assert text == LONG.translate({ord("é"): 5, ord("à"): 0x7F, ord("è"): 4, ord("ù"): 6}).encode("ascii")
        await way.prove()


async def test_wrong_password_is_refused_at_the_bind(database: str, tmp_path: Path) -> None:
    def talk(port: int) -> int:
        with pytest.raises(smpplib.exceptions.PDUError) as refused, bound_customer(port, "wrong"):
            pass
        return int(refused.value.args[1])

    async with road(tmp_path, database) as way:
        assert await asyncio.to_thread(talk, way.port) == ESME_RBINDFAIL
        await way.prove()


async def test_sender_name_of_nobody_is_refused_and_the_bind_stays(database: str, tmp_path: Path) -> None:
    def talk(port: int) -> Customer:
        with bound_customer(port) as customer:
            customer.submit("not mine", source="Stranger")
            customer.submit("mine")
            customer.read_until(2, 1)
        return customer

    async with road(tmp_path, database) as way:
        customer = await asyncio.to_thread(talk, way.port)
        assert sorted(status for status, _ in customer.answers) == [0, ESME_RINVSRCADR]
        assert way.smsc.statistics.submits == 1
        await way.prove()
