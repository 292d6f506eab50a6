"""`passerelle notices` and `passerelle mail`: who is told of what, what was sent, sending it again, trying the server.

What belongs here: checking what is asked, words for what came of it.
What must not enter: the sending itself (gateway.notices.desk, a job of the HTTP API's process).
"""

from __future__ import annotations

import asyncio
import time
from email.headerregistry import Address
from typing import Annotated, Any, Final, cast

import asyncpg
import msgspec
import typer

from gateway.command_line.amounts import format_credits, parse_credits
from gateway.command_line.finding import find_account, find_account_id
from gateway.command_line.messages import LIST_LIMIT
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, read_configuration, with_database
from gateway.command_line.output import answer, format_ms, show_json, show_rows
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import language, say
from gateway.daemon.configuration_schema import Configuration
from gateway.notice_events import CHANNELS, NOTICE_EVENTS, Channel
from gateway.notices.addresses import read_email
from gateway.storage import notices as rows
from gateway.storage.notices import OwnerKind, Preferences
from telecom.numbers import Number, parse_number

STATES: Final = ("due", "done", "dead")
LANGUAGES: Final = ("fr", "en")
NONE: Final = "-"  # takes away
MOST_ADDRESSES: Final = 5  # schema: notice_preferences

notices = typer.Typer(help="What people are told by e-mail and SMS.", no_args_is_help=True)
mail = typer.Typer(help="The mail server that notices go by.", no_args_is_help=True)

AccountArgument = Annotated[str | None, typer.Argument(help="The account; without: the house, for its administrators.")]


@notices.command("set")
def set_preferences(
    account: AccountArgument = None,
    emails: Annotated[list[str] | None, typer.Option("--email", help="Where; several times. -: nowhere.")] = None,
    phones: Annotated[list[str] | None, typer.Option("--phone", help="By SMS; several times. -: nowhere.")] = None,
    spoken: Annotated[str | None, typer.Option("--language", help="Of what is written: fr or en.")] = None,
    low_balance: Annotated[str | None, typer.Option("--low-balance", help="Credits; -: never told.")] = None,
    told: Annotated[list[str] | None, typer.Option("--tell", help="EVENT=email,sms or EVENT=-; several times.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say where an account, or the house, is told of what; what is not named stays."""
    if spoken is not None and spoken not in LANGUAGES:
        raise Refusal(say("language {name} is unknown", name=spoken), say("write one of {names}", names="fr, en"))
    if account is None and low_balance is not None:
        raise Refusal(say("--low-balance is of an account"), say("name the account"))
    channels = dict(read_channels(each) for each in told or [])

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> Preferences:
        kind, owner_id = await _owner(connection, account)
        former = await rows.load_preferences(connection, kind, owner_id)
        given: dict[str, Any] = {"channels": (former.channels if former else {}) | channels}
        if emails is not None:
            given["emails"] = read_emails(emails)
        if phones is not None:
            given["phones"] = read_phones(phones, configuration.policy.default_country)
        if spoken is not None:
            given["language"] = spoken
        if low_balance is not None:
            given["low_balance_micros"] = None if low_balance == NONE else parse_credits(low_balance)
        began = former or Preferences(owner_kind=kind, owner_id=owner_id, language="fr")
        wanted = msgspec.structs.replace(began, **given)
        await rows.save_preferences(connection, wanted)
        return wanted

    _show(with_database(config, work), as_json)


@notices.command("show")
def show_preferences(
    account: AccountArgument = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show where an account, or the house, is told of what."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> Preferences:
        kind, owner_id = await _owner(connection, account)
        found = await rows.load_preferences(connection, kind, owner_id)
        return found or Preferences(owner_kind=kind, owner_id=owner_id, language="fr")

    _show(with_database(config, work), as_json)


@notices.command("list")
def list_notices(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="due, done or dead.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what was, and is to be, sent, the newest first, with what the last try found."""
    if state is not None and state not in STATES:
        raise Refusal(say("state {name} is unknown", name=state), say("write one of {names}", names=", ".join(STATES)))

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account_id = await find_account_id(connection, account)
        return await rows.list_sendings(connection, account_id, state, cursor or rows.HIGHEST_ID, limit)

    shown = [_shown(row) for row in with_database(config, work)]
    following = shown[-1]["notice"] if len(shown) == limit else None
    if as_json:
        show_json({"notices": shown, "cursor": following})
        return
    columns = ("notice", "event", "account", "channel", "address", "at", "state", "tries", "next_at", "why")
    show_rows(shown, columns, as_json=False)
    if following is not None:
        typer.echo(say("older ones: --cursor {cursor}", cursor=following))


@notices.command("resend")
def resend(
    numbers: Annotated[list[int], typer.Argument(help="Their numbers in the list.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Send again what has ended, as new letters that no receiver takes for duplicates."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        async with connection.transaction():
            for number in numbers:
                if not await rows.resend(connection, number, time.time_ns() // 1_000_000):
                    said = say("notice {number} is unknown, or on its way", number=number)
                    raise Refusal(said, say("look at: passerelle notices list"))

    with_database(config, work)
    answer(as_json, "notices to be sent again: {count}", count=len(numbers))


@mail.command("test")
def try_server(
    address: Annotated[str, typer.Argument(help="Who gets the letter.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Send a letter by the configured server, now, and say what it answered."""
    from gateway.daemon.notice_service import NoticesFault, mail_context, mail_settings
    from gateway.notices.letters import message_id_of, write_letter
    from gateway.notices.mailer import Try
    from gateway.notices.wording import render_test

    configuration = read_configuration(config)
    if configuration.mail is None:
        raise Refusal(say("there is no [mail] in the configuration"), say("add it: docs/notices.md shows how"))
    (recipient,) = read_emails([address])
    settings, now_ms = mail_settings(configuration.mail), time.time_ns() // 1_000_000
    sender = Address(configuration.notices.house, addr_spec=settings.sender)
    name = message_id_of(0, 0, now_ms, settings.sender)
    words = render_test(language(), configuration.notices.house)
    try:
        tls = mail_context(configuration.mail)
    except NoticesFault as fault:
        raise Refusal(str(fault)) from fault
    letter = write_letter(words, language(), sender, recipient, name, now_ms)
    found = asyncio.run(Try(settings, tls, recipient, letter).send())
    if found.outcome != "taken":
        place = f"{settings.host}:{settings.port}"
        raise Refusal(
            say("{place} did not take the letter: {why}", place=place, why=found.why),
            say("put [mail] right: host, port, tls, user, password, sender"),
        )
    answer(as_json, "{host} took the letter for {address}", host=settings.host, address=recipient)


def read_emails(given: list[str]) -> list[str]:
    """Addresses as they are used; `-` is none. Raises Refusal."""
    found = [(each, read_email(each)) for each in given if each != NONE]
    for written, read in found:
        if read is None:
            raise Refusal(say("{text} is no e-mail address", text=written), say("write one like name@example.net"))
    return _few([read for _, read in found if read is not None])


def read_phones(given: list[str], region: str) -> list[str]:
    """Numbers as they are used; `-` is none. Raises Refusal."""
    found = [(each, parse_number(each, default_region=region, strict=True)) for each in given if each != NONE]
    for written, read in found:
        if not isinstance(read, Number):
            raise Refusal(
                say("{text} is no phone number", text=written), say("write it with its country code: +229...")
            )
    return _few([read.e164 for _, read in found if isinstance(read, Number)])


def _few(addresses: list[str]) -> list[str]:
    if len(addresses) > MOST_ADDRESSES:
        raise Refusal(say("more than {limit} addresses", limit=MOST_ADDRESSES), say("name a shared mailbox"))
    return list(dict.fromkeys(addresses))


def read_channels(text: str) -> tuple[str, list[Channel]]:
    """`EVENT=email,sms`. Raises Refusal."""
    event, _, named = text.partition("=")
    if event not in NOTICE_EVENTS:
        raise unknown(say("event {name} is unknown", name=event), event, NOTICE_EVENTS, "--tell balance.low=email,sms")
    words = [] if named == NONE else named.split(",")
    for word in words:
        if word not in CHANNELS:
            raise unknown(say("channel {name} is unknown", name=word), word, CHANNELS, "--tell balance.low=email,sms")
    return event, cast(list[Channel], words)


async def _owner(connection: asyncpg.Connection, account: str | None) -> tuple[OwnerKind, int]:
    return ("house", 0) if account is None else ("account", (await find_account(connection, account)).account_id)


def _show(preferences: Preferences, as_json: bool) -> None:
    threshold = preferences.low_balance_micros
    of_house = preferences.owner_kind == "house"
    shown = [
        {
            "event": event,
            "channels": preferences.channels.get(event, row.channels),
            "emails": preferences.emails,
            "phones": preferences.phones,
            "language": preferences.language,
            "low_balance": None if threshold is None else format_credits(threshold),
        }
        for event, row in NOTICE_EVENTS.items()
        if (row.audience == "administrators") == of_house
    ]
    show_rows(shown, ("event", "channels", "emails", "phones", "language", "low_balance"), as_json)


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "notice": row["sending_id"],
        "event": row["event"],
        "account": row["account"],
        "channel": row["channel"],
        "address": row["address"],
        "at": format_ms(row["made_at_ms"]),
        "state": row["state"],
        "tries": row["tries"],
        "next_at": format_ms(row["due_at_ms"]) if row["state"] == "due" else None,
        "why": row["why"],
        "count": row["notice_count"],
        "message_id": None if row["message_id"] is None else str(row["message_id"]),
    }
