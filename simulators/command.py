"""`passerelle simulate smsc|esme`: both simulators as one typer application, to be mounted.

What belongs here: the two names. Source: issue, "simulators".
What must not enter: options (smsc/command.py, esme/command.py).
"""

from __future__ import annotations

import typer

from simulators.esme.command import esme
from simulators.smsc.command import smsc

app = typer.Typer(help="Simulated peers on the real wire.", no_args_is_help=True)
app.command("smsc")(smsc)
app.command("esme")(esme)
