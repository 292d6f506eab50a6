"""`passerelle notices` and `passerelle mail`: who is told, what is refused, a letter that tries the server.

What must not enter: the sending (tests/gateway/notices).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.gateway.command_line.conftest import Passerelle
from tests.mail_server import MailServer, read_letter
from tests.running_node import free_port


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "nobody", "--email", "a@example.org"], "account nobody is unknown"),
        (["set", "ours", "--email", "a b@example.org"], "a b@example.org is no e-mail address"),
        (["set", "ours", "--phone", "12"], "12 is no phone number"),
        (["set", "ours", "--tell", "order.dreamt=sms"], "event order.dreamt is unknown"),
        (["set", "ours", "--tell", "order.paid=fax"], "channel fax is unknown"),
        (["set", "ours", "--language", "de"], "language de is unknown"),
        (["set", "ours", "--low-balance", "much"], "much is not an amount of credits"),
        (["set", "--low-balance", "5"], "--low-balance is of an account"),
        (
            ["set", "ours", *(word for n in range(6) for word in ("--email", f"a{n}@example.org"))],
            "more than 5 addresses",
        ),
        (["list", "--state", "lost"], "state lost is unknown"),
        (["resend", "7"], "notice 7 is unknown, or on its way"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(passerelle: Passerelle, words: list[str], said: str) -> None:
    assert passerelle("account", "add", "ours").code == 0
    outcome = passerelle("notices", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 2


def test_what_is_not_named_stays(passerelle: Passerelle) -> None:
    assert passerelle("account", "add", "ours").code == 0
    given = ("--email", "a@Example.org", "--phone", "01 97 00 00 01", "--low-balance", "500")
    assert passerelle("notices", "set", "ours", *given).code == 0
    assert passerelle("notices", "set", "ours", "--tell", "order.paid=-", "--language", "en").code == 0
    shown = {row["event"]: row for row in passerelle("notices", "show", "ours", "--json").json}

    assert set(shown) == {
        "balance.low", "order.paid", "order.credited", "order.refused", "sender.decided", "webhook.disabled",
    }  # fmt: skip
    assert shown["order.paid"]["channels"] == []
    assert shown["balance.low"] == {
        "event": "balance.low",
        "channels": ["email", "sms"],
        "emails": ["a@example.org"],
        "phones": ["2290197000001"],
        "language": "en",
        "low_balance": "500",
    }
    assert passerelle("notices", "set", "ours", "--email", "-", "--low-balance", "-").code == 0
    (row, *_) = passerelle("notices", "show", "ours", "--json").json
    assert (row["emails"], row["phones"], row["low_balance"]) == ([], ["2290197000001"], None)
    house = passerelle("notices", "show", "--json").json
    assert "bind.down" in {each["event"] for each in house}


@pytest.fixture
def server() -> Iterator[MailServer]:
    """On a thread of its own, as the command has the loop of this one."""
    made = MailServer(port=free_port())
    controller = Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    yield made
    controller.stop()


def test_a_letter_tries_the_server(passerelle: Passerelle, config_file: Path, server: MailServer) -> None:
    assert "there is no [mail]" in passerelle("mail", "test", "you@example.org").err
    with config_file.open("a", encoding="utf-8") as file:
        file.write(f'[mail]\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\nsender = "p@example.net"\n')
    assert passerelle("mail", "test", "you@example.org", "--lang", "fr").code == 0
    assert read_letter(server.letters[0])["Subject"] == "Essai de Passerelle"
    server.to_recipient = "550 no such user"
    outcome = passerelle("mail", "test", "you@example.org")
    assert outcome.code == 1
    assert "did not take the letter: 550 no such user" in outcome.err


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[mail]\nhost = "h"\n', "[mail] lacks sender"),
        ('[mail]\nhost = "h"\nsender = "nobody"\n', "sender = nobody is no e-mail address"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nuser = "u"\n', "user and password belong together"),
        (
            '[mail]\nhost = "h"\nsender = "a@b.example"\ntls = "none"\nuser = "u"\n'
            'password = { value = "a long secret" }\n',
            'tls = "none" would send the password in the clear',
        ),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nhots = "h"\n', "did you mean host?"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\ntls = "ssl"\n', 'expected one of "starttls", "tls", "none"'),
        ('[notices]\naccount = "house"\n', "account and sms_sender belong together"),
        ("[notices]\nmost_an_hour = 0\n", "expected a whole number from 1 to 1000"),
    ],
)
def test_a_toml_that_cannot_work_is_explained(passerelle: Passerelle, config_file: Path, toml: str, said: str) -> None:
    with config_file.open("a", encoding="utf-8") as file:
        file.write(toml)
    outcome = passerelle("mail", "test", "you@example.org")
    assert outcome.code == 1
    assert said in outcome.err
