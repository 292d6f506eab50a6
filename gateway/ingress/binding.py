"""Who may bind: credentials, state, addresses, bind limits; and which living binds end when facts change.

Source: smpp-answers "As a server" (bind rows). The question is asked once a bind, never on the path of a message.
A login at its limit whose binds are silent is asked for signs of life first: a half-open one makes room for the new.
What must not enter: sockets, messages, how a password is proven (credentials.py), what a wrong one costs (lockout.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Hashable, Sequence
from time import monotonic
from typing import Protocol

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.ingress.bind_counts import LOOKS_S, BindCounts
from gateway.ingress.credentials import Credentials, live_hashes
from gateway.ingress.lockout import Lockout, names_of, source_of
from gateway.ingress.password_process import PasswordsAway
from gateway.ingress.turns import Turns
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import Bind
from gateway.smpp.session import Session
from gateway.smpp.session_states import BIND_TYPES, BindType
from gateway.storage.bind_counts import Counts
from gateway.storage.facts import EsmeRow

log = logging.getLogger("passerelle.ingress")

PROOFS_PER_LANE = 64  # chosen: different words under proof or delay from one address; a further one is refused at once
SLOWED_PROOFS_PER_LANE = 2  # chosen: the same once its answers are slowed: a wrong word costs two hashes
TAKEOVER_LOOK_S = 0.02  # chosen: between two looks at whether a probed bind answered


class BindPolicy(msgspec.Struct, frozen=True):
    """Numbers of the desk, from configuration [smpp_server]; seconds."""

    takeover_silence_s: float = 1.0  # a bind heard within so long is alive
    takeover_answer_s: float = 5.0  # within which a silent one must answer enquire_link


class BindingConnection(Protocol):
    """What the desk sees of a connection of an ESME."""

    session: Session
    address: str  # of the peer, without its port
    peer: str

    @property
    def slow(self) -> bool:
        """Whether it does not read what we write: what it says is not read either."""
        ...

    def bound(self, esme: EsmeRow) -> None:
        """The bind was accepted."""
        ...

    def probe(self) -> None:
        """Ask for a sign of life."""
        ...

    def flush(self) -> None:
        """Write what the session has to say."""
        ...

    def abort(self) -> None:
        """End the connection without a word."""
        ...


class AllNodesFailures(Protocol):
    """Who counts wrong words over all nodes."""

    async def count(self, names: Sequence[str]) -> list[int] | None:
        """One more under each name; how many there are. None: nobody tells."""
        ...

    async def forget(self, name: str) -> None:
        """Begin anew under a name."""
        ...


class _Asked(msgspec.Struct):
    """One bind request that waits for its answer."""

    connection: BindingConnection
    request: Bind


class BindDesk:
    """Answers every bind request of a node, and knows the binds of each login."""

    def __init__(
        self,
        system_id: str,
        policy: BindPolicy,
        book: Callable[[], FactBook],
        wall_ms: Callable[[], int],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.draining = False
        self.database_away = False  # set by who asks PostgreSQL each second (daemon.clock_jobs)
        self._system_id = system_id
        self._policy = policy
        self._book = book
        self._wall_ms = wall_ms
        self._tasks = tasks
        self._credentials = Credentials()
        self._lockout = Lockout()
        self._turns = Turns()
        self._proving: dict[tuple[Hashable, str, bytes], list[_Asked]] = {}  # by lane, system_id, keyed word
        self._in_lane: defaultdict[Hashable, int] = defaultdict(int)
        self._answering: set[asyncio.Task[None]] = set()
        self.failures: AllNodesFailures | None = None  # the daemon puts them here, where a Redis is configured
        self.counts: BindCounts | None = None  # the daemon puts those of all nodes here
        self._binds: dict[int, dict[BindingConnection, str]] = {}  # by esme_id: each with the hash that proved it
        self._at_doors: dict[tuple[int, BindType], list[tuple[_Asked, str]]] = {}  # who waits while binds are asked for

    # -- the question

    def check(self, connection: BindingConnection, request: Bind) -> None:
        """Answer a bind request, at once or after its password was proven."""
        asked = _Asked(connection, request)
        if self.draining or self.database_away:
            self._refuse(asked, CommandStatus.ESME_RSYSERR)  # temporary: it comes again, or goes to another node
            return
        esme = self._book().esmes.get(request.system_id)
        proven = self._credentials.known(esme, request.password, self._wall_ms())
        if proven is not None:
            self._decide(asked, proven)
            return
        source = source_of(connection.address)
        lane = self._lockout.lane(source, request.system_id)
        key = (lane, request.system_id, self._credentials.keyed(request.password))
        waiting = self._proving.get(key)
        if waiting is not None:
            waiting.append(asked)  # all binds of a login come back at once: one proof answers them
        elif self._in_lane.get(lane, 0) >= self._most_proofs(source, request.system_id):
            asked.connection.session.refuse_bind(request, CommandStatus.ESME_RBINDFAIL)  # not a line of the log each
        else:
            self._proving[key] = [asked]
            self._in_lane[lane] += 1
            self._begin(self._prove(key, asked, esme))

    def _most_proofs(self, source: str, system_id: str) -> int:
        slowed = self._lockout.is_slowed(source, system_id, monotonic())
        return SLOWED_PROOFS_PER_LANE if slowed else PROOFS_PER_LANE

    def _begin(self, answering: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _prove(self, key: tuple[Hashable, str, bytes], first: _Asked, esme: EsmeRow | None) -> None:
        lane, system_id, _ = key
        away, proven = False, None
        try:
            try:
                async with self._turns.of(lane, system_id):
                    proven = await self._credentials.prove(esme, first.request.password, self._wall_ms())
            except PasswordsAway:
                away = True
            if proven is None and not away:
                delay_s = await self._failed(source_of(first.connection.address), system_id)
                if delay_s:
                    log.warning(
                        "bind_slowed", extra={"system_id": system_id, "peer": first.connection.peer, "delay_s": delay_s}
                    )
                    await asyncio.sleep(delay_s)
        finally:
            waiting = self._proving.pop(key)
            self._in_lane[lane] -= 1
            if not self._in_lane[lane]:
                del self._in_lane[lane]
        for asked in waiting:
            if away:
                self._refuse(asked, CommandStatus.ESME_RSYSERR)
            else:
                self._decide(asked, proven)
            asked.connection.flush()

    async def _failed(self, source: str, system_id: str) -> float:
        """Count a wrong word, on all nodes where that can be told; for how many seconds its answer waits."""
        on_all_nodes = None if self.failures is None else await self.failures.count(names_of(source, system_id))
        return self._lockout.failed(source, system_id, monotonic(), on_all_nodes)

    def _decide(self, asked: _Asked, proven: str | None, last: bool = False) -> None:
        """Answer a request whose password was proven against the hash `proven`, or against none. last: a full door
        refuses now, whoever is silent behind it.
        """
        if asked.connection.session.close_wanted:
            return
        esme = self._book().esmes.get(asked.request.system_id)
        status = self._refusal(asked.connection, esme, proven)
        if status:
            self._refuse(asked, status)
            return
        assert esme is not None
        assert proven is not None
        filling = self._filling(esme, BIND_TYPES[asked.request.command_id])
        if filling is None:
            if self.counts is None or self.counts.is_alone():
                self._accept(asked, esme, proven)
                if self.counts is not None:
                    self.counts.changed(esme.esme_id)
            else:
                self._begin(self._ask_all_nodes(asked, esme, proven, self.counts, last))
        elif not last and any(self._is_silent(bind) for bind in filling):
            self._wait_at_the_door(asked, proven, esme, filling)
        else:
            self._refuse(asked, CommandStatus.ESME_RBINDFAIL)

    def _refusal(self, connection: BindingConnection, esme: EsmeRow | None, proven: str | None) -> int:
        if self.draining or self.database_away:
            return CommandStatus.ESME_RSYSERR
        if esme is None or proven not in live_hashes(esme, self._wall_ms()):
            if esme is not None and esme.v34_bind_errors:
                return CommandStatus.ESME_RINVPASWD
            return CommandStatus.ESME_RBINDFAIL
        if is_barred(esme, self._book()) or not is_allowed(connection.address, esme.allow_cidrs):
            return CommandStatus.ESME_RBINDFAIL
        return CommandStatus.ESME_ROK

    # -- the answer

    def _accept(self, asked: _Asked, esme: EsmeRow, proven: str) -> None:
        connection = asked.connection
        connection.session.accept_bind(asked.request, self._system_id)
        self._binds.setdefault(esme.esme_id, {})[connection] = proven
        source = source_of(connection.address)
        if self.failures is not None and self._lockout.has_failed(source, esme.system_id, monotonic()):
            self._begin(self.failures.forget(names_of(source, esme.system_id)[0]))
        self._lockout.succeeded(source, esme.system_id)
        connection.bound(esme)
        log.info("esme_bound", extra={"system_id": esme.system_id, "peer": connection.peer})

    def _refuse(self, asked: _Asked, status: int) -> None:
        log.warning(
            "bind_refused",
            extra={"system_id": asked.request.system_id, "peer": asked.connection.peer, "status": f"0x{status:02X}"},
        )
        asked.connection.session.refuse_bind(asked.request, status)

    # -- limits

    def _filling(self, esme: EsmeRow, bind_type: BindType) -> list[BindingConnection] | None:
        """The living binds that fill the limit in the way of one more; None: there is room."""
        binds = [bind for bind in self._binds.get(esme.esme_id, ()) if not bind.session.close_wanted]
        if len(binds) >= esme.max_binds:
            return binds
        alike = [bind for bind in binds if bind.session.bind_type is bind_type]
        return alike if len(alike) >= _limit_of_type(esme, bind_type) else None

    async def _ask_all_nodes(self, asked: _Asked, esme: EsmeRow, proven: str, counts: BindCounts, last: bool) -> None:
        """There is room here: is there among all nodes? Full for a moment may be who just unbound on another one."""
        bind_type = BIND_TYPES[asked.request.command_id]
        most = (esme.max_binds, _limit_of_type(esme, bind_type))
        for pause_s in LOOKS_S:
            await asyncio.sleep(pause_s)
            async with counts.turn(esme.esme_id):  # one by one, so that two binds do not take one place
                has_room = await counts.claim(esme.esme_id, bind_type, most)
                if has_room and self._filling(esme, bind_type) is None and self._is_welcome(asked, esme, proven):
                    self._accept(asked, esme, proven)
                    asked.connection.flush()
                    return
                counts.changed(esme.esme_id)  # the claim may have been stored all the same
            if has_room is not False or asked.connection.session.close_wanted:
                break
        if asked.connection.session.close_wanted:
            return
        silent = [bind for bind in self._binds.get(esme.esme_id, ()) if self._is_silent(bind)]
        if silent and has_room is False and not last:
            self._wait_at_the_door(asked, proven, esme, silent)
            return
        status = CommandStatus.ESME_RSYSERR if has_room is None else CommandStatus.ESME_RBINDFAIL
        self._refuse(asked, self._refusal(asked.connection, self._book().esmes.get(esme.system_id), proven) or status)
        asked.connection.flush()

    def _is_welcome(self, asked: _Asked, esme: EsmeRow, proven: str) -> bool:
        """Whether it may still be let in, after a question that took its time."""
        now = self._book().esmes.get(esme.system_id)
        return not asked.connection.session.close_wanted and not self._refusal(asked.connection, now, proven)

    def own_binds(self, esme_id: int) -> Counts:
        """How many living binds of each type a login has on this node."""
        kinds = [bind.session.bind_type for bind in self._binds.get(esme_id, ()) if not bind.session.close_wanted]
        transmitters, receivers = kinds.count(BindType.TRANSMITTER), kinds.count(BindType.RECEIVER)
        return transmitters, receivers, len(kinds) - transmitters - receivers

    def _is_silent(self, bind: BindingConnection) -> bool:
        """A slow reader's words are not read, so its silence says nothing: it has its own bounds."""
        return not bind.slow and monotonic() - bind.session.heard_at >= self._policy.takeover_silence_s

    def _wait_at_the_door(self, asked: _Asked, proven: str, esme: EsmeRow, filling: list[BindingConnection]) -> None:
        """Whoever comes while those inside are asked for another waits for the same answers."""
        door = esme.esme_id, BIND_TYPES[asked.request.command_id]
        waiting = self._at_doors.get(door)
        if waiting is None:
            waiting = self._at_doors[door] = []
            self._begin(self._take_over(door, esme.system_id, filling))
        waiting.append((asked, proven))

    async def _take_over(self, door: tuple[int, BindType], system_id: str, filling: list[BindingConnection]) -> None:
        """Let in who stands at a full door, when somebody inside is no longer there."""
        try:
            await self._end_silent(system_id, filling)
        finally:
            waiting = self._at_doors.pop(door)
        for asked, proven in waiting:
            if not asked.connection.session.close_wanted:
                self._decide(asked, proven, last=True)
                asked.connection.flush()

    async def _end_silent(self, system_id: str, filling: list[BindingConnection]) -> None:
        """Ask silent binds for a word and end those that give none; return once there is room, or nobody is silent."""
        probed = {bind: bind.session.heard_at for bind in filling if self._is_silent(bind)}
        for bind in probed:
            bind.probe()
        until = monotonic() + self._policy.takeover_answer_s
        while not any(bind.session.close_wanted for bind in filling):
            silent = [bind for bind, heard_at in probed.items() if bind.session.heard_at == heard_at and not bind.slow]
            if not silent:
                return
            if monotonic() >= until:
                for bind in silent:
                    log.warning("bind_taken_over", extra={"system_id": system_id, "peer": bind.peer})
                    bind.abort()
                until = float("inf")  # what is left is the loop's: the connection ends within its next turns
            await asyncio.sleep(TAKEOVER_LOOK_S)

    # -- afterwards

    def facts_of(self, connection: BindingConnection, esme: EsmeRow, book: FactBook) -> EsmeRow | None:
        """What a bound login's facts are now; None: it may no longer be bound. A bind ends with the password it was
        made by, so in a rotation those of the former one end with the grace, and those of the new one stay.
        """
        now = book.esmes.get(esme.system_id)
        proven = self._binds.get(esme.esme_id, {}).get(connection)
        if now is None or is_barred(now, book) or proven not in live_hashes(now, self._wall_ms()):
            return None
        return now

    def forget(self, connection: BindingConnection, esme: EsmeRow) -> None:
        """A bind is gone."""
        binds = self._binds.get(esme.esme_id)
        if binds is not None:
            binds.pop(connection, None)
            if not binds:
                del self._binds[esme.esme_id]
        if self.counts is not None:
            self.counts.changed(esme.esme_id)

    def close(self) -> None:
        """Prove nothing more, and let nobody who waits for his answer hold up the end."""
        for task in self._answering:
            task.cancel()
        self._credentials.close()


def _limit_of_type(esme: EsmeRow, bind_type: BindType) -> int:
    match bind_type:
        case BindType.TRANSMITTER:
            return esme.max_transmitters
        case BindType.RECEIVER:
            return esme.max_receivers
        case BindType.TRANSCEIVER:
            return esme.max_transceivers


def is_barred(esme: EsmeRow, book: FactBook) -> bool:
    """Whether a login is suspended, or its account closed."""
    return esme.state != "active" or book.accounts[esme.account_id].state == "closed"


def is_allowed(address: str, cidrs: list[str]) -> bool:
    """Whether an address is in one of these networks; none named: from anywhere. IPv4 in IPv6 counts as IPv4."""
    if not cidrs:
        return True
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)
