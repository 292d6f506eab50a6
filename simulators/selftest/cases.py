"""The table as values: reading cases.toml, refusing what it does not know, and the octets of each case.

Source: cases.toml says what each key means; SMPP v3.4 3.2, 5.1.
What must not enter: connections, judgement.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from simulators.selftest.octets import frame, octets_of

TABLE = Path(__file__).with_name("cases.toml")
SEQUENCE_NUMBER = 7  # of what a case sends, where it says nothing
VENDOR_STATUSES = frozenset(range(0x0400, 0x0500))  # v3.4 5.1.3

Bind = Literal["open", "transmitter", "receiver", "transceiver"]
Connection = Literal["kept", "closed", "any"]
Timer = Literal["", "bind", "header", "enquire_link"]
QuestionManner = Literal["answer", "silence", "another type"]


@dataclass(frozen=True, kw_only=True)
class Pdu:
    """A PDU as it is when nothing is wrong: its fields in order, in words of octets."""

    command_id: int
    body: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One thing to send: raw octets in words, or a PDU and what is wrong with it."""

    raw: str = ""
    pdu: str = ""
    sequence: int = SEQUENCE_NUMBER
    status: int = 0
    times: int = 1
    set: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    tail: str = ""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One answer that must come: any of these statuses with any of these sequence_numbers."""

    pdu: str
    statuses: frozenset[int]
    sequences: frozenset[int]
    tlv: str = ""
    no_tlvs: bool = False
    ends: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One situation: what is sent, what must come back, and what becomes of the connection.

    first: submissions made before, each by itself; the id of the last stands as {own_id}.
    """

    name: str
    situation: str
    bind: Bind = "transceiver"
    interface_version: str = "34"
    first: tuple[Sent, ...] = ()
    sent: tuple[Sent, ...] = ()
    expected: tuple[Expected, ...] = ()
    connection: Connection = "kept"
    timer: Timer = ""
    within_s: float | None = None
    needs: str = ""
    unjudged: str = ""
    seen: frozenset[int] = frozenset()
    last: str = ""
    octets: bool = True
    occupy: bool = False
    questions: QuestionManner = "answer"


@dataclass(frozen=True, kw_only=True)
class Table:
    """All PDUs by name and all cases in order."""

    pdus: Mapping[str, Pdu]
    cases: tuple[Case, ...]

    @functools.cached_property
    def names(self) -> dict[int, str]:
        """The name of each command_id."""
        return {pdu.command_id: name for name, pdu in self.pdus.items()}

    def octets(self, sent: Sent, facts: Mapping[str, bytes]) -> bytes:
        """What goes on the wire for one thing to send. ValueError: a field that the PDU has not."""
        if sent.raw:
            return octets_of(sent.raw, facts)
        pdu = self.pdus[sent.pdu]
        unknown = [name for name in (*sent.set, sent.before) if name and name not in pdu.body]
        if unknown:
            raise ValueError(f"{sent.pdu} has no field {unknown[0]}")
        body = b""
        for name, words in pdu.body.items():
            if name == sent.before:
                break
            body += octets_of(sent.set.get(name, words), facts)
        body += octets_of(sent.tail, facts)
        return b"".join(
            frame(pdu.command_id, sent.status, sent.sequence + number, body) for number in range(sent.times)
        )


def load_cases(path: Path = TABLE) -> Table:
    """Read a table. ValueError names the case and the key that is not understood."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    pdus = {name: Pdu(**plain) for name, plain in document["pdu"].items()}
    cases = []
    for plain in document["case"]:
        try:
            cases.append(_case(dict(plain), pdus))
        except (TypeError, KeyError, ValueError) as fault:
            raise ValueError(f"case {plain.get('name', '?')}: {fault}") from fault
    return Table(pdus=pdus, cases=tuple(cases))


def _case(plain: dict[str, Any], pdus: Mapping[str, Pdu]) -> Case:
    first = tuple(Sent(**each) for each in plain.pop("first", ()))
    sent = tuple(Sent(raw=each) if isinstance(each, str) else Sent(**each) for each in plain.pop("send", ()))
    expected = tuple(one for each in plain.pop("answer", ()) for one in _expected(dict(each)))
    for name in [each.pdu for each in (*first, *sent) if each.pdu] + [each.pdu for each in expected]:
        if name not in pdus:
            raise ValueError(f"{name} is no PDU of the table")
    version = plain.pop("as", "34")
    seen = frozenset(plain.pop("seen", ()))
    return Case(first=first, sent=sent, expected=expected, interface_version=version, seen=seen, **plain)


def _expected(plain: dict[str, Any]) -> list[Expected]:
    """As many answers as `times` says, each with a sequence_number of its own."""
    status, sequence = plain.pop("status", 0), plain.pop("sequence", SEQUENCE_NUMBER)
    statuses = frozenset(status if isinstance(status, list) else [status])
    if plain.pop("vendor", False):
        statuses = VENDOR_STATUSES
    sequences = sequence if isinstance(sequence, list) else [sequence]
    return [
        Expected(statuses=statuses, sequences=frozenset(each + number for each in sequences), **plain)
        for number in range(plain.pop("times", 1))
    ]
