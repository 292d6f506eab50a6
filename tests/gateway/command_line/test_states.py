"""Daily work without SQL: accounts, senders, routes, rates and blocks change their state, or are refused with a remedy.

What belongs here: the words an operator types. What must not enter: what nodes make of it (tests/gateway/accept).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.command_line.conftest import Passerelle


def account(passerelle: Passerelle, name: str = "shop") -> dict[str, Any]:
    (found,) = [each for each in passerelle("account", "list", "--json").json if each["name"] == name]
    return dict(found)


def test_an_account_is_suspended_resumed_and_closed_for_good(passerelle: Passerelle) -> None:
    passerelle("account", "add", "shop", "--credits", "5")
    assert passerelle("account", "resume", "shop").code == 1  # it is active
    assert passerelle("account", "suspend", "shop").code == 0
    assert account(passerelle)["state"] == "suspended"
    again = passerelle("account", "suspend", "shop")
    assert (again.code, "suspended already" in again.err) == (1, True)
    assert passerelle("account", "resume", "shop").code == 0
    assert account(passerelle)["state"] == "active"
    assert passerelle("account", "close", "shop").code == 0
    refused = passerelle("account", "resume", "shop")
    assert (refused.code, "account add" in refused.err) == (1, True)
    assert account(passerelle)["balance"] == "5"
    history = passerelle("account", "history", "shop", "--json").json
    assert [(row["field"], row["former"], row["became"]) for row in history] == [
        ("state", "active", "closed"),
        ("state", "suspended", "active"),
        ("state", "active", "suspended"),
    ]


def test_a_credit_limit_moves_but_not_above_what_is_owed(passerelle: Passerelle) -> None:
    passerelle("account", "add", "shop")
    assert passerelle("account", "limit", "shop", "12.5").code == 0
    assert account(passerelle)["credit_limit"] == "12.5"
    assert passerelle("account", "limit", "shop", "-1").code != 0
    assert passerelle("account", "limit", "shopp", "1").code == 1


@pytest.mark.parametrize(("word", "state"), [("refuse", "refused"), ("suspend", "suspended"), ("approve", "approved")])
def test_a_sender_name_is_decided(passerelle: Passerelle, word: str, state: str) -> None:
    passerelle("account", "add", "shop")
    passerelle("sender", "add", "ACME", "--account", "shop")
    assert passerelle("sender", word, "ACME", "--account", "shop").code == 0
    assert [each["state"] for each in passerelle("sender", "list", "--json").json] == [state]
    unknown = passerelle("sender", word, "ACMA", "--account", "shop")
    assert (unknown.code, "ACME" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    "name",
    [
        "TWELVELETTERS",
        "STOP",
        "Arret",
        "start",
        "112",
        "911",
        "12",
        "1" * 16,
        "+-+",
        "12 34",
        "é",
        " ACME",
        "[[[[[[",
        "`a",
    ],
)
def test_a_sender_that_no_handset_should_show_is_refused_with_a_remedy(passerelle: Passerelle, name: str) -> None:
    passerelle("account", "add", "shop")
    for language in ("en", "fr"):
        refused = passerelle("sender", "add", "--account", "shop", "--lang", language, "--", name)
        assert refused.code == 1
        assert len(refused.err.splitlines()) == 2, "what is wrong, and what to do"
    assert passerelle("sender", "list", "--json").json == []


def add_route(passerelle: Passerelle, *words: str) -> Any:
    return passerelle("route", "add", "--connector", "carrier-a", *words, "--json")


def test_a_route_is_disabled_and_enabled(passerelle: Passerelle) -> None:
    route_id = str(add_route(passerelle, "--to", "229").json["route_id"])
    assert passerelle("route", "disable", route_id).code == 0
    assert [each["state"] for each in passerelle("route", "list", "--json").json] == ["disabled"]
    assert passerelle("route", "enable", route_id).code == 0
    assert [each["state"] for each in passerelle("route", "list", "--json").json] == ["serves"]
    assert passerelle("route", "disable", "4711").code == 1
    assert passerelle("route", "enable", "4711").code == 1


def test_a_disabled_route_that_another_one_replaced_is_not_enabled_beside_it(passerelle: Passerelle) -> None:
    former = str(add_route(passerelle, "--to", "229").json["route_id"])
    passerelle("route", "disable", former)
    newer = add_route(passerelle, "--to", "229").json["route_id"]
    refused = passerelle("route", "enable", former)
    assert refused.code == 1
    assert f"route {newer} says the same" in refused.err


def test_routes_that_serve_nobody_are_marked_in_the_list_and_when_they_come(passerelle: Passerelle) -> None:
    wide = add_route(passerelle, "--to", "*", "--order", "10").json["route_id"]
    added = passerelle("route", "add", "--connector", "carrier-a", "--to", "229", "--order", "20")
    assert f"never serves: route {wide} takes all of it" in added.out
    narrow = add_route(passerelle, "--to", "33", "--order", "5").json["route_id"]
    states = {each["route_id"]: each["state"] for each in passerelle("route", "list", "--json").json}
    assert sorted(states.values()) == ["serves", "serves", "unreachable"]
    assert states[narrow] == "serves"
    late = passerelle("route", "add", "--connector", "carrier-a", "--to", "*", "--order", "1")
    assert f"route {narrow}: never serves" in late.out  # what a new route does to others is told too
    assert "ne sert jamais" in passerelle("route", "list", "--lang", "fr").out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--to", "/03"), "MCC"),
        (("--to", "22a9"), "22a9"),
        (("--to", "*", "--order", "99999999999"), "99999999999"),
        (("--to", "*", "--weight", "99999999999"), "99999999999"),
        (("--to", "*", "--weight", "0"), "0"),
        (("--to", "*", "--sender", "TWELVELETTERS"), "TWELVELETTERS"),
        (("--to", "*", "--window", "Mon-Fri 8-20"), "8-20"),
        (("--to", "*", "--window", "Sun 22:00-26:00"), "26:00"),
        (("--to", "*", "--window", "Mon 08:60-09:00"), "08:60"),
        (("--to", "*", "--window", "Mox 08:00-09:00"), "Mox"),
        (("--to", "*", "--account", "shopp"), "shopp"),
        (("--to", "*", "--class", "otpp"), "otpp"),
    ],
)
def test_a_wrong_route_is_refused_with_reason_and_remedy_in_both_languages(
    passerelle: Passerelle, words: tuple[str, ...], complaint: str
) -> None:
    passerelle("account", "add", "shop")
    for language in ("en", "fr"):
        refused = passerelle("route", "add", "--connector", "carrier-a", *words, "--lang", language)
        assert refused.code == 1
        assert complaint in refused.err
        assert len(refused.err.splitlines()) == 2, "what is wrong, and what to do"
    assert passerelle("route", "list", "--json").json == []


def test_a_window_over_the_end_of_the_week_is_taken_as_its_days(passerelle: Passerelle) -> None:
    add_route(passerelle, "--to", "*", "--window", "Sat-Mon 20:00-24:00")
    (found,) = passerelle("route", "list", "--json").json
    assert found["window"] == "Mon 20:00-24:00, Sat 20:00-24:00, Sun 20:00-24:00"


@pytest.mark.parametrize(
    "words",
    [
        ("--to", "229", "--credits", "0"),
        ("--to", "229", "--credits", "-1"),
        ("--to", "229", "--credits", "10001"),
        ("--to", "229", "--credits", "9" * 30),
        ("--to", "229", "--credits", "1e3"),
        ("--to", "229", "--credits", "0,5"),
        ("--to", "229", "--credits", "0.0000001"),
        ("--to", "+229", "--credits", "1"),
        ("--to", "229x", "--credits", "1"),
        ("--to", "229", "--credits", "1", "--account", "shopp"),
    ],
)
def test_a_wrong_rate_is_refused_with_reason_and_remedy_in_both_languages(
    passerelle: Passerelle, words: tuple[str, ...]
) -> None:
    passerelle("account", "add", "shop")
    for language in ("en", "fr"):
        refused = passerelle("rate", "add", *words, "--lang", language)
        assert refused.code == 1
        assert len(refused.err.splitlines()) == 2, "what is wrong, and what to do"
    assert passerelle("rate", "list", "--json").json == []


def test_a_rate_of_nothing_is_taken_when_it_is_meant(passerelle: Passerelle) -> None:
    assert passerelle("rate", "add", "--to", "229", "--credits", "0", "--free").code == 0
    assert [each["credits"] for each in passerelle("rate", "list", "--json").json] == ["0"]


def test_a_rate_is_removed_and_stays_as_history(passerelle: Passerelle) -> None:
    passerelle("rate", "add", "--to", "229", "--credits", "2")
    assert passerelle("rate", "remove", "--to", "229", "--account", "nobody").code == 1
    assert passerelle("rate", "remove", "--to", "229").code == 0
    assert passerelle("rate", "remove", "--to", "229").code == 1
    assert passerelle("rate", "list", "--json").json == []
    assert len(passerelle("rate", "list", "--history", "--json").json) == 1


def test_a_block_is_removed_but_a_persons_wish_only_with_his_consent(passerelle: Passerelle) -> None:
    forbidden = passerelle("block", "add", "--to", "229", "--reason", "law", "--json").json["block_id"]
    wish = passerelle("block", "add", "--to", "2290197000001", "--reason", "said so", "--opt-out", "--json").json
    assert passerelle("block", "remove", str(forbidden)).code == 0
    assert passerelle("block", "remove", str(forbidden)).code == 1
    refused = passerelle("block", "remove", str(wish["block_id"]))
    assert (refused.code, "--consent" in refused.err) == (1, True)
    assert len(passerelle("block", "list", "--json").json) == 1
    assert passerelle("block", "remove", str(wish["block_id"]), "--consent", "by phone").code == 0
    assert passerelle("block", "list", "--json").json == []
    again = passerelle("block", "add", "--to", "2290197000001", "--reason", "again", "--opt-out")
    assert again.code == 0  # what was taken back stands in nobody's way


def test_a_login_without_class_has_the_configured_one(passerelle: Passerelle, config_file: Any) -> None:
    config_file.write_text(config_file.read_text() + '\n[policy]\ndefault_traffic_class = "otp"\n')
    passerelle("account", "add", "shop")
    words = ("esme", "add", "--account", "shop", "--password-stdin")
    assert passerelle(*words, "one", stdin="secret12\n").code == 0
    assert passerelle(*words, "two", "--class", "marketing", stdin="secret12\n").code == 0
    classes = {each["system_id"]: each["traffic_class"] for each in passerelle("esme", "list", "--json").json}
    assert classes == {"one": "otp", "two": "marketing"}
