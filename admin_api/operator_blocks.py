"""/v1/admin/blocks and /v1/admin/opt-outs: destinations that get nothing, and people who want to hear no more.

A block is the house's own; a person's wish is an opt-out, of one account, with how he said so. Both hold within a
second at acceptance, and once more when what waits is taken to be sent.
What must not enter: what a block forbids (gateway.accept), an account's own opt-outs (opt_outs.py).
"""

from __future__ import annotations

from typing import Final

import asyncpg

from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.messages import format_time
from admin_api.models_operator_senders import (
    AddBlock,
    Block,
    Blocks,
    ListBlocks,
    ListOptOuts,
    OptOutPage,
    OptOutShown,
    Reasoned,
    WriteOptOut,
)
from admin_api.problems import Fault, Problem
from admin_api.reading import read_number
from admin_api.sender_names import when
from admin_api.service import Answer, Call, Service
from gateway.storage import facts
from gateway.storage import opt_outs as rows
from gateway.storage.audit import record
from gateway.storage.opt_outs import OptOutWord
from gateway.storage.sender_requests import LAST_ID
from telecom.numbers import Number, parse_number

BLOCKS: Final = "admin blocks"
OPT_OUTS: Final = "admin opt-outs"
NOT_A_NUMBER: Final = Words("this is no phone number", "ce n'est pas un numéro de téléphone")
NO_ACCOUNT: Final = Words("there is no such account", "ce compte n'existe pas")


async def show_blocks(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/blocks."""
    asked: ListBlocks = call.query
    filters, before = [asked.account_id, asked.number, asked.removed], LAST_ID
    if asked.cursor is not None:
        before = service.cursors.read(-call.operator.user_id, BLOCKS, filters, asked.cursor) or 0
        if not before:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
    account_id, number = _account(asked.account_id), _digits(asked.number)
    page = await service.writer.read(
        lambda c: rows.page_of_blocks(c, account_id, number, asked.removed, before, asked.limit)
    )
    more = None
    if len(page) == asked.limit:
        more = service.cursors.make(-call.operator.user_id, BLOCKS, filters, page[-1]["block_id"])
    return Answer(Blocks([_describe_block(row) for row in page], more))


async def add_block(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/blocks."""
    asked: AddBlock = call.body
    account_id, prefix = _account(asked.account_id), asked.prefix.removeprefix("+")
    if account_id is not None and account_id not in service.book.accounts:
        return Problem("invalid_request", errors=[Fault(("body", "account_id"), "unknown", NO_ACCOUNT)])

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        number = await facts.add_block(connection, account_id, prefix, "destination", asked.reason.strip())
        if number is None:
            return Problem("block_exists")
        after = {"prefix": prefix, "reason": asked.reason.strip()}
        subject = f"block:{number}"
        await record(connection, call, action="block.added", subject=subject, after=after, account_id=account_id)
        return Answer(_describe_block(await _block(connection, number)))

    return await service.writer.run(work)


async def remove_block(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/blocks/{id}/remove: it stays as history, with the reason."""
    asked: Reasoned = call.body
    number = read_number(call.path["id"], LAST_ID - 1)
    if number is None:
        return Problem("not_found")

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        gone = await facts.remove_block(connection, number, asked.reason.strip())
        if gone is None:
            return Problem("not_found")
        row = await _block(connection, number)
        await record(
            connection,
            call,
            action="block.removed",
            subject=f"block:{number}",
            before={"prefix": gone["prefix"], "kind": gone["kind"]},
            after={"reason": asked.reason.strip()},
            account_id=row["account_id"],
        )
        return Answer(_describe_block(row))

    return await service.writer.run(work)


async def show_opt_outs(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/opt-outs."""
    asked: ListOptOuts = call.query
    filters, place = [asked.account_id, asked.number, asked.opted_out], rows.NEWEST
    if asked.cursor is not None:
        found = service.cursors.read(-call.operator.user_id, OPT_OUTS, filters, asked.cursor, tuple)
        if found is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        place = found
    chosen = rows.Chosen(account_id=_account(asked.account_id), number=_digits(asked.number), opted_out=asked.opted_out)
    page = await service.writer.read(lambda c: rows.page_of_opt_outs(c, chosen, place, asked.limit))
    more = None
    if len(page) == asked.limit:
        more = service.cursors.make(-call.operator.user_id, OPT_OUTS, filters, rows.place_of(page[-1]))
    return Answer(OptOutPage([_describe_opt_out(row) for row in page], more))


async def add_opt_out(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/opt-outs."""
    return await _write(service, call, opted_out=True)


async def remove_opt_out(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/opt-outs/remove: the person said that he wants to hear from the account again."""
    return await _write(service, call, opted_out=False)


async def _write(service: Service, call: Call, opted_out: bool) -> Answer | Problem:
    asked: WriteOptOut = call.body
    account_id = int(asked.account_id)
    number = parse_number("+" + asked.number.removeprefix("+"), strict=True)
    faults = []
    if account_id not in service.book.accounts:
        faults.append(Fault(("body", "account_id"), "unknown", NO_ACCOUNT))
    if not isinstance(number, Number):
        faults.append(Fault(("body", "number"), number.reason, NOT_A_NUMBER))
    if faults or not isinstance(number, Number):
        return Problem("invalid_request", errors=faults)
    digits = number.e164
    word = OptOutWord(account_id, "operator", "", asked.proof.strip(), call.now_ms)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if opted_out:
            changed = bool(await rows.add_opt_outs(connection, word, [digits]))
        else:
            changed = await rows.end_opt_out(connection, word, digits)
        if not changed:
            return Problem("opted_out_already" if opted_out else "not_opted_out")
        await record(
            connection,
            call,
            action="opt_out.added" if opted_out else "opt_out.removed",
            subject=f"opt_out:{digits}",
            before={"opted_out": not opted_out},
            after={"opted_out": opted_out, "proof": word.proof},
            account_id=account_id,
        )
        chosen = rows.Chosen(account_id=account_id, number=digits)
        (row,) = await rows.page_of_opt_outs(connection, chosen, rows.NEWEST, 1)
        return Answer(_describe_opt_out(row))

    return await service.writer.run(work)


# ---------------------------------------------------------------- what they share


async def _block(connection: asyncpg.Connection, number: int) -> asyncpg.Record:
    (row,) = await rows.page_of_blocks(connection, None, None, True, number + 1, 1)
    return row


def _account(text: str | None) -> int | None:
    return None if text is None else int(text)


def _digits(text: str | None) -> str | None:
    return None if text is None else text.removeprefix("+")


def _describe_block(row: asyncpg.Record) -> Block:
    return Block(
        id=str(row["block_id"]),
        prefix=row["prefix"],
        kind=row["kind"],
        account_id=None if row["account_id"] is None else str(row["account_id"]),
        account=row["account"],
        reason=row["reason"],
        created_at=when(row["created_at"]) or "",
        removed_at=when(row["removed_at"]),
        end=row["consent"],
    )


def _describe_opt_out(row: asyncpg.Record) -> OptOutShown:
    return OptOutShown(
        account_id=str(row["account_id"]),
        account=row["account"],
        number=f"+{row['number']}",
        opted_out=row["opted_out"],
        source=row["source"],
        word=row["word"],
        proof=row["proof"],
        at=format_time(row["at_ms"]),
    )
