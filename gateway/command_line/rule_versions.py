"""`passerelle route` and `rate` by versions: versions, diff, activate, roll-back, dry-run; `rate import`, `export`.

What belongs here: what an operator wrote, and the words for what came of it. Drafts of routes are edited over HTTP.
What must not enter: putting in force (storage.versions), judging (gateway.versions), SQL.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, cast

import asyncpg
import typer

from gateway.command_line.finding import find_account_id
from gateway.command_line.margins import refuse_below_cost
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import language, say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import audit, carriers, facts, versions
from gateway.storage.accounts import lock_tree
from gateway.storage.facts import FactRows, RateRow
from gateway.storage.versions import Kind, Rows
from gateway.versions import lists
from gateway.versions.checks import Checked
from gateway.versions.differences import Differences, names_of, sentence
from gateway.versions.rate_card import OCTETS_LIMIT, CardRefused, read_card, write_card
from telecom.money import format_credits

LARGEST: Final = versions.NEWEST - 1
CHANGES_SHOWN: Final = 200
MODES: Final = ("merge", "replace")
WHY_NOT: Final = {
    "draft_unknown": "there is no open draft {name}",
    "draft_moved": "somebody else changed draft {name} meanwhile",
    "version_moved": "another version came into force since draft {name} was begun",
    "version_unknown": "there is no version {name}",
}

DraftArgument = Annotated[int, typer.Argument(metavar="DRAFT", help="Number of the draft.", min=1, max=LARGEST)]
WhyOption = Annotated[str, typer.Option("--why", help="Why; it stays with the version.")]


Command = Callable[..., None]


def add_commands(app: typer.Typer, kind: Kind) -> None:
    """Give `passerelle route`, or `rate`, its commands of versions."""
    for name, made in _COMMANDS.items():
        app.command(name)(made(kind))


def _show_versions_of(kind: Kind) -> Command:
    def show_versions(
        limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
        config: ConfigOption = None,
        as_json: JsonOption = False,
        lang: LangOption = None,
    ) -> None:
        """Show the versions and the open drafts, newest first."""

        async def work(connection: asyncpg.Connection, _: Configuration) -> tuple[list[Any], list[Any]]:
            drafts = await versions.list_drafts(connection, kind, True, versions.NEWEST, limit)
            return await versions.list_versions(connection, kind, versions.NEWEST, limit), drafts

        found, drafts = with_database(config, work)
        open_drafts = [
            {"draft": each.draft_id, "based_on": each.based_on, "rows": each.row_count, "made_by": each.made_by}
            | {"made_at": each.made_at, "note": each.note}
            for each in drafts
        ]
        if as_json:
            show_json({"versions": [dict(row) for row in found], "drafts": open_drafts})
            return
        show_rows(found, ("version", "made_at", "made_by", "why", "equal_to"), as_json=False)
        if open_drafts:
            show_rows(open_drafts, ("draft", "based_on", "rows", "made_at", "made_by", "note"), as_json=False)

    return show_versions


def _show_differences_of(kind: Kind) -> Command:
    def show_differences(
        before: Annotated[str, typer.Argument(help="A version like 12, or draft:3.")],
        after: Annotated[str, typer.Argument(help="A version like 12, or draft:3.")],
        config: ConfigOption = None,
        as_json: JsonOption = False,
        lang: LangOption = None,
    ) -> None:
        """Show what the second of two versions or drafts says differently."""

        async def work(connection: asyncpg.Connection, _: Configuration) -> Differences:
            told = [await _rows_at(connection, kind, place) for place in (before, after)]
            names = names_of(await facts.load_facts(connection, logins=False))
            return lists.compare(kind, told[0], told[1], names, CHANGES_SHOWN)

        _show_differences(with_database(config, work), as_json)

    return show_differences


def _activate_of(kind: Kind) -> Command:
    def activate(
        draft: DraftArgument,
        despite_doubts: Annotated[bool, typer.Option("--despite-doubts", help="The doubts were seen.")] = False,
        why: WhyOption = "",
        config: ConfigOption = None,
        as_json: JsonOption = False,
        lang: LangOption = None,
    ) -> None:
        """Put a draft in force, whole and at once, on every node."""

        async def work(connection: asyncpg.Connection, _: Configuration) -> versions.Applied:
            revision = await _judge(connection, kind, draft, despite_doubts)
            async with connection.transaction():
                await _lock_prices(connection, kind)
                done = await versions.activate_draft(connection, kind, draft, revision, getpass.getuser(), why)
                return await _told(connection, kind, "activated", done, draft)

        _tell(kind, with_database(config, work), as_json)

    return activate


def _roll_back_of(kind: Kind) -> Command:
    def roll_back(
        version: Annotated[int, typer.Argument(help="The version to be like.", min=1, max=LARGEST)],
        why: WhyOption = "",
        config: ConfigOption = None,
        as_json: JsonOption = False,
        lang: LangOption = None,
    ) -> None:
        """Put an old version in force again, as a new one."""

        async def work(connection: asyncpg.Connection, _: Configuration) -> versions.Applied:
            async with connection.transaction():
                await _lock_prices(connection, kind)
                done = await versions.roll_back(connection, kind, version, None, getpass.getuser(), why)
                return await _told(connection, kind, "rolled_back", done, version)

        _tell(kind, with_database(config, work), as_json)

    return roll_back


def _try_out_of(kind: Kind) -> Command:
    def try_out(
        draft: DraftArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
    ) -> None:
        """Show what a draft would have done with messages of the last hour."""

        async def work(connection: asyncpg.Connection, _: Configuration) -> lists.Tried:
            rows = await _rows_at(connection, kind, f"draft:{draft}")
            standing = await facts.load_facts(connection, logins=False)
            _refuse_faults(lists.check(kind, standing, rows, await carriers.configured_connectors(connection)))
            return await lists.try_out(connection, kind, standing, rows, int(time.time() * 1000))

        tried = with_database(config, work)
        told = tried.told
        fields = {
            "messages": told.messages,
            "complete": tried.complete,
            "same": told.same,
            "refused": told.refused,
            "newly_taken": told.newly_taken,
            "price_before": format_credits(told.price_before_micros),
            "price_after": format_credits(told.price_after_micros),
            "cost_before": format_credits(told.cost_before_micros),
            "cost_after": format_credits(told.cost_after_micros),
        }
        moved = [{"from": pair[0], "to": pair[1], "messages": count} for pair, count in told.moved.most_common()]
        if as_json:
            show_json(fields | {"moved": moved, "of_each": tried.each})
            return
        typer.echo(say("of the last hour, the first {each} messages of each minute and connector:", each=tried.each))
        show_rows([{"what": say(name), "count": value} for name, value in fields.items()], ("what", "count"), False)
        if moved:
            show_rows(moved, ("from", "to", "messages"), as_json=False)

    return try_out


_COMMANDS: Final[dict[str, Callable[[Kind], Command]]] = {
    "versions": _show_versions_of,
    "diff": _show_differences_of,
    "activate": _activate_of,
    "roll-back": _roll_back_of,
    "dry-run": _try_out_of,
}


def import_card(
    file: Annotated[Path, typer.Argument(help="A CSV with the columns prefix and price.", exists=True, dir_okay=False)],
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    mode: Annotated[str, typer.Option("--mode", help="merge: over what is in force; replace: in its place.")] = "merge",
    preview: Annotated[bool, typer.Option("--preview", help="Make no draft.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Read a rate card into a draft: every fault by its line."""
    if mode not in MODES:
        raise Refusal(say("mode {name} is unknown", name=mode), say("write one of {names}", names=", ".join(MODES)))
    with file.open("rb") as opened:
        octets = opened.read(OCTETS_LIMIT + 1)

    async def work(connection: asyncpg.Connection, _: Configuration) -> tuple[int, Differences, int | None]:
        account_id = await find_account_id(connection, account)
        rows = await facts.load_facts(connection, logins=False)
        names = names_of(rows)
        card = read_card(octets, {name: number for number, name in names.accounts.items()}, account_id)
        if isinstance(card, CardRefused):
            raise Refusal(card.sentence(language()), say("look at: passerelle rate export"))
        if card.fault_count:
            told = [f"{fault.line}: {fault.sentence(language())}" for fault in card.faults]
            raise Refusal("\n".join(told), say("lines with faults: {count}; no draft was made", count=card.fault_count))
        wanted = lists.join_card(rows.rates, card.rates, account_id, mode == "replace")
        found = lists.compare("rates", rows.rates, wanted, names, CHANGES_SHOWN)
        if preview:
            return len(card.rates), found, None
        async with connection.transaction():
            current = await versions.current_version(connection, "rates")
            draft = await versions.add_draft(connection, "rates", current, file.name[:200], getpass.getuser(), wanted)
            after = {"draft": draft, "based_on": current, "rows": len(wanted)}
            await _record(connection, "rates", "drafted", draft, after)
        return len(card.rates), found, draft

    rows, found, draft = with_database(config, work)
    if as_json:
        counts = {"added": found.added, "removed": found.removed, "changed": found.changed}
        show_json({"rows": rows, "draft": draft, **counts})
        return
    _show_differences(found, as_json=False)
    if draft is not None:
        typer.echo(
            say(
                "{rows} rates read into draft {draft}; to put it in force: passerelle rate activate {draft}",
                rows=rows,
                draft=draft,
            )
        )


def export_card(
    of: Annotated[
        str | None, typer.Option("--of", help="A version like 12, or draft:3; else what is in force.")
    ] = None,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Write rates as a rate card, to stdout."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> tuple[Rows, FactRows]:
        place = of or str(await versions.current_version(connection, "rates"))
        return await _rows_at(connection, "rates", place), await facts.load_facts(connection, logins=False)

    rows, standing = with_database(config, work)
    octets = write_card(cast(Sequence[RateRow], rows), names_of(standing).accounts, language())
    typer.echo(octets.decode("utf-8-sig"), nl=False)


# ---------------------------------------------------------------- what they share


async def _rows_at(connection: asyncpg.Connection, kind: Kind, place: str) -> Rows:
    """The rows of `12` or `draft:3`. Raises Refusal."""
    number = place.removeprefix("draft:")
    if number.isascii() and number.isdigit() and len(number) <= len(str(LARGEST)) and int(number) <= LARGEST:
        rows = await versions.rows_at(connection, kind, place)
        if rows is not None:
            return rows
    raise Refusal(say("there is no version or draft {name}", name=place), say("write a version like 12, or draft:3"))


async def _judge(connection: asyncpg.Connection, kind: Kind, draft: int, despite_doubts: bool) -> int:
    """The revision of a draft that may be activated. Raises Refusal."""
    found = await versions.find_draft(connection, kind, draft)
    if found is None:
        raise Refusal(say(WHY_NOT["draft_unknown"], name=draft), _look(kind))
    standing = await facts.load_facts(connection, logins=False)
    checked = lists.check(kind, standing, found[1], await carriers.configured_connectors(connection))
    _refuse_faults(checked)
    if checked.doubts and not despite_doubts:
        told = "\n".join(doubt.sentence(language()) for doubt in checked.doubts)
        raise Refusal(told, say("if it is meant, add --despite-doubts"))
    return found[0].revision


def _refuse_faults(checked: Checked) -> None:
    if checked.faults:
        told = "\n".join(fault.sentence(language()) for fault in checked.faults)
        raise Refusal(told, say("correct the draft"))


async def _lock_prices(connection: asyncpg.Connection, kind: Kind) -> None:
    """Prices of a reseller's tree are changed by one at a time."""
    if kind == "rates":
        await lock_tree(connection)


async def _told(
    connection: asyncpg.Connection, kind: Kind, what: str, done: versions.Applied | versions.NotApplied, name: int
) -> versions.Applied:
    """What was put in force, with its row in the audit log. Raises Refusal, which undoes it."""
    if isinstance(done, versions.NotApplied):
        why = {
            "not_found": "version_unknown" if what == "rolled_back" else "draft_unknown",
            "draft_closed": "draft_unknown",
        }
        raise Refusal(say(WHY_NOT[why.get(done.why, done.why)], name=name), _look(kind))
    if kind == "rates":
        await refuse_below_cost(connection)
    after = {"version": done.version, "added": done.added, "removed": done.removed, "changed": done.changed}
    await _record(connection, kind, what, done.version, after)
    return done


async def _record(connection: asyncpg.Connection, kind: Kind, what: str, number: int, after: dict[str, Any]) -> None:
    asked = audit.CommandLineAsked(audit.CommandLineActor(getpass.getuser()))
    await audit.record(connection, asked, action=f"{kind}.{what}", subject=f"{kind}:{number}", after=after)


def _look(kind: Kind) -> str:
    return say("look at: passerelle route versions") if kind == "routes" else say("look at: passerelle rate versions")


def _tell(kind: Kind, applied: versions.Applied, as_json: bool) -> None:
    answer(
        as_json,
        "version {version} is in force: {added} added, {removed} removed, {changed} changed",
        version=applied.version,
        added=applied.added,
        removed=applied.removed,
        changed=applied.changed,
    )


def _show_differences(found: Differences, as_json: bool) -> None:
    texts = [sentence(change, language()) for change in found.changes]
    if as_json:
        show_json({"added": found.added, "removed": found.removed, "changed": found.changed, "changes": texts})
        return
    for text in texts:
        typer.echo(text)
    counts = {"added": found.added, "removed": found.removed, "changed": found.changed}
    answer(False, "{added} added, {removed} removed, {changed} changed", **counts)
