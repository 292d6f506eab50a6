"""The HTTP API beside a demonstration: a process of its own over the same folder, a key, and a first SMS to copy.

What belongs here: its small TOML, its key, what people are told once it is ready; nobody waits for it.
What must not enter: the demonstration (run.py), what the API does (its package stands above this one).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import asyncpg

from gateway.command_line.children import Child, find_free_port, running_child
from gateway.command_line.words import say
from gateway.storage import api_keys

API: Final = "the HTTP API"
API_PORT: Final = 8080  # defaults page, Operations
METRICS_PORT: Final = 9465  # beside the node's
KEY_DAYS: Final = 1  # chosen: a demonstration's key is shown on a screen
READY: Final = b'"event":"ready"'  # docs/operate.md: its ports are open
LOOK_S: Final = 0.25  # chosen: a person sees no difference below
HANDSET: Final = "+2290197123456"  # of Benin, as in the README; the carrier is a simulated one


async def give_key(connection: asyncpg.Connection, account_id: int, name: str) -> str:
    """A key that may do everything with one account, for a day, from this machine."""
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=KEY_DAYS)
    new = api_keys.NewApiKey(account_id, name, api_keys.SCOPES, ["127.0.0.0/8"], 0, "transactional", ends)
    return await api_keys.add_api_key(connection, new)


@contextlib.asynccontextmanager
async def running_api(data_dir: Path, folder: Path, first_sms: Callable[[str], None]) -> AsyncIterator[Child]:
    """The process, its files in `folder`; first_sms is told its address once it is ready."""
    address = f"127.0.0.1:{find_free_port(API_PORT)}"
    toml = folder / "admin-api.toml"
    toml.write_text(
        f"[node]\ndata_dir = {json.dumps(str(data_dir))}\n\n"
        f'[admin_api]\nlisten = "{address}"\nmetrics_listen = "127.0.0.1:{find_free_port(METRICS_PORT)}"\n'
    )
    words = folder / "admin-api.jsonl"
    api = running_child(API, ["admin-api", "--config", str(toml)], words)
    async with api as child, asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(_tell_when_ready(child, words, lambda: first_sms(f"http://{address}")))
        try:
            yield child
        finally:
            telling.cancel()


async def _tell_when_ready(child: Child, words: Path, tell: Callable[[], None]) -> None:
    while READY not in words.read_bytes():
        if child.exit_code is not None:
            return  # who watches the children says so
        await asyncio.sleep(LOOK_S)
    tell()


def first_sms(url: str, key: str, sender: str) -> list[str]:
    """What people are shown: where it is, and a command to copy."""
    return [
        say("HTTP API {url}, its pages {url}/docs; try, in another terminal:", url=url),
        f"""curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"from": "{sender}", "to": "{HANDSET}", "text": "Bonjour !"}}' {url}/v1/messages""",
    ]
