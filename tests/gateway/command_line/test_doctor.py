"""`passerelle doctor`: each trouble is found, with its remedy; a sound node has no error.

What belongs here: troubles made on purpose. What must not enter: PostgreSQL settings that need a restart.
"""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway.storage.database import connect
from tests.gateway.command_line.conftest import Passerelle
from tests.gateway.command_line.test_messages import add_node
from tests.valkey import Valkey

AHEAD = "INSERT INTO nodes (name, epoch, seen_at) VALUES ($1, 1, now() + interval '60 s')"


def add_ports(config_file: Path, smpp: int = 0) -> None:
    """Ports of our own, so that nothing else on this machine matters; 0: any."""
    text = config_file.read_text(encoding="utf-8")
    ports = f'[smpp_server]\nlisten = "127.0.0.1:{smpp}"\n[metrics]\nlisten = "127.0.0.1:0"\n'
    config_file.write_text(text + ports, encoding="utf-8")


def findings(passerelle: Passerelle) -> dict[str, dict[str, Any]]:
    return {each["subject"]: each for each in passerelle("doctor", "--json").json["findings"]}


def test_a_sound_configuration_has_no_error(passerelle: Passerelle, config_file: Path) -> None:
    add_ports(config_file)
    assert passerelle("doctor").code == 0
    found = findings(passerelle)
    assert found["postgresql"]["severity"] == "ok"
    assert found["secret connector 1.password"]["severity"] == "ok"
    assert {found[subject]["severity"] for subject in ("esmes", "rates", "routes")} == {"warning"}
    assert all(each["remedy"] for each in found.values() if each["severity"] != "ok")


def test_a_taken_port_is_an_error_unless_our_node_holds_it(passerelle: Passerelle, config_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        add_ports(config_file, taken.getsockname()[1])
        assert passerelle("doctor").code == 1
        assert findings(passerelle)["port smpp"]["severity"] == "error"


@pytest.mark.parametrize(
    ("ours", "theirs", "severity", "word"),
    [
        (True, True, "ok", "shared with b"),
        (True, False, "error", "taken by b"),
        (False, True, "error", "taken by b"),
        (True, None, "error", "taken by another program"),
    ],
)
def test_a_port_may_be_a_neighbours_where_both_share_it(
    passerelle: Passerelle, config_file: Path, database: str, ours: bool, theirs: bool | None, severity: str, word: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        add_ports(config_file, port)
        shared = config_file.read_text(encoding="utf-8").replace(
            "[smpp_server]\n", f"[smpp_server]\nshared_port = {str(ours).lower()}\n"
        )
        config_file.write_text(shared, encoding="utf-8")
        host = socket.gethostname() if theirs is not None else "another-machine"
        add_node(database, 0, "b", host=host, listens={f"127.0.0.1:{port}": bool(theirs)})
        found = findings(passerelle)["port smpp"]
        assert (found["severity"], word in found["finding"]) == (severity, True)
        assert ("shared_port" in found["remedy"]) == (word == "taken by b")


def test_a_database_that_is_away_is_an_error_and_the_rest_is_still_looked_at(
    passerelle: Passerelle, config_file: Path, tmp_path: Path
) -> None:
    config_file.write_text(f'[storage]\ndsn = "postgresql://nobody@/none?host={tmp_path}"\n', encoding="utf-8")
    add_ports(config_file)
    found = findings(passerelle)
    assert found["postgresql"]["severity"] == "error"
    assert found["port smpp"]["severity"] == "ok"


def test_missing_tables_are_an_error_with_migrate_as_remedy(
    empty_database: str, passerelle: Passerelle, config_file: Path
) -> None:
    config_file.write_text(f'[storage]\ndsn = "{empty_database}"\n', encoding="utf-8")
    assert findings(passerelle)["schema"]["remedy"] == "passerelle migrate"
    refused = passerelle("account", "list")
    assert refused.code == 1
    assert "passerelle migrate" in refused.err
    assert passerelle("migrate").code == 0
    assert passerelle("account", "list").code == 0
    assert "the schema is current" in passerelle("migrate").out


def test_a_secret_that_others_may_read_is_a_warning(passerelle: Passerelle, config_file: Path) -> None:
    config_file.chmod(0o644)
    assert findings(passerelle)["secret connector 1.password"]["severity"] == "warning"


def test_a_carrier_without_address_is_an_error(passerelle: Passerelle, config_file: Path) -> None:
    text = config_file.read_text(encoding="utf-8").replace("127.0.0.1:2776", "carrier.invalid:2776")
    config_file.write_text(text, encoding="utf-8")
    assert findings(passerelle)["connector carrier-a"]["severity"] == "error"


@pytest.mark.parametrize("key", ["lisen", "tpz"])
def test_an_unknown_key_is_refused_by_every_command(passerelle: Passerelle, config_file: Path, key: str) -> None:
    config_file.write_text(f"[smpp_server]\n{key} = 1\n", encoding="utf-8")
    for words in (("doctor",), ("account", "list"), ("node",), ("migrate",), ("run",)):
        refused = passerelle(*words)
        assert refused.code == 1
        assert key in refused.err


def test_redis_is_told_by_name_and_one_that_is_away_is_no_error(
    passerelle: Passerelle, config_file: Path, valkey: Valkey
) -> None:
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(f'{text}[redis]\nurl = "{valkey.url}"\n', encoding="utf-8")
    add_ports(config_file)
    found = findings(passerelle)["redis"]
    assert found["severity"] == "ok"
    assert re.fullmatch(r"Valkey \d+\.\d+\.\d+", found["finding"])
    valkey.kill()
    finished = passerelle("doctor", "--json")
    assert finished.code == 0
    found = next(each for each in finished.json["findings"] if each["subject"] == "redis")
    assert found["severity"] == "warning"
    assert found["remedy"] == "start it, or correct [redis] url"


def test_several_nodes_without_redis_are_a_warning(database: str, passerelle: Passerelle, config_file: Path) -> None:
    async def seat_two() -> None:
        connection = await connect(database)
        for name in "ab":
            await connection.execute(AHEAD, name)
        await connection.close()

    config_file.write_text(f'[storage]\ndsn = "{database}"\n', encoding="utf-8")
    add_ports(config_file)
    asyncio.run(seat_two())
    found = findings(passerelle)["limits"]
    assert found["severity"] == "warning"
    assert found["remedy"] == '[redis] url = "redis://..."'
