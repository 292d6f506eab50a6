"""Playing the table against an SMSC: each case on a connection of its own, and what it did otherwise in one sentence.

SMPP v3.4 chapters 2 to 5 through cases.toml. A case that needs a condition nobody named is skipped and says so.
What must not enter: options and output (command.py, report.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import ssl
import string
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulators.selftest.cases import Case, Expected, Sent, Table
from simulators.selftest.octets import octets_of
from simulators.selftest.peer import Answer, Closed, Malformed, Peer, connected

ANSWER_WITHIN_S = 10.0  # chosen: all answers of a case
BIND_WITHIN_S = 30.0  # chosen: a slow hash of the password on a busy machine, and others before it
CLOSE_WITHIN_S = 3.0  # chosen: where the table says "close" and no timer
LEAVE_WITHIN_S = 1.0  # chosen: for the unbind_resp of a case that is over
EARLY, LATE, LATE_S = 0.8, 1.2, 2.0  # chosen: a timer of the server may end from 0.8 to 1.2 of its time, and 2 s
PATIENCE_S = 30.0  # chosen: cases that wait longer are played only when they are wished
SHOW_KEPT = 0x0A0B0C0D  # sequence_number of the enquire_link that shows a connection to be kept
WHOLE, OCTETS = "whole", "octets"
SUBJECT_WORDS = ("system_id", "password", "source", "destination", "message_id")
_TYPE_5, _TYPE_1 = (5, 0), (1, 1)  # v3.4 5.2.5, 5.2.6: alphanumeric; international E.164


class Verdict(StrEnum):
    """What became of a case."""

    HELD = "held"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_JUDGED = "not judged yet"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom we judge, by which login. tls: how to speak it, None for plain.

    begin: brings a condition about, once the connection stands (tests have it).
    """

    host: str
    port: int
    system_id: str
    password: str
    source: str = "PASSERELLE"
    destination: str = "2290197000001"
    message_id: str = ""
    tls: ssl.SSLContext | None = None
    begin: Callable[[], Awaitable[object]] | None = None

    def facts(self) -> dict[str, bytes]:
        """What the words in braces stand for."""
        ton, npi = _TYPE_1 if self.source.isdecimal() else _TYPE_5
        facts = {word: getattr(self, word).encode("latin-1") for word in SUBJECT_WORDS}
        return facts | {"source_ton": bytes((ton,)), "source_npi": bytes((npi,))}


@dataclass(frozen=True, kw_only=True)
class Timers:
    """The timers of the SMSC, in seconds: no bind, a header begun, silence until it asks, and until it gives up."""

    bind_s: float = 10.0
    header_s: float = 10.0
    enquire_link_s: float = 60.0
    enquire_link_timeout_s: float = 30.0

    def ends(self, case: Case) -> float:
        """When the timer of this case ends."""
        times = {
            "bind": self.bind_s,
            "header": min(self.header_s, self.bind_s) if case.bind == "open" else self.header_s,
            "enquire_link": self.enquire_link_s + self.enquire_link_timeout_s,
        }
        return times[case.timer] if case.timer else 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One case played in one manner ("whole", "octets"), or why not. took_s: how long it took."""

    name: str
    situation: str
    manner: str
    verdict: Verdict
    why: str = ""
    took_s: float = 0.0


class Broken(Exception):
    """The SMSC did otherwise; the text says what."""


async def reach(subject: Subject, table: Table) -> str:
    """Why nothing can be judged: no connection, or this login may not bind; "" when it may."""
    visit = Visit(Case(name="reach", situation="the login binds"), table, subject, Timers(), False)
    return await visit.play()


async def judge(
    subject: Subject,
    table: Table,
    *,
    conditions: Mapping[str, Subject] | None = None,
    manners: Sequence[str] = (WHOLE,),
    only: Collection[str] = (),
    timers: Timers | None = None,
    binds: int = 1,
    slow: bool = False,
    told: Callable[[Outcome], object] = lambda outcome: None,
) -> list[Outcome]:
    """Play every case (or `only` these) in every manner; outcomes in the order of the table.

    conditions: what cases need -> the login (sender, destination) that meets it. binds: how many may stand at once.
    slow: play also what takes longer than PATIENCE_S. told: each outcome as it comes.
    """
    timers = timers or Timers()
    conditions = conditions or {}
    places = asyncio.Semaphore(binds)
    tasks: list[asyncio.Task[Outcome]] = []

    async def settle(case: Case, manner: str) -> Outcome:
        outcome = _left_out(case, manner, conditions, timers, slow)
        if outcome is None:
            visit = Visit(case, table, conditions.get(case.needs, subject), timers, manner == OCTETS)
            async with contextlib.nullcontext() if _binds_nothing(case) and case.timer else places:
                outcome = await _timed(visit, manner)
        told(outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        for manner in manners:
            for case in table.cases:
                if not only or case.name in only:
                    tasks.append(group.create_task(settle(case, manner)))
    return [task.result() for task in tasks]


def _left_out(case: Case, manner: str, conditions: Mapping[str, Subject], timers: Timers, slow: bool) -> Outcome | None:
    """The outcome of a case that is not played; None: it is."""
    verdict, why = Verdict.SKIPPED, ""
    if case.unjudged:
        verdict, why = Verdict.NOT_JUDGED, case.unjudged
    elif case.needs and case.needs not in conditions:
        why = f"needs a login for the condition {case.needs}"
    elif manner == OCTETS and not case.octets:
        why = "played whole only: its size or speed is the point"
    elif timers.ends(case) > PATIENCE_S and not slow:
        why = f"takes {timers.ends(case):g} s: played when slow cases are wished"
    if not why:
        return None
    return Outcome(name=case.name, situation=case.situation, manner=manner, verdict=verdict, why=why)


def _binds_nothing(case: Case) -> bool:
    return case.bind == "open" and not any(sent.pdu.startswith("bind") for sent in case.sent)


async def _timed(visit: Visit, manner: str) -> Outcome:
    loop = asyncio.get_running_loop()
    began = loop.time()
    fault = await visit.play()
    return Outcome(
        name=visit.case.name,
        situation=visit.case.situation,
        manner=manner,
        verdict=Verdict.BROKEN if fault else Verdict.HELD,
        why=fault,
        took_s=loop.time() - began,
    )


class Visit:
    """One case, played once."""

    def __init__(self, case: Case, table: Table, subject: Subject, timers: Timers, octetwise: bool) -> None:
        self.case = case
        self._table = table
        self._subject = subject
        self._timers = timers
        self._octetwise = octetwise
        self._facts = subject.facts() | {"nonce": "".join(random.choices(string.ascii_uppercase, k=5)).encode()}

    async def play(self) -> str:
        """Play it; "" when it held, else what the SMSC did otherwise."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                if not self.case.occupy:
                    await self._meet(await self._connect(stack))
                    return ""
                occupier = await self._connect(stack)
                await self._bind(occupier, "transceiver")
                peer = await self._connect(stack)
                await asyncio.gather(self._meet_beside(peer, occupier), occupier.live())
        except (Broken, Malformed) as fault:
            return str(fault)
        except Closed:
            return "the connection was closed"
        except (OSError, TimeoutError) as fault:
            return f"no connection: {fault or 'in time'}"
        return ""

    async def _meet_beside(self, peer: Peer, occupier: Peer) -> None:
        """The occupier lives on while the case is played: a bind that answers nothing may be replaced."""
        try:
            await self._meet(peer)
        finally:
            occupier.close()

    async def _connect(self, stack: contextlib.AsyncExitStack) -> Peer:
        subject = self._subject
        return await stack.enter_async_context(connected(subject.host, subject.port, self._octetwise, subject.tls))

    async def _bind(self, peer: Peer, bind_type: str) -> None:
        bind = Sent(pdu=f"bind_{bind_type}", sequence=1, set={"interface_version": self.case.interface_version})
        await peer.send(self._table.octets(bind, self._facts))
        await self._take(peer, [self._plain(f"bind_{bind_type}_resp", 1)], BIND_WITHIN_S)

    def _plain(self, pdu: str, sequence: int) -> Expected:
        return Expected(pdu=pdu, statuses=frozenset({0}), sequences=frozenset({sequence}))

    async def _meet(self, peer: Peer) -> None:
        case = self.case
        loop = asyncio.get_running_loop()
        earliest = loop.time()  # when the SMSC may have begun to count: it was connected, or has read our bind
        if case.bind != "open":
            await self._bind(peer, case.bind)
        if self._subject.begin is not None:
            await self._subject.begin()
        peer.questions = case.questions
        for sent in case.first:
            await peer.send(self._table.octets(sent, self._facts))
            [taken] = await self._take(peer, [self._plain(f"{sent.pdu}_resp", sent.sequence)], ANSWER_WITHIN_S)
            self._facts["own_id"] = taken.body[: taken.body.index(0)]
        if case.timer == "header":
            earliest = loop.time()
        await peer.send(b"".join(self._table.octets(sent, self._facts) for sent in case.sent))
        latest = earliest if case.timer == "bind" else loop.time()
        binding = any(sent.pdu.startswith("bind") for sent in case.sent)
        within_s = case.within_s or (BIND_WITHIN_S if binding else ANSWER_WITHIN_S)
        answers = await self._take(peer, list(case.expected), within_s)
        self._look_at(answers)
        if case.first:
            await self._take_back(peer)
        if case.connection == "kept":
            await self._show_kept(peer)
        elif case.connection == "closed":
            await self._show_closed(peer, earliest, latest)

    async def _take(self, peer: Peer, expected: list[Expected], within_s: float) -> list[Answer]:
        """Read until every expected answer came, in any order; anything else is wrong."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        came: list[Answer] = []
        while expected:
            try:
                answer = await peer.receive(max(0.0, deadline - loop.time()))
            except TimeoutError:
                raise Broken(f"no {self._wish(expected[0])} within {within_s:g} s") from None
            except Closed:
                raise Broken(f"the connection was closed instead of {self._wish(expected[0])}") from None
            place = next((at for at, each in enumerate(expected) if not self._differs(answer, each)), None)
            if place is None:
                raise Broken(self._difference(answer, expected))
            expected.pop(place)
            came.append(answer)
        return came

    def _difference(self, answer: Answer, expected: list[Expected]) -> str:
        """What is wrong with an answer that fits nothing: against the one it comes nearest to."""
        near = min(expected, key=lambda each: (self._table.names.get(answer.command_id) != each.pdu,))
        return f"{self._name(answer)}: {self._differs(answer, near)}; expected {self._wish(near)}"

    def _differs(self, answer: Answer, expected: Expected) -> str:
        """What is wrong with this answer, "" when it is the one."""
        if self._table.names.get(answer.command_id) != expected.pdu:
            return "another command_id"
        if answer.sequence_number not in expected.sequences:
            return "another sequence_number"
        if answer.command_status not in expected.statuses:
            return "another command_status"
        if expected.no_tlvs and answer.tlvs:
            return f"TLV 0x{answer.tlvs[0][0]:04X} towards a peer that knows none"
        if expected.tlv:
            wanted = octets_of(expected.tlv, self._facts)
            held = [tag.to_bytes(2) + len(value).to_bytes(2) + value for tag, value in answer.tlvs or ()]
            if not any(tlv.startswith(wanted) for tlv in held):
                return f"no TLV {expected.tlv}"
        if expected.ends and not answer.body.endswith(octets_of(expected.ends, self._facts)):
            return f"a body that does not end with {expected.ends}"
        return ""

    def _look_at(self, answers: list[Answer]) -> None:
        """What is asked of all answers together: statuses that must be among them, and which comes last."""
        missing = self.case.seen - {answer.command_status for answer in answers}
        if missing:
            raise Broken(f"0x{min(missing):08X} is not among the answers")
        if self.case.last and self._table.names.get(answers[-1].command_id) != self.case.last:
            raise Broken(f"{self.case.last} is not the last answer")

    async def _show_kept(self, peer: Peer) -> None:
        """The connection serves on: enquire_link is answered, and nothing else came before it."""
        asked = Sent(pdu="enquire_link", sequence=SHOW_KEPT)
        await peer.send(self._table.octets(asked, self._facts))
        await self._take(peer, [self._plain("enquire_link_resp", SHOW_KEPT)], ANSWER_WITHIN_S)
        if not _binds_nothing(self.case):
            await self._leave(peer)

    async def _take_back(self, peer: Peer) -> None:
        """What was submitted first, and waits for its time, shall not be sent because of us."""
        wish = Sent(pdu="cancel_sm", sequence=SHOW_KEPT - 1, set={"message_id": "{own_id} 00"})
        await peer.send(self._table.octets(wish, self._facts))
        with contextlib.suppress(TimeoutError):
            await peer.receive(ANSWER_WITHIN_S)

    async def _leave(self, peer: Peer) -> None:
        """Unbind as one should, so that the place of this bind is free; how it is answered is another case."""
        await peer.send(self._table.octets(Sent(pdu="unbind", sequence=SHOW_KEPT), self._facts))
        with contextlib.suppress(TimeoutError, Closed, Malformed):
            while True:
                await peer.receive(LEAVE_WITHIN_S)

    async def _show_closed(self, peer: Peer, earliest: float, latest: float) -> None:
        """The SMSC closes, neither too early nor too late, and says nothing more.

        earliest, latest: between which moments its timer began.
        """
        loop = asyncio.get_running_loop()
        ends = self._timers.ends(self.case)
        deadline = latest + ends * LATE + LATE_S if ends else loop.time() + CLOSE_WITHIN_S
        try:
            answer = await peer.receive(max(0.0, deadline - loop.time()))
        except TimeoutError:
            raise Broken(f"the connection is still open after {loop.time() - latest:.1f} s") from None
        except Closed:
            if loop.time() < earliest + ends * EARLY:
                raise Broken(f"closed after {loop.time() - earliest:.1f} s, where {ends:g} s are given") from None
            return
        raise Broken(f"{self._name(answer)} where only the end was due")

    def _wish(self, expected: Expected) -> str:
        statuses = sorted(expected.statuses)
        shown = [f"0x{status:02X}" for status in (statuses if len(statuses) < 4 else (statuses[0], statuses[-1]))]
        between = " or " if len(statuses) < 4 else " to "
        return f"{expected.pdu} {between.join(shown)} of sequence {min(expected.sequences)}"

    def _name(self, answer: Answer) -> str:
        name = self._table.names.get(answer.command_id, f"0x{answer.command_id:08X}")
        return f"{name} 0x{answer.command_status:02X} of sequence {answer.sequence_number}"


def subjects_of(subject: Subject, plain: Mapping[str, Mapping[str, str]]) -> dict[str, Subject]:
    """Conditions as a file writes them: name -> what differs from the ordinary login. ValueError: an unknown key."""
    subjects = {}
    for name, differing in plain.items():
        for key in sorted(set(differing) - set(SUBJECT_WORDS)):
            raise ValueError(f"[{name}] {key}: one of {', '.join(SUBJECT_WORDS)} is meant")
        subjects[name] = dataclasses.replace(subject, **differing)  # type: ignore[arg-type]  # words of SUBJECT_WORDS only
    return subjects
