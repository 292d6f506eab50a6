"""`passerelle esme set`, `suspend`, `resume`, `rotate` and `account set`: limits of who is there, without SQL.

What belongs here: checking what an operator wrote, and one statement for it; living nodes take it up at once.
What must not enter: opening accounts and logins (accounts.py), SQL, a password in clear beyond its hashing.
"""

from __future__ import annotations

import time
from typing import Annotated, Final

import asyncpg
import msgspec
import typer

from gateway.command_line.accounts import (
    PASSWORD_LIMIT,
    accounts,
    check_c_octets,
    check_class,
    esmes,
    hash_password,
    parse_network,
    read_password,
)
from gateway.command_line.finding import find_esme, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, format_ms, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import logins

__all__ = ["accounts", "esmes"]

GRACE_HOURS: Final = 24.0  # chosen: a customer changes his programs within a day
LONGEST_GRACE_HOURS: Final = 720.0  # chosen: a month; a former password that lives longer was never changed
LARGEST: Final = 2**31 - 1  # PostgreSQL, integer
HOUR_MS: Final = 3_600_000
ORDERS: Final = ("oldest", "newest")  # migration 0005: esmes.receipts_first
HISTORY_LIMIT: Final = 1000  # chosen: rows of one list

SystemIdArgument = Annotated[str, typer.Argument(help="An SMPP login.")]


@esmes.command("set")
def set_esme(
    system_id: SystemIdArgument,
    max_binds: Annotated[int | None, typer.Option("--max-binds", min=1, max=1000, help="Binds at once.")] = None,
    max_transmitters: Annotated[
        int | None, typer.Option("--max-transmitters", min=0, max=1000, help="Transmitters among them; 0: none.")
    ] = None,
    max_receivers: Annotated[
        int | None, typer.Option("--max-receivers", min=0, max=1000, help="Receivers among them; 0: none.")
    ] = None,
    max_transceivers: Annotated[
        int | None, typer.Option("--max-transceivers", min=0, max=1000, help="Transceivers among them; 0: none.")
    ] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=1, max=1000, help="Unanswered requests per bind.")
    ] = None,
    tps: Annotated[
        int | None, typer.Option("--tps", min=0, max=LARGEST, help="Parts a second over all its binds; 0: no limit.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", help="Address or network it may come from, in place of all before.")
    ] = None,
    allow_anywhere: Annotated[bool, typer.Option("--allow-anywhere", help="It may come from anywhere.")] = False,
    traffic_class: Annotated[
        str | None, typer.Option("--class", help="otp, transactional, marketing, service.")
    ] = None,
    v34_bind_errors: Annotated[
        bool | None,
        typer.Option("--v34-bind-errors/--no-v34-bind-errors", help="Answer a wrong password with 0x0E, not 0x0D."),
    ] = None,
    receipts_first: Annotated[
        str | None, typer.Option("--receipts-first", help="After an absence: oldest, or newest.")
    ] = None,
    receipt_for_each_part: Annotated[
        bool | None,
        typer.Option("--receipt-for-each-part/--one-receipt", help="Of a message that we cut into parts."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Change limits and wishes of an SMPP login; what is not named stays."""
    if traffic_class is not None:
        check_class(traffic_class)
    if allow and allow_anywhere:
        raise Refusal(say("--allow and --allow-anywhere contradict each other"), say("write one of them"))
    if receipts_first not in (None, *ORDERS):
        raise Refusal(
            say("order {name} is unknown", name=receipts_first), say("write one of {names}", names=", ".join(ORDERS))
        )
    networks = [parse_network(each) for each in allow or []]
    change = logins.EsmeChange(
        max_binds=max_binds,
        max_transmitters=max_transmitters,
        max_receivers=max_receivers,
        max_transceivers=max_transceivers,
        window_size=window,
        tps=tps,
        allow_cidrs=networks if allow or allow_anywhere else None,
        traffic_class=traffic_class,
        v34_bind_errors=v34_bind_errors,
        receipts_first=receipts_first,
        receipt_for_each_part=receipt_for_each_part,
    )
    if change == logins.EsmeChange():
        raise Refusal(say("nothing to change was named"), "passerelle esme set --help")

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await find_esme(connection, system_id)
        await logins.set_esme(connection, system_id, change)

    with_database(config, work)
    changed = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    answer(as_json, "ESME {system_id} is changed: {changed}", system_id=system_id, changed=sorted(changed))


@esmes.command("history")
def show_history(
    system_id: SystemIdArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, max=HISTORY_LIMIT, help="At most so many.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what was changed of an SMPP login, newest first; a password only that it was."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        await find_esme(connection, system_id)
        return await logins.login_history(connection, system_id, limit)

    show_rows(with_database(config, work), ("changed_at", "field", "former", "became"), as_json)


@esmes.command("suspend")
def suspend_esme(
    system_id: SystemIdArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """End the binds of an SMPP login and take no new ones; what was accepted is still sent."""
    _put_into_state(system_id, "suspended", config)
    answer(as_json, "ESME {system_id} is suspended", system_id=system_id, state="suspended")


@esmes.command("resume")
def resume_esme(
    system_id: SystemIdArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Let a suspended SMPP login bind again."""
    _put_into_state(system_id, "active", config)
    answer(as_json, "ESME {system_id} may bind again", system_id=system_id, state="active")


def _put_into_state(system_id: str, state: str, config: ConfigOption) -> None:
    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await find_esme(connection, system_id)
        await logins.set_esme_state(connection, system_id, state)

    with_database(config, work)


@esmes.command("rotate")
def rotate_password(
    system_id: SystemIdArgument,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    grace: Annotated[
        float,
        typer.Option("--grace", min=0, max=LONGEST_GRACE_HOURS, help="Hours for which the former password binds too."),
    ] = GRACE_HOURS,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="No new password: end the former one now, with the binds made by it.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give an SMPP login a new password; the former one binds too, until the grace ends or the new is confirmed."""
    if confirm:
        _confirm(system_id, config)
        answer(as_json, "ESME {system_id} binds with its newest password only", system_id=system_id)
        return
    password = read_password(password_stdin)
    check_c_octets(password, PASSWORD_LIMIT, say("the password"))
    password_hash = hash_password(password)
    until_ms = int(time.time() * 1000 + grace * HOUR_MS) if grace else 0

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await find_esme(connection, system_id)
        await logins.rotate_password(connection, system_id, password_hash, until_ms)

    with_database(config, work)
    answer(
        as_json,
        "ESME {system_id} has a new password; the former one binds until {until}",
        system_id=system_id,
        until=format_ms(until_ms) or say("now"),
    )


def _confirm(system_id: str, config: ConfigOption) -> None:
    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        await find_esme(connection, system_id)
        return await logins.confirm_password(connection, system_id)

    if not with_database(config, work):
        raise Refusal(
            say("ESME {name} has no former password", name=system_id),
            say("to give it a new one: passerelle esme rotate {name} --password-stdin", name=system_id),
        )


@accounts.command("set")
def set_account(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    tps: Annotated[
        int | None, typer.Option("--tps", min=0, max=LARGEST, help="Parts a second over all its logins; 0: no limit.")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option("--per-minute", min=0, max=LARGEST, help="Parts a minute; 0: no limit.")
    ] = None,
    per_day: Annotated[
        int | None, typer.Option("--per-day", min=0, max=LARGEST, help="Parts a day (UTC); 0: no limit.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Change the rates of an account; what is not named stays."""
    if tps is None and per_minute is None and per_day is None:
        raise Refusal(say("nothing to change was named"), "passerelle account set --help")

    async def work(connection: asyncpg.Connection, _: Configuration) -> tuple[int, int, int]:
        account = await find_open_account(connection, name)
        return await logins.set_account_rates(connection, account.account_id, tps, per_minute, per_day)

    second, minute, day = with_database(config, work)
    answer(
        as_json,
        "account {name}: {tps} parts a second, {per_minute} a minute, {per_day} a day (0: no limit)",
        name=name,
        tps=second,
        per_minute=minute,
        per_day=day,
    )
