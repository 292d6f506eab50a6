"""`passerelle explain`, also `passerelle route test`: what would become of a message, rule by rule, and why.

What belongs here: gathering facts and the health of connectors, and laying the forecast out in the operator's language.
What must not enter: a rule (gateway.accept.explanation asks them), a write.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.accept.explanation import Asked, Forecast, forecast
from gateway.accept.fact_book import ANY_PREFIX, FactBook, FactBookFault
from gateway.accept.opt_outs import OptOuts
from gateway.accept.rules import AcceptPolicy, destination_number
from gateway.command_line.accounts import check_class
from gateway.command_line.amounts import format_credits
from gateway.command_line.finding import find_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import console, format_ms, show_fields, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.since import parse_since
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.ingress.smpp_refusals import status_of
from gateway.smpp.command_status import CommandStatus
from gateway.storage import facts, inspection
from router.choose import Candidate, Explanation
from router.facts import Health, NoRoute
from telecom.numbers import Number

REFUSED: Final = 1
VERDICTS: Final = {
    "chosen": "chosen",
    "later": "would do; an earlier one takes the message",
    "weight": "would do; by weight the share of this message falls to another of its group",
    "down": "its connector is down",
    "suspended": "its connector is configured nowhere, or suspended",
    "tried": "its connector refused this message already",
    "disabled": "disabled: passerelle route enable {route_id}",
    "other_account": "for another account",
    "other_sender": "for another sender",
    "other_class": "for another traffic class",
    "outside_window": "its time window is closed then",
}
NUMBER_FAULTS: Final = {
    "alphanumeric": "a name is no destination",
    "empty": "it has no digits",
    "not_digits": "it has other characters than digits",
    "too_short": "it is too short",
    "too_long": "it is longer than 15 digits (E.164)",
    "no_country_code": "it begins with 0 where a country code must stand",
    "unknown_country_code": "no country has such a code",
    "unknown_region": "the country that is set for the account is unknown",
    "national_without_region": "it is a national number, and no country is set: passerelle account add --region",
    "not_valid": "the numbering plan has no such number",
}


def explain(
    sender: Annotated[str, typer.Option("--from", help="Sender: a name or a number.")],
    to: Annotated[str, typer.Option("--to", help="Destination, as a customer would write it.")],
    text: Annotated[str, typer.Option("--text", help="The message.")],
    account: Annotated[str, typer.Option("--account", help="Name of the account.")],
    traffic_class: Annotated[
        str | None, typer.Option("--class", help="otp, transactional, marketing, service; else that of its logins.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="At this UTC time, like 2026-01-31T08:00; else now.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell what would become of a message, and why; exit 1 when it would be refused."""
    if traffic_class is not None:
        check_class(traffic_class)
    now = datetime.datetime.now(datetime.UTC)
    at_ms = time.time_ns() // 1_000_000 if at is None else parse_since(at, now)
    digits = sender.removeprefix("+")
    source = digits if digits.isascii() and digits.isdecimal() else sender

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> dict[str, Any]:
        owner = await find_account(connection, account)
        rows = await facts.load_facts(connection)
        book = read_book(rows)
        kind = traffic_class or class_of_logins(rows, owner.account_id, configuration)
        health = health_of(await inspection.load_nodes(connection), rows, configuration)
        asked = Asked(owner, source, to, text, kind, at_ms)
        policy = policy_of(configuration)
        opt_outs = OptOuts(frozenset(configuration.policy.opt_out_spares))
        digits_to = destination_number(owner, policy, to, 0)
        word = await inspection.find_opt_out(connection, owner.account_id, digits_to) if digits_to else None
        if word is not None and digits_to:
            opt_outs.change(owner.account_id, digits_to, word["opted_out"])
        told = forecast(asked, rows, book, policy, health, opt_outs)
        names = await facts.list_sender_names(connection, owner.account_id)
        return lay_out(asked, told, book, health, sender_verdict(source, names))

    told = with_database(config, work)
    if as_json:
        show_json(told)
    else:
        show(told)
    if told["refused"]:
        raise typer.Exit(REFUSED)


def read_book(rows: facts.FactRows) -> FactBook:
    """The facts, compiled as a node compiles them. Raises Refusal."""
    try:
        return FactBook(rows)
    except FactBookFault as fault:
        raise Refusal(
            say("the facts contradict each other, and nodes keep to the former ones: {why}", why=fault),
            say("correct the row; look at: passerelle route list"),
        ) from fault


def class_of_logins(rows: facts.FactRows, account_id: int, configuration: Configuration) -> str:
    """The traffic class of the account's logins where they agree, else the configured one."""
    kinds = {esme.traffic_class for esme in rows.esmes if esme.account_id == account_id}
    return kinds.pop() if len(kinds) == 1 else str(configuration.policy.default_traffic_class)


def policy_of(configuration: Configuration) -> AcceptPolicy:
    """The numbers of the configuration that rules need, as the node takes them."""
    limits = configuration.limits
    return AcceptPolicy(
        default_region=configuration.policy.default_country,
        validity_ms=int(limits.validity_s * 1000),
        parts_limit=limits.message_parts,
    )


def health_of(
    nodes: list[inspection.NodeSeen], rows: facts.FactRows, configuration: Configuration
) -> dict[str, Health]:
    """Health by connector: up where a living node says that it is bound; suspended where no configuration names it,
    or operators took it out.
    """
    configured = {connector.name for connector in configuration.connectors}
    health: dict[str, Health] = {c.name: "down" if c.name in configured else "suspended" for c in rows.connectors}
    for node in nodes:
        binds = node.live.get("binds")
        for bind in binds if node.alive and isinstance(binds, list) else ():
            name = str(bind.get("name"))
            if bind.get("side") == "carrier" and bind.get("state") == "bound" and health.get(name) == "down":
                health[name] = "up"
    return health | {c.name: "suspended" for c in rows.connectors if c.wish != "run"}


def sender_verdict(sender: str, names: list[asyncpg.Record]) -> str:
    """Whether the account may send under this name, in words."""
    if sender.isascii() and sender.isdecimal():
        return say("a number: no registration is asked for")
    state = next((row["state"] for row in names if row["name"].casefold() == sender.casefold()), None)
    if state is None:
        known = ", ".join(row["name"] for row in names) or "-"
        return say("not registered; the account has: {names}", names=known)
    return say(str(state))


def lay_out(asked: Asked, told: Forecast, book: FactBook, health: Mapping[str, Health], sender: str) -> dict[str, Any]:
    """The forecast as one document: what people see in their language, figures as they are."""
    account, text = asked.account, told.text
    status = 0 if told.refusal is None else status_of(told.refusal, account.masked_refusals)
    limits = {name: getattr(account, name, 0) for name in ("tps", "per_minute", "per_day")}
    fields: dict[str, Any] = {
        "answer": _status_name(status),
        "refused": told.refusal.value if told.refusal is not None else None,
        "again_later": told.refusal.temporary if told.refusal is not None else None,
        "at": format_ms(asked.at_ms),
        "account": account.name,
        "account_state": account.state,
        "from": asked.sender,
        "sender": sender,
    }
    fields |= number_fields(told)
    fields |= {
        "traffic_class": asked.traffic_class,
        "blocks": [
            f"{block.block_id}: {block.prefix}, {say(block.kind)}: {block.reason}"
            + ("" if block.account_id is not None else f" ({say('for everybody')})")
            for block in told.blocks
        ],
        "opted_out": told.opted_out,
        "alphabet": text.alphabet,
        "beyond_gsm": list(text.offending),
        "units": text.units,
        "units_free": text.units_free,
        "parts": text.parts,
        "pieces": list(told.pieces),
        "parts_in_gsm_mode": text.parts_in_gsm_mode,
        "gsm_mode_changes": [f"{before} > {after}" for before, after in text.changes],
        "rate": rate_words(told),
        "price": format_credits(told.price_micros),
        "balance": format_credits(account.balance_micros),
        "credit_limit": format_credits(account.credit_limit_micros),
        "limits": {name: limit for name, limit in limits.items() if limit},
    }
    return fields | route_fields(told.routes, health)


def number_fields(told: Forecast) -> dict[str, Any]:
    """The destination: as it is understood, or why it is none."""
    number = told.number
    if not isinstance(number, Number):
        return {"to": None, "number": say(NUMBER_FAULTS.get(number.reason, number.reason))}
    kind = say("valid: {kind}", kind=number.kind) if number.kind != "unknown" else say("possible, in no known plan")
    return {
        "to": number.e164,
        "number": kind,
        "written_formerly": number.migrated_from,
        "country": number.region,
        "network": f"{told.network.mcc}/{told.network.mnc} {told.network.operator}" if told.network else None,
    }


def rate_words(told: Forecast) -> str:
    """Which rate prices a part."""
    if told.rate is None:
        return say("no rate: one credit a part")
    prefix = say("any destination") if told.rate.prefix == ANY_PREFIX else told.rate.prefix
    whose = say("for everybody") if told.rate.account_id is None else say("of this account")
    return say(
        "{credits} a part: {prefix}, {whose}",
        credits=format_credits(told.rate.price_micros),
        prefix=prefix,
        whose=whose,
    )


def route_fields(routes: Explanation | None, health: Mapping[str, Health]) -> dict[str, Any]:
    """The choice and every route that reaches the destination."""
    if routes is None:
        return {"connector": None, "route_why": None, "candidates": [], "routes_elsewhere": None}
    outcome = routes.outcome
    return {
        "connector": None if isinstance(outcome, NoRoute) else outcome.connector,
        "waiting": None if isinstance(outcome, NoRoute) else outcome.waiting,
        "route_why": outcome.why,
        "candidates": [candidate_row(each, health) for each in routes.candidates],
        "routes_elsewhere": routes.elsewhere,
    }


def candidate_row(candidate: Candidate, health: Mapping[str, Health]) -> dict[str, Any]:
    """One route, and what became of it."""
    route = candidate.route
    return {
        "route_id": route.route_id,
        "order": route.order,
        "to": route.match,
        "connector": route.connector,
        "health": health.get(route.connector, "down"),
        "weight": route.weight,
        "verdict": candidate.verdict,
        "why": say(VERDICTS[candidate.verdict], route_id=route.route_id),
    }


def show(told: dict[str, Any]) -> None:
    """For people: fields, candidates, and the answer in one sentence last."""
    hidden = ("candidates", "pieces", "limits", "refused", "again_later", "answer", "routes_elsewhere")
    fields = {name: value for name, value in told.items() if name not in hidden}
    fields["limits"] = [f"{name} {limit}" for name, limit in told["limits"].items()]
    if len(told["pieces"]) > 1:
        fields["pieces"] = [f"[{piece}]" for piece in told["pieces"]]
    show_fields(fields, as_json=False)
    show_candidates(told)
    if told["refused"]:
        typer.echo(say("it would be refused: {why}, {status}", why=told["refused"], status=told["answer"]))
    elif told.get("waiting"):
        typer.echo(say("it would be accepted, and wait for {connector}", connector=told["connector"]))
    else:
        typer.echo(say("it would be accepted, and go to {connector}", connector=told["connector"]))


def show_candidates(told: dict[str, Any]) -> None:
    """The table of routes that reach the destination."""
    if told["candidates"]:
        console().print()
        show_rows(told["candidates"], ("route_id", "order", "to", "connector", "health", "weight", "why"), False)
    if told["routes_elsewhere"]:
        typer.echo(say("routes to other destinations: {count}", count=told["routes_elsewhere"]))


def _status_name(status: int) -> str:
    try:
        return f"{CommandStatus(status).name} (0x{status:02X})"
    except ValueError:
        return f"0x{status:04X}"
