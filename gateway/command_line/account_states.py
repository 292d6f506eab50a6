"""`passerelle account suspend`, `resume`, `close`, `limit`; `sender refuse`, `suspend`: what an account may still do.

What belongs here: which state may follow which, and one row for it; living nodes take it up at once.
What must not enter: opening accounts (accounts.py), their limits of pace (logins.py), SQL.
"""

from __future__ import annotations

from typing import Annotated, Final

import asyncpg
import typer

from gateway.command_line.accounts import AccountOption, accounts, senders
from gateway.command_line.amounts import format_credits, parse_credits
from gateway.command_line.finding import find_account, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.sender_decisions import decide_sender
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts
from gateway.storage.accounts import account_history

__all__ = ["accounts", "senders"]

FROM: Final = {"active": ("suspended",), "suspended": ("active",), "closed": ("active", "suspended")}

NameArgument = Annotated[str, typer.Argument(help="Name of the account.")]


@accounts.command("suspend")
def suspend_account(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Refuse what an account sends from now on, also what waits; its credit stays."""
    move_account(name, "suspended", config)
    answer(as_json, "account {name} is suspended: nothing of it is sent any more", name=name, state="suspended")


@accounts.command("resume")
def resume_account(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Let a suspended account send again."""
    move_account(name, "active", config)
    answer(as_json, "account {name} may send again", name=name, state="active")


@accounts.command("close")
def close_account(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Close an account for good; its messages and its ledger stay."""
    move_account(name, "closed", config)
    answer(as_json, "account {name} is closed for good", name=name, state="closed")


@accounts.command("history")
def show_history(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Show what was changed of an account, newest first."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account = await find_account(connection, name)
        return await account_history(connection, account.account_id)

    show_rows(with_database(config, work), ("changed_at", "field", "former", "became"), as_json)


@accounts.command("limit")
def limit_account(
    name: NameArgument,
    credits: Annotated[str, typer.Argument(metavar="N", help="How far below zero it may go.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say how far below zero an account may go."""
    limit = parse_credits(credits)

    async def work(connection: asyncpg.Connection, _: Configuration) -> int:
        account = await find_open_account(connection, name)
        balance = await facts.set_credit_limit(connection, account.account_id, limit)
        if balance is None:
            raise Refusal(
                say(
                    "account {name} stands at {balance} credits, below such a limit",
                    name=name,
                    balance=format_credits(account.balance_micros),
                ),
                say("first: passerelle account top-up {name} N --reason TEXT", name=name),
            )
        return balance

    balance = with_database(config, work)
    answer(
        as_json,
        "account {name} may go {limit} credits below zero, balance {balance}",
        name=name,
        limit=format_credits(limit),
        balance=format_credits(balance),
    )


@senders.command("refuse")
def refuse_sender(
    name: Annotated[str, typer.Argument(help="A registered sender name.")],
    account: AccountOption,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Deny an account a sender name it asked for."""
    decide_sender(name, account, "refuse", config, as_json)


@senders.command("suspend")
def suspend_sender(
    name: Annotated[str, typer.Argument(help="A registered sender name.")],
    account: AccountOption,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Take a sender name out of use, also for what waits; approve gives it back."""
    decide_sender(name, account, "suspend", config, as_json)


def move_account(name: str, state: str, config: ConfigOption) -> None:
    """Put an account in a state, if it is in one that may go there. Raises Refusal."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        account = await find_account(connection, name)
        if await facts.set_account_state(connection, account.account_id, state, FROM[state]):
            return
        if account.state == state:
            raise Refusal(say("account {name} is {state} already", name=name, state=say(state)))
        raise Refusal(
            say("account {name} is closed for good", name=name), say("open another: passerelle account add NAME")
        )

    with_database(config, work)
