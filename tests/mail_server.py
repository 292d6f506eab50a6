"""An SMTP server (aiosmtpd) that receives letters, and refuses, hangs or breaks off on purpose where a test says so.

What belongs here: its answers, what was received. What must not enter: what one test wants to prove.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.eventually import eventually

WITHIN_S = 30.0  # chosen: far beyond what a busy machine needs
TAKEN = "250 taken"


@dataclass
class MailServer:
    """to_recipient, to_letter: its answers; to_letter may also be drop or hang."""

    port: int = 0
    to_recipient: str = TAKEN
    to_letter: str = TAKEN
    letters: list[bytes] = field(default_factory=list)  # those that were not taken included
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)  # ends what hangs

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        self.recipients.append(address)
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.letters.append(envelope.content)
        if self.to_letter == "hang":
            await self.released.wait()
        if self.to_letter in ("drop", "hang"):
            server.transport.abort()
            return TAKEN
        return self.to_letter

    def prove(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Anybody with the right password."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        is_right = data.password == b"right horse"
        return AuthResult(success=is_right, handled=is_right)  # not handled: the server says 535

    async def got(self, count: int) -> list[EmailMessage]:
        """Wait for so many letters."""
        await eventually(lambda: len(self.letters) >= count, WITHIN_S, f"{count} letters")
        return [read_letter(each) for each in self.letters]


def read_letter(octets: bytes) -> EmailMessage:
    """As a mail program reads it."""
    read = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


@contextlib.asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None, *, login: bool = False) -> AsyncIterator[MailServer]:
    """A server on a port of its own. tls: it offers STARTTLS; login: and insists on a password."""
    made = MailServer()
    more = {"authenticator": made.prove, "auth_required": True, "auth_require_tls": True} if login else {}
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(made, hostname="mail.test", tls_context=tls, loop=loop, **more), "127.0.0.1", 0
    )
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.released.set()
        listening.close()
