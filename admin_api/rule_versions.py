"""/v1/admin/routes and /v1/admin/rates: versions, drafts, differences, checks, dry runs, activation, rolling back.

Both kinds have the same life (decision 0024); `Rules` is one kind's resources. What is long is computed in a thread, on
rows that were read before.
What must not enter: what is sensible (gateway.versions), SQL.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from typing import Any, Final, cast

import asyncpg
import msgspec

from admin_api import rules_shown as shown
from admin_api.account_rates import margin_problem
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_money import format_credits
from admin_api.models_rules import (
    Activate,
    Activated,
    AddDraft,
    CompareRules,
    Draft,
    Drafts,
    DryRunTold,
    ListDrafts,
    ListVersions,
    Moved,
    MoveDraft,
    RollBack,
    RuleVersions,
    Seen,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import parse_id
from gateway.storage import carriers, facts, versions
from gateway.storage.accounts import lock_tree
from gateway.storage.audit import record
from gateway.storage.facts import FactRows, RouteRow
from gateway.storage.versions import DraftRow, Kind, Rows
from gateway.versions import lists
from gateway.versions.checks import Checked
from gateway.versions.differences import names_of

SAMPLE: Final = 20_000  # chosen: some 0.2 s of one core
HOUR_MINUTES: Final = 60
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DRAFTS_SHOWN: Final = 200


class Rules:
    """The resources of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._one = kind[:-1]

    # ------------------------------------------------------------------ versions

    async def show_versions(self, service: Service, call: Call) -> Answer | Problem:
        """GET /v1/admin/{kind}/versions."""
        asked: ListVersions = call.query
        before, reader_id = versions.NEWEST, -call.operator.user_id
        if asked.cursor is not None:
            place = service.cursors.read(reader_id, self.kind, [], asked.cursor)
            if place is None:
                return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
            before = place

        async def read(connection: asyncpg.Connection) -> tuple[int, list[asyncpg.Record]]:
            current = await versions.current_version(connection, self.kind)
            return current, await versions.list_versions(connection, self.kind, before, asked.limit)

        current, rows = await service.writer.read(read)
        following = None
        if len(rows) == asked.limit:
            following = service.cursors.make(reader_id, self.kind, [], rows[-1]["version"])
        return Answer(RuleVersions(current, [shown.version_of(row) for row in rows], following))

    async def compare(self, service: Service, call: Call) -> Answer | Problem:
        """GET /v1/admin/{kind}/differences."""
        asked: CompareRules = call.query

        async def read(connection: asyncpg.Connection) -> tuple[Rows | None, Rows | None, FactRows]:
            return (
                await versions.rows_at(connection, self.kind, asked.before),
                await versions.rows_at(connection, self.kind, asked.after),
                await facts.load_facts(connection, logins=False),
            )

        before, after, rows = await service.writer.read(read)
        if before is None or after is None:
            return Problem("not_found")
        found = await asyncio.to_thread(lists.compare, self.kind, before, after, names_of(rows), asked.limit)
        return Answer(shown.differences_of(found, call.language))

    async def roll_back(self, service: Service, call: Call) -> Answer | Problem:
        """POST /v1/admin/{kind}/versions/{version}/roll-back."""
        asked: RollBack = call.body
        wanted = parse_id(call.path["version"])
        if wanted is None or wanted >= versions.NEWEST:
            return Problem("not_found")
        version = wanted

        async def work(connection: asyncpg.Connection) -> Activated | Problem:
            await self._lock_tree(connection)
            done = await versions.roll_back(
                connection, self.kind, version, asked.current, call.operator.name, asked.why
            )
            return await self._told(connection, call, "rolled_back", done, {})

        done = await service.writer.run(work)
        return done if isinstance(done, Problem) else Answer(done)

    # ------------------------------------------------------------------ drafts

    async def add_draft(self, service: Service, call: Call) -> Answer | Problem:
        """POST /v1/admin/{kind}/drafts."""
        asked: AddDraft = call.body

        async def work(connection: asyncpg.Connection) -> Draft | Problem:
            current = await versions.current_version(connection, self.kind)
            version = current if asked.version is None else asked.version
            rows = await versions.rows_at(connection, self.kind, str(version))
            if rows is None:
                return Problem("not_found")
            return await self.begin(connection, call, current, asked.note, rows)

        made = await service.writer.run(work)
        return made if isinstance(made, Problem) else Answer(made)

    async def begin(self, connection: asyncpg.Connection, call: Call, based_on: int, note: str, rows: Rows) -> Draft:
        """Make a draft of rows that replaces a version, with its row in the audit log."""
        draft_id = await versions.add_draft(connection, self.kind, based_on, note, call.operator.name, rows)
        after = {"draft": draft_id, "based_on": based_on, "rows": len(rows)}
        await self._record(connection, call, "drafted", None, after)
        found = await versions.find_draft(connection, self.kind, draft_id)
        assert found is not None
        return shown.draft_of(found[0])

    async def show_drafts(self, service: Service, call: Call) -> Answer | Problem:
        """GET /v1/admin/{kind}/drafts."""
        asked: ListDrafts = call.query
        rows = await service.writer.read(
            lambda c: versions.list_drafts(c, self.kind, not asked.all, versions.NEWEST, DRAFTS_SHOWN)
        )
        return Answer(Drafts([shown.draft_of(row) for row in rows]))

    async def show_draft(self, service: Service, call: Call) -> Answer | Problem:
        """GET /v1/admin/{kind}/drafts/{id}."""
        found = await service.writer.read(lambda c: self._draft(c, call))
        if isinstance(found, Problem):
            return found
        draft, rows = found
        told = shown.draft_of(draft)
        if self.kind == "routes":
            names = names_of(service.rows)
            told.routes = [shown.route_of(row, names) for row in cast(Sequence[RouteRow], rows)]
        return Answer(told)

    async def move_draft(self, service: Service, call: Call) -> Answer | Problem:
        """POST /v1/admin/{kind}/drafts/{id}/base."""
        asked: MoveDraft = call.body

        async def work(connection: asyncpg.Connection, draft: DraftRow, rows: Rows) -> Problem | None:
            if not await versions.has_version(connection, self.kind, asked.based_on):
                return Problem("not_found")
            await versions.change_draft(connection, draft, based_on=asked.based_on)
            return None

        return await self.edit(service, call, asked.revision, work)

    async def discard(self, service: Service, call: Call) -> Answer | Problem:
        """DELETE /v1/admin/{kind}/drafts/{id}."""
        asked: Seen = call.query

        async def work(connection: asyncpg.Connection, draft: DraftRow, rows: Rows) -> Problem | None:
            await versions.end_draft(connection, draft.draft_id, "discarded", None)
            return None

        return await self.edit(service, call, asked.revision, work)

    async def edit(self, service: Service, call: Call, revision: int, change: Any) -> Answer | Problem:
        """Change an open draft as it was seen; `change` is given the connection, the draft and its rows."""

        async def work(connection: asyncpg.Connection) -> Draft | Problem:
            found = await self._draft(connection, call, lock=True)
            if isinstance(found, Problem):
                return found
            draft, rows = found
            if fault := unfit(draft, revision):
                return fault
            problem: Problem | None = await change(connection, draft, rows)
            if problem is not None:
                return problem
            changed = await versions.find_draft(connection, self.kind, draft.draft_id)
            assert changed is not None
            after = {"draft": draft.draft_id, "state": changed[0].state, "rows": changed[0].row_count}
            before = {"revision": draft.revision, "based_on": draft.based_on, "rows": draft.row_count}
            await self._record(connection, call, "draft_changed", before, after)
            return shown.draft_of(changed[0])

        done = await service.writer.run(work)
        return done if isinstance(done, Problem) else Answer(done)

    async def _draft(
        self, connection: asyncpg.Connection, call: Call, lock: bool = False
    ) -> tuple[DraftRow, Rows] | Problem:
        draft_id = parse_id(call.path["id"])
        if draft_id is None or draft_id >= versions.NEWEST:
            return Problem("not_found")
        return await versions.find_draft(connection, self.kind, draft_id, lock) or Problem("not_found")

    # ------------------------------------------------------------------ judging

    async def check(self, service: Service, call: Call) -> Answer | Problem:
        """GET /v1/admin/{kind}/drafts/{id}/check."""
        found = await self._checked(service, call)
        return found if isinstance(found, Problem) else Answer(shown.checked_of(found[2], call.language))

    async def _checked(self, service: Service, call: Call) -> tuple[DraftRow, Rows, Checked] | Problem:
        async def read(connection: asyncpg.Connection) -> Any:
            found = await self._draft(connection, call)
            if isinstance(found, Problem):
                return found
            rows = await facts.load_facts(connection, logins=False)
            return *found, rows, await carriers.configured_connectors(connection)

        found = await service.writer.read(read)
        if isinstance(found, Problem):
            return found
        draft, wanted, rows, reachable = found
        return draft, wanted, await asyncio.to_thread(lists.check, self.kind, rows, wanted, reachable)

    async def try_out(self, service: Service, call: Call) -> Answer | Problem:
        """POST /v1/admin/{kind}/drafts/{id}/dry-run."""
        found = await self._checked(service, call)
        if isinstance(found, Problem):
            return found
        _, wanted, checked = found
        if checked.faults:
            return _faulty(checked, call)

        async def read(connection: asyncpg.Connection) -> lists.Tried:
            rows = await facts.load_facts(connection, logins=False)
            return await lists.try_out(connection, self.kind, rows, wanted, call.now_ms)

        return Answer(_tell(await service.writer.read(read), call))

    async def activate(self, service: Service, call: Call) -> Answer | Problem:
        """POST /v1/admin/{kind}/drafts/{id}/activate."""
        asked: Activate = call.body
        found = await self._checked(service, call)
        if isinstance(found, Problem):
            return found
        draft, _, checked = found
        if checked.faults:
            return _faulty(checked, call)
        if checked.doubts and not asked.despite_doubts:
            doubts = shown.checked_of(checked, call.language).doubts
            return Problem("rules_doubtful", more={"doubts": msgspec.to_builtins(doubts)})

        async def work(connection: asyncpg.Connection) -> Activated | Problem:
            await self._lock_tree(connection)
            done = await versions.activate_draft(
                connection, self.kind, draft.draft_id, asked.revision, call.operator.name, asked.why
            )
            return await self._told(connection, call, "activated", done, {"draft": draft.draft_id})

        done = await service.writer.run(work)
        return done if isinstance(done, Problem) else Answer(done)

    async def _lock_tree(self, connection: asyncpg.Connection) -> None:
        """Before prices change: those of a reseller's tree are changed by one at a time."""
        if self.kind == "rates":
            await lock_tree(connection)

    async def _below_cost(self, connection: asyncpg.Connection, call: Call) -> Problem | None:
        """The refusal, where an account would pay less for a part than the one above it."""
        return await margin_problem(connection, None, call) if self.kind == "rates" else None

    async def _told(
        self,
        connection: asyncpg.Connection,
        call: Call,
        what: str,
        done: versions.Applied | versions.NotApplied,
        more: dict[str, int],
    ) -> Activated | Problem:
        """What was put in force, with its row in the audit log; or why nothing was."""
        if isinstance(done, versions.NotApplied):
            told = {"version_moved": "current", "draft_moved": "revision"}.get(done.why)
            return Problem(done.why, more={told: done.told} if told else {})
        if below := await self._below_cost(connection, call):
            return below
        await self._record(connection, call, what, {"version": done.former}, more | shown.applied_of(done))
        return shown.activated_of(done)

    async def _record(self, connection: asyncpg.Connection, call: Call, done: str, before: Any, after: Any) -> None:
        action, subject = f"{self.kind}.{done}", f"{self.kind}:{after.get('draft', after.get('version'))}"
        await record(connection, call, action=action, subject=subject, before=before, after=after)


def unfit(draft: DraftRow, revision: int) -> Problem | None:
    """Why a draft cannot be changed by who saw this revision of it."""
    if draft.state != "open":
        return Problem("draft_closed", more={"state": draft.state})
    return Problem("draft_moved", more={"revision": draft.revision}) if draft.revision != revision else None


def _faulty(checked: Checked, call: Call) -> Problem:
    faults = shown.checked_of(checked, call.language).faults
    return Problem("rules_faulty", more={"faults": msgspec.to_builtins(faults)})


def _tell(tried: lists.Tried, call: Call) -> DryRunTold:
    told = tried.told
    return DryRunTold(
        sample=shown.SAMPLE_WORDS.say(call.language, each=tried.each),
        messages=told.messages,
        complete=tried.complete,
        same=told.same,
        moved=[Moved(*pair, count) for pair, count in told.moved.most_common()],
        refused=told.refused,
        newly_taken=told.newly_taken,
        price_before=format_credits(told.price_before_micros),
        price_after=format_credits(told.price_after_micros),
        cost_known_of=told.cost_known,
        cost_before=format_credits(told.cost_before_micros),
        cost_after=format_credits(told.cost_after_micros),
    )


def today(now_ms: int) -> str:
    """The day, for names of files."""
    return datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).strftime("%Y-%m-%d")


ROUTES: Final = Rules("routes")
RATES: Final = Rules("rates")
