"""Hours of ordinary misery: a carrier that errs, links that drop, kills now and then; nothing lost, nothing growing.

Run by `make soak` (PASSERELLE_SOAK_S seconds, 900 by default), never by `make test`: the name is not test_*.
Source: promises P1 to P5; architecture 5 (everything has a limit). PASSERELLE_FAULT_SEED repeats the dice.
What must not enter: faults that stop the traffic for long (test_database.py, test_carriers.py).
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from pathlib import Path

from tests.faults.road import road
from tests.running_node import ACCOUNT, Login

SOAK_S = float(os.environ.get("PASSERELLE_SOAK_S", "900"))
PROOF_EVERY_S = 60.0  # chosen
KILL_SHARE = 0.2  # of the turns end with kill -9 of the node; chosen
GROWTH_MIB = 64.0  # of the node between the first proof and any later one of the same life; chosen
CREDITS = 1_000_000_000  # chosen: an hour takes a million, so a day is paid for too
MISERY = {
    "latency_ms": "0..60",
    "error_mix": "0x58=0.002,0x14=0.001,0x0B=0.005",
    "receipt_delay_ms": "50..5000",
    "receipt_mix": "UNDELIV/011=0.05,EXPIRED=0.02",
    "receipt_early": 0.02,
    "receipt_duplicate": 0.05,
    "receipt_shuffle": True,
    "inbound_rate": 5,
}


async def test_a_long_run_in_bad_company_stays_whole_and_small(tmp_path: Path) -> None:
    seed = int(os.environ.get("PASSERELLE_FAULT_SEED") or secrets.randbits(32))
    print(f"PASSERELLE_FAULT_SEED={seed} PASSERELLE_SOAK_S={SOAK_S:g}")  # noqa: T201 - how to run it again
    chance = random.Random(seed)
    logins = [Login(inbound_numbers=["36000"])]
    client = {"rate": 300, "messages": 0, "binds": 2, "window": 30, "reconnect": True, "resend": True, "retry": True}
    async with (
        road(tmp_path, None, smsc=MISERY, logins=logins) as way,
        way.esme(**client, characters=0) as esme,
    ):
        topped_up = await way.node.command("account", "top-up", ACCOUNT, str(CREDITS), "--reason", "a long run")
        assert topped_up.code == 0, topped_up.err
        ends, small_mib = time.monotonic() + SOAK_S, None
        while time.monotonic() < ends:
            await asyncio.sleep(min(PROOF_EVERY_S, max(1.0, ends - time.monotonic())))
            way.smsc.disconnect(chance.choice(("drop", "unbind")))
            await way.prove()
            small_mib = small_mib or way.resident_mib()
            assert way.resident_mib() < small_mib + GROWTH_MIB
            print(f"{esme.summary.accepted} accepted, node {way.resident_mib():.0f} MiB")  # noqa: T201 - progress
            if chance.random() < KILL_SHARE:
                small_mib = None
                await way.node.kill()
                await way.node.start()
        way.smsc.change({"inbound_rate": 0, "error_mix": ""})
        esme.workload.stop()
        await way.value("UPDATE delayed SET due_at_ms = 0")
        await way.quiet(120)
        await way.prove()
        print(await way.states())  # noqa: T201 - the figures
