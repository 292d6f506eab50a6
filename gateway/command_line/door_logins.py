"""`passerelle door-login`: names and passwords for programs that speak Kannel's sendsms or Jasmin's HTTP API.

What belongs here: logins made, listed, revoked. What must not enter: what those products' parameters mean (admin_api),
a password in clear beyond its hashing.
"""

from __future__ import annotations

from typing import Annotated

import asyncpg
import typer

from gateway.command_line.accounts import check_class, hash_password, parse_network, read_password
from gateway.command_line.finding import find_account, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_rows
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import door_logins as rows

logins = typer.Typer(help="Logins by the HTTP of Kannel and Jasmin.", no_args_is_help=True)


@logins.command("add")
def add_login(
    account: Annotated[str, typer.Argument(help="Who pays.")],
    username: Annotated[str, typer.Argument(help="As the program sends it: 1 to 64 octets, Jasmin's clients 16.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    sender: Annotated[str, typer.Option("--sender", help="Sender of requests that name none.")] = "",
    kind: Annotated[str, typer.Option("--class", help="Class of its messages.")] = "transactional",
    allow: Annotated[list[str] | None, typer.Option("--allow", help="Address or network it may come from.")] = None,
    hex_utf8: Annotated[
        bool, typer.Option("--hex-utf8", help="Jasmin's hex-content of coding 8 may be UTF-8.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give an account a name and a password for /cgi-bin/sendsms and /send."""
    check_class(kind)
    networks = [parse_network(each) for each in allow or []]
    _check("username", username, rows.LONGEST_USERNAME)
    password = read_password(password_stdin)
    _check("password", password, rows.LONGEST_PASSWORD)
    password_hash = hash_password(password)

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        owner = await find_open_account(connection, account)
        new = rows.NewDoorLogin(owner.account_id, username, password_hash, kind, sender, hex_utf8, networks)
        return await rows.add_door_login(connection, new)

    if not with_database(config, work):
        raise Refusal(say("login {name} exists", name=username), say("choose another name, or revoke that one"))
    answer(as_json, "login {name} may send", name=username)


@logins.command("list")
def list_logins(
    account: Annotated[str | None, typer.Argument(help="Of one account only.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """The logins, without their passwords."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        owner = None if account is None else await find_account(connection, account)
        return await rows.list_door_logins(connection, None if owner is None else owner.account_id)

    columns = ("username", "account", "traffic_class", "default_sender", "allow_cidrs", "created_at", "revoked_at")
    show_rows(with_database(config, work), columns, as_json)


@logins.command("revoke")
def revoke_login(
    username: Annotated[str, typer.Argument(help="As in the list.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End a login within a second; its name stays taken."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        if not await rows.revoke_door_login(connection, username):
            known = [row["username"] for row in await rows.list_door_logins(connection, None) if not row["revoked_at"]]
            raise unknown(say("no living login {name}", name=username), username, known, "passerelle door-login add")

    with_database(config, work)
    answer(as_json, "login {name} is revoked", name=username)


def _check(what: str, text: str, limit: int) -> None:
    if not 1 <= len(text.encode()) <= limit or not text.isprintable():
        raise Refusal(
            say("the {what} has {count} octets, or such as nobody can type", what=say(what), count=len(text.encode())),
            say("write 1 to {limit} octets", limit=limit),
        )
