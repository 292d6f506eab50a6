"""A carrier that calls us: it connects, says outbind, and we bind as receiver over its own connection.

Source: SMPP v3.4 2.2.1, 4.1.7. Our password goes only to who said the carrier's own first.
What must not enter: the life of the bind (carrier_link.py).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from time import monotonic
from typing import cast

from gateway.egress.carrier_link import CarrierLink
from gateway.egress.profile import CarrierProfile
from gateway.smpp.events import NotificationReceived
from gateway.smpp.pdus import Outbind
from gateway.smpp.session import Session, SessionLimits
from gateway.smpp.session_states import Role

log = logging.getLogger("passerelle.egress")

PORT_PAUSE_S = 10.0  # chosen: between tries to open the port
CALLERS_LIMIT = 16  # chosen: connections that have not said outbind yet


class OutbindDoor:
    """Listens for one connector; hands the connection of a carrier that said outbind to its link."""

    def __init__(self, profile: CarrierProfile, link: CarrierLink) -> None:
        self.port = 0
        self.callers: set[Caller] = set()
        self._profile = profile
        self._link = link

    async def run(self, host: str, port: int) -> None:
        """Listen until cancelled; while the port is taken, say so and try again."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                server = await loop.create_server(lambda: Caller(self), host, port)
                break
            except OSError as fault:
                remedy = "free the port, or change outbind_listen"
                log.error("outbind_deaf", extra={"connector": self._profile.name, "why": str(fault), "remedy": remedy})
                await asyncio.sleep(PORT_PAUSE_S)
        self.port = server.sockets[0].getsockname()[1]
        try:
            await server.serve_forever()
        finally:
            for caller in list(self.callers):
                caller.hang_up()
            self._link.cut()

    def new_session(self) -> Session:
        """Of a caller, until it has said who it is."""
        return Session(Role.ESME, SessionLimits(bind_timeout_s=self._profile.bind_timeout_s), monotonic())

    @property
    def patience_s(self) -> float:
        """How long a caller may take to say outbind."""
        return self._profile.bind_timeout_s

    def take(self, transport: asyncio.Transport, outbind: Outbind) -> bool:
        """Whether this is our carrier; then the connection is the link's from here on."""
        profile = self._profile
        known = hmac.compare_digest(outbind.system_id.encode(), profile.outbind_system_id.encode())
        known &= hmac.compare_digest(outbind.password.encode(), profile.outbind_password.encode())
        if not known or self._link.session is not None:
            why = "it is bound already" if known else "system_id or password is not the carrier's"
            log.warning("outbind_refused", extra={"connector": profile.name, "why": why})
            return False
        transport.set_protocol(self._link)
        self._link.adopt(transport)
        return True


class Caller(asyncio.Protocol):
    """One connection that has not said outbind yet."""

    def __init__(self, door: OutbindDoor) -> None:
        self._door = door
        self._session = door.new_session()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop: a transport by its methods
        if len(self._door.callers) >= CALLERS_LIMIT:
            self.hang_up()
            return
        self._door.callers.add(self)
        self._timer = asyncio.get_running_loop().call_later(self._door.patience_s, self.hang_up)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        for event in self._session.receive_data(data):
            if isinstance(event, NotificationReceived) and isinstance(event.pdu, Outbind):
                transport = self._transport
                self._forget()
                if not self._door.take(transport, event.pdu):
                    transport.abort()
                return
        if self._session.data_to_send() or self._session.close_wanted:
            self.hang_up()  # anything but outbind

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()

    def hang_up(self) -> None:
        """Close without a word."""
        transport = self._transport
        self._forget()
        if transport is not None:
            transport.abort()

    def _forget(self) -> None:
        self._transport = None
        self._door.callers.discard(self)
        if self._timer is not None:
            self._timer.cancel()
