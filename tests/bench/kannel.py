"""Kannel beside us: bearerbox and smsbox on the same work, as its users run it for speed.

Messages come in over HTTP (sendsms), leave over one SMPP bind, receipts come back by dlr-url. Source: Kannel 1.4.5 user
guide, chapters 4 to 6; log level 4 (errors), since more of a log halves it. It needs no database and promises less.
What must not enter: our own figures.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import load
from tests.bench.processes import BenchFault, Meter, free_ports, running, until_open

CONNECTIONS = 32  # measured: more HTTP connections make it no faster
WARM_UP = 500  # messages before the count begins
SETTLE_S = 1.0  # chosen: a bind of bearerbox takes less
PATIENCE_S = 60.0  # chosen: for receipts that are under way after the last submit
LOOK_S = 0.05
PENDING = 1000  # unanswered submit_sm it may have: the guide's max-pending-submits

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = bench
admin-allow-ip = "127.0.0.1"
smsbox-port = {boxes}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 4
dlr-storage = internal
sms-outgoing-queue-limit = 1000000
sms-incoming-queue-limit = 1000000
{store}
group = smsc
smsc = smpp
smsc-id = carrier
host = 127.0.0.1
port = {carrier}
transceiver-mode = true
smsc-username = "kannel"
smsc-password = "secret"
system-type = ""
interface-version = 34
max-pending-submits = {pending}
throughput = 0
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
log-level = 4

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
log-file = "{folder}/smsbox.log"
log-level = 4
max-pending-requests = 1000

group = sendsms-user
username = bench
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
max-messages = 0
text = "x"
"""
STORES = {"none": "", "spool": 'store-type = spool\nstore-location = "{folder}/spool"\n'}
# dlr-mask 3: delivered or failed: one call back a message
REQUEST = "/cgi-bin/sendsms?username=bench&password=secret&from=1000&to={TO}&text={TEXT}&dlr-mask=3&dlr-url="


@dataclass
class KannelRun:
    """What one run came to. rate: messages a second until the last receipt was back; cpu_us: both boxes, a message."""

    rate: float
    cpu_us: float
    other_cpu: float
    faults: list[str]


def is_installed() -> bool:
    """Whether both boxes can be started."""
    return shutil.which("bearerbox") is not None and shutil.which("smsbox") is not None


async def run(folder: Path, tools: Path, store: str, messages: int) -> KannelRun:
    """Start both boxes, pass messages, end both. store: none or spool."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "spool").mkdir(parents=True)
    admin, boxes, http = free_ports(3)
    async with load.sink(tools) as carrier, load.sink(tools, mode="hsink") as web:
        configuration = folder / "kannel.conf"
        text = CONFIGURATION.replace("{store}", STORES[store])
        ports = {"admin": admin, "boxes": boxes, "http": http, "carrier": carrier.port}
        configuration.write_text(text.format(folder=folder, pending=PENDING, **ports), encoding="utf-8")
        async with running(("bearerbox", "-v", "4", configuration), folder / "bearerbox.out") as bearerbox:
            await until_open(boxes, bearerbox)
            async with running(("smsbox", "-v", "4", configuration), folder / "smsbox.out") as smsbox:
                await until_open(http, smsbox)
                await asyncio.sleep(SETTLE_S)
                path = f"{REQUEST}http%3A%2F%2F127.0.0.1%3A{web.port}%2Fd%3Fn%3D{{N}}"
                await load.request(tools, http, WARM_UP, 8, path)
                await _called_back(web, WARM_UP)
                await carrier.count(forget=True)
                await web.count(forget=True)
                meter = Meter({"boxes": [bearerbox.pid, smsbox.pid], "sinks": [carrier.child.pid, web.child.pid]})
                with meter:
                    client = await load.request(tools, http, messages, CONNECTIONS, path)
                    called = await _called_back(web, messages)
                taken = await carrier.count()
    faults = _counts(client, taken, messages)
    seconds = (called["last_ns"] - client["begin_ns"]) / 1e9
    others = meter.others(client["cpu_s"])
    return KannelRun(called["requests"] / seconds, meter.cpu["boxes"] / messages * 1e6, others, faults)


async def _called_back(web: load.Sink, messages: int) -> dict[str, Any]:
    """Wait until so many receipts were called back. Raises BenchFault when they are not."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while loop.time() < until:
        counted = await web.count()
        if counted["requests"] >= messages:
            return counted
        await asyncio.sleep(LOOK_S)
    raise BenchFault(f"Kannel called back {counted['requests']} of {messages} receipts within {PATIENCE_S:.0f} s")


def _counts(client: dict[str, Any], taken: dict[str, Any], messages: int) -> list[str]:
    told = [f"Kannel refused {client['refused']} requests"] if client["refused"] else []
    if taken["submits"] != messages or taken["twice"]:
        told.append(f"Kannel's carrier got {taken['submits']} of {messages} messages, {taken['twice']} twice")
    return told
