"""`passerelle inbound`: routes, messages that nobody got, opt-outs; what they write, and what they refuse.

What must not enter: whose a message is (tests/gateway/accept), a living node (test_inbound_road.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from gateway.message import Envelope
from gateway.storage.messages import encode_envelope
from tests.gateway.command_line.conftest import Passerelle

STORE = """
INSERT INTO inbound_messages (message_id, connector_id, source_addr, destination_addr, data_coding, user_data, envelope,
                              state, received_at_ms, part_count, parts_missing, why)
VALUES ($1, 1, '2290197000001', $2, 0, $3, $4, $5, 1, 3, 1, 'nobody has the number')
"""


@pytest.fixture
def logins(passerelle: Passerelle) -> Passerelle:
    """Two accounts, a login each."""
    for name in ("ours", "other"):
        assert passerelle("account", "add", name).code == 0
        words = ("esme", "add", f"{name}1", "--account", name, "--password-stdin")
        assert passerelle(*words, stdin="secret12\n").code == 0
    return passerelle


def ask(dsn: str, query: str, *arguments: object) -> Any:
    """One value of the rows."""

    async def work() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    return asyncio.run(work())


def store(dsn: str, message_id: int, to: str = "36000", text: bytes = b"Meteo", state: str = "unrouted") -> None:
    ask(dsn, STORE, message_id, to, text, encode_envelope(Envelope()), state)


def test_routes_are_listed_the_most_particular_first_with_folded_keywords(logins: Passerelle) -> None:
    assert logins("inbound", "route", "add", "36*", "--esme", "ours1").code == 0
    assert logins("inbound", "route", "add", "36000", "--esme", "other1", "--keyword", " MÉTÉO ").code == 0
    assert logins("inbound", "route", "add", "*", "--esme", "ours1", "--order", "5").code == 0
    rows = logins("inbound", "route", "list", "--json").json
    assert [(r["number"], r["keyword"], r["account"]) for r in rows] == [
        ("36000", "meteo", "other"), ("36*", None, "ours"), ("*", None, "ours"),
    ]  # fmt: skip
    assert logins("inbound", "route", "remove", str(rows[0]["route_id"])).code == 0
    assert len(logins("inbound", "route", "list", "--json").json) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("route", "add", "36 000", "--esme", "ours1"), "is not a number handsets write to"),
        (("route", "add", "", "--esme", "ours1"), "is not a number handsets write to"),
        (("route", "add", "3**", "--esme", "ours1"), "is not a number handsets write to"),
        (("route", "add", "36000", "--esme", "ours1", "--keyword", "two words"), "is not a keyword"),
        (("route", "add", "36000", "--esme", "ours1", "--keyword", "!"), "is not a keyword"),
        (("route", "add", "36000", "--esme", "ours1", "--keyword", "x" * 31), "is not a keyword"),
        (("route", "add", "36000", "--esme", "ours2"), "did you mean ours1?"),
        (("route", "remove", "9"), "there is no inbound route 9"),
        (("reroute", "9"), "no message 9 from a handset"),
        (("reroute", "nine"), "no message nine from a handset"),
        (("opt-out", "add", "12", "--account", "ours", "--reason", "x"), "is not a number"),
        (("opt-out", "add", "2290197000001", "--account", "ours", "--reason", " "), "needs a reason"),
        (("language", "ours", "de"), "language de is unknown"),
        (("long", "ours1", "whole"), "neither joined nor parts"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(logins: Passerelle, words: tuple[str, ...], said: str) -> None:
    refused = logins("inbound", *words)
    assert refused.code == 1
    assert said in refused.err
    assert len(refused.err.splitlines()) >= 1


def test_a_place_has_one_owner(logins: Passerelle) -> None:
    words = ("inbound", "route", "add", "36000", "--keyword", "info")
    assert logins(*words, "--esme", "ours1").code == 0
    assert "has an owner of this keyword and order already" in logins(*words, "--esme", "other1").err
    assert logins(*words, "--esme", "other1", "--order", "200").code == 0


def test_what_nobody_got_is_listed_and_given_to_whom_the_routes_say(logins: Passerelle, database: str) -> None:
    for number in (1, 2, 3):
        store(database, number << 20, state="unrouted" if number < 3 else "done")
    assert len(logins("inbound", "list", "--json").json["messages"]) == 3
    page = logins("inbound", "list", "--unrouted", "--json").json["messages"]
    assert [(m["message_id"], m["parts"], m["why"]) for m in page] == [
        (str(2 << 20), "2/3", "nobody has the number"), (str(1 << 20), "2/3", "nobody has the number"),
    ]  # fmt: skip
    assert "no inbound route takes it: number 36000, keyword meteo" in logins("inbound", "reroute", str(1 << 20)).err
    logins("inbound", "route", "add", "36000", "--esme", "other1", "--keyword", "meteo")
    assert "goes to other1" in logins("inbound", "reroute", str(1 << 20)).out
    shown = logins("inbound", "show", str(1 << 20), "--json").json
    assert (shown["state"], shown["account"], shown["why"]) == ("due", "other", "number 36000, keyword meteo")
    assert ask(database, "SELECT count(*) FROM waiting_notifications WHERE message_id = $1", 1 << 20) == 1
    assert "was given to an ESME already" in logins("inbound", "reroute", str(1 << 20)).err
    assert logins("inbound", "reroute", str(2 << 20), "--esme", "ours1").code == 0
    assert (
        logins("inbound", "list", "--account", "ours", "--json").json["messages"][0]["why"]
        == "an operator gave it away"
    )
    assert "older ones: --cursor" in logins("inbound", "list", "--limit", "1").out


def test_an_opt_out_is_written_down_and_taken_back(logins: Passerelle) -> None:
    change = ("2290197000001", "--account", "ours", "--reason", "his letter")
    assert "ours sends nothing more to 2290197000001" in logins("inbound", "opt-out", "add", *change).out
    assert logins("inbound", "opt-out", "remove", "+2290197000002", *change[1:]).code == 0
    listed = logins("inbound", "opt-out", "list", "--account", "ours", "--json").json
    assert {(r["number"], r["opted_out"], r["word"]) for r in listed} == {
        ("2290197000001", True, "his letter"), ("2290197000002", False, "his letter"),
    }  # fmt: skip
    assert logins("inbound", "opt-out", "remove", *change).code == 0
    assert not any(r["opted_out"] for r in logins("inbound", "opt-out", "list", "--json").json)


def test_language_and_long_messages_are_chosen(logins: Passerelle, database: str) -> None:
    assert logins("inbound", "language", "ours", "en").code == 0
    assert logins("inbound", "long", "ours1", "parts").code == 0
    assert logins("esme", "alphabet", "ours1", "latin1").code == 0
    assert "alphabet ebcdic is unknown" in logins("esme", "alphabet", "ours1", "ebcdic").err
    assert ask(database, "SELECT default_alphabet FROM esmes WHERE system_id = 'ours1'") == "latin1"
    assert ask(database, "SELECT language FROM accounts WHERE name = 'ours'") == "en"
    assert ask(database, "SELECT long_inbound FROM esmes WHERE system_id = 'ours1'") == "parts"
