"""`passerelle inbound`: whose handsets' messages are, what they sent, who wants to hear no more.

What belongs here: checking what an operator wrote, laying rows out, giving a stored message to somebody.
What must not enter: SQL, and a second opinion on whose a message is (gateway.accept.inbound_table has the only one).
"""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Final, get_args

import asyncpg
import msgspec
import typer

from gateway.accept.inbound_table import InboundTable
from gateway.command_line.finding import find_account, find_account_id, find_esme, parse_message_id
from gateway.command_line.messages import LIST_LIMIT, show_message
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, format_ms, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.inbound.long_messages import text_of
from gateway.message import Envelope, accepted_at_ms
from gateway.notify.esme_deliveries import GIVE_UP_MS
from gateway.storage import facts, inspection
from gateway.storage import inbound as rows
from telecom.data_coding import DefaultAlphabet
from telecom.keywords import KEYWORD_CHARACTERS, first_word, fold, is_keyword
from telecom.numbers import Number, parse_number

INBOUND_NUMBER: Final = re.compile(
    r"[0-9]{1,15}\*?|\*|[\x21-\x29\x2b-\x7e]{1,11}"
)  # number, prefix*, name; as `number`

inbound = typer.Typer(help="What handsets send.", no_args_is_help=True)
inbound_routes = typer.Typer(help="Whose handsets' messages are.", no_args_is_help=True)
opt_outs = typer.Typer(help="Who wants to hear no more.", no_args_is_help=True)
inbound.add_typer(inbound_routes, name="route")
inbound.add_typer(opt_outs, name="opt-out")

EsmeOption = Annotated[str, typer.Option("--esme", help="system_id that takes what is sent to it.")]
OnlyAccountOption = Annotated[str | None, typer.Option("--account", help="Only this account's.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Our message id.")]


# ---------------------------------------------------------------- routes


@inbound_routes.command("add")
def add_inbound_route(
    number: Annotated[str, typer.Argument(help="Number or short code, prefix like 2290*, or '*' for all.")],
    esme: EsmeOption,
    keyword: Annotated[str | None, typer.Option("--keyword", help="Only messages whose first word it is.")] = None,
    order: Annotated[int, typer.Option("--order", min=0, max=1_000_000, help="Lower is asked first.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give what handsets send to a number, or with a keyword, to an ESME."""
    address = number.removeprefix("+")
    if not INBOUND_NUMBER.fullmatch(address):
        raise Refusal(
            say("{text} is not a number handsets write to", text=number),
            say("write digits, a prefix like 2290*, '*', or up to 11 characters"),
        )
    word = None if keyword is None else fold(keyword)
    if word is not None and not is_keyword(word):
        raise Refusal(
            say("{text} is not a keyword", text=keyword),
            say("write one word of at most {limit} characters", limit=KEYWORD_CHARACTERS),
        )

    async def work(connection: asyncpg.Connection, _: Configuration) -> int | None:
        owner = await find_esme(connection, esme)
        route = rows.NewInboundRoute(
            order, address.removesuffix("*"), address.endswith("*"), word, owner.account_id, owner.esme_id
        )
        return await rows.add_inbound_route(connection, route)

    route_id = with_database(config, work)
    if route_id is None:
        raise Refusal(
            say("{text} has an owner of this keyword and order already", text=number),
            say("look at: passerelle inbound route list"),
        )
    answer(
        as_json,
        "inbound route {route_id}: {number}, keyword {keyword}, goes to {esme}",
        route_id=route_id,
        number=address,
        keyword=word,
        esme=esme,
    )


@inbound_routes.command("list")
def list_inbound_routes(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show whose handsets' messages are, the most particular first."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await rows.list_inbound_routes(connection)

    found = [
        dict(row) | {"number": row["address"] + ("*" if row["is_prefix"] else "")}
        for row in with_database(config, work)
    ]
    show_rows(found, ("route_id", "number", "keyword", "order", "account", "system_id"), as_json)


@inbound_routes.command("remove")
def remove_inbound_route(
    route_id: Annotated[int, typer.Argument(help="As in the list.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Take a route of inbound messages away."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        return await rows.remove_inbound_route(connection, route_id)

    if not with_database(config, work):
        raise Refusal(
            say("there is no inbound route {name}", name=route_id), say("look at: passerelle inbound route list")
        )
    answer(as_json, "inbound route {route_id} is gone", route_id=route_id)


# ---------------------------------------------------------------- messages


@inbound.command("list")
def list_inbound(
    unrouted: Annotated[bool, typer.Option("--unrouted", help="Only what nobody got.")] = False,
    account: OnlyAccountOption = None,
    limit: LimitOption = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the newest messages from handsets, and why they went where they went."""
    before_id = inspection.MESSAGE_ID_LIMIT if cursor is None else cursor

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account_id = await find_account_id(connection, account)
        return await rows.list_inbound(connection, account_id, unrouted, before_id, limit)

    found = [_in_brief(row) for row in with_database(config, work)]
    following = found[-1]["message_id"] if len(found) == limit else None
    if as_json:
        show_json({"messages": found, "cursor": following})
        return
    show_rows(found, ("message_id", "received_at", "state", "from", "to", "account", "parts", "why"), as_json=False)
    if following is not None:
        typer.echo(say("older ones: --cursor {cursor}", cursor=following))


def _in_brief(row: asyncpg.Record) -> dict[str, Any]:
    parts, missing = row["part_count"], row["parts_missing"]
    return {
        "message_id": str(row["message_id"]),  # a string: JSON numbers lose digits past 2**53
        "received_at": format_ms(accepted_at_ms(row["message_id"])),
        "state": row["state"],
        "from": row["source_addr"],
        "to": row["destination_addr"],
        "account": row["account"],
        "esme": row["system_id"],
        "connector": row["connector"],
        "parts": f"{parts - missing}/{parts}" if missing else str(parts),
        "why": row["why"],
    }


@inbound.command("show")
def show_inbound(
    message_id: IdArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Show everything about one message from a handset."""
    show_message(message_id, config, as_json, lang)


@inbound.command("reroute")
def reroute(
    message_id: IdArgument,
    esme: Annotated[
        str | None, typer.Option("--esme", help="To this system_id; else by the routes as they are.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a message that nobody got to an ESME."""
    number = parse_message_id(message_id)

    async def work(connection: asyncpg.Connection, _: Configuration) -> str:
        row = None if number is None else await inspection.find_inbound_message(connection, number)
        if row is None:
            raise Refusal(
                say("no message {id} from a handset is stored here", id=message_id),
                say("look at: passerelle inbound list --unrouted"),
            )
        if esme is not None:
            owner = await find_esme(connection, esme)
            account_id, esme_id, why = owner.account_id, owner.esme_id, "an operator gave it away"
        else:
            account_id, esme_id, why = await _by_routes(connection, row)
        now_ms = time.time_ns() // 1_000_000
        until_ms = now_ms + GIVE_UP_MS
        given = await rows.reroute_inbound(connection, row["message_id"], account_id, esme_id, why, now_ms, until_ms)
        if not given:
            raise Refusal(
                say("message {id} was given to an ESME already", id=message_id), say("look at: passerelle inbound list")
            )
        names = {each.esme_id: each.system_id for each in await facts.load_esmes(connection)}
        return names[esme_id]

    system_id = with_database(config, work)
    answer(as_json, "message {message_id} goes to {esme}", message_id=message_id, esme=system_id)


async def _by_routes(connection: asyncpg.Connection, row: asyncpg.Record) -> tuple[int, int, str]:
    """account_id, esme_id and why, as a node would choose for it now. Raises Refusal."""
    table = InboundTable((await facts.load_facts(connection)).inbound_routes)
    envelope = msgspec.msgpack.decode(row["envelope"], type=Envelope)
    word = first_word(text_of(envelope, row["data_coding"], row["user_data"]))
    choice = table.choose(row["destination_addr"].lstrip("+"), word)
    if choice is None or choice.route.esme_id is None:
        raise Refusal(
            say(
                "no inbound route takes it: number {number}, keyword {word}", number=row["destination_addr"], word=word
            ),
            say("name its ESME: --esme, or add one: passerelle inbound route add"),
        )
    return choice.route.account_id, choice.route.esme_id, choice.why


# ---------------------------------------------------------------- opt-outs


@opt_outs.command("list")
def list_opt_outs(
    account: OnlyAccountOption = None,
    limit: LimitOption = LIST_LIMIT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show who wants to hear no more, and who came back, newest first."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await rows.list_opt_outs(connection, await find_account_id(connection, account), limit)

    found = [dict(row) | {"at": format_ms(row["at_ms"])} for row in with_database(config, work)]
    show_rows(found, ("account", "number", "opted_out", "word", "at"), as_json)


@opt_outs.command("add")
def add_opt_out(
    number: Annotated[str, typer.Argument(help="The person's number, with its country code.")],
    account: Annotated[str, typer.Option("--account", help="Who must not write to it any more.")],
    reason: Annotated[str, typer.Option("--reason", help="How the person said so.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write down that a person wants to hear no more from an account."""
    e164 = write_opt_out(number, account, reason, True, config)
    answer(as_json, "{account} sends nothing more to {number}", account=account, number=e164)


@opt_outs.command("remove")
def remove_opt_out(
    number: Annotated[str, typer.Argument(help="The person's number, with its country code.")],
    account: Annotated[str, typer.Option("--account", help="Who may write to it again.")],
    reason: Annotated[str, typer.Option("--reason", help="How the person said so.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write down that a person wants to hear from an account again."""
    e164 = write_opt_out(number, account, reason, False, config)
    answer(as_json, "{account} may write to {number} again", account=account, number=e164)


def write_opt_out(number: str, account: str, reason: str, opted_out: bool, config: Any) -> str:
    """Write down what a person said to an account another way; the number's digits. Raises Refusal."""
    parsed = parse_number(number if number.startswith("+") else f"+{number}", strict=True)
    if not isinstance(parsed, Number):
        raise Refusal(say("{text} is not a number", text=number), say("write it with its country code: 2290197000001"))
    if not reason.strip():
        raise Refusal(say("an opt-out needs a reason"), say("write why: --reason TEXT"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        owner = await find_account(connection, account)
        change = rows.OptOutChange(owner.account_id, parsed.e164, opted_out)
        await rows.store_opt_out(connection, change, reason.strip(), time.time_ns() // 1_000_000)

    with_database(config, work)
    return parsed.e164


# ---------------------------------------------------------------- how


@inbound.command("language")
def set_language(
    account: Annotated[str, typer.Argument(help="The account.")],
    language: Annotated[str, typer.Argument(help="fr or en.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Choose the language in which an account's STOP, START and HELP are answered."""
    if language not in ("fr", "en"):
        raise Refusal(say("language {name} is unknown", name=language), say("write fr or en"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await rows.set_language(connection, (await find_account(connection, account)).account_id, language)

    with_database(config, work)
    answer(as_json, "people are answered in {language} for account {account}", language=language, account=account)


@inbound.command("long")
def set_long_inbound(
    esme: Annotated[str, typer.Argument(help="system_id of the login.")],
    how: Annotated[str, typer.Argument(help="joined or parts.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Choose whether an ESME gets long messages joined, or in parts as they came."""
    if how not in ("joined", "parts"):
        raise Refusal(say("{text} is neither joined nor parts", text=how), say("write joined, or parts"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await rows.set_long_inbound(connection, (await find_esme(connection, esme)).esme_id, how)

    with_database(config, work)
    answer(as_json, "ESME {esme} gets long messages so: {how}", esme=esme, how=how)


def set_alphabet(
    esme: Annotated[str, typer.Argument(help="system_id of the login.")],
    alphabet: Annotated[str, typer.Argument(help="gsm7, gsm7_packed, latin1, ascii, cp1252, utf8.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say what an ESME means by data_coding 0, in what it submits and in what it is delivered."""
    known = get_args(DefaultAlphabet)
    if alphabet not in known:
        raise Refusal(
            say("alphabet {name} is unknown", name=alphabet), say("write one of {names}", names=", ".join(known))
        )

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await rows.set_alphabet(connection, (await find_esme(connection, esme)).esme_id, alphabet)

    with_database(config, work)
    answer(as_json, "data_coding 0 of ESME {esme} is {alphabet}", esme=esme, alphabet=alphabet)
