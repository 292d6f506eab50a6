"""The guides do what they say: every snippet runs against a living API beside a node and a carrier, and prints what
stands there; curl and Python always, PHP and Node where they are (`make interop` installs them, or says why not).

What must not enter: what the API answers beyond the guides, the webhook pages' check of signatures (tests/docs).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.daemon.configuration_schema import AdminApiLookups
from gateway.storage import facts
from tests.admin_api.conftest import Api, api_configuration, running_api
from tests.docs.pages import ROOT, Block, blocks
from tests.eventually import eventually
from tests.faults.road import road
from tests.gateway.conftest import Clock, Ground
from tests.interop.peers import PRESENT_ONLY, find_program, need_program
from tests.running_node import Login

GUIDES = ROOT / "docs" / "guides"
PAGES = ("send", "receive", "numbers", "account", "otp")  # receive tells what send sent
PROGRAMS = {"sh": "bash", "python": sys.executable, "php": "php", "js": "node"}
ALWAYS, PERHAPS = ("sh", "python"), ("php", "js")
ENDINGS = {"sh": "sh", "python": "py", "php": "php", "js": "mjs"}
SECONDS = 120.0  # chosen: a snippet takes a moment
SHORT_CODE = "36000"
HANDSET = "2290197123456"  # of the pages


def spoken() -> list[str]:
    """The languages of snippets that can run; `make interop` says whether an absent one fails."""
    if os.environ.get(PRESENT_ONLY) == "all":
        return [*ALWAYS, *(language for language in PERHAPS if need_program(PROGRAMS[language]))]
    return [*ALWAYS, *(language for language in PERHAPS if find_program(PROGRAMS[language]))]


async def run_snippet(block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    """What it prints; AssertionError when it fails."""
    language = block.info.split()[0]
    file = folder / f"line{block.line}.{ENDINGS[language]}"
    file.write_text(("set -eu\n" if language == "sh" else "") + block.text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(PROGRAMS[language], file.name),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SECONDS):
        written, _ = await process.communicate()
    assert process.returncode == 0, f"{file.name} ended with {process.returncode}:\n{written.decode()}"
    return written.decode()


async def run_guide(name: str, folder: Path, environment: Mapping[str, str], languages: list[str]) -> int:
    """Run a page's snippets, those of one matter at once; how many there were. Programs print what the page shows."""
    printed: list[str] = []
    count = 0
    for runs, group in itertools.groupby(
        blocks((GUIDES / f"{name}.md").read_text(encoding="utf-8")), lambda block: block.runs
    ):
        for block in group if not runs else ():
            if block.file is not None:
                (folder / block.file).write_text(block.text, encoding="utf-8")
            for written in printed if block.is_output else ():
                assert set(block.text.splitlines()) <= set(written.splitlines()), f"{name}.md:{block.line}: {written}"
        if runs:
            chosen = [block for block in group if block.info.split()[0] in languages]
            written_by = await asyncio.gather(*(run_snippet(block, folder, environment) for block in chosen))
            printed = [text for block, text in zip(chosen, written_by, strict=True) if block.info != "sh run"]
            count += len(chosen)
    return count


async def test_every_snippet_of_the_guides_does_what_stands_there(database: str, tmp_path: Path) -> None:
    languages, login = spoken(), Login(inbound_numbers=(SHORT_CODE,))
    async with road(tmp_path, database, logins=[login]) as way, way.node.database() as connection:
        account_id = await connection.fetchval("SELECT min(account_id) FROM accounts")
        await facts.add_sender_name(connection, account_id, "ACME", "approved")
        ground = Ground(database, connection, Clock(), account_id)
        lookups = AdminApiLookups(tmp_path / "lookups")
        async with running_api(ground, api_configuration(ground, lookups=lookups)) as api:
            environment = {"PATH": os.environ["PATH"], "PASSERELLE_URL": api.url, "PASSERELLE_KEY": api.key}
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
            for name in PAGES:
                if name == "receive":
                    way.smsc.deliver_inbound(HANDSET, SHORT_CODE, "BONJOUR")
                    await eventually(lambda: is_told(api), SECONDS, "a receipt and a handset's message")
                count = await run_guide(name, tmp_path, environment, languages)
                assert count >= len(languages), f"{name}.md has no snippets"


async def is_told(api: Api) -> bool:
    """The handset that the page names has its receipt, and its message came."""
    reports, inbound = [(await api.ask("GET", path)).json["events"] for path in ("/v1/delivery-reports", "/v1/inbound")]
    return bool(inbound) and any(each["data"].get("to") == HANDSET for each in reports)


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_snippets(name: str) -> None:
    english, french = (blocks((GUIDES / f"{name}{end}.md").read_text(encoding="utf-8")) for end in ("", ".fr"))
    assert [(each.info, each.text) for each in english] == [(each.info, each.text) for each in french]


def test_every_guide_is_run() -> None:
    assert {file.name.partition(".")[0] for file in GUIDES.iterdir()} == set(PAGES)
