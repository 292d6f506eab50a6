"""`passerelle simulate esme`: the ESME simulator as a process of its own.

What belongs here: the run, its summary on stdout, the exit code. Source: issue, "simulators".
What must not enter: options (command.py) and behaviour.
"""

from __future__ import annotations

import sys

from rich.console import Console

from simulators import event_loop
from simulators.esme.client import SimulatedEsme
from simulators.esme.report import summary_json, summary_table
from simulators.esme.settings import EsmeSettings
from simulators.esme.tally import EsmeSummary


def run_esme(settings: EsmeSettings, as_json: bool = False) -> int:
    """Send, verify, and show the summary: a table, or one JSON object on one line.

    Returns 0, or 1 when verification failed or not everything could be submitted (`problem` says why).
    """
    try:
        summary = event_loop.run(_send(settings))
    except OSError as error:
        sys.stderr.write(f"esme simulator: {error}\n")
        return 1
    if as_json:
        sys.stdout.write(summary_json(summary) + "\n")
    else:
        Console().print(summary_table(summary))
    return 1 if summary.problem or summary.verified is False else 0


async def _send(settings: EsmeSettings) -> EsmeSummary:
    async with SimulatedEsme(settings) as esme:
        event_loop.on_end_signals(esme.stop)
        return await esme.finish()
