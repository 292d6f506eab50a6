"""`passerelle webhook`: where accounts are told over HTTP, what they were told and did not take, and telling it again.

What belongs here: checking what is asked, words for what came of it.
What must not enter: the sending itself (gateway.webhooks.courier), which `send` only starts.
"""

from __future__ import annotations

import asyncio
import datetime
import secrets
import signal
import time
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.connecting import running_server
from gateway.command_line.finding import find_account_id, find_open_account
from gateway.command_line.logs import log_to
from gateway.command_line.looping import run_on_loop
from gateway.command_line.messages import LIST_LIMIT
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, read_configuration, with_database
from gateway.command_line.output import answer, format_ms, show_json, show_rows
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.since import parse_since
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import webhooks as rows
from gateway.webhooks.addresses import parse_networks
from gateway.webhooks.events import ASKABLE, EVENTS
from gateway.webhooks.signature import SECRET_OCTETS, format_secret
from gateway.webhooks.targets import REMEDIES, Target, read_target

ENDED: Final = {"all": ["done", "dead"], "done": ["done"], "dead": ["dead"]}
STATES: Final = ("due", "done", "dead")
FORMATS: Final = ("native", "kannel", "jasmin")
METHODS: Final = ("GET", "POST")
GROUPS: Final = {"all": EVENTS, "message": EVENTS[:-1], "inbound": EVENTS[-1:], "notice": ASKABLE[len(EVENTS) :]}
TEST_PATIENCE_S: Final = 20.0  # chosen: a courier begins at once, and leaves a receiver after 15 s
LOOK_S: Final = 0.1  # chosen: between two looks at the delivery's row
HOUR_MS: Final = 3_600_000

webhooks = typer.Typer(help="URLs that accounts are told at.", no_args_is_help=True)

EndpointArgument = Annotated[int, typer.Argument(help="Its number in the list.")]
UrlOption = Annotated[str, typer.Argument(help="https://... or http://...")]
EventsOption = Annotated[str, typer.Option("--events", help="all (of messages), message, inbound, notice, or events.")]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_secret() -> str:
    return format_secret(secrets.token_bytes(SECRET_OCTETS))


def read_events(text: str) -> list[str]:
    """Events as operators write them. Raises Refusal."""
    wished: list[str] = []
    for word in text.replace(" ", "").split(","):
        wished += GROUPS.get(word, (word,))
    for event in wished:
        if event not in ASKABLE:
            raise unknown(say("event {name} is unknown", name=event), event, (*GROUPS, *ASKABLE), "--events all")
    return list(dict.fromkeys(wished))


def check_url(url: str, configuration: Configuration) -> None:
    """Raises Refusal for a URL that would never be asked."""
    try:
        allowed = parse_networks(configuration.webhooks.allow_networks)
    except ValueError as fault:
        raise Refusal(
            say("[webhooks] allow_networks: {why}", why=fault), say("write networks like 192.168.7.0/24")
        ) from fault
    found = read_target(url, allowed)
    if not isinstance(found, Target):
        raise Refusal(say("this URL cannot be: {fault}", fault=found), say(REMEDIES[found]))


async def _find(connection: asyncpg.Connection, endpoint_id: int) -> rows.Endpoint:
    found = (await rows.load_endpoints(connection, [endpoint_id], _now_ms())).get(endpoint_id)
    if found is None or found.state == "removed":
        raise Refusal(
            say("there is no webhook {endpoint}", endpoint=endpoint_id), say("look at: passerelle webhook list")
        )
    return found


@webhooks.command("add")
def add(
    url: UrlOption,
    account: Annotated[str, typer.Option("--account", help="Whose events.")],
    events: EventsOption = "all",
    form: Annotated[str, typer.Option("--format", help="native (signed), kannel or jasmin.")] = "native",
    method: Annotated[str, typer.Option("--method", help="POST, or GET for kannel and jasmin.")] = "POST",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell an account at a URL what happens."""
    wished = read_events(events)
    if form not in FORMATS or method.upper() not in METHODS or (form == "native" and method.upper() != "POST"):
        raise Refusal(
            say("format {form} by {method} is unknown", form=form, method=method),
            say("write native with POST; kannel or jasmin with GET or POST"),
        )
    if form != "native" and not set(wished) <= set(EVENTS):
        raise Refusal(say("format {form} tells of messages only", form=form), say("--events all, or --format native"))
    secret = _new_secret()

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> int:
        check_url(url, configuration)
        owner = await find_open_account(connection, account)
        how: Any = (form, method.upper())
        return await rows.add_endpoint(connection, owner.account_id, url, wished, how, secret, _now_ms())

    endpoint_id = with_database(config, work)
    answer(
        as_json,
        "webhook {endpoint}; its secret, shown this once: {secret}",
        endpoint=endpoint_id,
        secret=secret,
    )


@webhooks.command("list")
def list_webhooks(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show where accounts are told, what waits and what was not taken."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await rows.list_endpoints(connection, await find_account_id(connection, account))

    shown = [
        {
            "endpoint": row["endpoint_id"],
            "account": row["account"],
            "url": row["url"],
            "format": row["format"],
            "events": row["events"],
            "state": row["state"],
            "due": row["due"],
            "dead": row["dead"],
            "why": row["why"],
        }
        for row in with_database(config, work)
    ]
    show_rows(shown, ("endpoint", "account", "url", "format", "events", "state", "due", "dead", "why"), as_json)


@webhooks.command("set")
def change(
    endpoint: EndpointArgument,
    url: Annotated[str | None, typer.Option("--url", help="Another URL.")] = None,
    events: Annotated[
        str | None, typer.Option("--events", help="all (of messages), message, inbound, notice, or events.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a webhook another URL or other events."""
    wished = None if events is None else read_events(events)

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> None:
        if url is not None:
            check_url(url, configuration)
        found = await _find(connection, endpoint)
        if found.format != "native" and not set(wished or ()) <= set(EVENTS):
            refused = say("format {form} tells of messages only", form=found.format)
            raise Refusal(refused, say("--events all, or --format native"))
        await rows.change_endpoint(connection, endpoint, url, wished)

    with_database(config, work)
    answer(as_json, "webhook {endpoint} is changed", endpoint=endpoint)


@webhooks.command("rotate")
def rotate(
    endpoint: EndpointArgument,
    overlap_h: Annotated[int, typer.Option("--overlap", min=0, max=720, help="Hours in which both secrets sign.")] = 24,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a webhook a new secret; the former one signs beside it for a while."""
    secret = _new_secret()

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await _find(connection, endpoint)
        now_ms = _now_ms()
        await rows.rotate_secret(connection, endpoint, secret, now_ms, now_ms + overlap_h * HOUR_MS)

    with_database(config, work)
    answer(as_json, "webhook {endpoint}; its secret, shown this once: {secret}", endpoint=endpoint, secret=secret)


@webhooks.command("disable")
def disable(
    endpoint: EndpointArgument,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a URL nothing more, until it is enabled; what happens meanwhile can be replayed."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await _find(connection, endpoint)
        await rows.disable_endpoint(connection, endpoint, "disabled by an operator")

    with_database(config, work)
    answer(as_json, "webhook {endpoint} is told nothing more", endpoint=endpoint)


@webhooks.command("enable")
def enable(
    endpoint: EndpointArgument,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a disabled URL again what happens from now on."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await _find(connection, endpoint)
        await rows.enable_endpoint(connection, endpoint)

    with_database(config, work)
    answer(
        as_json,
        "webhook {endpoint} is told again; what it missed: passerelle webhook replay {endpoint} --since 1d",
        endpoint=endpoint,
    )


@webhooks.command("remove")
def remove(
    endpoint: EndpointArgument,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End a webhook; its deliveries stay to be looked at."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await _find(connection, endpoint)
        await rows.remove_endpoint(connection, endpoint)

    with_database(config, work)
    answer(as_json, "webhook {endpoint} is removed", endpoint=endpoint)


@webhooks.command("test")
def send_test(
    endpoint: EndpointArgument,
    wait_s: Annotated[float, typer.Option("--wait", min=0, max=60, help="Seconds to wait for it.")] = TEST_PATIENCE_S,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Send a test event, and show what its first try found."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> tuple[int, asyncpg.Record | None]:
        await _find(connection, endpoint)
        delivery_id = await rows.owe_test(connection, endpoint, _now_ms())
        if delivery_id is None:
            raise Refusal(
                say("webhook {endpoint} is disabled", endpoint=endpoint),
                say("first: passerelle webhook enable {endpoint}", endpoint=endpoint),
            )
        return delivery_id, await _first_try(connection, delivery_id, wait_s)

    delivery_id, found = with_database(config, work)
    if found is None:
        answer(
            as_json,
            "delivery {delivery} waits: no courier runs here; start one: passerelle webhook send",
            delivery=delivery_id,
            state="due",
        )
        return
    answer(
        as_json,
        "delivery {delivery}: status {status}, {fault}, in {took_ms} ms: {answer}",
        delivery=delivery_id,
        status=found["status"],
        fault=found["fault"] or say("taken"),
        took_ms=found["took_ms"],
        answer=found["answer"],
    )


async def _first_try(connection: asyncpg.Connection, delivery_id: int, wait_s: float) -> asyncpg.Record | None:
    """The first try of a delivery; None: nobody made one in time."""
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        tries = await rows.list_tries(connection, delivery_id)
        if tries:
            return tries[0]
        if asyncio.get_running_loop().time() >= deadline:
            return None
        await asyncio.sleep(LOOK_S)


@webhooks.command("deliveries")
def list_deliveries(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    endpoint: Annotated[int | None, typer.Option("--endpoint", help="Only this webhook's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="due, done or dead.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what was, and is to be, told over HTTP, the newest first, with the last try of each."""
    if state is not None and state not in STATES:
        raise Refusal(say("state {name} is unknown", name=state), say("write one of {names}", names=", ".join(STATES)))

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account_id = await find_account_id(connection, account)
        before_id = rows.HIGHEST_ID if cursor is None else cursor
        return await rows.list_deliveries(connection, account_id, endpoint, state, before_id, limit)

    shown = [_shown(row) for row in with_database(config, work)]
    following = shown[-1]["delivery"] if len(shown) == limit else None
    if as_json:
        show_json({"deliveries": shown, "cursor": following})
        return
    columns = ("delivery", "endpoint", "event", "message_id", "at", "state", "tries", "next_at", "status", "fault")
    show_rows(shown, (*columns, "answer"), as_json=False)
    if following is not None:
        typer.echo(say("older ones: --cursor {cursor}", cursor=following))


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "delivery": row["delivery_id"],
        "endpoint": row["endpoint_id"] if row["endpoint_id"] is not None else row["origin"],
        "event": row["event"],
        "message_id": str(row["message_id"]) if row["message_id"] else None,
        "at": format_ms(row["at_ms"]),
        "state": row["state"],
        "tries": row["tries"],
        "next_at": format_ms(row["due_at_ms"]) if row["state"] == "due" else None,
        "tried_at": format_ms(row["tried_at_ms"] or 0),
        "status": row["status"],
        "fault": row["fault"],
        "answer": row["answer"],
    }


@webhooks.command("replay")
def replay(
    endpoint: EndpointArgument,
    since: Annotated[str, typer.Option("--since", help="Of what happened from then on: 2026-01-31T08:00, 90m, 2d.")],
    until: Annotated[str | None, typer.Option("--until", help="Of what happened before then; else now.")] = None,
    state: Annotated[str, typer.Option("--state", help="How they ended: dead, done, or all.")] = "dead",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a URL again what happened in a span of time; the ids stay."""
    if state not in ENDED:
        raise Refusal(say("state {name} is unknown", name=state), say("write one of {names}", names=", ".join(ENDED)))
    now = datetime.datetime.now(datetime.UTC)
    span = (parse_since(since, now), _now_ms() + 1 if until is None else parse_since(until, now))
    if span[0] >= span[1]:
        raise Refusal(say("--since is not before --until"), say("name a span that has a beginning and an end"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> int:
        await _find(connection, endpoint)
        return await rows.replay_deliveries(connection, endpoint, span, ENDED[state], _now_ms())

    answer(as_json, "deliveries to be made again: {count}", count=with_database(config, work))


@webhooks.command("send")
def send(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Send what is owed until SIGTERM or Ctrl-C, where no HTTP API runs that does it."""
    from gateway.daemon.webhook_service import WebhooksFault, deliver_webhooks
    from gateway.webhooks.tallies import WebhookTallies

    configuration = read_configuration(config)
    log_to(None)

    async def deliver() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with running_server(configuration) as dsn:
            try:
                await deliver_webhooks(configuration, dsn, WebhookTallies())
            except WebhooksFault as fault:
                raise Refusal(str(fault)) from fault
            except asyncio.CancelledError:  # SIGTERM, Ctrl-C: what is under way is made again by the next one
                return

    run_on_loop(deliver())
