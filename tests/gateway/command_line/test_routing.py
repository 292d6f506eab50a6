"""`passerelle route`, `rate`, `number`, `block`, `range`: what they write, and what they refuse.

What belongs here: the words an operator types. What must not enter: the router's own rules (tests/router).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from gateway.command_line.refusals import Refusal
from gateway.command_line.week import format_windows, parse_windows
from tests.gateway.command_line.conftest import Passerelle


def test_a_route_to_a_configured_connector_is_listed_in_the_order_it_is_asked(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("route", "add", "--to", "*", "--connector", "carrier-a", "--order", "200").code == 0
    narrow = ("--order", "10", "--weight", "3", "--account", "demo", "--sender", "ACME", "--class", "otp")
    words = ("route", "add", "--to", "616/03", "--connector", "carrier-a", *narrow, "--window", "Mon-Tue 08:00-20:00")
    assert passerelle(*words).code == 0
    first, second = passerelle("route", "list", "--json").json
    assert (first["to"], first["order"], first["weight"], first["account"]) == ("616/03", 10, 3, "demo")
    assert (first["sender"], first["traffic_class"], first["windows"]) == ("ACME", "otp", [480, 1200, 1920, 2640])
    assert (second["to"], second["connector"], second["window"]) == ("*", "carrier-a", "")


def test_a_route_to_an_unknown_connector_is_refused_with_those_that_exist(passerelle: Passerelle) -> None:
    refused = passerelle("route", "add", "--to", "*", "--connector", "carrier-b")
    assert refused.code == 1
    assert "carrier-b" in refused.err
    assert "did you mean carrier-a?" in refused.err


def test_a_connector_that_left_the_configuration_is_still_known_by_its_row(
    passerelle: Passerelle, config_file: Path
) -> None:
    passerelle("route", "add", "--to", "*", "--connector", "carrier-a")
    config_file.write_text(config_file.read_text().replace("carrier-a", "carrier-z"))
    assert passerelle("route", "add", "--to", "229", "--connector", "carrier-a").code == 0
    assert passerelle("route", "add", "--to", "228", "--connector", "carrier-z").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--to", "00229"),
        ("--to", "+229"),
        ("--to", ""),
        ("--to", "616/x"),
        ("--to", "61/03"),
        ("--to", "*", "--weight", "0"),
        ("--to", "*", "--weight", "10001"),
        ("--to", "*", "--order", "-1"),
        ("--to", "*", "--class", "bulk"),
        ("--to", "*", "--sender", "x" * 21),
        ("--to", "*", "--window", "Mon 20:00-08:00"),
        ("--to", "*", "--account", "nobody"),
    ],
)
def test_a_wrong_route_is_refused_and_nothing_is_written(passerelle: Passerelle, words: tuple[str, ...]) -> None:
    assert passerelle("route", "add", "--connector", "carrier-a", *words).code == 1
    assert passerelle("route", "list", "--json").json == []


def test_a_route_that_says_the_same_as_another_is_refused(passerelle: Passerelle) -> None:
    words = ("route", "add", "--to", "229", "--connector", "carrier-a")
    assert passerelle(*words).code == 0
    assert passerelle(*words).code == 1
    assert passerelle(*words, "--order", "5").code == 0


def test_a_removed_route_leaves_the_list(passerelle: Passerelle) -> None:
    route_id = passerelle("route", "add", "--to", "*", "--connector", "carrier-a", "--json").json["route_id"]
    assert passerelle("route", "remove", str(route_id)).code == 0
    assert passerelle("route", "remove", str(route_id)).code == 1


def test_a_rate_says_which_it_replaces(passerelle: Passerelle) -> None:
    assert passerelle("rate", "add", "--to", "*", "--credits", "1", "--json").json["before"] is None
    assert passerelle("rate", "add", "--to", "*", "--credits", "0.035", "--json").json["before"] == "1"
    assert [row["credits"] for row in passerelle("rate", "list", "--json").json] == ["0.035"]
    assert len(passerelle("rate", "list", "--history", "--json").json) == 2
    assert passerelle("rate", "add", "--to", "00", "--credits", "1").code == 1


def test_no_rate_lets_an_account_pay_less_than_the_one_above_it(passerelle: Passerelle, database: str) -> None:
    for name in ("reseller", "shop"):
        passerelle("account", "add", name)
    asyncio.run(put_below(database, "shop", "reseller"))
    rate = ("rate", "add", "--to", "229", "--credits")
    assert passerelle(*rate, "0.5", "--account", "reseller").code == 0
    assert passerelle(*rate, "0.5", "--account", "shop").code == 0
    for words in (
        (*rate, "0.4", "--account", "shop"),
        (*rate, "0.6", "--account", "reseller"),
        ("rate", "remove", "--to", "229", "--account", "reseller"),
    ):
        refused = passerelle(*words)
        assert (refused.code, "account shop would pay" in refused.err) == (1, True)
    rows = passerelle("rate", "list", "--json").json
    assert {(row["account"], row["credits"]) for row in rows} == {("reseller", "0.5"), ("shop", "0.5")}


async def put_below(dsn: str, name: str, parent: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        parent_id = await connection.fetchval("SELECT account_id FROM accounts WHERE name = $1", parent)
        await connection.execute("UPDATE accounts SET parent_account_id = $1 WHERE name = $2", parent_id, name)
    finally:
        await connection.close()


def test_an_inbound_number_belongs_to_one_esme(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    passerelle("esme", "add", "reseller", "--account", "demo", "--password-stdin", stdin="secret\n")
    assert passerelle("number", "add", "8080", "--esme", "reseler").code == 1
    assert passerelle("number", "add", "8080", "--esme", "reseller").code == 0
    assert passerelle("number", "add", "+8080", "--esme", "reseller").code == 1
    assert passerelle("number", "add", "not an address", "--esme", "reseller").code == 1
    (row,) = passerelle("number", "list", "--json").json
    assert row == {"address": "8080", "account": "demo", "system_id": "reseller"}


def test_a_block_needs_a_reason_and_stands_once(passerelle: Passerelle) -> None:
    words = ("block", "add", "--to", "+22990123456", "--opt-out", "--reason")
    assert passerelle(*words, " ").code == 1
    assert passerelle(*words, "STOP by SMS").code == 0
    assert passerelle(*words, "STOP by SMS").code == 1
    (row,) = passerelle("block", "list", "--json").json
    assert (row["prefix"], row["kind"], row["account"]) == ("22990123456", "opt_out", None)
    assert row["reason"] == "STOP by SMS"


def test_a_persons_wish_towards_one_account_is_an_opt_out(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    words = ("block", "add", "--to", "+2290197000001", "--opt-out", "--account", "demo", "--reason")
    assert passerelle(*words, " ").code == 1
    assert passerelle("block", "add", "--to", "229", "--opt-out", "--account", "demo", "--reason", "x").code == 1
    told = passerelle(*words, "his letter", "--json").json
    assert (told["to"], told["kind"], told["block_id"]) == ("2290197000001", "opt_out", None)
    (row,) = passerelle("inbound", "opt-out", "list", "--account", "demo", "--json").json
    assert (row["number"], row["opted_out"], row["word"]) == ("2290197000001", True, "his letter")
    assert passerelle("block", "list", "--json").json == []


@pytest.mark.parametrize(("network", "code"), [("616/03", 0), ("616", 1), ("616/*", 1), ("6160/3", 1)])
def test_a_range_names_a_network(passerelle: Passerelle, network: str, code: int) -> None:
    assert passerelle("range", "add", "22990", "--network", network, "--operator", "MTN").code == code


@pytest.mark.parametrize(
    ("texts", "minutes", "shown"),
    [
        ([], [], ""),
        (["Mon 08:00-20:00"], [480, 1200], "Mon 08:00-20:00"),
        (["lun-mar 8:00-20:00"], [480, 1200, 1920, 2640], "Mon 08:00-20:00, Tue 08:00-20:00"),
        (["sat-mon 00:00-24:00"], [0, 1440, 7200, 10080], "Mon 00:00-24:00, Sat 00:00-Sun 24:00"),
        (["wed 10:00-12:00", "wed 11:00-13:00"], [3480, 3660], "Wed 10:00-13:00"),
    ],
)
def test_hours_of_the_week_are_read_in_two_languages(texts: list[str], minutes: list[int], shown: str) -> None:
    assert parse_windows(texts) == minutes
    assert format_windows(minutes) == shown


@pytest.mark.parametrize("text", ["", "Mon", "Mon 8-20", "Xyz 08:00-20:00", "Mon 08:60-09:00", "Mon 08:00-25:00"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse_windows([text])


def test_a_disabled_sender_is_shown_with_its_routes_and_allowed_again(passerelle: Passerelle, database: str) -> None:
    async def execute(query: str) -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(query)
        await connection.close()

    passerelle("route", "add", "--to", "*", "--connector", "carrier-a")
    refused = passerelle("route", "allow-sender", "ACME", "--connector", "carrier-a")
    assert (refused.code, "not disabled on carrier-a" in refused.err) == (1, True)
    insert = "INSERT INTO refused_senders SELECT connector_id, 'acme', 'ESME_RINVSRCADR', 0 FROM connectors"
    asyncio.run(execute(insert))
    assert [row["senders_disabled"] for row in passerelle("route", "list", "--json").json] == [["acme"]]
    assert "ESME_RINVSRCADR" in passerelle("route", "allow-sender", "ACME", "--connector", "carrier-a").out
    assert [row["senders_disabled"] for row in passerelle("route", "list", "--json").json] == [[]]
    assert passerelle("route", "allow-sender", "ACME", "--connector", "carrier-z").code == 1
