"""The ports that demonstrations take when they are free, held so that each demonstration takes ports of its own.

Two that begin in one moment would both find a usual port free. Several test processes hold them at once (SO_REUSEPORT),
so that none is left without when another ends. What must not enter: ports for one test (running_node.free_port).
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

PORTS = (2775, 2776, 2777, 9464, 9465, 8080)


@contextlib.contextmanager
def usual_ports_taken() -> Iterator[None]:
    """Hold them; what somebody else listens on is taken already."""
    with contextlib.ExitStack() as held:
        for port in PORTS:
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port), reuse_port=True))
        yield
