"""Who may bind: credentials, state, addresses, bind limits; and which living binds end when facts change.

Source: smpp-answers "As a server" (bind rows). The question is asked once a bind, never on the path of a message.
What must not enter: sockets, messages, how a password is proven (credentials.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Collection
from typing import Protocol

from gateway.accept.fact_book import FactBook
from gateway.ingress.credentials import Credentials
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import Bind
from gateway.smpp.session import Session
from gateway.storage.facts import EsmeRow

log = logging.getLogger("passerelle.ingress")


class BindingConnection(Protocol):
    """What the desk sees of a connection of an ESME."""

    session: Session
    esme: EsmeRow | None  # None: not bound
    peer: str

    def bound(self, esme: EsmeRow) -> None:
        """The bind was accepted."""
        ...

    def flush(self) -> None:
        """Write what the session has to say."""
        ...


class BindDesk:
    """Answers every bind request of a node."""

    def __init__(
        self,
        system_id: str,
        book: Callable[[], FactBook],
        connections: Collection[BindingConnection],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.draining = False
        self.database_away = False  # set by who asks PostgreSQL each second (daemon.clock_jobs)
        self._system_id = system_id
        self._book = book
        self._connections = connections
        self._tasks = tasks
        self._credentials = Credentials()

    def check(self, connection: BindingConnection, request: Bind) -> None:
        """Answer a bind request, at once or after its password was proven."""
        esme = self._book().esmes.get(request.system_id)
        if self._credentials.known(esme, request.password):
            self._decide(connection, request, esme, True)
        else:
            self._tasks.create_task(self._prove(connection, request, esme))

    async def _prove(self, connection: BindingConnection, request: Bind, esme: EsmeRow | None) -> None:
        right = await self._credentials.prove(esme, request.password)
        self._decide(connection, request, esme, right)
        connection.flush()

    def _decide(self, connection: BindingConnection, request: Bind, esme: EsmeRow | None, right: bool) -> None:
        session = connection.session
        if session.close_wanted:
            return
        status = self._refusal(connection, esme, right)
        if status:
            log.warning(
                "bind_refused",
                extra={"system_id": request.system_id, "peer": connection.peer, "status": f"0x{status:02X}"},
            )
            session.refuse_bind(request, status)
        else:
            assert esme is not None
            session.accept_bind(request, self._system_id)
            connection.bound(esme)
            log.info("esme_bound", extra={"system_id": esme.system_id, "peer": connection.peer})

    def _refusal(self, connection: BindingConnection, esme: EsmeRow | None, right: bool) -> int:
        if self.draining or self.database_away:
            return CommandStatus.ESME_RSYSERR  # temporary: the ESME comes again, or goes to another node
        if esme is None or not right:
            if esme is not None and esme.v34_bind_errors:
                return CommandStatus.ESME_RINVPASWD
            return CommandStatus.ESME_RBINDFAIL
        if is_barred(esme, self._book()):
            return CommandStatus.ESME_RBINDFAIL
        if esme.allow_cidrs and not is_allowed(connection.peer, esme.allow_cidrs):
            return CommandStatus.ESME_RBINDFAIL
        bound = sum(1 for other in self._connections if other.esme is not None and other.esme.esme_id == esme.esme_id)
        return CommandStatus.ESME_RBINDFAIL if bound >= esme.max_binds else CommandStatus.ESME_ROK

    def close(self) -> None:
        """Prove nothing more."""
        self._credentials.close()


def living_facts(esme: EsmeRow, book: FactBook) -> EsmeRow | None:
    """What a bound login's facts are now; None: it may no longer be bound."""
    now = book.esmes.get(esme.system_id)
    if now is None or is_barred(now, book) or now.password_hash != esme.password_hash:
        return None
    return now


def is_barred(esme: EsmeRow, book: FactBook) -> bool:
    """Whether a login is suspended, or its account closed."""
    return esme.state != "active" or book.accounts[esme.account_id].state == "closed"


def is_allowed(peer: str, cidrs: list[str]) -> bool:
    """Whether a peer ("address:port") comes from one of these networks."""
    address = ipaddress.ip_address(peer.rpartition(":")[0].strip("[]"))
    return any(address in ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)
