"""What concerns an account, told to its URLs: in the native format alone, and a URL's own end is told by other means.

What must not enter: e-mail and SMS (tests/gateway/notices).
"""

from __future__ import annotations

import msgspec

from gateway.storage.notices import tell
from tests.eventually import eventually
from tests.gateway.conftest import CREDIT, WITHIN_S
from tests.gateway.webhooks.conftest import Hooks
from tests.webhook_receiver import Receiver

LOW: dict[str, str | int] = {"account": "ours", "balance": 99 * CREDIT // 2, "threshold": 100 * CREDIT}


async def test_a_notice_reaches_urls_of_the_native_format(hooks: Hooks, receiver: Receiver) -> None:
    native = await hooks.add(events=["balance.low"])
    kannel = await hooks.add(events=["balance.low"], form=("kannel", "GET"))
    await tell(hooks.connection, event="balance.low", account_id=hooks.ground.account_id, facts=LOW)
    hooks.ground.clock.pass_s(60)  # the database's clock told it
    async with hooks.courier():
        await hooks.until({"done": 1}, native)
        await hooks.until({"dead": 1}, kannel)

    (request,) = receiver.received
    body = msgspec.json.decode(request.body)
    assert body["type"] == "balance.low"
    assert body["data"] == {"account": "ours", "balance": "49.5", "threshold": "100"}


async def test_the_end_of_a_url_is_told_to_its_account(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    receiver.answer = 410
    await hooks.owe(1, endpoint_id)
    async with hooks.courier():

        async def told() -> bool:
            return await hooks.ground.count("notices") == 1

        await eventually(told, WITHIN_S, "the account is told")

    row = await hooks.connection.fetchrow("SELECT event, account_id, facts FROM notices")
    assert row is not None
    assert (row["event"], row["account_id"]) == ("webhook.disabled", hooks.ground.account_id)
    origin = receiver.url.removesuffix("/hook")
    assert msgspec.json.decode(row["facts"]) == {"webhook": endpoint_id, "origin": origin, "cause": "gone"}
