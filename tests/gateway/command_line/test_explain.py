"""`passerelle explain`: everything that decides about a message, in words, and an exit code for programs.

What belongs here: the words an operator types and the document he gets. What must not enter: the rules
(tests/gateway/accept/test_explanation.py).
"""

from __future__ import annotations

import json

import asyncpg
import pytest

from tests.gateway.command_line.conftest import Passerelle

HANDSET = "+229 01 97 00 00 01"
ASK = ("explain", "--from", "ACME", "--to", HANDSET, "--account", "shop")


@pytest.fixture
def shop(passerelle: Passerelle) -> Passerelle:
    """An account with a name, a rate, a range and two routes."""
    for words in (
        ("account", "add", "shop", "--credits", "10", "--region", "BJ"),
        ("sender", "add", "ACME", "--account", "shop", "--approved"),
        ("sender", "add", "OTHER", "--account", "shop"),
        ("route", "add", "--to", "229", "--connector", "carrier-a", "--order", "10", "--class", "marketing"),
        ("route", "add", "--to", "*", "--connector", "carrier-a"),
        ("route", "add", "--to", "33", "--connector", "carrier-a"),
        ("rate", "add", "--to", "229", "--credits", "2.5", "--account", "shop"),
        ("range", "add", "22901", "--network", "616/03", "--operator", "MTN"),
    ):
        assert passerelle(*words).code == 0, words
    return passerelle


def test_what_would_be_accepted_is_told_with_all_that_decides(shop: Passerelle) -> None:
    done = shop(*ASK, "--text", "Votre code : 1234", "--class", "otp", "--json")
    assert done.code == 0
    told = done.json
    assert (told["to"], told["country"], told["network"]) == ("2290197000001", "BJ", "616/03 MTN")
    assert (told["sender"], told["traffic_class"], told["alphabet"], told["parts"]) == ("approved", "otp", "gsm7", 1)
    assert (told["price"], told["balance"], told["refused"]) == ("2.5", "10", None)
    assert told["rate"] == "2.5 a part: 229, of this account"
    assert (told["connector"], told["waiting"]) == ("carrier-a", True)  # no node lives
    assert [(each["to"], each["verdict"]) for each in told["candidates"]] == [("229", "other_class"), ("*", "chosen")]
    assert told["routes_elsewhere"] == 1
    assert told["answer"] == "ESME_ROK (0x00)"


def test_the_character_that_doubles_the_price_is_named_and_what_gsm_mode_would_save(shop: Passerelle) -> None:
    told = shop(*ASK, "--text", "ça " * 40, "--json").json
    assert (told["alphabet"], told["beyond_gsm"], told["parts"], told["parts_in_gsm_mode"]) == ("ucs2", ["ç"], 2, 1)
    assert told["gsm_mode_changes"] == ["ç > c"]
    assert "".join(told["pieces"]) == "ça " * 40


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--from", "OTHER"), "sender_not_owned"),
        (("--to", "97"), "destination_invalid"),
        (("--text", "a" * 700), "no_credit"),
        (("--text", "a" * 2000), "too_many_parts"),
    ],
)
def test_what_would_be_refused_ends_with_1_and_the_reason(
    shop: Passerelle, words: tuple[str, ...], refusal: str
) -> None:
    done = shop(*ASK, "--text", "hello", *words, "--json")
    assert done.code == 1
    assert done.json["refused"] == refusal
    spoken = shop(*ASK, "--text", "hello", *words, "--lang", "fr")
    assert spoken.code == 1
    assert f"il serait refusé : {refusal}" in spoken.out


def test_a_time_window_is_judged_at_the_time_that_is_asked_about(shop: Passerelle) -> None:
    for route in shop("route", "list", "--json").json:
        shop("route", "remove", str(route["route_id"]))
    shop("route", "add", "--to", "*", "--connector", "carrier-a", "--window", "Mon 08:00-12:00")
    open_ = shop(*ASK, "--text", "x", "--at", "2026-11-23T09:00", "--json")
    shut = shop(*ASK, "--text", "x", "--at", "2026-11-23T13:00", "--json")
    assert (open_.code, shut.code) == (0, 1)
    assert (shut.json["refused"], shut.json["candidates"][0]["verdict"]) == ("no_route", "outside_window")


def test_blocks_and_opt_outs_are_named(shop: Passerelle) -> None:
    shop("block", "add", "--to", "2290197", "--reason", "a court order")
    done = shop(*ASK, "--text", "x", "--json")
    assert (done.code, done.json["refused"]) == (1, "destination_blocked")
    assert "a court order" in done.json["blocks"][0]


async def test_health_is_what_living_nodes_say(shop: Passerelle, database: str) -> None:
    live = {"binds": [{"side": "carrier", "name": "carrier-a", "state": "bound"}]}
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO nodes (name, seen_at, live) VALUES ('a', now(), $1)", json.dumps(live))
    await connection.close()
    done = await in_a_thread(shop, *ASK, "--text", "x", "--json")
    assert (done["candidates"][1]["health"], done["waiting"]) == ("up", False)


async def in_a_thread(passerelle: Passerelle, *words: str) -> dict[str, object]:
    """A command runs a loop of its own."""
    import asyncio

    outcome = await asyncio.to_thread(passerelle, *words)
    document: dict[str, object] = outcome.json
    return document


def test_route_test_is_explain(shop: Passerelle) -> None:
    words = (
        "--from",
        "ACME",
        "--to",
        HANDSET,
        "--account",
        "shop",
        "--text",
        "x",
        "--json",
        "--at",
        "2026-11-23T09:00",
    )
    assert shop("route", "test", *words).json == shop("explain", *words).json


def test_an_unknown_account_is_refused_with_the_nearest(shop: Passerelle) -> None:
    refused = shop("explain", "--from", "A", "--to", "229", "--text", "x", "--account", "shopp")
    assert refused.code == 1
    assert "did you mean shop?" in refused.err
