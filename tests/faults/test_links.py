"""Links towards carriers through a whole node: TLS with several addresses, and senders that a carrier refuses.

What must not enter: the table of statuses row by row (tests/gateway/egress).
"""

from __future__ import annotations

from pathlib import Path

from tests.eventually import eventually
from tests.faults.road import road
from tests.running_node import free_port
from tests.tls_material import make_authority, make_certificate


async def test_messages_pass_over_tls_to_the_address_that_answers(empty_database: str, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    carrier = make_certificate(tmp_path, authority, "carrier")
    files = {"tls_certificate": str(carrier.certificate), "tls_key": str(carrier.key)}
    tls = {"tls": True, "tls_ca": str(authority.certificate), "tls_pins": [carrier.pin]}
    async with road(tmp_path, empty_database, smsc=files, connector=tls, start=False) as way:
        text = way.node.config_file.read_text(encoding="utf-8")
        given = f'address = "127.0.0.1:{way.smsc.port}"'
        assert given in text
        dead = f'address = "127.0.0.1:{free_port()}, 127.0.0.1:{way.smsc.port}"'
        way.node.config_file.write_text(text.replace(given, dead), encoding="utf-8")
        await way.node.start()
        async with way.esme(messages=20, verify_receipts=True) as esme:
            assert (await esme.finish()).verified
        await way.quiet()
        assert await way.states() == {"delivered": 20}
        await way.prove()


async def test_a_sender_that_a_carrier_refuses_goes_by_the_next_and_is_no_longer_tried_there(
    empty_database: str, tmp_path: Path
) -> None:
    disabled = "SELECT count(*) FROM refused_senders"
    async with (
        road(tmp_path, empty_database, smsc=[{"error_mix": "0x0A=1"}, {}]) as way,
        way.esme(messages=30, verify_receipts=True) as esme,
    ):
        assert (await esme.finish()).verified  # one receipt each: the refusals stay between us and the carrier
        await way.quiet()
        assert await way.states() == {"delivered": 30}
        assert await way.value(disabled) == 1
        assert way.smsc.statistics.submits >= 5

        async def is_left_out() -> bool:
            before = way.smsc.statistics.submits
            async with way.esme(messages=5, bind_type="transmitter") as again, way.esme(bind_type="receiver"):
                await again.finish()
                await way.quiet()
            return way.smsc.statistics.submits == before

        await eventually(is_left_out, 60, "the node has read the row")
        await way.prove()
