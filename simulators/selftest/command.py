"""`passerelle selftest smpp`: its options, for typer.

What belongs here: option names and their help, reading the password and the conditions, the exit code: 0 all that was
judged held, 1 something did not or the SMSC is out of reach, 2 a wrong word.
What must not enter: cases, playing.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import sys
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulators.options import parse_options, run_command
from simulators.plain_values import Endpoint
from simulators.selftest import report
from simulators.selftest.cases import Table, load_cases
from simulators.selftest.runner import (
    OCTETS,
    WHOLE,
    Outcome,
    Subject,
    Timers,
    Verdict,
    judge,
    reach,
    subjects_of,
)

PASSWORD_LIMIT = 1_024  # characters read from stdin; chosen
NARROWEST = 160  # columns of a report that goes into a file; chosen: no sentence is cut there


def smpp(
    against: Annotated[str, typer.Option(help="HOST:PORT of the SMSC to judge")],
    system_id: Annotated[str, typer.Option(help="a login that may bind in all three ways")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="the first line of stdin")] = False,
    source: Annotated[str, typer.Option("--from", "--source", help="a sender this login may use")] = "PASSERELLE",
    to: Annotated[str, typer.Option(help="a number that may be sent to: some 40 messages")] = "2290197000001",
    octets: Annotated[bool, typer.Option("--octets", help="play each case one octet at a time, too")] = False,
    tls: Annotated[
        bool, typer.Option("--tls", help="speak TLS, and believe its certificate by the system's CAs")
    ] = False,
    tls_ca: Annotated[Path | None, typer.Option(help="a PEM of the CAs to believe instead (implies --tls)")] = None,
    case: Annotated[list[str] | None, typer.Option(help="only this case; may be repeated")] = None,
    conditions: Annotated[Path | None, typer.Option(help="TOML: [condition] system_id, password, source ...")] = None,
    binds: Annotated[int, typer.Option(min=1, max=100, help="binds this login may hold at once")] = 1,
    slow: Annotated[bool, typer.Option("--slow", help="also what waits longer than 30 s")] = False,
    bind_timeout: Annotated[float, typer.Option(help="seconds the SMSC waits for a bind")] = 10.0,
    header_timeout: Annotated[float, typer.Option(help="seconds it waits for the rest of a header")] = 10.0,
    enquire_link: Annotated[float, typer.Option(help="seconds of silence until it asks")] = 60.0,
    enquire_link_timeout: Annotated[float, typer.Option(help="seconds until it gives up")] = 30.0,
    listing: Annotated[bool, typer.Option("--list", help="show the cases and what they need; play nothing")] = False,
    config: Annotated[Path | None, typer.Option(help="accepted as every command does; not used", hidden=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="every outcome as JSON")] = False,
) -> None:
    """Judge an SMSC by the table of answers: what it does in each situation, octet by octet."""
    table = parse_options(load_cases, {})
    if listing:
        for each in table.cases:
            sys.stdout.write(f"{each.name:<46} {each.needs or '-':<26} {each.situation}\n")
        raise typer.Exit(0)
    unknown = sorted(set(case or ()) - {each.name for each in table.cases})
    if unknown:
        raise typer.BadParameter(f"no case is called {unknown[0]}; --list shows their names")
    endpoint = parse_options(Endpoint.parse, {"text": against})
    password = sys.stdin.readline(PASSWORD_LIMIT).rstrip("\r\n") if password_stdin else ""
    subject = Subject(
        host=endpoint.host,
        port=endpoint.port,
        system_id=system_id,
        password=password,
        source=source,
        destination=to,
        tls=parse_options(_tls, {"ca_file": tls_ca}) if tls or tls_ca else None,
    )
    met = parse_options(_read_conditions, {"subject": subject, "file": conditions})
    timers = Timers(
        bind_s=bind_timeout,
        header_s=header_timeout,
        enquire_link_s=enquire_link,
        enquire_link_timeout_s=enquire_link_timeout,
    )
    play = functools.partial(
        judge,
        subject,
        table,
        conditions=met,
        manners=(WHOLE, OCTETS) if octets else (WHOLE,),
        only=frozenset(case or ()),
        timers=timers,
        binds=binds,
        slow=slow,
    )
    raise typer.Exit(asyncio.run(_judge(subject, table, play, json)))


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """ValueError, OSError: the file holds no certificates."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read_conditions(subject: Subject, file: Path | None) -> dict[str, Subject]:
    """ValueError, OSError: the file cannot be read as conditions."""
    if file is None:
        return {}
    return subjects_of(subject, tomllib.loads(file.read_text(encoding="utf-8")))


async def _judge(subject: Subject, table: Table, play: Callable[[], Awaitable[list[Outcome]]], json: bool) -> int:
    fault = await reach(subject, table)
    if fault:
        sys.stderr.write(f"passerelle: nothing can be judged: {fault}\n")
        return 1
    against = f"{subject.host}:{subject.port}"
    outcomes = await play()
    if json:
        sys.stdout.write(report.as_json(against, outcomes) + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else NARROWEST, highlight=False, markup=False)
        console.print(report.as_table(outcomes))
        console.print(report.as_line(outcomes))
    return 1 if any(outcome.verdict is Verdict.BROKEN for outcome in outcomes) else 0


def main(arguments: Sequence[str]) -> int:
    """Judge by the words after `passerelle selftest smpp`; the exit code."""
    return run_command(smpp, "smpp", arguments, "passerelle selftest")
