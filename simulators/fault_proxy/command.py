"""`passerelle simulate proxy`: its options, each with the name of its setting (settings.py).

What belongs here: option names and their help, for typer. Source: issue, "fault proxy".
What must not enter: what an option does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from simulators.fault_proxy.run import run_proxy
from simulators.fault_proxy.settings import ProxySettings
from simulators.options import parse_options, run_command


def proxy(
    listen: Annotated[str, typer.Option(help="HOST:PORT or the path of a Unix socket; port 0: any free one")] = (
        "127.0.0.1:2777"
    ),
    to: Annotated[str, typer.Option(help="where it connects on: HOST:PORT or the path of a Unix socket")] = (
        "127.0.0.1:2775"
    ),
    control: Annotated[str, typer.Option(help="HOST:PORT of the control port (JSON lines)")] = "",
    seed: Annotated[int, typer.Option(help="of all that happens by chance")] = 1,
    log: Annotated[Path | None, typer.Option(help="append JSON lines here")] = None,
    log_fsync: Annotated[bool, typer.Option(help="make lines durable before what they tell of passes on")] = True,
    away: Annotated[bool, typer.Option(help="cut off whoever connects")] = False,
    delay_ms: Annotated[str, typer.Option(help="of what is read, either way, in order: A or A..B")] = "0",
    cut_after: Annotated[int, typer.Option(help="octets of a connection, both ways, until it is cut; 0: never")] = 0,
    cut_at_pdu: Annotated[int, typer.Option(help="PDUs of a connection, both ways, until it is cut; 0: never")] = 0,
    silence: Annotated[str, typer.Option(help="to-server or to-client: nothing passes this way, not even an end")] = "",
    duplicate: Annotated[float, typer.Option(help="share of PDUs that come twice")] = 0.0,
    flip: Annotated[float, typer.Option(help="share of octets with one bit turned")] = 0.0,
    only: Annotated[str, typer.Option(help="to-server or to-client: duplicates and flips happen this way only")] = "",
    octet_at_a_time: Annotated[bool, typer.Option("--octet-at-a-time", help="every octet in a write of its own")] = (
        False
    ),
    config: Annotated[Path | None, typer.Option(help="accepted as every command does; not used", hidden=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="the output is JSON lines in any case")] = False,
) -> None:
    """A bad network between two peers: delays, cuts, silence, duplicates, turned bits."""
    plain = {name: value for name, value in locals().items() if name not in ("config", "json")}
    raise typer.Exit(run_proxy(parse_options(ProxySettings.parse, plain)))


def main(arguments: Sequence[str]) -> int:
    """Run the fault proxy by the words after `passerelle simulate proxy`; the exit code."""
    return run_command(proxy, "proxy", arguments)
