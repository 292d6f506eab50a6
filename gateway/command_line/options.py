"""The options every command takes, and what they become: a configuration, a form of output, a connection.

What belongs here: --config, --json, --lang, and `Call`, which carries them through a command.
What must not enter: what one command does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import asyncpg
import typer

from gateway.command_line.connecting import open_database
from gateway.command_line.words import language
from gateway.daemon.configuration import default_configuration, load_configuration
from gateway.daemon.configuration_schema import Configuration

CONFIG_VARIABLE: Final = "PASSERELLE_CONFIG"
CONFIG_FILE: Final = "passerelle.toml"

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The TOML file; else $PASSERELLE_CONFIG, else ./passerelle.toml, else none."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="Language: en or fr; else the locale's.")]

Answer = TypeVar("Answer")


def find_config(named: Path | None) -> Path | None:
    """The configuration file to use: the one named, the environment's, the one in this folder, or none."""
    if named is not None:
        return named
    if os.environ.get(CONFIG_VARIABLE):
        return Path(os.environ[CONFIG_VARIABLE])
    return Path(CONFIG_FILE) if Path(CONFIG_FILE).is_file() else None


def read_configuration(named: Path | None) -> Configuration:
    """The configuration in use; without a file, the one of an empty file here. Raises ConfigurationFault."""
    file = find_config(named)
    return default_configuration(Path.cwd()) if file is None else load_configuration(file, language())


def with_database(named: Path | None, work: Callable[[asyncpg.Connection, Configuration], Awaitable[Answer]]) -> Answer:
    """Run `work` over one connection to the configured database, whose tables are there and current."""
    configuration = read_configuration(named)

    async def connect_and_work() -> Answer:
        async with open_database(configuration) as connection:
            return await work(connection, configuration)

    return asyncio.run(connect_and_work())
