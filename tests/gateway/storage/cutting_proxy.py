"""A way to PostgreSQL that can be cut at the worst moment: before a request, before its answer, or behind its back.

What belongs here: forwarding octets between a socket of ours and the server, and one cut at a time, wished by a test.
What must not enter: PostgreSQL's protocol, beyond looking for the octets that a test names.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

Cut = Literal["drop request", "lose answer", "strand"]
PORT = 5432


class CuttingProxy:
    """drop request: the server never reads it. lose answer: the server has answered, we never hear it.

    strand: the server goes on with it, while our connection is gone at once.
    """

    def __init__(self, folder: Path, upstream_dsn: str) -> None:
        parts = urlsplit(upstream_dsn)
        asked = parse_qs(parts.query)
        self._upstream_folder = asked.get("host", [""])[0]
        self._upstream_address = (parts.hostname or "localhost", parts.port or PORT)
        self._folder = folder
        credentials = parts.netloc.rpartition("@")[0]
        self.dsn = f"{parts.scheme}://{credentials}@{parts.path}?host={quote(str(folder))}&port={PORT}"
        self.away = False  # whether new connections are refused
        self.cuts = 0
        self._wished: tuple[Cut, bytes] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self, how: Cut, needle: bytes = b"") -> None:
        """Cut once, at the next request that contains these octets."""
        self._wished = (how, needle)

    def go_away(self) -> None:
        """Break all connections and refuse new ones."""
        self.away = True
        for writer in self._writers:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[CuttingProxy]:
        """Listen as long as the block runs."""
        server = await asyncio.start_unix_server(self._connected, self._folder / f".s.PGSQL.{PORT}")
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self.away:
            writer.transport.abort()
            return
        if self._upstream_folder:
            theirs, to_them = await asyncio.open_unix_connection(f"{self._upstream_folder}/.s.PGSQL.{PORT}")
        else:
            theirs, to_them = await asyncio.open_connection(*self._upstream_address)
        self._writers |= {writer, to_them}
        losing = asyncio.Event()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # the end of the test
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._answers(theirs, writer, to_them, losing))
                tasks.create_task(self._requests(reader, writer, to_them, losing))

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_them: asyncio.StreamWriter,
        losing: asyncio.Event,
    ) -> None:
        while octets := await reader.read(1 << 20):
            if self._wished is not None and self._wished[1] in octets:
                how, self._wished = self._wished[0], None
                self.cuts += 1
                if how == "drop request":
                    to_them.transport.abort()
                    writer.transport.abort()
                    return
                if how == "lose answer":
                    losing.set()
                else:
                    to_them.write(octets)
                    writer.transport.abort()
                    return  # the way to the server stays open
            to_them.write(octets)
        to_them.transport.abort()

    @staticmethod
    async def _answers(
        theirs: asyncio.StreamReader, writer: asyncio.StreamWriter, to_them: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while octets := await theirs.read(1 << 20):
            if losing.is_set():
                to_them.transport.abort()
                break
            if not writer.transport.is_closing():
                writer.write(octets)
        writer.transport.abort()
