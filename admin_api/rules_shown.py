"""Routes, rates, versions, drafts and findings as operators read them: rows become models, names stand for numbers.

What belongs here: pure translation in both directions. What must not enter: reading rows, judging them.
Source: gateway/storage/versions.py, gateway/versions.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import asyncpg

from admin_api.languages import Language, Words
from admin_api.models_money import format_credits
from admin_api.models_rules import (
    Activated,
    Draft,
    RateRule,
    RouteRule,
    RuleChange,
    RuleChecked,
    RuleDifferences,
    RuleFinding,
    RuleVersion,
    micros_of,
)
from admin_api.problems import Fault, Problem
from gateway.storage.facts import RateRow, RouteRow
from gateway.storage.versions import NEW, Applied, DraftRow
from gateway.versions.checks import Checked, Finding
from gateway.versions.differences import Differences, Names, sentence
from gateway.webhooks.events import format_time

SAMPLE_WORDS: Final = Words(
    "the first {each} messages of each minute and connector of the last hour",
    "les {each} premiers messages de chaque minute et connecteur de la dernière heure",
)
NO_CONNECTOR: Final = Words("there is no connector of this name", "aucun connecteur ne porte ce nom")


def route_of(row: RouteRow, names: Names) -> RouteRule:
    """A route as it is read, and written back."""
    return RouteRule(
        id=None if row.route_id == NEW else str(row.route_id),
        order=row.order,
        to=row.match,
        connector=names.connectors.get(row.connector_id, str(row.connector_id)),
        weight=row.weight,
        account_id=None if row.account_id is None else str(row.account_id),
        sender=row.sender,
        traffic_class=cast(Any, row.traffic_class),  # the schema's classes are the model's
        windows=list(row.window or ()),
        enabled=row.enabled,
        cost=None if row.cost_micros is None else format_credits(row.cost_micros),
    )


def rows_of_routes(rules: Sequence[RouteRule], connectors: Mapping[str, int]) -> list[RouteRow] | Problem:
    """Routes as they are stored, or every connector that does not exist."""
    faults = [
        Fault(("body", "routes", place, "connector"), "unknown", NO_CONNECTOR)
        for place, rule in enumerate(rules)
        if rule.connector not in connectors
    ]
    if faults:
        return Problem("invalid_request", errors=faults)
    return [_row_of(rule, connectors[rule.connector]) for rule in rules]


def _row_of(rule: RouteRule, connector_id: int) -> RouteRow:
    mcc, slash, mnc = rule.to.partition("/")
    return RouteRow(
        route_id=NEW if rule.id is None else int(rule.id),
        order=rule.order,
        prefix=None if slash else rule.to,
        mcc=mcc if slash else None,
        mnc=mnc if slash and mnc != "*" else None,
        account_id=None if rule.account_id is None else int(rule.account_id),
        sender=rule.sender,
        traffic_class=rule.traffic_class,
        windows=[minute for window in rule.windows for minute in window],
        connector_id=connector_id,
        weight=rule.weight,
        enabled=rule.enabled,
        cost_micros=None if rule.cost is None else micros_of(rule.cost),
    )


def rate_of(row: RateRow) -> RateRule:
    """A rate as it is read, and written back."""
    account_id = None if row.account_id is None else str(row.account_id)
    return RateRule(account_id=account_id, prefix=row.prefix, price=format_credits(row.price_micros))


def version_of(row: asyncpg.Record) -> RuleVersion:
    """A row of list_versions."""
    return RuleVersion(row["version"], time_of(row["made_at"]), row["made_by"], row["why"], row["equal_to"])


def draft_of(row: DraftRow) -> Draft:
    """A draft without its rows."""
    return Draft(
        id=str(row.draft_id),
        kind=row.kind,
        state=row.state,
        note=row.note,
        based_on=row.based_on,
        revision=row.revision,
        became=row.became,
        row_count=row.row_count,
        made_by=row.made_by,
        made_at=time_of(cast(datetime.datetime, row.made_at)),
        changed_at=time_of(cast(datetime.datetime, row.changed_at)),
    )


def applied_of(applied: Applied) -> dict[str, int]:
    """What the audit log tells of it."""
    counts = {"added": applied.added, "removed": applied.removed, "changed": applied.changed}
    return {"version": applied.version, **counts}


def activated_of(applied: Applied) -> Activated:
    """What the operator is told of it."""
    return Activated(applied.version, applied.former, applied.added, applied.removed, applied.changed)


def differences_of(found: Differences, language: Language) -> RuleDifferences:
    """Differences with their sentences."""
    changes = [
        RuleChange(
            what=change.what,
            subject=change.subject,
            fields=change.fields,
            before=change.before,
            after=change.after,
            text=sentence(change, language),
        )
        for change in found.changes
    ]
    return RuleDifferences(found.added, found.removed, found.changed, changes)


def checked_of(checked: Checked, language: Language) -> RuleChecked:
    """Faults and doubts with their sentences."""
    faults, doubts = ([_finding_of(each, language) for each in found] for found in (checked.faults, checked.doubts))
    return RuleChecked(faults, doubts)


def _finding_of(finding: Finding, language: Language) -> RuleFinding:
    number = finding.route_id
    route = str(number) if number > 0 else f"new {-number}" if number < 0 else None
    return RuleFinding(finding.kind, route, finding.sentence(language))


def time_of(at: datetime.datetime) -> str:
    """RFC 3339."""
    return format_time(int(at.timestamp() * 1000)) or ""
