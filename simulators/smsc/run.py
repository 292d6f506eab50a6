"""`passerelle simulate smsc`: the SMSC simulator as a process of its own.

What belongs here: the ready line, the end by signal, the exit code. Source: issue, "simulators".
What must not enter: options (command.py) and behaviour.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from simulators import event_loop
from simulators.smsc.server import SimulatedSmsc
from simulators.smsc.settings import SmscSettings


def run_smsc(settings: SmscSettings) -> int:
    """Listen until SIGINT or SIGTERM. The first line of stdout is JSON: {"ready": "smsc", "listen", "control"}.

    Returns 0, or 1 when it cannot listen or keep its log (the reason goes to stderr).
    """
    try:
        return event_loop.run(_serve(settings))
    except OSError as error:
        sys.stderr.write(f"smsc simulator: {error}\n")
        return 1


async def _serve(settings: SmscSettings) -> int:
    ended = asyncio.Event()
    async with SimulatedSmsc(settings) as smsc:
        event_loop.on_end_signals(ended.set)
        ready = {
            "ready": "smsc",
            "listen": str(smsc.endpoint),
            "control": str(smsc.control_endpoint) if smsc.control_endpoint is not None else None,
        }
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        await smsc.conditions.wait(lambda: ended.is_set() or smsc.failure is not None, None)
        if smsc.failure is not None:
            raise smsc.failure
        sys.stdout.write(msgspec.json.encode({"statistics": smsc.report()}).decode() + "\n")
    return 0
