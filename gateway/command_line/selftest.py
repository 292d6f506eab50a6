"""`passerelle selftest smpp`: the judge of SMSCs that comes with the product; ours is judged by it as any other.

What belongs here: handing the words over to the judge's own command line.
What must not enter: its options, its cases.
"""

from __future__ import annotations

import typer

from gateway.command_line.simulate import PASS_ON

selftest = typer.Typer(help="Judge any SMSC by what it answers.", no_args_is_help=True)


@selftest.command("smpp", context_settings=PASS_ON)
def selftest_smpp(context: typer.Context) -> None:
    """Play every situation of SMPP against a server."""
    from simulators.selftest.command import main

    raise typer.Exit(main(context.args))


@selftest.callback()
def selftest_group() -> None:
    """Judge any SMSC by what it answers."""
