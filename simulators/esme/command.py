"""`passerelle simulate esme`: its options, each with the name of its setting (settings.py).

What belongs here: option names and their help, for typer; where the password is read. Source: issue, "simulators".
What must not enter: what an option does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from simulators.esme.run import run_esme
from simulators.esme.settings import EsmeSettings, read_texts
from simulators.options import parse_options, run_command

PASSWORD_LIMIT = 1_024  # characters read from a password source; chosen


def esme(
    connect: Annotated[str, typer.Option(help="HOST:PORT of the SMSC or gateway")] = "127.0.0.1:2775",
    system_id: Annotated[str, typer.Option()] = "esme",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="the first line of stdin")] = False,
    password_file: Annotated[Path | None, typer.Option(help="the first line of a file")] = None,
    password: Annotated[str, typer.Option(help="of a toy: others see it in the list of processes", hidden=True)] = "",
    binds: Annotated[int, typer.Option()] = 1,
    bind_type: Annotated[str, typer.Option(help="transceiver, transmitter, receiver, or pair")] = "transceiver",
    window: Annotated[int, typer.Option(help="unanswered submits on a bind")] = 10,
    rate: Annotated[float, typer.Option(help="submits a second over all binds; 0: as fast as answered")] = 0.0,
    messages: Annotated[int, typer.Option(help="texts to send; 0: until stopped")] = 100,
    seconds: Annotated[float, typer.Option(help="stop sending after; 0: never")] = 0.0,
    source: Annotated[str, typer.Option("--from", "--source", help="sender name or number")] = "PASSERELLE",
    to: Annotated[str, typer.Option(help="numbers begin so; # is any digit")] = "2290197",
    texts: Annotated[Path | None, typer.Option(help="UTF-8 file, a text a line; else built-in ones")] = None,
    characters: Annotated[int, typer.Option(help="GSM texts of so many characters instead")] = 0,
    ucs2: Annotated[bool, typer.Option("--ucs2", help="every text in UCS-2")] = False,
    long_texts: Annotated[str, typer.Option(help="payload (message_payload) or udh (parts)")] = "payload",
    registered_delivery: Annotated[int, typer.Option()] = 1,
    validity: Annotated[int, typer.Option(help="seconds, below a day; 0: what the SMSC gives")] = 0,
    traffic_class: Annotated[str, typer.Option("--class", help="sent as service_type")] = "",
    reconnect: Annotated[bool, typer.Option("--reconnect", help="come back after every end of a link")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="submit again what was not answered")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="submit again after 0x08, 0x14, 0x58, 0x64")] = False,
    connect_timeout: Annotated[float, typer.Option(help="seconds without any bind until it gives up")] = 60.0,
    response_timeout: Annotated[float, typer.Option(help="seconds")] = 60.0,
    verify_receipts: Annotated[bool, typer.Option("--verify-receipts", help="wait for all; exit 1 if not")] = False,
    receipt_timeout: Annotated[float, typer.Option(help="seconds after the last answer")] = 60.0,
    never_read: Annotated[bool, typer.Option("--never-read", help="leave every answer in the socket")] = False,
    octet_at_a_time: Annotated[bool, typer.Option("--octet-at-a-time", help="write so, and read so")] = False,
    seed: Annotated[int, typer.Option(help="of numbers and jitter")] = 1,
    log: Annotated[Path | None, typer.Option(help="append JSON lines here")] = None,
    log_fsync: Annotated[bool, typer.Option(help="make lines durable before the PDU that depends on them")] = True,
    config: Annotated[Path | None, typer.Option(help="accepted as every command does; not used", hidden=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="the summary as JSON")] = False,
) -> None:
    """An ESME: binds, submits, takes receipts and verifies them."""
    plain = dict(locals())
    for name in ("password_stdin", "password_file", "texts", "config", "json"):
        del plain[name]
    for name in ("connect_timeout", "response_timeout", "receipt_timeout", "validity"):
        plain[f"{name}_s"] = plain.pop(name)
    plain["password"] = password or _password(password_stdin, password_file)
    if texts is not None:
        plain["texts"] = parse_options(read_texts, {"path": texts})
    raise typer.Exit(run_esme(parse_options(EsmeSettings.parse, plain), json))


def _password(from_stdin: bool, file: Path | None) -> str:
    """The first line of stdin or of the file; "" when neither is named."""
    if file is not None:
        with file.open(encoding="latin-1") as lines:
            return lines.readline(PASSWORD_LIMIT).rstrip("\r\n")
    return sys.stdin.readline(PASSWORD_LIMIT).rstrip("\r\n") if from_stdin else ""


def main(arguments: Sequence[str]) -> int:
    """Run the ESME simulator by the words after `passerelle simulate esme`; the exit code."""
    return run_command(esme, "esme", arguments)
