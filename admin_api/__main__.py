"""`passerelle admin-api` ends up here: its own process, started by `python -m admin_api --config FILE --lang L`.

The command line cannot import this package, which stands above it; it becomes this process by exec(2).
What must not enter: building anything (process.py).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from admin_api.process import ApiFault, run
from gateway.command_line.logs import log_to
from gateway.command_line.looping import run_on_loop
from gateway.daemon.configuration import ConfigurationFault, default_configuration, load_configuration
from gateway.storage.database import DatabaseAway, DatabaseUnfit, NodeTaken
from gateway.storage.migrate import SchemaFault
from gateway.storage.postgres_programs import PostgresFault

FAULTS = (ApiFault, ConfigurationFault, SchemaFault, PostgresFault, DatabaseAway, DatabaseUnfit, NodeTaken)
REFUSED = 1
INTERRUPTED = 130  # POSIX shells: 128 + SIGINT


def main() -> int:
    """Run until it is told to stop; the exit code."""
    reader = argparse.ArgumentParser(prog="passerelle admin-api")
    reader.add_argument("--config", type=Path)
    reader.add_argument("--lang", choices=("en", "fr"), default="en")
    given = reader.parse_args()
    try:
        if given.config is None:
            configuration = default_configuration(Path.cwd())
        else:
            configuration = load_configuration(given.config, given.lang)
        log_to(None)
        run_on_loop(run(configuration))
    except FAULTS as fault:
        print(f"passerelle admin-api: {fault}", file=sys.stderr)  # noqa: T201  # the last word of a process
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
