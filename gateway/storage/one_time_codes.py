"""Typed functions over statements/one_time_codes.sql: limits, hashes and tries of one-time codes.

A code and its message commit together: gateway/storage/terms.py calls `within_limits` and `keep` in the accepting
transaction. Source of the limit of a number: defaults page, Voice (OTP); the others are chosen, against who has codes
sent to ranges of numbers that pay him (pumping).
What must not enter: codes in clear, HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

NUMBER_SENDS: Final = 3  # defaults page: of one account to one number
NUMBER_SPAN_MS: Final = 10 * 60_000
BLOCK_SENDS: Final = 60  # chosen: of one account, an hour, to numbers that differ in their last four digits alone
ACCOUNT_SENDS: Final = 10_000  # chosen: of one account, an hour
SPAN_MS: Final = 3_600_000
BLOCK_DIGITS: Final = 4  # chosen: a block of ten thousand, as operators are given numbers
CODES_KEPT_MS: Final = 30 * 86_400_000  # chosen: how long one may be asked what became of it

Limit = Literal["number", "block", "account"]

_SQL = load_statements("one_time_codes.sql")


class OneTimeCode(msgspec.Struct):
    """A code as it is kept. otp_id: of its first message; message_id: of the one that carries it. number: digits."""

    otp_id: int
    account_id: int
    number: str
    sender: str
    template: str
    code_length: int
    code_hash: bytes
    message_id: int
    most_attempts: int
    validity_s: int
    expires_at_ms: int
    state: str = "pending"
    attempts: int = 0


class Sending(msgspec.Struct):
    """A code that goes with a message. over: the limit that keeps it; retry_at_ms: when that may be over."""

    code: OneTimeCode
    at_ms: int
    over: Limit | None = None
    retry_at_ms: int = 0


async def within_limits(connection: asyncpg.Connection, sendings: Sequence[Sending]) -> None:
    """Note sends that are within their limits, and tell the others which they pass; in the accepting transaction."""
    await connection.execute(_SQL["lock_senders"], sorted({each.code.account_id for each in sendings}))
    for each in sendings:
        code, now_ms = each.code, each.at_ms
        block = code.number[:-BLOCK_DIGITS]
        place = (code.account_id, code.number, block)
        sent = await connection.fetchrow(_SQL["count_sends"], *place, now_ms - NUMBER_SPAN_MS, now_ms - SPAN_MS)
        assert sent is not None
        for limit, most, span_ms in (
            ("number", NUMBER_SENDS, NUMBER_SPAN_MS),
            ("block", BLOCK_SENDS, SPAN_MS),
            ("account", ACCOUNT_SENDS, SPAN_MS),
        ):
            if each.over is None and sent[f"of_{limit}"] >= most:
                each.over, each.retry_at_ms = limit, sent[f"{limit}_since"] + span_ms  # type: ignore[assignment]  # of these three
        if each.over is None:
            await connection.execute(_SQL["note_send"], code.message_id, *place, now_ms)


async def keep(connection: asyncpg.Connection, sendings: Sequence[Sending], refused: Iterable[int]) -> None:
    """Keep the codes whose messages are accepted, and take back what was noted of the others."""
    out = frozenset(refused)
    lost = [each.code for each in sendings if each.over is None and each.code.message_id in out]
    if lost:
        ids = [each.message_id for each in lost]
        await connection.execute(_SQL["forget_sends"], [each.account_id for each in lost], ids)
    for each in sendings:
        code = each.code
        if code.message_id in out:
            continue
        if code.otp_id == code.message_id:
            await connection.execute(_SQL["add_code"], *msgspec.structs.astuple(code)[:-2])
        else:
            place = (code.account_id, code.otp_id)
            await connection.execute(_SQL["renew_code"], *place, code.code_hash, code.message_id, code.expires_at_ms)


async def find_code(connection: asyncpg.Connection, account_id: int, otp_id: int) -> OneTimeCode | None:
    """One code of an account."""
    row = await connection.fetchrow(_SQL["find_code"], account_id, otp_id)
    return None if row is None else OneTimeCode(*row)


async def try_code(
    connection: asyncpg.Connection, account_id: int, otp_id: int, now_ms: int, fits: Callable[[bytes], bool]
) -> bool:
    """Count a try, and prove the code if it fits its hash: of any number of tries at once one at most is told so."""
    async with connection.transaction():
        code_hash = await connection.fetchval(_SQL["count_attempt"], account_id, otp_id, now_ms)
        if code_hash is None or not fits(code_hash):
            return False
        return await connection.fetchval(_SQL["approve_code"], account_id, otp_id) is not None


async def bury_codes(connection: asyncpg.Connection, now_ms: int) -> None:
    """Forget what no limit looks at, and what expired long ago."""
    await connection.execute(_SQL["bury_sends"], now_ms - SPAN_MS)
    await connection.execute(_SQL["bury_codes"], now_ms - CODES_KEPT_MS)
