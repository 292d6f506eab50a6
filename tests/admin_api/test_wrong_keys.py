"""Wrong API keys: whoever tries many waits, longer each time, and nobody else does; and whose address it is.

What must not enter: passwords of operators (test_signing_in.py) and of doors (doors/).
"""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from multidict import CIMultiDict

from admin_api import wrong_keys
from admin_api.listening import Peers, Room
from admin_api.wrong_keys import WrongKeys
from gateway.ingress.lockout import FORGET_S, FREE_SOURCE, LAST_DELAY_S
from gateway.storage.api_keys import make_key
from tests.admin_api.conftest import Api

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def fail(wrong: WrongKeys, times: int, now: float, address: str = HERE) -> float:
    """So many wrong keys, each as early as it may come; when the last came."""
    for _ in range(times):
        now += wrong.pause_s(address, now)
        wrong.wrong(address, now)
    return now


def test_pauses_begin_after_some_and_double_up_to_their_end() -> None:
    wrong = WrongKeys()
    now = fail(wrong, FREE_SOURCE, 0.0)
    assert wrong.pause_s(HERE, now) == 0.0
    pauses = []
    for _ in range(8):
        now = fail(wrong, 1, now)
        pauses.append(wrong.pause_s(HERE, now))
    assert pauses == [1, 2, 4, 8, 16, 32, LAST_DELAY_S, LAST_DELAY_S]
    assert wrong.pause_s(ELSEWHERE, now) == 0.0
    assert wrong.pause_s(HERE, now + FORGET_S + 1) == 0.0


def test_wrong_keys_that_were_asked_about_together_lengthen_a_pause_once() -> None:
    wrong = WrongKeys()
    now = fail(wrong, FREE_SOURCE, 0.0)
    for _ in range(50):
        wrong.wrong(HERE, now)
    assert wrong.pause_s(HERE, now) == 1.0


def test_a_right_key_begins_anew_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_keys, "REMEMBERED_LIMIT", 100)
    wrong = WrongKeys()
    now = fail(wrong, FREE_SOURCE + 3, 0.0)
    wrong.right(HERE)
    assert wrong.pause_s(HERE, now) == 0.0
    fail(wrong, FREE_SOURCE + 3, now)
    for number in range(100):
        wrong.wrong(f"2001:db8:0:{number:x}::1", now)
    assert wrong.pause_s(HERE, now) == 0.0, "the oldest is forgotten first"
    fail(wrong, FREE_SOURCE + 2, now, "2001:db8::1")
    assert wrong.pause_s("2001:db8::ffff:1", now) > 0, "one site of IPv6 is one source"


async def test_who_tries_many_keys_waits_and_a_right_key_beside_him_does_not(own_api: Api) -> None:
    api = own_api
    assert (await api.ask("GET", "/v1/balance")).status == 200
    refused = [await api.ask("GET", "/v1/balance", Authorization=f"Bearer {make_key()[0]}") for _ in range(40)]

    codes = [reply.json["code"] for reply in refused]
    assert codes[:FREE_SOURCE] == ["unauthenticated"] * FREE_SOURCE
    assert codes[-1] == "too_many_tries"
    assert (refused[-1].status, int(refused[-1].headers["Retry-After"]) >= 1) == (429, True)
    assert (await api.ask("GET", "/v1/balance")).status == 200
    french = await api.ask("GET", "/v1/balance", Authorization=f"Bearer {make_key()[0]}", Accept_Language="fr")
    assert "essais" in french.json["title"]


# ---------------------------------------------------------------- who asks


def request(remote: str, *forwarded: str) -> Any:
    """As much of a request as tells who asks."""
    return argparse.Namespace(remote=remote, headers=CIMultiDict(("X-Forwarded-For", each) for each in forwarded))


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),  # no proxy of ours: not believed
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("::ffff:10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.7",), "198.51.100.7"),  # what a client writes before it, counts nothing
        ("10.0.0.1", ("127.0.0.1", "198.51.100.7, 10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("x, 2001:db8::1",), "2001:db8::1"),
        ("10.0.0.1", (",".join(["10.0.0.2"] * 5000),), "10.0.0.2"),
    ],
)
def test_the_address_is_the_nearest_that_no_proxy_of_ours_has(
    remote: str, forwarded: tuple[str, ...], address: str
) -> None:
    assert Peers(["10.0.0.0/24"]).address_of(request(remote, *forwarded)) == address


def test_without_named_proxies_nobody_is_believed() -> None:
    assert Peers(()).address_of(request("127.0.0.1", "198.51.100.7")) == "127.0.0.1"
    with pytest.raises(ValueError, match="host bits"):
        Peers(["10.0.0.1/24"])


def test_connections_are_bounded_in_all_and_of_each_address_but_a_proxy() -> None:
    room = Room(5, 2, Peers(["10.0.0.1"]))
    assert [room.enter(HERE) for _ in range(3)] == [True, True, False]
    assert [room.enter("10.0.0.1") for _ in range(4)] == [True, True, True, False]
    room.leave(HERE)
    assert [room.enter(ELSEWHERE), room.enter(ELSEWHERE)] == [True, False]
    assert (room.count, room.refused) == (5, 3)
