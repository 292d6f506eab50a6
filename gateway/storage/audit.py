"""The audit log: who changed what, in rows that cannot be changed, removed or reordered unseen.

Each row's MAC (HMAC-SHA256, RFC 2104) covers the former row's MAC and its own content; the key is made from api_secret.
The head's lock serialises writers: record() comes last in a changing transaction, so that it is held shortly.
What must not enter: secrets and texts of messages in `before` and `after`; who may change what (admin_api).
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

_SQL = load_statements("audit.sql")
FIRST_MAC: Final = bytes(32)  # before the first row
PAGE_ROWS: Final = 1000  # chosen: rows that a check holds at once
LONGEST_FACTS: Final = 65_536  # chosen: octets of `before` or `after`; of what is longer the digest is kept
HIGHEST_SEQ: Final = (1 << 63) - 1
SECRET_WORDS: Final = ("password", "secret", "token", "hash", "recovery_codes")


class Actor(Protocol):
    """Who changes something."""

    @property
    def user_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class Asked(Protocol):
    """The request that changes something."""

    @property
    def operator(self) -> Actor: ...
    @property
    def address(self) -> str: ...
    @property
    def request_id(self) -> str: ...


class CommandLineActor(msgspec.Struct, frozen=True):
    """Who works on the machine itself. name: the system's user."""

    name: str
    user_id: int = 0
    role: str = "command line"


class CommandLineAsked(msgspec.Struct, frozen=True):
    """A command as the audit log knows it."""

    operator: CommandLineActor
    address: str = ""
    request_id: str = ""


def asked_by_command() -> CommandLineAsked:
    """Who works on the machine now, as far as the system knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        name = str(os.getuid())
    return CommandLineAsked(CommandLineActor(name))


class AuditRow(msgspec.Struct, frozen=True):
    """One row. before, after: JSON, as it was signed."""

    seq: int
    at_ms: int
    user_id: int
    user_name: str
    role: str
    action: str
    subject: str
    account_id: int | None
    address: str
    request_id: str
    before: str
    after: str
    mac: bytes


class ChainFault(msgspec.Struct, frozen=True):
    """What is wrong with a row. kind: changed, removed (from seq on, `count` rows), head (of the chain itself)."""

    kind: str
    seq: int
    count: int = 1


class Checked(msgspec.Struct):
    """What a check found. mac: of the newest row, in hexadecimal."""

    rows: int
    seq: int
    mac: str
    faults: list[ChainFault]


async def record(
    connection: asyncpg.Connection,
    call: Asked,
    *,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
    account_id: int | None = None,
) -> None:
    """Add a row, inside the transaction that changes what it tells. action: matter.done, like account.suspended;
    subject: matter:id; before, after: mappings or Structs without secrets; account_id: whose matter it is.
    """
    head = await _locked_head(connection)
    fields: dict[str, Any] = {"seq": head["seq"] + 1, "at_ms": head["at_ms"], "user_id": call.operator.user_id}
    fields |= {"user_name": call.operator.name, "role": call.operator.role, "action": action, "subject": subject}
    fields |= {"account_id": account_id, "address": call.address, "request_id": call.request_id}
    fields |= {"before": _facts(before), "after": _facts(after)}
    mac = _mac(_key(head["secret"]), head["mac"], tuple(fields.values()))
    await connection.execute(_SQL["add_row"], *fields.values(), mac)
    await connection.execute(_SQL["move_head"], fields["seq"], mac)


async def _locked_head(connection: asyncpg.Connection) -> asyncpg.Record:
    assert connection.is_in_transaction(), "an audit row belongs into the transaction of what it tells"
    head = await connection.fetchrow(_SQL["lock_head"])
    if head is None:
        await connection.execute(_SQL["begin_chain"], FIRST_MAC)
        head = await connection.fetchrow(_SQL["lock_head"])
    assert head is not None
    return head


def _facts(facts: Any) -> str:
    plain = msgspec.to_builtins(facts, str_keys=True)
    if isinstance(plain, Mapping):
        told = [key for key in plain if any(word in key for word in SECRET_WORDS) and not isinstance(plain[key], bool)]
        assert not told, f"{told} must not be in the audit log"
    octets = msgspec.json.encode(plain, order="deterministic")
    if len(octets) > LONGEST_FACTS:
        octets = msgspec.json.encode({"octets": len(octets), "sha256": hashlib.sha256(octets).hexdigest()})
    return octets.decode()


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"audit", "sha256")


def _mac(key: bytes, former: bytes, content: tuple[Any, ...]) -> bytes:
    return hmac.digest(key, former + msgspec.json.encode(content), "sha256")


# ---------------------------------------------------------------- reading


async def check_chain(connection: asyncpg.Connection, noted: Mapping[int, str] | None = None) -> Checked:
    """Look at every row of the chain. noted: MACs that were written down before, by the number of their row."""
    secret = await connection.fetchval("SELECT secret FROM api_secret")
    found, former = Checked(0, 0, "", []), FIRST_MAC
    async for row in _chain(connection):
        if row.seq > found.seq + 1:
            found.faults.append(ChainFault("removed", found.seq + 1, row.seq - found.seq - 1))
        content = msgspec.structs.astuple(row)[:-1]
        after_gap = row.seq > found.seq + 1
        is_sound = hmac.compare_digest(row.mac, _mac(_key(secret), former, content))
        unlike_noted = (noted or {}).get(row.seq, row.mac.hex()) != row.mac.hex()
        if (not is_sound and not after_gap) or unlike_noted:
            found.faults.append(ChainFault("changed", row.seq))
        found.rows, found.seq, former = found.rows + 1, row.seq, row.mac
    head = await connection.fetchrow(_SQL["read_head"])
    newest = max([0 if head is None else head["seq"], *(noted or {})])
    if newest > found.seq:
        found.faults.append(ChainFault("removed", found.seq + 1, newest - found.seq))
    elif found.rows and (head is None or (head["seq"], head["mac"]) != (found.seq, former)):
        found.faults.append(ChainFault("head", found.seq))
    found.mac = former.hex()
    return found


async def _chain(connection: asyncpg.Connection) -> AsyncIterator[AuditRow]:
    after = -HIGHEST_SEQ
    while rows := await connection.fetch(_SQL["read_chain"], after, PAGE_ROWS):
        for row in rows:
            yield AuditRow(**dict(row))
        after = rows[-1]["seq"]


async def list_audit(
    connection: asyncpg.Connection,
    before_seq: int,
    limit: int,
    *,
    user: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    account_id: int | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    below_account: int | None = None,
) -> list[asyncpg.Record]:
    """Rows before a number, newest first. action: how it begins; below_account: of accounts in its tree alone."""
    filters = (user, action, subject, account_id, since_ms, until_ms, below_account)
    return list(await connection.fetch(_SQL["list_audit"], before_seq, *filters, limit))
