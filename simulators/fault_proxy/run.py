"""`passerelle simulate proxy`: the fault proxy as a process of its own.

What belongs here: the ready line, the end by signal, the exit code. Source: issue, "simulators".
What must not enter: options (command.py) and faults.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from simulators import event_loop
from simulators.fault_proxy.proxy import FaultProxy
from simulators.fault_proxy.settings import ProxySettings
from simulators.plain_values import Endpoint


def run_proxy(settings: ProxySettings) -> int:
    """Listen until SIGINT or SIGTERM. The first line of stdout is JSON: {"ready": "proxy", "listen", "to", "control"}.

    Returns 0, or 1 when it cannot listen or keep its log (the reason goes to stderr).
    """
    try:
        return event_loop.run(_serve(settings))
    except OSError as error:
        sys.stderr.write(f"fault proxy: {error}\n")
        return 1


async def _serve(settings: ProxySettings) -> int:
    ended = asyncio.Event()
    async with FaultProxy(settings) as proxy:

        def end() -> None:
            ended.set()
            proxy.conditions.look()

        event_loop.on_end_signals(end)
        control = settings.control
        ready: dict[str, object] = {
            "ready": "proxy",
            "listen": str(proxy.endpoint),
            "to": str(settings.to),
            "control": str(Endpoint(control.host, proxy.control_port)) if control is not None else None,
        }
        _tell(ready)
        await proxy.conditions.wait(lambda: ended.is_set() or proxy.failure is not None, None)
        if proxy.failure is not None:
            raise proxy.failure
        _tell({"statistics": proxy.report()})
    return 0


def _tell(values: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(values).decode() + "\n")
    sys.stdout.flush()
