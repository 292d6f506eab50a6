"""Decision 0010: a carrier whose limit moves 100, 20, 80 parts a second; what is throttled, when the rate is met.

Run: .venv/bin/python docs/decisions/measure/throttling.py [contract]. The simulated carrier on a real socket, the
product's connector, no database. What must not enter: virtual time (tests/gateway/egress/test_adaptive_rate.py has it).
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import asyncio
import itertools
import sys

from gateway.connector import Health, Taken, TryLater
from gateway.egress.profile import CarrierProfile
from gateway.egress.smpp_connector import SmppConnector
from gateway.message import Envelope, Message
from gateway.tallies import Tallies
from simulators.smsc import SimulatedSmsc, SmscSettings

LIMITS = (100, 20, 80)
SECONDS = 30
MET = 0.9  # of the limit, over four seconds


async def submit(connector: SmppConnector) -> None:
    """As many as the connector takes."""
    for number in itertools.count(1):
        while not connector.reserve(1):
            connector.room.clear()
            await connector.room.wait()
        envelope = Envelope(5, 0, 1, 1)
        connector.submit([Message(number, 1, 1, 1, 1, "otp", 1, 0, 1, 9, 0, "A", "2290197", "", b"x", envelope)])
        await asyncio.sleep(0)


async def count(connector: SmppConnector, taken: list[float], throttled: list[float]) -> None:
    """When each answer came."""
    loop = asyncio.get_running_loop()
    async for events in connector.events():
        for event in events:
            if isinstance(event, Taken):
                taken.append(loop.time())
            elif isinstance(event, TryLater):
                throttled.append(loop.time())


async def main(contract: float) -> None:
    taken: list[float] = []
    throttled: list[float] = []
    settings = SmscSettings.parse(tps=LIMITS[0], latency_ms="10..30", no_receipt=1, remember=0)
    async with SimulatedSmsc(settings) as smsc:
        profile = CarrierProfile(
            name="carrier-a", connector_id=1, host=smsc.host, port=smsc.port, system_id="gw", password="gw",
            tps=contract, window=20,
        )  # fmt: skip
        health: dict[str, Health] = {}
        connector = SmppConnector(profile, health, Tallies())
        tasks = [asyncio.create_task(each) for each in (connector.run(), count(connector, taken, throttled))]
        await smsc.until(lambda statistics: statistics.bound == 1)
        tasks.append(asyncio.create_task(submit(connector)))
        began = asyncio.get_running_loop().time()
        for limit in LIMITS:
            smsc.change({"tps": limit})
            await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for place, limit in enumerate(LIMITS):
        start = began + SECONDS * place
        met = next(
            (s for s in range(SECONDS - 3) if sum(start + s <= at < start + s + 4 for at in taken) >= 4 * MET * limit),
            None,
        )
        settled = sum(start + 15 <= at < start + SECONDS for at in taken) / (SECONDS - 15)
        refused = sum(start <= at < start + SECONDS for at in throttled)
        print(f"limit {limit:>3}/s: met after {met} s, from 15 s on {settled:.1f}/s taken; {refused} throttled in all")
    print(f"{len(throttled)} of {len(taken) + len(throttled)} throttled: "
          f"{100 * len(throttled) / (len(taken) + len(throttled)):.2f} %")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 100.0))
