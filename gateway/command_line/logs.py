"""The structured log of a node: one JSON object a line, one event name a fact (architecture 5).

What belongs here: the form of a line and where lines go. What must not enter: numbers in full, texts: the rooms that
log see to that.
"""

from __future__ import annotations

import datetime
import logging
import sys
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = "passerelle"  # every room's logger is named below it
PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}  # not an event's facts


class JsonLines(logging.Formatter):
    """at (UTC), level, room, event, then the event's facts; a traceback, where there is one, as text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "room": record.name.removeprefix(f"{ROOT}."),
            "event": record.getMessage(),
        }
        line |= {name: fact for name, fact in vars(record).items() if name not in PLAIN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def log_to(file: Path | None) -> None:
    """Send every room's log to a file, or to stderr (None), from here on; asyncio's and aiohttp's faults too."""
    sink = logging.StreamHandler(sys.stderr) if file is None else logging.FileHandler(file, encoding="utf-8")
    sink.setFormatter(JsonLines())
    # no line says which function, thread or process wrote it: not looking for them saves a third of its cost
    # (logging HOWTO, "Optimization"; measured 14.0 against 9.6 us)
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in (ROOT, "asyncio", "aiohttp"):
        logger = logging.getLogger(name)
        for former in list(logger.handlers):
            logger.removeHandler(former)
        logger.addHandler(sink)
        logger.propagate = False
        logger.setLevel(logging.INFO if name == ROOT else logging.WARNING)
