"""What a process of ours and its machine tell each other: readiness to systemd, a clock that a stop does not stop.

Source: sd_notify(3), clock_gettime(2).
What must not enter: what a process does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time


def unstopped_clock() -> float:
    """Seconds that go on while this process, or its whole machine, stands still (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def tell_systemd(state: str) -> None:
    """sd_notify(3), where systemd asked for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(state.encode(), address.replace("@", "\0", 1))
