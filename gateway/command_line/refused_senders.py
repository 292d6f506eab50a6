"""`passerelle route allow-sender`: a sender that a carrier refused goes over it again.

What belongs here: taking one row away, and saying what it was. `route list` shows the rows.
What must not enter: SQL, counting refusals.
"""

from __future__ import annotations

from typing import Annotated

import asyncpg
import typer

from gateway.command_line.finding import find_connector
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer
from gateway.command_line.refusals import Refusal
from gateway.command_line.routing import routes
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import refused_senders

__all__ = ["routes"]


@routes.command("allow-sender")
def allow_sender(
    sender: Annotated[str, typer.Argument(help="As in the list.")],
    connector: Annotated[str, typer.Option("--connector", help="Name of the connector.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Send a sender over a connector again whose carrier refused it five times in a row."""

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> str | None:
        connector_id = await find_connector(connection, configuration, connector)
        return await refused_senders.allow_sender(connection, connector_id, sender)

    status = with_database(config, work)
    if status is None:
        raise Refusal(
            say("sender {sender} is not disabled on {connector}", sender=sender, connector=connector),
            say("look at: passerelle route list"),
        )
    answer(
        as_json,
        "sender {sender} goes over {connector} again; its carrier refused it with {status}",
        sender=sender,
        connector=connector,
        status=status,
    )
