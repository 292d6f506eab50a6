"""The whole way of other products' clients: sent by HTTP, over SMPP to a simulated carrier, receipt back at dlr-url.

A node and its carrier on real sockets, the API over the same rows, a client's URL that answers as RapidPro does.
What must not enter: parameters and answers (test_kannel.py, test_jasmin.py), what couriers endure (gateway/webhooks).
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from yarl import URL

from gateway.daemon.configuration_schema import Endpoint, Webhooks
from gateway.storage.door_logins import NewDoorLogin, add_door_login
from tests.admin_api.conftest import Api, api_configuration, running_api
from tests.faults.road import road
from tests.gateway.conftest import Clock, Ground
from tests.running_node import CHEAP, SENDER, free_port
from tests.webhook_receiver import Receiver, webhook_receiver

NEAR = '[webhooks]\nallow_networks = ["127.0.0.0/8"]\n'
USER = "username=rapidpro&password=secret"
HANDSET = "2290197000001"


async def ask(api: Api, url: str) -> tuple[int, str]:
    async with api.http.get(URL(url, encoded=True)) as answer:
        return answer.status, await answer.text()


async def jasmins_client(api: Api, door: str, receiver: Receiver) -> None:
    """As RapidPro's channel: dlr-level 3, a form by POST, answered with ACK/Jasmin."""
    told_at = quote(f"{receiver.url}?uuid=1", safe="")
    status, text = await ask(
        api,
        f"http://{door}/send?coding=0&content=Simple+Message&dlr=yes&dlr-level=3&dlr-method=POST&dlr-url={told_at}"
        f"&from={SENDER}&{USER}&to={HANDSET}",
    )
    found = re.fullmatch(r'Success "(\d+)"', text)
    assert found is not None, (status, text)
    told = [
        {name: values[0] for name, values in parse_qs(each.body.decode()).items()} for each in await receiver.got(2)
    ]
    assert {(each["id"], each["message_status"], each["level"]) for each in told} == {
        (found[1], "ESME_ROK", "1"),
        (found[1], "DELIVRD", "2"),
    }
    assert {each.path for each in receiver.received} == {"/hook?uuid=1"}


async def kannels_client(api: Api, door: str, receiver: Receiver) -> None:
    """As RapidPro's channel: dlr-mask 27, escape codes in the URL; in a receipt %p is the handset, %P the sender."""
    told_at = quote(f"{receiver.url}?status=%d&p=%p&P=%P&id=%I", safe="")
    answer = await ask(
        api,
        f"http://{door}/cgi-bin/sendsms?dlr-mask=27&dlr-url={told_at}&from={SENDER}&{USER}&priority=1"
        f"&text=Simple+Message&to=%2B{HANDSET}",
    )
    assert answer == (202, "0: Accepted for delivery")
    told = [parse_qs(urlsplit(each.path).query) for each in await receiver.got(2)]
    assert {each["status"][0] for each in told} == {"8", "1"}
    assert {each["p"][0].lstrip("+") for each in told} == {HANDSET}
    assert {each["P"][0] for each in told} == {SENDER}
    assert {each.method for each in receiver.received} == {"GET"}


async def test_unmodified_clients_send_and_are_told(database: str, tmp_path: Path) -> None:
    jasmin, kannel = Endpoint("127.0.0.1", free_port()), Endpoint("127.0.0.1", free_port())
    async with road(tmp_path, database, more=NEAR) as way, way.node.database() as connection:
        account_id = await connection.fetchval("SELECT min(account_id) FROM accounts")
        new = NewDoorLogin(account_id, "rapidpro", CHEAP.hash("secret"), "transactional", "", False, [])
        await add_door_login(connection, new)
        ground = Ground(database, connection, Clock(), account_id)
        configuration = msgspec.structs.replace(
            api_configuration(ground, jasmin_listen=jasmin, kannel_listen=kannel),
            webhooks=Webhooks(allow_networks=("127.0.0.0/8",)),
        )
        async with running_api(ground, configuration) as api:
            for client, door in ((jasmins_client, jasmin), (kannels_client, kannel)):
                async with webhook_receiver() as receiver:
                    receiver.text = "ACK/Jasmin"
                    await client(api, str(door), receiver)
