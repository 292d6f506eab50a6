"""`passerelle admin-api` and `passerelle api-key`: the HTTP API's process, and its customers' keys.

What belongs here: becoming that process (its package stands above this one), keys given out, listed, rotated, revoked.
What must not enter: what a key may do (admin_api), how it is hashed (gateway.storage.api_keys).
"""

from __future__ import annotations

import datetime
import os
import sys
from typing import Annotated, Final

import asyncpg
import typer

from gateway.command_line.accounts import check_class, parse_network
from gateway.command_line.finding import find_account, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, find_config, with_database
from gateway.command_line.output import answer, show_json, show_rows
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import language, say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import api_keys

OVERLAP_H: Final = 24.0  # chosen: time to bring the new key to every program

keys = typer.Typer(help="Logins by HTTP.", no_args_is_help=True)


def start_api(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Run the HTTP API until SIGTERM or Ctrl-C."""
    words = [sys.executable, "-m", "admin_api", "--lang", language()]
    file = find_config(config)
    sys.stdout.flush()
    os.execv(sys.executable, words if file is None else [*words, "--config", str(file)])


@keys.command("add")
def add_key(
    account: Annotated[str, typer.Argument(help="Who pays.")],
    name: Annotated[str, typer.Argument(help="What it is for, in your words.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="What it may do; several times. Else: all.")
    ] = None,
    allow: Annotated[list[str] | None, typer.Option("--allow", help="Address or network it may come from.")] = None,
    rate: Annotated[int, typer.Option("--rate", min=0, help="Requests a second; 0: no limit.")] = 100,
    kind: Annotated[str, typer.Option("--class", help="Class of messages that name none.")] = "transactional",
    days: Annotated[float | None, typer.Option("--days", min=0, help="It ends after so many days.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give an account a key; it is shown this once."""
    scopes = [_scope(each) for each in scope or api_keys.SCOPES]
    networks = [parse_network(each) for each in allow or []]
    check_class(kind)
    ends = None if days is None else datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)

    async def work(connection: asyncpg.Connection, _: Configuration) -> str:
        owner = await find_open_account(connection, account)
        new = api_keys.NewApiKey(owner.account_id, name, scopes, networks, rate, kind, ends)
        return await api_keys.add_api_key(connection, new)

    _show_key(with_database(config, work), as_json)


@keys.command("list")
def list_keys(
    account: Annotated[str | None, typer.Argument(help="Of one account alone.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """The keys, by the part of them that may be seen."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        owner = None if account is None else await find_account(connection, account)
        return await api_keys.list_api_keys(connection, None if owner is None else owner.account_id)

    columns = ("prefix", "account", "name", "scopes", "allow_cidrs", "requests_per_s", "expires_at", "revoked_at")
    show_rows(with_database(config, work), columns, as_json)


@keys.command("rotate")
def rotate_key(
    prefix: Annotated[str, typer.Argument(help="As in the list.")],
    overlap: Annotated[float, typer.Option("--overlap", min=0, help="Hours the former key lives on.")] = OVERLAP_H,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a new key in place of one, which lives on for a while."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> str:
        key = await api_keys.rotate_api_key(connection, prefix, overlap * 3600)
        if key is None:
            raise await _no_key(connection, prefix)
        return key

    _show_key(with_database(config, work), as_json)


@keys.command("revoke")
def revoke_key(
    prefix: Annotated[str, typer.Argument(help="As in the list.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End a key within a second."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        if not await api_keys.revoke_api_key(connection, prefix):
            raise await _no_key(connection, prefix)

    with_database(config, work)
    answer(as_json, "key {prefix} is revoked", prefix=prefix)


async def _no_key(connection: asyncpg.Connection, prefix: str) -> Refusal:
    known = [row["prefix"] for row in await api_keys.list_api_keys(connection, None) if row["revoked_at"] is None]
    return unknown(say("no living key {prefix}", prefix=prefix), prefix, known, "passerelle api-key add")


def _show_key(key: str, as_json: bool) -> None:
    prefix = key.split("_")[1]
    if as_json:
        show_json({"prefix": prefix, "key": key})
        return
    typer.echo(key)
    typer.echo(say("keep it: it is shown this once; its name here is {prefix}", prefix=prefix), err=True)


def _scope(given: str) -> str:
    if given not in api_keys.SCOPES:
        raise Refusal(
            say("scope {name} is unknown", name=given), say("write one of {names}", names=", ".join(api_keys.SCOPES))
        )
    return given
