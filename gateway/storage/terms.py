"""Terms of acceptance beside credit: idempotency keys, customers' own names of messages, codes, all or nothing.

Source: promise P1 (message, hold and idempotency key in one transaction). A batch with terms runs these statements
around the accepting one; a batch without terms, which is every batch of an SMPP door, knows nothing of them. Locks are
taken in one order by everybody: keys, names, codes, accounts.
What must not enter: what an answer looks like (admin_api), rules about messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from gateway.message import Message
from gateway.storage.named_statements import load_statements
from gateway.storage.one_time_codes import Sending, keep, within_limits

KEYS_KEPT_MS: Final = 72 * 3600 * 1000  # defaults page, HTTP

_SQL = load_statements("terms.sql")


class IdempotencyKey(msgspec.Struct):
    """A key to be stored with its answer. message_ids: of the answer's results, in order; 0: refused by a rule."""

    route: str
    key: str
    body_hash: bytes
    answer: bytes
    message_ids: list[int]
    created_at_ms: int


class Terms(msgspec.Struct):
    """What one request asks beside credit for messages of one account; and, once committed, what came of it.

    refs: client_ref by message id. atomic: all or none. ids: of all its messages. code: a one-time code that its only
    message carries.
    """

    account_id: int
    ids: frozenset[int]
    key: IdempotencyKey | None = None
    refs: dict[int, str] = msgspec.field(default_factory=dict)
    atomic: bool = False
    code: Sending | None = None
    key_taken: bool = False  # somebody stored this key a moment ago: nothing of the request was accepted
    refs_taken: set[int] = msgspec.field(default_factory=set)  # ids whose client_ref another message has
    undone: bool = False  # of an atomic request something was refused, so nothing was accepted


async def prepare(
    connection: asyncpg.Connection, terms: Sequence[Terms], messages: Sequence[Message]
) -> frozenset[int]:
    """Claim keys and names, and see that atomic requests can be paid whole; the ids that must not be accepted."""
    await _claim_keys(connection, [each for each in terms if each.key is not None])
    await _claim_refs(connection, [each for each in terms if each.refs and not each.key_taken])
    codes = [each.code for each in terms if each.code is not None and not each.key_taken]
    if codes:
        await within_limits(connection, codes)
    out = {each.code.message_id for each in codes if each.over is not None}
    for each in terms:
        if each.key_taken or (each.atomic and each.refs_taken):
            each.undone = not each.key_taken
            out |= each.ids
        out |= each.refs_taken
    if any(each.atomic for each in terms):
        await _keep_whole(connection, terms, messages, out)
    return frozenset(out)


async def conclude(connection: asyncpg.Connection, terms: Sequence[Terms], refused: frozenset[int]) -> None:
    """Take back what was claimed for messages that were not accepted after all."""
    refs = [
        (each.account_id, ref)
        for each in terms
        if not each.key_taken
        for message_id, ref in each.refs.items()
        if message_id in refused and message_id not in each.refs_taken
    ]
    codes = [each.code for each in terms if each.code is not None and not each.key_taken]
    if codes:
        await keep(connection, codes, refused)
    if refs:
        await connection.execute(_SQL["drop_refs"], *zip(*refs, strict=True))
    keys = [
        (each.account_id, each.key.route, each.key.key)
        for each in terms
        if each.key is not None and not each.key_taken and each.ids <= refused
    ]
    if keys:
        await connection.execute(_SQL["drop_keys"], *zip(*keys, strict=True))


async def recall_outcome(connection: asyncpg.Connection, terms: Sequence[Terms], refused: frozenset[int]) -> None:
    """After a COMMIT whose answer was lost: whose claims of those refused stand in the tables."""
    for each in terms:
        lost = each.ids & refused
        if not lost:
            continue
        if each.key is not None and each.ids <= refused:
            found = await find_key(connection, each.account_id, each.key.route, each.key.key, 0)
            each.key_taken = found is not None and found.message_ids != each.key.message_ids
        refs = {ref: message_id for message_id, ref in each.refs.items() if message_id in lost}
        owners = await find_refs(connection, each.account_id, list(refs))
        each.refs_taken = {refs[ref] for ref in owners}
        each.undone = each.atomic and not each.key_taken


async def _claim_keys(connection: asyncpg.Connection, terms: list[Terms]) -> None:
    if not terms:
        return
    columns = [
        (t.account_id, k.route, k.key, k.body_hash, ",".join(map(str, k.message_ids)), k.answer, k.created_at_ms)
        for t in terms
        if (k := t.key) is not None
    ]
    stored = await connection.fetch(_SQL["claim_keys"], *zip(*columns, strict=True))
    ours = {tuple(row) for row in stored}
    for each in terms:
        if each.key is not None:
            place = each.account_id, each.key.route, each.key.key
            each.key_taken = place not in ours
            ours.discard(place)  # of two requests in one batch the first has it


async def _claim_refs(connection: asyncpg.Connection, terms: list[Terms]) -> None:
    if not terms:
        return
    columns = [(each.account_id, ref, message_id) for each in terms for message_id, ref in each.refs.items()]
    stored = await connection.fetch(_SQL["claim_refs"], *zip(*columns, strict=True))
    ours = {row["message_id"] for row in stored}
    for each in terms:
        each.refs_taken = set(each.refs) - ours


async def _keep_whole(
    connection: asyncpg.Connection, terms: Sequence[Terms], messages: Sequence[Message], out: set[int]
) -> None:
    """Leave out atomic requests that cannot be paid whole, behind all that comes before them in the batch."""
    accounts = list({each.account_id for each in terms})
    found = await connection.fetch(_SQL["lock_funds"], accounts)
    left = {row["account_id"]: row["available"] for row in found}
    asked = {message_id: each for each in terms if each.atomic for message_id in each.ids}
    decided: set[int] = set()
    for message in messages:
        account_id = message.account_id
        if message.message_id in out or account_id not in left or id(asked.get(message.message_id)) in decided:
            continue
        whole = asked.get(message.message_id)
        if whole is None:
            left[account_id] -= message.price_micros  # it may not pass: then the statement refuses what follows, too
            continue
        decided.add(id(whole))
        price = sum(each.price_micros for each in messages if each.message_id in whole.ids)
        if price > left[account_id]:
            whole.undone = True
            out |= whole.ids
        else:
            left[account_id] -= price


class StoredKey(msgspec.Struct, frozen=True):
    """What stands under an idempotency key. stored: which of its messages were accepted."""

    body_hash: bytes
    answer: bytes
    message_ids: list[int]
    stored: list[int]


async def find_key(
    connection: asyncpg.Connection, account_id: int, route: str, key: str, since_ms: int
) -> StoredKey | None:
    """What was answered under a key since a time; None: it is free."""
    row = await connection.fetchrow(_SQL["find_key"], account_id, route, key, since_ms)
    return None if row is None else StoredKey(*row)


async def find_refs(connection: asyncpg.Connection, account_id: int, refs: list[str]) -> dict[str, int]:
    """The message of each of these names that is taken."""
    found = await connection.fetch(_SQL["find_refs"], account_id, refs) if refs else []
    return {row["client_ref"]: row["message_id"] for row in found}


async def bury_keys(connection: asyncpg.Connection, before_ms: int) -> None:
    """Forget keys older than a time."""
    await connection.execute(_SQL["bury_keys"], before_ms)
