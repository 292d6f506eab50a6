"""The drop-in doors over real sockets: an unmodified client sends, is answered word for word, its message stored.

Requests are octets as clients of Kannel and Jasmin write them. What must not enter: reading of parameters
(test_kannel.py, test_jasmin.py), callbacks (tests/gateway/webhooks).
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from yarl import URL

from gateway.daemon.configuration_schema import Endpoint
from gateway.storage import facts
from gateway.storage.door_logins import NewDoorLogin, add_door_login, revoke_door_login
from gateway.storage.messages import decode_envelope
from tests.admin_api.conftest import NODE_LIVES, Api, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.running_node import CHEAP, free_port

HASH = CHEAP.hash("secret")
USER = "username=rapidpro&password=secret"
WRONG = "username=rapidpro&password=wrong"
FILTER = "Value filter failed for user [rapidpro]"
PRIVATE = "dlr-url=http://10.0.0.1/"


class Doors(argparse.Namespace):
    """A living API process with both doors open, and where they are."""

    api: Api
    kannel: str
    jasmin: str

    async def get(self, url: str) -> tuple[int, str]:
        """The status and the text of an answer to a GET, its octets as they stand here."""
        async with self.api.http.get(URL(url, encoded=True)) as answer:
            return answer.status, await answer.text()

    async def post(self, url: str, body: bytes, **headers: str) -> tuple[int, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.api.http.post(URL(url, encoded=True), data=body, headers=given) as answer:
            return answer.status, await answer.text()

    async def stored(self) -> list[dict[str, object]]:
        """The messages, oldest first, with their envelopes read."""
        rows = await self.api.ground.connection.fetch("SELECT * FROM messages ORDER BY message_id")
        return [dict(row) | {"envelope": decode_envelope(row["envelope"])} for row in rows]


@pytest_asyncio.fixture
async def doors(ground: Ground) -> AsyncIterator[Doors]:
    """Both doors, and the login rapidpro of the ground's account."""
    await ground.connection.execute(NODE_LIVES)
    await add_door_login(
        ground.connection, NewDoorLogin(ground.account_id, "rapidpro", HASH, "transactional", "ACME", False, [])
    )
    kannel, jasmin = Endpoint("127.0.0.1", free_port()), Endpoint("127.0.0.1", free_port())
    async with running_api(ground, api_configuration(ground, kannel_listen=kannel, jasmin_listen=jasmin)) as api:
        yield Doors(api=api, kannel=f"http://{kannel}/cgi-bin/sendsms", jasmin=f"http://{jasmin}")


async def test_kannels_client_is_accepted_and_its_message_is_stored_with_its_wishes(doors: Doors) -> None:
    answer = await doors.get(
        f"{doors.kannel}?dlr-mask=27&dlr-url=https%3A%2F%2Frp.example.com%2Fs%3Fuuid%3D10%26status%3D%25d&from=ACME"
        f"&{USER}&priority=1&text=Simple+Message&to=%2B22997000001"
    )
    assert answer == (202, "0: Accepted for delivery")
    (stored,) = await doors.stored()
    assert (stored["destination_addr"], stored["user_data"], stored["state"]) == (
        "2290197000001",
        b"Simple Message",
        "queued",
    )
    envelope = stored["envelope"]
    assert envelope.callback == (  # type: ignore[attr-defined]
        "https://rp.example.com/s?uuid=10&status=%d",
        "kannel",
        "GET",
        "message.delivered message.undeliverable message.expired message.deleted message.unknown message.submitted"
        " message.rejected",
    )
    assert await doors.api.ground.credits() == (999, 1, 0)


async def test_jasmins_client_gets_the_id_of_its_message(doors: Doors) -> None:
    status, text = await doors.get(
        f"{doors.jasmin}/send?coding=0&content=Simple+Message&dlr=yes&dlr-level=2&dlr-method=POST"
        f"&dlr-url=https%3A%2F%2Frp.example.com%2Fc%2Fstatus&from=ACME&{USER}&to=22997000001"
    )
    assert status == 200
    found = re.fullmatch(r'Success "(\d+)"', text)
    assert found is not None, text
    (stored,) = await doors.stored()
    assert stored["message_id"] == int(found[1])
    url, style, method, events = stored["envelope"].callback  # type: ignore[attr-defined]
    assert (url, style, method) == ("https://rp.example.com/c/status", "jasmin", "POST")
    assert "message.delivered" in events
    assert "message.submitted" not in events


async def test_jasmin_takes_forms_and_json(doors: Doors) -> None:
    form = f"{USER}&to=22997000001&content=hi".encode()
    assert (await doors.post(f"{doors.jasmin}/send", form, Content_Type="application/x-www-form-urlencoded"))[0] == 200
    body = msgspec.json.encode({"username": "rapidpro", "password": "secret", "to": "22997000001", "content": "été"})
    assert (await doors.post(f"{doors.jasmin}/send", body, Content_Type="application/json"))[0] == 200
    assert [row["user_data"] for row in await doors.stored()] == [b"hi", b"\x05t\x05"]


async def test_kannel_takes_forms_and_headers(doors: Doors) -> None:
    form = f"{USER}&to=22997000001&text=hi".encode()
    accepted = (202, "0: Accepted for delivery")
    assert await doors.post(doors.kannel, form, Content_Type="application/x-www-form-urlencoded") == accepted
    headers = {"X_Kannel_Username": "rapidpro", "X_Kannel_Password": "secret", "X_Kannel_To": "22997000001"}
    assert (
        await doors.post(doors.kannel, b"h\xe9", Content_Type="text/plain; charset=ISO-8859-1", **headers) == accepted
    )
    assert await doors.post(doors.kannel, b"<x/>", Content_Type="text/xml", **headers) == (400, "Invalid content-type")
    assert [row["user_data"] for row in await doors.stored()] == [b"hi", b"h\x05"]


async def test_several_receivers_are_denied_one_by_one(doors: Doors) -> None:
    answer = await doors.get(f"{doors.kannel}?{USER}&to=22997000001+12+22997000002&text=x")
    assert answer == (202, "0: Accepted for delivery Denied receivers are: 12")
    assert len(await doors.stored()) == 2


KANNEL_REFUSES = (  # query, status, text
    ("username=rapidpro&password=wrong&to=22997000001&text=x", 403, "Authorization failed for sendsms"),
    ("username=nobody&password=secret&to=22997000001&text=x", 403, "Authorization failed for sendsms"),
    ("to=22997000001&text=x", 403, "Authorization failed for sendsms"),
    (f"{USER}&text=x", 400, "Missing receiver number, rejected"),
    (f"{USER}&to=22997000001&text=x&from=STRANGER", 400, "Sender not allowed, rejected"),
    (f"{USER}&to=12&text=x", 400, "Number(s) has/have been denied by white- and/or black-lists."),
    (f"{USER}&to=22997000001&text=x&dlr-mask=1&dlr-url=http://10.0.0.1/", 400, "DLR-URL field misformed, rejected"),
)


async def test_kannel_refuses_in_its_own_words(doors: Doors) -> None:
    for query, status, text in KANNEL_REFUSES:
        assert await doors.get(f"{doors.kannel}?{query}") == (status, text), query
    assert await doors.stored() == []


JASMIN_REFUSES = (  # query, status, text
    (f"{WRONG}&to=22997000001&content=x", 403, "Authentication failure for username:rapidpro"),
    ("", 400, "Mandatory arguments not found, please refer to the HTTPAPI specifications."),
    (f"{USER}&to=22997000001&content=x&from=STRANGER", 400, f"{FILTER} (Source address filter mismatch)."),
    (f"{USER}&to=12&content=x", 400, f"{FILTER} (Destination address filter mismatch)."),
    (f"{USER}&to=22997000001&content=x&{PRIVATE}", 400, "Argument [dlr-url] has an invalid value: [http://10.0.0.1/]."),
)  # fmt: skip


async def test_jasmin_refuses_in_its_own_words(doors: Doors) -> None:
    for query, status, text in JASMIN_REFUSES:
        assert await doors.get(f"{doors.jasmin}/send?{query}") == (status, f'Error "{text}"'), query
    assert await doors.stored() == []


async def test_without_credit_or_route_nothing_is_stored(doors: Doors) -> None:
    ground = doors.api.ground
    await ground.connection.execute("UPDATE accounts SET balance_micros = 0")
    assert await doors.get(f"{doors.kannel}?{USER}&to=22997000001&text=x") == (403, "No credit left, rejected")
    charge = 'Error "Cannot charge submit_sm, check RouterPB log file for details"'
    assert await doors.get(f"{doors.jasmin}/send?{USER}&to=22997000001&content=x") == (403, charge)
    assert await doors.stored() == []


async def test_the_accounts_parts_a_day_hold_at_the_doors_too(doors: Doors) -> None:
    ground = doors.api.ground
    await ground.connection.execute("UPDATE accounts SET per_day = 1")
    account_id = ground.account_id
    await eventually(lambda: doors.api.service.book.accounts[account_id].per_day == 1, 10.0, "the limit is known")
    query = f"{doors.kannel}?{USER}&to=22997000001+22997000002+22997000003&text=x"
    replies = [await doors.get(query) for _ in range(3)]  # midnight (UTC) may pass between two of them
    assert (replies[0][0], "Denied receivers are:" in replies[0][1]) == (202, True)
    assert (403, "Limit of the day reached, rejected") in replies
    assert len(await doors.stored()) <= 2


async def test_jasmin_tells_balance_rate_and_life(doors: Doors) -> None:
    await facts.replace_rate(doors.api.ground.connection, None, "229", 2_800_000)
    assert await doors.get(f"{doors.jasmin}/ping") == (200, "Jasmin/PONG")
    status, text = await doors.get(f"{doors.jasmin}/balance?{USER}")
    assert (status, msgspec.json.decode(text)) == (200, {"balance": 1000.0, "sms_count": "ND"})

    async def rated() -> bool:
        answer = await doors.get(f"{doors.jasmin}/rate?{USER}&to=22997000001&content={'a' * 161}")
        return answer[0] == 200 and msgspec.json.decode(answer[1]) == {"submit_sm_count": 2, "unit_rate": 2.8}

    await eventually(rated, 10.0, "the new rate is in force")
    wrong = await doors.get(f"{doors.jasmin}/balance?username=rapidpro&password=wrong")
    assert wrong == (403, '"Authentication failure for username:rapidpro"')
    assert (await doors.get(f"{doors.jasmin}/rate?{USER}"))[1] == '"Mandatory argument [to] is not found."'


async def test_a_revoked_login_is_out(doors: Doors) -> None:
    query = f"{doors.kannel}?{USER}&to=22997000001&text=x"
    assert (await doors.get(query))[0] == 202
    assert await revoke_door_login(doors.api.ground.connection, "rapidpro")

    async def out() -> bool:
        return (await doors.get(query))[0] == 403

    await eventually(out, 10.0, "the login is out")


async def test_many_requests_at_once_are_each_answered(doors: Doors) -> None:
    asked = [doors.get(f"{doors.kannel}?{USER}&to=22997{number:06d}&text=x") for number in range(100)]
    assert {await each for each in asyncio.as_completed(asked)} == {(202, "0: Accepted for delivery")}
    assert len(await doors.stored()) == 100


TRANSCRIPTS = (  # what curl 7.88 writes for: curl "URL?..."; curl -d ... --data-urlencode "content=Ça va ?" URL
    (
        "kannel",
        "GET /cgi-bin/sendsms?username=rapidpro&password=secret&to=22997000001&text=hello+from+curl HTTP/1.1\r\n"
        "Host: localhost:13013\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
        "0: Accepted for delivery",
    ),
    (
        "jasmin",
        "POST /send HTTP/1.1\r\nHost: localhost:1401\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
        "Content-Length: 75\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        "username=rapidpro&password=secret&to=22997000001&content=%C3%87a%20va%20%3F",
        'Success "',
    ),
)


@pytest.mark.parametrize(("door", "request_", "answer"), TRANSCRIPTS, ids=["kannel", "jasmin"])
async def test_transcripts_of_curl(doors: Doors, door: str, request_: str, answer: str) -> None:
    where = URL(doors.kannel if door == "kannel" else doors.jasmin)
    reader, writer = await asyncio.open_connection(where.host, where.port)
    writer.write(request_.replace("%3F", "%3F").replace("76", "75").encode())
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None, head
        body = await reader.readexactly(int(length[1]))
    writer.close()
    assert body.decode().startswith(answer)
    assert len(await doors.stored()) == 1
