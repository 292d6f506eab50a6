"""`passerelle message`, `binds`, `queue`, `check`: what operators see of messages, nodes and proofs.

What belongs here: rows as a gateway leaves them, and the output of the commands. What must not enter: a running node.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from gateway.command_line.message_text import decode_text
from gateway.command_line.refusals import Refusal
from gateway.command_line.since import parse_since
from gateway.message import Envelope
from tests.gateway.command_line.conftest import Passerelle
from tests.gateway.storage.stored_messages import Ground, prepare_ground, store_message

Work = Callable[[asyncpg.Connection], Awaitable[Any]]


def at_database(dsn: str, work: Work) -> Any:
    """Do some work over a connection of its own; for tests whose command needs the loop for itself."""

    async def connect_and_work() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connect_and_work())


@pytest.fixture
def stored(database: str) -> dict[str, int]:
    """Ids of some messages, by state."""

    async def work(connection: asyncpg.Connection) -> dict[str, int]:
        ground: Ground = await prepare_ground(connection)
        ids = {state: await store_message(connection, ground, state) for state in ("queued", "in_doubt", "rejected")}
        ids["delivered"] = await store_message(
            connection,
            ground,
            "delivered",
            part_count=2,
            smsc_message_ids="a1\x1fa2",
            user_data=b"Bonjour \x05 tous",
            notify="done",
            notified_at_ms=int(time.time() * 1000),
        )
        await connection.execute(
            "INSERT INTO message_events VALUES ($1, $2, $3, 'in_doubt', 'link lost')",
            ground.account_id,
            ids["in_doubt"],
            int(time.time() * 1000),
        )
        await connection.execute(
            "INSERT INTO delayed VALUES ($1, $2, $3, 'ESME_RTHROTTLED')",
            int(time.time() * 1000) + 5000,
            ground.account_id,
            ids["queued"],
        )
        return ids

    found: dict[str, int] = at_database(database, work)
    return found


def test_the_list_is_newest_first_and_goes_on_at_its_cursor(passerelle: Passerelle, stored: dict[str, int]) -> None:
    newest_first = [str(each) for each in sorted(stored.values(), reverse=True)]
    page = passerelle("message", "list", "--limit", "3", "--json").json
    assert [row["message_id"] for row in page["messages"]] == newest_first[:3]
    following = passerelle("message", "list", "--cursor", page["cursor"], "--json").json
    assert [row["message_id"] for row in following["messages"]] == newest_first[3:]
    assert following["cursor"] is None


def test_the_list_is_narrowed_by_account_state_and_time(passerelle: Passerelle, stored: dict[str, int]) -> None:
    def ids(*words: str) -> list[str]:
        return [row["message_id"] for row in passerelle("message", "list", *words, "--json").json["messages"]]

    assert ids("--state", "rejected", "--account", "demo") == [str(stored["rejected"])]
    assert len(ids("--since", "1h")) == 4
    assert ids("--since", "2999-01-01") == []
    assert passerelle("message", "list", "--account", "nobody").code == 1
    assert passerelle("message", "list", "--state", "lost").code == 1
    assert passerelle("message", "list", "--since", "yesterday").code == 1


def test_what_a_message_does_not_keep_is_recomputed_and_said_to_be_so(
    passerelle: Passerelle, stored: dict[str, int]
) -> None:
    assert passerelle("route", "add", "--to", "229", "--connector", "carrier-a").code == 0
    again = passerelle("message", "show", str(stored["delivered"]), "--json").json["recomputed"]
    assert (again["alphabet"], again["parts_in_gsm_mode"]) == ("default", 1)
    assert again["rate_now"] == "no rate: one credit a part"
    assert {each["verdict"] for each in again["candidates"]} <= {"chosen", "later", "down", "suspended"}
    assert again["candidates"]
    shown = passerelle("message", "show", str(stored["delivered"]), "--lang", "fr").out
    assert "recalculé d'après les faits de maintenant" in shown


def test_a_message_is_shown_with_its_text_its_parts_and_its_timeline(
    passerelle: Passerelle, stored: dict[str, int]
) -> None:
    shown = passerelle("message", "show", str(stored["delivered"]), "--json").json
    assert shown["text"] == "Bonjour é tous"
    assert shown["parts"] == ["1: delivered a1", "2: delivered a2"]
    assert (shown["price"], shown["hold"], shown["esme"], shown["connector"]) == ("2", "captured", "demo", "carrier-a")
    assert shown["route_why"] == "the only route"
    events = [each["event"] for each in shown["timeline"]]
    assert events[:2] == ["accepted", "routed"]
    assert set(events[2:]) == {"submitted", "delivered", "notified"}
    for_people = passerelle("message", "show", str(stored["delivered"])).out
    assert shown["to"] in for_people
    assert "Bonjour é tous" in for_people


def test_of_a_message_with_a_one_time_code_nobody_sees_the_text(
    passerelle: Passerelle, stored: dict[str, int], database: str
) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        secret = msgspec.msgpack.encode(Envelope(is_secret=True))
        await connection.execute("UPDATE messages SET envelope = $2 WHERE message_id = $1", stored["delivered"], secret)

    at_database(database, work)
    number = str(stored["delivered"])
    for words in (("message", "show", number), ("message", "show", number, "--json"), ("message", "list")):
        shown = passerelle(*words).out
        assert "Bonjour" not in shown
        assert b"Bonjour".hex() not in shown
    assert passerelle("message", "show", number, "--json").json["text"] == "***"


def test_doubts_and_waits_stand_in_the_timeline(passerelle: Passerelle, stored: dict[str, int]) -> None:
    doubt = passerelle("message", "show", str(stored["in_doubt"]), "--json").json["timeline"]
    assert ("in_doubt", "link lost") in [(each["event"], each["detail"]) for each in doubt]
    waits = passerelle("message", "show", str(stored["queued"]), "--json").json["timeline"]
    assert (waits[-1]["event"], waits[-1]["detail"]) == ("waits: delayed", "ESME_RTHROTTLED")


@pytest.mark.parametrize("message_id", ["12", "abc", "99999999999999999999", "-1", "٣"])
def test_an_id_that_is_none_of_ours_is_refused(passerelle: Passerelle, message_id: str) -> None:
    refused = passerelle("message", "show", "--", message_id)
    assert (refused.code, refused.out) == (1, "")


def test_json_tells_a_refusal_as_json(passerelle: Passerelle) -> None:
    refused = passerelle("message", "show", "12", "--json")
    assert refused.code == 1
    assert set(refused.json) == {"error", "remedy"}


@pytest.mark.parametrize(
    ("user_data", "data_coding", "esm_class", "text"),
    [
        (b"abc", 0, 0, "abc"),
        (b"\x05\x00\x03\x01\x02\x01abc", 0, 0x40, "abc"),
        ("çœ😀".encode("utf-16-be"), 8, 0, "çœ😀"),
        (b"\xe9", 3, 0, "é"),
        (b"\xd8\x00\x00", 8, 0, None),
        (b"\x00\xff", 4, 0, None),
        (b"", 0, 0x40, ""),
    ],
)
def test_text_is_read_by_its_data_coding(user_data: bytes, data_coding: int, esm_class: int, text: str | None) -> None:
    assert decode_text(user_data, data_coding, esm_class) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90m", 1_767_225_600_000 - 5_400_000),
        ("2d", 1_767_225_600_000 - 172_800_000),
        ("2025-12-31T00:00", 1_767_139_200_000),
        ("2025-12-31T01:00+01:00", 1_767_139_200_000),
    ],
)
def test_since_is_a_time_or_a_span(text: str, ms: int) -> None:
    assert parse_since(text, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) == ms


def test_since_that_is_no_time_is_refused() -> None:
    with pytest.raises(Refusal):
        parse_since("soon", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))


LIVE = {
    "pid": 77,
    "ready": True,
    "binds": [
        {
            "side": "esme",
            "name": "reseller",
            "bind_type": "transceiver",
            "peer": "192.0.2.7:5000",
            "state": "bound",
            "in_flight": 3,
            "window": 100,
            "bound_since_ms": 1_767_225_600_000,
        }
    ],
    "queues": [{"connector": "carrier-a", "queued": 5, "open": 2, "awaiting_receipt": 9, "oldest_ms": 40}],
}


def add_node(dsn: str, seen_s_ago: int, name: str = "a", **told: object) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(
            "INSERT INTO nodes (name, seen_at, live) VALUES ($3, now() - make_interval(secs => $1), $2)",
            seen_s_ago,
            json.dumps(LIVE | told),
            name,
        )

    at_database(dsn, work)


def test_binds_of_a_living_node_are_shown(passerelle: Passerelle, database: str) -> None:
    add_node(database, -3600)  # alive however slow this machine is
    answer = passerelle("binds", "--json").json
    assert answer["nodes"][0] | {"unseen_s": 0} == {
        "name": "a",
        "alive": True,
        "unseen_s": 0,
        "epoch": 0,
        "pid": 77,
        "ready": True,
        "limits": {},
    }
    assert answer["binds"][0]["name"] == "reseller"
    assert answer["binds"][0]["bound_since"] == "2026-01-01T00:00:00.000Z"
    assert "192.0.2.7:5000" in passerelle("binds").out


def test_of_several_living_nodes_each_is_shown_with_what_is_its(
    passerelle: Passerelle, database: str, stored: dict[str, int]
) -> None:
    carrier = {"side": "carrier", "name": "carrier-a", "bind_type": "transceiver", "state": "bound"}
    add_node(database, 0)
    add_node(database, 1, "b", binds=[carrier], queues=[{"connector": "carrier-a", "queued": 8}])
    add_node(database, 60, "gone")
    answer = passerelle("binds", "--json").json
    assert [(bind["node"], bind["name"]) for bind in answer["binds"]] == [("a", "reseller"), ("b", "carrier-a")]
    assert [(node["name"], node["alive"]) for node in answer["nodes"]] == [("a", True), ("b", True), ("gone", False)]
    queued = [(queue["node"], queue["queued"]) for queue in passerelle("queue", "--json").json["in_nodes"]]
    assert queued == [("a", 5), ("b", 8)]
    assert "gone" not in passerelle("binds").out


def test_what_a_dead_node_left_behind_is_not_shown_as_alive(passerelle: Passerelle, database: str) -> None:
    assert "no node has ever run" in passerelle("binds").out
    add_node(database, 60)
    answer = passerelle("binds", "--json").json
    assert answer["binds"] == []
    assert answer["nodes"][0]["alive"] is False
    assert "no node is alive; the last, a, was seen 0:0" in passerelle("binds").out


def test_the_queue_counts_open_messages_by_connector(
    passerelle: Passerelle, database: str, stored: dict[str, int]
) -> None:
    add_node(database, -3600)  # alive however slow this machine is
    answer = passerelle("queue", "--json").json
    (row,) = answer["connectors"]
    assert (row["connector"], row["queued"], row["submitted"], row["in_doubt"]) == ("carrier-a", 1, 0, 1)
    assert answer["in_nodes"][0]["awaiting_receipt"] == 9
    assert "carrier-a" in passerelle("queue").out


def test_check_names_the_offenders_and_exits_with_1(
    passerelle: Passerelle, database: str, stored: dict[str, int]
) -> None:
    assert passerelle("check").code == 0
    at_database(database, lambda connection: connection.execute("UPDATE accounts SET balance_micros = 7"))
    failed = passerelle("check")
    assert failed.code == 1
    assert "balance_is_the_purse" in failed.out
    assert "demo: balance 7" in failed.out
    assert passerelle("check", "--json").json["ok"] is False


def test_check_reads_the_logs_of_both_simulators(
    passerelle: Passerelle, stored: dict[str, int], tmp_path: Path
) -> None:
    delivered = str(stored["delivered"])
    smsc, esme = tmp_path / "smsc.jsonl", tmp_path / "esme.jsonl"
    copy = {"event": "submit", "verdict": "taken", "source_addr": "ACME", "destination_addr": "2290197000004"}
    lines = [{**copy, "smsc_message_id": each, "short_message": "00"} for each in ("a1", "a2")]
    lines += [{"event": "receipt", "phase": "acked", "smsc_message_id": "a1", "stat": "DELIVRD"}, {"event": "bind"}]
    smsc.write_text("\n".join(map(json.dumps, lines)) + '\n{"event": "subm', encoding="utf-8")
    response = {"event": "response", "ref": "1", "message_id": delivered, "command_status": 0}
    esme.write_text(
        json.dumps(response) + "\n" + json.dumps({"event": "receipt", "message_id": delivered}) + "\n", encoding="utf-8"
    )
    words = ("check", "--smsc-log", str(smsc), "--esme-log", str(esme), "--json")
    answer = passerelle(*words).json
    assert answer["ok"] is True, answer
    assert {proof["proof"]: proof["checked"] for proof in answer["proofs"]}["parts_within_doubt"] == 2
    with esme.open("a", encoding="utf-8") as log:
        log.write(json.dumps(response | {"message_id": "123"}) + "\n")
    answer = passerelle(*words).json
    assert [proof["proof"] for proof in answer["proofs"] if proof["failed"]] == ["acknowledged_is_stored"]


def test_check_refuses_a_log_that_is_none(passerelle: Passerelle, tmp_path: Path) -> None:
    assert passerelle("check", "--esme-log", str(tmp_path / "absent.jsonl")).code == 1
    broken = tmp_path / "broken.jsonl"
    broken.write_text("not JSON\n{}\n", encoding="utf-8")
    refused = passerelle("check", "--esme-log", str(broken))
    assert refused.code == 1
    assert f"{broken}:1" in refused.err
