"""The event loop a simulator runs on by itself: uvloop where it is present, and the signals that end it.

Source: asyncio.Runner (loop_factory), POSIX SIGINT and SIGTERM.
What must not enter: what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
from collections.abc import Callable, Coroutine
from typing import TypeVar

Result = TypeVar("Result")


def run(main: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine to its end on a loop of its own."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        factory = importlib.import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def on_end_signals(act: Callable[[], None]) -> None:
    """Call act, in the running loop, at SIGINT and at SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, act)
