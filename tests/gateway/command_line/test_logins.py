"""`passerelle esme set`, `suspend`, `resume`, `rotate`, `account set`: what they write, and what they refuse.

What belongs here: the words an operator types. What must not enter: statements, living nodes (tests/gateway/ingress).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.command_line.conftest import Passerelle

Login = Callable[[], dict[str, Any]]


@pytest.fixture
def login(passerelle: Passerelle) -> Login:
    """An account with a login; how it stands now."""
    passerelle("account", "add", "demo")
    added = passerelle("esme", "add", "reseller", "--account", "demo", "--password-stdin", stdin="secret12\n")
    assert added.code == 0

    def look() -> dict[str, Any]:
        (row,) = passerelle("esme", "list", "--json").json
        return dict(row)

    return look


def test_each_limit_of_a_login_is_set_by_itself_and_the_others_stay(passerelle: Passerelle, login: Login) -> None:
    told: dict[str, tuple[str, Any]] = {
        "max_binds": ("--max-binds", 7),
        "max_transmitters": ("--max-transmitters", 0),
        "max_receivers": ("--max-receivers", 2),
        "max_transceivers": ("--max-transceivers", 3),
        "window_size": ("--window", 40),
        "tps": ("--tps", 55),
        "traffic_class": ("--class", "otp"),
    }
    expected = login()
    for column, (option, value) in told.items():
        assert passerelle("esme", "set", "reseller", option, str(value)).code == 0
        assert expected[column] != value
        expected[column] = value
        assert login() == expected
    assert passerelle("esme", "set", "reseller", "--tps", "0").code == 0
    assert login()["tps"] == 0


def test_wishes_about_receipts_are_set_and_every_change_is_remembered(passerelle: Passerelle, login: Login) -> None:
    words = ("--receipts-first", "newest", "--receipt-for-each-part")
    assert passerelle("esme", "set", "reseller", *words).code == 0
    assert passerelle("esme", "set", "reseller", "--tps", "5", "--one-receipt").code == 0
    rotated = passerelle("esme", "rotate", "reseller", "--password-stdin", "--grace", "0", stdin="another1\n")
    assert rotated.code == 0
    told = passerelle("esme", "history", "reseller", "--json").json
    assert [(row["field"], row["former"], row["became"]) for row in told] == [
        ("password_hash", "", ""),
        ("receipt_for_each_part", "true", "false"),
        ("tps", "0", "5"),
        ("receipt_for_each_part", "false", "true"),
        ("receipts_first", "oldest", "newest"),
    ]
    wrong = passerelle("esme", "set", "reseller", "--receipts-first", "loudest")
    assert (wrong.code, "write one of oldest, newest" in wrong.err) == (1, True)


def test_networks_are_replaced_whole_and_lifted(passerelle: Passerelle, login: Login) -> None:
    for words in (("--allow", "192.0.2.0/24"), ("--allow", "2001:db8::/32", "--allow", "198.51.100.7")):
        assert passerelle("esme", "set", "reseller", *words).code == 0
    assert login()["allow_cidrs"] == ["2001:db8::/32", "198.51.100.7/32"]
    assert passerelle("esme", "set", "reseller", "--allow-anywhere").code == 0
    assert login()["allow_cidrs"] == []


def test_a_login_is_suspended_and_resumed(passerelle: Passerelle, login: Login) -> None:
    assert passerelle("esme", "suspend", "reseller").code == 0
    assert login()["state"] == "suspended"
    assert passerelle("esme", "resume", "reseller").code == 0
    assert login()["state"] == "active"


def test_a_former_password_lives_for_its_grace_and_can_be_ended(passerelle: Passerelle, login: Login) -> None:
    before = datetime.datetime.now(datetime.UTC)
    rotated = passerelle("esme", "rotate", "reseller", "--password-stdin", "--grace", "2", "--json", stdin="another1\n")
    assert rotated.code == 0
    until = datetime.datetime.fromisoformat(rotated.json["until"])
    assert datetime.timedelta(hours=2) <= until - before + datetime.timedelta(milliseconds=1)
    assert login()["former_password_until"] is not None
    assert passerelle("esme", "rotate", "reseller", "--confirm").code == 0
    assert login()["former_password_until"] is None
    again = passerelle("esme", "rotate", "reseller", "--confirm")
    assert (again.code, "no former password" in again.err) == (1, True)


def test_no_grace_leaves_no_former_password(passerelle: Passerelle, login: Login) -> None:
    words = ("esme", "rotate", "reseller", "--password-stdin", "--grace", "0")
    assert passerelle(*words, stdin="another1\n").code == 0
    assert login()["former_password_until"] is None


def test_rates_of_an_account_are_set_each_by_itself(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("account", "set", "demo", "--tps", "5", "--per-day", "100").code == 0
    assert passerelle("account", "set", "demo", "--per-minute", "60").code == 0
    (row,) = passerelle("account", "list", "--json").json
    assert (row["tps"], row["per_minute"], row["per_day"]) == (5, 60, 100)
    assert passerelle("account", "set", "demo", "--tps", "0").code == 0
    assert passerelle("account", "list", "--json").json[0]["tps"] == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("esme", "set", "reseller"), "nothing to change"),
        (("esme", "set", "reseler", "--tps", "1"), "did you mean reseller?"),
        (("esme", "set", "reseller", "--allow", "192.0.2.1/24"), "not a network"),
        (("esme", "set", "reseller", "--allow", "192.0.2.0/24", "--allow-anywhere"), "contradict"),
        (("esme", "set", "reseller", "--class", "vip"), "vip"),
        (("esme", "suspend", "reseler"), "did you mean reseller?"),
        (("esme", "resume", "reseler"), "did you mean reseller?"),
        (("esme", "rotate", "reseler", "--password-stdin"), "did you mean reseller?"),
        (("esme", "rotate", "reseler", "--confirm"), "did you mean reseller?"),
        (("account", "set", "demo"), "nothing to change"),
        (("account", "set", "dmeo", "--tps", "1"), "did you mean demo?"),
    ],
)
def test_a_wrong_word_is_refused_with_its_remedy_and_nothing_changes(
    passerelle: Passerelle, login: Login, words: tuple[str, ...], reason: str
) -> None:
    before = login()
    refused = passerelle(*words, stdin="another1\n")
    assert refused.code == 1
    assert reason in refused.err
    assert login() == before
