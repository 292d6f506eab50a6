"""`passerelle node` and `passerelle migrate`: the daemon of one node, and the tables it needs.

What belongs here: handing the configuration to the daemon, and nothing else.
What must not enter: building anything of a node (gateway.daemon.node does).
"""

from __future__ import annotations

import asyncio

from gateway.command_line.connecting import running_server
from gateway.command_line.logs import log_to
from gateway.command_line.looping import run_on_loop
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, read_configuration
from gateway.command_line.output import answer
from gateway.daemon.configuration_schema import Configuration
from gateway.storage.database import connect
from gateway.storage.migrate import apply_migrations


def start_node(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Run one node until SIGTERM or Ctrl-C."""
    from gateway.daemon.node import run_node

    configuration = read_configuration(config)
    log_to(None)
    run_on_loop(run_node(configuration))


def migrate(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Bring the database to the schema of this program."""
    applied = asyncio.run(prepare_tables(read_configuration(config)))
    if applied:
        answer(as_json, "applied: {applied}", applied=applied)
    else:
        answer(as_json, "the schema is current", applied=applied)


async def prepare_tables(configuration: Configuration) -> list[str]:
    """Apply what the database lacks; the names of the migrations applied now."""
    async with running_server(configuration) as dsn:
        connection = await connect(dsn)
        try:
            return await apply_migrations(connection)
        finally:
            await connection.close()
