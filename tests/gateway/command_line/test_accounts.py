"""`passerelle account`, `esme`, `sender`: what they write, and what they refuse with which reason.

What belongs here: the words an operator types. What must not enter: statements.
"""

from __future__ import annotations

import argon2
import pytest

from gateway.command_line.accounts import hash_password
from tests.gateway.command_line.conftest import Passerelle


def test_an_account_opens_with_its_credits_posted(passerelle: Passerelle) -> None:
    assert passerelle("account", "add", "demo", "--credits", "100.5").code == 0
    listed = passerelle("account", "list", "--json").json
    assert [(row["name"], row["balance"], row["balance_micros"]) for row in listed] == [("demo", "100.5", 100_500_000)]
    assert passerelle("check", "--json").json["ok"] is True


def test_a_top_up_adds_to_the_balance(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo", "--credits", "1")
    answer = passerelle("account", "top-up", "demo", "0.000001", "--reason", "cash", "--json")
    assert answer.json["balance"] == "1.000001"


@pytest.mark.parametrize(
    "words",
    [
        ("account", "add", "demo", "--credits", "1e3"),
        ("account", "add", "demo", "--credits", "0.0000001"),
        ("account", "add", "demo", "--credits", "-1"),
        ("account", "add", "demo", "--credits", "NaN"),
        ("account", "add", ""),
        ("account", "add", "de\nmo"),
        ("account", "add", "demo", "--region", "Benin"),
    ],
)
def test_a_wrong_account_is_refused_and_nothing_is_written(passerelle: Passerelle, words: tuple[str, ...]) -> None:
    refused = passerelle(*words)
    assert refused.code == 1
    assert refused.err.startswith("passerelle: ")
    assert passerelle("account", "list", "--json").json == []


def test_a_second_account_of_a_name_is_refused_with_the_way_to_more_credit(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    refused = passerelle("account", "add", "demo", "--credits", "5")
    assert (refused.code, refused.out) == (1, "")
    assert "top-up demo" in refused.err
    assert passerelle("account", "list", "--json").json[0]["balance"] == "0"


def test_an_unknown_account_is_named_with_the_nearest(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demonstration")
    refused = passerelle("account", "top-up", "demonstratoin", "1", "--reason", "cash")
    assert refused.code == 1
    assert "demonstratoin" in refused.err
    assert "did you mean demonstration?" in refused.err


@pytest.mark.parametrize("words", [("0", "--reason", "cash"), ("1", "--reason", " ")])
def test_a_top_up_of_nothing_or_without_reason_is_refused(passerelle: Passerelle, words: tuple[str, ...]) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("account", "top-up", "demo", *words).code == 1


def test_an_esme_is_stored_with_an_argon2id_hash_of_its_password(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    words = ("--max-binds", "3", "--window", "50", "--tps", "7", "--allow", "192.0.2.0/24", "--allow", "2001:db8::1")
    added = passerelle("esme", "add", "reseller", "--account", "demo", "--password-stdin", *words, stdin="secret12\n")
    assert added.code == 0
    (row,) = passerelle("esme", "list", "--json").json
    assert row == {
        "system_id": "reseller",
        "account": "demo",
        "state": "active",
        "max_binds": 3,
        "max_transmitters": 1000,
        "max_receivers": 1000,
        "max_transceivers": 1000,
        "window_size": 50,
        "tps": 7,
        "allow_cidrs": ["192.0.2.0/24", "2001:db8::1/128"],
        "traffic_class": "transactional",
        "former_password_until": None,
    }


def test_the_hash_verifies_the_password_and_no_other() -> None:
    stored = hash_password("secret12")
    assert stored.startswith("$argon2id$")
    assert argon2.PasswordHasher().verify(stored, "secret12")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(stored, "secret13")


@pytest.mark.parametrize(
    ("system_id", "password", "words", "reason"),
    [
        ("reseller", "123456789\n", (), "9 octets"),
        ("reseller", "\n", (), "0 octets"),
        ("reseller", "pässwrd\n", (), "ASCII"),
        ("a-system-id-of-16", "secret\n", (), "17 octets"),
        ("two\twords", "secret\n", (), "ASCII"),
        ("reseller", "secret\n", ("--allow", "192.0.2.1/24"), "192.0.2.1/24"),
        ("reseller", "secret\n", ("--class", "bulk"), "bulk"),
    ],
)
def test_a_wrong_esme_is_refused_with_its_reason(
    passerelle: Passerelle, system_id: str, password: str, words: tuple[str, ...], reason: str
) -> None:
    passerelle("account", "add", "demo")
    refused = passerelle("esme", "add", system_id, "--account", "demo", "--password-stdin", *words, stdin=password)
    assert refused.code == 1
    assert reason in refused.err
    assert passerelle("esme", "list", "--json").json == []


def test_a_password_never_is_an_argument(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    refused = passerelle("esme", "add", "reseller", "--account", "demo")
    assert refused.code == 1
    assert "--password-stdin" in refused.err


def test_a_second_esme_of_a_system_id_is_refused(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    words = ("esme", "add", "reseller", "--account", "demo", "--password-stdin")
    assert passerelle(*words, stdin="secret\n").code == 0
    assert passerelle(*words, stdin="other\n").code == 1


def test_a_sender_name_is_requested_then_approved(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    passerelle("sender", "add", "ACME", "--account", "demo")
    passerelle("sender", "add", "+22990123456", "--account", "demo", "--approved")
    assert passerelle("sender", "approve", "ACNE", "--account", "demo").code == 1
    assert passerelle("sender", "approve", "ACME", "--account", "demo").code == 0
    listed = passerelle("sender", "list", "--account", "demo", "--json").json
    assert [(row["name"], row["state"]) for row in listed] == [("22990123456", "approved"), ("ACME", "approved")]


@pytest.mark.parametrize("name", ["TWELVE CHARS", "", " ACME", "été", "12", "1234567890123456"])
def test_a_name_that_no_handset_shows_is_refused(passerelle: Passerelle, name: str) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("sender", "add", name, "--account", "demo").code == 1


def test_what_looks_like_a_protected_name_is_approved_with_a_reason_only(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("sender", "add", "EC0BANK", "--account", "demo", "--approved").code == 1
    assert passerelle("sender", "add", "EC0BANK", "--account", "demo").code == 0
    refused = passerelle("sender", "approve", "EC0BANK", "--account", "demo")
    assert (refused.code, "Ecobank" in refused.err) == (1, True)
    assert passerelle("sender", "approve", "EC0BANK", "--account", "demo", "--override", " ").code == 1
    assert passerelle("sender", "approve", "EC0BANK", "--account", "demo", "--override", "the bank").code == 0
    words = ("sender", "add", "0RANGE", "--account", "demo", "--approved", "--override", "their letter")
    assert passerelle(*words).code == 0


def test_a_decision_follows_where_the_state_permits_it(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    passerelle("sender", "add", "ACME", "--account", "demo")
    assert passerelle("sender", "suspend", "ACME", "--account", "demo").code == 0
    again = passerelle("sender", "suspend", "ACME", "--account", "demo", "--lang", "fr")
    assert (again.code, "ACME" in again.err) == (1, True)
    assert passerelle("sender", "refuse", "ACME", "--account", "demo").code == 0


def test_a_sender_name_is_registered_once(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    assert passerelle("sender", "add", "ACME", "--account", "demo").code == 0
    refused = passerelle("sender", "add", "ACME", "--account", "demo", "--approved")
    assert refused.code == 1
    assert "sender approve ACME --account demo" in refused.err
