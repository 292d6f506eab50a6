"""The tables of the pages against the code they speak of: keys, metrics, events, statuses. None missing, none invented.

What must not enter: running anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.accept.refusals import Refusal
from gateway.daemon.configuration_schema import (
    AdminApi,
    AdminApiCredits,
    AdminApiLookups,
    AdminApiOperators,
    AdminApiTls,
    Configuration,
    Endpoint,
    Limits,
    Mail,
    Metrics,
    Node,
    Notices,
    Policy,
    Redis,
    SmppConnector,
    SmppServer,
    SmppServerTls,
    Storage,
    Webhooks,
)
from gateway.egress.answers import ANSWER_RULES, AnswerRule, rule_for
from gateway.ingress.smpp_refusals import STATUS_OF
from gateway.smpp.command_status import CommandStatus
from tests.docs.pages import ROOT, code, table_under

OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
SMPP = (ROOT / "docs" / "smpp.md").read_text(encoding="utf-8")
READ_BY = (  # of gateway: where a key becomes an effect
    "daemon/node.py",
    "daemon/metrics_page.py",
    "daemon/clock_jobs.py",
    "daemon/limit_jobs.py",
    "daemon/carrier_profiles.py",
    "daemon/webhook_service.py",
    "daemon/notice_service.py",
    "daemon/policies.py",
    "command_line/accounts.py",
    "../admin_api/process.py",
    "../admin_api/application.py",
    "../admin_api/metrics.py",
    "../admin_api/listening.py",
    "../admin_api/lookup_jobs.py",
    "../admin_api/operator_credits.py",
    "../admin_api/credit_orders.py",
    "../admin_api/sessions.py",
    "../admin_api/signing_in.py",
    "../admin_api/graphql/execution.py",
    "../admin_api/doors/served.py",
)
SECTIONS: dict[str, Any] = {
    "[node]": Node,
    "[storage]": Storage,
    "[redis]": Redis,
    "[smpp_server]": SmppServer,
    "[smpp_server.tls]": SmppServerTls,
    "[metrics]": Metrics,
    "[admin_api]": AdminApi,
    "[admin_api.tls]": AdminApiTls,
    "[admin_api.lookups]": AdminApiLookups,
    "[admin_api.operators]": AdminApiOperators,
    "[admin_api.credits]": AdminApiCredits,
    "[[connector]]": SmppConnector,
    "[limits]": Limits,
    "[policy]": Policy,
    "[webhooks]": Webhooks,
    "[mail]": Mail,
    "[notices]": Notices,
}


def test_every_section_is_told() -> None:
    known = {each.encode_name for each in msgspec.structs.fields(Configuration)}
    assert {heading.strip("[]") for heading in SECTIONS if "." not in heading} == known


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_told_with_its_default(heading: str) -> None:
    told = {code(key)[0]: default for key, default, _ in table_under(OPERATE, heading)}
    assert told == {each.name: default_of(each) for each in msgspec.structs.fields(SECTIONS[heading])}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """A default as the page writes it."""
    if field.required:
        return "required"
    if field.default is None:
        return "absent"
    if field.name == "interface_version":
        return f"`{field.default:#x}`"
    if isinstance(field.default, str | Path | Endpoint):
        return f'`"{field.default}"`'
    if isinstance(field.default, tuple):
        return "`[" + ", ".join(f'"{each}"' for each in field.default) + "]`"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if field.default is msgspec.NODEFAULT:
        return "`{}`"
    return f"`{field.default}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_key_without_effect_is_told_so(heading: str) -> None:
    """Nobody is led to believe in a key that nothing reads."""
    daemon = "".join((ROOT / "gateway" / name).read_text(encoding="utf-8") for name in READ_BY)
    for key, _, meaning in table_under(OPERATE, heading):
        is_read = re.search(rf"\.{code(key)[0]}\b", daemon) is not None
        assert is_read != ("no effect yet" in meaning), f"{heading} {key}: read by the daemon: {is_read}"


def calls(folder: Path) -> Iterator[ast.Call]:
    """Every call with arguments in the Python files of a folder."""
    for file in sorted(folder.rglob("*.py")):
        yield from calls_of(file)


def calls_of(file: Path) -> Iterator[ast.Call]:
    """Every call with arguments in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            yield node


def exported_by(files: Iterable[Path]) -> dict[str, list[str]]:
    """The families that are made there, with their labels."""
    exported: dict[str, list[str]] = {}
    for call in (each for file in files for each in calls_of(file)):
        name = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
        if isinstance(name, str) and name.startswith("gw_"):
            given = [*call.args, *(word.value for word in call.keywords)]
            labels = next((ast.literal_eval(each) for each in given if isinstance(each, ast.List)), [])
            exported[f"{name}_total" if "ounter" in ast.unparse(call.func) else name] = labels
    return exported


def test_every_metric_is_told_with_its_labels() -> None:
    rooms = ("daemon", "notices", "webhooks")
    exported = exported_by(file for room in rooms for file in sorted((ROOT / "gateway" / room).rglob("*.py")))
    assert len(exported) > 10
    told = {code(name)[0]: code(labels) for name, labels, _ in table_under(OPERATE, "Metrics")}
    assert told == exported
    of_the_api = exported_by([ROOT / "admin_api" / "metrics.py"])
    also = {code(name)[0]: code(labels) for name, labels, _ in table_under(OPERATE, "Metrics of the HTTP API")}
    assert also == {name: labels for name, labels in of_the_api.items() if name not in told}


def test_metrics_to_watch_exist() -> None:
    told = {code(name)[0] for name, _, _ in table_under(OPERATE, "Metrics")}
    for page in ("README.md", "README.fr.md"):
        watched = set(re.findall(r"\bgw_[a-z_]+", (ROOT / page).read_text(encoding="utf-8")))
        assert watched <= told


def test_every_event_of_the_log_is_told_with_its_facts() -> None:
    logged: dict[str, tuple[str, list[str]]] = {}
    for call in calls(ROOT / "gateway"):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "log":
            facts = [word.value for word in call.keywords if word.arg == "extra"]
            keys = [ast.literal_eval(key) for each in facts if isinstance(each, ast.Dict) for key in each.keys if key]
            logged[ast.literal_eval(call.args[0])] = (call.func.attr, keys)
    logged = {event: found for event, found in logged.items() if found[0] in ("info", "warning", "error")}
    assert len(logged) > 10
    told = {code(event)[0]: (level, code(facts)) for event, level, facts, _ in table_under(OPERATE, "The log")}
    assert told == logged


def test_every_uncommon_event_of_a_timeline_is_told() -> None:
    noted = set()
    for call in calls(ROOT / "gateway"):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "note" and len(call.args) > 1:
            noted.add(ast.literal_eval(call.args[1]))
    assert {code(event)[0] for event, _ in table_under(OPERATE, "Timelines")} == noted


def test_every_refusal_is_told_with_its_status() -> None:
    rows = [row for row in table_under(SMPP, "Submitting") if len(row) == 3]
    told = {code(name)[0]: int(code(status)[0], 16) for name, status, _ in rows}
    assert told == {refusal.value: STATUS_OF[refusal] for refusal in Refusal}


def test_every_answer_of_a_carrier_is_told_with_what_we_do() -> None:
    told: dict[int, AnswerRule] = {}
    for statuses, kind, pauses, elsewhere, last, alarm in table_under(SMPP, "What we do with a carrier's answer"):
        seconds = tuple(float(each) for each in re.findall(r"\d+", pauses))
        last_s = float("".join(re.findall(r"\d+", last)) or 0)
        rule = AnswerRule(kind, seconds, elsewhere, alarm == "yes", last_s)  # type: ignore[arg-type]  # compared
        for status in code(statuses):
            told[int(status, 16)] = rule
        if statuses == "any other":
            assert rule == rule_for(0x0499)
    assert told == ANSWER_RULES


def test_statuses_in_prose_exist() -> None:
    ours = {*CommandStatus, *STATUS_OF.values()}
    for page in (SMPP, OPERATE, (ROOT / "README.md").read_text(encoding="utf-8")):
        for status in re.findall(r"(?<![\w=])0x([0-9A-F]{2,3})\b(?!\.\.)", page):
            if status not in ("04", "20", "33", "34", "50"):  # esm_class and interface_version
                assert int(status, 16) in ours, f"0x{status} is no status"
