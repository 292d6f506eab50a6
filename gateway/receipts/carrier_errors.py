"""What carriers' error codes mean: one connector's own map, and the codes of GSM networks, as data.

Source: SMPP v3.4 5.3.2.31 network_error_code (1 ANSI-136, 2 IS-95, 3 GSM); 3GPP TS 29.002 17.6.6 (MAP errors).
An error is kept in one line: "code/type.number: meaning", of which each piece may be missing.
Pure. What must not enter: what becomes of the message: a receipt's state decides that, whatever its code says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

NETWORK_GSM: Final = 3  # SMPP v3.4 5.3.2.31
NETWORK_ERROR_OCTETS: Final = 3  # SMPP v3.4 5.3.2.31: one of network type, two of the code
_ERROR: Final = re.compile(r"([0-9A-Za-z]{0,8})(?:/(\d{1,3})\.(\d{1,5}))?(?:: .*)?")

Kind = Literal["permanent", "temporary", "unmapped"]


class ErrorMeaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a code means. permanent: another try would end alike."""

    text: str
    permanent: bool = True


# 3GPP TS 29.002 17.6.6: local values of MAP errors, as GSM networks report them.
GSM_ERRORS: Final[dict[int, ErrorMeaning]] = {
    1: ErrorMeaning("unknown subscriber"),
    5: ErrorMeaning("unidentified subscriber"),
    6: ErrorMeaning("absent subscriber", permanent=False),
    9: ErrorMeaning("illegal subscriber"),
    10: ErrorMeaning("bearer service not provisioned"),
    11: ErrorMeaning("teleservice not provisioned"),
    12: ErrorMeaning("illegal equipment"),
    13: ErrorMeaning("call barred"),
    21: ErrorMeaning("facility not supported"),
    27: ErrorMeaning("absent subscriber", permanent=False),
    31: ErrorMeaning("subscriber busy for MT SMS", permanent=False),
    32: ErrorMeaning("SM delivery failure", permanent=False),
    33: ErrorMeaning("message waiting list full", permanent=False),
    34: ErrorMeaning("system failure", permanent=False),
    35: ErrorMeaning("data missing"),
    36: ErrorMeaning("unexpected data value"),
}


class CarrierError(msgspec.Struct, frozen=True):
    """An error taken apart. code: as the text of the receipt has it; network: type and number, None for none."""

    code: str
    network: tuple[int, int] | None

    def network_error_code(self) -> bytes | None:
        """The value of the TLV network_error_code; None where the network said nothing that fits it."""
        if self.network is None or self.network[0] > 0xFF or self.network[1] > 0xFFFF:
            return None
        return bytes((self.network[0],)) + self.network[1].to_bytes(2, "big")


def compose_error(code: str, network_error_code: bytes) -> str:
    """One line of the code in a receipt's text ("" or zeros: none) and its TLV (another length than three: none)."""
    code = code if code.strip("0") else ""
    if len(network_error_code) != NETWORK_ERROR_OCTETS or not any(network_error_code[1:]):
        return code
    number = int.from_bytes(network_error_code[1:], "big")
    return f"{code or number}/{network_error_code[0]}.{number}"


def read_error(error: str) -> CarrierError:
    """An error of a message, taken apart; a reason of our own has no code."""
    found = _ERROR.fullmatch(error)
    if found is None:
        return CarrierError("", None)
    return CarrierError(found[1], (int(found[2]), int(found[3])) if found[2] else None)


def explain(error: str, meanings: Mapping[str, ErrorMeaning]) -> tuple[str, Kind]:
    """The error with its meaning, and whether another try could end otherwise. meanings: of one connector, by code
    ("011") or by type and number ("3.27").
    """
    read = read_error(error)
    meaning = meanings.get(read.code)
    if meaning is None and read.network is not None:
        meaning = meanings.get(f"{read.network[0]}.{read.network[1]}")
        if meaning is None and read.network[0] == NETWORK_GSM:
            meaning = GSM_ERRORS.get(read.network[1])
    if meaning is None:
        return error, "unmapped"
    return f"{error}: {meaning.text}", "permanent" if meaning.permanent else "temporary"
