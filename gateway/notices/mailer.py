"""One letter to one address over SMTP, and what came of it, as a value.

Source: RFC 5321 (4xx: again later, 5xx: never), RFC 3207 (STARTTLS), RFC 4954 (AUTH). A password never travels in the
clear. A connection a letter: notices are few, and a server that hangs holds up one of them.
What must not enter: rows, when it is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Final, Literal

import aiosmtplib
import msgspec

Security = Literal["starttls", "tls", "none"]
PERMANENT: Final = range(500, 600)  # RFC 5321 4.2.1
WHY_CHARACTERS: Final = 300  # kept of what a server answered
QUIT_S: Final = 2.0  # chosen: courtesy has an end


class Found(msgspec.Struct, frozen=True):
    """What came of a try. doubtful: the letter was written and nobody knows whether it was taken."""

    outcome: Literal["taken", "again", "refused", "doubtful"]
    why: str = ""


class MailSettings(msgspec.Struct, frozen=True):
    """Where letters are handed in. password None: without AUTH. timeout_s: of a whole try."""

    host: str
    port: int
    security: Security
    user: str
    password: str | None
    sender: str
    connect_timeout_s: float
    timeout_s: float


class Try:
    """One letter on its way. is_written: past the point from which a lost answer leaves doubt."""

    def __init__(self, settings: MailSettings, tls: ssl.SSLContext | None, recipient: str, letter: bytes) -> None:
        self._settings = settings
        self._tls = tls
        self._recipient = recipient
        self._letter = letter
        self.is_written = False

    async def send(self) -> Found:
        """Hand the letter in; whatever the server does becomes a value."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._converse()
        except TimeoutError:  # aiosmtplib's are among them
            return self._lost("timeout")
        except aiosmtplib.SMTPServerDisconnected:
            return self._lost("connection_lost")
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:  # ValueError: what no command may carry
            return self._lost(_describe(fault))

    def _lost(self, why: str) -> Found:
        return Found("doubtful" if self.is_written else "again", why)

    async def _converse(self) -> Found:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=settings.password,
            local_hostname=settings.sender.rpartition("@")[2],  # aiosmtplib would ask DNS, and hold the loop up
            timeout=settings.connect_timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls if settings.security != "none" else None,
        )
        try:
            await client.connect()
            try:
                await client.mail(settings.sender, timeout=settings.timeout_s)
                await client.rcpt(self._recipient, timeout=settings.timeout_s)
                self.is_written = True
                await client.data(self._letter, timeout=settings.timeout_s)
            except aiosmtplib.SMTPResponseException as fault:
                if fault.code < 0 and self.is_written:  # no answer that SMTP knows
                    return self._lost(_describe(fault))
                return Found("refused" if fault.code in PERMANENT else "again", _describe(fault))
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # the letter is theirs
                await client.quit(timeout=QUIT_S)
            return Found("taken")
        finally:
            client.close()


def _describe(fault: Exception) -> str:
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        text = f"{fault.code} {fault.message}"
    else:
        text = f"{type(fault).__name__}: {fault}"
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:WHY_CHARACTERS]
