"""`passerelle inbound replay`: what handsets sent, told to its owner again by range.

What belongs here: the words of the command. It is asked of a living node as a replay of receipts is.
What must not enter: asking and waiting (receipts.py), the telling (a living node does it, daemon.commands).
"""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.command_line.inbound import inbound
from gateway.command_line.options import ConfigOption, JsonOption, LangOption
from gateway.command_line.output import answer
from gateway.command_line.receipts import ask_again, count_replayed

__all__ = ["inbound"]


@inbound.command("replay")
def replay(
    since: Annotated[
        str, typer.Option("--since", help="Of messages that came from then on: 2026-01-31T08:00, 90m, 2d.")
    ],
    account: Annotated[str | None, typer.Option("--account", help="Of all logins of this account.")] = None,
    esme: Annotated[str | None, typer.Option("--esme", help="Of this SMPP login alone.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Of messages that came before then; else now.")] = None,
    state: Annotated[str, typer.Option("--state", help="How they ended: dead, done, or all.")] = "all",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a customer again what handsets sent him."""
    row = ask_again("replay_inbound", since, until, account, esme, state, config)
    if (count := count_replayed(row, as_json)) is not None:
        answer(as_json, "messages from handsets to be told again: {count}", count=count, command=row["command_id"])
