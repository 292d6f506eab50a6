"""The simulators as child processes of `passerelle run`: started, watched, ended with us, however we end.

What belongs here: one child's life. Each is a session of its own, so that Ctrl-C reaches us and we end them in order.
What must not enter: what a simulator is told to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

END_TIMEOUT_S: Final = 5.0  # chosen: a simulator unbinds and writes its log in less
OTHER_PORTS: Final = range(20_000, 32_000)  # chosen: below those that Linux gives to clients, who come in between
OTHERS_TRIED: Final = 20  # chosen
WORDS_KEPT: Final = 2000  # octets of its last words that are shown when it fails; chosen


class Child:
    """One running simulator. `words` is the file its output goes to."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, words: Path) -> None:
        self.name = name
        self.words = words
        self._process = process

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self.words.read_bytes()[-WORDS_KEPT:].decode(errors="replace").strip()

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    async def end(self) -> None:
        """Ask it to end (SIGTERM), then insist (SIGKILL)."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(kind)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_TIMEOUT_S):
                    await self.wait()


@contextlib.asynccontextmanager
async def running_child(name: str, arguments: Sequence[str], words: Path) -> AsyncIterator[Child]:
    """`passerelle ARGUMENTS` as a child that lives no longer than this block, nor than this process."""
    die_with_us = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
    with words.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(*die_with_us, sys.executable, "-m", "gateway.command_line", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    child = Child(name, process, words)
    try:
        yield child
    finally:
        await child.end()


def find_free_port(wanted: int) -> int:
    """`wanted` on 127.0.0.1 when nobody listens there, else another one."""
    for port in (wanted, *random.sample(OTHER_PORTS, OTHERS_TRIED), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no free port on 127.0.0.1")
