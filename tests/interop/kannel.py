"""Kannel 1.4.5 as a customer: bearerbox and smsbox with a configuration of this test, its HTTP in, its HTTP out.

Source: Kannel's user guide, groups core, smsc (smpp), smsbox, sendsms-user, sms-service; sendsms interface.
What belongs here: running it, and what it tells by its status page, its receipts (dlr-url) and its MO (get-url).
What must not enter: what a test expects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.eventually import eventually
from tests.interop.peers import need_program
from tests.running_node import free_port

READY_TIMEOUT_S = 20.0  # chosen
END_TIMEOUT_S = 5.0  # chosen: then SIGKILL; bearerbox waits for its smsc threads
EVERY_KIND = 31  # sendsms dlr-mask: delivered 1, failed 2, buffered 4, accepted by the SMSC 8, refused by it 16
DELIVERED, FAILED, ACCEPTED, REFUSED = 1, 2, 8, 16

CONFIGURATION = """
group = core
admin-port = {admin_port}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {smsbox_port}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = gateway
host = 127.0.0.1
port = {smpp_port}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
interface-version = 34
transceiver-mode = true
source-addr-autodetect = true
enquire-link-interval = 5
reconnect-delay = 1
msg-id-type = 0x00

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms_port}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 0

group = sendsms-user
username = tester
password = tester
user-allow-ip = 127.0.0.1
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{listener_port}/inbound?from=%p&to=%P&coding=%c&octets=%b"
"""


@dataclass(frozen=True)
class ToldReceipt:
    """One call of dlr-url. kind: DELIVERED, FAILED, ACCEPTED, REFUSED; answer: the SMSC's words, by Kannel."""

    ref: str
    kind: int
    answer: str


class Kannel:
    """A running bearerbox and smsbox. receipts, inbound: what they told us by HTTP, in order (octets as Latin-1)."""

    def __init__(
        self, folder: Path, smpp_port: int, system_id: str, password: str, http: aiohttp.ClientSession
    ) -> None:
        self.folder = folder
        self._http = http
        self._runner: web.AppRunner | None = None
        self.receipts: list[ToldReceipt] = []
        self.inbound: list[dict[str, str]] = []
        self._admin_port, self._sendsms_port, self._listener_port = free_port(), free_port(), free_port()
        self._processes: list[asyncio.subprocess.Process] = []
        self._configuration = folder / "kannel.conf"
        folder.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                smpp_port=smpp_port,
                system_id=system_id,
                password=password,
                admin_port=self._admin_port,
                smsbox_port=free_port(),
                sendsms_port=self._sendsms_port,
                listener_port=self._listener_port,
            )
        )

    async def start(self) -> None:
        """Start the listener, bearerbox, then smsbox, and wait until sendsms takes messages."""
        bearerbox, smsbox = need_program("bearerbox"), need_program("smsbox")
        await self._listen()
        await self._run(bearerbox)
        await eventually(self.status, READY_TIMEOUT_S, "bearerbox answers")
        await self._run(smsbox)
        await eventually(self._takes_messages, READY_TIMEOUT_S, "smsbox listens")

    async def end(self) -> None:
        """End both, and what listens for them."""
        for process in reversed(self._processes):
            if process.returncode is not None:
                continue
            process.terminate()
            try:
                async with asyncio.timeout(END_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._runner is not None:
            await self._runner.cleanup()

    async def send(self, text: str, to: str, source: str, ref: str = "", unicode: bool = False) -> None:
        """Hand a text to sendsms; AssertionError unless Kannel takes it. ref comes back in its receipts."""
        dlr_url = f"http://127.0.0.1:{self._listener_port}/receipt?ref={ref}&kind=%d&answer=%A"
        query = {"username": "tester", "password": "tester", "from": source, "to": to, "text": text}
        query |= {"charset": "UTF-8", "coding": "2" if unicode else "0"}
        query |= {"dlr-mask": str(EVERY_KIND), "dlr-url": dlr_url}
        async with self._http.get(f"http://127.0.0.1:{self._sendsms_port}/cgi-bin/sendsms", params=query) as answer:
            words = await answer.text()
            assert answer.status == 202, words

    async def status(self) -> str:
        """bearerbox's status page; "" when it does not answer."""
        try:
            async with self._http.get(f"http://127.0.0.1:{self._admin_port}/status.txt?password=admin") as answer:
                return await answer.text()
        except aiohttp.ClientError:
            return ""

    async def is_online(self) -> bool:
        """Whether bearerbox calls its bind online."""
        return "(online" in await self.status()

    async def until_online(self) -> None:
        """Wait for the bind."""
        await eventually(self.is_online, READY_TIMEOUT_S, "Kannel is bound")

    def refs(self, kind: int) -> list[str]:
        """The refs of the receipts of a kind, sorted, repeats included."""
        return sorted(receipt.ref for receipt in self.receipts if receipt.kind == kind)

    def log(self) -> str:
        """What bearerbox wrote so far."""
        return (self.folder / "bearerbox.log").read_text(errors="replace")

    async def _run(self, program: str) -> None:
        with (self.folder / "output.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                program, str(self._configuration), stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._processes.append(process)

    async def _takes_messages(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._sendsms_port)
            writer.close()
            return "smsbox" in await self.status()
        return False

    async def _listen(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/receipt", self._receipt), web.get("/inbound", self._inbound)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._listener_port).start()

    async def _receipt(self, request: web.Request) -> web.Response:
        query = request.query
        self.receipts.append(ToldReceipt(query["ref"], int(query["kind"]), query["answer"]))
        return web.Response(text="")

    async def _inbound(self, request: web.Request) -> web.Response:
        raw = request.rel_url.raw_query_string
        self.inbound.append(dict(parse_qsl(raw, keep_blank_values=True, encoding="latin-1")))
        return web.Response(text="")


@contextlib.asynccontextmanager
async def running_kannel(folder: Path, smpp_port: int, system_id: str, password: str) -> AsyncIterator[Kannel]:
    """Kannel as a customer of the SMPP server on this port, ended with the block."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        kannel = Kannel(folder, smpp_port, system_id, password, http)
        try:
            await kannel.start()
            yield kannel
        finally:
            await kannel.end()
