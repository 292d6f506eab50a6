"""`passerelle simulate smsc`: its options, each with the name of its setting (settings.py).

What belongs here: option names and their help, for typer. Source: issue, "simulators".
What must not enter: what an option does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from simulators.options import parse_options, run_command
from simulators.smsc.run import run_smsc
from simulators.smsc.settings import SmscSettings


def smsc(
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0: any free one, printed on the ready line")] = (
        "127.0.0.1:2776"
    ),
    control: Annotated[str, typer.Option(help="HOST:PORT of the control port (JSON lines)")] = "",
    system_id: Annotated[str, typer.Option(help="the only one that may bind; empty: any")] = "",
    password: Annotated[str, typer.Option(help="empty: any")] = "",
    seed: Annotated[int, typer.Option(help="of all that happens by chance")] = 1,
    log: Annotated[Path | None, typer.Option(help="append JSON lines here")] = None,
    log_fsync: Annotated[bool, typer.Option(help="make lines durable before the PDU that depends on them")] = True,
    latency_ms: Annotated[str, typer.Option(help="from submit to answer: A or A..B")] = "0",
    error_for: Annotated[str, typer.Option(help="refusals by destination: 22901=0x0B,229=0x45")] = "",
    error_mix: Annotated[str, typer.Option(help="refusals: 0x08=0.01,0x45=0.02")] = "",
    tps: Annotated[float, typer.Option(help="submits a second and system_id, beyond: 0x58; 0: no limit")] = 0.0,
    window: Annotated[int, typer.Option(help="unanswered submits on a bind, beyond: 0x58; 0: no limit")] = 0,
    window_status: Annotated[str, typer.Option(help="what is answered beyond the window, as 0x14")] = "0x58",
    queue_ms: Annotated[float, typer.Option(help="an answer waits so long for each unanswered submit before it")] = 0.0,
    congested: Annotated[bool, typer.Option(help="answer 0x14 to every submit")] = False,
    silence: Annotated[float, typer.Option(help="share of messages taken and never answered")] = 0.0,
    id_dress: Annotated[str, typer.Option(help="decimal, hex, HEX, padded, uuid, or none")] = "decimal",
    first_id: Annotated[int, typer.Option(help="number of the first message; 0: from the clock")] = 0,
    receipt_delay_ms: Annotated[str, typer.Option(help="from answer to receipt: A or A..B")] = "0",
    receipt_mix: Annotated[str, typer.Option(help="UNDELIV/011=0.03,EXPIRED=0.01; the rest is DELIVRD")] = "",
    receipt_early: Annotated[float, typer.Option(help="share of receipts that precede the answer")] = 0.0,
    receipt_duplicate: Annotated[float, typer.Option(help="share of receipts that come twice")] = 0.0,
    receipt_shuffle: Annotated[bool, typer.Option(help="receipts overtake one another")] = False,
    receipt_intermediate: Annotated[bool, typer.Option(help="an ENROUTE notification first")] = False,
    receipt_id_dress: Annotated[str, typer.Option(help="dress of the id in receipts; empty: as answered")] = "",
    receipt_tlv: Annotated[bool, typer.Option(help="receipted_message_id and message_state in receipts")] = True,
    receipt_hold: Annotated[bool, typer.Option(help="keep receipts until the control port lets them go")] = False,
    no_receipt: Annotated[float, typer.Option(help="share of messages without any receipt")] = 0.0,
    deliver_window: Annotated[int, typer.Option(help="unanswered deliver_sm on a bind")] = 50,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM, with --tls-key: the port speaks TLS")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM")] = None,
    bind_status: Annotated[str, typer.Option(help="refuse every bind so, as 0x05; 0: none")] = "0",
    away: Annotated[bool, typer.Option(help="cut off whoever connects")] = False,
    half_open_after: Annotated[int, typer.Option(help="requests until a link goes deaf and mute; 0: never")] = 0,
    drop_after: Annotated[int, typer.Option(help="requests until a link is reset; 0: never")] = 0,
    unbind_after: Annotated[int, typer.Option(help="requests until the SMSC unbinds; 0: never")] = 0,
    inbound_rate: Annotated[float, typer.Option(help="mobile originated messages a second")] = 0.0,
    inbound_from: Annotated[str, typer.Option(help="their senders' numbers begin so")] = "2290197",
    inbound_to: Annotated[str, typer.Option(help="their destination")] = "36000",
    config: Annotated[Path | None, typer.Option(help="accepted as every command does; not used", hidden=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="the output is JSON lines in any case")] = False,
) -> None:
    """An SMSC: takes submits, sends receipts, and shows the faults it is asked for."""
    plain = {name: value for name, value in locals().items() if name not in ("config", "json")}
    raise typer.Exit(run_smsc(parse_options(SmscSettings.parse, plain)))


def main(arguments: Sequence[str]) -> int:
    """Run the SMSC simulator by the words after `passerelle simulate smsc`; the exit code."""
    return run_command(smsc, "smsc", arguments)
