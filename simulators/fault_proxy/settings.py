"""The settings of the fault proxy: every fault it can show, each with its default of "none".

Source: what networks and middle boxes do to a TCP connection; PDU boundaries by SMPP v3.4 section 3.2.
What must not enter: what a setting does (faults.py, proxy.py).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulators.plain_values import (
    Endpoint,
    Milliseconds,
    parse_flag,
    parse_optional_path,
    parse_rate,
    parse_settings,
)

Address = Endpoint | Path  # TCP, or a Unix socket as PostgreSQL has one


class Way(enum.Enum):
    """Which of the two ways of a connection: away from whoever connected, or back."""

    TO_SERVER = "to-server"
    TO_CLIENT = "to-client"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxySettings:
    """How bad the connections are. What happens by chance is drawn from `seed`, for each connection and way anew."""

    listen: Address = Endpoint("127.0.0.1", 0)
    to: Address = Endpoint("127.0.0.1", 2775)
    control: Endpoint | None = None  # JSON lines: statistics and live changes
    seed: int = 1
    log: Path | None = None
    log_fsync: bool = True

    away: bool = False  # whoever connects is cut off at once
    delay_ms: Milliseconds = Milliseconds()  # of each read, on either way; order is kept
    cut_after: int = 0  # octets that a connection carries, both ways together, before it is cut; 0: never
    cut_at_pdu: int = 0  # PDUs that a connection carries, both ways together, before it is cut; 0: never
    silence: Way | None = None  # nothing passes this way, not even an end; it passes when the silence ends
    duplicate: float = 0.0  # share of PDUs that come twice
    flip: float = 0.0  # share of octets with one bit turned
    only: Way | None = None  # the way on which duplicates and flips happen; None: both
    octet_at_a_time: bool = False  # every octet in a write of its own

    @classmethod
    def parse(cls, **plain: object) -> ProxySettings:
        """From plain values, as the command line and tests write them. ValueError: unknown name or bad value."""
        return parse_settings(cls(), plain, PARSERS)

    def changed(self, plain: Mapping[str, object]) -> ProxySettings:
        """With live changes (control port). ValueError: fixed at start, unknown, or a bad value."""
        return parse_settings(self, plain, CHANGEABLE)


def parse_address(value: object) -> Address:
    """HOST:PORT, or the path of a Unix socket. ValueError: neither."""
    if isinstance(value, Endpoint | Path):
        return value
    text = str(value)
    return Path(text) if "/" in text else Endpoint.parse(text)


def _optional_endpoint(value: object) -> Endpoint | None:
    return value if isinstance(value, Endpoint) else Endpoint.parse(str(value)) if value else None


def _milliseconds(value: object) -> Milliseconds:
    return value if isinstance(value, Milliseconds) else Milliseconds.parse(str(value))


def _rate(value: object) -> float:
    return parse_rate(str(value))


def _optional_way(value: object) -> Way | None:
    if value in (None, ""):
        return None
    try:
        return value if isinstance(value, Way) else Way(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is neither to-server nor to-client") from None


def _count(value: object) -> int:
    number = int(str(value))
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


CHANGEABLE: dict[str, Callable[..., object]] = {
    "to": parse_address,
    "away": parse_flag,
    "delay_ms": _milliseconds,
    "cut_after": _count,
    "cut_at_pdu": _count,
    "silence": _optional_way,
    "duplicate": _rate,
    "flip": _rate,
    "only": _optional_way,
    "octet_at_a_time": parse_flag,
}
PARSERS: dict[str, Callable[..., object]] = CHANGEABLE | {
    "listen": parse_address,
    "control": _optional_endpoint,
    "seed": lambda value: int(str(value)),
    "log": parse_optional_path,
    "log_fsync": parse_flag,
}
