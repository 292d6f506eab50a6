"""`passerelle`: the one command. Start reading here to find which file answers which word.

What belongs here: the tree of commands, the boundary where refusals and faults become one line and an exit code.
Exit codes: 0 done, 1 refused or failed (the reason on stderr), 2 a wrong word on the command line, 130 Ctrl-C.
What must not enter: what a command does.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import asyncpg
import typer
import typer.main

from gateway.command_line import (
    account_states,
    api,
    bench,
    carriers,
    checking,
    credit_orders,
    doctor,
    door_logins,
    explain,
    inbound,
    inbound_replay,
    live,
    logins,
    lookup,
    messages,
    node,
    notices,
    receipts,
    refused_senders,
    routing,
    routing_changes,
    rule_versions,
    run,
    selftest,
    simulate,
    statistics,
    users,
    webhooks,
)
from gateway.command_line.output import show_json
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import begin, language, say
from gateway.daemon.configuration import ConfigurationFault
from gateway.storage.database import DatabaseAway, DatabaseUnfit, NodeTaken
from gateway.storage.migrate import SchemaFault
from gateway.storage.postgres_programs import PostgresFault

REFUSED = 1
FAULTS = (Refusal, ConfigurationFault, SchemaFault, PostgresFault, DatabaseAway, DatabaseUnfit, NodeTaken)
INTERRUPTED = 130  # POSIX shells: 128 + SIGINT


def make_app() -> typer.Typer:
    """All commands, by the names that are fixed with the product's users."""
    app = typer.Typer(
        name="passerelle",
        help="A telecom gateway: messages in and out over SMPP, durable and paid for.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.command("run")(run.run)
    app.command("demo")(run.demo)
    app.command("node")(node.start_node)
    app.command("admin-api")(api.start_api)
    app.command("migrate")(node.migrate)
    app.command("doctor")(doctor.doctor)
    app.add_typer(logins.accounts, name="account")
    logins.esmes.command("alphabet")(inbound.set_alphabet)
    logins.esmes.command("unbind")(carriers.unbind)
    app.add_typer(logins.esmes, name="esme")
    app.add_typer(carriers.connectors, name="connector")
    app.add_typer(api.keys, name="api-key")
    app.add_typer(users.users, name="user")
    app.add_typer(users.audit, name="audit")
    app.add_typer(account_states.senders, name="sender")
    rule_versions.add_commands(refused_senders.routes, "routes")
    app.add_typer(refused_senders.routes, name="route")
    rule_versions.add_commands(routing_changes.rates, "rates")
    routing_changes.rates.command("import")(rule_versions.import_card)
    routing_changes.rates.command("export")(rule_versions.export_card)
    app.add_typer(routing_changes.rates, name="rate")
    app.add_typer(routing_changes.numbers, name="number")
    app.add_typer(routing_changes.blocks, name="block")
    app.add_typer(routing.ranges, name="range")
    app.add_typer(messages.messages, name="message")
    app.add_typer(inbound_replay.inbound, name="inbound")
    app.add_typer(receipts.receipts, name="receipt")
    app.add_typer(webhooks.webhooks, name="webhook")
    app.add_typer(notices.notices, name="notices")
    app.add_typer(notices.mail, name="mail")
    app.command("explain")(explain.explain)
    app.add_typer(door_logins.logins, name="door-login")
    app.add_typer(credit_orders.credit_orders, name="credit-order")
    app.command("lookup")(lookup.lookup)
    app.command("binds")(live.show_binds)
    app.command("queue")(live.show_queue)
    app.command("statistics")(statistics.show_statistics)
    app.command("check")(checking.check)
    app.add_typer(simulate.simulators, name="simulate")
    app.add_typer(selftest.selftest, name="selftest")
    app.command("bench")(bench.bench)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. arguments: without the program's name; None: the process's."""
    words = begin(sys.argv[1:] if arguments is None else arguments)
    try:
        _commands(language()).main(args=words, prog_name="passerelle")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except known_faults() as fault:
        complain(fault, "--json" in words)
        return REFUSED
    except asyncpg.PostgresError as fault:
        complain(
            Refusal(say("PostgreSQL refuses: {why}", why=fault), say("look at: passerelle doctor")), "--json" in words
        )
        return REFUSED
    return 0


@functools.cache
def _commands(spoken: str) -> Any:
    """The tree of commands with its help in the language in use, which is `spoken`."""
    command = typer.main.get_command(make_app())
    translate(command)
    return command


def known_faults() -> tuple[type[Exception], ...]:
    """What becomes one line instead of a traceback. The daemon is imported only by the commands that run a node."""
    daemon = sys.modules.get("gateway.daemon.node")
    return FAULTS if daemon is None else (*FAULTS, daemon.NodeFault)


def complain(fault: Exception, as_json: bool) -> None:
    """One line on stderr (JSON: one object on stdout): what is wrong, and what to do."""
    remedy = fault.remedy if isinstance(fault, Refusal) else ""
    if as_json:
        show_json({"error": str(fault), "remedy": remedy})
        return
    for line in str(fault).splitlines():
        typer.echo(f"passerelle: {line}", err=True)
    if remedy:
        typer.echo(f"  {remedy}", err=True)


def translate(command: Any) -> None:
    """Put every help text of a command and those below it in the language in use."""
    command.help = say(command.help) if command.help else command.help
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = say(parameter.help)
    for below in getattr(command, "commands", {}).values():
        translate(below)
