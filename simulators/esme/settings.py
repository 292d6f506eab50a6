"""The settings of the ESME simulator: what it sends, how fast, how badly it behaves, and what it verifies.

SMPP v3.4 sections 2.2 (bind types), 4.4.1 (fields of submit_sm), 5.2.17 (registered_delivery).
What must not enter: what a setting does (workload.py, client.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from simulators.plain_values import Endpoint, parse_flag, parse_optional_path, parse_quantity, parse_settings


class BindPlan(StrEnum):
    """What each of `binds` is: one bind of a type, or a transmitter and a receiver."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    PAIR = "pair"


class LongTexts(StrEnum):
    """How a text beyond one part travels: whole in message_payload, or cut into parts with a UDH."""

    PAYLOAD = "payload"
    UDH = "udh"


@dataclass(frozen=True, kw_only=True, slots=True)
class EsmeSettings:
    """How one simulated ESME behaves. Times in seconds."""

    connect: Endpoint
    system_id: str = "esme"
    password: str = ""
    binds: int = 1
    bind_type: BindPlan = BindPlan.TRANSCEIVER
    window: int = 10
    rate: float = 0.0  # submits a second over all binds; 0: as fast as answers come
    messages: int = 100  # texts to send; 0: no end (until `seconds`, or stopped)
    seconds: float = 0.0  # stop sending after this time; 0: never
    source: str = "PASSERELLE"
    to: str = "2290197"  # numbers begin so; `#` stands for a digit
    texts: tuple[str, ...] = ()  # (): the built-in ones, long and UCS-2 ones included
    characters: int = 0  # >0: GSM texts of exactly so many characters instead
    ucs2: bool = False  # every text in UCS-2
    long_texts: LongTexts = LongTexts.PAYLOAD
    registered_delivery: int = 1
    validity_s: int = 0  # validity_period, relative; 0: what the SMSC gives
    traffic_class: str = ""  # sent as service_type
    reconnect: bool = False
    resend: bool = False  # what was not answered is submitted again
    retry: bool = False  # what was refused as temporary (0x08, 0x14, 0x58, 0x64) is submitted again
    connect_timeout_s: float = 60.0  # without any bind for so long: give up
    response_timeout_s: float = 60.0
    verify_receipts: bool = False
    receipt_timeout_s: float = 60.0  # from the last answer
    never_read: bool = False  # submits, and leaves all answers in the socket
    octet_at_a_time: bool = False
    seed: int = 1
    log: Path | None = None
    log_fsync: bool = True

    @classmethod
    def parse(cls, connect: str | Endpoint, **plain: object) -> EsmeSettings:
        """From plain values, as the command line and tests write them. ValueError: unknown name or bad value."""
        endpoint = connect if isinstance(connect, Endpoint) else Endpoint.parse(connect)
        return parse_settings(cls(connect=endpoint), plain, PARSERS)


def read_texts(path: Path) -> tuple[str, ...]:
    r"""The texts of a UTF-8 file, one a line; `\n` in a line is a new line. ValueError: there is none."""
    texts = tuple(line.replace("\\n", "\n") for line in path.read_text("utf-8").splitlines() if line)
    if not texts:
        raise ValueError(f"{path} holds no text")
    return texts


def _between(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = int(str(value))
        if not low <= number <= high:
            raise ValueError(f"{number} is not between {low} and {high}")
        return number

    return parse


PARSERS: dict[str, Callable[..., object]] = {
    "system_id": str,
    "password": str,
    "binds": _between(1, 100),
    "bind_type": BindPlan,
    "window": _between(1, 100_000),
    "rate": parse_quantity,
    "messages": _between(0, 1_000_000_000),
    "seconds": parse_quantity,
    "source": str,
    "to": str,
    "texts": tuple,
    "characters": _between(0, 1_000),
    "ucs2": parse_flag,
    "long_texts": LongTexts,
    "registered_delivery": _between(0, 255),
    "validity_s": _between(0, 86_399),
    "traffic_class": str,
    "reconnect": parse_flag,
    "resend": parse_flag,
    "retry": parse_flag,
    "connect_timeout_s": parse_quantity,
    "response_timeout_s": parse_quantity,
    "verify_receipts": parse_flag,
    "receipt_timeout_s": parse_quantity,
    "never_read": parse_flag,
    "octet_at_a_time": parse_flag,
    "seed": lambda value: int(str(value)),
    "log": parse_optional_path,
    "log_fsync": parse_flag,
}
