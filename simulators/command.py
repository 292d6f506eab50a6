"""`passerelle simulate smsc|esme|proxy`: the simulators as one typer application, to be mounted.

What belongs here: the names. Source: issue, "simulators".
What must not enter: options (each simulator's command.py).
"""

from __future__ import annotations

import typer

from simulators.esme.command import esme
from simulators.fault_proxy.command import proxy
from simulators.smsc.command import smsc

app = typer.Typer(help="Simulated peers on the real wire.", no_args_is_help=True)
app.command("smsc")(smsc)
app.command("esme")(esme)
app.command("proxy")(proxy)
