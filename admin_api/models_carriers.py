"""SMPP logins, ways out and commands to nodes, as operators write and read them.

Ids are text, times RFC 3339, as everywhere in the API. A connector's addresses, login, binds and rate stand in the TOML
of its nodes; what is wished of it, and everything of a login, are rows.
What must not enter: a secret beyond the answer that makes it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_messages import Limit
from admin_api.models_operators import Cursor, Id
from admin_api.problems import Fault

NO_NETWORK = Words("write it like 192.0.2.0/24 or 2001:db8::/32", "écrivez-le comme 192.0.2.0/24 ou 2001:db8::/32")

SystemId = Annotated[str, Meta(pattern=r"^[!-~]{1,15}$", max_length=15, description="SMPP v3.4 5.2.1")]
Networks = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]
Binds = Annotated[int, Meta(ge=1, le=1000)]
SomeBinds = Annotated[int, Meta(ge=0, le=1000)]
Window = Annotated[int, Meta(ge=1, le=1000)]
Tps = Annotated[int, Meta(ge=0, le=2**31 - 1, description="parts a second over all binds; 0: no limit")]
TrafficClass = Literal["otp", "transactional", "marketing", "service"]
Alphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8"]
EsmeState = Literal["active", "suspended"]


class AddEsme(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A login to open. allow: networks it may come from; none: from anywhere. Its password is made here."""

    system_id: SystemId
    account_id: Id
    max_binds: Binds = 10
    window: Window = 100
    tps: Tps = 0
    allow: Networks = []
    traffic_class: TrafficClass = "transactional"

    def more_faults(self) -> Iterator[Fault]:
        """Networks are read by ipaddress."""
        yield from _network_faults(self.allow)


class ChangeEsme(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. allow takes the place of all before. state suspended: its binds end."""

    state: EsmeState | None = None
    max_binds: Binds | None = None
    max_transmitters: SomeBinds | None = None
    max_receivers: SomeBinds | None = None
    max_transceivers: SomeBinds | None = None
    window: Window | None = None
    tps: Tps | None = None
    allow: Networks | None = None
    traffic_class: TrafficClass | None = None
    v34_bind_errors: bool | None = None
    receipts_first: Literal["oldest", "newest"] | None = None
    receipt_for_each_part: bool | None = None
    default_alphabet: Alphabet | None = None
    long_inbound: Literal["joined", "parts"] | None = None

    def more_faults(self) -> Iterator[Fault]:
        """Networks are read by ipaddress."""
        yield from _network_faults(self.allow or [])


def _network_faults(networks: Sequence[str]) -> Iterator[Fault]:
    for place, text in enumerate(networks):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            yield Fault(("allow", place), "network", NO_NETWORK)


class ListEsmes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which logins, newest first."""

    account_id: Id | None = None
    state: EsmeState | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class EsmeBind(msgspec.Struct, kw_only=True):
    """A living bind of a login, on one node."""

    node: str
    bind_type: str
    state: str
    peer: str
    in_flight: int
    window: int
    bound_since: str | None


class Esme(msgspec.Struct, kw_only=True):
    """A login. former_password_until: until when the password before this one binds, too. password: shown once."""

    id: str
    system_id: str
    account_id: str
    account: str
    state: EsmeState
    max_binds: int
    max_transmitters: int
    max_receivers: int
    max_transceivers: int
    window: int
    tps: int
    allow: list[str]
    traffic_class: str
    v34_bind_errors: bool
    receipts_first: str
    receipt_for_each_part: bool
    default_alphabet: str
    long_inbound: str
    former_password_until: str | None
    created_at: str
    binds: list[EsmeBind]
    password: str | None = None


class Esmes(msgspec.Struct):
    """A page. next_cursor null: the end."""

    esmes: list[Esme]
    next_cursor: str | None


class RotatePassword(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """overlap_hours: how long the former password binds beside the new one; 0: not at all."""

    overlap_hours: Annotated[int, Meta(ge=0, le=720)] = 24


class ReadHistory(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How many changes, the newest first."""

    limit: Limit = 50


class EsmeChange(msgspec.Struct):
    """One value that was changed; of a password only that it was."""

    changed_at: str
    field: str
    former: str | None
    became: str | None


class EsmeHistory(msgspec.Struct):
    """What was changed of a login, newest first."""

    changes: list[EsmeChange]


# ---------------------------------------------------------------- ways out


class CarrierBind(msgspec.Struct, kw_only=True):
    """A bind to a carrier, on the node that holds it."""

    bind_type: str
    state: str
    peer: str
    in_flight: int
    window: int
    bound_since: str | None


class ConnectorOnNode(msgspec.Struct, kw_only=True):
    """A connector as one living node has it. rate_per_s: what it sends at most now; 0: no limit. open: written, not
    answered. more_in_rows: more wait in the database than memory holds.
    """

    node: str
    health: str
    bound: int
    window: int
    rate_per_s: float
    queued: int
    more_in_rows: bool
    open: int
    awaiting_receipt: int
    oldest_waits_ms: int
    last_fault: str | None
    last_fault_at: str | None
    binds: list[CarrierBind]


class ConnectorShown(msgspec.Struct, kw_only=True):
    """A connector over all living nodes. health null: no living node configures it. configured_by: the TOML of these
    nodes says its addresses, login, binds and rate; they are not changed here.
    """

    id: str
    name: str
    kind: str
    wish: Literal["run", "drain", "stop"]
    health: str | None
    bound: int
    binds: int
    queued: int
    configured_by: list[str]
    nodes: list[ConnectorOnNode]


class Connectors(msgspec.Struct):
    """All of them, by name."""

    connectors: list[ConnectorShown]


class CommandPart(msgspec.Struct, kw_only=True):
    """What one node did of a command. away: it was not seen for a while; it does it when it is back. reason: why it
    failed, or why nothing happens yet.
    """

    node: str | None
    state: Literal["asked", "taken", "done", "failed"]
    away: bool
    reason: str
    result: dict[str, int | str]


class Command(msgspec.Struct, kw_only=True):
    """A command to nodes. state: the least that any node has reached; failed where one failed."""

    id: str
    command: str
    subject: str
    asked_by: str
    asked_at: str
    ended_at: str | None
    state: Literal["asked", "taken", "done", "failed"]
    nodes: list[CommandPart]


class ListCommands(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which commands, newest first."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class Commands(msgspec.Struct):
    """A page. next_cursor null: the end."""

    commands: list[Command]
    next_cursor: str | None
