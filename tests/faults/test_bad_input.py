"""What is refused, to whom, and in which words: binds, submissions, configuration, ports, names.

Source: issue, "Bad input and faults"; smpp-answers, "As a server"; promise P3 (credit under concurrency).
What must not enter: every status of the table (tests/gateway/smpp plays those); here only a whole node's answers.
"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import road
from tests.running_node import PART_MICROS, Carrier, Login, passerelle, running_node

RINVSRCADR, RINVDSTADR, RBINDFAIL = 0x0A, 0x0B, 0x0D  # SMPP v3.4 5.1.3
NO_CREDIT, SUSPENDED = 0x0400, 0x0401  # gateway.ingress.smpp_refusals: vendor statuses


async def test_every_wrong_login_gets_the_same_answer_and_the_end(empty_database: str, tmp_path: Path) -> None:
    wrong = [("customer", "wrong"), ("nobody", "secret12"), ("customer", ""), ("", "")]
    async with road(tmp_path, empty_database) as way:
        for system_id, password in wrong:
            async with raw_esme(way.node.smpp_port) as esme:
                assert await esme.bind(system_id, password) == RBINDFAIL
                assert await esme.closed() == b""


async def test_bind_limit_and_networks_refuse_a_right_password(empty_database: str, tmp_path: Path) -> None:
    logins = [Login(max_binds=1), Login(system_id="elsewhere", account="elsewhere")]
    async with road(tmp_path, empty_database, logins=logins, start=False) as way:
        await way.value("UPDATE esmes SET allow_cidrs = '{10.11.0.0/16}' WHERE system_id = 'elsewhere'")
        await way.node.start()
        port = way.node.smpp_port
        async with raw_esme(port) as first, raw_esme(port) as second, raw_esme(port) as foreign:
            assert await first.bind() == 0
            assert await second.bind() == RBINDFAIL
            assert await second.closed() == b""
            assert await foreign.bind("elsewhere") == RBINDFAIL

        async def is_free() -> bool:
            async with raw_esme(port) as again:
                return await again.bind() == 0

        await eventually(is_free, 5, "the place of a bind that went away")


async def test_sender_route_and_account_are_refused_by_their_own_status(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, start=False) as way:
        await way.value("UPDATE routes SET prefix = '229'")
        await way.node.start()
        async with raw_esme(way.node.smpp_port) as esme:
            assert await esme.bind() == 0
            assert (await esme.ask(a_submit(2, source="STRANGER"))).command_status == RINVSRCADR
            assert (await esme.ask(a_submit(3, to="33612345678"))).command_status == RINVDSTADR
            assert (await esme.ask(a_submit(4))).command_status == 0
            await way.value("UPDATE accounts SET state = 'suspended'")

            async def is_suspended() -> bool:
                return (await esme.ask(a_submit(5))).command_status == SUSPENDED

            await eventually(is_suspended, 10, "the suspension takes effect while the node runs")
            await way.value("UPDATE accounts SET state = 'active'")

            async def is_active() -> bool:
                return (await esme.ask(a_submit(6))).command_status == 0

            await eventually(is_active, 10, "the account is served again")
        assert way.node.exit_code is None


async def test_credit_for_a_hundred_lets_exactly_a_hundred_of_two_hundred_pass(
    empty_database: str, tmp_path: Path
) -> None:
    poor = [Login(credit_micros=100 * PART_MICROS)]
    async with (
        road(tmp_path, empty_database, logins=poor) as way,
        way.esme(messages=200, binds=4, window=50) as esme,
    ):
        summary = await esme.finish()
        assert summary.accepted == 100
        assert summary.refused == {f"0x{NO_CREDIT:08X}": 100}
        assert await way.value("SELECT balance_micros FROM accounts") == 0
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        await way.prove()


async def test_an_unknown_key_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    config = tmp_path / "passerelle.toml"
    config.write_text("[limits]\nconnector_queu = 5\n", encoding="utf-8")
    config.chmod(0o600)
    finished = await passerelle("node", "--config", str(config))
    assert finished.code != 0
    assert "connector_queu" in finished.err
    assert "connector_queue" in finished.err
    assert "Traceback" not in finished.err


@pytest.mark.parametrize("taken", ["smpp_port", "metrics_port"])
async def test_a_taken_port_is_named_and_the_other_one_left_free(
    taken: str, empty_database: str, tmp_path: Path
) -> None:
    async with road(tmp_path, empty_database, start=False) as way:
        port = getattr(way.node, taken)
        with socket.create_server(("127.0.0.1", port)):
            await way.node.start(wait=False)
            assert await way.node.until_ended() != 0
            assert str(port) in way.node.last_words()
            assert "Traceback" not in way.node.last_words()
        other = way.node.metrics_port if taken == "smpp_port" else way.node.smpp_port
        with socket.create_server(("127.0.0.1", other)):
            pass
        await way.node.start()  # once the port is free, the same file serves


async def test_a_second_node_of_the_same_name_is_refused_and_the_first_goes_on(
    empty_database: str, tmp_path: Path
) -> None:
    async with road(tmp_path, empty_database) as way:
        carrier = Carrier(port=way.carrier.port)
        async with running_node(tmp_path / "second", carrier, logins=[], dsn=empty_database, start=False) as second:
            await second.start(wait=False)
            assert await second.until_ended() != 0
            assert "already running" in second.last_words()
            assert "Traceback" not in second.last_words()
        async with way.esme(messages=5, verify_receipts=True) as esme:
            assert (await esme.finish()).verified
        await way.prove()
