"""Kannel's bearerbox, the most common stranger at an SMPP door, as a customer of a real node.

Its habits: esm_class 3 (0x43 with a header), registered_delivery 0x11, numbers without plus as TON 2 and NPI 1, an
empty message_id in deliver_sm_resp. What must not enter: our session or codec on Kannel's side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smpp.codec import decode_pdu
from gateway.smpp.pdus import DeliverSmResp, Pdu, SubmitSm
from tests.eventually import eventually
from tests.interop.kannel import ACCEPTED, DELIVERED, REFUSED, Kannel, running_kannel
from tests.interop.peers import need_program
from tests.interop.road import ARRIVAL_TIMEOUT_S, road
from tests.interop.wire_taps import TO_SERVER, Tap
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID, Login

HANDSET = "2290197000001"
SHORT_CODE = "36000"
FRENCH = "Ça coûte 5 € à l'œil nu, même en août"
BEYOND_GSM = "Le garçon de l'hôtel a reçu la clé"


@pytest.fixture(autouse=True)
def _kannel_is_here() -> None:
    for name in ("bearerbox", "smsbox"):
        need_program(name)


def pdus_to_server(tap: Tap) -> Iterator[Pdu]:
    """Everything Kannel wrote."""
    for connection in tap.connections:
        stream = connection.stream(TO_SERVER)
        while len(stream) >= 16:
            length = int.from_bytes(stream[:4], "big")
            yield decode_pdu(stream[:length])
            stream = stream[length:]


async def until_delivered(kannel: Kannel, refs: list[str]) -> None:
    """Wait until Kannel heard of the delivery of each, once."""
    await eventually(lambda: kannel.refs(DELIVERED) == sorted(refs), ARRIVAL_TIMEOUT_S, f"receipts of {refs}")


async def test_texts_and_their_receipts_pass_with_the_habits_of_kannel(database: str, tmp_path: Path) -> None:
    refs = [f"text-{number}" for number in range(5)]
    async with (
        road(tmp_path, database) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        for number, ref in enumerate(refs):
            await kannel.send(f"été {number} @ {{1}}", HANDSET, SENDER, ref)
        taken = await way.until_taken(5)
        await until_delivered(kannel, refs)
        assert kannel.refs(ACCEPTED) == refs
        assert sorted(bytes.fromhex(each.short_message) for each in taken) == [  # no order is promised
            b"\x05t\x05 %d \x00 \x1b(1\x1b)" % number for number in range(5)
        ]
        submits = [pdu for pdu in pdus_to_server(way.taps[0]) if isinstance(pdu, SubmitSm)]
        assert {(pdu.esm_class, pdu.registered_delivery, pdu.data_coding) for pdu in submits} == {(3, 0x11, 0)}
        assert {(pdu.dest_addr_ton, pdu.dest_addr_npi) for pdu in submits} == {(2, 1)}
        answers = [pdu for pdu in pdus_to_server(way.taps[0]) if isinstance(pdu, DeliverSmResp)]
        assert {(pdu.command_status, pdu.message_id) for pdu in answers} == {(0, "")}
        await way.prove()


async def test_long_text_in_parts_by_header_arrives_whole(database: str, tmp_path: Path) -> None:
    text = "".join(f"{number:03d} abcdef " for number in range(40))
    async with (
        road(tmp_path, database) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        await kannel.send(text, f"+{HANDSET}", "2290161000000", "long")
        parts = [bytes.fromhex(each.short_message) for each in await way.until_taken(3)]
        assert {each.esm_class & 0x40 for each in way.smsc.taken} == {0x40}
        assert {(part[:3], part[4]) for part in parts} == {(b"\x05\x00\x03", 3)}
        ordered = sorted(parts, key=lambda part: part[5])
        assert b"".join(part[6:] for part in ordered).decode("ascii") == text
        await eventually(lambda: "long" in kannel.refs(DELIVERED), ARRIVAL_TIMEOUT_S, "the receipt")
        submits = [pdu for pdu in pdus_to_server(way.taps[0]) if isinstance(pdu, SubmitSm)]
        assert {pdu.esm_class for pdu in submits} == {0x43}
        await way.prove()


async def test_french_text_beyond_gsm_travels_as_ucs2(database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, database) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        await kannel.send(FRENCH, HANDSET, SENDER, "french", unicode=True)
        (taken,) = await way.until_taken(1)
        assert (taken.data_coding, bytes.fromhex(taken.short_message).decode("utf-16-be")) == (8, FRENCH)
        await until_delivered(kannel, ["french"])
        await way.prove()


async def test_wrong_password_is_refused_and_said_on_both_sides(database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, database) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, "wrong") as kannel,
    ):
        await eventually(lambda: "0x0000000d" in kannel.log(), ARRIVAL_TIMEOUT_S, "Kannel reads 0x0D")
        assert not await kannel.is_online()
        told = [line for line in way.node.log_lines() if line["room"] == "ingress"]
        assert any(line.get("system_id") == SYSTEM_ID and line["level"] == "warning" for line in told), told
        await way.prove()


async def test_sender_name_of_nobody_is_refused_as_a_bad_source(database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, database) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        await kannel.send("not mine", HANDSET, "Stranger", "stranger")
        await eventually(lambda: kannel.refs(REFUSED) == ["stranger"], ARRIVAL_TIMEOUT_S, "the refusal")
        assert "0x0000000a" in kannel.log().lower()
        await kannel.send("mine", HANDSET, SENDER, "own")
        await until_delivered(kannel, ["own"])
        assert way.smsc.statistics.submits == 1
        await way.prove()


async def test_inbound_texts_reach_kannel_in_both_alphabets(database: str, tmp_path: Path) -> None:
    login = Login(inbound_numbers=(SHORT_CODE,))
    async with (
        road(tmp_path, database, (login,)) as way,
        running_kannel(tmp_path / "kannel", way.port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        for text in (BEYOND_GSM, "OUI"):
            way.smsc.deliver_inbound(HANDSET, SHORT_CODE, text)
        await eventually(lambda: len(kannel.inbound) == 2, ARRIVAL_TIMEOUT_S, "two inbound messages")
        assert {(told["from"].lstrip("+"), told["to"]) for told in kannel.inbound} == {(HANDSET, SHORT_CODE)}
        by_coding = {told["coding"]: told["octets"].encode("latin-1") for told in kannel.inbound}
        assert by_coding["2"].decode("utf-16-be") == BEYOND_GSM
        assert by_coding["0"] == b"OUI"
        await way.prove()


async def test_kannel_comes_back_after_a_restart_and_every_text_arrives_once(database: str, tmp_path: Path) -> None:
    refs = [f"text-{number:02d}" for number in range(30)]
    async with (
        road(tmp_path, database, receipt_delay_ms="200..2000") as way,
        running_kannel(tmp_path / "kannel", way.node.smpp_port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        for ref in refs[:10]:  # their receipts come before, during and after the restart
            await kannel.send(ref, HANDSET, SENDER, ref)
        await way.until_taken(5)
        assert await way.node.stop() == 0
        for ref in refs[10:20]:
            await kannel.send(ref, HANDSET, SENDER, ref)
        await way.node.start()
        for ref in refs[20:]:
            await kannel.send(ref, HANDSET, SENDER, ref)
        await until_delivered(kannel, refs)
        texts = [bytes.fromhex(each.short_message).decode("ascii") for each in way.smsc.taken]
        assert sorted(texts) == refs
        await way.prove()


async def test_kannel_comes_back_after_a_crash_and_every_text_arrives_once(database: str, tmp_path: Path) -> None:
    refs = [f"text-{number:02d}" for number in range(20)]
    async with (
        road(tmp_path, database, receipt_hold=True) as way,
        running_kannel(tmp_path / "kannel", way.node.smpp_port, SYSTEM_ID, PASSWORD) as kannel,
    ):
        await kannel.until_online()
        for ref in refs[:10]:
            await kannel.send(ref, HANDSET, SENDER, ref)
        await eventually(lambda: kannel.refs(ACCEPTED) == refs[:10], ARRIVAL_TIMEOUT_S, "all are acknowledged")
        await way.until_taken(10)
        assert await way.node.kill() == -9
        for ref in refs[10:]:
            await kannel.send(ref, HANDSET, SENDER, ref)
        await way.node.start()
        way.smsc.change({"receipt_hold": False})
        await until_delivered(kannel, refs)
        texts = [bytes.fromhex(each.short_message).decode("ascii") for each in way.smsc.taken]
        assert sorted(texts) == refs
        await way.prove()
