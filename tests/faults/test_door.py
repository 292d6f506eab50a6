"""The door of a whole node: TLS beside plain SMPP, a certificate renewed while it runs, a day's limit across a restart.

What must not enter: what the door answers to whom (tests/gateway/ingress).
"""

from __future__ import annotations

import os
import signal
import ssl
import time
from pathlib import Path

from tests.eventually import eventually
from tests.faults.road import road
from tests.gateway.raw_peer import raw_peer, submit
from tests.running_node import ACCOUNT, PASSWORD, SENDER, SYSTEM_ID, free_port
from tests.tls_material import make_authority, make_certificate

TLS = """
[smpp_server.tls]
listen = "127.0.0.1:{port}"
certificate = {{ file = "{certificate}" }}
key = {{ file = "{key}" }}
"""
DAY_S = 86_400


async def test_a_renewed_certificate_and_a_days_count_survive(empty_database: str, tmp_path: Path) -> None:
    authority, port = make_authority(tmp_path), free_port()
    own, renewed = (make_certificate(tmp_path, authority, name) for name in ("own", "renewed"))
    client = ssl.create_default_context(cafile=authority.certificate)
    more = TLS.format(port=port, certificate=own.certificate, key=own.key)
    async with road(tmp_path, empty_database, more=more, start=False) as way:
        assert (await way.node.command("account", "set", ACCOUNT, "--per-day", "2")).code == 0
        day = time.time() // DAY_S
        await way.node.start()

        async def submitted() -> tuple[str, int]:
            """One submission by TLS: the serial number of the certificate, and the status."""
            async with raw_peer(port, ssl=client, server_hostname="localhost") as peer:
                assert await peer.bind(system_id=SYSTEM_ID, password=PASSWORD) == 0
                answer = await peer.ask(submit(source_addr=SENDER, registered_delivery=0))
                return peer.writer.get_extra_info("peercert")["serialNumber"], answer.command_status

        before, status = await submitted()
        assert status == 0
        renewed.key.replace(own.key)
        renewed.certificate.replace(own.certificate)
        os.kill(way.node.pid, signal.SIGHUP)
        await eventually(lambda: way.events("tls_certificate_loaded"), 20)
        after, status = await submitted()
        assert (after != before, status) == (True, 0)
        await way.quiet()
        assert await way.node.stop() == 0
        await way.node.start()
        _, status = await submitted()
        assert status == 0x403 or time.time() // DAY_S != day
        await way.prove()
