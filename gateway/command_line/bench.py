"""`passerelle bench`: a short load of simulated clients against a server that runs, and what it took.

What belongs here: choosing a load for the simulated ESME and handing it over.
What must not enter: the figures that are compared between releases (tests.bench, make bench).
"""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.command_line.accounts import PASSWORD_LIMIT, check_c_octets, read_password
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, read_configuration
from gateway.command_line.words import say


def bench(
    system_id: Annotated[str, typer.Option("--system-id", help="SMPP login of the load.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    connect: Annotated[str | None, typer.Option("--connect", help="host:port; else the configured server.")] = None,
    source: Annotated[str, typer.Option("--source", help="A sender name the account may use.")] = "PASSERELLE",
    messages: Annotated[int, typer.Option("--messages", min=1, help="How many.")] = 10_000,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Messages a second; 0: as fast as they pass.")] = 0,
    binds: Annotated[int, typer.Option("--binds", min=1, max=100, help="Binds at once.")] = 4,
    window: Annotated[int, typer.Option("--window", min=1, max=1000, help="Unanswered requests per bind.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Load a running server with texts of 160 characters and show the figures."""
    from simulators.esme.command import main as simulate_esme

    password = read_password(password_stdin)
    check_c_octets(password, PASSWORD_LIMIT, say("the password"))
    server = connect or str(read_configuration(config).smpp_server.listen)
    words = ["--connect", server, "--system-id", system_id, "--password", password, "--source", source]
    words += ["--messages", str(messages), "--rate", str(rate), "--binds", str(binds), "--window", str(window)]
    words += ["--characters", "160", "--verify-receipts", *(["--json"] if as_json else [])]
    raise typer.Exit(simulate_esme(words))
