"""The operators' page does what it says: its blocks run in order, it shows what is written, it leaves nothing out.

What must not enter: the running itself (shells.py), tables (test_tables.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
import typer.main

from gateway.command_line.main import make_app
from gateway.storage import facts
from simulators.esme.command import esme
from simulators.fault_proxy.command import proxy
from simulators.smsc.command import smsc
from tests.docs.pages import ROOT, blocks, code, table_under
from tests.docs.shells import checkout, missing_shapes, run_page

PAGE = ROOT / "docs" / "operate.md"
SECONDS = 1000.0  # chosen: it takes some 40 s on two cores, and twelve times as long on busy ones
EVERYWHERE = {"--config", "--json", "--lang"}


def test_the_page_runs_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    page = blocks(PAGE.read_text(encoding="utf-8"))
    outputs = run_page(page, checkout(tmp_path), {"LANG": "C.UTF-8"}, SECONDS)
    written = ""
    for block in page:
        if block.runs:
            written = outputs[block.line]
        elif block.is_output:
            unknown = missing_shapes(block.text, written)
            assert not unknown, f"line {block.line} shows what was not written: {unknown}\n--- it wrote\n{written}"


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command by its words."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words), command
        return
    for name, each in below.items():
        yield from commands(each, (*words, name))


def test_every_command_has_its_example() -> None:
    executed = "\n".join(block.text for block in blocks(PAGE.read_text(encoding="utf-8")) if block.runs)
    for words, _ in commands(typer.main.get_command(make_app())):
        assert f"passerelle {words}" in executed, f"no example of passerelle {words}"


def test_every_option_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for words, command in commands(typer.main.get_command(make_app())):
        for option in options_of(command) - EVERYWHERE:
            assert re.search(rf"{option}\b", text), f"passerelle {words} {option} is nowhere"


@pytest.mark.parametrize("simulator", [smsc, esme, proxy], ids=["smsc", "esme", "proxy"])
def test_every_option_of_the_simulators_is_told(simulator: Any) -> None:
    app = typer.Typer(add_completion=False)
    app.command()(simulator)
    text = PAGE.read_text(encoding="utf-8")
    for option in options_of(typer.main.get_command(app)) - EVERYWHERE:
        assert f"`{option}`" in text, f"{option} is nowhere"


def options_of(command: Any) -> set[str]:
    """The options a command shows; --help, which stands behind each, is none of them."""
    return {
        name
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
        for name in parameter.opts
        if name.startswith("--") and name != "--help"
    }


async def test_rows_without_a_command_can_be_written_as_told(connection: asyncpg.Connection) -> None:
    account_id = await facts.add_account(connection, "acme", 0, None)
    assert account_id is not None
    await facts.add_esme(connection, facts.NewEsme("acme-otp", account_id, "no hash", 1, 1, 0, [], "otp"))
    connector_id = await facts.ensure_connector(connection, "carrier-a", "smpp")
    for _ in range(2):
        await facts.add_route(connection, facts.NewRoute(100, "*", None, None, None, None, None, [], connector_id, 1))
    rows = table_under(PAGE.read_text(encoding="utf-8"), "What has no command yet")
    for what, statement in rows:
        assert await connection.execute(code(statement)[0]) == "UPDATE 1", what


@pytest.mark.parametrize("unit", ["node", "admin-api"])
def test_the_unit_is_locked_in(unit: str) -> None:
    """systemd rates the exposure at most 2.0 of 10 (defaults page); where it is not installed, the lines are asked."""
    text = (ROOT / "systemd" / f"passerelle-{unit}.service").read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "LoadCredential=",
        "MemoryDenyWriteExec",
    ):
        assert line in text
    assert f"passerelle {unit} --config" in text
    analyser = shutil.which("systemd-analyze")
    if analyser is not None:
        words = [analyser, "security", "--offline=true", "--threshold=20", "--no-pager"]
        words.append(str(ROOT / "systemd" / f"passerelle-{unit}.service"))
        rated = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert rated.returncode == 0, rated.stdout[-400:] + rated.stderr
