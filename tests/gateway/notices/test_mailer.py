"""One letter and one server: what each answer, and each way of failing, is taken for.

Source: RFC 5321 4.2.1, RFC 3207, RFC 4954. What must not enter: rows, retries (test_desk.py).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.notices.mailer import Found, Try
from tests.gateway.notices.conftest import settings_for
from tests.mail_server import MailServer, mail_server
from tests.running_node import free_port
from tests.tls_material import make_authority, make_certificate

LETTER = b"Subject: hello\r\n\r\n.a line that begins with a dot\r\n"


async def send(server: MailServer, tls: ssl.SSLContext | None = None, **given: Any) -> Found:
    return await Try(settings_for(server, **given), tls, "you@example.org", LETTER).send()


async def test_a_letter_that_is_taken_arrives_as_it_was(server: MailServer) -> None:
    assert await send(server) == Found("taken")
    assert server.letters == [LETTER]
    assert server.recipients == ["you@example.org"]


@pytest.mark.parametrize(
    ("answers", "outcome", "why"),
    [
        ({"to_recipient": "450 greylisted"}, "again", "450 greylisted"),
        ({"to_recipient": "550 no such user"}, "refused", "550 no such user"),
        ({"to_letter": "451 disk full"}, "again", "451 disk full"),
        ({"to_letter": "554 spam"}, "refused", "554 spam"),
        ({"to_letter": "drop"}, "doubtful", "connection_lost"),
    ],
    ids=lambda each: str(each)[:30],
)
async def test_what_a_server_answers(server: MailServer, answers: dict[str, str], outcome: str, why: str) -> None:
    for name, answer in answers.items():
        setattr(server, name, answer)

    found = await send(server)

    assert found.outcome == outcome
    assert why in found.why


async def test_a_server_that_takes_the_letter_and_says_nothing_leaves_doubt(server: MailServer) -> None:
    server.to_letter = "hang"

    assert await send(server, timeout_s=2.0) == Found("doubtful", "timeout")
    assert len(server.letters) == 1


async def test_a_server_that_is_not_there_is_asked_again() -> None:
    nobody = MailServer(port=free_port())

    found = await send(nobody)

    assert found.outcome == "again"


async def test_a_password_travels_only_under_tls_of_a_server_we_know(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    made = make_certificate(tmp_path, authority)
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(made.certificate, made.key)
    known = ssl.create_default_context(cafile=authority.certificate)
    keys = {"security": "starttls", "user": "house", "password": "right horse"}
    async with mail_server(offered, login=True) as server:
        assert await send(server, known, **keys) == Found("taken")
        assert server.logins == [(b"house", b"right horse")]
        wrong = await send(server, known, **keys | {"password": "wrong horse"})
        assert wrong.outcome == "again", "the letter is not to blame"
        assert wrong.why.startswith("535 ")
        assert "wrong horse" not in wrong.why
        said = len(server.logins)  # by every mechanism that the server offers
        stranger = await send(server, ssl.create_default_context(), **keys)
        assert stranger.outcome == "again"
        assert len(server.logins) == said
    async with mail_server() as plain:
        found = await send(plain, known, **keys)
        assert found.outcome == "again", "a server that offers no STARTTLS gets nothing"
        assert (plain.letters, plain.recipients, plain.logins) == ([], [], [])
