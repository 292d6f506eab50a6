"""The settings of the SMSC simulator: every fault it can show, each with its default of "none".

Source: issue and defaults pages; statuses by SMPP v3.4 5.1.3, message states by its section 5.2.28 and appendix B.
What must not enter: what a setting does (behaviour.py, server.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.smpp.command_status import CommandStatus
from simulators.plain_values import (
    Endpoint,
    Milliseconds,
    Mix,
    parse_flag,
    parse_optional_path,
    parse_quantity,
    parse_rate,
    parse_settings,
    parse_status,
)
from simulators.smsc.message_ids import Dress


@dataclass(frozen=True, kw_only=True, slots=True)
class SmscSettings:
    """How one simulated SMSC behaves. Rates are shares 0..1 of the messages, drawn from `seed`."""

    listen: Endpoint = Endpoint("127.0.0.1", 0)
    control: Endpoint | None = None  # JSON lines: statistics and live changes
    system_id: str = ""  # "": anybody may bind
    password: str = ""  # "": any password
    seed: int = 1
    log: Path | None = None
    log_fsync: bool = True
    remember: int = 10_000  # submits kept in memory for tests (SimulatedSmsc.taken)

    # answers
    latency_ms: Milliseconds = Milliseconds()  # from a submit to its answer
    error_for: tuple[tuple[str, int], ...] = ()  # "22901=0x0B,229=0x45": destinations that begin so are refused so
    error_mix: Mix = Mix()  # "0x08=0.01,0x45=0.02": refused with this command_status
    tps: float = 0.0  # submits a second and system_id; beyond: ESME_RTHROTTLED; 0: no limit
    window: int = 0  # unanswered submits on a bind; beyond: window_status; 0: no limit
    window_status: int = CommandStatus.ESME_RTHROTTLED
    queue_ms: float = 0.0  # an answer takes so much longer for each unanswered submit of its bind before it
    congested: bool = False  # every submit: ESME_RMSGQFUL
    silence: float = 0.0  # taken, delivered, never answered
    id_dress: Dress = Dress.DECIMAL
    first_id: int = 0  # number of the first message; 0: from the clock, so that a restart repeats none

    # receipts
    receipt_delay_ms: Milliseconds = Milliseconds()  # from the answer to the receipt
    receipt_mix: Mix = Mix()  # "UNDELIV/011=0.03,EXPIRED=0.01": final states, with error code; the rest is DELIVRD
    receipt_early: float = 0.0  # the receipt leaves before the answer
    receipt_duplicate: float = 0.0  # the receipt leaves twice
    receipt_shuffle: bool = False  # receipts overtake one another
    receipt_intermediate: bool = False  # an ENROUTE notification precedes the receipt
    receipt_id_dress: Dress | None = None  # None: as in the answer
    receipt_tlv: bool = True  # receipted_message_id and message_state beside the text
    receipt_hold: bool = False  # receipts wait until this is taken back
    no_receipt: float = 0.0  # no receipt ever
    deliver_window: int = 50  # unanswered deliver_sm on a bind

    # binds
    tls_certificate: Path | None = None  # with tls_key: the port speaks TLS
    tls_key: Path | None = None
    bind_status: int = 0  # every bind is refused with this command_status; 0: none

    # links; counted on each connection, in requests after its bind; 0: never
    away: bool = False  # whoever connects is cut off at once
    half_open_after: int = 0  # the link stays, nothing is understood or sent any more
    drop_after: int = 0  # the next request is taken, not answered, and the connection is reset
    unbind_after: int = 0  # the SMSC asks to unbind

    # mobile originated messages
    inbound_rate: float = 0.0  # a second, over all receiving binds
    inbound_from: str = "2290197"  # the sender's number begins so
    inbound_to: str = "36000"

    @classmethod
    def parse(cls, **plain: object) -> SmscSettings:
        """From plain values, as the command line and tests write them. ValueError: unknown name or bad value."""
        return parse_settings(cls(), plain, PARSERS)

    def changed(self, plain: Mapping[str, object]) -> SmscSettings:
        """With live changes (control port). ValueError: fixed at start, unknown, or a bad value."""
        return parse_settings(self, plain, CHANGEABLE)


def _endpoint(value: object) -> Endpoint:
    return value if isinstance(value, Endpoint) else Endpoint.parse(str(value))


def _milliseconds(value: object) -> Milliseconds:
    return value if isinstance(value, Milliseconds) else Milliseconds.parse(str(value))


def _rate(value: object) -> float:
    return parse_rate(str(value))


def _count(value: object) -> int:
    number = int(str(value))
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _error_mix(value: object) -> Mix:
    mix = Mix.parse(str(value))
    for name, _ in mix.shares:
        parse_status(name)
    return mix


def _error_for(value: object) -> tuple[tuple[str, int], ...]:
    pairs = [entry.strip().partition("=") for entry in str(value).split(",") if entry.strip()]
    for prefix, _, status in pairs:
        if not prefix or not status:
            raise ValueError(f"{prefix or status!r} is not PREFIX=STATUS")
    return tuple((prefix, parse_status(status)) for prefix, _, status in pairs)


def _receipt_mix(value: object) -> Mix:
    mix = Mix.parse(str(value))
    for name, _ in mix.shares:
        stat, _, err = name.partition("/")
        if stat not in RECEIPT_STATS or (err and not err.isalnum()):
            raise ValueError(f"{name!r} is not one of {', '.join(RECEIPT_STATS)}, with /ERR or without")
    return mix


def _optional_endpoint(value: object) -> Endpoint | None:
    return None if value in (None, "") else _endpoint(value)


def _optional_dress(value: object) -> Dress | None:
    return None if value in (None, "") else Dress(str(value))


RECEIPT_STATS = ("DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD")  # final ones, v3.4 appendix B

CHANGEABLE: dict[str, Callable[..., object]] = {
    "latency_ms": _milliseconds,
    "error_for": _error_for,
    "error_mix": _error_mix,
    "bind_status": lambda value: parse_status(str(value)),
    "tps": parse_quantity,
    "window": _count,
    "window_status": lambda value: parse_status(str(value)),
    "queue_ms": parse_quantity,
    "congested": parse_flag,
    "silence": _rate,
    "away": parse_flag,
    "id_dress": Dress,
    "receipt_delay_ms": _milliseconds,
    "receipt_mix": _receipt_mix,
    "receipt_early": _rate,
    "receipt_duplicate": _rate,
    "receipt_shuffle": parse_flag,
    "receipt_intermediate": parse_flag,
    "receipt_id_dress": _optional_dress,
    "receipt_tlv": parse_flag,
    "receipt_hold": parse_flag,
    "no_receipt": _rate,
    "half_open_after": _count,
    "drop_after": _count,
    "unbind_after": _count,
    "inbound_rate": parse_quantity,
    "inbound_from": str,
    "inbound_to": str,
    "password": str,
}
PARSERS: dict[str, Callable[..., object]] = CHANGEABLE | {
    "listen": _endpoint,
    "control": _optional_endpoint,
    "system_id": str,
    "seed": lambda value: int(str(value)),
    "log": parse_optional_path,
    "tls_certificate": parse_optional_path,
    "tls_key": parse_optional_path,
    "log_fsync": parse_flag,
    "remember": _count,
    "first_id": _count,
    "deliver_window": _count,
}
