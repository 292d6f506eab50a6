"""`passerelle sender approve`, `refuse`, `suspend`: deciding a sender name, by the rules of the HTTP API's operators.

What belongs here: which event may follow is asked of gateway.sender_states; an imitation needs a reason to be approved.
What must not enter: SQL, what looks like what.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.finding import find_account
from gateway.command_line.options import ConfigOption, with_database
from gateway.command_line.output import answer
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.sender_states import SenderEvent
from gateway.storage import facts
from gateway.storage import sender_requests as rows

OverrideOption = Annotated[
    str | None, typer.Option("--override", help="Why, although the name looks like a protected one.")
]
ASKED_BY: Final = "command line"


def decide_sender(
    name: str, account: str, event: SenderEvent, config: ConfigOption, as_json: bool, override: str | None = None
) -> None:
    """Let an event happen to a registered sender name of an account. Raises Refusal."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> str:
        owner = await find_account(connection, account)
        asked: list[Any] = await facts.list_sender_names(connection, owner.account_id)
        names = [row["name"] for row in asked]
        sender = name if name in names else name.removeprefix("+")
        async with connection.transaction():
            locked = await rows.lock_sender_by_name(connection, owner.account_id, sender)
            if locked is None:
                raise unknown(
                    say("account {account} has no sender name {name}", account=account, name=name),
                    name,
                    names,
                    f"passerelle sender add {name} --account {account}",
                )
            despite = await refuse_look_alike(connection, sender, override) if event == "approve" else ""
            moved = await rows.move_sender_name(
                connection, locked, event, ASKED_BY, (override or "").strip(), despite=despite
            )
        if moved.after is None:
            raise Refusal(
                say("sender name {name} is {state}: nothing of that kind follows", name=name, state=say(moved.before)),
                say("look at: passerelle sender list --account {account}", account=account),
            )
        return moved.after

    state = with_database(config, work)
    answer(as_json, "sender name {name} of account {account}: {state}", name=name, account=account, state=say(state))


async def refuse_look_alike(connection: asyncpg.Connection, sender: str, override: str | None) -> str:
    """The protected name that a sender looks like, where that is meant; empty: none. Raises Refusal where it is not."""
    despite = "" if sender.isdecimal() else await rows.find_resembled(connection, sender, ())
    if despite and not (override or "").strip():
        raise Refusal(
            say("{name} looks like {original}, which is protected", name=sender, original=despite),
            say("if it may be used all the same, say why: --override TEXT"),
        )
    return despite
