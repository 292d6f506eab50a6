"""What the command lines of both simulators share: options to settings, and a run that ends in an exit code.

What belongs here: usage errors (exit 2) with the reason that the settings gave. Source: typer, click.
What must not enter: any option.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import typer

Parsed = TypeVar("Parsed")


def parse_options(parse: Callable[..., Parsed], plain: dict[str, object]) -> Parsed:
    """What parse makes of the options; a refusal becomes a usage error (exit 2)."""
    try:
        return parse(**plain)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


def run_command(
    command: Callable[..., None], name: str, arguments: Sequence[str], group: str = "passerelle simulate"
) -> int:
    """Run a typer command by its words; return its exit code (2: usage). group: the words before its name."""
    app = typer.Typer(add_completion=False)
    app.command(name)(command)
    try:
        app(args=list(arguments), prog_name=f"{group} {name}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0
