"""`passerelle account`, `esme`, `sender`: who pays, who binds, under which name messages go.

What belongs here: checking what an operator wrote, and one row for it. Lengths: SMPP v3.4 5.2.1 and 5.2.2.
What must not enter: SQL, and a password in clear beyond its hashing.
"""

from __future__ import annotations

import getpass
import ipaddress
import re
import sys
from typing import Annotated, Final

import argon2
import asyncpg
import typer

from gateway.accept.sender_form import ALPHANUMERIC_LIMIT, fault_of_sender
from gateway.command_line.amounts import format_credits, parse_credits
from gateway.command_line.finding import find_account_id, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.sender_decisions import OverrideOption, decide_sender, refuse_look_alike
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts

SYSTEM_ID_LIMIT: Final = 15  # SMPP v3.4 5.2.1, octets without the NUL
PASSWORD_LIMIT: Final = 8  # SMPP v3.4 5.2.2, octets without the NUL
NAME_LIMIT: Final = 64  # chosen: an account's name stands in tables and logs
CLASSES: Final = ("otp", "transactional", "marketing", "service")  # glossary: traffic class
REGION: Final = re.compile(r"[A-Z]{2}")  # ISO 3166-1 alpha-2

accounts = typer.Typer(help="Who pays.", no_args_is_help=True)
esmes = typer.Typer(help="Who binds over SMPP.", no_args_is_help=True)
senders = typer.Typer(help="Sender names an account may use.", no_args_is_help=True)

AccountOption = Annotated[str, typer.Option("--account", help="Name of the account.")]


@accounts.command("add")
def add_account(
    name: Annotated[str, typer.Argument(help="A new name.")],
    credits: Annotated[str, typer.Option("--credits", help="Credits it starts with.")] = "0",
    credit_limit: Annotated[str, typer.Option("--credit-limit", help="How far below zero it may go.")] = "0",
    region: Annotated[str | None, typer.Option("--region", help="Country of its national numbers, like BJ.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Open an account."""
    amount, limit = parse_credits(credits), parse_credits(credit_limit)
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise Refusal(
            say("{name} cannot be the name of an account", name=repr(name)),
            say("write 1 to {limit} printable characters", limit=NAME_LIMIT),
        )
    if region is not None and not REGION.fullmatch(region):
        raise Refusal(say("{name} is not a country", name=region), say("write two capital letters, like BJ"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> int:
        async with connection.transaction():
            account_id = await facts.add_account(connection, name, limit, region)
            if account_id is None:
                raise Refusal(
                    say("account {name} exists already", name=name),
                    say("for more credit: passerelle account top-up {name} N --reason TEXT", name=name),
                )
            if amount > 0:
                await facts.top_up(connection, account_id, amount, "account opened")
        return account_id

    account_id = with_database(config, work)
    answer(
        as_json,
        "account {name} is open, with {balance} credits",
        name=name,
        account_id=account_id,
        balance=format_credits(amount),
    )


@accounts.command("list")
def list_accounts(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the accounts and their balances."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[facts.AccountRow]:
        return await facts.load_accounts(connection)

    rows = [
        {
            "name": row.name,
            "state": row.state,
            "balance": format_credits(row.balance_micros),
            "credit_limit": format_credits(row.credit_limit_micros),
            "region": row.default_region,
            "tps": row.tps,
            "per_minute": row.per_minute,
            "per_day": row.per_day,
            "account_id": row.account_id,
            "balance_micros": row.balance_micros,
        }
        for row in with_database(config, work)
    ]
    columns = ("name", "state", "balance", "credit_limit", "region", "tps", "per_minute", "per_day")
    show_rows(rows, columns, as_json)


@accounts.command("top-up")
def top_up(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    credits: Annotated[str, typer.Argument(metavar="N", help="Credits to add.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the ledger.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Add credit to an account."""
    amount = parse_credits(credits, least_micros=1)
    if not reason.strip():
        raise Refusal(say("a top-up needs a reason"), say("write why: --reason TEXT"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> int:
        account = await find_open_account(connection, name)
        return await facts.top_up(connection, account.account_id, amount, reason.strip())

    balance = with_database(config, work)
    answer(
        as_json,
        "account {name}: {added} credits added, balance {balance}",
        name=name,
        added=format_credits(amount),
        balance=format_credits(balance),
    )


@esmes.command("add")
def add_esme(
    system_id: Annotated[str, typer.Argument(help="Its SMPP login, 1 to 15 octets.")],
    account: AccountOption,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    max_binds: Annotated[int, typer.Option("--max-binds", min=1, max=1000, help="Binds at once.")] = 10,
    window: Annotated[int, typer.Option("--window", min=1, max=1000, help="Unanswered requests per bind.")] = 100,
    tps: Annotated[int, typer.Option("--tps", min=0, help="Parts a second over all its binds; 0: no limit.")] = 0,
    allow: Annotated[list[str] | None, typer.Option("--allow", help="Address or network it may come from.")] = None,
    traffic_class: Annotated[
        str | None,
        typer.Option("--class", help="otp, transactional, marketing, service; else the configuration's."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Open an SMPP login of an account."""
    check_c_octets(system_id, SYSTEM_ID_LIMIT, say("the system_id"))
    if traffic_class is not None:
        check_class(traffic_class)
    networks = [parse_network(each) for each in allow or []]
    password = read_password(password_stdin)
    check_c_octets(password, PASSWORD_LIMIT, say("the password"))
    password_hash = hash_password(password)

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> int | None:
        kind = traffic_class or configuration.policy.default_traffic_class
        owner = await find_open_account(connection, account)
        return await facts.add_esme(
            connection,
            facts.NewEsme(system_id, owner.account_id, password_hash, max_binds, window, tps, networks, kind),
        )

    if with_database(config, work) is None:
        raise Refusal(
            say("ESME {name} exists already", name=system_id),
            say("choose another system_id; the existing ones: passerelle esme list"),
        )
    answer(as_json, "ESME {system_id} may bind, account {account} pays", system_id=system_id, account=account)


@esmes.command("list")
def list_esmes(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the SMPP logins."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_esmes(connection)

    columns = ("system_id", "account", "state", "max_binds", "window_size", "tps", "allow_cidrs", "traffic_class")
    show_rows(with_database(config, work), (*columns, "former_password_until"), as_json)


@senders.command("add")
def add_sender(
    name: Annotated[str, typer.Argument(help="The name or number that handsets show.")],
    account: AccountOption,
    approved: Annotated[bool, typer.Option("--approved", help="It may be used at once.")] = False,
    override: OverrideOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Register a sender name of an account."""
    sender = parse_sender(name)
    state = "approved" if approved else "requested"

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        owner = await find_open_account(connection, account)
        if approved:
            await refuse_look_alike(connection, sender, override)
        return await facts.add_sender_name(connection, owner.account_id, sender, state)

    if not with_database(config, work):
        raise Refusal(
            say("account {account} has the sender name {name} already", account=account, name=sender),
            say("to approve it: passerelle sender approve {name} --account {account}", name=sender, account=account),
        )
    answer(as_json, "sender name {name} of account {account}: {state}", name=sender, account=account, state=state)


@senders.command("approve")
def approve_sender(
    name: Annotated[str, typer.Argument(help="A registered sender name.")],
    account: AccountOption,
    override: OverrideOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let an account use a sender name it asked for."""
    decide_sender(name, account, "approve", config, as_json, override)


@senders.command("list")
def list_senders(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the sender names."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_sender_names(connection, await find_account_id(connection, account))

    show_rows(with_database(config, work), ("account", "name", "state", "created_at", "decided_at"), as_json)


def check_c_octets(text: str, limit: int, what: str) -> None:
    """Refuse what an SMPP C-octet string of `limit` octets cannot carry, or what nobody could type again."""
    if not 1 <= len(text.encode()) <= limit:
        raise Refusal(
            say("{what} has {count} octets", what=what, count=len(text.encode())),
            say("write 1 to {limit} octets: SMPP carries no more", limit=limit),
        )
    if not text.isascii() or not text.isprintable():
        raise Refusal(say("{what} has characters beyond printable ASCII", what=what), say("write letters and digits"))


def check_class(traffic_class: str) -> None:
    """Refuse what is no traffic class."""
    if traffic_class not in CLASSES:
        raise Refusal(
            say("traffic class {name} is unknown", name=traffic_class),
            say("write one of {names}", names=", ".join(CLASSES)),
        )


def parse_network(text: str) -> str:
    """An address or a network in CIDR form, written the one way. Raises Refusal, also for host bits set."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as fault:
        raise Refusal(
            say("{text} is not a network", text=text), say("write it like 192.0.2.0/24 or 2001:db8::/32")
        ) from fault


def parse_sender(text: str) -> str:
    """A sender as submissions carry it: 3 to 15 digits without plus, or a name of at most 11 septets with a letter."""
    digits = text.removeprefix("+")
    fault = fault_of_sender(text)
    if fault is None:
        return digits if digits.isascii() and digits.isdigit() else text
    if fault == "number":
        raise Refusal(
            say("{text} is not a number that can send", text=text), say("write 3 to 15 digits, country code first")
        )
    if fault == "reserved":
        raise Refusal(
            say("{text} is a word that handsets answer with", text=repr(text)),
            say("choose a name that says who sends"),
        )
    raise Refusal(
        say("{text} cannot be a sender name", text=repr(text)),
        say(
            "write 1 to {limit} characters of GSM 7-bit and ASCII with a letter among them, or a number",
            limit=ALPHANUMERIC_LIMIT,
        ),
    )


def hash_password(password: str) -> str:
    """The argon2id hash of a password, salted (RFC 9106, section 4: the second recommended choice)."""
    return argon2.PasswordHasher().hash(password)


def read_password(from_stdin: bool) -> str:
    """The first line of stdin, or what is typed at a terminal; never an argument, which others could see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass.getpass(say("password: "))
    raise Refusal(say("no password was given"), say("hand it over by stdin: --password-stdin"))
