"""Long messages over the whole road: a node of its own, carriers that each want them otherwise, one receipt for all.

Source: SMPP v3.4 5.3.2.22 to 5.3.2.32. The ESME and the carriers are real wires; the rows are a real PostgreSQL.
What must not enter: how user data is cut (egress/test_submit_parts.py).
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from gateway.smpp.pdus import DataSm, SubmitSm, SubmitSmResp
from gateway.storage import facts
from simulators.log import SmscSubmitLine
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.faults.raw_esme import RawEsme, a_submit, raw_esme
from tests.running_node import Carrier, running_node

WITHIN_S = 30.0
TEXT = bytes(97 + n % 26 for n in range(400))  # three parts
WAYS = {"sar": "22801", "payload": "22802", "last": "22803", "udh": "22804"}


async def test_each_carrier_gets_long_messages_its_way_and_one_receipt_is_enough(tmp_path: Path, database: str) -> None:
    async with contextlib.AsyncExitStack() as block:
        smscs = {way: await block.enter_async_context(SimulatedSmsc(SmscSettings())) for way in WAYS}
        keys = {"sar": {"long_messages": "sar"}, "payload": {"long_messages": "payload"}}
        keys |= {"last": {"part_receipts": "last"}, "udh": {}}
        carriers = [Carrier(port=smscs[way].port, name=way, more=keys[way]) for way in WAYS]
        node = await block.enter_async_context(running_node(tmp_path, *carriers, dsn=database, start=False))
        async with node.database() as connection:
            for way, prefix in WAYS.items():
                connector_id = await facts.ensure_connector(connection, way, "smpp")
                route = facts.NewRoute(1, prefix, None, None, None, None, None, [], connector_id, 1)
                await facts.add_route(connection, route)
            await node.start()
            esme = await block.enter_async_context(raw_esme(node.smpp_port))
            assert await esme.bind() == 0
            for number, prefix in enumerate(WAYS.values(), 2):
                submit = a_submit(number, to=f"{prefix}0000000")
                submit.short_message, submit.tlvs = b"", ((0x0424, TEXT),)
                submit.registered_delivery = 0
                esme.send(submit)
                assert (await esme.receive()).command_status == 0

            async def all_delivered() -> bool:
                return await connection.fetchval("SELECT count(*) FROM messages WHERE state = 'delivered'") == len(WAYS)

            await eventually(all_delivered, WITHIN_S, "each is delivered")
            rows = await connection.fetch("SELECT part_count, part_states, hold FROM messages")
            assert {tuple(row) for row in rows} == {(3, "DDD", "captured")}
        assert [len(smscs[way].taken) for way in WAYS] == [3, 1, 3, 3]
        assert [dict(line.tlvs)[0x020F] for line in smscs["sar"].taken] == ["01", "02", "03"]
        assert bytes.fromhex(smscs["payload"].taken[0].short_message) == TEXT
        assert [line.registered_delivery for line in smscs["last"].taken] == [0, 0, 1]
        await node.check()


async def test_a_long_message_submitted_in_parts_stays_on_one_route_and_each_part_is_paid(
    tmp_path: Path, database: str
) -> None:
    """Two carriers share the traffic by halves; parts by header, by SAR and by data_sm stay together."""
    async with contextlib.AsyncExitStack() as block:
        smscs = [await block.enter_async_context(SimulatedSmsc(SmscSettings(no_receipt=1.0))) for _ in range(2)]
        names = ["carrier-a", "carrier-b"]
        carriers = [
            Carrier(port=s.port, name=n, more={"long_messages": "sar"}) for s, n in zip(smscs, names, strict=True)
        ]
        node = await block.enter_async_context(running_node(tmp_path, *carriers, dsn=database, start=False))
        async with node.database() as connection:
            for name in names:
                connector_id = await facts.ensure_connector(connection, name, "smpp")
                route = facts.NewRoute(1, "228", None, None, None, None, None, [], connector_id, 1)
                await facts.add_route(connection, route)
            await node.start()
            esme = await block.enter_async_context(raw_esme(node.smpp_port))
            assert await esme.bind() == 0
            for reference in range(10):
                await submit_in_parts(esme, reference)
            assert await connection.fetchval("SELECT sum(price_micros) FROM messages") == 60 * 1_000_000
        await eventually(lambda: sum(len(s.taken) for s in smscs) == 60, WITHIN_S, "all parts are sent")
        assert all(len(smsc.taken) for smsc in smscs), "both carriers had some"
        held = [{reference_of(line) for line in smsc.taken} for smsc in smscs]
        assert not held[0] & held[1]
        assert len(held[0] | held[1]) == 20


async def submit_in_parts(esme: RawEsme, reference: int) -> None:
    """Three parts with a header, and three by SAR of which one is a data_sm."""
    for number in (1, 2, 3):
        pdu = a_submit(2, to="22890000000")
        pdu.esm_class, pdu.short_message = 0x40, bytes((5, 0, 3, reference, 3, number)) + b"part"
        assert isinstance(await esme.ask(pdu), SubmitSmResp)
    sar = [(0x020C, bytes((0x7F, reference))), (0x020E, b"\x03")]
    for number in (1, 2, 3):
        tlvs = (*sar, (0x020F, bytes((number,))))
        if number == 3:
            assert (await esme.ask(as_data_sm(a_submit(2, to="22890000000"), tlvs))).command_status == 0
            continue
        pdu = a_submit(2, to="22890000000")
        pdu.tlvs = tlvs
        assert (await esme.ask(pdu)).command_status == 0


def as_data_sm(pdu: SubmitSm, tlvs: tuple[tuple[int, bytes], ...]) -> DataSm:
    return DataSm(
        sequence_number=pdu.sequence_number,
        source_addr_ton=pdu.source_addr_ton,
        source_addr=pdu.source_addr,
        dest_addr_ton=pdu.dest_addr_ton,
        dest_addr_npi=pdu.dest_addr_npi,
        destination_addr=pdu.destination_addr,
        tlvs=(*tlvs, (0x0424, b"part")),
    )


def reference_of(line: SmscSubmitLine) -> str:
    sar = dict(line.tlvs).get(0x020C)
    return sar if sar is not None else line.short_message[6:8]
