"""`passerelle simulate smsc|esme|proxy`: the carrier, the client and the bad network that come with the product.

What belongs here: handing the words over to the simulators' own command lines.
What must not enter: a simulator's options.
"""

from __future__ import annotations

import typer

simulators = typer.Typer(help="A simulated carrier, client or network, with faults on demand.", no_args_is_help=True)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@simulators.command("smsc", context_settings=PASS_ON)
def simulate_smsc(context: typer.Context) -> None:
    """Simulate a carrier."""
    from simulators.smsc.command import main

    raise typer.Exit(main(context.args))


@simulators.command("esme", context_settings=PASS_ON)
def simulate_esme(context: typer.Context) -> None:
    """Simulate a client."""
    from simulators.esme.command import main

    raise typer.Exit(main(context.args))


@simulators.command("proxy", context_settings=PASS_ON)
def simulate_proxy(context: typer.Context) -> None:
    """Simulate a bad network between two peers."""
    from simulators.fault_proxy.command import main

    raise typer.Exit(main(context.args))
