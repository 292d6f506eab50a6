"""Requests leave only towards checked addresses, and receivers that fail on purpose do no harm. Real sockets.

What must not enter: rows, retries.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.webhooks.addresses import parse_networks
from gateway.webhooks.outgoing import ANSWER_OCTETS, Found, GuardedClient, Outgoing
from tests.tls_material import make_authority, make_certificate
from tests.webhook_receiver import Receiver, webhook_receiver

HERE = parse_networks(["127.0.0.0/8"])


def names(**known: Sequence[str]) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A resolver that knows these names: the addresses of each, the whole list at every question."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return known.get(host.split(".")[0], ())

    return resolve


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as opened:
        yield opened


async def ask(client: GuardedClient, url: str) -> Found:
    async with client:
        return await client.send(Outgoing("POST", url, {"webhook-id": "1"}, b"{}"))


async def test_a_name_is_asked_at_the_address_that_was_checked_and_keeps_its_host(receiver: Receiver) -> None:
    client = GuardedClient(HERE, resolve=names(hooks=["127.0.0.1"]))
    found = await ask(client, f"http://hooks.example:{receiver.port}/a?b=%2F%20c")
    assert (found.status, found.body, found.fault) == (200, b"thank you", "")
    (request,) = receiver.received
    assert request.headers["Host"] == f"hooks.example:{receiver.port}"
    assert request.path == "/a?b=%2F%20c"  # not written anew
    assert "Cookie" not in request.headers


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "fe80::1"])
async def test_a_name_that_leads_home_is_not_asked(receiver: Receiver, address: str) -> None:
    client = GuardedClient(resolve=names(evil=[address]))
    assert (await ask(client, f"http://evil.example:{receiver.port}/")).fault == "forbidden_address"
    assert receiver.received == []


async def test_one_forbidden_address_among_public_ones_forbids_the_name(receiver: Receiver) -> None:
    client = GuardedClient(resolve=names(evil=["8.8.8.8", "127.0.0.1"]))
    assert (await ask(client, f"http://evil.example:{receiver.port}/")).fault == "forbidden_address"
    assert receiver.received == []


async def test_a_name_that_changes_its_address_is_connected_to_the_one_that_was_checked(receiver: Receiver) -> None:
    """DNS rebinding: the first answer is fit, every later one leads to where nobody may go."""
    answers = iter([["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers, ["10.0.0.1"])

    async with GuardedClient(HERE, resolve=rebinding) as client:
        first = await client.send(Outgoing("POST", f"http://evil.example:{receiver.port}/"))
        assert first.status == 200  # asked once, and connected to that answer
        receiver.answer = "close"
        await client.send(Outgoing("POST", f"http://evil.example:{receiver.port}/"))  # ends the idle socket
        again = await client.send(Outgoing("POST", f"http://evil.example:{receiver.port}/"))
    assert again.fault == "forbidden_address"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
async def test_an_address_in_the_url_is_checked_like_any_other(receiver: Receiver, host: str) -> None:
    assert (await ask(GuardedClient(), f"http://{host}:{receiver.port}/")).fault == "url_address"
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "017700000001"])
async def test_other_spellings_of_an_address_are_not_asked(receiver: Receiver, host: str) -> None:
    assert (await ask(GuardedClient(HERE), f"http://{host}:{receiver.port}/")).fault == "url_host"
    assert receiver.received == []


async def test_the_system_s_names_of_this_machine_lead_home(receiver: Receiver) -> None:
    assert (await ask(GuardedClient(), f"http://localhost:{receiver.port}/")).fault == "forbidden_address"
    assert receiver.received == []


async def test_a_socket_is_looked_at_even_when_the_url_was_not() -> None:
    """The last look does not rely on the first: an address that slipped through reading is stopped at its socket."""
    client = GuardedClient()
    with pytest.raises(OSError, match="not permitted"):
        client._open_socket((2, 1, 6, "", ("127.0.0.1", 80)))


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer, receiver.location = "redirect", f"http://127.0.0.1:{receiver.port}/admin"
    found = await ask(GuardedClient(HERE), receiver.url)
    assert found.status == 302
    assert [request.path for request in receiver.received] == ["/hook"]


async def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await ask(GuardedClient(HERE), receiver.url)).status == 200


@pytest.mark.parametrize("how", ["hang", "drip"])
async def test_a_receiver_that_takes_its_time_is_left_at_the_deadline(receiver: Receiver, how: str) -> None:
    receiver.answer = how
    assert (await ask(GuardedClient(HERE, timeout_s=0.3), receiver.url)).fault == "timeout"


async def test_an_endless_answer_is_read_to_its_limit(receiver: Receiver) -> None:
    receiver.answer = "huge"
    found = await ask(GuardedClient(HERE), receiver.url)
    assert (found.status, len(found.body), found.fault) == (200, ANSWER_OCTETS, "")


async def test_faults_have_words(receiver: Receiver) -> None:
    receiver.answer = "close"
    assert (await ask(GuardedClient(HERE), receiver.url)).fault == "closed"
    assert (await ask(GuardedClient(HERE), f"https://127.0.0.1:{receiver.port}/")).fault == "tls"
    assert (await ask(GuardedClient(HERE, resolve=names()), "http://nobody.example/")).fault == "unresolved"


async def test_tls_names_the_host_and_believes_only_its_certificate(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    made = make_certificate(tmp_path, authority, subjects="DNS:hooks.example")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(made.certificate, made.key)
    asked: list[str | None] = []
    server.sni_callback = lambda _, name, __: asked.append(name)
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    resolve = names(hooks=["127.0.0.1"], other=["127.0.0.1"])
    async with webhook_receiver(server) as receiver:
        found = await ask(GuardedClient(HERE, trusting, resolve), f"https://hooks.example:{receiver.port}/")
        assert (found.status, asked) == (200, ["hooks.example"])
        assert (
            await ask(GuardedClient(HERE, trusting, resolve), f"https://other.example:{receiver.port}/")
        ).fault == "tls"
        assert (await ask(GuardedClient(HERE, None, resolve), f"https://hooks.example:{receiver.port}/")).fault == "tls"
        assert len(receiver.received) == 1
