"""A node knows which TLVs a connector declares that only other nodes configure.

Source: decision 0016; SMPP v3.4 3.2.4. What must not enter: the forms themselves (smpp/test_declared_tlvs.py).
"""

from __future__ import annotations

from gateway.accept.refusals import Refusal
from gateway.message import Envelope, Message
from gateway.storage.facts import say_connector_tlvs
from tests.gateway.conftest import Ground

TAG = 0x1400


async def test_a_tlv_of_the_wrong_form_is_refused_where_another_node_has_the_connector(ground: Ground) -> None:
    await say_connector_tlvs(ground.connection, ground.connector_ids["carrier-a"], {"0x1400": "octets 1-4"})
    async with ground.live(only=()) as life:
        life.lifecycle.health["carrier-a"] = "up"  # type: ignore[index]  # another node has a bind
        good, long = (Envelope(5, tlvs=((TAG, value),)) for value in (b"four", b"longer"))
        assert isinstance(life.lifecycle.admit(ground.submission(envelope=good)), Message)
        assert life.lifecycle.admit(ground.submission(envelope=long)) is Refusal.TLV_LENGTH
